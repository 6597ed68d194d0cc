//! What the rules refused and tell of: packets to addresses that no answer gave (`log group`, NFLOG).

use super::netlink::{ACK, Came, Messages, Netlink, REQUEST};
use super::sets::Device;
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
const COPIED: u32 = 128;
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
    /// The first word of a way around, by its form or its usual port.
    Around(Detector),
    /// Anything else.
    Other,
}

impl Says {
    /// Whether nobody needs to hear of it.
    pub(super) fn by_itself(self) -> bool {
        match self {
            Self::Icmp | Self::Time | Self::Stun | Self::GoesOn => true,
            Self::Around(_) | Self::Other => false,
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
    const TCP_FLAGS: usize = 13;
    const SYN_RST_ACK: u8 = 0x16;
    const SYN: u8 = 0x02;
    let port = after.get(2..4).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
    let said = after.get(UDP_HEADER..).unwrap_or_default();
    match protocol {
        1 | 58 => Says::Icmp,
        6 if after.get(TCP_FLAGS).is_none_or(|flags| flags & SYN_RST_ACK != SYN) => Says::GoesOn,
        6 => stream(port),
        17 if port == 123 => Says::Time,
        17 if is_stun(said) => Says::Stun,
        17 => datagram(port, after.get(4..6), said),
        // ESP and AH carry what IKE agreed; GRE is PPTP's.
        47 | 50 | 51 => Says::Around(Detector::Ike),
        _ => Says::Other,
    }
}

fn is_stun(said: &[u8]) -> bool {
    said.first().is_some_and(|b| b >> 6 == 0) && said.get(4..8) == Some(&[0x21, 0x12, 0xa4, 0x42])
}

/// A stream shows no more than its port before it is answered: those that onion relays (Tor manual, `ORPort`, `DirPort`) and
/// OpenVPN (IANA) take by habit.
fn stream(port: u16) -> Says {
    match port {
        9001 | 9030 | 9050 | 9051 | 9150 => Says::Around(Detector::Tor),
        1194 => Says::Around(Detector::OpenVpn),
        _ => Says::Other,
    }
}

/// A datagram shows what it says. The lengths are those of the first packets; `length` is the UDP header's own.
fn datagram(port: u16, length: Option<&[u8]>, said: &[u8]) -> Says {
    let length = length.map_or(0, |length| usize::from(u16::from_be_bytes([length[0], length[1]])));
    match said {
        // "Handshake initiation", 148 bytes (WireGuard whitepaper §5.4.2).
        [1, 0, 0, 0, ..] if length == 8 + 148 => Says::Around(Detector::WireGuard),
        // `P_CONTROL_HARD_RESET_CLIENT_V2` or `_V3` with key 0, a session and more (OpenVPN protocol, "packet format").
        [0x38 | 0x50, ..] if length >= 8 + 14 && port != 443 => Says::Around(Detector::OpenVpn),
        // `IKE_SA_INIT` from who begins: no responder's SPI yet, version 2.0, exchange 34 (RFC 7296 §3.1); or version 1 and its main
        // mode. Behind four noughts at port 4500 (RFC 3948 §2.2).
        _ if is_ike(said) || said.get(..4) == Some(&[0; 4]) && is_ike(&said[4..]) => {
            Says::Around(Detector::Ike)
        }
        _ => Says::Other,
    }
}

fn is_ike(said: &[u8]) -> bool {
    said.get(8..16) == Some(&[0; 8])
        && said.get(..8).is_some_and(|spi| spi != [0; 8])
        && matches!((said.get(17), said.get(18)), (Some(0x20), Some(34)) | (Some(0x10), Some(2 | 4)))
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
    fn a_handshake_of_each_vpn_is_told_by_its_name() {
        let udp = |port: u16, said: &[u8], length: u16| {
            let mut bytes = vec![0xc0, 0];
            bytes.extend(port.to_be_bytes());
            bytes.extend((length + 8).to_be_bytes());
            bytes.extend([0, 0]);
            bytes.extend(said);
            bytes
        };
        let tcp =
            |port: u16| [vec![0xc0, 0], port.to_be_bytes().to_vec(), vec![0; 8], vec![0x50, 2]].concat();
        let spi = [7; 8];
        let ike = |version, exchange| [&spi[..], &[0; 8], &[33, version, exchange, 8]].concat();
        let encapsulated = [&[0; 4][..], &ike(0x20, 34)].concat();
        for (case, protocol, after, detector) in [
            ("WireGuard, at any port", 17, udp(443, &[1, 0, 0, 0, 9, 9], 148), Some(Detector::WireGuard)),
            ("something of another length", 17, udp(51_820, &[1, 0, 0, 0, 9, 9], 92), None),
            ("OpenVPN", 17, udp(1194, &[0x38, 1, 2, 3], 14), Some(Detector::OpenVpn)),
            ("OpenVPN with tls-crypt-v2", 17, udp(5000, &[0x50, 1, 2, 3], 300), Some(Detector::OpenVpn)),
            ("too short for it", 17, udp(1194, &[0x38], 5), None),
            ("OpenVPN over TCP", 6, tcp(1194), Some(Detector::OpenVpn)),
            ("IKEv2", 17, udp(500, &ike(0x20, 34), 300), Some(Detector::Ike)),
            ("IKEv2 through a translator", 17, udp(4500, &encapsulated, 300), Some(Detector::Ike)),
            ("IKEv1", 17, udp(500, &ike(0x10, 2), 300), Some(Detector::Ike)),
            ("no IKE", 17, udp(500, &[0; 28], 28), None),
            ("IPsec itself", 50, vec![0; 8], Some(Detector::Ike)),
            ("PPTP's tunnel", 47, vec![0; 8], Some(Detector::Ike)),
            ("an onion relay", 6, tcp(9001), Some(Detector::Tor)),
            ("the web", 6, tcp(443), None),
            ("a game", 17, udp(3074, &[0, 0, 0, 0, 1, 2], 40), None),
            ("nothing", 17, Vec::new(), None),
        ] {
            let says = detector.map_or(Says::Other, Says::Around);
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
