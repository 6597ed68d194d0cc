//! The ways in: IPv6, several addresses, and what other listeners (DoT, DoH) hand over with a token.

use crate::ask::{PATIENCE, Question, said, tcp_hear, tcp_send};
use crate::home::{Home, JORDAN, Setup, TOKEN, UNKNOWN};
use crate::internet::Server;
use crate::judged::ZONE;
use proxy::dns::{Asker, Bound, Transport};
use std::net::{IpAddr, Ipv6Addr};
use tokio::net::{TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn ipv6_over_udp_and_tcp() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let stop = CancellationToken::new();
    let bound = Bound::bind((Ipv6Addr::LOCALHOST, 0).into(), 2).expect("a port");
    let listening = home.dns.listen(bound, &stop).expect("it listens");
    let question = Question::read("www.test AAAA +edns").bytes();
    let page = "NOERROR; www.test 1 AAAA ::1; ede 15";

    let udp = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.expect("a port");
    udp.connect(listening.address()).await.expect("a server");
    udp.send(&question).await.expect("sent");
    let mut answer = [0; 1500];
    let length =
        tokio::time::timeout(PATIENCE, udp.recv(&mut answer)).await.expect("in time").expect("heard");
    assert_eq!(said(&answer[..length]), page, "an unknown device; the page is at the address that was asked");

    let mut tcp = TcpStream::connect(listening.address()).await.expect("the server is there");
    tcp_send(&mut tcp, &question).await;
    assert_eq!(said(&tcp_hear(&mut tcp).await.expect("an answer")), page);

    stop.cancel();
    tokio::time::timeout(PATIENCE, listening.ended()).await.expect("everything ends when it is told to");
    assert_eq!(tcp_hear(&mut tcp).await, None);
}

#[tokio::test]
async fn a_token_says_whose_device_it_is_wherever_it_is() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let from: IpAddr = UNKNOWN.parse().expect("an address");
    let to = Some("192.0.2.53".parse().expect("an address"));
    let question = Question::read("blocked.test A +edns").bytes();
    let large = Question::read("www.test A").bytes();
    for (transport, token, question, expected) in [
        (Transport::Tls, Some(TOKEN), &question, "NOERROR; blocked.test 1 A 192.0.2.53; ede 17"),
        (Transport::Https, Some("nobody-s"), &question, "NOERROR; blocked.test 1 A 192.0.2.53; ede 15"),
        (Transport::Https, Some(TOKEN), &large, "NOERROR; www.test 300 A 192.0.2.1"),
        (Transport::Https, None, &large, "NOERROR; www.test 1 A 192.0.2.53"),
    ] {
        let asker = Asker { from, to, token, transport };
        let answer = home.dns.handle(question, &asker).await.expect("an answer");
        assert_eq!(said(&answer), expected, "{transport:?} {token:?}");
    }
    assert_eq!(
        home.dns.handle(b"no query", &Asker { from, to, token: None, transport: Transport::Tls }).await,
        None
    );
}

#[test]
fn two_gateways_cannot_have_one_port() {
    let first = Bound::bind("127.0.0.1:0".parse().expect("an address"), 2).expect("a port");
    assert!(Bound::bind(first.address(), 2).is_err(), "the second is told, and takes no client's packets");
}

#[tokio::test]
async fn what_reads_like_use_marks_the_minute() {
    let internet = Server::start(ZONE).await;
    let home = Home::open(Setup::new(&[&internet])).await;
    let sheet = || format!("{:?}", home.in_force.current().sheet);
    let blank = sheet();
    for name in ["www.test A", "long.test A", "blocked.test A", "www.test TXT", "www.test AAAA"] {
        home.ask(JORDAN, name).await;
    }
    assert_eq!(sheet(), blank, "two names, one of them twice, and one refused: no burst");
    for name in ["learn.test A", "a.test A", "b.test A", "c.test A", "d.test A", "e.test A"] {
        home.ask(JORDAN, name).await;
    }
    assert_ne!(sheet(), blank, "a page's worth of names in one minute");
}
