//! Rule 11: What nobody mentioned. Hosts that only carry a page follow the page's fate: where pages must be on the list, they are
//! reachable within the times. So do the home's own addresses: nobody can be asked for one, since the manager has opened it.

use super::{Case, Said, Voice, limit};
use crate::verdict::{Outcome, Rule};

pub(super) fn voice(case: &Case<'_>) -> Voice {
    Voice::Speaks(limit::bound(case, said(case)))
}

/// What `otherwise` says.
pub(super) fn said(case: &Case<'_>) -> Said {
    let outcome = match case.rules.otherwise {
        _ if case.carries_pages() => Outcome::Allow,
        Outcome::Ask | Outcome::WithStaff if case.at_home => Outcome::Allow,
        otherwise => otherwise,
    };
    Said::new(outcome, Rule::Otherwise).from(case.rules.otherwise_source)
}
