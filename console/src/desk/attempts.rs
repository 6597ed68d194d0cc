//! How often somebody may try to sign in: for an account from an address, for an address, for an account.
//!
//! Each has a store of tries that fills again with time. None is ever shut for good, so that nobody can keep a member of
//! staff out by typing nonsense; and whoever guesses has a few tries a minute.

use ring::digest::{SHA256, digest};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Stores of tries that are remembered. A stranger with many addresses cannot make it more.
const MOST: usize = 4096;

/// How many tries at once, and how soon one comes back.
#[derive(Clone, Copy)]
struct Measure {
    tries: u32,
    back: Duration,
}

const PAIR: Measure = Measure { tries: 5, back: Duration::from_secs(120) };
const ADDRESS: Measure = Measure { tries: 20, back: Duration::from_secs(30) };
const ACCOUNT: Measure = Measure { tries: 30, back: Duration::from_secs(20) };

/// What tries are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Pair([u8; 16], IpAddr),
    Address(IpAddr),
    Account([u8; 16]),
}

/// Who has tried of late. Times are the steady clock's.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// When the store will be full again.
    full: HashMap<Of, Duration>,
}

impl Attempts {
    /// Takes a try; the wait until the next one where there is none.
    pub(crate) fn take(&mut self, account: &str, address: IpAddr, now: Duration) -> Result<(), Duration> {
        let all = of(account, address);
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
    pub(crate) fn forget(&mut self, account: &str, address: IpAddr) {
        let [pair, ..] = of(account, address);
        self.full.remove(&pair.0);
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

fn of(account: &str, address: IpAddr) -> [(Of, Measure); 3] {
    let hash = digest(&SHA256, account.as_bytes());
    let mut name = [0; 16];
    name.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    let address = network(address);
    [(Of::Pair(name, address), PAIR), (Of::Address(address), ADDRESS), (Of::Account(name), ACCOUNT)]
}

/// One device has a whole /64 of IPv6 addresses (RFC 4291 §2.5.4).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 4, last])
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn five_tries_and_then_one_in_two_minutes() {
        let mut attempts = Attempts::default();
        for _ in 0..5 {
            attempts.take("k.lane", address(9), seconds(1)).unwrap();
        }
        let wait = attempts.take("k.lane", address(9), seconds(1)).unwrap_err();
        assert_eq!(wait, seconds(120));
        attempts.take("k.lane", address(8), seconds(1)).expect("elsewhere one still can");
        attempts.take("r.osei", address(9), seconds(1)).expect("and another account");
        attempts.take("k.lane", address(9), seconds(121)).expect("one came back");
        assert!(attempts.take("k.lane", address(9), seconds(121)).is_err());
        attempts.forget("k.lane", address(9));
        attempts.take("k.lane", address(9), seconds(121)).expect("who has signed in starts afresh");
    }

    #[test]
    fn an_address_and_an_account_have_a_measure_of_their_own() {
        let mut attempts = Attempts::default();
        let many = (0..30).filter(|n| attempts.take(&format!("account{n}"), address(9), seconds(1)).is_ok());
        assert_eq!(many.count(), 20, "one address, many accounts");
        let many = (10..60).filter(|n| attempts.take("k.lane", address(*n), seconds(1)).is_ok());
        assert_eq!(many.count(), 30, "one account, many addresses");
        attempts.take("k.lane", address(99), seconds(22)).expect("nobody is kept out for good");
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one() {
        let mut attempts = Attempts::default();
        let of = |n: u16| IpAddr::from([0xfd00, 0, 0, 1, 0, 0, 0, n]);
        assert_eq!((0..10).filter(|n| attempts.take("k.lane", of(*n), seconds(1)).is_ok()).count(), 5);
    }

    #[test]
    fn strangers_cannot_make_it_grow() {
        let mut attempts = Attempts::default();
        for n in 0..20_000u32 {
            let _ = attempts.take(&format!("account{n}"), IpAddr::from(n.to_be_bytes()), seconds(1));
        }
        assert!(attempts.full.len() <= MOST, "{}", attempts.full.len());
    }
}
