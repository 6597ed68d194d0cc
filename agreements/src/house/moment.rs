//! All of a decision that depends on the person, the instant and the standing, and on no request.

use super::rules::Body;
use super::{House, PersonId};
use crate::calendar::Day;
use crate::schedule::{Local, NEVER, OnlineNow, SchoolNow, Secs, instant};
use crate::standing::{Held, LiveRestriction, OfPerson, Standing};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A moment with a limit in it holds for so long: when minutes could run out is reckoned from its instant.
const LIMITED: Secs = 10;
/// A limit that has no minutes on the day: nothing runs out.
const UNLIMITED: u16 = u16::MAX;

/// One person at one instant: whether they are online, whether school is on, what is used up and what staff have granted.
///
/// It holds until an instant that it tells, unless the house or the standing is replaced. A caller that keeps one decides
/// about any number of requests by [`House::judge_in`] without any arithmetic of time.
#[derive(Clone, Debug)]
pub struct Moment {
    who: PersonId,
    pub(crate) at: Secs,
    until: Secs,
    /// Whether the clock is known to be right; without one, nobody is outside their times.
    pub(crate) clocked: bool,
    pub(crate) online: OnlineNow,
    pub(crate) school: SchoolNow,
    /// When the home's day ends.
    pub(crate) day_ends: Secs,
    /// Minutes left of each limit today; [`UNLIMITED`] where the day has none.
    left: [u16; 63],
    /// The person's limits that are used up, by place.
    pub(crate) used_up: u64,
    standing: Option<Arc<OfPerson>>,
    /// For a device in an education session: the young person and their standing.
    pub(crate) lesson: Option<Lesson>,
}

/// An education session in force.
#[derive(Clone, Debug)]
pub(crate) struct Lesson {
    pub(crate) learner: PersonId,
    /// The session's number in the journal.
    pub(crate) entry: i64,
    pub(crate) until: Secs,
    standing: Option<Arc<OfPerson>>,
}

impl Moment {
    pub(super) fn new(house: &House, who: PersonId, at: DateTime<Utc>, standing: &Standing) -> Self {
        let at = at.timestamp();
        let who = house.known(who);
        let rules = house.rules(who);
        let local = Local::at(house.home.timezone, at);
        let mut moment = Self { standing: standing.of(who).cloned(), ..Self::blank(who, at) };
        match rules.body {
            Body::EducationSession => moment.lesson = moment.lesson_in_force(standing),
            Body::Agreement | Body::Baseline | Body::EmailOnly => {
                moment.online = rules.schedule.at(at, &local, &house.school);
            }
        }
        if rules.school_hours.is_some() && rules.body == Body::Agreement {
            moment.school = SchoolNow::at(at, &local, &house.school);
        }
        if !rules.limits.is_empty() && rules.body == Body::Agreement {
            moment.measure(house, &local);
        }
        moment.until = moment.first_change();
        moment
    }

    /// A moment while the clock cannot be believed.
    pub(super) fn without_clock(who: PersonId) -> Self {
        Self { clocked: false, ..Self::blank(who, i64::MIN) }
    }

    /// A moment in which nothing is known: nobody is outside their times, nothing is used up.
    fn blank(who: PersonId, at: Secs) -> Self {
        Self {
            who,
            at,
            until: NEVER,
            clocked: true,
            online: OnlineNow { open: true, change: NEVER, source: None },
            school: SchoolNow::NONE,
            day_ends: NEVER,
            left: [UNLIMITED; 63],
            used_up: 0,
            standing: None,
            lesson: None,
        }
    }

    /// What is left of each limit in the home's day.
    fn measure(&mut self, house: &House, local: &Local) {
        let rules = house.rules(self.who);
        let (today, ends) = house.home_day(self.at, local);
        self.day_ends = ends;
        let used = self.standing.as_ref().map_or(&[][..], |s| &s.used);
        for (place, minutes) in rules.minutes(today, &house.school).enumerate() {
            let Some(minutes) = minutes else { continue };
            let left = minutes.min(UNLIMITED - 1).saturating_sub(used.get(place).copied().unwrap_or(0));
            self.left[place] = left;
            self.used_up |= u64::from(left == 0) << place;
        }
    }

    fn lesson_in_force(&self, standing: &Standing) -> Option<Lesson> {
        let lessons = self.grants().filter_map(|(held, on)| held.learner.filter(|_| on).map(|l| (held, l)));
        // Of two sessions the one that was opened last is meant: staff handed the laptop on.
        let (held, learner) = lessons.max_by_key(|(held, _)| (held.grant.from, held.grant.entry))?;
        Some(Lesson {
            learner,
            entry: held.grant.entry,
            until: end(held.grant.until),
            standing: standing.of(learner).cloned(),
        })
    }

    /// The next instant at which anything here changes.
    fn first_change(&self) -> Secs {
        let grants =
            self.grants().map(|(held, on)| if on { end(held.grant.until) } else { start(held.grant.from) });
        let restrictions = self.restrictions().map(|(r, on)| if on { end(r.until) } else { start(r.from) });
        let limited = self.left.iter().any(|&left| left != UNLIMITED);
        let reckoned = if limited { self.at + LIMITED } else { NEVER };
        let known = self.agreed_change().min(reckoned);
        grants.chain(restrictions).filter(|&t| t > self.at).fold(known, Secs::min)
    }

    /// The next instant at which what was agreed changes, whatever is used up or granted by then.
    pub(crate) fn agreed_change(&self) -> Secs {
        self.online.change.min(self.school.change).min(self.day_ends)
    }

    /// The person it is about.
    pub fn who(&self) -> PersonId {
        self.who
    }

    /// Whether it holds at an instant, for the same house and standing. Before the instant that it was made for it does not.
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        self.at <= at.timestamp() && at.timestamp() < self.until
    }

    /// Until when it holds (a few seconds where a limit is running); none when time alone does not change it.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        instant(self.until)
    }

    /// Whether the instant is inside the person's times, and when that changes.
    pub fn online(&self) -> (bool, Option<DateTime<Utc>>) {
        (self.online.open, instant(self.online.change))
    }

    /// Whether school hours hold for the person, and when that changes.
    pub fn school(&self) -> (bool, Option<DateTime<Utc>>) {
        (self.school.on, instant(self.school.change))
    }

    /// The minutes left today of a limit, by its place in the person's table; none where the day has no such limit.
    pub fn minutes_left(&self, limit: usize) -> Option<u16> {
        self.left.get(limit).copied().filter(|&left| left != UNLIMITED)
    }

    /// The person's grants that have not ended, and whether each is in force.
    pub(crate) fn grants(&self) -> impl Iterator<Item = (&Held, bool)> {
        let held = self.standing.iter().flat_map(|s| &s.grants);
        held.filter_map(|h| Some((h, in_force(self.at, start(h.grant.from), end(h.grant.until))?)))
    }

    /// The restrictions that have not ended, and whether each is in force. A young person's own hold in their education
    /// session, too: a laptop is no way around them.
    pub(crate) fn restrictions(&self) -> impl Iterator<Item = (&LiveRestriction, bool)> {
        let learner = self.lesson.iter().filter_map(|l| l.standing.as_ref());
        let all = self.standing.iter().chain(learner).flat_map(|s| &s.restrictions);
        all.filter_map(|r| Some((r, in_force(self.at, start(r.from), end(r.until))?)))
    }

    /// Whether staff have opened or closed anything: a grant or a restriction may be about a site.
    pub(crate) fn is_about_sites(&self) -> bool {
        self.grants().next().is_some() || self.restrictions().next().is_some()
    }

    /// Whether a day's minutes are limited by the limit at a place.
    pub(crate) fn is_limited(&self, place: usize) -> bool {
        self.left[place] != UNLIMITED
    }

    /// When a limit could run out at the earliest, if every minute from now on counts.
    pub(crate) fn runs_out(&self, place: usize) -> Secs {
        self.at + i64::from(self.left[place]) * 60
    }
}

/// Whether a span is in force; none once it is over.
fn in_force(at: Secs, from: Secs, until: Secs) -> Option<bool> {
    (at < until && from < until).then_some(from <= at)
}

/// The whole second in which something begins: what staff open this second is open at once.
pub(crate) fn start(at: DateTime<Utc>) -> Secs {
    at.timestamp()
}

/// The whole second at which something that ends within a second is over: never later than it was granted for.
pub(crate) fn end(at: DateTime<Utc>) -> Secs {
    at.timestamp()
}

/// The home's days.
impl House {
    /// When a day of the home starts.
    pub(super) fn day_start(&self, day: Day, local: &Local) -> Secs {
        // Limits start again at an opening: of two occurrences the second, so that the clock gives no minute back.
        local.opening(day, crate::calendar::minutes(self.home.day_starts))
    }

    /// The home's day at an instant, and when it ends.
    pub(super) fn home_day(&self, at: Secs, local: &Local) -> (Day, Secs) {
        let begun = self.day_start(local.day, local);
        if begun <= at {
            (local.day, self.day_start(local.day.plus(1), local))
        } else {
            (local.day.plus(-1), begun)
        }
    }
}
