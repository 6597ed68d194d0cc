//! Any bytes as a list: recognised, and read as each format.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::lists(bytes));
