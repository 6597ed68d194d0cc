//! The catalogue of a home: compiled from the built-in tables and the lists at hand, kept on disk while nothing changes.
//!
//! Beside the compiled file stands a small JSON with the fingerprint of everything that went into it. A gateway that starts
//! and finds the same fingerprint opens the file, and parses nothing.

use crate::failure::Failure;
use crate::folder;
use crate::home::Loaded;
use crate::last_good::write_whole;
use crate::lists::shelf::{Shelf, hex};
use crate::lists::{Ready, at_hand};
use crate::state::State;
use crate::terminal;
use agreements::{House, Word};
use blocklists::compile::Touch;
use blocklists::format::{Body, ListInput};
use blocklists::{Catalogue, Category, CompileError, Compiler, Domain, ListReport, Tags, builtin};
use chrono::{DateTime, Utc};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// Protected sites that a report names, for each list.
const HITS: usize = 20;

/// Everything that a catalogue is made from.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    lists: Vec<Ready>,
    protected: Vec<Domain>,
    fingerprint: String,
}

/// A catalogue and what came of each list.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The catalogue.
    pub(crate) catalogue: Catalogue,
    /// What is worth knowing of it.
    pub(crate) notes: Notes,
}

/// What stands beside a compiled catalogue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// Of what it was made from.
    pub(crate) fingerprint: String,
    /// When it was compiled.
    pub(crate) compiled: Option<DateTime<Utc>>,
    /// What came of each list of the home.
    pub(crate) lists: Vec<ListNote>,
}

/// What came of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListNote {
    /// The source as the home wrote it.
    pub(crate) from: String,
    /// Entries taken.
    pub(crate) names: u64,
    /// Lines skipped, by reason.
    pub(crate) skipped: BTreeMap<String, u64>,
    /// Entries that named a protected site and were dropped.
    pub(crate) touches_protected: u64,
    /// The first of them, with the site they would have blocked; nothing of a sealed list.
    pub(crate) protected: Vec<String>,
    /// Why the list could not be read, if it could not.
    pub(crate) error: Option<String>,
}

impl Recipe {
    /// What a house's catalogue is made from now.
    pub(crate) fn of(house: &House, home: &Path, shelf: Option<&Shelf>) -> Self {
        let lists = at_hand(house, home, shelf);
        let protected = protected(house);
        let fingerprint = fingerprint(&lists, &protected);
        Self { lists, protected, fingerprint }
    }

    /// Compiles, telling of each list as it is done. It reads every list, which takes seconds for millions of names.
    pub(crate) fn compile(
        &self,
        now: DateTime<Utc>,
        done: &mut dyn FnMut(&str),
    ) -> Result<Compiled, Failure> {
        let mut tries = 0;
        loop {
            match self.compile_once(now, done, tries)? {
                Ok(compiled) => return Ok(compiled),
                Err(CompileError::Crowded) if tries + 1 < Compiler::TRIES => tries += 1,
                Err(error) => return Err(Failure::no(format!("the lists cannot be compiled: {error}"))),
            }
        }
    }

    /// Compiles after so many tries without room for all names.
    fn compile_once(
        &self,
        now: DateTime<Utc>,
        done: &mut dyn FnMut(&str),
        tries: usize,
    ) -> Result<Result<Compiled, CompileError>, Failure> {
        let mut compiler = Compiler::new().after(tries);
        for (tags, body) in built_in() {
            let input = ListInput { built_in: true, ..ListInput::new("built in", tags, body.as_bytes()) };
            compiler.add(input).map_err(|e| Failure::no(format!("a built-in table cannot be read: {e}")))?;
        }
        compiler.protect(self.protected.iter().cloned());
        let mut lists = Vec::new();
        for list in &self.lists {
            lists.push(added(&mut compiler, list));
            done(&list.meaning.id);
        }
        Ok(compiler.finish(now.timestamp()).map(|catalogue| {
            let notes = Notes { fingerprint: self.fingerprint.clone(), compiled: Some(now), lists };
            Compiled { catalogue, notes }
        }))
    }

    /// A text that differs when anything that goes into the catalogue does.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How many lists there are to compile.
    pub(crate) fn lists(&self) -> usize {
        self.lists.len()
    }

    /// The compiled catalogue on disk, if it was made from the very same.
    pub(crate) fn open(&self, state: &State) -> Option<Compiled> {
        let notes = Notes::load(state).filter(|notes| notes.fingerprint == self.fingerprint)?;
        let catalogue = Catalogue::open(&state.catalogue()).ok()?;
        Some(Compiled { catalogue, notes })
    }

    /// Compiles, and keeps the result on disk.
    pub(crate) fn renew(
        &self,
        state: &State,
        now: DateTime<Utc>,
        done: &mut dyn FnMut(&str),
    ) -> Result<Compiled, Failure> {
        let compiled = self.compile(now, done)?;
        if let Err(error) = compiled.keep(state) {
            tracing::warn!(%error, "the compiled catalogue cannot be kept; the next start compiles again");
        }
        Ok(compiled)
    }
}

impl Compiled {
    fn keep(&self, state: &State) -> std::io::Result<()> {
        // The catalogue first: notes that speak of a catalogue that is not there yet would be believed.
        self.catalogue.write_to(&state.catalogue())?;
        write_whole(
            &notes_file(state),
            &serde_json::to_vec_pretty(&self.notes).map_err(std::io::Error::other)?,
        )
    }
}

impl Notes {
    /// What stands beside the compiled catalogue.
    pub(crate) fn load(state: &State) -> Option<Self> {
        let bytes = folder::at_most(&notes_file(state), 16 << 20).ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }
}

fn notes_file(state: &State) -> std::path::PathBuf {
    state.catalogue().with_extension("json")
}

fn added(compiler: &mut Compiler, list: &Ready) -> ListNote {
    let from = list.meaning.id.clone();
    let added = File::open(&list.body)
        .map_err(|e| e.to_string())
        .and_then(|f| compiler.add(list.meaning.input(Body::Reader(Box::new(f)))).map_err(|e| e.to_string()));
    match added {
        Ok(report) => note(report),
        Err(error) => ListNote { from, error: Some(error), ..ListNote::default() },
    }
}

fn note(report: ListReport) -> ListNote {
    let hit = |hit: &blocklists::compile::ProtectedHit| {
        let (entry, site) = hit.names.as_ref()?;
        let how = match hit.touch {
            Touch::Is | Touch::Below => "was dropped: it is protected by",
            Touch::Covers => "stops at",
        };
        Some(format!("line {}: {entry} {how} {site}", hit.line))
    };
    ListNote {
        from: report.id,
        names: report.names,
        skipped: report
            .skips
            .iter()
            .map(|(reason, count, _)| (reason.sentence().to_owned(), count))
            .collect(),
        touches_protected: report.touches_protected,
        protected: report.protected.iter().filter_map(hit).take(HITS).collect(),
        error: None,
    }
}

/// The built-in tables as lists: one for each set of tags and reach, in an order that never changes.
fn built_in() -> Vec<(Tags, String)> {
    let mut bodies: BTreeMap<(u64, u128, bool), String> = BTreeMap::new();
    for entry in builtin::entries() {
        let (categories, services) = entry.tags.to_bits();
        let body = bodies.entry((categories, services, entry.whole_site)).or_default();
        // A hosts line is that host alone; a bare name is the whole site.
        let line =
            if entry.whole_site { format!("{}\n", entry.name) } else { format!("0.0.0.0 {}\n", entry.name) };
        body.push_str(&line);
    }
    let tags = |(categories, services, _): (u64, u128, bool)| Tags::from_bits(categories, services);
    bodies.into_iter().map(|(key, body)| (tags(key), body)).collect()
}

/// The sites that no list may take away: built in, and what the home adds.
fn protected(house: &House) -> Vec<Domain> {
    let sets = [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL];
    let built_in = sets.into_iter().flat_map(builtin::protected_sites).map(builtin::Builtin::domain);
    let home = &house.home().protected;
    let own =
        home.support.iter().chain(&home.assistive).chain(&home.private_mail).filter_map(|(w, _)| match w {
            Word::Site(site) | Word::Host(site) => Some(site.clone()),
            Word::Path(..) | Word::Service(_) | Word::Category(_) => None,
        });
    let mut all: Vec<Domain> = built_in.chain(own).collect();
    all.sort();
    all.dedup();
    all
}

fn fingerprint(lists: &[Ready], protected: &[Domain]) -> String {
    let mut hash = Context::new(&SHA256);
    let mut part = |text: &str| {
        hash.update(text.as_bytes());
        hash.update(b"\n");
    };
    part(env!("HEARTHGATE_VERSION"));
    for (tags, body) in built_in() {
        part(&format!("{tags:?}"));
        part(&body);
    }
    protected.iter().for_each(|site| part(site.as_str()));
    for list in lists {
        part(&list.meaning.fingerprint());
        part(&list.version);
    }
    hex(hash.finish().as_ref())
}

/// The catalogue for a command that asks without a gateway: the compiled one if it is of the same lists, else one in memory.
pub(crate) fn for_command(
    loaded: &Loaded,
    state: Option<&State>,
    now: DateTime<Utc>,
) -> Result<Catalogue, Failure> {
    let shelf = state.map(|state| Shelf::at(state.lists()));
    let recipe = Recipe::of(&loaded.reading.house, &loaded.dir, shelf.as_ref());
    if let Some(compiled) = state.and_then(|state| recipe.open(state)) {
        return Ok(compiled.catalogue);
    }
    let bar = terminal::spinner("reading the lists");
    let compiled = recipe.compile(now, &mut |_| {});
    bar.finish_and_clear();
    compiled.map(|compiled| compiled.catalogue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blocklists::Name;

    fn recipe(lists: Vec<Ready>) -> Recipe {
        let protected = vec![Domain::parse("helpline.example").expect("a name")];
        let fingerprint = fingerprint(&lists, &protected);
        Recipe { lists, protected, fingerprint }
    }

    fn list(dir: &Path, body: &str) -> Ready {
        let source = agreements::ListSource {
            from: "lists/a.txt".to_owned(),
            category: Category::from_word("gambling"),
            categories: Vec::new(),
            format: None,
            refresh: chrono::Duration::days(1),
            sealed: false,
            source: agreements::SourceId(0),
        };
        std::fs::write(dir.join("a.txt"), body).expect("written");
        let meaning = crate::lists::Meaning::of(&source);
        Ready { meaning, body: dir.join("a.txt"), version: body.to_owned() }
    }

    fn tags(catalogue: &Catalogue, name: &str) -> Tags {
        catalogue.lookup(Name::new(name).expect("a name"))
    }

    #[test]
    fn built_in_tables_are_in_every_catalogue() {
        let compiled = recipe(Vec::new()).compile(crate::clock::now(), &mut |_| {}).expect("compiled");
        assert!(tags(&compiled.catalogue, "www.childline.org.uk").has(Category::SUPPORT));
        let tiktok = blocklists::Service::from_word("tiktok").expect("a service");
        assert!(tags(&compiled.catalogue, "www.tiktok.com").has_service(tiktok));
        for entry in builtin::entries() {
            let found = tags(&compiled.catalogue, entry.name);
            assert_eq!(found.intersection(entry.tags), entry.tags, "{}", entry.name);
        }
    }

    #[test]
    fn a_list_that_names_a_protected_site_is_reported_and_cannot_have_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let recipe = recipe(vec![list(dir.path(), "bet.example\nhelpline.example\n")]);
        let compiled = recipe.compile(crate::clock::now(), &mut |_| {}).expect("compiled");
        let gambling = Category::from_word("gambling").expect("a category");
        assert!(tags(&compiled.catalogue, "www.bet.example").has(gambling));
        assert!(!tags(&compiled.catalogue, "helpline.example").has(gambling));
        let note = &compiled.notes.lists[0];
        assert_eq!((note.touches_protected, note.protected.len()), (1, 1), "{note:?}");
        assert!(note.protected[0].contains("helpline.example"), "{note:?}");
    }

    #[test]
    fn the_compiled_file_is_used_until_something_changes() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let state = State { dir: dir.path().join("state") };
        state.make().expect("made");
        let first = recipe(vec![list(dir.path(), "bet.example\n")]);
        assert!(first.open(&state).is_none());
        first.renew(&state, crate::clock::now(), &mut |_| {}).expect("compiled");
        assert!(first.open(&state).is_some());
        let second = recipe(vec![list(dir.path(), "other.example\n")]);
        assert!(second.open(&state).is_none(), "another body");
    }

    #[test]
    fn a_damaged_compiled_file_is_compiled_again() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let state = State { dir: dir.path().join("state") };
        state.make().expect("made");
        let recipe = recipe(Vec::new());
        recipe.renew(&state, crate::clock::now(), &mut |_| {}).expect("compiled");
        std::fs::write(state.catalogue(), b"nonsense").expect("written");
        assert!(recipe.open(&state).is_none());
    }

    #[test]
    fn a_list_that_cannot_be_read_is_noted_and_holds_up_nobody() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let good = list(dir.path(), "bet.example\n");
        let bad = Ready { body: dir.path().join("gone.txt"), ..good.clone() };
        let compiled = recipe(vec![bad, good]).compile(crate::clock::now(), &mut |_| {}).expect("compiled");
        assert!(compiled.notes.lists[0].error.is_some());
        assert_eq!(compiled.notes.lists[1].names, 1);
    }
}
