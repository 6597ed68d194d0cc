//! What should have been done by now: devices to be looked at together again (seed 003 §7.6), agreements to be reviewed (§8), restrictions
//! to be reviewed (§5.1.3). It stands on **Devices** and on **Now**.

use super::now::person_name;
use super::restrictions::{closes, day};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, Person, PersonKind, Role};
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, TimeDelta, Utc};
use records::{Booking, Records, Whereabouts, Which};
use std::collections::BTreeMap;

/// What nobody has marked is asked for so long.
const WEEKS: TimeDelta = TimeDelta::weeks(4);

/// When a device is to be looked at together again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// By the end of this day; none where nobody has looked at it yet.
    by: Option<NaiveDate>,
    pub(super) overdue: bool,
}

/// Something that should have been done by now.
pub(super) struct Overdue {
    pub(super) what: String,
    /// The page where it is done.
    pub(super) at: String,
}

impl Look {
    /// In words.
    pub(super) fn said(self) -> String {
        match (self.by, self.overdue) {
            (None, _) => "Nobody has looked at it together yet.".to_owned(),
            (Some(by), true) => format!("It was to be looked at together again by {}.", day(by)),
            (Some(by), false) => format!("To be looked at together again by {}.", day(by)),
        }
    }
}

/// When somebody's device is to be looked at; none where the home says nothing of it, where it is nobody's own, and while it
/// is handed in or lost.
pub(super) fn of(
    house: &House,
    person: &Person,
    booked: Option<&Whereabouts>,
    now: DateTime<Utc>,
) -> Option<Look> {
    let every = house.home().inspect_every?;
    let away = booked.and_then(|place| place.booked.as_ref());
    if person.kind != PersonKind::YoungPerson
        || away.is_some_and(|(booking, ..)| matches!(booking, Booking::In | Booking::Lost))
    {
        return None;
    }
    let zone = house.home().timezone;
    let date = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
    let last = booked.and_then(|place| place.inspected).map(date);
    let by = last.map(|last| last.checked_add_days(Days::new(every.into())).unwrap_or(NaiveDate::MAX));
    Some(Look { by, overdue: by.is_none_or(|by| date(now) > by) })
}

/// What members of staff's own devices did in the last four weeks and nobody has marked: whoever signs a shift has not read it.
async fn unread(records: &Records, house: &House, now: DateTime<Utc>) -> Result<Vec<Overdue>, Wrong> {
    let (from, to) = (now - WEEKS, now);
    let mut found = Vec::new();
    for (_, person) in house.people().filter(|(_, person)| person.kind == PersonKind::Staff) {
        let which = Which {
            from: Some(from),
            to: Some(to),
            person: Some(person.id.clone()),
            unmarked: true,
            ..Which::default()
        };
        let count: u64 = records.shares(&which).await?.iter().map(|(_, counted)| counted.all()).sum();
        let said = match count {
            0 => continue,
            1 => format!("1 episode of {}’s own devices is not marked.", person.name),
            many => format!("{many} episodes of {}’s own devices are not marked.", person.name),
        };
        let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let link = format!("/shift?at={}&upto={}&person={}&unmarked=yes", at(from), at(to), person.id);
        found.push(Overdue { what: said, at: link });
    }
    Ok(found)
}

/// Everything that is overdue, by the people of the home.
pub(super) async fn overdue(
    records: &Records,
    (house, who): (&House, &SignedIn),
    now: DateTime<Utc>,
) -> Result<Vec<Overdue>, Wrong> {
    let places = match house.home().inspect_every {
        Some(_) => records.whereabouts().await?,
        None => BTreeMap::new(),
    };
    let today = now.with_timezone(&house.home().timezone).date_naive();
    let mut found = if who.role == Role::Manager { unread(records, house, now).await? } else { Vec::new() };
    for placed in records.restrictions().await? {
        let Some(on) = placed.review_due(today, now) else { continue };
        let (name, closes) = (person_name(house, &placed.said.person), closes(&placed));
        let when = match on == today {
            true => "is to be reviewed today".to_owned(),
            false => format!("was to be reviewed on {}", day(on)),
        };
        let what = format!("{name}’s restriction ({closes}) {when}.");
        found.push(Overdue { what, at: "/restrictions".to_owned() });
    }
    for (_, person) in house.people() {
        if let Some((by, _)) = person.agreed.review_by.filter(|(by, _)| *by < today) {
            let what = format!("{}’s agreement was to be looked at again by {}.", person.name, day(by));
            found.push(Overdue { what, at: format!("/people/{}", person.id) });
        }
        let mut names: Vec<&str> = person.devices.iter().map(|device| device.name.as_str()).collect();
        names.dedup();
        for name in names {
            let booked = places.get(&(person.id.clone(), name.to_owned()));
            if let Some(look) = of(house, person, booked, now).filter(|look| look.overdue) {
                let what = format!("{}: {name}. {}", person.name, look.said());
                found.push(Overdue { what, at: "/devices".to_owned() });
            }
        }
    }
    Ok(found)
}
