//! The one place that time is read. Everything else is handed a [`Clock`].

use chrono::{DateTime, Utc};
use std::time::Duration;

/// Whether the wall clock can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// It can.
    Right,
    /// It is before this program was built: the machine has no battery and no time yet. The baseline applies.
    NotYet,
    /// It jumped against the steady clock and has not been confirmed since. The baseline applies.
    Jumped,
}

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> DateTime<Utc>;
    /// Time since some start that never jumps.
    fn steady(&self) -> Duration;
    /// Whether the wall clock can be believed.
    fn state(&self) -> ClockState;
}
