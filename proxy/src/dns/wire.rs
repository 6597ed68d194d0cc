//! Reading DNS messages in place (RFC 1035 §4): nothing here allocates, and no bytes make it panic.

use blocklists::Name;

/// The length of a message's header (RFC 1035 §4.1.1).
pub(crate) const HEADER: usize = 12;
/// The longest name as it goes over the wire, the root's zero included (RFC 1035 §2.3.4).
pub(crate) const MAX_WIRE_NAME: usize = 255;
/// The longest label (RFC 1035 §2.3.4); a longer length is a pointer or reserved.
const MAX_LABEL: u8 = 63;

/// Types of records, by their numbers (IANA DNS parameters).
pub(crate) mod rtype {
    pub(crate) const A: u16 = 1;
    pub(crate) const NS: u16 = 2;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const PTR: u16 = 12;
    pub(crate) const HINFO: u16 = 13;
    pub(crate) const SIG: u16 = 24;
    pub(crate) const AAAA: u16 = 28;
    pub(crate) const NXT: u16 = 30;
    pub(crate) const DNAME: u16 = 39;
    pub(crate) const OPT: u16 = 41;
    pub(crate) const RRSIG: u16 = 46;
    pub(crate) const NSEC: u16 = 47;
    pub(crate) const NSEC3: u16 = 50;
    pub(crate) const SVCB: u16 = 64;
    pub(crate) const HTTPS: u16 = 65;
    pub(crate) const IXFR: u16 = 251;
    pub(crate) const AXFR: u16 = 252;
    pub(crate) const MAILA: u16 = 254;
    pub(crate) const MAILB: u16 = 253;
    pub(crate) const ANY: u16 = 255;
}

/// Response codes (RFC 6895 §2.3). Above 15 they need an OPT record.
pub(crate) mod rcode {
    pub(crate) const NOERROR: u16 = 0;
    pub(crate) const FORMERR: u16 = 1;
    pub(crate) const SERVFAIL: u16 = 2;
    pub(crate) const NXDOMAIN: u16 = 3;
    pub(crate) const NOTIMP: u16 = 4;
    pub(crate) const REFUSED: u16 = 5;
    pub(crate) const BADVERS: u16 = 16;
}

/// The internet's class.
pub(crate) const IN: u16 = 1;

/// Two bytes at a place.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes([two[0], two[1]]))
}

/// Four bytes at a place.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// A name without compression, as it goes over the wire.
#[derive(Clone, Copy)]
pub(crate) struct WireName {
    len: u8,
    bytes: [u8; MAX_WIRE_NAME],
}

impl std::fmt::Debug for WireName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text().name().as_str())
    }
}

impl PartialEq for WireName {
    /// Names are equal whatever their case (RFC 4343).
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq_ignore_ascii_case(other.bytes())
    }
}

impl WireName {
    /// The root.
    pub(crate) const ROOT: WireName = WireName { len: 1, bytes: [0; MAX_WIRE_NAME] };

    /// Reads the name at a place of a message, following compression pointers, and tells where it ends.
    ///
    /// Every pointer must point before the part that it ends (RFC 1035 §4.1.4: a *prior* occurrence), so that no
    /// message can make the reading loop.
    pub(crate) fn read(message: &[u8], at: usize) -> Option<(Self, usize)> {
        let mut name = Self { len: 0, bytes: [0; MAX_WIRE_NAME] };
        let (mut at, mut before, mut end) = (at, at, None);
        loop {
            let length = *message.get(at)?;
            match length & 0xC0 {
                0x00 => {
                    let label = message.get(at..at + 1 + usize::from(length))?;
                    name.append(label)?;
                    at += label.len();
                    if length == 0 {
                        return Some((name, end.unwrap_or(at)));
                    }
                }
                0xC0 => {
                    let target = usize::from(u16_at(message, at)? & 0x3FFF);
                    if target >= before {
                        return None;
                    }
                    end = end.or(Some(at + 2));
                    (at, before) = (target, target);
                }
                // 0x40 and 0x80 are reserved and were never used (RFC 6891 §5).
                _ => return None,
            }
        }
    }

    /// Reads the uncompressed name that stands after a message's header, in lower case and as text, over what these held.
    /// Tells where it ends.
    pub(crate) fn read_question(&mut self, message: &[u8], text: &mut NameText) -> Option<usize> {
        (self.len, text.len) = (0, 0);
        let mut at = HEADER;
        loop {
            let length = *message.get(at)?;
            if length > MAX_LABEL {
                return None;
            }
            let label = message.get(at..at + 1 + usize::from(length))?;
            let from = usize::from(self.len);
            // A length byte is at most 63 and so never a letter.
            let wire = self.bytes.get_mut(from..from + label.len())?;
            wire.copy_from_slice(label);
            wire.make_ascii_lowercase();
            self.len = u8::try_from(from + label.len()).ok()?;
            at += label.len();
            if length == 0 {
                return Some(at);
            }
            text.push_label(&label[1..]);
        }
    }

    fn append(&mut self, bytes: &[u8]) -> Option<()> {
        let from = usize::from(self.len);
        self.bytes.get_mut(from..from + bytes.len())?.copy_from_slice(bytes);
        self.len = u8::try_from(from + bytes.len()).ok()?;
        Some(())
    }

    /// The name of a host as the rest of the program writes it. A text that is no name becomes the root.
    pub(crate) fn from_name(name: Name<'_>) -> Self {
        Self::from_text(name.as_str()).unwrap_or(Self::ROOT)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut name = Self { len: 0, bytes: [0; MAX_WIRE_NAME] };
        for label in text.split('.').filter(|_| !text.is_empty()) {
            let length = u8::try_from(label.len()).ok().filter(|l| (1..=63).contains(l))?;
            name.append(&[length])?;
            name.append(label.as_bytes())?;
        }
        name.append(&[0])?;
        Some(name)
    }

    /// The bytes, the root's zero included.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The same name in lower case.
    #[must_use]
    pub(crate) fn lower(mut self) -> Self {
        // A length byte is at most 63 and so never a letter.
        self.bytes.make_ascii_lowercase();
        self
    }

    /// Its labels, most specific first, without the root.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes();
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            let (label, tail) = tail.split_at_checked(usize::from(length)).filter(|(l, _)| !l.is_empty())?;
            rest = tail;
            Some(label)
        })
    }

    /// Whether this name is `zone` or below it.
    pub(crate) fn is_under(&self, zone: &WireName) -> bool {
        let mut rest = self.bytes();
        loop {
            if rest.eq_ignore_ascii_case(zone.bytes()) {
                return true;
            }
            match rest.first() {
                Some(&length) if length != 0 => rest = &rest[1 + usize::from(length)..],
                _ => return false,
            }
        }
    }

    /// The name as text, lower case. What no host name holds becomes `?`, so that a dot inside a label cannot pass for
    /// the dot between two, while the parents of such a name still match.
    pub(crate) fn text(&self) -> NameText {
        let mut text = NameText::EMPTY;
        self.labels().for_each(|label| text.push_label(label));
        text
    }
}

/// What each byte of a label is in a name's text.
const PLAIN: [u8; 256] = {
    let mut plain = [b'?'; 256];
    let mut byte = 0;
    while byte < 256 {
        match byte as u8 {
            same @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => plain[byte] = same,
            upper @ b'A'..=b'Z' => plain[byte] = upper.to_ascii_lowercase(),
            _ => {}
        }
        byte += 1;
    }
    plain
};

/// A name's text, kept inline.
#[derive(Clone, Copy)]
pub(crate) struct NameText {
    len: u8,
    bytes: [u8; MAX_WIRE_NAME],
}

impl std::fmt::Debug for NameText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name().as_str())
    }
}

impl NameText {
    /// No text: the root.
    pub(crate) const EMPTY: NameText = NameText { len: 0, bytes: [0; MAX_WIRE_NAME] };

    fn push_label(&mut self, label: &[u8]) {
        if self.len > 0 {
            self.bytes[usize::from(self.len)] = b'.';
            self.len += 1;
        }
        let from = usize::from(self.len);
        // A name of 255 bytes has at most 253 characters, so that there is always room.
        for (to, &byte) in self.bytes[from..from + label.len()].iter_mut().zip(label) {
            *to = PLAIN[usize::from(byte)];
        }
        self.len += label.len() as u8;
    }

    /// The text as the decision knows names.
    pub(crate) fn name(&self) -> Name<'_> {
        Name::trusted(std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default())
    }
}

/// One record of a message, where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Whose it is.
    pub(crate) owner: WireName,
    /// Its type.
    pub(crate) rtype: u16,
    /// Its class.
    pub(crate) class: u16,
    /// Its time to live, in seconds. One with the top bit set is zero (RFC 2181 §8).
    pub(crate) ttl: u32,
    /// Where its data begins.
    pub(crate) data: usize,
    /// Where its data, and the record, ends.
    pub(crate) end: usize,
}

impl Record {
    /// Reads the record at a place.
    pub(crate) fn read(message: &[u8], at: usize) -> Option<Self> {
        let (owner, fixed) = WireName::read(message, at)?;
        let ttl = u32_at(message, fixed + 4)?;
        let data = fixed + 10;
        let end = data + usize::from(u16_at(message, fixed + 8)?);
        (end <= message.len()).then_some(())?;
        let (rtype, class) = (u16_at(message, fixed)?, u16_at(message, fixed + 2)?);
        let ttl = if ttl > i32::MAX as u32 && rtype != rtype::OPT { 0 } else { ttl };
        Some(Self { owner, rtype, class, ttl, data, end })
    }
}

/// The counts of a message's four sections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Questions.
    pub(crate) questions: u16,
    /// Answers.
    pub(crate) answers: u16,
    /// Authority records.
    pub(crate) authorities: u16,
    /// Additional records.
    pub(crate) additionals: u16,
}

impl Counts {
    /// Reads a header's counts.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        Some(Self {
            questions: u16_at(message, 4)?,
            answers: u16_at(message, 6)?,
            authorities: u16_at(message, 8)?,
            additionals: u16_at(message, 10)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> WireName {
        WireName::from_text(text).unwrap()
    }

    #[test]
    fn names_there_and_back() {
        for text in ["", "example", "www.example.test", "_dmarc.a-b.example"] {
            assert_eq!(wire(text).text().name().as_str(), text);
        }
        assert!(wire("WWW.Example.test") == wire("www.example.TEST"));
    }

    #[test]
    fn a_dot_inside_a_label_is_no_boundary() {
        let name = WireName::read(b"\x0bwww.blocked\x07example\0", 0).unwrap().0;
        assert_eq!(name.text().name().as_str(), "www?blocked.example");
    }

    #[test]
    fn pointers() {
        // A name at 0, one at 13 that points to it, then what must not be followed.
        let message = b"\x03www\x07example\0\x01a\xC0\x04\xC0\x13\xC0\x20\x40\xC0";
        assert_eq!(WireName::read(message, 0).unwrap().1, 13);
        let (name, end) = WireName::read(message, 13).unwrap();
        assert_eq!((name.text().name().as_str(), end), ("a.example", 17));
        for (at, why) in [(17, "points at a later place"), (19, "points past the end"), (21, "reserved bits")]
        {
            assert!(WireName::read(message, at).is_none(), "{why}");
        }
        assert!(WireName::read(b"\xC0\x00", 0).is_none(), "points at itself");
        assert!(WireName::read(b"\x01a\xC0\x00", 0).is_none(), "points at its own beginning");
        assert!(WireName::read(b"\x05ab", 0).is_none(), "ends inside a label");
    }

    #[test]
    fn a_name_is_at_most_255_bytes() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(wire(&longest).bytes().len(), 255);
        assert_eq!(wire(&longest).text().name().as_str(), longest);
        assert!(WireName::from_text(&format!("{longest}a")).is_none());
    }

    #[test]
    fn below_a_zone() {
        assert!(wire("a.b.example").is_under(&wire("B.example")));
        assert!(wire("b.example").is_under(&wire("b.example")));
        assert!(wire("b.example").is_under(&WireName::ROOT));
        assert!(!wire("ab.example").is_under(&wire("b.example")));
        assert!(!wire("example").is_under(&wire("b.example")));
    }
}
