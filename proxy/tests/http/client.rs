//! A client that says exactly what the test writes and reads what comes back.

use crate::home::Home;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Nothing on loopback takes longer unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the proxy from one device.
pub struct Client {
    pub stream: TcpStream,
    read: Vec<u8>,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header; none when it is not there once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.head.lines().skip(1).filter_map(|l| l.split_once(": "));
        let value = found.find(|(n, _)| n.eq_ignore_ascii_case(name))?.1;
        found.all(|(n, _)| !n.eq_ignore_ascii_case(name)).then_some(value)
    }
}

impl Client {
    /// Connects from a device's address.
    pub async fn of(home: &Home, device: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(format!("{device}:0").parse().expect("an address")).expect("a loopback address");
        let stream = socket.connect(home.proxy).await.expect("the proxy is there");
        Self { stream, read: Vec::new() }
    }

    /// Sends text as it stands, with `\n` for CRLF.
    pub async fn say(&mut self, text: &str) {
        self.send(text.replace('\n', "\r\n").as_bytes()).await;
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("the proxy takes it");
    }

    /// Reads more; false at the end.
    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
        matches!(read.expect("in time"), Ok(1..))
    }

    /// Reads up to and with a mark.
    async fn through(&mut self, mark: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.read.windows(mark.len()).position(|w| w == mark) {
                return self.read.drain(..at + mark.len()).collect();
            }
            assert!(self.more().await, "ended before {mark:?}: {:?}", String::from_utf8_lossy(&self.read));
        }
    }

    /// Reads exactly so many bytes; fewer only at the end.
    pub async fn take(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length && self.more().await {}
        self.read.drain(..length.min(self.read.len())).collect()
    }

    /// Reads an answer's head.
    pub async fn head(&mut self) -> Answer {
        let head = String::from_utf8(self.through(b"\r\n\r\n").await).expect("text");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        Answer { status, head: head.replace("\r\n", "\n").trim_end().into(), body: String::new() }
    }

    /// The status of an answer; 0 when the connection is closed without one.
    pub async fn status(&mut self) -> u16 {
        match self.more().await {
            true => self.head().await.status,
            false => 0,
        }
    }

    /// Reads a whole answer to a request that was no `HEAD`.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let chunked = answer.header("transfer-encoding") == Some("chunked");
        let length = answer.header("content-length").map(|l| l.parse().expect("a number"));
        let body = match (chunked, length) {
            (true, _) => self.chunks().await,
            (false, Some(length)) => self.take(length).await,
            (false, None) if answer.status == 204 || answer.status == 304 => Vec::new(),
            (false, None) => self.rest().await,
        };
        answer.body = String::from_utf8(body).expect("text");
        answer
    }

    /// Chunks without their framing; trailers stand after a line `--`.
    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = String::from_utf8(self.through(b"\r\n").await).expect("text");
            let length = usize::from_str_radix(line.trim_end(), 16).expect("a length");
            if length == 0 {
                break;
            }
            body.extend(self.take(length).await);
            self.through(b"\r\n").await;
        }
        loop {
            let line = self.through(b"\r\n").await;
            if line == b"\r\n" {
                return body;
            }
            body.extend([b"--\n", &line[..]].concat());
        }
    }

    /// Everything until the end.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    /// Everything that comes within a while.
    pub async fn rest_within(&mut self, wait: Duration) -> Vec<u8> {
        // What has come until then is kept.
        let _ = tokio::time::timeout(wait, async { while self.more().await {} }).await;
        std::mem::take(&mut self.read)
    }

    /// Whether the proxy closes the connection without another byte.
    pub async fn is_closed(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    /// Opens a tunnel to a host at an origin's port.
    pub async fn tunnel(&mut self, host: &str, origin: SocketAddr) -> u16 {
        self.say(&format!("CONNECT {host}:{0} HTTP/1.1\nHost: {host}:{0}\n\n", origin.port())).await;
        self.head().await.status
    }
}

/// One request from a device, and its answer.
pub async fn ask(home: &Home, device: &str, request: &str) -> Answer {
    let mut client = Client::of(home, device).await;
    client.say(request).await;
    client.answer().await
}
