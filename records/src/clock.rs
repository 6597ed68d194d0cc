//! The one place that time is read. Everything else is handed a [`Clock`].

// clippy.toml forbids reading the wall clock in this room, and this is the place that may.
#![allow(clippy::disallowed_methods)]

use chrono::{DateTime, TimeDelta, Utc};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The wall clock may drift this far from the steady one between two looks before it is a jump.
pub const JUMP: Duration = Duration::from_secs(120);
/// After a jump the two must agree for this long before the wall clock is believed again.
pub const CALM: Duration = Duration::from_secs(120);

/// Whether the wall clock can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Time since some start that never jumps. It goes on while the machine sleeps.
    fn steady(&self) -> Duration;
    /// Whether the wall clock can be believed, as of the last [`Clock::look`].
    fn state(&self) -> ClockState;
    /// Compares the two clocks. The recorder's task looks several times a second.
    fn look(&self) -> ClockState {
        self.state()
    }
}

/// When this program was built (or `SOURCE_DATE_EPOCH`, where a reproducible build set it).
pub fn built_at() -> DateTime<Utc> {
    let seconds = env!("HEARTHGATE_BUILT_AT").parse().unwrap_or(0);
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// Judges the wall clock by the steady one.
#[derive(Debug)]
struct Watch {
    built: DateTime<Utc>,
    last: (DateTime<Utc>, Duration),
    /// When it last jumped, by the steady clock.
    jumped: Option<Duration>,
}

impl Watch {
    fn new(built: DateTime<Utc>, wall: DateTime<Utc>, steady: Duration) -> Self {
        Self { built, last: (wall, steady), jumped: None }
    }

    /// `confirmed`: somebody who knows says that the wall clock is right (the kernel's time service).
    fn look(&mut self, wall: DateTime<Utc>, steady: Duration, confirmed: impl Fn() -> bool) -> ClockState {
        let (last_wall, last_steady) = std::mem::replace(&mut self.last, (wall, steady));
        if wall < self.built {
            self.jumped = None;
            return ClockState::NotYet;
        }
        // From "not yet" to right is the clock being set, not a jump.
        let set = last_wall < self.built;
        if !set && drift((last_wall, last_steady), (wall, steady)).abs() > seconds(JUMP) {
            self.jumped = Some(steady);
        }
        match self.jumped {
            Some(since) if steady.saturating_sub(since) < CALM && !confirmed() => ClockState::Jumped,
            Some(_) | None => {
                self.jumped = None;
                ClockState::Right
            }
        }
    }
}

fn seconds(of: Duration) -> TimeDelta {
    TimeDelta::from_std(of).unwrap_or(TimeDelta::MAX)
}

/// How much more the wall clock moved than the steady one, between two looks.
pub(crate) fn drift(from: (DateTime<Utc>, Duration), to: (DateTime<Utc>, Duration)) -> TimeDelta {
    (to.0 - from.0) - seconds(to.1.saturating_sub(from.1))
}

fn pack(state: ClockState) -> u8 {
    match state {
        ClockState::Right => 0,
        ClockState::NotYet => 1,
        ClockState::Jumped => 2,
    }
}

fn unpack(state: u8) -> ClockState {
    match state {
        0 => ClockState::Right,
        1 => ClockState::NotYet,
        _ => ClockState::Jumped,
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    watch: Mutex<Watch>,
    state: AtomicU8,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl SystemClock {
    /// Looks at the machine's clocks for the first time.
    pub fn new() -> Self {
        let mut watch = Watch::new(built_at(), Utc::now(), boot_time());
        let state = watch.look(Utc::now(), boot_time(), || false);
        Self { watch: Mutex::new(watch), state: AtomicU8::new(pack(state)) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn steady(&self) -> Duration {
        boot_time()
    }

    fn state(&self) -> ClockState {
        unpack(self.state.load(Ordering::Relaxed))
    }

    fn look(&self) -> ClockState {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let state = watch.look(Utc::now(), boot_time(), synchronised);
        self.state.store(pack(state), Ordering::Relaxed);
        state
    }
}

/// Time since the machine started, sleep included: a night's sleep is then no jump.
fn boot_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let whole = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default());
    whole + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// systemd-timesyncd touches this file whenever it has set the clock by a server (systemd-timesyncd.service(8)).
/// Touched within the last minutes of the new time, it says that the jump was the clock being put right.
fn synchronised() -> bool {
    let touched =
        std::fs::metadata(Path::new("/run/systemd/timesync/synchronized")).and_then(|m| m.modified());
    let Ok(touched) = touched else { return false };
    SystemTime::now().duration_since(touched).is_ok_and(|age| age < CALM)
}

/// A clock that stands still until it is moved: for the tests of every room.
///
/// ```
/// use records::{Clock, ClockState, SetClock};
/// use std::time::Duration;
///
/// let clock = SetClock::at("2026-11-22T21:29:00Z".parse().expect("a time"));
/// clock.advance(Duration::from_secs(60)); // Both clocks move: time passes.
/// clock.set("2026-11-23T21:30:00Z".parse().expect("a time")); // Only the wall clock moves: it jumps.
/// assert_eq!(clock.look(), ClockState::Jumped);
/// ```
#[derive(Debug)]
pub struct SetClock {
    inner: Mutex<Set>,
}

#[derive(Debug)]
struct Set {
    wall: DateTime<Utc>,
    steady: Duration,
    watch: Watch,
    state: ClockState,
}

impl SetClock {
    /// Stands at this instant, and is right.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self::built(now, DateTime::UNIX_EPOCH)
    }

    /// Stands at this instant, in a program that was built at `built`.
    pub fn built(now: DateTime<Utc>, built: DateTime<Utc>) -> Self {
        let steady = Duration::from_secs(1000);
        let mut watch = Watch::new(built, now, steady);
        let state = watch.look(now, steady, || false);
        Self { inner: Mutex::new(Set { wall: now, steady, watch, state }) }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Set> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time passes: both clocks move.
    pub fn advance(&self, by: Duration) {
        let mut set = self.inner();
        set.wall += seconds(by);
        set.steady += by;
    }

    /// The wall clock is put elsewhere; the steady one stays.
    pub fn set(&self, now: DateTime<Utc>) {
        self.inner().wall = now;
    }

    /// The wall clock jumps, and that is seen at once: the state is then the same whoever looks next.
    pub fn jump(&self, to: DateTime<Utc>) -> ClockState {
        self.set(to);
        self.look()
    }

    /// So much time passes calmly that a jump is believed.
    pub fn settle(&self) -> ClockState {
        self.look();
        self.advance(CALM);
        self.look()
    }
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        self.inner().wall
    }

    fn steady(&self) -> Duration {
        self.inner().steady
    }

    fn state(&self) -> ClockState {
        self.inner().state
    }

    fn look(&self) -> ClockState {
        let mut set = self.inner();
        let (wall, steady) = (set.wall, set.steady);
        set.state = set.watch.look(wall, steady, || false);
        set.state
    }
}

#[cfg(test)]
mod tests {
    use super::ClockState::{Jumped, NotYet, Right};
    use super::*;

    /// What happens, and the state after it.
    enum Step {
        Passes(u64),
        Put(&'static str),
    }
    use Step::{Passes, Put};

    #[test]
    fn states() {
        let cases: &[(&str, &[(Step, ClockState)])] = &[
            ("time_passes", &[(Passes(1), Right), (Passes(86_400), Right)]),
            ("two_minutes_off_is_no_jump", &[(Put("2026-11-22T10:02:00Z"), Right)]),
            ("more_is", &[(Put("2026-11-22T10:02:01Z"), Jumped)]),
            ("backwards_too", &[(Put("2026-11-22T09:57:59Z"), Jumped)]),
            (
                "believed_again_after_two_calm_minutes",
                &[(Put("2026-11-23T10:00:00Z"), Jumped), (Passes(119), Jumped), (Passes(1), Right)],
            ),
            (
                "another_jump_starts_the_calm_anew",
                &[
                    (Put("2026-11-23T10:00:00Z"), Jumped),
                    (Passes(100), Jumped),
                    (Put("2026-11-22T10:01:40Z"), Jumped),
                    (Passes(119), Jumped),
                    (Passes(1), Right),
                ],
            ),
            ("no_battery", &[(Put("1970-01-01T00:00:10Z"), NotYet), (Passes(600), NotYet)]),
            (
                "being_set_is_no_jump",
                &[(Put("1970-01-01T00:00:10Z"), NotYet), (Put("2026-11-22T12:00:00Z"), Right)],
            ),
        ];
        for (name, steps) in cases {
            let clock = SetClock::built(
                "2026-11-22T10:00:00Z".parse().unwrap(),
                "2026-11-01T00:00:00Z".parse().unwrap(),
            );
            assert_eq!(clock.state(), Right, "{name}");
            for (i, (step, state)) in steps.iter().enumerate() {
                match step {
                    Passes(s) => clock.advance(Duration::from_secs(*s)),
                    Put(at) => clock.set(at.parse().unwrap()),
                }
                assert_eq!(clock.look(), *state, "{name}, step {i}");
            }
        }
    }

    #[test]
    fn the_machines_clock_is_past_the_build() {
        let clock = SystemClock::new();
        assert!(built_at() > "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(clock.look(), Right);
        assert!(clock.steady() <= clock.steady());
    }
}
