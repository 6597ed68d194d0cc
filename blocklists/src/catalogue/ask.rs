//! Questions before their lines are looked at: hashed, and their lines asked for.

use super::Catalogue;
use super::bucket::{Place, place};
use super::hash::starts;
use super::lanes::{Lanes, WIDE, prefetch, work};
use super::memory::Line;
use super::works::BelowTop;

/// How a question is answered.
pub(super) mod way {
    /// Its suffixes have one head, which is the shortest of them.
    pub(in super::super) const ONE_LINE: u64 = 0;
    /// Before these there is a site that is spread, and perhaps listed.
    pub(in super::super) const BELOW_SPREAD: u64 = 1;
    /// It is rarer than that: suffix by suffix.
    pub(in super::super) const WALK: u64 = 2;
}

/// Where the answer to a question stands: plain data, made without looking at the lines. All of it words, since what is written in
/// small pieces cannot be read in large ones before it has left the processor, behind everything that waits for memory.
#[derive(Clone, Copy, Default)]
pub(super) struct Asked {
    /// The number of the head's line, and the head's class and fingerprint.
    pub(super) home: usize,
    pub(super) class: usize,
    fingerprint: usize,
    pub(super) way: u64,
    /// How many bytes these have: the head, the top-level domain with its dot, the site before the head.
    head: usize,
    pub(super) behind: usize,
    pub(super) site: usize,
}

impl Asked {
    #[inline(always)]
    pub(super) const fn new(place: Place, head: usize, behind: usize) -> Self {
        let (class, fingerprint) = (place.class() as usize, place.fingerprint() as usize);
        Self { home: place.home as usize, class, fingerprint, way: way::ONE_LINE, head, behind, site: 0 }
    }

    #[inline(always)]
    pub(super) const fn class(&self) -> u16 {
        self.class as u16
    }

    #[inline(always)]
    pub(super) const fn fingerprint(&self) -> u8 {
        self.fingerprint as u8
    }

    /// Where the head of a name begins.
    #[inline(always)]
    pub(super) const fn head(&self, name: &[u8]) -> usize {
        name.len().saturating_sub(self.head)
    }

    /// The names of a line that may be the name's head, and above them those that may be below it, if the name is.
    #[inline(always)]
    pub(super) const fn wanted(&self, name: &[u8]) -> u32 {
        if name.len() > self.head { 0xffff_ffff } else { 0xffff }
    }
}

/// A suffix of a name: where it begins, and where its head does.
#[derive(Clone, Copy)]
pub(super) struct Suffixed {
    pub(super) start: usize,
    pub(super) head: usize,
}

impl Catalogue {
    #[inline(always)]
    pub(super) fn ask<L: Lanes>(&self, lanes: L, name: &[u8]) -> Asked {
        let Some(seen) = Seen::new(lanes, name).filter(|_| !self.has_tops) else {
            return self.ask_rarely(name);
        };
        let hash = self.hasher.head(lanes, seen.bytes, name, seen.site, seen.behind);
        if self.spread.has_site(hash) {
            return self.ask_below_spread(lanes, name, &seen, hash);
        }
        self.one_line(hash, seen.site, seen.behind)
    }

    /// The question of a name whose suffixes stand in one line, that of a head of so many bytes.
    #[inline(always)]
    pub(super) fn one_line(&self, hash: u64, head: usize, behind: usize) -> Asked {
        let place = place(hash, self.header.home_buckets);
        self.prefetch(place);
        Asked::new(place, head, behind)
    }

    #[inline(always)]
    pub(super) fn prefetch(&self, place: Place) {
        if let Some(line) = self.line(place.home as usize) {
            prefetch(line);
        }
    }

    /// Asks for the line behind that of a question, which one in ten goes on to.
    #[inline(always)]
    pub(super) fn prefetch_next(&self, asked: &Asked) {
        if let Some(line) = self.line(asked.home + 1) {
            prefetch(line);
        }
    }

    #[inline(always)]
    pub(super) fn line(&self, number: usize) -> Option<&Line> {
        self.memory.lines().get(number)
    }

    /// The question of a name below a site that is spread.
    #[inline(always)]
    pub(super) fn ask_below_spread<L: Lanes>(
        &self,
        lanes: L,
        name: &[u8],
        seen: &Seen<L>,
        site: u64,
    ) -> Asked {
        // Where nothing stands below it, it does not matter whether it is spread.
        if seen.site == name.len() {
            return self.one_line(site, seen.site, seen.behind);
        }
        let Some(third) = last_three(seen.dots, name) else { return self.ask_walking(name) };
        let head = self.hasher.head(lanes, seen.bytes, name, third, seen.behind);
        if self.spread.has_third(head) & (third < name.len()) {
            return self.ask_walking(name);
        }
        let mut asked = self.one_line(head, third, seen.behind);
        if self.spread.has_listed(site) {
            self.prefetch(place(site, self.header.home_buckets));
            (asked.way, asked.site) = (way::BELOW_SPREAD, seen.site);
        }
        asked
    }

    /// A question that is short or long, or asked of a catalogue that lists top-level domains.
    #[cold]
    pub(super) fn ask_rarely(&self, name: &[u8]) -> Asked {
        let top = name.len() - starts(name).next().unwrap_or(0);
        let is_below = top < name.len()
            && self.has_tops
            && !self.spread.has_top(self.hasher.hash(&name[name.len() - top..]));
        match is_below {
            true => work(self.hasher.help(), BelowTop { catalogue: self, name }),
            false => self.ask_walking(name),
        }
    }

    /// A question whose top-level domain is not listed.
    #[inline(always)]
    pub(super) fn ask_below_top<L: Lanes>(&self, lanes: L, name: &[u8]) -> Asked {
        let Some(seen) = Seen::new(lanes, name) else { return self.ask_walking(name) };
        let hash = self.hasher.head(lanes, seen.bytes, name, seen.site, seen.behind);
        match self.spread.has_site(hash) {
            true => self.ask_below_spread(lanes, name, &seen, hash),
            false => self.one_line(hash, seen.site, seen.behind),
        }
    }

    #[cold]
    pub(super) fn ask_walking(&self, name: &[u8]) -> Asked {
        self.walk(name, |_, place| self.prefetch(place));
        Asked { way: way::WALK, ..Asked::default() }
    }

    /// Every suffix of a name that an entry may have, from the right, with its place.
    pub(super) fn walk(&self, name: &[u8], mut each: impl FnMut(Suffixed, Place)) {
        self.spread.heads(&self.hasher, name, |start, head| {
            let place = place(head.hash, self.header.home_buckets);
            let place = if start < head.start { place.below() } else { place };
            each(Suffixed { start, head: head.start }, place);
        });
    }
}

/// A name whose site is found in its last 32 bytes: nearly every one.
pub(super) struct Seen<L: Lanes> {
    /// The last 32 bytes; which of them are dots, the last byte's bit being the highest.
    bytes: L::Bytes,
    dots: u32,
    /// How long these are: the site, and the top-level domain with its dot.
    site: usize,
    behind: usize,
}

impl<L: Lanes> Seen<L> {
    #[inline(always)]
    fn new(lanes: L, name: &[u8]) -> Option<Self> {
        if name.len() < 8 {
            return None;
        }
        let bytes = lanes.last_of(name);
        let dots = lanes.equal(bytes, b'.');
        let top = dots.leading_zeros();
        let others = without_last(dots, top);
        // Of a short name without a second dot, 32 zeros.
        let site = (others.leading_zeros() as usize).min(name.len());
        let is_seen = (dots != 0) & ((others != 0) | (name.len() <= WIDE));
        is_seen.then_some(Self { bytes, dots, site, behind: top as usize + 1 })
    }
}

/// These dots without the last, behind which there are so many bytes.
#[inline(always)]
const fn without_last(dots: u32, behind: u32) -> u32 {
    dots & !(1 << 31u32.wrapping_sub(behind & 31))
}

/// How long the last three labels of a name are; `None` if that is not seen in its last 32 bytes.
fn last_three(dots: u32, name: &[u8]) -> Option<usize> {
    let others = without_last(dots, dots.leading_zeros());
    let others = without_last(others, others.leading_zeros());
    let is_seen = others != 0 || name.len() <= WIDE;
    is_seen.then_some((others.leading_zeros() as usize).min(name.len()))
}
