//! A person's time as stretches: what the decision says, minute for minute.
//!
//! Nothing here works out windows by itself. It judges three invented sites and follows each verdict's `until`, so that what is
//! compared is what the gateway does.

use crate::calendar::Day;
use crate::house::{House, PersonId};
use crate::request::{Host, Request};
use crate::standing::Standing;
use crate::verdict::{Outcome, Rule};
use blocklists::{Category, Name, Tags};
use chrono::{DateTime, Duration, NaiveDate, Utc};

/// What a person's internet is like for a while, from the least open to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Like {
    /// Only what is protected works.
    Off,
    /// What a member of staff opens as a session.
    Session,
    /// Sites for learning, while a member of staff has a session open.
    LearningWithStaff,
    /// Private mail and nothing else.
    Mail,
    /// Sites for learning.
    Learning,
    /// What the home's baseline opens.
    Baseline,
    /// What the agreement says.
    Online,
}

/// From when to when something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) like: Like,
}

/// A name that no list and no agreement has.
pub(super) const UNLISTED: &str = "unlisted-by-anyone.invalid";

/// What an instant is like, and when that may change.
fn like(house: &House, who: PersonId, at: DateTime<Utc>) -> (Like, Option<DateTime<Utc>>) {
    let moment = house.moment(who, at, &Standing::default());
    let judged = |tags| {
        house.judge_in(&moment, &Request { host: Host::Name(Name::trusted(UNLISTED)), tags, path: None })
    };
    let ordinary = judged(Tags::NONE);
    let learning = judged(Tags::category(Category::EDUCATION));
    let mail = judged(Tags::category(Category::PRIVATE_MAIL));
    let like = match ordinary.rule {
        Rule::Online => Like::Off,
        Rule::SchoolHours => match learning.outcome {
            Outcome::Allow => Like::Learning,
            Outcome::WithStaff | Outcome::Ask => Like::LearningWithStaff,
            Outcome::Block => Like::Off,
        },
        Rule::Baseline if learning.allows() || mail.allows() || ordinary.allows() => Like::Baseline,
        Rule::EmailOnly if mail.allows() => Like::Mail,
        Rule::Baseline | Rule::EmailOnly => Like::Off,
        Rule::EducationSession => Like::Session,
        Rule::Sealed
        | Rule::Protected
        | Rule::Restriction
        | Rule::Floor
        | Rule::Grant
        | Rule::PrivateMail
        | Rule::Limit
        | Rule::Site
        | Rule::Service
        | Rule::Category
        | Rule::Otherwise => Like::Online,
    };
    (like, [ordinary.until, learning.until, mail.until].into_iter().flatten().min())
}

/// The stretches from one instant to another. Neighbours differ.
fn between(house: &House, who: PersonId, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut at = from;
    while at < to {
        let (like, change) = like(house, who, at);
        // A verdict's `until` lies after its instant; a second's step keeps this loop finite whatever it says.
        let until = change.map_or(to, |change| change.max(at + Duration::seconds(1)).min(to));
        match stretches.last_mut() {
            Some(last) if last.like == like => last.until = until,
            _ => stretches.push(Stretch { from: at, until, like }),
        }
        at = until;
    }
    stretches
}

/// The stretches of a calendar day in the home's zone.
pub(super) fn of_day(house: &House, who: PersonId, date: NaiveDate) -> Vec<Stretch> {
    let (start, end) = house.day_span(Day::of(date));
    between(house, who, start, end)
}

/// How far ahead an open moment is looked for.
const AHEAD: usize = 28;

/// A moment at which the agreement itself speaks, so that words are compared and not windows; the first in four weeks.
pub(super) fn open_moment(house: &House, who: PersonId, from: NaiveDate) -> DateTime<Utc> {
    let stretches = || from.iter_days().take(AHEAD).flat_map(|date| of_day(house, who, date));
    let open = |like: Like| stretches().find(|s| s.like == like).map(|s| s.from);
    let start = || house.day_span(Day::of(from)).0;
    open(Like::Online).or_else(|| open(Like::Baseline)).or_else(|| open(Like::Mail)).unwrap_or_else(start)
}
