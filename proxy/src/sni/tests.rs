use super::*;
use proptest::prelude::*;
use rustls::server::Acceptor;

// It is public for the tests over sockets, which are another crate and say so too.
#[allow(unreachable_pub)]
#[path = "../../tests/http/hello.rs"]
mod hello;
use hello::Hello as Built;

fn named(name: &str) -> Opening {
    Opening::Hello(Hello { name: Some(Domain::parse(name).unwrap()), encrypted: false })
}

fn nameless() -> Opening {
    Opening::Hello(Hello { name: None, encrypted: false })
}

#[test]
fn names_are_read() {
    let two_entries = [&[0, 18, 0, 0, 6][..], b"a.test", &[0, 0, 6], b"b.test"].concat();
    let cases: &[(&str, Vec<u8>, Opening)] = &[
        ("a name", Built::to("site.test").bytes(), named("site.test")),
        ("in capitals", Built::to("SITE.test").bytes(), named("site.test")),
        ("with the root's dot", Built::to("site.test.").bytes(), named("site.test")),
        ("none", Built::nameless().bytes(), nameless()),
        ("an address", Built::to("192.0.2.1").bytes(), nameless()),
        ("an IPv6 address", Built::to("2001:db8::1").bytes(), nameless()),
        ("post-quantum", Built::to("site.test").post_quantum().bytes(), named("site.test")),
        (
            "post-quantum in small records",
            Built::to("site.test").post_quantum().in_records_of(100).bytes(),
            named("site.test"),
        ),
        ("records of one byte", Built::to("site.test").in_records_of(1).bytes(), named("site.test")),
        (
            "an encrypted hello",
            Built::to("outer.test").encrypted().bytes(),
            Opening::Hello(Hello { name: Some(Domain::parse("outer.test").unwrap()), encrypted: true }),
        ),
        (
            "two name extensions",
            Built::to("a.test").with(0, [&[0, 9, 0, 0, 6][..], b"b.test"].concat()).bytes(),
            Opening::Malformed,
        ),
        ("two names in one", Built::nameless().with(0, two_entries).bytes(), Opening::Malformed),
        ("an empty list", Built::nameless().with(0, vec![0, 0]).bytes(), Opening::Malformed),
        ("an empty extension", Built::nameless().with(0, vec![]).bytes(), Opening::Malformed),
        ("an empty name", Built::to("").bytes(), Opening::Malformed),
        ("no name at all", Built::to("a b").bytes(), Opening::Malformed),
        ("a nul in the name", Built::to("site.test\0.other.test").bytes(), Opening::Malformed),
        ("not ASCII", Built::to("m\u{fc}ller.test").bytes(), Opening::Malformed),
        ("nothing", vec![], Opening::More),
        ("one byte", vec![22], Opening::More),
        ("HTTP", b"GET / HTTP/1.1".to_vec(), Opening::NotTls),
        ("an alert", vec![21, 3, 1, 0, 2, 1, 0], Opening::NotTls),
        ("SSL 2", vec![0x80, 0x2e, 1, 3, 1], Opening::NotTls),
        ("an empty record", vec![22, 3, 1, 0, 0], Opening::Malformed),
        ("a record too long", vec![22, 3, 1, 0x40, 1], Opening::Malformed),
        ("a server's hello", vec![22, 3, 1, 0, 1, 2], Opening::Malformed),
        (
            "another record within",
            [&[22, 3, 1, 0, 2, 1, 0][..], &[23, 3, 3, 0, 1, 0]].concat(),
            Opening::Malformed,
        ),
        ("a hello of a megabyte", vec![22, 3, 1, 0, 4, 1, 0x10, 0, 0], Opening::Malformed),
    ];
    for (what, bytes, meant) in cases {
        assert_eq!(&parse(bytes), meant, "{what}");
    }
}

#[test]
fn a_hello_of_an_old_device_without_extensions_is_nameless() {
    let body = [&[3, 1][..], &[7; 32], &[0], &[0, 2, 0, 0x2f], &[1, 0]].concat();
    let message = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    let bytes = [&[22, 3, 0, 0, message.len() as u8][..], &message].concat();
    assert_eq!(parse(&bytes), nameless());
}

#[test]
fn bytes_that_follow_the_hello_in_its_record_are_not_taken() {
    let mut message = Built::to("site.test").message();
    message.push(0);
    let bytes = [&[22, 3, 1][..], &(message.len() as u16).to_be_bytes(), &message].concat();
    assert_eq!(parse(&bytes), Opening::Malformed);
    let further = [&Built::to("site.test").bytes()[..], &[20, 3, 3, 0, 1, 1]].concat();
    assert_eq!(parse(&further), named("site.test"), "records after it are the handshake's next");
}

#[test]
fn every_beginning_of_a_hello_asks_for_more() {
    for built in [Built::to("site.test"), Built::to("site.test").post_quantum().in_records_of(700)] {
        let bytes = built.bytes();
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length]), Opening::More, "{length}");
        }
    }
}

#[test]
fn an_endless_hello_is_malformed() {
    let mut bytes = vec![22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0];
    bytes.resize(MOST, 0);
    assert_eq!(parse(&bytes[..MOST - 1]), Opening::More);
    assert_eq!(parse(&bytes), Opening::Malformed);
}

/// What rustls reads: the name, none, or nothing because it takes the bytes for no hello.
fn by_rustls(bytes: &[u8]) -> Option<Option<String>> {
    let mut acceptor = Acceptor::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        if acceptor.read_tls(&mut rest).ok()? == 0 {
            return None;
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => {
                return Some(accepted.client_hello().server_name().map(in_normal_form));
            }
            Ok(None) => {}
            Err(_) => return None,
        }
    }
    None
}

/// rustls gives a name as it was written.
fn in_normal_form(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// What we read, in the same words.
fn by_us(bytes: &[u8]) -> Option<Option<String>> {
    match parse(bytes) {
        Opening::Hello(hello) => Some(hello.name.map(|n| n.as_str().to_owned())),
        Opening::More | Opening::NotTls | Opening::Malformed => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        parse(&bytes);
        parse(&[&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &bytes].concat());
    }

    #[test]
    fn whole_hellos_read_as_rustls_reads_them(
        name in proptest::option::of("[a-z][a-z0-9-]{0,20}[a-z0-9](\\.[a-z][a-z0-9]{0,10}){1,4}"),
        extensions in proptest::collection::vec((100u16..60000, proptest::collection::vec(any::<u8>(), 0..300)), 0..6),
        record in 1usize..3000,
        big in any::<bool>(),
    ) {
        let mut built = Built { name: name.clone().map(String::into_bytes), extensions, record };
        built.extensions.sort();
        built.extensions.dedup_by_key(|e| e.0);
        built.extensions.retain(|e| e.0 != 0xfe0d && e.0 != 0xffa5 && e.0 != 0xff01);
        if big {
            built.extensions.push((21, vec![0; 1300]));
        }
        let bytes = built.bytes();
        prop_assert_eq!(by_us(&bytes), Some(name.clone()));
        // rustls takes at most so many fragments of one message.
        if record >= 64 {
            prop_assert_eq!(by_rustls(&bytes), Some(name));
        }
    }

    /// Where one byte is wrong, we may take what rustls refuses (it looks at more), but never read another name.
    #[test]
    fn spoiled_hellos_never_read_as_another_name(at in 0usize..400, to in any::<u8>(), cut in 0usize..400) {
        let mut bytes = Built::to("site.test").encrypted().bytes();
        let at = at % bytes.len();
        bytes[at] = to;
        let cut = bytes.len().saturating_sub(cut % 40);
        for bytes in [&bytes[..], &bytes[..cut]] {
            if let (Some(theirs), Some(ours)) = (by_rustls(bytes), by_us(bytes)) {
                prop_assert_eq!(theirs, ours);
            }
        }
    }
}
