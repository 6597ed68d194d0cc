//! Devices: `devices`.

use super::block::{Block, items, short, text};
use super::sheet::Sheet;
use crate::meant::{DeviceBy, DeviceMatch};
use crate::problem::Place;
use crate::yaml::Node;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const KEYS: &[&str] = &["name", "mac", "ip", "token", "network"];
/// The longest label of a host name (RFC 1035 §2.3.4): a token is one.
const MAX_TOKEN: usize = 63;
/// So many letters and figures that nobody chose, in one piece, are what `hearthgate profile` makes: 40 bits. Words and fewer can be guessed.
const RANDOM: usize = 10;

/// The devices of a home that are spoken for: whose, and where.
pub(crate) type Known = HashMap<DeviceBy, (String, Place)>;

/// Why a text is no address of its kind: code, sentence, help.
type Wrong = (&'static str, String, String);

/// Reads the devices of a person. A device of somebody else's is told, and left with them.
pub(crate) fn read(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    id: &str,
    known: &mut Known,
) -> Vec<DeviceMatch> {
    let Some(node) = block.get("devices") else { return Vec::new() };
    let items = items(sheet, node, "devices");
    let mut devices = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for item in items {
        let Some(inner) = Block::read(sheet, item, "a device", KEYS) else { continue };
        let name = name(sheet, &inner, &mut names);
        let before = (devices.len(), sheet.errors());
        for key in &KEYS[1..] {
            let Some(node) = inner.get(key) else { continue };
            let Some(by) = known_by(sheet, node, key) else { continue };
            if spoken_for(sheet, node, &by, id, known) {
                continue;
            }
            let source = sheet.source(node.at());
            devices.push(DeviceMatch { name: name.clone(), by, source });
        }
        if (devices.len(), sheet.errors()) == before {
            let sentence = format!("Nothing says how the device `{}` is known.", short(&name));
            let help = "Add one of `mac`, `ip`, `network` or `token`.";
            sheet.error(inner.at, "unknown-device", &sentence, help);
        }
    }
    devices
}

fn name(sheet: &mut Sheet<'_>, block: &Block<'_>, names: &mut HashMap<String, usize>) -> String {
    let Some(node) = block.need(sheet, "name", "what people call the device") else {
        return "device".to_owned();
    };
    let name = text(sheet, node, "name").unwrap_or("device").to_owned();
    if let Some(at) = names.insert(name.clone(), node.at()) {
        let place = sheet.place(at);
        let sentence = format!("Two devices are called `{}` (lines {} and here).", short(&name), place.line);
        sheet.error(node.at(), "same-name", &sentence, "Give each a name of its own.");
        sheet.beside(Some(place));
    }
    name
}

/// Tells when a device belongs to somebody already.
fn spoken_for(sheet: &mut Sheet<'_>, node: &Node, by: &DeviceBy, id: &str, known: &mut Known) -> bool {
    let place = sheet.place(node.at());
    let Some((owner, other)) = known.get(by) else {
        known.insert(by.clone(), (id.to_owned(), place));
        return false;
    };
    let (owner, other) = (owner.clone(), other.clone());
    let typed = short(node.text().unwrap_or_default());
    let (sentence, help) = if owner == id {
        (format!("`{typed}` stands twice in this agreement (line {}).", other.line), "Take one of them out.")
    } else {
        let sentence =
            format!("`{typed}` is already a device of {owner} ({}, line {}).", other.file, other.line);
        (
            sentence,
            "A device has one person: take it out of one agreement, or make it a shared `for: device`.",
        )
    };
    sheet.error(node.at(), "shared-device", &sentence, help);
    sheet.beside(Some(other));
    true
}

fn known_by(sheet: &mut Sheet<'_>, node: &Node, key: &str) -> Option<DeviceBy> {
    let typed = text(sheet, node, key)?;
    let read = match key {
        "mac" => mac(typed).map(DeviceBy::Mac),
        "ip" => ip(typed).map(DeviceBy::Ip),
        "network" => network(typed).and_then(own_network).map(|(a, p)| DeviceBy::Network(a, p)),
        _ => token(typed).map(DeviceBy::Token),
    };
    match read {
        Ok(by) => {
            doubtful(sheet, node, &by);
            Some(by)
        }
        Err((code, sentence, help)) => {
            sheet.error(node.at(), code, &sentence, &help);
            None
        }
    }
}

/// What is right and will still not work well.
fn doubtful(sheet: &mut Sheet<'_>, node: &Node, by: &DeviceBy) {
    match by {
        // IEEE 802c: the second bit of the first byte marks an address that the device made up.
        DeviceBy::Mac(mac) if mac[0] & 2 != 0 => {
            let sentence = "This is a private (random) hardware address, which a phone or laptop may change.";
            let help = "Switch the private address off for this network on the device, or use a token.";
            sheet.warning(node.at(), "random-mac", sentence, help);
        }
        DeviceBy::Token(token) if !has_random_part(token) => {
            let help = format!(
                "End it with {RANDOM} letters and figures that nobody chose, like jordan-tablet-7f3a19c6d2. `hearthgate profile \
                 PERSON DEVICE` makes one for a device that has none."
            );
            let sentence = "Someone else could guess this token: it has no long part that is random.";
            sheet.warning(node.at(), "short-token", sentence, &help);
        }
        DeviceBy::Mac(_) | DeviceBy::Ip(_) | DeviceBy::Network(..) | DeviceBy::Token(_) => {}
    }
}

/// Whether a piece of a token is long enough and no word. (One in twenty thousand of those made at random has no figure.)
fn has_random_part(token: &str) -> bool {
    token.split('-').any(|piece| piece.len() >= RANDOM && piece.bytes().any(|b| b.is_ascii_digit()))
}

fn mac(typed: &str) -> Result<[u8; 6], Wrong> {
    let wrong =
        |help: &str| ("bad-mac", format!("`{}` is no hardware address.", short(typed)), help.to_owned());
    let example = "Write six pairs of figures and letters a to f: 3c:06:30:11:22:33.";
    let parts: Vec<&str> = typed.split([':', '-']).collect();
    let mut bytes = [0; 6];
    if parts.len() != 6 {
        return Err(wrong(example));
    }
    for (byte, part) in bytes.iter_mut().zip(parts) {
        let fits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
        *byte = fits.then(|| u8::from_str_radix(part, 16).ok()).flatten().ok_or_else(|| wrong(example))?;
    }
    if bytes[0] & 1 != 0 || bytes == [0; 6] {
        return Err(wrong(
            "This is the address of a group or of nothing: look it up again in the device's settings.",
        ));
    }
    Ok(bytes)
}

/// An address, with IPv4 written as IPv4.
fn ip(typed: &str) -> Result<IpAddr, Wrong> {
    let wrong =
        |help: &str| ("bad-ip", format!("`{}` is no address of a device.", short(typed)), help.to_owned());
    if typed.contains('/') && network(typed).is_ok() {
        return Err(wrong(&format!("For a whole network write `network: {typed}`.")));
    }
    let example = "Write four numbers from 0 to 255: 192.168.4.20.";
    let address: IpAddr = typed.parse().map_err(|_| wrong(example))?;
    let address = address.to_canonical();
    // A loopback address is right: it is how a home is tried out on one machine.
    if address.is_unspecified() || address.is_multicast() {
        return Err(wrong("Write the address that the device has in the home's network."));
    }
    Ok(address)
}

/// Reads `ADDRESS/LENGTH`, or an address alone as a network of one.
pub(crate) fn network(typed: &str) -> Result<(IpAddr, u8), Wrong> {
    let wrong = |help: String| ("bad-network", format!("`{}` is no network.", short(typed)), help);
    let example = || wrong("Write an address and a length: 192.168.40.0/24.".to_owned());
    let (address, length) = typed.split_once('/').map_or((typed, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().map_err(|_| example())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => most,
        Some(text) if text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().ok().filter(|l| *l <= most).ok_or_else(example)?
        }
        Some(_) => return Err(example()),
    };
    let first = first_of(address, length);
    if first != address {
        return Err(wrong(format!("Write `{first}/{length}`, the network's first address.")));
    }
    Ok((address, length))
}

/// The first address of the network that an address is in.
fn first_of(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Ipv4Addr::from_bits(a.to_bits() & mask).into()
        }
        IpAddr::V6(a) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            Ipv6Addr::from_bits(a.to_bits() & mask).into()
        }
    }
}

/// A network of one person's own is a part of a home's network, never half of the internet.
fn own_network((address, length): (IpAddr, u8)) -> Result<(IpAddr, u8), Wrong> {
    let least = if address.is_ipv4() { 16 } else { 48 };
    if length < least {
        let sentence = format!("`{address}/{length}` is far more than one person's network.");
        return Err(("bad-network", sentence, format!("Write a length of at least {least}.")));
    }
    Ok((address, length))
}

fn token(typed: &str) -> Result<String, Wrong> {
    let lower = typed.to_lowercase();
    let fits = |t: &str| {
        (1..=MAX_TOKEN).contains(&t.len())
            && t.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !t.starts_with('-')
            && !t.ends_with('-')
    };
    if fits(typed) {
        return Ok(typed.to_owned());
    }
    let tidy: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let tidy = tidy.trim_matches('-');
    let help = if fits(tidy) {
        format!("Write `{tidy}`.")
    } else {
        format!("Use small letters, figures and dashes, at most {MAX_TOKEN}.")
    };
    Err(("bad-token", format!("`{}` cannot be a token.", short(typed)), help))
}

/// Networks of a key of `gateway.yaml`.
pub(crate) fn networks(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Vec<(IpAddr, u8)> {
    let Some(node) = block.get(key) else { return Vec::new() };
    let mut networks = Vec::new();
    for item in items(sheet, node, key) {
        match text(sheet, item, key).map(network) {
            Some(Ok(network)) => networks.push(network),
            Some(Err((code, sentence, help))) => sheet.error(item.at(), code, &sentence, &help),
            None => {}
        }
    }
    networks
}

/// The names of devices on their own, for a block that names interfaces.
pub(crate) fn interfaces(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Vec<String> {
    let Some(node) = block.get(key) else { return Vec::new() };
    let mut names = Vec::new();
    for item in items(sheet, node, key) {
        let Some(name) = text(sheet, item, key) else { continue };
        // Linux: IFNAMSIZ is 16 with its final zero.
        let fits =
            name.len() <= 15 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
        if fits {
            names.push(name.to_owned());
        } else {
            let sentence = format!("`{}` is no name of a network interface.", short(name));
            sheet.error(
                item.at(),
                "bad-interface",
                &sentence,
                "Write it as `ip link` shows it, like br-lan.",
            );
        }
    }
    names
}
