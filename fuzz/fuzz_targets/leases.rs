//! Any text as a lease file of a DHCP server.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::leases(bytes));
