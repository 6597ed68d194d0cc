//! Why something that staff or a young person wanted was not done.

use crate::staff::{LONGEST_GRANT, MOST_ASKS, MOST_WORDS};
use crate::store::StoreError;
use agreements::lawful::Unlawful;
use std::fmt;

#[cfg(doc)]
use crate::entry::Entry;
#[cfg(doc)]
use crate::staff::MOST_REPORTS;

/// Why something was not done. Nothing was written.
#[derive(Debug)]
pub enum NotDone {
    /// It needs a reason.
    NoReason,
    /// The text is longer than [`MOST_WORDS`].
    TooLong,
    /// It would end before it begins, or has ended already.
    OverAlready,
    /// This side of the handover has signed already, or the same person signed the other side.
    SignedAlready,
    /// The shift has other episodes than whoever signs had before them.
    NotSeen,
    /// A grant would last longer than [`LONGEST_GRANT`].
    LastsTooLong,
    /// There is no such entry.
    NoEntry(i64),
    /// The entry is of another kind than what was to be done needs.
    OtherKind {
        /// The entry.
        entry: i64,
        /// Its kind, as [`Entry::kind`] has it.
        is: String,
        /// The kind that is needed.
        wanted: &'static str,
    },
    /// It is no longer open.
    NotOpen(i64),
    /// It was told for somebody by name, and whoever would hear it is neither they nor a manager.
    NotTheirs,
    /// The young person has made [`MOST_REPORTS`] reports within the hour.
    TooManyReports,
    /// The young person has [`MOST_ASKS`] asks open.
    TooManyAsks,
    /// The host is no host.
    NoHost,
    /// The host is a public suffix (`co.uk`): strangers' sites end so, and opening it would open none.
    NoSite(String),
    /// The law forbids it, or something is missing for it to be lawful.
    Unlawful(Vec<Unlawful>),
    /// The records are broken: it could not be kept.
    Broken,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReason => f.write_str("it needs a reason"),
            Self::TooLong => write!(f, "the text is longer than {MOST_WORDS} bytes"),
            Self::OverAlready => f.write_str("it would be over before it begins"),
            Self::SignedAlready => f.write_str(
                "this side of the handover has signed already, or the same person signed the other side",
            ),
            Self::NotSeen => f.write_str(
                "the shift has other episodes than when it was read: read it again, and sign it then",
            ),
            Self::LastsTooLong => write!(
                f,
                "a grant lasts {} hours at most, and this would last longer",
                LONGEST_GRANT.num_hours()
            ),
            Self::NoEntry(entry) => write!(f, "there is no entry {entry}"),
            Self::OtherKind { entry, is, wanted } => {
                write!(f, "entry {entry} is {}, not {}", kind_words(is), kind_words(wanted))
            }
            Self::NotOpen(entry) => write!(f, "entry {entry} is not open"),
            Self::NotTheirs => {
                f.write_str("it was told for somebody by name: they or a manager say that it was heard")
            }
            Self::TooManyReports => {
                f.write_str("many reports were made within the hour: tell a member of staff")
            }
            Self::TooManyAsks => write!(f, "{MOST_ASKS} asks are waiting for an answer already"),
            Self::NoHost => f.write_str("this is no host name"),
            Self::NoSite(ending) => {
                write!(
                    f,
                    "many different sites end in `{ending}`: ask for the one you want, with its whole name"
                )
            }
            Self::Unlawful(found) => {
                f.write_str("it would not be lawful:")?;
                found.iter().try_for_each(|u| write!(f, " {} ({})", u.sentence, u.regulation))
            }
            Self::Broken => f.write_str(
                "the home's records are broken, so nothing can be kept: tell whoever looks after the gateway",
            ),
            Self::Store(e) => e.fmt(f),
        }
    }
}

/// An entry's kind as people say it.
fn kind_words(kind: &str) -> String {
    match kind {
        "breach_opened" => "an episode".to_owned(),
        "mark" => "a mark".to_owned(),
        "concern" => "a concern".to_owned(),
        "breach_ended" => "the end of an episode".to_owned(),
        "grant_revoked" => "the end of a grant".to_owned(),
        "restriction_ended" => "the end of a restriction".to_owned(),
        "restriction_reviewed" => "the review of a restriction".to_owned(),
        "ask" => "an ask".to_owned(),
        "ask_answered" => "the answer to an ask".to_owned(),
        "report_opened" => "that a report was opened".to_owned(),
        "report_heard" => "that a report was heard".to_owned(),
        "grant" | "restriction" | "note" | "report" | "review" => format!("a {kind}"),
        other => format!("a record of another kind ({})", other.replace('_', " ")),
    }
}

impl std::error::Error for NotDone {}

impl From<StoreError> for NotDone {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}
