use super::*;
use crate::refused::{Face, Identified};
use agreements::{Outcome, Rule};

fn at(clock: &str) -> DateTime<Utc> {
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    format!("2026-11-22T{clock}Z").parse().unwrap()
}

fn opening(key: &Key, seen: Seen) -> BreachOpened {
    BreachOpened {
        person: key.person.clone(),
        name: "Jordan".into(),
        device: None,
        identified: Identified::Mac,
        rule: key.rule,
        outcome: Outcome::Block,
        site: key.site.clone(),
        categories: Vec::new(),
        severity: seen.severity,
        evidence: seen.evidence,
        circumvention: false,
        first: seen.at,
        sentence: String::new(),
        source: None,
        detector: None,
        of_staff: None,
    }
}

fn key<'a>(person: &'a str, rule: Rule, site: &'a str) -> KeyRef<'a> {
    KeyRef { person, rule, site: site.into() }
}

fn fold(episodes: &mut Episodes, key: KeyRef<'_>, seen: Seen) -> Option<Folded> {
    episodes.fold(&key, seen, |key| Some(opening(key, seen)))
}

/// `21:30 jordan category games.example navigation` a line; then the episodes as
/// `21:30-21:31 jordan category games.example 2 navigation`.
fn check(name: &str, refusals: &str, want: &str) {
    let mut episodes = Episodes::default();
    for line in refusals.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [time, person, rule, site, evidence] = words[..] else { panic!("{name}: `{line}`") };
        let evidence: Evidence = crate::spell::read(evidence).unwrap();
        let seen = Seen { at: at(time), evidence, severity: Severity::Low, by_address: false };
        fold(&mut episodes, key(person, crate::spell::read(rule).unwrap(), site), seen);
    }
    episodes.end_quiet(at("23:59"));
    let mut found: Vec<_> = episodes.ended.iter().collect();
    found.sort_by_key(|e| (e.sum.first, e.key.site.clone(), e.id));
    let time = |t: DateTime<Utc>| t.format("%H:%M").to_string();
    let found: Vec<_> = found
        .iter()
        .map(|e| {
            let (s, k) = (&e.sum, &e.key);
            let (rule, evidence) = (crate::spell::word(&k.rule), crate::spell::word(&s.evidence));
            format!(
                "{}-{} {} {rule} {} {} {evidence}",
                time(s.first),
                time(s.last),
                k.person,
                k.site,
                s.count
            )
        })
        .collect();
    let want: Vec<_> = want.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(found, want, "{name}");
}

#[test]
fn folding() {
    check(
        "one",
        "21:30 jordan category games.example lookup",
        "21:30-21:30 jordan category games.example 1 lookup",
    );
    check(
        "within_fifteen_minutes_of_the_last",
        "21:00 jordan category games.example lookup
         21:15 jordan category games.example lookup
         21:30 jordan category games.example lookup",
        "21:00-21:30 jordan category games.example 3 lookup",
    );
    check(
        "one_second_longer_is_another",
        "21:00:00 jordan category games.example lookup
         21:15:01 jordan category games.example lookup",
        "21:00-21:00 jordan category games.example 1 lookup
         21:15-21:15 jordan category games.example 1 lookup",
    );
    check(
        "another_person_rule_or_site_is_another",
        "21:00 jordan category games.example lookup
         21:00 sam category games.example lookup
         21:00 jordan online games.example lookup
         21:00 jordan category other.example lookup",
        "21:00-21:00 jordan category games.example 1 lookup
         21:00-21:00 sam category games.example 1 lookup
         21:00-21:00 jordan online games.example 1 lookup
         21:00-21:00 jordan category other.example 1 lookup",
    );
    check(
        "the_strongest_evidence_stays",
        "21:00 jordan category games.example lookup
         21:01 jordan category games.example connection
         21:02 jordan category games.example lookup",
        "21:00-21:02 jordan category games.example 3 connection",
    );
    check(
        "a_page_and_its_frames_are_one_navigation",
        "21:00:00 jordan category games.example navigation
         21:00:04 jordan category games.example navigation",
        "21:00-21:00 jordan category games.example 2 navigation",
    );
    check(
        "navigation_again_is_trying_again",
        "21:00:00 jordan category games.example lookup
         21:00:01 jordan category games.example navigation
         21:00:06 jordan category games.example navigation",
        "21:00-21:00 jordan category games.example 3 repeated",
    );
    check(
        "a_late_word_from_another_thread_joins",
        "21:00:05 jordan category games.example lookup
         21:00:04 jordan category games.example lookup",
        "21:00-21:00 jordan category games.example 2 lookup",
    );
    check(
        "a_clock_put_back_begins_another",
        "21:00 jordan category games.example lookup
         20:00 jordan category games.example lookup",
        "20:00-20:00 jordan category games.example 1 lookup
         21:00-21:00 jordan category games.example 1 lookup",
    );
}

/// A flood of sites, each asked for once: how many were dropped.
fn flood(episodes: &mut Episodes, person: &str, severity: Severity, count: usize) -> usize {
    let seen = Seen { at: at("21:00"), evidence: Evidence::Navigation, severity, by_address: false };
    let one = |i| fold(episodes, key(person, Rule::Otherwise, &format!("{i}.example")), seen);
    (0..count).map(one).filter(|folded| *folded == Some(Folded::NoRoom)).count()
}

#[test]
fn what_is_open_and_what_waits_is_bounded() {
    let mut episodes = Episodes::default();
    let mut dropped = 0;
    for person in 0..200 {
        dropped += flood(&mut episodes, &format!("p{person}"), Severity::High, MOST_AN_HOUR as usize);
    }
    assert!(episodes.len() <= 2 * MOST_OPEN + URGENT_ROOM, "{}", episodes.len());
    assert_eq!(episodes.len() + dropped, 200 * MOST_AN_HOUR as usize);
}

#[test]
fn one_persons_flood_takes_no_room_of_anothers() {
    for severity in [Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
        let mut episodes = Episodes::default();
        flood(&mut episodes, "nobody", severity, 50_000);
        assert!(episodes.len() <= 2 * MOST_A_PERSON, "{severity:?}: {}", episodes.len());
        assert_eq!(flood(&mut episodes, "jordan", Severity::High, 1), 0, "{severity:?}");
        assert_eq!(flood(&mut episodes, "sam", Severity::Low, 1), 0, "{severity:?}");
    }
}

#[test]
fn beyond_so_many_an_hour_small_ones_are_one_episode_and_great_ones_are_not_among_them() {
    let mut episodes = Episodes::default();
    flood(&mut episodes, "jordan", Severity::Low, 1_000);
    let others = &episodes.open[&key("jordan", Rule::Otherwise, OF_MANY[0])];
    assert_eq!(episodes.open.len(), 201);
    assert_eq!((others.sum.count, others.sites.as_ref().unwrap().len()), (800, 800));
    // What tells staff much stands by itself, and a site that has its own episode goes on in it.
    let high =
        Seen { at: at("21:01"), evidence: Evidence::Navigation, severity: Severity::High, by_address: false };
    let new = key("jordan", Rule::Otherwise, "worse.example");
    assert_eq!(fold(&mut episodes, new, high), Some(Folded::Opened));
    let low = Seen { severity: Severity::Low, ..high };
    assert_eq!(fold(&mut episodes, key("jordan", Rule::Otherwise, "7.example"), low), Some(Folded::Joined));
    assert_eq!(episodes.open[&key("jordan", Rule::Otherwise, "7.example")].sum.count, 2);
    // Another person, and the next hour, begin anew.
    assert_eq!(fold(&mut episodes, key("sam", Rule::Otherwise, "a.example"), low), Some(Folded::Opened));
    episodes.end_quiet(at("21:59"));
    let later = Seen { at: at("22:00"), ..low };
    let new = key("jordan", Rule::Otherwise, "new.example");
    assert_eq!(fold(&mut episodes, new.clone(), later), Some(Folded::Opened));
    assert!(episodes.open.contains_key(&new));
    episodes.end_quiet(at("23:59"));
    while !episodes.is_clean() {
        let changes = episodes.changes(true);
        episodes.taken(&changes, &[]);
    }
    episodes.end_quiet(at("23:59"));
    assert!(episodes.shares.is_empty());
}

#[test]
fn a_scan_of_addresses_is_a_bounded_number_of_episodes_and_hides_nothing_else() {
    let mut episodes = Episodes::default();
    let high = |clock: &str, by_address| Seen {
        at: at(clock),
        evidence: Evidence::Connection,
        severity: Severity::High,
        by_address,
    };
    for n in 0..5_000_u32 {
        let site = std::net::Ipv4Addr::from_bits(0x0b00_0000 + n).to_string();
        fold(&mut episodes, key("jordan", Rule::Floor, &site), high("21:00", true));
    }
    assert_eq!(episodes.open.len(), 201);
    let rest = &episodes.open[&key("jordan", Rule::Floor, "and other addresses")];
    assert_eq!((rest.sum.severity, rest.sum.count), (Severity::High, 4_800));
    assert_eq!(rest.sites.as_ref().unwrap().len(), 4_800);
    // A site by its name, another rule, and another person are told by themselves.
    for one in [
        key("jordan", Rule::Floor, "vpn.example"),
        key("jordan", Rule::Sealed, "sealed"),
        key("sam", Rule::Floor, "192.0.2.1"),
    ] {
        let by_address = one.person == "sam";
        assert_eq!(
            fold(&mut episodes, one.clone(), high("21:01", by_address)),
            Some(Folded::Opened),
            "{one:?}"
        );
        assert!(episodes.open.contains_key(&one), "{one:?}");
    }
    // Grave ones by a name have a bound of their own.
    for n in 0..1_000 {
        fold(&mut episodes, key("jordan", Rule::Floor, &format!("vpn{n}.example")), high("21:02", false));
    }
    assert_eq!(episodes.open.len(), 201 + 3 + 199 + 1);
    assert!(episodes.open.contains_key(&key("jordan", Rule::Floor, "and other sites (high)")));
}

#[test]
fn a_device_that_nobody_knows_is_told_once_while_it_is_about_and_made_up_ones_are_bounded() {
    let mut episodes = Episodes::default();
    let seen = |clock: &str| Seen {
        at: at(clock),
        evidence: Evidence::Connection,
        severity: Severity::High,
        by_address: true,
    };
    let phone = || key("nobody", Rule::Baseline, "02:00:00:00:00:99");
    assert_eq!(fold(&mut episodes, phone(), seen("00:10")), Some(Folded::Opened));
    for clock in ["00:11", "03:00", "11:00", "22:59"] {
        episodes.end_quiet(at(clock));
        assert_eq!(fold(&mut episodes, phone(), seen(clock)), Some(Folded::Joined), "{clock}");
    }
    let tomorrow = Seen { at: at("22:59") + A_STRANGERS + TimeDelta::minutes(1), ..seen("22:59") };
    assert_eq!(fold(&mut episodes, phone(), tomorrow), Some(Folded::Opened), "it was away");
    // What the floor refuses it is an episode of a site like everybody's.
    fold(&mut episodes, key("nobody", Rule::Floor, "192.0.2.1"), seen("23:00"));
    for n in 0..5_000_u32 {
        let [_, a, b, c] = n.to_be_bytes();
        let face = Face::Mac([2, 0, 0, a, b, c]).to_string();
        fold(&mut episodes, key("nobody", Rule::Baseline, &face), seen("23:00"));
    }
    let made_up = episodes.open.keys().filter(|key| key.rule == Rule::Baseline).count();
    assert!(made_up <= 202, "{made_up}");
    assert!(episodes.open.contains_key(&key("nobody", Rule::Baseline, "and other devices")));
}

#[test]
fn what_the_store_did_not_take_is_offered_again() {
    let mut episodes = Episodes::default();
    let key = key("jordan", Rule::Otherwise, "a.example");
    let seen = |t| Seen { at: at(t), evidence: Evidence::Lookup, severity: Severity::Low, by_address: false };
    fold(&mut episodes, key.clone(), seen("21:00"));
    let changes = episodes.changes(true);
    assert_eq!(changes.len(), 1);
    assert!(changes[0].opened.is_some() && !changes[0].ended);
    assert!(episodes.changes(true).is_empty(), "nothing new");
    episodes.not_taken(&changes);
    let changes = episodes.changes(true);
    // While the commit is under way it ends.
    fold(&mut episodes, key.clone(), seen("21:01"));
    episodes.end_quiet(at("22:00"));
    episodes.taken(&changes, &[(key.to_key(), changes[0].id, 7)]);
    let changes = episodes.changes(true);
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].entry, changes[0].ended, changes[0].sum.count), (Some(7), true, 2));
    assert!(changes[0].opened.is_none());
    episodes.not_taken(&changes);
    assert!(!episodes.is_clean());
    let changes = episodes.changes(true);
    assert_eq!(changes.len(), 1);
    episodes.taken(&changes, &[]);
    assert!(episodes.is_clean());
}

#[test]
fn the_journal_is_told_what_an_episode_outgrew_and_nothing_else() {
    use Evidence::{Connection, Lookup};
    let mut episodes = Episodes::default();
    let key = key("jordan", Rule::Otherwise, "a.example");
    let see = |episodes: &mut Episodes, evidence, severity, times: u32| {
        for _ in 0..times {
            fold(episodes, key.clone(), Seen { at: at("21:00"), evidence, severity, by_address: false });
        }
    };
    // What is seen before it is written down belongs to its beginning.
    see(&mut episodes, Lookup, Severity::Low, 1);
    see(&mut episodes, Connection, Severity::Medium, 1);
    let changes = episodes.changes(true);
    let opened = changes[0].opened.as_ref().unwrap();
    assert_eq!((opened.evidence, opened.severity, changes[0].grew), (Connection, Severity::Medium, false));
    episodes.taken(&changes, &[(changes[0].key.clone(), changes[0].id, 7)]);
    assert!(episodes.is_clean());
    for (evidence, severity, times, grew) in [
        (Lookup, Severity::Low, 7, false),
        (Lookup, Severity::Low, 1, true),
        (Lookup, Severity::Low, 80, false),
        (Connection, Severity::High, 1, true),
        (Connection, Severity::High, 1, false),
    ] {
        see(&mut episodes, evidence, severity, times);
        let changes = episodes.changes(true);
        assert_eq!((changes.len(), changes[0].grew), (1, grew), "{evidence:?} {severity:?} {times}");
        // One that was not taken is offered again, and says so again.
        episodes.not_taken(&changes);
        assert_eq!(
            episodes.changes(false).len(),
            usize::from(grew),
            "counts may wait, what it outgrew may not"
        );
        let changes = if grew { changes } else { episodes.changes(true) };
        episodes.taken(&changes, &[]);
    }
    assert!(episodes.is_clean());
    episodes.last_words();
    assert!(!episodes.is_clean(), "when the gateway stops the journal is told all");
    let changes = episodes.changes(false);
    assert!(changes[0].grew && changes[0].sum.count == 92);
    episodes.taken(&changes, &[]);
    assert!(episodes.is_clean());
}
