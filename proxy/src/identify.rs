//! Who is this? One file a way, tried in order: token, hardware address, address, network.
//!
//! The order is by how hard each is to borrow. A token was put on the device by staff. A hardware address stays with
//! the device whatever address it was given, while an address (even one that a file names) goes to whoever holds the
//! lease today; so the hardware address speaks before the address. A network tells only where the device is.

mod guesses;
mod ip;
mod leases;
mod mac;
mod neighbours;
mod network;
mod offers;
mod signed_in;
mod token;

pub(crate) use guesses::Guesses;
pub use leases::{Lease, leases};
pub use neighbours::Neighbours;
#[doc(hidden)]
pub use offers::fuzz as fuzz_offers;
pub use offers::others_that_hand_out;
pub use signed_in::{IDLE, SignIn, SignedIn};

use crate::gate::Who;
use agreements::{Device, House};
use arc_swap::ArcSwap;
use records::{Current, Identified};
use std::net::IpAddr;

/// What a device showed of itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The address that it speaks from.
    pub address: IpAddr,
    /// The token that it gave: server name label, path segment or user name.
    pub token: Option<&'a str>,
    /// The hardware address, where a trusted forwarder told it; else the kernel's neighbour table is asked.
    pub hardware: Option<[u8; 6]>,
}

impl Shown<'static> {
    /// What a connection shows by itself: the address that it comes from.
    pub fn bare(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), token: None, hardware: None }
    }
}

/// The devices of one house, by each way to know them.
#[derive(Debug, Default)]
struct Tables {
    tokens: token::Tokens,
    macs: mac::Macs,
    addresses: ip::Addresses,
    networks: network::Networks,
}

impl Tables {
    fn new(devices: &[Device]) -> Self {
        Self {
            tokens: token::Tokens::new(devices),
            macs: mac::Macs::new(devices),
            addresses: ip::Addresses::new(devices),
            networks: network::Networks::new(devices),
        }
    }

    /// The device's place in [`House::devices`] and how it was known; the first way that knows it wins.
    fn find(&self, shown: &Shown<'_>, neighbours: &Neighbours) -> Option<(u16, Identified)> {
        let address = shown.address;
        None.or_else(|| Some((self.tokens.find(shown.token?)?, Identified::Token)))
            .or_else(|| {
                // Most homes name no hardware addresses for some people: do not look for what nobody could match.
                let mac =
                    shown.hardware.or_else(|| (!self.macs.is_empty()).then(|| neighbours.mac(address))?)?;
                Some((self.macs.find(mac)?, Identified::Mac))
            })
            .or_else(|| Some((self.addresses.find(address)?, Identified::Ip)))
            .or_else(|| Some((self.networks.find(address)?, Identified::Network)))
    }
}

/// Which of a house's devices shows this, by its place in [`House::devices`].
pub fn device_of(house: &House, shown: &Shown<'_>, neighbours: &Neighbours) -> Option<u16> {
    let shown = &Shown { address: shown.address.to_canonical(), ..*shown };
    Tables::new(house.devices()).find(shown, neighbours).map(|(device, _)| device)
}

/// The devices of the house in force: an immutable table that is replaced when the house is.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    built: ArcSwap<(u64, Tables)>,
}

impl Identities {
    /// Whether anybody of this house is known by a hardware address.
    pub(crate) fn names_macs(&self, current: &Current) -> bool {
        let built = self.built.load();
        // Before the table of a new house is built, one question too many does no harm.
        built.0 != current.generation || !built.1.macs.is_empty()
    }

    /// Who shows this, in this house.
    pub(crate) fn who(&self, current: &Current, neighbours: &Neighbours, shown: &Shown<'_>) -> Who {
        let house = &current.snapshot.house;
        let shown = &Shown { address: shown.address.to_canonical(), ..*shown };
        let mut built = self.built.load();
        if built.0 != current.generation {
            // Two threads may build the same table at once; both are right and the later store wins.
            self.built.store(std::sync::Arc::new((current.generation, Tables::new(house.devices()))));
            built = self.built.load();
        }
        // A newer generation may have been stored in between; its places would be wrong in this house.
        let found = if built.0 == current.generation {
            built.1.find(shown, neighbours)
        } else {
            Tables::new(house.devices()).find(shown, neighbours)
        };
        found.map_or(Who::UNKNOWN, |(device, identified)| known(house, device, identified))
    }
}

fn known(house: &House, device: u16, identified: Identified) -> Who {
    match house.devices().get(usize::from(device)) {
        Some(found) => Who { person: found.person, device: Some(device), identified, stranger: None },
        None => Who::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::{DeviceBy, DeviceMatch, PersonId, SourceId};

    fn device(person: u16, by: DeviceBy) -> Device {
        Device {
            known: DeviceMatch { name: "device".into(), by, source: SourceId(0) },
            person: PersonId(person),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The device found is told by its place in this list.
    fn devices() -> Vec<Device> {
        vec![
            device(1, DeviceBy::Mac([2, 0, 0, 0, 0, 1])),
            device(2, DeviceBy::Ip(ip("192.168.4.20"))),
            device(3, DeviceBy::Network(ip("192.168.40.0"), 24)),
            device(4, DeviceBy::Network(ip("192.168.0.0"), 16)),
            device(5, DeviceBy::Token("Jordan-Tablet-7f3a19c6d2".into())),
            device(6, DeviceBy::Ip(ip("2001:db8::20"))),
            device(7, DeviceBy::Network(ip("2001:db8:40::"), 64)),
            device(8, DeviceBy::Network(ip("0.0.0.0"), 0)),
        ]
    }

    #[test]
    fn each_way_in_its_order() {
        let tables = Tables::new(&devices());
        let neighbours = Neighbours::fixed([
            (ip("192.168.4.20"), [2, 0, 0, 0, 0, 1]),
            (ip("192.168.4.30"), [2, 0, 0, 0, 0, 1]),
            (ip("fe80::1"), [2, 0, 0, 0, 0, 1]),
            (ip("2001:db8::abcd"), [2, 0, 0, 0, 0, 1]),
            (ip("192.168.4.31"), [2, 0, 0, 0, 0, 9]),
        ]);
        type Found = Option<(u16, Identified)>;
        let cases: &[(&str, &str, Option<&str>, Found)] = &[
            (
                "token_beats_mac",
                "192.168.4.30",
                Some("jordan-tablet-7f3a19c6d2"),
                Some((4, Identified::Token)),
            ),
            (
                "token_in_any_case",
                "203.0.113.1",
                Some("JORDAN-TABLET-7F3A19C6D2"),
                Some((4, Identified::Token)),
            ),
            ("unknown_token_is_as_none", "192.168.4.30", Some("nobody"), Some((0, Identified::Mac))),
            ("mac_beats_address", "192.168.4.20", None, Some((0, Identified::Mac))),
            ("mac_by_second_address", "192.168.4.30", None, Some((0, Identified::Mac))),
            ("mac_by_link_local", "fe80::1", None, Some((0, Identified::Mac))),
            ("mac_by_privacy_address", "2001:db8::abcd", None, Some((0, Identified::Mac))),
            ("unknown_mac_falls_to_network", "192.168.4.31", None, Some((3, Identified::Network))),
            ("longest_network", "192.168.40.7", None, Some((2, Identified::Network))),
            ("address_v6", "2001:db8::20", None, Some((5, Identified::Ip))),
            ("network_v6", "2001:db8:40::77", None, Some((6, Identified::Network))),
            ("all_of_v4", "203.0.113.1", None, Some((7, Identified::Network))),
            ("v4_networks_hold_no_v6", "2001:db8:99::1", None, None),
        ];
        for (case, address, token, expected) in cases {
            let shown = Shown { address: ip(address), token: *token, hardware: None };
            assert_eq!(tables.find(&shown, &neighbours), *expected, "{case}");
        }
        assert_eq!(cases.len(), 13);
    }

    #[test]
    fn a_forwarder_tells_the_hardware_address() {
        let shown = Shown { address: ip("203.0.113.1"), token: None, hardware: Some([2, 0, 0, 0, 0, 1]) };
        let found = Tables::new(&devices()).find(&shown, &Neighbours::default());
        assert_eq!(found, Some((0, Identified::Mac)));
    }
}
