//! A name server for the tests' internet: every name below `test` is on loopback, save a few.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::net::UdpSocket;

const A: u16 = 1;
const CNAME: u16 = 5;

/// How often `flips.test` was asked for: it is at another address each time (DNS rebinding).
static FLIPS: AtomicU8 = AtomicU8::new(0);

/// What a name is.
fn record(name: &str) -> Option<(u16, Vec<u8>)> {
    match name {
        "gone.test" => None,
        "flips.test" => {
            let host = if FLIPS.load(Ordering::Relaxed).is_multiple_of(2) { 1 } else { 66 };
            Some((A, vec![127, 0, 0, host]))
        }
        "www.bing.com" | "strict.bing.com" => Some((A, vec![127, 0, 0, 1])),
        "localhost.test" => Some((A, vec![0, 0, 0, 0])),
        "metadata.test" => Some((A, vec![169, 254, 169, 254])),
        "inside.test" => Some((A, vec![192, 168, 7, 7])),
        "leads.test" => Some((CNAME, wire("blocked.test"))),
        "leads-on.test" => Some((CNAME, wire("plain.test"))),
        _ if name.ends_with(".test") => Some((A, vec![127, 0, 0, 1])),
        _ => None,
    }
}

fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|l| [&[l.len() as u8][..], l.as_bytes()].concat());
    labels.chain([0]).collect()
}

/// Starts it on a port of its own; it ends with the test's runtime.
pub async fn serve() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut query = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            if let Some(answer) = answer(&query[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    address
}

fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (12, Vec::new());
    while *query.get(at)? != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(query.get(at + 1..at + 1 + length)?).to_ascii_lowercase());
        at += 1 + length;
    }
    let question = query.get(12..at + 5)?;
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let mut answers = Vec::new();
    let mut name = labels.join(".");
    if name == "flips.test" && kind == A {
        FLIPS.fetch_add(1, Ordering::Relaxed);
    }
    let exists = record(&name).is_some();
    while let Some((is, data)) = record(&name).filter(|(is, _)| *is == kind || *is == CNAME) {
        answers.push(
            [
                &wire(&name)[..],
                &is.to_be_bytes(),
                &[0, 1, 0, 0, 0, 60],
                &(data.len() as u16).to_be_bytes(),
                &data,
            ]
            .concat(),
        );
        if is != CNAME {
            break;
        }
        name = if name == "leads.test" { "blocked.test".into() } else { "plain.test".into() };
    }
    let code = if exists { 0 } else { 3 };
    let head =
        [&query[..2], &[0x84 | query[2] & 1, 0x80 | code, 0, 1, 0, answers.len() as u8, 0, 0, 0, 0]].concat();
    Some([&head[..], question, &answers.concat()].concat())
}
