//! What a query says in its OPT record (RFC 6891).

use super::wire::{Record, WireName, rtype, u16_at};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// No answer over UDP is larger, whatever a client says it takes (DNS flag day 2020).
pub(crate) const MOST_UDP: u16 = 1232;
/// What a client without EDNS takes over UDP (RFC 1035 §4.2.1), and the least that one with EDNS can say.
pub(crate) const LEAST_UDP: u16 = 512;

/// EDNS Client Subnet (RFC 7871).
const SUBNET: u16 = 8;
/// dnsmasq's `--add-mac`: the client's hardware address, in the range for local use.
const HARDWARE: u16 = 65_001;

/// What a query's OPT record says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edns {
    /// How much the client takes over UDP, at least [`LEAST_UDP`].
    pub(crate) size: u16,
    /// The version; only 0 exists.
    pub(crate) version: u8,
    /// Whether DNSSEC records are wanted.
    pub(crate) dnssec: bool,
    /// The one client address that a forwarder names. Only a trusted forwarder is believed.
    pub(crate) client: Option<IpAddr>,
    /// The client's hardware address, likewise.
    pub(crate) hardware: Option<[u8; 6]>,
}

impl Edns {
    /// Reads an OPT record. `None`: it is malformed.
    pub(crate) fn read(message: &[u8], record: &Record) -> Option<Self> {
        if record.rtype != rtype::OPT || record.owner != WireName::ROOT {
            return None;
        }
        let [_, version, flags, _] = record.ttl.to_be_bytes();
        let mut edns = Self {
            size: record.class.max(LEAST_UDP),
            version,
            dnssec: flags & 0x80 != 0,
            client: None,
            hardware: None,
        };
        let mut at = record.data;
        while at < record.end {
            let (code, length) = (u16_at(message, at)?, usize::from(u16_at(message, at + 2)?));
            let data = message.get(at + 4..at + 4 + length).filter(|_| at + 4 + length <= record.end)?;
            match code {
                SUBNET => edns.client = one_address(data)?,
                HARDWARE => edns.hardware = data.try_into().ok(),
                // Cookies, padding, keepalive and the unknown are ignored (RFC 6891 §6.1.2).
                _ => {}
            }
            at += 4 + length;
        }
        Some(edns)
    }
}

/// The address of a client subnet option, if it is one whole address. The outer `None`: malformed (RFC 7871 §7.1.1).
#[expect(clippy::option_option, reason = "malformed, or well formed and no whole address")]
fn one_address(data: &[u8]) -> Option<Option<IpAddr>> {
    let (family, source, address) = (u16_at(data, 0)?, *data.get(2)?, data.get(4..)?);
    if address.len() != usize::from(source).div_ceil(8) {
        return None;
    }
    match family {
        1 if source > 32 => None,
        2 if source > 128 => None,
        1 => {
            Some(<[u8; 4]>::try_from(address).ok().filter(|_| source == 32).map(|a| Ipv4Addr::from(a).into()))
        }
        2 => Some(
            <[u8; 16]>::try_from(address).ok().filter(|_| source == 128).map(|a| Ipv6Addr::from(a).into()),
        ),
        _ => Some(None),
    }
}
