//! What the openings remember over a restart, and take up after it.

use super::memory::Line;
use super::opening::{Opening, Stand};
use super::openings::{Kept, Openings, Wanted, is_held, lock};
use super::room::MOST;
use super::sets::{As, Device};
use super::watch::REMEMBERED;
use crate::tunnel::Asker;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Openings {
    /// Takes up what was open before a restart, and the names that led there, where they are known.
    pub(super) fn restore(&self, Kept { elements, lines, flows }: Kept) {
        let now = self.clock.steady();
        for Line { device, to, asker, over, named } in lines {
            let closes = now.saturating_sub(over);
            if over >= REMEMBERED || !is_held(device, to) || self.len() >= MOST {
                continue;
            }
            let mut shard = self.shard(device);
            let opening = match shard.entry(device).or_default().entry(to) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    self.count.fetch_add(1, Ordering::Relaxed);
                    entry.insert(Opening::over(asker.clone(), closes))
                }
            };
            opening.asker = asker;
            opening.name(named);
        }
        let (open, unread): (Vec<_>, Vec<_>) =
            elements.into_iter().partition(|(element, _)| element.as_ == As::Open);
        for (element, left) in open {
            let mut shard = self.shard(element.device);
            let opening = shard.entry(element.device).or_default().entry(element.to).or_insert_with(|| {
                self.count.fetch_add(1, Ordering::Relaxed);
                unnamed(element.device, Duration::ZERO)
            });
            (opening.closes, opening.stand) = (now + left, Stand::Open);
        }
        for (element, left) in unread {
            let mut shard = self.shard(element.device);
            let opening = shard.get_mut(&element.device).and_then(|of| of.get_mut(&element.to));
            if let Some(opening) = opening {
                opening.unread = now + left;
            }
        }
        *lock(&self.flowing) = flows;
    }

    /// Takes up what flowed at the start: our rules let it begin, though nobody remembers by which name, since its element has
    /// ended meanwhile. What an exception lets begin is the exception's.
    pub(super) fn adopt(&self) {
        let now = self.clock.steady();
        for (from, to, port) in std::mem::take(&mut *lock(&self.flowing)) {
            let device = self.device(from, None);
            if !is_held(device, to) || self.len() >= MOST || !self.is_stray(from, to, port) {
                continue;
            }
            self.shard(device).entry(device).or_default().entry(to).or_insert_with(|| {
                self.count.fetch_add(1, Ordering::Relaxed);
                let mut opening = unnamed(device, now);
                opening.asker.address = from;
                opening
            });
        }
    }

    /// Writes anew what is to be remembered over a restart.
    pub(super) fn write_anew(&self) {
        let Some(memory) = &self.memory else { return };
        let now = self.clock.steady();
        // One shard after the other would let what is opened meanwhile be lost: all are held, for moments.
        let shards: Vec<_> = self.shards.iter().map(lock).collect();
        let all = shards.iter().flat_map(|shard| shard.iter());
        let all = all.flat_map(|(device, of)| of.iter().map(|(to, opening)| (*device, *to, opening)));
        if let Err(error) = lock(memory).write_all(all, now) {
            tracing::warn!(%error, "what is open cannot be remembered over a restart");
        }
    }

    /// Remembers what was just opened.
    pub(super) fn remember(&self, device: Device, wanted: &Wanted) {
        let Some(memory) = &self.memory else { return };
        let is_long = {
            let mut memory = lock(memory);
            memory.add(device, &wanted.addresses, &wanted.asker, &wanted.named());
            memory.is_long()
        };
        if is_long {
            self.write_anew();
        }
    }
}

/// What was opened before a restart by a name that nobody remembers.
fn unnamed(device: Device, closes: Duration) -> Opening {
    let address = match device {
        Device::Address(address) => address,
        Device::Mac(_) => IpAddr::from([0, 0, 0, 0]),
    };
    Opening::over(Asker { address, token: None }, closes)
}
