//! Exceptions: on which ports a device that people share (a games console, a television) may reach any address, also one that no name led
//! to. Its own agreement says so (`any_address_on`), and it is judged like everything else: bedtime, school hours, limits,
//! restrictions and a device that is marked as lost end it, and whoever signs in on the device has their own agreement and no exception.
//!
//! They are in sets of the table with a time, so that they end without us. A flow that one of them let begin belongs to it: what passes
//! there counts, and it is ended with the exception.

use super::keeper::Work;
use super::opening::shown;
use super::openings::{Openings, lock};
use super::sets::Device;
use crate::gate::Gate;
use crate::tunnel::{Crumbs, Made, Passed, minute};
use agreements::{DeviceBy, Host, PortRange, Ports, Transport};
use records::Current;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// The sets, by what a device is known by.
const MACS: &str = "any_address_mac";
const FOURS: &str = "any_address_four";
const SIXES: &str = "any_address_six";
/// So many ranges of ports of all devices together; a home has a few consoles.
const MOST: usize = 1024;
/// The kernel lets one end by itself after so long, where nothing ends it sooner.
const LASTS: Duration = Duration::from_secs(3600);
/// What is about to lapse is renewed.
const RENEWED: Duration = Duration::from_secs(1800);
/// Times that differ by less are the same.
const SLACK: Duration = Duration::from_secs(2);

/// The rules that look into the sets: for what is on the open internet.
pub(super) const RULES: &str = "\
\t\t# What a shared device's own agreement lets it reach by number.
\t\tether saddr . meta l4proto . th dport @any_address_mac jump any_address
\t\tip saddr . meta l4proto . th dport @any_address_four jump any_address
\t\tip6 saddr . meta l4proto . th dport @any_address_six jump any_address
";

/// The chain that they lead to: networks of homes and of providers are no part of the internet (RFC 6890).
const CHAIN: &str = "
	chain any_address {
		ip daddr { 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16, 224.0.0.0/3 } return
		ip6 daddr != 2000::/3 return
		counter accept comment \"any address, by agreement\"
	}
";

/// One device's exception on one range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Except {
    device: Device,
    ports: PortRange,
}

/// What one device may do now.
#[derive(Debug)]
pub(super) struct Excepted {
    device: Device,
    ports: Ports,
    /// When the kernel lets it end, by the steady clock.
    closes: Duration,
    made: Made,
    /// What passes through flows that it let begin.
    passed: Passed,
}

/// The exceptions of all devices.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    now: Vec<Excepted>,
    /// What the kernel was told last, and when that ends.
    placed: Vec<(Except, Duration)>,
}

impl Excepted {
    fn ranges(&self) -> Vec<PortRange> {
        match &self.ports {
            Ports::These(ranges) => ranges.clone(),
            Ports::Any => [Transport::Tcp, Transport::Udp]
                .map(|transport| PortRange { transport, first: 1, last: u16::MAX })
                .into(),
        }
    }
}

impl Exceptions {
    /// All that are to be in the kernel, and when each ends.
    fn wanted(&self) -> Vec<(Except, Duration)> {
        let of = |one: &Excepted| {
            let (device, closes) = (one.device, one.closes);
            one.ranges().into_iter().map(move |ports| (Except { device, ports }, closes))
        };
        self.now.iter().flat_map(of).take(MOST).collect()
    }

    /// Whether the kernel has to be told anything.
    fn is_due(&self, now: Duration) -> bool {
        let wanted = self.wanted();
        let differs =
            |((one, closes), (placed, placed_closes)): (&(Except, Duration), &(Except, Duration))| {
                let lapses = *placed_closes < now + RENEWED && *closes > *placed_closes + SLACK;
                one != placed || *closes + SLACK < *placed_closes || lapses
            };
        wanted.len() != self.placed.len() || wanted.iter().zip(&self.placed).any(differs)
    }

    /// What is to be in the kernel, and for how long.
    fn left(&self, now: Duration) -> Vec<(Except, Duration)> {
        let left = |(except, closes): (Except, Duration)| (except, closes.saturating_sub(now));
        self.wanted().into_iter().map(left).filter(|(_, left)| !left.is_zero()).collect()
    }
}

impl Openings {
    /// Brings what shared devices may reach by number up to date, and marks minutes of it.
    pub(super) fn except(&self, gate: &Gate, crumbs: &mut Crumbs) {
        let current = gate.in_force.to_keep();
        let wanted = self.excepted_now(gate, &current);
        let mut all = lock(&self.exceptions);
        if wanted.is_empty() && all.now.is_empty() && all.placed.is_empty() {
            return;
        }
        let before = std::mem::replace(&mut all.now, wanted);
        for one in before {
            if let Some(same) = all.now.iter_mut().find(|now| now.device == one.device) {
                same.passed = one.passed;
            }
        }
        for one in &mut all.now {
            one.mark(gate, &current, crumbs);
        }
        if all.is_due(self.clock.steady()) {
            // When the thread has much to do, the next round asks again.
            let _ = self.work.try_send(Work::Except);
        }
    }

    /// Whose exceptions hold now, each by its own agreement.
    fn excepted_now(&self, gate: &Gate, current: &Arc<Current>) -> Vec<Excepted> {
        let house = &current.snapshot.house;
        let of_them = |device: &&agreements::Device| {
            house.agreement(device.person).is_some_and(|person| person.any_address_on.is_some())
        };
        let mut all: Vec<Excepted> = Vec::new();
        for device in house.devices().iter().filter(of_them) {
            let (device, address) = match device.known.by {
                DeviceBy::Mac(mac) => (Device::Mac(mac), IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
                DeviceBy::Ip(address) => (self.device(address, None), address),
                DeviceBy::Token(_) | DeviceBy::Network(..) => continue,
            };
            if !all.iter().any(|one| one.device == device) {
                all.extend(self.excepted(gate, current, device, address));
            }
        }
        all
    }

    fn excepted(
        &self,
        gate: &Gate,
        current: &Arc<Current>,
        device: Device,
        address: IpAddr,
    ) -> Option<Excepted> {
        let who = gate.who_shows(current, &shown(device, address, None));
        let (verdict, ports) =
            gate.judge_any_address(current, &who).filter(|(verdict, _)| verdict.allows())?;
        let made = Made::new(gate, current, &who, &verdict);
        let until = made.until.map(|until| (until - gate.clock.now()).to_std().unwrap_or_default());
        let closes = self.clock.steady() + until.map_or(LASTS, |left| left.min(LASTS));
        Some(Excepted { device, ports, closes, made, passed: Passed::default() })
    }

    /// What is to be in the kernel's sets, and for how long.
    pub(super) fn except_for(&self) -> Vec<(Except, Duration)> {
        lock(&self.exceptions).left(self.clock.steady())
    }

    /// What the kernel has now is what it is to have; none where it could not be told.
    pub(super) fn except_placed(&self, done: bool) {
        let mut all = lock(&self.exceptions);
        all.placed = if done { all.wanted() } else { Vec::new() };
    }

    /// Whether an exception lets a device reach any address there.
    pub(super) fn excepts(&self, device: Device, port: Option<(Transport, u16)>) -> bool {
        let Some((transport, port)) = port else { return false };
        let all = lock(&self.exceptions);
        all.now.iter().any(|one| one.device == device && one.ports.has(transport, port))
    }

    /// So much has passed there.
    pub(super) fn passed_by_exception(&self, device: Device, port: Option<(Transport, u16)>, bytes: u64) {
        let Some((transport, port)) = port else { return };
        let mut all = lock(&self.exceptions);
        if let Some(one) =
            all.now.iter_mut().find(|one| one.device == device && one.ports.has(transport, port))
        {
            one.passed.add(bytes);
        }
    }
}

impl Excepted {
    /// Marks the running minute, where enough has passed in it.
    fn mark(&mut self, gate: &Gate, current: &Current, crumbs: &mut Crumbs) {
        self.device.passes(&self.passed, gate);
        let now = gate.clock.now();
        let counts = self.passed.take(&self.made, minute(now), crumbs);
        if let Some(counts) = counts.filter(|counts| counts.0 != 0) {
            let nameless = Host::Address(Ipv4Addr::UNSPECIFIED.into());
            current.in_use(self.made.person, counts, now, std::iter::once(nameless));
            current.device_in_use(self.made.device, now);
        }
    }
}

/// The sets, with what stays open, and the chain.
pub(super) fn sets(script: &mut String, stays: &[(Except, Duration)]) {
    script.push_str("\n\t# What devices that people share may reach by number, and until when, by their own agreements.\n");
    for (set, by) in [(MACS, "ether_addr"), (FOURS, "ipv4_addr"), (SIXES, "ipv6_addr")] {
        let _ = writeln!(
            script,
            "\tset {set} {{\n\t\ttype {by} . inet_proto . inet_service\n\t\tsize {MOST}\n\t\tflags interval, timeout"
        );
        let elements = elements(set, stays);
        if !elements.is_empty() {
            let _ = writeln!(script, "\t\telements = {{ {elements} }}");
        }
        script.push_str("\t}\n");
    }
    script.push_str(CHAIN);
}

/// What brings the sets to what they are to hold, in one transaction.
pub(super) fn change(stays: &[(Except, Duration)]) -> String {
    let mut script = String::new();
    for set in [MACS, FOURS, SIXES] {
        let _ = writeln!(script, "flush set inet {} {set}", super::TABLE);
        let elements = elements(set, stays);
        if !elements.is_empty() {
            let _ = writeln!(script, "add element inet {} {set} {{ {elements} }}", super::TABLE);
        }
    }
    script
}

fn elements(set: &str, stays: &[(Except, Duration)]) -> String {
    let of = |(except, left): &(Except, Duration)| {
        let (of, by) = match except.device {
            Device::Mac(mac) => (MACS, mac.map(|byte| format!("{byte:02x}")).join(":")),
            Device::Address(IpAddr::V4(address)) => (FOURS, address.to_string()),
            Device::Address(IpAddr::V6(address)) => (SIXES, address.to_string()),
        };
        (of == set).then(|| format!("{by} . {} timeout {}ms", except.ports, left.as_millis().max(1)))
    };
    stays.iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::openings::Kept;
    use crate::router::play::{JORDAN, Play, site};
    use agreements::PersonId;
    use chrono::DateTime;
    use records::ClockState;

    const CONSOLE: Device = Device::Mac([2, 0, 0, 0, 0, 0x55]);

    fn excepted(ports: &[&str], closes: u64) -> Excepted {
        let (at, clock) = (DateTime::UNIX_EPOCH, ClockState::Right);
        let counts = agreements::Counts(0);
        let made = Made { generation: 1, person: PersonId(1), device: None, clock, at, until: None, counts };
        let ports = Ports::read(ports.iter().copied()).unwrap();
        Excepted {
            device: CONSOLE,
            ports,
            closes: Duration::from_secs(closes),
            made,
            passed: Passed::default(),
        }
    }

    #[test]
    fn the_kernel_is_told_what_changed_and_before_it_lapses() {
        let at = Duration::from_secs;
        let mut all = Exceptions::default();
        assert!(!all.is_due(at(0)));
        all.now = vec![excepted(&["udp 3074"], 3600)];
        assert!(all.is_due(at(0)), "it is new");
        all.placed = all.wanted();
        assert!(!all.is_due(at(0)));
        for (case, now, ports, closes, due) in [
            ("a moment later it would last a moment longer", 10, &["udp 3074"][..], 3610, false),
            ("half of its time is over", 1810, &["udp 3074"], 5410, true),
            ("bedtime comes sooner", 10, &["udp 3074"], 600, true),
            ("other ports", 10, &["udp 3075"], 3610, true),
            ("more ports", 10, &["udp 3074", "tcp 80"], 3610, true),
        ] {
            all.now = vec![excepted(ports, closes)];
            assert_eq!(all.is_due(at(now)), due, "{case}");
        }
        all.now.clear();
        assert!(all.is_due(at(10)), "it is over");
    }

    #[test]
    fn what_an_exception_lets_begin_is_the_exceptions_over_a_restart_too() {
        let (from, to) = (JORDAN.0, site(1));
        let port = |number| Some((Transport::Udp, number));
        let play = Play::new([(from, [2, 0, 0, 0, 0, 0x55])]);
        lock(&play.openings.exceptions).now = vec![excepted(&["udp 3074"], 3600)];
        let flows = vec![(from, to, port(3074)), (from, site(2), port(9))];
        play.openings.restore(Kept { elements: Vec::new(), lines: Vec::new(), flows });
        play.openings.adopt();
        assert!(!play.openings.knows(CONSOLE, to) && play.openings.knows(CONSOLE, site(2)));
        assert!(!play.openings.is_stray(from, to, port(3074)));
        play.openings.flowed(from, to, port(3074), 900);
        // The kernel lets go of whom it has not heard for a while, and we do not.
        play.openings.neighbours.lets_go();
        assert!(!play.openings.is_stray(from, to, port(3074)));
        assert!(play.openings.is_stray(from, to, port(3075)), "another port is none of its");
        lock(&play.openings.exceptions).now.clear();
        assert!(play.openings.is_stray(from, to, port(3074)), "and it ends with it");
    }

    #[test]
    fn a_change_says_all_that_is_to_hold() {
        let now = vec![excepted(&["any"], 90), excepted(&["udp 3074", "tcp 9-11"], 60)];
        let mut all = Exceptions { now, placed: Vec::new() };
        all.now[1].device = Device::Address("192.168.4.20".parse().unwrap());
        let script = change(&all.left(Duration::from_secs(30)));
        for line in [
            "flush set inet hearthgate any_address_mac\n",
            "{ 02:00:00:00:00:55 . tcp . 1-65535 timeout 60000ms, 02:00:00:00:00:55 . udp . 1-65535 timeout 60000ms }",
            "{ 192.168.4.20 . tcp . 9-11 timeout 30000ms, 192.168.4.20 . udp . 3074 timeout 30000ms }",
            "flush set inet hearthgate any_address_six\n",
        ] {
            assert!(script.contains(line), "{line} in {script}");
        }
        assert!(all.left(Duration::from_secs(90)).is_empty(), "what is over is not said");
    }
}
