//! A publisher on loopback, told what to answer.

use super::*;
use agreements::{Dnssec, Gateway, Upstream};
use proxy::resolver::{Resolver, ResolverSettings};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;

/// Answers each connection with the next of these texts, and tells the requests.
fn publisher(answers: Vec<String>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let url = format!("http://{}/list.txt", listener.local_addr().expect("an address"));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let lines = BufReader::new(stream.try_clone().expect("cloned")).lines();
            let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let _nobody_asks = tell.send(head.join("\n").to_ascii_lowercase());
            let _client_left = stream.write_all(answer.as_bytes());
        }
    });
    (url, told)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

async fn fetch(url: &str, marks: &Marks, most: u64) -> (Result<Fetched, Unfetched>, String) {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().expect("a temporary folder");
    let into = dir.path().join("body");
    let fetched = Fetcher::new(most, Names::default()).expect("a client").fetch(url, marks, &into).await;
    (fetched, std::fs::read_to_string(into).unwrap_or_default())
}

#[tokio::test]
async fn a_body_comes_with_its_marks() {
    let (url, told) =
        publisher(vec![answer("200 OK", "etag: \"v1\"\r\nlast-modified: yesterday\r\n", "a.example\n")]);
    let (fetched, body) = fetch(&url, &Marks::default(), 1000).await;
    let marks = Marks { etag: Some("\"v1\"".to_owned()), last_modified: Some("yesterday".to_owned()) };
    match fetched.expect("fetched") {
        Fetched::Body { marks: got, sha256, bytes } => {
            assert_eq!((got, bytes, sha256.len()), (marks, 10, 64));
        }
        Fetched::Current => panic!("a body was sent"),
    }
    assert_eq!(body, "a.example\n");
    assert!(!told.recv().expect("asked").contains("if-none-match"));
}

#[tokio::test]
async fn a_current_copy_is_not_fetched_again() {
    let (url, told) = publisher(vec![answer("304 Not Modified", "", "")]);
    let marks = Marks { etag: Some("\"v1\"".to_owned()), last_modified: Some("yesterday".to_owned()) };
    let (fetched, _) = fetch(&url, &marks, 1000).await;
    assert_eq!(fetched.expect("asked"), Fetched::Current);
    let request = told.recv().expect("asked");
    assert!(
        request.contains("if-none-match: \"v1\"") && request.contains("if-modified-since: yesterday"),
        "{request}"
    );
}

#[tokio::test]
async fn too_many_bytes_are_refused_whether_announced_or_not() {
    let announced = answer("200 OK", "", &"a".repeat(2000));
    let unannounced = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "a".repeat(2000));
    for (name, text) in [("announced", announced), ("unannounced", unannounced)] {
        let (url, _told) = publisher(vec![text]);
        let (fetched, _) = fetch(&url, &Marks::default(), 1000).await;
        assert!(matches!(fetched, Err(Unfetched::TooLarge(1000))), "{name}: {fetched:?}");
    }
}

#[tokio::test]
async fn what_is_no_list_is_said_to_be_what_it_is() {
    let (url, _told) = publisher(vec![answer("404 Not Found", "", "gone")]);
    let (fetched, _) = fetch(&url, &Marks::default(), 1000).await;
    assert_eq!(fetched.expect_err("no list").to_string(), "the publisher answered 404 Not Found");
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let hop = || answer("302 Found", "location: /again\r\n", "");
    let (url, _told) = publisher(vec![hop(), hop(), hop(), answer("200 OK", "", "a.example\n")]);
    assert!(fetch(&url, &Marks::default(), 1000).await.0.is_ok());
    let (url, _told) = publisher(vec![hop(), hop(), hop(), hop(), hop()]);
    let (fetched, _) = fetch(&url, &Marks::default(), 1000).await;
    assert!(matches!(fetched, Err(Unfetched::Network(_))), "{fetched:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_body() {
    let broken = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\na.example\n".to_owned();
    let (url, _told) = publisher(vec![broken]);
    let (fetched, _) = fetch(&url, &Marks::default(), 1000).await;
    assert!(matches!(fetched, Err(Unfetched::Network(_))), "{fetched:?}");
}

#[tokio::test]
async fn nobody_there_is_told_without_the_address() {
    let (fetched, _) = fetch("http://127.0.0.1:1/list?key=secret", &Marks::default(), 1000).await;
    let told = fetched.expect_err("nobody there").to_string();
    assert!(!told.contains("secret"), "{told}");
}

/// A name server for which every name is on loopback.
fn everything_is_here() -> SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("bound");
    let address = socket.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            let question = query[12..length].iter().position(|byte| *byte == 0).expect("a name") + 12 + 5;
            let is_a = query[question - 3] == 1;
            let head = [&query[..2], &[0x85, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]].concat();
            let record: &[u8] =
                if is_a { &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1] } else { &[] };
            let _nobody_waits = socket.send_to(&[&head, &query[12..question], record].concat(), from);
        }
    });
    address
}

/// Fetches as a home does whose upstream this is, and that opens these networks.
async fn fetch_by_name(url: &str, home_network: Vec<(IpAddr, u8)>) -> Result<Fetched, Unfetched> {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    let upstream = vec![Upstream::Udp(everything_is_here())];
    let gateway = Gateway { upstream, dnssec: Dnssec::Off, home_network, ..Gateway::default() };
    let settings = ResolverSettings::new(&gateway);
    let names = Names::default();
    names.ask(Resolver::new(settings, std::sync::Arc::new(records::SystemClock::new())).expect("a resolver"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    Fetcher::new(1000, names).expect("a client").fetch(url, &Marks::default(), &dir.path().join("body")).await
}

#[tokio::test]
async fn publishers_are_found_by_the_homes_upstreams_and_not_inside() {
    let loopback = || vec![("127.0.0.0".parse().expect("an address"), 8)];
    let by_name = |url: &str| url.replace("127.0.0.1", "list.test");
    let (url, _told) = publisher(vec![answer("200 OK", "", "a.example\n")]);
    assert!(fetch_by_name(&by_name(&url), loopback()).await.is_ok(), "the machine knows no such name");

    let refused = fetch_by_name(&by_name(&url), Vec::new()).await.expect_err("inside");
    assert!(refused.to_string().contains("leads into the home's own network"), "{refused}");

    let (inner, _told) = publisher(vec![answer("200 OK", "", "a.example\n")]);
    let (outer, _told) = publisher(vec![answer("302 Found", &format!("location: {inner}\r\n"), "")]);
    let refused = fetch_by_name(&by_name(&outer), loopback()).await.expect_err("led inside");
    assert!(refused.to_string().contains("a redirect into the home's own network"), "{refused}");
}
