//! What the gateway says of itself.

use super::By;
use crate::clock::ClockState;
use crate::journal::Misfit;
use agreements::Severity;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Refusals that were dropped because the queue was full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shed {
    /// How many.
    pub count: u64,
    /// From when.
    pub from: DateTime<Utc>,
    /// To when.
    pub to: DateTime<Utc>,
}

/// The clock became another state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChanged {
    /// Whether it can be believed.
    pub state: ClockState,
    /// By how many seconds it jumped against the steady clock; 0 where it did not.
    pub by_seconds: i64,
}

/// A file of the home and its SHA-256. Never its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    /// The path inside the home's folder.
    pub file: String,
    /// SHA-256 in hex, or empty where the file is gone.
    pub sha256: String,
}

/// The gateway found that its records do not fit: somebody or something changed them behind its back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MisfitFound {
    /// The entry that does not fit, or that a list says other things of.
    pub entry: i64,
    /// What is wrong there.
    pub misfit: Misfit,
    /// How much it tells staff.
    pub severity: Severity,
}

/// The home's files changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesChanged {
    /// The files that came into force.
    pub in_force: Vec<FileHash>,
    /// The files that wait, because something is wrong with them.
    pub waiting: Vec<FileHash>,
}

/// A list that the floor relies on, or a sealed one, has no copy at all: what it alone names is open. Never its address,
/// which may hold a licence key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMissing {
    /// The file that names the list.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// The categories that it was to fill.
    pub categories: Vec<String>,
    /// Whether it is a sealed list.
    pub sealed: bool,
}

/// The gateway started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The program's version.
    pub version: String,
}

/// The gateway stopped as it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {}

/// What was old enough was purged. The chain keeps the hashes of what is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Older than this.
    pub before: DateTime<Utc>,
    /// How many entries lost their text.
    pub count: u64,
    /// Which: runs of entries, both ends included.
    pub entries: Vec<(i64, i64)>,
}

/// Monitoring beyond breaches began, as the agreement says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitoringBegan {
    /// The person's id.
    pub person: String,
    /// How much is recorded: `categories` or `sites`.
    pub level: String,
    /// Why.
    pub reason: String,
    /// From when.
    pub from: DateTime<Utc>,
    /// The last day, in the home's zone.
    pub until: NaiveDate,
    /// Who authorised it.
    pub authorised_by: String,
    /// When the young person was told.
    pub told_on: NaiveDate,
}

/// Monitoring beyond breaches ended. Where its terms changed, another begins with the next entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitoringEnded {
    /// The entry that began it.
    pub entry: i64,
    /// The person's id.
    pub person: String,
    /// Why.
    pub reason: String,
}

/// The records were copied, and the copy was read whole and fits (seed 001 §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// Who made the copy: an account of staff, or the machine's user.
    pub by: By,
    /// How many entries the copy has.
    pub entries: i64,
    /// The last one's hash.
    pub hash: String,
    /// The SHA-256 of the copy, in hex.
    pub sha256: String,
}
