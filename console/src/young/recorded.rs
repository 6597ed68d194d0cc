//! What is written down about me, and what I say of it.

use super::{Frame, Voice, Whose, said, shown};
use crate::ask::tidy;
use crate::pages::{Desk, Visit};
use crate::sent::Sent;
use agreements::{Detector, Evidence, Person};
use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, Uri};
use chrono::{DateTime, TimeDelta, Utc};
use records::{By, ByRole, Episode, Mark, NotDone, Order, Records, StoreError, Which};

/// The path of the form that says something about an episode.
pub(crate) const NOTE: &str = "/hearthgate/note";
/// What is shown goes back so far.
const DAYS: i64 = 30;
/// And is no more than this.
const SHOWN: i64 = 100;
/// Somebody says so often something about one episode.
const MOST_NOTES: usize = 5;

#[derive(Template)]
#[template(path = "young/recorded.html")]
struct RecordedPage {
    frame: Frame,
    lead: String,
    /// Which of many are shown, and where older ones are.
    part: Option<String>,
    older: Option<String>,
    action: String,
    episodes: Vec<Line>,
    /// What staff wrote down by hand: when and by whom, and the promise that it is about.
    by_hand: Vec<(String, Option<String>)>,
}

struct Line {
    entry: i64,
    said: String,
    /// What it was, where it was a way around that is known by its form.
    around: Option<&'static str>,
    when: String,
    told: bool,
    marks: Vec<&'static str>,
    notes: Vec<String>,
    token: Option<String>,
}

/// What the form sends.
#[derive(serde::Deserialize)]
pub(crate) struct NoteForm {
    entry: i64,
    token: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    words: String,
}

/// `/recorded`; `skip` of them stand on pages before.
pub(crate) async fn page(desk: &Desk, visit: &Visit, v: Voice, uri: &Uri) -> Response<Body> {
    let Whose::Own(person) = Whose::of(visit) else {
        return said(StatusCode::NOT_FOUND, v, visit, ("missing", &["recorded.not_here"]));
    };
    let skip = skipped(uri);
    let (episodes, count) = match of(desk.visitors.records(), person, visit.at, skip).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "what is written down could not be read");
            return said(StatusCode::SERVICE_UNAVAILABLE, v, visit, ("wrong", &["wrong.kept"]));
        }
    };
    let upto = skip.saturating_add(episodes.len() as u64);
    let page = RecordedPage {
        frame: Frame::of(v, visit, "/recorded", v.say("recorded")),
        lead: v.fill("recorded.lead", &[("days", &DAYS.to_string())]),
        part: (count > episodes.len() as u64).then(|| part(v, skip, episodes.len(), count)),
        older: (!episodes.is_empty() && upto < count).then(|| v.link(&format!("/recorded?skip={upto}"))),
        action: v.link(NOTE),
        by_hand: by_hand(desk.visitors.records(), visit, person, v).await,
        episodes: episodes.iter().map(|episode| line(desk, visit, v, episode)).collect(),
    };
    shown(StatusCode::OK, &page)
}

/// That staff wrote something down, and about which promise. Their words may name others, and are told by them.
async fn by_hand(
    records: &Records,
    visit: &Visit,
    person: &Person,
    v: Voice,
) -> Vec<(String, Option<String>)> {
    let span = (visit.at - TimeDelta::days(DAYS), visit.at + TimeDelta::seconds(1));
    let written = records.incidents(Some(&person.id), span).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what staff wrote down could not be read");
        Vec::new()
    });
    let zone = visit.current.snapshot.house.home().timezone;
    let one = |one: records::WrittenDown| {
        let when = v.when(one.at, visit.at, zone);
        let line = v.fill("recorded.by_hand.line", &[("when", &when), ("name", &one.incident.by.name)]);
        (line, one.incident.about.map(|line| v.fill("recorded.by_hand.about", &[("line", &line.text)])))
    };
    written.into_iter().map(one).collect()
}

/// How many stand on the pages before, as the address says.
fn skipped(uri: &Uri) -> u64 {
    let query = uri.query().unwrap_or_default();
    query.split('&').find_map(|pair| pair.strip_prefix("skip=")?.parse().ok()).unwrap_or(0)
}

/// Which of many a page shows.
fn part(v: Voice, skip: u64, shown: usize, count: u64) -> String {
    let (from, to) = (skip.saturating_add(1), skip.saturating_add(shown as u64));
    let put = [("from", from.to_string()), ("to", to.to_string()), ("count", count.to_string())];
    v.fill("recorded.part", &put.each_ref().map(|(key, value)| (*key, value.as_str())))
}

/// The newest of somebody's after so many, and how many there are.
async fn of(
    records: &Records,
    person: &Person,
    now: DateTime<Utc>,
    skip: u64,
) -> Result<(Vec<Episode>, u64), StoreError> {
    let from = Some(now - TimeDelta::days(DAYS));
    let which = Which { from, person: Some(person.id.clone()), ..Which::default() };
    let count = records.shares(&which).await?.iter().map(|(_, counted)| counted.all()).sum();
    Ok((
        records
            .episodes_in(&which, Order::Newest, i64::try_from(skip).unwrap_or(i64::MAX), SHOWN)
            .await?
            .episodes,
        count,
    ))
}

/// What an episode's form is made for, in place of a host: no host has a space.
fn about(entry: i64) -> String {
    format!("entry {entry}")
}

fn own_notes(episode: &Episode) -> impl Iterator<Item = &records::Note> {
    episode.notes.iter().filter(|note| note.by.role == ByRole::YoungPerson)
}

fn line(desk: &Desk, visit: &Visit, v: Voice, episode: &Episode) -> Line {
    let key = match episode.evidence {
        Evidence::Lookup => "recorded.lookup",
        Evidence::Connection => "recorded.connection",
        Evidence::Navigation => "recorded.navigation",
        Evidence::Repeated => "recorded.repeated",
    };
    let site = match episode.site.as_str() {
        "sealed" => v.say("recorded.sealed"),
        many if records::OF_MANY.contains(&many) => v.say("recorded.many"),
        site => site,
    };
    let device = episode.device.as_deref().unwrap_or(v.say("recorded.device"));
    let zone = visit.current.snapshot.house.home().timezone;
    let first = episode.first.with_timezone(&zone);
    let (day, date) = (v.weekday(first.date_naive()), v.date(first.date_naive()));
    let often = match episode.count {
        ..2 => String::new(),
        count => format!(" · {}", v.fill("recorded.times", &[("count", &count.to_string())])),
    };
    let mark = |mark: &records::Marked| match mark.mark {
        Mark::SpokeWithThem => v.say("recorded.mark.spoke_with_them"),
        Mark::FalseAlarm => v.say("recorded.mark.false_alarm"),
        Mark::TheirReport => v.say("recorded.mark.their_report"),
    };
    let may = own_notes(episode).count() < MOST_NOTES;
    Line {
        entry: episode.entry,
        said: v.fill(key, &[("device", device), ("site", site)]),
        around: episode.detector.as_deref().and_then(Detector::of_key).map(|one| v.of_detector(one)),
        when: format!("{day} {date}, {}{often}", first.format("%H:%M")),
        told: episode.reported,
        marks: episode.marks.iter().map(mark).collect(),
        notes: own_notes(episode)
            .map(|note| v.fill("recorded.note.said", &[("words", &note.words)]))
            .collect(),
        token: may
            .then(|| desk.refusals.key().token(&visit.explanation.person, &about(episode.entry), visit.at)),
    }
}

/// `POST` [`NOTE`]: they say something about an episode of theirs.
pub(crate) async fn note(State(desk): State<Desk>, Sent { here, form }: Sent<NoteForm>) -> Response<Body> {
    let v = here.v;
    let (visit, _) = super::pin::signed_in(&desk, here.visit(&desk, ""), &here.headers).await;
    let made_here =
        |person: &str| desk.refusals.key().accepts(&form.token, person, &about(form.entry), visit.at);
    let person = Whose::of(&visit).own().filter(|person| made_here(&person.id));
    let Some(person) = person else {
        return said(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.old"]));
    };
    match keep(desk.visitors.records(), person, &form).await {
        Ok(true) => said(StatusCode::OK, v, &visit, ("recorded.note.done", &["recorded.note.done.1"])),
        Ok(false) => said(StatusCode::TOO_MANY_REQUESTS, v, &visit, ("ask.often", &["recorded.note.often"])),
        Err(why) => {
            tracing::warn!(%why, "what somebody said of an episode was not kept");
            said(StatusCode::SERVICE_UNAVAILABLE, v, &visit, ("wrong", &["wrong.kept"]))
        }
    }
}

/// Keeps it; false where they have said much about it already. What staff read is always in the home's own language.
async fn keep(records: &Records, person: &Person, form: &NoteForm) -> Result<bool, NotDone> {
    let episode = records.episode(form.entry).await?.filter(|episode| episode.person == person.id);
    let episode = episode.ok_or(NotDone::NoEntry(form.entry))?;
    if own_notes(&episode).count() >= MOST_NOTES {
        return Ok(false);
    }
    let english = Voice::default();
    let chosen = match form.kind.as_str() {
        "not_me" => english.say("recorded.note.not_me"),
        "advert" => english.say("recorded.note.advert"),
        "mistake" => english.say("recorded.note.mistake"),
        _ => "",
    };
    let words = tidy(&format!("{chosen} {}", form.words));
    let by = By { role: ByRole::YoungPerson, id: person.id.clone(), name: person.name.clone() };
    records.note(form.entry, by, &words).await?;
    Ok(true)
}
