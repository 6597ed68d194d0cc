//! The dictionary of a catalogue: which pieces names are cut into, and the code of each.

use crate::catalogue::{Code, Coded, MAX_BITS, MAX_HOPS, Symbol, assign};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Pieces of more than one byte. Together with single bytes and sets they fit codes of [`MAX_BITS`].
const PIECES: usize = 1500;
/// The most frequent sets have a code of their own.
const SETS: usize = 256;
/// The longest piece, in bytes.
const MAX_PIECE: usize = 8;
/// Rounds of joining frequent neighbours: pieces of eight bytes need three.
const ROUNDS: usize = 6;

/// Bytes that names have, in the order of the trie's rows.
const ALPHABET: &[u8; 39] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";

const fn rank(byte: u8) -> Option<usize> {
    match byte {
        b'a'..=b'z' => Some((byte - b'a') as usize),
        b'0'..=b'9' => Some((byte - b'0') as usize + 26),
        b'-' => Some(36),
        b'_' => Some(37),
        b'.' => Some(38),
        _ => None,
    }
}

/// A piece of names: up to eight bytes, as the low bytes of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Piece {
    bytes: u64,
    count: u8,
}

impl Piece {
    fn join(self, next: Self) -> Option<Self> {
        let count = self.count + next.count;
        (usize::from(count) <= MAX_PIECE)
            .then(|| Self { bytes: self.bytes | next.bytes << (self.count * 8), count })
    }
}

/// Pieces as a tree of letters, to cut names greedily into the longest ones.
struct Trie {
    next: Vec<[u16; ALPHABET.len()]>,
    /// The piece that ends at a node, plus one.
    ends: Vec<u16>,
}

impl Trie {
    fn new(pieces: &[Piece]) -> Self {
        let mut trie = Self { next: vec![[0; ALPHABET.len()]], ends: vec![0] };
        for (number, piece) in (1u16..).zip(pieces) {
            let bytes = piece.bytes.to_le_bytes();
            let mut node = 0usize;
            for rank in bytes[..usize::from(piece.count)].iter().filter_map(|byte| rank(*byte)) {
                if trie.next[node][rank] == 0 {
                    trie.next[node][rank] = trie.next.len() as u16;
                    trie.next.push([0; ALPHABET.len()]);
                    trie.ends.push(0);
                }
                node = usize::from(trie.next[node][rank]);
            }
            trie.ends[node] = number;
        }
        trie
    }

    /// The longest piece that a name begins with, and its length. Bytes that no name has are passed over.
    #[inline]
    fn longest(&self, name: &[u8]) -> (Option<u16>, usize) {
        let (mut node, mut best) = (0usize, (None, 1));
        for (length, byte) in (1..).zip(name) {
            let Some(rank) = rank(*byte) else { break };
            node = usize::from(self.next[node][rank]);
            if node == 0 {
                break;
            }
            if let Some(number) = self.ends[node].checked_sub(1) {
                best = (Some(number), length);
            }
        }
        best
    }

    fn cut<'a>(&'a self, mut name: &'a [u8]) -> impl Iterator<Item = u16> + 'a {
        std::iter::from_fn(move || {
            while !name.is_empty() {
                let (piece, length) = self.longest(name);
                name = &name[length..];
                if piece.is_some() {
                    return piece;
                }
            }
            None
        })
    }
}

fn single_bytes() -> Vec<Piece> {
    ALPHABET.iter().map(|byte| Piece { bytes: u64::from(*byte), count: 1 }).collect()
}

/// Finds the pieces that pay most in a sample of names (after Boncz, Neumann, Leis: "FSST", VLDB 2020: cut, count
/// pieces and neighbours, keep the best, again).
fn find_pieces(sample: &[&[u8]]) -> (Vec<Piece>, Vec<u64>) {
    let mut pieces = single_bytes();
    for round in 0..ROUNDS {
        let trie = Trie::new(&pieces);
        let mut counts = HashMap::<Piece, u64>::new();
        for name in sample {
            let mut before: Option<Piece> = None;
            for number in trie.cut(name) {
                let piece = pieces[usize::from(number)];
                *counts.entry(piece).or_default() += 1;
                if let Some(joined) = before.filter(|_| round + 1 < ROUNDS).and_then(|b| b.join(piece)) {
                    *counts.entry(joined).or_default() += 1;
                }
                before = Some(piece);
            }
        }
        let mut best: Vec<(u64, Piece)> = counts
            .into_iter()
            .filter(|(piece, count)| piece.count > 1 && *count > 3)
            .map(|(piece, count)| (count * u64::from(piece.count), piece))
            .collect();
        best.sort_unstable_by_key(|row| Reverse(*row));
        best.truncate(PIECES);
        pieces = single_bytes();
        pieces.extend(best.into_iter().map(|row| row.1));
    }
    let trie = Trie::new(&pieces);
    // Every byte can be written, even one that the sample has not.
    let mut counts = vec![0; pieces.len()];
    counts[..ALPHABET.len()].fill(1);
    sample.iter().flat_map(|name| trie.cut(name)).for_each(|number| counts[usize::from(number)] += 2);
    (pieces, counts)
}

/// Lengths of Huffman codes for these counts, at most [`MAX_BITS`]: flattened until they fit.
fn lengths(counts: &[u64]) -> Vec<u8> {
    let mut counts = counts.to_vec();
    loop {
        let lengths = huffman(&counts);
        if lengths.iter().all(|bits| u32::from(*bits) <= MAX_BITS) {
            return lengths;
        }
        counts.iter_mut().for_each(|count| *count = *count / 2 + 1);
    }
}

fn huffman(counts: &[u64]) -> Vec<u8> {
    let mut parents = vec![0usize; counts.len() * 2];
    let mut heap: BinaryHeap<_> = counts.iter().enumerate().map(|(i, count)| Reverse((*count, i))).collect();
    let mut node = counts.len();
    while let (Some(Reverse(a)), Some(Reverse(b))) = (heap.pop(), heap.pop()) {
        parents[a.1] = node;
        parents[b.1] = node;
        heap.push(Reverse((a.0 + b.0, node)));
        node += 1;
        if heap.len() == 1 {
            break;
        }
    }
    let root = node - 1;
    let depth = |mut at: usize| {
        let mut depth = 0u8;
        while at != root {
            at = parents[at];
            depth = depth.saturating_add(1);
        }
        depth.max(1)
    };
    (0..counts.len()).map(depth).collect()
}

/// What a record says of a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parted<'a> {
    /// The labels before its head, without the last dot; `None` where the head begins the name.
    before: Option<&'a [u8]>,
    /// The head, without what its place tells.
    rest: &'a [u8],
}

impl<'a> Parted<'a> {
    /// A name whose head begins at a byte, and so many bytes of which its place tells.
    pub(super) fn new(name: &'a [u8], head: usize, told: usize) -> Self {
        let rest = name.get(head + told..).unwrap_or_default();
        Self { before: head.checked_sub(1).map(|dot| &name[..dot]), rest }
    }
}

/// The dictionary of one catalogue, for writing.
pub(super) struct Dictionary {
    trie: Trie,
    symbols: Vec<Coded>,
    codes: Vec<u16>,
    /// Set -> the number of its symbol, if it has one of its own.
    sets: Vec<Option<u16>>,
    any_set: u16,
    digest: u16,
    long: u16,
    head: u16,
    /// The number of the symbol for two buckets; the others follow.
    moved: u16,
}

/// Up to 32 bits of a record, and how many.
pub(super) type Bits = (u64, u32);

impl Dictionary {
    /// Makes the dictionary for a sample of names and the number of names that each set has, out of `names`.
    pub(super) fn new(sample: &[Parted<'_>], set_counts: &[u64], names: u64) -> Self {
        let texts: Vec<&[u8]> =
            sample.iter().flat_map(|name| name.before.into_iter().chain([name.rest])).collect();
        let (pieces, mut counts) = find_pieces(&texts);
        let mut symbols: Vec<Symbol> =
            pieces.iter().map(|p| Symbol::Text { bytes: p.bytes, count: p.count }).collect();
        let mut frequent: Vec<(u64, u16)> = set_counts.iter().copied().zip(0u16..).collect();
        frequent.sort_unstable_by_key(|row| Reverse(*row));
        let mut sets = vec![None; set_counts.len()];
        for (count, set) in frequent.into_iter().take(SETS) {
            sets[usize::from(set)] = Some(symbols.len() as u16);
            symbols.push(Symbol::Set(set));
            // Pieces were counted twice each, in the sample only.
            counts.push(count * 2 * sample.len() as u64 / names.max(1) + 1);
        }
        let any_set = symbols.len() as u16;
        let deeper = sample.iter().filter(|name| name.before.is_some()).count() as u64;
        symbols.extend([Symbol::AnySet, Symbol::Digest, Symbol::Long, Symbol::Head]);
        counts.extend([1, 1, 1 + sample.len() as u64 / 50, 1 + deeper * 2]);
        // Of a hundred names about two stand two buckets behind their own, and each bucket farther has half as many.
        symbols.extend((2..=MAX_HOPS as u8).map(Symbol::Moved));
        counts.extend((2..=MAX_HOPS).map(|hops| 1 + ((sample.len() as u64 / 6) >> hops)));
        let symbols: Vec<Coded> =
            symbols.into_iter().zip(lengths(&counts)).map(|(symbol, bits)| Coded { symbol, bits }).collect();
        let codes = assign(symbols.iter().map(|s| s.bits)).expect("Huffman lengths are those of a code");
        let (digest, long, head, moved) = (any_set + 1, any_set + 2, any_set + 3, any_set + 4);
        Self { trie: Trie::new(&pieces), symbols, codes, sets, any_set, digest, long, head, moved }
    }

    /// The same dictionary, for reading.
    pub(super) fn code(&self) -> Code {
        Code::new(self.symbols.clone()).expect("Huffman lengths are those of a code")
    }

    /// Appends the codes of what a place does not tell of a name; how many bits they are.
    pub(super) fn write_name(&self, name: Parted<'_>, to: &mut Vec<u8>) -> u32 {
        let mut bits = BitWriter { to, waiting: 0, count: 0, total: 0 };
        if let Some(before) = name.before {
            self.trie.cut(before).for_each(|number| bits.push(self.code_of(number)));
            bits.push(self.code_of(self.head));
        }
        self.trie.cut(name.rest).for_each(|number| bits.push(self.code_of(number)));
        bits.finish()
    }

    /// Appends what stands for a name that is kept as a digest.
    pub(super) fn write_digest(&self, number: u32, to: &mut Vec<u8>) -> u32 {
        let mut bits = BitWriter { to, waiting: 0, count: 0, total: 0 };
        bits.push(self.code_of(self.digest));
        bits.push((u64::from(number), 32));
        bits.finish()
    }

    /// Appends a set to so many bits that were written, which ended in the middle of a byte.
    pub(super) fn write_after(&self, written: u32, set: Bits, to: &mut Vec<u8>) {
        let (waiting, count) = match written % 8 {
            0 => (0, 0),
            count => (u64::from(to.pop().unwrap_or_default()), count),
        };
        let mut bits = BitWriter { to, waiting, count, total: written };
        bits.push(set);
        bits.finish();
    }

    /// What ends the record of a name with this set.
    pub(super) fn set(&self, set: u16) -> Bits {
        match self.sets.get(usize::from(set)) {
            Some(Some(number)) => self.code_of(*number),
            _ => {
                let (code, count) = self.code_of(self.any_set);
                (code | u64::from(set) << count, count + 16)
            }
        }
    }

    /// What begins the record of a name so many buckets behind its own.
    pub(super) fn moved(&self, moved: usize) -> Bits {
        moved.checked_sub(2).map_or((0, 0), |farther| self.code_of(self.moved + farther as u16))
    }

    /// What stands in a bucket for a long record.
    pub(super) fn long(&self, place: u32) -> Bits {
        let (code, count) = self.code_of(self.long);
        (code | u64::from(place) << count, count + 32)
    }

    fn code_of(&self, number: u16) -> Bits {
        let number = usize::from(number);
        (u64::from(self.codes[number]), u32::from(self.symbols[number].bits))
    }
}

struct BitWriter<'a> {
    to: &'a mut Vec<u8>,
    waiting: u64,
    count: u32,
    total: u32,
}

impl BitWriter<'_> {
    /// Appends up to 32 bits, low bit first.
    #[inline]
    fn push(&mut self, (bits, count): Bits) {
        self.waiting |= bits << self.count;
        self.count += count;
        self.total += count;
        while self.count >= 8 {
            self.to.push(self.waiting as u8);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    fn finish(self) -> u32 {
        if self.count > 0 {
            self.to.push(self.waiting as u8);
        }
        self.total
    }
}
