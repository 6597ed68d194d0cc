//! Rule 11: What nobody mentioned. Hosts that only carry a page follow the page's fate: where pages must be on the list, they are
//! reachable within the times.

use super::{Case, Said, Voice, limit};
use crate::verdict::{Outcome, Rule};

pub(super) fn voice(case: &Case<'_>) -> Voice {
    Voice::Speaks(limit::bound(case, said(case)))
}

/// What `otherwise` says.
pub(super) fn said(case: &Case<'_>) -> Said {
    let outcome = if case.carries_pages() { Outcome::Allow } else { case.rules.otherwise };
    Said::new(outcome, Rule::Otherwise).from(case.rules.otherwise_source)
}
