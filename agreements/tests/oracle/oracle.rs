//! The oracle: the language's page, as plainly as it can be said. What is true of a person and a question at any time is
//! written down once; a verdict is a chain of questions.

use crate::plan::{PersonPlan, Plan, Words};
use crate::questions::{LOCKLESS, PROTECTED, QUESTIONS, Question, SERVICES};
use crate::shift::{About, Grant, Kind, Shift};
use crate::times::{Stretches, Times};

/// What should be decided, which rule should say so, and what an allowed minute counts for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Expected {
    pub outcome: &'static str,
    pub rule: &'static str,
    pub counts: u64,
    pub severity: &'static str,
    pub record: &'static str,
}

/// Who is asked about; nobody in particular is the last.
pub(crate) const PEOPLE: [&str; 4] = ["alex", "sam", "lap", "nobody"];

/// Which rules somebody lives by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Life {
    Agreement,
    EmailOnly,
    Laptop,
    Baseline,
}

/// One of [`PEOPLE`].
struct Someone<'p> {
    id: &'static str,
    plan: Option<&'p PersonPlan>,
    life: Life,
    online: Stretches,
    /// `school_hours`, for whom there are any.
    school_hours: &'static str,
    /// What they say for their lessons on the laptop.
    lessons: &'static str,
    /// What is so of each question, whatever the time.
    facts: Vec<Facts>,
}

/// What is so of a question for somebody, whatever the time.
struct Facts {
    tags: Vec<&'static str>,
    /// The word of the floor that is told; none for private mail, which the floor does not reach.
    floor: Option<&'static str>,
    /// Which rule closes it for being a search engine without safe search.
    search: Option<&'static str>,
    /// The most specific word: what it says, its rule, and itself.
    word: Option<(&'static str, &'static str, &'static str)>,
    /// The limits that count it, by place.
    limits: Vec<usize>,
    counts: u64,
}

pub(crate) struct Oracle<'p> {
    plan: &'p Plan,
    times: Times<'p>,
    people: Vec<Someone<'p>>,
}

const fn say(outcome: &'static str, rule: &'static str) -> (&'static str, &'static str) {
    (outcome, rule)
}

type Said = (&'static str, &'static str);

impl<'p> Oracle<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let times = Times::new(plan);
        let people = PEOPLE.map(|id| Someone::new(plan, &times, id)).into();
        Self { plan, times, people }
    }

    /// Every instant at which time could change a verdict about one of [`PEOPLE`].
    pub(crate) fn turns(&self, who: usize) -> Vec<i64> {
        let school = self.times.school.ends();
        self.people[who].online.ends().chain(school).chain(self.times.day_starts()).collect()
    }

    pub(crate) fn expect(&self, shift: &Shift, who: usize, at: i64, question: usize) -> Expected {
        let case = Case { oracle: self, shift, someone: &self.people[who], at, question };
        let (outcome, rule) = case.decide();
        let counts = if outcome == "allow" { case.facts().counts } else { 0 };
        let (severity, record) = (case.severity(outcome, rule), case.record(outcome, rule));
        Expected { outcome, rule, counts, severity, record }
    }
}

impl<'p> Someone<'p> {
    fn new(plan: &'p Plan, times: &Times<'_>, id: &'static str) -> Self {
        let person = plan.person(id);
        let life = match person {
            None => Life::Baseline,
            Some(p) if p.draft => Life::Baseline,
            Some(p) if p.profile == "email_only" => Life::EmailOnly,
            Some(p) if p.profile == "education_session" => Life::Laptop,
            Some(_) => Life::Agreement,
        };
        let online = match person {
            Some(p) if life != Life::Baseline => times.online(&p.online, &p.bedtime),
            _ => times.online(&plan.baseline_online, &Vec::new()),
        };
        let school_hours = match person {
            Some(p) if life == Life::Agreement && !["staff", "visitor"].contains(&p.kind) => p.school_hours,
            _ => "as_agreed",
        };
        let lessons = match person {
            Some(p) if life != Life::Baseline && !["staff", "visitor"].contains(&p.kind) => p.school_hours,
            _ => "as_agreed",
        };
        let facts = QUESTIONS.iter().map(|q| Facts::new(plan, person, life, q)).collect();
        Self { id, plan: person, life, online, school_hours, lessons, facts }
    }
}

impl Facts {
    fn new(plan: &Plan, person: Option<&PersonPlan>, life: Life, question: &Question) -> Self {
        let words = match person {
            Some(p) if life != Life::Baseline => &p.words,
            _ => &plan.baseline,
        };
        let tags = tags(person.filter(|_| life != Life::Baseline), question);
        let means = |word: &str| means(word, question, &tags);
        let keys: Vec<&str> = person.into_iter().flat_map(|p| p.limits.iter().map(|(key, _)| *key)).collect();
        let limits: Vec<usize> =
            (0..keys.len()).filter(|&i| keys[i] == "everything" || means(keys[i])).collect();
        Self {
            floor: plan
                .floor
                .iter()
                .copied()
                .filter(|w| means(w) && !tags.contains(&"private_mail"))
                .max_by_key(|w| (*w == "circumvention", specificity(w))),
            search: search(plan, person, question),
            word: most_specific(words, question, &tags),
            counts: counts(person.is_some(), &keys, &limits, &tags),
            limits,
            tags,
        }
    }

    fn is(&self, tag: &str) -> bool {
        self.tags.contains(&tag)
    }
}

/// Everything that is known of a question: the catalogue's word, the home's, and what somebody learns with.
fn tags(person: Option<&PersonPlan>, question: &Question) -> Vec<&'static str> {
    if is_address(question) {
        // A way around names.
        return vec!["circumvention"];
    }
    let mut tags = question.tags.to_vec();
    tags.extend(PROTECTED.iter().filter(|(_, site)| means(site, question, &[])).map(|(set, _)| *set));
    let learning = person.is_some_and(|p| p.education_sites.iter().any(|w| means(w, question, &tags)));
    if learning {
        tags.push("education");
    }
    tags
}

/// Which rule closes an engine that nothing makes safe, if search is held at all.
fn search(plan: &Plan, person: Option<&PersonPlan>, question: &Question) -> Option<&'static str> {
    if question.host != LOCKLESS {
        return None;
    }
    let own = person.map_or("", |p| p.safe_search);
    match (plan.safe_search, own) {
        ("off", "" | "off") => None,
        ("off", _) => Some("site"),
        _ => Some("floor"),
    }
}

fn is_address(question: &Question) -> bool {
    question.host.contains(':') || question.host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Whether a word of the language means what is asked for.
fn means(word: &str, question: &Question, tags: &[&str]) -> bool {
    let under = |site: &str| question.host == site || question.host.ends_with(&format!(".{site}"));
    if let Some((site, path)) = word.split_once('/') {
        let path = format!("/{path}/");
        return under(site) && question.path.is_some_and(|p| format!("{p}/").starts_with(&path));
    }
    match word.strip_prefix('=') {
        Some(host) => question.host == host,
        None if word.contains('.') => under(word),
        None => tags.contains(&word),
    }
}

/// A path before a host before a longer site before a site before a service before a category; of equals the strictest.
fn specificity(word: &str) -> (usize, usize, usize) {
    match word.split_once('/') {
        Some((site, path)) => (4, site.len(), path.len()),
        None if word.starts_with('=') => (3, 0, 0),
        None if word.contains('.') => (2, word.len(), 0),
        None if SERVICES.contains(&word) => (1, 0, 0),
        None => (0, 0, 0),
    }
}

/// What the most specific word says, which rule it is, and the word. Of equals a way around the gateway is told.
fn most_specific(
    words: &Words,
    question: &Question,
    tags: &[&str],
) -> Option<(&'static str, &'static str, &'static str)> {
    let strictness = |ruled: &str| ["allow", "ask", "with_staff", "block"].iter().position(|r| *r == ruled);
    let meant = words.said.iter().filter(|(word, _)| means(word, question, tags));
    let (word, ruled) =
        meant.max_by_key(|(word, ruled)| (specificity(word), strictness(ruled), *word == "circumvention"))?;
    let rule = match specificity(word).0 {
        0 => "category",
        1 => "service",
        _ => "site",
    };
    Some((ruled, rule, word))
}

/// The keys' bits: everything first, then the other keys in order. Nothing for what is protected, what only carries a
/// page, and what devices and pages do by themselves.
fn counts(known: bool, keys: &[&str], limits: &[usize], tags: &[&str]) -> u64 {
    let uncounted = [
        "support",
        "assistive",
        "private_mail",
        "infrastructure",
        "device_default",
        "advertising",
        "tracking",
        "telemetry",
        "updates",
    ];
    if !known || uncounted.iter().any(|u| tags.contains(u)) {
        return 0;
    }
    let others: Vec<&str> = keys.iter().copied().filter(|k| *k != "everything").collect();
    let bit = |key: &str| others.iter().position(|k| *k == key).map_or(0, |place| place + 1);
    limits.iter().fold(1, |bits, &limit| bits | 1 << bit(keys[limit]))
}

/// One question at one time.
struct Case<'a> {
    oracle: &'a Oracle<'a>,
    shift: &'a Shift,
    someone: &'a Someone<'a>,
    at: i64,
    question: usize,
}

impl<'a> Case<'a> {
    fn facts(&self) -> &'a Facts {
        &self.someone.facts[self.question]
    }

    fn is(&self, tag: &str) -> bool {
        self.facts().is(tag)
    }

    fn is_any_meant(&self, words: &[&str]) -> bool {
        words.iter().any(|word| means(word, &QUESTIONS[self.question], &self.facts().tags))
    }

    fn is_about(&self, about: &About) -> bool {
        about.as_ref().is_none_or(|words| self.is_any_meant(words))
    }

    fn grants(&self) -> impl Iterator<Item = &'a Grant> {
        let (id, at) = (self.someone.id, self.at);
        self.shift.grants.iter().filter(move |g| g.person == id && g.from <= at && at < g.until)
    }

    /// The young person of the session that was opened last.
    fn learner(&self) -> Option<&'a Someone<'a>> {
        let lessons = self.grants().filter_map(|g| match g.kind {
            Kind::Education(who) => Some((g.from, g.entry, self.oracle.people.iter().find(|p| p.id == who)?)),
            _ => None,
        });
        lessons.max_by_key(|(from, entry, _)| (*from, *entry)).map(|(.., who)| who)
    }

    fn is_school(&self) -> bool {
        self.oracle.times.school.hold(self.at)
    }

    fn decide(&self) -> Said {
        if self.is("illegal") {
            return say("block", "sealed");
        }
        if self.is("support") || self.is("assistive") {
            return say("allow", "protected");
        }
        if self.is_restricted() {
            return say("block", "restriction");
        }
        if self.facts().floor.is_some() || self.facts().search == Some("floor") {
            return say("block", "floor");
        }
        if self.someone.life == Life::Laptop && self.learner().is_none() {
            return say("block", "education_session");
        }
        if self.grants().any(|grant| self.is_opened_by(grant)) {
            return say("allow", "grant");
        }
        let as_ever = self.below(false);
        if !self.grants().any(|grant| self.is_given_time_by(grant)) {
            return as_ever;
        }
        // Where more time makes the difference, it is the grant that opens.
        let with_time = self.below(true);
        if with_time.0 == "allow" && with_time != as_ever { say("allow", "grant") } else { with_time }
    }

    fn is_restricted(&self) -> bool {
        let learner = if self.someone.life == Life::Laptop { self.learner() } else { None };
        let whose = |id: &str| id == self.someone.id || learner.is_some_and(|l| l.id == id);
        let mut in_force = self
            .shift
            .restrictions
            .iter()
            .filter(|r| whose(r.person) && r.from <= self.at && self.at < r.until);
        // Private communication has its own place in the law: no restriction closes it, whatever it names.
        !self.is("private_mail") && in_force.any(|r| self.is_about(&r.about))
    }

    fn is_opened_by(&self, grant: &Grant) -> bool {
        match &grant.kind {
            Kind::Sites(about) => self.is_about(about),
            Kind::Supervised(words) => {
                let learning =
                    self.someone.school_hours == "with_staff" && self.is_school() && self.is("education");
                let with_staff = self.facts().word.is_some_and(|(ruled, ..)| ruled == "with_staff");
                self.is_any_meant(words) || with_staff || learning
            }
            Kind::Time(_) | Kind::Education(_) => false,
        }
    }

    /// More time lifts times and limits; hosts that only carry a page follow whatever staff opened.
    fn is_given_time_by(&self, grant: &Grant) -> bool {
        match &grant.kind {
            Kind::Time(None) => true,
            Kind::Time(Some(key)) => self.is("infrastructure") || self.is_any_meant(&[key]),
            Kind::Sites(_) | Kind::Supervised(_) => self.is("infrastructure"),
            Kind::Education(_) => false,
        }
    }

    /// What stands below what staff granted.
    fn below(&self, more_time: bool) -> Said {
        let online = more_time || self.someone.online.hold(self.at);
        match self.someone.life {
            Life::Laptop => self.lesson(),
            Life::Baseline => self.baseline(online),
            _ if !online => say("block", "online"),
            _ if self.is("private_mail") => say("allow", "private_mail"),
            Life::EmailOnly if self.is("infrastructure") => say("allow", "email_only"),
            Life::EmailOnly => say("block", "email_only"),
            Life::Agreement => self.school().unwrap_or_else(|| self.agreed(more_time)),
        }
    }

    fn lesson(&self) -> Said {
        let learning = self.learner().is_some_and(|l| l.facts[self.question].is("education"));
        let offline = self.learner().is_some_and(|l| l.lessons == "offline");
        let open = self.is("private_mail") || !offline && (learning || self.is("infrastructure"));
        say(if open { "allow" } else { "block" }, "education_session")
    }

    fn baseline(&self, online: bool) -> Said {
        let closed = self.someone.plan.is_none() && self.oracle.plan.unknown_devices != "baseline";
        let outcome = match self.facts().word {
            _ if !online => "block",
            _ if self.is("private_mail") => "allow",
            _ if closed || self.facts().search.is_some() => "block",
            Some((ruled, ..)) => ruled,
            None if self.is("infrastructure") => "allow",
            None => self.oracle.plan.baseline.otherwise,
        };
        say(outcome, "baseline")
    }

    fn school(&self) -> Option<Said> {
        if !self.is_school() {
            return None;
        }
        let outcome = match self.someone.school_hours {
            "as_agreed" => return None,
            "offline" => "block",
            _ if self.is("infrastructure") => "allow",
            "education_only" if self.is("education") => "allow",
            // No session is open here: the refusal has a way out.
            "with_staff" if self.is("education") => "with_staff",
            _ => "block",
        };
        Some(say(outcome, "school_hours"))
    }

    fn agreed(&self, more_time: bool) -> Said {
        let carries_pages = self.is("infrastructure");
        if !more_time && !carries_pages && self.facts().limits.iter().any(|limit| self.is_used_up(*limit)) {
            return say("block", "limit");
        }
        if self.facts().search.is_some() {
            return say("block", "site");
        }
        if let Some((ruled, rule, _)) = self.facts().word {
            return say(ruled, rule);
        }
        let otherwise = self.someone.plan.map_or("block", |p| p.words.otherwise);
        say(if carries_pages { "allow" } else { otherwise }, "otherwise")
    }

    fn is_used_up(&self, limit: usize) -> bool {
        let Some(person) = self.someone.plan else { return false };
        let (key, minutes) = &person.limits[limit];
        let used = self.shift.used.iter().find(|(p, k, _)| *p == person.id && k == key).map_or(0, |u| u.2);
        let today = self.oracle.times.day(self.at);
        self.oracle.times.entry(today, minutes).is_some_and(|minutes| minutes <= used)
    }
}

/// What a refusal tells staff, and what may be written down of a verdict.
impl Case<'_> {
    fn severity(&self, outcome: &str, rule: &str) -> &'static str {
        let word = self.facts().word.filter(|(ruled, ..)| *ruled == "block").map(|(.., word)| word);
        let words = ["baseline", "category"].contains(&rule) && word == Some("circumvention");
        let dark = rule == "baseline" && self.is_dark();
        match rule {
            _ if outcome == "allow" => "technical",
            "sealed" => "critical",
            _ if self.is("device_default") => "technical",
            "floor" if self.facts().floor.is_none() => "low",
            "floor" => "high",
            "education_session" if self.learner().is_none() => "high",
            "baseline" if self.someone.plan.is_none() => "high",
            "online" | "school_hours" | "limit" => "low",
            _ if outcome != "block" || dark => "low",
            "site" | "baseline" if self.facts().search.is_some() => "low",
            _ if words => "high",
            _ => "medium",
        }
    }

    /// Whether the baseline's times are over, and nobody gave more.
    fn is_dark(&self) -> bool {
        !self.someone.online.hold(self.at) && !self.grants().any(|grant| self.is_given_time_by(grant))
    }

    fn record(&self, outcome: &str, rule: &str) -> &'static str {
        let refused = outcome != "allow";
        if rule == "sealed" {
            return "episode";
        }
        if self.is("support") {
            return "nothing";
        }
        let private = self.is("assistive") || self.is("private_mail");
        if private || refused && self.is("device_default") {
            return "total";
        }
        if refused && !self.is_silent(rule) { "episode" } else { "nothing" }
    }

    /// Whether a refusal tells nothing: what pages and devices load by themselves, unless the home's files name it.
    fn is_silent(&self, rule: &str) -> bool {
        let dark = rule == "baseline" && self.is_dark();
        let closed = rule == "baseline"
            && self.someone.plan.is_none()
            && self.oracle.plan.unknown_devices != "baseline";
        let spoke = match rule {
            "floor" => self.facts().floor,
            "site" | "service" | "category" => self.facts().word.map(|(.., word)| word),
            "baseline" if !dark && !closed => self.facts().word.map(|(.., word)| word),
            _ => None,
        };
        let spoke_of_search = match rule {
            "floor" => self.facts().floor.is_none(),
            "site" | "baseline" => self.facts().search.is_some(),
            _ => false,
        };
        if spoke_of_search && !dark {
            return true;
        }
        let background = ["advertising", "tracking", "telemetry", "updates"].iter().any(|b| self.is(b));
        match spoke {
            Some("circumvention") => false,
            Some(word) if specificity(word).0 > 0 => self.is("infrastructure"),
            _ => background || self.is("infrastructure"),
        }
    }
}
