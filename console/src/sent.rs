//! Requests for the gateway's own pages, and the forms that its own pages send.
//!
//! Under any other name than the gateway's a request is that name's, whatever the path. A form is taken only where the browser
//! says that it was sent from here (RFC 6454 §7).

use crate::pages::{self, Desk, Showing, Shown, Token, Visit, authority_of, host_of};
use crate::young::{Voice, said};
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;

/// Somebody at a page of the gateway's own.
pub(crate) struct Here {
    /// In what words they are spoken to.
    pub(crate) v: Voice,
    /// Where they are.
    pub(crate) peer: SocketAddr,
    token: Shown,
    pub(crate) headers: HeaderMap,
}

/// A form that somebody sent from such a page.
pub(crate) struct Sent<F> {
    /// Who sent it.
    pub(crate) here: Here,
    /// What they typed.
    pub(crate) form: F,
}

impl Here {
    /// The visit as the program knows it, to a host or to none.
    pub(crate) fn visit(&self, desk: &Desk, host: &str) -> Visit {
        let token = self.token.as_ref().map(|Extension(token)| token.0.as_str());
        desk.visitors.visit(self.peer.ip(), token, host, "/", Showing::Nothing)
    }
}

impl FromRequestParts<Desk> for Here {
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Self::Rejection> {
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(parts, desk).await;
        let peer = peer.map_err(IntoResponse::into_response)?;
        let token: Shown = parts.extensions.get::<Token>().cloned().map(Extension);
        let own = authority_of(&parts.uri, &parts.headers).map(|authority| host_of(&authority));
        if !own.is_some_and(|own| desk.visitors.is_own(&own)) {
            let request = Request::from_parts(parts.clone(), Body::empty());
            return Err(pages::visited(State(desk.clone()), peer, token, request).await);
        }
        let v = Voice::of(&parts.uri, &parts.headers);
        Ok(Self { v, peer: peer.0, token, headers: parts.headers.clone() })
    }
}

impl<F: DeserializeOwned> FromRequest<Desk> for Sent<F> {
    type Rejection = Response<Body>;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let here = Here::from_request_parts(&mut parts, desk).await?;
        let is_from_here = is_sent_from_here(&parts.uri, &parts.headers);
        let refused = |status, line| said(status, here.v, &here.visit(desk, ""), ("wrong", &[line]));
        let Ok(axum::Form(form)) = axum::Form::from_request(Request::from_parts(parts, body), desk).await
        else {
            return Err(refused(StatusCode::BAD_REQUEST, "wrong.old"));
        };
        if !is_from_here {
            return Err(refused(StatusCode::FORBIDDEN, "wrong.elsewhere"));
        }
        Ok(Self { here, form })
    }
}

/// Whether a form was sent from a page of this very address. Browsers say so with every form; a program that says nothing is no
/// other site's script.
fn is_sent_from_here(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let here = authority_of(uri, headers).map(|authority| format!("http://{authority}"));
    here.is_some_and(|here| origin.as_bytes().eq_ignore_ascii_case(here.as_bytes()))
}
