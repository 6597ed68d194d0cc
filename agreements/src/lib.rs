//! May they, now?
//!
//! This room reads what a home's manager wrote (`(path, text)` pairs in), holds it as what it means, and decides. It
//! opens no sockets, reads no clock and no files.

mod calendar;
mod coverage;
mod detector;
mod diff;
mod explain;
mod gateway;
mod house;
pub mod lawful;
mod meant;
mod monitored;
mod network;
mod ports;
mod problem;
mod read;
mod request;
mod rule;
mod schedule;
mod source;
mod standing;
mod terms;
mod verdict;
mod week;
mod word;
mod yaml;

pub use calendar::bank_holidays;
pub use coverage::{Covered, Held, Running, coverage, is_made_up};
pub use detector::{DETECTORS, Detector, Row as DetectorRow, SeenBy};
pub use diff::{
    Diff, LimitChange, MinutesChange, PersonDiff, Presence, SettingChange, Which, WordChange, diff,
};
pub use explain::{Explanation, TraceStep};
pub use gateway::{
    BlockedAnswer, Certificate, Dnssec, Fail, Gateway, Listen, Mail, OWN_NAME, Router, Store, Upstream,
};
pub use house::{
    Device, House, PersonId, Snapshot,
    left::{Left, Soon},
    moment::Moment,
};
pub use meant::*;
pub use monitored::Monitored;
pub use network::{holds, network};
pub use ports::{PortRange, Ports, Transport};
pub use problem::{Level, Place, Problem};
pub use read::{Reading, did_you_mean, nearest, read};
pub use request::{Host, Request};
pub use source::{Source, SourceId};
pub use standing::{GrantKind, LiveGrant, LiveRestriction, Standing, Supervision, What};
pub use verdict::{Counts, Evidence, Outcome, Record, Rule, Severity, Subject, Verdict};
pub use week::{Segment, SegmentKind, Week, WeekDay, WeekLimit, duration};
pub use word::{NotAWord, Word};
