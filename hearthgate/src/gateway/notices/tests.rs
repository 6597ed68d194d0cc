//! What is told when, and that nothing urgent waits behind anything else.

use super::pending::{Pending, Spent, Waits};
use super::*;
use agreements::lawful::RestrictionDraft;
use agreements::{Evidence, Host, Outcome, Rule, Severity, Snapshot, Store};
use blocklists::{Catalogue, Name};
use chrono::{NaiveTime, TimeDelta};
use records::{
    Asked, BreachesGrew, By, ByRole, Concern, Identified, MisfitFound, Recorder, Refused, Report, SetClock,
    Side, SignInFailed, Which,
};
use tempfile::TempDir;

mod unwritten;

const NOON: &str = "2026-11-22T12:00:00Z";
const HOME: &str = "home: Oakview House\ntimezone: Europe/London\neveryone: {block: [circumvention]}\n";

fn house_of(home: &str, people: &[(&str, &str)]) -> House {
    let mut files = vec![("home.yaml".to_owned(), home.to_owned())];
    files.extend(people.iter().map(|(id, text)| (format!("agreements/{id}.yaml"), (*text).to_owned())));
    agreements::read(&files, "2026-11-22".parse().expect("a date")).house
}

fn noon() -> Instant {
    NOON.parse().expect("an instant")
}

fn notify(when: &[&str]) -> Notify {
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    let when = when.iter().map(|w| (*w).to_owned()).collect();
    Notify { when, to: "https://x.example/".into(), quiet: Some((time(22), time(7))) }
}

fn breach(severity: Severity, person: &str) -> Entry {
    Entry::BreachOpened(BreachOpened {
        person: person.into(),
        name: "Jordan".into(),
        device: None,
        identified: Identified::Mac,
        rule: Rule::Category,
        outcome: Outcome::Block,
        site: "casino.example".into(),
        categories: vec!["gambling".into()],
        severity,
        evidence: Evidence::Lookup,
        circumvention: false,
        first: noon(),
        sentence: "Jordan's agreement keeps betting sites closed.".into(),
        source: None,
        detector: None,
        of_staff: None,
    })
}

fn grew(entry: i64, severity: Severity) -> Entry {
    let grown = Grown { entry, count: 2, last: noon(), evidence: Evidence::Navigation, severity };
    Entry::BreachesGrew(BreachesGrew { episodes: vec![grown] })
}

fn logged(entry: i64, says: Entry) -> Logged {
    Logged { entry, at: NOON.into(), kind: says.kind().into(), says: Some(says) }
}

fn ask() -> Entry {
    Entry::Ask(Asked { person: "jordan".into(), host: "chat.example".into(), words: "please".into() })
}

fn young() -> By {
    By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() }
}

fn report() -> Entry {
    report_by(ByRole::YoungPerson)
}

fn report_by(role: ByRole) -> Entry {
    Entry::Report(Report {
        person: "jordan".into(),
        by: By { role, ..young() },
        words: "a mean message".into(),
        entries: vec![],
        adult: Some("k.lane".into()),
    })
}

fn concern() -> Entry {
    let words = "a stranger wrote to Jordan".into();
    Entry::Concern(Concern { entry: 3, person: "jordan".into(), by: young(), words })
}

fn misfit() -> Entry {
    Entry::Misfit(MisfitFound { entry: 3, misfit: records::Misfit::Altered, severity: Severity::High })
}

fn failed(count: u64) -> Entry {
    let (account, address) = ("k.lane".into(), "192.168.4.9".into());
    Entry::SignInFailed(SignInFailed { account, address, count, since: noon() })
}

/// What waits after these entries, for somebody who was told of nothing lately.
fn waits(notify: &Notify, entries: &[Logged], now: Instant) -> Waits {
    let mut pending = Pending::after(0);
    entries.iter().for_each(|logged| pending.add(logged, Vec::new(), &notify.when, now));
    pending.due(&house_of(HOME, &[]), notify, now, &Spent::default(), Duration::ZERO)
}

#[test]
fn what_is_told_when() {
    use Severity::{High, Low, Medium};
    let (night, later) = (11 * 60, 11);
    for (name, when, says, after, subject) in [
        ("high_at_once", "high", breach(High, "jordan"), 0, Some("an episode of high severity")),
        ("another_severity", "high", breach(Medium, "jordan"), 60, None),
        ("a_category_folds", "gambling", breach(Medium, "jordan"), 5, Some("")),
        ("and_is_told", "gambling", breach(Medium, "jordan"), later, Some("an episode of medium severity")),
        ("a_rule", "category", breach(Low, "jordan"), later, Some("a small episode")),
        ("a_stranger", "unknown_device", breach(Low, "nobody"), later, Some("a small episode")),
        ("an_ask", "ask", ask(), 0, Some("an ask waits for an answer")),
        ("an_ask_in_the_night_waits", "ask", ask(), night, Some("")),
        (
            "a_report_in_the_night",
            "report",
            report(),
            night,
            Some("a young person told that they saw something"),
        ),
        (
            "a_report_by_staff",
            "report",
            report_by(ByRole::Staff),
            night,
            Some("a member of staff told that they saw something"),
        ),
        ("a_concern_in_the_night", "concern", concern(), night, Some("a safeguarding concern was raised")),
        ("high_in_the_night", "high", breach(High, "jordan"), night, Some("an episode of high severity")),
        ("a_wrong_password", "sign_in_failed", failed(1), later, None),
        ("many", "sign_in_failed", failed(5), 0, Some("somebody tries passwords at the desk")),
        ("a_forger_in_the_night", "high", misfit(), night, Some("something in the records does not fit")),
    ] {
        let now = noon() + TimeDelta::minutes(after);
        match (subject, waits(&notify(&[when]), &[logged(7, says)], now)) {
            (None, Waits::Nobody(7)) | (Some(""), Waits::Later) => {}
            (Some(subject), Waits::Now(message)) if !subject.is_empty() => {
                assert_eq!(message.subject, format!("Oakview House: {subject}"), "{name}");
                assert_eq!(message.upto, 7, "{name}");
            }
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(waits(&notify(&["high"]), &[], noon()), Waits::Nothing);
}

#[test]
fn many_are_one_message_that_names_nobody() {
    let entries: Vec<Logged> = (1..=5)
        .map(|n| logged(n, breach(Severity::High, "jordan")))
        .chain([logged(6, breach(Severity::Medium, "jordan")), logged(7, ask())])
        .collect();
    let notify = notify(&["high", "medium", "ask"]);
    let Waits::Now(message) = waits(&notify, &entries, noon()) else { panic!("it is due") };
    assert_eq!(
        message.subject,
        "Oakview House: 5 episodes of high severity, an ask waits for an answer, an episode of medium severity"
    );
    for secret in ["Jordan", "jordan", "casino", "chat.example", "please", "betting"] {
        assert!(!message.text.contains(secret) && !message.subject.contains(secret), "{secret}: {message:?}");
    }
    let Waits::Now(again) = waits(&notify, &entries, noon()) else { panic!("it is due") };
    assert_eq!(message.id, again.id, "who gets it twice can tell");
}

#[test]
fn a_flood_of_one_kind_folds_and_holds_no_other_back() {
    let (house, notify) = (house_of(HOME, &[]), notify(&["high", "report"]));
    let (mut pending, mut spent) = (Pending::after(0), Spent::default());
    let mut entry = 0;
    let (mut messages, mut told) = (0, 0);
    // An hour of an episode each second.
    for second in 0..3600 {
        entry += 1;
        pending.add(&logged(entry, breach(Severity::High, "nobody")), Vec::new(), &notify.when, noon());
        let steady = Duration::from_secs(second);
        if let Waits::Now(message) = pending.due(&house, &notify, noon(), &spent, steady) {
            messages += 1;
            told = message.upto;
            pending.is_told(&mut spent, steady);
        }
    }
    assert_eq!((messages, told), (8, 3001), "three at once, and one each ten minutes");
    let steady = Duration::from_secs(3600);
    assert_eq!(pending.due(&house, &notify, noon(), &spent, steady - Duration::from_secs(5)), Waits::Later);
    pending.add(&logged(entry + 1, report()), Vec::new(), &notify.when, noon());
    let waits = pending.due(&house, &notify, noon(), &spent, steady - Duration::from_secs(5));
    let Waits::Now(message) = waits else { panic!("a report is another kind: {waits:?}") };
    assert!(message.subject.contains("a young person told"), "{message:?}");
}

/// Notices of a home, with its records and a clock that the test sets.
struct Play {
    notices: Notices,
    records: Arc<Records>,
    clock: Arc<SetClock>,
    recipient: Recipient,
    notify: Notify,
    folder: TempDir,
}

impl Play {
    async fn new(now: &str, notify: Notify) -> Self {
        Self::of(now, notify, &[]).await
    }

    /// Of a home with these agreements.
    async fn of(now: &str, notify: Notify, people: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let clock = Arc::new(SetClock::at(now.parse().expect("an instant")));
        let store = Store::Sqlite("home.db".into());
        let records = Arc::new(Records::open(&store, folder.path(), clock.clone()).await.expect("records"));
        let snapshot = Snapshot { house: house_of(HOME, people), catalogue: Arc::new(Catalogue::empty()) };
        let standing = Arc::new(records.standing(&snapshot.house).await.expect("a standing"));
        let in_force = Arc::new(InForce::new(Arc::new(snapshot), standing));
        let home = folder.path().to_owned();
        let notices = Notices::new(records.clone(), in_force, clock.clone(), home, Names::default());
        let notices = notices.expect("a client");
        Self { notices, records, clock, recipient: Recipient::default(), notify, folder }
    }

    async fn look(&mut self) -> Waits {
        let key = key(&self.notify);
        let house = house_of(HOME, &[]);
        self.notices.look(&house, &self.notify, &mut self.recipient, &key).await.expect("looked")
    }

    /// What was due was taken.
    async fn is_told(&mut self, upto: i64) {
        self.records.set_told(&key(&self.notify), upto).await.expect("written");
        self.recipient.pending.is_told(&mut self.recipient.spent, self.clock.steady());
    }

    /// A round for the recipient alone.
    async fn round(&mut self) {
        let house = house_of(HOME, &[]);
        _ = self.notices.tell(&house, &self.notify, &mut self.recipient).await;
    }

    /// Somebody's device asks for a name that is refused, and it is on the disk.
    async fn looks_up(&self, person: &str, host: &str) {
        let (recorder, task) = Recorder::start(self.records.clone(), self.notices.in_force.clone());
        let current = self.notices.in_force.to_keep();
        let who = current.snapshot.house.person(person).expect("somebody");
        let host = Host::Name(Name::new(host).expect("a name"));
        let verdict = current.snapshot.judge(who, self.clock.now(), host, None, &current.standing);
        assert!(!verdict.allows(), "{verdict:?}");
        recorder.refused(&Refused {
            at: self.clock.now(),
            current: &current,
            who,
            device: None,
            identified: Identified::Mac,
            stranger: None,
            host,
            verdict,
            evidence: Evidence::Lookup,
            detected: None,
        });
        recorder.stop();
        task.await.expect("it stopped");
    }

    async fn due(&self, house: &House) -> Vec<String> {
        let mut subjects = Vec::new();
        for due in self.notices.all_due(house, &self.notify, &key(&self.notify)).await.expect("read") {
            subjects.push(format!("{}\n{}", due.message.subject, due.message.text));
            for (key, upto) in due.told {
                self.records.set_told(&key, upto).await.expect("written");
            }
        }
        subjects
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_urgent_is_told_behind_a_thousand_that_wait() {
    let mut play = Play::new("2026-11-22T23:00:00Z", notify(&["ask", "report"])).await;
    assert_eq!(play.look().await, Waits::Nothing, "whoever is new is told of what happens from now on");
    play.records.ask("jordan", "chat.example", "").await.expect("asked");
    let by = By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate".into() };
    for n in 0..1500 {
        play.records.staff_action(by.clone(), "looked", &n.to_string()).await.expect("written");
    }
    assert_eq!(play.look().await, Waits::Later, "an ask waits for the morning");
    play.records.report("jordan", young(), "a mean message", None).await.expect("told");
    let waits = play.look().await;
    let Waits::Now(message) = waits else { panic!("a report does not: {waits:?}") };
    assert!(message.subject.contains("a young person told"), "{message:?}");
    play.is_told(message.upto).await;
    assert_eq!(play.look().await, Waits::Nothing, "and each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_episode_that_becomes_grave_is_told_then() {
    let mut play = Play::new(NOON, notify(&["high"])).await;
    play.look().await;
    let mut known = Known::default();
    let rose = async |known: &mut Known, entry, says| {
        let rose = play.notices.rose(&logged(entry, says), known).await.expect("read");
        rose.into_iter().map(|opened| opened.severity).collect::<Vec<_>>()
    };
    assert_eq!(rose(&mut known, 5, breach(Severity::Low, "jordan")).await, []);
    assert_eq!(rose(&mut known, 6, grew(5, Severity::Low)).await, [], "more of the same");
    assert_eq!(rose(&mut known, 7, grew(5, Severity::High)).await, [Severity::High]);
    assert_eq!(rose(&mut known, 8, grew(5, Severity::High)).await, [], "once");
    assert_eq!(rose(&mut known, 9, grew(3, Severity::High)).await, [], "whose beginning is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_episodes_that_grow_at_once_keep_nobody_waiting() {
    let play = Play::new(NOON, notify(&["high"])).await;
    let by = By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate".into() };
    for n in 0..3000 {
        play.records.staff_action(by.clone(), "looked", &n.to_string()).await.expect("written");
    }
    let one = |entry| Grown {
        entry,
        count: 10,
        last: noon(),
        evidence: Evidence::Navigation,
        severity: Severity::High,
    };
    let all = Entry::BreachesGrew(BreachesGrew { episodes: (1..=3000).map(one).collect() });
    let mut known = Known::default();
    play.notices.rose(&logged(9000, all), &mut known).await.expect("read");
    assert!(!known.may_look_back(), "and no more are looked for in this round");
    known.begin_round();
    assert!(known.may_look_back());
}

const JO: &str = "person: Jo\ndevices: [{name: phone, ip: 192.0.2.7}]\nonline: {every_day: 09:00-21:00}\n\
                  agreed:\n  risk_assessment: {ref: RA-1, on: 2026-10-28}\n  review_by: 2026-11-29\n  \
                  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-02}\n";
const SIGNED: &str = "  home_manager: {name: R. Osei, on: 2026-11-02}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_and_a_review_that_is_due_are_told_once() {
    let play = Play::new(NOON, notify(&["draft", "review_due"])).await;
    let draft = house_of(HOME, &[("jo", JO)]);
    let whole = house_of(HOME, &[("jo", &format!("{JO}{SIGNED}"))]);
    let due = play.due(&draft).await;
    assert_eq!(due.len(), 2, "{due:?}");
    assert!(
        due[0].starts_with("Oakview House: an agreement is a draft\n- An agreement is a draft"),
        "{due:?}"
    );
    assert!(due[1].starts_with("Oakview House: an agreement is to be looked at again\n"), "{due:?}");
    assert!(!due.concat().contains("Jo"), "{due:?}");
    assert_eq!(play.due(&draft).await, [""; 0], "once");
    assert_eq!(play.due(&whole).await, [""; 0]);
    assert_eq!(play.due(&draft).await.len(), 1, "it became one again");
    // Overdue, in the night: it waits for the morning, and is told each day.
    play.clock.advance(Duration::from_secs((10 * 24 + 11) * 3600));
    assert_eq!(play.due(&whole).await, [""; 0], "quiet");
    play.clock.advance(Duration::from_secs(9 * 3600));
    assert!(play.due(&whole).await[0].contains("Overdue: 1."));
    assert_eq!(play.due(&whole).await, [""; 0]);
    play.clock.set("2026-12-25T12:00:00Z".parse().expect("an instant"));
    play.clock.look();
    assert_eq!(play.due(&whole).await, [""; 0], "nobody knows what day it is");
}

/// A restriction that is lawful: an emergency of a whole day, or one of a month with consent.
fn restriction(now: Instant, emergency: bool) -> RestrictionDraft {
    let today = now.date_naive();
    RestrictionDraft {
        people: vec!["jordan".into()],
        what: Some(agreements::What::Everything),
        reason: "a stranger asked to meet".into(),
        tried: "talked".into(),
        from: now,
        until: Some(now + if emergency { TimeDelta::hours(24) } else { TimeDelta::days(30) }),
        review_on: Some(today + TimeDelta::days(i64::from(!emergency))),
        consent: (!emergency).then(|| ("A. Mensah".to_owned(), today)),
        emergency,
        told_on: Some(today),
        view: "fair enough".into(),
        ..RestrictionDraft::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_waits_is_told_of_before_and_after_its_day_and_through_the_night() {
    let play = Play::new("2026-11-22T05:00:00Z", notify(&["authority_due"])).await;
    let house = house_of(HOME, &[]);
    let by = || By { role: ByRole::Staff, id: "r.osei".into(), name: "R. Osei".into() };
    let draft = restriction(play.clock.now(), true);
    let placed = play.records.restrict(draft, &house.home().protected, by()).await.expect("placed");
    let hours = |n: u64| Duration::from_secs(n * 3600);
    // It is quiet from 22:00 to 07:00, and the law's hours run on.
    for (name, after, said) in [
        ("at_once", hours(0), None),
        ("nineteen", hours(19), None),
        ("twenty", hours(1), Some("in less than four")),
        ("once", hours(1), None),
        ("twenty_four", hours(3), Some("The 24 hours are over: tell them now.")),
        ("once_too", hours(1), None),
        ("the_next_day", hours(24), None),
    ] {
        play.clock.advance(after);
        let due = play.due(&house).await;
        assert_eq!(due.len(), usize::from(said.is_some()), "{name}: {due:?}");
        assert!(
            said.is_none_or(|said| due[0].contains(said) && !due[0].contains("jordan")),
            "{name}: {due:?}"
        );
    }
    // A gateway that was off all the time tells it once; what the authority knows is told to nobody.
    let draft = restriction(play.clock.now(), true);
    let again = play.records.restrict(draft, &house.home().protected, by()).await.expect("placed");
    play.records.authority_told(placed, by(), "A. Mensah").await.expect("written");
    play.clock.advance(hours(30));
    assert_eq!(play.due(&house).await.len(), 1);
    assert_eq!(play.due(&house).await, [""; 0]);
    play.records.authority_told(again, by(), "A. Mensah").await.expect("written");
    play.clock.advance(hours(30));
    assert_eq!(play.due(&house).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_whose_review_is_due_is_told_each_day_until_it_is_done() {
    let play = Play::new(NOON, notify(&["review_due"])).await;
    let house = house_of(HOME, &[]);
    let by = || By { role: ByRole::Staff, id: "r.osei".into(), name: "R. Osei".into() };
    let draft = restriction(play.clock.now(), false);
    let placed = play.records.restrict(draft, &house.home().protected, by()).await.expect("placed");
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(play.due(&house).await, [""; 0], "a day early");
    for n in 1..=2 {
        play.clock.advance(day);
        let due = play.due(&house).await;
        assert_eq!(due.len(), 1, "day {n}: {due:?}");
        assert!(
            due[0].contains("The review of a restriction is due.") && !due[0].contains("jordan"),
            "{due:?}"
        );
        assert_eq!(play.due(&house).await, [""; 0], "once on day {n}");
    }
    let next = Some(play.clock.now().date_naive() + TimeDelta::days(7));
    play.records.restriction_reviewed(placed, by(), ("still", "ok", next)).await.expect("reviewed");
    play.clock.advance(day);
    assert_eq!(play.due(&house).await, [""; 0], "it was done");
    play.clock.advance(day * 6);
    assert_eq!(play.due(&house).await.len(), 1, "and is due again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shift_that_nobody_signs_reminds_and_then_tells_the_manager() {
    let home = format!("{HOME}shifts: [07:30, 14:30, 21:30]\n");
    let house = house_of(&home, &[]);
    let mut play = Play::new(NOON, notify(&["review"])).await;
    let by = |id: &str| By { role: ByRole::Staff, id: id.into(), name: id.into() };
    play.records.staff_action(by("k.lane"), "began", "").await.expect("written");
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let (staff, manager) = (notify(&["review"]), notify(&["review_late"]));
    // Handovers are at 14:30, 21:30 and 07:30; it is quiet from 22:00 to 07:00. What is due for whom, and how it begins.
    let (reminds, tells) = ("Oakview House: a shift is not signed", "Oakview House: a shift stays unsigned");
    for (name, after, notify, said) in [
        ("early", minutes(4 * 60), &staff, ""),
        ("two_hours_after", minutes(31), &staff, reminds),
        ("once", minutes(10), &staff, ""),
        ("not_the_manager_yet", minutes(0), &manager, ""),
        ("the_next_shift_is_over", minutes(5 * 60), &manager, tells),
        ("the_manager_once", minutes(1), &manager, ""),
        ("two_hours_after_in_the_night", minutes(2 * 60), &staff, ""),
        ("in_the_morning", minutes(7 * 60 + 30), &staff, reminds),
    ] {
        play.clock.advance(after);
        play.notify = notify.clone();
        let due = play.due(&house).await;
        assert_eq!(due.len(), usize::from(!said.is_empty()), "{name}: {due:?}");
        assert!(due.first().is_none_or(|due| due.starts_with(said)), "{name}: {due:?}");
    }
    // One pair of signatures for everything ends it for both.
    play.clock.advance(minutes(3 * 60));
    let now = play.clock.now();
    let span = play.records.to_review(&house, now).await.expect("read");
    let seen = play.records.tally(span.from, span.to).await.expect("read");
    for (side, id) in [(Side::Outgoing, "k.lane"), (Side::Incoming, "m.ali")] {
        play.records.sign_shift(span, Some(side), by(id), "", seen).await.expect("signed");
    }
    for notify in [&staff, &manager] {
        play.notify = notify.clone();
        assert_eq!(play.due(&house).await, [""; 0], "{:?}", notify.when);
    }
}

const STUDY: &str = "person: Study laptop\nfor: device\nprofile: education_session\ndevices: [{name: study, ip: 192.0.2.15}]\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_education_laptop_outside_its_sessions_is_told_at_its_first_question() {
    // In the night, too.
    let mut play = Play::of("2026-11-22T23:00:00Z", notify(&["high"]), &[("study", STUDY)]).await;
    assert_eq!(play.look().await, Waits::Nothing, "whoever is new is told of what happens from now on");
    play.looks_up("study", "else.example").await;
    let waits = play.look().await;
    let Waits::Now(message) = waits else { panic!("it waits: {waits:?}") };
    assert_eq!(message.subject, "Oakview House: an episode of high severity");
    // Whatever its programs ask for then is the same.
    for host in ["time.example", "updates.example"] {
        play.looks_up("study", host).await;
    }
    let told = play.records.episodes(&Which::default()).await.expect("episodes");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0].site.as_str(), told[0].count), ("outside a session", 3));
}
