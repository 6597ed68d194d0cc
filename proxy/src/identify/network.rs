//! By the network that it is on: a VLAN or a Wi-Fi name of somebody's own. The longest prefix wins.

use agreements::{Device, DeviceBy};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks by the length of their prefix, the longest first: as many looks as there are lengths, however many networks.
#[derive(Debug, Default)]
pub(super) struct Networks(Vec<(u8, HashMap<IpAddr, u16, RandomState>)>);

impl Networks {
    pub(super) fn new(devices: &[Device]) -> Self {
        let one = |(place, device): (usize, &Device)| match device.known.by {
            DeviceBy::Network(address, length) => Some((address, length, u16::try_from(place).ok()?)),
            DeviceBy::Token(_) | DeviceBy::Mac(_) | DeviceBy::Ip(_) => None,
        };
        let mut lengths: BTreeMap<u8, HashMap<_, _, _>> = BTreeMap::new();
        for (address, length, place) in devices.iter().enumerate().filter_map(one) {
            // Of two devices on one network the first is meant.
            lengths.entry(length).or_default().entry(network(address, length)).or_insert(place);
        }
        Self(lengths.into_iter().rev().collect())
    }

    pub(super) fn find(&self, address: IpAddr) -> Option<u16> {
        self.0.iter().find_map(|(length, networks)| networks.get(&network(address, *length)).copied())
    }
}

/// The network of an address: its bits beyond the prefix are zero. A length beyond the family's leaves all of them.
fn network(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            Ipv4Addr::from_bits(v4.to_bits() & !u32::MAX.checked_shr(length.into()).unwrap_or(0)).into()
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & !u128::MAX.checked_shr(length.into()).unwrap_or(0)).into()
        }
    }
}

/// Whether a network holds an address of the same family. A length beyond the family's holds nothing but itself.
pub(crate) fn holds(network_address: IpAddr, length: u8, address: IpAddr) -> bool {
    network_address.is_ipv4() == address.is_ipv4()
        && network(network_address, length) == network(address, length)
}
