//! Who is meant: which device an address is, which one a flow belongs to, and which one sent a packet that was refused.

use super::flows::Port;
use super::heard::Refused;
use super::lan::Lan;
use super::opening::Stand;
use super::openings::{Openings, lock};
use super::sets::Device;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Routes are read anew after so long.
const A_MOMENT: Duration = Duration::from_secs(2);

impl Openings {
    /// What packets of whoever shows this will show. A hardware address that a forwarder told is that of a device on a link of
    /// ours, or of one behind another router: then packets show that router's, and the device is its address.
    pub(super) fn device(&self, address: IpAddr, hardware: Option<[u8; 6]>) -> Device {
        let mac = match (hardware, self.neighbours.mac(address)) {
            (Some(told), None) if !self.neighbours.has(told) => None,
            (told, known) => told.or(known),
        };
        mac.map_or(Device::Address(address.to_canonical()), Device::Mac)
    }

    /// Who sent a refused packet. Its hardware address is that of the last hop, which is another router's where one stands in
    /// between: all behind it would be one device. What was given before the kernel had met a device is under its address.
    pub(super) fn sender(&self, refused: &Refused) -> Device {
        let &Refused { device: heard, from, to, .. } = refused;
        let by_address = Device::Address(from.to_canonical());
        if self.is_of_another_router(heard, from) {
            return by_address;
        }
        // Whoever shows another's address is not who has it.
        let agrees = self.neighbours.mac(from).is_none_or(|mac| Device::Mac(mac) == heard);
        let is_under_address = agrees && !self.remembers(heard, to) && self.remembers(by_address, to);
        if is_under_address { by_address } else { heard }
    }

    fn is_of_another_router(&self, heard: Device, from: IpAddr) -> bool {
        let Device::Mac(mac) = heard else { return false };
        let router = self.lan().router_to(from);
        router.is_some_and(|router| self.neighbours.mac(router).is_none_or(|known| known == mac))
    }

    /// Whether an answer gave a device an address, as far as anybody remembers.
    fn remembers(&self, device: Device, to: IpAddr) -> bool {
        self.shard(device).get(&device).is_some_and(|of| of.contains_key(&to))
    }

    /// Whether an answer gave a device an address, and it is not shut.
    pub(super) fn knows(&self, device: Device, to: IpAddr) -> bool {
        self.shard(device).get(&device).and_then(|of| of.get(&to)).is_some_and(|o| o.stand != Stand::Shut)
    }

    /// Whose flow from an address may be. Whose hardware address the kernel has found out meanwhile was given it under their
    /// address; and whom the kernel has let go because they sleep is who was there before.
    fn may_be(&self, from: IpAddr) -> impl Iterator<Item = Device> + use<> {
        let (now, by_address) = (self.device(from, None), Device::Address(from.to_canonical()));
        let before = if now == by_address { self.seen.get(&from).map(Device::Mac) } else { None };
        [now, by_address].into_iter().chain(before)
    }

    /// The device whose flow that is, if an answer gave it.
    pub(super) fn known_as(&self, from: IpAddr, to: IpAddr) -> Option<Device> {
        self.may_be(from).find(|device| self.knows(*device, to))
    }

    /// The device whose flow that is, if an exception lets it reach any address there.
    pub(super) fn excepted_as(&self, from: IpAddr, port: Port) -> Option<Device> {
        self.may_be(from).find(|device| self.excepts(*device, port))
    }

    /// Whether a flow is one that no answer gave, as far as anybody remembers. What goes to a device of the home was begun
    /// outside, or next door: that is not ours to end.
    pub(super) fn is_stray(&self, from: IpAddr, to: IpAddr, port: Port) -> bool {
        self.neighbours.mac(to).is_none()
            && self.known_as(from, to).is_none()
            && self.excepted_as(from, port).is_none()
    }

    /// The same, to end it: its program comes back, and is no breach for that.
    pub(super) fn is_stray_to_end(&self, from: IpAddr, to: IpAddr, port: Port) -> bool {
        let is_stray = self.is_stray(from, to, port);
        if is_stray {
            self.attempts.began_before(from, to, self.clock.steady());
        }
        is_stray
    }

    /// The home's addresses, as the routes are now.
    pub(super) fn lan(&self) -> Lan {
        Lan::now(&lock(&self.plan))
    }

    /// The same, as the routes were a moment ago.
    pub(crate) fn is_at_home(&self, address: IpAddr) -> bool {
        let known = self.routes.load();
        match known.0.filter(|read| read.elapsed() < A_MOMENT) {
            Some(_) => known.1.has(address),
            None => {
                let lan = self.lan();
                let is_at_home = lan.has(address);
                self.routes.store(Arc::new((Some(Instant::now()), lan)));
                is_at_home
            }
        }
    }

    /// Something flows from a device to an address, and so much has passed since the last look.
    pub(super) fn flowed(&self, from: IpAddr, to: IpAddr, port: Port, bytes: u64) {
        if let Some(mac) = self.neighbours.mac(from) {
            self.seen.insert(from, mac);
        }
        let Some(device) = self.known_as(from, to) else {
            if let Some(device) = self.excepted_as(from, port) {
                self.passed_by_exception(device, port, bytes);
            }
            return;
        };
        let now = self.clock.steady();
        let mut shard = self.shard(device);
        if let Some(opening) = shard.get_mut(&device).and_then(|of| of.get_mut(&to)) {
            opening.flowed = now;
            opening.passed.add(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::openings::Why;
    use crate::router::play::{BEHIND, INNER, JORDAN, MAC, Play, site};

    #[test]
    fn a_device_is_what_its_packets_show() {
        let play = Play::new([JORDAN]);
        let unmet = "2001:db8::11".parse().unwrap();
        for (case, address, told, device) in [
            ("the kernel knows it", JORDAN.0, None, Device::Mac(MAC)),
            ("nobody has met it", unmet, None, Device::Address(unmet)),
            ("a forwarder tells of one on our link", unmet, Some(MAC), Device::Mac(MAC)),
            ("a forwarder tells of one behind another router", BEHIND, Some([2; 6]), Device::Address(BEHIND)),
            ("a forwarder asks from an address of its own", JORDAN.0, Some([2; 6]), Device::Mac([2; 6])),
        ] {
            assert_eq!(play.openings.device(address, told), device, "{case}");
        }
    }

    #[test]
    fn a_device_that_sleeps_keeps_its_flows() {
        let play = Play::new([JORDAN]);
        let (open, stray) = (site(1), site(2));
        play.opens(JORDAN.0, open, Why::Connected);
        play.openings.flowed(JORDAN.0, open, None, 100);
        play.openings.neighbours.lets_go();
        assert!(!play.openings.is_stray(JORDAN.0, open, None), "the kernel has let it go, and we have not");
        assert!(play.openings.is_stray(JORDAN.0, stray, None));
    }

    #[test]
    fn whoever_shows_anothers_address_is_not_who_has_it() {
        let play = Play::new([JORDAN]);
        play.opens(JORDAN.0, site(1), Why::Connected);
        let from = |device, from| {
            let says = crate::router::heard::Says::Other;
            play.openings.sender(&Refused { device, from, to: site(1), says })
        };
        assert_eq!(from(Device::Mac(MAC), JORDAN.0), Device::Mac(MAC));
        assert_eq!(from(Device::Mac(INNER), JORDAN.0), Device::Mac(INNER), "forged");
    }
}
