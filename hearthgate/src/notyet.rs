//! What `gateway.yaml` may already say and this version does not do. It is told plainly and never pretended.

use crate::home::Loaded;
use agreements::{Fail, Gateway, Level, Problem, Router};

/// One thing that the language has and this version has not.
struct Missing {
    key: &'static str,
    asked: fn(&Gateway) -> bool,
    sentence: &'static str,
    help: &'static str,
}

const MISSING: [Missing; 1] = [Missing {
    key: "fail",
    asked: |g| matches!(g.router, Router::Nftables { fail: Fail::Baseline, .. }),
    sentence: "`fail: baseline` is not in this version: the router is closed while the gateway does not run.",
    help: "The unit in deploy/ restarts it within a second; `fail: closed` says what happens until then.",
}];

/// Mail is to be sent and nobody carries it: a warning at the place that asks for it.
fn no_mail(loaded: &Loaded) -> Option<Problem> {
    let asked = loaded.reading.house.home().notify.iter().find(|notify| notify.to.starts_with("mailto:"))?;
    loaded.reading.gateway.as_ref().filter(|gateway| gateway.mail.is_none())?;
    let (line, column, text) = place(loaded.folder.texts.get("home.yaml")?, "notify");
    Some(Problem {
        level: Level::Warning,
        file: "home.yaml".to_owned(),
        line,
        column,
        code: "no-mail",
        sentence: format!("Nobody carries mail to `{}`: gateway.yaml has no `mail`.", asked.to),
        help: "Write `mail: {server: \"smtps://…\", from: …}` there.".to_owned(),
        text,
        other: None,
    })
}

/// A warning for each, with its place in `gateway.yaml`.
pub(crate) fn warnings(loaded: &Loaded) -> Vec<Problem> {
    let Some(gateway) = &loaded.reading.gateway else { return Vec::new() };
    let text = loaded.folder.texts.get("gateway.yaml").map_or("", String::as_str);
    warnings_of(gateway, text).into_iter().chain(no_mail(loaded)).collect()
}

/// The same for a text that is in force.
pub(crate) fn warnings_of(gateway: &Gateway, text: &str) -> Vec<Problem> {
    MISSING.iter().filter(|missing| (missing.asked)(gateway)).map(|missing| missing.problem(text)).collect()
}

impl Missing {
    fn problem(&self, text: &str) -> Problem {
        let (line, column, text) = place(text, self.key);
        Problem {
            level: Level::Warning,
            file: "gateway.yaml".to_owned(),
            line,
            column,
            code: "not-yet",
            sentence: self.sentence.to_owned(),
            help: self.help.to_owned(),
            text,
            other: None,
        }
    }
}

/// Line, column and text of the first place where a key stands, outside comments.
fn place(text: &str, key: &str) -> (u32, u32, String) {
    let key = format!("{key}:");
    let found = text.lines().enumerate().find_map(|(i, line)| {
        let code = line.split(" #").next().unwrap_or(line);
        let at = code.find(&key).filter(|_| !line.trim_start().starts_with('#'))?;
        Some((i as u32 + 1, code[..at].chars().count() as u32 + 1, line.to_owned()))
    });
    found.unwrap_or((1, 1, String::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_keys_own() {
        let text = "# dns_tls: no\nlisten:\n  dns: []   # dns_tls: below\n  dns_tls: [\"0.0.0.0:853\"]\n";
        assert_eq!(place(text, "dns_tls"), (4, 3, "  dns_tls: [\"0.0.0.0:853\"]".to_owned()));
        assert_eq!(place(text, "router"), (1, 1, String::new()));
    }
}
