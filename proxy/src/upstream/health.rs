//! Whether an upstream answers. One that fails twice running is asked last, and looked at again after a while.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// So many failures running, and it is down: one lost packet is no failure of the upstream's.
const DOWN_AFTER: u32 = 2;
/// The first time until it is looked at again; it doubles with each failure.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest time until it is looked at again.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The health of one upstream. It starts as working.
#[derive(Debug, Default)]
pub(super) struct Health {
    failures: AtomicU32,
    /// Steady milliseconds.
    probe_at: AtomicU64,
}

impl Health {
    pub(super) fn is_up(&self) -> bool {
        self.failures.load(Ordering::Relaxed) < DOWN_AFTER
    }

    pub(super) fn works(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    pub(super) fn fails(&self, now: Duration) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let doublings = failures.saturating_sub(DOWN_AFTER).min(5);
        let rest = (FIRST_REST * 2u32.pow(doublings)).min(LONGEST_REST);
        self.probe_at.store(millis(now + rest), Ordering::Relaxed);
    }

    /// Whether it is down and may be looked at now. Only one caller is told so until the next failure or success.
    pub(super) fn may_probe(&self, now: Duration) -> bool {
        let at = self.probe_at.load(Ordering::Relaxed);
        !self.is_up()
            && millis(now) >= at
            && self
                .probe_at
                .compare_exchange(at, millis(now + LONGEST_REST), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn down_after_two_and_back_after_one() {
        let health = Health::default();
        let second = Duration::from_secs;
        health.fails(second(0));
        assert!(health.is_up(), "one failure is none");
        health.fails(second(0));
        assert!(!health.is_up());
        assert!(!health.may_probe(Duration::from_millis(900)), "it rests");
        assert!(health.may_probe(second(1)));
        assert!(!health.may_probe(second(2)), "one look at a time");
        health.fails(second(2));
        assert!(!health.may_probe(second(3)), "the rest doubles");
        assert!(health.may_probe(second(4)));
        health.works();
        assert!(health.is_up() && !health.may_probe(second(100)));
    }
}
