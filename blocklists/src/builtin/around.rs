//! Ways around the gateway by name: which kind of way a name is, and names that are addresses in disguise.

use super::row;
use super::table::CIRCUMVENTION;
use crate::Name;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::LazyLock;

/// A row of the table: its kind, what it is, and whether everything below the name is meant.
type Row = (&'static str, &'static str, bool);

/// Which way around a name is, by the built-in table: the kind of its row, and what the row says of it. `None` for every other
/// name, those of subscribed lists included. Allocates nothing.
pub fn way_around(name: Name<'_>) -> Option<(&'static str, &'static str)> {
    static ROWS: LazyLock<HashMap<&'static str, Row, FixedState>> = LazyLock::new(|| {
        let rows = row::rows(CIRCUMVENTION);
        rows.map(|row| (row.name, (row.kind(), *row.columns.last().unwrap_or(&""), row.whole_site))).collect()
    });
    let mut rest = name.as_str();
    loop {
        match ROWS.get(rest) {
            Some(&(kind, what, whole)) if whole || rest.len() == name.as_str().len() => {
                return Some((kind, what));
            }
            Some(_) | None => {}
        }
        (_, rest) = rest.split_once('.')?;
    }
}

/// Whether a name has this very address written in it, so that looking it up is a way to write the address: in figures
/// (`192.0.2.1.x.example`, `192-0-2-1.x.example`, `a-192-0-2-1-b.x.example`), the other way around, as one hexadecimal or
/// decimal number, or an IPv6 address with dashes for its colons.
pub fn encodes(name: Name<'_>, address: IpAddr) -> bool {
    let words: Vec<&str> = name.as_str().split(['.', '-']).collect();
    match address.to_canonical() {
        IpAddr::V4(four) => {
            let forward = four.octets();
            let mut backward = forward;
            backward.reverse();
            let number = four.to_bits();
            words.windows(4).any(|four| is_written(four, forward) || is_written(four, backward))
                || words.iter().any(|word| {
                    word.len() == 8 && u32::from_str_radix(word, 16) == Ok(number)
                        || word.len() >= 8 && word.parse() == Ok(number)
                })
        }
        IpAddr::V6(six) => name.as_str().split('.').any(|label| is_six(label, six)),
    }
}

fn is_written(words: &[&str], octets: [u8; 4]) -> bool {
    words.iter().zip(octets).all(|(word, octet)| word.len() <= 3 && word.parse() == Ok(octet))
}

/// A label of an address in IPv6, words of other meaning before and after it left aside.
fn is_six(label: &str, address: Ipv6Addr) -> bool {
    if label.len() == 32 && u128::from_str_radix(label, 16) == Ok(address.to_bits()) {
        return true;
    }
    // The shortest with eight groups, or with two dashes for a run of noughts.
    let colons = label.replace('-', ":");
    let starts = std::iter::once(0).chain(colons.match_indices(':').map(|(at, _)| at + 1));
    colons.matches(':').count() >= 2
        && starts.take(12).any(|at| {
            let text = &colons[at..];
            let ends = std::iter::once(text.len()).chain(text.rmatch_indices(':').map(|(end, _)| end));
            ends.take(12).any(|end| text[..end].parse() == Ok(address))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_s_way_around_is_told_by_its_row() {
        for (name, kind) in [
            ("nordvpn.com", Some("vpn")),
            ("www.nordvpn.com", Some("vpn")),
            ("notnordvpn.com", None),
            ("dns.google", Some("default")),
            ("x.dns.google", None),
            ("192.0.2.1.nip.io", Some("encodes")),
            ("mask.icloud.com", Some("off_nxdomain")),
            ("cloudflare-ech.com", Some("ech")),
            ("open.example", None),
            ("com", None),
            ("", None),
        ] {
            assert_eq!(way_around(Name::trusted(name)).map(|(kind, _)| kind), kind, "{name}");
        }
    }

    #[test]
    fn a_name_that_has_its_own_address_written_in_it_is_an_address() {
        for (name, address, is) in [
            ("192.0.2.1.nip.example", "192.0.2.1", true),
            ("app.192.0.2.1.nip.example", "192.0.2.1", true),
            ("192-0-2-1.nip.example", "192.0.2.1", true),
            ("app-192-0-2-1-x.nip.example", "192.0.2.1", true),
            ("c0000201.nip.example", "192.0.2.1", true),
            ("app-c0000201.nip.example", "192.0.2.1", true),
            ("3221225985.nip.example", "192.0.2.1", true),
            ("1.2.0.192.rev.example", "192.0.2.1", true),
            ("192.0.2.1.nip.example", "192.0.2.2", false),
            ("192.0.2.nip.example", "192.0.2.1", false),
            ("1920021.example", "192.0.2.1", false),
            ("r1---sn-4g5e6nz7.example", "192.0.2.1", false),
            ("2001-db8--1.sslip.example", "2001:db8::1", true),
            ("a-2001-db8--1.sslip.example", "2001:db8::1", true),
            ("2001-db8-0-0-0-0-0-1.sslip.example", "2001:db8::1", true),
            ("20010db8000000000000000000000001.example", "2001:db8::1", true),
            ("2001-db8--1.sslip.example", "2001:db8::2", false),
            ("one-two-three.example", "2001:db8::1", false),
            ("192-0-2-1.nip.example", "::ffff:192.0.2.1", true),
        ] {
            assert_eq!(encodes(Name::trusted(name), address.parse().unwrap()), is, "{name} {address}");
        }
        let endless = "a-".repeat(31) + "a.example";
        assert!(!encodes(Name::trusted(&endless), "2001:db8::1".parse().unwrap()));
    }
}
