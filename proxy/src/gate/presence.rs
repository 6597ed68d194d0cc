//! Which devices ask or have something passing, and which have fallen silent.
//!
//! It tells staff that a device is on the network and asks for nothing though it usually does: it may have another way to the
//! internet. It may just as well be asleep, so that it is a hint to ask, and never more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many devices are told apart.
const MOST: usize = 1024;
/// The stretches that a device's use is counted in.
const STRETCH: Duration = Duration::from_secs(600);
/// A device that asked in so many stretches of the last day, at least, is one that talks: three hours.
const TALKS: u32 = 18;
/// One that talks is silent when it has asked nothing for so long.
const SILENT: Duration = Duration::from_secs(3600);
/// After so long nobody need be told any more.
const GONE: Duration = Duration::from_secs(6 * 3600);
/// What was counted halves in this time.
const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
struct Life {
    last: Duration,
    stretch: u128,
    stretches: u32,
    since: Duration,
}

/// By hardware address, when each device asked or had something passing.
#[derive(Debug, Default)]
pub(crate) struct Presence(Mutex<HashMap<[u8; 6], Life>>);

impl Presence {
    /// A device asks, or something passes to or from it, now by the steady clock.
    pub(super) fn asks(&self, mac: [u8; 6], now: Duration) {
        let mut lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lives.len() >= MOST && !lives.contains_key(&mac) {
            lives.retain(|_, life| life.last + GONE > now);
            if lives.len() >= MOST {
                return;
            }
        }
        let stretch = now.as_nanos() / STRETCH.as_nanos();
        let life = lives.entry(mac).or_insert(Life { last: now, stretch, stretches: 1, since: now });
        life.last = now;
        if life.stretch != stretch {
            (life.stretch, life.stretches) = (stretch, life.stretches.saturating_add(1));
        }
        if life.since + DAY <= now {
            (life.since, life.stretches) = (now, life.stretches / 2);
        }
    }

    /// Devices that usually talk and have fallen silent, sorted.
    pub(super) fn silent(&self, now: Duration) -> Vec<[u8; 6]> {
        let lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_silent =
            |life: &Life| life.stretches >= TALKS && life.last + SILENT <= now && now < life.last + GONE;
        let mut silent: Vec<_> =
            lives.iter().filter(|(_, life)| is_silent(life)).map(|(mac, _)| *mac).collect();
        silent.sort_unstable();
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_usually_talks_falls_silent() {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        for (case, asked, now, silent) in [
            ("asked all afternoon, and then not for an hour", (0..24).map(|n| 10 * n).collect(), 291, true),
            ("asked all afternoon, and just now", (0..24).map(|n| 10 * n).collect(), 240, false),
            ("a kettle that asks once a day", vec![1], 100, false),
            ("asked much within ten minutes", (0..9).collect(), 100, false),
            ("gone for a day", (0..24).map(|n| 10 * n).collect::<Vec<u64>>(), 1700, false),
        ] {
            let presence = Presence::default();
            asked.iter().for_each(|n| presence.asks([2; 6], minutes(*n)));
            assert_eq!(!presence.silent(minutes(now)).is_empty(), silent, "{case}");
        }
    }

    #[test]
    fn a_flood_of_made_up_devices_is_bounded() {
        let presence = Presence::default();
        for n in 0..3000_u32 {
            let [a, b, c, d] = n.to_be_bytes();
            presence.asks([2, 0, a, b, c, d], Duration::from_secs(1));
        }
        assert_eq!(presence.0.lock().unwrap().len(), MOST);
    }
}
