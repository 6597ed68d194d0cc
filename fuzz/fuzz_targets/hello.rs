//! Any bytes as the opening of a tunnel.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::hello(bytes));
