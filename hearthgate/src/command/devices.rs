//! `hearthgate devices`: the home's devices, those that its DHCP server knows, and who each is taken for.

use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal::{self, Ink, Paint};
use agreements::{Device, DeviceBy, House, is_made_up};
use clap::Args;
use proxy::identify::{Lease, Neighbours, Shown, device_of, leases};
use serde::Serialize;
use std::io::Read;
use std::path::Path;

/// No lease file of a home is longer.
const LONGEST: u64 = 1 << 20;

/// Shows the home's devices, those that the DHCP server knows, and who each is taken for.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate devices             what the agreements name, and what is on the network
  hearthgate devices --json      for scripts

What is on the network comes from `leases` in gateway.yaml (dnsmasq, odhcpd, Kea). The name is what the device calls itself:
a hint for people, which decides nothing. A private hardware address is one that the device made up and may change.

Exit codes: 0 shown, 2 cannot read.")]
pub(crate) struct Devices {
    #[command(flatten)]
    home: HomeArg,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The shape of `devices --json`.
#[derive(Debug, Serialize)]
struct Answer {
    /// What the agreements name.
    named: Vec<Named>,
    /// What the DHCP server knows.
    seen: Vec<Seen>,
    /// Lease files that could not be read.
    unreadable: Vec<String>,
}

/// A device of an agreement. A token is not told: it is a secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Named {
    person: String,
    device: String,
    known_by: &'static str,
    value: Option<String>,
    private: bool,
}

/// A device on the network.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Seen {
    address: String,
    hardware: Option<String>,
    private: bool,
    calls_itself: Option<String>,
    person: Option<String>,
    device: Option<String>,
}

impl Devices {
    /// Shows them.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = crate::clock::now();
        let loaded = self.home.load(now)?.in_force(now);
        let house = &loaded.reading.house;
        let files = loaded.gateway_in_force().map(|gateway| gateway.leases.as_slice()).unwrap_or_default();
        let mut answer = Answer { named: named(house), seen: Vec::new(), unreadable: Vec::new() };
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        for file in files {
            match read(&loaded.dir.join(file)) {
                Ok(text) => {
                    let held = leases(&text).into_iter().filter(|lease| lease.holds_at(seconds));
                    answer.seen.extend(held.map(|lease| seen(house, &lease)));
                }
                Err(error) => answer.unreadable.push(format!("`{file}`: {error}")),
            }
        }
        if self.json {
            terminal::say_json(&answer);
        } else {
            terminal::say(&text(&answer, Paint::for_stdout()));
        }
        Ok(Exit::Done)
    }
}

/// The beginning of a lease file, as far as a home can need it.
fn read(file: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn named(house: &House) -> Vec<Named> {
    let of = |device: &Device| {
        let (known_by, value) = match &device.known.by {
            DeviceBy::Mac(mac) => ("mac", Some(in_pairs(*mac))),
            DeviceBy::Ip(address) => ("ip", Some(address.to_string())),
            DeviceBy::Network(address, length) => ("network", Some(format!("{address}/{length}"))),
            DeviceBy::Token(_) => ("token", None),
        };
        let private = matches!(device.known.by, DeviceBy::Mac(mac) if is_made_up(mac));
        let person = house.agreement(device.person).map(|person| person.id.clone()).unwrap_or_default();
        Named { person, device: device.known.name.clone(), known_by, value, private }
    };
    house.devices().iter().map(of).collect()
}

fn seen(house: &House, lease: &Lease) -> Seen {
    let shown = Shown { address: lease.address, token: None, hardware: lease.mac };
    let device = device_of(house, &shown, &Neighbours::default());
    let device = device.and_then(|place| house.devices().get(usize::from(place)));
    Seen {
        address: lease.address.to_string(),
        hardware: lease.mac.map(in_pairs),
        private: lease.mac.is_some_and(is_made_up),
        calls_itself: lease.name.clone(),
        person: device.and_then(|device| house.agreement(device.person)).map(|person| person.id.clone()),
        device: device.map(|device| device.known.name.clone()),
    }
}

fn in_pairs(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

fn text(answer: &Answer, paint: Paint) -> String {
    let private = |is: bool| if is { "private: it may change" } else { "" }.to_owned();
    let named = answer.named.iter().map(|n| {
        let value = n.value.clone().unwrap_or_else(|| "(not shown)".to_owned());
        vec![n.person.clone(), n.device.clone(), n.known_by.to_owned(), value, private(n.private)]
    });
    let seen = answer.seen.iter().map(|s| {
        let whose = match (&s.person, &s.device) {
            (Some(person), Some(device)) => format!("{person} {device}"),
            _ => "unknown".to_owned(),
        };
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![s.address.clone(), of(&s.hardware), of(&s.calls_itself), whose, private(s.private)]
    });
    let mut text = table("Named in the agreements", named.collect(), paint);
    text += &table("\nOn the network, as the DHCP server has it", seen.collect(), paint);
    for why in &answer.unreadable {
        text += &format!("{} {why}\n", paint.ink(Ink::Bad, "not read"));
    }
    text
}

fn table(title: &str, mut rows: Vec<Vec<String>>, paint: Paint) -> String {
    if rows.is_empty() {
        rows.push(vec!["none".to_owned()]);
    }
    format!("{}\n{}", paint.ink(Ink::Strong, title), terminal::columns(&rows))
}
