//! Many questions at once, each step for all of them before the next: no step waits for memory, and loops over suffixes of
//! whatever name do not have to guess how many labels the next name has.

use super::hash::Short;
use super::{Catalogue, Spot, bucket, prefetch};
use crate::{Name, Tags};

/// Names in a batch.
pub(super) const BATCH: usize = 32;
/// Suffixes in a batch, four a name. Names that have more are looked up by themselves, as long ones are.
const SUFFIXES: usize = 4 * BATCH;

/// A suffix of one of the names.
#[derive(Clone, Copy, Default)]
struct Asked {
    name: u8,
    length: u8,
}

impl Catalogue {
    /// The tags of up to [`BATCH`] names.
    pub(super) fn lookup_batch(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        let mut shorts = [Short::default(); BATCH];
        let mut asked = [Asked::default(); SUFFIXES + 4];
        let mut count = 0;
        for (((index, name), short), tags) in (0u8..).zip(names).zip(&mut shorts).zip(&mut *tags) {
            let bytes = name.as_str().as_bytes();
            let read = Short::new(bytes, self.header.single_labels);
            let Some((read, (lengths, more))) = read.and_then(|s| s.four_lengths().map(|f| (s, f))) else {
                *tags = self.lookup(*name);
                continue;
            };
            (*short, *tags) = (read, Tags::NONE);
            // All four are written; the next name writes over those that are none.
            if let Some(to) = asked.get_mut(count..).and_then(|rest| rest.first_chunk_mut::<4>()) {
                *to = lengths.map(|length| Asked { name: index, length });
            }
            count += more;
        }
        self.lookup_suffixes(names, tags, &shorts, &asked[..count.min(SUFFIXES)]);
    }

    fn lookup_suffixes(
        &self,
        names: &[Name<'_>],
        tags: &mut [Tags],
        shorts: &[Short; BATCH],
        asked: &[Asked],
    ) {
        let (buckets, home_buckets) = (self.memory.lines(), self.header.home_buckets);
        let mut spots = [Spot::default(); SUFFIXES];
        for (spot, asked) in spots.iter_mut().zip(asked) {
            let index = usize::from(asked.name) % BATCH;
            let Some(name) = names.get(index) else { continue };
            let suffix =
                self.hasher.suffix(name.as_str().as_bytes(), &shorts[index], usize::from(asked.length));
            *spot = Spot::new(&suffix, home_buckets);
            prefetch(buckets, spot);
        }
        // Nearly all end here: their bucket has no such fingerprint.
        let (mut found, mut count) = ([0u8; SUFFIXES], 0usize);
        for (index, spot) in (0u8..).zip(&spots[..asked.len()]) {
            let Some(line) = buckets.get(spot.home as usize) else { continue };
            let place = spot.place();
            let is_worth_it = (bucket::matches(line, place.fingerprint(), false) != 0)
                | bucket::passed(line, place.class());
            found[count % SUFFIXES] = index;
            count += usize::from(is_worth_it);
        }
        // In the order of asking, so that a name's parents come before it.
        for index in &found[..count.min(SUFFIXES)] {
            let index = usize::from(*index) % SUFFIXES;
            let name = usize::from(asked[index].name);
            if let (Some(text), Some(tags)) = (names.get(name), tags.get_mut(name)) {
                *tags = self.step(*tags, text.as_str().as_bytes(), &spots[index]);
            }
        }
    }
}
