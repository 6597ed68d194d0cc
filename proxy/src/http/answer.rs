//! Answers and bodies: what the proxy itself says, and what it passes on.

use super::counters::One;
use super::pool::Returns;
use crate::gate::Want;
use crate::tunnel::Lease;
use bytes::Bytes;
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

/// Any error of a body.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of one of the gateway's own pages.
pub type OwnBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body on its way through the proxy.
pub(crate) enum Body {
    /// Held whole.
    Whole(Full<Bytes>),
    /// Streamed from the other side.
    Passing(Passing),
    /// One of the gateway's own pages.
    Own(OwnBody),
}

/// A streamed body, and what is kept until it has passed.
pub(crate) struct Passing {
    body: Incoming,
    moved: Arc<AtomicU64>,
    /// Set when the body breaks: then whoever sends it is at fault, and not who was to have it.
    broke: Arc<AtomicBool>,
    ended: bool,
    kept: Option<Kept>,
}

/// What is kept until an answer has passed: the lease under which it passes, and the way back to the pool.
pub(crate) struct Kept {
    pub(crate) lease: Lease,
    pub(crate) returns: Option<Returns>,
    pub(crate) open: One,
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Whole(Full::default())
    }

    /// A request's body: its bytes are counted, and it tells when it breaks.
    pub(crate) fn request(body: Incoming, moved: Arc<AtomicU64>, broke: Arc<AtomicBool>) -> Self {
        Self::Passing(Passing { body, moved, broke, ended: false, kept: None })
    }

    /// An answer's body: its bytes are counted, and `kept` is let go when it has passed or was dropped.
    pub(crate) fn answer(body: Incoming, kept: Kept) -> Self {
        let moved = Arc::clone(kept.lease.moved());
        Self::Passing(Passing { body, moved, broke: Arc::default(), ended: false, kept: Some(kept) })
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let Some(Kept { lease, returns, open }) = self.kept.take() else { return };
        // An answer that was dropped half-way leaves its connection useless: dropping the sender closes it.
        let has_passed = self.ended || self.body.is_end_stream();
        if let Some(returns) = returns.filter(|_| has_passed) {
            returns.give_back();
        }
        drop((lease, open));
    }
}

impl hyper::body::Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.moved.fetch_add(length as u64, Ordering::Relaxed);
            }
            Poll::Ready(None) => self.ended = true,
            Poll::Ready(Some(Err(_))) => self.broke.store(true, Ordering::Relaxed),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            Self::Passing(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Own(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
            Self::Own(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
            Self::Own(body) => body.size_hint(),
        }
    }
}

/// What stands on every page that the proxy itself sends: nobody keeps it, guesses its type, runs or frames it, and its
/// address goes nowhere.
const PAGE_HEADERS: &[(HeaderName, &str)] = &[
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
];

/// A refusal page may style itself, and nothing else: it loads nothing and has no form. Staff are asked at the gateway's own
/// name, where it leads by a link.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// A page of the proxy's own.
pub(crate) fn page(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Full::new(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in PAGE_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What form of page the client prefers, by `Accept` (RFC 9110 §12.5.1). A page unless it prefers something else.
pub fn want(headers: &HeaderMap) -> Want {
    let mut best = (0, Want::Html);
    let ranges =
        headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let kind = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "text/html" | "application/xhtml+xml" | "*/*" | "text/*" => Want::Html,
            "application/json" | "application/*" => Want::Json,
            "text/plain" => Want::Text,
            _ => continue,
        };
        let weight =
            parts.find_map(|p| p.strip_prefix("q=").or(p.strip_prefix("Q="))).map_or(1000, thousandths);
        if weight > best.0 {
            best = (weight, kind);
        }
    }
    best.1
}

/// A quality value in thousandths; what is none counts as nothing.
fn thousandths(quality: &str) -> u32 {
    let value: f32 = quality.parse().unwrap_or(0.0);
    if (0.0..=1.0).contains(&value) { (value * 1000.0) as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_form_that_the_client_prefers() {
        for (accept, meant) in [
            (None, Want::Html),
            (Some("*/*"), Want::Html),
            (Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), Want::Html),
            (Some("application/json"), Want::Json),
            (Some("application/json, text/plain, */*"), Want::Json),
            (Some("text/html;q=0.5, application/json;q=0.9"), Want::Json),
            (Some("text/plain"), Want::Text),
            (Some("text/plain;q=0.1, text/html;q=0"), Want::Text),
            (Some("image/avif,image/webp"), Want::Html),
            (Some("application/json;q=nonsense"), Want::Html),
            (Some("APPLICATION/JSON"), Want::Json),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(want(&headers), meant, "{accept:?}");
        }
    }
}
