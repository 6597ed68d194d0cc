//! A load from many devices.
//!
//! Each device has one question under way; a fixed number of them wait at once, so that the server is always busy and
//! its socket's queue never runs over.

use crate::packet::{self, Said};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// Young people; person `p` has the network 127.(10 + p).0.0/16.
const PEOPLE: usize = 6;
/// Devices. More would need more open files than a shell allows by itself.
const CLIENTS: usize = 900;
/// Questions under way at once.
const WINDOW: usize = 100;
/// An answer that takes longer is lost.
const PATIENCE: Duration = Duration::from_millis(500);

/// The address of a device.
pub(crate) fn client(place: usize) -> Ipv4Addr {
    let (person, device) = (place % PEOPLE, place / PEOPLE + 1);
    Ipv4Addr::new(127, 10 + person as u8, (device >> 8) as u8, device as u8)
}

/// What came of a load.
pub(crate) struct Figures {
    seconds: f64,
    /// Of the server, user and kernel together.
    processor_seconds: f64,
    allowed: u64,
    refused: u64,
    limited: u64,
    failed: u64,
    lost: u64,
}

impl fmt::Display for Figures {
    /// Answers a second, microseconds of the server's processor for each, allowed, refused, limited, failed, lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self.allowed + self.refused + self.limited + self.failed;
        write!(
            f,
            "{:.0} {:.3} {} {} {} {} {}",
            answers as f64 / self.seconds,
            self.processor_seconds * 1e6 / answers.max(1) as f64,
            self.allowed,
            self.refused,
            self.limited,
            self.failed,
            self.lost
        )
    }
}

/// A device: its socket, and the question that is under way with its number.
struct Client {
    socket: UdpSocket,
    under_way: Option<(u16, usize)>,
}

impl Client {
    fn new(place: usize, server: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((client(place), 0))?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, under_way: None })
    }

    fn ask(&mut self, query: &mut [u8], number: u16) -> io::Result<()> {
        query[..2].copy_from_slice(&number.to_be_bytes());
        self.socket.send(query)?;
        self.under_way = Some((number, query.len()));
        Ok(())
    }

    /// Waits for the answer; none when it is lost.
    fn hear(&mut self) -> Option<Option<Said>> {
        let (number, asked) = self.under_way.take()?;
        let mut answer = [0; 1500];
        loop {
            let Ok(length) = self.socket.recv(&mut answer) else { return Some(None) };
            // An answer that was given up comes late: it is no answer to this question.
            if length >= 12 && answer[..2] == number.to_be_bytes() {
                return Some(Some(packet::read(&answer[..length], asked)));
            }
        }
    }
}

/// Asks the questions in order, again and again, for so long.
pub(crate) fn run(
    server: SocketAddr,
    mut queries: Vec<Vec<u8>>,
    time: Duration,
    pid: u32,
) -> io::Result<Figures> {
    let clients = (0..CLIENTS).map(|place| Client::new(place, server));
    let mut clients = clients.collect::<io::Result<Vec<_>>>()?;
    let mut figures = Figures {
        seconds: 0.0,
        processor_seconds: 0.0,
        allowed: 0,
        refused: 0,
        limited: 0,
        failed: 0,
        lost: 0,
    };
    let count = queries.len();
    let (begun, before) = (Instant::now(), processor_seconds(pid)?);
    let mut asked = 0;
    while begun.elapsed() < time {
        // The clock is read only now and then, to leave the core to the questions.
        for _ in 0..64 {
            clients[asked % CLIENTS].ask(&mut queries[asked % count], asked as u16)?;
            asked += 1;
            if asked >= WINDOW {
                figures.add(clients[(asked - WINDOW) % CLIENTS].hear());
            }
        }
    }
    for place in asked.saturating_sub(WINDOW)..asked {
        figures.add(clients[place % CLIENTS].hear());
    }
    figures.seconds = begun.elapsed().as_secs_f64();
    figures.processor_seconds = processor_seconds(pid)? - before;
    Ok(figures)
}

impl Figures {
    fn add(&mut self, heard: Option<Option<Said>>) {
        match heard {
            None => {}
            Some(None) => self.lost += 1,
            Some(Some(Said::Allowed)) => self.allowed += 1,
            Some(Some(Said::Refused)) => self.refused += 1,
            Some(Some(Said::Limited)) => self.limited += 1,
            Some(Some(Said::Failed)) => self.failed += 1,
        }
    }
}

/// What a process has spent, user and kernel (proc(5): `utime` and `stime`, in ticks of a hundredth of a second on Linux).
fn processor_seconds(pid: u32) -> io::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets, in which anything may stand.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / 100.0)
}
