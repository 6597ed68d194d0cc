//! The lists that a home subscribes to: where each one's bytes are, and how they become part of the catalogue.
//!
//! A list is fetched (or read from the home's folder), judged by `blocklists::subscription`, and put on the shelf. The
//! catalogue is compiled from the shelf alone, so that a bad fetch or a broken file changes nothing.

pub(crate) mod calendar;
pub(crate) mod fetch;
pub(crate) mod names;
pub(crate) mod shelf;
pub(crate) mod update;

use crate::catalogue::Notes;
use crate::folder;
use crate::home::Loaded;
use agreements::{House, Level, ListSource, Problem, Word};
use blocklists::format::{Body, Format, ListInput};
use blocklists::{Category, Tags};
use std::path::{Path, PathBuf};

/// Whether a list comes over the network rather than from the home's folder.
pub(crate) fn is_fetched(from: &str) -> bool {
    from.starts_with("https://") || from.starts_with("http://")
}

/// What the compiler needs to know of a list besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The source as the home wrote it.
    pub(crate) id: String,
    tags: Tags,
    categories: Vec<(String, Tags)>,
    format: Option<Format>,
    /// Whether nobody may see it.
    pub(crate) sealed: bool,
}

impl Meaning {
    /// Reads it from a subscription.
    pub(crate) fn of(source: &ListSource) -> Self {
        let tags = |category: Category| Tags::category(category);
        Self {
            id: source.from.clone(),
            tags: source.category.map_or(Tags::NONE, tags),
            categories: source
                .categories
                .iter()
                .map(|(theirs, ours)| (theirs.clone(), tags(*ours)))
                .collect(),
            format: source.format.as_deref().and_then(Format::from_word),
            sealed: source.sealed,
        }
    }

    /// The list for the compiler.
    pub(crate) fn input<'a>(&'a self, body: Body<'a>) -> ListInput<'a> {
        let input = ListInput::new(&self.id, self.tags, &[]);
        ListInput { categories: &self.categories, body, format: self.format, sealed: self.sealed, ..input }
    }

    /// A text that differs when the meaning does.
    pub(crate) fn fingerprint(&self) -> String {
        let Self { id, tags, categories, format, sealed } = self;
        format!("{id}\t{tags:?}\t{categories:?}\t{format:?}\t{sealed}")
    }
}

/// A list on the file system, ready to be compiled.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// What it means.
    pub(crate) meaning: Meaning,
    /// Where its bytes are.
    pub(crate) body: PathBuf,
    /// A text that differs when its bytes do.
    pub(crate) version: String,
}

/// The lists that a home has at hand: from the shelf, and from the folder where the shelf has no copy.
pub(crate) fn at_hand(house: &House, home: &Path, shelf: Option<&shelf::Shelf>) -> Vec<Ready> {
    house.home().lists.iter().filter_map(|source| ready(source, home, shelf)).collect()
}

fn ready(source: &ListSource, home: &Path, shelf: Option<&shelf::Shelf>) -> Option<Ready> {
    let meaning = Meaning::of(source);
    if let Some((body, version)) = shelf.and_then(|shelf| shelf.copy(&source.from)) {
        return Some(Ready { meaning, body, version });
    }
    let body = if is_fetched(&source.from) { None } else { folder::contained(home, &source.from) }?;
    let version = stamp(&body)?;
    Some(Ready { meaning, body, version })
}

/// Whether what a list names is closed to everyone: it fills a category of the floor, or is sealed.
pub(crate) fn is_on_floor(house: &House, source: &ListSource) -> bool {
    let floor = |category: &Category| {
        house.home().everyone.block.iter().any(|(word, _)| *word == Word::Category(*category))
    };
    let own = source.categories.iter().map(|(_, ours)| ours);
    source.sealed || source.category.iter().chain(own).any(floor)
}

/// The lists of the floor of which there is no copy at all, so that what they alone name is open. A list whose last copy is
/// merely old is none of them.
pub(crate) fn without_copy<'h>(house: &'h House, notes: &Notes) -> Vec<&'h ListSource> {
    let compiled =
        |source: &ListSource| notes.lists.iter().any(|note| note.from == source.from && note.error.is_none());
    let lists = house.home().lists.iter().filter(|_| notes.compiled.is_some());
    lists.filter(|source| is_on_floor(house, source) && !compiled(source)).collect()
}

/// Keeps others from changing the shelf while what is returned lives; waits until it is free.
pub(crate) fn lock(shelf: &Path) -> std::io::Result<std::fs::File> {
    let file = std::fs::File::create(shelf.join(".lock"))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Length and time of a file: they differ when its bytes do.
pub(crate) fn stamp(file: &Path) -> Option<String> {
    let metadata = std::fs::metadata(file).ok()?;
    let modified = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}:{}", metadata.len(), modified.as_nanos()))
}

/// A warning for each list of the folder that is not there.
pub(crate) fn missing_files(loaded: &Loaded) -> Vec<Problem> {
    let house = &loaded.reading.house;
    let missing = |source: &&ListSource| {
        !is_fetched(&source.from) && folder::contained(&loaded.dir, &source.from).is_none()
    };
    house.home().lists.iter().filter(missing).map(|source| missing_file(loaded, source)).collect()
}

fn missing_file(loaded: &Loaded, source: &ListSource) -> Problem {
    let place = loaded.reading.house.source(source.source);
    let (file, number) = place.map_or(("home.yaml", 1), |s| (s.file.as_str(), s.line));
    let text =
        loaded.folder.texts.get(file).and_then(|t| t.lines().nth(number as usize - 1)).unwrap_or_default();
    let column = text.find(&source.from).map_or(0, |at| text[..at].chars().count()) as u32 + 1;
    Problem {
        level: Level::Warning,
        file: file.to_owned(),
        line: number,
        column,
        code: "missing-list",
        sentence: format!(
            "There is no file `{}` in the home's folder, so this list has no names.",
            source.from
        ),
        help: "Put the list there, or correct the path.".to_owned(),
        text: text.to_owned(),
        other: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::ListNote;

    #[test]
    fn a_list_of_the_floor_without_a_copy_is_told() {
        let home = "home: A\neveryone: {block: [pornography]}\nlists:\n\
                    - {category: pornography, from: https://lists.example/a}\n\
                    - {category: pornography, from: https://lists.example/b}\n\
                    - {category: pornography, from: https://lists.example/broken}\n\
                    - {category: gambling, from: https://lists.example/c}\n\
                    - {category: illegal, from: https://lists.example/sealed, sealed: true}\n";
        let files = [("home.yaml".to_owned(), home.to_owned())];
        let house = agreements::read(&files, chrono::NaiveDate::default()).house;
        let note = |from: &str, error: Option<&str>| ListNote {
            from: format!("https://lists.example/{from}"),
            error: error.map(str::to_owned),
            ..ListNote::default()
        };
        let lists = vec![note("b", None), note("broken", Some("it cannot be read"))];
        let mut notes = Notes { lists, ..Notes::default() };
        assert!(without_copy(&house, &notes).is_empty(), "before anything was compiled nothing is claimed");
        notes.compiled = Some(chrono::DateTime::UNIX_EPOCH);
        let told: Vec<_> = without_copy(&house, &notes).iter().map(|s| s.from.as_str()).collect();
        assert_eq!(told, ["a", "broken", "sealed"].map(|from| format!("https://lists.example/{from}")));
    }

    #[test]
    fn addresses_are_fetched_and_paths_are_read() {
        for (from, fetched) in [
            ("https://lists.example/a.txt", true),
            ("http://lists.example/a.txt", true),
            ("lists/a.txt", false),
            ("httpsfile.txt", false),
        ] {
            assert_eq!(is_fetched(from), fetched, "{from}");
        }
    }
}
