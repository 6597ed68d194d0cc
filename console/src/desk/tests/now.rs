//! **Now**.

use super::play::Play;
use crate::desk::{List, State, Trouble, Waiting};
use agreements::{GrantKind, LimitKey};
use chrono::TimeDelta;
use records::{By, ByRole, Clock, NewGrant};
use std::time::Duration;

fn staff() -> By {
    By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() }
}

#[tokio::test]
async fn who_is_online_until_when_and_by_which_line() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    let page = browser.get("/").await.words();
    for words in ["Jordan", "Open until 21:00", "Not online", "All together 0 of 240 min", "otherwise: allow"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let current = play.in_force.to_keep();
    current.device_in_use(Some(0), play.clock.now());
    let page = browser.get("/").await.words();
    assert!(page.contains("Online: phone"), "{page}");
    play.clock.advance(Duration::from_secs(4 * 60));
    browser.get("/").await;
    play.clock.advance(Duration::from_secs(4 * 60));
    browser.get("/").await;
    play.clock.advance(Duration::from_secs(3 * 60));
    assert!(!browser.get("/").await.words().contains("Online: phone"), "eleven minutes ago");
    play.clock.advance(Duration::from_secs(4 * 3600));
    let page = play.signed_in("k.lane").await.get("/").await.words();
    assert!(
        page.contains("The internet is off for Jordan until 07:00") && page.contains("bedtime"),
        "{page}"
    );
}

#[tokio::test]
async fn what_staff_decided_and_what_waits() {
    let play = Play::new().await;
    play.records.ask("jordan", "chat.example", "everyone from school").await.unwrap();
    let until = play.clock.now() + TimeDelta::minutes(30);
    let kind = GrantKind::ExtraTime(LimitKey::Everything);
    let new = NewGrant { person: "sam".into(), kind, until, by: staff(), reason: "film night".into() };
    play.records.grant(new).await.unwrap();
    play.settle().await;
    play.clock.advance(Duration::from_secs(180));
    let page = play.signed_in("r.osei").await.get("/").await.words();
    for words in ["Jordan asks for chat.example for 3 minutes", "Extra time until 18:00, by Kate Lane"] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn the_gateway_says_what_is_wrong_with_it() {
    let play = Play::new().await;
    let trouble = Trouble {
        file: "agreements/sam.yaml".into(),
        line: 7,
        sentence: "`25:00` is no time.".into(),
        help: "Write `01:00`.".into(),
    };
    *play.running.state.lock().unwrap() = State {
        pretended: true,
        upstreams: Some((1, 2)),
        lists: vec![List {
            name: "gambling".into(),
            age: "3 days old".into(),
            names: 12,
            trouble: Some("It failed.".into()),
        }],
        waiting: vec![Waiting {
            file: "agreements/sam.yaml".into(),
            meanwhile: "Meanwhile its last good text is in force.".into(),
            troubles: vec![trouble],
        }],
        ..State::default()
    };
    play.clock.set("2026-11-25T17:30:00Z".parse().unwrap());
    play.clock.look();
    let for_it = play.signed_in("it").await.get("/").await.words();
    assert!(for_it.contains("agreements/S..yaml waits"), "{for_it}");
    let page = play.signed_in("r.osei").await.get("/").await.words();
    for words in [
        "agreements/sam.yaml waits",
        "Line 7: `25:00` is no time. Write `01:00`.",
        "its last good text is in force",
        "The clock jumped",
        "1 of 2 upstream resolvers",
        "gambling : 3 days old, 12 names It failed.",
        "pretended",
        "The journal has",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[tokio::test]
async fn visitors_see_initials_and_it_sees_no_children() {
    let play = Play::new().await;
    play.records.ask("jordan", "chat.example", "").await.unwrap();
    play.clock.advance(Duration::from_secs(4 * 3600));
    let visitor = play.signed_in("visitor").await.get("/").await;
    assert!(visitor.words().contains("The internet is off for J."), "{}", visitor.words());
    let it = play.signed_in("it").await.get("/").await;
    for page in [visitor, it] {
        for word in ["Jordan", "jordan", "Sam", "chat.example"] {
            assert!(!page.text.contains(word), "{word}: {}", page.words());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn minutes_in_use_stand_against_their_limit() {
    let jordan = super::play::JORDAN.replace("everything: 4h", "everything: 6m");
    let play = Play::of(super::play::HOME, &[("jordan", &jordan)]).await;
    super::four_weeks::in_use(&play, 5).await;
    let page = play.signed_in("k.lane").await.get("/").await;
    assert!(page.words().contains("All together 5 of 6 min"), "{}", page.words());
    assert!(page.text.contains("<progress max=\"6\" value=\"5\""), "{}", page.text);
    super::four_weeks::in_use(&play, 1).await;
    play.settle().await;
    let page = play.signed_in("k.lane").await.get("/").await.words();
    assert!(page.contains("All together 6 of 6 min") && page.contains("used up for Jordan"), "{page}");
}
