//! What is found in the lines of a question.

use super::ask::{Asked, Suffixed, way};
use super::bucket::{MAX_HOPS, Place, matches, matches_two, passed, place, record};
use super::code::{Code, NO_RECORD, Parted, triplets};
use super::hash::{before, starts};
use super::lanes::{Lanes, Portable, WIDE, is_plain, work};
use super::memory::Line;
use super::works::{Found, Later};
use super::{Catalogue, Set, sha256};
use crate::Tags;
use std::hint::select_unpredictable;

impl Catalogue {
    /// The names in its line that have the fingerprint of the head, and above them those that have that of the names below; and
    /// whether that line may not be all.
    #[inline(always)]
    pub(super) fn first_look<L: Lanes>(
        &self,
        lanes: L,
        name: &[u8],
        asked: &Asked,
        line: &Line,
    ) -> (u32, bool) {
        let matching = matches_two(lanes, line, asked.fingerprint(), false) & asked.wanted(name);
        (matching, passed(line, asked.class()) | (asked.way != way::ONE_LINE))
    }

    /// What is known of the name of a question.
    #[inline(always)]
    pub(super) fn tags<L: Lanes>(&self, lanes: L, name: &[u8], asked: &Asked) -> Tags {
        let Some(line) = self.line(asked.home) else { return Tags::NONE };
        let (matching, goes_on) = self.first_look(lanes, name, asked, line);
        if (matching == 0) & !goes_on {
            return Tags::NONE;
        }
        self.found(lanes, name, asked, line, matching, goes_on)
    }

    /// What is known of the name of a question whose first look found something.
    #[inline(always)]
    pub(super) fn found<L: Lanes>(
        &self,
        lanes: L,
        name: &[u8],
        asked: &Asked,
        line: &Line,
        matching: u32,
        goes_on: bool,
    ) -> Tags {
        let goes_on = goes_on && self.is_in_later_lines(lanes, name, asked, line);
        if goes_on | (matching & matching.wrapping_sub(1) != 0) {
            return self.look_on(name, *asked, line, matching);
        }
        if matching == 0 {
            return Tags::NONE;
        }
        let (at, head) = (matching.trailing_zeros() as usize, asked.head(name));
        let record = record(line, at & 15);
        // The head, or one below it: the whole name first.
        let mut start = if at < 16 { head } else { 0 };
        loop {
            let (is_same, set) = self.code.set_if_same(record, self.packed(lanes, name, asked, start));
            if is_same & all_plain(lanes, &name[start..]) {
                let nothing = Set::default();
                let set = self.sets.get(usize::from(set)).unwrap_or(&nothing);
                return *select_unpredictable(start == 0, &set.here, &set.below);
            }
            let label = name[start..].iter().position(|byte| *byte == b'.').unwrap_or(0) + 1;
            start += label;
            if start >= head {
                break;
            }
        }
        match self.code.long(record) {
            Some(_) => self.look_on(name, *asked, line, matching),
            None => Tags::NONE,
        }
    }

    /// Whether a line behind the first has a name with one of the fingerprints.
    #[inline(always)]
    fn is_in_later_lines<L: Lanes>(&self, lanes: L, name: &[u8], asked: &Asked, line: &Line) -> bool {
        if asked.way != way::ONE_LINE {
            return true;
        }
        let mut line = line;
        for moved in 1..=MAX_HOPS {
            let Some(next) = self.line(asked.home + moved).filter(|_| passed(line, asked.class())) else {
                return false;
            };
            if matches_two(lanes, next, asked.fingerprint(), true) & asked.wanted(name) != 0 {
                return true;
            }
            line = next;
        }
        false
    }

    /// How a suffix of a name is packed.
    #[inline(always)]
    fn packed<L: Lanes>(&self, lanes: L, name: &[u8], asked: &Asked, start: usize) -> u128 {
        let behind = asked.behind;
        let code = self.code.code_of_end(before(name, name.len()), behind.wrapping_sub(1));
        let (suffix, head) = (&name[start..], asked.head(name).saturating_sub(start));
        self.code.packed(lanes, Parted { suffix, head, behind, code })
    }

    #[inline(never)]
    pub(super) fn found_alone(&self, name: &[u8], asked: Asked, matching: u32, goes_on: bool) -> Tags {
        work(self.hasher.help(), Found { catalogue: self, name, asked, matching, goes_on })
    }

    #[inline(never)]
    fn look_on(&self, name: &[u8], asked: Asked, line: &Line, matching: u32) -> Tags {
        work(self.hasher.help(), Later { catalogue: self, name, asked, line, matching })
    }

    /// The same where more than one name may say something, or a name in another line, or one that is not in its record, or one
    /// below the head.
    #[inline(always)]
    pub(super) fn in_chain<L: Lanes>(
        &self,
        lanes: L,
        name: &[u8],
        asked: &Asked,
        line: &Line,
        matching: u32,
    ) -> Tags {
        let Some((mut candidates, count)) = candidates(name, asked) else { return self.by_walking(name) };
        let (mut line, mut matching, mut moved) = (line, matching, 0);
        loop {
            while matching != 0 {
                let at = matching.trailing_zeros() as usize;
                matching &= matching - 1;
                let record = record(line, at & 15);
                // The head has a fingerprint of its own; those below share one.
                for candidate in if at < 16 { &mut candidates[..1] } else { &mut candidates[1..count] } {
                    self.compare(lanes, name, asked, Moved { record, moved }, candidate);
                }
            }
            let next = self.line(asked.home + moved + 1);
            let Some(next) = next.filter(|_| passed(line, asked.class()) && moved < MAX_HOPS) else { break };
            (line, moved) = (next, moved + 1);
            matching = matches_two(lanes, line, asked.fingerprint(), true) & asked.wanted(name);
        }
        let mut tags = self.of_spread_site(name, asked);
        for candidate in &candidates[..count] {
            let sets = candidate.sets.into_iter().flatten().filter_map(|set| self.sets.get(usize::from(set)));
            let set = sets.copied().reduce(Set::union);
            tags = step(tags, candidate.start, set);
        }
        tags
    }

    /// Whether a record is that of a suffix, as text or as digest.
    #[inline(always)]
    fn compare<L: Lanes>(
        &self,
        lanes: L,
        name: &[u8],
        asked: &Asked,
        there: Moved,
        candidate: &mut Candidate,
    ) {
        let text = &name[candidate.start..];
        let packed = *candidate.packed.get_or_insert_with(|| match all_plain(lanes, text) {
            true => self.packed(lanes, name, asked, candidate.start),
            false => NO_RECORD,
        });
        match self.set_of(there, packed, text) {
            Some(Said::Text(set)) => candidate.sets[0] = Some(set),
            Some(Said::Digest(set)) => candidate.sets[1] = Some(set),
            None => {}
        }
    }

    /// What a site that is spread says of the names below it.
    #[inline(always)]
    fn of_spread_site(&self, name: &[u8], asked: &Asked) -> Tags {
        if asked.way != way::BELOW_SPREAD {
            return Tags::NONE;
        }
        let start = name.len().saturating_sub(asked.site);
        let place = place(self.hasher.hash(&name[start..]), self.header.home_buckets);
        step(Tags::NONE, start, self.find(place, name, Suffixed { start, head: start }))
    }

    /// What is known of any name.
    #[cold]
    fn by_walking(&self, name: &[u8]) -> Tags {
        let mut tags = Tags::NONE;
        self.walk(name, |suffix, place| tags = step(tags, suffix.start, self.find(place, name, suffix)));
        tags
    }

    /// What the entry of a suffix says, if there is one.
    fn find(&self, place: Place, name: &[u8], suffix: Suffixed) -> Option<Set> {
        let (mut found, mut packed, text) = (None::<Set>, None, &name[suffix.start..]);
        let lines = self.memory.lines().get(place.home as usize..)?;
        for (moved, line) in lines.iter().take(MAX_HOPS + 1).enumerate() {
            let mut matching = matches(line, place.fingerprint(), moved > 0);
            while matching != 0 {
                let record = record(line, matching.trailing_zeros() as usize);
                matching &= matching - 1;
                // Bytes that no name has may be packed like others.
                let packed = *packed.get_or_insert_with(|| match all_plain(Portable, text) {
                    true => {
                        self.code.pack(self.hasher.help(), self.code.parted(text, suffix.head - suffix.start))
                    }
                    false => NO_RECORD,
                });
                if let Some(Said::Text(set) | Said::Digest(set)) =
                    self.set_of(Moved { record, moved }, packed, text)
                    && let Some(set) = self.sets.get(usize::from(set))
                {
                    found = Some(found.unwrap_or_default().union(*set));
                }
            }
            if !passed(line, place.class()) {
                break;
            }
        }
        found
    }

    /// The set of a record, if it is that of a name. A name has at most two records: one as text, one as digest.
    #[inline(always)]
    fn set_of(&self, Moved { record, moved }: Moved, packed: u128, name: &[u8]) -> Option<Said> {
        match self.code.set_if_same(record, Code::moved(packed, moved)) {
            (true, set) if packed != NO_RECORD => Some(Said::Text(set)),
            _ => self.set_of_long(self.code.long(record)?, name),
        }
    }

    /// The set of a long record, if it is that of this name.
    #[cold]
    fn set_of_long(&self, at: u32, name: &[u8]) -> Option<Said> {
        let (length, rest) = self.memory.bytes().get(self.long.clone())?.get(at as usize..)?.split_first()?;
        let (set, text) = rest.split_first_chunk()?;
        let set = u16::from_le_bytes(*set);
        match length {
            0 => {
                self.is_digest_of(u32::from_le_bytes(*text.first_chunk()?), name).then_some(Said::Digest(set))
            }
            // A byte that no name has is no letter, and so not that of the record.
            _ => {
                let (stored, _) = text.get(..name.len().div_ceil(3) * 2)?.as_chunks::<2>();
                let is_same = usize::from(*length) == name.len()
                    && stored.iter().map(|two| u16::from_le_bytes(*two)).eq(triplets(name));
                is_same.then_some(Said::Text(set))
            }
        }
    }

    fn is_digest_of(&self, number: u32, name: &[u8]) -> bool {
        let bytes = self.memory.bytes().get(self.digests.clone()).unwrap_or_default();
        let (digests, _) = bytes.as_chunks::<32>();
        digests.get(number as usize).is_some_and(|digest| *digest == sha256(name))
    }
}

/// A record, and how far it stands behind the line that was asked for.
#[derive(Clone, Copy)]
struct Moved {
    record: u128,
    moved: usize,
}

/// The set of a name, and how the name is kept.
enum Said {
    Text(u16),
    Digest(u16),
}

/// A suffix that may stand in a line: where it begins, how it is packed once that is asked, and the sets that were found, as text and as
/// digest.
#[derive(Clone, Copy, Default)]
struct Candidate {
    start: usize,
    packed: Option<u128>,
    sets: [Option<u16>; 2],
}

/// The head of a name and what stands below it, the shortest first; `None` where these are more than nearly any name has.
fn candidates(name: &[u8], asked: &Asked) -> Option<([Candidate; 4], usize)> {
    if asked.way == way::WALK {
        return None;
    }
    let mut all = [Candidate::default(); 4];
    let head = asked.head(name);
    let below = starts(&name[..head.saturating_sub(1)]).take(if head == 0 { 0 } else { all.len() });
    let mut count = 0;
    for start in std::iter::once(head).chain(below) {
        all.get_mut(count)?.start = start;
        count += 1;
    }
    Some((all, count))
}

/// Whether all bytes of a suffix are such as names have.
#[inline(always)]
fn all_plain<L: Lanes>(lanes: L, text: &[u8]) -> bool {
    match text.len() {
        0 => false,
        1..=WIDE => lanes.others(lanes.last_of(text)) >> (WIDE - text.len()) == 0,
        _ => text.iter().all(|byte| is_plain(*byte)),
    }
}

/// One level down: `tags` is what comes from the parents, to which this level's entry adds, or takes from.
#[inline(always)]
fn step(tags: Tags, start: usize, found: Option<Set>) -> Tags {
    match found {
        Some(set) => tags.without(set.not).union(if start == 0 { set.here } else { set.below }),
        None => tags,
    }
}
