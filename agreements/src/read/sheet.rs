//! One file while it is read: its lines, what is wrong with it, and the lines that rules come from.

use crate::problem::{Level, Place, Problem};
use crate::source::{Source, SourceId};
use crate::yaml::{self, Node};
use blocklists::{Category, Tags};
use std::collections::HashMap;
use std::ops::Range;

/// The most problems that are told of one file. Whoever has mended these checks again.
const MAX_PROBLEMS: usize = 200;

/// What all files of a home share while they are read.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) problems: Vec<Problem>,
    pub(crate) sources: Vec<Source>,
}

/// One file while it is read.
pub(crate) struct Sheet<'a> {
    pub(crate) file: &'a str,
    text: &'a str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    comments: Vec<Range<usize>>,
    known: HashMap<u32, SourceId>,
    /// The categories without sites that were told of.
    empty: Tags,
    desk: &'a mut Desk,
    errors: usize,
    told: usize,
}

impl<'a> Sheet<'a> {
    /// Reads the YAML of a file. Its faults are told already; the value is what could be read.
    pub(crate) fn open(desk: &'a mut Desk, file: &'a str, text: &'a str) -> (Self, Option<Node>) {
        let length = text.len();
        let mut sheet = Self::plain(desk, file, text);
        let text = sheet.text;
        if text.len() < length {
            let yaml::Fault { at, code, sentence, help, .. } = yaml::too_big(0);
            sheet.error(at, code, &sentence, &help);
            return (sheet, None);
        }
        if sheet.has_strange_characters() {
            return (sheet, None);
        }
        let document = yaml::parse(text);
        sheet.comments = document.comments;
        for fault in document.faults {
            let other = fault.other.map(|at| sheet.place(at));
            sheet.error(fault.at, fault.code, &fault.sentence, &fault.help);
            sheet.beside(other);
        }
        (sheet, document.root.filter(|root| !root.is_nothing()))
    }

    /// A file whose text is not read as YAML, for telling problems of it. Of a file that is too big only the beginning is
    /// looked at.
    pub(crate) fn plain(desk: &'a mut Desk, file: &'a str, text: &'a str) -> Self {
        let text = &text[..text.floor_char_boundary(yaml::MAX_BYTES)];
        let lines = line_starts(text);
        Self {
            file,
            text,
            lines,
            comments: Vec::new(),
            known: HashMap::new(),
            empty: Tags::NONE,
            desk,
            errors: 0,
            told: 0,
        }
    }

    /// How many errors were told.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Tells of something that refuses the file.
    pub(crate) fn error(&mut self, at: usize, code: &'static str, sentence: &str, help: &str) {
        self.errors += 1;
        self.tell(Level::Error, at, code, sentence, help);
    }

    /// Tells of something that the manager should look at.
    pub(crate) fn warning(&mut self, at: usize, code: &'static str, sentence: &str, help: &str) {
        self.tell(Level::Warning, at, code, sentence, help);
    }

    /// Whether a category without sites is met for the first time in this file.
    pub(crate) fn first_empty(&mut self, category: Category) -> bool {
        let known = self.empty.has(category);
        self.empty = self.empty.union(Tags::category(category));
        !known
    }

    /// Names the other place that the last problem speaks of.
    pub(crate) fn beside(&mut self, other: Option<Place>) {
        // Past the limit the last problem in the list is not the one that was told.
        if self.told <= MAX_PROBLEMS
            && let Some(problem) = self.desk.problems.last_mut()
            && other.is_some()
        {
            problem.other = other;
        }
    }

    fn tell(&mut self, level: Level, at: usize, code: &'static str, sentence: &str, help: &str) {
        self.told += 1;
        if self.told > MAX_PROBLEMS {
            return;
        }
        let (sentence, help) = match self.told == MAX_PROBLEMS {
            true => ("There is more wrong with this file than can be told at once.", "Mend these first."),
            false => (sentence, help),
        };
        let Place { file, line, column } = self.place(at);
        self.desk.problems.push(Problem {
            level,
            file,
            line,
            column,
            code,
            sentence: sentence.to_owned(),
            help: help.to_owned(),
            text: self.line_text(line).to_owned(),
            other: None,
        });
    }

    /// The line and column of a byte.
    pub(crate) fn place(&self, at: usize) -> Place {
        let at = self.text.floor_char_boundary(at);
        let line = self.lines.partition_point(|&start| start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text[start..at].chars().count() + 1;
        Place { file: self.file.to_owned(), line: line as u32, column: column as u32 }
    }

    /// A line as it stands, without its end.
    fn line_text(&self, line: u32) -> &'a str {
        let index = line as usize - 1;
        let start = self.lines.get(index).copied().unwrap_or(0);
        let end = self.lines.get(index + 1).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }

    /// The line that a rule comes from, as a refusal quotes it: without its comment, which was not written for that reader.
    pub(crate) fn source(&mut self, at: usize) -> SourceId {
        let line = self.place(at).line;
        if let Some(id) = self.known.get(&line) {
            return *id;
        }
        let id = SourceId(self.desk.sources.len() as u32);
        let text = self.without_comment(line).trim().to_owned();
        self.desk.sources.push(Source { file: self.file.to_owned(), line, text });
        self.known.insert(line, id);
        id
    }

    fn without_comment(&self, line: u32) -> &'a str {
        let start = self.lines.get(line as usize - 1).copied().unwrap_or(0);
        let text = self.line_text(line);
        let first = self.comments.partition_point(|c| c.start < start);
        match self.comments.get(first) {
            Some(c) if c.start - start <= text.len() => &text[..c.start - start],
            _ => text,
        }
    }

    /// Where the byte `offset` of a single value's text stands in the file, as exactly as its writing allows.
    pub(crate) fn inside(&self, node: &Node, offset: usize) -> usize {
        let (Some(text), Some(written)) = (node.text(), self.text.get(node.span.clone())) else {
            return node.at();
        };
        match written.find(text) {
            Some(quote) if quote <= 1 => node.at() + quote + offset.min(text.len()),
            _ => node.at(),
        }
    }

    /// Refuses characters that no home's file has: they break parsers, or show one thing and mean another.
    fn has_strange_characters(&mut self) -> bool {
        let mut found = false;
        for (start, line) in self.lines.clone().iter().zip(1u32..) {
            let text = self.line_text(line);
            if let Some((offset, c)) = strange(text) {
                let sentence = format!("There is a hidden character (U+{:04X}) in this line.", c as u32);
                let help = "Delete it and type the line again. Text copied from web pages often brings such characters.";
                self.error(start + offset, "hidden-character", &sentence, help);
                found = true;
            }
        }
        found
    }
}

/// The first character of a line that should not be there.
fn strange(line: &str) -> Option<(usize, char)> {
    let indent = line.len() - line.trim_start().len();
    line.char_indices().find(|&(i, c)| {
        let control = c.is_control() && c != '\t';
        // Zero-width space, direction overrides, word joiner, byte-order mark. Joiners (U+200C, U+200D) are part of names.
        let hidden =
            matches!(c, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        // A no-break space that indents is no indentation.
        let indents = i < indent && c != ' ' && c != '\t';
        control || hidden || indents
    })
}

/// The byte at which each line begins; lines end as YAML 1.2 §5.4 has it: LF, CR LF or CR.
fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|&(i, &b)| b == b'\n' || (b == b'\r' && bytes.get(i + 1) != Some(&b'\n')));
    std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect()
}
