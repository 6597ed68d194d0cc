//! What the packet path hands to the recorder: borrowed, without allocation.

use crate::in_force::Current;
use agreements::{Detector, Evidence, Host, PersonId, Verdict};
use chrono::{DateTime, Utc};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// How the gateway knew whose device it was: the strength of the identification stands in every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identified {
    /// The device showed a token of its own.
    Token,
    /// By hardware address, through the kernel's neighbour table.
    Mac,
    /// By address.
    Ip,
    /// By the network it is on.
    Network,
    /// Somebody signed in on it with their own PIN, or staff let it in for them.
    SignIn,
    /// Not at all.
    Unknown,
}

/// What a device that nobody knows is told apart by, and remembered by while somebody is signed in on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Face {
    /// Its hardware address: all its addresses are one device.
    Mac([u8; 6]),
    /// Its address, where the hardware address is not seen.
    Address(IpAddr),
}

impl Face {
    /// What a device is counted by wherever each has its share: its hardware address, else its IPv4 address, else the /64 of its IPv6
    /// address. Of such addresses a device has as many as it likes (RFC 4291 §2.5.4, RFC 8981), and nobody's hardware address is
    /// seen beyond the home's own network.
    pub fn counted(self) -> Self {
        let Self::Address(address) = self else { return self };
        Self::Address(match address.to_canonical() {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }
}

impl std::fmt::Display for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mac([a, b, c, d, e, g]) => write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl std::str::FromStr for Face {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        let pairs: Option<Vec<u8>> = text
            .split([':', '-'])
            .map(|pair| u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2))
            .collect();
        pairs
            .and_then(|pairs| pairs.try_into().ok())
            .map(Self::Mac)
            .ok_or_else(|| format!("`{text}` is neither an address nor a hardware address"))
    }
}

/// One refusal, on its way from the packet path to the journal.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// What was in force, for the sentence and the line.
    pub current: &'a Arc<Current>,
    /// Whose device it was.
    pub who: PersonId,
    /// Which device, by its place in [`agreements::House::devices`].
    pub device: Option<u16>,
    /// How the gateway knew.
    pub identified: Identified,
    /// The device itself, where nobody knows whose it is.
    pub stranger: Option<Face>,
    /// The host or address that was asked for.
    pub host: Host<'a>,
    /// The decision.
    pub verdict: Verdict,
    /// What the gateway saw.
    pub evidence: Evidence,
    /// Which way around the gateway it was, where more than the host tells.
    pub detected: Option<Detector>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_counted_once_whatever_addresses_it_takes() {
        for (face, counted) in [
            ("02:00:00:00:00:99", "02:00:00:00:00:99"),
            ("192.168.4.9", "192.168.4.9"),
            ("2001:db8::9", "2001:db8::"),
            ("2001:db8:0:1:8000::9", "2001:db8:0:1::"),
            ("fe80::9", "fe80::"),
        ] {
            assert_eq!(face.parse::<Face>().unwrap().counted().to_string(), counted, "{face}");
        }
        let mapped = Face::Address("::ffff:192.168.4.9".parse().unwrap());
        assert_eq!(mapped.counted().to_string(), "192.168.4.9");
    }

    #[test]
    fn a_face_is_read_as_it_is_written() {
        for (text, written) in [
            ("02:00:00:00:00:99", Some("02:00:00:00:00:99")),
            ("02-00-00-00-00-AB", Some("02:00:00:00:00:ab")),
            ("192.168.4.9", Some("192.168.4.9")),
            ("::ffff:192.168.4.9", Some("192.168.4.9")),
            ("2001:db8::9", Some("2001:db8::9")),
            ("02:00:00:00:00", None),
            ("2:0:0:0:0:9", None),
            ("phone", None),
            ("", None),
        ] {
            let read = text.parse::<Face>().map(|face| face.to_string());
            assert_eq!(read.ok().as_deref(), written, "{text}");
        }
    }
}
