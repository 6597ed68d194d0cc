//! Everything that is open stays under judgement: the warden ends what the agreement no longer allows.
//!
//! One task looks after all open tunnels and exchanges. It judges again what a replaced house, a new grant or a verdict's
//! `until` could have changed, ends what has been quiet for too long, and marks minutes in use. A tunnel therefore has no
//! timer of its own, which keeps an idle one small, and the instant that counts is always the gate's clock: a clock that
//! jumps is noticed within a [`ROUND`].
//!
//! **Which minutes count.** A minute counts for the person and what they were allowed when at least
//! [`MINUTE_BYTES`] passed through one tunnel or exchange within it, both directions together, or when they opened a page
//! over plain HTTP. The keep-alives of a phone in a drawer are a few hundred bytes a minute and a TLS handshake with its
//! certificates is 5 to 10 KiB, so neither alone makes a minute. What is below that is added up as it passes ([`crumbs`]), so that
//! many small exchanges make a minute too, and so do many tunnels that each carry little for hours.

mod crumbs;
mod passed;

use crate::dns::safe_search::{self, Search};
use crate::dns::verdicts;
use crate::gate::{Gate, Who};
use crate::http::{Counters, Path};
use crate::identify::Shown;
use crate::resolver::Resolved;
use crate::target::TargetHost;
use agreements::{Counts, Host, PersonId, Verdict};
use blocklists::{Domain, Name};
use chrono::{DateTime, Utc};
pub(crate) use crumbs::Crumbs;
pub(crate) use passed::Passed;
use records::{ClockState, Current};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the warden looks at the clock.
pub(crate) const ROUND: Duration = Duration::from_millis(250);

/// How many bytes in one minute make it a minute of use.
pub(crate) const MINUTE_BYTES: u64 = 16 * 1024;

/// How many bytes of tunnels and exchanges that each had fewer make it a minute of use together: more, since the background
/// of several apps comes together here.
const TOGETHER_BYTES: u64 = 4 * MINUTE_BYTES;

/// Locks are taken for one shard at a time, so that opening a tunnel seldom waits for a round.
const SHARDS: usize = 16;

/// Who asked, as they showed themselves: enough to find the person again in a later house.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// The device's address.
    pub(crate) address: IpAddr,
    /// The token that it showed.
    pub(crate) token: Option<Box<str>>,
}

impl Asker {
    /// Whoever speaks from an address, and shows no token.
    pub(crate) fn without_token(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), token: None }
    }

    /// Who that is now.
    pub(crate) fn who(&self, gate: &Gate, current: &Current) -> Who {
        gate.who(current, self.address, self.token.as_deref())
    }
}

/// One thing that was asked for and judged.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The host.
    pub(crate) host: TargetHost,
    /// The path without its query, where it was seen.
    pub(crate) path: Option<Box<Path>>,
    /// How its address was found; none where it was not looked up.
    pub(crate) way: Option<Box<Way>>,
}

/// How the address of a host was found. It stands under judgement like the host: an agreement that no longer allows a name
/// on the way, or another degree of safe search, ends what was opened that way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The names that the host's name led to.
    pub(crate) through: Box<[Domain]>,
    /// What safe search made of the name.
    pub(crate) search: Search,
}

impl Way {
    /// None for the plain way, which most are: an idle tunnel keeps nothing of it.
    pub(crate) fn of(resolved: &Resolved) -> Option<Box<Self>> {
        Self::to(&resolved.through, resolved.search)
    }

    /// The same, by the names that were led through.
    pub(crate) fn to(through: &[Domain], search: Search) -> Option<Box<Self>> {
        let plain = through.is_empty() && search == Search::AsAsked;
        (!plain).then(|| Box::new(Self { through: through.into(), search }))
    }
}

impl Asked {
    /// A host whose paths are not seen.
    pub(crate) fn host(host: TargetHost) -> Self {
        Self { host, path: None, way: None }
    }

    /// Whether the address would be found the same way now, for a verdict that allows the host; else until when. What is not a
    /// name, or was never looked up (the server name inside a tunnel), has no way.
    fn way_holds(
        &self,
        gate: &Gate,
        current: &Current,
        who: &Who,
        verdict: &Verdict,
        looked_up: bool,
    ) -> Option<Option<DateTime<Utc>>> {
        let TargetHost::Name(name) = &self.host else { return Some(verdict.until) };
        if !looked_up {
            return Some(verdict.until);
        }
        let (through, search) = match &self.way {
            Some(way) => (&way.through[..], way.search),
            None => (&[][..], Search::AsAsked),
        };
        let held = current.snapshot.house.safe_search(gate.person(who));
        if safe_search::search(held, name.name()) != search {
            return None;
        }
        let judge = |name: Name<'_>| gate.judge(current, who, Host::Name(name), None);
        verdicts::judge_names(judge, Some(verdict), through).ok()
    }

    /// Whether safe search leaves a name that is shown inside a tunnel to `target` alone: what it answers in its own way was not
    /// looked up here, so that any address could stand behind it.
    pub(crate) fn is_found_as_asked(
        &self,
        gate: &Gate,
        current: &Current,
        who: &Who,
        target: &TargetHost,
    ) -> bool {
        let TargetHost::Name(name) = &self.host else { return true };
        let held = current.snapshot.house.safe_search(gate.person(who));
        self.host == *target || safe_search::search(held, name.name()) == Search::AsAsked
    }

    /// Decides again about what was looked up: none where it is no longer allowed, or would be found another way.
    pub(crate) fn again(&self, gate: &Gate, current: &Current, who: &Who) -> Option<Made> {
        let mut verdict = self.judge(gate, current, who);
        let until = self.way_holds(gate, current, who, &verdict, true).filter(|_| verdict.allows())?;
        verdict.until = until;
        Some(Made::new(gate, current, who, &verdict))
    }

    /// Decides about a way around the gateway there, now.
    pub(crate) fn judge_around(&self, gate: &Gate, current: &Current, who: &Who) -> Verdict {
        gate.judge_around(current, who, self.host.judged())
    }

    /// Decides, now.
    pub(crate) fn judge(&self, gate: &Gate, current: &Current, who: &Who) -> Verdict {
        let judge = |path: Option<&str>| gate.judge(current, who, self.host.judged(), path);
        self.path.as_ref().map_or_else(|| judge(None), |path| path.judge(|reading| judge(Some(reading))).0)
    }
}

/// A decision that was made, and with what, so that the warden knows when to make it again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) generation: u64,
    pub(crate) person: PersonId,
    pub(crate) device: Option<u16>,
    pub(crate) clock: ClockState,
    pub(crate) at: DateTime<Utc>,
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) counts: Counts,
}

impl Made {
    /// Notes what `verdict` was made with.
    pub(crate) fn new(gate: &Gate, current: &Current, who: &Who, verdict: &Verdict) -> Self {
        Self {
            generation: current.generation,
            person: who.person,
            device: who.device,
            clock: gate.clock.state(),
            at: gate.clock.now(),
            until: verdict.until,
            counts: verdict.counts,
        }
    }

    /// Both decisions as one: it holds while both hold, is as old as the older, and its minutes count for both.
    pub(crate) fn and(self, other: Self) -> Self {
        let until = match (self.until, other.until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let generation = self.generation.min(other.generation);
        Self { until, generation, counts: Counts(self.counts.0 | other.counts.0), ..self }
    }
}

/// What the warden holds of one open tunnel or exchange.
#[derive(Debug)]
struct Held {
    asker: Asker,
    asked: Vec<Asked>,
    made: Made,
    moved: Arc<AtomicU64>,
    /// What had moved at the last look.
    seen: u64,
    passed: Passed,
    quiet: Quiet,
    cut: CancellationToken,
}

/// Since when nothing has passed.
#[derive(Debug)]
struct Quiet {
    limit: Duration,
    since: Duration,
}

/// One look at the clock.
struct Moment {
    now: DateTime<Utc>,
    steady: Duration,
    clock: ClockState,
}

/// What becomes of something open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    Refused,
    TooQuiet,
}

/// Looks after everything open.
pub(crate) struct Warden {
    gate: Arc<Gate>,
    counters: Arc<Counters>,
    next: AtomicU64,
    /// Boxed, since a map keeps room for more than it holds.
    shards: [Mutex<HashMap<u64, Box<Held>>>; SHARDS],
    crumbs: Mutex<Crumbs>,
}

/// Something open that the warden looks after, until it is dropped.
pub(crate) struct Lease {
    key: u64,
    warden: Arc<Warden>,
    moved: Arc<AtomicU64>,
    cut: CancellationToken,
}

impl Lease {
    /// Where to count bytes that pass.
    pub(crate) fn moved(&self) -> &Arc<AtomicU64> {
        &self.moved
    }

    /// Cancelled when this must end.
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// From now on something else has to stay allowed as well: the server name inside a tunnel.
    pub(crate) fn also(&self, asked: Asked, made: Made) {
        let mut shard = self.warden.shard(self.key);
        if let Some(held) = shard.get_mut(&self.key) {
            held.asked.push(asked);
            held.made = held.made.and(made);
        }
    }

    /// How long nothing may pass from now on.
    pub(crate) fn quiet_for(&self, limit: Duration) {
        if let Some(held) = self.warden.shard(self.key).get_mut(&self.key) {
            held.quiet.limit = limit;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let held = self.warden.shard(self.key).remove(&self.key);
        if let Some(mut held) = held {
            let current = self.warden.gate.in_force.current();
            // A house that came since the last round numbers its people anew: then the last moments are not marked.
            if current.generation == held.made.generation {
                held.notice();
                held.mark(&current, self.warden.moment().now, &mut lock(&self.warden.crumbs));
            }
        }
    }
}

impl Warden {
    pub(crate) fn new(gate: Arc<Gate>, counters: Arc<Counters>) -> Self {
        let shards = std::array::from_fn(|_| Mutex::new(HashMap::new()));
        Self { gate, counters, next: AtomicU64::new(0), shards, crumbs: Mutex::default() }
    }

    /// Takes something open into care. It is ended when `asked` is no longer allowed, or nothing passed for `quiet`.
    pub(crate) fn hold(
        self: &Arc<Self>,
        asker: Asker,
        asked: Asked,
        made: Made,
        quiet: Duration,
        cut: CancellationToken,
    ) -> Lease {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        let moved = Arc::new(AtomicU64::new(0));
        let moment = self.moment();
        let held = Held {
            asker,
            asked: vec![asked],
            made,
            moved: Arc::clone(&moved),
            seen: 0,
            passed: Passed::default(),
            quiet: Quiet { limit: quiet, since: moment.steady },
            cut: cut.clone(),
        };
        self.shard(key).insert(key, Box::new(held));
        // A house may have come between the judgement and this line, after its round passed this shard.
        if self.gate.in_force.current().generation != made.generation {
            self.round_of(usize::try_from(key).unwrap_or(0) % SHARDS);
        }
        Lease { key, warden: Arc::clone(self), moved, cut }
    }

    /// Marks the running minute at once: someone opened a page.
    pub(crate) fn opened_a_page(current: &Current, made: &Made, asked: &Asked) {
        current.in_use(made.person, made.counts, made.at, std::iter::once(asked.host.judged()));
        current.device_in_use(made.device, made.at);
    }

    /// Looks after everything until told to stop.
    pub(crate) async fn watch(&self, stop: CancellationToken) {
        let mut changes = self.gate.in_force.changes();
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rounds.tick() => {}
                // The sender lives in the gate, which we hold: it cannot be gone.
                _ = changes.changed() => {}
            }
            for shard in 0..SHARDS {
                self.round_of(shard);
                tokio::task::yield_now().await;
            }
        }
    }

    fn round_of(&self, shard: usize) {
        let current = self.gate.in_force.current();
        let moment = self.moment();
        let mut shard = lock(&self.shards[shard]);
        let mut crumbs = lock(&self.crumbs);
        shard.retain(|_, held| {
            let fate = held.look(&self.gate, &current, &moment, &mut crumbs);
            match fate {
                Fate::Stays => return true,
                Fate::Refused => self.counters.cut_by_verdict.add(1),
                Fate::TooQuiet => self.counters.cut_quiet.add(1),
            }
            held.cut.cancel();
            false
        });
    }

    fn moment(&self) -> Moment {
        let clock = &self.gate.clock;
        Moment { now: clock.now(), steady: clock.steady(), clock: clock.state() }
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, HashMap<u64, Box<Held>>> {
        lock(&self.shards[usize::try_from(key % SHARDS as u64).unwrap_or(0)])
    }
}

/// Nothing in the warden is left half changed, so a panic elsewhere does not make it unusable.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of the minute that an instant lies in.
pub(crate) fn minute(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

impl Held {
    fn look(&mut self, gate: &Gate, current: &Current, moment: &Moment, crumbs: &mut Crumbs) -> Fate {
        if self.is_due(current, moment) && !self.judge_again(gate, current, moment) {
            return Fate::Refused;
        }
        if self.notice() {
            self.quiet.since = moment.steady;
        }
        if self.mark(current, moment.now, crumbs) {
            gate.is_in_use(&Shown { address: self.asker.address, token: None, hardware: None });
        }
        let quiet = moment.steady.saturating_sub(self.quiet.since);
        if quiet >= self.quiet.limit { Fate::TooQuiet } else { Fate::Stays }
    }

    /// Whether the decision could be another one now. A clock that went back is a reason too.
    fn is_due(&self, current: &Current, moment: &Moment) -> bool {
        self.made.generation != current.generation
            || self.made.clock != moment.clock
            || moment.now < self.made.at
            || self.made.until.is_some_and(|until| moment.now >= until)
    }

    /// Whether everything is still allowed.
    fn judge_again(&mut self, gate: &Gate, current: &Current, moment: &Moment) -> bool {
        let who = self.asker.who(gate, current);
        let mut made: Option<Made> = None;
        for (place, asked) in self.asked.iter().enumerate() {
            let mut verdict = asked.judge(gate, current, &who);
            if !asked.is_found_as_asked(gate, current, &who, &self.asked[0].host) {
                return false;
            }
            // The first is what was looked up and dialled; the others were shown inside.
            let Some(until) =
                asked.way_holds(gate, current, &who, &verdict, place == 0).filter(|_| verdict.allows())
            else {
                return false;
            };
            verdict.until = until;
            let one = Made::new(gate, current, &who, &verdict);
            made = Some(made.map_or(one, |others| others.and(one)));
        }
        if let Some(made) = made {
            self.made = Made { clock: moment.clock, at: moment.now, ..made };
        }
        true
    }

    /// Takes note of what has passed since the last look. Whether anything has.
    fn notice(&mut self) -> bool {
        let moved = self.moved.load(Ordering::Relaxed);
        let fresh = moved - std::mem::replace(&mut self.seen, moved);
        self.passed.add(fresh);
        fresh > 0
    }

    /// Marks the running minute, once enough has passed in it, by itself or with other things. Whether it did so now.
    fn mark(&mut self, current: &Current, now: DateTime<Utc>, crumbs: &mut Crumbs) -> bool {
        let counts = self.passed.take(&self.made, minute(now), crumbs);
        if let Some(counts) = counts {
            self.in_use(current, counts, now);
        }
        counts.is_some()
    }

    fn in_use(&self, current: &Current, counts: Counts, now: DateTime<Utc>) {
        let hosts = self.asked.iter().map(|asked| asked.host.judged());
        current.in_use(self.made.person, counts, now, hosts);
        current.device_in_use(self.made.device, now);
    }
}
