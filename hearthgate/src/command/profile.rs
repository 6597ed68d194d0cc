//! `hearthgate profile`: what makes a device ask here for its names, wherever it is.

use crate::certificates::{self, Authority};
use crate::control;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::people;
use crate::profile::{Apple, Endpoint, android, fits_apple, is_private, others};
use crate::state::State;
use crate::terminal;
use agreements::{Certificate, DeviceBy, Gateway, Person, did_you_mean, nearest};
use clap::{Args, ValueEnum};
use ring::rand::{SecureRandom, SystemRandom};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes what a device needs to look names up here with its own token, inside and outside the home.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate profile jordan tablet --out jordan-tablet.mobileconfig    for an iPhone, iPad or Mac
  hearthgate profile jordan phone --kind android                       what to type into Private DNS
  hearthgate profile jordan laptop --kind other                        the names and addresses, for anything else

The device needs a `token` in the person's agreement. Whoever has the file has the token: hand it over and delete it.

Exit codes: 0 made, 1 the device has no token or no listener is there for it, 2 cannot read, or nobody has that id.")]
pub(crate) struct Profile {
    #[command(flatten)]
    home: HomeArg,
    /// Whose device: the name of their agreement's file.
    #[arg(value_name = "PERSON")]
    person: String,
    /// Which device, as the agreement names it.
    #[arg(value_name = "DEVICE")]
    device: String,
    /// For what kind of device.
    #[arg(long, value_enum, default_value_t = Kind::Apple)]
    kind: Kind,
    /// The gateway's address, where the device cannot look its name up; may be said twice.
    #[arg(long, value_name = "IP")]
    address: Vec<IpAddr>,
    /// Forbid switching it off. Only devices that the home supervises hold to it.
    #[arg(long)]
    locked: bool,
    /// Write into this file, readable by you alone, instead of standard output.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
}

/// Kinds of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// iPhone, iPad, Mac: a configuration profile.
    Apple,
    /// Android: what to type into Private DNS.
    Android,
    /// Anything else: names, addresses, ports.
    Other,
}

impl Profile {
    /// Makes it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let now = crate::clock::now();
        let loaded = self.home.load(now)?.in_force(now);
        let who = people::known(&loaded.reading.house, &self.person)?;
        let house = &loaded.reading.house;
        let person = house.agreement(who).ok_or_else(|| people::unknown(house, &self.person, &[]))?;
        let token = token(person, &self.device)?;
        let (gateway, state) = (loaded.gateway()?, State::of(loaded.gateway()?, &loaded.dir));
        let endpoint = endpoint(gateway, &state, token, &self.address)?;
        let text = self.text(&endpoint, gateway, &state)?;
        match &self.out {
            None => terminal::say(&text),
            Some(file) => {
                write(file, &text).map_err(|error| {
                    Failure::cannot_read(format!("`{}` cannot be written: {error}", file.display()))
                })?;
                terminal::tell(&format!(
                    "It is in `{}`. Whoever has it has the device's token.",
                    file.display()
                ));
            }
        }
        Ok(Exit::Done)
    }

    fn text(&self, endpoint: &Endpoint, gateway: &Gateway, state: &State) -> Result<String, Failure> {
        let local = gateway.certificate == Certificate::Local;
        match self.kind {
            Kind::Apple => {
                fits_apple(endpoint)?;
                self.tell_of_apple(endpoint);
                let root = local.then(|| authority(gateway, state)).transpose()?;
                let root = root.as_ref().map(Authority::certificate_der);
                Ok(Apple { endpoint, root, locked: self.locked }.to_string())
            }
            Kind::Android => android(endpoint, local),
            Kind::Other => Ok(others(endpoint, local)),
        }
    }

    /// What an Apple profile cannot do for this home.
    fn tell_of_apple(&self, endpoint: &Endpoint) {
        if !endpoint.is_public {
            terminal::tell(&format!(
                "`{}` is a name of the home's own network: the profile holds there, and nowhere else.",
                endpoint.name
            ));
        } else if self.address.iter().any(|address| is_private(*address)) {
            terminal::tell(
                "An address of the home's own network is left out: from anywhere else it would lead nowhere.",
            );
        }
    }
}

fn authority(gateway: &Gateway, state: &State) -> Result<Authority, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::cannot_read(why.to_string());
    state.make().map_err(|error| failed(&error))?;
    certificates::authority(&state.authority(), gateway, certificates::now())
        .map(|(authority, _)| authority)
        .map_err(|why| failed(&why))
}

/// Secrets are for whoever runs the command.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let mut open =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    open.write_all(text.as_bytes())
}

/// The token of a device.
fn token<'p>(person: &'p Person, device: &str) -> Result<&'p str, Failure> {
    let named = || person.devices.iter().filter(|known| known.name == device);
    if named().next().is_none() {
        return Err(no_such_device(person, device));
    }
    let token = named().find_map(|known| match &known.by {
        DeviceBy::Token(token) => Some(token.as_str()),
        DeviceBy::Mac(_) | DeviceBy::Ip(_) | DeviceBy::Network(..) => None,
    });
    token.ok_or_else(|| {
        let new = fresh(&person.id, device);
        Failure::no(format!(
            "the device `{device}` has no token, so nobody could tell that it is {}'s",
            person.name
        ))
        .help(format!("add one to it in `agreements/{}.yaml`: `token: {new}`", person.id))
    })
}

fn no_such_device(person: &Person, device: &str) -> Failure {
    let mut names: Vec<&str> = person.devices.iter().map(|known| known.name.as_str()).collect();
    names.dedup();
    let near = did_you_mean(&nearest(device, names.iter().copied()));
    let there_are = match names.as_slice() {
        [] => format!("`agreements/{}.yaml` names no devices.", person.id),
        names => format!("There are: {}.", names.join(", ")),
    };
    Failure::cannot_read(format!("{} has no device `{device}`", person.name))
        .help(format!("{near} {there_are}").trim_start())
}

/// A token that nobody guesses: whose, which, and 40 random bits.
fn fresh(person: &str, device: &str) -> String {
    let mut random = [0u8; 5];
    // Without randomness the words alone would do harm: a token of noughts is seen to be none.
    let _shown_as_noughts = SystemRandom::new().fill(&mut random);
    let tail: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let words: String = format!("{person}-{device}")
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(40)
        .collect();
    format!("{}-{tail}", words.trim_matches('-'))
}

/// Where the device is to ask: the first listener of each kind that it could reach.
fn endpoint(
    gateway: &Gateway,
    state: &State,
    token: &str,
    addresses: &[IpAddr],
) -> Result<Endpoint, Failure> {
    let listen = &gateway.listen;
    if listen.dns_tls.is_empty() && listen.dns_https.is_empty() {
        return Err(Failure::no("the gateway has no listener for encrypted DNS")
            .help("add `dns_https: [\"0.0.0.0:8853\"]` under `listen` in gateway.yaml"));
    }
    // Port 0 is a port of the running gateway's.
    let running = listen.dns_tls.iter().chain(&listen.dns_https).any(|at| at.port() == 0);
    let status = running.then(|| control::ask(&state.socket(), "status")).flatten();
    let port = |kind: &str, listeners: &[SocketAddr]| {
        let real = || {
            let told = status.as_ref()?["listeners"].as_array()?.iter().find(|l| l["kind"] == kind)?;
            Some(told["address"].as_str()?.parse::<SocketAddr>().ok()?.port())
        };
        listeners.first().and_then(|at| if at.port() == 0 { real() } else { Some(at.port()) })
    };
    let own = || listen.dns_https.iter().chain(&listen.dns_tls).map(SocketAddr::ip);
    let mut addresses: Vec<IpAddr> = match addresses {
        [] => own().filter(|at| !at.is_unspecified() && !at.is_loopback()).collect(),
        given => given.to_vec(),
    };
    addresses.sort_unstable();
    addresses.dedup();
    Ok(Endpoint {
        name: gateway.name.as_str().to_owned(),
        is_public: gateway.has_public_name(),
        token: token.to_ascii_lowercase(),
        https: port("dns_https", &listen.dns_https),
        tls: port("dns_tls", &listen.dns_tls),
        addresses,
    })
}
