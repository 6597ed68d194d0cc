//! A packet met a closed door: what becomes of it.
//!
//! A program that comes back to an address whose name is still allowed is let in; what was refused by its name is told by its
//! name; and an address that no answer gave is a way around, unless the home lets that device go where it likes.

use super::attempts::Weight;
use super::heard::{Refused, Says};
use super::opening::shown;
use super::openings::{LINGER, Openings, Wanted};
use super::sets::Device;
use crate::gate::{Gate, Who};
use crate::target::{TargetHost, is_open_internet};
use crate::tunnel::{Asked, Asker, Made};
use agreements::{Detector, Evidence, Severity, Verdict};
use blocklists::Category;
use records::Current;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is remembered of an address.
enum Remembered {
    Allowed(Who, Arc<Asked>, Made),
    Refused(Who, Arc<Asked>, Verdict),
}

impl Openings {
    /// Decides about a refused packet.
    pub(super) async fn consider(&self, gate: &Gate, refused: Refused) {
        let Refused { device, from, to, says } = refused;
        let current = gate.in_force.to_keep();
        match self.remembered(device, to, gate, &current) {
            Some(Remembered::Allowed(who, asked, made)) => {
                let around = says.vpn().map(|heard| (heard, asked.judge_around(gate, &current, &who)));
                if let Some((heard, verdict)) = around.filter(|(_, verdict)| !verdict.allows()) {
                    let weight = self.attempts.again(device, to, gate.clock.steady());
                    return record(gate, &current, &who, &asked.host, weighed(verdict, weight, Some(heard)));
                }
                self.let_in((device, from, to), says, (asked, made, Duration::ZERO)).await;
            }
            Some(Remembered::Refused(who, asked, verdict)) => {
                let weight = match says {
                    Says::GoesOn => Weight::None,
                    Says::Icmp | Says::Time | Says::Stun | Says::Around(_) | Says::Vpn(_) | Says::Other => {
                        self.attempts.again(device, to, gate.clock.steady())
                    }
                };
                record(gate, &current, &who, &asked.host, weighed(verdict, weight, None));
            }
            // A phone looks for the printer of another home's network, and for its neighbours.
            None if !is_open_internet(to.to_canonical()) => {}
            None => {
                let who = gate.who_shows(&current, &shown(device, from, None));
                let asked = Arc::new(Asked::host(TargetHost::Address(to.to_canonical())));
                let verdict = asked.judge(gate, &current, &who);
                if verdict.allows() {
                    let made = Made::new(gate, &current, &who, &verdict);
                    self.let_in((device, from, to), says, (asked, made, LINGER)).await;
                } else if !says.by_itself() {
                    let weight = self.attempts.unknown(device, from, to, gate.clock.steady());
                    let detected = says.around().or_else(|| nameless(&current, to));
                    record(gate, &current, &who, &asked.host, weighed(verdict, weight, detected));
                }
            }
        }
    }

    /// The next packet passes.
    async fn let_in(
        &self,
        (device, from, to): (Device, IpAddr, IpAddr),
        says: Says,
        (asked, made, usable): (Arc<Asked>, Made, Duration),
    ) {
        let asker = Asker { address: from, token: None };
        let hardware = shown(device, from, None).hardware;
        let (protected, unread, addresses) = (false, says.vpn().is_some(), vec![to]);
        // Where that fails, the next packet is heard of again.
        let _opened =
            self.open(Wanted { asker, hardware, asked, protected, unread, made, addresses, usable }).await;
    }

    fn remembered(
        &self,
        device: Device,
        to: IpAddr,
        gate: &Gate,
        current: &Arc<Current>,
    ) -> Option<Remembered> {
        let shard = self.shard(device);
        let opening = shard.get(&device)?.get(&to)?;
        let who = opening.who(device, gate, current);
        for asked in &opening.asked {
            if let Some(made) = asked.again(gate, current, &who) {
                return Some(Remembered::Allowed(who, asked.clone(), made));
            }
        }
        let asked = opening.asked.last()?.clone();
        let verdict = asked.judge(gate, current, &who);
        Some(Remembered::Refused(who, asked, verdict))
    }
}

/// Which way around an address without a name is. One of a subscribed list is a way around of no kind that anybody can tell.
fn nameless(current: &Current, to: IpAddr) -> Option<Detector> {
    let listed = current.snapshot.catalogue.lookup_address(to).has(Category::CIRCUMVENTION);
    Some(Detector::of_address(to)).filter(|known| !listed || *known != Detector::DirectAddress)
}

/// The verdict with as much weight as the attempt has, and what was detected; none where nobody needs to hear of it. What weighs
/// much when it is meant is not told at all before it was tried for a while: it could be forged, and cannot be taken back.
fn weighed(
    verdict: Verdict,
    weight: Weight,
    detected: Option<Detector>,
) -> Option<(Verdict, Option<Detector>)> {
    let is_heavy = detected.is_some_and(|detector| detector.row().weight > Severity::Low);
    match weight {
        Weight::None => None,
        Weight::Little if is_heavy => None,
        Weight::Little => {
            Some((Verdict { severity: verdict.severity.min(Severity::Low), ..verdict }, detected))
        }
        Weight::Full => Some((verdict, detected)),
    }
}

fn record(
    gate: &Gate,
    current: &Arc<Current>,
    who: &Who,
    host: &TargetHost,
    weighed: Option<(Verdict, Option<Detector>)>,
) {
    let Some((verdict, detected)) = weighed.filter(|(verdict, _)| !verdict.allows()) else { return };
    gate.recorder.refused(&records::Refused {
        at: gate.clock.now(),
        current,
        who: gate.person(who),
        device: who.device,
        identified: who.identified,
        stranger: who.stranger,
        host: &host.to_string(),
        verdict,
        evidence: Evidence::Connection,
        detected,
    });
}
