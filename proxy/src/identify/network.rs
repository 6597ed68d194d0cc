//! By the network that it is on: a VLAN or a Wi-Fi name of somebody's own. The longest prefix wins.

use agreements::{Device, DeviceBy};
use std::net::IpAddr;

/// Networks with whose they are, longest prefix first.
#[derive(Debug, Default)]
pub(super) struct Networks(Vec<(IpAddr, u8, u16)>);

impl Networks {
    pub(super) fn new(devices: &[Device]) -> Self {
        let one = |(place, device): (usize, &Device)| match device.known.by {
            DeviceBy::Network(address, length) => Some((address, length, u16::try_from(place).ok()?)),
            DeviceBy::Token(_) | DeviceBy::Mac(_) | DeviceBy::Ip(_) => None,
        };
        let mut networks: Vec<_> = devices.iter().enumerate().filter_map(one).collect();
        networks.sort_by_key(|&(_, length, place)| (std::cmp::Reverse(length), place));
        Self(networks)
    }

    pub(super) fn find(&self, address: IpAddr) -> Option<u16> {
        self.0.iter().find(|&&(network, length, _)| holds(network, length, address)).map(|&(.., place)| place)
    }
}

/// Whether a network holds an address of the same family. A length beyond the family's holds nothing but itself.
pub(crate) fn holds(network: IpAddr, length: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(n), IpAddr::V4(a)) => {
            let differing = n.to_bits() ^ a.to_bits();
            differing.leading_zeros() >= u32::from(length.min(32))
        }
        (IpAddr::V6(n), IpAddr::V6(a)) => {
            let differing = n.to_bits() ^ a.to_bits();
            differing.leading_zeros() >= u32::from(length.min(128))
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
