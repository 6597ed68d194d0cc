//! How fast one client may ask.
//!
//! Whatever a client does, names that the home protects for it have an allowance of their own: who floods, or whose
//! program does, still reaches help. That allowance is bounded as well, so that it is no door for the flood.
//!
//! A forwarder that names no clients is many devices behind one address. It has a bigger share, so that one device's
//! flood does not close the home at once; one that names them (EDNS client subnet, or the hardware address) has each
//! counted by itself.

use agreements::holds;
use governor::clock::DefaultClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::fmt;
use std::net::IpAddr;
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

/// What one client may ask still.
pub(crate) type Allowance = RateLimiter<NotKeyed, InMemoryState, DefaultClock, NoOpMiddleware>;

/// The clients' allowances.
pub(crate) struct Limits {
    /// None: nobody is limited.
    rate: Option<Rate>,
    forwarders: Vec<(IpAddr, u8)>,
    clients: Allowances,
    protected: Allowances,
}

/// One allowance for each client, of those that were heard of last.
type Allowances = quick_cache::sync::Cache<IpAddr, Arc<Allowance>>;

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl Limits {
    /// Everybody's rate; none for no limit.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let (clients, protected) = (Allowances::new(CLIENTS), Allowances::new(CLIENTS));
        Self { rate, forwarders: Vec::new(), clients, protected }
    }

    /// Gives these networks, by address and prefix length, the share of those who ask for others.
    pub(crate) fn with_forwarders(mut self, forwarders: &[(IpAddr, u8)]) -> Self {
        self.forwarders = forwarders.to_vec();
        self
    }

    /// Takes one from a client's allowance, and tells whether there was one left.
    pub(crate) fn allows(&self, client: IpAddr) -> bool {
        self.rate.is_none_or(|rate| self.take(&self.clients, client, rate))
    }

    /// Takes one from what a client may ask for of protected names once [`Limits::allows`] said no.
    pub(crate) fn allows_protected(&self, client: IpAddr) -> bool {
        self.rate.is_none() || self.take(&self.protected, client, PROTECTED)
    }

    /// A client's allowance; none where nobody is limited.
    pub(crate) fn of(&self, client: IpAddr) -> Option<Arc<Allowance>> {
        self.rate.map(|rate| self.allowance(&self.clients, client, rate))
    }

    fn take(&self, allowances: &Allowances, client: IpAddr, rate: Rate) -> bool {
        self.allowance(allowances, client, rate).check().is_ok()
    }

    fn allowance(&self, allowances: &Allowances, client: IpAddr, rate: Rate) -> Arc<Allowance> {
        let key = network_of(client);
        allowances.get(&key).unwrap_or_else(|| {
            let share = if is_forwarder(&self.forwarders, client) { rate.of_many() } else { rate };
            let new = Arc::new(RateLimiter::direct(share.quota()));
            allowances.insert(key, Arc::clone(&new));
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

/// Whether an address is of those who ask for others.
pub(crate) fn is_forwarder(forwarders: &[(IpAddr, u8)], client: IpAddr) -> bool {
    let client = client.to_canonical();
    forwarders.iter().any(|&(network, length)| holds(network.to_canonical(), length, client))
}

/// What a device is counted by when a trusted forwarder told its hardware address and not its address: a network of
/// 100::/8, from which nobody speaks (RFC 6666 took the one assigned part of it for packets to be thrown away).
pub(crate) fn network_of_hardware(mac: [u8; 6]) -> IpAddr {
    let [a, b, c, d, e, f] = mac;
    std::net::Ipv6Addr::from([1, 1, a, b, c, d, e, f, 0, 0, 0, 0, 0, 0, 0, 0]).into()
}

/// An IPv4 address, or the /64 of an IPv6 one: a device has as many of those as it likes.
pub(crate) fn network_of(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: u32, burst: u32) -> Limits {
        Limits::new(Some(Rate { per_second: number(per_second), burst: number(burst) }))
    }

    #[test]
    fn a_burst_and_no_more() {
        let limits = limits(1, 3);
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let allowed = (0..10).filter(|_| limits.allows(client)).count();
        assert_eq!(allowed, 3);
        assert!(limits.allows("192.0.2.2".parse().unwrap()), "another client has its own");
        assert!(!limits.allows("::ffff:192.0.2.1".parse().unwrap()), "the same one, written as IPv6");
    }

    #[test]
    fn privacy_addresses_share_one_allowance() {
        let limits = limits(1, 2);
        assert!(limits.allows("2001:db8::1".parse().unwrap()));
        assert!(limits.allows("2001:db8::2".parse().unwrap()));
        assert!(!limits.allows("2001:db8::3".parse().unwrap()));
        assert!(limits.allows("2001:db8:0:1::3".parse().unwrap()));
    }

    #[test]
    fn protected_names_have_an_allowance_of_their_own_and_it_ends() {
        let limits = limits(1, 3);
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!((0..10).filter(|_| limits.allows(client)).count(), 3);
        let protected = (0..2000).filter(|_| limits.allows_protected(client)).count();
        assert!((300..400).contains(&protected), "{protected}");
        assert!(limits.allows_protected("192.0.2.2".parse().unwrap()), "another client has its own");
    }

    #[test]
    fn a_forwarder_that_names_nobody_stands_for_many() {
        let forwarder = ("192.0.2.53".parse().unwrap(), 32);
        let limits = limits(1, 3).with_forwarders(&[forwarder]);
        let allowed = |client: &str| (0..100).filter(|_| limits.allows(client.parse().unwrap())).count();
        assert_eq!((allowed("192.0.2.53"), allowed("192.0.2.54")), (48, 3));
        assert_eq!(allowed("::ffff:192.0.2.53"), 0, "the same one, written as IPv6");
    }

    #[test]
    fn hardware_addresses_are_counted_apart() {
        let limits = limits(1, 1);
        let (one, other) = (network_of_hardware([2, 0, 0, 0, 0, 1]), network_of_hardware([2, 0, 0, 0, 0, 2]));
        assert!(limits.allows(one) && limits.allows(other) && !limits.allows(one));
    }

    #[test]
    fn off_is_off() {
        let limits = Limits::new(None);
        assert!((0..10_000).all(|_| limits.allows("192.0.2.1".parse().unwrap())));
    }
}
