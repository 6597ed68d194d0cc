//! How much refused packets tell.
//!
//! Nobody proves who sent a packet that is refused: whoever is on the home's network can put another device's addresses into
//! one. And programs come back by themselves: to what was open before the rules came, to what they were told yesterday. So one
//! packet weighs little, and only what is tried again and again over a while weighs as much as what was tried: at one address, or, of
//! what somebody must have chosen, in one way at many: a VPN's app and an onion client change servers when one does not answer.

use super::sets::Device;
use agreements::{Detector, Severity};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where nobody knows what devices were told before, nothing unknown is written down for so long after a start: their programs
/// hold on to addresses.
const QUIET: Duration = Duration::from_secs(600);
/// A program that lost a connection, or was told an address that is forgotten here, tries to have it again for so long.
pub(super) const COMES_BACK: Duration = Duration::from_secs(6 * 3600);
/// So many devices of which something was forgotten are remembered.
const MOST_FORGOTTEN: usize = 1024;
/// So many connections from before are remembered.
const MOST_BEFORE: usize = 16_384;
/// So many attempts are told apart; the oldest make room.
const MOST: usize = 4096;
/// So many ways around are counted by their kind: a device and a detector each.
const MOST_KINDS: usize = 1024;
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

impl Tried {
    /// With one more packet.
    fn again(before: Option<Self>, now: Duration) -> Self {
        match before {
            Some(tried) if tried.last + FORGOTTEN > now => {
                let counts = u8::from(tried.last + ONE_ATTEMPT <= now);
                let last = if counts > 0 { now } else { tried.last };
                Self { last, times: tried.times.saturating_add(counts), ..tried }
            }
            Some(_) | None => Self { first: now, last: now, times: 1 },
        }
    }

    fn is_repeated(self) -> bool {
        let (times, over) = REPEATED;
        self.times >= times && self.last - self.first >= over
    }
}

/// One way around, at whatever addresses.
#[derive(Clone, Copy, Debug)]
struct Kind {
    tried: Tried,
    /// The address as which it was told, and when last.
    told: Option<(IpAddr, Duration)>,
}

/// Whether a way around weighs much: somebody must have chosen it.
pub(super) fn is_heavy(detector: Detector) -> bool {
    detector.row().weight > Severity::Low
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
    /// Since when everything is remembered that devices were told; none where it always was.
    whole_since: Option<Duration>,
    before: Mutex<Before>,
    /// When something that a device was told was last forgotten for want of room.
    forgotten: quick_cache::sync::Cache<Device, Duration>,
    tried: quick_cache::sync::Cache<(Device, IpAddr), Tried>,
    /// The same of each heavy way around.
    kinds: quick_cache::sync::Cache<(Device, Detector), Kind>,
}

impl Attempts {
    /// None so far. Times are the steady clock's.
    pub(super) fn new(whole_since: Option<Duration>) -> Self {
        Self {
            whole_since,
            before: Mutex::default(),
            forgotten: quick_cache::sync::Cache::new(MOST_FORGOTTEN),
            tried: quick_cache::sync::Cache::new(MOST),
            kinds: quick_cache::sync::Cache::new(MOST_KINDS),
        }
    }

    /// Something that a device was told is forgotten: nobody can tell any more what led it to an address.
    pub(super) fn forgot(&self, device: Device, now: Duration) {
        self.forgotten.insert(device, now);
    }

    /// Whether a bare address tells nothing of this device, since what it was told before is not remembered whole.
    fn may_have_been_told(&self, device: Device, now: Duration) -> bool {
        let lately = |then: Duration| then + COMES_BACK > now;
        self.whole_since.is_some_and(lately) || self.forgotten.get(&device).is_some_and(lately)
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
    pub(super) fn unknown(
        &self,
        device: Device,
        (from, to): (IpAddr, IpAddr),
        detected: Option<Detector>,
        now: Duration,
    ) -> Weight {
        let ended = self.before().ended.get(&(from.to_canonical(), to.to_canonical())).copied();
        let comes_back = ended.is_some_and(|ended| ended + COMES_BACK > now);
        let is_quiet = self.whole_since.is_some_and(|since| now < since + QUIET);
        // An address with nothing more to it is what a program has that was told it hours ago.
        let says_nothing = detected == Some(Detector::DirectAddress) && self.may_have_been_told(device, now);
        if is_quiet || comes_back || says_nothing {
            return Weight::None;
        }
        self.again(device, to, detected, now)
    }

    /// The same, to an address that an answer once gave.
    pub(super) fn again(
        &self,
        device: Device,
        to: IpAddr,
        detected: Option<Detector>,
        now: Duration,
    ) -> Weight {
        let tried = Tried::again(self.tried.get(&(device, to)), now);
        self.tried.insert((device, to), tried);
        let of_its_kind =
            detected.filter(|one| is_heavy(*one)).is_some_and(|one| self.of(one, device, to, now));
        if tried.is_repeated() || of_its_kind { Weight::Full } else { Weight::Little }
    }

    /// Whether a device has tried one way around again and again, and this address is the one as which that is told: one of many, and
    /// for as long as it goes on another each hour.
    fn of(&self, detector: Detector, device: Device, to: IpAddr, now: Duration) -> bool {
        let before = self.kinds.get(&(device, detector));
        let tried = Tried::again(before.map(|kind| kind.tried), now);
        let lately = |(_, then): &(IpAddr, Duration)| *then + FORGOTTEN > now;
        let mut told = before.and_then(|kind| kind.told).filter(lately);
        let is_told = tried.is_repeated() && told.is_none_or(|(told, _)| told == to);
        if is_told {
            told = Some((to, now));
        }
        self.kinds.insert((device, detector), Kind { tried, told });
        is_told
    }

    fn before(&self) -> MutexGuard<'_, Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECT: Option<Detector> = Some(Detector::DirectAddress);
    const PHONE: Device = Device::Mac([2, 0, 0, 0, 0, 0x11]);

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn weights_of(attempts: &Attempts, detected: Option<Detector>, seconds: &[u64]) -> Vec<Weight> {
        let ends = (ip("192.168.4.11"), ip("192.0.2.1"));
        let at = |second: &u64| attempts.unknown(PHONE, ends, detected, Duration::from_secs(*second));
        seconds.iter().map(at).collect()
    }

    fn weights(attempts: &Attempts, seconds: &[u64]) -> Vec<Weight> {
        weights_of(attempts, DIRECT, seconds)
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
            let attempts = Attempts::new(None);
            assert_eq!(weights(&attempts, seconds).last(), Some(&last), "{case}");
        }
    }

    #[test]
    fn one_way_around_at_many_addresses_is_told_as_one() {
        use Weight::{Full, Little};
        let tries = |attempts: &Attempts, detector, relay: u8, second| {
            let to = IpAddr::from([192, 0, 2, relay]);
            attempts.again(PHONE, to, Some(detector), Duration::from_secs(second))
        };
        for (detector, fourth) in [(Detector::Tor, Full), (Detector::DirectAddress, Little)] {
            let attempts = Attempts::new(None);
            let twice = (0..16_u8).map(|n| tries(&attempts, detector, n % 8, u64::from(n) * 10));
            let weights: Vec<_> = twice.collect();
            // The fourth address, and that one again.
            let expected: Vec<_> = (0..16).map(|n| if n % 8 == 3 { fourth } else { Little }).collect();
            assert_eq!(weights, expected, "{detector:?}");
        }
        // Other servers all night: one more each hour.
        let attempts = Attempts::new(None);
        let night = (0..360_u64).map(|n| tries(&attempts, Detector::WireGuard, (n % 250) as u8, n * 60));
        assert_eq!(night.filter(|weight| *weight == Full).count(), 6);
        // All at once is one attempt, whatever the addresses; and two ways around are not one.
        let attempts = Attempts::new(None);
        for n in 0..3 {
            assert_eq!(tries(&attempts, Detector::Tor, n, 100), Little);
        }
        for (detector, second) in [(Detector::Tor, 120), (Detector::OpenVpn, 130), (Detector::Tor, 140)] {
            assert_eq!(tries(&attempts, detector, 9, second), Little, "{second}");
        }
        // Nor are a home's devices one, each of which has tried it once.
        let attempts = Attempts::new(None);
        for n in 0..8 {
            let (device, to) = (Device::Mac([2, 0, 0, 0, 0, n]), IpAddr::from([192, 0, 2, n]));
            let weight =
                attempts.again(device, to, Some(Detector::Tor), Duration::from_secs(u64::from(n) * 10));
            assert_eq!(weight, Little, "{n}");
        }
    }

    #[test]
    fn nothing_is_told_of_what_began_before() {
        let attempts = Attempts::new(None);
        attempts.began_before(ip("::ffff:192.168.4.11"), ip("192.0.2.1"), Duration::from_secs(100));
        assert_eq!(weights(&attempts, &[101, 200, 300, 400, 20_000]), [Weight::None; 5]);
        assert_eq!(weights(&attempts, &[22_000]), [Weight::Little], "hours later it is new");
        let ends = (ip("192.168.4.11"), ip("192.0.2.2"));
        let weight = attempts.unknown(PHONE, ends, DIRECT, Duration::from_secs(101));
        assert_eq!(weight, Weight::Little, "another address is new");
    }

    #[test]
    fn a_restart_that_forgot_what_devices_were_told_accuses_nobody_of_an_address() {
        let since = Duration::from_secs(100);
        let attempts = Attempts::new(Some(since));
        assert_eq!(weights(&attempts, &[101, 699, 700, 5000, 5010, 5020, 5040, 21_699]), [Weight::None; 8]);
        assert_eq!(weights(&attempts, &[21_700]), [Weight::Little], "by then all is remembered");
        // What somebody must have chosen is no address that an app was told.
        let attempts = Attempts::new(Some(since));
        let vpn = weights_of(&attempts, Some(Detector::WireGuard), &[699, 700, 710, 720, 740]);
        assert_eq!(vpn, [Weight::None, Weight::Little, Weight::Little, Weight::Little, Weight::Full]);
    }

    #[test]
    fn whose_names_were_pushed_out_is_accused_of_no_address() {
        let attempts = Attempts::new(None);
        attempts.forgot(PHONE, Duration::from_secs(100));
        assert_eq!(weights(&attempts, &[200, 210, 220, 240, 21_699]), [Weight::None; 5]);
        assert_eq!(weights(&attempts, &[21_700]), [Weight::Little]);
        let (other, ends) = (Device::Mac([2; 6]), (ip("192.168.4.12"), ip("192.0.2.1")));
        let weight = attempts.unknown(other, ends, DIRECT, Duration::from_secs(200));
        assert_eq!(weight, Weight::Little, "another device is");
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let attempts = Attempts::new(None);
        for n in 0..2 * MOST_BEFORE as u32 {
            let to = std::net::Ipv4Addr::from_bits(n).into();
            attempts.began_before(ip("192.168.4.11"), to, Duration::from_secs(1));
            attempts.again(PHONE, to, None, Duration::from_secs(1));
            let [a, b, c, d] = n.to_be_bytes();
            let made_up = Device::Mac([2, 0, a, b, c, d]);
            attempts.forgot(made_up, Duration::from_secs(1));
            attempts.again(made_up, to, Some(Detector::Tor), Duration::from_secs(1));
        }
        assert_eq!(attempts.before().ended.len(), MOST_BEFORE);
        assert!(attempts.kinds.len() <= MOST_KINDS);
        assert!(attempts.tried.len() <= MOST && attempts.forgotten.len() <= MOST_FORGOTTEN);
    }
}
