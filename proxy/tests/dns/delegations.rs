//! DNSSEC validation down a tree of zones that a real server (nsd) serves: signed, unsigned below a signed one, expired, forged,
//! broken at the delegation, and what is not there (RFC 4035 §5, RFC 8914 §4).

use crate::home::{Home, JORDAN, Setup};
use crate::internet::wire;
use crate::signed::{EXPIRATION, INCEPTION, Signer, hex};
use agreements::{Dnssec, Upstream};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const A: u16 = 1;
const NS: u16 = 2;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const DNSKEY: u16 = 48;

/// How a record is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    Well,
    /// For other data.
    Forged,
    /// Until yesterday, as far as this test is concerned: the end of 2020.
    Expired,
    /// Not at all, as RFC 4035 §2.2 wants it at a delegation, and nowhere else.
    Not,
}
use Signed::{Expired, Forged, Not, Well};

type Record = (&'static str, u16, Vec<u8>, Signed);

/// What every zone has.
fn apex(zone: &'static str, key: Option<&Signer>) -> Vec<Record> {
    let mut soa = [wire("ns.test"), wire("nobody.test")].concat();
    soa.extend([1u32, 3600, 600, 86_400, 300].iter().flat_map(|n| n.to_be_bytes()));
    let mut records = vec![(zone, SOA, soa, Well), (zone, NS, wire("ns.test"), Well)];
    records.extend(key.map(|key| (zone, DNSKEY, key.dnskey.clone(), Well)));
    records
}

fn line(name: &str, number: u16, data: &[u8]) -> String {
    format!("{name}. 300 IN TYPE{number} \\# {} {}\n", data.len(), hex(data))
}

/// A signed zone's text: each record with its signature, and a chain of what there is (RFC 4034 §4).
fn signed(key: &Signer, records: &[Record]) -> String {
    let mut text = String::new();
    for (name, number, data, how) in records {
        let signature = match how {
            Well => key.rrsig(name, *number, data, (INCEPTION, EXPIRATION)),
            Forged => key.rrsig(name, *number, &[6, 6, 6, 6], (INCEPTION, EXPIRATION)),
            Expired => key.rrsig(name, *number, data, (INCEPTION, INCEPTION + 366 * 86_400)),
            Not => Vec::new(),
        };
        text += &line(name, *number, data);
        if *how != Not {
            text += &line(name, RRSIG, &signature);
        }
    }
    let mut names: Vec<_> = records.iter().map(|(name, ..)| *name).collect();
    // Canonical order (RFC 4034 §6.1): by labels, the last first.
    names.sort_by_key(|name| name.rsplit('.').collect::<Vec<_>>());
    names.dedup();
    for (place, name) in names.iter().enumerate() {
        let next = names[(place + 1) % names.len()];
        let types = records.iter().filter(|(of, ..)| of == name).map(|(_, number, ..)| *number);
        let data = [wire(next), bitmap(types.chain([RRSIG, NSEC]))].concat();
        text += &line(name, NSEC, &data);
        text += &line(name, RRSIG, &key.rrsig(name, NSEC, &data, (INCEPTION, EXPIRATION)));
    }
    text
}

/// RFC 4034 §4.1.2; every type here is in the first window.
fn bitmap(types: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut bits = [0u8; 7];
    for number in types {
        bits[usize::from(number / 8)] |= 0x80 >> (number % 8);
    }
    [&[0, 7][..], &bits].concat()
}

/// nsd with these zones; it ends with the test.
struct Nsd {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Nsd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Nsd {
    /// None where nsd is not installed.
    fn start(zones: &[(&str, String)]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().display();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut conf = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n username: \"\"\n chroot: \"\"\n database: \"\"\n zonesdir: \"{dir}\"\n \
             pidfile: \"{dir}/nsd.pid\"\n xfrdfile: \"{dir}/xfrd\"\n xfrdir: \"{dir}\"\n zonelistfile: \"{dir}/zones\"\n rrl-ratelimit: 0\n\
             remote-control:\n control-enable: no\n",
            port = address.port()
        );
        for (name, text) in zones {
            std::fs::write(folder.path().join(name), text).unwrap();
            conf += &format!("zone:\n name: {name}\n zonefile: {name}\n");
        }
        std::fs::write(folder.path().join("nsd.conf"), conf).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new("/usr/sbin/nsd")
            .args(["-d", "-c"])
            .arg(folder.path().join("nsd.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .ok()?;
        let nsd = Self { process, address, _folder: folder };
        let start = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            let log = std::fs::read_to_string(nsd._folder.path().join("log")).unwrap_or_default();
            assert!(start.elapsed() < Duration::from_secs(20), "nsd does not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(nsd)
    }
}

fn zones() -> (Signer, Vec<(&'static str, String)>) {
    let (parent, child) = (Signer::p256("test"), Signer::p256("secure.test"));
    let (other, stranger) = (Signer::p256("broken.test"), Signer::p256("broken.test"));
    let edwards = Signer::of("ed.test", 8);
    let address = |last| vec![192, 0, 2, last];
    let mut test = apex("test", Some(&parent));
    test.extend([
        ("ns.test", A, vec![127, 0, 0, 1], Well),
        ("www.test", A, address(1), Well),
        ("forged.test", A, address(2), Forged),
        ("expired.test", A, address(3), Expired),
        ("unsigned.test", A, address(4), Not),
        ("alias.test", CNAME, wire("www.plain.test"), Well),
        ("secure.test", NS, wire("ns.test"), Not),
        ("secure.test", DS, child.ds(), Well),
        ("plain.test", NS, wire("ns.test"), Not),
        ("broken.test", NS, wire("ns.test"), Not),
        ("broken.test", DS, stranger.ds(), Well),
        ("ed.test", NS, wire("ns.test"), Not),
        ("ed.test", DS, edwards.ds(), Well),
    ]);
    let with = |zone, key: Option<&Signer>, name, last| {
        let mut records = apex(zone, key);
        records.push((name, A, address(last), Well));
        records
    };
    let plain = with("plain.test", None, "www.plain.test", 6);
    let zones = vec![
        ("test", signed(&parent, &test)),
        ("secure.test", signed(&child, &with("secure.test", Some(&child), "www.secure.test", 5))),
        ("plain.test", plain.iter().map(|(name, number, data, _)| line(name, *number, data)).collect()),
        ("broken.test", signed(&other, &with("broken.test", Some(&other), "www.broken.test", 7))),
        ("ed.test", signed(&edwards, &with("ed.test", Some(&edwards), "www.ed.test", 8))),
    ];
    (parent, zones)
}

/// What is asked, and how the answer begins.
const ASKED: &[(&str, &str)] = &[
    ("www.test A +ad", "NOERROR ad; www.test 300 A 192.0.2.1"),
    ("www.test AAAA +ad", "NOERROR ad"),
    ("none.test A +ad", "NXDOMAIN ad"),
    // A signed delegation.
    ("www.secure.test A +ad", "NOERROR ad; www.secure.test 300 A 192.0.2.5"),
    ("none.secure.test A +ad", "NXDOMAIN ad"),
    // One that the parent proves to be unsigned: it is answered, and nothing is promised.
    ("www.plain.test A +ad", "NOERROR; www.plain.test 300 A 192.0.2.6"),
    ("none.plain.test A +ad", "NXDOMAIN"),
    ("alias.test A +ad", "NOERROR; alias.test 300 CNAME www.plain.test.; www.plain.test 300 A 192.0.2.6"),
    // A delegation by an algorithm that the validator does not take there: answered as unsigned (RFC 4035 §5.2).
    ("www.ed.test A +ad", "NOERROR; www.ed.test 300 A 192.0.2.8"),
    // What is wrong is no answer, and says so (RFC 8914 §4.7).
    ("forged.test A +edns", "SERVFAIL; ede 6"),
    ("expired.test A +edns", "SERVFAIL; ede 6"),
    ("unsigned.test A +edns", "SERVFAIL; ede 6"),
    ("www.broken.test A +edns", "SERVFAIL; ede 6"),
    // Who wants to look at it all the same may.
    ("expired.test A +cd", "NOERROR cd; expired.test 300 A 192.0.2.3"),
];

#[tokio::test]
async fn down_a_tree_of_zones() {
    let (parent, zones) = zones();
    let Some(nsd) = Nsd::start(&zones) else { return println!("skipped: nsd is not installed") };
    let mut setup = Setup::new(&[]).resolver(move |resolver| resolver.trust_anchors = parent.anchor());
    setup.gateway.dnssec = Dnssec::Validate;
    setup.gateway.upstream = vec![Upstream::Udp(nsd.address)];
    let home = Home::open(setup).await;
    let mut wrong = Vec::new();
    for (question, meant) in ASKED {
        let said = home.ask(JORDAN, question).await;
        let whole = said.strip_prefix(meant).is_some_and(|rest| rest.is_empty() || rest.starts_with(';'));
        if !whole {
            wrong.push((question, said, meant));
        }
    }
    assert!(wrong.is_empty(), "(what was asked, what was said, what was meant): {wrong:#?}");
}
