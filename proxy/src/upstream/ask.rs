//! A question as it goes upstream: nothing of the client's goes with it.

use crate::dns::edns::MOST_UDP;
use crate::dns::wire::{HEADER, IN, WireName, rtype};
use blocklists::Domain;
use ring::rand::{SecureRandom, SystemRandom};

/// A question for upstreams. No client subnet, cookie or other option of the client's is ever sent on (RFC 7871 §12.1).
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The name, in lower case.
    pub(crate) name: WireName,
    /// The type.
    pub(crate) qtype: u16,
    /// Whether DNSSEC records are asked for (DO).
    pub(crate) dnssec: bool,
    /// Whether the upstream shall not check them (CD).
    pub(crate) unchecked: bool,
    /// Whether DNSSEC records are kept in the answer.
    pub(crate) keep_dnssec: bool,
}

impl Question {
    /// The root's servers: what every resolver can answer.
    pub(crate) fn root() -> Self {
        Self::plain(WireName::ROOT, rtype::NS)
    }

    /// The two questions for a host's addresses. `None`: it is no host name.
    pub(crate) fn addresses_of(host: &str) -> Option<[Self; 2]> {
        let name = WireName::from_name(Domain::parse(host).ok()?.name());
        Some([Self::plain(name, rtype::A), Self::plain(name, rtype::AAAA)])
    }

    fn plain(name: WireName, qtype: u16) -> Self {
        Self { name, qtype, dnssec: false, unchecked: false, keep_dnssec: false }
    }

    /// The message, with identifier 0.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(HEADER + self.name.bytes().len() + 4 + 11);
        // Recursion desired; AD asks for the upstream's word on signatures (RFC 6840 §5.7).
        let second = 0x20 | if self.unchecked { 0x10 } else { 0 };
        wire.extend([0, 0, 0x01, second, 0, 1, 0, 0, 0, 0, 0, 1]);
        wire.extend_from_slice(self.name.bytes());
        wire.extend(self.qtype.to_be_bytes());
        wire.extend(IN.to_be_bytes());
        wire.push(0);
        wire.extend(rtype::OPT.to_be_bytes());
        wire.extend(MOST_UDP.to_be_bytes());
        wire.extend([0, 0, if self.dnssec { 0x80 } else { 0 }, 0, 0, 0]);
        wire
    }

    /// The message as it goes over UDP, where a stranger could answer in the upstream's place: a random identifier and
    /// random case (draft-vixie-dnsext-dns0x20) are what they would have to guess, beside the port.
    pub(crate) fn guarded(&self) -> Vec<u8> {
        let mut wire = self.wire();
        let mut random = [0; 2 + 32];
        // Without randomness the message is as guessable as the port lets it be, and still right.
        let _ = SystemRandom::new().fill(&mut random);
        wire[..2].copy_from_slice(&random[..2]);
        let name = wire[HEADER..].iter_mut().take(self.name.bytes().len());
        for (place, byte) in name.enumerate() {
            let bit = random[2 + (place / 8) % 32] >> (place % 8) & 1;
            if bit == 1 && byte.is_ascii_lowercase() {
                *byte = byte.to_ascii_uppercase();
            }
        }
        wire
    }

    /// The length of header and question.
    pub(crate) fn question_end(&self) -> usize {
        HEADER + self.name.bytes().len() + 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_upstream_is_read_by_another_engine() {
        let [question, _] = Question::addresses_of("www.example.test").unwrap();
        for wire in [question.wire(), question.guarded()] {
            let message = domain::base::Message::from_octets(wire).unwrap();
            assert!(message.header().rd() && !message.header().cd());
            let asked = message.sole_question().unwrap();
            assert_eq!(asked.qname().to_string().to_lowercase(), "www.example.test");
            let opt = message.opt().unwrap();
            assert_eq!((opt.udp_payload_size(), opt.dnssec_ok(), opt.version()), (1232, false, 0));
            assert_eq!(opt.opt().len(), 0, "no option of anybody's");
        }
    }

    #[test]
    fn case_and_identifier_differ_each_time() {
        let [question, _] = Question::addresses_of("a-rather-long-name-to-spell.example.test").unwrap();
        assert_ne!(question.guarded(), question.guarded());
    }
}
