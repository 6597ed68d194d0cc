//! Ways around the gateway, each by its name: what becomes of it, and what staff are told.

use crate::SATURDAY;
use crate::internet::{ECHO, RELAY, VPN, wait_for};
use crate::lab::{Lab, ROUTER, Who};
use crate::router::{
    addresses, connect, curl, datagrams, episodes, exchange, held, is_refusal, look_up, with_router,
};
use std::time::{Duration, Instant};

/// What is tried for half a minute weighs as much as what was tried; on a busy machine that takes longer.
const WEIGHS: Duration = Duration::from_secs(120);

/// Tries again and again, as such a program does, until staff are told of it: the episode.
fn told_of(lab: &Lab, word: &str, mut attempt: impl FnMut()) -> serde_json::Value {
    let began = Instant::now();
    loop {
        attempt();
        let told = episodes(lab).into_iter().find(|e| e["sentence"].as_str().unwrap().contains(word));
        if let Some(told) = told {
            assert!(began.elapsed() > Duration::from_secs(25), "a packet could be forged: not at once");
            return told;
        }
        assert!(began.elapsed() < WEIGHS, "never told: {:?}", episodes(lab));
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_wireguard_handshake_is_refused() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    let mut handshake = [7; 148];
    handshake[..4].copy_from_slice(&[1, 0, 0, 0]);
    let told = told_of(&lab, "WireGuard", || {
        for to in addresses(VPN) {
            // The kernel says so a few times in a row, and then only now and then (icmp_ratelimit).
            let refused = exchange(&datagrams(&lab, Who::Jordan, to, 51820), &handshake);
            assert!(refused.is_err(), "{to}");
        }
    });
    assert_eq!((&told["person"], &told["severity"]), (&"jordan".into(), &"high".into()), "{told}");
    assert_eq!(told["circumvention"], true, "{told}");
    assert_eq!([VPN.0, VPN.1].map(|at| lab.internet.heard.at(at, 51820)), [0, 0], "nothing arrived");
}

#[test]
fn a_tor_relay_s_port_is_refused_and_told_as_what_it_is() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    let told = told_of(&lab, "onion network", || {
        for to in addresses(RELAY) {
            let error = connect(&lab, Who::Jordan, to, 9001).unwrap_err();
            assert!(is_refusal(&error), "{to}: {error}");
        }
    });
    assert_eq!((&told["person"], &told["severity"]), (&"jordan".into(), &"high".into()), "{told}");
    assert_eq!([RELAY.0, RELAY.1].map(|at| lab.internet.heard.at(at, 9001)), [0, 0], "nothing arrived");
}

#[test]
fn known_doh_is_answered_as_blocked_by_name_and_refused_by_address() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    for (name, code) in [("dns.nextdns.io", "EDE: 15"), ("doh.test", "EDE: 15")] {
        let answer = lab.dig(Who::Jordan, &[name, "A"]);
        assert!(answer.contains(code), "{name}: {answer}");
    }
    assert_eq!(curl(&lab, Who::Jordan, &["https://9.9.9.9/dns-query"]).0, 35);
    // What browsers try by themselves is nobody's breach.
    assert!(lab.dig(Who::Jordan, &["dns.google", "A"]).contains("EDE: 15"));
    let told = wait_for("the episodes", || Some(episodes(&lab)).filter(|told| told.len() == 3));
    for (site, sentence) in [
        ("nextdns.io", "A name server over HTTPS that is not the home's"),
        ("doh.test", "closed for everyone"),
        ("9.9.9.9", "A name server over HTTPS that is not the home's"),
    ] {
        let one = told.iter().find(|e| e["site"] == site).unwrap_or_else(|| panic!("{site}: {told:?}"));
        assert!(one["sentence"].as_str().unwrap().contains(sentence), "{one}");
        assert_eq!(one["severity"], "high", "{one}");
    }
}

#[test]
fn whoever_tries_every_address_keeps_nobody_else_from_being_heard() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    lab.wait_until_known(Who::Sam, &Who::Sam.four(), "school.test");
    lab.of(Who::Sam).within(|| {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        for n in 0..6000_u32 {
            // The refusal of one before may come back here.
            let _ = socket.send_to(b"x", (std::net::Ipv4Addr::from_bits(0x0c00_0000 + n), 7000));
        }
    });
    assert!(is_refusal(&connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), ECHO).unwrap_err()));
    wait_for("Jordan's episode", || {
        episodes(&lab).iter().any(|e| e["person"] == "jordan" && e["site"] == RELAY.0).then_some(())
    });
    let sams = episodes(&lab).iter().filter(|e| e["person"] == "sam").count();
    assert!(sams < 400, "{sams}");
}

#[test]
fn a_device_that_says_it_is_a_router_is_told_to_staff() {
    let Some(mut lab) = Lab::build() else { return };
    lab.of(Who::Stranger).write("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    lab.write("gateway.yaml", &with_router());
    lab.open(SATURDAY);
    // The router looks for the device, which says what it is.
    lab.dig(Who::Stranger, &[&format!("@{}", ROUTER.1), "school.test", "AAAA"]);
    wait_for("the hint", || {
        let status: serde_json::Value = serde_json::from_str(&lab.command(&["status", "--json"])).unwrap();
        let warnings = status["warnings"].as_array().unwrap().clone();
        let hint = warnings.into_iter().find(|w| w["code"] == "second_gateway")?;
        hint["sentence"].as_str().unwrap().contains("02:00:00:00:00:99 on `br-lan`").then_some(())
    });
    assert!(episodes(&lab).is_empty(), "and it is nobody's breach");
}
