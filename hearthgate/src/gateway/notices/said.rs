//! What a message says, and when it is due.

use super::Instant;
use agreements::{House, Notify, Severity};
use records::{BreachOpened, ByRole, Entry};
use ring::digest::{SHA256, digest};

/// So many failed attempts from one place to sign in at the desk are told.
const GUESSING: u64 = 5;

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

/// How much it hurries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Haste {
    /// It is folded with what comes within ten minutes.
    Folds,
    /// It is told at once, unless it is quiet.
    Soon,
    /// It is told at any time.
    Always,
}

/// One thing to tell: what it is called, one and many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) haste: Haste,
}

impl Told {
    /// So many of it, in words.
    pub(super) fn line(&self, count: usize) -> String {
        if count == 1 { self.one.to_owned() } else { format!("{count} {}", self.many) }
    }
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

/// Whether it is quiet for somebody now, by the home's clock.
pub(crate) fn is_quiet(house: &House, notify: &Notify, now: Instant) -> bool {
    let Some((from, to)) = notify.quiet else { return false };
    let time = now.with_timezone(&house.home().timezone).time();
    if from < to { (from..to).contains(&time) } else { time >= from || time < to }
}

/// What an entry is to somebody who wants these things told; none where it is nothing of the kind.
pub(super) fn told(says: &Entry, when: &[String]) -> Option<Told> {
    let wants = |word: &str| when.iter().any(|wanted| wanted == word);
    let told = |one, many, haste| Some(Told { one, many, haste });
    match says {
        Entry::BreachOpened(opened) => of_breach(opened, wants),
        Entry::Report(report) if wants("report") && report.by.role == ByRole::YoungPerson => told(
            "a young person told that they saw something",
            "times a young person told that they saw something",
            Haste::Always,
        ),
        Entry::Report(_) if wants("report") => told(
            "a member of staff told that they saw something",
            "times a member of staff told that they saw something",
            Haste::Always,
        ),
        // Somebody by name has to have it before the gateway is content.
        Entry::Concern(_) if wants("concern") => {
            told("a safeguarding concern was raised", "safeguarding concerns were raised", Haste::Always)
        }
        Entry::Misfit(found) if wants(word_of(found.severity)) => told(
            "something in the records does not fit",
            "places in the records do not fit",
            haste_of(found.severity),
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
        // A few are somebody's fingers.
        Entry::SignInFailed(failed) if wants("sign_in_failed") && failed.count >= GUESSING => told(
            "somebody tries passwords at the desk",
            "times somebody tries passwords at the desk",
            Haste::Soon,
        ),
        Entry::Clock(_) if wants("clock") => {
            told("the gateway’s clock changed", "times the gateway’s clock changed", Haste::Soon)
        }
        _ => None,
    }
}

fn of_breach(opened: &BreachOpened, wants: impl Fn(&str) -> bool) -> Option<Told> {
    let word = |value: serde_json::Value| value.as_str().is_some_and(&wants);
    let wanted = wants(word_of(opened.severity))
        || word(serde_json::json!(opened.rule))
        || opened.categories.iter().any(|category| wants(category))
        || opened.circumvention && wants("circumvention")
        || opened.person == "nobody" && wants("unknown_device");
    let (one, many) = match opened.severity {
        Severity::Critical => ("a critical episode", "critical episodes"),
        Severity::High => ("an episode of high severity", "episodes of high severity"),
        Severity::Medium => ("an episode of medium severity", "episodes of medium severity"),
        Severity::Low | Severity::Technical => ("a small episode", "small episodes"),
    };
    wanted.then(|| Told { one, many, haste: haste_of(opened.severity) })
}

fn haste_of(severity: Severity) -> Haste {
    if severity >= Severity::High { Haste::Always } else { Haste::Folds }
}

/// A severity as `when` has it.
const fn word_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Technical => "technical",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}
