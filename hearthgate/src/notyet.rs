//! What a home's files ask for together and cannot have: told plainly and never pretended.

use crate::home::Loaded;
use agreements::{Level, Problem};

/// Mail is to be sent and nobody carries it: a warning at the place that asks for it.
pub(crate) fn no_mail(loaded: &Loaded) -> Option<Problem> {
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
