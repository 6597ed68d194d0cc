//! Hashes of all suffixes of a name.
//!
//! A suffix `first.example` is cut after its first four bytes. The rest (`t.example`) is hashed; the four bytes are packed
//! into 24 bits, permuted, and added at the top of that hash. So for one rest, no two beginnings ever get hashes closer than
//! 2^40: where a name stands in the table tells its first bytes exactly, and its record does not repeat them (see [`told`]).
//!
//! Words of eight bytes are counted from the end of the name, so that all suffixes share the loads and each only masks what
//! stands before it. No suffix waits for another.
//!
//! The hash is keyed with a random seed that only the catalogue's file knows, so that a stranger can neither craft names that
//! crowd one bucket nor names that share a fingerprint. Exactness does not rest on it: a hit is always compared with the
//! stored name.

use super::memory::equal;

/// Bytes of a name that are looked at together.
const WINDOW: usize = 32;
/// First bytes of a name that only its place may tell.
const LEAD: usize = 4;
/// Bits of such a byte, once it is packed.
const LEAD_BITS: u32 = 6;

/// How many first bytes of a name its place tells, where a hash is cut into this many cells (bucket and fingerprint).
///
/// Beginnings of four bytes keep a distance of 2^40 between hashes; those of three, where the fourth is the same, 2^46. The
/// cells must not be wider than that.
pub(crate) fn told(cells: u64) -> usize {
    match cells.checked_ilog2() {
        Some(24..) => LEAD,
        Some(18..) => LEAD - 1,
        _ => 0,
    }
}

/// How many cells a hash must be cut into for so many first bytes to be told.
pub(crate) const fn cells_to_tell(bytes: usize) -> u64 {
    if bytes == 0 { 0 } else { 1 << (LEAD_BITS * bytes as u32) }
}

/// Whether all of these bytes are such as names have. Of others, two may be packed alike.
#[inline(always)]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}

/// The `count` (0 to 8) bytes from `at`, as the low bytes of a word. The caller knows that they are there.
#[inline(always)]
pub(super) fn part(bytes: &[u8], at: usize, count: usize) -> u64 {
    let mask = if count >= 8 { u64::MAX } else { (1 << (count * 8)) - 1 };
    if let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        u64::from_le_bytes(*chunk) & mask
    } else if let (Some(chunk), 1..) = (bytes.get(..at + count).and_then(|all| all.last_chunk()), count) {
        // Near the end: eight bytes that end where the part ends, shifted down.
        u64::from_le_bytes(*chunk) >> ((8 - count) * 8)
    } else {
        short(bytes, at, count)
    }
}

#[cold]
fn short(bytes: &[u8], at: usize, count: usize) -> u64 {
    let part = bytes.get(at..at + count).unwrap_or_default();
    part.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// The last 32 bytes, zeros before them where there are not so many; in the order of memory.
type Window = [u64; WINDOW / 8];

#[inline(always)]
fn window(bytes: &[u8]) -> Window {
    let words = |low: u128, high: u128| [low as u64, (low >> 64) as u64, high as u64, (high >> 64) as u64];
    let wide = |chunk: &[u8; 16]| u128::from_le_bytes(*chunk);
    let length = bytes.len();
    if let Some(chunk) = bytes.last_chunk::<WINDOW>() {
        let (halves, _) = chunk.as_chunks::<16>();
        words(wide(&halves[0]), wide(&halves[1]))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        // In two steps, since a shift by all 128 bits is none.
        words(wide(first) << ((31 - length) * 8) << 8, wide(last))
    } else {
        words(0, narrow(bytes))
    }
}

/// Fewer than 16 bytes, as the high bytes of a word of 16.
#[inline(always)]
fn narrow(bytes: &[u8]) -> u128 {
    let length = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let low = u64::from_le_bytes(*first) << ((15 - length) * 8) << 8;
        u128::from(low) | u128::from(u64::from_le_bytes(*last)) << 64
    } else {
        bytes.iter().rev().fold(0, |word, &byte| word << 8 | u128::from(byte)) << ((15 - length) * 8) << 8
    }
}

/// `MASKS[n..n + 32]` keeps the last `n` bytes of a window.
static MASKS: [u8; 2 * WINDOW] = {
    let mut masks = [0; 2 * WINDOW];
    let mut at = WINDOW;
    while at < masks.len() {
        masks[at] = 0xff;
        at += 1;
    }
    masks
};

#[inline(always)]
fn last(window: &Window, count: usize) -> Window {
    let mut kept = [0; 4];
    if let Some((masks, _)) =
        MASKS.get(count..).and_then(|m| m.first_chunk::<WINDOW>()).map(|m| m.as_chunks())
    {
        for ((to, word), mask) in kept.iter_mut().zip(window).zip(masks) {
            *to = word & u64::from_le_bytes(*mask);
        }
    }
    kept
}

/// A name that one window holds: nearly every one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Short {
    window: Window,
    /// The dots whose suffixes are wanted.
    dots: u32,
    /// The length of the name; no suffix is wanted where it is none.
    length: Option<u8>,
}

impl Short {
    /// `None` for a name that is longer. The top-level domain may not be wanted.
    #[inline(always)]
    pub(crate) fn new(name: &[u8], wants_top: bool) -> Option<Self> {
        if name.len() > WINDOW {
            return None;
        }
        let window = window(name);
        let all = dots(&window);
        let (dots, is_wanted) = if wants_top { (all, true) } else { (without_last(all), all != 0) };
        Some(Self { window, dots, length: is_wanted.then_some(name.len() as u8) })
    }

    /// How long the wanted suffixes are: the shortest first, the whole name last.
    #[inline(always)]
    pub(crate) fn lengths(&self) -> impl Iterator<Item = usize> {
        let (mut dots, mut whole) = (self.dots, self.length);
        std::iter::from_fn(move || {
            if dots == 0 {
                return whole.take().map(usize::from);
            }
            let length = behind_last(dots);
            dots = without_last(dots);
            Some(length)
        })
    }

    /// The first four of [`Self::lengths`] without a branch, and how many there are. `None` when there are more.
    #[inline(always)]
    pub(crate) fn four_lengths(&self) -> Option<([u8; 4], usize)> {
        let (mut dots, mut lengths, mut count) = (self.dots, [0; 4], usize::from(self.length.is_some()));
        for length in &mut lengths {
            *length = (behind_last(dots) as u8).min(self.length.unwrap_or(0));
            count += usize::from(dots != 0);
            dots = without_last(dots);
        }
        // The last round counts a dot whose suffix has a place only if there is no more of them.
        (count <= lengths.len()).then_some((lengths, count))
    }
}

/// How many bytes of a window stand behind the last of these dots; all, if there is none.
#[inline(always)]
const fn behind_last(dots: u32) -> usize {
    ((dots as u64) << 1 | 1).leading_zeros() as usize - 31
}

#[inline(always)]
const fn without_last(dots: u32) -> u32 {
    dots & !((1u64 << 31 >> behind_last(dots)) as u32)
}

/// One bit for each byte of a window that is a dot; the last byte's is the highest.
#[inline(always)]
fn dots(window: &Window) -> u32 {
    equal([window[0], window[1]], b'.') | equal([window[2], window[3]], b'.') << 16
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
    keys: [u64; 6],
    /// The bits of the rest's hash that count: tests take some away to make names collide.
    #[cfg(test)]
    pub(crate) kept: u64,
}

impl Hasher {
    pub(crate) const fn new(seed: u64) -> Self {
        let (mut keys, mut state, mut index) = ([0; 6], seed, 0);
        while index < keys.len() {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            keys[index] = fold(state, state ^ 0xd6e8_feb8_6659_fd93) ^ state.rotate_left(29);
            index += 1;
        }
        Self {
            seed,
            keys,
            #[cfg(test)]
            kept: u64::MAX,
        }
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    /// The hash of a whole name.
    pub(crate) fn hash(&self, name: &[u8]) -> u64 {
        let rest = name.get(LEAD..).unwrap_or_default();
        let windows = rest.len().div_ceil(WINDOW).max(1);
        let state = (0..windows).fold(self.keys[5], |state, number| {
            let end = rest.len() - number * WINDOW;
            self.absorb(state, window(&rest[..end]))
        });
        self.finish(state, name, 0)
    }

    /// Passes every suffix of a name on, from the right: the top-level domain, unless it is not wanted, to the whole name.
    #[inline(always)]
    pub(crate) fn suffixes(&self, name: &[u8], wants_top: bool, mut each: impl FnMut(Suffix)) {
        match Short::new(name, wants_top) {
            Some(short) => short.lengths().for_each(|length| each(self.suffix(name, &short, length))),
            None => self.long_suffixes(name, wants_top, &mut each),
        }
    }

    /// The last so many bytes of a short name, and their hash.
    #[inline(always)]
    pub(crate) fn suffix(&self, name: &[u8], short: &Short, length: usize) -> Suffix {
        let start = name.len().saturating_sub(length);
        let state = self.absorb(self.keys[5], last(&short.window, length.saturating_sub(LEAD)));
        Suffix { start, hash: self.finish(state, name, start) }
    }

    /// The same for a name that one window does not hold.
    #[cold]
    pub(crate) fn long_suffixes(&self, name: &[u8], wants_top: bool, each: &mut dyn FnMut(Suffix)) {
        // `state` has the windows before `end` in it, from the right; `current` is the one that ends there.
        let (mut state, mut end) = (self.keys[5], name.len());
        let mut current = window(name);
        let starts = memchr::memrchr_iter(b'.', name).map(|dot| dot + 1).chain(std::iter::once(0));
        for start in starts.skip(usize::from(!wants_top)) {
            let rest = (start + LEAD).min(name.len());
            while end > rest + WINDOW {
                state = self.absorb(state, current);
                end -= WINDOW;
                current = window(&name[..end]);
            }
            let whole = self.absorb(state, last(&current, end.saturating_sub(rest)));
            each(Suffix { start, hash: self.finish(whole, name, start) });
        }
    }

    #[inline(always)]
    fn absorb(&self, state: u64, [a, b, c, d]: Window) -> u64 {
        let keys = &self.keys;
        let near = fold(d ^ state, c ^ keys[0]);
        let far = fold(b ^ keys[1], a ^ keys[2]);
        fold(near ^ keys[3], far ^ keys[4])
    }

    /// A permutation of 24 bits that leaves the low six (the fourth byte) alone and, for any value of them, is one of the
    /// upper 18. One multiplication would do both, but would leave numbered names (`s01`, `s02`) in few places.
    #[inline(always)]
    fn permute(&self, lead: u64) -> u64 {
        const LOW: u64 = (1 << LEAD_BITS) - 1;
        const UPPER: u64 = (1 << (3 * LEAD_BITS)) - 1;
        let (fourth, keys) = (lead & LOW, &self.keys);
        let mixed =
            (lead >> LEAD_BITS).wrapping_add(fourth.wrapping_mul(keys[0])).wrapping_mul(keys[1] | 1) & UPPER;
        let upper = (mixed ^ mixed >> 9).wrapping_mul(keys[2] | 1) & UPPER;
        upper << LEAD_BITS | fourth
    }

    #[inline(always)]
    fn finish(&self, state: u64, name: &[u8], start: usize) -> u64 {
        #[cfg(test)]
        let state = state & self.kept;
        state.wrapping_add(self.permute(lead(name, start)) << (64 - 4 * LEAD_BITS))
    }
}

/// The first four bytes of a suffix in six bits each, the first on top; zeros behind a shorter one.
#[inline(always)]
fn lead(name: &[u8], start: usize) -> u64 {
    let four = match name.get(start..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) => u32::from_be_bytes(*chunk),
        None => shorter_lead(name.get(start..).unwrap_or_default()),
    };
    // No two bytes that names have share these six bits, and none has zeros.
    let six = four & 0x1f1f_1f1f | four >> 1 & 0x2020_2020;
    let twelve = six & 0x003f_003f | six >> 2 & 0x0fc0_0fc0;
    u64::from(twelve & 0xfff | twelve >> 4 & 0x00ff_f000)
}

#[cold]
fn shorter_lead(bytes: &[u8]) -> u32 {
    let mut four = [0; LEAD];
    four[..bytes.len()].copy_from_slice(bytes);
    u32::from_be_bytes(four)
}

/// A suffix of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suffix {
    /// Its first byte in the name.
    pub(crate) start: usize,
    /// Its hash.
    pub(crate) hash: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    fn suffixes(hasher: &Hasher, name: &str) -> Vec<Suffix> {
        let mut all = Vec::new();
        hasher.suffixes(name.as_bytes(), true, |suffix| all.push(suffix));
        let mut without_top = Vec::new();
        hasher.suffixes(name.as_bytes(), false, |suffix| without_top.push(suffix));
        assert_eq!(without_top, all[1..], "{name:?}");
        if let Some(short) = Short::new(name.as_bytes(), true) {
            let lengths: Vec<usize> = short.lengths().collect();
            match short.four_lengths() {
                Some((four, count)) => {
                    assert_eq!(four[..count], *lengths.iter().map(|l| *l as u8).collect::<Vec<_>>());
                }
                None => assert!(lengths.len() > 4, "{name:?}"),
            }
        }
        all
    }

    fn names() -> Vec<String> {
        let fixed = ["", ".", "a", "a.b", "www.bbc.co.uk", "..", ".a", "a.", "é.ü.example", "x.abcdefghi.y"];
        let mut names: Vec<String> = fixed.map(str::to_owned).into();
        // Every length around the edges of windows, with dots in every place.
        for length in 0..100 {
            for every in [2, 3, 7, 31, 33, 64] {
                let letter =
                    |at: usize| if at % every == every - 1 { '.' } else { (b'a' + (at % 26) as u8) as char };
                names.push((0..length).map(letter).collect());
            }
        }
        names.push("abcdefgh.".repeat(40));
        names
    }

    #[test]
    fn suffixes_are_cut_at_every_dot() {
        for name in names() {
            let mut expected: Vec<usize> = name.match_indices('.').map(|(at, _)| at + 1).rev().collect();
            expected.push(0);
            let got: Vec<usize> = suffixes(&Hasher::new(7), &name).iter().map(|s| s.start).collect();
            assert_eq!(got, expected, "{name:?}");
        }
    }

    #[test]
    fn a_suffix_hashes_like_the_name_it_is() {
        let hasher = Hasher::new(0x5eed);
        let names = names();
        let mut seen = HashMap::new();
        for name in &names {
            for suffix in suffixes(&hasher, name) {
                let text = &name[suffix.start..];
                assert_eq!(suffix.hash, hasher.hash(text.as_bytes()), "{text} of {name}");
                assert_eq!(*seen.entry(suffix.hash).or_insert(text), text, "two names, one hash");
            }
        }
        assert!(seen.len() > 1_000);
    }

    #[test]
    fn one_rest_and_two_beginnings_never_share_a_cell() {
        const BYTES: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_.";
        for seed in 0..3 {
            let hasher = Hasher::new(seed);
            for (cells, bytes) in
                [(1, 0), ((1 << 18) - 1, 0), (1 << 18, 3), (300_007, 3), (1 << 24, 4), (20_000_003, 4)]
            {
                assert_eq!(told(cells), bytes);
                assert!(cells_to_tell(bytes) <= cells);
                let count = bytes;
                let mut seen = vec![false; cells as usize];
                for number in 0..BYTES.len().pow(count as u32) {
                    let mut left = number;
                    let mut name: Vec<u8> = Vec::new();
                    for _ in 0..count {
                        name.push(BYTES[left % BYTES.len()]);
                        left /= BYTES.len();
                    }
                    name.extend_from_slice(b"e.example");
                    let cell = ((u128::from(hasher.hash(&name)) * u128::from(cells)) >> 64) as u64;
                    assert!(
                        !std::mem::replace(&mut seen[cell as usize], true),
                        "seed {seed}, {cells} cells: {}",
                        String::from_utf8_lossy(&name)
                    );
                }
            }
        }
    }

    #[test]
    fn numbered_names_spread() {
        for seed in 0..50 {
            let hasher = Hasher::new(seed);
            let mut crowds = [0; 200];
            for number in 0..1_000 {
                let hash = hasher.hash(format!("s{number:03}.numbered.example").as_bytes());
                crowds[((u128::from(hash) * 200) >> 64) as usize] += 1;
            }
            // Five on average; thirteen of a thousand random ones would be rare.
            assert!(crowds.iter().all(|crowd| *crowd < 20), "seed {seed}: {crowds:?}");
        }
    }

    #[test]
    fn beginnings_that_are_short_are_beginnings_too() {
        let leads: HashSet<u64> = ["", "a", "aa", "aaa", "aaaa", "b", "a-", "a.", "a_", "-", "_", "."]
            .map(|text| lead(text.as_bytes(), 0))
            .into();
        assert_eq!(leads.len(), 12);
        assert!(is_plain(b"az09-_.") && !is_plain(b"A") && !is_plain(b"a\0") && !is_plain("é".as_bytes()));
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
