//! DNS on a stream, plain (RFC 7766) or inside TLS (RFC 7858): many questions on one connection, answered as they are
//! ready, with bounds on everything.

use super::{Asker, Dns, Step, StreamSettings, Transport};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

/// Both ends of a stream, and what the device showed when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Who opened it.
    pub(crate) peer: SocketAddr,
    /// Our end.
    pub(crate) local: Option<SocketAddr>,
    /// The token that the device showed when it connected: the first label of the TLS server name.
    pub(crate) token: Option<String>,
    /// TCP, TLS or HTTPS.
    pub(crate) transport: Transport,
}

impl Connection {
    pub(crate) fn asker(&self) -> Asker<'_> {
        Asker {
            from: self.peer.ip(),
            to: self.local.map(|local| local.ip()),
            token: self.token.as_deref(),
            transport: self.transport,
        }
    }
}

/// Answers the questions of one stream until it ends or is idle, and says goodbye.
pub(crate) async fn converse<S>(
    dns: &Arc<Dns>,
    stream: S,
    connection: &Connection,
    settings: StreamSettings,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let ended = answers(dns, &mut reader, &mut writer, connection, settings).await;
    // Inside TLS the end is told, so that nobody takes it for a cut.
    let _gone = timeout(settings.taking, writer.shutdown()).await;
    ended
}

/// Answers the questions of one stream, each with its length before it (RFC 1035 §4.2.2).
async fn answers<R, W>(
    dns: &Arc<Dns>,
    reader: &mut R,
    writer: &mut W,
    connection: &Connection,
    settings: StreamSettings,
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
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
                Step::Answer => write(writer, &answer, settings.taking).await?,
                Step::AnswerAndRenew => {
                    dns.renew(&query, &connection.asker());
                    write(writer, &answer, settings.taking).await?;
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
                write(writer, &answer, settings.taking).await?;
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

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, answer: &[u8], within: Duration) -> io::Result<()> {
    // No answer is longer than its length can say.
    let length = u16::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let framed = [&length.to_be_bytes(), answer].concat();
    timeout(within, async {
        writer.write_all(&framed).await?;
        // TLS keeps what the socket did not take at once.
        writer.flush().await
    })
    .await?
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
