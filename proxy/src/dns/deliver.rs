//! A kept answer, made out to one client: its identifier, the spelling of its question, times to live as they are now.

use super::Transport;
use super::question::Query;
use super::reply::{self, Extended, ede};
use super::wire::{HEADER, rcode};
use crate::cache::Entry;
use std::time::Duration;

/// How long an answer may be used once its time is over (RFC 8767 §4 recommends 30 seconds).
const STALE_TTL: u32 = 30;

/// How long an answer about a protected name may be used, in seconds, whatever its age: what is left of its time would tell that
/// somebody here has just looked for help.
const PRIVATE_TTL: u32 = 30;

/// When and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The steady clock.
    pub(crate) now: Duration,
    /// No record lives longer, in seconds.
    pub(crate) most: u32,
    /// Whether the answer's time is over and nothing better could be had.
    pub(crate) stale: bool,
    /// Whether nobody may learn from the answer when it was asked for last.
    pub(crate) private: bool,
}

/// Writes a kept answer for a client.
pub(crate) fn deliver(
    query: &Query<'_>,
    transport: Transport,
    entry: &Entry,
    moment: Moment,
    out: &mut Vec<u8>,
) {
    let answer = &entry.answer;
    let authentic = answer.authentic && query.wants_authentic() && !query.unchecked();
    reply::begin(query.bytes, query.end, answer.rcode, authentic, out);
    if answer.wire.len() > reply::limit(query, transport) {
        reply::truncate(query, out, answer.rcode);
        return;
    }
    // The question is as long as the kept one, so that every pointer into it holds, in the client's own spelling.
    out[6..HEADER].copy_from_slice(&answer.wire[6..HEADER]);
    out.extend_from_slice(&answer.wire[answer.question_end..]);
    let age = u32::try_from(entry.age(moment.now).as_secs()).unwrap_or(u32::MAX);
    for &at in &answer.ttls {
        let at = usize::from(at);
        let ttl = aged(&out[at..at + 4], age, moment);
        out[at..at + 4].copy_from_slice(&ttl.to_be_bytes());
    }
    let stale = if answer.rcode == rcode::NXDOMAIN { ede::STALE_NXDOMAIN } else { ede::STALE };
    let reason = (moment.stale && !moment.private).then(|| Extended::code(stale));
    reply::finish(query, transport, answer.rcode, reason.as_ref(), out);
}

fn aged(ttl: &[u8], age: u32, moment: Moment) -> u32 {
    let ttl = u32::from_be_bytes([ttl[0], ttl[1], ttl[2], ttl[3]]);
    let left = match moment {
        Moment { private: true, .. } => PRIVATE_TTL,
        Moment { stale: true, .. } => STALE_TTL,
        Moment { private: false, stale: false, .. } => ttl.saturating_sub(age).max(1),
    };
    left.min(moment.most)
}
