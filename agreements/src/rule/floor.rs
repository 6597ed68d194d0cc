//! Rule 4: The floor: what the home blocks for everyone. No agreement and no grant loosens it.
//!
//! Private mail is not the floor's: a home that closes a company's site, or subscribes to a list that names a mail host,
//! has not decided that nobody may write a letter (Reg 22).

use super::{Case, Said, Voice};
use crate::request::Host;
use crate::schedule::NEVER;
use crate::source::SourceId;
use crate::verdict::{Outcome, Rule, Severity, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    if case.found.tags.has(Category::PRIVATE_MAIL) {
        return Voice::Silent(NEVER);
    }
    match spoken(case) {
        Some((source, subject)) => {
            let said = Said::new(Outcome::Block, Rule::Floor).from(Some(source)).of(subject);
            Voice::Speaks(said.severe(Severity::High))
        }
        None => case.unsafe_search(Rule::Floor).map_or(Voice::Silent(NEVER), Voice::Speaks),
    }
}

/// The line that closes it and what it names. A way around the gateway is told as one whatever else names the site, for
/// staff need to know; else the most specific word is told.
fn spoken(case: &Case<'_>) -> Option<(SourceId, Subject)> {
    let tags = case.found.tags;
    let around =
        case.rules.floor.of_category(Category::CIRCUMVENTION).filter(|_| tags.has(Category::CIRCUMVENTION));
    if let Some(source) = around {
        let subject = match case.request.host {
            Host::Address(_) => Subject::Address,
            Host::Name(_) => Subject::Category(Category::CIRCUMVENTION),
        };
        return Some((source, subject));
    }
    let site = case.found.floor.map(|source| (source, Subject::Site));
    site.or_else(|| case.rules.floor.find(tags).map(|((_, source), _, subject)| (source, subject)))
}
