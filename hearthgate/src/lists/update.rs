//! Renews one list: fetch or read it, judge it, put it on the shelf.

use crate::folder;
use crate::lists::fetch::{Fetched, Fetcher, Marks};
use crate::lists::shelf::{Label, Shelf, hex};
use crate::lists::{Meaning, is_fetched, stamp};
use agreements::ListSource;
use blocklists::format::{Body, Limits};
use blocklists::subscription::{Accepted, judge_fetch};
use chrono::{DateTime, Utc};
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What became of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Renewed {
    /// The copy at hand is current.
    Current,
    /// A new copy is on the shelf: it must be compiled.
    Replaced,
    /// The last good copy stays; why.
    Kept(String),
}

/// Everything that renewing needs.
#[derive(Clone, Debug)]
pub(crate) struct Renewing {
    /// The home's folder.
    pub(crate) home: PathBuf,
    /// Where copies are kept.
    pub(crate) shelf: Shelf,
    /// Who fetches.
    pub(crate) fetcher: Fetcher,
}

impl Renewing {
    /// Renews a list and keeps what was learned, good or bad.
    pub(crate) async fn renew(&self, source: &ListSource, now: DateTime<Utc>) -> Renewed {
        let label = Label { tried: Some(now), ..self.shelf.label(&source.from) };
        match self.arrive(source, &label).await {
            Ok(Arrived::Current) => {
                self.keep(Label { confirmed: Some(now), ..well(label) }, Renewed::Current)
            }
            Ok(Arrived::Body(body)) => self.judge(source, label, body, now).await,
            Err(why) => self.failed(label, why),
        }
    }

    async fn arrive(&self, source: &ListSource, label: &Label) -> Result<Arrived, String> {
        let into = self.shelf.arriving(&source.from);
        let marks = Marks { etag: label.etag.clone(), last_modified: label.last_modified.clone() };
        // Without a copy there is nothing that could be current.
        let marks = if self.shelf.copy(&source.from).is_some() { marks } else { Marks::default() };
        if is_fetched(&source.from) {
            let fetched = self.fetcher.fetch(&source.from, &marks, &into).await.map_err(|e| e.to_string())?;
            return Ok(fetched.into());
        }
        let (home, from) = (self.home.clone(), source.from.clone());
        blocking(move || local(&home, &from, &marks, &into)).await
    }

    async fn judge(
        &self,
        source: &ListSource,
        label: Label,
        body: ArrivedBody,
        now: DateTime<Utc>,
    ) -> Renewed {
        let (meaning, arrived) = (Meaning::of(source), self.shelf.arriving(&source.from));
        // A file of the folder was put there by a person: shrinking it is a decision and no fault.
        let previous = if is_fetched(&source.from) { label.accepted() } else { None };
        let judged = {
            let arrived = arrived.clone();
            blocking(move || judged(&meaning, previous, &arrived)).await
        };
        match judged {
            Err(why) => {
                let _it_may_be_gone = std::fs::remove_file(&arrived);
                self.failed(label, why)
            }
            Ok(accepted) => self.accept(label, body, accepted, now),
        }
    }

    fn accept(&self, label: Label, body: ArrivedBody, accepted: Accepted, now: DateTime<Utc>) -> Renewed {
        let same = label.sha256 == body.sha256;
        let label = Label {
            etag: body.marks.etag,
            last_modified: body.marks.last_modified,
            fetched: Some(now),
            confirmed: Some(now),
            sha256: body.sha256,
            bytes: body.bytes,
            names: accepted.names,
            skipped: accepted.skipped,
            format: accepted.format.word().to_owned(),
            ..well(label)
        };
        match self.shelf.put(&self.shelf.arriving(&label.from), &label) {
            Ok(()) if same => Renewed::Current,
            Ok(()) => Renewed::Replaced,
            Err(error) => self.failed(label, format!("the list cannot be kept: {error}")),
        }
    }

    fn failed(&self, label: Label, why: String) -> Renewed {
        let failures = label.failures.saturating_add(1);
        self.keep(Label { failures, error: Some(why.clone()), ..label }, Renewed::Kept(why))
    }

    fn keep(&self, label: Label, renewed: Renewed) -> Renewed {
        match self.shelf.write(&label) {
            Ok(()) => renewed,
            Err(error) => Renewed::Kept(format!("what is known of the list cannot be kept: {error}")),
        }
    }
}

/// The label after an attempt that went well.
fn well(label: Label) -> Label {
    Label { failures: 0, error: None, ..label }
}

enum Arrived {
    Current,
    Body(ArrivedBody),
}

struct ArrivedBody {
    marks: Marks,
    sha256: String,
    bytes: u64,
}

impl From<Fetched> for Arrived {
    fn from(fetched: Fetched) -> Self {
        match fetched {
            Fetched::Current => Self::Current,
            Fetched::Body { marks, sha256, bytes } => Self::Body(ArrivedBody { marks, sha256, bytes }),
        }
    }
}

/// Takes a list from the home's folder, unless length and time say that the copy is current.
fn local(home: &Path, from: &str, marks: &Marks, into: &Path) -> Result<Arrived, String> {
    let file = folder::contained(home, from)
        .ok_or_else(|| format!("there is no file `{from}` in the home's folder"))?;
    let etag = stamp(&file);
    if etag.is_some() && etag == marks.etag {
        return Ok(Arrived::Current);
    }
    let (sha256, bytes) = copy(&file, into).map_err(|e| format!("`{from}` cannot be read: {e}"))?;
    Ok(Arrived::Body(ArrivedBody { marks: Marks { etag, last_modified: None }, sha256, bytes }))
}

/// Copies a file, with its SHA-256 and length. What is longer than any list fails.
fn copy(file: &Path, into: &Path) -> io::Result<(String, u64)> {
    let most = Limits::default().bytes;
    let (mut from, mut to) = (File::open(file)?.take(most + 1), File::create(into)?);
    let (mut hash, mut bytes, mut buffer) = (Context::new(&SHA256), 0, vec![0; 64 << 10]);
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex(hash.finish().as_ref()), bytes));
        }
        bytes += read as u64;
        if bytes > most {
            return Err(io::Error::other("it is larger than any list"));
        }
        hash.update(&buffer[..read]);
        io::Write::write_all(&mut to, &buffer[..read])?;
    }
}

fn judged(meaning: &Meaning, previous: Option<Accepted>, arrived: &Path) -> Result<Accepted, String> {
    let file = File::open(arrived).map_err(|e| format!("the list cannot be read back: {e}"))?;
    let input = meaning.input(Body::Reader(Box::new(file)));
    judge_fetch(previous.as_ref(), input, &Limits::default()).map_err(|refused| refused.to_string())
}

/// Runs what reads and writes files where it holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(format!("the work was stopped: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use blocklists::Category;
    use std::fs;

    struct Desk {
        dir: tempfile::TempDir,
        renewing: Renewing,
    }

    fn desk() -> Desk {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a temporary folder");
        for folder in ["lists", "shelf"] {
            fs::create_dir(dir.path().join(folder)).expect("made");
        }
        let renewing = Renewing {
            home: dir.path().to_owned(),
            shelf: Shelf::at(dir.path().join("shelf")),
            fetcher: Fetcher::new(1000, crate::lists::names::Names::default()).expect("a client"),
        };
        Desk { dir, renewing }
    }

    fn source(from: &str) -> ListSource {
        ListSource {
            from: from.to_owned(),
            category: Category::from_word("gambling"),
            categories: Vec::new(),
            format: None,
            refresh: chrono::Duration::days(1),
            sealed: false,
            source: agreements::SourceId(0),
        }
    }

    #[tokio::test]
    async fn a_file_of_the_folder_is_renewed_when_it_changes() {
        let Desk { dir, renewing } = desk();
        let (file, source) = (dir.path().join("lists/a.txt"), source("lists/a.txt"));
        let now = crate::clock::now();
        fs::write(&file, "a.example\nb.example\nc.example\nd.example\ne.example\n").expect("written");
        assert_eq!(renewing.renew(&source, now).await, Renewed::Replaced);
        assert_eq!(renewing.renew(&source, now).await, Renewed::Current);
        fs::write(&file, "a.example\n").expect("written");
        assert_eq!(
            renewing.renew(&source, now).await,
            Renewed::Replaced,
            "a person may shorten their own list"
        );
        assert_eq!(renewing.shelf.label("lists/a.txt").names, 1);
    }

    #[tokio::test]
    async fn what_is_no_list_leaves_the_last_good_copy() {
        let Desk { dir, renewing } = desk();
        let (file, source) = (dir.path().join("lists/a.txt"), source("lists/a.txt"));
        fs::write(&file, "a.example\nb.example\n").expect("written");
        assert_eq!(renewing.renew(&source, crate::clock::now()).await, Renewed::Replaced);
        for (name, bad) in [
            ("a web page", "<!DOCTYPE html>\n<html>"),
            ("empty", ""),
            ("prose", "The list has moved.\nPlease look elsewhere.\n"),
        ] {
            fs::write(&file, bad).expect("written");
            let renewed = renewing.renew(&source, crate::clock::now()).await;
            assert!(matches!(renewed, Renewed::Kept(_)), "{name}: {renewed:?}");
            let (body, _) = renewing.shelf.copy("lists/a.txt").expect("there");
            assert_eq!(fs::read_to_string(body).expect("read"), "a.example\nb.example\n", "{name}");
        }
        let label = renewing.shelf.label("lists/a.txt");
        assert_eq!((label.failures, label.names), (3, 2));
        fs::remove_file(&file).expect("removed");
        assert!(
            matches!(renewing.renew(&source, crate::clock::now()).await, Renewed::Kept(_)),
            "a file that is gone"
        );
    }

    #[tokio::test]
    async fn a_publisher_who_is_away_is_told() {
        let Desk { dir: _dir, renewing } = desk();
        let source = source("http://127.0.0.1:1/list.txt");
        let renewed = renewing.renew(&source, crate::clock::now()).await;
        assert!(matches!(&renewed, Renewed::Kept(why) if why.contains("cannot be fetched")), "{renewed:?}");
        assert_eq!(renewing.shelf.label(&source.from).failures, 1);
    }
}
