//! The part of adblock syntax that a name server can follow: `||x^` lists x and everything below, `@@||x^` excepts
//! it (AdGuard, "DNS filtering rules syntax"). What looks into pages is skipped with its reason.

use super::entry::{Effect, Reach, Reason};
use super::out::{Out, is_address};
use super::{Reader, plain};

/// Options that change nothing for a name server: it refuses the whole host for everybody in any case.
const HARMLESS: &[&str] = &["important", "all", "document", "doc", "popup", "third-party", "3p"];

pub(super) struct Adblock;

impl Reader for Adblock {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        if line.is_empty()
            || line.starts_with('!')
            || line.starts_with("[Adblock")
            || line.starts_with("# ")
            || line == "#"
        {
            return;
        }
        if is_cosmetic(line) {
            return out.skip(Reason::Cosmetic, line);
        }
        let (rule, effect) = match line.strip_prefix("@@") {
            Some(rest) => (rest, Effect::Except),
            None => (line, Effect::List),
        };
        let (pattern, options) = rule.split_once('$').unwrap_or((rule, ""));
        if !options.split(',').all(|option| can_honour(option, effect)) {
            return out.skip(Reason::Option, line);
        }
        match host(pattern) {
            Ok(host) => out.entry(host, Reach::Site, effect),
            Err(reason) => out.skip(reason, line),
        }
    }
}

/// `third-party` on an exception would open the site itself too, so only a listing may lose it.
fn can_honour(option: &str, effect: Effect) -> bool {
    let option = option.trim();
    option.is_empty()
        || match effect {
            Effect::List => HARMLESS.contains(&option),
            Effect::Except => matches!(option, "important" | "all" | "document" | "doc"),
        }
}

fn is_cosmetic(line: &str) -> bool {
    line.contains('#')
        && ["##", "#@#", "#?#", "#$#", "#%#", "#@?#", "#@$#"].iter().any(|mark| line.contains(mark))
}

/// The host of `||host^`, `||host`, `||*.host^` or a bare `host`.
fn host(pattern: &str) -> Result<&str, Reason> {
    if pattern.starts_with('/') && pattern.ends_with('/') && pattern.len() > 1 {
        return Err(Reason::Pattern);
    }
    let anchored = pattern.strip_prefix("||");
    let host = anchored.unwrap_or(pattern);
    let host = host.strip_suffix('|').unwrap_or(host);
    let host = host.strip_suffix('^').unwrap_or(host);
    let host = host.strip_prefix("*.").unwrap_or(host);
    match host {
        _ if host.contains('/') => Err(Reason::Path),
        _ if host.contains(['*', '^', '|']) => Err(Reason::Pattern),
        // A bare word matches anywhere in an address, so that only a whole host name is taken at its word.
        _ if anchored.is_none() && !plain::smells(host) && !is_address(host) => Err(Reason::Pattern),
        _ => Ok(host),
    }
}

pub(super) fn smells(line: &str) -> bool {
    line.starts_with("||")
        || line.starts_with("@@")
        || line.starts_with("[Adblock")
        || is_cosmetic(line)
        || plain::smells(line)
}
