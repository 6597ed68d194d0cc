//! The board: what `hearthgate status` shows, in one shape whether a gateway runs or not.

use crate::catalogue::Notes;
use crate::last_good::Waiting;
use crate::lists::shelf::Shelf;
use agreements::{House, Problem};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use records::{Records, Status};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Somebody counts as online for so long after their last minute in use.
const LATELY: Duration = Duration::minutes(10);

/// The shape of `status --json`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Board {
    /// Whether a gateway runs.
    pub(crate) running: bool,
    /// The program's version.
    pub(crate) version: &'static str,
    /// The home's name.
    pub(crate) home: String,
    /// The gateway's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// Since when it runs, by its clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started: Option<String>,
    /// What time it is, by its clock.
    pub(crate) now: String,
    /// Whether the clock can be believed: `right`, `not_yet`, `jumped`.
    pub(crate) clock: &'static str,
    /// Whether the clock was started elsewhere (`--pretend-now`).
    pub(crate) pretended: bool,
    /// Where it listens, with the real ports.
    pub(crate) listeners: Vec<Listener>,
    /// How many upstream resolvers answer, of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upstreams: Option<Upstreams>,
    /// The home's lists.
    pub(crate) lists: Vec<ListShown>,
    /// The compiled catalogue.
    pub(crate) catalogue: CatalogueShown,
    /// Who was online within the last ten minutes, by id; nobody's sites.
    pub(crate) online: Vec<Online>,
    /// Files that wait, and why.
    pub(crate) waiting: Vec<Waiting>,
    /// Warnings of the files in force.
    pub(crate) warnings: Vec<Problem>,
    /// What changed in gateway.yaml and needs a restart.
    pub(crate) needs_restart: Vec<&'static str>,
    /// What the router turned away by itself since the gateway started, by the detector's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) turned_away: Option<BTreeMap<&'static str, u64>>,
    /// The records.
    pub(crate) records: Option<Status>,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Listener {
    /// The word of gateway.yaml: `dns`, `proxy`, `pages`, `console`, `metrics`.
    pub(crate) kind: &'static str,
    /// Its address, with the real port.
    pub(crate) address: SocketAddr,
}

/// The upstream resolvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Upstreams {
    /// How many answered when they were last asked.
    pub(crate) answering: usize,
    /// How many were never asked, so that nobody knows.
    pub(crate) not_asked: usize,
    /// How many there are.
    pub(crate) of: usize,
}

/// A list of the home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ListShown {
    /// The source as the home wrote it.
    pub(crate) from: String,
    /// Its category, if it has one alone.
    pub(crate) category: Option<&'static str>,
    /// Whether it is sealed.
    pub(crate) sealed: bool,
    /// Whether the floor relies on it and there is no copy at all: what it alone names is open.
    pub(crate) floor_open: bool,
    /// Names taken into the catalogue.
    pub(crate) names: u64,
    /// Lines skipped.
    pub(crate) skipped: u64,
    /// When the copy came, if there is one on the shelf.
    pub(crate) fetched: Option<String>,
    /// Minutes since the publisher last said that the copy is current.
    pub(crate) age_minutes: Option<i64>,
    /// Attempts that failed since the last success.
    pub(crate) failures: u32,
    /// Why the last attempt failed.
    pub(crate) error: Option<String>,
    /// Entries that touch a protected site.
    pub(crate) touches_protected: u64,
    /// The first of them.
    pub(crate) protected: Vec<String>,
    /// Lines skipped, by reason.
    pub(crate) skipped_because: BTreeMap<String, u64>,
}

/// The compiled catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CatalogueShown {
    /// Distinct names, built-in ones included.
    pub(crate) names: u64,
    /// Bytes.
    pub(crate) bytes: u64,
    /// When it was compiled.
    pub(crate) compiled: Option<String>,
}

/// Somebody who was online lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Online {
    /// The person's id.
    pub(crate) person: String,
    /// The last minute in use, RFC 3339.
    pub(crate) last: String,
}

/// The home's lists, from the shelf and the notes of the last compilation.
pub(crate) fn lists(
    house: &House,
    shelf: Option<&Shelf>,
    notes: &Notes,
    now: DateTime<Utc>,
) -> Vec<ListShown> {
    let zone = house.home().timezone;
    let open = crate::lists::without_copy(house, notes);
    let shown = |source: &agreements::ListSource| {
        let label = shelf.map(|shelf| shelf.label(&source.from)).unwrap_or_default();
        let note = notes.lists.iter().find(|n| n.from == source.from).cloned().unwrap_or_default();
        ListShown {
            from: source.from.clone(),
            category: source.category.map(blocklists::Category::word),
            sealed: source.sealed,
            floor_open: open.iter().any(|s| s.from == source.from),
            names: note.names,
            skipped: note.skipped.values().sum(),
            fetched: label.fetched.map(|at| crate::when::rfc3339(at, zone)),
            age_minutes: label.confirmed.map(|at| (now - at).num_minutes().max(0)),
            failures: label.failures,
            error: label.error.or(note.error),
            touches_protected: note.touches_protected,
            protected: note.protected,
            skipped_because: note.skipped,
        }
    };
    house.home().lists.iter().map(shown).collect()
}

/// What stands beside a list of the floor that has no copy.
pub(crate) const FLOOR_OPEN: &str = "ALERT: the home keeps this closed for everyone, and there is no copy of the list: what it alone names is open";

/// How old a list's copy is, in words; where there is none, what that means.
pub(crate) fn age_words(age_minutes: Option<i64>, failures: u64) -> String {
    match age_minutes {
        Some(minutes) => format!("{} old", crate::when::span(Duration::minutes(minutes))),
        None if failures > 0 => "it never came, so it closes nothing yet".to_owned(),
        None => "not fetched yet".to_owned(),
    }
}

/// Who was online lately, from the minutes that are committed.
pub(crate) async fn online(records: &Records, house: &House, now: DateTime<Utc>) -> Vec<Online> {
    let day = house.day_of(now);
    let begins = day_begins(house, now);
    let mut online = Vec::new();
    for (_, person) in house.people() {
        let charts = records.minutes_of(day, &person.id).await.unwrap_or_default();
        let last = charts.iter().flat_map(|chart| chart.minutes().last()).max();
        let last = last.map(|minute| begins + Duration::minutes(i64::from(minute)));
        if let Some(last) = last.filter(|last| now - *last <= LATELY) {
            online.push(Online { person: person.id.clone(), last: crate::when::rfc3339(last, zone(house)) });
        }
    }
    online
}

fn zone(house: &House) -> Tz {
    house.home().timezone
}

/// When the home's day that holds an instant began.
fn day_begins(house: &House, now: DateTime<Utc>) -> DateTime<Utc> {
    let wall = house.day_of(now).and_time(house.home().day_starts);
    crate::when::on_the_clock(wall, zone(house))
}
