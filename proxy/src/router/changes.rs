//! What the kernel has to be told of what an answer gives, and what became of it.

use super::opening::{Opening, Stand};
use super::openings::{GRACE, LINGER, Openings, Wanted, Why, is_held};
use super::room::room;
use super::sets::{As, Change, Device, Element};
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What flows to what is protected goes on for so long after a device was given its address, also where nobody is there any more who
/// looks after what flows.
const HELP: Duration = Duration::from_secs(6 * 3600);

impl Openings {
    /// Writes down what is wanted, and says what the kernel has to be told, and whether any of it is not remembered yet.
    pub(super) fn prepare(&self, device: Device, wanted: &Wanted, lasts: Duration) -> (Vec<Change>, bool) {
        if wanted.why == Why::Connected && self.len() >= room(device, wanted.protected) {
            self.free(device);
        }
        let now = self.clock.steady();
        let enough = now + lasts.saturating_sub(LINGER / 2).max(wanted.usable).min(lasts);
        let (mut changes, mut is_new) = (Vec::new(), false);
        let mut shard = self.shard(device);
        let of = shard.entry(device).or_default();
        for &to in wanted.addresses.iter().filter(|to| is_held(device, **to)) {
            let element = Element::open(device, to);
            if !of.contains_key(&to) && !self.make_room(device, of, wanted, &mut changes) {
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
            // A call for help goes on for hours, whatever becomes of the gateway meanwhile.
            let (unread, enough_unread) =
                if wanted.protected { (HELP, now + HELP / 2) } else { (lasts, enough) };
            if wanted.unread && (opening.unread < enough_unread || wanted.why == Why::Refused) {
                changes.push(opening.leave_unread(Element::unread(device, to), now, unread));
            }
            let is_there = opening.closes + GRACE > now;
            match opening.stand {
                // What was refused is not there, whatever came in between.
                Stand::Open | Stand::Asked if opening.closes >= enough && wanted.why != Why::Refused => {
                    continue;
                }
                // It may still be in the kernel's set, which would not give it more time; one that is to be shut, too.
                Stand::Open | Stand::Asked | Stand::Lapsed | Stand::Shut if is_there => {
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
}

impl Opening {
    /// From now on nobody looks into what is spoken there, for so long.
    fn leave_unread(&mut self, unread: Element, now: Duration, lasts: Duration) -> Change {
        let is_there = !self.unread.is_zero() && self.unread + GRACE > now;
        self.unread = now + lasts;
        if is_there { Change::Renew(unread, lasts) } else { Change::Add(unread, lasts) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::play::{Home, JORDAN, MAC, Play, site};

    /// What the kernel is told of an address, and for how long.
    fn told(changes: &[Change]) -> Vec<(As, u64)> {
        let of = |change: &Change| match change {
            Change::Add(element, time) | Change::Renew(element, time) => (element.as_, time.as_secs()),
            Change::Remove(element) => (element.as_, 0),
        };
        changes.iter().map(of).collect()
    }

    #[tokio::test]
    async fn a_call_for_help_outlives_the_gateway_for_hours_and_no_other() {
        let play = Play::new([JORDAN]);
        let home = Home::of(&play).await;
        let asks = |protected| {
            let wanted = play.wanted("helpline.test", JORDAN.0, site(1), Why::Connected);
            told(&play.gives(&Wanted { protected, unread: true, ..wanted }))
        };
        assert_eq!(asks(false), [(As::Unread, 900), (As::Open, 900)]);
        assert_eq!(asks(true), [(As::Unread, 6 * 3600)]);
        assert_eq!(asks(true), [], "for a while it is enough");
        play.clock.advance(HELP / 2 + Duration::from_secs(1));
        assert_eq!(asks(true), [(As::Unread, 6 * 3600), (As::Open, 900)]);
        // What is closed afterwards is looked into again.
        let device = Device::Mac(MAC);
        play.openings.shard(device).get_mut(&device).unwrap().get_mut(&site(1)).unwrap().made = None;
        assert_eq!(play.looks(&home.gate), [(device, site(1)), (device, site(1))], "both are taken out");
    }
}
