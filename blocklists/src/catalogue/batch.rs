//! Many questions at once, each step for all of them before the next, so that no step waits for memory.

use super::Catalogue;
use super::ask::Asked;
use super::lanes::Lanes;
use super::memory::Line;
use crate::{Name, Tags};

/// Names in a batch.
const BATCH: usize = 32;

impl Catalogue {
    #[inline(always)]
    pub(super) fn answer_many<L: Lanes>(&self, lanes: L, names: &[Name<'_>], tags: &mut [Tags]) {
        let mut all = [Asked::default(); BATCH];
        for (names, tags) in names.chunks(BATCH).zip(tags.chunks_mut(BATCH)) {
            for (asked, name) in all.iter_mut().zip(names) {
                *asked = self.ask(lanes, name.as_str().as_bytes());
            }
            self.end_batch(lanes, names, &all, tags);
        }
    }

    /// Most end with the first look: nothing in their line looks like them. Whether one does is not guessed.
    #[inline(always)]
    fn end_batch<L: Lanes>(&self, lanes: L, names: &[Name<'_>], all: &[Asked; BATCH], tags: &mut [Tags]) {
        let nowhere = Line::default();
        let (mut found, mut count) = ([(0u32, 0u32); BATCH], 0usize);
        for (((index, asked), name), tags) in (0u32..).zip(all).zip(names).zip(&mut *tags) {
            *tags = Tags::NONE;
            let line = self.line(asked.home).unwrap_or(&nowhere);
            let (matching, goes_on) = self.first_look(lanes, name.as_str().as_bytes(), asked, line);
            if goes_on {
                self.prefetch_next(asked);
            }
            found[count % BATCH] = (index | u32::from(goes_on) << 8, matching);
            count += usize::from((matching != 0) | goes_on);
        }
        for (index, matching) in &found[..count.min(BATCH)] {
            let (index, goes_on) = (*index as usize % BATCH, index >> 8 != 0);
            let asked = &all[index];
            if let (Some(name), Some(tags), Some(line)) =
                (names.get(index), tags.get_mut(index), self.line(asked.home))
            {
                *tags = self.found(lanes, name.as_str().as_bytes(), asked, line, *matching, goes_on);
            }
        }
    }
}
