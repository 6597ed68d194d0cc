//! The server name in a TLS ClientHello, read without taking part in the handshake.
//!
//! The parser is pure and total: any bytes give an answer and none panics, allocates without bound or waits. It follows
//! RFC 8446 §4.1.2 (ClientHello), §5.1 (records), RFC 5246 §7.4.1.2 (the same, earlier), RFC 6066 §3 (server name) and
//! RFC 9849 (encrypted ClientHello). A post-quantum key share does not fit one TCP segment and may span records, so the
//! caller feeds everything it has so far, again and again, until the answer is not [`Opening::More`].

use blocklists::{Domain, NotADomain};
use std::borrow::Cow;

/// The most bytes that a hello may take before it is [`Opening::Malformed`]: post-quantum hellos are near 2 KiB.
pub const MOST: usize = 16 * 1024;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const LARGEST_RECORD: usize = 1 << 14;
const SERVER_NAME: u16 = 0;
const ENCRYPTED_HELLO: u16 = 0xfe0d;

/// What the first bytes of a connection are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Not enough bytes to tell yet, and fewer than [`MOST`].
    More,
    /// A whole ClientHello.
    Hello(Hello),
    /// These bytes do not begin TLS.
    NotTls,
    /// They begin TLS and then break its rules, or go on for longer than [`MOST`].
    Malformed,
}

/// What a ClientHello says of where it wants to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The server name. None when there is none; an address in its place, which RFC 6066 forbids, counts as none.
    pub name: Option<Domain>,
    /// Whether an encrypted hello is inside: then [`Hello::name`] is only the outer name. Browsers also send this
    /// extension filled with noise (GREASE), so it alone says nothing about what they hide.
    pub encrypted: bool,
}

/// A rule of the format was broken.
struct Broken;

/// Reads the first bytes of a connection. Call it again with more bytes after [`Opening::More`].
pub fn parse(bytes: &[u8]) -> Opening {
    if !begins_tls(bytes) {
        return Opening::NotTls;
    }
    match handshake(bytes) {
        Ok(Some(message)) => client_hello(&message).map_or(Opening::Malformed, Opening::Hello),
        Ok(None) if bytes.len() < MOST => Opening::More,
        Ok(None) | Err(Broken) => Opening::Malformed,
    }
}

/// Whether these bytes can be the beginning of a handshake record: type, then major version 3 (SSL 3 to TLS 1.3).
fn begins_tls(bytes: &[u8]) -> bool {
    let expected = [HANDSHAKE, 3];
    bytes.iter().zip(expected).all(|(is, wanted)| *is == wanted)
}

/// The body of the first handshake message, put together from as many records as it takes; none while it is incomplete.
fn handshake(bytes: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Broken> {
    let mut rest = bytes;
    let mut joined: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    loop {
        let Some(fragment) = record(&mut rest)? else {
            // A record may still be under way; what it holds so far can already be told to be no hello.
            return if wanted(&joined)?.is_some_and(|length| length > MOST) { Err(Broken) } else { Ok(None) };
        };
        if joined.is_empty() {
            joined = Cow::Borrowed(fragment);
        } else {
            joined.to_mut().extend_from_slice(fragment);
        }
        match wanted(&joined)? {
            Some(length) if length == joined.len() => return Ok(Some(without_header(joined))),
            // Nothing may follow a ClientHello in its last record: keys change there (RFC 8446 §5.1).
            Some(length) if length < joined.len() || length > MOST => return Err(Broken),
            Some(_) | None => {}
        }
    }
}

fn without_header(message: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match message {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(4..).unwrap_or_default()),
        Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(4.min(bytes.len()))),
    }
}

/// Takes one whole record off the front and gives its fragment; none while it is incomplete.
fn record<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
    if !begins_tls(rest) {
        return Err(Broken);
    }
    let [_, _, _, high, low, after @ ..] = *rest else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length == 0 || length > LARGEST_RECORD {
        return Err(Broken);
    }
    let Some((fragment, after)) = after.split_at_checked(length) else { return Ok(None) };
    *rest = after;
    Ok(Some(fragment))
}

/// How long the handshake message is with its header, once that is known.
fn wanted(message: &[u8]) -> Result<Option<usize>, Broken> {
    match message {
        [] => Ok(None),
        [kind, ..] if *kind != CLIENT_HELLO => Err(Broken),
        [_, a, b, c, ..] => {
            Ok(Some(4 + usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap_or(usize::MAX)))
        }
        _ => Ok(None),
    }
}

/// A place in a message, moving forward.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<u16, Broken> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A vector with one byte of length before it.
    fn short_vector(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// A vector with two bytes of length before it.
    fn vector(&mut self) -> Result<&'a [u8], Broken> {
        let length = self.short()?;
        self.take(usize::from(length))
    }
}

fn client_hello(message: &[u8]) -> Option<Hello> {
    read_hello(Reader(message)).ok()
}

fn read_hello(mut hello: Reader<'_>) -> Result<Hello, Broken> {
    let _version_and_random = hello.take(2 + 32)?;
    if hello.short_vector()?.len() > 32 {
        return Err(Broken);
    }
    let suites = hello.vector()?;
    let compressions = hello.short_vector()?;
    if suites.len() < 2 || suites.len() % 2 != 0 || compressions.is_empty() {
        return Err(Broken);
    }
    // SSL 3 and some TLS 1.0 hellos end here.
    let list = if hello.0.is_empty() { &[][..] } else { hello.vector()? };
    if hello.0.is_empty() { extensions(Reader(list)) } else { Err(Broken) }
}

fn extensions(mut list: Reader<'_>) -> Result<Hello, Broken> {
    let mut hello = Hello { name: None, encrypted: false };
    let mut named = false;
    while !list.0.is_empty() {
        let kind = list.short()?;
        let body = list.vector()?;
        match kind {
            // Two server names would let us judge one while the server obeys the other.
            SERVER_NAME if std::mem::replace(&mut named, true) => return Err(Broken),
            SERVER_NAME => hello.name = server_name(Reader(body))?,
            ENCRYPTED_HELLO => hello.encrypted = true,
            _ => {}
        }
    }
    Ok(hello)
}

fn server_name(mut body: Reader<'_>) -> Result<Option<Domain>, Broken> {
    let mut list = Reader(body.vector()?);
    if !body.0.is_empty() || list.0.is_empty() {
        return Err(Broken);
    }
    // The list holds one entry in practice and by RFC 6066 one of each type; only type 0, a host name, was ever defined.
    if list.byte()? != 0 {
        return Err(Broken);
    }
    let text = std::str::from_utf8(list.vector()?).map_err(|_| Broken)?;
    if !list.0.is_empty() || !text.is_ascii() {
        return Err(Broken);
    }
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Ok(None);
    }
    match Domain::parse(text) {
        Ok(name) => Ok(Some(name)),
        Err(NotADomain::Address) => Ok(None),
        Err(_) => Err(Broken),
    }
}

#[cfg(test)]
#[path = "sni/tests.rs"]
mod tests;
