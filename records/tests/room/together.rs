//! What staff and young people do together: shifts read as one, reports heard, lists put right.

use crate::play::{Play, at, jordan, snapshot, staff, until};
use agreements::{Evidence, GrantKind, LimitKey};
use chrono::TimeDelta;
use records::shift::{self, Shift};
use records::{
    By, ByRole, Clock, FEW_REPORTS, FileHash, FilesChanged, Hearer, MOST_REPORTS, MOST_UNKNOWN_REPORTS, Mark,
    NewGrant, NotDone, Showing, Side, Verified, Which, is_signed,
};
use std::time::Duration;

fn other() -> By {
    By { id: "m.ali".into(), name: "Mo Ali".into(), ..staff() }
}

fn hearer(by: By, manages: bool) -> Hearer {
    Hearer { by, manages }
}

const HOUR: Duration = Duration::from_secs(3600);
const GRACE: chrono::TimeDelta = records::GRACE;

pub async fn shifts_that_nobody_signed_are_read_as_one(play: Play) {
    let gateway = play.gateway().await;
    let (records, home) = (&gateway.records, snapshot());
    let house = &home.house;
    let (shifts, zone) = (&house.home().shifts, house.home().timezone);
    let first = shift::at(shifts, zone, gateway.clock.now());
    let second = shift::at(shifts, zone, first.to);
    let third = shift::at(shifts, zone, second.to);
    let now = third.to + chrono::TimeDelta::minutes(5);
    let together = Shift { from: first.from, to: third.to };
    // Before there is a journal nobody had a shift.
    records.staff_action(staff(), "began", "").await.unwrap();
    assert_eq!(records.unsigned(house, now).await.unwrap(), [first, second, third]);
    assert_eq!(records.to_review(house, now).await.unwrap(), together);
    let sign = async |which: Shift, side, by| {
        let seen = records.tally(which.from, which.to).await.unwrap();
        records.sign_shift(which, Some(side), by, "", seen).await
    };
    // One side of one shift signs nothing off.
    sign(first, Side::Outgoing, staff()).await.unwrap();
    assert_eq!(records.to_review(house, now).await.unwrap(), together);
    // Who worked the first takes over from all three: that is one person on both sides of the first.
    sign(together, Side::Incoming, staff()).await.unwrap();
    let all = async || records.reviews_between(together.from, now).await.unwrap();
    assert!(!is_signed(&all().await, first), "two sides, two people");
    let again = sign(together, Side::Outgoing, staff()).await;
    assert!(matches!(again, Err(NotDone::SignedAlready)), "{again:?}");
    sign(together, Side::Outgoing, other()).await.unwrap();
    for shift in [first, second, third, together] {
        assert!(is_signed(&all().await, shift), "one pair covers {shift:?}");
    }
    assert_eq!(records.unsigned(house, now).await.unwrap(), []);
    assert_eq!(records.to_review(house, now).await.unwrap(), third, "the last one is shown");
    let alone = sign(second, Side::Outgoing, staff()).await;
    assert!(matches!(alone, Err(NotDone::SignedAlready)), "it was signed with the others: {alone:?}");
    assert_eq!(records.reviews(second).await.unwrap().len(), 2);
    // What comes before a shift that is signed is asked for by itself.
    let fourth = shift::at(shifts, zone, third.to);
    let fifth = shift::at(shifts, zone, fourth.to);
    for (side, by) in [(Side::Outgoing, staff()), (Side::Incoming, other())] {
        sign(fifth, side, by).await.unwrap();
    }
    let later = fifth.to + chrono::TimeDelta::minutes(5);
    assert_eq!(records.unsigned(house, later).await.unwrap(), [fourth]);
    assert_eq!(records.to_review(house, later).await.unwrap(), fifth);
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn a_report_is_open_until_somebody_heard_it(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    let report = records.report("jordan", jordan(), "a mean message", Some("k.lane")).await.unwrap();
    gateway.clock.advance(HOUR * 48);
    let open = records.open_reports().await.unwrap();
    assert_eq!(
        (open.len(), open[0].report.adult.as_deref()),
        (1, Some("k.lane")),
        "days later it stands there"
    );
    let (kate, mo) = (hearer(staff(), false), hearer(other(), false));
    let silent = records.hear_report(report, &kate, " ").await;
    assert!(matches!(silent, Err(NotDone::NoReason)), "what was done is said: {silent:?}");
    let others = records.hear_report(report, &mo, "We talked").await;
    assert!(matches!(others, Err(NotDone::NotTheirs)), "it was told for Kate: {others:?}");
    for _ in 0..2 {
        records.open_words(report, other()).await.unwrap();
    }
    let openers: Vec<_> = records.open_reports().await.unwrap().remove(0).opened;
    assert_eq!(openers, [other()], "who opened it is written down once");
    records.hear_report(report, &kate, "We talked, and told the school").await.unwrap();
    let heard = records.head().await.unwrap().entries;
    assert!(records.open_reports().await.unwrap().is_empty());
    let theirs = records.reports_of("jordan", at("2026-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(theirs[0].heard.as_ref().map(|heard| heard.by.id.as_str()), Some("k.lane"));
    assert!(records.reports_of("sam", at("2026-01-01T00:00:00Z")).await.unwrap().is_empty());
    assert_eq!(records.reports_of("jordan", gateway.clock.now()).await.unwrap().len(), 1, "heard just now");
    gateway.clock.advance(HOUR);
    assert!(records.reports_of("jordan", gateway.clock.now()).await.unwrap().is_empty(), "heard before");
    let twice = records.hear_report(report, &mo, "again").await;
    assert!(matches!(twice, Err(NotDone::NotOpen(_))), "{twice:?}");
    assert!(matches!(records.open_words(report, staff()).await, Err(NotDone::NotOpen(_))));
    assert!(matches!(records.hear_report(heard, &mo, "x").await, Err(NotDone::OtherKind { .. })));
    let second = records.report("jordan", jordan(), "another", Some("k.lane")).await.unwrap();
    records.hear_report(second, &hearer(other(), true), "The manager has it").await.unwrap();
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    play.unguard().await;
    play.tamper("UPDATE register SET closed = 0 WHERE kind = 'report'").await;
    assert!(
        matches!(records.verify(None).await.unwrap(), Verified::Broken { .. }),
        "a report that opened itself"
    );
    gateway.stops().await;
}

fn device(address: &str) -> By {
    By { role: ByRole::YoungPerson, id: address.into(), name: "nobody".into() }
}

pub async fn who_tells_all_the_time_pushes_out_nobody(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    let first = records.report("sam", device("sam"), "somebody wrote to me", None).await.unwrap();
    let strange = records.report("nobody", device("192.0.2.9"), "help", None).await.unwrap();
    let mut flood = Vec::new();
    for hour in 0..4 {
        for n in 0..MOST_REPORTS {
            flood.push(records.report("jordan", jordan(), &format!("{hour} {n}"), None).await.unwrap());
            // One strange device tells all the time, too.
            records.report("nobody", device("192.0.2.66"), "x", None).await.unwrap();
        }
        let often = records.report("nobody", device("192.0.2.66"), "x", None).await;
        assert!(matches!(often, Err(NotDone::TooManyReports)), "{often:?}");
        gateway.clock.advance(HOUR + Duration::from_secs(1));
    }
    for n in 0..MOST_REPORTS {
        records.report("nobody", device("192.0.2.66"), &n.to_string(), None).await.unwrap();
    }
    let last = records.report("nobody", device("192.0.2.10"), "help me, too", None).await.unwrap();
    let open = records.open_reports().await.unwrap();
    let entries: Vec<i64> = open.iter().map(|told| told.entry).collect();
    assert!(entries.is_sorted() && entries[..2] == [first, strange], "the oldest first: {entries:?}");
    assert!(entries.contains(&last), "another device is another teller");
    let of = |person: &str, id: &str| {
        let theirs = open.iter().filter(|t| t.report.person == person && t.report.by.id == id);
        theirs.map(|told| told.more).collect::<Vec<_>>()
    };
    let few = usize::try_from(FEW_REPORTS).unwrap();
    assert_eq!(of("jordan", "jordan"), [0, 0, flood.len() as u64 - few as u64], "a few, and how many more");
    assert_eq!(of("nobody", "192.0.2.66")[2], 5 * MOST_REPORTS as u64 - few as u64);
    assert_eq!((of("sam", "sam"), of("nobody", "192.0.2.9")), (vec![0], vec![0]));
    // Any of them is found, and what one teller told from it on is heard as one.
    let newest = *flood.last().unwrap();
    assert_eq!(records.open_report(newest).await.unwrap().unwrap().entry, newest);
    let kate = hearer(staff(), false);
    records.hear_reports((flood[2], flood[150]), &kate, "We sat together").await.unwrap();
    let left = records.open_reports_from(flood[0]).await.unwrap();
    let expected: Vec<i64> = flood[..2].iter().chain(&flood[151..]).copied().collect();
    assert_eq!(left.iter().map(|told| told.entry).collect::<Vec<_>>(), expected, "one teller's, and no more");
    assert!(
        records.open_report(strange).await.unwrap().is_some()
            && records.open_report(flood[2]).await.unwrap().is_none()
    );
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn made_up_devices_bury_nobody_who_lives_here(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    // A device that takes a new address each time is another teller each time.
    let tells = async |n: i64| {
        let address = format!("198.51.100.{}", n / FEW_REPORTS);
        records.report("nobody", device(&address), "x", None).await
    };
    for n in 0..MOST_UNKNOWN_REPORTS {
        tells(n).await.unwrap();
    }
    let more = tells(MOST_UNKNOWN_REPORTS).await;
    assert!(matches!(more, Err(NotDone::TooManyReports)), "{more:?}");
    let last = records.report("sam", device("sam"), "somebody wrote to me", None).await.unwrap();
    let open = records.open_reports().await.unwrap();
    assert_eq!((open.len(), open.last().map(|told| told.entry)), (200, Some(last)), "who lives here is read");
    gateway.stops().await;
}

pub async fn what_a_strange_device_tells_marks_its_own_alone(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    let all = async || records.episodes(&Which::default()).await.unwrap();
    for last in [9, 66] {
        gateway.stranger_asks_for([192, 0, 2, last].into(), "games.example");
    }
    // What no episode says which device it was.
    gateway.asks_for("nobody", "chat.example", Evidence::Navigation);
    until("what they did", async || all().await.len() == 3).await;
    let reported = async || {
        let all = all().await;
        all.iter().filter(|e| e.reported).map(|e| e.site.clone()).collect::<Vec<_>>()
    };
    // One that tells all the time uses up its own reports that mark, and nobody else's.
    for _ in 0..=records::MARKING_REPORTS {
        records.report("nobody", device("192.0.2.77"), "x", None).await.unwrap();
    }
    assert_eq!(reported().await, [""; 0], "it did nothing itself");
    records.report("nobody", device("192.0.2.9"), "an advert", None).await.unwrap();
    assert_eq!(reported().await, ["192.0.2.9"]);
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn what_was_told_for_somebody_stays_where_a_flood_is_heard(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    let mut told = Vec::new();
    for adult in [None, Some("m.ali"), None] {
        told.push(records.report("jordan", jordan(), "a mean message", adult).await.unwrap());
    }
    let kate = hearer(staff(), false);
    records.hear_reports((told[0], told[2]), &kate, "We sat together").await.unwrap();
    let left = records.open_reports().await.unwrap();
    assert_eq!(left.iter().map(|told| told.entry).collect::<Vec<_>>(), [told[1]], "it is for Mo");
    gateway.stops().await;
}

pub async fn a_wrong_list_is_told_until_it_is_answered(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    assert!(matches!(records.found_wrong("bbc.example", staff(), "").await, Err(NotDone::NoReason)));
    let found = records.found_wrong("bbc.example", staff(), "it is a revision site").await.unwrap();
    let open = records.open_wrong().await.unwrap();
    assert_eq!((open.len(), open[0].said.host.as_str()), (1, "bbc.example"));
    records.answer_wrong(found, other(), "the publisher took it out").await.unwrap();
    assert!(records.open_wrong().await.unwrap().is_empty());
    assert!(matches!(records.answer_wrong(found, other(), "x").await, Err(NotDone::NotOpen(_))));
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn what_staff_mark_as_told_is_no_breach(play: Play) {
    let gateway = play.gateway().await;
    let records = &gateway.records;
    gateway.asks_for("jordan", "games.example", Evidence::Navigation);
    let all = async || records.episodes(&Which::default()).await.unwrap();
    until("an episode", async || all().await.len() == 1).await;
    let entry = all().await[0].entry;
    records.mark(entry, staff(), Mark::SpokeWithThem, "").await.unwrap();
    assert!(all().await[0].is_breach(), "having talked about it changes nothing");
    records.mark(entry, staff(), Mark::TheirReport, "they came and said so").await.unwrap();
    assert!(all().await[0].reported && !all().await[0].is_breach());
    let now = gateway.clock.now();
    let tally = records.tally(now - GRACE, now + GRACE).await.unwrap();
    assert_eq!((tally.episodes, tally.breaches), (1, 0));
    assert_eq!(records.reached("jordan", now - GRACE, records::Kind::Breaches).await.unwrap(), 0);
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

pub async fn what_is_looked_at_together_and_written_down_by_hand(play: Play) {
    let records = play.records().await;
    let asked = records.ask_to_show("jordan", staff(), "it is quiet in there").await.unwrap();
    assert_eq!(records.ask_to_show("jordan", staff(), "again").await.unwrap(), asked, "one is open");
    let open = records.shows(play.clock.now()).await.unwrap();
    assert!(open.len() == 1 && open[0].answered.is_none() && open[0].asked.words == "it is quiet in there");
    records.answer_show(asked, jordan(), Showing::Later, "").await.unwrap();
    let again = records.answer_show(asked, staff(), Showing::Shown, "").await;
    assert!(matches!(again, Err(NotDone::NotOpen(_))), "{again:?}");
    let other = records.ask_to_show("jordan", staff(), "").await.unwrap();
    assert_ne!(other, asked);
    play.clock.advance(Duration::from_secs(60));
    let later = records.shows(play.clock.now()).await.unwrap();
    assert_eq!(later.iter().map(|show| show.entry).collect::<Vec<_>>(), [other], "what is open, however old");
    let line = records::Line { file: "agreements/jordan.yaml".into(), line: 31, text: "I will ask.".into() };
    let was = play.clock.now() - TimeDelta::hours(2);
    let none = records.write_down("jordan", (was, None), staff(), " ").await;
    assert!(matches!(none, Err(NotDone::NoReason)), "{none:?}");
    let entry = records.write_down("jordan", (was, Some(line.clone())), staff(), "a picture").await.unwrap();
    let (from, to) = (play.clock.now(), play.clock.now() + TimeDelta::seconds(1));
    for (whose, found) in [(Some("jordan"), 1), (None, 1), (Some("sam"), 0)] {
        let written = records.incidents(whose, (from, to)).await.unwrap();
        assert_eq!(written.len(), found, "{whose:?}");
        assert!(written.iter().all(|one| one.entry == entry && one.incident.about.as_ref() == Some(&line)));
        assert!(written.iter().all(|one| one.incident.at == was && one.at == from));
    }
    assert_eq!(records.incidents(None, (was, from)).await.unwrap().len(), 0, "by when it was written down");
    records.concern(entry, "jordan", staff(), "who has it now?").await.unwrap();
    assert!(matches!(records.verify(None).await.unwrap(), Verified::Whole { .. }));
    records.close().await;
}

pub async fn what_was_given_and_taken_back_and_when_files_changed(play: Play) {
    let records = play.records().await;
    let (begun, file) = (play.clock.now(), "agreements/jordan.yaml");
    let changed = |text: &str| FilesChanged {
        in_force: vec![FileHash { file: file.into(), sha256: text.into() }],
        waiting: Vec::new(),
    };
    assert_eq!(records.first_written().await.unwrap(), None);
    records.files(changed("one")).await.unwrap();
    assert_eq!(records.files_changed(&[file]).await.unwrap(), None, "it was so from the first");
    play.clock.advance(Duration::from_secs(60));
    records.files(changed("one")).await.unwrap();
    assert_eq!(records.files_changed(&[file]).await.unwrap(), None, "a start changes nothing");
    play.clock.advance(Duration::from_secs(60));
    records.files(changed("two")).await.unwrap();
    assert_eq!(records.files_changed(&["home.yaml", file]).await.unwrap(), Some(play.clock.now()));
    assert_eq!(records.files_changed(&["home.yaml"]).await.unwrap(), None);
    assert_eq!(records.first_written().await.unwrap(), Some(begun));
    let until = play.clock.now() + TimeDelta::hours(1);
    let new = |person: &str| NewGrant {
        person: person.into(),
        kind: GrantKind::ExtraTime(LimitKey::Everything),
        until,
        by: staff(),
        reason: "film night".into(),
    };
    let back = records.grant(new("jordan")).await.unwrap();
    let whole = records.grant(new("jordan")).await.unwrap();
    records.grant(new("lounge")).await.unwrap();
    play.clock.advance(Duration::from_secs(600));
    let taken = play.clock.now();
    records.revoke(back, staff(), "it was over").await.unwrap();
    let given = records.given("jordan", begun, until).await.unwrap();
    let told: Vec<_> = given.iter().map(|g| (g.entry, g.over(), g.taken_back.is_some())).collect();
    assert_eq!(told, [(back, taken, true), (whole, until, false)]);
    assert!(given.iter().all(|g| g.live().is_some_and(|live| live.by == "K. Lane")));
    assert_eq!(records.given("jordan", until, until + TimeDelta::hours(1)).await.unwrap(), []);
    records.close().await;
}
