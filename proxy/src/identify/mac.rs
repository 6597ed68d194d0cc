//! By hardware address: whatever addresses a device has (IPv4, IPv6, each privacy address), they lead to one.

use agreements::{Device, DeviceBy};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Devices by hardware address.
#[derive(Debug, Default)]
pub(super) struct Macs(HashMap<[u8; 6], u16, RandomState>);

impl Macs {
    pub(super) fn new(devices: &[Device]) -> Self {
        let one = |(place, device): (usize, &Device)| match device.known.by {
            DeviceBy::Mac(mac) => Some((mac, u16::try_from(place).ok()?)),
            DeviceBy::Token(_) | DeviceBy::Ip(_) | DeviceBy::Network(..) => None,
        };
        Self(devices.iter().enumerate().filter_map(one).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, mac: [u8; 6]) -> Option<u16> {
        self.0.get(&mac).copied()
    }
}
