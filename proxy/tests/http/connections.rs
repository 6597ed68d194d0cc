//! Connections: how many, how slow, and what is left when they are gone.

use crate::client::Client;
use crate::home::{Home, JORDAN, SAM};
use crate::origin::{Origin, echo_server};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[tokio::test]
async fn whoever_dawdles_over_a_head_is_closed() {
    let home = Home::with(|c| c.limits.head = Duration::from_millis(300)).await;
    let mut client = Client::of(&home, JORDAN).await;
    client.say("GET http://plain.test/ HTTP/1.1\nHost: x\nA: ").await;
    let start = Instant::now();
    client.rest().await;
    assert!((Duration::from_millis(200)..Duration::from_secs(5)).contains(&start.elapsed()));
    home.until("its place is free", |c| c.connections_open.get() == 0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_frees_everything() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let mut client = Client::of(&home, JORDAN).await;
    client.say(&format!("GET {}/drip HTTP/1.1\nHost: x\n\n", origin.url("plain.test"))).await;
    client.head().await;
    assert_eq!(home.counters.exchanges_open.get(), 1);
    drop(client);
    home.until("nothing is open", |c| c.exchanges_open.get() == 0 && c.connections_open.get() == 0).await;
    home.until("nor at the origin", |_| origin.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn an_origin_that_never_answers_is_given_up() {
    let home = Home::with(|c| c.limits.answer = Duration::from_millis(200)).await;
    let origin = Origin::start().await;
    let mut client = Client::of(&home, JORDAN).await;
    client.say(&format!("GET {}/never HTTP/1.1\nHost: x\n\n", origin.url("plain.test"))).await;
    assert_eq!(client.answer().await.status, 504);
}

#[tokio::test]
async fn one_client_does_not_take_the_others_places() {
    let home = Home::with(|c| c.limits.per_client = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(Client::of(&home, JORDAN).await);
    }
    home.until("three are taken", |c| c.connections_open.get() == 3).await;
    let mut beyond = Client::of(&home, JORDAN).await;
    beyond.say("GET / HTTP/1.1\nHost: x\n\n").await;
    assert_eq!(beyond.answer().await.status, 429);
    assert!(beyond.is_closed().await);
    home.until("it is gone", |c| c.connections_open.get() == 3).await;
    let mut other = Client::of(&home, SAM).await;
    other.say("GET / HTTP/1.1\nHost: x\n\n").await;
    assert_eq!(other.answer().await.status, 404);
    held.pop();
    home.until("a place is free", |c| c.connections_open.get() == 3).await;
    let mut next = Client::of(&home, JORDAN).await;
    next.say("GET / HTTP/1.1\nHost: x\n\n").await;
    assert_eq!(next.answer().await.status, 404);
    assert_eq!(home.counters.too_many.get(), 1);
}

#[tokio::test]
async fn a_full_proxy_takes_the_next_when_one_goes() {
    let home = Home::with(|c| c.limits.connections = 2).await;
    let held = [Client::of(&home, JORDAN).await, Client::of(&home, JORDAN).await];
    home.until("both are taken", |c| c.connections_open.get() == 2).await;
    let mut waiting = Client::of(&home, SAM).await;
    waiting.say("GET / HTTP/1.1\nHost: x\n\n").await;
    drop(held);
    assert_eq!(waiting.answer().await.status, 404);
}

#[tokio::test]
async fn help_is_reached_beyond_every_share() {
    let home = Home::with(|c| c.limits.per_client = 3).await;
    let (web, bytes) = (Origin::start().await, echo_server().await);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(Client::of(&home, JORDAN).await);
    }
    home.until("three are taken", |c| c.connections_open.get() == 3).await;
    let get = |host| format!("GET {}/ HTTP/1.1\nHost: x\n\n", web.url(host));
    let mut client = Client::of(&home, JORDAN).await;
    for (what, host, status) in
        [("help", "help.test", 200), ("again", "help.test", 200), ("no help", "plain.test", 429)]
    {
        client.say(&get(host)).await;
        assert_eq!(client.answer().await.status, status, "{what}");
    }
    assert!(client.is_closed().await);
    let mut tunnel = Client::of(&home, JORDAN).await;
    assert_eq!(tunnel.tunnel("help.test", bytes).await, 200);
    // These are bounded too.
    held.push(tunnel);
    home.until("the tunnel is all there is beyond", |c| c.connections_open.get() == 4).await;
    for _ in 0..7 {
        held.push(Client::of(&home, JORDAN).await);
    }
    home.until("eight are taken", |c| c.connections_open.get() == 11).await;
    assert!(Client::of(&home, JORDAN).await.is_closed().await);
}

#[tokio::test]
async fn help_is_reached_however_fast_a_client_asks() {
    let one = std::num::NonZeroU32::MIN;
    let few = proxy::limits::Rate { per_second: one, burst: one.saturating_add(4) };
    let home = Home::with(|c| c.limits.rate = Some(few)).await;
    let (web, bytes) = (Origin::start().await, echo_server().await);
    let get = |host| format!("GET {}/ HTTP/1.1\nHost: x\n\n", web.url(host));
    let mut flood = Vec::new();
    for i in 0..30 {
        let mut client = Client::of(&home, JORDAN).await;
        client.say(if i % 2 == 0 { "GET / HTTP/1.1\nHost: x\n\n" } else { "nonsense\n\n" }).await;
        flood.push(client.answer().await.status);
    }
    assert_eq!(flood.iter().filter(|status| **status == 404).count(), 5, "{flood:?}");
    for (what, host, status) in [("help", "help.test", 200), ("anything else", "plain.test", 429)] {
        let mut client = Client::of(&home, JORDAN).await;
        client.say(&get(host)).await;
        assert_eq!(client.answer().await.status, status, "{what}");
    }
    let mut tunnel = Client::of(&home, JORDAN).await;
    assert_eq!(tunnel.tunnel("help.test", bytes).await, 200);
    let mut client = Client::of(&home, SAM).await;
    client.say(&get("plain.test")).await;
    assert_eq!(client.answer().await.status, 200, "somebody else");
    // It is no door for the flood: what is protected has an end as well.
    let mut client = Client::of(&home, JORDAN).await;
    let mut helped = 0;
    for _ in 0..800 {
        client.say(&get("help.test")).await;
        match client.answer().await.status {
            200 => helped += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert!((290..700).contains(&helped), "{helped}");
}

#[tokio::test]
async fn stopping_lets_an_answer_end_and_then_closes_what_is_open() {
    let home = Home::with(|c| c.limits.grace = Duration::from_millis(500)).await;
    let (web, bytes) = (Origin::start().await, echo_server().await);
    let url = web.url("plain.test");
    let mut idle = Client::of(&home, JORDAN).await;
    idle.say(&format!("GET {url}/ HTTP/1.1\nHost: x\n\n")).await;
    idle.answer().await;
    let mut posting = Client::of(&home, JORDAN).await;
    posting.say(&format!("POST {url}/count HTTP/1.1\nHost: x\nContent-Length: 4\n\nab")).await;
    let mut tunnel = Client::of(&home, JORDAN).await;
    assert_eq!(tunnel.tunnel("plain.test", bytes).await, 200);
    home.until("all are under way", |c| c.exchanges_open.get() == 1 && c.tunnels_open.get() == 1).await;
    home.stop.cancel();
    assert!(idle.is_closed().await, "a connection without a request ends at once");
    posting.say("cd").await;
    assert_eq!(posting.answer().await.body, "4");
    assert!(tunnel.is_closed().await);
    let counters = home.counters.clone();
    assert!(home.breaches().await.is_empty());
    assert_eq!((counters.connections_open.get(), counters.tunnels_open.get()), (0, 0));
}
