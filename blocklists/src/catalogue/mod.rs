//! The compiled catalogue: name -> what it is, exactly, in one immutable file.
//!
//! A question `www.site.example` is answered from the entries of `example`, `site.example` and `www.site.example`. All of
//! them are hashed first and the one line of memory that each may stand in is asked for ([`Catalogue::probe`]); then the
//! lines are looked at ([`Probe::tags`]), and where a fingerprint of eight bits agrees the stored name is compared, in the
//! same line. So no access to memory waits for another, and whoever has several questions at hand begins them all before
//! ending the first. Nothing is allocated, nothing is parsed on opening.

mod batch;
mod bucket;
mod code;
mod explain;
mod file;
mod hash;
mod info;
mod memory;
mod set;
#[cfg(test)]
mod tests;

pub use explain::{Finding, explain};
pub use file::OpenError;
pub use info::{Info, ListInfo};

pub(crate) use bucket::{FINGERPRINTS, Filling, MAX_HOPS, MAX_RECORD, Place, pass, place};
pub(crate) use code::{Code, Coded, MAX_BITS, PADDING, Symbol, assign};
pub(crate) use file::{Draft, Header, Section, sha256};
pub(crate) use hash::{Hasher, cells_to_tell, told};
pub(crate) use memory::{Line, Memory};
pub(crate) use set::Set;

use crate::{Name, Tags};
use batch::BATCH;
use code::Record;
use file::{Damaged, Layout};
use hash::{Short, Suffix, is_plain};
use memory::Buckets;
use set::Words;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A compiled, immutable catalogue, opened from its file or built in memory.
///
/// It is shared between threads without locks.
pub struct Catalogue {
    memory: Buckets,
    pub(crate) hasher: Hasher,
    // These are in bytes.
    long: Range<usize>,
    digests: Range<usize>,
    code: Code,
    sets: Box<[Set]>,
    header: Header,
    info: Info,
}

impl Catalogue {
    /// A catalogue that knows nothing: what a home without lists starts with.
    pub fn empty() -> Self {
        crate::compile::Compiler::new()
            .finish(0)
            .expect("no list is no problem for any limit of the compiler")
    }

    /// Opens a catalogue's file: reads it into memory of its own and checks that copy, so that a torn or damaged file is
    /// refused here and later damage reaches no answer. Nothing is parsed.
    #[expect(clippy::disallowed_methods, reason = "a catalogue is a file")]
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::from_memory(Memory::read(&File::open(path)?)?)
    }

    /// Opens a catalogue's file and checks its SHA-256 too, which reads it whole: for `lists status`.
    #[expect(clippy::disallowed_methods, reason = "a catalogue is a file")]
    pub fn open_verified(path: &Path) -> Result<Self, OpenError> {
        let memory = Memory::read(&File::open(path)?)?;
        let catalogue = Self::from_memory(memory)?;
        file::verify(catalogue.memory.bytes())?;
        Ok(catalogue)
    }

    pub(crate) fn from_memory(memory: Memory) -> Result<Self, OpenError> {
        let bytes = memory.bytes();
        let layout = Layout::read(bytes)?;
        let part = |section| &bytes[layout.range(section)];
        let words = Words::read(part(Section::Words))?;
        let (buckets, header) = (layout.range(Section::Buckets), layout.header);
        let cells = header.home_buckets.saturating_mul(FINGERPRINTS);
        // Where cells are too few to tell the first bytes of names, an answer would not be exact.
        if buckets.len() % Line::BYTES != 0
            || header.home_buckets > MAX_BUCKETS
            || usize::from(header.told) > told(cells)
        {
            return Err(Damaged("buckets").into());
        }
        Ok(Self {
            hasher: Hasher::new(header.seed),
            long: layout.range(Section::Long),
            digests: layout.range(Section::Digests),
            code: Code::read(part(Section::Code))?,
            sets: Set::read_all(part(Section::Sets), &words)?,
            header,
            info: Info::read(part(Section::Lists), &header, bytes.len() as u64, &words)?,
            memory: memory.buckets(buckets).ok_or(Damaged("buckets"))?,
        })
    }

    /// Writes the catalogue to a file: a temporary one beside it, synced, then renamed over it.
    ///
    /// Whoever has the old file open keeps the old content; a crash leaves the old or the new one, whole.
    #[expect(clippy::disallowed_methods, reason = "here, and nowhere else, a catalogue is written")]
    pub fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let temporary = Path::new(&temporary);
        // A name that is left from a crash is cut, never a mapped one: only renamed files are mapped.
        // Sealed names stand in it as digests: it is nobody's but the gateway's.
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(temporary)?;
        file.write_all(self.memory.bytes())?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }

    /// What the catalogue was made from, and how large it is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// What is known of a name: what its own entry says of it, and what each parent's entry says of all below it.
    #[inline]
    pub fn lookup(&self, name: Name<'_>) -> Tags {
        self.probe(name).tags()
    }

    /// Begins a lookup: hashes every suffix of the name and asks the processor for the lines that hold the answer, without
    /// waiting for them. [`Probe::tags`] ends it.
    ///
    /// Whoever has several questions at hand begins them all before ending the first, so that their waits overlap.
    #[inline]
    pub fn probe<'a>(&'a self, name: Name<'a>) -> Probe<'a> {
        let bytes = name.as_str().as_bytes();
        let Some(short) = Short::new(bytes, self.header.single_labels) else { return self.probe_long(name) };
        let (buckets, mut spots, mut count) = (self.memory.lines(), [Spot::default(); SPOTS], 0);
        for length in short.lengths() {
            let spot = Spot::new(&self.hasher.suffix(bytes, &short, length), self.header.home_buckets);
            prefetch(buckets, &spot);
            if let Some(to) = spots.get_mut(count) {
                *to = spot;
            }
            count += 1;
        }
        Probe { catalogue: self, name, spots, count }
    }

    #[cold]
    fn probe_long<'a>(&'a self, name: Name<'a>) -> Probe<'a> {
        let mut probe = Probe { catalogue: self, name, spots: [Spot::default(); SPOTS], count: 0 };
        self.suffixes(name.as_str().as_bytes(), |suffix| {
            let spot = Spot::new(&suffix, self.header.home_buckets);
            prefetch(self.memory.lines(), &spot);
            if let Some(to) = probe.spots.get_mut(probe.count) {
                *to = spot;
            }
            probe.count += 1;
        });
        probe
    }

    /// [`Self::lookup`] of several names at once: their memory accesses overlap, which pays in large catalogues.
    ///
    /// `tags` is as long as `names`; what is longer of the two is left alone.
    pub fn lookup_many(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        for (names, tags) in names.chunks(BATCH).zip(tags.chunks_mut(BATCH)) {
            self.lookup_batch(names, tags);
        }
    }

    /// The suffixes worth asking for, from the right: top-level domains are left out where no entry is one.
    #[inline(always)]
    fn suffixes(&self, name: &[u8], each: impl FnMut(Suffix)) {
        self.hasher.suffixes(name, self.header.single_labels, each);
    }

    /// One level down: `tags` is what comes from the parents, to which this level's entry adds, or takes from.
    #[inline(always)]
    fn step(&self, tags: Tags, name: &[u8], spot: &Spot) -> Tags {
        match self.find(spot.place(), name.get(usize::from(spot.start)..).unwrap_or_default()) {
            Some(set) => {
                let own = if spot.start == 0 { set.here } else { set.below };
                tags.without(set.not).union(own)
            }
            None => tags,
        }
    }

    /// What the entry of a suffix says, if there is one.
    #[inline(always)]
    fn find(&self, place: Place, suffix: &[u8]) -> Option<Set> {
        let mut found = None;
        for (moved, line) in
            self.memory.lines().get(place.home as usize..)?.iter().take(MAX_HOPS + 1).enumerate()
        {
            let matching = bucket::matches(line, place.fingerprint(), moved > 0);
            if matching != 0 {
                self.compare(line, matching, moved, suffix, &mut found);
            }
            if !bucket::passed(line, place.class()) {
                break;
            }
        }
        found
    }

    /// Compares the names of a bucket whose fingerprint matches. A name has at most two records: one as text, one as digest.
    fn compare(&self, line: &Line, mut matching: u32, moved: usize, name: &[u8], found: &mut Option<Set>) {
        // The first bytes are told by the place, if they are such as names have.
        let (told, rest) = name.split_at(usize::from(self.header.told).min(name.len()));
        while matching != 0 && is_plain(told) {
            let at = bucket::record(line.bytes(), matching.trailing_zeros() as usize);
            matching &= matching - 1;
            let mut record = self.code.compare(line.bytes(), at, moved, rest);
            if let Record::Elsewhere(at) = record {
                let long = self.memory.bytes().get(self.long.clone()).unwrap_or_default();
                record = self.code.compare(long, at as usize, 0, rest);
            }
            let set = match record {
                Record::Same(set) => set,
                Record::Digest { number, set } if self.is_digest_of(number, name) => set,
                Record::Digest { .. } | Record::Elsewhere(_) | Record::Other => continue,
            };
            if let Some(set) = self.sets.get(usize::from(set)) {
                *found = Some(found.unwrap_or_default().union(*set));
            }
        }
    }

    #[cold]
    fn is_digest_of(&self, number: u32, name: &[u8]) -> bool {
        let bytes = self.memory.bytes().get(self.digests.clone()).unwrap_or_default();
        let (digests, _) = bytes.as_chunks::<32>();
        digests.get(number as usize).is_some_and(|digest| *digest == sha256(name))
    }
}

/// Suffixes that a [`Probe`] remembers. Longer names are hashed again when the lookup ends.
const SPOTS: usize = 6;
/// The most buckets that a place can number.
const MAX_BUCKETS: u64 = 1 << 32;

/// A suffix and where its entry would stand, in eight bytes.
#[derive(Clone, Copy, Default)]
struct Spot {
    home: u32,
    below: u16,
    /// Where it begins in its name. Names have 253 bytes at most; a longer text matches nothing here.
    start: u16,
}

impl Spot {
    #[inline(always)]
    fn new(suffix: &Suffix, home_buckets: u64) -> Self {
        let Place { home, below } = place(suffix.hash, home_buckets);
        Self { home, below, start: u16::try_from(suffix.start).unwrap_or(u16::MAX) }
    }

    #[inline(always)]
    const fn place(&self) -> Place {
        Place { home: self.home, below: self.below }
    }
}

#[inline(always)]
fn prefetch(buckets: &[Line], spot: &Spot) {
    if let Some(line) = buckets.get(spot.home as usize) {
        memory::prefetch(line);
    }
}

/// A lookup that has begun: [`Catalogue::probe`] makes it, [`Self::tags`] ends it.
///
/// It is plain data (no allocation, no lock), so that a worker holds one for every packet of a batch on its stack:
///
/// ```
/// # use blocklists::{Catalogue, Name, Probe, Tags};
/// # let catalogue = Catalogue::empty();
/// let names = ["www.site.example", "bet.example"].map(Name::trusted);
/// let mut probes: [Option<Probe<'_>>; 32] = [None; 32];
/// for (probe, name) in probes.iter_mut().zip(names) {
///     *probe = Some(catalogue.probe(name));
/// }
/// for probe in probes.iter().flatten() {
///     assert_eq!(probe.tags(), Tags::NONE);
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    catalogue: &'a Catalogue,
    name: Name<'a>,
    spots: [Spot; SPOTS],
    /// How many suffixes there are, also those beyond the spots.
    count: usize,
}

impl Probe<'_> {
    /// What is known of the name: see [`Catalogue::lookup`].
    #[inline]
    pub fn tags(&self) -> Tags {
        let name = self.name.as_str().as_bytes();
        match self.spots.get(..self.count) {
            Some(spots) => spots.iter().fold(Tags::NONE, |tags, spot| self.catalogue.step(tags, name, spot)),
            None => self.tags_of_many_labels(name),
        }
    }

    #[cold]
    fn tags_of_many_labels(&self, name: &[u8]) -> Tags {
        let (mut tags, home_buckets) = (Tags::NONE, self.catalogue.header.home_buckets);
        self.catalogue.suffixes(name, |suffix| {
            tags = self.catalogue.step(tags, name, &Spot::new(&suffix, home_buckets));
        });
        tags
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.name).finish()
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("info", &self.info).finish_non_exhaustive()
    }
}
