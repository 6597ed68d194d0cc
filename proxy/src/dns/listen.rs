//! Sockets for DNS: UDP and TCP on one address and port.

use super::streams::{self, Speech};
use super::{Dns, udp};
use crate::mmsg;
use crate::tls::Tls;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// A worker looks so often whether it is to stop.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Room for bursts while a worker is busy.
const RECEIVE_BUFFER: usize = 4 << 20;
/// With port 0, another program may hold the TCP port of the number that UDP was given: then another number.
const TRIES: usize = 16;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Sockets of one address, bound and not yet served.
#[derive(Debug)]
pub struct Bound {
    udp: Vec<UdpSocket>,
    tcp: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds UDP and TCP: one UDP socket for each worker (SO_REUSEPORT, the kernel spreads clients over them). Port 0 is
    /// legal: both get the same number.
    pub fn bind(address: SocketAddr, workers: usize) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..if address.port() == 0 { TRIES } else { 1 } {
            match Self::bind_once(address, workers) {
                Ok(bound) => return Ok(bound),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn bind_once(address: SocketAddr, workers: usize) -> io::Result<Self> {
        // The first socket is bound without sharing, so that it fails where another program has the port; then it shares.
        let first = udp_socket(address, false)?;
        let address = first.local_addr()?;
        let tcp = tcp_socket(address)?;
        let rest = (1..workers).map(|_| udp_socket(address, true)).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { udp: std::iter::once(first).chain(rest).collect(), tcp, address })
    }

    /// The address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn udp_socket(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM.cloexec(), None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(shared)?;
    // What the system allows is enough where it is less.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&address.into())?;
    socket.set_reuse_port(true)?;
    socket.set_read_timeout(Some(LOOK_UP))?;
    let socket = UdpSocket::from(socket);
    mmsg::send_whole(&socket, address.is_ipv6())?;
    // A socket that is bound to one address hears of no other, and answers from no other.
    if address.ip().is_unspecified() {
        mmsg::tell_local_address(&socket, address.is_ipv6())?;
    }
    Ok(socket)
}

fn tcp_socket(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Listeners that serve until they are told to stop, or until this is dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    tasks: TaskTracker,
    _stop: DropGuard,
}

impl Listening {
    /// The address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until every worker and connection has ended.
    pub async fn ended(self) {
        self.tasks.wait().await;
    }
}

impl Dns {
    /// Serves an address until told to stop. It has to be called inside a tokio runtime.
    pub fn listen(self: &Arc<Self>, bound: Bound, stop: &CancellationToken) -> io::Result<Listening> {
        let tasks = TaskTracker::new();
        let stop = stop.child_token();
        let Bound { udp, tcp, address } = bound;
        let waiting = udp::Waiting::new(self.settings.most_waiting);
        for socket in udp {
            let worker = udp::Worker::new(Arc::clone(self), socket, waiting.clone(), stop.clone());
            let token = tasks.token();
            std::thread::Builder::new().name("dns".into()).spawn(move || {
                worker.serve();
                drop(token);
            })?;
        }
        let listener = tokio::net::TcpListener::from_std(tcp)?;
        tasks.spawn(streams::serve(Arc::clone(self), listener, Speech::Tcp, stop.clone()));
        tasks.close();
        Ok(Listening { address, tasks, _stop: stop.drop_guard() })
    }

    /// Serves DNS over TLS (RFC 7858) until told to stop.
    pub fn listen_tls(
        self: &Arc<Self>,
        listener: tokio::net::TcpListener,
        tls: Tls,
        stop: &CancellationToken,
    ) -> io::Result<Listening> {
        self.listen_encrypted(listener, Speech::Tls(tls), stop)
    }

    /// Serves DNS over HTTPS (RFC 8484), HTTP/2 and HTTP/1.1, at `/dns-query` and `/dns-query/TOKEN`, until told to stop.
    pub fn listen_https(
        self: &Arc<Self>,
        listener: tokio::net::TcpListener,
        tls: Tls,
        stop: &CancellationToken,
    ) -> io::Result<Listening> {
        self.listen_encrypted(listener, Speech::Https(tls), stop)
    }

    fn listen_encrypted(
        self: &Arc<Self>,
        listener: tokio::net::TcpListener,
        speech: Speech,
        stop: &CancellationToken,
    ) -> io::Result<Listening> {
        let (tasks, stop, address) = (TaskTracker::new(), stop.child_token(), listener.local_addr()?);
        tasks.spawn(streams::serve(Arc::clone(self), listener, speech, stop.clone()));
        tasks.close();
        Ok(Listening { address, tasks, _stop: stop.drop_guard() })
    }
}
