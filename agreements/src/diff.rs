//! What a change of a home's files gives and takes: minutes of each day, sites and categories, limits.

use crate::calendar::Day;
use crate::house::{House, PersonId, key_in_words};
use crate::meant::{LimitKey, Person};
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
    pub everyone: Vec<WordChange>,
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
    pub words: Vec<WordChange>,
    /// `otherwise`, if it changed.
    pub otherwise: Option<(Outcome, Outcome)>,
    /// The limits that differ on a day.
    pub limits: Vec<LimitChange>,
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
    Diff { people, everyone: words(&floor(old), &floor(new)) }
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
    }
}

/// What an agreement says of each word; of two lines the stricter.
fn rulings(person: Option<&Person>) -> BTreeMap<Word, Outcome> {
    let mut said = BTreeMap::new();
    for ruling in person.into_iter().flat_map(|p| &p.words) {
        let outcome = said.entry(ruling.word.clone()).or_insert(ruling.ruled);
        *outcome = (*outcome).max(ruling.ruled);
    }
    said
}

fn words(old: &BTreeMap<Word, Outcome>, new: &BTreeMap<Word, Outcome>) -> Vec<WordChange> {
    let mut all: Vec<&Word> = old.keys().chain(new.keys()).collect();
    all.sort_unstable();
    all.dedup();
    let changes = all.into_iter().map(|word| WordChange {
        word: word.to_string(),
        before: old.get(word).copied(),
        after: new.get(word).copied(),
    });
    changes.filter(|c| c.before != c.after).collect()
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
        let Self { person: _, name: _, presence, days, words, otherwise, limits } = self;
        *presence == Presence::Kept
            && days.is_empty()
            && words.is_empty()
            && otherwise.is_none()
            && limits.is_empty()
    }
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.everyone.is_empty()
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
        if !self.everyone.is_empty() {
            writeln!(f, "Everyone (the floor)")?;
            for change in &self.everyone {
                writeln!(f, "  {change}")?;
            }
        }
        Ok(())
    }
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
        for word in &self.words {
            writeln!(f, "  {word}")?;
        }
        if let Some((before, after)) = self.otherwise {
            writeln!(f, "  what nobody mentioned: {} → {}", before.word(), after.word())?;
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
