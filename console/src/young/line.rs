//! A line of a page in which somebody is quoted: the page's own words, and within them what staff, a file or a young person says.
//! Those are in a language of their own, and say so to whoever hears the page (WCAG 2.2 §3.1.2).

use super::Voice;

/// What staff and a home's files are written in.
pub(crate) const HOMES: &str = "en-GB";
/// What young people write in is nobody's to know (HTML: the language is unknown).
const ANY: &str = "";

/// A line, in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) parts: Vec<Part>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) text: String,
    /// The language that it is in, where that is another than the page's.
    pub(crate) lang: Option<&'static str>,
}

impl Part {
    /// Words of the page's own.
    pub(crate) fn ours(text: impl Into<String>) -> Self {
        Self { text: text.into(), lang: None }
    }

    /// What staff or a file says.
    pub(crate) fn of_home(v: Voice, text: impl Into<String>) -> Self {
        Self { text: text.into(), lang: v.is_welsh().then_some(HOMES) }
    }

    /// What a young person wrote.
    pub(crate) fn of_them(v: Voice, text: impl Into<String>) -> Self {
        Self { text: text.into(), lang: v.is_welsh().then_some(ANY) }
    }
}

impl From<Part> for Line {
    fn from(part: Part) -> Self {
        Self { parts: vec![part] }
    }
}

impl Voice {
    /// What stands under a key, with parts in place of its one hole.
    pub(crate) fn around(self, key: &str, parts: impl IntoIterator<Item = Part>) -> Line {
        let said = self.say(key);
        let (before, rest) = said.split_once('{').unwrap_or((said, ""));
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        let inside = parts.into_iter();
        let all = std::iter::once(Part::ours(before)).chain(inside).chain([Part::ours(after)]);
        Line { parts: all.filter(|part| !part.text.is_empty()).collect() }
    }
}
