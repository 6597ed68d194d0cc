//! Puts resolved names into buckets and writes the sections of the file.

use super::CompileError;
use super::dictionary::Dictionary;
use super::encode::Encoded;
use super::intake::{Intake, Record, bits};
use super::resolve::{Sets, resolve};
use crate::catalogue::{
    Filling, Header, Info, Line, ListInfo, MAX_HOPS, MAX_OFFSET, Memory, PADDING, SLOTS, assemble,
    fingerprint, home, words_section,
};

/// Names to a bucket of 20 slots, tried in this order until all find a place near their own.
///
/// The first is right for every honest list; the others are for lists of absurdly long names.
const FILL: [u64; 5] = [15, 10, 6, 3, 1];
/// Names that the dictionary is made from.
const SAMPLE: usize = 16_000;

pub(super) fn build(mut intake: Intake, lists: &[ListInfo], built: i64) -> Result<Memory, CompileError> {
    if intake.overflowed {
        return Err(CompileError::TooManyNames);
    }
    let sets = resolve(&mut intake)?;
    let dictionary = dictionary(&intake, &sets);
    let shift = shift(&intake, &dictionary);
    let table = FILL.iter().find_map(|fill| {
        let placed = place(&intake, &dictionary, *fill, shift);
        (!matches!(placed, Err(CompileError::Crowded))).then_some(placed)
    });
    let Table { lines, records, home_buckets } = table.unwrap_or(Err(CompileError::Crowded))?;
    let header = Header {
        seed: intake.hasher.seed(),
        names: intake.records.len() as u64,
        home_buckets,
        built,
        shift,
        single_labels: intake.records.iter().any(|r| is_single_label(&intake, r)),
    };
    let digests = std::mem::take(&mut intake.digests);
    // The names are in the table now; what they took is given back before the file is put together.
    drop(intake);
    let mut set_bytes = Vec::new();
    sets.all.iter().for_each(|set| set.write(&mut set_bytes));
    let sections: [&[u8]; 7] = [
        &words_section(),
        &set_bytes,
        &dictionary.code().write(),
        &Info::write(lists),
        digests.as_flattened(),
        zerocopy::IntoBytes::as_bytes(lines.as_slice()),
        &records,
    ];
    Ok(assemble(header, sections))
}

fn is_single_label(intake: &Intake, record: &Record) -> bool {
    match record.bits & bits::DIGEST {
        0 => !intake.text(record).contains(&b'.'),
        _ => record.bits & bits::SINGLE != 0,
    }
}

fn dictionary(intake: &Intake, sets: &Sets) -> Dictionary {
    let mut counts = vec![0; sets.all.len()];
    intake.records.iter().for_each(|record| counts[usize::from(record.source)] += 1);
    let sample: Vec<&[u8]> = sample(intake).map(|record| intake.text(record)).collect();
    Dictionary::new(&sample, &counts, intake.records.len() as u64)
}

/// Records spread evenly over the catalogue. They lie in the order of hashes, so that any of them are a fair sample.
fn sample(intake: &Intake) -> impl Iterator<Item = &Record> {
    let step = (intake.records.len() / SAMPLE).max(1);
    intake.records.iter().step_by(step)
}

/// The unit of record starts (a power of two of bytes) that lets a full bucket's records begin within 255 of them.
fn shift(intake: &Intake, dictionary: &Dictionary) -> u8 {
    let (mut bytes, mut count) = (Vec::new(), 0);
    for record in sample(intake).step_by(8) {
        dictionary.write(intake, record, &mut bytes);
        count += 1;
    }
    let full = bytes.len() * SLOTS / count.max(1) * 5 / 4;
    (0..8).find(|shift| full >> shift <= 255).unwrap_or(8)
}

struct Table {
    lines: Vec<Line>,
    records: Vec<u8>,
    home_buckets: u64,
}

/// Fills bucket after bucket in the order of hashes. A name whose bucket is full goes into the next.
fn place(intake: &Intake, dictionary: &Dictionary, fill: u64, shift: u8) -> Result<Table, CompileError> {
    let home_buckets = (intake.records.len() as u64).div_ceil(fill);
    let count = home_buckets as usize + MAX_HOPS;
    let (mut lines, mut records) = (Vec::with_capacity(count), Vec::new());
    let mut encoded = Encoded::new(intake, dictionary);
    let mut next = 0;
    for number in 0..count {
        let offset = records.len();
        if offset > MAX_OFFSET {
            return Err(CompileError::TooManyNames);
        }
        let mut filling = Filling::new(offset);
        let waiting =
            |next: usize| intake.records.get(next).filter(|record| home(record.hash, home_buckets) <= number);
        while !filling.is_full() {
            let units = (records.len() - offset).div_ceil(1 << shift);
            let Ok(start) = u8::try_from(units) else { break };
            let Some(record) = waiting(next) else { break };
            if number - home(record.hash, home_buckets) > MAX_HOPS {
                return Err(CompileError::Crowded);
            }
            records.resize(offset + (units << shift), 0);
            records.extend_from_slice(encoded.record(next));
            filling.push(fingerprint(record.hash), start);
            next += 1;
        }
        lines.push(filling.close(waiting(next).is_some()));
    }
    if next < intake.records.len() {
        return Err(CompileError::Crowded);
    }
    records.resize(records.len() + PADDING, 0);
    Ok(Table { lines, records, home_buckets })
}
