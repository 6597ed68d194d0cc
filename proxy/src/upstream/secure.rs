//! TCP, DoT and DoH to an upstream: one connection that all questions share, renewed when it breaks.
//!
//! The connections are hickory's; its pool is not used, because a pool turns "no such name" into an error without its
//! message, and each upstream here has a health of its own.

use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::xfer::{DnsExchange, DnsHandle, FirstAnswer};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, Message};
use hickory_resolver::config::{ConnectionConfig, ResolverOpts};
use hickory_resolver::{ConnectionProvider, PoolContext, TlsConfig};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Questions at once on one connection.
const MOST_AT_ONCE: usize = 512;

/// What all connections share.
pub(super) struct Context(PoolContext);

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context")
    }
}

/// Prepares what all connections share: the roots of the web, and those that the home adds.
pub(super) fn context(
    timeout: Duration,
    roots: &[CertificateDer<'static>],
) -> Result<Arc<Context>, rustls::Error> {
    let mut options = ResolverOpts::default();
    options.timeout = timeout;
    options.max_active_requests = MOST_AT_ONCE;
    let mut trusted = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in roots {
        trusted.add(root.clone())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(Arc::new(Context(PoolContext::new(options, TlsConfig { config }))))
}

type Exchange = DnsExchange<TokioRuntimeProvider>;

/// A connection that is made when it is needed.
pub(super) struct Stream {
    config: ConnectionConfig,
    context: Arc<Context>,
    /// It holds the tasks that drive the connections: dropped, they would end.
    provider: TokioRuntimeProvider,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    exchange: Option<Exchange>,
    /// Which connection this is, so that only the one that broke is dropped.
    number: u64,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(mut config: ConnectionConfig, port: u16, context: Arc<Context>) -> Self {
        config.port = port;
        Self { config, context, provider: TokioRuntimeProvider::default(), live: Mutex::default() }
    }

    /// Asks. A connection that was open may have been closed by the other side meanwhile: then once more on a new one.
    pub(super) async fn ask(&self, address: IpAddr, wire: &[u8]) -> Option<Vec<u8>> {
        let message = Message::from_vec(wire).ok()?;
        loop {
            let (exchange, number, new) = self.connection(address).await?;
            let request = DnsRequest::new(message.clone(), DnsRequestOptions::default());
            match exchange.send(request).first_answer().await {
                Ok(response) => return Some(response.into_buffer()),
                Err(_) => self.broken(number).await,
            }
            if new {
                return None;
            }
        }
    }

    async fn connection(&self, address: IpAddr) -> Option<(Exchange, u64, bool)> {
        let mut live = self.live.lock().await;
        if let Some(exchange) = &live.exchange {
            return Some((exchange.clone(), live.number, false));
        }
        let connecting = self.provider.new_connection(address, &self.config, &self.context.0);
        let exchange = connecting.ok()?.await.ok()?;
        live.number += 1;
        live.exchange = Some(exchange.clone());
        Some((exchange, live.number, true))
    }

    async fn broken(&self, number: u64) {
        let mut live = self.live.lock().await;
        if live.number == number {
            live.exchange = None;
        }
    }
}
