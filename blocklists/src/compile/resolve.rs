//! What do all lists together say of a name?
//!
//! Nearly every name has listings only: its set is their union. A name with an exception is delicate: an exception of
//! one list must not take away what another list gives, even under the same category. For each of those, every list is
//! asked by itself what it says of the name and of the names below, and only what none of them says is stopped.

use super::CompileError;
use super::intake::Source;
use super::shards::{Kept, Shard, bits, shard_of};
use crate::Tags;
use crate::catalogue::{Hasher, Set, Spread, sha256};
use std::collections::{HashMap, HashSet};

/// Distinct sets, numbered.
#[derive(Default)]
pub(super) struct Sets {
    pub(super) all: Vec<Set>,
    numbers: HashMap<Set, u16>,
}

impl Sets {
    /// These sets, numbered in their order.
    pub(super) fn of(sets: &[Set]) -> Self {
        Self { all: sets.to_vec(), numbers: sets.iter().copied().zip(0..).collect() }
    }

    pub(super) fn number(&mut self, set: Set) -> Result<u16, CompileError> {
        if let Some(number) = self.numbers.get(&set) {
            return Ok(*number);
        }
        let number = u16::try_from(self.all.len()).map_err(|_| CompileError::TooManySets)?;
        self.all.push(set);
        self.numbers.insert(set, number);
        Ok(number)
    }
}

/// What is needed to say what a name's entries mean together.
pub(super) struct Resolver<'a> {
    pub(super) hasher: &'a Hasher,
    pub(super) spread: &'a Spread,
    digests: &'a [[u8; 32]],
    sources: &'a [Source],
    delicate: HashMap<Box<[u8]>, Set>,
}

/// A name (one as text, one as digest), its head, where one of its entries stands in its part, and its set.
pub(super) struct Resolved {
    /// The hash of its head, and where in the name that begins.
    pub(super) hash: u64,
    pub(super) head: usize,
    pub(super) place: u32,
    pub(super) set: Set,
}

/// An entry of a part, by the hash of its head. Names have 253 bytes at most, so that a byte tells where the head begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    hash: u64,
    place: u32,
    head: u8,
}

impl<'a> Resolver<'a> {
    /// Keeps nothing of the parts: they may go.
    pub(super) fn new(
        hasher: &'a Hasher,
        spread: &'a Spread,
        digests: &'a [[u8; 32]],
        sources: &'a [Source],
        shards: &[Shard],
        has_exceptions: bool,
    ) -> Self {
        let delicate =
            if has_exceptions { Delicate::new(shards, digests, sources).sets() } else { HashMap::new() };
        Self { hasher, spread, digests, sources, delicate }
    }

    /// The names of a part that something is said of, in the order of their heads' hashes.
    pub(super) fn resolve(&self, number: usize, shard: &Shard, mut each: impl FnMut(Resolved)) {
        let mut entries: Vec<Placed> = Vec::new();
        for place in shard.places(Default::default()) {
            let head = shard.at(place).head(self.hasher, self.spread);
            // Else it has been copied to the part of its head.
            if shard_of(head.hash) == number {
                entries.push(Placed { hash: head.hash, place, head: head.start as u8 });
            }
        }
        entries.sort_unstable();
        let mut rest = entries.as_mut_slice();
        while let Some(first) = rest.first().copied() {
            let end = rest.iter().take_while(|entry| entry.hash == first.hash).count();
            let (same, after) = rest.split_at_mut(end);
            self.resolve_hash(shard, same, &mut each);
            rest = after;
        }
    }

    /// The names of one hash: nearly always one.
    fn resolve_hash(&self, shard: &Shard, entries: &mut [Placed], each: &mut impl FnMut(Resolved)) {
        let identity = |entry: &Placed| self.identity(shard.at(entry.place));
        if let [first, others @ ..] = &*entries
            && others.iter().any(|other| identity(other) != identity(first))
        {
            entries.sort_by(|a, b| identity(a).cmp(&identity(b)));
        }
        for name in entries.chunk_by(|a, b| identity(a) == identity(b)) {
            let set = self.set(name.iter().map(|entry| shard.at(entry.place)));
            // A name that says nothing (an exception from what is not listed) needs no place.
            if set != Set::default() {
                let Placed { hash, place, head } = name[0];
                each(Resolved { hash, head: usize::from(head), place, set });
            }
        }
    }

    /// What two entries of one name share: their text, or their digest.
    fn identity<'k>(&'k self, kept: Kept<'k>) -> (bool, &'k [u8]) {
        match kept.name() {
            Some(name) => (false, name),
            None => (true, self.digests.get(kept.digest() as usize).map_or(&[], |digest| digest.as_slice())),
        }
    }

    fn set<'k>(&self, entries: impl Iterator<Item = Kept<'k>>) -> Set {
        let mut set = Set::default();
        for kept in entries {
            if kept.bits & bits::EXCEPT != 0
                && let Some(delicate) = kept.name().and_then(|name| self.delicate.get(name))
            {
                return *delicate;
            }
            let tags = self.sources[usize::from(kept.source)].tags;
            if kept.bits & bits::HERE != 0 {
                set.here = set.here.union(tags);
            }
            if kept.bits & bits::BELOW != 0 {
                set.below = set.below.union(tags);
            }
        }
        set
    }
}

/// What one list says of the name in question.
#[derive(Clone, Copy, Default)]
struct Voice {
    source: u16,
    /// The list means the name because of an entry above it.
    inherited: bool,
    /// Reach bits of what the list says at the name itself.
    listed: u8,
    excepted: u8,
}

impl Voice {
    fn says(self, reach: u8) -> bool {
        self.excepted & reach == 0 && (self.inherited || self.listed & reach != 0)
    }

    fn says_itself(self, reach: u8) -> bool {
        self.excepted & reach == 0 && self.listed & reach != 0
    }
}

/// The names with exceptions, and every entry of them and of the names above.
struct Delicate<'a> {
    sources: &'a [Source],
    names: HashSet<&'a [u8]>,
    /// Source and bits of the entries of a name, as text and as digest.
    entries: HashMap<&'a [u8], Vec<(u16, u8)>>,
}

impl<'a> Delicate<'a> {
    fn new(shards: &'a [Shard], digests: &[[u8; 32]], sources: &'a [Source]) -> Self {
        let all = || shards.iter().flat_map(Shard::entries);
        let names: HashSet<&[u8]> =
            all().filter(|kept| kept.bits & bits::EXCEPT != 0).filter_map(|kept| kept.name()).collect();
        let mut entries = HashMap::<&[u8], Vec<(u16, u8)>>::new();
        for name in &names {
            entries.entry(name).or_default();
            for parent in parents(name) {
                entries.entry(parent).or_default();
            }
        }
        let of_digest: HashMap<[u8; 32], &[u8]> = match digests.is_empty() {
            true => HashMap::new(),
            false => entries.keys().map(|name| (sha256(name), *name)).collect(),
        };
        for kept in all() {
            let digest = || digests.get(kept.digest() as usize).and_then(|digest| of_digest.get(digest));
            if let Some(name) = kept.name().or_else(|| digest().copied())
                && let Some(entries) = entries.get_mut(name)
            {
                entries.push((kept.source, kept.bits));
            }
        }
        Self { sources, names, entries }
    }

    fn sets(&self) -> HashMap<Box<[u8]>, Set> {
        self.names.iter().map(|name| (Box::from(*name), self.set(name))).collect()
    }

    fn entries_of(&self, name: &[u8]) -> &[(u16, u8)] {
        self.entries.get(name).map_or(&[], Vec::as_slice)
    }

    fn set(&self, name: &[u8]) -> Set {
        let mut voices = self.inherited_voices(name);
        // A digest of the same name has a record of its own.
        for (source, said) in self.entries_of(name).iter().filter(|entry| entry.1 & bits::DIGEST == 0) {
            let voice = voice_of(&mut voices, *source);
            let reach = said & (bits::HERE | bits::BELOW);
            if said & bits::EXCEPT != 0 {
                voice.excepted |= reach;
            } else {
                voice.listed |= reach;
            }
        }
        let all = |says: &dyn Fn(Voice) -> bool| {
            let speaking = voices.iter().filter(|voice| says(**voice));
            speaking.fold(Tags::NONE, |tags, voice| tags.union(self.sources[usize::from(voice.source)].tags))
        };
        let coming_down = all(&|voice| voice.inherited);
        let (here, below) = (all(&|voice| voice.says(bits::HERE)), all(&|voice| voice.says(bits::BELOW)));
        // What comes down is stopped when it is not meant for the name, or not for the names below; where it is meant for
        // one of the two, the set says so itself.
        let not = coming_down.without(here.intersection(below));
        Set {
            here: all(&|voice| voice.says_itself(bits::HERE)).union(here.intersection(not)),
            below: all(&|voice| voice.says_itself(bits::BELOW)).union(below.intersection(not)),
            not,
        }
    }

    /// What each list says of a name because of its entries above: the nearest one decides.
    fn inherited_voices(&self, name: &[u8]) -> Vec<Voice> {
        let mut voices: Vec<Voice> = Vec::new();
        for parent in parents(name) {
            let decided = voices.len();
            let mut here: Vec<Voice> = Vec::new();
            for (source, said) in self.entries_of(parent) {
                let is_decided = voices[..decided].iter().any(|voice| voice.source == *source);
                if said & bits::BELOW == 0 || is_decided {
                    continue;
                }
                let voice = voice_of(&mut here, *source);
                if said & bits::EXCEPT != 0 {
                    voice.excepted = bits::BELOW;
                } else {
                    voice.listed = bits::BELOW;
                }
            }
            voices.extend(here.into_iter().map(|v| Voice {
                source: v.source,
                inherited: v.says_itself(bits::BELOW),
                ..Voice::default()
            }));
        }
        voices
    }
}

fn parents(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'.', name).map(|dot| &name[dot + 1..])
}

fn voice_of(voices: &mut Vec<Voice>, source: u16) -> &mut Voice {
    let place = match voices.iter().position(|voice| voice.source == source) {
        Some(place) => place,
        None => {
            voices.push(Voice { source, ..Voice::default() });
            voices.len() - 1
        }
    };
    &mut voices[place]
}
