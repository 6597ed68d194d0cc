//! `hearthgate sign-in` and `sign-out`: staff let a device in for somebody, and put it out again.

use crate::control;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::state::State;
use crate::terminal;
use crate::when;
use agreements::Role;
use chrono::TimeDelta;
use clap::Args;
use records::{Face, Purpose};

/// Lets a device that is nobody's own in for somebody: their agreement holds on it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate sign-in 02:1a:33:44:55:66 jordan --by k.lane              until nobody uses it for half an hour
  hearthgate sign-in 192.168.4.40 jordan --for 2h --by k.lane          for two hours at most

`hearthgate devices` shows what is on the network. It ends by itself after half an hour without use, after twelve hours, and
with the home's day. A device that is somebody's own stays theirs.

Exit codes: 0 let in, 1 no, 2 cannot read, 3 no gateway runs.")]
pub(crate) struct SignIn {
    #[command(flatten)]
    home: HomeArg,
    /// The device: its hardware address, or its address.
    #[arg(value_name = "DEVICE", value_parser = face)]
    device: Face,
    /// Whose agreement is to hold on it.
    #[arg(value_name = "PERSON")]
    person: String,
    /// For how long at most.
    #[arg(long = "for", value_name = "LENGTH", default_value = "12h", value_parser = when::length)]
    length: TimeDelta,
    /// Who does it: an account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    by: String,
}

/// Signs somebody out: on one device, or on every one.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate sign-out 192.168.4.40 --by k.lane
  hearthgate sign-out jordan --by k.lane

Exit codes: 0 signed out, 1 nobody was signed in there, 2 cannot read, 3 no gateway runs.")]
pub(crate) struct SignOut {
    #[command(flatten)]
    home: HomeArg,
    /// The device (hardware address, or address), or the person.
    #[arg(value_name = "DEVICE_OR_PERSON")]
    what: String,
    /// Who does it: an account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    by: String,
}

fn face(text: &str) -> Result<Face, String> {
    text.parse()
}

impl SignIn {
    /// Lets it in.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.by, &[Role::Manager, Role::Staff])?;
        let name = desk.agreement(&self.person)?.name.clone();
        let question = format!("sign-in {} {} {}", self.device, self.person, self.length.num_minutes());
        match told(&desk, &question)? {
            None => not_running(),
            Some(false) => Err(Failure::no("there is no room for one more device")),
            Some(true) => {
                let what = format!("{name} on {}, for {} at most", self.device, when::span(self.length));
                desk.write(desk.records.staff_action(by, "let a device in", &what))?;
                terminal::say_line(&format!("{name}'s agreement holds on {} now.", self.device));
                Ok(Exit::Done)
            }
        }
    }
}

impl SignOut {
    /// Signs out.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.by, &[Role::Manager, Role::Staff])?;
        let question = match self.what.parse::<Face>() {
            Ok(face) => format!("sign-out {face}"),
            Err(_) => {
                desk.agreement(&self.what)?;
                format!("sign-out-everywhere {}", self.what)
            }
        };
        match told(&desk, &question)? {
            None => not_running(),
            Some(false) => {
                terminal::say_line("Nobody was signed in there.");
                Ok(Exit::No)
            }
            Some(true) => {
                desk.write(desk.records.staff_action(by, "signed out", &self.what))?;
                terminal::say_line("Signed out.");
                Ok(Exit::Done)
            }
        }
    }
}

/// What the running gateway did; none where none runs.
fn told(desk: &Desk, question: &str) -> Result<Option<bool>, Failure> {
    let state = State::of(desk.loaded.gateway()?, &desk.loaded.dir);
    Ok(control::ask(&state.socket(), question).and_then(|answer| answer["done"].as_bool()))
}

fn not_running() -> Result<Exit, Failure> {
    terminal::say_line("No gateway runs, and nobody is signed in while none does.");
    Ok(Exit::NotRunning)
}
