//! Questions: begun with [`Catalogue::probe`], ended with [`Probe::tags`].

use super::batch::BATCH;
use super::bucket::{MAX_HOPS, Place, matches, matches_four, passed, place, record};
use super::code::{Record, Wanted};
use super::hash::{Short, Suffixes, before, is_plain};
use super::memory::{Line, prefetch};
use super::{Catalogue, Set, sha256};
use crate::{Name, Tags};
use std::fmt;

/// How a question is answered.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Way {
    /// Its suffixes have one head, which is the shortest of them.
    #[default]
    OneLine,
    /// Before these there is a site that is spread, and perhaps listed.
    BelowSpread,
    /// It is rarer than that: suffix by suffix.
    Walk,
}

/// Where the answer to a question stands: plain data, made without looking at the lines.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked {
    /// The suffixes from the head on, and the fingerprint of each in the byte of its length.
    suffixes: Suffixes,
    fingerprints: u32,
    /// The place of the head.
    home: u32,
    class: u32,
    /// The site before them.
    site: u32,
    way: Way,
}

impl Asked {
    #[inline(always)]
    const fn place(&self, number: u32) -> Place {
        Place::new(self.home, (self.fingerprints >> ((number * 8) & 31)) as u8, self.class as u16)
    }

    #[inline(always)]
    fn suffix(&self, name: &[u8], number: u32) -> Suffixed {
        let start = |number| name.len().saturating_sub(self.suffixes.length(number) as usize);
        Suffixed { start: start(number), head: start(self.suffixes.site) }
    }
}

/// A suffix of a name: where it begins, and where its head does.
#[derive(Clone, Copy)]
struct Suffixed {
    start: usize,
    head: usize,
}

impl Catalogue {
    /// What is known of a name: what its own entry says of it, and what each parent's entry says of all below it.
    #[inline]
    pub fn lookup(&self, name: Name<'_>) -> Tags {
        match self.help {
            Some(help) => help.with(|| self.answer(name.as_str().as_bytes())),
            None => self.answer(name.as_str().as_bytes()),
        }
    }

    #[inline(always)]
    fn answer(&self, name: &[u8]) -> Tags {
        match self.ask_one_line(name) {
            Some(asked) => self.tags(name, &asked),
            None => self.answer_otherwise(name),
        }
    }

    #[inline(never)]
    fn answer_otherwise(&self, name: &[u8]) -> Tags {
        self.tags(name, &self.ask_otherwise(name))
    }

    /// Begins a lookup: hashes the name's site and asks the processor for the line that holds the answer, without
    /// waiting for it. [`Probe::tags`] ends it.
    ///
    /// Whoever has several questions at hand begins them all before ending the first, so that their waits overlap.
    #[inline]
    pub fn probe<'a>(&'a self, name: Name<'a>) -> Probe<'a> {
        Probe { catalogue: self, name, asked: self.ask(name.as_str().as_bytes()) }
    }

    /// [`Self::lookup`] of several names at once: their memory accesses overlap, which pays in large catalogues.
    ///
    /// `tags` is as long as `names`; what is longer of the two is left alone.
    pub fn lookup_many(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        match self.help {
            Some(help) => help.with(|| self.answer_many(names, tags)),
            None => self.answer_many(names, tags),
        }
    }

    #[inline(always)]
    fn answer_many(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        for (names, tags) in names.chunks(BATCH).zip(tags.chunks_mut(BATCH)) {
            self.lookup_batch(names, tags);
        }
    }

    #[inline(always)]
    pub(super) fn ask(&self, name: &[u8]) -> Asked {
        match self.ask_one_line(name) {
            Some(asked) => asked,
            None => self.ask_otherwise(name),
        }
    }

    /// `None` where the answer may stand in more than one line.
    #[inline(always)]
    fn ask_one_line(&self, name: &[u8]) -> Option<Asked> {
        let short = Short::new(name)?;
        let suffixes = short.suffixes()?;
        let head = self.hasher.suffix(name, &short, suffixes.length(suffixes.site) as usize);
        // Where nothing stands below it, it does not matter whether it is spread.
        if (self.spread.has_site(head.hash) & (suffixes.site > 0)) | self.has_tops {
            return None;
        }
        Some(self.one_line(name, &short, suffixes, head.hash))
    }

    /// The question of suffixes that stand in one line.
    #[inline(always)]
    fn one_line(&self, name: &[u8], short: &Short, suffixes: Suffixes, head: u64) -> Asked {
        let home = place(head, self.header.home_buckets);
        self.prefetch(home);
        let length = suffixes.length(suffixes.site);
        let deeper = self.hasher.deeper(short.before(name, length));
        let mut fingerprints = 0;
        for number in 0..4 {
            // Behind the site there are no suffixes, and what is made of that nobody looks at.
            let there = home.deeper(deeper.of(suffixes.length(number).wrapping_sub(length)));
            fingerprints |= u32::from(there.fingerprint()) << (number * 8);
        }
        let (home, class) = (home.home, u32::from(home.class()));
        Asked { suffixes, fingerprints, home, class, site: 0, way: Way::OneLine }
    }

    #[inline(always)]
    fn prefetch(&self, place: Place) {
        if let Some(line) = self.memory.lines().get(place.home as usize) {
            prefetch(line);
        }
    }

    #[inline(never)]
    fn ask_otherwise(&self, name: &[u8]) -> Asked {
        self.ask_below_spread(name).unwrap_or_else(|| self.ask_walking(name))
    }

    fn ask_below_spread(&self, name: &[u8]) -> Option<Asked> {
        let short = Short::new(name)?;
        let suffixes = short.suffixes()?;
        if self.has_tops && self.spread.has_top(self.hasher.suffix(name, &short, short.top()).hash) {
            return None;
        }
        let site = self.hasher.suffix(name, &short, suffixes.length(suffixes.site) as usize);
        let below = suffixes.site.checked_sub(1).filter(|_| self.spread.has_site(site.hash));
        let Some(below) = below else { return Some(self.one_line(name, &short, suffixes, site.hash)) };
        let head = self.hasher.suffix(name, &short, suffixes.length(below) as usize);
        if below > 0 && self.spread.has_third(head.hash) {
            return None;
        }
        let rest = Suffixes { lengths: suffixes.lengths, site: below };
        let asked = self.one_line(name, &short, rest, head.hash);
        if !self.spread.has_listed(site.hash) {
            return Some(asked);
        }
        self.prefetch(place(site.hash, self.header.home_buckets));
        Some(Asked { way: Way::BelowSpread, site: suffixes.length(suffixes.site), ..asked })
    }

    #[cold]
    fn ask_walking(&self, name: &[u8]) -> Asked {
        self.walk(name, |_, place| self.prefetch(place));
        Asked { way: Way::Walk, ..Asked::default() }
    }

    /// Every suffix of a name that an entry may have, from the right, with its place.
    fn walk(&self, name: &[u8], mut each: impl FnMut(Suffixed, Place)) {
        self.spread.heads(&self.hasher, name, |start, head| {
            let deeper = self.hasher.deeper(before(name, head.start)).of((head.start - start) as u32);
            let place = place(head.hash, self.header.home_buckets).deeper(deeper);
            each(Suffixed { start, head: head.start }, place);
        });
    }

    /// For each of the four fingerprints the names in its line that have it; and whether that line may not be all.
    #[inline(always)]
    pub(super) fn first_look(&self, asked: &Asked) -> (u64, bool) {
        let Some(line) = self.memory.lines().get(asked.home as usize) else { return (0, false) };
        let suffixes = u64::MAX >> (48 - 16 * (asked.suffixes.site & 3));
        let matching = matches_four(line, asked.fingerprints, false) & suffixes;
        (matching, passed(line, asked.class as u16) | (asked.way != Way::OneLine))
    }

    #[inline(always)]
    pub(super) fn tags(&self, name: &[u8], asked: &Asked) -> Tags {
        let (matching, goes_on) = self.first_look(asked);
        if (matching == 0) & !goes_on {
            return Tags::NONE;
        }
        self.second_look(name, asked, matching, goes_on)
    }

    /// What is known of the name of a question whose first look found something.
    #[inline(always)]
    pub(super) fn second_look(&self, name: &[u8], asked: &Asked, matching: u64, goes_on: bool) -> Tags {
        if goes_on && (asked.way != Way::OneLine || self.is_in_later_lines(asked)) {
            return self.in_lines(name, asked);
        }
        if matching == 0 { Tags::NONE } else { self.in_line(name, asked, matching) }
    }

    /// Whether a line behind the first has a name with one of the fingerprints.
    #[inline(always)]
    fn is_in_later_lines(&self, asked: &Asked) -> bool {
        let suffixes = u64::MAX >> (48 - 16 * (asked.suffixes.site & 3));
        let lines = self.memory.lines().get(asked.home as usize + 1..).unwrap_or_default();
        for line in lines.iter().take(MAX_HOPS) {
            if matches_four(line, asked.fingerprints, true) & suffixes != 0 {
                return true;
            }
            if !passed(line, asked.class as u16) {
                return false;
            }
        }
        false
    }

    /// The same where all of it stands in the first line.
    #[inline(always)]
    fn in_line(&self, name: &[u8], asked: &Asked, mut matching: u64) -> Tags {
        let (mut tags, home) = (Tags::NONE, asked.home as usize);
        let Some(line) = self.memory.lines().get(home) else { return tags };
        while matching != 0 {
            // The shortest suffix has the highest number.
            let number = (63 - matching.leading_zeros()) / 16;
            let of_suffix = (matching >> (number * 16)) as u32 & 0xffff;
            matching &= !(0xffff << (number * 16));
            let (mut found, suffix) = (None, asked.suffix(name, number));
            self.compare(line, of_suffix, 0, name, suffix, &mut found);
            tags = step(tags, suffix, found);
        }
        tags
    }

    #[inline(never)]
    fn in_lines(&self, name: &[u8], asked: &Asked) -> Tags {
        let mut tags = Tags::NONE;
        match asked.way {
            Way::Walk => {
                self.walk(name, |suffix, place| tags = step(tags, suffix, self.find(place, name, suffix)));
                return tags;
            }
            Way::BelowSpread => {
                let start = name.len().saturating_sub(asked.site as usize);
                let place = place(self.hasher.hash(&name[start..]), self.header.home_buckets);
                let site = Suffixed { start, head: start };
                tags = step(tags, site, self.find(place, name, site));
            }
            Way::OneLine => {}
        }
        for number in (0..=asked.suffixes.site & 3).rev() {
            let suffix = asked.suffix(name, number);
            tags = step(tags, suffix, self.find(asked.place(number), name, suffix));
        }
        tags
    }

    /// What the entry of a suffix says, if there is one.
    #[inline]
    fn find(&self, place: Place, name: &[u8], suffix: Suffixed) -> Option<Set> {
        let mut found = None;
        let lines = self.memory.lines().get(place.home as usize..)?;
        for (moved, line) in lines.iter().take(MAX_HOPS + 1).enumerate() {
            let matching = matches(line, place.fingerprint(), moved > 0);
            if matching != 0 {
                self.compare(line, matching, moved, name, suffix, &mut found);
            }
            if !passed(line, place.class()) {
                break;
            }
        }
        found
    }

    /// Compares the names of a bucket whose fingerprint matches. A name has at most two records: one as text, one as digest.
    #[inline(always)]
    fn compare(
        &self,
        line: &Line,
        mut matching: u32,
        moved: usize,
        name: &[u8],
        suffix: Suffixed,
        found: &mut Option<Set>,
    ) {
        let name = name.get(suffix.start..).unwrap_or_default();
        let wanted = Wanted { name, head: suffix.head - suffix.start, told: usize::from(self.header.told) };
        while matching != 0 {
            let at = record(line.bytes(), matching.trailing_zeros() as usize);
            matching &= matching - 1;
            let mut record = self.code.compare(line.bytes(), at, moved, wanted);
            if let Record::Elsewhere(at) = record {
                record = self.compare_long(at, wanted);
            }
            let set = match record {
                // The first bytes are told by the place, if they are such as names have.
                Record::Same(set) if is_plain(wanted.told()) => set,
                Record::Digest { number, set } if self.is_digest_of(number, name) => set,
                Record::Same(_) | Record::Digest { .. } | Record::Elsewhere(_) | Record::Other => continue,
            };
            if let Some(set) = self.sets.get(usize::from(set)) {
                *found = Some(found.unwrap_or_default().union(*set));
            }
        }
    }

    #[cold]
    fn compare_long(&self, at: u32, wanted: Wanted<'_>) -> Record {
        let long = self.memory.bytes().get(self.long.clone()).unwrap_or_default();
        self.code.compare(long, at as usize, 0, wanted)
    }

    #[cold]
    fn is_digest_of(&self, number: u32, name: &[u8]) -> bool {
        let bytes = self.memory.bytes().get(self.digests.clone()).unwrap_or_default();
        let (digests, _) = bytes.as_chunks::<32>();
        digests.get(number as usize).is_some_and(|digest| *digest == sha256(name))
    }
}

/// One level down: `tags` is what comes from the parents, to which this level's entry adds, or takes from.
#[inline(always)]
fn step(tags: Tags, suffix: Suffixed, found: Option<Set>) -> Tags {
    match found {
        Some(set) => tags.without(set.not).union(if suffix.start == 0 { set.here } else { set.below }),
        None => tags,
    }
}

/// A lookup that has begun: [`Catalogue::probe`] makes it, [`Self::tags`] ends it.
///
/// It is plain data (no allocation, no lock), so that a worker holds one for every packet of a batch on its stack:
///
/// ```
/// # use blocklists::{Catalogue, Name, Probe, Tags};
/// # let catalogue = Catalogue::empty();
/// let names = ["www.site.example", "bet.example"].map(Name::trusted);
/// let mut probes: [Option<Probe<'_>>; 32] = [None; 32];
/// for (probe, name) in probes.iter_mut().zip(names) {
///     *probe = Some(catalogue.probe(name));
/// }
/// for probe in probes.iter().flatten() {
///     assert_eq!(probe.tags(), Tags::NONE);
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Probe<'a> {
    catalogue: &'a Catalogue,
    name: Name<'a>,
    asked: Asked,
}

impl Probe<'_> {
    /// What is known of the name: see [`Catalogue::lookup`].
    #[inline]
    pub fn tags(&self) -> Tags {
        self.catalogue.tags(self.name.as_str().as_bytes(), &self.asked)
    }
}

impl fmt::Debug for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Probe").field(&self.name).finish()
    }
}
