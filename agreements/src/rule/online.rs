//! Rule 6: Outside the agreed times only what is protected works. Bedtime is the end of the day's times.

use super::{Case, Said, Voice};
use crate::verdict::{Outcome, Rule, Severity};

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let online = case.moment.online;
    match case.lifted {
        Some((until, _)) if !online.open => Voice::Silent(online.change.min(until)),
        _ if online.open => Voice::Silent(online.change),
        _ => {
            let said = Said::new(Outcome::Block, Rule::Online).from(online.source).severe(Severity::Low);
            Voice::Speaks(said.until(online.change))
        }
    }
}
