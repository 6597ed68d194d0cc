//! Everything that one person's rules say of sites, in one table that is walked once a request.

use crate::request::{Host, Request};
use crate::rule::strictness;
use crate::source::SourceId;
use crate::verdict::{Outcome, Rule, Subject};
use crate::word::Word;
use blocklists::{Category, Name, Service, Tags};
use foldhash::fast::FixedState;
use std::collections::HashMap;

/// A ruling and its line.
pub(crate) type Said = (Outcome, SourceId);

/// Sites, hosts and paths by name.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    entries: HashMap<Box<str>, Entry, FixedState>,
    /// Bit `n` is set when a name of `n` bytes stands in the table: most suffixes of most names need no look.
    lengths: [u64; 4],
    /// Which ends names in the table have: most names need no walk.
    ends: Ends,
}

/// The last letters of names, as a filter that forgets none and knows some that it was never told.
#[derive(Debug)]
struct Ends {
    bits: Box<[u64; 64]>,
}

/// So many of a name's last letters are looked at.
const LETTERS: usize = 8;

impl Default for Ends {
    fn default() -> Self {
        Self { bits: Box::new([0; 64]) }
    }
}

impl Ends {
    /// The place of the last letters, a dot before the first: a name and all below it end alike if it has seven letters or
    /// more.
    fn place(name: &str) -> (usize, u64) {
        let mut letters = [b'.'; LETTERS];
        let last = &name.as_bytes()[name.len().saturating_sub(LETTERS)..];
        letters[LETTERS - last.len()..].copy_from_slice(last);
        // Fibonacci hashing (Knuth, TAOCP 3, 6.4).
        let hash = u64::from_le_bytes(letters).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52;
        ((hash / 64) as usize, 1 << (hash % 64))
    }

    fn add(&mut self, name: &str) {
        let (word, bit) = Self::place(name);
        self.bits[word] |= bit;
    }

    fn has(&self, name: &str) -> bool {
        let (word, bit) = Self::place(name);
        self.bits[word] & bit != 0
    }
}

/// What is said of one name.
#[derive(Debug, Default)]
struct Entry {
    /// Of the name and everything under it.
    under: Facts,
    /// Of the name alone.
    exact: Facts,
    /// Of paths of the name and of everything under it: the longest path first.
    paths: Vec<(Box<str>, Facts)>,
}

/// What is said in one place.
#[derive(Clone, Copy, Debug, Default)]
struct Facts {
    ruling: Option<Said>,
    floor: Option<SourceId>,
    /// What the home or the agreement says that it is.
    tags: Tags,
    /// The limits that count it, by place.
    limits: u64,
}

/// What a request's name was found to be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// Everything that is known of it: the catalogue's word, and what the home and the agreement add.
    pub(crate) tags: Tags,
    /// The most specific site of the floor.
    pub(crate) floor: Option<SourceId>,
    /// The agreement's most specific path, host or site.
    pub(crate) ruling: Option<Said>,
    /// The limits that name it as a site or host.
    pub(crate) limits: u64,
}

/// What a word is added to the table as.
#[derive(Clone, Copy)]
pub(crate) enum As {
    Ruling(Outcome, SourceId),
    Floor(SourceId),
    Tagged(Category),
    Limit(u8),
}

impl Facts {
    fn add(&mut self, what: As) {
        match what {
            As::Ruling(outcome, source) => {
                if self.ruling.is_none_or(|(old, _)| strictness(outcome) > strictness(old)) {
                    self.ruling = Some((outcome, source));
                }
            }
            As::Floor(source) => self.floor = self.floor.or(Some(source)),
            As::Tagged(category) => self.tags = self.tags.union(Tags::category(category)),
            As::Limit(place) => self.limits |= 1 << place,
        }
    }
}

impl Sites {
    /// Adds what is said of a site, host or path. Services and categories are not sites: [`Kinds`] has them.
    pub(crate) fn add(&mut self, word: &Word, what: As) {
        match word {
            Word::Site(site) => self.entry(site.name()).under.add(what),
            Word::Host(host) => self.entry(host.name()).exact.add(what),
            Word::Path(site, path) => self.entry(site.name()).path(path).add(what),
            Word::Service(_) | Word::Category(_) => {}
        }
    }

    fn entry(&mut self, name: Name<'_>) -> &mut Entry {
        let length = name.as_str().len().min(255);
        self.lengths[length / 64] |= 1 << (length % 64);
        self.ends.add(name.as_str());
        self.entries.entry(name.as_str().into()).or_default()
    }

    fn has_length(&self, length: usize) -> bool {
        let length = length.min(255);
        self.lengths[length / 64] & (1 << (length % 64)) != 0
    }

    /// Whether anything may be said of the name or of one of its parents.
    pub(crate) fn may_mention(&self, name: Name<'_>) -> bool {
        let name = name.as_str();
        // Whether a name so long could be this one, or stand above it.
        let fits = |length: usize| match name.len().checked_sub(length) {
            Some(0) => true,
            Some(before) => name.as_bytes()[before - 1] == b'.',
            None => false,
        };
        // Names in the table that are too short to fill an end, `x.com`, are looked for where one could begin.
        self.ends.has(name) || (0..LETTERS - 1).filter(|&length| self.has_length(length)).any(fits)
    }

    /// Walks the name and its parents, the most specific first.
    pub(crate) fn find(&self, request: &Request<'_>) -> Found {
        let mut found = Found { tags: request.tags, ..Found::default() };
        let Host::Name(name) = request.host else { return found };
        if !self.may_mention(name) {
            return found;
        }
        let (mut path_said, mut path_floor) = (None, None);
        for suffix in name.suffixes().filter(|s| self.has_length(s.as_str().len())) {
            let Some(entry) = self.entries.get(suffix.as_str()) else { continue };
            for facts in request.path.into_iter().flat_map(|p| entry.on_path(p)) {
                path_said = path_said.or(facts.ruling);
                path_floor = path_floor.or(facts.floor);
                found.add(facts);
            }
            if suffix == name {
                found.ruling = entry.exact.ruling;
                found.floor = entry.exact.floor;
                found.add(&entry.exact);
            }
            found.ruling = found.ruling.or(entry.under.ruling);
            found.floor = found.floor.or(entry.under.floor);
            found.add(&entry.under);
        }
        found.ruling = path_said.or(found.ruling);
        found.floor = path_floor.or(found.floor);
        found
    }
}

impl Entry {
    /// The place of a path, which keeps the longest paths first.
    fn path(&mut self, path: &str) -> &mut Facts {
        let at = self.paths.iter().position(|(p, _)| **p == *path).unwrap_or_else(|| {
            let at = self.paths.partition_point(|(p, _)| p.len() >= path.len());
            self.paths.insert(at, (path.into(), Facts::default()));
            at
        });
        &mut self.paths[at].1
    }

    fn on_path<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Facts> {
        self.paths.iter().filter(move |(p, _)| is_path_under(path, p)).map(|(_, facts)| facts)
    }
}

impl Found {
    fn add(&mut self, facts: &Facts) {
        self.tags = self.tags.union(facts.tags);
        self.limits |= facts.limits;
    }
}

/// Whether a path stands under another on segment boundaries: `/bitesize/maths` under `/bitesize`, `/bitesizes` not.
pub(crate) fn is_path_under(path: &str, parent: &str) -> bool {
    let trimmed = |p: &str| p.trim_start_matches('/').len();
    let (path, parent) = (&path[path.len() - trimmed(path)..], parent.trim_matches('/'));
    path.strip_prefix(parent)
        .is_some_and(|rest| parent.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// Whether a word means what is asked for, with all that is known of it.
pub(crate) fn is_meant(word: &Word, request: &Request<'_>, tags: Tags) -> bool {
    let under = |site: Name<'_>| matches!(request.host, Host::Name(name) if name.is_under(site));
    match word {
        Word::Site(site) => under(site.name()),
        Word::Host(host) => request.host == Host::Name(host.name()),
        Word::Path(site, path) => under(site.name()) && request.path.is_some_and(|p| is_path_under(p, path)),
        Word::Service(service) => tags.has_service(*service),
        Word::Category(category) => tags.has(*category),
    }
}

/// What is said of services and categories, the strictest first.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    services: Vec<(Service, Outcome, SourceId)>,
    categories: Vec<(Category, Outcome, SourceId)>,
    /// Everything that any row names.
    any: Tags,
}

impl Kinds {
    /// Adds what is said of a service or category. Of two lines that say the same, the first one speaks.
    pub(crate) fn add(&mut self, word: &Word, outcome: Outcome, source: SourceId) {
        match word {
            Word::Service(service) => {
                self.any = self.any.union(Tags::service(*service));
                self.services.push((*service, outcome, source));
                self.services.sort_by_key(|(_, o, _)| std::cmp::Reverse(strictness(*o)));
            }
            Word::Category(category) => {
                self.any = self.any.union(Tags::category(*category));
                self.categories.push((*category, outcome, source));
                // A way around the gateway is told as one, whatever else the site is: staff need to know.
                let otherwise = |c: Category| c != Category::CIRCUMVENTION;
                self.categories.sort_by_key(|(c, o, _)| (std::cmp::Reverse(strictness(*o)), otherwise(*c)));
            }
            Word::Site(_) | Word::Host(_) | Word::Path(..) => {}
        }
    }

    /// What is said of a name's services, else of its categories.
    pub(crate) fn find(&self, tags: Tags) -> Option<(Said, Rule, Subject)> {
        if !self.any.intersects(tags) {
            return None;
        }
        let service = self.services.iter().find(|(s, ..)| tags.has_service(*s));
        if let Some(&(service, outcome, source)) = service {
            return Some(((outcome, source), Rule::Service, Subject::Service(service)));
        }
        let &(category, outcome, source) = self.categories.iter().find(|(c, ..)| tags.has(*c))?;
        Some(((outcome, source), Rule::Category, Subject::Category(category)))
    }

    /// What is said of one category by name.
    pub(crate) fn of_category(&self, category: Category) -> Option<SourceId> {
        self.categories.iter().find(|(c, ..)| *c == category).map(|&(_, _, source)| source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blocklists::Domain;

    #[test]
    fn no_name_under_one_that_is_mentioned_is_passed_over() {
        let names =
            ["x.com", "uk", "t.co", "bbc.com", "a.bb.com", "bbc.co.uk", "a.long.name.of.a.site.example"];
        for site in names {
            let mut sites = Sites::default();
            let word = Word::Site(Domain::parse(site).unwrap());
            sites.add(&word, As::Limit(3));
            for below in ["", "a.", "www.", "one.of.many.labels."] {
                let name = format!("{below}{site}");
                let host = Host::Name(Name::trusted(&name));
                let found = sites.find(&Request { host, tags: Tags::NONE, path: None });
                assert_eq!(found.limits, 1 << 3, "{name} under {site}");
            }
            let other = names.iter().filter(|name| !Name::trusted(name).is_under(Name::trusted(site)));
            let others = other.filter(|name| sites.may_mention(Name::trusted(name))).count();
            assert!(others < names.len() / 2, "{others} others may be under {site}");
        }
    }

    #[test]
    fn paths_match_on_segment_boundaries() {
        for (path, parent, under) in [
            ("/bitesize", "bitesize", true),
            ("/bitesize", "/bitesize", true),
            ("/bitesize/", "/bitesize", true),
            ("/bitesize/maths", "/bitesize/", true),
            ("//bitesize/maths", "/bitesize", true),
            ("/bitesizes", "/bitesize", false),
            ("/", "/bitesize", false),
            ("", "/bitesize", false),
            ("/anything", "/", true),
        ] {
            assert_eq!(is_path_under(path, parent), under, "{path} under {parent}");
        }
    }
}
