//! UDP: a worker takes a batch of packets, answers at once what it can, and hands on what needs an upstream.

use super::batch::Batches;
use super::counters::count;
use super::{Asker, Dns, Step, Transport};
use crate::mmsg::{self, Batch, Ends, PACKETS};
use std::io::ErrorKind;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Places for questions that wait for an upstream.
#[derive(Clone, Debug)]
pub(super) struct Waiting(Arc<Semaphore>);

impl Waiting {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }
}

/// One thread with one socket.
pub(super) struct Worker {
    dns: Arc<Dns>,
    socket: Arc<UdpSocket>,
    /// The one address that the socket is bound to, if it is.
    bound: Option<IpAddr>,
    waiting: Waiting,
    stop: CancellationToken,
    runtime: Handle,
}

impl Worker {
    /// It has to be made inside a tokio runtime, where what needs an upstream will run.
    pub(super) fn new(dns: Arc<Dns>, socket: UdpSocket, waiting: Waiting, stop: CancellationToken) -> Self {
        let bound = socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified());
        Self { dns, socket: Arc::new(socket), bound, waiting, stop, runtime: Handle::current() }
    }

    /// Serves until told to stop.
    pub(super) fn serve(self) {
        mmsg::take_turns_soon();
        let mut batch = Batch::new();
        let mut batches = Batches::default();
        while !self.stop.is_cancelled() {
            match batch.receive(&self.socket) {
                Ok(count) => self.answer(&batch, count, &mut batches),
                Err(error) => match error.kind() {
                    // Nothing came for a while, or a signal did; or an answer of ours could not be delivered.
                    ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ConnectionRefused => {}
                    _ => {
                        tracing::warn!(%error, "a DNS socket cannot be read");
                        std::thread::sleep(std::time::Duration::from_millis(50));
                    }
                },
            }
        }
    }

    fn answer(&self, batch: &Batch, count: usize, batches: &mut Batches) {
        let packets = (0..count).map(|place| batch.packet(place));
        let asked =
            packets.clone().map(|packet| packet.map(|(bytes, ends)| (bytes, asker(&ends, self.bound))));
        let mut out: [(&[u8], Ends); PACKETS] = [(&[], NOBODY); PACKETS];
        let mut ready = 0;
        for ((step, answer), packet) in batches.answer(&self.dns, asked).zip(packets) {
            let Some((query, ends)) = packet else { continue };
            if self.after(step, query, ends, answer) {
                out[ready] = (answer.as_slice(), ends);
                ready += 1;
            }
        }
        mmsg::send(&self.socket, &out[..ready]);
    }

    /// Whether the answer is written and can be sent now; what needs an upstream is handed on.
    fn after(&self, step: Step, query: &[u8], ends: Ends, answer: &mut Vec<u8>) -> bool {
        match step {
            Step::Answer => true,
            Step::Nothing => false,
            Step::AnswerAndRenew => {
                let (dns, query, bound) = (Arc::clone(&self.dns), query.to_vec(), self.bound);
                if let Some(place) = self.waiting.place() {
                    self.runtime.spawn(async move {
                        dns.renew(&query, &asker(&ends, bound));
                        drop(place);
                    });
                }
                true
            }
            Step::Later => match self.waiting.place() {
                Some(place) => {
                    self.later(query.to_vec(), ends, place);
                    false
                }
                None => {
                    count(&self.dns.counters.shed);
                    Dns::overloaded(query, answer);
                    true
                }
            },
        }
    }

    fn later(&self, query: Vec<u8>, ends: Ends, place: OwnedSemaphorePermit) {
        let (dns, socket, bound) = (Arc::clone(&self.dns), Arc::clone(&self.socket), self.bound);
        self.runtime.spawn(async move {
            let mut answer = Vec::with_capacity(512);
            dns.later(&query, &asker(&ends, bound), &mut answer).await;
            mmsg::send(&socket, &[(&answer, ends)]);
            drop(place);
        });
    }
}

/// Stands where no answer does; it is never sent to.
const NOBODY: Ends = Ends {
    peer: std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), 0),
    local: None,
};

fn asker(ends: &Ends, bound: Option<IpAddr>) -> Asker<'static> {
    let to = bound.or(ends.local.map(|local| local.address));
    Asker { from: ends.peer.ip(), to, token: None, transport: Transport::Udp }
}
