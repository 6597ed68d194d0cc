//! How names are written in the catalogue, so that a record is compared with a name at once rather than letter by letter.
//!
//! A record is a number of at most 120 bits, in as few bytes as hold it. From the low bits on:
//!
//! | bits | what |
//! |---|---|
//! | as many as the header says | the number of the name's set |
//! | 1 or 9 | a zero for the most frequent top-level domain; or a one and the code of another, or 0 where that has none |
//! | 43 each | eight letters: a number of eight symbols, the first letter's counting least; at most 22 letters |
//!
//! The letters are those of the name without what its place tells and without the top-level domain (see [`super::hash`]); of a name
//! whose top-level domain has no code they are all. The dot before the name's head (see [`super::spread`]) is a symbol of its
//! own. So place, code and letters are the whole name, and two records of one place that are alike are of one name.
//!
//! A name that stands two or more buckets behind its own says so first, after its set. A name that is too long, has a
//! set without a number of so few bits, or is kept as a digest, has the code [`LONG`], and then where its long record stands:
//! how many letters it has (0: a digest's number in four bytes), its set in two, and for each three letters their symbols in two.

use super::file::Damaged;
use super::hash::keep_first;
use super::lanes::{DOT, GROUP_BITS, Help, Lanes, PART, SYMBOLS, Work, symbol, work};

/// The code of the most frequent top-level domain.
const FIRST: u8 = 1;
/// Bits of its code in a record, and of every other.
const FIRST_BITS: u32 = 1;
const CODE_BITS: u32 = 9;
/// The code before what a name says that stands far behind its bucket, and that of a name whose record stands elsewhere.
const MOVED: u128 = in_record(254);
const LONG: u128 = in_record(255);
/// Bits for how far behind its own bucket a name stands, less two.
const HOP_BITS: u32 = 4;
/// Top-level domains that have codes, which begin with 1.
const MAX_TOPS: usize = 253;

/// A code as it stands in a record.
#[inline(always)]
const fn in_record(code: u8) -> u128 {
    if code == FIRST { 0 } else { 1 | (code as u128) << 1 }
}

/// The most letters of a record.
const MAX_LETTERS: usize = 22;
/// The most bits that a set's number can have in a record.
pub(crate) const MAX_SET_BITS: u8 = 16;
/// The longest top-level domain that may have a code.
const MAX_TOP: usize = 7;
/// Places of the table of top-level domains, by the power of two; and multipliers that are tried to part them.
const TABLE: u32 = 10;
const TRIES: u32 = 300;

/// What no record is: that of a name that has none but a long one.
pub(crate) const NO_RECORD: u128 = u128::MAX;

/// What is added where the dot before a head becomes a symbol of its own, by how many letters stand before the head (with the dot).
static PARTED: [u128; MAX_LETTERS + 1] = {
    let mut added = [0; MAX_LETTERS + 1];
    let mut at = 0;
    while at < MAX_LETTERS {
        let one = (PART - DOT) as u128 * SYMBOLS.pow(at as u32 % 8) as u128;
        added[at + 1] = one << (GROUP_BITS * (at as u32 / 8));
        at += 1;
    }
    added
};

/// A suffix of a name, from its first byte to the name's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parted<'a> {
    pub(crate) suffix: &'a [u8],
    /// Where in it its head begins.
    pub(crate) head: usize,
    /// How many bytes stand behind what may be told: the top-level domain and its dot; 0 where the head has no dot.
    pub(crate) behind: usize,
    /// The code of the top-level domain.
    pub(crate) code: u8,
}

/// How the records of one catalogue are written.
pub(crate) struct Code {
    /// Bytes before the last dot of a head that its place tells.
    told: usize,
    set_bits: u32,
    tops: Tops,
}

impl Code {
    pub(crate) fn new(told: usize, set_bits: u8, tops: Tops) -> Self {
        Self { told, set_bits: u32::from(set_bits.min(MAX_SET_BITS)), tops }
    }

    /// A suffix of a name, whose head begins `head` bytes after it.
    #[inline(always)]
    pub(crate) fn parted<'a>(&self, suffix: &'a [u8], head: usize) -> Parted<'a> {
        let top = memchr::memrchr(b'.', suffix).map(|dot| dot + 1).filter(|start| *start > head);
        let behind = top.map_or(0, |start| suffix.len() - start + 1);
        let code = top.map_or(0, |start| self.tops.code_of(&suffix[start..]));
        Parted { suffix, head, behind, code }
    }

    /// What the record of a name says behind its set; [`NO_RECORD`] if it has too many letters. The name has only bytes that names
    /// have.
    #[inline(always)]
    pub(crate) fn packed<L: Lanes>(&self, lanes: L, name: Parted<'_>) -> u128 {
        let Parted { suffix, head, behind, code } = name;
        let told = self.told.min((suffix.len() - head).saturating_sub(behind));
        let untold = if code == 0 { 0 } else { behind + told };
        let letters = suffix.len().saturating_sub(untold);
        let [first, second, third] = lanes.groups(lanes.keep(lanes.first_of(suffix), keep_first(letters)));
        let all =
            u128::from(first) | u128::from(second) << GROUP_BITS | u128::from(third) << (2 * GROUP_BITS);
        let all = all.wrapping_add(PARTED.get(head).copied().unwrap_or_default());
        let packed = if code == FIRST { all << FIRST_BITS } else { all << CODE_BITS | in_record(code) };
        if letters > MAX_LETTERS { NO_RECORD } else { packed }
    }

    /// [`Self::packed`], as fast as this processor can.
    pub(crate) fn pack(&self, help: Option<Help>, name: Parted<'_>) -> u128 {
        work(help, Pack { code: self, name })
    }

    /// The set of a record, if it is that of a name that is packed so; without a guess.
    #[inline(always)]
    pub(crate) fn set_if_same(&self, record: u128, packed: u128) -> (bool, u16) {
        let is_same = record >> self.set_bits == packed;
        (is_same, record as u16 & ((1u32 << self.set_bits) - 1) as u16)
    }

    /// Where the long record of a record stands, if it has one.
    #[inline(always)]
    pub(crate) fn long(&self, record: u128) -> Option<u32> {
        let said = record >> self.set_bits;
        Self::is_long(said).then_some((said >> CODE_BITS) as u32)
    }

    /// What a record says behind its set that is that of a long one.
    pub(crate) const fn long_at(place: u32) -> u128 {
        LONG | (place as u128) << CODE_BITS
    }

    /// Whether a record that says this behind its set stands for a long one.
    pub(crate) const fn is_long(said: u128) -> bool {
        said & ((1 << CODE_BITS) - 1) == LONG
    }

    /// What a name says behind its set that stands so many buckets behind its own.
    #[inline]
    pub(crate) fn moved(packed: u128, moved: usize) -> u128 {
        const BITS: u32 = CODE_BITS + HOP_BITS;
        match moved.checked_sub(2) {
            None => packed,
            Some(_) if packed.leading_zeros() < BITS => NO_RECORD,
            Some(farther) => MOVED | (farther as u128 & 15) << CODE_BITS | packed << BITS,
        }
    }

    /// A record: what it says, behind a set. `None` where the set has no number of so few bits, or there is none.
    pub(crate) fn record(&self, packed: u128, set: u16) -> Option<u128> {
        let fits = packed != NO_RECORD
            && packed.leading_zeros() >= self.set_bits
            && u32::from(set) >> self.set_bits == 0;
        fits.then(|| packed << self.set_bits | u128::from(set))
    }

    /// The code of a top-level domain that ends a text of at least eight bytes, which are these, and has so many.
    #[inline(always)]
    pub(crate) fn code_of_end(&self, last_eight: u64, bytes: usize) -> u8 {
        // In two steps, since a shift by all 64 bits is none.
        let key = last_eight >> 8 >> (MAX_TOP.wrapping_sub(bytes).wrapping_mul(8) & 63);
        let code = self.tops.code(key);
        if bytes <= MAX_TOP { code } else { 0 }
    }

    /// As it stands in the file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let keys = self.tops.keys.iter().flat_map(|key| key.to_le_bytes());
        self.tops.multiplier.to_le_bytes().into_iter().chain(keys).collect()
    }

    /// From a file, whose header says how much is told and how many bits a set's number has.
    pub(super) fn read(bytes: &[u8], told: u8, set_bits: u8) -> Result<Self, Damaged> {
        let (words, rest) = bytes.as_chunks::<8>();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        let multiplier = words.next().filter(|_| rest.is_empty() && set_bits <= MAX_SET_BITS);
        let tops = multiplier.and_then(|multiplier| Tops::with(words.collect(), multiplier));
        Ok(Self::new(usize::from(told), set_bits, tops.ok_or(Damaged("code"))?))
    }
}

/// A name to be packed.
struct Pack<'a> {
    code: &'a Code,
    name: Parted<'a>,
}

impl Work for Pack<'_> {
    type Output = u128;

    #[inline(always)]
    fn with<L: Lanes>(self, lanes: L) -> u128 {
        self.code.packed(lanes, self.name)
    }
}

/// A name as it stands in a long record: each three letters as one number. The name has only bytes that names have.
pub(crate) fn triplets(name: &[u8]) -> impl Iterator<Item = u16> {
    // None of them parts a name from its head, so that forty numbers count them and three fit.
    name.chunks(3).map(|three| three.iter().rev().fold(0, |sum, byte| sum * 40 + u16::from(symbol(*byte))))
}

/// The top-level domains with codes, each found with one look.
pub(crate) struct Tops {
    /// In the order of their codes: up to seven bytes, as the low ones of a word.
    keys: Vec<u64>,
    multiplier: u64,
    /// A key above its code, where the key's product with the multiplier says.
    table: Box<[u64; 1 << TABLE]>,
}

impl Tops {
    /// Of these, the most frequent first, and how often each is met: those that may have codes and find a place.
    pub(crate) fn new(tops: &[(&[u8], u64)]) -> Self {
        let keys: Vec<(u64, u64)> =
            tops.iter().filter_map(|(top, count)| Some((key(top)?, *count))).take(MAX_TOPS).collect();
        let mut best =
            (0, Self::with(Vec::new(), 0x9e37_79b9_7f4a_7c15).expect("nothing is parted by anything"));
        let (mut multiplier, all) = (0x9e37_79b9_7f4a_7c15_u64, keys.iter().map(|key| key.1).sum::<u64>());
        for _ in 0..TRIES {
            if best.0 == all {
                break;
            }
            // Who comes first stays; the others of the same place go without a code.
            let (mut taken, mut kept, mut met) = ([false; 1 << TABLE], Vec::new(), 0);
            for (key, count) in &keys {
                if !std::mem::replace(&mut taken[Self::place(*key, multiplier)], true) {
                    kept.push(*key);
                    met += count;
                }
            }
            if met > best.0
                && let Some(tops) = Self::with(kept, multiplier)
            {
                best = (met, tops);
            }
            multiplier =
                multiplier.wrapping_mul(0xd120_2dc1_55b6_1f09).wrapping_add(0x1234_5678_9abc_def2) | 1;
        }
        best.1
    }

    /// `None` where two would share a place.
    fn with(keys: Vec<u64>, multiplier: u64) -> Option<Self> {
        let mut table = Box::new([0; 1 << TABLE]);
        for (code, key) in (1..).zip(&keys) {
            let place = &mut table[Self::place(*key, multiplier)];
            if *place != 0 || *key == 0 || *key >> (8 * MAX_TOP) != 0 || code > MAX_TOPS as u64 {
                return None;
            }
            *place = key << 8 | code;
        }
        Some(Self { keys, multiplier, table })
    }

    #[inline(always)]
    const fn place(key: u64, multiplier: u64) -> usize {
        (key.wrapping_mul(multiplier) >> (64 - TABLE)) as usize
    }

    #[inline(always)]
    fn code(&self, key: u64) -> u8 {
        let found = self.table[Self::place(key, self.multiplier)];
        if found >> 8 == key { found as u8 } else { 0 }
    }

    fn code_of(&self, top: &[u8]) -> u8 {
        key(top).map_or(0, |key| self.code(key))
    }
}

/// `None` for a top-level domain that is too long.
fn key(top: &[u8]) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(..top.len()).filter(|_| (1..=MAX_TOP).contains(&top.len()))?.copy_from_slice(top);
    Some(u64::from_le_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::lanes::Portable;
    use std::collections::HashMap;

    fn tops(all: &[&str]) -> Tops {
        let counted: Vec<(&[u8], u64)> = all.iter().map(|top| (top.as_bytes(), 1)).collect();
        Tops::new(&counted)
    }

    #[test]
    fn top_level_domains_are_found_or_not() {
        let all: Vec<String> = (0..300).map(|n| format!("t{n}")).collect();
        let many = tops(&all.iter().map(String::as_str).collect::<Vec<_>>());
        let mut codes: Vec<u8> =
            all.iter().map(|top| many.code_of(top.as_bytes())).filter(|code| *code > 0).collect();
        assert!(codes.len() > 200 && codes[0] == FIRST, "{codes:?}");
        codes.dedup();
        assert!(codes.is_sorted() && codes.len() == many.keys.len() && codes.len() <= MAX_TOPS);
        let few = tops(&["com", "example", "technology", "", "uk"]);
        for (top, code) in [
            ("com", 1),
            ("example", 2),
            ("uk", 3),
            ("technology", 0),
            ("", 0),
            ("co", 0),
            ("comm", 0),
            ("moc", 0),
        ] {
            assert_eq!(few.code_of(top.as_bytes()), code, "{top}");
            let code_at_end = |name: &str| {
                let last = u64::from_le_bytes(*name.as_bytes().last_chunk().unwrap());
                Code::new(0, 0, tops(&["com", "example", "uk"])).code_of_end(last, top.len())
            };
            assert_eq!(code_at_end(&format!("some.name.{top}")), code, "{top} at an end");
        }
        assert!(tops(&[]).keys.is_empty());
    }

    #[test]
    fn names_of_one_place_are_packed_apart() {
        // All names of few letters, with every head that they may have: what is told, and so the place, is the same where nothing is
        // told.
        let code = Code::new(0, 0, tops(&["b", "c"]));
        let mut seen = HashMap::new();
        for number in 0..5usize.pow(6) {
            let name: Vec<u8> = (0..6).map(|at| b"abc.-"[number / 5usize.pow(at) % 5]).collect();
            let name = name.split(|byte| *byte == b'-').next().unwrap_or_default();
            for head in crate::catalogue::starts(name) {
                let packed = code.packed(Portable, code.parted(name, head));
                let same = seen.entry(packed).or_insert((name.to_owned(), head));
                assert_eq!((same.0.as_slice(), same.1), (name, head), "{}", String::from_utf8_lossy(name));
            }
        }
        assert!(seen.len() > 4_000, "{}", seen.len());
    }

    #[test]
    fn a_record_is_its_set_and_its_name() {
        let code = Code::new(5, 3, tops(&["example"]));
        let packed = |name: &str, head| code.packed(Portable, code.parted(name.as_bytes(), head));
        assert_eq!(packed("told.example", 0), packed("said.example", 0), "it is told");
        for (name, head) in
            [("told.example", 0), ("a-longer-name.example", 0), ("www.a.b.example", 4), ("x.y", 0)]
        {
            for (set, fits) in [(0, true), (7, true), (8, false)] {
                let record = code.record(packed(name, head), set);
                assert_eq!(record.is_some(), fits);
                let Some(record) = record else { continue };
                assert_eq!(code.set_if_same(record, packed(name, head)), (true, set));
                assert!(!code.set_if_same(record, packed("another.example", 0)).0);
                assert_eq!(code.long(record), None);
            }
        }
        for moved in 2..=15 {
            let record = code.record(Code::moved(packed("site.example", 0), moved), 5).unwrap();
            let is_same = |moved| code.set_if_same(record, Code::moved(packed("site.example", 0), moved)).0;
            assert!((0..=15).all(|other| is_same(other) == (other == moved)), "{moved}");
        }
        assert_eq!(code.long(code.record(Code::long_at(0xffff_fff0), 0).unwrap()), Some(0xffff_fff0));
        // Too many letters for a record, or for one that says how far it is moved.
        let longest = format!("{}.example", "z".repeat(MAX_LETTERS + 5));
        assert_ne!(packed(&longest, 0), NO_RECORD);
        assert_eq!(
            (packed(&format!("z{longest}"), 0), Code::moved(packed(&longest, 0), 2)),
            (NO_RECORD, NO_RECORD)
        );
        assert_eq!(code.record(NO_RECORD, 0), None);
    }

    #[test]
    fn long_names_have_numbers_of_their_own() {
        let mut seen = HashMap::new();
        for number in 0..6usize.pow(5) {
            let name: Vec<u8> = (0..5).map(|at| b"az9-_."[number / 6usize.pow(at) % 6]).collect();
            for name in [&name[..], &name[..4], &name[..3]] {
                let numbers: Vec<u16> = triplets(name).collect();
                assert_eq!(seen.entry(numbers).or_insert_with(|| name.to_owned()), name);
            }
        }
        for other in [&b"aBc"[..], b"a\0c", b"\xffbc", b"ab"] {
            assert!(!triplets(other).eq(triplets(b"abc")));
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let code = Code::new(4, 2, tops(&["com", "example"]));
        let bytes = code.write();
        let read = Code::read(&bytes, 4, 2).map_err(|_| ()).expect("what was written");
        assert_eq!((read.write(), read.tops.code_of(b"example"), read.told), (bytes.clone(), 2, 4));
        for (bytes, bits) in [(&bytes[..7], 2), (&bytes[1..], 2), (&[][..], 2), (&bytes, 17)] {
            assert!(Code::read(bytes, 4, bits).is_err());
        }
        let twice = [&bytes[..], &bytes[8..16]].concat();
        assert!(Code::read(&twice, 4, 2).is_err(), "two domains, one place");
    }
}
