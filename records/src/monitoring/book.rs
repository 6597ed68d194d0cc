//! What monitoring gained since the last commit: one minute a key a person, however many devices.

use super::read::MonitoredKind;
use super::watch::Marks;
use super::{MOST_SITES, OTHER_SITES};
use crate::minutes::Known;
use crate::room::Records;
use crate::spell;
use crate::store::{StoreError, Tx};
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Whose, of which kind, which key.
type Of = (String, MonitoredKind, String);

/// The sites that have minutes of their own in a day, by person.
pub(super) type Sites = HashMap<String, HashSet<String>>;

/// Minutes to add to a line of the store. A minute that was estimated and is now counted takes one estimated back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gain {
    counted: i64,
    estimated: i64,
}

/// A line that gained minutes.
#[derive(Debug)]
pub(crate) struct Gained {
    day: NaiveDate,
    of: Of,
    gain: Gain,
}

/// The running minute of everybody who is monitored, and what waits for the store.
#[derive(Debug, Default)]
pub(super) struct Book {
    day: Option<NaiveDate>,
    sites: Sites,
    minute: u64,
    running: HashMap<Of, Known>,
    /// Whose running minute was kept before a restart.
    before: HashSet<String>,
    due: HashMap<(NaiveDate, Of), Gain>,
}

/// The minute of the steady clock.
fn minute(steady: Duration) -> u64 {
    steady.as_secs() / 60
}

impl Book {
    pub(super) fn is_of(&self, day: NaiveDate) -> bool {
        self.day == Some(day)
    }

    /// Turns to a day, with the sites that the store has of it.
    pub(super) fn enter(&mut self, day: NaiveDate, sites: Sites) {
        (self.day, self.sites) = (Some(day), sites);
    }

    /// Goes on after a restart: the running minute of these people is in the store, and is not added to.
    pub(super) fn resume(&mut self, steady: Duration, before: HashSet<String>) {
        self.minute = minute(steady);
        self.before = before;
    }

    /// Adds a person's marks to the running minute.
    pub(super) fn add(&mut self, person: &str, marks: &Marks, steady: Duration) {
        let minute = minute(steady);
        if minute != self.minute {
            self.running.clear();
            self.before.clear();
            self.minute = minute;
        }
        if self.before.contains(person) {
            return;
        }
        for (word, known) in &marks.categories {
            self.count(person, MonitoredKind::Category, word, *known);
        }
        for (site, known) in &marks.sites {
            let site = if self.has_room(person, site) { site } else { OTHER_SITES };
            self.count(person, MonitoredKind::Site, site, *known);
        }
    }

    /// Whether the site has minutes of its own today, or now begins to.
    fn has_room(&mut self, person: &str, site: &str) -> bool {
        let sites = self.sites.entry(person.to_owned()).or_default();
        if sites.contains(site) {
            return true;
        }
        let room = sites.len() < MOST_SITES;
        if room && site != OTHER_SITES {
            sites.insert(site.to_owned());
        }
        room
    }

    fn count(&mut self, person: &str, kind: MonitoredKind, key: &str, known: Known) {
        let Some(day) = self.day else { return };
        let of = (person.to_owned(), kind, key.to_owned());
        let gain = match (self.running.get(&of), known) {
            (Some(Known::Counted), _) | (Some(Known::Estimated), Known::Estimated) => return,
            (Some(Known::Estimated), Known::Counted) => Gain { counted: 1, estimated: -1 },
            (None, Known::Counted) => Gain { counted: 1, estimated: 0 },
            (None, Known::Estimated) => Gain { counted: 0, estimated: 1 },
        };
        self.running.insert(of.clone(), known);
        self.owe(day, of, gain);
    }

    fn owe(&mut self, day: NaiveDate, of: Of, gain: Gain) {
        let due = self.due.entry((day, of)).or_default();
        due.counted += gain.counted;
        due.estimated += gain.estimated;
    }

    /// Whether there is anything that the store does not have yet.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes what the store does not have yet.
    pub(super) fn take_due(&mut self) -> Vec<Gained> {
        self.due.drain().map(|((day, of), gain)| Gained { day, of, gain }).collect()
    }

    /// Gives back what could not be stored.
    pub(super) fn give_back(&mut self, gained: Vec<Gained>) {
        for Gained { day, of, gain } in gained {
            self.owe(day, of, gain);
        }
    }
}

/// Adds minutes to a line of the store.
pub(crate) async fn store_gained(tx: &mut Tx, gained: &Gained) -> Result<(), StoreError> {
    let Gained { day, of: (person, kind, word), gain } = gained;
    tx.exec(
        "INSERT INTO monitored (day, person, kind, word, counted, estimated) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (day, person, kind, word) DO UPDATE \
         SET counted = monitored.counted + excluded.counted, \
             estimated = monitored.estimated + excluded.estimated",
        &[
            day.to_string().into(),
            person.as_str().into(),
            spell::word(kind).into(),
            word.as_str().into(),
            gain.counted.into(),
            gain.estimated.into(),
        ],
    )
    .await?;
    Ok(())
}

impl Records {
    /// The sites that have minutes of their own in a day.
    pub(super) async fn monitored_sites(&self, day: NaiveDate) -> Result<Sites, StoreError> {
        let sql = "SELECT person, word FROM monitored WHERE day = $1 AND kind = 'site' AND word <> $2";
        let mut sites = Sites::new();
        for line in self.store.rows(sql, &[day.to_string().into(), OTHER_SITES.into()]).await? {
            sites.entry(line.text(0)?.to_owned()).or_default().insert(line.text(1)?.to_owned());
        }
        Ok(sites)
    }
}

#[cfg(test)]
mod tests {
    use super::Known::{Counted, Estimated};
    use super::*;

    fn marks(sites: &[(String, Known)]) -> Marks {
        let sites = sites.iter().map(|(site, known)| (site.as_str().into(), *known)).collect();
        Marks { sites, ..Marks::default() }
    }

    fn book() -> Book {
        let mut book = Book::default();
        book.enter(NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(), Sites::new());
        book
    }

    fn due(book: &Book, key: &str) -> (i64, i64) {
        let of = book.due.iter().find(|((_, (.., word)), _)| word == key);
        of.map_or((0, 0), |(_, gain)| (gain.counted, gain.estimated))
    }

    #[test]
    fn one_minute_a_key_however_often_it_is_marked() {
        let conversation: &[(&str, u64, Known, (i64, i64))] = &[
            ("a lookup", 600, Estimated, (0, 1)),
            ("another device's lookup in the minute", 610, Estimated, (0, 1)),
            ("its traffic: the same minute, now really counted", 620, Counted, (1, 0)),
            ("more of it", 630, Counted, (1, 0)),
            ("a late lookup takes nothing back", 640, Estimated, (1, 0)),
            ("the next minute", 660, Counted, (2, 0)),
            ("the one after", 725, Estimated, (2, 1)),
        ];
        let mut book = book();
        for (case, steady, known, expected) in conversation {
            book.add("jordan", &marks(&[("a.test".into(), *known)]), Duration::from_secs(*steady));
            assert_eq!(due(&book, "a.test"), *expected, "{case}");
        }
    }

    #[test]
    fn what_could_not_be_stored_comes_again() {
        let mut book = book();
        book.add("jordan", &marks(&[("a.test".into(), Estimated)]), Duration::from_secs(600));
        let taken = book.take_due();
        book.add("jordan", &marks(&[("a.test".into(), Counted)]), Duration::from_secs(610));
        assert_eq!(due(&book, "a.test"), (1, -1), "what is taken is not lost sight of");
        book.give_back(taken);
        assert_eq!(due(&book, "a.test"), (1, 0));
    }

    #[test]
    fn a_day_has_so_many_sites_and_no_more() {
        let mut book = book();
        let site = |i| (format!("site{i}.test"), Counted);
        for i in 0..MOST_SITES + 3 {
            book.add("jordan", &marks(&[site(i)]), Duration::from_secs(600));
        }
        assert_eq!(book.due.len(), MOST_SITES + 1);
        assert_eq!(due(&book, OTHER_SITES), (1, 0));
        book.add("jordan", &marks(&[site(0), site(MOST_SITES)]), Duration::from_secs(660));
        assert_eq!((due(&book, "site0.test"), due(&book, OTHER_SITES)), ((2, 0), (2, 0)));
        book.add("alex", &marks(&[site(MOST_SITES)]), Duration::from_secs(660));
        assert_eq!(due(&book, &site(MOST_SITES).0), (1, 0), "somebody else's day");
    }
}
