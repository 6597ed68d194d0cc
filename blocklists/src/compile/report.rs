//! What adding a list gave, for staff.

use crate::Domain;
use crate::format::{Format, Skips};

/// What one list gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReport {
    /// What the home calls it.
    pub id: String,
    /// The format it was read as.
    pub format: Format,
    /// Entries taken.
    pub names: u64,
    /// Lines skipped, by reason, with the first of each. A sealed list's carry no text.
    pub skips: Skips,
    /// How many entries touch a protected site.
    pub touches_protected: u64,
    /// The first of those entries.
    pub protected: Vec<ProtectedHit>,
}

impl ListReport {
    /// How many entries that touch a protected site are kept to be shown.
    pub const HITS: usize = 100;
}

/// How an entry stands to a protected site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// The entry names the site itself. It was dropped.
    Is,
    /// The entry stands below the site. It was dropped.
    Below,
    /// The entry covers the site from above. It stays, and stops at the site.
    Covers,
}

/// An entry of a list that touches a protected site: the publisher should hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedHit {
    /// The line of the list, counted from 1.
    pub line: u32,
    /// How it touches the site.
    pub touch: Touch,
    /// The entry's name and the site; `None` for a sealed list, whose names nobody is shown.
    pub names: Option<(Domain, Domain)>,
}
