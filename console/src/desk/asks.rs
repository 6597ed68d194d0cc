//! **Asks**: what young people asked for, and staff's answers.

use super::lasting::{Lasting, tonight};
use super::now::person_name;
use super::page::{Frame, clock, html, length};
use super::reports::{Saw, told};
use super::session::SignedIn;
use super::wrong::Wrong;
use super::{Place, kept, proposal};
use crate::effect::still_closed;
use crate::young::{KIND, Voice};
use agreements::{GrantKind, Host, LiveGrant, Outcome, Person, Request, Standing};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use blocklists::Domain;
use chrono::{DateTime, TimeDelta, Utc};
use records::{Answer, Ask, Current, LONGEST_GRANT, Records};
use serde::Deserialize;

/// Answers that were given so long ago are shown below.
const ANSWERED: TimeDelta = TimeDelta::hours(24);

#[derive(Template)]
#[template(path = "desk/asks.html")]
struct AsksPage {
    frame: Frame,
    waiting: Vec<Waiting>,
    /// What they told staff: somebody who looks at this page alone hears of it, too.
    told: Vec<Saw>,
    answered: Vec<Done>,
    /// Kind reasons for a no; the first is chosen, or staff say it in their own words.
    kind: [&'static str; KIND.len()],
    proposal: Option<proposal::Proposal>,
    usual: Option<String>,
}

/// An ask that waits.
struct Waiting {
    entry: i64,
    name: String,
    host: String,
    words: String,
    waited: String,
    /// Why it is closed now.
    why: String,
    /// Why a yes would not open it.
    useless: Option<String>,
    tonight: Option<String>,
    /// Whether a line of the agreement could make a yes last: more time has none, nor has private mail alone.
    lasts: bool,
}

/// An ask that was answered.
struct Done {
    name: String,
    host: String,
    yes: bool,
    by: String,
    reason: String,
    at: String,
}

/// What the page shows besides.
#[derive(Deserialize)]
pub(crate) struct After {
    done: Option<String>,
    /// The ask whose line is proposed.
    line: Option<i64>,
}

/// A yes.
#[derive(Deserialize)]
pub(crate) struct Yes {
    #[serde(rename = "for")]
    lasting: String,
    #[serde(default)]
    why: String,
}

/// A no.
#[derive(Deserialize)]
pub(crate) struct No {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    why: String,
}

/// `GET /asks`.
pub(crate) async fn list(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(after): Query<After>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    desk.looks(&who, "what was asked".to_owned()).await?;
    let all = desk.records.asks(Some(now - ANSWERED)).await?;
    let proposal = after.line.and_then(|entry| all.iter().find(|ask| ask.entry == entry));
    let proposal = match proposal.filter(|ask| house.person(&ask.asked.person).is_some()) {
        Some(Ask { asked, .. }) => {
            let text = desk.running.text(&format!("agreements/{}.yaml", asked.person)).await;
            proposal::of(house, &asked.person, &asked.host, &text.unwrap_or_default())
        }
        None => None,
    };
    let minds = Minds::of(&desk.records, (&current, &who), now).await?;
    let waiting = desk.records.asks(None).await?.into_iter().rev().map(|ask| minds.waiting(ask));
    let frame = Frame::of("Asks", "/asks", house, &who).following().after(match after.done.as_deref() {
        Some("yes") => Some("Opened. It works within a second; they only load the page again."),
        Some("no") => Some("Answered. Your words stand in the journal for them and for the next shift."),
        _ => None,
    });
    let done = all.iter().filter_map(|ask| done(&current, ask, now)).collect();
    let usual = usual(&all);
    let (told, waiting) = (told(&desk.records, house, &who, now).await?, waiting.collect());
    Ok(html(&AsksPage { frame, waiting, told, answered: done, kind: KIND.map(kind_words), proposal, usual }))
}

/// A kind reason as staff choose it and the journal keeps it: in the home's own language.
fn kind_words(key: &str) -> &'static str {
    Voice::default().say(key)
}

/// How long asks waited of late: half of them no longer than this.
fn usual(all: &[Ask]) -> Option<String> {
    let mut waits: Vec<i64> =
        all.iter().filter_map(|ask| Some((ask.answered_at? - ask.at).num_minutes())).collect();
    waits.sort_unstable();
    waits.get(waits.len() / 2).map(|minutes| length(*minutes))
}

/// What the answers are weighed with.
struct Minds<'a> {
    current: &'a Current,
    reader: &'a SignedIn,
    grants: Vec<LiveGrant>,
    restrictions: Vec<agreements::LiveRestriction>,
    now: DateTime<Utc>,
}

impl<'a> Minds<'a> {
    async fn of(
        records: &Records,
        (current, reader): (&'a Current, &'a SignedIn),
        now: DateTime<Utc>,
    ) -> Result<Self, Wrong> {
        let (grants, restrictions) = (records.live_grants().await?, records.live_restrictions().await?);
        Ok(Self { current, reader, grants, restrictions, now })
    }

    fn waiting(&self, ask: Ask) -> Waiting {
        let house = &self.current.snapshot.house;
        let person = house.person(&ask.asked.person);
        let domain = Domain::parse(&ask.asked.host).ok();
        let why = person.zip(domain.as_ref()).map(|(who, domain)| {
            let tags = self.current.snapshot.catalogue.lookup(domain.name());
            let request = Request { host: Host::Name(domain.name()), tags, path: None };
            let standing = kept::standing(&self.current.standing, (house, self.reader), who);
            house.explain(who, self.now, &request, &standing)
        });
        let agreement = person.and_then(|who| house.agreement(who));
        Waiting {
            entry: ask.entry,
            name: person_name(house, &ask.asked.person),
            waited: length((self.now - ask.at).num_minutes()),
            why: match why {
                Some(why) if why.verdict == Outcome::Allow => "It is open now.".to_owned(),
                Some(why) => why.sentence,
                None if person.is_some() => String::new(),
                None => "Nobody of this home has this name any more.".to_owned(),
            },
            useless: agreement.zip(ask.asked.wanted()).and_then(|(person, kind)| self.useless(person, &kind)),
            tonight: person
                .and_then(|who| tonight(house, who, self.now))
                .map(|at| clock(house, at, self.now)),
            lasts: domain.is_some() && agreement.is_some_and(proposal::can_last),
            host: ask.asked.what().to_owned(),
            words: ask.asked.words,
        }
    }

    /// What a yes would leave closed: judged as if it were given.
    fn useless(&self, person: &Person, kind: &GrantKind) -> Option<String> {
        let house = &self.current.snapshot.house;
        let given = LiveGrant {
            entry: i64::MAX,
            person: person.id.clone(),
            kind: kind.clone(),
            from: self.now,
            until: self.now + LONGEST_GRANT,
            by: String::new(),
            supervision: None,
        };
        let grants: Vec<LiveGrant> = self.grants.iter().cloned().chain([given]).collect();
        let standing = Standing::new(house, &grants, &self.restrictions, &|_, _| 0);
        let catalogue = &self.current.snapshot.catalogue;
        still_closed((house, catalogue), &standing, person, kind, self.now).into_iter().next()
    }
}

fn done(current: &Current, ask: &Ask, now: DateTime<Utc>) -> Option<Done> {
    let (answered, at) = (ask.answered.as_ref()?, ask.answered_at?);
    let house = &current.snapshot.house;
    Some(Done {
        name: person_name(house, &ask.asked.person),
        host: ask.asked.what().to_owned(),
        yes: answered.grant.is_some(),
        by: answered.by.name.clone(),
        reason: answered.reason.clone(),
        at: format!("{}, after {}", clock(house, at, now), length((at - ask.at).num_minutes())),
    })
}

/// `POST /asks/{entry}/yes`.
pub(crate) async fn yes(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(yes): Form<Yes>,
) -> Result<Response, Wrong> {
    let lasting = says_yes(&place, &who, entry, &yes).await.map_err(|wrong| wrong.with(&[&yes.why]))?;
    let line = if lasting == Lasting::Always { format!("&line={entry}") } else { String::new() };
    Ok(Redirect::to(&format!("/asks?done=yes{line}")).into_response())
}

/// Opens it: for how long.
async fn says_yes(place: &Place, who: &SignedIn, entry: i64, yes: &Yes) -> Result<Lasting, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let asked = desk.records.asks(None).await?.into_iter().find(|ask| ask.entry == entry);
    let asked = asked.ok_or_else(|| Wrong::Typed("Somebody has answered it already.".to_owned()))?.asked;
    let lasting = Lasting::read(&yes.lasting).ok_or(Wrong::Missing)?;
    if lasting == Lasting::Always && asked.host.is_empty() {
        return Err(Wrong::Typed(
            "More time has no line that makes it last. Choose for how long, and change the limits in the agreement together."
                .to_owned(),
        ));
    }
    let person = house.person(&asked.person).ok_or(Wrong::Missing)?;
    let until = lasting.until(house, person, now).ok_or_else(|| {
        Wrong::Typed(
            "Their day has ended, so there is no tonight any more. Choose how many minutes.".to_owned(),
        )
    })?;
    let reason = if yes.why.trim().is_empty() { "as asked" } else { yes.why.trim() };
    desk.records.answer(entry, Answer::Approve { until }, who.by(), reason).await?;
    Ok(lasting)
}

/// `POST /asks/{entry}/no`.
pub(crate) async fn no(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(entry): Path<i64>,
    Form(no): Form<No>,
) -> Result<Response, Wrong> {
    let kind = no.kind.parse::<usize>().ok().and_then(|n| KIND.get(n)).map_or("", |key| kind_words(key));
    let reason = if no.why.trim().is_empty() { kind } else { no.why.trim() };
    let done = place.desk.records.answer(entry, Answer::Decline, who.by(), reason).await;
    done.map_err(|wrong| Wrong::from(wrong).with(&[&no.why]))?;
    Ok(Redirect::to("/asks?done=no").into_response())
}
