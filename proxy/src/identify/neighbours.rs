//! The kernel's neighbour table over netlink: which hardware address is behind an address.
//!
//! All of a device's addresses are in it, its IPv6 privacy addresses (RFC 8981) included, for the networks that the
//! gateway itself is on. The kernel tells of changes; a full reading now and then mends what was missed.
//!
//! A device that has just taken a new address may ask a question before the kernel had any reason to look for its hardware
//! address: it knows where the gateway is, and the gateway has not answered yet. So whoever shows an address that the table
//! has not is met first ([`Neighbours::meet`]): a packet makes the kernel ask, and the device answers within moments. On a machine that
//! has much to do the kernel may know long before it has told us, so the table is read once more before anybody is a stranger.

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use futures_util::{Stream, StreamExt, TryStreamExt};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::net::netdevice::index_to_name;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// At most so many addresses are remembered: a home has hundreds, a flood of forged ones must not fill memory.
const MOST: usize = 16_384;
/// So many of them may be outside the home: a provider's network takes no room from the home's devices.
const MOST_OUTSIDE: usize = 1024;
/// How often the whole table is read again.
const READ_AGAIN: Duration = Duration::from_secs(30);
/// Changes that follow another within this time are published together.
const GATHER: Duration = Duration::from_millis(50);
/// How long a device has to say where it is. Wi-Fi that sleeps takes up to a tenth of a second.
const MEETING: Duration = Duration::from_millis(500);
/// How long one more reading of the table may take.
const READING: Duration = Duration::from_secs(1);
/// A reading is good for so long: whoever is met was asked for before that. Forged addresses must not keep the kernel reading.
const READ_JUST_NOW: Duration = Duration::from_millis(200);
/// At most so many are met at once: forged addresses must not fill what others wait in.
const MEETINGS: usize = 64;
/// So many addresses behind which nobody was found are remembered until the table is read again.
const STRANGERS: usize = 1024;
/// Whoever was not found is taken for somebody of whom there is nothing but an address once so much has passed.
const YET: Duration = Duration::from_secs(2);
/// Nobody listens there, and nobody need (RFC 863).
const DISCARD: u16 = 9;
/// How long after netlink failed it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(10);

type Table = HashMap<IpAddr, Behind, RandomState>;

/// What is behind an address.
#[derive(Clone, Copy, Debug)]
struct Behind {
    mac: [u8; 6],
    /// On a link that leads out of the home.
    outside: bool,
}

/// The kernel's neighbour table, kept up to date over netlink. Cloning shares it; reading takes no lock.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    table: ArcSwap<Table>,
    version: AtomicU64,
    /// The interfaces that lead out of the home, and whether they were named since the table was read.
    outside: ArcSwap<Vec<String>>,
    renamed: AtomicBool,
    /// Whether the kernel is being followed: only then can an address be met.
    following: AtomicBool,
    /// Rung with each new table.
    learned: watch::Sender<()>,
    /// Rung by whoever wants the table read now, and when it was.
    wanted: Notify,
    readings: watch::Sender<()>,
    meetings: Semaphore,
    /// Where nobody was found, and since when.
    strangers: quick_cache::sync::Cache<IpAddr, Instant>,
    signs: Mutex<Signs>,
}

impl Behind {
    fn is(&self, mac: [u8; 6]) -> bool {
        self.mac == mac && !self.outside
    }
}

/// Which interfaces lead out of the home, by the kernel's numbers: what it says of each is asked once a reading.
#[derive(Default)]
struct Links {
    /// Any socket will do for asking.
    socket: Option<UdpSocket>,
    known: HashMap<u32, bool, RandomState>,
}

impl Links {
    fn lead_out(&mut self, index: u32, names: &[String]) -> bool {
        if names.is_empty() {
            return false;
        }
        if self.socket.is_none() {
            self.socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok();
        }
        if let Some(known) = self.known.get(&index) {
            return *known;
        }
        // One whose name the kernel does not say is asked for again: it may be on its way to another name.
        let name = self.socket.as_ref().and_then(|socket| index_to_name(socket, index).ok());
        name.is_some_and(|name| *self.known.entry(index).or_insert(names.contains(&name)))
    }
}

/// What else the kernel's table tells.
#[derive(Debug, Default)]
struct Signs {
    /// Who says of itself that it is a router (RFC 4861 §4.4, the R flag), by interface, and when the table last had it so.
    routers: BTreeMap<(u32, [u8; 6]), Instant>,
    /// When a device was last found to be there.
    there: HashMap<[u8; 6], Instant, RandomState>,
}

/// A router that the table has not had as one for so long is one no more.
const STILL: Duration = Duration::from_secs(600);
/// So many routers and devices are told apart.
const MOST_SIGNS: usize = 1024;

impl Default for Shared {
    fn default() -> Self {
        Self {
            table: ArcSwap::default(),
            version: AtomicU64::new(0),
            outside: ArcSwap::default(),
            renamed: AtomicBool::new(false),
            following: AtomicBool::new(false),
            learned: watch::Sender::new(()),
            wanted: Notify::new(),
            readings: watch::Sender::new(()),
            meetings: Semaphore::new(MEETINGS),
            strangers: quick_cache::sync::Cache::new(STRANGERS),
            signs: Mutex::default(),
        }
    }
}

impl Neighbours {
    /// A table that stays as given.
    pub fn fixed(known: impl IntoIterator<Item = (IpAddr, [u8; 6])>) -> Self {
        let inside = |mac| Behind { mac, outside: false };
        let table = known.into_iter().map(|(ip, mac)| (ip.to_canonical(), inside(mac))).collect();
        Self { shared: Arc::new(Shared { table: ArcSwap::from_pointee(table), ..Shared::default() }) }
    }

    /// Names the interfaces that lead out of the home: whoever is a neighbour there is none of the home's, and has no hardware
    /// address here that an agreement could name.
    pub fn lead_out(&self, interfaces: &[String]) {
        if *self.shared.outside.swap(Arc::new(interfaces.to_vec())) != *interfaces {
            self.shared.renamed.store(true, Ordering::Release);
            self.shared.wanted.notify_one();
        }
    }

    fn behind(&self, address: IpAddr) -> Option<Behind> {
        self.shared.table.load().get(&address.to_canonical()).copied()
    }

    /// The hardware address behind an address, if the kernel knows it.
    pub fn mac(&self, address: IpAddr) -> Option<[u8; 6]> {
        self.behind(address).filter(|behind| !behind.outside).map(|behind| behind.mac)
    }

    /// Whether an address is known to be on a link that leads out of the home.
    pub fn is_outside(&self, address: IpAddr) -> bool {
        self.behind(address).is_some_and(|behind| behind.outside)
    }

    /// The kernel forgets everybody.
    #[cfg(test)]
    pub(crate) fn lets_go(&self) {
        self.publish(&Table::default());
    }

    /// The kernel meets somebody.
    #[cfg(test)]
    pub(crate) fn meets(&self, address: IpAddr, mac: [u8; 6]) {
        let mut table = Table::clone(&self.shared.table.load());
        table.insert(address.to_canonical(), Behind { mac, outside: false });
        self.publish(&table);
    }

    /// The kernel is followed, and nobody was found at an address so long ago.
    #[cfg(test)]
    pub(crate) fn missed(&self, address: IpAddr, ago: Duration) {
        self.shared.following.store(true, Ordering::Relaxed);
        self.shared.strangers.insert(address, Instant::now().checked_sub(ago).expect("a time"));
    }

    /// A device is found to be there.
    #[cfg(test)]
    pub(crate) fn finds(&self, mac: [u8; 6]) {
        self.signs().there.insert(mac, Instant::now());
    }

    /// Whether a hardware address is on a link of ours.
    pub(crate) fn has(&self, mac: [u8; 6]) -> bool {
        self.shared.table.load().values().any(|behind| behind.is(mac))
    }

    /// Which reading of the table it is: whoever keeps what it said compares.
    pub(crate) fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    fn publish(&self, table: &Table) {
        self.shared.table.store(Arc::new(table.clone()));
        // After the table: whoever sees the new number finds the new table.
        self.shared.version.fetch_add(1, Ordering::Release);
        self.shared.learned.send_replace(());
    }

    /// Whether it is worth asking the kernel who is behind an address ([`Neighbours::meet`]).
    pub(crate) fn may_meet(&self, address: IpAddr) -> bool {
        let on_a_link = !address.is_loopback() && !address.is_unspecified() && !address.is_multicast();
        on_a_link
            && self.shared.following.load(Ordering::Relaxed)
            && self.behind(address).is_none()
            && self.shared.strangers.peek(&address).is_none()
    }

    /// Whether nobody was found there only just now: a machine that has much to do may hear of them in a moment.
    pub(crate) fn may_yet_be_met(&self, address: IpAddr) -> bool {
        self.shared.strangers.peek(&address).is_some_and(|since| since.elapsed() < YET)
    }

    /// Waits until the table knows an address, but no longer than a device takes to answer.
    pub async fn meet(&self, address: IpAddr) {
        let address = address.to_canonical();
        if !self.may_meet(address) {
            return;
        }
        let stranger = || {
            self.shared.strangers.insert(address, Instant::now());
            self.shared.version.fetch_add(1, Ordering::Release);
        };
        let Ok(_place) = self.shared.meetings.try_acquire() else { return stranger() };
        let mut learned = self.shared.learned.subscribe();
        poke(address);
        let known = async { while self.behind(address).is_none() && learned.changed().await.is_ok() {} };
        if tokio::time::timeout(MEETING, known).await.is_ok() {
            return;
        }
        let mut readings = self.shared.readings.subscribe();
        self.shared.wanted.notify_one();
        // Where that takes long too, nobody waits any longer.
        let _ = tokio::time::timeout(READING, readings.changed()).await;
        if self.behind(address).is_none() {
            // Nobody is there on a link of ours: behind another router, perhaps. Whoever remembers asks again.
            stranger();
        }
    }

    /// Who says of itself that it is a router: interface and hardware address.
    pub fn routers(&self) -> Vec<(u32, [u8; 6])> {
        let signs = self.signs();
        let lately = signs.routers.iter().filter(|(_, then)| then.elapsed() < STILL);
        lately.map(|(who, _)| *who).collect()
    }

    /// Whether a device was found to be there within this time. Nobody looks for one by itself: [`Neighbours::look_for`].
    pub fn was_there(&self, mac: [u8; 6], within: Duration) -> bool {
        self.signs().there.get(&mac).is_some_and(|then| then.elapsed() <= within)
    }

    /// Gives the kernel a reason to look whether a device is there.
    pub fn look_for(&self, mac: [u8; 6]) {
        let table = self.shared.table.load();
        table.iter().filter(|(_, behind)| behind.is(mac)).take(4).for_each(|(address, _)| poke(*address));
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.shared.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what an entry of a link in the home tells beside its addresses. Where there is no more room, what is old makes some.
    fn heed(&self, neighbour: &NeighbourMessage) {
        let (_, Some(mac)) = parts(neighbour) else { return };
        let mut signs = self.signs();
        if signs.routers.len() >= MOST_SIGNS {
            signs.routers.retain(|_, then| then.elapsed() < STILL);
        }
        if signs.there.len() >= MOST_SIGNS {
            signs.there.retain(|_, then| then.elapsed() < STILL);
        }
        if neighbour.header.flags.contains(NeighbourFlags::Router) && signs.routers.len() < MOST_SIGNS {
            signs.routers.insert((neighbour.header.ifindex, mac), Instant::now());
        }
        let is_there = neighbour.header.state == NeighbourState::Reachable;
        if is_there && (signs.there.len() < MOST_SIGNS || signs.there.contains_key(&mac)) {
            signs.there.insert(mac, Instant::now());
        }
    }

    /// Takes an entry that the kernel has, and what it tells beside its addresses.
    fn take(&self, table: &mut Table, neighbour: &NeighbourMessage, links: &mut Links) {
        let outside = links.lead_out(neighbour.header.ifindex, &self.shared.outside.load());
        learn(table, neighbour, outside);
        if !outside {
            self.heed(neighbour);
        }
    }

    /// How many addresses are known.
    pub fn len(&self) -> usize {
        self.shared.table.load().len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until the table was read once, so that nobody is taken for a stranger before; but no longer than this.
    pub async fn first_reading(&self, patience: Duration) {
        let mut learned = self.shared.learned.subscribe();
        let read = async {
            while !self.shared.following.load(Ordering::Relaxed) {
                if learned.changed().await.is_err() {
                    return;
                }
            }
        };
        if tokio::time::timeout(patience, read).await.is_err() {
            tracing::warn!(
                "the kernel's neighbour table is not yet known; devices may be taken for strangers"
            );
        }
    }

    /// Follows the kernel's table until told to stop. When netlink fails it begins again; what was known stays known.
    pub async fn follow(self, stop: CancellationToken) {
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.follow_once() => ended,
            };
            if let Err(error) = ended {
                tracing::warn!(%error, "the kernel's neighbour table cannot be read; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TRY_AGAIN) => {}
            }
        }
    }

    async fn follow_once(&self) -> Result<(), std::io::Error> {
        let (connection, handle, mut messages) =
            rtnetlink::new_multicast_connection(&[rtnetlink::MulticastGroup::Neigh])?;
        // The connection lives as long as this function: dropping the set ends its task.
        let mut driver = tokio::task::JoinSet::new();
        driver.spawn(connection);
        let mut links = Links::default();
        let mut table = self.read_all(&handle, &mut links).await?;
        self.shared.following.store(true, Ordering::Relaxed);
        self.shared.learned.send_replace(());
        let (mut read_again, mut read) = (tokio::time::interval(READ_AGAIN), Instant::now());
        read_again.tick().await;
        loop {
            tokio::select! {
                _ = read_again.tick() => {
                    table = self.read_all(&handle, &mut links).await?;
                    self.shared.strangers.clear();
                }
                () = self.shared.wanted.notified() => {
                    if self.shared.renamed.load(Ordering::Acquire) || read.elapsed() > READ_JUST_NOW {
                        table = self.read_all(&handle, &mut links).await?;
                        read = Instant::now();
                    }
                    self.shared.readings.send_replace(());
                }
                message = messages.next() => {
                    let Some((message, _)) = message else { return Ok(()) };
                    let mut take = |table: &mut Table, message: Message| match message.payload {
                        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewNeighbour(neighbour)) => {
                            self.take(table, &neighbour, &mut links);
                        }
                        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelNeighbour(neighbour)) => {
                            let index = neighbour.header.ifindex;
                            forget(table, &neighbour, links.lead_out(index, &self.shared.outside.load()));
                        }
                        // Other messages of the group tell nothing of neighbours.
                        _ => {}
                    };
                    take(&mut table, message);
                    // Somebody may be waiting for this one; what follows at once can wait for each other.
                    self.publish(&table);
                    if gather(&mut table, &mut messages, take).await {
                        self.publish(&table);
                    }
                }
            }
        }
    }

    async fn read_all(&self, handle: &rtnetlink::Handle, links: &mut Links) -> Result<Table, std::io::Error> {
        let mut table = Table::default();
        links.known.clear();
        // Before the names are looked at: who names others meanwhile has it read once more.
        self.shared.renamed.store(false, Ordering::Release);
        let mut all = handle.neighbours().get().set_address_family(AddressFamily::Unspec).execute();
        while let Some(neighbour) = all.try_next().await.map_err(std::io::Error::other)? {
            self.take(&mut table, &neighbour, links);
        }
        self.publish(&table);
        Ok(table)
    }
}

type Message = NetlinkMessage<RouteNetlinkMessage>;

/// Takes what else arrives within a moment, so that a burst of changes is one replacement. Whether anything did.
async fn gather<S: Stream<Item = (Message, A)> + Unpin, A>(
    table: &mut Table,
    messages: &mut S,
    mut take: impl FnMut(&mut Table, Message),
) -> bool {
    let end = tokio::time::Instant::now() + GATHER;
    let mut any = false;
    while let Ok(Some((message, _))) = tokio::time::timeout_at(end, messages.next()).await {
        take(table, message);
        any = true;
    }
    any
}

/// Sends an empty packet, so that the kernel has a reason to look for an address.
fn poke(address: IpAddr) {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // An address without a route is on no link of ours.
    let _ = UdpSocket::bind((any, 0)).and_then(|socket| socket.send_to(&[], (address, DISCARD)));
}

/// An entry goes. One of the same address on the other side of the router is another: link-local addresses are each link's own.
fn forget(table: &mut Table, neighbour: &NeighbourMessage, outside: bool) {
    if let (Some(address), _) = parts(neighbour)
        && table.get(&address).is_some_and(|behind| behind.outside == outside)
    {
        table.remove(&address);
    }
}

/// An entry that has failed keeps what was known: the device may be back before its address is given to another. What is
/// outside never stands in the place of a device of the home.
fn learn(table: &mut Table, neighbour: &NeighbourMessage, outside: bool) {
    let useless = matches!(
        neighbour.header.state,
        NeighbourState::Failed | NeighbourState::Incomplete | NeighbourState::Noarp
    );
    if let ((Some(address), Some(mac)), false) = (parts(neighbour), useless)
        && table.get(&address).map_or_else(|| has_room(table, outside), |known| known.outside || !outside)
    {
        table.insert(address, Behind { mac, outside });
    }
}

/// Whether one more address finds room.
fn has_room(table: &Table, outside: bool) -> bool {
    let others = || table.values().filter(|behind| behind.outside).count();
    table.len() < MOST && (!outside || others() < MOST_OUTSIDE)
}

fn parts(neighbour: &NeighbourMessage) -> (Option<IpAddr>, Option<[u8; 6]>) {
    let (mut address, mut mac) = (None, None);
    for attribute in &neighbour.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(v4)) => address = Some(IpAddr::V4(*v4)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(v6)) => address = Some(IpAddr::V6(*v6)),
            NeighbourAttribute::LinkLayerAddress(bytes) => mac = bytes.as_slice().try_into().ok(),
            // Timers, flags and the like.
            _ => {}
        }
    }
    (address, mac)
}

#[cfg(test)]
mod tests;
