//! How much one client may take: a forwarder stands for many, and what is protected is bounded too.

use crate::ask::{PATIENCE, Question, said, udp_raw};
use crate::home::{Home, JORDAN, Setup};
use crate::internet::Server;
use crate::judged::ZONE;
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

#[tokio::test]
async fn help_is_answered_beyond_the_share_and_not_without_end() {
    let home = home().await;
    let (plain, help) = (Question::read("www.test A").bytes(), Question::read("help.test A").bytes());
    assert!((3..20).contains(&answered(&home, JORDAN, &vec![plain; 50]).await));
    let helped = answered(&home, JORDAN, &vec![help; 800]).await;
    assert!((300..700).contains(&helped), "{helped}");
}
