//! Tunnels: CONNECT, then a ClientHello inside, then the origin's first answer. Only then is a tunnel one: a proxy may
//! say 200 before it has called anybody.

use crate::connection::Watch;
use crate::hello::client_hello;
use benches::delays::Delays;
use benches::kernel::processor_time;
use benches::people::People;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use serde::Serialize;
use std::io::{self, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Where the tunnels go.
#[derive(clap::Args)]
struct To {
    /// The proxy.
    proxy: SocketAddrV4,
    /// The server behind it, as `host:port`.
    origin: String,
    /// The proxy is a relay, which is told nothing.
    #[arg(long)]
    relay: bool,
    #[command(flatten)]
    people: People,
}

/// Tunnels one after the other.
#[derive(clap::Args)]
pub(crate) struct Tunnels {
    #[command(flatten)]
    to: To,
    #[arg(long, default_value_t = 32)]
    under_way: usize,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// Tunnels that stay.
#[derive(clap::Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    to: To,
    #[arg(long, default_value_t = 5000)]
    count: usize,
}

/// One tunnel, full.
#[derive(clap::Args)]
pub(crate) struct Flow {
    #[command(flatten)]
    to: To,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

#[derive(Default, Serialize)]
struct Figures {
    seconds: f64,
    opened: u64,
    failed: u64,
    /// Microseconds from the first packet to the first answer through the tunnel.
    p50: f64,
    p99: f64,
    p999: f64,
    /// What asking took of this process's core.
    own_seconds: f64,
}

/// Where a tunnel stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Asked,
    Greeted,
    Open,
}

struct Tunnel {
    socket: OwnedFd,
    begun: Instant,
    stage: Stage,
    heard: Vec<u8>,
}

/// What is said in a tunnel.
struct Words {
    connect: Vec<u8>,
    hello: Vec<u8>,
    relay: bool,
}

impl To {
    fn words(&self) -> Words {
        let host = self.origin.split(':').next().unwrap_or_default();
        Words {
            connect: format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", self.origin).into_bytes(),
            hello: client_hello(host),
            relay: self.relay,
        }
    }

    fn begin(&self, watch: &Watch, place: usize, number: u64) -> io::Result<Tunnel> {
        let begun = Instant::now();
        let socket = watch.dial(self.people.source(number), self.proxy, place)?;
        Ok(Tunnel { socket, begun, stage: Stage::Connecting, heard: Vec::new() })
    }
}

impl Tunnel {
    /// Goes as far as it can. An error: the tunnel is over.
    fn serve(&mut self, words: &Words) -> Result<(), Errno> {
        if self.stage == Stage::Connecting {
            let (first, next) = match words.relay {
                true => (&words.hello, Stage::Greeted),
                false => (&words.connect, Stage::Asked),
            };
            match rustix::net::send(&self.socket, first, SendFlags::NOSIGNAL) {
                Ok(_) => self.stage = next,
                Err(Errno::AGAIN | Errno::NOTCONN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let mut bytes = [0; 4096];
        loop {
            match rustix::net::recv(&self.socket, &mut bytes, RecvFlags::empty()) {
                Ok((0, _)) => return Err(Errno::PIPE),
                Ok((count, _)) => self.hear(&bytes[..count], words)?,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn hear(&mut self, bytes: &[u8], words: &Words) -> Result<(), Errno> {
        match self.stage {
            Stage::Asked => {
                self.heard.extend(bytes);
                if self.heard.ends_with(b"\r\n\r\n") {
                    if self.heard.get(9..12) != Some(b"200") {
                        return Err(Errno::CONNREFUSED);
                    }
                    rustix::net::send(&self.socket, &words.hello, SendFlags::NOSIGNAL)?;
                    self.stage = Stage::Greeted;
                }
            }
            Stage::Greeted => self.stage = Stage::Open,
            Stage::Connecting | Stage::Open => {}
        }
        Ok(())
    }
}

fn tell(figures: &impl Serialize) -> Result<(), String> {
    println!("{}", serde_json::to_string(figures).expect("numbers always become JSON"));
    io::stdout().flush().map_err(|e| e.to_string())
}

impl Tunnels {
    pub(crate) fn run(self) -> Result<(), String> {
        tell(&self.load().map_err(|e| e.to_string())?)
    }

    fn load(&self) -> io::Result<Figures> {
        let words = self.to.words();
        let (mut watch, mut figures, mut delays) = (Watch::new()?, Figures::default(), Delays::default());
        let mut tunnels: Vec<Option<Tunnel>> = (0..self.under_way).map(|_| None).collect();
        let (begun, mut number) = (Instant::now(), 0);
        while begun.elapsed() < Duration::from_secs_f64(self.seconds) {
            for (place, tunnel) in tunnels.iter_mut().enumerate() {
                if tunnel.is_none() {
                    number += 1;
                    *tunnel = Some(self.to.begin(&watch, place, number)?);
                }
            }
            for place in watch.wait()? {
                let Some(tunnel) = &mut tunnels[place] else { continue };
                let over = tunnel.serve(&words).is_err();
                if tunnel.stage == Stage::Open {
                    figures.opened += 1;
                    delays.add(tunnel.begun.elapsed().as_nanos() as u64);
                } else if over {
                    figures.failed += 1;
                } else {
                    continue;
                }
                tunnels[place] = None;
            }
        }
        figures.seconds = begun.elapsed().as_secs_f64();
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|part| delays.within(part));
        figures.own_seconds = processor_time(std::process::id())?.as_secs_f64();
        Ok(Figures { p50, p99, p999, ..figures })
    }
}

impl Idle {
    /// How many are opened at once: fewer than any peer's queue of new connections.
    const AT_ONCE: usize = 64;
    /// Nobody needs longer for all of them.
    const PATIENCE: Duration = Duration::from_secs(30);

    pub(crate) fn run(self) -> Result<(), String> {
        let (_tunnels, figures) = self.open().map_err(|e| e.to_string())?;
        tell(&figures)?;
        // The tunnels stay until whoever measures has seen enough.
        io::stdin().read_to_end(&mut Vec::new()).map(drop).map_err(|e| e.to_string())
    }

    fn open(&self) -> io::Result<(Vec<Option<Tunnel>>, Figures)> {
        let (words, mut watch, mut figures) = (self.to.words(), Watch::new()?, Figures::default());
        let mut tunnels: Vec<Option<Tunnel>> = Vec::with_capacity(self.count);
        let (begun, mut under_way) = (Instant::now(), 0);
        while (figures.opened + figures.failed) < self.count as u64 && begun.elapsed() < Self::PATIENCE {
            while under_way < Self::AT_ONCE && tunnels.len() < self.count {
                tunnels.push(Some(self.to.begin(&watch, tunnels.len(), tunnels.len() as u64)?));
                under_way += 1;
            }
            for place in watch.wait()? {
                let Some(tunnel) = &mut tunnels[place] else { continue };
                let was = tunnel.stage;
                let over = tunnel.serve(&words).is_err();
                if was == Stage::Open {
                    figures.opened -= u64::from(over);
                    figures.failed += u64::from(over);
                } else if tunnel.stage == Stage::Open {
                    (figures.opened, under_way) = (figures.opened + 1, under_way - 1);
                } else if over {
                    (figures.failed, under_way) = (figures.failed + 1, under_way - 1);
                }
                if over {
                    tunnels[place] = None;
                }
            }
        }
        figures.seconds = begun.elapsed().as_secs_f64();
        Ok((tunnels, figures))
    }
}

/// What flowed.
#[derive(Serialize)]
struct Flowed {
    seconds: f64,
    bytes: u64,
    own_seconds: f64,
}

impl Flow {
    pub(crate) fn run(self) -> Result<(), String> {
        tell(&self.read().map_err(|e| e.to_string())?)
    }

    fn read(&self) -> io::Result<Flowed> {
        let words = self.to.words();
        let mut stream = self.open(&words)?;
        let (begun, time) = (Instant::now(), Duration::from_secs_f64(self.seconds));
        stream.write_all(b"G")?;
        let mut buffer = vec![0; 1 << 20];
        let mut bytes = 0;
        while begun.elapsed() < time {
            // The kernel drops what was asked for with TRUNC instead of copying it (tcp(7)): the tunnel is measured, not
            // who reads.
            let (_, count) = rustix::net::recv(&stream, &mut buffer[..], RecvFlags::TRUNC)?;
            // One `G` gives more than a buffer; the next is asked for well before it ends.
            const GIVEN: u64 = 256 << 20;
            let asked = bytes / (GIVEN / 2);
            bytes += count as u64;
            if bytes / (GIVEN / 2) > asked {
                stream.write_all(b"G")?;
            }
            if count == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the tunnel ended"));
            }
        }
        let own_seconds = processor_time(std::process::id())?.as_secs_f64();
        Ok(Flowed { seconds: begun.elapsed().as_secs_f64(), bytes, own_seconds })
    }

    fn open(&self, words: &Words) -> io::Result<TcpStream> {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SocketAddrV4::new(self.to.people.source(0), 0).into())?;
        socket.connect(&self.to.proxy.into())?;
        let mut stream: TcpStream = socket.into();
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        if !words.relay {
            stream.write_all(&words.connect)?;
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte)?;
                head.push(byte[0]);
            }
            if head.get(9..12) != Some(b"200") {
                return Err(io::Error::other(String::from_utf8_lossy(&head).into_owned()));
            }
        }
        stream.write_all(&words.hello)?;
        let mut hello = [0; 64];
        let _greeting = stream.read(&mut hello)?;
        Ok(stream)
    }
}
