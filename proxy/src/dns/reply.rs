//! Responses, written into the caller's buffer: the question as it was asked, then what we say ourselves.

use super::edns::{LEAST_UDP, MOST_UDP};
use super::question::Query;
use super::wire::{HEADER, IN, rtype};
use super::{Transport, wire::rcode};
use std::net::IpAddr;

/// A pointer to the question's name.
pub(crate) const QUESTION_NAME: [u8; 2] = [0xC0, HEADER as u8];
/// Extended DNS errors in an OPT record (RFC 8914).
const EXTENDED_ERROR: u16 = 15;
/// The longest text of an extended error, so that it never crowds out the answer.
pub(crate) const MOST_TEXT: usize = 300;

/// Extended error codes (RFC 8914 §4).
pub(crate) mod ede {
    pub(crate) const STALE: u16 = 3;
    pub(crate) const BOGUS: u16 = 6;
    pub(crate) const NOT_READY: u16 = 14;
    pub(crate) const BLOCKED: u16 = 15;
    pub(crate) const CENSORED: u16 = 16;
    pub(crate) const FILTERED: u16 = 17;
    pub(crate) const STALE_NXDOMAIN: u16 = 19;
    pub(crate) const NOT_AUTHORITATIVE: u16 = 20;
    pub(crate) const NO_REACHABLE_AUTHORITY: u16 = 22;
    pub(crate) const NETWORK_ERROR: u16 = 23;
}

/// Writes a response without records.
pub(crate) fn reject(bytes: &[u8], end: usize, code: u16, with_edns: bool, out: &mut Vec<u8>) {
    begin(bytes, end, code, false, out);
    // A message that is no query may ask for anything; recursion is promised to queries only.
    if with_edns {
        opt(out, code, false, None);
    }
}

/// Begins a response: header and question. `authentic` is the AD bit.
pub(crate) fn begin(bytes: &[u8], end: usize, code: u16, authentic: bool, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&bytes[..2]);
    // QR; opcode and RD as they were.
    out.push(0x80 | bytes[2] & 0x79);
    // RA; CD as it was.
    let ad = if authentic { 0x20 } else { 0 };
    out.push(0x80 | ad | bytes[3] & 0x10 | (code & 0x0F) as u8);
    let question = u8::from(end > HEADER);
    out.extend([0, question, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&bytes[HEADER..end]);
}

/// Writes an address of the question's name.
pub(crate) fn address(out: &mut Vec<u8>, address: IpAddr, ttl: u32) {
    let qtype = match address {
        IpAddr::V4(_) => rtype::A,
        IpAddr::V6(_) => rtype::AAAA,
    };
    record(out, 6, &QUESTION_NAME, qtype, ttl, |out| match address {
        IpAddr::V4(v4) => out.extend(v4.octets()),
        IpAddr::V6(v6) => out.extend(v6.octets()),
    });
}

/// Writes a record: `count_at` is its section's place in the header.
pub(crate) fn record(
    out: &mut Vec<u8>,
    count_at: usize,
    owner: &[u8],
    qtype: u16,
    ttl: u32,
    data: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(owner);
    out.extend(qtype.to_be_bytes());
    out.extend(IN.to_be_bytes());
    out.extend(ttl.to_be_bytes());
    let length_at = out.len();
    out.extend([0, 0]);
    data(out);
    // What is written here is a name or less.
    let length = u16::try_from(out.len() - length_at - 2).unwrap_or_default();
    out[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
    let count = u16::from_be_bytes([out[count_at], out[count_at + 1]]) + 1;
    out[count_at..count_at + 2].copy_from_slice(&count.to_be_bytes());
}

/// Writes the SOA that lets a client keep a "no" for `ttl` seconds and no longer (RFC 2308 §5). Without one it would
/// ask again at once, each time.
pub(crate) fn soa(out: &mut Vec<u8>, ttl: u32) {
    record(out, 8, &QUESTION_NAME, rtype::SOA, ttl, |out| {
        out.extend_from_slice(&QUESTION_NAME);
        out.extend_from_slice(b"\x06nobody\x07invalid\0");
        for number in [1, 3600, 600, 86_400, ttl] {
            out.extend(u32::to_be_bytes(number));
        }
    });
}

/// The answer to a question for every type (RFC 8482 §4.2).
pub(crate) fn any(out: &mut Vec<u8>, ttl: u32) {
    record(out, 6, &QUESTION_NAME, rtype::HINFO, ttl, |out| out.extend_from_slice(b"\x07RFC8482\0"));
}

/// A reason in an OPT record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extended<'a> {
    /// Its code.
    pub(crate) code: u16,
    /// Its text; may be empty.
    pub(crate) text: &'a str,
}

impl Extended<'static> {
    /// A code without text.
    pub(crate) fn code(code: u16) -> Self {
        Self { code, text: "" }
    }
}

/// Ends a response: an OPT record if the query had one, and no more bytes than the client takes.
pub(crate) fn finish(
    query: &Query<'_>,
    transport: Transport,
    code: u16,
    reason: Option<&Extended<'_>>,
    out: &mut Vec<u8>,
) {
    let room = limit(query, transport);
    let mut before_opt = out.len();
    if query.edns.is_some() {
        opt(out, code, query.dnssec(), reason);
        if out.len() > room && reason.is_some() {
            // The answer matters more than the reason's text.
            drop_opt(out, before_opt);
            opt(out, code, query.dnssec(), reason.map(|r| Extended::code(r.code)).as_ref());
        }
    }
    if out.len() > room {
        truncate(query, out, code);
        before_opt = query.end;
    }
    if query.edns.is_some() && matches!(transport, Transport::Tls | Transport::Https) {
        pad(out, before_opt, room);
    }
}

/// Answers inside TLS are of so many bytes, or twice, or three times as many: their length tells less of what they are
/// (RFC 8467 §4.1).
const BLOCK: usize = 468;
/// The option that fills them up (RFC 7830).
const PADDING: u16 = 12;

/// Fills a message up to whole blocks. Its last record is the OPT record, at a place.
fn pad(out: &mut Vec<u8>, opt_at: usize, room: usize) {
    /// Root, type, class and time to live stand before the length of the record's data.
    const LENGTH: usize = 1 + 2 + 2 + 4;
    let with_option = out.len() + 4;
    let fill = with_option.next_multiple_of(BLOCK).min(room).checked_sub(with_option);
    let Some(fill) = fill.and_then(|fill| u16::try_from(fill).ok()) else { return };
    out.extend(PADDING.to_be_bytes().into_iter().chain(fill.to_be_bytes()));
    out.resize(out.len() + usize::from(fill), 0);
    let data = u16::try_from(out.len() - opt_at - LENGTH - 2).unwrap_or_default();
    out[opt_at + LENGTH..opt_at + LENGTH + 2].copy_from_slice(&data.to_be_bytes());
}

/// How much the client takes.
pub(crate) fn limit(query: &Query<'_>, transport: Transport) -> usize {
    match transport {
        Transport::Udp => usize::from(query.edns.map_or(LEAST_UDP, |edns| edns.size.min(MOST_UDP))),
        Transport::Tcp | Transport::Tls | Transport::Https => super::write::MOST,
    }
}

/// Header and question alone, with TC: the client comes back over TCP.
pub(crate) fn truncate(query: &Query<'_>, out: &mut Vec<u8>, code: u16) {
    out.truncate(query.end);
    out[2] |= 0x02;
    out[6..12].fill(0);
    if query.edns.is_some() {
        opt(out, code, query.dnssec(), None);
    }
}

fn drop_opt(out: &mut Vec<u8>, before: usize) {
    out.truncate(before);
    out[11] -= 1;
}

fn opt(out: &mut Vec<u8>, code: u16, dnssec: bool, reason: Option<&Extended<'_>>) {
    out.push(0);
    out.extend(rtype::OPT.to_be_bytes());
    out.extend(MOST_UDP.to_be_bytes());
    out.extend([(code >> 4) as u8, 0, if dnssec { 0x80 } else { 0 }, 0]);
    let text = reason.map_or("", |reason| shortened(reason.text));
    let length = reason.map_or(0, |_| 6 + text.len() as u16);
    out.extend(length.to_be_bytes());
    if let Some(reason) = reason {
        out.extend(EXTENDED_ERROR.to_be_bytes());
        out.extend((2 + text.len() as u16).to_be_bytes());
        out.extend(reason.code.to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    // We write no other additional record, so that the count's low byte is enough.
    out[11] += 1;
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(MOST_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A response that says that we, or the upstream, could not answer.
pub(crate) fn failure(query: &Query<'_>, transport: Transport, extended: u16, out: &mut Vec<u8>) {
    begin(query.bytes, query.end, rcode::SERVFAIL, false, out);
    finish(query, transport, rcode::SERVFAIL, Some(&Extended::code(extended)), out);
}
