//! Bad requests: a table of what is sent and what it gets. The proxy is the same for all, and works after each.

use crate::client::{Client, ask};
use crate::home::{Home, JORDAN};
use crate::origin::Origin;
use std::sync::atomic::Ordering;

/// What, the bytes (`\n` for CRLF, `{}` for an origin's port), the status; 0 for a connection that is closed without one.
const BAD: &[(&str, &str, u16)] = &[
    ("no HTTP", "hello\n\n", 400),
    ("TLS at the proxy's port", "\x16\x03\x01\x02\x00\x01\x00\x01\n\n", 400),
    ("HTTP/2 preface", "PRI * HTTP/2.0\n\nSM\n\n", 0),
    ("HTTP/3", "GET http://plain.test:{}/ HTTP/3.0\nHost: x\n\n", 400),
    ("no version", "GET http://plain.test:{}/\n\n", 400),
    ("a space in the target", "GET http://plain.test:{}/a b HTTP/1.1\nHost: x\n\n", 400),
    ("a nul in the target", "GET http://plain.test:{}/\0 HTTP/1.1\nHost: x\n\n", 400),
    ("no Host", "GET http://plain.test:{}/ HTTP/1.1\n\n", 400),
    ("two Hosts", "GET http://plain.test:{}/ HTTP/1.1\nHost: a.test\nHost: b.test\n\n", 400),
    ("the same Host twice", "GET http://plain.test:{}/ HTTP/1.1\nHost: a.test\nHost: a.test\n\n", 400),
    ("white space before the colon", "GET http://plain.test:{}/ HTTP/1.1\nHost : x\n\n", 400),
    ("a folded line", "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nA: b\n c\n\n", 400),
    ("a header without a colon", "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nnonsense\n\n", 400),
    ("a nul in a header", "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nA: \0\n\n", 400),
    (
        "a length that is no number",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: ten\n\n",
        400,
    ),
    ("a negative length", "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: -1\n\n", 400),
    ("a length with a sign", "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: +1\n\nx", 400),
    (
        "two lengths that differ",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: 1\nContent-Length: 2\n\nxx",
        400,
    ),
    (
        "a length beyond all",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nContent-Length: 18446744073709551616\n\n",
        400,
    ),
    (
        "a coding that is not chunked",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: gzip\n\n",
        400,
    ),
    (
        "chunked, then something",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: chunked, gzip\n\n",
        400,
    ),
    (
        "chunked, then identity",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nTransfer-Encoding: identity\n\n",
        400,
    ),
    (
        "chunked misspelt",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: xchunked\n\n",
        400,
    ),
    ("chunks in HTTP/1.0", "POST http://plain.test:{}/ HTTP/1.0\nTransfer-Encoding: chunked\n\n0\n\n", 400),
    (
        "a chunk length that is none",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nzz\nhi\n0\n\n",
        400,
    ),
    ("https in absolute form", "GET https://plain.test/ HTTP/1.1\nHost: x\n\n", 501),
    ("ftp", "GET ftp://plain.test/ HTTP/1.1\nHost: x\n\n", 400),
    ("a scheme of nobody", "GET gopher://plain.test/ HTTP/1.1\nHost: x\n\n", 400),
    ("a user in the address", "GET http://plain.test@other.test/ HTTP/1.1\nHost: x\n\n", 400),
    ("a user and a word in the address", "GET http://a:b@plain.test:{}/ HTTP/1.1\nHost: x\n\n", 400),
    ("port nought", "GET http://plain.test:0/ HTTP/1.1\nHost: x\n\n", 400),
    ("a port beyond all", "GET http://plain.test:65536/ HTTP/1.1\nHost: x\n\n", 400),
    ("a mail server's port", "GET http://plain.test:25/ HTTP/1.1\nHost: x\n\n", 403),
    ("an address in a shape of old", "GET http://2130706433/ HTTP/1.1\nHost: x\n\n", 400),
    ("an address in another", "GET http://0x7f.1/ HTTP/1.1\nHost: x\n\n", 400),
    ("a name with an empty label", "GET http://a..test/ HTTP/1.1\nHost: x\n\n", 400),
    ("a zone", "GET http://[fe80::1%25eth0]/ HTTP/1.1\nHost: x\n\n", 400),
    ("TRACE", "TRACE http://plain.test:{}/ HTTP/1.1\nHost: x\n\n", 405),
    (
        "an expectation of nobody",
        "POST http://plain.test:{}/ HTTP/1.1\nHost: x\nExpect: 200-ok\nContent-Length: 1\n\nx",
        417,
    ),
    ("a loop", "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nVia: 1.1 other, 1.1 hearthgate\n\n", 508),
    ("a loop of tunnels", "CONNECT plain.test:443 HTTP/1.1\nHost: x\nVia: 1.1 hearthgate\n\n", 508),
    ("CONNECT without a port", "CONNECT plain.test HTTP/1.1\nHost: x\n\n", 400),
    ("CONNECT to a path", "CONNECT /path HTTP/1.1\nHost: x\n\n", 400),
    ("CONNECT to a URL", "CONNECT http://plain.test:443/ HTTP/1.1\nHost: x\n\n", 400),
    ("CONNECT with a user", "CONNECT a@plain.test:443 HTTP/1.1\nHost: x\n\n", 400),
    ("CONNECT to nothing", "CONNECT :443 HTTP/1.1\nHost: x\n\n", 400),
    ("CONNECT to a name server", "CONNECT plain.test:853 HTTP/1.1\nHost: x\n\n", 403),
    ("CONNECT to SSH", "CONNECT plain.test:22 HTTP/1.1\nHost: x\n\n", 403),
    (
        "credentials of no kind",
        "GET http://plain.test:{}/ HTTP/1.1\nHost: x\nProxy-Authorization: Nonsense\n\n",
        407,
    ),
    ("the proxy as a web server", "GET / HTTP/1.1\nHost: plain.test\n\n", 404),
];

#[tokio::test]
async fn what_bad_requests_get() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let port = origin.port().to_string();
    let mut wrong = Vec::new();
    for (what, request, meant) in BAD {
        let mut client = Client::of(&home, JORDAN).await;
        client.say(&request.replace("{}", &port)).await;
        let status = client.status().await;
        if status != *meant {
            wrong.push((what, status, meant));
        }
    }
    assert!(wrong.is_empty(), "(what, the status it got, the status meant): {wrong:#?}");
    assert_eq!(BAD.len(), 50);
    let good = format!("GET {}/ HTTP/1.1\nHost: x\n\n", origin.url("plain.test"));
    assert_eq!(ask(&home, JORDAN, &good).await.status, 200, "it still works");
    home.until("nothing is left open", |c| c.connections_open.get() == 0 && c.exchanges_open.get() == 0)
        .await;
    assert!(home.breaches().await.is_empty(), "a bad request is no breach");
}

#[tokio::test]
async fn heads_and_targets_have_a_limit() {
    let home = Home::open().await;
    let long = "a".repeat(70_000);
    for (request, status) in [
        (format!("GET http://plain.test/{long} HTTP/1.1\nHost: x\n\n"), [414, 431]),
        (format!("GET http://plain.test/ HTTP/1.1\nHost: x\nA: {long}\n\n"), [431, 431]),
        (format!("GET http://plain.test/ HTTP/1.1\nHost: x\n{}\n", "A: b\n".repeat(200)), [431, 431]),
    ] {
        let mut client = Client::of(&home, JORDAN).await;
        client.say(&request).await;
        let answer = client.head().await;
        assert!(status.contains(&answer.status), "{}", answer.status);
    }
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_request() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let url = origin.url("plain.test");
    let hidden = "GET http://blocked.test/hidden HTTP/1.1\nHost: x\n\n";
    for (what, request) in [
        (
            "both lengths",
            format!(
                "POST {url}/one HTTP/1.1\nHost: x\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n{hidden}"
            ),
        ),
        (
            "both lengths, the other way",
            format!(
                "POST {url}/one HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nContent-Length: 100\n\n0\n\n{hidden}"
            ),
        ),
    ] {
        let before = origin.connections.load(Ordering::SeqCst);
        let mut client = Client::of(&home, JORDAN).await;
        client.say(&request).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 200, "{what}");
        assert!(
            answer.body.starts_with("POST /one") && !answer.body.contains("hidden"),
            "{what}: {answer:?}"
        );
        assert!(!answer.body.contains("content-length"), "{what}: one length goes on");
        assert!(
            client.is_closed().await,
            "{what}: whatever follows is not read as a request (RFC 9112 §6.1)"
        );
        assert!(origin.connections.load(Ordering::SeqCst) <= before + 1);
    }
}
