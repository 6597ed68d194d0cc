//! TCP (RFC 7766): many questions on one connection, answered as they are ready, with bounds on everything.

use super::counters::count;
use super::{Asker, Dns, Step, Transport};
use crate::limits::network_of;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A client that does not take its answers for so long has gone.
const WRITE: Duration = Duration::from_secs(5);
/// Accepting failed (no descriptors left): a moment for others to end.
const BREATHE: Duration = Duration::from_millis(100);

/// Accepts connections until told to stop, then closes those that are open.
pub(super) async fn serve(dns: Arc<Dns>, listener: TcpListener, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let seats = Arc::new(Seats::default());
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        let limits = dns.settings.tcp;
        let Some(seat) = Seats::take(&seats, peer.ip(), limits.most, limits.most_of_one) else {
            count(&dns.counters.connections_refused);
            continue;
        };
        let (dns, stop) = (Arc::clone(&dns), stop.clone());
        tasks.spawn(async move {
            let local = stream.local_addr().ok();
            let _ = stream.set_nodelay(true);
            let ends = Connection { peer, local, token: None, transport: Transport::Tcp };
            tokio::select! {
                () = stop.cancelled() => {}
                // How a connection ends is the client's business.
                _ = converse(&dns, stream, &ends) => {}
            }
            drop(seat);
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// Both ends of a stream, and what the device showed when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Who opened it.
    pub(crate) peer: SocketAddr,
    /// Our end.
    pub(crate) local: Option<SocketAddr>,
    /// The token that the device showed (DoT server name).
    pub(crate) token: Option<String>,
    /// TCP or TLS.
    pub(crate) transport: Transport,
}

impl Connection {
    fn asker(&self) -> Asker<'_> {
        Asker {
            from: self.peer.ip(),
            to: self.local.map(|local| local.ip()),
            token: self.token.as_deref(),
            transport: self.transport,
        }
    }
}

/// Answers the questions of one stream, each with its length before it (RFC 1035 §4.2.2), until it ends or is idle.
pub(crate) async fn converse<S>(dns: &Arc<Dns>, stream: S, connection: &Connection) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let settings = dns.settings.tcp;
    let mut waiting = FuturesUnordered::new();
    let mut incoming = Incoming::default();
    let mut idle = pin!(tokio::time::sleep(settings.idle));
    loop {
        // What has come is answered, as long as there is room for questions that wait.
        while waiting.len() < settings.at_once {
            let Some(query) = incoming.message() else { break };
            let mut answer = Vec::with_capacity(514);
            match dns.first(&query, &connection.asker(), &mut answer) {
                Step::Nothing => return Ok(()),
                Step::Answer => write(&mut writer, &answer).await?,
                Step::AnswerAndRenew => {
                    dns.renew(&query, &connection.asker());
                    write(&mut writer, &answer).await?;
                }
                Step::Later => waiting.push(async move {
                    dns.later(&query, &connection.asker(), &mut answer).await;
                    answer
                }),
            }
            idle.as_mut().reset(Instant::now() + settings.idle);
        }
        tokio::select! {
            Some(answer) = waiting.next() => {
                write(&mut writer, &answer).await?;
                idle.as_mut().reset(Instant::now() + settings.idle);
            }
            read = reader.read_buf(&mut incoming.bytes), if waiting.len() < settings.at_once && !incoming.ended => {
                incoming.ended = read? == 0;
            }
            () = &mut idle, if waiting.is_empty() => return Ok(()),
        }
        if incoming.ended && waiting.is_empty() && !incoming.has_message() {
            return Ok(());
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, answer: &[u8]) -> io::Result<()> {
    // No answer is longer than its length can say.
    let length = u16::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let framed = [&length.to_be_bytes(), answer].concat();
    timeout(WRITE, writer.write_all(&framed)).await?
}

/// Bytes that came and are not yet a message. It never holds more than one message and one read: reading stops while
/// questions wait.
#[derive(Debug)]
struct Incoming {
    bytes: bytes::BytesMut,
    ended: bool,
}

impl Default for Incoming {
    fn default() -> Self {
        Self { bytes: bytes::BytesMut::with_capacity(2048), ended: false }
    }
}

impl Incoming {
    fn length(&self) -> Option<usize> {
        let (prefix, rest) = self.bytes.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*prefix));
        (rest.len() >= length).then_some(length)
    }

    fn has_message(&self) -> bool {
        self.length().is_some()
    }

    /// Takes the next whole message.
    fn message(&mut self) -> Option<bytes::Bytes> {
        let length = self.length()?;
        let mut framed = self.bytes.split_to(2 + length);
        Some(framed.split_off(2).freeze())
    }
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
