//! The catalogue's file: a header of 16 lines, then sections that begin on lines.
//!
//! | bytes of the header | what |
//! |---|---|
//! | 0..8 | magic |
//! | 8..12, 12..16 | version, number of sections |
//! | 16..24 | seed of the hash |
//! | 24..32 | length of the file |
//! | 32..40, 40..48 | names, home buckets |
//! | 48..56 | when it was built, Unix seconds |
//! | 56, 57 | how many bytes before its last dot a head's place tells; how many bits a set's number has in a record |
//! | 64..96 | SHA-256 of everything after the header |
//! | 128..1016 | section table: kind u32, 0 u32, offset u64, length u64, checksum u64 |
//! | 1016..1024 | checksum of the header before it |
//!
//! Two kinds of checksum, because they answer two questions. The SHA-256 (2 GB/s with the processor's own instructions,
//! a tenth of that without) says that the file is the one that was written; `Catalogue::open_verified` asks it. Opening
//! is on the way of every start and reload and only has to notice a torn or damaged file: a multiply-fold of 64 bits at
//! memory speed does that, over pieces of 256 KiB that two threads share. Neither keeps out somebody who may write the
//! state directory.
//!
//! What is promised: `Catalogue::open` reads the whole file into memory of its own and checks every section of *that
//! copy*, the buckets with the names included, before it returns. A file that is cut, longer, or has one flipped bit in any
//! byte that is ever read is refused; damage that strikes the file later reaches no answer, since the file is not read
//! again. The section of a check is 2^-64 to miss. (Padding between sections is read by nothing and checked by
//! nothing but the SHA-256.)

use super::memory::{Line, Memory};
use super::set::Words;
use std::fmt;
use std::io;
use std::ops::Range;
use zerocopy::FromBytes;

pub(crate) const MAGIC: [u8; 8] = *b"HGATECAT";
pub(crate) const VERSION: u32 = 5;
pub(crate) const HEADER: usize = 1024;
const TABLE: usize = 128;
const ROW: usize = 32;
const HEADER_SUM: usize = HEADER - 8;

/// The sections, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Words = 1,
    Sets = 2,
    Code = 3,
    Lists = 4,
    Digests = 5,
    Buckets = 6,
    Long = 7,
    Spread = 8,
    Addresses = 9,
}

impl Section {
    pub(crate) const ALL: [Self; 9] = [
        Self::Words,
        Self::Sets,
        Self::Code,
        Self::Lists,
        Self::Digests,
        Self::Buckets,
        Self::Long,
        Self::Spread,
        Self::Addresses,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Sets => "sets",
            Self::Code => "code",
            Self::Lists => "lists",
            Self::Digests => "digests",
            Self::Buckets => "buckets",
            Self::Long => "long records",
            Self::Spread => "sites",
            Self::Addresses => "addresses",
        }
    }
}

/// A section whose bytes are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

/// Why a file is no catalogue that can be used. Compiling the lists again mends all of these but the first.
#[derive(Debug)]
pub enum OpenError {
    /// The file cannot be read.
    Io(io::Error),
    /// It does not begin as a catalogue does.
    NotACatalogue,
    /// It was written by a version of the program that this one does not read.
    OtherVersion(u32),
    /// It is shorter or longer than its header says, in bytes.
    Truncated {
        /// What the header says.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// The checksum of a part is wrong, or its content makes no sense.
    Damaged(&'static str),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(why) => write!(f, "the catalogue cannot be read: {why}"),
            Self::NotACatalogue => f.write_str("this file is not a catalogue"),
            Self::OtherVersion(found) => {
                write!(
                    f,
                    "the catalogue has version {found}, this program reads version {VERSION}: compile the lists again"
                )
            }
            Self::Truncated { expected, found } => {
                write!(
                    f,
                    "the catalogue should have {expected} bytes and has {found}: compile the lists again"
                )
            }
            Self::Damaged(part) => write!(f, "the catalogue's {part} are damaged: compile the lists again"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(why) => Some(why),
            Self::NotACatalogue | Self::OtherVersion(_) | Self::Truncated { .. } | Self::Damaged(_) => None,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(why: io::Error) -> Self {
        Self::Io(why)
    }
}

impl From<Damaged> for OpenError {
    fn from(Damaged(part): Damaged) -> Self {
        Self::Damaged(part)
    }
}

/// What the header says beside the section table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) seed: u64,
    pub(crate) names: u64,
    pub(crate) home_buckets: u64,
    pub(crate) built: i64,
    pub(crate) told: u8,
    pub(crate) set_bits: u8,
}

/// Where each section lies, in bytes.
pub(crate) struct Layout {
    pub(crate) header: Header,
    ranges: [Range<usize>; Section::ALL.len()],
}

impl Layout {
    pub(crate) fn range(&self, section: Section) -> Range<usize> {
        self.ranges[section as usize - 1].clone()
    }

    /// Reads and checks the header and every section's checksum.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, OpenError> {
        if bytes.len() < 16 || bytes[..8] != MAGIC {
            return Err(OpenError::NotACatalogue);
        }
        let version = u32_at(bytes, 8);
        if version != VERSION {
            return Err(OpenError::OtherVersion(version));
        }
        let found = bytes.len() as u64;
        if bytes.len() < HEADER {
            return Err(OpenError::Truncated { expected: HEADER as u64, found });
        }
        if checksum(&bytes[..HEADER_SUM]) != u64_at(bytes, HEADER_SUM) {
            return Err(OpenError::Damaged("first lines"));
        }
        let expected = u64_at(bytes, 24);
        if expected != found {
            return Err(OpenError::Truncated { expected, found });
        }
        let mut ranges = [const { 0..0 }; Section::ALL.len()];
        for (range, section) in ranges.iter_mut().zip(Section::ALL) {
            *range = section_range(bytes, section).ok_or(OpenError::Damaged(section.name()))?;
        }
        Ok(Self { header: read_header(bytes), ranges })
    }
}

fn read_header(bytes: &[u8]) -> Header {
    Header {
        seed: u64_at(bytes, 16),
        names: u64_at(bytes, 32),
        home_buckets: u64_at(bytes, 40),
        built: u64_at(bytes, 48).cast_signed(),
        told: bytes[56],
        set_bits: bytes[57],
    }
}

fn section_range(bytes: &[u8], section: Section) -> Option<Range<usize>> {
    let row = TABLE + (section as usize - 1) * ROW;
    let start = usize::try_from(u64_at(bytes, row + 8)).ok()?;
    let end = start.checked_add(usize::try_from(u64_at(bytes, row + 16)).ok()?)?;
    let content = bytes.get(start..end)?;
    let good = u32_at(bytes, row) == section as u32
        && start >= HEADER
        && start.is_multiple_of(Line::BYTES)
        && section_sum(content) == u64_at(bytes, row + 24);
    good.then_some(start..end)
}

/// A catalogue's file while it is made: its buckets are filled in the place where they stay.
pub(crate) struct Draft {
    memory: Memory,
    words: Range<usize>,
    buckets: Range<usize>,
}

impl Draft {
    /// A file with so many lines of buckets, and about so much room behind them.
    pub(crate) fn new(lines: usize, room: usize) -> Self {
        let words = Words::write();
        let end = HEADER + words.len();
        let start = end.next_multiple_of(Line::BYTES);
        let buckets = start..start + lines * Line::BYTES;
        let mut memory = Memory::zeros(buckets.end + room);
        memory.bytes_mut()[HEADER..end].copy_from_slice(&words);
        Self { memory, words: HEADER..end, buckets }
    }

    /// The buckets, to be filled.
    pub(crate) fn buckets(&mut self) -> &mut [Line] {
        let bytes = &mut self.memory.bytes_mut()[self.buckets.clone()];
        <[Line]>::mut_from_bytes(bytes)
            .expect("memory begins on a line, and the buckets begin on one of its lines")
    }

    /// The file with its other sections, which follow the buckets.
    pub(crate) fn finish(
        mut self,
        header: Header,
        rest: [(Section, &[u8]); Section::ALL.len() - 2],
    ) -> Memory {
        let mut length = self.buckets.end;
        let mut places = vec![(Section::Words, self.words.clone()), (Section::Buckets, self.buckets.clone())];
        for (section, content) in rest {
            places.push((section, length..length + content.len()));
            length += content.len().next_multiple_of(Line::BYTES);
        }
        if length > self.memory.bytes().len() {
            // The room was guessed too small: everything moves once.
            let mut larger = Memory::zeros(length);
            larger.bytes_mut()[..self.buckets.end].copy_from_slice(&self.memory.bytes()[..self.buckets.end]);
            self.memory = larger;
        }
        self.memory.truncate(length);
        let bytes = self.memory.bytes_mut();
        for ((_, place), (_, content)) in places[2..].iter().zip(rest) {
            bytes[place.clone()].copy_from_slice(content);
        }
        write_header(bytes, header, &places);
        self.memory
    }
}

fn write_header(bytes: &mut [u8], header: Header, places: &[(Section, Range<usize>)]) {
    let length = bytes.len() as u64;
    put(bytes, 0, &MAGIC);
    put(bytes, 8, &VERSION.to_le_bytes());
    put(bytes, 12, &(places.len() as u32).to_le_bytes());
    put(bytes, 16, &header.seed.to_le_bytes());
    put(bytes, 24, &length.to_le_bytes());
    put(bytes, 32, &header.names.to_le_bytes());
    put(bytes, 40, &header.home_buckets.to_le_bytes());
    put(bytes, 48, &header.built.to_le_bytes());
    put(bytes, 56, &[header.told, header.set_bits]);
    let digest = sha256(&bytes[HEADER..]);
    put(bytes, 64, &digest);
    for (section, place) in places {
        let row = TABLE + (*section as usize - 1) * ROW;
        put(bytes, row, &(*section as u32).to_le_bytes());
        put(bytes, row + 8, &(place.start as u64).to_le_bytes());
        put(bytes, row + 16, &(place.len() as u64).to_le_bytes());
        let sum = section_sum(&bytes[place.clone()]);
        put(bytes, row + 24, &sum.to_le_bytes());
    }
    let sum = checksum(&bytes[..HEADER_SUM]);
    put(bytes, HEADER_SUM, &sum.to_le_bytes());
}

/// Whether the content is, to the bit, what was written.
pub(crate) fn verify(bytes: &[u8]) -> Result<(), OpenError> {
    match bytes.get(HEADER..) {
        Some(content) if sha256(content) == bytes[64..96] => Ok(()),
        _ => Err(OpenError::Damaged("contents")),
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    out
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b))
}

/// How much of a section one thread checks at a time, in bytes: a second-level cache holds it.
const PIECE: usize = 256 << 10;
/// A section that is checked by two threads has this many bytes at least.
const LARGE: usize = 4 << 20;

/// The checksum of a section: that of its pieces' checksums, so that two threads can share a large one.
pub(crate) fn section_sum(content: &[u8]) -> u64 {
    let sums =
        |content: &[u8]| content.chunks(PIECE).flat_map(|p| checksum(p).to_le_bytes()).collect::<Vec<u8>>();
    if content.len() < LARGE {
        return checksum(&sums(content));
    }
    let (first, second) = content.split_at((content.len() / 2).next_multiple_of(PIECE));
    let (mut first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| sums(second));
        (sums(first), other.join().expect("adding numbers up does not panic"))
    });
    first.extend(second);
    checksum(&first)
}

/// A checksum at memory speed: four lanes of multiply-and-fold over 32 bytes a step. It notices damage, not enemies.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    const KEYS: [u64; 4] =
        [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0xd6e8_feb8_6659_fd93];
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut lanes = KEYS;
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut last = [0; 32];
    last[..rest.len()].copy_from_slice(rest);
    for block in blocks.iter().chain(std::iter::once(&last)) {
        let (words, _) = block.as_chunks::<8>();
        for ((lane, word), key) in lanes.iter_mut().zip(words).zip(KEYS) {
            // The lane is added again, so that a word that happens to meet it does not wipe it out.
            *lane = fold(*lane ^ u64::from_le_bytes(*word), key).wrapping_add(lane.rotate_left(23));
        }
    }
    lanes.into_iter().fold(bytes.len() as u64, |sum, lane| fold(sum ^ lane, KEYS[0]).wrapping_add(lane))
}
