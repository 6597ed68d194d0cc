//! Any bytes as a catalogue's file, as changes to a good one, and as names that are listed and asked for.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::catalogue(bytes));
