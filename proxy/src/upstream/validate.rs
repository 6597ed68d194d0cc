//! DNSSEC validation (RFC 4035) of what an upstream answered, by `domain`'s validator, within a time budget.
//!
//! It asks for DS and DNSKEY records through the same upstreams, and keeps what it has proved. It runs where an answer is
//! fetched, never where one is delivered.

use super::{Failure, Question, Upstreams};
use crate::dns::wire::{HEADER, WireName, u16_at};
use bytes::Bytes;
use domain::base::Message;
use domain::base::iana::ExtendedErrorCode;
use domain::dnssec::validator::anchor::TrustAnchors;
use domain::dnssec::validator::context::{Config, ValidationContext, ValidationState};
use domain::net::client::request::{ComposeRequest, Error, GetResponse, RequestMessage, SendRequest};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The root's keys of 2017 and 2024, from <https://data.iana.org/root-anchors/root-anchors.xml>.
const ROOT: &str = "\
. 172800 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. 172800 IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";
/// A proof that takes longer is none: the client would have given up.
const BUDGET: Duration = Duration::from_secs(4);
/// A signature that is wrong is looked at again after so long: the zone may have been mended.
const BOGUS_FOR: Duration = Duration::from_secs(30);
/// Zones with more NSEC3 iterations count as unsigned (RFC 9276 §3.2 lets validators say so above a small number).
const NSEC3_ITERATIONS: u16 = 50;

/// Says whether an answer is signed as it should be.
pub(crate) struct Validator {
    context: ValidationContext<Through>,
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validator")
    }
}

impl Validator {
    /// `anchors` are lines of a zone file; when empty, the root's own. `None`: they cannot be read.
    pub(crate) fn new(anchors: &str, upstreams: Arc<Upstreams>) -> Option<Self> {
        let anchors = if anchors.is_empty() { ROOT } else { anchors };
        let anchors = TrustAnchors::from_u8(anchors.as_bytes()).ok()?;
        let mut config = Config::new();
        config.set_nsec3_iter_insecure(NSEC3_ITERATIONS);
        config.set_max_bogus_validity(BOGUS_FOR);
        Some(Self { context: ValidationContext::with_config(anchors, Through(upstreams), config) })
    }

    /// Whether a message is proved (`true`) or from an unsigned zone (`false`).
    ///
    /// # Errors
    ///
    /// [`Failure::Bogus`] when its signatures are wrong or missing, or when nothing could be proved in time.
    pub(crate) async fn check(&self, raw: &[u8]) -> Result<bool, Failure> {
        let mut message =
            Message::from_octets(Bytes::copy_from_slice(raw)).map_err(|_| Failure::Bogus(None))?;
        let proof = self.context.validate_msg::<_, Vec<u8>>(&mut message);
        let Ok(Ok((state, error))) = tokio::time::timeout(BUDGET, proof).await else {
            return Err(Failure::Bogus(Some(ExtendedErrorCode::DNSSEC_INDETERMINATE.to_int())));
        };
        match state {
            ValidationState::Secure => Ok(true),
            // Indeterminate: no trust anchor covers the name, which with the root's as anchor cannot be.
            ValidationState::Insecure | ValidationState::Indeterminate => Ok(false),
            ValidationState::Bogus => Err(Failure::Bogus(error.map(|error| error.code().to_int()))),
        }
    }
}

/// The validator's own questions go through the same upstreams.
#[derive(Clone, Debug)]
struct Through(Arc<Upstreams>);

#[derive(Debug)]
struct Pending {
    upstreams: Arc<Upstreams>,
    question: Option<Question>,
}

impl SendRequest<RequestMessage<Vec<u8>>> for Through {
    fn send_request(&self, request: RequestMessage<Vec<u8>>) -> Box<dyn GetResponse + Send + Sync> {
        let question = request.to_message().ok().and_then(|message| question(message.as_slice()));
        Box::new(Pending { upstreams: Arc::clone(&self.0), question })
    }
}

fn question(message: &[u8]) -> Option<Question> {
    let (name, end) = WireName::read(message, HEADER)?;
    let qtype = u16_at(message, end)?;
    Some(Question { name: name.lower(), qtype, dnssec: true, unchecked: true, keep_dnssec: true })
}

impl GetResponse for Pending {
    fn get_response(
        &mut self,
    ) -> Pin<Box<dyn Future<Output = Result<Message<Bytes>, Error>> + Send + Sync + '_>> {
        let (upstreams, question) = (Arc::clone(&self.upstreams), self.question.take());
        Box::pin(async move {
            let question = question.ok_or(Error::FormError)?;
            // A task of its own: this future has to be Sync, and those of sockets are not.
            let asked = tokio::spawn(async move { upstreams.ask(&question).await }).await;
            let (_, raw) = asked.ok().and_then(Result::ok).ok_or(Error::ConnectionClosed)?;
            Message::from_octets(Bytes::from(raw)).map_err(|_| Error::ShortMessage)
        })
    }
}
