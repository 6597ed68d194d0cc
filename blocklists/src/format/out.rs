//! Where a format's reader puts what it understood of a line.

use super::entry::{Effect, Entry, Reach, Reason, Skips};
use crate::addresses::{AddressRange, NotListable};
use crate::{Domain, MAX_LABEL, MAX_NAME, Name, NotADomain};

/// So many entries of a list of addresses are kept: the largest public ones have some ten thousand.
const MOST_RANGES: usize = 200_000;

/// The receiving end of a format's reader: checks host names, passes entries on, counts what is skipped.
pub(crate) struct Out<'e> {
    each: &'e mut dyn FnMut(Entry<'_>),
    pub(crate) skips: Skips,
    pub(crate) line: u32,
    pub(crate) entries: u64,
    most: u64,
    /// So many addresses were kept before of the same archive.
    pub(crate) has_ranges: usize,
    /// What a list of addresses lists.
    pub(crate) ranges: Vec<AddressRange>,
    /// Whether an ending such as `nhs.uk` may be an entry: a table of this program means it, a stranger's list errs.
    pub(crate) takes_endings: bool,
    scratch: [u8; MAX_NAME],
}

impl<'e> Out<'e> {
    pub(crate) fn new(most: u64, each: &'e mut dyn FnMut(Entry<'_>)) -> Self {
        Self {
            each,
            skips: Skips::default(),
            line: 0,
            entries: 0,
            most,
            has_ranges: 0,
            ranges: Vec::new(),
            takes_endings: false,
            scratch: [0; MAX_NAME],
        }
    }

    /// A line that lists `host`.
    pub(crate) fn list(&mut self, host: &str, reach: Reach) {
        self.entry(host, reach, Effect::List);
    }

    /// A line that says something of `host`, as the list writes it.
    pub(crate) fn entry(&mut self, host: &str, reach: Reach, effect: Effect) {
        let line = self.line;
        if self.entries >= self.most {
            return self.skips.add(Reason::TooMany, line, host);
        }
        let mut owned = None;
        let read = match normalise(host, &mut self.scratch) {
            Some(name) => Ok(name),
            // The long way round knows Unicode, and says what is wrong.
            None => Domain::parse(host).map(|domain| owned.insert(domain).name()),
        };
        match read {
            Ok(name) if !self.takes_endings && is_registry_suffix(name) => {
                self.skips.add(Reason::PublicSuffix, line, host);
            }
            Ok(name) => {
                self.entries += 1;
                (self.each)(Entry { name, reach, effect, line });
            }
            Err(why) => self.skips.add(reason_for(host, why), line, host),
        }
    }

    /// A line that lists addresses.
    pub(crate) fn addresses(&mut self, written: &str) {
        if self.entries >= self.most || self.has_ranges + self.ranges.len() >= MOST_RANGES {
            return self.skip(Reason::TooMany, written);
        }
        let read = AddressRange::read(written).ok_or(Reason::NotAnAddress);
        match read.and_then(|range| range.listable().map_err(Reason::from)) {
            Ok(range) => {
                self.entries += 1;
                self.ranges.push(range);
            }
            Err(why) => self.skip(why, written),
        }
    }

    /// A line that this program cannot or will not follow.
    pub(crate) fn skip(&mut self, reason: Reason, text: &str) {
        self.skips.add(reason, self.line, text);
    }
}

impl From<NotListable> for Reason {
    fn from(why: NotListable) -> Self {
        match why {
            NotListable::Inside => Self::InsideHomes,
            NotListable::TooMany => Self::TooWide,
            NotListable::Shared => Self::Shared,
        }
    }
}

fn reason_for(host: &str, why: NotADomain) -> Reason {
    match why {
        NotADomain::Character('/') => Reason::Path,
        NotADomain::Character('*') => Reason::Pattern,
        NotADomain::Character(':' | '[') if is_address(host) => Reason::Address,
        other => other.into(),
    }
}

/// Whether a text is an IPv4 or IPv6 address, with or without brackets.
pub(crate) fn is_address(text: &str) -> bool {
    text.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>().is_ok()
}

/// The host in normal form, when it is ASCII and plainly well-formed: one pass, no allocation.
///
/// `None` sends the caller the long way round, which also knows what to say.
fn normalise<'s>(host: &str, scratch: &'s mut [u8; MAX_NAME]) -> Option<Name<'s>> {
    let host = host.as_bytes();
    let host = host.strip_suffix(b".").unwrap_or(host);
    let target = scratch.get_mut(..host.len())?;
    let (mut label, mut digits_only) = (0usize, true);
    for (to, &from) in target.iter_mut().zip(host) {
        let byte = CLASS[usize::from(from)];
        *to = byte;
        match byte {
            0 => return None,
            b'.' if label == 0 || label > MAX_LABEL => return None,
            b'.' => (label, digits_only) = (0, true),
            _ => {
                label += 1;
                digits_only &= byte.is_ascii_digit();
            }
        }
    }
    if label == 0 || label > MAX_LABEL || digits_only {
        return None;
    }
    std::str::from_utf8(target).ok().map(Name::trusted)
}

/// Each byte that a host name has, in lower case; 0 for the others.
const CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = (byte as u8).to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_' | b'.') {
            table[byte] = c;
        }
        byte += 1;
    }
    table
};

/// Whether the name is an ending that a registry sells names under (`com`, `co.uk`).
///
/// Only the ICANN part of the Public Suffix List counts. Its private part (`blogspot.com`, `duckdns.org`) are real
/// sites, and lists of dynamic DNS and of free hosts name them with intent.
fn is_registry_suffix(name: Name<'_>) -> bool {
    let bytes = name.as_str().as_bytes();
    // No ending of the ICANN part has more than four labels (`pvt.k12.ma.us`), so that most names need no look-up.
    if bytes.iter().filter(|&&b| b == b'.').count() > 3 {
        return false;
    }
    psl::suffix(bytes).is_some_and(|s| s.as_bytes().len() == bytes.len() && s.typ() == Some(psl::Type::Icann))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_and_the_long_way_agree() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "abcdefg.".repeat(32));
        let hosts = [
            "a.example",
            "A.Example.",
            "1.2.3.4",
            "a..b",
            ".a",
            "",
            ".",
            "a.b.",
            "_x.y-z.test",
            "a b",
            "1.2.3.4a",
            "x.123",
            "a/b",
            "bücher.example",
            &long_label,
            &long_name,
            "a.b..",
        ];
        for host in hosts {
            let mut scratch = [0; MAX_NAME];
            if let Some(name) = normalise(host, &mut scratch) {
                assert_eq!(Domain::parse(host).as_ref().map(Domain::name), Ok(name), "{host}");
            } else if host.is_ascii() {
                assert!(Domain::parse(host).is_err(), "{host} is a name, and the short way missed it");
            }
        }
    }

    #[test]
    fn endings_of_registries_are_no_sites() {
        for (name, ending) in [
            ("com", true),
            ("co.uk", true),
            ("leeds.sch.uk", true),
            ("blogspot.com", false),
            ("bbc.co.uk", false),
            ("test", false),
        ] {
            assert_eq!(is_registry_suffix(Name::trusted(name)), ending, "{name}");
        }
    }
}
