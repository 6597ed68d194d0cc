//! Certificates that somebody else makes: two PEM files, read when the gateway starts and whenever they change.

use super::authority::{Unusable, until};
use chrono::{DateTime, Utc};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use std::fmt::Display;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What tells that a file is another than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<(u64, u64, i64, i64)>);

impl Stamp {
    /// Of the file as it is now; one that is not there has a stamp too.
    pub(super) fn of(file: &Path) -> Self {
        let read = std::fs::metadata(file).ok();
        Self(read.map(|m| (m.ino(), m.len(), m.mtime(), m.mtime_nsec())))
    }
}

/// Reads a certificate with its key, and sees that the two belong together, that it is good now, and that it is the
/// gateway's.
pub(super) fn read(
    chain: &Path,
    key: &Path,
    name: &str,
    now: DateTime<Utc>,
) -> Result<CertifiedKey, Unusable> {
    let wrong =
        |file: &Path, why: &dyn Display| Unusable(format!("`{}` cannot be used: {why}", file.display()));
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(chain, &error))?;
    let Some(first) = certificates.first() else {
        return Err(wrong(chain, &"there is no certificate in it"));
    };
    if until(first).is_some_and(|until| until < now) {
        return Err(wrong(chain, &"the certificate has run out"));
    }
    covers(first, name).map_err(|why| wrong(chain, &why))?;
    // What is wrong with a key is not repeated in detail.
    let key_der =
        PrivateKeyDer::from_pem_file(key).map_err(|_| wrong(key, &"there is no key to be read in it"))?;
    let signing = rustls::crypto::ring::sign::any_supported_type(&key_der)
        .map_err(|_| wrong(key, &"the key is of a kind that is not known here"))?;
    let certified = CertifiedKey::new(certificates, signing);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(_) => Err(wrong(key, &"it belongs to another certificate")),
    }
}

fn covers(certificate: &CertificateDer<'_>, name: &str) -> Result<(), String> {
    let read = rustls::server::ParsedCertificate::try_from(certificate).map_err(|e| e.to_string())?;
    let wanted = ServerName::try_from(name.to_owned()).map_err(|e| e.to_string())?;
    rustls::client::verify_server_name(&read, &wanted)
        .map_err(|_| format!("it is not for {name} (see `name` in gateway.yaml)"))?;
    let token = ServerName::try_from(format!("a.{name}")).map_err(|e| e.to_string())?;
    if rustls::client::verify_server_name(&read, &token).is_err() {
        tracing::warn!(
            "the certificate is not for *.{name}: a token in a DNS over TLS server name will not be believed by devices"
        );
    }
    Ok(())
}
