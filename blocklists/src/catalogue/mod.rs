//! The compiled catalogue: name -> what it is, exactly, in one immutable file.
//!
//! A question `www.site.example` is answered from the entries of `site.example` and `www.site.example`, which stand in one line
//! of memory: that of the site (see [`spread`] for the few sites that have more). The site is hashed and its line is asked for
//! ([`Catalogue::probe`]); then the line is looked at ([`Probe::tags`]), for all these names at once, and where a fingerprint of
//! eight bits agrees the stored name is compared, in the same line and in one step. So no access to memory waits for another, and
//! whoever has several questions at hand begins them all before ending the first. Nothing is allocated, nothing is parsed on
//! opening.

mod ask;
mod batch;
mod bucket;
mod code;
mod explain;
mod file;
mod find;
mod fuzz;
mod hash;
mod info;
mod lanes;
mod memory;
mod probe;
mod set;
mod spread;
#[cfg(test)]
mod tests;
mod works;

pub use explain::{Finding, explain};
pub use file::OpenError;
#[doc(hidden)]
pub use fuzz::fuzz;
pub use info::{Info, ListInfo};
pub use probe::Probe;

pub(crate) use bucket::{FINGERPRINTS, Filling, MAX_HOPS, MAX_RECORD, Place, Room, pass, place};
pub(crate) use code::{Code, MAX_SET_BITS, NO_RECORD, Tops, triplets};
pub(crate) use file::{Draft, Header, Section, sha256};
pub(crate) use hash::{Hasher, Suffix, cells_to_tell, starts, told};
pub(crate) use memory::{Line, Memory};
pub(crate) use set::Set;
pub(crate) use spread::Spread;

use crate::Tags;
use crate::addresses::Addresses;
use file::{Damaged, Layout};
use memory::Buckets;
use set::Words;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
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
    spread: Spread,
    addresses: Addresses,
    has_tops: bool,
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
        let spread = Spread::read(part(Section::Spread))?;
        Ok(Self {
            hasher: Hasher::new(header.seed),
            has_tops: spread.has_tops(),
            spread,
            long: layout.range(Section::Long),
            digests: layout.range(Section::Digests),
            code: Code::read(part(Section::Code), header.told, header.set_bits)?,
            addresses: Addresses::read(part(Section::Addresses), |categories, services| {
                words.translate(categories, services)
            })
            .ok_or(Damaged("addresses"))?,
            sets: Set::read_all(part(Section::Sets), &words)?,
            header,
            info: Info::read(part(Section::Lists), &header, bytes.len() as u64, &words)?,
            memory: memory.buckets(buckets).ok_or(Damaged("buckets"))?,
        })
    }

    /// What lists of addresses say of an address. Allocates nothing.
    pub fn lookup_address(&self, address: IpAddr) -> Tags {
        self.addresses.find(address)
    }

    /// Whether any list of addresses has an entry.
    pub fn knows_addresses(&self) -> bool {
        !self.addresses.is_empty()
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
}

/// The most buckets that a place can number.
const MAX_BUCKETS: u64 = 1 << 32;

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("info", &self.info).finish_non_exhaustive()
    }
}
