//! Answers over HTTPS that a client asks for and does not take.

use crate::ask::{PATIENCE, said};
use crate::home::{JORDAN, KATE};
use crate::inside_tls::{Doors, OWN, WWW, get};
use crate::internet::Server;
use crate::judged::ZONE;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::task::JoinHandle;

type Client = http2::SendRequest<Full<Bytes>>;

/// A connection of HTTP/2 that is there until the gateway ends it, with answers of which nothing was taken.
struct Held {
    _client: Client,
    _heard: Vec<Response<hyper::body::Incoming>>,
    ended: JoinHandle<()>,
}

/// A client of HTTP/2 that gives no room for any answer, and what ends with its connection.
async fn without_room(doors: &Doors, device: &str) -> (Client, JoinHandle<()>) {
    let stream = TokioIo::new(doors.tls(device, doors.doh, OWN, "h2").await);
    let (client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(0)
        .handshake(stream)
        .await
        .expect("HTTP/2");
    let ended = tokio::spawn(async {
        let _however = connection.await;
    });
    (client, ended)
}

/// Such a client asks: how many of so many questions at once on one connection were answered and how many refused, until so
/// many came.
async fn taking_nothing(doors: &Doors, device: &str, questions: usize, answers: usize) -> ([usize; 2], Held) {
    let (client, ended) = without_room(doors, device).await;
    let mut asked: FuturesUnordered<_> = (0..questions)
        .map(|_| {
            let mut client = client.clone();
            async move { client.send_request(get("/dns-query", "www.test A")).await }
        })
        .collect();
    let mut heard = Vec::new();
    while heard.len() < answers {
        let one = tokio::time::timeout(PATIENCE, asked.next()).await.expect("in time");
        heard.push(one.expect("so many").expect("a response"));
    }
    let counted = |status: u16| heard.iter().filter(|response| response.status() == status).count();
    ([counted(200), counted(503)], Held { _client: client, _heard: heard, ended })
}

#[tokio::test]
async fn answers_that_are_not_taken_are_few_and_end() {
    let internet = Server::start(ZONE).await;
    let doors = Doors::open(&internet, |dns| dns.encrypted.taking = Duration::from_secs(4)).await;
    // One connection has thirty-two, and looks at no more; a client has a hundred and twenty-eight over all of its connections.
    let mut held = Vec::new();
    for answered in [32, 32, 32] {
        let (counted, connection) = taking_nothing(&doors, KATE, 100, answered).await;
        assert_eq!(counted, [answered, 0]);
        held.push(connection);
    }
    for (questions, meant) in [(20, [20, 0]), (30, [12, 18])] {
        let (counted, connection) = taking_nothing(&doors, KATE, questions, questions).await;
        assert_eq!(counted, meant);
        held.push(connection);
    }
    let heard = doors.doh((JORDAN, OWN), true, get("/dns-query", "www.test A")).await;
    assert_eq!(said(&heard.body), WWW, "others have room");
    assert_eq!(doors.doh((KATE, OWN), true, get("/dns-query", "www.test A")).await.status, 503);
    // Whoever takes nothing is gone before long, and what they held with them.
    for connection in &mut held {
        let ended = tokio::time::timeout(PATIENCE, &mut connection.ended).await;
        ended.expect("in time").expect("it ends well");
    }
    let has_room =
        async { while doors.doh((KATE, OWN), true, get("/dns-query", "www.test A")).await.status != 200 {} };
    tokio::time::timeout(PATIENCE, has_room).await.expect("in time");
}

#[tokio::test]
async fn an_answer_that_nobody_wants_any_more_gives_its_place_back() {
    let internet = Server::start(ZONE).await;
    let doors =
        Doors::open(&internet, |dns| (dns.encrypted.at_once, dns.encrypted.idle) = (2, PATIENCE)).await;
    let (mut client, _ended) = without_room(&doors, KATE).await;
    for n in 0..20 {
        let asked = client.send_request(get("/dns-query", "www.test A"));
        let response = tokio::time::timeout(Duration::from_secs(4), asked).await.expect("it has room");
        assert_eq!(response.expect("a response").status(), 200, "{n}");
        // Dropped unread, it is reset.
    }
}
