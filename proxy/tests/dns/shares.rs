//! How much one client may take: a forwarder stands for many, and what is protected is bounded too.

use crate::ask::{PATIENCE, Question, connect, said, tcp_hear, tcp_send, udp_raw};
use crate::home::{Home, JORDAN, Setup, TOKEN};
use crate::internet::Server;
use crate::judged::ZONE;
use proxy::dns::{Asker, Transport};
use std::num::NonZeroU32;

const FORWARDER: &str = "127.0.0.50";
/// EDNS client subnet, and what `add-mac` of dnsmasq sends.
const SUBNET: u16 = 8;
const HARDWARE: u16 = 65001;

async fn home() -> Home {
    let internet = Server::start(ZONE).await;
    let number = |n| NonZeroU32::new(n).unwrap();
    let few = proxy::limits::Rate { per_second: number(1), burst: number(3) };
    let mut setup = Setup::new(&[&internet]).dns(move |dns| dns.rate = Some(few));
    setup.gateway.trust_forwarders = vec![(FORWARDER.parse().unwrap(), 32)];
    Home::open(setup).await
}

/// How many of these questions get an answer over UDP.
async fn answered(home: &Home, from: &str, questions: &[Vec<u8>]) -> usize {
    let mut answered = 0;
    for question in questions {
        let answer = udp_raw(from, home.address, question, PATIENCE).await.expect("an answer");
        answered += usize::from(!said(&answer).starts_with("NOERROR tc"));
    }
    answered
}

#[tokio::test]
async fn a_forwarder_stands_for_as_many_as_it_tells_or_for_sixteen() {
    let home = home().await;
    let plain = || Question::read("www.test A +edns");
    let alike = vec![plain().bytes(); 100];
    let by_hardware: Vec<_> =
        (0..100).map(|i| plain().with_option(HARDWARE, &[2, 0, 0, 0, 0, i % 20]).bytes()).collect();
    let by_address: Vec<_> =
        (0..100).map(|i| plain().with_option(SUBNET, &[0, 1, 32, 0, 127, 0, 9, i % 20]).bytes()).collect();
    for (what, from, questions, least) in [
        ("a client", JORDAN, &alike, 3),
        ("a forwarder that tells nothing", FORWARDER, &alike, 48),
        ("twenty devices by their hardware", FORWARDER, &by_hardware, 60),
        ("twenty devices by their addresses", FORWARDER, &by_address, 60),
        ("a client that says it is twenty", "127.0.0.7", &by_hardware, 3),
    ] {
        let answered = answered(&home, from, questions).await;
        // A slow machine gives a few more in the seconds that it takes.
        assert!((least..least + 35).contains(&answered), "{what}: {answered}");
    }
}

/// Two devices of one network and what the kernel knows of their addresses; nobody knows who has `::7` and `::8`.
const LAN: [(&str, u8); 5] =
    [("2001:db8::1", 1), ("2001:db8::2", 2), ("fe80::1", 1), ("fe80::2", 2), ("2001:db8::1:1", 1)];

#[tokio::test]
async fn over_ipv6_each_device_has_a_share_of_its_own_and_no_more_by_other_addresses() {
    let internet = Server::start(ZONE).await;
    let number = |n| NonZeroU32::new(n).unwrap();
    let few = proxy::limits::Rate { per_second: number(1), burst: number(20) };
    let home =
        Home::open(Setup::new(&[&internet]).neighbours(&LAN).dns(move |dns| dns.rate = Some(few))).await;
    let question = Question::read("www.test A").bytes();
    for (transport, limited) in [(Transport::Udp, "NOERROR tc"), (Transport::Tcp, "REFUSED")] {
        for (what, from, least) in [
            ("a device", "2001:db8::1", 20),
            ("by another address", "2001:db8::1:1", 0),
            ("by the link's own", "fe80::1", 0),
            ("another device of the network", "2001:db8::2", 20),
            ("by the link's own", "fe80::2", 0),
            ("one of whom nothing is known", "2001:db8::7", 20),
            ("shares with all of those in its network", "2001:db8::8", 0),
        ] {
            let asker = Asker { from: from.parse().unwrap(), to: None, token: None, transport };
            let mut answered = 0;
            for _ in 0..30 {
                let answer = home.dns.handle(&question, &asker).await.expect("an answer");
                answered += usize::from(!said(&answer).starts_with(limited));
            }
            // A slow machine gives a few more in the seconds that it takes.
            assert!((least..least + 9).contains(&answered), "{transport:?}, {what}: {answered}");
        }
    }
}

#[tokio::test]
async fn over_ipv6_questions_without_an_answer_hold_one_devices_seats_alone() {
    let internet = Server::start(ZONE).await;
    let setup =
        Setup::new(&[&internet]).neighbours(&LAN).resolver(|resolver| resolver.most_in_flight_of_one = 2);
    let home = Home::open(setup).await;
    let asked = async |from: &str, name: &str| {
        let asker =
            Asker { from: from.parse().unwrap(), to: None, token: Some(TOKEN), transport: Transport::Tls };
        let question = Question::read(&format!("{name} A +edns")).bytes();
        said(&home.dns.handle(&question, &asker).await.expect("an answer"))
    };
    let (one, two) = (asked("2001:db8::1", "a.silent.test"), asked("fe80::1", "b.silent.test"));
    let others = async { (asked("2001:db8::1:1", "www.test").await, asked("2001:db8::2", "www.test").await) };
    tokio::select! {
        // Each is on its way once it was looked at.
        biased;
        _ = async { tokio::join!(one, two) } => panic!("nobody answers these so soon"),
        (same, other) = others => {
            assert_eq!(same, "SERVFAIL; ede 14", "its seats are taken, whatever address it asks from");
            assert_eq!(other, "NOERROR; www.test 300 A 192.0.2.1");
        }
    }
}

#[tokio::test]
async fn connections_are_counted_by_device() {
    let internet = Server::start(ZONE).await;
    let setup = Setup::new(&[&internet])
        .neighbours(&[("127.0.0.21", 1), ("127.0.0.22", 1), ("127.0.0.23", 2)])
        .dns(|dns| dns.tcp.most_of_one = 2);
    let home = Home::open(setup).await;
    let is_taken = async |from: &str| {
        let mut tcp = connect(from, home.address).await;
        tcp_send(&mut tcp, &Question::read("localhost A").bytes()).await;
        tcp_hear(&mut tcp).await.map(|_| tcp)
    };
    let held = [is_taken("127.0.0.21").await, is_taken("127.0.0.22").await];
    assert!(held.iter().all(Option::is_some));
    assert!(is_taken("127.0.0.21").await.is_none(), "two are its share, from whatever address");
    assert!(is_taken("127.0.0.23").await.is_some(), "another device has its own");
}

#[tokio::test]
async fn help_is_answered_beyond_the_share_and_not_without_end() {
    let home = home().await;
    let (plain, help) = (Question::read("www.test A").bytes(), Question::read("help.test A").bytes());
    assert!((3..20).contains(&answered(&home, JORDAN, &vec![plain; 50]).await));
    let helped = answered(&home, JORDAN, &vec![help; 800]).await;
    assert!((300..700).contains(&helped), "{helped}");
}
