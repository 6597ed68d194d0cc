//! UDP: a worker takes a batch of packets, answers at once what it can, and hands on what needs an upstream.

use super::counters::count;
use super::{Asker, Dns, Step, Transport};
use crate::mmsg::{self, Batch, Ends, PACKETS};
use std::io::ErrorKind;
use std::net::UdpSocket;
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
    waiting: Waiting,
    stop: CancellationToken,
    runtime: Handle,
}

impl Worker {
    /// It has to be made inside a tokio runtime, where what needs an upstream will run.
    pub(super) fn new(dns: Arc<Dns>, socket: UdpSocket, waiting: Waiting, stop: CancellationToken) -> Self {
        Self { dns, socket: Arc::new(socket), waiting, stop, runtime: Handle::current() }
    }

    /// Serves until told to stop.
    pub(super) fn serve(self) {
        let mut batch = Batch::new();
        let mut answers: Vec<Vec<u8>> = (0..PACKETS).map(|_| Vec::with_capacity(1500)).collect();
        while !self.stop.is_cancelled() {
            match batch.receive(&self.socket) {
                Ok(count) => self.answer(&batch, count, &mut answers),
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

    fn answer(&self, batch: &Batch, count: usize, answers: &mut [Vec<u8>]) {
        let mut ready = [None; PACKETS];
        for (place, (answer, ready)) in answers.iter_mut().zip(&mut ready).take(count).enumerate() {
            if let Some((query, ends)) = batch.packet(place) {
                *ready = self.one(query, ends, answer).then_some(ends);
            }
        }
        let with_ends = answers.iter().zip(&ready).filter_map(|(a, ends)| Some((a.as_slice(), (*ends)?)));
        let mut out: [(&[u8], Ends); PACKETS] = [(&[], NOBODY); PACKETS];
        let mut count = 0;
        for (to, answer) in out.iter_mut().zip(with_ends) {
            *to = answer;
            count += 1;
        }
        mmsg::send(&self.socket, &out[..count]);
    }

    /// Whether the answer is written and can be sent now.
    fn one(&self, query: &[u8], ends: Ends, answer: &mut Vec<u8>) -> bool {
        let asker = asker(&ends);
        match self.dns.at_once(query, &asker, answer) {
            Step::Answer => true,
            Step::Nothing => false,
            Step::AnswerAndRenew => {
                let (dns, query) = (Arc::clone(&self.dns), query.to_vec());
                if let Some(place) = self.waiting.place() {
                    self.runtime.spawn(async move {
                        dns.renew(&query, &self::asker(&ends));
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
        let (dns, socket) = (Arc::clone(&self.dns), Arc::clone(&self.socket));
        self.runtime.spawn(async move {
            let mut answer = Vec::with_capacity(512);
            dns.later(&query, &asker(&ends), &mut answer).await;
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

fn asker(ends: &Ends) -> Asker<'static> {
    Asker {
        from: ends.peer.ip(),
        to: ends.local.map(|local| local.address),
        token: None,
        transport: Transport::Udp,
    }
}
