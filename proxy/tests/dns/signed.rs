//! DNSSEC validation against a zone that the test signs itself (RFC 4034, RFC 8080), with its key as the trust anchor.

use crate::home::{Home, JORDAN, Setup};
use crate::internet::{Server, wire};
use agreements::Dnssec;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

const ECDSA_P256: u8 = 13;
const ED25519: u8 = 15;
/// From 2020 to 2080: the validator reads the machine's own clock.
pub const INCEPTION: u32 = 1_577_836_800;
pub const EXPIRATION: u32 = 3_471_292_800;

enum Key {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A zone's key.
pub struct Signer {
    zone: &'static str,
    key: Key,
    pub dnskey: Vec<u8>,
    tag: u16,
}

impl Signer {
    fn new(seed: u8) -> Self {
        Self::of("test", seed)
    }

    pub fn of(zone: &'static str, seed: u8) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key");
        let public = key.public_key().as_ref().to_vec();
        Self::with(zone, Key::Ed25519(key), &public)
    }

    /// A new key as most zones have it (RFC 6605 §4).
    pub fn p256(zone: &'static str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        let key = key.expect("the key just made");
        // Without the byte that says that the point is not compressed.
        let public = key.public_key().as_ref()[1..].to_vec();
        Self::with(zone, Key::P256(key), &public)
    }

    fn with(zone: &'static str, key: Key, public: &[u8]) -> Self {
        let algorithm = if matches!(key, Key::P256(_)) { ECDSA_P256 } else { ED25519 };
        let dnskey = [&[1, 1, 3, algorithm][..], public].concat();
        // RFC 4034, appendix B.
        let sum: u32 = dnskey.iter().enumerate().map(|(i, &b)| u32::from(b) << (8 * (1 - i % 2))).sum();
        Self { zone, key, tag: (sum + (sum >> 16)) as u16, dnskey }
    }

    fn algorithm(&self) -> u8 {
        self.dnskey[3]
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Key::P256(key) => key.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec(),
        }
    }

    /// What the zone above says of this key.
    pub fn ds(&self) -> Vec<u8> {
        let hashed = digest(&SHA256, &[wire(self.zone), self.dnskey.clone()].concat());
        [&self.tag.to_be_bytes()[..], &[self.algorithm(), 2], hashed.as_ref()].concat()
    }

    /// The zone's trust anchor, as a DS record.
    pub fn anchor(&self) -> String {
        format!("{}. 3600 IN DS {} {} 2 {}\n", self.zone, self.tag, self.algorithm(), hex(&self.ds()[4..]))
    }

    /// The signature of a record that is alone of its name and type, good within these times.
    pub fn rrsig(&self, name: &str, number: u16, data: &[u8], (from, until): (u32, u32)) -> Vec<u8> {
        let labels = name.split('.').count() as u8;
        let mut signature =
            [&number.to_be_bytes()[..], &[self.algorithm(), labels], &300u32.to_be_bytes()].concat();
        signature.extend(until.to_be_bytes());
        signature.extend(from.to_be_bytes());
        signature.extend(self.tag.to_be_bytes());
        signature.extend(wire(self.zone));
        let length = (data.len() as u16).to_be_bytes();
        let record =
            [&wire(name)[..], &number.to_be_bytes(), &[0, 1], &300u32.to_be_bytes(), &length, data].concat();
        let signed = self.sign(&[signature.clone(), record].concat());
        signature.extend(signed);
        signature
    }

    /// A record and its signature, as two lines of a zone.
    fn lines(&self, name: &str, number: u16, rtype: &str, data: &[u8]) -> String {
        let signature = self.rrsig(name, number, data, (INCEPTION, EXPIRATION));
        format!("{name} 300 {rtype} \\# {}\n{name} 300 RRSIG \\# {}\n", hex(data), hex(&signature))
    }
}

pub fn hex(bytes: &[u8]) -> String {
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
