//! What staff decide and young people ask: grants, restrictions, asks, devices.

use super::By;
use agreements::{GrantKind, LimitKey, Supervision, What, Word};
use blocklists::Domain;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What became of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Booking {
    /// Its owner has it.
    Out,
    /// It was handed in.
    In,
    /// Nobody knows where it is.
    Lost,
    /// It was looked at together with its owner (seed 003 §6).
    Inspected,
}

/// A device was booked out or in, is lost, or was inspected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// The id of whose it is.
    pub person: String,
    /// What it is called.
    pub device: String,
    /// What became of it.
    pub booking: Booking,
    /// Who wrote it down.
    pub by: By,
    /// What they say of it; may be empty.
    pub words: String,
}

/// What kind of grant, in the words of the agreements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granting {
    /// Sites that are open; none means everything.
    Sites(Option<Vec<String>>),
    /// More time, for `everything` or one limit's word.
    ExtraTime(String),
    /// A supervised session, and the words that it opens besides.
    Supervised(Vec<String>),
    /// An education session for a young person (by id).
    Education(String),
}

/// A grant by staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Whom it is for (a person's or shared device's id).
    pub person: String,
    /// What it opens.
    pub opens: Granting,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Who granted it.
    pub by: By,
    /// Why.
    pub reason: String,
    /// The ask that it answers, if any.
    pub ask: Option<i64>,
    /// On which device it opens, beside whom; none where it opens on all of theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<Supervision>,
}

/// Something ended early: a grant was revoked, a restriction ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The entry that it ends.
    pub entry: i64,
    /// Who ended it.
    pub by: By,
    /// Why.
    pub reason: String,
}

/// The placing authority's consent to a restriction (Reg 22(3)(a)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who consented, for which authority.
    pub name: String,
    /// On which day.
    pub on: NaiveDate,
}

/// A restriction (Children's Homes (England) Regulations 2015, reg 22).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restricted {
    /// Whom it is for.
    pub person: String,
    /// What it closes; none means everything but what is protected.
    pub closes: Option<Vec<String>>,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Who imposed it.
    pub by: By,
    /// Why it is necessary to safeguard or promote the young person's welfare.
    pub reason: String,
    /// What was tried or considered that restricts less.
    pub tried: String,
    /// When it is reviewed.
    pub review_on: Option<NaiveDate>,
    /// The placing authority's consent; none in an emergency.
    pub consent: Option<Consent>,
    /// Whether it is an emergency, whose full details the authority gets within 24 hours.
    pub emergency: bool,
    /// When the young person was told.
    pub told_on: Option<NaiveDate>,
    /// What they said about it.
    pub view: String,
}

/// The placing authority got the full details of an emergency restriction (reg 22(3)(b)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityTold {
    /// The restriction.
    pub entry: i64,
    /// Who told them.
    pub by: By,
    /// Who there was told, and how.
    pub whom: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A restriction was reviewed and stays in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestrictionReviewed {
    /// The restriction.
    pub entry: i64,
    /// Who reviewed it.
    pub by: By,
    /// Why it is still necessary.
    pub reason: String,
    /// What the young person said about it.
    pub view: String,
    /// On which day it is reviewed again; none where it ends before.
    pub next: Option<NaiveDate>,
}

/// A young person asked for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The person's id.
    pub person: String,
    /// The host that they asked for; empty where they asked for more time.
    pub host: String,
    /// Their words.
    pub words: String,
}

impl Asked {
    /// What they asked for, in words.
    pub fn what(&self) -> &str {
        if self.host.is_empty() { "more time" } else { &self.host }
    }

    /// What a yes would open; none where the host is none.
    pub fn wanted(&self) -> Option<GrantKind> {
        if self.host.is_empty() {
            return Some(GrantKind::ExtraTime(LimitKey::Everything));
        }
        let site = Word::Site(Domain::parse(&self.host).ok()?);
        Some(GrantKind::Sites(What::Words(vec![site])))
    }
}

/// Staff answered an ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The ask.
    pub entry: i64,
    /// Who answered.
    pub by: By,
    /// The grant, if it was approved.
    pub grant: Option<i64>,
    /// Why.
    pub reason: String,
}

/// Something else that a member of staff did: who, what, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffAction {
    /// Who.
    pub by: By,
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Somebody of staff says that they have read somebody's agreement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementRead {
    /// Whose it is, by id.
    pub person: String,
    /// Which version.
    pub version: String,
    /// Who read it.
    pub by: By,
}

/// Somebody found that a list is wrong about a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongList {
    /// The site.
    pub host: String,
    /// Who found it.
    pub by: By,
    /// What is wrong about it.
    pub words: String,
}

/// Whoever looks after the lists answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongListAnswered {
    /// What is answered.
    pub entry: i64,
    /// Who answered.
    pub by: By,
    /// What was done.
    pub words: String,
}

/// Somebody could not sign in at the desk: a wrong password, a wrong code, or no such account. Many from one place are few
/// entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInFailed {
    /// The account's id; empty where there is no such account, since what was typed there may be a password.
    pub account: String,
    /// From which address.
    pub address: String,
    /// How often, so far.
    pub count: u64,
    /// Since when.
    pub since: DateTime<Utc>,
}
