//! A VPN's first words, by their form: in datagrams, and at the beginning of streams.
//!
//! Each form is so narrow that hardly anything else has it, since what has it is refused wherever it goes: lengths, and bytes that are
//! the same each time. The router's table ([`crate::router`]) looks for the same with what a rule can tell.

use agreements::Detector;

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// Too few to say.
    More,
    /// A VPN's first words.
    Is(Detector),
    /// Anything else.
    Not,
}

/// The lengths of OpenVPN's first packet: with nothing around it, and with a digest of 20, 32 and 64 bytes (`tls-auth`); `tls-crypt`
/// has the third.
const RESETS: [usize; 4] = [14, 42, 54, 86];
/// And with the client's own wrapped key behind it (`tls-crypt-v2`).
const RESET_WITH_KEY: std::ops::RangeInclusive<usize> = 344..=1400;

/// What a datagram begins, by its first bytes and its whole length.
pub(crate) fn datagram(said: &[u8], length: usize) -> Option<Detector> {
    match said {
        // "Handshake initiation", 148 bytes (WireGuard whitepaper §5.4.2).
        [1, 0, 0, 0, ..] if length == 148 => Some(Detector::WireGuard),
        _ if is_openvpn(said, length) => Some(Detector::OpenVpn),
        // Behind four noughts at port 4500 (RFC 3948 §2.2).
        [0, 0, 0, 0, marked @ ..] if is_ike(marked) => Some(Detector::Ike),
        _ if is_ike(said) => Some(Detector::Ike),
        _ => None,
    }
}

/// What a stream begins. OpenVPN sets the length of each packet before it, in two bytes.
pub(crate) fn stream(bytes: &[u8]) -> Begins {
    let (first, said) = match bytes {
        [] | [0..=5] => return Begins::More,
        [high, low, said @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), said),
        [_] => return Begins::Not,
    };
    if !RESETS.contains(&first) && !RESET_WITH_KEY.contains(&first) {
        return Begins::Not;
    }
    match said {
        [] => Begins::More,
        [0x38 | 0x50, ..] if said.len() < first.min(MOST_LOOKED_AT) => Begins::More,
        _ if is_openvpn(said, first) => Begins::Is(Detector::OpenVpn),
        _ => Begins::Not,
    }
}

/// So many bytes of a first packet tell.
const MOST_LOOKED_AT: usize = 86;

/// OpenVPN's first packet (`ssl_pkt.h`; "OpenVPN wire protocol", draft-schwabe-openvpn): `P_CONTROL_HARD_RESET_CLIENT_V2` with key 0,
/// then a session's number, then, by how the packets are guarded, the digest, the packet's number and the time, and at the end no
/// acknowledgement and message 0. `tls-crypt` hides the end and shows number and time first: numbers count from 1, or from 0x0f000001.
/// `_V3` is `tls-crypt-v2`.
fn is_openvpn(said: &[u8], length: usize) -> bool {
    let ends_with_nothing = |at: usize| said.get(at..at + 5) == Some(&[0; 5]);
    let counts = || said.get(10..12) == Some(&[0, 0]);
    match (said.first(), length) {
        (Some(0x38), 14) => ends_with_nothing(9),
        (Some(0x38), 42) => ends_with_nothing(37),
        (Some(0x38), 54) => ends_with_nothing(49) || counts(),
        (Some(0x38), 86) => ends_with_nothing(81),
        (Some(0x50), length) => RESET_WITH_KEY.contains(&length) && counts(),
        _ => false,
    }
}

/// `IKE_SA_INIT` from who begins: no responder's SPI yet, version 2.0, exchange 34 (RFC 7296 §3.1); or version 1 and one of its first
/// modes (RFC 2408 §3.1).
fn is_ike(said: &[u8]) -> bool {
    said.get(8..16) == Some(&[0; 8])
        && said.get(..8).is_some_and(|spi| spi != [0; 8])
        && matches!((said.get(17), said.get(18)), (Some(0x20), Some(34)) | (Some(0x10), Some(2 | 4)))
}

#[cfg(test)]
#[path = "handshake/tests.rs"]
mod tests;
