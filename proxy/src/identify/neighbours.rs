//! The kernel's neighbour table over netlink: which hardware address is behind an address.
//!
//! All of a device's addresses are in it, its IPv6 privacy addresses (RFC 8981) included, for the networks that the
//! gateway itself is on. The kernel tells of changes; a full reading now and then mends what was missed.

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use futures_util::{Stream, StreamExt, TryStreamExt};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// At most so many addresses are remembered: a home has hundreds, a flood of forged ones must not fill memory.
const MOST: usize = 16_384;
/// How often the whole table is read again.
const READ_AGAIN: Duration = Duration::from_secs(30);
/// Changes are published together at most this long after the first of them.
const GATHER: Duration = Duration::from_millis(50);
/// How long after netlink failed it is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(10);

type Table = HashMap<IpAddr, [u8; 6], RandomState>;

/// The kernel's neighbour table, kept up to date over netlink. Cloning shares it; reading takes no lock.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    table: ArcSwap<Table>,
    version: AtomicU64,
}

impl Neighbours {
    /// A table that stays as given.
    pub fn fixed(known: impl IntoIterator<Item = (IpAddr, [u8; 6])>) -> Self {
        let table = known.into_iter().map(|(ip, mac)| (ip.to_canonical(), mac)).collect();
        Self { shared: Arc::new(Shared { table: ArcSwap::from_pointee(table), version: AtomicU64::new(0) }) }
    }

    /// The hardware address behind an address, if the kernel knows it.
    pub fn mac(&self, address: IpAddr) -> Option<[u8; 6]> {
        self.shared.table.load().get(&address.to_canonical()).copied()
    }

    /// Which reading of the table it is: whoever keeps what it said compares.
    pub(crate) fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    fn publish(&self, table: &Table) {
        self.shared.table.store(Arc::new(table.clone()));
        // After the table: whoever sees the new number finds the new table.
        self.shared.version.fetch_add(1, Ordering::Release);
    }

    /// How many addresses are known.
    pub fn len(&self) -> usize {
        self.shared.table.load().len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        let mut table = self.read_all(&handle).await?;
        let mut read_again = tokio::time::interval(READ_AGAIN);
        read_again.tick().await;
        loop {
            tokio::select! {
                _ = read_again.tick() => table = self.read_all(&handle).await?,
                message = messages.next() => {
                    let Some((message, _)) = message else { return Ok(()) };
                    apply(&mut table, message.payload);
                    gather(&mut table, &mut messages).await;
                    self.publish(&table);
                }
            }
        }
    }

    async fn read_all(&self, handle: &rtnetlink::Handle) -> Result<Table, std::io::Error> {
        let mut table = Table::default();
        let mut all = handle.neighbours().get().set_address_family(AddressFamily::Unspec).execute();
        while let Some(neighbour) = all.try_next().await.map_err(std::io::Error::other)? {
            learn(&mut table, &neighbour);
        }
        self.publish(&table);
        Ok(table)
    }
}

type Message = NetlinkMessage<RouteNetlinkMessage>;

/// Takes what else arrives within a moment, so that a burst of changes is one replacement.
async fn gather<S: Stream<Item = (Message, A)> + Unpin, A>(table: &mut Table, messages: &mut S) {
    let end = tokio::time::Instant::now() + GATHER;
    while let Ok(Some((message, _))) = tokio::time::timeout_at(end, messages.next()).await {
        apply(table, message.payload);
    }
}

fn apply(table: &mut Table, payload: NetlinkPayload<RouteNetlinkMessage>) {
    match payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewNeighbour(neighbour)) => {
            learn(table, &neighbour);
        }
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelNeighbour(neighbour)) => {
            if let (Some(address), _) = parts(&neighbour) {
                table.remove(&address);
            }
        }
        // Other messages of the group tell nothing of neighbours.
        _ => {}
    }
}

/// An entry that has failed keeps what was known: the device may be back before its address is given to another.
fn learn(table: &mut Table, neighbour: &NeighbourMessage) {
    let useless = matches!(
        neighbour.header.state,
        NeighbourState::Failed | NeighbourState::Incomplete | NeighbourState::Noarp
    );
    if let ((Some(address), Some(mac)), false) = (parts(neighbour), useless)
        && (table.len() < MOST || table.contains_key(&address))
    {
        table.insert(address, mac);
    }
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
mod tests {
    use super::*;

    fn neighbour(address: &str, mac: &[u8], state: NeighbourState) -> NeighbourMessage {
        let destination = match address.parse().unwrap() {
            IpAddr::V4(v4) => NeighbourAddress::Inet(v4),
            IpAddr::V6(v6) => NeighbourAddress::Inet6(v6),
        };
        let mut message = NeighbourMessage::default();
        message.header.state = state;
        message.attributes = vec![
            NeighbourAttribute::Destination(destination),
            NeighbourAttribute::LinkLayerAddress(mac.to_vec()),
        ];
        message
    }

    #[test]
    fn what_the_kernel_tells() {
        let mut table = Table::default();
        let mac = [2, 0, 0, 0, 0, 7];
        for (address, state) in [
            ("192.168.4.20", NeighbourState::Reachable),
            ("fe80::7", NeighbourState::Stale),
            ("2001:db8::1234", NeighbourState::Delay),
            ("192.168.4.99", NeighbourState::Failed),
            ("192.168.4.98", NeighbourState::Incomplete),
        ] {
            learn(&mut table, &neighbour(address, &mac, state));
        }
        learn(&mut table, &neighbour("192.168.4.97", &[1, 2], NeighbourState::Reachable));
        assert_eq!(table.len(), 3, "{table:?}");
        let gone = neighbour("fe80::7", &mac, NeighbourState::Stale);
        apply(&mut table, NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelNeighbour(gone)));
        assert_eq!(table.len(), 2, "{table:?}");
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut table = Table::default();
        for n in 0..u32::try_from(MOST).unwrap() + 100 {
            let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).to_string();
            learn(&mut table, &neighbour(&address, &[2; 6], NeighbourState::Reachable));
        }
        assert_eq!(table.len(), MOST);
    }

    #[tokio::test]
    async fn following_ends_when_told() {
        let stop = CancellationToken::new();
        let following = tokio::spawn(Neighbours::default().follow(stop.clone()));
        stop.cancel();
        following.await.unwrap();
    }
}
