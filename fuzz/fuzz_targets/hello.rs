//! Any bytes as the opening of a tunnel.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = proxy::sni::parse(bytes);
});
