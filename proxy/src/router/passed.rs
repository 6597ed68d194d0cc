//! Minutes of use from what really passed: bytes of each flow through the router, by the kernel's own count.
//!
//! Every few seconds the kernel is asked for all flows ([`Meter`]). What passed since the last look belongs to the opening that
//! let the flow through, whoever began it and however long ago, and makes a minute as it does in a tunnel ([`Passed`]). A flow
//! stays in the kernel's table for ten seconds and more after its end, so that the last of it is seen.

use super::flows::Flow;
use super::sets::Device;
use crate::gate::Gate;
use crate::tunnel::Passed;
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

impl Device {
    /// Tells the gate of a device that something passes to or from, by whatever way: it is not silent.
    pub(super) fn passes(self, passed: &Passed, gate: &Gate) {
        if let (Self::Mac(mac), true) = (self, passed.is_fresh()) {
            gate.passes(mac);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
