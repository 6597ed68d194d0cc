//! What goes wrong that is no refusal: one ordered table of status, whose fault, and whether to try again.

use super::answer::{self, Body};
use crate::gate::Want;
use crate::target::NotATarget;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

/// Why a request has no answer from its origin, although no verdict refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The request target or `Host` names no host.
    BadTarget,
    /// `user@host`.
    UserInfo,
    /// No usable port.
    BadPort,
    /// HTTP/1.1 without `Host`, or with several.
    BadHost,
    /// `https://` in absolute form.
    HttpsWithoutConnect,
    /// `ftp://` and others.
    Scheme,
    /// `TRACE` would send cookies and credentials back to scripts (RFC 9110 §9.3.8).
    Trace,
    /// An expectation other than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
    /// The request's body broke off, or its chunks are none (RFC 9112 §7.1).
    BadBody,
    /// The request's body did not come in time.
    SlowRequest,
    /// The request has been here before.
    Loop,
    /// A port that the proxy does not connect to.
    ClosedPort,
    /// An address inside the home, or the gateway itself.
    ClosedAddress,
    /// `Proxy-Authorization` names no device of this home.
    UnknownToken,
    /// The device is unknown and the home asks such devices for their token.
    TokenWanted,
    /// Too many wrong tokens.
    TooManyTokens,
    /// More requests than one device makes.
    TooFast,
    /// TLS to the gateway's own name.
    OwnPagesArePlain,
    /// Nobody answers origin-form requests here.
    NoOwnPages,
    /// There is no such site.
    NoSuchName,
    /// The names service cannot be reached.
    NamesDown,
    /// The site's name points into the home (DNS rebinding).
    Rebinding,
    /// The site's server did not take the connection.
    Unreachable,
    /// The site's server did not answer the connection in time.
    DialTimeout,
    /// The site's server closed or broke the exchange.
    OriginBroke,
    /// The site's server took too long to answer.
    OriginSlow,
}

/// Whose turn it is to mend it (after the vocabulary of "whose fault" in proxies that say so).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The program that sent the request.
    Program,
    /// The site.
    Site,
    /// This gateway, or its way to the internet.
    Gateway,
}

/// One row of the table.
struct Row {
    status: StatusCode,
    code: &'static str,
    fault: Fault,
    again: bool,
    sentence: &'static str,
}

const fn row(
    status: StatusCode,
    code: &'static str,
    fault: Fault,
    again: bool,
    sentence: &'static str,
) -> Row {
    Row { status, code, fault, again, sentence }
}

impl Problem {
    #[rustfmt::skip]
    fn row(self) -> Row {
        use Fault::{Gateway, Program, Site};
        use StatusCode as S;
        match self {
            Self::BadTarget => row(S::BAD_REQUEST, "bad-target", Program, false, "The request does not name a site."),
            Self::UserInfo => row(S::BAD_REQUEST, "user-in-address", Program, false, "A web address with a user name in it (`user@site`) is not sent on: it can make one site look like another."),
            Self::BadPort => row(S::BAD_REQUEST, "bad-port", Program, false, "The request does not name a usable port."),
            Self::BadHost => row(S::BAD_REQUEST, "bad-host", Program, false, "The request has no `Host` header, or more than one."),
            Self::HttpsWithoutConnect => row(S::NOT_IMPLEMENTED, "https-needs-connect", Program, false, "For `https` this proxy only opens tunnels (`CONNECT`): it does not read what is encrypted."),
            Self::Scheme => row(S::BAD_REQUEST, "scheme", Program, false, "This proxy carries `http` requests and tunnels, and nothing else."),
            Self::Trace => row(S::METHOD_NOT_ALLOWED, "trace", Program, false, "`TRACE` is not sent on."),
            Self::Expectation => row(S::EXPECTATION_FAILED, "expectation", Program, false, "The only expectation that is understood is `100-continue`."),
            Self::BadBody => row(S::BAD_REQUEST, "bad-body", Program, false, "The request's body broke off, or cannot be read."),
            Self::SlowRequest => row(S::REQUEST_TIMEOUT, "slow-request", Program, true, "The request's body did not come in time."),
            Self::Loop => row(S::LOOP_DETECTED, "loop", Gateway, false, "This request has been through a Hearthgate before: two proxies are set to use each other."),
            Self::ClosedPort => row(S::FORBIDDEN, "closed-port", Program, false, "The gateway does not connect to this port."),
            Self::ClosedAddress => row(S::FORBIDDEN, "closed-address", Program, false, "The gateway does not connect to addresses inside the home."),
            Self::UnknownToken => row(S::PROXY_AUTHENTICATION_REQUIRED, "unknown-token", Program, true, "This token belongs to no device of this home. The user name is the device's token; the password can stay empty."),
            Self::TokenWanted => row(S::PROXY_AUTHENTICATION_REQUIRED, "token-wanted", Program, true, "The gateway does not know this device. The user name is the device's token; the password can stay empty."),
            Self::TooManyTokens => row(S::TOO_MANY_REQUESTS, "too-many-tokens", Program, true, "Too many wrong tokens came from this device. Wait a minute, then try again."),
            Self::TooFast => row(S::TOO_MANY_REQUESTS, "too-fast", Program, true, "This device sends more requests than the gateway takes from one. Wait a little, then try again."),
            Self::OwnPagesArePlain => row(S::NOT_FOUND, "own-pages-are-http", Program, false, "The gateway's own pages are at http://, not https://."),
            Self::NoOwnPages => row(S::NOT_FOUND, "a-proxy", Program, false, "This is a web proxy. Set it as the proxy of a device; there is no page here."),
            Self::NoSuchName => row(S::BAD_GATEWAY, "no-such-site", Site, false, "There is no site of this name."),
            Self::NamesDown => row(S::GATEWAY_TIMEOUT, "names-down", Gateway, true, "The gateway cannot look up names just now. Its internet connection may be down."),
            Self::Rebinding => row(S::FORBIDDEN, "points-inside", Site, false, "This site's name points at an address inside the home, which is a known attack."),
            Self::Unreachable => row(S::BAD_GATEWAY, "unreachable", Site, true, "The site's server does not take connections."),
            Self::DialTimeout => row(S::GATEWAY_TIMEOUT, "no-answer", Site, true, "The site's server does not answer."),
            Self::OriginBroke => row(S::BAD_GATEWAY, "broken-answer", Site, true, "The site's server broke off, or answered with something that is not HTTP."),
            Self::OriginSlow => row(S::GATEWAY_TIMEOUT, "slow-answer", Site, true, "The site's server took the request and then did not answer in time."),
        }
    }

    /// The answer to send.
    pub(crate) fn answer(self, want: Want) -> Response<Body> {
        let row = self.row();
        let (content_type, text) = match want {
            Want::Html => ("text/html; charset=utf-8", html(&row)),
            Want::Json => ("application/json", json(&row)),
            Want::Text => ("text/plain; charset=utf-8", text(&row)),
        };
        let mut response = answer::page(row.status, content_type, text.into());
        let headers = response.headers_mut();
        match self {
            Self::UnknownToken | Self::TokenWanted => {
                headers.insert(header::PROXY_AUTHENTICATE, HeaderValue::from_static(REALM));
            }
            Self::Trace => {
                headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
            }
            Self::TooManyTokens | Self::TooFast => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            Self::BadTarget
            | Self::UserInfo
            | Self::BadPort
            | Self::BadHost
            | Self::HttpsWithoutConnect
            | Self::Scheme
            | Self::Expectation
            | Self::BadBody
            | Self::SlowRequest
            | Self::Loop
            | Self::ClosedPort
            | Self::ClosedAddress
            | Self::OwnPagesArePlain
            | Self::NoOwnPages
            | Self::NoSuchName
            | Self::NamesDown
            | Self::Rebinding
            | Self::Unreachable
            | Self::DialTimeout
            | Self::OriginBroke
            | Self::OriginSlow => {}
        }
        response
    }
}

const REALM: &str = "Basic realm=\"Hearthgate: the user name is this device's token\", charset=\"UTF-8\"";

/// What `OPTIONS` and a refused `TRACE` say is possible.
pub(super) const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT";

impl From<NotATarget> for Problem {
    fn from(why: NotATarget) -> Self {
        match why {
            NotATarget::UserInfo => Self::UserInfo,
            NotATarget::Host => Self::BadTarget,
            NotATarget::Port => Self::BadPort,
        }
    }
}

impl Fault {
    const fn word(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Site => "site",
            Self::Gateway => "gateway",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Program => "The program that asked has to ask differently.",
            Self::Site => "The site has to mend this; your agreement has nothing to do with it.",
            Self::Gateway => "The home's gateway has to be mended; your agreement has nothing to do with it.",
        }
    }
}

impl Row {
    const fn again(&self) -> &'static str {
        if self.again { "Trying again later can help." } else { "Trying again will not help." }
    }
}

// The sentences are ours and hold nothing from the request, so there is nothing to escape but what we wrote.

fn text(row: &Row) -> String {
    format!("{}\n{}\n{}\n", row.sentence, row.fault.sentence(), row.again())
}

fn json(row: &Row) -> String {
    let (code, sentence, fault, again) = (row.code, row.sentence, row.fault.word(), row.again);
    format!(
        "{{\"problem\":\"{code}\",\"sentence\":\"{sentence}\",\"fault\":\"{fault}\",\"retry\":{again}}}\n"
    )
}

fn html(row: &Row) -> String {
    let (title, fault, again) = (row.sentence, row.fault.sentence(), row.again());
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head>\n\
         <body style=\"font:1.1em/1.5 sans-serif;max-width:36em;margin:2em auto;padding:0 1em\">\n\
         <h1 style=\"font-size:1.3em\">{title}</h1>\n<p>{fault}</p>\n<p>{again}</p>\n</body></html>\n"
    )
}
