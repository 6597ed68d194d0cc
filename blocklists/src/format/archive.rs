//! Tarballs of many files: UT1 (Université Toulouse Capitole), v2fly, and lists that stand beside each other, each of them a file of its
//! own format (names, addresses). Read from memory, bounded by the limits.
//!
//! UT1 keeps `blacklists/CATEGORY/domains` (read), `urls` and `expressions` (counted as skipped: a name server sees
//! neither), `usage` (ignored), and symbolic links from English to French names (`ads` -> `publicite`).

use super::entry::{Entry, Reason, Skips};
use super::lines::{Line, for_each_line};
use super::list::{Limits, NotAList, Tagged, read_lines, take_head, unpack};
use super::out::Out;
use super::v2fly::{self, Files};
use super::{Format, Reader, plain, recognise_text};
use crate::{AddressRange, Tags};
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Read};
use tar::{Archive, EntryType};

/// The longest path that is looked at, in bytes.
const MAX_PATH: usize = 512;
/// How much of a v2fly archive is kept to follow its includes, in bytes. The published one has 2 MB.
const MAX_KEPT: u64 = 64 << 20;
/// How many members of an archive are looked at. UT1 has about 300, v2fly 1,600.
const MAX_MEMBERS: usize = 20_000;

/// How many members are looked at to recognise an archive.
const LOOKED_AT: usize = 200;

/// What an archive is: by the names of its first files one of the two, else what the first of its files that is a list is.
pub(super) fn recognise(head: &[u8]) -> Option<Format> {
    let (mut ut1, mut v2fly) = (0, 0);
    let mut archive = Archive::new(head);
    for path in members(&mut archive).ok()?.map_while(Result::ok).take(LOOKED_AT).filter_map(|e| path_of(&e))
    {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            [.., "domains" | "urls" | "expressions" | "usage"] if parts.len() > 1 => ut1 += 1,
            [.., "data", _] => v2fly += 1,
            _ => {}
        }
    }
    match (ut1, v2fly) {
        (0, 0) => first_list(head),
        _ if ut1 >= v2fly => Some(Format::Ut1),
        _ => Some(Format::V2fly),
    }
}

/// The format of the first file that is a list.
fn first_list(head: &[u8]) -> Option<Format> {
    let mut archive = Archive::new(head);
    let files = members(&mut archive).ok()?.map_while(Result::ok).take(LOOKED_AT);
    let mut files = files.filter(|entry| entry.header().entry_type().is_file());
    files.find_map(|mut entry| recognise_text(&take_head(&mut entry).ok()?).ok())
}

/// The members as their headers stand. Extensions for long names are left alone: neither archive has any, and reading
/// them would take as much memory as a stranger's header asks for.
fn members<R: Read>(
    archive: &mut Archive<R>,
) -> std::io::Result<impl Iterator<Item = std::io::Result<tar::Entry<'_, R>>>> {
    Ok(archive.entries()?.raw(true).take(MAX_MEMBERS))
}

fn path_of<R: Read>(entry: &tar::Entry<'_, R>) -> Option<String> {
    let bytes = entry.path_bytes();
    let text = std::str::from_utf8(&bytes).ok()?;
    (text.len() <= MAX_PATH).then(|| text.trim_start_matches("./").to_owned())
}

/// What is known while an archive is read.
pub(super) struct Reading<'a, 'e> {
    pub(super) body: &'a [u8],
    pub(super) limits: &'a Limits,
    /// The words of the archive (a folder of UT1, a file of v2fly) and what they mean here.
    pub(super) words: &'a [(String, Tags)],
    /// What everything means when no word is mapped.
    pub(super) tags: Tags,
    pub(super) each: &'e mut dyn FnMut(Tagged<'_>),
    pub(super) skips: Skips,
    pub(super) entries: u64,
    /// What lists of addresses list.
    pub(super) addresses: Vec<(AddressRange, Tags)>,
}

impl Reading<'_, '_> {
    fn tags_of(&self, word: &str) -> Tags {
        if self.words.is_empty() {
            return self.tags;
        }
        let mapped = self.words.iter().filter(|row| row.0 == word);
        mapped.fold(Tags::NONE, |all, row| all.union(row.1))
    }

    fn archive(&self) -> Archive<impl Read + use<'_>> {
        Archive::new(unpack(self.body, self.limits))
    }

    /// Runs a reader whose entries all get `tags`.
    fn read(&mut self, tags: Tags, run: impl FnOnce(&mut Out<'_>)) {
        let each = &mut *self.each;
        let mut pass = |entry: Entry<'_>| each(Tagged { entry, tags });
        let mut out = Out::new(self.limits.entries.saturating_sub(self.entries), &mut pass);
        out.skips = std::mem::take(&mut self.skips);
        // Of addresses fewer are kept than of names.
        out.has_ranges = self.addresses.len();
        run(&mut out);
        self.entries += out.entries;
        self.skips = out.skips;
        self.addresses.extend(out.ranges.into_iter().map(|range| (range, tags)));
    }

    /// Reads an archive of lists, each by its own format; where the home says which, by that one. What is no list (a licence, a page
    /// about them) is left out.
    pub(super) fn files(&mut self, wanted: Option<Format>) -> Result<(), NotAList> {
        let body = self.body;
        let mut archive = Archive::new(unpack(body, self.limits));
        for entry in members(&mut archive)? {
            let mut entry = entry?;
            let Some(path) = path_of(&entry).filter(|_| entry.header().entry_type().is_file()) else {
                continue;
            };
            let tags = words(&path).fold(Tags::NONE, |all, word| all.union(self.tags_of(word)));
            if tags.is_empty() {
                continue;
            }
            let head = take_head(&mut entry)?;
            let Some(format) = recognise_text(&head).ok().and_then(|seen| one_of(wanted, seen)) else {
                continue;
            };
            let mut lines = BufReader::with_capacity(1 << 16, head.as_slice().chain(entry));
            let mut result = Ok(());
            self.read(tags, |out| result = read_lines(&mut lines, format, out));
            result?;
        }
        Ok(())
    }

    /// Reads a UT1 archive.
    ///
    /// A link may stand before or after the folder it names, so links are gathered first: a second reading costs less
    /// than keeping every folder that nobody asked for.
    pub(super) fn ut1(&mut self) -> Result<(), NotAList> {
        let links = self.links()?;
        let body = self.body;
        let mut archive = Archive::new(unpack(body, self.limits));
        for entry in members(&mut archive)? {
            let entry = entry?;
            let Some(path) = path_of(&entry) else { continue };
            let Some((folder, file)) = folder_and_file(&path) else { continue };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let names =
                std::iter::once(folder).chain(links.get(folder).into_iter().flatten().map(String::as_str));
            let tags = names.fold(Tags::NONE, |all, word| all.union(self.tags_of(word)));
            if !tags.is_empty() {
                self.ut1_file(file, tags, &mut BufReader::with_capacity(1 << 16, entry))?;
            }
        }
        Ok(())
    }

    fn ut1_file(&mut self, file: &str, tags: Tags, reader: &mut dyn BufRead) -> Result<(), NotAList> {
        let reason = match file {
            "domains" => None,
            "urls" => Some(Reason::Path),
            "expressions" | "very_restrictive_expression" => Some(Reason::Pattern),
            _ => return Ok(()),
        };
        let mut result = Ok(());
        self.read(tags, |out| {
            result = for_each_line(reader, |number, line| {
                out.line = number;
                match (line, reason) {
                    (Line::Text(""), _) => {}
                    (Line::Text(text), Some(reason)) => out.skip(reason, text),
                    // UT1 mixes addresses into its names; they are no names and no mistakes of the list.
                    (Line::Text(text), None) => plain::Plain.line(text, out),
                    (Line::Garbage(_), _) => out.skip(Reason::NotText, ""),
                    (Line::TooLong(_), _) => out.skip(Reason::TooLong, ""),
                }
            });
        });
        Ok(result?)
    }

    /// Folder -> the links that name it. Chains of links are not followed: UT1 has none.
    fn links(&self) -> Result<BTreeMap<String, Vec<String>>, NotAList> {
        let mut links = BTreeMap::<String, Vec<String>>::new();
        let mut archive = self.archive();
        for entry in members(&mut archive)? {
            let entry = entry?;
            if entry.header().entry_type() != EntryType::Symlink {
                continue;
            }
            let target = entry.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            if let (Some(path), Some(target)) = (path_of(&entry), target) {
                let link = path.rsplit('/').next().unwrap_or_default().to_owned();
                let folder = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
                links.entry(folder).or_default().push(link);
            }
        }
        Ok(links)
    }

    /// Reads the files of a v2fly archive that the words name, with all that they include.
    pub(super) fn v2fly(&mut self) -> Result<(), NotAList> {
        let files = self.v2fly_files()?;
        let mut roots: Vec<String> = match self.words.is_empty() {
            true => files.keys().cloned().collect(),
            false => self.words.iter().map(|row| row.0.clone()).collect(),
        };
        roots.sort_unstable();
        roots.dedup();
        for root in roots {
            let tags = self.tags_of(&root);
            self.read(tags, |out| v2fly::read_with_includes(&files, &root, out));
        }
        Ok(())
    }

    fn v2fly_files(&self) -> Result<Files, NotAList> {
        let mut files = Files::new();
        let (mut seen, mut kept) = (HashSet::new(), 0);
        let mut archive = self.archive();
        for entry in members(&mut archive)? {
            let mut entry = entry?;
            let Some(path) = path_of(&entry).filter(|_| entry.header().entry_type().is_file()) else {
                continue;
            };
            let Some((folder, file)) = folder_and_file(&path) else { continue };
            if folder != "data" || !seen.insert(file.to_owned()) {
                continue;
            }
            let mut body = Vec::new();
            kept += entry.by_ref().take(MAX_KEPT).read_to_end(&mut body)? as u64;
            if kept > MAX_KEPT {
                return Err(NotAList::TooLarge);
            }
            files.insert(file.to_owned(), body);
        }
        Ok(files)
    }
}

/// The format that a file is read by: the home's, where it names one, else what the file looks like. Names are never read as addresses, nor
/// addresses as names: bare names fit several formats, and those files stand beside each other.
fn one_of(wanted: Option<Format>, seen: Format) -> Option<Format> {
    let is_of_addresses = |format| format == Format::Addresses;
    let format = wanted.unwrap_or(seen);
    (is_of_addresses(format) == is_of_addresses(seen)).then_some(format)
}

/// What `categories` may call a file of an archive: its name, with and without its ending, and its folder.
fn words(path: &str) -> impl Iterator<Item = &str> {
    let (folder, file) = folder_and_file(path).map_or((None, path), |(folder, file)| (Some(folder), file));
    let stem = file.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty());
    [Some(file), stem, folder].into_iter().flatten()
}

/// The last two parts of a path: `adult`, `domains` of `blacklists/adult/domains`.
fn folder_and_file(path: &str) -> Option<(&str, &str)> {
    let (folders, file) = path.rsplit_once('/')?;
    Some((folders.rsplit('/').next().unwrap_or(folders), file))
}
