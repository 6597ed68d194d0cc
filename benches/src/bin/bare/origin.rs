//! The server behind the tunnels. A tunnel begins with a ClientHello, since that is what a filter waits for; the answer
//! is a few bytes. Each `G` that comes later is answered with [`GIVEN`] bytes, from a file in memory by sendfile(2), so
//! that the core which asks and serves does the least that it can.

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create, sendfile};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags};
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddrV4, TcpListener};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Bytes for one `G`.
const GIVEN: u64 = 256 << 20;
/// The file that is given again and again.
const FILE: u64 = 4 << 20;
/// What answers a hello.
const HELLO: &[u8] = b"\x16\x03\x03hello from the origin";

/// A connection: whether its hello was answered, and how many bytes it still wants.
struct Visit {
    socket: OwnedFd,
    greeted: bool,
    wanted: u64,
}

pub(crate) fn run(address: SocketAddrV4) -> io::Result<()> {
    let file = memfd_create("given", MemfdFlags::CLOEXEC)?;
    ftruncate(&file, FILE)?;
    let listener = TcpListener::bind(address)?;
    rustix::net::listen(&listener, 8192)?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(0), EventFlags::IN)?;
    let (mut visits, mut next) = (HashMap::new(), 1u64);
    let mut events = [epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 256];
    loop {
        let count = match epoll::wait(&epoll, &mut events, None) {
            Ok(count) => count,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..count] {
            let key = event.data.u64();
            if key == 0 {
                accept(&listener, &epoll, &mut visits, &mut next)?;
            } else if visits.get_mut(&key).is_some_and(|visit| serve(visit, &file).is_err()) {
                visits.remove(&key);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    epoll: &OwnedFd,
    visits: &mut HashMap<u64, Visit>,
    next: &mut u64,
) -> io::Result<()> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    while let Ok(socket) = rustix::net::accept_with(listener, flags) {
        // Closed by a reset: otherwise each tunnel would leave a port of the proxy waiting for a minute.
        rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        rustix::net::sockopt::set_tcp_nodelay(&socket, true)?;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(epoll, &socket, EventData::new_u64(*next), flags)?;
        visits.insert(*next, Visit { socket, greeted: false, wanted: 0 });
        *next += 1;
    }
    Ok(())
}

fn serve(visit: &mut Visit, file: &OwnedFd) -> Result<(), Errno> {
    let mut bytes = [0; 4096];
    loop {
        match rustix::net::recv(&visit.socket, &mut bytes, RecvFlags::empty()) {
            Ok((0, _)) => return Err(Errno::PIPE),
            Ok((count, _)) if visit.greeted => {
                visit.wanted += GIVEN * bytes[..count].iter().filter(|byte| **byte == b'G').count() as u64;
            }
            // The load's hello comes in one piece.
            Ok(_) => {
                visit.greeted = true;
                rustix::net::send(&visit.socket, HELLO, SendFlags::NOSIGNAL)?;
            }
            Err(Errno::AGAIN) => break,
            Err(error) => return Err(error),
        }
    }
    while visit.wanted > 0 {
        let mut at = 0;
        match sendfile(&visit.socket, file, Some(&mut at), FILE.min(visit.wanted) as usize) {
            Ok(count) => visit.wanted -= count as u64,
            Err(Errno::AGAIN) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
