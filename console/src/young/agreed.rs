//! My agreement in my words, with what is written down about me and who can see it.

use super::line::{Line, Part};
use super::terms::{self, Term};
use super::{Frame, Voice, Whose, shown};
use crate::pages::Visit;
use agreements::{Draft, Home, MonitoringLevel, Outcome, Person, PersonKind, Profile, SchoolHours};
use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use chrono::Days;
use records::{GRACE, MARKING_REPORTS};

#[derive(Template)]
#[template(path = "young/agreement.html")]
struct AgreementPage {
    frame: Frame,
    lead: &'static str,
    /// Whether it is known what was agreed: else none of it is told.
    read: bool,
    times: Vec<Term>,
    /// Whether two of their lines may be for the same day.
    overlap: bool,
    /// Whether a bedtime is agreed, which ends the day's windows.
    bed: bool,
    sites: Vec<(&'static str, String)>,
    otherwise: &'static str,
    learns: &'static str,
    school: &'static str,
    /// Devices, sites for learning, search.
    terms: Vec<Term>,
    consequences: Vec<Line>,
    /// What of it counts.
    counts: String,
    agreed_by: Vec<String>,
    everyone: bool,
    promises: Vec<String>,
    tell: String,
    view: String,
    review: Option<String>,
    kept: Vec<String>,
    more: Vec<Line>,
}

/// `/agreement`.
pub(crate) fn page(visit: &Visit, v: Voice) -> Response<Body> {
    let home = visit.current.snapshot.house.home();
    let Whose::Own(person) = Whose::of(visit) else {
        return super::said(StatusCode::NOT_FOUND, v, visit, ("missing", &["recorded.not_here"]));
    };
    let page = AgreementPage {
        frame: Frame::of(v, visit, "/agreement", v.say("agreement")),
        lead: not_in_force(person, v).unwrap_or_else(|| v.say("agreement.lead")),
        read: is_read(person),
        times: terms::times(person, v),
        overlap: terms::overlap(person),
        bed: !person.bedtime.entries.is_empty(),
        sites: sites(person, v),
        otherwise: otherwise(person, v),
        learns: terms::education(person, v),
        school: school(person, v),
        terms: terms::more(person, v),
        consequences: terms::consequences(person, v),
        counts: counts(v),
        agreed_by: terms::agreed_by(person, v),
        everyone: !home.everyone.block.is_empty(),
        promises: person.behaviour.clone(),
        tell: person.tell_someone.clone().unwrap_or_default(),
        view: person.agreed.young_person_view.clone().unwrap_or_default(),
        review: person.agreed.review_by.map(|(by, _)| v.fill("agreement.review", &[("day", &v.date(by))])),
        kept: kept(person.kind, home, v),
        more: kept_more(person, visit, v),
    };
    shown(StatusCode::OK, &page)
}

/// Whether what was agreed is known: of a file that could not be used, or that nobody may use, only what stands for everything left
/// out would be told.
pub(crate) fn is_read(person: &Person) -> bool {
    match person.draft {
        None | Some(Draft::Missing(_)) => true,
        Some(Draft::Unusable | Draft::HomeUnusable | Draft::NoRecords) => false,
    }
}

/// Why an agreement is not in force; none where it is.
pub(crate) fn not_in_force(person: &Person, v: Voice) -> Option<&'static str> {
    let why = if is_read(person) { v.say("agreement.draft") } else { v.say("agreement.unusable") };
    person.draft.is_some().then_some(why)
}

/// What counts towards a consequence, and what telling of it does: as [`records::GRACE`] and [`records::MARKING_REPORTS`] have it.
fn counts(v: Voice) -> String {
    let (minutes, times) = (GRACE.num_minutes().to_string(), MARKING_REPORTS.to_string());
    v.fill("agreement.after.lead", &[("minutes", &minutes), ("times", &times)])
}

/// What is open, asked for, opened together and closed, in words: of those that change something.
pub(crate) fn sites(person: &Person, v: Voice) -> Vec<(&'static str, String)> {
    let kinds = [
        (Outcome::Allow, "agreement.open"),
        (Outcome::Ask, "agreement.ask"),
        (Outcome::WithStaff, "agreement.with_staff"),
        (Outcome::Block, "agreement.block"),
    ];
    let of = |outcome| {
        let words = terms::words(person).filter(|ruling| ruling.ruled == outcome);
        words.map(|ruling| v.of_word(&ruling.word)).collect::<Vec<_>>().join(", ")
    };
    let all = kinds.into_iter().map(|(outcome, key)| (v.say(key), of(outcome)));
    all.filter(|(_, words)| !words.is_empty()).collect()
}

/// What holds for everything that nobody mentioned.
pub(crate) fn otherwise(person: &Person, v: Voice) -> &'static str {
    match (person.profile, person.otherwise) {
        (Profile::EmailOnly, _) => v.say("agreement.email"),
        (Profile::EducationSession, _) => v.say("now.school.always"),
        (Profile::Agreement, Outcome::Allow) => v.say("agreement.otherwise.open"),
        (Profile::Agreement, Outcome::Ask) => v.say("agreement.otherwise.ask"),
        (Profile::Agreement, Outcome::WithStaff) => v.say("agreement.otherwise.with_staff"),
        (Profile::Agreement, Outcome::Block) => v.say("agreement.otherwise.block"),
    }
}

/// What learning time changes; nothing for whoever has none, and for whom only mail is open.
pub(crate) fn school(person: &Person, v: Voice) -> &'static str {
    if person.kind != PersonKind::YoungPerson || person.profile != Profile::Agreement {
        return "";
    }
    match person.school_hours {
        SchoolHours::EducationOnly => v.say("agreement.school.learning"),
        SchoolHours::WithStaff => v.say("agreement.school.with_staff"),
        SchoolHours::AsAgreed => v.say("agreement.school.as_agreed"),
        SchoolHours::Offline => v.say("agreement.school.off"),
    }
}

/// What is written down of everybody, who sees it, who gets a copy, and for how long it is kept. Of adults only those minutes are
/// counted that a limit needs; they have no social worker, and nothing is closed to keep them safe.
pub(crate) fn kept(kind: PersonKind, home: &Home, v: Voice) -> Vec<String> {
    let reads: &[&str] = match kind {
        PersonKind::Staff => &["kept.who.staff", "kept.said"],
        PersonKind::Visitor | PersonKind::YoungPerson | PersonKind::Device => {
            &["kept.who", "kept.said", "kept.said.who"]
        }
    };
    let (minutes, given, long) = match kind {
        PersonKind::Staff | PersonKind::Visitor => {
            ("kept.minutes.limits", "kept.given.adults", "kept.days.adults")
        }
        PersonKind::YoungPerson | PersonKind::Device => ("kept.minutes", "kept.given", "kept.days"),
    };
    let first = ["kept.refused", minutes, "kept.nothing"];
    let all = first.iter().chain(reads).chain([&given, &"kept.backup"]);
    let put = [("days", home.keep.breaches.to_string()), ("minutes", home.keep.minutes.to_string())];
    let long = v.fill(long, &put.each_ref().map(|(key, value)| (*key, value.as_str())));
    all.map(|key| v.say(key).to_owned()).chain([long]).collect()
}

/// What is kept beyond refusals, why, until when, and who decided it. A young person who is looked at more closely can see
/// so for as long as it lasts, and after it until the last of what was kept is gone.
pub(crate) fn kept_more(person: &Person, visit: &Visit, v: Voice) -> Vec<Line> {
    let home = visit.current.snapshot.house.home();
    let today = visit.at.with_timezone(&home.timezone).date_naive();
    let Some(kept) = person.monitored().filter(|kept| kept.told_on <= today) else { return Vec::new() };
    let what = match kept.level {
        MonitoringLevel::Breaches => return Vec::new(),
        MonitoringLevel::Categories => "kept.more.categories",
        MonitoringLevel::Sites => "kept.more.sites",
    };
    let (until, told) = (v.date_with_year(kept.until), v.date_with_year(kept.told_on));
    let said = if kept.holds_on(today) {
        let days = home.keep.monitoring.to_string();
        vec![v.fill(what, &[("day", &until)]), v.fill("kept.more.days", &[("days", &days)])]
    } else {
        // A day goes once it is older than that.
        let gone = kept.until.checked_add_days(Days::new(u64::from(home.keep.monitoring) + 1));
        let Some(gone) = gone.filter(|gone| today < *gone) else { return Vec::new() };
        vec![v.fill("kept.more.over", &[("day", &until), ("gone", &v.date_with_year(gone))])]
    };
    let why = v.around("kept.more.why", [Part::of_home(v, ended(kept.reason))]);
    let who = Part::ours(v.fill("kept.more.who", &[("who", kept.authorised_by), ("day", &told)]));
    said.into_iter().map(|said| Part::ours(said).into()).chain([why, who.into()]).collect()
}

/// Words with a full stop at their end.
fn ended(words: &str) -> String {
    let words = words.trim();
    if words.ends_with(['.', '!', '?']) { words.to_owned() } else { format!("{words}.") }
}
