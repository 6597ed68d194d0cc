//! Who carries the home's mail: `mail` of `gateway.yaml`.

use super::accounts::is_mail;
use super::block::{Block, short, text};
use super::sheet::Sheet;
use crate::gateway::Mail;
use crate::yaml::Node;
use blocklists::Domain;
use std::net::IpAddr;

/// Reads `mail`.
pub(crate) fn read(sheet: &mut Sheet<'_>, node: &Node) -> Option<Mail> {
    let block =
        Block::read(sheet, node, "`mail`", &["server", "from", "user", "password_file", "authority_file"])?;
    let server = block.need(sheet, "server", "who carries the mail").and_then(|n| server(sheet, n));
    let from = block.need(sheet, "from", "who the messages are from").and_then(|n| from(sheet, n));
    let mut word = |key: &str| block.get(key).and_then(|n| text(sheet, n, key)).map(str::to_owned);
    let login = match (word("user"), word("password_file")) {
        (Some(user), Some(file)) => Some((user, file)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let sentence = "An account at the mail server has a user and a file with the password.";
            sheet.error(
                node.at(),
                "half-login",
                sentence,
                "Write both `user` and `password_file`, or neither.",
            );
            return None;
        }
    };
    let authority = word("authority_file");
    let (implicit_tls, host, port) = server?;
    Some(Mail { implicit_tls, host, port, from: from?, login, authority })
}

fn from(sheet: &mut Sheet<'_>, node: &Node) -> Option<String> {
    let typed = text(sheet, node, "from")?;
    if is_mail(typed) {
        return Some(typed.to_owned());
    }
    let sentence = format!("No message can be from `{}`.", short(typed));
    sheet.error(node.at(), "bad-address", &sentence, "Write it like gateway@oakview.example.");
    None
}

/// `smtps://mail.example:465`, or `smtp://mail.example:587` for STARTTLS.
fn server(sheet: &mut Sheet<'_>, node: &Node) -> Option<(bool, String, u16)> {
    let typed = text(sheet, node, "server")?;
    let found = parse(typed);
    if found.is_none() {
        let sentence = format!("`{}` is no mail server.", short(typed));
        let help = "Write it like smtps://mail.example.org:465, or smtp://mail.example.org:587 for STARTTLS.";
        sheet.error(node.at(), "bad-server", &sentence, help);
    }
    found
}

fn parse(typed: &str) -> Option<(bool, String, u16)> {
    let (scheme, rest) = typed.split_once("://")?;
    let (implicit_tls, usual) = match scheme {
        "smtps" => (true, 465),
        "smtp" => (false, 587),
        _ => return None,
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        Some(_) | None => (rest, usual),
    };
    let host = host.trim_matches(['[', ']']);
    let known = host.parse::<IpAddr>().is_ok() || Domain::parse(host).is_ok();
    known.then(|| (implicit_tls, host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_as_people_write_them() {
        let found = |tls, host: &str, port| Some((tls, host.to_owned(), port));
        for (typed, server) in [
            ("smtps://mail.example", found(true, "mail.example", 465)),
            ("smtps://mail.example:2465", found(true, "mail.example", 2465)),
            ("smtp://mail.example", found(false, "mail.example", 587)),
            ("smtp://127.0.0.1:25", found(false, "127.0.0.1", 25)),
            ("smtp://[::1]:25", found(false, "::1", 25)),
            ("smtp://[::1]", found(false, "::1", 587)),
            ("mail.example", None),
            ("http://mail.example", None),
            ("smtp://mail.example:x", None),
            ("smtp://", None),
            ("smtp://user:secret@mail.example:25", None),
        ] {
            assert_eq!(parse(typed), server, "{typed}");
        }
    }
}
