//! The table of rules, as a script that a person can read.
//!
//! It stands in the way of packets before everybody else's rules of the same hook and takes no decision from them: what it
//! lets pass, they may still refuse. Everything that it does is inside one table, so that taking that table away takes all.

use super::TABLE;
use super::except::Except;
use super::heard::{COPIED, GROUP};
use super::sets::{
    ADDRESS4, ADDRESS6, ALIVE, Element, MAC4, MAC6, UNREAD_ADDRESS4, UNREAD_ADDRESS6, UNREAD_MAC4,
    UNREAD_MAC6,
};
use super::turned::counts;
use agreements::Detector;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Ports of the web: 80 and 443, and those others that carriers of many sites take for plain HTTP and for TLS (Cloudflare,
/// "Network ports"; the others take some of them). What shows its name there is judged by it.
pub(super) const WEB: [u16; 13] = [80, 443, 2052, 2053, 2082, 2083, 2086, 2087, 2095, 2096, 8080, 8443, 8880];
/// Elements of a set, at most: a home's devices have some thousands together.
pub(super) const MOST: usize = 65_535;
/// A refused packet is told of once in this time for each device and address.
const TOLD_EVERY: &str = "10s";
/// So many that were told of are remembered, and so many devices that tell: no home has as many, and a flood of made-up ones
/// takes long to fill them.
const MOST_TOLD: usize = 32_768;
const MOST_WHO_TELL: usize = 8192;

/// What the table is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The home's interfaces.
    pub lan: Vec<String>,
    /// The internet's.
    pub wan: Vec<String>,
    /// Those of other networks, which are left alone.
    pub others: Vec<String>,
    /// Where our DNS listens.
    pub dns: Vec<SocketAddr>,
    /// Where redirected connections are taken.
    pub transparent: Vec<SocketAddr>,
    /// On which ports an address that a name led to is open.
    pub ports: agreements::Ports,
}

/// What was open before and stays open.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stays<'o> {
    /// What answers gave devices, and for how long.
    pub(super) elements: &'o [(Element, Duration)],
    /// What shared devices may reach by number, and for how long.
    pub(super) except: &'o [(Except, Duration)],
    /// For how long what flows goes on.
    pub(super) alive: Duration,
}

/// Ports that a family's packets are redirected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ports {
    family: &'static str,
    dns: Option<u16>,
    transparent: Option<u16>,
}

impl Plan {
    /// The script that puts the table in place of the one before, if any, in one transaction, with what stays open; `most_flows` is how
    /// many flows one device may have at once, where the kernel counts them.
    pub(super) fn script(&self, stays: Stays<'_>, most_flows: Option<u32>) -> String {
        let mut script = String::from(
            "#!/usr/sbin/nft -f\n# Made by Hearthgate from gateway.yaml; `hearthgate router off` takes it away.\n\
             # Do not change it here: it is made anew with each start.\n",
        );
        // A table that is not there cannot be deleted, so it is first made.
        let _ = writeln!(script, "table inet {TABLE} {{\n}}\ndelete table inet {TABLE}\n");
        let _ = writeln!(script, "table inet {TABLE} {{");
        sets(&mut script, stays.elements);
        alive(&mut script, stays.alive);
        super::except::sets(&mut script, stays.except);
        told(&mut script);
        super::turned::counters(&mut script);
        if let Some(most) = most_flows {
            self.bound(&mut script, most);
        }
        self.redirects(&mut script);
        self.gate(&mut script);
        super::vpn::chains(&mut script);
        self.by_name(&mut script);
        script.push_str("}\n");
        script
    }

    /// One device has no more than its share of the kernel's table of flows, which is everybody's: when it is full nobody begins
    /// anything, help included.
    fn bound(&self, script: &mut String, most: u32) {
        let strangers = self.none_of_ours();
        let _ = write!(
            script,
            "
	# How many flows each device has, counted by the kernel.
	set flows {{
		type ether_addr
		size {MOST_WHO_TELL}
		flags dynamic
	}}

	chain begins {{
		type filter hook prerouting priority mangle; policy accept;
		iifname {strangers} return
		ct state new add @flows {{ ether saddr ct count over {most} }} counter drop comment \"too many at once\"
	}}
"
        );
    }

    /// The interfaces that nobody of the home comes in by. Whoever comes by any other is the home's: an interface that nobody
    /// named, or that is called otherwise by now.
    fn none_of_ours(&self) -> String {
        let named = self.wan.iter().chain(&self.others).cloned();
        interfaces(&std::iter::once("lo".to_owned()).chain(named).collect::<Vec<_>>())
    }

    /// Names are looked up here, and the web comes through here, whatever address was meant.
    fn redirects(&self, script: &mut String) {
        let strangers = self.none_of_ours();
        let _ = writeln!(
            script,
            "\n\tchain names_and_web {{\n\t\ttype nat hook prerouting priority dstnat - 5; policy accept;\n\t\tiifname {strangers} return"
        );
        for ports in self.ports() {
            let Ports { family, dns, transparent } = ports;
            if let Some(port) = dns {
                let _ = writeln!(
                    script,
                    "\t\tmeta nfproto {family} meta l4proto {{ tcp, udp }} th dport 53 fib daddr type != local {} redirect to :{port} comment \"DNS to anywhere is answered here\"",
                    counts(Detector::OwnResolver)
                );
                if port != 53 {
                    let _ = writeln!(
                        script,
                        "\t\tmeta nfproto {family} meta l4proto {{ tcp, udp }} th dport 53 counter redirect to :{port}"
                    );
                }
            }
            if let Some(port) = transparent {
                let _ = writeln!(
                    script,
                    "\t\tmeta nfproto {family} fib daddr type unicast tcp dport {{ {web} }} counter redirect to :{port} comment \"the web, by its names\"",
                    web = WEB.map(|port| port.to_string()).join(", ")
                );
            }
        }
        script.push_str("\t}\n");
    }

    fn gate(&self, script: &mut String) {
        let _ = write!(
            script,
            "
	chain forward {{
		type filter hook forward priority filter - 5; policy accept;
{}	}}

	chain gate {{
		# What a VPN says first, in whatever flow and wherever it goes.
		meta l4proto udp jump vpn_in_datagrams
		meta l4proto tcp ct original packets < 8 jump vpn_in_streams
		meta l4proto {{ 47, 50, 51 }} jump vpn

		# What was let pass goes on until it is cut, as long as there is somebody who cuts: whoever looks at what flows says so
		# again and again. Where nobody does, it is asked below like something new, and ends by its time; what is protected
		# goes on. The other direction was begun from outside: it is a new question.
		ct state established ct direction original meta nfproto @{ALIVE} accept
		ct state established ct direction original jump protected
		meta l4proto {{ icmp, ipv6-icmp }} ct state related accept

		# QUIC: refused at once, so that browsers fall back to TCP, where the name is seen.
		udp dport 443 {quic} goto refuse comment \"quic\"
		# DNS over TLS and over QUIC to somebody else.
		tcp dport 853 {dot} goto refuse comment \"dns over tls\"
		udp dport 853 {doq} goto refuse comment \"dns over quic\"

{}
		ether saddr . ip daddr @{MAC4} goto by_name
		ether saddr . ip6 daddr @{MAC6} goto by_name
		ip saddr . ip daddr @{ADDRESS4} goto by_name
		ip6 saddr . ip6 daddr @{ADDRESS6} goto by_name

		# What devices do by themselves, and nobody needs to hear of: a ping, the time.
		meta l4proto {{ icmp, ipv6-icmp }} counter goto refuse comment \"ping\"
		udp dport 123 counter goto refuse comment \"time\"

		# An address that no answer gave: told once, and refused.
		jump tell
		counter goto refuse comment \"no name\"
	}}

	chain protected {{
		ether saddr . ip daddr @{UNREAD_MAC4} accept
		ether saddr . ip6 daddr @{UNREAD_MAC6} accept
		ip saddr . ip daddr @{UNREAD_ADDRESS4} accept
		ip6 saddr . ip6 daddr @{UNREAD_ADDRESS6} accept
	}}

	chain tell {{
{tell}	}}

	chain refuse {{
		meta l4proto tcp reject with tcp reset
		reject with icmpx admin-prohibited
	}}
",
            self.gated(),
            super::except::RULES,
            tell = tell(),
            quic = counts(Detector::Quic),
            dot = counts(Detector::Dot),
            doq = counts(Detector::Doq),
        );
    }

    /// What has to pass the gate: what the home sends out, and whatever else leaves for anywhere but the home and the networks that
    /// are left alone. An interface that nobody named, or whose name was written wrongly, is closed and not open, on either side.
    fn gated(&self) -> String {
        let (lan, strangers) = (interfaces(&self.lan), self.none_of_ours());
        let aside = interfaces(&self.lan.iter().chain(&self.others).cloned().collect::<Vec<_>>());
        format!(
            "\t\tiifname {lan} oifname != {lan} goto gate\n\t\tiifname != {strangers} oifname != {aside} goto gate\n"
        )
    }

    /// What is open by a name is open on these ports.
    fn by_name(&self, script: &mut String) {
        let rules = match &self.ports {
            agreements::Ports::Any => "\t\tcounter accept comment \"by name\"".to_owned(),
            agreements::Ports::These(ranges) => {
                let ports: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                let named = if ports.is_empty() {
                    String::new()
                } else {
                    format!(
                        "\t\tmeta l4proto . th dport {{ {} }} counter accept comment \"by name\"\n",
                        ports.join(", ")
                    )
                };
                format!(
                    "{named}\t\tmeta l4proto {{ icmp, ipv6-icmp }} counter accept comment \"by name\"\n\
                     \t\t{} goto refuse comment \"by name, on another port\"",
                    counts(Detector::OtherPort)
                )
            }
        };
        let _ = writeln!(script, "\n\tchain by_name {{\n{rules}\n\t}}");
    }

    /// The first listener of each family that packets from the home can be redirected to.
    fn ports(&self) -> [Ports; 2] {
        let of = |listeners: &[SocketAddr], four: bool| {
            let reachable = |a: &&SocketAddr| a.is_ipv4() == four && !a.ip().is_loopback();
            listeners.iter().find(reachable).map(SocketAddr::port)
        };
        [("ipv4", true), ("ipv6", false)].map(|(family, four)| Ports {
            family,
            dns: of(&self.dns, four),
            transparent: of(&self.transparent, four),
        })
    }
}

/// The sets of who may reach what, with what stays open.
fn sets(script: &mut String, kept: &[(Element, Duration)]) {
    script.push_str(
        "\t# Who may reach what, and until when: filled from the answers that each device was given.\n",
    );
    for (set, by, to) in [
        (MAC4, "ether_addr", "ipv4_addr"),
        (MAC6, "ether_addr", "ipv6_addr"),
        (ADDRESS4, "ipv4_addr", "ipv4_addr"),
        (ADDRESS6, "ipv6_addr", "ipv6_addr"),
        (UNREAD_MAC4, "ether_addr", "ipv4_addr"),
        (UNREAD_MAC6, "ether_addr", "ipv6_addr"),
        (UNREAD_ADDRESS4, "ipv4_addr", "ipv4_addr"),
        (UNREAD_ADDRESS6, "ipv6_addr", "ipv6_addr"),
    ] {
        let _ = writeln!(script, "\tset {set} {{\n\t\ttype {by} . {to}\n\t\tsize {MOST}\n\t\tflags timeout");
        let elements: Vec<String> = kept
            .iter()
            .map(|(element, left)| (element.written(), left))
            .filter(|((of, _), left)| *of == set && !left.is_zero())
            .map(|((_, written), left)| format!("{written} timeout {}ms", left.as_millis().max(1)))
            .collect();
        if !elements.is_empty() {
            let _ = writeln!(script, "\t\telements = {{ {} }}", elements.join(", "));
        }
        script.push_str("\t}\n");
    }
}

/// The set that says whether the gateway lives, for each family.
fn alive(script: &mut String, left: Duration) {
    let _ = writeln!(
        script,
        "\n\t# Whether there is somebody who cuts what flows: said anew every few seconds.\n\tset {ALIVE} {{\n\t\ttype nf_proto\n\t\tflags timeout"
    );
    if !left.is_zero() {
        let left = left.as_millis().max(1);
        let _ = writeln!(script, "\t\telements = {{ ipv4 timeout {left}ms, ipv6 timeout {left}ms }}");
    }
    script.push_str("\t}\n");
}

/// The sets of what is told of.
fn told(script: &mut String) {
    script.push_str("\n\t# Who tells much: one device that tries every address takes nobody else's room.\n");
    for (set, by) in [
        ("tells", "ether_addr"),
        ("tells_else", "ether_addr"),
        ("tells4", "ipv4_addr"),
        ("tells6", "ipv6_addr"),
    ] {
        let _ = writeln!(
            script,
            "\tset {set} {{\n\t\ttype {by}\n\t\tsize {MOST_WHO_TELL}\n\t\tflags dynamic, timeout\n\t\ttimeout 1m\n\t}}"
        );
    }
    script.push_str("\n\t# What was told of a moment ago.\n");
    for (set, address) in [("told4", "ipv4_addr"), ("told6", "ipv6_addr")] {
        let _ = writeln!(
            script,
            "\tset {set} {{\n\t\ttype {address} . {address} . inet_proto . inet_service\n\t\tsize {MOST_TOLD}\n\t\tflags dynamic, timeout\n\t\ttimeout {TOLD_EVERY}\n\t}}"
        );
    }
}

/// The rules that tell of a packet: once for each device, address and port in a while, and of each device so many. Where packets
/// carry no hardware address (a tunnel of the home's own), a device is its address.
fn tell() -> String {
    let to = |ip: &str| format!("{ip} saddr . {ip} daddr . meta l4proto . th dport");
    let mut rules = String::new();
    for (ip, told, tells) in [("ip", "told4", "tells4"), ("ip6", "told6", "tells6")] {
        for (link, meter) in [
            ("", "@tells { ether saddr limit rate 5/second burst 40 packets }".to_owned()),
            (
                "meta iiftype != ether ",
                format!("@{tells} {{ {ip} saddr limit rate 5/second burst 40 packets }}"),
            ),
        ] {
            let to = to(ip);
            let _ = writeln!(
                rules,
                "\t\t{link}meta l4proto {{ tcp, udp }} {to} != @{told} update {meter} add @{told} {{ {to} }} log group {GROUP} snaplen {COPIED}"
            );
        }
    }
    let _ = writeln!(
        rules,
        "\t\tmeta l4proto != {{ tcp, udp }} update @tells_else {{ ether saddr limit rate 1/second burst 5 packets }} log group {GROUP} snaplen {COPIED}"
    );
    rules
}

/// A set of interfaces. Names were checked where they were read; quoted they can be nothing else.
fn interfaces(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{}\"", name.replace('"', ""))).collect();
    format!("{{ {} }}", quoted.join(", "))
}

/// Whether an address is one that the table can hold.
pub(super) fn is_holdable(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_loopback() && !address.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::sets::Device;

    fn plan() -> Plan {
        Plan {
            lan: vec!["br-lan".into(), "br-guest".into()],
            wan: vec!["eth0".into()],
            others: vec!["office".into()],
            dns: vec![
                "127.0.0.1:5353".parse().unwrap(),
                "0.0.0.0:53".parse().unwrap(),
                "[::]:5300".parse().unwrap(),
            ],
            transparent: vec!["0.0.0.0:3129".parse().unwrap()],
            ports: agreements::Ports::default(),
        }
    }

    #[test]
    fn each_family_goes_to_its_own_listeners() {
        let [four, six] = plan().ports();
        assert_eq!((four.dns, four.transparent), (Some(53), Some(3129)));
        assert_eq!(
            (six.dns, six.transparent),
            (Some(5300), None),
            "IPv6 without a listener is gated by address"
        );
    }

    #[test]
    fn what_leaves_for_the_internet_passes_the_gate_save_what_is_named_otherwise() {
        let script = plan().script(Stays::default(), None);
        assert!(script.contains(
            "iifname { \"br-lan\", \"br-guest\" } oifname != { \"br-lan\", \"br-guest\" } goto gate"
        ));
        // On either side: an interface that is called otherwise than was written leads nobody out.
        let aside = "{ \"br-lan\", \"br-guest\", \"office\" }";
        let closed = format!("iifname != {{ \"lo\", \"eth0\", \"office\" }} oifname != {aside} goto gate");
        assert!(script.contains(&closed), "{script}");
        // And its names and its web are the home's.
        assert!(
            script
                .contains("dstnat - 5; policy accept;\n\t\tiifname { \"lo\", \"eth0\", \"office\" } return")
        );
    }

    #[test]
    fn a_device_has_its_share_of_flows_where_the_kernel_counts_them() {
        let script = plan().script(Stays::default(), Some(2048));
        assert!(script.contains("add @flows { ether saddr ct count over 2048 } counter drop"), "{script}");
        assert!(!plan().script(Stays::default(), None).contains("ct count"));
    }

    #[test]
    fn every_device_tells_by_itself() {
        let script = plan().script(Stays::default(), None);
        let logs: Vec<&str> = script.lines().filter(|line| line.contains("log group")).collect();
        assert_eq!(logs.len(), 5, "{script}");
        assert!(logs.iter().all(|line| line.contains(" update @tells")), "{logs:#?}");
    }

    #[test]
    fn what_was_open_stays_open() {
        let device = Device::Mac([2, 0, 0, 0, 0, 0x11]);
        let kept = [
            (Element::open(device, "192.0.2.1".parse().unwrap()), Duration::from_secs(90)),
            (Element::open(device, "2001:db8::1".parse().unwrap()), Duration::from_millis(1)),
            (Element::open(device, "192.0.2.2".parse().unwrap()), Duration::ZERO),
        ];
        let script = plan().script(Stays { elements: &kept, ..Stays::default() }, None);
        assert!(script.contains("elements = { 02:00:00:00:00:11 . 192.0.2.1 timeout 90000ms }"), "{script}");
        assert!(script.contains("elements = { 02:00:00:00:00:11 . 2001:db8::1 timeout 1ms }"), "{script}");
        assert!(!script.contains("192.0.2.2"), "{script}");
    }

    #[test]
    fn what_flows_goes_on_for_as_long_as_somebody_said_last() {
        let script = plan().script(Stays::default(), None);
        assert!(script.contains("ct direction original meta nfproto @alive accept"), "{script}");
        assert!(
            !script.contains("ct direction original accept") && !script.contains("ipv4 timeout"),
            "{script}"
        );
        let stays = Stays { alive: Duration::from_millis(90_500), ..Stays::default() };
        let script = plan().script(stays, None);
        assert!(script.contains("{ ipv4 timeout 90500ms, ipv6 timeout 90500ms }"), "{script}");
    }

    #[test]
    fn no_name_of_an_interface_is_more_than_a_name() {
        assert_eq!(interfaces(&["a\" } accept".into()]), "{ \"a } accept\" }");
    }
}
