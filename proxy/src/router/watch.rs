//! Looks after what is open: judges again what is due, shuts what is no longer allowed, and marks minutes of use.

use super::keeper::{Shutting, Work};
use super::opening::{Opening, Stand};
use super::openings::{GRACE, Of, Openings, SHARDS, lock};
use super::sets::{Device, Element};
use crate::gate::Gate;
use crate::tunnel::{Crumbs, minute};
use records::Current;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often everything is looked at. What changes by itself is looked at at once.
const ROUND: Duration = Duration::from_millis(500);
/// How often the kernel is asked what flows: what nothing let begin, and what used a limit up, ends within five seconds of that.
const FLOWS: Duration = Duration::from_secs(3);
/// How often what is remembered over a restart is written anew, so that nothing stays there for longer than it is remembered here.
const WRITE_ANEW: Duration = Duration::from_secs(1800);
/// What ended is remembered for so long after the last flow.
pub(super) const REMEMBERED: Duration = Duration::from_secs(6 * 3600);

impl Openings {
    /// Looks after everything until told to stop. Of several that are asked to, one does at a time.
    pub async fn watch(self: Arc<Self>, gate: Arc<Gate>, stop: CancellationToken) {
        let mut heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = self.heard.lock() => heard,
        };
        let mut changes = gate.in_force.changes();
        let mut rounds = tokio::time::interval(ROUND);
        let mut flows = tokio::time::interval(FLOWS);
        let mut anew = tokio::time::interval(WRITE_ANEW);
        for ticks in [&mut rounds, &mut flows] {
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        }
        let mut crumbs = Crumbs::default();
        self.except(&gate, &mut crumbs);
        self.adopt();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(refused) = heard.recv() => {
                    self.consider(&gate, refused).await;
                    continue;
                }
                _ = rounds.tick() => {
                    // When the thread has much to do, it looks over the rules a little later.
                    let _ = self.work.try_send(Work::LookOver);
                }
                _ = flows.tick() => {
                    let _ = self.work.try_send(Work::Flows);
                    continue;
                }
                _ = anew.tick() => {
                    let openings = Arc::clone(&self);
                    // What it writes is small; where that takes long, the next rounds wait and nothing else does.
                    let _ = tokio::task::spawn_blocking(move || openings.write_anew()).await;
                    continue;
                }
                // The sender lives in the gate, which we hold: it cannot be gone.
                _ = changes.changed() => {}
            }
            for shard in 0..SHARDS {
                self.round_of(shard, &gate, &mut crumbs).await;
            }
            self.except(&gate, &mut crumbs);
        }
    }

    async fn round_of(&self, shard: usize, gate: &Gate, crumbs: &mut Crumbs) {
        let Ok(place) = self.work.reserve().await else { return };
        let shutting = self.look(&mut lock(&self.shards[shard]), gate, crumbs);
        if !shutting.is_empty() {
            place.send(Work::Shut(shutting));
        }
    }

    /// Judges again what is due, and says what has to be shut.
    pub(super) fn look(
        &self,
        shard: &mut HashMap<Device, Of>,
        gate: &Gate,
        crumbs: &mut Crumbs,
    ) -> Vec<Shutting> {
        let current = gate.in_force.to_keep();
        let (now, mut shutting) = (self.clock.steady(), Vec::new());
        for (device, of) in shard.iter_mut() {
            of.retain(|to, opening| {
                let element = Element::open(*device, *to);
                if opening.stand == Stand::Open && opening.closes <= now {
                    opening.stand = Stand::Lapsed;
                }
                if opening.stand != Stand::Shut && opening.is_due(gate, &current) {
                    let who = opening.who(*device, gate, &current);
                    opening.made = opening.judge_again(gate, &current, &who);
                    if opening.made.is_none() {
                        let is_in_set = opening.closes + GRACE > now;
                        let asked_from = opening.asker.address;
                        shutting.push(Shutting { element, asked_from, is_in_set });
                        if opening.unread > now {
                            let element = Element::unread(*device, *to);
                            shutting.push(Shutting { element, asked_from, is_in_set: true });
                            opening.unread = Duration::ZERO;
                        }
                        opening.stand = Stand::Shut;
                    }
                }
                opening.mark(*device, gate, &current, crumbs);
                let remembered = opening.closes.max(opening.flowed) + REMEMBERED > now;
                if !remembered {
                    self.count.fetch_sub(1, Ordering::Relaxed);
                }
                remembered
            });
        }
        shard.retain(|_, of| !of.is_empty());
        shutting
    }
}

impl Opening {
    /// Marks the running minute, where enough has passed in it.
    fn mark(&mut self, device: Device, gate: &Gate, current: &Current, crumbs: &mut Crumbs) {
        // What a replaced house decided is judged again first.
        let Some(made) = self.made.filter(|made| made.generation == current.generation) else { return };
        device.passes(&self.passed, gate);
        let now = gate.clock.now();
        let counts = self.passed.take(&made, minute(now), crumbs);
        let Some(counts) = counts.filter(|counts| counts.0 != 0) else { return };
        let hosts = self.names.iter().map(|name| name.asked.host.judged());
        current.in_use(made.person, counts, now, hosts);
        current.device_in_use(made.device, now);
        gate.is_in_use(&self.shown(device));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::openings::Why;
    use crate::router::play::{Home, JORDAN, MAC, Play, SAM, site};

    #[tokio::test]
    async fn whoever_plays_for_hours_and_asks_for_nothing_is_not_silent() {
        let play = Play::new([JORDAN, SAM]);
        let home = Home::of(&play).await;
        for device in [JORDAN, SAM] {
            home.gate.neighbours.finds(device.1);
        }
        // The next morning.
        play.clock.advance(Duration::from_secs(15 * 3600));
        play.opens(JORDAN.0, site(1), Why::Connected);
        let round = |bytes| {
            play.openings.flowed(JORDAN.0, site(1), None, bytes);
            play.looks(&home.gate);
            play.clock.advance(Duration::from_secs(600));
        };
        // Both talk for three hours.
        for _ in 0..18 {
            home.gate.passes(SAM.1);
            round(500);
        }
        // Then Jordan plays, far below what makes a minute of use, and nothing passes to or from Sam.
        for _ in 0..12 {
            round(500);
        }
        assert_eq!(home.gate.silent_devices(), [SAM.1]);
        // What is open and carries nothing says nothing.
        for _ in 0..6 {
            round(0);
        }
        assert_eq!(home.gate.silent_devices(), [MAC, SAM.1]);
    }
}
