//! What flows through the router: counted, and ended where nothing let it begin; what is none of ours is left alone.

use crate::SATURDAY;
use crate::device::{CUT, closes, connect, echoes, is_refusal, look_up, on_this_machine};
use crate::internet::{ECHO, FOREIGN_RESOLVER, RELAY, wait_for};
use crate::lab::{JORDAN, Lab, Who, gateway_yaml, jordan};
use crate::machine::Machine;
use crate::router::{held, with_router};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Somebody's counted and estimated minutes of everything.
fn minutes(lab: &Lab, who: &str) -> (u64, u64) {
    let told: serde_json::Value = serde_json::from_str(&lab.command(&["minutes", who, "--json"])).unwrap();
    let of = |key: &str| told["minutes"][0][key].as_u64().unwrap();
    (of("counted"), of("estimated"))
}

/// Sends so many bytes and waits for them to come back.
fn exchange(stream: &mut TcpStream, bytes: usize) {
    stream.write_all(&vec![7; bytes]).unwrap();
    stream.read_exact(&mut vec![0; bytes]).unwrap();
}

#[test]
fn a_long_raw_flow_counts_by_its_bytes_and_an_idle_keep_alive_does_not() {
    let Some(lab) = held(SATURDAY) else { return };
    let (open, six) = look_up(&lab, Who::Jordan, "open.test");
    let (school, _) = look_up(&lab, Who::Sam, "school.test");
    // A burst of names is no use: nothing passes.
    for name in ["a.open.test", "b.open.test", "c.open.test", "d.open.test", "e.open.test"] {
        lab.dig(Who::Jordan, &[name, "A"]);
    }
    let mut game = connect(&lab, Who::Jordan, open, ECHO).unwrap();
    let mut idle = connect(&lab, Who::Sam, school, ECHO).unwrap();
    let mut help = {
        let (help, _) = look_up(&lab, Who::Jordan, "helpline.test");
        connect(&lab, Who::Jordan, help, ECHO).unwrap()
    };
    let began = Instant::now();
    let within = |most: Duration| began.elapsed() < most;
    // Support is not counted, however much it is.
    exchange(&mut help, 200_000);
    let mut seen = 0;
    while seen < 2 {
        // A few bytes at a time, longer than any opening is looked at: about 35 KiB a minute, both ways.
        exchange(&mut game, 500);
        exchange(&mut idle, 20);
        std::thread::sleep(Duration::from_secs(2));
        seen = minutes(&lab, "jordan").0;
        assert!(within(Duration::from_secs(300)), "it was never counted: {seen}");
    }
    let (counted, estimated) = minutes(&lab, "jordan");
    let most = began.elapsed().as_secs() / 60 + 2;
    assert!(counted <= most, "{counted} in {most}");
    assert_eq!(estimated, 0, "what is counted need not be estimated");
    assert_eq!(minutes(&lab, "sam"), (0, 0), "a keep-alive is no use");
    // The other family is the same device, and the same minute.
    let mut same = connect(&lab, Who::Jordan, six, ECHO).unwrap();
    exchange(&mut same, 50_000);
    assert!(minutes(&lab, "jordan").0 <= most + 1);
}

#[test]
fn minutes_are_exact_over_either_family_and_over_both_together() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let mut streams = [four, six].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    let (school, _) = look_up(&lab, Who::Sam, "school.test");
    let mut sams = connect(&lab, Who::Sam, school, ECHO).unwrap();
    let uses: [&[usize]; 6] = [&[0], &[0], &[0], &[1], &[1], &[0, 1]];
    for (minute, used) in uses.into_iter().enumerate() {
        lab.passes_until(&format!("2026-11-21T16:{}:05", 10 + minute));
        for family in used {
            exchange(&mut streams[*family], 50_000);
        }
        // Something of somebody else's in the same minute: when it is counted, what came before it is.
        exchange(&mut sams, 50_000);
        let so_far = u64::try_from(minute + 1).unwrap();
        for who in ["jordan", "sam"] {
            wait_for(who, || (minutes(&lab, who).0 >= so_far).then_some(()));
        }
        assert_eq!(minutes(&lab, "jordan"), (so_far, 0), "{used:?}");
    }
    // A minute without use is none.
    lab.passes_until("2026-11-21T16:20:05");
    exchange(&mut sams, 50_000);
    wait_for("Sam's minute", || (minutes(&lab, "sam").0 == 7).then_some(()));
    assert_eq!(minutes(&lab, "jordan"), (6, 0));
}

#[test]
fn a_flow_that_nothing_let_begin_is_ended_within_five_seconds() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let mut stay = [four, six].map(|to| connect(&lab, Who::Jordan, to, ECHO).unwrap());
    // Somebody writes into our sets.
    let strays = [("mac4", RELAY.0), ("mac6", RELAY.1)].map(|(set, to)| {
        let element = format!("element inet hearthgate {set} {{ 02:00:00:00:00:11 . {to} timeout 20s }}");
        assert!(lab.router.output("nft", &[&format!("add {element}")]).status.success());
        let stray = connect(&lab, Who::Jordan, to.parse().unwrap(), 9001).unwrap();
        lab.router.says("nft", &[&format!("delete {}", element.replace(" timeout 20s", ""))]);
        (stray, Instant::now())
    });
    for (stray, began) in strays {
        closes(stray, 12 * CUT);
        let took = began.elapsed();
        assert!(took < on_this_machine(CUT + Duration::from_secs(1)), "{took:?}");
    }
    assert!(stay.iter_mut().all(|stream| echoes(stream).unwrap()));
}

/// A machine on another network that the same router carries, by an interface called `office`.
fn office(lab: &Lab) -> Machine {
    let guest = Machine::new().unwrap();
    let router = &lab.router;
    router.ip(&format!("link add office type veth peer name eth0 netns {}", guest.thread()));
    router.ip("address add 10.8.0.1/24 dev office");
    router.ip("address add 2d00:77:0:8::1/64 dev office nodad");
    router.ip("link set office up");
    guest.ip("address add 10.8.0.2/24 dev eth0");
    guest.ip("link set eth0 up");
    guest.ip("address add 2d00:77:0:8::2/64 dev eth0 nodad");
    guest.ip("route add default via 10.8.0.1");
    guest.ip("route add default via 2d00:77:0:8::1");
    guest
}

fn from(guest: &Machine, to: &str, port: u16) -> std::io::Result<TcpStream> {
    let to = SocketAddr::new(to.parse::<IpAddr>().unwrap(), port);
    guest.within(move || {
        let stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(stream)
    })
}

/// gateway.yaml with the office on one side or another.
fn with_office(side: &str) -> String {
    match side {
        "lan" => with_router().replace("lan: [br-lan]", "lan: [br-lan, office]"),
        "others" => with_router().replace("wan: [wan]", "wan: [wan], others: [office]"),
        _ => with_router(),
    }
}

#[test]
fn another_network_is_closed_until_it_is_named_and_then_left_alone() {
    let Some(mut lab) = Lab::build() else { return };
    let guest = office(&lab);
    let all = |streams: &mut [TcpStream; 2]| streams.iter_mut().all(|stream| echoes(stream).unwrap());
    let mut before = [RELAY.0, RELAY.1].map(|to| from(&guest, to, 9001).unwrap());
    assert!(all(&mut before));
    lab.write("gateway.yaml", &with_office("others"));
    lab.open(SATURDAY);
    assert!(all(&mut before), "what flowed before is not ours to end");
    let mut flows = [RELAY.0, RELAY.1].map(|to| from(&guest, to, 9001).unwrap());
    let (game, _) = look_up(&lab, Who::Jordan, "game.test");
    let cut = connect(&lab, Who::Jordan, game, ECHO).unwrap();
    lab.write("agreements/jordan.yaml", &jordan(&JORDAN.replace("club.test", "game.test")));
    closes(cut, 6 * CUT);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(7) {
        assert!(all(&mut flows), "nor is what flows while others' is cut");
        std::thread::sleep(Duration::from_millis(200));
    }
    // Nobody says any more whose it is: then nothing new leaves.
    lab.write("gateway.yaml", &with_office(""));
    for to in [RELAY.0, RELAY.1] {
        wait_for("a closed door", || from(&guest, to, 9001).is_err_and(|e| is_refusal(&e)).then_some(()));
    }
    // And as the home's, what flows is judged.
    lab.write("gateway.yaml", &with_office("lan"));
    wait_for("the new rules", || lab.command(&["router", "status"]).contains("\"office\"").then_some(()));
    let began = Instant::now();
    for flow in flows {
        closes(flow, 6 * CUT);
        let took = began.elapsed();
        assert!(took < on_this_machine(CUT + Duration::from_secs(1)), "{took:?}");
    }
}

#[test]
fn behind_a_wrong_name_of_an_interface_the_home_is_held_and_staff_are_told() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_router().replace("lan: [br-lan]", "lan: [br-lam]"));
    lab.open(SATURDAY);
    for to in [RELAY.0, RELAY.1] {
        assert!(connect(&lab, Who::Jordan, to.parse().unwrap(), 9001).is_err_and(|e| is_refusal(&e)), "{to}");
    }
    // What nobody named is held like the home: names are answered here, by agreements, and help is there.
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    let foreign = lab.dig(Who::Jordan, &["@11.0.4.1", "casino.test", "A"]);
    assert!(foreign.contains("Jordan"), "{foreign}");
    assert_eq!(lab.internet.heard.at(FOREIGN_RESOLVER.0, 53), 0);
    let (help, _) = look_up(&lab, Who::Jordan, "helpline.test");
    assert!(echoes(&mut connect(&lab, Who::Jordan, help, ECHO).unwrap()).unwrap());
    let told = lab.command(&["status", "--json"]);
    assert!(told.contains("no-interface") && told.contains("br-lam"), "{told}");
    assert!(!told.contains("router-dark"));
    lab.write("gateway.yaml", &with_router());
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    wait_for("nothing to tell", || {
        (!lab.command(&["status", "--json"]).contains("no-interface")).then_some(())
    });
}

#[test]
fn rules_that_were_switched_off_stay_off_and_hear_again_when_they_are_back() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    let in_place = || lab.router.says("nft", &["list", "tables"]).contains("hearthgate");
    lab.write("gateway.yaml", &gateway_yaml());
    wait_for("the rules to go", || {
        lab.dig(Who::Jordan, &["+tries=1", "game.test", "A"]);
        (!in_place()).then_some(())
    });
    for n in 0..20 {
        lab.dig(Who::Jordan, &[&format!("n{n}.open.test"), "A"]);
        assert!(!in_place(), "a question brings them back");
    }
    lab.write("gateway.yaml", &with_router());
    wait_for("the rules", || in_place().then_some(()));
    look_up(&lab, Who::Jordan, "open.test");
    wait_for("the episode", || {
        let refused = connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), ECHO);
        assert!(refused.is_err_and(|e| is_refusal(&e)));
        lab.command(&["breaches", "list", "--json"]).contains(RELAY.0).then_some(())
    });
}
