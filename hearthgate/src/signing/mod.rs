//! Signing in on a device that is nobody's own: with a PIN, or let in by staff; and being signed out again.

mod attempts;
pub(crate) mod pins;

use attempts::{Attempts, Of};
use chrono::{DateTime, TimeDelta, Utc};
use console::NoPin;
use proxy::identify::SignedIn;
use records::{By, ByRole, Clock, Face, InForce, Records};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Nobody stays signed in for longer, and never beyond the home's day.
pub(crate) const LONGEST: TimeDelta = TimeDelta::hours(12);
/// PINs that are compared at the same time: each takes 19 MiB.
const AT_ONCE: usize = 2;
/// Whoever waits longer for a turn is told to try again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often is looked who has gone.
const ROUND: Duration = Duration::from_secs(2);

/// Everything that signing in needs.
pub(crate) struct Signing {
    /// Who is signed in.
    pub(crate) signed_in: Arc<SignedIn>,
    in_force: Arc<InForce>,
    clock: Arc<dyn Clock>,
    records: Arc<Records>,
    attempts: Mutex<Attempts>,
    turns: Semaphore,
}

/// What came of trying to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// They are signed in.
    SignedIn,
    /// Nobody has that name with that PIN.
    Wrong,
    /// Too many were wrong: the device or the person is locked for so long.
    Locked(Duration),
    /// Too many try at the same moment, or too many are signed in.
    Busy,
}

impl Signing {
    /// With nobody signed in.
    pub(crate) fn new(in_force: Arc<InForce>, clock: Arc<dyn Clock>, records: Arc<Records>) -> Self {
        Self {
            signed_in: Arc::default(),
            in_force,
            clock,
            records,
            attempts: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody types a name and a PIN on a device, to sign in on it.
    pub(crate) async fn try_pin(&self, face: Face, name: &str, pin: &str) -> Tried {
        let person = match self.knows(face, name, pin).await {
            Ok(person) => person,
            Err(tried) => return tried,
        };
        if !self.begin(face, &person, LONGEST) {
            return Tried::Busy;
        }
        let by = By { role: ByRole::YoungPerson, id: person.clone(), name: self.name_of(&person) };
        self.keep(by, "signed in", &format!("on {face}, with their own PIN")).await;
        Tried::SignedIn
    }

    /// Whose a name and a PIN are that somebody types on a device, for whatever they type them: tries at one page count at
    /// every other.
    pub(crate) async fn knows(&self, face: Face, name: &str, pin: &str) -> Result<String, Tried> {
        let person = self.named(name);
        let of: Vec<Of> = std::iter::once(Of::Device(face)).chain(person.clone().map(Of::Person)).collect();
        let Ok(Ok(turn)) = tokio::time::timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(Tried::Busy);
        };
        // With a turn, so that no more can try at once than have one.
        if let Some(left) = self.attempts().locked(&of, self.clock.steady()) {
            return Err(Tried::Locked(left));
        }
        let kept = match &person {
            Some(person) => self.records.password(&pins::account(person)).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the PINs cannot be read: nobody can sign in");
                None
            }),
            None => None,
        };
        let pin = pin.trim().to_owned();
        let opens = tokio::task::spawn_blocking(move || pins::opens(kept.as_deref(), &pin)).await;
        match (opens, person) {
            (Ok(true), Some(person)) => {
                drop(turn);
                self.attempts().shows(face, &person, self.clock.steady());
                Ok(person)
            }
            _ => {
                let (failed, left) = {
                    let (mut attempts, now) = (self.attempts(), self.clock.steady());
                    // Who is locked elsewhere alone is not told that they are locked here.
                    (attempts.failed(of.clone(), now), attempts.locked(&of, now))
                };
                drop(turn);
                self.failed(face, failed).await;
                Err(left.map_or(Tried::Wrong, Tried::Locked))
            }
        }
    }

    /// Gives somebody another PIN: the one way in which the desk does.
    pub(crate) async fn give(&self, person: &str, pin: &str) -> Result<(), NoPin> {
        if let Some(why) = pins::weakness(pin) {
            return Err(NoPin::Weak(why));
        }
        let Ok(Ok(_turn)) = tokio::time::timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(NoPin::NotKept);
        };
        let pin = pin.to_owned();
        let hashed = tokio::task::spawn_blocking(move || pins::hash(&pin)).await;
        let hash = hashed.ok().flatten().ok_or(NoPin::NotKept)?;
        if let Err(error) = self.records.set_password(&pins::account(person), &hash).await {
            tracing::error!(%error, "a PIN could not be kept");
            return Err(NoPin::NotKept);
        }
        self.pin_changed(person);
        Ok(())
    }

    /// Lets a wrong PIN's answer wait, and writes down who is locked from now on.
    async fn failed(&self, face: Face, (locked, late): (Vec<(Of, Duration)>, Duration)) {
        tokio::time::sleep(late).await;
        for (of, left) in locked {
            let who = match of {
                Of::Device(_) => "the device".to_owned(),
                Of::Person(person) => {
                    format!("{} on every device that is new to them", self.name_of(&person))
                }
            };
            let gateway =
                By { role: ByRole::Gateway, id: "gateway".to_owned(), name: "The gateway".to_owned() };
            let why = format!(
                "Too many wrong PINs, the last on {face}: {who} cannot sign in for {} minutes.",
                left.as_secs() / 60
            );
            self.keep(gateway, "locked signing in", &why).await;
        }
    }

    async fn keep(&self, by: By, what: &str, why: &str) {
        if let Err(error) = self.records.staff_action(by, what, why).await {
            tracing::error!(%error, "who signed in could not be written into the journal");
        }
    }

    /// The id of whoever has that name or id; none where nobody has, or several.
    fn named(&self, typed: &str) -> Option<String> {
        let current = self.in_force.to_keep();
        let typed = typed.trim();
        let is = |text: &str| text.to_lowercase() == typed.to_lowercase();
        let people = || current.snapshot.house.people().map(|(_, person)| person);
        let mut named = people().filter(|person| is(&person.id) || is(&person.name));
        let only = named.next().filter(|_| named.next().is_none());
        only.or_else(|| people().find(|person| is(&person.id))).map(|person| person.id.clone())
    }

    fn name_of(&self, person: &str) -> String {
        let current = self.in_force.to_keep();
        let house = &current.snapshot.house;
        house.person(person).and_then(|who| house.agreement(who)).map_or_else(String::new, |p| p.name.clone())
    }

    /// A person is signed in on a device from now on, for so long at most. Whether there was room.
    pub(crate) fn begin(&self, face: Face, person: &str, most: TimeDelta) -> bool {
        let (now, steady) = (self.clock.now(), self.clock.steady());
        let lasts = self.ends(now, most) - now;
        let begun =
            self.signed_in.begin(face, person, steady, steady + lasts.to_std().unwrap_or(Duration::ZERO));
        self.tell(begun)
    }

    /// When a sign-in that begins now ends: with the home's day at the latest.
    fn ends(&self, now: DateTime<Utc>, most: TimeDelta) -> DateTime<Utc> {
        let current = self.in_force.to_keep();
        current.snapshot.house.day_ends(now).min(now + most.min(LONGEST))
    }

    /// Whoever is signed in on a device is so no longer. Whether anybody was.
    pub(crate) fn end(&self, face: Face) -> bool {
        self.tell(self.signed_in.end(face))
    }

    /// A person is signed in nowhere any more. Whether they were.
    pub(crate) fn end_all_of(&self, person: &str) -> bool {
        self.tell(self.signed_in.end_all_of(person))
    }

    /// A person has another PIN, or none: whoever was in with the old one is out, and nobody is locked for them.
    pub(crate) fn pin_changed(&self, person: &str) {
        self.attempts().forget(person);
        self.end_all_of(person);
    }

    /// What is open is judged again, for whoever it is now.
    fn tell(&self, changed: bool) -> bool {
        let mut told = !changed;
        while !told {
            let current = self.in_force.to_keep();
            told = self.in_force.replace_standing_of(&current.snapshot, current.standing.clone());
        }
        changed
    }

    /// Signs out whoever has gone, until told to stop.
    pub(crate) async fn tend(self: Arc<Self>, stop: CancellationToken) {
        let mut rounds = tokio::time::interval(ROUND);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rounds.tick() => { self.tell(self.signed_in.lapse(self.clock.steady())); }
            }
        }
    }
}

#[cfg(test)]
mod tests;
