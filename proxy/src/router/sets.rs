//! The sets of the table: which device may reach which address, and until when. Each change is one transaction.

use super::TABLE;
use super::netlink::{ACK, Attributes, CREATE, Messages, Netlink, REQUEST, text};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// A device, as packets show it: by its hardware address, or by its address where another router stands in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Device {
    /// Known on a link of ours: all its addresses are one device.
    Mac([u8; 6]),
    /// Known by this address alone.
    Address(IpAddr),
}

/// One element: a device may reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Element {
    /// Who.
    pub(crate) device: Device,
    /// What it may reach.
    pub(crate) to: IpAddr,
    /// What it says of that.
    pub(crate) as_: As,
}

/// What an element says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum As {
    /// A name led there: it is open.
    Open,
    /// What is spoken there is nobody's affair: a VPN's first words are not looked for. It opens nothing by itself.
    Unread,
}

/// The sets, by what a device is known by and the family of what it may reach.
pub(super) const MAC4: &str = "mac4";
pub(super) const MAC6: &str = "mac6";
pub(super) const ADDRESS4: &str = "address4";
pub(super) const ADDRESS6: &str = "address6";
/// The same of what is not looked into.
pub(super) const UNREAD_MAC4: &str = "unread_mac4";
pub(super) const UNREAD_MAC6: &str = "unread_mac6";
pub(super) const UNREAD_ADDRESS4: &str = "unread_address4";
pub(super) const UNREAD_ADDRESS6: &str = "unread_address6";
const SETS: [&str; 8] =
    [MAC4, MAC6, ADDRESS4, ADDRESS6, UNREAD_MAC4, UNREAD_MAC6, UNREAD_ADDRESS4, UNREAD_ADDRESS6];

/// The families over which flows go on, for as long as the gateway says that it lives.
pub(super) const ALIVE: &str = "alive";
/// `NFPROTO_IPV4` and `NFPROTO_IPV6`.
const FAMILIES: [u8; 2] = [2, 10];

/// Elements in one message: its list is then shorter than an attribute can be.
const IN_ONE: usize = 256;

const NFPROTO_INET: u8 = 1;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NFTABLES: u16 = 10;
const NEWTABLE: u16 = NFTABLES << 8;
const GETTABLE: u16 = NFTABLES << 8 | 1;
const NEWSETELEM: u16 = NFTABLES << 8 | 12;
const GETSETELEM: u16 = NFTABLES << 8 | 13;
const DELSETELEM: u16 = NFTABLES << 8 | 14;
const NEWFLOWTABLE: u16 = NFTABLES << 8 | 22;
const GETFLOWTABLE: u16 = NFTABLES << 8 | 23;
const TABLE_NAME: u16 = 1;
const TABLE_HANDLE: u16 = 4;
const LIST_TABLE: u16 = 1;
const LIST_SET: u16 = 2;
const LIST_ELEMENTS: u16 = 3;
const LIST_ELEMENT: u16 = 1;
const ELEMENT_KEY: u16 = 1;
const ELEMENT_TIMEOUT: u16 = 4;
const ELEMENT_EXPIRATION: u16 = 5;
const DATA_VALUE: u16 = 1;

impl Element {
    /// The set that it belongs to, and its key there: each field in a multiple of four bytes. None for a device known by
    /// an address of the other family, which no packet can be from.
    fn place(&self) -> Option<(&'static str, Vec<u8>)> {
        let mac = |mac: [u8; 6]| mac.into_iter().chain([0, 0]);
        let named = |open, unread| match self.as_ {
            As::Open => open,
            As::Unread => unread,
        };
        Some(match (self.device, self.to) {
            (Device::Mac(by), IpAddr::V4(to)) => {
                (named(MAC4, UNREAD_MAC4), mac(by).chain(to.octets()).collect())
            }
            (Device::Mac(by), IpAddr::V6(to)) => {
                (named(MAC6, UNREAD_MAC6), mac(by).chain(to.octets()).collect())
            }
            (Device::Address(IpAddr::V4(by)), IpAddr::V4(to)) => {
                (named(ADDRESS4, UNREAD_ADDRESS4), [by.octets(), to.octets()].concat())
            }
            (Device::Address(IpAddr::V6(by)), IpAddr::V6(to)) => {
                (named(ADDRESS6, UNREAD_ADDRESS6), [by.octets(), to.octets()].concat())
            }
            (Device::Address(_), _) => return None,
        })
    }

    /// That a name led a device there.
    pub(crate) fn open(device: Device, to: IpAddr) -> Self {
        Self { device, to, as_: As::Open }
    }

    /// That nobody looks into what it says there.
    pub(crate) fn unread(device: Device, to: IpAddr) -> Self {
        Self { device, to, as_: As::Unread }
    }

    /// Whether a packet can show it.
    pub(crate) fn is_possible(&self) -> bool {
        matches!(
            (self.device, self.to),
            (Device::Mac(_), _)
                | (Device::Address(IpAddr::V4(_)), IpAddr::V4(_))
                | (Device::Address(IpAddr::V6(_)), IpAddr::V6(_))
        )
    }

    fn read(set: &str, key: &[u8]) -> Option<Self> {
        let four = |at: usize| Some(IpAddr::V4(Ipv4Addr::from(*key.get(at..)?.first_chunk::<4>()?)));
        let six = |at: usize| Some(IpAddr::V6(Ipv6Addr::from(*key.get(at..)?.first_chunk::<16>()?)));
        let mac = || Some(Device::Mac(*key.first_chunk::<6>()?));
        let (device, to) = match set {
            MAC4 | UNREAD_MAC4 => (mac()?, four(8)?),
            MAC6 | UNREAD_MAC6 => (mac()?, six(8)?),
            ADDRESS4 | UNREAD_ADDRESS4 => (Device::Address(four(0)?), four(4)?),
            ADDRESS6 | UNREAD_ADDRESS6 => (Device::Address(six(0)?), six(16)?),
            _ => return None,
        };
        let as_ = if [MAC4, MAC6, ADDRESS4, ADDRESS6].contains(&set) { As::Open } else { As::Unread };
        Some(Self { device, to, as_ })
    }

    /// As a script of rules has it: the set and the element.
    pub(super) fn written(&self) -> (&'static str, String) {
        let set = self.place().map_or(MAC4, |(set, _)| set);
        let by = match self.device {
            Device::Mac(mac) => mac.map(|byte| format!("{byte:02x}")).join(":"),
            Device::Address(address) => address.to_string(),
        };
        (set, format!("{by} . {}", self.to))
    }
}

/// What is to be done with an element.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// It holds for so long from now on.
    Add(Element, Duration),
    /// It is there and holds for another time from now on. Kernels before 6.12 change no time of an element that is there,
    /// so it is taken away and put in again within one transaction, and no packet sees it missing.
    Renew(Element, Duration),
    /// It is taken away.
    Remove(Element),
}

/// Makes changes, all of them or none.
///
/// # Errors
///
/// What the kernel says: `NotFound` where the table is gone, or an element is that was to be removed.
pub(super) fn change(netlink: &mut Netlink, changes: &[Change]) -> io::Result<()> {
    let removed = changes.iter().filter_map(|change| match change {
        Change::Remove(element) | Change::Renew(element, _) => Some((*element, None)),
        Change::Add(..) => None,
    });
    let added = changes.iter().filter_map(|change| match change {
        Change::Add(element, time) | Change::Renew(element, time) => Some((*element, Some(*time))),
        Change::Remove(_) => None,
    });
    let mut lists = listed(DELSETELEM, removed);
    lists.extend(listed(NEWSETELEM, added));
    transact(netlink, &lists)
}

/// Makes the changes of these lists, all of them or none.
fn transact(netlink: &mut Netlink, lists: &[List]) -> io::Result<()> {
    if lists.is_empty() {
        return Ok(());
    }
    let count = u32::try_from(lists.len()).expect("changes are gathered by the hundred");
    let begin = netlink.sequence(count + 2);
    let mut messages = Messages::default();
    messages.begin(BATCH_BEGIN, REQUEST, begin, (0, NFTABLES));
    messages.end();
    for (sequence, list) in (begin + 1..).zip(lists) {
        list.write(&mut messages, sequence);
    }
    messages.begin(BATCH_END, REQUEST, begin + 1 + count, (0, NFTABLES));
    messages.end();
    netlink.send(&messages)?;
    netlink.acknowledged(begin, count)
}

/// Elements of one set for one message.
struct List {
    kind: u16,
    set: &'static str,
    keys: Vec<(Vec<u8>, Option<Duration>)>,
}

fn listed(kind: u16, elements: impl Iterator<Item = (Element, Option<Duration>)>) -> Vec<List> {
    let mut of_set: [Vec<(Vec<u8>, Option<Duration>)>; SETS.len()] = Default::default();
    for (element, time) in elements {
        let Some((set, key)) = element.place() else { continue };
        let place = SETS.iter().position(|s| *s == set).expect("every set is in the list of sets");
        of_set[place].push((key, time));
    }
    let chunks = SETS.iter().zip(of_set).flat_map(|(set, keys)| {
        keys.chunks(IN_ONE).map(|keys| List { kind, set, keys: keys.to_vec() }).collect::<Vec<_>>()
    });
    chunks.collect()
}

impl List {
    fn write(&self, messages: &mut Messages, sequence: u32) {
        let flags = if self.kind == NEWSETELEM { REQUEST | ACK | CREATE } else { REQUEST | ACK };
        messages.begin(self.kind, flags, sequence, (NFPROTO_INET, 0));
        messages.attribute(LIST_TABLE, &text(TABLE));
        messages.attribute(LIST_SET, &text(self.set));
        messages.nest(LIST_ELEMENTS, |list| {
            for (key, time) in &self.keys {
                list.nest(LIST_ELEMENT, |element| {
                    element.nest(ELEMENT_KEY, |data| data.attribute(DATA_VALUE, key));
                    if let Some(time) = time {
                        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
                        element.attribute(ELEMENT_TIMEOUT, &millis.to_be_bytes());
                    }
                });
            }
        });
        messages.end();
    }
}

/// What flows goes on for so long from now, over both families.
///
/// # Errors
///
/// What the kernel says: `NotFound` where the table is gone.
pub(super) fn lives(netlink: &mut Netlink, time: Duration) -> io::Result<()> {
    let list =
        |kind, time| List { kind, set: ALIVE, keys: FAMILIES.map(|family| (vec![family], time)).into() };
    // As with [`Change::Renew`]: no kernel changes the time of what is there.
    match transact(netlink, &[list(DELSETELEM, None), list(NEWSETELEM, Some(time))]) {
        // Its time was over.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            transact(netlink, &[list(NEWSETELEM, Some(time))])
        }
        done => done,
    }
}

/// For how long what flows still goes on, by what the gateway said last; zero where that is over, or there is no table.
pub(super) fn alive(netlink: &mut Netlink) -> io::Result<Duration> {
    let mut alive = Duration::ZERO;
    let is_there = dump(netlink, ALIVE, |element| alive = alive.max(left(element).unwrap_or_default()))?;
    Ok(if is_there { alive } else { Duration::ZERO })
}

/// The kernel's number of the table; none where there is no table.
pub(super) fn table(netlink: &mut Netlink) -> io::Result<Option<u64>> {
    let sequence = netlink.sequence(2);
    let mut messages = Messages::default();
    messages.begin(GETTABLE, REQUEST | ACK, sequence + 1, (NFPROTO_INET, 0));
    messages.attribute(TABLE_NAME, &text(TABLE));
    messages.end();
    netlink.send(&messages)?;
    let mut found = None;
    let answered = netlink.answered(sequence, 1, |came| {
        let handle = came.attributes().of(TABLE_HANDLE).filter(|_| came.kind == NEWTABLE);
        found = handle.and_then(|h| h.first_chunk::<8>()).map(|h| u64::from_be_bytes(*h)).or(found);
    });
    match answered {
        Ok(()) => Ok(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether some rules hand flows over to a path on which no rule sees them (flow offload).
pub(super) fn is_offloaded(netlink: &mut Netlink) -> io::Result<bool> {
    let mut found = false;
    netlink.dump(GETFLOWTABLE, 0, |_| {}, |came| found |= came.kind == NEWFLOWTABLE)?;
    Ok(found)
}

/// Every element that is in the kernel, and for how long it still holds. None of them where there is no table.
pub(super) fn all(netlink: &mut Netlink) -> io::Result<Vec<(Element, Duration)>> {
    let mut found = Vec::new();
    for set in SETS {
        if !dump(netlink, set, |element| found.extend(read(set, element)))? {
            return Ok(Vec::new());
        }
    }
    Ok(found)
}

/// Gives each element of a set to `see`. Whether there is such a set.
fn dump(netlink: &mut Netlink, set: &str, mut see: impl FnMut(Attributes<'_>)) -> io::Result<bool> {
    let names = |messages: &mut Messages| {
        messages.attribute(LIST_TABLE, &text(TABLE));
        messages.attribute(LIST_SET, &text(set));
    };
    let dumped = netlink.dump(GETSETELEM, NFPROTO_INET, names, |came| {
        let list = came.attributes().inside(LIST_ELEMENTS).into_iter().flatten();
        list.for_each(|(_, element)| see(Attributes(element)));
    });
    match dumped {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn read(set: &str, element: Attributes<'_>) -> Option<(Element, Duration)> {
    let key = element.inside(ELEMENT_KEY)?.of(DATA_VALUE)?;
    Some((Element::read(set, key)?, left(element)?))
}

/// For how long an element still holds.
fn left(element: Attributes<'_>) -> Option<Duration> {
    let left = element.of(ELEMENT_EXPIRATION)?.first_chunk::<8>()?;
    Some(Duration::from_millis(u64::from_be_bytes(*left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        let mac = Device::Mac([2, 0, 0, 0, 0, 11]);
        let by = |address: &str| Device::Address(address.parse().unwrap());
        for (device, to, set, length) in [
            (mac, "192.0.2.1", MAC4, 12),
            (mac, "2001:db8::1", MAC6, 24),
            (by("192.168.4.11"), "192.0.2.1", ADDRESS4, 8),
            (by("2001:db8:4::11"), "2001:db8::1", ADDRESS6, 32),
            (mac, "192.0.2.1", UNREAD_MAC4, 12),
            (mac, "2001:db8::1", UNREAD_MAC6, 24),
            (by("192.168.4.11"), "192.0.2.1", UNREAD_ADDRESS4, 8),
            (by("2001:db8:4::11"), "2001:db8::1", UNREAD_ADDRESS6, 32),
        ] {
            let to = to.parse().unwrap();
            let unread = set.starts_with("unread");
            let element = if unread { Element::unread(device, to) } else { Element::open(device, to) };
            let (found, key) = element.place().unwrap();
            assert_eq!((found, key.len()), (set, length));
            assert_eq!(Element::read(set, &key), Some(element));
            assert_eq!(Element::read(set, &key[..key.len() - 1]), None);
            assert!(element.is_possible());
        }
        let crossed = Element::open(by("192.168.4.11"), "2001:db8::1".parse().unwrap());
        assert!(crossed.place().is_none() && !crossed.is_possible());
    }
}
