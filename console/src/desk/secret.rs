//! Tokens that only this gateway can have made: for sessions and for links. Of each only the hash is kept.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// A token: 256 bits of randomness in hexadecimal.
pub(crate) struct Secret(String);

impl Secret {
    /// A fresh one; none only when the system has no randomness to give.
    pub(crate) fn fresh() -> Option<Self> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(hex(&bytes)))
    }

    /// What the browser or the person is given.
    pub(crate) fn shown(&self) -> &str {
        &self.0
    }

    /// What is kept.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }
}

/// The SHA-256 of a text in hexadecimal: what is kept of a token that somebody shows, and what says whether a file is still
/// the same. A token is looked up by this, so that comparing takes the same time wherever it differs.
pub fn hash(shown: &str) -> String {
    hex(digest(&SHA256, shown.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
