//! A load from many addresses, in batches, through one socket.
//!
//! Either a fixed number of questions waits at once, so that the server is always busy and its socket's queue never
//! runs over; or questions go out at a fixed rate, whatever comes back, and the delays tell how the server bears it.

use crate::packet::{self, Said};
use benches::delays::Delays;
use benches::kernel::{Batch, PACKETS, processor_time};
use benches::people::People;
use serde::Serialize;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// An answer that takes longer is lost.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often lost questions are looked for.
const LOOKS: Duration = Duration::from_millis(100);
/// Numbers that a question can have.
const NUMBERS: usize = 1 << 16;

/// A load of questions over UDP.
#[derive(clap::Args)]
pub(crate) struct Load {
    /// The server.
    address: SocketAddrV4,
    /// A file with one name a line.
    questions: PathBuf,
    /// How long it asks.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Questions a second; without it, as many as are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// Questions that wait for an answer at once, at most.
    #[arg(long, default_value_t = 200)]
    window: usize,
    /// Asks no name of the file twice: ends with the file.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    people: People,
}

/// What came of a load.
#[derive(Default, Serialize)]
struct Figures {
    seconds: f64,
    answers: u64,
    allowed: u64,
    refused: u64,
    limited: u64,
    failed: u64,
    lost: u64,
    /// Microseconds.
    p50: f64,
    p99: f64,
    p999: f64,
    /// What asking took of this process's core.
    own_seconds: f64,
}

/// A question that is under way.
#[derive(Clone, Copy)]
struct Asked {
    query: u32,
    at: u64,
}

/// The state of a load.
struct Asking<'a> {
    load: &'a Load,
    socket: UdpSocket,
    queries: Vec<Vec<u8>>,
    under_way: Vec<Option<Asked>>,
    waiting: usize,
    sent: u64,
    begun: Instant,
    delays: Delays,
    figures: Figures,
}

impl Load {
    pub(crate) fn run(self) -> Result<(), String> {
        let text = std::fs::read_to_string(&self.questions)
            .map_err(|e| format!("{}: {e}", self.questions.display()))?;
        let queries: Vec<Vec<u8>> = text.lines().map(packet::query).collect();
        if queries.is_empty() {
            return Err(format!("{}: no question", self.questions.display()));
        }
        let figures = Asking::begin(&self, queries).and_then(Asking::run).map_err(|e| e.to_string())?;
        println!("{}", serde_json::to_string(&figures).expect("numbers always become JSON"));
        Ok(())
    }
}

impl<'a> Asking<'a> {
    fn begin(load: &'a Load, queries: Vec<Vec<u8>>) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        for force in [
            rustix::net::sockopt::set_socket_recv_buffer_size_force,
            rustix::net::sockopt::set_socket_recv_buffer_size,
        ] {
            // Only root may go beyond the system's limit; then the limit it is.
            if force(&socket, 8 << 20).is_ok() {
                break;
            }
        }
        Ok(Self {
            load,
            socket,
            queries,
            under_way: vec![None; NUMBERS],
            waiting: 0,
            sent: 0,
            begun: Instant::now(),
            delays: Delays::default(),
            figures: Figures::default(),
        })
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn run(mut self) -> io::Result<Figures> {
        let own = processor_time(std::process::id())?;
        let (mut asks, mut hears) = (Batch::default(), Batch::default());
        let end = (self.load.seconds * 1e9) as u64;
        let mut looked = 0;
        loop {
            let now = self.now();
            let over = now >= end || self.load.once && self.sent >= self.queries.len() as u64;
            if over && (self.waiting == 0 || now >= end + PATIENCE.as_nanos() as u64) {
                break;
            }
            if !over {
                self.ask(&mut asks, now)?;
            }
            self.hear(&mut hears);
            if now > looked + LOOKS.as_nanos() as u64 {
                looked = now;
                self.give_up(now);
            }
        }
        self.figures.lost += self.waiting as u64;
        // Waiting for the last answers is no time in which more could have come.
        self.figures.seconds = self.now().min(end) as f64 / 1e9;
        self.figures.own_seconds = (processor_time(std::process::id())? - own).as_secs_f64();
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| self.delays.within(part));
        Ok(Figures { p50, p99, p999, ..self.figures })
    }

    /// Sends what is due, at most one batch.
    fn ask(&mut self, batch: &mut Batch, now: u64) -> io::Result<()> {
        let mut due = self.load.window.saturating_sub(self.waiting).min(PACKETS);
        if let Some(rate) = self.load.rate {
            due = due.min(((now as f64 * rate / 1e9) as u64).saturating_sub(self.sent) as usize);
        }
        if self.load.once {
            due = due.min((self.queries.len() as u64 - self.sent) as usize);
        }
        if due == 0 {
            return Ok(());
        }
        for place in 0..due {
            let number = self.sent + place as u64;
            let query = (number % self.queries.len() as u64) as usize;
            self.queries[query][..2].copy_from_slice(&(number as u16).to_be_bytes());
            batch.write(place, &self.queries[query], self.load.people.source(number), self.load.address);
            let before =
                self.under_way[number as usize % NUMBERS].replace(Asked { query: query as u32, at: now });
            if before.is_some() {
                self.lose();
            }
        }
        let taken = match batch.send(&self.socket, due) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            // A server that is not there any more is told by ICMP; what is not answered is lost all the same.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => 0,
            Err(error) => return Err(error),
        };
        for number in self.sent + taken as u64..self.sent + due as u64 {
            self.under_way[number as usize % NUMBERS] = None;
        }
        self.sent += taken as u64;
        self.waiting += taken;
        Ok(())
    }

    fn lose(&mut self) {
        self.figures.lost += 1;
        self.waiting -= 1;
    }

    /// Takes the answers that are there.
    fn hear(&mut self, batch: &mut Batch) {
        let Ok(count) = batch.receive(&self.socket, false) else { return };
        let now = self.now();
        for place in 0..count {
            let answer = batch.packet(place);
            let Some(number) = answer.first_chunk::<2>().map(|n| u16::from_be_bytes(*n)) else { continue };
            let slot = &mut self.under_way[usize::from(number)];
            let Some(asked) = *slot else { continue };
            // An answer to what was given up comes late: it is no answer to this question.
            let Some(said) = packet::read(answer, &self.queries[asked.query as usize]) else { continue };
            *slot = None;
            self.waiting -= 1;
            self.delays.add(now.saturating_sub(asked.at));
            self.figures.add(said);
        }
    }

    fn give_up(&mut self, now: u64) {
        for place in 0..NUMBERS {
            let asked = self.under_way[place];
            if asked.is_some_and(|asked| now.saturating_sub(asked.at) > PATIENCE.as_nanos() as u64) {
                self.under_way[place] = None;
                self.lose();
            }
        }
    }
}

impl Figures {
    fn add(&mut self, said: Said) {
        self.answers += 1;
        match said {
            Said::Allowed => self.allowed += 1,
            Said::Refused => self.refused += 1,
            Said::Limited => self.limited += 1,
            Said::Failed => self.failed += 1,
        }
    }
}

/// Asks until somebody answers.
pub(crate) fn first(server: SocketAddrV4) -> Result<(), String> {
    let socket = UdpSocket::bind(("127.16.0.0", 0)).map_err(|e| e.to_string())?;
    let asked = socket.connect(server).and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(2))));
    asked.map_err(|e| e.to_string())?;
    let (query, mut answer) = (packet::query("first.example"), [0; 512]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        // Nobody is there yet, or the answer is on its way: both are tried again.
        let sent = socket.send(&query);
        if sent.is_ok() && socket.recv(&mut answer).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Err(format!("{server} does not answer"))
}
