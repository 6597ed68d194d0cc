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
    let is_one = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    bytes.iter().fold(true, |all, byte| all & is_one(byte))
}

/// The `count` (0 to 8) bytes from `at`, as the low bytes of a word. The caller knows that they are there.
#[inline(always)]
pub(super) fn part(bytes: &[u8], at: usize, count: usize) -> u64 {
    let others = 8usize.saturating_sub(count) * 4;
    // Near the end: the last eight bytes, shifted down. No branch asks whether it is near.
    let from = at.min(bytes.len().saturating_sub(8));
    match bytes.get(from..).and_then(|rest| rest.first_chunk()) {
        Some(chunk) => {
            (u64::from_le_bytes(*chunk) >> (((at - from) * 8) & 63)) << others << others >> others >> others
        }
        None => short(bytes, at, count),
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
    let length = bytes.len();
    [
        before(bytes, length.saturating_sub(24)),
        before(bytes, length.saturating_sub(16)),
        before(bytes, length.saturating_sub(8)),
        before(bytes, length),
    ]
}

/// The eight bytes before `end`, zeros before them where there are not so many. No branch asks how many there are.
#[inline(always)]
pub(crate) fn before(bytes: &[u8], end: usize) -> u64 {
    let at = end.saturating_sub(8);
    match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        // In two steps, since a shift by all 64 bits is none.
        Some(chunk) => {
            let lacking = (8 - (end - at)) * 4;
            u64::from_le_bytes(*chunk) << lacking << lacking
        }
        None => tiny(bytes, end),
    }
}

/// The same for a name of fewer than eight bytes.
#[cold]
fn tiny(bytes: &[u8], end: usize) -> u64 {
    let lacking = 8usize.saturating_sub(end) * 4;
    short(bytes, 0, end) << lacking << lacking
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
    dots: u32,
    length: u8,
}

/// The suffixes of a name of two to five labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suffixes {
    /// How long each is, a byte each: the whole name in the lowest.
    pub(crate) lengths: u32,
    /// The number of the shortest, which has two labels.
    pub(crate) site: u32,
}

impl Suffixes {
    /// How long one of them is.
    #[inline(always)]
    pub(crate) const fn length(self, number: u32) -> u32 {
        self.lengths >> ((number * 8) & 31) & 0xff
    }
}

impl Short {
    /// `None` for a name that is longer.
    #[inline(always)]
    pub(crate) fn new(name: &[u8]) -> Option<Self> {
        if name.len() > WINDOW {
            return None;
        }
        let window = window(name);
        Some(Self { window, dots: dots(&window), length: name.len() as u8 })
    }

    /// How long all suffixes are: the shortest first, the whole name last.
    #[inline(always)]
    fn lengths(&self) -> impl Iterator<Item = usize> {
        let (mut dots, mut whole) = (self.dots, Some(self.length));
        std::iter::from_fn(move || {
            if dots == 0 {
                return whole.take().map(usize::from);
            }
            let length = behind_last(dots);
            dots = without_last(dots);
            Some(length)
        })
    }

    /// The suffixes of two labels and more, without a branch on how many there are. `None` where there is none, or more than
    /// four.
    #[inline(always)]
    pub(crate) fn suffixes(&self) -> Option<Suffixes> {
        // From the left: each dot is the lowest that is left. Where none is left, what is found is cut off again.
        let first = self.dots;
        let (second, third) = (without_first(first), without_first(without_first(first)));
        let fourth = without_first(third);
        let lengths = u32::from(self.length)
            | behind_first(first) << 8
            | behind_first(second) << 16
            | behind_first(third) << 24;
        let site = u32::from(second != 0) + u32::from(third != 0) + u32::from(fourth != 0);
        ((first != 0) & (without_first(fourth) == 0)).then_some(Suffixes { lengths, site })
    }

    /// How long the top-level domain is.
    #[inline(always)]
    pub(crate) fn top(&self) -> usize {
        behind_last(self.dots).min(usize::from(self.length))
    }

    /// The eight bytes before the last so many ones; zeros where there are none.
    #[inline(always)]
    pub(crate) fn before(&self, name: &[u8], length: u32) -> u64 {
        before(name, name.len().saturating_sub(length as usize))
    }
}

/// How many bytes of a window stand behind the first of these dots; less than 32 in any case.
#[inline(always)]
const fn behind_first(dots: u32) -> u32 {
    31 - (dots | 1 << 31).trailing_zeros()
}

#[inline(always)]
const fn without_first(dots: u32) -> u32 {
    dots & dots.wrapping_sub(1)
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

    /// Passes every suffix of a name on, from the right: the top-level domain first, the whole name last.
    #[inline(always)]
    pub(crate) fn suffixes(&self, name: &[u8], mut each: impl FnMut(Suffix)) {
        match Short::new(name) {
            Some(short) => short.lengths().for_each(|length| each(self.suffix(name, &short, length))),
            None => self.long_suffixes(name, &mut each),
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
    pub(crate) fn long_suffixes(&self, name: &[u8], each: &mut dyn FnMut(Suffix)) {
        // `state` has the windows before `end` in it, from the right; `current` is the one that ends there.
        let (mut state, mut end) = (self.keys[5], name.len());
        let mut current = window(name);
        let starts = memchr::memrchr_iter(b'.', name).map(|dot| dot + 1).chain(std::iter::once(0));
        for start in starts {
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

    /// What deeper names may add to the fingerprint of their head, by the eight bytes before the head: see [`Deeper`].
    #[inline(always)]
    pub(crate) const fn deeper(&self, before: u64) -> Deeper {
        Deeper(before.swap_bytes().wrapping_mul(self.keys[3] | 1) << 8)
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

/// What is added to the fingerprint of a name's head for the labels before it: for each length of them (with their last dot) a
/// byte that only depends on their last seven bytes, plus the length. Without labels it is nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deeper(u64);

impl Deeper {
    #[inline(always)]
    pub(crate) const fn of(self, length: u32) -> u8 {
        // The bytes next to the head are the lowest ones, so that no byte of the product depends on one farther away.
        let bytes = if length < 7 { length } else { 7 };
        ((self.0 >> (bytes * 8)) as u8).wrapping_add(length as u8)
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

#[cfg(test)]
mod tests;
