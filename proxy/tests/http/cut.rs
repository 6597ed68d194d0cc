//! What is open ends when it is no longer allowed, within five seconds by the wall and mostly far sooner; what stays
//! allowed stays.

use crate::client::{Client, PATIENCE, ask};
use crate::hello::Hello;
use crate::home::{Home, JORDAN, NOON, SAM, UNKNOWN, instant, jordans_with, snapshot};
use crate::origin::{Origin, echo_server};
use agreements::{GrantKind, LimitKey, LiveGrant, Standing, What, Word};
use chrono::TimeDelta;
use records::{Clock, ClockState};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

/// An open tunnel through which bytes have passed.
async fn tunnel(home: &Home, device: &str, host: &str, origin: SocketAddr) -> Client {
    let mut client = Client::of(home, device).await;
    assert_eq!(client.tunnel(host, origin).await, 200, "{host}");
    let hello = Hello::to(host).bytes();
    client.send(&hello).await;
    assert_eq!(client.take(hello.len()).await, hello);
    client
}

/// Bytes still pass.
async fn is_open(client: &mut Client) -> bool {
    client.stream.write_all(b"still there?").await.is_ok() && client.take(12).await == b"still there?"
}

/// It ends, in time.
async fn ends(mut client: Client) {
    let start = Instant::now();
    client.rest().await;
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
}

/// Two rounds of the warden and some. In steps, so that a machine that stood still in one of them has looked in the others.
async fn a_moment() {
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(175)).await;
    }
}

fn nine_in_the_evening(home: &Home) {
    home.clock.advance(Duration::from_secs(9 * 3600));
}

#[tokio::test]
async fn bedtime_ends_tunnels_downloads_uploads_and_websockets() {
    let (home, web, bytes) = (Home::open().await, Origin::start().await, echo_server().await);
    let url = web.url("plain.test");
    let tunnelled = tunnel(&home, JORDAN, "plain.test", bytes).await;
    let printer = tunnel(&home, JORDAN, "127.0.0.1", bytes).await;
    let mut download = Client::of(&home, JORDAN).await;
    download.say(&format!("GET {url}/drip HTTP/1.1\nHost: x\n\n")).await;
    assert_eq!(download.head().await.status, 200);
    download.take(2000).await;
    let mut upload = Client::of(&home, JORDAN).await;
    upload.say(&format!("POST {url}/count HTTP/1.1\nHost: x\nContent-Length: 1000000\n\nfirst")).await;
    let mut websocket = Client::of(&home, JORDAN).await;
    websocket
        .say(&format!("GET {url}/ws HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n\n"))
        .await;
    assert_eq!(websocket.head().await.status, 101);
    let mut waiting = Client::of(&home, JORDAN).await;
    waiting.say(&format!("GET {url}/never HTTP/1.1\nHost: x\n\n")).await;
    // Nobody reads this one: the proxy is stuck writing to it and has to end it all the same.
    let mut unread = Client::of(&home, JORDAN).await;
    unread.say(&format!("GET {url}/drip HTTP/1.1\nHost: x\n\n")).await;
    let mut others = tunnel(&home, SAM, "plain.test", bytes).await;
    home.until("all are under way", |c| c.exchanges_open.get() == 4 && c.tunnels_open.get() == 4).await;

    nine_in_the_evening(&home);
    for client in [tunnelled, printer, download, upload, websocket, waiting, unread] {
        ends(client).await;
    }
    assert_eq!(home.counters.cut_by_verdict.get(), 7);
    assert!(is_open(&mut others).await, "Sam's night is Sam's");
    home.until("nothing of it is left", |c| c.exchanges_open.get() == 0 && c.tunnels_open.get() == 1).await;
    drop(others);
    assert!(home.breaches().await.is_empty(), "the end of a day is nobody's breach");
}

#[tokio::test]
async fn a_minute_before_bedtime_everything_flows() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let mut client = tunnel(&home, JORDAN, "plain.test", bytes).await;
    home.clock.advance(Duration::from_secs(9 * 3600 - 1));
    a_moment().await;
    assert!(is_open(&mut client).await);
    home.clock.advance(Duration::from_secs(1));
    ends(client).await;
}

#[tokio::test]
async fn what_is_protected_stays_through_the_night() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let mut support = tunnel(&home, JORDAN, "help.test", bytes).await;
    let mut unknown = tunnel(&home, UNKNOWN, "help.test", bytes).await;
    let mail = tunnel(&home, JORDAN, "mail.test", bytes).await;
    nine_in_the_evening(&home);
    // Private mail follows the windows.
    ends(mail).await;
    a_moment().await;
    assert!(is_open(&mut support).await && is_open(&mut unknown).await);
}

#[tokio::test]
async fn a_grant_opens_and_its_end_closes() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let grant = LiveGrant {
        entry: 1,
        person: "jordan".into(),
        kind: GrantKind::Sites(What::Words(vec![Word::parse("ask.test").unwrap()])),
        from: instant(NOON),
        until: instant(NOON) + TimeDelta::hours(1),
        by: "K. Lane".into(),
        supervision: None,
    };
    home.grant(std::slice::from_ref(&grant));
    let revoked = tunnel(&home, JORDAN, "ask.test", bytes).await;
    let mut other = tunnel(&home, JORDAN, "plain.test", bytes).await;
    home.grant(&[]);
    ends(revoked).await;
    assert!(is_open(&mut other).await, "the rest of the agreement did not change");

    home.grant(&[grant]);
    let over = tunnel(&home, JORDAN, "ask.test", bytes).await;
    home.clock.advance(Duration::from_secs(3600));
    ends(over).await;
}

#[tokio::test]
async fn a_changed_agreement_ends_what_it_no_longer_allows() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let any = tunnel(&home, JORDAN, "any.test", bytes).await;
    let mut plain = tunnel(&home, JORDAN, "plain.test", bytes).await;
    home.change_jordans(&jordans_with("blocked.test,", "blocked.test, any.test,"));
    ends(any).await;
    assert!(is_open(&mut plain).await);
    // Their phone is somebody else's now: they are found again by what the device showed, not by their old number.
    home.change_jordans(&jordans_with("127.0.0.2/32", "127.0.0.77/32"));
    ends(plain).await;
}

#[tokio::test]
async fn the_server_name_inside_stays_under_judgement_too() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let mut client = Client::of(&home, JORDAN).await;
    client.tunnel("plain.test", bytes).await;
    let hello = Hello::to("inner.test").bytes();
    client.send(&hello).await;
    assert_eq!(client.take(hello.len()).await, hello);
    home.change_jordans(&jordans_with("blocked.test,", "blocked.test, inner.test,"));
    ends(client).await;
}

#[tokio::test]
async fn the_names_on_the_way_stay_under_judgement_too() {
    let (home, web, bytes) = (Home::open().await, Origin::start().await, echo_server().await);
    let tunnelled = tunnel(&home, JORDAN, "leads-on.test", bytes).await;
    let mut download = Client::of(&home, JORDAN).await;
    download.say(&format!("GET {}/drip HTTP/1.1\nHost: x\n\n", web.url("leads-on.test"))).await;
    assert_eq!(download.head().await.status, 200);
    let mut other = tunnel(&home, JORDAN, "any.test", bytes).await;
    // Something else of the agreement changes.
    home.change_jordans(&jordans_with("blocked.test,", "blocked.test, else.test,"));
    a_moment().await;
    assert!(is_open(&mut other).await);
    assert_eq!(home.counters.cut_by_verdict.get(), 0);
    // `leads-on.test` is an alias of `plain.test`.
    home.change_jordans(&jordans_with("blocked.test,", "blocked.test, =plain.test,"));
    ends(tunnelled).await;
    ends(download).await;
    assert!(is_open(&mut other).await);
}

#[tokio::test]
async fn safe_search_that_becomes_stricter_ends_what_was_opened_before() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let safe = |degree| jordans_with("otherwise: allow", &format!("safe_search: {degree}\notherwise: allow"));
    home.change_jordans(&safe("off"));
    let engine = tunnel(&home, JORDAN, "www.bing.com", bytes).await;
    let mut other = tunnel(&home, JORDAN, "any.test", bytes).await;
    home.change_jordans(&safe("strict"));
    ends(engine).await;
    let mut engine = tunnel(&home, JORDAN, "www.bing.com", bytes).await;
    a_moment().await;
    assert!(is_open(&mut other).await && is_open(&mut engine).await, "what is opened as it is now stays");
}

#[tokio::test]
async fn the_name_of_a_search_engine_is_found_where_safe_search_says_or_nowhere() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let engine = Hello::to("www.bing.com").bytes();
    let shown = async || {
        let mut client = Client::of(&home, JORDAN).await;
        assert_eq!(client.tunnel("any.test", bytes).await, 200);
        client.send(&engine).await;
        client
    };
    // With safe search off an allowed name inside is as good as any.
    let mut before = shown().await;
    assert_eq!(before.take(engine.len()).await, engine);
    home.change_jordans(&jordans_with("otherwise: allow", "safe_search: moderate\notherwise: allow"));
    ends(before).await;
    assert!(shown().await.is_closed().await, "any.test is not where the engine is to be found");
    let mut asked = Client::of(&home, JORDAN).await;
    assert_eq!(asked.tunnel("www.bing.com", bytes).await, 200);
    asked.send(&engine).await;
    assert_eq!(asked.take(engine.len()).await, engine);
}

#[tokio::test]
async fn a_limit_that_is_used_up_ends_what_it_counts() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let video = tunnel(&home, JORDAN, "video.test", bytes).await;
    let mut other = tunnel(&home, JORDAN, "plain.test", bytes).await;
    let house = &home.in_force.to_keep().snapshot.house;
    // An hour of video is all of it, and an hour of everything is not.
    let used = |_: &str, _: &LimitKey| 60;
    let standing = Standing::new(house, &[], &[], &used);
    home.in_force.replace_standing(standing.into());
    ends(video).await;
    assert!(is_open(&mut other).await);
}

#[tokio::test]
async fn a_lost_devices_token_opens_nothing_and_what_it_has_open_ends() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    // `jordan-tablet-7f3a19c6d2:`, from an address of nobody's.
    let with_token = async |host: &str| {
        let mut client = Client::of(&home, UNKNOWN).await;
        let port = bytes.port();
        client
            .say(&format!(
                "CONNECT {host}:{port} HTTP/1.1\nProxy-Authorization: Basic am9yZGFuLXRhYmxldC03ZjNhMTljNmQyOg==\n\n"
            ))
            .await;
        let status = client.head().await.status;
        if status == 200 {
            let hello = Hello::to(host).bytes();
            client.send(&hello).await;
            assert_eq!(client.take(hello.len()).await, hello);
        }
        (status, client)
    };
    let (status, open) = with_token("plain.test").await;
    let (_, mut help) = with_token("help.test").await;
    let mut phones = tunnel(&home, JORDAN, "plain.test", bytes).await;
    assert_eq!(status, 200);
    let house = &home.in_force.to_keep().snapshot.house;
    let is_lost = |person: &str, device: &str| (person, device) == ("jordan", "tablet");
    let standing = Standing::new(house, &[], &[], &|_, _| 0).with_lost(house, &is_lost);
    home.in_force.replace_standing(standing.into());
    ends(open).await;
    assert_eq!(with_token("plain.test").await.0, 403);
    assert!(is_open(&mut help).await && is_open(&mut phones).await, "help stays, and what is not lost");
}

#[tokio::test]
async fn a_clock_that_jumps_puts_everybody_on_the_baseline() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let client = tunnel(&home, JORDAN, "plain.test", bytes).await;
    let later = home.clock.now() + TimeDelta::minutes(5);
    assert_eq!(home.clock.jump(later), ClockState::Jumped);
    ends(client).await;
}

#[tokio::test]
async fn a_house_that_comes_in_between_is_not_missed() {
    // The window between a judgement and the warden's care is closed: whatever happens there, nothing blocked stays open.
    let home = Home::with(|c| c.limits.opening = Duration::from_secs(60)).await;
    let bytes = echo_server().await;
    let (one, other) = (jordans_with("blocked.test,", "blocked.test, any.test,"), jordans_with("", ""));
    for round in 0..20 {
        let mut client = Client::of(&home, JORDAN).await;
        let connect = format!("CONNECT any.test:{} HTTP/1.1\nConnection: close\n\n", bytes.port());
        let (strict, ()) = (snapshot(&one), client.say(&connect).await);
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        let standing = Standing::new(&strict.house, &[], &[], &|_, _| 0);
        home.in_force.replace(strict, standing.into());
        ends(client).await;
        home.change_jordans(&other);
    }
    home.until("nothing is open", |c| c.tunnels_open.get() == 0).await;
}

#[tokio::test]
async fn a_quiet_tunnel_ends_and_a_busy_one_does_not() {
    let home = Home::with(|c| c.limits.tunnel_quiet = Duration::from_secs(600)).await;
    let bytes = echo_server().await;
    let quiet = tunnel(&home, SAM, "plain.test", bytes).await;
    let mut busy = tunnel(&home, SAM, "plain.test", bytes).await;
    a_moment().await;
    home.clock.advance(Duration::from_secs(599));
    a_moment().await;
    assert!(is_open(&mut busy).await);
    a_moment().await;
    home.clock.advance(Duration::from_secs(2));
    ends(quiet).await;
    a_moment().await;
    assert!(is_open(&mut busy).await);
    assert_eq!(home.counters.cut_quiet.get(), 1);
}

/// Looks again and again, while the home's time passes, until it is as meant: the warden marks what was used, and the journal's
/// task, which looks every two seconds by the home's clock, takes the marks.
async fn comes_to<T: PartialEq + Debug>(home: &Home, meant: T, what: &str, look: impl AsyncFn() -> T) {
    let start = Instant::now();
    loop {
        a_moment().await;
        home.clock.advance(Duration::from_secs(3));
        while home.records.status().await.unwrap().last_commit_seconds != Some(0) {
            assert!(start.elapsed() < PATIENCE, "the journal's task does not look");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let found = look().await;
        if found == meant {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{what}: {found:?} and not {meant:?}");
    }
}

/// Waits until Jordan has used so many minutes of everything today.
async fn uses(home: &Home, meant: u16, what: &str) {
    comes_to(home, meant, what, async || {
        let current = home.in_force.to_keep();
        let house = &current.snapshot.house;
        let used = home.records.minutes_today(house, house.person("jordan").unwrap()).await.unwrap();
        used.iter().find(|used| used.key == "everything").map_or(0, |used| used.counted)
    })
    .await;
}

#[tokio::test]
async fn minutes_are_marked_when_somebody_uses_them() {
    let (home, web, bytes) = (Home::open().await, Origin::start().await, echo_server().await);
    let get = |accept: &str| format!("GET {}/ HTTP/1.1\nHost: x\n{accept}\n", web.url("plain.test"));
    let mut client = tunnel(&home, JORDAN, "plain.test", bytes).await;
    assert_eq!(ask(&home, JORDAN, &get("")).await.status, 200);
    uses(&home, 0, "a handshake and a program's request make no minute").await;
    client.send(&[0; 20_000]).await;
    client.take(20_000).await;
    uses(&home, 1, "what flows does").await;
    home.clock.advance(Duration::from_secs(60));
    assert!(is_open(&mut client).await);
    uses(&home, 1, "a phone in a drawer does not").await;
    assert_eq!(ask(&home, JORDAN, &get("Accept: text/html\n")).await.status, 200);
    uses(&home, 2, "a page that someone opened does").await;
    home.clock.advance(Duration::from_secs(60));
    for _ in 0..5 {
        let mut small = tunnel(&home, JORDAN, "plain.test", bytes).await;
        small.send(&[0; 7_500]).await;
        small.take(7_500).await;
        drop(small);
    }
    home.until("all have ended", |c| c.tunnels_open.get() == 1).await;
    uses(&home, 3, "what is small by itself and much together does").await;
}

#[tokio::test]
async fn tunnels_that_each_carry_little_use_minutes_up_together_while_they_are_open() {
    let (home, bytes) = (Home::open().await, echo_server().await);
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(tunnel(&home, JORDAN, "plain.test", bytes).await);
    }
    uses(&home, 0, "handshakes").await;
    // 15,000 bytes a minute in each, both ways together: 75,000 in five, 45,000 in three.
    for (tunnels, used) in [(5, 1), (5, 2), (5, 3), (3, 3), (3, 3)] {
        home.clock.advance(Duration::from_secs(60));
        open.truncate(tunnels);
        for client in &mut open {
            client.send(&[0; 7_500]).await;
            client.take(7_500).await;
        }
        uses(&home, used, &format!("in {tunnels}")).await;
    }
    assert_eq!(home.counters.tunnels_open.get(), 3);
}

#[tokio::test]
async fn where_the_agreement_says_so_a_minute_is_its_sites() {
    let (home, web, bytes) = (Home::open().await, Origin::start().await, echo_server().await);
    let day = home.in_force.current().snapshot.house.day_of(home.clock.now());
    let passes = async || {
        let page = format!("GET {}/path HTTP/1.1\nHost: x\nAccept: text/html\n\n", web.url("plain.test"));
        assert_eq!(ask(&home, JORDAN, &page).await.status, 200);
        let mut client = tunnel(&home, JORDAN, "any.test", bytes).await;
        client.send(&[0; 20_000]).await;
        client.take(20_000).await;
        client
    };
    let kept = async || {
        let kept = home.records.monitored(day, "jordan").await.unwrap();
        let mut kept: Vec<_> = kept.into_iter().map(|k| (k.key, k.minutes, k.estimated)).collect();
        kept.sort();
        kept
    };
    let first = passes().await;
    uses(&home, 1, "a page and a tunnel").await;
    comes_to(&home, Vec::new(), "an agreement without a word of it", &kept).await;
    drop(first);
    let said = "monitoring: {level: sites, reason: agreed, until: 2026-12-01, authorised_by: R. Osei, \
                told_on: 2026-11-20}\notherwise: allow";
    home.change_jordans(&jordans_with("otherwise: allow", said));
    home.clock.advance(Duration::from_secs(60));
    let minute = |key: &str| (key.to_owned(), 1, 0);
    let _open = passes().await;
    let meant = ["any.test", "plain.test", "uncategorised"].map(minute).to_vec();
    comes_to(&home, meant, "what was used", &kept).await;
}
