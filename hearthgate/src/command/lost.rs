//! `hearthgate lost`: a device is lost, or was found again.

use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use agreements::{Role, did_you_mean, nearest};
use clap::Args;
use records::{Booking, Purpose};

/// Marks a device as lost: within seconds it reaches what is protected and nothing else, and its token opens nothing.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate lost jordan phone --by k.lane --words \"left on the bus\"
  hearthgate lost jordan phone --found --by k.lane

Exit codes: 0 done, 2 cannot read, or there is no such device.")]
pub(crate) struct Lost {
    #[command(flatten)]
    home: HomeArg,
    /// Whose: the name of the agreement's file.
    #[arg(value_name = "PERSON")]
    person: String,
    /// The device's name in the agreement.
    #[arg(value_name = "DEVICE")]
    device: String,
    /// It was found again.
    #[arg(long)]
    found: bool,
    /// What happened.
    #[arg(long, default_value = "")]
    words: String,
    /// Who does it: an account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    by: String,
}

impl Lost {
    /// Writes it down, which is all that it takes.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.by, &[Role::Manager, Role::Staff])?;
        let person = desk.agreement(&self.person)?;
        let names = || person.devices.iter().map(|device| device.name.as_str());
        if !names().any(|name| name == self.device) {
            let near = did_you_mean(&nearest(&self.device, names()));
            let all = names().collect::<Vec<_>>().join(", ");
            let none = format!("{} has no device `{}`", person.name, self.device);
            return Err(Failure::cannot_read(none).help(format!("{near} There are: {all}.").trim_start()));
        }
        let booking = if self.found { Booking::Out } else { Booking::Lost };
        desk.write(desk.records.book(&self.person, &self.device, booking, by, &self.words))?;
        terminal::say_line(&match self.found {
            false => format!(
                "{}'s {} is marked as lost: it reaches what is protected and nothing else.",
                person.name, self.device
            ),
            true => format!("{}'s {} is back: its agreement holds again.", person.name, self.device),
        });
        Ok(Exit::Done)
    }
}
