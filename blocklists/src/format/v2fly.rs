//! v2fly domain lists (github.com/v2fly/domain-list-community): `domain:x` and bare `x` mean x and everything below,
//! `full:x` that host alone, `include:file` another file's entries, `@attr` tags them, `&file` adds them to a file.

use super::Reader;
use super::entry::{Effect, Reach, Reason};
use super::out::Out;
use std::collections::HashMap;

/// How deep files may include each other. The published lists need four.
const MAX_DEPTH: usize = 16;
/// How many files one word may draw in, so that a knot of includes costs no more than its files.
const MAX_FILES: usize = 4096;

/// One file on its own: what it includes cannot be found.
pub(super) struct V2fly;

impl Reader for V2fly {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        match Rule::read(line) {
            Rule::Nothing => {}
            Rule::Entry { host, reach, .. } => out.list(host, reach),
            Rule::Skip(reason) => out.skip(reason, line),
            Rule::Include { .. } => out.skip(Reason::Include, line),
        }
    }
}

enum Rule<'a> {
    Nothing,
    Entry { host: &'a str, reach: Reach, attributes: &'a str },
    Include { file: &'a str, attributes: &'a str },
    Skip(Reason),
}

impl<'a> Rule<'a> {
    fn read(line: &'a str) -> Self {
        let line = super::without_comment(line, '#');
        let (rule, attributes) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        match rule.split_once(':') {
            _ if rule.is_empty() => Self::Nothing,
            Some(("domain", host)) => Self::Entry { host, reach: Reach::Site, attributes },
            Some(("full", host)) => Self::Entry { host, reach: Reach::Here, attributes },
            Some(("include", file)) => Self::Include { file, attributes },
            Some(("keyword" | "regexp", _)) => Self::Skip(Reason::Pattern),
            Some(_) => Self::Skip(Reason::Syntax),
            None => Self::Entry { host: rule, reach: Reach::Site, attributes },
        }
    }
}

/// What an `include:` asks of an entry's attributes: `@x` must be there, `@-x` must not.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Filter<'a>(Vec<(bool, &'a str)>);

impl<'a> Filter<'a> {
    fn read(attributes: &'a str) -> Self {
        let wanted = attributes.split_ascii_whitespace().filter_map(|word| {
            let word = word.strip_prefix('@')?;
            Some(word.strip_prefix('-').map_or((true, word), |without| (false, without)))
        });
        Self(wanted.collect())
    }

    fn takes(&self, attributes: &str) -> bool {
        self.0.iter().all(|&(must, wanted)| {
            must == attributes.split_ascii_whitespace().any(|a| a.strip_prefix('@') == Some(wanted))
        })
    }
}

/// The files of a tarball, by name.
pub(super) type Files = HashMap<String, Vec<u8>>;

/// Passes on all that `root` and the files it includes say.
pub(super) fn read_with_includes(files: &Files, root: &str, out: &mut Out<'_>) {
    let mut walk = Walk { files, path: Vec::new(), opened: 0 };
    walk.file(root, &mut Vec::new(), out);
}

struct Walk<'f> {
    files: &'f Files,
    /// The files that are open, so that a circle is seen.
    path: Vec<&'f str>,
    opened: usize,
}

impl<'f> Walk<'f> {
    fn file(&mut self, name: &str, filters: &mut Vec<Filter<'f>>, out: &mut Out<'_>) {
        let refused = self.path.contains(&name) || self.path.len() >= MAX_DEPTH || self.opened >= MAX_FILES;
        let Some((name, body)) = self.files.get_key_value(name).filter(|_| !refused) else {
            return out.skip(Reason::Include, name);
        };
        self.opened += 1;
        self.path.push(name);
        for (number, line) in (1u32..).zip(body.split(|&b| b == b'\n')) {
            out.line = number;
            match std::str::from_utf8(line) {
                Ok(line) if line.len() <= super::lines::MAX_LINE => self.rule(line.trim(), filters, out),
                Ok(_) => out.skip(Reason::TooLong, ""),
                Err(_) => out.skip(Reason::NotText, ""),
            }
        }
        self.path.pop();
    }

    fn rule(&mut self, line: &'f str, filters: &mut Vec<Filter<'f>>, out: &mut Out<'_>) {
        match Rule::read(line) {
            Rule::Nothing => {}
            Rule::Entry { host, reach, attributes } => {
                if filters.iter().all(|filter| filter.takes(attributes)) {
                    out.entry(host, reach, Effect::List);
                }
            }
            Rule::Include { file, attributes } => {
                filters.push(Filter::read(attributes));
                self.file(file, filters, out);
                filters.pop();
            }
            Rule::Skip(reason) => out.skip(reason, line),
        }
    }
}

pub(super) fn smells(line: &str) -> bool {
    match Rule::read(line) {
        Rule::Nothing => false,
        // A word without a dot (`chrome`) fits, but does not tell a service file from anything else.
        Rule::Entry { host, attributes: "", .. } => super::plain::smells(host),
        Rule::Entry { host, attributes, .. } => {
            attributes.trim_start().starts_with(['@', '&']) && crate::Domain::parse(host).is_ok()
        }
        Rule::Include { .. } | Rule::Skip(Reason::Pattern) => true,
        Rule::Skip(_) => false,
    }
}
