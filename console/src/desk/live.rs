//! What pages follow: that something has changed, that the gateway still runs, that the session is over.
//!
//! An event carries nothing about anybody: the page asks for itself again, by the same rules as ever.

use super::Place;
use super::session::token;
use super::wrong::Wrong;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use futures_util::stream::{Stream, unfold};
use records::News;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

/// A page hears at least this often that the gateway runs.
const STILL: Duration = Duration::from_secs(10);
/// Changes that come together are told together.
const TOGETHER: Duration = Duration::from_millis(200);
/// Minutes go by without any news: a page looks again this often.
const AGAIN: u32 = 3;
/// Pages that follow at the same time.
pub(super) const FOLLOWERS: usize = 64;

/// What a page follows.
struct Following {
    place: Place,
    token: String,
    news: broadcast::Receiver<News>,
    in_force: watch::Receiver<u64>,
    still: tokio::time::Interval,
    beats: u32,
    over: bool,
    _room: tokio::sync::OwnedSemaphorePermit,
}

/// `POST /here`: somebody is typing or reading; the guard has noted it.
pub(crate) async fn here() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// `GET /live`.
pub(crate) async fn follow(
    State(place): State<Place>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Wrong> {
    let token = token(&headers, place.secure).ok_or(Wrong::SignedOut)?.to_owned();
    let room = Arc::clone(&place.desk.followers).try_acquire_owned();
    let room = room.map_err(|_| Wrong::Often("Too many pages are open at once.".to_owned()))?;
    let mut still = interval_at(Instant::now() + STILL, STILL);
    still.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (news, in_force) = (place.desk.records.news(), place.desk.in_force.changes());
    let following = Following { place, token, news, in_force, still, beats: 0, over: false, _room: room };
    Ok(Sse::new(events(following)))
}

/// Room for so many followers.
pub(super) fn followers() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(FOLLOWERS))
}

fn events(following: Following) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(following, |mut following| async move {
        if following.over {
            return None;
        }
        let name = following.next().await;
        following.over = name == "over";
        Some((Ok(Event::default().event(name).data("-")), following))
    })
}

impl Following {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.still.tick() => return self.beat().await,
            // Whoever misses some news looks again all the same.
            _ = self.news.recv() => {}
            _ = self.in_force.changed() => {}
        }
        sleep(TOGETHER).await;
        while !matches!(
            self.news.try_recv(),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed)
        ) {}
        self.in_force.mark_unchanged();
        "changed"
    }

    async fn beat(&mut self) -> &'static str {
        let lives = self.place.desk.who(&self.token, false).await;
        if !matches!(lives, Ok(Some(_)) | Err(_)) {
            return "over";
        }
        self.beats += 1;
        if self.beats.is_multiple_of(AGAIN) { "changed" } else { "still" }
    }
}
