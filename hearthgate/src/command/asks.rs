//! `hearthgate asks`: what young people asked for, and staff's answers.

use crate::command::grant::{Done, End, still_closed};
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use crate::when;
use agreements::{GrantKind, Person, Role};
use clap::{Args, Subcommand};
use records::{Answer, Ask, Purpose};

/// Shows what young people asked for, and answers it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate asks list                           what waits for an answer
  hearthgate asks list --since 2026-11-20        answered ones too
  hearthgate asks answer 42 --yes --for 1h --by k.lane --reason \"for the project\"
  hearthgate asks answer 42 --no --by k.lane --reason \"let us look at it tomorrow\"

Exit codes: 0 done, 1 the ask is not open, 2 cannot read.")]
pub(crate) struct Asks {
    #[command(flatten)]
    home: HomeArg,
    #[command(subcommand)]
    what: Which,
}

#[derive(Subcommand, Debug)]
enum Which {
    /// Shows asks, newest first.
    List(List),
    /// Answers one.
    Answer(AnswerIt),
}

#[derive(Args, Debug)]
struct List {
    /// Also those that were answered since then.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct AnswerIt {
    /// The ask's number.
    #[arg(value_name = "ENTRY")]
    entry: i64,
    /// Yes: the site is open until the end given.
    #[arg(long, conflicts_with = "no", required_unless_present = "no")]
    yes: bool,
    /// No.
    #[arg(long)]
    no: bool,
    #[command(flatten)]
    end: End,
    #[command(flatten)]
    done: Done,
}

impl Asks {
    /// Shows or answers.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        match &self.what {
            Which::List(list) => list.act(&self.home),
            Which::Answer(answer) => answer.act(&self.home),
        }
    }
}

impl List {
    fn act(&self, home: &HomeArg) -> Result<Exit, Failure> {
        let desk = Desk::open(home, Purpose::Read)?;
        let since = self.since.as_deref().map(|text| when::instant(text, desk.zone(), desk.now()));
        let since = since.transpose().map_err(Failure::cannot_read)?;
        let asks = desk.ask(desk.records.asks(since))?;
        if self.json {
            terminal::say_json(&when::at_home(&asks, desk.zone()));
        } else if asks.is_empty() {
            terminal::say_line("Nobody is waiting for an answer.");
        } else {
            let rows: Vec<Vec<String>> = asks.iter().map(|ask| row(ask, &desk)).collect();
            terminal::say(&terminal::columns(&rows));
        }
        Ok(Exit::Done)
    }
}

fn row(ask: &Ask, desk: &Desk) -> Vec<String> {
    let answered = match &ask.answered {
        None => "waiting".to_owned(),
        Some(answer) if answer.grant.is_some() => format!("yes, {}", answer.by.name),
        Some(answer) => format!("no, {}", answer.by.name),
    };
    let words = if ask.asked.words.is_empty() { String::new() } else { format!("\"{}\"", ask.asked.words) };
    let at = when::words(ask.at, desk.zone());
    vec![ask.entry.to_string(), at, ask.asked.person.clone(), ask.asked.what().to_owned(), answered, words]
}

/// Whom a yes is for, and what it opens.
fn opened<'a>(desk: &'a Desk, ask: &Ask) -> Option<(&'a Person, GrantKind)> {
    Some((desk.agreement(&ask.asked.person).ok()?, ask.asked.wanted()?))
}

impl AnswerIt {
    fn act(&self, home: &HomeArg) -> Result<Exit, Failure> {
        let desk = Desk::open(home, Purpose::Beside)?;
        let by = desk.by(&self.done.by, &[Role::Manager, Role::Staff])?;
        let answer = if self.yes { self.approval(&desk)? } else { Answer::Decline };
        let ask = desk.ask(desk.records.asks(None))?.into_iter().find(|ask| ask.entry == self.entry);
        let granted = desk.write(desk.records.answer(self.entry, answer, by, &self.done.reason))?;
        match granted {
            Some(grant) => {
                terminal::say_line(&format!("Answered yes; the grant is entry {grant}."));
                if let Some((person, opened)) = ask.and_then(|ask| opened(&desk, &ask)) {
                    terminal::say(&still_closed(&desk, person, &opened, None)?);
                }
            }
            None => terminal::say_line("Answered no."),
        }
        Ok(Exit::Done)
    }

    fn approval(&self, desk: &Desk) -> Result<Answer, Failure> {
        let until = self.end.at(desk.now(), desk.zone())?.ok_or_else(|| {
            Failure::cannot_read("a yes has an end").help("say `--for 30m` or `--until 21:00`")
        })?;
        Ok(Answer::Approve { until })
    }
}
