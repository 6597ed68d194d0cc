//! What an intermediary takes off, keeps and adds (RFC 9110 §7.6), in both directions.

use super::problem::Problem;
use crate::target::Target;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Version};

/// The name under which the proxy stands in `Via`. It is the same in every home, so it tells a site nothing but that.
const PSEUDONYM: &str = "hearthgate";

/// Fields for one connection only, whether or not `Connection` names them (RFC 9110 §7.6.1).
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "proxy-features",
    "proxy-instruction",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What a message asked of its own connection and that goes on with our next one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asks {
    /// `TE: trailers`: trailers are welcome.
    pub(super) trailers: bool,
    /// The protocols that it wants to change to.
    pub(super) upgrade: Option<HeaderValue>,
}

/// Takes off everything that was for one connection, and says what of it has to be asked of the next.
pub(super) fn take_hop_by_hop(headers: &mut HeaderMap) -> Asks {
    let named = connection_options(headers);
    let asks = Asks { trailers: welcomes_trailers(headers), upgrade: upgrade(headers, &named) };
    for name in named {
        // Whoever sends these cannot mean it: without them the message has another meaning or another length.
        if name != header::HOST && name != header::CONTENT_LENGTH {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(*name);
    }
    asks
}

fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).filter_map(|option| option.trim().parse().ok()).collect()
}

fn welcomes_trailers(headers: &HeaderMap) -> bool {
    let codings =
        headers.get_all(header::TE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    codings
        .map(|coding| coding.split(';').next().unwrap_or_default().trim())
        .any(|c| c.eq_ignore_ascii_case("trailers"))
}

/// The protocol asked for. WebSocket alone goes on, as in tunnels: inside anything else (`h2c`, TLS, what a server of
/// somebody's own speaks) requests for other hosts would pass unjudged. A server that is not asked simply answers in
/// HTTP/1.1 (RFC 9110 §7.8).
fn upgrade(headers: &HeaderMap, named: &[HeaderName]) -> Option<HeaderValue> {
    let mut wanted = headers.get_all(header::UPGRADE).iter();
    let (protocol, no_other) = (wanted.next()?, wanted.next().is_none());
    let websocket = protocol.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    (websocket && no_other && named.contains(&header::UPGRADE)).then(|| HeaderValue::from_static("websocket"))
}

/// Makes a client's request headers ours to send to `target`.
pub(super) fn outgoing(headers: &mut HeaderMap, target: &Target, version: Version, chunked: bool) -> Asks {
    let asks = take_hop_by_hop(headers);
    // The URI wins over whatever `Host` said (RFC 9112 §3.2.2).
    headers.insert(header::HOST, host_value(target));
    if asks.trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.append(header::CONNECTION, HeaderValue::from_static("te"));
    }
    if let Some(protocols) = &asks.upgrade {
        headers.insert(header::UPGRADE, protocols.clone());
        headers.append(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if chunked {
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    add_via(headers, version);
    asks
}

/// Makes an origin's answer headers ours to send to the client.
pub(super) fn incoming(headers: &mut HeaderMap, version: Version) {
    take_hop_by_hop(headers);
    add_via(headers, version);
}

/// Makes the headers of a `101 Switching Protocols` ours to send to the client.
pub(super) fn switching(headers: &mut HeaderMap, version: Version) {
    let asks = take_hop_by_hop(headers);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    if let Some(protocols) = asks.upgrade {
        headers.insert(header::UPGRADE, protocols);
    }
    add_via(headers, version);
}

/// `Host` for a target: the port only where it is not HTTP's own (RFC 9110 §7.2).
fn host_value(target: &Target) -> HeaderValue {
    let text = match target.port {
        80 => target.host.to_string(),
        port => format!("{}:{port}", target.host),
    };
    HeaderValue::try_from(text).expect("host names and addresses are visible ASCII")
}

/// Says that the message came through here (RFC 9110 §7.6.3). No address of the sender is ever added.
fn add_via(headers: &mut HeaderMap, version: Version) {
    let received = if version == Version::HTTP_10 { "1.0 hearthgate" } else { "1.1 hearthgate" };
    headers.append(header::VIA, HeaderValue::from_static(received));
}

/// Whether the message has been through a Hearthgate before.
pub(super) fn has_been_here(headers: &HeaderMap) -> bool {
    let hops = headers.get_all(header::VIA).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    hops.filter_map(|hop| hop.split_whitespace().nth(1)).any(|by| by.eq_ignore_ascii_case(PSEUDONYM))
}

/// How many more proxies may pass an `OPTIONS` on (RFC 9110 §7.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hops {
    /// As many as there are.
    Any,
    /// This proxy is the last and answers itself.
    EndHere,
}

/// Counts this proxy in `Max-Forwards`, which holds for `OPTIONS` alone here (`TRACE` is refused).
pub(super) fn count_hop(method: &Method, headers: &mut HeaderMap) -> Hops {
    if *method != Method::OPTIONS {
        return Hops::Any;
    }
    let left: Option<u64> =
        headers.get(header::MAX_FORWARDS).and_then(|v| v.to_str().ok()?.trim().parse().ok());
    match left {
        None => Hops::Any,
        Some(0) => Hops::EndHere,
        Some(left) => {
            headers.insert(header::MAX_FORWARDS, HeaderValue::from(left - 1));
            Hops::Any
        }
    }
}

/// `Expect` may only say `100-continue`; the exchange itself is hyper's (RFC 9110 §10.1.1).
pub(super) fn check_expectation(headers: &HeaderMap) -> Result<(), Problem> {
    let mut expectations = headers.get_all(header::EXPECT).iter();
    let understood = expectations.all(|v| v.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if understood { Ok(()) } else { Err(Problem::Expectation) }
}

#[cfg(test)]
#[path = "headers/tests.rs"]
mod tests;
