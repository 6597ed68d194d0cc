//! Records written ahead of their placing, on every core: writing names is most of a catalogue's making.

use super::dictionary::Dictionary;
use super::intake::Intake;
use std::thread;

/// Names that one thread writes at a time. Few enough that what waits is small beside the names themselves.
const PART: usize = 1 << 16;

/// The records of resolved names, in their order.
pub(super) struct Encoded<'a> {
    intake: &'a Intake,
    dictionary: &'a Dictionary,
    /// The first name of the first part.
    first: usize,
    parts: Vec<Part>,
}

/// Written records and where each ends.
#[derive(Default)]
struct Part {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl<'a> Encoded<'a> {
    pub(super) fn new(intake: &'a Intake, dictionary: &'a Dictionary) -> Self {
        let threads = thread::available_parallelism().map_or(1, |count| count.get().min(8));
        let parts = (0..threads).map(|_| Part::default()).collect();
        let mut encoded = Self { intake, dictionary, first: 0, parts };
        encoded.fill(0);
        encoded
    }

    /// The record of a name. Names are asked for in order.
    pub(super) fn record(&mut self, index: usize) -> &[u8] {
        if index >= self.first + self.parts.len() * PART {
            self.fill(index);
        }
        let index = index - self.first;
        let (part, place) = (&self.parts[index / PART], index % PART);
        let start = place.checked_sub(1).map_or(0, |before| part.ends[before] as usize);
        &part.bytes[start..part.ends[place] as usize]
    }

    fn fill(&mut self, first: usize) {
        self.first = first;
        let Self { intake, dictionary, parts, .. } = self;
        let (intake, dictionary) = (*intake, *dictionary);
        let chunks = intake.records[first..].chunks(PART);
        thread::scope(|scope| {
            for (part, records) in parts.iter_mut().zip(chunks) {
                let mut write = move || {
                    part.bytes.clear();
                    part.ends.clear();
                    for record in records {
                        dictionary.write(intake, record, &mut part.bytes);
                        part.ends.push(part.bytes.len() as u32);
                    }
                };
                // A small catalogue is not worth a thread.
                if intake.records.len() < PART {
                    write();
                } else {
                    scope.spawn(write);
                }
            }
        });
    }
}
