//! No name of a young person where it must not stand: the one place where names become initials, by role.
//!
//! Whoever may not know the young people gets no page but through [`pages`]: pages say initials by themselves where they know
//! that a name stands, and whatever else a name may be part of (a file's name, a device's, a warning, a site) is found here.

use super::page::initials;
use agreements::{House, Person, PersonKind, Role};
use axum::body::{Body, to_bytes};
use axum::http::{Response, header};
use std::collections::{BTreeMap, HashMap};

/// A page is no larger than this.
const LARGEST: usize = 16 * 1024 * 1024;
/// Shorter parts of a name are in every second word.
const LEAST: usize = 3;
/// Words of everyday English that are somebody's first name, too. In small letters they are taken for the word.
const WORDS: [&str; 30] = [
    "art", "bill", "dawn", "drew", "faith", "gene", "grace", "guy", "harper", "hope", "jack", "joy", "june",
    "long", "mark", "max", "may", "miles", "page", "pat", "ray", "rich", "rob", "rose", "sky", "summer",
    "will", "winter", "young", "storm",
];

/// What stands in place of names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// By the first letter: in small letters, the longest first, each with what stands in its place.
    names: HashMap<char, Vec<(Vec<char>, String)>>,
}

impl Redactor {
    /// For everybody of the home whose records these are: young people.
    pub(crate) fn all(house: &House) -> Self {
        Self::of(house, |_| true)
    }

    /// For every young person but one: for what that one may read.
    pub(crate) fn others(house: &House, id: &str) -> Self {
        Self::of(house, |person| person.id != id)
    }

    fn of(house: &House, hides: impl Fn(&Person) -> bool) -> Self {
        let young = || house.people().map(|(_, person)| person).filter(|p| p.kind == PersonKind::YoungPerson);
        // What one young person shares with another who may be named (a family name) is nobody's secret.
        let named: Vec<String> =
            young().filter(|person| !hides(person)).flat_map(parts).map(|part| part.to_lowercase()).collect();
        let mut names = BTreeMap::new();
        for person in young().filter(|person| hides(person)) {
            for part in parts(person) {
                let small = part.to_lowercase();
                if !named.contains(&small) {
                    names.insert(small, initials(&person.name));
                }
            }
        }
        Self::named(names)
    }

    fn named(names: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut by_letter: HashMap<char, Vec<(Vec<char>, String)>> = HashMap::new();
        for (name, short) in names {
            let name: Vec<char> = name.chars().collect();
            if let Some(first) = name.first() {
                by_letter.entry(*first).or_default().push((name, short));
            }
        }
        by_letter.values_mut().for_each(|names| names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len())));
        Self { names: by_letter }
    }

    /// A text without the names.
    pub(crate) fn text(&self, text: &str) -> String {
        if self.names.is_empty() {
            return text.to_owned();
        }
        let chars: Vec<char> = text.chars().collect();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            let letter = c.to_lowercase().next().unwrap_or(c);
            let mut named = self.names.get(&letter).into_iter().flatten();
            match named.find(|(name, _)| is_at(&chars, at, name)) {
                Some((name, short)) => {
                    out.push_str(short);
                    at += name.len();
                }
                None => {
                    out.push(c);
                    at += 1;
                }
            }
        }
        out
    }

    /// A page without the names: its text and what its attributes say, and nothing of its structure.
    fn page(&self, page: &str) -> String {
        let mut out = String::with_capacity(page.len());
        for (n, part) in page.split('<').enumerate() {
            let Some((tag, text)) = part.split_once('>').filter(|_| n > 0) else {
                out.push_str(&self.text(part));
                continue;
            };
            out.push('<');
            out.push_str(&self.tag(tag));
            out.push('>');
            out.push_str(&self.text(text));
        }
        out
    }

    fn tag(&self, tag: &str) -> String {
        let mut out = String::with_capacity(tag.len());
        for (n, part) in tag.split('"').enumerate() {
            if n > 0 {
                out.push('"');
            }
            // Every second part is an attribute's value; the gateway's own addresses and styles name nobody.
            match n % 2 == 1 && !out.ends_with("class=\"") {
                true => out.push_str(&self.text(part)),
                false => out.push_str(part),
            }
        }
        out
    }
}

/// What somebody is called: the whole, and each part that is long enough to be told; the id, and its parts.
fn parts(person: &Person) -> Vec<String> {
    let whole = [person.name.clone(), escaped(&person.name), person.id.clone()];
    let split = [&person.name, &person.id]
        .into_iter()
        .flat_map(|text| text.split([' ', '-', '.', '_', '\'', '’']))
        .filter(|part| part.chars().count() >= LEAST && !part.chars().all(|c| c.is_ascii_digit()))
        .map(str::to_owned);
    whole.into_iter().filter(|part| part.chars().count() > 1).chain(split).collect()
}

/// As a page has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

/// Whether a name stands at a place: not within another word, save with an `s` behind it, as devices are called.
fn is_at(text: &[char], at: usize, name: &[char]) -> bool {
    let same = |a: &char, b: &char| a == b || a.to_lowercase().eq(b.to_lowercase());
    let Some(found) =
        text.get(at..at + name.len()).filter(|found| found.iter().zip(name).all(|(a, b)| same(a, b)))
    else {
        return false;
    };
    let within = |c: Option<&char>| c.is_some_and(|c| c.is_alphabetic());
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    // `JordansPhone`: what comes before is small, and what begins is large.
    let begins = !within(before) || before.is_some_and(|c| c.is_lowercase()) && found[0].is_uppercase();
    let after = at + name.len();
    let ends = |at: usize| !within(text.get(at)) || text.get(at).is_some_and(|c| c.is_uppercase());
    let possessive =
        text.get(after).is_some_and(|c| matches!(c, 's' | 'S')) && (ends(after + 1) || name.len() > 4);
    let is_word =
        found.iter().all(|c| c.is_lowercase()) && WORDS.contains(&found.iter().collect::<String>().as_str());
    begins && (ends(after) || possessive) && !is_word
}

/// What a role is answered: to whoever may not know the young people, without their names.
pub(crate) async fn pages(role: Role, house: &House, response: Response<Body>) -> Response<Body> {
    let knows = matches!(role, Role::Manager | Role::Staff);
    let kind = response.headers().get(header::CONTENT_TYPE);
    if knows || !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A page of ours is in memory as a whole already.
    let page = to_bytes(body, LARGEST).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(Redactor::all(house).page(&String::from_utf8_lossy(&page))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let names =
            [("jordan", "J."), ("kim lee", "K.L."), ("kim", "K.L."), ("may", "M."), ("o&#39;dea", "S.O.")];
        Redactor::named(names.map(|(name, short)| (name.to_owned(), short.to_owned())))
    }

    #[test]
    fn names_wherever_they_stand() {
        for (text, without) in [
            ("The internet is off for Jordan until 07:00.", "The internet is off for J. until 07:00."),
            ("agreements/jordan.yaml waits", "agreements/J..yaml waits"),
            (
                "JORDAN-LAPTOP, Jordans-iPhone, JordansPhone, jordansphone",
                "J.-LAPTOP, J.s-iPhone, J.sPhone, J.sphone",
            ),
            ("Jordan’s phone and Jordan's", "J.’s phone and J.'s"),
            ("Kim Lee and Kim", "K.L. and K.L."),
            ("Kimberley, kimono, jordanian", "Kimberley, kimono, jordanian"),
            ("You may ask May", "You may ask M."),
            ("O&#39;Dea", "S.O."),
            ("jordan.fan.example", "J..fan.example"),
            ("myJordan", "myJ."),
            ("", ""),
        ] {
            assert_eq!(redactor().text(text), without, "{text}");
        }
    }

    #[test]
    fn a_page_stays_a_page() {
        let page = "<p class=\"jordan\" id=\"why-jordan\" title=\"Jordan &#62; all\">Jordan &#60;b&#62; <b>kim</b></p> Jordan";
        assert_eq!(
            redactor().page(page),
            "<p class=\"jordan\" id=\"why-J.\" title=\"J. &#62; all\">J. &#60;b&#62; <b>K.L.</b></p> J."
        );
    }
}
