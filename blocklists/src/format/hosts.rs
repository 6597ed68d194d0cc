//! Hosts files: `0.0.0.0 name [name…]` (hosts(5)). A line means that host alone.

use super::entry::{Reach, Reason};
use super::out::{Out, is_address};
use super::{Reader, without_comment};

/// Names that hosts files give to the machine itself: no sites, and nothing to report.
const OWN_NAMES: &[&str] = &[
    "localhost",
    "localhost.localdomain",
    "local",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-allhosts",
    "localhost6",
    "localhost6.localdomain6",
    "localhost4",
    "localhost4.localdomain4",
];

pub(super) struct Hosts;

impl Reader for Hosts {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let mut words = without_comment(line, '#').split_ascii_whitespace();
        let Some(address) = words.next() else { return };
        if !is_address(address.split('%').next().unwrap_or(address)) {
            return out.skip(Reason::Syntax, line);
        }
        let mut named = false;
        for host in words {
            named = true;
            // `0.0.0.0 0.0.0.0` stands in many lists: an address is no name and no mistake.
            if !OWN_NAMES.contains(&host) && !is_address(host) {
                out.list(host, Reach::Here);
            }
        }
        if !named {
            out.skip(Reason::Syntax, line);
        }
    }
}

pub(super) fn smells(line: &str) -> bool {
    let mut words = without_comment(line, '#').split_ascii_whitespace();
    words.next().is_some_and(is_address) && words.next().is_some()
}
