//! How long the internet stays open for somebody, as far as times, limits, school hours and what staff decided say: what a
//! portal counts down, and what a young person is warned of.

use super::{House, PersonId};
use crate::meant::LimitKey;
use crate::request::{Host, Request};
use crate::standing::Standing;
use crate::verdict::{Rule, Verdict};
use blocklists::{Name, Tags};
use chrono::{DateTime, TimeDelta, Utc};

/// A name that no list and no agreement knows: what happens to it happens to whatever nobody mentioned.
const ANYTHING: &str = "anything.invalid";
/// Nobody is told of what is further away.
const HORIZON: TimeDelta = TimeDelta::hours(24);
/// So many changes are looked at: a day has fewer that matter.
const STEPS: usize = 64;

/// Whether the internet is open for somebody, and when that ends or begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whether it is open now.
    pub open: bool,
    /// When that changes, at the earliest; none where nothing changes it within a day, or a used-up limit closes it.
    pub until: Option<DateTime<Utc>>,
    /// What closes it, now or then.
    pub by: Option<Rule>,
}

/// How soon the internet closes, where somebody should hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soon {
    /// Within a quarter of an hour.
    Fifteen,
    /// Within five minutes.
    Five,
}

impl Soon {
    /// The minutes.
    pub const fn minutes(self) -> i64 {
        match self {
            Self::Fifteen => 15,
            Self::Five => 5,
        }
    }
}

impl Left {
    /// What somebody is warned of at an instant: the nearer of the two that the time left is within.
    pub fn warning(&self, at: DateTime<Utc>) -> Option<Soon> {
        let left = self.time(at)?;
        [Soon::Five, Soon::Fifteen].into_iter().find(|soon| left <= TimeDelta::minutes(soon.minutes()))
    }

    /// For how long it stays open yet; none where it is closed, or nothing ends it within a day.
    pub fn time(&self, at: DateTime<Utc>) -> Option<TimeDelta> {
        self.until.filter(|_| self.open).map(|until| until - at)
    }
}

impl House {
    /// How long the internet stays open for somebody from an instant on. Minutes are reckoned as if each was used.
    pub fn left(&self, who: PersonId, at: DateTime<Utc>, standing: &Standing) -> Left {
        self.ahead(who, at, standing, self.runs_out(who, at, standing))
    }

    /// The same by times, school hours and what staff decided alone: what is said where minutes are told beside it.
    pub fn left_of_times(&self, who: PersonId, at: DateTime<Utc>, standing: &Standing) -> Left {
        self.ahead(who, at, standing, None)
    }

    /// Looks ahead to the first change that matters, or to when minutes run out.
    fn ahead(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        standing: &Standing,
        runs_out: Option<DateTime<Utc>>,
    ) -> Left {
        let request = Request { host: Host::Name(Name::trusted(ANYTHING)), tags: Tags::NONE, path: None };
        let look = |at| {
            let moment = self.moment(who, at, standing);
            let verdict = self.judge_in(&moment, &request);
            (closes(&verdict, moment.online().0), verdict.until)
        };
        let (closed_by, mut until) = look(at);
        let runs_out = runs_out.filter(|_| closed_by.is_none());
        for _ in 0..STEPS {
            let Some(then) = until.filter(|then| *then - at <= HORIZON) else { break };
            if let Some(out) = runs_out.filter(|out| *out <= then) {
                return Left { open: true, until: Some(out), by: Some(Rule::Limit) };
            }
            let by;
            (by, until) = look(then);
            if by.is_some() != closed_by.is_some() {
                return Left { open: closed_by.is_none(), until: Some(then), by: closed_by.or(by) };
            }
        }
        let by = closed_by.or(runs_out.map(|_| Rule::Limit));
        Left { open: closed_by.is_none(), until: runs_out, by }
    }

    /// When the day's minutes for everything are used up, if each minute from now on counts.
    fn runs_out(&self, who: PersonId, at: DateTime<Utc>, standing: &Standing) -> Option<DateTime<Utc>> {
        let limits = &self.agreement(who)?.limits;
        let place = limits.iter().position(|limit| limit.key == LimitKey::Everything)?;
        // None left and open all the same: staff gave more time.
        let left = self.moment(who, at, standing).minutes_left(place).filter(|left| *left > 0)?;
        Some(at + TimeDelta::minutes(left.into()))
    }
}

/// The rule that closes everything, if one does: what only this or that site meets is nobody's bedtime.
fn closes(verdict: &Verdict, online: bool) -> Option<Rule> {
    if verdict.allows() {
        return None;
    }
    match verdict.rule {
        Rule::Restriction | Rule::Online | Rule::SchoolHours | Rule::Limit => Some(verdict.rule),
        Rule::Baseline if !online => Some(verdict.rule),
        Rule::Sealed
        | Rule::Protected
        | Rule::Floor
        | Rule::Grant
        | Rule::PrivateMail
        | Rule::Site
        | Rule::Service
        | Rule::Category
        | Rule::Otherwise
        | Rule::Baseline
        | Rule::EducationSession
        | Rule::EmailOnly => None,
    }
}
