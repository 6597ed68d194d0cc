//! What is in force now: the home's files and the catalogue, what staff decided, what has been used.

use crate::minutes::Sheet;
use agreements::{Snapshot, Standing};
use arc_swap::{ArcSwap, Guard};
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A replaced view is kept until nobody holds it any more, so that its last minutes are harvested; but no more of
/// them than this, whatever a tunnel that never ends holds on to.
const RETIRED: usize = 16;

/// One consistent view: a standing is only good with the house it was built for.
#[derive(Debug)]
pub struct Current {
    /// The home's files and the catalogue.
    pub snapshot: Arc<Snapshot>,
    /// What staff decided and what has been used.
    pub standing: Arc<Standing>,
    /// Which replacement this is, from 1. Whoever caches by house compares it.
    pub generation: u64,
    /// Which minutes are in use, by the house's people.
    pub sheet: Arc<Sheet>,
}

impl Current {
    /// A device (by its place in [`agreements::House::devices`]) is in use, as minutes are counted: the desk shows it while
    /// it lasts, and nobody writes it down.
    pub fn device_in_use(&self, device: Option<u16>, at: DateTime<Utc>) {
        if let Some(device) = device {
            self.sheet.used(device, at.timestamp());
        }
    }

    /// When a device was last in use, as far as this view of the house knows.
    pub fn device_used(&self, device: u16) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.sheet.last_used(device)?, 0)
    }
}

/// The atomic pointer to what is in force. Readers take no lock; writers replace the whole.
#[derive(Debug)]
pub struct InForce {
    current: ArcSwap<Current>,
    changed: watch::Sender<u64>,
    /// Held by whoever replaces: the views that still have minutes to give.
    retired: Mutex<Vec<(Arc<Snapshot>, Arc<Sheet>)>>,
}

impl InForce {
    /// Starts with a first view.
    pub fn new(snapshot: Arc<Snapshot>, standing: Arc<Standing>) -> Self {
        let sheet = Arc::new(Sheet::new(&snapshot.house));
        let current = Current { snapshot, standing, generation: 1, sheet };
        Self {
            current: ArcSwap::from_pointee(current),
            changed: watch::Sender::new(1),
            retired: Mutex::new(Vec::new()),
        }
    }

    /// The view in force, for the length of one decision.
    pub fn current(&self) -> Guard<Arc<Current>> {
        self.current.load()
    }

    /// The view in force, to keep.
    pub fn to_keep(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// Tells of every replacement: open tunnels judge again when it does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Brings a new home or catalogue into force, with a standing that was built for it. The generation that it is.
    pub fn replace(&self, snapshot: Arc<Snapshot>, standing: Arc<Standing>) -> u64 {
        let mut retired = self.retired();
        let old = self.to_keep();
        if retired.len() == RETIRED {
            retired.remove(0);
        }
        retired.push((old.snapshot.clone(), old.sheet.clone()));
        let sheet = Sheet::new(&snapshot.house);
        sheet.goes_on_from(&snapshot.house, &old.sheet, &old.snapshot.house);
        let sheet = Arc::new(sheet);
        self.store(Current { snapshot, standing, generation: old.generation + 1, sheet })
    }

    /// Brings a new standing into force. It must have been built for the house in force now; where that can have
    /// changed meanwhile, use [`InForce::replace_standing_of`]. The generation that it is.
    pub fn replace_standing(&self, standing: Arc<Standing>) -> u64 {
        let _writers = self.retired();
        let old = self.to_keep();
        self.with_standing(&old, standing)
    }

    /// Brings a new standing into force, if the snapshot that it was built for still is. Whether it did.
    pub fn replace_standing_of(&self, snapshot: &Arc<Snapshot>, standing: Arc<Standing>) -> bool {
        let _writers = self.retired();
        let old = self.to_keep();
        let same = Arc::ptr_eq(&old.snapshot, snapshot);
        if same {
            self.with_standing(&old, standing);
        }
        same
    }

    /// Whoever replaces holds this lock; readers never take it.
    fn retired(&self) -> MutexGuard<'_, Vec<(Arc<Snapshot>, Arc<Sheet>)>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_standing(&self, old: &Current, standing: Arc<Standing>) -> u64 {
        let (snapshot, sheet) = (old.snapshot.clone(), old.sheet.clone());
        self.store(Current { snapshot, standing, generation: old.generation + 1, sheet })
    }

    fn store(&self, current: Current) -> u64 {
        let generation = current.generation;
        self.current.store(Arc::new(current));
        self.changed.send_replace(generation);
        generation
    }

    /// Every sheet that can have marks: the retired ones, then the one in force. A retired one that nobody else holds
    /// any more is given for the last time.
    pub(crate) fn sheets(&self) -> Vec<(Arc<Snapshot>, Arc<Sheet>)> {
        let mut retired = self.retired();
        let mut all: Vec<_> = Vec::with_capacity(retired.len() + 1);
        retired.retain(|(snapshot, sheet)| {
            let held = Arc::strong_count(sheet) > 1;
            all.push((snapshot.clone(), sheet.clone()));
            held
        });
        let current = self.current.load();
        all.push((current.snapshot.clone(), current.sheet.clone()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blocklists::Catalogue;

    /// A home in which these people have these devices.
    fn home(people: &[(&str, &str)]) -> Arc<Snapshot> {
        let mut files = vec![("home.yaml".to_owned(), "home: Oakview\ntimezone: Europe/London\n".to_owned())];
        let person = |(id, devices): &(&str, &str)| {
            let text = format!("person: {id}\ndevices: [{devices}]\nonline: {{every_day: all_day}}\n");
            (format!("agreements/{id}.yaml"), text)
        };
        files.extend(people.iter().map(person));
        let house = agreements::read(&files, "2026-11-22".parse().unwrap()).house;
        Arc::new(Snapshot { house, catalogue: Arc::new(Catalogue::empty()) })
    }

    #[test]
    fn what_a_reload_does_not_change_stays_in_use() {
        const PHONE: &str = "{name: phone, ip: 192.0.2.1}";
        const LAPTOP: &str = "{name: laptop, ip: 192.0.2.2}";
        let both = format!("{PHONE}, {LAPTOP}");
        let at: DateTime<Utc> = "2026-11-22T17:30:00Z".parse().unwrap();
        for (name, after, used) in [
            ("nothing_changed", vec![("jordan", both.as_str())], vec![true, false]),
            (
                "somebody_before_them",
                vec![("ali", "{name: x, ip: 192.0.2.9}"), ("jordan", &both)],
                vec![false, true, false],
            ),
            (
                "another_order",
                vec![("jordan", "{name: laptop, ip: 192.0.2.2}, {name: phone, ip: 192.0.2.1}")],
                vec![false, true],
            ),
            ("another_name", vec![("jordan", "{name: old phone, ip: 192.0.2.1}")], vec![true]),
            ("another_address", vec![("jordan", "{name: phone, ip: 192.0.2.7}")], vec![false]),
            ("somebody_elses_now", vec![("sam", PHONE)], vec![false]),
            ("gone", vec![("jordan", LAPTOP)], vec![false]),
        ] {
            let in_force = InForce::new(home(&[("jordan", &both)]), Arc::default());
            in_force.current().device_in_use(Some(0), at);
            in_force.replace(home(&after), Arc::default());
            let current = in_force.current();
            let found: Vec<_> = (0..used.len()).map(|n| current.device_used(n as u16)).collect();
            let wanted: Vec<_> = used.iter().map(|used| used.then_some(at)).collect();
            assert_eq!(found, wanted, "{name}");
        }
    }
}
