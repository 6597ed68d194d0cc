//! The refusal page: what, why, which line, until when, ask, tell someone, and who can help.
//!
//! It is shown in place of the refused site, under that site's address: to a browser it is a page of theirs, and their scripts may
//! read it. So it names neither people nor the home, and holds no form. Asking and telling have pages of their own at the gateway's address
//! ([`crate::telling`]), which no other site's script can read.

use crate::ask::AskKey;
use agreements::{Draft, Explanation, House, Outcome, PersonId, Rule, Standing};
use askama::Template;
use blocklists::{Category, builtin};
use chrono::{DateTime, Utc};
use records::Current;

pub(crate) const STYLE: &str = include_str!("../templates/page.css");
/// How many helplines stand on a refusal page. The rest would bury the first.
const HELPLINES: usize = 7;

/// In what form a refusal is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page.
    Html,
    /// The object of `explain --json`.
    Json,
    /// A few lines.
    Text,
}

impl Form {
    /// The `Content-Type` of the form.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// Renders refusals for one gateway.
pub struct Refusals {
    key: AskKey,
    ask_url: String,
    saw_url: String,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    style: &'static str,
    heading: &'static str,
    host: Option<&'a str>,
    sentence: &'a str,
    until: String,
    source: Option<SourceBox<'a>>,
    ask: Option<String>,
    saw: &'a str,
    tell: &'static str,
    support: Vec<Contact<'a>>,
    learn: Option<&'static str>,
}

struct SourceBox<'a> {
    whose: &'static str,
    text: &'a str,
    place: String,
}

/// Somebody who helps.
#[derive(serde::Serialize)]
pub(crate) struct Contact<'a> {
    pub(crate) host: &'a str,
    pub(crate) title: &'a str,
    pub(crate) reach: &'a str,
    #[serde(skip)]
    pub(crate) sentence: &'a str,
}

/// The JSON form: the object of `explain --json`, and what the page has beside it.
#[derive(serde::Serialize)]
struct RefusalJson<'a> {
    #[serde(flatten)]
    explanation: &'a Explanation,
    ask: Option<String>,
    tell_someone: &'static str,
    support: Vec<Contact<'a>>,
}

/// The path of the ask form.
pub(crate) const ASK: &str = "/hearthgate/ask";
/// The path of the form that says "I saw something".
pub(crate) const SAW: &str = "/hearthgate/saw";
/// What the token of that form is made for, in place of a host: no host has a space.
pub(crate) const SAW_SOMETHING: &str = "saw something";

impl Refusals {
    /// `own_url` is the gateway's own name as a URL without a path (`http://hearthgate.home.arpa`): forms go there, since
    /// it answers on every way to the gateway.
    pub fn new(key: AskKey, own_url: &str) -> Self {
        Self { key, ask_url: format!("{own_url}{ASK}"), saw_url: format!("{own_url}{SAW}") }
    }

    /// The key of the forms' tokens.
    pub(crate) fn key(&self) -> &AskKey {
        &self.key
    }

    /// A refusal in the form that the client can show. `at` is the instant of the refusal.
    pub fn render(
        &self,
        current: &Current,
        who: PersonId,
        explanation: &Explanation,
        form: Form,
        at: DateTime<Utc>,
    ) -> String {
        match form {
            Form::Html => self.html(current, who, explanation, at),
            Form::Json => self.json(current, who, explanation),
            Form::Text => text(current, who, explanation, at),
        }
    }

    fn html(&self, current: &Current, who: PersonId, explanation: &Explanation, at: DateTime<Utc>) -> String {
        let house = &current.snapshot.house;
        let may_ask = may_ask(current, who, explanation);
        let page = RefusalPage {
            style: STYLE,
            heading: heading(explanation),
            host: shown_host(explanation),
            sentence: &explanation.to_you,
            until: until(current, who, explanation, at),
            source: source_box(explanation),
            ask: may_ask.then(|| self.ask_about(&explanation.host)),
            saw: &self.saw_url,
            tell: TELL_SOMEONE,
            support: contacts(house.home()),
            learn: learn(explanation),
        };
        // Rendering writes into a string, which cannot fail; were it to, the plain form says the same.
        page.render().unwrap_or_else(|_| text(current, who, explanation, at))
    }

    /// Where staff can be asked about a host. The host is a name or an address: it has no letter that needs escaping but
    /// the colon, which a query may hold (RFC 3986 §3.4).
    fn ask_about(&self, host: &str) -> String {
        format!("{}?host={host}", self.ask_url)
    }

    fn json(&self, current: &Current, who: PersonId, explanation: &Explanation) -> String {
        let mut shown = explanation.clone();
        shown.person.clear();
        shown.sentence.clone_from(&shown.to_you);
        if let Some(source) = shown.source.as_mut().filter(|source| is_theirs(source)) {
            // The file is called after them.
            "agreements".clone_into(&mut source.file);
        }
        if shown.rule == Rule::Sealed {
            shown.host.clear();
            shown.trace.clear();
        }
        let whole = RefusalJson {
            explanation: &shown,
            ask: may_ask(current, who, explanation).then(|| self.ask_about(&explanation.host)),
            tell_someone: TELL_SOMEONE,
            support: contacts(current.snapshot.house.home()),
        };
        // The shape holds only strings, numbers and lists, which always serialise.
        serde_json::to_string(&whole).unwrap_or_default()
    }
}

/// Whether a refusal offers to ask staff, in every form alike. They have to know who asks; and nobody can open a sealed
/// site, so that asking would only raise a hope. What is open needs no asking.
pub(crate) fn may_ask(current: &Current, who: PersonId, explanation: &Explanation) -> bool {
    let known = current.snapshot.house.agreement(who).is_some();
    known && explanation.rule != Rule::Sealed && explanation.verdict != Outcome::Allow
}

const TELL_SOMEONE: &str = "Talk to whoever is on shift, or to anyone in the list.";

/// Until when, for the rules that end by time. For the others the verdict's `until` only says when another rule takes over.
fn until(current: &Current, who: PersonId, explanation: &Explanation, at: DateTime<Utc>) -> String {
    let house = &current.snapshot.house;
    let ends = explanation.until.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let ends =
        || ends.map_or(String::new(), |t| format!("Until {}.", house.spoken(t.with_timezone(&Utc), at)));
    match (explanation.rule, explanation.verdict) {
        (_, Outcome::Allow) => "Load the page again in a few seconds.".into(),
        (Rule::Online | Rule::SchoolHours | Rule::Limit | Rule::Restriction | Rule::Grant, _) => ends(),
        (Rule::Baseline, _) => until_agreed(house, who, at),
        (_, Outcome::Ask) => "Until staff say yes, or the agreement changes.".into(),
        (_, Outcome::WithStaff) => "Until a member of staff opens it together with you.".into(),
        (
            Rule::Site | Rule::Service | Rule::Category | Rule::Otherwise | Rule::Floor | Rule::EmailOnly,
            Outcome::Block,
        ) => "This is the same at any time, until the agreement or the home’s rules change.".into(),
        (Rule::Sealed | Rule::Protected | Rule::PrivateMail | Rule::EducationSession, Outcome::Block) => {
            String::new()
        }
    }
}

/// Until when the baseline keeps something closed: the morning, or what it waits for.
fn until_agreed(house: &House, who: PersonId, at: DateTime<Utc>) -> String {
    if who == House::NO_CLOCK {
        return "Until the gateway knows the time.".into();
    }
    if let (false, Some(opens)) = house.moment(who, at, &Standing::default()).online() {
        return format!("Until {}.", house.spoken(opens, at));
    }
    match house.agreement(who).map(|person| &person.draft) {
        None => "Until staff make this device known here.".into(),
        Some(None | Some(Draft::Missing(_))) => "Until the agreement is finished.".into(),
        Some(Some(Draft::Unusable | Draft::HomeUnusable | Draft::NoRecords)) => {
            "Until staff have put that right.".into()
        }
    }
}

fn heading(explanation: &Explanation) -> &'static str {
    match (explanation.verdict, explanation.rule) {
        (Outcome::Allow, _) => "This is open now",
        (Outcome::Ask, _) => "Ask first",
        (Outcome::WithStaff, _) => "Together with staff",
        (Outcome::Block, Rule::Online) => "Not right now",
        (Outcome::Block, Rule::SchoolHours | Rule::EducationSession) => "Learning time",
        (Outcome::Block, Rule::Limit) => "Time is used up for today",
        (Outcome::Block, Rule::Restriction) => "Paused for now",
        (
            Outcome::Block,
            Rule::Sealed
            | Rule::Protected
            | Rule::Floor
            | Rule::Grant
            | Rule::PrivateMail
            | Rule::Site
            | Rule::Service
            | Rule::Category
            | Rule::Otherwise
            | Rule::Baseline
            | Rule::EmailOnly,
        ) => "Not open here",
    }
}

/// Nobody is shown the address of a sealed site, not even the person who typed it.
fn shown_host(explanation: &Explanation) -> Option<&str> {
    (explanation.rule != Rule::Sealed).then_some(explanation.host.as_str())
}

fn source_box(explanation: &Explanation) -> Option<SourceBox<'_>> {
    let source = explanation.source.as_ref()?;
    let theirs = is_theirs(source);
    let whose = if theirs { "Your agreement says" } else { "The home’s rules say" };
    let what = if theirs { "your agreement" } else { "the home’s rules" };
    Some(SourceBox { whose, text: &source.text, place: format!("Line {} of {what}.", source.line) })
}

/// Whether a line stands in somebody's own agreement.
fn is_theirs(source: &agreements::Source) -> bool {
    source.file.starts_with("agreements/")
}

/// Who helps: the home's nation's, and the home's own.
pub(crate) fn contacts(home: &agreements::Home) -> Vec<Contact<'_>> {
    let own = home.protected.support.iter().filter_map(|(word, _)| match word {
        agreements::Word::Site(site) | agreements::Word::Host(site) => {
            Some(Contact { host: site.as_str(), title: site.as_str(), reach: "", sentence: "" })
        }
        agreements::Word::Path(..) | agreements::Word::Service(_) | agreements::Word::Category(_) => None,
    });
    let known = builtin::support_in(nation(home)).take(HELPLINES).map(|contact| Contact {
        host: contact.host,
        title: contact.title,
        reach: contact.reach(),
        sentence: contact.sentence,
    });
    known.chain(own.take(3)).collect()
}

/// The home's nation is the one whose bank holidays it keeps; England where it says none.
fn nation(home: &agreements::Home) -> builtin::Nation {
    match home.school.bank_holidays {
        None | Some(agreements::Nation::England) => builtin::Nation::England,
        Some(agreements::Nation::Wales) => builtin::Nation::Wales,
        Some(agreements::Nation::Scotland) => builtin::Nation::Scotland,
        Some(agreements::Nation::NorthernIreland) => builtin::Nation::NorthernIreland,
    }
}

/// Where to read more about the kind of site that was refused (seed 003 §4.12).
fn learn(explanation: &Explanation) -> Option<&'static str> {
    if explanation.rule == Rule::Sealed {
        return None;
    }
    explanation
        .categories
        .iter()
        .filter_map(|word| Category::from_word(word))
        .find_map(builtin::category_help)
}

fn text(current: &Current, who: PersonId, explanation: &Explanation, at: DateTime<Utc>) -> String {
    let mut lines = vec![heading(explanation).to_owned(), explanation.to_you.clone()];
    if let Some(source) = source_box(explanation) {
        lines.push(format!("{}: {} ({})", source.whose, source.text, source.place));
    }
    let until = until(current, who, explanation, at);
    if !until.is_empty() {
        lines.push(until);
    }
    let tell = TELL_SOMEONE;
    lines.push(if may_ask(current, who, explanation) {
        format!("Ask staff about it, or open this page in a browser to ask. {tell}")
    } else {
        tell.to_owned()
    });
    lines.push("These always work:".to_owned());
    for contact in contacts(current.snapshot.house.home()) {
        // A home's own contact may have nothing but its address, which is then not said twice.
        let mut said = vec![contact.title, contact.reach, contact.host];
        said.retain(|words| !words.is_empty());
        said.dedup();
        lines.push(format!("  {}", said.join("  ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests;
