//! What was refused, what staff did.
//!
//! This room keeps the journal: breach episodes, notes, reviews, grants, restrictions, asks, and what the gateway did,
//! each entry's hash holding the one before. It keeps minutes too, and decides nothing.
//!
//! - [`Records`] is the room's door: a store (SQLite or PostgreSQL), open to append and to read.
//! - [`Recorder`] is where the packet path drops a [`Refused`]; it never waits. One task folds refusals into episodes
//!   ([`WINDOW`]) and commits what changed every [`COMMIT_EVERY`].
//! - [`InForce`] is the atomic pointer to what the packet path decides by; [`Records::standing`] builds its second half
//!   from what staff granted and what has been used, and [`Records::changes`] tells when to build it anew.
//! - [`shift`] tells shifts apart, [`Records::episodes`] reads a shift's breaches, [`export`] writes them out.
//! - [`Current::in_use`] and [`Current::looked_up`] are where minutes are marked. [`monitoring`] is the exception that keeps more
//!   than breaches of somebody, as their agreement says; [`Records::monitored`] reads it.
//! - [`Clock`] is the one place where time is read. [`SetClock`] is the tests'.
//!
//! ```no_run
//! # async fn gateway(home: &std::path::Path, snapshot: std::sync::Arc<agreements::Snapshot>) -> Result<(), Box<dyn std::error::Error>> {
//! use records::{InForce, Recorder, Records, SystemClock};
//! use std::sync::Arc;
//!
//! let store = agreements::Store::Sqlite("/var/lib/hearthgate/home.db".into());
//! let records = Arc::new(Records::open(&store, home, Arc::new(SystemClock::new())).await?);
//! let standing = records.standing(&snapshot.house).await?;
//! let in_force = Arc::new(InForce::new(snapshot, Arc::new(standing)));
//! let (recorder, task) = Recorder::start(records.clone(), in_force.clone());
//! // … the proxy has `recorder` and `in_force`; this loop keeps the standing up to date:
//! let mut changes = records.changes();
//! while !recorder.is_stopped() {
//!     changes.changed().await;
//!     let current = in_force.to_keep();
//!     let standing = records.standing(&current.snapshot.house).await?;
//!     in_force.replace_standing_of(&current.snapshot, Arc::new(standing));
//! }
//! task.await?;
//! # Ok(()) }
//! ```
//!
//! What is never written down: allowed traffic (but for minutes by site of who is monitored so), support sites, the host of a sealed list, any path, any part of a host
//! below its registrable domain. Names of people and hosts never reach the log.

mod accounts;
mod backup;
mod breaches;
mod clock;
mod commit;
mod counts;
mod devices;
mod entry;
mod episode;
mod evidences;
pub mod export;
mod given;
mod in_force;
mod journal;
mod keep;
mod live;
pub mod minutes;
pub mod monitoring;
mod not_done;
mod notices;
mod readers;
mod recorded;
mod recorder;
mod recover;
mod refusal;
mod refused;
mod reports;
mod restrictions;
mod review;
mod room;
pub mod shift;
mod spell;
mod staff;
mod store;
mod together;
mod usage;
mod wrong_lists;

pub use accounts::{Link, MOST_SESSIONS, Session};
pub use breaches::{Episode, Episodes, Logged, MOST_EPISODES, Order, Sort, Which};
pub use clock::{CALM, Clock, ClockState, JUMP, SetClock, SystemClock, built_at};
pub use counts::{Counted, Kind, Tally};
pub use devices::Whereabouts;
pub use entry::*;
pub use episode::{OF_MANY, WINDOW};
pub use given::Given;
pub use in_force::{Current, InForce};
pub use journal::{Head, LaterPurge, Misfit, Verified};
pub use not_done::NotDone;
pub use readers::LastRead;
pub use recorded::Recorded;
pub use recorder::{COMMIT_EVERY, QUEUE, Recorder, URGENT_QUEUE};
pub use refused::{Face, Identified, Refused};
pub use reports::{FEW_REPORTS, Hearer, Reported};
pub use restrictions::{Looked, Placed};
pub use review::{Raised, is_signed, together};
pub use room::{Changes, News, Records, Status};
pub use staff::{
    Answer, Ask, GRACE, LONGEST_GRANT, MARKING_REPORTS, MOST_ASKS, MOST_REPORTS, MOST_UNKNOWN_REPORTS,
    MOST_WORDS, NewGrant,
};
pub use store::{OpenError, Purpose, StoreError};
pub use together::{Show, WrittenDown};
pub use usage::{Chart, DayTotal};
pub use wrong_lists::FoundWrong;

#[cfg(test)]
mod plan_tests;
