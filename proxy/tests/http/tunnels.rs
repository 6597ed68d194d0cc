//! Tunnels: how they begin, what they show, and that bytes pass unchanged.

use crate::client::{Client, ask};
use crate::hello::Hello;
use crate::home::{Home, JORDAN, SAM};
use crate::origin::{Origin, echo_server, saying_server, serve_bytes};
use agreements::Evidence;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What happens to a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tunnel {
    /// The origin gets every byte, and its answer comes back.
    Flows,
    /// It is closed without a byte to either side, and this is recorded.
    Recorded(&'static str),
    /// It is closed without a byte to either side.
    Closed,
    /// The client is told that this is no place for it, the origin gets nothing, and nothing is recorded.
    Told,
}
use Tunnel::{Closed, Flows, Recorded, Told};

#[tokio::test]
async fn what_a_tunnel_shows_is_judged_too() {
    let far = "plain.test";
    let to = Hello::to;
    let cases: Vec<(&str, &str, &str, Vec<u8>, Tunnel)> = vec![
        ("the same name", JORDAN, far, to(far).bytes(), Flows),
        ("the same name in capitals", JORDAN, far, to("PLAIN.test").bytes(), Flows),
        ("another allowed name", JORDAN, far, to("any.test").bytes(), Flows),
        ("a blocked name", JORDAN, far, to("www.blocked.test").bytes(), Recorded("blocked.test")),
        ("a name that is not on the list", SAM, far, to("any.test").bytes(), Recorded("any.test")),
        ("no name", JORDAN, far, Hello::nameless().bytes(), Recorded("127.0.0.1")),
        ("no name, to an allowed one of few", SAM, far, Hello::nameless().bytes(), Recorded("127.0.0.1")),
        (
            "no name, and something encrypted",
            JORDAN,
            far,
            Hello::nameless().encrypted().bytes(),
            Recorded("127.0.0.1"),
        ),
        ("no name, to an opened address", JORDAN, "127.0.0.1", Hello::nameless().bytes(), Flows),
        ("no name, to help", JORDAN, "help.test", Hello::nameless().bytes(), Closed),
        ("no TLS, to help", SAM, "help.test", b"\x05\x01\x00".to_vec(), Told),
        (
            "another site's page, to help",
            JORDAN,
            "help.test",
            b"GET / HTTP/1.0\r\nHost: blocked.test\r\n\r\n".to_vec(),
            Told,
        ),
        (
            "another site's page after an empty line, to help",
            JORDAN,
            "help.test",
            b"\r\nGET / HTTP/1.1\r\nHost: blocked.test\r\n\r\n".to_vec(),
            Told,
        ),
        (
            "an encrypted hello, outer name another, to help",
            JORDAN,
            "help.test",
            to("any.test").encrypted().bytes(),
            Closed,
        ),
        ("a search engine's name", JORDAN, far, to("www.bing.com").bytes(), Flows),
        ("another name, to help", JORDAN, "help.test", to("blocked.test").bytes(), Recorded("blocked.test")),
        ("an encrypted hello, outer name the same", JORDAN, far, to(far).encrypted().bytes(), Flows),
        (
            "an encrypted hello, outer name another allowed one",
            JORDAN,
            far,
            to("any.test").encrypted().bytes(),
            Recorded("127.0.0.1"),
        ),
        (
            "an encrypted hello, outer name blocked",
            JORDAN,
            far,
            to("blocked.test").encrypted().bytes(),
            Recorded("blocked.test"),
        ),
        ("post-quantum size", JORDAN, far, to(far).post_quantum().bytes(), Flows),
        (
            "post-quantum size in small records",
            JORDAN,
            far,
            to("blocked.test").post_quantum().in_records_of(90).bytes(),
            Recorded("blocked.test"),
        ),
        (
            "two names",
            JORDAN,
            far,
            to(far).with(0, b"\0\x09\0\0\x06b.test".to_vec()).bytes(),
            Recorded("127.0.0.1"),
        ),
        ("SSH", JORDAN, far, b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), Recorded("127.0.0.1")),
        ("SOCKS", JORDAN, far, b"\x05\x01\x00".to_vec(), Recorded("127.0.0.1")),
        (
            "OpenVPN",
            JORDAN,
            far,
            b"\x00\x0e\x38\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00\x00\x00\x00".to_vec(),
            Recorded(far),
        ),
        (
            "HTTP/2 without TLS",
            JORDAN,
            far,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            Recorded("127.0.0.1"),
        ),
        ("nothing", JORDAN, far, vec![], Closed),
        ("half a hello", JORDAN, far, to(far).bytes()[..40].to_vec(), Closed),
        ("SSH to an opened address", JORDAN, "127.0.0.1", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), Flows),
    ];
    let origin = echo_server().await;
    for (what, device, host, bytes, meant) in cases {
        let home = Home::open().await;
        if host != "127.0.0.1" {
            home.close_addresses();
        }
        let mut client = Client::of(&home, device).await;
        assert_eq!(client.tunnel(host, origin).await, 200, "{what}");
        client.send(&bytes).await;
        match meant {
            Flows => assert_eq!(client.take(bytes.len()).await, bytes, "{what}"),
            Recorded(_) | Closed => assert!(client.is_closed().await, "{what}"),
            Told => {
                let told = String::from_utf8(client.rest().await).unwrap();
                assert!(told.starts_with("HTTP/1.1 400 "), "{what}: {told}");
            }
        }
        drop(client);
        let breaches = home.breaches().await;
        let sites: Vec<_> = breaches.iter().map(|b| (b.site.as_str(), b.evidence)).collect();
        match meant {
            Recorded(site) => assert_eq!(sites, [(site, Evidence::Connection)], "{what}"),
            Flows | Closed | Told => assert_eq!(sites, [], "{what}"),
        }
    }
}

#[tokio::test]
async fn a_hello_may_come_in_any_number_of_pieces() {
    let (home, origin) =
        (Home::with(|c| c.limits.opening = Duration::from_secs(10)).await, echo_server().await);
    let bytes = Hello::to("plain.test").post_quantum().in_records_of(500).bytes();
    for piece in [1, 7, 600, 1448] {
        let mut client = Client::of(&home, JORDAN).await;
        assert_eq!(client.tunnel("plain.test", origin).await, 200);
        for part in bytes.chunks(piece) {
            client.send(part).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(client.take(bytes.len()).await, bytes, "{piece} bytes at a time");
    }
}

#[tokio::test]
async fn a_hello_sent_with_the_connect_is_not_lost() {
    let (home, origin) = (Home::open().await, echo_server().await);
    let hello = Hello::to("plain.test").bytes();
    let mut client = Client::of(&home, JORDAN).await;
    let connect = format!("CONNECT plain.test:{} HTTP/1.1\r\n\r\n", origin.port());
    client.send(&[connect.as_bytes(), &hello].concat()).await;
    assert_eq!(client.head().await.status, 200);
    assert_eq!(client.take(hello.len()).await, hello);
}

#[tokio::test]
async fn plain_http_in_a_tunnel_is_told_the_way() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let get = |host: &str, more: &str| format!("GET / HTTP/1.1\nHost: {host}\n{more}\n");
    for (request, status) in [
        (get("plain.test", ""), 400),
        (get("blocked.test", "Upgrade: websocket\nConnection: Upgrade\n"), 403),
    ] {
        let mut client = Client::of(&home, JORDAN).await;
        assert_eq!(client.tunnel("plain.test", origin.address).await, 200);
        client.say(&request).await;
        assert_eq!(client.answer().await.status, status, "{request}");
        assert!(client.is_closed().await);
    }
    assert_eq!(home.breaches().await.iter().map(|b| b.site.as_str()).collect::<Vec<_>>(), ["blocked.test"]);
}

/// A WebSocket's request over plain HTTP, as browsers send it.
fn websocket(path: &str) -> String {
    format!("GET {path} HTTP/1.1\nHost: plain.test\nConnection: Upgrade\nUpgrade: websocket\n\n")
}

#[tokio::test]
async fn a_plain_websocket_flows_once_the_origin_agrees() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let mut client = Client::of(&home, JORDAN).await;
    assert_eq!(client.tunnel("plain.test", origin.address).await, 200);
    client.say(&format!("{}early", websocket("/ws"))).await;
    assert_eq!(client.head().await.status, 101);
    assert_eq!(client.take(11).await, b"hello\nearly");
    client.send(b"and on").await;
    assert_eq!(client.take(6).await, b"and on");
    assert!(home.breaches().await.is_empty());
}

#[tokio::test]
async fn a_plain_websocket_is_judged_by_its_path() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let mut client = Client::of(&home, JORDAN).await;
    assert_eq!(client.tunnel("plain.test", origin.address).await, 200);
    client.say(&websocket("/x/../games/ws")).await;
    assert_eq!(client.answer().await.status, 403);
    assert!(client.is_closed().await);
    assert_eq!(home.breaches().await.len(), 1);
}

#[tokio::test]
async fn an_origin_that_does_not_agree_gets_no_second_request() {
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let origin = serve_bytes({
        let heard = heard.clone();
        move |mut stream| {
            let heard = heard.clone();
            async move {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                    heard.lock().unwrap().extend_from_slice(&bytes[..read]);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno").await;
                }
            }
        }
    })
    .await;
    let home = Home::open().await;
    let second = "GET /secret HTTP/1.1\r\nHost: blocked.test\r\n\r\n";
    // The second request comes with the first, or after its answer.
    for together in [true, false] {
        heard.lock().unwrap().clear();
        let mut client = Client::of(&home, JORDAN).await;
        assert_eq!(client.tunnel("plain.test", origin).await, 200);
        client.say(&format!("{}{}", websocket("/ws"), if together { second } else { "" })).await;
        assert_eq!(client.head().await.status, 200);
        assert_eq!(client.take(2).await, b"no");
        client.say(second).await;
        assert!(client.is_closed().await);
        let heard = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
        assert!(heard.starts_with("GET /ws ") && !heard.contains("secret"), "{heard}");
    }
}

#[tokio::test]
async fn what_is_no_websocket_makes_no_plain_tunnel() {
    let (home, origin) = (Home::open().await, echo_server().await);
    for request in [
        "GET /ws HTTP/1.1\nHost: plain.test\nUpgrade: websocket\n\n",
        "GET /ws HTTP/1.1\nHost: plain.test\nConnection: Upgrade\nUpgrade: anything\n\n",
        "GET http://blocked.test/ HTTP/1.1\nHost: plain.test\nConnection: Upgrade\nUpgrade: websocket\n\n",
        "GET /ws HTTP/1.1\nHost: any.test\nConnection: Upgrade\nUpgrade: websocket\n\n",
    ] {
        let mut client = Client::of(&home, JORDAN).await;
        assert_eq!(client.tunnel("plain.test", origin).await, 200);
        client.say(request).await;
        assert_eq!(client.answer().await.status, 400, "{request}");
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn nothing_is_promised_before_the_origin_is_there() {
    let home = Home::open().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (target, status) in [
        (format!("plain.test:{nobody}"), 502),
        ("gone.test:443".into(), 502),
        ("inside.test:443".into(), 403),
        ("blocked.test:443".into(), 403),
        (format!("127.0.0.1:{}", home.proxy.port()), 403),
        (format!("plain.test:{}", home.proxy.port()), 403),
        ("hearthgate.home.arpa:443".into(), 404),
        ("plain.test:25".into(), 403),
        ("plain.test:853".into(), 403),
    ] {
        let answer = ask(&home, JORDAN, &format!("CONNECT {target} HTTP/1.1\nHost: x\n\n")).await;
        assert_eq!(answer.status, status, "{target}");
        assert!(!answer.body.is_empty(), "{target}");
    }
}

#[tokio::test]
async fn either_side_may_close_first() {
    let home = Home::open().await;
    let hello = Hello::to("plain.test").bytes();
    let length = hello.len();
    // A server that answers only once its client has closed.
    let patient = serve_bytes(|mut stream| async move {
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        let _ = stream.write_all(format!("{} bytes", all.len()).as_bytes()).await;
    })
    .await;
    let mut client = Client::of(&home, JORDAN).await;
    client.tunnel("plain.test", patient).await;
    client.send(&hello).await;
    client.send(b"and more").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.rest().await, format!("{} bytes", length + 8).into_bytes());
    // A server that says something and closes.
    let hasty = saying_server(b"goodbye").await;
    let mut client = Client::of(&home, JORDAN).await;
    client.tunnel("plain.test", hasty).await;
    client.send(&hello).await;
    assert_eq!(client.rest().await, b"goodbye");
    drop(client);
    home.until("both tunnels have ended", |c| c.tunnels_open.get() == 0).await;
}

#[tokio::test]
async fn megabytes_pass_both_ways_at_once() {
    let (home, origin) = (Home::open().await, echo_server().await);
    let mut client = Client::of(&home, JORDAN).await;
    client.tunnel("plain.test", origin).await;
    let hello = Hello::to("plain.test").bytes();
    client.send(&hello).await;
    let sent: Vec<u8> = (0..8u32 << 20).map(|i| (i % 251) as u8).collect();
    let (mut read, mut write) = client.stream.into_split();
    let writing = tokio::spawn({
        let sent = sent.clone();
        async move {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        }
    });
    let mut all = Vec::new();
    read.read_to_end(&mut all).await.unwrap();
    writing.await.unwrap();
    assert!(all[..hello.len()] == hello && all[hello.len()..] == sent);
}

#[tokio::test]
async fn a_websocket_passes() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let mut client = Client::of(&home, JORDAN).await;
    let url = origin.url("plain.test");
    client.say(&format!("GET {url}/ws HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n\n")).await;
    let answer = client.head().await;
    assert_eq!(
        (answer.status, answer.header("upgrade"), answer.header("connection")),
        (101, Some("websocket"), Some("upgrade"))
    );
    client.send(b"ping").await;
    assert_eq!(client.take(10).await, b"hello\nping");
    assert_eq!(home.counters.tunnels_open.get(), 1);
    drop(client);
    home.until("the tunnel has ended", |c| c.tunnels_open.get() == 0).await;
}

#[tokio::test]
async fn a_real_handshake_goes_through_unread() {
    use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
    let key = rcgen::generate_simple_self_signed(["plain.test".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions =
        |p| rustls::ServerConfig::builder_with_provider(p).with_safe_default_protocol_versions().unwrap();
    let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
    let server = versions(provider.clone())
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    let origin = serve_bytes(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut tls = acceptor.accept(stream).await.unwrap();
            tls.write_all(b"only we know").await.unwrap();
            tls.shutdown().await.unwrap();
        }
    })
    .await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let home = Home::open().await;
    let mut client = Client::of(&home, JORDAN).await;
    assert_eq!(client.tunnel("plain.test", origin).await, 200);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from("plain.test").unwrap();
    let mut tls = connector.connect(name, client.stream).await.unwrap();
    let mut secret = String::new();
    tls.read_to_string(&mut secret).await.unwrap();
    assert_eq!(secret, "only we know");
}
