//! What can go wrong with a request, as a page that says what would be right.

use super::page::{Frame, html};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use records::{NotDone, StoreError};

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// It names a host that is not the gateway.
    Host,
    /// It changes something and comes from another site's page.
    Elsewhere,
    /// Nobody is signed in.
    SignedOut,
    /// Whoever is signed in may not.
    Role,
    /// There is no such thing.
    Missing,
    /// What was typed cannot be used: the sentence says why.
    Typed(String),
    /// Any other, with what was typed: nobody writes it twice.
    Refused { wrong: Box<Self>, typed: Vec<String> },
    /// Too many tries, or too much at once.
    Often(String),
    /// The records cannot be read or written.
    Records,
}

#[derive(Template)]
#[template(path = "desk/wrong.html")]
struct WrongPage<'a> {
    frame: Frame,
    sentence: &'a str,
    /// What was typed and is not kept anywhere.
    typed: &'a [String],
}

impl Wrong {
    /// The same with the words that came with it. Whoever is signed out is led to where they sign in, and is shown nothing.
    pub(crate) fn with(self, typed: &[&str]) -> Self {
        let texts = typed.iter().filter(|text| !text.trim().is_empty()).map(|text| (*text).to_owned());
        match self {
            Self::SignedOut | Self::Refused { .. } => self,
            wrong => Self::Refused { wrong: Box::new(wrong), typed: texts.collect() },
        }
    }

    fn told(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "Another address",
                "This is not an address of the desk. Open it by the gateway’s own name or address.",
            ),
            Self::Elsewhere => (
                StatusCode::FORBIDDEN,
                "That did not come from the desk",
                "A form was sent from somewhere else, so nothing was done. Open the desk and try there.",
            ),
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "Signed out", "Please sign in."),
            Self::Role => (
                StatusCode::FORBIDDEN,
                "Not for this account",
                "Your account does not do this. Whoever manages the home decides what an account does, in home.yaml.",
            ),
            Self::Missing => {
                (StatusCode::NOT_FOUND, "Not here", "There is nothing at this address, or it is over.")
            }
            Self::Typed(why) => (StatusCode::UNPROCESSABLE_ENTITY, "Not done yet", why),
            Self::Refused { wrong, .. } => wrong.told(),
            Self::Often(why) => (StatusCode::TOO_MANY_REQUESTS, "A little later", why),
            Self::Records => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The records are out of reach",
                "The gateway could not read or write its records, so nothing was done. What is in force stays in force. Try again; if it stays, whoever looks after the gateway finds more in its log.",
            ),
        }
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        if let Self::SignedOut = self {
            return Redirect::to("/sign-in").into_response();
        }
        let (status, title, sentence) = self.told();
        let typed: &[String] = if let Self::Refused { typed, .. } = &self { typed } else { &[] };
        let page = html(&WrongPage { frame: Frame::bare(title), sentence, typed });
        (status, page).into_response()
    }
}

impl From<StoreError> for Wrong {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the desk could not use the records");
        Self::Records
    }
}

impl From<NotDone> for Wrong {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Store(error) => error.into(),
            NotDone::NoEntry(_) => Self::Missing,
            NotDone::NotOpen(_) => Self::Typed("Somebody has answered or ended it already.".to_owned()),
            NotDone::NoReason => {
                Self::Typed("Please say why, in a few words: it stands in the journal.".to_owned())
            }
            NotDone::Broken => Self::Records,
            NotDone::LastsTooLong => Self::Typed(format!(
                "A grant lasts {} hours at most. Grant it again when it is over, or change the agreement together.",
                records::LONGEST_GRANT.num_hours()
            )),
            NotDone::Unlawful(found) => Self::Typed(
                found
                    .iter()
                    .map(|u| format!("{} ({})", u.sentence, u.regulation))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            NotDone::SignedAlready => Self::Typed(
                "This side of the handover has signed already, or you signed the other side: the two sides are two people.".to_owned(),
            ),
            NotDone::NotSeen => Self::Typed(
                "Something was added to this shift since you opened the page. Open it again, read it, and sign it then.".to_owned(),
            ),
            NotDone::TooLong
            | NotDone::OverAlready
            | NotDone::OtherKind { .. }
            | NotDone::TooManyReports
            | NotDone::NotTheirs
            | NotDone::TooManyAsks
            | NotDone::NoSite(_)
            | NotDone::NoHost => Self::Typed(format!("It was not done: {why}.")),
        }
    }
}
