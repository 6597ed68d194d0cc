//! What a list's line says: an entry, or why the line was skipped.

use crate::{Name, NotADomain};
use std::fmt;

/// How far an entry reaches from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// That host alone: a line of a hosts file, `full:` of a v2fly file, a plain owner name of an RPZ zone.
    Here,
    /// The names below it and not the name itself: `*.x` of an RPZ zone.
    Below,
    /// The name and everything below it: what most formats mean.
    Site,
}

impl Reach {
    /// Whether the entry's own name is meant.
    pub const fn here(self) -> bool {
        matches!(self, Self::Here | Self::Site)
    }

    /// Whether the names below are meant.
    pub const fn below(self) -> bool {
        matches!(self, Self::Below | Self::Site)
    }
}

/// Whether a line lists its name or takes it out of the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The name is listed.
    List,
    /// The name is not listed, whatever else the same list says (`@@||x^`, `rpz-passthru.`).
    Except,
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name, in normal form.
    pub name: Name<'a>,
    /// How far it reaches.
    pub reach: Reach,
    /// Whether it lists or excepts.
    pub effect: Effect,
    /// The line of the file, counted from 1.
    pub line: u32,
}

macro_rules! reasons {
    ($($name:ident, $sentence:literal;)*) => {
        /// Why a line was skipped. Skipping is never fatal: it is counted and shown.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = $sentence] $name,)*
        }

        impl Reason {
            /// Every reason, in the order in which reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// A quiet lower-case sentence for staff.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

reasons! {
    NotAName, "this is not a host name";
    PublicSuffix, "everybody registers names under this ending, so it is no site";
    Address, "this is an address, not a name";
    NotAnAddress, "this is no address, no prefix and no range of addresses";
    InsideHomes, "homes and providers use these addresses inside, and no list may close them";
    TooWide, "this is far more of the internet than a list may close at once";
    Shared, "a carrier of thousands of sites has this address, and they would be closed with it";
    Path, "this names a page, and a name server sees only the host";
    Pattern, "patterns and keywords would match names that nobody looked at";
    Option, "a name server cannot honour this option";
    Cosmetic, "this changes how a page looks, not whether it may be reached";
    Syntax, "the line does not follow the list's format";
    TooLong, "the line is longer than any name needs";
    NotText, "the line is not text";
    Include, "the file that this line includes is missing, goes round in a circle or is too deep";
    Sealed, "a sealed list cannot make exceptions";
    TooMany, "the list has more entries than the limit";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl From<NotADomain> for Reason {
    fn from(why: NotADomain) -> Self {
        match why {
            NotADomain::Address => Self::Address,
            NotADomain::Empty
            | NotADomain::TooLong
            | NotADomain::EmptyLabel
            | NotADomain::LongLabel
            | NotADomain::Character(_)
            | NotADomain::Unicode => Self::NotAName,
        }
    }
}

/// A skipped line that a report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The line of the file, counted from 1.
    pub line: u32,
    /// The beginning of its text; empty for a sealed list, which shows nothing.
    pub text: Box<str>,
}

/// The skipped lines of one list: how many for each reason, and the first few of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skips {
    by_reason: Vec<(Reason, u64, Vec<Sample>)>,
}

impl Skips {
    /// How many samples are kept for each reason.
    pub const SAMPLES: usize = 20;
    /// How many characters of a sample are kept.
    pub const SAMPLE_LENGTH: usize = 120;

    /// Counts a line, and keeps it while there are few.
    pub fn add(&mut self, reason: Reason, line: u32, text: &str) {
        let place = match self.by_reason.iter().position(|row| row.0 == reason) {
            Some(place) => place,
            None => {
                self.by_reason.push((reason, 0, Vec::new()));
                self.by_reason.len() - 1
            }
        };
        let (_, count, samples) = &mut self.by_reason[place];
        *count += 1;
        if samples.len() < Self::SAMPLES {
            samples.push(Sample { line, text: text.chars().take(Self::SAMPLE_LENGTH).collect() });
        }
    }

    /// How many lines were skipped in all.
    pub fn total(&self) -> u64 {
        self.by_reason.iter().map(|row| row.1).sum()
    }

    /// How many lines were skipped for one reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.by_reason.iter().find(|row| row.0 == reason).map_or(0, |row| row.1)
    }

    /// Each reason that occurred, its count and its first lines, in the order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = (Reason, u64, &[Sample])> {
        self.by_reason.iter().map(|(reason, count, samples)| (*reason, *count, samples.as_slice()))
    }

    /// Takes the text out of every sample: what a sealed list may show.
    pub(crate) fn seal(&mut self) {
        for sample in self.by_reason.iter_mut().flat_map(|row| &mut row.2) {
            sample.text = Box::default();
        }
    }
}
