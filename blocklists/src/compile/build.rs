//! Makes the sections of the file from what came in.

use super::CompileError;
use super::encode::{Written, write_all};
use super::heads::spread;
use super::intake::Intake;
use super::resolve::{Resolver, Sets};
use super::shards::{SHARDS, Shard};
use super::table::{Table, bytes, lines};
use crate::addresses::Addresses;
use crate::catalogue::{
    Code, Draft, FINGERPRINTS, Header, Info, Line, ListInfo, MAX_RECORD, MAX_SET_BITS, Memory, Section, Set,
    Tops, cells_to_tell,
};
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::HashMap;

/// How full buckets are, in hundredths, tried in this order until all names find a place near their own.
///
/// The first is right for every honest list; the others are for lists that somebody made to crowd.
pub(super) const FILL: [u64; 4] = [76, 50, 25, 5];
/// Names that sizes are guessed from.
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
    let addresses = Addresses::new(&intake.addresses).write();
    let digests = intake.digests.as_flattened();
    let rest = Rest { seed: intake.hasher.seed(), digests, addresses: &addresses, lists, built };
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
    addresses: &'a [u8],
    lists: &'a [ListInfo],
    built: i64,
}

/// How the names will be written.
struct Plan {
    code: Code,
    /// The sets of the sample, the most frequent first; others follow as they are met.
    sets: Vec<Set>,
    told: usize,
    set_bits: u8,
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
                    counts.resize(sets.all.len(), 0u64);
                    counts[usize::from(number)] += 1;
                    names += 1;
                    sample.extend(shard.at(resolved.place).name().map(|name| (name, resolved.head)));
                }
                Err(why) => numbers = Err(why),
            });
            numbers?;
        }
        let all = names as f64 * SHARDS as f64 / wanted as f64;
        let told = resolver.hasher.told((all / 6.0) as u64 * FINGERPRINTS);
        let sample: Vec<_> = sample.iter().step_by((sample.len() / SAMPLE).max(1)).copied().collect();
        let (sets, set_bits) = by_frequency(&sets.all, &counts);
        let code = Code::new(told, set_bits, frequent_tops(&sample));
        let (bytes, long) = sizes(&code, set_bits, &sample);
        Ok(Self { code, sets, told, set_bits, entries, bytes: bytes * all, long: long * all })
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
        let mut table = Table::new(&self.code, draft.buckets(), home_buckets);
        write_all(shards, self.entries, resolver, &self.code, |written| {
            names += written.names.len() as u64;
            add(&mut table, &mut sets, written)
        })?;
        let long = table.finish()?;
        let (told, set_bits) = (self.told as u8, self.set_bits);
        let header = Header { seed: rest.seed, names, home_buckets, built: rest.built, told, set_bits };
        let mut set_bytes = Vec::new();
        sets.all.iter().for_each(|set| set.write(&mut set_bytes));
        Ok(draft.finish(
            header,
            [
                (Section::Sets, set_bytes.as_slice()),
                (Section::Code, &self.code.write()),
                (Section::Lists, &Info::write(rest.lists)),
                (Section::Digests, rest.digests),
                (Section::Long, &long),
                (Section::Spread, &resolver.spread.write()),
                (Section::Addresses, rest.addresses),
            ],
        ))
    }
}

/// Adds the names of a part.
fn add(table: &mut Table<'_>, sets: &mut Sets, written: Written) -> Result<(), CompileError> {
    let numbers: Vec<u16> = written.sets.iter().map(|set| sets.number(*set)).collect::<Result<_, _>>()?;
    let mut texts = written.texts.as_slice();
    for name in &written.names {
        let (text, after) = texts.split_at(if name.length == 0 { 4 } else { usize::from(name.length) });
        table.add(name, text, numbers[usize::from(name.set)])?;
        texts = after;
    }
    Ok(())
}

/// The sets, the most frequent first, and how many bits their numbers should have: names whose set has no number of so few bits
/// have long records.
fn by_frequency(sets: &[Set], counts: &[u64]) -> (Vec<Set>, u8) {
    /// About how many bits more a long record takes.
    const LONG: u64 = 150;
    let mut order: Vec<(u64, Set)> = counts.iter().copied().zip(sets.iter().copied()).collect();
    order.sort_by_key(|row| Reverse(row.0));
    let names: u64 = counts.iter().sum();
    let cost = |bits: &u8| {
        let beyond: u64 = order.iter().skip(1 << bits).map(|row| row.0).sum();
        u64::from(*bits) * names + beyond * LONG
    };
    let bits = (0..=MAX_SET_BITS).min_by_key(cost).unwrap_or(MAX_SET_BITS);
    (order.into_iter().map(|row| row.1).collect(), bits)
}

/// The top-level domains of a sample, the most frequent first.
fn frequent_tops(sample: &[(&[u8], usize)]) -> Tops {
    let mut counts = HashMap::<&[u8], u64>::new();
    for (name, _) in sample {
        if let Some(dot) = memchr::memrchr(b'.', name) {
            *counts.entry(&name[dot + 1..]).or_default() += 1;
        }
    }
    let mut order: Vec<(&[u8], u64)> = counts.into_iter().collect();
    order.sort_unstable_by_key(|row| (Reverse(row.1), row.0));
    Tops::new(&order)
}

/// About how many bytes of a bucket, and of the long records, a name takes, by a sample.
fn sizes(code: &Code, set_bits: u8, sample: &[(&[u8], usize)]) -> (f64, f64) {
    /// Bytes of what stands in a bucket for a long record.
    const STUB: usize = 6;
    let (mut short, mut long) = (0, 0);
    for (name, head) in sample {
        let packed = code.pack(None, code.parted(name, *head));
        let set = ((1u32 << set_bits) - 1) as u16;
        match code.record(packed, set).map(bytes).filter(|bytes| *bytes <= MAX_RECORD) {
            Some(bytes) => short += bytes,
            None => (short, long) = (short + STUB, long + 3 + name.len().div_ceil(3) * 2),
        }
    }
    let count = sample.len().max(1) as f64;
    // A sample without names is one of digests only.
    let bytes = if sample.is_empty() { STUB as f64 } else { short as f64 / count };
    // With its fingerprint, its length, and its share of the head.
    (bytes + 1.5 + 0.5, long as f64 / count)
}
