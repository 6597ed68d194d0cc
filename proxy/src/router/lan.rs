//! Which addresses are the home's: whose packets come in by its interfaces, as the kernel's table of routes has it.
//!
//! The kernel's table of flows does not say by which interface somebody came. A router carries what is no affair of ours as
//! well (another network, a VPN of its own), and that is left alone where it is named. An interface that nobody named is the
//! home's: one that was renamed, or a cable in a wrong port, takes no device out of what holds it.

use super::rules::Plan;
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
    /// The router that stands in between.
    via: Option<IpAddr>,
}

impl Lan {
    /// The home's addresses, as the routes are now.
    pub(super) fn now(plan: &Plan) -> Self {
        // Where a family is switched off its table is not there.
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        Self::read(plan, &read("/proc/thread-self/net/route"), &read("/proc/thread-self/net/ipv6_route"))
    }

    fn read(plan: &Plan, four: &str, six: &str) -> Self {
        let of_four = four.lines().skip(1).filter_map(|line| route4(line, plan));
        let of_six = six.lines().filter_map(|line| route6(line, plan));
        let mut routes: Vec<Route> = of_four.chain(of_six).collect();
        routes.sort_by_key(|route| std::cmp::Reverse(route.length));
        Self { routes }
    }

    /// Whether packets from an address come in by the home's interfaces.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.route(address).is_some_and(|route| route.home)
    }

    /// The home's other router that stands between us and an address, if one does: packets from there carry its hardware
    /// address.
    pub(super) fn router_to(&self, address: IpAddr) -> Option<IpAddr> {
        self.route(address).filter(|route| route.home)?.via
    }

    fn route(&self, address: IpAddr) -> Option<&Route> {
        let address = address.to_canonical();
        self.routes.iter().find(|route| route.leads_to(address))
    }
}

/// Whether what comes in by an interface is the home's. By the way to the whole internet only what is named comes: that this
/// interface has another name than was written makes nobody out there the home's.
fn is_home(name: &str, length: u8, plan: &Plan) -> bool {
    let is_among = |names: &[String]| names.iter().any(|known| known == name);
    is_among(&plan.lan) || length > 0 && name != "lo" && !is_among(&plan.wan) && !is_among(&plan.others)
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
fn route4(line: &str, plan: &Plan) -> Option<Route> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let address = |cell: &str| Some(u32::from_str_radix(cell, 16).ok()?.to_ne_bytes());
    let to = Ipv4Addr::from(address(cells.get(1)?)?);
    let length = u32::from_be_bytes(address(cells.get(7)?)?).leading_ones() as u8;
    let via = Some(Ipv4Addr::from(address(cells.get(2)?)?)).filter(|via| !via.is_unspecified());
    let home = is_home(cells.first()?, length, plan);
    Some(Route { to: to.into(), length, home, via: via.map(IpAddr::V4) })
}

/// `destination length source length next-hop metric … device`: addresses in hex as they are on the wire.
fn route6(line: &str, plan: &Plan) -> Option<Route> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let address = |cell: &str| Some(Ipv6Addr::from(u128::from_str_radix(cell, 16).ok()?));
    let to = address(cells.first()?)?;
    let length = u8::from_str_radix(cells.get(1)?, 16).ok()?;
    let via = address(cells.get(4)?).filter(|via| !via.is_unspecified()).map(IpAddr::V6);
    let device = cells.last()?;
    // The machine's own addresses, and what is to be refused, stand in this table as well: nobody is behind them.
    let home = is_home(device, length, plan);
    (*device != "lo").then(|| Route { to: to.into(), length, home, via })
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

    fn plan(lan: &[&str]) -> Plan {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Plan { lan: names(lan), wan: names(&["wan"]), others: names(&["wg0"]), ..Plan::default() }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_longest_route_says_whose_an_address_is() {
        // What it is called now was never written, and it is the home's all the same.
        for lan in [&["br-lan"][..], &["br-old"]] {
            let lan = Lan::read(&plan(lan), FOUR, SIX);
            for (address, home, via) in [
                ("192.168.4.11", true, None),
                ("::ffff:192.168.4.11", true, None),
                ("192.168.9.20", true, Some("192.168.4.2")),
                ("192.168.5.11", false, None),
                ("10.8.0.2", false, None),
                ("11.0.0.9", false, None),
                ("198.51.100.7", false, None),
                ("2d00:77::11", true, None),
                ("2d00:78::11", false, None),
            ] {
                let (address, via): (IpAddr, _) =
                    (address.parse().unwrap(), via.map(|via| via.parse().unwrap()));
                assert_eq!((lan.has(address), lan.router_to(address)), (home, via), "{address}");
            }
        }
        let nowhere: IpAddr = "192.168.4.11".parse().unwrap();
        let lan = Lan::read(&plan(&[]), "", "");
        assert!(!lan.has(nowhere) && lan.router_to(nowhere).is_none());
        let six: IpAddr = "2d00:77::11".parse().unwrap();
        assert!(!Lan::read(&plan(&[]), "x\ny z\n", "zz\n0 0\n").has(six));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_way_to_the_internet_is_nobodys_home_by_whatever_name() {
        let plan = Plan { wan: vec!["eth9".to_owned()], ..plan(&["br-lan"]) };
        let lan = Lan::read(&plan, FOUR, SIX);
        for (address, home) in [("198.51.100.7", false), ("2d00:78::11", false), ("192.168.4.11", true)] {
            assert_eq!(lan.has(address.parse().unwrap()), home, "{address}");
        }
    }
}
