//! What each device may reach now: the addresses that its judged answers gave it, and the names that led there.
//!
//! An opening is in the kernel's sets before its device hears the address, and lasts as long as the answer may be used and a
//! while longer, since programs hold on to addresses; but never beyond the verdict's `until`. All stand under judgement like a
//! tunnel (`tunnel/warden.rs`): when no name that led to an address is allowed any more, the element is taken out and what
//! flows there is cut. What has ended is remembered for some hours, so that a program that comes back to an old address is
//! judged by its name and not taken for one that goes around.

use super::attempts::Attempts;
use super::except::Exceptions;
use super::flows::Port;
use super::heard::{self, Refused};
use super::keeper::{self, WAITING, Work};
use super::lan::Lan;
use super::memory::{Line, Memory, Past};
use super::netlink::Netlink;
use super::opening::{Named, Opening, Stand};
use super::passed;
use super::rules::{self, Plan, Stays};
use super::sets::{self, Device, Element};
use super::{NotHeld, PATIENCE, install, put};
use crate::identify::{Neighbours, Shown};
use crate::target::TargetHost;
use crate::tunnel::{Asked, Asker, Made};
use arc_swap::ArcSwap;
use records::Clock;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Beyond the time that an answer may be used: programs open a second connection to an address that they know.
pub(super) const LINGER: Duration = Duration::from_secs(600);
/// The kernel ends an element a little later than we count.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// What flows goes on for so long after somebody looked at it last. A restart takes seconds, a hung gateway is started anew within
/// half a minute, and a call goes on past bedtime for no longer than this.
const ALIVE: Duration = Duration::from_secs(120);
/// Refused packets that wait to be told of.
const HEARD: usize = 256;
/// So many addresses' devices are remembered by their flows.
const MOST_SEEN: usize = 4096;
/// An answer waits no longer than this for the kernel.
const WAIT: Duration = Duration::from_secs(2);
/// Locks are taken for one shard at a time.
pub(super) const SHARDS: usize = 16;

/// What an answer gives a device.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// Who asked.
    pub(crate) asker: Asker,
    /// The hardware address, where a forwarder told it.
    pub(crate) hardware: Option<[u8; 6]>,
    /// The name, and how it led to the addresses.
    pub(crate) asked: Arc<Asked>,
    /// Whether what is asked for is protected: it has room of its own.
    pub(crate) protected: bool,
    /// Whether nobody looks into what is spoken there.
    pub(crate) unread: bool,
    /// The decision that allowed it.
    pub(crate) made: Made,
    /// The addresses.
    pub(crate) addresses: Vec<IpAddr>,
    /// How long the answer may be used.
    pub(crate) usable: Duration,
    /// Why it is wanted.
    pub(crate) why: Why,
}

impl Wanted {
    /// The name, as it is remembered.
    pub(super) fn named(&self) -> Named {
        Named { asked: Arc::clone(&self.asked), protected: self.protected }
    }
}

/// Why something is to be opened, and how much that proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// A question came over a connection, which proves its address.
    Connected,
    /// A question came in a datagram, whose sender can be anybody in anybody's name.
    Datagram,
    /// A packet was refused, whose sender can be anybody: the kernel does not have the element, whatever we think.
    Refused,
}

pub(super) type Of = HashMap<IpAddr, Opening>;

/// What is left of the time before.
pub(super) struct Kept {
    /// What is in the kernel's sets.
    pub(super) elements: Vec<(Element, Duration)>,
    /// The names that are remembered.
    pub(super) lines: Vec<Line>,
    /// What flows from the home, from where to where: our rules let it begin.
    pub(super) flows: Vec<(IpAddr, IpAddr, Port)>,
}

/// What openings are made from.
pub(super) struct Parts<'a> {
    pub(super) plan: Plan,
    pub(super) table: Option<u64>,
    pub(super) neighbours: Neighbours,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counts: bool,
    /// For how long what flows goes on, by what a gateway said last.
    pub(super) alive: Duration,
    pub(super) kernel: Netlink,
    pub(super) work: mpsc::Sender<Work>,
    pub(super) heard: mpsc::Receiver<Refused>,
    pub(super) stop: &'a CancellationToken,
}

/// What every device may reach.
pub struct Openings {
    pub(super) shards: [Mutex<HashMap<Device, Of>>; SHARDS],
    hasher: RandomState,
    pub(super) count: AtomicUsize,
    pub(super) neighbours: Neighbours,
    /// Whose flows were seen of late, by hardware address: a device that sleeps is not forgotten for it.
    pub(super) seen: quick_cache::sync::Cache<IpAddr, [u8; 6]>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) plan: Mutex<Plan>,
    /// The kernel's number of the table that we put in place. Another one is not ours, whatever it is called: somebody has
    /// brought an old ruleset back, or stood in for a gateway that did not run.
    table: Mutex<Option<u64>>,
    /// Cancelled when these rules are put away for good: what is still asked of them brings them back no more.
    retired: CancellationToken,
    /// Whether the rules are in place, as far as anybody saw.
    placed: AtomicBool,
    /// Whether the kernel counts what passes.
    counts: bool,
    /// Until when what flows goes on in the kernel, by its clock, which nobody moves.
    alive: Mutex<Instant>,
    /// Whoever changes what is in the kernel holds this meanwhile.
    kernel: Mutex<Netlink>,
    pub(super) work: mpsc::Sender<Work>,
    pub(super) heard: tokio::sync::Mutex<mpsc::Receiver<Refused>>,
    /// What shared devices may reach by number.
    pub(super) exceptions: Mutex<Exceptions>,
    /// What flowed from the home when these rules came, until it is known what of it is an exception's.
    pub(super) flowing: Mutex<Vec<(IpAddr, IpAddr, Port)>>,
    /// The home's addresses as the routes were a moment ago, and when that was.
    pub(super) routes: ArcSwap<(Option<Instant>, Lan)>,
    /// What refused packets add up to.
    pub(super) attempts: Attempts,
    pub(super) memory: Option<Mutex<Memory>>,
}

impl std::fmt::Debug for Openings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Openings").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Openings {
    /// Puts the rules in place and begins to keep them. They stay when the program ends; see [`super::remove`]. `memory` is a
    /// folder of the machine's memory, where the names that led to what is open outlive the program.
    ///
    /// # Errors
    ///
    /// When the rules cannot be put in place; then those before still hold.
    pub fn start(
        plan: &Plan,
        neighbours: Neighbours,
        clock: Arc<dyn Clock>,
        memory: Option<&Path>,
        stop: &CancellationToken,
    ) -> Result<Arc<Self>, NotHeld> {
        let memory = memory.map(|folder| Memory::open(folder, clock.steady()));
        let (openings, kept, tell) = Self::begin(plan, neighbours, clock, memory, stop)?;
        openings.restore(kept);
        openings.write_anew();
        heard::listen(tell, openings.retired.clone()).map_err(NotHeld::Kernel)?;
        Ok(openings)
    }

    /// The same for whoever stands in for the gateway: what is open already is not theirs to judge, and nothing is told of
    /// what is refused. They do not [`watch`](Self::watch). The names that they open by are there for the gateway that comes back:
    /// what is protected goes on.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn stand_in(
        plan: &Plan,
        neighbours: Neighbours,
        clock: Arc<dyn Clock>,
        memory: Option<&Path>,
    ) -> Result<Arc<Self>, NotHeld> {
        let memory = memory.map(|folder| (Memory::of_stand_in(folder), None));
        let (openings, ..) = Self::begin(plan, neighbours, clock, memory, &CancellationToken::new())?;
        openings.write_anew();
        Ok(openings)
    }

    fn begin(
        plan: &Plan,
        neighbours: Neighbours,
        clock: Arc<dyn Clock>,
        memory: Option<(Memory, Option<Past>)>,
        stop: &CancellationToken,
    ) -> Result<(Arc<Self>, Kept, mpsc::Sender<Refused>), NotHeld> {
        super::hold(plan)?;
        let mut kernel = Netlink::open(PATIENCE).map_err(NotHeld::Kernel)?;
        let elements = sets::all(&mut kernel).map_err(NotHeld::Kernel)?;
        // A gateway that has yet to look at what flows, or that cannot begin, does not say that somebody does.
        let alive = sets::alive(&mut kernel).map_err(NotHeld::Kernel)?;
        install(plan, Stays { elements: &elements, except: &[], alive })?;
        let table = sets::table(&mut kernel).map_err(NotHeld::Kernel)?;
        let (flows, meter) = keeper::what_flows(&mut kernel, &Lan::now(plan));
        let (work, to_do) = mpsc::channel(WAITING);
        let (tell, heard) = mpsc::channel(HEARD);
        let (counts, (memory, past)) = (passed::begin_to_count(), memory.unzip());
        let parts =
            Parts { plan: plan.clone(), table, neighbours, clock, counts, alive, kernel, work, heard, stop };
        let (openings, lines) = Self::new(parts, memory, past.flatten());
        let openings = Arc::new(openings);
        keeper::start(Arc::downgrade(&openings), to_do, meter).map_err(NotHeld::Kernel)?;
        Ok((openings, Kept { elements, lines, flows }, tell))
    }

    /// None yet, and the names that are remembered of the time before.
    pub(super) fn new(parts: Parts<'_>, mut memory: Option<Memory>, past: Option<Past>) -> (Self, Vec<Line>) {
        let Parts { plan, table, neighbours, clock, counts, alive, kernel, work, heard, stop } = parts;
        let now = clock.steady();
        let (since, lines) = past.map_or((Some(now), Vec::new()), |past| (past.since, past.lines));
        // One that was begun before the machine was is of another start of it.
        let since = since.map(|since| since.min(now));
        if let Some(memory) = &mut memory {
            memory.is_whole_since(since);
        }
        let attempts = Attempts::new(since);
        for (from, to) in keeper::ended_before() {
            attempts.began_before(from, to, now);
        }
        let openings = Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
            neighbours,
            seen: quick_cache::sync::Cache::new(MOST_SEEN),
            clock,
            plan: Mutex::new(plan),
            table: Mutex::new(table),
            retired: stop.child_token(),
            placed: AtomicBool::new(true),
            counts,
            alive: Mutex::new(Instant::now() + alive),
            kernel: Mutex::new(kernel),
            work,
            heard: tokio::sync::Mutex::new(heard),
            exceptions: Mutex::default(),
            flowing: Mutex::default(),
            routes: ArcSwap::default(),
            attempts,
            memory: memory.map(Mutex::new),
        };
        (openings, lines)
    }

    /// Puts other rules in place; what is open stays open.
    ///
    /// # Errors
    ///
    /// When they cannot be put in place; then those before still hold.
    pub fn replan(&self, plan: &Plan) -> Result<(), NotHeld> {
        let mut kernel = self.kernel();
        let kept = sets::all(&mut kernel).map_err(NotHeld::Kernel)?;
        let except = self.except_for();
        install(plan, Stays { elements: &kept, except: &except, alive: self.alive_for() })?;
        self.except_placed(true);
        // What flowed from an interface that is the home's from now on is found and ended with the next look at what flows.
        *lock(&self.plan) = plan.clone();
        self.is_now(&mut kernel)
    }

    /// These rules are to be put away: from now on nothing puts them back.
    pub fn retire(&self) {
        // Whoever is putting them back just now has done so afterwards.
        let _kernel = self.kernel();
        self.retired.cancel();
    }

    /// Whether they are put away.
    pub(super) fn is_retired(&self) -> bool {
        self.retired.is_cancelled()
    }

    /// What flows was looked at, and what may not was ended: the rest goes on for a while.
    pub(super) fn lives(&self, kernel: &mut Netlink) -> io::Result<()> {
        sets::lives(kernel, ALIVE)?;
        *lock(&self.alive) = Instant::now() + ALIVE;
        Ok(())
    }

    /// For how long what flows goes on.
    fn alive_for(&self) -> Duration {
        lock(&self.alive).saturating_duration_since(Instant::now())
    }

    /// The table that is in place is ours.
    fn is_now(&self, kernel: &mut Netlink) -> Result<(), NotHeld> {
        *lock(&self.table) = sets::table(kernel).map_err(NotHeld::Kernel)?;
        Ok(())
    }

    /// Whether the table in place is the one that we put there.
    pub(super) fn is_in_place(&self, kernel: &mut Netlink) -> io::Result<bool> {
        let there = sets::table(kernel)?;
        Ok(there.is_some() && there == *lock(&self.table))
    }

    /// Puts the rules back where somebody has taken them away, with what is open. Whoever has the `kernel` is the only one who
    /// changes anything meanwhile.
    pub(super) fn put_back(&self, kernel: &mut Netlink) -> Result<(), NotHeld> {
        let (now, mut open) = (self.clock.steady(), Vec::new());
        for shard in &self.shards {
            for (device, of) in lock(shard).iter() {
                let holding = of.iter().filter(|(_, opening)| opening.stand == Stand::Open);
                open.extend(
                    holding.map(|(to, opening)| {
                        (Element::open(*device, *to), opening.closes.saturating_sub(now))
                    }),
                );
                let unread = of.iter().filter(|(_, opening)| opening.unread > now);
                open.extend(
                    unread.map(|(to, opening)| (Element::unread(*device, *to), opening.unread - now)),
                );
            }
        }
        let plan = lock(&self.plan).clone();
        let except = self.except_for();
        put(&plan, Stays { elements: &open, except: &except, alive: self.alive_for() })?;
        self.except_placed(true);
        self.is_now(kernel)
    }

    /// Puts the rules back where there are none, with what is open, and ends what began meanwhile. Rules of somebody else's stay:
    /// they are the gateway's, which is back.
    ///
    /// # Errors
    ///
    /// When they cannot be put back.
    pub fn put_back_where_none(&self) -> Result<(), NotHeld> {
        let kernel = &mut *self.kernel();
        if self.is_retired() || sets::table(kernel).map_err(NotHeld::Kernel)?.is_some() {
            return Ok(());
        }
        self.put_back(kernel)?;
        self.is_placed(true);
        keeper::end_strays(kernel, self).map_err(NotHeld::Kernel)
    }

    /// How many there are, those that ended and are remembered included.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The way to the kernel. Whoever holds it takes the lock of a shard at most; never the other way around.
    pub(super) fn kernel(&self) -> MutexGuard<'_, Netlink> {
        lock(&self.kernel)
    }

    pub(super) fn shard(&self, device: Device) -> MutexGuard<'_, HashMap<Device, Of>> {
        lock(&self.shards[self.hasher.hash_one(device) as usize % SHARDS])
    }

    /// Whether the rules were in place at the last look, or could be put back.
    pub fn are_in_place(&self) -> bool {
        self.placed.load(Ordering::Relaxed)
    }

    /// What the last look found.
    pub(super) fn is_placed(&self, placed: bool) {
        self.placed.store(placed, Ordering::Relaxed);
    }

    /// Whether the kernel counts what passes, so that nobody need estimate it.
    pub fn counts(&self) -> bool {
        self.counts
    }

    /// The names by which answers gave an address to whoever speaks from there, the last one first; empty where nobody remembers
    /// them, and none where no answer gave it, or it is shut.
    pub(crate) fn names_of(&self, from: IpAddr, to: IpAddr) -> Option<Vec<TargetHost>> {
        let device = self.known_as(from, to)?;
        let shard = self.shard(device);
        let names = &shard.get(&device)?.get(&to)?.names;
        Some(names.iter().rev().map(|name| name.asked.host.clone()).collect())
    }

    /// Whether who shows this may reach all these addresses, by this name, for as long as an answer may be used.
    pub(crate) fn covers<'a>(
        &self,
        shown: &Shown<'_>,
        name: &str,
        addresses: impl IntoIterator<Item = &'a IpAddr>,
        usable: Duration,
    ) -> bool {
        if shown.address.is_loopback() {
            return true;
        }
        let device = self.device(shown.address, shown.hardware);
        let needed = self.clock.steady() + usable;
        let shard = self.shard(device);
        let Some(of) = shard.get(&device) else { return addresses.into_iter().next().is_none() };
        addresses.into_iter().filter(|to| is_held(device, **to)).all(|to| {
            let by_name =
                |led: &Named| matches!(&led.asked.host, TargetHost::Name(host) if host.as_str() == name);
            let holds =
                |o: &Opening| o.stand == Stand::Open && o.closes >= needed && o.names.iter().any(by_name);
            of.get(to).is_some_and(holds)
        })
    }

    /// Opens what an answer gives. Whether the kernel has it when this returns: if not, the answer must not be given.
    pub(crate) async fn open(&self, wanted: Wanted) -> bool {
        let device = self.device(wanted.asker.address, wanted.hardware);
        let wall = self.clock.now();
        let mut lasts = wanted.usable + LINGER;
        if let Some(until) = wanted.made.until {
            lasts = lasts.min((until - wall).to_std().unwrap_or_default());
        }
        if wanted.asker.address.is_loopback() {
            return true;
        }
        // The time that allowed it ends in this very moment: there is nothing to open for.
        if lasts.is_zero() {
            return false;
        }
        let (changes, is_new) = self.prepare(device, &wanted, lasts);
        if is_new {
            self.remember(device, &wanted);
        }
        if changes.is_empty() && self.are_open(device, &wanted.addresses) {
            return true;
        }
        let (done, tried) = oneshot::channel();
        if self.work.try_send(Work::Change(changes, done)).is_err() {
            tracing::warn!("the router's rules are changed too often; an answer is not given");
            return false;
        }
        // What others asked the kernel for before is done by then, too.
        tokio::time::timeout(WAIT, tried).await.is_ok() && self.are_open(device, &wanted.addresses)
    }

    fn are_open(&self, device: Device, addresses: &[IpAddr]) -> bool {
        let shard = self.shard(device);
        let of = shard.get(&device);
        let is_open = |to: &IpAddr| of.and_then(|of| of.get(to)).is_some_and(|o| o.stand == Stand::Open);
        addresses.iter().filter(|to| is_held(device, **to)).all(is_open)
    }
}

/// Whether an element of the sets can be that.
pub(super) fn is_held(device: Device, to: IpAddr) -> bool {
    rules::is_holdable(to) && Element::open(device, to).is_possible()
}

/// Nothing leaves a shard half changed, so a panic elsewhere does not make it unusable.
pub(super) fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
