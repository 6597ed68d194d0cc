//! dnsmasq configuration: `address=/x/`, `server=/x/`, `local=/x/` (dnsmasq(8)). A line means x and everything below.

use super::entry::{Reach, Reason};
use super::out::Out;
use super::{Reader, without_comment};

pub(super) struct Dnsmasq;

impl Reader for Dnsmasq {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let line = without_comment(line, '#');
        if line.is_empty() {
            return;
        }
        let Some(domains) = domains(line) else { return out.skip(Reason::Syntax, line) };
        // `address=/x/y/0.0.0.0`: everything between the first and the last stroke is a name.
        let Some((names, target)) = domains.rsplit_once('/') else { return out.skip(Reason::Syntax, line) };
        if target == "#" && line.starts_with("server=") {
            // "Use the standard servers": the opposite of blocking.
            return out.skip(Reason::Option, line);
        }
        for name in names.split('/') {
            match name.strip_prefix('*') {
                // Since 2.86 `*x` also matches names that merely end so, which nobody looked at.
                Some(rest) if !rest.starts_with('.') => out.skip(Reason::Pattern, line),
                Some(rest) => out.list(&rest[1..], Reach::Site),
                None => out.list(name.strip_prefix('.').unwrap_or(name), Reach::Site),
            }
        }
    }
}

/// What follows the first stroke: `x/` of `server=/x/`.
fn domains(line: &str) -> Option<&str> {
    let (key, value) = line.trim_start_matches("--").split_once('=')?;
    matches!(key.trim(), "address" | "server" | "local").then(|| value.trim().strip_prefix('/')).flatten()
}

pub(super) fn smells(line: &str) -> bool {
    domains(line).is_some()
}
