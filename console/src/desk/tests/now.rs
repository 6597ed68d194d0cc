//! **Now**.

use super::play::{HOME, JORDAN, Play};
use super::shifts::happens;
use crate::desk::{List, State, Trouble, Waiting};
use agreements::{GrantKind, LimitKey};
use chrono::TimeDelta;
use records::{By, ByRole, Clock, NewGrant, Recorder, Which};
use sqlx::{Connection, Executor};
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
async fn what_they_told_of_by_themselves_was_recorded_too() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    assert!(browser.get("/").await.words().contains("Nothing was recorded since"));
    happens(&play, "jordan", "games.example").await;
    let by = By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
    play.records.report("jordan", by, "it opened by itself", None).await.unwrap();
    assert!(play.records.episodes(&Which::default()).await.unwrap()[0].reported, "it is no breach");
    let page = browser.get("/").await.words();
    assert!(page.contains("1 episode since") && !page.contains("Nothing was recorded"), "{page}");
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

/// Runs something on the home's records behind the gateway's back.
pub(super) async fn behind(play: &Play, sql: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(play.file());
    let mut c = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    c.execute(sqlx::raw_sql(sql)).await.unwrap();
    c.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_is_said_until_it_can() {
    let play = Play::new().await;
    let mut browser = play.signed_in("k.lane").await;
    let failing = async || play.records.status().await.unwrap().failing.is_some();
    let comes_to = async |wanted: bool| {
        let looks = async {
            while failing().await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looks).await.unwrap();
    };
    const SAID: &str = "It cannot be written";
    assert!(!browser.get("/").await.words().contains(SAID));
    behind(
        &play,
        "CREATE TRIGGER no_room BEFORE INSERT ON journal \
         BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    )
    .await;
    let (recorder, task) = Recorder::start(play.records.clone(), play.in_force.clone());
    comes_to(true).await;
    let page = browser.get("/").await.words();
    assert!(page.contains(SAID) && page.contains("disk is full"), "{page}");
    behind(&play, "DROP TRIGGER no_room").await;
    comes_to(false).await;
    let page = browser.get("/").await.words();
    assert!(!page.contains(SAID), "{page}");
    recorder.stop();
    task.await.unwrap();
}

#[tokio::test]
async fn a_device_that_is_known_in_two_ways_is_one() {
    let jordan = JORDAN.replace("mac:", "token: jordan-phone-7f3a19c6d2, mac:");
    let play = Play::of(HOME, &[("jordan", &jordan)]).await;
    for place in 0..2 {
        play.in_force.to_keep().device_in_use(Some(place), play.clock.now());
    }
    let mut kate = play.signed_in("k.lane").await;
    let now = kate.get("/").await.words();
    assert!(now.contains("Online: phone") && !now.contains("phone, phone"), "{now}");
    let devices = kate.get("/devices").await.words();
    assert_eq!(devices.matches("Jordan: phone").count(), 1, "{devices}");
    assert!(
        devices.contains("Known by its hardware address and a token of its own. In use at 17:30."),
        "{devices}"
    );
    play.clock.advance(Duration::from_secs(60));
    play.in_force.to_keep().device_in_use(Some(1), play.clock.now());
    let devices = kate.get("/devices").await.words();
    assert!(devices.contains("In use at 17:31."), "by whichever was last: {devices}");
}

#[tokio::test]
async fn how_old_the_last_good_copy_is() {
    let play = Play::new().await;
    let words = async |after: u64| {
        play.clock.advance(Duration::from_secs(after));
        let page = play.signed_in("it").await.get("/").await;
        let troubled = page.text.contains("<b class=\"trouble\">The last good copy");
        (page.words(), troubled)
    };
    let (page, _) = words(0).await;
    assert!(page.contains("No copy of the records was made"), "{page}");
    play.records.backed_up(play.records.head().await.unwrap(), "00ff", staff()).await.unwrap();
    for (after, said, late) in [
        (120, "is 2 minutes old", false),
        (47 * 3600, "is 47 h 2 min old", false),
        (2 * 3600, "is 2 days old", true),
    ] {
        let (page, troubled) = words(after).await;
        assert!(page.contains(said) && troubled == late, "{after}: {page}");
    }
    let audit = play.signed_in("r.osei").await.get("/audit").await.words();
    assert!(audit.contains("Kate Lane (k.lane) copied the records, up to entry"), "{audit}");
}
