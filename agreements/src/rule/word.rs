//! Rule 10: The agreement's most specific word: a path, an exact host, a longer site, a site, a service, a category. At equal
//! specificity the strictest holds.

use super::{Case, Said, Voice, limit};
use crate::house::sites;
use crate::request::Host;
use crate::schedule::NEVER;
use crate::verdict::{Outcome, Rule, Severity, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    said(case).map_or(Voice::Silent(NEVER), |said| Voice::Speaks(limit::bound(case, said)))
}

/// What the most specific word says.
///
/// An engine that cannot be held to safe search is closed before any word is looked at: at equal specificity `block` wins.
pub(super) fn said(case: &Case<'_>) -> Option<Said> {
    if let Some(said) = case.unsafe_search(Rule::Site) {
        return Some(said);
    }
    let ((outcome, source), rule, subject) = most_specific(case)?;
    let said = Said::new(outcome, rule).from(Some(source)).of(subject);
    let around = outcome == Outcome::Block && subject == Subject::Category(Category::CIRCUMVENTION);
    if !around {
        return Some(said);
    }
    let subject = match case.request.host {
        Host::Address(_) => Subject::Address,
        Host::Name(_) => subject,
    };
    Some(said.of(subject).severe(Severity::High))
}

/// The most specific word, what it says, and what kind of word it is.
pub(super) fn most_specific(case: &Case<'_>) -> Option<(sites::Said, Rule, Subject)> {
    let site = case.found.ruling.map(|said| (said, Rule::Site, Subject::Site));
    site.or_else(|| case.rules.kinds.find(case.found.tags))
}
