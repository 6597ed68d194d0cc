//! WebSockets (RFC 6455): the lab's server behind nginx, which echoes, and a client by hand that speaks to it.

use crate::device::connect;
use crate::lab::{Lab, Who};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

/// What a server adds to the client's key (RFC 6455 §1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// A key, and what has to be answered to it (RFC 6455 §1.3).
const KEY: (&str, &str) = ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// A whole message of bytes (RFC 6455 §5.2).
const BYTES: u8 = 0x82;

/// Serves one WebSocket: whatever is said comes back.
pub(crate) fn serve(mut stream: TcpStream) {
    let Ok(head) = head(&mut stream) else { return };
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_owned())
    });
    let accepted =
        STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, (key.unwrap_or_default() + GUID).as_bytes()));
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).is_err() {
        return;
    }
    while let Ok((kind, words)) = frame(&mut stream) {
        let head = [kind, u8::try_from(words.len()).unwrap()];
        if stream.write_all(&[&head[..], &words].concat()).is_err() {
            return;
        }
    }
}

/// The head of a request or an answer.
fn head(stream: &mut TcpStream) -> Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A short message: its first byte, and its words without the mask that clients put over them (RFC 6455 §5.3).
fn frame(stream: &mut TcpStream) -> Result<(u8, Vec<u8>)> {
    let mut begins = [0; 2];
    stream.read_exact(&mut begins)?;
    let (is_masked, length) = (begins[1] & 0x80 != 0, begins[1] & 0x7f);
    if length > 125 {
        return Err(Error::new(ErrorKind::InvalidData, "nobody says so much here"));
    }
    let mut mask = [0; 4];
    if is_masked {
        stream.read_exact(&mut mask)?;
    }
    let mut words = vec![0; length.into()];
    stream.read_exact(&mut words)?;
    for (byte, mask) in words.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok((begins[0], words))
}

/// Opens a WebSocket to a site's address from a device, in the clear.
pub(crate) fn open(lab: &Lab, who: Who, host: &str, to: IpAddr) -> TcpStream {
    let mut socket = connect(lab, who, to, 80).unwrap();
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n",
        KEY.0
    );
    socket.write_all(request.as_bytes()).unwrap();
    let head = head(&mut socket).unwrap();
    assert!(head.starts_with("HTTP/1.1 101") && head.contains(KEY.1), "{to}: {head}");
    socket
}

/// Whether a message comes back.
pub(crate) fn echoes(socket: &mut TcpStream) -> Result<bool> {
    let mask = [7, 1, 9, 3];
    let masked: Vec<u8> = b"hello".iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    socket.write_all(&[&[BYTES, 0x80 | 5], &mask[..], &masked].concat())?;
    Ok(frame(socket)? == (BYTES, b"hello".to_vec()))
}

/// Waits until a WebSocket carries nothing any more: how long that took.
pub(crate) fn closes(mut socket: TcpStream, most: Duration) -> Duration {
    let began = Instant::now();
    while matches!(echoes(&mut socket), Ok(true)) {
        assert!(began.elapsed() < most, "it was never closed");
        std::thread::sleep(Duration::from_millis(100));
    }
    began.elapsed()
}
