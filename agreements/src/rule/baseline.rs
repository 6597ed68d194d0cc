//! The home's baseline, in place of an agreement: unknown devices, drafts, no usable agreement, a clock that cannot be right.
//! Never open, never dark.

use super::{Case, Said, Voice, limit, otherwise, word};
use crate::verdict::{Outcome, Rule, Severity};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let online = case.moment.online;
    let said = if !online.open && case.lifted.is_none() {
        Said::new(Outcome::Block, Rule::Baseline).from(online.source).severe(Severity::Low)
    } else if case.found.tags.has(Category::PRIVATE_MAIL) {
        Said::new(Outcome::Allow, Rule::Baseline)
    } else if case.rules.closed {
        Said::new(Outcome::Block, Rule::Baseline).from(case.rules.source)
    } else {
        said(case)
    };
    let ends = case.lifted.map_or(limit::NO_LIFT, |(until, _)| until);
    let until = if online.open { online.change } else { online.change.min(ends) };
    // An unknown device in the home is for staff to know of, whatever it asked for.
    let said = if case.rules.unknown && case.moment.clocked { said.severe(Severity::High) } else { said };
    Voice::Speaks(said.until(until))
}

/// The baseline's words, else its `otherwise`.
fn said(case: &Case<'_>) -> Said {
    let mut said = word::said(case).unwrap_or_else(|| otherwise::said(case));
    said.rule = Rule::Baseline;
    said
}
