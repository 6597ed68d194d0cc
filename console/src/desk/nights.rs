//! **Nights** of one person: the bedtime that was agreed, the last minute in use, and what lay between, with who gave it and why
//! (seed 003 §4.8). A night that was other than agreed stands there with its reason, or with that nobody knows one.

use super::Place;
use super::now::grant_words;
use super::page::{Frame, html, length};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, Person, PersonId, PersonKind, SegmentKind};
use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use records::shift::Shift;
use records::{Given, Placed, Records, Review, Side};
use serde_json::{Value, json};

/// Four weeks.
const NIGHTS: u64 = 28;
/// A minute in which the last connections are closed is counted.
const CLOSING: TimeDelta = TimeDelta::minutes(2);
/// What in the law a night is evidence of: health and sleep, safety, staff who do the same each night.
pub(super) const REGULATIONS: &[&str] = &["reg 10", "reg 12", "reg 13"];

#[derive(Template)]
#[template(path = "desk/nights.html")]
struct NightsPage {
    frame: Frame,
    id: String,
    name: String,
    summary: String,
    /// Since when the agreement is as it is now; none where it was so all the time.
    changed: Option<String>,
    nights: Vec<Row>,
}

/// A night as the table says it.
struct Row {
    said: String,
    shift: String,
    planned: String,
    last: String,
    other: Vec<String>,
}

/// A night, from its bedtime to the next morning.
pub(super) struct Night {
    date: NaiveDate,
    /// The shift in which the bedtime was, and who signed that they worked it.
    shift: Shift,
    worked: Vec<String>,
    /// When the evening ends, as it was agreed; none where it does not.
    planned: Option<DateTime<Utc>>,
    /// The last minute in use; none where nothing was, or where nobody can know any more.
    last: Option<DateTime<Utc>>,
    /// Whether the home still keeps minutes of it.
    kept: bool,
    /// Whether the files were changed since, so that another bedtime may have been agreed then.
    before_change: bool,
    pub(super) other: Vec<Other>,
}

/// In what a night was other than agreed.
pub(super) struct Other {
    pub(super) kind: Kind,
    /// What was decided; none where nobody decided anything.
    entry: Option<i64>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    by: String,
    /// What was opened or closed, or how long something was in use.
    what: String,
    why: String,
}

/// Which way a night was other than agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Staff gave more.
    Extension,
    /// Something was in use after bedtime, and nobody had given anything then.
    Late,
    /// A restriction closed everything before.
    Early,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Late => "late",
            Self::Early => "early",
        }
    }
}

/// What the records say of the nights of one person.
struct Known {
    used: Vec<DateTime<Utc>>,
    given: Vec<Given>,
    closed: Vec<Placed>,
    reviews: Vec<Review>,
    changed: Option<DateTime<Utc>>,
}

/// `GET /people/{person}/nights`.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let found = house.person(&id).ok_or(Wrong::Missing)?;
    let person = house.agreement(found).filter(|person| who.may_read(person)).ok_or(Wrong::Role)?;
    desk.looks(&who, format!("the nights of {id}")).await?;
    let today = house.day_of(now);
    let first = today.checked_sub_days(Days::new(NIGHTS)).unwrap_or(today);
    let mut nights = of(&desk.records, house, (found, person), (first, today), now).await?;
    nights.reverse();
    let since = nights.iter().position(|night| night.before_change);
    Ok(html(&NightsPage {
        frame: Frame::of(format!("{}: nights", person.name), "/people", house, &who),
        id: person.id.clone(),
        name: person.name.clone(),
        summary: summary(&nights),
        changed: since.map(|at| nights[at].date.format("%-d %B").to_string()),
        nights: nights.iter().map(|night| row(house, night)).collect(),
    }))
}

/// The nights from one evening to another, both included, as far as they are over and the home had a journal.
pub(super) async fn of(
    records: &Records,
    house: &House,
    (who, person): (PersonId, &Person),
    (first, last): (NaiveDate, NaiveDate),
    now: DateTime<Utc>,
) -> Result<Vec<Night>, Wrong> {
    let Some(begun) = records.first_written().await? else { return Ok(Vec::new()) };
    let stretches = stretches(house, who, first, last);
    let known = known(records, house, person, (first, last)).await?;
    let kept = Days::new(house.home().keep.minutes.into());
    let kept = house.day_of(now).checked_sub_days(kept).unwrap_or(NaiveDate::MIN);
    let evenings = first.iter_days().take_while(|date| *date <= last);
    let nights = evenings.filter_map(|date| {
        let bounds = bounds(house, &stretches, date);
        let knows = bounds.opens <= now && bounds.planned.unwrap_or(bounds.opens) > begun;
        knows.then(|| Night { kept: date >= kept, ..night(house, date, bounds, &known) })
    });
    Ok(nights.collect())
}

/// Noon of a day, by the home's clock.
fn noon(house: &House, date: NaiveDate) -> DateTime<Utc> {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    records::shift::on(&[noon], house.home().timezone, date, noon).from
}

/// When the internet was open, as it was agreed: from when until when, in order.
fn stretches(
    house: &House,
    who: PersonId,
    first: NaiveDate,
    last: NaiveDate,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let mut open: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    let weeks = first.iter_weeks().take_while(|week| *week <= last.succ_opt().unwrap_or(last));
    for segment in weeks.flat_map(|from| house.week(who, from).days).flat_map(|day| day.segments) {
        if segment.kind == SegmentKind::Offline {
            continue;
        }
        match open.last_mut().filter(|(_, until)| *until == segment.from) {
            Some((_, until)) => *until = segment.until,
            None => open.push((segment.from, segment.until)),
        }
    }
    open
}

/// A night between two noons: when the evening ends, and when the morning begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    begins: DateTime<Utc>,
    planned: Option<DateTime<Utc>>,
    opens: DateTime<Utc>,
}

fn bounds(house: &House, open: &[(DateTime<Utc>, DateTime<Utc>)], date: NaiveDate) -> Bounds {
    let (begins, ends) = (noon(house, date), noon(house, date.succ_opt().unwrap_or(date)));
    // The longest time that is closed between two noons is the night.
    let ending = open.iter().map(|(_, until)| *until).filter(|until| *until > begins && *until < ends);
    let opening = |planned: DateTime<Utc>| {
        open.iter().map(|(from, _)| *from).find(|from| *from > planned).map_or(ends, |from| from.min(ends))
    };
    let longest =
        ending.map(|planned| (planned, opening(planned))).max_by_key(|(planned, opens)| *opens - *planned);
    match longest {
        Some((planned, opens)) => Bounds { begins, planned: Some(planned), opens },
        None => Bounds { begins, planned: None, opens: ends },
    }
}

async fn known(
    records: &Records,
    house: &House,
    person: &Person,
    (first, last): (NaiveDate, NaiveDate),
) -> Result<Known, Wrong> {
    let home = house.home();
    let (from, to) = (noon(house, first), noon(house, last.succ_opt().unwrap_or(last)));
    let days = records.days_of(&person.id, (first, last.succ_opt().unwrap_or(last))).await?;
    let used = days.iter().flat_map(|(date, chart)| {
        let starts = records::shift::on(&[home.day_starts], home.timezone, *date, home.day_starts).from;
        chart.minutes().map(move |minute| starts + TimeDelta::minutes(minute.into()))
    });
    let file = format!("agreements/{}.yaml", person.id);
    let closed = records.restrictions().await?.into_iter();
    Ok(Known {
        used: used.collect(),
        given: records.given(&person.id, from, to).await?,
        closed: closed.filter(|p| p.said.person == person.id && p.said.closes.is_none()).collect(),
        reviews: records.reviews_between(from - TimeDelta::days(1), to).await?,
        changed: records.files_changed(&[&file, "home.yaml"]).await?,
    })
}

fn night(house: &House, date: NaiveDate, bounds: Bounds, known: &Known) -> Night {
    let home = house.home();
    let Bounds { begins, planned, opens } = bounds;
    let shift = records::shift::at(&home.shifts, home.timezone, planned.unwrap_or(opens));
    let worked = known.reviews.iter().filter(|r| r.side == Some(Side::Outgoing) && r.covers(shift));
    let used = known.used.iter().copied().filter(|at| *at >= begins && *at < opens);
    Night {
        date,
        shift,
        worked: worked.map(|review| review.by.name.clone()).collect(),
        planned,
        last: used.max(),
        kept: true,
        before_change: planned.is_some_and(|at| known.changed.is_some_and(|changed| at < changed)),
        other: planned.map(|planned| other(house, bounds, planned, known)).unwrap_or_default(),
    }
}

/// In what a night was other than agreed, in the order of time.
fn other(house: &House, bounds: Bounds, planned: DateTime<Utc>, known: &Known) -> Vec<Other> {
    let Bounds { begins, opens, .. } = bounds;
    let within = |from: DateTime<Utc>, until| from < opens && until > planned;
    let given: Vec<&Given> = known.given.iter().filter(|g| within(g.said.from, g.over())).collect();
    let mut other: Vec<Other> = early(&known.closed, begins, planned);
    other.extend(given.iter().map(|given| extension(house, given)));
    let late: Vec<DateTime<Utc>> = known
        .used
        .iter()
        .copied()
        .filter(|at| *at >= planned + CLOSING && *at < opens)
        .filter(|at| !given.iter().any(|g| g.said.from <= *at && *at < g.over() + CLOSING))
        .collect();
    if let (Some(first), Some(last)) = (late.first(), late.last()) {
        other.push(Other {
            kind: Kind::Late,
            entry: None,
            from: *first,
            until: *last,
            by: String::new(),
            what: length(i64::try_from(late.len()).unwrap_or(i64::MAX)),
            why: String::new(),
        });
    }
    other
}

fn extension(house: &House, given: &Given) -> Other {
    let live = given.live();
    Other {
        kind: Kind::Extension,
        entry: Some(given.entry),
        from: given.said.from,
        until: given.over(),
        by: given.said.by.name.clone(),
        what: live.map(|grant| grant_words(house, &grant)).unwrap_or_default(),
        why: given.said.reason.clone(),
    }
}

/// Restrictions that closed everything in the evening, before bedtime did.
fn early(closed: &[Placed], begins: DateTime<Utc>, planned: DateTime<Utc>) -> Vec<Other> {
    let over = |placed: &Placed| placed.ended_at.unwrap_or(placed.said.until).min(placed.said.until);
    let held = closed.iter().filter(|p| p.said.from < planned && over(p) > begins && over(p) >= planned);
    let one = |placed: &Placed| Other {
        kind: Kind::Early,
        entry: Some(placed.entry),
        from: placed.said.from.max(begins),
        until: over(placed),
        by: placed.said.by.name.clone(),
        what: "everything but help, aids and private mail".to_owned(),
        why: placed.said.reason.clone(),
    };
    held.map(one).collect()
}

fn time(house: &House, at: DateTime<Utc>) -> String {
    at.with_timezone(&house.home().timezone).format("%H:%M").to_string()
}

/// A night in the words of the page.
fn row(house: &House, night: &Night) -> Row {
    let at = |at| time(house, at);
    let worked = if night.worked.is_empty() { "not signed".to_owned() } else { night.worked.join(", ") };
    Row {
        said: night.date.format("%a %-d %B").to_string(),
        shift: format!("{}–{}: {worked}", at(night.shift.from), at(night.shift.to)),
        planned: match night.planned {
            Some(planned) if night.before_change => format!("{} (as agreed now)", at(planned)),
            Some(planned) => at(planned),
            None => "none".to_owned(),
        },
        last: match (night.last, night.kept) {
            (Some(last), _) => at(last),
            (None, true) => "not in use".to_owned(),
            (None, false) => "no longer kept".to_owned(),
        },
        other: night.other.iter().map(|other| sentence(house, other)).collect(),
    }
}

fn sentence(house: &House, other: &Other) -> String {
    let Other { kind, entry: _, from, until, by, what, why } = other;
    let (from, until) = (time(house, *from), time(house, *until));
    match kind {
        Kind::Extension => format!("Given by {by}, {from} to {until}. {what}. Why: {why}"),
        Kind::Early => format!("Closed by {by} from {from}: {what} (reg 22). Why: {why}"),
        Kind::Late => format!(
            "In use after bedtime for {what}, the last at {until}, and nobody had given time then. The gateway does not know why."
        ),
    }
}

/// How many nights were as agreed, and how many were not.
pub(super) fn summary(nights: &[Night]) -> String {
    let (agreed, other) = counted(nights);
    let counted = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = other.into_iter().filter_map(|(kind, count)| match kind {
        Kind::Extension => counted(count, "with time that staff gave"),
        Kind::Late => counted(count, "in use after bedtime with nothing given"),
        Kind::Early => counted(count, "closed early by a restriction"),
    });
    let parts: Vec<String> = parts.collect();
    let planned = nights.iter().filter(|night| night.planned.is_some()).count();
    match (planned, parts.is_empty()) {
        (0, _) => "No bedtime is agreed.".to_owned(),
        (planned, true) => format!("{agreed} of {planned} nights were as agreed."),
        (planned, false) => format!("{agreed} of {planned} nights were as agreed; {}.", parts.join(", ")),
    }
}

/// How many nights with a bedtime were as agreed, and how many were not, by each kind.
pub(super) fn counted(nights: &[Night]) -> (usize, [(Kind, usize); 3]) {
    let agreed = nights.iter().filter(|night| night.planned.is_some() && night.other.is_empty()).count();
    let of = |kind| nights.iter().filter(|night| night.other.iter().any(|other| other.kind == kind)).count();
    (agreed, [Kind::Extension, Kind::Late, Kind::Early].map(|kind| (kind, of(kind))))
}

/// The nights of every young person that are within a stretch of time, by the home's days: both included.
pub(super) async fn everybodys(
    records: &Records,
    house: &House,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<Vec<(String, Vec<Night>)>, Wrong> {
    let date = |at: DateTime<Utc>| at.with_timezone(&house.home().timezone).date_naive();
    let days = (date(from), date(to.min(now) - TimeDelta::seconds(1)));
    let mut all = Vec::new();
    for (who, person) in house.people().filter(|(_, person)| person.kind == PersonKind::YoungPerson) {
        all.push((person.id.clone(), of(records, house, (who, person), days, now).await?));
    }
    Ok(all)
}

/// One person's nights as an export has them.
pub(super) fn told(person: &str, nights: &[Night]) -> Value {
    let other = |other: &Other| {
        json!({
            "kind": other.kind.word(), "entry": other.entry, "from": other.from, "until": other.until,
            "by": other.by, "what": other.what, "reason": other.why,
        })
    };
    let night = |night: &Night| {
        json!({
            "night": night.date, "shift": {"from": night.shift.from, "to": night.shift.to, "worked_by": night.worked},
            "planned": night.planned, "agreed_since": night.before_change, "last_used": night.last, "kept": night.kept,
            "regulations": REGULATIONS, "other_than_agreed": night.other.iter().map(other).collect::<Value>(),
        })
    };
    json!({"person": person, "nights": nights.iter().map(night).collect::<Value>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, JORDAN, snapshot};

    #[test]
    fn a_night_is_from_bedtime_to_the_morning_also_where_clocks_change() {
        for (name, online, date, planned, opens) in [
            (
                "bedtime_cuts_the_window",
                "{every_day: 07:00-22:30}",
                "2026-11-22",
                "2026-11-22T21:00Z",
                "2026-11-23T07:00Z",
            ),
            (
                "two_windows",
                "{every_day: \"07:00-08:30, 15:30-22:30\"}",
                "2026-11-23",
                "2026-11-23T21:00Z",
                "2026-11-24T07:00Z",
            ),
            (
                "clocks_go_forward",
                "{every_day: 07:00-22:30}",
                "2026-03-28",
                "2026-03-28T21:00Z",
                "2026-03-29T06:00Z",
            ),
            (
                "clocks_go_back",
                "{every_day: 07:00-22:30}",
                "2026-10-24",
                "2026-10-24T20:00Z",
                "2026-10-25T07:00Z",
            ),
        ] {
            let house =
                &snapshot(HOME, &[("jordan", &JORDAN.replace("{every_day: 07:00-22:30}", online))]).house;
            let (who, date) = (house.person("jordan").unwrap(), date.parse().unwrap());
            let found = bounds(house, &stretches(house, who, date, date), date);
            let at = |text: &str| text.replace('Z', ":00Z").parse::<DateTime<Utc>>().unwrap();
            assert_eq!((found.planned, found.opens), (Some(at(planned)), at(opens)), "{name}");
        }
    }

    #[test]
    fn after_midnight_is_the_evening_before_and_who_is_never_closed_has_no_bedtime() {
        let date: NaiveDate = "2026-11-27".parse().unwrap();
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (name, from, to, planned) in [
            (
                "until_half_past_midnight",
                "online: {every_day: 07:00-22:30}\nbedtime: {every_day: 21:00}",
                "online: {every_day: 09:00-00:30}",
                Some(at("2026-11-28T00:30:00Z")),
            ),
            (
                "all_day",
                "online: {every_day: 07:00-22:30}\nbedtime: {every_day: 21:00}",
                "online: {every_day: all_day}",
                None,
            ),
        ] {
            let house = &snapshot(HOME, &[("jordan", &JORDAN.replace(from, to))]).house;
            let who = house.person("jordan").unwrap();
            assert_eq!(bounds(house, &stretches(house, who, date, date), date).planned, planned, "{name}");
        }
    }
}
