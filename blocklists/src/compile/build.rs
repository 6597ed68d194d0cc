//! Makes the sections of the file from what came in.

use super::CompileError;
use super::dictionary::{Dictionary, Parted};
use super::encode::{Written, write_all};
use super::heads::spread;
use super::intake::Intake;
use super::resolve::{Resolver, Sets};
use super::shards::{SHARDS, Shard};
use super::table::{Table, lines};
use crate::catalogue::{
    Draft, FINGERPRINTS, Header, Info, Line, ListInfo, MAX_RECORD, Memory, Section, Set, cells_to_tell, told,
};
use std::borrow::Borrow;

/// How full buckets are, in hundredths, tried in this order until all names find a place near their own.
///
/// The first is right for every honest list; the others are for lists that somebody made to crowd.
pub(super) const FILL: [u64; 4] = [76, 50, 25, 5];
/// Names that the dictionary is made from.
const SAMPLE: usize = 30_000;
/// Entries of a catalogue that is small enough to be sampled whole, and to be tried again.
const SMALL: u64 = 200_000;

/// `room` is how many of the fills before were tried in vain.
pub(super) fn build(
    mut intake: Intake,
    lists: &[ListInfo],
    built: i64,
    room: usize,
) -> Result<Memory, CompileError> {
    let fills = FILL.get(room..).filter(|fills| !fills.is_empty()).ok_or(CompileError::Crowded)?;
    if intake.overflowed {
        return Err(CompileError::TooManyNames);
    }
    let spread = spread(&mut intake)?;
    let resolver = Resolver::new(
        &intake.hasher,
        &spread,
        &intake.digests,
        &intake.sources,
        &intake.shards,
        intake.has_exceptions,
    );
    let plan = Plan::new(&intake.shards, intake.entries, &resolver)?;
    let rest = Rest { seed: intake.hasher.seed(), digests: intake.digests.as_flattened(), lists, built };
    if intake.entries > SMALL {
        // Each part is given back while the table grows. So a second try has to begin with the lists.
        return plan.fill(fills[0], intake.shards.into_iter(), &resolver, &rest);
    }
    let tried = fills.iter().find_map(|fill| {
        let filled = plan.fill(*fill, intake.shards.iter(), &resolver, &rest);
        (!matches!(filled, Err(CompileError::Crowded))).then_some(filled)
    });
    tried.unwrap_or(Err(CompileError::Crowded))
}

/// What goes into the file beside names and their sets.
struct Rest<'a> {
    seed: u64,
    digests: &'a [u8],
    lists: &'a [ListInfo],
    built: i64,
}

/// How the names will be written.
struct Plan {
    dictionary: Dictionary,
    /// The sets of the sample; others follow as they are met.
    sets: Vec<Set>,
    told: usize,
    entries: u64,
    /// About how many bytes of buckets all names take, and of long records.
    bytes: f64,
    long: f64,
}

impl Plan {
    fn new(shards: &[Shard], entries: u64, resolver: &Resolver<'_>) -> Result<Self, CompileError> {
        let (mut sets, mut counts, mut sample) = (Sets::default(), Vec::new(), Vec::new());
        // Parts are of equal size and hashes are even, so that the first parts are a fair sample.
        let wanted = if entries > SMALL { SHARDS.div_ceil((entries / SMALL) as usize) } else { SHARDS };
        let mut names = 0u64;
        for (number, shard) in shards[..wanted].iter().enumerate() {
            let mut numbers = Ok(());
            resolver.resolve(number, shard, |resolved| match sets.number(resolved.set) {
                Ok(number) => {
                    counts.resize(sets.all.len(), 0);
                    counts[usize::from(number)] += 1;
                    names += 1;
                    sample.extend(shard.at(resolved.place).name().map(|name| (name, resolved.head)));
                }
                Err(why) => numbers = Err(why),
            });
            numbers?;
        }
        let all = names as f64 * SHARDS as f64 / wanted as f64;
        let told = told((all / 6.0) as u64 * FINGERPRINTS);
        // Some to learn from, others to measure by: a dictionary flatters the names that it was made from.
        let step = (sample.len() / SAMPLE).max(1);
        let every = |first: usize| {
            let names = sample.iter().skip(first.min(sample.len().saturating_sub(1))).step_by(step);
            names.map(|(name, head)| Parted::new(name, *head, told)).collect::<Vec<_>>()
        };
        let dictionary = Dictionary::new(&every(0), &counts, names);
        let (bytes, long) = sizes(&dictionary, &every(step / 2));
        Ok(Self { dictionary, sets: sets.all, told, entries, bytes: bytes * all, long: long * all })
    }

    /// Fills a table to so many hundredths and puts the file together.
    fn fill<S: Borrow<Shard> + Send>(
        &self,
        fill: u64,
        shards: impl Iterator<Item = S> + Send,
        resolver: &Resolver<'_>,
        rest: &Rest<'_>,
    ) -> Result<Memory, CompileError> {
        let home_buckets = (self.bytes * 100.0 / fill as f64 / Line::BYTES as f64).ceil() as u64;
        // Cells must not be wider than beginnings are apart.
        let home_buckets = home_buckets.max(cells_to_tell(self.told) / FINGERPRINTS).max(1);
        let mut sets = Sets::of(&self.sets);
        let mut names = 0;
        let mut draft =
            Draft::new(lines(home_buckets), (self.long * 1.3) as usize + rest.digests.len() + (1 << 20));
        let mut table = Table::new(&self.dictionary, draft.buckets(), home_buckets);
        write_all(shards, self.entries, resolver, &self.dictionary, self.told, |written| {
            names += written.names.len() as u64;
            add(&mut table, &mut sets, written)
        })?;
        let long = table.finish()?;
        let header =
            Header { seed: rest.seed, names, home_buckets, built: rest.built, told: self.told as u8 };
        let mut set_bytes = Vec::new();
        sets.all.iter().for_each(|set| set.write(&mut set_bytes));
        Ok(draft.finish(
            header,
            [
                (Section::Sets, set_bytes.as_slice()),
                (Section::Code, &self.dictionary.code().write()),
                (Section::Lists, &Info::write(rest.lists)),
                (Section::Digests, rest.digests),
                (Section::Long, &long),
                (Section::Spread, &resolver.spread.write()),
            ],
        ))
    }
}

/// Adds the names of a part.
fn add(table: &mut Table<'_>, sets: &mut Sets, written: Written) -> Result<(), CompileError> {
    let numbers: Vec<u16> = written.sets.iter().map(|set| sets.number(*set)).collect::<Result<_, _>>()?;
    let mut bytes = written.bytes.as_slice();
    for name in &written.names {
        let (record, after) = bytes.split_at(usize::from(name.bits).div_ceil(8));
        table.add(name, record, numbers[usize::from(name.set)])?;
        bytes = after;
    }
    Ok(())
}

/// About how many bytes of a bucket, and of the long records, a name takes, by a sample.
fn sizes(dictionary: &Dictionary, sample: &[Parted<'_>]) -> (f64, f64) {
    /// Bits of what stands in a bucket for a record that is too long for one, and of a set.
    const STUB: u32 = 42;
    const SET: u32 = 3;
    let (mut record, mut bytes, mut long) = (Vec::new(), 0u64, 0u64);
    for name in sample {
        record.clear();
        let bits = dictionary.write_name(*name, &mut record) + SET;
        let is_long = bits > MAX_RECORD as u32 * 8;
        bytes += u64::from(if is_long { STUB } else { bits }.div_ceil(8));
        long += u64::from(if is_long { bits.div_ceil(8) } else { 0 });
    }
    let count = sample.len().max(1) as f64;
    // A sample without names is one of digests only, which are as long as stubs.
    let bytes = if sample.is_empty() { f64::from(STUB) / 8.0 } else { bytes as f64 / count };
    // With its fingerprint, its length, and its share of the head.
    (bytes + 1.5 + 0.5, long as f64 / count)
}
