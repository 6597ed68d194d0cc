//! Whoever comes over a connection: TCP, TLS (DoT, RFC 7858), HTTPS (DoH, RFC 8484). They are let in, bounded and let go
//! in one way; each kind says only how it is spoken.

use super::counters::count;
use super::tcp::{self, Connection};
use super::{Dns, StreamSettings, Transport, https};
use crate::limits::network_of;
use crate::tls::{self, Tls, TlsStream};
use blocklists::Name;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Accepting failed (no descriptors left): a moment for others to end.
const BREATHE: Duration = Duration::from_millis(100);

/// What is spoken on the connections of a listener.
#[derive(Clone)]
pub(super) enum Speech {
    /// Questions on TCP.
    Tcp,
    /// Questions inside TLS.
    Tls(Tls),
    /// HTTP inside TLS.
    Https(Tls),
}

/// Accepts connections until told to stop, then closes those that are open.
pub(super) async fn serve(dns: Arc<Dns>, listener: TcpListener, speech: Speech, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let seats = Arc::new(Seats::default());
    let settings = match speech {
        Speech::Tcp => dns.settings.tcp,
        Speech::Tls(_) | Speech::Https(_) => dns.settings.encrypted,
    };
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        let Some(seat) = Seats::take(&seats, peer.ip(), settings.most, settings.most_of_one) else {
            count(&dns.counters.connections_refused);
            continue;
        };
        let (dns, speech, stop) = (Arc::clone(&dns), speech.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // How a connection ends is the client's business.
                _ = Box::pin(converse(&dns, stream, peer, &speech, settings)) => {}
            }
            drop(seat);
        });
    }
    tasks.close();
    tasks.wait().await;
}

async fn converse(
    dns: &Arc<Dns>,
    stream: TcpStream,
    peer: SocketAddr,
    speech: &Speech,
    settings: StreamSettings,
) -> io::Result<()> {
    let local = stream.local_addr().ok();
    let _ = stream.set_nodelay(true);
    let ends = |token, transport| Connection { peer, local, token, transport };
    match speech {
        Speech::Tcp => tcp::converse(dns, stream, &ends(None, Transport::Tcp), settings).await,
        Speech::Tls(tls) => {
            let stream = opened(dns, stream, tls, settings).await?;
            let token = token(&stream, dns.settings.own_name.name());
            tcp::converse(dns, stream, &ends(token, Transport::Tls), settings).await
        }
        Speech::Https(tls) => {
            let stream = opened(dns, stream, tls, settings).await?;
            let token = token(&stream, dns.settings.own_name.name());
            https::converse(dns, stream, ends(token, Transport::Https), settings).await
        }
    }
}

async fn opened(
    dns: &Dns,
    stream: TcpStream,
    tls: &Tls,
    settings: StreamSettings,
) -> io::Result<TlsStream<TcpStream>> {
    let opened = tls::open(stream, tls, settings.handshake).await;
    if opened.is_err() {
        count(&dns.counters.handshakes_failed);
    }
    opened
}

/// The token that a device showed in the TLS server name: the one label before the gateway's own name.
fn token(stream: &TlsStream<TcpStream>, own: Name<'_>) -> Option<String> {
    let shown = stream.get_ref().1.server_name()?;
    let label = shown.strip_suffix(own.as_str())?.strip_suffix('.')?;
    (!label.contains('.')).then(|| label.to_owned())
}

/// Who has how many connections.
#[derive(Debug, Default)]
struct Seats(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place; it is given back when dropped.
struct Seat(Arc<Seats>, IpAddr);

impl Seats {
    fn take(seats: &Arc<Self>, peer: IpAddr, most: usize, most_of_one: usize) -> Option<Seat> {
        let peer = network_of(peer);
        let mut taken = seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let of_one = taken.get(&peer).copied().unwrap_or_default();
        if all >= most || of_one >= most_of_one {
            return None;
        }
        taken.insert(peer, of_one + 1);
        Some(Seat(Arc::clone(seats), peer))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.1);
            }
        }
    }
}
