//! Lists of addresses: one address, prefix (`192.0.2.0/24`) or range (`192.0.2.1-192.0.2.9`) a line, and behind `#` or `;` whose it is.

use super::out::Out;
use super::{Reader, without_comment};
use crate::addresses::AddressRange;

pub(super) struct Addresses;

impl Reader for Addresses {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let line = bare(line);
        if !line.is_empty() {
            out.addresses(line);
        }
    }
}

fn bare(line: &str) -> &str {
    without_comment(without_comment(line, '#'), ';')
}

pub(super) fn smells(line: &str) -> bool {
    AddressRange::read(bare(line)).is_some()
}
