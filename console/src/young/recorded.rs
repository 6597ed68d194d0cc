//! What is written down about me, and what I say of it.

use super::line::{Line, Part};
use super::{Frame, Voice, Whose, given_back, said, shown};
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
/// What they may choose to say: the form's word, and the key of what it says.
const CHOICES: [(&str, &str); 3] = [
    ("not_me", "recorded.note.not_me"),
    ("advert", "recorded.note.advert"),
    ("mistake", "recorded.note.mistake"),
];
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
    episodes: Vec<Told>,
    /// What staff wrote down by hand: when and by whom, and the promise that it is about.
    by_hand: Vec<(String, Option<Line>)>,
}

/// An episode, as it is told.
struct Told {
    entry: i64,
    said: String,
    /// What it was, where it was a way around that is known by its form.
    around: Option<&'static str>,
    when: String,
    told: bool,
    marks: Vec<&'static str>,
    notes: Vec<Line>,
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
        episodes: episodes.iter().map(|episode| told(desk, visit, v, episode)).collect(),
    };
    shown(StatusCode::OK, &page)
}

/// That staff wrote something down, and about which promise. Their words may name others, and are told by them.
async fn by_hand(records: &Records, visit: &Visit, person: &Person, v: Voice) -> Vec<(String, Option<Line>)> {
    let span = (visit.at - TimeDelta::days(DAYS), visit.at + TimeDelta::seconds(1));
    let written = records.incidents(Some(&person.id), span).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what staff wrote down could not be read");
        Vec::new()
    });
    let zone = visit.current.snapshot.house.home().timezone;
    let one = |one: records::WrittenDown| {
        let when = v.when(one.at, visit.at, zone);
        let line = v.fill("recorded.by_hand.line", &[("when", &when), ("name", &one.incident.by.name)]);
        (
            line,
            one.incident.about.map(|line| v.around("recorded.by_hand.about", [Part::of_home(v, line.text)])),
        )
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

/// What a device did, in a sentence.
pub(crate) fn sentence(episode: &Episode, v: Voice) -> String {
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
    v.fill(key, &[("device", device), ("site", site)])
}

/// What they said of it themself.
pub(crate) fn notes(episode: &Episode, v: Voice) -> Vec<Line> {
    own_notes(episode).map(|note| said_of_it(&note.words, v)).collect()
}

fn told(desk: &Desk, visit: &Visit, v: Voice, episode: &Episode) -> Told {
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
    Told {
        entry: episode.entry,
        said: sentence(episode, v),
        around: episode.detector.as_deref().and_then(Detector::of_key).map(|one| v.of_detector(one)),
        when: format!("{day} {date}, {}{often}", first.format("%H:%M")),
        told: episode.reported,
        marks: episode.marks.iter().map(mark).collect(),
        notes: notes(episode, v),
        token: may
            .then(|| desk.refusals.key().token(&visit.explanation.person, &about(episode.entry), visit.at)),
    }
}

/// What they said of it: what they chose in the page's own words, what they wrote as they wrote it.
fn said_of_it(words: &str, v: Voice) -> Line {
    let chosen = CHOICES.iter().find_map(|(_, key)| {
        let rest = words.strip_prefix(Voice::default().say(key))?;
        (rest.is_empty() || rest.starts_with(' ')).then_some((v.say(key), rest))
    });
    let (chosen, rest) = chosen.unwrap_or(("", words));
    v.around("recorded.note.said", [Part::ours(chosen), Part::of_them(v, rest)])
}

/// `POST` [`NOTE`]: they say something about an episode of theirs.
pub(crate) async fn note(State(desk): State<Desk>, Sent { here, form }: Sent<NoteForm>) -> Response<Body> {
    let (v, words) = (here.v, form.words.as_str());
    let (visit, _) = super::pin::signed_in(&desk, here.visit(&desk, ""), &here.headers).await;
    let made_here =
        |person: &str| desk.refusals.key().accepts(&form.token, person, &about(form.entry), visit.at);
    let person = Whose::of(&visit).own().filter(|person| made_here(&person.id));
    let Some(person) = person else {
        return given_back(StatusCode::FORBIDDEN, v, &visit, ("wrong", &["wrong.old"]), words);
    };
    match keep(desk.visitors.records(), person, &form).await {
        Ok(true) => said(StatusCode::OK, v, &visit, ("recorded.note.done", &["recorded.note.done.1"])),
        Ok(false) => {
            let often = ("ask.often", &["recorded.note.often"][..]);
            given_back(StatusCode::TOO_MANY_REQUESTS, v, &visit, often, words)
        }
        Err(why) => {
            tracing::warn!(%why, "what somebody said of an episode was not kept");
            given_back(StatusCode::SERVICE_UNAVAILABLE, v, &visit, ("wrong", &["wrong.kept"]), words)
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
    let chosen = CHOICES.iter().find(|(kind, _)| *kind == form.kind);
    let chosen = chosen.map_or("", |(_, key)| Voice::default().say(key));
    let words = tidy(&format!("{chosen} {}", form.words));
    let by = By { role: ByRole::YoungPerson, id: person.id.clone(), name: person.name.clone() };
    records.note(form.entry, by, &words).await?;
    Ok(true)
}
