//! Files in, a home and its problems out.
//!
//! `home.yaml` first, since agreements are measured by it; then the agreements, in order of their names; then the network.
//! Every problem of every file is told at once. A file with errors is refused, and nobody is left without rules for it:
//! who cannot have their own gets the home's baseline, and a home that cannot be read is the built-in one.

mod accounts;
mod agreed;
mod block;
mod coverage;
mod days;
mod devices;
mod filled;
mod home;
mod limits;
mod lists;
mod mail;
mod network;
mod person;
mod pledges;
mod school;
mod sheet;
mod spelling;
mod times;
mod words;

pub(crate) use home::UNKNOWN_DEVICES;
pub(crate) use person::{EDUCATION, KINDS, PROFILES, SAFE_SEARCH, SCHOOL_HOURS};
pub(crate) use pledges::LEVELS;
pub use spelling::{did_you_mean, nearest};

use crate::gateway::Gateway;
use crate::house::House;
use crate::meant::{Draft, Home, Person};
use crate::problem::Problem;
use crate::terms;
use chrono::NaiveDate;
use sheet::{Desk, Sheet};
use std::collections::{BTreeMap, HashMap};

/// The most agreements of one home. No home is near a hundred; a house numbers its people in 16 bits.
const MAX_PEOPLE: usize = 20_000;
/// Words that mean somebody else than a person where an id stands.
const RESERVED: [&str; 4] = ["baseline", "nobody", "everyone", "everything"];

/// What reading a home's folder gave.
#[derive(Debug)]
pub struct Reading {
    /// The home. Where a person's file has errors, that person is on the baseline; where `home.yaml` has, everybody is.
    pub house: House,
    /// What `gateway.yaml` says, if it could be read without an error. A home without the file has [`Gateway::default`].
    pub gateway: Option<Gateway>,
    /// Every problem of every file, in order of file and line.
    pub problems: Vec<Problem>,
}

/// Reads a home's files: `(path inside the folder, text)` pairs, in any order. `today` is the home's date, against which
/// overdue reviews are told. A calendar that is fetched comes as a pair too, under its URL.
///
/// It never fails and never panics, whatever the text: what is wrong is in [`Reading::problems`].
pub fn read(files: &[(String, String)], today: NaiveDate) -> Reading {
    let mut desk = Desk::default();
    let folder = Folder::sort(&mut desk, files);
    let (mut home, usable) = read_home(&mut desk, &folder, today);
    home.people = read_people(&mut desk, &folder, &home, usable, today);
    let gateway = read_gateway(&mut desk, &folder);
    home.home_network = gateway.as_ref().map(|gateway| gateway.home_network.clone()).unwrap_or_default();
    let Desk { mut problems, sources } = desk;
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    Reading { house: House::new(home, sources), gateway, problems }
}

/// A home's files by what they are.
#[derive(Default)]
struct Folder<'a> {
    home: Option<&'a str>,
    gateway: Option<&'a str>,
    /// Path and text of each agreement, by the id that its name gives.
    agreements: BTreeMap<String, (&'a str, &'a str)>,
    /// Agreements whose names are no ids.
    misnamed: Vec<(&'a str, &'a str)>,
    /// Everything else: calendars and lists, by path.
    others: HashMap<&'a str, &'a str>,
}

impl<'a> Folder<'a> {
    fn sort(desk: &mut Desk, files: &'a [(String, String)]) -> Self {
        let mut folder = Self::default();
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, text) in files {
            let path = path.strip_prefix("./").unwrap_or(path);
            // What some editors begin a file with, and what is no part of its text.
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            if seen.insert(path, text).is_some() {
                Sheet::plain(desk, path, text).warning(0, "same-file", "This file was given twice.", "");
            }
        }
        for (path, text) in seen {
            folder.place(desk, path, text);
        }
        folder
    }

    fn place(&mut self, desk: &mut Desk, path: &'a str, text: &'a str) {
        match path {
            "home.yaml" => self.home = Some(text),
            "gateway.yaml" => self.gateway = Some(text),
            _ => match path.strip_prefix("agreements/").map(|name| (name, name.strip_suffix(".yaml"))) {
                Some((name, Some(id))) if !name.contains('/') => self.agreement(id, path, text),
                _ => {
                    not_of_the_home(desk, path, text);
                    self.others.insert(path, text);
                }
            },
        }
    }

    fn agreement(&mut self, id: &str, path: &'a str, text: &'a str) {
        if accounts::is_id(id) && !RESERVED.contains(&id) && self.agreements.len() < MAX_PEOPLE {
            self.agreements.insert(id.to_owned(), (path, text));
        } else {
            self.misnamed.push((path, text));
        }
    }
}

/// Warns of YAML that looks as if it should count and does not.
fn not_of_the_home(desk: &mut Desk, path: &str, text: &str) {
    let Some((stem, _)) = path.rsplit_once('.').filter(|(_, end)| matches!(*end, "yaml" | "yml")) else {
        return;
    };
    let help = if let Some(name) = stem.strip_prefix("agreements/").filter(|name| !name.contains('/')) {
        format!("Rename it to agreements/{}.yaml.", accounts::tidy_id(name))
    } else if let [near, ..] = nearest(path, ["home.yaml", "gateway.yaml"])[..] {
        format!("Did you mean `{near}`?")
    } else {
        "Agreements are in agreements/, one file a person; beside them stand home.yaml and gateway.yaml."
            .to_owned()
    };
    let sentence = "This file is no part of the home: nothing in it counts.";
    Sheet::plain(desk, path, text).warning(0, "ignored-file", sentence, &help);
}

/// The home, and whether `home.yaml` was read without an error.
fn read_home(desk: &mut Desk, folder: &Folder<'_>, today: NaiveDate) -> (Home, bool) {
    let Some(text) = folder.home else {
        let mut sheet = Sheet::plain(desk, "home.yaml", "");
        let sentence = "The home has no home.yaml: everybody is on the built-in baseline.";
        sheet.error(0, "no-home-file", sentence, "Copy one from the sample home and fill it in.");
        let mut home = home::built_in();
        home::stand_in(&mut sheet, &mut home);
        return (home, false);
    };
    let (mut sheet, root) = Sheet::open(desk, "home.yaml", text);
    let Some(root) = root else {
        empty(&mut sheet);
        let mut home = home::built_in();
        home::stand_in(&mut sheet, &mut home);
        return (home, false);
    };
    let mut home = home::read(&mut sheet, &root);
    let usable = sheet.errors() == 0;
    drop(sheet);
    read_calendar(desk, folder, &root, &mut home, today);
    (home, usable)
}

/// A file in which nothing stands, unless it was told already what is wrong with it.
fn empty(sheet: &mut Sheet<'_>) {
    if sheet.errors() == 0 {
        sheet.error(0, "empty-file", "There is nothing in this file.", "Fill it in, or delete it.");
    }
}

/// Adds what the calendar says of terms and days off.
fn read_calendar(
    desk: &mut Desk,
    folder: &Folder<'_>,
    root: &crate::yaml::Node,
    home: &mut Home,
    today: NaiveDate,
) {
    let Some(path) = home.school.calendar.clone() else { return };
    let file = path.strip_prefix("./").unwrap_or(&path);
    let Some(text) = folder.others.get(file) else {
        let mut sheet = Sheet::plain(desk, "home.yaml", folder.home.unwrap_or_default());
        let help = if path.contains("://") {
            "It is fetched when the gateway runs."
        } else {
            "Put the file beside home.yaml."
        };
        sheet.warning(
            school::calendar_at(root),
            "no-calendar",
            "The calendar is not there yet: its terms are not known.",
            help,
        );
        return;
    };
    let found = terms::read(text, home.timezone, today);
    let mut sheet = Sheet::plain(desk, file, text);
    for problem in found.problems {
        sheet.warning(problem.at, problem.code, &problem.sentence, problem.help);
    }
    home.school.terms.extend(found.terms);
    home.school.terms.sort();
    home.school.terms.dedup();
    home.school.days_off.extend(found.days_off);
    home.school.days_off.sort();
    home.school.days_off.dedup();
}

fn read_people(
    desk: &mut Desk,
    folder: &Folder<'_>,
    home: &Home,
    usable: bool,
    today: NaiveDate,
) -> Vec<Person> {
    // Of a home that cannot be read nobody knows which lists it has.
    let filled = usable.then(|| filled::by(&home.lists));
    let mut known = devices::Known::new();
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for (id, (path, text)) in &folder.agreements {
        let (mut sheet, root) = Sheet::open(desk, path, text);
        let person = read_person(&mut sheet, root.as_ref(), id, home, filled, &mut known, today);
        people.insert(id.clone(), person);
    }
    for (path, text) in &folder.misnamed {
        let (mut sheet, root) = Sheet::open(desk, path, text);
        let id = misnamed(&mut sheet, path, &people);
        let mut person = read_person(&mut sheet, root.as_ref(), &id, home, filled, &mut known, today);
        person.draft = Some(Draft::Unusable);
        if accounts::is_id(&id) && people.len() < MAX_PEOPLE {
            people.entry(id).or_insert(person);
        }
    }
    let mut people: Vec<Person> = people.into_values().collect();
    if !usable {
        people.iter_mut().for_each(|person| person.draft = Some(Draft::HomeUnusable));
    }
    people
}

fn read_person(
    sheet: &mut Sheet<'_>,
    root: Option<&crate::yaml::Node>,
    id: &str,
    home: &Home,
    filled: filled::Filled,
    known: &mut devices::Known,
    today: NaiveDate,
) -> Person {
    match root {
        Some(root) => person::read(sheet, root, id, home, filled, known, today),
        None => {
            empty(sheet);
            person::unusable(sheet, id)
        }
    }
}

/// Tells that an agreement's file is not named for a person, and gives the id that it comes nearest to.
fn misnamed(sheet: &mut Sheet<'_>, path: &str, people: &BTreeMap<String, Person>) -> String {
    let name = path.strip_prefix("agreements/").and_then(|n| n.strip_suffix(".yaml")).unwrap_or(path);
    let tidy = accounts::tidy_id(name);
    if people.contains_key(&tidy) {
        let sentence =
            format!("There are two agreements for `{tidy}`: capitals make no difference in a file's name.");
        sheet.error(0, "same-id", &sentence, "Keep one of the two files.");
    } else if RESERVED.contains(&tidy.as_str()) {
        let sentence = format!("`{tidy}` cannot be a person's id: it means something else.");
        sheet.error(0, "bad-file-name", &sentence, "Give the file another name.");
        return format!("{tidy}-agreement");
    } else if accounts::is_id(name) {
        sheet.error(0, "too-many", &format!("A home can have {MAX_PEOPLE} agreements."), "");
    } else {
        let sentence = "The name of an agreement's file is the person's id: small letters and figures.";
        let help = if accounts::is_id(&tidy) {
            format!("Rename it to {tidy}.yaml.")
        } else {
            "Rename it, like jordan.yaml.".to_owned()
        };
        sheet.error(0, "bad-file-name", sentence, &help);
    }
    tidy
}

fn read_gateway(desk: &mut Desk, folder: &Folder<'_>) -> Option<Gateway> {
    let Some(text) = folder.gateway else {
        let mut sheet = Sheet::plain(desk, "gateway.yaml", "");
        let sentence = "There is no gateway.yaml: the gateway listens nowhere.";
        sheet.warning(0, "no-gateway-file", sentence, "Copy one from the sample home and fill it in.");
        return Some(Gateway::default());
    };
    let (mut sheet, root) = Sheet::open(desk, "gateway.yaml", text);
    let gateway = match &root {
        Some(root) => network::read(&mut sheet, root),
        None => {
            empty(&mut sheet);
            Gateway::default()
        }
    };
    (sheet.errors() == 0).then_some(gateway)
}
