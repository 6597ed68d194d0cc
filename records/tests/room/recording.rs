//! From a refusal to the journal.

use crate::play::{CANARY, Gateway, Play, at, on_disk, until};
use agreements::Evidence::{self, Connection, Lookup, Navigation};
use agreements::{Counts, Rule, Severity, Verdict};
use records::{BreachEnded, Clock, ClockState, Entry, Episode, Misfit, Purpose, Records, Verified, Which};
use std::time::{Duration, Instant};

async fn all(records: &Records) -> Vec<Episode> {
    records.episodes(&Which::default()).await.unwrap()
}

async fn kinds(records: &Records) -> Vec<String> {
    records.entries(1).await.unwrap().into_iter().map(|e| e.kind).collect()
}

/// Waits until the journal has so many entries of a kind.
async fn has(gateway: &Gateway, kind: &str, count: usize) {
    until(&format!("{count} {kind}"), async || {
        kinds(&gateway.records).await.iter().filter(|k| *k == kind).count() == count
    })
    .await;
}

pub async fn refusals_become_episodes(play: Play) {
    let gateway = play.gateway().await;
    let mut news = gateway.records.news();
    gateway.asks_for("jordan", "www.games.example", Lookup);
    gateway.asks_for("jordan", "img.games.example", Connection);
    gateway.asks_for("jordan", "a.cdn.games.example", Lookup);
    gateway.asks_for("jordan", "chat.example", Navigation);
    has(&gateway, "breach_opened", 3).await;
    let told = async {
        while news.recv().await.is_ok_and(|n| (n.kind, n.severity) != ("breach_opened", Some(Severity::Low)))
        {
        }
    };
    // What is committed is told a moment later.
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("it is told");
    gateway.clock.advance(Duration::from_secs(60));
    gateway.asks_for("jordan", "games.example", Navigation);
    until("the page", async || all(&gateway.records).await[0].count == 3).await;
    let episodes = all(&gateway.records).await;
    let games = &episodes[0];
    assert_eq!(
        (games.person.as_str(), games.name.as_str(), games.device.as_deref()),
        ("jordan", "Jordan", Some("phone"))
    );
    assert_eq!((games.site.as_str(), games.rule), ("games.example", Rule::Site));
    assert_eq!((games.severity, games.evidence), (Severity::Medium, Navigation));
    assert_eq!((games.first, games.last), (at("2026-11-22T17:30:00Z"), at("2026-11-22T17:31:00Z")));
    assert_eq!(games.source.as_ref().map(|s| s.file.as_str()), Some("agreements/jordan.yaml"));
    assert!(games.open && !games.reported && games.sentence.contains("games.example"), "{games:?}");
    assert_eq!(
        games.why,
        "Jordan's phone tried to open a page. It was known by its hardware address, which another device can imitate. \
         Who held it, the gateway cannot see."
    );
    assert_eq!(episodes[1].site, "cdn.games.example", "the rule's longest site");
    assert_eq!((episodes[2].site.as_str(), episodes[2].severity), ("chat.example", Severity::Low));
    gateway.clock.advance(Duration::from_secs(15 * 60 + 1));
    has(&gateway, "breach_ended", 3).await;
    assert!(all(&gateway.records).await.iter().all(|e| !e.open));
    let records = gateway.records.clone();
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
    drop(records);
    play.tamper("UPDATE episode SET count = 1 WHERE site = 'games.example'").await;
    let reading = play.open_for(Purpose::Read).await.unwrap();
    let broken = reading.verify(None).await.unwrap();
    assert_eq!(broken, Verified::Broken { entry: games.entry, misfit: Misfit::ListAltered });
    assert_eq!(kinds(&reading).await.last().map(String::as_str), Some("stopped"));
}

pub async fn what_may_not_be_recorded_is_not(play: Play) {
    let gateway = play.gateway().await;
    // Allowed, support (by the home and built in), and below the registrable domain of what is refused.
    gateway.asks_for("jordan", &format!("{CANARY}.bbc.example"), Navigation);
    gateway.recorder.allowed(&gateway.refusal("jordan", "bbc.example", Navigation).verdict);
    gateway.recorder.allowed(&gateway.refusal("jordan", "relay.example", Navigation).verdict);
    gateway.asks_for("jordan", &format!("{CANARY}.oakviewhouse.example"), Navigation);
    gateway.asks_for("jordan", &format!("{CANARY}.games.example"), Navigation);
    // Whatever a caller says: a refusal of a support site is dropped here too.
    let mut forged = gateway.refusal("jordan", "games.example", Navigation);
    "oakviewhouse.example".clone_into(&mut forged.host);
    gateway.recorder.refused(&forged.refused());
    // Sealed lists: that it happened, and nothing of what.
    let mut sealed = gateway.refusal("jordan", &format!("{CANARY}.evil.example"), Navigation);
    sealed.verdict = gateway.refusal("jordan", "games.example", Navigation).verdict;
    (sealed.verdict.rule, sealed.verdict.severity) = (Rule::Sealed, Severity::Critical);
    gateway.recorder.refused(&sealed.refused());
    // What a device does by itself, and what is known as a total only.
    let mut technical = gateway.refusal("jordan", "games.example", Lookup);
    technical.verdict.severity = Severity::Technical;
    gateway.recorder.refused(&technical.refused());
    // What the router turned away by itself is of the same sum.
    gateway.recorder.by_themselves(15);
    let mut mail = gateway.refusal("jordan", &format!("{CANARY}.games.example"), Lookup);
    (mail.verdict.record, mail.verdict.rule) = (agreements::Record::Total, Rule::Online);
    gateway.recorder.refused(&mail.refused());
    has(&gateway, "breach_opened", 2).await;
    let records = gateway.records.clone();
    gateway.stops().await;
    drop(records);
    let reading = play.open_for(Purpose::Read).await.unwrap();
    // What tells staff much may overtake the rest on its way to the journal.
    let mut episodes = all(&reading).await;
    episodes.sort_by(|a, b| a.site.cmp(&b.site));
    let sites: Vec<_> = episodes.iter().map(|e| (e.site.as_str(), e.severity)).collect();
    assert_eq!(sites, [("games.example", Severity::Medium), ("sealed", Severity::Critical)]);
    assert_eq!((episodes[1].source.as_ref(), episodes[1].categories.len()), (None, 0));
    let totals = reading.totals(at("2026-11-22T12:00:00Z").date_naive()).await.unwrap();
    let totals: Vec<_> = totals.iter().map(|t| (t.kind.as_str(), t.count)).collect();
    assert_eq!(totals, [("assistive", 1), ("private_mail", 1), ("technical", 16)]);
    if play.is_sqlite() {
        for canary in [CANARY, "evil", "oakviewhouse", "bbc.example", "relay.example"] {
            assert!(!on_disk(play.home.path(), canary), "`{canary}` is on the disk");
        }
        assert!(on_disk(play.home.path(), "games.example"), "the search itself finds what is there");
    }
}

pub async fn severity_follows_evidence(play: Play) {
    let gateway = play.gateway().await;
    let cases: [(&str, &str, Evidence, Severity); 7] = [
        ("jordan", "games.example", Lookup, Severity::Low),
        ("jordan", "games.example", Connection, Severity::Medium),
        ("jordan", "games.example", Lookup, Severity::Medium),
        ("jordan", "chat.example", Navigation, Severity::Low),
        ("jordan", "192.0.2.7", Connection, Severity::Low),
        ("nobody", "192.0.2.8", Connection, Severity::Low),
        ("nobody", "unknown.example", Lookup, Severity::Low),
    ];
    for (person, host, evidence, severity) in cases {
        let before: u64 = all(&gateway.records).await.iter().map(|e| e.count).sum();
        gateway.asks_for(person, host, evidence);
        until(host, async || all(&gateway.records).await.iter().map(|e| e.count).sum::<u64>() > before).await;
        let episodes = all(&gateway.records).await;
        let episode = episodes.iter().find(|e| e.site == host && e.person == person).unwrap();
        assert_eq!(episode.severity, severity, "{person} {host} {evidence:?}: {episode:?}");
    }
    gateway.stops().await;
}

pub async fn a_flood_is_shed_counted_and_recorded(play: Play) {
    let gateway = play.gateway().await;
    has(&gateway, "started", 1).await;
    let refused = gateway.refusal("jordan", "games.example", Lookup);
    let flood = 200_000u64;
    let start = Instant::now();
    for _ in 0..flood {
        gateway.recorder.refused(&refused.refused());
    }
    let took = start.elapsed();
    println!("handing over took {} ns each", took.as_nanos() / u128::from(flood));
    let shed = gateway.records.status().await.unwrap().shed;
    println!("{shed} of {flood} were shed");
    let records = gateway.records.clone();
    gateway.recorder.stop();
    gateway.task.await.unwrap();
    assert!(gateway.recorder.is_stopped());
    let recorded: u64 = records
        .entries(1)
        .await
        .unwrap()
        .into_iter()
        .map(|e| match e.says {
            Some(Entry::Shed(shed)) => shed.count,
            _ => 0,
        })
        .sum();
    assert_eq!(recorded, shed, "every one that was shed is in the journal");
    assert_eq!(all(&records).await[0].count + shed, flood, "and every other in an episode");
    assert!(took < Duration::from_secs(10), "handing over waited: {took:?}");
}

pub async fn a_flood_of_junk_sheds_no_high_breach(play: Play) {
    let gateway = play.gateway().await;
    let high = Verdict {
        severity: Severity::High,
        ..gateway.refusal("jordan", "games.example", Navigation).verdict
    };
    let site = |i| gateway.refusal("nobody", &format!("junk{i}.example"), Lookup);
    let junk: Vec<_> = (0..3000).map(site).collect();
    let flood = 150_000;
    for refused in junk.iter().cycle().take(flood) {
        gateway.recorder.refused(&refused.refused());
    }
    let refused = gateway.refusal("jordan", "games.example", Navigation);
    gateway.recorder.refused(&records::Refused { verdict: high, ..refused.refused() });
    let records = gateway.records.clone();
    until("the high one", async || {
        all(&records).await.iter().any(|e| e.person == "jordan" && e.severity == Severity::High)
    })
    .await;
    gateway.recorder.stop();
    gateway.task.await.unwrap();
    let shed = records.status().await.unwrap().shed;
    assert!(shed > 0, "the queue was full");
    // The junk is two hundred episodes and one for the rest.
    let junk = all(&records).await.into_iter().filter(|e| e.person == "nobody");
    let (episodes, count) = junk.fold((0, 0), |(n, count), e| (n + 1, count + e.count));
    assert_eq!((episodes, count), (201, flood as u64 - shed));
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    records.close().await;
}

pub async fn open_episodes_go_on_after_a_restart(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Navigation);
    gateway.asks_for("jordan", "chat.example", Lookup);
    has(&gateway, "breach_opened", 2).await;
    gateway.stops().await;
    play.clock.advance(Duration::from_secs(10 * 60));
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Navigation);
    until("it goes on", async || all(&gateway.records).await[0].count == 2).await;
    let episodes = all(&gateway.records).await;
    assert_eq!(episodes.len(), 2);
    assert_eq!(episodes[0].evidence, Evidence::Repeated);
    gateway.stops().await;
    play.clock.advance(Duration::from_secs(16 * 60));
    let gateway = play.gateway().await;
    has(&gateway, "breach_ended", 2).await;
    assert!(matches!(gateway.records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn minutes_are_harvested_and_survive_a_restart(play: Play) {
    let gateway = play.gateway().await;
    let snapshot = gateway.house();
    let who = snapshot.house.person("jordan").unwrap();
    let everything_and_video = Counts(0b111);
    let used = async || gateway.records.minutes_today(&snapshot.house, who).await.unwrap();
    for minute in 1..=3 {
        gateway.in_force.current().sheet.mark(who, everything_and_video);
        gateway.clock.advance(Duration::from_secs(60));
        until("the minute", async || used().await[0].counted == minute).await;
    }
    // What was marked on the sheet of a house that has been replaced is not lost.
    gateway.in_force.current().sheet.estimate(who, Counts(0b1));
    let standing = gateway.in_force.to_keep().standing.clone();
    gateway.in_force.replace(crate::play::snapshot(), standing);
    gateway.clock.advance(Duration::from_secs(60));
    until("the estimate", async || used().await[0].estimated == 1).await;
    let minutes = used().await;
    let everything: Vec<_> = minutes.iter().filter(|m| m.key == "everything").collect();
    assert_eq!((everything[0].counted, everything[0].estimated), (3, 1));
    let video = minutes.iter().find(|m| m.key == "video.example").unwrap();
    assert_eq!((video.counted, video.limit), (3, Some(45)));
    gateway.stops().await;
    let reading = play.open_for(Purpose::Read).await.unwrap();
    assert_eq!(reading.minutes_today(&snapshot.house, who).await.unwrap(), minutes);
    reading.close().await;
    play.clock.advance(Duration::from_secs(12 * 3600));
    let tomorrow = play.gateway().await;
    let none = tomorrow.records.minutes_today(&snapshot.house, who).await.unwrap();
    assert!(none.iter().all(|m| m.counted == 0 && m.estimated == 0), "{none:?}");
    let charts =
        tomorrow.records.minutes_of(at("2026-11-22T12:00:00Z").date_naive(), "jordan").await.unwrap();
    assert_eq!(charts.iter().find(|c| c.key == "video.example").unwrap().minutes().count(), 3);
    tomorrow.stops().await;
}

pub async fn a_jump_of_the_clock_is_an_entry(play: Play) {
    let gateway = play.gateway().await;
    has(&gateway, "started", 1).await;
    gateway.clock.set(at("2026-11-23T17:30:00Z"));
    has(&gateway, "clock", 1).await;
    assert_eq!(gateway.clock.state(), ClockState::Jumped);
    gateway.clock.advance(Duration::from_secs(121));
    has(&gateway, "clock", 2).await;
    let entries = gateway.records.entries(1).await.unwrap();
    let clock: Vec<_> = entries
        .into_iter()
        .filter_map(|e| match e.says {
            Some(Entry::Clock(c)) => Some((c.state, c.by_seconds)),
            _ => None,
        })
        .collect();
    assert_eq!(clock, [(ClockState::Jumped, 86_400), (ClockState::Right, 0)]);
    gateway.stops().await;
}

pub async fn a_disk_that_fails_for_a_while_loses_nothing(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "chat.example", Lookup);
    has(&gateway, "breach_opened", 1).await;
    play.tamper("ALTER TABLE journal RENAME TO journal_gone").await;
    gateway.asks_for("jordan", "games.example", Lookup);
    let failing = async || gateway.records.status().await.unwrap().failing;
    until("it says so", async || failing().await.is_some()).await;
    gateway.asks_for("jordan", "games.example", Lookup);
    gateway.asks_for("jordan", "chat.example", Lookup);
    gateway.clock.advance(Duration::from_secs(16 * 60));
    play.tamper("ALTER TABLE journal_gone RENAME TO journal").await;
    has(&gateway, "breach_ended", 2).await;
    let counts: Vec<_> = all(&gateway.records).await.iter().map(|e| (e.site.clone(), e.count)).collect();
    assert_eq!(counts, [("chat.example".to_owned(), 2), ("games.example".to_owned(), 2)]);
    assert_eq!(failing().await, None);
    assert!(matches!(gateway.records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

/// The engine ends a transaction by itself when the disk is full. What waits then is written once there is room, also by a
/// gateway that is just stopping.
pub async fn a_full_disk_loses_nothing(play: Play) {
    let (full, room) = match play.is_sqlite() {
        true => (
            "CREATE TRIGGER no_room BEFORE INSERT ON journal \
             BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END; \
             CREATE TRIGGER no_room_too BEFORE INSERT ON minutes \
             BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
            "DROP TRIGGER no_room; DROP TRIGGER no_room_too",
        ),
        false => (
            "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN RAISE EXCEPTION 'no space left on device'; END $$; \
             CREATE TRIGGER no_room BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION no_room(); \
             CREATE TRIGGER no_room_too BEFORE INSERT ON minutes FOR EACH ROW EXECUTE FUNCTION no_room()",
            "DROP TRIGGER no_room ON journal; DROP TRIGGER no_room_too ON minutes",
        ),
    };
    let gateway = play.gateway().await;
    let records = gateway.records.clone();
    has(&gateway, "started", 1).await;
    let failing = async || records.status().await.unwrap().failing;
    for round in 1..=2 {
        play.tamper(full).await;
        gateway.asks_for("jordan", &format!("full{round}.chat.example"), Lookup);
        gateway.asks_for("nobody", &format!("full{round}.example"), Connection);
        let who = gateway.house().house.person("jordan").unwrap();
        gateway.in_force.current().sheet.mark(who, Counts(0b1));
        gateway.clock.advance(Duration::from_secs(60));
        until("it says so", async || failing().await.is_some()).await;
        play.tamper(room).await;
        has(&gateway, "breach_opened", round * 2 - (round - 1)).await;
        until("it says that it goes on", async || failing().await.is_none()).await;
    }
    // And while it stops.
    play.tamper(full).await;
    let who = gateway.house().house.person("jordan").unwrap();
    gateway.in_force.current().sheet.mark(who, Counts(0b1));
    gateway.asks_for("nobody", "last.example", Connection);
    gateway.clock.advance(Duration::from_secs(60));
    until("it says so", async || failing().await.is_some()).await;
    gateway.recorder.stop();
    tokio::time::sleep(records::COMMIT_EVERY * 2).await;
    play.tamper(room).await;
    gateway.task.await.unwrap();
    let mut sites: Vec<_> = all(&records).await.into_iter().map(|e| (e.site, e.count)).collect();
    sites.sort();
    let wanted = [("chat.example", 2), ("full1.example", 1), ("full2.example", 1), ("last.example", 1)];
    assert_eq!(sites, wanted.map(|(site, count)| (site.to_owned(), count)));
    assert_eq!(kinds(&records).await.last().map(String::as_str), Some("stopped"));
    let charts = records.minutes_of(at("2026-11-22T12:00:00Z").date_naive(), "jordan").await.unwrap();
    assert_eq!(charts.iter().find(|c| c.key == "everything").unwrap().minutes().count(), 3);
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    records.close().await;
}

/// Every second commit takes no counts: it says nothing of a disk that takes none.
pub async fn a_count_that_the_disk_does_not_take_is_told_until_it_does(play: Play) {
    let (full, room) = match play.is_sqlite() {
        true => (
            "CREATE TRIGGER no_count BEFORE UPDATE ON episode \
             BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
            "DROP TRIGGER no_count",
        ),
        false => (
            "CREATE FUNCTION no_count() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN RAISE EXCEPTION 'no space left on device'; END $$; \
             CREATE TRIGGER no_count BEFORE UPDATE ON episode FOR EACH ROW EXECUTE FUNCTION no_count()",
            "DROP TRIGGER no_count ON episode",
        ),
    };
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "chat.example", Lookup);
    has(&gateway, "breach_opened", 1).await;
    play.tamper(full).await;
    gateway.asks_for("jordan", "chat.example", Lookup);
    until("it says so", async || gateway.records.failing().is_some()).await;
    for _ in 0..40 {
        tokio::time::sleep(records::COMMIT_EVERY / 10).await;
        assert!(gateway.records.failing().is_some(), "nothing was written");
    }
    play.tamper(room).await;
    until("it goes on", async || gateway.records.failing().is_none()).await;
    assert_eq!(all(&gateway.records).await[0].count, 2);
    gateway.stops().await;
}

/// A gateway that ends without a last word.
async fn is_killed(gateway: Gateway) {
    gateway.task.abort();
    let _aborted = gateway.task.await;
    gateway.records.close().await;
}

async fn said<T>(records: &Records, of: impl Fn(Entry) -> Option<T>) -> Vec<T> {
    let entries = records.entries(1).await.unwrap();
    entries.into_iter().filter_map(|e| e.says.and_then(&of)).collect()
}

async fn ends(records: &Records) -> Vec<BreachEnded> {
    said(records, |entry| if let Entry::BreachEnded(end) = entry { Some(end) } else { None }).await
}

pub async fn a_forged_open_episode_is_not_sealed(play: Play) {
    let forgeries = [
        ("evidence = 'repeated', severity = 'critical', count = 400", Some(Misfit::ListAltered)),
        ("evidence = 'lookup', severity = 'low'", Some(Misfit::ListAltered)),
        ("count = 0", Some(Misfit::ListAltered)),
        ("site = 'else.example'", Some(Misfit::ListAltered)),
        // Counts run ahead of the journal: nobody can tell who wrote this, so it proves nothing.
        ("count = 400", None),
    ];
    for (i, (forgery, wanted)) in forgeries.iter().enumerate() {
        let gateway = play.gateway().await;
        gateway.asks_for("jordan", "games.example", Connection);
        has(&gateway, "breach_opened", i + 1).await;
        is_killed(gateway).await;
        play.tamper(&format!("UPDATE episode SET {forgery} WHERE ended = 0")).await;
        let reading = play.open_for(Purpose::Read).await.unwrap();
        match (reading.verify(None).await.unwrap(), wanted) {
            (Verified::Broken { misfit, .. }, Some(wanted)) if misfit == *wanted => {}
            (Verified::Whole { open: 1, .. }, None) => {}
            other => panic!("{forgery}: {other:?}"),
        }
        reading.close().await;
        let gateway = play.gateway().await;
        gateway.clock.advance(Duration::from_secs(16 * 60));
        has(&gateway, "breach_ended", i + 1).await;
        let end = ends(&gateway.records).await.pop().unwrap();
        let proved = (1, Connection, Severity::Medium, true);
        assert_eq!((end.count, end.evidence, end.severity, end.cut_short), proved, "{forgery}");
        let listed = all(&gateway.records).await.pop().unwrap();
        assert_eq!((listed.count, listed.evidence, listed.severity), (1, Connection, Severity::Medium));
        let misfit = |e| if let Entry::Misfit(m) = e { Some((m.entry, m.misfit)) } else { None };
        let misfits = said(&gateway.records, misfit).await;
        assert_eq!(misfits.contains(&(end.entry, Misfit::ListAltered)), wanted.is_some(), "{forgery}");
        let whole = gateway.records.verify(None).await.unwrap();
        assert!(matches!(whole, Verified::Whole { open: 0, .. }), "the list is mended: {forgery}: {whole:?}");
        gateway.stops().await;
    }
}

pub async fn what_an_episode_outgrew_is_in_the_journal(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Lookup);
    has(&gateway, "breach_opened", 1).await;
    gateway.asks_for("jordan", "games.example", Lookup);
    until("a count", async || all(&gateway.records).await[0].count == 2).await;
    assert!(
        !kinds(&gateway.records).await.contains(&"breaches_grew".to_owned()),
        "counts alone are no entry"
    );
    gateway.asks_for("jordan", "games.example", Navigation);
    has(&gateway, "breaches_grew", 1).await;
    until("the list too", async || all(&gateway.records).await[0].evidence == Navigation).await;
    is_killed(gateway).await;
    let reading = play.open_for(Purpose::Read).await.unwrap();
    let whole = reading.verify(None).await.unwrap();
    assert!(matches!(whole, Verified::Whole { open: 1, .. }), "{whole:?}");
    reading.close().await;
    // What was written down holds after a gateway that was killed, and all of it after one that was stopped.
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Lookup);
    until("it goes on", async || all(&gateway.records).await[0].count == 4).await;
    gateway.stops().await;
    let gateway = play.gateway().await;
    gateway.clock.advance(Duration::from_secs(16 * 60));
    has(&gateway, "breach_ended", 1).await;
    let end = ends(&gateway.records).await.remove(0);
    assert_eq!((end.count, end.evidence, end.severity), (4, Navigation, Severity::Medium));
    assert!(!end.cut_short);
    assert!(matches!(gateway.records.verify(None).await.unwrap(), Verified::Whole { open: 0, .. }));
    gateway.stops().await;
}

pub async fn a_thread_that_panicked_while_it_gathered_gathers_again(play: Play) {
    let gateway = play.gateway().await;
    let (one, two) = ("games.example", "chat.example");
    let first = gateway.refusal("jordan", one, Evidence::Navigation);
    let second = gateway.refusal("jordan", two, Evidence::Navigation);
    let work = std::panic::AssertUnwindSafe(|| {
        gateway.recorder.gathering(|| {
            gateway.recorder.refused(&first.refused());
            panic!("a worker's batch went wrong");
        })
    });
    assert!(std::panic::catch_unwind(work).is_err());
    gateway.recorder.gathering(|| gateway.recorder.refused(&second.refused()));
    let records = gateway.records.clone();
    until("both", async || {
        let sites: Vec<_> = all(&records).await.into_iter().map(|episode| episode.site).collect();
        sites == [one, two]
    })
    .await;
    gateway.stops().await;
}
