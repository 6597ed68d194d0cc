//! By address: what a file names, where the router gives that address to one device only.

use agreements::{Device, DeviceBy};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::net::IpAddr;

/// Devices by address. An IPv4 address inside IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address.
#[derive(Debug, Default)]
pub(super) struct Addresses(HashMap<IpAddr, u16, RandomState>);

impl Addresses {
    pub(super) fn new(devices: &[Device]) -> Self {
        let one = |(place, device): (usize, &Device)| match device.known.by {
            DeviceBy::Ip(address) => Some((address.to_canonical(), u16::try_from(place).ok()?)),
            DeviceBy::Token(_) | DeviceBy::Mac(_) | DeviceBy::Network(..) => None,
        };
        Self(devices.iter().enumerate().filter_map(one).collect())
    }

    pub(super) fn find(&self, address: IpAddr) -> Option<u16> {
        self.0.get(&address).copied()
    }
}
