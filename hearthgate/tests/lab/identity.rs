//! Who is behind an address: the same device over IPv4, IPv6 and IPv6 privacy addresses.

use crate::SATURDAY;
use crate::device::{CUT, closes, connect, echoes, is_refusal, look_up, on_this_machine};
use crate::internet::{ECHO, RELAY, wait_for};
use crate::lab::{Lab, ROUTER, Who};
use crate::router::held;
use std::io::Read;
use std::net::{IpAddr, UdpSocket};
use std::time::{Duration, Instant};

/// The device's addresses in IPv6 that the kernel made by itself (RFC 8981).
fn privacy_addresses(lab: &Lab, who: Who) -> Vec<String> {
    let listed = lab.of(who).says("ip", &["-6", "-o", "address", "show", "dev", "eth0", "temporary"]);
    let address = |line: &str| line.split_whitespace().nth(3)?.split('/').next().map(str::to_owned);
    listed.lines().filter_map(address).collect()
}

#[test]
fn agreement_applies_by_mac_for_ipv4_ipv6_and_ipv6_privacy_addresses_alike() {
    let Some(mut lab) = Lab::build() else { return };
    lab.open(SATURDAY);
    let mut asked = 0;
    for who in [Who::Jordan, Who::Sam] {
        let own = if who == Who::Jordan { "open.test" } else { "school.test" };
        let private = privacy_addresses(&lab, who);
        assert_eq!(private.len(), 1, "the kernel made one: {private:?}");
        for from in [who.four(), who.six()].into_iter().chain(private) {
            lab.wait_until_known(who, &from, own);
            let at = if from.contains(':') { ROUTER.1 } else { ROUTER.0 };
            for (name, jordan, sam) in [
                ("open.test", true, false),
                ("school.test", true, true),
                ("casino.test", false, false),
                ("helpline.test", true, true),
            ] {
                let allowed = if who == Who::Jordan { jordan } else { sam };
                let answer = lab.dig(who, &["-b", &from, &format!("@{at}"), name, "A"]);
                assert_eq!(!answer.contains("EDE: 1"), allowed, "{who:?} from {from} asks {name}: {answer}");
                let named = format!("{who:?}");
                assert!(allowed || answer.contains(&named), "the refusal is {named}'s own: {answer}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 2 * 3 * 4);
}

/// At the router's rules too: what one of its addresses asked for is open to all of them, and to nobody else's.
#[test]
fn at_the_router_a_privacy_address_is_the_same_device() {
    let Some(lab) = held(SATURDAY) else { return };
    let private = privacy_addresses(&lab, Who::Jordan);
    assert_eq!(private.len(), 1, "{private:?}");
    let (_, six) = look_up(&lab, Who::Jordan, "open.test");
    let addresses = [Who::Jordan.six(), private[0].clone()].map(|from| from.parse::<IpAddr>().unwrap());
    for from in addresses {
        let echoed = lab.of(Who::Jordan).within(move || {
            let socket = UdpSocket::bind((from, 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            socket.connect((six, ECHO)).unwrap();
            let mut heard = [0; 8];
            socket.send(b"hello").and_then(|_| socket.recv(&mut heard)).map(|length| heard[..length].to_vec())
        });
        assert_eq!(echoed.unwrap(), b"hello", "{from}");
        let refused = lab.of(Who::Jordan).within(move || {
            let socket = UdpSocket::bind((from, 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            socket.connect((RELAY.1.parse::<IpAddr>().unwrap(), 51820)).unwrap();
            socket.send(b"hello").and_then(|_| socket.recv(&mut [0; 8]))
        });
        assert!(refused.is_err(), "{from}: and what nothing opened is closed to it");
    }
}

/// All devices of the home are in one network of IPv6: whoever takes all that is theirs takes nothing of another's.
#[test]
fn over_ipv6_a_device_that_holds_its_share_closes_nothing_to_another() {
    let Some(mut lab) = Lab::build() else { return };
    lab.open(SATURDAY);
    for (who, own) in [(Who::Jordan, "open.test"), (Who::Sam, "school.test")] {
        lab.wait_until_known(who, &who.six(), own);
    }
    let gateway: IpAddr = ROUTER.1.parse().unwrap();
    // The first few may come before the kernel has said whose the address is, and count for the network.
    let held: Vec<_> = (0..64 + 16).map(|_| connect(&lab, Who::Jordan, gateway, 53).unwrap()).collect();
    let mut beyond = connect(&lab, Who::Jordan, gateway, 53).unwrap();
    let (began, ended) = (Instant::now(), beyond.read(&mut [0]));
    // A quiet connection would be closed after ten seconds.
    assert!(
        !matches!(ended, Ok(1..)) && began.elapsed() < Duration::from_secs(8),
        "it is one too many: {ended:?}"
    );
    let at = format!("@{gateway}");
    let answer = lab.dig(Who::Sam, &["+tcp", "-b", &Who::Sam.six(), &at, "school.test", "A"]);
    assert!(answer.contains("NOERROR") && answer.contains("11.0.1.4"), "{answer}");
    drop(held);
}

#[test]
fn a_device_whose_mac_changes_gets_the_baseline() {
    let Some(mut lab) = Lab::build() else { return };
    lab.open(SATURDAY);
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    is_another_by_now(&lab, Who::Jordan);
    wait_for("the baseline", || {
        let answer = lab.dig(Who::Jordan, &["@192.168.4.1", "open.test", "A"]);
        (answer.contains("EDE: 1") && !answer.contains("Jordan")).then_some(())
    });
    let school = lab.dig(Who::Jordan, &["@192.168.4.1", "school.test", "A"]);
    assert!(school.contains("11.0.1.4"), "the baseline is not dark: {school}");
}

/// Another router or resolver stands in between, and everybody looks like it: staff are told, until a second device is seen.
#[test]
fn a_home_whose_devices_all_look_like_one_is_warned_until_another_asks() {
    let Some(mut lab) = Lab::build() else { return };
    lab.open(SATURDAY);
    let is_warned = || {
        let status: serde_json::Value = serde_json::from_str(&lab.command(&["status", "--json"])).unwrap();
        status["warnings"].as_array().unwrap().iter().any(|warning| warning["code"] == "one-address")
    };
    assert!(!is_warned(), "of a quiet home nobody knows");
    let ask = |who: Who, how_often: u16| {
        lab.of(who).within(move || {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            for n in 0..how_often {
                let [high, low] = n.to_be_bytes();
                let question =
                    [&[high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x04open\x04test\0\0\x01\0\x01"]
                        .concat();
                socket.send_to(&question, (ROUTER.0, 53)).unwrap();
            }
        });
    };
    wait_for("the warning", || {
        ask(Who::Jordan, 400);
        is_warned().then_some(())
    });
    ask(Who::Sam, 1);
    wait_for("the warning to go", || (!is_warned()).then_some(()));
}

/// Another device is at a device's addresses from now on: its hardware address is another one.
pub(crate) fn is_another_by_now(lab: &Lab, who: Who) {
    let device = lab.of(who);
    device.ip("link set eth0 address 02:00:00:00:00:77");
    device.ip("neigh flush dev eth0");
}

/// At the router's rules too, over both families: what was open to it is closed, and what flowed ends.
#[test]
fn at_the_router_a_device_whose_mac_changes_has_the_baseline_and_nothing_more() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let streams = [four, six].map(|to| {
        let mut stream = connect(&lab, Who::Jordan, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap(), "{to}");
        stream
    });
    is_another_by_now(&lab, Who::Jordan);
    for at in [ROUTER.0, ROUTER.1] {
        let asks = |name: &str| lab.dig(Who::Jordan, &[&format!("@{at}"), name, "A"]);
        wait_for("the baseline", || {
            let answer = asks("open.test");
            (answer.contains("EDE: 15") && !answer.contains("Jordan")).then_some(())
        });
        assert!(asks("school.test").contains("11.0.1.4"), "{at}: the baseline is not dark");
    }
    for to in [four, six] {
        assert!(is_refusal(&connect(&lab, Who::Jordan, to, ECHO).unwrap_err()), "{to}");
    }
    for stream in streams {
        let took = closes(stream, 6 * CUT);
        assert!(took < on_this_machine(CUT), "{took:?}");
    }
}
