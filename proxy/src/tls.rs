//! Opening a TLS connection for whoever comes to one of our listeners, within bounds.

use rustls::ServerConfig;
use rustls::server::Acceptor;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
pub use tokio_rustls::server::TlsStream;

/// What a listener shows to whoever connects, by our address that it came to; none when there is nothing to show. It is asked
/// at each connection, so that a certificate is replaced without a restart.
pub type Tls = Arc<dyn Fn(Option<IpAddr>) -> Option<Arc<ServerConfig>> + Send + Sync>;

/// A handshake takes two round trips; a phone at the edge of the Wi-Fi gets this long.
pub const HANDSHAKE: Duration = Duration::from_secs(5);

/// Takes a connection's TLS handshake, or gives up after a while: [`HANDSHAKE`] unless somebody knows better.
pub async fn open(stream: TcpStream, tls: &Tls, within: Duration) -> io::Result<TlsStream<TcpStream>> {
    let local = stream.local_addr().ok().map(|address| address.ip());
    let handshake = async {
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let config = tls(local).ok_or(io::ErrorKind::NotFound)?;
        hello.into_stream(config).await
    };
    timeout(within, Box::pin(handshake)).await?
}
