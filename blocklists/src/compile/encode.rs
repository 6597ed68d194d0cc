//! Names written ahead of their placing, on every core: reading the parts, sorting them and writing names is most of a
//! catalogue's making.

use super::heads::threads;
use super::resolve::Resolver;
use super::shards::Shard;
use crate::catalogue::{Code, NO_RECORD, Set};
use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;

/// A part whose names are resolved and written: all that the table needs of it.
#[derive(Default)]
pub(super) struct Written {
    pub(super) names: Vec<Name>,
    /// The names' texts, one after the other; of a digest its number.
    pub(super) texts: Vec<u8>,
    /// The sets of this part.
    pub(super) sets: Vec<Set>,
}

/// A written name.
pub(super) struct Name {
    /// The hash of its head.
    pub(super) hash: u64,
    /// What its record says behind its set.
    pub(super) packed: u128,
    /// Whether it stands below its head.
    pub(super) is_below: bool,
    /// How many bytes its text has; 0 for a digest's number, which has four.
    pub(super) length: u8,
    /// Its set, by the number in its part.
    pub(super) set: u16,
}

impl Written {
    fn new(number: usize, shard: &Shard, resolver: &Resolver<'_>, code: &Code) -> Self {
        let (mut written, mut numbers) = (Self::default(), HashMap::new());
        let mut last = None;
        resolver.resolve(number, shard, |resolved| {
            let (kept, head) = (shard.at(resolved.place), resolved.head);
            let set = match last {
                Some((set, number)) if set == resolved.set => number,
                _ => *numbers.entry(resolved.set).or_insert_with(|| {
                    written.sets.push(resolved.set);
                    // A part with more sets than numbers has more than the catalogue may have.
                    u16::try_from(written.sets.len() - 1).unwrap_or(u16::MAX)
                }),
            };
            last = Some((resolved.set, set));
            let (packed, is_below, length) = match kept.name() {
                Some(name) => {
                    written.texts.extend_from_slice(name);
                    let packed = code.pack(resolver.hasher.help(), code.parted(name, head));
                    (packed, head > 0, name.len() as u8)
                }
                None => {
                    written.texts.extend_from_slice(&kept.digest().to_le_bytes());
                    (NO_RECORD, false, 0)
                }
            };
            written.names.push(Name { hash: resolved.hash, packed, is_below, length, set });
        });
        written
    }
}

/// Writes every part and passes it on, in their order. Parts are given back to the system one by one.
pub(super) fn write_all<S: Borrow<Shard> + Send, E>(
    shards: impl Iterator<Item = S> + Send,
    entries: u64,
    resolver: &Resolver<'_>,
    code: &Code,
    mut each: impl FnMut(Written) -> Result<(), E>,
) -> Result<(), E> {
    let write = |number, shard: &Shard| Written::new(number, shard, resolver, code);
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
