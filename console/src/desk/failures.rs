//! Failed attempts to sign in, as the journal has them: the first from a place, then the fifth, the tenth, the twentieth, and
//! so on. A stranger who types all night writes few entries.

use chrono::{DateTime, Utc};
use records::SignInFailed;
use std::collections::HashMap;
use std::time::Duration;

/// Places that are remembered.
const MOST: usize = 512;
/// A place at which nobody failed for so long starts afresh.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Within an hour so many entries name their place; after that they are told together.
const NAMED: u32 = 60;
/// What stands for a place then.
const MANY: &str = "many places";

#[derive(Clone, Copy, Debug)]
struct Failed {
    count: u64,
    since: DateTime<Utc>,
    last: Duration,
}

/// Who failed of late. Times are the steady clock's.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    by: HashMap<(String, String), Failed>,
    /// Entries that named their place since then.
    named: (u32, Duration),
}

impl Failures {
    /// One more. `account` is empty where there is no such account. What is to be written down, if anything.
    pub(crate) fn add(
        &mut self,
        account: &str,
        place: &str,
        now: Duration,
        at: DateTime<Utc>,
    ) -> Option<SignInFailed> {
        self.by.retain(|_, failed| now.saturating_sub(failed.last) < FORGOTTEN);
        if now.saturating_sub(self.named.1) >= FORGOTTEN {
            self.named = (0, now);
        }
        let mut key = (account.to_owned(), place.to_owned());
        if !self.by.contains_key(&key) && (self.named.0 >= NAMED || self.by.len() >= MOST) {
            key.1 = MANY.to_owned();
        }
        let failed = self.by.entry(key.clone()).or_insert(Failed { count: 0, since: at, last: now });
        (failed.count, failed.last) = (failed.count + 1, now);
        let (count, since) = (failed.count, failed.since);
        if !is_told(count) {
            return None;
        }
        self.named.0 += u32::from(key.1 != MANY);
        Some(SignInFailed { account: key.0, address: key.1, count, since })
    }
}

/// 1, 5, 10, 20, 40, …
fn is_told(count: u64) -> bool {
    count == 1 || count.is_multiple_of(5) && (count / 5).is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_few_entries() {
        let mut failures = Failures::default();
        let at = "2026-11-22T17:30:00Z".parse().unwrap();
        let told: Vec<u64> = (0..100)
            .filter_map(|n| failures.add("k.lane", "192.168.4.9", Duration::from_secs(n), at))
            .map(|failed| failed.count)
            .collect();
        assert_eq!(told, [1, 5, 10, 20, 40, 80]);
        let later = Duration::from_secs(2 * 3600);
        assert_eq!(failures.add("k.lane", "192.168.4.9", later, at).map(|f| f.count), Some(1), "afresh");
        let strangers: Vec<SignInFailed> =
            (0..10_000).filter_map(|n| failures.add("", &format!("place {n}"), later, at)).collect();
        assert!(strangers.len() < 80, "{}", strangers.len());
        assert_eq!(strangers.last().map(|f| f.address.as_str()), Some(MANY));
        assert!(failures.by.len() <= MOST + 1);
    }
}
