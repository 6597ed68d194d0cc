//! Whose a device is: the line that makes it somebody's own, or takes it out, put into the text of their agreement. Nothing is
//! kept here: the editor shows what the change does, and a manager saves it. All that stands beside the line stays as it is.

use super::Place;
use super::edit::is_id;
use super::wrong::Wrong;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use records::Face;
use serde::Deserialize;

/// What a device is called where nobody said.
const UNNAMED: &str = "device";
/// The key of the devices.
const DEVICES: &str = "devices:";
/// The longest name of a device that is put in here.
const LONGEST: usize = 40;

/// A device becomes somebody's own.
#[derive(Deserialize)]
pub(crate) struct Owner {
    device: String,
    person: String,
    #[serde(default)]
    name: String,
}

/// What the editor begins with, besides the text as it stands.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Begun {
    /// A device to put in, by what it is known by.
    add: String,
    /// What it is called.
    name: String,
    /// A device to take out, by what it is called.
    remove: String,
}

/// A text with a device put in or taken out, and what is said of it.
pub(crate) struct Proposed {
    pub(crate) text: String,
    pub(crate) notice: String,
}

/// `GET /devices/own`: to the editor, with the line in the text of whose agreement it is to be.
pub(crate) async fn own(State(place): State<Place>, Query(owner): Query<Owner>) -> Result<Response, Wrong> {
    let face: Face = owner.device.parse().map_err(|_| Wrong::Missing)?;
    let current = place.desk.in_force.to_keep();
    let known = current.snapshot.house.person(&owner.person).is_some() && is_id(&owner.person);
    if !known {
        return Err(Wrong::Missing);
    }
    let name = in_address(&named(&owner.name));
    let to =
        format!("/edit/agreements/{}.yaml?add={}&name={name}", owner.person, in_address(&face.to_string()));
    Ok(Redirect::to(&to).into_response())
}

impl Begun {
    /// The text to begin with; none where nothing was asked for. Where nobody can tell how to change the text, it is as it
    /// stands, and what is said is to do it by hand.
    pub(crate) fn of(&self, text: &str) -> Option<Proposed> {
        if let Ok(face) = self.add.parse::<Face>() {
            let line = item(face, &named(&self.name));
            let notice = "The device stands in the text now. Look at what that does, say why, and save it.";
            return Some(proposed(text, with(text, &line), notice, &format!("Add `{line}` to its devices.")));
        }
        if self.remove.is_empty() {
            return None;
        }
        let notice = "The device is taken out of the text. Look at what that does, say why, and save it. Then it is nobody’s, and stands under Devices when it is used: there it can be made somebody else’s own.";
        let by_hand = format!("Take `{}` out of its devices.", self.remove);
        Some(proposed(text, without(text, &self.remove), notice, &by_hand))
    }
}

fn proposed(text: &str, changed: Option<String>, notice: &str, by_hand: &str) -> Proposed {
    match changed {
        Some(text) => Proposed { text, notice: notice.to_owned() },
        None => Proposed {
            text: text.to_owned(),
            notice: format!("The desk cannot tell where in this text the devices stand. {by_hand}"),
        },
    }
}

/// What a device is called: letters, digits and spaces alone, so that it stands in a line as it is.
fn named(typed: &str) -> String {
    let kept: String =
        typed.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).take(LONGEST).collect();
    let kept = kept.trim_matches([' ', '-']).to_owned();
    if kept.starts_with(|c: char| c.is_alphabetic()) { kept } else { UNNAMED.to_owned() }
}

/// A device as an agreement has it.
fn item(face: Face, name: &str) -> String {
    match face {
        Face::Mac(_) => format!("{{name: {name}, mac: \"{face}\"}}"),
        Face::Address(address) => format!("{{name: {name}, ip: \"{address}\"}}"),
    }
}

/// A text as a part of an address (RFC 3986 §2.1).
pub(crate) fn in_address(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A line of a text: how far it is indented, and what stands there besides a comment.
pub(super) struct Line<'t> {
    pub(super) whole: &'t str,
    indent: usize,
    pub(super) said: &'t str,
}

pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let line = |whole: &'_ str| -> (usize, usize) {
        let bare = whole.trim_end_matches(['\n', '\r']);
        let indent = bare.len() - bare.trim_start_matches(' ').len();
        // A hash after a space begins a comment (YAML 1.2 §6.6); within quotes nobody here writes one.
        let ends = bare.match_indices('#').map(|(at, _)| at);
        let ends = ends.filter(|at| *at == 0 || bare[..*at].ends_with([' ', '\t'])).min();
        (indent, ends.unwrap_or(bare.len()))
    };
    let split = text.split_inclusive('\n');
    split
        .map(|whole| {
            let (indent, ends) = line(whole);
            Line { whole, indent, said: whole[..ends].trim() }
        })
        .collect()
}

/// Where the list of a key (`devices:`) stands: the line of the key, and the lines of its items (from, to).
pub(super) fn list(lines: &[Line<'_>], key: &str) -> Option<(usize, usize, usize)> {
    let key = lines.iter().position(|line| line.indent == 0 && line.said.starts_with(key))?;
    // Its items are indented, or begin with a dash where the key begins.
    let inside = |line: &Line<'_>| line.said.is_empty() || line.indent > 0 || line.said.starts_with('-');
    let after = lines[key + 1..].iter().take_while(|line| inside(line)).count();
    let items = &lines[key + 1..key + 1 + after];
    // What is blank or a comment at the end belongs to what follows.
    let last = items.iter().rposition(|line| !line.said.is_empty()).map_or(0, |last| last + 1);
    Some((key, key + 1, key + 1 + last))
}

/// How the lines of a text end.
fn end_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn joined(lines: &[Line<'_>]) -> String {
    lines.iter().map(|line| line.whole).collect()
}

/// The text with one more device; none where nobody can tell how its list is written.
fn with(text: &str, item: &str) -> Option<String> {
    let (lines, end) = (lines(text), end_of(text));
    let Some((key, from, to)) = list(&lines, DEVICES) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
        return Some(format!("{text}{gap}devices:{end}  - {item}{end}"));
    };
    let said = lines[key].said.strip_prefix(DEVICES)?.trim();
    if said.is_empty() {
        let indent =
            lines[from..to].iter().find(|line| line.said.starts_with('-')).map_or(2, |line| line.indent);
        let (before, after) = (joined(&lines[..to]), joined(&lines[to..]));
        let gap = if before.ends_with('\n') { "" } else { end };
        return Some(format!("{before}{gap}{}- {item}{end}{after}", " ".repeat(indent)));
    }
    // A list in one line.
    let open = said.strip_prefix('[')?.strip_suffix(']')?;
    let whole = lines[key].whole;
    let at = whole[..whole.find(said)? + said.len()].rfind(']')?;
    let gap = if open.trim().is_empty() { "" } else { ", " };
    let (before, after) = (joined(&lines[..key]), joined(&lines[key + 1..]));
    Some(format!("{before}{}{gap}{item}{}{after}", &whole[..at], &whole[at..]))
}

/// The text without a device; none where nobody can tell where it stands.
fn without(text: &str, name: &str) -> Option<String> {
    let lines = lines(text);
    let (key, from, to) = list(&lines, DEVICES)?;
    let said = lines[key].said.strip_prefix(DEVICES)?.trim();
    if !said.is_empty() {
        return without_in_line(&lines, key, said, name);
    }
    let starts: Vec<usize> = (from..to).filter(|at| lines[*at].said.starts_with('-')).collect();
    let indent = lines[*starts.first()?].indent;
    let starts: Vec<usize> = starts.into_iter().filter(|at| lines[*at].indent == indent).collect();
    let ends = |place: usize| starts.get(place + 1).copied().unwrap_or(to);
    let is_it = |from: usize, to: usize| lines[from..to].iter().any(|line| names(line.said, name));
    let place = (0..starts.len()).find(|place| is_it(starts[*place], ends(*place)))?;
    // What is blank or a comment after an item belongs to the next.
    let (first, last) = (starts[place], ends(place));
    let last = first + lines[first..last].iter().rposition(|line| !line.said.is_empty())? + 1;
    if starts.len() == 1 {
        // A list of none says so.
        let whole = lines[key].whole;
        let at = whole.find(DEVICES)? + DEVICES.len();
        let key_line = format!("{} []{}", &whole[..at], &whole[at..]);
        return Some(
            joined(&lines[..key]) + &key_line + &joined(&lines[from..first]) + &joined(&lines[last..]),
        );
    }
    Some(joined(&lines[..first]) + &joined(&lines[last..]))
}

fn without_in_line(lines: &[Line<'_>], key: usize, said: &str, name: &str) -> Option<String> {
    let inner = said.strip_prefix('[')?.strip_suffix(']')?;
    let mut items: Vec<&str> = Vec::new();
    let mut rest = inner;
    while let Some(open) = rest.find('{') {
        let close = open + rest[open..].find('}')?;
        items.push(&rest[open..=close]);
        rest = &rest[close + 1..];
    }
    let kept: Vec<&str> = items.iter().copied().filter(|item| !names(item, name)).collect();
    if kept.len() + 1 != items.len() {
        return None;
    }
    let line = lines[key].whole.replacen(said, &format!("[{}]", kept.join(", ")), 1);
    Some(joined(&lines[..key]) + &line + &joined(&lines[key + 1..]))
}

/// Whether a part of an item says that its name is this.
fn names(said: &str, name: &str) -> bool {
    let Some((_, after)) = said.split_once("name:") else { return false };
    let value = after.split([',', '}']).next().unwrap_or_default().trim();
    value.trim_matches(['"', '\'']) == name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, JORDAN, snapshot};

    const NEW: &str = "{name: laptop, mac: \"02:1a:33:44:55:66\"}";

    #[test]
    fn a_device_is_put_in_and_nothing_else_changes() {
        for (name, before, after) in [
            (
                "below",
                "devices:\n  - {name: phone}\nonline: x\n",
                "devices:\n  - {name: phone}\n  - NEW\nonline: x\n",
            ),
            (
                "no_indent",
                "devices:\n- name: phone\n  ip: x\nonline: x\n",
                "devices:\n- name: phone\n  ip: x\n- NEW\nonline: x\n",
            ),
            (
                "with_comments",
                "devices: # theirs\n    - {name: phone} # old\n\n# times\nonline: x\n",
                "devices: # theirs\n    - {name: phone} # old\n    - NEW\n\n# times\nonline: x\n",
            ),
            (
                "in_a_line",
                "devices: [{name: phone}]  # one\nonline: x\n",
                "devices: [{name: phone}, NEW]  # one\nonline: x\n",
            ),
            ("none_yet", "person: Jo\ndevices: []\nonline: x\n", "person: Jo\ndevices: [NEW]\nonline: x\n"),
            ("no_list", "person: Jo\nonline: x", "person: Jo\nonline: x\ndevices:\n  - NEW\n"),
            ("empty_list", "devices:\nonline: x\n", "devices:\n  - NEW\nonline: x\n"),
            (
                "other_ends",
                "devices:\r\n  - {name: phone}\r\nonline: x\r\n",
                "devices:\r\n  - {name: phone}\r\n  - NEW\r\nonline: x\r\n",
            ),
        ] {
            assert_eq!(with(before, NEW), Some(after.replace("NEW", NEW)), "{name}");
        }
        assert_eq!(
            with("devices: [{name: phone},\n  {name: x}]\n", NEW),
            None,
            "over several lines it is left alone"
        );
    }

    #[test]
    fn a_device_is_taken_out_and_nothing_else_changes() {
        for (name, before, after) in [
            (
                "below",
                "devices:\n  - {name: phone, ip: x}\n  - {name: tv, ip: y}  # big\nonline: x\n",
                "devices:\n  - {name: tv, ip: y}  # big\nonline: x\n",
            ),
            (
                "of_several_lines",
                "devices:\n  - name: tv\n    ip: y\n  # Jordan's\n  - name: phone\n    ip: x\n\nonline: x\n",
                "devices:\n  - name: tv\n    ip: y\n  # Jordan's\n\nonline: x\n",
            ),
            (
                "the_last",
                "devices:  # theirs\n  - {name: phone, ip: x}\nonline: x\n",
                "devices: []  # theirs\nonline: x\n",
            ),
            (
                "in_a_line",
                "devices: [{name: tv, ip: y}, {name: \"phone\", ip: x}] # two\n",
                "devices: [{name: tv, ip: y}] # two\n",
            ),
            ("alone_in_a_line", "devices: [{name: phone, ip: x}]\n", "devices: []\n"),
        ] {
            assert_eq!(without(before, "phone").as_deref(), Some(after), "{name}");
        }
        for unknown in
            ["devices:\n  - {name: tv, ip: y}\n", "devices: [{name: tv}]\n", "online: x\n", "devices: []\n"]
        {
            assert_eq!(without(unknown, "phone"), None, "{unknown}");
        }
    }

    #[test]
    fn what_is_proposed_is_an_agreement() {
        let face: Face = "02:1a:33:44:55:66".parse().unwrap();
        for name in ["Jo's laptop", "  ", "{x}: [", "ünïcode", "1", "a\nb: c"] {
            let text = with(JORDAN, &item(face, &named(name))).unwrap();
            let snapshot = snapshot(HOME, &[("jordan", &text)]);
            assert_eq!(snapshot.house.devices().len(), 2, "{name}");
        }
        let text = without(JORDAN, "phone").unwrap();
        assert!(text.contains("devices: []\nonline:"), "{text}");
        assert_eq!(snapshot(HOME, &[("jordan", &text)]).house.devices().len(), 0);
    }

    #[test]
    fn names_stand_in_addresses() {
        assert_eq!(in_address("my phone & co"), "my%20phone%20%26%20co");
        assert_eq!(in_address("02:1a:33:44:55:66"), "02:1a:33:44:55:66");
    }
}
