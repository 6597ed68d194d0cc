//! What the processor does with many bytes at once: a name's 32, a bucket's 16.
//!
//! [`Lanes`] says what is done; [`Help`] does it with the instructions of x86-64-v3, [`Portable`] without. Both say the same of
//! every text that only has bytes of names; a catalogue does not know which of them wrote it.
//!
//! This is one of the room's two modules with `unsafe` code (the other is [`super::memory`]): a hint, and comparisons and sums of
//! values in registers, none of which can touch memory that is not there. The two loads that go beyond a text are masked: what lies
//! outside is not read.
#![allow(unsafe_code)]

/// Bytes that are looked at together.
pub(crate) const WIDE: usize = 32;

/// In how many values a symbol of a name is counted: none, 26 letters, ten digits, `-`, `.`, `_`, and what parts a name from its
/// head.
pub(crate) const SYMBOLS: u64 = 41;
/// The symbol of a dot, and that of the dot before a name's head.
pub(crate) const DOT: u64 = 38;
pub(crate) const PART: u64 = 40;
/// Eight symbols are a number of so many bits.
pub(crate) const GROUP_BITS: u32 = 43;

/// What is done with 32 bytes.
pub(crate) trait Lanes: Copy {
    /// 32 bytes.
    type Bytes: Copy;

    /// The last 32 bytes of a text, with zeros before them where there are not so many.
    fn last_of(self, text: &[u8]) -> Self::Bytes;

    /// The first 32 bytes of a text, with zeros behind them where there are not so many.
    fn first_of(self, text: &[u8]) -> Self::Bytes;

    /// Those bytes that a mask keeps.
    fn keep(self, bytes: Self::Bytes, mask: &[u8; WIDE]) -> Self::Bytes;

    /// Which bytes have this value: one bit each, the first byte's is the lowest.
    fn equal(self, bytes: Self::Bytes, value: u8) -> u32;

    /// Which bytes no name has.
    fn others(self, bytes: Self::Bytes) -> u32;

    /// The sum of the products of each two neighbouring words of 32 bits, once a key is added to each.
    fn products(self, bytes: Self::Bytes, keys: &[u32; 8]) -> u64;

    /// The last four bytes of a word as one number of symbols, and the symbol of the byte before them.
    fn end(self, word: u64) -> (u32, u32);

    /// The first 24 bytes as three numbers of eight symbols, the first byte's counting least.
    fn groups(self, bytes: Self::Bytes) -> [u64; 3];

    /// Which of 16 bytes have a value, and above it which have another: 16 bits each.
    fn equal_two(self, words: [u64; 2], value: u8, other: u8) -> u32;
}

/// Without help.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// The symbol of a byte of a name; 0 for every other.
pub(crate) const fn symbol(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => byte - b'a' + 1,
        b'0'..=b'9' => byte - b'0' + 27,
        b'-' => 37,
        b'.' => DOT as u8,
        b'_' => 39,
        _ => 0,
    }
}

/// Whether a byte is such as names have.
pub(crate) const fn is_plain(byte: u8) -> bool {
    symbol(byte) != 0
}

/// A number of symbols, the first counting least.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| sum * SYMBOLS + u64::from(symbol(*byte)))
}

impl Lanes for Portable {
    type Bytes = [u8; WIDE];

    fn last_of(self, text: &[u8]) -> Self::Bytes {
        let mut bytes = [0; WIDE];
        let count = text.len().min(WIDE);
        bytes[WIDE - count..].copy_from_slice(&text[text.len() - count..]);
        bytes
    }

    fn first_of(self, text: &[u8]) -> Self::Bytes {
        let mut bytes = [0; WIDE];
        let count = text.len().min(WIDE);
        bytes[..count].copy_from_slice(&text[..count]);
        bytes
    }

    fn keep(self, bytes: Self::Bytes, mask: &[u8; WIDE]) -> Self::Bytes {
        std::array::from_fn(|at| bytes[at] & mask[at])
    }

    fn equal(self, bytes: Self::Bytes, value: u8) -> u32 {
        bits(&bytes, |byte| byte == value)
    }

    fn others(self, bytes: Self::Bytes) -> u32 {
        bits(&bytes, |byte| !is_plain(byte))
    }

    fn products(self, bytes: Self::Bytes, keys: &[u32; 8]) -> u64 {
        let word = |at: usize| {
            let bytes = [bytes[at * 4], bytes[at * 4 + 1], bytes[at * 4 + 2], bytes[at * 4 + 3]];
            u64::from(u32::from_le_bytes(bytes).wrapping_add(keys[at]))
        };
        (0..4).fold(0, |sum: u64, pair| sum.wrapping_add(word(pair * 2) * word(pair * 2 + 1)))
    }

    fn end(self, word: u64) -> (u32, u32) {
        let bytes = word.to_le_bytes();
        (number(&bytes[4..]) as u32, u32::from(symbol(bytes[3])))
    }

    fn groups(self, bytes: Self::Bytes) -> [u64; 3] {
        [number(&bytes[..8]), number(&bytes[8..16]), number(&bytes[16..24])]
    }

    fn equal_two(self, words: [u64; 2], value: u8, other: u8) -> u32 {
        equal(words, value) | equal(words, other) << 16
    }
}

fn bits(bytes: &[u8; WIDE], is_one: impl Fn(u8) -> bool) -> u32 {
    bytes.iter().rev().fold(0, |bits, byte| bits << 1 | u32::from(is_one(*byte)))
}

/// That this processor has the instructions of x86-64-v3 that questions are answered faster with: nearly every one of the last
/// ten years.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Help(());

impl Help {
    /// `None` where there are none.
    pub(crate) fn of_this_processor() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt")
        {
            return Some(Self(()));
        }
        None
    }

    /// Does some work with them.
    #[inline(always)]
    fn run<W: Work>(self, work: W) -> W::Output {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn helped<W: Work>(help: Help, work: W) -> W::Output {
                work.with(help)
            }
            // SAFETY: this processor has them, or there would be no `Help`.
            unsafe { helped(self, work) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        work.with(self)
    }
}

/// Work that is done with help or without. What it does is `#[inline(always)]`: what is not inlined is not compiled for the newer
/// instructions (so closures will not do).
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Does it.
    fn with<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Does some work as fast as this processor can.
#[inline(always)]
pub(crate) fn work<W: Work>(help: Option<Help>, work: W) -> W::Output {
    match help {
        Some(help) => help.run(work),
        None => work.with(Portable),
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{GROUP_BITS, Help, Lanes, Portable, SYMBOLS, WIDE};
    use core::arch::x86_64::*;

    const _: () = assert!(SYMBOLS.pow(8) < 1 << GROUP_BITS);

    /// The numbers of the eight words of four bytes.
    #[inline(always)]
    fn numbers() -> __m256i {
        // SAFETY: as in `Lanes for Help`.
        unsafe { _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7) }
    }

    /// What is added to a byte of a name to make it a symbol, by its high four bits.
    const TO_SYMBOL: [i8; 16] = [0, 0, -8, -21, 0, -56, -96, -96, 0, 0, 0, 0, 0, 0, 0, 0];
    /// By the low four bits of a byte: the high four bits that a byte of a name has with them, each as a bit.
    const BY_LOW: [i8; 16] = [18, 26, 26, 26, 26, 26, 26, 26, 26, 26, 24, 8, 8, 9, 9, 12];
    /// By the high four bits: their bit.
    const BY_HIGH: [i8; 16] = [0, 0, 1, 2, 0, 4, 8, 16, 0, 0, 0, 0, 0, 0, 0, 0];

    #[inline(always)]
    fn load_16(bytes: &[i8; 16]) -> __m128i {
        // SAFETY: there are 16 bytes.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline(always)]
    fn high_bits(bytes: __m256i) -> __m256i {
        // SAFETY: as in `Lanes for Help`.
        unsafe { _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(15)) }
    }

    // SAFETY of all that follows: there is no `Help` on a processor without these instructions. They work on values in registers,
    // but for the loads, of which each says what it reads.
    impl Lanes for Help {
        type Bytes = __m256i;

        #[inline(always)]
        fn last_of(self, text: &[u8]) -> __m256i {
            let count = text.len().min(WIDE);
            let text = &text[text.len() - count..];
            let Some(first) = text.first_chunk::<4>() else { return few(Portable.last_of(text)) };
            // The words that lie in the text, and what of it stands before them.
            let (whole, rest) = (count / 4, count % 4);
            let part = (u64::from(u32::from_le_bytes(*first)) << (32 - 8 * rest)) as u32;
            unsafe {
                let before = _mm256_set1_epi32(7 - whole as i32);
                let inside = _mm256_cmpgt_epi32(numbers(), before);
                // Reads the last `whole` words before the text's end, which the text has; no address outside is touched.
                let start = text.as_ptr_range().end.wrapping_sub(WIDE).cast::<i32>();
                let words = _mm256_maskload_epi32(start, inside);
                let part = _mm256_and_si256(
                    _mm256_set1_epi32(part.cast_signed()),
                    _mm256_cmpeq_epi32(numbers(), before),
                );
                _mm256_or_si256(words, part)
            }
        }

        #[inline(always)]
        fn first_of(self, text: &[u8]) -> __m256i {
            let text = &text[..text.len().min(WIDE)];
            let Some(last) = text.last_chunk::<4>() else { return few(Portable.first_of(text)) };
            let (whole, rest) = (text.len() / 4, text.len() % 4);
            let part = (u64::from(u32::from_le_bytes(*last)) >> (32 - 8 * rest)) as u32;
            unsafe {
                let behind = _mm256_set1_epi32(whole as i32);
                // Reads the first `whole` words of the text, which it has; no address outside is touched.
                let words =
                    _mm256_maskload_epi32(text.as_ptr().cast(), _mm256_cmpgt_epi32(behind, numbers()));
                let part = _mm256_and_si256(
                    _mm256_set1_epi32(part.cast_signed()),
                    _mm256_cmpeq_epi32(numbers(), behind),
                );
                _mm256_or_si256(words, part)
            }
        }

        #[inline(always)]
        fn keep(self, bytes: __m256i, mask: &[u8; WIDE]) -> __m256i {
            // Reads a mask, which has 32 bytes.
            unsafe { _mm256_and_si256(bytes, _mm256_loadu_si256(mask.as_ptr().cast())) }
        }

        #[inline(always)]
        fn equal(self, bytes: __m256i, value: u8) -> u32 {
            let value = value.cast_signed();
            unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(value))).cast_unsigned() }
        }

        #[inline(always)]
        fn others(self, bytes: __m256i) -> u32 {
            unsafe {
                let low = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(&BY_LOW)), bytes);
                let high =
                    _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(&BY_HIGH)), high_bits(bytes));
                let none = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
                _mm256_movemask_epi8(none).cast_unsigned()
            }
        }

        #[inline(always)]
        fn products(self, bytes: __m256i, keys: &[u32; 8]) -> u64 {
            unsafe {
                // Reads eight keys.
                let sums = _mm256_add_epi32(bytes, _mm256_loadu_si256(keys.as_ptr().cast()));
                let four = _mm256_mul_epu32(sums, _mm256_srli_epi64::<32>(sums));
                let two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256::<1>(four));
                let one = _mm_add_epi64(two, _mm_unpackhi_epi64(two, two));
                _mm_cvtsi128_si64(one).cast_unsigned()
            }
        }

        #[inline(always)]
        fn end(self, word: u64) -> (u32, u32) {
            unsafe {
                let bytes = _mm_cvtsi64_si128(word.cast_signed());
                let high = _mm_and_si128(_mm_srli_epi16::<4>(bytes), _mm_set1_epi8(15));
                let symbols = _mm_add_epi8(bytes, _mm_shuffle_epi8(load_16(&TO_SYMBOL), high));
                let weights = _mm_setr_epi8(0, 0, 0, 1, 1, 41, 1, 41, 0, 0, 0, 0, 0, 0, 0, 0);
                let pairs = _mm_maddubs_epi16(symbols, weights);
                let fours = _mm_madd_epi16(pairs, _mm_setr_epi16(0, 1, 1, 1681, 0, 0, 0, 0));
                let both = _mm_cvtsi128_si64(fours).cast_unsigned();
                ((both >> 32) as u32, both as u32)
            }
        }

        #[inline(always)]
        fn groups(self, bytes: __m256i) -> [u64; 3] {
            unsafe {
                let table = _mm256_broadcastsi128_si256(load_16(&TO_SYMBOL));
                let symbols = _mm256_add_epi8(bytes, _mm256_shuffle_epi8(table, high_bits(bytes)));
                let pairs = _mm256_maddubs_epi16(symbols, _mm256_set1_epi16(41 << 8 | 1));
                let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(1681 << 16 | 1));
                let upper =
                    _mm256_mul_epu32(_mm256_srli_epi64::<32>(fours), _mm256_set1_epi64x(41 * 41 * 41 * 41));
                let lower = _mm256_blend_epi32::<0b1010_1010>(fours, _mm256_setzero_si256());
                let eights = _mm256_add_epi64(lower, upper);
                let first = _mm256_castsi256_si128(eights);
                let third = _mm256_extracti128_si256::<1>(eights);
                [
                    _mm_cvtsi128_si64(first).cast_unsigned(),
                    _mm_extract_epi64::<1>(first).cast_unsigned(),
                    _mm_cvtsi128_si64(third).cast_unsigned(),
                ]
            }
        }

        #[inline(always)]
        fn equal_two(self, [low, high]: [u64; 2], value: u8, other: u8) -> u32 {
            unsafe {
                let bytes =
                    _mm256_broadcastsi128_si256(_mm_set_epi64x(high.cast_signed(), low.cast_signed()));
                let apart =
                    _mm256_setr_m128i(_mm_setzero_si128(), _mm_set1_epi8((value ^ other).cast_signed()));
                let both = _mm256_xor_si256(_mm256_set1_epi8(value.cast_signed()), apart);
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, both)).cast_unsigned()
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn few(bytes: [u8; WIDE]) -> __m256i {
        // SAFETY: there are 32 bytes.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Lanes for Help {
    type Bytes = [u8; WIDE];

    fn last_of(self, text: &[u8]) -> Self::Bytes {
        Portable.last_of(text)
    }

    fn first_of(self, text: &[u8]) -> Self::Bytes {
        Portable.first_of(text)
    }

    fn keep(self, bytes: Self::Bytes, mask: &[u8; WIDE]) -> Self::Bytes {
        Portable.keep(bytes, mask)
    }

    fn equal(self, bytes: Self::Bytes, value: u8) -> u32 {
        Portable.equal(bytes, value)
    }

    fn others(self, bytes: Self::Bytes) -> u32 {
        Portable.others(bytes)
    }

    fn products(self, bytes: Self::Bytes, keys: &[u32; 8]) -> u64 {
        Portable.products(bytes, keys)
    }

    fn end(self, word: u64) -> (u32, u32) {
        Portable.end(word)
    }

    fn groups(self, bytes: Self::Bytes) -> [u64; 3] {
        Portable.groups(bytes)
    }

    fn equal_two(self, words: [u64; 2], value: u8, other: u8) -> u32 {
        Portable.equal_two(words, value, other)
    }
}

/// Asks the processor for a line that will be read soon.
#[inline(always)]
pub(crate) fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint without effect on memory or registers; the address is a live reference's.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(
            std::ptr::from_ref(place).cast(),
        );
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Which of 16 bytes, in the order of memory, have this value: one bit each. Each byte's highest bit is exact, unlike in the
/// shorter trick with a borrow.
pub(crate) fn equal(words: [u64; 2], value: u8) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let half = |word: u64| {
        let x = word ^ (u64::from(value) * 0x0101_0101_0101_0101);
        let marks = !(((x & LOW) + LOW) | x | LOW) >> 7;
        (marks.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    };
    half(words[0]) | half(words[1]) << 8
}

#[cfg(test)]
mod tests;
