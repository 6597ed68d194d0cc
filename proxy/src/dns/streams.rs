//! Whoever comes over a connection: TCP, TLS (DoT, RFC 7858), HTTPS (DoH, RFC 8484). They are let in, bounded and let go
//! in one way; each kind says only how it is spoken.

use super::counters::count;
use super::tcp::{self, Connection};
use super::{Dns, StreamSettings, Transport, https};
use crate::seats::{Places, Seats};
use crate::tls::{self, Tls, TlsStream};
use blocklists::Name;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
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
    let settings = match speech {
        Speech::Tcp => dns.settings.tcp,
        Speech::Tls(_) | Speech::Https(_) => dns.settings.encrypted,
    };
    let seats = Seats::new(Places { all: settings.most, one: settings.most_of_one, spare: 0 });
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        let cut = stop.child_token();
        let Some(seat) = seats.take(peer.ip(), cut.clone()) else {
            count(&dns.counters.connections_refused);
            continue;
        };
        let (dns, speech) = (Arc::clone(&dns), speech.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
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
