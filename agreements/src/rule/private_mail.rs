//! Rule 7: Private mail: sending and receiving in private at reasonable times, with nobody's approval (Reg 22; seed 003 §4.10,
//! §5.1.1). It follows the agreement's times and nothing below.

use super::{Case, Said, Voice};
use crate::schedule::NEVER;
use crate::verdict::{Outcome, Rule, Subject};
use blocklists::Category;

pub(super) fn voice(case: &Case<'_>) -> Voice {
    if !case.found.tags.has(Category::PRIVATE_MAIL) {
        return Voice::Silent(NEVER);
    }
    Voice::Speaks(Said::new(Outcome::Allow, Rule::PrivateMail).of(Subject::Category(Category::PRIVATE_MAIL)))
}
