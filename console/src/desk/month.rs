//! **The month**: how many episodes each day had, and whether its shifts were read (Reg 44). No names stand here.

use super::Place;
use super::handover::shifts_of;
use super::page::{Frame, html};
use super::session::SignedIn;
use super::wrong::Wrong;
use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};
use records::{Counted, Review, is_signed};
use serde::Deserialize;
use std::fmt::Write;

#[derive(Template)]
#[template(path = "desk/month.html")]
struct MonthPage {
    frame: Frame,
    month: String,
    before: String,
    after: Option<String>,
    episodes: u64,
    high: u64,
    asks: usize,
    signed: usize,
    shifts: usize,
    days: Vec<Day>,
    picture: String,
}

/// A day of the month.
struct Day {
    at: String,
    said: String,
    number: u32,
    small: u64,
    medium: u64,
    high: u64,
    told: u64,
    signed: usize,
    shifts: usize,
}

/// Which month.
#[derive(Deserialize)]
pub(crate) struct Of {
    #[serde(default)]
    of: String,
}

/// `GET /month`.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(of): Query<Of>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let zone = house.home().timezone;
    let today = now.with_timezone(&zone).date_naive();
    let first = month(&of.of, today);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    let begins = |date: NaiveDate| records::shift::on(&[NaiveTime::MIN], zone, date, NaiveTime::MIN).from;
    let (from, to) = (begins(first), begins(next));
    let reviews = desk.records.reviews_between(from, to).await?;
    let asks =
        desk.records.asks(Some(from)).await?.iter().filter(|ask| from <= ask.at && ask.at < to).count();
    let mut days: Vec<Day> = Vec::new();
    let mut date = first;
    while date < next && date <= today {
        let (from, to) = (begins(date), begins(date.succ_opt().unwrap_or(next)));
        let shifts = shifts_of(house, from, to.min(now));
        days.push(day(date, from, &desk.records.began(from, to).await?, &reviews, &shifts));
        date = date.succ_opt().unwrap_or(next);
    }
    let sum = |of: fn(&Day) -> usize| days.iter().map(of).sum();
    let count = |of: fn(&Day) -> u64| days.iter().map(of).sum();
    Ok(html(&MonthPage {
        frame: Frame::of("The month", "/shift", house, &who),
        month: first.format("%B %Y").to_string(),
        before: first.checked_sub_months(Months::new(1)).unwrap_or(first).format("%Y-%m").to_string(),
        after: (next <= today).then(|| next.format("%Y-%m").to_string()),
        episodes: count(|day| day.small + day.medium + day.high + day.told),
        high: count(|day| day.high),
        asks,
        signed: sum(|day| day.signed),
        shifts: sum(|day| day.shifts),
        picture: picture(&days, &first.format("%B %Y").to_string()),
        days,
    }))
}

/// The first day of a month as it is asked for; the month of today where none is.
fn month(of: &str, today: NaiveDate) -> NaiveDate {
    let asked =
        format!("{of}-01").parse::<NaiveDate>().ok().filter(|day| *day <= today && day.year() >= 2020);
    asked.unwrap_or_else(|| today.with_day(1).unwrap_or(today))
}

fn day(
    date: NaiveDate,
    from: DateTime<Utc>,
    began: &Counted,
    reviews: &[Review],
    shifts: &[records::shift::Shift],
) -> Day {
    Day {
        at: from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        said: date.format("%a %-d").to_string(),
        number: date.day(),
        small: began.small,
        medium: began.medium,
        high: began.high + began.critical,
        told: began.told,
        signed: shifts.iter().filter(|shift| is_signed(reviews, **shift)).count(),
        shifts: shifts.len(),
    }
}

/// The days as columns: small below, high above. The table beneath says the same to whoever does not see it.
fn picture(days: &[Day], month: &str) -> String {
    const WIDTH: usize = 784;
    const LEFT: usize = 40;
    const HEIGHT: u64 = 140;
    let most = days.iter().map(|d| d.small + d.medium + d.high).max().unwrap_or(0).max(4);
    let mut svg = format!(
        "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Episodes by day, {month}\">",
        HEIGHT + 22
    );
    // How many, beside the highest line and the middle one.
    for count in [most, most / 2] {
        let y = HEIGHT - count * (HEIGHT - 10) / most;
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{y}\" x2=\"{WIDTH}\" y2=\"{y}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{count}</text>",
            LEFT - 6,
            y + 4
        );
    }
    for day in days {
        let x = LEFT + 4 + (day.number as usize - 1) * 24;
        let mut top = HEIGHT;
        for (count, class) in [(day.small, "low"), (day.medium, "medium"), (day.high, "high")] {
            let height = count * (HEIGHT - 10) / most;
            top -= height;
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"18\" height=\"{height}\"/>"
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x + 9,
            HEIGHT + 16,
            day.number
        );
    }
    svg + &format!("<line x1=\"{LEFT}\" y1=\"{HEIGHT}\" x2=\"{WIDTH}\" y2=\"{HEIGHT}\"/></svg>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_as_they_are_asked_for() {
        let today: NaiveDate = "2026-11-22".parse().unwrap();
        for (asked, first) in [
            ("2026-10", "2026-10-01"),
            ("", "2026-11-01"),
            ("2027-01", "2026-11-01"),
            ("<script>", "2026-11-01"),
            ("0001-01", "2026-11-01"),
        ] {
            assert_eq!(month(asked, today).to_string(), first, "{asked}");
        }
    }
}
