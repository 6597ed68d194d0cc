//! The bytes of a catalogue, in lines of 64, in memory of their own.
//!
//! Questions go all over a catalogue, and in pages of 4 KiB nearly each would also have to wait for the page's address. So
//! the memory asks the kernel for pages of 2 MiB and is filled from the file, rather than being a mapping of it. It is
//! private: what happens to the file afterwards reaches no answer.
//!
//! This is the one module of the room with `unsafe` code: a slice that is cut once instead of once a question, and what only the
//! processor itself offers, one hint and comparisons of 16 bytes, none of which can touch memory that is not there.
//! Everything above it works on slices
//! whose every access is checked, so that no content of a file can read out of bounds or panic.
#![allow(unsafe_code)]

use memmap2::MmapMut;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One cache line, as eight little-endian words.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u64; 8]);

impl Line {
    /// How many bytes a line has.
    pub(crate) const BYTES: usize = 64;

    /// One of its words, whatever the machine's byte order.
    #[inline(always)]
    pub(crate) const fn word(&self, index: usize) -> u64 {
        u64::from_le(self.0[index])
    }

    /// Its bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8; Self::BYTES] {
        zerocopy::transmute_ref!(self)
    }
}

/// A run of bytes that begins on a line.
pub(crate) struct Memory {
    pages: Pages,
    length: usize,
}

enum Pages {
    /// Fresh from the kernel, in large pages where it has them.
    Large(MmapMut),
    /// Small catalogues, and systems that give nothing else.
    Lines(Vec<Line>),
}

/// Memory smaller than this gets no pages of its own.
const LARGE: usize = 1 << 20;
/// A file of this size is read by two threads.
const SHARED: usize = 4 << 20;

impl Memory {
    /// So many zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        let pages = match MmapMut::map_anon(length.max(1)) {
            Ok(pages) if length >= LARGE => {
                // Without large pages the answers are the same, only later.
                #[cfg(target_os = "linux")]
                let _small_pages_do_too = pages.advise(memmap2::Advice::HugePage);
                Pages::Large(pages)
            }
            _ => Pages::Lines(vec![Line::default(); length.div_ceil(Line::BYTES)]),
        };
        Self { pages, length }
    }

    /// So many zeros that take memory only where they are written to, and are given back when this is dropped.
    pub(crate) fn fresh(length: usize) -> Self {
        let pages = match MmapMut::map_anon(length.max(1)) {
            Ok(pages) => Pages::Large(pages),
            Err(_) => Pages::Lines(vec![Line::default(); length.div_ceil(Line::BYTES)]),
        };
        Self { pages, length }
    }

    /// The content of a file.
    pub(crate) fn read(file: &File) -> io::Result<Self> {
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        let mut memory = Self::zeros(length);
        let bytes = memory.bytes_mut();
        if length < SHARED {
            file.read_exact_at(bytes, 0)?;
            return Ok(memory);
        }
        // On the edge of a large page, so that no page is touched by both threads.
        let (first, second) = bytes.split_at_mut((length / 2).next_multiple_of(2 << 20).min(length));
        let offset = first.len() as u64;
        std::thread::scope(|scope| {
            let other = scope.spawn(move || file.read_exact_at(second, offset));
            file.read_exact_at(first, 0)?;
            other.join().map_err(|_| io::Error::other("a thread that only reads has panicked"))?
        })?;
        Ok(memory)
    }

    /// All the bytes.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> &[u8] {
        let bytes = match &self.pages {
            Pages::Large(pages) => pages,
            Pages::Lines(lines) => lines.as_bytes(),
        };
        &bytes[..self.length]
    }

    /// Gives up what lies behind so many bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// All the bytes, to be filled.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let bytes: &mut [u8] = match &mut self.pages {
            Pages::Large(pages) => pages,
            Pages::Lines(lines) => lines.as_mut_bytes(),
        };
        &mut bytes[..self.length]
    }

    /// The lines of a range of bytes that begins and ends on one, ready to be read.
    pub(crate) fn buckets(mut self, range: std::ops::Range<usize>) -> Option<Buckets> {
        let bytes = self.bytes_mut().get_mut(range)?;
        let lines = <[Line]>::mut_from_bytes(bytes).ok()?;
        let (first, count) = (NonNull::new(lines.as_mut_ptr())?, lines.len());
        Some(Buckets { memory: self, first, count })
    }
}

/// Memory of a catalogue, and where its buckets are: so that no question has to work that out again.
pub(crate) struct Buckets {
    memory: Memory,
    first: NonNull<Line>,
    count: usize,
}

// SAFETY: the memory is the structure's own and is only read.
unsafe impl Send for Buckets {}
// SAFETY: as above.
unsafe impl Sync for Buckets {}

impl Buckets {
    /// The buckets.
    #[inline(always)]
    pub(crate) fn lines(&self) -> &[Line] {
        // SAFETY: `first` and `count` are those of a slice of lines in `memory`, which owns its pages, never gives them out to be
        // written once it is in here, and keeps them in their place (a mapping, or a vector that does not grow) until it is dropped.
        unsafe { std::slice::from_raw_parts(self.first.as_ptr(), self.count) }
    }

    /// All the bytes of the catalogue.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }
}

/// That this processor has the instructions of x86-64-v3 that questions are answered faster with: nearly every one of the last
/// ten years.
#[derive(Clone, Copy)]
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

    /// Does some work with them: as far as the work is inlined it is compiled for them.
    #[inline(always)]
    pub(crate) fn with<T>(self, work: impl FnOnce() -> T) -> T {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            fn helped<T>(work: impl FnOnce() -> T) -> T {
                work()
            }
            // SAFETY: this processor has them, or there would be no `Help`.
            unsafe { helped(work) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        work()
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

/// Which of 16 bytes, in the order of memory, have this value: one bit each.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn equal([low, high]: [u64; 2], value: u8) -> u32 {
    use core::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    // SAFETY: these work on values in registers; every processor of this architecture has them (SSE2).
    unsafe {
        let bytes = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
        _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(value.cast_signed()))) as u32
    }
}

/// [`equal`] for each of four bytes: 16 bits each, the lowest byte's lowest.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn equal_four([low, high]: [u64; 2], values: u32) -> u64 {
    use core::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_cvtsi32_si128, _mm_movemask_epi8, _mm_set_epi64x, _mm_shuffle_epi32,
        _mm_unpacklo_epi8, _mm_unpacklo_epi16,
    };
    // SAFETY: as in `equal`.
    unsafe {
        let bytes = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
        let four = _mm_cvtsi32_si128(values.cast_signed());
        let twice = _mm_unpacklo_epi8(four, four);
        let each = _mm_unpacklo_epi16(twice, twice);
        let first = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_shuffle_epi32::<0x00>(each))) as u64;
        let second = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_shuffle_epi32::<0x55>(each))) as u64;
        let third = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_shuffle_epi32::<0xaa>(each))) as u64;
        let fourth = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_shuffle_epi32::<0xff>(each))) as u64;
        first | second << 16 | third << 32 | fourth << 48
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn equal_four(words: [u64; 2], values: u32) -> u64 {
    values.to_le_bytes().into_iter().rev().fold(0, |all, value| all << 16 | u64::from(equal(words, value)))
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn equal(words: [u64; 2], value: u8) -> u32 {
    equal_in_words(words, value)
}

/// The same without help: each byte's highest bit is exact, unlike in the shorter trick with a borrow.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn equal_in_words(words: [u64; 2], value: u8) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let half = |word: u64| {
        let x = word ^ (u64::from(value) * 0x0101_0101_0101_0101);
        let marks = !(((x & LOW) + LOW) | x | LOW) >> 7;
        (marks.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    };
    half(words[0]) | half(words[1]) << 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_compared_alike_with_and_without_help() {
        let mut word = 0x0123_4567_89ab_cdef_u64;
        for _ in 0..10_000 {
            word = word.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(21) ^ 0x2e;
            // Some bytes made equal, and some next to equal.
            let words = [word, word << 16 | 0x2e2f];
            for value in [0, b'.', 0x80, 0xff, word as u8] {
                let plain = words.iter().flat_map(|w| w.to_le_bytes()).enumerate();
                let plain = plain.fold(0, |bits, (at, byte)| bits | u32::from(byte == value) << at);
                assert_eq!((equal(words, value), equal_in_words(words, value)), (plain, plain));
            }
            let values = [word as u8, b'.', 0x2f, (word >> 40) as u8];
            let each =
                values.into_iter().rev().fold(0, |all, value| all << 16 | u64::from(equal(words, value)));
            assert_eq!(equal_four(words, u32::from_le_bytes(values)), each);
        }
    }
}
