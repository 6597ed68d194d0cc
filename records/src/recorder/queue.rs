//! What waits for the journal's task: bounded, packed, and handed over without waking the task for each.
//!
//! A flood of refusals must cost the packet path little and the task nothing until it looks: whoever hands over puts one
//! more at the end of a buffer under a lock that is held for that long, and only the first of an empty buffer (and the one
//! that fills it half) rings. The task swaps the whole buffer for an empty one.

use crate::in_force::Current;
use crate::refused::{Identified, Refused};
use agreements::{Evidence, PersonId, Verdict};
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Of a host's text so many bytes are kept: a name has at most 253 (RFC 1035 §2.3.4), an address fewer.
const LONGEST: usize = 253;
/// Refusals that a buffer has room for before it grows; a flood's room is let go of.
const USUAL: usize = 1024;
/// Bytes of text for them.
const USUAL_TEXT: usize = USUAL * 32;

/// Refusals that wait, up to a bound.
#[derive(Debug)]
pub(super) struct Queue {
    open: Mutex<Open>,
    room: usize,
}

#[derive(Debug)]
struct Open {
    waiting: Waiting,
    closed: bool,
}

/// Refusals, one after the other, their hosts' text end to end.
#[derive(Debug)]
pub(super) struct Waiting {
    refusals: Vec<Packed>,
    hosts: String,
}

/// A refusal whose host's text ends at a place of the buffer's text.
#[derive(Debug)]
struct Packed {
    at: DateTime<Utc>,
    current: Arc<Current>,
    who: PersonId,
    device: Option<u16>,
    identified: Identified,
    verdict: Verdict,
    evidence: Evidence,
    host_ends: usize,
}

impl Queue {
    pub(super) fn new(room: usize) -> Self {
        Self { open: Mutex::new(Open { waiting: Waiting::default(), closed: false }), room }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a refusal in if fewer than `most` wait, and rings where somebody has to hear of it. Whether it is in.
    pub(super) fn put(&self, refused: &Refused<'_>, most: usize, bell: &Notify) -> bool {
        let mut open = self.open();
        let before = open.waiting.refusals.len();
        if open.closed || before >= self.room.min(most) {
            return false;
        }
        open.waiting.put(refused);
        drop(open);
        if before == 0 || before == self.room / 2 {
            bell.notify_one();
        }
        true
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.open().waiting.refusals.len()
    }

    /// Whether it is half full, so that the task should not let more gather.
    pub(super) fn presses(&self) -> bool {
        self.len() > self.room / 2
    }

    /// Gives what waits for an empty buffer.
    pub(super) fn take(&self, empty: &mut Waiting) {
        std::mem::swap(&mut self.open().waiting, empty);
    }

    /// From now on nothing finds room.
    pub(super) fn close(&self) {
        self.open().closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.open().closed
    }
}

impl Default for Waiting {
    /// With room for what usually comes, so that handing over allocates nothing.
    fn default() -> Self {
        Self { refusals: Vec::with_capacity(USUAL), hosts: String::with_capacity(USUAL_TEXT) }
    }
}

impl Waiting {
    fn put(&mut self, refused: &Refused<'_>) {
        let host = refused.host.get(..LONGEST).unwrap_or(refused.host);
        if host.len() <= LONGEST && host.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.hosts.push_str(host);
        } else {
            let plain = |byte: u8| if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
            self.hosts.extend(host.bytes().take(LONGEST).map(plain));
        }
        self.refusals.push(Packed {
            at: refused.at,
            current: Arc::clone(refused.current),
            who: refused.who,
            device: refused.device,
            identified: refused.identified,
            verdict: refused.verdict,
            evidence: refused.evidence,
            host_ends: self.hosts.len(),
        });
    }

    /// Shows each, in the order in which they came.
    pub(super) fn each(&self, mut show: impl FnMut(&Refused<'_>)) {
        let mut from = 0;
        for packed in &self.refusals {
            let host = self.hosts.get(from..packed.host_ends).unwrap_or_default();
            from = packed.host_ends;
            show(&Refused {
                at: packed.at,
                current: &packed.current,
                who: packed.who,
                device: packed.device,
                identified: packed.identified,
                host,
                verdict: packed.verdict,
                evidence: packed.evidence,
            });
        }
    }

    /// Lets go of what is in it, and of the room that only a flood needs.
    pub(super) fn clear(&mut self) {
        self.refusals.clear();
        self.hosts.clear();
        self.refusals.shrink_to(USUAL);
        self.hosts.shrink_to(USUAL_TEXT);
    }
}
