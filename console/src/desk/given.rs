//! What a change gives and takes, in words.

use agreements::{
    Diff, LimitChange, MinutesChange, Outcome, PersonDiff, Presence, SettingChange, Which, WordChange,
    duration,
};

/// What a change does for somebody, or for the home.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

/// One thing that it does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// `gives`, `takes` or `changes`.
    pub(crate) does: &'static str,
    pub(crate) said: String,
}

/// Everything that a change does; empty where it does nothing.
pub(crate) fn effects(difference: &Diff) -> Vec<Effect> {
    let home: Vec<Line> = difference.home.iter().map(setting).collect();
    let home = (!home.is_empty()).then(|| Effect { name: "The home".to_owned(), lines: home });
    home.into_iter().chain(difference.people.iter().map(of_person)).collect()
}

fn of_person(person: &PersonDiff) -> Effect {
    let name = match person.how {
        Presence::Added => format!("{} (new)", person.name),
        Presence::Removed => format!("{} (no longer here)", person.name),
        Presence::Changed => person.name.clone(),
    };
    let words = [&person.sites, &person.services, &person.categories].into_iter().flatten();
    let lines = person.minutes.iter().map(minutes);
    let lines = lines.chain(person.limits.iter().map(limit));
    let lines = lines.chain(person.otherwise.iter().chain(words).map(word));
    Effect { name, lines: lines.chain(person.settings.iter().map(setting)).collect() }
}

/// A length as people say it.
fn length(minutes: i64) -> String {
    duration(u32::try_from(minutes).unwrap_or(0))
}

fn minutes(change: &MinutesChange) -> Line {
    let (given, taken) = (change.given, change.taken);
    let by = match (given > 0, taken > 0) {
        (true, true) => format!("{} more and {} less", length(given), length(taken)),
        (true, false) => format!("{} more", length(given)),
        (false, _) => format!("{} less", length(taken)),
    };
    let said = format!("{}: {by} ({} in place of {})", change.days, length(change.new), length(change.old));
    Line { does: if given >= taken { "gives" } else { "takes" }, said }
}

fn limit(change: &LimitChange) -> Line {
    let side =
        |limit: Option<u16>| limit.map_or_else(|| "no limit".to_owned(), |minutes| duration(minutes.into()));
    let (old, new) = (side(change.old), side(change.new));
    let said = format!("{}, {}: {new} in place of {old}", change.title, change.days);
    Line { does: does(change.which), said }
}

fn word(change: &WordChange) -> Line {
    let what = change.what.replace('_', " ");
    let said = format!("{what}: {} (was: {})", outcome(change.new), outcome(change.old));
    Line { does: does(change.which), said }
}

fn setting(change: &SettingChange) -> Line {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let said =
        format!("{}: {} in place of {}", change.what.replace('_', " "), side(&change.new), side(&change.old));
    Line { does: "changes", said }
}

const fn does(which: Which) -> &'static str {
    match which {
        Which::Gives => "gives",
        Which::Takes => "takes",
    }
}

/// An outcome as people say it.
pub(crate) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "open",
        Outcome::Ask => "ask first",
        Outcome::WithStaff => "together with staff",
        Outcome::Block => "closed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::play::{HOME, JORDAN, snapshot};

    fn said(new: &str) -> Vec<(&'static str, String)> {
        let (old, new) = (snapshot(HOME, &[("jordan", JORDAN)]), snapshot(HOME, &[("jordan", new)]));
        let difference = agreements::diff(&old.house, &new.house, "2026-11-23".parse().unwrap());
        let effects = effects(&difference);
        assert!(effects.len() <= 1, "{effects:?}");
        effects.into_iter().flat_map(|e| e.lines).map(|line| (line.does, line.said)).collect()
    }

    #[test]
    fn what_a_change_gives_and_takes() {
        assert_eq!(said(JORDAN), []);
        for (name, old, new, does, words) in [
            ("later_bedtime", "{every_day: 21:00}", "{every_day: 22:00}", "gives", "1 h more"),
            ("earlier", "{every_day: 21:00}", "{every_day: 20:30}", "takes", "30 min less"),
            ("more_of_a_limit", "video.example: 45m", "video.example: 1h", "gives", "1 h in place of 45 min"),
            (
                "a_site_opens",
                "ask: [chat.example]",
                "ask: []",
                "gives",
                "chat.example: open (was: ask first)",
            ),
            (
                "a_site_closes",
                "allow: [bbc.example]",
                "block: [bbc.example, games.example]",
                "takes",
                "bbc.example: closed",
            ),
        ] {
            let mut text = JORDAN.replace(old, new);
            if name == "a_site_closes" {
                text = text.replace("\nblock: [games.example]", "");
            }
            let lines = said(&text);
            let found = lines.iter().any(|(d, s)| *d == does && s.contains(words));
            assert!(found, "{name}: {lines:?}");
        }
    }
}
