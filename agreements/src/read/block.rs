//! A block of known keys, and the values that need no grammar of their own.

use super::sheet::Sheet;
use super::spelling::{did_you_mean, nearest, one_of};
use crate::yaml::{Kind, Node};
use chrono::NaiveDate;

/// A block whose keys are known. Unknown ones were told when it was read.
pub(crate) struct Block<'n> {
    /// Where it begins.
    pub(crate) at: usize,
    entries: &'n [(Node, Node)],
}

impl<'n> Block<'n> {
    /// Reads a block and tells of keys that it does not have. `what` names it in a sentence (`an agreement`).
    pub(crate) fn read(sheet: &mut Sheet<'_>, node: &'n Node, what: &str, keys: &[&str]) -> Option<Self> {
        let Kind::Block(entries) = &node.kind else {
            let sentence = format!("Here {what} is expected: words with a colon and a value each.");
            sheet.error(node.at(), "wrong-kind", &sentence, &wrong_kind_help(node, keys));
            return None;
        };
        for (key, _) in entries {
            let word = key.text().unwrap_or_default();
            if !keys.contains(&word) {
                unknown_key(sheet, key.at(), word, what, keys);
            }
        }
        Some(Self { at: node.at(), entries })
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v)
    }

    /// Where a key stands; the block's beginning when it does not.
    pub(crate) fn key_at(&self, key: &str) -> usize {
        self.entries.iter().find(|(k, _)| k.text() == Some(key)).map_or(self.at, |(k, _)| k.at())
    }

    /// The value of a key that must have one.
    pub(crate) fn need(&self, sheet: &mut Sheet<'_>, key: &str, what: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let sentence = format!("`{key}` is missing: {what}.");
            sheet.error(self.at, "missing-key", &sentence, &format!("Add `{key}: …`."));
        }
        found
    }
}

fn unknown_key(sheet: &mut Sheet<'_>, at: usize, word: &str, what: &str, keys: &[&str]) {
    let near = nearest(word, keys.iter().copied());
    let help = if near.is_empty() {
        format!("Its words are {}.", one_of(keys.iter().copied()).replace(" or ", " and "))
    } else {
        did_you_mean(&near[..1])
    };
    let word: String = word.chars().take(60).collect();
    sheet.error(at, "unknown-key", &format!("`{word}` is no word of {what}."), &help);
}

/// The likeliest slip: `key:value` without a space is one word to YAML.
fn wrong_kind_help(node: &Node, keys: &[&str]) -> String {
    let tight = node.text().and_then(|t| t.split_once(':')).filter(|(k, _)| keys.contains(k));
    match tight {
        Some((key, _)) => format!("Put a space after the colon: `{key}: …`."),
        None => format!("Its words are {}.", one_of(keys.iter().copied()).replace(" or ", " and ")),
    }
}

/// The text of a single value that must not be empty. `what` is the key's word.
pub(crate) fn text<'n>(sheet: &mut Sheet<'_>, node: &'n Node, what: &str) -> Option<&'n str> {
    match node.text().map(str::trim) {
        Some("") => {
            let help = format!("Write the value after the colon, or take `{what}` out.");
            sheet.error(node.at(), "missing-value", &format!("Nothing stands after `{what}:`."), &help);
            None
        }
        None => {
            let sentence = format!("`{what}` takes a single value, and a list or a block stands here.");
            sheet.error(node.at(), "wrong-kind", &sentence, &format!("Write `{what}: …` in one line."));
            None
        }
        some => some,
    }
}

/// The text of a key's value, if the key is there.
pub(crate) fn text_of<'n>(sheet: &mut Sheet<'_>, block: &Block<'n>, key: &str) -> Option<&'n str> {
    block.get(key).and_then(|node| text(sheet, node, key))
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(
    sheet: &mut Sheet<'_>,
    node: &Node,
    what: &str,
    choices: &[(&str, T)],
) -> Option<T> {
    let typed = text(sheet, node, what)?;
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == typed) {
        return Some(*value);
    }
    let words = || choices.iter().map(|(word, _)| *word);
    let mut help = did_you_mean(&nearest(typed, words()));
    if help.is_empty() {
        help = yes_or_no(typed, choices).unwrap_or_else(|| format!("Write {}.", one_of(words())));
    }
    let sentence = format!("`{}` cannot stand after `{what}`.", short(typed));
    sheet.error(node.at(), "unknown-value", &sentence, &help);
    None
}

/// `no` and `false` are how people say `off`.
fn yes_or_no<T>(typed: &str, choices: &[(&str, T)]) -> Option<String> {
    let no = matches!(typed.to_lowercase().as_str(), "no" | "false" | "none" | "never");
    (no && choices.iter().any(|(w, _)| *w == "off")).then(|| "Write `off`.".to_owned())
}

/// A choice of a key's value, else what is meant when it is not there (or wrong).
pub(crate) fn choice_of<T: Copy>(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    key: &str,
    choices: &[(&str, T)],
    otherwise: T,
) -> T {
    block.get(key).and_then(|node| choice(sheet, node, key, choices)).unwrap_or(otherwise)
}

/// The members of a list. A single word is a list of one; nothing is an empty one, with a warning.
pub(crate) fn items<'n>(sheet: &mut Sheet<'_>, node: &'n Node, what: &str) -> &'n [Node] {
    match &node.kind {
        Kind::List(items) => items,
        Kind::Scalar(text) if text.is_empty() => {
            let help = format!("Write `{what}: []` if that is meant, or take the line out.");
            sheet.warning(node.at(), "missing-value", &format!("Nothing stands after `{what}:`."), &help);
            &[]
        }
        Kind::Scalar(_) => std::slice::from_ref(node),
        Kind::Block(_) => {
            let sentence = format!("`{what}` takes a list, and a block stands here.");
            let help = format!("Write `{what}: [one, two]`, or a line with a dash for each.");
            sheet.error(node.at(), "wrong-kind", &sentence, &help);
            &[]
        }
    }
}

/// The members of a list whose members are single texts.
pub(crate) fn texts(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Vec<String> {
    let Some(node) = block.get(key) else { return Vec::new() };
    let items = items(sheet, node, key);
    items.iter().filter_map(|item| text(sheet, item, key).map(str::to_owned)).collect()
}

/// A date.
pub(crate) fn date(sheet: &mut Sheet<'_>, node: &Node, what: &str) -> Option<NaiveDate> {
    let typed = text(sheet, node, what)?;
    match read_date(typed) {
        Ok(date) => Some(date),
        Err((sentence, help)) => {
            sheet.error(node.at(), "bad-date", &sentence, &help);
            None
        }
    }
}

/// A date of a key's value, if the key is there.
pub(crate) fn date_of(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Option<NaiveDate> {
    block.get(key).and_then(|node| date(sheet, node, key))
}

/// Whether a text has a date's shape, possible or not.
pub(crate) fn looks_like_date(typed: &str) -> bool {
    typed.chars().filter(char::is_ascii_digit).count() >= 5
        && typed.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '/' | '.'))
        && typed.matches(['-', '/', '.']).count() == 2
}

/// Reads a date as the language writes it; else the sentence and help.
pub(crate) fn read_date(typed: &str) -> Result<NaiveDate, (String, String)> {
    let parts: Vec<&str> = typed.split('-').collect();
    let shown = short(typed);
    if let [y, m, d] = parts[..]
        && (y.len(), m.len(), d.len()) == (4, 2, 2)
        && let (Ok(y), Ok(m), Ok(d)) = (digits(y), digits(m), digits(d))
    {
        let ends = |last: u32| format!("That month ends on the {last}th.").replace("31th", "31st");
        return NaiveDate::from_ymd_opt(y as i32, m, d).filter(|_| (1900..2200).contains(&y)).ok_or_else(
            || {
                let help = days_in(y, m).filter(|&last| d > last).map(ends).unwrap_or_default();
                (format!("There is no such day as {shown}."), help)
            },
        );
    }
    let help = other_date(typed).map_or_else(
        || "Write the year, the month and the day: 2026-12-24.".to_owned(),
        |date| format!("Write `{date}`."),
    );
    Err((format!("`{shown}` is no date."), help))
}

fn digits(text: &str) -> Result<u32, std::num::ParseIntError> {
    // `parse` alone would take a sign.
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse() } else { "x".parse() }
}

fn days_in(year: u32, month: u32) -> Option<u32> {
    (28..=31).rev().find(|&d| NaiveDate::from_ymd_opt(year as i32, month, d).is_some())
}

/// `24/12/2026`, `24.12.2026` and `2026/1/2` as they were meant: in Britain the day comes first.
fn other_date(typed: &str) -> Option<NaiveDate> {
    let mut parts: Vec<u32> = typed.split(['/', '.', '-']).map_while(|p| digits(p).ok()).collect();
    if parts.len() != 3 {
        return None;
    }
    if parts[0] < 1000 {
        parts.reverse();
    }
    NaiveDate::from_ymd_opt(parts[0] as i32, parts[1], parts[2]).filter(|_| parts[0] > 1900)
}

/// What was typed, short enough for a sentence.
pub(crate) fn short(typed: &str) -> String {
    if typed.chars().count() <= 60 {
        return typed.to_owned();
    }
    typed.chars().take(57).chain("...".chars()).collect()
}
