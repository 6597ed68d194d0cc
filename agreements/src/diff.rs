//! What a change of a home's files gives and takes: minutes of each day, sites, services and categories, limits, settings.
//!
//! What can be judged is judged, by the decision itself, in both homes: a site that a floor closes is not given by a word that
//! opens it. What is left (who, which devices, which lists) is told in the language's own words, so that a manager finds each
//! in the file.

mod days;
mod limits;
mod minutes;
mod settings;
mod stretches;
mod words;

use crate::house::{House, PersonId};
use crate::verdict::Outcome;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeSet;

/// Days that are compared: a year, so that terms and holidays of every kind are in it.
const DAYS: usize = 366;
/// Everybody else, as `explain` and `week` call them.
const BASELINE: &str = "baseline";

/// What changed between two homes, over a year. The shape of `diff --json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// What the home's own file says differently.
    pub home: Vec<SettingChange>,
    /// People for whom something changes, by id, `baseline` for everybody else; those for whom nothing does are left out.
    pub people: Vec<PersonDiff>,
}

/// What changed for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonDiff {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// Whether the person came, went or stayed.
    pub how: Presence,
    /// Days whose minutes differ, from the most days to the fewest.
    pub minutes: Vec<MinutesChange>,
    /// What nobody mentioned, if that is judged differently. A service or category that merely goes with it is left out below.
    pub otherwise: Option<WordChange>,
    /// Sites that either home's files name.
    pub sites: Vec<WordChange>,
    /// Services (`tiktok`).
    pub services: Vec<WordChange>,
    /// Categories (`gambling`).
    pub categories: Vec<WordChange>,
    /// Limits that differ on a day.
    pub limits: Vec<LimitChange>,
    /// What else the agreement says differently.
    pub settings: Vec<SettingChange>,
}

/// Whether a person is in both homes. Where they are in one alone, everybody else's rules stand in for theirs in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// In both.
    Changed,
    /// In the new home only.
    Added,
    /// In the old home only.
    Removed,
}

/// Whether a change opens more or less than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// More is open.
    Gives,
    /// Less is open.
    Takes,
}

/// Days on which the minutes differ in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MinutesChange {
    /// Which days: `every Mon, Tue (1 of 52)`, or dates.
    pub days: String,
    /// How many of the year.
    pub count: usize,
    /// Minutes of such a day that were not off.
    pub old: i64,
    /// Minutes that will not be off.
    pub new: i64,
    /// Minutes in which more is open than before.
    pub given: i64,
    /// Minutes in which less is open than before: a window that moves gives and takes.
    pub taken: i64,
}

/// A site, service or category that is judged differently at a moment at which the agreement itself speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WordChange {
    /// The word as the language writes it.
    pub what: String,
    /// What happened.
    pub old: Outcome,
    /// What will happen.
    pub new: Outcome,
    /// Whether that is more or less.
    pub which: Which,
}

/// A limit that differs on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitChange {
    /// What it counts, as the language writes it (`social_networks`).
    pub of: String,
    /// The same in words for people.
    #[serde(skip)]
    pub title: String,
    /// Which days.
    pub days: String,
    /// Minutes before; none if unlimited.
    pub old: Option<u16>,
    /// Minutes after; none if unlimited.
    pub new: Option<u16>,
    /// Whether that is more or less.
    pub which: Which,
}

/// A key that is said differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    /// The key as the language writes it (`school_hours`); a key inside another stands after it (`everyone block`).
    pub what: &'static str,
    /// The value before, in the language's words (`education_only`); none if nothing was said.
    pub old: Option<String>,
    /// The value after.
    pub new: Option<String>,
}

/// One person in both homes.
struct Sides<'a> {
    old: &'a House,
    new: &'a House,
    was: PersonId,
    is: PersonId,
    from: NaiveDate,
}

/// Compares two homes over the year from a date on.
pub fn diff(old: &House, new: &House, from: NaiveDate) -> Diff {
    let ids: BTreeSet<&str> = old.people().chain(new.people()).map(|(_, p)| p.id.as_str()).collect();
    let everybody_else = std::iter::once(BASELINE);
    let people = everybody_else.chain(ids).map(|id| person(old, new, id, from));
    Diff {
        people: people.filter(|person| !person.is_empty()).collect(),
        home: settings::of_home(old.home(), new.home()),
    }
}

fn person(old: &House, new: &House, id: &str, from: NaiveDate) -> PersonDiff {
    let (before, after) = (old.person(id), new.person(id));
    let how = match (before, after) {
        (None, Some(_)) => Presence::Added,
        (Some(_), None) => Presence::Removed,
        (Some(_), Some(_)) | (None, None) => Presence::Changed,
    };
    let agreed = |house: &House, who: Option<PersonId>| who.and_then(|who| house.agreement(who)).cloned();
    let (was, is) = (agreed(old, before), agreed(new, after));
    let (a, b) = (before.unwrap_or(House::NOBODY), after.unwrap_or(House::NOBODY));
    let sides = Sides { old, new, was: a, is: b, from };
    let words = words::changes(&sides);
    let name = is.as_ref().or(was.as_ref()).map_or("Everybody else", |p| &p.name);
    PersonDiff {
        person: id.into(),
        name: name.into(),
        how,
        minutes: minutes::changes(&sides),
        otherwise: words.otherwise,
        sites: words.sites,
        services: words.services,
        categories: words.categories,
        limits: limits::changes(&sides),
        settings: settings::of_person(was.as_ref(), is.as_ref()),
    }
}

impl Which {
    /// What a change of an outcome does; none where it is the same.
    fn of_outcomes(old: Outcome, new: Outcome) -> Option<Self> {
        // Outcomes are in the order from open to closed.
        match new.cmp(&old) {
            std::cmp::Ordering::Less => Some(Self::Gives),
            std::cmp::Ordering::Greater => Some(Self::Takes),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// What a change of a limit does; none where it is the same.
    fn of_limits(old: Option<u16>, new: Option<u16>) -> Option<Self> {
        let minutes = |limit: Option<u16>| limit.map_or(u32::MAX, u32::from);
        match minutes(new).cmp(&minutes(old)) {
            std::cmp::Ordering::Greater => Some(Self::Gives),
            std::cmp::Ordering::Less => Some(Self::Takes),
            std::cmp::Ordering::Equal => None,
        }
    }
}

impl PersonDiff {
    fn is_empty(&self) -> bool {
        let Self {
            person: _,
            name: _,
            how,
            minutes,
            otherwise,
            sites,
            services,
            categories,
            limits,
            settings,
        } = self;
        *how == Presence::Changed
            && minutes.is_empty()
            && otherwise.is_none()
            && [sites, services, categories].into_iter().all(Vec::is_empty)
            && limits.is_empty()
            && settings.is_empty()
    }
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let Self { home, people } = self;
        home.is_empty() && people.is_empty()
    }
}
