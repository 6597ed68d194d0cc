//! Any bytes as a DNS query, as an upstream's answer, and as an HTTPS record.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::dns(bytes));
