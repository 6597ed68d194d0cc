//! How names are written in the catalogue: a dictionary of frequent pieces (`.com`, `casino`, `e`), each with a Huffman
//! code, both made for the names of this catalogue. A record is the codes of its name, without what its place tells, then the
//! code of its set. What the place tells is the first bytes of the name's head (see [`super::spread`]): where the head does not
//! begin the name, a symbol says where, in the place of the dot before it. A name that stands two or more buckets behind its own says
//! so first.
//!
//! Codes are at most [`MAX_BITS`] long and are read with one look into a table. They begin at the low bit of a byte.

use super::file::Damaged;
use super::hash::part;

/// The longest code, in bits: the reading table has two to the power of this many rows.
pub(crate) const MAX_BITS: u32 = 12;
/// The most symbols of a code: a window of the reading table is a symbol in 12 bits and its length in four.
pub(crate) const MAX_SYMBOLS: usize = (1 << 12) - 1;
/// Zero bytes after the last record, so that there always are eight bytes to look at.
pub(crate) const PADDING: usize = 16;

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    /// The next bytes of the name: up to eight, as the low bytes of a word.
    Text { bytes: u64, count: u8 },
    /// The name ends here; its set is this one.
    Set(u16),
    /// The name ends here; its set follows as 16 plain bits.
    AnySet,
    /// No name, but a digest's number in 32 plain bits; then the set.
    Digest,
    /// No name, but in 32 plain bits where the record stands among those that are too long for a bucket.
    Long,
    /// Before the name: it stands so many buckets (two or more) behind its own.
    Moved(u8),
    /// Between the labels before the name's head and what the place does not tell of the head.
    Head,
    /// No code leads here: the record is damaged.
    None,
}

/// A symbol and how long its code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Coded {
    pub(crate) symbol: Symbol,
    pub(crate) bits: u8,
}

/// A name that is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a [u8],
    /// Where its head begins.
    pub(crate) head: usize,
    /// How many bytes of the head its place tells.
    pub(crate) told: usize,
}

impl<'a> Wanted<'a> {
    /// Where the head goes on behind what the place tells.
    #[inline(always)]
    fn rest(&self) -> usize {
        (self.head + self.told).min(self.name.len())
    }

    /// What the place tells.
    #[inline(always)]
    pub(crate) fn told(&self) -> &'a [u8] {
        self.name.get(self.head..self.rest()).unwrap_or_default()
    }
}

/// What a record turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// This name, with this set.
    Same(u16),
    /// Perhaps this name: its digest decides.
    Digest { number: u32, set: u16 },
    /// The record stands elsewhere: there.
    Elsewhere(u32),
    /// Another name.
    Other,
}

/// A symbol as the hot loop reads it: 16 bytes, so that the dictionary stays in the first-level cache.
#[derive(Clone, Copy)]
struct Row {
    /// The bytes of a piece, or the number of a set.
    value: u64,
    /// Bytes of a piece; 0 for everything that ends a record.
    count: u8,
    end: End,
}

/// How a record ends, or goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Not,
    Set,
    AnySet,
    Digest,
    Long,
    Moved,
    Head,
    Damaged,
}

impl Row {
    fn new(coded: Coded) -> Self {
        let (value, count, end) = match coded.symbol {
            Symbol::Text { bytes, count } => (bytes, count, End::Not),
            Symbol::Set(set) => (u64::from(set), 0, End::Set),
            Symbol::AnySet => (0, 0, End::AnySet),
            Symbol::Digest => (0, 0, End::Digest),
            Symbol::Long => (0, 0, End::Long),
            Symbol::Moved(hops) => (u64::from(hops), 0, End::Moved),
            Symbol::Head => (0, 0, End::Head),
            Symbol::None => (0, 0, End::Damaged),
        };
        Self { value, count, end }
    }
}

/// What no code leads to.
const NOTHING: Row = Row { value: 0, count: 0, end: End::Damaged };

/// The code of one catalogue, for reading.
pub(crate) struct Code {
    symbols: Vec<Coded>,
    rows: Vec<Row>,
    /// Every 12 bits that can come next -> the symbol that they begin with, and above it how long its code is.
    windows: Box<[u16; 1 << MAX_BITS]>,
}

/// The codes of symbols with these lengths, low bit first: canonical Huffman codes (RFC 1951 §3.2.2), reversed.
///
/// `None` when the lengths are those of no code.
pub(crate) fn assign(lengths: impl Iterator<Item = u8> + Clone) -> Option<Vec<u16>> {
    let mut counts = [0u32; MAX_BITS as usize + 1];
    for length in lengths.clone() {
        *counts.get_mut(usize::from(length)).filter(|_| length > 0)? += 1;
    }
    let (mut next, mut code) = ([0u32; MAX_BITS as usize + 1], 0u32);
    for length in 1..=MAX_BITS as usize {
        code = (code + counts[length - 1]) << 1;
        next[length] = code;
        if code + counts[length] > 1 << length {
            return None;
        }
    }
    let codes = lengths.map(|length| {
        let place = &mut next[usize::from(length)];
        let code = *place as u16;
        *place += 1;
        code.reverse_bits() >> (16 - length)
    });
    Some(codes.collect())
}

impl Code {
    /// The code of the given symbols.
    pub(crate) fn new(symbols: Vec<Coded>) -> Option<Self> {
        let codes = assign(symbols.iter().map(|s| s.bits))?;
        // Windows that no code begins lead to a last symbol that matches nothing.
        let nothing = u16::try_from(symbols.len()).ok().filter(|count| usize::from(*count) <= MAX_SYMBOLS)?;
        let mut windows = Box::new([nothing | 1 << 12; 1 << MAX_BITS]);
        for ((symbol, coded), code) in (0u16..).zip(&symbols).zip(codes) {
            for window in (usize::from(code)..1 << MAX_BITS).step_by(1 << coded.bits) {
                windows[window] = symbol | u16::from(coded.bits) << 12;
            }
        }
        let mut rows: Vec<Row> = symbols.iter().copied().map(Row::new).collect();
        rows.push(Row::new(Coded { symbol: Symbol::None, bits: 1 }));
        Some(Self { symbols, rows, windows })
    }

    /// Compares the record that begins at a byte with a name that stands `moved` buckets behind its own.
    ///
    /// `bytes` end where the record cannot reach: a bucket, or all long records. There are eight of them at least.
    #[inline(always)]
    pub(crate) fn compare(&self, bytes: &[u8], at: usize, moved: usize, wanted: Wanted<'_>) -> Record {
        let mut bits = Bits { bytes, at: at * 8 };
        if moved > 1 {
            let (row, length) = self.row(bits.look());
            if row.end != End::Moved || row.value != moved as u64 {
                return Record::Other;
            }
            bits.at += length as usize;
        }
        let name = wanted.name;
        // What was compared, or told; and whether the head has begun.
        let (mut seen, mut in_head) = if wanted.head == 0 { (wanted.rest(), true) } else { (0, false) };
        loop {
            let mut ahead = bits.look();
            // A look has 57 bits at least (or all that are left), and so four codes of up to 12.
            for _ in 0..4 {
                let (row, length) = self.row(ahead);
                bits.at += length as usize;
                ahead >>= length;
                if row.count == 0 {
                    if row.end != End::Head {
                        return self.end(row, &bits, in_head && seen == name.len());
                    }
                    // The dot before the head is not written.
                    if in_head || seen + 1 != wanted.head {
                        return Record::Other;
                    }
                    (seen, in_head) = (wanted.rest(), true);
                    continue;
                }
                // Every piece has at least one byte, so the loops end with the name at the latest.
                let count = usize::from(row.count);
                if seen + count > name.len() || part(name, seen, count) != row.value {
                    return Record::Other;
                }
                seen += count;
            }
        }
    }

    /// The symbol that comes next, and how long its code is.
    #[inline(always)]
    fn row(&self, ahead: u64) -> (&Row, u32) {
        let window = self.windows[ahead as usize & ((1 << MAX_BITS) - 1)];
        // Every window holds a symbol that there is; the last, which matches nothing, stands in for no other.
        let row = self.rows.get(usize::from(window & 0xfff)).unwrap_or(const { &NOTHING });
        (row, u32::from(window >> 12))
    }

    #[cold]
    fn digest(&self, bits: &Bits<'_>) -> Record {
        let set = Bits { bytes: bits.bytes, at: bits.at + 32 };
        let (row, length) = self.row(set.look());
        let plain = Bits { bytes: bits.bytes, at: set.at + length as usize };
        let set = match row.end {
            End::Set => row.value as u16,
            End::AnySet => plain.look() as u16,
            End::Not | End::Digest | End::Long | End::Moved | End::Head | End::Damaged => {
                return Record::Other;
            }
        };
        Record::Digest { number: bits.look() as u32, set }
    }

    #[inline(always)]
    fn end(&self, row: &Row, bits: &Bits<'_>, is_whole: bool) -> Record {
        match row.end {
            End::Set if is_whole => Record::Same(row.value as u16),
            End::AnySet if is_whole => Record::Same(bits.look() as u16),
            End::Digest => self.digest(bits),
            End::Long => Record::Elsewhere(bits.look() as u32),
            End::Set | End::AnySet | End::Moved | End::Head | End::Damaged | End::Not => Record::Other,
        }
    }

    /// The dictionary as it stands in the file: 16 bytes a symbol.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for coded in &self.symbols {
            let (kind, count, value) = match coded.symbol {
                Symbol::Text { bytes, count } => (0, count, bytes),
                Symbol::Set(set) => (1, 0, u64::from(set)),
                Symbol::AnySet => (2, 0, 0),
                Symbol::Digest => (3, 0, 0),
                Symbol::None => (4, 0, 0),
                Symbol::Long => (5, 0, 0),
                Symbol::Moved(hops) => (6, 0, u64::from(hops)),
                Symbol::Head => (7, 0, 0),
            };
            out.extend_from_slice(&value.to_le_bytes());
            out.extend_from_slice(&[kind, count, coded.bits, 0, 0, 0, 0, 0]);
        }
        out
    }

    /// The dictionary of a file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let (rows, rest) = bytes.as_chunks::<16>();
        let symbols: Option<Vec<Coded>> = rows.iter().map(read_symbol).collect();
        symbols.filter(|_| rest.is_empty()).and_then(Self::new).ok_or(Damaged("code"))
    }
}

fn read_symbol(row: &[u8; 16]) -> Option<Coded> {
    let value = u64::from_le_bytes(*row.first_chunk()?);
    let symbol = match (row[8], row[9]) {
        (0, count @ 1..=7) if value >> (count * 8) == 0 => Symbol::Text { bytes: value, count },
        (0, 8) => Symbol::Text { bytes: value, count: 8 },
        (1, _) => Symbol::Set(u16::try_from(value).ok()?),
        (2, _) => Symbol::AnySet,
        (3, _) => Symbol::Digest,
        (5, _) => Symbol::Long,
        (6, _) => Symbol::Moved(u8::try_from(value).ok()?),
        (7, _) => Symbol::Head,
        _ => return None,
    };
    Some(Coded { symbol, bits: row[10] })
}

struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl Bits<'_> {
    /// At least the next 57 bits, or as many as there are and zeros.
    #[inline(always)]
    fn look(&self) -> u64 {
        // Near the end the last eight bytes are looked at, so that the next line is never touched.
        let byte = (self.at >> 3).min(self.bytes.len().saturating_sub(8));
        match self.bytes.get(byte..).and_then(|rest| rest.first_chunk()) {
            Some(chunk) => u64::from_le_bytes(*chunk).checked_shr((self.at - byte * 8) as u32).unwrap_or(0),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_are_no_code_are_refused() {
        for (lengths, good) in [
            (&[1u8, 1][..], true),
            (&[1, 2, 2], true),
            (&[2, 2], true),
            (&[1, 1, 1], false),
            (&[0, 1], false),
            (&[13], false),
            (&[], true),
        ] {
            assert_eq!(assign(lengths.iter().copied()).is_some(), good, "{lengths:?}");
        }
    }
}
