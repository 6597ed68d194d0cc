//! The words that agreements use for what sites are: categories (`gambling`) and services (`tiktok`).
//!
//! The tables are data: `data/categories.tsv` and `data/services.txt`. A word's index is its place in the table of
//! this build; a catalogue file stores the words themselves beside its masks, so that another build reads it rightly.

use crate::Tags;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// A kind of site, by its place in the built-in table. There are at most 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Category(u8);

/// A named set of sites that belong together (`tiktok`), by its place in the built-in table. There are at most 128.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Service(u8);

/// The part of "the 4 Cs" of online safety that a category belongs to (DfE, Keeping children safe in education, part
/// two).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FourC {
    /// Being exposed to what is illegal, inappropriate or harmful.
    Content,
    /// Being subjected to harmful dealings with other people.
    Contact,
    /// One's own behaviour that makes harm likelier or causes it.
    Conduct,
    /// Gambling, advertising, scams: harm to the purse.
    Commerce,
}

impl FourC {
    /// The word of the table: `content`, `contact`, `conduct`, `commerce`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Contact => "contact",
            Self::Conduct => "conduct",
            Self::Commerce => "commerce",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Content, Self::Contact, Self::Conduct, Self::Commerce].into_iter().find(|c| c.word() == word)
    }
}

struct CategoryRow {
    word: &'static str,
    staff: &'static str,
    young: &'static str,
    four_c: Option<FourC>,
    learn: &'static str,
    talk: &'static str,
}

impl CategoryRow {
    fn read(columns: &[&'static str]) -> Self {
        let &[word, staff, young, four_c, learn, talk] = columns else {
            panic!("a row of data/categories.tsv has six columns, as its tests hold: {columns:?}");
        };
        Self { word, staff, young, four_c: FourC::from_word(four_c), learn, talk }
    }
}

struct ServiceRow {
    word: &'static str,
    title: &'static str,
    categories: Tags,
}

impl ServiceRow {
    /// Reads what follows a `[`: `tiktok] TikTok`, then the lines up to the next heading.
    fn read(block: &'static str) -> Option<Self> {
        let (heading, rest) = block.split_once('\n')?;
        let (word, title) = heading.split_once("] ")?;
        let words = rest.lines().find_map(|line| line.strip_prefix("categories: ")).unwrap_or_default();
        let categories = words.split(' ').filter_map(Category::from_word);
        Some(Self {
            word,
            title,
            categories: categories.fold(Tags::NONE, |all, c| all.union(Tags::category(c))),
        })
    }
}

/// The text of the table of services, which `builtin` reads for the sites.
pub(crate) const SERVICES_TEXT: &str = include_str!("../data/services.txt");

/// The services' blocks of the table, each without its opening bracket, in order.
pub(crate) fn service_blocks() -> impl Iterator<Item = &'static str> {
    SERVICES_TEXT.split("\n[").skip(1)
}

struct Table<Row> {
    rows: Vec<Row>,
    by_word: HashMap<&'static str, u8>,
}

impl<Row> Table<Row> {
    fn new(rows: Vec<Row>, word: impl Fn(&Row) -> &'static str, most: usize) -> Self {
        assert!(rows.len() <= most, "a built-in table holds at most {most} rows");
        let by_word = rows.iter().enumerate().map(|(i, row)| (word(row), i as u8)).collect();
        Self { rows, by_word }
    }
}

/// Rows of a built-in table: tab-separated, `#` begins a comment line.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(|l| l.split('\t').collect())
}

static CATEGORIES: LazyLock<Table<CategoryRow>> = LazyLock::new(|| {
    let rows = rows(include_str!("../data/categories.tsv")).map(|c| CategoryRow::read(&c)).collect();
    Table::new(rows, |r: &CategoryRow| r.word, 64)
});

static SERVICES: LazyLock<Table<ServiceRow>> = LazyLock::new(|| {
    let rows = service_blocks().filter_map(ServiceRow::read).collect();
    Table::new(rows, |r: &ServiceRow| r.word, 128)
});

/// The categories that rules of the gateway name. Their places are the first rows of `data/categories.tsv`,
/// which a test holds.
macro_rules! named {
    ($($name:ident = $index:literal, $word:literal, $doc:literal;)*) => {
        impl Category {
            $(#[doc = $doc] pub const $name: Category = Category($index);)*
            #[cfg(test)]
            const NAMED: &'static [(Category, &'static str)] = &[$((Category::$name, $word)),*];
        }
    };
}

named! {
    ILLEGAL = 0, "illegal", "Sealed lists only: what the law forbids (IWF, CTIRU), as licensed to the home.";
    SUPPORT = 1, "support", "Helplines, advocacy, emergency services: always reachable, never recorded.";
    ASSISTIVE = 2, "assistive", "What a disabled young person needs to communicate: always reachable.";
    PRIVATE_MAIL = 3, "private_mail", "Sending and receiving mail in private (Reg 22).";
    EDUCATION = 4, "education", "Sites for learning: what school hours leave open.";
    INFRASTRUCTURE = 5, "infrastructure", "Hosts that only carry a page: CDNs, fonts, certificate checks, captchas.";
    CIRCUMVENTION = 6, "circumvention", "Ways around the gateway: DoH and DoT servers, VPNs, Tor, web proxies.";
    DEVICE_DEFAULT = 7, "device_default", "What a device does by itself around the gateway: Private Relay, automatic DoH.";
    ADVERTISING = 8, "advertising", "Advertising: refused silently where refused.";
    TRACKING = 9, "tracking", "Tracking: refused silently where refused.";
    TELEMETRY = 10, "telemetry", "Telemetry: refused silently where refused.";
    PORNOGRAPHY = 11, "pornography", "Pornography.";
    MALWARE = 12, "malware", "Malware and phishing.";
    UPDATES = 13, "updates", "Software updates and device upkeep: background traffic.";
}

impl Category {
    /// The category that an agreement's word names.
    pub fn from_word(word: &str) -> Option<Self> {
        CATEGORIES.by_word.get(word).copied().map(Self)
    }

    /// The category at a place of the table.
    pub fn from_index(index: u8) -> Option<Self> {
        (usize::from(index) < CATEGORIES.rows.len()).then_some(Self(index))
    }

    /// Every category, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CATEGORIES.rows.len()).map(|i| Self(i as u8))
    }

    /// Its place in the table of this build.
    pub const fn index(self) -> u8 {
        self.0
    }

    /// The word that agreements use.
    pub fn word(self) -> &'static str {
        CATEGORIES.rows[usize::from(self.0)].word
    }

    /// What it is, for staff: a noun phrase without a capital (`gambling and betting`).
    pub fn for_staff(self) -> &'static str {
        CATEGORIES.rows[usize::from(self.0)].staff
    }

    /// What it is, for a young person: a noun phrase that a twelve-year-old reads (`betting sites`).
    pub fn for_young_person(self) -> &'static str {
        CATEGORIES.rows[usize::from(self.0)].young
    }

    /// The part of "the 4 Cs" that it belongs to; `None` where it is no risk.
    pub fn four_c(self) -> Option<FourC> {
        CATEGORIES.rows[usize::from(self.0)].four_c
    }

    /// A protected host where a young person learns more about it (seed 003 §4.12).
    pub fn learn_host(self) -> &'static str {
        CATEGORIES.rows[usize::from(self.0)].learn
    }

    /// A protected host of somebody to talk to about it (seed 003 §4.16).
    pub fn talk_host(self) -> &'static str {
        CATEGORIES.rows[usize::from(self.0)].talk
    }
}

impl Service {
    /// The service that an agreement's word names.
    pub fn from_word(word: &str) -> Option<Self> {
        SERVICES.by_word.get(word).copied().map(Self)
    }

    /// The service at a place of the table.
    pub fn from_index(index: u8) -> Option<Self> {
        (usize::from(index) < SERVICES.rows.len()).then_some(Self(index))
    }

    /// Every service, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SERVICES.rows.len()).map(|i| Self(i as u8))
    }

    /// Its place in the table of this build.
    pub const fn index(self) -> u8 {
        self.0
    }

    /// The word that agreements use.
    pub fn word(self) -> &'static str {
        SERVICES.rows[usize::from(self.0)].word
    }

    /// Its name as people write it (`TikTok`).
    pub fn title(self) -> &'static str {
        SERVICES.rows[usize::from(self.0)].title
    }

    /// The categories that it is in: `social_networks` and `video` for TikTok.
    pub fn categories(self) -> Tags {
        SERVICES.rows[usize::from(self.0)].categories
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_categories_stand_where_the_table_has_them() {
        for (category, word) in Category::NAMED {
            assert_eq!(category.word(), *word);
            assert_eq!(Category::from_word(word), Some(*category));
        }
        assert_eq!(Category::NAMED.len(), 14);
    }

    #[test]
    fn no_word_is_both_a_category_and_a_service() {
        for service in Service::all() {
            assert_eq!(Category::from_word(service.word()), None, "{service:?}");
            assert_eq!(Service::from_word(service.word()), Some(service), "a service stands twice");
        }
    }
}
