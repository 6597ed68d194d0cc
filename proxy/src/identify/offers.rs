//! Who hands out addresses on a network: whoever offers one to a question of ours (DHCP, RFC 2131).
//!
//! The question is DHCPDISCOVER (§3.1) of a made-up device that asks for its answers by broadcast (§4.1). What is offered is never
//! requested, so that no server gives a lease away. The socket is bound to one interface and to the broadcast address: it hears
//! offers and nothing that is meant for a client of this machine, and others may have the port beside it.

use crate::target::is_own;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// The ports of server and client (RFC 2131 §4.1).
const SERVER: u16 = 67;
const CLIENT: u16 = 68;
/// Servers look for three seconds whether an address is free before they offer it.
const HEARS_FOR: Duration = Duration::from_secs(5);
/// A question may be lost: it is asked so often.
const ASKED: u8 = 2;
/// So many packets are looked at, and so many servers told of.
const MOST_PACKETS: usize = 64;
const MOST_SERVERS: usize = 4;

/// Up to the options (RFC 2131 §2), and what stands before them (§3).
const FIXED: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// The shortest message that every server and relay takes (RFC 1542 §2.1).
const SHORTEST: usize = 300;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const ETHERNET: u8 = 1;
const BROADCAST: u8 = 0x80;
/// Options (RFC 2132): §3.5, §9.6, §9.7, §9.8.
const ROUTERS: u8 = 3;
const KIND: u8 = 53;
const SERVER_IDENTIFIER: u8 = 54;
const WANTED: u8 = 55;
const PAD: u8 = 0;
const END: u8 = 255;
const DISCOVER: u8 = 1;
const OFFER: u8 = 2;

/// A question, by its number and the made-up device that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Question {
    number: [u8; 4],
    hardware: [u8; 6],
}

/// What a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    /// The server, where it says who it is.
    server: Option<Ipv4Addr>,
    /// The ways to the internet that it hands out.
    routers: Vec<Ipv4Addr>,
}

impl Question {
    /// A new one. The device stays the same for as long as the program runs, so that a server keeps one address for it at most.
    fn new() -> Self {
        static DEVICE: OnceLock<u64> = OnceLock::new();
        let chance = || RandomState::new().hash_one(0);
        let [_, _, a, b, c, d, e, f] = DEVICE.get_or_init(chance).to_be_bytes();
        let [number @ .., _, _, _, _] = chance().to_be_bytes();
        // Made up, and one device's (IEEE 802c: the two lowest bits of the first byte).
        Self { number, hardware: [a & 0xfc | 2, b, c, d, e, f] }
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = vec![REQUEST, ETHERNET, 6, 0];
        bytes.extend(self.number);
        bytes.extend([0, 0, BROADCAST, 0]);
        // Nobody's address yet, no server's and no relay's.
        bytes.extend([0; 16]);
        bytes.extend(self.hardware);
        bytes.resize(FIXED, 0);
        bytes.extend(COOKIE);
        bytes.extend([KIND, 1, DISCOVER, WANTED, 1, ROUTERS, END]);
        bytes.resize(SHORTEST, PAD);
        bytes
    }

    /// Reads an offer that answers this question; anything else is none.
    fn offered(self, packet: &[u8]) -> Option<Offer> {
        let (fixed, options) = (packet.get(..FIXED)?, packet.get(FIXED..)?.strip_prefix(&COOKIE)?);
        let answers = fixed[..3] == [REPLY, ETHERNET, 6] && fixed[4..8] == self.number;
        if !answers || fixed[28..34] != self.hardware || option(options, KIND)? != [OFFER] {
            return None;
        }
        let server = option(options, SERVER_IDENTIFIER).and_then(|bytes| bytes.try_into().ok()).map(address);
        let routers = option(options, ROUTERS).unwrap_or_default();
        Some(Offer { server, routers: routers.as_chunks::<4>().0.iter().copied().map(address).collect() })
    }
}

fn address(bytes: [u8; 4]) -> Ipv4Addr {
    bytes.into()
}

/// The first option of a kind (RFC 2132 §2): its number, its length, and so many bytes.
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        match options {
            [PAD, rest @ ..] => options = rest,
            [END, ..] | [] | [_] => return None,
            [kind, length, rest @ ..] => {
                let (value, after) = rest.split_at_checked(usize::from(*length))?;
                if *kind == wanted {
                    return Some(value);
                }
                options = after;
            }
        }
    }
}

impl Offer {
    /// Who leads past us by it: a server that is not this machine, save one whose addresses all lead to this machine's own.
    fn past_us(&self, sender: Ipv4Addr, is_ours: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let server = self.server.filter(|server| !server.is_unspecified()).unwrap_or(sender);
        let leads_here = !self.routers.is_empty() && self.routers.iter().all(|router| is_ours(*router));
        (!is_ours(server) && !leads_here).then_some(server)
    }
}

/// Asks on an interface who hands out addresses there, and gives the servers that lead past this machine, a few at most. It takes
/// some seconds.
///
/// # Errors
///
/// When the port or the interface cannot be had.
pub async fn others_that_hand_out(interface: &str) -> io::Result<BTreeSet<Ipv4Addr>> {
    let (socket, question) = (socket(interface)?, Question::new());
    let to = SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER);
    let mut found = BTreeSet::new();
    for _ in 0..ASKED {
        socket.send_to(&question.bytes(), to).await?;
        hear(&socket, question, &mut found).await;
    }
    Ok(found)
}

/// Hears offers for a while.
async fn hear(socket: &UdpSocket, question: Question, found: &mut BTreeSet<Ipv4Addr>) {
    let (until, mut buffer) = (Instant::now() + HEARS_FOR, [0; 1500]);
    for _ in 0..MOST_PACKETS {
        // Its time is over, or the interface is gone: nobody offers anything any more.
        let Ok(Ok((length, SocketAddr::V4(from)))) = timeout_at(until, socket.recv_from(&mut buffer)).await
        else {
            return;
        };
        let other = question.offered(&buffer[..length]);
        let other = other.and_then(|offer| offer.past_us(*from.ip(), |address| is_own(address.into())));
        found.extend(other.filter(|_| found.len() < MOST_SERVERS));
    }
}

fn socket(interface: &str) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.set_broadcast(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT).into())?;
    UdpSocket::from_std(socket.into())
}

/// Reads any bytes as an offer.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let (number, hardware) = (bytes.get(4..8).and_then(|b| b.try_into().ok()), bytes.get(28..34));
    let hardware = hardware.and_then(|b| b.try_into().ok());
    let question = Question { number: number.unwrap_or_default(), hardware: hardware.unwrap_or_default() };
    if let Some(offer) = question.offered(bytes) {
        assert!(offer.routers.len() <= usize::from(u8::MAX) / 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question = Question { number: [1, 2, 3, 4], hardware: [2, 9, 8, 7, 6, 5] };
    const OURS: Ipv4Addr = Ipv4Addr::new(192, 168, 4, 1);

    /// An offer with options as given.
    fn offer(options: &[u8]) -> Vec<u8> {
        let mut bytes = QUESTION.bytes();
        bytes.truncate(FIXED);
        bytes[0] = REPLY;
        bytes.extend(COOKIE);
        bytes.extend(options);
        bytes
    }

    fn told(packet: &[u8]) -> Option<Ipv4Addr> {
        QUESTION.offered(packet)?.past_us([192, 168, 4, 99].into(), |address| address == OURS)
    }

    #[test]
    fn a_question_is_what_the_rfc_says() {
        let bytes = QUESTION.bytes();
        assert_eq!(bytes.len(), SHORTEST);
        assert_eq!(bytes[..12], [1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0]);
        assert_eq!(bytes[12..28], [0; 16], "it has no address, and asks for none");
        assert_eq!(bytes[28..34], QUESTION.hardware);
        assert_eq!(bytes[236..], [&[99, 130, 83, 99, 53, 1, 1, 55, 1, 3, 255][..], &[0; 53]].concat());
        let [one, other] = [Question::new(), Question::new()];
        assert_eq!(one.hardware, other.hardware, "one device asks");
        assert_eq!(one.hardware[0] & 3, 2, "a made-up one");
    }

    #[test]
    fn whoever_offers_a_way_past_us_is_told() {
        let (kind, id) = ([53, 1, 2], |last| [54, 4, 192, 168, 4, last]);
        for (case, options, server) in [
            ("another one", [&kind[..], &id(9), &[255]].concat(), Some(9)),
            (
                "another one, with padding and more",
                [&[0, 0][..], &id(9), &[51, 4, 0, 0, 1, 0], &kind, &[0, 255]].concat(),
                Some(9),
            ),
            ("no end", [&kind[..], &id(9)].concat(), Some(9)),
            ("it leads to itself", [&kind[..], &id(9), &[3, 4, 192, 168, 4, 9, 255]].concat(), Some(9)),
            (
                "it leads to two, of which we are one",
                [&kind[..], &id(9), &[3, 8, 192, 168, 4, 1, 192, 168, 4, 9]].concat(),
                Some(9),
            ),
            ("it does not say who it is", [&kind[..], &[255]].concat(), Some(99)),
            ("nor does this one", [&kind[..], &[54, 4, 0, 0, 0, 0, 255]].concat(), Some(99)),
            ("our own server", [&kind[..], &id(1), &[255]].concat(), None),
            (
                "the home's server, which leads to us",
                [&kind[..], &id(9), &[3, 4, 192, 168, 4, 1, 255]].concat(),
                None,
            ),
            ("a lease that was given", [&[53, 1, 5][..], &id(9), &[255]].concat(), None),
            ("a question like ours", [&[53, 1, 1][..], &id(9), &[255]].concat(), None),
            ("no kind", [&id(9)[..], &[255]].concat(), None),
            ("a kind behind the end", [&id(9)[..], &[255], &kind].concat(), None),
        ] {
            assert_eq!(told(&offer(&options)), server.map(|last| [192, 168, 4, last].into()), "{case}");
        }
    }

    #[test]
    fn hostile_packets_are_no_offers() {
        let whole = offer(&[53, 1, 2, 54, 4, 192, 168, 4, 9, 3, 4, 192, 168, 4, 9, 255]);
        assert!(told(&whole).is_some());
        for length in 0..whole.len() {
            // Cut anywhere it is an offer or none, and never more than was there.
            fuzz(&whole[..length]);
            assert!(length >= 243 || told(&whole[..length]).is_none(), "{length}");
        }
        for (case, at, byte) in [
            ("a question", 0, 1),
            ("another kind of link", 1, 6),
            ("a longer hardware address", 2, 16),
            ("another question's", 4, 9),
            ("somebody else's", 28, 0),
            ("no options", 236, 0),
            ("an option that is longer than the packet", 237 + 4, 255),
        ] {
            let mut packet = whole.clone();
            packet[at] = byte;
            assert_eq!(told(&packet), None, "{case}");
        }
        for byte in 0..=u8::MAX {
            fuzz(&[byte; 1500]);
            fuzz(&offer(&[byte; 1000]));
        }
    }
}
