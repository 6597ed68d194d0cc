//! `hearthgate password-link`: a link with which somebody sets the password of their account at the desk.

use crate::control;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::gateway::desk_url;
use crate::home::HomeArg;
use crate::state::State;
use crate::terminal;
use agreements::Role;
use clap::Args;
use records::Purpose;

/// Makes a link with which somebody sets the password of their account at the desk, once, within a day.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate password-link r.osei

Whoever has the link sets the password of that account: give it to that person and nobody else. What was set before stays good
until the link is used. At the desk a manager makes such links under Accounts.
Exit codes: 0 made, 2 cannot read, or there is no such account.")]
pub(crate) struct PasswordLink {
    #[command(flatten)]
    home: HomeArg,
    /// The account: an id of `staff` in home.yaml.
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// And takes away the second factor, for whoever has lost the phone that shows the codes.
    #[arg(long)]
    without_codes: bool,
}

impl PasswordLink {
    /// Makes it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let account = desk.by(&self.account, &[Role::Manager, Role::Staff, Role::Visitor, Role::It])?;
        let link = desk.ask(console::password_link(&desk.records, &account.id))?;
        let (path, ends) =
            link.ok_or_else(|| Failure::cannot_read("the system has no randomness to give"))?;
        let by = crate::desk::machine_user();
        let what = match self.without_codes {
            true => {
                format!("made a link to set the password of {}, and took the second factor away", account.id)
            }
            false => format!("made a link to set the password of {}", account.id),
        };
        if self.without_codes {
            desk.ask(desk.records.set_codes(&account.id, "", 0))?;
        }
        desk.write(desk.records.staff_action(by, &what, ""))?;
        terminal::say_line(&format!(
            "{} sets a password with this, once, until {}:\n  {}{path}",
            account.name,
            desk.house().spoken(ends, desk.now()),
            self.address(&desk)?
        ));
        Ok(Exit::Done)
    }

    /// Where the desk is: as the running gateway says, else as gateway.yaml does.
    fn address(&self, desk: &Desk) -> Result<String, Failure> {
        let gateway = desk.loaded.gateway()?;
        let status = control::ask(&State::of(gateway, &desk.loaded.dir).socket(), "status");
        let told = status.as_ref().and_then(|status| {
            let listeners = status["listeners"].as_array()?;
            listeners.iter().find(|l| l["kind"] == "console")?["address"].as_str()
        });
        let told = told.and_then(|address| address.parse().ok());
        told.or(gateway.listen.console.first().copied()).map(desk_url).ok_or_else(|| {
            Failure::no("the desk listens nowhere")
                .help("say `console: [\"127.0.0.1:8443\"]` below `listen` in gateway.yaml")
        })
    }
}
