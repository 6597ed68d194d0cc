//! `hearthgate week`: a person's week as a timetable.

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::people;
use crate::terminal::{self, Paint};
use crate::when;
use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use clap::Args;
use std::path::PathBuf;

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

impl Week {
    /// Shows it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = clock::now();
        let house = self.home.load(now)?.in_force(now).reading.house;
        let who = people::known_or_baseline(&house, &self.person)?;
        let from = match &self.from {
            Some(text) => when::date(text).map_err(Failure::cannot_read)?,
            None => monday(now, house.home().timezone),
        };
        let week = house.week(who, from);
        match &self.svg {
            None => terminal::say(&week.render(Paint::for_stdout().colours())),
            Some(file) if file.as_os_str() == "-" => terminal::say(&week.svg()),
            Some(file) => std::fs::write(file, week.svg())
                .map_err(|e| Failure::cannot_read(format!("`{}` cannot be written: {e}", file.display())))?,
        }
        Ok(Exit::Done)
    }
}

fn monday(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    let today = now.with_timezone(&zone).date_naive();
    today - Duration::days(i64::from(today.weekday().num_days_from_monday()))
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
}
