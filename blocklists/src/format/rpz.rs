//! Response policy zones (draft-vixie-dnsop-dns-rpz): zone-file lines whose CNAME target is the policy.
//!
//! `x CNAME .` and `x CNAME rpz-drop.` list x alone, `*.x …` the names below it, `rpz-passthru.` excepts. As in the
//! draft, the more specific owner wins: a passthru of `*.x` does not free a listed `y.x`.

use super::Reader;
use super::entry::{Effect, Reach, Reason};
use super::out::Out;

#[derive(Default)]
pub(super) struct Rpz {
    /// The name that relative names are completed with: `$ORIGIN`, or the owner of the SOA record.
    origin: Option<Box<str>>,
    /// The owner of the record before: a line that begins with a blank repeats it.
    owner: Box<str>,
    /// Whether an SOA record's parentheses are still open.
    in_parentheses: bool,
}

impl Reader for Rpz {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let text = line.split(';').next().unwrap_or("").trim();
        if text.is_empty() || self.skips_parentheses(text) {
            return;
        }
        let mut words = text.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        match first.to_ascii_uppercase().as_str() {
            "$ORIGIN" => self.origin = words.next().map(without_dot),
            directive if directive.starts_with('$') => {}
            _ => self.record(first, &words.collect::<Vec<_>>(), line, out),
        }
    }
}

impl Rpz {
    fn skips_parentheses(&mut self, text: &str) -> bool {
        let was_inside = self.in_parentheses;
        let opens = text.contains('(');
        self.in_parentheses = (was_inside || opens) && !text.contains(')');
        // The line that opens them still carries the SOA's owner.
        if opens && !was_inside && self.origin.is_none() {
            self.take_origin(text);
        }
        was_inside || opens
    }

    fn take_origin(&mut self, text: &str) {
        let first = text.split_ascii_whitespace().next().unwrap_or_default();
        if first.len() > 1 && first.ends_with('.') {
            self.origin = Some(without_dot(first));
        }
    }

    fn record(&mut self, first: &str, rest: &[&str], line: &str, out: &mut Out<'_>) {
        // A line whose owner was left out begins with its TTL, class or type.
        let all: Vec<&str> = std::iter::once(first).chain(rest.iter().copied()).collect();
        let Some(place) = all.iter().position(|word| is_type(word)) else {
            return out.skip(Reason::Syntax, line);
        };
        if place > 0 && !is_ttl_or_class(first) {
            self.owner = first.into();
        }
        let target = all.get(place + 1).copied().unwrap_or_default();
        match all[place].to_ascii_uppercase().as_str() {
            "SOA" if self.origin.is_none() => self.take_origin(first),
            "SOA" | "NS" => {}
            "CNAME" => self.policy(target, line, out),
            // Local data (A, AAAA, TXT …) answers something else, which in a blocklist means: blocked.
            "A" | "AAAA" => self.owned(Effect::List, line, out),
            _ => out.skip(Reason::Option, line),
        }
    }

    fn policy(&self, target: &str, line: &str, out: &mut Out<'_>) {
        match target.to_ascii_lowercase().as_str() {
            // NXDOMAIN, NODATA, drop, and truncate all keep the client from the site.
            "." | "*." | "rpz-drop." => self.owned(Effect::List, line, out),
            "rpz-passthru." => self.owned(Effect::Except, line, out),
            "rpz-tcp-only." => out.skip(Reason::Option, line),
            "" => out.skip(Reason::Syntax, line),
            // The old spelling of passthru: a name that is its own target.
            own if own.trim_end_matches('.').eq_ignore_ascii_case(self.owner.trim_end_matches('.')) => {
                self.owned(Effect::Except, line, out);
            }
            // A walled garden: the listed name is answered with another one.
            _ => self.owned(Effect::List, line, out),
        }
    }

    fn owned(&self, effect: Effect, line: &str, out: &mut Out<'_>) {
        let owner = self.relative(&self.owner);
        let triggers = [".rpz-ip", ".rpz-nsdname", ".rpz-nsip", ".rpz-client-ip"];
        match owner {
            Some(owner) if triggers.iter().any(|t| owner.ends_with(t)) => out.skip(Reason::Option, line),
            Some(owner) => match owner.strip_prefix("*.") {
                Some(site) => out.entry(site, Reach::Below, effect),
                None => out.entry(owner, Reach::Here, effect),
            },
            None => out.skip(Reason::Syntax, line),
        }
    }

    /// The owner as a name outside the zone: an RPZ's owners are written relative to it, or end with its name.
    fn relative<'a>(&self, owner: &'a str) -> Option<&'a str> {
        if owner.is_empty() || owner == "@" {
            return None;
        }
        let Some(absolute) = owner.strip_suffix('.') else { return Some(owner) };
        match &self.origin {
            // Some publishers write the listed name itself with a dot, as if the zone were the root.
            Some(origin) => match absolute.strip_suffix(&**origin) {
                Some("") => None,
                Some(inside) => inside.strip_suffix('.').or(Some(absolute)),
                None => Some(absolute),
            },
            None => Some(absolute),
        }
    }
}

fn without_dot(name: &str) -> Box<str> {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().into()
}

fn is_type(word: &str) -> bool {
    ["CNAME", "SOA", "NS", "A", "AAAA", "TXT", "MX", "SRV", "DNAME"]
        .iter()
        .any(|t| word.eq_ignore_ascii_case(t))
}

fn is_ttl_or_class(word: &str) -> bool {
    word.eq_ignore_ascii_case("IN") || (word.bytes().all(|b| b.is_ascii_digit()) && !word.is_empty())
}

pub(super) fn smells(line: &str) -> bool {
    let line = line.split(';').next().unwrap_or("");
    ["$TTL", "$ORIGIN"].iter().any(|d| line.starts_with(d))
        || line
            .split_ascii_whitespace()
            .any(|w| w.eq_ignore_ascii_case("CNAME") || w.eq_ignore_ascii_case("SOA"))
}
