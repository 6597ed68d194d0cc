//! Whether everybody looks like one: another router stands in between, or a resolver that asks for all.

use crate::identify::{Neighbours, Shown};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Seconds of a day. Each begins anew: a router that somebody puts in between later is seen, too.
const DAY: u64 = 24 * 60 * 60;

/// Which day it is by the steady clock, counted from one.
pub(super) const fn day(steady: Duration) -> u64 {
    steady.as_secs() / DAY + 1
}

/// Who was seen today: nobody, one, or several.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// Days up to this one need no more looking at: several were seen. Zero for none.
    settled: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The day; zero before the first.
    day: u64,
    one: Option<([u8; 16], IpAddr)>,
    several: bool,
    /// Several were seen on the last day before it on which anybody was: one who asks first in the morning is no crowd of one.
    several_before: bool,
}

impl Crowd {
    /// Takes note of a client, by its hardware address where that is known: each device has several addresses.
    pub(super) fn note(&self, neighbours: &Neighbours, shown: &Shown<'_>, steady: Duration) {
        let day = day(steady);
        if self.settled.load(Ordering::Relaxed) >= day || shown.address.is_loopback() {
            return;
        }
        let key = shown.hardware.or_else(|| neighbours.mac(shown.address)).map_or_else(
            || of_address(shown.address),
            |mac| {
                let mut key = [0xff; 16];
                key[..6].copy_from_slice(&mac);
                key
            },
        );
        let mut seen = self.seen();
        // A worker may still be about what came just before the day began.
        if seen.day < day {
            *seen = Seen { day, one: None, several: false, several_before: seen.several };
        }
        let (one, address) = *seen.one.get_or_insert((key, shown.address));
        // The kernel may say only after the first question whose it was.
        let is_same = one == key || shown.hardware.is_none() && address == shown.address;
        // A token is a device's own, wherever it is.
        if shown.token.is_some() || !is_same {
            seen.several = true;
            self.settled.store(seen.day, Ordering::Relaxed);
        }
    }

    /// The one that everybody looks like; none where there are several, or nobody came yet.
    pub(super) fn only_one(&self) -> Option<IpAddr> {
        let seen = self.seen();
        seen.one.filter(|_| !seen.several && !seen.several_before).map(|(_, address)| address)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_address(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(four) => Ipv4Addr::to_ipv6_mapped(&four).octets(),
        IpAddr::V6(six) => six.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_several() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let router = [2, 0, 0, 0, 0, 1];
        let neighbours = Neighbours::fixed([(ip("192.168.4.2"), router), (ip("2001:db8::2"), router)]);
        let of = |address: &str| Shown { address: ip(address), token: None, hardware: None };
        let one = Some("192.168.4.2");
        for (case, seen, expected) in [
            ("nobody", &[][..], None),
            ("one", &[of("192.168.4.2")], one),
            ("one and ourselves", &[of("127.0.0.1"), of("192.168.4.2")], one),
            ("one by both families", &[of("192.168.4.2"), of("2001:db8::2"), of("192.168.4.2")], one),
            ("two", &[of("192.168.4.2"), of("192.168.4.3")], None),
            ("one that told its token", &[Shown { token: Some("t"), ..of("192.168.4.2") }], None),
            (
                "two behind a forwarder",
                &[
                    Shown { hardware: Some([2; 6]), ..of("192.168.4.2") },
                    Shown { hardware: Some([4; 6]), ..of("192.168.4.2") },
                ],
                None,
            ),
        ] {
            let crowd = Crowd::default();
            seen.iter().for_each(|shown| crowd.note(&neighbours, shown, Duration::ZERO));
            assert_eq!(crowd.only_one(), expected.map(ip), "{case}");
        }
        // Whose its first question was nobody knew yet.
        let (crowd, of_one) = (Crowd::default(), of("192.168.4.2"));
        crowd.note(&Neighbours::fixed([]), &of_one, Duration::ZERO);
        crowd.note(&neighbours, &of_one, Duration::ZERO);
        assert_eq!(crowd.only_one(), one.map(ip));
    }

    #[test]
    fn a_router_that_is_put_in_between_later_is_seen_after_a_day_with_it() {
        let of = |address: &str| Shown { address: address.parse().unwrap(), token: None, hardware: None };
        let [phone, laptop, router] = ["192.168.4.2", "192.168.4.3", "192.168.4.4"];
        let crowd = Crowd::default();
        let asks = |address, hours: u64| {
            crowd.note(&Neighbours::fixed([]), &of(address), Duration::from_secs(hours * 3600));
            crowd.only_one().map(|one| one.to_string())
        };
        for (who, hours, expected, why) in [
            (phone, 1, Some(phone), "one so far"),
            (laptop, 2, None, "several"),
            (phone, 25, None, "the first of its day, and there were several the day before"),
            (laptop, 26, None, "several again"),
            (router, 50, None, "it may be the first of its day"),
            (router, 71, None, "the same day"),
            (router, 73, Some(router), "a whole day with one"),
            (router, 24 * 9, Some(router), "and after a week without anybody"),
            (router, 1, Some(router), "a worker that is late changes nothing"),
            (phone, 24 * 9 + 1, None, "it is taken out again"),
            (laptop, 24 * 10, None, "and that is kept for the day after"),
        ] {
            assert_eq!(asks(who, hours).as_deref(), expected, "{why}");
        }
    }
}
