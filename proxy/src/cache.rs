//! Answers, kept: bounded by bytes, shared by everybody. What differs between people is judged anew for each question
//! from the names that stand beside the answer.

use crate::dns::answer::Answer;
use crate::dns::wire::WireName;
use blocklists::Domain;
use quick_cache::{Equivalent, Weighter};
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// What an entry weighs beside its bytes: key, index and allocations.
const OVERHEAD: u64 = 320;
/// The average entry, from which the number of places is reckoned.
const AVERAGE: usize = 512;

/// DNSSEC records wanted.
pub(crate) const DNSSEC: u8 = 1;
/// Checking disabled.
pub(crate) const UNCHECKED: u8 = 2;

/// A question as the cache knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    name: Box<[u8]>,
    /// The type.
    pub(crate) qtype: u16,
    /// [`DNSSEC`] and [`UNCHECKED`].
    pub(crate) flags: u8,
}

/// The same, borrowed, so that looking up allocates nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    /// The name in lower case.
    pub(crate) name: &'a WireName,
    /// The type.
    pub(crate) qtype: u16,
    /// [`DNSSEC`] and [`UNCHECKED`].
    pub(crate) flags: u8,
}

impl Key {
    /// The name.
    pub(crate) fn name(&self) -> WireName {
        WireName::read(&self.name, 0).map_or(WireName::ROOT, |(name, _)| name)
    }
}

impl From<Asking<'_>> for Key {
    fn from(asking: Asking<'_>) -> Self {
        Self { name: asking.name.bytes().into(), qtype: asking.qtype, flags: asking.flags }
    }
}

// Both hash alike, which the lookup by `Asking` needs.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&*self.name, self.qtype, self.flags).hash(state);
    }
}

impl Hash for Asking<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name.bytes(), self.qtype, self.flags).hash(state);
    }
}

impl Equivalent<Key> for Asking<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self.name.bytes() == *key.name && self.qtype == key.qtype && self.flags == key.flags
    }
}

/// For how long answers are kept.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// At most so many bytes.
    pub bytes: u64,
    /// An answer is kept at least so long, whatever its time to live.
    pub least: Duration,
    /// And at most so long.
    pub most: Duration,
    /// A negative answer at most so long (RFC 2308 §5).
    pub most_negative: Duration,
    /// How long after its time an answer may still be used when no upstream answers (RFC 8767 §5).
    pub stale: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            least: Duration::from_secs(5),
            most: Duration::from_secs(86_400),
            most_negative: Duration::from_secs(3600),
            stale: Duration::from_secs(86_400),
        }
    }
}

/// A kept answer, and what has to be judged before somebody gets it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The answer.
    pub(crate) answer: Answer,
    /// Whether it points into the home's own network.
    pub(crate) rebinds: bool,
    born: Duration,
    lifetime: Duration,
    hits: AtomicU32,
    refreshing: AtomicBool,
    /// Until when (steady milliseconds) a failed refresh is not tried again.
    rest_until: AtomicU64,
}

/// What an entry is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It is good, for so long.
    Fresh(Duration),
    /// Its time is over, but it is better than nothing.
    Stale,
    /// It is of no use.
    Gone,
}

impl Entry {
    /// Takes an answer that came at `born`.
    pub(crate) fn new(answer: Answer, rebinds: bool, born: Duration, keeping: &Keeping) -> Self {
        let most = if answer.negative { keeping.most_negative } else { keeping.most };
        let lifetime = Duration::from_secs(answer.ttl.into()).max(keeping.least).min(most);
        Self {
            answer,
            rebinds,
            born,
            lifetime,
            hits: AtomicU32::new(0),
            refreshing: AtomicBool::new(false),
            rest_until: AtomicU64::new(0),
        }
    }

    /// The names that the answer leads to.
    pub(crate) fn targets(&self) -> &[Domain] {
        &self.answer.targets
    }

    /// The addresses in it.
    pub(crate) fn addresses(&self) -> &[IpAddr] {
        &self.answer.addresses
    }

    /// Every address that whoever is told may connect to: those in it, and those that its service records hint at.
    pub(crate) fn leads_to(&self) -> impl Iterator<Item = &IpAddr> {
        self.answer.addresses.iter().chain(&self.answer.hints)
    }

    /// An address in it that is no site's.
    pub(crate) fn bare(&self) -> Option<IpAddr> {
        self.answer.bare
    }

    /// How old it is.
    pub(crate) fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.born)
    }

    /// How long it is good.
    pub(crate) fn left(&self, now: Duration) -> Duration {
        self.lifetime.saturating_sub(self.age(now))
    }

    /// What it is worth.
    pub(crate) fn worth(&self, now: Duration, keeping: &Keeping) -> Age {
        let age = self.age(now);
        match self.lifetime.checked_sub(age) {
            Some(left) if !left.is_zero() => Age::Fresh(left),
            _ if age < self.lifetime + keeping.stale => Age::Stale,
            _ => Age::Gone,
        }
    }

    /// Counts a use, and tells whether it is time to fetch it again: in the last tenth of its life, if it was used
    /// before. Only one caller is told so.
    pub(crate) fn used(&self, left: Duration) -> bool {
        let before = self.hits.fetch_add(1, Ordering::Relaxed);
        before > 0 && left * 10 <= self.lifetime && !self.refreshing.swap(true, Ordering::Relaxed)
    }

    /// Fetching it again failed: it is not tried again before this (RFC 8767 §5, failure recheck timer).
    pub(crate) fn rest(&self, until: Duration) {
        self.rest_until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether fetching it again failed a moment ago.
    pub(crate) fn rests(&self, now: Duration) -> bool {
        now.as_millis() < u128::from(self.rest_until.load(Ordering::Relaxed))
    }

    fn bytes(&self) -> u64 {
        let answer = &self.answer;
        let names: usize = answer.targets.iter().map(|d| d.as_str().len() + 16).sum();
        let addresses = (answer.addresses.len() + answer.hints.len()) * size_of::<IpAddr>();
        (answer.wire.len() + answer.ttls.len() * 2 + names + addresses) as u64
    }
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<Key, Arc<Entry>> for Bytes {
    fn weight(&self, key: &Key, entry: &Arc<Entry>) -> u64 {
        OVERHEAD + key.name.len() as u64 + entry.bytes()
    }
}

/// Answers by question.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: quick_cache::sync::Cache<Key, Arc<Entry>, Bytes>,
    pub(crate) keeping: Keeping,
}

impl Cache {
    pub(crate) fn new(keeping: Keeping) -> Self {
        let places = usize::try_from(keeping.bytes).unwrap_or(usize::MAX) / AVERAGE;
        Self {
            entries: quick_cache::sync::Cache::with_weighter(places.max(16), keeping.bytes, Bytes),
            keeping,
        }
    }

    /// What is kept for a question, if it is of any use still.
    pub(crate) fn find(&self, asking: &Asking<'_>, now: Duration) -> Option<(Arc<Entry>, Age)> {
        let entry = self.entries.get(asking)?;
        match entry.worth(now, &self.keeping) {
            Age::Gone => None,
            age => Some((entry, age)),
        }
    }

    /// Keeps an answer.
    pub(crate) fn keep(&self, key: Key, entry: Arc<Entry>) {
        self.entries.insert(key, entry);
    }

    /// How many answers and bytes are kept.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }
}
