//! How fast one client may ask.
//!
//! Whatever a client does, names that the home protects for it have an allowance of their own: who floods, or whose
//! program does, still reaches help. That allowance is bounded as well, so that it is no door for the flood.
//!
//! A forwarder that names no clients is many devices behind one address. It has a bigger share, so that one device's
//! flood does not close the home at once; one that names them (EDNS client subnet, or the hardware address) has each
//! counted by itself.

use governor::clock::DefaultClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use records::Face;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

/// At most so many clients are remembered. One who is forgotten begins with a full allowance, so that a flood of forged
/// addresses cannot take anybody's allowance away.
const CLIENTS: usize = 8192;

/// How many questions a second one client may ask, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Questions a second, in the long run.
    pub per_second: NonZeroU32,
    /// Questions at once: a browser that opens its session again asks hundreds.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many a second, and five times as many at once.
    pub fn with_burst(per_second: NonZeroU32) -> Self {
        Self { per_second, burst: per_second.saturating_mul(number(5)) }
    }
}

/// What one client may ask for of the names that are protected for it, beyond what it may ask for of all. A helpline's
/// page with everything on it is a few hundred requests.
const PROTECTED: Rate = Rate { per_second: number(20), burst: number(300) };

/// How many clients a forwarder that names none stands for: a home of a dozen people has about so many devices awake at
/// once.
const BEHIND_A_FORWARDER: NonZeroU32 = number(16);

/// A number that is not zero.
const fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("the numbers written here are not zero")
}

/// By what a client is counted, and whether it stands for many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Counted {
    face: Face,
    many: bool,
}

impl Counted {
    /// One device.
    pub(crate) fn one(face: Face) -> Self {
        Self { face: face.counted(), many: false }
    }

    /// A forwarder that names no clients.
    pub(crate) fn many(face: Face) -> Self {
        Self { many: true, ..Self::one(face) }
    }

    /// Whether it stands for many.
    pub(crate) fn stands_for_many(self) -> bool {
        self.many
    }
}

/// What one client may ask still.
pub(crate) type Allowance = RateLimiter<NotKeyed, InMemoryState, DefaultClock, NoOpMiddleware>;

/// The clients' allowances.
pub(crate) struct Limits {
    /// None: nobody is limited.
    rate: Option<Rate>,
    clients: Allowances,
    protected: Allowances,
}

/// One allowance for each client, of those that were heard of last.
type Allowances = quick_cache::sync::Cache<Counted, Arc<Allowance>>;

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl Limits {
    /// Everybody's rate; none for no limit.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let (clients, protected) = (Allowances::new(CLIENTS), Allowances::new(CLIENTS));
        Self { rate, clients, protected }
    }

    /// Takes one from a client's allowance, and tells whether there was one left.
    pub(crate) fn allows(&self, client: Counted) -> bool {
        self.rate.is_none_or(|rate| self.take(&self.clients, client, rate))
    }

    /// Takes one from what a client may ask for of protected names once [`Limits::allows`] said no.
    pub(crate) fn allows_protected(&self, client: Counted) -> bool {
        self.rate.is_none() || self.take(&self.protected, client, PROTECTED)
    }

    /// A client's allowance; none where nobody is limited.
    pub(crate) fn of(&self, client: Counted) -> Option<Arc<Allowance>> {
        self.rate.map(|rate| self.allowance(&self.clients, client, rate))
    }

    fn take(&self, allowances: &Allowances, client: Counted, rate: Rate) -> bool {
        self.allowance(allowances, client, rate).check().is_ok()
    }

    fn allowance(&self, allowances: &Allowances, client: Counted, rate: Rate) -> Arc<Allowance> {
        allowances.get(&client).unwrap_or_else(|| {
            let share = if client.many { rate.of_many() } else { rate };
            let new = Arc::new(RateLimiter::direct(share.quota()));
            allowances.insert(client, Arc::clone(&new));
            new
        })
    }
}

impl Rate {
    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }

    /// The share of one who asks for many.
    fn of_many(self) -> Self {
        let more = |n: NonZeroU32| n.saturating_mul(BEHIND_A_FORWARDER);
        Self { per_second: more(self.per_second), burst: more(self.burst) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: u32, burst: u32) -> Limits {
        Limits::new(Some(Rate { per_second: number(per_second), burst: number(burst) }))
    }

    fn client(face: &str) -> Counted {
        Counted::one(face.parse().unwrap())
    }

    #[test]
    fn a_burst_and_no_more() {
        let limits = limits(1, 3);
        let allowed = (0..10).filter(|_| limits.allows(client("192.0.2.1"))).count();
        assert_eq!(allowed, 3);
        assert!(limits.allows(client("192.0.2.2")), "another client has its own");
        assert!(!limits.allows(client("::ffff:192.0.2.1")), "the same one, written as IPv6");
    }

    #[test]
    fn privacy_addresses_of_a_device_that_is_not_seen_share_one_allowance() {
        let limits = limits(1, 2);
        assert!(limits.allows(client("2001:db8::1")));
        assert!(limits.allows(client("2001:db8::2")));
        assert!(!limits.allows(client("2001:db8::3")));
        assert!(limits.allows(client("2001:db8:0:1::3")));
    }

    #[test]
    fn protected_names_have_an_allowance_of_their_own_and_it_ends() {
        let limits = limits(1, 3);
        assert_eq!((0..10).filter(|_| limits.allows(client("192.0.2.1"))).count(), 3);
        let protected = (0..2000).filter(|_| limits.allows_protected(client("192.0.2.1"))).count();
        assert!((300..400).contains(&protected), "{protected}");
        assert!(limits.allows_protected(client("192.0.2.2")), "another client has its own");
    }

    #[test]
    fn a_forwarder_that_names_nobody_stands_for_many() {
        let limits = limits(1, 3);
        let forwarder: Face = "02:00:00:00:00:53".parse().unwrap();
        let allowed = |client: Counted| (0..100).filter(|_| limits.allows(client)).count();
        assert_eq!(allowed(Counted::many(forwarder)), 48);
        assert_eq!(allowed(Counted::one(forwarder)), 3, "what it asks for itself is counted apart");
        assert_eq!(allowed(client("02:00:00:00:00:54")), 3);
    }

    #[test]
    fn off_is_off() {
        let limits = Limits::new(None);
        assert!((0..10_000).all(|_| limits.allows(client("192.0.2.1"))));
    }
}
