//! Rule 1: Sealed lists: what the law forbids, as licensed to the home. Blocked for everybody; nobody is shown the address.

use super::{Case, Said, Voice};
use crate::schedule::NEVER;
use crate::verdict::{Outcome, Rule, Severity, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    if !case.found.tags.has(Category::ILLEGAL) {
        return Voice::Silent(NEVER);
    }
    let said = Said::new(Outcome::Block, Rule::Sealed).of(Subject::Category(Category::ILLEGAL));
    Voice::Speaks(said.severe(Severity::Critical))
}
