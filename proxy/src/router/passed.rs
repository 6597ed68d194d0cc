//! Minutes of use from what really passed: bytes of each flow through the router, by the kernel's own count.
//!
//! Every few seconds the kernel is asked for all flows ([`Meter`]). What passed since the last look belongs to the opening that
//! let the flow through, whoever began it and however long ago, and makes a minute as it does in a tunnel: at least
//! [`MINUTE_BYTES`] between a device and an address within a minute, or many small things together ([`Crumbs`]). A flow
//! stays in the kernel's table for ten seconds and more after its end, so that the last of it is seen.

use super::flows::Flow;
use super::sets::Device;
use crate::gate::Gate;
use crate::tunnel::{Crumbs, MINUTE_BYTES, Made};
use agreements::Counts;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// So many flows are followed: a home has some thousands, and each takes a few bytes.
const MOST: usize = 65_536;
/// Where the kernel is told to count bytes.
const SETTING: &str = "/proc/sys/net/netfilter/nf_conntrack_acct";

/// Has the kernel count the bytes of each flow that begins from now on. Whether it does.
pub(super) fn begin_to_count() -> bool {
    let counts = || std::fs::read_to_string(SETTING).is_ok_and(|text| text.trim() == "1");
    // Where we may not write, whoever set the machine up has done it, or has not.
    counts() || (std::fs::write(SETTING, "1").is_ok() && counts())
}

/// What had passed through each flow at the last look.
#[derive(Debug, Default)]
pub(super) struct Meter {
    flows: HashMap<u32, u64>,
    has_looked: bool,
}

impl Meter {
    /// What passed through each flow since the last look: nothing at the first, since nobody knows when it passed. Flows that are
    /// gone are forgotten.
    pub(super) fn look<'a>(&mut self, flows: &'a [Flow]) -> Vec<(&'a Flow, u64)> {
        let mut before = std::mem::take(&mut self.flows);
        let (mut passed, is_first) = (Vec::new(), !std::mem::replace(&mut self.has_looked, true));
        for flow in flows {
            let Some(bytes) = flow.bytes else { continue };
            let known = before.remove(&flow.id).filter(|before| *before <= bytes).unwrap_or(0);
            if self.flows.len() < MOST
                && let Entry::Vacant(place) = self.flows.entry(flow.id)
            {
                place.insert(bytes);
                if bytes > known && !is_first {
                    passed.push((flow, bytes - known));
                }
            }
        }
        passed
    }
}

/// What passed to one opening within the running minute.
#[derive(Debug, Default)]
pub(super) struct Passed {
    fresh: u64,
    minute: i64,
    bytes: u64,
    marked: bool,
}

impl Passed {
    /// So much more has passed.
    pub(super) fn add(&mut self, bytes: u64) {
        self.fresh = self.fresh.saturating_add(bytes);
    }

    /// What the running minute counts for now, because of what passed since the last time.
    pub(super) fn take(&mut self, made: &Made, minute: i64, crumbs: &mut Crumbs) -> Counts {
        let fresh = std::mem::take(&mut self.fresh);
        if fresh == 0 {
            return Counts(0);
        }
        if self.minute != minute {
            *self = Self { minute, ..Self::default() };
        }
        self.bytes = self.bytes.saturating_add(fresh);
        match (self.marked, self.bytes >= MINUTE_BYTES) {
            (true, _) => Counts(0),
            (false, true) => {
                self.marked = true;
                made.counts
            }
            (false, false) => crumbs.add(made, minute, fresh),
        }
    }
}

impl Device {
    /// Tells the gate of a device that something passes to or from, by whatever way: it is not silent.
    pub(super) fn passes(self, passed: &Passed, gate: &Gate) {
        if let (Self::Mac(mac), true) = (self, passed.fresh > 0) {
            gate.passes(mac);
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
            (1, MINUTE_BYTES - 1, 0),
            (1, 1, 0b11),
            (1, MINUTE_BYTES * 9, 0),
            (2, 0, 0),
            // What passed before the minute turned is not this minute's.
            (3, MINUTE_BYTES - 1, 0),
            (4, MINUTE_BYTES - 1, 0),
            (4, 1, 0b11),
        ] {
            video.add(bytes);
            assert_eq!(video.take(&made(0b11), minute, &mut crumbs), Counts(counts), "{minute} {bytes}");
        }
        for minute in 5..500 {
            push.add(400);
            assert_eq!(push.take(&made(0b1), minute, &mut crumbs), Counts(0));
        }
    }

    #[test]
    fn many_small_things_make_a_minute_together() {
        let mut crumbs = Crumbs::default();
        let marked = (0..8).filter(|_| {
            let mut one = Passed::default();
            one.add(MINUTE_BYTES - 1);
            one.take(&made(0b1), 1, &mut crumbs) == Counts(0b1)
        });
        assert_eq!(marked.count(), 1);
    }

    #[test]
    fn a_flow_is_counted_from_its_beginning_and_a_number_that_is_used_again_is_another_flow() {
        let flow = Flow::for_tests;
        let mut meter = Meter::default();
        let mut look = |flows: &[Flow]| -> Vec<(u32, u64)> {
            meter.look(flows).into_iter().map(|(flow, bytes)| (flow.id, bytes)).collect()
        };
        assert_eq!(look(&[]), []);
        assert_eq!(look(&[flow(1, Some(500)), flow(2, Some(70)), flow(3, None)]), [(1, 500), (2, 70)]);
        assert_eq!(look(&[flow(1, Some(500)), flow(2, Some(100))]), [(2, 30)]);
        // A table that changes while it is read may show one twice.
        assert_eq!(look(&[flow(1, Some(40)), flow(2, Some(100)), flow(2, Some(100))]), [(1, 40)]);
        assert_eq!(look(&[]), []);
        assert_eq!(look(&[flow(2, Some(100))]), [(2, 100)]);
    }

    #[test]
    fn what_passed_before_a_restart_passed_before_it() {
        let flow = Flow::for_tests;
        let mut meter = Meter::default();
        assert!(meter.look(&[flow(1, Some(900_000)), flow(2, Some(70))]).is_empty(), "nobody knows when");
        let second = [flow(1, Some(900_400)), flow(2, Some(70))];
        let passed: Vec<_> = meter.look(&second).into_iter().map(|(flow, bytes)| (flow.id, bytes)).collect();
        assert_eq!(passed, [(1, 400)], "an idle one is idle");
    }
}
