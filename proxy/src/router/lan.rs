//! Which addresses are the home's: whose packets come in by its interfaces, as the kernel's table of routes has it.
//!
//! The kernel's table of flows does not say by which interface somebody came. A router carries what is no affair of ours as
//! well (another network, a VPN of its own), and that is left alone.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The routes that lead to the home, and all others, longest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lan {
    routes: Vec<Route>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    to: IpAddr,
    length: u8,
    home: bool,
}

impl Lan {
    /// The home's interfaces, as the routes are now.
    pub(super) fn now(names: &[String]) -> Self {
        // Where a family is switched off its table is not there.
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        Self::read(names, &read("/proc/thread-self/net/route"), &read("/proc/thread-self/net/ipv6_route"))
    }

    fn read(names: &[String], four: &str, six: &str) -> Self {
        let is_home = |name: &str| names.iter().any(|known| known == name);
        let of_four = four.lines().skip(1).filter_map(|line| route4(line, is_home));
        let of_six = six.lines().filter_map(|line| route6(line, is_home));
        let mut routes: Vec<Route> = of_four.chain(of_six).collect();
        routes.sort_by_key(|route| std::cmp::Reverse(route.length));
        Self { routes }
    }

    /// Whether packets from an address come in by the home's interfaces.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.routes.iter().find(|route| route.leads_to(address)).is_some_and(|route| route.home)
    }
}

impl Route {
    fn leads_to(&self, address: IpAddr) -> bool {
        match (self.to, address) {
            (IpAddr::V4(to), IpAddr::V4(address)) => {
                same(to.to_bits().into(), address.to_bits().into(), 32 - u32::from(self.length.min(32)))
            }
            (IpAddr::V6(to), IpAddr::V6(address)) => {
                same(to.to_bits(), address.to_bits(), 128 - u32::from(self.length.min(128)))
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

fn same(one: u128, other: u128, below: u32) -> bool {
    (one ^ other).checked_shr(below).unwrap_or(0) == 0
}

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`: addresses in hex, in the machine's own order.
fn route4(line: &str, is_home: impl Fn(&str) -> bool) -> Option<Route> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let address = |cell: &str| Some(u32::from_str_radix(cell, 16).ok()?.to_ne_bytes());
    let to = Ipv4Addr::from(address(cells.get(1)?)?);
    let mask = u32::from_be_bytes(address(cells.get(7)?)?);
    Some(Route { to: to.into(), length: mask.leading_ones() as u8, home: is_home(cells.first()?) })
}

/// `destination length source length next-hop metric … device`: addresses in hex as they are on the wire.
fn route6(line: &str, is_home: impl Fn(&str) -> bool) -> Option<Route> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let to = Ipv6Addr::from(u128::from_str_radix(cells.first()?, 16).ok()?);
    let length = u8::from_str_radix(cells.get(1)?, 16).ok()?;
    let device = cells.last()?;
    // The machine's own addresses, and what is to be refused, stand in this table as well: nobody is behind them.
    (*device != "lo").then(|| Route { to: to.into(), length, home: is_home(device) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        wan\t00000000\t0100000B\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        wan\t0000000B\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
        wg0\t0000080A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
        br-lan\t0004A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
        br-lan\t0009A8C0\t0204A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
    const SIX: &str = "\
        2d000077000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001   br-lan\n\
        2d000077000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000003 00000000 80200001       lo\n\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 2d000001000000000000000000000001 00000400 00000001 00000000 00000003      wan\n";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_longest_route_says_whose_an_address_is() {
        let lan = Lan::read(&["br-lan".to_owned()], FOUR, SIX);
        for (address, home) in [
            ("192.168.4.11", true),
            ("::ffff:192.168.4.11", true),
            ("192.168.9.20", true),
            ("192.168.5.11", false),
            ("10.8.0.2", false),
            ("11.0.0.9", false),
            ("198.51.100.7", false),
            ("2d00:77::11", true),
            ("2d00:78::11", false),
        ] {
            assert_eq!(lan.has(address.parse().unwrap()), home, "{address}");
        }
        assert!(!Lan::read(&[], "", "").has("192.168.4.11".parse().unwrap()));
        assert!(!Lan::read(&[], "x\ny z\n", "zz\n0 0\n").has("2d00:77::11".parse().unwrap()));
    }
}
