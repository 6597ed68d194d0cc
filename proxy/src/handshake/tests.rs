use super::*;

/// What real programs said first, recorded by us (`captured.txt` says with what).
fn captured() -> impl Iterator<Item = (&'static str, &'static str, Vec<u8>, Detector)> {
    let lines =
        include_str!("captured.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let [case, detector, over, hex] =
            line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let detector = agreements::DETECTORS.iter().find(|row| row.key == detector).unwrap().detector;
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        (case, over, digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect(), detector)
    })
}

#[test]
fn a_handshake_of_each_vpn_is_told_by_its_name() {
    let mut kinds = std::collections::HashSet::new();
    for (case, over, bytes, detector) in captured() {
        kinds.insert(detector);
        match over {
            "udp" => {
                assert_eq!(datagram(&bytes, bytes.len()), Some(detector), "{case}");
                // No more is copied of a packet than its beginning.
                let copied = &bytes[..bytes.len().min(144)];
                assert_eq!(datagram(copied, bytes.len()), Some(detector), "{case}");
                assert_eq!(
                    datagram(&bytes, bytes.len() + 1),
                    lasting(&bytes, detector),
                    "{case}, of another length"
                );
            }
            _ => {
                assert_eq!(stream(&bytes), Begins::Is(detector), "{case}");
                for length in 0..bytes.len().min(16) {
                    assert_eq!(stream(&bytes[..length]), Begins::More, "{case}, {length} bytes of it");
                }
            }
        }
    }
    assert_eq!(kinds, [Detector::WireGuard, Detector::OpenVpn, Detector::Ike].into());
}

/// What is told by no one length: IKE, and OpenVPN's packet with a client's own key in it.
fn lasting(bytes: &[u8], detector: Detector) -> Option<Detector> {
    (detector == Detector::Ike || bytes[0] == 0x50).then_some(detector)
}

#[test]
fn what_only_looks_like_a_vpn_is_none() {
    let long = [&[0x50; 10][..], &[7; 400]].concat();
    for (case, said, length) in [
        ("a game", &[0, 0, 0, 0, 1, 2][..], 40),
        ("WireGuard's type in something of another length", &[1, 0, 0, 0, 9, 9], 92),
        ("OpenVPN's first byte and nothing else", &[0x38; 14], 14),
        ("a `P` and no counter", &long, 410),
        ("noughts alone", &[0; 28], 28),
        ("a call's way to the other (STUN)", &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4], 20),
        ("a call's keys (DTLS)", &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 42], 14 + 13),
        ("a voice (RTP)", &[0x80, 111, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9], 172),
        ("nothing", &[], 0),
    ] {
        assert_eq!(datagram(said, length), None, "{case}");
    }
    for (case, said) in [
        ("a web page", &b"GET / HTTP/1.1\r\n"[..]),
        ("SSH", b"SSH-2.0-x\r\n"),
        ("SOCKS", &[5, 1, 0]),
        ("DNS over TCP", &[0, 42, 0x12, 0x34, 1, 0]),
        ("a stream of its own", &[0, 14, 0x38, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
    ] {
        assert_eq!(stream(said), Begins::Not, "{case}");
    }
}
