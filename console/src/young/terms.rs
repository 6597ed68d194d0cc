//! What an agreement says of times, minutes, devices, learning, search and consequences, in words made from what is enforced: the
//! young person's own page and the desk say it alike, on the screen and on the paper that is signed.

use super::line::{Line, Part};
use super::voice::Voice;
use agreements::{
    Consequence, DayTable, Days, Education, Outcome, Person, PersonKind, Profile, Ruling, SafeSearch, Window,
    Word,
};

/// A thing that is agreed, and what of it.
pub(crate) struct Term {
    pub(crate) what: String,
    pub(crate) said: Vec<String>,
}

/// When somebody is online, when their day ends, and their minutes: day by day as agreed, not as one week has it. A device of
/// lessons has none of its own: a session is both.
pub(crate) fn times(person: &Person, v: Voice) -> Vec<Term> {
    let mut said = by_day(&person.online, v, v.say("week.off"), |windows| spans(windows, v));
    if said.is_empty() && person.draft.is_none() {
        said = vec![format!("{}: {}", v.say("days.every"), v.say("week.off"))];
    }
    let online = Term { what: v.say("week.online").to_owned(), said };
    let bed = Term {
        what: v.say("week.bed").to_owned(),
        said: by_day(&person.bedtime, v, v.say("days.no_bed"), |minute| clock(*minute)),
    };
    let limits = person.limits.iter().map(|limit| Term {
        what: v.fill("agreement.minutes", &[("what", &v.of_key(&limit.key))]),
        said: by_day(&limit.minutes, v, v.say("days.no_limit"), |minutes| length(*minutes, v)),
    });
    let all: Vec<Term> = match person.profile {
        Profile::Agreement => [online, bed].into_iter().chain(limits).collect(),
        Profile::EmailOnly => vec![online, bed],
        Profile::EducationSession => Vec::new(),
    };
    all.into_iter().filter(|term| !term.said.is_empty()).collect()
}

/// Whether two lines of [`times`] may be for the same day, so that it has to be said which holds.
pub(crate) fn overlap(person: &Person) -> bool {
    let limits = person.limits.iter().any(|limit| limit.minutes.may_overlap());
    person.online.may_overlap() || person.bedtime.may_overlap() || limits
}

/// The words of an agreement that change something: only mail is open by an e-mail-only one, and staff open with them what it names
/// for that; a device of lessons has its session alone.
pub(crate) fn words(person: &Person) -> impl Iterator<Item = &Ruling> {
    person.words.iter().filter(|ruling| match person.profile {
        Profile::Agreement => true,
        Profile::EmailOnly => ruling.ruled == Outcome::WithStaff,
        Profile::EducationSession => false,
    })
}

/// Their devices, what else is for learning, and how search is held.
pub(crate) fn more(person: &Person, v: Voice) -> Vec<Term> {
    let devices: Vec<&str> = person.devices.iter().map(|device| device.name.as_str()).collect();
    let learns = person.education_sites.iter().filter(|_| person.profile == Profile::Agreement);
    let learning: Vec<String> = learns.map(|(word, _)| v.of_word(word)).collect();
    let search = match person.safe_search {
        SafeSearch::Off => v.say("agreement.search.off"),
        SafeSearch::Moderate => v.say("agreement.search.moderate"),
        SafeSearch::Strict => v.say("agreement.search.strict"),
    };
    let all = [
        ("agreement.devices", devices.join(", ")),
        ("agreement.learning", learning.join(", ")),
        ("agreement.search", search.to_owned()),
    ];
    let said = all.into_iter().filter(|(_, said)| !said.is_empty());
    said.map(|(key, said)| Term { what: v.say(key).to_owned(), said: vec![said] }).collect()
}

/// Where they learn; nothing for whoever is no young person.
pub(crate) fn education(person: &Person, v: Voice) -> &'static str {
    match (person.kind, person.education) {
        (PersonKind::Staff | PersonKind::Visitor | PersonKind::Device, _) => "",
        (PersonKind::YoungPerson, Education::School) => v.say("agreement.education.school"),
        (PersonKind::YoungPerson, Education::Home) => v.say("agreement.education.home"),
        (PersonKind::YoungPerson, Education::None) => v.say("agreement.education.none"),
    }
}

/// Who somebody is, part after part; what a file leaves out is no part.
pub(crate) fn listed(parts: [&str; 3]) -> String {
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    said.join(", ")
}

/// Who agreed to it, and when.
pub(crate) fn agreed_by(person: &Person, v: Voice) -> Vec<String> {
    let agreed = &person.agreed;
    let own = agreed.young_person_on.map(|on| v.fill("agreement.by.you", &[("day", &v.date_with_year(on))]));
    let worker = agreed.social_worker.as_ref().map(|(name, authority, on)| {
        let day = v.date_with_year(*on);
        v.fill("agreement.by.worker", &[("who", &listed([name, authority, &day]))])
    });
    let manager = agreed
        .home_manager
        .as_ref()
        .map(|(name, on)| v.fill("agreement.by.manager", &[("name", name), ("day", &v.date_with_year(*on))]));
    [own, worker, manager].into_iter().flatten().collect()
}

/// What staff may suggest when something happens too often.
pub(crate) fn consequences(person: &Person, v: Voice) -> Vec<Line> {
    let line = |one: &Consequence| {
        let (count, days) = (one.count.to_string(), one.days.to_string());
        let of = counted(&one.of, v);
        let put = [("of", of.as_str()), ("count", &count), ("days", &days)];
        let after = format!("{} ", v.fill("agreement.after.line", &put));
        Line { parts: vec![Part::ours(after), Part::of_home(v, one.suggest.clone())] }
    };
    person.consequences.iter().map(line).collect()
}

/// What a consequence counts: all, a way around, a severity, what a rule refused, or a kind of site.
fn counted(of: &str, v: Voice) -> String {
    let key = match of {
        "breaches" => "after.any",
        "circumvention" => "after.around",
        "low" => "after.low",
        "medium" => "after.medium",
        "high" => "after.high",
        "critical" => "after.critical",
        "online" => "after.times",
        "school_hours" => "after.learning",
        "education_session" => "after.session",
        "limit" => "after.limit",
        "sealed" => "after.sealed",
        "floor" => "after.everyone",
        "restriction" => "after.paused",
        "site" => "after.site",
        "service" => "after.service",
        "category" => "after.category",
        "otherwise" => "after.otherwise",
        "baseline" => "after.baseline",
        "email_only" => "after.mail",
        of => match Word::parse(of) {
            Ok(kind @ Word::Category(_)) => return v.fill("after.kind", &[("what", &v.of_word(&kind))]),
            // What always speaks to open: nothing is ever counted of it.
            _ => "after.agreed",
        },
    };
    v.say(key).to_owned()
}

/// The entries of a table, the most specific days first: what is for every day is for all others then. `rest` is what holds on days
/// that nothing is said of, where something is said of others.
fn by_day<T>(table: &DayTable<T>, v: Voice, rest: &str, say: impl Fn(&T) -> String) -> Vec<String> {
    let alone = table.entries.len() == 1;
    let line = |(days, value)| format!("{}: {}", of_days(days, alone, v), say(value));
    let open = !table.entries.is_empty() && !table.has_every_day();
    let others = open.then(|| format!("{}: {rest}", v.say("days.other")));
    table.in_order().map(line).chain(others).collect()
}

fn of_days(days: &Days, alone: bool, v: Voice) -> String {
    match days {
        Days::Date(date) => v.date_with_year(*date),
        Days::Range(first, last) => {
            v.fill("days.range", &[("from", &v.date_with_year(*first)), ("to", &v.date_with_year(*last))])
        }
        Days::SchoolNights => v.say("days.nights").to_owned(),
        Days::SchoolDays => v.say("days.school").to_owned(),
        Days::Holidays => v.say("days.holidays").to_owned(),
        Days::Named(mask) => {
            (0..7).filter(|day| mask & (1 << day) != 0).map(|day| v.day(day)).collect::<Vec<_>>().join(", ")
        }
        Days::Weekdays => v.say("days.week").to_owned(),
        Days::Weekends => v.say("days.weekend").to_owned(),
        Days::EveryDay if alone => v.say("days.every").to_owned(),
        Days::EveryDay => v.say("days.other").to_owned(),
    }
}

/// A limit's minutes.
fn length(minutes: u16, v: Voice) -> String {
    match minutes {
        0 => v.fill("minutes", &[("n", "0")]),
        _ => v.length(minutes.into()),
    }
}

/// Windows as the clock shows them.
fn spans(windows: &[Window], v: Voice) -> String {
    if windows.is_empty() {
        return v.say("week.off").to_owned();
    }
    let one = |window: &Window| format!("{}–{}", clock(window.start), clock(window.end));
    windows.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A minute after a day's midnight; `24:00` at the day's end, and after it the next day's time.
fn clock(minute: u16) -> String {
    let of_day = if minute == 1440 { minute } else { minute % 1440 };
    format!("{:02}:{:02}", of_day / 60, of_day % 60)
}
