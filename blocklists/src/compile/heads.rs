//! Which sites are spread, once all lists are in: those that have more names below them than a line should hold.

use super::CompileError;
use super::intake::Intake;
use super::shards::{SHARDS, Shard, bits, shard_of};
use crate::catalogue::{Hasher, Spread};
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A line holds this many names below one head at most, so that heads do not crowd.
const MOST: usize = 3;

/// Says which names are spread, and copies each name to the part of its head.
///
/// A sealed name is kept as a digest, of which nobody can tell the labels any more: it is its own head, so what stands above it is
/// spread.
pub(super) fn spread(intake: &mut Intake) -> Result<Spread, CompileError> {
    let mut spread = Spread::new(intake.entries);
    let (hasher, threads) = (intake.hasher, threads(intake.entries));
    intake.tops.iter().for_each(|top| spread.add_top(*top));
    intake.sealed_sites.iter().for_each(|hash| spread.add_site(*hash));
    intake.sealed_thirds.iter().for_each(|hash| spread.add_third(*hash));
    let sites = each_part(&intake.shards, threads, |shard| crowded_sites(shard, &hasher));
    sites.iter().flatten().for_each(|hash| spread.add_site(*hash));
    intake.sealed_pairs.iter().for_each(|hash| spread.add_listed(*hash));
    let below = each_part(&intake.shards, threads, |shard| below_spread(shard, &hasher, &spread));
    below.iter().flat_map(|below| &below.thirds).for_each(|hash| spread.add_third(*hash));
    below.iter().flat_map(|below| &below.listed).for_each(|hash| spread.add_listed(*hash));
    for (number, below) in below.iter().enumerate() {
        let shard = mem::take(&mut intake.shards[number]);
        for kept in below.places.iter().map(|place| shard.at(*place)) {
            let Some(name) = kept.name() else { continue };
            let part = shard_of(spread.head(&hasher, name).hash);
            if part != number {
                let to = &mut intake.shards[part];
                if to.is_full() {
                    return Err(CompileError::TooManyNames);
                }
                to.push(kept.source, kept.bits, name);
            }
        }
        intake.shards[number] = shard;
    }
    Ok(spread)
}

/// The deep names of a part, as places.
fn deep(shard: &Shard) -> impl Iterator<Item = (u32, &[u8])> {
    shard.places(Default::default()).filter_map(|place| {
        let kept = shard.at(place);
        kept.name().filter(|_| kept.bits & bits::DEEP != 0).map(|name| (place, name))
    })
}

/// The last labels of a name, so many of them; `None` if it has no more than that.
fn last_labels(name: &[u8], labels: usize) -> Option<&[u8]> {
    memchr::memrchr_iter(b'.', name).nth(labels - 1).map(|dot| &name[dot + 1..])
}

/// The hashes of a part's sites with too many names below them.
fn crowded_sites(shard: &Shard, hasher: &Hasher) -> Vec<u64> {
    let pairs =
        deep(shard).filter_map(|(_, name)| Some((hasher.hash(last_labels(name, 2)?), hasher.hash(name))));
    crowds(pairs.collect())
}

/// What a part has of sites that are spread.
struct Below {
    /// The hashes of those sites that are listed themselves.
    listed: Vec<u64>,
    /// The places of the names below them.
    places: Vec<u32>,
    /// The hashes of the last three labels that too many of them share.
    thirds: Vec<u64>,
}

fn below_spread(shard: &Shard, hasher: &Hasher, spread: &Spread) -> Below {
    let (mut places, mut pairs) = (Vec::new(), Vec::new());
    let flat = shard.entries().filter(|kept| kept.bits & bits::DEEP == 0).filter_map(|kept| kept.name());
    let listed = flat.map(|name| hasher.hash(name)).filter(|hash| spread.has_site(*hash)).collect();
    for (place, name) in deep(shard) {
        if last_labels(name, 2).is_some_and(|site| spread.has_site(hasher.hash(site))) {
            places.push(place);
            pairs.extend(last_labels(name, 3).map(|third| (hasher.hash(third), hasher.hash(name))));
        }
    }
    Below { listed, places, thirds: crowds(pairs) }
}

/// Those first ones that stand with too many different second ones.
fn crowds(mut pairs: Vec<(u64, u64)>) -> Vec<u64> {
    pairs.sort_unstable();
    pairs.dedup();
    let all = pairs.chunk_by(|a, b| a.0 == b.0);
    all.filter(|crowd| crowd.len() > MOST).map(|crowd| crowd[0].0).collect()
}

/// A catalogue with fewer entries is not worth a thread.
const FEW: u64 = 50_000;

/// How many threads that many entries are worth.
pub(super) fn threads(entries: u64) -> usize {
    if entries < FEW { 1 } else { thread::available_parallelism().map_or(1, |count| count.get().min(8)) }
}

/// What a function says of each part, in their order; the parts are shared by so many threads.
fn each_part<T: Send>(shards: &[Shard], threads: usize, say: impl Fn(&Shard) -> T + Sync) -> Vec<T> {
    if threads < 2 {
        return shards.iter().map(say).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut said = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(shard) = shards.get(number) else { return said };
            said.push((number, say(shard)));
        }
    };
    let mut all: Vec<(usize, T)> = Vec::with_capacity(SHARDS);
    thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        all.extend(work());
        for worker in workers {
            all.extend(worker.join().expect("counting names does not panic"));
        }
    });
    all.sort_unstable_by_key(|said| said.0);
    all.into_iter().map(|said| said.1).collect()
}
