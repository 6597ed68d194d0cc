//! What an entry of the journal says: one type for each kind.
//!
//! An entry's text is canonical JSON: keys in order, no white space, whole numbers only, times in UTC to the
//! millisecond. The words below are what exports and inspectors read; they are stable.

mod breaches;
mod decided;
mod gateway;
mod together;

pub use breaches::*;
pub use decided::*;
pub use gateway::*;
pub use together::*;

use agreements::Source;
use chrono::{DateTime, SubsecRound, Utc};
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
    ReportOpened(ReportOpened) = "report_opened", true, "Somebody opened a report that was told for somebody else.";
    ReportHeard(ReportHeard) = "report_heard", true, "Somebody heard a young person's report.";
    Review(Review) = "review", false, "A shift's log was signed.";
    Grant(Granted) = "grant", true, "A grant by staff.";
    GrantRevoked(Ended) = "grant_revoked", true, "A grant was revoked.";
    Restriction(Restricted) = "restriction", false, "A restriction was imposed.";
    RestrictionEnded(Ended) = "restriction_ended", false, "A restriction was ended.";
    AuthorityTold(AuthorityTold) = "authority_told", false, "The placing authority was told of an emergency.";
    RestrictionReviewed(RestrictionReviewed) = "restriction_reviewed", false, "A restriction was reviewed.";
    Ask(Asked) = "ask", true, "A young person asked.";
    AskAnswered(Answered) = "ask_answered", true, "Staff answered.";
    Device(Booked) = "device", true, "A device was booked out or in, is lost, or was inspected.";
    StaffAction(StaffAction) = "staff_action", false, "Something else that staff did.";
    AgreementRead(AgreementRead) = "agreement_read", false, "Somebody of staff read an agreement.";
    WrongList(WrongList) = "wrong_list", true, "Somebody found a list to be wrong about a site.";
    WrongListAnswered(WrongListAnswered) = "wrong_list_answered", true, "Whoever looks after the lists answered.";
    SignInFailed(SignInFailed) = "sign_in_failed", true, "Somebody could not sign in at the desk.";
    ShowAsked(ShowAsked) = "show_asked", true, "Staff asked to be shown what somebody is doing.";
    ShowAnswered(ShowAnswered) = "show_answered", true, "What became of that.";
    Incident(Incident) = "incident", true, "Staff wrote down what no gateway sees.";
    Shed(Shed) = "shed", false, "Refusals were dropped.";
    Clock(ClockChanged) = "clock", false, "The clock became another state.";
    Files(FilesChanged) = "files", false, "The home's files changed.";
    ListMissing(ListMissing) = "list_missing", false, "A list that the floor relies on has no copy.";
    MonitoringBegan(MonitoringBegan) = "monitoring_began", false, "Monitoring beyond breaches began.";
    MonitoringEnded(MonitoringEnded) = "monitoring_ended", false, "Monitoring beyond breaches ended.";
    BackedUp(BackedUp) = "backed_up", false, "The records were copied, and the copy fits.";
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
    use agreements::{Evidence, Severity};

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
