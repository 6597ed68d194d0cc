//! What the proxy remembers of clients for a short while, in bounded space: refusal pages shown, wrong tokens.

use crate::limits::network_of;
use blocklists::Domain;
use quick_cache::sync::Cache;
use quick_cache::unsync;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a shown refusal page makes the next attempt a repeated one: an episode's length (`agreements.md`).
const EPISODE: Duration = Duration::from_secs(15 * 60);
/// How many pages are remembered, over all clients. Forgetting one early makes a `repeated` read `navigation`.
const PAGES: usize = 4096;
/// How many clients' wrong tokens are remembered.
const CLIENTS: usize = 1024;
/// How many wrong tokens a client may show in a minute: programs retry, but nobody types so fast.
const WRONG_TOKENS: u32 = 30;
/// How many wrong tokens all clients may show together in a minute before each has only [`WRONG_TOKENS_IN_A_STORM`]: whoever
/// guesses from many addresses of the home is as slow as from one.
const WRONG_TOKENS_OF_ALL: u32 = 90;
/// How many a client has then. Who shows the right one at first is known all the same.
const WRONG_TOKENS_IN_A_STORM: u32 = 1;

/// The short memory. Times are the steady clock's.
pub(super) struct Memory {
    pages: Cache<(IpAddr, Domain), Duration>,
    wrong: Mutex<Wrong>,
}

/// Wrong tokens: since when they are counted, and how many there were.
struct Wrong {
    of: unsync::Cache<IpAddr, (Duration, u32)>,
    all: (Duration, u32),
}

/// One more, in the minute that is counted or in a new one.
fn one_more(before: Option<(Duration, u32)>, now: Duration) -> (Duration, u32) {
    match before {
        Some((since, count)) if is_same_minute(now, since) => (since, count.saturating_add(1)),
        Some(_) | None => (now, 1),
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            pages: Cache::new(PAGES),
            wrong: Mutex::new(Wrong { of: unsync::Cache::new(CLIENTS), all: (Duration::ZERO, 0) }),
        }
    }

    /// Notes that a client was shown a refusal page for a site, and says whether it had been shown one shortly before.
    pub(super) fn page_shown(&self, client: IpAddr, site: Domain, now: Duration) -> bool {
        let key = (client, site);
        let before = self.pages.get(&key).is_some_and(|at| now.saturating_sub(at) < EPISODE);
        self.pages.insert(key, now);
        before
    }

    /// Notes a wrong token.
    pub(super) fn wrong_token(&self, client: IpAddr, now: Duration) {
        let client = network_of(client);
        let mut wrong = self.wrong();
        let count = one_more(wrong.of.get(&client).copied(), now);
        wrong.of.insert(client, count);
        wrong.all = one_more(Some(wrong.all), now);
    }

    /// Whether a client has shown too many wrong tokens of late, so that none is looked at until the minute is over.
    pub(super) fn guesses_tokens(&self, client: IpAddr, now: Duration) -> bool {
        let wrong = self.wrong();
        let (since, count) = wrong.all;
        let storm = is_same_minute(now, since) && count >= WRONG_TOKENS_OF_ALL;
        let most = if storm { WRONG_TOKENS_IN_A_STORM } else { WRONG_TOKENS };
        let late = wrong.of.get(&network_of(client)).filter(|(since, _)| is_same_minute(now, *since));
        late.is_some_and(|(_, count)| *count >= most)
    }

    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is still the minute in which wrong tokens are counted.
fn is_same_minute(now: Duration, since: Duration) -> bool {
    now.saturating_sub(since) < Duration::from_secs(60)
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
    fn guessing_tokens_is_slow() {
        let memory = Memory::new();
        let second = Duration::from_secs;
        for i in 0..40 {
            assert_eq!(memory.guesses_tokens(CLIENT, second(i)), i >= 30, "{i}");
            memory.wrong_token(CLIENT, second(i));
        }
        assert!(memory.guesses_tokens(CLIENT, second(59)) && !memory.guesses_tokens(CLIENT, second(60)));
        memory.wrong_token(CLIENT, second(61));
        assert!(!memory.guesses_tokens(CLIENT, second(61)));
    }

    #[test]
    fn guessing_from_many_addresses_is_as_slow() {
        let memory = Memory::new();
        let client = |i: u8| IpAddr::from([192, 0, 2, i]);
        let looked_at = |second: u64| {
            let now = Duration::from_secs(second);
            let guess = |i: u32| {
                let client = client((i % 35) as u8);
                let looked_at = !memory.guesses_tokens(client, now);
                if looked_at {
                    memory.wrong_token(client, now);
                }
                looked_at
            };
            (0..35 * 33).filter(|i| guess(*i)).count()
        };
        // Thirty-five addresses with thirty guesses each would have a thousand and fifty.
        assert_eq!(looked_at(0), 90);
        assert_eq!(looked_at(30), 0, "and no more within the minute");
        // A device that shows the right token at first shows no wrong one, and is looked at.
        assert!(!memory.guesses_tokens(client(200), Duration::from_secs(30)));
        assert_eq!(looked_at(60), 90);
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
