//! Writing DNS messages: names compressed (RFC 1035 §4.1.4), lengths and counts kept right.

use super::wire::{HEADER, WireName};

/// No message is longer: its length goes over TCP in two bytes.
pub(crate) const MOST: usize = 65_535;
/// A pointer holds 14 bits.
const MOST_POINTER: usize = 0x3FFF;
/// So many places are remembered for compression; beyond them names are written out.
const MOST_PLACES: usize = 256;

/// Which section a record is in: the place of its count in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Answers.
    Answer = 6,
    /// Authority.
    Authority = 8,
}

/// A message that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    places: Vec<(usize, Box<[u8]>)>,
    ttls: Vec<u16>,
}

/// The message would become longer than [`MOST`].
#[derive(Debug)]
pub(crate) struct TooLong;

impl Writer {
    /// Begins a response to a question of the internet's class.
    pub(crate) fn new(name: &WireName, qtype: u16, rcode: u16) -> Self {
        let mut writer = Self { bytes: Vec::with_capacity(512), places: Vec::new(), ttls: Vec::new() };
        writer.bytes.extend([0, 0, 0x80, 0x80 | (rcode & 0x0F) as u8, 0, 1, 0, 0, 0, 0, 0, 0]);
        debug_assert_eq!(writer.bytes.len(), HEADER);
        writer.name(name);
        writer.bytes.extend(qtype.to_be_bytes());
        writer.bytes.extend(super::wire::IN.to_be_bytes());
        writer
    }

    /// Where the next byte goes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes a record; `data` writes its data.
    pub(crate) fn record(
        &mut self,
        section: Section,
        owner: &WireName,
        rtype: u16,
        ttl: u32,
        data: impl FnOnce(&mut Self),
    ) -> Result<(), TooLong> {
        self.name(owner);
        self.bytes.extend(rtype.to_be_bytes());
        self.bytes.extend(super::wire::IN.to_be_bytes());
        self.ttls.push(u16::try_from(self.bytes.len()).map_err(|_| TooLong)?);
        self.bytes.extend(ttl.to_be_bytes());
        let length_at = self.bytes.len();
        self.bytes.extend([0, 0]);
        data(self);
        let length = u16::try_from(self.bytes.len() - length_at - 2).map_err(|_| TooLong)?;
        self.bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        self.count(section);
        if self.bytes.len() > MOST { Err(TooLong) } else { Ok(()) }
    }

    fn count(&mut self, section: Section) {
        let at = section as usize;
        // A record has at least 11 bytes, so that MOST is reached long before 65 535 records.
        let count = u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]).saturating_add(1);
        self.bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes a name, pointing at an earlier one where it can.
    pub(crate) fn name(&mut self, name: &WireName) {
        let mut rest = name.bytes();
        while let Some(&length) = rest.first().filter(|&&length| length > 0) {
            if let Some((at, _)) = self.places.iter().find(|(_, known)| known.eq_ignore_ascii_case(rest)) {
                let pointer = 0xC000 | u16::try_from(*at).unwrap_or_default();
                self.bytes.extend(pointer.to_be_bytes());
                return;
            }
            if self.bytes.len() <= MOST_POINTER && self.places.len() < MOST_PLACES {
                self.places.push((self.bytes.len(), rest.into()));
            }
            let (label, tail) = rest.split_at(1 + usize::from(length));
            self.bytes.extend_from_slice(label);
            rest = tail;
        }
        self.bytes.push(0);
    }

    /// Writes a name in full: types newer than RFC 1035 are not compressed (RFC 3597 §4).
    pub(crate) fn whole_name(&mut self, name: &WireName) {
        self.raw(name.bytes());
    }

    /// The message, and where its records' times to live stand.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<u16>) {
        (self.bytes, self.ttls)
    }
}
