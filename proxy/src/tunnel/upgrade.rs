//! A plain WebSocket inside a tunnel (RFC 6455 §4): one request, and nothing more of the client's until the origin has
//! agreed with `101`. Whatever else the origin answers goes back, and that is the end: a second request would pass
//! unjudged.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The largest head of an answer.
const LARGEST_HEAD: usize = 64 * 1024;

/// Sends the request's head, and brings back what the origin answers. Says whether it was `101`, so that bytes may flow.
///
/// # Errors
///
/// When a side breaks, or the origin is quiet for longer than `patience`, or answers something that is no HTTP/1.1.
pub(super) async fn ask(
    client: &mut TcpStream,
    origin: &mut TcpStream,
    head: &[u8],
    patience: Duration,
    moved: &AtomicU64,
) -> io::Result<bool> {
    origin.write_all(head).await?;
    moved.fetch_add(head.len() as u64, Ordering::Relaxed);
    let mut answer = Vec::with_capacity(4096);
    while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
        if answer.len() > LARGEST_HEAD || timeout(patience, origin.read_buf(&mut answer)).await?? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    if !answer.starts_with(b"HTTP/1.1 ") {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let switches = answer.starts_with(b"HTTP/1.1 101");
    client.write_all(&answer).await?;
    moved.fetch_add(answer.len() as u64, Ordering::Relaxed);
    if !switches {
        bring_back_the_rest(client, origin, answer, patience, moved).await?;
    }
    Ok(switches)
}

/// Brings back what follows the answer's head, until the origin closes or has nothing more to say, or the client does or
/// says anything.
async fn bring_back_the_rest(
    client: &mut TcpStream,
    origin: &mut TcpStream,
    mut buffer: Vec<u8>,
    patience: Duration,
    moved: &AtomicU64,
) -> io::Result<()> {
    loop {
        buffer.clear();
        let read = tokio::select! {
            read = timeout(patience, origin.read_buf(&mut buffer)) => read??,
            () = stirs(client) => return Ok(()),
        };
        if read == 0 {
            return client.shutdown().await;
        }
        client.write_all(&buffer).await?;
        moved.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// Waits until the client closes or says something.
async fn stirs(client: &TcpStream) {
    // An error is the client's end as well.
    let _ = client.readable().await;
}
