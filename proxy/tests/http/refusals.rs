//! Refusals: what is shown, and what is recorded.

use crate::client::{Client, ask};
use crate::home::{Home, JORDAN, NOON, SAM, TOKEN, UNKNOWN, instant};
use crate::origin::{Origin, echo_server};
use agreements::{Evidence, Rule, Severity};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use records::{Clock, ClockState, Identified};
use std::time::Duration;

const PAGE: &str = "Accept: text/html\n";

#[tokio::test]
async fn a_refusal_says_why_in_the_form_that_was_asked_for() {
    let home = Home::open().await;
    for (request, kind, begins) in [
        (
            "GET http://blocked.test/ HTTP/1.1\nHost: x\nAccept: text/html\n\n",
            "text/html; charset=utf-8",
            "<p>",
        ),
        (
            "GET http://blocked.test/ HTTP/1.1\nHost: x\nAccept: application/json\n\n",
            "application/json",
            "{\"person\":\"jordan\"",
        ),
        (
            "GET http://blocked.test/ HTTP/1.1\nHost: x\nAccept: text/plain\n\n",
            "text/plain; charset=utf-8",
            "",
        ),
        (
            "CONNECT blocked.test:443 HTTP/1.1\nHost: x\nAccept: application/json\n\n",
            "application/json",
            "{\"person\":\"jordan\"",
        ),
        ("CONNECT blocked.test:443 HTTP/1.1\nHost: x\n\n", "text/html; charset=utf-8", "<p>"),
    ] {
        let answer = ask(&home, JORDAN, request).await;
        assert_eq!(answer.status, 403, "{request}");
        assert_eq!(answer.header("content-type"), Some(kind), "{request}");
        assert!(answer.body.starts_with(begins) && answer.body.len() > 10, "{request}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(
            answer.header("content-security-policy").is_some_and(|p| p.starts_with("default-src 'none'"))
        );
    }
    assert_eq!(home.counters.refused.get(), 5);
    assert_eq!(home.counters.dialled.get(), 0, "nothing is dialled for what is refused");
}

/// Who asks for what over plain HTTP at noon on a Saturday, and what they get. `origin` is told its port.
#[tokio::test]
async fn everybody_gets_their_own_agreement() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let port = origin.port();
    for (device, url, meant) in [
        (JORDAN, format!("http://plain.test:{port}/"), Ok(())),
        (JORDAN, format!("http://plain.test:{port}/games/1"), Err(Rule::Site)),
        (JORDAN, format!("http://plain.test:{port}/x/../games/1"), Err(Rule::Site)),
        (JORDAN, format!("http://plain.test:{port}/x//../games/1"), Err(Rule::Site)),
        (JORDAN, format!("http://plain.test:{port}/;x/%2567ames;y/1"), Err(Rule::Site)),
        (JORDAN, format!("http://plain.test:{port}/%67ames"), Err(Rule::Site)),
        (JORDAN, format!("http://any.test:{port}/"), Ok(())),
        (JORDAN, format!("http://ask.test:{port}/"), Err(Rule::Site)),
        (JORDAN, format!("http://blocked.test:{port}/"), Err(Rule::Site)),
        (JORDAN, format!("http://www.blocked.test.:{port}/"), Err(Rule::Site)),
        (JORDAN, format!("http://floor.test:{port}/"), Err(Rule::Floor)),
        (JORDAN, "http://192.0.2.1/".into(), Err(Rule::Floor)),
        (JORDAN, "http://[2001:db8::1]/".into(), Err(Rule::Floor)),
        (SAM, format!("http://learn.test:{port}/"), Ok(())),
        (SAM, format!("http://any.test:{port}/"), Err(Rule::Otherwise)),
        (SAM, "http://192.0.2.1/".into(), Err(Rule::Floor)),
        (UNKNOWN, format!("http://learn.test:{port}/"), Ok(())),
        (UNKNOWN, format!("http://any.test:{port}/"), Err(Rule::Baseline)),
        (UNKNOWN, format!("http://help.test:{port}/"), Ok(())),
    ] {
        let answer =
            ask(&home, device, &format!("GET {url} HTTP/1.1\nHost: x\nAccept: application/json\n\n")).await;
        match meant {
            Ok(()) => assert_eq!(answer.status, 200, "{device} {url}: {answer:?}"),
            Err(rule) => {
                assert_eq!(answer.status, 403, "{device} {url}");
                let why: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                assert_eq!(why["rule"], serde_json::to_value(rule).unwrap(), "{device} {url}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_recorded_is_what_was_seen() {
    let home = Home::open().await;
    let get = |host: &str, lines: &str| format!("GET http://{host}/ HTTP/1.1\nHost: x\n{lines}\n");
    ask(&home, JORDAN, &get("blocked.test", "")).await;
    ask(&home, JORDAN, "CONNECT tunnel.blocked.test:443 HTTP/1.1\n\n").await;
    ask(&home, JORDAN, &get("floor.test", PAGE)).await;
    ask(&home, SAM, &get("any.test", PAGE)).await;
    ask(&home, SAM, &get("any.test", PAGE)).await;
    ask(
        &home,
        SAM,
        &get("other.test", "Sec-Fetch-Mode: no-cors\nSec-Fetch-Dest: image\nAccept: text/html\n"),
    )
    .await;
    let mut breaches = home.breaches().await;
    // All of them began at one instant, as this test's clock has it.
    breaches.sort_by(|a, b| (&a.person, &a.site).cmp(&(&b.person, &b.site)));
    let told: Vec<_> =
        breaches.iter().map(|b| (b.person.as_str(), b.site.as_str(), b.evidence, b.count)).collect();
    assert_eq!(
        told,
        [
            ("jordan", "blocked.test", Evidence::Connection, 2),
            ("jordan", "floor.test", Evidence::Navigation, 1),
            ("sam", "any.test", Evidence::Repeated, 2),
            ("sam", "other.test", Evidence::Connection, 1),
        ]
    );
    assert!(breaches.iter().all(|b| b.identified == Identified::Network && b.device.is_some()));
    assert_eq!(breaches[1].severity, Severity::High);
}

#[tokio::test]
async fn a_name_that_leads_to_a_blocked_one_is_refused_as_that_one() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let port = origin.port();
    let answer = ask(&home, JORDAN, &format!("GET http://leads-on.test:{port}/ HTTP/1.1\nHost: x\n\n")).await;
    assert_eq!(answer.status, 200);
    let json = "Accept: application/json\n";
    let answer =
        ask(&home, JORDAN, &format!("GET http://leads.test:{port}/ HTTP/1.1\nHost: x\n{json}\n")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("\"host\":\"blocked.test\""), "{}", answer.body);
    let breaches = home.breaches().await;
    assert_eq!(breaches.iter().map(|b| b.site.as_str()).collect::<Vec<_>>(), ["blocked.test"]);
}

#[tokio::test]
async fn a_token_says_whose_device_it_is() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let get =
        |credentials: &str| format!("GET {}/ HTTP/1.1\nHost: x\n{credentials}\n", origin.url("any.test"));
    // `jordan-tablet-7f3a19c6d2:` and `nobody:x`.
    let (right, wrong) = (
        "Proxy-Authorization: Basic am9yZGFuLXRhYmxldC03ZjNhMTljNmQyOg==\n",
        "Proxy-Authorization: Basic bm9ib2R5Ong=\n",
    );
    assert_eq!(TOKEN, "jordan-tablet-7f3a19c6d2");
    for (device, credentials, meant) in [
        (UNKNOWN, "", 403),
        (UNKNOWN, right, 200),
        (SAM, "", 403),
        (SAM, right, 200),
        (SAM, wrong, 407),
        (JORDAN, wrong, 407),
    ] {
        let answer = ask(&home, device, &get(credentials)).await;
        assert_eq!(answer.status, meant, "{device} {credentials}");
        if meant == 407 {
            assert!(answer.header("proxy-authenticate").is_some_and(|a| a.starts_with("Basic realm=")));
        }
    }
    for _ in 0..40 {
        assert_eq!(
            ask(&home, SAM, &get(wrong)).await.status,
            407,
            "an old token again and again is no guess"
        );
    }
    for n in 0..40 {
        // `nobody:` and a figure are one token; a figure before the colon makes another.
        let guess = STANDARD.encode(format!("nobody-{n}:"));
        ask(&home, SAM, &get(&format!("Proxy-Authorization: Basic {guess}\n"))).await;
    }
    assert_eq!(ask(&home, SAM, &get(wrong)).await.status, 429, "guessing is slow");
    assert_eq!(
        ask(&home, SAM, &get(right)).await.status,
        429,
        "and a right guess is not told from a wrong one"
    );
    assert_eq!(ask(&home, UNKNOWN, &get(right)).await.status, 200, "others are not the guesser");
    home.clock.advance(Duration::from_secs(61));
    assert_eq!(ask(&home, SAM, &get(right)).await.status, 200);
}

#[tokio::test]
async fn help_is_reached_whatever_token_is_shown() {
    let home = Home::with(|config| config.ask_unknown_for_token = true).await;
    let (web, bytes) = (Origin::start().await, echo_server().await);
    let shows =
        |token: &str| format!("Proxy-Authorization: Basic {}\n", STANDARD.encode(format!("{token}:")));
    let get = |host: &str, shown: &str| format!("GET {}/ HTTP/1.1\nHost: x\n{shown}\n", web.url(host));
    let (right, wrong, nonsense) = (shows(TOKEN), shows("nobody"), "Proxy-Authorization: Bearer x\n");
    // What each token makes of help and of another site: both of these are open to the tablet, and help alone to the device.
    let said = async |shown: &str| {
        let help = ask(&home, UNKNOWN, &get("help.test", shown)).await.status;
        (help, ask(&home, UNKNOWN, &get("any.test", shown)).await.status)
    };
    assert_eq!(said(&right).await, (200, 200));
    for shown in ["", &wrong[..], nonsense] {
        assert_eq!(said(shown).await, (200, 407), "{shown}");
    }
    for n in 0..30 {
        assert_eq!(said(&shows(&format!("guess-{n}"))).await.0, 200, "{n}");
    }
    // Whoever guesses is told nothing: neither what is right nor that it was.
    for shown in [&right[..], &wrong, nonsense] {
        assert_eq!(said(shown).await, (200, 429), "{shown}");
        let mut tunnel = Client::of(&home, UNKNOWN).await;
        let head = format!("CONNECT help.test:{} HTTP/1.1\nHost: x\n{shown}\n", bytes.port());
        tunnel.say(&head).await;
        assert_eq!(tunnel.head().await.status, 200, "{shown}");
    }
    let own = ask(&home, UNKNOWN, &format!("GET / HTTP/1.1\nHost: x\n{right}\n")).await;
    assert_eq!(own.status, 429, "the gateway's pages are no help");
    assert_eq!(home.breaches().await, []);
}

#[tokio::test]
async fn an_unknown_device_can_be_asked_for_its_token() {
    let home = Home::with(|config| config.ask_unknown_for_token = true).await;
    assert_eq!(ask(&home, UNKNOWN, "CONNECT any.test:443 HTTP/1.1\n\n").await.status, 407);
    assert_eq!(ask(&home, JORDAN, "CONNECT blocked.test:443 HTTP/1.1\n\n").await.status, 403);
}

#[tokio::test]
async fn a_clock_that_cannot_be_believed_means_the_baseline() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let get = format!("GET {}/ HTTP/1.1\nHost: x\nAccept: application/json\n\n", origin.url("any.test"));
    assert_eq!(ask(&home, JORDAN, &get).await.status, 200);
    let later = home.clock.now() + TimeDelta::minutes(5);
    assert_eq!(home.clock.jump(later), ClockState::Jumped);
    let answer = ask(&home, JORDAN, &get).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.body.contains("\"rule\":\"baseline\""),
        "the page explains the verdict that was given: {}",
        answer.body
    );
}

#[tokio::test]
async fn trying_again_after_a_quarter_of_an_hour_is_no_repeat() {
    let home = Home::open().await;
    let get = "GET http://blocked.test/ HTTP/1.1\nHost: x\nAccept: text/html\n\n";
    ask(&home, JORDAN, get).await;
    home.clock.advance(Duration::from_secs(16 * 60));
    ask(&home, JORDAN, get).await;
    let breaches = home.breaches().await;
    assert_eq!(breaches.iter().map(|b| b.evidence).collect::<Vec<_>>(), [Evidence::Navigation; 2]);
    assert_eq!(breaches[0].first, instant(NOON));
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal() {
    let (home, origin) = (Home::open().await, Origin::start().await);
    let mut client = Client::of(&home, JORDAN).await;
    for (host, meant) in [("blocked.test", 403), ("any.test", 200), ("ask.test", 403), ("any.test", 200)] {
        client.say(&format!("GET {}/ HTTP/1.1\nHost: x\n\n", origin.url(host))).await;
        assert_eq!(client.answer().await.status, meant, "{host}");
    }
    assert_eq!(home.counters.accepted.get(), 1);
}
