//! What a person types for a site: a host, an address, or a whole URL.

use blocklists::Domain;
use std::net::IpAddr;

/// What was asked for, as the decision takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The host or address.
    pub(crate) host: AskedHost,
    /// The path, where the gateway would see it: plain HTTP, or no scheme at all.
    pub(crate) path: Option<String>,
}

/// A host name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AskedHost {
    /// A name.
    Name(Domain),
    /// An address.
    Address(IpAddr),
}

impl Asked {
    /// Reads `www.tiktok.com`, `müller.example`, `192.0.2.1`, `[2001:db8::1]:443`, `https://host:8443/path?query`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").map_or((None, text), |(s, r)| (Some(s), r));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = rest[..end].rsplit('@').next().unwrap_or_default();
        let path = rest[end..].split(['?', '#']).next().unwrap_or_default();
        let seen = scheme.is_none_or(|s| s.eq_ignore_ascii_case("http"));
        let path = (seen && !path.is_empty()).then(|| path.to_owned());
        Ok(Self { host: AskedHost::parse(authority)?, path })
    }

    /// The host for the decision.
    pub(crate) fn host(&self) -> agreements::Host<'_> {
        match &self.host {
            AskedHost::Name(name) => agreements::Host::Name(name.name()),
            AskedHost::Address(address) => agreements::Host::Address(*address),
        }
    }
}

impl AskedHost {
    fn parse(authority: &str) -> Result<Self, String> {
        if let Ok(address) = authority.parse() {
            return Ok(Self::Address(address));
        }
        if let Some((inner, _)) = authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
            return inner.parse().map(Self::Address).map_err(|_| format!("`{inner}` is no IPv6 address"));
        }
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        if let Ok(address) = host.parse() {
            return Ok(Self::Address(address));
        }
        Domain::parse(host).map(Self::Name).map_err(|wrong| format!("`{host}` is no host name: {wrong}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Asked::parse(text) {
            Err(error) => format!("no: {error}"),
            Ok(Asked { host: AskedHost::Name(name), path }) => format!("{name} {}", path.unwrap_or_default()),
            Ok(Asked { host: AskedHost::Address(ip), path }) => format!("@{ip} {}", path.unwrap_or_default()),
        }
    }

    #[test]
    fn what_people_type() {
        let cases = [
            ("www.TikTok.com", "www.tiktok.com "),
            ("www.tiktok.com.", "www.tiktok.com "),
            ("https://www.tiktok.com/@someone?x=1", "www.tiktok.com "),
            ("http://bbc.co.uk/bitesize/a?x#y", "bbc.co.uk /bitesize/a"),
            ("bbc.co.uk/bitesize", "bbc.co.uk /bitesize"),
            ("http://user:pass@host.example:8080/", "host.example /"),
            ("host.example:443", "host.example "),
            ("192.0.2.1", "@192.0.2.1 "),
            ("http://192.0.2.1:80/x", "@192.0.2.1 /x"),
            ("2001:db8::1", "@2001:db8::1 "),
            ("https://[2001:db8::1]:8443/", "@2001:db8::1 "),
            ("müller.example", "xn--mller-kva.example "),
        ];
        for (typed, meant) in cases {
            assert_eq!(shown(typed), meant, "{typed}");
        }
        for wrong in ["", "http://", "a b.example", "[nonsense]", "a..example"] {
            assert!(shown(wrong).starts_with("no: "), "{wrong}: {}", shown(wrong));
        }
    }
}
