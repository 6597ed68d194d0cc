//! What the proxy remembers of clients for a short while, in bounded space: refusal pages shown.

use blocklists::Domain;
use quick_cache::sync::Cache;
use std::net::IpAddr;
use std::time::Duration;

/// How long a shown refusal page makes the next attempt a repeated one: an episode's length (`agreements.md`).
const EPISODE: Duration = Duration::from_secs(15 * 60);
/// How many pages are remembered, over all clients. Forgetting one early makes a `repeated` read `navigation`.
const PAGES: usize = 4096;

/// The short memory. Times are the steady clock's.
pub(super) struct Memory {
    pages: Cache<(IpAddr, Domain), Duration>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { pages: Cache::new(PAGES) }
    }

    /// Notes that a client was shown a refusal page for a site, and says whether it had been shown one shortly before.
    pub(super) fn page_shown(&self, client: IpAddr, site: Domain, now: Duration) -> bool {
        let key = (client, site);
        let before = self.pages.get(&key).is_some_and(|at| now.saturating_sub(at) < EPISODE);
        self.pages.insert(key, now);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_page_shown_within_fifteen_minutes_makes_the_next_a_repeat() {
        let memory = Memory::new();
        let minute = |m: u64| Duration::from_secs(60 * m);
        let site = || Domain::parse("site.test").unwrap();
        assert!(!memory.page_shown(CLIENT, site(), minute(0)));
        assert!(memory.page_shown(CLIENT, site(), minute(14)));
        assert!(memory.page_shown(CLIENT, site(), minute(28)));
        assert!(!memory.page_shown(CLIENT, site(), minute(43)));
        assert!(!memory.page_shown(CLIENT, Domain::parse("other.test").unwrap(), minute(43)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let memory = Memory::new();
        for i in 0..3 * PAGES {
            memory.page_shown(CLIENT, Domain::parse(&format!("s{i}.test")).unwrap(), Duration::ZERO);
        }
        assert!(memory.pages.len() <= PAGES);
    }
}
