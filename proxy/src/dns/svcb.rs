//! The data of SVCB and HTTPS records (RFC 9460 §2.2): target, address hints, and the parameter that hides names.

use super::https;
use super::settings::{Designated, Over};
use super::wire::{WireName, u16_at};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
/// Encrypted ClientHello (RFC 9848). With it the gateway would see a shared outer name instead of the site's.
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
/// Where questions go over HTTPS (RFC 9461 §5).
const DOHPATH: u16 = 7;

/// What the data of an SVCB or HTTPS record comes to.
#[derive(Clone, Debug)]
pub(crate) struct Svcb {
    /// The data without `ech`.
    pub(crate) data: Vec<u8>,
    /// The target; the root when it is the owner itself.
    pub(crate) target: WireName,
    /// `ipv4hint` and `ipv6hint`.
    pub(crate) hints: Vec<IpAddr>,
    /// Whether `ech` was there.
    pub(crate) stripped: bool,
}

/// Takes `ech` out of the data of an SVCB or HTTPS record, and keeps everything else in its order. `None`: malformed.
pub(crate) fn without_ech(data: &[u8]) -> Option<Svcb> {
    let (target, mut at) = WireName::read(data, 2)?;
    // The target is never compressed (RFC 9460 §2.2); its end tells whether it was.
    (at == 2 + target.bytes().len()).then_some(())?;
    let mut svcb = Svcb { data: data[..at].to_vec(), target, hints: Vec::new(), stripped: false };
    let mut last = None;
    while at < data.len() {
        let (key, length) = (u16_at(data, at)?, usize::from(u16_at(data, at + 2)?));
        let value = data.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        // Keys stand in strictly increasing order, each once (§2.2); anything else is a malformed record.
        (last < Some(key)).then_some(())?;
        last = Some(key);
        svcb.take(key, value)?;
    }
    Some(svcb)
}

impl Svcb {
    fn take(&mut self, key: u16, value: &[u8]) -> Option<()> {
        match key {
            ECH => self.stripped = true,
            MANDATORY => self.mandatory(value)?,
            IPV4HINT => {
                self.hints.extend(pieces::<4>(value)?.map(|a| IpAddr::from(Ipv4Addr::from(a))));
                self.push(key, value);
            }
            IPV6HINT => {
                self.hints.extend(pieces::<16>(value)?.map(|a| IpAddr::from(Ipv6Addr::from(a))));
                self.push(key, value);
            }
            _ => self.push(key, value),
        }
        Some(())
    }

    /// A record whose mandatory keys are not all there must be ignored (§8): `ech` is taken from the list too.
    fn mandatory(&mut self, value: &[u8]) -> Option<()> {
        let keys = pieces::<2>(value)?.filter(|&key| u16::from_be_bytes(key) != ECH);
        let kept: Vec<u8> = keys.flatten().collect();
        if !kept.is_empty() {
            self.push(MANDATORY, &kept);
        }
        Some(())
    }

    fn push(&mut self, key: u16, value: &[u8]) {
        push(&mut self.data, key, value);
    }
}

/// Writes the data of a record that says where one encrypted listener is (RFC 9461): its keys in order.
pub(crate) fn write_designated(
    out: &mut Vec<u8>,
    priority: u16,
    target: &WireName,
    designated: &Designated,
    addresses: &[IpAddr],
) {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for address in addresses {
        match address {
            IpAddr::V4(address) => v4.extend(address.octets()),
            IpAddr::V6(address) => v6.extend(address.octets()),
        }
    }
    let alpn: &[u8] = match designated.over {
        Over::Tls => b"\x03dot",
        Over::Https => b"\x02h2",
    };
    let path = format!("{}{{?dns}}", https::PATH);
    out.extend(priority.to_be_bytes());
    out.extend_from_slice(target.bytes());
    for (key, value) in [
        (ALPN, alpn),
        (PORT, &designated.port.to_be_bytes()),
        (IPV4HINT, &v4),
        (IPV6HINT, &v6),
        (DOHPATH, path.as_bytes()),
    ] {
        let wanted = if key == DOHPATH { designated.over == Over::Https } else { !value.is_empty() };
        if wanted {
            push(out, key, value);
        }
    }
}

/// Writes one parameter.
fn push(out: &mut Vec<u8>, key: u16, value: &[u8]) {
    // A value came out of a message with a length of two bytes, or is a word or a few addresses of ours.
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend(key.to_be_bytes().into_iter().chain(length.to_be_bytes()));
    out.extend_from_slice(value);
}

/// A value as pieces of `N` bytes: at least one, and nothing left over.
fn pieces<const N: usize>(value: &[u8]) -> Option<impl Iterator<Item = [u8; N]>> {
    let (pieces, rest) = value.as_chunks::<N>();
    (!pieces.is_empty() && rest.is_empty()).then(|| pieces.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(key: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).unwrap();
        [&key.to_be_bytes()[..], &length.to_be_bytes(), value].concat()
    }

    fn record(params: &[Vec<u8>]) -> Vec<u8> {
        [b"\x00\x01\x03cdn\x04test\x00".to_vec(), params.concat()].concat()
    }

    #[test]
    fn only_ech_goes() {
        let alpn = param(1, b"\x02h2");
        let hint = param(4, &[192, 0, 2, 1, 192, 0, 2, 2]);
        let six = param(6, &[0x20; 16]);
        type Params = Vec<Vec<u8>>;
        let cases: &[(&str, Params, Params, bool)] = &[
            ("nothing_to_strip", vec![alpn.clone(), hint.clone()], vec![alpn.clone(), hint.clone()], false),
            (
                "ech_between",
                vec![hint.clone(), param(5, b"config"), six.clone()],
                vec![hint.clone(), six],
                true,
            ),
            ("ech_empty", vec![param(5, b"")], vec![], true),
            (
                "ech_mandatory",
                vec![param(0, &[0, 1, 0, 5]), alpn.clone(), param(5, b"x")],
                vec![param(0, &[0, 1]), alpn.clone()],
                true,
            ),
            ("only_ech_mandatory", vec![param(0, &[0, 5]), param(5, b"x")], vec![], true),
            ("private_key_kept", vec![param(65_280, b"own")], vec![param(65_280, b"own")], false),
        ];
        for (case, before, after, stripped) in cases {
            let svcb = without_ech(&record(before)).unwrap();
            assert_eq!(svcb.data, record(after), "{case}");
            assert_eq!(svcb.stripped, *stripped, "{case}");
            assert_eq!(svcb.target.text().name().as_str(), "cdn.test", "{case}");
        }
        assert_eq!(without_ech(&record(&[hint])).unwrap().hints.len(), 2);
    }

    #[test]
    fn malformed_records_are_none() {
        let cases: &[(&str, Vec<u8>)] = &[
            ("no_target", b"\x00\x01".to_vec()),
            ("ends_in_target", b"\x00\x01\x03cd".to_vec()),
            ("length_beyond_end", [record(&[]), vec![0, 1, 0, 9, 1]].concat()),
            ("half_a_header", [record(&[]), vec![0, 1, 0]].concat()),
            ("keys_twice", record(&[param(5, b"a"), param(5, b"b")])),
            ("keys_out_of_order", record(&[param(5, b"a"), param(1, b"\x02h2")])),
            ("hint_of_three_bytes", record(&[param(4, &[1, 2, 3])])),
            ("hint_of_none", record(&[param(4, &[])])),
        ];
        for (case, data) in cases {
            assert!(without_ech(data).is_none(), "{case}");
        }
    }
}
