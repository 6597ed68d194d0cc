//! The compiled catalogue: name -> what it is, exactly, in one immutable file.
//!
//! A question `www.site.example` is answered from the entries of `example`, `site.example` and `www.site.example`. One
//! pass from the right hashes all of them, the bucket of each is asked for at once, and only where 16 bits of a hash
//! agree is the stored name compared. Nothing is allocated, nothing is parsed on opening.

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

pub(crate) use bucket::{Filling, MAX_HOPS, MAX_OFFSET, SLOTS, fingerprint, home};
pub(crate) use code::{Code, Coded, MAX_BITS, PADDING, Symbol, assign};
pub(crate) use file::{Header, Section, assemble, sha256};
pub(crate) use hash::Hasher;
pub(crate) use memory::{Line, Memory};
pub(crate) use set::Set;

/// The words of this build, as a catalogue's file carries them.
pub(crate) fn words_section() -> Vec<u8> {
    Words::write()
}

use crate::{Name, Tags};
use code::Record;
use file::{Damaged, Layout};
use hash::Suffix;
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
    memory: Memory,
    pub(crate) hasher: Hasher,
    /// In lines.
    buckets: Range<usize>,
    /// In bytes.
    records: Range<usize>,
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

    /// Opens a catalogue's file. Nothing is parsed; a fast checksum of each section finds torn and damaged files.
    #[expect(clippy::disallowed_methods, reason = "a catalogue is a file")]
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::from_memory(Memory::map(&File::open(path)?)?)
    }

    /// Opens a catalogue's file and checks its SHA-256 too, which reads it whole: for `lists status`.
    #[expect(clippy::disallowed_methods, reason = "a catalogue is a file")]
    pub fn open_verified(path: &Path) -> Result<Self, OpenError> {
        let memory = Memory::map(&File::open(path)?)?;
        let catalogue = Self::from_memory(memory)?;
        file::verify(catalogue.memory.bytes())?;
        Ok(catalogue)
    }

    pub(crate) fn from_memory(memory: Memory) -> Result<Self, OpenError> {
        let bytes = memory.bytes();
        let layout = Layout::read(bytes)?;
        let part = |section| &bytes[layout.range(section)];
        let words = Words::read(part(Section::Words))?;
        let buckets = layout.range(Section::Buckets);
        if buckets.len() % Line::BYTES != 0 || layout.header.shift > 16 {
            return Err(Damaged("buckets").into());
        }
        Ok(Self {
            hasher: Hasher::new(layout.header.seed),
            buckets: buckets.start / Line::BYTES..buckets.end / Line::BYTES,
            records: layout.range(Section::Records),
            digests: layout.range(Section::Digests),
            code: Code::read(part(Section::Code))?,
            sets: Set::read_all(part(Section::Sets), &words)?,
            header: layout.header,
            info: Info::read(part(Section::Lists), &layout.header, bytes.len() as u64, &words)?,
            memory,
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
        let table = self.table();
        let mut probe = Probe { catalogue: self, name, spots: [Suffix::default(); TOGETHER], count: 0 };
        for suffix in self.suffixes(name.as_str().as_bytes()) {
            table.prefetch(suffix.hash);
            if let Some(place) = probe.spots.get_mut(usize::from(probe.count)) {
                *place = suffix;
                probe.count += 1;
            } else {
                probe.count = Probe::MORE;
                break;
            }
        }
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

    fn lookup_batch(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        let table = self.table();
        let mut probes = [Asked::default(); PROBES];
        let mut count = 0;
        // First all buckets are asked for …
        for (index, name) in names.iter().enumerate() {
            let name = name.as_str().as_bytes();
            let before = count;
            for suffix in self.suffixes(name) {
                let Some(probe) = probes.get_mut(count) else { break };
                table.prefetch(suffix.hash);
                *probe = Asked { hash: suffix.hash, name: index as u32, start: suffix.start as u32 };
                count += 1;
            }
            // A batch of absurdly long names: those that found no room are looked up by themselves.
            if count == PROBES {
                count = before;
                if let Some(tags) = tags.get_mut(index) {
                    *tags = self.lookup(names[index]);
                }
            } else if let Some(tags) = tags.get_mut(index) {
                *tags = Tags::NONE;
            }
        }
        // … then the records of those that seem to be there …
        let mut kept = 0;
        for index in 0..count {
            let probe = probes[index];
            if table.might_have(probe.hash) {
                probes[kept] = probe;
                kept += 1;
            }
        }
        // … and only then are names compared, from the top-level domain down for each name.
        for probe in &probes[..kept] {
            let (name, start) = (names[probe.name as usize], probe.start as usize);
            if let Some(set) = table.find(probe.hash, &name.as_str().as_bytes()[start..])
                && let Some(tags) = tags.get_mut(probe.name as usize)
            {
                *tags = step(*tags, &set, start == 0);
            }
        }
    }

    /// The suffixes worth asking for, from the right: top-level domains are left out where no entry is one.
    #[inline(always)]
    fn suffixes<'a>(&self, name: &'a [u8]) -> hash::Suffixes<'a> {
        let mut suffixes = self.hasher.suffixes(name);
        if !self.header.single_labels {
            suffixes.next();
        }
        suffixes
    }

    #[inline(always)]
    fn table(&self) -> Table<'_> {
        let bytes = self.memory.bytes();
        Table {
            buckets: self.memory.lines().get(self.buckets.clone()).unwrap_or_default(),
            blob: bytes.get(self.records.clone()).unwrap_or_default(),
            digests: bytes.get(self.digests.clone()).unwrap_or_default(),
            catalogue: self,
        }
    }
}

/// Suffixes that a [`Probe`] remembers. Longer names are hashed again when the lookup ends.
const TOGETHER: usize = 6;

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
    spots: [Suffix; TOGETHER],
    count: u8,
}

impl Probe<'_> {
    /// The count of a name with more suffixes than are remembered.
    const MORE: u8 = u8::MAX;

    /// What is known of the name: see [`Catalogue::lookup`].
    #[inline]
    pub fn tags(&self) -> Tags {
        let (table, name) = (self.catalogue.table(), self.name.as_str().as_bytes());
        let one = |tags, suffix: &Suffix| match table.find(suffix.hash, &name[suffix.start..]) {
            Some(set) => step(tags, &set, suffix.start == 0),
            None => tags,
        };
        match self.spots.get(..usize::from(self.count)) {
            Some(spots) => spots.iter().fold(Tags::NONE, one),
            None => self.catalogue.suffixes(name).fold(Tags::NONE, |tags, suffix| one(tags, &suffix)),
        }
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.name).finish()
    }
}

/// Names in a batch.
const BATCH: usize = 32;
/// Suffixes in a batch: more than five a name.
const PROBES: usize = 192;

#[derive(Clone, Copy, Default)]
struct Asked {
    hash: u64,
    name: u32,
    start: u32,
}

/// One level down: `tags` is what comes from the parents, `set` what this level's entry says.
#[inline(always)]
const fn step(tags: Tags, set: &Set, is_whole_name: bool) -> Tags {
    let own = if is_whole_name { set.here } else { set.below };
    tags.without(set.not).union(own)
}

/// The slices of a catalogue, cut once a question.
struct Table<'a> {
    buckets: &'a [Line],
    blob: &'a [u8],
    digests: &'a [u8],
    catalogue: &'a Catalogue,
}

impl Table<'_> {
    #[inline(always)]
    fn home(&self, hash: u64) -> usize {
        home(hash, self.catalogue.header.home_buckets)
    }

    #[inline(always)]
    fn prefetch(&self, hash: u64) {
        if let Some(line) = self.buckets.get(self.home(hash)) {
            memory::prefetch(line);
        }
    }

    /// Whether a name with this hash may be there; asks for the record that would say so.
    #[inline(always)]
    fn might_have(&self, hash: u64) -> bool {
        let Some(line) = self.buckets.get(self.home(hash)) else { return false };
        let mut found = bucket::matches(line, fingerprint(hash));
        if let Some(slot) = found.next()
            && let Some(byte) = self.blob.get(bucket::record(line, slot, self.catalogue.header.shift))
        {
            memory::prefetch(byte);
            return true;
        }
        bucket::overflows(line)
    }

    /// The set of a name. A name has at most two records: one as text, one as digest.
    #[inline(always)]
    fn find(&self, hash: u64, name: &[u8]) -> Option<Set> {
        let mut found = None;
        let home = self.home(hash);
        for line in self.buckets.get(home..)?.iter().take(MAX_HOPS + 1) {
            let slots = bucket::matches(line, fingerprint(hash));
            if !slots.is_empty() {
                self.compare(line, slots, name, &mut found);
            }
            if !bucket::overflows(line) {
                break;
            }
        }
        found
    }

    fn compare(&self, line: &Line, slots: bucket::Matches, name: &[u8], found: &mut Option<Set>) {
        for slot in slots {
            let at = bucket::record(line, slot, self.catalogue.header.shift);
            let set = match self.catalogue.code.compare(self.blob, at, name) {
                Record::Same(set) => self.catalogue.sets.get(usize::from(set)),
                Record::Digest { number, set } if self.is_digest_of(number, name) => {
                    self.catalogue.sets.get(usize::from(set))
                }
                Record::Digest { .. } | Record::Other => None,
            };
            if let Some(set) = set {
                *found = Some(found.unwrap_or_default().union(*set));
            }
        }
    }

    #[cold]
    fn is_digest_of(&self, number: u32, name: &[u8]) -> bool {
        let (digests, _) = self.digests.as_chunks::<32>();
        digests.get(number as usize).is_some_and(|digest| *digest == sha256(name))
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("info", &self.info).finish_non_exhaustive()
    }
}
