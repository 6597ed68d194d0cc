//! What every listener shares: what is in force, the clock, the recorder, who is who, and how names resolve.

mod clients;
mod crowd;
mod moments;
mod presence;
mod sentences;

pub(crate) use clients::{Client, Clients};

use crate::dns::verdicts;
use crate::identify::{Guesses, Identities, Neighbours, Shown, SignedIn};
use crate::limits::Counted;
use crate::resolver::Resolver;
use crate::router::Openings;
use crate::target::{TargetHost, is_open_internet};
use agreements::{Explanation, Host, House, PersonId, Ports, Rule, Verdict};
use chrono::{DateTime, Utc};
use crowd::Crowd;
use hyper::header::HeaderValue;
use moments::Moments;
use presence::Presence;
use records::{Clock, ClockState, Current, Face, Identified, InForce, Recorder};
use sentences::Sentences;
pub(crate) use sentences::is_for_every_host;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A device that was found to be there so long ago still is.
const THERE: Duration = Duration::from_secs(300);

/// Who asks: the person, the device, and how they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// The person; [`House::NOBODY`] for an unknown device.
    pub person: PersonId,
    /// The device, by its place in [`House::devices`].
    pub device: Option<u16>,
    /// How the gateway knows.
    pub identified: Identified,
    /// The device itself, where nobody knows whose it is.
    pub stranger: Option<Face>,
}

impl Who {
    /// An unknown device.
    pub const UNKNOWN: Who =
        Who { person: House::NOBODY, device: None, identified: Identified::Unknown, stranger: None };
}

/// What form of refusal the client can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A page.
    Html,
    /// `explain --json`'s object.
    Json,
    /// A few lines.
    Text,
}

/// A rendered refusal.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its bytes.
    pub body: bytes::Bytes,
}

/// Renders refusals, for a reader of whose languages the client says something (`Accept-Language`). The proxy does not know
/// how: the program hands it the console's renderer.
pub type Pages = Arc<dyn Fn(&Current, &Who, &Explanation, Want, Option<&HeaderValue>) -> Page + Send + Sync>;

/// What every listener shares.
pub struct Gate {
    /// The home's files, the catalogue, and what staff decided.
    pub in_force: Arc<InForce>,
    /// The one clock.
    pub clock: Arc<dyn Clock>,
    /// Where refusals go.
    pub recorder: Recorder,
    /// The kernel's neighbour table: address to hardware address.
    pub neighbours: Neighbours,
    /// How names resolve, on the judged path.
    pub resolver: Resolver,
    /// Renders refusals.
    pub pages: Pages,
    /// What devices may reach, where the router's rules are ours.
    pub(crate) openings: Option<Arc<Openings>>,
    /// Who has signed in on devices that are nobody's own.
    pub signed_in: Arc<SignedIn>,
    identities: Identities,
    guesses: Guesses,
    moments: Moments,
    crowd: Crowd,
    presence: Presence,
}

impl Gate {
    /// Puts together what every listener shares.
    pub fn new(
        in_force: Arc<InForce>,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
        neighbours: Neighbours,
        resolver: Resolver,
        pages: Pages,
    ) -> Self {
        Self {
            in_force,
            clock,
            recorder,
            neighbours,
            resolver,
            pages,
            openings: None,
            signed_in: Arc::default(),
            identities: Identities::default(),
            guesses: Guesses::default(),
            moments: Moments::default(),
            crowd: Crowd::default(),
            presence: Presence::default(),
        }
    }

    /// The same, at a router whose rules are ours: what an answer gives is opened before the answer is given.
    pub fn with_openings(self, openings: Option<Arc<Openings>>) -> Self {
        Self { openings, ..self }
    }

    /// The same, with who has signed in so far.
    pub fn with_signed_in(self, signed_in: Arc<SignedIn>) -> Self {
        Self { signed_in, ..self }
    }

    /// Who is behind an address, or a token where the device showed one.
    pub fn who(&self, current: &Current, address: IpAddr, token: Option<&str>) -> Who {
        self.who_shows(current, &Shown { address, token, hardware: None })
    }

    /// Who shows this: an address, a token, a hardware address that a trusted forwarder told.
    pub fn who_shows(&self, current: &Current, shown: &Shown<'_>) -> Who {
        let who = self.identities.who(current, &self.neighbours, shown);
        let house = &current.snapshot.house;
        if current.standing.is_lost(who.device) {
            return Who { person: House::LOST, ..who };
        }
        if let Some(lost) = self.lost_whatever_it_shows(current, shown) {
            return lost;
        }
        if !house.is_for_whoever_signs_in(who.person) {
            return who;
        }
        let face = self.face(shown);
        let stranger = (who.person == House::NOBODY).then_some(face);
        let signed_in = (!self.signed_in.is_empty()).then(|| self.signed_in.of(face)).flatten();
        match signed_in.and_then(|one| house.person(&one.person)) {
            Some(person) => {
                Who { person, device: who.device, identified: Identified::SignIn, stranger: None }
            }
            None => Who { stranger, ..who },
        }
    }

    /// The same for whoever speaks from an address, which the kernel is asked about first where it does not know it yet.
    pub async fn meet_face(&self, address: IpAddr) -> Face {
        if self.openings.is_none() || self.may_be_at_home(address) {
            self.neighbours.meet(address).await;
        }
        self.face(&Shown::bare(address))
    }

    /// A lost device that shows another's token: what it is known by without one says whose it is. A network says only where it is.
    fn lost_whatever_it_shows(&self, current: &Current, shown: &Shown<'_>) -> Option<Who> {
        shown.token?;
        let who = self.identities.who(current, &self.neighbours, &Shown { token: None, ..*shown });
        let itself = matches!(who.identified, Identified::Mac | Identified::Ip);
        (itself && current.standing.is_lost(who.device)).then_some(Who { person: House::LOST, ..who })
    }

    /// Whether a token is one of this home's devices. A wrong one is noted, wherever it is shown.
    pub(crate) fn knows_token(&self, address: IpAddr, token: &str) -> bool {
        let shown = Shown { address, token: Some(token), hardware: None };
        let current = self.in_force.current();
        let who = self.identities.who(&current, &self.neighbours, &shown);
        let knows = who.identified == Identified::Token;
        if !knows {
            self.wrong_token(address, Some(token));
        }
        knows
    }

    /// Notes a wrong token of whoever speaks from an address; none for what is no token at all.
    pub(crate) fn wrong_token(&self, address: IpAddr, token: Option<&str>) {
        let face = self.face(&Shown::bare(address));
        self.guesses.wrong(face, token, self.clock.steady());
    }

    /// Whether whoever speaks from an address has shown so many wrong tokens of late that none of theirs is looked at.
    pub(crate) fn guesses_tokens(&self, address: IpAddr) -> bool {
        let face = self.face(&Shown::bare(address));
        self.guesses.is_guessing(face, self.clock.steady())
    }

    /// Whether an address is inside the home: on a link of ours that does not lead out, or where a device of the home's may be.
    pub fn is_inside(&self, address: IpAddr) -> bool {
        !self.neighbours.is_outside(address)
            && (self.neighbours.mac(address).is_some() || self.may_be_at_home(address))
    }

    /// Whether a device of the home's may have an address: at the router the routes tell, elsewhere that it is none of the open internet's.
    fn may_be_at_home(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match &self.openings {
            // A route to this machine leads to no interface, and each link has the same ones of its own.
            Some(openings) if !address.is_loopback() && !is_link_local(address) => {
                openings.is_at_home(address)
            }
            Some(_) | None => !is_open_internet(address),
        }
    }

    /// What a device is remembered by.
    pub fn face(&self, shown: &Shown<'_>) -> Face {
        let mac = shown.hardware.or_else(|| self.neighbours.mac(shown.address));
        mac.map_or(Face::Address(shown.address.to_canonical()), Face::Mac)
    }

    /// By what a client is counted wherever each has its share of something. A forwarder that names no clients stands for many.
    pub(crate) fn counted(&self, shown: &Shown<'_>) -> Counted {
        let face = self.face(shown);
        let names_none = shown.hardware.is_none() && self.resolver.is_forwarder(shown.address);
        if names_none { Counted::many(face) } else { Counted::one(face) }
    }

    /// A device is in use: whoever signed in on it is still there.
    pub(crate) fn is_in_use(&self, shown: &Shown<'_>) {
        if self.signed_in.is_empty() {
            return;
        }
        if let Some(sign_in) = self.signed_in.of(self.face(shown)) {
            sign_in.used(self.clock.steady());
        }
    }

    /// Whether the kernel should be asked first who is behind an address: somebody may be there whom it has not met yet.
    fn is_to_be_met(&self, current: &Current, who: &Who, shown: &Shown<'_>) -> bool {
        let for_sure = matches!(who.identified, Identified::Token | Identified::Mac);
        !for_sure
            && shown.hardware.is_none()
            && (self.identities.names_macs(current)
                || current.snapshot.house.is_for_whoever_signs_in(who.person))
            && self.neighbours.may_meet(shown.address)
            && (self.openings.is_none() || self.may_be_at_home(shown.address))
    }

    /// Whether what is refused tells of a device that nobody knows, by its address alone so far: to tell of it now would be to tell
    /// of it twice.
    pub(crate) fn is_a_guess(&self, current: &Current, who: &Who, shown: &Shown<'_>, rule: Rule) -> bool {
        let address = shown.address.to_canonical();
        matches!((who.stranger, rule), (Some(Face::Address(_)), Rule::Baseline))
            && (self.neighbours.mac(address).is_some()
                || self.neighbours.may_yet_be_met(address)
                || self.is_to_be_met(current, who, shown))
    }

    /// Lets the kernel find out who is behind an address, if that could tell a person, and says whether it did so. It waits
    /// for moments at most.
    pub(crate) async fn meet(&self, shown: &Shown<'_>) -> bool {
        let current = self.in_force.to_keep();
        let who = self.who_shows(&current, shown);
        let meets = self.is_to_be_met(&current, &who, shown);
        if meets {
            self.neighbours.meet(shown.address).await;
        }
        meets
    }

    /// The one client that all who looked names up look like; none where there are several, or none yet.
    pub fn only_client(&self) -> Option<IpAddr> {
        self.crowd.only_one()
    }

    /// Devices that usually ask or have something passing, have fallen silent, and are on the network all the same, by their hardware addresses. Each of
    /// them is looked for, so that the next time tells.
    pub fn silent_devices(&self) -> Vec<[u8; 6]> {
        let silent = self.presence.silent(self.clock.steady());
        silent.iter().for_each(|mac| self.neighbours.look_for(*mac));
        silent.into_iter().filter(|mac| self.neighbours.was_there(*mac, THERE)).collect()
    }

    /// Something passes between a device and the internet: whoever plays for hours asks for no name.
    pub(crate) fn passes(&self, mac: [u8; 6]) {
        self.presence.asks(mac, self.clock.steady());
    }

    /// Whose rules apply: while the clock cannot be believed, everybody gets the baseline, and a lost device no more than before.
    pub fn person(&self, who: &Who) -> PersonId {
        believed(self.clock.state(), who.person)
    }

    /// Decides for somebody, now.
    pub fn judge(&self, current: &Current, who: &Who, host: Host<'_>, path: Option<&str>) -> Verdict {
        let (moment, _) = self.moments.of(current, (self.person(who), who.device), self.clock.now());
        current.snapshot.judge_in(&moment, host, path)
    }

    /// Whether a host is protected for somebody, now.
    pub(crate) fn is_protected(&self, current: &Current, who: &Who, host: &TargetHost) -> bool {
        verdicts::protects(&self.judge(current, who, host.judged(), None))
    }

    /// Whether a host is an address that a protected name led whoever speaks from there to: whatever becomes of what goes there,
    /// it tells who they turned to. Without a router whose rules are ours nobody knows.
    pub(crate) fn is_where_help_is(
        &self,
        current: &Current,
        who: &Who,
        from: IpAddr,
        host: &TargetHost,
    ) -> bool {
        let TargetHost::Address(to) = host else { return false };
        let names = self.openings.as_ref().and_then(|openings| openings.names_of(from, *to));
        names.is_some_and(|names| names.iter().any(|name| self.is_protected(current, who, name)))
    }

    /// Decides about a way around the gateway at a host: a VPN's first words were heard there.
    pub(crate) fn judge_around(&self, current: &Current, who: &Who, host: Host<'_>) -> Verdict {
        let (moment, _) = self.moments.of(current, (self.person(who), who.device), self.clock.now());
        current.snapshot.judge_around(&moment, host)
    }

    /// Decides about addresses that no name led to, for a device that people share; none for everybody else.
    pub(crate) fn judge_any_address(&self, current: &Current, who: &Who) -> Option<(Verdict, Ports)> {
        let (moment, _) = self.moments.of(current, (self.person(who), who.device), self.clock.now());
        let (verdict, except) = current.snapshot.house.judge_any_address(&moment)?;
        Some((verdict, except.ports.clone()))
    }

    /// What is in force and what time it is, now.
    pub(crate) fn round(&self) -> Round {
        Round {
            current: self.in_force.to_keep(),
            now: self.clock.now(),
            steady: self.clock.steady(),
            state: self.clock.state(),
            neighbours: self.neighbours.version() + self.signed_in.version(),
        }
    }

    /// Who shows this, with their moment.
    pub(crate) fn client(&self, round: &Round, shown: &Shown<'_>) -> Client {
        self.crowd.note(&self.neighbours, shown, round.steady);
        if let Face::Mac(mac) = self.face(shown) {
            self.presence.asks(mac, round.steady);
        }
        let unmet = || self.neighbours.may_meet(shown.address);
        let who = settled(unmet, || self.who_shows(&round.current, shown));
        let person = believed(round.state, who.person);
        let (moment, sentences) = self.moments.of(&round.current, (person, who.device), round.now);
        let to_be_met = self.is_to_be_met(&round.current, &who, shown);
        Client { who, person, moment, sentences, to_be_met, counted: self.counted(shown) }
    }
}

/// What is in force and what time it is: read once for everything that is answered in one go.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// What is in force.
    pub(crate) current: Arc<Current>,
    /// The wall clock.
    pub(crate) now: DateTime<Utc>,
    /// The steady clock.
    pub(crate) steady: Duration,
    /// Whether the wall clock can be believed.
    state: ClockState,
    /// Which reading of the neighbour table it is, and of who has signed in: both only grow.
    neighbours: u64,
}

/// What is seen of somebody whom the kernel may be meeting just now: where it has met them while we looked, we look again. A device
/// asks right after the kernel has heard of it, and would be taken for a stranger whom nobody need meet.
fn settled<T>(unmet: impl Fn() -> bool, look: impl Fn() -> T) -> T {
    let before = unmet();
    let seen = look();
    if before && !unmet() { look() } else { seen }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Whose rules apply.
fn believed(state: ClockState, person: PersonId) -> PersonId {
    match state {
        ClockState::Right => person,
        ClockState::NotYet | ClockState::Jumped => House::without_clock(person),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::play::{Home, Play};

    #[test]
    fn whom_the_kernel_meets_while_we_look_is_looked_at_again() {
        for (before, after, looks) in [(true, false, 2), (true, true, 1), (false, false, 1)] {
            let looked = std::cell::Cell::new(0);
            let unmet = || if looked.get() == 0 { before } else { after };
            settled(unmet, || looked.set(looked.get() + 1));
            assert_eq!(looked.get(), looks, "{before} {after}");
        }
    }

    #[tokio::test]
    async fn a_device_that_the_kernel_may_yet_meet_is_told_of_once_it_has() {
        let play = Play::new([]);
        let gate = Home::of(&play).await.gate;
        let current = gate.in_force.to_keep();
        let (address, mac) = ("192.168.4.77".parse().unwrap(), [2, 0, 0, 0, 0, 0x77]);
        let guess = |face, rule| {
            let who = Who { stranger: Some(face), ..Who::UNKNOWN };
            gate.is_a_guess(&current, &who, &Shown::bare(address), rule)
        };
        let by_address = Face::Address(address);
        assert!(!guess(by_address, Rule::Baseline), "nobody follows the kernel: nobody will know more");
        gate.neighbours.missed(address, Duration::ZERO);
        assert!(guess(by_address, Rule::Baseline), "it may be heard of in a moment");
        assert!(!guess(by_address, Rule::Floor), "the floor's is told of everybody");
        gate.neighbours.missed(address, Duration::from_secs(3));
        assert!(!guess(by_address, Rule::Baseline), "it stands behind another router");
        gate.neighbours.meets(address, mac);
        assert!(guess(by_address, Rule::Baseline) && !guess(Face::Mac(mac), Rule::Baseline), "it is met");
    }

    #[test]
    fn a_lost_device_stays_lost_while_the_clock_cannot_be_believed() {
        for state in [ClockState::NotYet, ClockState::Jumped, ClockState::Right] {
            assert_eq!(believed(state, House::LOST), House::LOST, "{state:?}");
        }
        assert_eq!(believed(ClockState::NotYet, PersonId(3)), House::NO_CLOCK);
        assert_eq!(believed(ClockState::NotYet, House::NOBODY), House::NOBODY_NO_CLOCK);
    }
}
