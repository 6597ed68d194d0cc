//! Whether everybody looks like one: another router stands in between, or a resolver that asks for all.

use crate::identify::{Neighbours, Shown};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who was seen since the start: nobody, one, or several.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    one: OnceLock<([u8; 16], IpAddr)>,
    several: AtomicBool,
}

impl Crowd {
    /// Takes note of a client, by its hardware address where that is known: each device has several addresses.
    pub(super) fn note(&self, neighbours: &Neighbours, shown: &Shown<'_>) {
        if self.several.load(Ordering::Relaxed) || shown.address.is_loopback() {
            return;
        }
        let key = shown.hardware.or_else(|| neighbours.mac(shown.address)).map_or_else(
            || of_address(shown.address),
            |mac| {
                let mut key = [0xff; 16];
                key[..6].copy_from_slice(&mac);
                key
            },
        );
        let (one, address) = *self.one.get_or_init(|| (key, shown.address));
        // The kernel may say only after the first question whose it was.
        let is_same = one == key || shown.hardware.is_none() && address == shown.address;
        // A token is a device's own, wherever it is.
        if shown.token.is_some() || !is_same {
            self.several.store(true, Ordering::Relaxed);
        }
    }

    /// The one that everybody looks like; none where there are several, or nobody came yet.
    pub(super) fn only_one(&self) -> Option<IpAddr> {
        self.one.get().filter(|_| !self.several.load(Ordering::Relaxed)).map(|(_, address)| *address)
    }
}

fn of_address(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(four) => Ipv4Addr::to_ipv6_mapped(&four).octets(),
        IpAddr::V6(six) => six.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_several() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let router = [2, 0, 0, 0, 0, 1];
        let neighbours = Neighbours::fixed([(ip("192.168.4.2"), router), (ip("2001:db8::2"), router)]);
        let of = |address: &str| Shown { address: ip(address), token: None, hardware: None };
        let one = Some("192.168.4.2");
        for (case, seen, expected) in [
            ("nobody", &[][..], None),
            ("one", &[of("192.168.4.2")], one),
            ("one and ourselves", &[of("127.0.0.1"), of("192.168.4.2")], one),
            ("one by both families", &[of("192.168.4.2"), of("2001:db8::2"), of("192.168.4.2")], one),
            ("two", &[of("192.168.4.2"), of("192.168.4.3")], None),
            ("one that told its token", &[Shown { token: Some("t"), ..of("192.168.4.2") }], None),
            (
                "two behind a forwarder",
                &[
                    Shown { hardware: Some([2; 6]), ..of("192.168.4.2") },
                    Shown { hardware: Some([4; 6]), ..of("192.168.4.2") },
                ],
                None,
            ),
        ] {
            let crowd = Crowd::default();
            seen.iter().for_each(|shown| crowd.note(&neighbours, shown));
            assert_eq!(crowd.only_one(), expected.map(ip), "{case}");
        }
        // Whose its first question was nobody knew yet.
        let (crowd, of_one) = (Crowd::default(), of("192.168.4.2"));
        crowd.note(&Neighbours::fixed([]), &of_one);
        crowd.note(&neighbours, &of_one);
        assert_eq!(crowd.only_one(), one.map(ip));
    }
}
