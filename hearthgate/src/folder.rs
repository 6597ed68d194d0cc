//! The home's folder on disk: which files are read, and what keeps a strange one from doing harm.
//!
//! The gateway reads `*.yaml`, `*.yml` and `*.ics` in the folder itself and in `agreements/`, and nothing else of it but the
//! lists that `home.yaml` names. It never writes there.

use agreements::{Level, Problem};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file of the home is at most this long: a thousand times what a manager writes.
pub(crate) const MAX_FILE: u64 = 1 << 20;
/// A calendar with years of events fits into this.
const MAX_CALENDAR: u64 = 4 << 20;
/// More files than this are not a home.
const MAX_FILES: usize = 20_000;

/// The folder as it was found at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Every text, by its path inside the folder, with `/` between its parts.
    pub(crate) texts: BTreeMap<String, String>,
    /// Files that are there and could not be taken as text: each is an error of that file.
    pub(crate) unusable: Vec<Unusable>,
}

/// A file that is there and could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// What to tell.
    pub(crate) problem: Problem,
    /// Whether the system refused to read it (exit code 2), rather than what stands in it being no text.
    pub(crate) unreadable: bool,
}

/// Reads a home's folder. Only a folder that cannot be listed is an error; a bad file is told in [`Folder::unusable`].
pub(crate) fn read(home: &Path) -> io::Result<Folder> {
    read_up_to(home, MAX_FILES)
}

fn read_up_to(home: &Path, most: usize) -> io::Result<Folder> {
    let root = home.canonicalize()?;
    let mut folder = Folder::default();
    let paths = candidates(&root)?;
    if let Some(first) = paths.get(most) {
        let first = inside(&root, first);
        folder.unusable.push(Refusal::TooMany(paths.len() - most).unusable(first));
    }
    for path in paths.into_iter().take(most) {
        let inside = inside(&root, &path);
        match text(&root, &path) {
            Ok(text) => drop(folder.texts.insert(inside, text)),
            Err(refusal) => folder.unusable.push(refusal.unusable(inside)),
        }
    }
    Ok(folder)
}

/// The files that may belong to the home: the home's own, then the agreements, each in order of path.
fn candidates(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = listed(root)?;
    match listed(&root.join("agreements")) {
        Ok(more) => paths.extend(more),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(paths)
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // `metadata` follows links: a link to a file is a file, a dangling one is told as unreadable.
        let is_folder = fs::metadata(&path).is_ok_and(|m| m.is_dir());
        if belongs(&path) && !is_folder {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether a file's name makes it one of the home's. Editors' swap and backup files (`.x.yaml.swp`, `x.yaml~`) are not.
pub(crate) fn belongs(path: &Path) -> bool {
    let hidden = path.file_name().and_then(|n| n.to_str()).is_none_or(|n| n.starts_with('.'));
    let known =
        path.extension().and_then(|e| e.to_str()).is_some_and(|e| matches!(e, "yaml" | "yml" | "ics"));
    known && !hidden
}

fn inside(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Why a file was not taken.
#[derive(Debug)]
enum Refusal {
    /// The system said no.
    Unreadable(io::Error),
    /// A link that leads out of the folder.
    Outside,
    /// A pipe, socket or device: reading it could wait for ever.
    NotAFile,
    /// Longer than any home's file.
    TooLong(u64),
    /// Bytes that are no UTF-8, at a line and column.
    NotText(u32, u32),
    /// It and so many more stand after the last that is read.
    TooMany(usize),
}

impl Refusal {
    fn unusable(self, file: String) -> Unusable {
        let (code, sentence, help) = self.told();
        let (line, column) = if let Self::NotText(line, column) = self { (line, column) } else { (1, 1) };
        let unreadable = matches!(self, Self::Unreadable(_));
        let problem = Problem {
            level: Level::Error,
            file,
            line,
            column,
            code,
            sentence,
            help: help.to_owned(),
            text: String::new(),
            other: None,
        };
        Unusable { problem, unreadable }
    }

    fn told(&self) -> (&'static str, String, &'static str) {
        match self {
            Self::Unreadable(error) => (
                "cannot-read",
                format!("This file cannot be read: {error}."),
                "Let the gateway's account read it (`chmod g+r`, `chown :hearthgate`).",
            ),
            Self::Outside => (
                "outside-folder",
                "This is a link to a file outside the home's folder, and is not followed.".to_owned(),
                "Copy the file into the folder.",
            ),
            Self::NotAFile => {
                ("not-a-file", "This is no ordinary file.".to_owned(), "Remove it or rename it.")
            }
            Self::TooLong(most) => (
                "too-long",
                format!("This file is longer than {} KiB; no home's file is.", most >> 10),
                "Was something else saved under this name?",
            ),
            Self::NotText(..) => (
                "not-utf8",
                "This file is not UTF-8 text: the character here cannot be read.".to_owned(),
                "Save it again with the encoding UTF-8.",
            ),
            Self::TooMany(count) => (
                "too-many-files",
                format!("There are too many files: this one and all after it ({count}) are not read."),
                "Move what is no agreement of this home elsewhere.",
            ),
        }
    }
}

fn text(root: &Path, path: &Path) -> Result<String, Refusal> {
    let real = path.canonicalize().map_err(Refusal::Unreadable)?;
    if !real.starts_with(root) {
        return Err(Refusal::Outside);
    }
    if !fs::metadata(&real).map_err(Refusal::Unreadable)?.is_file() {
        return Err(Refusal::NotAFile);
    }
    let most = if real.extension().is_some_and(|e| e == "ics") { MAX_CALENDAR } else { MAX_FILE };
    let bytes = at_most(&real, most).map_err(Refusal::Unreadable)?.ok_or(Refusal::TooLong(most))?;
    String::from_utf8(bytes).map_err(|error| {
        let (line, column) = place(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        Refusal::NotText(line, column)
    })
}

/// Reads a file, unless it is longer than `most` bytes. The length is held while reading: a file may grow.
pub(crate) fn at_most(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// Line and column, in characters from 1, of what comes after `good`.
fn place(good: &[u8]) -> (u32, u32) {
    let text = String::from_utf8_lossy(good);
    let line = text.matches('\n').count() as u32 + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() as u32 + 1;
    (line, column)
}

/// Whether a path that a file names stays inside the folder: relative, without `..`, and no link that leads out.
pub(crate) fn contained(home: &Path, named: &str) -> Option<PathBuf> {
    let root = home.canonicalize().ok()?;
    let real = root.join(named).canonicalize().ok()?;
    (real.starts_with(&root) && real.is_file()).then_some(real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn home(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (path, bytes) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, bytes).expect("written");
        }
        dir
    }

    #[test]
    fn only_the_homes_own_files_are_read() {
        let dir = home(&[
            ("home.yaml", b"home: A\n"),
            ("terms.ics", b"BEGIN:VCALENDAR\n"),
            ("agreements/jo.yml", b"person: Jo\n"),
            ("agreements/.jo.yml.swp", b"x"),
            ("agreements/jo.yaml~", b"x"),
            ("notes.txt", b"x"),
            ("other/deep.yaml", b"x"),
        ]);
        let folder = read(dir.path()).expect("listed");
        let paths: Vec<_> = folder.texts.keys().map(String::as_str).collect();
        assert_eq!(paths, ["agreements/jo.yml", "home.yaml", "terms.ics"]);
        assert_eq!(folder.unusable, []);
    }

    #[test]
    fn of_too_many_files_the_homes_own_are_read_and_the_rest_is_told() {
        let home = home(&[
            ("agreements/a.yaml", b""),
            ("agreements/b.yaml", b""),
            ("agreements/c.yaml", b""),
            ("gateway.yaml", b""),
            ("home.yaml", b""),
        ]);
        let folder = read_up_to(home.path(), 3).unwrap();
        let read: Vec<_> = folder.texts.keys().map(String::as_str).collect();
        assert_eq!(read, ["agreements/a.yaml", "gateway.yaml", "home.yaml"]);
        let told: Vec<_> =
            folder.unusable.iter().map(|u| (u.problem.code, u.problem.file.as_str())).collect();
        assert_eq!(told, [("too-many-files", "agreements/b.yaml")]);
        assert!(read_up_to(home.path(), 5).unwrap().unusable.is_empty());
    }

    #[test]
    fn a_strange_file_is_a_problem_of_that_file_alone() {
        let long = vec![b'a'; MAX_FILE as usize + 1];
        let dir = home(&[
            ("home.yaml", b"home: A\n"),
            ("agreements/latin.yaml", b"person: Jo\nschool: caf\xe9\n"),
            ("agreements/long.yaml", &long),
        ]);
        let elsewhere = home(&[("secret.yaml", b"x: 1\n")]);
        symlink(elsewhere.path().join("secret.yaml"), dir.path().join("agreements/out.yaml"))
            .expect("linked");
        symlink("/dev/zero", dir.path().join("agreements/zero.yaml")).expect("linked");
        symlink("nowhere.yaml", dir.path().join("agreements/dangling.yaml")).expect("linked");
        symlink("../home.yaml", dir.path().join("agreements/within.yaml")).expect("linked");
        let folder = read(dir.path()).expect("listed");
        let told: Vec<_> = folder
            .unusable
            .iter()
            .map(|u| {
                (u.problem.file.as_str(), u.problem.code, u.problem.line, u.problem.column, u.unreadable)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("agreements/dangling.yaml", "cannot-read", 1, 1, true),
                ("agreements/latin.yaml", "not-utf8", 2, 12, false),
                ("agreements/long.yaml", "too-long", 1, 1, false),
                ("agreements/out.yaml", "outside-folder", 1, 1, false),
                ("agreements/zero.yaml", "outside-folder", 1, 1, false),
            ]
        );
        assert_eq!(folder.texts.len(), 2);
    }

    #[test]
    fn a_home_without_agreements_is_read() {
        let dir = home(&[("home.yaml", b"home: A\n")]);
        assert_eq!(read(dir.path()).expect("listed").texts.len(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = home(&[]);
        assert!(read(&dir.path().join("nowhere")).is_err());
    }

    #[test]
    fn paths_that_files_name_stay_inside() {
        let dir = home(&[("lists/a.txt", b"a.example\n"), ("home.yaml", b"")]);
        symlink("/etc/hostname", dir.path().join("lists/out.txt")).expect("linked");
        assert!(contained(dir.path(), "lists/a.txt").is_some());
        for bad in ["../home.yaml", "/etc/hostname", "lists/out.txt", "lists", "lists/none.txt"] {
            assert_eq!(contained(dir.path(), bad), None, "{bad}");
        }
    }
}
