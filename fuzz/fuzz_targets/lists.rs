//! Any bytes as a list: recognised, and read as each format.
#![no_main]
use blocklists::format::{self, Format};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = format::recognise(bytes);
    for format in Format::all() {
        let mut entries = 0_u64;
        let _ = format::parse(bytes, format, &mut |_| entries += 1);
        // A line of any format names at most a few hosts.
        assert!(entries <= bytes.len() as u64 + 1);
    }
});
