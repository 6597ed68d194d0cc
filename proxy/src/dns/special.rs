//! Names that no upstream is asked about: the gateway's own, those that standards keep local, and off switches.

use super::wire::rtype;
use blocklists::Name;
use blocklists::builtin::{OffSwitch, off_switch};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is said without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Local {
    /// This address.
    Address(IpAddr),
    /// The gateway's own addresses, of the family that was asked for.
    Ourselves,
    /// There is no such name.
    NoSuchName,
    /// The name exists and has nothing of the kind.
    NoData,
    /// A vendor's off switch: judged too, since a device that asks tells what it would do by itself.
    Off(OffSwitch),
    /// It goes to an upstream without being judged: it names no host that anybody could visit.
    Unjudged,
}

/// Top-level names that standards keep off the internet's DNS: nothing below them is asked about.
///
/// `invalid`: RFC 6761 §6.4. `local`: RFC 6762 §22.1, its names are asked on the link. `onion`: RFC 7686 §2. `internal`: kept
/// for private use by ICANN in 2024. `alt`: RFC 9476 §2. `test` stays out (RFC 6761 §6.2 would have it here): people who
/// test have servers for it.
const KEPT_LOCAL: [&str; 5] = ["invalid", "local", "onion", "internal", "alt"];

/// What is said of a name here, if anything.
pub(crate) fn local(name: Name<'_>, qtype: u16, own: Name<'_>) -> Option<Local> {
    if name == own {
        return Some(match qtype {
            rtype::A | rtype::AAAA => Local::Ourselves,
            _ => Local::NoData,
        });
    }
    if let Some(switch) = off_switch(name.as_str()) {
        return Some(Local::Off(switch));
    }
    let last = name.as_str().rsplit('.').next().unwrap_or_default();
    match last {
        "localhost" => Some(localhost(qtype)),
        "arpa" => arpa(name.as_str()),
        _ if KEPT_LOCAL.contains(&last) => Some(Local::NoSuchName),
        // A name of one label is a word that somebody typed, or a search for a proxy (`wpad`): neither is the internet's.
        "" => Some(Local::Unjudged),
        _ if name.as_str() == last && matches!(qtype, rtype::A | rtype::AAAA | rtype::HTTPS) => {
            Some(Local::NoSuchName)
        }
        _ if name.as_str() == last => Some(Local::Unjudged),
        _ => None,
    }
}

/// Whether a name is none that could be connected to on the internet.
pub(crate) fn is_local(name: Name<'_>) -> bool {
    let nobody = Name::trusted("");
    local(name, rtype::A, nobody).is_some_and(|local| local != Local::Unjudged)
}

fn localhost(qtype: u16) -> Local {
    match qtype {
        rtype::A => Local::Address(Ipv4Addr::LOCALHOST.into()),
        rtype::AAAA => Local::Address(Ipv6Addr::LOCALHOST.into()),
        _ => Local::NoData,
    }
}

fn arpa(name: &str) -> Option<Local> {
    let below =
        |zone: &str| name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if below("resolver.arpa") {
        // The name exists and no encrypted resolver is designated.
        return Some(Local::NoData);
    }
    if below("home.arpa") {
        // The zone itself exists (RFC 8375 §4), its names are ours to give, and we have one.
        return Some(if name == "home.arpa" { Local::NoData } else { Local::NoSuchName });
    }
    match reversed(name) {
        Some(address) if super::rebinding::is_inside(address) => Some(Local::NoSuchName),
        // A reverse lookup shows who is behind an address that is known already.
        _ if below("in-addr.arpa") || below("ip6.arpa") => Some(Local::Unjudged),
        _ => None,
    }
}

/// The address, or the first of the range, that a reverse name stands for (RFC 1035 §3.5, RFC 3596 §2.5).
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        let mut address = [0u8; 4];
        for (byte, text) in address.iter_mut().zip(octets.rsplit('.')) {
            *byte = text.parse().ok()?;
        }
        return Some(Ipv4Addr::from(address).into());
    }
    let nibbles = name.strip_suffix(".ip6.arpa")?;
    let mut bits = 0u128;
    let mut count = 0;
    for nibble in nibbles.rsplit('.').take(32) {
        bits = bits << 4 | u128::from(u8::from_str_radix(nibble, 16).ok().filter(|n| *n < 16)?);
        count += 4;
    }
    // A short name is a zone: `d.f.ip6.arpa` stands for all of fd00::/8. The root of the tree stands for nothing.
    (count >= 8).then(|| Ipv6Addr::from_bits(bits << (128 - count)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverse_names() {
        let cases = [
            ("1.1.168.192.in-addr.arpa", Some("192.168.1.1")),
            ("168.192.in-addr.arpa", Some("192.168.0.0")),
            ("b._dns-sd._udp.0.1.168.192.in-addr.arpa", Some("192.168.1.0")),
            ("999.in-addr.arpa", None),
            ("d.f.ip6.arpa", Some("fd00::")),
            ("8.e.f.ip6.arpa", Some("fe80::")),
            ("f.ip6.arpa", None),
            ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", Some("::1")),
            ("xy.ip6.arpa", None),
        ];
        for (name, address) in cases {
            assert_eq!(reversed(name), address.map(|a| a.parse().unwrap()), "{name}");
        }
    }
}
