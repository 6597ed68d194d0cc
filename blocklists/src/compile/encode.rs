//! Names written ahead of their placing, on every core: reading the parts, sorting them and writing names is most of a
//! catalogue's making.

use super::dictionary::{Dictionary, Parted};
use super::heads::threads;
use super::resolve::Resolver;
use super::shards::Shard;
use crate::catalogue::{Set, before};
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
}

/// A written name.
pub(super) struct Name {
    /// The hash of its head.
    pub(super) hash: u64,
    /// What its labels before the head add to the fingerprint.
    pub(super) deeper: u8,
    /// Bits of its record before the set.
    pub(super) bits: u16,
    /// Its set, by the number in its part.
    pub(super) set: u16,
}

impl Written {
    fn new(
        number: usize,
        shard: &Shard,
        resolver: &Resolver<'_>,
        dictionary: &Dictionary,
        told: usize,
    ) -> Self {
        let (mut written, mut numbers) = (Self::default(), HashMap::new());
        let mut last = None;
        resolver.resolve(number, shard, |resolved| {
            let (kept, head) = (shard.at(resolved.place), resolved.head);
            let (bits, deeper) = match kept.name() {
                Some(name) => (
                    dictionary.write_name(Parted::new(name, head, told), &mut written.bytes),
                    resolver.hasher.deeper(before(name, head)).of(head as u32),
                ),
                None => (dictionary.write_digest(kept.digest(), &mut written.bytes), 0),
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
            written.names.push(Name { hash: resolved.hash, deeper, bits: bits as u16, set });
        });
        written
    }
}

/// Writes every part and passes it on, in their order. Parts are given back to the system one by one.
pub(super) fn write_all<S: Borrow<Shard> + Send, E>(
    shards: impl Iterator<Item = S> + Send,
    entries: u64,
    resolver: &Resolver<'_>,
    dictionary: &Dictionary,
    told: usize,
    mut each: impl FnMut(Written) -> Result<(), E>,
) -> Result<(), E> {
    let write = |number, shard: &Shard| Written::new(number, shard, resolver, dictionary, told);
    let threads = threads(entries);
    if threads < 2 {
        return shards.enumerate().try_for_each(|(number, shard)| each(write(number, shard.borrow())));
    }
    let queue = Mutex::new(shards.enumerate());
    let (sender, receiver) = sync_channel(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, queue, write) = (sender.clone(), &queue, &write);
            scope.spawn(move || {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((number, shard)) = next else { return };
                    let written = write(number, shard.borrow());
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
