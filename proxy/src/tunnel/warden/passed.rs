//! Minutes of use from bytes that passed: of one tunnel or exchange, of one opening at the router.

use super::{Crumbs, MINUTE_BYTES, Made};
use agreements::Counts;

/// What passed through one tunnel or exchange, or to one opening, within the running minute.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    fresh: u64,
    minute: i64,
    bytes: u64,
    marked: bool,
}

impl Passed {
    /// So much more has passed.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.fresh = self.fresh.saturating_add(bytes);
    }

    /// Whether something has passed since the last time.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh > 0
    }

    /// What the running minute counts for from now on, because of what passed since the last time; none where that makes it
    /// nothing that it is not already.
    pub(crate) fn take(&mut self, made: &Made, minute: i64, crumbs: &mut Crumbs) -> Option<Counts> {
        let fresh = std::mem::take(&mut self.fresh);
        if fresh == 0 {
            return None;
        }
        if self.minute != minute {
            *self = Self { minute, ..Self::default() };
        }
        self.bytes = self.bytes.saturating_add(fresh);
        match (self.marked, self.bytes >= MINUTE_BYTES) {
            (true, _) => None,
            (false, true) => {
                self.marked = true;
                Some(made.counts)
            }
            (false, false) => Some(crumbs.add(made, minute, fresh)).filter(|counts| counts.0 != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::PersonId;
    use chrono::DateTime;
    use records::ClockState;

    fn made(counts: u64) -> Made {
        let (at, clock) = (DateTime::UNIX_EPOCH, ClockState::Right);
        Made {
            generation: 1,
            person: PersonId(1),
            device: None,
            clock,
            at,
            until: None,
            counts: Counts(counts),
        }
    }

    #[test]
    fn enough_within_a_minute_counts_once_and_a_keep_alive_never() {
        let mut crumbs = Crumbs::default();
        let (mut video, mut push) = (Passed::default(), Passed::default());
        for (minute, bytes, counts) in [
            (1, MINUTE_BYTES - 1, None),
            (1, 1, Some(Counts(0b11))),
            (1, MINUTE_BYTES * 9, None),
            (2, 0, None),
            // What passed before the minute turned is not this minute's.
            (3, MINUTE_BYTES - 1, None),
            (4, MINUTE_BYTES - 1, None),
            (4, 1, Some(Counts(0b11))),
        ] {
            video.add(bytes);
            assert_eq!(video.take(&made(0b11), minute, &mut crumbs), counts, "{minute} {bytes}");
        }
        for minute in 5..500 {
            push.add(400);
            assert_eq!(push.take(&made(0b1), minute, &mut crumbs), None);
        }
    }

    #[test]
    fn many_small_things_make_a_minute_together() {
        let mut crumbs = Crumbs::default();
        let marked = (0..8).filter(|_| {
            let mut one = Passed::default();
            one.add(MINUTE_BYTES - 1);
            one.take(&made(0b1), 1, &mut crumbs) == Some(Counts(0b1))
        });
        assert_eq!(marked.count(), 1);
    }
}
