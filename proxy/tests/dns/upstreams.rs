//! Upstreams that fail, lie, are slow; answers that are kept, renewed, and used when nothing better is to be had.

use crate::ask::{PATIENCE, Question, ask_over_tcp, said, udp_raw};
use crate::home::{Home, JORDAN, KATE, SAM, Setup};
use crate::internet::{Mood, Server};
use crate::judged::ZONE;
use agreements::{Dnssec, Upstream};
use proxy::resolver::UpstreamHealth;
use std::time::{Duration, Instant};

const WWW: &str = "NOERROR; www.test 300 A 192.0.2.1";

/// Waits until something holds that a task of the gateway's makes so.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "in ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn quick(setup: Setup) -> Setup {
    setup.resolver(|resolver| {
        resolver.timing.attempt = Duration::from_millis(100);
        resolver.timing.total = Duration::from_millis(400);
        resolver.stale_after = Duration::from_millis(100);
    })
}

#[tokio::test]
async fn one_question_goes_to_one_upstream() {
    let (first, second) = (Server::start(ZONE).await, Server::start(ZONE).await);
    let home = Home::open(Setup::new(&[&first, &second])).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
    assert_eq!(home.ask(KATE, "www.test A").await, WWW);
    assert_eq!((first.asked(), second.asked()), (1, 0), "kept for everybody");
}

#[tokio::test]
async fn the_next_is_asked_when_one_is_silent_or_fails() {
    for mood in [Mood::Silent, Mood::Error(2), Mood::Error(5), Mood::OtherQuestion] {
        let (first, second) = (Server::start(ZONE).await, Server::start(ZONE).await);
        first.mood(mood);
        let home = Home::open(quick(Setup::new(&[&first, &second]))).await;
        assert_eq!(home.ask(JORDAN, "www.test A").await, WWW, "{mood:?}");
        assert_eq!(second.asked(), 1, "{mood:?}");
    }
}

#[tokio::test]
async fn one_that_is_down_is_asked_last_and_comes_back() {
    let (first, second) = (Server::start(ZONE).await, Server::start(ZONE).await);
    first.mood(Mood::Silent);
    let home = Home::open(quick(Setup::new(&[&first, &second]))).await;
    let health = || home.dns.gate().resolver.upstream_health();
    assert_eq!(health(), UpstreamHealth { answering: 0, silent: 0, unknown: 2 }, "nobody was asked yet");
    home.ask(JORDAN, "a.test A").await;
    until("its own probe finds it down", || health().silent == 1).await;
    assert_eq!(health(), UpstreamHealth { answering: 1, silent: 1, unknown: 0 });
    let before = first.asked();
    home.ask(JORDAN, "c.test A").await;
    assert_eq!(first.asked(), before, "a question of a person does not wait for it");
    first.mood(Mood::Well);
    home.clock.advance(Duration::from_secs(2));
    home.ask(JORDAN, "d.test A").await;
    until("the probe finds it well", || health().answering == 2).await;
    let before = first.asked();
    home.ask(JORDAN, "e.test A").await;
    assert_eq!(first.asked(), before + 1, "the first again");
}

#[tokio::test]
async fn a_name_that_has_no_answer_says_nothing_of_the_upstream() {
    let (first, second) = (Server::start(ZONE).await, Server::start(ZONE).await);
    let home = Home::open(quick(Setup::new(&[&first, &second]))).await;
    let silent = || home.dns.gate().resolver.upstream_health().silent;
    for i in 0..4 {
        let said = home.ask(JORDAN, &format!("{i}.silent.test A +edns")).await;
        assert_eq!(said, "SERVFAIL; ede 22");
        assert_eq!(silent(), 0);
        home.clock.advance(Duration::from_secs(2));
    }
    let before = second.asked();
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
    assert_eq!((silent(), second.asked()), (0, before), "the first is still the first");
    first.mood(Mood::Error(2));
    for i in 0..4 {
        home.ask(JORDAN, &format!("{i}.failing.test A")).await;
    }
    assert_eq!(silent(), 0, "nor does an error");
}

/// Has a device ask for names that never have an answer, and waits until the upstream has heard them.
async fn ask_in_vain(home: &Home, server: &Server, device: &str, count: u32) {
    let before = server.asked();
    for i in 0..count {
        let question = Question::read(&format!("{}-{i}.silent.test A", device.replace('.', "-"))).bytes();
        assert_eq!(udp_raw(device, home.address, &question, Duration::from_millis(1)).await, None);
    }
    until("they are with the upstream", || server.asked() >= before + count).await;
}

#[tokio::test]
async fn one_client_cannot_take_the_others_seats() {
    let server = Server::start(ZONE).await;
    let setup = Setup::new(&[&server]).resolver(|resolver| {
        resolver.timing.total = Duration::from_secs(60);
        resolver.most_in_flight = 16;
        resolver.most_in_flight_of_one = 4;
    });
    let home = Home::open(setup).await;
    ask_in_vain(&home, &server, JORDAN, 4).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR tc", "it has as many as it may");
    assert_eq!(home.ask(KATE, "www.test A").await, WWW);
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW, "what is kept needs no seat");
    let help = "NOERROR; help.test 30 CNAME carrier.blocked.test.; carrier.blocked.test 30 A 192.0.2.4";
    assert_eq!(home.ask(JORDAN, "help.test A").await, help, "nor are protected names anybody's to close");

    // The HTTP proxy's seats are the same ones.
    let gate = home.dns.gate();
    let current = home.in_force.to_keep();
    let find = |device: &str, host: &'static str| {
        let (current, client) = (&current, device.parse().unwrap());
        let who = gate.who(current, client, None);
        async move {
            let name = blocklists::Name::new(host).unwrap();
            gate.resolver.addresses(gate, current, &who, client, name).await
        }
    };
    for host in ["a.silent.test", "b.silent.test"] {
        let found = tokio::time::timeout(Duration::from_millis(1), find(JORDAN, host)).await;
        assert!(found.is_err(), "{found:?}");
    }
    let refused = find(JORDAN, "learn.test").await;
    assert!(matches!(refused, Err(proxy::resolver::Unresolved::Upstream)), "{refused:?}");
    assert!(find(KATE, "learn.test").await.is_ok());
}

#[tokio::test]
async fn protected_names_have_seats_when_all_others_are_taken() {
    let server = Server::start(ZONE).await;
    let setup = Setup::new(&[&server]).resolver(|resolver| {
        resolver.timing.total = Duration::from_secs(60);
        resolver.most_in_flight = 5;
        resolver.most_in_flight_of_one = 2;
    });
    let home = Home::open(setup).await;
    ask_in_vain(&home, &server, JORDAN, 2).await;
    ask_in_vain(&home, &server, KATE, 2).await;
    assert_eq!(home.ask(SAM, "www.test A").await, "NOERROR tc");
    assert_eq!(ask_over_tcp(SAM, home.address, "www.test A").await, WWW, "a seat is kept for the proven");
    for device in [JORDAN, SAM, crate::home::UNKNOWN] {
        let said = home.ask(device, "help.test A").await;
        assert!(said.starts_with("NOERROR; help.test 30 CNAME"), "{device}: {said}");
    }
}

#[tokio::test]
async fn none_answers() {
    let only = Server::start(ZONE).await;
    only.mood(Mood::Silent);
    let home = Home::open(quick(Setup::new(&[&only]))).await;
    assert_eq!(home.ask(JORDAN, "www.test A +edns").await, "SERVFAIL; ede 22");
    only.mood(Mood::Error(2));
    home.clock.advance(Duration::from_secs(2));
    assert_eq!(home.ask(JORDAN, "www.test A +edns").await, "SERVFAIL; ede 23");
    let before = only.asked();
    assert_eq!(home.ask(JORDAN, "www.test A +edns").await, "SERVFAIL; ede 23");
    assert_eq!(only.asked(), before, "a failure is remembered for a moment");
    assert_eq!(home.ask(JORDAN, "blocked.test A").await, "NOERROR; blocked.test 1 A 127.0.0.1", "needs none");
    only.mood(Mood::Well);
    home.clock.advance(Duration::from_secs(2));
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
}

#[tokio::test]
async fn no_upstream_is_configured() {
    let home = Home::open(Setup::new(&[])).await;
    assert_eq!(home.ask(JORDAN, "www.test A +edns").await, "SERVFAIL; ede 22");
}

#[tokio::test]
async fn a_server_that_changes_case_is_asked_over_tcp() {
    for mood in [Mood::LowerCase, Mood::Forged] {
        let server = Server::start("a-long-name-with-letters.test 300 A 192.0.2.1").await;
        server.mood(mood);
        let home = Home::open(Setup::new(&[&server])).await;
        let said = home.ask(JORDAN, "a-long-name-with-letters.test A").await;
        assert_eq!(said, "NOERROR; a-long-name-with-letters.test 300 A 192.0.2.1", "{mood:?}");
        assert_eq!(server.tcp.load(std::sync::atomic::Ordering::Relaxed), 1, "{mood:?}");
    }
}

#[tokio::test]
async fn what_is_asked_already_is_waited_for() {
    let server = Server::start(ZONE).await;
    server.mood(Mood::Slow(Duration::from_millis(200)));
    let home = Home::open(Setup::new(&[&server])).await;
    let asks = (0..20).map(|_| home.ask(JORDAN, "www.test A"));
    for said in futures_util::future::join_all(asks).await {
        assert_eq!(said, WWW);
    }
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn times_to_live_run_down_and_end() {
    let server = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&server])).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
    home.clock.advance(Duration::from_secs(100));
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 200 A 192.0.2.1");
    home.clock.advance(Duration::from_secs(201));
    server.publish("www.test 300 A 192.0.2.99");
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 300 A 192.0.2.99");
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_no_is_kept_as_long_as_its_soa_says() {
    let server = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&server])).await;
    assert_eq!(home.ask(JORDAN, "later.test A").await, "NXDOMAIN; soa 30");
    server.publish("later.test 300 A 192.0.2.1");
    home.clock.advance(Duration::from_secs(20));
    assert_eq!(home.ask(JORDAN, "later.test A").await, "NXDOMAIN; soa 10");
    home.clock.advance(Duration::from_secs(11));
    assert_eq!(home.ask(JORDAN, "later.test A").await, "NOERROR; later.test 300 A 192.0.2.1");
}

#[tokio::test]
async fn what_is_in_demand_is_fetched_before_it_ends() {
    let server = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&server])).await;
    for _ in 0..3 {
        home.ask(JORDAN, "www.test A").await;
    }
    home.clock.advance(Duration::from_secs(280));
    assert_eq!(home.ask(JORDAN, "www.test A").await, "NOERROR; www.test 20 A 192.0.2.1");
    until("it is fetched again", || server.asked() == 2).await;
    let start = Instant::now();
    while home.ask(JORDAN, "www.test A").await != WWW {
        assert!(start.elapsed() < PATIENCE);
    }
    assert_eq!(home.counted("prefetched"), 1);
}

#[tokio::test]
async fn an_old_answer_is_better_than_none() {
    let server = Server::start(ZONE).await;
    let home = Home::open(quick(Setup::new(&[&server]))).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
    home.clock.advance(Duration::from_secs(1000));
    server.mood(Mood::Silent);
    let stale = "NOERROR; www.test 30 A 192.0.2.1; ede 3";
    assert_eq!(home.ask(JORDAN, "www.test A +edns").await, stale);
    // Whoever may not have it does not get it, however old it is.
    assert_eq!(home.ask(crate::home::UNKNOWN, "www.test A").await, "NOERROR; www.test 1 A 127.0.0.1");
    assert_eq!(home.ask(JORDAN, "www.test A +edns").await, stale);
    server.mood(Mood::Well);
    // The question that found it silent may still be on its way; the next one after its rest is answered.
    let start = Instant::now();
    while home.ask(JORDAN, "www.test A +edns").await != WWW {
        assert!(start.elapsed() < PATIENCE, "it is well again");
        home.clock.advance(Duration::from_secs(31));
    }
    server.mood(Mood::Silent);
    home.clock.advance(Duration::from_secs(2 * 86_400));
    assert_eq!(home.ask(KATE, "www.test A +edns").await, "SERVFAIL; ede 22", "a day later it is too old");
}

#[tokio::test]
async fn dnssec_as_the_home_says() {
    let server = Server::start(ZONE).await;
    server.vouch(true);
    let cases = [
        (Dnssec::Pass, "www.test A", "NOERROR; www.test 300 A 192.0.2.1"),
        (Dnssec::Pass, "www.test A +ad", "NOERROR ad; www.test 300 A 192.0.2.1"),
        (Dnssec::Pass, "www.test A +do", "NOERROR ad; www.test 300 A 192.0.2.1"),
        (Dnssec::Pass, "www.test A +do +cd", "NOERROR cd; www.test 300 A 192.0.2.1"),
        (Dnssec::Pass, "svc.test HTTPS +do", "NOERROR; svc.test 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"),
        (Dnssec::Pass, "blocked.test A +do", "NOERROR; blocked.test 1 A 127.0.0.1; ede 17"),
    ];
    for (dnssec, question, expected) in cases {
        let mut setup = Setup::new(&[&server]);
        setup.gateway.dnssec = dnssec;
        let home = Home::open(setup).await;
        assert_eq!(home.ask(JORDAN, question).await, expected, "{dnssec:?} {question}");
    }
    let mut off = Setup::new(&[&server]);
    off.gateway.dnssec = Dnssec::Off;
    let home = Home::open(off).await;
    home.ask(JORDAN, "www.test A +do").await;
    let asked = server.last();
    assert!(!domain::base::Message::from_octets(&asked).unwrap().opt().unwrap().dnssec_ok());
}

#[tokio::test]
async fn unsigned_answers_under_a_signed_root_are_bogus() {
    // This internet signs nothing, and its root has no keys: with the real root's anchor nothing can be proved.
    let server = Server::start(ZONE).await;
    let mut setup = quick(Setup::new(&[&server]));
    setup.gateway.dnssec = Dnssec::Validate;
    let home = Home::open(setup).await;
    let said = home.ask(JORDAN, "www.test A +edns").await;
    assert!(said.starts_with("SERVFAIL; ede"), "{said}");
    assert_eq!(
        home.ask(JORDAN, "www.test A +cd").await,
        "NOERROR cd; www.test 300 A 192.0.2.1",
        "as it came"
    );
}

#[tokio::test]
async fn tcp_upstream() {
    let server = Server::start(ZONE).await;
    let mut setup = Setup::new(&[]);
    setup.gateway.upstream = vec![Upstream::Tcp(server.address)];
    let home = Home::open(setup).await;
    assert_eq!(home.ask(JORDAN, "www.test A").await, WWW);
    assert_eq!(
        home.ask(JORDAN, "nothere.test A").await,
        "NXDOMAIN; soa 30",
        "a no comes whole over hickory too"
    );
    assert_eq!(server.udp.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn too_much_at_once_is_told() {
    let server = Server::start(ZONE).await;
    server.mood(Mood::Silent);
    let setup = Setup::new(&[&server]).resolver(|resolver| resolver.most_in_flight = 1);
    let home = Home::open(setup).await;
    let first = Question::read("a.test A +edns").bytes();
    let waiting = udp_raw(JORDAN, home.address, &first, Duration::from_millis(100));
    assert_eq!(waiting.await, None);
    assert_eq!(home.ask(JORDAN, "b.test A +edns").await, "NOERROR tc");
    assert_eq!(ask_over_tcp(JORDAN, home.address, "b.test A +edns").await, "SERVFAIL; ede 14");
}

#[tokio::test]
async fn addresses_for_the_http_proxy() {
    let server = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&server])).await;
    let gate = home.dns.gate();
    let current = home.in_force.to_keep();
    let client = JORDAN.parse().unwrap();
    let who = gate.who(&current, client, None);
    let name = |text| blocklists::Name::new(text).unwrap();
    let found =
        gate.resolver.addresses(gate, &current, &who, client, name("www.test")).await.expect("addresses");
    let expected: Vec<std::net::IpAddr> = vec!["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    assert_eq!(found.addresses, expected);
    for (host, why) in [
        ("hidden.test", "Refused"),
        ("nothere.test", "NoSuchName"),
        ("inside.test", "Rebinding"),
        ("printer.local", "NoSuchName"),
    ] {
        let error = gate.resolver.addresses(gate, &current, &who, client, name(host)).await.expect_err(host);
        assert!(format!("{error:?}").starts_with(why), "{host}: {error:?}");
    }
    let search = gate
        .resolver
        .addresses(gate, &current, &who, client, name("www.google.com"))
        .await
        .expect("addresses");
    assert!(search.addresses.contains(&"216.239.38.120".parse().unwrap()), "{search:?}");
    assert_eq!(said(&home.raw(JORDAN, "www.test A").await), WWW);
}
