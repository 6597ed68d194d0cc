//! Rule 3: A restriction in force (Reg 22): what the manager closed for one young person's safety, with the placing authority's
//! consent or in an emergency, until its end.
//!
//! Support and assistive sites have spoken before. Private mail is left to the agreement's times, whatever a restriction
//! names: one on a company's site (`google.com`) closes its search and its videos, and not its mail, which has a place of
//! its own in Reg 22.

use super::{Case, Said, Voice, education_session};
use crate::house::moment::{end, start};
use crate::standing::LiveRestriction;
use crate::verdict::{Outcome, Rule, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    // On a laptop the restrictions are the learner's, too, and change with the session.
    let session = education_session::turns(case);
    let mut wakes = session;
    let mut longest: Option<(i64, i64)> = None;
    for (restriction, on) in case.moment.restrictions().filter(|(r, _)| closes(case, r)) {
        if on {
            longest = longest.max(Some((end(restriction.until), restriction.entry)));
        } else {
            wakes = wakes.min(start(restriction.from));
        }
    }
    match longest {
        Some((until, entry)) => {
            let said = Said::new(Outcome::Block, Rule::Restriction).of(Subject::Entry(entry));
            Voice::Speaks(said.until(until.min(session)))
        }
        None => Voice::Silent(wakes),
    }
}

fn closes(case: &Case<'_>, restriction: &LiveRestriction) -> bool {
    !case.found.tags.has(Category::PRIVATE_MAIL) && case.is_about(&restriction.what)
}
