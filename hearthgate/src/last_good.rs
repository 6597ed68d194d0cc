//! A refused edit changes nothing: for every file of the home, the last text that was good stays in force.
//!
//! [`accept`] decides which text of each file is in force: the one on disk, or the last good one while the one on disk has
//! errors. Files are taken one by one, so that a slip in one agreement holds up no other. Two files can also be wrong only
//! together (one device with two people): then the one that changed waits.

use crate::folder::Folder;
use crate::state::State;
use agreements::{Level, Problem, Reading};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Files without which there is no home: when one vanishes, that is a slip and no decision.
const ESSENTIAL: [&str; 2] = ["gateway.yaml", "home.yaml"];

/// The texts that were good when they were last in force, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// By path inside the folder.
    pub(crate) texts: BTreeMap<String, String>,
}

/// A file that waits: what is on disk is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Waiting {
    /// The file's path inside the folder.
    pub(crate) file: String,
    /// What is in force instead.
    pub(crate) meanwhile: Meanwhile,
    /// What is wrong with it.
    pub(crate) problems: Vec<Problem>,
}

/// What is in force while a file waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Meanwhile {
    /// Its last good text.
    LastGood,
    /// The baseline: it was never good.
    Baseline,
}

/// What came of taking the folder.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The home in force.
    pub(crate) reading: Reading,
    /// The texts in force that are good.
    pub(crate) kept: Kept,
    /// Files that wait, in order of path.
    pub(crate) waiting: Vec<Waiting>,
}

/// Reads texts as a home on its own date: the date that `now` is in the home's zone.
pub(crate) fn reading(texts: &BTreeMap<String, String>, now: DateTime<Utc>) -> Reading {
    let pairs: Vec<(String, String)> = texts.iter().map(|(p, t)| (p.clone(), t.clone())).collect();
    let guess = now.date_naive();
    let first = agreements::read(&pairs, guess);
    let today: NaiveDate = now.with_timezone(&first.house.home().timezone).date_naive();
    if today == guess { first } else { agreements::read(&pairs, today) }
}

/// Decides which text of each file is in force.
pub(crate) fn accept(kept: &Kept, disk: &Folder, now: DateTime<Utc>) -> Accepted {
    let mut taking = Taking { kept, texts: disk.texts.clone(), refused: BTreeMap::new() };
    taking.hold_unusable(disk);
    taking.hold_missing();
    // Every round takes back at least one changed file, so that there are at most as many rounds as files.
    loop {
        let reading = reading(&taking.texts, now);
        if !taking.take_back(&errors(&reading.problems)) {
            return taking.finish(reading);
        }
    }
}

struct Taking<'a> {
    kept: &'a Kept,
    texts: BTreeMap<String, String>,
    refused: BTreeMap<String, Vec<Problem>>,
}

impl Taking<'_> {
    fn hold_unusable(&mut self, disk: &Folder) {
        for unusable in &disk.unusable {
            let file = &unusable.problem.file;
            // A person whose file is no text still exists: the empty text keeps them, on the baseline.
            let text = self.kept.texts.get(file).cloned().unwrap_or_default();
            self.texts.insert(file.clone(), text);
            self.refused.insert(file.clone(), vec![unusable.problem.clone()]);
        }
    }

    fn hold_missing(&mut self) {
        for file in ESSENTIAL {
            if let (false, Some(text)) = (self.texts.contains_key(file), self.kept.texts.get(file)) {
                self.texts.insert(file.to_owned(), text.clone());
                self.refused.insert(file.to_owned(), vec![gone(file)]);
            }
        }
    }

    /// Whether the text in the running differs from the last good one.
    fn changed(&self, file: &str) -> bool {
        self.texts.get(file) != self.kept.texts.get(file)
    }

    /// Takes back changes that errors speak against. False when nothing is left to take back.
    fn take_back(&mut self, errors: &BTreeMap<String, Vec<Problem>>) -> bool {
        let was_good = |file: &String| self.kept.texts.contains_key(file);
        let own: Vec<String> = errors.keys().filter(|f| was_good(f) && self.changed(f)).cloned().collect();
        if !own.is_empty() {
            own.iter().for_each(|file| self.revert(file, &errors[file]));
            return true;
        }
        // What is left are errors in files that were good as they stand: a change elsewhere is at fault.
        let hurt: Vec<&Problem> =
            errors.iter().filter(|(f, _)| was_good(f) && !self.changed(f)).flat_map(|(_, p)| p).collect();
        let at_fault = self.at_fault(&hurt);
        at_fault
            .iter()
            .for_each(|file| self.revert(file, &hurt.iter().copied().cloned().collect::<Vec<_>>()));
        !at_fault.is_empty()
    }

    fn at_fault(&self, hurt: &[&Problem]) -> BTreeSet<String> {
        let named = hurt.iter().filter_map(|p| p.other.as_ref()).map(|place| place.file.clone());
        let named: BTreeSet<String> = named.filter(|file| self.changed(file)).collect();
        if hurt.is_empty() || !named.is_empty() {
            return named;
        }
        self.texts.keys().filter(|file| self.changed(file)).cloned().collect()
    }

    fn revert(&mut self, file: &str, problems: &[Problem]) {
        match self.kept.texts.get(file) {
            Some(text) => drop(self.texts.insert(file.to_owned(), text.clone())),
            None => drop(self.texts.remove(file)),
        }
        self.refused.entry(file.to_owned()).or_default().extend_from_slice(problems);
    }

    fn finish(mut self, reading: Reading) -> Accepted {
        let mut kept = Kept::default();
        let errors = errors(&reading.problems);
        for (file, text) in &self.texts {
            match errors.get(file) {
                // Its own problem from reading an empty stand-in says nothing that is true of the file.
                Some(problems) => drop(self.refused.entry(file.clone()).or_insert_with(|| problems.clone())),
                None => drop(kept.texts.insert(file.clone(), text.clone())),
            }
        }
        let waiting = self.refused.into_iter().map(|(file, problems)| {
            let good = kept.texts.contains_key(&file);
            let meanwhile = if good { Meanwhile::LastGood } else { Meanwhile::Baseline };
            Waiting { file, meanwhile, problems }
        });
        Accepted { waiting: waiting.collect(), reading, kept }
    }
}

/// The errors among problems, by file.
fn errors(problems: &[Problem]) -> BTreeMap<String, Vec<Problem>> {
    let mut by_file: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    for problem in problems.iter().filter(|p| p.level == Level::Error) {
        by_file.entry(problem.file.clone()).or_default().push(problem.clone());
    }
    by_file
}

fn gone(file: &str) -> Problem {
    Problem {
        level: Level::Error,
        file: file.to_owned(),
        line: 1,
        column: 1,
        code: "missing-file",
        sentence: format!("`{file}` is gone from the home's folder; what it said last stays in force."),
        help: "Put it back.".to_owned(),
        text: String::new(),
        other: None,
    }
}

/// Which home's texts were kept. The state folder is found by guessing while gateway.yaml has errors, and the guess may be
/// another home's: whose agreements they are stands beside them, and nobody else's are ever used.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Whose {
    /// The home that the state folder lies in: the two move together.
    Around,
    /// The home with this canonical path.
    At(PathBuf),
}

impl Whose {
    fn of(state: &State, home: &Path) -> io::Result<Self> {
        let (home, state) = (home.canonicalize()?, state.dir.canonicalize()?);
        Ok(if state.starts_with(&home) { Self::Around } else { Self::At(home) })
    }
}

/// The file in which texts are kept.
#[derive(Serialize, Deserialize)]
struct Keeping {
    whose: Whose,
    #[serde(flatten)]
    kept: Kept,
}

impl Kept {
    /// Reads what was kept of a home. Anything wrong with the file is the same as nothing kept: the files on disk decide
    /// alone. So is what was kept of another home.
    pub(crate) fn load(state: &State, home: &Path) -> Self {
        let bytes = crate::folder::at_most(&state.kept(), 1 << 30).ok().flatten();
        let keeping: Option<Keeping> = bytes.and_then(|b| serde_json::from_slice(&b).ok());
        let whose = Whose::of(state, home).ok();
        keeping.filter(|keeping| Some(&keeping.whose) == whose.as_ref()).map(|k| k.kept).unwrap_or_default()
    }

    /// Keeps a home's texts over a restart, whole or not at all, readable by the gateway alone.
    pub(crate) fn save(&self, state: &State, home: &Path) -> io::Result<()> {
        let keeping = Keeping { whose: Whose::of(state, home)?, kept: self.clone() };
        let bytes = serde_json::to_vec(&keeping).map_err(io::Error::other)?;
        write_whole(&state.kept(), &bytes)
    }
}

/// Writes a file so that whoever opens it sees the old bytes or the new ones, with mode 0600.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests;
