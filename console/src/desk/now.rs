//! **Now**: who is online and until when, what waits for an answer, how the gateway is.

use super::Place;
use super::accounts::{Open, open_sessions};
use super::inspections::{Overdue, overdue};
use super::page::{Frame, clock, html, length, name_for};
use super::reports::{Saw, told};
use super::restrictions::{self, Waiting};
use super::running::State;
use super::session::SignedIn;
use super::together::{Show, shows};
use super::wrong::Wrong;
use super::{concerns, devices, kept};
use agreements::{
    Explanation, GrantKind, Host, House, LimitKey, LiveGrant, LiveRestriction, Person, PersonId, PersonKind,
    Request, Role, Rule, Standing, What,
};
use askama::Template;
use axum::extract::{Extension, Query, State as In};
use axum::response::Response;
use blocklists::{Name, Tags};
use chrono::{DateTime, TimeDelta, Utc};
use records::{ClockState, Current, Records, Status};

/// Whose device was in use within this is online.
const LATELY: TimeDelta = TimeDelta::minutes(10);
/// A copy of the records that is older than this, in minutes, is too old: two nights.
const COPIED: i64 = 48 * 60;
/// A site that no list and no agreement has: what is said of it is said of everything that nobody mentioned.
const UNLISTED: &str = "unlisted-by-anyone.invalid";

#[derive(Template)]
#[template(path = "desk/now.html")]
struct NowPage {
    frame: Frame,
    at: String,
    people: Vec<Card>,
    asks: Vec<Waits>,
    told: Vec<Saw>,
    shows: Vec<Show>,
    overdue: Vec<Overdue>,
    authority: Vec<Waiting>,
    astray: Vec<String>,
    /// Where else the account is open.
    elsewhere: Vec<Open>,
    shift: Option<ShiftCard>,
    may: bool,
    manages: bool,
    gateway: GatewayCard,
}

/// Somebody's card.
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// Whether what their devices do is not for this reader.
    pub(crate) kept: bool,
    /// The devices in use lately.
    pub(crate) on: Vec<String>,
    /// What holds now: `open`, `off`, `school`.
    pub(crate) state: &'static str,
    pub(crate) line: String,
    /// The line of the files that says so.
    pub(crate) source: Option<String>,
    pub(crate) minutes: Vec<Meter>,
    pub(crate) decided: Vec<Decided>,
}

/// Minutes of one key.
pub(crate) struct Meter {
    pub(crate) of: String,
    pub(crate) used: u16,
    pub(crate) limit: Option<u16>,
}

/// What staff decided: a grant or a restriction, and its end.
pub(crate) struct Decided {
    pub(crate) entry: i64,
    pub(crate) restricts: bool,
    pub(crate) what: String,
    pub(crate) until: String,
    pub(crate) by: String,
}

/// An ask that waits.
struct Waits {
    entry: i64,
    name: String,
    host: String,
    waited: String,
}

/// What the next handover is about, and the shifts that nobody has signed.
struct ShiftCard {
    /// Since when, in words.
    since: String,
    /// All of them, those that a young person told of, too.
    episodes: u64,
    serious: u64,
    unsigned: usize,
    concerns: usize,
    /// The manager is told of what stays unsigned.
    late: bool,
}

/// How the gateway is.
struct GatewayCard {
    clock: &'static str,
    clock_well: bool,
    journal: Option<Status>,
    head: String,
    /// How old the last good copy of the records is, and whether that is too old.
    backup: (String, bool),
    state: State,
}

/// What the last form did.
#[derive(serde::Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    done: String,
}

/// `GET /`.
pub(crate) async fn show(
    In(place): In<Place>,
    Extension(who): Extension<SignedIn>,
    Query(after): Query<After>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let people =
        if who.role == Role::It { Vec::new() } else { cards(&desk.records, &current, &who, now).await? };
    let asks = if who.knows_names() { waiting(&desk.records, house, now).await? } else { Vec::new() };
    let told = if who.knows_names() { told(&desk.records, house, &who, now).await? } else { Vec::new() };
    let shows = if who.knows_names() { shows(&desk.records, house, now).await? } else { Vec::new() };
    let overdue =
        if who.knows_names() { overdue(&desk.records, (house, &who), now).await? } else { Vec::new() };
    let authority = if who.knows_names() {
        restrictions::waiting(&desk.records, (house, &who), now).await?
    } else {
        Vec::new()
    };
    let astray = if who.knows_names() {
        devices::all_astray(&current, &who, &desk.records.whereabouts().await?, now)
    } else {
        Vec::new()
    };
    let own = open_sessions(&place, &who, |account| account == who.id).await?;
    let elsewhere = own.into_iter().filter(|session| !session.own).collect();
    let journal = desk.records.status().await.ok();
    let state = desk.records.clock().state();
    let gateway = GatewayCard {
        clock: clock_words(state),
        clock_well: state == ClockState::Right,
        head: journal.as_ref().map(|s| s.journal.hash.chars().take(12).collect()).unwrap_or_default(),
        backup: backup(journal.as_ref().and_then(|status| status.last_backup_seconds)),
        journal,
        state: desk.running.state().await,
    };
    let shift =
        if who.role == Role::It { None } else { Some(shift_card(&desk.records, &who, house, now).await?) };
    let done = match after.done.as_str() {
        "back" => Some("Taken back. It closes within a second."),
        "asked" => Some("Asked. It stands on their page; go to them, and look together."),
        "noted" => Some("Noted."),
        "heard" => Some("Thank you. They are told that you have read it."),
        _ => None,
    };
    let frame = Frame::of("Now", "/", house, &who).following().after(done);
    let (at, may, manages) = (clock(house, now, now), who.knows_names(), who.role == Role::Manager);
    Ok(html(&NowPage {
        frame,
        at,
        people,
        asks,
        told,
        shows,
        overdue,
        authority,
        astray,
        elsewhere,
        shift,
        may,
        manages,
        gateway,
    }))
}

/// How old the last good copy of the records is, in words: a home makes one a night. Whether one should have been made since.
fn backup(seconds: Option<u64>) -> (String, bool) {
    let Some(seconds) = seconds else {
        return ("No copy of the records was made with `hearthgate backup` yet.".to_owned(), false);
    };
    let minutes = i64::try_from(seconds / 60).unwrap_or(i64::MAX);
    (format!("The last good copy of the records is {} old.", length(minutes)), minutes > COPIED)
}

async fn shift_card(
    records: &Records,
    who: &SignedIn,
    house: &House,
    now: DateTime<Utc>,
) -> Result<ShiftCard, Wrong> {
    let home = house.home();
    let last = records::shift::last(&home.shifts, home.timezone, now);
    let unsigned = records.unsigned(house, now).await?;
    // From what is to be signed to now: what the next handover will be about, too.
    let since = records::together(last, &unsigned).from;
    let tally = records.tally(since, now + TimeDelta::seconds(1)).await?;
    Ok(ShiftCard {
        serious: tally.serious,
        episodes: tally.episodes,
        late: who.role == Role::Manager && unsigned.iter().any(|shift| shift.to < last.to),
        unsigned: unsigned.len(),
        concerns: concerns::open(records, house, who).await?.len(),
        since: clock(house, since, now),
    })
}

async fn waiting(records: &Records, house: &House, now: DateTime<Utc>) -> Result<Vec<Waits>, Wrong> {
    let asks = records.asks(None).await?.into_iter().rev();
    let waits = asks.map(|ask| Waits {
        entry: ask.entry,
        name: person_name(house, &ask.asked.person),
        host: ask.asked.what().to_owned(),
        waited: length((now - ask.at).num_minutes()),
    });
    Ok(waits.collect())
}

/// The name of a person by id; the id where nobody has it any more.
pub(crate) fn person_name(house: &House, id: &str) -> String {
    let person = house.person(id).and_then(|who| house.agreement(who));
    person.map_or_else(|| id.to_owned(), |person| person.name.clone())
}

fn clock_words(state: ClockState) -> &'static str {
    match state {
        ClockState::Right => "The clock is right.",
        ClockState::NotYet => "The clock is not set yet, so everybody has the baseline.",
        ClockState::Jumped => "The clock jumped and is not confirmed yet, so everybody has the baseline.",
    }
}

/// Everybody's card: young people first, then shared devices, visitors and staff.
pub(crate) async fn cards(
    records: &Records,
    current: &Current,
    who: &SignedIn,
    now: DateTime<Utc>,
) -> Result<Vec<Card>, Wrong> {
    let house = &current.snapshot.house;
    let (grants, restrictions) = (records.live_grants().await?, records.live_restrictions().await?);
    let mut cards = Vec::new();
    let mut people: Vec<(PersonId, &Person)> = house.people().collect();
    people.sort_by_key(|(_, person)| order(person.kind));
    for (id, person) in people {
        let kept = !who.may_read(person);
        let used = if kept { Vec::new() } else { records.minutes_today(house, id).await? };
        let minutes = used.into_iter().filter(|used| used.limit.is_some() || used.key == "everything");
        let meters = minutes.map(|used| Meter {
            of: key_words(&used.key),
            used: used.counted.saturating_add(used.estimated),
            limit: used.limit,
        });
        let standing = kept::standing(&current.standing, (house, who), id);
        let said = said(current, &standing, id, now);
        let (state, line) = holds((house, &standing), id, &said, now);
        cards.push(Card {
            id: person.id.clone(),
            name: name_for(who.role, &person.name),
            kind: kind_words(person.kind),
            on: if kept { Vec::new() } else { on(current, id, who, now) },
            kept,
            state,
            line,
            source: said
                .source
                .filter(|_| who.knows_names())
                .map(|s| format!("{} · {} line {}", s.text.trim(), s.file, s.line)),
            minutes: meters.collect(),
            decided: decided(house, person, &grants, &restrictions, now),
        });
    }
    Ok(cards)
}

fn order(kind: PersonKind) -> u8 {
    match kind {
        PersonKind::YoungPerson => 0,
        PersonKind::Device => 1,
        PersonKind::Visitor => 2,
        PersonKind::Staff => 3,
    }
}

const fn kind_words(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::YoungPerson => "",
        PersonKind::Device => "shared device",
        PersonKind::Visitor => "visitor",
        PersonKind::Staff => "staff",
    }
}

/// A key of minutes, in words.
pub(crate) fn key_words(key: &str) -> String {
    if key == "everything" { "All together".to_owned() } else { key.replace('_', " ") }
}

/// What the decision says of a site that nobody mentioned.
fn said(current: &Current, standing: &Standing, who: PersonId, now: DateTime<Utc>) -> Explanation {
    let name = Name::new(UNLISTED).expect("a name that stands in this file");
    let request = Request { host: Host::Name(name), tags: Tags::NONE, path: None };
    current.snapshot.house.explain(who, now, &request, standing)
}

/// What holds for somebody now, and until when.
fn holds(
    (house, standing): (&House, &Standing),
    who: PersonId,
    said: &Explanation,
    now: DateTime<Utc>,
) -> (&'static str, String) {
    let until = |at: Option<DateTime<Utc>>| {
        at.map(|at| format!(" until {}", house.spoken(at, now))).unwrap_or_default()
    };
    match said.rule {
        Rule::Restriction if !allows(said) => {
            let ends = said.until.as_deref().and_then(|text| text.parse().ok());
            ("off", format!("The manager has closed everything{}.", until(ends)))
        }
        Rule::Online | Rule::Limit | Rule::EmailOnly | Rule::Baseline if !allows(said) => {
            ("off", said.sentence.clone())
        }
        Rule::SchoolHours | Rule::EducationSession if !allows(said) => ("school", said.sentence.clone()),
        _ => {
            let ends = house.left_of_times(who, now, standing).until;
            // In an allow-only agreement a site that nobody mentioned is closed, and those agreed are open.
            let what = if allows(said) { "Open" } else { "Open for what was agreed" };
            ("open", format!("{what}{}.", until(ends)))
        }
    }
}

fn allows(said: &Explanation) -> bool {
    said.verdict == agreements::Outcome::Allow
}

/// The devices of somebody that were in use lately, each once.
fn on(current: &Current, person: PersonId, who: &SignedIn, now: DateTime<Utc>) -> Vec<String> {
    let all = current.snapshot.house.each_device().zip(1..);
    let theirs = all.filter_map(|((place, ways), number)| {
        let device = ways.first().filter(|device| device.person == person)?;
        used(current, place, ways).filter(|at| now - *at <= LATELY)?;
        Some(if who.knows_names() { device.known.name.clone() } else { format!("device {number}") })
    });
    theirs.collect()
}

/// When a device was last in use, by whichever of the ways in which it is known.
pub(crate) fn used(current: &Current, place: u16, ways: &[agreements::Device]) -> Option<DateTime<Utc>> {
    (place..).take(ways.len()).filter_map(|place| current.device_used(place)).max()
}

fn decided(
    house: &House,
    person: &Person,
    grants: &[LiveGrant],
    restrictions: &[LiveRestriction],
    now: DateTime<Utc>,
) -> Vec<Decided> {
    let restricted = restrictions.iter().filter(|r| r.person == person.id).map(|r| Decided {
        entry: r.entry,
        restricts: true,
        what: format!("Restricted: {}", what_words(&r.what)),
        until: clock(house, r.until, now),
        by: String::new(),
    });
    let granted = grants.iter().filter(|g| g.person == person.id).map(|g| Decided {
        entry: g.entry,
        restricts: false,
        what: grant_words(house, g),
        until: clock(house, g.until, now),
        by: g.by.clone(),
    });
    restricted.chain(granted).collect()
}

/// What a grant opens, in words.
pub(crate) fn grant_words(house: &House, grant: &LiveGrant) -> String {
    match &grant.kind {
        GrantKind::Sites(what) => format!("Open: {}", what_words(what)),
        GrantKind::ExtraTime(LimitKey::Everything) => "Extra time".to_owned(),
        GrantKind::ExtraTime(LimitKey::Word(word)) => format!("Extra time for {word}"),
        GrantKind::Supervised(words) => {
            let words: String = words.iter().map(|word| format!(", and {word}")).collect();
            match &grant.supervision {
                Some(with) => format!("Together with {} on the {}{words}", with.adult, with.device),
                None => format!("Together with staff{words}"),
            }
        }
        GrantKind::Education { young_person } => {
            format!("Education session for {}", person_name(house, young_person))
        }
    }
}

/// What a grant or restriction is about, in words.
pub(crate) fn what_words(what: &What) -> String {
    match what {
        What::Everything => "everything".to_owned(),
        What::Words(words) => words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}
