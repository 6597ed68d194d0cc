//! Ways around the gateway, told apart: one table of what is looked for, what it is called, what it tells, and how far it is held.
//!
//! What a device does by itself is [`Severity::Technical`]: nobody is told of it by name. What a program may do by itself weighs
//! little. What somebody has chosen weighs as circumvention does. Coverage, the documentation, the journal and the tests hold
//! themselves to this table.

use crate::verdict::Severity;
use blocklists::{Name, builtin};
use std::net::IpAddr;

/// A way around the gateway, or something on the network that staff may want to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detector {
    /// A resolver over HTTPS that somebody chose.
    Doh,
    /// The same, as browsers and systems use without anybody having chosen it.
    DefaultDoh,
    /// DNS over TLS to somebody else.
    Dot,
    /// DNS over QUIC to somebody else.
    Doq,
    /// Plain DNS to somebody else.
    OwnResolver,
    /// A VPN's app or site.
    VpnApp,
    /// A handshake of WireGuard.
    WireGuard,
    /// A handshake of OpenVPN.
    OpenVpn,
    /// A handshake of IPsec.
    Ike,
    /// The onion network.
    Tor,
    /// A web proxy.
    WebProxy,
    /// A tunnel to a machine of one's own.
    Tunnel,
    /// A browser that runs somewhere else.
    RemoteBrowser,
    /// A program that lends out the home's connection.
    Residential,
    /// Apple's Private Relay.
    PrivateRelay,
    /// Encrypted Client Hello.
    Ech,
    /// A name that has its address written in it.
    EncodedAddress,
    /// An address that no answer gave.
    DirectAddress,
    /// QUIC.
    Quic,
    /// An opened address, on a port that is not named.
    OtherPort,
    /// Another way to the internet in the home's network.
    SecondGateway,
    /// A device that is there and has fallen silent.
    SilentDevice,
    /// One hardware address that is two devices.
    CopiedAddress,
}

/// By what it is seen, which decides how far it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenBy {
    /// By the names that are looked up or shown.
    Names,
    /// In answers that are given here.
    Answers,
    /// In packets, at the router.
    Packets,
    /// In the home's network, by the router's own tables: staff are told, and nothing is refused.
    Network,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What is looked for.
    pub detector: Detector,
    /// Its name in records, for scripts.
    pub key: &'static str,
    /// What staff read.
    pub sentence: &'static str,
    /// What a young person reads.
    pub to_you: &'static str,
    /// The same in Welsh.
    pub to_you_in_welsh: &'static str,
    /// The most that it tells staff.
    pub weight: Severity,
    /// By what it is seen.
    pub seen_by: SeenBy,
    /// The test that shows it.
    pub test: &'static str,
}

/// The table.
pub const DETECTORS: &[Row] = &[
    Row {
        detector: Detector::Doh,
        key: "doh",
        sentence: "A name server over HTTPS that is not the home's: somebody set it up on the device, or an app brings it.",
        to_you: "This is a way to look up sites past the home. Your device or an app tried it.",
        to_you_in_welsh: "Dyma ffordd o chwilio am wefannau heibio i’r cartref. Rhoddodd dy ddyfais neu ap gynnig arni.",
        weight: Severity::High,
        seen_by: SeenBy::Names,
        test: "known_doh_is_answered_as_blocked_by_name_and_refused_by_address",
    },
    Row {
        detector: Detector::DefaultDoh,
        key: "default_doh",
        sentence: "A name server over HTTPS that browsers and phones use by themselves. Nobody has to have chosen it.",
        to_you: "Your browser or phone tried this by itself. It is not about you.",
        to_you_in_welsh: "Dy borwr neu dy ffôn wnaeth hyn ohono’i hun. Nid yw’n ymwneud â thi.",
        weight: Severity::Technical,
        seen_by: SeenBy::Names,
        test: "what_devices_look_up_by_themselves_is_a_sum_and_nobodys_breach",
    },
    Row {
        detector: Detector::Dot,
        key: "dot",
        sentence: "DNS over TLS (port 853) to somebody else is refused, so that the device falls back to the home's.",
        to_you: "Your phone tried another name server by itself. It uses the home’s now.",
        to_you_in_welsh: "Rhoddodd dy ffôn gynnig ar weinydd enwau arall ohono’i hun. Mae’n defnyddio un y cartref nawr.",
        weight: Severity::Technical,
        seen_by: SeenBy::Packets,
        test: "dns_over_tls_and_quic_to_somebody_else_are_refused_at_once",
    },
    Row {
        detector: Detector::Doq,
        key: "doq",
        sentence: "DNS over QUIC (UDP port 853) to somebody else is refused, so that the device falls back to the home's.",
        to_you: "Your device tried another name server by itself. It uses the home’s now.",
        to_you_in_welsh: "Rhoddodd dy ddyfais gynnig ar weinydd enwau arall ohoni’i hun. Mae’n defnyddio un y cartref nawr.",
        weight: Severity::Technical,
        seen_by: SeenBy::Packets,
        test: "dns_over_tls_and_quic_to_somebody_else_are_refused_at_once",
    },
    Row {
        detector: Detector::OwnResolver,
        key: "own_resolver",
        sentence: "A question to another name server (port 53) is answered here, by the device's own agreement.",
        to_you: "Your device asked another name server. The home answered instead.",
        to_you_in_welsh: "Holodd dy ddyfais weinydd enwau arall. Y cartref atebodd yn ei le.",
        weight: Severity::Technical,
        seen_by: SeenBy::Packets,
        test: "dns_to_anywhere_is_answered_here",
    },
    Row {
        detector: Detector::VpnApp,
        key: "vpn_app",
        sentence: "A VPN's app or site, by its name; Cloudflare WARP also by the addresses that its operator publishes.",
        to_you: "This belongs to a VPN. VPNs are closed for everyone here.",
        to_you_in_welsh: "Mae hwn yn perthyn i VPN. Mae VPNs ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Names,
        test: "ways_around_are_told_by_name_and_by_address",
    },
    Row {
        detector: Detector::WireGuard,
        key: "wireguard",
        sentence: "The first packet of a WireGuard VPN: it is refused wherever it goes.",
        to_you: "A VPN on your device tried to start. VPNs are closed for everyone here.",
        to_you_in_welsh: "Ceisiodd VPN ar dy ddyfais gychwyn. Mae VPNs ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Packets,
        test: "a_wireguard_handshake_is_refused",
    },
    Row {
        detector: Detector::OpenVpn,
        key: "openvpn",
        sentence: "The first packet of an OpenVPN VPN: it is refused wherever it goes.",
        to_you: "A VPN on your device tried to start. VPNs are closed for everyone here.",
        to_you_in_welsh: "Ceisiodd VPN ar dy ddyfais gychwyn. Mae VPNs ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Packets,
        test: "a_real_vpn_is_refused_even_at_an_address_that_a_name_opened",
    },
    Row {
        detector: Detector::Ike,
        key: "ike",
        sentence: "An IPsec handshake, which is refused wherever it goes: a VPN, or a phone that calls over Wi-Fi by itself.",
        to_you: "Your device tried a closed tunnel. Phones do this by themselves, for calls over Wi-Fi.",
        to_you_in_welsh: "Rhoddodd dy ddyfais gynnig ar dwnnel caeedig. Mae ffonau’n gwneud hyn eu hunain, ar gyfer galwadau dros Wi-Fi.",
        weight: Severity::Low,
        seen_by: SeenBy::Packets,
        test: "a_handshake_of_each_vpn_is_told_by_its_name",
    },
    Row {
        detector: Detector::Tor,
        key: "tor",
        sentence: "The onion network (Tor): one of its sites, its directory servers, or a relay at its usual port.",
        to_you: "This is the Tor network. It is closed for everyone here.",
        to_you_in_welsh: "Rhwydwaith Tor yw hwn. Mae ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Names,
        test: "a_tor_relay_s_port_is_refused_and_told_as_what_it_is",
    },
    Row {
        detector: Detector::WebProxy,
        key: "web_proxy",
        sentence: "A site that opens other sites inside itself (a web proxy).",
        to_you: "This site opens other sites inside itself. Such sites are closed for everyone here.",
        to_you_in_welsh: "Mae’r wefan hon yn agor gwefannau eraill y tu mewn iddi’i hun. Mae gwefannau o’r fath ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Names,
        test: "ways_around_are_told_by_name_and_by_address",
    },
    Row {
        detector: Detector::Tunnel,
        key: "tunnel",
        sentence: "A service that leads to a machine of one's own somewhere else (a tunnel).",
        to_you: "This leads to a computer somewhere else, past the home. It is closed for everyone here.",
        to_you_in_welsh: "Mae hwn yn arwain at gyfrifiadur yn rhywle arall, heibio i’r cartref. Mae ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Names,
        test: "ways_around_are_told_by_name_and_by_address",
    },
    Row {
        detector: Detector::RemoteBrowser,
        key: "remote_browser",
        sentence: "A browser or a screen that runs somewhere else, where the home's agreement does not hold.",
        to_you: "This shows a browser that runs somewhere else. It is closed for everyone here.",
        to_you_in_welsh: "Mae hwn yn dangos porwr sy’n rhedeg yn rhywle arall. Mae ar gau i bawb yma.",
        weight: Severity::High,
        seen_by: SeenBy::Names,
        test: "ways_around_are_told_by_name_and_by_address",
    },
    Row {
        detector: Detector::Residential,
        key: "residential",
        sentence: "A program that lends the home's connection to strangers. It often comes with a free app, and nobody chose it.",
        to_you: "An app here lends your connection to strangers. Ask staff to help you take it off.",
        to_you_in_welsh: "Mae ap yma’n rhoi benthyg dy gysylltiad i bobl ddieithr. Gofynna i staff dy helpu i’w dynnu.",
        weight: Severity::Low,
        seen_by: SeenBy::Names,
        test: "ways_around_are_told_by_name_and_by_address",
    },
    Row {
        detector: Detector::PrivateRelay,
        key: "private_relay",
        sentence: "Apple's Private Relay, which iPhones and Macs use by themselves; it is answered so that it switches itself off.",
        to_you: "Your Apple device tried Private Relay by itself. It is not about you.",
        to_you_in_welsh: "Rhoddodd dy ddyfais Apple gynnig ar Private Relay ohoni’i hun. Nid yw’n ymwneud â thi.",
        weight: Severity::Technical,
        seen_by: SeenBy::Names,
        test: "what_devices_look_up_by_themselves_is_a_sum_and_nobodys_breach",
    },
    Row {
        detector: Detector::Ech,
        key: "ech",
        sentence: "What hides a site's name (Encrypted Client Hello): its key is taken out of answers, its outer name is refused. Browsers use it by themselves.",
        to_you: "Your browser tried to hide a site’s name by itself. It is not about you.",
        to_you_in_welsh: "Ceisiodd dy borwr guddio enw gwefan ohono’i hun. Nid yw’n ymwneud â thi.",
        weight: Severity::Technical,
        seen_by: SeenBy::Answers,
        test: "encrypted_client_hello_is_taken_out_of_answers",
    },
    Row {
        detector: Detector::EncodedAddress,
        key: "encoded_address",
        sentence: "A name that has an address written in it, which is an address in disguise. Some apps do so by themselves.",
        to_you: "This name is really a number, so nobody can tell whose it is. An app may have done this by itself.",
        to_you_in_welsh: "Rhif yw’r enw hwn mewn gwirionedd, felly ni all neb ddweud pwy biau ef. Efallai mai ap wnaeth hyn ohono’i hun.",
        weight: Severity::Low,
        seen_by: SeenBy::Answers,
        test: "an_address_in_disguise_is_refused_to_whoever_proves_who_asks",
    },
    Row {
        detector: Detector::DirectAddress,
        key: "direct_address",
        sentence: "A number in place of a name: nothing that was looked up led there. Some apps do so by themselves.",
        to_you: "A program went to a number and not to a name, so nobody can tell what it is. It may have done this by itself.",
        to_you_in_welsh: "Aeth rhaglen at rif ac nid at enw, felly ni all neb ddweud beth ydyw. Efallai iddi wneud hyn ohoni’i hun.",
        weight: Severity::Low,
        seen_by: SeenBy::Packets,
        test: "a_direct_address_is_refused_and_logged_once",
    },
    Row {
        detector: Detector::Quic,
        key: "quic",
        sentence: "QUIC (UDP port 443) is refused, so that browsers fall back to TCP, where a site's name is seen and a connection can be ended.",
        to_you: "Your browser tried a faster way first. It uses the usual one here.",
        to_you_in_welsh: "Rhoddodd dy borwr gynnig ar ffordd gyflymach yn gyntaf. Mae’n defnyddio’r un arferol yma.",
        weight: Severity::Technical,
        seen_by: SeenBy::Packets,
        test: "dns_over_tls_and_quic_to_somebody_else_are_refused_at_once",
    },
    Row {
        detector: Detector::OtherPort,
        key: "other_port",
        sentence: "An address that a name opened, on a port that `router: ports` does not name.",
        to_you: "A program tried a door that is not open here. It may have done this by itself.",
        to_you_in_welsh: "Rhoddodd rhaglen gynnig ar ddrws nad yw ar agor yma. Efallai iddi wneud hyn ohoni’i hun.",
        weight: Severity::Technical,
        seen_by: SeenBy::Packets,
        test: "an_opened_address_is_open_on_the_ports_that_are_named",
    },
    Row {
        detector: Detector::SecondGateway,
        key: "second_gateway",
        sentence: "Something in the home hands out a way to the internet beside the router: a phone's hotspot by cable, or another router.",
        to_you: "There is another way to the internet in the home. Staff look at it; it is not about you.",
        to_you_in_welsh: "Mae ffordd arall i’r rhyngrwyd yn y cartref. Mae staff yn edrych arni; nid yw’n ymwneud â thi.",
        weight: Severity::Technical,
        seen_by: SeenBy::Network,
        test: "a_second_gateway_is_told_to_staff_and_is_nobodys_breach",
    },
    Row {
        detector: Detector::SilentDevice,
        key: "silent_device",
        sentence: "A device is on the Wi-Fi and asks for nothing, though it usually does: it may use mobile data, or sleep. Ask, and do not assume.",
        to_you: "Your device is on the Wi-Fi and asks for nothing. It may just be asleep.",
        to_you_in_welsh: "Mae dy ddyfais ar y Wi-Fi ac nid yw’n gofyn am ddim. Efallai ei bod hi’n cysgu.",
        weight: Severity::Technical,
        seen_by: SeenBy::Network,
        test: "a_device_that_falls_silent_while_it_is_there_is_told_to_staff_until_it_asks_again",
    },
    Row {
        detector: Detector::CopiedAddress,
        key: "copied_address",
        sentence: "One hardware address calls itself by two names: a device may have copied another's. Staff's own devices are safer with a token.",
        to_you: "Two devices look like one. Staff look at it; it need not be about you.",
        to_you_in_welsh: "Mae dwy ddyfais yn edrych fel un. Mae staff yn edrych arno; does dim rhaid ei fod yn ymwneud â thi.",
        weight: Severity::Technical,
        seen_by: SeenBy::Network,
        test: "one_hardware_address_with_two_names_is_told_to_staff",
    },
];

impl Detector {
    /// Its row.
    pub fn row(self) -> &'static Row {
        let row = DETECTORS.iter().find(|row| row.detector == self);
        row.expect("every detector has a row, as a test holds")
    }

    /// The one of a key.
    pub fn of_key(key: &str) -> Option<Self> {
        DETECTORS.iter().find(|row| row.key == key).map(|row| row.detector)
    }

    /// Which way around a name is, as far as the built-in table knows. Names of subscribed lists are ways around too, of no
    /// kind that anybody can tell.
    pub fn of_name(name: Name<'_>) -> Option<Self> {
        let (kind, what) = builtin::way_around(name)?;
        Some(match kind {
            "doh" => Self::Doh,
            "default" | "off_nxdomain" | "off_nodata" if what.contains("Private Relay") => Self::PrivateRelay,
            "default" | "off_nxdomain" | "off_nodata" => Self::DefaultDoh,
            "vpn" => Self::VpnApp,
            "tunnel" => Self::Tunnel,
            "tor" => Self::Tor,
            "proxy" => Self::WebProxy,
            "remote_browser" => Self::RemoteBrowser,
            "residential" => Self::Residential,
            "encodes" => Self::EncodedAddress,
            "ech" => Self::Ech,
            _ => return None,
        })
    }

    /// Which way around an address without a name is.
    pub fn of_address(address: IpAddr) -> Self {
        match builtin::address_is_circumvention(address.to_canonical()) {
            Some("Tor directory") => Self::Tor,
            Some("Cloudflare WARP") => Self::VpnApp,
            Some(_) => Self::Doh,
            None => Self::DirectAddress,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ways_around_are_told_by_name_and_by_address() {
        for (name, detector) in [
            ("dns.nextdns.io", Some(Detector::Doh)),
            ("dns.google", Some(Detector::DefaultDoh)),
            ("use-application-dns.net", Some(Detector::DefaultDoh)),
            ("mask.icloud.com", Some(Detector::PrivateRelay)),
            ("mask-api.icloud.com", Some(Detector::PrivateRelay)),
            ("www.nordvpn.com", Some(Detector::VpnApp)),
            ("www.torproject.org", Some(Detector::Tor)),
            ("croxyproxy.com", Some(Detector::WebProxy)),
            ("ngrok.io", Some(Detector::Tunnel)),
            ("www.browserling.com", Some(Detector::RemoteBrowser)),
            ("hyperbeam.com", Some(Detector::RemoteBrowser)),
            ("api.honeygain.com", Some(Detector::Residential)),
            ("lum-sdk.io", Some(Detector::Residential)),
            ("192.0.2.1.nip.io", Some(Detector::EncodedAddress)),
            ("cloudflare-ech.com", Some(Detector::Ech)),
            ("open.example", None),
        ] {
            assert_eq!(Detector::of_name(Name::trusted(name)), detector, "{name}");
        }
        for (address, detector) in [
            ("9.9.9.9", Detector::Doh),
            ("::ffff:9.9.9.9", Detector::Doh),
            ("162.159.192.7", Detector::VpnApp),
            ("2606:4700:d0::a29f:c001", Detector::VpnApp),
            ("128.31.0.39", Detector::Tor),
            ("::ffff:86.59.21.38", Detector::Tor),
            ("192.0.2.1", Detector::DirectAddress),
        ] {
            assert_eq!(Detector::of_address(address.parse().unwrap()), detector, "{address}");
        }
        // Every kind of the table of names is told.
        let untold: Vec<_> = builtin::entries()
            .filter(|entry| builtin::way_around(Name::trusted(entry.name)).is_some())
            .filter(|entry| Detector::of_name(Name::trusted(entry.name)).is_none())
            .map(|entry| entry.name)
            .collect();
        assert_eq!(untold, [""; 0]);
    }

    #[test]
    fn every_row_is_whole() {
        let keys: HashSet<_> = DETECTORS.iter().map(|row| row.key).collect();
        assert_eq!((keys.len(), DETECTORS.len()), (23, 23));
        for row in DETECTORS {
            assert_eq!(row.detector.row().key, row.key);
            for text in [row.sentence, row.to_you, row.to_you_in_welsh] {
                assert!(text.ends_with('.') && text.len() < 160, "{}: {text}", row.key);
            }
            let words = row.to_you.split(' ').count();
            assert!(words < 30 && !row.to_you.contains("circumvent"), "{}: {}", row.key, row.to_you);
        }
    }
}
