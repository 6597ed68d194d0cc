//! `hearthgate grant`: a member of staff opens something for a while.

use crate::catalogue;
use crate::clock;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::terminal;
use crate::when;
use agreements::{GrantKind, LimitKey, Person, PersonKind, Profile, Role, Supervision, What, Word};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use console::Unread;
use records::{NewGrant, Purpose};

/// Opens something for somebody, for a while: sites, more time, a supervised or an education session.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate grant --person jordan --sites chat.example --for 30m --by k.lane --reason \"call with a cousin\"
  hearthgate grant --person jordan --extra-time 20m --by k.lane --reason \"helped with dinner\"
  hearthgate grant --person jordan --extra-time 30m --of games --by k.lane --reason \"birthday\"
  hearthgate grant --person jordan --supervised facebook.com --on laptop --for 1h --by k.lane --reason \"looked at it together\"
  hearthgate grant --person school-laptop --education-session sam --until 15:00 --by k.lane --reason \"tutoring\"

The running gateway follows within a second. `hearthgate revoke ENTRY` takes it back. A grant lasts 24 hours at most. What
stays closed all the same (the floor, a restriction, a sealed list) is told, with the reason.
Exit codes: 0 granted, 1 it was not (the sentence says why), 2 cannot read.")]
pub(crate) struct Grant {
    #[command(flatten)]
    home: HomeArg,
    /// Whom it is for: the name of the agreement's file.
    #[arg(long, value_name = "ID")]
    person: String,
    #[command(flatten)]
    opens: Opens,
    /// The limit that more time is for: a word of the agreement [default: everything].
    #[arg(long, value_name = "WORD", requires = "extra_time")]
    of: Option<String>,
    /// The device at which whoever grants it sits beside them: a supervised session opens there and nowhere else.
    #[arg(long, value_name = "DEVICE", requires = "supervised")]
    on: Option<String>,
    #[command(flatten)]
    end: End,
    #[command(flatten)]
    done: Done,
}

/// What is opened: exactly one of these.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Opens {
    /// These sites, services or categories, whatever the agreement says; `everything` for all.
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    sites: Option<Vec<String>>,
    /// More time, from now: times and limits are lifted, words still hold.
    #[arg(long, value_name = "LENGTH")]
    extra_time: Option<String>,
    /// A supervised session: `with_staff` words are open, and these.
    #[arg(long, value_name = "WORDS", value_delimiter = ',', num_args = 0..)]
    supervised: Option<Vec<String>>,
    /// An education session on a device with `profile: education_session`, for this young person.
    #[arg(long, value_name = "ID")]
    education_session: Option<String>,
}

/// When it ends.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct End {
    /// For so long: `30m`, `1h30m`.
    #[arg(long = "for", value_name = "LENGTH")]
    length: Option<String>,
    /// Until then: `21:00`, `2026-11-23T21:00`.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Who does it and why.
#[derive(Args, Debug)]
pub(crate) struct Done {
    /// Who does it: an account of home.yaml.
    #[arg(long, value_name = "STAFF_ID")]
    pub(crate) by: String,
    /// Why, in a few words. It stands in the journal.
    #[arg(long, value_name = "WORDS")]
    pub(crate) reason: String,
}

impl End {
    /// The instant, from now.
    pub(crate) fn at(&self, now: DateTime<Utc>, zone: Tz) -> Result<Option<DateTime<Utc>>, Failure> {
        let end = match (&self.length, &self.until) {
            (Some(length), _) => Some(when::length(length).map(|l| now + l)),
            (None, Some(until)) => Some(when::instant(until, zone, now)),
            (None, None) => None,
        };
        end.transpose().map_err(Failure::cannot_read)
    }
}

/// Whether an education session can be opened on a device for somebody: the decision knows one only on a device that is for
/// nothing else, and only a young person learns by rules of their own.
fn education_fits(device: &Person, learner: &Person) -> Result<(), Failure> {
    if device.profile != Profile::EducationSession {
        return Err(Failure::no(format!("{} is no device for education sessions", device.name)).help(
            format!(
                "a session is opened on a device whose agreement says `profile: education_session`; \
             `--sites education` opens sites for learning to `{}`",
                device.id
            ),
        ));
    }
    if learner.kind != PersonKind::YoungPerson {
        return Err(Failure::no(format!("{} is no young person: a session is for one", learner.name)));
    }
    Ok(())
}

impl Grant {
    /// Grants.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let kind = self.kind()?;
        let desk = Desk::open(&self.home, Purpose::Beside)?;
        let by = desk.by(&self.done.by, &[Role::Manager, Role::Staff])?;
        let person = desk.agreement(&self.person)?;
        if let GrantKind::Education { young_person } = &kind {
            education_fits(person, desk.agreement(young_person)?)?;
        }
        let until = self.until(&desk)?;
        let (id, reason) = (person.id.clone(), self.done.reason.clone());
        let session = self.on.as_deref().map(|on| supervision(person, on, &by.name)).transpose()?;
        let new = NewGrant { person: id, kind: kind.clone(), until, by, reason };
        let entry = match session.clone() {
            Some(session) => desk.write(desk.records.supervise(new, session))?,
            None => desk.write(desk.records.grant(new))?,
        };
        let ends = desk.house().spoken(until, desk.now());
        terminal::say_line(&format!("Granted until {ends} as entry {entry}."));
        let who = desk.house().person(&person.id);
        let device = session.zip(who).and_then(|(s, who)| desk.house().devices_called(who, &s.device).next());
        terminal::say(&still_closed(&desk, person, &kind, device)?);
        Ok(Exit::Done)
    }

    fn until(&self, desk: &Desk) -> Result<DateTime<Utc>, Failure> {
        let now = desk.now();
        if let Some(end) = self.end.at(now, desk.zone())? {
            return Ok(end);
        }
        let extra = self.opens.extra_time.as_deref().ok_or_else(|| {
            Failure::cannot_read("a grant has an end").help("say `--for 30m` or `--until 21:00`")
        })?;
        Ok(now + when::length(extra).map_err(Failure::cannot_read)?)
    }

    fn kind(&self) -> Result<GrantKind, Failure> {
        let Opens { sites, extra_time, supervised, education_session } = &self.opens;
        if let Some(words) = sites {
            return Ok(GrantKind::Sites(what(words)?));
        }
        if extra_time.is_some() {
            return Ok(GrantKind::ExtraTime(self.key()?));
        }
        if let Some(young_person) = education_session {
            return Ok(GrantKind::Education { young_person: young_person.clone() });
        }
        let words = supervised.as_deref().unwrap_or_default();
        Ok(GrantKind::Supervised(words.iter().map(|w| word(w)).collect::<Result<_, _>>()?))
    }

    fn key(&self) -> Result<LimitKey, Failure> {
        match self.of.as_deref() {
            None | Some("everything") => Ok(LimitKey::Everything),
            Some(of) => word(of).map(LimitKey::Word),
        }
    }
}

/// Reads a word of the language.
pub(crate) fn word(text: &str) -> Result<Word, Failure> {
    console::word(text).map_err(unread)
}

/// Reads words, or `everything`.
pub(crate) fn what(words: &[String]) -> Result<What, Failure> {
    console::what(words).map_err(unread)
}

fn unread(why: Unread) -> Failure {
    let Unread { sentence, help } = why;
    let failure = Failure::cannot_read(sentence);
    if help.is_empty() { failure } else { failure.help(help) }
}

/// The device that a supervised session is bound to.
fn supervision(person: &Person, on: &str, adult: &str) -> Result<Supervision, Failure> {
    let names: Vec<&str> = person.devices.iter().map(|device| device.name.as_str()).collect();
    if !names.contains(&on) {
        let failure = Failure::cannot_read(format!("{} has no device that is called `{on}`", person.name));
        let known = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
        return Err(failure.help(format!("the devices of the agreement: {known}")));
    }
    Ok(Supervision { adult: adult.to_owned(), device: on.to_owned() })
}

/// A line for each thing that was granted and is still closed, on a device where it is opened there alone; empty when all of
/// it is open.
pub(crate) fn still_closed(
    desk: &Desk,
    person: &Person,
    kind: &GrantKind,
    device: Option<u16>,
) -> Result<String, Failure> {
    let catalogue = catalogue::for_command(&desk.loaded, desk.loaded.state().as_ref(), clock::now())?;
    let standing = desk.ask(desk.records.standing(desk.house()))?;
    let standing = standing.on(device);
    let told = console::still_closed((desk.house(), &catalogue), &standing, person, kind, desk.now());
    Ok(told.iter().map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        grant: Grant,
    }

    fn kind(options: &str) -> Result<GrantKind, String> {
        let words = format!("x --person jo --by k --reason r {options}");
        let line = Line::try_parse_from(words.split(' ')).map_err(|e| e.kind().to_string())?;
        line.grant.kind().map_err(|e| e.to_string())
    }

    #[test]
    fn what_a_grant_opens() {
        let site = |s| word(s).expect("a word");
        assert_eq!(
            kind("--sites bbc.co.uk,games"),
            Ok(GrantKind::Sites(What::Words(vec![site("bbc.co.uk"), site("games")])))
        );
        assert_eq!(kind("--sites everything"), Ok(GrantKind::Sites(What::Everything)));
        assert_eq!(kind("--extra-time 20m"), Ok(GrantKind::ExtraTime(LimitKey::Everything)));
        assert_eq!(
            kind("--extra-time 20m --of games"),
            Ok(GrantKind::ExtraTime(LimitKey::Word(site("games"))))
        );
        assert_eq!(kind("--supervised --for 1h"), Ok(GrantKind::Supervised(Vec::new())));
        let session = GrantKind::Education { young_person: "sam".to_owned() };
        assert_eq!(kind("--education-session sam --for 1h"), Ok(session));
        for wrong in
            ["", "--sites a.example --extra-time 20m", "--sites gamez", "--sites co.uk", "--of games"]
        {
            assert!(kind(wrong).is_err(), "{wrong}");
        }
    }
}
