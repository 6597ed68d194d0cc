//! Which list says what of a host: for people who ask why. The catalogue itself does not remember.

use crate::format::{Effect, Limits, ListInput, NotAList, Reach, Tagged, read_list};
use crate::{Domain, Name, Tags};

/// An entry of a list that speaks of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The list, as the home calls it.
    pub list: String,
    /// What the entry says.
    pub tags: Tags,
    /// The entry's name: the host or a parent of it; `None` for a sealed list, whose names nobody is shown.
    pub name: Option<Domain>,
    /// How far the entry reaches.
    pub reach: Reach,
    /// Whether it lists or excepts.
    pub effect: Effect,
    /// The line of the list, counted from 1.
    pub line: u32,
}

/// How many findings are kept of one list. Only a list that repeats itself has more than a few.
const MOST: usize = 100;

/// Reads a list again and finds the entries that speak of a host. It takes as long as reading the list.
///
/// Protected sites are not known here: an entry that was dropped for one is found all the same.
pub fn explain(list: ListInput<'_>, host: Name<'_>, limits: &Limits) -> Result<Vec<Finding>, NotAList> {
    let (id, sealed) = (list.id.to_owned(), list.sealed);
    let mut findings = Vec::new();
    read_list(list, limits, &mut |Tagged { entry, tags }| {
        let means = if entry.name == host { entry.reach.here() } else { entry.reach.below() };
        if means && host.is_under(entry.name) && findings.len() < MOST {
            let name = (!sealed).then(|| entry.name.to_domain());
            let (reach, effect, line) = (entry.reach, entry.effect, entry.line);
            findings.push(Finding { list: id.clone(), tags, name, reach, effect, line });
        }
    })?;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_that_speaks_of_the_host_is_found() {
        let body = b"||x.example^\n||other.example^\n@@||a.x.example^\n||b.a.x.example^\n";
        let find = |sealed, host| {
            let list = ListInput { sealed, ..ListInput::new("list", Tags::NONE, body) };
            let findings = explain(list, Name::trusted(host), &Limits::default()).unwrap();
            findings
                .into_iter()
                .map(|f| (f.line, f.name.map(|n| n.to_string()), f.effect))
                .collect::<Vec<_>>()
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(
            find(false, "a.x.example"),
            [(1, named("x.example"), Effect::List), (3, named("a.x.example"), Effect::Except)]
        );
        assert_eq!(find(false, "ax.example"), []);
        assert_eq!(find(true, "x.example"), [(1, None, Effect::List)]);
    }
}
