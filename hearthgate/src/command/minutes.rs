//! `hearthgate minutes`: what somebody has used today.

use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::people;
use crate::terminal::{self, Ink, Paint};
use agreements::duration;
use clap::Args;
use records::Purpose;
use records::minutes::Used;
use records::monitoring::MonitoredMinutes;
use serde::Serialize;

/// Shows today's counted minutes, by key.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate minutes jordan
  hearthgate minutes jordan --json

The day is the home's: it begins at `day_starts`. `estimated` minutes are those in which only names were looked up.

Exit codes: 0 shown, 2 cannot read, or nobody has that id.")]
pub(crate) struct Minutes {
    #[command(flatten)]
    home: HomeArg,
    /// Whose: the name of the agreement's file.
    #[arg(value_name = "PERSON")]
    person: String,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The shape of `minutes --json`.
#[derive(Serialize)]
struct Answer<'a> {
    person: &'a str,
    day: String,
    minutes: &'a [Used],
    /// What monitoring beyond breaches kept; left out when there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    monitored: Vec<MonitoredMinutes>,
}

impl Minutes {
    /// Shows them.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Read)?;
        let house = desk.house();
        let who = people::known(house, &self.person)?;
        let used = desk.ask(desk.records.minutes_today(house, who))?;
        let day = house.day_of(desk.now());
        if self.json {
            let monitored = desk.ask(desk.records.monitored(day, &self.person))?;
            let (person, day) = (self.person.as_str(), day.to_string());
            terminal::say_json(&Answer { person, day, minutes: &used, monitored });
        } else {
            terminal::say(&text(&used, &day.format("%A %-d %B").to_string(), Paint::for_stdout()));
        }
        Ok(Exit::Done)
    }
}

fn text(used: &[Used], day: &str, paint: Paint) -> String {
    let row = |used: &Used| {
        let total = used.counted.saturating_add(used.estimated);
        let said = duration(total.into());
        let of = used.limit.map(|limit| format!("of {}", duration(limit.into()))).unwrap_or_default();
        let estimated =
            if used.estimated > 0 { format!("{} estimated", used.estimated) } else { String::new() };
        vec![used.key.clone(), said, of, estimated]
    };
    let mut rows: Vec<Vec<String>> = used.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(vec!["nothing is counted".to_owned()]);
    }
    format!("{}\n{}", paint.ink(Ink::Strong, day), terminal::columns(&rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stand_beside_what_was_used() {
        let used = [
            Used { key: "everything".to_owned(), counted: 70, estimated: 5, limit: Some(240) },
            Used { key: "games".to_owned(), counted: 0, estimated: 0, limit: None },
        ];
        let told = text(&used, "Monday 23 November", Paint::PLAIN);
        assert_eq!(
            told,
            "Monday 23 November\neverything  1 h 15 min  of 4 h  5 estimated\ngames       0 min\n"
        );
    }
}
