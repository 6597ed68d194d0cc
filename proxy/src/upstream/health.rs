//! Whether an upstream answers. Only its own probe tells: names that never answer are their owners' affair, and a client
//! could ask for nothing else. One whose probe fails is asked last, and probed again after a while.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The time until it is probed again; it doubles with each failure.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest time until it is probed again.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The health of one upstream. It starts as working.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Probes that failed, running.
    failures: AtomicU32,
    /// Steady milliseconds.
    probe_at: AtomicU64,
    /// Whether it was ever asked and the answer, or the silence, is known.
    known: AtomicBool,
}

impl Health {
    pub(super) fn is_up(&self) -> bool {
        self.failures.load(Ordering::Relaxed) == 0
    }

    /// Whether anything is known of it: it works until the opposite is known, but nobody should be told so.
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// It answered somebody.
    pub(super) fn works(&self) {
        self.is_now_known();
        if self.failures.swap(0, Ordering::Relaxed) > 0 {
            self.probe_at.store(0, Ordering::Relaxed);
        }
    }

    /// It answered its probe.
    pub(super) fn is_well(&self, now: Duration) {
        self.is_now_known();
        self.failures.store(0, Ordering::Relaxed);
        self.probe_at.store(millis(now + FIRST_REST), Ordering::Relaxed);
    }

    /// It did not answer its probe.
    pub(super) fn fails(&self, now: Duration) {
        self.is_now_known();
        let doublings = self.failures.fetch_add(1, Ordering::Relaxed).min(5);
        let rest = (FIRST_REST * 2u32.pow(doublings)).min(LONGEST_REST);
        self.probe_at.store(millis(now + rest), Ordering::Relaxed);
    }

    fn is_now_known(&self) {
        // It is read first: a line that every core only reads is not fought for.
        if !self.is_known() {
            self.known.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it may be probed now. Only one caller is told so until the probe has ended.
    pub(super) fn may_probe(&self, now: Duration) -> bool {
        let at = self.probe_at.load(Ordering::Relaxed);
        millis(now) >= at
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
    fn down_after_a_probe_and_back_after_one() {
        let health = Health::default();
        let second = Duration::from_secs;
        assert!(health.is_up() && !health.is_known() && health.may_probe(second(0)));
        assert!(!health.may_probe(second(2)), "one probe at a time");
        health.is_well(second(2));
        assert!(health.is_up() && health.is_known() && !health.may_probe(second(2)), "it was just looked at");
        assert!(health.may_probe(second(3)));
        health.fails(second(3));
        assert!(!health.is_up() && !health.may_probe(Duration::from_millis(3900)), "it rests");
        assert!(health.may_probe(second(4)));
        health.fails(second(4));
        assert!(!health.may_probe(second(5)), "the rest doubles");
        assert!(health.may_probe(second(6)));
        health.fails(second(6));
        health.works();
        assert!(health.is_up() && health.may_probe(second(7)), "up, and nobody waits to doubt it again");
    }
}
