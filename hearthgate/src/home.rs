//! Which home a command is about, and its files as they stand on disk.

use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::last_good::{self, Kept, Meanwhile};
use crate::lists::calendar;
use crate::lists::shelf::Shelf;
use crate::state::State;
use crate::terminal;
use agreements::{Gateway, Problem, Reading};
use chrono::{DateTime, Utc};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a package puts the home.
const INSTALLED: &str = "/etc/hearthgate";
/// Where the sample home stands in the source tree.
const SAMPLE: &str = "deploy/sample-home";

/// `--home DIR`, which nearly every command has.
#[derive(Args, Clone, Debug)]
pub(crate) struct HomeArg {
    /// The home's folder [default: /etc/hearthgate, else ./deploy/sample-home].
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) home: Option<PathBuf>,
}

impl HomeArg {
    /// The folder: as given, else the installed home, else the sample home.
    pub(crate) fn dir(&self) -> Result<PathBuf, Failure> {
        let known = [INSTALLED, SAMPLE].map(PathBuf::from);
        match &self.home {
            Some(dir) => Ok(dir.clone()),
            None => known.into_iter().find(|dir| dir.is_dir()).ok_or_else(|| {
                Failure::cannot_read(format!(
                    "there is no home at {INSTALLED}, nor a sample home at ./{SAMPLE}"
                ))
                .help("say where the home's folder is: `--home DIR`")
            }),
        }
    }

    /// The home as it stands on disk.
    pub(crate) fn load(&self, now: DateTime<Utc>) -> Result<Loaded, Failure> {
        load(&self.dir()?, now)
    }
}

/// A home as it stands on disk: what a gateway that starts now would make of it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// Its texts.
    pub(crate) folder: Folder,
    /// What they mean.
    pub(crate) reading: Reading,
    /// What a running gateway goes by while gateway.yaml has errors or is gone: its last good text.
    gateway_kept: Option<Gateway>,
}

/// Reads a home's folder as it stands.
pub(crate) fn load(dir: &Path, now: DateTime<Utc>) -> Result<Loaded, Failure> {
    let mut folder = folder::read(dir).map_err(|error| {
        Failure::cannot_read(format!("the home's folder `{}` cannot be read: {error}", dir.display()))
    })?;
    if let Some(state) = state_of(&folder, dir, now) {
        calendar::add(&mut folder, &Shelf::at(state.lists()), now);
    }
    let mut texts = folder.texts.clone();
    // A person whose file is no text still exists: the empty text keeps them, on the baseline.
    texts.extend(folder.unusable.iter().map(|u| (u.problem.file.clone(), String::new())));
    let mut reading = last_good::reading(&texts, now);
    reading.problems.retain(|p| !folder.unusable.iter().any(|u| u.problem.file == p.file));
    let gateway_kept = match is_whole(&folder, &reading) {
        true => None,
        false => gateway_kept(&folder, dir, now),
    };
    Ok(Loaded { dir: dir.to_owned(), folder, reading, gateway_kept })
}

/// Where the gateway keeps things, as far as the folder tells.
fn state_of(folder: &Folder, dir: &Path, now: DateTime<Utc>) -> Option<State> {
    let network = folder.texts.get("gateway.yaml").map(|text| ("gateway.yaml".to_owned(), text.clone()));
    let reading = last_good::reading(&network.into_iter().collect(), now);
    reading.gateway.map(|gateway| State::of(&gateway, dir))
}

/// Whether gateway.yaml says what the gateway is to do. One that has vanished says nothing: that is a slip and no decision.
fn is_whole(folder: &Folder, reading: &Reading) -> bool {
    reading.gateway.is_some() && folder.texts.contains_key("gateway.yaml")
}

/// The last good gateway.yaml, where a gateway kept one.
fn gateway_kept(folder: &Folder, home: &Path, now: DateTime<Utc>) -> Option<Gateway> {
    let text = folder.texts.get("gateway.yaml").map_or("", String::as_str);
    State::guesses(text, home).iter().find_map(|state| {
        let kept = Kept::load(state, home).texts.remove("gateway.yaml")?;
        last_good::reading(&BTreeMap::from([("gateway.yaml".to_owned(), kept)]), now).gateway
    })
}

impl Loaded {
    /// Every problem, in order of file and line.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.reading.problems.clone();
        problems.extend(self.folder.unusable.iter().map(|u| u.problem.clone()));
        problems.extend(crate::notyet::no_mail(self));
        problems.extend(crate::lists::missing_files(self));
        problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        problems
    }

    /// What `gateway.yaml` says, or said when it was last good.
    pub(crate) fn gateway_in_force(&self) -> Option<&Gateway> {
        self.gateway_kept.as_ref().or(self.reading.gateway.as_ref())
    }

    /// Where the gateway keeps things, if anybody can tell.
    pub(crate) fn state(&self) -> Option<State> {
        self.gateway_in_force().map(|gateway| State::of(gateway, &self.dir))
    }

    /// What `gateway.yaml` says, for commands that need the store.
    pub(crate) fn gateway(&self) -> Result<&Gateway, Failure> {
        self.gateway_in_force().ok_or_else(|| {
            Failure::cannot_read(
                "`gateway.yaml` is missing or has errors, so nobody knows where the records are",
            )
            .help(format!("`hearthgate check --home {}` tells what is wrong", self.dir.display()))
        })
    }

    /// The home as the gateway holds it: where a file has errors, its last good text is in force. Says which files wait.
    pub(crate) fn in_force(mut self, now: DateTime<Utc>) -> Self {
        if !self.has_errors() && is_whole(&self.folder, &self.reading) {
            return self;
        }
        let kept = self.state().map(|state| Kept::load(&state, &self.dir)).unwrap_or_default();
        let accepted = last_good::accept(&kept, &self.folder, now);
        for waiting in &accepted.waiting {
            let meanwhile = match waiting.meanwhile {
                Meanwhile::LastGood => "its last good text is in force",
                Meanwhile::Baseline => "it was never good, so the baseline applies",
            };
            let why = match waiting.problems.iter().any(|problem| problem.code == "missing-file") {
                true => "is gone from the home's folder",
                false => "has errors (`hearthgate check`) and waits",
            };
            terminal::tell(&format!("`{}` {why}: {meanwhile}.", waiting.file));
        }
        self.reading = accepted.reading;
        self
    }

    /// Whether every file was good.
    pub(crate) fn has_errors(&self) -> bool {
        let bad = self.reading.problems.iter().any(|p| p.level == agreements::Level::Error);
        bad || !self.folder.unusable.is_empty()
    }
}
