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
    /// Where encrypted DNS is to be had.
    Designated,
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
    let below = name.as_str().strip_suffix(own.as_str()).and_then(|rest| rest.strip_suffix('.'));
    if let Some(labels) = below.filter(|_| !own.as_str().is_empty()) {
        // A token stands before the name where a device shows it as a TLS server name: the device looks it up first
        // (Android's Private DNS). Whether it is anybody's is not told.
        return Some(match qtype {
            rtype::A | rtype::AAAA if !labels.contains('.') => Local::Ourselves,
            _ => Local::NoData,
        });
    }
    other(name, qtype)
}

/// Whether a question asks where encrypted DNS is to be had: of whatever resolver it is (RFC 9462 §4), or of ours by its
/// name (§5).
pub(crate) fn asks_for_encrypted(name: Name<'_>, qtype: u16, own: Name<'_>) -> bool {
    let of = name.as_str().strip_prefix("_dns.");
    qtype == rtype::SVCB && of.is_some_and(|of| of == "resolver.arpa" || of == own.as_str())
}

/// Whether a browser looks for a proxy's script by itself, inside a home.
pub(crate) fn looks_for_proxy(name: Name<'_>, qtype: u16) -> bool {
    ["wpad", "wpad.home.arpa"].contains(&name.as_str()) && matches!(qtype, rtype::A | rtype::AAAA)
}

fn other(name: Name<'_>, qtype: u16) -> Option<Local> {
    if let Some(switch) = off_switch(name.as_str()) {
        return Some(Local::Off(switch));
    }
    let last = name.as_str().rsplit('.').next().unwrap_or_default();
    match last {
        "localhost" => Some(localhost(qtype)),
        "arpa" => arpa(name.as_str(), qtype),
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

/// Whether a name is a zone or stands below it.
fn is_below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether a name stands in the trees of reverse names (RFC 1035 §3.5, RFC 3596 §2.5).
pub(crate) fn is_reverse(name: Name<'_>) -> bool {
    is_below(name.as_str(), "in-addr.arpa") || is_below(name.as_str(), "ip6.arpa")
}

fn arpa(name: &str, qtype: u16) -> Option<Local> {
    let below = |zone| is_below(name, zone);
    if below("resolver.arpa") {
        // The names exist and hold nothing else; nobody further up is asked (RFC 9462 §6.4).
        return Some(Local::NoData);
    }
    if below("home.arpa") {
        // The zone itself exists (RFC 8375 §4), its names are ours to give, and we have one.
        return Some(if name == "home.arpa" { Local::NoData } else { Local::NoSuchName });
    }
    match reversed(name) {
        Some(address) if super::rebinding::is_inside(address) => Some(Local::NoSuchName),
        // A reverse lookup shows who is behind an address that is known already. Anything else below there could lead
        // anywhere and carry anything: whoever holds a few addresses holds a zone.
        _ if qtype == rtype::PTR && is_whole(name) => Some(Local::Unjudged),
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

/// Whether a reverse name stands for one address: four octets or 32 nibbles, as software writes them and not otherwise.
fn is_whole(name: &str) -> bool {
    let octet = |text: &str| text.parse::<u8>().is_ok_and(|number| number.to_string() == text);
    let nibble = |text: &str| text.len() == 1 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        return octets.split('.').count() == 4 && octets.split('.').all(octet);
    }
    let nibbles = name.strip_suffix(".ip6.arpa");
    nibbles.is_some_and(|nibbles| nibbles.split('.').count() == 32 && nibbles.split('.').all(nibble))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_reverse_names_are_unjudged() {
        let whole = format!("{}ip6.arpa", "2.".repeat(32));
        for (name, qtype, unjudged) in [
            ("1.2.0.192.in-addr.arpa", rtype::PTR, true),
            (whole.as_str(), rtype::PTR, true),
            ("1.2.0.192.in-addr.arpa", rtype::A, false),
            ("1.2.0.192.in-addr.arpa", rtype::CNAME, false),
            ("01.2.0.192.in-addr.arpa", rtype::PTR, false),
            ("2.0.192.in-addr.arpa", rtype::PTR, false),
            ("x.1.2.0.192.in-addr.arpa", rtype::PTR, false),
            ("1.2.0.192.ip6.arpa", rtype::PTR, false),
            (&whole[2..], rtype::PTR, false),
            (&format!("x.{whole}"), rtype::PTR, false),
            (&whole.replacen('2', "22", 1), rtype::PTR, false),
            ("in-addr.arpa", rtype::PTR, false),
        ] {
            let said = local(Name::trusted(name), qtype, Name::trusted("gateway.test"));
            assert_eq!(said, unjudged.then_some(Local::Unjudged), "{name}");
        }
    }

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
