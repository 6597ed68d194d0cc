//! The first bytes inside a tunnel.

/// A TLS ClientHello for a server's name (RFC 8446 §4.1.2, RFC 6066 §3): whole, though nobody goes on with it.
pub(crate) fn client_hello(name: &str) -> Vec<u8> {
    let host = [&[0][..], &vector16(name.as_bytes())].concat();
    let server_name = [&[0, 0][..], &vector16(&vector16(&host))].concat();
    // Only TLS 1.3 (§4.2.1).
    let versions = [0, 43, 0, 3, 2, 3, 4];
    let mut body = vec![3, 3];
    body.extend([7; 32]); // Random, which need not be.
    body.extend([0]); // No session.
    body.extend([0, 2, 0x13, 0x01]); // TLS_AES_128_GCM_SHA256.
    body.extend([1, 0]); // No compression.
    body.extend(vector16(&[&server_name[..], &versions].concat()));
    let message = [&[1, 0][..], &vector16(&body)].concat();
    [&[22, 3, 1][..], &vector16(&message)].concat()
}

/// Bytes after their length.
fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}
