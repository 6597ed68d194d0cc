//! Rule 9: A limit that is used up holds until the home's day ends. What is protected, and what only carries a page, uses none.

use super::{Case, Said, Voice};
use crate::schedule::{NEVER, Secs};
use crate::verdict::{Outcome, Rule, Severity, Subject};

/// No grant lifts anything.
pub(super) const NO_LIFT: Secs = NEVER;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let limits = case.limits();
    if limits == 0 {
        return Voice::Silent(NEVER);
    }
    let used_up = limits & case.moment.used_up;
    match case.lifted {
        Some((until, _)) if used_up != 0 => Voice::Silent(until.min(case.moment.day_ends)),
        // The next day may give fewer minutes than this one has used.
        _ if used_up == 0 => Voice::Silent(case.moment.day_ends),
        _ => {
            let place = named(case, used_up);
            let said = Said::new(Outcome::Block, Rule::Limit).of(Subject::Limit(place as u8));
            let said = said.from(Some(case.rules.limits[place].source)).severe(Severity::Low);
            Voice::Speaks(said.until(case.moment.day_ends))
        }
    }
}

/// The limit that is told: everything, if that is what ran out, since then nothing else is left either; else the first one
/// of the agreement.
fn named(case: &Case<'_>, used_up: u64) -> usize {
    let all = case.rules.limits.iter().enumerate();
    let everything =
        all.filter(|(place, l)| l.everything && used_up & (1 << place) != 0).map(|(place, _)| place);
    everything.min().unwrap_or(used_up.trailing_zeros() as usize)
}

/// Bounds what is allowed by the limits that it uses. A refusal uses none.
pub(super) fn bound(case: &Case<'_>, said: Said) -> Said {
    match said.outcome {
        Outcome::Allow => said.until(runs_out(case)),
        Outcome::Ask | Outcome::WithStaff | Outcome::Block => said,
    }
}

/// The earliest instant at which a limit that still runs could be used up, if every minute from now on counts.
fn runs_out(case: &Case<'_>) -> Secs {
    let limits = case.limits() & !case.moment.used_up;
    let running =
        (0..case.rules.limits.len()).filter(|p| limits & (1 << p) != 0 && case.moment.is_limited(*p));
    running.map(|place| case.moment.runs_out(place)).fold(NEVER, Secs::min)
}
