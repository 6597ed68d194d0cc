//! **Lists**: how each is, why a site is closed or open, and a wrong entry reported. **Coverage**: what this set-up can and
//! cannot hold.

use super::given::outcome;
use super::page::{Frame, clock, html};
use super::running::List;
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Place, kept};
use agreements::{Covered, Held, Host, House, PersonId, Request, Role};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use blocklists::{Catalogue, Domain};
use chrono::{DateTime, Utc};
use records::Current;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "desk/lists.html")]
struct ListsPage {
    frame: Frame,
    lists: Vec<List>,
    names: u64,
    host: String,
    found: Option<Found>,
    wrong: Option<String>,
    reports: bool,
    /// What is wrong in a list and nobody has answered; and whether whoever reads it answers.
    open: Vec<Wronged>,
    answers: bool,
}

/// A site about which somebody found a list to be wrong.
struct Wronged {
    entry: i64,
    host: String,
    words: String,
    by: String,
    at: String,
}

/// What is known of a site.
struct Found {
    host: String,
    categories: Vec<String>,
    service: Option<String>,
    sealed: bool,
    /// What it is for each person now; empty for whoever is shown no names.
    people: Vec<(String, &'static str, String)>,
}

/// What somebody looks for.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    host: String,
    #[serde(default)]
    done: String,
}

/// A wrong entry.
#[derive(Deserialize)]
pub(crate) struct Report {
    host: String,
    #[serde(default)]
    why: String,
}

/// What became of it.
#[derive(Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    words: String,
}

/// `GET /lists`.
pub(crate) async fn show(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(asked): Query<Asked>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let state = desk.running.state().await;
    let typed = asked.host.trim();
    let parsed = (!typed.is_empty()).then(|| host_of(typed));
    if let (Some(Some(host)), true) = (&parsed, who.knows_names()) {
        desk.looks(&who, format!("what everybody may do with {}", host.as_str())).await?;
    }
    let done = match asked.done.as_str() {
        "reported" => {
            Some("Written down. It stands here for whoever looks after the lists until they answer it.")
        }
        "answered" => Some("Answered. The journal has it."),
        _ => None,
    };
    let house = &current.snapshot.house;
    let open = if who.role == Role::Visitor { Vec::new() } else { desk.records.open_wrong().await? };
    let open = open.into_iter().map(|found| Wronged {
        entry: found.entry,
        host: found.said.host,
        words: found.said.words,
        by: found.said.by.name,
        at: clock(house, found.at, now),
    });
    Ok(html(&ListsPage {
        frame: Frame::of("Lists", "/lists", &current.snapshot.house, &who).after(done),
        lists: state.lists,
        names: state.names,
        wrong: matches!(parsed, Some(None)).then(|| format!("`{typed}` is no site.")),
        found: parsed.flatten().map(|host| found(&current, &who, &host, now)),
        host: typed.to_owned(),
        reports: who.knows_names(),
        open: open.collect(),
        answers: matches!(who.role, Role::Manager | Role::It),
    }))
}

/// The site in what somebody typed, a whole address too.
fn host_of(typed: &str) -> Option<Domain> {
    let bare = typed.split_once("://").map_or(typed, |(_, rest)| rest);
    Domain::parse(bare.split(['/', '?', '#']).next().unwrap_or_default()).ok()
}

fn found(current: &Current, who: &SignedIn, host: &Domain, now: DateTime<Utc>) -> Found {
    let (house, catalogue): (&House, &Catalogue) = (&current.snapshot.house, &current.snapshot.catalogue);
    let request = Request { host: Host::Name(host.name()), tags: catalogue.lookup(host.name()), path: None };
    let explain = |person: PersonId| {
        house.explain(person, now, &request, &kept::standing(&current.standing, (house, who), person))
    };
    let about = explain(House::NOBODY);
    let sealed = about.rule == agreements::Rule::Sealed;
    let people = house.people().filter(|_| who.knows_names()).map(|(id, person)| {
        let said = explain(id);
        (person.name.clone(), outcome(said.verdict), said.sentence)
    });
    Found {
        host: host.as_str().to_owned(),
        // Nobody is told what stands on a sealed list.
        categories: about.categories.iter().filter(|_| !sealed).map(|word| word.replace('_', " ")).collect(),
        service: about.service.filter(|_| !sealed).map(str::to_owned),
        sealed,
        people: people.collect(),
    }
}

/// `POST /lists/report`: a site that stands on a list and should not, or the other way round.
pub(crate) async fn report(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(report): Form<Report>,
) -> Result<Response, Wrong> {
    found_wrong(&place, &who, &report).await.map_err(|wrong| wrong.with(&[&report.host, &report.why]))?;
    Ok(Redirect::to("/lists?done=reported").into_response())
}

async fn found_wrong(place: &Place, who: &SignedIn, report: &Report) -> Result<(), Wrong> {
    let host = host_of(report.host.trim()).ok_or(Wrong::Missing)?;
    if report.why.trim().is_empty() {
        return Err(Wrong::Typed("Please say what is wrong about it, in a few words.".to_owned()));
    }
    place.desk.records.found_wrong(host.as_str(), who.by(), &report.why).await?;
    Ok(())
}

/// `POST /lists/reports/{entry}`: whoever looks after the lists says what became of it.
pub(crate) async fn answer(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(answer): Form<Answer>,
) -> Result<Response, Wrong> {
    let done = place.desk.records.answer_wrong(entry, who.by(), &answer.words).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&answer.words]))?;
    Ok(Redirect::to("/lists?done=answered").into_response())
}

#[derive(Template)]
#[template(path = "desk/coverage.html")]
struct CoveragePage {
    frame: Frame,
    groups: Vec<(&'static str, &'static str, Vec<Covered>)>,
}

/// `GET /coverage`.
pub(crate) async fn coverage(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let current = desk.in_force.to_keep();
    let lines = desk.running.coverage().await;
    let kinds = [
        (Held::Holds, "Held", "gives"),
        (Held::Partly, "Held in part", "takes"),
        (Held::Off, "Switched off", "takes"),
        (Held::Cannot, "Cannot be held from here", "high"),
    ];
    let of = |held| lines.iter().filter(|line| line.held == held).cloned().collect::<Vec<_>>();
    let groups = kinds.into_iter().map(|(held, said, class)| (said, class, of(held)));
    let groups = groups.filter(|(_, _, lines)| !lines.is_empty()).collect();
    let frame = Frame::of("What this set-up holds", "/lists", &current.snapshot.house, &who);
    Ok(html(&CoveragePage { frame, groups }))
}
