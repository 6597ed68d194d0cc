//! Plain HTTP: what goes out, what comes back.

use crate::client::{Client, ask};
use crate::home::{Home, JORDAN, UNKNOWN};
use crate::origin::{Origin, forgetful_server, saying_server};
use std::sync::atomic::Ordering;

/// A request as a browser or a program writes it (`{}` is the origin's port), and what the origin then saw: its first
/// line, lines that stand there, lines that do not.
struct Sent {
    what: &'static str,
    request: &'static str,
    first: &'static str,
    has: &'static [&'static str],
    lacks: &'static [&'static str],
}

const SENT: &[Sent] = &[
    Sent {
        what: "absolute form becomes origin form",
        request: "GET http://plain.test:{}/a?b=c HTTP/1.1\nHost: plain.test:{}\nAccept: */*\n\n",
        first: "GET /a?b=c",
        has: &["accept: */*", "host: plain.test:{}", "via: 1.1 hearthgate"],
        lacks: &["x-forwarded-for", "forwarded", "connection"],
    },
    Sent {
        what: "the URI wins over Host",
        request: "GET http://plain.test:{}/ HTTP/1.1\nHost: other.test\n\n",
        first: "GET /",
        has: &["host: plain.test:{}"],
        lacks: &["other.test"],
    },
    Sent {
        what: "an empty path is the root",
        request: "GET http://plain.test:{} HTTP/1.1\nHost: x\n\n",
        first: "GET /",
        has: &[],
        lacks: &[],
    },
    Sent {
        what: "what is for one connection stays on it",
        request: "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nConnection: keep-alive, X-Mine\nX-Mine: 1\nX-Ours: 2\n\
                  Proxy-Connection: keep-alive\nKeep-Alive: 5\nTE: gzip\n\n",
        first: "GET /",
        has: &["x-ours: 2"],
        lacks: &["x-mine", "keep-alive", "proxy-", "te: "],
    },
    Sent {
        what: "credentials for the proxy stay here",
        request: "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nAuthorization: Basic eDp5\n\
                  Proxy-Authorization: Basic am9yZGFuLXRhYmxldC03ZjNhMTljNmQyOg==\n\n",
        first: "GET /",
        has: &["authorization: Basic eDp5"],
        lacks: &["proxy-", "am9yZGFu"],
    },
    Sent {
        what: "a body with a length",
        request: "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello",
        first: "POST /",
        has: &["content-length: 5", "hello"],
        lacks: &["transfer-encoding"],
    },
    Sent {
        what: "a body in chunks, with trailers",
        request: "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTrailer: X-Sum\n\n\
                  5\nhello\n0\nX-Sum: 42\n\n",
        first: "POST /",
        has: &["transfer-encoding: chunked", "trailer: X-Sum", "hello--x-sum: 42"],
        lacks: &["content-length"],
    },
    Sent {
        what: "a GET may have a body",
        request: "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n",
        first: "GET /",
        has: &["transfer-encoding: chunked", "hi"],
        lacks: &[],
    },
    Sent {
        what: "methods that nobody knows",
        request: "PROPFIND http://plain.test:{}/ HTTP/1.1\nHost: x\n\n",
        first: "PROPFIND /",
        has: &[],
        lacks: &[],
    },
    Sent {
        what: "OPTIONS counts its hops",
        request: "OPTIONS http://plain.test:{}/ HTTP/1.1\nHost: x\nMax-Forwards: 3\n\n",
        first: "OPTIONS /",
        has: &["max-forwards: 2"],
        lacks: &[],
    },
    Sent {
        what: "a length beside chunks is not passed on",
        request: "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: 3\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n",
        first: "POST /",
        has: &["transfer-encoding: chunked", "hello"],
        lacks: &["content-length"],
    },
    Sent {
        what: "an HTTP/1.0 client",
        request: "GET http://plain.test:{}/ HTTP/1.0\n\n",
        first: "GET /",
        has: &["host: plain.test:{}", "via: 1.0 hearthgate"],
        lacks: &[],
    },
    Sent {
        what: "an upgrade to h2c is not asked for",
        request: "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: A\n\n",
        first: "GET /",
        has: &[],
        lacks: &["upgrade", "http2-settings"],
    },
];

#[tokio::test]
async fn what_is_sent_on() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let port = origin.port().to_string();
    for Sent { what, request, first, has, lacks } in SENT {
        let answer = ask(&home, JORDAN, &request.replace("{}", &port)).await;
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let saw = &answer.body;
        assert_eq!(saw.lines().next(), Some(*first), "{what}");
        for line in *has {
            assert!(saw.contains(&line.replace("{}", &port)), "{what}: `{line}` is missing in\n{saw}");
        }
        for word in *lacks {
            assert!(!saw.contains(word), "{what}: `{word}` stands in\n{saw}");
        }
    }
    assert!(home.breaches().await.is_empty(), "allowed traffic leaves no record");
}

#[tokio::test]
async fn what_comes_back() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    let answer = ask(&home, JORDAN, &format!("GET {url}/hops HTTP/1.1\nHost: x\n\n")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "hops"));
    assert_eq!(answer.header("x-ours"), Some("2"));
    assert_eq!(answer.header("via"), Some("1.1 hearthgate"));
    for gone in ["x-mine", "keep-alive", "proxy-authenticate", "proxy-connection", "upgrade", "connection"] {
        assert_eq!(answer.header(gone), None, "{gone}");
    }
    let answer = ask(
        &home,
        JORDAN,
        &format!("GET {url}/trailers HTTP/1.1\nHost: x\nTE: trailers\nConnection: TE\n\n"),
    )
    .await;
    assert_eq!(answer.body, "summed\n--\nx-sum: 42\r\n");
    let answer = ask(&home, JORDAN, &format!("GET {url}/empty HTTP/1.1\nHost: x\n\n")).await;
    assert_eq!(answer.status, 204);
    let answer = ask(&home, JORDAN, &format!("GET {url}/407 HTTP/1.1\nHost: x\n\n")).await;
    assert_eq!(answer.status, 502, "an origin may not ask for the proxy's credentials");
}

#[tokio::test]
async fn head_has_no_body_and_the_connection_lives_on() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    let mut client = Client::of(&home, JORDAN).await;
    client.say(&format!("HEAD {url}/big HTTP/1.1\nHost: x\n\n")).await;
    let answer = client.head().await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("4194304")));
    client.say(&format!("GET {url}/next HTTP/1.1\nHost: x\n\n")).await;
    assert!(client.answer().await.body.starts_with("GET /next"));
    assert_eq!(home.counters.accepted.get(), 1);
    assert_eq!(origin.connections.load(Ordering::SeqCst), 1, "one connection to the origin for both");
    assert_eq!(home.counters.reused.get(), 1);
}

#[tokio::test]
async fn two_requests_in_one_breath_are_answered_in_order() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    let mut client = Client::of(&home, JORDAN).await;
    client.say(&format!("GET {url}/one HTTP/1.1\nHost: x\n\nGET {url}/two HTTP/1.1\nHost: x\n\n")).await;
    assert!(client.answer().await.body.starts_with("GET /one"));
    assert!(client.answer().await.body.starts_with("GET /two"));
}

#[tokio::test]
async fn a_client_that_waits_for_100_is_told_to_go_on() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let mut client = Client::of(&home, JORDAN).await;
    client
        .say(&format!(
            "POST {}/ HTTP/1.1\nHost: x\nContent-Length: 2\nExpect: 100-continue\n\n",
            origin.url("plain.test")
        ))
        .await;
    assert_eq!(client.head().await.status, 100);
    client.say("hi").await;
    let answer = client.answer().await;
    assert!(answer.body.contains("expect: 100-continue") && answer.body.ends_with("hi"), "{answer:?}");
}

#[tokio::test]
async fn a_refused_client_that_waits_for_100_is_refused() {
    let home = Home::open().await;
    let mut client = Client::of(&home, JORDAN).await;
    client
        .say("POST http://blocked.test/ HTTP/1.1\nHost: x\nContent-Length: 2\nExpect: 100-continue\n\n")
        .await;
    assert_eq!(client.head().await.status, 403);
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    let answer = ask(&home, JORDAN, &format!("GET {url}/big HTTP/1.1\nHost: x\n\n")).await;
    assert_eq!(answer.body.len(), 4 << 20);
    let mut client = Client::of(&home, JORDAN).await;
    client.say(&format!("POST {url}/count HTTP/1.1\nHost: x\nContent-Length: {}\n\n", 4 << 20)).await;
    client.send(&vec![b'y'; 4 << 20]).await;
    assert_eq!(client.answer().await.body, "4194304");
}

#[tokio::test]
async fn a_kept_connection_that_the_origin_closed_is_no_error() {
    let home = Home::open().await;
    let origin = forgetful_server().await;
    let mut client = Client::of(&home, JORDAN).await;
    for _ in 0..20 {
        client.say(&format!("GET http://plain.test:{}/ HTTP/1.1\nHost: x\n\n", origin.port())).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn whose_fault_it_is_and_whether_to_try_again() {
    let home = Home::open().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nonsense = saying_server(b"SSH-2.0-x\r\n").await.port();
    let silent = saying_server(b"").await.port();
    for (url, status, problem, fault, retry) in [
        ("http://gone.test/".to_owned(), 502, "no-such-site", "site", false),
        ("http://inside.test/".to_owned(), 403, "points-inside", "site", false),
        (format!("http://plain.test:{nobody}/"), 502, "unreachable", "site", true),
        (format!("http://plain.test:{nonsense}/"), 502, "broken-answer", "site", true),
        (format!("http://plain.test:{silent}/"), 502, "broken-answer", "site", true),
        ("https://plain.test/".to_owned(), 501, "https-needs-connect", "program", false),
    ] {
        let answer =
            ask(&home, JORDAN, &format!("GET {url} HTTP/1.1\nHost: x\nAccept: application/json\n\n")).await;
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        let told = (answer.status, body["problem"].as_str(), body["fault"].as_str(), body["retry"].as_bool());
        assert_eq!(told, (status, Some(problem), Some(fault), Some(retry)), "{url}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{url}");
    }
    assert!(home.breaches().await.is_empty(), "what is no refusal is not recorded");
}

#[tokio::test]
async fn the_gateways_own_pages_need_no_agreement() {
    let home = Home::with(|config| {
        config.own_pages = Some(std::sync::Arc::new(|peer, request| {
            Box::pin(async move {
                use http_body_util::BodyExt;
                let text = format!("{} for {}", request.uri().path(), peer.ip());
                let body = http_body_util::Full::from(text).map_err(|never| match never {});
                hyper::Response::new(proxy::http::OwnBody::new(body))
            })
        }));
    })
    .await;
    let own = format!("http://127.0.0.1:{}/me", home.proxy.port());
    for target in ["/me", "http://hearthgate.home.arpa/me", "http://HEARTHGATE.home.arpa:80/me", &own] {
        let answer = ask(&home, UNKNOWN, &format!("GET {target} HTTP/1.1\nHost: x\n\n")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "/me for 127.0.0.9"), "{target}");
    }
}

#[tokio::test]
async fn options_is_answered_here_when_it_may_go_no_further() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    for request in [
        format!("OPTIONS {url}/ HTTP/1.1\nHost: x\nMax-Forwards: 0\n\n"),
        "OPTIONS * HTTP/1.1\nHost: x\n\n".into(),
    ] {
        let answer = ask(&home, JORDAN, &request).await;
        assert_eq!(answer.status, 200, "{request}");
        assert!(answer.header("allow").is_some_and(|a| a.contains("CONNECT")), "{request}");
    }
    assert_eq!(origin.connections.load(Ordering::SeqCst), 0);
}
