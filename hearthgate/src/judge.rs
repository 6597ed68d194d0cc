//! A home, a catalogue and what staff decided, on the bench: for commands that ask without running a gateway.

use crate::asked::{Asked, AskedHost};
use crate::catalogue;
use crate::desk::Decided;
use crate::failure::Failure;
use crate::home::Loaded;
use crate::people;
use agreements::{Explanation, Outcome, PersonId, Request, Rule, Snapshot};
use blocklists::Tags;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use std::net::IpAddr;

/// All that a decision needs.
pub(crate) struct Bench {
    /// The home and the catalogue.
    pub(crate) snapshot: Snapshot,
    decided: Decided,
    /// The networks inside the home that gateway.yaml opens.
    inside: Vec<(IpAddr, u8)>,
    /// The home's day that the standing's minutes are of.
    counted: DateTime<Utc>,
}

impl Bench {
    /// Prepares a home as it is in force, with the catalogue that the gateway compiled, else one of the built-in
    /// tables and the lists at hand.
    pub(crate) fn of(loaded: Loaded, now: DateTime<Utc>) -> Result<Self, Failure> {
        let loaded = loaded.in_force(now);
        let state = loaded.state();
        let catalogue = catalogue::for_command(&loaded, state.as_ref(), now)?;
        let decided = Decided::read(&loaded);
        let inside =
            loaded.gateway_in_force().map(|gateway| gateway.home_network.clone()).unwrap_or_default();
        let snapshot = Snapshot { house: loaded.reading.house, catalogue: catalogue.into() };
        Ok(Self { snapshot, decided, inside, counted: now })
    }

    /// The home's zone.
    pub(crate) fn zone(&self) -> Tz {
        self.snapshot.house.home().timezone
    }

    /// Somebody by id; `baseline` is nobody in particular.
    pub(crate) fn person(&self, id: &str) -> Result<PersonId, Failure> {
        people::known_or_baseline(&self.snapshot.house, id)
    }

    /// The answer in the shape of `explain --json`.
    pub(crate) fn explain(&self, who: PersonId, at: DateTime<Utc>, asked: &Asked) -> Explanation {
        let tags = match &asked.host {
            AskedHost::Name(name) => self.snapshot.catalogue.lookup(name.name()),
            AskedHost::Address(_) => Tags::NONE,
        };
        let request = Request { host: asked.host(), tags, path: asked.path.as_deref() };
        let house = &self.snapshot.house;
        // Minutes used today say nothing of another day.
        let today = house.day_of(at) == house.day_of(self.counted);
        let standing = if today { &self.decided.today } else { &self.decided.other_day };
        let explanation = house.explain(who, at, &request, standing);
        match asked.host {
            AskedHost::Address(address) if is_in(address, &self.inside) => inside(explanation),
            AskedHost::Address(_) | AskedHost::Name(_) => explanation,
        }
    }
}

/// What the gateway does with an address of the home's own network that gateway.yaml opens: agreements are about the
/// internet, and the printer is not the internet.
fn inside(explanation: Explanation) -> Explanation {
    Explanation {
        verdict: Outcome::Allow,
        rule: Rule::Otherwise,
        severity: None,
        categories: Vec::new(),
        sentence: "This is inside the home, and `home_network` of gateway.yaml opens it to everybody."
            .to_owned(),
        source: None,
        until: None,
        trace: Vec::new(),
        ..explanation
    }
}

/// Whether an address lies in one of these networks.
fn is_in(address: IpAddr, networks: &[(IpAddr, u8)]) -> bool {
    let bits = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(v4) => (32_u32, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (128, u128::from(v6)),
    };
    let (width, address) = bits(address);
    networks.iter().any(|&(network, length)| {
        let (wide, network) = bits(network);
        let rest = width.saturating_sub(u32::from(length));
        wide == width && (rest >= 128 || (address ^ network) >> rest == 0)
    })
}
