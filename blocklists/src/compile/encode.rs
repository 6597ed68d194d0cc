//! Names written ahead of their placing, on every core: reading the parts, sorting them and writing names is most of a
//! catalogue's making.

use super::dictionary::Dictionary;
use super::resolve::Resolver;
use super::shards::{Shard, bits};
use crate::catalogue::Set;
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;

/// A part whose names are resolved and written: all that the table needs of it.
#[derive(Default)]
pub(super) struct Written {
    pub(super) names: Vec<Name>,
    /// What the records say before their sets, one after the other.
    pub(super) bytes: Vec<u8>,
    /// The sets of this part.
    pub(super) sets: Vec<Set>,
    /// Whether a name is a single label.
    pub(super) single_label: bool,
}

/// A written name.
pub(super) struct Name {
    pub(super) hash: u64,
    /// Bits of its record before the set.
    pub(super) bits: u16,
    /// Its set, by the number in its part.
    pub(super) set: u16,
}

impl Written {
    fn new(shard: &Shard, resolver: &Resolver<'_>, dictionary: &Dictionary, told: usize) -> Self {
        let (mut written, mut numbers) = (Self::default(), HashMap::new());
        let mut last = None;
        resolver.resolve(shard, |resolved| {
            let kept = shard.at(resolved.place);
            let bits = match kept.name() {
                Some(name) => {
                    written.single_label |= !name.contains(&b'.');
                    dictionary.write_name(name.get(told..).unwrap_or_default(), &mut written.bytes)
                }
                None => {
                    written.single_label |= kept.bits & bits::SINGLE != 0;
                    dictionary.write_digest(kept.digest(), &mut written.bytes)
                }
            };
            let set = match last {
                Some((set, number)) if set == resolved.set => number,
                _ => *numbers.entry(resolved.set).or_insert_with(|| {
                    written.sets.push(resolved.set);
                    // A part with more sets than numbers has more than the catalogue may have.
                    u16::try_from(written.sets.len() - 1).unwrap_or(u16::MAX)
                }),
            };
            last = Some((resolved.set, set));
            written.names.push(Name { hash: resolved.hash, bits: bits as u16, set });
        });
        written
    }
}

/// A catalogue with fewer entries is not worth a thread.
const FEW: u64 = 50_000;

/// Writes every part and passes it on, in their order. Parts are given back to the system one by one.
pub(super) fn write_all<S: Borrow<Shard> + Send, E>(
    mut shards: impl Iterator<Item = S> + Send,
    entries: u64,
    resolver: &Resolver<'_>,
    dictionary: &Dictionary,
    told: usize,
    mut each: impl FnMut(Written) -> Result<(), E>,
) -> Result<(), E> {
    let write = |shard: &Shard| Written::new(shard, resolver, dictionary, told);
    if entries < FEW {
        return shards.try_for_each(|shard| each(write(shard.borrow())));
    }
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(8));
    let queue = Mutex::new(shards.enumerate());
    let (sender, receiver) = sync_channel(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, queue, write) = (sender.clone(), &queue, &write);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((number, shard)) = next else { return };
                    let written = write(shard.borrow());
                    drop(shard);
                    if sender.send((number, written)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        // Parts that came before their turn; no more of them than threads and the channel hold.
        let (mut early, mut turn) = (BTreeMap::new(), 0);
        for (number, written) in receiver {
            early.insert(number, written);
            while let Some(written) = early.remove(&turn) {
                each(written)?;
                turn += 1;
            }
        }
        Ok(())
    })
}
