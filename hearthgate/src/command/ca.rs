//! `hearthgate ca`: the home's own certificate authority, made and explained.

use crate::certificates::{self, About, Authority};
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::state::State;
use crate::terminal::{self, Ink, Paint};
use agreements::{Certificate, Gateway};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Makes and explains the home's own certificate authority, which encrypted DNS and the console show.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate ca                          what it is, what it can do, how devices are told; makes it when there is none
  hearthgate ca --out oakview-ca.pem     its certificate as a file for devices (never its key)
  hearthgate ca --pem                    the same to standard output
  hearthgate ca --renew                  another one in its place: every device has to be told again

Exit codes: 0 shown or made, 2 it cannot be read or written.")]
pub(crate) struct Ca {
    #[command(flatten)]
    home: HomeArg,
    /// Write its certificate into a file, for devices.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Write its certificate to standard output.
    #[arg(long, conflicts_with = "out")]
    pem: bool,
    /// Make another one in its place. Devices that know the old one alone will not believe the gateway.
    #[arg(long)]
    renew: bool,
    /// Answer as JSON.
    #[arg(long, conflicts_with = "pem")]
    json: bool,
}

/// The shape of `ca --json`.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    about: &'a About,
    file: String,
    made_now: bool,
    in_use: bool,
}

impl Ca {
    /// Makes it if need be, and tells.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let loaded = self.home.load(crate::clock::now())?;
        let (gateway, state) = (loaded.gateway()?, State::of(loaded.gateway()?, &loaded.dir));
        state.make().map_err(|error| {
            Failure::cannot_read(format!("the folder `{}` cannot be made: {error}", state.dir.display()))
        })?;
        let file = state.authority();
        let (authority, made_now) = self.authority(&file, gateway)?;
        if let Some(out) = &self.out {
            std::fs::write(out, authority.certificate_pem()).map_err(|error| {
                Failure::cannot_read(format!("`{}` cannot be written: {error}", out.display()))
            })?;
            terminal::tell(&format!("The certificate is in `{}`.", out.display()));
        }
        self.tell(&authority, gateway, &file, made_now);
        Ok(Exit::Done)
    }

    fn authority(&self, file: &Path, gateway: &Gateway) -> Result<(Authority, bool), Failure> {
        let now = certificates::now();
        if !self.renew {
            return certificates::authority(file, gateway, now).map_err(|why| {
                Failure::cannot_read(why.to_string()).help(
                    "the gateway's own account has to run this; `hearthgate ca --renew` makes another one",
                )
            });
        }
        let new = Authority::make(gateway, now).map_err(|why| Failure::cannot_read(why.to_string()))?;
        new.keep(file).map_err(|error| {
            Failure::cannot_read(format!("`{}` cannot be written: {error}", file.display()))
        })?;
        Ok((new, true))
    }

    fn tell(&self, authority: &Authority, gateway: &Gateway, file: &Path, made_now: bool) {
        let (about, in_use) = (authority.about(), gateway.certificate == Certificate::Local);
        if self.pem {
            terminal::say(&authority.certificate_pem());
        } else if self.json {
            let file = file.display().to_string();
            terminal::say_json(&Answer { about, file, made_now, in_use });
        } else if self.out.is_none() {
            terminal::say(&text(about, (gateway, file), (made_now, in_use), Paint::for_stdout()));
        }
    }
}

fn text(
    about: &About,
    (gateway, file): (&Gateway, &Path),
    (made_now, in_use): (bool, bool),
    paint: Paint,
) -> String {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%-d %B %Y").to_string();
    let begun = if made_now { "made just now" } else { "there already" };
    let title = paint.ink(Ink::Strong, &format!("{} ({begun})", about.name));
    let use_of_it = if in_use {
        "The gateway makes its certificates from it (`certificate: local`): for seven days each, and anew in time."
    } else {
        "It is not in use: `certificate` in gateway.yaml names files."
    };
    let rows = [
        vec!["fingerprint".to_owned(), format!("SHA-256 {}", about.fingerprint)],
        vec!["good".to_owned(), format!("{} to {}", day(about.from), day(about.until))],
        vec!["signs for".to_owned(), format!("{} and what stands under it", about.names.join(", "))],
        vec!["".to_owned(), about.networks.join(", ")],
        vec![
            "kept in".to_owned(),
            format!("{} (with its key: for the gateway's account alone)", file.display()),
        ],
    ];
    format!(
        "{title}\n{}\n{use_of_it}\n\n{WHAT_IT_IS}\n\n{}",
        terminal::columns(&rows),
        how_devices_are_told(gateway.name.as_str())
    )
}

const WHAT_IT_IS: &str = "\
What it is. A device believes a TLS server whose certificate somebody it knows has signed. Nobody on the internet signs for
a name or an address inside a home, so the home has an authority of its own. It can sign for the gateway alone: who stole it
could not play a bank or a mail server, and nothing that a young person reads is opened with it. Devices need it only for
encrypted DNS (DoT, DoH), the console in a browser, and profiles.";

fn how_devices_are_told(name: &str) -> String {
    format!(
        "\
How a device is told. `hearthgate ca --out FILE` writes the certificate; compare the fingerprint on the device.
  iPhone, iPad, Mac  nothing to do by hand: `hearthgate profile PERSON DEVICE` puts it into the device's profile
  Windows            open the file, Install Certificate, Local Machine, Trusted Root Certification Authorities
  Android            Settings, Security, Install a certificate, CA certificate: for browsers. Private DNS does not look there:
                     it needs a certificate that Android knows already (`certificate: {{chain: …, key: …}}` in gateway.yaml)
  Debian, Ubuntu     copy it to /usr/local/share/ca-certificates/NAME.crt and run update-ca-certificates
  Firefox            Settings, Certificates, View Certificates, Authorities, Import

Devices then ask at {name}. A plain DNS device that stays plain needs none of this.
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_names_everything_and_no_key() {
        let gateway = Gateway::default();
        let authority = Authority::make(&gateway, certificates::now()).expect("an authority");
        let file = Path::new("/state/local-ca.pem");
        let told = text(authority.about(), (&gateway, file), (true, true), Paint::PLAIN);
        for part in [
            "Hearthgate local CA ",
            "SHA-256 ",
            "hearthgate.home.arpa",
            "192.168.0.0/16",
            "fc00::/7",
            "local-ca.pem",
        ] {
            assert!(told.contains(part), "no `{part}`: {told}");
        }
        assert!(!told.contains("PRIVATE KEY"));
    }
}
