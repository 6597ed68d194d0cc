//! **Charts** of one person: minutes by day against the limit, bedtimes planned and as they were, episodes by kind; and what
//! changed against their own pattern. No sites, no scores, and nobody is compared with anybody (seed 003 §4.7).

use super::Place;
use super::page::{Frame, html, length};
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, PersonId};
use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Utc};
use records::Records;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Four weeks: the last, and three to compare it with.
const DAYS: u64 = 28;
const LAST: usize = 7;
/// So many more refusals than in a usual week are a rise.
const RISE: usize = 4;
/// Where a picture's columns begin, after what stands beside its lines; how wide each is, how high the picture.
const LEFT: usize = 46;
const COLUMN: usize = 26;
const HEIGHT: usize = 150;
/// Bedtimes are drawn from 18:00 on, for ten hours.
const EVENING: u16 = 18 * 60;
const NIGHT: u16 = 600;

#[derive(Template)]
#[template(path = "desk/charts.html")]
struct ChartsPage {
    frame: Frame,
    id: String,
    name: String,
    hints: Vec<String>,
    minutes: String,
    beds: String,
    days: Vec<Row>,
    kinds: Vec<(String, usize, usize)>,
    kinds_picture: String,
}

/// A day as the table says it.
struct Row {
    said: String,
    used: String,
    limit: String,
    bed: String,
    last: String,
}

/// A day as it was: minutes are of the day; times are minutes after midnight, past 1440 in the night.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Day {
    date: NaiveDate,
    used: u16,
    limit: Option<u16>,
    bed: Option<u16>,
    last: Option<u16>,
}

/// `GET /people/{person}/charts`.
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
    desk.looks(&who, format!("the minutes of {id}")).await?;
    let FourWeeks { days, episodes, hints } = FourWeeks::of(&desk.records, house, (found, &id), now).await?;
    let kinds = kinds(&episodes);
    Ok(html(&ChartsPage {
        kinds_picture: kinds_picture(&kinds),
        frame: Frame::of(format!("{}: four weeks", person.name), "/people", house, &who),
        id: person.id.clone(),
        name: person.name.clone(),
        hints,
        minutes: minutes_picture(&days),
        beds: beds_picture(&days),
        days: days.iter().rev().map(row).collect(),
        kinds,
    }))
}

/// What is known of somebody's last four weeks, and what changed in them.
struct FourWeeks {
    days: Vec<Day>,
    /// When each episode began, and of what kind it was.
    episodes: Vec<(DateTime<Utc>, String)>,
    hints: Vec<String>,
}

impl FourWeeks {
    async fn of(
        records: &Records,
        house: &House,
        (who, id): (PersonId, &str),
        now: DateTime<Utc>,
    ) -> Result<Self, Wrong> {
        let days = days(records, house, (who, id), now).await?;
        let since = now - chrono::TimeDelta::days(DAYS.try_into().unwrap_or(28));
        let episodes = records.kinds(id, since).await?.into_iter();
        let episodes: Vec<_> = episodes.map(|(first, kind)| (first, kind_words(&kind))).collect();
        let hints = hints(&days).into_iter().chain(attempts(&episodes, &days, now)).collect();
        Ok(Self { days, episodes, hints })
    }
}

/// Whether something changed of late against somebody's own pattern. What it is stands on their own page alone.
pub(super) async fn has_changed(
    records: &Records,
    house: &House,
    whose: (PersonId, &str),
    now: DateTime<Utc>,
) -> Result<bool, Wrong> {
    Ok(!FourWeeks::of(records, house, whose, now).await?.hints.is_empty())
}

async fn days(
    records: &Records,
    house: &House,
    (who, id): (PersonId, &str),
    now: DateTime<Utc>,
) -> Result<Vec<Day>, Wrong> {
    let starts = house.home().day_starts;
    let begins = u16::try_from(starts.num_seconds_from_midnight() / 60).unwrap_or(0);
    let today = house.day_of(now);
    let first = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let mut planned: BTreeMap<NaiveDate, (Option<u16>, Option<u16>)> = BTreeMap::new();
    for week in 0..DAYS / 7 {
        let from = first.checked_add_days(Days::new(week * 7)).unwrap_or(first);
        for day in house.week(who, from).days {
            let limit = day.limits.iter().find(|limit| limit.of == "the internet").map(|limit| limit.minutes);
            planned.insert(day.date, (limit, day.bedtime.as_deref().and_then(evening)));
        }
    }
    let was: BTreeMap<_, _> = records.days_of(id, (first, today)).await?.into_iter().collect();
    let day = |(date, (limit, bed))| {
        let all = was.get(&date);
        let used = all.map_or(0, |chart| chart.counted.saturating_add(chart.estimated));
        let last = all.and_then(|chart| chart.minutes().max()).map(|minute| minute + begins);
        Day { date, used, limit, bed, last }
    };
    Ok(planned.into_iter().map(day).collect())
}

/// A bedtime as minutes after midnight; one before noon is in the night after.
fn evening(clock: &str) -> Option<u16> {
    let (hours, minutes) = clock.split_once(':')?;
    let at = hours.parse::<u16>().ok()? * 60 + minutes.parse::<u16>().ok()?;
    Some(if at < 720 { at + 1440 } else { at })
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60 % 24, minute % 60)
}

fn row(day: &Day) -> Row {
    Row {
        said: day.date.format("%a %-d %B").to_string(),
        used: if day.used == 0 { "none".to_owned() } else { length(day.used.into()) },
        limit: day.limit.map(|minutes| length(minutes.into())).unwrap_or_default(),
        bed: day.bed.map(clock).unwrap_or_default(),
        last: day.last.map(clock).unwrap_or_default(),
    }
}

/// What changed against their own pattern: something to ask about, and no breach.
fn hints(days: &[Day]) -> Vec<String> {
    let (before, last) = days.split_at(days.len().saturating_sub(LAST));
    let mut hints = Vec::new();
    if let (Some(now), Some(then)) = (median(last), median(before)) {
        let (more, less) = (now > then + then / 2, now * 2 <= then);
        if (more || less) && now.abs_diff(then) >= 45 {
            let (now, then) = (length(now.into()), length(then.into()));
            hints.push(format!(
                "About {now} on a day of the last week; about {then} in the three weeks before."
            ));
        }
    }
    let late = |day: &&Day| matches!((day.bed, day.last), (Some(bed), Some(last)) if last > bed + 15);
    let nights = last.iter().filter(late).count();
    if nights >= 3 {
        hints.push(format!("On {nights} of the last 7 nights something was in use after bedtime."));
    }
    hints
}

/// What was refused more often than before, and what is new among its kinds: against their own three weeks before, and only
/// where something is known of those. Kinds are those of the agreement and of lists: no site is told.
fn attempts(episodes: &[(DateTime<Utc>, String)], days: &[Day], now: DateTime<Utc>) -> Vec<String> {
    let since = now - chrono::TimeDelta::days(7);
    let (last, before): (Vec<_>, Vec<_>) = episodes.iter().partition(|(first, _)| *first >= since);
    let (earlier, _) = days.split_at(days.len().saturating_sub(LAST));
    if before.is_empty() && median(earlier).is_none() {
        return Vec::new();
    }
    let mut hints = Vec::new();
    let (often, usual) = (last.len(), before.len().div_ceil(3));
    if often > usual * 2 && often >= usual + RISE {
        hints.push(match usual {
            0 => format!("{often} times something was refused in the last week; not once in the three weeks before."),
            _ => format!("{often} times something was refused in the last week; about {usual} a week in the three weeks before."),
        });
    }
    let known: BTreeSet<&str> = before.iter().map(|(_, kind)| kind.as_str()).collect();
    let mut new: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, kind) in last.iter().filter(|(_, kind)| !known.contains(kind.as_str())) {
        *new.entry(kind).or_default() += 1;
    }
    // Once is a slip of a finger.
    let new: Vec<String> =
        new.into_iter().filter(|(_, times)| *times >= 2).map(|(kind, _)| kind.to_owned()).collect();
    if !new.is_empty() {
        hints.push(format!("New in the last week among what was refused: {}.", new.join(", ")));
    }
    hints
}

/// The minutes of a day in the middle; none where there are too few days with any.
fn median(days: &[Day]) -> Option<u16> {
    let mut used: Vec<u16> = days.iter().map(|day| day.used).filter(|used| *used > 0).collect();
    used.sort_unstable();
    (used.len() >= 4).then(|| used[used.len() / 2])
}

fn open_picture(label: &str, days: usize) -> String {
    let width = wide(days);
    format!(
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {}\" role=\"img\" aria-label=\"{label}; the table says the same\">",
        HEIGHT + 22
    )
}

fn column(place: usize) -> usize {
    LEFT + place * COLUMN
}

fn wide(days: usize) -> usize {
    column(days) + 4
}

/// A line across a picture, with what it stands for.
fn across(svg: &mut String, y: usize, days: usize, said: &str) {
    let _ = write!(
        svg,
        "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{said}</text>",
        wide(days),
        LEFT - 6,
        y + 4
    );
}

/// How many minutes lie between two lines, so that there are few.
const fn between(most: u16) -> u16 {
    match most {
        ..=90 => 30,
        91..=240 => 60,
        241..=600 => 120,
        _ => 240,
    }
}

fn below(svg: &mut String, days: &[Day]) {
    for (place, day) in days.iter().enumerate() {
        let x = column(place) + 10;
        let _ = write!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            HEIGHT + 16,
            day.date.day()
        );
    }
    svg.push_str("</svg>");
}

/// Minutes as columns, each with its limit as a line.
fn minutes_picture(days: &[Day]) -> String {
    let most = days.iter().map(|day| day.used.max(day.limit.unwrap_or(0))).max().unwrap_or(0).max(60);
    let height = |minutes: u16| usize::from(minutes) * (HEIGHT - 8) / usize::from(most);
    let mut svg = open_picture("Minutes by day against the limit", days.len());
    for line in (0..=most / between(most)).map(|n| n * between(most)) {
        let said = if between(most) < 60 { format!("{line} min") } else { format!("{} h", line / 60) };
        across(&mut svg, HEIGHT - height(line), days.len(), &said);
    }
    for (place, day) in days.iter().enumerate() {
        let (x, tall) = (column(place), height(day.used));
        let over = day.limit.is_some_and(|limit| day.used > limit);
        let class = if over { "high" } else { "low" };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"20\" height=\"{tall}\"/>",
            HEIGHT - tall
        );
        if let Some(limit) = day.limit {
            let y = HEIGHT - height(limit);
            let _ = write!(svg, "<line class=\"limit\" x1=\"{x}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>", x + 20);
        }
    }
    below(&mut svg, days);
    svg
}

/// Bedtimes as lines, and the last minute in use as a dot.
fn beds_picture(days: &[Day]) -> String {
    let y = |minute: u16| {
        usize::from(minute.saturating_sub(EVENING).min(NIGHT)) * (HEIGHT - 10) / usize::from(NIGHT) + 5
    };
    let mut svg = open_picture("Bedtime as planned, and when something was last in use", days.len());
    for hour in (EVENING..=EVENING + NIGHT).step_by(120) {
        across(&mut svg, y(hour), days.len(), &clock(hour));
    }
    for (place, day) in days.iter().enumerate() {
        let x = column(place);
        if let Some(bed) = day.bed {
            let _ = write!(
                svg,
                "<line class=\"limit\" x1=\"{x}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>",
                y(bed),
                x + 20
            );
        }
        if let Some(last) = day.last {
            let late = day.bed.is_some_and(|bed| last > bed + 15);
            let class = if late { "high" } else { "low" };
            let _ = write!(svg, "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"5\"/>", x + 10, y(last));
        }
    }
    below(&mut svg, days);
    svg
}

/// Kinds as bars: four weeks, and the last of them in front. The words stand in the table, which says the same.
fn kinds_picture(kinds: &[(String, usize, usize)]) -> String {
    const BAR: usize = 18;
    let most = kinds.iter().map(|(_, all, _)| *all).max().unwrap_or(0).max(4);
    let wide = |count: usize| count * 700 / most;
    let shown = &kinds[..kinds.len().min(12)];
    let mut svg = format!(
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 744 {}\" role=\"img\" aria-label=\"Episodes by kind; the table says the same\">",
        shown.len() * (BAR + 6) + 4
    );
    for (place, (_, all, lately)) in shown.iter().enumerate() {
        let y = 2 + place * (BAR + 6);
        let _ = write!(
            svg,
            "<rect class=\"low\" x=\"0\" y=\"{y}\" width=\"{}\" height=\"{BAR}\"/><rect class=\"medium\" x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
            wide(*all),
            y + 4,
            wide(*lately),
            BAR - 8
        );
        let _ = write!(svg, "<text x=\"{}\" y=\"{}\">{all}</text>", wide(*all) + 6, y + 14);
    }
    svg + "</svg>"
}

/// What said no, in words: a category, or the rule where no list knows the site.
fn kind_words(kind: &str) -> String {
    match kind {
        "online" => "outside the agreed times".to_owned(),
        "limit" => "after the minutes were used up".to_owned(),
        "school_hours" => "in school hours".to_owned(),
        "site" | "service" | "category" => "what the agreement closes".to_owned(),
        "otherwise" => "what the agreement does not mention".to_owned(),
        "restriction" => "what a restriction closes".to_owned(),
        "floor" => "what the home closes for everyone".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Episodes by what said no: how many of all, and how many of the last week.
fn kinds(episodes: &[(DateTime<Utc>, String)]) -> Vec<(String, usize, usize)> {
    let newest = episodes.iter().map(|(first, _)| *first).max();
    let since = newest.map(|at| at - chrono::TimeDelta::days(7));
    let mut counted: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (first, kind) in episodes {
        let (all, lately) = counted.entry(kind.clone()).or_default();
        *all += 1;
        *lately += usize::from(since.is_some_and(|since| *first >= since));
    }
    let mut kinds: Vec<_> = counted.into_iter().map(|(kind, (all, lately))| (kind, all, lately)).collect();
    kinds.sort_by_key(|(_, all, _)| std::cmp::Reverse(*all));
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(before: u16, last: u16, nights: usize) -> Vec<Day> {
        let first: NaiveDate = "2026-11-01".parse().unwrap();
        let day = |n: u64| {
            let (is_last, late) = (n >= 21, n >= 28 - nights as u64);
            Day {
                date: first.checked_add_days(Days::new(n)).unwrap(),
                used: if is_last { last } else { before },
                limit: Some(240),
                bed: Some(21 * 60),
                last: Some(if late { 23 * 60 } else { 20 * 60 + 50 }),
            }
        };
        (0..28).map(day).collect()
    }

    #[test]
    fn hints_are_against_their_own_pattern_alone() {
        for (name, days, said) in [
            ("as_ever", month(120, 125, 0), vec![]),
            ("much_more", month(100, 200, 0), vec!["About 3 h 20 min on a day"]),
            ("much_less", month(200, 80, 0), vec!["About 1 h 20 min on a day"]),
            ("little_of_little", month(10, 30, 0), vec![]),
            ("nights", month(120, 120, 3), vec!["On 3 of the last 7 nights"]),
            ("two_nights", month(120, 120, 2), vec![]),
            ("nothing_known", month(0, 200, 0), vec![]),
        ] {
            let hints = hints(&days);
            assert_eq!(hints.len(), said.len(), "{name}: {hints:?}");
            assert!(hints.iter().zip(&said).all(|(hint, said)| hint.starts_with(said)), "{name}: {hints:?}");
        }
        assert_eq!(hints(&[]), Vec::<String>::new());
    }

    #[test]
    fn attempts_are_told_when_they_rise_and_when_they_are_new() {
        let now: DateTime<Utc> = "2026-11-29T12:00:00Z".parse().unwrap();
        // How many in each week, the oldest first, and of what kinds in the last.
        let weeks = |counts: [usize; 3], last: &[&str]| -> Vec<(DateTime<Utc>, String)> {
            let before = counts.into_iter().zip([27, 20, 13]).flat_map(|(count, ago)| {
                (0..count)
                    .map(move |n| (now - chrono::TimeDelta::hours(ago * 24 - n as i64), "limit".to_owned()))
            });
            let last = last.iter().map(|kind| (now - chrono::TimeDelta::hours(30), (*kind).to_owned()));
            before.chain(last).collect()
        };
        let (used, unused) = (month(100, 100, 0), month(0, 100, 0));
        for (name, episodes, days, said) in [
            ("none", weeks([0; 3], &[]), &used, vec![]),
            ("as_ever", weeks([3, 2, 4], &["limit"; 4]), &used, vec![]),
            (
                "a_rise",
                weeks([2, 2, 2], &["limit"; 6]),
                &used,
                vec!["6 times something was refused in the last week; about 2 a week"],
            ),
            ("twice_as_many", weeks([4, 4, 4], &["limit"; 8]), &used, vec![]),
            ("few_of_none", weeks([0; 3], &["limit"; 1]), &used, vec![]),
            (
                "some_of_none",
                weeks([0; 3], &["limit"; 4]),
                &used,
                vec![
                    "4 times something was refused in the last week; not once",
                    "New in the last week among what was refused: limit.",
                ],
            ),
            (
                "a_new_kind",
                weeks([3, 3, 3], &["gambling", "gambling", "self harm", "self harm", "limit"]),
                &used,
                vec!["New in the last week among what was refused: gambling, self harm."],
            ),
            ("a_slip", weeks([3, 3, 3], &["gambling", "limit"]), &used, vec![]),
            ("somebody_new_here", weeks([0; 3], &["gambling"; 9]), &unused, vec![]),
        ] {
            let hints = attempts(&episodes, days, now);
            assert_eq!(hints.len(), said.len(), "{name}: {hints:?}");
            assert!(hints.iter().zip(&said).all(|(hint, said)| hint.starts_with(said)), "{name}: {hints:?}");
        }
    }

    #[test]
    fn pictures_have_every_day() {
        let days = month(120, 300, 2);
        assert_eq!(minutes_picture(&days).matches("<rect").count(), 28);
        assert_eq!(minutes_picture(&days).matches("class=\"high\"").count(), 7, "over the limit");
        assert_eq!(beds_picture(&days).matches("<circle class=\"high\"").count(), 2);
        assert!(beds_picture(&[]).ends_with("</svg>"));
        for (picture, lines) in [
            (minutes_picture(&days), &[">0 h</text>", ">2 h</text>", ">4 h</text>"][..]),
            (minutes_picture(&month(20, 25, 0)), &[">2 h</text>", ">4 h</text>"]),
            (minutes_picture(&month(20, 25, 0)[..0]), &[">0 min</text>", ">60 min</text>"]),
            (beds_picture(&days), &[">18:00</text>", ">22:00</text>", ">00:00</text>", ">04:00</text>"]),
        ] {
            for line in lines {
                assert!(picture.contains(line), "{line}: {picture}");
            }
        }
        let kinds = [("gambling".to_owned(), 8, 2), ("limit".to_owned(), 1, 1)];
        assert_eq!(kinds_picture(&kinds).matches("class=\"low\"").count(), 2);
        assert!(kinds_picture(&kinds).contains(">8</text>") && !kinds_picture(&kinds).contains("gambling"));
    }

    #[test]
    fn bedtimes_past_midnight_are_the_same_evenings() {
        assert_eq!((evening("21:00"), evening("00:30"), evening("x")), (Some(1260), Some(1470), None));
        assert_eq!(clock(1470), "00:30");
    }
}
