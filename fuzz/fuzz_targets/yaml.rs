//! Any text as each file of a home.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::yaml(bytes));
