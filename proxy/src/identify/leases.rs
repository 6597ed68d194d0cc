//! What the home's DHCP server knows: which hardware address has which address, and what the device calls itself.
//!
//! Three programs' files are read, recognised line by line: dnsmasq (`dhcp.leases`), odhcpd (its lease file), and Kea
//! (the CSV of `lease_cmds` and memfile). A name that a device gives itself is a hint for people and decides nothing.

use std::collections::HashMap;
use std::net::IpAddr;

/// No home has more leases; what comes after them is left out.
const MOST: usize = 4096;
/// The longest name of a host (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 63;
/// A line of a lease file is short; a longer one is none.
const LONGEST_LINE: usize = 4096;

/// One lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address that was given.
    pub address: IpAddr,
    /// The hardware address that it was given to, where the file tells.
    pub mac: Option<[u8; 6]>,
    /// What the device calls itself.
    pub name: Option<String>,
    /// Until when, in seconds since 1970; none for ever.
    pub until: Option<u64>,
}

/// Reads a lease file of any of the three kinds. The last line about an address is the one that holds; what cannot be read
/// is left out.
pub fn leases(text: &str) -> Vec<Lease> {
    let mut found: Vec<Lease> = Vec::new();
    let mut places: HashMap<IpAddr, usize> = HashMap::new();
    let mut columns = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && line.len() <= LONGEST_LINE) {
        if let Some(header) = Columns::read(line) {
            columns = Some(header);
            continue;
        }
        let read = match (&columns, line.strip_prefix("# ")) {
            (Some(columns), _) => columns.lease(line),
            (None, Some(rest)) => odhcpd(rest),
            (None, None) => dnsmasq(line),
        };
        let Some(lease) = read else { continue };
        match places.get(&lease.address) {
            Some(&place) => found[place] = lease,
            None if found.len() < MOST => {
                places.insert(lease.address, found.len());
                found.push(lease);
            }
            None => {}
        }
    }
    found
}

impl Lease {
    /// Whether it still holds at a time, in seconds since 1970.
    pub fn holds_at(&self, now: u64) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// `EXPIRY HARDWARE ADDRESS NAME CLIENT-ID`; for IPv6 the second is the association's number and the last is a DUID. Expiry 0 is
/// for ever (dnsmasq, `lease.c`).
fn dnsmasq(line: &str) -> Option<Lease> {
    let mut words = line.split_whitespace();
    let until: u64 = words.next()?.parse().ok()?;
    let (hardware, address, given, client) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let address: IpAddr = address.parse().ok()?;
    let mac = match address {
        // Hardware that is not Ethernet has its kind before it: `06-…`.
        IpAddr::V4(_) => mac(hardware),
        IpAddr::V6(_) => of_duid(client),
    };
    Some(Lease { address, mac, name: name(given), until: (until > 0).then_some(until) })
}

/// `INTERFACE DUID-OR-HARDWARE IAID-OR-ipv4 NAME EXPIRY ASSIGNED LENGTH ADDRESS/BITS…`; expiry -1 is for ever (odhcpd,
/// `statefiles.c`).
fn odhcpd(rest: &str) -> Option<Lease> {
    let mut words = rest.split_whitespace().skip(1);
    let (id, kind, given, until) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let until: i64 = until.parse().ok()?;
    let address = words.nth(2)?.split('/').next()?.parse().ok()?;
    let mac = if kind == "ipv4" { mac(id) } else { of_duid(id) };
    Some(Lease { address, mac, name: name(given), until: u64::try_from(until).ok() })
}

/// Where the columns stand that are looked at. Kea names them in its first line.
#[derive(Debug)]
struct Columns {
    address: usize,
    hardware: Option<usize>,
    duid: Option<usize>,
    name: Option<usize>,
    expire: Option<usize>,
    lifetime: Option<usize>,
    state: Option<usize>,
}

impl Columns {
    fn read(line: &str) -> Option<Self> {
        let place = |word: &str| line.split(',').position(|column| column.trim() == word);
        let address = place("address").filter(|_| line.starts_with("address,"))?;
        Some(Self {
            address,
            hardware: place("hwaddr"),
            duid: place("duid"),
            name: place("hostname"),
            expire: place("expire"),
            lifetime: place("valid_lifetime"),
            state: place("state"),
        })
    }

    fn lease(&self, line: &str) -> Option<Lease> {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let cell =
            |place: Option<usize>| place.and_then(|place| cells.get(place)).copied().unwrap_or_default();
        let address = cells.get(self.address)?.parse().ok()?;
        let mac = mac(cell(self.hardware)).or_else(|| of_duid(cell(self.duid)));
        // A lease that ended is written once more, without a lifetime; a state other than 0 is declined or reclaimed.
        let ended = cell(self.lifetime) == "0" || !["", "0"].contains(&cell(self.state));
        let until = if ended { Some(0) } else { cell(self.expire).parse().ok() };
        Some(Lease { address, mac, name: name(cell(self.name)), until })
    }
}

/// A hardware address: six pairs, with colons, dashes or nothing between.
fn mac(text: &str) -> Option<[u8; 6]> {
    let bytes = hex(text)?;
    let mac: [u8; 6] = bytes.try_into().ok()?;
    (mac != [0; 6] && mac[0] & 1 == 0).then_some(mac)
}

/// The hardware address in a DUID that has one: made from it with a time (1) or alone (3), of Ethernet (RFC 8415 §11).
fn of_duid(text: &str) -> Option<[u8; 6]> {
    let bytes = hex(text)?;
    let tail = match bytes.get(..4)? {
        [0, 1, 0, 1] => bytes.get(8..)?,
        [0, 3, 0, 1] => bytes.get(4..)?,
        _ => return None,
    };
    tail.try_into().ok().filter(|mac: &[u8; 6]| *mac != [0; 6] && mac[0] & 1 == 0)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b':' | b'-')).collect();
    let pair = |pair: &[u8]| {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)
    };
    digits.chunks(2).map(pair).collect()
}

/// A device's own name for itself: letters, figures and dashes of its first label. Nothing else can be shown to people
/// without a thought.
fn name(text: &str) -> Option<String> {
    let label = text.split('.').next().unwrap_or_default();
    let tidy: String = label
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(LONGEST_NAME)
        .collect();
    (!tidy.is_empty() && tidy != "-").then_some(tidy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let mac = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
        let one = |lease: Lease| {
            let Lease { address, mac: hardware, name, until } = lease;
            let hardware = hardware.map_or("-".to_owned(), mac);
            format!("{address} {hardware} {} {}", name.unwrap_or("-".into()), until.unwrap_or(0))
        };
        leases(text).into_iter().map(one).collect()
    }

    #[test]
    fn each_programs_lines() {
        const PHONE: &str = "192.168.4.20 3c:06:30:11:22:33 Jordans-phone 1795000000";
        let kea4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id";
        let kea6 = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state";
        let cases: &[(&str, String, &[&str])] = &[
            ("dnsmasq", "1795000000 3c:06:30:11:22:33 192.168.4.20 Jordans-phone 01:3c:06:30:11:22:33".into(), &[PHONE]),
            ("dnsmasq without a name", "0 3c:06:30:11:22:33 192.168.4.20 * *".into(), &["192.168.4.20 3c:06:30:11:22:33 - 0"]),
            ("dnsmasq, other hardware", "1795000000 06-3c:06:30:11:22:33 192.168.4.20 x *".into(), &["192.168.4.20 - x 1795000000"]),
            (
                "dnsmasq for IPv6",
                "duid 00:01:00:01:2a:00:00:00:02:00:00:00:00:01\n1795000000 123 fd00::20 phone 00:01:00:01:2a:00:00:00:3c:06:30:11:22:33".into(),
                &["fd00::20 3c:06:30:11:22:33 phone 1795000000"],
            ),
            ("odhcpd", "# br-lan 3c0630112233 ipv4 Jordans-phone 1795000000 c0a80414 32 192.168.4.20/32\n192.168.4.20\tJordans-phone".into(), &[PHONE]),
            (
                "odhcpd for IPv6, for ever",
                "# br-lan 000300013c0630112233 1234abcd phone -1 3 64 fd00::3/128".into(),
                &["fd00::3 3c:06:30:11:22:33 phone 0"],
            ),
            ("Kea", format!("{kea4}\n192.168.4.20,3c:06:30:11:22:33,,3600,1795000000,1,0,0,Jordans-phone.lan,0,,0"), &[PHONE]),
            (
                "Kea, the last line holds",
                format!("{kea4}\n192.168.4.20,3c:06:30:11:22:33,,3600,1795000000,1,0,0,a,0,,0\n192.168.4.20,3c:06:30:11:22:33,,0,1795000000,1,0,0,a,0,,0"),
                &["192.168.4.20 3c:06:30:11:22:33 a 0"],
            ),
            (
                "Kea for IPv6",
                format!("{kea6}\nfd00::9,00:03:00:01:3c:06:30:11:22:33,3600,1795000000,1,3600,0,1,128,0,0,phone,,0"),
                &["fd00::9 3c:06:30:11:22:33 phone 1795000000"],
            ),
            ("a name that is none", "1795000000 3c:06:30:11:22:33 192.168.4.20 <b>x</b>\u{1b}[31m *".into(), &["192.168.4.20 3c:06:30:11:22:33 bxb31m 1795000000"]),
            ("nonsense", "hello\n1 2 3\n# br-lan\n,,,,\n1795000000 zz 192.168.4.20".into(), &[]),
            ("a group's address", "1795000000 ff:ff:ff:ff:ff:ff 192.168.4.20 x *".into(), &["192.168.4.20 - x 1795000000"]),
            ("an address that is none", "1795000000 3c:06:30:11:22:33 192.168.4.999 x *".into(), &[]),
        ];
        for (case, text, expected) in cases {
            assert_eq!(said(text), *expected, "{case}");
        }
        assert_eq!(cases.len(), 13);
    }

    #[test]
    fn an_ended_lease_does_not_hold() {
        let lease = |until| Lease { address: IpAddr::from([192, 0, 2, 1]), mac: None, name: None, until };
        for (until, holds) in [(None, true), (Some(101), true), (Some(100), false), (Some(0), false)] {
            assert_eq!(lease(until).holds_at(100), holds, "{until:?}");
        }
    }

    #[test]
    fn a_file_without_end_fills_no_memory() {
        let line = |n: u32| format!("0 02:00:00:00:00:01 {} x *\n", std::net::Ipv4Addr::from_bits(n));
        let text: String = (0..20_000).map(line).collect();
        assert_eq!(leases(&text).len(), MOST);
        assert_eq!(leases(&"x".repeat(1 << 20)).len(), 0);
    }
}
