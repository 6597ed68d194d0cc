//! Rule 2: Support and assistive sites: reachable for everybody at every minute. Support is never recorded, not even as a count.

use super::{Case, Said, Voice};
use crate::schedule::NEVER;
use crate::verdict::{Outcome, Rule, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    let protected = [Category::SUPPORT, Category::ASSISTIVE].into_iter().find(|&c| case.found.tags.has(c));
    match protected {
        Some(category) => {
            Voice::Speaks(Said::new(Outcome::Allow, Rule::Protected).of(Subject::Category(category)))
        }
        None => Voice::Silent(NEVER),
    }
}
