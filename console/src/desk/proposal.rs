//! The line that would make a yes last: proposed for the agreement, written by nobody but the manager.

use agreements::{House, Outcome, Person, Ruling, Word};
use blocklists::Domain;

/// What would have to stand in an agreement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) file: String,
    pub(crate) host: String,
    /// Lines to change: where, what stands there, what would.
    pub(crate) changes: Vec<Change>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) line: u32,
    /// Empty for a line that is new.
    pub(crate) old: String,
    pub(crate) new: String,
}

/// The change of an agreement that opens a host for good; none where nobody has it, or the host is none.
pub(crate) fn of(house: &House, person: &str, host: &str) -> Option<Proposal> {
    let person = house.person(person).and_then(|who| house.agreement(who))?;
    let site = Word::Site(Domain::parse(host).ok()?);
    let mut changes: Vec<Change> = Vec::new();
    // A word that says otherwise of the same site goes before `allow`, so it has to go.
    for ruling in person.words.iter().filter(|r| r.ruled != Outcome::Allow && r.word == site) {
        changes.extend(without(house, ruling));
    }
    changes.push(with(house, person, host));
    Some(Proposal { file: format!("agreements/{}.yaml", person.id), host: host.to_owned(), changes })
}

/// The `allow` line with one more word, or a new one.
fn with(house: &House, person: &Person, host: &str) -> Change {
    let allow = person.words.iter().find(|r| r.ruled == Outcome::Allow).and_then(|r| house.source(r.source));
    let grown = allow.and_then(|source| {
        let open = source.text.trim_end().strip_suffix(']')?;
        let gap = if open.ends_with('[') { "" } else { ", " };
        Some(Change {
            line: source.line,
            old: source.text.trim().to_owned(),
            new: format!("{}{gap}{host}]", open.trim_start()),
        })
    });
    grown.unwrap_or_else(|| Change { line: 0, old: String::new(), new: format!("allow: [{host}]") })
}

/// A line without one of its words.
fn without(house: &House, ruling: &Ruling) -> Option<Change> {
    let source = house.source(ruling.source)?;
    let old = source.text.trim();
    let (key, words) = old.split_once('[')?;
    let words = words.split(']').next()?;
    let gone = ruling.word.to_string();
    let rest: Vec<&str> = words.split(',').map(str::trim).filter(|word| *word != gone).collect();
    Some(Change { line: source.line, old: old.to_owned(), new: format!("{key}[{}]", rest.join(", ")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, JORDAN, snapshot};

    fn lines(jordan: &str, host: &str) -> Vec<(String, String)> {
        let snapshot = snapshot(HOME, &[("jordan", jordan)]);
        let proposal = of(&snapshot.house, "jordan", host).unwrap();
        assert_eq!(proposal.file, "agreements/jordan.yaml");
        proposal.changes.into_iter().map(|change| (change.old, change.new)).collect()
    }

    fn line(old: &str, new: &str) -> (String, String) {
        (old.to_owned(), new.to_owned())
    }

    #[test]
    fn the_line_that_makes_a_yes_last() {
        let grown = line("allow: [bbc.example]", "allow: [bbc.example, chat.example]");
        assert_eq!(lines(JORDAN, "chat.example"), [line("ask: [chat.example]", "ask: []"), grown]);
        let grown = line("allow: [bbc.example]", "allow: [bbc.example, other.example]");
        assert_eq!(lines(JORDAN, "other.example"), [grown]);
        let without = JORDAN.replace("allow: [bbc.example]\n", "");
        assert_eq!(lines(&without, "other.example"), [line("", "allow: [other.example]")]);
        let several = JORDAN.replace("ask: [chat.example]", "ask: [a.example, chat.example, games]");
        assert_eq!(lines(&several, "chat.example")[0].1, "ask: [a.example, games]");
    }

    #[test]
    fn what_is_proposed_opens_the_site() {
        let proposed = JORDAN
            .replace("ask: [chat.example]", "ask: []")
            .replace("[bbc.example]", "[bbc.example, chat.example]");
        let snapshot = snapshot(HOME, &[("jordan", &proposed)]);
        let who = snapshot.house.person("jordan").unwrap();
        let host = agreements::Host::Name(blocklists::Name::new("chat.example").unwrap());
        let at = "2026-11-22T17:30:00Z".parse().unwrap();
        assert!(snapshot.judge(who, at, host, None, &agreements::Standing::default()).allows());
    }
}
