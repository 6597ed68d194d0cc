//! UDP to an upstream: a fresh socket and port for each question, so that both have to be guessed (RFC 5452 §9.2).

use super::Question;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// After so long the question is sent once more: a packet was lost.
const AGAIN: Duration = Duration::from_millis(800);
/// The largest answer that is read. We say that we take 1232; some servers know better.
const LARGEST: usize = 4096;

/// What came back.
pub(super) enum Heard {
    /// A message with our identifier and our question.
    Message(Vec<u8>),
    /// One whose question has another case: a server that changes it, or somebody guessing. TCP tells.
    Doubtful,
}

/// Asks over UDP, again and again until the caller gives up.
pub(super) async fn ask(upstream: SocketAddr, question: &Question) -> io::Result<Heard> {
    loop {
        let local = match upstream {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(local).await?;
        socket.connect(upstream).await?;
        let sent = question.guarded();
        socket.send(&sent).await?;
        if let Ok(heard) = timeout(AGAIN, listen(&socket, &sent, question.question_end())).await {
            return heard;
        }
    }
}

async fn listen(socket: &UdpSocket, sent: &[u8], end: usize) -> io::Result<Heard> {
    let mut buffer = vec![0; LARGEST];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let heard = &buffer[..length];
        if heard.len() < 12 || heard[..2] != sent[..2] || heard[2] & 0x80 == 0 {
            continue;
        }
        // An error may come without its question (RFC 1035 §4.1.1 leaves it open).
        if heard[4..6] == [0, 0] && heard[3] & 0x0F != 0 {
            return Ok(Heard::Message(heard.to_vec()));
        }
        match heard.get(12..end) {
            Some(question) if question == &sent[12..end] => return Ok(Heard::Message(heard.to_vec())),
            Some(question) if question.eq_ignore_ascii_case(&sent[12..end]) => return Ok(Heard::Doubtful),
            Some(_) | None => {}
        }
    }
}
