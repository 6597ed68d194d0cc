//! Minutes really used: one bit a minute a key a person.
//!
//! The packet path marks a [`Sheet`]; every few seconds the marks are harvested into the ledger of the home's day. A
//! minute is a minute of the steady clock: a wall clock that jumps neither adds one nor gives one back.

mod sheet;

pub use sheet::Sheet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

use crate::clock::{ClockState, JUMP, drift};

/// How a minute is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Traffic passed.
    Counted,
    /// Only a name was looked up.
    Estimated,
}

/// The minutes of a home's day, as bits from the day's start: 25 hours, for the day that clocks go back.
pub(crate) const MAP_BYTES: usize = 188;

/// One person's minutes of one key in one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) counted: u16,
    pub(crate) estimated: u16,
    pub(crate) map: [u8; MAP_BYTES],
    /// The minute of the steady clock that was last added, and how it is known. None after a restart.
    running: Option<(u64, Known)>,
    dirty: bool,
}

impl Default for Tally {
    fn default() -> Self {
        Self { counted: 0, estimated: 0, map: [0; MAP_BYTES], running: None, dirty: false }
    }
}

impl Tally {
    /// From the store.
    pub(crate) fn stored(counted: i64, estimated: i64, bits: &[u8]) -> Self {
        let mut map = [0; MAP_BYTES];
        map.iter_mut().zip(bits).for_each(|(to, from)| *to = *from);
        let minutes = |n: i64| u16::try_from(n.max(0)).unwrap_or(u16::MAX);
        Self { counted: minutes(counted), estimated: minutes(estimated), map, ..Self::default() }
    }

    fn total(&self) -> u16 {
        self.counted.saturating_add(self.estimated)
    }

    /// Adds the running minute, if it is not in yet. Whether the total grew.
    fn add(&mut self, known: Known, minute: u64, of_day: u16) -> bool {
        match (self.running, known) {
            (Some((running, Known::Estimated)), Known::Counted) if running == minute => {
                // The lookup came first, then its traffic: the same minute, now really counted.
                self.estimated = self.estimated.saturating_sub(1);
                self.counted = self.counted.saturating_add(1);
                self.running = Some((minute, known));
                self.dirty = true;
                false
            }
            (Some((running, _)), _) if running == minute => false,
            (None, _) if self.has(of_day) => {
                // The minute in which the gateway restarted was counted before it did.
                self.running = Some((minute, Known::Counted));
                false
            }
            (Some(_) | None, _) => {
                match known {
                    Known::Counted => self.counted = self.counted.saturating_add(1),
                    Known::Estimated => self.estimated = self.estimated.saturating_add(1),
                }
                self.set(of_day);
                self.running = Some((minute, known));
                self.dirty = true;
                true
            }
        }
    }

    fn has(&self, of_day: u16) -> bool {
        self.map.get(usize::from(of_day / 8)).is_some_and(|byte| byte & (1 << (of_day % 8)) != 0)
    }

    fn set(&mut self, of_day: u16) {
        if let Some(byte) = self.map.get_mut(usize::from(of_day / 8)) {
            *byte |= 1 << (of_day % 8);
        }
    }

    /// Takes over what was used in a day that the clock jumped away from, so that the jump gives nothing back.
    pub(crate) fn carry(&mut self, from: &Self) {
        if from.total() > self.total() {
            (self.counted, self.estimated) = (from.counted, from.estimated);
        }
        self.map.iter_mut().zip(&from.map).for_each(|(to, from)| *to |= from);
        self.dirty = true;
    }
}

/// A person's id and a key's word.
pub(crate) type Of = (String, String);

/// What both clocks say at a harvest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) wall: DateTime<Utc>,
    pub(crate) steady: Duration,
    pub(crate) state: ClockState,
}

/// The ledger must turn to another day; the store's lines of that day are wanted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) to: NaiveDate,
    /// Whether what was used goes along: the day changed because the clock jumped, and a jump gives nothing back.
    pub(crate) carry: bool,
}

/// A line for the store.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) day: NaiveDate,
    pub(crate) of: Of,
    pub(crate) tally: Tally,
}

/// The running day's minutes, in memory.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    day: Option<NaiveDate>,
    rows: HashMap<Of, Tally>,
    last: Option<Look>,
    /// A jump was seen since the clock was last right on this day.
    jumped: bool,
    /// Lines of days that are over and not yet in the store.
    leaving: Vec<Kept>,
}

impl Ledger {
    /// Looks at the clocks: whether another day has begun. `day` is the home's day by the wall clock.
    pub(crate) fn turn(&mut self, look: Look, day: NaiveDate) -> Option<Turn> {
        let last = self.last.replace(look);
        if let Some(last) = last {
            let moved = drift((last.wall, last.steady), (look.wall, look.steady)).abs();
            // From "not yet" to right is the clock being set: yesterday's minutes stay yesterday's.
            let set = last.state == ClockState::NotYet;
            self.jumped |= !set && moved > chrono::TimeDelta::from_std(JUMP).unwrap_or_default();
        }
        let turn = match self.day {
            None => Some(Turn { to: day, carry: false }),
            Some(today) if look.state != ClockState::Right || today == day => None,
            Some(today) => Some(Turn { to: day, carry: day < today || self.jumped }),
        };
        if look.state == ClockState::Right {
            self.jumped = false;
        }
        turn
    }

    /// Turns to a day, with what the store has of it.
    pub(crate) fn enter(&mut self, turn: Turn, stored: HashMap<Of, Tally>) {
        let old = std::mem::replace(&mut self.rows, stored);
        if let Some(day) = self.day.replace(turn.to) {
            for (of, from) in old {
                let to = self.rows.entry(of.clone()).or_default();
                if turn.carry {
                    to.carry(&from);
                }
                to.running = from.running;
                // A day that the clock jumped back from will be forgotten: what was used in it has come along.
                if from.dirty && turn.to > day {
                    self.leaving.push(Kept { day, of, tally: from });
                }
            }
        }
    }

    /// Adds a mark to the running minute. `of_day` counts minutes from the day's start. Whether the total grew.
    pub(crate) fn add(
        &mut self,
        person: &str,
        word: &str,
        known: Known,
        steady: Duration,
        of_day: u16,
    ) -> bool {
        let tally = self.rows.entry((person.to_owned(), word.to_owned())).or_default();
        tally.add(known, steady.as_secs() / 60, of_day)
    }

    /// The minutes that a person has used of a key today, however known.
    pub(crate) fn used(&self, person: &str, word: &str) -> u16 {
        self.rows.get(&(person.to_owned(), word.to_owned())).map_or(0, Tally::total)
    }

    /// What a person has used of a key today: counted, estimated.
    pub(crate) fn split(&self, person: &str, word: &str) -> (u16, u16) {
        self.rows.get(&(person.to_owned(), word.to_owned())).map_or((0, 0), |t| (t.counted, t.estimated))
    }

    /// Whether a minute of the day stands in a person's minutes already.
    pub(crate) fn has(&self, person: &str, word: &str, of_day: u16) -> bool {
        self.rows.get(&(person.to_owned(), word.to_owned())).is_some_and(|tally| tally.has(of_day))
    }

    /// The day that is being counted.
    pub(crate) fn day(&self) -> Option<NaiveDate> {
        self.day
    }

    /// Whether there is anything that the store does not have yet.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.leaving.is_empty() || self.rows.values().any(|tally| tally.dirty)
    }

    /// Takes what the store does not have yet.
    pub(crate) fn take_dirty(&mut self) -> Vec<Kept> {
        let mut kept = std::mem::take(&mut self.leaving);
        if let Some(day) = self.day {
            for (of, tally) in self.rows.iter_mut().filter(|(_, t)| t.dirty) {
                tally.dirty = false;
                kept.push(Kept { day, of: of.clone(), tally: tally.clone() });
            }
        }
        kept
    }

    /// Gives back what could not be stored.
    pub(crate) fn give_back(&mut self, kept: Vec<Kept>) {
        for line in kept {
            match self.rows.get_mut(&line.of) {
                Some(tally) if self.day == Some(line.day) => tally.dirty = true,
                Some(_) | None => self.leaving.push(line),
            }
        }
    }
}

/// What a person has used of one key in the running day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// The key's word: `everything`, a category, a service, a site.
    pub key: String,
    /// Minutes in which traffic passed.
    pub counted: u16,
    /// Minutes in which only names were looked up: an estimate.
    pub estimated: u16,
    /// The limit of the day; none without one.
    pub limit: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::Known::{Counted, Estimated};
    use super::*;

    /// A ledger on a home whose days start at midnight, with a clock.
    struct Play {
        ledger: Ledger,
        stored: HashMap<(NaiveDate, Of), Tally>,
        look: Look,
    }

    impl Play {
        fn at(wall: &str) -> Self {
            let look = Look {
                wall: wall.parse().unwrap(),
                steady: Duration::from_secs(6000),
                state: ClockState::Right,
            };
            let mut play = Self { ledger: Ledger::default(), stored: HashMap::new(), look };
            play.tick();
            play
        }

        fn tick(&mut self) {
            // As `Records::turn`.
            let last = self.stored.keys().map(|(day, _)| *day).max();
            let day = match self.look.state {
                ClockState::NotYet if self.ledger.day().is_none() => last.unwrap_or_default(),
                ClockState::Right | ClockState::NotYet | ClockState::Jumped => self.look.wall.date_naive(),
            };
            if let Some(turn) = self.ledger.turn(self.look, day) {
                let rows = self.stored.iter().filter(|((d, _), _)| *d == turn.to);
                let rows = rows.map(|((_, of), t)| (of.clone(), t.clone())).collect();
                self.ledger.enter(turn, rows);
            }
            for kept in self.ledger.take_dirty() {
                let t = kept.tally;
                let t = Tally::stored(t.counted.into(), t.estimated.into(), &t.map);
                self.stored.insert((kept.day, kept.of), t);
            }
        }

        fn passes(&mut self, seconds: u64) {
            self.look.steady += Duration::from_secs(seconds);
            self.look.wall += chrono::TimeDelta::seconds(seconds as i64);
            self.tick();
        }

        fn jumps(&mut self, to: &str, state: ClockState) {
            self.look.wall = to.parse().unwrap();
            self.look.state = state;
            self.tick();
        }

        fn uses(&mut self, known: Known) -> bool {
            let minute = self.look.wall.signed_duration_since(
                self.look.wall.date_naive().and_time(chrono::NaiveTime::MIN).and_utc(),
            );
            self.ledger.add("jordan", "games", known, self.look.steady, minute.num_minutes() as u16)
        }

        fn uses_for(&mut self, minutes: u64) {
            for _ in 0..minutes {
                self.uses(Counted);
                self.passes(60);
            }
        }

        fn split(&self) -> (u16, u16) {
            self.ledger.split("jordan", "games")
        }

        fn restarts(&mut self) {
            self.ledger = Ledger::default();
            self.tick();
        }
    }

    #[test]
    fn a_minute_counts_once() {
        let mut play = Play::at("2026-11-22T10:00:00Z");
        assert!(play.uses(Counted));
        play.passes(30);
        assert!(!play.uses(Counted));
        assert!(!play.uses(Estimated));
        play.passes(30);
        assert!(play.uses(Counted));
        assert_eq!(play.split(), (2, 0));
    }

    #[test]
    fn an_estimated_minute_becomes_a_counted_one() {
        let mut play = Play::at("2026-11-22T10:00:00Z");
        assert!(play.uses(Estimated));
        assert_eq!(play.split(), (0, 1));
        assert!(!play.uses(Counted), "the total stays");
        assert_eq!(play.split(), (1, 0));
    }

    #[test]
    fn minutes_survive_a_restart_and_the_running_one_is_not_counted_twice() {
        let mut play = Play::at("2026-11-22T10:00:00Z");
        play.uses_for(5);
        play.uses(Counted);
        play.tick();
        play.restarts();
        assert_eq!(play.split(), (6, 0));
        assert!(!play.uses(Counted));
        play.passes(60);
        assert!(play.uses(Counted));
        assert_eq!(play.split(), (7, 0));
    }

    #[test]
    fn a_new_day_starts_at_nothing() {
        let mut play = Play::at("2026-11-22T23:58:00Z");
        play.uses_for(2);
        assert_eq!(play.split(), (0, 0));
        assert!(play.uses(Counted));
        assert_eq!(play.stored.len(), 1, "the new day's line is not stored yet");
    }

    #[test]
    fn a_jump_never_gives_minutes_back() {
        let cases: &[(&str, &[(&str, ClockState)])] = &[
            (
                "back_within_the_day",
                &[("2026-11-22T08:00:00Z", ClockState::Jumped), ("2026-11-22T08:03:00Z", ClockState::Right)],
            ),
            (
                "back_to_yesterday",
                &[("2026-11-21T10:00:00Z", ClockState::Jumped), ("2026-11-21T10:03:00Z", ClockState::Right)],
            ),
            (
                "on_to_tomorrow",
                &[("2026-11-23T10:00:00Z", ClockState::Jumped), ("2026-11-23T10:03:00Z", ClockState::Right)],
            ),
            ("on_to_tomorrow_confirmed_at_once", &[("2026-11-23T10:00:00Z", ClockState::Right)]),
            (
                "there_and_back_again",
                &[("2030-01-01T10:00:00Z", ClockState::Right), ("2026-11-22T10:30:00Z", ClockState::Right)],
            ),
            (
                "battery_gone",
                &[("1970-01-01T00:00:00Z", ClockState::NotYet), ("2026-11-22T10:31:00Z", ClockState::Right)],
            ),
        ];
        for (name, jumps) in cases {
            let mut play = Play::at("2026-11-22T10:00:00Z");
            play.uses_for(30);
            for (to, state) in *jumps {
                play.jumps(to, *state);
                assert!(play.ledger.used("jordan", "games") >= 30, "{name}: {to}");
            }
            play.passes(60);
            assert!(play.uses(Counted), "{name}: and they go on");
        }
    }

    #[test]
    fn a_clock_that_is_set_after_a_night_without_power_starts_a_new_day() {
        let mut play = Play::at("2026-11-22T10:00:00Z");
        play.uses_for(30);
        play.look.wall = "1970-01-01T00:00:00Z".parse().unwrap();
        play.look.state = ClockState::NotYet;
        play.restarts();
        assert_eq!(play.split(), (30, 0), "until the clock is set it is the last day that there was");
        play.jumps("2026-11-23T10:00:00Z", ClockState::Right);
        assert_eq!(play.split(), (0, 0));
    }
}
