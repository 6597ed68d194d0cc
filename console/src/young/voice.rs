//! In what words a page speaks: the language, easy read or not, how strong the colours are.
//!
//! What these pages say of their own stands in `console/words/`, one file a language. What they say in the words of another room stands
//! there in English, and in Welsh where it is shown in Welsh: kinds of site and services (`blocklists/data/`; their Welsh in
//! `console/words/names.cy.txt`), ways around the gateway (`agreements/src/detector.rs`, in both), and the decision's sentences
//! (`agreements/src/house/sentence.rs`, in English alone: in Welsh and in easy words `why.*` stands in their place). What a person or a
//! file says stays as it was written ([`super::line`]).
//!
//! What somebody chose stands in the address, and no page keeps it: on a shared device nobody finds another's choice.

use agreements::{Detector, LimitKey, Word};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::sync::LazyLock;

type Words = HashMap<&'static str, &'static str>;

static ENGLISH: LazyLock<Words> = LazyLock::new(|| read(include_str!("../../words/en.txt")));
static WELSH: LazyLock<Words> = LazyLock::new(|| {
    read(concat!(include_str!("../../words/cy.txt"), include_str!("../../words/names.cy.txt")))
});

/// Reads a file of words: a key, `=`, what it says.
fn read(text: &'static str) -> Words {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).map(|(key, said)| (key.trim(), said.trim())).collect()
}

/// What somebody chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Voice {
    welsh: bool,
    easy: bool,
    strong: bool,
}

impl Voice {
    /// As the address says; the language else as the browser does (RFC 9110 §12.5.4).
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let query = uri.query().unwrap_or_default();
        let says = |pair: &str| query.split('&').any(|said| said == pair);
        let browser = Self::of_browser(headers.get(header::ACCEPT_LANGUAGE)).welsh;
        let welsh = if says("lang=en") { false } else { says("lang=cy") || browser };
        Self { welsh, easy: says("easy=yes"), strong: says("contrast=high") }
    }

    /// In the language that a browser's reader wants most, of those that there are.
    pub(crate) fn of_browser(languages: Option<&HeaderValue>) -> Self {
        let languages = languages.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let weighed = languages.split(',').filter_map(|one| {
            let (tag, rest) = one.split_once(';').unwrap_or((one, ""));
            let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
            let tag = tag.trim().to_ascii_lowercase();
            let welsh = tag == "cy" || tag.starts_with("cy-");
            (welsh || tag == "en" || tag.starts_with("en-")).then_some((weight, welsh))
        });
        // Of two that are wanted alike the first is meant.
        let best = weighed.reduce(|best, one| if one.0 > best.0 { one } else { best });
        Self { welsh: best.is_some_and(|(weight, welsh)| welsh && weight > 0.0), ..Self::default() }
    }

    /// The same in the other language.
    pub(crate) fn other(self) -> Self {
        Self { welsh: !self.welsh, ..self }
    }

    /// The same in easy words.
    pub(crate) fn easier(self) -> Self {
        Self { easy: true, ..self }
    }

    /// What a way around the gateway is, in its own words.
    pub(crate) fn of_detector(self, detector: Detector) -> &'static str {
        let row = detector.row();
        if self.welsh { row.to_you_in_welsh } else { row.to_you }
    }

    /// What a kind of site, a service or a site is called.
    pub(crate) fn of_word(self, word: &Word) -> String {
        let (key, english) = match word {
            Word::Category(category) => {
                (format!("category.{}", category.word()), category.for_young_person())
            }
            Word::Service(service) => (format!("service.{}", service.word()), service.title()),
            Word::Site(_) | Word::Host(_) | Word::Path(..) => return word.to_string(),
        };
        let welsh = self.welsh.then(|| WELSH.get(key.as_str())).flatten();
        welsh.copied().unwrap_or(english).to_owned()
    }

    /// The same of a word as the records spell it.
    pub(crate) fn of_text(self, word: &str) -> String {
        Word::parse(word).map_or_else(|_| word.to_owned(), |word| self.of_word(&word))
    }

    /// What a limit counts.
    pub(crate) fn of_key(self, key: &LimitKey) -> String {
        match key {
            LimitKey::Everything => self.say("left.everything").to_owned(),
            LimitKey::Word(word) => self.of_word(word),
        }
    }

    pub(crate) const fn is_welsh(self) -> bool {
        self.welsh
    }

    /// Whether the page is for whoever wants easy words.
    pub(crate) const fn is_easy(self) -> bool {
        self.easy
    }

    /// What stands under a key; on easy-read pages the easier words, where there are some.
    pub(crate) fn say(self, key: &str) -> &'static str {
        let words = if self.welsh { &*WELSH } else { &*ENGLISH };
        let easier = self.easy.then(|| words.get(format!("{key}.easy").as_str())).flatten();
        easier.or_else(|| words.get(key)).or_else(|| ENGLISH.get(key)).copied().unwrap_or_default()
    }

    /// The same, with what is put in.
    pub(crate) fn fill(self, key: &str, put: &[(&str, &str)]) -> String {
        let mut said = String::new();
        let mut rest = self.say(key);
        // What is put in is not looked at again: a name may have braces.
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, left)) = after.split_once('}') else { break };
            said.push_str(before);
            said.push_str(put.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value));
            rest = left;
        }
        said + rest
    }

    /// An address within these pages, which keeps what was chosen.
    pub(crate) fn link(self, path: &str) -> String {
        let lang = if self.welsh { "lang=cy" } else { "lang=en" };
        let mut link = format!("{path}{}{lang}", if path.contains('?') { '&' } else { '?' });
        if self.easy {
            link.push_str("&easy=yes");
        }
        if self.strong {
            link.push_str("&contrast=high");
        }
        link
    }

    /// The same page in the other language, easier or not, in stronger colours or not: what each is called, and where it is.
    pub(crate) fn choices(self, path: &str) -> Vec<(&'static str, String)> {
        let easy = if self.easy { "easy.off" } else { "easy" };
        let strong = if self.strong { "strong.off" } else { "strong" };
        let plain = Self { easy: false, ..self };
        vec![
            (self.say("other"), self.other().link(path)),
            (plain.say(easy), Self { easy: !self.easy, ..self }.link(path)),
            (plain.say(strong), Self { strong: !self.strong, ..self }.link(path)),
        ]
    }

    /// What the page's colours and letters are called in its style.
    pub(crate) const fn class(self) -> &'static str {
        match (self.easy, self.strong) {
            (false, false) => "",
            (true, false) => "easy",
            (false, true) => "strong",
            (true, true) => "easy strong",
        }
    }

    /// A day of the week.
    pub(crate) fn weekday(self, date: NaiveDate) -> &'static str {
        self.day(date.weekday().num_days_from_monday() as usize)
    }

    /// A day of the week by its number: 0 is Monday.
    pub(crate) fn day(self, number: usize) -> &'static str {
        let days = ["day.mon", "day.tue", "day.wed", "day.thu", "day.fri", "day.sat", "day.sun"];
        days.get(number).map_or("", |key| self.say(key))
    }

    /// A date: `31 January`.
    pub(crate) fn date(self, date: NaiveDate) -> String {
        let month = self.say(&format!("month.{}", date.month()));
        self.fill("when.date", &[("day", &date.day().to_string()), ("month", month)])
    }

    /// A date with its year.
    pub(crate) fn date_with_year(self, date: NaiveDate) -> String {
        self.fill("when.year", &[("date", &self.date(date)), ("year", &date.year().to_string())])
    }

    /// What was chosen, as the hidden fields of a form that asks by its address.
    pub(crate) fn fields(self) -> Vec<(&'static str, &'static str)> {
        let all = [
            Some(("lang", if self.welsh { "cy" } else { "en" })),
            self.easy.then_some(("easy", "yes")),
            self.strong.then_some(("contrast", "high")),
        ];
        all.into_iter().flatten().collect()
    }

    /// An instant as people say it, seen from another.
    pub(crate) fn when(self, at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
        let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
        let time = at.format("%H:%M").to_string();
        let date = at.date_naive();
        match (date - now.date_naive()).num_days() {
            0 => time,
            1 => self.fill("when.tomorrow", &[("time", &time)]),
            2..=6 => self.fill("when.day", &[("time", &time), ("day", self.weekday(date))]),
            _ => self.fill("when.day", &[("time", &time), ("day", &self.date(date))]),
        }
    }

    /// A length of time: `1 h 20 min`.
    pub(crate) fn length(self, minutes: i64) -> String {
        let of = |key, n: i64| self.fill(key, &[("n", &n.to_string())]);
        match (minutes / 60, minutes % 60) {
            (0, ..1) => self.say("minute.less").to_owned(),
            (0, minutes) => of("minutes", minutes),
            (hours, 0) => of("hours", hours),
            (hours, minutes) => format!("{} {}", of("hours", hours), of("minutes", minutes)),
        }
    }
}

/// All English words, for the tests of how easily they are read.
#[cfg(test)]
pub(super) fn english() -> impl Iterator<Item = (&'static str, &'static str)> {
    ENGLISH.iter().map(|(key, said)| (*key, *said))
}

/// What an English key says in Welsh.
#[cfg(test)]
pub(super) fn welsh(key: &str) -> &'static str {
    WELSH[key]
}

#[cfg(test)]
mod tests {
    use super::*;
    use blocklists::{Category, Service};
    use std::collections::BTreeSet;

    fn voice(query: &str, language: &str) -> Voice {
        let uri = format!("/week?{query}").parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, language.parse().unwrap());
        Voice::of(&uri, &headers)
    }

    /// What is put into some words.
    fn holes(said: &str) -> BTreeSet<&str> {
        said.split('{').skip(1).filter_map(|part| part.split('}').next()).collect()
    }

    /// Whether a key is of what another room says in English.
    fn is_of_another_room(key: &str) -> bool {
        key.starts_with("category.") || key.starts_with("service.")
    }

    #[test]
    fn both_languages_say_everything() {
        let keys = |words: &'static Words| {
            words.keys().copied().filter(|key| !is_of_another_room(key)).collect::<BTreeSet<_>>()
        };
        assert_eq!(keys(&ENGLISH), keys(&WELSH));
        assert!(!ENGLISH.keys().any(|key| is_of_another_room(key)), "their English stands in their own room");
        assert!(ENGLISH.len() > 150, "{}", ENGLISH.len());
        for (key, english) in &*ENGLISH {
            let welsh = WELSH[key];
            assert_eq!(holes(english), holes(welsh), "{key}");
            assert!(!welsh.is_empty() && !english.is_empty(), "{key}");
        }
        let same: Vec<_> =
            ENGLISH.iter().filter(|(key, said)| WELSH[*key] == **said).map(|(key, _)| key).collect();
        assert!(
            same.iter().all(|key| ["dir", "when.year", "when.date"].contains(*key)),
            "{same:?} are not translated"
        );
    }

    #[test]
    fn kinds_of_site_and_services_have_a_welsh_name() {
        let welsh = Voice { welsh: true, ..Voice::default() };
        let kinds = Category::all().map(Word::Category);
        // A name without a word of the language in it is the same in every language.
        let spoken = |service: &Service| {
            let mut words = service.title().split([' ', ',']);
            words.any(|word| ["and", "or", "other", "others", "games", "television", "in"].contains(&word))
        };
        let names = Service::all().filter(spoken).map(Word::Service);
        let mut known = BTreeSet::new();
        for word in kinds.chain(names) {
            let (cymraeg, english) = (welsh.of_word(&word), Voice::default().of_word(&word));
            assert_ne!(cymraeg, english, "{word} has no Welsh");
            let of = if matches!(word, Word::Category(_)) { "category" } else { "service" };
            known.insert(format!("{of}.{word}"));
        }
        let there: BTreeSet<String> =
            WELSH.keys().filter(|key| is_of_another_room(key)).map(|key| (*key).to_owned()).collect();
        assert_eq!(there, known, "a line for what there is no more, or that needs none");
        let site = Word::parse("bbc.example/news").unwrap();
        assert_eq!(
            (welsh.of_word(&site), welsh.of_key(&LimitKey::Everything)),
            ("bbc.example/news".into(), "Popeth gyda’i gilydd".into())
        );
    }

    /// Every file of the young person's pages, of refusals and of signing in: sources and templates.
    #[allow(clippy::disallowed_methods, reason = "a test reads the room's own sources")]
    fn files() -> Vec<(String, String)> {
        let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        for folder in ["src", "src/young", "templates", "templates/young"] {
            for file in std::fs::read_dir(room.join(folder)).unwrap() {
                let path = file.unwrap().path();
                if path.is_file() {
                    files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files
    }

    #[test]
    fn every_key_that_is_used_is_there() {
        let mut checked = 0;
        for (file, text) in files() {
            for call in ["say(\"", "fill(\"", "around(\""] {
                for part in text.split(call).skip(1) {
                    let key = part.split('"').next().unwrap();
                    assert!(ENGLISH.contains_key(key), "{file}: `{key}` is said nowhere");
                    checked += 1;
                }
            }
        }
        assert!(checked > 150, "{checked}");
    }

    #[test]
    fn the_address_chooses_and_else_the_browser() {
        for (query, language, lang, class) in [
            ("", "en-GB,cy;q=0.5", "en-GB", ""),
            ("", "cy,en;q=0.5", "cy", ""),
            ("", "en;q=0.5, cy;q=0.9", "cy", ""),
            ("", "pl,cy-GB;q=0.8,en;q=0.7", "cy", ""),
            ("", "cyx, ar", "en-GB", ""),
            ("", "cy;q=0", "en-GB", ""),
            ("", "cy;q=x, en", "en-GB", ""),
            ("lang=en", "cy", "en-GB", ""),
            ("lang=cy&easy=yes&contrast=high", "en", "cy", "easy strong"),
            ("lang=%22%3E", "en", "en-GB", ""),
        ] {
            let voice = voice(query, language);
            assert_eq!((voice.say("lang"), voice.class()), (lang, class), "{query}");
        }
        assert_eq!(voice("easy=yes&lang=cy", "en").link("/week"), "/week?lang=cy&easy=yes");
        assert_eq!(voice("easy=yes", "en").say("now.off"), "It is off until {until}.");
        assert_eq!(Voice::default().easier().say("why.times"), "It is off at this time.");
    }

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let said = Voice::default().fill("hello", &[("name", "{name} {until}")]);
        assert_eq!(said, "Hello {name} {until}");
    }

    #[test]
    fn times_as_people_say_them() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-22T17:30:00Z");
        let zone = chrono_tz::Europe::London;
        let welsh = Voice { welsh: true, ..Voice::default() };
        for (when, english, cymraeg) in [
            ("2026-11-22T21:00:00Z", "21:00", "21:00"),
            ("2026-11-23T07:00:00Z", "07:00 tomorrow", "07:00 yfory"),
            ("2026-11-25T07:00:00Z", "07:00 on Wednesday", "07:00 dydd Mercher"),
            ("2026-12-24T07:00:00Z", "07:00 on 24 December", "07:00 24 Rhagfyr"),
        ] {
            assert_eq!(Voice::default().when(at(when), now, zone), english);
            assert_eq!(welsh.when(at(when), now, zone), cymraeg);
        }
        assert_eq!((welsh.length(80), Voice::default().length(60)), ("1 awr 20 mun".into(), "1 h".into()));
    }
}
