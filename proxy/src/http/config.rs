//! How the proxy is set up: how much, how long, what it may reach, and who answers for its own pages.

use super::answer::OwnBody;
use super::counters::Counters;
use crate::limits::Rate;
use crate::target::Reach;
use agreements::OWN_NAME;
use blocklists::Domain;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::{Request, Response};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// Answers requests for the gateway's own pages: those in origin form, and those for one of [`Config::own_names`]. It is
/// given the visitor's address and must itself check `Host` where that matters.
pub type OwnPages =
    Arc<dyn Fn(SocketAddr, Request<Incoming>) -> BoxFuture<'static, Response<OwnBody>> + Send + Sync>;

/// How the proxy is set up.
#[derive(Clone)]
pub struct Config {
    /// How much and how long.
    pub limits: Limits,
    /// What may be reached inside the home, and the gateway's own ports.
    pub reach: Reach,
    /// The names of the gateway itself.
    pub own_names: Vec<Domain>,
    /// Its own pages; without them it says that it is a proxy.
    pub own_pages: Option<OwnPages>,
    /// Whether an unknown device is asked for its token (`407`) instead of getting the baseline. Some programs can show a
    /// token only after they were asked; others then ask a person who has none, which is why it is off by default.
    pub ask_unknown_for_token: bool,
    /// Where to count.
    pub counters: Arc<Counters>,
}

/// How much and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections and tunnels open at once. For one more, the oldest of the client that has the most is closed.
    pub connections: usize,
    /// Of these, for one client ([`records::Face::counted`]). A few more are taken for protected names alone, and what
    /// comes beyond these is closed at once.
    pub per_client: usize,
    /// How many requests and tunnels one client may ask for; none for no limit.
    pub rate: Option<Rate>,
    /// How long a client may take over a request's head, and how long an unused connection is kept.
    pub head: Duration,
    /// How long looking up and how long connecting may take.
    pub dial: Duration,
    /// How long a client may take to show what it speaks inside a tunnel.
    pub opening: Duration,
    /// How long an origin may take to begin its answer after the request's last byte.
    pub answer: Duration,
    /// How long a plain exchange may be quiet.
    pub exchange_quiet: Duration,
    /// How long a tunnel may be quiet.
    pub tunnel_quiet: Duration,
    /// How long open tunnels and exchanges may go on after the proxy was told to stop.
    pub grace: Duration,
}

/// A number that is not zero.
const fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("the numbers written here are not zero")
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            per_client: 1024,
            // A page with everything on it is a few hundred requests; a whole flat of devices behind one address is one client.
            rate: Some(Rate { per_second: number(1000), burst: number(5000) }),
            head: Duration::from_secs(30),
            dial: Duration::from_secs(10),
            opening: Duration::from_secs(20),
            answer: Duration::from_secs(60),
            exchange_quiet: Duration::from_secs(5 * 60),
            // Push services send something every few minutes; the longest known is Apple's, below 15 minutes on Wi-Fi.
            tunnel_quiet: Duration::from_secs(20 * 60),
            grace: Duration::from_secs(5),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            reach: Reach::default(),
            own_names: vec![Domain::parse(OWN_NAME).expect("a written name in normal form")],
            own_pages: None,
            ask_unknown_for_token: false,
            counters: Arc::default(),
        }
    }
}
