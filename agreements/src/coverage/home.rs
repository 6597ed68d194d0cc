//! Lines of the home's people and devices, and what nobody can hold from a gateway.

use super::Held::{Cannot, Holds, Off, Partly};
use super::{Facts, Line, Said, is_made_up, of, said};
use crate::meant::{DeviceBy, SafeSearch, UnknownDevices};

/// The lines, in their order.
pub(super) const ROWS: &[Line] = &[
    ("unknown_devices", unknown_devices),
    ("hardware_addresses", hardware_addresses),
    ("copied_hardware", copied_hardware),
    ("lent_addresses", lent_addresses),
    ("search", search),
    ("sealed_lists", sealed_lists),
    ("mobile_data", |_| {
        said(
            Cannot,
            "A device on its own mobile data is out of reach.",
            BEYOND,
            "Agree it, and ask the provider for its child controls.",
        )
    }),
    ("other_wifi", |_| {
        said(
            Cannot,
            "A neighbour's, a friend's or a library's Wi-Fi is out of reach.",
            BEYOND,
            "A device with a token and a profile asks here from anywhere, for as long as nobody takes the profile out.",
        )
    }),
    ("inside_apps", |_| {
        said(
            Cannot,
            "What people say, send and see inside an app or a game is not seen.",
            "names are judged, and allowed traffic is never opened",
            "It stands in the agreement under `behaviour`; people look after it.",
        )
    }),
    ("one_server_many_sites", |_| {
        said(
            Cannot,
            "A program can ask the server of an open site for another one that stands at the same server.",
            "inside TLS the gateway sees the one name and no more",
            "",
        )
    }),
    ("between_devices", |_| {
        said(
            Cannot,
            "What devices send each other (Bluetooth, AirDrop, one phone's hotspot) does not come by here.",
            BEYOND,
            "",
        )
    }),
    ("on_the_device", |_| said(Cannot, "What is on a device already works whatever the hour.", BEYOND, "")),
];

const BEYOND: &str = "it does not come through the gateway";

fn unknown_devices(facts: &Facts<'_>) -> Option<Said> {
    let (sentence, because) = match facts.house.home().unknown_devices {
        UnknownDevices::Block => (
            "A device that nobody knows reaches what is protected and nothing else.",
            "`unknown_devices: block`",
        ),
        UnknownDevices::Baseline => {
            ("A device that nobody knows has the baseline.", "`unknown_devices: baseline`")
        }
        UnknownDevices::SignIn if facts.gateway.listen.pages.is_empty() => {
            let sentence = "A device that nobody knows reaches what is protected and nothing else: there is no page to sign in at.";
            return said(Partly, sentence, "`listen` has no `pages`", "Let `pages` listen on port 80.");
        }
        UnknownDevices::SignIn => (
            "A device that nobody knows reaches the page to sign in at and what is protected, until somebody signs in on it.",
            "`unknown_devices: sign_in`",
        ),
    };
    said(Holds, sentence, because, "")
}

fn hardware_addresses(facts: &Facts<'_>) -> Option<Said> {
    let private = facts.devices(|by| matches!(by, DeviceBy::Mac(mac) if is_made_up(*mac)));
    if private == 0 {
        return None;
    }
    let sentence = format!(
        "{} known by a private hardware address, which a phone may change: it is unknown then, and has the baseline.",
        of(private, "device is", "devices are")
    );
    said(
        Partly,
        sentence,
        "the address says of itself that it is made up (IEEE 802c)",
        "Switch private addresses off for this network on the device, or give it a token.",
    )
}

fn copied_hardware(facts: &Facts<'_>) -> Option<Said> {
    let known = facts.devices(|by| matches!(by, DeviceBy::Mac(_)));
    if known == 0 {
        return None;
    }
    let sentence = format!(
        "{} known by hardware address, which another device can copy: it is then taken for that one, with all that it may.",
        of(known, "device is", "devices are")
    );
    said(
        Partly,
        sentence,
        "`mac` in an agreement's `devices`",
        "Give staff's devices a `token`: it cannot be seen on the network. Staff are told when one hardware address has two names.",
    )
}

fn lent_addresses(facts: &Facts<'_>) -> Option<Said> {
    let lent = facts.devices(|by| matches!(by, DeviceBy::Ip(_)));
    if lent == 0 {
        return None;
    }
    let sentence = format!(
        "{} known by address alone: another device that takes the address is taken for it.",
        of(lent, "device is", "devices are")
    );
    said(Partly, sentence, "`ip` in an agreement's `devices`", "Use `mac`, or a `token`.")
}

fn search(facts: &Facts<'_>) -> Option<Said> {
    match facts.house.home().everyone.safe_search {
        SafeSearch::Strict => said(
            Holds,
            "Search engines that have safe search are held to it, strictly; others are closed.",
            "`safe_search: strict`",
            "",
        ),
        SafeSearch::Moderate => said(
            Holds,
            "Search engines that have safe search are held to it, moderately.",
            "`safe_search: moderate`",
            "",
        ),
        SafeSearch::Off => {
            said(Off, "Search is as each agreement has it.", "`safe_search: off` for everyone", "")
        }
    }
}

fn sealed_lists(facts: &Facts<'_>) -> Option<Said> {
    if facts.house.home().lists.iter().any(|list| list.sealed) {
        return said(
            Holds,
            "What stands on the home's sealed lists is closed to everybody, by name.",
            "`lists` has a sealed one",
            "",
        );
    }
    said(
        Off,
        "No list of illegal material is in force (IWF, CTIRU).",
        "`lists` has no sealed one",
        "They come only under licence to the home.",
    )
}
