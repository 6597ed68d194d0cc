//! What the desk is told of the running gateway by the program that runs it.

use agreements::{Covered, House, Problem};
use records::{By, Face};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

/// Something that the program does for the desk, and that takes a while.
pub type Doing<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The running gateway, as far as only the program knows it.
pub trait Running: Send + Sync + 'static {
    /// How it is now.
    fn state(&self) -> Doing<'_, State>;

    /// What a device in the home is known by, whatever addresses it has.
    fn face(&self, address: IpAddr) -> Doing<'_, Face>;

    /// Whoever is signed in on devices that are nobody's own: the device, the person's id, the minutes left.
    fn signed_in(&self) -> Doing<'_, Vec<(Face, String, u64)>>;

    /// What devices call themselves, as the home's DHCP server has it: a hint for people, which decides nothing.
    fn names(&self) -> Doing<'_, BTreeMap<Face, String>>;

    /// Somebody's agreement holds on a device that is nobody's own, for so many minutes at most. Whether there was room.
    fn let_in<'a>(&'a self, face: Face, person: &'a str, minutes: u16) -> Doing<'a, bool>;

    /// Whoever is signed in on a device is so no longer. Whether anybody was.
    fn let_out(&self, face: Face) -> Doing<'_, bool>;

    /// What the home's set-up holds, and what it cannot; nothing while nobody can tell.
    fn coverage(&self) -> Doing<'_, Vec<Covered>>;

    /// The text of a file of the home's folder as it stands on disk; none where there is no such file.
    fn text<'a>(&'a self, file: &'a str) -> Doing<'a, Option<String>>;

    /// What the home would be if a file had this text.
    fn weigh<'a>(&'a self, file: &'a str, text: &'a str) -> Doing<'a, Weighed>;

    /// Writes a file of the home's folder, if it still is what `was` is the hash of (empty: there is none). Whoever does it,
    /// and why, is for Git. `first` writes it down in the journal: it is waited for before anything is written, and nothing is
    /// where it says no.
    fn keep<'a>(
        &'a self,
        file: &'a str,
        text: &'a str,
        was: &'a str,
        by: (&'a By, &'a str),
        first: Doing<'a, bool>,
    ) -> Doing<'a, Result<Kept, NotKept>>;

    /// Gives somebody another PIN. Whoever was signed in with the old one is so no longer.
    fn give_pin<'a>(&'a self, person: &'a str, pin: &'a str) -> Doing<'a, Result<(), NoPin>>;
}

/// Why somebody has no other PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPin {
    /// It is none, or everybody tries it: a sentence for whoever chose it.
    Weak(String),
    /// It could not be kept.
    NotKept,
}

/// What the home would be with another text of a file.
#[derive(Debug)]
pub struct Weighed {
    /// The problems that this text has, or makes.
    pub problems: Vec<Problem>,
    /// The home.
    pub house: House,
}

/// A file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The folder is no repository.
    Alone,
    /// And committed to Git.
    Committed,
    /// Git did not take it.
    NotCommitted,
}

/// A file was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Somebody else changed it: this stands there now.
    Meanwhile(String),
    /// It cannot be written.
    Disk,
    /// The journal did not take it, so that nothing was written.
    Journal,
}

/// How the gateway is.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The program's version.
    pub version: String,
    /// Whether its clock was started elsewhere, for trying out.
    pub pretended: bool,
    /// How many upstream resolvers answer, of how many; none before they were asked.
    pub upstreams: Option<(usize, usize)>,
    /// Distinct names in the compiled lists.
    pub names: u64,
    /// The home's lists.
    pub lists: Vec<List>,
    /// Files that wait.
    pub waiting: Vec<Waiting>,
    /// Warnings of the files in force.
    pub warnings: Vec<Trouble>,
    /// What changed in gateway.yaml and takes a restart.
    pub needs_restart: Vec<&'static str>,
}

/// A list of the home. Its address is not told: it may hold a licence key.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// What it is called here: its category, or its host.
    pub name: String,
    /// How old the copy is, in words.
    pub age: String,
    /// Names taken into the catalogue.
    pub names: u64,
    /// Why it is not as it should be.
    pub trouble: Option<String>,
}

/// A file that waits.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// The file.
    pub file: String,
    /// What holds meanwhile, in a sentence.
    pub meanwhile: String,
    /// What is wrong with it.
    pub troubles: Vec<Trouble>,
}

/// A problem of a file, with its place.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// What is wrong.
    pub sentence: String,
    /// What would be right.
    pub help: String,
}
