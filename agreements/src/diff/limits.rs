//! Limits that a change gives or takes.

use super::{LimitChange, Sides, Which, days};
use crate::calendar::Day;
use crate::house::{House, PersonId, key_in_words};
use crate::meant::LimitKey;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// Every limit that differs on a day, by the days on which it differs in the same way.
pub(super) fn changes(sides: &Sides<'_>) -> Vec<LimitChange> {
    let different =
        days::of_the_year(sides.from).flat_map(|date| on(sides, date).into_iter().map(move |d| (d, date)));
    let groups = days::grouped(sides.from, different);
    let change = |((key, old, new), days, _): ((LimitKey, Option<u16>, Option<u16>), String, usize)| {
        let (of, title) = (written(&key), key_in_words(&key));
        Some(LimitChange { of, title, days, old, new, which: Which::of_limits(old, new)? })
    };
    groups.into_iter().filter_map(change).collect()
}

/// The key as the language writes it.
fn written(key: &LimitKey) -> String {
    match key {
        LimitKey::Everything => "everything".to_owned(),
        LimitKey::Word(word) => word.to_string(),
    }
}

fn on(sides: &Sides<'_>, date: NaiveDate) -> Vec<(LimitKey, Option<u16>, Option<u16>)> {
    let of = |house: &House, who: PersonId| -> BTreeMap<LimitKey, u16> {
        house.limits_in_force(who, Day::of(date)).map(|(key, minutes)| (key.clone(), minutes)).collect()
    };
    let (old, new) = (of(sides.old, sides.was), of(sides.new, sides.is));
    let keys: BTreeSet<&LimitKey> = old.keys().chain(new.keys()).collect();
    let sides = keys.into_iter().map(|key| (key.clone(), old.get(key).copied(), new.get(key).copied()));
    sides.filter(|(_, old, new)| old != new).collect()
}
