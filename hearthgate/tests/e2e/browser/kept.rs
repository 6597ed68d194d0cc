//! One connection that is kept through the proxy, on which a site is asked again and again: how soon what staff decide works.

use crate::home::Gateway;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What staff decide works within this, from when their form was answered.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

/// A connection through the proxy.
pub(super) struct Kept {
    proxy: u16,
    stream: BufReader<TcpStream>,
    request: String,
}

fn connected(proxy: u16) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", proxy)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    BufReader::new(stream)
}

impl Kept {
    /// From this machine's own address to a site.
    pub(super) fn open(gateway: &Gateway, host: &str, port: u16) -> Self {
        let request =
            format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/html\r\n\r\n");
        Self { proxy: gateway.proxy, stream: connected(gateway.proxy), request }
    }

    /// The status of one more answer.
    pub(super) fn status(&mut self) -> u16 {
        match self.asked() {
            Some(status) => status,
            // Nobody asked for a while, and the proxy has closed it.
            None => {
                self.stream = connected(self.proxy);
                self.asked().expect("an answer")
            }
        }
    }

    fn asked(&mut self) -> Option<u16> {
        self.stream.get_mut().write_all(self.request.as_bytes()).ok()?;
        let (mut status, mut length, mut line) = (None, 0, String::new());
        while self.stream.read_line(&mut line).ok()? > 0 && line.trim() != "" {
            let lower = line.to_ascii_lowercase();
            if let Some(rest) = lower.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().ok();
            }
            if let Some(rest) = lower.strip_prefix("content-length:") {
                length = rest.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        status
    }

    /// How long it takes until it answers so.
    pub(super) fn turns(&mut self, status: u16) -> Duration {
        let begun = Instant::now();
        while self.status() != status {
            assert!(begun.elapsed() < Duration::from_secs(20), "never {status}");
            // No faster than a client may ask.
            std::thread::sleep(Duration::from_millis(40));
        }
        begun.elapsed()
    }
}
