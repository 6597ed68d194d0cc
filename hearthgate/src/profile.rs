//! How a device is told to look names up here: an Apple configuration profile, Android's Private DNS, anything else.

use crate::failure::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proxy::dns::PATH;
use ring::digest::{SHA256, digest};
use std::fmt;
use std::net::IpAddr;

/// Where one device asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The gateway's own name.
    pub(crate) name: String,
    /// Whether that name leads there from outside the home too.
    pub(crate) is_public: bool,
    /// The device's token.
    pub(crate) token: String,
    /// The port of DNS over HTTPS, if it is to be had.
    pub(crate) https: Option<u16>,
    /// The port of DNS over TLS, if it is to be had.
    pub(crate) tls: Option<u16>,
    /// The gateway's addresses, where they are known; else the device looks its name up.
    pub(crate) addresses: Vec<IpAddr>,
}

/// The port that devices use for DNS over TLS where they cannot be told another (RFC 7858 §3.1).
const TLS_PORT: u16 = 853;

impl Endpoint {
    /// The device's own address for DNS over HTTPS.
    fn url(&self) -> Option<String> {
        let (name, token) = (&self.name, &self.token);
        match self.https? {
            443 => Some(format!("https://{name}{PATH}/{token}")),
            port => Some(format!("https://{name}:{port}{PATH}/{token}")),
        }
    }

    /// The device's own server name for DNS over TLS.
    fn server_name(&self) -> String {
        format!("{}.{}", self.token, self.name)
    }

    /// The addresses at which a device is to ask, in place of what the name leads to. One of the home's own network leads nowhere,
    /// or to somebody else, from anywhere else: beside a public name none is said.
    fn pinned(&self) -> Vec<IpAddr> {
        let leads_there = |address: &&IpAddr| !self.is_public || !is_private(**address);
        self.addresses.iter().filter(leads_there).copied().collect()
    }
}

/// Whether an address is one of a network's own (RFC 1918, 3927, 4193, 4291, 6598).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => {
            let carriers = four.octets()[0] == 100 && four.octets()[1] & 0xc0 == 64;
            four.is_private() || four.is_link_local() || four.is_loopback() || carriers
        }
        IpAddr::V6(six) => six.is_unique_local() || six.is_unicast_link_local() || six.is_loopback(),
    }
}

/// An Apple configuration profile with DNS settings (Apple, Device Management: DNSSettings), unsigned. The certificate of
/// the home's own authority goes with it.
#[derive(Debug)]
pub(crate) struct Apple<'a> {
    /// Where the device asks.
    pub(crate) endpoint: &'a Endpoint,
    /// The authority's certificate (DER), where the gateway uses its own.
    pub(crate) root: Option<&'a [u8]>,
    /// Whether it may not be switched off; supervised devices alone hold to it.
    pub(crate) locked: bool,
}

impl Apple<'_> {
    /// An identifier that is the same each time, so that a new profile takes the old one's place. It names nobody.
    fn id(&self, of: &str) -> String {
        let hash = digest(&SHA256, format!("{of} {} {}", self.endpoint.token, self.endpoint.name).as_bytes());
        let hex: String = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02X}")).collect();
        // The shape of a UUID made from a name (RFC 9562 §5.8).
        format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    fn payload(&self, kind: &str, name: &str, more: &str) -> String {
        let id = self.id(kind);
        format!(
            "\
  <dict>
   <key>PayloadType</key><string>{kind}</string>
   <key>PayloadIdentifier</key><string>hearthgate.{id}</string>
   <key>PayloadUUID</key><string>{id}</string>
   <key>PayloadVersion</key><integer>1</integer>
   <key>PayloadDisplayName</key><string>{name}</string>
{more}  </dict>
"
        )
    }

    fn dns(&self) -> String {
        let endpoint = self.endpoint;
        let place = match endpoint.url() {
            Some(url) => format!(
                "    <key>DNSProtocol</key><string>HTTPS</string>\n    <key>ServerURL</key><string>{url}</string>\n"
            ),
            None => format!(
                "    <key>DNSProtocol</key><string>TLS</string>\n    <key>ServerName</key><string>{}</string>\n",
                endpoint.server_name()
            ),
        };
        let listed = |addresses: &[IpAddr]| -> String {
            addresses.iter().map(|address| format!("<string>{address}</string>")).collect()
        };
        let pinned = endpoint.pinned();
        let addresses = if pinned.is_empty() {
            String::new()
        } else {
            format!("    <key>ServerAddresses</key><array>{}</array>\n", listed(&pinned))
        };
        // With a name of the home's own the device asks here only in a network whose name server is here: in any other it would have
        // no names at all (Apple, Device Management: DNSSettings.OnDemandRulesElement; the first that matches).
        let rules = if endpoint.is_public {
            String::new()
        } else {
            format!(
                "   <key>OnDemandRules</key>\n   <array>\n    <dict><key>Action</key><string>Connect</string>\
                 <key>DNSServerAddressMatch</key><array>{}</array></dict>\n    \
                 <dict><key>Action</key><string>Disconnect</string></dict>\n   </array>\n",
                listed(&endpoint.addresses)
            )
        };
        let locked = if self.locked { "   <key>ProhibitDisablement</key><true/>\n" } else { "" };
        let settings =
            format!("   <key>DNSSettings</key>\n   <dict>\n{place}{addresses}   </dict>\n{rules}{locked}");
        self.payload("com.apple.dnsSettings.managed", "Names", &settings)
    }

    fn certificate(&self) -> String {
        let Some(root) = self.root else { return String::new() };
        let content = format!("   <key>PayloadContent</key><data>{}</data>\n", STANDARD.encode(root));
        self.payload("com.apple.security.root", "The gateway's certificate authority", &content)
    }
}

impl fmt::Display for Apple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dns, certificate, id) = (self.dns(), self.certificate(), self.id("Configuration"));
        write!(
            f,
            "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<plist version=\"1.0\">
<dict>
 <key>PayloadType</key><string>Configuration</string>
 <key>PayloadVersion</key><integer>1</integer>
 <key>PayloadIdentifier</key><string>hearthgate.{id}</string>
 <key>PayloadUUID</key><string>{id}</string>
 <key>PayloadDisplayName</key><string>Hearthgate</string>
 <key>PayloadDescription</key><string>This device looks names up at its own gateway.</string>
 <key>PayloadContent</key>
 <array>
{dns}{certificate} </array>
</dict>
</plist>
"
        )
    }
}

/// Whether an Apple profile can be made: with a name of the home's own it has to know the home's network, or the device is without
/// names everywhere else.
pub(crate) fn fits_apple(endpoint: &Endpoint) -> Result<(), Failure> {
    if endpoint.is_public || !endpoint.addresses.is_empty() {
        return Ok(());
    }
    let sentence = format!(
        "`{}` is a name of the home's own network, and nobody said by which address a device knows that it is there",
        endpoint.name
    );
    Err(Failure::no(sentence).help(
        "add `--address IP`: the name server that DHCP hands out in the home; or give gateway.yaml a public `name`",
    ))
}

/// What to type into Android's Private DNS.
pub(crate) fn android(endpoint: &Endpoint, local: bool) -> Result<String, Failure> {
    match endpoint.tls {
        Some(TLS_PORT) => {}
        _ => {
            return Err(Failure::no(
                "Android asks over TLS at port 853 alone, and the gateway does not listen there",
            )
            .help("add `dns_tls: [\"0.0.0.0:853\"]` under `listen` in gateway.yaml"));
        }
    }
    let certificate = if local {
        "\nIt will not work yet: Private DNS believes only certificates that Android knows already, and the gateway shows one of the \
         home's own.\nGive gateway.yaml a public name and certificate (`name`, `certificate: {chain: …, key: …}`) first.\n"
    } else {
        ""
    };
    let at_home = if endpoint.is_public {
        ""
    } else {
        "\nOUTSIDE THE HOME THE DEVICE HAS NO NAMES WITH IT: the gateway's name leads nowhere there, and Android asks nobody else.\n\
         Switch Private DNS off before the device leaves the home, or give gateway.yaml a public `name`.\n"
    };
    Ok(format!(
        "\
On the device: Settings, Network & internet, Private DNS, \"Private DNS provider hostname\":

  {}

Without internet afterwards, the name was mistyped, or the gateway cannot be reached from where the device is.
{at_home}{certificate}",
        endpoint.server_name()
    ))
}

/// Names, addresses and ports, for anything else.
pub(crate) fn others(endpoint: &Endpoint, local: bool) -> String {
    let mut rows = Vec::new();
    if let Some(url) = endpoint.url() {
        rows.push(vec!["DNS over HTTPS".to_owned(), url]);
    }
    if let Some(port) = endpoint.tls {
        rows.push(vec!["DNS over TLS".to_owned(), format!("{}, port {port}", endpoint.server_name())]);
    }
    let addresses: Vec<String> = endpoint.addresses.iter().map(ToString::to_string).collect();
    if !addresses.is_empty() {
        rows.push(vec!["at".to_owned(), addresses.join(", ")]);
    }
    rows.push(vec!["web proxy".to_owned(), format!("the token as the user name: {}", endpoint.token)]);
    if local {
        rows.push(vec!["certificate".to_owned(), "`hearthgate ca --out FILE`".to_owned()]);
    }
    crate::terminal::columns(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            name: "dns.oakview.example".into(),
            is_public: true,
            token: "jordan-tablet-7f3a19c6d2".into(),
            https: Some(8853),
            tls: Some(853),
            addresses: vec!["192.0.2.53".parse().expect("an address")],
        }
    }

    #[test]
    fn an_apple_profile_has_its_parts_and_is_the_same_each_time() {
        let endpoint = endpoint();
        let apple = Apple { endpoint: &endpoint, root: Some(b"root"), locked: true };
        let text = apple.to_string();
        for part in [
            "<string>https://dns.oakview.example:8853/dns-query/jordan-tablet-7f3a19c6d2</string>",
            "<key>ServerAddresses</key><array><string>192.0.2.53</string></array>",
            "<key>ProhibitDisablement</key><true/>",
            "<key>PayloadContent</key><data>cm9vdA==</data>",
            "com.apple.dnsSettings.managed",
            "com.apple.security.root",
        ] {
            assert!(text.contains(part), "no `{part}`: {text}");
        }
        assert_eq!(text, apple.to_string());
        let uuid = apple.id("Configuration");
        assert_eq!((uuid.len(), uuid.matches('-').count(), &uuid[14..15]), (36, 4, "8"));
        let plain =
            Apple { endpoint: &Endpoint { https: None, ..endpoint.clone() }, root: None, locked: false };
        let text = plain.to_string();
        assert!(
            text.contains(
                "<key>ServerName</key><string>jordan-tablet-7f3a19c6d2.dns.oakview.example</string>"
            )
        );
        assert!(!text.contains("security.root") && !text.contains("ProhibitDisablement"));
    }

    #[test]
    fn a_phone_that_leaves_the_home_has_names() {
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let both = vec![at("192.168.4.1"), at("fd00::1"), at("192.0.2.53")];
        let profile = |is_public| {
            let endpoint = Endpoint { is_public, addresses: both.clone(), ..endpoint() };
            Apple { endpoint: &endpoint, root: None, locked: false }.to_string()
        };
        let all = "<string>192.168.4.1</string><string>fd00::1</string><string>192.0.2.53</string>";
        let public = profile(true);
        assert!(public.contains("<key>ServerAddresses</key><array><string>192.0.2.53</string></array>"));
        assert!(!public.contains("192.168.4.1") && !public.contains("OnDemandRules"), "{public}");
        let homes = profile(false);
        for part in [
            format!("<key>ServerAddresses</key><array>{all}</array>"),
            format!("<string>Connect</string><key>DNSServerAddressMatch</key><array>{all}</array></dict>"),
            "<dict><key>Action</key><string>Disconnect</string></dict>\n   </array>".to_owned(),
        ] {
            assert!(homes.contains(&part), "no `{part}`: {homes}");
        }
        // Where nobody knows how the home's network is told from others there is no such profile.
        for (is_public, addresses, fits) in
            [(true, vec![], true), (false, both, true), (false, vec![], false)]
        {
            let endpoint = Endpoint { is_public, addresses, ..endpoint() };
            assert_eq!(fits_apple(&endpoint).is_ok(), fits, "{endpoint:?}");
        }
        assert!(!android(&endpoint(), false).expect("told").contains("NO NAMES"));
        let homes = Endpoint { is_public: false, ..endpoint() };
        assert!(android(&homes, false).expect("told").contains("NO NAMES"));
    }

    #[test]
    fn an_address_of_a_network_s_own_is_told_from_the_internet_s() {
        for (address, private) in [
            ("10.0.0.1", true),
            ("172.31.0.1", true),
            ("192.168.4.1", true),
            ("::ffff:192.168.4.1", true),
            ("169.254.0.1", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("192.0.2.53", false),
            ("fd00::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_private(address.parse().expect("an address")), private, "{address}");
        }
    }

    #[test]
    fn android_needs_its_port_and_a_certificate_that_it_knows() {
        let told = android(&endpoint(), false).expect("it works");
        assert!(
            told.contains("\n  jordan-tablet-7f3a19c6d2.dns.oakview.example\n") && !told.contains("not work")
        );
        assert!(android(&endpoint(), true).expect("told").contains("will not work yet"));
        let elsewhere = Endpoint { tls: Some(8853), ..endpoint() };
        assert!(android(&elsewhere, false).expect_err("not there").sentence.contains("853"));
    }
}
