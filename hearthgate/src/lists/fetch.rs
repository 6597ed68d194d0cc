//! Fetches a list over http(s): conditionally, with a limit on bytes and on time, never further than three redirects.

use crate::lists::names::Names;
use crate::lists::shelf::hex;
use futures_util::StreamExt;
use proxy::target::Reach;
use reqwest::header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use ring::digest::{Context, SHA256};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// The whole fetch: a large list over a slow line.
const WHOLE: Duration = Duration::from_secs(15 * 60);
/// Silence for longer than this ends it.
const SILENCE: Duration = Duration::from_secs(30);
/// To connect.
const CONNECT: Duration = Duration::from_secs(10);

/// Fetches lists.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    client: Client,
    most: u64,
}

/// The publisher's marks of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Its ETag (RFC 9110 §8.8.3).
    pub(crate) etag: Option<String>,
    /// Its time (RFC 9110 §8.8.2), as it was sent.
    pub(crate) last_modified: Option<String>,
}

/// What a fetch gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// The copy at hand is current.
    Current,
    /// A body, written where it was asked for.
    Body {
        /// Its marks.
        marks: Marks,
        /// Its SHA-256 in hex.
        sha256: String,
        /// Its length.
        bytes: u64,
    },
}

/// Why nothing was fetched.
#[derive(Debug)]
pub(crate) enum Unfetched {
    /// The publisher answered, and not with a list.
    Status(StatusCode),
    /// More bytes came than any list has.
    TooLarge(u64),
    /// It took longer than it may.
    TooSlow,
    /// The network, the name, the certificate: what the client says.
    Network(String),
    /// The body could not be written.
    Disk(std::io::Error),
}

impl fmt::Display for Unfetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the publisher answered {status}"),
            Self::TooLarge(most) => write!(f, "the list is larger than {} MiB", most >> 20),
            Self::TooSlow => write!(f, "the list took longer than {} minutes", WHOLE.as_secs() / 60),
            Self::Network(why) => write!(f, "the list cannot be fetched: {why}"),
            Self::Disk(why) => write!(f, "the list cannot be kept: {why}"),
        }
    }
}

impl std::error::Error for Unfetched {}

impl From<reqwest::Error> for Unfetched {
    /// The innermost reason, without the address: it may hold a licence key.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut inner: &dyn std::error::Error = &error;
        while let Some(source) = inner.source() {
            inner = source;
        }
        Self::Network(inner.to_string())
    }
}

impl From<std::io::Error> for Unfetched {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// A client with the roots that are built in, no proxy from the environment, and the home's own upstreams for names.
pub(crate) fn client(names: Names) -> Result<Client, reqwest::Error> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .dns_resolver(Arc::new(names))
        .redirect(redirects())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .user_agent(concat!("hearthgate/", env!("CARGO_PKG_VERSION")))
        .build()
}

impl Fetcher {
    /// A client with the roots that are built in, no proxy from the environment, and a limit on bytes.
    pub(crate) fn new(most: u64, names: Names) -> Result<Self, Unfetched> {
        Ok(Self { client: client(names)?, most })
    }

    /// Fetches a list into a file, unless the copy with these marks is current.
    pub(crate) async fn fetch(&self, url: &str, marks: &Marks, into: &Path) -> Result<Fetched, Unfetched> {
        tokio::time::timeout(WHOLE, self.unhurried(url, marks, into)).await.map_err(|_| Unfetched::TooSlow)?
    }

    async fn unhurried(&self, url: &str, marks: &Marks, into: &Path) -> Result<Fetched, Unfetched> {
        let mut request = self.client.get(url);
        if let Some(etag) = &marks.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(modified) = &marks.last_modified {
            request = request.header(IF_MODIFIED_SINCE, modified);
        }
        let response = request.send().await?;
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(Fetched::Current),
            StatusCode::OK => self.body(response, into).await,
            status => Err(Unfetched::Status(status)),
        }
    }

    async fn body(&self, response: Response, into: &Path) -> Result<Fetched, Unfetched> {
        if response.content_length().is_some_and(|length| length > self.most) {
            return Err(Unfetched::TooLarge(self.most));
        }
        let marks = Marks::of(response.headers());
        let (mut file, mut hash, mut bytes) =
            (tokio::fs::File::create(into).await?, Context::new(&SHA256), 0);
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            bytes += chunk.len() as u64;
            if bytes > self.most {
                return Err(Unfetched::TooLarge(self.most));
            }
            hash.update(&chunk);
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        Ok(Fetched::Body { marks, sha256: hex(hash.finish().as_ref()), bytes })
    }
}

/// At most three, never from https to http, and never from outside to an address inside the home.
fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let secure = attempt.previous().iter().any(|url| url.scheme() == "https");
        if attempt.previous().len() > 3 {
            attempt.error("too many redirects")
        } else if secure && attempt.url().scheme() != "https" {
            attempt.error("a redirect from https to http")
        } else if is_inside(attempt.url()) && !attempt.previous().iter().all(is_inside) {
            attempt.error("a redirect into the home's own network")
        } else {
            attempt.follow()
        }
    })
}

/// Whether an address is one that nobody outside may lead to. Names are looked at when they are found ([`Names`]).
fn is_inside(url: &Url) -> bool {
    let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    literal.is_some_and(|ip| Reach::default().check(SocketAddr::new(ip, 0)).is_err())
}

impl Marks {
    fn of(headers: &HeaderMap) -> Self {
        // What is kept is sent back: no longer than a header that any server takes.
        let text = |name: HeaderName| {
            headers.get(name).and_then(|v| v.to_str().ok()).filter(|v| v.len() < 1000).map(str::to_owned)
        };
        Self { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }
}

#[cfg(test)]
mod tests;
