//! Room for openings: how many there may be, and who makes room for whom.
//!
//! Whoever reaches for many loses their own oldest; whoever has most gives of theirs when all room is taken, so that a device that
//! comes new is never without. A datagram takes nobody's room: its sender can be anybody in anybody's name. What is pushed out
//! is forgotten with its names, so that its device is not taken for one that goes around ([`Attempts::forgot`]).
//!
//! [`Attempts::forgot`]: super::attempts::Attempts::forgot

use super::keeper::Work;
use super::opening::{Opening, Stand};
use super::openings::{Of, Openings, Wanted, Why, lock};
use super::rules;
use super::sets::{Change, Device, Element};
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;

/// So many addresses of one device: the oldest make room.
pub(super) const MOST_OF_ONE: usize = 4096;
/// So many of all together, below what a set can hold.
pub(super) const MOST: usize = rules::MOST - 4096;
/// So many of them are left for what is protected: whoever fills all the rest, with whatever devices they make up, keeps nobody
/// from help.
const RESERVED: usize = 4096;
/// So many before devices that are known by their address alone get no more: anybody can make addresses up.
const MOST_WITHOUT_HARDWARE: usize = (MOST - RESERVED) / 2;
/// When all room is taken this much of it is made at once: looking for who has most takes a while.
const MADE_AT_ONCE: usize = MOST / 16;
/// Elements that one change takes out.
const TOGETHER: usize = 512;

impl Openings {
    /// Makes room for one more of a device's, of its own oldest where it has to be. Whether there is room.
    pub(super) fn make_room(
        &self,
        device: Device,
        of: &mut Of,
        wanted: &Wanted,
        changes: &mut Vec<Change>,
    ) -> bool {
        let is_proven = wanted.why == Why::Connected;
        // Over a connection there is more: whoever is told to come back over one has room there.
        let own = if is_proven { MOST_OF_ONE } else { MOST_OF_ONE / 2 };
        if of.len() < own && self.len() < room(device, wanted.protected) {
            return true;
        }
        if !is_proven {
            return false;
        }
        let oldest = of.iter().min_by_key(|(_, opening)| last(opening)).map(|(to, _)| *to);
        let Some(oldest) = oldest else { return false };
        let now = self.clock.steady();
        changes.extend(of.remove(&oldest).into_iter().flat_map(|o| taken_out(device, oldest, o, now)));
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.attempts.forgot(device, now);
        true
    }

    /// All room is taken: those who have most give half of theirs, what is over before what is open, and the oldest first. Where
    /// devices that are known by their address alone have taken much, it is they who make room for each other: whoever has a
    /// whole network of addresses pushes nobody out whose hardware is known.
    pub(super) fn free(&self, device: Device) {
        let all = self.shards.iter().flat_map(|shard| {
            let sizes = |(device, of): (&Device, &Of)| (of.len(), *device);
            lock(shard).iter().map(sizes).collect::<Vec<_>>()
        });
        let mut greatest: Vec<(usize, Device)> = all.collect();
        let has_hardware = |device: &Device| matches!(device, Device::Mac(_));
        let of_addresses = greatest.iter().filter(|(_, device)| !has_hardware(device)).map(|(size, _)| size);
        if !has_hardware(&device) && of_addresses.sum::<usize>() >= MOST_WITHOUT_HARDWARE / 2 {
            greatest.retain(|(_, device)| !has_hardware(device));
        }
        greatest.sort_unstable_by_key(|(size, _)| std::cmp::Reverse(*size));
        let (now, mut freed, mut changes) = (self.clock.steady(), 0, Vec::new());
        for (_, device) in greatest {
            if freed >= MADE_AT_ONCE {
                break;
            }
            freed += self.give_half(device, now, &mut changes);
        }
        for some in changes.chunks(TOGETHER) {
            // What is not taken out ends by its time.
            let _ = self.work.try_send(Work::Change(some.to_vec(), oneshot::channel().0));
        }
    }

    fn give_half(&self, device: Device, now: Duration, changes: &mut Vec<Change>) -> usize {
        let mut shard = self.shard(device);
        let Some(of) = shard.get_mut(&device) else { return 0 };
        let mut order: Vec<(bool, Duration, IpAddr)> =
            of.iter().map(|(to, opening)| (opening.closes > now, last(opening), *to)).collect();
        order.sort_unstable();
        let half = order.len().div_ceil(2);
        for (_, _, to) in order.into_iter().take(half) {
            changes.extend(of.remove(&to).into_iter().flat_map(|o| taken_out(device, to, o, now)));
        }
        self.count.fetch_sub(half, Ordering::Relaxed);
        self.attempts.forgot(device, now);
        half
    }
}

/// When something was last open, or flowed.
fn last(opening: &Opening) -> Duration {
    opening.closes.max(opening.flowed)
}

fn taken_out(device: Device, to: IpAddr, opening: Opening, now: Duration) -> impl Iterator<Item = Change> {
    let is_in_set = matches!(opening.stand, Stand::Open | Stand::Asked);
    let open = is_in_set.then_some(Element::open(device, to));
    let unread = (opening.unread > now).then_some(Element::unread(device, to));
    open.into_iter().chain(unread).map(Change::Remove)
}

/// How many there may be of all together for one more to be put in.
pub(super) fn room(device: Device, protected: bool) -> usize {
    match device {
        _ if protected => MOST,
        Device::Mac(_) => MOST - RESERVED,
        Device::Address(_) => MOST_WITHOUT_HARDWARE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::attempts::Weight;
    use crate::router::play::{self, MAC, Play};
    use agreements::Detector;

    #[test]
    fn nobody_takes_the_room_of_what_is_protected() {
        let (mac, address) = (Device::Mac([2; 6]), Device::Address(IpAddr::from([192, 168, 4, 9])));
        for device in [mac, address] {
            assert_eq!(room(device, true), MOST);
            assert!(room(device, false) + RESERVED <= MOST, "{device:?}");
        }
    }

    #[test]
    fn datagrams_in_somebodys_name_push_nothing_of_theirs_out() {
        let play = Play::new([play::JORDAN]);
        let first = play::site(0);
        play.opens(play::JORDAN.0, first, Why::Connected);
        play.clock.advance(Duration::from_secs(1));
        for n in 1..6000 {
            play.opens(play::JORDAN.0, play::site(n), Why::Datagram);
        }
        let device = Device::Mac(MAC);
        assert!(play.openings.knows(device, first), "the earliest is still there");
        assert_eq!(play.openings.len(), MOST_OF_ONE / 2);
        // Who proves their address has room for more, and then gives of their own.
        for n in 6000..12_000 {
            play.opens(play::JORDAN.0, play::site(n), Why::Connected);
        }
        assert_eq!(play.openings.len(), MOST_OF_ONE);
        assert!(!play.openings.knows(device, first) && play.openings.knows(device, play::site(11_999)));
    }

    #[test]
    fn whoever_has_a_whole_network_of_addresses_pushes_nobody_else_out() {
        let play = Play::new([play::JORDAN]);
        let first = play::site(0);
        play.opens(play::JORDAN.0, first, Why::Connected);
        play.clock.advance(Duration::from_secs(1));
        for n in 0..40_u8 {
            for site in 0..1000 {
                play.opens(IpAddr::from([192, 168, 9, n]), play::site(site), Why::Connected);
            }
        }
        assert!(play.openings.knows(Device::Mac(MAC), first));
        assert!(play.openings.len() <= MOST_WITHOUT_HARDWARE, "{}", play.openings.len());
    }

    #[test]
    fn a_device_that_comes_new_has_room_when_others_have_taken_all() {
        let devices: Vec<_> = (0..16_u8).map(play::device).collect();
        let play = Play::new(devices.clone());
        for (address, _) in &devices[..15] {
            for n in 0..MOST_OF_ONE as u32 {
                play.opens(*address, play::site(n), Why::Connected);
            }
        }
        assert!(play.openings.len() <= MOST - RESERVED, "{}", play.openings.len());
        let (address, mac) = devices[15];
        play.opens(address, play::site(1), Why::Connected);
        assert!(play.openings.knows(Device::Mac(mac), play::site(1)));
        // Whoever gave of theirs is accused of no address that they were told.
        let pushed_out = devices[..15].iter().any(|(address, mac)| {
            let ends = (*address, play::site(900_000));
            let (device, now) = (Device::Mac(*mac), play.openings.clock.steady());
            play.openings.attempts.unknown(device, ends, Some(Detector::DirectAddress), now) == Weight::None
        });
        assert!(pushed_out);
    }
}
