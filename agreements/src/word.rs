//! The words that agreements use for sites.

use blocklists::{Category, Domain, Service};

/// What an agreement's word means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// `bbc.co.uk`: the site and everything under it.
    Site(Domain),
    /// `=bbc.co.uk`: that host alone.
    Host(Domain),
    /// `bbc.co.uk/bitesize`: a path of a site, on segment boundaries. It holds only where the gateway sees paths.
    Path(Domain, String),
    /// `tiktok`: a named set of sites.
    Service(Service),
    /// `gambling`: a category.
    Category(Category),
}

/// Why a text is no word of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAWord {
    /// It has a dot and is no host name; the reason.
    Domain(blocklists::NotADomain),
    /// It has no dot and is no known category or service; the nearest known words.
    Unknown(Vec<&'static str>),
    /// A bare public suffix (`co.uk`): it would cover strangers' sites.
    PublicSuffix(Domain),
}

impl Word {
    /// Reads a word as the language writes it.
    pub fn parse(text: &str) -> Result<Self, NotAWord> {
        let _ = text;
        todo!()
    }
}
