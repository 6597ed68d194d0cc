//! What a request asks for: one of the gateway's own pages, a page over plain HTTP, or a tunnel.

use super::headers;
use super::problem::Problem;
use super::visit::Visit;
use crate::target::{PortUse, Target, TargetHost, plain_port, tunnel_port};
use agreements::{Evidence, Verdict};
use blocklists::Domain;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, Version};
use std::net::{IpAddr, SocketAddr};

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// A page of the gateway's own.
    Own,
    /// A request in absolute form, and the path by which it is judged.
    Plain(Target, Path),
    /// `CONNECT`, and how the tunnel will begin.
    Tunnel(Target, PortUse),
}

/// Reads what a request is for (RFC 9112 §3.2), or says what is wrong with it.
pub(super) fn read<B>(request: &Request<B>, visit: &Visit, own_names: &[Domain]) -> Result<For, Problem> {
    if request.method() == Method::TRACE {
        return Err(Problem::Trace);
    }
    check_host(request)?;
    headers::check_expectation(request.headers())?;
    if request.method() == Method::CONNECT {
        // Whoever was redirected asks a proxy that is not ours.
        if visit.meant.is_some() {
            return Err(Problem::BadTarget);
        }
        return tunnel(request, own_names);
    }
    match request.uri().scheme_str() {
        None => visit.meant.map_or(Ok(For::Own), |meant| redirected(request, visit, meant, own_names)),
        Some("http") => plain(request, visit, own_names),
        Some("https") => Err(Problem::HttpsWithoutConnect),
        Some(_) => Err(Problem::Scheme),
    }
}

/// One `Host`, as RFC 9112 §3.2 wants it. `CONNECT` names its host in the target, and many programs leave `Host` out there.
fn check_host<B>(request: &Request<B>) -> Result<(), Problem> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let may_miss = request.version() < Version::HTTP_11 || request.method() == Method::CONNECT;
    if hosts == 1 || (hosts == 0 && may_miss) { Ok(()) } else { Err(Problem::BadHost) }
}

fn tunnel<B>(request: &Request<B>, own_names: &[Domain]) -> Result<For, Problem> {
    let uri = request.uri();
    let authority = match (uri.scheme(), uri.authority(), uri.path_and_query()) {
        (None, Some(authority), None) => authority,
        _ => return Err(Problem::BadTarget),
    };
    if headers::has_been_here(request.headers()) {
        return Err(Problem::Loop);
    }
    let target = Target::parse(authority.as_str(), None)?;
    if is_own_name(&target, own_names) {
        return Err(Problem::OwnPagesArePlain);
    }
    match tunnel_port(target.port) {
        PortUse::Closed => Err(Problem::ClosedPort),
        open @ (PortUse::ClientFirst | PortUse::ServerFirst) => Ok(For::Tunnel(target, open)),
    }
}

fn plain<B>(request: &Request<B>, visit: &Visit, own_names: &[Domain]) -> Result<For, Problem> {
    let authority = request.uri().authority().ok_or(Problem::BadTarget)?;
    let target = Target::parse(authority.as_str(), Some(80))?;
    if is_own_name(&target, own_names) || is_this_listener(&target, visit) {
        return Ok(For::Own);
    }
    if headers::has_been_here(request.headers()) {
        return Err(Problem::Loop);
    }
    match plain_port(target.port) {
        PortUse::Closed => Err(Problem::ClosedPort),
        PortUse::ClientFirst | PortUse::ServerFirst => {
            Ok(For::Plain(target, Path::read(request.uri().path())))
        }
    }
}

/// A request in origin form whose client believes that it speaks with the server: `Host` names it, and the port is the one
/// that was meant. Without `Host` (HTTP/1.0) it shows no name, and asks for the address.
fn redirected<B>(
    request: &Request<B>,
    visit: &Visit,
    meant: SocketAddr,
    own_names: &[Domain],
) -> Result<For, Problem> {
    let host = match request.headers().get(header::HOST) {
        Some(host) => Target::parse(host.to_str().map_err(|_| Problem::BadHost)?, Some(meant.port()))?.host,
        None => TargetHost::Address(meant.ip()),
    };
    let target = Target { host, port: meant.port() };
    if is_own_name(&target, own_names) || is_this_listener(&target, visit) {
        return Ok(For::Own);
    }
    if headers::has_been_here(request.headers()) {
        return Err(Problem::Loop);
    }
    match plain_port(target.port) {
        PortUse::Closed => Err(Problem::ClosedPort),
        PortUse::ClientFirst | PortUse::ServerFirst => {
            Ok(For::Plain(target, Path::read(request.uri().path())))
        }
    }
}

fn is_own_name(target: &Target, own_names: &[Domain]) -> bool {
    matches!(&target.host, TargetHost::Name(name) if own_names.contains(name))
}

/// Whether the target is the very address and port that the request came in at.
fn is_this_listener(target: &Target, visit: &Visit) -> bool {
    let local: Option<IpAddr> = visit.local.map(|l| l.ip().to_canonical());
    matches!(&target.host, TargetHost::Address(address) if Some(*address) == local)
        && visit.local.is_some_and(|l| l.port() == target.port)
}

/// A path as rules are held against it. The request itself goes on as it was written.
///
/// Servers differ in how far they go with a path. It is allowed only if both readings are, so that no spelling of a blocked path
/// reads as an allowed one, nor one of an allowed path as a blocked one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    meant: Box<str>,
    furthest: Option<Box<str>>,
}

impl Path {
    /// Reads a path without its query.
    pub(crate) fn read(written: &str) -> Self {
        let meant = meant_path(written);
        let furthest = Some(furthest_path(written)).filter(|other| *other != meant);
        Self { meant: meant.into(), furthest: furthest.map(Into::into) }
    }

    /// The verdict on both readings, and the reading that it is of: the one that is refused, if one is.
    pub(crate) fn judge(&self, judge: impl Fn(&str) -> Verdict) -> (Verdict, &str) {
        let verdict = judge(&self.meant);
        let other = self.furthest.as_deref().filter(|_| verdict.allows()).map(|path| (judge(path), path));
        other.filter(|(other, _)| !other.allows()).unwrap_or((verdict, &self.meant))
    }
}

/// The path percent-decoded once, with `\` as `/` and dot segments taken out (RFC 3986 §5.2.4).
fn meant_path(written: &str) -> String {
    without_dots(decoded(written).split('/').skip(1))
}

/// The path decoded until nothing changes, with slashes merged, path parameters (`;…`) cut, what ends a file's name for some
/// systems (dots, spaces, NUL) taken off, and then dot segments taken out.
fn furthest_path(written: &str) -> String {
    /// So often something may have been encoded; who does it more often means no path of a site.
    const LAYERS: usize = 8;
    let mut path = written.to_owned();
    for _ in 0..LAYERS {
        let once_more = decoded(&path);
        if once_more == path {
            break;
        }
        path = once_more;
    }
    let segments = path.split('/').map(|segment| match segment.split(';').next().unwrap_or_default() {
        dots @ ("." | "..") => dots,
        other => other.trim_end_matches(['.', ' ', '\0']),
    });
    let merged: Vec<&str> = segments.filter(|segment| !segment.is_empty()).collect();
    let end = (path.ends_with('/') || merged.is_empty()).then_some("");
    without_dots(merged.into_iter().chain(end))
}

fn without_dots<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = segments.peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

fn decoded(path: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(path)).replace('\\', "/")
}

fn percent_decoded(path: &str) -> Vec<u8> {
    let mut rest = path.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// What the gateway sees of whoever asks: someone opening a page, or a program connecting.
///
/// Browsers say so themselves (Fetch Metadata); a program that does not is taken at its `Accept`.
pub fn evidence(method: &Method, headers: &HeaderMap) -> Evidence {
    let says = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let navigates = match (says("sec-fetch-mode"), says("sec-fetch-dest")) {
        (None, None) => *method == Method::GET && accepts_pages(headers),
        (mode, dest) => mode == Some("navigate") && matches!(dest, None | Some("document")),
    };
    if navigates { Evidence::Navigation } else { Evidence::Connection }
}

fn accepts_pages(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|v| v.as_bytes().windows(9).any(|w| w.eq_ignore_ascii_case(b"text/html")))
}

#[cfg(test)]
#[path = "asked/tests.rs"]
mod tests;
