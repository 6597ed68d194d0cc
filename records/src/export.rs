//! Writing the records out: breaches as CSV or JSON, the journal as lines, each with a manifest.
//!
//! The columns of the CSV and the fields of the JSON have the names of [`Episode`]'s fields; `source` is `file:line`,
//! `marks` and `notes` are joined by ` | ` and `regulations` by commas in CSV. Times are RFC 3339 with the home's offset, so that a reader sees
//! the home's own clock. What reads a manifest needs only `sha256sum`.

use crate::breaches::{Episode, Which};
use crate::journal::{Head, hex, written};
use crate::room::Records;
use crate::spell::word;
use crate::store::StoreError;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use ring::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::io::{self, Write};

/// The columns of the CSV, in order.
pub const COLUMNS: [&str; 23] = [
    "entry",
    "person",
    "name",
    "device",
    "identified",
    "first",
    "last",
    "count",
    "site",
    "categories",
    "outcome",
    "rule",
    "severity",
    "evidence",
    "circumvention",
    "reported",
    "open",
    "sentence",
    "why",
    "source",
    "marks",
    "notes",
    "regulations",
];

/// What an export is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a header; safe to open in a spreadsheet.
    Csv,
    /// A JSON array of episodes.
    Json,
}

/// What an export holds, so that it can be checked later, beside the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// How many lines of content: episodes, or entries.
    pub count: u64,
    /// The SHA-256 of the file, in hex.
    pub sha256: String,
    /// How far the journal had come.
    pub head: Head,
    /// When it was written.
    pub at: String,
}

/// An export failed. What was written so far is not an export.
#[derive(Debug)]
pub enum NotExported {
    /// The records cannot be read.
    Store(StoreError),
    /// The file cannot be written.
    File(io::Error),
}

impl fmt::Display for NotExported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(e) => write!(f, "the records cannot be read: {e}"),
            Self::File(e) => write!(f, "the export cannot be written: {e}"),
        }
    }
}

impl std::error::Error for NotExported {}

impl From<StoreError> for NotExported {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

impl From<io::Error> for NotExported {
    fn from(e: io::Error) -> Self {
        Self::File(e)
    }
}

/// Writes on, and hashes what it writes.
struct Hashing<W> {
    to: W,
    hash: Context,
}

impl<W: Write> Hashing<W> {
    fn new(to: W) -> Self {
        Self { to, hash: Context::new(&SHA256) }
    }

    fn end(mut self, count: u64, head: Head, at: String) -> io::Result<Manifest> {
        self.flush()?;
        Ok(Manifest { count, sha256: hex(self.hash.finish().as_ref()), head, at })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Records {
    /// Writes episodes out, all of them, and gives the manifest. Whoever exports records it with
    /// [`Records::staff_action`]: to whom, and why.
    pub async fn export(
        &self,
        which: &Which,
        format: Format,
        zone: Tz,
        to: impl Write + Send,
    ) -> Result<Manifest, NotExported> {
        let (head, mut which, mut count) = (self.head().await?, which.clone(), 0);
        let mut out = Hashing::new(to);
        if format == Format::Csv {
            csv_line(&mut out, COLUMNS.iter().copied())?;
        }
        loop {
            let page = self.episodes_page(&which).await?;
            for episode in &page.episodes {
                match format {
                    Format::Csv => csv_line(&mut out, cells(episode, zone).iter().map(String::as_str))?,
                    Format::Json => {
                        out.write_all(if count == 0 { b"[\n" } else { b",\n" })?;
                        serde_json::to_writer(&mut out, &at_home(episode, zone)).map_err(io::Error::from)?;
                    }
                }
                count += 1;
            }
            match page.next {
                Some(next) => which.after = next,
                None => break,
            }
        }
        if format == Format::Json {
            out.write_all(if count == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(out.end(count, head, spoken(self.clock.now(), zone))?)
    }

    /// Writes the whole journal out, a JSON object a line with the fields `seq`, `at`, `kind`, `body_hash`, `hash`,
    /// `salt` and `body` (a text, exactly as it was hashed), for whoever wants to repeat the chain without this program.
    pub async fn export_journal(&self, to: impl Write + Send) -> Result<Manifest, NotExported> {
        let head = self.head().await?;
        let mut out = Hashing::new(to);
        let mut next = 1;
        while next <= head.entries {
            let page = self.store.page(next, head.entries).await?;
            let Some(last) = page.last() else { break };
            next = last.seq + 1;
            for row in &page {
                serde_json::to_writer(&mut out, row).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
        let count = u64::try_from(next - 1).unwrap_or_default();
        Ok(out.end(count, head, written(self.clock.now()))?)
    }
}

/// Writes episodes that somebody has at hand as CSV, in the shape of [`Records::export`].
pub fn csv<'e>(
    episodes: impl IntoIterator<Item = &'e Episode>,
    zone: Tz,
    mut to: impl Write,
) -> io::Result<()> {
    csv_line(&mut to, COLUMNS.iter().copied())?;
    for episode in episodes {
        csv_line(&mut to, cells(episode, zone).iter().map(String::as_str))?;
    }
    Ok(())
}

/// An instant by the home's clock, to the second: RFC 3339 with its offset.
fn spoken(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// An episode's JSON, its instants by the home's clock.
fn at_home(episode: &Episode, zone: Tz) -> Value {
    // An episode has only string keys.
    let mut value = serde_json::to_value(episode).unwrap_or_default();
    value["first"] = spoken(episode.first, zone).into();
    value["last"] = spoken(episode.last, zone).into();
    value
}

fn cells(episode: &Episode, zone: Tz) -> [String; COLUMNS.len()] {
    let Episode {
        entry,
        person,
        name,
        device,
        identified,
        first,
        last,
        count,
        site,
        categories,
        outcome,
        rule,
        severity,
        evidence,
        circumvention,
        reported,
        open,
        sentence,
        why,
        regulations,
        source,
        marks,
        notes,
        // Its sentence stands in `sentence`.
        detector: _,
        of_staff: _,
    } = episode;
    let marks: Vec<_> =
        marks.iter().map(|m| format!("{}: {} {}", m.by.name, word(&m.mark), m.words)).collect();
    let notes: Vec<_> = notes.iter().map(|n| format!("{}: {}", n.by.name, n.words)).collect();
    [
        entry.to_string(),
        person.clone(),
        name.clone(),
        device.clone().unwrap_or_default(),
        word(identified),
        spoken(*first, zone),
        spoken(*last, zone),
        count.to_string(),
        site.clone(),
        categories.join(" "),
        word(outcome),
        word(rule),
        word(severity),
        word(evidence),
        circumvention.to_string(),
        reported.to_string(),
        open.to_string(),
        sentence.clone(),
        why.clone(),
        source.as_ref().map(|s| format!("{}:{}", s.file, s.line)).unwrap_or_default(),
        marks.iter().map(|mark| mark.trim_end()).collect::<Vec<_>>().join(" | "),
        notes.join(" | "),
        regulations.join(", "),
    ]
}

/// One line of RFC 4180: every cell in quotes, lines end in CR LF.
fn csv_line<'a>(to: &mut impl Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for (i, cell) in cells.enumerate() {
        // A spreadsheet runs a cell that begins like a formula; what staff or a young person wrote can begin so.
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
        write!(to, "{}\"{guard}{}\"", if i == 0 { "" } else { "," }, cell.replace('"', "\"\""))?;
    }
    to.write_all(b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        let cases = [
            ("plain", "\"plain\"\r\n"),
            ("a \"b\", c\nd", "\"a \"\"b\"\", c\nd\"\r\n"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"\r\n"),
            ("+1", "\"'+1\"\r\n"),
            ("-1", "\"'-1\"\r\n"),
            ("@SUM(A1)", "\"'@SUM(A1)\"\r\n"),
            ("\tx", "\"'\tx\"\r\n"),
            ("", "\"\"\r\n"),
        ];
        for (cell, want) in cases {
            let mut line = Vec::new();
            csv_line(&mut line, [cell].into_iter()).unwrap();
            assert_eq!(String::from_utf8(line).unwrap(), want);
        }
    }
}
