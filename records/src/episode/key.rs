//! What makes refusals one episode, and what is counted by the hour.

use crate::refusal::NOBODY;
use crate::refused::Face;
use agreements::{Evidence, Rule, Severity};
use chrono::{DateTime, Utc};
use hashbrown::Equivalent;
use std::borrow::Cow;
use std::hash::Hash;

/// What stands for the sites of what comes beyond the bound of an hour, by [`Kind`]: small ones, grave ones by a name, grave ones
/// by an address, and devices that nobody knows.
pub const OF_MANY: [&str; 4] =
    ["and other sites", "and other sites (high)", "and other addresses", "and other devices"];

/// What makes two refusals one episode.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) person: String,
    pub(crate) rule: Rule,
    pub(crate) site: String,
}

/// The same, borrowed, so that joining an episode allocates nothing.
#[derive(Clone, Debug, Hash)]
pub(crate) struct KeyRef<'a> {
    pub(crate) person: &'a str,
    pub(crate) rule: Rule,
    pub(crate) site: Cow<'a, str>,
}

impl KeyRef<'_> {
    /// What takes part in the bound of an hour; none for sealed lists, which are one episode whatever was asked for.
    pub(super) fn kind(&self, seen: Seen) -> Option<Kind> {
        Some(match (self.rule, is_urgent(seen.severity)) {
            (Rule::Sealed, _) => return None,
            _ if is_a_strangers(self.person, self.rule, &self.site) => Kind::Stranger,
            (_, false) => Kind::Small,
            (_, true) if seen.by_address => Kind::Address,
            (_, true) => Kind::Site,
        })
    }

    pub(super) fn to_key(&self) -> Key {
        Key { person: self.person.to_owned(), rule: self.rule, site: self.site.as_ref().to_owned() }
    }
}

// Both hash alike: text hashes as text, owned or not, and the fields stand in one order.
impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.person == key.person && self.rule == key.rule && self.site == key.site
    }
}

/// What is counted by the hour, each by itself: whoever makes many of one kind hides none of another. A scan of addresses leaves
/// room for the one site that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What tells staff little.
    Small,
    /// What tells them much, by a name.
    Site,
    /// The same by an address: a program tries as many as it likes.
    Address,
    /// A device that nobody knows.
    Stranger,
}

impl Kind {
    /// So many there are.
    pub(super) const COUNT: usize = OF_MANY.len();
}

/// Whether an episode is a device that nobody knows, rather than a site.
pub(super) fn is_a_strangers(person: &str, rule: Rule, site: &str) -> bool {
    person == NOBODY.0 && rule == Rule::Baseline && site.parse::<Face>().is_ok()
}

/// One refusal, as far as folding goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) at: DateTime<Utc>,
    pub(crate) evidence: Evidence,
    pub(crate) severity: Severity,
    /// Whether it was an address, and no name.
    pub(crate) by_address: bool,
}

/// Whether it tells staff much.
pub(super) fn is_urgent(severity: Severity) -> bool {
    severity >= Severity::High
}
