//! The store changed behind the gateway's back: nothing is lifted by it, and staff are told.

use crate::play::{Play, lawful, snapshot, staff};
use agreements::{GrantKind, Host, Snapshot, What, Word};
use blocklists::Name;
use chrono::TimeDelta;
use records::{Clock, Misfit, NewGrant, Records, Verified};
use std::time::Duration;

/// Closes `video.example` and opens `games.example` for Jordan, for days and for a day.
async fn decide(play: &Play, records: &Records, snapshot: &Snapshot) -> (i64, i64) {
    let now = play.clock.now();
    let draft = lawful(now);
    let restriction = records.restrict(draft, &snapshot.house.home().protected, staff()).await.unwrap();
    let new = NewGrant {
        person: "jordan".into(),
        kind: GrantKind::Sites(What::Words(vec![Word::parse("games.example").unwrap()])),
        until: now + TimeDelta::days(1),
        by: staff(),
        reason: "a game together".into(),
    };
    (restriction, records.grant(new).await.unwrap())
}

/// Whether `video.example` and `games.example` are open for Jordan now.
async fn open(play: &Play, records: &Records, snapshot: &Snapshot) -> (bool, bool) {
    let standing = records.standing(&snapshot.house).await.unwrap();
    let who = snapshot.house.person("jordan").unwrap();
    let allows = |host: &str| {
        let host = Host::Name(Name::new(host).unwrap());
        snapshot.judge(who, play.clock.now(), host, None, &standing).allows()
    };
    (allows("video.example"), allows("games.example"))
}

/// Somebody with the database in their hands, what is open then, and whether the restriction's line is put back.
const BEHIND: &[(&str, &str, bool, bool)] = &[
    ("line_removed", "DELETE FROM register WHERE kind = 'restriction'", true, true),
    ("register_emptied", "DELETE FROM register", false, true),
    ("line_closed", "UPDATE register SET closed = 1 WHERE kind = 'restriction'", true, true),
    ("line_ended", "UPDATE register SET ends = 1 WHERE kind = 'restriction'", true, true),
    ("line_of_another_kind", "UPDATE register SET kind = 'note' WHERE kind = 'restriction'", true, true),
    ("line_of_another_entry", "UPDATE register SET entry = 999 WHERE kind = 'restriction'", true, true),
    ("grant_removed", "DELETE FROM register WHERE kind = 'grant'", false, true),
    ("nothing", "SELECT 1", true, false),
];

pub async fn no_restriction_is_lifted_by_changing_the_register(play: Play) {
    let snapshot = snapshot();
    let mut records = play.records().await;
    let (restriction, _) = decide(&play, &records, &snapshot).await;
    assert_eq!(open(&play, &records, &snapshot).await, (false, true));
    play.unguard().await;
    play.set_aside().await;
    for (name, sql, grant_open, told) in BEHIND {
        // While the gateway runs, and again while it does not.
        for restarts in [false, true] {
            if restarts {
                records.close().await;
                drop(records);
                play.tamper(sql).await;
                records = play.records().await;
            } else {
                play.tamper(sql).await;
            }
            let before = records.head().await.unwrap().entries;
            let what = format!("{name}, restarts: {restarts}");
            assert_eq!(open(&play, &records, &snapshot).await, (false, *grant_open), "{what}");
            assert_eq!(open(&play, &records, &snapshot).await, (false, *grant_open), "{what}, again");
            let status = records.status().await.unwrap();
            assert_eq!(status.misfit.is_some(), *told, "{what}: {status:?}");
            let said = status.journal.entries - before;
            assert!(
                if *told { (1..=2).contains(&said) } else { said == 0 },
                "{what}: {said} entries, told once"
            );
            // Staff can see it and end it: its line is back.
            let live = records.live_restrictions().await.unwrap();
            assert_eq!(live.iter().map(|r| r.entry).collect::<Vec<_>>(), [restriction], "{what}");
            // As it was, for the next, and a gateway that knows nothing of this one.
            records.close().await;
            drop(records);
            play.put_back().await;
            records = play.records().await;
            assert_eq!(open(&play, &records, &snapshot).await, (false, true));
        }
    }
    // What staff end is over, and what ends by itself as well.
    records.end_restriction(restriction, staff(), "reviewed: no longer needed").await.unwrap();
    assert_eq!(open(&play, &records, &snapshot).await, (true, true));
    decide(&play, &records, &snapshot).await;
    assert_eq!(open(&play, &records, &snapshot).await, (false, true));
    play.clock.advance(Duration::from_secs(49 * 3600));
    assert_eq!(open(&play, &records, &snapshot).await, (true, false));
    assert_eq!(records.status().await.unwrap().misfit, None);
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

pub async fn a_running_gateway_keeps_what_it_has_read(play: Play) {
    let snapshot = snapshot();
    let records = play.records().await;
    let (restriction, _) = decide(&play, &records, &snapshot).await;
    assert_eq!(open(&play, &records, &snapshot).await, (false, true));
    play.unguard().await;
    play.set_aside().await;
    for sql in [
        "DELETE FROM body; DELETE FROM register",
        "DELETE FROM journal WHERE kind = 'restriction'; DELETE FROM register",
        "UPDATE body SET text = replace(text, 'video.example', 'other.example')",
        "UPDATE journal SET kind = 'note' WHERE kind = 'restriction'; DELETE FROM register",
        "DELETE FROM journal; DELETE FROM body; DELETE FROM register; UPDATE head SET entries = 0",
    ] {
        play.tamper(sql).await;
        assert!(!open(&play, &records, &snapshot).await.0, "{sql}");
        play.put_back().await;
    }
    // A gateway that starts reads its whole journal, and says what does not fit.
    records.close().await;
    drop(records);
    play.tamper(&format!("UPDATE body SET text = replace(text, 'video', 'other') WHERE seq = {restriction}"))
        .await;
    let records = play.records().await;
    let found = records.look_over().await.unwrap();
    assert_eq!(found, Verified::Broken { entry: restriction, misfit: Misfit::BodyAltered });
    assert!(records.status().await.unwrap().misfit.is_some());
    let entries = records.head().await.unwrap().entries;
    open(&play, &records, &snapshot).await;
    records.look_over().await.unwrap();
    assert_eq!(records.head().await.unwrap().entries, entries, "told once");
}
