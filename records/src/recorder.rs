//! The hot path's side of the journal: it never waits.
//!
//! Refusals go through a bounded queue to one task, which looks at it soon after the first of them came, folds them into
//! episodes and commits what changed a few times a second. Nothing here grows with what a stranger sends: the queue, the open episodes and what waits for the
//! disk are bounded, and what does not fit is counted and the count recorded.

mod queue;
mod task;

use crate::in_force::InForce;
use crate::refusal::{Becomes, Total, becomes, is_urgent, total};
use crate::refused::Refused;
use crate::room::Records;
use agreements::{House, Verdict};
use chrono::{DateTime, Utc};
use queue::{Gathered, Queue};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// So many refusals wait at most: about 2 MiB, and more than three times what comes in the heaviest flood before the task looks.
pub const QUEUE: usize = 16_384;
/// So many more wait that tell staff much (high, critical, or a way around the gateway): a flood of others leaves them their
/// room.
pub const URGENT_QUEUE: usize = 4096;
/// What is new is committed this often, and counts of what goes on every second time: with the time that a commit takes, a
/// `kill -9` loses less than the last second.
pub const COMMIT_EVERY: Duration = Duration::from_millis(300);
/// The task looks at the queue this long after the first refusal came, so that one look is for many.
pub(crate) const GATHER: Duration = Duration::from_millis(20);
/// Marks of minutes are harvested this often.
pub(crate) const HARVEST_EVERY: Duration = Duration::from_secs(2);

thread_local! {
    /// Whose refusals this thread gathers.
    static GATHERING: Cell<*const Shared> = const { Cell::new(std::ptr::null()) };
    static GATHERED: RefCell<Gathered> = const { RefCell::new(Gathered::new()) };
}

/// Hands refusals to the journal's own task. Cloning is cheap; handing over never waits and never fails.
#[derive(Clone, Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
}

/// What the packet path and the task share.
#[derive(Debug)]
struct Shared {
    records: Arc<Records>,
    queue: Queue,
    urgent: Queue,
    /// Rings when something waits.
    bell: Notify,
    dropped: Dropped,
    totals: [AtomicU64; Total::ALL.len()],
    stop: Notify,
}

/// Refusals that did not fit since the last look.
#[derive(Debug, Default)]
struct Dropped {
    count: AtomicU64,
    /// Milliseconds since 1970; 0 for none.
    first: AtomicI64,
    last: AtomicI64,
}

impl Dropped {
    fn add(&self, at: DateTime<Utc>) {
        let at = at.timestamp_millis();
        let _ = self.first.compare_exchange(0, at, Ordering::Relaxed, Ordering::Relaxed);
        self.last.store(at, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Release);
    }

    /// Count, first, last since the last time.
    fn take(&self) -> Option<(u64, i64, i64)> {
        let count = self.count.swap(0, Ordering::Acquire);
        let (first, last) = (self.first.swap(0, Ordering::Relaxed), self.last.load(Ordering::Relaxed));
        (count > 0).then_some((count, if first == 0 { last } else { first }, last))
    }
}

/// This thread gathers. However that ends, what was gathered is handed over, and the next to gather finds nobody there.
struct Gathering<'r>(&'r Recorder);

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        GATHERING.set(std::ptr::null());
        let Shared { queue, bell, .. } = &*self.0.shared;
        // Nobody else has it: what the work borrowed it has given back, also where it panicked.
        GATHERED.with_borrow_mut(|gathered| queue.put_all(gathered, bell, |refused| self.0.shed(refused)));
    }
}

impl Recorder {
    /// Starts the journal's task. It ends, with everything committed, after [`Recorder::stop`].
    ///
    /// It also looks at the clock and harvests the minutes of what is in force.
    pub fn start(records: Arc<Records>, in_force: Arc<InForce>) -> (Self, JoinHandle<()>) {
        let shared = Arc::new(Shared {
            records,
            queue: Queue::new(QUEUE),
            urgent: Queue::new(URGENT_QUEUE),
            bell: Notify::new(),
            dropped: Dropped::default(),
            totals: Default::default(),
            stop: Notify::new(),
        });
        let task = task::Task::new(shared.clone(), in_force);
        (Self { shared }, tokio::spawn(task.run()))
    }

    /// Hands over one refusal. When the bounded queue is full it is shed, counted, and the count is itself recorded.
    ///
    /// The caller does not look at `verdict.record`: what may not be written down is dropped here.
    pub fn refused(&self, refused: &Refused<'_>) {
        match becomes(&refused.verdict) {
            Becomes::Nothing => {}
            Becomes::Total(total) => {
                self.shared.totals[total as usize].fetch_add(1, Ordering::Relaxed);
            }
            Becomes::Breach => {
                if self.is_gathering() && !is_urgent(refused) {
                    GATHERED.with_borrow_mut(|gathered| gathered.put(refused));
                } else if !self.hand_over(refused) {
                    self.shed(refused);
                }
            }
        }
    }

    /// Does something that may refuse much, and hands over under one lock what it refused. What is urgent does not wait for
    /// its end.
    pub fn gathering<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = GATHERING.replace(Arc::as_ptr(&self.shared));
        debug_assert!(before.is_null(), "one gathers at a time");
        let _until_it_is_dropped = Gathering(self);
        work()
    }

    fn is_gathering(&self) -> bool {
        std::ptr::eq(GATHERING.get(), Arc::as_ptr(&self.shared))
    }

    fn shed(&self, refused: &Refused<'_>) {
        self.shared.dropped.add(refused.at);
        self.shared.records.health.shed.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it found room. What tells staff much has its own, of which unknown devices never take the second half:
    /// anybody can be one.
    fn hand_over(&self, refused: &Refused<'_>) -> bool {
        let Shared { queue, urgent, bell, .. } = &*self.shared;
        let most = if House::is_unknown(refused.who) { URGENT_QUEUE / 2 } else { URGENT_QUEUE };
        is_urgent(refused) && urgent.put(refused, most, bell) || queue.put(refused, QUEUE, bell)
    }

    /// Notes that something was allowed. Nothing is kept of it but, where the verdict says so (communication aids,
    /// private mail), one more in the day's total.
    pub fn allowed(&self, verdict: &Verdict) {
        if let Some(total) = total(verdict) {
            self.shared.totals[total as usize].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that devices did something by themselves so often: that many more in the day's total, and nothing of whose it was.
    pub fn by_themselves(&self, count: u64) {
        self.shared.totals[Total::Technical as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Whether the task has ended, so that nothing more is recorded.
    pub fn is_stopped(&self) -> bool {
        self.shared.queue.is_closed()
    }

    /// Asks the task to commit what it has and to end. What is handed over after this is shed.
    pub fn stop(&self) {
        self.shared.stop.notify_one();
    }
}
