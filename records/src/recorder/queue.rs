//! What waits for the journal's task: bounded, packed, and handed over without waking the task for each.
//!
//! A flood of refusals must cost the packet path little and the task nothing until it looks: whoever hands over puts one
//! more at the end of a buffer under a lock that is held for that long, and only the first of an empty buffer (and the one
//! that fills it half) rings. The task swaps the whole buffer for an empty one.

use crate::in_force::Current;
use crate::refused::{Face, Identified, Refused};
use agreements::{Detector, Evidence, Host, PersonId, Verdict};
use blocklists::Name;
use chrono::{DateTime, Utc};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Of a name so many bytes are kept: it has at most 253 (RFC 1035 §2.3.4).
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

/// Refusals, one after the other, their hosts' names end to end.
#[derive(Debug)]
pub(super) struct Waiting {
    refusals: Vec<Packed>,
    names: String,
    /// What was in force, from which refusal on: it changes seldom, and is not counted for each.
    currents: Vec<(usize, Arc<Current>)>,
}

/// What one thread refuses in one go, handed over under one lock.
#[derive(Debug)]
pub(super) struct Gathered(Waiting);

impl Gathered {
    /// Without room: it grows to that of a round, once.
    pub(super) const fn new() -> Self {
        Self(Waiting { refusals: Vec::new(), names: String::new(), currents: Vec::new() })
    }

    pub(super) fn put(&mut self, refused: &Refused<'_>) {
        self.0.put(refused);
    }
}

/// A refusal, the name of whose host ends at a place of the buffer's text.
#[derive(Clone, Copy, Debug)]
struct Packed {
    at: DateTime<Utc>,
    who: PersonId,
    device: Option<u16>,
    identified: Identified,
    stranger: Option<Face>,
    verdict: Verdict,
    evidence: Evidence,
    detected: Option<Detector>,
    /// The host, where it is none with a name.
    address: Option<IpAddr>,
    name_ends: usize,
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

    /// Puts in what was gathered, as far as there is room, and rings where somebody has to hear of it. What found no room
    /// is shown to `shed`. Nothing is left of it.
    pub(super) fn put_all(
        &self,
        Gathered(gathered): &mut Gathered,
        bell: &Notify,
        mut shed: impl FnMut(&Refused<'_>),
    ) {
        if gathered.refusals.is_empty() {
            return;
        }
        let mut open = self.open();
        let before = open.waiting.refusals.len();
        let room = if open.closed { 0 } else { self.room.saturating_sub(before) };
        let taken = open.waiting.append(gathered, room);
        drop(open);
        let half = self.room / 2;
        if taken > 0 && (before == 0 || before <= half && before + taken > half) {
            bell.notify_one();
        }
        let mut place = 0;
        gathered.each(|refused| {
            if place >= taken {
                shed(refused);
            }
            place += 1;
        });
        gathered.clear();
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
        Self {
            refusals: Vec::with_capacity(USUAL),
            names: String::with_capacity(USUAL_TEXT),
            currents: Vec::with_capacity(4),
        }
    }
}

impl Waiting {
    fn put(&mut self, refused: &Refused<'_>) {
        let (name, address) = match refused.host {
            Host::Name(name) => (name.as_str(), None),
            Host::Address(address) => ("", Some(address)),
        };
        if name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.names.push_str(name);
        } else {
            let plain = |byte: u8| if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
            self.names.extend(name.bytes().take(LONGEST).map(plain));
        }
        self.is_in_force(self.refusals.len(), refused.current);
        self.refusals.push(Packed {
            at: refused.at,
            who: refused.who,
            device: refused.device,
            identified: refused.identified,
            stranger: refused.stranger,
            verdict: refused.verdict,
            evidence: refused.evidence,
            detected: refused.detected,
            address,
            name_ends: self.names.len(),
        });
    }

    /// Notes what is in force from a refusal on.
    fn is_in_force(&mut self, from: usize, current: &Arc<Current>) {
        if self.currents.last().is_none_or(|(_, last)| !Arc::ptr_eq(last, current)) {
            self.currents.push((from, Arc::clone(current)));
        }
    }

    /// Copies another's refusals to the end, the first `most` of them, and tells how many that were.
    fn append(&mut self, other: &Self, most: usize) -> usize {
        let taken = other.refusals.len().min(most);
        let text = other.refusals[..taken].last().map_or(0, |packed| packed.name_ends);
        let (refusals, names) = (self.refusals.len(), self.names.len());
        for (from, current) in other.currents.iter().filter(|(from, _)| *from < taken) {
            self.is_in_force(refusals + from, current);
        }
        self.names.push_str(other.names.get(..text).unwrap_or_default());
        let moved = |packed: &Packed| Packed { name_ends: names + packed.name_ends, ..*packed };
        self.refusals.extend(other.refusals[..taken].iter().map(moved));
        taken
    }

    /// Shows each, in the order in which they came.
    pub(super) fn each(&self, mut show: impl FnMut(&Refused<'_>)) {
        let mut from = 0;
        let mut currents = self.currents.iter().peekable();
        let mut in_force = None;
        for (place, packed) in self.refusals.iter().enumerate() {
            while let Some((_, current)) = currents.next_if(|(from, _)| *from <= place) {
                in_force = Some(current);
            }
            let Some(current) = in_force else { return };
            let name = self.names.get(from..packed.name_ends).unwrap_or_default();
            from = packed.name_ends;
            show(&Refused {
                at: packed.at,
                current,
                who: packed.who,
                device: packed.device,
                identified: packed.identified,
                stranger: packed.stranger,
                host: packed.address.map_or_else(|| Host::Name(Name::trusted(name)), Host::Address),
                verdict: packed.verdict,
                evidence: packed.evidence,
                detected: packed.detected,
            });
        }
    }

    /// Lets go of what is in it, and of the room that only a flood needs.
    pub(super) fn clear(&mut self) {
        self.refusals.clear();
        self.names.clear();
        self.currents.clear();
        self.refusals.shrink_to(USUAL);
        self.names.shrink_to(USUAL_TEXT);
    }
}
