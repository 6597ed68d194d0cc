//! The proxy read as an attacker reads it: ways to the gateway itself and into the home, names written in other ways, and
//! framing that two readers could take for two things. Nothing here may reach an origin that the agreement or the reach closes.

use crate::client::{Client, ask};
use crate::home::{Home, JORDAN};
use crate::origin::{Origin, echo_server};
use proxy::target::Reach;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;

/// Nothing inside is opened, and names lead to loopback, which is the gateway's.
async fn closed_home() -> Home {
    Home::with(|c| c.reach = Reach { home_network: Vec::new(), own_ports: Vec::new() }).await
}

/// Hosts that lead to this machine or into the home, and what both `CONNECT` and `GET` get for them: 400 where it is no host,
/// 403 where the address is closed or the agreement refuses it, 502 where there is no such name.
const HOSTS: &[(&str, u16)] = &[
    ("127.0.0.1", 403),
    ("127.66.7.8", 403),
    ("[::1]", 403),
    ("[::ffff:127.0.0.1]", 403),
    ("[::ffff:7f00:1]", 403),
    ("[0:0:0:0:0:ffff:7f00:0001]", 403),
    ("[::127.0.0.1]", 403),
    ("[64:ff9b::7f00:1]", 403),
    ("[2002:7f00:1::]", 403),
    ("0.0.0.0", 403),
    ("[::]", 403),
    ("[::ffff:0.0.0.0]", 403),
    ("192.168.4.1", 403),
    ("10.0.0.1", 403),
    ("[fd00::1]", 403),
    ("[fe80::1]", 403),
    ("169.254.169.254", 403),
    ("[::ffff:169.254.169.254]", 403),
    ("[fd00:ec2::254]", 403),
    ("100.100.100.200", 403),
    ("255.255.255.255", 403),
    ("224.0.0.251", 403),
    // Addresses in shapes of old: decimal, octal, hexadecimal, short.
    ("0", 400),
    ("127.1", 400),
    ("127.0.1", 400),
    ("2130706433", 400),
    ("017700000001", 400),
    ("0177.0.0.1", 400),
    ("127.0.0.01", 400),
    ("0x7f000001", 400),
    ("0x7F.0.0.1", 400),
    ("0x7f.0x0.0x0.0x1", 400),
    ("127.0.0.1.", 400),
    ("2852039166", 400),
    ("0xa9fea9fe", 400),
    ("256.0.0.1", 400),
    ("127.0.0.1.1", 400),
    // Names that lead there.
    ("localhost", 502),
    ("LOCALHOST", 502),
    ("localhost.", 502),
    ("a.localhost", 502),
    ("plain.test", 403),
    ("localhost.test", 403),
    ("metadata.test", 403),
    ("inside.test", 403),
    // A blocked name, written in other ways.
    ("blocked.test", 403),
    ("BLOCKED.TEST", 403),
    ("blocked.test.", 403),
    ("www.Blocked.Test.", 403),
    ("blocked.test..", 400),
    (".blocked.test", 400),
    ("b%6cocked.test", 400),
    ("blocked%2etest", 400),
    ("blocked.test%00.plain.test", 400),
    ("blocked.test\\.plain.test", 400),
    ("plain.test@blocked.test", 400),
    ("plain.test:80@blocked.test", 400),
    ("[blocked.test]", 400),
    ("[127.0.0.1]", 400),
    ("blocked\u{3002}test", 400),
    ("\u{ff42}locked.test", 400),
    ("\u{2460}\u{2461}\u{2466}.0.0.1", 400),
    ("xn--locked-ok38b.test", 403),
];

#[tokio::test]
async fn no_way_of_writing_a_host_leads_inside() {
    let (home, origin) = (closed_home().await, Origin::start().await);
    let port = origin.port();
    let mut wrong = Vec::new();
    for (host, meant) in HOSTS {
        for request in [
            format!("CONNECT {host}:{port} HTTP/1.1\nHost: x\n\n"),
            format!("GET http://{host}:{port}/ HTTP/1.1\nHost: plain.test\n\n"),
        ] {
            let mut client = Client::of(&home, JORDAN).await;
            client.say(&request).await;
            let status = client.status().await;
            if status != *meant {
                wrong.push((request, status, *meant));
            }
        }
    }
    assert!(wrong.is_empty(), "(what, the status it got, the status meant): {wrong:#?}");
    assert_eq!((HOSTS.len(), origin.connections.load(Ordering::SeqCst)), (63, 0));
}

/// Ports of other services, and the proxy's own.
#[tokio::test]
async fn an_allowed_host_is_no_way_to_other_services() {
    let home = Home::open().await;
    for port in
        [0, 7, 19, 21, 22, 23, 25, 53, 69, 111, 123, 135, 139, 389, 445, 465, 514, 587, 853, 2049, 6667]
    {
        let request = format!("GET http://plain.test:{port}/ HTTP/1.1\nHost: x\n\n");
        let status = ask(&home, JORDAN, &request).await.status;
        assert!(matches!((port, status), (0, 400) | (445, 502) | (1.., 403)), "GET {port}: {status}");
    }
    for port in [0, 7, 19, 21, 22, 23, 25, 53, 69, 111, 123, 135, 139, 389, 445, 514, 853, 1080, 3128, 9050] {
        let request = format!("CONNECT plain.test:{port} HTTP/1.1\nHost: x\n\n");
        let status = ask(&home, JORDAN, &request).await.status;
        assert!(matches!((port, status), (0, 400) | (1.., 403)), "CONNECT {port}: {status}");
    }
    let own = home.proxy.port();
    for (request, status) in [
        (format!("CONNECT plain.test:{own} HTTP/1.1\nHost: x\n\n"), 403),
        (format!("CONNECT 127.0.0.77:{own} HTTP/1.1\nHost: x\n\n"), 403),
        (format!("GET http://plain.test:{own}/ HTTP/1.1\nHost: x\n\n"), 403),
        // The gateway's own name and listener are its own pages, of which this home has none.
        (format!("GET http://127.0.0.1:{own}/ HTTP/1.1\nHost: x\n\n"), 404),
        ("GET http://HEARTHGATE.home.arpa.:8443/ HTTP/1.1\nHost: x\n\n".into(), 404),
        ("CONNECT HEARTHGATE.home.arpa.:8443 HTTP/1.1\nHost: x\n\n".into(), 404),
        ("CONNECT hearthgate.home.arpa:80 HTTP/1.1\nHost: x\n\n".into(), 404),
    ] {
        assert_eq!(ask(&home, JORDAN, &request).await.status, status, "{request}");
    }
}

#[tokio::test]
async fn a_name_that_moves_inside_between_two_questions_is_not_followed() {
    let (here, there) = ("127.0.0.1".parse().unwrap(), "127.0.0.66");
    let home = Home::with(|c| c.reach.home_network = vec![(here, 32)]).await;
    let origin = Origin::start().await;
    let trap = TcpListener::bind((there, origin.port())).await.expect("the same port, another address");
    let (mut reached, mut refused) = (0, 0);
    for _ in 0..12 {
        let tunnel = Client::of(&home, JORDAN).await.tunnel("flips.test", origin.address).await;
        let page =
            ask(&home, JORDAN, &format!("GET {}/ HTTP/1.1\nHost: x\n\n", origin.url("flips.test"))).await;
        assert_eq!(tunnel, page.status, "both are dialled as they were looked up");
        match page.status {
            200 => reached += 1,
            403 => refused += 1,
            other => panic!("{other}"),
        }
        // The answer's time is over, and the next is another.
        home.clock.advance(Duration::from_secs(120));
    }
    assert!(reached > 3 && refused > 3, "{reached}, {refused}");
    let nobody = tokio::time::timeout(Duration::from_millis(50), trap.accept()).await;
    assert!(nobody.is_err(), "the address inside was dialled");
}

/// Framing that readers take differently, before a request for a blocked site. What the origin sees of it is one request or none.
const SMUGGLED: &[(&str, &str)] = &[
    ("a bare line feed between headers", "GET {url}/one HTTP/1.1\r\nHost: x\nX: y\r\n\r\n"),
    ("a bare carriage return in a value", "GET {url}/one HTTP/1.1\r\nHost: x\r\nX: y\rZ: z\r\n\r\n"),
    ("a bare carriage return for a line end", "GET {url}/one HTTP/1.1\r\nHost: x\r\rGET {hidden}"),
    ("a space before the first header", "GET {url}/one HTTP/1.1\r\n Host: x\r\nX: y\r\n\r\n"),
    (
        "the same length twice",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    ),
    ("a list of lengths", "POST {url}/one HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 4\r\n\r\nabcd"),
    (
        "a length with white space before the colon",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\nabcd",
    ),
    ("a hexadecimal length", "POST {url}/one HTTP/1.1\r\nHost: x\r\nContent-Length: 0x4\r\n\r\nabcd"),
    (
        "chunked twice",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked after a vertical tab",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked in quotes",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked named by Connection",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nConnection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a length named by Connection",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nConnection: content-length\r\nContent-Length: 4\r\n\r\nabcd",
    ),
    (
        "a chunk's length with a sign",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    ),
    (
        "a chunk's length in hexadecimal notation",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    ),
    (
        "a chunk's length beyond all",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n\r\n",
    ),
    (
        "a chunk that ends with a bare line feed",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
    ),
    (
        "a line feed in a chunk's extension",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\n",
    ),
    (
        "a chunk longer than it says",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
    ),
    (
        "trailers that frame",
        "POST {url}/one HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 5\r\nHost: blocked.test\r\n\r\n",
    ),
    ("a body with GET", "GET {url}/one HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd"),
    ("a line before the request", "\r\n\r\nGET {url}/one HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("HTTP/0.9", "GET {url}/one\r\n"),
    ("HTTP/1.0 that stays", "GET {url}/one HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
];

#[tokio::test]
async fn what_is_framed_in_two_ways_is_one_request_or_none() {
    let (home, origin) = (Home::open().await, echo_server().await);
    let url = format!("http://plain.test:{}", origin.port());
    let hidden = format!(
        "http://blocked.test:{}/hidden HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n",
        origin.port()
    );
    for (what, request) in SMUGGLED {
        let mut client = Client::of(&home, JORDAN).await;
        let request = request.replace("{url}", &url).replace("{hidden}", &hidden);
        client.send(format!("{request}GET {hidden}").as_bytes()).await;
        // This origin gives back what it gets: no answer that HTTP knows, so that the proxy says 502 and shows nothing.
        let heard =
            String::from_utf8_lossy(&client.rest_within(Duration::from_millis(800)).await).into_owned();
        assert!(!heard.contains("/hidden"), "{what}: {heard}");
        let status = heard.get(9..12).unwrap_or("closed");
        assert!(matches!(status, "400" | "502" | "closed"), "{what}: {heard}");
    }
    assert_eq!(SMUGGLED.len(), 24);
    let counted = home.counters.dialled.get() + home.counters.reused.get();
    assert!(counted <= SMUGGLED.len() as u64, "one connection to the origin for each at most: {counted}");
    for breach in home.breaches().await {
        assert_eq!(
            breach.site.as_str(),
            "blocked.test",
            "what was read as a second request was judged as one"
        );
    }
}

#[tokio::test]
async fn a_request_line_without_end_is_refused() {
    let home = Home::open().await;
    let long = "a".repeat(70_000);
    for request in [
        format!("CONNECT {long}:443 HTTP/1.1\nHost: x\n\n"),
        format!("CONNECT {}:443 HTTP/1.1\nHost: x\n\n", "a.".repeat(20_000)),
        format!("CONNECT plain.test:{} HTTP/1.1\nHost: x\n\n", "4".repeat(60_000)),
        format!("CONNECT plain.test:443 HTTP/1.1\nHost: {long}\n\n"),
        format!("CONNECT plain.test:443 HTTP/1.1\nProxy-Authorization: Basic {long}\n\n"),
        format!("{long} http://plain.test/ HTTP/1.1\nHost: x\n\n"),
    ] {
        let mut client = Client::of(&home, JORDAN).await;
        client.say(&request).await;
        let status = client.status().await;
        assert!(matches!(status, 0 | 400 | 414 | 431), "{status}: {}", &request[..40]);
    }
    home.until("nothing is left open", |c| c.connections_open.get() == 0).await;
}

#[tokio::test]
async fn a_form_that_never_ends_frees_its_place() {
    use http_body_util::{BodyExt, Full};
    let home = Home::with(|c| {
        c.limits.answer = Duration::from_millis(300);
        c.own_pages = Some(std::sync::Arc::new(|_, request| {
            Box::pin(async move {
                let read = request.into_body().collect().await.is_ok();
                let body = Full::new(bytes::Bytes::from(if read { "read" } else { "broken" }));
                hyper::Response::new(http_body_util::combinators::UnsyncBoxBody::new(
                    body.map_err(|never| match never {}),
                ))
            })
        }));
    })
    .await;
    let mut client = Client::of(&home, JORDAN).await;
    client.say("POST /ask HTTP/1.1\nHost: hearthgate.home.arpa\nContent-Length: 4\n\nab").await;
    assert_eq!(client.answer().await.status, 408);
    assert!(client.is_closed().await);
    let whole = "POST /ask HTTP/1.1\nHost: hearthgate.home.arpa\nContent-Length: 4\n\nabcd";
    assert_eq!(ask(&home, JORDAN, whole).await.body, "read");
    home.until("its place is free", |c| c.connections_open.get() == 0).await;
}

#[tokio::test]
async fn only_websocket_changes_the_protocol() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    for (protocol, status) in [
        ("websocket", 101),
        ("WebSocket", 101),
        ("ssh", 426),
        ("websocket, ssh", 426),
        ("h2c", 426),
        ("TLS/1.2", 426),
    ] {
        let mut client = Client::of(&home, JORDAN).await;
        // The origin switches whatever it is asked for, and says 426 when nothing is.
        client
            .say(&format!("GET {url}/ws HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: {protocol}\n\n"))
            .await;
        assert_eq!(client.head().await.status, status, "{protocol}");
    }
}
