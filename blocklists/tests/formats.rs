//! Every format by a pair of files: `formats/NAME.txt` as published, `formats/NAME.expected` what is understood of it.
//! Then what a list must survive, and archives.

#![allow(clippy::disallowed_methods, reason = "the corpus is files")]
// A test that unwraps says by failing what went wrong.
#![allow(clippy::unwrap_used)]

use blocklists::format::{
    Body, Effect, Format, Limits, ListInput, MAX_LINE, NotAList, Reach, Reason, Skips, parse, read_list,
    recognise,
};
use blocklists::{Category, Tags};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::Path;

/// A list as the expected files write it: entries in order, then skipped lines in order.
fn understood(text: &[u8], format: Format) -> String {
    let mut out = format!("format {}\n", format.word());
    let skips = parse(text, format, &mut |entry| {
        let effect = match entry.effect {
            Effect::List => "list",
            Effect::Except => "except",
        };
        let reach = match entry.reach {
            Reach::Here => "here",
            Reach::Below => "below",
            Reach::Site => "site",
        };
        out.push_str(&format!("{} {effect} {reach} {}\n", entry.line, entry.name));
    });
    let mut skipped: Vec<(u32, Reason)> =
        skips.iter().flat_map(|(reason, _, samples)| samples.iter().map(move |s| (s.line, reason))).collect();
    skipped.sort();
    for (line, reason) in skipped {
        out.push_str(&format!("{line} skip {reason:?}\n"));
    }
    out
}

#[test]
fn each_format_is_recognised_and_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let mut checked = 0;
    for name in ["hosts", "plain", "dnsmasq", "rpz", "adblock", "v2fly"] {
        let text = std::fs::read(folder.join(format!("{name}.txt"))).unwrap();
        let expected = std::fs::read_to_string(folder.join(format!("{name}.expected"))).unwrap();
        let format = recognise(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(understood(&text, format), expected, "formats/{name}.txt");
        // The same with Windows ends of line and a byte order mark.
        let windows = format!("\u{feff}{}", String::from_utf8(text).unwrap().replace('\n', "\r\n"));
        assert_eq!(recognise(windows.as_bytes()).unwrap(), format, "{name} from Windows");
        assert_eq!(understood(windows.as_bytes(), format), expected, "{name} from Windows");
        checked += 1;
    }
    assert_eq!(checked, 6);
}

/// Ranges are no names, so that they come beside the entries.
#[test]
fn addresses_are_recognised_and_understood() {
    let text =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/addresses.txt")).unwrap();
    assert_eq!(recognise(&text).unwrap(), Format::Addresses);
    let outcome =
        read_list(ListInput::new("a", Tags::NONE, &text), &Limits::default(), &mut |_| panic!("no name"))
            .unwrap();
    let meant = ["192.0.2.1", "192.0.2.0/28", "198.51.100.7-198.51.100.9", "2001:db8::53"];
    let range = |text: &&str| (blocklists::AddressRange::read(text).unwrap(), Tags::NONE);
    let meant: Vec<_> = meant.iter().map(range).collect();
    assert_eq!((outcome.addresses, outcome.entries), (meant, 4));
    for (reason, lines) in
        [(Reason::NotAnAddress, 3), (Reason::InsideHomes, 1), (Reason::Shared, 1), (Reason::TooWide, 1)]
    {
        assert_eq!(outcome.skips.count(reason), lines, "{reason}");
    }
}

/// One bad line for each row, in the format named: it is skipped for this reason and the line after it is read.
const BAD_LINES: &[(&str, Format, &[u8], Reason)] = &[
    (
        "a label too long",
        Format::Plain,
        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
        Reason::NotAName,
    ),
    ("two dots", Format::Plain, b"a..example", Reason::NotAName),
    ("only dots", Format::Plain, b"...", Reason::NotAName),
    ("a quote", Format::Plain, b"\"a.example\"", Reason::NotAName),
    ("a port", Format::Plain, b"a.example:80", Reason::NotAName),
    ("a user", Format::Plain, b"user@a.example", Reason::NotAName),
    ("an arrow", Format::Plain, b"a.example -> b.example", Reason::NotAName),
    ("an IPv4 address", Format::Plain, b"192.0.2.7", Reason::Address),
    ("an IPv6 address", Format::Plain, b"2001:db8::7", Reason::Address),
    ("a network", Format::Plain, b"192.0.2.0/24", Reason::Path),
    ("a path", Format::Plain, b"a.example/x", Reason::Path),
    ("a star inside", Format::Plain, b"a*.example", Reason::Pattern),
    ("a country", Format::Plain, b"uk", Reason::PublicSuffix),
    ("an ending of two parts", Format::Plain, b"com.au", Reason::PublicSuffix),
    ("Latin-1", Format::Plain, b"m\xfcller.example", Reason::NotText),
    ("UTF-16", Format::Plain, b"a\0.\0e\0x\0", Reason::NotText),
    ("a NUL", Format::Plain, b"a.exam\0ple", Reason::NotText),
    ("letters no name has", Format::Plain, "a\u{202e}b.example".as_bytes(), Reason::NotAName),
    ("no address", Format::Hosts, b"a.example", Reason::Syntax),
    ("an address alone", Format::Hosts, b"0.0.0.0", Reason::Syntax),
    ("an address that is none", Format::Hosts, b"0.0.0 a.example", Reason::Syntax),
    ("a URL", Format::Hosts, b"0.0.0.0 a.example/x", Reason::Path),
    ("another key", Format::Dnsmasq, b"conf-dir=/etc/x/", Reason::Syntax),
    ("no stroke", Format::Dnsmasq, b"address=a.example", Reason::Syntax),
    ("an end missing", Format::Dnsmasq, b"address=/a.example", Reason::Syntax),
    ("standard servers", Format::Dnsmasq, b"server=/a.example/#", Reason::Option),
    ("an empty name", Format::Dnsmasq, b"address=//", Reason::NotAName),
    ("no type", Format::Rpz, b"a.example 60 IN", Reason::Syntax),
    ("no target", Format::Rpz, b"a.example CNAME", Reason::Syntax),
    ("the zone itself", Format::Rpz, b"@ CNAME .", Reason::Syntax),
    ("an address trigger", Format::Rpz, b"24.0.2.0.192.rpz-ip CNAME .", Reason::Option),
    ("a server trigger", Format::Rpz, b"ns.example.rpz-nsdname CNAME .", Reason::Option),
    ("everything", Format::Rpz, b"*. CNAME .", Reason::Pattern),
    ("a regular expression", Format::Adblock, b"/ads[0-9]/", Reason::Pattern),
    ("a type of request", Format::Adblock, b"||a.example^$image", Reason::Option),
    ("some clients only", Format::Adblock, b"||a.example^$client=x", Reason::Option),
    ("hiding", Format::Adblock, b"a.example##.ad", Reason::Cosmetic),
    ("a script", Format::Adblock, b"a.example#%#run()", Reason::Cosmetic),
    ("a part of a path", Format::Adblock, b"||a.example/ads/", Reason::Path),
    ("nothing", Format::Adblock, b"||^", Reason::NotAName),
    ("a keyword", Format::V2fly, b"keyword:bet", Reason::Pattern),
    ("an expression", Format::V2fly, b"regexp:.*", Reason::Pattern),
    ("an include alone", Format::V2fly, b"include:x", Reason::Include),
    ("an unknown kind", Format::V2fly, b"ip:192.0.2.1", Reason::Syntax),
    ("nothing after the kind", Format::V2fly, b"domain:", Reason::NotAName),
];

/// A good line of each format, which must be read after the bad one.
fn good_line(format: Format) -> &'static str {
    match format {
        Format::Hosts => "0.0.0.0 good.example",
        Format::Plain | Format::V2fly | Format::Ut1 => "good.example",
        Format::Addresses => "192.0.2.1",
        Format::Dnsmasq => "address=/good.example/",
        Format::Rpz => "good.example CNAME .",
        Format::Adblock => "||good.example^",
    }
}

#[test]
fn a_bad_line_costs_itself_only() {
    for (case, format, line, reason) in BAD_LINES {
        let text = [line, &b"\n"[..], good_line(*format).as_bytes(), b"\n"].concat();
        let mut read = Vec::new();
        let skips = parse(&text, *format, &mut |entry| read.push(entry.name.to_string()));
        assert_eq!(read, ["good.example"], "{case}");
        let counted: Vec<_> = skips.iter().map(|(reason, count, _)| (reason, count)).collect();
        assert_eq!(counted, [(*reason, 1)], "{case}");
    }
    assert_eq!(BAD_LINES.len(), 45);
}

#[test]
fn no_bytes_make_a_format_panic_or_slow() {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Mostly what formats are made of, so that the noise gets past the first character.
        const BYTES: &[u8] = b"abz09.-_/|@^$#*:= \t\n\n\r\0\xff()[];,!&%~+?";
        BYTES[state as usize % BYTES.len()]
    };
    for _ in 0..300 {
        let noise: Vec<u8> = (0..2_000).map(|_| byte()).collect();
        for format in Format::all() {
            let _skips: Skips = parse(&noise, format, &mut |entry| assert!(!entry.name.as_str().is_empty()));
        }
        let _any = recognise(&noise);
    }
}

#[test]
fn a_line_without_end_is_skipped_and_the_next_one_read() {
    let mut text = vec![b'a'; 5 * MAX_LINE];
    text.extend_from_slice(b"\ngood.example\n");
    let mut read = 0;
    let skips = parse(&text, Format::Plain, &mut |_| read += 1);
    assert_eq!((read, skips.count(Reason::TooLong)), (1, 1));
}

#[test]
fn samples_are_few_and_short() {
    let text = "not a name at all, but a sentence that goes on and on\n".repeat(10_000);
    let skips = parse(text.as_bytes(), Format::Plain, &mut |_| {});
    let (reason, count, samples) = skips.iter().next().unwrap();
    assert_eq!((reason, count, samples.len()), (Reason::NotAName, 10_000, Skips::SAMPLES));
    assert!(samples.iter().all(|s| s.text.chars().count() <= Skips::SAMPLE_LENGTH));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tarball of files, and of links where the body is `-> target`.
fn tarball(members: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, body) in members {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        match body.strip_prefix("-> ") {
            Some(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, path, target).unwrap();
            }
            None => {
                header.set_size(body.len() as u64);
                builder.append_data(&mut header, path, body.as_bytes()).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn word(word: &str) -> Tags {
    Tags::category(Category::from_word(word).unwrap())
}

type Read = Result<(Format, Vec<(String, Tags)>, Skips), NotAList>;

fn read(input: ListInput<'_>, limits: &Limits) -> Read {
    let mut entries = Vec::new();
    let outcome =
        read_list(input, limits, &mut |tagged| entries.push((tagged.entry.name.to_string(), tagged.tags)))?;
    assert_eq!(outcome.entries as usize, entries.len());
    Ok((outcome.format, entries, outcome.skips))
}

#[test]
fn ut1_folders_are_mapped_and_links_followed_both_ways() {
    let archive = tarball(&[
        ("blacklists/ads", "-> publicite"),
        ("blacklists/adult/domains", "adult.example\n192.0.2.1\n"),
        ("blacklists/adult/urls", "a.example/x\nb.example/y\n"),
        ("blacklists/adult/expressions", "(a|b)\n"),
        ("blacklists/adult/usage", "black\n"),
        ("blacklists/drogue/domains", "drugs.example\n"),
        ("blacklists/drugs", "-> drogue"),
        ("blacklists/publicite/domains", "ads.example\n"),
        ("blacklists/unmapped/domains", "other.example\n"),
    ]);
    let map = [("adult", "pornography"), ("drugs", "drugs"), ("ads", "advertising")]
        .map(|(k, w)| (k.to_owned(), word(w)));
    for body in [gzip(&archive), archive] {
        for from_reader in [false, true] {
            let input = ListInput { categories: &map, ..ListInput::new("ut1", Tags::NONE, &body) };
            let input = match from_reader {
                true => ListInput { body: Body::Reader(Box::new(body.as_slice())), ..input },
                false => input,
            };
            let (format, entries, skips) = read(input, &Limits::default()).unwrap();
            assert_eq!(format, Format::Ut1);
            let expected = [("adult", "pornography"), ("drugs", "drugs"), ("ads", "advertising")];
            assert_eq!(entries, expected.map(|(name, tags)| (format!("{name}.example"), word(tags))));
            assert_eq!(
                (skips.count(Reason::Path), skips.count(Reason::Pattern), skips.count(Reason::Address)),
                (2, 1, 1)
            );
        }
    }
}

#[test]
fn v2fly_includes_are_followed_by_attribute_and_never_in_circles() {
    let archive = gzip(&tarball(&[
        ("data/tiktok", "tiktok.example\ninclude:cdn\ninclude:circle\ninclude:missing\n"),
        ("data/cdn", "cdn.example\ninclude:attributes @ads\ninclude:attributes @-ads @cn\n"),
        ("data/attributes", "full:ads.example @ads @cn\nfull:cn.example @cn\nfull:none.example\n"),
        ("data/circle", "circle.example\ninclude:tiktok\n"),
        ("data/other", "other.example\n"),
    ]));
    let map = [("tiktok".to_owned(), word("video"))];
    let input = ListInput { categories: &map, ..ListInput::new("v2fly", Tags::NONE, &archive) };
    let (format, entries, skips) = read(input, &Limits::default()).unwrap();
    assert_eq!(format, Format::V2fly);
    let names: Vec<&str> = entries.iter().map(|row| row.0.as_str()).collect();
    assert_eq!(names, ["tiktok.example", "cdn.example", "ads.example", "cn.example", "circle.example"]);
    assert_eq!(skips.count(Reason::Include), 2);
}

#[test]
fn an_archive_of_lists_is_read_file_by_file_each_by_its_own_format() {
    const LICENCE: &str =
        "Do what you like with this.\n\nNo promise is made that any of it is right, or useful, or kind.\n";
    let archive = tarball(&[
        ("lists/LICENCE", LICENCE),
        ("lists/page.html", "<!DOCTYPE html><html>about.example</html>\n"),
        ("lists/names.txt", "# names\none.example\ntwo.example\n"),
        ("lists/linked.txt", "-> names.txt"),
        ("lists/hosts.txt", "0.0.0.0 three.example\n0.0.0.0 bad_|name\n"),
        ("lists/v4.txt", "203.0.113.9\n198.51.100.0/24 # whose\n192.168.1.1\n"),
        ("lists/v6.txt", "2001:4860::/32\n"),
        ("empty.txt", "# nothing today\n"),
    ]);
    let games = word("games");
    for body in [gzip(&archive), archive.clone()] {
        for from_reader in [false, true] {
            let input = || match from_reader {
                true => ListInput {
                    body: Body::Reader(Box::new(body.as_slice())),
                    ..ListInput::new("files", games, &body)
                },
                false => ListInput::new("files", games, &body),
            };
            assert_eq!(recognise(&body).unwrap(), Format::Plain, "the first of its lists");
            let mut names = Vec::new();
            let outcome =
                read_list(input(), &Limits::default(), &mut |t| names.push(t.entry.name.to_string()))
                    .unwrap();
            assert_eq!(names, ["one.example", "two.example", "three.example"]);
            assert_eq!((outcome.entries, outcome.addresses.len()), (6, 3));
            assert_eq!(outcome.skips.count(Reason::InsideHomes), 1);
            assert!(outcome.addresses.iter().all(|(_, tags)| *tags == games));
        }
    }
    // Where the home says which, those alone; and where it says what each is, each is that.
    let only = ListInput { format: Some(Format::Addresses), ..ListInput::new("files", games, &archive) };
    let outcome = read_list(only, &Limits::default(), &mut |t| panic!("a name: {t:?}")).unwrap();
    assert_eq!((outcome.entries, outcome.addresses.len()), (3, 3));
    let map = [("names", "music"), ("v4.txt", "video")].map(|(k, w)| (k.to_owned(), word(w)));
    let mapped = ListInput { categories: &map, ..ListInput::new("files", Tags::NONE, &archive) };
    let mut names = Vec::new();
    let outcome =
        read_list(mapped, &Limits::default(), &mut |t| names.push((t.entry.name.to_string(), t.tags)))
            .unwrap();
    assert_eq!(names, ["one.example", "two.example"].map(|name| (name.to_owned(), word("music"))));
    let kinds: Vec<Tags> = outcome.addresses.iter().map(|(_, tags)| *tags).collect();
    assert_eq!(kinds, [word("video"); 2]);
    // And no archive is larger than the limits of one list.
    let limits = Limits { entries: 2, ..Limits::default() };
    let (mut few, all) = (Vec::new(), ListInput::new("files", games, &archive));
    let outcome = read_list(all, &limits, &mut |t| few.push(t.entry.name.to_string())).unwrap();
    assert_eq!((few.len(), outcome.addresses.len(), outcome.skips.count(Reason::TooMany)), (2, 0, 6));
    let unpacked = Limits { unpacked: 2048, ..Limits::default() };
    let all = ListInput::new("files", games, &archive);
    assert!(matches!(read_list(all, &unpacked, &mut |_| {}), Err(NotAList::TooLarge)));
    let none = tarball(&[("LICENCE", LICENCE)]);
    assert!(matches!(
        read(ListInput::new("files", games, &none), &Limits::default()),
        Err(NotAList::Unknown)
    ));
}

#[test]
fn a_knot_of_includes_ends() {
    let knot = (0..40).map(|n| format!("include:f{n}\n")).collect::<String>();
    let names: Vec<String> = (0..40).map(|n| format!("data/f{n}")).collect();
    let members: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), knot.as_str())).collect();
    let archive = gzip(&tarball(&members));
    let map = [("f0".to_owned(), word("video"))];
    let input = ListInput { categories: &map, ..ListInput::new("knot", Tags::NONE, &archive) };
    let (_, entries, skips) = read(input, &Limits::default()).unwrap();
    assert!(entries.is_empty() && skips.count(Reason::Include) > 0);
}

#[test]
fn what_is_no_list_is_an_error_and_limits_hold() {
    let limits = Limits { bytes: 4_000, unpacked: 20_000, entries: 50 };
    let many = "a.example\n".repeat(100);
    let bomb = gzip(many.repeat(1_000).as_bytes());
    let cut = &gzip(many.as_bytes())[..30];
    let page = gzip(b"<!DOCTYPE html><html><body>Sign in</body></html>");
    let big = many.repeat(10);
    type IsIt = fn(&Read) -> bool;
    let rows: &[(&str, &[u8], IsIt)] = &[
        ("nothing", b"", |r| matches!(r, Err(NotAList::Empty))),
        ("a web page", b"<html>\n", |r| matches!(r, Err(NotAList::Html))),
        ("a packed web page", &page, |r| matches!(r, Err(NotAList::Html))),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff", |r| matches!(r, Err(NotAList::Unknown))),
        ("too many bytes", big.as_bytes(), |r| matches!(r, Err(NotAList::TooLarge))),
        ("a gzip that unpacks without end", &bomb, |r| matches!(r, Err(NotAList::TooLarge))),
        ("half a gzip", cut, |r| matches!(r, Err(NotAList::Unreadable(_)))),
        (
            "too many entries",
            many.as_bytes(),
            |r| matches!(r, Ok((_, entries, skips)) if entries.len() == 50 && skips.count(Reason::TooMany) == 50),
        ),
    ];
    for (case, body, is_it) in rows {
        for from_reader in [false, true] {
            let input = ListInput::new("list", Tags::NONE, body);
            let input = match from_reader {
                true => ListInput { body: Body::Reader(Box::new(*body)), ..input },
                false => input,
            };
            let got = read(input, &limits);
            assert!(is_it(&got), "{case}, from a reader: {from_reader}: {got:?}");
        }
    }
}
