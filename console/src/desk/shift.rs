//! **Shift**: the breach log of one shift, person by person, and the two who sign it.

use super::concerns::{self, Closed, Concerns};
use super::handover::{Signed, shifts_of, sides, signed, stamp};
use super::kept::Kept;
use super::now::person_name;
use super::page::{Frame, html, initials, name_for};
use super::reports::{Saw, told};
use super::session::SignedIn;
use super::together::{Written, written};
use super::wrong::Wrong;
use super::{Place, words};
use agreements::{House, Role, Severity};
use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use records::shift::{self, Shift};
use records::{Counted, Episode, Order, Raised, Records, Review, Sort, Which, together};
use serde::Deserialize;

/// Episodes on one page: nobody reads more at once, and an old tablet shows no more.
const PAGE: u64 = 200;
/// So many pages are led to; the others come one after the other.
const MOST_PAGES: u64 = 50;
/// Shifts of no more days than these are read as one.
const LONGEST: TimeDelta = TimeDelta::days(40);

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
    /// Each page of many episodes: its number, how many stand before it, and whether this is it.
    pages: Vec<(u64, u64, bool)>,
    /// Whether this is one of the later pages: there nothing is folded, so that it takes no click more than the first.
    later: bool,
    /// How many stand on the pages before that one which comes next.
    more: Option<u64>,
    /// How many come on the pages after.
    left: u64,
    /// Everybody, where not all of their episodes stand on this page.
    everybody: Vec<Whole>,
    filter: Filter,
    filtered: bool,
    concerns: Concerns,
    closed: Vec<Closed>,
    told: Vec<Saw>,
    /// What this reader does not read.
    kept: Kept,
    incidents: Vec<Written>,
    signed: Vec<Signed>,
    /// Which sides are still to sign; empty while the shift goes on and for whoever only reads.
    may_sign: Vec<(&'static str, &'static str)>,
    /// What whoever signs has had before them.
    seen: String,
    all: u64,
    /// How many of them are the manager's to read.
    withheld: u64,
    over: bool,
    writes: bool,
    manages: bool,
}

/// A shift, or several in a row that are read as one, as pages name it.
pub(crate) struct Span {
    /// Its start, as an address names it.
    pub(crate) at: String,
    /// Its end, where it is several shifts; empty for one.
    pub(crate) upto: String,
    /// Its times in words.
    pub(crate) said: String,
    /// Each of several in words; none for one.
    pub(crate) shifts: Vec<String>,
}

impl Span {
    /// What names it in an address.
    pub(crate) fn query(&self) -> String {
        if self.upto.is_empty() {
            format!("at={}", self.at)
        } else {
            format!("at={}&upto={}", self.at, self.upto)
        }
    }
}

/// Somebody's part of a shift that stands on several pages.
struct Whole {
    id: String,
    name: String,
    summary: String,
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

impl Person {
    /// What is small is folded: once it is unfolded, what is written to it needs no fold more.
    fn at_hand(&self) -> bool {
        !self.open
    }
}

/// An episode.
pub(super) struct Shown {
    entry: i64,
    pub(super) said: String,
    pub(super) severity: &'static str,
    class: &'static str,
    sentence: String,
    why: String,
    /// What to talk about; none where it is no risk.
    talk: Option<String>,
    source: Option<String>,
    pub(super) circumvention: bool,
    pub(super) critical: bool,
    pub(super) reported: bool,
    /// What is serious stays a breach although they told of it.
    breach: bool,
    goes_on: bool,
    pub(super) marks: Vec<String>,
    pub(super) notes: Vec<String>,
    concern: bool,
}

/// What is looked at.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Filter {
    /// The instant of a shift; where there is none, everything since the last that both sides signed.
    #[serde(default)]
    at: String,
    /// Where the last of several shifts ends.
    #[serde(default)]
    upto: String,
    /// From which severity on: `all`, `medium`, `high`.
    #[serde(default)]
    severity: String,
    /// One person's, by id.
    #[serde(default)]
    person: String,
    /// Only what nobody has marked.
    #[serde(default)]
    unmarked: String,
    /// Of one kind: `times`, `around`, `unknown`.
    #[serde(default)]
    kind: String,
    /// So many episodes stand on the pages before.
    #[serde(default)]
    skip: u64,
    #[serde(default)]
    done: String,
}

/// The address of a shift.
fn link(shift: Shift) -> String {
    shift.from.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn span(house: &House, shift: Shift, now: DateTime<Utc>) -> Span {
    let zone = house.home().timezone;
    let goes_on = if shift.to > now { ", still going on" } else { "" };
    let one = |shift: Shift| {
        let (from, to) = (shift.from.with_timezone(&zone), shift.to.with_timezone(&zone));
        format!("{}, {} to {}", from.format("%A %-d %B"), from.format("%H:%M"), to.format("%H:%M"))
    };
    let shifts = shifts_of(house, shift.from, shift.to);
    if shifts.len() < 2 {
        let said = format!("{}{goes_on}", one(shift));
        return Span { at: link(shift), upto: String::new(), said, shifts: Vec::new() };
    }
    let ends = |at: DateTime<Utc>| at.with_timezone(&zone).format("%A %-d %B %H:%M").to_string();
    Span {
        at: link(shift),
        upto: shift.to.to_rfc3339_opts(SecondsFormat::Secs, true),
        said: format!("{} to {}, {} shifts", ends(shift.from), ends(shift.to), shifts.len()),
        shifts: shifts.into_iter().map(one).collect(),
    }
}

/// The shift that an address names, or the several in a row; none where it names none that has begun.
pub(super) fn asked(house: &House, at: &str, upto: &str, now: DateTime<Utc>) -> Option<Shift> {
    let home = house.home();
    let read = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
    let shift_of = |at| shift::at(&home.shifts, home.timezone, at);
    let at = read(at).filter(|at| *at <= now && now - *at < TimeDelta::days(3660))?;
    let (first, upto) = (shift_of(at), read(upto).filter(|upto| *upto <= now && *upto - at < LONGEST));
    let last = upto.map(|upto| shift_of(upto - TimeDelta::milliseconds(1)));
    Some(Shift { to: last.map_or(first.to, |last| last.to.max(first.to)), ..first })
}

fn earlier(house: &House, shift: Shift) -> Shift {
    shift::at(&house.home().shifts, house.home().timezone, shift.from - TimeDelta::milliseconds(1))
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
        true if filter.person.is_empty() => desk.looks(&who, "the shift’s review".to_owned()).await?,
        true => desk.looks(&who, format!("the episodes of {}", filter.person)).await?,
        // Whoever reads initials cannot ask whose they are.
        false => filter.person.clear(),
    }
    let unsigned = desk.records.unsigned(house, now).await?;
    let last = shift::last(&house.home().shifts, house.home().timezone, now);
    let named = asked(house, &filter.at, &filter.upto, now);
    let shift = named.unwrap_or_else(|| together(last, &unsigned));
    let (concerns, raised) = Concerns::of(&desk.records, house, &who, now).await?;
    // Before the episodes are read: what comes in between is then not taken for seen.
    let tally = desk.records.tally(shift.from, shift.to).await?;
    let every = Which::from(shift);
    let parts = desk.records.shares(&every).await?;
    let kept = Kept::of(&desk.records, (house, &who), (&every, &parts)).await?;
    let (withheld, without) = (kept.episodes(), kept.ids());
    let kept = kept.only(&filter.person);
    let which = Which { without, ..filter.which(shift) };
    let shares = desk.records.shares(&which).await?;
    let count = shares.iter().map(|(_, counted)| counted.all()).sum();
    let episodes = on_page(&desk.records, &which, filter.skip, count).await?;
    let wanted: Vec<&Episode> = episodes.iter().collect();
    let upto = filter.skip + wanted.len() as u64;
    let left = if wanted.is_empty() { 0 } else { u64::saturating_sub(count, upto) };
    // With those of some of its shifts alone: what they said is for whoever reads all of them.
    let reviews = desk.records.reviews_between(shift.from, shift.to).await?;
    let whole: Vec<Review> = reviews.iter().filter(|review| review.covers(shift)).cloned().collect();
    let writes = who.knows_names();
    let over = shift.to <= now;
    let unsigned = unsigned.into_iter().filter(|other| other.from < shift.from || other.to > shift.to);
    let later = shift::at(&house.home().shifts, house.home().timezone, shift.to);
    let frame = Frame::of("Shift", "/shift", house, &who).after(match filter.done.as_str() {
        "noted" => Some("It is in the journal."),
        "signed" => Some("Signed. Thank you."),
        "concern" => Some("The concern is raised and stays open. Now tell whoever leads on safeguarding: they stand below, as home.yaml names them."),
        _ => None,
    });
    let page = ShiftPage {
        frame,
        incidents: written((&desk.records, house), &who, (None, (shift.from, shift.to)), now).await?,
        quiet: quiet((tally.episodes.saturating_sub(withheld), count), &kept),
        part: part(filter.skip, wanted.len() as u64, count),
        pages: pages(filter.skip, count),
        later: filter.skip > 0,
        more: (left > 0).then_some(upto),
        left,
        everybody: if count > PAGE { everybody(house, &who, &shares) } else { Vec::new() },
        people: people(house, &who, (&wanted, &shares), &raised),
        before: link(earlier(house, shift)),
        after: (later.from <= now).then(|| link(later)),
        unsigned: unsigned.map(|shift| span(house, shift, now)).collect(),
        closed: concerns::closed((&desk.records, house), &who, shift, now).await?,
        concerns,
        told: told(&desk.records, house, &who, now).await?,
        signed: reviews.iter().map(|review| signed(house, &who, review, shift, now)).collect(),
        may_sign: if over && writes { sides(&whole, &who.by()) } else { Vec::new() },
        seen: stamp(tally),
        all: tally.episodes,
        withheld,
        kept,
        shift: span(house, shift, now),
        filtered: filter.is_set(),
        filter,
        over,
        writes,
        manages: who.role == Role::Manager,
    };
    Ok(html(&page))
}

/// The episodes of one page: as they were where it holds all of them, else the most serious first.
async fn on_page(
    records: &Records,
    which: &Which,
    skip: u64,
    count: u64,
) -> Result<Vec<Episode>, records::StoreError> {
    let order = if count > PAGE { Order::Gravest } else { Order::Oldest };
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(records.episodes_in(which, order, number(skip), number(PAGE)).await?.episodes)
}

impl Filter {
    /// The episodes of a shift that are looked for.
    fn which(&self, shift: Shift) -> Which {
        let severity = match self.severity.as_str() {
            "high" => Some(Severity::High),
            "medium" => Some(Severity::Medium),
            _ => None,
        };
        let person = Some(self.person.clone()).filter(|id| !id.is_empty());
        let sort = match self.kind.as_str() {
            "times" => Some(Sort::Times),
            "around" => Some(Sort::Around),
            "unknown" => Some(Sort::Unknown),
            _ => None,
        };
        Which { severity, person, unmarked: !self.unmarked.is_empty(), sort, ..Which::from(shift) }
    }

    fn is_set(&self) -> bool {
        !self.severity.is_empty() && self.severity != "all"
            || !self.person.is_empty()
            || !self.unmarked.is_empty()
            || !self.kind.is_empty()
    }
}

/// Which part of many episodes a page shows.
fn part(skip: u64, shown: u64, count: u64) -> String {
    if shown == count || shown == 0 {
        return String::new();
    }
    format!("Episodes {} to {} of {count}, the most serious first.", skip + 1, skip + shown)
}

/// The pages of many episodes; none where one holds all of them.
fn pages(skip: u64, count: u64) -> Vec<(u64, u64, bool)> {
    let pages = count.div_ceil(PAGE).min(MOST_PAGES);
    let page = |n: u64| (n + 1, n * PAGE, n * PAGE == skip);
    if pages < 2 { Vec::new() } else { (0..pages).map(page).collect() }
}

/// What stands in place of episodes where there are none.
fn quiet((all, wanted): (u64, u64), kept: &Kept) -> String {
    match (all, wanted) {
        (_, 0) if !kept.0.is_empty() => String::new(),
        (0, _) => "A quiet shift: nothing was recorded.".to_owned(),
        (some, 0) => format!("None of the {some} episodes of this shift is among what you look for."),
        _ => String::new(),
    }
}

/// Who has how many, whatever of it stands on the page.
fn everybody(house: &House, who: &SignedIn, shares: &[(String, Counted)]) -> Vec<Whole> {
    let whole = |(id, counted): &(String, Counted)| Whole {
        id: if who.knows_names() { id.clone() } else { String::new() },
        name: whose(house, who, id),
        summary: summary(counted),
    };
    let mut shares: Vec<&(String, Counted)> = shares.iter().collect();
    shares.sort_by_key(|(_, c)| std::cmp::Reverse((c.critical, c.high, c.medium, c.small)));
    shares.into_iter().map(whole).collect()
}

/// A person's name as somebody may read it; an unknown device is nobody's.
pub(super) fn whose(house: &House, who: &SignedIn, id: &str) -> String {
    if id == "nobody" { "An unknown device".to_owned() } else { name_for(who.role, &person_name(house, id)) }
}

/// Episodes by person, with how many everybody has in all: who has the most serious first.
pub(super) fn people(
    house: &House,
    who: &SignedIn,
    (episodes, shares): (&[&Episode], &[(String, Counted)]),
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
        let counted = shares.iter().find(|(of, _)| of == id).map_or_else(Counted::default, |(_, c)| *c);
        let here = if counted.all() > theirs.len() as u64 {
            format!(" ({} of them here)", theirs.len())
        } else {
            String::new()
        };
        let episodes = theirs.iter().map(|e| shown(house, who, e, &name, concerns)).collect();
        people.push((
            worst,
            Person {
                id: if who.knows_names() && id != "nobody" { id.to_owned() } else { String::new() },
                summary: summary(&counted) + &here,
                open: worst >= Severity::Medium,
                name,
                episodes,
            },
        ));
    }
    people.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name.cmp(&y.name)));
    people.into_iter().map(|(_, person)| person).collect()
}

pub(super) fn summary(counted: &Counted) -> String {
    let parts = [
        (counted.critical, "critical"),
        (counted.high, "high"),
        (counted.medium, "medium"),
        (counted.small, "small"),
        (counted.told, "told by themselves"),
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
        talk: words::to_talk_about(&episode.categories),
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
