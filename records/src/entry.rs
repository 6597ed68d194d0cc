//! What an entry of the journal says: one type for each kind.
//!
//! An entry's text is canonical JSON: keys in order, no white space, whole numbers only, times in UTC to the
//! millisecond. The words below are what exports and inspectors read; they are stable.

use crate::clock::ClockState;
use crate::journal::Misfit;
use crate::refused::Identified;
use agreements::{Evidence, GrantKind, LimitKey, Outcome, Rule, Severity, Source, What, Word};
use blocklists::Domain;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An instant as entries keep it: to the millisecond.
pub(crate) fn stamp(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(3)
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// In which part.
    pub role: ByRole,
    /// The id: a staff account's, a young person's, the machine's user's.
    pub id: String,
    /// The name that people see.
    pub name: String,
}

/// In which part somebody did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByRole {
    /// A member of staff, signed in.
    Staff,
    /// The young person.
    YoungPerson,
    /// Somebody at the gateway's own command line.
    CommandLine,
    /// The gateway.
    Gateway,
}

/// A line of the home's files, as an entry keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// Its text.
    pub text: String,
}

impl From<&Source> for Line {
    fn from(s: &Source) -> Self {
        Self { file: s.file.clone(), line: s.line, text: s.text.clone() }
    }
}

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
    /// Who reported.
    pub by: By,
    /// The words, if any.
    pub words: String,
    /// The episodes that it marks as reported.
    pub entries: Vec<i64>,
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
    /// The episode that it came from.
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

/// One table for the kinds: the variant, its word, whether its text is purged when it is older than the home keeps it.
macro_rules! entries {
    ($($name:ident($type:ty) = $word:literal, $purged:literal, $doc:literal;)*) => {
        /// An entry of the journal.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Entry {
            $(#[doc = $doc] $name($type),)*
        }

        impl Entry {
            /// The word for its kind, as the journal and exports have it.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $word,)* }
            }

            /// Every kind's word, and whether its text is purged when it is older than the home keeps breaches.
            pub(crate) const KINDS: &'static [(&'static str, bool)] = &[$(($word, $purged)),*];
        }
    };
}

entries! {
    Started(Started) = "started", false, "The gateway started.";
    Stopped(Stopped) = "stopped", false, "The gateway stopped.";
    BreachOpened(BreachOpened) = "breach_opened", true, "A breach episode began.";
    BreachesGrew(BreachesGrew) = "breaches_grew", true, "Breach episodes that go on have come so far.";
    BreachEnded(BreachEnded) = "breach_ended", true, "A breach episode is over.";
    Note(Note) = "note", true, "A note on an entry.";
    Mark(Marked) = "mark", true, "Staff marked an episode.";
    Concern(Concern) = "concern", false, "A safeguarding concern was raised.";
    ConcernClosed(ConcernClosed) = "concern_closed", false, "A safeguarding concern went its way.";
    Report(Report) = "report", true, "A report by a young person.";
    Review(Review) = "review", false, "A shift's log was signed.";
    Grant(Granted) = "grant", true, "A grant by staff.";
    GrantRevoked(Ended) = "grant_revoked", true, "A grant was revoked.";
    Restriction(Restricted) = "restriction", false, "A restriction was imposed.";
    RestrictionEnded(Ended) = "restriction_ended", false, "A restriction was ended.";
    AuthorityTold(AuthorityTold) = "authority_told", false, "The placing authority was told of an emergency.";
    Ask(Asked) = "ask", true, "A young person asked.";
    AskAnswered(Answered) = "ask_answered", true, "Staff answered.";
    Device(Booked) = "device", true, "A device was booked out or in, is lost, or was inspected.";
    StaffAction(StaffAction) = "staff_action", false, "Something else that staff did.";
    SignInFailed(SignInFailed) = "sign_in_failed", true, "Somebody could not sign in at the desk.";
    Shed(Shed) = "shed", false, "Refusals were dropped.";
    Clock(ClockChanged) = "clock", false, "The clock became another state.";
    Files(FilesChanged) = "files", false, "The home's files changed.";
    ListMissing(ListMissing) = "list_missing", false, "A list that the floor relies on has no copy.";
    MonitoringBegan(MonitoringBegan) = "monitoring_began", false, "Monitoring beyond breaches began.";
    MonitoringEnded(MonitoringEnded) = "monitoring_ended", false, "Monitoring beyond breaches ended.";
    Misfit(MisfitFound) = "misfit", false, "The gateway found that its records do not fit.";
    Purged(Purged) = "purged", false, "Old texts were purged.";
}

impl Entry {
    /// Its text: canonical JSON.
    pub(crate) fn text(&self) -> String {
        // serde_json's map keeps its keys in order, which makes this canonical.
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => {
                map.into_iter().next().map(|(_, body)| body.to_string()).unwrap_or_default()
            }
            // Our own types always serialise to an object with one key.
            Ok(_) | Err(_) => String::new(),
        }
    }

    /// Reads an entry; none where the kind is unknown or the text is not what the kind says.
    pub(crate) fn read(kind: &str, text: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(text).ok()?;
        serde_json::from_value(Value::Object(Map::from_iter([(kind.to_owned(), body)]))).ok()
    }

    /// Whether texts of this kind go when they are older than the home keeps them.
    pub(crate) fn is_purgeable(kind: &str) -> bool {
        Self::KINDS.iter().any(|(word, purged)| *word == kind && *purged)
    }

    /// Whether a running gateway must build a new standing because of it.
    pub(crate) fn moves_standing(&self) -> bool {
        matches!(
            self,
            Self::Device(_)
                | Self::Grant(_)
                | Self::GrantRevoked(_)
                | Self::Restriction(_)
                | Self::RestrictionEnded(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_and_its_keys_stand_in_order() {
        let ended = Entry::BreachEnded(BreachEnded {
            entry: 7,
            count: 3,
            last: "2026-11-22T21:30:00.250Z".parse().unwrap(),
            evidence: Evidence::Navigation,
            severity: Severity::Medium,
            sites: None,
            cut_short: false,
        });
        let text = ended.text();
        assert_eq!(
            text,
            r#"{"count":3,"entry":7,"evidence":"navigation","last":"2026-11-22T21:30:00.250Z","severity":"medium"}"#
        );
        assert_eq!(Entry::read("breach_ended", &text), Some(ended));
        assert_eq!(Entry::read("of_tomorrow", &text), None);
        assert_eq!(Entry::read("breach_ended", "{"), None);
        assert_eq!(Entry::Stopped(Stopped {}).text(), "{}");
    }

    #[test]
    fn the_words_of_the_table_are_serdes_words() {
        let stopped = Entry::Stopped(Stopped {});
        assert_eq!(Entry::read(stopped.kind(), &stopped.text()), Some(stopped));
        for (word, _) in Entry::KINDS {
            let unknown =
                serde_json::from_str::<Entry>(&format!(r#"{{"{word}": 1}}"#)).unwrap_err().to_string();
            assert!(!unknown.contains("unknown variant"), "{unknown}");
        }
    }
}
