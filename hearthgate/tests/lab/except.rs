//! Exceptions: what a device that people share may reach by number, by its own agreement, and nobody else.

use crate::SATURDAY;
use crate::device::{
    CUT, addresses, closes, connect, datagrams, echoes, exchange, is_refusal, look_up, on_this_machine,
};
use crate::internet::{ECHO, RELAY, VPN, wait_for};
use crate::lab::{JORDAN, Lab, Who, jordan};
use crate::router::{episodes, with_router};
use std::net::IpAddr;
use std::time::Duration;

/// A games console: the lounge's, and nobody's own.
fn console(online: &str) -> String {
    jordan(JORDAN)
        .replace(
            "person: Jordan",
            "person: Lounge console\nfor: device\nany_address_on: [tcp 9001, udp 51820]",
        )
        .replace("02:00:00:00:00:11", "02:00:00:00:00:99")
        .replace("07:00-22:30", online)
        .replace("bedtime: {every_day: 21:00}\n", "")
}

/// A lab whose stranger is the console.
fn with_console(now: &str, online: &str) -> Option<Lab> {
    let mut lab = Lab::build()?;
    lab.write("gateway.yaml", &with_router());
    lab.write("agreements/console.yaml", &console(online));
    lab.held_before();
    lab.open(now);
    Some(lab)
}

fn rules(lab: &Lab) -> String {
    lab.router.says("nft", &["list", "table", "inet", "hearthgate"])
}

#[test]
fn a_console_reaches_by_number_what_its_agreement_names_and_nobody_else_does() {
    let Some(lab) = with_console(SATURDAY, "07:00-22:30") else { return };
    wait_for("the exception", || rules(&lab).contains("02:00:00:00:00:99 . tcp . 9001").then_some(()));
    look_up(&lab, Who::Jordan, "open.test");
    for to in addresses(RELAY) {
        let mut stream = connect(&lab, Who::Stranger, to, 9001).unwrap_or_else(|e| panic!("{to}: {e}"));
        assert!(echoes(&mut stream).unwrap(), "{to}");
        let error = connect(&lab, Who::Stranger, to, ECHO).unwrap_err();
        assert!(is_refusal(&error), "on another port: {error}");
        for who in [Who::Jordan, Who::Sam, Who::Kate] {
            let error = connect(&lab, who, to, 9001).unwrap_err();
            assert!(is_refusal(&error), "{who:?}: {error}");
        }
    }
    for to in addresses(VPN) {
        let game = datagrams(&lab, Who::Stranger, to, 51820);
        assert_eq!(exchange(&game, b"a game").unwrap(), b"a game", "{to}");
        // A VPN's words are refused there as anywhere.
        let mut handshake = [7; 148];
        handshake[..4].copy_from_slice(&[1, 0, 0, 0]);
        assert!(exchange(&game, &handshake).is_err(), "{to}");
        assert_eq!(exchange(&game, b"a game").unwrap(), b"a game", "{to}, and the game goes on");
    }
    // The home's own network, and the provider's, are no part of the internet.
    let inside: IpAddr = "10.1.2.3".parse().unwrap();
    assert!(is_refusal(&connect(&lab, Who::Stranger, inside, 9001).unwrap_err()));
    let told: serde_json::Value = serde_json::from_str(&lab.command(&["coverage", "--json"])).unwrap();
    assert_eq!(told["running"], true, "{told}");
    let line = told["coverage"].as_array().unwrap().iter().find(|line| line["key"] == "exceptions").unwrap();
    assert!(line["sentence"].as_str().unwrap().contains("Lounge console (tcp 9001, udp 51820)"), "{line}");
    assert!(
        !episodes(&lab)
            .iter()
            .any(|e| e["person"] == "console" && e["site"] == RELAY.0 && e["severity"] != "low"),
        "{:?}",
        episodes(&lab)
    );
}

#[test]
fn an_exception_ends_with_its_times_within_five_seconds_and_a_file_that_lacks_it_at_once() {
    let Some(lab) = with_console("2026-11-21T20:59:30", "07:00-21:00") else { return };
    wait_for("the exception", || rules(&lab).contains("02:00:00:00:00:99 . udp . 51820").then_some(()));
    let open = |to| connect(&lab, Who::Stranger, to, 9001).unwrap();
    let streams = addresses(RELAY).map(open);
    let bedtime = lab.will_be("2026-11-21T21:00:00");
    for stream in streams {
        closes(stream, 3 * CUT + Duration::from_secs(60));
        let late = bedtime.elapsed();
        assert!(!late.is_zero() && late < on_this_machine(CUT), "closed {late:?} after its times");
    }
    for to in addresses(RELAY) {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to, 9001).unwrap_err()), "{to}");
    }
    // The next morning's file has it all day, and then no more.
    lab.write("agreements/console.yaml", &console("all_day"));
    wait_for("the exception", || connect(&lab, Who::Stranger, RELAY.0.parse().unwrap(), 9001).ok());
    let stream = connect(&lab, Who::Stranger, RELAY.1.parse().unwrap(), 9001).unwrap();
    let without = console("all_day").replace("\nany_address_on: [tcp 9001, udp 51820]", "");
    lab.write("agreements/console.yaml", &without);
    let took = closes(stream, 6 * CUT);
    assert!(took < on_this_machine(CUT), "{took:?}");
    wait_for("no exception", || (!rules(&lab).contains("02:00:00:00:00:99 . tcp . 9001")).then_some(()));
}

#[test]
fn an_exception_outlives_a_restart_of_the_gateway_and_a_cleared_firewall() {
    let Some(mut lab) = with_console(SATURDAY, "07:00-22:30") else { return };
    let reaches = |lab: &Lab| {
        let streams = addresses(RELAY).map(|to| connect(lab, Who::Stranger, to, 9001).ok());
        streams.into_iter().collect::<Option<Vec<_>>>()
    };
    let mut stay = wait_for("the exception", || reaches(&lab));
    lab.router.says("nft", &["delete", "table", "inet", "hearthgate"]);
    wait_for("the rules, with it", || rules(&lab).contains("02:00:00:00:00:99 . tcp . 9001").then_some(()));
    assert!(stay.iter_mut().all(|stream| echoes(stream).unwrap()), "what it let begin goes on");
    lab.kill();
    lab.open(SATURDAY);
    wait_for("the exception again", || reaches(&lab));
    assert!(stay.iter_mut().all(|stream| echoes(stream).unwrap()));
}
