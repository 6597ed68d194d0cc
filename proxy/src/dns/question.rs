//! A query, heard: what is asked, or what a malformed one gets.

use super::edns::Edns;
use super::wire::{Counts, HEADER, IN, NameText, Record, WireName, rcode, rtype, u16_at};
use blocklists::Name;

/// A well-formed question of the internet's class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    /// The whole message.
    pub(crate) bytes: &'a [u8],
    /// The name, in lower case.
    pub(crate) name: &'a WireName,
    /// The same as text.
    pub(crate) text: Name<'a>,
    /// The type asked for.
    pub(crate) qtype: u16,
    /// Where the question ends.
    pub(crate) end: usize,
    /// What the OPT record says, if there is one.
    pub(crate) edns: Option<Edns>,
}

/// What a message from a client is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heard<'a> {
    /// A question to answer.
    Query(Query<'a>),
    /// A message that gets this response code. The question is repeated as far as `end`, if it could be read.
    Reject {
        /// The response code.
        rcode: u16,
        /// Where the question ends; [`HEADER`] when there is none to repeat.
        end: usize,
        /// Whether the response carries an OPT record.
        edns: bool,
    },
    /// Not a query, or not even a header: no answer, so that two gateways cannot be made to talk to each other.
    Nothing,
}

impl Query<'_> {
    /// The flags' first byte: QR, opcode, AA, TC, RD.
    fn flags(&self) -> (u8, u8) {
        (self.bytes[2], self.bytes[3])
    }

    /// Recursion desired.
    pub(crate) fn recursion(&self) -> bool {
        self.flags().0 & 0x01 != 0
    }

    /// Checking disabled (RFC 4035 §3.2.2).
    pub(crate) fn unchecked(&self) -> bool {
        self.flags().1 & 0x10 != 0
    }

    /// Whether DNSSEC records are wanted.
    pub(crate) fn dnssec(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec)
    }

    /// Whether the client understands the AD bit: it set it (RFC 6840 §5.7) or asked for DNSSEC records.
    pub(crate) fn wants_authentic(&self) -> bool {
        self.flags().1 & 0x20 != 0 || self.dnssec()
    }

    /// Whether it asks for the addresses of a host.
    pub(crate) fn for_addresses(&self) -> bool {
        matches!(self.qtype, rtype::A | rtype::AAAA | rtype::HTTPS)
    }
}

/// Room for a question's name, in both its forms.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    wire: WireName,
    text: NameText,
}

impl Default for Room {
    fn default() -> Self {
        Self { wire: WireName::ROOT, text: NameText::EMPTY }
    }
}

/// Hears a message from a client, its name read into `room`. It never fails: whatever the bytes are, there is one thing to
/// do.
pub(crate) fn hear<'a>(bytes: &'a [u8], room: &'a mut Room) -> Heard<'a> {
    let Some(counts) = Counts::read(bytes) else { return Heard::Nothing };
    let (flags, reject) = (bytes[2], |rcode, end| Heard::Reject { rcode, end, edns: false });
    if flags & 0x80 != 0 {
        return Heard::Nothing;
    }
    if flags & 0x78 != 0 {
        return reject(rcode::NOTIMP, HEADER);
    }
    if counts.questions != 1 {
        return reject(rcode::FORMERR, HEADER);
    }
    let Room { wire, text } = room;
    // Nothing stands before the question's name that a pointer could point at.
    let Some(end) = wire.read_question(bytes, text) else { return reject(rcode::FORMERR, HEADER) };
    let (Some(qtype), Some(class)) = (u16_at(bytes, end), u16_at(bytes, end + 2)) else {
        return reject(rcode::FORMERR, HEADER);
    };
    let end = end + 4;
    if class != IN || transfer_or_meta(qtype) {
        // CHAOS too: what software a gateway runs is nobody's business.
        return reject(rcode::REFUSED, end);
    }
    if counts.answers != 0 || counts.authorities != 0 {
        return reject(rcode::FORMERR, end);
    }
    let Ok(edns) = additional(bytes, end, counts.additionals) else { return reject(rcode::FORMERR, end) };
    if edns.is_some_and(|edns| edns.version > 0) {
        return Heard::Reject { rcode: rcode::BADVERS, end, edns: true };
    }
    Heard::Query(Query { bytes, name: wire, text: text.name(), qtype, end, edns })
}

/// Zone transfers, mail agents of 1983, and types that are no data (RFC 6895 §3.1), ANY apart.
fn transfer_or_meta(qtype: u16) -> bool {
    matches!(qtype, 0 | rtype::OPT | rtype::IXFR | rtype::AXFR | rtype::MAILA | rtype::MAILB)
        || (128..rtype::ANY).contains(&qtype)
}

/// The OPT record of the additional section: at most one, and nothing malformed beside it or after it.
fn additional(bytes: &[u8], mut at: usize, count: u16) -> Result<Option<Edns>, Malformed> {
    let mut edns = None;
    for _ in 0..count {
        let record = Record::read(bytes, at).ok_or(Malformed)?;
        at = record.end;
        if record.rtype == rtype::OPT {
            let read = Edns::read(bytes, &record).ok_or(Malformed)?;
            if edns.replace(read).is_some() {
                return Err(Malformed);
            }
        }
    }
    if at == bytes.len() { Ok(edns) } else { Err(Malformed) }
}

struct Malformed;
