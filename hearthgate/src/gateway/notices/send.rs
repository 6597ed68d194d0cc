//! The three ways a message goes.

use super::said::Message;
use crate::folder;
use crate::lists::fetch;
use crate::lists::names::Names;
use agreements::Mail;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A message is taken within this, or tried again.
const TAKEN: Duration = Duration::from_secs(20);

/// What sends.
pub(crate) struct Sender {
    home: PathBuf,
    names: Names,
    client: Client,
}

/// Why a message was not taken; without where it goes.
#[derive(Debug)]
pub(crate) struct Unsent(String);

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<reqwest::Error> for Unsent {
    fn from(error: reqwest::Error) -> Self {
        Self(error.without_url().to_string())
    }
}

impl Sender {
    /// For a home's folder, where passwords are.
    pub(crate) fn new(home: PathBuf, names: Names) -> Result<Self, reqwest::Error> {
        Ok(Self { home, names: names.clone(), client: fetch::client(names)? })
    }

    /// Sends a message to where it goes; `mail` carries it where that is an address.
    pub(crate) async fn send(&self, to: &str, message: &Message, mail: Option<&Mail>) -> Result<(), Unsent> {
        let sending = async {
            match (to.strip_prefix("mailto:"), to.strip_prefix("ntfy:")) {
                (Some(address), _) => {
                    let mail = mail.ok_or_else(|| {
                        Unsent("gateway.yaml says nothing of who carries mail (`mail`)".to_owned())
                    })?;
                    self.mail(address, message, mail).await
                }
                (None, Some(topic)) => self.ntfy(topic, message).await,
                (None, None) => self.hook(to, message).await,
            }
        };
        let taken = tokio::time::timeout(TAKEN, sending).await;
        taken.unwrap_or_else(|_| Err(Unsent("nobody took it in time".to_owned())))
    }

    /// A web hook: an object with `title`, `text` (what chat programs show) and `id`.
    async fn hook(&self, url: &str, message: &Message) -> Result<(), Unsent> {
        let body = json!({"title": message.subject, "text": format!("{}\n{}", message.subject, message.text), "id": message.id});
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let request = request.header("Idempotency-Key", &message.id).body(body.to_string());
        taken(request.send().await?)
    }

    /// A topic of ntfy: as an object, since a header takes no letters beyond ASCII.
    async fn ntfy(&self, url: &str, message: &Message) -> Result<(), Unsent> {
        let (server, topic) = url.rsplit_once('/').ok_or_else(|| Unsent("it names no topic".to_owned()))?;
        let body = json!({"topic": topic, "title": message.subject, "message": message.text});
        let request = self.client.post(format!("{server}/")).header(CONTENT_TYPE, "application/json");
        taken(request.body(body.to_string()).send().await?)
    }

    async fn mail(&self, to: &str, message: &Message, mail: &Mail) -> Result<(), Unsent> {
        let said = |error: &dyn fmt::Display| Unsent(format!("the message is none: {error}"));
        let mailbox = |address: &str| address.parse::<Mailbox>();
        let host = mail.from.rsplit('@').next().unwrap_or("localhost");
        let letter = Letter::builder()
            .from(mailbox(&mail.from).map_err(|e| said(&e))?)
            .to(mailbox(to).map_err(|e| said(&e))?)
            .subject(message.subject.as_str())
            .message_id(Some(format!("<{}@{host}>", message.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.clone())
            .map_err(|e| said(&e))?;
        let transport = self.transport(mail).await?;
        transport.send(letter).await.map_err(|error| Unsent(format!("the mail server: {error}")))?;
        Ok(())
    }

    async fn transport(&self, mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, Unsent> {
        let address = self.address(&mail.host).await?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string());
        let tls = || self.trusted(mail);
        let tls = match (mail.implicit_tls, address.is_loopback()) {
            (true, _) => Tls::Wrapper(tls()?),
            // Nobody listens on the way to a server on this machine itself.
            (false, true) => Tls::Opportunistic(tls()?),
            (false, false) => Tls::Required(tls()?),
        };
        let builder = builder.port(mail.port).tls(tls).timeout(Some(TAKEN));
        let Some((user, file)) = &mail.login else { return Ok(builder.build()) };
        let password = self
            .file(file)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| Unsent("the file with the mail server's password cannot be read".to_owned()))?;
        Ok(builder.credentials(Credentials::new(user.clone(), password.trim_end().to_owned())).build())
    }

    /// Whom a mail server's certificate has to be from: the public authorities, or the one that the home names besides.
    fn trusted(&self, mail: &Mail) -> Result<TlsParameters, Unsent> {
        let said = |error: lettre::transport::smtp::Error| Unsent(error.to_string());
        let Some(file) = &mail.authority else { return TlsParameters::new(mail.host.clone()).map_err(said) };
        let pem = self.file(file);
        let pem =
            pem.ok_or_else(|| Unsent("the file with the mail server's authority cannot be read".to_owned()))?;
        let authority = Certificate::from_pem(&pem).map_err(said)?;
        TlsParameters::builder(mail.host.clone()).add_root_certificate(authority).build().map_err(said)
    }

    /// A small file of the home's folder.
    fn file(&self, name: &str) -> Option<Vec<u8>> {
        folder::at_most(&folder::contained(&self.home, name)?, 64 * 1024).ok()?
    }

    /// The server's address, by the home's own upstreams: the machine itself may be a stranger to this gateway.
    async fn address(&self, host: &str) -> Result<IpAddr, Unsent> {
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        let found =
            self.names.find(host).await.map_err(|error| Unsent(format!("the mail server: {error}")))?;
        found.first().copied().ok_or_else(|| Unsent("the mail server has no address".to_owned()))
    }
}

fn taken(response: reqwest::Response) -> Result<(), Unsent> {
    let status = response.status();
    if status.is_success() { Ok(()) } else { Err(Unsent(format!("it was answered with {status}"))) }
}
