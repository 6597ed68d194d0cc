//! One opening: who was given an address, by which names, and until when.

use super::openings::{Wanted, Why};
use super::sets::Device;
use crate::gate::{Gate, Who};
use crate::identify::Shown;
use crate::target::TargetHost;
use crate::tunnel::{Asked, Asker, Made, Passed};
use agreements::Rule;
use blocklists::Domain;
use records::Current;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// So many names are remembered of one address: large hosts carry thousands of sites.
const MOST_NAMES: usize = 8;

/// Where an opening is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// The kernel is asked to put it into its set.
    Asked,
    /// In the kernel's set.
    Open,
    /// Its time is over; what began in it may go on.
    Lapsed,
    /// Nothing passes.
    Shut,
}

/// A name that led somewhere.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) asked: Arc<Asked>,
    /// Whether it was protected for whoever asked.
    pub(super) protected: bool,
}

#[derive(Debug)]
pub(super) struct Opening {
    pub(super) asker: Asker,
    /// The hardware address that a forwarder told, where packets show another.
    pub(super) told: Option<[u8; 6]>,
    /// The names that led there: any of them is enough. None where nobody remembers one: it was opened before a restart.
    pub(super) names: Vec<Named>,
    /// None: to be judged at the next look.
    pub(super) made: Option<Made>,
    /// When the kernel lets it end, by the steady clock.
    pub(super) closes: Duration,
    pub(super) stand: Stand,
    /// Until when nobody looks into what is spoken there, by the steady clock.
    pub(super) unread: Duration,
    /// What passes through flows that it let begin.
    pub(super) passed: Passed,
    /// When something flowed last, by the steady clock: it is remembered from then on.
    pub(super) flowed: Duration,
}

impl Opening {
    /// One whose time was over then, and that nobody has named yet.
    pub(super) fn over(asker: Asker, closes: Duration) -> Self {
        Self {
            asker,
            told: None,
            names: Vec::new(),
            made: None,
            closes,
            stand: Stand::Lapsed,
            unread: Duration::ZERO,
            passed: Passed::default(),
            flowed: Duration::ZERO,
        }
    }

    /// Takes note of what is wanted. Whether that is another name, or another asker, than were known.
    pub(super) fn note(&mut self, wanted: &Wanted) -> bool {
        // A refused packet shows less of its device than the question did, and can be anybody's.
        let asks = wanted.why != Why::Refused;
        let Asker { address, token } = &wanted.asker;
        let is_another = asks && (self.asker.address != *address || self.asker.token != *token);
        if asks {
            (self.asker, self.told) = (wanted.asker.clone(), wanted.hardware);
        }
        self.made = Some(self.made.map_or(wanted.made, |made| made.and(wanted.made)));
        self.name(wanted.named()) || is_another
    }

    /// Takes note of a name that led there. Whether it, or its way, was not known, nor that it is protected. Where there is no more room
    /// the oldest goes that is not protected: whoever looks up many names at a helpline's address does not lose the helpline.
    pub(super) fn name(&mut self, named: Named) -> bool {
        let Some(known) = self.names.iter_mut().find(|known| known.asked.host == named.asked.host) else {
            if self.names.len() >= MOST_NAMES {
                let oldest = self.names.iter().position(|known| !known.protected);
                self.names.remove(oldest.unwrap_or(0));
            }
            self.names.push(named);
            return true;
        };
        // Who comes back to it by its address does not say so again.
        let protected = known.protected || named.protected;
        let is_new = known.asked.way != named.asked.way || known.protected != protected;
        *known = Named { protected, ..named };
        is_new
    }

    pub(super) fn who(&self, device: Device, gate: &Gate, current: &Current) -> Who {
        gate.who_shows(current, &self.shown(device))
    }

    /// What its device shows of itself.
    pub(super) fn shown(&self, device: Device) -> Shown<'_> {
        let shown = shown(device, self.asker.address, self.asker.token.as_deref());
        Shown { hardware: shown.hardware.or(self.told), ..shown }
    }

    pub(super) fn is_due(&self, gate: &Gate, current: &Current) -> bool {
        self.made.is_none_or(|made| {
            let now = gate.clock.now();
            made.generation != current.generation
                || made.clock != gate.clock.state()
                || now < made.at
                || made.until.is_some_and(|until| now >= until)
        })
    }

    /// The decision while any of the names is allowed, and it holds while all that are allowed are.
    pub(super) fn judge_again(&self, gate: &Gate, current: &Current, who: &Who) -> Option<Made> {
        if self.names.is_empty() {
            return judge_unnamed(gate, current, who);
        }
        let allowed = self.names.iter().filter_map(|name| name.asked.again(gate, current, who));
        allowed.reduce(Made::and)
    }
}

/// What is judged in place of a name that nobody remembers, because it was looked up before a restart.
const BEFORE_RESTART: &str = "looked-up-before-the-restart.invalid";

/// The decision of what was opened before a restart by a name that nobody remembers. It was allowed then; that no list of the
/// agreement has a made-up name says nothing of it. What is closed whatever the name, at night, by a restriction, for a lost
/// device, is closed.
fn judge_unnamed(gate: &Gate, current: &Current, who: &Who) -> Option<Made> {
    let host = TargetHost::Name(Domain::parse(BEFORE_RESTART).expect("a written name in normal form"));
    let verdict = Asked::host(host).judge(gate, current, who);
    (verdict.allows() || verdict.rule == Rule::Otherwise).then(|| Made::new(gate, current, who, &verdict))
}

/// What a device shows of itself.
pub(super) fn shown(device: Device, address: IpAddr, token: Option<&str>) -> Shown<'_> {
    let hardware = match device {
        Device::Mac(mac) => Some(mac),
        Device::Address(_) => None,
    };
    Shown { address, token, hardware }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::play::{Home, JORDAN, MAC, Play, site};

    #[tokio::test]
    async fn a_helplines_name_is_not_pushed_out_by_others_at_its_address() {
        let play = Play::new([JORDAN]);
        let home = Home::of(&play).await;
        let (from, to) = (JORDAN.0, site(1));
        let names = || {
            let names = play.openings.names_of(from, to).unwrap();
            names.iter().rev().map(ToString::to_string).collect::<Vec<_>>()
        };
        let help = play.wanted("help.test", from, to, Why::Connected);
        play.gives(&Wanted { protected: true, ..help });
        for n in 0..20 {
            play.connects(&format!("site-{n}.test"), from, to);
            // Who comes back to the address says nothing of what is protected.
            play.opens_by("help.test", from, to, Why::Refused);
        }
        let others = (13..20).map(|n| format!("site-{n}.test"));
        let expected: Vec<_> = std::iter::once("help.test".to_owned()).chain(others).collect();
        assert_eq!(names(), expected, "the oldest of the others make room");
        // At night help alone is allowed there.
        play.clock.advance(Duration::from_secs(4 * 3600));
        let device = Device::Mac(MAC);
        play.openings.shard(device).get_mut(&device).unwrap().get_mut(&to).unwrap().made = None;
        assert_eq!(play.looks(&home.gate), []);
    }

    #[test]
    fn where_all_are_protected_the_oldest_makes_room() {
        let asker = Asker { address: JORDAN.0, token: None };
        let mut opening = Opening::over(asker, Duration::ZERO);
        let name = |n: usize, protected| {
            let name = Domain::parse(&format!("help-{n}.test")).unwrap();
            Named { asked: Arc::new(Asked::host(TargetHost::Name(name))), protected }
        };
        assert!((0..=MOST_NAMES).all(|n| opening.name(name(n, true))));
        assert_eq!(opening.names.len(), MOST_NAMES);
        assert!(!opening.name(name(1, true)) && opening.name(name(0, false)), "the first was pushed out");
        assert!(opening.name(name(0, true)), "that it is protected is new");
    }
}
