//! A person's time as stretches: what the decision says, minute for minute, read as a timetable.
//!
//! Nothing here works out windows by itself. It asks [`House::judge`] about three invented sites and follows each verdict's
//! `until`, so that the timetable is what the gateway does.

use crate::when;
use agreements::{Host, House, Outcome, PersonId, Request, Rule, Standing, Verdict};
use blocklists::{Category, Name, Tags};
use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};

/// What a person's internet is like for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Like {
    /// Only what is protected works.
    Off,
    /// Sites for learning.
    Learning,
    /// Sites for learning, while a member of staff has a session open.
    LearningWithStaff,
    /// Private mail and nothing else.
    Mail,
    /// What the home's baseline opens.
    Baseline,
    /// What a member of staff opens as a session.
    Session,
    /// What the agreement says.
    Online,
}

/// From when to when something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// From when.
    pub(crate) from: DateTime<Utc>,
    /// Until when.
    pub(crate) until: DateTime<Utc>,
    /// What it is like.
    pub(crate) like: Like,
}

/// A name that no list and no agreement has.
const UNLISTED: &str = "unlisted-by-anyone.invalid";

/// One of the invented sites.
fn ask(house: &House, who: PersonId, at: DateTime<Utc>, tags: Tags) -> Verdict {
    let request = Request { host: Host::Name(Name::trusted(UNLISTED)), tags, path: None };
    house.judge(who, at, &request, &Standing::default())
}

/// What an instant is like, and when that may change.
pub(crate) fn like(house: &House, who: PersonId, at: DateTime<Utc>) -> (Like, Option<DateTime<Utc>>) {
    let ordinary = ask(house, who, at, Tags::NONE);
    let learning = ask(house, who, at, Tags::category(Category::EDUCATION));
    let mail = ask(house, who, at, Tags::category(Category::PRIVATE_MAIL));
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
pub(crate) fn stretches(
    house: &House,
    who: PersonId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut at = from;
    while at < to {
        let (like, change) = like(house, who, at);
        // A verdict's `until` lies after its instant; a minute's step keeps this loop finite whatever it says.
        let until = change.filter(|c| *c > at).map_or(to, |c| c.max(at + Duration::seconds(1)).min(to));
        match stretches.last_mut() {
            Some(last) if last.like == like => last.until = until,
            _ => stretches.push(Stretch { from: at, until, like }),
        }
        at = until;
    }
    stretches
}

/// The stretches of a calendar day in the home's zone.
pub(crate) fn day(house: &House, who: PersonId, date: NaiveDate) -> Vec<Stretch> {
    let zone = house.home().timezone;
    let midnight = |date: NaiveDate| when::on_the_clock(date.and_time(NaiveTime::MIN), zone);
    let next = date.succ_opt().unwrap_or(date);
    stretches(house, who, midnight(date), midnight(next))
}

/// How many minutes of some stretches something holds.
pub(crate) fn minutes(stretches: &[Stretch], holds: impl Fn(Like) -> bool) -> i64 {
    stretches.iter().filter(|s| holds(s.like)).map(|s| (s.until - s.from).num_minutes()).sum()
}

/// Minutes as people say them: `8 h 30 min`.
pub(crate) fn said(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_as_people_say_them() {
        for (minutes, words) in
            [(0, "0 min"), (45, "45 min"), (60, "1 h"), (510, "8 h 30 min"), (1440, "24 h")]
        {
            assert_eq!(said(minutes), words);
        }
    }
}
