//! An episode in a sentence. The words say what was seen and never guilt: nobody sees who held a device.

use agreements::{Evidence, House, Severity};
use blocklists::{Category, FourC};
use chrono::{DateTime, Utc};
use records::{Episode, Mark};

/// What was seen, in a sentence: whose device, what it did, where, how often, when. What the device is called is for those
/// who know whose it is.
pub(crate) fn sentence(episode: &Episode, name: &str, house: &House, knows: bool) -> String {
    let who = match (episode.device.as_ref().filter(|_| knows), episode.person == "nobody") {
        (_, true) => "A device that nobody here is known to have".to_owned(),
        (Some(device), false) => format!("{name}’s {device}"),
        (None, false) => format!("A device of {name}"),
    };
    let did = match episode.evidence {
        Evidence::Lookup => "looked up",
        Evidence::Connection => "tried to connect to",
        Evidence::Navigation => "tried to open",
        Evidence::Repeated => "kept trying to open",
    };
    let site = match episode.site.as_str() {
        "sealed" => "a site of a sealed list".to_owned(),
        many if records::OF_MANY.contains(&many) => many.replacen("and", "many", 1),
        site => site.to_owned(),
    };
    let often = match episode.count {
        1 => String::new(),
        2 => ", twice".to_owned(),
        count => format!(", {count} times"),
    };
    format!("{who} {did} {site}{often}, {}.", when(house, episode.first, episode.last))
}

/// `at 20:14`, `from 20:14 to 20:19`.
fn when(house: &House, first: DateTime<Utc>, last: DateTime<Utc>) -> String {
    let clock = |at: DateTime<Utc>| at.with_timezone(&house.home().timezone).format("%H:%M").to_string();
    let (first, last) = (clock(first), clock(last));
    if first == last { format!("at {first}") } else { format!("from {first} to {last}") }
}

/// A severity in a word, and what it is shown as.
pub(crate) const fn severity(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Technical => ("by itself", "low"),
        Severity::Low => ("small", "low"),
        Severity::Medium => ("medium", "medium"),
        Severity::High => ("high", "high"),
        Severity::Critical => ("critical", "high"),
    }
}

/// What staff may want to talk about, by the part of "the 4 Cs" that the site's first category belongs to (seed 003 §4.13); none
/// where it is no risk. It asks and never accuses.
pub(crate) fn to_talk_about(categories: &[String]) -> Option<String> {
    let found =
        categories.iter().find_map(|word| Category::from_word(word).filter(|c| c.four_c().is_some()))?;
    let question = match found.four_c()? {
        FourC::Content => {
            "What is seen there can frighten, or soon seem normal. Ask what they saw, who showed it to them, and how they are now."
        }
        FourC::Contact => {
            "Others reach them there. Ask whom they know, and whether anybody wants pictures, money, a meeting, or a secret kept."
        }
        FourC::Conduct => {
            "Ask what they needed that was closed, and who told them how. A wish is a reason to look at the agreement together."
        }
        FourC::Commerce => {
            "Somebody earns by it. Ask whether money, vouchers or skins went there, and who began it."
        }
    };
    Some(format!("{question} More about {}: {}.", found.for_staff(), found.learn_host()))
}

/// A mark in words.
pub(crate) const fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::SpokeWithThem => "Spoke with them",
        Mark::FalseAlarm => "False alarm",
        Mark::TheirReport => "They told us themselves",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, snapshot};
    use agreements::{Outcome, Rule};
    use records::Identified;

    fn episode() -> Episode {
        Episode {
            entry: 1,
            person: "jordan".into(),
            name: "Jordan".into(),
            device: Some("phone".into()),
            identified: Identified::Mac,
            first: "2026-11-22T20:14:05Z".parse().unwrap(),
            last: "2026-11-22T20:14:05Z".parse().unwrap(),
            count: 1,
            site: "casino.example".into(),
            categories: Vec::new(),
            outcome: Outcome::Block,
            rule: Rule::Category,
            severity: Severity::Medium,
            evidence: Evidence::Navigation,
            circumvention: false,
            reported: false,
            open: false,
            sentence: String::new(),
            why: String::new(),
            regulations: Vec::new(),
            source: None,
            marks: Vec::new(),
            notes: Vec::new(),
            detector: None,
            of_staff: None,
        }
    }

    #[test]
    fn every_risk_has_something_to_talk_about() {
        for category in Category::all() {
            let said = to_talk_about(&["no_such_word".to_owned(), category.word().to_owned()]);
            assert_eq!(said.is_some(), category.four_c().is_some(), "{}", category.word());
            let said = said.unwrap_or_default().to_lowercase();
            for hard in ["guilt", "offen", "why did", "caught"] {
                assert!(!said.contains(hard), "{hard}: {said}");
            }
        }
        assert!(to_talk_about(&["gambling".to_owned()]).unwrap().contains("vouchers"));
        assert_eq!(to_talk_about(&[]), None);
    }

    #[test]
    fn what_was_seen_and_never_guilt() {
        let snapshot = snapshot(HOME, &[]);
        let later = "2026-11-22T20:19:00Z".parse().unwrap();
        for (episode, said) in [
            (episode(), "Jordan’s phone tried to open casino.example, at 20:14."),
            (
                Episode { count: 2, last: later, evidence: Evidence::Repeated, ..episode() },
                "Jordan’s phone kept trying to open casino.example, twice, from 20:14 to 20:19.",
            ),
            (
                Episode { evidence: Evidence::Lookup, device: None, count: 7, ..episode() },
                "A device of Jordan looked up casino.example, 7 times, at 20:14.",
            ),
            (
                Episode {
                    person: "nobody".into(),
                    device: None,
                    evidence: Evidence::Connection,
                    ..episode()
                },
                "A device that nobody here is known to have tried to connect to casino.example, at 20:14.",
            ),
            (
                Episode { site: "sealed".into(), ..episode() },
                "Jordan’s phone tried to open a site of a sealed list, at 20:14.",
            ),
        ] {
            assert_eq!(sentence(&episode, "Jordan", &snapshot.house, true), said);
        }
    }
}
