//! Folding refusals into episodes: same person, rule and site within fifteen minutes of the last is one. A device that nobody
//! knows is one for as long as it is about.
//!
//! This is the part without a store and without a clock. What is open is bounded; so is what waits for the disk, and
//! nobody's refusals can take the room of another's: who makes many loses the detail of their own small ones.

mod key;

pub use key::OF_MANY;
pub(crate) use key::{Key, KeyRef, Seen};

use crate::entry::{BreachEnded, BreachOpened, Grown, stamp};
use agreements::{Evidence, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use key::{Kind, is_a_strangers, is_urgent};
use std::hash::BuildHasher;

/// A refusal this long after the last of its episode, or longer, begins another.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// So many episodes are open at once; the oldest are ended to make room.
pub(crate) const MOST_OPEN: usize = 10_000;
/// So many of them are one person's; their own oldest are ended to make room.
pub(crate) const MOST_A_PERSON: usize = 2_000;
/// So many more may wait for the disk where they tell staff much.
const URGENT_ROOM: usize = MOST_OPEN / 4;
/// A device that nobody knows is told of once while it is about: it is gone when it was not refused anything for so long.
const A_STRANGERS: TimeDelta = TimeDelta::hours(12);
/// So many episodes of each [`Kind`] begin for one person in an hour. What comes after is one episode for each rule.
pub(crate) const MOST_AN_HOUR: u32 = 200;
/// So many sites are told apart in an episode of other sites.
const MOST_SITES: usize = 10_000;
/// A document asked for again this long after the first was not part of the same page: someone kept trying.
const AGAIN: TimeDelta = TimeDelta::seconds(5);
/// The journal is told of an episode that goes on when it has come this many times as often as the journal says.
const OFTEN: u64 = 10;
/// One commit takes no more changes than this, so that it stays short.
pub(crate) const MOST_A_COMMIT: usize = 400;

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
        let Seen { at, evidence, severity, by_address: _ } = seen;
        Self { first: at, last: at, count: 1, evidence, severity }
    }

    /// As the journal has its end.
    pub(crate) fn ended(&self, entry: i64, sites: Option<u64>, cut_short: bool) -> BreachEnded {
        let Self { count, evidence, severity, .. } = *self;
        BreachEnded { entry, count, last: stamp(self.last), evidence, severity, sites, cut_short }
    }

    /// As the journal has it while it goes on.
    pub(crate) fn grown(&self, entry: i64) -> Grown {
        let Self { count, evidence, severity, .. } = *self;
        Grown { entry, count, last: stamp(self.last), evidence, severity }
    }

    /// What the journal proves of an episode by its beginning.
    pub(crate) fn of_opening(opened: &BreachOpened) -> Self {
        let BreachOpened { first, evidence, severity, .. } = *opened;
        Self { first, last: first, count: 1, evidence, severity }
    }

    /// What it proves with what it says of how it grew.
    pub(crate) fn grow(&mut self, grown: &Grown) {
        self.count = self.count.max(grown.count);
        self.last = self.last.max(grown.last);
        self.evidence = self.evidence.max(grown.evidence);
        self.severity = self.severity.max(grown.severity);
    }
}

/// What one person has of the room.
#[derive(Debug)]
struct Share {
    open: usize,
    /// Ended, and not yet on the disk.
    waiting: usize,
    /// When the hour began in which `begun` are counted, by kind.
    since: DateTime<Utc>,
    begun: [u32; Kind::COUNT],
}

impl Share {
    fn turn(&mut self, at: DateTime<Utc>) {
        // A clock that went back begins an hour like one that went on.
        if (at - self.since).abs() >= TimeDelta::hours(1) {
            (self.since, self.begun) = (at, [0; Kind::COUNT]);
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
    /// What the journal says of it; none before it is there.
    told: Option<Sum>,
    /// Whether a gateway was cut short while it went on.
    cut_short: bool,
    /// When a document was first asked for.
    navigated: Option<DateTime<Utc>>,
    /// For an episode of other sites: which, as hashes. None where they were not counted from its beginning.
    sites: Option<HashSet<u64>>,
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

    /// Whether the journal is to be told how far it has come: it must not be possible to make an episode worse or better
    /// in the list and have it written into the chain as such.
    fn outgrew(&self, last_words: bool) -> bool {
        self.told.is_some_and(|told| {
            let worse = (told.evidence, told.severity) != (self.sum.evidence, self.sum.severity);
            worse || self.sum.count >= told.count.saturating_mul(OFTEN) || last_words && told != self.sum
        })
    }

    fn tell_site(&mut self, site: u64) {
        if let Some(sites) = self.sites.as_mut().filter(|s| s.len() < MOST_SITES) {
            sites.insert(site);
        }
    }

    fn is_over(&self, at: DateTime<Utc>) -> bool {
        let Key { person, rule, site } = &self.key;
        let away = (at - self.sum.last).abs();
        // A clock that went back ends an episode like one that went on: both are no longer "within 15 minutes".
        away > A_STRANGERS || away > WINDOW && !is_a_strangers(person, *rule, site)
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
    /// How many sites, for an episode of other sites.
    pub(crate) sites: Option<u64>,
    /// Whether the journal is to be told how far it has come.
    pub(crate) grew: bool,
    pub(crate) ended: bool,
    pub(crate) cut_short: bool,
}

impl Change {
    /// Whether it is only the count of an episode that the store has and that is not over.
    pub(crate) fn goes_on(&self) -> bool {
        self.entry.is_some() && !self.ended
    }
}

/// The open episodes, and those that are over and wait for the disk.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    open: HashMap<Key, Episode>,
    ended: Vec<Episode>,
    /// Ended ones that a commit is just taking.
    leaving: Vec<Episode>,
    /// By person's id. No more than there are people: who has nothing open and began nothing of late is let go.
    shares: HashMap<String, Share>,
    /// Tells the sites of an episode of other sites apart.
    tell_apart: DefaultHashBuilder,
    next_id: u64,
    /// The gateway is stopping: the journal is told how far every episode has come.
    last_words: bool,
}

/// An episode that was open when the gateway last ended.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) key: Key,
    pub(crate) entry: i64,
    /// What the journal proves of it.
    pub(crate) proved: Sum,
    /// Whether the list says other than that: then a gateway was cut short, or somebody changed the list.
    pub(crate) cut_short: bool,
}

impl Episodes {
    /// Goes on with an episode that was open when the gateway last ended; unless another of its kind has begun since,
    /// which only happens to a gateway that is stopped before it could read the store: the next one ends the old one.
    pub(crate) fn recover(&mut self, recovered: Recovered) {
        let Recovered { key, entry, proved: sum, cut_short } = recovered;
        let id = self.id();
        let navigated = (sum.evidence >= Evidence::Navigation).then_some(sum.last);
        let (entry, opened, told, sites) = (Some(entry), None, Some(sum), None);
        // The list is to say no more than the journal.
        let (key_of, dirty) = (key.clone(), cut_short);
        let episode =
            Episode { id, key: key_of, entry, opened, sum, told, cut_short, navigated, sites, dirty };
        if !self.open.contains_key(&key) {
            self.share(&key.person, sum.last).open += 1;
            self.open.insert(key, episode);
        }
    }

    fn share(&mut self, person: &str, at: DateTime<Utc>) -> &mut Share {
        if !self.shares.contains_key(person) {
            self.shares
                .insert(person.to_owned(), Share { open: 0, waiting: 0, since: at, begun: [0; Kind::COUNT] });
        }
        self.shares.get_mut(person).expect("it was put there if it was not")
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Folds one refusal in. `opening` is asked for what the journal will say only where an episode begins, with the
    /// key that it begins under; where it gives nothing, nothing is kept.
    pub(crate) fn fold(
        &mut self,
        key: &KeyRef<'_>,
        seen: Seen,
        opening: impl FnOnce(&Key) -> Option<BreachOpened>,
    ) -> Option<Folded> {
        if self.joins(key, seen, None) {
            return Some(Folded::Joined);
        }
        let share = self.share(key.person, seen.at);
        share.turn(seen.at);
        let kind = key.kind(seen);
        let beyond = kind.filter(|kind| share.begun[*kind as usize] >= MOST_AN_HOUR);
        let others = beyond.map(|_| self.tell_apart.hash_one(&key.site));
        let key = match beyond {
            Some(kind) => &KeyRef { site: OF_MANY[kind as usize].into(), ..*key },
            None => key,
        };
        if others.is_some() && self.joins(key, seen, others) {
            return Some(Folded::Joined);
        }
        if !self.has_room(key.person, seen.severity) {
            return Some(Folded::NoRoom);
        }
        let key = key.to_key();
        let opened = opening(&key)?;
        self.begin(key, seen, opened, (kind, others));
        Some(Folded::Opened)
    }

    /// Whether the refusal belongs to an open episode, and joins it. One that is over is ended.
    fn joins(&mut self, key: &KeyRef<'_>, seen: Seen, site: Option<u64>) -> bool {
        let Some(episode) = self.open.get_mut(key) else { return false };
        if episode.is_over(seen.at) {
            if let Some(episode) = self.open.remove(key) {
                self.ended(episode);
            }
            return false;
        }
        episode.join(seen);
        site.into_iter().for_each(|site| episode.tell_site(site));
        true
    }

    /// Whether one more may wait for the disk: what tells staff much has room of its own, and nobody has all of it.
    fn has_room(&self, person: &str, severity: Severity) -> bool {
        let waiting = self.ended.len() + self.leaving.len();
        if waiting < MOST_A_PERSON {
            return true;
        }
        let most = if is_urgent(severity) { MOST_OPEN + URGENT_ROOM } else { MOST_OPEN };
        let own = self.shares.get(person).map_or(0, |s| s.waiting);
        waiting < most && own < MOST_A_PERSON
    }

    fn begin(
        &mut self,
        key: Key,
        seen: Seen,
        opened: BreachOpened,
        (kind, other): (Option<Kind>, Option<u64>),
    ) {
        if self.shares.get(&key.person).is_some_and(|s| s.open >= MOST_A_PERSON) {
            self.end_oldest(&key.person);
        }
        if self.open.len() >= MOST_OPEN {
            let greatest = self.shares.iter().max_by_key(|(_, share)| share.open);
            if let Some(person) = greatest.map(|(person, _)| person.clone()) {
                self.end_oldest(&person);
            }
        }
        let share = self.share(&key.person, seen.at);
        share.open += 1;
        if let (Some(kind), None) = (kind, other) {
            share.begun[kind as usize] += 1;
        }
        let navigated = (seen.evidence >= Evidence::Navigation).then_some(seen.at);
        let (id, sum, sites) = (self.id(), Sum::new(seen), other.map(|site| HashSet::from([site])));
        let (entry, opened, told, cut_short, dirty) = (None, Some(opened), None, false, true);
        let key_of = key.clone();
        let episode =
            Episode { id, key: key_of, entry, opened, sum, told, cut_short, navigated, sites, dirty };
        self.open.insert(key, episode);
    }

    fn end(&mut self, key: &Key) {
        if let Some(episode) = self.open.remove(key) {
            self.ended(episode);
        }
    }

    fn ended(&mut self, episode: Episode) {
        self.leave_share(&episode.key.person);
        self.ended.push(episode);
    }

    fn leave_share(&mut self, person: &str) {
        if let Some(share) = self.shares.get_mut(person) {
            (share.open, share.waiting) = (share.open.saturating_sub(1), share.waiting + 1);
        }
    }

    /// Ends the sixteenth of a person's share that has been quiet for longest, what tells staff little first: one at a
    /// time would look through all each time.
    fn end_oldest(&mut self, person: &str) {
        let own = self.open.values().filter(|e| e.key.person == person);
        let mut own: Vec<_> = own.map(|e| ((is_urgent(e.sum.severity), e.sum.last), e.key.clone())).collect();
        own.sort_unstable_by_key(|(order, _)| *order);
        let count = own.len().div_ceil(16);
        own.iter().take(count).for_each(|(_, key)| self.end(key));
    }

    /// Ends what has been quiet for longer than the window.
    pub(crate) fn end_quiet(&mut self, now: DateTime<Utc>) {
        let quiet: Vec<_> = self.open.extract_if(|_, e| e.is_over(now)).map(|(_, e)| e).collect();
        quiet.iter().for_each(|e| self.leave_share(&e.key.person));
        self.ended.extend(quiet);
        self.shares.retain(|_, s| s.open + s.waiting > 0 || (now - s.since).abs() < TimeDelta::hours(1));
    }

    /// What the store is to take next; never much at once. [`Episodes::taken`] or [`Episodes::not_taken`] must follow
    /// before this is asked again. Counts of episodes that the store has may wait, without `counts`.
    pub(crate) fn changes(&mut self, counts: bool) -> Vec<Change> {
        let count = self.ended.len().min(MOST_A_COMMIT);
        self.leaving.extend(self.ended.drain(..count));
        let last_words = self.last_words;
        let mut changes: Vec<_> = self.leaving.iter().map(|e| change(e, true, false)).collect();
        let due = |e: &&mut Episode| e.dirty && (counts || e.entry.is_none()) || e.outgrew(last_words);
        let mut dirty: Vec<_> = self.open.values_mut().filter(due).collect();
        // The journal has them in the order in which they began.
        dirty.sort_unstable_by_key(|e| e.id);
        for episode in dirty.into_iter().take(MOST_A_COMMIT.saturating_sub(changes.len())) {
            episode.dirty = false;
            changes.push(change(episode, false, last_words));
        }
        changes
    }

    /// From now on the journal is told how far every episode has come.
    pub(crate) fn last_words(&mut self) {
        self.last_words = true;
    }

    /// The store took the changes; these are the numbers that it gave.
    pub(crate) fn taken(&mut self, changes: &[Change], entries: &[(Key, u64, i64)]) {
        for change in changes.iter().filter(|c| !c.ended) {
            if let Some(episode) = self.open.get_mut(&change.key).filter(|e| e.id == change.id) {
                match &change.opened {
                    Some(opened) => episode.told = Some(Sum::of_opening(opened)),
                    None if change.grew => episode.told = Some(change.sum),
                    None => {}
                }
            }
        }
        for episode in self.leaving.drain(..) {
            if let Some(share) = self.shares.get_mut(&episode.key.person) {
                share.waiting = share.waiting.saturating_sub(1);
            }
        }
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
        let last_words = self.last_words;
        let is_clean = |e: &Episode| !e.dirty && !e.outgrew(last_words);
        self.ended.is_empty() && self.leaving.is_empty() && self.open.values().all(is_clean)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.open.len() + self.ended.len() + self.leaving.len()
    }
}

fn change(episode: &Episode, ended: bool, last_words: bool) -> Change {
    let &Episode { id, entry, sum, cut_short, .. } = episode;
    let sites = episode.sites.as_ref().map(|s| s.len() as u64);
    // Until it is written down, what is seen belongs to its beginning.
    let Sum { evidence, severity, .. } = sum;
    let opened = episode.opened.clone().map(|opened| BreachOpened { evidence, severity, ..opened });
    let grew = entry.is_some() && !ended && episode.outgrew(last_words);
    Change { id, key: episode.key.clone(), entry, opened, sum, sites, grew, ended, cut_short }
}

#[cfg(test)]
#[path = "episode_tests.rs"]
mod tests;
