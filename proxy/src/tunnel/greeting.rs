//! How a mail server begins where it speaks first: SMTP with `220` (RFC 5321 §3.1), POP3 with `+OK` (RFC 1939 §4), IMAP with
//! `* OK`, `* PREAUTH` or `* BYE` (RFC 9051 §7.1). Anything else on these ports is no mail: SSH greets too.

use std::io;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

const GREETINGS: &[&[u8]] = &[b"220 ", b"220-", b"+OK", b"* OK", b"* PREAUTH", b"* BYE"];
/// A greeting's first line is no longer than this (RFC 5321 §4.5.3.1.5).
const LONGEST: usize = 512;

/// Reads the greeting, and says whether it is a mail server's.
///
/// # Errors
///
/// When the server breaks or closes, or says nothing in time.
pub(super) async fn hear(origin: &mut TcpStream, patience: Duration) -> io::Result<(Vec<u8>, bool)> {
    let mut heard = Vec::with_capacity(LONGEST);
    loop {
        if timeout(patience, origin.read_buf(&mut heard)).await?? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(mail) = is_mail(&heard) {
            return Ok((heard, mail));
        }
    }
}

/// Whether this begins as a mail server does; none while more has to be heard.
fn is_mail(heard: &[u8]) -> Option<bool> {
    if GREETINGS.iter().any(|greeting| heard.starts_with(greeting)) {
        return Some(true);
    }
    let more = GREETINGS.iter().any(|greeting| greeting.starts_with(heard));
    (!more).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_servers_and_others() {
        for (heard, mail) in [
            (&b"220 mail.test ESMTP\r\n"[..], Some(true)),
            (b"220-mail.test\r\n220 ready\r\n", Some(true)),
            (b"+OK POP3\r\n", Some(true)),
            (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", Some(true)),
            (b"* BYE too many\r\n", Some(true)),
            (b"", None),
            (b"22", None),
            (b"* ", None),
            (b"SSH-2.0-OpenSSH_9.6\r\n", Some(false)),
            (b"221 bye\r\n", Some(false)),
            (b"2200", Some(false)),
            (b"\x16\x03\x01", Some(false)),
        ] {
            assert_eq!(is_mail(heard), mail, "{:?}", String::from_utf8_lossy(heard));
        }
    }
}
