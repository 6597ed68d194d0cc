//! How often somebody may try to sign in: for an account from a device, for a device, for an account.
//!
//! Each has a store of tries that fills again with time. None is ever shut for good; whoever guesses has a few tries a minute.
//! A browser in which somebody has signed in before (`known`) has a store of its own, which nobody else can empty: no stranger
//! keeps a member of staff out by typing nonsense.

use records::Face;
use ring::digest::{SHA256, digest};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Stores of tries that are remembered. A stranger with many devices cannot make it more.
const MOST: usize = 4096;

/// How many tries at once, and how soon one comes back.
#[derive(Clone, Copy)]
struct Measure {
    tries: u32,
    back: Duration,
}

const PAIR: Measure = Measure { tries: 5, back: Duration::from_secs(120) };
const DEVICE: Measure = Measure { tries: 20, back: Duration::from_secs(30) };
const ACCOUNT: Measure = Measure { tries: 30, back: Duration::from_secs(20) };

/// What tries are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Known([u8; 16]),
    Pair([u8; 16], Face),
    Device(Face),
    Account([u8; 16]),
}

/// Origin where somebody tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// The device.
    pub(crate) face: Face,
    /// Which of the browsers it is in which this account has signed in before, if it is one.
    pub(crate) known: Option<[u8; 16]>,
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        Self { face: Face::Address(address.to_canonical()), known: None }
    }
}

/// Who has tried of late. Times are the steady clock's.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// When the store will be full again.
    full: HashMap<Of, Duration>,
}

impl Attempts {
    /// Takes a try; the wait until the next one where there is none.
    pub(crate) fn take(
        &mut self,
        account: &str,
        from: impl Into<Origin>,
        now: Duration,
    ) -> Result<(), Duration> {
        let all = of(account, from.into());
        let wait = all.iter().filter_map(|(of, measure)| self.wait(*of, *measure, now)).max();
        if let Some(wait) = wait {
            return Err(wait);
        }
        self.make_room(now);
        for (of, measure) in all {
            let full = self.full.entry(of).or_insert(now);
            *full = (*full).max(now) + measure.back;
        }
        Ok(())
    }

    /// Somebody signed in: what they tried before from there was no guessing.
    pub(crate) fn forget(&mut self, account: &str, from: impl Into<Origin>) {
        for (of, _) in of(account, from.into()) {
            if matches!(of, Of::Known(_) | Of::Pair(..)) {
                self.full.remove(&of);
            }
        }
    }

    fn wait(&self, of: Of, measure: Measure, now: Duration) -> Option<Duration> {
        let full = *self.full.get(&of)?;
        // One more try would make the store full again at this time; it may be no further away than the whole of it.
        let after = full.max(now) + measure.back;
        let most = now + measure.back * measure.tries;
        (after > most).then(|| after - most)
    }

    fn make_room(&mut self, now: Duration) {
        if self.full.len() + 3 <= MOST {
            return;
        }
        self.full.retain(|_, full| *full > now);
        if self.full.len() + 3 > MOST {
            // A quarter at once, so that it is seldom done: those that would be full again soonest.
            let mut times: Vec<Duration> = self.full.values().copied().collect();
            let (_, quarter, _) = times.select_nth_unstable(MOST / 4);
            let quarter = *quarter;
            self.full.retain(|_, full| *full > quarter);
        }
    }
}

fn of(account: &str, from: Origin) -> Vec<(Of, Measure)> {
    if let Some(known) = from.known {
        return vec![(Of::Known(known), PAIR)];
    }
    let hash = digest(&SHA256, account.as_bytes());
    let mut name = [0; 16];
    name.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    let face = from.face.counted();
    vec![(Of::Pair(name, face), PAIR), (Of::Device(face), DEVICE), (Of::Account(name), ACCOUNT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(last: u8) -> Origin {
        Origin { face: Face::Address(IpAddr::from([192, 168, 4, last])), known: None }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn five_tries_and_then_one_in_two_minutes() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts.take("k.lane", device(9), seconds(1)).unwrap();
        }
        let wait = attempts.take("k.lane", device(9), seconds(1)).unwrap_err();
        assert_eq!(wait, seconds(120));
        attempts.take("k.lane", device(8), seconds(1)).expect("elsewhere one still can");
        attempts.take("r.osei", device(9), seconds(1)).expect("and another account");
        attempts.take("k.lane", device(9), seconds(121)).expect("one came back");
        assert!(attempts.take("k.lane", device(9), seconds(121)).is_err());
        attempts.forget("k.lane", device(9));
        attempts.take("k.lane", device(9), seconds(121)).expect("who has signed in starts afresh");
    }

    #[test]
    fn a_device_and_an_account_have_a_measure_of_their_own() {
        let mut attempts = Attempts::default();
        let many = (0..30).filter(|n| attempts.take(&format!("account{n}"), device(9), seconds(1)).is_ok());
        assert_eq!(many.count(), 20, "one device, many accounts");
        let many = (10..60).filter(|n| attempts.take("k.lane", device(*n), seconds(1)).is_ok());
        assert_eq!(many.count(), 30, "one account, many devices");
        attempts.take("k.lane", device(99), seconds(22)).expect("nobody is kept out for good");
    }

    #[test]
    fn strangers_keep_nobody_out_of_a_browser_that_is_known() {
        let mut attempts = Attempts::default();
        let of = |n: u32| Origin { face: Face::Address(IpAddr::from(n.to_be_bytes())), known: None };
        (0..20_000).for_each(|n| _ = attempts.take("k.lane", of(n), seconds(1)));
        assert!(attempts.take("k.lane", device(9), seconds(1)).is_err(), "a browser that nobody knows waits");
        let known = Origin { known: Some([7; 16]), ..of(3) };
        for _ in 0..5 {
            attempts.take("k.lane", known, seconds(1)).expect("a known one does not");
        }
        assert_eq!(
            attempts.take("k.lane", known, seconds(1)),
            Err(seconds(120)),
            "and guesses no more than any"
        );
    }

    #[test]
    fn devices_of_the_home_are_told_apart_and_networks_beyond_it_are_one() {
        let mut attempts = Attempts::default();
        let beyond =
            |n: u16| Origin { face: Face::Address(IpAddr::from([0xfd00, 0, 0, 1, 0, 0, 0, n])), known: None };
        let tries = |attempts: &mut Attempts, from: &dyn Fn(u16) -> Origin| {
            (0..10).filter(|n| attempts.take("k.lane", from(*n), seconds(1)).is_ok()).count()
        };
        assert_eq!(tries(&mut attempts, &beyond), 5);
        let inside = |n: u16| Origin { face: Face::Mac([2, 0, 0, 0, 0, n as u8]), known: None };
        assert_eq!(tries(&mut attempts, &inside), 10, "each is a device of its own");
    }

    #[test]
    fn strangers_cannot_make_it_grow() {
        let mut attempts = Attempts::default();
        for n in 0..20_000u32 {
            let from = Origin { face: Face::Address(IpAddr::from(n.to_be_bytes())), known: None };
            let _ = attempts.take(&format!("account{n}"), from, seconds(1));
        }
        assert!(attempts.full.len() <= MOST, "{}", attempts.full.len());
    }
}
