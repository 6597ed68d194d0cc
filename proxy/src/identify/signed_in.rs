//! Who has signed in on which device, by hardware address or, where that is not seen, by address.
//!
//! Kept in memory alone: after a restart everybody signs in again. It speaks for devices that nobody knows and for those
//! that several share, and for nobody's own device.

use arc_swap::ArcSwap;
use records::Face;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many devices have somebody signed in on them at once; a home has fewer.
const MOST: usize = 256;
/// Nobody has used a device for so long: whoever comes next is not taken for who was there before.
pub const IDLE: Duration = Duration::from_secs(30 * 60);

/// Somebody who is signed in on a device.
#[derive(Debug)]
pub struct SignIn {
    /// The person's id.
    pub person: Box<str>,
    /// When it ends whatever happens, by the steady clock.
    pub ends: Duration,
    /// When the device was last in use, in seconds of the steady clock.
    used: AtomicU64,
}

impl SignIn {
    /// The device is in use.
    pub(crate) fn used(&self, now: Duration) {
        self.used.fetch_max(now.as_secs(), Ordering::Relaxed);
    }

    /// When it ends unless the device is used again, by the steady clock.
    pub fn lapses(&self) -> Duration {
        self.ends.min(Duration::from_secs(self.used.load(Ordering::Relaxed)) + IDLE)
    }
}

/// Everybody who is signed in.
#[derive(Debug, Default)]
pub struct SignedIn {
    faces: ArcSwap<HashMap<Face, Arc<SignIn>>>,
    version: AtomicU64,
    changing: Mutex<()>,
}

impl SignedIn {
    /// Somebody signs in on a device until `ends`; whoever was there before is signed out. False where there is no room.
    pub fn begin(&self, face: Face, person: &str, now: Duration, ends: Duration) -> bool {
        let sign_in = SignIn { person: person.into(), ends, used: AtomicU64::new(now.as_secs()) };
        self.change(|faces| {
            if faces.len() >= MOST && !faces.contains_key(&face) {
                return false;
            }
            faces.insert(face, Arc::new(sign_in));
            true
        })
    }

    /// Whoever is signed in on a device is so no longer. Whether anybody was.
    pub fn end(&self, face: Face) -> bool {
        self.change(|faces| faces.remove(&face).is_some())
    }

    /// A person is signed in nowhere any more. Whether they were.
    pub fn end_all_of(&self, person: &str) -> bool {
        self.keep(|sign_in| *sign_in.person != *person)
    }

    /// Ends what has lapsed. Whether anything had.
    pub fn lapse(&self, now: Duration) -> bool {
        !self.faces.load().is_empty() && self.keep(|sign_in| sign_in.lapses() > now)
    }

    /// Everybody who is signed in, and where.
    pub fn all(&self) -> Vec<(Face, Arc<SignIn>)> {
        let mut all: Vec<_> = self.faces.load().iter().map(|(face, one)| (*face, one.clone())).collect();
        all.sort_by_key(|(face, _)| *face);
        all
    }

    /// Who is signed in on a device.
    pub fn of(&self, face: Face) -> Option<Arc<SignIn>> {
        self.faces.load().get(&face).cloned()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.faces.load().is_empty()
    }

    /// It grows with every change: whoever keeps what this said compares.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    fn keep(&self, keeps: impl Fn(&SignIn) -> bool) -> bool {
        self.change(|faces| {
            let before = faces.len();
            faces.retain(|_, one| keeps(one));
            faces.len() < before
        })
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Face, Arc<SignIn>>) -> bool) -> bool {
        let _one_at_a_time: MutexGuard<'_, ()> = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut faces = HashMap::clone(&self.faces.load());
        let changed = change(&mut faces);
        if changed {
            self.faces.store(Arc::new(faces));
            // After the table: whoever sees the new number finds the new table.
            self.version.fetch_add(1, Ordering::Release);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const PHONE: Face = Face::Mac([2, 0, 0, 0, 0, 9]);

    #[test]
    fn it_lapses_when_nobody_uses_the_device_and_at_its_end() {
        let (table, start) = (SignedIn::default(), HOUR);
        assert!(table.begin(PHONE, "jo", start, start + 2 * HOUR));
        let minutes = |minutes: u64| start + Duration::from_secs(60 * minutes);
        for (case, now, used, there) in [
            ("at first", minutes(0), false, true),
            ("for half an hour", minutes(29), true, true),
            ("and for half an hour from its last use", minutes(58), true, true),
            ("a use that is told late takes nothing back", minutes(50), true, true),
            ("still", minutes(87), true, true),
            ("and on", minutes(116), true, true),
            ("but no longer than it was given", minutes(120), true, false),
        ] {
            table.lapse(now);
            let found = table.of(PHONE);
            assert_eq!(found.is_some(), there, "{case}");
            if let Some(found) = found.filter(|_| used) {
                found.used(now);
            }
        }
        assert!(table.begin(PHONE, "jo", start, start + 2 * HOUR));
        assert!(table.lapse(minutes(31)) && table.of(PHONE).is_none(), "nobody used it");
    }

    #[test]
    fn whoever_signs_in_next_takes_the_place() {
        let table = SignedIn::default();
        let who = |face| table.of(face).map(|one| one.person.to_string());
        assert!(table.begin(PHONE, "jo", HOUR, 2 * HOUR));
        let before = table.version();
        assert!(table.begin(PHONE, "sam", HOUR, 2 * HOUR) && table.version() > before);
        assert_eq!(who(PHONE).as_deref(), Some("sam"));
        assert!(!table.end_all_of("jo") && table.end_all_of("sam") && !table.end(PHONE));
        assert_eq!(who(PHONE), None);
    }

    #[test]
    fn there_is_room_for_a_home() {
        let table = SignedIn::default();
        let face = |n: usize| Face::Mac([2, 0, 0, 0, (n >> 8) as u8, n as u8]);
        assert!((0..MOST).all(|n| table.begin(face(n), "jo", HOUR, 2 * HOUR)));
        assert!(!table.begin(face(MOST), "jo", HOUR, 2 * HOUR));
        assert!(table.begin(face(0), "sam", HOUR, 2 * HOUR), "who is there may be followed by another");
    }
}
