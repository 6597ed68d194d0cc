//! What the kernel has to be told of an opening, and room for more of them.

use super::opening::{Opening, Stand};
use super::openings::{GRACE, LINGER, MOST, Of, Openings, RESERVED, Wanted, is_held};
use super::sets::{As, Change, Device, Element};
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// So many addresses of one device: the oldest make room.
const MOST_OF_ONE: usize = 4096;
/// So many before devices that are known by their address alone get no more: anybody can make addresses up.
const MOST_WITHOUT_HARDWARE: usize = (MOST - RESERVED) / 2;

impl Openings {
    /// Writes down what is wanted, and says what the kernel has to be told, and whether any of it is not remembered yet.
    pub(super) fn prepare(&self, device: Device, wanted: &Wanted, lasts: Duration) -> (Vec<Change>, bool) {
        let now = self.clock.steady();
        let enough = now + lasts.saturating_sub(LINGER / 2).max(wanted.usable).min(lasts);
        let (mut changes, mut is_new) = (Vec::new(), false);
        let mut shard = self.shard(device);
        let of = shard.entry(device).or_default();
        for &to in wanted.addresses.iter().filter(|to| is_held(device, **to)) {
            let element = Element::open(device, to);
            if !of.contains_key(&to) && !self.make_room(device, of, wanted.protected, &mut changes) {
                continue;
            }
            let opening = match of.entry(to) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    self.count.fetch_add(1, Ordering::Relaxed);
                    entry.insert(Opening {
                        stand: Stand::Shut,
                        ..Opening::over(wanted.asker.clone(), Duration::ZERO)
                    })
                }
            };
            is_new |= opening.note(wanted);
            if wanted.unread && opening.unread < enough {
                let (unread, is_there) = (Element::unread(device, to), opening.unread + GRACE > now);
                changes.push(if is_there && !opening.unread.is_zero() {
                    Change::Renew(unread, lasts)
                } else {
                    Change::Add(unread, lasts)
                });
                opening.unread = now + lasts;
            }
            let is_there = opening.closes + GRACE > now;
            match opening.stand {
                Stand::Open | Stand::Asked if opening.closes >= enough => continue,
                // It may still be in the kernel's set, which would not give it more time.
                Stand::Open | Stand::Asked | Stand::Lapsed if is_there => {
                    changes.push(Change::Renew(element, lasts));
                }
                Stand::Open | Stand::Asked | Stand::Lapsed | Stand::Shut => {
                    changes.push(Change::Add(element, lasts));
                }
            }
            opening.stand = Stand::Asked;
            opening.closes = now + lasts;
        }
        (changes, is_new)
    }

    /// What became of changes: called before whoever asked for them goes on.
    pub(super) fn tried(&self, changes: &[Change], made: bool) {
        for change in changes {
            let (Change::Add(element, _) | Change::Renew(element, _)) = change else { continue };
            let Element { device, to, as_ } = element;
            let mut shard = self.shard(*device);
            let Some(opening) = shard.get_mut(device).and_then(|of| of.get_mut(to)) else { continue };
            match as_ {
                As::Open if opening.stand == Stand::Asked => {
                    opening.stand = if made { Stand::Open } else { Stand::Lapsed };
                }
                As::Unread if !made => opening.unread = Duration::ZERO,
                As::Open | As::Unread => {}
            }
        }
    }

    /// Makes room for one more: whoever reaches for many loses their own oldest.
    fn make_room(&self, device: Device, of: &mut Of, protected: bool, changes: &mut Vec<Change>) -> bool {
        let most = room(device, protected);
        if of.len() < MOST_OF_ONE && self.len() < most {
            return true;
        }
        let Some(oldest) =
            of.iter().min_by_key(|(_, opening)| opening.closes.max(opening.flowed)).map(|(to, _)| *to)
        else {
            return false;
        };
        let gone = of.remove(&oldest).map(|opening| opening.stand);
        if matches!(gone, Some(Stand::Open | Stand::Asked)) {
            changes.push(Change::Remove(Element::open(device, oldest)));
        }
        self.count.fetch_sub(1, Ordering::Relaxed);
        true
    }
}

/// How many there may be of all together for one more to be put in.
fn room(device: Device, protected: bool) -> usize {
    match device {
        _ if protected => MOST,
        Device::Mac(_) => MOST - RESERVED,
        Device::Address(_) => MOST_WITHOUT_HARDWARE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn nobody_takes_the_room_of_what_is_protected() {
        let (mac, address) = (Device::Mac([2; 6]), Device::Address(IpAddr::from([192, 168, 4, 9])));
        for device in [mac, address] {
            assert_eq!(room(device, true), MOST);
            assert!(room(device, false) + RESERVED <= MOST, "{device:?}");
        }
    }
}
