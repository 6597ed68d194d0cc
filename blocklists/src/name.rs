//! Host names as every room carries them: lower-case ASCII, no trailing dot, matched on label boundaries.

use std::borrow::Borrow;
use std::fmt;

/// The longest host name in presentation form (RFC 1035 §2.3.4, less the root's dot).
pub const MAX_NAME: usize = 253;
/// The longest label (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;

/// A host name that owns its text: lower-case ASCII (IDNA A-labels), no trailing dot.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(Box<str>);

/// A host name borrowed from somewhere else, in the same normal form as [`Domain`]. This is what the hot path carries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name<'a>(&'a str);

/// Why a text is no host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotADomain {
    /// There is no text.
    Empty,
    /// Longer than [`MAX_NAME`] bytes once written in ASCII.
    TooLong,
    /// Two dots follow each other, or the name begins with one.
    EmptyLabel,
    /// A label is longer than [`MAX_LABEL`] bytes.
    LongLabel,
    /// A character that no host name has.
    Character(char),
    /// Unicode that IDNA (UTS 46) does not allow in a name.
    Unicode,
    /// An IP address, which is not a name.
    Address,
}

impl fmt::Display for NotADomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty"),
            Self::TooLong => write!(f, "the name is longer than {MAX_NAME} characters"),
            Self::EmptyLabel => f.write_str("two dots follow each other"),
            Self::LongLabel => write!(f, "a part between two dots is longer than {MAX_LABEL} characters"),
            Self::Character(c) => write!(f, "`{}` cannot be part of a host name", c.escape_default()),
            Self::Unicode => f.write_str("these letters cannot be part of a host name"),
            Self::Address => f.write_str("this is an address, not a name"),
        }
    }
}

impl std::error::Error for NotADomain {}

impl Domain {
    /// Reads a host name as people and lists write it: any case, an optional trailing dot, Unicode allowed.
    ///
    /// Underscores are accepted, since real lists and real DNS have them. IP addresses are refused.
    pub fn parse(text: &str) -> Result<Self, NotADomain> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NotADomain::Empty);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| NotADomain::Unicode)?
        };
        Name::check(&ascii)?;
        // A name whose last label is all digits can only be an address (WHATWG URL, "ends in a number").
        let last = ascii.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotADomain::Address);
        }
        Ok(Self(ascii.into_boxed_str()))
    }

    /// The same name, borrowed.
    pub fn name(&self) -> Name<'_> {
        Name(&self.0)
    }

    /// The text: lower-case ASCII without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> Name<'a> {
    /// Takes a text that is already in normal form, checking that it is.
    pub fn new(text: &'a str) -> Result<Self, NotADomain> {
        Self::check(text)?;
        Ok(Self(text))
    }

    /// Takes a text that the caller has already normalised (lower-case ASCII, labels non-empty, no trailing dot).
    ///
    /// Breaking that promise is not unsafe: such a name simply matches nothing.
    pub fn trusted(text: &'a str) -> Self {
        Self(text)
    }

    fn check(text: &str) -> Result<(), NotADomain> {
        if text.is_empty() {
            return Err(NotADomain::Empty);
        }
        if text.len() > MAX_NAME {
            return Err(NotADomain::TooLong);
        }
        for label in text.split('.') {
            if label.is_empty() {
                return Err(NotADomain::EmptyLabel);
            }
            if label.len() > MAX_LABEL {
                return Err(NotADomain::LongLabel);
            }
            if let Some(c) = label.chars().find(|&c| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '_')) {
                return Err(NotADomain::Character(c));
            }
        }
        Ok(())
    }

    /// The text: lower-case ASCII without a trailing dot.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The name with its first label taken off; `None` for a single label.
    pub fn parent(self) -> Option<Name<'a>> {
        let dot = self.0.bytes().position(|byte| byte == b'.')?;
        Some(Name(&self.0[dot + 1..]))
    }

    /// This name, then its parents up to the top-level domain: most specific first.
    pub fn suffixes(self) -> impl Iterator<Item = Name<'a>> {
        std::iter::successors(Some(self), |name| name.parent())
    }

    /// Whether this name is `site` or stands below it, on a label boundary.
    pub fn is_under(self, site: Name<'_>) -> bool {
        match self.0.strip_suffix(site.0) {
            Some(rest) => rest.is_empty() || rest.ends_with('.'),
            None => false,
        }
    }

    /// The registrable domain by the Public Suffix List (`bbc.co.uk` for `www.bbc.co.uk`), else the whole name.
    pub fn registrable(self) -> Name<'a> {
        // A name is ASCII, so that the domain's bytes, which end it, are text of their own.
        let length = psl::domain(self.0.as_bytes()).map(|domain| domain.as_bytes().len());
        length.and_then(|length| self.0.get(self.0.len() - length..)).map_or(self, Name)
    }

    /// Whether the name itself is a public suffix (`co.uk`), under which strangers register names.
    ///
    /// Only suffixes that the list names count: an unlisted top-level domain (`test`) is not one.
    pub fn is_public_suffix(self) -> bool {
        psl::suffix(self.0.as_bytes()).is_some_and(|s| s.is_known() && s.as_bytes() == self.0.as_bytes())
    }

    /// The same name with its own text.
    pub fn to_domain(self) -> Domain {
        Domain(self.0.into())
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}
impl Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_is_on_label_boundaries() {
        let under = |name: &str, site: &str| Name::new(name).unwrap().is_under(Name::new(site).unwrap());
        assert!(under("xvideos.example", "xvideos.example"));
        assert!(under("www.xvideos.example", "xvideos.example"));
        assert!(!under("plexvideos.example", "xvideos.example"));
        assert!(!under("example", "xvideos.example"));
    }

    #[test]
    fn names_are_read_as_people_write_them() {
        for (written, meant) in [
            ("BBC.co.uk.", Ok("bbc.co.uk")),
            ("müller.example", Ok("xn--mller-kva.example")),
            ("_dmarc.example", Ok("_dmarc.example")),
            ("", Err(NotADomain::Empty)),
            (".", Err(NotADomain::Empty)),
            ("a..b", Err(NotADomain::EmptyLabel)),
            (".a.b", Err(NotADomain::EmptyLabel)),
            ("a b.example", Err(NotADomain::Character(' '))),
            ("192.0.2.1", Err(NotADomain::Address)),
        ] {
            assert_eq!(
                Domain::parse(written).as_ref().map(Domain::as_str),
                meant.as_ref().copied(),
                "{written}"
            );
        }
    }

    #[test]
    fn suffixes_run_from_the_whole_name_to_the_top() {
        let all: Vec<_> = Name::trusted("a.b.example").suffixes().map(Name::as_str).collect();
        assert_eq!(all, ["a.b.example", "b.example", "example"]);
    }

    #[test]
    fn public_suffixes_are_known() {
        assert!(Name::trusted("co.uk").is_public_suffix());
        assert!(Name::trusted("uk").is_public_suffix());
        assert!(!Name::trusted("bbc.co.uk").is_public_suffix());
        assert!(!Name::trusted("test").is_public_suffix());
        assert_eq!(Name::trusted("www.bbc.co.uk").registrable().as_str(), "bbc.co.uk");
    }
}
