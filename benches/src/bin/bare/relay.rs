//! A relay that reads of each connection only the port it is for, and carries the rest: by a copy through one buffer, or
//! by splice(2) through pipes.

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The buffer of the copy, and of a pipe.
const ROOM: usize = 256 * 1024;
/// Answers in one wait.
const EVENTS: usize = 256;
const CONNECT: &[u8] = b"CONNECT ";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
/// The number of the listener among the events; connections begin at 2, two numbers each.
const LISTENER: u64 = 0;

/// A relay. Each connection begins with a CONNECT or a request in absolute form; 127.0.0.1 at its port is where it leads.
#[derive(clap::Args)]
pub(crate) struct Relay {
    /// Where it listens.
    address: SocketAddrV4,
    /// By splice(2) instead of a copy.
    #[arg(long)]
    splice: bool,
}

type Pipe = (OwnedFd, OwnedFd);

/// Where a connection stands.
#[derive(PartialEq, Eq)]
enum Stage {
    Asking,
    Dialling,
    Open,
}

/// Two sockets, and for each direction what waits between them.
struct Pair {
    stage: Stage,
    /// The client's and the server's, which is absent until it is dialled.
    ends: [Option<OwnedFd>; 2],
    /// What came before the connection was open.
    head: Vec<u8>,
    pipes: [Option<Pipe>; 2],
    piped: [usize; 2],
    /// What a copy could not write yet.
    left: [Vec<u8>; 2],
}

struct Relaying {
    relay: Relay,
    epoll: OwnedFd,
    pairs: HashMap<u64, Pair>,
    next: u64,
    buffer: Vec<u8>,
    /// Empty pipes, for whoever moves bytes next: an idle connection holds none.
    pipes: Vec<Pipe>,
}

/// The connection is over.
struct Over;

impl From<Errno> for Over {
    fn from(_: Errno) -> Self {
        Self
    }
}

impl Relay {
    pub(crate) fn run(self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address)?;
        // The standard library asks for a queue of 128 connections; a load opens more at once.
        rustix::net::listen(&listener, 8192)?;
        listener.set_nonblocking(true)?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
        let mut relaying = Relaying {
            relay: self,
            epoll,
            pairs: HashMap::new(),
            next: 1,
            buffer: vec![0; ROOM],
            pipes: Vec::new(),
        };
        let mut events = [epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; EVENTS];
        loop {
            let count = match epoll::wait(&relaying.epoll, &mut events, None) {
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in &events[..count] {
                relaying.event(&listener, event.data.u64(), event.flags);
            }
        }
    }
}

impl Relaying {
    fn event(&mut self, listener: &TcpListener, number: u64, flags: EventFlags) {
        if number == LISTENER {
            return self.accept(listener);
        }
        let (key, side) = (number / 2, (number % 2) as usize);
        let Some(mut pair) = self.pairs.remove(&key) else { return };
        if self.serve(&mut pair, key, side, flags).is_ok() {
            self.pairs.insert(key, pair);
        }
    }

    fn accept(&mut self, listener: &TcpListener) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        while let Ok(client) = rustix::net::accept_with(listener, flags) {
            let key = self.next;
            self.next += 1;
            let mut pair = Pair {
                stage: Stage::Asking,
                ends: [None, None],
                head: Vec::new(),
                pipes: [None, None],
                piped: [0; 2],
                left: [Vec::new(), Vec::new()],
            };
            let begun = self.watch(&client, key, 0);
            pair.ends[0] = Some(client);
            if begun.is_ok() {
                self.pairs.insert(key, pair);
            }
        }
    }

    fn watch(&self, socket: &OwnedFd, key: u64, side: u64) -> Result<(), Over> {
        rustix::net::sockopt::set_tcp_nodelay(socket, true)?;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(key * 2 + side), flags)?)
    }

    fn dial(&self, pair: &mut Pair, key: u64, to: SocketAddrV4) -> Result<(), Over> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        self.watch(&socket, key, 1)?;
        pair.ends[1] = Some(socket);
        pair.stage = Stage::Dialling;
        Ok(())
    }

    fn serve(&mut self, pair: &mut Pair, key: u64, side: usize, flags: EventFlags) -> Result<(), Over> {
        if flags.contains(EventFlags::ERR) {
            return Err(Over);
        }
        match pair.stage {
            Stage::Asking => return self.asked(pair, key),
            Stage::Dialling if side == 1 && flags.contains(EventFlags::OUT) => {
                pair.stage = Stage::Open;
                match pair.head.starts_with(CONNECT) {
                    true => send(end(pair, 0)?, ANSWER)?,
                    false => send(end(pair, 1)?, &pair.head)?,
                };
                pair.head = Vec::new();
            }
            Stage::Dialling => return Ok(()),
            Stage::Open => {}
        }
        self.pump(pair, 0)?;
        self.pump(pair, 1)
    }

    /// Reads where to.
    fn asked(&self, pair: &mut Pair, key: u64) -> Result<(), Over> {
        let mut bytes = [0; 512];
        match rustix::net::recv(end(pair, 0)?, &mut bytes, RecvFlags::empty()) {
            Ok((0, _)) => return Err(Over),
            Ok((count, _)) => pair.head.extend(&bytes[..count]),
            Err(Errno::AGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if !pair.head.ends_with(b"\r\n\r\n") {
            return if pair.head.len() < 4096 { Ok(()) } else { Err(Over) };
        }
        let port = port(&pair.head).ok_or(Over)?;
        self.dial(pair, key, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    }

    /// Moves what there is from one side to the other.
    fn pump(&mut self, pair: &mut Pair, from: usize) -> Result<(), Over> {
        if self.relay.splice { self.pump_pipe(pair, from) } else { self.pump_copy(pair, from) }
    }

    fn pump_copy(&mut self, pair: &mut Pair, from: usize) -> Result<(), Over> {
        loop {
            if !pair.left[from].is_empty() {
                let written = send(end(pair, 1 - from)?, &pair.left[from])?;
                pair.left[from].drain(..written);
                if !pair.left[from].is_empty() {
                    return Ok(());
                }
            }
            let count = match rustix::io::read(end(pair, from)?, &mut self.buffer) {
                Ok(0) => return Err(Over),
                Ok(count) => count,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let written = send(end(pair, 1 - from)?, &self.buffer[..count])?;
            pair.left[from].extend(&self.buffer[written..count]);
        }
    }

    fn pump_pipe(&mut self, pair: &mut Pair, from: usize) -> Result<(), Over> {
        let pipe = match pair.pipes[from].take().or_else(|| self.pipes.pop()) {
            Some(pipe) => pipe,
            None => {
                let pipe = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?;
                // A smaller pipe is slower and no error.
                let _size = rustix::pipe::fcntl_setpipe_size(&pipe.1, ROOM);
                pipe
            }
        };
        let moved = through_pipe(pair, from, &pipe);
        match pair.piped[from] {
            0 => self.pipes.push(pipe),
            _ => pair.pipes[from] = Some(pipe),
        }
        moved
    }
}

/// Moves by splice(2), until neither side can.
fn through_pipe(pair: &mut Pair, from: usize, (read, write): &Pipe) -> Result<(), Over> {
    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
    loop {
        let mut moved = false;
        let piped = pair.piped[from];
        if piped < ROOM {
            match splice(end(pair, from)?, None, write, None, ROOM - piped, flags) {
                Ok(0) if piped == 0 => return Err(Over),
                Ok(count) => (pair.piped[from], moved) = (piped + count, count > 0),
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let piped = pair.piped[from];
        if piped > 0 {
            match splice(read, None, end(pair, 1 - from)?, None, piped, flags) {
                Ok(count) => (pair.piped[from], moved) = (piped - count, moved || count > 0),
                Err(Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !moved {
            return Ok(());
        }
    }
}

/// The port that a request is for: `CONNECT host:port HTTP/1.1`, `GET http://host:port/path HTTP/1.1`.
fn port(head: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let target = line.split(' ').nth(1)?.trim_start_matches("http://");
    target.split('/').next()?.rsplit(':').next()?.parse().ok()
}

fn end(pair: &Pair, side: usize) -> Result<BorrowedFd<'_>, Over> {
    pair.ends[side].as_ref().map(AsFd::as_fd).ok_or(Over)
}

/// How much of it the kernel took.
fn send(to: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Over> {
    match rustix::net::send(to, bytes, SendFlags::NOSIGNAL) {
        Ok(count) => Ok(count),
        Err(Errno::AGAIN) => Ok(0),
        Err(error) => Err(error.into()),
    }
}
