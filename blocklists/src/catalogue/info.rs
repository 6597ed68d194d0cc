//! What a catalogue says of itself.

use super::file::{Damaged, Header};
use super::set::Words;
use crate::Tags;

/// What a catalogue was made from, and how large it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Distinct names.
    pub names: u64,
    /// Bytes of the file, all included.
    pub bytes: u64,
    /// When it was built, in seconds since 1970, as the compiler was told.
    pub built: i64,
    /// The lists, in the order in which they were added.
    pub lists: Vec<ListInfo>,
}

/// One list of a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListInfo {
    /// What the home calls it.
    pub id: String,
    /// Everything that its names are.
    pub tags: Tags,
    /// How many entries were taken from it.
    pub names: u64,
    /// How many of its lines were skipped.
    pub skipped: u64,
    /// Whether its names are kept as digests only.
    pub sealed: bool,
}

impl Info {
    /// Bytes of the file for each name; 0 when there is none.
    pub fn bytes_per_name(&self) -> f64 {
        if self.names == 0 { 0.0 } else { self.bytes as f64 / self.names as f64 }
    }

    /// The lists as they stand in the file: a line each, parted by tabs.
    pub(crate) fn write(lists: &[ListInfo]) -> Vec<u8> {
        let line = |list: &ListInfo| {
            let (categories, services) = list.tags.to_bits();
            let id = list.id.replace(['\t', '\n'], " ");
            let ListInfo { id: _, tags: _, names, skipped, sealed } = list;
            format!("{id}\t{names}\t{skipped}\t{}\t{categories:x}\t{services:x}\n", u8::from(*sealed))
        };
        lists.iter().map(line).collect::<String>().into_bytes()
    }

    pub(super) fn read(bytes: &[u8], header: &Header, length: u64, words: &Words) -> Result<Self, Damaged> {
        let text = std::str::from_utf8(bytes).map_err(|_| Damaged("lists"))?;
        let lists = text.split_terminator('\n').map(|line| read_list(line, words)).collect::<Option<_>>();
        let lists = lists.ok_or(Damaged("lists"))?;
        Ok(Self { names: header.names, bytes: length, built: header.built, lists })
    }
}

fn read_list(line: &str, words: &Words) -> Option<ListInfo> {
    let mut cells = line.split('\t');
    let id = cells.next()?.to_owned();
    let (names, skipped) = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
    let sealed = cells.next()? == "1";
    let categories = u64::from_str_radix(cells.next()?, 16).ok()?;
    let services = u128::from_str_radix(cells.next()?, 16).ok()?;
    Some(ListInfo { id, tags: words.translate(categories, services), names, skipped, sealed })
}
