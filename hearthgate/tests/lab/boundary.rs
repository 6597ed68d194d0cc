//! The edge of the home under attack and bad luck: nobody is accused, nothing is open, help is there.

use crate::SATURDAY;
use crate::device::{CUT, closes, connect, curl, echoes, is_refusal, look_up};
use crate::internet::{ECHO, RELAY, wait_for};
use crate::lab::{JORDAN, Lab, ROUTER, Who, jordan};
use crate::life::{is_closed, stand_in, with_stand_in};
use crate::machine::Machine;
use crate::router::{episodes, held, told_until, with_router};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Takes an element out of the rules, as if its time were over.
pub(crate) fn lapses(lab: &Lab, set: &str, element: &str) {
    let out = lab.router.output("nft", &[&format!("delete element inet hearthgate {set} {{ {element} }}")]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Longer than flows are looked at twice.
const TWO_LOOKS: Duration = Duration::from_secs(12);

#[test]
fn a_restart_that_forgot_every_name_cuts_no_long_flow_and_accuses_nobody() {
    let Some(mut lab) = held(SATURDAY) else { return };
    let (open, _) = look_up(&lab, Who::Jordan, "open.test");
    let (school, _) = look_up(&lab, Who::Sam, "school.test");
    let mut streams = [(Who::Jordan, open), (Who::Sam, school)].map(|(who, to)| {
        let mut stream = connect(&lab, who, to, ECHO).unwrap();
        assert!(echoes(&mut stream).unwrap());
        stream
    });
    lapses(&lab, "mac4", &format!("02:00:00:00:00:11 . {open}"));
    lapses(&lab, "mac4", &format!("02:00:00:00:00:12 . {school}"));
    lab.kill();
    std::fs::remove_dir_all(lab.memory()).unwrap();
    lab.open(SATURDAY);
    let began = Instant::now();
    while began.elapsed() < TWO_LOOKS {
        for stream in &mut streams {
            assert!(echoes(stream).unwrap(), "what was let begin goes on");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    // Programs come back to what they were told before.
    for (who, to) in [(Who::Jordan, open), (Who::Sam, school), (Who::Sam, RELAY.0.parse().unwrap())] {
        assert!(is_refusal(&connect(&lab, who, to, ECHO).unwrap_err()), "{who:?} {to}");
    }
    lab.dig(Who::Jordan, &["casino.test", "A"]);
    assert_eq!(told_until(&lab, "casino.test"), ["casino.test"]);
}

#[test]
fn a_gateway_yaml_that_has_vanished_opens_nothing_while_somebody_stands_in() {
    let Some(mut lab) = Lab::build() else { return };
    lab.write("gateway.yaml", &with_stand_in());
    lab.open(SATURDAY);
    let _stand_in = stand_in(&lab);
    look_up(&lab, Who::Jordan, "open.test");
    std::fs::remove_file(lab.home.path().join("gateway.yaml")).unwrap();
    lab.kill();
    wait_for("help, by the last good text", || {
        assert!(is_closed(&lab));
        lab.dig(Who::Sam, &["+short", "helpline.test", "A"]).contains("11.0.1.3").then_some(())
    });
    assert!(is_closed(&lab) && lab.home.path().join("state/router.json").exists());
    assert!(echoes(&mut connect(&lab, Who::Sam, "11.0.1.3".parse().unwrap(), ECHO).unwrap()).unwrap());
    // The gateway goes by it, too, wherever the records are.
    lab.open(SATURDAY);
    let (open, _) = look_up(&lab, Who::Jordan, "open.test");
    assert!(echoes(&mut connect(&lab, Who::Jordan, open, ECHO).unwrap()).unwrap());
    assert!(is_closed(&lab));
    assert!(lab.command(&["status", "--json"]).contains("missing-file"), "and says what is wrong");
}

#[test]
fn an_unknown_device_is_told_once_whatever_its_programs_try() {
    let Some(lab) = held(SATURDAY) else { return };
    for name in ["open.test", "game.test", "call.test"] {
        lab.dig(Who::Stranger, &[name, "A"]);
        lab.dig(Who::Stranger, &[name, "AAAA"]);
    }
    for to in [RELAY.0, "11.0.1.1", "11.0.1.5", "11.0.5.1"] {
        assert!(is_refusal(&connect(&lab, Who::Stranger, to.parse().unwrap(), ECHO).unwrap_err()));
    }
    // What comes last: Jordan's own.
    look_up(&lab, Who::Jordan, "open.test");
    assert!(connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), ECHO).is_err());
    told_until(&lab, RELAY.0);
    let all: Vec<serde_json::Value> =
        serde_json::from_str(&lab.command(&["breaches", "list", "--json"])).unwrap();
    let told: Vec<_> = all.iter().filter(|e| e["person"] == "nobody").collect();
    let of_it: Vec<_> = told.iter().filter(|e| e["site"] == "02:00:00:00:00:99").collect();
    assert_eq!(of_it.len(), 1, "{told:#?}");
    assert_eq!(of_it[0]["severity"], "high");
    // On a busy machine a first question may come before the kernel has said whose hardware address it is.
    let is_device = |site: &str| {
        site.starts_with("02:00:") || site.starts_with("192.168.4.") || site.starts_with("2d00:77:")
    };
    assert!(told.iter().all(|e| is_device(e["site"].as_str().unwrap())), "no name and no number: {told:#?}");
}

/// A network behind another router of the home's: its laptops, by the last part of their addresses.
fn behind_another_router(lab: &Lab, laptops: [u8; 2]) -> (Machine, [Machine; 2]) {
    let inner = Machine::new().unwrap();
    let (router, thread) = (&lab.router, inner.thread());
    router.ip(&format!("link add inner type veth peer name uplink address 02:00:00:00:00:02 netns {thread}"));
    router.ip("link set inner master br-lan up");
    router.ip("route add 192.168.9.0/24 via 192.168.4.2");
    router.ip("route add 2d00:77:0:9::/64 via 2d00:77::2");
    inner.write("/proc/sys/net/ipv4/ip_forward", "1");
    inner.write("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    inner.ip("link set uplink up");
    inner.ip("address add 192.168.4.2/24 dev uplink");
    inner.ip("address add 2d00:77::2/64 dev uplink nodad");
    inner.ip("route add default via 192.168.4.1");
    inner.ip("route add default via 2d00:77::1");
    inner.ip("link add br0 type bridge forward_delay 0 stp_state 0");
    inner.ip("address add 192.168.9.1/24 dev br0");
    inner.ip("address add 2d00:77:0:9::1/64 dev br0 nodad");
    inner.ip("link set br0 up");
    let all = laptops.map(|number| {
        let laptop = Machine::new().unwrap();
        inner.ip(&format!("link add port{number} type veth peer name eth0 netns {}", laptop.thread()));
        inner.ip(&format!("link set port{number} master br0 up"));
        laptop.ip("link set eth0 up");
        laptop.ip(&format!("address add 192.168.9.{number}/24 dev eth0"));
        laptop.ip(&format!("address add 2d00:77:0:9::{number}/64 dev eth0 nodad"));
        laptop.ip("route add default via 192.168.9.1");
        laptop.ip("route add default via 2d00:77:0:9::1");
        laptop.look_names_up_at(&[ROUTER.0]);
        laptop
    });
    (inner, all)
}

fn from(machine: &Machine, to: &str, port: u16) -> std::io::Result<TcpStream> {
    let to = SocketAddr::new(to.parse::<IpAddr>().unwrap(), port);
    machine.within(move || {
        let stream = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(stream)
    })
}

#[test]
fn behind_another_router_each_device_is_itself() {
    let Some(lab) = held(SATURDAY) else { return };
    let (_inner, [alexs, stranger]) = behind_another_router(&lab, [20, 21]);
    let alex = jordan(JORDAN).replace("person: Jordan", "person: Alex");
    let devices = "[{name: laptop, ip: 192.168.9.20}, {name: laptop over IPv6, ip: \"2d00:77:0:9::20\"}]";
    lab.write("agreements/alex.yaml", &alex.replace("[{name: phone, mac: \"02:00:00:00:00:11\"}]", devices));
    for (server, kind, site, set, own, relay) in [
        (ROUTER.0, "A", "11.0.1.1", "address4", "192.168.9.20", RELAY.0),
        (ROUTER.1, "AAAA", "2d00:2::1", "address6", "2d00:77:0:9::20", RELAY.1),
    ] {
        let at = format!("@{server}");
        let dig = || alexs.says("dig", &["+time=2", "+tries=2", "+short", &at, "open.test", kind]);
        wait_for("Alex's agreement", || dig().contains(site).then_some(()));
        assert!(echoes(&mut from(&alexs, site, ECHO).unwrap()).unwrap(), "{site}");
        lapses(&lab, set, &format!("{own} . {site}"));
        // The next packet shows the other router's hardware address; what was given to Alex's address lets it in.
        wait_for("the app that comes back", || {
            let stream = from(&alexs, site, ECHO).ok()?;
            echoes(&mut stream.try_clone().unwrap()).unwrap().then_some(stream)
        });
        assert!(is_refusal(&from(&stranger, site, ECHO).unwrap_err()), "and nobody else behind it");
        assert!(is_refusal(&from(&alexs, relay, ECHO).unwrap_err()), "{relay}");
        let told = told_until(&lab, relay);
        assert!(
            told.iter().all(|site| [RELAY.0, RELAY.1].contains(&site.as_str())),
            "coming back is none: {told:?}"
        );
    }
    assert!(episodes(&lab).iter().all(|e| e["person"] == "alex"), "and what is one is Alex's own");
}

#[test]
fn what_an_interface_is_called_by_now_takes_nobody_out_of_what_holds_them() {
    let Some(lab) = held(SATURDAY) else { return };
    let (open, _) = look_up(&lab, Who::Jordan, "open.test");
    let mut stream = connect(&lab, Who::Jordan, open, ECHO).unwrap();
    for line in ["link set br-lan down", "link set br-lan name br-home", "link set br-home up"] {
        lab.router.ip(line);
    }
    assert!(echoes(&mut stream).unwrap());
    assert!(is_refusal(&connect(&lab, Who::Jordan, RELAY.0.parse().unwrap(), 9001).unwrap_err()));
    let hidden = format!("casino.test:443:{open}");
    let (code, _) = curl(&lab, Who::Jordan, &["--resolve", &hidden, "https://casino.test/"]);
    assert_eq!(code, 35, "the web is judged by its names");
    let words = "restrict --person jordan --closes everything --until 2026-11-21T20:00 --review 2026-11-21 --by r.osei \
                 --emergency --told-on 2026-11-21 --reason safety --tried talking --view fine";
    lab.command(&words.split(' ').collect::<Vec<_>>());
    closes(stream, 6 * CUT);
    let (help, _) = look_up(&lab, Who::Jordan, "helpline.test");
    assert!(echoes(&mut connect(&lab, Who::Jordan, help, ECHO).unwrap()).unwrap(), "help stays");
}

#[test]
fn whoever_floods_with_whatever_keeps_nobody_else_from_being_heard() {
    let Some(lab) = held(SATURDAY) else { return };
    look_up(&lab, Who::Jordan, "open.test");
    lab.wait_until_known(Who::Sam, &Who::Sam.four(), "school.test");
    let raw = |who| {
        lab.of(who).within(|| socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::GRE)).unwrap())
    };
    let send = |raw: &OwnedFd, to: u32| {
        let to = SocketAddrV4::new(Ipv4Addr::from_bits(to), 0);
        // The refusal of one before may come back here.
        let _ = sendto(raw, &[0; 16], SendFlags::empty(), &to);
    };
    let (sams, jordans) = (raw(Who::Sam), raw(Who::Jordan));
    let (stop, relay) = (AtomicBool::new(false), u32::from(RELAY.0.parse::<Ipv4Addr>().unwrap()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut to = 0x0c00_0000_u32;
            while !stop.load(Ordering::Relaxed) {
                to += 1;
                send(&sams, to);
                // Hundreds a second are enough, and leave the machine to the others.
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let told = catch_unwind(AssertUnwindSafe(|| {
            wait_for("Jordan's episode", || {
                send(&jordans, relay);
                episodes(&lab).iter().any(|e| e["person"] == "jordan" && e["site"] == RELAY.0).then_some(())
            });
        }));
        stop.store(true, Ordering::Relaxed);
        assert!(told.is_ok(), "Jordan was not heard");
    });
    let sams = episodes(&lab).iter().filter(|e| e["person"] == "sam").count();
    assert!(sams < 100, "{sams}");
}

#[test]
fn one_device_does_not_fill_the_table_of_flows() {
    let Some(lab) = held(SATURDAY) else { return };
    for who in [Who::Sam, Who::Jordan] {
        for from in [who.four(), who.six()] {
            lab.wait_until_known(who, &from, "school.test");
        }
    }
    lab.of(Who::Sam).within(|| {
        for (any, to) in [("0.0.0.0", ROUTER.0), ("::", ROUTER.1)] {
            for port in 20_000..29_000 {
                let socket = UdpSocket::bind((any, port)).unwrap();
                let _ = socket.send_to(b"x", (to, 53));
            }
        }
    });
    let count = lab.router.says("cat", &["/proc/sys/net/netfilter/nf_conntrack_count"]);
    let count: u32 = count.trim().parse().unwrap_or_else(|e| panic!("{e}: {count}"));
    assert!(count < 6000, "{count}");
    let (help4, help6) = look_up(&lab, Who::Jordan, "helpline.test");
    for help in [help4, help6] {
        assert!(echoes(&mut connect(&lab, Who::Jordan, help, ECHO).unwrap()).unwrap(), "{help}");
    }
}

#[test]
fn a_gateway_that_can_listen_nowhere_any_more_ends_and_is_closed() {
    let Some(mut lab) = Lab::build() else { return };
    let at = |address: &str| {
        with_router().replace("dns: [\"0.0.0.0:53\", \"[::]:53\"]", &format!("dns: [\"{address}:53\"]"))
    };
    lab.write("gateway.yaml", &at(ROUTER.0));
    lab.open(SATURDAY);
    look_up(&lab, Who::Jordan, "open.test");
    lab.router.ip(&format!("address del {}/24 dev br-lan", ROUTER.0));
    lab.write("gateway.yaml", &at("192.168.4.250"));
    let ended = lab.ends();
    assert_eq!(ended.code(), Some(2), "so that it is started anew: {}", lab.log());
    assert!(lab.router.says("nft", &["list", "tables"]).contains("hearthgate"));
}
