//! **Audit**: who looked at and changed what, as the journal has it.

use super::Place;
use super::page::{Frame, clock, html};
use super::session::SignedIn;
use super::wrong::Wrong;
use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use records::{Booking, By, ByRole, Entry, Logged, SignInFailed};
use serde::Deserialize;

/// Entries that are looked through for one page.
const READ: i64 = 1000;

#[derive(Template)]
#[template(path = "desk/audit.html")]
struct AuditPage {
    frame: Frame,
    lines: Vec<Line>,
    earlier: Option<i64>,
}

struct Line {
    entry: i64,
    at: String,
    who: String,
    what: String,
    words: String,
}

/// From which entry back.
#[derive(Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    before: i64,
}

/// `GET /audit`.
pub(crate) async fn list(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(from): Query<From>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    desk.looks(&who, "who did what".to_owned()).await?;
    let newest = desk.records.head().await?.entries;
    let before = if from.before > 0 { from.before.min(newest + 1) } else { newest + 1 };
    let first = (before - READ).max(1);
    let entries = desk.records.entries(first).await?;
    let lines = entries.iter().rev().filter(|logged| logged.entry < before).filter_map(|logged| {
        let (by, what, words) = told(logged)?;
        let at = logged.at.parse::<DateTime<Utc>>().ok()?;
        Some(Line { entry: logged.entry, at: clock(house, at, now), who: by, what, words })
    });
    Ok(html(&AuditPage {
        frame: Frame::of("Who did what", "/accounts", house, &who),
        lines: lines.collect(),
        earlier: (first > 1).then_some(first),
    }))
}

/// Who, what, and their words; none for what nobody did.
fn told(logged: &Logged) -> Option<(String, String, String)> {
    let (by, what, words) = match logged.says.as_ref()? {
        Entry::Note(note) => (&note.by, format!("noted on entry {}", note.entry), &note.words),
        Entry::Mark(mark) => {
            (&mark.by, format!("marked entry {}: {}", mark.entry, super::words::mark(mark.mark)), &mark.words)
        }
        Entry::Concern(concern) => {
            (&concern.by, format!("raised a safeguarding concern for {}", concern.person), &concern.words)
        }
        Entry::ConcernClosed(closed) => {
            (&closed.by, format!("closed concern {}: {} has it", closed.entry, closed.with), &closed.words)
        }
        Entry::Report(report) => (&report.by, format!("a report by {}", report.person), &report.words),
        Entry::ReportOpened(opened) => {
            let what = format!("opened report {}, which was told for somebody else", opened.entry);
            return Some((author(&opened.by), what, String::new()));
        }
        Entry::ReportHeard(heard) => (&heard.by, format!("heard report {}", heard.entry), &heard.words),
        Entry::Review(review) => (&review.by, "signed a shift".to_owned(), &review.words),
        Entry::Grant(grant) => (&grant.by, format!("opened something for {}", grant.person), &grant.reason),
        Entry::GrantRevoked(ended) => (&ended.by, format!("took grant {} back", ended.entry), &ended.reason),
        Entry::Restriction(placed) => (&placed.by, format!("restricted {}", placed.person), &placed.reason),
        Entry::RestrictionEnded(ended) => {
            (&ended.by, format!("ended restriction {}", ended.entry), &ended.reason)
        }
        Entry::AuthorityTold(told) => {
            (&told.by, format!("told the authority of restriction {}", told.entry), &told.whom)
        }
        Entry::RestrictionReviewed(review) => {
            (&review.by, format!("reviewed restriction {}", review.entry), &review.reason)
        }
        Entry::AskAnswered(answered) => {
            let said = if answered.grant.is_some() { "yes" } else { "no" };
            (&answered.by, format!("answered ask {} with {said}", answered.entry), &answered.reason)
        }
        Entry::Device(booked) => {
            let said = match booked.booking {
                Booking::Out => "given out",
                Booking::In => "handed in",
                Booking::Lost => "lost",
                Booking::Inspected => "looked at together",
            };
            (&booked.by, format!("{}’s {}: {said}", booked.person, booked.device), &booked.words)
        }
        Entry::ShowAsked(show) => (&show.by, format!("asked {} to show them", show.person), &show.words),
        Entry::ShowAnswered(said) => {
            (&said.by, format!("entry {}: {}", said.entry, super::together::word(said.outcome)), &said.words)
        }
        Entry::Incident(said) => {
            (&said.by, format!("wrote an incident down about {}", said.person), &said.words)
        }
        Entry::StaffAction(action) => (&action.by, action.what.clone(), &action.why),
        Entry::AgreementRead(read) => {
            let what = format!("read the agreement of {}", read.person);
            return Some((author(&read.by), what, String::new()));
        }
        Entry::WrongList(said) => {
            (&said.by, format!("reported {} as wrong in a list", said.host), &said.words)
        }
        Entry::WrongListAnswered(said) => {
            (&said.by, format!("answered entry {} about a list", said.entry), &said.words)
        }
        Entry::BackedUp(copied) => {
            let what = format!("copied the records, up to entry {}", copied.entries);
            return Some((author(&copied.by), what, String::new()));
        }
        Entry::SignInFailed(failed) => return Some(failed_words(failed)),
        Entry::Started(_)
        | Entry::Stopped(_)
        | Entry::BreachOpened(_)
        | Entry::BreachesGrew(_)
        | Entry::BreachEnded(_)
        | Entry::Ask(_)
        | Entry::Shed(_)
        | Entry::Clock(_)
        | Entry::Files(_)
        | Entry::ListMissing(_)
        | Entry::MonitoringBegan(_)
        | Entry::MonitoringEnded(_)
        | Entry::Misfit(_)
        | Entry::Purged(_) => return None,
    };
    Some((author(by), what, words.clone()))
}

fn failed_words(failed: &SignInFailed) -> (String, String, String) {
    let whose = if failed.account.is_empty() { "an account that there is not" } else { &failed.account };
    let often = match failed.count {
        1 => "could not sign in".to_owned(),
        count => format!("could not sign in, {count} times"),
    };
    (format!("Somebody at {}", failed.address), format!("{often}: {whose}"), String::new())
}

fn author(by: &By) -> String {
    match by.role {
        ByRole::Staff => format!("{} ({})", by.name, by.id),
        ByRole::YoungPerson => by.name.clone(),
        ByRole::CommandLine => format!("{}, on the gateway itself", by.name),
        ByRole::Gateway => "the gateway".to_owned(),
    }
}
