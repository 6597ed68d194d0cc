//! The refusal page: what, why, which line, until when, ask, tell someone, and who can help.
//!
//! It is shown in place of the refused site, under that site's address: to a browser it is a page of theirs, and their scripts may
//! read it. So it names neither people nor the home, and holds no form. Asking and telling have pages of their own at the gateway's address
//! ([`crate::telling`]), which no other site's script can read.

use crate::ask::AskKey;
use crate::contacts::{Contact, on_refusals};
use crate::young::Voice;
use agreements::{Detector, Draft, Explanation, House, Outcome, PersonId, Rule, Standing};
use askama::Template;
use axum::http::HeaderValue;
use blocklists::{Category, Domain, builtin};
use chrono::{DateTime, Utc};
use records::Current;

/// A refusal page's looks: it stands alone, and brings its own switches.
const STYLE_HERE: &str =
    concat!(include_str!("../templates/page.css"), include_str!("../templates/refusal.css"));

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
    talk_url: String,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    style: &'static str,
    lang: &'static str,
    dir: &'static str,
    title: &'static str,
    /// What the switches are called to whoever hears the page.
    easy: &'static str,
    strong: &'static str,
    host: Option<&'a str>,
    /// The same in each language, the reader's first. The page is shown under a stranger's address, where nothing is asked of
    /// the gateway again: whoever wants other words switches without it.
    voices: [Said<'a>; 2],
    support: Vec<Contact<'a>>,
}

/// A refusal in one language.
struct Said<'a> {
    v: Voice,
    /// The same voice in easy words: both stand in the page, and a switch chooses.
    easier: Voice,
    /// What its switch is called in the page, and what it is called to whoever hears the page.
    id: &'static str,
    name: &'static str,
    heading: &'static str,
    /// The same in a few plain words.
    easy: &'static str,
    sentence: &'a str,
    /// What it was, where a way around is refused that is known.
    around: Option<&'static str>,
    until: String,
    until_easy: String,
    source: Option<SourceBox<'a>>,
    /// What somebody may do whom staff have closed something for.
    restricted: bool,
    ask: Option<String>,
    saw: String,
    /// Where everybody stands who helps.
    talk: String,
    learn: Option<(&'static str, String)>,
    /// The other language's switch.
    other: (&'static str, &'static str),
}

struct SourceBox<'a> {
    whose: &'static str,
    text: &'a str,
    place: String,
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
/// The path of the page of people to talk to.
pub(crate) const TALK: &str = "/talk";

impl Refusals {
    /// `own_url` is the gateway's own name as a URL without a path (`http://hearthgate.home.arpa`): forms go there, since
    /// it answers on every way to the gateway.
    pub fn new(key: AskKey, own_url: &str) -> Self {
        let [ask_url, saw_url, talk_url] = [ASK, SAW, TALK].map(|path| format!("{own_url}{path}"));
        Self { key, ask_url, saw_url, talk_url }
    }

    /// The key of the forms' tokens.
    pub(crate) fn key(&self) -> &AskKey {
        &self.key
    }

    /// A refusal in the form that the client can show. `at` is the instant of the refusal; `language` is what the browser says of
    /// the reader's languages (`Accept-Language`), of which a page speaks the first that it has.
    pub fn render(
        &self,
        current: &Current,
        who: PersonId,
        explanation: &Explanation,
        (form, language): (Form, Option<&HeaderValue>),
        at: DateTime<Utc>,
    ) -> String {
        match form {
            Form::Html => self.html(current, who, explanation, (Voice::of_browser(language), at)),
            Form::Json => self.json(current, who, explanation),
            Form::Text => text(current, who, explanation, at),
        }
    }

    fn html(
        &self,
        current: &Current,
        who: PersonId,
        explanation: &Explanation,
        (v, at): (Voice, DateTime<Utc>),
    ) -> String {
        let page = RefusalPage {
            style: STYLE_HERE,
            lang: v.say("lang"),
            dir: v.say("dir"),
            title: heading(explanation, v),
            easy: v.say("easy"),
            strong: v.say("strong"),
            host: shown_host(explanation),
            // Where the browser asks for these words anyway no address has to say so.
            voices: [(v, false), (v.other(), true)]
                .map(|words| self.said(words, current, (who, explanation), at)),
            support: on_refusals(current.snapshot.house.home()),
        };
        // Rendering writes into a string, which cannot fail; were it to, the plain form says the same.
        page.render().unwrap_or_else(|_| text(current, who, explanation, at))
    }

    fn said<'a>(
        &self,
        (v, kept): (Voice, bool),
        current: &Current,
        (who, explanation): (PersonId, &'a Explanation),
        at: DateTime<Utc>,
    ) -> Said<'a> {
        let link = |url: &str| if kept { v.link(url) } else { url.to_owned() };
        let until = |v| until(current, (who, explanation), v, at);
        let (id, other) = if v.is_welsh() { ("cy", ("en", "en-GB")) } else { ("en", ("cy", "cy")) };
        Said {
            v,
            easier: v.easier(),
            id,
            // Each language's switch says the other's name.
            name: v.other().say("other"),
            heading: heading(explanation, v),
            easy: why(explanation, v.easier()),
            sentence: sentence(explanation, v),
            around: around(explanation).map(|detector| v.of_detector(detector)),
            until: until(v),
            until_easy: until(v.easier()),
            source: source_box(explanation, v),
            restricted: is_restricted(explanation),
            ask: may_ask(current, who, explanation).then(|| link(&self.ask_about(&explanation.host))),
            saw: link(&self.saw_url),
            talk: link(&self.talk_url),
            learn: learn(explanation).map(|site| (site, v.fill("refused.learn", &[("site", site)]))),
            other,
        }
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
            tell_someone: Voice::default().say("saw.tell"),
            support: on_refusals(current.snapshot.house.home()),
        };
        // The shape holds only strings, numbers and lists, which always serialise.
        serde_json::to_string(&whole).unwrap_or_default()
    }
}

/// Whether staff have closed it beyond the agreement.
fn is_restricted(explanation: &Explanation) -> bool {
    explanation.verdict != Outcome::Allow && explanation.rule == Rule::Restriction
}

/// Which way around the gateway is refused, where one is and it is for being one.
fn around(explanation: &Explanation) -> Option<Detector> {
    let closed = explanation.verdict != Outcome::Allow;
    if !closed || !matches!(explanation.rule, Rule::Floor | Rule::Category) {
        return None;
    }
    if let Ok(address) = explanation.host.parse() {
        return Some(Detector::of_address(address));
    }
    let is_around = explanation.categories.contains(&Category::CIRCUMVENTION.word());
    let host = Domain::parse(&explanation.host).ok().filter(|_| is_around)?;
    Detector::of_name(host.name())
}

/// Whether a refusal offers to ask staff, in every form alike. They have to know who asks; and nobody can open a sealed
/// site, so that asking would only raise a hope. What is open needs no asking.
pub(crate) fn may_ask(current: &Current, who: PersonId, explanation: &Explanation) -> bool {
    let known = current.snapshot.house.agreement(who).is_some();
    known && explanation.rule != Rule::Sealed && explanation.verdict != Outcome::Allow
}

/// Until when, for the rules that end by time. For the others the verdict's `until` only says when another rule takes over.
fn until(
    current: &Current,
    (who, explanation): (PersonId, &Explanation),
    v: Voice,
    at: DateTime<Utc>,
) -> String {
    let house = &current.snapshot.house;
    let ends = explanation.until.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let ends = || ends.map_or(String::new(), |ends| until_time(house, v, ends.with_timezone(&Utc), at));
    match (explanation.rule, explanation.verdict) {
        (_, Outcome::Allow) => v.say("until.load").into(),
        (Rule::Limit, _) => {
            minutes_again(house, who, at).map_or(String::new(), |again| until_time(house, v, again, at))
        }
        (Rule::Online | Rule::SchoolHours | Rule::Restriction | Rule::Grant, _) => ends(),
        (Rule::Baseline, _) => until_agreed(house, who, v, at),
        (_, Outcome::Ask) => v.say("until.yes").into(),
        (_, Outcome::WithStaff) => v.say("until.with_staff").into(),
        (
            Rule::Site | Rule::Service | Rule::Category | Rule::Otherwise | Rule::Floor | Rule::EmailOnly,
            Outcome::Block,
        ) => v.say("until.same").into(),
        (Rule::Sealed | Rule::Protected | Rule::PrivateMail | Rule::EducationSession, Outcome::Block) => {
            String::new()
        }
    }
}

/// When minutes that are used up can be used again: there are new ones when the home's day ends, and then the internet has to be
/// open. None where that is more than a day after.
pub(crate) fn minutes_again(house: &House, who: PersonId, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let new = house.day_ends(at);
    let then = house.left_of_times(who, new, &Standing::default());
    if then.open { Some(new) } else { then.until }
}

fn until_time(house: &House, v: Voice, ends: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let zone = house.home().timezone;
    let said = if v.is_welsh() { v.when(ends, at, zone) } else { house.spoken(ends, at) };
    v.fill("until.time", &[("until", &said)])
}

/// Until when the baseline keeps something closed: the morning, or what it waits for.
fn until_agreed(house: &House, who: PersonId, v: Voice, at: DateTime<Utc>) -> String {
    if who == House::NO_CLOCK {
        return v.say("until.clock").into();
    }
    if let (false, Some(opens)) = house.moment(who, at, &Standing::default()).online() {
        return until_time(house, v, opens, at);
    }
    let key = match house.agreement(who).map(|person| &person.draft) {
        None => "until.known",
        Some(None | Some(Draft::Missing(_))) => "until.finished",
        Some(Some(Draft::Unusable | Draft::HomeUnusable | Draft::NoRecords)) => "until.right",
    };
    v.say(key).into()
}

fn heading(explanation: &Explanation, v: Voice) -> &'static str {
    let key = match (explanation.verdict, explanation.rule) {
        (Outcome::Allow, _) => "refused.open",
        (Outcome::Ask, _) => "refused.ask",
        (Outcome::WithStaff, _) => "refused.with_staff",
        (Outcome::Block, Rule::Online) => "refused.times",
        (Outcome::Block, Rule::SchoolHours | Rule::EducationSession) => "refused.learning",
        (Outcome::Block, Rule::Limit) => "refused.limit",
        (Outcome::Block, Rule::Restriction) => "refused.paused",
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
        ) => "refused.closed",
    };
    v.say(key)
}

/// Why, as a page says it: the decision speaks the home's own language alone, and in no easy words.
pub(crate) fn sentence(explanation: &Explanation, v: Voice) -> &str {
    if v.is_welsh() || v.is_easy() { why(explanation, v) } else { &explanation.to_you }
}

/// Why, in a few plain words: for whoever wants them, and in the languages that the decision does not speak.
fn why(explanation: &Explanation, v: Voice) -> &'static str {
    let key = match (explanation.verdict, explanation.rule) {
        (Outcome::Allow, _) => "why.open",
        (Outcome::Ask, _) => "why.ask",
        (Outcome::WithStaff, _) => "why.with_staff",
        (Outcome::Block, Rule::Online) => "why.times",
        (Outcome::Block, Rule::SchoolHours | Rule::EducationSession) => "why.learning",
        (Outcome::Block, Rule::Limit) => "why.limit",
        (Outcome::Block, Rule::Restriction) => "why.paused",
        (Outcome::Block, Rule::Sealed) => "why.sealed",
        (Outcome::Block, Rule::Floor | Rule::Protected | Rule::Grant) => "why.floor",
        (Outcome::Block, Rule::Site | Rule::Service | Rule::Category | Rule::PrivateMail) => "why.agreed",
        (Outcome::Block, Rule::Otherwise) => "why.otherwise",
        (Outcome::Block, Rule::Baseline) => "why.baseline",
        (Outcome::Block, Rule::EmailOnly) => "why.mail",
    };
    v.say(key)
}

/// Nobody is shown the address of a sealed site, not even the person who typed it.
fn shown_host(explanation: &Explanation) -> Option<&str> {
    (explanation.rule != Rule::Sealed).then_some(explanation.host.as_str())
}

fn source_box(explanation: &Explanation, v: Voice) -> Option<SourceBox<'_>> {
    let source = explanation.source.as_ref()?;
    let line = source.line.to_string();
    let (whose, place) =
        if is_theirs(source) { ("rule.yours", "rule.line.yours") } else { ("rule.home", "rule.line.home") };
    Some(SourceBox { whose: v.say(whose), text: &source.text, place: v.fill(place, &[("line", &line)]) })
}

/// Whether a line stands in somebody's own agreement.
fn is_theirs(source: &agreements::Source) -> bool {
    source.file.starts_with("agreements/")
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
    // What a program shows is in English, as the decision is.
    let v = Voice::default();
    let mut lines = vec![heading(explanation, v).to_owned(), explanation.to_you.clone()];
    if let Some(source) = source_box(explanation, v) {
        lines.push(format!("{}: {} ({})", source.whose, source.text, source.place));
    }
    let until = until(current, (who, explanation), v, at);
    if !until.is_empty() {
        lines.push(until);
    }
    if is_restricted(explanation) {
        lines.push(v.say("refused.restricted.1").to_owned());
    }
    let tell = v.say("saw.tell");
    lines.push(if may_ask(current, who, explanation) {
        format!("{} {tell}", v.say("refused.ask.here"))
    } else {
        tell.to_owned()
    });
    lines.push(v.say("refused.always").to_owned());
    for contact in on_refusals(current.snapshot.house.home()) {
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
