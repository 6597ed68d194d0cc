//! By the network that it is on: a VLAN or a Wi-Fi name of somebody's own. The longest prefix wins.

use agreements::{Device, DeviceBy, network};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

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
