//! What a message says, and when it is due.

use super::Instant;
use agreements::{House, Notify, Severity};
use chrono::TimeDelta;
use records::{Entry, Logged};
use ring::digest::{SHA256, digest};

/// What is small waits this long for more of its kind.
const FOLD: TimeDelta = TimeDelta::minutes(10);

/// What is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) subject: String,
    pub(crate) text: String,
    /// The same for a message that is sent twice, so that whoever gets it can tell.
    pub(crate) id: String,
    /// The last entry that it speaks of.
    pub(crate) upto: i64,
}

/// What waits for somebody.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Nothing is new.
    Nothing,
    /// What is new, up to this entry, is nothing that they want told.
    Nobody(i64),
    /// Something, and not yet.
    Later,
    /// Something, now.
    Now(Message),
}

/// How much it hurries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Haste {
    /// It is folded with what comes within ten minutes.
    Folds,
    /// It is told at once, unless it is quiet.
    Soon,
    /// It is told at any time.
    Always,
}

/// One thing to tell: what it is called, one and many.
struct Told {
    one: &'static str,
    many: &'static str,
    haste: Haste,
}

impl Message {
    /// A message of some lines. It names nobody and no site.
    pub(crate) fn of(house: &House, what: &str, lines: &[String], upto: i64) -> Self {
        let home = &house.home().name;
        let body: String = lines.iter().map(|line| format!("- {line}\n")).collect();
        let text = format!(
            "{body}\nLook at the desk. No names and no sites stand here, since others may read this.\n"
        );
        let hash = digest(&SHA256, format!("{home}\n{upto}\n{text}").as_bytes());
        let id = hash.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self { subject: format!("{home}: {what}"), text, id, upto }
    }
}

/// Looks through what is new, and folds what somebody wants told.
pub(crate) fn gather(house: &House, notify: &Notify, entries: &[Logged], now: Instant) -> Waits {
    let Some(last) = entries.last() else { return Waits::Nothing };
    let mut counted: Vec<(Told, usize)> = Vec::new();
    let mut oldest = now;
    for logged in entries {
        let Some(told) = logged.says.as_ref().and_then(|says| told(says, &notify.when)) else { continue };
        oldest = logged.at.parse::<Instant>().unwrap_or(now).min(oldest);
        match counted.iter_mut().find(|(known, _)| known.one == told.one) {
            Some((_, count)) => *count += 1,
            None => counted.push((told, 1)),
        }
    }
    let Some(haste) = counted.iter().map(|(told, _)| told.haste).max() else {
        return Waits::Nobody(last.entry);
    };
    let due = match haste {
        Haste::Always => true,
        Haste::Soon => !is_quiet(house, notify, now),
        Haste::Folds => now - oldest >= FOLD && !is_quiet(house, notify, now),
    };
    if !due {
        return Waits::Later;
    }
    counted.sort_by_key(|(told, _)| std::cmp::Reverse(told.haste));
    let lines: Vec<String> = counted
        .iter()
        .map(|(told, count)| if *count == 1 { told.one.to_owned() } else { format!("{count} {}", told.many) })
        .collect();
    Waits::Now(Message::of(house, &lines.join(", "), &lines, last.entry))
}

/// Whether it is quiet for somebody now, by the home's clock.
pub(crate) fn is_quiet(house: &House, notify: &Notify, now: Instant) -> bool {
    let Some((from, to)) = notify.quiet else { return false };
    let time = now.with_timezone(&house.home().timezone).time();
    if from < to { (from..to).contains(&time) } else { time >= from || time < to }
}

/// What an entry is to somebody who wants these things told; none where it is nothing of the kind.
fn told(says: &Entry, when: &[String]) -> Option<Told> {
    let wants = |word: &str| when.iter().any(|wanted| wanted == word);
    let told = |one, many, haste| Some(Told { one, many, haste });
    match says {
        Entry::BreachOpened(opened) => {
            let word = |value: serde_json::Value| value.as_str().is_some_and(wants);
            let wanted = word(serde_json::json!(opened.severity))
                || word(serde_json::json!(opened.rule))
                || opened.categories.iter().any(|category| wants(category))
                || opened.circumvention && wants("circumvention")
                || opened.person == "nobody" && wants("unknown_device");
            if !wanted {
                return None;
            }
            match opened.severity {
                Severity::Critical => told("a critical episode", "critical episodes", Haste::Always),
                Severity::High => {
                    told("an episode of high severity", "episodes of high severity", Haste::Always)
                }
                Severity::Medium => {
                    told("an episode of medium severity", "episodes of medium severity", Haste::Folds)
                }
                Severity::Low | Severity::Technical => {
                    told("a small episode", "small episodes", Haste::Folds)
                }
            }
        }
        Entry::Report(_) if wants("report") => told(
            "a young person told that they saw something",
            "times a young person told that they saw something",
            Haste::Always,
        ),
        Entry::Ask(_) if wants("ask") => {
            told("an ask waits for an answer", "asks wait for an answer", Haste::Soon)
        }
        Entry::Files(files) if wants("file_waiting") && !files.waiting.is_empty() => {
            told("a file of the home waits to be put right", "times a file of the home waits", Haste::Soon)
        }
        Entry::ListMissing(_) if wants("list_failed") => {
            told("a list has no copy", "lists have no copy", Haste::Soon)
        }
        Entry::Clock(_) if wants("clock") => {
            told("the gateway’s clock changed", "times the gateway’s clock changed", Haste::Soon)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::{Evidence, Outcome, Rule};
    use chrono::NaiveTime;
    use records::{Asked, BreachOpened, By, ByRole, Identified, Report};

    const NOON: &str = "2026-11-22T12:00:00Z";

    fn house() -> House {
        let text = "home: Oakview House\ntimezone: Europe/London\neveryone: {block: [circumvention]}\n";
        let files = [("home.yaml".to_owned(), text.to_owned())];
        agreements::read(&files, "2026-11-22".parse().expect("a date")).house
    }

    fn notify(when: &[&str]) -> Notify {
        let quiet = Some((
            NaiveTime::from_hms_opt(22, 0, 0).expect("a time"),
            NaiveTime::from_hms_opt(7, 0, 0).expect("a time"),
        ));
        Notify {
            when: when.iter().map(|w| (*w).to_owned()).collect(),
            to: "https://x.example/".into(),
            quiet,
        }
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
            first: NOON.parse().expect("an instant"),
            sentence: "Jordan's agreement keeps betting sites closed.".into(),
            source: None,
        })
    }

    fn logged(entry: i64, says: Entry) -> Logged {
        Logged { entry, at: NOON.into(), kind: says.kind().into(), says: Some(says) }
    }

    fn ask() -> Entry {
        Entry::Ask(Asked { person: "jordan".into(), host: "chat.example".into(), words: "please".into() })
    }

    fn report() -> Entry {
        let by = By { role: ByRole::YoungPerson, id: "jordan".into(), name: "Jordan".into() };
        Entry::Report(Report { person: "jordan".into(), by, words: "a mean message".into(), entries: vec![] })
    }

    #[test]
    fn what_is_told_when() {
        for (name, when, says, after, subject) in [
            (
                "high_at_once",
                &["high"][..],
                breach(Severity::High, "jordan"),
                0,
                Some("an episode of high severity"),
            ),
            ("another_severity", &["high"], breach(Severity::Medium, "jordan"), 60, None),
            ("a_category_folds", &["gambling"], breach(Severity::Medium, "jordan"), 5, Some("")),
            (
                "and_is_told",
                &["gambling"],
                breach(Severity::Medium, "jordan"),
                11,
                Some("an episode of medium severity"),
            ),
            ("a_rule", &["category"], breach(Severity::Low, "jordan"), 11, Some("a small episode")),
            ("a_stranger", &["unknown_device"], breach(Severity::Low, "nobody"), 11, Some("a small episode")),
            ("an_ask", &["ask"], ask(), 0, Some("an ask waits for an answer")),
            ("an_ask_in_the_night_waits", &["ask"], ask(), 11 * 60, Some("")),
            (
                "a_report_in_the_night",
                &["report"],
                report(),
                11 * 60,
                Some("a young person told that they saw something"),
            ),
            (
                "high_in_the_night",
                &["high"],
                breach(Severity::High, "jordan"),
                11 * 60,
                Some("an episode of high severity"),
            ),
        ] {
            let now = NOON.parse::<Instant>().expect("an instant") + TimeDelta::minutes(after);
            let waits = gather(&house(), &notify(when), &[logged(7, says)], now);
            match (subject, waits) {
                (None, Waits::Nobody(7)) | (Some(""), Waits::Later) => {}
                (Some(subject), Waits::Now(message)) if !subject.is_empty() => {
                    assert_eq!(message.subject, format!("Oakview House: {subject}"), "{name}");
                    assert_eq!(message.upto, 7, "{name}");
                }
                (_, other) => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!(
            gather(&house(), &notify(&["high"]), &[], NOON.parse().expect("an instant")),
            Waits::Nothing
        );
    }

    #[test]
    fn many_are_one_message_that_names_nobody() {
        let entries: Vec<Logged> = (1..=5)
            .map(|n| logged(n, breach(Severity::High, "jordan")))
            .chain([logged(6, breach(Severity::Medium, "jordan")), logged(7, ask())])
            .collect();
        let now = NOON.parse().expect("an instant");
        let Waits::Now(message) = gather(&house(), &notify(&["high", "medium", "ask"]), &entries, now) else {
            panic!("it is due")
        };
        assert_eq!(
            message.subject,
            "Oakview House: 5 episodes of high severity, an ask waits for an answer, an episode of medium severity"
        );
        for secret in ["Jordan", "jordan", "casino", "chat.example", "please", "betting"] {
            assert!(
                !message.text.contains(secret) && !message.subject.contains(secret),
                "{secret}: {message:?}"
            );
        }
        let Waits::Now(again) = gather(&house(), &notify(&["high", "medium", "ask"]), &entries, now) else {
            panic!("it is due")
        };
        assert_eq!(message.id, again.id, "who gets it twice can tell");
    }
}
