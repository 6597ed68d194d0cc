//! The router's rules: a device of the home reaches what its own judged answers gave it, and nothing else.

use crate::SATURDAY;
use crate::around::turned_away;
use crate::device::{
    CUT, addresses, closes, connect, curl, datagrams, echoes, exchange, is_refusal, look_up, on_this_machine,
};
use crate::internet::{ECHO, FOREIGN_RESOLVER, RELAY, VPN, wait_at_most, wait_for};
use crate::lab::{JORDAN, Lab, ROUTER, Who, gateway_yaml, jordan};
use crate::sockets;
use agreements::Detector;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// What the issue asks of a grant.
const REOPENS: Duration = Duration::from_secs(1);

/// gateway.yaml with the router's rules.
pub(crate) fn with_router() -> String {
    let listen =
        gateway_yaml().replace("listen:\n", "listen:\n  transparent: [\"0.0.0.0:3129\", \"[::]:3129\"]\n");
    format!("{listen}router: {{mode: nftables, lan: [br-lan], wan: [wan], ports: [any]}}\n")
}

/// A lab whose router is held.
pub(crate) fn held(now: &str) -> Option<Lab> {
    let mut lab = Lab::build()?;
    lab.write("gateway.yaml", &with_router());
    lab.held_before();
    lab.open(now);
    Some(lab)
}

/// The episodes of people. On a busy machine a device's first question may come before the kernel has said whose it is.
pub(crate) fn episodes(lab: &Lab) -> Vec<serde_json::Value> {
    let mut all: Vec<serde_json::Value> =
        serde_json::from_str(&lab.command(&["breaches", "list", "--json"])).unwrap();
    all.retain(|episode| episode["person"] != "nobody");
    all
}

#[test]
fn an_allowed_site_works_with_tcp_udp_tls_and_websocket() {
    let Some(lab) = held(SATURDAY) else { return };
    for who in [Who::Jordan, Who::Kate] {
        let (four, six) = look_up(&lab, who, "open.test");
        for to in [four, six] {
            let mut stream = connect(&lab, who, to, ECHO).unwrap_or_else(|e| panic!("{who:?} {to}: {e}"));
            assert!(echoes(&mut stream).unwrap(), "{who:?} {to}");
            let words = exchange(&datagrams(&lab, who, to, ECHO), b"hello").unwrap();
            assert_eq!(words, b"hello", "{who:?} {to}");
        }
        for url in ["http://open.test/", "https://open.test/"] {
            let (code, answer) = curl(&lab, who, &[url]);
            assert!(code == 0 && answer.ends_with("200"), "{who:?} {url}: {code} {answer}");
        }
        for to in [four, six] {
            assert!(sockets::echoes(&mut sockets::open(&lab, who, "open.test", to)).unwrap(), "{who:?} {to}");
            let ping = lab.of(who).output("ping", &["-c1", "-W2", &to.to_string()]);
            assert!(ping.status.success(), "{}", String::from_utf8_lossy(&ping.stdout));
        }
    }
    assert_eq!(episodes(&lab), Vec::<serde_json::Value>::new(), "allowed traffic leaves no record");
}

#[test]
fn an_address_is_only_open_to_the_device_that_was_given_it() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    for to in [four, six] {
        assert!(connect(&lab, Who::Jordan, to, ECHO).is_ok());
        for who in [Who::Sam, Who::Kate, Who::Stranger] {
            let error = connect(&lab, who, to, ECHO).unwrap_err();
            assert!(is_refusal(&error), "{who:?} {to}: {error}");
        }
    }
}

#[test]
fn a_direct_address_is_refused_and_logged_once() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    for to in addresses(RELAY) {
        for _ in 0..5 {
            let began = Instant::now();
            let error = connect(&lab, Who::Jordan, to, ECHO).unwrap_err();
            let took = began.elapsed();
            assert!(
                is_refusal(&error) && took < on_this_machine(Duration::from_millis(900)),
                "at once: {error}"
            );
        }
    }
    assert_eq!(RELAYS.map(|at| lab.internet.heard.at(at, ECHO)), [0, 0], "nothing arrived");
    wait_for("the episodes", || (episodes(&lab).len() == 2).then_some(()));
    // The kernel tells of the like of it once in ten seconds: then it is told again, and joins what is open.
    for (to, site) in addresses(RELAY).into_iter().zip(RELAYS) {
        let again =
            |episode: &serde_json::Value| episode["site"] == site && episode["count"].as_u64() > Some(1);
        wait_at_most(Duration::from_secs(40), "it to be told again", || {
            assert!(is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()));
            episodes(&lab).iter().any(again).then_some(())
        });
    }
    let told = episodes(&lab);
    assert_eq!(told.len(), 2, "{told:?}");
    for episode in told {
        // A few packets within moments may be a program's own doing, or forged: they weigh little.
        assert_eq!((&episode["rule"], &episode["severity"]), (&"floor".into(), &"low".into()), "{episode}");
        assert_eq!(
            (&episode["person"], &episode["detector"]),
            (&"jordan".into(), &"direct_address".into()),
            "{episode}"
        );
    }
}
const RELAYS: [&str; 2] = [RELAY.0, RELAY.1];

#[test]
fn what_a_device_does_by_itself_is_refused_and_no_breach() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    let [four, six] = addresses(VPN);
    for to in [four, six] {
        let ping = lab.of(Who::Jordan).output("ping", &["-c1", "-W1", &to.to_string()]);
        assert!(!ping.status.success(), "{to}");
    }
    let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    for to in [four, six] {
        assert!(exchange(&datagrams(&lab, Who::Jordan, to, 51820), &stun).is_err());
    }
    // Another home's printer.
    let _ = connect(&lab, Who::Jordan, "10.1.2.3".parse().unwrap(), 9100);
    assert!(is_refusal(&connect(&lab, Who::Jordan, four, ECHO).unwrap_err()));
    let told = wait_for("the one that is told", || {
        let around = episodes(&lab).into_iter().filter(|e| e["rule"] == "floor");
        Some(around.collect::<Vec<_>>()).filter(|list| !list.is_empty())
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["site"], VPN.0, "{told:?}");
}

#[test]
fn dns_to_anywhere_is_answered_here() {
    let Some(lab) = held(SATURDAY) else { return };
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    lab.wait_until_known(Who::Jordan, &Who::Jordan.six(), "open.test");
    for at in [FOREIGN_RESOLVER.0, FOREIGN_RESOLVER.1] {
        for transport in ["+notcp", "+tcp"] {
            let answer = lab.dig(Who::Jordan, &[transport, &format!("@{at}"), "casino.test", "A"]);
            assert!(answer.contains("Jordan"), "the agreement answers: {answer}");
        }
        assert_eq!(lab.internet.heard.at(at, 53), 0);
    }
    turned_away(&lab, Detector::OwnResolver);
    for at in ["11.0.0.53", ROUTER.1] {
        let [open, closed] =
            ["open.test", "casino.test"].map(|name| lab.dig(Who::Jordan, &[&format!("@{at}"), name, "A"]));
        assert!(open.contains("11.0.1.1") && closed.contains("EDE: 17"), "{at}: {open}{closed}");
    }
}

#[test]
fn dns_over_tls_and_quic_to_somebody_else_are_refused_at_once() {
    let Some(lab) = held(SATURDAY) else { return };
    // Even where the address is open by a name.
    look_up(&lab, Who::Jordan, "resolver.test");
    for to in addresses(FOREIGN_RESOLVER) {
        let began = Instant::now();
        assert!(is_refusal(&connect(&lab, Who::Jordan, to, 853).unwrap_err()));
        for (port, detector) in [(443, "quic"), (853, "doq")] {
            let words = format!("@\0\0\0\u{1} {detector}");
            let error = exchange(&datagrams(&lab, Who::Jordan, to, port), words.as_bytes()).unwrap_err();
            let took = began.elapsed();
            assert!(
                is_refusal(&error) && took < on_this_machine(Duration::from_secs(1)),
                "{detector}: {took:?}: {error}"
            );
        }
        let at = to.to_string();
        assert_eq!((lab.internet.heard.at(&at, 853), lab.internet.heard.at(&at, 443)), (0, 0));
    }
    for detector in [Detector::Dot, Detector::Doq, Detector::Quic] {
        turned_away(&lab, detector);
    }
    assert_eq!(episodes(&lab), Vec::<serde_json::Value>::new(), "and it is nobody's breach");
}

#[test]
fn an_unknown_device_reaches_the_baseline_and_nothing_else() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Stranger, "school.test");
    for to in [four, six] {
        assert!(echoes(&mut connect(&lab, Who::Stranger, to, ECHO).unwrap()).unwrap());
    }
    assert_eq!(curl(&lab, Who::Stranger, &["https://school.test/"]).0, 0);
    let refused = lab.dig(Who::Stranger, &["open.test", "A"]);
    assert!(refused.contains("EDE: 15"), "{refused}");
    for to in ["11.0.1.1", "2d00:2::1"] {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to.parse().unwrap(), ECHO).unwrap_err()));
    }
    assert_eq!(
        curl(&lab, Who::Stranger, &["--resolve", "open.test:443:11.0.1.1", "https://open.test/"]).0,
        35
    );
}

#[test]
fn a_grant_reopens_within_a_second_and_lapses_to_the_second_over_both_families() {
    let Some(lab) = held("2026-11-21T21:30:00") else { return };
    for from in [Who::Jordan.four(), Who::Jordan.six()] {
        lab.wait_until_known(Who::Jordan, &from, "helpline.test");
    }
    assert!(lab.dig(Who::Jordan, &["open.test", "A"]).contains("EDE: 17"));
    let words = "grant --person jordan --extra-time 1m --by r.osei --reason match";
    let begun = Instant::now();
    lab.command(&words.split(' ').collect::<Vec<_>>());
    let granted = Instant::now();
    let streams = [("A", "11.0.1.1"), ("AAAA", "2d00:2::1")].map(|(kind, address)| {
        loop {
            let answer = lab.dig(Who::Jordan, &["+short", "open.test", kind]);
            if answer.contains(address) {
                break connect(&lab, Who::Jordan, address.parse().unwrap(), ECHO).unwrap();
            }
            assert!(begun.elapsed() < on_this_machine(REOPENS), "{kind}: {answer}");
        }
    });
    let took = begun.elapsed();
    assert!(took < on_this_machine(REOPENS), "{took:?}");
    let (minute, second) = (Duration::from_secs(60), Duration::from_secs(1));
    let ended = streams.map(|stream| {
        std::thread::spawn(move || {
            closes(stream, 2 * minute);
            Instant::now()
        })
    });
    // A name is answered until then, for no longer than is left, and then refused.
    loop {
        let asked = granted.elapsed();
        let answer = lab.dig(Who::Jordan, &["open.test", "A"]);
        let answered = begun.elapsed();
        if answer.contains("EDE: 17") {
            let end = granted.elapsed() > minute - second && asked < minute + on_this_machine(second);
            assert!(end, "refused after {answered:?}");
            break;
        }
        let record = answer.lines().find(|line| line.starts_with("open.test."));
        let ttl: u64 = record
            .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
            .unwrap_or_else(|| panic!("{answer}"));
        let left = minute.saturating_sub(asked);
        assert!(Duration::from_secs(ttl) <= left + second, "{left:?} are left: {answer}");
        assert!(asked < minute + on_this_machine(second), "answered after {answered:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    for ended in ended {
        let ended = ended.join().unwrap();
        assert!(ended - granted > minute - second, "early: {:?}", ended - granted);
        // The warden looks twice a second, and what is sent to see whether it is open takes half a second to be missed.
        let late = Duration::from_millis(1500);
        assert!(ended - granted < minute + on_this_machine(late), "late: {:?}", ended - granted);
    }
    assert!(lab.dig(Who::Jordan, &["open.test", "A"]).contains("EDE: 17"), "and names are refused");
}

#[test]
fn a_changed_agreement_cuts_what_it_no_longer_allows_and_nothing_else() {
    let Some(lab) = held(SATURDAY) else { return };
    let (game4, game6) = look_up(&lab, Who::Jordan, "game.test");
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let cut = [game4, game6].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    let mut stay = [four, six].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    lab.write("agreements/jordan.yaml", &jordan(&JORDAN.replace("club.test", "game.test")));
    let changed = Instant::now();
    for stream in cut {
        closes(stream, 6 * CUT);
        assert!(changed.elapsed() < on_this_machine(CUT), "{:?}", changed.elapsed());
    }
    assert!(stay.iter_mut().all(|stream| echoes(stream).unwrap()));
}

/// The sites that Jordan's episodes are about, once one of `last` is there.
pub(crate) fn told_until(lab: &Lab, last: &str) -> Vec<String> {
    wait_for("the last episode", || {
        let told: Vec<String> =
            episodes(lab).iter().map(|e| e["site"].as_str().unwrap().to_owned()).collect();
        told.iter().any(|site| site == last).then_some(told)
    })
}

/// Closes a site that Jordan's phone was told the address of, by the agreement, and waits until the router refuses it: the
/// episode of that comes after all that the router refused before.
fn close_game(lab: &Lab, game: IpAddr) {
    lab.write("agreements/jordan.yaml", &jordan(&JORDAN.replace("club.test", "game.test")));
    wait_for("the site to be closed", || {
        connect(lab, Who::Jordan, game, ECHO).is_err_and(|e| is_refusal(&e)).then_some(())
    });
}

#[test]
fn nobody_is_accused_of_what_began_before_the_rules() {
    let Some(mut lab) = Lab::build() else { return };
    let mut before = connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), ECHO).unwrap();
    lab.write("gateway.yaml", &with_router());
    lab.open(SATURDAY);
    let (game, _) = look_up(&lab, Who::Jordan, "game.test");
    // Its program writes on, and tries again and again; another comes back to an address that it was told yesterday.
    for _ in 0..3 {
        assert!(!matches!(echoes(&mut before), Ok(true)));
        for to in addresses(RELAY) {
            assert!(
                is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()),
                "it is refused all the same"
            );
        }
    }
    close_game(&lab, game);
    assert_eq!(told_until(&lab, "game.test"), ["game.test"]);
}

#[test]
fn an_opened_address_is_open_on_the_ports_that_are_named() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_router().replace("ports: [any]", "ports: [web, udp 7000-7800]"));
    lab.open(SATURDAY);
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    for to in [four, six] {
        let error = connect(&lab, Who::Jordan, to, ECHO).unwrap_err();
        assert!(is_refusal(&error), "TCP {ECHO} is not named: {error}");
        assert_eq!(exchange(&datagrams(&lab, Who::Jordan, to, ECHO), b"hello").unwrap(), b"hello", "UDP is");
    }
    let ping = lab.of(Who::Jordan).output("ping", &["-c1", "-W2", &four.to_string()]);
    assert!(ping.status.success());
    assert_eq!(curl(&lab, Who::Jordan, &["https://open.test/"]).0, 0);
    turned_away(&lab, Detector::OtherPort);
    let status = lab.command(&["router", "status"]);
    assert!(status.contains("by name, on another port"), "{status}");
    // Where the file is silent, a VPN of one's own has no port.
    lab.write("gateway.yaml", &with_router().replace(", ports: [any]", ""));
    wait_for("the other ports", || {
        let refused =
            |port| exchange(&datagrams(&lab, Who::Jordan, four, port), b"x").is_err_and(|e| is_refusal(&e));
        (refused(ECHO) && refused(51820) && refused(1194)).then_some(())
    });
}

#[test]
fn the_web_on_other_ports_is_judged_by_its_names() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, _) = look_up(&lab, Who::Jordan, "open.test");
    let four = four.to_string();
    for port in ["8443", "2053"] {
        let (code, answer) = curl(&lab, Who::Jordan, &[&format!("https://open.test:{port}/")]);
        assert!(code == 0 && answer.starts_with("open.test at"), "{port}: {code} {answer}");
        // Another site that stands at the same address: as at a carrier of many.
        let hidden = format!("casino.test:{port}:{four}");
        let (code, _) =
            curl(&lab, Who::Jordan, &["--resolve", &hidden, &format!("https://casino.test:{port}/")]);
        assert_eq!(code, 35, "{port}");
    }
    let (code, answer) = curl(&lab, Who::Jordan, &["http://open.test:8080/"]);
    assert!(code == 0 && answer.starts_with("open.test at"), "{code} {answer}");
    let hidden = format!("casino.test:8080:{four}");
    let (_, page) = curl(&lab, Who::Jordan, &["--resolve", &hidden, "http://casino.test:8080/"]);
    assert!(page.ends_with("403"), "{page}");
    // A program that speaks something else there goes by the name that led to the address.
    let to: IpAddr = four.parse().unwrap();
    let words = b"\x05\x01\0";
    let echoes = |who| {
        let (mut stream, mut heard) = (connect(&lab, who, to, 8880).unwrap(), [0; 3]);
        stream.write_all(words).and_then(|()| stream.read_exact(&mut heard)).is_ok_and(|()| heard == *words)
    };
    assert!(echoes(Who::Jordan));
    assert!(!echoes(Who::Sam), "no name of Sam's led there");
}

#[test]
fn a_restart_forgets_no_name() {
    let Some(mut lab) = held(SATURDAY) else { return };
    let (game, six) = look_up(&lab, Who::Jordan, "game.test");
    let (open, _) = look_up(&lab, Who::Jordan, "open.test");
    let cut = connect(&lab, Who::Jordan, game, ECHO).unwrap();
    let mut stays = connect(&lab, Who::Jordan, open, ECHO).unwrap();
    lab.kill();
    // Meanwhile the agreement closes one of them by its name.
    lab.write("agreements/jordan.yaml", &jordan(&JORDAN.replace("club.test", "game.test")));
    lab.open(SATURDAY);
    let took = closes(cut, 6 * CUT);
    assert!(took < on_this_machine(CUT), "{took:?}");
    assert!(echoes(&mut stays).unwrap());
    for to in [game, six] {
        assert!(is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()), "{to}");
    }
    assert_eq!(told_until(&lab, "game.test"), ["game.test"], "it is told by its name, and as no way around");
}

#[test]
fn a_restriction_closes_what_is_open_within_five_seconds() {
    let Some(lab) = held(SATURDAY) else { return };
    let (open, six) = look_up(&lab, Who::Jordan, "open.test");
    let (help, _) = look_up(&lab, Who::Jordan, "helpline.test");
    let (one, two) =
        (connect(&lab, Who::Jordan, open, ECHO).unwrap(), connect(&lab, Who::Jordan, six, ECHO).unwrap());
    let mut stays = connect(&lab, Who::Jordan, help, ECHO).unwrap();
    let words = "restrict --person jordan --closes everything --until 2026-11-21T20:00 --review 2026-11-21 --by r.osei \
                 --emergency --told-on 2026-11-21 --reason safety --tried talking --view fine";
    lab.command(&words.split(' ').collect::<Vec<_>>());
    for stream in [one, two] {
        let took = closes(stream, 6 * CUT);
        assert!(took < on_this_machine(CUT), "{took:?}");
    }
    assert!(echoes(&mut stays).unwrap(), "help stays");
}
