//! Many questions at once, each step for all of them before the next, so that no step waits for memory.

use super::Catalogue;
use super::probe::Asked;
use crate::{Name, Tags};

/// Names in a batch.
pub(super) const BATCH: usize = 32;

impl Catalogue {
    /// The tags of up to [`BATCH`] names.
    #[inline(always)]
    pub(super) fn lookup_batch(&self, names: &[Name<'_>], tags: &mut [Tags]) {
        let mut all = [Asked::default(); BATCH];
        for (asked, name) in all.iter_mut().zip(names) {
            *asked = self.ask(name.as_str().as_bytes());
        }
        // Most end here: nothing in their line looks like them. Whether one does is not guessed.
        let (mut found, mut count) = ([(0u8, false, 0u64); BATCH], 0usize);
        for (((index, asked), tags), _) in (0u8..).zip(&all).zip(&mut *tags).zip(names) {
            *tags = Tags::NONE;
            let (matching, goes_on) = self.first_look(asked);
            found[count % BATCH] = (index, goes_on, matching);
            count += usize::from((matching != 0) | goes_on);
        }
        for (index, goes_on, matching) in &found[..count.min(BATCH)] {
            let index = usize::from(*index) % BATCH;
            if let (Some(name), Some(tags)) = (names.get(index), tags.get_mut(index)) {
                *tags = self.second_look(name.as_str().as_bytes(), &all[index], *matching, *goes_on);
            }
        }
    }
}
