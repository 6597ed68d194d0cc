//! Ways around the gateway, each by its name: what becomes of it, and what staff are told.

use crate::SATURDAY;
use crate::device::{addresses, connect, curl, datagrams, echoes, exchange, is_refusal, look_up};
use crate::internet::{ECHO, OPENVPN, PATIENCE, RELAY, VPN, wait_for};
use crate::lab::{JORDAN, Lab, ROUTER, Who, jordan};
use crate::machine::{Machine, Program, program};
use crate::router::{episodes, held, with_router};
use agreements::Detector;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What is tried for half a minute weighs as much as what was tried; on a busy machine that takes longer.
pub(crate) const WEIGHS: Duration = Duration::from_secs(120);

/// Tries again and again, as such a program does, until staff are told of it: the episode.
pub(crate) fn told_of(lab: &Lab, word: &str, mut attempt: impl FnMut()) -> serde_json::Value {
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

/// Waits until the gateway tells that the router turned something away by itself: in `status`, in words and as JSON, and in the numbers.
pub(crate) fn turned_away(lab: &Lab, detector: Detector) {
    let key = detector.row().key;
    let sum = wait_for(key, || {
        let status: serde_json::Value = serde_json::from_str(&lab.command(&["status", "--json"])).unwrap();
        status["turned_away"][key].as_u64().filter(|sum| *sum > 0)
    });
    let words = lab.command(&["status"]);
    assert!(words.contains("The router turned away by itself since ") && words.contains(key), "{words}");
    let numbers = lab.router.says("curl", &["-sS", "http://127.0.0.1:9190/metrics"]);
    let told = numbers.lines().find_map(|line| line.strip_prefix(&format!("hearthgate_router_{key}_total ")));
    assert!(told.and_then(|told| told.parse().ok()).is_some_and(|told: u64| told >= sum), "{key}: {numbers}");
}

/// WireGuard's first packet, to there. The kernel says so a few times in a row, and then only now and then (icmp_ratelimit).
pub(crate) fn says_wireguard(lab: &Lab, who: Who, to: IpAddr, port: u16) {
    let mut handshake = [7; 148];
    handshake[..4].copy_from_slice(&[1, 0, 0, 0]);
    assert!(exchange(&datagrams(lab, who, to, port), &handshake).is_err(), "{who:?} {to}");
}

#[test]
fn a_wireguard_handshake_is_refused() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    let told = told_of(&lab, "WireGuard", || {
        for to in addresses(VPN) {
            says_wireguard(&lab, Who::Jordan, to, 51820);
        }
    });
    assert_eq!((&told["person"], &told["severity"]), (&"jordan".into(), &"high".into()), "{told}");
    assert_eq!((&told["circumvention"], &told["detector"]), (&true.into(), &"wireguard".into()), "{told}");
    assert_eq!([VPN.0, VPN.1].map(|at| lab.internet.heard.at(at, 51820)), [0, 0], "nothing arrived");
}

/// What names opened, on every port (`ports: [any]`): a VPN's words are refused all the same, save where what is protected stands.
#[test]
fn a_handshake_is_refused_where_a_name_opened_the_address_and_not_where_help_stands() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    let (help4, help6) = look_up(&lab, Who::Jordan, "helpline.test");
    let mut handshake = [7; 148];
    handshake[..4].copy_from_slice(&[1, 0, 0, 0]);
    for to in [four, six] {
        let flow = datagrams(&lab, Who::Jordan, to, ECHO);
        assert_eq!(exchange(&flow, b"hello").unwrap(), b"hello", "{to}");
        assert!(exchange(&flow, &handshake).is_err(), "{to}: nor in a flow that began with something else");
        assert_eq!(exchange(&flow, b"hello").unwrap(), b"hello", "{to}: which goes on");
    }
    for to in [help4, help6] {
        let heard = exchange(&datagrams(&lab, Who::Jordan, to, ECHO), &handshake).unwrap();
        assert_eq!(heard, handshake, "{to}");
    }
    let arrived = [four, six].map(|to| lab.internet.heard.at(&to.to_string(), ECHO));
    assert_eq!(arrived, [2, 2], "the two words of each flow, and no handshake");
}

/// Where the home leaves ways around to each agreement, whoever's does not close them has their VPN.
#[test]
fn whoever_may_go_around_may_speak_as_they_like() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_router());
    let home = std::fs::read_to_string(lab.home.path().join("home.yaml")).unwrap();
    lab.write("home.yaml", &home.replace(", circumvention]", "]"));
    let closed = jordan(&JORDAN.replace("block: [gambling", "block: [circumvention, gambling"));
    lab.write("agreements/jordan.yaml", &closed);
    lab.held_before();
    lab.open(SATURDAY);
    let mut handshake = [7; 148];
    handshake[..4].copy_from_slice(&[1, 0, 0, 0]);
    for (who, may) in [(Who::Kate, true), (Who::Jordan, false)] {
        let (four, six) = look_up(&lab, who, "open.test");
        for to in [four, six] {
            let flow = datagrams(&lab, who, to, ECHO);
            let mut tries = (0..8).map(|_| exchange(&flow, &handshake).is_ok_and(|heard| heard == handshake));
            // The first is refused and asked about; then it is open.
            assert_eq!(tries.any(|passed| passed), may, "{who:?} {to}");
        }
    }
}

/// A real VPN's client has time to connect for so long: alone it takes a few hundredths of a second.
const CONNECTS: Duration = Duration::from_secs(5);

/// Runs a real VPN's client on a machine until it is connected, or for long enough: whether it got through.
fn openvpn(lab: &Lab, on: &Machine, over: &str, to: &str, port: u16) -> bool {
    let file = |name: &str| lab.internet.folder.path().join(name);
    let mut client = program("/usr/sbin/openvpn");
    client.args(["--dev", "null", "--nobind", "--tls-client", "--proto", over, "--verb", "3"]);
    client.args(["--remote", to, &port.to_string(), "--connect-retry", "1", "--connect-timeout", "4"]);
    for (word, name) in [("--ca", "cert.pem"), ("--cert", "cert.pem"), ("--key", "key.pem")] {
        client.arg(word).arg(file(name));
    }
    client.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut client = on.start(client);
    let said = BufReader::new(client.0.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let connected =
            said.lines().map_while(Result::ok).any(|line| line.contains("Initialization Sequence Completed"));
        // Whoever asked may have given up.
        let _ = tell.send(connected);
    });
    told.recv_timeout(CONNECTS).unwrap_or(false)
}

#[test]
fn a_real_vpn_is_refused_even_at_an_address_that_a_name_opened() {
    let Some(mut lab) = Lab::build() else { return };
    let [four, six] = ["11.0.5.2", "2d00:5::2"];
    // It is a real one, and without us it works.
    for (over, to) in [("udp4", four), ("tcp4-client", four), ("udp6", six), ("tcp6-client", six)] {
        assert!(openvpn(&lab, &lab.internet.machine, over, to, OPENVPN), "{over}");
    }
    lab.write("gateway.yaml", &with_router());
    lab.held_before();
    lab.open(SATURDAY);
    assert_eq!(look_up(&lab, Who::Jordan, "vps.test").0.to_string(), four);
    assert!(
        echoes(&mut connect(&lab, Who::Jordan, four.parse().unwrap(), ECHO).unwrap()).unwrap(),
        "it is open"
    );
    assert!(
        echoes(&mut connect(&lab, Who::Jordan, six.parse().unwrap(), ECHO).unwrap()).unwrap(),
        "over IPv6, too"
    );
    // On the web's own port it is heard at once, and nobody can have forged it.
    assert!(!openvpn(&lab, lab.of(Who::Jordan), "tcp4-client", four, 8443));
    wait_for("the episode", || {
        episodes(&lab).into_iter().find(|e| e["detector"] == "openvpn" && e["severity"] == "high")
    });
    lab.command(&["breaches", "verify"]);
    for (over, to) in [("udp4", four), ("tcp4-client", four), ("udp6", six), ("tcp6-client", six)] {
        assert!(!openvpn(&lab, lab.of(Who::Jordan), over, to, OPENVPN), "{over}");
    }
    look_up(&lab, Who::Kate, "vps.test");
    let told = wait_for_long("Kate's episode", || {
        openvpn(&lab, lab.of(Who::Kate), "udp4", four, OPENVPN);
        episodes(&lab).into_iter().find(|e| e["person"] == "kate" && e["detector"] == "openvpn")
    });
    assert_eq!((&told["site"], &told["circumvention"]), (&"vps.test".into(), &true.into()), "{told}");
}

/// What programs were heard to say first, over UDP: which program, and its bytes.
fn said_first() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let rows = include_str!("../../../proxy/src/handshake/captured.txt").lines();
    rows.filter_map(|row| {
        let mut cells = row.split(" | ").skip(1);
        let (detector, over, hex) = (cells.next()?, cells.next()?, cells.next()?);
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (over == "udp").then(|| (detector, (0..hex.len()).step_by(2).map(byte).collect()))
    })
}

#[test]
fn what_every_vpn_says_first_arrives_nowhere_and_each_rule_has_met_its_own() {
    let Some(lab) = held(SATURDAY) else { return };
    let (four, six) = look_up(&lab, Who::Jordan, "open.test");
    // How many packets each rule has met.
    let met = || -> Vec<usize> {
        let rules = lab.router.says("nft", &["list", "chain", "inet", "hearthgate", "vpn_in_datagrams"]);
        let counts = rules.split("counter packets ").skip(1);
        counts.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect()
    };
    assert_eq!(met(), [0; 9]);
    for to in [four, six] {
        let before = met();
        let flow = datagrams(&lab, Who::Jordan, to, ECHO);
        for (detector, bytes) in said_first() {
            // What came back before, that it is refused, is no answer to this.
            let _refused = flow.take_error();
            if detector == "ike" {
                let with_marker = [&[0; 4], &bytes[..]].concat();
                for (port, words) in [(500, &bytes), (4500, &bytes), (4500, &with_marker)] {
                    let _refused = datagrams(&lab, Who::Jordan, to, port).send(words);
                }
            } else {
                let _refused = flow.send(&bytes);
            }
        }
        // Whatever was on its way has arrived by now.
        wait_for("a word that is no VPN's", || {
            exchange(&flow, b"a game").ok().filter(|heard| heard == b"a game")
        });
        let now = met();
        assert!(now.iter().zip(&before).all(|(now, before)| now > before), "{to}: {before:?} {now:?}");
    }
    let arrived = [four, six].map(|to| lab.internet.heard.at(&to.to_string(), ECHO));
    assert!(arrived.iter().all(|count| (1..=20).contains(count)), "nothing but the game: {arrived:?}");
}

/// What is told only after it was tried for a while.
fn wait_for_long<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < WEIGHS, "waited {WEIGHS:?} for {what}");
    }
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
    assert_eq!(told["detector"], "tor", "{told}");
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
    // Of a name that the home's own list has nobody knows which way around it is.
    let doh = serde_json::json!("doh");
    for (site, sentence, detector) in [
        ("nextdns.io", "A name server over HTTPS that is not the home's", Some(&doh)),
        ("doh.test", "closed for everyone", None),
        ("9.9.9.9", "A name server over HTTPS that is not the home's", Some(&doh)),
    ] {
        let one = told.iter().find(|e| e["site"] == site).unwrap_or_else(|| panic!("{site}: {told:?}"));
        assert!(one["sentence"].as_str().unwrap().contains(sentence), "{one}");
        assert_eq!((one["severity"].as_str(), one.get("detector")), (Some("high"), detector), "{one}");
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

/// Answers every question for an address on an interface, as a DHCP server does: with an offer by broadcast (RFC 2131 §4.1), and whoever it
/// is handed out as. It says when it listens, and each kind of message that it hears.
const HANDS_OUT: &str = r#"
import socket, sys
interface, server, way = sys.argv[1].encode(), socket.inet_aton(sys.argv[2]), socket.inet_aton(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface)
s.bind(("0.0.0.0", 67))
print("listens", flush=True)
while True:
    asked = s.recv(1500)
    options, kind = asked[240:], None
    while options and options[0] != 255:
        if options[0] == 0:
            options = options[1:]
            continue
        if options[0] == 53:
            kind = options[2]
        options = options[2 + options[1]:]
    print("kind", kind, flush=True)
    if kind == 1:
        offered = b"\x02\x01\x06\x00" + asked[4:8] + b"\x00\x00\x80\x00" + bytes(4) + socket.inet_aton("192.168.4.200") + server
        offered += bytes(4) + asked[28:44] + bytes(192) + b"\x63\x82\x53\x63\x35\x01\x02\x36\x04" + server + b"\x03\x04" + way + b"\xff"
        s.sendto(offered, ("255.255.255.255", 68))
"#;

/// A DHCP server on a machine, which listens; what it heard comes line by line.
fn hands_out(on: &Machine, interface: &str, server: &str, way: &str) -> (Program, mpsc::Receiver<String>) {
    let mut python = program("python3");
    python.args(["-c", HANDS_OUT, interface, server, way]).stdout(Stdio::piped());
    let mut python = on.start(python);
    let said = BufReader::new(python.0.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // Whoever listened may have gone.
        said.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok())
    });
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), "listens");
    (python, told)
}

#[test]
fn a_device_that_hands_out_addresses_is_told_to_staff_and_the_router_s_own_server_is_not() {
    let Some(mut lab) = Lab::build() else { return };
    let (theirs, ours) = (Who::Stranger.four(), ROUTER.0);
    let (_one, heard) = hands_out(lab.of(Who::Stranger), "eth0", &theirs, &theirs);
    let (_own, heard_by_own) = hands_out(&lab.router, "br-lan", ours, ours);
    // The home's own server may stand on another machine, and lead to the router.
    let (_homes, heard_by_homes) = hands_out(lab.of(Who::Kate), "eth0", &Who::Kate.four(), ours);
    lab.write("gateway.yaml", &with_router());
    lab.open(SATURDAY);
    let told = || {
        let status: serde_json::Value = serde_json::from_str(&lab.command(&["status", "--json"])).unwrap();
        let warnings = status["warnings"].as_array().unwrap().clone();
        let hints = warnings.into_iter().filter(|w| w["code"] == "second_gateway");
        hints.map(|w| w["sentence"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let hints = wait_for_long("the hint", || Some(told()).filter(|hints| !hints.is_empty()));
    let sentence = format!("at {theirs} on `br-lan` hands out addresses.");
    assert!(hints.len() == 1 && hints[0].contains(&sentence), "{hints:?}");
    for (whose, heard) in [("theirs", heard), ("ours", heard_by_own), ("the home's", heard_by_homes)] {
        let kinds: Vec<String> = heard.try_iter().collect();
        assert!(
            !kinds.is_empty() && kinds.iter().all(|kind| kind == "kind 1"),
            "{whose}: no lease is asked for: {kinds:?}"
        );
    }
    assert!(episodes(&lab).is_empty(), "and it is nobody's breach");
}

/// A tunnel that nobody has a rule for looks like this: the device is there, usually asks all day, and asks for nothing.
#[test]
fn a_device_that_falls_silent_while_it_is_there_is_told_to_staff_until_it_asks_again() {
    let Some(lab) = held(SATURDAY) else { return };
    lab.wait_until_known(Who::Jordan, &Who::Jordan.four(), "open.test");
    let asks = || assert!(lab.dig(Who::Jordan, &["open.test", "A"]).contains("11.0.1.1"));
    for _ in 0..19 {
        asks();
        lab.passes(601);
    }
    let told = || lab.command(&["status", "--json"]).contains("silent_device");
    assert!(!told(), "ten minutes are nothing");
    lab.passes(3600);
    wait_for("the hint", || told().then_some(()));
    assert_eq!(episodes(&lab), Vec::<serde_json::Value>::new(), "it is nobody's breach");
    asks();
    wait_for("the hint to go", || (!told()).then_some(()));
}
