//! The addresses from which a load comes: identity is by address.

use std::net::Ipv4Addr;

/// The first address of the first person.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 16, 0, 0);

/// People, and how many addresses each of them has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct People {
    /// People.
    #[arg(long, default_value_t = 6)]
    pub people: u32,
    /// Addresses of each: a power of two, so that they make one network.
    #[arg(long, default_value_t = 16)]
    pub devices: u32,
}

impl People {
    /// The address of the next question or connection: every person in turn, each through their devices.
    pub fn source(self, number: u64) -> Ipv4Addr {
        let number = (number % (u64::from(self.people) * u64::from(self.devices))) as u32;
        let (person, device) = (number % self.people, number / self.people);
        Ipv4Addr::from_bits(FIRST.to_bits() + person * self.devices + device)
    }

    /// The network that holds the addresses of one person, as an agreement writes it.
    pub fn network(self, person: u32) -> String {
        let first = Ipv4Addr::from_bits(FIRST.to_bits() + person * self.devices);
        format!("{first}/{}", 32 - self.devices.ilog2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_take_turns_and_keep_to_their_networks() {
        let people = People { people: 6, devices: 1024 };
        let sources = [0, 1, 5, 6, 6143, 6144].map(|n| people.source(n).to_string());
        assert_eq!(
            sources,
            ["127.16.0.0", "127.16.4.0", "127.16.20.0", "127.16.0.1", "127.16.23.255", "127.16.0.0"]
        );
        assert_eq!([0, 5].map(|p| people.network(p)), ["127.16.0.0/22", "127.16.20.0/22"]);
        assert_eq!(People { people: 10_000, devices: 1 }.network(256), "127.16.1.0/32");
    }
}
