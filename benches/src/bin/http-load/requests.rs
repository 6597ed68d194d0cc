//! Requests in absolute form, one after the other on each connection.

use crate::connection::Watch;
use benches::delays::Delays;
use benches::kernel::processor_time;
use benches::people::People;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use serde::Serialize;
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Requests for one page.
#[derive(clap::Args)]
pub(crate) struct Requests {
    /// The proxy.
    proxy: SocketAddrV4,
    /// The page, as `http://host:port/path`.
    url: String,
    #[arg(long, default_value_t = 50)]
    connections: usize,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    #[command(flatten)]
    people: People,
}

/// What came of it.
#[derive(Default, Serialize)]
struct Figures {
    seconds: f64,
    /// Answers with status 200 and a page of the right length.
    good: u64,
    /// Other answers: a proxy's own page, which one of them gives status 200.
    other: u64,
    /// Connections that ended in the middle of an answer, or could not be made.
    broken: u64,
    /// Connections that were made.
    connections: u64,
    /// Microseconds.
    p50: f64,
    p99: f64,
    p999: f64,
    /// What asking took of this process's core.
    own_seconds: f64,
}

/// The length of the page.
const PAGE: usize = 1024;

struct Connection {
    socket: OwnedFd,
    asked: Option<Instant>,
    answer: Answer,
}

/// An answer so far: its head until that is whole, then only how much is missing.
#[derive(Default)]
struct Answer {
    head: Vec<u8>,
    good: bool,
    missing: Option<usize>,
}

impl Requests {
    pub(crate) fn run(self) -> Result<(), String> {
        let figures = self.load().map_err(|e| e.to_string())?;
        println!("{}", serde_json::to_string(&figures).expect("numbers always become JSON"));
        Ok(())
    }

    fn load(&self) -> io::Result<Figures> {
        let host = self.url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let request = format!("GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: load\r\n\r\n", self.url);
        let (mut watch, mut figures, mut delays) = (Watch::new()?, Figures::default(), Delays::default());
        let mut connections: Vec<Option<Connection>> = (0..self.connections).map(|_| None).collect();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs_f64(self.seconds) {
            for (place, connection) in connections.iter_mut().enumerate() {
                if connection.is_none() {
                    figures.connections += 1;
                    let from = self.people.source(figures.connections);
                    let socket = watch.dial(from, self.proxy, place)?;
                    *connection = Some(Connection { socket, asked: None, answer: Answer::default() });
                }
            }
            for place in watch.wait()? {
                let Some(connection) = &mut connections[place] else { continue };
                match connection.serve(request.as_bytes(), &mut figures, &mut delays) {
                    Ok(true) => {}
                    Ok(false) => connections[place] = None,
                    Err(_) => {
                        figures.broken += 1;
                        connections[place] = None;
                    }
                }
            }
        }
        figures.seconds = begun.elapsed().as_secs_f64();
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| delays.within(part));
        figures.own_seconds = processor_time(std::process::id())?.as_secs_f64();
        Ok(Figures { p50, p99, p999, ..figures })
    }
}

impl Connection {
    /// Goes as far as it can. False: the proxy has closed it between two requests.
    fn serve(&mut self, request: &[u8], figures: &mut Figures, delays: &mut Delays) -> Result<bool, Errno> {
        let mut bytes = [0; 16 * 1024];
        loop {
            let Some(asked) = self.asked else {
                match rustix::net::send(&self.socket, request, SendFlags::NOSIGNAL) {
                    Ok(_) => self.asked = Some(Instant::now()),
                    Err(Errno::AGAIN | Errno::NOTCONN) => return Ok(true),
                    // It was closed since its last answer.
                    Err(Errno::PIPE | Errno::CONNRESET) => return Ok(false),
                    Err(error) => return Err(error),
                }
                continue;
            };
            match rustix::net::recv(&self.socket, &mut bytes, RecvFlags::empty()) {
                Ok((0, _)) if self.answer.head.is_empty() => return Ok(false),
                Ok((0, _)) => {
                    // An answer without a length ends with its connection (RFC 9112 §6.3).
                    let whole = self.answer.missing.is_none() && !self.answer.head.is_empty();
                    if whole {
                        self.count(asked, figures, delays);
                    }
                    return if whole { Ok(false) } else { Err(Errno::PIPE) };
                }
                Ok((count, _)) if self.answer.take(&bytes[..count]) => self.count(asked, figures, delays),
                Ok(_) => {}
                Err(Errno::AGAIN) => return Ok(true),
                Err(Errno::CONNRESET) if self.answer.head.is_empty() => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    fn count(&mut self, asked: Instant, figures: &mut Figures, delays: &mut Delays) {
        delays.add(asked.elapsed().as_nanos() as u64);
        if self.answer.good {
            figures.good += 1;
        } else {
            figures.other += 1;
        }
        self.asked = None;
        self.answer = Answer::default();
    }
}

impl Answer {
    /// Takes more bytes. True: the answer is whole.
    fn take(&mut self, bytes: &[u8]) -> bool {
        if let Some(missing) = &mut self.missing {
            *missing = missing.saturating_sub(bytes.len());
            return *missing == 0;
        }
        self.head.extend(bytes);
        let Some(end) = self.head.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
        let head = String::from_utf8_lossy(&self.head[..end]).to_ascii_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        self.good = self.head.get(9..12) == Some(b"200") && length == Some(PAGE);
        self.missing = length.map(|length| (end + 4 + length).saturating_sub(self.head.len()));
        self.missing == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let text =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {PAGE}\r\n\r\n{}", "x".repeat(PAGE)).into_bytes();
        for cut in 1..text.len() {
            let mut answer = Answer::default();
            assert!(!answer.take(&text[..cut]), "cut at {cut}");
            assert!(answer.take(&text[cut..]) && answer.good, "cut at {cut}");
        }
    }

    #[test]
    fn another_page_is_not_the_page() {
        let mut answer = Answer::default();
        assert!(answer.take(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndenied") && !answer.good);
    }
}
