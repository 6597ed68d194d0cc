//! On which ports an address that a name led to is open at the router.
//!
//! An address can be anybody's, and so can a name: whoever has a server at home and a name for it has an address that is opened.
//! What a VPN needs there is a port, and these are those that the web, mail, calls and what devices do by themselves need.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Over what a port is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Transport {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Ports, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortRange {
    /// Over what.
    pub transport: Transport,
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// On which ports an opened address is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ports {
    /// On every port.
    Any,
    /// On these, sorted and apart from each other.
    These(Vec<PortRange>),
}

use Transport::{Tcp, Udp};

/// A word for ports, and which they are.
type Word = (&'static str, &'static [(Transport, u16, u16)]);

/// The words, with whose documents say so (2026-11-22). UDP 443 is refused in any case, so that the web comes over TCP.
const WORDS: [Word; 5] = [
    // Cloudflare, "Network ports": those that carriers of many sites take.
    (
        "web",
        &[
            (Tcp, 80, 80),
            (Tcp, 443, 443),
            (Tcp, 2052, 2053),
            (Tcp, 2082, 2083),
            (Tcp, 2086, 2087),
            (Tcp, 2095, 2096),
            (Tcp, 8080, 8080),
            (Tcp, 8443, 8443),
            (Tcp, 8880, 8880),
        ],
    ),
    // RFC 8314 §3 and the ports before it.
    (
        "mail",
        &[
            (Tcp, 110, 110),
            (Tcp, 143, 143),
            (Tcp, 465, 465),
            (Tcp, 587, 587),
            (Tcp, 993, 993),
            (Tcp, 995, 995),
        ],
    ),
    // Apple, "TCP and UDP ports used by Apple software" (5223); Google, "FCM ports" (5228 to 5230); XMPP clients (RFC 6120 §14.7);
    // NTP.
    ("devices", &[(Tcp, 5222, 5223), (Tcp, 5228, 5230), (Udp, 123, 123)]),
    // STUN and TURN (RFC 8489 §18.6, RFC 8656 §6); Apple FaceTime 3478 to 3497, 16384 to 16387 and 16393 to 16402; Microsoft Teams
    // 3478 to 3481; Google Meet 19302 to 19309; Zoom 8801 to 8810.
    (
        "calls",
        &[
            (Tcp, 3478, 3481),
            (Udp, 3478, 3497),
            (Tcp, 5349, 5349),
            (Udp, 5349, 5349),
            (Tcp, 8801, 8802),
            (Udp, 8801, 8810),
            (Udp, 16_384, 16_387),
            (Udp, 16_393, 16_402),
            (Udp, 19_302, 19_309),
        ],
    ),
    // Microsoft, "Network ports used by Xbox"; PlayStation, "Ports"; Valve, "Required ports for Steam"; Minecraft; Roblox ("UDP 49152 to
    // 65535"), Discord's voice among them: so wide that a VPN finds room there.
    (
        "games",
        &[
            (Tcp, 1935, 1935),
            (Tcp, 3074, 3074),
            (Udp, 88, 88),
            (Udp, 3074, 3074),
            (Udp, 4379, 4380),
            (Udp, 19_132, 19_133),
            (Tcp, 25_565, 25_565),
            (Tcp, 27_015, 27_050),
            (Udp, 27_000, 27_100),
            (Udp, 49_152, 65_535),
        ],
    ),
];

/// What holds where the file is silent.
const USUAL: [&str; 4] = ["web", "mail", "devices", "calls"];

impl Default for Ports {
    fn default() -> Self {
        Self::These(sorted(USUAL.iter().flat_map(|word| of(word).unwrap_or_default()).collect()))
    }
}

impl Ports {
    /// The words that stand for ports, `any` included.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(word, _)| *word).chain(["any"])
    }

    /// Reads words (`web`), ports (`5000`, which is both) and ranges of one transport (`udp 27000-27100`); the place of the first
    /// that is none of these.
    pub fn read<'t>(written: impl IntoIterator<Item = &'t str>) -> Result<Self, usize> {
        let mut ranges = Vec::new();
        for (place, one) in written.into_iter().enumerate() {
            if one == "any" {
                return Ok(Self::Any);
            }
            ranges.extend(of(one).or_else(|| range(one)).ok_or(place)?);
        }
        Ok(Self::These(sorted(ranges)))
    }

    /// Whether it is open on a port.
    pub fn has(&self, transport: Transport, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::These(ranges) => {
                ranges.iter().any(|r| r.transport == transport && (r.first..=r.last).contains(&port))
            }
        }
    }
}

impl fmt::Display for PortRange {
    /// As a rule of the router has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Tcp => "tcp",
            Udp => "udp",
        };
        match self.last - self.first {
            0 => write!(f, "{transport} . {}", self.first),
            _ => write!(f, "{transport} . {}-{}", self.first, self.last),
        }
    }
}

fn of(word: &str) -> Option<Vec<PortRange>> {
    let (_, ranges) = WORDS.iter().find(|(known, _)| *known == word)?;
    Some(ranges.iter().map(|&(transport, first, last)| PortRange { transport, first, last }).collect())
}

fn range(written: &str) -> Option<Vec<PortRange>> {
    let (transports, ports): (&[Transport], &str) = match written.split_once(' ') {
        Some(("tcp", ports)) => (&[Tcp], ports),
        Some(("udp", ports)) => (&[Udp], ports),
        Some(_) => return None,
        None => (&[Tcp, Udp], written),
    };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let port = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (first, last): (u16, u16) = (port(first)?, port(last)?);
    let one = |transport: &Transport| PortRange { transport: *transport, first, last };
    (first > 0 && first <= last).then(|| transports.iter().map(one).collect())
}

/// Sorted, with what overlaps or touches made one.
fn sorted(mut ranges: Vec<PortRange>) -> Vec<PortRange> {
    ranges.sort_unstable();
    let mut apart: Vec<PortRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(before)
                if before.transport == range.transport && range.first <= before.last.saturating_add(1) =>
            {
                before.last = before.last.max(range.last);
            }
            Some(_) | None => apart.push(range),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_read() {
        for (written, open, closed) in [
            (&["web"][..], &[(Tcp, 443), (Tcp, 8443)][..], &[(Udp, 443), (Tcp, 22), (Udp, 51_820)][..]),
            (&["web", "5000"], &[(Tcp, 5000), (Udp, 5000), (Tcp, 80)], &[(Tcp, 5001)]),
            (
                &["udp 27000-27100"],
                &[(Udp, 27_000), (Udp, 27_100)],
                &[(Tcp, 27_000), (Udp, 27_101), (Tcp, 80)],
            ),
            (&["games"], &[(Udp, 65_535), (Tcp, 25_565)], &[(Tcp, 443), (Udp, 1194)]),
            (&["web", "any"], &[(Udp, 51_820), (Tcp, 1)], &[]),
            (&[], &[], &[(Tcp, 443)]),
        ] {
            let ports = Ports::read(written.iter().copied()).unwrap();
            assert!(open.iter().all(|&(transport, port)| ports.has(transport, port)), "{written:?}");
            assert!(!closed.iter().any(|&(transport, port)| ports.has(transport, port)), "{written:?}");
        }
        for (wrong, place) in [
            (&["web", "gaems"][..], 1),
            (&["0"], 0),
            (&["70000"], 0),
            (&["udp 9-8"], 0),
            (&["sctp 9"], 0),
            (&[""], 0),
        ] {
            assert_eq!(Ports::read(wrong.iter().copied()), Err(place), "{wrong:?}");
        }
    }

    #[test]
    fn where_the_file_is_silent_no_vpn_has_its_port() {
        let usual = Ports::default();
        for (transport, port) in [(Tcp, 443), (Tcp, 993), (Tcp, 5223), (Udp, 3478), (Udp, 123)] {
            assert!(usual.has(transport, port), "{port}");
        }
        // OpenVPN, WireGuard, IKE, L2TP, PPTP, SSH, SOCKS, an onion relay.
        for port in [1194, 51_820, 500, 4500, 1701, 1723, 22, 1080, 9001, 9050] {
            assert!(!usual.has(Tcp, port) && !usual.has(Udp, port), "{port}");
        }
    }

    #[test]
    fn ranges_stand_apart() {
        let Ports::These(ranges) =
            Ports::read(["tcp 1-5", "tcp 6-9", "tcp 3-4", "udp 6", "tcp 65535", "tcp 65535"]).unwrap()
        else {
            panic!("these");
        };
        let written: Vec<String> = ranges.iter().map(PortRange::to_string).collect();
        assert_eq!(written, ["tcp . 1-9", "tcp . 65535", "udp . 6"]);
    }
}
