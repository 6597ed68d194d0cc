//! What do all lists together say of a name?
//!
//! Nearly every name has listings only: its set is their union. A name with an exception is delicate: an exception of
//! one list must not take away what another list gives, even under the same category. For each of those, every list is
//! asked by itself what it says of the name and of the names below, and only what none of them says is stopped.

use super::CompileError;
use super::intake::{Intake, Record, bits};
use crate::Tags;
use crate::catalogue::{Set, sha256};
use std::collections::HashMap;

/// Distinct sets, numbered.
#[derive(Default)]
pub(super) struct Sets {
    pub(super) all: Vec<Set>,
    numbers: HashMap<Set, u16>,
}

impl Sets {
    fn number(&mut self, set: Set) -> Result<u16, CompileError> {
        if let Some(number) = self.numbers.get(&set) {
            return Ok(*number);
        }
        let number = u16::try_from(self.all.len()).map_err(|_| CompileError::TooManySets)?;
        self.all.push(set);
        self.numbers.insert(set, number);
        Ok(number)
    }
}

/// Leaves one record for each name (one as text, one as digest), in the order of hashes; its source becomes its set.
pub(super) fn resolve(intake: &mut Intake) -> Result<Sets, CompileError> {
    sort(&mut intake.records);
    part_collisions(intake);
    let mut delicate = delicate_sets(intake).into_iter().peekable();
    let mut sets = Sets::default();
    // A list's plain listings all have one of three sets: known by source and reach without a map.
    let mut known = vec![[None; 4]; intake.sources.len()];
    let (mut kept, mut first) = (0, 0);
    while first < intake.records.len() {
        let end = group_end(intake, first);
        let record = intake.records[first];
        let number = match delicate.next_if(|row| row.0 == first) {
            Some((_, set)) => sets.number(set)?,
            None if end == first + 1 => {
                let place = &mut known[usize::from(record.source)][usize::from(record.bits & 3)];
                match *place {
                    Some(number) => number,
                    None => *place.insert(sets.number(union(intake, first, end))?),
                }
            }
            None => sets.number(union(intake, first, end))?,
        };
        // A name that says nothing (an exception from what is not listed) needs no place.
        if sets.all[usize::from(number)] != Set::default() {
            intake.records[kept] = Record { source: number, ..record };
            kept += 1;
        }
        first = end;
    }
    intake.records.truncate(kept);
    Ok(sets)
}

/// Sorts by hash, on two cores: the records are parted by the hash's highest bit first, and hashes are even.
fn sort(records: &mut [Record]) {
    let mut low = 0;
    for index in 0..records.len() {
        if records[index].hash >> 63 == 0 {
            records.swap(low, index);
            low += 1;
        }
    }
    let (low, high) = records.split_at_mut(low);
    std::thread::scope(|scope| {
        scope.spawn(|| low.sort_unstable_by_key(|record| record.hash));
        high.sort_unstable_by_key(|record| record.hash);
    });
}

/// Where the group of records of one name ends.
fn group_end(intake: &Intake, first: usize) -> usize {
    let one = &intake.records[first];
    let same = |other: &&Record| other.hash == one.hash && identity(intake, other) == identity(intake, one);
    first + 1 + intake.records[first + 1..].iter().take_while(same).count()
}

/// What two records of one name share: their text, or their digest.
fn identity<'a>(intake: &'a Intake, record: &Record) -> (bool, &'a [u8]) {
    if record.bits & bits::DIGEST != 0 {
        (true, &intake.digests[record.place as usize])
    } else {
        let start = record.place as usize;
        (false, &intake.arena[start..start + usize::from(record.length)])
    }
}

/// Records of equal hash but different names are put in order, so that each name's stand together.
fn part_collisions(intake: &mut Intake) {
    let mut records = std::mem::take(&mut intake.records);
    let mut first = 0;
    while first < records.len() {
        let hash = records[first].hash;
        let end = first + records[first..].iter().take_while(|r| r.hash == hash).count();
        let one = identity(intake, &records[first]);
        if records[first..end].iter().any(|r| identity(intake, r) != one) {
            records[first..end].sort_by(|a, b| identity(intake, a).cmp(&identity(intake, b)));
        }
        first = end;
    }
    intake.records = records;
}

fn union(intake: &Intake, first: usize, end: usize) -> Set {
    let mut set = Set::default();
    for record in &intake.records[first..end] {
        let tags = intake.sources[usize::from(record.source)].tags;
        if record.bits & bits::HERE != 0 {
            set.here = set.here.union(tags);
        }
        if record.bits & bits::BELOW != 0 {
            set.below = set.below.union(tags);
        }
    }
    set
}

/// The sets of the names with exceptions, by the place of their first record.
fn delicate_sets(intake: &Intake) -> Vec<(usize, Set)> {
    let mut sets = Vec::new();
    let mut first = 0;
    while first < intake.records.len() {
        let end = group_end(intake, first);
        if intake.records[first..end].iter().any(|r| r.bits & bits::EXCEPT != 0) {
            sets.push((first, delicate_set(intake, first, end)));
        }
        first = end;
    }
    sets
}

/// What one list says of the name in question.
#[derive(Clone, Copy, Default)]
struct Voice {
    source: u16,
    /// The list means the name because of an entry above it.
    inherited: bool,
    /// Reach bits of what the list says at the name itself.
    listed: u8,
    excepted: u8,
}

impl Voice {
    fn says(self, reach: u8) -> bool {
        self.excepted & reach == 0 && (self.inherited || self.listed & reach != 0)
    }

    fn says_itself(self, reach: u8) -> bool {
        self.excepted & reach == 0 && self.listed & reach != 0
    }
}

fn delicate_set(intake: &Intake, first: usize, end: usize) -> Set {
    let mut voices = inherited_voices(intake, intake.text(&intake.records[first]));
    for record in &intake.records[first..end] {
        let voice = voice_of(&mut voices, record.source);
        let reach = record.bits & (bits::HERE | bits::BELOW);
        if record.bits & bits::EXCEPT != 0 {
            voice.excepted |= reach;
        } else {
            voice.listed |= reach;
        }
    }
    let all = |says: &dyn Fn(Voice) -> bool| {
        let speaking = voices.iter().filter(|voice| says(**voice));
        speaking.fold(Tags::NONE, |tags, voice| tags.union(intake.sources[usize::from(voice.source)].tags))
    };
    let coming_down = all(&|voice| voice.inherited);
    let (here, below) = (all(&|voice| voice.says(bits::HERE)), all(&|voice| voice.says(bits::BELOW)));
    // What comes down is stopped when it is not meant for the name, or not for the names below; where it is meant for
    // one of the two, the set says so itself.
    let not = coming_down.without(here.intersection(below));
    Set {
        here: all(&|voice| voice.says_itself(bits::HERE)).union(here.intersection(not)),
        below: all(&|voice| voice.says_itself(bits::BELOW)).union(below.intersection(not)),
        not,
    }
}

fn voice_of(voices: &mut Vec<Voice>, source: u16) -> &mut Voice {
    let place = match voices.iter().position(|voice| voice.source == source) {
        Some(place) => place,
        None => {
            voices.push(Voice { source, ..Voice::default() });
            voices.len() - 1
        }
    };
    &mut voices[place]
}

/// What each list says of a name because of its entries above: the nearest one decides.
fn inherited_voices(intake: &Intake, name: &[u8]) -> Vec<Voice> {
    let mut voices: Vec<Voice> = Vec::new();
    for parent in memchr::memchr_iter(b'.', name).map(|dot| &name[dot + 1..]) {
        let decided = voices.len();
        let mut here: Vec<Voice> = Vec::new();
        for record in records_of(intake, parent) {
            let is_decided = voices[..decided].iter().any(|voice| voice.source == record.source);
            if record.bits & bits::BELOW == 0 || is_decided {
                continue;
            }
            let voice = voice_of(&mut here, record.source);
            if record.bits & bits::EXCEPT != 0 {
                voice.excepted = bits::BELOW;
            } else {
                voice.listed = bits::BELOW;
            }
        }
        voices.extend(here.into_iter().map(|v| Voice {
            source: v.source,
            inherited: v.says_itself(bits::BELOW),
            ..Voice::default()
        }));
    }
    voices
}

/// Every record of a name, as text or digest.
fn records_of<'a>(intake: &'a Intake, name: &'a [u8]) -> impl Iterator<Item = &'a Record> {
    let hash = intake.hasher.hash(name);
    let first = intake.records.partition_point(|record| record.hash < hash);
    let mut digest = None;
    intake.records[first..].iter().take_while(move |record| record.hash == hash).filter(move |record| {
        match identity(intake, record) {
            (false, text) => text == name,
            (true, stored) => stored == *digest.get_or_insert_with(|| sha256(name)),
        }
    })
}
