//! Answers from outside that point inside: DNS rebinding.
//!
//! A page in a browser may talk to whatever its own name resolves to. If a stranger's name could resolve to the router
//! or to the printer, the stranger's page could talk to them.

use agreements::holds;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether any address is inside the home, or this gateway's own (a router's own address on the internet leads to its own
/// pages), and not in a range that the home allows.
pub(crate) fn points_inside<'a>(
    mut addresses: impl Iterator<Item = &'a IpAddr>,
    allowed: &[(IpAddr, u8)],
    is_own: impl Fn(IpAddr) -> bool,
) -> bool {
    let allows = |address: IpAddr| allowed.iter().any(|&(network, length)| holds(network, length, address));
    addresses.any(|&address| {
        let inner = embedded(address);
        !allows(inner) && !allows(address) && (is_inside(inner) || is_own(inner))
    })
}

/// Whether an address belongs to no one on the internet but to somebody here: special-purpose ranges of RFC 6890.
pub(crate) fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => inside_v4(v4),
        IpAddr::V6(v6) => inside_v6(v6),
    }
}

fn inside_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let this_network = a == 0;
    this_network
        || shared
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
}

fn inside_v6(address: Ipv6Addr) -> bool {
    // Site-local addresses are deprecated (RFC 3879) and some systems still route them.
    let site_local = address.segments()[0] & 0xFFC0 == 0xFEC0;
    site_local
        || address.is_unspecified()
        || address.is_loopback()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
}

/// The IPv4 address that an IPv6 address carries, where the network would take it out again: mapped and compatible
/// (RFC 4291 §2.5.5), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056). Else the address itself.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let s = v6.segments();
    let last = Ipv4Addr::from_bits(u32::from(s[6]) << 16 | u32::from(s[7]));
    let sixth = Ipv4Addr::from_bits(u32::from(s[1]) << 16 | u32::from(s[2]));
    match s {
        [0, 0, 0, 0, 0, 0xFFFF | 0, ..] if !v6.is_unspecified() && !v6.is_loopback() => last.into(),
        [0x64, 0xFF9B, 0, 0, 0, 0, ..] | [0x64, 0xFF9B, 1, ..] => last.into(),
        [0x2002, ..] => sixth.into(),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let cases: &[(&str, bool)] = &[
            ("10.0.0.1", true),
            ("172.16.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("127.0.0.1", true),
            ("127.255.255.254", true),
            ("0.0.0.0", true),
            ("0.1.2.3", true),
            ("169.254.169.254", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("224.0.0.251", true),
            ("255.255.255.255", true),
            ("192.0.2.1", false),
            ("8.8.8.8", false),
            ("::", true),
            ("::1", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("fd00::1", true),
            ("ff02::fb", true),
            ("2001:db8::1", false),
            ("::ffff:192.168.1.1", true),
            ("::ffff:8.8.8.8", false),
            ("::192.168.1.1", true),
            ("64:ff9b::192.168.1.1", true),
            ("64:ff9b::8.8.8.8", false),
            ("64:ff9b:1::127.0.0.1", true),
            ("2002:7f00:1::1", true),
            ("2002:c0a8:101::", true),
            ("2002:808:808::1", false),
        ];
        for (address, inside) in cases {
            let parsed = [address.parse().unwrap()];
            assert_eq!(points_inside(parsed.iter(), &[], |_| false), *inside, "{address}");
        }
        assert_eq!(cases.len(), 31);
    }

    #[test]
    fn what_the_home_allows() {
        let allowed: [(IpAddr, u8); 2] =
            [("192.168.4.0".parse().unwrap(), 24), ("fd00:4::".parse().unwrap(), 64)];
        for (address, inside) in [
            ("192.168.4.9", false),
            ("192.168.5.9", true),
            ("fd00:4::9", false),
            ("fd00:5::9", true),
            ("::ffff:192.168.4.9", false),
            ("64:ff9b::192.168.5.9", true),
        ] {
            let parsed = [address.parse().unwrap()];
            assert_eq!(points_inside(parsed.iter(), &allowed, |_| false), inside, "{address}");
        }
    }

    #[test]
    fn what_is_the_gateways_own() {
        let own: IpAddr = "8.8.4.4".parse().unwrap();
        let points = |address: &str, allowed: &[(IpAddr, u8)]| {
            points_inside([address.parse().unwrap()].iter(), allowed, |address| address == own)
        };
        assert!(points("8.8.4.4", &[]) && points("::ffff:8.8.4.4", &[]) && !points("8.8.8.8", &[]));
        assert!(!points("8.8.4.4", &[(own, 32)]), "a home may open its own address");
    }
}
