//! Hashes of all suffixes of a name, in one pass from right to left.
//!
//! `www.bbc.co.uk` is absorbed label by label (`uk`, `co`, `bbc`, `www`), eight bytes at a time; after each label the
//! state is the hash of that suffix. The hash is keyed with a random seed that only the catalogue's file knows, so that
//! a stranger can neither craft names that crowd one bucket nor names that share a fingerprint. Exactness does not
//! rest on it: a hit is always compared with the stored name.

/// Eight bytes from `at`, little-endian; 0 where there are not eight.
#[inline(always)]
fn eight(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => 0,
    }
}

/// The `count` (0 to 8) bytes from `at`, as the low bytes of a word. The caller knows that they are there.
#[inline(always)]
pub(super) fn part(bytes: &[u8], at: usize, count: usize) -> u64 {
    let mask = if count >= 8 { u64::MAX } else { (1 << (count * 8)) - 1 };
    if at + 8 <= bytes.len() {
        eight(bytes, at) & mask
    } else if at + count >= 8 && count > 0 {
        // Near the end: eight bytes that end where the part ends, shifted down.
        eight(bytes, at + count - 8) >> ((8 - count) * 8)
    } else {
        short(bytes, at, count)
    }
}

#[cold]
fn short(bytes: &[u8], at: usize, count: usize) -> u64 {
    let part = bytes.get(at..at + count).unwrap_or_default();
    part.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The highest bit of each byte that is a dot. Exact for every byte, unlike the shorter trick with a borrow.
#[inline(always)]
const fn dots(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let x = word ^ 0x2e2e_2e2e_2e2e_2e2e;
    !(((x & LOW) + LOW) | x | LOW)
}

/// Where the label that ends before `end` begins.
#[inline(always)]
fn label_start(bytes: &[u8], end: usize) -> usize {
    let mut to = end;
    while to > 0 {
        let count = to.min(8);
        let found = dots(part(bytes, to - count, count));
        if found != 0 {
            return to - count + (63 - found.leading_zeros() as usize) / 8 + 1;
        }
        to -= count;
    }
    0
}

#[inline(always)]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// The keyed hash of one catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher {
    seed: u64,
    key: u64,
    /// The bits of a hash that count: tests take some away to make names collide.
    #[cfg(test)]
    pub(crate) kept: u64,
}

impl Hasher {
    pub(crate) const fn new(seed: u64) -> Self {
        let key = fold(seed ^ 0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93) | 1;
        Self {
            seed,
            key,
            #[cfg(test)]
            kept: u64::MAX,
        }
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// The hash of a whole name.
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        self.suffixes(name).last().map_or(0, |suffix| suffix.hash)
    }

    /// The suffixes of a name with their hashes, from the top-level domain to the whole name.
    #[inline(always)]
    pub(crate) fn suffixes<'a>(&self, name: &'a [u8]) -> Suffixes<'a> {
        Suffixes { name, hasher: *self, state: self.seed, end: Some(name.len()) }
    }

    #[inline(always)]
    fn absorb(&self, mut state: u64, name: &[u8], start: usize, end: usize) -> u64 {
        let mut at = start;
        while end - at >= 8 {
            state = fold(state ^ part(name, at, 8), self.key);
            at += 8;
        }
        // The count of the last bytes stands in the top byte, which keeps `ab.c` apart from `abc` and `a.bc`.
        let count = end - at;
        fold(state ^ part(name, at, count) ^ ((count as u64 + 1) << 56), self.key)
    }
}

/// A suffix of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suffix {
    /// Its first byte in the name.
    pub(crate) start: usize,
    /// Its hash.
    pub(crate) hash: u64,
}

pub(crate) struct Suffixes<'a> {
    name: &'a [u8],
    hasher: Hasher,
    state: u64,
    /// Where the next label ends; `None` when the whole name has been seen.
    end: Option<usize>,
}

impl Iterator for Suffixes<'_> {
    type Item = Suffix;

    #[inline(always)]
    fn next(&mut self) -> Option<Suffix> {
        let end = self.end?;
        let start = label_start(self.name, end);
        self.state = self.hasher.absorb(self.state, self.name, start, end);
        self.end = start.checked_sub(1);
        let hash = self.state;
        #[cfg(test)]
        let hash = hash & self.hasher.kept;
        Some(Suffix { start, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn suffixes_are_cut_at_every_dot() {
        let long = "abcdefgh.".repeat(40);
        let names = [
            "",
            ".",
            "a",
            "a.b",
            "www.bbc.co.uk",
            "..",
            ".a",
            "a.",
            "abcdefgh.example",
            "x.abcdefghi.y",
            "é.ü.example",
            &long,
        ];
        for name in names {
            let mut expected: Vec<usize> = name.match_indices('.').map(|(at, _)| at + 1).rev().collect();
            expected.push(0);
            let got: Vec<usize> = Hasher::new(7).suffixes(name.as_bytes()).map(|s| s.start).collect();
            assert_eq!(got, expected, "{name:?}");
        }
    }

    #[test]
    fn a_suffix_hashes_like_the_name_it_is() {
        let hasher = Hasher::new(0x5eed);
        let mut seen = HashMap::new();
        for name in [
            "a.bc.example",
            "ab.c.example",
            "abc.example",
            "www.sixteen-letters.example",
            "aabcdefgh.ij.uk",
            "bcdefgh.ij.uk",
        ] {
            for suffix in hasher.suffixes(name.as_bytes()) {
                let text = &name[suffix.start..];
                assert_eq!(suffix.hash, hasher.hash(text.as_bytes()), "{text} of {name}");
                assert_eq!(*seen.entry(suffix.hash).or_insert(text), text, "two names, one hash");
            }
        }
    }

    #[test]
    fn parts_are_the_bytes_wherever_they_stand() {
        let bytes = b"0123456789abcdef";
        for length in 0..=bytes.len() {
            for at in 0..=length {
                for count in 0..=(length - at).min(8) {
                    assert_eq!(
                        part(&bytes[..length], at, count),
                        short(&bytes[..length], at, count),
                        "{length} {at} {count}"
                    );
                }
            }
        }
    }
}
