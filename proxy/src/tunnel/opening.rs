//! How a tunnel begins: what the client's first bytes are, read without answering them.

use crate::handshake;
use crate::http::Path;
use crate::sni::{self, Hello};
use crate::target::Target;
use agreements::Detector;
use std::io;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// What a client began to speak inside its tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// TLS.
    Tls(Hello),
    /// A plain HTTP/1 request.
    Plain(PlainHead),
    /// A VPN's first words.
    Around(Detector),
    /// Something that shows no name: no TLS, broken TLS, no HTTP/1.
    Nameless,
    /// Nothing yet, or nothing whole, and the deadline has passed or the client has closed.
    Nothing,
}

/// What the first plain HTTP request in a tunnel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlainHead {
    /// Its one `Host`.
    pub(crate) host: Target,
    /// The path by which it is judged, if it asks for a WebSocket and for nothing else (RFC 6455 §4.1).
    pub(crate) websocket: Option<Path>,
    /// How many bytes it is, the empty line included.
    pub(crate) length: usize,
}

/// The result of looking at growing bytes.
enum Look {
    More,
    Is(Spoken),
}

/// Reads on until the first bytes are understood. `first` holds what has been read already and keeps all that is read,
/// for the origin to have.
pub(crate) async fn listen(
    client: &mut TcpStream,
    first: &mut Vec<u8>,
    deadline: Duration,
) -> io::Result<Spoken> {
    let understood = async {
        loop {
            if let Look::Is(spoken) = look(first) {
                return Ok(spoken);
            }
            first.reserve(2048);
            if client.read_buf(first).await? == 0 {
                return Ok(Spoken::Nothing);
            }
        }
    };
    tokio::time::timeout(deadline, understood).await.unwrap_or(Ok(Spoken::Nothing))
}

fn look(bytes: &[u8]) -> Look {
    if bytes.is_empty() {
        return Look::More;
    }
    match sni::parse(bytes) {
        sni::Opening::More => Look::More,
        sni::Opening::Hello(hello) => Look::Is(Spoken::Tls(hello)),
        sni::Opening::Malformed => Look::Is(Spoken::Nameless),
        sni::Opening::NotTls => match handshake::stream(bytes) {
            handshake::Begins::More => Look::More,
            handshake::Begins::Is(heard) => Look::Is(Spoken::Around(heard)),
            handshake::Begins::Not => look_plain(bytes),
        },
    }
}

/// Whether a server of many sites could take a connection that begins so for TLS or HTTP, and choose among its sites by a name
/// that we did not read. As loose as the loosest server, and so that no more bytes make it of the web when fewer did not: any
/// record of TLS (RFC 8446 §5.1; some servers take an alert before the hello) or a hello of SSL 2 (RFC 5246 §E.2), which names
/// nobody; and whatever could be a method or stand before one: white space of any kind (RFC 9112 §2.2, §3), and every token,
/// however long, and whatever stands behind it (RFC 9110 §9.1).
pub(crate) fn could_be_the_webs(first: &[u8]) -> bool {
    match *first {
        [] | [20..=24, ..] | [0x80..=0xff] | [0x80..=0xff, _] | [0x80..=0xff, _, 1, ..] => true,
        [byte, ..] => matches!(byte, b'\t'..=b'\r' | b' ') || is_token(byte),
    }
}

/// Whether a byte may stand in a method (RFC 9110 §5.6.2, `tchar`).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Looks at bytes that are not TLS. Only HTTP/1 request heads with exactly one `Host` are understood.
fn look_plain(bytes: &[u8]) -> Look {
    let method = bytes.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let begins_like_http = (1..=24).contains(&method) && bytes.get(method).is_none_or(|b| *b == b' ');
    if !begins_like_http {
        return Look::Is(Spoken::Nameless);
    }
    match bytes.windows(4).position(|w| w == b"\r\n\r\n") {
        Some(end) => Look::Is(plain_head(&bytes[..end + 4]).map_or(Spoken::Nameless, Spoken::Plain)),
        None if bytes.len() >= sni::MOST => Look::Is(Spoken::Nameless),
        None => Look::More,
    }
}

/// Reads a head that ends with its empty line.
fn plain_head(head: &[u8]) -> Option<PlainHead> {
    let mut lines = std::str::from_utf8(head).ok()?.strip_suffix("\r\n\r\n")?.split("\r\n");
    let (method, target) = lines.next()?.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
    let (mut host, mut asks) = (None, Asks::default());
    for line in lines {
        let (name, value) = line.split_once(':')?;
        // White space before the colon, or at the line's beginning, and line ends of another kind are read differently by
        // different servers.
        if name.is_empty() || name.contains([' ', '\t']) || line.contains(['\r', '\n', '\0']) {
            return None;
        }
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "host" if host.is_some() => return None,
            "host" => host = Some(Target::parse(value, Some(80)).ok()?),
            "connection" if value.split(',').any(|v| v.trim().eq_ignore_ascii_case("upgrade")) => {
                asks.upgrade = true;
            }
            "upgrade" if value.eq_ignore_ascii_case("websocket") && !asks.another => asks.websocket = true,
            // Another protocol, or a body, in which another request could hide.
            "upgrade" | "content-length" | "transfer-encoding" => asks.another = true,
            _ => {}
        }
    }
    let origin_form = method == "GET" && target.starts_with('/') && !target.contains(' ');
    let websocket = (origin_form && asks == Asks::ONE_WEBSOCKET).then(|| {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        Path::read(path)
    });
    Some(PlainHead { host: host?, websocket, length: head.len() })
}

/// What a request's fields ask of the connection.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asks {
    /// `Connection: upgrade`.
    upgrade: bool,
    /// `Upgrade: websocket`.
    websocket: bool,
    /// Something that no WebSocket asks for.
    another: bool,
}

impl Asks {
    const ONE_WEBSOCKET: Self = Self { upgrade: true, websocket: true, another: false };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(bytes: &[u8]) -> Option<Spoken> {
        match look(bytes) {
            Look::More => None,
            Look::Is(spoken) => Some(spoken),
        }
    }

    fn plain(host: &str, websocket: Option<&str>, length: usize) -> Option<Spoken> {
        let host = Target::parse(host, Some(80)).unwrap();
        Some(Spoken::Plain(PlainHead { host, websocket: websocket.map(Path::read), length }))
    }

    #[test]
    fn only_a_websocket_is_one() {
        let both = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n";
        for (line, fields, path) in [
            ("GET /a/../b?c HTTP/1.1", both, Some("/b")),
            ("GET / HTTP/1.1", "Upgrade: websocket\r\n", None),
            ("GET / HTTP/1.1", "Connection: upgrade\r\n", None),
            ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: x\r\n", None),
            ("GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n", None),
            ("GET / HTTP/1.1", &format!("{both}Upgrade: h2c\r\n"), None),
            ("GET / HTTP/1.1", &format!("Upgrade: h2c\r\n{both}"), None),
            ("GET / HTTP/1.1", &format!("{both}Content-Length: 4\r\n"), None),
            ("GET / HTTP/1.1", &format!("{both}Transfer-Encoding: chunked\r\n"), None),
            ("POST / HTTP/1.1", both, None),
            ("GET http://b.test/ HTTP/1.1", both, None),
            ("GET b.test HTTP/1.1", both, None),
            ("OPTIONS * HTTP/1.1", both, None),
        ] {
            let bytes = format!("{line}\r\nHost: a.test\r\n{fields}\r\n");
            let meant = plain("a.test", path, bytes.len());
            assert_eq!(spoken(format!("{bytes}rest").as_bytes()), meant, "{line} {fields}");
        }
    }

    #[test]
    fn first_bytes_are_told_apart() {
        let cases: &[(&[u8], Option<Spoken>)] = &[
            (b"", None),
            (b"\x16", None),
            (b"\x16\x03\x01", None),
            (b"\x16\x02", Some(Spoken::Nameless)),
            (b"G", None),
            (b"GET / HTTP/1.1\r\nHost: a.test\r\n", None),
            (b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", plain("a.test", None, 32)),
            (
                b"GET / HTTP/1.1\r\nhOsT:a.test:8080\r\nUpgrade: websocket\r\n\r\nrest",
                plain("a.test:8080", None, 56),
            ),
            (b"GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n", Some(Spoken::Nameless)),
            (b"GET / HTTP/1.1\r\nHost : a.test\r\n\r\n", Some(Spoken::Nameless)),
            (b"GET / HTTP/1.1\r\nX: y\nY: z\r\nHost: a.test\r\n\r\n", Some(Spoken::Nameless)),
            (b"GET / HTTP/1.1\r\nX: y\r\n Host: a.test\r\n\r\n", Some(Spoken::Nameless)),
            (b"GET / HTTP/1.1\r\n\r\n", Some(Spoken::Nameless)),
            (b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n", Some(Spoken::Nameless)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(Spoken::Nameless)),
            (b"SSH-2.0-OpenSSH_9.6\r\n", Some(Spoken::Nameless)),
            (b"\x00", None),
            (b"\x00\x0e\x38", None),
            (b"\x00\x0e\x38sessions\0\0\0\0\0", Some(Spoken::Around(Detector::OpenVpn))),
            (b"\x00\x0e\x38sessions\0\0\0\0\x01", Some(Spoken::Nameless)),
            (b"\x00\x0e\x39", Some(Spoken::Nameless)),
            (b"\x05\x01\x00", Some(Spoken::Nameless)),
        ];
        for (bytes, meant) in cases {
            assert_eq!(&spoken(bytes), meant, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_a_web_server_could_read_is_told_from_what_none_does() {
        for webs in [
            &b""[..],
            b"\x16",
            b"\x16\x03\x01",
            b"\x15\x03\x01\0\x02\x01\0\x16\x03\x01",
            b"\x14\x03\x03\0\x01\x01",
            b"\x80",
            b"\x80\x2e",
            b"\x80\x2e\x01\x03\x01",
            b"\r\nGET / HTTP/1.1\r\n",
            b"\nGET / HTTP/1.1\r\n",
            b"\r",
            b" GET / HTTP/1.1\r\n",
            b"\t\x0b\x0cGET / HTTP/1.1\r\n",
            b"G",
            b"GET\t/ HTTP/1.1\r\n",
            b"GET\x0b/ HTTP/1.1\r\n",
            b"get / HTTP/1.1\r\n",
            b"M-SEARCH * HTTP/1.1\r\n",
            b"_ / HTTP/1.1\r\n",
            b"PRI * HTTP/2.0\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\nGET / HTTP/1.1\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21",
            b"SSH-2.0-OpenSSH_9.6 Debian\r\n",
            &[b'A'; 100],
        ] {
            assert!(could_be_the_webs(webs), "{:?}", String::from_utf8_lossy(webs));
        }
        for other in [
            &b"\0\x0e\x38"[..],
            b"\x05\x01\0",
            b"\x03\0\0\x13",
            b"{\"hello\": 1}\n",
            b"<stream:stream>",
            b"\x80\x2e\x02",
            b"\xff\xfe\0",
        ] {
            assert!(!could_be_the_webs(other), "{:?}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn an_endless_head_is_nameless() {
        let mut endless = b"GET / HTTP/1.1\r\n".to_vec();
        endless.resize(sni::MOST, b'a');
        assert_eq!(spoken(&endless), Some(Spoken::Nameless));
    }
}
