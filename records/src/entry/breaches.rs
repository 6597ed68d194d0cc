//! What the breach log says: episodes, and what people made of them.

use super::{By, Line};
use crate::refused::Identified;
use agreements::{Evidence, Outcome, Rule, Severity};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A breach episode began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreachOpened {
    /// The person's id; `nobody` for an unknown device.
    pub person: String,
    /// The name that people see.
    pub name: String,
    /// The device's name in the agreement, if it has one.
    pub device: Option<String>,
    /// How the gateway knew.
    pub identified: Identified,
    /// The rule that spoke.
    pub rule: Rule,
    /// What happened to the request.
    pub outcome: Outcome,
    /// The service, the site of the rule, the registrable domain or the address; `sealed` for a sealed list.
    pub site: String,
    /// The site's categories.
    pub categories: Vec<String>,
    /// How much it told staff when it was written down.
    pub severity: Severity,
    /// What had been seen by then.
    pub evidence: Evidence,
    /// Whether it was a way around the gateway.
    pub circumvention: bool,
    /// When.
    pub first: DateTime<Utc>,
    /// The verdict in one sentence.
    pub sentence: String,
    /// The line that says so; none for what is built in or sealed.
    pub source: Option<Line>,
    /// Which way around the gateway it was, by its key; none where it was none, or of a kind that nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// Whether it was a member of staff's agreement when it began: what such a device did is not for everybody to read, also
    /// once the agreement is gone. None for an unknown device, and where an earlier program wrote the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_staff: Option<bool>,
}

/// A breach episode is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreachEnded {
    /// The entry that opened it.
    pub entry: i64,
    /// How many refusals.
    pub count: u64,
    /// When the last one was.
    pub last: DateTime<Utc>,
    /// The strongest evidence.
    pub evidence: Evidence,
    /// The highest severity that any of it had.
    pub severity: Severity,
    /// For an episode of other sites: how many sites, as far as they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<u64>,
    /// Whether a gateway was cut short while it went on, so that this is what the journal proves: it may have been more
    /// often, and longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut_short: bool,
}

/// Breach episodes that go on have come so far: written when one of them tells staff more than the journal says (evidence,
/// severity, ten times the count), and of all when the gateway stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreachesGrew {
    /// How far each has come.
    pub episodes: Vec<Grown>,
}

/// How far an episode that goes on has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// The entry that opened it.
    pub entry: i64,
    /// How many refusals so far.
    pub count: u64,
    /// When the last one was.
    pub last: DateTime<Utc>,
    /// The strongest evidence so far.
    pub evidence: Evidence,
    /// The highest severity so far.
    pub severity: Severity,
}

/// A note on an entry. It changes nothing that it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The entry.
    pub entry: i64,
    /// Who wrote it.
    pub by: By,
    /// The words.
    pub words: String,
}

/// "I saw something": a report by a young person (seed 003 §4.7f, seed 004 §9.2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The person's id.
    pub person: String,
    /// Who reported. Where nobody knows the device, its id is what tells the device apart.
    pub by: By,
    /// The words, if any.
    pub words: String,
    /// The episodes that it marks as reported.
    pub entries: Vec<i64>,
    /// The id of the member of staff with whom they would like to talk, if they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adult: Option<String>,
}

impl Report {
    /// Who told it, as reports are counted: somebody by id, or one device that nobody knows.
    pub(crate) fn teller(&self) -> String {
        match self.device() {
            // Earlier programs did not tell such devices apart.
            Some("nobody") | None => self.person.clone(),
            Some(device) => format!("nobody {device}"),
        }
    }

    /// What tells the device apart, where nobody knows it.
    pub(crate) fn device(&self) -> Option<&str> {
        (self.person == "nobody").then_some(self.by.id.as_str())
    }
}

/// Somebody opened the words of a report that was told for somebody else, because it could not wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOpened {
    /// The report.
    pub entry: i64,
    /// Who opened it.
    pub by: By,
}

/// Somebody heard a young person's report, and says what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportHeard {
    /// The report.
    pub entry: i64,
    /// Who heard it.
    pub by: By,
    /// What was done.
    pub words: String,
}

/// What staff made of an episode, once they knew more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// They spoke with the young person.
    SpokeWithThem,
    /// It was none: an advert, an app, a wrong list.
    FalseAlarm,
    /// The young person told of it by themselves.
    TheirReport,
}

/// Staff marked an episode. It changes nothing that it speaks of, and a later mark takes no earlier one away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marked {
    /// The episode.
    pub entry: i64,
    /// Who marked it.
    pub by: By,
    /// As what.
    pub mark: Mark,
    /// What they say of it; may be empty.
    pub words: String,
}

/// A safeguarding concern: it goes the home's own way, and stays open until somebody says to whom it went (seed 003 §4.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// The episode, the incident, or the young person's report, that it came from.
    pub entry: i64,
    /// The person's id.
    pub person: String,
    /// Who raised it.
    pub by: By,
    /// What it is about.
    pub words: String,
}

/// A safeguarding concern went its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConcernClosed {
    /// The concern.
    pub entry: i64,
    /// Who closed it.
    pub by: By,
    /// The person who has it now, by name.
    pub with: String,
    /// What was agreed.
    pub words: String,
}

/// Which side of a handover signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Whoever worked the shift.
    Outgoing,
    /// Whoever takes over.
    Incoming,
}

/// A shift's breach log was read and signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Which side of the handover; none where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The shift's start.
    pub from: DateTime<Utc>,
    /// The shift's end.
    pub to: DateTime<Utc>,
    /// Who signed.
    pub by: By,
    /// How many breaches the shift had.
    pub breaches: u64,
    /// How many episodes it had, with those that a young person told of: they had all of them before them.
    #[serde(default)]
    pub episodes: u64,
    /// The number of the newest of them: what came later they have not signed.
    #[serde(default)]
    pub newest: i64,
    /// What they wrote.
    pub words: String,
}
