//! `hearthgate pin`: the PIN that somebody signs in with on a device that is nobody's own.

use crate::control;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::signing::pins;
use crate::state::State;
use crate::terminal;
use agreements::Role;
use clap::Args;
use records::Purpose;
use std::io::BufRead;

/// Sets or removes the PIN that somebody signs in with on a device that is nobody's own.
///
/// It is typed on standard input, best by the young person themselves: nobody else needs to know it. Only a hash is kept.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate pin jordan --by k.lane            Jordan types it
  hearthgate pin jordan --fresh --by k.lane    one is made and shown once
  hearthgate pin jordan --remove --by k.lane   Jordan signs in no more

A PIN has 6 to 8 digits; the desk can give one, too, and it is the same. A new one signs the person out everywhere, and ends a lock after too many wrong ones.

Exit codes: 0 done, 1 the PIN is not good enough, 2 cannot read.")]
pub(crate) struct Pin {
    #[command(flatten)]
    home: HomeArg,
    /// Whose: the name of the agreement's file.
    #[arg(value_name = "PERSON")]
    person: String,
    /// Make one, and show it once.
    #[arg(long, conflicts_with = "remove")]
    fresh: bool,
    /// Take it away.
    #[arg(long)]
    remove: bool,
    /// Who does it: an account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    by: String,
}

impl Pin {
    /// Sets it, or takes it away.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.by, &[Role::Manager, Role::Staff])?;
        let name = desk.agreement(&self.person)?.name.clone();
        let pin = self.pin(&name)?;
        let state = State::of(desk.loaded.gateway()?, &desk.loaded.dir);
        // Nobody can type an empty one, so that nothing opens by it.
        let kept = pin.as_deref().map_or(Some(String::new()), pins::hash).ok_or_else(no_randomness)?;
        desk.ask(desk.records.set_password(&pins::account(&self.person), &kept))?;
        let what = if pin.is_some() { "set a PIN" } else { "removed a PIN" };
        desk.write(desk.records.staff_action(by, what, &format!("for {name}")))?;
        control::ask(&state.socket(), &format!("pin-changed {}", self.person));
        match pin {
            Some(pin) if self.fresh => {
                terminal::say_line(&format!("{name}'s PIN is {pin}. It is not shown again."));
            }
            Some(_) => terminal::say_line(&format!("{name} has a new PIN.")),
            None => terminal::say_line(&format!("{name} has no PIN any more.")),
        }
        Ok(Exit::Done)
    }

    fn pin(&self, name: &str) -> Result<Option<String>, Failure> {
        if self.remove {
            return Ok(None);
        }
        if self.fresh {
            let fresh = pins::fresh();
            return fresh
                .map(Some)
                .ok_or_else(|| Failure::cannot_read("the system has no randomness to give"));
        }
        terminal::tell(&format!("A new PIN for {name}, 6 to 8 digits, then Enter:"));
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map_err(|e| Failure::cannot_read(format!("no PIN could be read: {e}")))?;
        let pin = line.trim().to_owned();
        match pins::weakness(&pin) {
            Some(why) => Err(Failure::no(why).help("choose another, or let `--fresh` make one")),
            None => Ok(Some(pin)),
        }
    }
}

fn no_randomness() -> Failure {
    Failure::cannot_read("the system has no randomness to give")
}
