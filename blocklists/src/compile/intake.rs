//! The names of all lists as they come in.

use super::protect::Protected;
use super::report::{ListReport, ProtectedHit, Touch};
use super::shards::{Mark, SHARDS, Shard, bits, shard_of};
use crate::catalogue::{Hasher, Spread, sha256, starts};
use crate::format::{Effect, Entry, Limits, ListInput, NotAList, Reach, Reason, Tagged, read_list};
use crate::{AddressRange, Domain, Name, Tags};
use std::collections::{HashMap, HashSet};

/// A list, or the part of an archive that means one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) tags: Tags,
}

pub(super) struct Intake {
    pub(super) hasher: Hasher,
    pub(super) shards: Vec<Shard>,
    pub(super) digests: Vec<[u8; 32]>,
    pub(super) sources: Vec<Source>,
    /// What lists of addresses say.
    pub(super) addresses: Vec<(AddressRange, Tags)>,
    /// The first bits of the hashes of names without a dot: at most as many as [`Spread`] has bits for them.
    pub(super) tops: HashSet<u64>,
    /// The hashes of the sites and of the names of three labels above sealed names: see [`super::heads`].
    pub(super) sealed_sites: Vec<u64>,
    pub(super) sealed_thirds: Vec<u64>,
    /// The hashes of sealed names that are sites.
    pub(super) sealed_pairs: Vec<u64>,
    /// Whether there may be exceptions: a list's own, or from what covers a protected site.
    pub(super) has_exceptions: bool,
    /// How many entries there are, to tell large catalogues from small ones.
    pub(super) entries: u64,
    /// Names, digests or sources that found no room in their numbers.
    pub(super) overflowed: bool,
}

impl Intake {
    pub(super) fn new(hasher: Hasher) -> Self {
        Self {
            hasher,
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            digests: Vec::new(),
            sources: Vec::new(),
            addresses: Vec::new(),
            tops: HashSet::new(),
            sealed_sites: Vec::new(),
            sealed_thirds: Vec::new(),
            sealed_pairs: Vec::new(),
            has_exceptions: false,
            entries: 0,
            overflowed: false,
        }
    }

    pub(super) fn add(
        &mut self,
        input: ListInput<'_>,
        protected: &Protected,
        limits: &Limits,
    ) -> Result<(ListReport, Tags), NotAList> {
        let (id, sealed, built_in) = (input.id.to_owned(), input.sealed, input.built_in);
        let marks: Vec<Mark> = self.shards.iter().map(Shard::mark).collect();
        let (digests, sources) = (self.digests.len(), self.sources.len());
        let above = [&self.sealed_sites, &self.sealed_thirds, &self.sealed_pairs].map(Vec::len);
        let mut adding = Adding::new(self, protected, sealed, built_in);
        let read = read_list(input, limits, &mut |tagged| adding.entry(tagged));
        let Adding { names, hits, touches, own_exceptions, mut refused, .. } = adding;
        let outcome = match read {
            Ok(outcome) => outcome,
            Err(why) => {
                // Half a list is no list: what came before the error goes again.
                self.shards.iter_mut().zip(&marks).for_each(|(shard, mark)| shard.truncate(*mark));
                self.digests.truncate(digests);
                self.sources.truncate(sources);
                self.sealed_sites.truncate(above[0]);
                self.sealed_thirds.truncate(above[1]);
                self.sealed_pairs.truncate(above[2]);
                return Err(why);
            }
        };
        if own_exceptions && outcome.format.exceptions_win() {
            self.drop_excepted(&marks);
        }
        let mut skips = outcome.skips;
        refused.drain(..).for_each(|line| skips.add(Reason::Sealed, line, ""));
        let mut tags = self.sources[sources..].iter().fold(Tags::NONE, |all, source| all.union(source.tags));
        tags = outcome.addresses.iter().fold(tags, |all, (_, of)| all.union(*of));
        self.addresses.extend(&outcome.addresses);
        let report = ListReport {
            id,
            format: outcome.format,
            names: names + outcome.addresses.len() as u64,
            skips,
            touches_protected: touches,
            protected: hits,
        };
        Ok((report, tags))
    }

    /// Takes out what stands below an exception of the same list: of what came after the marks.
    fn drop_excepted(&mut self, marks: &[Mark]) {
        let mut excepted: HashSet<Box<[u8]>> = HashSet::new();
        for (shard, mark) in self.shards.iter().zip(marks) {
            for entry in shard.places(*mark).map(|place| shard.at(place)) {
                let covers = bits::EXCEPT | bits::BELOW;
                excepted.extend(entry.name().filter(|_| entry.bits & covers == covers).map(Box::from));
            }
        }
        for (shard, mark) in self.shards.iter_mut().zip(marks) {
            let mut kept = Shard::default();
            for entry in shard.places(*mark).map(|place| shard.at(place)) {
                let Some(name) = entry.name() else { continue };
                let mut above = memchr::memchr_iter(b'.', name).map(|dot| &name[dot + 1..]);
                if entry.bits & bits::EXCEPT != 0 || !above.any(|parent| excepted.contains(parent)) {
                    kept.push(entry.source, entry.bits, name);
                }
            }
            shard.truncate(*mark);
            for entry in kept.entries() {
                shard.push(entry.source, entry.bits, entry.name().unwrap_or_default());
            }
        }
    }

    fn push(&mut self, name: &[u8], hashes: Hashes, source: u16, said: u8) {
        if hashes.labels == 1 {
            self.tops.insert(Spread::top(hashes.whole));
        }
        let deep = if hashes.labels > 2 { bits::DEEP } else { 0 };
        self.push_text(name, hashes.site, source, said | deep);
    }

    fn push_text(&mut self, text: &[u8], hash: u64, source: u16, said: u8) {
        let shard = &mut self.shards[shard_of(hash)];
        self.overflowed |= shard.is_full() || text.len() > usize::from(u8::MAX);
        if !self.overflowed {
            shard.push(source, said, text);
            self.has_exceptions |= said & bits::EXCEPT != 0;
            self.entries += 1;
        }
    }

    fn push_digest(&mut self, name: &[u8], hashes: Hashes, source: u16, said: u8) {
        let Ok(number) = u32::try_from(self.digests.len()) else {
            self.overflowed = true;
            return;
        };
        self.digests.push(sha256(name));
        if hashes.labels == 1 {
            self.tops.insert(Spread::top(hashes.whole));
        }
        self.sealed_pairs.extend((hashes.labels == 2).then_some(hashes.whole));
        self.sealed_sites.extend((hashes.labels > 2).then_some(hashes.site));
        self.sealed_thirds.extend((hashes.labels > 3).then_some(hashes.third));
        let text = [hashes.whole.to_le_bytes().as_slice(), &number.to_le_bytes()].concat();
        self.push_text(&text, hashes.whole, source, said | bits::DIGEST);
    }
}

/// The hashes of a name and of its last two and three labels, as far as it has so many.
#[derive(Clone, Copy, Default)]
struct Hashes {
    labels: usize,
    site: u64,
    third: u64,
    whole: u64,
}

impl Hashes {
    /// Takes up the next suffix, from the right.
    fn add(&mut self, hash: u64) {
        self.labels += 1;
        self.whole = hash;
        if self.labels <= 2 {
            self.site = hash;
        }
        if self.labels <= 3 {
            self.third = hash;
        }
    }
}

const fn reach_bits(reach: Reach) -> u8 {
    match reach {
        Reach::Here => bits::HERE,
        Reach::Below => bits::BELOW,
        Reach::Site => bits::HERE | bits::BELOW,
    }
}

/// A list while it is added.
struct Adding<'a> {
    intake: &'a mut Intake,
    protected: &'a Protected,
    sealed: bool,
    built_in: bool,
    /// What this list's entries are -> their source.
    sources: HashMap<Tags, u16>,
    last_source: Option<(Tags, u16)>,
    names: u64,
    touches: u64,
    hits: Vec<ProtectedHit>,
    own_exceptions: bool,
    /// The exceptions that already stop this list at a protected site.
    stopped: HashSet<(Domain, u16)>,
    /// Lines with exceptions of a sealed list, as far as they are shown.
    refused: Vec<u32>,
}

impl<'a> Adding<'a> {
    fn new(intake: &'a mut Intake, protected: &'a Protected, sealed: bool, built_in: bool) -> Self {
        Self {
            intake,
            protected,
            sealed,
            built_in,
            sources: HashMap::new(),
            last_source: None,
            names: 0,
            touches: 0,
            hits: Vec::new(),
            own_exceptions: false,
            stopped: HashSet::new(),
            refused: Vec::new(),
        }
    }

    fn entry(&mut self, tagged: Tagged<'_>) {
        let Tagged { entry, tags } = tagged;
        let (name, source) = (entry.name.as_str().as_bytes(), self.source(tags));
        let (mut hashes, mut near_site) = (Hashes::default(), false);
        for hash in starts(name).map(|start| self.intake.hasher.hash(&name[start..])) {
            hashes.add(hash);
            near_site |= self.protected.may_be_site(hash);
        }
        let bits = reach_bits(entry.reach);
        if entry.effect == Effect::Except {
            return self.exception(&entry, hashes, source, bits);
        }
        if !self.built_in && self.touches_protected(&entry, hashes.whole, source, near_site) {
            return;
        }
        self.names += 1;
        if self.sealed {
            self.intake.push_digest(name, hashes, source, bits);
        } else {
            self.intake.push(name, hashes, source, bits);
        }
    }

    fn exception(&mut self, entry: &Entry<'_>, hashes: Hashes, source: u16, bits: u8) {
        if self.sealed {
            if self.refused.len() < MAX_REFUSED {
                self.refused.push(entry.line);
            }
            return;
        }
        self.own_exceptions = true;
        self.intake.push(entry.name.as_str().as_bytes(), hashes, source, bits | bits::EXCEPT);
    }

    /// Reports an entry that touches a protected site; `true` when it must go.
    fn touches_protected(&mut self, entry: &Entry<'_>, hash: u64, source: u16, near_site: bool) -> bool {
        if near_site && let Some((touch, site)) = self.protected.site_of(entry.name) {
            self.report(entry, touch, &site);
            return true;
        }
        if entry.reach.below() && self.protected.may_be_above(hash) {
            for site in self.protected.sites_below(entry.name) {
                self.report(entry, Touch::Covers, site);
                if self.stopped.insert((site.clone(), source)) {
                    self.stop_at(site.name(), source);
                }
            }
        }
        false
    }

    /// Ends what a list says from above at a protected site. The site stands here as text, also for a sealed list: it is
    /// the protected site's name and none of the list's.
    fn stop_at(&mut self, site: Name<'_>, source: u16) {
        let site = site.as_str().as_bytes();
        let mut hashes = Hashes::default();
        starts(site).for_each(|start| hashes.add(self.intake.hasher.hash(&site[start..])));
        self.intake.push(site, hashes, source, bits::HERE | bits::BELOW | bits::EXCEPT);
    }

    fn report(&mut self, entry: &Entry<'_>, touch: Touch, site: &Domain) {
        self.touches += 1;
        if self.hits.len() < ListReport::HITS {
            let names = (!self.sealed).then(|| (entry.name.to_domain(), site.clone()));
            self.hits.push(ProtectedHit { line: entry.line, touch, names });
        }
    }

    fn source(&mut self, tags: Tags) -> u16 {
        if let Some((last, source)) = self.last_source
            && last == tags
        {
            return source;
        }
        let source = match self.sources.get(&tags) {
            Some(source) => *source,
            None => {
                let source = u16::try_from(self.intake.sources.len()).unwrap_or(u16::MAX);
                self.intake.overflowed |= source == u16::MAX;
                self.intake.sources.push(Source { tags });
                self.sources.insert(tags, source);
                source
            }
        };
        self.last_source = Some((tags, source));
        source
    }
}

/// How many exceptions of a sealed list are counted: the report shows that there are some.
const MAX_REFUSED: usize = 10_000;
