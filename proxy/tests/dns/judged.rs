//! Questions and answers judged: who asked, what was asked, what was said.

use crate::ask::{ask_over_tcp, ede};
use crate::home::{Home, JORDAN, KATE, SAM, Setup, UNKNOWN, instant, snapshot};
use crate::internet::Server;
use agreements::{BlockedAnswer, Detector, Evidence, Rule, Severity, Snapshot, Standing};
use blocklists::format::ListInput;
use blocklists::{Category, Compiler, Name, Tags, builtin};
use records::Clock;
use std::sync::Arc;
use std::time::Duration;

pub const ZONE: &str = "
    test            60 SOA 30
    www.test       300 A 192.0.2.1
    www.test       300 AAAA 2001:db8::1
    www.test       300 TXT hello
    mail.test      300 MX 10 mx.test
    long.test    86400 A 192.0.2.2
    learn.test     300 A 192.0.2.3
    help.test      300 CNAME carrier.blocked.test
    carrier.blocked.test 300 A 192.0.2.4
    alias.test     300 CNAME www.test
    hidden.test    300 CNAME tracker.blocked.test
    tracker.blocked.test 300 A 192.0.2.5
    twice.test     300 CNAME hidden.test
    carried.test   300 CNAME carrier.cdn.test
    carrier.cdn.test 300 A 192.0.2.6
    svc.test       300 HTTPS 1 . 1=026832 4=c0000201 5=fefe
    svcto.test     300 HTTPS 1 pool.blocked.test 1=026832
    svcok.test     300 HTTPS 1 pool.test 1=026832
    inside.test    300 A 192.168.1.1
    inside6.test   300 AAAA fd00::1
    ours.test      300 A 192.0.2.77
    mapped.test    300 AAAA ::ffff:10.0.0.1
    hint.test      300 HTTPS 1 . 4=c0a80101
    both.test      300 A 192.0.2.7
    both.test      300 A 127.0.0.1
    192-0-2-9.written.test 300 A 192.0.2.9
    192-0-2-9.written.test 300 HTTPS 1 . 4=c0000209
    other.192-0-2-9.written.test 300 A 192.0.2.1
    towritten.test 300 CNAME 192-0-2-9.written.test
    resolver.test  300 A 9.9.9.9
    192-0-2-4.help.test 300 A 192.0.2.4
    forcesafesearch.google.com 300 A 216.239.38.120
    forcesafesearch.google.com 300 AAAA 2001:4860:4802:32::78
    www.google.com 300 A 192.0.2.66
    www.google.com 300 HTTPS 1 . 1=026832
    1.2.0.192.in-addr.arpa 300 PTR www.test
    2.2.0.192.in-addr.arpa 300 CNAME tracker.blocked.test
    3.2.0.192.in-addr.arpa 300 CNAME www.test
    tracker.blocked.test 300 PTR www.test
    deep.9.9.0.192.in-addr.arpa 300 TXT tunnel
";

/// The table of conversations: device, question, what is said. The page's address is the one that was asked.
const CONVERSATIONS: &[(&str, &str, &str, &str)] = &[
    ("allowed", JORDAN, "www.test A", "NOERROR; www.test 300 A 192.0.2.1"),
    ("allowed_v6", JORDAN, "www.test AAAA", "NOERROR; www.test 300 AAAA 2001:db8::1"),
    ("case_is_echoed", JORDAN, "WwW.TeSt A", "NOERROR; WwW.TeSt 300 A 192.0.2.1"),
    ("other_types", JORDAN, "www.test TXT", "NOERROR; www.test 300 TXT \"hello\""),
    ("names_in_data", JORDAN, "mail.test MX", "NOERROR; mail.test 300 MX 10 mx.test."),
    ("alias", JORDAN, "alias.test A", "NOERROR; alias.test 300 CNAME www.test.; www.test 300 A 192.0.2.1"),
    ("no_such_name", JORDAN, "nothere.test A", "NXDOMAIN; soa 30"),
    ("no_such_type", JORDAN, "long.test AAAA", "NOERROR; soa 30"),
    ("ttl_is_capped", JORDAN, "long.test A", "NOERROR; long.test 300 A 192.0.2.2"),
    ("blocked", JORDAN, "blocked.test A", "NOERROR; blocked.test 1 A 127.0.0.1"),
    ("blocked_below", JORDAN, "a.b.blocked.test A +edns", "NOERROR; a.b.blocked.test 1 A 127.0.0.1; ede 17"),
    ("blocked_v6_has_no_page", JORDAN, "blocked.test AAAA +edns", "NOERROR; soa 1; ede 17"),
    ("blocked_https_is_nodata", JORDAN, "blocked.test HTTPS +edns", "NOERROR; soa 1; ede 17"),
    ("blocked_txt_is_nodata", JORDAN, "blocked.test TXT +edns", "NOERROR; soa 1; ede 17"),
    ("ask", JORDAN, "ask.test A +edns", "NOERROR; ask.test 1 A 127.0.0.1; ede 17"),
    ("with_staff", JORDAN, "together.test A +edns", "NOERROR; together.test 1 A 127.0.0.1; ede 17"),
    ("floor", JORDAN, "floor.test A +edns", "NOERROR; floor.test 30 A 127.0.0.1; ede 15"),
    ("floor_for_staff_too", KATE, "floor.test A +edns", "NOERROR; floor.test 30 A 127.0.0.1; ede 15"),
    ("others_are_not_jordan", KATE, "blocked.test A", "NXDOMAIN; soa 30"),
    ("cname_to_blocked", JORDAN, "hidden.test A +edns", "NOERROR; hidden.test 1 A 127.0.0.1; ede 17"),
    ("cname_twice", JORDAN, "twice.test A +edns", "NOERROR; twice.test 1 A 127.0.0.1; ede 17"),
    (
        "cname_for_staff",
        KATE,
        "hidden.test A",
        "NOERROR; hidden.test 300 CNAME tracker.blocked.test.; tracker.blocked.test 300 A 192.0.2.5",
    ),
    (
        "helpline_on_a_blocked_carrier",
        JORDAN,
        "help.test A",
        "NOERROR; help.test 30 CNAME carrier.blocked.test.; carrier.blocked.test 30 A 192.0.2.4",
    ),
    (
        "allow_only_and_its_carrier",
        SAM,
        "carried.test A",
        "NOERROR; carried.test 300 CNAME carrier.cdn.test.; carrier.cdn.test 300 A 192.0.2.6",
    ),
    ("allow_only_refuses_the_rest", SAM, "learn.test A +edns", "NOERROR; learn.test 1 A 127.0.0.1; ede 17"),
    ("unknown_device_allowed", UNKNOWN, "learn.test A", "NOERROR; learn.test 300 A 192.0.2.3"),
    ("unknown_device_refused", UNKNOWN, "www.test A +edns", "NOERROR; www.test 1 A 127.0.0.1; ede 15"),
    ("https_target_blocked", JORDAN, "svcto.test HTTPS +edns", "NOERROR; soa 1; ede 17"),
    (
        "https_without_ech",
        JORDAN,
        "svc.test HTTPS",
        "NOERROR; svc.test 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1",
    ),
    (
        "https_target_allowed",
        JORDAN,
        "svcok.test HTTPS",
        "NOERROR; svcok.test 300 HTTPS 1 pool.test. alpn=h2",
    ),
    ("an_address_in_a_name", JORDAN, "192-0-2-9.written.test A +edns", "NOERROR tc"),
    ("an_address_in_a_name_by_hint", JORDAN, "192-0-2-9.written.test HTTPS +edns", "NOERROR tc"),
    ("an_address_in_a_name_led_to", JORDAN, "towritten.test A +edns", "NOERROR tc"),
    (
        "another_address_than_the_names",
        JORDAN,
        "other.192-0-2-9.written.test A",
        "NOERROR; other.192-0-2-9.written.test 300 A 192.0.2.1",
    ),
    (
        "an_address_in_a_helplines_name",
        JORDAN,
        "192-0-2-4.help.test A",
        "NOERROR; 192-0-2-4.help.test 30 A 192.0.2.4",
    ),
    ("a_resolver_by_anybodys_name", JORDAN, "resolver.test A +edns", "NOERROR tc"),
    ("rebinding", JORDAN, "inside.test A +edns", "NXDOMAIN; soa 60; ede 15"),
    ("rebinding_v6", JORDAN, "inside6.test AAAA +edns", "NXDOMAIN; soa 60; ede 15"),
    ("rebinding_to_the_gateway", JORDAN, "ours.test A +edns", "NXDOMAIN; soa 60; ede 15"),
    ("rebinding_mapped", JORDAN, "mapped.test AAAA +edns", "NXDOMAIN; soa 60; ede 15"),
    ("rebinding_by_hint", JORDAN, "hint.test HTTPS +edns", "NXDOMAIN; soa 60; ede 15"),
    ("rebinding_among_others", JORDAN, "both.test A +edns", "NXDOMAIN; soa 60; ede 15"),
    (
        "safe_search",
        JORDAN,
        "www.google.com A",
        "NOERROR; www.google.com 300 CNAME forcesafesearch.google.com.; forcesafesearch.google.com 300 A 216.239.38.120",
    ),
    (
        "safe_search_v6",
        JORDAN,
        "www.google.com AAAA",
        "NOERROR; www.google.com 300 CNAME forcesafesearch.google.com.; \
         forcesafesearch.google.com 300 AAAA 2001:4860:4802:32::78",
    ),
    ("safe_search_https", JORDAN, "www.google.com HTTPS", "NOERROR; soa 300"),
    ("canary_firefox", JORDAN, "use-application-dns.net A", "NXDOMAIN; soa 300"),
    ("canary_relay", JORDAN, "mask.icloud.com A", "NXDOMAIN; soa 300"),
    ("canary_relay_h2", KATE, "mask-h2.icloud.com AAAA", "NXDOMAIN; soa 300"),
    ("no_designated_resolver", JORDAN, "_dns.resolver.arpa SVCB", "NOERROR; soa 300"),
    ("localhost", JORDAN, "localhost A", "NOERROR; localhost 60 A 127.0.0.1"),
    ("below_localhost", JORDAN, "a.localhost AAAA", "NOERROR; a.localhost 60 AAAA ::1"),
    ("onion", JORDAN, "abc.onion A", "NXDOMAIN; soa 300"),
    ("local", JORDAN, "printer.local A", "NXDOMAIN; soa 300"),
    ("invalid", JORDAN, "x.invalid A", "NXDOMAIN; soa 300"),
    ("home_arpa", JORDAN, "nas.home.arpa A", "NXDOMAIN; soa 300"),
    ("own_name", JORDAN, "hearthgate.home.arpa A", "NOERROR; hearthgate.home.arpa 60 A 127.0.0.1"),
    ("own_name_v6", JORDAN, "hearthgate.home.arpa AAAA", "NOERROR; soa 60"),
    ("private_reverse", JORDAN, "1.1.168.192.in-addr.arpa PTR", "NXDOMAIN; soa 300"),
    (
        "public_reverse",
        SAM,
        "1.2.0.192.in-addr.arpa PTR",
        "NOERROR; 1.2.0.192.in-addr.arpa 300 PTR www.test.",
    ),
    ("reverse_name_led_past_judging", JORDAN, "2.2.0.192.in-addr.arpa PTR +edns", "NOERROR; soa 1; ede 17"),
    (
        "reverse_name_asked_for_an_address",
        SAM,
        "3.2.0.192.in-addr.arpa A +edns",
        "NOERROR; 3.2.0.192.in-addr.arpa 1 A 127.0.0.1; ede 17",
    ),
    ("below_a_reverse_name", SAM, "deep.9.9.0.192.in-addr.arpa TXT +edns", "NOERROR; soa 1; ede 17"),
    ("single_label", JORDAN, "wpad A", "NXDOMAIN; soa 300"),
    ("any", JORDAN, "www.test ANY", "NOERROR; www.test 300 HINFO \"RFC8482\" \"\""),
    ("any_of_blocked", JORDAN, "blocked.test ANY +edns", "NOERROR; soa 1; ede 17"),
];

#[tokio::test]
async fn conversations() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let mut wrong = Vec::new();
    // Twice: from the upstream, then from the cache.
    for round in ["asked", "kept"] {
        for (case, device, question, expected) in CONVERSATIONS {
            let said = home.ask(device, question).await;
            if said != *expected {
                wrong.push(format!("{case} ({round})\n  expected {expected}\n  said     {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(CONVERSATIONS.len(), 65);
}

#[tokio::test]
async fn an_address_in_disguise_is_refused_to_whoever_proves_who_asks() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    for (question, expected) in [
        ("192-0-2-9.written.test A +edns", "NOERROR; 192-0-2-9.written.test 30 A 127.0.0.1; ede 15"),
        ("192-0-2-9.written.test HTTPS +edns", "NOERROR; soa 30; ede 15"),
        ("towritten.test A +edns", "NOERROR; towritten.test 30 A 127.0.0.1; ede 15"),
        ("resolver.test A +edns", "NOERROR; resolver.test 30 A 127.0.0.1; ede 15"),
    ] {
        assert_eq!(ask_over_tcp(JORDAN, home.address, question).await, expected);
    }
    let told = home.breaches().await;
    assert!(told.iter().any(|episode| episode.detector.as_deref() == Some("encoded_address")), "{told:?}");
}

/// What browsers, phones and tablets do without anybody having chosen it: each lookup is one more in the day's sum, and no episode.
#[tokio::test]
async fn what_devices_look_up_by_themselves_is_a_sum_and_nobodys_breach() {
    for (detector, names) in [
        (Detector::PrivateRelay, ["mask.icloud.com", "mask-h2.icloud.com", "mask-api.icloud.com"]),
        (Detector::DefaultDoh, ["use-application-dns.net", "dns.google", "chrome.cloudflare-dns.com"]),
    ] {
        let internet = Server::start(ZONE).await;
        let home = Home::open(Setup::new(&[&internet])).await;
        // The names as they are built in.
        let Snapshot { house, .. } = Arc::into_inner(snapshot()).unwrap();
        let standing = Arc::new(Standing::new(&house, &[], &[], &|_, _| 0));
        let mut compiler = Compiler::new();
        for name in names {
            let of_name = builtin::entries().filter(|entry| entry.name == name);
            let tags = of_name.fold(Tags::NONE, |all, entry| all.union(entry.tags));
            let input = ListInput { built_in: true, ..ListInput::new("built in", tags, name.as_bytes()) };
            compiler.add(input).unwrap();
        }
        let catalogue = compiler.finish(0).unwrap().into();
        home.in_force.replace(Arc::new(Snapshot { house, catalogue }), standing);
        for name in names {
            assert_eq!(Detector::of_name(Name::trusted(name)), Some(detector), "{name}");
            for rtype in ["A", "AAAA"] {
                let said = home.ask(JORDAN, &format!("{name} {rtype} +edns")).await;
                assert!(said.starts_with("NXDOMAIN") || said.contains("ede 15"), "{name}: {said}");
            }
        }
        let (episodes, sums) = home.recorded().await;
        assert_eq!(
            (episodes.len(), sums),
            (0, vec![("technical".to_owned(), 6)]),
            "{detector:?}: {episodes:?}"
        );
    }
}

#[tokio::test]
async fn refused_in_each_way() {
    let internet = Server::start(ZONE).await;
    let cases = [
        (BlockedAnswer::Page, "A", "NOERROR; blocked.test 1 A 127.0.0.1; ede 17"),
        (BlockedAnswer::Page, "AAAA", "NOERROR; soa 1; ede 17"),
        (BlockedAnswer::Nxdomain, "A", "NXDOMAIN; soa 1; ede 17"),
        (BlockedAnswer::Nxdomain, "TXT", "NXDOMAIN; soa 1; ede 17"),
        (BlockedAnswer::Zero, "A", "NOERROR; blocked.test 1 A 0.0.0.0; ede 17"),
        (BlockedAnswer::Zero, "AAAA", "NOERROR; blocked.test 1 AAAA ::; ede 17"),
        (BlockedAnswer::Zero, "HTTPS", "NOERROR; soa 1; ede 17"),
    ];
    for (answer, rtype, expected) in cases {
        let home = Home::open(Setup::new(&[&internet]).blocked(answer)).await;
        assert_eq!(home.ask(JORDAN, &format!("blocked.test {rtype} +edns")).await, expected);
    }
}

#[tokio::test]
async fn configured_page_addresses_are_given_for_both_families() {
    let internet = Server::start(ZONE).await;
    let setup = Setup::new(&[&internet]).dns(|dns| {
        dns.page_addresses = vec!["192.0.2.80".parse().unwrap(), "2001:db8::80".parse().unwrap()];
    });
    let home = Home::open(setup).await;
    assert_eq!(home.ask(JORDAN, "blocked.test A").await, "NOERROR; blocked.test 1 A 192.0.2.80");
    assert_eq!(home.ask(JORDAN, "blocked.test AAAA").await, "NOERROR; blocked.test 1 AAAA 2001:db8::80");
}

#[tokio::test]
async fn the_page_is_at_the_address_that_was_asked() {
    let internet = Server::start(ZONE).await;
    let mut home = Home::open(Setup::new(&[&internet])).await;
    home.address.set_ip("127.0.0.77".parse().unwrap());
    assert_eq!(home.ask(JORDAN, "blocked.test A").await, "NOERROR; blocked.test 1 A 127.0.0.77");
}

#[tokio::test]
async fn the_reason_is_a_sentence() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let (code, text) = ede(&home.raw(JORDAN, "blocked.test A +edns").await).expect("a reason");
    assert_eq!(code, 17);
    assert!(text.contains("blocked.test") && text.ends_with('.'), "{text}");
    assert_eq!(ede(&home.raw(JORDAN, "blocked.test A").await), None, "without EDNS there is no room for it");
}

#[tokio::test]
async fn bedtime_ends_what_is_kept() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 300 A 192.0.2.1");
    let said = home.ask(JORDAN, "nothere.test A").await;
    assert_eq!(said, "NXDOMAIN; soa 30");
    // Two minutes to bedtime, then ten seconds, then bedtime. The window closes at 21:00.
    home.clock.advance(Duration::from_secs((8 * 60 + 58) * 60));
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 120 A 192.0.2.1");
    home.clock.advance(Duration::from_secs(110));
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 10 A 192.0.2.1");
    assert_eq!(home.ask(JORDAN, "nothere.test A").await, "NXDOMAIN; soa 10", "what is not there either");
    home.clock.advance(Duration::from_secs(10));
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 1 A 127.0.0.1");
    assert_eq!(home.ask(KATE, "www.test A").await, "NOERROR; www.test 180 A 192.0.2.1", "others are up");
    home.clock.advance(Duration::from_millis(10 * 3_600_000 - 500));
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 0 A 127.0.0.1", "a refusal ends too");
}

#[tokio::test]
async fn a_clock_that_cannot_be_believed_gives_everybody_the_baseline() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    home.clock.set(instant("2026-11-25T12:00:00Z"));
    home.clock.look();
    assert_eq!(home.ask(KATE, "www.test A +edns").await, "NOERROR; www.test 1 A 127.0.0.1; ede 15");
    assert_eq!(home.ask(KATE, "learn.test A").await, "NOERROR; learn.test 300 A 192.0.2.3", "never dark");
}

#[tokio::test]
async fn a_forged_address_makes_nobody_a_weighty_record() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    // A list of this test's own says what is a way around the gateway.
    let tags = Tags::category(Category::from_word("circumvention").unwrap());
    let mut compiler = Compiler::new();
    compiler.add(blocklists::format::ListInput::new("ways around", tags, b"around.test")).unwrap();
    let Snapshot { house, .. } = Arc::into_inner(snapshot()).unwrap();
    let standing = Arc::new(Standing::new(&house, &[], &[], &|_, _| 0));
    home.in_force
        .replace(Arc::new(Snapshot { house, catalogue: compiler.finish(0).unwrap().into() }), standing);

    let around = "around.test A +edns";
    for _ in 0..2 {
        assert_eq!(home.ask(JORDAN, around).await, "NOERROR tc", "nothing is answered, and nothing recorded");
    }
    assert_eq!(
        home.ask(JORDAN, "blocked.test A").await,
        "NOERROR; blocked.test 1 A 127.0.0.1",
        "weighs little"
    );
    let said = ask_over_tcp(SAM, home.address, around).await;
    assert_eq!(said, "NOERROR; around.test 30 A 127.0.0.1; ede 15", "a connection proves who asks");
    let episodes = home.breaches().await;
    let mut told: Vec<_> =
        episodes.iter().map(|e| (e.person.as_str(), e.site.as_str(), e.severity)).collect();
    told.sort_unstable_by_key(|(person, ..)| *person);
    assert_eq!(told, [("jordan", "blocked.test", Severity::Low), ("sam", "around.test", Severity::High)]);
}

#[tokio::test]
async fn nothing_tells_when_somebody_looked_for_help() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let first = home.ask(JORDAN, "help.test A").await;
    home.clock.advance(Duration::from_secs(17));
    assert_eq!(home.ask(SAM, "help.test A").await, first, "what is left of an answer's time would");
    assert_eq!(home.ask(KATE, "www.test A").await, "NOERROR; www.test 300 A 192.0.2.1");
    home.clock.advance(Duration::from_secs(17));
    assert_eq!(home.ask(KATE, "www.test A").await, "NOERROR; www.test 283 A 192.0.2.1");
}

#[tokio::test]
async fn help_is_reached_though_a_sealed_list_names_whoever_carries_it() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let mut compiler = Compiler::new();
    let sealed = blocklists::format::ListInput {
        sealed: true,
        ..blocklists::format::ListInput::new(
            "sealed",
            Tags::category(Category::ILLEGAL),
            b"carrier.blocked.test",
        )
    };
    compiler.add(sealed).unwrap();
    let Snapshot { house, .. } = Arc::into_inner(snapshot()).unwrap();
    let standing = Arc::new(Standing::new(&house, &[], &[], &|_, _| 0));
    home.in_force
        .replace(Arc::new(Snapshot { house, catalogue: compiler.finish(0).unwrap().into() }), standing);
    assert!(home.ask(JORDAN, "help.test A").await.starts_with("NOERROR; help.test 30 CNAME"));
    assert_eq!(
        home.ask(JORDAN, "carrier.blocked.test A +edns").await,
        "NOERROR tc",
        "by its own name it is not"
    );
    assert_eq!(home.breaches().await, []);
}

#[tokio::test]
async fn reverse_names_carry_nothing_at_bedtime() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    home.clock.advance(Duration::from_secs(10 * 3600));
    let said = home.ask(JORDAN, "deep.9.9.0.192.in-addr.arpa TXT").await;
    assert_eq!(said, "NOERROR; soa 1");
    let whole = home.ask(JORDAN, "1.2.0.192.in-addr.arpa PTR").await;
    assert_eq!(whole, "NOERROR; 1.2.0.192.in-addr.arpa 300 PTR www.test.", "software asks whom it talked to");
}

#[tokio::test]
async fn what_is_recorded() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    for (device, question) in [
        (JORDAN, "www.test A"),
        (JORDAN, "help.test A"),
        (JORDAN, "use-application-dns.net A"),
        (JORDAN, "blocked.test A"),
        (JORDAN, "blocked.test AAAA"),
        (JORDAN, "hidden.test A"),
        (JORDAN, "floor.test A"),
        (SAM, "deep.9.9.0.192.in-addr.arpa TXT"),
    ] {
        home.ask(device, question).await;
    }
    let episodes = home.breaches().await;
    let mut told: Vec<_> = episodes
        .iter()
        .filter(|e| e.severity != Severity::Technical)
        .map(|e| (e.person.as_str(), e.site.as_str(), e.rule, e.evidence, e.count))
        .collect();
    told.sort_unstable_by_key(|(_, site, ..)| *site);
    assert_eq!(
        told,
        [
            ("jordan", "blocked.test", Rule::Site, Evidence::Lookup, 3),
            ("jordan", "floor.test", Rule::Floor, Evidence::Lookup, 1),
        ]
    );
    assert!(episodes.iter().all(|e| !e.site.contains("www.test") && !e.site.contains("help")));
}
