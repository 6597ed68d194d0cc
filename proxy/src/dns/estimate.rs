//! Minutes estimated from DNS, where that is all there is.
//!
//! A lookup is not use: a phone in a drawer looks names up all day. What reads like use is a burst: several different
//! names in one minute, none of them background chatter (the verdict counts nothing for that). From then on each
//! lookup that counts marks its minute, because somebody who watches or plays looks up little; after five quiet
//! minutes it takes a burst again. A phone that fetches its mail looks up one or two names, and marks nothing.

use agreements::{Counts, PersonId};
use arc_swap::ArcSwap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So many different names in one minute read like use.
const BURST: u32 = 4;
/// So many minutes after the last counted one, a single name still does.
const GOES_ON: u64 = 5;

/// One person's running minute.
#[derive(Debug, Default)]
struct Minute {
    /// The minute's number in the upper half, a bit for each different name (by hash) in the lower.
    names: AtomicU64,
    /// What the names of the minute count for, until they read like use.
    waiting: AtomicU64,
    /// The last minute that read like use.
    used: AtomicU64,
}

/// Whose lookups read like use.
#[derive(Debug, Default)]
pub(crate) struct Estimate {
    people: ArcSwap<Vec<Minute>>,
}

impl Estimate {
    /// A name was looked up: what it makes the running minute count for, if it reads like use.
    ///
    /// `minute` is the number of the running minute; `people` how many the house has.
    pub(crate) fn looked_up(
        &self,
        who: PersonId,
        people: usize,
        minute: u64,
        name: &str,
        counts: Counts,
    ) -> Counts {
        let mut minutes = self.people.load();
        if minutes.len() != people {
            // Another house: at worst somebody's burst begins again.
            self.people.store(Arc::new((0..people).map(|_| Minute::default()).collect()));
            minutes = self.people.load();
        }
        match minutes.get(usize::from(who.0)) {
            Some(of) if counts.0 != 0 => of.looked_up(minute, name, counts),
            Some(_) | None => Counts(0),
        }
    }
}

impl Minute {
    fn looked_up(&self, minute: u64, name: &str, counts: Counts) -> Counts {
        let bit = 1 << (BuildHasherDefault::<DefaultHasher>::new().hash_one(name) % 32);
        let minute = minute & u64::from(u32::MAX);
        let before = self.names.load(Ordering::Relaxed);
        let same = before >> 32 == minute;
        let names = if same { before | bit } else { minute << 32 | bit };
        // Racing lookups of one person may lose a bit: the estimate is one, and errs towards less.
        self.names.store(names, Ordering::Relaxed);
        if same {
            self.waiting.fetch_or(counts.0, Ordering::Relaxed);
        } else {
            self.waiting.store(counts.0, Ordering::Relaxed);
        }
        let used = self.used.load(Ordering::Relaxed);
        let goes_on = used != 0 && minute.saturating_sub(used) <= GOES_ON;
        if !goes_on && ((names & u64::from(u32::MAX)).count_ones() < BURST) {
            return Counts(0);
        }
        self.used.store(minute, Ordering::Relaxed);
        Counts(self.waiting.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_like_use() {
        // Minute, name, what the name counts for, what the minute is then marked for.
        let conversation: &[(&str, u64, &str, u64, u64)] = &[
            ("a phone in a drawer", 10, "mail.example", 1, 0),
            ("the same name again is one name", 10, "mail.example", 1, 0),
            ("two names are not a burst", 10, "push.example", 1, 0),
            ("a new minute begins at nothing", 11, "a.example", 1, 0),
            ("background counts for nothing", 11, "updates.example", 0, 0),
            ("second", 11, "b.example", 1, 0),
            ("third", 11, "d.example", 3, 0),
            ("the fourth is a burst, and all four count", 11, "e.example", 1, 3),
            ("it goes on with one name", 13, "video.example", 1, 1),
            ("and on", 18, "video.example", 1, 1),
            ("after six quiet minutes it takes a burst again", 24, "video.example", 1, 0),
        ];
        let estimate = Estimate::default();
        for (case, minute, name, counts, marked) in conversation {
            let found = estimate.looked_up(PersonId(1), 3, *minute, name, Counts(*counts));
            assert_eq!(found, Counts(*marked), "{case}");
        }
        assert_eq!(
            estimate.looked_up(PersonId(2), 3, 11, "a.example", Counts(1)),
            Counts(0),
            "others' names"
        );
        assert_eq!(estimate.looked_up(PersonId(9), 3, 11, "a.example", Counts(1)), Counts(0), "nobody's");
    }
}
