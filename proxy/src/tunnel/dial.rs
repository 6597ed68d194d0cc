//! Connecting to an origin: several addresses, the next one tried before the first has given up (RFC 8305 §5).

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How long one address has before the next is tried as well (RFC 8305 §5, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);
/// How many addresses are tried.
const TRIED: usize = 6;

/// Why no address took the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDialled {
    /// Every one of them refused or cannot be reached.
    Refused,
    /// There was no answer in time.
    Timeout,
}

/// Connects to whichever of the addresses, which the caller has checked, answers first.
pub(crate) async fn dial(addresses: &[SocketAddr], within: Duration) -> Result<TcpStream, NotDialled> {
    let stream = timeout(within, race(addresses)).await.map_err(|_| NotDialled::Timeout)??;
    tune(&stream);
    Ok(stream)
}

async fn race(addresses: &[SocketAddr]) -> Result<TcpStream, NotDialled> {
    let mut waiting = addresses.iter().take(TRIED);
    let mut attempts = FuturesUnordered::new();
    let mut worst = NotDialled::Refused;
    loop {
        let next = waiting.next();
        attempts.extend(next.map(|to| TcpStream::connect(*to)));
        if attempts.is_empty() {
            return Err(worst);
        }
        let head_start = async {
            match waiting.len() {
                0 => std::future::pending().await,
                _ => sleep(HEAD_START).await,
            }
        };
        tokio::select! {
            () = head_start => {}
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(e) if e.kind() == io::ErrorKind::TimedOut => worst = NotDialled::Timeout,
                Err(_) => {}
            },
        }
    }
}

/// Sends at once what is written, and notices a dead other side within about ten minutes.
pub(crate) fn tune(stream: &TcpStream) {
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(300)).with_interval(Duration::from_secs(60));
    // Neither is needed to work rightly: a kernel without them only makes it slower.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive.with_retries(5));
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn the_first_that_answers_is_taken() {
        let (closed, open) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let addresses = [closed.local_addr().unwrap(), open.local_addr().unwrap()];
        drop(closed);
        let stream = dial(&addresses, PATIENCE).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    }

    #[tokio::test]
    async fn nobody_answers() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(dial(&[closed], PATIENCE).await.map(drop), Err(NotDialled::Refused));
        assert_eq!(dial(&[], PATIENCE).await.map(drop), Err(NotDialled::Refused));
    }
}
