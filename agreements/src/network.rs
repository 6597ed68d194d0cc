//! Networks, by an address and the length of its prefix.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of an address: its bits beyond the prefix are zero. A length beyond the family's leaves all of them.
pub fn network(address: IpAddr, length: u8) -> IpAddr {
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
pub fn holds(network_address: IpAddr, length: u8, address: IpAddr) -> bool {
    network_address.is_ipv4() == address.is_ipv4()
        && network(network_address, length) == network(address, length)
}
