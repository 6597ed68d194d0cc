//! What staff may want to know of the home's network, from the router's own tables: hints to ask about, and nobody's breach.

use super::handed::Handed;
use agreements::{Detector, Device, DeviceBy, Gateway, House, Level, Problem, Router};
use chrono::{DateTime, Utc};
use proxy::Gate;
use proxy::identify::{self, Lease};
use rustix::net::netdevice::name_to_index;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;

/// A lease file's beginning, as far as a home can need it.
const LONGEST: u64 = 1 << 20;

/// What is looked at.
struct Facts<'a> {
    house: &'a House,
    /// The home's interfaces: the kernel's number and the name.
    lan: Vec<(u32, String)>,
    /// Who says of itself that it is a router: on which interface.
    routers: Vec<(u32, [u8; 6])>,
    /// Who else hands out addresses, and by which hardware address it is known.
    handed: Vec<(Handed, Option<[u8; 6]>)>,
    leases: Vec<Lease>,
    /// Devices that usually ask, have fallen silent, and are there.
    silent: Vec<[u8; 6]>,
}

/// What there is to tell now.
pub(super) fn of(gateway: &Gateway, home: &Path, gate: &Gate, handed: Vec<Handed>) -> Vec<Problem> {
    let Router::Nftables { lan, .. } = &gateway.router else { return Vec::new() };
    let current = gate.in_force.to_keep();
    // Any socket will do for asking.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok();
    let number = |name: &String| Some((name_to_index(socket.as_ref()?, name).ok()?, name.clone()));
    problems(&Facts {
        house: &current.snapshot.house,
        lan: lan.iter().filter_map(number).collect(),
        routers: gate.neighbours.routers(),
        handed: handed.into_iter().map(|one| (one.clone(), gate.neighbours.mac(one.server.into()))).collect(),
        leases: leases(&gateway.leases, home, gate.clock.now()).collect(),
        silent: gate.silent_devices(),
    })
}

/// What the home's DHCP server has given and not taken back, by its files.
pub(super) fn leases(files: &[String], home: &Path, now: DateTime<Utc>) -> impl Iterator<Item = Lease> {
    let now = u64::try_from(now.timestamp()).unwrap_or_default();
    let texts = files.iter().filter_map(|file| read(&home.join(file)));
    texts.flat_map(|text| identify::leases(&text)).filter(move |lease| lease.holds_at(now))
}

fn read(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(file).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn problems(facts: &Facts<'_>) -> Vec<Problem> {
    let house = facts.house;
    let mut told = Vec::new();
    for (number, mac) in &facts.routers {
        let Some((_, interface)) = facts.lan.iter().find(|(lan, _)| lan == number) else { continue };
        let who = called(house, *mac);
        let sentence = format!("{who} on `{interface}` says that it is a router.");
        told.push(problem(Detector::SecondGateway, sentence, "Find it, and see what it leads to."));
    }
    for (Handed { interface, server }, mac) in &facts.handed {
        let who = mac.map_or_else(|| "Something".to_owned(), |mac| called(house, mac));
        let sentence = format!("{who} at {server} on `{interface}` hands out addresses.");
        told.push(problem(Detector::SecondGateway, sentence, "Find it, and see what it leads to."));
    }
    for (mac, names) in names(&facts.leases) {
        if names.len() > 1 {
            let names = names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
            let sentence = format!("{} calls itself {names} at once.", called(house, mac));
            let help =
                "See whether one of them copies the other. A `token` cannot be copied from the network.";
            told.push(problem(Detector::CopiedAddress, sentence, help));
        }
    }
    for mac in &facts.silent {
        let sentence =
            format!("{} is on the network and has asked for nothing for an hour.", called(house, *mac));
        told.push(problem(Detector::SilentDevice, sentence, "Ask how it is used, and do not assume."));
    }
    told
}

/// What devices of each hardware address call themselves, by what the DHCP server gave over IPv4: a device has one name there.
fn names(leases: &[Lease]) -> BTreeMap<[u8; 6], BTreeSet<&str>> {
    let mut names: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for lease in leases.iter().filter(|lease| lease.address.is_ipv4()) {
        if let (Some(mac), Some(name)) = (lease.mac, &lease.name) {
            names.entry(mac).or_default().insert(name.as_str());
        }
    }
    names
}

/// A device by its person and name, or by its hardware address.
fn called(house: &House, mac: [u8; 6]) -> String {
    let is_it = |device: &&Device| matches!(device.known.by, DeviceBy::Mac(of) if of == mac);
    let device = house.devices().iter().find(is_it);
    let known = device.and_then(|device| Some((house.agreement(device.person)?, &device.known.name)));
    match known {
        Some((person, device)) => format!("{}'s {device}", person.name),
        None => format!("The device {}", mac.map(|byte| format!("{byte:02x}")).join(":")),
    }
}

fn problem(detector: Detector, sentence: String, help: &str) -> Problem {
    let row = detector.row();
    Problem {
        level: Level::Warning,
        file: "gateway.yaml".to_owned(),
        line: 1,
        column: 1,
        code: row.key,
        sentence: format!("{sentence} {}", row.sentence),
        help: help.to_owned(),
        text: String::new(),
        other: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOS: [u8; 6] = [2, 0, 0, 0, 0, 0x11];
    const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

    fn told(change: impl FnOnce(&mut Facts<'_>)) -> Vec<(&'static str, String)> {
        let files = [
            ("home.yaml", "home: Oakview\ntimezone: Europe/London\n"),
            (
                "agreements/jo.yaml",
                "person: Jo\nfor: staff\ndevices: [{name: phone, mac: \"02:00:00:00:00:11\"}]\n",
            ),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let reading = agreements::read(&files, chrono::NaiveDate::default());
        let lan = vec![(3, "br-lan".to_owned())];
        let house = &reading.house;
        let mut facts = Facts {
            house,
            lan,
            routers: Vec::new(),
            handed: Vec::new(),
            leases: Vec::new(),
            silent: Vec::new(),
        };
        change(&mut facts);
        problems(&facts).into_iter().map(|problem| (problem.code, problem.sentence)).collect()
    }

    #[test]
    fn a_second_gateway_is_told_to_staff_and_is_nobodys_breach() {
        assert_eq!(told(|_| {}), []);
        assert_eq!(told(|facts| facts.routers = vec![(2, OTHER)]), [], "the internet's side has one");
        let told = told(|facts| facts.routers = vec![(3, OTHER), (3, JOS)]);
        assert!(
            told[0].1.starts_with("The device 02:00:00:00:00:99 on `br-lan` says that it is a router."),
            "{told:?}"
        );
        assert!(told[1].1.starts_with("Jo's phone on `br-lan`") && told[1].0 == "second_gateway", "{told:?}");
        let server = Handed { interface: "br-lan".to_owned(), server: [192, 168, 4, 99].into() };
        for (mac, sentence) in [
            (None, "Something at 192.168.4.99 on `br-lan` hands out addresses. "),
            (Some(JOS), "Jo's phone at 192.168.4.99 on `br-lan` hands out addresses. "),
        ] {
            let told = self::told(|facts| facts.handed = vec![(server.clone(), mac)]);
            assert!(told.len() == 1 && told[0].0 == "second_gateway", "{told:?}");
            assert!(told[0].1.starts_with(sentence), "{told:?}");
        }
    }

    #[test]
    fn one_hardware_address_with_two_names_is_told_to_staff() {
        let lease = |address: &str, mac, name: &str| Lease {
            address: address.parse().expect("an address"),
            mac: Some(mac),
            name: Some(name.to_owned()),
            until: None,
        };
        let one = [lease("192.168.4.20", JOS, "Jos-phone"), lease("192.168.4.21", JOS, "Jos-phone")];
        assert_eq!(told(|facts| facts.leases = one.to_vec()), [], "it moved");
        let two = [lease("192.168.4.20", JOS, "Jos-phone"), lease("192.168.4.21", JOS, "laptop")];
        let told = told(|facts| facts.leases = two.to_vec());
        assert!(
            told[0].1.starts_with("Jo's phone calls itself `Jos-phone` and `laptop` at once."),
            "{told:?}"
        );
        assert_eq!((told.len(), told[0].0), (1, "copied_address"));
    }

    #[test]
    fn a_device_that_falls_silent_on_the_network_is_told_to_staff_and_is_nobodys_breach() {
        let told = told(|facts| facts.silent = vec![JOS]);
        assert_eq!((told.len(), told[0].0), (1, "silent_device"));
        assert!(
            told[0].1.starts_with("Jo's phone is on the network") && told[0].1.contains("sleep"),
            "{told:?}"
        );
    }
}
