//! `profile: email_only`: private mail and nothing else (seed 003 §7.3). Mail itself has spoken before; hosts that only carry
//! its pages follow it.

use super::{Case, Said, Voice};
use crate::verdict::{Outcome, Rule};

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let outcome = if case.carries_pages() { Outcome::Allow } else { Outcome::Block };
    Voice::Speaks(Said::new(outcome, Rule::EmailOnly).from(case.rules.source))
}
