//! `profile: education_session`: a device that works only inside a session that a member of staff opened for a named young
//! person, for learning alone (seed 003 §7.4-7.5). Outside one it is refused, and being seen at all tells staff something: it
//! was handed back.
//!
//! Within one the learner's `school_hours` hold. The member of staff who opened it is the one whom `with_staff` asks for.
//! `as_agreed` leaves an agreement as it is at other times, and does not make an evening of a lesson: learning is open.
//! `offline` leaves private mail.

use super::{Case, Said, Voice};
use crate::house::moment::start;
use crate::house::rules::Body;
use crate::meant::SchoolHours;
use crate::schedule::{NEVER, Secs};
use crate::verdict::{Outcome, Rule, Severity, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let Some(lesson) = &case.moment.lesson else {
        let said = Said::new(Outcome::Block, Rule::EducationSession).from(case.rules.source);
        return Voice::Speaks(said.severe(Severity::High).until(next_session(case)));
    };
    // The learner's own agreement says which sites are education for them.
    let rules = case.house.rules(lesson.learner);
    let tags = rules.find(case.request).tags;
    let learning = [Category::EDUCATION, Category::PRIVATE_MAIL, Category::INFRASTRUCTURE];
    let (open, source): (&[Category], _) = match rules.school_hours {
        Some((SchoolHours::Offline, source)) => (&[Category::PRIVATE_MAIL], Some(source)),
        None | Some((SchoolHours::EducationOnly | SchoolHours::WithStaff | SchoolHours::AsAgreed, _)) => {
            (&learning, case.rules.source)
        }
    };
    let open = open.iter().any(|&category| tags.has(category));
    let said = Said::new(if open { Outcome::Allow } else { Outcome::Block }, Rule::EducationSession);
    Voice::Speaks(said.from(source).of(Subject::Entry(lesson.entry)).until(turns(case)))
}

/// When the session, and with it whose it is, can next change.
pub(super) fn turns(case: &Case<'_>) -> Secs {
    if case.rules.body != Body::EducationSession {
        return NEVER;
    }
    let ends = case.moment.lesson.as_ref().map_or(NEVER, |lesson| lesson.until);
    ends.min(next_session(case))
}

/// When the next session begins: it may be for another young person.
fn next_session(case: &Case<'_>) -> Secs {
    let sessions = case.moment.grants().filter(|(held, on)| !*on && held.learner.is_some());
    sessions.map(|(held, _)| start(held.grant.from)).min().unwrap_or(NEVER)
}
