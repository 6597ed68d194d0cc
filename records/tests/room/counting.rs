//! Episodes counted and read in part: however many there are, none is left out without a word.

use crate::play::{HOME, JORDAN, Play, START, at, snapshot_of, staff, until};
use agreements::{Evidence, Severity};
use blocklists::format::ListInput;
use blocklists::{Category, Compiler, Tags};
use chrono::TimeDelta;
use records::shift::Shift;
use records::{By, ByRole, Clock, Kind, MOST_EPISODES, NotDone, Order, Purpose, Recorded, Which};
use std::collections::BTreeSet;

const MANY: i64 = MOST_EPISODES + 50;

/// A list of so many episodes of Jordan's, each like the one that there is.
async fn fill(play: &Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    until("an episode", async || gateway.records.episodes(&Which::default()).await.unwrap().len() == 1).await;
    gateway.stops().await;
    play.unguard().await;
    let last = 100_000 + MANY - 1;
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 100001 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) ");
    for insert in [
        "INSERT INTO body (seq, salt, text) SELECT n.i, b.salt, b.text FROM n, body b \
         WHERE b.seq = (SELECT min(entry) FROM episode)",
        "INSERT INTO episode (entry, person, rule, site, first, last, count, evidence, severity, reported, ended) \
         SELECT n.i, e.person, e.rule, e.site, e.first, e.last, 1, e.evidence, \
         CASE WHEN n.i = 105000 THEN 'high' ELSE 'low' END, 0, 1 FROM n, episode e \
         WHERE e.entry = (SELECT min(entry) FROM episode)",
    ] {
        let (into, select) = insert.split_once(" SELECT ").unwrap();
        play.tamper(&format!("{into} {numbers} SELECT {select}")).await;
    }
}

pub async fn more_than_one_reading_gives_are_all_there(play: Play) {
    fill(&play).await;
    let records = play.open_for(Purpose::Read).await.unwrap();
    let (all, many) = (Which::default(), usize::try_from(MANY).unwrap());
    assert_eq!(records.episodes(&all).await.unwrap().len(), many);
    let shares = records.shares(&all).await.unwrap();
    let [(jordan, counted)] = &shares[..] else { panic!("{shares:?}") };
    assert_eq!((jordan.as_str(), counted.all(), counted.high), ("jordan", MANY.unsigned_abs(), 1));
    assert_eq!((counted.medium, counted.small), (1, MANY.unsigned_abs() - 2));
    for order in [Order::Oldest, Order::Newest, Order::Gravest] {
        let (mut seen, mut first) = (BTreeSet::new(), None);
        for page in 0..4 {
            let page = records.episodes_in(&all, order, page * 4000, 4000).await.unwrap();
            first = first.or(page.episodes.first().map(|e| (e.entry, e.severity)));
            seen.extend(page.episodes.iter().map(|episode| episode.entry));
        }
        assert_eq!(seen.len(), many, "{order:?}");
        let first = first.unwrap();
        match order {
            Order::Oldest => assert_eq!(first.1, Severity::Medium),
            Order::Newest => assert_eq!(first.0, *seen.last().unwrap()),
            Order::Gravest => assert_eq!(first, (105_000, Severity::High)),
        }
    }
    let serious = Which { severity: Some(Severity::Medium), ..Which::default() };
    assert_eq!(records.episodes(&serious).await.unwrap().len(), 2);
    records.close().await;
}

pub async fn what_a_consequence_counts(play: Play) {
    let mut compiler = Compiler::new();
    let gambling = Tags::category(Category::from_word("gambling").unwrap());
    compiler.add(ListInput::new("gambling", gambling, b"casino.example")).unwrap();
    let home = HOME.replace("block: [pornography", "block: [gambling, pornography");
    let gateway = play.gateway_of(snapshot_of(&home, JORDAN, compiler.finish(0).unwrap())).await;
    let records = gateway.records.clone();
    for (host, evidence) in [
        ("games.example", Evidence::Navigation),
        ("casino.example", Evidence::Navigation),
        ("94.140.14.14", Evidence::Connection),
        ("chat.example", Evidence::Lookup),
    ] {
        let before = records.episodes(&Which::default()).await.unwrap().len();
        gateway.asks_for("jordan", host, evidence);
        until(host, async || records.episodes(&Which::default()).await.unwrap().len() == before + 1).await;
    }
    let since = at(START) - TimeDelta::days(7);
    for (name, kind, count) in [
        ("all", Kind::Breaches, 4),
        ("a way around", Kind::Circumvention, 1),
        ("a severity", Kind::Severity(Severity::High), 2),
        ("a rule", Kind::Word("site"), 2),
        ("a category", Kind::Word("gambling"), 1),
        ("a category that is a part of another word", Kind::Word("gambl"), 0),
        ("nothing", Kind::Word("drugs"), 0),
    ] {
        assert_eq!(records.reached("jordan", since, kind).await.unwrap(), count, "{name}");
        assert_eq!(records.reached("sam", since, kind).await.unwrap(), 0, "{name}, of somebody else");
        let later = at(START) + TimeDelta::days(1);
        assert_eq!(records.reached("jordan", later, kind).await.unwrap(), 0, "{name}, later");
    }
    let kinds: BTreeSet<String> =
        records.kinds("jordan", since).await.unwrap().into_iter().map(|(_, kind)| kind).collect();
    assert!(kinds.contains("gambling") && kinds.contains("site"), "{kinds:?}");
    gateway.stops().await;
}

pub async fn nobody_signs_what_came_after_they_read(play: Play) {
    let gateway = play.gateway().await;
    let records = gateway.records.clone();
    let now = gateway.clock.now();
    let shift = Shift { from: now - TimeDelta::hours(1), to: now + TimeDelta::hours(1) };
    let seen = records.tally(shift.from, shift.to).await.unwrap();
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    until("an episode", async || records.tally(shift.from, shift.to).await.unwrap() != seen).await;
    let signed = records.sign_shift(shift, None, staff(), "", seen).await;
    assert!(matches!(signed, Err(NotDone::NotSeen)), "{signed:?}");
    assert!(records.reviews(shift).await.unwrap().is_empty());
    gateway.stops().await;
}

pub async fn everybody_of_whom_something_is_kept(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    gateway.asks_for("nobody", "games.example", Evidence::Navigation);
    until("episodes", async || records.episodes(&Which::default()).await.unwrap().len() == 2).await;
    // Nobody has these agreements, or not any more; a concern is kept when all else of somebody is purged.
    records.ask("alex", "chat.example", "please").await.unwrap();
    let jordans = records.episodes(&Which::default()).await.unwrap()[0].entry;
    records.concern(jordans, "robin", staff(), "Robin was followed").await.unwrap();
    let stranger = By { role: ByRole::YoungPerson, id: "192.0.2.99".into(), name: "a device".into() };
    records.report("nobody", stranger, "a mean message", None).await.unwrap();
    let known = |person: &str, name: Option<&str>, of_staff| Recorded {
        person: person.into(),
        name: name.map(str::to_owned),
        of_staff,
    };
    let all = records.recorded_but(&BTreeSet::new()).await.unwrap();
    let wanted =
        [known("alex", None, None), known("jordan", Some("Jordan"), Some(false)), known("robin", None, None)];
    assert_eq!(all, wanted);
    let left = records.recorded_but(&BTreeSet::from(["jordan", "sam"])).await.unwrap();
    assert_eq!(left, [known("alex", None, None), known("robin", None, None)]);
    // Three people there are. Of whom nobody can tell a part, nobody tells anything.
    for (people, told) in [(1..1997, true), (1997..1998, false)] {
        let lines: Vec<String> =
            people.map(|n| format!("('2026-11-22', 'person-{n}', 'minutes', 'games', 1, 0)")).collect();
        let columns = "day, person, kind, word, counted, estimated";
        play.tamper(&format!("INSERT INTO monitored ({columns}) VALUES {}", lines.join(", "))).await;
        assert_eq!(records.recorded_but(&BTreeSet::new()).await.is_ok(), told);
    }
    gateway.stops().await;
}
