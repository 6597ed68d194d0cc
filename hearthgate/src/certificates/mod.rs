//! What the gateway shows to whoever connects over TLS, for every listener that does: encrypted DNS and the console.
//!
//! [`Certificates`] knows where certificates come from and keeps them fresh while the gateway runs: those of the home's
//! own [`Authority`] are made anew long before they end, those from files are read again when the files change. A
//! listener asks for its configuration at each connection ([`Certificates::of`]), so that nothing restarts.

mod authority;
mod files;

pub(crate) use authority::{About, Authority};

use crate::failure::Failure;
use crate::state::State;
use agreements::{Certificate, Gateway};
use arc_swap::ArcSwap;
use authority::{LEAF_DAYS, Unusable};
use chrono::{DateTime, Duration, Utc};
use files::Stamp;
use proxy::Tls;
use rustls::ServerConfig;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether something is due.
const LOOK: std::time::Duration = std::time::Duration::from_secs(2);
/// A machine has few addresses; whatever it has, no more configurations than this are kept.
const MOST_KEPT: usize = 64;

/// The protocols that a listener speaks (ALPN, RFC 7301).
pub(crate) type Speaks = &'static [&'static [u8]];

/// Where certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// The file of the home's own authority.
    Authority(PathBuf),
    /// Somebody else makes them.
    Files { chain: PathBuf, key: PathBuf },
}

/// What is shown now.
struct Shown {
    by: By,
    /// From when until when it is to be shown; none where only the files tell.
    good: Option<Range<DateTime<Utc>>>,
    /// What the files were when they were read.
    stamps: Vec<Stamp>,
    made: Mutex<Made>,
}

/// What was made so far, by what is spoken and our address.
type Made = HashMap<(Speaks, Option<IpAddr>), Arc<ServerConfig>>;

enum By {
    Authority(Box<Authority>, DateTime<Utc>),
    Files(Arc<CertifiedKey>),
}

/// The certificates of a running gateway.
pub(crate) struct Certificates {
    name: String,
    source: Source,
    gateway: Gateway,
    shown: ArcSwap<Shown>,
    /// The files that could not be used, so that they are told of once.
    refused: Mutex<Vec<Stamp>>,
}

impl Certificates {
    /// Opens what `gateway.yaml` names. The home's own authority is made where there is none yet.
    pub(crate) fn open(gateway: &Gateway, home: &Path, state: &State) -> Result<Arc<Self>, Failure> {
        let source = match &gateway.certificate {
            Certificate::Local => Source::Authority(state.authority()),
            Certificate::Files { chain, key } => {
                Source::Files { chain: home.join(chain), key: home.join(key) }
            }
        };
        let shown = read(&source, gateway, now()).map_err(|why| {
            let help = match source {
                Source::Authority(_) => {
                    "`hearthgate ca --renew` makes another one, which every device has to be told of"
                }
                Source::Files { .. } => "see `certificate` in gateway.yaml",
            };
            Failure::cannot_read(why.to_string()).help(help)
        })?;
        Ok(Arc::new(Self {
            name: gateway.name.as_str().to_owned(),
            source,
            gateway: gateway.clone(),
            shown: ArcSwap::from_pointee(shown),
            refused: Mutex::default(),
        }))
    }

    /// What a listener that speaks these protocols shows: asked at each connection, with our address that it came to.
    pub(crate) fn of(self: &Arc<Self>, speaks: Speaks) -> Tls {
        let certificates = Arc::clone(self);
        Arc::new(move |address| certificates.config(speaks, address))
    }

    /// Keeps them fresh until told to stop.
    pub(crate) async fn tend(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => self.look(now()),
            }
        }
    }

    /// Makes or reads them anew if that is due. What cannot be used leaves the last ones.
    fn look(&self, now: DateTime<Utc>) {
        let shown = self.shown.load();
        let stamps = self.source.stamps();
        let refused = || self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = stamps != shown.stamps;
        // A clock that was set back makes it due too: it would not be good yet.
        let due = shown.good.as_ref().is_some_and(|good| !good.contains(&now));
        let has_failed = *refused() == stamps;
        if has_failed || !(changed || due) {
            return;
        }
        match read(&self.source, &self.gateway, now) {
            Ok(new) => {
                self.shown.store(Arc::new(new));
                refused().clear();
                tracing::info!("the certificate is new");
            }
            Err(why) => {
                tracing::error!(%why, "the certificate stays as it was");
                *refused() = stamps;
            }
        }
    }

    fn config(&self, speaks: Speaks, address: Option<IpAddr>) -> Option<Arc<ServerConfig>> {
        let shown = self.shown.load();
        let address = address.map(|address| address.to_canonical());
        let mut made = shown.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(&(speaks, address)) {
            return Some(Arc::clone(config));
        }
        let key = match &shown.by {
            By::Files(key) => Arc::clone(key),
            By::Authority(authority, now) => match authority.leaf(&self.name, address, *now) {
                Ok(key) => Arc::new(key),
                Err(why) => {
                    tracing::error!(%why, "a connection is closed: there is nothing to show it");
                    return None;
                }
            },
        };
        let config = Arc::new(config(speaks, key));
        if made.len() >= MOST_KEPT {
            made.clear();
        }
        made.insert((speaks, address), Arc::clone(&config));
        Some(config)
    }
}

impl Source {
    fn stamps(&self) -> Vec<Stamp> {
        match self {
            Self::Authority(file) => vec![Stamp::of(file)],
            Self::Files { chain, key } => vec![Stamp::of(chain), Stamp::of(key)],
        }
    }
}

fn read(source: &Source, gateway: &Gateway, now: DateTime<Utc>) -> Result<Shown, Unusable> {
    // Before they are read: what changes meanwhile is seen as changed.
    let mut stamps = source.stamps();
    let name = gateway.name.as_str();
    let (by, good) = match source {
        Source::Authority(file) => {
            let (authority, is_new) = authority(file, gateway, now)?;
            if is_new {
                stamps = source.stamps();
            }
            if authority.about().until < now + Duration::days(LEAF_DAYS) {
                return Err(Unusable("the home's own authority has run out".to_owned()));
            }
            if !authority.covers(name) {
                let about = authority.about().names.join(", ");
                return Err(Unusable(format!(
                    "the home's own authority signs for {about}, and the gateway is called {name} now"
                )));
            }
            // It is made anew long before it ends.
            let good = now - Duration::hours(1)..now + Duration::days(LEAF_DAYS / 2);
            (By::Authority(Box::new(authority), now), Some(good))
        }
        Source::Files { chain, key } => (By::Files(Arc::new(files::read(chain, key, name, now)?)), None),
    };
    Ok(Shown { by, good, stamps, made: Mutex::default() })
}

/// The authority of a file; a new one where there is no file. Whether it is new.
pub(crate) fn authority(
    file: &Path,
    gateway: &Gateway,
    now: DateTime<Utc>,
) -> Result<(Authority, bool), Unusable> {
    if let Some(authority) = Authority::read(file)? {
        return Ok((authority, false));
    }
    let new = Authority::make(gateway, now)?;
    let kept = new.keep_first(file);
    match kept.map_err(|error| Unusable(format!("`{}` cannot be written: {error}", file.display())))? {
        true => Ok((new, true)),
        // Somebody else made one in this very moment.
        false => {
            Authority::read(file)?.map(|a| (a, false)).ok_or_else(|| Unusable("it is gone again".to_owned()))
        }
    }
}

/// Certificates go by the machine's own clock, as the devices do; one from before the program was built is not right yet.
pub(crate) fn now() -> DateTime<Utc> {
    crate::clock::now().max(records::built_at())
}

fn config(speaks: Speaks, key: Arc<CertifiedKey>) -> ServerConfig {
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::new(One(key)));
    config.alpn_protocols = speaks.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

/// The one certificate, whatever name is asked for: the name says whose device it is.
#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesServerCert for One {
    fn resolve(&self, _hello: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests;
