//! `hearthgate diff`: what a change of the home's files gives and takes.

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::home::{self, Loaded};
use crate::terminal::{self, Ink, Paint};
use agreements::{
    Diff as Difference, LimitChange, MinutesChange, PersonDiff, Presence, SettingChange, Which, WordChange,
    duration,
};
use clap::Args;
use std::path::PathBuf;

/// Tells what a change gives and takes: minutes of each day, sites, categories.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate diff /etc/hearthgate edited                 before a change comes into force
  git worktree add ../before HEAD && hearthgate diff ../before .     since the last commit
  hearthgate diff --json old new

Minutes are those of the coming year, grouped by day of the week. Lists are not compared, only what the files say of them.

Exit codes: 0 compared (same or not), 1 one of them has errors, 2 cannot read.")]
pub(crate) struct Diff {
    /// The folder as it was.
    #[arg(value_name = "OLD_DIR", value_hint = clap::ValueHint::DirPath)]
    old: PathBuf,
    /// The folder as it will be.
    #[arg(value_name = "NEW_DIR", value_hint = clap::ValueHint::DirPath)]
    new: PathBuf,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Diff {
    /// Compares and tells.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = clock::now();
        let (old, new) = (home::load(&self.old, now)?, home::load(&self.new, now)?);
        if [&old, &new].into_iter().filter(|loaded| is_refused(loaded)).count() > 0 {
            return Ok(Exit::No);
        }
        let (old, new) = (&old.reading.house, &new.reading.house);
        let today = now.with_timezone(&new.home().timezone).date_naive();
        let difference = agreements::diff(old, new, today);
        if self.json {
            terminal::say_json(&difference);
        } else {
            terminal::say(&text(&difference, Paint::for_stdout()));
        }
        Ok(Exit::Done)
    }
}

/// Whether a folder has errors, which it tells: such an edit would change nothing, so there is nothing to compare.
fn is_refused(loaded: &Loaded) -> bool {
    let refused = loaded.has_errors();
    if refused {
        let dir = loaded.dir.display();
        terminal::tell(&format!(
            "`{dir}` has errors, so nothing of it would come into force: `hearthgate check --home {dir}` tells them."
        ));
    }
    refused
}

fn text(difference: &Difference, paint: Paint) -> String {
    if difference.is_empty() {
        return "Nothing changes for anybody.\n".to_owned();
    }
    let mut text = String::new();
    if !difference.home.is_empty() {
        let settings: String = difference.home.iter().map(|setting| setting_line(setting, paint)).collect();
        text.push_str(&format!("{}\n{settings}\n", paint.ink(Ink::Strong, "The home")));
    }
    let people = difference.people.iter().map(|person| person_text(person, paint));
    text.extend(people);
    text
}

fn person_text(person: &PersonDiff, paint: Paint) -> String {
    let how = match person.how {
        Presence::Added => " (new)",
        Presence::Removed => " (no longer here)",
        Presence::Changed => "",
    };
    let mut text = format!("{}\n", paint.ink(Ink::Strong, &format!("{}{how}", person.name)));
    text.extend(person.minutes.iter().map(|change| minutes_line(change, paint)));
    text.extend(person.limits.iter().map(|change| limit_line(change, paint)));
    let words = [&person.sites, &person.categories, &person.services].into_iter().flatten();
    text.extend(person.otherwise.iter().chain(words).map(|change| word_line(change, paint)));
    text.extend(person.settings.iter().map(|setting| setting_line(setting, paint)));
    text.push('\n');
    text
}

/// A length as people say it.
fn length(minutes: i64) -> String {
    duration(u32::try_from(minutes).unwrap_or(0))
}

fn minutes_line(change: &MinutesChange, paint: Paint) -> String {
    let signed = |minutes: i64, sign: &str, ink: Ink| {
        (minutes > 0).then(|| paint.ink(ink, &format!("{sign}{}", length(minutes))))
    };
    let by = [signed(change.given, "+", Ink::Good), signed(change.taken, "-", Ink::Bad)];
    let by: Vec<String> = by.into_iter().flatten().collect();
    format!("  {}  {}: {} -> {}\n", by.join(" "), change.days, length(change.old), length(change.new))
}

fn limit_line(change: &LimitChange, paint: Paint) -> String {
    let side =
        |limit: Option<u16>| limit.map_or_else(|| "none".to_owned(), |minutes| duration(minutes.into()));
    let which = which(change.which, paint);
    format!(
        "  {which}  limit on {}, {}: {} -> {}\n",
        change.title,
        change.days,
        side(change.old),
        side(change.new)
    )
}

fn word_line(change: &WordChange, paint: Paint) -> String {
    let which = which(change.which, paint);
    format!("  {which}  {}: {} -> {}\n", change.what, change.old.word(), change.new.word())
}

fn setting_line(change: &SettingChange, paint: Paint) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let changes = paint.ink(Ink::Careful, "changes");
    format!("  {changes}  {}: {} -> {}\n", change.what, side(&change.old), side(&change.new))
}

fn which(which: Which, paint: Paint) -> String {
    match which {
        Which::Gives => paint.ink(Ink::Good, "gives  "),
        Which::Takes => paint.ink(Ink::Bad, "takes  "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert_eq!(text(&Difference::default(), Paint::PLAIN), "Nothing changes for anybody.\n");
    }

    #[test]
    fn a_window_that_moves_gives_and_takes() {
        let change = MinutesChange {
            days: "every Sat".to_owned(),
            count: 52,
            old: 720,
            new: 780,
            given: 120,
            taken: 60,
        };
        assert_eq!(minutes_line(&change, Paint::PLAIN), "  +2 h -1 h  every Sat: 12 h -> 13 h\n");
    }
}
