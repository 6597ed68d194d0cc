//! Several queries answered in one go, so that what each waits for is waited for once.

use super::again::Told;
use super::question::{Heard, Room, hear};
use super::{Asker, Dns, Step};
use crate::gate::Clients;
use blocklists::Tags;
use std::sync::atomic::Ordering;

/// Queries in one batch at most.
pub const BATCH: usize = 32;
/// Clients that are remembered from batch to batch: a home has a hundred devices.
const CLIENTS: usize = 1024;
/// Room for an answer before it has to grow: no answer over UDP is longer.
const ANSWER: usize = 1500;

/// Answers queries over UDP in batches, with what it keeps from one batch to the next. It belongs to one thread, and its
/// memory does not grow.
#[derive(Debug)]
pub struct Batches {
    rooms: Box<[Room]>,
    answers: Box<[Vec<u8>]>,
    steps: [Step; BATCH],
    clients: Clients<Told>,
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            rooms: vec![Room::default(); BATCH].into(),
            answers: (0..BATCH).map(|_| Vec::with_capacity(ANSWER)).collect(),
            steps: [Step::Nothing; BATCH],
            clients: Clients::new(CLIENTS),
        }
    }
}

impl Batches {
    /// Answers up to [`BATCH`] queries as far as that goes without waiting: the same as [`Dns::first`] for each, in less
    /// time. `None` stands for a packet that is not answered.
    ///
    /// What came of each, in order, is given with the answer.
    pub fn answer<'p>(
        &mut self,
        dns: &Dns,
        packets: impl Iterator<Item = Option<(&'p [u8], Asker<'p>)>> + Clone,
    ) -> impl Iterator<Item = (Step, &mut Vec<u8>)> {
        let round = dns.gate.round();
        let catalogue = &round.current.snapshot.catalogue;
        // Every question is heard, and its lookup begun, before the first is decided: the waits for memory overlap.
        let mut heard = [const { Heard::Nothing }; BATCH];
        let (mut probes, mut came) = ([None; BATCH], 0);
        let places = heard.iter_mut().zip(&mut probes).zip(&mut self.rooms);
        for (((heard, probe), room), packet) in places.zip(packets.clone()) {
            let Some((bytes, _)) = packet else { continue };
            came += 1;
            *heard = hear(bytes, room);
            if let Heard::Query(query) = heard {
                *probe = Some(catalogue.probe(query.text));
            }
        }
        let Self { answers, steps, clients, .. } = self;
        let mut count = 0;
        dns.gate.recorder.gathering(|| {
            let places = steps.iter_mut().zip(answers.iter_mut());
            for (((step, out), packet), (heard, probe)) in places.zip(packets).zip(heard.iter().zip(&probes))
            {
                count += 1;
                *step = Step::Nothing;
                let Some((bytes, asker)) = packet else { continue };
                let tags = || probe.map_or(Tags::NONE, |probe| probe.tags());
                *step = dns.at_once(bytes, heard, &asker, &round, clients, tags, out);
            }
        });
        dns.counters.queries_udp.fetch_add(came, Ordering::Relaxed);
        self.steps.iter().copied().zip(&mut self.answers).take(count)
    }
}
