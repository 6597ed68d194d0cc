//! Connections that the router redirected here: their clients believe that they speak with the server itself.
//!
//! The rules at the router redirect (`redirect to`) and do not use TPROXY: the kernel keeps the destination that was meant
//! and tells it (`SO_ORIGINAL_DST`) without any right or routing rule of ours, so that one table of rules is all there is
//! to take away again. The destination is only what a client wrote on the envelope. What it asks for is judged, and the
//! address that is dialled is the one that the name really has.

use super::Proxy;
use super::visit::Visit;
use crate::tunnel::{self, is_token};
use socket2::SockRef;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// So many bytes are looked at: no method that anybody registered is as long.
const LOOKED_AT: usize = 25;
/// What begins like a request and is none of HTTP/1: HTTP/2 without TLS begins with a method that no server knows (RFC 9113
/// §3.4), and shows no name that we read; and SSH (RFC 4253 §4.2).
const OTHERS: [&[u8]; 2] = [b"PRI ", b"SSH-"];
/// How long to wait before looking again at a beginning that is not yet whole.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Where the client meant to connect to; none where nothing redirected it, which is then a client that connected to the
/// listener itself and has no business here.
pub(super) fn meant(stream: &TcpStream) -> Option<SocketAddr> {
    let (socket, local) = (SockRef::from(stream), stream.local_addr().ok()?);
    let meant = if local.is_ipv4() { socket.original_dst_v4() } else { socket.original_dst_v6() };
    let meant = meant.ok()?.as_socket()?;
    (meant != local).then_some(SocketAddr::new(meant.ip().to_canonical(), meant.port()))
}

/// Puts the address that the client meant first, where the name really has it: it is the one that its other connections
/// use, and servers may remember it.
pub(crate) fn prefer(found: &mut [IpAddr], meant: Option<SocketAddr>) {
    let place = meant.and_then(|meant| found.iter().position(|ip| ip.to_canonical() == meant.ip()));
    if let Some(place) = place {
        found[..=place].rotate_right(1);
    }
}

impl Proxy {
    /// One redirected connection: plain HTTP is answered request by request, everything else is a tunnel.
    pub(super) async fn meet(
        self: Arc<Self>,
        stream: TcpStream,
        meant: SocketAddr,
        visit: Arc<Visit>,
        shutdown: CancellationToken,
    ) {
        self.counters.redirected.add(1);
        let patience = self.config.limits.opening;
        let begins = tokio::select! {
            () = visit.cut.cancelled() => return,
            begins = tokio::time::timeout(patience, begins_as_http(&stream)) => begins,
        };
        match begins {
            Ok(Ok(true)) => self.converse(stream, visit, shutdown).await,
            Ok(Ok(false)) => tunnel::redirected(self, visit, stream, meant).await,
            // Nobody spoke, or whoever did has gone.
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

/// Whether the first bytes, which are left where they are, are those of a plain HTTP/1 request.
async fn begins_as_http(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; LOOKED_AT];
    let mut before = 0;
    loop {
        let seen = stream.peek(&mut first).await?;
        if let Some(decided) = is_http(&first[..seen]) {
            return Ok(decided);
        }
        if seen == 0 || seen < before {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        before = seen;
        // A method in several segments is rare. The kernel tells only of bytes that are there, not of more bytes.
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether these bytes begin a request of HTTP/1, as loosely as whoever answers it reads them; none while more have to be seen.
/// Empty lines may stand before it (RFC 9112 §2.2), and nothing else begins with one. Any token is a method (RFC 9110 §9.1); one
/// that does not end within what is looked at is left to whoever answers.
fn is_http(first: &[u8]) -> Option<bool> {
    if OTHERS.iter().any(|other| first.starts_with(other)) {
        return Some(false);
    }
    let method = first.iter().take_while(|b| is_token(**b)).count();
    match first.get(method) {
        Some(b'\r' | b'\n') if method == 0 => Some(true),
        Some(b' ') => Some(method > 0),
        Some(_) => Some(false),
        None => (first.len() >= LOOKED_AT).then_some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_requests_are_told_from_everything_else() {
        for (first, meant) in [
            (&b""[..], None),
            (b"G", None),
            (b"GET", None),
            (b"GET ", Some(true)),
            (b"OPTIONS * HTTP/1.1", Some(true)),
            (b"get / HTTP/1.1", Some(true)),
            (b"M-SEARCH * HTTP/1.1", Some(true)),
            (b"x_1!~ / HTTP/1.1", Some(true)),
            (b"\r\nGET / HTTP/1.1", Some(true)),
            (b"\nGET / HTTP/1.1", Some(true)),
            (b"\r", Some(true)),
            (&[b'A'; LOOKED_AT], Some(true)),
            (&[b'A'; LOOKED_AT - 1], None),
            (b"\x16\x03\x01\x02", Some(false)),
            (b"SSH-2.0-OpenSSH", Some(false)),
            (b"SSH-2.0-OpenSSH_for_Windows_9.5", Some(false)),
            (b"SSH", None),
            (b"PRI", None),
            (b"PRI * HTTP/2.0", Some(false)),
            (b" GET /", Some(false)),
            (b"GET\t/", Some(false)),
            (b"GET\r\n", Some(false)),
        ] {
            assert_eq!(is_http(first), meant, "{:?}", String::from_utf8_lossy(first));
        }
    }

    #[test]
    fn the_address_that_was_meant_comes_first_where_the_name_has_it() {
        let ip = |n: u8| IpAddr::from([192, 0, 2, n]);
        for (meant, order) in
            [(None, [1, 2, 3]), (Some(1), [1, 2, 3]), (Some(3), [3, 1, 2]), (Some(9), [1, 2, 3])]
        {
            let mut found = [ip(1), ip(2), ip(3)];
            prefer(&mut found, meant.map(|n| SocketAddr::new(ip(n), 443)));
            assert_eq!(found, order.map(ip), "{meant:?}");
        }
    }
}
