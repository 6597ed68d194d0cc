//! What a grant does not open. What was granted is judged as it now stands: a restriction, the floor or a sealed list goes
//! before a grant, and staff should not send a young person away with a yes that is none.

use agreements::{
    Explanation, GrantKind, Host, House, LimitKey, Outcome, Person, Request, Rule, Standing, What, Word,
};
use blocklists::{Catalogue, Category, Domain, Tags};
use chrono::{DateTime, Utc};

/// A site that no list and no agreement has.
const UNLISTED: &str = "unlisted-by-anyone.invalid";

/// One thing that was granted, as somebody would ask for it.
struct Sample {
    /// As staff wrote it.
    what: String,
    host: Domain,
    tags: Tags,
    path: Option<String>,
}

impl Sample {
    fn of_kind(what: &str, tags: Tags) -> Self {
        let host = Domain::parse(UNLISTED).expect("a name that stands in this file");
        Self { what: what.to_owned(), host, tags, path: None }
    }

    fn of_word(word: &Word, catalogue: &Catalogue) -> Self {
        let site = |site: &Domain, path: Option<&str>| Self {
            what: word.to_string(),
            host: site.clone(),
            tags: catalogue.lookup(site.name()),
            path: path.map(str::to_owned),
        };
        match word {
            Word::Site(domain) | Word::Host(domain) => site(domain, None),
            Word::Path(domain, path) => site(domain, Some(path)),
            Word::Service(service) => Self::of_kind(service.word(), Tags::service(*service)),
            Word::Category(category) => Self::of_kind(category.word(), Tags::category(*category)),
        }
    }
}

/// What was granted, thing by thing.
fn samples(kind: &GrantKind, person: &Person, catalogue: &Catalogue) -> Vec<Sample> {
    let words = |words: &[Word]| words.iter().map(|word| Sample::of_word(word, catalogue)).collect();
    match kind {
        GrantKind::Sites(What::Everything) | GrantKind::ExtraTime(LimitKey::Everything) => {
            vec![Sample::of_kind("everything", Tags::NONE)]
        }
        GrantKind::Sites(What::Words(list)) => words(list),
        GrantKind::ExtraTime(LimitKey::Word(word)) => words(std::slice::from_ref(word)),
        GrantKind::Supervised(list) => {
            let agreed =
                person.words.iter().filter(|r| r.ruled == Outcome::WithStaff).map(|r| r.word.clone());
            words(&list.iter().cloned().chain(agreed).collect::<Vec<_>>())
        }
        GrantKind::Education { .. } => {
            vec![Sample::of_kind("sites for learning", Tags::category(Category::EDUCATION))]
        }
    }
}

/// Whether a refusal is the agreement's own and was never to be lifted: more time for everything changes no word.
fn is_meant(kind: &GrantKind, rule: Rule) -> bool {
    *kind == GrantKind::ExtraTime(LimitKey::Everything) && matches!(rule, Rule::Otherwise | Rule::EmailOnly)
}

/// A sentence for each thing that a grant of this kind leaves closed for a person, as `standing` has it; none when all of
/// it is open.
pub fn still_closed(
    (house, catalogue): (&House, &Catalogue),
    standing: &Standing,
    person: &Person,
    kind: &GrantKind,
    at: DateTime<Utc>,
) -> Vec<String> {
    let Some(who) = house.person(&person.id) else { return Vec::new() };
    let mut told = Vec::new();
    for sample in samples(kind, person, catalogue) {
        let (host, path) = (Host::Name(sample.host.name()), sample.path.as_deref());
        let request = Request { host, tags: sample.tags, path };
        let verdict = house.judge(who, at, &request, standing);
        if verdict.allows() || is_meant(kind, verdict.rule) {
            continue;
        }
        let explanation = house.explain(who, at, &request, standing);
        let until = verdict.until.map(|until| house.spoken(until, at));
        told.push(sentence(&sample.what, &person.name, &explanation, until.as_deref()));
    }
    told
}

fn sentence(what: &str, name: &str, explanation: &Explanation, until: Option<&str>) -> String {
    let why = &explanation.sentence;
    // Many sentences tell their end already.
    let until =
        until.filter(|until| !why.contains(*until)).map(|until| format!(" So it stays until {until}."));
    format!("Still closed for {name}: {what}. {why}{}", until.unwrap_or_default())
}
