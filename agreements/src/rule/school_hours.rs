//! Rule 8: School hours on a school day: education is open, everything else is closed, as `school_hours` says. `education` says
//! where somebody learns; whoever is online at home in those hours is held to `school_hours` alike (seed 003 §4.9).

use super::{Case, Said, Voice};
use crate::meant::SchoolHours;
use crate::verdict::{Outcome, Rule, Severity};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let school = case.moment.school;
    let Some((hours, source)) = case.rules.school_hours.filter(|_| school.on) else {
        return Voice::Silent(school.change);
    };
    let Some(outcome) = outcome(case, hours) else { return Voice::Silent(school.change) };
    let said = Said::new(outcome, Rule::SchoolHours).from(Some(source)).severe(Severity::Low);
    Voice::Speaks(said.until(school.change))
}

fn outcome(case: &Case<'_>, hours: SchoolHours) -> Option<Outcome> {
    let learning = case.found.tags.has(Category::EDUCATION);
    match hours {
        SchoolHours::AsAgreed => None,
        SchoolHours::Offline => Some(Outcome::Block),
        SchoolHours::EducationOnly | SchoolHours::WithStaff if case.carries_pages() => Some(Outcome::Allow),
        SchoolHours::EducationOnly if learning => Some(Outcome::Allow),
        // With a session open, the grant has spoken before: here the way out is named.
        SchoolHours::WithStaff if learning => Some(Outcome::WithStaff),
        SchoolHours::EducationOnly | SchoolHours::WithStaff => Some(Outcome::Block),
    }
}
