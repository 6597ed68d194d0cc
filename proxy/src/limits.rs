//! How fast one client may ask.

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

impl Default for Rate {
    fn default() -> Self {
        let number = |n| NonZeroU32::new(n).expect("the numbers below are not zero");
        Self { per_second: number(200), burst: number(1000) }
    }
}

type Allowance = RateLimiter<NotKeyed, InMemoryState, DefaultClock, NoOpMiddleware>;

/// The clients' allowances.
pub(crate) struct Limits {
    /// None: nobody is limited.
    quota: Option<Quota>,
    clients: quick_cache::sync::Cache<IpAddr, Arc<Allowance>>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").field("quota", &self.quota).finish_non_exhaustive()
    }
}

impl Limits {
    /// Everybody's rate; none for no limit.
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let quota = rate.map(|rate| Quota::per_second(rate.per_second).allow_burst(rate.burst));
        Self { quota, clients: quick_cache::sync::Cache::new(CLIENTS) }
    }

    /// Takes one from a client's allowance, and tells whether there was one left.
    pub(crate) fn allows(&self, client: IpAddr) -> bool {
        let Some(quota) = self.quota else { return true };
        let client = network_of(client);
        let allowance = self.clients.get(&client).unwrap_or_else(|| {
            let new = Arc::new(RateLimiter::direct(quota));
            self.clients.insert(client, Arc::clone(&new));
            new
        });
        allowance.check().is_ok()
    }
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
        let number = |n| NonZeroU32::new(n).unwrap();
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
    fn off_is_off() {
        let limits = Limits::new(None);
        assert!((0..10_000).all(|_| limits.allows("192.0.2.1".parse().unwrap())));
    }
}
