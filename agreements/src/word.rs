//! The words that agreements use for sites.

use blocklists::{Category, Domain, NotADomain, Service};
use std::fmt;

/// What an agreement's word means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// `bbc.co.uk`: the site and everything under it.
    Site(Domain),
    /// `=bbc.co.uk`: that host alone.
    Host(Domain),
    /// `bbc.co.uk/bitesize`: a path of a site, on segment boundaries. It holds only where the gateway sees paths.
    ///
    /// The path has its leading slash and none at its end, and keeps its case (RFC 3986 §6.2.2.1).
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
    Domain(NotADomain),
    /// It has no dot and is no known category or service; the nearest known words.
    Unknown(Vec<&'static str>),
    /// A bare public suffix (`co.uk`): it would cover strangers' sites.
    PublicSuffix(Domain),
    /// An address as a browser shows it (`https://bbc.co.uk/news?x=1`), or a name with a port; the word it would be.
    Url(String),
    /// `*.bbc.co.uk`: a site covers what is under it without a star; the word it would be.
    Star(String),
    /// `=bbc.co.uk/news`: a host alone or a path, not both.
    HostAndPath,
}

/// The longest path of a word, in bytes.
const MAX_PATH: usize = 1024;

/// What people call things, and the word for it. Only suggested, never taken.
const CALLED: &[(&str, &str)] = &[
    ("porn", "pornography"),
    ("adult", "pornography"),
    ("gaming", "games"),
    ("betting", "gambling"),
    ("social_media", "social_networks"),
    ("vpn", "circumvention"),
    ("proxies", "circumvention"),
    ("email", "private_mail"),
    ("mail", "private_mail"),
    ("ads", "advertising"),
    ("adverts", "advertising"),
    ("school", "education"),
    ("suicide", "self_harm"),
    ("vaping", "smoking"),
    ("streaming", "video"),
    ("messaging", "chat"),
    ("torrents", "piracy"),
];

impl Word {
    /// Reads a word as the language writes it.
    pub fn parse(text: &str) -> Result<Self, NotAWord> {
        let text = text.trim();
        if let Some(meant) = url(text) {
            return Err(NotAWord::Url(meant));
        }
        if let Some(site) = text.strip_prefix("*.") {
            return Err(NotAWord::Star(site.to_owned()));
        }
        if let Some(host) = text.strip_prefix('=') {
            return host_alone(host.trim());
        }
        match text.split_once('/') {
            Some((host, path)) => with_path(host, path),
            None if text.contains(['.', '。']) => site(text).map(Word::Site),
            None => known(text),
        }
    }
}

impl fmt::Display for Word {
    /// The word as the language writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Site(name) => write!(f, "{name}"),
            Word::Host(name) => write!(f, "={name}"),
            Word::Path(name, path) => write!(f, "{name}{path}"),
            Word::Service(service) => f.write_str(service.word()),
            Word::Category(category) => f.write_str(category.word()),
        }
    }
}

impl fmt::Display for NotAWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAWord::Domain(why) => write!(f, "{why}"),
            NotAWord::Unknown(_) => f.write_str("no known category or service"),
            NotAWord::PublicSuffix(name) => write!(f, "`{name}` is the ending of many people's sites"),
            NotAWord::Url(_) => f.write_str("an address as a browser shows it"),
            NotAWord::Star(_) => f.write_str("a site needs no star"),
            NotAWord::HostAndPath => f.write_str("either a host alone or a path"),
        }
    }
}

impl std::error::Error for NotAWord {}

fn site(text: &str) -> Result<Domain, NotAWord> {
    let name = Domain::parse(text).map_err(NotAWord::Domain)?;
    if is_everybodys(&name) {
        return Err(NotAWord::PublicSuffix(name));
    }
    Ok(name)
}

/// Whether strangers register names under this one by a registry's rules (`co.uk`). Suffixes of companies (`github.io`)
/// are not meant: a home may well block all of a hosting company.
fn is_everybodys(name: &Domain) -> bool {
    let suffix = psl::suffix(name.as_str().as_bytes());
    suffix.is_some_and(|s| s.typ() == Some(psl::Type::Icann) && s.as_bytes() == name.as_str().as_bytes())
}

fn host_alone(host: &str) -> Result<Word, NotAWord> {
    if host.contains('/') {
        return Err(NotAWord::HostAndPath);
    }
    if !host.contains('.') {
        return Err(known(host).err().unwrap_or_else(|| NotAWord::Unknown(Vec::new())));
    }
    Domain::parse(host).map(Word::Host).map_err(NotAWord::Domain)
}

fn with_path(host: &str, path: &str) -> Result<Word, NotAWord> {
    let name = site(host)?;
    let path = path.trim_end_matches('/');
    if path.is_empty() {
        return Ok(Word::Site(name));
    }
    if path.len() > MAX_PATH {
        return Err(NotAWord::Domain(NotADomain::TooLong));
    }
    if let Some(c) = path.chars().find(|c| c.is_control() || *c == ' ') {
        return Err(NotAWord::Domain(NotADomain::Character(c)));
    }
    Ok(Word::Path(name, format!("/{path}")))
}

fn known(text: &str) -> Result<Word, NotAWord> {
    let word = text.to_ascii_lowercase();
    if let Some(category) = Category::from_word(&word) {
        return Ok(Word::Category(category));
    }
    Service::from_word(&word).map(Word::Service).ok_or_else(|| NotAWord::Unknown(near(&word)))
}

/// The nearest categories and services, best first.
fn near(typed: &str) -> Vec<&'static str> {
    let plain = typed.replace([' ', '-'], "_");
    let called = CALLED.iter().filter(|(said, _)| *said == plain).map(|(_, word)| *word);
    let words = Category::all().map(Category::word).chain(Service::all().map(Service::word));
    let mut found: Vec<&'static str> = called.collect();
    for word in crate::read::nearest(typed, words) {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found.truncate(3);
    found
}

/// What a browser's address bar holds, as the word that it would be.
fn url(text: &str) -> Option<String> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (host, path) = rest[..end].split_once('/').map_or((&rest[..end], ""), |(h, p)| (h, p));
    let host = host.rsplit_once('@').map_or(host, |(_, h)| h);
    let port =
        host.rsplit_once(':').filter(|(h, p)| h.contains('.') && p.bytes().all(|b| b.is_ascii_digit()));
    if scheme.is_none() && end == rest.len() && port.is_none() {
        return None;
    }
    let host = port.map_or(host, |(h, _)| h);
    let site = host.strip_prefix("www.").filter(|h| h.contains('.')).unwrap_or(host);
    let path = path.trim_end_matches('/');
    Some(if path.is_empty() { site.to_lowercase() } else { format!("{}/{path}", site.to_lowercase()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_the_language_writes_them() {
        for (written, meant) in [
            ("bbc.co.uk", "bbc.co.uk"),
            ("BBC.co.uk.", "bbc.co.uk"),
            ("=bbc.co.uk", "=bbc.co.uk"),
            ("bbc.co.uk/bitesize", "bbc.co.uk/bitesize"),
            ("bbc.co.uk/Bitesize/", "bbc.co.uk/Bitesize"),
            ("bbc.co.uk/", "bbc.co.uk"),
            ("müller.example", "xn--mller-kva.example"),
            ("gambling", "gambling"),
            ("Gambling", "gambling"),
            ("tiktok", "tiktok"),
            ("github.io", "github.io"),
            ("=co.uk", "=co.uk"),
        ] {
            assert_eq!(Word::parse(written).map(|w| w.to_string()).as_deref(), Ok(meant), "{written}");
        }
    }

    #[test]
    fn a_dot_makes_a_site_and_no_dot_makes_a_word() {
        assert!(matches!(Word::parse("bbc.co.uk"), Ok(Word::Site(_))));
        assert!(matches!(Word::parse("=bbc.co.uk"), Ok(Word::Host(_))));
        assert!(matches!(Word::parse("bbc.co.uk/a"), Ok(Word::Path(_, p)) if p == "/a"));
        assert!(matches!(Word::parse("youtube"), Ok(Word::Service(_))));
        assert!(matches!(Word::parse("games"), Ok(Word::Category(_))));
    }

    #[test]
    fn what_is_no_word_says_what_was_meant() {
        let url = |meant: &str| NotAWord::Url(meant.to_owned());
        for (written, wrong) in [
            ("https://www.bbc.co.uk/", url("bbc.co.uk")),
            ("https://bbc.co.uk/news?x=1#y", url("bbc.co.uk/news")),
            ("bbc.co.uk:443", url("bbc.co.uk")),
            ("bbc.co.uk?x", url("bbc.co.uk")),
            ("*.bbc.co.uk", NotAWord::Star("bbc.co.uk".to_owned())),
            ("=bbc.co.uk/news", NotAWord::HostAndPath),
            ("192.0.2.1", NotAWord::Domain(NotADomain::Address)),
            ("a..b", NotAWord::Domain(NotADomain::EmptyLabel)),
            ("a b.example", NotAWord::Domain(NotADomain::Character(' '))),
            ("co.uk", NotAWord::PublicSuffix(Domain::parse("co.uk").expect("a name"))),
            ("gamblin", NotAWord::Unknown(vec!["gambling"])),
            ("porn", NotAWord::Unknown(vec!["pornography"])),
            ("", NotAWord::Unknown(vec![])),
        ] {
            assert_eq!(Word::parse(written), Err(wrong), "{written}");
        }
    }
}
