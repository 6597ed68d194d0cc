//! What an agreement says of monitoring and of consequences.

use super::block::{Block, choice, date_of, items, short, text, text_of};
use super::sheet::Sheet;
use super::spelling::{did_you_mean, nearest};
use crate::lawful;
use crate::meant::{Consequence, Monitoring, MonitoringLevel};
use crate::yaml::{Kind, Node};
use blocklists::Category;
use chrono::NaiveDate;

/// What `monitoring` may say.
pub(crate) const LEVELS: [(&str, MonitoringLevel); 3] = [
    ("breaches", MonitoringLevel::Breaches),
    ("categories", MonitoringLevel::Categories),
    ("sites", MonitoringLevel::Sites),
];
const MONITORING_KEYS: &[&str] = &["level", "reason", "until", "authorised_by", "told_on"];
/// The severities of episodes that staff see.
pub(crate) const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];
/// The rules of the decision that a refusal can come from.
pub(crate) const RULES: [&str; 16] = [
    "sealed",
    "protected",
    "restriction",
    "floor",
    "grant",
    "online",
    "private_mail",
    "school_hours",
    "limit",
    "site",
    "service",
    "category",
    "otherwise",
    "baseline",
    "education_session",
    "email_only",
];

/// Reads `monitoring`. More than breaches needs its reasons.
pub(crate) fn monitoring(sheet: &mut Sheet<'_>, block: &Block<'_>, today: NaiveDate) -> Monitoring {
    let Some(node) = block.get("monitoring") else { return Monitoring::default() };
    if let Kind::Scalar(_) = node.kind {
        let level = choice(sheet, node, "monitoring", &LEVELS).unwrap_or_default();
        let monitoring = Monitoring { level, ..Monitoring::default() };
        reasons(sheet, node.at(), &monitoring);
        return monitoring;
    }
    let Some(inner) = Block::read(sheet, node, "`monitoring`", MONITORING_KEYS) else {
        return Monitoring::default();
    };
    let level = inner.get("level").and_then(|n| choice(sheet, n, "level", &LEVELS)).unwrap_or_default();
    let monitoring = Monitoring {
        level,
        until: date_of(sheet, &inner, "until"),
        reason: text_of(sheet, &inner, "reason").map(str::to_owned),
        authorised_by: text_of(sheet, &inner, "authorised_by").map(str::to_owned),
        told_on: date_of(sheet, &inner, "told_on"),
    };
    let written = |key| inner.get(key).is_some();
    if MONITORING_KEYS[1..].iter().all(|key| written(key)) {
        ended(sheet, &inner, &monitoring, today);
    } else {
        reasons(sheet, inner.at, &monitoring);
    }
    monitoring
}

fn reasons(sheet: &mut Sheet<'_>, at: usize, monitoring: &Monitoring) {
    if monitoring.level == MonitoringLevel::Breaches {
        return;
    }
    let parts = [
        (monitoring.reason.is_none(), "reason"),
        (monitoring.until.is_none(), "until"),
        (monitoring.authorised_by.is_none(), "authorised_by"),
        (monitoring.told_on.is_none(), "told_on"),
    ];
    let missing: Vec<String> = parts.iter().filter(|(m, _)| *m).map(|(_, key)| format!("`{key}`")).collect();
    let sentence = format!("Recording more than breaches needs {} as well.", missing.join(", "));
    let help = "Say why, until when, who authorised it and when the young person was told; or write `monitoring: breaches`.";
    sheet.error(at, "monitoring", &sentence, help);
}

/// Tells when somebody would be looked at more closely before they know it. It is for an agreement whose signatures are there:
/// of one that nobody has signed yet nothing is in force, and a clock that runs behind makes all of its dates dates to come.
pub(crate) fn told_first(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    monitoring: &Monitoring,
    today: NaiveDate,
) {
    let to_come =
        monitoring.told_on.filter(|on| *on > today && monitoring.level != MonitoringLevel::Breaches);
    let Some(Kind::Block(entries)) = block.get("monitoring").map(|node| &node.kind) else { return };
    let key = entries.iter().map(|(key, _)| key).find(|key| key.text() == Some("told_on"));
    if let (Some(on), Some(key)) = (to_come, key) {
        let sentence = format!(
            "{on} is still to come: recording more than breaches waits until the young person was told."
        );
        let help = "Tell them first, then write the day on which they were told.";
        sheet.error(key.at(), "told-later", &sentence, help);
    }
}

fn ended(sheet: &mut Sheet<'_>, block: &Block<'_>, monitoring: &Monitoring, today: NaiveDate) {
    if monitoring.level == MonitoringLevel::Breaches {
        return;
    }
    if let Some(until) = monitoring.until.filter(|until| *until < today) {
        let sentence = format!("This monitoring ended on {until}: only breaches are recorded now.");
        let help = "Take it out when `keep: monitoring` is over too: until then their page tells them what is still kept. Or \
                    agree and write a new reason and date.";
        sheet.warning(block.key_at("until"), "monitoring-ended", &sentence, help);
    }
}

/// Reads `consequences`.
pub(crate) fn consequences(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<Consequence> {
    let Some(node) = block.get("consequences") else { return Vec::new() };
    let mut consequences = Vec::new();
    for item in items(sheet, node, "consequences") {
        let Some(inner) = Block::read(sheet, item, "a consequence", &["after", "suggest"]) else { continue };
        let after = inner.need(sheet, "after", "when it is suggested").and_then(|n| after(sheet, n));
        let suggest = inner.need(sheet, "suggest", "what is suggested to staff");
        let suggest = suggest.and_then(|n| suggested(sheet, n));
        let (Some((count, of, days)), Some(suggest)) = (after, suggest) else { continue };
        let source = sheet.source(item.at());
        consequences.push(Consequence { count, of, days, suggest, source });
    }
    consequences
}

fn suggested(sheet: &mut Sheet<'_>, node: &Node) -> Option<String> {
    let typed = text(sheet, node, "suggest")?;
    for found in lawful::consequence(typed) {
        let help =
            format!("Take it out: {} of the Children's Homes Regulations 2015 forbids it.", found.regulation);
        sheet.error(node.at(), found.code, &found.sentence, &help);
    }
    Some(typed.to_owned())
}

/// `3 breaches in 7 days`: how many, of what, in how many days.
fn after(sheet: &mut Sheet<'_>, node: &Node) -> Option<(u32, String, u32)> {
    let typed = text(sheet, node, "after")?;
    let words: Vec<&str> = typed.split_whitespace().collect();
    let read = match words.as_slice() {
        [count, of @ .., "in" | "within", length, unit] => {
            number(count, 1000).zip(days(length, unit)).map(|(count, days)| (count, of.join(" "), days))
        }
        _ => None,
    };
    let Some((count, of, days)) = read else {
        let sentence = format!("`{}` does not say how many of what in how long.", short(typed));
        sheet.error(node.at(), "bad-consequence", &sentence, "Write it like `3 breaches in 7 days`.");
        return None;
    };
    Some((count, counted(sheet, node, &of)?, days))
}

fn number(text: &str, most: u32) -> Option<u32> {
    let fits = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten().filter(|n| (1..=most).contains(n))
}

fn days(length: &str, unit: &str) -> Option<u32> {
    match unit {
        "day" | "days" => number(length, 366),
        "week" | "weeks" => number(length, 52).map(|n| n * 7),
        _ => None,
    }
}

/// What is counted: `breaches`, a severity, a rule's word, a category.
fn counted(sheet: &mut Sheet<'_>, node: &Node, of: &str) -> Option<String> {
    let word = of.trim_end_matches(" breaches").trim_end_matches(" breach");
    let word = match word {
        "breach" | "breaches" => "breaches",
        other => other,
    };
    let categories: Vec<&str> = Category::all().map(Category::word).collect();
    let mut known = std::iter::once("breaches").chain(SEVERITIES).chain(RULES).chain(categories);
    if known.clone().any(|k| k == word) {
        return Some(word.to_owned());
    }
    let mut help = did_you_mean(&nearest(word, &mut known));
    if help.is_empty() {
        help =
            "Write `breaches`, a severity (low, medium, high, critical), or a category like `circumvention`."
                .to_owned();
    }
    sheet.error(
        node.at(),
        "bad-consequence",
        &format!("`{}` is nothing that is counted.", short(word)),
        &help,
    );
    None
}
