//! DNSSEC validation against a zone that the test signs itself (RFC 4034, RFC 8080), with its key as the trust anchor.

use crate::home::{Home, JORDAN, Setup};
use crate::internet::{Server, wire};
use agreements::Dnssec;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};

const ED25519: u8 = 15;
/// From 2020 to 2080: the validator reads the machine's own clock.
const INCEPTION: u32 = 1_577_836_800;
const EXPIRATION: u32 = 3_471_292_800;

struct Signer {
    key: Ed25519KeyPair,
    dnskey: Vec<u8>,
    tag: u16,
}

impl Signer {
    fn new(seed: u8) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key");
        let dnskey = [&[1, 1, 3, ED25519][..], key.public_key().as_ref()].concat();
        // RFC 4034, appendix B.
        let sum: u32 = dnskey.iter().enumerate().map(|(i, &b)| u32::from(b) << (8 * (1 - i % 2))).sum();
        Self { key, tag: (sum + (sum >> 16)) as u16, dnskey }
    }

    /// The zone's trust anchor, as a DS record.
    fn anchor(&self) -> String {
        let hashed = digest(&SHA256, &[wire("test"), self.dnskey.clone()].concat());
        format!("test. 3600 IN DS {} {ED25519} 2 {}\n", self.tag, hex(hashed.as_ref()))
    }

    /// A record and its signature, as two lines of a zone.
    fn lines(&self, name: &str, number: u16, rtype: &str, data: &[u8]) -> String {
        let labels = name.split('.').count() as u8;
        let mut signature = [&number.to_be_bytes()[..], &[ED25519, labels], &300u32.to_be_bytes()].concat();
        signature.extend(EXPIRATION.to_be_bytes());
        signature.extend(INCEPTION.to_be_bytes());
        signature.extend(self.tag.to_be_bytes());
        signature.extend(wire("test"));
        let length = (data.len() as u16).to_be_bytes();
        let record =
            [&wire(name)[..], &number.to_be_bytes(), &[0, 1], &300u32.to_be_bytes(), &length, data].concat();
        let signed = self.key.sign(&[signature.clone(), record].concat());
        signature.extend(signed.as_ref());
        format!("{name} 300 {rtype} \\# {}\n{name} 300 RRSIG \\# {}\n", hex(data), hex(&signature))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}

fn zone(signer: &Signer) -> String {
    let right = signer.lines("www.test", 1, "A", &[192, 0, 2, 1]);
    let forged =
        signer.lines("forged.test", 1, "A", &[192, 0, 2, 2]).replace("A \\# C0000202", "A 192.0.2.66");
    let strangers = Signer::new(9).lines("stranger.test", 1, "A", &[192, 0, 2, 3]);
    let key = signer.lines("test", 48, "DNSKEY", &signer.dnskey);
    format!("{key}{right}{forged}{strangers}unsigned.test 300 A 192.0.2.4\n")
}

#[tokio::test]
async fn what_is_proved_and_what_is_not() {
    let signer = Signer::new(7);
    let server = Server::start(&zone(&signer)).await;
    let mut setup = Setup::new(&[&server]).resolver(move |resolver| resolver.trust_anchors = signer.anchor());
    setup.gateway.dnssec = Dnssec::Validate;
    let home = Home::open(setup).await;
    for (question, expected) in [
        ("www.test A", "NOERROR; www.test 300 A 192.0.2.1"),
        ("www.test A +ad", "NOERROR ad; www.test 300 A 192.0.2.1"),
        ("www.test A +do", "NOERROR ad; www.test 300 A 192.0.2.1; www.test 300 RRSIG"),
        ("forged.test A +edns", "SERVFAIL; ede"),
        ("stranger.test A +edns", "SERVFAIL; ede"),
        ("unsigned.test A +edns", "SERVFAIL; ede"),
        ("forged.test A +cd", "NOERROR cd; forged.test 300 A 192.0.2.66"),
    ] {
        let said = home.ask(JORDAN, question).await;
        assert!(said.starts_with(expected), "{question}: {said}");
    }
}
