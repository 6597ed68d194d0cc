//! `hearthgate week`: a person's week as a timetable.

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::judge;
use crate::svg;
use crate::terminal::{self, Ink, Paint};
use crate::timetable::{self, Like, Stretch};
use crate::when;
use agreements::{House, PersonId};
use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use std::path::PathBuf;

/// Cells of a day's row: one for half an hour.
const CELLS: i64 = 48;

/// Shows a person's week as a timetable.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate week jordan                         this week
  hearthgate week jordan --from 2026-12-21       seven days from a date
  hearthgate week jordan --svg jordan.svg        as a picture, to print

Exit codes: 0 shown, 2 cannot read, or nobody has that id.")]
pub(crate) struct Week {
    #[command(flatten)]
    home: HomeArg,
    /// Whose week: the name of their agreement's file, or `baseline`.
    #[arg(value_name = "PERSON")]
    person: String,
    /// The first of the seven days [default: this week's Monday].
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Write a picture (SVG) to this file instead; `-` for stdout.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// A person's seven days.
pub(crate) struct Timetable {
    /// Whose, with the first day: `Jordan, week from Monday 23 November 2026`.
    pub(crate) title: String,
    /// The days.
    pub(crate) days: Vec<DayRow>,
    /// The limits, as their lines say them.
    pub(crate) limits: Vec<String>,
    /// What is worth saying besides (a draft).
    pub(crate) remark: Option<String>,
}

/// One day.
pub(crate) struct DayRow {
    /// The date.
    pub(crate) date: NaiveDate,
    /// What each half hour of the wall clock is like, at its middle.
    pub(crate) cells: Vec<Like>,
    /// The stretches that are not off, in words.
    pub(crate) words: String,
    /// Minutes that are not off.
    pub(crate) minutes: i64,
}

impl Week {
    /// Shows it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = clock::now();
        let house = self.home.load(now)?.reading.house;
        let who = judge::person(&house, &self.person).map_err(Failure::cannot_read)?;
        let from = match &self.from {
            Some(text) => when::date(text).map_err(Failure::cannot_read)?,
            None => monday(now, house.home().timezone),
        };
        let week = Timetable::of(&house, who, from);
        match &self.svg {
            None => terminal::say(&text(&week, Paint::for_stdout())),
            Some(file) if file.as_os_str() == "-" => terminal::say(&svg::timetable(&week)),
            Some(file) => std::fs::write(file, svg::timetable(&week))
                .map_err(|e| Failure::cannot_read(format!("`{}` cannot be written: {e}", file.display())))?,
        }
        Ok(Exit::Done)
    }
}

fn monday(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    let today = now.with_timezone(&zone).date_naive();
    today - Duration::days(i64::from(today.weekday().num_days_from_monday()))
}

impl Timetable {
    /// The seven days from a date.
    pub(crate) fn of(house: &House, who: PersonId, from: NaiveDate) -> Self {
        let person = house.agreement(who);
        let name = person.map_or("Unknown devices", |p| p.name.as_str());
        let line = |id| house.source(id).map(|s| s.text.clone()).unwrap_or_default();
        let draft = person.is_some_and(|p| p.draft.is_some());
        Self {
            title: format!("{name}, seven days from {}", from.format("%A %-d %B %Y")),
            days: from.iter_days().take(7).map(|date| DayRow::of(house, who, date)).collect(),
            limits: person.map(|p| p.limits.iter().map(|l| line(l.source)).collect()).unwrap_or_default(),
            remark: draft.then(|| {
                "The agreement is a draft: the home's baseline applies until it is complete.".into()
            }),
        }
    }
}

impl DayRow {
    fn of(house: &House, who: PersonId, date: NaiveDate) -> Self {
        let zone = house.home().timezone;
        let stretches = timetable::day(house, who, date);
        Self {
            date,
            cells: (0..CELLS).map(|cell| cell_of(&stretches, date, cell, zone)).collect(),
            words: in_words(&stretches, date, zone),
            minutes: timetable::minutes(&stretches, |like| like != Like::Off),
        }
    }
}

/// What the middle of a half hour of the wall clock is like.
fn cell_of(stretches: &[Stretch], date: NaiveDate, cell: i64, zone: Tz) -> Like {
    let middle = date.and_time(NaiveTime::MIN) + Duration::minutes(cell * 30 + 15);
    let at = when::on_the_clock(middle, zone);
    stretches.iter().find(|s| s.from <= at && at < s.until).map_or(Like::Off, |s| s.like)
}

fn in_words(stretches: &[Stretch], date: NaiveDate, zone: Tz) -> String {
    let clock = |at: DateTime<Utc>| {
        let local = at.with_timezone(&zone);
        if local.date_naive() == date { local.format("%H:%M").to_string() } else { "24:00".to_owned() }
    };
    let one = |s: &Stretch| match s.like {
        Like::Online => format!("{}-{}", clock(s.from), clock(s.until)),
        like => format!("{}-{} {}", clock(s.from), clock(s.until), like.words()),
    };
    let said: Vec<String> = stretches.iter().filter(|s| s.like != Like::Off).map(one).collect();
    if said.is_empty() { "off".to_owned() } else { said.join(", ") }
}

/// The sign of a half hour.
const fn sign(like: Like) -> char {
    match like {
        Like::Off => '·',
        Like::Learning => '▒',
        Like::LearningWithStaff => '▓',
        Like::Mail => '░',
        Like::Baseline => '▄',
        Like::Session => '=',
        Like::Online => '█',
    }
}

const fn ink(like: Like) -> Ink {
    match like {
        Like::Off => Ink::Quiet,
        Like::Learning | Like::LearningWithStaff | Like::Mail | Like::Baseline | Like::Session => {
            Ink::Careful
        }
        Like::Online => Ink::Good,
    }
}

fn text(week: &Timetable, paint: Paint) -> String {
    let hours: String = (0..24).step_by(3).map(|h| format!("{h:02}    ")).collect();
    let mut text = format!("{}\n\n{:12}{}\n", paint.ink(Ink::Strong, &week.title), "", hours.trim_end());
    for day in &week.days {
        let label = day.date.format("%a %e %b").to_string();
        text.push_str(&format!("{label:<12}{}  {}\n", row(&day.cells, paint), timetable::said(day.minutes)));
    }
    text.push_str(&format!("\n{:12}{}\n\n", "", legend(week, paint)));
    for day in &week.days {
        text.push_str(&format!("{:<12}{}\n", day.date.format("%a %e %b").to_string(), day.words));
    }
    for (i, limit) in week.limits.iter().enumerate() {
        text.push_str(&format!("{}{limit}\n", if i == 0 { "\nlimits      " } else { "            " }));
    }
    if let Some(remark) = &week.remark {
        text.push_str(&format!("\n{}\n", paint.ink(Ink::Careful, remark)));
    }
    text
}

fn row(cells: &[Like], paint: Paint) -> String {
    let run = |run: &[Like]| paint.ink(ink(run[0]), &run.iter().map(|l| sign(*l)).collect::<String>());
    cells.chunk_by(|a, b| a == b).map(run).collect()
}

fn legend(week: &Timetable, paint: Paint) -> String {
    let used = |like: &Like| week.days.iter().any(|d| d.cells.contains(like));
    let one = |like: Like| format!("{} {}", paint.ink(ink(like), &sign(like).to_string()), like.words());
    Like::ALL.into_iter().filter(used).map(one).collect::<Vec<_>>().join("   ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_week_starts_on_monday_in_the_homes_zone() {
        let zone = chrono_tz::Europe::London;
        let cases = [
            ("sunday", "2026-11-22T12:00:00Z", "2026-11-16"),
            ("monday", "2026-11-23T00:00:00Z", "2026-11-23"),
            ("sunday in UTC, monday in summer time", "2026-06-28T23:30:00Z", "2026-06-29"),
        ];
        for (name, now, first) in cases {
            assert_eq!(monday(at(now), zone).to_string(), first, "{name}");
        }
    }

    #[test]
    fn a_day_in_words_and_cells() {
        let zone = chrono_tz::Europe::London;
        let date = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date");
        let s = |from, until, like| Stretch { from: at(from), until: at(until), like };
        let stretches = [
            s("2026-11-23T00:00:00Z", "2026-11-23T09:00:00Z", Like::Off),
            s("2026-11-23T09:00:00Z", "2026-11-23T15:15:00Z", Like::Learning),
            s("2026-11-23T15:15:00Z", "2026-11-24T00:00:00Z", Like::Online),
        ];
        assert_eq!(in_words(&stretches, date, zone), "09:00-15:15 learning, 15:15-24:00");
        let cells: String = (0..CELLS).map(|c| sign(cell_of(&stretches, date, c, zone))).collect();
        assert_eq!(cells, format!("{}{}{}", "·".repeat(18), "▒".repeat(12), "█".repeat(18)));
        assert_eq!(in_words(&stretches[..1], date, zone), "off");
    }
}
