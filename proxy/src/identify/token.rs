//! By a token of the device's own: the first label of the DoT server name, the DoH path, the proxy user name.

use agreements::{Device, DeviceBy};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Devices by token. Case does not matter: a server name has none.
#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<Box<str>, u16, RandomState>);

impl Tokens {
    pub(super) fn new(devices: &[Device]) -> Self {
        let one = |(place, device): (usize, &Device)| match &device.known.by {
            DeviceBy::Token(token) => Some((token.to_ascii_lowercase().into(), u16::try_from(place).ok()?)),
            DeviceBy::Mac(_) | DeviceBy::Ip(_) | DeviceBy::Network(..) => None,
        };
        Self(devices.iter().enumerate().filter_map(one).collect())
    }

    pub(super) fn find(&self, token: &str) -> Option<u16> {
        self.0.get(token.to_ascii_lowercase().as_str()).copied()
    }
}
