//! What the packet path hands to the recorder: borrowed, without allocation.

use crate::in_force::Current;
use agreements::{Evidence, PersonId, Verdict};
use chrono::{DateTime, Utc};
use std::sync::Arc;

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
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// What was in force, for the sentence and the line.
    pub current: &'a Arc<Current>,
    /// Whose device it was.
    pub who: PersonId,
    /// Which device, by its place in [`agreements::House::devices`].
    pub device: Option<u16>,
    /// How the gateway knew.
    pub identified: Identified,
    /// The host or address that was asked for, in ASCII; the first 253 bytes are kept.
    pub host: &'a str,
    /// The decision.
    pub verdict: Verdict,
    /// What the gateway saw.
    pub evidence: Evidence,
}
