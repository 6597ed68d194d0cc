//! Sites, categories and everything else that a change gives or takes.

use super::{Change, Sides, Which, which};
use crate::timetable::{self, Like};
use agreements::{Home, Host, House, LimitKey, Outcome, Person, PersonId, Request, Standing, Word};
use blocklists::{Category, Name, Service, Tags};
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// How far ahead an open moment is looked for.
const AHEAD: i64 = 28;

/// A moment at which the agreement itself speaks, so that words are compared and not windows; the first in four weeks.
fn moment(house: &House, who: PersonId, now: DateTime<Utc>) -> DateTime<Utc> {
    let stretches = timetable::stretches(house, who, now, now + Duration::days(AHEAD));
    let open = |like: Like| stretches.iter().find(|s| s.like == like).map(|s| s.from);
    open(Like::Online).or_else(|| open(Like::Baseline)).or_else(|| open(Like::Mail)).unwrap_or(now)
}

fn judged(house: &House, who: PersonId, at: DateTime<Utc>, host: Name<'_>, tags: Tags) -> Outcome {
    let request = Request { host: Host::Name(host), tags, path: None };
    house.judge(who, at, &request, &Standing::default()).outcome
}

/// Every site that either side's files name for the person.
pub(super) fn sites(sides: &Sides<'_>) -> Vec<Change> {
    let named = |house: &House, who| house.agreement(who).map(named_sites).unwrap_or_default();
    let mut sites = named(sides.old, sides.was);
    sites.extend(named(sides.new, sides.is));
    let at = (moment(sides.old, sides.was, sides.now), moment(sides.new, sides.is, sides.now));
    sites
        .iter()
        .filter_map(|site| {
            let host = Name::new(site).ok()?;
            compared(sides, at, host, Tags::NONE, site)
        })
        .collect()
}

fn named_sites(person: &Person) -> BTreeSet<String> {
    let words = person.words.iter().map(|r| &r.word).chain(person.education_sites.iter().map(|(w, _)| w));
    words.filter_map(site_of).collect()
}

fn site_of(word: &Word) -> Option<String> {
    match word {
        Word::Site(site) | Word::Host(site) => Some(site.as_str().to_owned()),
        Word::Path(..) | Word::Service(_) | Word::Category(_) => None,
    }
}

/// Every category.
pub(super) fn categories(sides: &Sides<'_>) -> Vec<Change> {
    kinds(sides, Category::all().map(|c| (c.word(), Tags::category(c))))
}

/// Every service.
pub(super) fn services(sides: &Sides<'_>) -> Vec<Change> {
    kinds(sides, Service::all().map(|s| (s.word(), Tags::service(s))))
}

/// What becomes of a site of each kind.
fn kinds(sides: &Sides<'_>, kinds: impl Iterator<Item = (&'static str, Tags)>) -> Vec<Change> {
    let at = (moment(sides.old, sides.was, sides.now), moment(sides.new, sides.is, sides.now));
    let nameless = Name::trusted("some-site-of-this-kind.invalid");
    kinds.filter_map(|(word, tags)| compared(sides, at, nameless, tags, word)).collect()
}

/// A choice in the language's spelling: `EducationOnly` is `education_only`.
fn spelt(choice: &dyn std::fmt::Debug) -> String {
    let mut word = String::new();
    for letter in format!("{choice:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

fn compared(
    sides: &Sides<'_>,
    at: (DateTime<Utc>, DateTime<Utc>),
    host: Name<'_>,
    tags: Tags,
    what: &str,
) -> Option<Change> {
    let old = judged(sides.old, sides.was, at.0, host, tags);
    let new = judged(sides.new, sides.is, at.1, host, tags);
    (old != new).then(|| Change {
        what: what.to_owned(),
        old: outcome(old).to_owned(),
        new: outcome(new).to_owned(),
        which: which(old, new),
    })
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allow",
        Outcome::Ask => "ask",
        Outcome::WithStaff => "with_staff",
        Outcome::Block => "block",
    }
}

/// What else the agreement says, as text: limits by key, bedtimes, school hours, safe search, devices.
pub(super) fn others(sides: &Sides<'_>) -> Vec<Change> {
    let said = |house: &House, who| house.agreement(who).map(|p| said(house, p)).unwrap_or_default();
    differences(&said(sides.old, sides.was), &said(sides.new, sides.is))
}

/// What the home's own file says for everybody.
pub(super) fn of_home(old: &House, new: &House) -> Vec<Change> {
    differences(&said_of_home(old.home()), &said_of_home(new.home()))
}

type Said = BTreeMap<String, String>;

fn differences(old: &Said, new: &Said) -> Vec<Change> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let side = |said: &Said, key: &String| said.get(key).cloned().unwrap_or_default();
    let change = |key: &String| {
        let (old, new) = (side(old, key), side(new, key));
        (old != new).then(|| Change { what: key.clone(), old, new, which: Which::Changes })
    };
    keys.into_iter().filter_map(change).collect()
}

fn said(house: &House, person: &Person) -> Said {
    let mut said = Said::new();
    for limit in &person.limits {
        let line = house.source(limit.source).map(|s| s.text.clone()).unwrap_or_default();
        said.insert(format!("limit on {}", key(&limit.key)), value_of(&line));
    }
    let mut say = |what: &str, how: String| drop(said.insert(what.to_owned(), how));
    say("profile", spelt(&person.profile));
    say("education", spelt(&person.education));
    say("school hours", spelt(&person.school_hours));
    say("safe search", spelt(&house.home().everyone.safe_search.max(person.safe_search)));
    say("monitoring", spelt(&person.monitoring.level));
    say(
        "in force",
        if person.draft.is_some() { "no, a draft: the baseline".to_owned() } else { "yes".to_owned() },
    );
    say("devices", person.devices.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", "));
    said
}

/// The value of a `key: value` line.
fn value_of(line: &str) -> String {
    line.split_once(": ").map_or(line, |(_, value)| value).to_owned()
}

fn key(key: &LimitKey) -> String {
    match key {
        LimitKey::Everything => "everything".to_owned(),
        LimitKey::Word(word) => word.to_string(),
    }
}

fn said_of_home(home: &Home) -> Said {
    let words = |list: &[(Word, agreements::SourceId)]| {
        let mut words: Vec<String> = list.iter().map(|(w, _)| w.to_string()).collect();
        words.sort();
        words.join(", ")
    };
    let mut said = Said::new();
    let mut say = |what: &str, how: String| drop(said.insert(what.to_owned(), how));
    say("blocked for everyone", words(&home.everyone.block));
    say("safe search for everyone", spelt(&home.everyone.safe_search));
    say("support", words(&home.protected.support));
    say("private mail", words(&home.protected.private_mail));
    say("assistive", words(&home.protected.assistive));
    say("unknown devices", spelt(&home.unknown_devices));
    say("lists", home.lists.iter().map(|l| l.from.as_str()).collect::<Vec<_>>().join(", "));
    say("time zone", home.timezone.name().to_owned());
    say("the day starts", home.day_starts.format("%H:%M").to_string());
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_spelt_as_in_the_language() {
        assert_eq!(spelt(&agreements::SchoolHours::EducationOnly), "education_only");
        assert_eq!(spelt(&agreements::UnknownDevices::SignIn), "sign_in");
    }

    #[test]
    fn what_is_said_is_compared_by_key() {
        let said = |pairs: &[(&str, &str)]| -> Said {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let changes =
            differences(&said(&[("a", "1"), ("b", "2")]), &said(&[("a", "1"), ("b", "3"), ("c", "4")]));
        let told: Vec<_> =
            changes.iter().map(|c| (c.what.as_str(), c.old.as_str(), c.new.as_str())).collect();
        assert_eq!(told, [("b", "2", "3"), ("c", "", "4")]);
    }

    #[test]
    fn the_value_of_a_line() {
        assert_eq!(value_of("games: {school_days: 1h}"), "{school_days: 1h}");
        assert_eq!(value_of("4h"), "4h");
    }
}
