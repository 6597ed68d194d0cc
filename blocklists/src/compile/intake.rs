//! The names of all lists as they come in: text in one arena, 16 bytes beside each.

use super::protect::Protected;
use super::report::{ListReport, ProtectedHit, Touch};
use crate::catalogue::{Hasher, sha256};
use crate::format::{Effect, Entry, Limits, ListInput, NotAList, Reach, Reason, Tagged, read_list};
use crate::{Domain, Name, Tags};
use std::collections::{HashMap, HashSet};

/// What a record says. `HERE` and `BELOW` are its reach.
pub(super) mod bits {
    pub(crate) const HERE: u8 = 1;
    pub(crate) const BELOW: u8 = 2;
    /// The list does not mean the name, rather than means it.
    pub(crate) const EXCEPT: u8 = 4;
    /// `place` is the number of a digest, and there is no text.
    pub(crate) const DIGEST: u8 = 8;
    /// The digest is that of a name without a dot.
    pub(crate) const SINGLE: u8 = 16;
}

/// One entry of one list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) hash: u64,
    /// Where the text begins in the arena, or the number of the digest.
    pub(super) place: u32,
    /// Which source said it; after resolving, which set the name has.
    pub(super) source: u16,
    pub(super) length: u8,
    pub(super) bits: u8,
}

/// A list, or the part of an archive that means one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) tags: Tags,
}

pub(super) struct Intake {
    pub(super) hasher: Hasher,
    pub(super) arena: Vec<u8>,
    pub(super) records: Vec<Record>,
    pub(super) digests: Vec<[u8; 32]>,
    pub(super) sources: Vec<Source>,
    /// Names, digests or sources that found no room in their numbers.
    pub(super) overflowed: bool,
}

impl Intake {
    pub(super) fn new(hasher: Hasher) -> Self {
        let (arena, records, digests, sources) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { hasher, arena, records, digests, sources, overflowed: false }
    }

    pub(super) fn add(
        &mut self,
        input: ListInput<'_>,
        protected: &Protected,
        limits: &Limits,
    ) -> Result<(ListReport, Tags), NotAList> {
        let (id, sealed, built_in) = (input.id.to_owned(), input.sealed, input.built_in);
        let marks = (self.arena.len(), self.records.len(), self.digests.len(), self.sources.len());
        let mut adding = Adding::new(self, protected, sealed, built_in);
        let read = read_list(input, limits, &mut |tagged| adding.entry(tagged));
        let Adding { names, hits, touches, own_exceptions, mut refused, .. } = adding;
        let outcome = match read {
            Ok(outcome) => outcome,
            Err(why) => {
                // Half a list is no list: what came before the error goes again.
                self.arena.truncate(marks.0);
                self.records.truncate(marks.1);
                self.digests.truncate(marks.2);
                self.sources.truncate(marks.3);
                return Err(why);
            }
        };
        if own_exceptions && outcome.format.exceptions_win() {
            self.drop_excepted(marks.1);
        }
        let mut skips = outcome.skips;
        refused.drain(..).for_each(|line| skips.add(Reason::Sealed, line, ""));
        let tags = self.sources[marks.3..].iter().fold(Tags::NONE, |all, source| all.union(source.tags));
        let report = ListReport {
            id,
            format: outcome.format,
            names,
            skips,
            touches_protected: touches,
            protected: hits,
        };
        Ok((report, tags))
    }

    /// The text of a record; nothing for a digest.
    pub(super) fn text(&self, record: &Record) -> &[u8] {
        if record.bits & bits::DIGEST != 0 {
            return &[];
        }
        let start = record.place as usize;
        &self.arena[start..start + usize::from(record.length)]
    }

    /// Takes out what stands below an exception of the same list, from the list's first record on.
    fn drop_excepted(&mut self, first: usize) {
        let is_exception = |r: &&Record| r.bits & bits::EXCEPT != 0 && r.bits & bits::BELOW != 0;
        let excepted: HashSet<Box<[u8]>> =
            self.records[first..].iter().filter(is_exception).map(|r| self.text(r).into()).collect();
        let mut kept = first;
        for index in first..self.records.len() {
            let record = self.records[index];
            let text = self.text(&record);
            let mut above = memchr::memchr_iter(b'.', text).map(|dot| &text[dot + 1..]);
            if record.bits & bits::EXCEPT != 0 || !above.any(|parent| excepted.contains(parent)) {
                self.records[kept] = record;
                kept += 1;
            }
        }
        self.records.truncate(kept);
    }

    fn push_text(&mut self, name: &[u8], hash: u64, source: u16, bits: u8) {
        let (Ok(place), Ok(length)) = (u32::try_from(self.arena.len()), u8::try_from(name.len())) else {
            self.overflowed = true;
            return;
        };
        self.arena.extend_from_slice(name);
        self.records.push(Record { hash, place, source, length, bits });
    }

    fn push_digest(&mut self, name: &[u8], hash: u64, source: u16, bits: u8) {
        let Ok(place) = u32::try_from(self.digests.len()) else {
            self.overflowed = true;
            return;
        };
        self.digests.push(sha256(name));
        let single = if name.contains(&b'.') { 0 } else { bits::SINGLE };
        self.records.push(Record { hash, place, source, length: 0, bits: bits | bits::DIGEST | single });
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
        let (mut hash, mut near_site) = (0, false);
        for suffix in self.intake.hasher.suffixes(name) {
            hash = suffix.hash;
            near_site |= self.protected.may_be_site(hash);
        }
        let bits = reach_bits(entry.reach);
        if entry.effect == Effect::Except {
            return self.exception(&entry, hash, source, bits);
        }
        if !self.built_in && self.touches_protected(&entry, hash, source, near_site) {
            return;
        }
        self.names += 1;
        if self.sealed {
            self.intake.push_digest(name, hash, source, bits);
        } else {
            self.intake.push_text(name, hash, source, bits);
        }
    }

    fn exception(&mut self, entry: &Entry<'_>, hash: u64, source: u16, bits: u8) {
        if self.sealed {
            if self.refused.len() < MAX_REFUSED {
                self.refused.push(entry.line);
            }
            return;
        }
        self.own_exceptions = true;
        self.intake.push_text(entry.name.as_str().as_bytes(), hash, source, bits | bits::EXCEPT);
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
        let hash = self.intake.hasher.hash(site);
        self.intake.push_text(site, hash, source, bits::HERE | bits::BELOW | bits::EXCEPT);
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
