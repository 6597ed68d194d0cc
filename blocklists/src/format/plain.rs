//! Plain lists: one name a line, also written `.x` or `*.x`. A line means the name and everything below it.
//!
//! `*.x` is read as the whole site: those who publish such lists (wildcard lists of DNS filters) mean the site.

use super::entry::Reach;
use super::out::Out;
use super::{Reader, without_comment};

pub(super) struct Plain;

impl Reader for Plain {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let line = without_comment(line, '#');
        if !line.is_empty() {
            out.list(bare(line), Reach::Site);
        }
    }
}

fn bare(line: &str) -> &str {
    let line = line.strip_prefix('*').unwrap_or(line);
    line.strip_prefix('.').unwrap_or(line)
}

pub(super) fn smells(line: &str) -> bool {
    let line = bare(without_comment(line, '#'));
    line.contains('.') && crate::Domain::parse(line).is_ok()
}
