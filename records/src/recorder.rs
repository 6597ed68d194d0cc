//! The hot path's side of the journal: it never waits.

use crate::refused::Refused;

/// Hands refusals to the journal's own task. Cloning is cheap; handing over never waits and never fails.
#[derive(Clone, Debug)]
pub struct Recorder {}

impl Recorder {
    /// Hands over one refusal. When the bounded queue is full it is shed, counted, and the count is itself recorded.
    ///
    /// The caller does not look at `verdict.record`: what may not be written down is dropped here.
    pub fn refused(&self, refused: Refused) {
        let _ = refused;
        todo!()
    }
}
