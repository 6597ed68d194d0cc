//! Failed attempts to sign in: after some, a device and a person are locked for a while, and each time for longer.

use records::Face;
use std::collections::HashMap;
use std::time::Duration;

/// Whose attempts are counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// A device, whoever's PIN it tries.
    Device(Face),
    /// A person, from whatever device. More, since others could lock them out on purpose.
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

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    locks: u32,
    last: Duration,
    locked_until: Duration,
}

/// What is remembered of failed attempts, by the steady clock.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<Of, Failures>);

impl Attempts {
    /// For how long neither of these may try.
    pub(super) fn locked(&mut self, of: &[Of], now: Duration) -> Option<Duration> {
        self.0.retain(|_, failures| failures.locked_until > now || failures.last + FORGOTTEN > now);
        let is_new = of.iter().any(|one| !self.0.contains_key(one));
        let left = of.iter().filter_map(|one| self.0.get(one)?.locked_until.checked_sub(now)).max();
        left.filter(|left| !left.is_zero()).or((is_new && self.0.len() + of.len() > MOST).then_some(LOCKED))
    }

    /// One more failure of each: which of them are locked from now on, and how late the answer comes.
    pub(super) fn failed(&mut self, of: Vec<Of>, now: Duration) -> (Vec<(Of, Duration)>, Duration) {
        let (mut locked, mut late) = (Vec::new(), Duration::ZERO);
        for one in of {
            let failures = self.0.entry(one.clone()).or_default();
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

    /// A person's PIN is a new one, or they have shown that they know it.
    pub(super) fn forget(&mut self, person: &str) {
        self.0.remove(&Of::Person(person.to_owned()));
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
        assert!(attempts.locked(&[device(1)], now).is_none() && attempts.0.is_empty());
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
        assert_eq!(attempts.0.len(), MOST);
        assert_eq!(attempts.locked(&[face(1)], NOW), None, "whoever is remembered may try on");
    }
}
