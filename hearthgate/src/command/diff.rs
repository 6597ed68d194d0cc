//! `hearthgate diff`: what a change of the home's files gives and takes.

mod minutes;
mod rules;

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::home::{self, Loaded};
use crate::terminal::{self, Ink, Paint};
use crate::timetable;
use agreements::{House, Outcome, PersonId};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeSet;
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

/// The shape of `diff --json`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// What the home's own file changes for everybody.
    home: Vec<Change>,
    /// What changes for whom, by id. People for whom nothing changes are left out.
    people: Vec<PersonDifference>,
}

/// What changes for one person.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct PersonDifference {
    person: String,
    /// `added`, `removed` or `changed`.
    how: How,
    /// Minutes a day that are not off.
    minutes: Vec<minutes::MinutesChange>,
    /// Sites that the files name, and what becomes of them.
    sites: Vec<Change>,
    /// Categories, and what becomes of them.
    categories: Vec<Change>,
    /// Services, and what becomes of them.
    services: Vec<Change>,
    /// Everything else that the agreement says.
    rules: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum How {
    Added,
    Removed,
    Changed,
}

/// Something that is different; empty where it was not, or will not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Change {
    what: String,
    old: String,
    new: String,
    /// `gives`, `takes` or `changes`.
    which: Which,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    Gives,
    Takes,
    Changes,
}

impl Diff {
    /// Compares and tells.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = clock::now();
        let (old, new) = (home::load(&self.old, now)?, home::load(&self.new, now)?);
        if [&old, &new].into_iter().filter(|loaded| is_refused(loaded)).count() > 0 {
            return Ok(Exit::No);
        }
        let difference = compare(&old.reading.house, &new.reading.house, now);
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

/// What is different between two homes, for the year from `now`.
fn compare(old: &House, new: &House, now: DateTime<Utc>) -> Difference {
    let ids: BTreeSet<&str> =
        [old, new].into_iter().flat_map(House::people).map(|(_, p)| p.id.as_str()).collect();
    let people = ids.into_iter().filter_map(|id| person(old, new, id, now)).collect();
    Difference { home: rules::of_home(old, new), people }
}

fn person(old: &House, new: &House, id: &str, now: DateTime<Utc>) -> Option<PersonDifference> {
    let (was, is) = (old.person(id), new.person(id));
    let how = match (was, is) {
        (None, _) => How::Added,
        (_, None) => How::Removed,
        _ => How::Changed,
    };
    let sides = Sides { old, new, was: was.unwrap_or(House::NOBODY), is: is.unwrap_or(House::NOBODY), now };
    let difference = PersonDifference {
        person: id.to_owned(),
        how,
        minutes: minutes::changes(&sides),
        sites: rules::sites(&sides),
        categories: rules::categories(&sides),
        services: rules::services(&sides),
        rules: rules::others(&sides),
    };
    (how != How::Changed || !difference.is_empty()).then_some(difference)
}

/// One person in both homes; where they are in one alone, an unknown device stands in for them in the other.
struct Sides<'a> {
    old: &'a House,
    new: &'a House,
    was: PersonId,
    is: PersonId,
    now: DateTime<Utc>,
}

impl PersonDifference {
    fn is_empty(&self) -> bool {
        self.minutes.is_empty()
            && self.sites.is_empty()
            && self.categories.is_empty()
            && self.services.is_empty()
            && self.rules.is_empty()
    }
}

/// Whether something gives or takes, by how open an outcome is.
fn which(old: Outcome, new: Outcome) -> Which {
    let open = |outcome| match outcome {
        Outcome::Allow => 3,
        Outcome::Ask => 2,
        Outcome::WithStaff => 1,
        Outcome::Block => 0,
    };
    match open(new) - open(old) {
        0 => Which::Changes,
        1.. => Which::Gives,
        _ => Which::Takes,
    }
}

fn text(difference: &Difference, paint: Paint) -> String {
    if difference.home.is_empty() && difference.people.is_empty() {
        return "Nothing changes for anybody.\n".to_owned();
    }
    let mut text = String::new();
    if !difference.home.is_empty() {
        text.push_str(&format!(
            "{}\n{}\n",
            paint.ink(Ink::Strong, "the home"),
            lines(&difference.home, paint)
        ));
    }
    for person in &difference.people {
        text.push_str(&person_text(person, paint));
    }
    text
}

fn person_text(person: &PersonDifference, paint: Paint) -> String {
    let how = match person.how {
        How::Added => " (new)",
        How::Removed => " (no longer here)",
        How::Changed => "",
    };
    let mut text = format!("{}\n", paint.ink(Ink::Strong, &format!("{}{how}", person.person)));
    for change in &person.minutes {
        let (ink, by) = if change.new > change.old {
            (Ink::Good, format!("+{}", timetable::said(change.new - change.old)))
        } else {
            (Ink::Bad, format!("-{}", timetable::said(change.old - change.new)))
        };
        let (old, new) = (timetable::said(change.old), timetable::said(change.new));
        text.push_str(&format!("  {}  {}: {old} -> {new}\n", paint.ink(ink, &by), change.days));
    }
    for changes in [&person.sites, &person.categories, &person.services, &person.rules] {
        text.push_str(&lines(changes, paint));
    }
    text.push('\n');
    text
}

fn lines(changes: &[Change], paint: Paint) -> String {
    let line = |change: &Change| {
        let (ink, word) = match change.which {
            Which::Gives => (Ink::Good, "gives  "),
            Which::Takes => (Ink::Bad, "takes  "),
            Which::Changes => (Ink::Careful, "changes"),
        };
        let side = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        format!(
            "  {}  {}: {} -> {}\n",
            paint.ink(ink, word),
            change.what,
            side(&change.old),
            side(&change.new)
        )
    };
    changes.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_open_gives() {
        assert_eq!(which(Outcome::Block, Outcome::Ask), Which::Gives);
        assert_eq!(which(Outcome::Allow, Outcome::WithStaff), Which::Takes);
        assert_eq!(which(Outcome::Ask, Outcome::Ask), Which::Changes);
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let nothing = Difference { home: Vec::new(), people: Vec::new() };
        assert_eq!(text(&nothing, Paint::PLAIN), "Nothing changes for anybody.\n");
    }
}
