//! What waits to be told to one recipient, and when it is due.
//!
//! Each entry is looked at once and counted by its kind, so that a long quiet night costs no more than its new entries, and
//! nothing urgent stands behind what waits. Of each kind a few messages go at once; after that one in a while, so that a
//! flood folds, and a flood of one kind holds no other kind back.

use super::Instant;
use super::said::{Haste, Message, Told, is_quiet, told};
use agreements::{House, Notify};
use chrono::TimeDelta;
use records::{BreachOpened, Entry, Grown, Logged};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// What is small waits this long for more of its kind.
const FOLD: TimeDelta = TimeDelta::minutes(10);
/// Of one kind so many messages go as soon as it happens, and one more after each of these whiles.
const AT_ONCE: u32 = 3;
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// Episodes whose severity is remembered: those that may still go on.
const EPISODES: usize = 1024;

/// What waits for one recipient.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The recipient has been told up to this entry.
    told: i64,
    /// And the journal has been looked through up to this one.
    upto: i64,
    counted: Vec<(Told, usize)>,
    oldest: Option<Instant>,
}

/// What is to be done for a recipient.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nothing is new.
    Nothing,
    /// What is new, up to this entry, is nothing that they want told.
    Nobody(i64),
    /// Something, and not yet.
    Later,
    /// Something, now.
    Now(Message),
}

impl Pending {
    /// Nothing yet, for somebody who has been told up to an entry.
    pub(super) fn after(told: i64) -> Self {
        Self { told, upto: told, ..Self::default() }
    }

    /// Up to which entry the recipient has been told.
    pub(super) fn told(&self) -> i64 {
        self.told
    }

    /// Up to which entry the journal has been looked through.
    pub(super) fn upto(&self) -> i64 {
        self.upto
    }

    /// Looks at one entry more; `rose` are the episodes that it makes graver, as they are now.
    pub(super) fn add(&mut self, logged: &Logged, rose: Vec<BreachOpened>, when: &[String], now: Instant) {
        self.upto = self.upto.max(logged.entry);
        let rose: Vec<Entry> = rose.into_iter().map(Entry::BreachOpened).collect();
        for told in logged.says.iter().chain(&rose).filter_map(|says| told(says, when)) {
            let at = logged.at.parse::<Instant>().unwrap_or(now).min(now);
            self.oldest = Some(self.oldest.map_or(at, |oldest| oldest.min(at)));
            match self.counted.iter_mut().find(|(known, _)| *known == told) {
                Some((_, count)) => *count += 1,
                None => self.counted.push((told, 1)),
            }
        }
    }

    /// What is due.
    pub(super) fn due(
        &self,
        house: &House,
        notify: &Notify,
        now: Instant,
        spent: &Spent,
        steady: Duration,
    ) -> Waits {
        if self.counted.is_empty() {
            return if self.upto > self.told { Waits::Nobody(self.upto) } else { Waits::Nothing };
        }
        let quiet = is_quiet(house, notify, now);
        let folded = self.oldest.is_some_and(|oldest| now - oldest >= FOLD);
        let is_due = |told: &Told| match told.haste {
            Haste::Always => spent.may(told, steady),
            Haste::Soon => !quiet && (folded || spent.may(told, steady)),
            Haste::Folds => !quiet && folded,
        };
        if !self.counted.iter().any(|(told, _)| is_due(told)) {
            return Waits::Later;
        }
        let mut counted = self.counted.clone();
        counted.sort_by_key(|(told, _)| std::cmp::Reverse(told.haste));
        let lines: Vec<String> = counted.iter().map(|(told, count)| told.line(*count)).collect();
        Waits::Now(Message::of(house, &lines.join(", "), &lines, self.upto))
    }

    /// What was sent, or was nobody's, waits no more.
    pub(super) fn is_told(&mut self, spent: &mut Spent, steady: Duration) {
        for (told, _) in std::mem::take(&mut self.counted) {
            spent.take(&told, steady);
        }
        (self.told, self.oldest) = (self.upto, None);
    }
}

/// How many messages of each kind went of late, by the steady clock: when each kind may have all of them again.
#[derive(Debug, Default)]
pub(super) struct Spent(HashMap<&'static str, Duration>);

impl Spent {
    fn may(&self, told: &Told, now: Duration) -> bool {
        self.0.get(told.one).is_none_or(|whole| *whole <= now + AGAIN * (AT_ONCE - 1))
    }

    fn take(&mut self, told: &Told, now: Duration) {
        let whole = self.0.entry(told.one).or_insert(now);
        // What went with a message that was due for another kind counts no further.
        *whole = ((*whole).max(now) + AGAIN).min(now + AGAIN * AT_ONCE);
    }
}

/// Episodes that may go on, each with the gravest severity that the journal has told of so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    episodes: BTreeMap<i64, BreachOpened>,
    /// For how many the journal was looked through in this round.
    looked_back: u32,
}

/// For so many the journal is looked through in a round: each takes thousands of entries.
const LOOKS_BACK: u32 = 32;

impl Known {
    /// Another round begins.
    pub(super) fn begin_round(&mut self) {
        self.looked_back = 0;
    }

    /// Whether the journal may be looked through for one more.
    pub(super) fn may_look_back(&mut self) -> bool {
        let may = self.looked_back < LOOKS_BACK;
        self.looked_back += u32::from(may);
        may
    }

    /// An episode began, or was found out to be so grave.
    pub(super) fn put(&mut self, entry: i64, opened: BreachOpened) {
        self.episodes.insert(entry, opened);
        if self.episodes.len() > EPISODES {
            self.episodes.pop_first();
        }
    }

    /// Whether an episode is known here.
    pub(super) fn has(&self, entry: i64) -> bool {
        self.episodes.contains_key(&entry)
    }

    /// An episode has come so far: as it is now, where that is graver than before.
    pub(super) fn rises(&mut self, grown: &Grown) -> Option<BreachOpened> {
        let known = self.episodes.get_mut(&grown.entry).filter(|known| grown.severity > known.severity)?;
        known.severity = grown.severity;
        Some(known.clone())
    }
}
