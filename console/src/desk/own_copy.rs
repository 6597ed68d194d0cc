//! The page of an export for one young person that they read themself: their agreement, what was recorded, what they asked and told, what
//! staff closed and who looked, in the words of their own pages. One page a language; each needs nothing but itself, and prints.

use super::dossier;
use super::evidence::{File, Stamp, Subject};
use super::redact::Redactor;
use super::wrong::Wrong;
use crate::young::line::{Line, Part};
use crate::young::{Voice, agreed, now, recorded, week};
use agreements::{House, PersonKind};
use askama::Template;
use chrono::{DateTime, Datelike, Days, Utc};
use chrono_tz::Tz;
use records::{Entry, Logged, Order, Placed, Records, Which};
use std::collections::BTreeMap;

/// No more episodes than these stand on the page; all of them stand in their file.
const EPISODES: i64 = 500;

#[derive(Template)]
#[template(path = "desk/own_copy.html")]
struct OwnCopy<'a> {
    v: Voice,
    home: &'a str,
    name: &'a str,
    made: String,
    goes: Vec<Line>,
    /// Why their agreement is not in force; none where it is, and where they have none.
    not_in_force: Option<&'static str>,
    /// None of whoever has left, and none where what was agreed is not known.
    agreement: Option<Agreed<'a>>,
    kept: Vec<String>,
    episodes: Vec<Told>,
    some: Option<String>,
    by_hand: Vec<Line>,
    asks: Vec<Asked>,
    closed: Vec<Vec<Line>>,
    told: Vec<Line>,
    looked: Vec<Looked>,
    files: Vec<&'static str>,
}

/// What was agreed with them.
struct Agreed<'a> {
    days: Vec<week::Day>,
    sites: Vec<(&'static str, String)>,
    otherwise: &'static str,
    school: &'static str,
    promises: &'a [String],
    view: &'a str,
}

/// An episode, with what they said of it.
struct Told {
    when: String,
    said: String,
    notes: Vec<Line>,
}

/// An ask, and what became of it.
struct Asked {
    when: String,
    what: String,
    words: Line,
    answer: Line,
}

/// Who of staff looked at what of theirs.
struct Looked {
    name: String,
    what: Line,
    times: usize,
    last: String,
}

/// What all parts of the page are told with.
struct Teller<'a> {
    v: Voice,
    zone: Tz,
    others: &'a Redactor,
}

impl Teller<'_> {
    fn when(&self, at: DateTime<Utc>) -> String {
        let at = at.with_timezone(&self.zone);
        format!("{} {}", self.v.date_with_year(at.date_naive()), at.format("%H:%M"))
    }

    /// When an entry was written.
    fn of(&self, logged: &Logged) -> String {
        logged.at.parse().map(|at| self.when(at)).unwrap_or_default()
    }

    /// What staff wrote, without the names of others.
    fn home(&self, text: &str) -> Part {
        Part::of_home(self.v, self.others.text(text))
    }

    /// What they wrote themself.
    fn own(&self, text: &str) -> Part {
        Part::of_them(self.v, self.others.text(text))
    }

    /// A line of their own pages, without the names of others.
    fn without(&self, mut line: Line) -> Line {
        line.parts.iter_mut().for_each(|part| part.text = self.others.text(&part.text));
        line
    }

    fn asks(&self, entries: &[Logged]) -> Vec<Asked> {
        let answer = |entry: i64| {
            entries.iter().find_map(|logged| match &logged.says {
                Some(Entry::AskAnswered(answered)) if answered.entry == entry => Some(answered),
                _ => None,
            })
        };
        let one = |logged: &Logged| {
            let Some(Entry::Ask(asked)) = &logged.says else { return None };
            Some(Asked {
                when: self.of(logged),
                what: now::asked_for(&asked.host, self.v),
                words: self.own(&asked.words).into(),
                answer: self.without(now::answer(answer(logged.entry), self.v)),
            })
        };
        entries.iter().filter_map(one).collect()
    }

    /// What they told staff, and who has read it.
    fn told(&self, entries: &[Logged]) -> Vec<Line> {
        let mut told = Vec::new();
        for logged in entries {
            match &logged.says {
                Some(Entry::Report(report)) => told.push((logged, &report.words, None)),
                Some(Entry::ReportHeard(heard)) => {
                    let of = told.iter_mut().find(|(report, ..)| report.entry == heard.entry);
                    of.into_iter().for_each(|(_, _, read)| *read = Some(heard));
                }
                _ => {}
            }
        }
        let one = |(logged, words, read): (&Logged, &String, Option<&records::ReportHeard>)| {
            let when = self.of(logged);
            let said = match read {
                None => self.v.fill("told.waits", &[("when", &when)]),
                Some(heard) => self.v.fill("told.heard", &[("when", &when), ("name", &heard.by.name)]),
            };
            let answer = read.map(|heard| self.home(&heard.words));
            let space = || Part::ours(" ");
            let parts = [Part::ours(said), space(), self.own(words)];
            Line {
                parts: parts.into_iter().chain(answer.into_iter().flat_map(|said| [space(), said])).collect(),
            }
        };
        told.into_iter().map(one).collect()
    }

    /// What staff wrote down by hand.
    fn by_hand(&self, entries: &[Logged]) -> Vec<Line> {
        let one = |logged: &Logged| {
            let Some(Entry::Incident(said)) = &logged.says else { return None };
            let put = [("when", self.when(said.at)), ("name", said.by.name.clone())];
            let put = put.each_ref().map(|(key, value)| (*key, value.as_str()));
            let begins = format!("{}: ", self.v.fill("recorded.by_hand.line", &put));
            Some(Line { parts: vec![Part::ours(begins), self.home(&said.words)] })
        };
        entries.iter().filter_map(one).collect()
    }

    /// A restriction, line by line.
    fn closed(&self, placed: &Placed) -> Vec<Line> {
        let (v, said) = (self.v, &placed.said);
        let what = match &said.closes {
            None => v.say("closed.everything").to_owned(),
            Some(words) => words.iter().map(|word| v.of_text(word)).collect::<Vec<_>>().join(", "),
        };
        let put = [
            ("what", self.others.text(&what)),
            ("from", self.when(said.from)),
            ("until", self.when(placed.ends())),
        ];
        let put = put.each_ref().map(|(key, value)| (*key, value.as_str()));
        let more = [
            ("kept.more.why", self.home(&said.reason)),
            ("copy.tried", self.home(&said.tried)),
            ("copy.view", self.home(&said.view)),
        ];
        let more = more.into_iter().filter(|(_, part)| !part.text.is_empty());
        let lines = more.map(|(key, part)| v.around(key, [part]));
        std::iter::once(Part::ours(v.fill("copy.closed.line", &put)).into()).chain(lines).collect()
    }

    /// Who of staff looked at what of theirs, how often, and when last.
    fn looked(&self, entries: &[Logged]) -> Vec<Looked> {
        let mut all: BTreeMap<(&str, &str), (usize, String)> = BTreeMap::new();
        for logged in entries {
            if let Some(Entry::StaffAction(action)) = &logged.says
                && let Some(what) = action.what.strip_prefix("looked at ")
            {
                let (times, last) = all.entry((&action.by.name, what)).or_default();
                (*times, *last) = (*times + 1, self.of(logged));
            }
        }
        let one = |((name, what), (times, last)): ((&str, &str), (usize, String))| Looked {
            name: name.to_owned(),
            what: self.home(what).into(),
            times,
            last,
        };
        all.into_iter().map(one).collect()
    }
}

/// The page in each language, as files of the export. `entries` are those of the journal that are about them.
pub(super) async fn pages(
    (records, house): (&Records, &House),
    (subject, others): (&Subject<'_>, &Redactor),
    entries: &[Logged],
    files: &[File],
    stamp: &Stamp<'_>,
) -> Result<Vec<File>, Wrong> {
    let which = Which { person: Some(subject.id.to_owned()), ..Which::default() };
    let episodes = records.episodes_in(&which, Order::Newest, 0, EPISODES).await?.episodes;
    let all: u64 = records.shares(&which).await?.iter().map(|(_, counted)| counted.all()).sum();
    let home = house.home();
    let today = stamp.now.with_timezone(&home.timezone).date_naive();
    let monday = today - Days::new(today.weekday().num_days_from_monday().into());
    let kind = subject.agreement.map_or(PersonKind::YoungPerson, |(_, person)| person.kind);
    let mut pages = Vec::new();
    for (v, name) in [(Voice::default(), "summary.html"), (Voice::default().other(), "summary-cy.html")] {
        let teller = Teller { v, zone: home.timezone, others };
        let told = |episode: &records::Episode| Told {
            when: teller.when(episode.first),
            said: others.text(&recorded::sentence(episode, v)),
            notes: recorded::notes(episode, v).into_iter().map(|line| teller.without(line)).collect(),
        };
        let made = teller.when(stamp.now);
        let page = OwnCopy {
            v,
            home: &home.name,
            name: subject.name,
            made: v.fill("copy.made", &[("day", &made), ("name", &stamp.who.name)]),
            goes: vec![
                v.around("copy.for", [teller.home(stamp.recipient)]),
                v.around("copy.why", [teller.home(stamp.purpose)]),
            ],
            not_in_force: subject.agreement.and_then(|(_, person)| agreed::not_in_force(person, v)),
            agreement: subject.agreement.filter(|(_, person)| agreed::is_read(person)).map(
                |(who, person)| Agreed {
                    days: week::days(house, who, monday, (today, v)),
                    sites: agreed::sites(person, v),
                    otherwise: agreed::otherwise(person, v),
                    school: agreed::school(person, v),
                    promises: &person.behaviour,
                    view: person.agreed.young_person_view.as_deref().unwrap_or_default(),
                },
            ),
            kept: agreed::kept(kind, home, v),
            some: (all > episodes.len() as u64).then(|| {
                v.fill("copy.some", &[("n", &episodes.len().to_string()), ("file", "episodes.csv")])
            }),
            episodes: episodes.iter().map(told).collect(),
            by_hand: teller.by_hand(entries),
            asks: teller.asks(entries),
            closed: dossier::restrictions(entries).iter().map(|placed| teller.closed(placed)).collect(),
            told: teller.told(entries),
            looked: teller.looked(entries),
            files: files.iter().map(|file| file.name).collect(),
        };
        pages.push(File {
            name,
            about: "A page for them to read and to print: what stands in the other files, in plain words.",
            regulations: &["UK GDPR art 15"],
            // Rendering writes into a string, which cannot fail.
            content: page.render().unwrap_or_default().into_bytes(),
        });
    }
    Ok(pages)
}
