//! Rule 5: A grant by staff: an approved ask, extra time, a supervised session. It ends by itself.
//!
//! An approved ask opens its words whatever the agreement says. A supervised session opens what the agreement calls
//! `with_staff`, its own words, and learning in `with_staff` school hours: a member of staff sits there, so times and limits
//! do not close it; one that is bound to a device is known on that device alone ([`Standing::on`](crate::Standing::on)). Extra time lifts times and limits alone: the words below still hold, and so do school hours, since more
//! time for leisure is not less time for school.

use super::{Case, Said, Voice, first};
use crate::house::moment::{end, start};
use crate::house::rules::Body;
use crate::meant::SchoolHours;
use crate::schedule::{NEVER, Secs};
use crate::standing::{GrantKind, Held};
use crate::verdict::{Outcome, Rule, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    if case.rules.body == Body::EducationSession && case.moment.lesson.is_none() {
        // The device works only inside a session: nothing else that was granted opens it.
        return Voice::Silent(NEVER);
    }
    // On a laptop for education, what is granted beside the session ends with it.
    let session = case.moment.lesson.as_ref().map_or(NEVER, |lesson| lesson.until);
    let mut wakes = NEVER;
    let mut longest: Option<(Secs, i64)> = None;
    for (held, on) in case.moment.grants() {
        match opens(case, held) {
            Opens::Nothing => {}
            Opens::This(until) if on => {
                longest = longest.max(Some((until.min(end(held.grant.until)), held.grant.entry)));
            }
            Opens::Later(at) if on => wakes = wakes.min(if at < end(held.grant.until) { at } else { NEVER }),
            Opens::This(_) | Opens::Later(_) => wakes = wakes.min(start(held.grant.from)),
        }
    }
    match longest {
        Some((until, entry)) => Voice::Speaks(allow(entry, until.min(session))),
        None => more_time(case, wakes),
    }
}

fn allow(entry: i64, until: Secs) -> Said {
    Said::new(Outcome::Allow, Rule::Grant).of(Subject::Entry(entry)).until(until)
}

/// What a grant that is in force does for a request.
enum Opens {
    /// Nothing, at any time.
    Nothing,
    /// It opens it, until the grant's end or an instant before.
    This(Secs),
    /// It will make a difference from this instant on.
    Later(Secs),
}

fn opens(case: &Case<'_>, held: &Held) -> Opens {
    match &held.grant.kind {
        GrantKind::Sites(what) if case.is_about(what) => Opens::This(NEVER),
        GrantKind::Supervised(words) if case.is_any_meant(words) || is_with_staff(case) => Opens::This(NEVER),
        GrantKind::Supervised(_) if is_supervised_learning(case) => {
            let school = case.moment.school;
            if school.on { Opens::This(school.change) } else { Opens::Later(school.change) }
        }
        // What only lifts times and limits matters from its start on; while it is in force, `more_time` sees to it.
        GrantKind::Sites(_) | GrantKind::Supervised(_) | GrantKind::ExtraTime(_) if case.is_lifted_by(held) => {
            Opens::Later(NEVER)
        }
        GrantKind::Sites(_)
        | GrantKind::Supervised(_)
        | GrantKind::ExtraTime(_)
        // An education session speaks at its own place.
        | GrantKind::Education { .. } => Opens::Nothing,
    }
}

/// Whether the agreement's most specific word says that it may be opened together with staff.
fn is_with_staff(case: &Case<'_>) -> bool {
    super::word::most_specific(case).is_some_and(|((outcome, _), ..)| outcome == Outcome::WithStaff)
}

/// Whether school hours leave it open to a young person who has staff beside them.
fn is_supervised_learning(case: &Case<'_>) -> bool {
    matches!(case.rules.school_hours, Some((SchoolHours::WithStaff, _)))
        && case.found.tags.has(Category::EDUCATION)
}

/// Speaks if extra time makes the difference: without it the request would be refused, and with it everything else allows it.
fn more_time(case: &Case<'_>, wakes: Secs) -> Voice {
    let Some((until, entry)) = case.lifted else { return Voice::Silent(wakes) };
    let without = first(&Case { lifted: None, ..*case }, Some(Rule::Grant), |_, _| {});
    let said = first(case, Some(Rule::Grant), |_, _| {});
    if (without.outcome, without.rule) == (said.outcome, said.rule) {
        // The grant makes no difference here, and so its end makes none by itself.
        return Voice::Silent(wakes);
    }
    let until = until.min(wakes).min(said.until);
    match said.outcome {
        Outcome::Allow => Voice::Speaks(allow(entry, until)),
        Outcome::Ask | Outcome::WithStaff | Outcome::Block => Voice::Silent(until),
    }
}
