//! What each fuzz target does with any bytes. The seeds go through the same functions in an ordinary test, so that a crash
//! that was found once is looked for each time.

use blocklists::format::{self, Format};
use chrono::NaiveDate;

/// A target: its name, which is its folder's too, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// The targets.
pub const TARGETS: &[Target] = &[("catalogue", catalogue), ("dns", dns), ("hello", hello), ("leases", leases), ("offers", offers), ("lists", lists), ("yaml", yaml)];

/// Any bytes as a catalogue's file, as changes to a good one, and as names that are listed and asked for.
pub fn catalogue(bytes: &[u8]) {
    blocklists::fuzz(bytes);
}

/// Any bytes as a DNS query, as an upstream's answer, and as an HTTPS record.
pub fn dns(bytes: &[u8]) {
    proxy::dns::fuzz(bytes);
}

/// Any bytes as the opening of a tunnel, whole and as they come.
pub fn hello(bytes: &[u8]) {
    let whole = proxy::sni::parse(bytes);
    let half = proxy::sni::parse(&bytes[..bytes.len() / 2]);
    // What was understood of the beginning is what is understood of the whole, whatever follows.
    if let (proxy::sni::Opening::NotTls, whole) = (half, whole) {
        assert_eq!(whole, proxy::sni::Opening::NotTls);
    }
}

/// Any text as a lease file.
pub fn leases(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let leases = proxy::identify::leases(&text);
    assert!(leases.len() <= text.lines().count());
    for name in leases.iter().filter_map(|lease| lease.name.as_deref()) {
        assert!(name.len() <= 63 && name.bytes().all(|b| b.is_ascii_graphic()));
    }
}

/// Any bytes as what a DHCP server offers.
pub fn offers(bytes: &[u8]) {
    proxy::identify::fuzz_offers(bytes);
}

/// Any bytes as a list: recognised, and read as each format.
pub fn lists(bytes: &[u8]) {
    let _ = format::recognise(bytes);
    for format in Format::all() {
        let mut entries = 0_u64;
        let _ = format::parse(bytes, format, &mut |_| entries += 1);
        // A line of any format names at most a few hosts.
        assert!(entries <= bytes.len() as u64 + 1);
    }
}

/// Any text as each file of a home.
pub fn yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let today = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a real date");
    for path in ["agreements/jordan.yaml", "home.yaml", "gateway.yaml"] {
        let reading = agreements::read(&[(path.to_owned(), text.to_owned())], today);
        for problem in &reading.problems {
            assert!(!problem.sentence.is_empty() && problem.line >= 1 && problem.column >= 1);
        }
    }
}
