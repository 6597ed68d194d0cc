//! Limits: `limits`.

use super::block::Block;
use super::days::table;
use super::filled::{self, Use};
use super::sheet::Sheet;
use super::times;
use super::words::{self, Measure};
use crate::lawful;
use crate::meant::{Limit, LimitKey};
use crate::word::Word;
use crate::yaml::{Kind, Node};
use std::collections::HashMap;

/// A verdict tells what a minute counts for in one 64-bit word, whose first bit is everything.
const MAX_LIMITS: usize = 63;

/// Reads the limits of a person.
pub(crate) fn read(sheet: &mut Sheet<'_>, block: &Block<'_>, measure: &Measure<'_>) -> Vec<Limit> {
    let Some(node) = block.get("limits") else { return Vec::new() };
    let Kind::Block(entries) = &node.kind else {
        if !node.is_nothing() {
            let help = "Write what is limited, a colon and the time: `everything: 4h`.";
            sheet.error(node.at(), "wrong-kind", "A limit needs to say what it limits.", help);
        }
        return Vec::new();
    };
    let mut limits = Vec::new();
    let mut places: HashMap<LimitKey, usize> = HashMap::new();
    for (key, value) in entries {
        let read = limit_key(sheet, key, measure);
        let minutes = table(sheet, value, "limits", times::limit);
        let Some(limit) = read else { continue };
        if let Some(at) = places.insert(limit.clone(), key.at()) {
            let place = sheet.place(at);
            let sentence = format!("This limits the same as line {}.", place.line);
            sheet.error(key.at(), "same-limit", &sentence, "Keep one of the two.");
            sheet.beside(Some(place));
            continue;
        }
        let source = sheet.source(key.at());
        limits.push(Limit { key: limit, minutes, source });
    }
    too_many(sheet, node, &mut limits);
    limits
}

fn too_many(sheet: &mut Sheet<'_>, node: &Node, limits: &mut Vec<Limit>) {
    if limits.len() > MAX_LIMITS {
        let sentence = format!("There are {} limits, and one person can have {MAX_LIMITS}.", limits.len());
        sheet.error(node.at(), "too-many", &sentence, "Limit whole categories instead of single sites.");
        limits.truncate(MAX_LIMITS);
    }
}

fn limit_key(sheet: &mut Sheet<'_>, key: &Node, measure: &Measure<'_>) -> Option<LimitKey> {
    if key.text() == Some("everything") {
        return Some(LimitKey::Everything);
    }
    let word = words::word(sheet, key, "limits")?;
    if let Word::Path(site, _) = &word {
        let sentence = "A limit is for a whole site: minutes are not counted by path.";
        sheet.error(key.at(), "limit-on-path", sentence, &format!("Write `{site}`."));
        return None;
    }
    if let Some(set) = lawful::protected(&word, measure.protected) {
        let sentence =
            format!("`{word}` is among {}, which no limit touches ({}).", set.words(), set.regulation());
        sheet.error(key.at(), "protected", &sentence, "Take it out.");
    }
    filled::check(sheet, key.at(), &word, Use::Limits, measure.filled);
    Some(LimitKey::Word(word))
}
