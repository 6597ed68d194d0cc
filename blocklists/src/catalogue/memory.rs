//! The bytes of a catalogue, in lines of 64, in memory of their own.
//!
//! Questions go all over a catalogue, and in pages of 4 KiB nearly each would also have to wait for the page's address. So
//! the memory asks the kernel for pages of 2 MiB and is filled from the file, rather than being a mapping of it. It is
//! private: what happens to the file afterwards reaches no answer.
//!
//! This is one of the room's two modules with `unsafe` code (the other is [`super::lanes`]): a slice that is cut once instead of
//! once a question. Everything above works on slices whose every access is checked, so that no content of a file can read out of
//! bounds or panic.
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
