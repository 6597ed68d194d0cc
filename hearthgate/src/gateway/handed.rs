//! Who hands out addresses in the home beside the router: asked for now and then, while nobody waits.

use agreements::{Gateway, Router};
use futures_util::future::join_all;
use proxy::identify::others_that_hand_out;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is asked.
const EVERY: Duration = Duration::from_secs(600);

/// A server that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    /// The home's interface that it was heard on.
    pub(crate) interface: String,
    pub(crate) server: Ipv4Addr,
}

/// What was heard when it was last asked, and when that was.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    last: Option<Instant>,
    heard: Arc<Mutex<Vec<Handed>>>,
}

impl Asked {
    /// What was heard last on the home's interfaces. When it is time it is asked again, by a task of its own.
    pub(crate) fn look(&mut self, gateway: &Gateway) -> Vec<Handed> {
        let Router::Nftables { lan, .. } = &gateway.router else { return Vec::new() };
        if self.last.is_none_or(|then| then.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            tokio::spawn(ask(lan.clone(), Arc::clone(&self.heard)));
        }
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|one| lan.contains(&one.interface)).cloned().collect()
    }
}

async fn ask(lan: Vec<String>, heard: Arc<Mutex<Vec<Handed>>>) {
    let all = join_all(lan.into_iter().map(ask_on)).await.concat();
    *heard.lock().unwrap_or_else(PoisonError::into_inner) = all;
}

async fn ask_on(interface: String) -> Vec<Handed> {
    match others_that_hand_out(&interface).await {
        Ok(servers) => {
            servers.into_iter().map(|server| Handed { interface: interface.clone(), server }).collect()
        }
        Err(error) => {
            tracing::debug!(%error, interface, "who else hands out addresses there cannot be asked");
            Vec::new()
        }
    }
}
