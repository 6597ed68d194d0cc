//! How long records stay.

use crate::play::{Play, at, jordan, on_disk, staff, until};
use agreements::{Evidence, Keep};
use records::{By, Clock, Entry, Verified, Which};
use std::time::Duration;

const KEEP: Keep = Keep { breaches: 365, minutes: 90, monitoring: 28 };

pub async fn what_is_old_is_purged_and_the_chain_stays_whole(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "old-canary.games.example", Evidence::Navigation);
    gateway.asks_for("jordan", "chat.example", Evidence::Navigation);
    let all = async || gateway.records.episodes(&Which::default()).await.unwrap();
    until("two episodes", async || all().await.len() == 2).await;
    gateway.records.note(all().await[0].entry, jordan(), "a note that goes with it").await.unwrap();
    gateway.records.staff_action(staff(), "an action that stays", "").await.unwrap();
    gateway.clock.advance(Duration::from_secs(20 * 60));
    until("their end", async || all().await.iter().all(|e| !e.open)).await;
    assert_eq!(gateway.records.purge(&KEEP, gateway.clock.now().date_naive()).await.unwrap(), 0);
    gateway.clock.advance(Duration::from_secs(366 * 86_400));
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    until("a new one", async || all().await.len() == 3).await;
    let gone = gateway.records.purge(&KEEP, gateway.clock.now().date_naive()).await.unwrap();
    assert_eq!(gone, 5, "two beginnings, two ends, a note");
    assert_eq!(all().await.len(), 1);
    let entries = gateway.records.entries(1).await.unwrap();
    assert!(
        entries
            .iter()
            .any(|e| matches!(&e.says, Some(Entry::StaffAction(a)) if a.what == "an action that stays"))
    );
    let verified = gateway.records.verify(None).await.unwrap();
    assert!(matches!(verified, Verified::Whole { purged: 5, .. }), "{verified:?}");
    if play.is_sqlite() {
        for word in ["chat.example", "a note that goes with it"] {
            assert!(!on_disk(play.home.path(), word), "`{word}` is still on the disk");
        }
        assert!(on_disk(play.home.path(), "an action that stays"));
    }
    gateway.stops().await;
}

pub async fn what_a_wrong_clock_dated_is_not_lost_early(play: Play) {
    let records = play.records().await;
    let host = |i| format!("site{i}.example");
    let mut asks = Vec::new();
    for (i, now) in
        ["2026-11-22T10:00:00Z", "2019-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "2026-11-22T11:00:00Z"]
            .iter()
            .enumerate()
    {
        play.clock.set(at(now));
        asks.push(records.ask("jordan", &host(i), "").await.unwrap());
    }
    assert_eq!(play.clock.settle(), records::ClockState::Right);
    assert_eq!(records.purge(&KEEP, play.clock.now().date_naive()).await.unwrap(), 0);
    assert_eq!(play.clock.jump(at("2028-01-01T00:00:00Z")), records::ClockState::Jumped);
    assert_eq!(
        records.purge(&KEEP, play.clock.now().date_naive()).await.unwrap(),
        0,
        "not by a clock that jumped"
    );
    assert_eq!(play.clock.settle(), records::ClockState::Right);
    assert_eq!(
        records.purge(&KEEP, play.clock.now().date_naive()).await.unwrap(),
        3,
        "all but the one of 2031"
    );
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { purged: 3, .. }));
    assert_eq!(asks.len(), 4);
}

pub async fn what_is_open_is_never_purged(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    let all = async || records.episodes(&Which::default()).await.unwrap();
    // One that a report marks, one that a concern is about, one that a report marks that is heard.
    for (count, (host, who)) in (1..).zip([("games.example", "jordan"), ("chat.example", "nobody")]) {
        gateway.asks_for(who, host, Evidence::Navigation);
        until("another", async || all().await.len() == count).await;
    }
    gateway.stranger_asks_for([192, 0, 2, 9].into(), "games.example");
    until("the third", async || all().await.len() == 3).await;
    let of = |episodes: &[records::Episode], who: &str, site: &str| {
        episodes.iter().find(|e| e.person == who && e.site == site).map(|e| e.entry)
    };
    let began = all().await;
    let talked_of = of(&began, "nobody", "chat.example").unwrap();
    let kate = records::Hearer { by: staff(), manages: false };
    let told = records.report("jordan", jordan(), "somebody wrote to me", None).await.unwrap();
    let device = By { id: "192.0.2.9".into(), ..jordan() };
    let heard = records.report("nobody", device, "an advert", None).await.unwrap();
    assert_eq!(all().await.iter().filter(|e| e.reported).count(), 2);
    records.note(talked_of, staff(), "he was upset").await.unwrap();
    let concern = records.concern(talked_of, "nobody", staff(), "who is this").await.unwrap();
    gateway.clock.advance(Duration::from_secs(13 * 3600));
    until("their end", async || all().await.iter().all(|e| !e.open)).await;
    records.hear_report(heard, &kate, "we talked").await.unwrap();
    gateway.clock.advance(Duration::from_secs(366 * 86_400));
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    until("a new one", async || all().await.len() == 4).await;
    let purge = async || records.purge(&KEEP, gateway.clock.now().date_naive()).await.unwrap();
    let texts = async |kind: &str| {
        let entries = records.entries(1).await.unwrap();
        entries.iter().filter(|e| e.kind == kind && e.says.is_some()).count()
    };
    assert!(purge().await > 0);
    assert_eq!(records.open_reports().await.unwrap().iter().map(|r| r.entry).collect::<Vec<_>>(), [told]);
    assert_eq!(records.concerns(true).await.unwrap()[0].concern.words, "who is this");
    let left = all().await;
    assert!(of(&left, "jordan", "games.example").is_some(), "what the report marks");
    let kept = left.iter().find(|e| e.entry == talked_of).expect("what the concern is about");
    assert_eq!(kept.notes[0].words, "he was upset");
    assert_eq!(of(&left, "nobody", "192.0.2.9"), None, "marked by a report that was heard a year ago");
    assert_eq!((texts("report").await, texts("report_heard").await), (1, 0));
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    // Closed today, they stay as long as what happened today.
    records.hear_report(told, &kate, "we talked, at last").await.unwrap();
    records.close_concern(concern, staff(), "A. Mensah", "she has it").await.unwrap();
    assert_eq!(purge().await, 0, "closed a moment ago");
    gateway.clock.advance(Duration::from_secs(366 * 86_400));
    gateway.asks_for("jordan", "chat.example", Evidence::Navigation);
    until("and another", async || {
        all().await.iter().any(|e| e.person == "jordan" && e.site == "chat.example")
    })
    .await;
    assert!(purge().await > 0);
    assert_eq!((texts("report").await, texts("note").await, texts("concern").await), (0, 0, 1));
    assert!(all().await.iter().all(|e| e.entry > concern), "what was kept for them is gone with them");
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}
