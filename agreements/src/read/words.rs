//! Lists of words, and what an agreement says of them.

use super::block::{Block, items, short, text};
use super::filled::{self, Filled, Use};
use super::sheet::Sheet;
use super::spelling::did_you_mean;
use crate::lawful::{self, Protected};
use crate::meant::{Everyone, ProtectedSites, Ruled, Ruling};
use crate::source::SourceId;
use crate::verdict::Outcome;
use crate::word::{NotAWord, Word};
use crate::yaml::Node;
use blocklists::{Category, Name, Service, Tags, builtin};
use std::collections::HashMap;

/// The keys that say something of words, strictest first, and what they say.
const RULED: [(&str, Ruled); 4] = [
    ("block", Outcome::Block),
    ("with_staff", Outcome::WithStaff),
    ("ask", Outcome::Ask),
    ("allow", Outcome::Allow),
];

/// A word with the node it was written as.
type Written<'n> = (Word, &'n Node);

/// One word.
pub(crate) fn word(sheet: &mut Sheet<'_>, node: &Node, what: &str) -> Option<Word> {
    let typed = text(sheet, node, what)?;
    match Word::parse(typed) {
        Ok(word) => Some(word),
        Err(wrong) => {
            tell(sheet, node.at(), typed, &wrong);
            None
        }
    }
}

fn tell(sheet: &mut Sheet<'_>, at: usize, typed: &str, wrong: &NotAWord) {
    let typed = short(typed);
    if let NotAWord::PublicSuffix(name) = wrong
        && let Some(set) = lawful::built_in(name.name())
    {
        // `nhs.uk` is a registry's suffix, too, and what it is to a home comes first.
        let sentence = format!(
            "`{name}` is among {}: it is always open, and nobody may close it ({}).",
            set.words(),
            set.regulation()
        );
        return sheet.error(at, "protected", &sentence, "Take it out.");
    }
    let (code, sentence, help) = match wrong {
        NotAWord::Domain(why) => {
            ("bad-site", format!("`{typed}` is no site: {why}."), "Write it like bbc.co.uk.".to_owned())
        }
        NotAWord::Unknown(near) => ("unknown-word", unknown(&typed), unknown_help(near)),
        NotAWord::PublicSuffix(name) => (
            "public-suffix",
            format!("`{name}` is the ending of many people's sites, not a site."),
            format!("Which site is meant? Write its whole name, like example.{name}."),
        ),
        NotAWord::Url(site) => (
            "address-for-site",
            format!("`{typed}` is an address as a browser shows it; a site is written without the rest."),
            format!("Write `{}`.", short(site)),
        ),
        NotAWord::Star(site) => (
            "star",
            "A site covers everything under it without a star.".to_owned(),
            format!("Write `{}`.", short(site)),
        ),
        NotAWord::HostAndPath => (
            "bad-site",
            format!("`{typed}` is both one host alone (=) and a path (/)."),
            "Leave out the `=` or the path.".to_owned(),
        ),
    };
    sheet.error(at, code, &sentence, &help);
}

fn unknown(typed: &str) -> String {
    format!("`{typed}` is no category or service that Hearthgate knows, and no site: a site has a dot.")
}

fn unknown_help(near: &[&str]) -> String {
    let help = did_you_mean(near);
    if help.is_empty() { "For a site, write its whole name: example.org.".to_owned() } else { help }
}

/// The words of a key, each with its place.
pub(crate) fn written<'n>(sheet: &mut Sheet<'_>, block: &Block<'n>, key: &str) -> Vec<Written<'n>> {
    let Some(node) = block.get(key) else { return Vec::new() };
    let items = items(sheet, node, key);
    items.iter().filter_map(|item| word(sheet, item, key).map(|word| (word, item))).collect()
}

/// The words of a key, each with its line, and a warning for each path.
pub(crate) fn listed(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Vec<(Word, SourceId)> {
    let written = written(sheet, block, key);
    paths(sheet, &written);
    written.into_iter().map(|(word, node)| (word, sheet.source(node.at()))).collect()
}

/// Words that can only be sites or hosts.
pub(crate) fn sites(sheet: &mut Sheet<'_>, block: &Block<'_>, key: &str) -> Vec<(Word, SourceId)> {
    let mut sites = Vec::new();
    for (word, node) in written(sheet, block, key) {
        match &word {
            Word::Site(name) | Word::Host(name) => {
                doubtful(sheet, node.at(), key, name.name());
                sites.push((word, sheet.source(node.at())));
            }
            Word::Path(..) | Word::Service(_) | Word::Category(_) => {
                let sentence = format!("`{word}` is no site, and only sites can be protected.");
                sheet.error(node.at(), "not-a-site", &sentence, "Write a site, like example.org.");
            }
        }
    }
    sites
}

/// Warns of a site that is opened for everybody, day and night and unrecorded, and that is known to be something else: a
/// service, or a kind of site that homes close. Private mail follows the times, and is often a part of a service.
fn doubtful(sheet: &mut Sheet<'_>, at: usize, key: &str, name: Name<'_>) {
    let is_meant = |entry: &builtin::Builtin| {
        let known = Name::trusted(entry.name);
        if entry.whole_site { name.is_under(known) || known.is_under(name) } else { known.is_under(name) }
    };
    if key == "private_mail" || lawful::built_in(name).is_some() {
        return;
    }
    let known = builtin::entries().filter(is_meant).fold(Tags::NONE, |all, entry| all.union(entry.tags));
    if let Some(what) = what_it_is(known) {
        let sentence = format!(
            "`{name}` is known as {what}: written here it is open for everybody, day and night, and never recorded."
        );
        let help = "Take it out, unless that is what the home wants; an agreement can `allow` it.";
        sheet.warning(at, "doubtful-protection", &sentence, help);
    }
}

/// What somebody ought to know before they protect a site; none for what is no matter.
fn what_it_is(tags: Tags) -> Option<&'static str> {
    let risky = |category: &Category| category.four_c().is_some();
    let service = tags.services().next().map(Service::title);
    service.or_else(|| tags.categories().find(risky).map(Category::for_staff))
}

/// What the words of an agreement (or a baseline) are measured by.
pub(crate) struct Measure<'h> {
    /// What the home protects.
    pub(crate) protected: &'h ProtectedSites,
    /// The floor; none while the home itself is read.
    pub(crate) floor: Option<&'h Everyone>,
    /// The categories that have sites.
    pub(crate) filled: Filled,
}

/// What is said of words: `allow`, `ask`, `with_staff`, `block`.
pub(crate) fn rulings(sheet: &mut Sheet<'_>, block: &Block<'_>, measure: &Measure<'_>) -> Vec<Ruling> {
    let mut rulings: Vec<Ruling> = Vec::new();
    let mut places: HashMap<Word, (usize, &'static str)> = HashMap::new();
    let mut all = Vec::new();
    for (key, ruled) in RULED {
        for (word, node) in written(sheet, block, key) {
            unlawful(sheet, node.at(), &word, ruled, measure.protected);
            loosens(sheet, node.at(), &word, ruled, measure.floor);
            filled::check(sheet, node.at(), &word, Use::Ruled(ruled), measure.filled);
            if let Some((at, before)) = places.get(&word).copied() {
                twice(sheet, node.at(), &word, key, (at, before));
                continue;
            }
            places.insert(word.clone(), (node.at(), key));
            let source = sheet.source(node.at());
            rulings.push(Ruling { word: word.clone(), ruled, source });
            all.push((word, node));
        }
    }
    paths(sheet, &all);
    rulings
}

/// Tells when a ruling takes what the law protects.
pub(crate) fn unlawful(sheet: &mut Sheet<'_>, at: usize, word: &Word, ruled: Ruled, sites: &ProtectedSites) {
    if ruled == Outcome::Allow {
        return;
    }
    let Some(set) = lawful::protected(word, sites) else { return };
    let sentence = match (set, ruled) {
        (Protected::PrivateMail, Outcome::Ask | Outcome::WithStaff) => {
            format!(
                "`{word}` is private mail, which nobody's approval may stand before ({}).",
                set.regulation()
            )
        }
        (Protected::Support | Protected::Assistive | Protected::PrivateMail, _) => {
            format!("`{word}` is among {}, which no agreement may close ({}).", set.words(), set.regulation())
        }
    };
    sheet.error(at, "protected", &sentence, "Take it out.");
}

/// Tells when an agreement tries to loosen the floor.
fn loosens(sheet: &mut Sheet<'_>, at: usize, word: &Word, ruled: Ruled, floor: Option<&Everyone>) {
    if ruled == Outcome::Block {
        return;
    }
    if *word == Word::Category(Category::ILLEGAL) {
        let sentence = "What the law forbids is blocked for everyone, and nobody can loosen that.";
        sheet.error(at, "sealed", sentence, "Take it out.");
        return;
    }
    let Some(floor) = floor else { return };
    if floor.block.iter().any(|(blocked, _)| blocked == word) {
        let sentence = format!("`{word}` is blocked for everyone in home.yaml, so this changes nothing.");
        sheet.warning(at, "floor", &sentence, "Take it out here, or speak with whoever keeps home.yaml.");
    }
}

fn twice(sheet: &mut Sheet<'_>, at: usize, word: &Word, key: &str, before: (usize, &str)) {
    let place = sheet.place(before.0);
    let (sentence, code) = if key == before.1 {
        (format!("`{word}` stands twice under `{key}`."), "twice")
    } else {
        let first = before.1;
        (
            format!(
                "`{word}` stands under `{key}` and under `{first}` (line {}): `{first}` holds.",
                place.line
            ),
            "two-answers",
        )
    };
    sheet.warning(at, code, &sentence, "Keep one of the two.");
    sheet.beside(Some(place));
}

/// Warns that a path holds only where the gateway sees paths, and asks what the rest of the host should be.
fn paths(sheet: &mut Sheet<'_>, written: &[Written<'_>]) {
    for (word, node) in written {
        let Word::Path(name, _) = word else { continue };
        let decided = written.iter().any(|(other, _)| match other {
            Word::Site(site) => name.name().is_under(site.name()),
            Word::Host(host) => host == name,
            Word::Path(..) | Word::Service(_) | Word::Category(_) => false,
        });
        let help = if decided {
            format!("Elsewhere what is said of `{name}` holds.")
        } else {
            format!("What should the rest of `{name}` be? Say so with a line for `{name}`.")
        };
        let sentence = format!(
            "`{word}` can hold only where the gateway sees paths: on plain http pages, not on https."
        );
        sheet.warning(node.at(), "path", &sentence, &help);
    }
}
