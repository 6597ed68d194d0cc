//! **Shift**: the breach log of one shift, person by person, and the two who sign it.

use super::now::person_name;
use super::page::{Frame, clock, html, initials, name_for};
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Place, words};
use agreements::{House, Severity};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use records::shift::{self, Shift};
use records::{By, Episode, Mark, Raised, Records, Review, Side, Which};
use serde::Deserialize;

/// Episodes on one page: nobody reads more at once, and an old tablet shows no more.
const PAGE: usize = 200;
/// Shifts of so long ago that nobody signed are asked for.
const REMINDED: TimeDelta = TimeDelta::days(7);

#[derive(Template)]
#[template(path = "desk/shift.html")]
struct ShiftPage {
    frame: Frame,
    shift: Span,
    before: String,
    after: Option<String>,
    unsigned: Vec<Span>,
    people: Vec<Person>,
    quiet: String,
    /// Which part of many episodes this is.
    part: String,
    more: Option<usize>,
    filter: Filter,
    filtered: bool,
    concerns: Vec<Open>,
    signed: Vec<Signed>,
    /// Which sides are still to sign; empty while the shift goes on and for whoever only reads.
    may_sign: Vec<(&'static str, &'static str)>,
    over: bool,
    writes: bool,
}

/// A shift as pages name it.
pub(crate) struct Span {
    /// Its start, as an address names it.
    pub(crate) at: String,
    /// Its times in words.
    pub(crate) said: String,
}

/// Somebody's episodes.
pub(super) struct Person {
    pub(super) name: String,
    id: String,
    pub(super) summary: String,
    /// Whether something in it wants to be read.
    open: bool,
    pub(super) episodes: Vec<Shown>,
}

/// An episode.
pub(super) struct Shown {
    entry: i64,
    pub(super) said: String,
    pub(super) severity: &'static str,
    class: &'static str,
    sentence: String,
    why: String,
    source: Option<String>,
    pub(super) circumvention: bool,
    critical: bool,
    pub(super) reported: bool,
    /// What is serious stays a breach although they told of it.
    breach: bool,
    goes_on: bool,
    pub(super) marks: Vec<String>,
    pub(super) notes: Vec<String>,
    concern: bool,
}

/// A concern that is open.
pub(super) struct Open {
    entry: i64,
    pub(super) name: String,
    pub(super) words: String,
    pub(super) by: String,
    pub(super) at: String,
}

/// A signature.
pub(super) struct Signed {
    pub(super) side: &'static str,
    pub(super) name: String,
    pub(super) words: String,
}

/// What is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Filter {
    /// The instant of a shift; the last that is over where there is none.
    #[serde(default)]
    at: String,
    /// From which severity on: `all`, `medium`, `high`.
    #[serde(default)]
    severity: String,
    /// One person's, by id.
    #[serde(default)]
    person: String,
    /// Only what nobody has marked.
    #[serde(default)]
    unmarked: String,
    /// So many episodes stand on the pages before.
    #[serde(default)]
    skip: usize,
    #[serde(default)]
    done: String,
}

/// What staff make of an episode.
#[derive(Deserialize)]
pub(crate) struct Made {
    #[serde(default)]
    mark: String,
    #[serde(default)]
    words: String,
}

/// A concern goes its way.
#[derive(Deserialize)]
pub(crate) struct Went {
    #[serde(default)]
    with: String,
    #[serde(default)]
    words: String,
}

/// Somebody signs.
#[derive(Deserialize)]
pub(crate) struct Signing {
    at: String,
    side: String,
    #[serde(default)]
    words: String,
}

/// The address of a shift.
fn link(shift: Shift) -> String {
    shift.from.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn span(house: &House, shift: Shift, now: DateTime<Utc>) -> Span {
    let zone = house.home().timezone;
    let (from, to) = (shift.from.with_timezone(&zone), shift.to.with_timezone(&zone));
    let goes_on = if shift.to > now { ", still going on" } else { "" };
    let said =
        format!("{}, {} to {}{goes_on}", from.format("%A %-d %B"), from.format("%H:%M"), to.format("%H:%M"));
    Span { at: link(shift), said }
}

pub(super) fn shift_of(house: &House, at: &str, now: DateTime<Utc>) -> Shift {
    let (home, at) = (house.home(), DateTime::parse_from_rfc3339(at).map(|at| at.to_utc()));
    match at {
        Ok(at) if at <= now && now - at < TimeDelta::days(3660) => shift::at(&home.shifts, home.timezone, at),
        Ok(_) | Err(_) => shift::last(&home.shifts, home.timezone, now),
    }
}

fn earlier(house: &House, shift: Shift) -> Shift {
    shift::at(&house.home().shifts, house.home().timezone, shift.from - TimeDelta::milliseconds(1))
}

/// The shifts of late that are over and not signed by both sides, the oldest first. A home's first shifts, before there was
/// a journal, are none.
pub(crate) async fn unsigned(
    records: &Records,
    house: &House,
    now: DateTime<Utc>,
) -> Result<Vec<Shift>, Wrong> {
    let first = records.entries(1).await?.first().and_then(|e| e.at.parse::<DateTime<Utc>>().ok());
    let Some(first) = first else { return Ok(Vec::new()) };
    let since = (now - REMINDED).max(first);
    let reviews = records.reviews_between(since - TimeDelta::days(2), now).await?;
    let mut unsigned = Vec::new();
    let mut shift = shift::last(&house.home().shifts, house.home().timezone, now);
    while shift.to > since {
        let sides =
            |side| reviews.iter().any(|r| (r.from, r.to) == (shift.from, shift.to) && r.side == Some(side));
        if !(sides(Side::Outgoing) && sides(Side::Incoming)) {
            unsigned.push(shift);
        }
        shift = earlier(house, shift);
    }
    unsigned.reverse();
    Ok(unsigned)
}

/// `GET /shift`.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(filter): Query<Filter>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let mut filter = filter;
    match who.knows_names() {
        true if filter.person.is_empty() => {}
        true => desk.looks(&who, format!("the episodes of {}", filter.person)).await?,
        // Whoever reads initials cannot ask whose they are.
        false => filter.person.clear(),
    }
    let shift = shift_of(house, &filter.at, now);
    let concerns = desk.records.concerns(true).await?;
    let all = desk.records.episodes(&Which::from(shift)).await?;
    let mut wanted: Vec<&Episode> = all.iter().filter(|episode| filter.wants(episode)).collect();
    let count = wanted.len();
    if count > PAGE {
        wanted.sort_by_key(|episode| (std::cmp::Reverse(episode.severity), episode.entry));
    }
    let wanted: Vec<&Episode> = wanted.into_iter().skip(filter.skip).take(PAGE).collect();
    let reviews = desk.records.reviews(shift).await?;
    let writes = who.knows_names();
    let over = shift.to <= now;
    let unsigned = unsigned(&desk.records, house, now).await?.into_iter().filter(|s| *s != shift);
    let later = shift::at(&house.home().shifts, house.home().timezone, shift.to);
    let frame = Frame::of("Shift", "/shift", house, &who).after(match filter.done.as_str() {
        "noted" => Some("It is in the journal."),
        "signed" => Some("Signed. Thank you."),
        "concern" => Some("The concern is raised and stays open. Now tell whoever leads on safeguarding: the gateway tells nobody by itself."),
        _ => None,
    });
    let page = ShiftPage {
        frame,
        quiet: quiet(&all, count),
        part: part(filter.skip, wanted.len(), count),
        more: (filter.skip + wanted.len() < count).then_some(filter.skip + wanted.len()),
        people: people(house, &who, &wanted, &concerns),
        before: link(earlier(house, shift)),
        after: (later.from <= now).then(|| link(later)),
        unsigned: unsigned.map(|shift| span(house, shift, now)).collect(),
        concerns: concerns.iter().map(|raised| open(house, &who, raised, now)).collect(),
        signed: reviews.iter().map(|review| signed(&who, review)).collect(),
        may_sign: if over && writes { sides(&reviews, &who.by()) } else { Vec::new() },
        shift: span(house, shift, now),
        filtered: filter.is_set(),
        filter,
        over,
        writes,
    };
    Ok(html(&page))
}

impl Filter {
    fn wants(&self, episode: &Episode) -> bool {
        let from = match self.severity.as_str() {
            "high" => Severity::High,
            "medium" => Severity::Medium,
            _ => Severity::Technical,
        };
        episode.severity >= from
            && (self.person.is_empty() || episode.person == self.person)
            && (self.unmarked.is_empty() || episode.marks.is_empty())
    }

    fn is_set(&self) -> bool {
        !self.severity.is_empty() && self.severity != "all"
            || !self.person.is_empty()
            || !self.unmarked.is_empty()
    }
}

/// Which part of many episodes a page shows.
fn part(skip: usize, shown: usize, count: usize) -> String {
    if shown == count || shown == 0 {
        return String::new();
    }
    format!("Episodes {} to {} of {count}, the most serious first.", skip + 1, skip + shown)
}

/// What stands in place of episodes where there are none.
fn quiet(all: &[Episode], wanted: usize) -> String {
    match (all.len(), wanted) {
        (0, _) => "A quiet shift: nothing was recorded.".to_owned(),
        (some, 0) => format!("None of the {some} episodes of this shift is among what you look for."),
        _ => String::new(),
    }
}

/// Episodes by person: who has the most serious first.
pub(super) fn people(
    house: &House,
    who: &SignedIn,
    episodes: &[&Episode],
    concerns: &[Raised],
) -> Vec<Person> {
    let mut people: Vec<(Severity, Person)> = Vec::new();
    let mut ids: Vec<&str> = episodes.iter().map(|e| e.person.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let theirs: Vec<&&Episode> = episodes.iter().filter(|e| e.person == id).collect();
        let worst =
            theirs.iter().filter(|e| e.is_breach()).map(|e| e.severity).max().unwrap_or(Severity::Technical);
        let full = theirs.first().map(|e| e.name.clone()).unwrap_or_default();
        let name = if id == "nobody" { full.clone() } else { name_for(who.role, &full) };
        let episodes = theirs.iter().map(|e| shown(house, who, e, &name, concerns)).collect();
        people.push((
            worst,
            Person {
                id: if who.knows_names() && id != "nobody" { id.to_owned() } else { String::new() },
                summary: summary(&theirs),
                open: worst >= Severity::Medium,
                name,
                episodes,
            },
        ));
    }
    people.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name.cmp(&y.name)));
    people.into_iter().map(|(_, person)| person).collect()
}

fn summary(episodes: &[&&Episode]) -> String {
    let count = |from: Severity, to: Severity| {
        episodes.iter().filter(|e| e.is_breach() && e.severity >= from && e.severity <= to).count()
    };
    let told = episodes.iter().filter(|e| !e.is_breach()).count();
    let parts = [
        (count(Severity::Critical, Severity::Critical), "critical"),
        (count(Severity::High, Severity::High), "high"),
        (count(Severity::Medium, Severity::Medium), "medium"),
        (count(Severity::Technical, Severity::Low), "small"),
        (told, "told by themselves"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// A sentence as somebody may read it: without whose it is, and without what they call their device.
fn redacted(who: &SignedIn, episode: &Episode, sentence: &str) -> String {
    if who.knows_names() || episode.name.is_empty() {
        return sentence.to_owned();
    }
    let device = episode.device.as_deref().filter(|device| !device.is_empty());
    let sentence = device.map_or(sentence.to_owned(), |device| sentence.replace(device, "device"));
    sentence.replace(&episode.name, &initials(&episode.name))
}

fn shown(house: &House, who: &SignedIn, episode: &Episode, name: &str, concerns: &[Raised]) -> Shown {
    let (severity, class) = words::severity(episode.severity);
    let reads = who.knows_names();
    let marks = episode.marks.iter().map(|m| {
        let words = if reads && !m.words.is_empty() { format!(": {}", m.words) } else { String::new() };
        format!("{}{words} ({})", words::mark(m.mark), m.by.name)
    });
    let notes = episode.notes.iter().filter(|_| reads).map(|n| format!("{} ({})", n.words, n.by.name));
    Shown {
        entry: episode.entry,
        said: words::sentence(episode, name, house, reads),
        severity,
        class,
        sentence: redacted(who, episode, &episode.sentence),
        why: redacted(who, episode, &episode.why),
        source: episode
            .source
            .as_ref()
            .filter(|_| reads)
            .map(|s| format!("{} · {} line {}", s.text.trim(), s.file, s.line)),
        circumvention: episode.circumvention,
        critical: episode.severity == Severity::Critical,
        reported: episode.reported,
        breach: episode.is_breach(),
        goes_on: episode.open,
        marks: marks.collect(),
        notes: notes.collect(),
        concern: concerns.iter().any(|raised| raised.concern.entry == episode.entry),
    }
}

pub(super) fn open(house: &House, who: &SignedIn, raised: &Raised, now: DateTime<Utc>) -> Open {
    let reads = who.knows_names();
    Open {
        entry: raised.entry,
        name: name_for(who.role, &person_name(house, &raised.concern.person)),
        words: if reads { raised.concern.words.clone() } else { String::new() },
        by: raised.concern.by.name.clone(),
        at: clock(house, raised.at, now),
    }
}

const fn side_words(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Outgoing) => "Worked the shift",
        Some(Side::Incoming) => "Took over",
        None => "Read it",
    }
}

pub(super) fn signed(who: &SignedIn, review: &Review) -> Signed {
    let words = if who.knows_names() { review.words.clone() } else { String::new() };
    Signed { side: side_words(review.side), name: review.by.name.clone(), words }
}

/// The sides that somebody may still sign.
fn sides(reviews: &[Review], by: &By) -> Vec<(&'static str, &'static str)> {
    if reviews.iter().any(|r| r.side.is_some() && r.by.id == by.id) {
        return Vec::new();
    }
    let all =
        [(Side::Outgoing, "outgoing", "I worked this shift"), (Side::Incoming, "incoming", "I take over")];
    let free = all.iter().filter(|(side, _, _)| !reviews.iter().any(|r| r.side == Some(*side)));
    free.map(|(_, value, label)| (*value, *label)).collect()
}

/// `POST /episodes/{entry}`: a note, a mark, a concern.
pub(crate) async fn mark(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(made): Form<Made>,
) -> Result<Response, Wrong> {
    let records = &place.desk.records;
    let episode = records.episode(entry).await?.ok_or(Wrong::Missing)?;
    let done = match made.mark.as_str() {
        "note" => records.note(entry, who.by(), &made.words).await.map(|_| "noted")?,
        "spoke" => records.mark(entry, who.by(), Mark::SpokeWithThem, &made.words).await.map(|_| "noted")?,
        "false" => records.mark(entry, who.by(), Mark::FalseAlarm, &made.words).await.map(|_| "noted")?,
        "told" => records.mark(entry, who.by(), Mark::TheirReport, &made.words).await.map(|_| "noted")?,
        "concern" => {
            records.concern(entry, &episode.person, who.by(), &made.words).await.map(|_| "concern")?
        }
        _ => return Err(Wrong::Missing),
    };
    let at = episode.first.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(Redirect::to(&format!("/shift?at={at}&done={done}#episode-{entry}")).into_response())
}

/// `POST /concerns/{entry}`.
pub(crate) async fn close(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(went): Form<Went>,
) -> Result<Response, Wrong> {
    place.desk.records.close_concern(entry, who.by(), &went.with, &went.words).await?;
    Ok(Redirect::to("/shift?done=noted").into_response())
}

/// `POST /shift/sign`.
pub(crate) async fn sign(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(signing): Form<Signing>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    if !DateTime::parse_from_rfc3339(&signing.at).is_ok_and(|at| at <= now) {
        return Err(Wrong::Typed(
            "Nobody can tell which shift was meant. Open it again, and sign it there.".to_owned(),
        ));
    }
    let shift = shift_of(&current.snapshot.house, &signing.at, now);
    if shift.to > now {
        return Err(Wrong::Typed("This shift still goes on. It is signed when it is over.".to_owned()));
    }
    let side = match signing.side.as_str() {
        "outgoing" => Side::Outgoing,
        "incoming" => Side::Incoming,
        _ => return Err(Wrong::Missing),
    };
    desk.records.sign_shift(shift, Some(side), who.by(), &signing.words).await?;
    Ok(Redirect::to(&format!("/shift?at={}&done=signed", link(shift))).into_response())
}

/// The shifts that end within a stretch of time.
pub(crate) fn shifts_of(house: &House, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Shift> {
    let mut shifts = Vec::new();
    let mut shift = shift::at(&house.home().shifts, house.home().timezone, from);
    while shift.to <= to && shift.to > shift.from {
        shifts.push(shift);
        shift = shift::at(&house.home().shifts, house.home().timezone, shift.to);
    }
    shifts
}
