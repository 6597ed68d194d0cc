//! Whoever comes over a connection: TCP, TLS (DoT, RFC 7858), HTTPS (DoH, RFC 8484). They are let in, bounded and let go
//! in one way; each kind says only how it is spoken.

use super::counters::count;
use super::tcp::{self, Connection};
use super::{Dns, StreamSettings, Transport, https};
use crate::gate::Gate;
use crate::identify::Shown;
use crate::seats::{Places, Seat, Seats};
use crate::tls::{self, Tls, TlsStream};
use blocklists::Name;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
        let Some(seat) = seats.take(dns.gate.face(&Shown::bare(peer.ip())), cut.clone()) else {
            count(&dns.counters.connections_refused);
            continue;
        };
        let (dns, speech) = (Arc::clone(&dns), speech.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                // How a connection ends is the client's business.
                _ = Box::pin(converse(&dns, stream, peer, &speech, settings, &cut)) => {}
                never = Box::pin(is_met(&dns.gate, peer.ip(), &seat)) => match never {},
            }
            drop(seat);
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// Beside the conversation: a device that came before the kernel had met its address has its place as itself once it has.
async fn is_met(gate: &Gate, from: IpAddr, seat: &Seat) -> Infallible {
    seat.is_of(gate.meet_face(from).await);
    std::future::pending().await
}

async fn converse(
    dns: &Arc<Dns>,
    stream: TcpStream,
    peer: SocketAddr,
    speech: &Speech,
    settings: StreamSettings,
    cut: &CancellationToken,
) -> io::Result<()> {
    let local = stream.local_addr().ok();
    let _ = stream.set_nodelay(true);
    let ends = |token, transport| Connection { peer, local, token, transport };
    match speech {
        Speech::Tcp => tcp::converse(dns, stream, &ends(None, Transport::Tcp), settings).await,
        Speech::Tls(tls) => {
            let stream = opened(dns, (stream, peer), tls, settings).await?;
            // A connection shows one token: who guesses opens many.
            let token = token(&stream, dns.settings.own_name.name());
            let token = token.filter(|token| !dns.passes_over(peer.ip(), token));
            tcp::converse(dns, stream, &ends(token, Transport::Tls), settings).await
        }
        Speech::Https(tls) => {
            let stream = opened(dns, (stream, peer), tls, settings).await?;
            let token = token(&stream, dns.settings.own_name.name());
            https::converse(dns, stream, ends(token, Transport::Https), settings, cut).await
        }
    }
}

impl Dns {
    /// Whether a token is passed over, since whoever shows it has shown too many wrong ones of late: they are not even told when a
    /// guess is right. A wrong token is noted.
    pub(super) fn passes_over(&self, from: IpAddr, token: &str) -> bool {
        let guesses = self.gate.guesses_tokens(from);
        if guesses || !self.gate.knows_token(from, token) {
            count(&self.counters.wrong_tokens);
        }
        guesses
    }
}

async fn opened(
    dns: &Dns,
    (stream, peer): (TcpStream, SocketAddr),
    tls: &Tls,
    settings: StreamSettings,
) -> io::Result<TlsStream<TcpStream>> {
    let opened = tls::open(stream, tls, settings.handshake).await;
    if opened.is_err() {
        count(&dns.counters.handshakes_failed);
    }
    if opened.is_ok() {
        // Before a token is looked at: a lost device may show another's.
        dns.gate.meet(&Shown::bare(peer.ip())).await;
    }
    opened
}

/// The token that a device showed in the TLS server name: the one label before the gateway's own name.
fn token(stream: &TlsStream<TcpStream>, own: Name<'_>) -> Option<String> {
    let shown = stream.get_ref().1.server_name()?;
    let label = shown.strip_suffix(own.as_str())?.strip_suffix('.')?;
    (!label.contains('.')).then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::play::{Home, Play};
    use records::Face;

    #[tokio::test]
    async fn a_connection_is_its_devices_once_the_kernel_has_met_it() {
        let play = Play::new([]);
        let home = Home::of(&play).await;
        let (from, mac) = ("2001:db8::11".parse().unwrap(), [2, 0, 0, 0, 0, 0x11]);
        let seats = Seats::new(Places { all: 9, one: 1, spare: 0 });
        let take = |face| seats.take(face, CancellationToken::new());
        let seat = take(Face::Address(from)).unwrap();
        home.gate.neighbours.meets(from, mac);
        tokio::select! {
            biased;
            never = is_met(&home.gate, from, &seat) => match never {},
            () = std::future::ready(()) => {}
        }
        assert!(take(Face::Mac(mac)).is_none(), "it has its one");
        assert!(take(Face::Address(from)).is_some(), "and its network has all of its own");
    }
}
