//! `hearthgate restrict`: a restriction under Regulation 22, with everything that makes it lawful.

use crate::command::grant::{End, what};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use crate::when;
use agreements::lawful::RestrictionDraft;
use agreements::{PersonKind, Role};
use clap::Args;
use records::Purpose;

/// Places a restriction (Children's Homes Regulations 2015, reg 22): a manager's decision, never a punishment.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  hearthgate restrict --person jordan --closes discord --until 2026-11-29T20:00 --review 2026-11-27 \\
      --by r.osei --reason \"a stranger asked Jordan to meet; police informed\" \\
      --tried \"blocked the account, talked it through, kept the phone downstairs at night\" \\
      --consent \"A. Mensah, Leeds\" --consent-on 2026-11-22 \\
      --told-on 2026-11-22 --view \"fair enough, but I want my group chat back\"

In an emergency say --emergency instead of the consent: it then stands for 24 hours at most, and the placing authority gets
the full details within that time. Helplines, assistive sites and private mail can never be closed. Several people at once
cannot be restricted. `hearthgate revoke ENTRY --restriction` ends it early.

Exit codes: 0 placed, 1 it would not be lawful (every reason is told), 2 cannot read.")]
pub(crate) struct Restrict {
    #[command(flatten)]
    home: HomeArg,
    /// Whom it is for: one young person.
    #[arg(long, value_name = "ID", required = true)]
    person: Vec<String>,
    /// What it closes: sites, services, categories; `everything` for all but what is protected.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', required = true)]
    closes: Vec<String>,
    #[command(flatten)]
    end: End,
    /// The day on which it is reviewed.
    #[arg(long, value_name = "DATE")]
    review: Option<String>,
    /// Who places it: a manager's account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    by: String,
    /// Why it is necessary to safeguard or promote the young person's welfare.
    #[arg(long, value_name = "WORDS", default_value = "")]
    reason: String,
    /// What was tried or considered that restricts less.
    #[arg(long, value_name = "WORDS", default_value = "")]
    tried: String,
    /// Who consented for the placing authority: name and authority.
    #[arg(long, value_name = "NAME", requires = "consent_on")]
    consent: Option<String>,
    /// When they consented.
    #[arg(long, value_name = "DATE", requires = "consent")]
    consent_on: Option<String>,
    /// It is an emergency: no consent yet.
    #[arg(long, conflicts_with = "consent")]
    emergency: bool,
    /// When the young person was told.
    #[arg(long, value_name = "DATE")]
    told_on: Option<String>,
    /// What they said about it.
    #[arg(long, value_name = "WORDS", default_value = "")]
    view: String,
}

impl Restrict {
    /// Places it.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.by, &[Role::Manager])?;
        let draft = self.draft(&desk)?;
        let until = draft.until;
        let protected = desk.house().home().protected.clone();
        let entry = desk.write(desk.records.restrict(draft, &protected, by))?;
        let until = until.map(|u| desk.house().spoken(u, desk.now())).unwrap_or_default();
        terminal::say_line(&format!("Placed until {until} as entry {entry}."));
        if self.emergency {
            terminal::tell("The placing authority must have full details within 24 hours.");
        }
        Ok(Exit::Done)
    }

    fn draft(&self, desk: &Desk) -> Result<RestrictionDraft, Failure> {
        let date =
            |text: &Option<String>| text.as_deref().map(when::date).transpose().map_err(Failure::cannot_read);
        let consent = self.consent.clone().zip(date(&self.consent_on)?);
        let people = self.person.iter().map(|id| desk.agreement(id)).collect::<Result<Vec<_>, _>>()?;
        let other = people.iter().map(|person| person.kind).find(|kind| *kind != PersonKind::YoungPerson);
        Ok(RestrictionDraft {
            // The law's answer to several is a sentence, so all of them are handed to it.
            people: people.iter().map(|person| person.id.clone()).collect(),
            kind: other.unwrap_or_default(),
            what: Some(what(&self.closes)?),
            reason: self.reason.clone(),
            tried: self.tried.clone(),
            from: desk.now(),
            until: self.end.at(desk.now(), desk.zone())?,
            review_on: date(&self.review)?,
            consent,
            emergency: self.emergency,
            told_on: date(&self.told_on)?,
            view: self.view.clone(),
        })
    }
}
