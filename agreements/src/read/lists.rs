//! List subscriptions: `lists`.

use super::block::{Block, choice, items, short, text};
use super::sheet::Sheet;
use super::spelling::{did_you_mean, nearest};
use super::times;
use crate::meant::ListSource;
use crate::yaml::{Kind, Node};
use blocklists::Category;
use chrono::Duration;

const KEYS: &[&str] = &["category", "from", "format", "categories", "refresh", "sealed"];
const FORMATS: [(&str, &str); 8] = [
    ("addresses", "addresses"),
    ("hosts", "hosts"),
    ("domains", "domains"),
    ("adblock", "adblock"),
    ("dnsmasq", "dnsmasq"),
    ("rpz", "rpz"),
    ("ut1", "ut1"),
    ("v2fly", "v2fly"),
];
const YES_NO: [(&str, bool); 2] = [("true", true), ("false", false)];
/// How often a list may be fetched, in minutes: every quarter of an hour to once in thirty days.
const REFRESH: std::ops::RangeInclusive<u32> = 15..=30 * 1440;
/// The most lists of one home.
const MAX_LISTS: usize = 200;

/// Reads `lists`.
pub(crate) fn read(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<ListSource> {
    let Some(node) = block.get("lists") else { return Vec::new() };
    let items = items(sheet, node, "lists");
    if items.len() > MAX_LISTS {
        sheet.error(node.at(), "too-many", &format!("A home can have {MAX_LISTS} lists."), "");
        return Vec::new();
    }
    items.iter().filter_map(|item| list(sheet, item)).collect()
}

fn list(sheet: &mut Sheet<'_>, item: &Node) -> Option<ListSource> {
    let block = Block::read(sheet, item, "a list", KEYS)?;
    let from = block.need(sheet, "from", "where the list comes from").and_then(|n| from(sheet, n));
    let category = block.get("category").and_then(|n| category(sheet, n, "category"));
    let categories = categories(sheet, &block);
    let format = block.get("format").and_then(|n| choice(sheet, n, "format", &FORMATS)).map(str::to_owned);
    let refresh = block.get("refresh").and_then(|n| refresh(sheet, n));
    let sealed = block.get("sealed").and_then(|n| choice(sheet, n, "sealed", &YES_NO)).unwrap_or(false);
    if block.get("category").is_none() && block.get("categories").is_none() {
        let sentence = "Nothing says what kind of sites are on this list.";
        sheet.error(block.at, "no-category", sentence, "Add `category: gambling`, or whichever it is.");
    }
    let sealed = seal(sheet, &block, category, sealed);
    let refresh = Duration::minutes(i64::from(refresh.unwrap_or(1440)));
    let source = sheet.source(item.at());
    Some(ListSource { from: from?, category, categories, format, refresh, sealed, source })
}

/// Only the law's own lists are sealed, and they always are.
fn seal(sheet: &mut Sheet<'_>, block: &Block<'_>, category: Option<Category>, sealed: bool) -> bool {
    let illegal = category == Some(Category::ILLEGAL);
    if sealed && !illegal {
        let sentence = "Only a list of the category `illegal` can be sealed: nobody may see or loosen it.";
        sheet.error(
            block.key_at("sealed"),
            "sealed-category",
            sentence,
            "Write `category: illegal`, or take `sealed` out.",
        );
    }
    if illegal && !sealed {
        let sentence = "A list of the category `illegal` is sealed whatever is written.";
        sheet.warning(block.key_at("category"), "sealed-category", sentence, "Add `sealed: true`.");
    }
    sealed || illegal
}

fn from<'n>(sheet: &mut Sheet<'_>, node: &'n Node) -> Option<String> {
    let typed: &'n str = text(sheet, node, "from")?;
    place(sheet, node.at(), typed).then(|| typed.to_owned())
}

/// Whether a text is an http(s) address or a path inside the home's folder; what is wrong is told.
pub(crate) fn place(sheet: &mut Sheet<'_>, at: usize, typed: &str) -> bool {
    if let Some((scheme, rest)) = typed.split_once("://") {
        return address(sheet, at, scheme, rest);
    }
    let outside = typed.starts_with('/') || typed.contains('\\') || typed.split('/').any(|part| part == "..");
    if outside {
        let sentence = format!("`{}` is not inside the home's folder.", short(typed));
        let help = "Put the file into the home's folder and write its path from there, like `lists/own.txt`.";
        sheet.error(at, "bad-path", &sentence, help);
    }
    !outside
}

fn address(sheet: &mut Sheet<'_>, at: usize, scheme: &str, rest: &str) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || rest.contains(char::is_whitespace) {
        sheet.error(
            at,
            "bad-address",
            "This is no whole web address.",
            "Write it like https://lists.example/gambling.txt.",
        );
        return false;
    }
    match scheme {
        "https" => true,
        "http" => {
            let sentence =
                "This address is fetched without encryption: anybody on the way can change what arrives.";
            sheet.warning(at, "plain-http", sentence, "Write `https://` if the site has it.");
            true
        }
        _ => {
            let sentence = format!("`{}://` cannot be fetched.", short(scheme));
            sheet.error(at, "bad-address", &sentence, "Write an address that begins with `https://`.");
            false
        }
    }
}

/// A category that a list may have. Protected sites are a person's decision, never a list's.
fn category(sheet: &mut Sheet<'_>, node: &Node, what: &str) -> Option<Category> {
    let typed = text(sheet, node, what)?;
    let Some(category) = Category::from_word(typed) else {
        let help = did_you_mean(&nearest(typed, Category::all().map(Category::word)));
        sheet.error(node.at(), "unknown-word", &format!("`{}` is no category.", short(typed)), &help);
        return None;
    };
    if [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL].contains(&category) {
        let sentence =
            format!("A list cannot say what is protected: `{typed}` would open every site on it, always.");
        sheet.error(node.at(), "protected-list", &sentence, "Write the sites under `protected:`.");
        return None;
    }
    Some(category)
}

fn categories(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<(String, Category)> {
    let Some(node) = block.get("categories") else { return Vec::new() };
    let Kind::Block(entries) = &node.kind else {
        let help = "Write the list's own word, a colon, and ours: {adult: pornography}.";
        sheet.error(
            node.at(),
            "wrong-kind",
            "`categories` takes words with a colon and a category each.",
            help,
        );
        return Vec::new();
    };
    let mut categories = Vec::new();
    for (key, value) in entries {
        if let (Some(theirs), Some(ours)) = (key.text(), category(sheet, value, "categories")) {
            categories.push((theirs.to_owned(), ours));
        }
    }
    categories
}

fn refresh(sheet: &mut Sheet<'_>, node: &Node) -> Option<u32> {
    let typed = text(sheet, node, "refresh")?;
    let minutes = times::interval(typed);
    if minutes.is_some_and(|m| REFRESH.contains(&m)) {
        return minutes;
    }
    let (sentence, help) = match minutes {
        Some(_) => (format!("`{}` is too often or too seldom.", short(typed)), "Write 15m to 30d."),
        None => (format!("`{}` is no length of time.", short(typed)), "Write it like 1h or 1d."),
    };
    sheet.error(node.at(), "bad-duration", &sentence, help);
    None
}
