//! The compiler: lists in, one catalogue out.
//!
//! Names are kept as text with four bytes beside each, in 64 parts by their hashes. Then each part is sorted, resolved (what
//! does every list together say of this name?), written as a sample of all says is shortest, and its names are put into
//! the table in the order of their hashes; what the part took is given back. The parts are worked on by every core.

mod build;
mod encode;
mod heads;
mod intake;
mod protect;
mod report;
mod resolve;
mod shards;
mod table;

pub use report::{ListReport, ProtectedHit, Touch};

use crate::Domain;
use crate::catalogue::{Catalogue, Hasher, ListInfo, Memory};
use crate::format::{Limits, ListInput, NotAList};
use intake::Intake;
use protect::Protected;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;

/// Why a catalogue cannot be made. None of these is reached by honest lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// The names do not fit into a catalogue (about 2 GiB of them).
    TooManyNames,
    /// The lists combine in more than 65,536 ways.
    TooManySets,
    /// Names crowd in one place under every seed that was tried.
    Crowded,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyNames => "the lists have more names than a catalogue holds",
            Self::TooManySets => "the lists combine in more ways than a catalogue holds",
            Self::Crowded => "the names crowd in one place of the catalogue",
        })
    }
}

impl std::error::Error for CompileError {}

/// Gathers lists and makes a [`Catalogue`] of them.
pub struct Compiler {
    intake: Intake,
    protected: Protected,
    limits: Limits,
    lists: Vec<ListInfo>,
    room: usize,
}

impl fmt::Debug for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiler").field("lists", &self.lists).finish_non_exhaustive()
    }
}

impl Default for Compiler {
    fn default() -> Self {
        Self::new()
    }
}

impl Compiler {
    /// A compiler with a random seed, so that nobody can craft names that crowd one place of the catalogue.
    pub fn new() -> Self {
        let mut seed = [0; 8];
        // Without randomness the catalogue is as exact as with it; it is only easier to make slow.
        let _fixed_seed_is_exact_too = SystemRandom::new().fill(&mut seed);
        Self::with_seed(u64::from_le_bytes(seed))
    }

    /// A compiler whose catalogue depends on nothing but its lists and this seed: for tests and comparisons.
    pub fn with_seed(seed: u64) -> Self {
        Self::with_hasher(Hasher::new(seed))
    }

    pub(crate) fn with_hasher(hasher: Hasher) -> Self {
        Self {
            intake: Intake::new(hasher),
            protected: Protected::new(),
            limits: Limits::default(),
            lists: Vec::new(),
            room: 0,
        }
    }

    /// What each list may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How often a compiler can be asked to make a catalogue of the same lists, each time with more room.
    pub const TRIES: usize = build::FILL.len();

    /// After so many tries ended with [`CompileError::Crowded`]: a catalogue with more room, up to [`Self::TRIES`]. A small
    /// one makes these tries by itself; a large one has given its names back by then, and needs the lists again.
    #[must_use]
    pub fn after(mut self, tries: usize) -> Self {
        self.room = tries;
        self
    }

    /// Sites that no list added from now on may take away.
    pub fn protect(&mut self, sites: impl IntoIterator<Item = Domain>) {
        for site in sites {
            self.protected.add(site, &self.intake.hasher);
        }
    }

    /// Adds a list. A body that is no list changes nothing.
    pub fn add(&mut self, input: ListInput<'_>) -> Result<ListReport, NotAList> {
        let (id, sealed) = (input.id.to_owned(), input.sealed);
        let (report, tags) = self.intake.add(input, &self.protected, &self.limits)?;
        let ListReport { names, skips, .. } = &report;
        self.lists.push(ListInfo { id, tags, names: *names, skipped: skips.total(), sealed });
        Ok(report)
    }

    /// Makes the catalogue. `built` is the time of the lists, in seconds since 1970.
    pub fn finish(self, built: i64) -> Result<Catalogue, CompileError> {
        let Self { intake, lists, room, .. } = self;
        let hasher = intake.hasher;
        let memory: Memory = build::build(intake, &lists, built, room)?;
        let mut catalogue =
            Catalogue::from_memory(memory).expect("the compiler writes what the reader reads, as tests hold");
        // The same hash, but for tests that make names collide.
        catalogue.hasher = hasher;
        Ok(catalogue)
    }
}
