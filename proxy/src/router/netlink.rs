//! Netlink's netfilter family, as far as the router needs it: messages with attributes out, answers in.
//!
//! Written here because what is sent is small and the moment of its answer matters: a device may not hear an address before
//! the kernel has it. Layouts: `linux/netlink.h`, `linux/netfilter/nfnetlink.h`.

use rustix::fd::OwnedFd;
use rustix::net::netlink::{NETFILTER, SocketAddrNetlink};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::time::Duration;

/// `NLM_F_REQUEST`.
pub(super) const REQUEST: u16 = 0x01;
/// `NLM_F_ACK`.
pub(super) const ACK: u16 = 0x04;
/// `NLM_F_ROOT | NLM_F_MATCH`.
pub(super) const DUMP: u16 = 0x300;
/// `NLM_F_CREATE`.
pub(super) const CREATE: u16 = 0x400;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NESTED: u16 = 0x8000;
/// What the two high bits of an attribute's type are for is not the type.
const TYPE: u16 = 0x3fff;
/// `sizeof(struct nlmsghdr)`.
const HEADER: usize = 16;
/// `sizeof(struct nfgenmsg)`.
const FAMILY_HEADER: usize = 4;
/// The kernel sends no more in one go (`NLMSG_GOODSIZE` is less on most machines).
const MOST: usize = 64 * 1024;

/// A socket of the netfilter family.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

/// One message that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Came<'a> {
    /// Its type: subsystem and kind.
    pub(super) kind: u16,
    sequence: u32,
    /// The protocol family of its header.
    pub(super) family: u8,
    body: &'a [u8],
}

impl<'a> Came<'a> {
    /// Its attributes.
    pub(super) fn attributes(&self) -> Attributes<'a> {
        Attributes(self.body.get(FAMILY_HEADER..).unwrap_or_default())
    }

    /// What an error message says: none for other messages, 0 for an acknowledgement.
    fn error(&self) -> Option<i32> {
        let code = self.body.first_chunk::<4>().filter(|_| self.kind == NLMSG_ERROR)?;
        Some(i32::from_ne_bytes(*code))
    }
}

/// Attributes, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, _) = self.0.split_at_checked(4)?;
        let length = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        let kind = u16::from_ne_bytes([head[2], head[3]]) & TYPE;
        let value = self.0.get(4..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

impl<'a> Attributes<'a> {
    /// The value of the first attribute of a type.
    pub(super) fn of(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// The attributes inside one.
    pub(super) fn inside(self, kind: u16) -> Option<Self> {
        self.of(kind).map(Attributes)
    }
}

/// Messages to send, one after the other.
#[derive(Debug, Default)]
pub(super) struct Messages {
    bytes: Vec<u8>,
    begun: usize,
}

impl Messages {
    /// Begins a message. `resource` stands in its header in the network's order.
    pub(super) fn begin(&mut self, kind: u16, flags: u16, sequence: u32, (family, resource): (u8, u16)) {
        self.begun = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]); // The length, which is known at the end.
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(&flags.to_ne_bytes());
        self.bytes.extend_from_slice(&sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&[family, 0]);
        self.bytes.extend_from_slice(&resource.to_be_bytes());
    }

    /// Ends the message.
    pub(super) fn end(&mut self) {
        let length =
            u32::try_from(self.bytes.len() - self.begun).expect("messages are built from bounded parts");
        self.bytes[self.begun..self.begun + 4].copy_from_slice(&length.to_ne_bytes());
    }

    /// Adds an attribute.
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).expect("values are short");
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    /// Adds an attribute that holds others.
    pub(super) fn nest(&mut self, kind: u16, inside: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.attribute(kind | NESTED, &[]);
        inside(self);
        let length = u16::try_from(self.bytes.len() - at).expect("lists are cut before they are this long");
        self.bytes[at..at + 2].copy_from_slice(&length.to_ne_bytes());
    }
}

/// A text as attributes have it.
pub(super) fn text(words: &str) -> Vec<u8> {
    let mut bytes = words.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

impl Netlink {
    /// Opens a socket; reading from it waits for `patience` at most.
    ///
    /// # Errors
    ///
    /// When the kernel has no netfilter, or we lack the right (`CAP_NET_ADMIN`) when something is asked.
    pub(super) fn open(patience: Duration) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(NETFILTER))?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(patience))?;
        // What the system allows is enough where it is less.
        let _ = sockopt::set_socket_recv_buffer_size(&socket, 1 << 20);
        Ok(Self { socket, sequence: 1 })
    }

    /// Numbers for so many messages.
    pub(super) fn sequence(&mut self, count: u32) -> u32 {
        let first = self.sequence;
        self.sequence = self.sequence.wrapping_add(count);
        first
    }

    /// Sends messages.
    pub(super) fn send(&self, messages: &Messages) -> io::Result<()> {
        let to = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&self.socket, &messages.bytes, SendFlags::empty(), &to)?;
        Ok(())
    }

    /// Takes what came next and gives each message to `see`.
    pub(super) fn receive(&self, buffer: &mut Vec<u8>, mut see: impl FnMut(Came<'_>)) -> io::Result<()> {
        buffer.resize(MOST, 0);
        let (_, length) = rustix::net::recv(&self.socket, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = &buffer[..length.min(MOST)];
        while let Some((came, after)) = first(rest) {
            see(came);
            rest = after;
        }
        Ok(())
    }

    /// Waits for the acknowledgements of `count` messages from `begin` on, the message that began their batch included
    /// where it fails.
    ///
    /// # Errors
    ///
    /// The first error among them.
    pub(super) fn acknowledged(&self, begin: u32, count: u32) -> io::Result<()> {
        self.answered(begin, count, |_| {})
    }

    /// The same, with what comes before an acknowledgement given to `see`.
    pub(super) fn answered(&self, begin: u32, count: u32, mut see: impl FnMut(Came<'_>)) -> io::Result<()> {
        let (mut buffer, mut left, mut wrong) = (Vec::new(), count, None);
        while left > 0 {
            self.receive(&mut buffer, |came| {
                let ours = came.sequence.wrapping_sub(begin) <= count;
                let Some(code) = came.error().filter(|_| ours) else {
                    if ours {
                        see(came);
                    }
                    return;
                };
                left = if came.sequence == begin { 0 } else { left.saturating_sub(1) };
                if code != 0 && wrong.is_none() {
                    wrong = Some(io::Error::from_raw_os_error(-code));
                }
            })?;
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Sends a question for all of something and gives each message of the answer to `see`.
    pub(super) fn dump(
        &mut self,
        kind: u16,
        family: u8,
        attributes: impl FnOnce(&mut Messages),
        mut see: impl FnMut(Came<'_>),
    ) -> io::Result<()> {
        let (sequence, mut messages) = (self.sequence(1), Messages::default());
        messages.begin(kind, REQUEST | DUMP, sequence, (family, 0));
        attributes(&mut messages);
        messages.end();
        self.send(&messages)?;
        let (mut buffer, mut ended, mut wrong) = (Vec::new(), false, None);
        while !ended {
            self.receive(&mut buffer, |came| match (came.kind, came.error()) {
                _ if came.sequence != sequence => {}
                (NLMSG_DONE, _) => ended = true,
                (_, Some(code)) => (ended, wrong) = (true, (code != 0).then_some(code)),
                (_, None) => see(came),
            })?;
        }
        wrong.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(-code)))
    }
}

/// The first message, and what is after it.
fn first(bytes: &[u8]) -> Option<(Came<'_>, &[u8])> {
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes);
    let length = usize::try_from(word(0)?).ok()?;
    let (kind, sequence) = (u16::from_ne_bytes([*bytes.get(4)?, *bytes.get(5)?]), word(8)?);
    let body = bytes.get(HEADER..length)?;
    let family = body.first().copied().unwrap_or(0);
    let after = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((Came { kind, sequence, family, body }, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read() {
        let mut messages = Messages::default();
        messages.begin(7, REQUEST, 41, (1, 0));
        messages.attribute(1, b"abc");
        messages.nest(2, |inside| {
            inside.attribute(3, &[9]);
            inside.attribute(4, &[]);
        });
        messages.end();
        messages.begin(8, REQUEST, 42, (2, 0));
        messages.end();
        let (one, rest) = first(&messages.bytes).unwrap();
        assert_eq!((one.kind, one.sequence, one.family), (7, 41, 1));
        assert_eq!(one.attributes().of(1), Some(&b"abc"[..]));
        let inside: Vec<_> = one.attributes().inside(2).unwrap().collect();
        assert_eq!(inside, [(3, &[9][..]), (4, &[][..])]);
        let (two, rest) = first(rest).unwrap();
        assert_eq!((two.kind, two.attributes().count()), (8, 0));
        assert!(first(rest).is_none());
    }

    #[test]
    fn broken_bytes_end_the_reading() {
        for bytes in
            [&[][..], &[1; 3], &[255; 16], &[0; 16], &[20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert!(first(bytes).is_none(), "{bytes:?}");
        }
        for bytes in [&[][..], &[4, 0][..], &[200, 0, 1, 0, 5][..], &[2, 0, 1, 0][..], &[0; 8][..]] {
            assert_eq!(Attributes(bytes).count(), 0, "{bytes:?}");
        }
    }
}
