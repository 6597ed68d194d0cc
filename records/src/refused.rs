//! What the packet path hands to the recorder: small, without allocation.

use crate::in_force::Current;
use agreements::{Evidence, PersonId, Verdict};
use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;

/// A host's text kept inline, so that handing it over allocates nothing.
#[derive(Clone)]
pub struct HostText {
    len: u8,
    text: [u8; 253],
}

impl HostText {
    /// Takes at most the first 253 bytes of an ASCII host name or address; what is not ASCII becomes `?`.
    pub fn new(host: &str) -> Self {
        let mut text = [0; 253];
        let mut len = 0;
        for (to, byte) in text.iter_mut().zip(host.bytes()) {
            *to = if byte.is_ascii_graphic() { byte } else { b'?' };
            len += 1;
        }
        Self { len, text }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl fmt::Debug for HostText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the gateway knew whose device it was: the strength of the identification stands in every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identified {
    /// The device showed a token of its own.
    Token,
    /// By hardware address, through the kernel's neighbour table.
    Mac,
    /// By address.
    Ip,
    /// By the network it is on.
    Network,
    /// Not at all.
    Unknown,
}

/// One refusal, on its way from the packet path to the journal.
#[derive(Clone, Debug)]
pub struct Refused {
    /// When.
    pub at: DateTime<Utc>,
    /// What was in force, for the sentence and the line.
    pub current: Arc<Current>,
    /// Whose device it was.
    pub who: PersonId,
    /// Which device, by its place in [`agreements::House::devices`].
    pub device: Option<u16>,
    /// How the gateway knew.
    pub identified: Identified,
    /// The host or address that was asked for.
    pub host: HostText,
    /// The decision.
    pub verdict: Verdict,
    /// What the gateway saw.
    pub evidence: Evidence,
}
