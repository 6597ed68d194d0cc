//! Staff, whom to tell, and how long records stay: `staff`, `notify`, `keep`.

use super::block::{Block, choice, items, short, text};
use super::pledges::{RULES, SEVERITIES};
use super::sheet::Sheet;
use super::spelling::{did_you_mean, nearest};
use super::times;
use crate::meant::{Contact, Keep, Notify, Role, Staff};
use crate::yaml::Node;
use blocklists::Category;
use chrono::NaiveTime;
use std::collections::HashMap;

const ROLES: [(&str, Role); 4] =
    [("manager", Role::Manager), ("staff", Role::Staff), ("visitor", Role::Visitor), ("it", Role::It)];
/// What else than episodes can be told.
const EVENTS: [&str; 13] = [
    "unknown_device",
    "ask",
    "report",
    "concern",
    "review",
    "review_late",
    "draft",
    "review_due",
    "authority_due",
    "file_waiting",
    "list_failed",
    "sign_in_failed",
    "clock",
];
/// The longest id, in characters.
const MAX_ID: usize = 64;

/// Whether a text can be the id of a person or a member of staff: it stands in paths, addresses and records.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with('.')
}

/// What was typed as an id could be.
pub(crate) fn tidy_id(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let tidy: String = lower
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .take(MAX_ID)
        .collect();
    tidy.trim_matches(['.', '_', '-']).to_owned()
}

/// Reads `staff`.
pub(crate) fn staff(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<Staff> {
    let Some(node) = block.get("staff") else { return Vec::new() };
    let mut staff: Vec<Staff> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for item in items(sheet, node, "staff") {
        let Some(account) = account(sheet, item) else { continue };
        if let Some(at) = places.insert(account.id.clone(), item.at()) {
            let place = sheet.place(at);
            let sentence = format!("The id `{}` is taken already, in line {}.", account.id, place.line);
            sheet.error(
                item.at(),
                "same-id",
                &sentence,
                "Give each person an id of their own: accounts are never shared.",
            );
            sheet.beside(Some(place));
            continue;
        }
        staff.push(account);
    }
    if !staff.is_empty() && !staff.iter().any(|s| s.role == Role::Manager) {
        let sentence = "Nobody here is a manager, so nobody can decide what only a manager may.";
        sheet.warning(block.key_at("staff"), "no-manager", sentence, "Give somebody `role: manager`.");
    }
    staff
}

fn account(sheet: &mut Sheet<'_>, item: &Node) -> Option<Staff> {
    let block = Block::read(sheet, item, "a member of staff", &["id", "name", "role"])?;
    let id = block.need(sheet, "id", "the word that records use for them").and_then(|n| id(sheet, n));
    let name = block.need(sheet, "name", "the name that people see").and_then(|n| text(sheet, n, "name"));
    let role = block.need(sheet, "role", "what they may do").and_then(|n| choice(sheet, n, "role", &ROLES));
    Some(Staff { id: id?, name: name?.to_owned(), role: role? })
}

fn id(sheet: &mut Sheet<'_>, node: &Node) -> Option<String> {
    let typed = text(sheet, node, "id")?;
    if is_id(typed) {
        return Some(typed.to_owned());
    }
    let tidy = tidy_id(typed);
    let help = if is_id(&tidy) {
        format!("Write `{tidy}`.")
    } else {
        "Use small letters and figures, like k.lane.".to_owned()
    };
    sheet.error(node.at(), "bad-id", &format!("`{}` cannot be an id.", short(typed)), &help);
    None
}

/// Reads `notify`.
pub(crate) fn notify(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<Notify> {
    let Some(node) = block.get("notify") else { return Vec::new() };
    let mut all = Vec::new();
    for item in items(sheet, node, "notify") {
        let Some(inner) = Block::read(sheet, item, "`notify`", &["when", "to", "quiet"]) else { continue };
        let when =
            inner.need(sheet, "when", "of what they are told").map(|n| when(sheet, n)).unwrap_or_default();
        let to = inner.need(sheet, "to", "where the message goes").and_then(|n| to(sheet, n));
        let quiet = inner.get("quiet").and_then(|n| quiet(sheet, n));
        all.extend(to.map(|to| Notify { when, to, quiet }));
    }
    all
}

fn when(sheet: &mut Sheet<'_>, node: &Node) -> Vec<String> {
    let known: Vec<&str> = SEVERITIES
        .into_iter()
        .chain(EVENTS)
        .chain(RULES)
        .chain(Category::all().map(Category::word))
        .collect();
    let mut when = Vec::new();
    for item in items(sheet, node, "when") {
        let Some(typed) = text(sheet, item, "when") else { continue };
        if known.contains(&typed) {
            when.push(typed.to_owned());
            continue;
        }
        let mut help = did_you_mean(&nearest(typed, known.iter().copied()));
        if help.is_empty() {
            help =
                "Write a severity (low, medium, high, critical), a category, or unknown_device.".to_owned();
        }
        let sentence = format!("`{}` is nothing that can be told.", short(typed));
        sheet.error(item.at(), "unknown-event", &sentence, &help);
    }
    when
}

/// `22:00-07:00`.
fn quiet(sheet: &mut Sheet<'_>, node: &Node) -> Option<(NaiveTime, NaiveTime)> {
    let typed = text(sheet, node, "quiet")?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let read =
        typed.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?))).filter(|(a, b)| a != b);
    if read.is_none() {
        let sentence = format!("`{}` does not say from when to when it is quiet.", short(typed));
        sheet.error(node.at(), "bad-time", &sentence, "Write it like 22:00-07:00.");
    }
    read
}

/// `mailto:`, http(s), or `ntfy:` before http(s).
fn to(sheet: &mut Sheet<'_>, node: &Node) -> Option<String> {
    let typed = text(sheet, node, "to")?;
    if let Some(address) = typed.strip_prefix("mailto:") {
        if is_mail(address) {
            return Some(typed.to_owned());
        }
    } else {
        let address = typed.strip_prefix("ntfy:").unwrap_or(typed);
        if address.starts_with("https://") || address.starts_with("http://") {
            return super::lists::place(sheet, node.at(), address).then(|| typed.to_owned());
        }
    }
    let help = if is_mail(typed) {
        format!("Write `\"mailto:{typed}\"`.")
    } else {
        "Write \"mailto:name@example.org\", \"https://…\" or \"ntfy:https://…\".".to_owned()
    };
    sheet.error(node.at(), "bad-address", &format!("No message can go to `{}`.", short(typed)), &help);
    None
}

/// Whether a text is an address that mail goes to.
pub(crate) fn is_mail(address: &str) -> bool {
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"<>,;\"?&".contains(c);
    address.chars().all(fits)
        && address
            .split_once('@')
            .is_some_and(|(who, host)| !who.is_empty() && blocklists::Domain::parse(host).is_ok())
}

/// More contacts than these nobody reads in a hurry.
const MOST_CONTACTS: usize = 12;

/// Reads `safeguarding`: whom the home reaches about a concern.
pub(crate) fn safeguarding(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<Contact> {
    let Some(node) = block.get("safeguarding") else { return Vec::new() };
    let mut contacts = Vec::new();
    for item in items(sheet, node, "safeguarding") {
        let Some(inner) = Block::read(sheet, item, "`safeguarding`", &["who", "reach"]) else { continue };
        let who = inner.need(sheet, "who", "who it is").and_then(|n| text(sheet, n, "who"));
        let reach = inner.need(sheet, "reach", "how they are reached").and_then(|n| text(sheet, n, "reach"));
        if let (Some(who), Some(reach)) = (who, reach) {
            contacts.push(Contact { who: who.to_owned(), reach: reach.to_owned() });
        }
    }
    if contacts.len() > MOST_CONTACTS {
        let sentence = format!("`safeguarding` names {} contacts.", contacts.len());
        let help = format!("Name {MOST_CONTACTS} at most: whoever has to tell somebody now reads them.");
        sheet.error(block.key_at("safeguarding"), "too-many", &sentence, &help);
        contacts.truncate(MOST_CONTACTS);
    }
    contacts
}

/// Reads `inspect_devices`: how often a device is looked at together (seed 003 §7.6).
pub(crate) fn inspect(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Option<u32> {
    let node = block.get("inspect_devices")?;
    let typed = text(sheet, node, "inspect_devices")?;
    let days = times::days_kept(typed);
    if days.is_none() {
        let sentence = format!("`{}` does not say how often.", short(typed));
        sheet.error(node.at(), "bad-duration", &sentence, "Write it like 4 weeks or 1 month.");
    }
    days
}

/// Breaches stay for two months at least, so that each monthly visit of the independent person (Reg 44) finds what came since
/// the last.
const LEAST_BREACHES: u32 = 62;

/// Reads `keep`; what it does not say stays as it is.
pub(crate) fn keep(sheet: &mut Sheet<'_>, block: &Block<'_>, so_far: Keep) -> Keep {
    let Some(node) = block.get("keep") else { return so_far };
    let keys = ["breaches", "minutes", "monitoring"];
    let Some(inner) = Block::read(sheet, node, "`keep`", &keys) else { return so_far };
    let mut days = |key: &str, otherwise: u32| {
        let Some(node) = inner.get(key) else { return otherwise };
        let Some(typed) = text(sheet, node, key) else { return otherwise };
        times::days_kept(typed).unwrap_or_else(|| {
            let sentence = format!("`{}` does not say how long.", short(typed));
            sheet.error(node.at(), "bad-duration", &sentence, "Write it like 90 days or 12 months.");
            otherwise
        })
    };
    let keep = Keep {
        breaches: days("breaches", so_far.breaches),
        minutes: days("minutes", so_far.minutes),
        monitoring: days("monitoring", so_far.monitoring),
    };
    if keep.breaches < LEAST_BREACHES {
        let sentence =
            "Breaches would be gone before the visitor of Reg 44 has seen them, who comes every month.";
        sheet.error(inner.key_at("breaches"), "short-keep", sentence, "Write at least `breaches: 62 days`.");
    }
    keep
}

/// A screen with young people's records is not left open for longer than this (seed 000 §5.1).
const MOST_IDLE: u16 = 30;

/// Reads `desk`; what it does not say stays as it is.
pub(crate) fn desk(sheet: &mut Sheet<'_>, block: &Block<'_>, so_far: u16) -> u16 {
    let Some(node) = block.get("desk") else { return so_far };
    let Some(inner) = Block::read(sheet, node, "`desk`", &["idle"]) else { return so_far };
    let Some(node) = inner.get("idle") else { return so_far };
    let Some(minutes) = times::limit(sheet, node) else { return so_far };
    if (1..=MOST_IDLE).contains(&minutes) {
        return minutes;
    }
    let sentence =
        "The desk shows young people's records: whoever leaves it is signed out within half an hour.";
    sheet.error(node.at(), "bad-duration", sentence, "Write from 1m to 30m, like `idle: 5m`.");
    so_far
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_safe_in_paths_and_addresses() {
        for (text, fits) in [
            ("jordan", true),
            ("k.lane", true),
            ("kate-staff", true),
            ("a", true),
            ("Jordan", false),
            (".hidden", false),
            ("..", false),
            ("a/b", false),
            ("a b", false),
            ("", false),
            ("jörg", false),
        ] {
            assert_eq!(is_id(text), fits, "{text}");
        }
        assert_eq!(tidy_id("Jordan Smith"), "jordan-smith");
    }
}
