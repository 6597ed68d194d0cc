//! Time for the commands, and the clock that `run --pretend-now` starts elsewhere.
//!
//! Nothing else in this room reads the wall clock.

use chrono::{DateTime, Datelike, Duration, Utc};
use records::{Clock, ClockState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The wall clock, for a command that runs once.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// A clock that runs beside another at a distance: for trying the gateway out, and for tests.
pub(crate) struct Pretend {
    beneath: Arc<dyn Clock>,
    ahead: Duration,
    /// The seconds by which it was moved on since.
    passed: AtomicU64,
}

impl Pretend {
    /// A clock that says `now` now.
    pub(crate) fn starting(beneath: Arc<dyn Clock>, now: DateTime<Utc>) -> Self {
        let ahead = now - beneath.now();
        Self { beneath, ahead, passed: AtomicU64::new(0) }
    }

    /// Lets so many seconds pass at once, by both clocks: it is no jump, as a night's sleep is none.
    pub(crate) fn pass(&self, seconds: u32) {
        self.passed.fetch_add(seconds.into(), Ordering::Relaxed);
    }

    fn passed(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.passed.load(Ordering::Relaxed))
    }
}

impl Clock for Pretend {
    fn now(&self) -> DateTime<Utc> {
        self.beneath.now() + self.ahead + self.passed()
    }

    fn steady(&self) -> std::time::Duration {
        self.beneath.steady() + self.passed()
    }

    /// As beneath, save that a time before this program existed is one that no clock can have: so a machine that starts
    /// without the time can be tried out.
    fn state(&self) -> ClockState {
        const FIRST_YEAR: i32 = 2026;
        if self.now().year() < FIRST_YEAR { ClockState::NotYet } else { self.beneath.state() }
    }
}

/// A clock's state in one word, as `status` has it.
pub(crate) const fn word(state: ClockState) -> &'static str {
    match state {
        ClockState::Right => "right",
        ClockState::NotYet => "not_yet",
        ClockState::Jumped => "jumped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stands;

    impl Clock for Stands {
        fn now(&self) -> DateTime<Utc> {
            "2026-01-01T00:00:00Z".parse().expect("a time")
        }
        fn steady(&self) -> std::time::Duration {
            std::time::Duration::from_secs(7)
        }
        fn state(&self) -> ClockState {
            ClockState::Right
        }
    }

    #[test]
    fn a_pretended_clock_keeps_its_distance() {
        let then = "2026-11-22T21:30:00Z".parse().expect("a time");
        let clock = Pretend::starting(Arc::new(Stands), then);
        assert_eq!(clock.now(), then);
        assert_eq!(clock.steady(), Stands.steady());
        assert_eq!(clock.state(), ClockState::Right);
        clock.pass(90);
        assert_eq!(clock.now(), then + Duration::seconds(90));
        assert_eq!(clock.steady(), Stands.steady() + std::time::Duration::from_secs(90), "no jump");
        let long_ago = Pretend::starting(Arc::new(Stands), "1970-01-01T00:00:05Z".parse().expect("a time"));
        assert_eq!(long_ago.state(), ClockState::NotYet);
    }
}
