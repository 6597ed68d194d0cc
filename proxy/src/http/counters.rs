//! What the proxy counts of itself: totals without people, hosts or addresses.

use crate::target::TargetHost;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that is read while others change it.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Its value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn less(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    /// Counts one more for as long as what is returned lives.
    pub(crate) fn one(counters: &std::sync::Arc<Counters>, which: fn(&Counters) -> &Counter) -> One {
        which(counters).add(1);
        One { counters: std::sync::Arc::clone(counters), which }
    }
}

impl Counters {
    /// Counts a tunnel that was closed because of what it showed.
    pub(crate) fn refused_inside(&self, host: &TargetHost) {
        match host {
            TargetHost::Name(_) => self.names_refused.add(1),
            TargetHost::Address(_) => self.nameless_refused.add(1),
        }
    }
}

/// One of something that is open now.
pub(crate) struct One {
    counters: std::sync::Arc<Counters>,
    which: fn(&Counters) -> &Counter,
}

impl Drop for One {
    fn drop(&mut self) {
        (self.which)(&self.counters).less(1);
    }
}

/// The proxy's counters. All but the `…_open` ones only grow.
#[derive(Debug, Default)]
pub struct Counters {
    /// Client connections accepted.
    pub accepted: Counter,
    /// Client connections open now; one that became a tunnel still counts.
    pub connections_open: Counter,
    /// Client connections closed at once because that client had too many.
    pub too_many: Counter,
    /// Requests in absolute form.
    pub plain: Counter,
    /// `CONNECT` requests.
    pub connects: Counter,
    /// Connections that the router redirected here.
    pub redirected: Counter,
    /// Requests for the gateway's own pages.
    pub own: Counter,
    /// Requests refused by a verdict.
    pub refused: Counter,
    /// Requests answered with an error of ours (4xx, 5xx), refusals apart.
    pub problems: Counter,
    /// Requests with a token that belongs to no device.
    pub wrong_tokens: Counter,
    /// Tunnels and upgraded connections open now.
    pub tunnels_open: Counter,
    /// Plain exchanges under way now.
    pub exchanges_open: Counter,
    /// Ended because a verdict changed: the end of a window, a revoked grant, a changed agreement.
    pub cut_by_verdict: Counter,
    /// Ended because nothing passed for too long.
    pub cut_quiet: Counter,
    /// Tunnels closed because of the server name inside.
    pub names_refused: Counter,
    /// Tunnels closed because they show no name and their address is not allowed.
    pub nameless_refused: Counter,
    /// Tunnels whose hello has the encrypted-hello extension, noise included.
    pub encrypted_hellos: Counter,
    /// Connections dialled to origins.
    pub dialled: Counter,
    /// Requests that used an open connection to the origin again.
    pub reused: Counter,
}
