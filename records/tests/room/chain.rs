//! The chain: what verifies, what does not, and who may write.

use crate::play::{Play, START, at, jordan, staff, until};
use agreements::{Evidence, GrantKind, LimitKey};
use chrono::TimeDelta;
use records::shift::Shift;
use records::{
    Answer, Clock, FilesChanged, Head, Misfit, NewGrant, NotDone, OpenError, Purpose, Records, Verified,
    Which,
};
use std::time::Duration;

/// Appends entries until the journal has so many.
async fn fill(records: &Records, entries: i64) {
    for i in 1..=entries {
        records.staff_action(staff(), &format!("did {i}"), "because").await.unwrap();
    }
}

pub async fn a_whole_journal_verifies(play: Play) {
    let records = play.records().await;
    let empty = records.verify(None).await.unwrap();
    assert!(matches!(empty, Verified::Whole { head: Head { entries: 0, .. }, purged: 0, .. }), "{empty:?}");
    // More than one page.
    fill(&records, 1500).await;
    let head = records.head().await.unwrap();
    assert_eq!(head.entries, 1500);
    let whole = Verified::Whole { head: head.clone(), purged: 0, purges: Vec::new(), open: 0 };
    assert_eq!(records.verify(None).await.unwrap(), whole);
    assert_eq!(records.verify(Some(&head)).await.unwrap(), whole);
    let mut journal = Vec::new();
    let manifest = records.export_journal(&mut journal).await.unwrap();
    assert_eq!(manifest.count, 1500);
    repeated_with_sha256sum(&journal);
}

/// An inspector's way: the first three entries, with nothing but `sha256sum`.
fn repeated_with_sha256sum(journal: &[u8]) {
    let mut before = "0".repeat(64);
    for line in String::from_utf8(journal.to_vec()).unwrap().lines().take(3) {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| match &entry[name] {
            serde_json::Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        let body_hash = sha256sum("printf '%s\\n%s' \"$1\" \"$2\"", &[&field("salt"), &field("body")]);
        assert_eq!(body_hash, field("body_hash"));
        let cells = [before.as_str(), &field("seq"), &field("at"), &field("kind"), &body_hash];
        before = sha256sum("printf '%s\\n%s\\n%s\\n%s\\n%s\\n' \"$1\" \"$2\" \"$3\" \"$4\" \"$5\"", &cells);
        assert_eq!(before, field("hash"));
    }
}

fn sha256sum(print: &str, cells: &[&str]) -> String {
    let out = std::process::Command::new("sh")
        .args(["-c", &format!("{print} | sha256sum | cut -d' ' -f1"), "sh"])
        .args(cells)
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

pub async fn every_kind_of_tampering_is_found_where_it_is(play: Play) {
    let records = play.records().await;
    let cases: &[(&str, &str, &str, Misfit)] = &[
        ("edited_time", "UPDATE journal SET at = '2026-01-01T00:00:00.000Z' WHERE seq = $n", "5", Misfit::Altered),
        ("edited_kind", "UPDATE journal SET kind = 'note' WHERE seq = $n", "5", Misfit::Altered),
        ("edited_text", "UPDATE body SET text = '{}' WHERE seq = $n", "5", Misfit::BodyAltered),
        (
            "edited_text_and_its_hash",
            "UPDATE body SET text = '{}', salt = 's' WHERE seq = $n;
             UPDATE journal SET body_hash = 'cd7c1cfa5bb11d0d3d6ea06d06d1ab75d0efe9b96d5ab8ef0ac0f5a4a8f3c1d2' WHERE seq = $n",
            "5",
            Misfit::Altered,
        ),
        ("text_removed", "DELETE FROM body WHERE seq = $n", "5", Misfit::BodyRemoved),
        ("entry_removed", "DELETE FROM journal WHERE seq = $n", "5", Misfit::Removed),
        ("first_removed", "DELETE FROM journal WHERE seq = 1", "1", Misfit::Removed),
        ("tail_cut_off", "DELETE FROM journal WHERE seq > $n", "6", Misfit::CutOff),
        (
            "swapped",
            "UPDATE journal SET seq = 1000 WHERE seq = $n; UPDATE journal SET seq = $n WHERE seq = $n + 1;
             UPDATE journal SET seq = $n + 1 WHERE seq = 1000",
            "5",
            Misfit::Altered,
        ),
        (
            "added_after_the_head",
            "INSERT INTO journal SELECT seq + 1, at, kind, body_hash, hash FROM journal ORDER BY seq DESC LIMIT 1",
            "9",
            Misfit::Added,
        ),
        (
            "added_and_the_head_moved",
            "INSERT INTO journal SELECT seq + 1, at, kind, body_hash, hash FROM journal ORDER BY seq DESC LIMIT 1;
             UPDATE head SET entries = entries + 1",
            "9",
            Misfit::Altered,
        ),
        ("head_moved_back", "UPDATE head SET entries = 7", "7", Misfit::Altered),
    ];
    fill(&records, 8).await;
    records.close().await;
    drop(records);
    play.unguard().await;
    play.set_aside().await;
    for (name, sql, entry, misfit) in cases {
        play.tamper(&sql.replace("$n", "5")).await;
        let records = play.open_for(Purpose::Read).await.unwrap();
        let want = Verified::Broken { entry: entry.parse().unwrap(), misfit: *misfit };
        assert_eq!(records.verify(None).await.unwrap(), want, "{name}");
        records.close().await;
        play.put_back().await;
    }
    a_rewritten_journal(play).await;
}

/// Somebody who rewrote the whole store leaves a chain that fits in itself, and not the head that was kept elsewhere.
async fn a_rewritten_journal(play: Play) {
    let records = play.records().await;
    let head = records.head().await.unwrap();
    let other = Head { entries: 3, hash: "f".repeat(64) };
    let found = records.verify(Some(&other)).await.unwrap();
    assert_eq!(found, Verified::Broken { entry: 3, misfit: Misfit::OtherChain });
    let longer = Head { entries: head.entries + 1, hash: head.hash };
    let found = records.verify(Some(&longer)).await.unwrap();
    assert_eq!(found, Verified::Broken { entry: head.entries + 1, misfit: Misfit::CutOff });
}

/// A gateway relies on all of its store, and finds out at once that a part is gone. In its place there are records in memory,
/// which take nothing that people decide.
pub async fn a_store_that_lost_a_part_is_found_out(play: Play) {
    play.records().await.close().await;
    assert!(Records::can_be_kept(&play.at, play.home.path()).await);
    for (gone, back) in [
        ("ALTER TABLE minutes RENAME TO aside", "ALTER TABLE aside RENAME TO minutes"),
        ("ALTER TABLE episode RENAME TO aside", "ALTER TABLE aside RENAME TO episode"),
        (
            "CREATE TABLE aside AS SELECT * FROM head; DELETE FROM head",
            "INSERT INTO head SELECT * FROM aside",
        ),
    ] {
        play.tamper(gone).await;
        let why = play.open_for(Purpose::Gateway).await.expect_err(gone);
        assert!(!matches!(why, OpenError::Busy(_)), "{gone}: {why}");
        assert!(!Records::can_be_kept(&play.at, play.home.path()).await, "{gone}");
        play.tamper(back).await;
    }
    assert!(Records::can_be_kept(&play.at, play.home.path()).await);
    let memory = Records::in_memory(&play.at, play.home.path(), play.clock.clone(), "it is broken".into());
    let memory = memory.await.unwrap();
    assert_eq!(memory.broken(), Some("it is broken"));
    assert!(matches!(memory.ask("jordan", "a.example", "").await, Err(NotDone::Broken)));
    assert!(matches!(memory.staff_action(staff(), "did", "because").await, Err(NotDone::Broken)));
    memory.files(FilesChanged { in_force: Vec::new(), waiting: Vec::new() }).await.unwrap();
    let head = memory.head().await.unwrap();
    assert_eq!(head.entries, 1, "what the gateway itself records is kept while it runs");
    memory.close().await;
    assert!(play.records().await.head().await.unwrap().entries < 1, "and leaves the records as they are");
}

/// A purge as somebody with the store in their hands may append it: of these entries, at a time, of what was before another.
async fn forge_purge(play: &Play, head: &Head, entries: &[(i64, i64)], at: &str, before: &str) {
    let runs: Vec<String> = entries.iter().map(|(from, to)| format!("[{from},{to}]")).collect();
    let text = format!(r#"{{"before":"{before}","count":1,"entries":[{}]}}"#, runs.join(","));
    let (salt, seq) = ("00".repeat(16), (head.entries + 1).to_string());
    let body_hash = sha256sum("printf '%s\\n%s' \"$1\" \"$2\"", &[&salt, &text]);
    let cells = [head.hash.as_str(), &seq, at, "purged", &body_hash];
    let hash = sha256sum("printf '%s\\n%s\\n%s\\n%s\\n%s\\n' \"$1\" \"$2\" \"$3\" \"$4\" \"$5\"", &cells);
    play.tamper(&format!(
        "INSERT INTO journal VALUES ({seq}, '{at}', 'purged', '{body_hash}', '{hash}');
         INSERT INTO body VALUES ({seq}, '{salt}', '{text}');
         UPDATE head SET entries = {seq}, hash = '{hash}'"
    ))
    .await;
    for (from, to) in entries {
        for table in ["body WHERE seq", "register WHERE entry"] {
            let key = table.rsplit(" ").next().unwrap();
            play.tamper(&format!("DELETE FROM {table} >= {from} AND {key} <= {to}")).await;
        }
    }
}

/// Whoever removes what entries say, and appends a purge that names them, deceives nobody: a purge explains what a gateway
/// could have purged.
pub async fn a_forged_purge_explains_nothing(play: Play) {
    let records = play.records().await;
    // Entries 1 to 3 are asks of two years ago, 4 is what staff did then, 5 and 6 are asks of today.
    for site in ["a.example", "b.example", "c.example"] {
        records.ask("jordan", site, "").await.unwrap();
    }
    records.staff_action(staff(), "did", "because").await.unwrap();
    play.clock.advance(Duration::from_secs(2 * 365 * 86_400));
    for site in ["d.example", "e.example"] {
        records.ask("jordan", site, "").await.unwrap();
    }
    let head = records.head().await.unwrap();
    let now = play.clock.now();
    let written = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let ago = |days| written(now - TimeDelta::days(days));
    records.close().await;
    drop(records);
    play.unguard().await;
    play.set_aside().await;
    let cases = [
        ("older than any of them", 2, 2, ago(0), "2020-01-01T00:00:00.000Z".to_owned(), Some(2)),
        ("of entries that are not old", 5, 5, ago(0), ago(365), Some(5)),
        ("of what is younger than anybody may purge", 5, 5, ago(0), ago(0), Some(5)),
        ("dated in the future", 5, 5, ago(-800), ago(-400), Some(5)),
        ("of what is never purged", 4, 4, ago(0), ago(365), Some(4)),
        ("of all", 1, 7, ago(0), ago(365), Some(4)),
        ("as a gateway does it", 1, 3, ago(0), ago(365), None),
    ];
    for (name, from, to, at, before, broken) in cases {
        forge_purge(&play, &head, &[(from, to.min(head.entries))], &at, &before).await;
        let records = play.open_for(Purpose::Read).await.unwrap();
        match (records.verify(Some(&head)).await.unwrap(), broken) {
            (Verified::Broken { entry, misfit: Misfit::BodyRemoved }, Some(wanted)) if entry == wanted => {}
            // And whoever kept the head sees that there was one since.
            (Verified::Whole { purged: 3, purges, .. }, None) => {
                let seen: Vec<_> = purges.iter().map(|p| (p.entry, p.count, written(p.before))).collect();
                assert_eq!(seen, [(7, 1, before)], "{name}");
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
        records.close().await;
        play.put_back().await;
    }
    // A purge explains nothing that came after it.
    forge_purge(&play, &head, &[(1, 1)], &ago(0), &ago(365)).await;
    let records = play.records().await;
    let later = records.ask("jordan", "later.example", "").await.unwrap();
    records.close().await;
    play.tamper(&format!("DELETE FROM body WHERE seq = {later}; DELETE FROM register WHERE entry = {later}"))
        .await;
    let records = play.open_for(Purpose::Read).await.unwrap();
    assert_eq!(
        records.verify(Some(&head)).await.unwrap(),
        Verified::Broken { entry: later, misfit: Misfit::BodyRemoved }
    );
    records.close().await;
}

/// Everything that the lists are made of: breaches that go on, are over and were reported; grants, one revoked; a
/// restriction that ended, asks, a note, a review.
async fn lived_in(play: &Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    let all = async || records.episodes(&Which::default()).await.unwrap();
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    gateway.asks_for("jordan", "chat.example", Evidence::Lookup);
    until("two", async || all().await.len() == 2).await;
    records.report("jordan", jordan(), "I saw something", None).await.unwrap();
    play.clock.advance(Duration::from_secs(20 * 60));
    until("their end", async || all().await.iter().all(|e| !e.open)).await;
    gateway.asks_for("jordan", "chat.example", Evidence::Navigation);
    until("another", async || all().await.len() == 3).await;
    let until = play.clock.now() + TimeDelta::hours(2);
    let kind = || GrantKind::ExtraTime(LimitKey::Everything);
    for reason in ["film night", "a mistake"] {
        let new =
            NewGrant { person: "jordan".into(), kind: kind(), until, by: staff(), reason: reason.into() };
        records.grant(new).await.unwrap();
    }
    let grant = records.live_grants().await.unwrap().pop().unwrap().entry;
    records.revoke(grant, staff(), "a mistake").await.unwrap();
    let ask = records.ask("jordan", "asked.example", "please").await.unwrap();
    records.answer(ask, Answer::Decline, staff(), "not today").await.unwrap();
    records.ask("jordan", "waiting.example", "please").await.unwrap();
    records.note(1, staff(), "a note").await.unwrap();
    let seen = records.tally(at(START), until).await.unwrap();
    records.sign_shift(Shift { from: at(START), to: until }, None, staff(), "read", seen).await.unwrap();
    gateway.stops().await;
}

pub async fn lists_that_say_other_than_the_journal_are_found(play: Play) {
    lived_in(&play).await;
    let over = "entry = (SELECT min(entry) FROM episode)";
    let open = "entry = (SELECT max(entry) FROM episode)";
    let revoked = "kind = 'grant' AND closed > 0";
    let cases = [
        format!("DELETE FROM episode WHERE {over}"),
        format!("DELETE FROM episode WHERE {open}"),
        "DELETE FROM episode".to_owned(),
        format!("UPDATE episode SET reported = 1 WHERE {open}"),
        format!("UPDATE episode SET reported = 0 WHERE {over}"),
        format!("UPDATE episode SET person = 'sam' WHERE {open}"),
        format!("UPDATE episode SET site = 'bbc.example' WHERE {open}"),
        format!("UPDATE episode SET rule = 'online' WHERE {open}"),
        format!("UPDATE episode SET first = first + 1 WHERE {open}"),
        format!("UPDATE episode SET severity = 'low' WHERE {over}"),
        format!("UPDATE episode SET severity = 'technical' WHERE {open}"),
        format!("UPDATE episode SET count = 0 WHERE {open}"),
        format!("UPDATE episode SET count = 7 WHERE {over}"),
        format!("UPDATE episode SET ended = 0 WHERE {over}"),
        format!("UPDATE episode SET ended = 1 WHERE {open}"),
        format!("UPDATE episode SET entry = 1 WHERE {open}"),
        "INSERT INTO episode VALUES (1, 'jordan', 'site', 'x.example', 1, 1, 1, 'lookup', 'low', 0, 0)"
            .to_owned(),
        "INSERT INTO episode VALUES (999, 'jordan', 'site', 'x.example', 1, 1, 1, 'lookup', 'low', 0, 0)"
            .to_owned(),
        format!("UPDATE register SET closed = 0 WHERE {revoked}"),
        "UPDATE register SET closed = 1 WHERE kind = 'grant' AND closed = 0".to_owned(),
        "UPDATE register SET ends = ends + 1 WHERE kind = 'grant'".to_owned(),
        "UPDATE register SET person = 'sam' WHERE kind = 'grant'".to_owned(),
        "UPDATE register SET closed = 1 WHERE kind = 'ask' AND closed = 0".to_owned(),
        "UPDATE register SET closed = 0 WHERE kind = 'ask'".to_owned(),
        "DELETE FROM register WHERE kind = 'ask'".to_owned(),
        "DELETE FROM register WHERE kind = 'note'".to_owned(),
        "UPDATE register SET about = 2 WHERE kind = 'note'".to_owned(),
        "DELETE FROM register WHERE kind = 'review'".to_owned(),
        "INSERT INTO register VALUES (1, 'grant', 'jordan', 0, 1, 9000000000000, 0)".to_owned(),
    ];
    play.set_aside().await;
    for sql in &cases {
        play.tamper(sql).await;
        let records = play.open_for(Purpose::Read).await.unwrap();
        let wanted = if sql.contains("register") { Misfit::RegisterAltered } else { Misfit::ListAltered };
        let found = records.verify(None).await.unwrap();
        assert!(matches!(found, Verified::Broken { misfit, .. } if misfit == wanted), "{sql}: {found:?}");
        // Nothing that was taken back is live, and no line hides the others.
        assert!(records.live_grants().await.unwrap().len() <= 1, "{sql}");
        let page = records.episodes_page(&Which::default()).await.unwrap();
        let forged = sql.contains("(1, 'jordan', 'site'") || sql.contains("entry = 1 ");
        let added = sql.contains("(999, ");
        let unreadable = if forged {
            vec![1]
        } else if added {
            vec![999]
        } else {
            Vec::new()
        };
        assert_eq!(page.unreadable, unreadable, "{sql}");
        records.close().await;
        for table in ["episode", "register"] {
            play.tamper(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM {table}_aside"))
                .await;
        }
    }
    let records = play.open_for(Purpose::Read).await.unwrap();
    let whole = records.verify(None).await.unwrap();
    assert!(matches!(whole, Verified::Whole { .. }), "{whole:?}");
}

pub async fn the_journal_refuses_updates_and_deletes(play: Play) {
    let records = play.records().await;
    fill(&records, 2).await;
    for sql in ["UPDATE journal SET kind = 'note'", "DELETE FROM journal", "UPDATE body SET text = '{}'"] {
        let refused = play.try_sql(sql).await.unwrap_err();
        assert!(refused.contains("the journal is only appended to"), "{sql}: {refused}");
    }
}

pub async fn a_second_gateway_is_kept_out(play: Play) {
    let first = play.records().await;
    let second = play.open_for(Purpose::Gateway).await;
    assert!(matches!(second, Err(OpenError::Busy(_))), "{second:?}");
    // A command may append beside it, and the chain stays whole.
    let beside = play.open_for(Purpose::Beside).await.unwrap();
    for _ in 0..20 {
        let (a, b) = tokio::join!(fill(&first, 2), fill(&beside, 2));
        let ((), ()) = (a, b);
    }
    assert!(matches!(
        first.verify(None).await.unwrap(),
        Verified::Whole { head: Head { entries: 80, .. }, .. }
    ));
    beside.close().await;
    first.close().await;
    drop(first);
    play.records().await;
}

pub async fn reading_needs_a_store_and_writes_nothing(play: Play) {
    let none = play.open_for(Purpose::Read).await;
    assert!(matches!(none, Err(OpenError::Missing(_))), "{none:?}");
    let none = play.open_for(Purpose::Beside).await;
    assert!(matches!(none, Err(OpenError::Missing(_))), "{none:?}");
    assert!(!play.is_sqlite() || !play.file().exists());
    play.records().await;
    let reading = play.open_for(Purpose::Read).await.unwrap();
    reading.staff_action(staff(), "something", "").await.unwrap_err();
    assert_eq!(reading.head().await.unwrap().entries, 0);
    if play.is_sqlite() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(play.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

pub async fn a_newer_store_is_left_alone(play: Play) {
    play.records().await.close().await;
    play.tamper("UPDATE hearthgate_schema SET version = 99").await;
    for purpose in [Purpose::Gateway, Purpose::Beside, Purpose::Read] {
        let newer = play.open_for(purpose).await;
        assert!(matches!(newer, Err(OpenError::Newer(99, 5))), "{newer:?}");
    }
}
