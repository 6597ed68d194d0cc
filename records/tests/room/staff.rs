//! What staff do and young people ask.

use crate::play::{Play, at, jordan, lawful, snapshot, staff};
use agreements::lawful::RestrictionDraft;
use agreements::{Evidence, GrantKind, LimitKey, Outcome, What, Word};
use chrono::TimeDelta;
use chrono_tz::Europe::London;
use records::export::{COLUMNS, Format};
use records::shift::Shift;
use records::{Answer, Booking, Clock, GRACE, NewGrant, NotDone, Purpose, Records, Verified, Which, shift};
use std::time::Duration;

/// Nothing that is noticed takes longer, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn extra_hour(play: &Play) -> NewGrant {
    NewGrant {
        person: "jordan".into(),
        kind: GrantKind::ExtraTime(LimitKey::Everything),
        until: play.clock.now() + TimeDelta::hours(1),
        by: staff(),
        reason: "film night".into(),
    }
}

pub async fn grants_are_seen_by_another_process(play: Play) {
    let gateway = play.records().await;
    let command = play.open_for(Purpose::Beside).await.unwrap();
    let mut changes = gateway.changes();
    changes.changed().await; // Once soon after the first call in any case.
    assert!(gateway.live_grants().await.unwrap().is_empty());
    let grant = command.grant(extra_hour(&play)).await.unwrap();
    tokio::time::timeout(PATIENCE, changes.changed()).await.expect("noticed");
    let live = gateway.live_grants().await.unwrap();
    assert_eq!((live.len(), live[0].entry, live[0].by.as_str()), (1, grant, "K. Lane"));
    assert_eq!(live[0].kind, GrantKind::ExtraTime(LimitKey::Everything));
    let snapshot = snapshot();
    gateway.standing(&snapshot.house).await.unwrap();
    // What does not move the standing wakes nobody.
    command.staff_action(staff(), "looked", "").await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(1200), changes.changed()).await.is_err());
    command.revoke(grant, staff(), "it got late").await.unwrap();
    tokio::time::timeout(PATIENCE, changes.changed()).await.expect("noticed");
    assert!(gateway.live_grants().await.unwrap().is_empty());
    assert!(matches!(command.revoke(grant, staff(), "again").await, Err(NotDone::NotOpen(_))));
    let again = command.grant(extra_hour(&play)).await.unwrap();
    assert_eq!(gateway.live_grants().await.unwrap()[0].entry, again);
    play.clock.advance(Duration::from_secs(3601));
    assert!(gateway.live_grants().await.unwrap().is_empty(), "over");
    let late = NewGrant { until: play.clock.now(), ..extra_hour(&play) };
    assert!(matches!(command.grant(late).await, Err(NotDone::OverAlready)));
    let longest = play.clock.now() + records::LONGEST_GRANT;
    let too_long = NewGrant { until: longest + TimeDelta::seconds(1), ..extra_hour(&play) };
    assert!(matches!(command.grant(too_long).await, Err(NotDone::LastsTooLong)));
    let ask = command.ask("jordan", "late.example", "").await.unwrap();
    let yes = Answer::Approve { until: longest + TimeDelta::seconds(1) };
    assert!(matches!(command.answer(ask, yes, staff(), "for days").await, Err(NotDone::LastsTooLong)));
    let silent = NewGrant { reason: "  ".into(), ..extra_hour(&play) };
    assert!(matches!(command.grant(silent).await, Err(NotDone::NoReason)));
    assert!(matches!(gateway.verify(None).await.unwrap(), Verified::Whole { .. }));
    command.close().await;
}

pub async fn asks_are_answered_once(play: Play) {
    let records = play.records().await;
    let ask = records.ask("jordan", "Chat.Example.", "everyone from school is on it").await.unwrap();
    assert_eq!(
        records.ask("jordan", "chat.example", "please").await.unwrap(),
        ask,
        "asking again is the same ask"
    );
    assert!(matches!(records.ask("jordan", "not a host", "").await, Err(NotDone::NoHost)));
    // What strangers' sites end in is no site: a grant of it would open nothing.
    for ending in ["com", "uk", "co.uk", "CO.UK."] {
        let refused = records.ask("jordan", ending, "please").await;
        assert!(matches!(refused, Err(NotDone::NoSite(_))), "{ending}: {refused:?}");
    }
    let waiting = records.asks(None).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].asked.host.as_str()), (1, "chat.example"));
    let until = play.clock.now() + TimeDelta::hours(1);
    let grant = records.answer(ask, Answer::Approve { until }, staff(), "agreed at tea").await.unwrap();
    let live = records.live_grants().await.unwrap();
    assert_eq!(Some(live[0].entry), grant);
    assert_eq!(live[0].kind, GrantKind::Sites(What::Words(vec![Word::parse("chat.example").unwrap()])));
    assert!(matches!(records.answer(ask, Answer::Decline, staff(), "no").await, Err(NotDone::NotOpen(_))));
    assert!(records.asks(None).await.unwrap().is_empty());
    let all = records.asks(Some(at("2026-11-22T00:00:00Z"))).await.unwrap();
    assert_eq!(all[0].answered.as_ref().and_then(|a| a.grant), grant);
    for i in 0..records::MOST_ASKS {
        records.ask("jordan", &format!("site{i}.example"), "").await.unwrap();
    }
    assert!(matches!(records.ask("jordan", "one-more.example", "").await, Err(NotDone::TooManyAsks)));
    records.ask("sam", "one-more.example", "").await.unwrap();
    let last = records.asks(None).await.unwrap()[0].entry;
    assert_eq!(records.answer(last, Answer::Decline, staff(), "not at night").await.unwrap(), None);
    // The decision itself knows the grant.
    let snapshot = snapshot();
    let standing = records.standing(&snapshot.house).await.unwrap();
    let who = snapshot.house.person("jordan").unwrap();
    let host = agreements::Host::Name(blocklists::Name::new("www.chat.example").unwrap());
    assert_eq!(snapshot.judge(who, play.clock.now(), host, None, &standing).outcome, Outcome::Allow);
}

pub async fn asks_that_wait_and_late_answers_are_not_lost(play: Play) {
    let records = play.records().await;
    let since = |hours| Some(play.clock.now() - TimeDelta::hours(hours));
    let soon = records.ask("jordan", "soon.example", "").await.unwrap();
    let late = records.ask("jordan", "late.example", "").await.unwrap();
    records.answer(soon, Answer::Decline, staff(), "not this week").await.unwrap();
    play.clock.advance(Duration::from_secs(30 * 3600));
    let waits = records.asks(since(24)).await.unwrap();
    assert_eq!((waits.len(), waits[0].entry), (1, late), "it waits still, and the other was answered before");
    records.answer(late, Answer::Decline, staff(), "sorry that it took so long").await.unwrap();
    let told = records.asks(since(24)).await.unwrap();
    assert_eq!((told.len(), told[0].answered.is_some()), (1, true), "a late answer is an answer of late");
    assert!(records.asks(None).await.unwrap().is_empty());
    play.clock.advance(Duration::from_secs(25 * 3600));
    assert!(records.asks(since(24)).await.unwrap().is_empty());
    assert_eq!(records.asks(since(56)).await.unwrap().len(), 2);
}

pub async fn restrictions_must_be_lawful(play: Play) {
    let records = play.records().await;
    let snapshot = snapshot();
    let protected = &snapshot.house.home().protected;
    let now = play.clock.now();
    let draft = lawful(now);
    let restriction = records.restrict(draft.clone(), protected, staff()).await.unwrap();
    let live = records.live_restrictions().await.unwrap();
    assert_eq!((live[0].entry, live[0].person.as_str()), (restriction, "jordan"));
    let entries = records.head().await.unwrap().entries;
    for unlawful in [
        RestrictionDraft { people: vec!["jordan".into(), "sam".into()], ..draft.clone() },
        RestrictionDraft {
            what: Some(What::Words(vec![Word::parse("private_mail").unwrap()])),
            ..draft.clone()
        },
        RestrictionDraft { consent: None, ..draft.clone() },
        RestrictionDraft { reason: String::new(), ..draft.clone() },
        RestrictionDraft { until: None, ..draft },
    ] {
        let refused = records.restrict(unlawful, protected, staff()).await;
        assert!(matches!(refused, Err(NotDone::Unlawful(_))), "{refused:?}");
    }
    assert_eq!(records.head().await.unwrap().entries, entries, "nothing was written");
    let review = async |view, next| {
        records.restriction_reviewed(restriction, staff(), ("still needed", view, next)).await
    };
    let next = now.date_naive() + TimeDelta::days(1);
    for (view, next) in
        [("", Some(next)), ("fair", Some(now.date_naive())), ("fair", Some(next + TimeDelta::days(31)))]
    {
        assert!(matches!(review(view, next).await, Err(NotDone::Unlawful(_))), "{view:?} {next:?}");
    }
    review("fair", Some(next)).await.unwrap();
    let placed = records.restrictions().await.unwrap().remove(0);
    assert_eq!((placed.review_on(), placed.reviews[0].said.view.as_str()), (Some(next), "fair"));
    records.end_restriction(restriction, staff(), "reviewed: no longer needed").await.unwrap();
    assert!(records.live_restrictions().await.unwrap().is_empty());
    assert!(matches!(review("fair", None).await, Err(NotDone::NotOpen(_))), "it has ended");
}

pub async fn emergencies_do_not_chain(play: Play) {
    let records = play.records().await;
    let snapshot = snapshot();
    let protected = &snapshot.house.home().protected;
    let emergency = |hours: i64| {
        let now = play.clock.now();
        let until = Some(now + TimeDelta::hours(hours));
        RestrictionDraft {
            consent: None,
            emergency: true,
            until,
            review_on: Some(now.date_naive()),
            ..lawful(now)
        }
    };
    let place = async |draft| match records.restrict(draft, protected, staff()).await {
        Ok(_) => "placed".to_owned(),
        Err(NotDone::Unlawful(unlawful)) => unlawful.iter().map(|u| u.code).collect::<Vec<_>>().join(" "),
        Err(other) => format!("{other:?}"),
    };
    assert_eq!(place(emergency(24)).await, "placed");
    play.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(place(emergency(22)).await, "placed", "more of the same 24 hours");
    assert_eq!(place(emergency(23)).await, "emergency-again");
    let of_sam = RestrictionDraft { people: vec!["sam".into()], ..emergency(23) };
    assert_eq!(place(of_sam).await, "placed", "of somebody else");
    play.clock.advance(Duration::from_secs(30 * 3600));
    assert_eq!(place(emergency(3)).await, "emergency-again", "ten hours after the last");
    let with_consent = RestrictionDraft { consent: lawful(play.clock.now()).consent, ..emergency(24) };
    assert_eq!(place(with_consent).await, "placed");
    play.clock.advance(Duration::from_secs(17 * 3600));
    assert_eq!(place(emergency(24)).await, "placed", "a day and an hour after the last without consent");
}

async fn one_episode(records: &Records) -> records::Episode {
    crate::play::until("an episode", async || records.episodes(&Which::default()).await.unwrap().len() == 1)
        .await;
    records.episodes(&Which::default()).await.unwrap().remove(0)
}

pub async fn notes_and_reports_change_nothing_of_an_episode(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    let before = one_episode(&gateway.records).await;
    gateway.records.note(before.entry, jordan(), "that was the game's advert").await.unwrap();
    assert!(matches!(gateway.records.note(9999, jordan(), "x").await, Err(NotDone::NoEntry(9999))));
    gateway.records.report("jordan", jordan(), "I saw something", None).await.unwrap();
    let after = gateway.records.episode(before.entry).await.unwrap().unwrap();
    assert_eq!((after.notes.len(), after.notes[0].words.as_str()), (1, "that was the game's advert"));
    assert!(after.reported);
    // What was reported stays so when the episode goes on and ends.
    gateway.clock.advance(Duration::from_secs(16 * 60));
    crate::play::until("its end", async || {
        gateway.records.episode(before.entry).await.unwrap().is_some_and(|e| !e.open && e.reported)
    })
    .await;
    // Too late to be within the grace time.
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    crate::play::until("the second", async || {
        gateway.records.episodes(&Which::default()).await.unwrap().len() == 2
    })
    .await;
    gateway.clock.advance(records::GRACE.to_std().unwrap() + Duration::from_secs(1));
    gateway.records.report("jordan", jordan(), "", None).await.unwrap();
    let second = gateway.records.episodes(&Which::default()).await.unwrap().pop().unwrap();
    assert!(!second.reported);
    assert!(matches!(gateway.records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn reports_all_the_time_mark_nothing(play: Play) {
    let gateway = play.gateway().await;
    let records = gateway.records.clone();
    for i in 0..records::MOST_REPORTS {
        if i == records::MARKING_REPORTS {
            gateway.asks_for("jordan", "games.example", Evidence::Navigation);
            one_episode(&records).await;
        }
        records.report("jordan", jordan(), &format!("{i}"), None).await.unwrap();
    }
    let episode = one_episode(&records).await;
    assert!(!episode.reported, "the third report marks nothing");
    assert!(matches!(records.report("jordan", jordan(), "", None).await, Err(NotDone::TooManyReports)));
    gateway.clock.advance(Duration::from_secs(3601));
    gateway.asks_for("jordan", "chat.example", Evidence::Navigation);
    let all = async || records.episodes(&Which::default()).await.unwrap();
    crate::play::until("another", async || all().await.len() == 2).await;
    records.report("jordan", jordan(), "", None).await.unwrap();
    assert!(all().await[1].reported && !all().await[1].is_breach(), "an hour later it does");
    // What staff have to look at stays a breach, with the report beside it.
    // The address of a resolver that somebody has to choose.
    gateway.asks_for("jordan", "94.140.14.14", Evidence::Connection);
    crate::play::until("a high one", async || all().await.len() == 3).await;
    records.report("jordan", jordan(), "", None).await.unwrap();
    let high = all().await.remove(2);
    assert!(high.reported && high.is_breach() && high.severity == agreements::Severity::High, "{high:?}");
    let now = gateway.clock.now();
    let shift = Shift { from: now - GRACE, to: now + GRACE };
    let seen = records.tally(shift.from, shift.to).await.unwrap();
    records.sign_shift(shift, None, staff(), "read", seen).await.unwrap();
    assert_eq!(records.reviews(shift).await.unwrap()[0].breaches, 1);
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn a_wrong_entry_is_said_to_be_wrong(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    let breach = one_episode(records).await.entry;
    let grant = records.grant(extra_hour(&play)).await.unwrap();
    let decline = |entry| records.answer(entry, records::Answer::Decline, staff(), "no");
    let said = |done: Result<(), NotDone>| done.unwrap_err().to_string();
    let cases = [
        (said(records.note(999, staff(), "x").await.map(drop)), "there is no entry 999".to_owned()),
        (said(decline(999).await.map(drop)), "there is no entry 999".to_owned()),
        (said(records.revoke(999, staff(), "x").await.map(drop)), "there is no entry 999".to_owned()),
        (
            said(records.revoke(breach, staff(), "x").await.map(drop)),
            format!("entry {breach} is an episode, not a grant"),
        ),
        (said(decline(grant).await.map(drop)), format!("entry {grant} is a grant, not an ask")),
        (
            said(records.end_restriction(grant, staff(), "x").await.map(drop)),
            format!("entry {grant} is a grant, not a restriction"),
        ),
    ];
    for (found, wanted) in cases {
        assert_eq!(found, wanted);
    }
    records.revoke(grant, staff(), "x").await.unwrap();
    assert!(matches!(records.revoke(grant, staff(), "x").await, Err(NotDone::NotOpen(_))));
    gateway.stops().await;
}

pub async fn a_shift_is_read_and_signed(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    let episode = one_episode(&gateway.records).await;
    let home = snapshot();
    let home = home.house.home();
    let afternoon = shift::at(&home.shifts, home.timezone, gateway.clock.now());
    let night = shift::at(&home.shifts, home.timezone, afternoon.to);
    let of = async |which: Which| gateway.records.episodes(&which).await.unwrap().len();
    assert_eq!((of(afternoon.into()).await, of(night.into()).await), (1, 0));
    let person = |id: &str| Which { person: Some(id.into()), ..afternoon.into() };
    assert_eq!((of(person("jordan")).await, of(person("sam")).await), (1, 0));
    let (seen, none) =
        (gateway.records.tally(afternoon.from, afternoon.to).await.unwrap(), records::Tally::default());
    let blind = gateway.records.sign_shift(afternoon, None, staff(), "", none).await;
    assert!(matches!(blind, Err(NotDone::NotSeen)), "what nobody had before them is not signed: {blind:?}");
    gateway.records.sign_shift(afternoon, None, staff(), "talked to Jordan", seen).await.unwrap();
    let reviews = gateway.records.reviews(afternoon).await.unwrap();
    assert_eq!((reviews.len(), reviews[0].breaches, reviews[0].by.id.as_str()), (1, 1, "k.lane"));
    assert_eq!((reviews[0].episodes, reviews[0].newest), (1, episode.entry), "up to this one");
    assert!(gateway.records.reviews(night).await.unwrap().is_empty());
    assert_eq!(episode.count, 1);
    gateway.stops().await;
}

pub async fn exports_carry_their_manifest(play: Play) {
    let gateway = play.gateway().await;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    let episode = one_episode(&gateway.records).await;
    gateway.records.note(episode.entry, jordan(), "=1+1, \"said\" Jordan").await.unwrap();
    let records = &gateway.records;
    let mut csv = Vec::new();
    let manifest = records.export(&Which::default(), Format::Csv, London, &mut csv).await.unwrap();
    let text = String::from_utf8(csv.clone()).unwrap();
    assert_eq!(text.lines().next().unwrap(), COLUMNS.map(|c| format!("\"{c}\"")).join(","));
    assert!(text.ends_with("\"Jordan: =1+1, \"\"said\"\" Jordan\",\"reg 12\"\r\n"), "{text}");
    assert_eq!((manifest.count, manifest.head.clone()), (1, records.head().await.unwrap()));
    let digest = ring::digest::digest(&ring::digest::SHA256, &csv);
    let hex: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(manifest.sha256, hex);
    let mut json = Vec::new();
    records.export(&Which::default(), Format::Json, London, &mut json).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let fields: Vec<_> = json[0].as_object().unwrap().keys().cloned().collect();
    let mut columns = COLUMNS.map(str::to_owned).to_vec();
    columns.sort();
    assert_eq!(fields, columns, "CSV and JSON have the same names");
    assert_eq!(
        json[0]["regulations"],
        serde_json::json!(["reg 12"]),
        "every row says what in the law it is about"
    );
    let nobody = Which { person: Some("sam".into()), ..Which::default() };
    let mut none = Vec::new();
    assert_eq!(records.export(&nobody, Format::Json, London, &mut none).await.unwrap().count, 0);
    assert_eq!(none, b"[]\n");
    gateway.stops().await;
}

pub async fn where_a_device_is(play: Play) {
    let records = play.records().await;
    let whereabouts = |all: std::collections::BTreeMap<(String, String), records::Whereabouts>| {
        all.get(&("jordan".to_owned(), "phone".to_owned())).cloned().unwrap_or_default()
    };
    for (booking, words) in [(Booking::Out, "charged"), (Booking::Inspected, ""), (Booking::In, "at bedtime")]
    {
        play.clock.advance(Duration::from_secs(60));
        records.book("jordan", "phone", booking, staff(), words).await.unwrap();
    }
    let phone = whereabouts(records.whereabouts().await.unwrap());
    assert!(
        matches!(&phone.booked, Some((Booking::In, at, by)) if *at == play.clock.now() && by == "K. Lane"),
        "{phone:?}"
    );
    assert_eq!((phone.words.as_str(), phone.inspected.is_some()), ("at bedtime", true));
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
}

pub async fn who_was_told_is_known_over_a_restart(play: Play) {
    let records = play.records().await;
    assert_eq!(records.told("a").await.unwrap(), None);
    for entry in [3, 7] {
        records.set_told("a", entry).await.unwrap();
    }
    drop(records);
    let again = play.open_for(Purpose::Beside).await.unwrap();
    assert_eq!((again.told("a").await.unwrap(), again.told("b").await.unwrap()), (Some(7), None));
}
