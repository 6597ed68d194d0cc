//! Addresses of lists: who stands behind them, for connections that never asked for a name and for names that lead there.

use crate::Tags;
use std::net::{IpAddr, Ipv6Addr};

/// Addresses from a first to a last. IPv4 stands as IPv6 writes it (`::ffff:192.0.2.1`), so that both spellings are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressRange {
    pub(crate) first: u128,
    pub(crate) last: u128,
}

/// Why addresses can be no entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotListable {
    /// Homes and providers use them inside: no list may close a home's own network.
    Inside,
    /// They are more than any list means.
    TooMany,
    /// Carriers of many sites have them: thousands that nobody listed would be closed.
    Shared,
}

/// An address as one number.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl AddressRange {
    /// Reads an address, a prefix (`192.0.2.0/24`), or a first and a last (`192.0.2.1-192.0.2.9`).
    pub fn read(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            let [first, last]: [IpAddr; 2] = [first.trim().parse().ok()?, last.trim().parse().ok()?];
            let (first, last, alike) = (number(first), number(last), first.is_ipv4() == last.is_ipv4());
            return (alike && first <= last).then_some(Self { first, last });
        }
        let (address, length) = match text.split_once('/') {
            // A sign is no part of a length.
            Some((address, length)) if length.bytes().all(|b| b.is_ascii_digit()) => (address, Some(length)),
            Some(_) => return None,
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(bits), |length| length.parse().ok())?;
        let host = 1_u128.checked_shl(bits.checked_sub(length)?).map_or(u128::MAX, |size| size - 1);
        let first = number(address) & !host;
        Some(Self { first, last: first | host })
    }

    /// Whether a list may name them.
    pub(crate) fn listable(self) -> Result<Self, NotListable> {
        let among =
            |table: &[&str]| table.iter().filter_map(|text| Self::read(text)).any(|one| one.meets(self));
        let most = if self.is_four() { MOST_OF_FOUR } else { MOST_OF_SIX };
        if self.last - self.first >= most {
            Err(NotListable::TooMany)
        } else if among(INSIDE) || !(self.is_four() || self.is_global_six()) {
            Err(NotListable::Inside)
        } else if among(SHARED) {
            Err(NotListable::Shared)
        } else {
            Ok(self)
        }
    }

    fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    fn is_four(self) -> bool {
        let four = |number| Ipv6Addr::from_bits(number).to_ipv4_mapped().is_some();
        four(self.first) && four(self.last)
    }

    /// Whether they are of what is given to networks of the internet (2000::/3, RFC 4291 §2.4).
    fn is_global_six(self) -> bool {
        self.first >> 125 == 1 && self.last >> 125 == 1
    }
}

/// An entry means at most a /8 of IPv4, or a /24 of IPv6.
const MOST_OF_FOUR: u128 = 1 << 25;
const MOST_OF_SIX: u128 = 1 << 105;

/// What no network of the internet has (RFC 6890).
const INSIDE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// What carriers of many sites say is theirs: Cloudflare (cloudflare.com/ips) and Fastly (api.fastly.com/public-ip-list), both as of
/// 2026-11-22. Resolvers that stand alone at one of these are in the built-in table, which goes by single addresses.
const SHARED: &[&str] = &[
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "108.162.192.0/18",
    "131.0.72.0/22",
    "141.101.64.0/18",
    "162.158.0.0/15",
    "172.64.0.0/13",
    "173.245.48.0/20",
    "188.114.96.0/20",
    "190.93.240.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "2400:cb00::/32",
    "2405:8100::/32",
    "2405:b500::/32",
    "2606:4700::/32",
    "2803:f800::/32",
    "2a06:98c0::/29",
    "2c0f:f248::/32",
    "23.235.32.0/20",
    "43.249.72.0/22",
    "103.244.50.0/24",
    "103.245.222.0/23",
    "103.245.224.0/24",
    "104.156.80.0/20",
    "140.248.64.0/18",
    "140.248.128.0/17",
    "146.75.0.0/17",
    "151.101.0.0/16",
    "157.52.64.0/18",
    "167.82.0.0/17",
    "167.82.128.0/20",
    "167.82.160.0/20",
    "167.82.224.0/20",
    "172.111.64.0/18",
    "185.31.16.0/22",
    "199.27.72.0/21",
    "199.232.0.0/16",
    "2a04:4e40::/32",
    "2a04:4e42::/32",
];

/// Addresses and what they are: sorted and apart from each other, so that one step of a search finds each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    ranges: Box<[(AddressRange, Tags)]>,
}

impl Addresses {
    /// Bytes of a row in the catalogue's file.
    pub(crate) const ROW: usize = 56;

    /// Of all that lists say: where several speak of an address, it is all that they say. Linear in what is said, however it overlaps,
    /// save for the sorting.
    pub(crate) fn new(said: &[(AddressRange, Tags)]) -> Self {
        let begins = said.iter().map(|(range, tags)| (range.first, true, *tags));
        let ends = said.iter().filter_map(|(range, tags)| Some((range.last.checked_add(1)?, false, *tags)));
        let mut edges: Vec<(u128, bool, Tags)> = begins.chain(ends).collect();
        edges.sort_unstable_by_key(|(at, ..)| *at);
        // Lists are few, and each says one thing of all its addresses.
        let mut speaking: Vec<(Tags, u32)> = Vec::new();
        let mut ranges: Vec<(AddressRange, Tags)> = Vec::new();
        for (place, (at, begins, tags)) in edges.iter().enumerate() {
            match speaking.iter_mut().find(|(one, _)| one == tags) {
                Some((_, count)) if *begins => *count += 1,
                Some((_, count)) => *count -= 1,
                None => speaking.push((*tags, 1)),
            }
            let last = edges.get(place + 1).map_or(u128::MAX, |(next, ..)| next.wrapping_sub(1));
            if edges.get(place + 1).is_some_and(|(next, ..)| next == at) {
                continue;
            }
            let all = speaking.iter().filter(|(_, count)| *count > 0);
            let all = all.fold(Tags::NONE, |all, (tags, _)| all.union(*tags));
            match ranges.last_mut() {
                _ if all.is_empty() => {}
                Some((before, same)) if *same == all && before.last.wrapping_add(1) == *at => {
                    before.last = last;
                }
                Some(_) | None => ranges.push((AddressRange { first: *at, last }, all)),
            }
        }
        Self { ranges: ranges.into() }
    }

    /// What an address is. Allocates nothing.
    pub(crate) fn find(&self, address: IpAddr) -> Tags {
        let wanted = number(address);
        let after = self.ranges.partition_point(|(range, _)| range.first <= wanted);
        let found = after.checked_sub(1).map(|place| self.ranges[place]);
        found.filter(|(range, _)| wanted <= range.last).map_or(Tags::NONE, |(_, tags)| tags)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// As they stand in the catalogue's file.
    pub(crate) fn write(&self) -> Vec<u8> {
        let row = |(range, tags): &(AddressRange, Tags)| {
            let (categories, services) = tags.to_bits();
            let numbers = [range.first, range.last, services].map(u128::to_le_bytes).concat();
            [numbers, categories.to_le_bytes().to_vec()].concat()
        };
        self.ranges.iter().flat_map(row).collect()
    }

    /// From the catalogue's file; none where it makes no sense. `translate` makes our words of the file's.
    pub(crate) fn read(bytes: &[u8], translate: impl Fn(u64, u128) -> Tags) -> Option<Self> {
        let (rows, rest) = bytes.as_chunks::<{ Self::ROW }>();
        let wide =
            |row: &[u8; Self::ROW], at: usize| row[at..].first_chunk().map(|b| u128::from_le_bytes(*b));
        let read = |row: &[u8; Self::ROW]| {
            let range = AddressRange { first: wide(row, 0)?, last: wide(row, 16)? };
            let categories = u64::from_le_bytes(*row[48..].first_chunk()?);
            Some((range, translate(categories, wide(row, 32)?)))
        };
        let ranges: Box<[_]> = rows.iter().map(read).collect::<Option<_>>()?;
        let apart = |pair: &[(AddressRange, Tags)]| pair[0].0.last < pair[1].0.first;
        let whole = ranges.iter().all(|(range, _)| range.first <= range.last);
        (rest.is_empty() && whole && ranges.windows(2).all(apart)).then_some(Self { ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Category;

    fn range(text: &str) -> AddressRange {
        AddressRange::read(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn addresses_prefixes_and_ranges_are_read() {
        for (text, first, last) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.0", "192.0.2.255"),
            ("192.0.2.77/24", "192.0.2.0", "192.0.2.255"),
            ("192.0.2.1-192.0.2.9", "192.0.2.1", "192.0.2.9"),
            ("192.0.2.1 - 192.0.2.9", "192.0.2.1", "192.0.2.9"),
            ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::1"),
        ] {
            let ends = [first, last].map(|text| number(text.parse().unwrap()));
            assert_eq!([range(text).first, range(text).last], ends, "{text}");
        }
        for wrong in [
            "",
            "192.0.2",
            "192.0.2.0/33",
            "192.0.2.0/+4",
            "192.0.2.9-192.0.2.1",
            "192.0.2.1-2001:db8::1",
            "a.example",
            "/8",
            "-",
        ] {
            assert_eq!(AddressRange::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_list_closes_a_home_half_the_internet_or_a_carrier() {
        for (text, why) in [
            ("192.168.4.1", Some(NotListable::Inside)),
            ("fe80::1", Some(NotListable::Inside)),
            ("fd00::1", Some(NotListable::Inside)),
            ("9.255.0.0-10.0.0.1", Some(NotListable::Inside)),
            ("::1", Some(NotListable::Inside)),
            ("0.0.0.0/0", Some(NotListable::TooMany)),
            ("::/0", Some(NotListable::TooMany)),
            ("104.21.3.4", Some(NotListable::Shared)),
            ("2606:4700::1111", Some(NotListable::Shared)),
            ("9.9.9.9", None),
            ("8.0.0.0/8", None),
            ("2620:fe::fe", None),
            ("203.0.113.0/24", None),
        ] {
            assert_eq!(range(text).listable().err(), why, "{text}");
        }
        assert!([INSIDE, SHARED].concat().iter().all(|text| AddressRange::read(text).is_some()));
    }

    #[test]
    fn an_address_is_all_that_lists_say_of_it() {
        let [around, bets] =
            [Category::CIRCUMVENTION, Category::from_word("gambling").unwrap()].map(Tags::category);
        let said = [
            (range("192.0.2.0/24"), around),
            (range("192.0.2.10-192.0.2.20"), bets),
            (range("192.0.2.20"), around),
            (range("2001:db8::/32"), bets),
            (range("198.51.100.7"), bets),
        ];
        let all = Addresses::new(&said);
        for (address, tags) in [
            ("192.0.1.255", Tags::NONE),
            ("192.0.2.0", around),
            ("192.0.2.9", around),
            ("192.0.2.10", around.union(bets)),
            ("192.0.2.20", around.union(bets)),
            ("::ffff:192.0.2.20", around.union(bets)),
            ("192.0.2.21", around),
            ("192.0.2.255", around),
            ("192.0.3.0", Tags::NONE),
            ("198.51.100.7", bets),
            ("198.51.100.8", Tags::NONE),
            ("2001:db8::1", bets),
            ("2001:db9::", Tags::NONE),
        ] {
            assert_eq!(all.find(address.parse().unwrap()), tags, "{address}");
        }
        assert_eq!(Addresses::read(&all.write(), Tags::from_bits), Some(all.clone()));
        assert!(Addresses::new(&[]).is_empty() && Addresses::read(&[], Tags::from_bits).is_some());
        let mut broken = all.write();
        broken.swap(0, 16);
        broken.truncate(broken.len() - 1);
        assert_eq!(Addresses::read(&broken, Tags::from_bits), None, "a row is cut");
        let turned: Vec<u8> = all.write().chunks(Addresses::ROW).rev().flatten().copied().collect();
        assert_eq!(Addresses::read(&turned, Tags::from_bits), None, "rows out of order");
    }

    #[test]
    fn many_that_overlap_take_no_long_time() {
        let bets = Tags::category(Category::from_word("gambling").unwrap());
        let said: Vec<_> = (0..20_000_u32)
            .map(|n| (range(&format!("{}/32", std::net::Ipv4Addr::from_bits(0x0b00_0000 + n * 3))), bets))
            .collect();
        let all = Addresses::new(&said);
        assert_eq!(all.find("11.0.0.3".parse().unwrap()), bets);
        assert_eq!(all.find("11.0.0.4".parse().unwrap()), Tags::NONE);
    }
}
