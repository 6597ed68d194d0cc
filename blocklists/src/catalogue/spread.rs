//! Which names stand apart from the names below them.
//!
//! A name stands in the line of its *head*: nearly always its last two labels (its site), so that one line answers for a host,
//! its site, and all between them. Where many names stand below one site (`co.uk`, `blogspot.com`) one line could not hold
//! them: such a site is *spread*, and the heads of the names below it have three labels. Where those are too many again, every
//! deeper name is its own head.
//!
//! Which ones are spread is told by bits that hashes number: small enough for the nearest caches. A bit that is set for another name
//! of the same number costs a second line and changes no answer, since whoever fills the table asks the same bits. So
//! nobody can crowd a line by listing names below one site.

use super::file::Damaged;
use super::hash::{Hasher, Suffix, starts};

/// Bits for top-level domains that are listed themselves, by the power of two.
const TOPS: u32 = 10;
/// Bits of each of the other three parts, at least and at most, by the power of two.
const LEAST: u32 = 12;
const MOST: u32 = 17;

/// The sites and the names of three labels that are spread, and the top-level domains that are listed.
pub(crate) struct Spread {
    tops: Box<[u64]>,
    sites: Box<[u64]>,
    /// The spread sites that are listed themselves.
    listed: Box<[u64]>,
    thirds: Box<[u64]>,
    /// How far a hash is shifted to number a bit of these three.
    shift: u32,
}

fn zeros(bits: u32) -> Box<[u64]> {
    vec![0; 1 << (bits - 6)].into()
}

#[inline(always)]
fn get(words: &[u64], bit: u64) -> bool {
    words.get(bit as usize / 64).is_some_and(|word| word >> (bit % 64) & 1 != 0)
}

fn set(words: &mut [u64], bit: u64) {
    if let Some(word) = words.get_mut(bit as usize / 64) {
        *word |= 1 << (bit % 64);
    }
}

impl Spread {
    /// Nothing is spread. There is room for what that many entries may want to spread.
    pub(crate) fn new(entries: u64) -> Self {
        let bits = (entries / 16).max(1).ilog2().clamp(LEAST, MOST);
        Self {
            tops: zeros(TOPS),
            sites: zeros(bits),
            listed: zeros(bits),
            thirds: zeros(bits),
            shift: 64 - bits,
        }
    }

    /// Whether a top-level domain of this hash may be listed.
    #[inline(always)]
    pub(crate) fn has_top(&self, hash: u64) -> bool {
        get(&self.tops, Self::top(hash))
    }

    /// Whether any top-level domain is listed.
    pub(crate) fn has_tops(&self) -> bool {
        self.tops.iter().any(|word| *word != 0)
    }

    /// Whether the site of this hash is spread.
    #[inline(always)]
    pub(crate) fn has_site(&self, hash: u64) -> bool {
        get(&self.sites, hash >> (self.shift & 63))
    }

    /// Whether the site of this hash, which is spread, may be listed itself.
    #[inline(always)]
    pub(crate) fn has_listed(&self, hash: u64) -> bool {
        get(&self.listed, hash >> (self.shift & 63))
    }

    /// Whether the name of three labels of this hash, below a site that is spread, is spread too.
    #[inline(always)]
    pub(crate) fn has_third(&self, hash: u64) -> bool {
        get(&self.thirds, hash >> (self.shift & 63))
    }

    /// The number of a top-level domain of this hash.
    #[inline(always)]
    pub(crate) const fn top(hash: u64) -> u64 {
        hash >> (64 - TOPS)
    }

    pub(crate) fn add_top(&mut self, top: u64) {
        set(&mut self.tops, top);
    }

    pub(crate) fn add_site(&mut self, hash: u64) {
        set(&mut self.sites, hash >> self.shift);
    }

    /// Says that a site is listed, which only matters where it is spread.
    pub(crate) fn add_listed(&mut self, hash: u64) {
        if self.has_site(hash) {
            set(&mut self.listed, hash >> self.shift);
        }
    }

    pub(crate) fn add_third(&mut self, hash: u64) {
        set(&mut self.thirds, hash >> self.shift);
    }

    /// Passes on every suffix of a name that an entry may have, from the right, with its head's beginning and hash. Only what may
    /// be a head is hashed.
    pub(crate) fn heads(&self, hasher: &Hasher, name: &[u8], mut each: impl FnMut(usize, Suffix)) {
        // The head of all names that are deeper than this level, once it is known.
        let mut known = None;
        for (level, start) in (1..).zip(starts(name)) {
            let suffix = || Suffix { start, hash: hasher.hash(&name[start..]) };
            let head = known.unwrap_or_else(suffix);
            let is_known = match level {
                1 => false,
                2 => !self.has_site(head.hash),
                3 => known.is_some() || !self.has_third(head.hash),
                _ => known.is_some(),
            };
            if is_known {
                known = Some(head);
            }
            if level > 1 || start == 0 || self.has_top(head.hash) {
                each(start, head);
            }
        }
    }

    /// The head of a name itself.
    pub(crate) fn head(&self, hasher: &Hasher, name: &[u8]) -> Suffix {
        let mut found = Suffix::default();
        self.heads(hasher, name, |start, head| {
            if start == 0 {
                found = head;
            }
        });
        found
    }

    /// As it stands in the file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let parts = [&self.tops, &self.sites, &self.listed, &self.thirds];
        parts.into_iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// From a file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let part = words.len().checked_sub(1 << (TOPS - 6)).map_or(0, |all| all / 3);
        let bits = part.checked_ilog2().map_or(0, |log| log + 6);
        if !rest.is_empty()
            || !(LEAST..=MOST).contains(&bits)
            || words.len() != (1 << (TOPS - 6)) + (3 << (bits - 6))
        {
            return Err(Damaged("sites"));
        }
        let (tops, others) = words.split_at(1 << (TOPS - 6));
        let (sites, others) = others.split_at(part);
        let (listed, thirds) = others.split_at(part);
        let [tops, sites, listed, thirds] = [tops, sites, listed, thirds].map(Box::from);
        Ok(Self { tops, sites, listed, thirds, shift: 64 - bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(spread: &Spread, name: &str) -> Vec<(String, String)> {
        let (hasher, mut all) = (Hasher::new(5), Vec::new());
        spread.heads(&hasher, name.as_bytes(), |start, head| {
            assert_eq!(head.hash, hasher.hash(&name.as_bytes()[head.start..]), "{name}");
            all.push((name[start..].to_owned(), name[head.start..].to_owned()));
        });
        if let Some((whole, head)) = all.last() {
            assert_eq!(
                (whole.as_str(), head.len()),
                (name, name.len() - spread.head(&hasher, name.as_bytes()).start)
            );
        }
        all
    }

    #[test]
    fn the_head_is_the_site_or_what_stands_below_a_spread_one() {
        let hash = |name: &str| Hasher::new(5).hash(name.as_bytes());
        let mut spread = Spread::new(0);
        let all = |spread: &Spread, rows: &[(&str, &[(&str, &str)])]| {
            for (name, expected) in rows {
                let expected: Vec<_> =
                    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
                assert_eq!(heads(spread, name), expected, "{name}");
            }
        };
        all(
            &spread,
            &[
                ("", &[("", "")]),
                ("uk", &[("uk", "uk")]),
                ("co.uk", &[("co.uk", "co.uk")]),
                ("a.b.co.uk", &[("co.uk", "co.uk"), ("b.co.uk", "co.uk"), ("a.b.co.uk", "co.uk")]),
            ],
        );
        spread.add_site(hash("co.uk"));
        spread.add_top(Spread::top(hash("zip")));
        all(
            &spread,
            &[
                ("uk", &[("uk", "uk")]),
                ("co.uk", &[("co.uk", "co.uk")]),
                ("a.b.co.uk", &[("co.uk", "co.uk"), ("b.co.uk", "b.co.uk"), ("a.b.co.uk", "b.co.uk")]),
                ("b.a.zip", &[("zip", "zip"), ("a.zip", "a.zip"), ("b.a.zip", "a.zip")]),
            ],
        );
        spread.add_third(hash("b.co.uk"));
        let each_its_own = [("co.uk", "co.uk"), ("b.co.uk", "b.co.uk"), ("a.b.co.uk", "a.b.co.uk")];
        all(&spread, &[("a.b.co.uk", &each_its_own)]);
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for entries in [0, 100_000, 5_000_000] {
            let mut spread = Spread::new(entries);
            assert!(!spread.has_tops());
            spread.add_top(1023);
            spread.add_site(u64::MAX);
            spread.add_listed(u64::MAX);
            spread.add_listed(0);
            spread.add_third(0);
            let bytes = spread.write();
            let read = Spread::read(&bytes).expect("what was written");
            assert_eq!(read.write(), bytes);
            assert!(read.has_tops() && read.has_top(u64::MAX) && !read.has_top(0));
            assert!(read.has_site(u64::MAX) && !read.has_site(0));
            assert!(read.has_listed(u64::MAX) && !read.has_listed(0), "only what is spread");
            assert!(read.has_third(0) && !read.has_third(u64::MAX));
            for length in [0, 8, 127, 128, bytes.len() - 8, bytes.len() - 1, bytes.len() + 16] {
                let mut other = bytes.clone();
                other.resize(length, 0);
                assert!(Spread::read(&other).is_err(), "{length} of {}", bytes.len());
            }
        }
    }
}
