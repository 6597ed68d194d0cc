//! The shelf: the last good copy of every list, and what is known of it.
//!
//! Two files a list, named by the hash of its source: the body as it was fetched, and a small JSON beside it. Both are
//! replaced whole, the body first: a crash between the two leaves a good body that looks a little older than it is.

use crate::folder;
use crate::last_good::write_whole;
use blocklists::format::Format;
use blocklists::subscription::Accepted;
use chrono::{DateTime, Utc};
use ring::digest;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the copies are.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
}

/// What is known of a list's copy, and of the last attempt to renew it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Label {
    /// The source as the home wrote it.
    pub(crate) from: String,
    /// The publisher's mark of this version: an ETag, or for a file its length and time.
    pub(crate) etag: Option<String>,
    /// The publisher's time of this version, as it was sent.
    pub(crate) last_modified: Option<String>,
    /// When the copy came.
    pub(crate) fetched: Option<DateTime<Utc>>,
    /// When the publisher last said that the copy is current, or sent it.
    pub(crate) confirmed: Option<DateTime<Utc>>,
    /// When it was last tried.
    pub(crate) tried: Option<DateTime<Utc>>,
    /// Attempts that failed since the last success.
    pub(crate) failures: u32,
    /// Why the last attempt failed.
    pub(crate) error: Option<String>,
    /// SHA-256 of the body, in hex; empty when there is none.
    pub(crate) sha256: String,
    /// Bytes of the body.
    pub(crate) bytes: u64,
    /// Entries.
    pub(crate) names: u64,
    /// Lines that were skipped.
    pub(crate) skipped: u64,
    /// The format's word.
    pub(crate) format: String,
}

impl Label {
    /// What the next body is judged by; none before the first copy.
    pub(crate) fn accepted(&self) -> Option<Accepted> {
        let format = Format::from_word(&self.format)?;
        Some(Accepted { format, names: self.names, skipped: self.skipped })
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key(from: &str) -> String {
    hex(&digest::digest(&digest::SHA256, from.as_bytes()).as_ref()[..12])
}

impl Shelf {
    /// The shelf in a folder.
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn body(&self, from: &str) -> PathBuf {
        self.dir.join(format!("{}.list", key(from)))
    }

    fn label_file(&self, from: &str) -> PathBuf {
        self.dir.join(format!("{}.json", key(from)))
    }

    /// Where a list is put while it is fetched and judged.
    pub(crate) fn arriving(&self, from: &str) -> PathBuf {
        self.dir.join(format!("{}.part", key(from)))
    }

    /// What is known of a list; an empty label for one that never came.
    pub(crate) fn label(&self, from: &str) -> Label {
        let bytes = folder::at_most(&self.label_file(from), 1 << 16).ok().flatten();
        let label: Option<Label> = bytes.and_then(|b| serde_json::from_slice(&b).ok());
        let known = label.filter(|l| l.from == from).unwrap_or_default();
        Label { from: from.to_owned(), ..known }
    }

    /// The last good copy and its version.
    pub(crate) fn copy(&self, from: &str) -> Option<(PathBuf, String)> {
        let (body, label) = (self.body(from), self.label(from));
        (!label.sha256.is_empty() && body.is_file()).then_some((body, label.sha256))
    }

    /// Keeps what an attempt taught, without a new body.
    pub(crate) fn write(&self, label: &Label) -> io::Result<()> {
        write_whole(
            &self.label_file(&label.from),
            &serde_json::to_vec_pretty(label).map_err(io::Error::other)?,
        )
    }

    /// Puts an arrived body in the last one's place.
    pub(crate) fn put(&self, arrived: &Path, label: &Label) -> io::Result<()> {
        fs::set_permissions(arrived, fs::Permissions::from_mode(0o600))?;
        fs::File::open(arrived)?.sync_all()?;
        fs::rename(arrived, self.body(&label.from))?;
        self.write(label)
    }

    /// Removes the copies of lists that the home no longer has, and what a crash left half fetched.
    pub(crate) fn tidy<'a>(&self, subscribed: impl Iterator<Item = &'a str>) -> io::Result<()> {
        let keys: HashSet<String> = subscribed.map(key).collect();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default().to_owned();
            let ours = path.extension().is_some_and(|e| e == "list" || e == "json" || e == "part");
            if ours && !keys.contains(&stem) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let shelf = Shelf::at(dir.path().to_owned());
        (dir, shelf)
    }

    #[test]
    fn a_copy_is_there_once_it_was_put() {
        let (_dir, shelf) = shelf();
        let from = "https://lists.example/a.txt";
        assert!(shelf.copy(from).is_none());
        fs::write(shelf.arriving(from), "a.example\n").expect("written");
        let label =
            Label { sha256: "ab".to_owned(), names: 1, format: "domains".to_owned(), ..shelf.label(from) };
        shelf.put(&shelf.arriving(from), &label).expect("put");
        let (body, version) = shelf.copy(from).expect("there");
        assert_eq!(
            (fs::read_to_string(body).expect("read").as_str(), version.as_str()),
            ("a.example\n", "ab")
        );
        assert_eq!(shelf.label(from).accepted().map(|a| a.names), Some(1));
        assert!(!shelf.arriving(from).exists());
    }

    #[test]
    fn a_damaged_label_is_an_unknown_list() {
        let (_dir, shelf) = shelf();
        fs::write(shelf.label_file("a"), "{not json").expect("written");
        assert_eq!(shelf.label("a"), Label { from: "a".to_owned(), ..Label::default() });
    }

    #[test]
    fn lists_that_the_home_dropped_go() {
        let (dir, shelf) = shelf();
        for from in ["kept", "dropped"] {
            fs::write(shelf.arriving(from), "a.example\n").expect("written");
            let label = Label { sha256: "ab".to_owned(), ..shelf.label(from) };
            shelf.put(&shelf.arriving(from), &label).expect("put");
        }
        fs::write(dir.path().join("note.txt"), "not ours").expect("written");
        shelf.tidy(["kept"].into_iter()).expect("tidied");
        assert!(shelf.copy("kept").is_some() && shelf.copy("dropped").is_none());
        assert!(dir.path().join("note.txt").exists());
    }
}
