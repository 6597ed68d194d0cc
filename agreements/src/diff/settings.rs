//! What a file says besides times, words and limits, in the language's own words.

use super::SettingChange;
use crate::meant::{Draft, Home, Person};
use crate::read::{EDUCATION, KINDS, LEVELS, PROFILES, SAFE_SEARCH, SCHOOL_HOURS, UNKNOWN_DEVICES};
use crate::source::SourceId;
use crate::word::Word;
use std::collections::BTreeMap;

/// What is said of each key; a key of which nothing is said is left out.
type Said = BTreeMap<&'static str, String>;

/// The settings of a person that differ.
pub(super) fn of_person(old: Option<&Person>, new: Option<&Person>) -> Vec<SettingChange> {
    let said = |person: Option<&Person>| person.map(person_says).unwrap_or_default();
    changes(&said(old), &said(new))
}

/// The settings of the home that differ.
pub(super) fn of_home(old: &Home, new: &Home) -> Vec<SettingChange> {
    changes(&home_says(old), &home_says(new))
}

fn changes(old: &Said, new: &Said) -> Vec<SettingChange> {
    let mut keys: Vec<&'static str> = old.keys().chain(new.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let changes = keys.into_iter().map(|what| SettingChange {
        what,
        old: old.get(what).cloned(),
        new: new.get(what).cloned(),
    });
    changes.filter(|change| change.old != change.new).collect()
}

fn person_says(person: &Person) -> Said {
    let agreed = match &person.draft {
        None => "complete",
        Some(Draft::Missing(_)) => "draft",
        Some(Draft::Unusable | Draft::HomeUnusable) => "unusable",
        Some(Draft::NoRecords) => "without records",
    };
    said([
        ("for", spelt(&KINDS, person.kind)),
        ("profile", spelt(&PROFILES, person.profile)),
        ("agreed", agreed.to_owned()),
        ("education", spelt(&EDUCATION, person.education)),
        ("school_hours", spelt(&SCHOOL_HOURS, person.school_hours)),
        ("education_sites", words(&person.education_sites)),
        ("safe_search", spelt(&SAFE_SEARCH, person.safe_search)),
        ("monitoring", spelt(&LEVELS, person.monitoring.level)),
        ("devices", listed(person.devices.iter().map(|device| device.name.clone()))),
        ("any_address_on", listed(person.any_address_on.iter().flat_map(|except| except.written.clone()))),
    ])
}

fn home_says(home: &Home) -> Said {
    said([
        ("timezone", home.timezone.name().to_owned()),
        ("day_starts", home.day_starts.format("%H:%M").to_string()),
        ("everyone block", words(&home.everyone.block)),
        ("everyone safe_search", spelt(&SAFE_SEARCH, home.everyone.safe_search)),
        ("unknown_devices", spelt(&UNKNOWN_DEVICES, home.unknown_devices)),
        ("protected support", words(&home.protected.support)),
        ("protected private_mail", words(&home.protected.private_mail)),
        ("protected assistive", words(&home.protected.assistive)),
        ("lists", listed(home.lists.iter().map(|list| list.from.clone()))),
    ])
}

fn said<const N: usize>(pairs: [(&'static str, String); N]) -> Said {
    pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// The word that a table of the language has for a value.
fn spelt<T: PartialEq>(table: &[(&'static str, T)], value: T) -> String {
    table.iter().find(|(_, meant)| *meant == value).map_or("", |(word, _)| word).to_owned()
}

fn words(list: &[(Word, SourceId)]) -> String {
    listed(list.iter().map(|(word, _)| word.to_string()))
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    items.sort_unstable();
    items.dedup();
    items.join(", ")
}
