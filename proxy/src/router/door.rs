//! A packet met a closed door: what becomes of it.
//!
//! A program that comes back to an address whose name is still allowed is let in; what was refused by its name is told by its
//! name; and an address that no answer gave is a way around, unless the home lets that device go where it likes.

use super::attempts::{Weight, is_heavy};
use super::heard::{Refused, Says};
use super::opening::shown;
use super::openings::{LINGER, Openings, Wanted, Why};
use super::sets::Device;
use crate::gate::{Gate, Who};
use crate::target::{TargetHost, is_open_internet};
use crate::tunnel::{Asked, Asker, Made};
use agreements::{Detector, Evidence, Severity, Verdict};
use blocklists::Category;
use records::Current;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// What is remembered of an address.
enum Remembered {
    Allowed(Who, Arc<Asked>, Made),
    Refused(Who, Arc<Asked>, Verdict),
    /// An answer led there, by a name that nobody remembers: it was opened before a restart. Whoever wants it looks it up again.
    Unnamed(Who),
}

/// A packet that was refused, and whose it is.
#[derive(Clone, Copy)]
struct Packet<'a> {
    gate: &'a Gate,
    current: &'a Arc<Current>,
    device: Device,
    from: IpAddr,
    to: IpAddr,
    says: Says,
}

impl Openings {
    /// Decides about a refused packet.
    pub(super) async fn consider(&self, gate: &Gate, refused: Refused) {
        let (device, current) = (self.sender(&refused), gate.in_force.to_keep());
        let Refused { from, to, says, device: _ } = refused;
        let packet = &Packet { gate, current: &current, device, from, to, says };
        match self.remembered(packet) {
            Some(Remembered::Allowed(who, asked, made)) => {
                if !self.is_around(packet, &who, &asked) {
                    self.let_in(packet, (asked, made, Duration::ZERO)).await;
                }
            }
            Some(Remembered::Refused(who, asked, verdict)) => {
                let weight = match says {
                    Says::GoesOn => Weight::None,
                    Says::Icmp | Says::Time | Says::Stun | Says::Around(_) | Says::Vpn(_) | Says::Other => {
                        self.attempts.again(device, to, None, gate.clock.steady())
                    }
                };
                packet.record(&who, &asked, weighed(verdict, weight, None));
            }
            Some(Remembered::Unnamed(who)) => {
                let asked = by_number(to);
                let verdict = asked.judge(gate, &current, &who);
                if !self.is_around(packet, &who, &asked) && verdict.allows() {
                    let made = Made::new(gate, &current, &who, &verdict);
                    self.let_in(packet, (asked, made, LINGER)).await;
                }
            }
            // A phone looks for the printer of another home's network, and for its neighbours.
            None if !is_open_internet(to.to_canonical()) => {}
            None => self.consider_number(packet).await,
        }
    }

    /// Decides about a packet to an address that no answer gave.
    async fn consider_number(&self, packet: &Packet<'_>) {
        let &Packet { gate, current, device, from, to, says } = packet;
        let who = gate.who_shows(current, &shown(device, from, None));
        let asked = by_number(to);
        let verdict = asked.judge(gate, current, &who);
        if verdict.allows() {
            let made = Made::new(gate, current, &who, &verdict);
            self.let_in(packet, (asked, made, LINGER)).await;
        } else if !says.by_itself() {
            let detected = says.around().or_else(|| nameless(current, to));
            let weight = self.attempts.unknown(device, (from, to), detected, gate.clock.steady());
            packet.record(&who, &asked, weighed(verdict, weight, detected));
        }
    }

    /// Whether a VPN's own words were heard where none may be: then it is told.
    fn is_around(&self, packet: &Packet<'_>, who: &Who, asked: &Arc<Asked>) -> bool {
        let Some(heard) = packet.says.vpn() else { return false };
        let verdict = asked.judge_around(packet.gate, packet.current, who);
        let is_refused = !verdict.allows();
        if is_refused {
            let (device, to, now) = (packet.device, packet.to, packet.gate.clock.steady());
            let weight = self.attempts.again(device, to, Some(heard), now);
            packet.record(who, asked, weighed(verdict, weight, Some(heard)));
        }
        is_refused
    }

    /// The next packet passes.
    async fn let_in(&self, packet: &Packet<'_>, (asked, made, usable): (Arc<Asked>, Made, Duration)) {
        let &Packet { device, from, to, says, .. } = packet;
        let asker = Asker { address: from, token: None };
        let hardware = shown(device, from, None).hardware;
        let (protected, unread, addresses, why) = (false, says.vpn().is_some(), vec![to], Why::Refused);
        let wanted = Wanted { asker, hardware, asked, protected, unread, made, addresses, usable, why };
        // Where that fails, the next packet is heard of again.
        let _opened = self.open(wanted).await;
    }

    fn remembered(&self, packet: &Packet<'_>) -> Option<Remembered> {
        let &Packet { gate, current, device, to, .. } = packet;
        let shard = self.shard(device);
        let opening = shard.get(&device)?.get(&to)?;
        let who = opening.who(device, gate, current);
        for name in &opening.names {
            if let Some(made) = name.asked.again(gate, current, &who) {
                return Some(Remembered::Allowed(who, Arc::clone(&name.asked), made));
            }
        }
        let Some(last) = opening.names.last() else { return Some(Remembered::Unnamed(who)) };
        let asked = Arc::clone(&last.asked);
        let verdict = asked.judge(gate, current, &who);
        Some(Remembered::Refused(who, asked, verdict))
    }
}

/// What is asked for where no name is.
fn by_number(to: IpAddr) -> Arc<Asked> {
    Arc::new(Asked::host(TargetHost::Address(to.to_canonical())))
}

/// Which way around an address without a name is. One of a subscribed list is a way around of no kind that anybody can tell.
fn nameless(current: &Current, to: IpAddr) -> Option<Detector> {
    let listed = current.snapshot.catalogue.lookup_address(to).has(Category::CIRCUMVENTION);
    Some(Detector::of_address(to)).filter(|known| !listed || *known != Detector::DirectAddress)
}

/// The verdict with as much weight as the attempt has, and what was detected; none where nobody needs to hear of it. What weighs
/// much when it is meant is not told at all before it was tried for a while: it could be forged, and cannot be taken back.
fn weighed(
    verdict: Verdict,
    weight: Weight,
    detected: Option<Detector>,
) -> Option<(Verdict, Option<Detector>)> {
    match weight {
        Weight::None => None,
        Weight::Little if detected.is_some_and(is_heavy) => None,
        Weight::Little => {
            Some((Verdict { severity: verdict.severity.min(Severity::Low), ..verdict }, detected))
        }
        Weight::Full => Some((verdict, detected)),
    }
}

impl Packet<'_> {
    fn record(&self, who: &Who, asked: &Asked, weighed: Option<(Verdict, Option<Detector>)>) {
        let Some((verdict, detected)) = weighed.filter(|(verdict, _)| !verdict.allows()) else { return };
        let Self { gate, current, .. } = self;
        gate.recorder.refused(&records::Refused {
            at: gate.clock.now(),
            current,
            who: gate.person(who),
            device: who.device,
            identified: who.identified,
            stranger: who.stranger,
            host: asked.host.judged(),
            verdict,
            evidence: Evidence::Connection,
            detected,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::opening::Stand;
    use crate::router::openings::Kept;
    use crate::router::play::{BEHIND, Home, INNER, JORDAN, MAC, Play, SAM, site};
    use crate::router::sets::{Change, Element};

    fn refused(device: Device, from: IpAddr, to: IpAddr) -> Refused {
        Refused { device, from, to, says: Says::Other }
    }

    fn sites(episodes: &[records::Episode]) -> Vec<(&str, &str, Severity)> {
        episodes.iter().map(|e| (e.person.as_str(), e.site.as_str(), e.severity)).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_app_behind_another_router_that_comes_back_is_let_in_by_its_own_address() {
        // Its address was given to it by its address; the packet shows the router in between.
        let play = Play::new([]);
        play.opens(BEHIND, site(1), Why::Connected);
        play.lapses(BEHIND, site(1));
        let home = Home::of(&play).await;
        let kernel = play.kernel();
        play.openings.consider(&home.gate, refused(Device::Mac(INNER), BEHIND, site(1))).await;
        assert_eq!(play.stands(Device::Address(BEHIND), site(1)), Some(Stand::Open));
        assert_eq!(play.stands(Device::Mac(INNER), site(1)), None, "and not to all behind that router");
        kernel.abort();
        assert_eq!(sites(&home.episodes().await), []);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_restart_without_names_cuts_no_flow_and_accuses_nobody_and_night_is_night() {
        let play = Play::new([JORDAN, SAM]);
        let [open, flows, others] = [1, 2, 3].map(site);
        let element = Element::open(Device::Mac(SAM.1), open);
        let elements = vec![(element, Duration::from_secs(8 * 3600))];
        let flows_now = vec![(SAM.0, flows, None), (JORDAN.0, others, None)];
        play.openings.restore(Kept { elements, lines: Vec::new(), flows: flows_now });
        play.openings.adopt();
        let home = Home::of(&play).await;
        // That nothing of Sam's agreement lists a name that nobody remembers says nothing of it.
        assert_eq!(play.looks(&home.gate), []);
        for to in [open, flows] {
            assert!(!play.openings.is_stray(SAM.0, to, None), "{to}");
            play.openings.consider(&home.gate, refused(Device::Mac(SAM.1), SAM.0, to)).await;
        }
        play.clock.advance(Duration::from_secs(4 * 3600));
        let mut shut = play.looks(&home.gate);
        shut.sort_unstable();
        let all = [(Device::Mac(MAC), others), (Device::Mac(SAM.1), open), (Device::Mac(SAM.1), flows)];
        assert_eq!(shut, all, "at night it ends");
        play.openings.consider(&home.gate, refused(Device::Mac(SAM.1), SAM.0, flows)).await;
        assert_eq!(sites(&home.episodes().await), []);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_vpn_is_told_by_its_words_where_nobody_remembers_a_name() {
        let play = Play::new([SAM]);
        let flows = vec![(SAM.0, site(1), None)];
        play.openings.restore(Kept { elements: Vec::new(), lines: Vec::new(), flows });
        play.openings.adopt();
        let home = Home::of(&play).await;
        for seconds in [0, 10, 20, 20] {
            play.clock.advance(Duration::from_secs(seconds));
            let says = Says::Vpn(Detector::WireGuard);
            let packet = Refused { says, ..refused(Device::Mac(SAM.1), SAM.0, site(1)) };
            play.openings.consider(&home.gate, packet).await;
        }
        assert_eq!(play.stands(Device::Mac(SAM.1), site(1)), Some(Stand::Lapsed), "and not let in");
        let told = home.episodes().await;
        assert_eq!(told[0].detector.as_deref(), Some("wireguard"));
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_onion_client_that_changes_relays_makes_one_episode() {
        let play = Play::new([JORDAN]);
        let home = Home::of(&play).await;
        for n in 0..16 {
            let says = Says::Around(Detector::Tor);
            let packet = Refused { says, ..refused(Device::Mac(MAC), JORDAN.0, site(n % 8)) };
            play.openings.consider(&home.gate, packet).await;
            play.clock.advance(Duration::from_secs(6));
        }
        let told = home.episodes().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].detector.as_deref(), told[0].circumvention), (Some("tor"), true), "{told:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_vpns_app_that_changes_servers_makes_one_episode_also_where_names_led_there() {
        let play = Play::new([JORDAN]);
        let home = Home::of(&play).await;
        for n in 0..8 {
            play.connects(&format!("vpn-{n}.test"), JORDAN.0, site(n));
        }
        for n in 0..16 {
            let says = Says::Vpn(Detector::WireGuard);
            let packet = Refused { says, ..refused(Device::Mac(MAC), JORDAN.0, site(n % 8)) };
            play.openings.consider(&home.gate, packet).await;
            play.clock.advance(Duration::from_secs(6));
        }
        let told = home.episodes().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].detector.as_deref(), Some("wireguard"), "{told:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_device_whose_names_were_pushed_out_is_not_accused_of_an_address() {
        let play = Play::new([JORDAN, SAM]);
        let home = Home::of(&play).await;
        play.openings.attempts.forgot(Device::Mac(MAC), home.gate.clock.steady());
        for (address, mac) in [JORDAN, SAM] {
            play.openings.consider(&home.gate, refused(Device::Mac(mac), address, site(9))).await;
        }
        let site = site(9).to_string();
        assert_eq!(sites(&home.episodes().await), [("sam", site.as_str(), Severity::Low)]);
    }

    #[test]
    fn what_was_refused_is_asked_of_the_kernel_again_whatever_we_think() {
        let play = Play::new([JORDAN]);
        assert!(matches!(
            play.opens_by("open.test", JORDAN.0, site(1), Why::Connected)[..],
            [Change::Add(..)]
        ));
        assert!(play.opens_by("open.test", JORDAN.0, site(1), Why::Connected).is_empty(), "it is open");
        assert!(matches!(
            play.opens_by("open.test", JORDAN.0, site(1), Why::Refused)[..],
            [Change::Renew(..)]
        ));
        // One that is about to be shut may still be there, with the time of what led there before.
        let device = Device::Mac(MAC);
        play.openings.shard(device).get_mut(&device).unwrap().get_mut(&site(1)).unwrap().stand = Stand::Shut;
        assert!(matches!(
            play.opens_by("help.test", JORDAN.0, site(1), Why::Connected)[..],
            [Change::Renew(..)]
        ));
    }
}
