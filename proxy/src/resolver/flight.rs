//! Questions on their way: whoever asks what is being asked already waits for the same answer.

use crate::cache::{Entry, Key};
use crate::upstream::Failure;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

type Outcome = Result<Arc<Entry>, Failure>;
type Seats = Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>;

/// The questions that are with the upstreams.
#[derive(Debug)]
pub(super) struct Flights {
    seats: Arc<Seats>,
    most: usize,
}

/// A question on its way.
#[derive(Debug)]
pub(super) struct Flight(watch::Receiver<Option<Outcome>>);

impl Flight {
    /// Waits for the answer.
    pub(super) async fn landed(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(Failure::NoAnswer)),
            // The task ended without an outcome.
            Err(_) => Err(Failure::NoAnswer),
        }
    }
}

/// Takes the question out of the table, however its task ends.
struct Seat(Arc<Seats>, Key);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Flights {
    pub(super) fn new(most: usize) -> Self {
        Self { seats: Arc::default(), most }
    }

    /// Joins the flight for a question, or begins one with `ask`. It goes on when nobody waits for it any more, so that
    /// the answer is there for the client's second try. `None`: there are too many.
    pub(super) fn join<F>(&self, key: Key, ask: impl FnOnce(Key) -> F) -> Option<Flight>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = seats.get(&key) {
            return Some(Flight(flight.clone()));
        }
        if seats.len() >= self.most {
            return None;
        }
        let (landed, flight) = watch::channel(None);
        seats.insert(key.clone(), flight.clone());
        let seat = Seat(Arc::clone(&self.seats), key.clone());
        let asking = ask(key);
        tokio::spawn(async move {
            let outcome = asking.await;
            // The answer is in the cache by now: whoever comes after this finds it there.
            drop(seat);
            landed.send_replace(Some(outcome));
        });
        Some(Flight(flight))
    }
}
