//! No name of a young person where it must not stand: the one place where names become initials, by role.
//!
//! Whoever may not know the young people gets no page but through [`pages`]: pages say initials by themselves where they know
//! that a name stands, and whatever else a name may be part of (a file's name, a device's, a warning, a site) is found here.

use super::left::{Left, left};
use super::page::initials;
use super::wrong::Wrong;
use agreements::{House, PersonKind, Role};
use axum::body::{Body, to_bytes};
use axum::http::{Response, header};
use axum::response::IntoResponse;
use records::Records;
use std::collections::{BTreeMap, HashMap};

/// A page is no larger than this.
const LARGEST: usize = 16 * 1024 * 1024;
/// Shorter parts of a name are nobody's.
const LEAST: usize = 2;
/// Words of everyday English that are somebody's first name, too. In running text, in small letters, they are taken for the word.
const WORDS: [&str; 30] = [
    "art", "bill", "dawn", "drew", "faith", "gene", "grace", "guy", "harper", "hope", "jack", "joy", "june",
    "long", "mark", "max", "may", "miles", "page", "pat", "ray", "rich", "rob", "rose", "sky", "summer",
    "will", "winter", "young", "storm",
];
/// What no person is called, and a shared device is: no part of a name, however it is written.
const THINGS: [&str; 15] = [
    "computer",
    "console",
    "games",
    "ipad",
    "laptop",
    "lounge",
    "pc",
    "phone",
    "playstation",
    "room",
    "shared",
    "study",
    "tablet",
    "television",
    "tv",
];

/// What stands in place of names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    /// By the first letter: the longest first.
    names: HashMap<char, Vec<Hidden>>,
}

/// A name that is hidden.
#[derive(Clone, Debug)]
struct Hidden {
    /// In small letters.
    name: Vec<char>,
    /// What stands in its place.
    short: String,
    /// Whether it is part of a name alone, and no id: one of two letters is then in every second word, save where it is capitalised.
    is_part: bool,
}

impl Redactor {
    /// For everybody whose records these are: young people, those who have left, too.
    pub(super) fn all(house: &House, left: &[Left]) -> Self {
        Self::of(house, left, |_| true)
    }

    /// For every young person but one: for what that one may read.
    pub(super) fn others(house: &House, left: &[Left], id: &str) -> Self {
        Self::of(house, left, |person| person != id)
    }

    fn of(house: &House, left: &[Left], hides: impl Fn(&str) -> bool) -> Self {
        let here = house.people().map(|(_, person)| person).filter(|p| p.kind == PersonKind::YoungPerson);
        let here = here.map(|person| (person.id.as_str(), person.name.as_str()));
        let left = left.iter().map(|one| (one.id.as_str(), one.name.as_str()));
        let (hidden, shown): (Vec<_>, Vec<_>) = here.chain(left).partition(|(id, _)| hides(id));
        // What one young person shares with another who may be named (a family name) is nobody's secret.
        let named = shown.iter().flat_map(|(id, name)| parts(id, name));
        let named: Vec<String> = named.map(|part| part.to_lowercase()).collect();
        let mut names = BTreeMap::new();
        for (id, name) in hidden {
            for part in parts(id, name) {
                let small = part.to_lowercase();
                if !named.contains(&small) {
                    let is_id = names.get(&small).is_some_and(|(_, is_part)| !is_part) || small == id;
                    names.insert(small, (initials(name), !is_id));
                }
            }
        }
        Self::named(names)
    }

    fn named(names: impl IntoIterator<Item = (String, (String, bool))>) -> Self {
        let mut by_letter: HashMap<char, Vec<Hidden>> = HashMap::new();
        for (name, (short, is_part)) in names {
            let name: Vec<char> = name.chars().collect();
            if let Some(first) = name.first() {
                by_letter.entry(*first).or_default().push(Hidden { name, short, is_part });
            }
        }
        by_letter.values_mut().for_each(|names| names.sort_by_key(|one| std::cmp::Reverse(one.name.len())));
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
            match named.find(|one| is_at(&chars, at, one)) {
                Some(one) => {
                    out.push_str(&one.short);
                    at += one.name.len();
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

/// What somebody is called: the whole, the id, and each part of them that is long enough to be told and may be a name.
fn parts(id: &str, name: &str) -> Vec<String> {
    let whole = [name.to_owned(), escaped(name), id.to_owned()];
    let split = [name, id]
        .into_iter()
        .flat_map(|text| text.split([' ', '-', '.', '_', '\'', '’']))
        .filter(|part| part.chars().count() >= LEAST && !part.chars().all(|c| c.is_ascii_digit()))
        .filter(|part| !THINGS.contains(&part.to_lowercase().as_str()))
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
fn is_at(text: &[char], at: usize, Hidden { name, is_part, short: _ }: &Hidden) -> bool {
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
    let is_small = found.iter().all(|c| c.is_lowercase());
    let is_short = name.len() <= LEAST;
    let is_word = is_small
        && (is_short && *is_part
            || (is_short || WORDS.contains(&found.iter().collect::<String>().as_str()))
                && is_running(text, at, after));
    begins && (ends(after) || possessive) && !is_word
}

/// Whether what stands from a place to another is a word of running text: not all that there is (an id), nor part of a path, a
/// host or a device's name.
fn is_running(text: &[char], from: usize, to: usize) -> bool {
    let (before, rest) = text.split_at(from);
    let after = &rest[to - from..];
    let token = |c: &&char| !c.is_whitespace();
    let opens = before.iter().rev().take_while(token).all(|c| "([\"'“‘«".contains(*c));
    let closes = after.iter().take_while(token).all(|c| ".,;:!?)]\"'”’»…".contains(*c));
    opens && closes && before.iter().chain(after).any(|c| c.is_alphanumeric())
}

/// What a role is answered: to whoever may not know the young people, without their names.
pub(crate) async fn pages(
    role: Role,
    (records, house): (&Records, &House),
    response: Response<Body>,
) -> Response<Body> {
    let knows = matches!(role, Role::Manager | Role::Staff);
    let kind = response.headers().get(header::CONTENT_TYPE);
    if knows || !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    // Where nobody can tell who has left, nothing goes out.
    let names = match left(records, house).await {
        Ok(left) => Redactor::all(house, &left),
        Err(error) => return Wrong::from(error).into_response(),
    };
    let (mut parts, body) = response.into_parts();
    // A page of ours is in memory as a whole already.
    let page = to_bytes(body, LARGEST).await.unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(names.page(&String::from_utf8_lossy(&page))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let names = [
            ("jordan", "J.", false),
            ("kim lee", "K.L.", true),
            ("kim", "K.L.", true),
            ("may", "M.", false),
            ("jo", "J.S.", true),
            ("al", "A.", false),
            ("o&#39;dea", "S.O.", true),
        ];
        Redactor::named(names.map(|(name, short, is_part)| (name.to_owned(), (short.to_owned(), is_part))))
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
            ("He said (may be), and may.", "He said (may be), and may."),
            ("agreements/may.yaml waits", "agreements/M..yaml waits"),
            ("may.fan.example and `may` and may-phone", "M..fan.example and `M.` and M.-phone"),
            ("may", "M."),
            (" may ", " M. "),
            ("Jo and Jo’s phone, JoPhone, JO-LAPTOP", "J.S. and J.S.’s phone, J.S.Phone, J.S.-LAPTOP"),
            ("Joe enjoys a jog, jo said", "Joe enjoys a jog, jo said"),
            ("jo-net.example and jo", "jo-net.example and jo"),
            ("agreements/al.yaml, Al, al", "agreements/A..yaml, A., al"),
            ("al", "A."),
            ("O&#39;Dea", "S.O."),
            ("jordan.fan.example", "J..fan.example"),
            ("myJordan", "myJ."),
            ("", ""),
        ] {
            assert_eq!(redactor().text(text), without, "{text}");
        }
    }

    #[test]
    fn a_family_name_that_two_share_is_told_to_either() {
        use crate::desk::tests::play::{HOME, JORDAN, snapshot};
        let house = &snapshot(HOME, &[("sam", &JORDAN.replace("person: Jordan", "person: Sam Ellis"))]).house;
        let left = [Left { id: "jordan".into(), name: "Jordan Ellis".into() }];
        let (all, own) = (Redactor::all(house, &left), Redactor::others(house, &left, "jordan"));
        assert_eq!(all.text("Jordan Ellis and Sam"), "J.E. and S.E.");
        assert_eq!(own.text("Jordan Ellis and Sam"), "Jordan Ellis and S.E.");
    }

    #[test]
    fn whoever_left_is_hidden_in_every_part_and_a_thing_is_no_name() {
        use crate::desk::tests::play::{HOME, snapshot};
        let house = &snapshot(HOME, &[]).house;
        let gone = |id: &str, name: &str| Left { id: id.into(), name: name.into() };
        let left = [gone("jordan", "Jordan Ellis"), gone("study-laptop", "Robin’s laptop")];
        let all = Redactor::all(house, &left);
        for (text, without) in [
            (
                "Jordan told me, jordan said, and Ellis: Jordans-iPhone",
                "J.E. told me, J.E. said, and J.E.: J.E.s-iPhone",
            ),
            ("ellis.example", "J.E..example"),
            ("a laptop, the Study and Robin’s laptop: Robin", "a laptop, the Study and R.L.: R.L."),
        ] {
            assert_eq!(all.text(text), without, "{text}");
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
