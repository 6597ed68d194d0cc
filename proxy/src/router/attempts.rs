//! How much refused packets tell.
//!
//! Nobody proves who sent a packet that is refused: whoever is on the home's network can put another device's addresses into
//! one. And programs come back by themselves: to what was open before the rules came, to what they were told yesterday. So one
//! packet weighs little, and only what is tried again and again over a while weighs as much as what was tried.

use super::sets::Device;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where nobody knows what devices were told before, nothing unknown is written down for so long after a start: their programs
/// hold on to addresses.
pub(super) const QUIET: Duration = Duration::from_secs(600);
/// A program that lost a connection tries to have it again for so long.
const COMES_BACK: Duration = Duration::from_secs(6 * 3600);
/// So many connections from before are remembered.
const MOST_BEFORE: usize = 16_384;
/// So many attempts are told apart; the oldest make room.
const MOST: usize = 4096;
/// Packets within this time are one attempt.
const ONE_ATTEMPT: Duration = Duration::from_secs(5);
/// Without an attempt for so long it begins anew.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// So many attempts, over so long, are no accident and no single forgery.
const REPEATED: (u8, Duration) = (4, Duration::from_secs(30));

/// How much an attempt tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Nothing that anybody needs to hear of.
    None,
    /// A little: it may be a program's own doing, or another device's.
    Little,
    /// As much as what was tried.
    Full,
}

#[derive(Clone, Copy, Debug)]
struct Tried {
    first: Duration,
    last: Duration,
    times: u8,
}

/// Connections that were ended, from where to where, and when.
#[derive(Debug, Default)]
struct Before {
    ended: HashMap<(IpAddr, IpAddr), Duration>,
    /// When room was last made.
    tidied: Duration,
}

/// What was tried of late.
#[derive(Debug)]
pub(super) struct Attempts {
    quiet_until: Duration,
    before: Mutex<Before>,
    tried: quick_cache::sync::Cache<(Device, IpAddr), Tried>,
}

impl Attempts {
    /// None so far. Times are the steady clock's.
    pub(super) fn new(quiet_until: Duration) -> Self {
        Self { quiet_until, before: Mutex::default(), tried: quick_cache::sync::Cache::new(MOST) }
    }

    /// A connection that began before there were rules is ended: its program will try again.
    pub(super) fn began_before(&self, from: IpAddr, to: IpAddr, now: Duration) {
        let mut before = self.before();
        if before.ended.len() >= MOST_BEFORE && before.tidied + ONE_ATTEMPT <= now {
            before.ended.retain(|_, ended| *ended + COMES_BACK > now);
            before.tidied = now;
        }
        if before.ended.len() < MOST_BEFORE {
            before.ended.insert((from.to_canonical(), to.to_canonical()), now);
        }
    }

    /// How much one more attempt tells, to an address that nobody remembers.
    pub(super) fn unknown(&self, device: Device, from: IpAddr, to: IpAddr, now: Duration) -> Weight {
        let ended = self.before().ended.get(&(from.to_canonical(), to.to_canonical())).copied();
        if now < self.quiet_until || ended.is_some_and(|ended| ended + COMES_BACK > now) {
            return Weight::None;
        }
        self.again(device, to, now)
    }

    /// The same, to an address that an answer once gave.
    pub(super) fn again(&self, device: Device, to: IpAddr, now: Duration) -> Weight {
        let begins = Tried { first: now, last: now, times: 1 };
        let tried = match self.tried.get(&(device, to)) {
            Some(tried) if tried.last + FORGOTTEN > now => {
                let counts = u8::from(tried.last + ONE_ATTEMPT <= now);
                let last = if counts > 0 { now } else { tried.last };
                Tried { last, times: tried.times.saturating_add(counts), ..tried }
            }
            Some(_) | None => begins,
        };
        self.tried.insert((device, to), tried);
        let (times, over) = REPEATED;
        if tried.times >= times && tried.last - tried.first >= over { Weight::Full } else { Weight::Little }
    }

    fn before(&self) -> MutexGuard<'_, Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: Device = Device::Mac([2, 0, 0, 0, 0, 0x11]);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn weights(attempts: &Attempts, seconds: &[u64]) -> Vec<Weight> {
        let (from, to) = (ip("192.168.4.11"), ip("192.0.2.1"));
        let at = |second: &u64| attempts.unknown(PHONE, from, to, Duration::from_secs(*second));
        seconds.iter().map(at).collect()
    }

    #[test]
    fn only_what_is_tried_again_over_a_while_weighs_in_full() {
        use Weight::{Full, Little};
        for (case, seconds, last) in [
            ("one packet", &[1000][..], Little),
            ("many packets at once", &[1000, 1000, 1001, 1001, 1002, 1003, 1004], Little),
            ("a program that tries for twenty seconds", &[1000, 1005, 1010, 1015, 1020], Little),
            ("three times within the hour", &[1000, 2000, 3000], Little),
            ("again and again over half a minute", &[1000, 1010, 1020, 1030], Full),
            ("once in two hours", &[1000, 8200, 15400, 22600, 29800], Little),
        ] {
            let attempts = Attempts::new(Duration::ZERO);
            assert_eq!(weights(&attempts, seconds).last(), Some(&last), "{case}");
        }
    }

    #[test]
    fn nothing_is_told_of_what_began_before() {
        let attempts = Attempts::new(Duration::from_secs(600));
        assert_eq!(weights(&attempts, &[1, 599]), [Weight::None; 2], "while nobody knows what was told");
        assert_eq!(weights(&attempts, &[600]), [Weight::Little]);
        let attempts = Attempts::new(Duration::ZERO);
        attempts.began_before(ip("::ffff:192.168.4.11"), ip("192.0.2.1"), Duration::from_secs(100));
        assert_eq!(weights(&attempts, &[101, 200, 300, 400, 20_000]), [Weight::None; 5]);
        assert_eq!(weights(&attempts, &[22_000]), [Weight::Little], "hours later it is new");
        let (from, other) = (ip("192.168.4.11"), ip("192.0.2.2"));
        let weight = attempts.unknown(PHONE, from, other, Duration::from_secs(101));
        assert_eq!(weight, Weight::Little, "another address is new");
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let attempts = Attempts::new(Duration::ZERO);
        for n in 0..2 * MOST_BEFORE as u32 {
            let to = std::net::Ipv4Addr::from_bits(n).into();
            attempts.began_before(ip("192.168.4.11"), to, Duration::from_secs(1));
            attempts.again(PHONE, to, Duration::from_secs(1));
        }
        assert_eq!(attempts.before().ended.len(), MOST_BEFORE);
        assert!(attempts.tried.len() <= MOST);
    }
}
