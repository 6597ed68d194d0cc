//! Failed attempts to sign in: after some, a device and a person are locked for a while, and each time for longer.
//!
//! Whoever guesses at somebody's PIN locks them, and must not be able to do so on purpose: on a device where a person has shown
//! their PIN, only what is tried on that device bars them.

use records::Face;
use std::collections::HashMap;
use std::time::Duration;

/// Whose attempts are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// A device, whoever's PIN it tries.
    Device(Face),
    /// A person, from whatever device, and on every one that is new to them.
    Person(String),
}

impl Of {
    /// So many failures lock.
    const fn most(&self) -> u32 {
        match self {
            Self::Device(_) => 5,
            Self::Person(_) => 10,
        }
    }
}

/// The first lock; each further one is twice as long, up to [`LONGEST`].
const LOCKED: Duration = Duration::from_secs(15 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Failures so long ago are forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);
/// So many are remembered: when there are more, nobody new may try.
const MOST: usize = 1024;
/// Each answer to a wrong PIN comes later than the one before.
const SLOWER: Duration = Duration::from_millis(300);
/// So many devices are remembered on which one person has shown their PIN; the one on which that was longest ago makes room.
const MOST_OF_ONE: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    locks: u32,
    last: Duration,
    locked_until: Duration,
}

/// What is remembered of attempts, by the steady clock.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failures: HashMap<Of, Failures>,
    /// On which devices each person has shown their PIN.
    shown: HashMap<String, Vec<Face>>,
}

impl Attempts {
    /// For how long neither of these may try: a device, and a person where somebody has the name that was typed.
    pub(super) fn locked(&mut self, of: &[Of], now: Duration) -> Option<Duration> {
        self.failures.retain(|_, failures| failures.locked_until > now || failures.last + FORGOTTEN > now);
        let is_theirs = self.has_shown(of);
        let bars = |one: &&Of| !is_theirs || matches!(one, Of::Device(_));
        let left = of.iter().filter(bars).filter_map(|one| self.left(one, now)).max();
        let is_new = of.iter().any(|one| !self.failures.contains_key(one));
        let is_full = is_new && !is_theirs && self.failures.len() + of.len() > MOST;
        left.or(is_full.then_some(LOCKED))
    }

    /// For how long one of them is locked.
    fn left(&self, one: &Of, now: Duration) -> Option<Duration> {
        self.failures.get(one)?.locked_until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Whether the person has shown their PIN on the device.
    fn has_shown(&self, of: &[Of]) -> bool {
        let [Of::Device(face), Of::Person(person)] = of else { return false };
        self.shown.get(person).is_some_and(|devices| devices.contains(face))
    }

    /// One more failure of each: which of them are locked from now on, and how late the answer comes.
    pub(super) fn failed(&mut self, of: Vec<Of>, now: Duration) -> (Vec<(Of, Duration)>, Duration) {
        let (mut locked, mut late) = (Vec::new(), Duration::ZERO);
        for one in of {
            let failures = self.failures.entry(one.clone()).or_default();
            failures.last = now;
            failures.count += 1;
            late = late.max(SLOWER * failures.count);
            if failures.count >= one.most() {
                let lasts = (LOCKED * 2_u32.saturating_pow(failures.locks.min(16))).min(LONGEST);
                *failures =
                    Failures { count: 0, locks: failures.locks + 1, last: now, locked_until: now + lasts };
                locked.push((one, lasts));
            }
        }
        (locked, late)
    }

    /// A person has shown their PIN on a device.
    pub(super) fn shows(&mut self, face: Face, person: &str, now: Duration) {
        let of = Of::Person(person.to_owned());
        // What locks them elsewhere was somebody else's.
        if self.left(&of, now).is_none() {
            self.failures.remove(&of);
        }
        let devices = self.shown.entry(person.to_owned()).or_default();
        devices.retain(|device| *device != face);
        if devices.len() >= MOST_OF_ONE {
            devices.remove(0);
        }
        devices.push(face);
    }

    /// A person's PIN is a new one: who showed the one before has shown nothing.
    pub(super) fn forget(&mut self, person: &str) {
        self.failures.remove(&Of::Person(person.to_owned()));
        self.shown.remove(person);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn device(n: u8) -> Of {
        Of::Device(Face::Mac([2, 0, 0, 0, 0, n]))
    }

    fn jo() -> Of {
        Of::Person("jo".to_owned())
    }

    #[test]
    fn a_device_is_locked_after_five_and_each_time_for_longer() {
        let mut attempts = Attempts::default();
        let mut now = NOW;
        for minutes in [15, 30, 60, 120] {
            for n in 1..=5 {
                assert_eq!(attempts.locked(&[device(1)], now), None, "{minutes}: {n}");
                let (locked, late) = attempts.failed(vec![device(1)], now);
                assert_eq!((locked.len(), late), (usize::from(n == 5), SLOWER * n));
            }
            let lock = Duration::from_secs(60 * minutes);
            assert_eq!(attempts.locked(&[device(1)], now), Some(lock));
            assert_eq!(attempts.locked(&[device(2)], now), None, "another device is free");
            now += lock;
        }
        assert_eq!(attempts.locked(&[device(1)], now), None);
        now += FORGOTTEN;
        assert!(attempts.locked(&[device(1)], now).is_none() && attempts.failures.is_empty());
    }

    #[test]
    fn a_person_is_locked_from_whatever_device() {
        let mut attempts = Attempts::default();
        for n in 0..9 {
            assert!(attempts.failed(vec![device(n), jo()], NOW).0.is_empty());
        }
        attempts.forget("jo");
        for n in 0..10 {
            let (locked, _) = attempts.failed(vec![device(100 + n), jo()], NOW);
            assert_eq!(locked.len(), usize::from(n == 9));
        }
        assert_eq!(attempts.locked(&[device(200), jo()], NOW), Some(LOCKED));
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut attempts = Attempts::default();
        let face = |n: u32| Of::Device(Face::Address(std::net::Ipv4Addr::from_bits(n).into()));
        for n in 0..5000 {
            if attempts.locked(&[face(n)], NOW).is_none() {
                attempts.failed(vec![face(n)], NOW);
            }
        }
        assert_eq!(attempts.failures.len(), MOST);
        assert_eq!(attempts.locked(&[face(1)], NOW), None, "whoever is remembered may try on");
        assert_eq!(attempts.locked(&[device(1), jo()], NOW), Some(LOCKED), "a new device waits");
        attempts.shows(Face::Mac([2, 0, 0, 0, 0, 1]), "jo", NOW);
        assert_eq!(attempts.locked(&[device(1), jo()], NOW), None, "where Jo was before there is room");
        for n in 0..100 {
            attempts.shows(Face::Mac([2, 0, 0, 0, 1, n]), "jo", NOW);
        }
        assert_eq!(attempts.shown["jo"].len(), MOST_OF_ONE);
        assert_eq!(attempts.locked(&[device(1), jo()], NOW), Some(LOCKED), "that was longest ago");
    }

    #[test]
    fn whoever_guesses_elsewhere_bars_nobody_where_they_have_shown_their_pin() {
        let mut attempts = Attempts::default();
        attempts.shows(Face::Mac([2, 0, 0, 0, 0, 1]), "jo", NOW);
        for n in 0..10 {
            attempts.failed(vec![device(100 + n), jo()], NOW);
        }
        assert_eq!(attempts.locked(&[device(1), jo()], NOW), None, "Jo's own");
        assert_eq!(attempts.locked(&[device(2), jo()], NOW), Some(LOCKED), "one that is new to Jo");
        assert_eq!(attempts.locked(&[device(1), Of::Person("sam".to_owned())], NOW), None);
        // Jo signs in there, and whoever guesses has won nothing by it.
        attempts.shows(Face::Mac([2, 0, 0, 0, 0, 1]), "jo", NOW);
        assert_eq!(attempts.locked(&[device(200), jo()], NOW), Some(LOCKED));
        // On Jo's own, too, five are the most.
        for n in 1..=5 {
            assert_eq!(attempts.locked(&[device(1), jo()], NOW), None, "{n}");
            attempts.failed(vec![device(1), jo()], NOW);
        }
        assert_eq!(attempts.locked(&[device(1), jo()], NOW), Some(LOCKED));
        // With another PIN nobody has shown it anywhere.
        attempts.forget("jo");
        for n in 0..10 {
            attempts.failed(vec![device(100 + n), jo()], NOW + LOCKED);
        }
        assert_eq!(attempts.locked(&[device(1), jo()], NOW + LOCKED), Some(LOCKED));
    }
}
