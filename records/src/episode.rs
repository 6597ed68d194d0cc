//! Folding refusals into episodes: same person, rule and site within fifteen minutes of the last is one.
//!
//! This is the part without a store and without a clock. What is open is bounded; so is what waits for the disk.

use crate::entry::{BreachEnded, BreachOpened, stamp};
use agreements::{Evidence, Rule, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// A refusal this long after the last of its episode, or longer, begins another.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// So many episodes are open at once; the oldest are ended to make room.
pub(crate) const MOST_OPEN: usize = 10_000;
/// A document asked for again this long after the first was not part of the same page: someone kept trying.
const AGAIN: TimeDelta = TimeDelta::seconds(5);
/// One commit takes no more changes than this, so that it stays short.
pub(crate) const MOST_A_COMMIT: usize = 400;

/// What makes two refusals one episode.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) person: String,
    pub(crate) rule: Rule,
    pub(crate) site: String,
}

/// One refusal, as far as folding goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) at: DateTime<Utc>,
    pub(crate) evidence: Evidence,
    pub(crate) severity: Severity,
}

/// The numbers of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) first: DateTime<Utc>,
    pub(crate) last: DateTime<Utc>,
    pub(crate) count: u64,
    pub(crate) evidence: Evidence,
    pub(crate) severity: Severity,
}

impl Sum {
    fn new(seen: Seen) -> Self {
        let Seen { at, evidence, severity } = seen;
        Self { first: at, last: at, count: 1, evidence, severity }
    }

    /// As the journal has it.
    pub(crate) fn ended(&self, entry: i64) -> BreachEnded {
        BreachEnded {
            entry,
            count: self.count,
            last: stamp(self.last),
            evidence: self.evidence,
            severity: self.severity,
        }
    }
}

#[derive(Clone, Debug)]
struct Episode {
    id: u64,
    key: Key,
    /// Its number in the journal, once it is there.
    entry: Option<i64>,
    /// What the journal will say of its beginning, until it does.
    opened: Option<BreachOpened>,
    sum: Sum,
    /// When a document was first asked for.
    navigated: Option<DateTime<Utc>>,
    dirty: bool,
}

impl Episode {
    fn join(&mut self, seen: Seen) {
        let evidence = match (seen.evidence, self.navigated) {
            (Evidence::Navigation, Some(first)) if (seen.at - first).abs() >= AGAIN => Evidence::Repeated,
            (Evidence::Navigation, None) => {
                self.navigated = Some(seen.at);
                seen.evidence
            }
            (evidence, _) => evidence,
        };
        self.sum.count = self.sum.count.saturating_add(1);
        self.sum.last = self.sum.last.max(seen.at);
        self.sum.evidence = self.sum.evidence.max(evidence);
        self.sum.severity = self.sum.severity.max(seen.severity);
        self.dirty = true;
    }

    fn is_over(&self, at: DateTime<Utc>) -> bool {
        // A clock that went back ends an episode like one that went on: both are no longer "within 15 minutes".
        (at - self.sum.last).abs() > WINDOW
    }
}

/// What folding a refusal did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folded {
    /// It began an episode.
    Opened,
    /// It joined one.
    Joined,
    /// The disk is too far behind: it was dropped.
    NoRoom,
}

/// A change of one episode that the store is to take.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) id: u64,
    pub(crate) key: Key,
    pub(crate) entry: Option<i64>,
    pub(crate) opened: Option<BreachOpened>,
    pub(crate) sum: Sum,
    pub(crate) ended: bool,
}

/// The open episodes, and those that are over and wait for the disk.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    open: HashMap<Key, Episode>,
    ended: Vec<Episode>,
    /// Ended ones that a commit is just taking.
    leaving: Vec<Episode>,
    next_id: u64,
}

impl Episodes {
    /// Goes on with an episode that was open when the gateway last ended; unless another of its kind has begun since,
    /// which only happens to a gateway that is stopped before it could read the store: the next one ends the old one.
    pub(crate) fn recover(&mut self, key: Key, entry: i64, sum: Sum) {
        let id = self.id();
        let navigated = (sum.evidence >= Evidence::Navigation).then_some(sum.last);
        let episode =
            Episode { id, key: key.clone(), entry: Some(entry), opened: None, sum, navigated, dirty: false };
        self.open.entry(key).or_insert(episode);
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Folds one refusal in. `opening` is asked for what the journal will say only where an episode begins; where it
    /// gives nothing, nothing is kept.
    pub(crate) fn fold(
        &mut self,
        key: Key,
        seen: Seen,
        opening: impl FnOnce() -> Option<BreachOpened>,
    ) -> Option<Folded> {
        if let Some(episode) = self.open.get_mut(&key) {
            if !episode.is_over(seen.at) {
                episode.join(seen);
                return Some(Folded::Joined);
            }
            self.end(&key);
        }
        if self.ended.len() + self.leaving.len() >= MOST_OPEN {
            return Some(Folded::NoRoom);
        }
        let opened = Some(opening()?);
        if self.open.len() >= MOST_OPEN {
            self.end_oldest();
        }
        let navigated = (seen.evidence >= Evidence::Navigation).then_some(seen.at);
        let (id, sum) = (self.id(), Sum::new(seen));
        self.open.insert(key.clone(), Episode { id, key, entry: None, opened, sum, navigated, dirty: true });
        Some(Folded::Opened)
    }

    fn end(&mut self, key: &Key) {
        self.ended.extend(self.open.remove(key));
    }

    /// Ends the sixteenth of all that has been quiet for longest: one at a time would look through all each time.
    fn end_oldest(&mut self) {
        let mut all: Vec<_> = self.open.values().map(|e| (e.sum.last, e.key.clone())).collect();
        all.sort_unstable_by_key(|(last, _)| *last);
        all.iter().take(MOST_OPEN / 16).for_each(|(_, key)| self.end(key));
    }

    /// Ends what has been quiet for longer than the window.
    pub(crate) fn end_quiet(&mut self, now: DateTime<Utc>) {
        let quiet = self.open.extract_if(|_, e| e.is_over(now)).map(|(_, e)| e);
        self.ended.extend(quiet);
    }

    /// What the store is to take next; never much at once. [`Episodes::taken`] or [`Episodes::not_taken`] must follow
    /// before this is asked again.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let count = self.ended.len().min(MOST_A_COMMIT);
        self.leaving.extend(self.ended.drain(..count));
        let mut changes: Vec<_> = self.leaving.iter().map(|e| change(e, true)).collect();
        let mut dirty: Vec<_> = self.open.values_mut().filter(|e| e.dirty).collect();
        // The journal has them in the order in which they began.
        dirty.sort_unstable_by_key(|e| e.id);
        for episode in dirty.into_iter().take(MOST_A_COMMIT.saturating_sub(changes.len())) {
            episode.dirty = false;
            changes.push(change(episode, false));
        }
        changes
    }

    /// The store took the changes; these are the numbers that it gave.
    pub(crate) fn taken(&mut self, entries: &[(Key, u64, i64)]) {
        self.leaving.clear();
        for (key, id, entry) in entries {
            let found = match self.open.get_mut(key) {
                Some(episode) if episode.id == *id => Some(episode),
                // It ended while the commit was under way.
                Some(_) | None => self.ended.iter_mut().find(|e| e.id == *id),
            };
            if let Some(episode) = found {
                episode.entry = Some(*entry);
                episode.opened = None;
            }
        }
    }

    /// The store did not take the changes: they will be offered again.
    pub(crate) fn not_taken(&mut self, changes: &[Change]) {
        self.ended.append(&mut self.leaving);
        for change in changes.iter().filter(|c| !c.ended) {
            if let Some(episode) = self.open.get_mut(&change.key) {
                episode.dirty = true;
            }
        }
    }

    /// Whether the store has all there is.
    pub(crate) fn is_clean(&self) -> bool {
        self.ended.is_empty() && self.leaving.is_empty() && self.open.values().all(|e| !e.dirty)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.open.len() + self.ended.len() + self.leaving.len()
    }
}

fn change(episode: &Episode, ended: bool) -> Change {
    let Episode { id, key, entry, opened, sum, navigated: _, dirty: _ } = episode.clone();
    Change { id, key, entry, opened, sum, ended }
}

#[cfg(test)]
#[path = "episode_tests.rs"]
mod tests;
