//! The lines that would make a yes last: proposed for the agreement as it is written, put there by nobody but the manager.

use super::owning::{Line, lines, list};
use agreements::{House, Outcome, Person, Profile, Word};
use blocklists::Domain;

/// What closes a site goes before `allow`, so it has to go.
const CLOSING: [&str; 3] = ["ask:", "with_staff:", "block:"];
const ALLOW: &str = "allow:";

/// What would have to stand in an agreement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) file: String,
    pub(crate) host: String,
    /// Lines to change; none where nobody can tell how the text is written.
    pub(crate) changes: Option<Vec<Change>>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its number, or of the one that it stands under; 0 for one that may stand anywhere.
    pub(crate) line: usize,
    /// Empty for a line that is new.
    pub(crate) old: String,
    /// Empty for a line that goes.
    pub(crate) new: String,
}

/// How the words of a key are written.
enum Words<'t> {
    Nowhere,
    /// In the key's own line.
    Beside {
        key: usize,
        list: &'t str,
        words: Vec<&'t str>,
    },
    /// In a line each, under the key's.
    Under {
        key: usize,
        words: Vec<(usize, &'t str)>,
    },
}

/// Whether a line could make a yes last: not for private mail alone, nor on a device for education sessions, where `allow`
/// opens nothing.
pub(crate) fn can_last(person: &Person) -> bool {
    person.profile == Profile::Agreement
}

/// The change of an agreement that opens a host for good; none where nobody has it, where no line can, or the host is none.
/// `text` is the agreement's, as it stands.
pub(crate) fn of(house: &House, person: &str, host: &str, text: &str) -> Option<Proposal> {
    let person = house.person(person).and_then(|who| house.agreement(who)).filter(|who| can_last(who))?;
    let site = Domain::parse(host).ok()?;
    let is_it = |word: &Word| matches!(word, Word::Site(said) | Word::Host(said) if *said == site);
    let closed = person.words.iter().filter(|r| r.ruled != Outcome::Allow && is_it(&r.word));
    let has_allow = person.words.iter().any(|r| r.ruled == Outcome::Allow);
    Some(Proposal {
        file: format!("agreements/{}.yaml", person.id),
        host: host.to_owned(),
        changes: changes(&lines(text), &site, (closed.count(), has_allow)),
    })
}

/// The lines to change; none where the text does not say what the agreement has: how often the site is closed, and whether
/// anything is open.
fn changes(lines: &[Line<'_>], site: &Domain, (closed, has_allow): (usize, bool)) -> Option<Vec<Change>> {
    let (mut changes, mut taken) = (Vec::new(), 0);
    for key in CLOSING {
        let words = words(lines, key)?;
        taken += words.of(site);
        changes.extend(without(lines, key, site, words));
    }
    let open = words(lines, ALLOW)?;
    if taken != closed || has_allow && matches!(open, Words::Nowhere) {
        return None;
    }
    if open.of(site) == 0 {
        changes.push(with(lines, site, open));
    }
    Some(changes)
}

/// How the words of a key are written; none where nobody can tell.
fn words<'t>(lines: &[Line<'t>], key: &str) -> Option<Words<'t>> {
    let Some((at, from, to)) = list(lines, key) else { return Some(Words::Nowhere) };
    let plain = |word: &str| !word.is_empty() && !word.contains(['[', ']', '{', '}', '&', '*']);
    let said = lines[at].said.strip_prefix(key)?.trim();
    if said.is_empty() {
        let items = (from..to).filter(|at| !lines[*at].said.is_empty());
        let word = |at: usize| Some((at, lines[at].said.strip_prefix("- ")?.trim()));
        let words: Option<Vec<_>> = items.map(|at| word(at).filter(|(_, word)| plain(word))).collect();
        return Some(Words::Under { key: at, words: words? });
    }
    let inner = said.strip_prefix('[')?.strip_suffix(']')?.trim();
    let words: Vec<&str> = inner.split(',').map(str::trim).filter(|_| !inner.is_empty()).collect();
    words.iter().all(|word| plain(word)).then_some(Words::Beside { key: at, list: said, words })
}

/// Whether a word is a site, or that host alone (`=bbc.example`), which goes before the site.
fn is(word: &str, site: &Domain) -> bool {
    let word = word.trim_matches(['"', '\'']).trim();
    let host = word.strip_prefix('=').unwrap_or(word).trim();
    Domain::parse(host).is_ok_and(|word| word == *site)
}

impl Words<'_> {
    /// How often a site is among them.
    fn of(&self, site: &Domain) -> usize {
        match self {
            Self::Nowhere => 0,
            Self::Beside { words, .. } => words.iter().filter(|word| is(word, site)).count(),
            Self::Under { words, .. } => words.iter().filter(|(_, word)| is(word, site)).count(),
        }
    }
}

/// A line with something else in place of a part of it; comments stay.
fn changed(lines: &[Line<'_>], at: usize, part: &str, new: &str) -> Change {
    let old = lines[at].whole.trim();
    Change { line: at + 1, old: old.to_owned(), new: old.replacen(part, new, 1) }
}

/// The lines without a site.
fn without(lines: &[Line<'_>], key: &str, site: &Domain, words: Words<'_>) -> Vec<Change> {
    if words.of(site) == 0 {
        return Vec::new();
    }
    match words {
        Words::Nowhere => Vec::new(),
        Words::Beside { key, list, words } => {
            let rest: Vec<&str> = words.into_iter().filter(|word| !is(word, site)).collect();
            vec![changed(lines, key, list, &format!("[{}]", rest.join(", ")))]
        }
        Words::Under { key: at, words } => {
            let (gone, rest): (Vec<_>, Vec<_>) = words.into_iter().partition(|(_, word)| is(word, site));
            let line = |at: usize| lines[at].whole.trim().to_owned();
            let mut changes: Vec<Change> = gone
                .iter()
                .map(|(at, _)| Change { line: at + 1, old: line(*at), new: String::new() })
                .collect();
            if rest.is_empty() {
                // A list of none says so.
                changes.push(changed(lines, at, key, &format!("{key} []")));
            }
            changes
        }
    }
}

/// The line of what is open with one more site, or a new one.
fn with(lines: &[Line<'_>], site: &Domain, words: Words<'_>) -> Change {
    let site = site.as_str();
    match words {
        Words::Nowhere => Change { line: 0, old: String::new(), new: format!("{ALLOW} [{site}]") },
        Words::Beside { key, list, words } => {
            let all: Vec<&str> = words.into_iter().chain([site]).collect();
            changed(lines, key, list, &format!("[{}]", all.join(", ")))
        }
        Words::Under { key, words } => match words.last() {
            Some((last, _)) => Change { line: last + 1, old: String::new(), new: format!("- {site}") },
            None => changed(lines, key, ALLOW, &format!("{ALLOW} [{site}]")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, JORDAN, snapshot};

    fn proposed(jordan: &str, host: &str) -> Option<Vec<Change>> {
        let snapshot = snapshot(HOME, &[("jordan", jordan)]);
        let proposal = of(&snapshot.house, "jordan", host, jordan).unwrap();
        assert_eq!(proposal.file, "agreements/jordan.yaml");
        proposal.changes
    }

    fn lines(jordan: &str, host: &str) -> Vec<(String, String)> {
        proposed(jordan, host).unwrap().into_iter().map(|change| (change.old, change.new)).collect()
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

    /// The text as the changes would have it.
    fn applied(text: &str, changes: &[Change]) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for change in changes {
            match (change.line, change.old.is_empty(), change.new.is_empty()) {
                (0, ..) => lines.push(change.new.clone()),
                (n, true, _) => {
                    let indent = lines[n - 1].len() - lines[n - 1].trim_start().len();
                    lines[n - 1].push_str(&format!("\n{}{}", " ".repeat(indent), change.new));
                }
                (n, _, gone) => {
                    assert_eq!(lines[n - 1].trim(), change.old);
                    lines[n - 1] = if gone { String::new() } else { change.new.clone() };
                }
            }
        }
        lines.join("\n") + "\n"
    }

    #[test]
    fn however_the_words_are_written() {
        let (allow, ask) = ("allow: [bbc.example]\n", "ask: [chat.example]\n");
        for (name, allowed, asked, wanted) in [
            (
                "in_lines",
                "allow:\n  - bbc.example # news\n\n",
                "ask:\n- games\n- \"Chat.example\" # soon\n",
                2,
            ),
            ("the_only_one", allow, "ask: # first\n  - chat.example\n", 3),
            ("with_comments", "allow: [bbc.example] # news\n", "ask: [chat.example] # for now\n", 2),
            ("none_open_yet", "allow: []\n", ask, 2),
            ("nothing_under_it", "", ask, 2),
            ("that_host_alone", allow, "ask: [\"=chat.example\"]\n", 2),
            ("that_host_alone_in_lines", allow, "ask:\n  - games\n  - =chat.example\n", 2),
            ("the_host_and_the_site", allow, "ask: [=chat.example, chat.example]\n", 2),
        ] {
            let jordan = JORDAN.replace(allow, allowed).replace(ask, asked);
            let changes = proposed(&jordan, "chat.example").expect(name);
            assert_eq!(changes.len(), wanted, "{name}: {changes:?}");
            let then = applied(&jordan, &changes);
            assert!(opens(&then) && !opens(&jordan), "{name}: {then}");
            assert_eq!(then.matches("allow:").count(), 1, "{name}: {then}");
            let comments = |text: &str| text.matches('#').count();
            assert!(
                comments(&then) + 1 >= comments(&jordan),
                "only a line that goes takes its comment: {then}"
            );
        }
    }

    #[test]
    fn where_no_line_opens_anything_none_is_proposed() {
        let mail = JORDAN.replace("person: Jordan\n", "person: Jordan\nprofile: email_only\n");
        let snapshot = snapshot(HOME, &[("jordan", &mail)]);
        assert_eq!(of(&snapshot.house, "jordan", "chat.example", &mail), None);
    }

    #[test]
    fn what_the_desk_cannot_read_is_done_by_hand() {
        for (name, old, new) in [
            ("over_lines", "allow: [bbc.example]\n", "allow: [bbc.example,\n  news.example]\n"),
            ("another_key", "allow: [bbc.example]\n", "\"allow\": [bbc.example]\n"),
            ("another_ask", "ask: [chat.example]\n", "\"ask\": [chat.example]\n"),
        ] {
            assert_eq!(proposed(&JORDAN.replace(old, new), "chat.example"), None, "{name}");
        }
    }

    fn opens(jordan: &str) -> bool {
        let snapshot = snapshot(HOME, &[("jordan", jordan)]);
        let who = snapshot.house.person("jordan").unwrap();
        let host = agreements::Host::Name(blocklists::Name::new("chat.example").unwrap());
        let at = "2026-11-22T17:30:00Z".parse().unwrap();
        snapshot.judge(who, at, host, None, &agreements::Standing::default()).allows()
    }
}
