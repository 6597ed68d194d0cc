//! The verdict in one plain sentence: kind, true, and without blame.

use super::{House, PersonId};
use crate::meant::{Draft, LimitKey, PersonKind, SchoolHours, UnknownDevices};
use crate::request::{Host, Request};
use crate::verdict::{Outcome, Rule, Subject, Verdict};
use crate::word::Word;
use blocklists::Category;
use chrono::{DateTime, Datelike, Utc};

/// What a sentence is made of.
struct Teller<'a> {
    house: &'a House,
    who: PersonId,
    at: DateTime<Utc>,
    request: &'a Request<'a>,
    verdict: &'a Verdict,
    /// What the person is called; none says "you".
    called: Option<&'a str>,
    /// Whether others may read along, so that nobody's name is said.
    private: bool,
}

/// What a device is called that is nobody's.
const DEVICE: &str = "this device";

impl House {
    /// The verdict in one plain sentence about the person, by name.
    pub fn sentence(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        verdict: &Verdict,
    ) -> String {
        let called = Some(self.agreement(who).map_or(DEVICE, |p| &p.name));
        Teller { house: self, who, at, request, verdict, called, private: false }.sentence()
    }

    /// The same to the person themself, and without anybody's name: others may read along.
    pub fn sentence_to_you(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        verdict: &Verdict,
    ) -> String {
        let called = match self.agreement(who) {
            None => Some(DEVICE),
            Some(shared) if shared.kind == PersonKind::Device => Some(shared.name.as_str()),
            Some(_) => None,
        };
        Teller { house: self, who, at, request, verdict, called, private: true }.sentence()
    }

    /// An instant as people say it, seen from another: `15:30` today, `07:00 on Monday` within a week, else with its date.
    pub fn spoken(&self, instant: DateTime<Utc>, from: DateTime<Utc>) -> String {
        let (then, now) = (self.on_the_wall(instant), self.on_the_wall(from));
        let days = (then.date_naive() - now.date_naive()).num_days();
        let format = match days {
            0 => "%H:%M",
            1..=6 => "%H:%M on %A",
            _ if then.year() == now.year() => "%H:%M on %A %-d %B",
            _ => "%H:%M on %A %-d %B %Y",
        };
        then.format(format).to_string()
    }
}

impl Teller<'_> {
    /// Who it is, inside a sentence.
    fn name(&self) -> &str {
        self.called.unwrap_or("you")
    }

    /// Who it is, at the start of a sentence.
    fn who(&self) -> String {
        capital(self.name())
    }

    /// Whose it is, at the start of a sentence.
    fn whose(&self) -> String {
        self.called.map_or_else(|| "Your".to_owned(), |name| format!("{}'s", capital(name)))
    }

    fn sentence(&self) -> String {
        let name = self.name();
        if self.verdict.subject == Subject::Search {
            return "This search engine has no safe search, so it is off here.".into();
        }
        match self.verdict.rule {
            Rule::Sealed => "This is closed for everyone, and nobody here can open it.".into(),
            Rule::Protected => self.protected(),
            Rule::Restriction => {
                let until = self.until(self.verdict.until);
                format!("The manager has closed this for {name} for now{until}. You can always ask why.")
            }
            Rule::Floor => format!("The home keeps {} closed for everyone.", self.what()),
            Rule::Grant => format!("Staff have opened this for {name}{}.", self.until(self.verdict.until)),
            Rule::Online => self.off(),
            Rule::PrivateMail => "Private mail is open, and nobody reads it.".into(),
            Rule::SchoolHours => self.school_hours(),
            Rule::Limit => self.limit(),
            Rule::Site | Rule::Service | Rule::Category => self.word(),
            Rule::Otherwise => self.otherwise(),
            Rule::Baseline => self.baseline(),
            Rule::EducationSession => self.education_session(),
            Rule::EmailOnly => match self.verdict.outcome {
                Outcome::Allow => "This is a part of mail pages, so it is open.".into(),
                Outcome::Ask | Outcome::WithStaff | Outcome::Block => {
                    format!("{} agreement is for private mail only.", self.whose())
                }
            },
        }
    }

    /// ` until …`, if it is known until when.
    fn until(&self, until: Option<DateTime<Utc>>) -> String {
        until.map_or(String::new(), |t| format!(" until {}", self.house.spoken(t, self.at)))
    }

    fn off(&self) -> String {
        // What could change sooner is a grant; the sentence tells when the agreement itself opens.
        let (_, opens) = self.house.moment(self.who, self.at, &crate::Standing::default()).online();
        format!("The internet is off for {}{}.", self.name(), self.until(opens))
    }

    fn protected(&self) -> String {
        match self.verdict.subject {
            Subject::Category(Category::ASSISTIVE) => {
                "This helps people to communicate, and is always open.".into()
            }
            Subject::None
            | Subject::Category(_)
            | Subject::Service(_)
            | Subject::Site
            | Subject::Address
            | Subject::Search
            | Subject::Limit(_)
            | Subject::Entry(_) => "This is always open, and nobody keeps a record of it.".into(),
        }
    }

    fn school_hours(&self) -> String {
        let (_, ends) = self.house.moment(self.who, self.at, &crate::Standing::default()).school();
        let (name, until) = (self.name(), self.until(ends));
        let hours = self.house.agreement(self.who).map_or(SchoolHours::EducationOnly, |p| p.school_hours);
        match self.verdict.outcome {
            Outcome::Allow => format!("It is school time{until}, and this is open for learning."),
            Outcome::Ask | Outcome::WithStaff => {
                format!("It is school time{until}: {name} can open this together with a member of staff.")
            }
            Outcome::Block => match hours {
                SchoolHours::Offline => format!("It is school time: the internet is off for {name}{until}."),
                SchoolHours::WithStaff => format!(
                    "It is school time{until}: {name} can open sites for learning together with a member of staff, and \
                     nothing else."
                ),
                SchoolHours::EducationOnly | SchoolHours::AsAgreed => {
                    format!("It is school time: only sites for learning are open for {name}{until}.")
                }
            },
        }
    }

    fn limit(&self) -> String {
        let limits = self.house.agreement(self.who).map_or(&[][..], |p| &p.limits);
        let limit = match self.verdict.subject {
            Subject::Limit(place) => limits.get(usize::from(place)),
            Subject::None
            | Subject::Category(_)
            | Subject::Service(_)
            | Subject::Site
            | Subject::Address
            | Subject::Search
            | Subject::Entry(_) => None,
        };
        let of = limit.map_or("the internet".into(), |l| key_in_words(&l.key));
        let again = self.house.spoken(self.starts_again(), self.at);
        format!("Today's time for {of} is used up for {}. It starts again at {again}.", self.name())
    }

    /// When minutes can be used again: the next home day, or the first opening after its start.
    fn starts_again(&self) -> DateTime<Utc> {
        let day = self.house.day_ends(self.at);
        match self.house.moment(self.who, day, &crate::Standing::default()).online() {
            (false, Some(opens)) => opens,
            (true, _) | (false, None) => day,
        }
    }

    fn word(&self) -> String {
        let (whose, what) = (self.whose(), self.what());
        match self.verdict.outcome {
            Outcome::Allow => format!("{whose} agreement opens {what}."),
            Outcome::Ask => format!("{whose} agreement says to ask staff before opening {what}."),
            Outcome::WithStaff => {
                format!("{} can open {what} together with a member of staff.", self.who())
            }
            Outcome::Block => format!("{whose} agreement keeps {what} closed."),
        }
    }

    fn otherwise(&self) -> String {
        let whose = self.whose();
        match self.verdict.outcome {
            Outcome::Allow if self.request.tags.has(Category::INFRASTRUCTURE) => {
                "This only carries parts of other pages, so it is open.".into()
            }
            Outcome::Allow => format!("{whose} agreement leaves this open."),
            Outcome::Ask => {
                format!("{whose} agreement does not mention this yet: staff can be asked to open it.")
            }
            Outcome::WithStaff => format!("{} can open this together with a member of staff.", self.who()),
            Outcome::Block => match self.called {
                Some(_) => format!("This is not among the sites of {whose} agreement."),
                None => "This is not among the sites of your agreement.".into(),
            },
        }
    }

    fn baseline(&self) -> String {
        let online = self.house.moment(self.who, self.at, &crate::Standing::default()).online().0;
        match self.verdict.outcome {
            Outcome::Allow => "This is open for everyone in the home.".into(),
            Outcome::Ask => "Staff can be asked to open this.".into(),
            Outcome::WithStaff => "This can be opened together with a member of staff.".into(),
            Outcome::Block if self.who == House::LOST => {
                "This device is marked as lost. Please take it to whoever is on shift.".into()
            }
            Outcome::Block if !online => self.off(),
            Outcome::Block if self.who == House::NO_CLOCK => {
                "The gateway does not know the right time yet, and until it does only some sites are open."
                    .into()
            }
            Outcome::Block => self.without_agreement(),
        }
    }

    /// Why the baseline holds. Whose slip it was is no young person's affair.
    fn without_agreement(&self) -> String {
        let whose = self.whose();
        match self.house.agreement(self.who).map(|person| &person.draft) {
            Some(Some(Draft::Unusable)) => format!(
                "{whose} agreement cannot be read just now, and until staff have put that right only some sites are \
                 open."
            ),
            Some(Some(Draft::HomeUnusable)) => {
                "The home's rules cannot be read just now, and until staff have put that right only some sites are open."
                    .into()
            }
            Some(Some(Draft::NoRecords)) => {
                "Something is wrong with the gateway's memory, and until it is put right only some sites are open."
                    .into()
            }
            Some(Some(Draft::Missing(_)) | None) => {
                format!("{whose} agreement is not finished yet, and until it is only some sites are open.")
            }
            None if self.house.home().unknown_devices == UnknownDevices::SignIn => {
                "This device is not known here yet: sign in on it, or ask staff to let it in.".into()
            }
            None => "This device is not known here yet, and until it is only some sites are open.".into(),
        }
    }

    fn education_session(&self) -> String {
        match (self.verdict.outcome, self.verdict.subject) {
            (Outcome::Allow, _) => format!("This is open for learning{}.", self.until(self.verdict.until)),
            (_, Subject::Entry(_)) => match self.offline_learner() {
                Some(_) if self.private => "An agreement keeps the internet off for lessons.".into(),
                Some(learner) => format!("{learner}'s agreement keeps the internet off for lessons."),
                None => "Only sites for learning are open in this session.".into(),
            },
            (Outcome::Ask | Outcome::WithStaff | Outcome::Block, _) => {
                "This computer works in a learning session that a member of staff opens.".into()
            }
        }
    }

    /// Whose `school_hours: offline` closed a session, by the line that the verdict points at.
    fn offline_learner(&self) -> Option<&str> {
        let is_theirs = |source| Some(source) == self.verdict.source;
        let mut people = self.house.people().map(|(_, person)| person);
        let learner =
            people.find(|p| p.school_hours == SchoolHours::Offline && is_theirs(p.school_hours_source));
        learner.map(|person| person.name.as_str())
    }

    /// What the rule is about, in words that a young person reads.
    fn what(&self) -> String {
        match self.verdict.subject {
            Subject::Category(category) => category.for_young_person().into(),
            Subject::Service(service) => service.title().into(),
            Subject::Address => "addresses without a name".into(),
            Subject::None | Subject::Site | Subject::Search | Subject::Limit(_) | Subject::Entry(_) => {
                match self.request.host {
                    Host::Name(name) => name.to_string(),
                    Host::Address(_) => "this address".into(),
                }
            }
        }
    }
}

/// A limit's key in words.
pub(crate) fn key_in_words(key: &LimitKey) -> String {
    match key {
        LimitKey::Everything => "the internet".into(),
        LimitKey::Word(Word::Service(service)) => service.title().into(),
        LimitKey::Word(Word::Category(category)) => category.for_young_person().into(),
        LimitKey::Word(Word::Site(site) | Word::Host(site) | Word::Path(site, _)) => site.to_string(),
    }
}

/// A name at the start of a sentence.
fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
