//! The post: what the control socket answers from.

use crate::catalogue::Notes;
use crate::clock::word;
use crate::control::Answering;
use crate::gateway::board::{self, Board, CatalogueShown, Listener, Upstreams};
use crate::gateway::crowd;
use crate::last_good::Waiting;
use crate::lists::shelf::Shelf;
use crate::state::State;
use crate::when;
use agreements::Problem;
use chrono::{DateTime, Utc};
use records::{Clock, InForce, Records};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// What is known of the running gateway, for whoever asks.
pub(crate) struct Post {
    pub(crate) in_force: Arc<InForce>,
    pub(crate) records: Arc<Records>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) pretended: bool,
    pub(crate) started: DateTime<Utc>,
    pub(crate) state: State,
    /// Rung when somebody changed the lists.
    pub(crate) lists: Arc<Notify>,
    /// What changes while it runs.
    pub(crate) shown: Mutex<Shown>,
}

/// What changes while the gateway runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) upstreams: Option<Upstreams>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) needs_restart: Vec<&'static str>,
    /// The one client that everybody looks like.
    pub(crate) everybody: Option<IpAddr>,
}

impl Post {
    /// Changes what is shown.
    pub(crate) fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn board(&self) -> Board {
        let (current, now) = (self.in_force.to_keep(), self.clock.now());
        let (house, info) = (&current.snapshot.house, current.snapshot.catalogue.info());
        let zone = house.home().timezone;
        let notes = Notes::load(&self.state).unwrap_or_default();
        let Shown { listeners, upstreams, waiting, mut warnings, needs_restart, everybody } = self.shown();
        warnings.extend(everybody.and_then(|address| crowd::problem(house, address)));
        Board {
            running: true,
            version: env!("HEARTHGATE_VERSION"),
            home: house.home().name.clone(),
            pid: Some(std::process::id()),
            started: Some(when::rfc3339(self.started, zone)),
            now: when::rfc3339(now, zone),
            clock: word(self.clock.state()),
            pretended: self.pretended,
            listeners,
            upstreams,
            lists: board::lists(house, Some(&Shelf::at(self.state.lists())), &notes, crate::clock::now()),
            catalogue: CatalogueShown {
                names: info.names,
                bytes: info.bytes,
                compiled: notes.compiled.map(|at| when::rfc3339(at, zone)),
            },
            online: board::online(&self.records, house, now).await,
            waiting,
            warnings,
            needs_restart,
            records: self.records.status().await.ok(),
        }
    }

    async fn answer(&self, question: &str) -> Option<Value> {
        match question {
            "status" => serde_json::to_value(self.board().await).ok(),
            "clock" => Some(json!({"now": self.clock.now().to_rfc3339(), "pretended": self.pretended})),
            "lists-changed" => {
                self.lists.notify_one();
                Some(json!({"heard": true}))
            }
            _ => None,
        }
    }
}

/// The answers for the control socket.
pub(crate) fn answering(post: Arc<Post>) -> Answering {
    Arc::new(move |question: &str| {
        let (post, question) = (post.clone(), question.to_owned());
        Box::pin(async move { post.answer(&question).await })
    })
}
