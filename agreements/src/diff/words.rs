//! Sites, services and categories that a change gives or takes: each is judged in both homes.

use super::stretches::{UNLISTED, open_moment};
use super::{Sides, Which, WordChange};
use crate::house::moment::Moment;
use crate::house::{House, PersonId};
use crate::meant::Home;
use crate::request::{Host, Request};
use crate::standing::Standing;
use crate::verdict::Outcome;
use crate::word::Word;
use blocklists::{Category, Name, Service, Tags};
use std::collections::BTreeMap;

/// What is judged differently.
pub(super) struct Words {
    pub(super) otherwise: Option<WordChange>,
    pub(super) sites: Vec<WordChange>,
    pub(super) services: Vec<WordChange>,
    pub(super) categories: Vec<WordChange>,
}

/// A host and a path, as a request has them.
type Place = (String, Option<String>);

/// Everything that is judged differently.
pub(super) fn changes(sides: &Sides<'_>) -> Words {
    let both = Both::of(sides);
    let kind = |what: &str, tags| both.change(what, UNLISTED, tags, None);
    let otherwise = kind("what nobody mentioned", Tags::NONE);
    // What goes with the rest is told by the rest.
    let goes_with = otherwise.as_ref().map(|change| (change.old, change.new));
    let own = |change: &WordChange| Some((change.old, change.new)) != goes_with;
    let services = Service::all().filter_map(|s| kind(s.word(), Tags::service(s))).filter(own).collect();
    let categories = Category::all().filter_map(|c| kind(c.word(), Tags::category(c))).filter(own).collect();
    let named = named(sides);
    let site = |((host, path), what): (&Place, &String)| both.change(what, host, Tags::NONE, path.as_deref());
    Words { otherwise, sites: named.iter().filter_map(site).collect(), services, categories }
}

/// A moment of each home.
struct Both<'a> {
    old: (&'a House, Moment),
    new: (&'a House, Moment),
}

impl<'a> Both<'a> {
    fn of(sides: &Sides<'a>) -> Self {
        let moment = |house: &'a House, who: PersonId| {
            (house, house.moment(who, open_moment(house, who, sides.from), &Standing::default()))
        };
        Self { old: moment(sides.old, sides.was), new: moment(sides.new, sides.is) }
    }

    fn change(&self, what: &str, host: &str, tags: Tags, path: Option<&str>) -> Option<WordChange> {
        let host = Host::Name(Name::new(host).ok()?);
        let request = Request { host, tags, path };
        let judged =
            |(house, moment): &(&House, Moment)| -> Outcome { house.judge_in(moment, &request).outcome };
        let (old, new) = (judged(&self.old), judged(&self.new));
        let which = Which::of_outcomes(old, new)?;
        Some(WordChange { what: what.to_owned(), old, new, which })
    }
}

/// Every site that either home's files name for the person or for everybody, and how it is written.
fn named(sides: &Sides<'_>) -> BTreeMap<Place, String> {
    let mut named = BTreeMap::new();
    for (house, who) in [(sides.old, sides.was), (sides.new, sides.is)] {
        let everybodys = of_everybody(house.home());
        let theirs = house.agreement(who).into_iter().flat_map(|person| {
            person.words.iter().map(|r| &r.word).chain(person.education_sites.iter().map(|(word, _)| word))
        });
        for word in everybodys.into_iter().chain(theirs) {
            if let Some(place) = place(word) {
                // A site stands for its host too.
                let written: &mut String = named.entry(place).or_insert_with(|| word.to_string());
                if matches!(word, Word::Site(_)) {
                    *written = word.to_string();
                }
            }
        }
    }
    named
}

fn of_everybody(home: &Home) -> Vec<&Word> {
    let protected = &home.protected;
    let lists = [&home.everyone.block, &protected.support, &protected.private_mail, &protected.assistive];
    let words = lists.into_iter().flatten().map(|(word, _)| word);
    words.chain(home.baseline.words.iter().map(|ruling| &ruling.word)).collect()
}

fn place(word: &Word) -> Option<Place> {
    match word {
        Word::Site(site) | Word::Host(site) => Some((site.as_str().to_owned(), None)),
        Word::Path(site, path) => Some((site.as_str().to_owned(), Some(path.clone()))),
        Word::Service(_) | Word::Category(_) => None,
    }
}
