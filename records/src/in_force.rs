//! What is in force now: the home's files and the catalogue, what staff decided, what has been used.

use agreements::{Snapshot, Standing};
use arc_swap::{ArcSwap, Guard};
use std::sync::Arc;
use tokio::sync::watch;

/// One consistent view: a standing is only good with the house it was built for.
#[derive(Debug)]
pub struct Current {
    /// The home's files and the catalogue.
    pub snapshot: Arc<Snapshot>,
    /// What staff decided and what has been used.
    pub standing: Arc<Standing>,
    /// Which replacement this is, from 1. Whoever caches by house compares it.
    pub generation: u64,
    /// Which minutes are in use, by the house's people.
    pub sheet: Arc<crate::minutes::Sheet>,
}

/// The atomic pointer to what is in force. Readers take no lock; writers replace the whole.
#[derive(Debug)]
pub struct InForce {
    current: ArcSwap<Current>,
    changed: watch::Sender<u64>,
}

impl InForce {
    /// Starts with a first view.
    pub fn new(snapshot: Arc<Snapshot>, standing: Arc<Standing>) -> Self {
        let sheet = Arc::new(crate::minutes::Sheet::new(&snapshot.house));
        let current = Current { snapshot, standing, generation: 1, sheet };
        Self { current: ArcSwap::from_pointee(current), changed: watch::Sender::new(1) }
    }

    /// The view in force, for the length of one decision.
    pub fn current(&self) -> Guard<Arc<Current>> {
        self.current.load()
    }

    /// The view in force, to keep.
    pub fn to_keep(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// Tells of every replacement: open tunnels judge again when it does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
