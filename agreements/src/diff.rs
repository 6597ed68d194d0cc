//! What a change of a home's files gives and takes: minutes of each day, sites, services and categories, limits, settings.
//! It speaks the language's words, so that a manager finds each in the file.

mod settings;

use crate::calendar::Day;
use crate::house::{House, PersonId, key_in_words};
use crate::meant::{LimitKey, Person, Ruling};
use crate::verdict::Outcome;
use crate::week::{Segment, duration};
use crate::word::Word;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What changed between two homes, over seven days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// People who have changed; those who have not are left out.
    pub people: Vec<PersonDiff>,
    /// The floor: words that are now closed for everyone, or no longer.
    pub everyone: WordChanges,
    /// What the baseline says differently.
    pub baseline: WordChanges,
    /// What else `home.yaml` says differently.
    pub settings: Vec<SettingChange>,
}

/// What changed for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonDiff {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// Whether the person came, went or stayed.
    pub presence: Presence,
    /// The days on which something is given or taken.
    pub days: Vec<DayDiff>,
    /// The words that are said differently.
    pub words: WordChanges,
    /// `otherwise`, if it changed.
    pub otherwise: Option<(Outcome, Outcome)>,
    /// The limits that differ on a day.
    pub limits: Vec<LimitChange>,
    /// What else the agreement says differently.
    pub settings: Vec<SettingChange>,
}

/// Whether a person is in both homes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// In both.
    Kept,
    /// In the new home only: before, they were nobody in particular.
    Added,
    /// In the old home only.
    Removed,
}

/// Minutes of one day. A minute of school hours lies between one online and one offline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DayDiff {
    /// The day.
    pub date: NaiveDate,
    /// Minutes in which more is open than before.
    pub given: i64,
    /// Minutes in which less is open than before.
    pub taken: i64,
}

/// A word that is said differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WordChange {
    /// The word as the language writes it.
    pub word: String,
    /// What was said; none if nothing.
    pub before: Option<Outcome>,
    /// What is said; none if nothing.
    pub after: Option<Outcome>,
}

/// The words that are said differently, by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WordChanges {
    /// Sites, hosts and paths.
    pub sites: Vec<WordChange>,
    /// Services (`tiktok`).
    pub services: Vec<WordChange>,
    /// Categories (`gambling`).
    pub categories: Vec<WordChange>,
}

/// Another key that is said differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The key as the language writes it (`school_hours`); a key inside another stands after it (`baseline otherwise`).
    pub setting: &'static str,
    /// The value before, in the language's words (`education_only`); none if nothing was said.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

/// A limit that differs on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitChange {
    /// What it counts, in words.
    pub of: String,
    /// The day.
    pub date: NaiveDate,
    /// Minutes before; none if unlimited.
    pub before: Option<u16>,
    /// Minutes after; none if unlimited.
    pub after: Option<u16>,
}

/// Compares two homes over the seven days from a date on.
pub fn diff(old: &House, new: &House, from: NaiveDate) -> Diff {
    let mut ids: Vec<&str> = old.people().chain(new.people()).map(|(_, p)| p.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let people = ids.into_iter().map(|id| person(old, new, id, from)).filter(|p| !p.is_empty()).collect();
    let floor = |house: &House| {
        house
            .home()
            .everyone
            .block
            .iter()
            .map(|(w, _)| (w.clone(), Outcome::Block))
            .collect::<BTreeMap<_, _>>()
    };
    let baseline = |house: &House| said_of_words(&house.home().baseline.words);
    Diff {
        people,
        everyone: words(&floor(old), &floor(new)),
        baseline: words(&baseline(old), &baseline(new)),
        settings: settings::of_home(old.home(), new.home()),
    }
}

fn person(old: &House, new: &House, id: &str, from: NaiveDate) -> PersonDiff {
    let (before, after) = (old.person(id), new.person(id));
    let agreed = |house: &House, who: Option<PersonId>| who.and_then(|w| house.agreement(w)).cloned();
    let (was, is) = (agreed(old, before), agreed(new, after));
    let presence = match (&was, &is) {
        (None, _) => Presence::Added,
        (_, None) => Presence::Removed,
        (Some(_), Some(_)) => Presence::Kept,
    };
    let (a, b) = (before.unwrap_or(House::NOBODY), after.unwrap_or(House::NOBODY));
    let days = (0..7).map(|n| Day::of(from).plus(n).date());
    PersonDiff {
        person: id.into(),
        name: is.as_ref().or(was.as_ref()).map_or(id, |p| &p.name).into(),
        presence,
        days: days.clone().map(|d| day(old, a, new, b, d)).filter(|d| d.given != 0 || d.taken != 0).collect(),
        words: words(&rulings(was.as_ref()), &rulings(is.as_ref())),
        otherwise: was
            .as_ref()
            .zip(is.as_ref())
            .map(|(x, y)| (x.otherwise, y.otherwise))
            .filter(|(x, y)| x != y),
        limits: days.flat_map(|d| limits(old, a, new, b, d)).collect(),
        settings: settings::of_person(was.as_ref(), is.as_ref()),
    }
}

fn rulings(person: Option<&Person>) -> BTreeMap<Word, Outcome> {
    person.map(|p| said_of_words(&p.words)).unwrap_or_default()
}

/// What is said of each word; of two lines the stricter.
fn said_of_words(rulings: &[Ruling]) -> BTreeMap<Word, Outcome> {
    let mut said = BTreeMap::new();
    for ruling in rulings {
        let outcome = said.entry(ruling.word.clone()).or_insert(ruling.ruled);
        *outcome = (*outcome).max(ruling.ruled);
    }
    said
}

fn words(old: &BTreeMap<Word, Outcome>, new: &BTreeMap<Word, Outcome>) -> WordChanges {
    let mut all: Vec<&Word> = old.keys().chain(new.keys()).collect();
    all.sort_unstable();
    all.dedup();
    let mut changes = WordChanges::default();
    for word in all {
        let (before, after) = (old.get(word).copied(), new.get(word).copied());
        if before != after {
            changes.of(word).push(WordChange { word: word.to_string(), before, after });
        }
    }
    changes
}

impl WordChanges {
    /// The changes of a word's kind.
    fn of(&mut self, word: &Word) -> &mut Vec<WordChange> {
        match word {
            Word::Site(_) | Word::Host(_) | Word::Path(..) => &mut self.sites,
            Word::Service(_) => &mut self.services,
            Word::Category(_) => &mut self.categories,
        }
    }

    /// All of them: sites, services, categories.
    pub fn iter(&self) -> impl Iterator<Item = &WordChange> {
        self.sites.iter().chain(&self.services).chain(&self.categories)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

fn day(old: &House, a: PersonId, new: &House, b: PersonId, date: NaiveDate) -> DayDiff {
    let (before, after) = (segments(old, a, date), segments(new, b, date));
    let (mut given, mut taken) = (0, 0);
    for was in &before {
        for is in &after {
            let minutes = (was.until.min(is.until) - was.from.max(is.from)).num_minutes().max(0);
            match is.kind.cmp(&was.kind) {
                std::cmp::Ordering::Greater => given += minutes,
                std::cmp::Ordering::Less => taken += minutes,
                std::cmp::Ordering::Equal => {}
            }
        }
    }
    DayDiff { date, given, taken }
}

fn segments(house: &House, who: PersonId, date: NaiveDate) -> Vec<Segment> {
    let (start, end) = house.day_span(Day::of(date));
    house.segments(who, start, end)
}

fn limits(old: &House, a: PersonId, new: &House, b: PersonId, date: NaiveDate) -> Vec<LimitChange> {
    let (before, after) = (old.limits_on(a, date), new.limits_on(b, date));
    let mut keys: Vec<&LimitKey> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let changes = keys.into_iter().map(|key| LimitChange {
        of: key_in_words(key),
        date,
        before: before.get(key).copied(),
        after: after.get(key).copied(),
    });
    changes.filter(|c| c.before != c.after).collect()
}

impl House {
    /// The minutes of each limit on a day.
    fn limits_on(&self, who: PersonId, date: NaiveDate) -> BTreeMap<LimitKey, u16> {
        self.limits_in_force(who, Day::of(date)).map(|(key, minutes)| (key.clone(), minutes)).collect()
    }
}

impl PersonDiff {
    fn is_empty(&self) -> bool {
        let Self { person: _, name: _, presence, days, words, otherwise, limits, settings } = self;
        *presence == Presence::Kept
            && days.is_empty()
            && words.is_empty()
            && otherwise.is_none()
            && limits.is_empty()
            && settings.is_empty()
    }
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let Self { people, everyone, baseline, settings } = self;
        people.is_empty() && everyone.is_empty() && baseline.is_empty() && settings.is_empty()
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "Nothing changes for anybody.");
        }
        for person in &self.people {
            write!(f, "{person}")?;
        }
        part(f, "Everyone (the floor)", self.everyone.iter())?;
        part(f, "The baseline", self.baseline.iter())?;
        part(f, "The home", self.settings.iter())
    }
}

/// A heading and what is under it; nothing when there is nothing.
fn part<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    heading: &str,
    changes: impl Iterator<Item = T>,
) -> fmt::Result {
    for (place, change) in changes.enumerate() {
        if place == 0 {
            writeln!(f, "{heading}")?;
        }
        writeln!(f, "  {change}")?;
    }
    Ok(())
}

impl fmt::Display for PersonDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = match self.presence {
            Presence::Kept => "",
            Presence::Added => " (new)",
            Presence::Removed => " (no longer here)",
        };
        writeln!(f, "{}{note}", self.name)?;
        for day in &self.days {
            writeln!(f, "  {day}")?;
        }
        for limit in &self.limits {
            writeln!(f, "  {limit}")?;
        }
        for word in self.words.iter() {
            writeln!(f, "  {word}")?;
        }
        if let Some((before, after)) = self.otherwise {
            writeln!(f, "  what nobody mentioned: {} → {}", before.word(), after.word())?;
        }
        for setting in &self.settings {
            writeln!(f, "  {setting}")?;
        }
        Ok(())
    }
}

impl fmt::Display for DayDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |minutes: i64| duration(u16::try_from(minutes).unwrap_or(u16::MAX));
        write!(f, "{}", self.date.format("%a %-d %b:"))?;
        if self.given > 0 {
            write!(f, " +{}", told(self.given))?;
        }
        if self.taken > 0 {
            write!(f, " −{}", told(self.taken))?;
        }
        Ok(())
    }
}

impl fmt::Display for WordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |outcome: Option<Outcome>| outcome.map_or("not mentioned", Outcome::word);
        write!(f, "{}: {} → {}", self.word, said(self.before), said(self.after))
    }
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "not mentioned".to_owned());
        write!(f, "{}: {} → {}", self.setting, said(&self.before), said(&self.after))
    }
}

impl fmt::Display for LimitChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |minutes: Option<u16>| minutes.map_or("no limit".into(), duration);
        write!(
            f,
            "{} {}: {} → {}",
            self.date.format("%a %-d %b,"),
            self.of,
            told(self.before),
            told(self.after)
        )
    }
}
