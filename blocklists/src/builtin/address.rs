//! Resolvers and Tor by address, for connections that never asked for a name.

use crate::addresses::{AddressRange, number};
use std::net::IpAddr;
use std::sync::LazyLock;

/// A range of addresses: first and last as IPv6 numbers, and whose they are.
type Range = (u128, u128, &'static str);

/// The ranges, sorted and apart from each other, as a test holds.
static RANGES: LazyLock<Vec<Range>> = LazyLock::new(|| {
    let mut ranges: Vec<_> = lines().filter_map(read).collect();
    ranges.sort_unstable();
    ranges
});

fn lines() -> impl Iterator<Item = &'static str> {
    let text = include_str!("../../data/circumvention-addresses.txt");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn read(line: &'static str) -> Option<Range> {
    let (prefix, whose) = line.split_once('\t')?;
    let AddressRange { first, last } = AddressRange::read(prefix)?;
    Some((first, last, whose))
}

/// Whose resolver, VPN or Tor directory an address is, when it is a known one. Allocates nothing.
pub fn address_is_circumvention(address: IpAddr) -> Option<&'static str> {
    let wanted = number(address);
    let after = RANGES.partition_point(|&(first, _, _)| first <= wanted);
    let &(_, last, whose) = RANGES.get(after.checked_sub(1)?)?;
    (wanted <= last).then_some(whose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_stands_apart() {
        assert_eq!(RANGES.len(), lines().count(), "a row is no address and owner");
        for pair in RANGES.windows(2) {
            assert!(pair[0].1 < pair[1].0, "two rows overlap: {pair:?}");
        }
        assert!(RANGES.len() > 150);
    }

    #[test]
    fn addresses_are_found_and_their_neighbours_are_not() {
        for (address, whose) in [
            ("1.1.1.1", Some("Cloudflare")),
            ("::ffff:1.1.1.1", Some("Cloudflare")),
            ("1.1.1.4", None),
            ("1.1.1.0", None),
            ("8.8.4.4", Some("Google Public DNS")),
            ("2001:4860:4860::8844", Some("Google Public DNS")),
            ("2001:4860:4860::8845", None),
            ("45.90.28.0", Some("NextDNS")),
            ("45.90.28.255", Some("NextDNS")),
            ("45.90.29.0", None),
            ("2a07:a8c0:ffff:ffff:ffff:ffff:ffff:ffff", Some("NextDNS")),
            ("2a07:a8c2::", None),
            ("0.0.0.0", None),
            ("::", None),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
            ("192.0.2.1", None),
        ] {
            assert_eq!(address_is_circumvention(address.parse().unwrap()), whose, "{address}");
        }
    }
}
