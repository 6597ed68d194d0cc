//! Any bytes as what a DHCP server offers.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::offers(bytes));
