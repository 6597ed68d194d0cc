//! What staff make of an episode: a note, a mark, a concern.

use super::session::SignedIn;
use super::shift::{asked, span};
use super::wrong::Wrong;
use super::{Place, kept};
use agreements::Severity;
use axum::extract::{Extension, Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::SecondsFormat;
use records::{Episode, Mark, Records};
use serde::Deserialize;

/// What staff make of an episode.
#[derive(Deserialize)]
pub(crate) struct Made {
    #[serde(default)]
    mark: String,
    #[serde(default)]
    words: String,
    /// The page that it was read on.
    #[serde(default)]
    at: String,
    #[serde(default)]
    upto: String,
}

/// `POST /episodes/{entry}`: a note, a mark, a concern.
pub(crate) async fn mark(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(made): Form<Made>,
) -> Result<Response, Wrong> {
    let to = marks(&place, &who, entry, &made).await.map_err(|wrong| wrong.with(&[&made.words]))?;
    Ok(Redirect::to(&to).into_response())
}

/// Marks it: where to go back to.
async fn marks(place: &Place, who: &SignedIn, entry: i64, made: &Made) -> Result<String, Wrong> {
    let records = &place.desk.records;
    let episode = records.episode(entry).await?.ok_or(Wrong::Missing)?;
    let current = place.desk.in_force.to_keep();
    let house = &current.snapshot.house;
    // What is sealed is raised by whoever is there, whether or not they may read it.
    if made.mark != "concern" || episode.severity != Severity::Critical {
        kept::readable(records, house, who, &episode.person).await?;
    }
    let done = make(records, &episode, who, made).await?;
    // Back to the page that it was read on, which may be of several shifts.
    let now = place.desk.now();
    let read = asked(house, &made.at, &made.upto, now);
    let read = read.filter(|shift| episode.first < shift.to && episode.last >= shift.from);
    let query = match read {
        Some(shift) => span(house, shift, now).query(),
        None => format!("at={}", episode.first.to_rfc3339_opts(SecondsFormat::Secs, true)),
    };
    Ok(format!("/shift?{query}&done={done}#episode-{entry}"))
}

async fn make(
    records: &Records,
    episode: &Episode,
    who: &SignedIn,
    made: &Made,
) -> Result<&'static str, Wrong> {
    let entry = episode.entry;
    Ok(match made.mark.as_str() {
        "note" => records.note(entry, who.by(), &made.words).await.map(|_| "noted")?,
        "spoke" => records.mark(entry, who.by(), Mark::SpokeWithThem, &made.words).await.map(|_| "noted")?,
        "false" => records.mark(entry, who.by(), Mark::FalseAlarm, &made.words).await.map(|_| "noted")?,
        "told" => records.mark(entry, who.by(), Mark::TheirReport, &made.words).await.map(|_| "noted")?,
        "concern" => {
            records.concern(entry, &episode.person, who.by(), &made.words).await.map(|_| "concern")?
        }
        _ => return Err(Wrong::Missing),
    })
}
