//! Questions inside TLS: DoT (RFC 7858) and DoH (RFC 8484), and whoever comes to those doors with something else.

use crate::ask::{PATIENCE, Question, connect, said, tcp_hear, tcp_send};
use crate::encrypted::authority;
use crate::home::{Home, JORDAN, KATE, SAM, Setup, TOKEN, UNKNOWN};
use crate::internet::{Mood, Server};
use crate::judged::ZONE;
use agreements::{DeviceBy, Standing};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::base::Message;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use proxy::Tls;
use proxy::dns::{CONTENT_TYPE, Designated, DnsSettings, Listening, Over};
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

pub(crate) const OWN: &str = "hearthgate.home.arpa";
pub(crate) const WWW: &str = "NOERROR; www.test 300 A 192.0.2.1";

/// A home with both encrypted listeners.
pub(crate) struct Doors {
    home: Home,
    root: CertificateDer<'static>,
    dot: SocketAddr,
    pub(crate) doh: SocketAddr,
    _listening: [Listening; 2],
    _stop: CancellationToken,
}

impl Doors {
    pub(crate) async fn open(
        internet: &Arc<Server>,
        settings: impl FnOnce(&mut DnsSettings) + 'static,
    ) -> Self {
        Self::with(Setup::new(&[internet]).dns(settings)).await
    }

    async fn with(setup: Setup) -> Self {
        let home = Home::open(setup).await;
        let names = [OWN, "*.hearthgate.home.arpa"];
        let (root, config) = authority(&["dot", "h2", "http/1.1"], &names);
        let config = Arc::new(config);
        let tls: Tls = Arc::new(move |_| Some(Arc::clone(&config)));
        let stop = CancellationToken::new();
        let listener = || async { tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port") };
        let dot = home.dns.listen_tls(listener().await, tls.clone(), &stop).expect("it listens");
        let doh = home.dns.listen_https(listener().await, tls, &stop).expect("it listens");
        let (at_dot, at_doh) = (dot.address(), doh.address());
        Self { home, root, dot: at_dot, doh: at_doh, _listening: [dot, doh], _stop: stop }
    }

    pub(crate) async fn tls(
        &self,
        device: &str,
        at: SocketAddr,
        name: &str,
        alpn: &str,
    ) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.root.clone()).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let stream = connect(device, at).await;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake")
    }

    async fn dot(&self, device: &str, name: &str) -> TlsStream<TcpStream> {
        self.tls(device, self.dot, name, "dot").await
    }

    /// One request on a connection of its own.
    pub(crate) async fn doh(
        &self,
        (device, name): (&str, &str),
        two: bool,
        request: Request<Full<Bytes>>,
    ) -> Heard {
        let stream =
            TokioIo::new(self.tls(device, self.doh, name, if two { "h2" } else { "http/1.1" }).await);
        let response = if two {
            let (mut client, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
            tokio::spawn(connection);
            client.send_request(request).await.expect("a response")
        } else {
            let (mut client, connection) =
                hyper::client::conn::http1::handshake(stream).await.expect("HTTP/1.1");
            tokio::spawn(connection);
            client.send_request(request).await.expect("a response")
        };
        Heard::of(response).await
    }
}

/// What a DoH client was told.
pub(crate) struct Heard {
    pub(crate) status: u16,
    kind: String,
    cache: String,
    pub(crate) body: Bytes,
}

impl Heard {
    async fn of(response: Response<hyper::body::Incoming>) -> Self {
        let header = |name: &str| {
            response.headers().get(name).map_or(String::new(), |v| v.to_str().unwrap_or_default().to_owned())
        };
        let (status, kind, cache) =
            (response.status().as_u16(), header("content-type"), header("cache-control"));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        Self { status, kind, cache, body }
    }
}

pub(crate) fn get(path: &str, question: &str) -> Request<Full<Bytes>> {
    let uri = format!("https://{OWN}{path}?dns={}", URL_SAFE_NO_PAD.encode(Question::read(question).bytes()));
    Request::get(uri).header("host", OWN).body(Full::default()).expect("a request")
}

fn post(path: &str, kind: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    let request =
        Request::post(format!("https://{OWN}{path}")).header("host", OWN).header("content-type", kind);
    request.body(Full::new(body.into())).expect("a request")
}

#[tokio::test]
async fn rfc7858_many_questions_on_one_connection_are_answered_as_they_are_ready() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    doors.home.ask(KATE, "www.test A").await;
    internet.mood(Mood::Slow(Duration::from_millis(300)));
    let mut stream = doors.dot(KATE, OWN).await;
    for (id, text) in [(1, "long.test A"), (2, "www.test A"), (3, "localhost A")] {
        let question = Question { id, ..Question::read(text) }.bytes();
        let framed = [&(question.len() as u16).to_be_bytes()[..], &question].concat();
        stream.write_all(&framed).await.expect("taken");
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        let answer = hear(&mut stream).await.expect("an answer");
        order.push(u16::from_be_bytes([answer[0], answer[1]]));
    }
    assert_eq!(order, [2, 3, 1], "what waits for an upstream holds up nothing else");
    assert_eq!(doors.home.counted("queries_other"), 3);
}

async fn hear<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let read = async {
        let length = stream.read_u16().await.ok()?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await.ok()?;
        Some(answer)
    };
    tokio::time::timeout(PATIENCE, read).await.expect("in time")
}

async fn ask<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(stream: &mut S, text: &str) -> Vec<u8> {
    let question = Question::read(text).bytes();
    let framed = [&(question.len() as u16).to_be_bytes()[..], &question].concat();
    stream.write_all(&framed).await.expect("taken");
    hear(stream).await.expect("an answer")
}

#[tokio::test]
async fn rfc8467_answers_inside_tls_are_padded_to_blocks() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let mut stream = doors.dot(JORDAN, OWN).await;
    for question in
        ["www.test A +edns", "blocked.test A +edns", "nothere.test A +edns", "hearthgate.home.arpa A +do"]
    {
        let answer = ask(&mut stream, question).await;
        assert_eq!(answer.len() % 468, 0, "{question}: {}", answer.len());
        let message = Message::from_octets(&answer).expect("a message");
        let options = message.opt().expect("an OPT record");
        let padded = options.opt().iter::<domain::base::opt::Padding<_>>().next().expect("padding");
        assert!(padded.is_ok());
    }
    let bare = ask(&mut stream, "www.test A").await;
    assert!(bare.len() < 100, "without EDNS there is nowhere to put it: {}", bare.len());
    let plain = doors.home.raw(JORDAN, "www.test A +edns").await;
    assert!(plain.len() < 100, "in the clear there is nothing to hide: {}", plain.len());
}

/// Over what, from which address, the server name, the path's token, what is said of `blocked.test`. Jordan's agreement
/// says 17 (filtered), nobody's says 15 (blocked), Kate's opens it.
#[tokio::test]
async fn a_token_says_whose_device_it_is_and_beats_the_address() {
    let internet = Server::start(&format!("{ZONE}\nblocked.test 300 A 192.0.2.9")).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let jordan = format!("{TOKEN}.{OWN}");
    let other = format!("nobody-s-tablet.{OWN}");
    let (filtered, baseline, open) = ("; ede 17", "; ede 15", "A 192.0.2.9");
    for (case, device, name, path, expected) in [
        ("dot_name", UNKNOWN, jordan.as_str(), None, filtered),
        ("dot_name_beats_address", KATE, &jordan, None, filtered),
        ("dot_no_token", UNKNOWN, OWN, None, baseline),
        ("dot_address_alone", KATE, OWN, None, open),
        ("dot_unknown_token_is_an_unknown_device", UNKNOWN, &other, None, baseline),
        ("dot_unknown_token_takes_nothing_away", KATE, &other, None, open),
        ("doh_path", UNKNOWN, OWN, Some(TOKEN), filtered),
        ("doh_path_in_capitals", UNKNOWN, OWN, Some("JORDAN-TABLET-7F3A19C6D2"), filtered),
        ("doh_path_beats_address", KATE, OWN, Some(TOKEN), filtered),
        ("doh_name", UNKNOWN, &jordan, Some(""), filtered),
        ("doh_no_token", UNKNOWN, OWN, Some(""), baseline),
        ("doh_unknown_token", UNKNOWN, OWN, Some("nobody-s-tablet"), baseline),
        ("doh_path_before_name", KATE, &jordan, Some("nobody-s-tablet"), open),
        ("doh_token_of_any_bytes", UNKNOWN, OWN, Some("%00%ff..%2f"), baseline),
    ] {
        let answer = match path {
            None => ask(&mut doors.dot(device, name).await, "blocked.test A +edns").await,
            Some(token) => {
                let path = format!("/dns-query/{token}");
                let heard = doors.doh((device, name), true, get(&path, "blocked.test A +edns")).await;
                assert_eq!(heard.status, 200, "{case}");
                heard.body.to_vec()
            }
        };
        assert!(said(&answer).ends_with(expected), "{case}: {}", said(&answer));
    }
}

#[tokio::test]
async fn a_lost_devices_token_is_answered_what_is_protected_and_nothing_else() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let name = format!("{TOKEN}.{OWN}");
    // The connection was there before the device was lost.
    let mut stream = doors.dot(UNKNOWN, &name).await;
    assert!(said(&ask(&mut stream, "www.test A +edns").await).contains("A 192.0.2."));
    let in_force = &doors.home.in_force;
    let house = &in_force.to_keep().snapshot.house;
    let all_of_jordans =
        Standing::new(house, &[], &[], &|_, _| 0).with_lost(house, &|who, _| who == "jordan");
    in_force.replace_standing(all_of_jordans.into());
    let answer = said(&ask(&mut stream, "www.test A +edns").await);
    assert!(answer.ends_with("; ede 15"), "{answer}");
}

#[tokio::test]
async fn a_lost_device_is_lost_whatever_token_it_shows() {
    let internet = Server::start(ZONE).await;
    let setup = Setup::new(&[&internet]).neighbours(&[("127.0.0.21", 3)]);
    let doors = Doors::with(setup).await;
    doors.home.lives_with(&[("sam", DeviceBy::Mac([2, 0, 0, 0, 0, 3]))]);
    let in_force = &doors.home.in_force;
    let house = &in_force.to_keep().snapshot.house;
    let are_lost = |who: &str, device: &str| matches!((who, device), ("jordan", "phone") | ("sam", "laptop"));
    in_force.replace_standing(Standing::new(house, &[], &[], &|_, _| 0).with_lost(house, &are_lost).into());
    let (name, path) = (format!("{TOKEN}.{OWN}"), format!("/dns-query/{TOKEN}"));
    let lost = "; ede 15";
    for (what, device, expected) in [
        ("by its address", JORDAN, lost),
        ("by its hardware", "127.0.0.21", lost),
        ("another", UNKNOWN, "192.0.2.1"),
    ] {
        let dot = ask(&mut doors.dot(device, &name).await, "www.test A +edns").await;
        let doh = doors.doh((device, OWN), true, get(&path, "www.test A +edns")).await.body;
        for answer in [said(&dot), said(&doh)] {
            assert!(answer.ends_with(expected), "{what}: {answer}");
        }
        let help = ask(&mut doors.dot(device, &name).await, "help.test A").await;
        assert!(said(&help).contains("A 192.0.2.4"), "{what}: {}", said(&help));
    }
}

/// What the proxy says to a device that shows a token.
async fn through_the_proxy(at: SocketAddr, device: &str, token: &str) -> String {
    let mut stream = connect(device, at).await;
    let shown = base64::engine::general_purpose::STANDARD.encode(format!("{token}:"));
    let head =
        format!("GET http://blocked.test/ HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic {shown}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).await.expect("taken");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(PATIENCE, read).await.expect("in time").expect("an answer");
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn tokens_that_are_tried_out_are_few_over_tls_https_and_the_proxy_together() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (proxy, stop) = (listener.local_addr().expect("an address"), CancellationToken::new());
    let gate = Arc::clone(doors.home.dns.gate());
    let serving =
        tokio::spawn(proxy::http::serve(vec![listener], gate, proxy::http::Config::default(), stop.clone()));
    let doh = async |device: &str, token: &str, question: &str| {
        doors.doh((device, OWN), true, get(&format!("/dns-query/{token}"), question)).await
    };
    let dot = async |device: &str, token: &str, question: &str| {
        said(&ask(&mut doors.dot(device, &format!("{token}.{OWN}")).await, question).await)
    };
    let blocked = "blocked.test A +edns";

    // A program with an old token asks on and on: it guesses nothing, and is an unknown device.
    for _ in 0..40 {
        assert_eq!(doh(SAM, "sams-old-laptop", blocked).await.status, 200);
    }
    // Ten of each.
    for n in 0..10 {
        assert_eq!(doh(UNKNOWN, &format!("guess-{n}"), blocked).await.status, 200);
        assert!(dot(UNKNOWN, &format!("guess-{}", 10 + n), blocked).await.ends_with("; ede 15"));
        assert_eq!(through_the_proxy(proxy, UNKNOWN, &format!("guess-{}", 20 + n)).await, "407");
    }
    for (right, token) in [(true, TOKEN), (false, "guess-30")] {
        let refused = doh(UNKNOWN, token, blocked).await;
        assert_eq!((refused.status, refused.cache.as_str()), (429, "no-store"), "right: {right}");
        assert!(dot(UNKNOWN, token, blocked).await.ends_with("; ede 15"), "as a stranger: right: {right}");
        assert_eq!(through_the_proxy(proxy, UNKNOWN, token).await, "429", "right: {right}");
        // Help is never dark.
        let help = doh(UNKNOWN, token, "help.test A").await;
        assert!(help.status == 200 && said(&help.body).contains("A 192.0.2.4"), "right: {right}");
        assert!(dot(UNKNOWN, token, "help.test A").await.contains("A 192.0.2.4"), "right: {right}");
    }
    assert_eq!(
        doors.doh((UNKNOWN, OWN), true, get("/dns-query", blocked)).await.status,
        200,
        "without a token"
    );
    // Forty of the old one, twenty guesses, and eight that were not looked at.
    assert_eq!(doors.home.counted("wrong_tokens"), 40 + 20 + 8);

    // Others are not the guesser, and a minute ends.
    assert!(said(&doh(KATE, TOKEN, blocked).await.body).ends_with("; ede 17"));
    doors.home.clock.advance(Duration::from_secs(61));
    assert!(said(&doh(UNKNOWN, TOKEN, blocked).await.body).ends_with("; ede 17"));
    assert!(dot(UNKNOWN, TOKEN, blocked).await.ends_with("; ede 17"));
    stop.cancel();
    serving.await.expect("the proxy ends well");
}

#[tokio::test]
async fn rfc8484_requests_and_what_each_gets() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let www = || Question::read("www.test A").bytes();
    let kept = "private, max-age=300";
    let bare = |method: &str, path: &str| {
        let uri = format!("https://{OWN}{path}");
        Request::builder()
            .method(method)
            .uri(uri)
            .header("host", OWN)
            .body(Full::default())
            .expect("a request")
    };
    type Case = (&'static str, Box<dyn Fn() -> Request<Full<Bytes>>>, u16, &'static str);
    let cases: [Case; 17] = [
        ("get", Box::new(|| get("/dns-query", "www.test A")), 200, kept),
        ("post", Box::new(move || post("/dns-query", CONTENT_TYPE, www())), 200, kept),
        (
            "post_with_parameter",
            Box::new(move || post("/dns-query", "Application/DNS-message; x=1", www())),
            200,
            kept,
        ),
        ("no_such_name", Box::new(|| get("/dns-query", "nothere.test A")), 200, "private, max-age=30"),
        (
            "refused_by_the_agreement",
            Box::new(|| get("/dns-query", "blocked.test A")),
            200,
            "private, max-age=1",
        ),
        ("not_for_us_to_answer", Box::new(|| get("/dns-query", "www.test A +norec")), 200, "no-store"),
        (
            "garbage_of_a_message's_length",
            Box::new(|| post("/dns-query", CONTENT_TYPE, vec![0x11; 60])),
            200,
            "no-store",
        ),
        ("another_path", Box::new(|| get("/", "www.test A")), 404, "no-store"),
        ("a_path_too_deep", Box::new(|| get("/dns-query/a/b", "www.test A")), 404, "no-store"),
        ("no_question", Box::new(move || bare("GET", "/dns-query")), 400, "no-store"),
        ("no_base64", Box::new(move || bare("GET", "/dns-query?dns=!!!")), 400, "no-store"),
        ("a_few_bytes", Box::new(|| post("/dns-query", CONTENT_TYPE, vec![1, 2, 3])), 400, "no-store"),
        (
            "an_answer_for_a_question",
            Box::new(|| post("/dns-query", CONTENT_TYPE, [&[0, 0, 0x80][..], &[0; 20]].concat())),
            400,
            "no-store",
        ),
        ("another_type", Box::new(move || post("/dns-query", "application/json", www())), 415, "no-store"),
        ("too_long", Box::new(|| post("/dns-query", CONTENT_TYPE, vec![0; 70_000])), 413, "no-store"),
        ("head", Box::new(move || bare("HEAD", "/dns-query")), 405, "no-store"),
        ("delete", Box::new(move || bare("DELETE", "/dns-query")), 405, "no-store"),
    ];
    for two in [true, false] {
        for (case, request, status, cache) in &cases {
            let heard = doors.doh((JORDAN, OWN), two, request()).await;
            assert_eq!((heard.status, heard.cache.as_str()), (*status, *cache), "{case} (HTTP/2: {two})");
            let kind = if heard.status == 200 { CONTENT_TYPE } else { "text/plain; charset=utf-8" };
            assert_eq!(heard.kind, kind, "{case}");
        }
    }
    let heard = doors.doh((JORDAN, OWN), true, get("/dns-query", "www.test A")).await;
    assert_eq!(said(&heard.body), WWW);
    assert_eq!(doors.home.counted("bad_requests"), 20);
}

#[tokio::test]
async fn what_a_client_keeps_ends_by_the_verdict() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    // It is noon; the window closes at nine.
    doors.home.clock.advance(Duration::from_secs((8 * 60 + 59) * 60 + 50));
    let heard = doors.doh((JORDAN, OWN), true, get("/dns-query", "www.test A")).await;
    assert_eq!(heard.cache, "private, max-age=10", "bedtime is at nine");
}

#[tokio::test]
async fn many_requests_on_one_connection() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let stream = TokioIo::new(doors.tls(JORDAN, doors.doh, OWN, "h2").await);
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    tokio::spawn(connection);
    let asked = (0..96).map(|_| {
        let mut client = client.clone();
        async move {
            Heard::of(client.send_request(get("/dns-query", "www.test A")).await.expect("a response")).await
        }
    });
    for heard in futures_util::future::join_all(asked).await {
        assert_eq!((heard.status, said(&heard.body).as_str()), (200, WWW));
    }
}

#[tokio::test]
async fn strangers_at_the_doors_are_few_and_do_not_stay() {
    let internet = Server::start(ZONE).await;
    // Long enough for a slow machine to shake hands three times before the first is over.
    let settings = |dns: &mut DnsSettings| {
        dns.encrypted.handshake = Duration::from_secs(1);
        dns.encrypted.idle = Duration::from_secs(1);
        dns.encrypted.most = 5;
        dns.encrypted.most_of_one = 3;
    };
    let doors = Doors::open(&internet, settings).await;
    for at in [doors.dot, doors.doh] {
        // A handshake that never comes, one that is none, one that stops in its midst.
        let mut quiet = connect(UNKNOWN, at).await;
        let mut garbage = connect(UNKNOWN, at).await;
        garbage.write_all(&[0x41; 4096]).await.expect("taken");
        let mut half = connect(UNKNOWN, at).await;
        half.write_all(&[22, 3, 1, 2, 0, 1, 0, 1]).await.expect("taken");
        for stream in [&mut quiet, &mut garbage, &mut half] {
            assert!(ended(stream).await, "it is closed");
        }
    }
    assert_eq!(doors.home.counted("handshakes_failed"), 6);

    // Inside TLS: nothing, half a question, a head that never ends, a body that never comes.
    let mut nothing = doors.dot(UNKNOWN, OWN).await;
    let mut half = doors.dot(UNKNOWN, OWN).await;
    half.write_all(&[0, 40, 1, 2, 3]).await.expect("taken");
    assert!(ended(&mut nothing).await && ended(&mut half).await);
    let mut head = doors.tls(UNKNOWN, doors.doh, OWN, "http/1.1").await;
    head.write_all(b"GET /dns-query HTTP/1.1\r\nx: y\r\n").await.expect("taken");
    let mut preface = doors.tls(UNKNOWN, doors.doh, OWN, "h2").await;
    preface.write_all(b"PRI * HTTP/2.0\r\n").await.expect("taken");
    assert!(ended(&mut head).await && ended(&mut preface).await);
    let mut long = doors.tls(UNKNOWN, doors.doh, OWN, "http/1.1").await;
    let line = [b"GET /dns-query?dns=".as_slice(), &vec![b'A'; 100_000], b" HTTP/1.1\r\n\r\n"].concat();
    let _it_may_have_had_enough = long.write_all(&line).await;
    assert!(ended(&mut long).await, "an address without end");

    // One device has its share, and leaves room for the others; nobody waits for a seat.
    let held = [doors.dot(KATE, OWN).await, doors.dot(KATE, OWN).await, doors.dot(KATE, OWN).await];
    assert!(ended(&mut connect(KATE, doors.dot).await).await, "one too many");
    assert_eq!(doors.home.counted("connections_refused"), 1);
    let mut other = doors.dot(JORDAN, OWN).await;
    assert_eq!(said(&ask(&mut other, "www.test A").await), WWW);
    drop(held);
}

/// Whether the other side ends it in time.
async fn ended<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn rfc9462_devices_are_told_where_encrypted_dns_is() {
    let internet = Server::start(ZONE).await;
    let setup = Setup::new(&[&internet]).dns(|dns| {
        let at = vec!["192.0.2.53".parse().unwrap(), "2001:db8::53".parse().unwrap()];
        dns.designated = vec![
            Designated { over: Over::Tls, port: 853, addresses: Vec::new() },
            Designated { over: Over::Https, port: 8853, addresses: at },
        ];
    });
    let home = Home::open(setup).await;
    let told = |name: &str| {
        format!(
            "NOERROR; {name} 60 SVCB 1 {OWN} alpn=dot port=853 ipv4hint=127.0.0.1; \
             {name} 60 SVCB 2 {OWN} alpn=h2 port=8853 ipv4hint=192.0.2.53 ipv6hint=2001:db8::53 dohpath=/dns-query{{?dns}}"
        )
    };
    for (question, expected) in [
        ("_dns.resolver.arpa SVCB", told("_dns.resolver.arpa")),
        ("_DNS.Resolver.ARPA SVCB", told("_DNS.Resolver.ARPA")),
        ("_dns.hearthgate.home.arpa SVCB", told("_dns.hearthgate.home.arpa")),
        ("_dns.resolver.arpa A", "NOERROR; soa 300".to_owned()),
        ("resolver.arpa SVCB", "NOERROR; soa 60".to_owned()),
        ("deeper._dns.resolver.arpa SVCB", "NOERROR; soa 60".to_owned()),
        // What a device does next: it looks the name up.
        ("hearthgate.home.arpa A", format!("NOERROR; {OWN} 60 A 127.0.0.1")),
        (
            "jordan-tablet-7f3a19c6d2.hearthgate.home.arpa A",
            format!("NOERROR; jordan-tablet-7f3a19c6d2.{OWN} 60 A 127.0.0.1"),
        ),
        ("nobody-s.hearthgate.home.arpa A", format!("NOERROR; nobody-s.{OWN} 60 A 127.0.0.1")),
        ("a.b.hearthgate.home.arpa A", "NOERROR; soa 60".to_owned()),
    ] {
        let said = home.ask(UNKNOWN, question).await.replace(&format!("{OWN}. alpn"), &format!("{OWN} alpn"));
        assert_eq!(said, expected, "{question}");
    }
    assert_eq!(internet.asked(), 0, "nobody further up is asked");
    let off = Home::open(Setup::new(&[&internet])).await;
    assert_eq!(off.ask(UNKNOWN, "_dns.resolver.arpa SVCB").await, "NOERROR; soa 300", "nothing is to be had");
    assert_eq!(internet.asked(), 0);
}

#[tokio::test]
async fn a_plain_stream_is_as_it_was() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |_| {}).await;
    let mut plain = connect(JORDAN, doors.home.address).await;
    tcp_send(&mut plain, &Question::read("www.test A").bytes()).await;
    assert_eq!(said(&tcp_hear(&mut plain).await.expect("an answer")), WWW);
}

#[tokio::test]
async fn a_browser_that_looks_for_a_proxy_finds_the_pages() {
    let internet = Server::start(ZONE).await;
    for (answers, expected) in [(true, "NOERROR; wpad 60 A 127.0.0.1"), (false, "NXDOMAIN; soa 300")] {
        let home = Home::open(Setup::new(&[&internet]).dns(move |dns| dns.answers_wpad = answers)).await;
        assert_eq!(home.ask(JORDAN, "wpad A").await, expected);
        assert_eq!(home.ask(JORDAN, "wpad.home.arpa A").await, expected.replace("wpad", "wpad.home.arpa"));
    }
}
