//! What the rules refused and tell of: packets to addresses that no answer gave (`log group`, NFLOG).

use super::netlink::{ACK, Came, Messages, Netlink, REQUEST};
use super::sets::Device;
use crate::handshake::{self, Begins};
use agreements::Detector;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

/// The group that our rules log to: a number that others are unlikely to use.
pub(super) const GROUP: u16 = 18_714;

const ULOG: u16 = 4;
const PACKET: u16 = ULOG << 8;
const CONFIG: u16 = ULOG << 8 | 1;
const CONFIG_COMMAND: u16 = 1;
const CONFIG_MODE: u16 = 2;
const CONFIG_TIMEOUT: u16 = 4;
const BIND: u8 = 1;
const COPY_PACKET: u8 = 2;
const HARDWARE: u16 = 8;
const PAYLOAD: u16 = 9;
/// So much of a packet is copied: both headers and the first bytes of what it says.
pub(super) const COPIED: u32 = 192;
/// The kernel gathers packets for so long, in hundredths of a second: a program that comes back waits for it.
const GATHERED: u32 = 5;
/// How often the thread looks whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(250);
/// So often it is tried before somebody is told.
const TRIES: u32 = 8;

/// A packet that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) device: Device,
    pub(super) from: IpAddr,
    pub(super) to: IpAddr,
    pub(super) says: Says,
}

/// What a packet is, as far as that tells an attempt from what devices do by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// A ping and the like.
    Icmp,
    /// The time is asked for (NTP).
    Time,
    /// Two programs look for a way to each other (STUN, RFC 8489 §5): a call in a browser does so by itself.
    Stun,
    /// It belongs to a connection that began before, or answers one (TCP without a beginning, RFC 9293 §3.5).
    GoesOn,
    /// The first word of a way around, by its usual port.
    Around(Detector),
    /// A VPN's own words, by their form: they are refused wherever they go.
    Vpn(Detector),
    /// Anything else.
    Other,
}

impl Says {
    /// The VPN whose own words it is.
    pub(super) fn vpn(self) -> Option<Detector> {
        match self {
            Self::Vpn(detector) => Some(detector),
            Self::Icmp | Self::Time | Self::Stun | Self::GoesOn | Self::Around(_) | Self::Other => None,
        }
    }

    /// The way around that it is, as far as it shows.
    pub(super) fn around(self) -> Option<Detector> {
        match self {
            Self::Around(detector) | Self::Vpn(detector) => Some(detector),
            Self::Icmp | Self::Time | Self::Stun | Self::GoesOn | Self::Other => None,
        }
    }

    /// Whether nobody needs to hear of it.
    pub(super) fn by_itself(self) -> bool {
        match self {
            Self::Icmp | Self::Time | Self::Stun | Self::GoesOn => true,
            Self::Around(_) | Self::Vpn(_) | Self::Other => false,
        }
    }
}

/// Listens until told to stop. What nobody takes in time is dropped: the packet was refused all the same.
///
/// # Errors
///
/// When there can be no thread for it.
pub(super) fn listen(to: Sender<Refused>, stop: CancellationToken) -> io::Result<()> {
    std::thread::Builder::new().name("refused".into()).spawn(move || {
        let Some(netlink) = bound(&stop) else { return };
        let mut buffer = Vec::new();
        while !stop.is_cancelled() {
            let heard = netlink.receive(&mut buffer, |came| {
                if let Some(refused) = read(&came) {
                    // A flood has filled the room: what it has put there says enough.
                    let _ = to.try_send(refused);
                }
            });
            match heard {
                Err(error)
                    if ![io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind()) =>
                {
                    // The kernel says so when it had to drop some (ENOBUFS). Whatever it is, it must not spin.
                    std::thread::sleep(LOOK_UP);
                }
                Ok(()) | Err(_) => {}
            }
        }
    })?;
    Ok(())
}

/// A socket that hears of the group. Rules that were put away and come back find those before still listening for a moment.
fn bound(stop: &CancellationToken) -> Option<Netlink> {
    let mut tries = 0;
    while !stop.is_cancelled() {
        let tried = Netlink::open(LOOK_UP).and_then(|mut netlink| bind(&mut netlink).map(|()| netlink));
        match tried {
            Ok(netlink) => return Some(netlink),
            // What is refused stays refused.
            Err(error) if tries == TRIES => {
                tracing::warn!(%error, "what the router refuses cannot be heard of; trying on");
            }
            Err(_) => {}
        }
        tries = (tries + 1).min(TRIES + 1);
        std::thread::sleep(LOOK_UP);
    }
    None
}

fn bind(netlink: &mut Netlink) -> io::Result<()> {
    let sequence = netlink.sequence(2);
    let mut messages = Messages::default();
    messages.begin(CONFIG, REQUEST | ACK, sequence + 1, (0, GROUP));
    messages.attribute(CONFIG_COMMAND, &[BIND]);
    let mut mode = COPIED.to_be_bytes().to_vec();
    mode.extend([COPY_PACKET, 0]);
    messages.attribute(CONFIG_MODE, &mode);
    messages.attribute(CONFIG_TIMEOUT, &GATHERED.to_be_bytes());
    messages.end();
    netlink.send(&messages)?;
    netlink.acknowledged(sequence, 1)
}

fn read(came: &Came<'_>) -> Option<Refused> {
    if came.kind != PACKET {
        return None;
    }
    let attributes = came.attributes();
    let (from, to, says) = packet(attributes.of(PAYLOAD)?)?;
    // `struct nfulnl_msg_packet_hw`: the length in two bytes, two bytes of nothing, the address.
    let mac = attributes.of(HARDWARE).filter(|hw| hw.first_chunk::<2>() == Some(&[0, 6]));
    let mac = mac.and_then(|hw| hw.get(4..)?.first_chunk::<6>());
    Some(Refused { device: mac.map_or(Device::Address(from), |mac| Device::Mac(*mac)), from, to, says })
}

/// The ends of a packet, and what it says.
fn packet(bytes: &[u8]) -> Option<(IpAddr, IpAddr, Says)> {
    let four = |at: usize| Some(IpAddr::V4(Ipv4Addr::from(*bytes.get(at..)?.first_chunk::<4>()?)));
    let six = |at: usize| Some(IpAddr::V6(Ipv6Addr::from(*bytes.get(at..)?.first_chunk::<16>()?)));
    let first = *bytes.first()?;
    match first >> 4 {
        4 => {
            let after = usize::from(first & 0x0f) * 4;
            Some((four(12)?, four(16)?, says(*bytes.get(9)?, bytes.get(after..).unwrap_or_default())))
        }
        // A packet with extension headers says something else than these.
        6 => Some((six(8)?, six(24)?, says(*bytes.get(6)?, bytes.get(40..).unwrap_or_default()))),
        _ => None,
    }
}

fn says(protocol: u8, after: &[u8]) -> Says {
    const UDP_HEADER: usize = 8;
    let port = after.get(2..4).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
    let said = after.get(UDP_HEADER..).unwrap_or_default();
    match protocol {
        1 | 58 => Says::Icmp,
        6 => stream(port, after),
        17 if port == 123 => Says::Time,
        17 if is_stun(said) => Says::Stun,
        17 => datagram(after.get(4..6), said),
        // ESP and AH carry what IKE agreed; GRE is PPTP's.
        47 | 50 | 51 => Says::Vpn(Detector::Ike),
        _ => Says::Other,
    }
}

fn is_stun(said: &[u8]) -> bool {
    said.first().is_some_and(|b| b >> 6 == 0) && said.get(4..8) == Some(&[0x21, 0x12, 0xa4, 0x42])
}

/// A stream shows no more than its port before it is answered: those that onion relays (Tor manual, `ORPort`, `DirPort`) and
/// OpenVPN (IANA) take by habit. Once it is, it shows what it says.
fn stream(port: u16, header: &[u8]) -> Says {
    const FLAGS: usize = 13;
    const SYN_RST_ACK: u8 = 0x16;
    const SYN: u8 = 0x02;
    let begins = header.get(FLAGS).is_some_and(|flags| flags & SYN_RST_ACK == SYN);
    if !begins {
        let length = header.get(12).map_or(0, |length| usize::from(length >> 4) * 4);
        return match handshake::stream(header.get(length..).unwrap_or_default()) {
            Begins::Is(detector) => Says::Vpn(detector),
            Begins::More | Begins::Not => Says::GoesOn,
        };
    }
    match port {
        9001 | 9030 | 9050 | 9051 | 9150 => Says::Around(Detector::Tor),
        1194 => Says::Around(Detector::OpenVpn),
        _ => Says::Other,
    }
}

/// A datagram shows what it says; `length` is the UDP header's own.
fn datagram(length: Option<&[u8]>, said: &[u8]) -> Says {
    let length = length.map_or(0, |length| usize::from(u16::from_be_bytes([length[0], length[1]])));
    handshake::datagram(said, length.saturating_sub(8)).map_or(Says::Other, Says::Vpn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn four(protocol: u8, after: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 168, 4, 11, 192, 0, 2, 1];
        bytes.extend(after);
        bytes
    }

    fn six(next: u8, after: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 0, next, 64];
        bytes.extend("2001:db8::11".parse::<Ipv6Addr>().unwrap().octets());
        bytes.extend("2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        bytes.extend(after);
        bytes
    }

    #[test]
    fn a_packet_says_what_it_is() {
        let stun = [0xc0, 0, 0x27, 0x0f, 0, 28, 0, 0, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2];
        let time = [0xc0, 0, 0, 123, 0, 56, 0, 0, 0x23];
        let begins =
            |flags| [0xc0, 0, 0x23, 0x29, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0];
        for (protocol, after, says) in [
            (1, &[8, 0][..], Says::Icmp),
            (17, &stun, Says::Stun),
            (17, &time, Says::Time),
            (6, &begins(0x02), Says::Around(Detector::Tor)),
            (6, &begins(0xc2), Says::Around(Detector::Tor)),
            (6, &begins(0x12), Says::GoesOn),
            (6, &begins(0x10), Says::GoesOn),
            (6, &begins(0x18), Says::GoesOn),
            (6, &begins(0x04), Says::GoesOn),
            (6, &begins(0x11), Says::GoesOn),
            (6, &begins(0x00), Says::GoesOn),
            (6, &time, Says::GoesOn),
            (17, &[], Says::Other),
            (132, &[], Says::Other),
        ] {
            let (from, to, said) = packet(&four(protocol, after)).unwrap();
            assert_eq!((from.to_string(), to.to_string()), ("192.168.4.11".into(), "192.0.2.1".into()));
            assert_eq!(said, says, "{protocol} {after:?}");
            let next = if protocol == 1 { 58 } else { protocol };
            let (from, to, said) = packet(&six(next, after)).unwrap();
            assert_eq!((from.to_string(), to.to_string()), ("2001:db8::11".into(), "2001:db8::1".into()));
            assert_eq!(said, says, "{next} {after:?}");
        }
    }

    #[test]
    fn a_way_around_is_told_by_its_words_or_its_usual_port() {
        let udp = |port: u16, said: &[u8], length: u16| {
            let [high, low] = port.to_be_bytes();
            let [long, short] = (length + 8).to_be_bytes();
            [&[0xc0, 0, high, low, long, short, 0, 0], said].concat()
        };
        let tcp = |port: u16, flags: u8, said: &[u8]| {
            let [high, low] = port.to_be_bytes();
            let header = [0xc0, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 0, 0x80, flags, 0xff, 0xff, 0, 0, 0, 0];
            [&header, &[1; 12][..], said].concat()
        };
        let reset = b"\0\x0e\x38sessions\0\0\0\0\0";
        for (case, protocol, after, says) in [
            ("WireGuard", 17, udp(443, &[1, 0, 0, 0, 9], 148), Says::Vpn(Detector::WireGuard)),
            ("OpenVPN, in a stream that has begun", 6, tcp(443, 0x18, reset), Says::Vpn(Detector::OpenVpn)),
            ("something else in it", 6, tcp(443, 0x18, b"hello, hello"), Says::GoesOn),
            ("the beginning of one", 6, tcp(1194, 2, &[]), Says::Around(Detector::OpenVpn)),
            ("an onion relay", 6, tcp(9001, 2, &[]), Says::Around(Detector::Tor)),
            ("IPsec itself", 50, vec![0; 8], Says::Vpn(Detector::Ike)),
            ("PPTP's tunnel", 47, vec![0; 8], Says::Vpn(Detector::Ike)),
            ("the web", 6, tcp(443, 2, &[]), Says::Other),
            ("a game", 17, udp(3074, &[0, 0, 0, 0, 1, 2], 40), Says::Other),
            ("nothing", 17, Vec::new(), Says::Other),
        ] {
            assert_eq!(packet(&four(protocol, &after)).unwrap().2, says, "{case}");
            assert_eq!(packet(&six(protocol, &after)).unwrap().2, says, "{case}");
        }
    }

    #[test]
    fn no_bytes_are_too_few() {
        for length in 0..20 {
            assert!(packet(&four(17, &[])[..length]).is_none());
        }
        for length in 0..40 {
            assert!(packet(&six(17, &[])[..length]).is_none());
        }
        assert!(packet(&[0x50; 64]).is_none());
    }
}
