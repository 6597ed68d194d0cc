//! What is open now and until when, my minutes, what I asked for.

use super::first::{First, notice};
use super::line::{Line, Part};
use super::pin::{ME, SIGN_IN};
use super::show::{Show, asked as asked_to_show};
use super::{Frame, Voice, Whose, agreed, shown};
use crate::pages::{Desk, Visit};
use crate::refusal::{ASK, minutes_again};
use crate::telling::MORE_TIME;
use agreements::{
    Explanation, GrantKind, Host, LimitKey, LiveGrant, LiveRestriction, Outcome, Person, PersonId,
    PersonKind, Request, Rule, SchoolHours, Soon, UnknownDevices, What, Word,
};
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use blocklists::{Name, Tags};
use chrono::{DateTime, TimeDelta, Utc};
use records::{Answered, Ask, Current, Records, Reported, StoreError};

/// A site that no list and no agreement has: what is said of it is said of all that nobody mentioned.
const UNLISTED: &str = "unlisted-by-anyone.invalid";
/// Asks are shown while they wait, and for so long after the answer.
const ASKED: TimeDelta = TimeDelta::hours(24);
/// Kind reasons for a no, by their keys: staff choose one at the desk, which keeps its English words.
pub(crate) const KIND: [&str; 5] =
    ["asked.no.late", "asked.no.look", "asked.no.together", "asked.no.safe", "asked.no.screen"];
/// And what they told staff while nobody has read it, and for so long after.
const TOLD: TimeDelta = TimeDelta::days(7);
/// So many that wait are shown of each, and so many that do not any more.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "young/now.html")]
struct NowPage {
    frame: Frame,
    now: i64,
    device: String,
    state: &'static str,
    line: String,
    /// When that ends, in seconds since 1970, and how long it is until then in words.
    ends: Option<(i64, String)>,
    /// What is said shortly before the internet closes.
    soon: Option<&'static str>,
    /// Whether somebody can sign in on the device.
    signs_in: bool,
    kept: Vec<Line>,
    /// What is told before anything else, until they have read it.
    first: Option<First>,
    /// What staff ask to be shown.
    show: Option<Show>,
    minutes: Vec<Left>,
    asked: Vec<Asked>,
    opened: Vec<String>,
    /// What staff closed beyond the agreement, until when, and when they look at it again.
    closed: Vec<String>,
    /// What they told staff of late, and who has read it.
    told: Vec<String>,
    ask: Option<AskForms>,
    /// Where a PIN shows one's own pages on a shared device, and with what; whether somebody has.
    me: String,
    pin: Option<String>,
    leave: bool,
}

/// Minutes of one limit.
struct Left {
    of: String,
    used: u16,
    limit: u16,
    said: String,
}

struct Asked {
    what: String,
    answer: Line,
}

/// How one asks from here.
struct AskForms {
    action: String,
    fields: Vec<(&'static str, &'static str)>,
    token: String,
}

/// What is known of somebody from the records.
#[derive(Default)]
struct Known {
    minutes: Vec<Left>,
    asked: Vec<Asked>,
    opened: Vec<String>,
    closed: Vec<String>,
    told: Vec<String>,
}

/// `/`.
pub(crate) async fn page(desk: &Desk, visit: &Visit, v: Voice, signed_in: bool) -> Response<Body> {
    let whose = Whose::of(visit);
    let (title, device) = match &whose {
        Whose::Own(person) => {
            let name = [("name", person.name.as_str())];
            let device =
                if signed_in { v.say("device.signed").to_owned() } else { v.fill("device.known", &name) };
            (v.fill("hello", &name), device)
        }
        Whose::Shared(_) => (v.say("hello.nobody").to_owned(), v.say("device.shared").to_owned()),
        Whose::Nobody => (v.say("hello.nobody").to_owned(), v.say("device.unknown").to_owned()),
    };
    let known = match whose.own() {
        // What cannot be read is left out: the page with the helplines is shown all the same.
        Some(person) => known(desk.visitors.records(), visit, person, v).await.unwrap_or_default(),
        None => Known::default(),
    };
    let (first, show) = match whose.own().filter(|person| person.kind == PersonKind::YoungPerson) {
        Some(person) => (notice(desk, visit, person, v).await, asked_to_show(desk, visit, person, v).await),
        None => (None, None),
    };
    let (state, line, ends) = state(visit, v);
    let key = desk.refusals.key();
    let pin = match &whose {
        Whose::Shared(device) => Some(key.token(&device.id, SIGN_IN, visit.at)),
        Whose::Nobody | Whose::Own(_) => None,
    };
    // Asks are somebody's: on a shared device they are whoever's who is signed in, and nobody's else.
    let ask = whose.own().map(|person| AskForms {
        action: v.link(ASK),
        fields: v.fields(),
        token: key.token(&person.id, MORE_TIME, visit.at),
    });
    let page = NowPage {
        frame: Frame::of(v, visit, "/", title),
        now: visit.at.timestamp(),
        device,
        state,
        line,
        ends: ends.map(|at| counts_down(at, visit.at, v)),
        soon: whose.own().and_then(|_| soon(visit, v)),
        signs_in: signs_in(visit),
        kept: whose.own().map(|person| agreed::kept_more(person, visit, v)).unwrap_or_default(),
        first,
        show,
        minutes: known.minutes,
        asked: known.asked,
        opened: known.opened,
        closed: known.closed,
        told: known.told,
        ask,
        me: v.link(ME),
        pin,
        leave: signed_in,
    };
    shown(StatusCode::OK, &page)
}

/// What is said shortly before the internet closes: a window's end, school, minutes that could run out, a restriction.
fn soon(visit: &Visit, v: Voice) -> Option<&'static str> {
    let left = visit.current.snapshot.house.left(visit.who, visit.at, &visit.current.standing);
    left.warning(visit.at).map(|minutes| match minutes {
        Soon::Fifteen => v.say("soon.15"),
        Soon::Five => v.say("soon.5"),
    })
}

fn signs_in(visit: &Visit) -> bool {
    let house = &visit.current.snapshot.house;
    match house.agreement(visit.who) {
        None => house.home().unknown_devices == UnknownDevices::SignIn,
        Some(_) => house.is_for_whoever_signs_in(visit.who),
    }
}

/// An instant to count down to, in seconds since 1970, and how long it is until then in words.
pub(crate) fn counts_down(to: DateTime<Utc>, now: DateTime<Utc>, v: Voice) -> (i64, String) {
    (to.timestamp(), v.fill("count", &[("length", &v.length((to - now).num_minutes()))]))
}

/// What holds now: how it is drawn, the sentence, and when it ends.
fn state(visit: &Visit, v: Voice) -> (&'static str, String, Option<DateTime<Utc>>) {
    let (current, at) = (&visit.current, visit.at);
    let closes = current.snapshot.house.left_of_times(visit.who, at, &current.standing).until;
    holds(current, (visit.who, at), closes, v)
}

/// The same of somebody at an instant, for whom what is open closes then.
pub(crate) fn holds(
    current: &Current,
    (who, at): (PersonId, DateTime<Utc>),
    closes: Option<DateTime<Utc>>,
    v: Voice,
) -> (&'static str, String, Option<DateTime<Utc>>) {
    let house = &current.snapshot.house;
    let name = Name::new(UNLISTED).expect("a name that stands in this file");
    let request = Request { host: Host::Name(name), tags: Tags::NONE, path: None };
    let said = house.explain(who, at, &request, &current.standing);
    let until = said.until.as_deref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let until = match said.rule {
        // New minutes alone open nothing at night.
        Rule::Limit => minutes_again(house, who, at),
        _ => until,
    };
    let hours = house.agreement(who).map_or(SchoolHours::EducationOnly, |person| person.school_hours);
    let (state, key, ends) = what_holds(&said, hours, closes, until);
    let line = match ends {
        Some(ends) => v.fill(key, &[("until", &v.when(ends, at, house.home().timezone))]),
        // What has no end is said in other words.
        None if key.starts_with("now.") && v.say(key).contains("{until}") => {
            v.say(&format!("{key}.always")).to_owned()
        }
        None => v.say(key).to_owned(),
    };
    (state, line, ends)
}

/// What holds, what is said of it, and when it ends.
fn what_holds(
    said: &Explanation,
    hours: SchoolHours,
    closes: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
) -> (&'static str, &'static str, Option<DateTime<Utc>>) {
    match (said.verdict, said.rule) {
        (Outcome::Allow, _) => ("open", "now.open", closes),
        (_, Rule::Online) => ("off", "now.off", until),
        (_, Rule::Limit) => ("off", "now.limit", until),
        (_, Rule::Restriction) => ("off", "now.paused", until),
        (_, Rule::SchoolHours) if hours == SchoolHours::Offline => ("off", "now.off", until),
        (_, Rule::SchoolHours) if hours == SchoolHours::WithStaff => ("school", "now.with_staff", until),
        (_, Rule::SchoolHours | Rule::EducationSession) => ("school", "now.school", until),
        (_, Rule::EmailOnly | Rule::PrivateMail) => ("open", "now.email", None),
        (_, Rule::Baseline) => ("off", "now.baseline", None),
        (
            _,
            Rule::Sealed
            | Rule::Protected
            | Rule::Floor
            | Rule::Grant
            | Rule::Site
            | Rule::Service
            | Rule::Category
            | Rule::Otherwise,
        ) => ("open", "now.agreed", closes),
    }
}

async fn known(records: &Records, visit: &Visit, person: &Person, v: Voice) -> Result<Known, StoreError> {
    let house = &visit.current.snapshot.house;
    let minutes = records.minutes_today(house, visit.who).await?.into_iter().filter_map(|used| {
        let (limit, spent) = (used.limit?, used.counted.saturating_add(used.estimated));
        let of = match used.key.as_str() {
            "everything" => v.say("left.everything").to_owned(),
            word => v.of_text(word),
        };
        let words = |minutes: u16| v.length(minutes.into());
        let left = limit.saturating_sub(spent);
        let said = match left {
            0 => v.fill("left.none", &[("limit", &words(limit))]),
            _ => v.fill("left.of", &[("left", &words(left)), ("limit", &words(limit))]),
        };
        Some(Left { of, used: spent, limit, said })
    });
    let asks = records.asks(Some(visit.at - ASKED)).await?.into_iter();
    let asks = newest(asks.filter(|ask| ask.asked.person == person.id), |ask| ask.answered.is_none());
    let grants = records.live_grants().await?;
    let zone = house.home().timezone;
    let opened = grants.iter().filter(|grant| grant.person == person.id).map(|grant| {
        let until = v.when(grant.until, visit.at, zone);
        v.fill("opened.until", &[("what", &opens(grant, v)), ("until", &until)])
    });
    let reports = records.reports_of(&person.id, visit.at - TOLD).await?.into_iter();
    let reports = newest(reports, |told| told.heard.is_none());
    Ok(Known {
        told: reports.iter().map(|told| was_heard(told, v, visit)).collect(),
        minutes: minutes.collect(),
        asked: asks.iter().map(|ask| asked(ask, v)).collect(),
        opened: opened.collect(),
        closed: closed(records, visit, person, v).await?,
    })
}

/// The newest that wait and the newest that do not, in the order in which they come: what has its answer hides nothing that waits.
fn newest<T>(all: impl Iterator<Item = T>, waits: impl Fn(&T) -> bool) -> Vec<T> {
    let mut left = [SHOWN; 2];
    let keeps = |one: &T| {
        let left = &mut left[usize::from(waits(one))];
        let room = *left > 0;
        *left = left.saturating_sub(1);
        room
    };
    all.filter(keeps).collect()
}

/// What staff closed for somebody beyond their agreement, since when and until when, and when that is looked at again. Why, they were
/// told: it is not for whoever looks over a shoulder.
async fn closed(
    records: &Records,
    visit: &Visit,
    person: &Person,
    v: Voice,
) -> Result<Vec<String>, StoreError> {
    let live = records.live_restrictions().await?;
    let theirs: Vec<_> = live
        .iter()
        .filter(|one| one.person == person.id && one.from <= visit.at && visit.at < one.until)
        .collect();
    if theirs.is_empty() {
        return Ok(Vec::new());
    }
    let placed = records.restrictions().await?;
    let zone = visit.current.snapshot.house.home().timezone;
    let line = |one: &LiveRestriction| {
        let (from, until) = (v.when(one.from, visit.at, zone), v.when(one.until, visit.at, zone));
        let what = [("what", closes(&one.what, v)), ("from", from), ("until", until)];
        let said = v.fill("closed.line", &what.each_ref().map(|(key, value)| (*key, value.as_str())));
        let review =
            placed.iter().find(|placed| placed.entry == one.entry).and_then(records::Placed::review_on);
        let review = review.map(|day| format!(" {}", v.fill("closed.review", &[("day", &v.date(day))])));
        format!("{said}{}", review.unwrap_or_default())
    };
    Ok(theirs.into_iter().map(line).collect())
}

/// What a restriction closes, in words.
fn closes(what: &What, v: Voice) -> String {
    match what {
        What::Everything => v.say("closed.everything").to_owned(),
        What::Words(words) => spoken(words, v),
    }
}

/// Words of the language, one after the other, as people read them.
fn spoken(words: &[Word], v: Voice) -> String {
    words.iter().map(|word| v.of_word(word)).collect::<Vec<_>>().join(", ")
}

/// That they told, and who has read it: what they said, and what staff did, is not for whoever looks over a shoulder.
fn was_heard(told: &Reported, v: Voice, visit: &Visit) -> String {
    let when = v.when(told.at, visit.at, visit.current.snapshot.house.home().timezone);
    let house = &visit.current.snapshot.house;
    let adult = told.report.adult.as_ref().map(|id| house.home().staff.iter().find(|staff| staff.id == *id));
    let said = match (&told.heard, adult) {
        (Some(heard), _) => v.fill("told.heard", &[("when", &when), ("name", &heard.by.name)]),
        (None, Some(Some(adult))) => v.fill("told.for", &[("when", &when), ("name", &adult.name)]),
        (None, Some(None)) => v.fill("told.gone", &[("when", &when)]),
        (None, None) => v.fill("told.waits", &[("when", &when)]),
    };
    let opened = told.opened.iter().map(|by| format!(" {}", v.fill("told.opened", &[("name", &by.name)])));
    said + &opened.collect::<String>()
}

fn asked(ask: &Ask, v: Voice) -> Asked {
    Asked { what: asked_for(&ask.asked.host, v), answer: answer(ask.answered.as_ref(), v) }
}

/// What an ask was about: a site, or more time.
pub(crate) fn asked_for(host: &str, v: Voice) -> String {
    if host.is_empty() { v.say("asked.time").to_owned() } else { host.to_owned() }
}

/// What staff said to an ask.
pub(crate) fn answer(answered: Option<&Answered>, v: Voice) -> Line {
    match answered {
        None => Part::ours(v.say("asked.waits")).into(),
        Some(answered) if answered.grant.is_some() => Part::ours(v.say("asked.yes")).into(),
        Some(answered) => v.around("asked.no", [reason(&answered.reason, v)]),
    }
}

/// Why staff said no: what they chose in the page's own words, what they wrote as they wrote it.
fn reason(said: &str, v: Voice) -> Part {
    match KIND.into_iter().find(|key| Voice::default().say(key) == said) {
        Some(key) => Part::ours(v.say(key)),
        None => Part::of_home(v, said),
    }
}

/// What a grant opens, to the person themself.
fn opens(grant: &LiveGrant, v: Voice) -> String {
    let words = |what: &What| match what {
        What::Everything => v.say("left.everything").to_owned(),
        What::Words(words) => spoken(words, v),
    };
    match &grant.kind {
        GrantKind::Sites(what) => words(what),
        GrantKind::ExtraTime(LimitKey::Everything) => v.say("opened.time").to_owned(),
        GrantKind::ExtraTime(LimitKey::Word(word)) => {
            format!("{}: {}", v.say("opened.time"), v.of_word(word))
        }
        GrantKind::Supervised(_) => match &grant.supervision {
            Some(with) => v.fill("opened.with", &[("adult", &with.adult), ("device", &with.device)]),
            None => v.say("agreement.with_staff").to_owned(),
        },
        GrantKind::Education { .. } => v.say("week.school").to_owned(),
    }
}
