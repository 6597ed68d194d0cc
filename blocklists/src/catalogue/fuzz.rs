//! What the fuzz target `catalogue` does with any bytes, and what tests do with damaged files.

use super::file::{HEADER, Section, checksum, section_sum};
use super::{Catalogue, Memory, OpenError};
use crate::compile::Compiler;
use crate::format::{Format, ListInput, parse};
use crate::{Category, Name, Tags};
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::LazyLock;

/// The same as opening a file of these bytes.
pub(super) fn open_bytes(bytes: &[u8]) -> Result<Catalogue, OpenError> {
    let mut memory = Memory::zeros(bytes.len());
    memory.bytes_mut().copy_from_slice(bytes);
    Catalogue::from_memory(memory)
}

/// The file with its checksums put right again: what a crafted file would look like.
pub(super) fn with_good_sums(mut bytes: Vec<u8>) -> Vec<u8> {
    let word = |bytes: &[u8], at: usize| {
        bytes
            .get(at..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |word| u64::from_le_bytes(*word) as usize)
    };
    if bytes.len() < HEADER {
        return bytes;
    }
    for section in Section::ALL {
        let row = 128 + (section as usize - 1) * 32;
        let (start, length) = (word(&bytes, row + 8), word(&bytes, row + 16));
        if let Some(content) = start.checked_add(length).and_then(|end| bytes.get(start..end)) {
            let sum = section_sum(content).to_le_bytes();
            bytes[row + 24..row + 32].copy_from_slice(&sum);
        }
    }
    let sum = checksum(&bytes[..HEADER - 8]).to_le_bytes();
    bytes[HEADER - 8..HEADER].copy_from_slice(&sum);
    bytes
}

/// Names that the good file of the target has, and some near them.
const ASKED: [&str; 12] = [
    "site1.example",
    "www.site99.example",
    "a.b.n7.crowd.test",
    "x.n7.c.crowd.test",
    "sealed.test",
    "www.sealed.test",
    "intranet",
    "a.intranet",
    "a-name-that-is-much-longer-than-a-window-of-the-hash.and-has-labels.site3.example",
    "a.b.c.d.e.f.g.h.i.j.k.site1.example",
    ".",
    "",
];

/// A catalogue with everything: few names below many sites, many below one, long ones, top-level domains, sealed ones.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut text = String::from("intranet\n");
    for number in 0..120 {
        let long = "a-name-that-is-much-longer-than-a-window-of-the-hash";
        let _a_string_takes_all = write!(
            text,
            "site{number}.example\nads.site{number}.example\nn{number}.crowd.test\nn{number}.c.crowd.test\n{long}{number}.test\n"
        );
    }
    let mut compiler = Compiler::with_seed(11);
    for (text, sealed) in [(text.as_str(), false), ("sealed.test\na.b.sealed.test\n", true)] {
        let list = ListInput {
            sealed,
            format: Some(Format::V2fly),
            ..ListInput::new("a", games(), text.as_bytes())
        };
        compiler.add(list).expect("names are a list");
    }
    compiler.finish(5).expect("a few names fit").memory.bytes().to_vec()
});

fn games() -> Tags {
    Category::from_word("games").map_or(Tags::NONE, Tags::category)
}

/// Any bytes as a catalogue's file, as changes to a good one, and as names that are listed and asked for.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, file)) => ask_all(open_bytes(&with_good_sums(file.to_vec()))),
        Some((1, changes)) => ask_all(open_bytes(&with_good_sums(changed(changes)))),
        Some((how, names)) => listed_and_asked(*how, names),
        None => {}
    }
}

/// The good file with changes of five bytes each: where (three bytes), what, and whether it is set, added or cut there.
fn changed(changes: &[u8]) -> Vec<u8> {
    let mut file = GOOD.clone();
    for change in changes.as_chunks::<5>().0.iter().take(64) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % file.len();
        match change[4] % 16 {
            0 if at > 0 => file.truncate(at),
            1..8 => file[at] = file[at].wrapping_add(change[3]),
            _ => file[at] = change[3],
        }
    }
    file
}

/// Whatever is opened answers, alone and in a batch alike.
fn ask_all(opened: Result<Catalogue, OpenError>) {
    let Ok(catalogue) = opened else { return };
    let names = ASKED.map(Name::trusted);
    let mut many = [Tags::NONE; ASKED.len()];
    catalogue.lookup_many(&names, &mut many);
    assert_eq!(names.map(|name| catalogue.lookup(name)), many);
    assert_eq!(names.map(|name| catalogue.probe(name).tags()), many);
}

/// Every byte adds a label or ends a name; the first half is listed, all is asked for, and a set says what is right.
fn listed_and_asked(seed: u8, bytes: &[u8]) {
    const LABELS: [&str; 12] = [
        "a",
        "b",
        "www",
        "cdn",
        "example",
        "test",
        "co",
        "uk",
        "site",
        "long-label-of-a-site-somewhere",
        "x1",
        "xn--mller-kva",
    ];
    let (mut names, mut name) = (Vec::new(), String::new());
    for byte in bytes.iter().take(4_000) {
        let label = LABELS[usize::from(byte & 15).min(LABELS.len() - 1)];
        let number = if byte & 0x40 != 0 { String::new() } else { (byte >> 4 & 3).to_string() };
        if name.len() + label.len() + number.len() + 1 < 250 {
            name = format!("{label}{number}{}{name}", if name.is_empty() { "" } else { "." });
        }
        if byte & 0x80 != 0 {
            names.push(std::mem::take(&mut name));
        }
    }
    let listed = &names[..names.len() / 2];
    let mut compiler = Compiler::with_seed(u64::from(seed));
    let text: String = listed.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
    // Which of them a list may name is the reader's business (no ending under which everybody registers names).
    let mut right: HashSet<String> = HashSet::new();
    let _what_was_read = parse(text.as_bytes(), Format::V2fly, &mut |entry| {
        right.insert(entry.name.as_str().to_owned());
    });
    let sealed = seed & 4 != 0;
    let list =
        ListInput { sealed, format: Some(Format::V2fly), ..ListInput::new("a", games(), text.as_bytes()) };
    if compiler.add(list).is_err() {
        return;
    }
    let catalogue = compiler.finish(0).expect("a few names fit");
    let asked: Vec<Name<'_>> = names.iter().map(|name| Name::trusted(name)).collect();
    let mut many = vec![Tags::NONE; asked.len()];
    catalogue.lookup_many(&asked, &mut many);
    for (name, many) in asked.iter().zip(many) {
        let is_listed = name.suffixes().any(|suffix| right.contains(suffix.as_str()));
        assert_eq!(
            (catalogue.lookup(*name), many),
            if is_listed { (games(), games()) } else { Default::default() },
            "{name}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_file_is_good() {
        let catalogue = open_bytes(&with_good_sums(GOOD.clone())).expect("it is good");
        let told = ASKED.map(|name| !catalogue.lookup(Name::trusted(name)).is_empty());
        assert_eq!(told, [true, true, true, true, true, true, true, true, true, true, false, false]);
    }
}
