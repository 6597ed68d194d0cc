//! The list formats: one file each, one row each in [`FORMATS`].
//!
//! A reader understands one line at a time and tells [`Out`] what it says. Whatever a stranger wrote, reading is linear
//! in its bytes, holds one line, and never fails: a bad line is skipped and counted with its [`Reason`].

mod adblock;
mod addresses;
mod archive;
mod dnsmasq;
mod entry;
mod hosts;
mod lines;
mod list;
mod out;
mod plain;
mod rpz;
mod v2fly;

pub use entry::{Effect, Entry, Reach, Reason, Sample, Skips};
pub use lines::MAX_LINE;
pub use list::{Body, Limits, ListInput, NotAList, Outcome, Tagged, read_list};

use lines::{Line, for_each_line};
use out::Out;
use std::fmt;

/// A format in which lists are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `0.0.0.0 name`.
    Hosts,
    /// One name a line.
    Plain,
    /// `address=/name/`.
    Dnsmasq,
    /// A response policy zone.
    Rpz,
    /// `||name^`.
    Adblock,
    /// v2fly service files, alone or in their tarball.
    V2fly,
    /// The tarball of the Université Toulouse Capitole.
    Ut1,
    /// One address, prefix or range a line.
    Addresses,
}

/// What reads the lines of one format.
trait Reader {
    /// One line: trimmed, not empty, without its end.
    fn line(&mut self, line: &str, out: &mut Out<'_>);
}

struct Row {
    format: Format,
    /// What `format:` in the home's file calls it.
    word: &'static str,
    /// Whether a line looks like this format.
    smells: fn(&str) -> bool,
    reader: fn() -> Box<dyn Reader>,
    /// Whether an exception also frees what the same list says more specifically below it.
    exceptions_win: bool,
}

/// Every format. Where two fit a body equally well, the earlier row is taken: bare names fit three of them, and mean
/// the same in each.
const FORMATS: &[Row] = &[
    Row {
        format: Format::Hosts,
        word: "hosts",
        smells: hosts::smells,
        reader: || Box::new(hosts::Hosts),
        exceptions_win: true,
    },
    Row {
        format: Format::Dnsmasq,
        word: "dnsmasq",
        smells: dnsmasq::smells,
        reader: || Box::new(dnsmasq::Dnsmasq),
        exceptions_win: true,
    },
    Row {
        format: Format::Rpz,
        word: "rpz",
        smells: rpz::smells,
        reader: || Box::new(rpz::Rpz::default()),
        exceptions_win: false,
    },
    Row {
        format: Format::Plain,
        word: "domains",
        smells: plain::smells,
        reader: || Box::new(plain::Plain),
        exceptions_win: true,
    },
    Row {
        format: Format::Adblock,
        word: "adblock",
        smells: adblock::smells,
        reader: || Box::new(adblock::Adblock),
        exceptions_win: true,
    },
    Row {
        format: Format::V2fly,
        word: "v2fly",
        smells: v2fly::smells,
        reader: || Box::new(v2fly::V2fly),
        exceptions_win: true,
    },
    // Its lines are plain names; what makes it UT1 is the tarball around them.
    Row {
        format: Format::Ut1,
        word: "ut1",
        smells: |_| false,
        reader: || Box::new(plain::Plain),
        exceptions_win: true,
    },
    Row {
        format: Format::Addresses,
        word: "addresses",
        smells: addresses::smells,
        reader: || Box::new(addresses::Addresses),
        exceptions_win: true,
    },
];

impl Format {
    /// Every format, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|row| row.format)
    }

    /// The format that a home's file names.
    pub fn from_word(word: &str) -> Option<Self> {
        FORMATS.iter().find(|row| row.word == word).map(|row| row.format)
    }

    /// The word that a home's file uses.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// Whether an exception also frees what the same list says more specifically below it (adblock), or only what is
    /// less specific (RPZ, where the most specific owner decides).
    pub(crate) fn exceptions_win(self) -> bool {
        self.row().exceptions_win
    }

    fn reader(self) -> Box<dyn Reader> {
        (self.row().reader)()
    }

    fn row(self) -> &'static Row {
        FORMATS.iter().find(|row| row.format == self).expect("every format has its row, which a test holds")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reads text of a known format and passes every entry on; the skipped lines are returned.
///
/// Archives are no text: [`read_list`] unpacks them. Nothing in `bytes` is an error or a panic.
pub fn parse(bytes: &[u8], format: Format, each: &mut impl FnMut(Entry<'_>)) -> Skips {
    let mut out = Out::new(Limits::default().entries, each);
    let mut reader = bytes;
    list::read_lines(&mut reader, format, &mut out).expect("reading from memory cannot fail");
    out.skips
}

/// How many lines are looked at to recognise a format.
const LINES_LOOKED_AT: usize = 400;

/// The format that fits a body best, from its first bytes (64 KiB are plenty); gzip is looked into.
pub fn recognise(body: &[u8]) -> Result<Format, NotAList> {
    let head = list::unpacked_head(&body[..body.len().min(64 << 10)]);
    if list::is_archive(&head) {
        return archive::recognise(&head).ok_or(NotAList::Unknown);
    }
    recognise_text(&head)
}

/// The format that fits the first lines of a text best.
fn recognise_text(head: &[u8]) -> Result<Format, NotAList> {
    let mut lines = Vec::new();
    let mut reader = head;
    for_each_line(&mut reader, |_, line| {
        if let Line::Text(text) = line
            && !text.is_empty()
            && lines.len() < LINES_LOOKED_AT
        {
            lines.push(text.to_owned());
        }
    })?;
    if lines.is_empty() {
        return Err(if head.is_empty() || head.is_ascii() { NotAList::Empty } else { NotAList::Unknown });
    }
    if is_html(&lines) {
        return Err(NotAList::Html);
    }
    best_fit(&lines)
}

fn best_fit(lines: &[String]) -> Result<Format, NotAList> {
    let rules: Vec<&String> = lines.iter().filter(|l| !is_comment(l)).collect();
    let fits = |row: &Row| rules.iter().filter(|line| (row.smells)(line)).count();
    let best = FORMATS.iter().rev().map(|row| (fits(row), row.format)).max_by_key(|fit| fit.0);
    match best {
        // Comments only: a list that is empty today.
        _ if rules.is_empty() => Err(NotAList::Empty),
        // Prose has a name here and there; a list has hardly anything else.
        Some((fits, format)) if fits * 4 >= rules.len() && fits > 0 => Ok(format),
        _ => Err(NotAList::Unknown),
    }
}

fn is_comment(line: &str) -> bool {
    line.starts_with(['!', ';', '#'])
}

fn is_html(lines: &[String]) -> bool {
    let marks = ["<!doctype", "<html", "<head", "<body", "<?xml", "<script"];
    lines.iter().take(20).any(|line| {
        let line = line.trim_start().to_ascii_lowercase();
        marks.iter().any(|mark| line.starts_with(mark))
    })
}

/// A line without the comment that a mark begins, trimmed. A mark inside a word begins none.
fn without_comment(line: &str, mark: char) -> &str {
    let mut from = 0;
    while let Some(place) = line[from..].find(mark) {
        let place = from + place;
        if place == 0 || line[..place].ends_with(char::is_whitespace) {
            return line[..place].trim_end();
        }
        from = place + mark.len_utf8();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_row() {
        let all = [
            Format::Hosts,
            Format::Plain,
            Format::Dnsmasq,
            Format::Rpz,
            Format::Adblock,
            Format::V2fly,
            Format::Ut1,
            Format::Addresses,
        ];
        for format in all {
            assert_eq!(Format::from_word(format.word()), Some(format));
        }
        assert_eq!(FORMATS.len(), all.len());
    }
}
