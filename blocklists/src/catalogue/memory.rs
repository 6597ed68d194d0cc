//! The bytes of a catalogue, in lines of 64: mapped from its file, or built in memory.
//!
//! This is the one module of the room with `unsafe` code, two calls of it. Everything above it works on slices whose
//! every access is checked, so that no content of a file can read out of bounds or panic.
#![allow(unsafe_code)]

use memmap2::Mmap;
use std::fs::File;
use std::io;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One cache line, as eight little-endian words.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u64; 8]);

impl Line {
    /// How many bytes a line has.
    pub(crate) const BYTES: usize = 64;

    /// One of its words, whatever the machine's byte order.
    pub(crate) const fn word(&self, index: usize) -> u64 {
        u64::from_le(self.0[index])
    }
}

/// An immutable run of lines.
pub(crate) enum Memory {
    Mapped(Mmap),
    Built(Vec<Line>),
}

impl Memory {
    /// Maps a file for reading.
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        // SAFETY: a mapping is undefined behaviour only if the file changes under it. Catalogues are never written in
        // place: the writer fills a temporary file, syncs it and renames it over the old name, so that a mapped inode
        // keeps its content for ever (`Catalogue::write_to`). They lie in the gateway's own state directory, which
        // only its user may write. A damaged file is found by its checksums when it is opened.
        unsafe { Mmap::map(file) }.map(Self::Mapped)
    }

    /// All the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Built(lines) => lines.as_bytes(),
        }
    }

    /// All the lines. A file whose length is no multiple of a line loses its tail, which no section may reach.
    pub(crate) fn lines(&self) -> &[Line] {
        match self {
            // A mapping begins on a page, so that this fails for no file.
            Self::Mapped(map) => {
                <[Line]>::ref_from_bytes(&map[..map.len() / Line::BYTES * Line::BYTES]).unwrap_or_default()
            }
            Self::Built(lines) => lines,
        }
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
