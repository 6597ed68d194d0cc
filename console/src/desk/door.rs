//! The door: what every request must be before anybody looks who makes it, and what every answer carries.

use super::Place;
use super::wrong::Wrong;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header, uri::Authority};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// Nothing but what stands in the gateway itself is loaded, run or posted to.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                   form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const CARRIED: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // With `no-referrer` a browser would say `Origin: null` of the desk's own forms.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// Lets in what names the gateway as its host and, where it changes something, comes from the desk's own pages.
pub(crate) async fn pass(State(place): State<Place>, request: Request, next: Next) -> Response {
    let mut response = match look(&place, &request) {
        Ok(()) => next.run(request).await,
        Err(wrong) => wrong.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in CARRIED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn look(place: &Place, request: &Request) -> Result<(), Wrong> {
    let host = host(request).ok_or(Wrong::Host)?;
    if !is_own(host.host(), &place.desk.names) {
        return Err(Wrong::Host);
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || is_from_here(request.headers(), &host) { Ok(()) } else { Err(Wrong::Elsewhere) }
}

fn host(request: &Request) -> Option<Authority> {
    match request.uri().authority() {
        Some(authority) => Some(authority.clone()),
        None => request.headers().get(header::HOST)?.to_str().ok()?.parse().ok(),
    }
}

/// A page of the internet whose name was pointed at the gateway (DNS rebinding) says its own name here; only an address
/// or one of the gateway's names is ours.
fn is_own(host: &str, names: &[String]) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || bare.eq_ignore_ascii_case("localhost")
        || names.iter().any(|name| name.eq_ignore_ascii_case(bare))
}

/// Whether a form was sent by a page of the desk: browsers say so (Fetch Metadata), and older ones name the origin. What
/// says neither is no browser, and the desk is for browsers.
fn is_from_here(headers: &HeaderMap, host: &Authority) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let named = origin.split_once("://").map(|(_, authority)| authority);
            named.is_some_and(|named| named.eq_ignore_ascii_case(host.as_str()))
        }
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_forms_are_taken() {
        let host: Authority = "192.168.4.1:8443".parse().unwrap();
        for (name, site, origin, taken) in [
            ("our_page", Some("same-origin"), Some("https://192.168.4.1:8443"), true),
            ("typed_or_reloaded", Some("none"), None, true),
            ("another_page", Some("cross-site"), Some("https://evil.example"), false),
            ("another_port_of_the_gateway", Some("same-site"), Some("https://192.168.4.1"), false),
            ("claims_our_origin_across_sites", Some("cross-site"), Some("https://192.168.4.1:8443"), false),
            ("older_browser_ours", None, Some("https://192.168.4.1:8443"), true),
            ("older_browser_another", None, Some("https://evil.example"), false),
            ("older_browser_another_port", None, Some("https://192.168.4.1"), false),
            ("sandboxed", None, Some("null"), false),
            ("says_nothing", None, None, false),
        ] {
            let mut headers = HeaderMap::new();
            let mut put = |name, value: Option<&'static str>| {
                value.map(|value| headers.insert(name, HeaderValue::from_static(value)))
            };
            put(HeaderName::from_static("sec-fetch-site"), site);
            put(header::ORIGIN, origin);
            assert_eq!(is_from_here(&headers, &host), taken, "{name}");
        }
    }

    #[test]
    fn which_hosts_are_ours() {
        let names = ["hearthgate.home.arpa".to_owned()];
        for (host, ours) in [
            ("127.0.0.1", true),
            ("[::1]", true),
            ("LOCALHOST", true),
            ("Hearthgate.home.arpa", true),
            ("hearthgate.home.arpa.evil.example", false),
            ("rebound.example", false),
            ("", false),
        ] {
            assert_eq!(is_own(host, &names), ours, "{host}");
        }
    }
}
