//! Open connections to origins, kept a short while for the next plain request to the same host and port.
//!
//! They belong to nobody: the next user may be another person. That is harmless, because every request is judged and its
//! host resolved for the person who asks before a connection is looked for, and only a connection to one of the
//! addresses just resolved is taken. Connections that a server ties to a login (NTLM, Negotiate) are never kept.

use super::answer::Body;
use crate::target::Target;
use hyper::client::conn::http1::SendRequest;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an unused connection is kept. Servers close theirs after 5 to 75 seconds, so this is a compromise.
const KEPT_FOR: Duration = Duration::from_secs(20);
/// How many are kept over all.
const MOST: usize = 256;
/// And for one host and port.
const MOST_OF_ONE: usize = 64;
/// How long a kept connection may take to say that it is ready: it either is or it is gone.
const READY_WITHIN: Duration = Duration::from_millis(100);

/// A way to send requests to an origin.
pub(super) type Sender = SendRequest<Body>;

/// The kept connections.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    by_target: HashMap<Target, Vec<Idle>>,
    count: usize,
}

struct Idle {
    sender: Sender,
    to: SocketAddr,
    since: Instant,
}

/// The way back to the pool of a connection in use.
pub(crate) struct Returns {
    pub(super) pool: Arc<Pool>,
    pub(super) target: Target,
    pub(super) to: SocketAddr,
    pub(super) sender: Sender,
}

impl Returns {
    /// Keeps the connection for the next request.
    pub(super) fn give_back(self) {
        if !self.sender.is_closed() {
            self.pool.keep(self.target, Idle { sender: self.sender, to: self.to, since: Instant::now() });
        }
    }
}

impl Pool {
    /// A kept connection to the target, if there is one to one of these addresses that is ready.
    pub(super) async fn take(
        &self,
        target: &Target,
        addresses: &[SocketAddr],
    ) -> Option<(Sender, SocketAddr)> {
        loop {
            let taken = self.shelf().take(target, addresses);
            let mut idle = taken?;
            let ready = tokio::time::timeout(READY_WITHIN, idle.sender.ready());
            if matches!(ready.await, Ok(Ok(()))) {
                return Some((idle.sender, idle.to));
            }
        }
    }

    fn keep(&self, target: Target, idle: Idle) {
        let mut shelf = self.shelf();
        if shelf.count >= MOST {
            shelf.drop_old();
        }
        let room = shelf.by_target.get(&target).is_none_or(|of_one| of_one.len() < MOST_OF_ONE);
        if shelf.count < MOST && room {
            shelf.by_target.entry(target).or_default().push(idle);
            shelf.count += 1;
        }
    }

    /// Closes what has been kept for too long.
    pub(super) fn drop_old(&self) {
        self.shelf().drop_old();
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    /// The one used last: it is the likeliest to be alive still.
    fn take(&mut self, target: &Target, addresses: &[SocketAddr]) -> Option<Idle> {
        let of_one = self.by_target.get_mut(target)?;
        let at = of_one
            .iter()
            .rposition(|idle| addresses.contains(&idle.to) && idle.since.elapsed() < KEPT_FOR)?;
        let idle = of_one.remove(at);
        if of_one.is_empty() {
            self.by_target.remove(target);
        }
        self.count -= 1;
        Some(idle)
    }

    fn drop_old(&mut self) {
        self.by_target.retain(|_, of_one| {
            of_one.retain(|idle| idle.since.elapsed() < KEPT_FOR && !idle.sender.is_closed());
            !of_one.is_empty()
        });
        self.count = self.by_target.values().map(Vec::len).sum();
    }
}
