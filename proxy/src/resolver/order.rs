//! The order in which a client tries addresses.

use std::net::IpAddr;

/// IPv6 and IPv4 in turn, IPv6 first (RFC 8305 §4), so that a broken family costs one attempt and not all.
pub(super) fn interleaved<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<IpAddr> {
    let (six, four): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(|address| address.is_ipv6());
    let longer = six.len().max(four.len());
    (0..longer).flat_map(|i| [six.get(i), four.get(i)]).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mixed = parse(&["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"]);
        let expected = parse(&["2001:db8::1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]);
        assert_eq!(interleaved(mixed.iter()), expected);
    }
}
