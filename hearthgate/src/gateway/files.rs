//! The home's files while the gateway runs: which text of each is in force, which file waits, what goes into the journal.

use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::last_good::{self, Accepted, Kept, Meanwhile, Waiting};
use crate::lists::calendar;
use crate::lists::shelf::{Shelf, hex};
use crate::state::State;
use agreements::{Gateway, House, Level, Problem, Reading};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use records::{FileHash, FilesChanged};
use ring::digest::{SHA256, digest};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The home's files.
pub(crate) struct Files {
    home: PathBuf,
    shelf: Shelf,
    /// Where the last good texts are kept over a restart.
    state: State,
    seen: Folder,
    /// The home's date and zone at the last look.
    day: Option<(NaiveDate, Tz)>,
    kept: Kept,
    /// Files that wait.
    pub(crate) waiting: Vec<Waiting>,
    /// Warnings of the texts in force.
    pub(crate) warnings: Vec<Problem>,
    /// The network, as it is in force.
    pub(crate) gateway: Gateway,
    /// The network as it was before the last change, until that has been tried.
    pub(crate) gateway_before: Option<Gateway>,
    /// The records are broken: everybody is on the baseline.
    pub(crate) without_records: bool,
}

/// What a look at the folder brought.
pub(crate) struct Change {
    /// The house to bring into force.
    pub(crate) house: House,
    /// What the journal keeps of it; none when only the day has turned.
    pub(crate) journal: Option<FilesChanged>,
    /// The network, if it changed.
    pub(crate) gateway: Option<Gateway>,
}

/// The files at the start.
pub(crate) struct Begun {
    /// The files.
    pub(crate) files: Files,
    /// The first house.
    pub(crate) house: House,
    /// What the journal keeps of it.
    pub(crate) journal: FilesChanged,
    /// Where the gateway keeps things.
    pub(crate) state: State,
}

impl Files {
    /// Reads the folder for the first time. Only a gateway that nobody can tell where to listen cannot start.
    pub(crate) fn begin(home: &Path, now: DateTime<Utc>) -> Result<Begun, Failure> {
        let mut disk = folder::read(home).map_err(|error| {
            Failure::cannot_read(format!("the home's folder `{}` cannot be read: {error}", home.display()))
        })?;
        let state = where_to_keep(&disk, home, now)?;
        state.make().map_err(|error| {
            Failure::cannot_read(format!("`{}` cannot be made or written: {error}", state.dir.display()))
                .help("`store:` in gateway.yaml says where it is; the gateway's account must be able to write there")
        })?;
        let shelf = Shelf::at(state.lists());
        calendar::add(&mut disk, &shelf, now);
        let accepted = last_good::accept(&Kept::load(&state, home), &disk, now);
        let gateway = accepted.reading.gateway.clone().ok_or_else(|| no_gateway(&accepted.reading))?;
        let mut files = Self {
            home: home.to_owned(),
            shelf,
            state: state.clone(),
            seen: Folder::default(),
            day: None,
            kept: Kept::default(),
            waiting: Vec::new(),
            warnings: Vec::new(),
            gateway,
            gateway_before: None,
            without_records: false,
        };
        let journal = files.settle(&accepted, disk, now);
        Ok(Begun { files, house: accepted.reading.house, journal, state })
    }

    /// Looks at the folder. `None` when nothing is different, in the files and in the home's date.
    pub(crate) fn look(&mut self, now: DateTime<Utc>) -> std::io::Result<Option<Change>> {
        let mut disk = folder::read(&self.home)?;
        calendar::add(&mut disk, &self.shelf, now);
        let same_day = self.day.is_some_and(|(day, zone)| day == home_day(now, zone));
        if disk == self.seen && same_day {
            return Ok(None);
        }
        let accepted = last_good::accept(&self.kept, &disk, now);
        let before = self.gateway.clone();
        if let Some(gateway) = &accepted.reading.gateway {
            self.gateway = gateway.clone();
        }
        let journal = self.settle(&accepted, disk, now);
        let changed = !journal.in_force.is_empty() || !journal.waiting.is_empty();
        let gateway = (self.gateway != before).then(|| self.gateway.clone());
        self.gateway_before = gateway.is_some().then_some(before);
        Ok(Some(Change {
            house: self.as_records_let(accepted.reading.house),
            journal: changed.then_some(journal),
            gateway,
        }))
    }

    /// Goes back to the network as it was: the machine would not have the new one.
    pub(crate) fn refuse_gateway(&mut self, before: Gateway, why: &Failure) {
        self.gateway = before;
        let problem = Problem {
            level: Level::Error,
            file: "gateway.yaml".to_owned(),
            line: 1,
            column: 1,
            code: "cannot-listen",
            sentence: why.sentence.clone(),
            help: why.help.clone(),
            text: String::new(),
            other: None,
        };
        let file = "gateway.yaml".to_owned();
        self.waiting.retain(|waits| waits.file != file);
        self.waiting.push(Waiting { file, meanwhile: Meanwhile::LastGood, problems: vec![problem] });
    }

    /// Lets the next look take everything again: what was taken could not be brought into force.
    pub(crate) fn take_again(&mut self) {
        self.seen = Folder::default();
    }

    /// The house of the texts in force, once more: a house belongs to one snapshot.
    pub(crate) fn house(&self, now: DateTime<Utc>) -> House {
        self.as_records_let(last_good::accept(&self.kept, &self.seen, now).reading.house)
    }

    /// The house, on its baseline while the records are broken.
    fn as_records_let(&self, house: House) -> House {
        if self.without_records { house.without_records() } else { house }
    }

    /// Takes what was accepted over, and tells what the journal keeps of it.
    fn settle(&mut self, accepted: &Accepted, disk: Folder, now: DateTime<Utc>) -> FilesChanged {
        let changed = FilesChanged {
            in_force: differences(&self.kept.texts, &accepted.kept.texts),
            waiting: newly_waiting(&self.waiting, &accepted.waiting, &self.seen, &disk),
        };
        let warning = |p: &&Problem| p.level == Level::Warning;
        self.warnings = accepted.reading.problems.iter().filter(warning).cloned().collect();
        self.waiting.clone_from(&accepted.waiting);
        let zone = accepted.reading.house.home().timezone;
        self.day = Some((home_day(now, zone), zone));
        self.seen = disk;
        if self.kept != accepted.kept {
            self.kept = accepted.kept.clone();
            if let Err(error) = self.kept.save(&self.state, &self.home) {
                tracing::warn!(%error, "the last good texts cannot be kept over a restart");
            }
        }
        changed
    }
}

fn home_day(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// Where the gateway keeps things: gateway.yaml says so, else the last good one that is found. A file that has vanished says
/// nothing, and where one was kept that is a slip.
fn where_to_keep(disk: &Folder, home: &Path, now: DateTime<Utc>) -> Result<State, Failure> {
    let fresh = last_good::accept(&Kept::default(), disk, now);
    let (text, gateway) = (disk.texts.get("gateway.yaml"), &fresh.reading.gateway);
    if let (Some(gateway), Some(_)) = (gateway, text) {
        return Ok(State::of(gateway, home));
    }
    // Nobody knows for sure where its last good text is.
    let found = State::guesses(text.map_or("", String::as_str), home)
        .into_iter()
        .find(|state| Kept::load(state, home).texts.contains_key("gateway.yaml"));
    found
        .or_else(|| gateway.as_ref().map(|gateway| State::of(gateway, home)))
        .ok_or_else(|| no_gateway(&fresh.reading))
}

fn no_gateway(reading: &Reading) -> Failure {
    let problems = reading.problems.iter().filter(|p| p.file == "gateway.yaml" && p.level == Level::Error);
    let told: String =
        problems.map(|p| format!("\n  gateway.yaml:{}:{} {}", p.line, p.column, p.sentence)).collect();
    Failure::cannot_read(format!("gateway.yaml has errors, so nobody knows where to listen{told}"))
        .help("`hearthgate check` shows them all")
}

/// Files whose text in force is another, with the hash of the new one; empty where the file is gone.
fn differences(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<FileHash> {
    let files: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = files.into_iter().filter(|file| old.get(*file) != new.get(*file));
    changed.map(|file| FileHash { file: file.clone(), sha256: hash(new.get(file)) }).collect()
}

/// Files that wait and did not, or wait with another text.
fn newly_waiting(before: &[Waiting], now: &[Waiting], seen: &Folder, disk: &Folder) -> Vec<FileHash> {
    let same = |waits: &&Waiting| {
        before.contains(waits) && seen.texts.get(&waits.file) == disk.texts.get(&waits.file)
    };
    let new = now.iter().filter(|waits| !same(waits));
    new.map(|w| FileHash { file: w.file.clone(), sha256: hash(disk.texts.get(&w.file)) }).collect()
}

fn hash(text: Option<&String>) -> String {
    text.map(|text| hex(digest(&SHA256, text.as_bytes()).as_ref())).unwrap_or_default()
}
