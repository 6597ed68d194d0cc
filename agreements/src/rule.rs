//! The order of decisions: one table, one file a rule.
//!
//! A new kind of rule is a file beside these and a place in [`ORDER`]. The first that speaks wins; one that is silent says
//! when time could make it speak, so that a verdict's `until` is right by construction.

mod baseline;
mod education_session;
mod email_only;
mod floor;
mod grant;
mod limit;
mod online;
mod otherwise;
mod private_mail;
mod protected;
mod restriction;
mod school_hours;
mod sealed;
mod word;

use crate::explain::TraceStep;
use crate::house::House;
use crate::house::moment::Moment;
use crate::house::rules::{Body, Rules};
use crate::house::sites::{Found, is_meant};
use crate::request::{Host, Request};
use crate::schedule::{NEVER, Secs, instant};
use crate::source::SourceId;
use crate::standing::{GrantKind, Held, What};
use crate::verdict::{Counts, Outcome, Record, Rule, Severity, Subject, Verdict};
use blocklists::{Category, Tags, builtin};

/// One place in the order.
struct Place {
    /// The rule's word, or words, for the trace.
    words: &'static [Rule],
    /// Whom it speaks for.
    bodies: &'static [Body],
    /// What it says.
    voice: for<'a> fn(&Case<'a>) -> Voice,
}

const EVERYBODY: &[Body] = &[Body::Agreement, Body::Baseline, Body::EmailOnly, Body::EducationSession];

/// The order, each place with its reason.
const ORDER: &[Place] = &[
    // 1. What the law forbids comes before everything, and nobody in the home can loosen it.
    Place { words: &[Rule::Sealed], bodies: EVERYBODY, voice: sealed::voice },
    // 2. Help comes before every rule that an adult makes: no restriction, floor, time or limit stands in front of it.
    Place { words: &[Rule::Protected], bodies: EVERYBODY, voice: protected::voice },
    // 3. A restriction (Reg 22) is made for one young person's safety, with consent: no grant of a shift lifts it.
    Place { words: &[Rule::Restriction], bodies: EVERYBODY, voice: restriction::voice },
    // 4. The floor is the home's promise for everyone: it stands above what staff may grant.
    Place { words: &[Rule::Floor], bodies: EVERYBODY, voice: floor::voice },
    // 5. What staff opened for somebody is open, whatever the agreement's times, limits and words say.
    Place { words: &[Rule::Grant], bodies: EVERYBODY, voice: grant::voice },
    // Where there is no agreement in force, the home's baseline speaks in place of all that follows.
    Place { words: &[Rule::Baseline], bodies: &[Body::Baseline], voice: baseline::voice },
    // A device for education sessions has no times or words of its own: its session is both.
    Place {
        words: &[Rule::EducationSession],
        bodies: &[Body::EducationSession],
        voice: education_session::voice,
    },
    // 6. Times come before words: at night the answer is "the internet is off", not a list of sites.
    Place { words: &[Rule::Online], bodies: &[Body::Agreement, Body::EmailOnly], voice: online::voice },
    // 7. Private mail at reasonable times (Reg 22): school hours, limits and words do not reach it.
    Place {
        words: &[Rule::PrivateMail],
        bodies: &[Body::Agreement, Body::EmailOnly],
        voice: private_mail::voice,
    },
    // An e-mail-only agreement ends here: what is not mail is closed.
    Place { words: &[Rule::EmailOnly], bodies: &[Body::EmailOnly], voice: email_only::voice },
    // 8. Learning comes before leisure, and is not stopped by a limit that leisure used up.
    Place { words: &[Rule::SchoolHours], bodies: &[Body::Agreement], voice: school_hours::voice },
    // 9. A limit that is used up holds for what the words below would allow.
    Place { words: &[Rule::Limit], bodies: &[Body::Agreement], voice: limit::voice },
    // 10. What was agreed about this very site, service or category: the most specific word.
    Place {
        words: &[Rule::Site, Rule::Service, Rule::Category],
        bodies: &[Body::Agreement],
        voice: word::voice,
    },
    // 11. What nobody mentioned.
    Place { words: &[Rule::Otherwise], bodies: &[Body::Agreement], voice: otherwise::voice },
];

impl Rule {
    /// Its place in an agreement's order of decisions: the smaller speaks first, and words of one place (a site's, a service's, a
    /// category's) share it. What stands for a whole agreement (the baseline, e-mail only) found the word of the last place.
    pub fn place(self) -> usize {
        let mut places = ORDER.iter().filter(|place| place.bodies.contains(&Body::Agreement));
        let last = places.clone().count();
        places.position(|place| place.words.contains(&self)).map_or(last, |place| place + 1)
    }
}

/// A question, with all that is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) house: &'a House,
    pub(crate) rules: &'a Rules,
    pub(crate) moment: &'a Moment,
    pub(crate) request: &'a Request<'a>,
    pub(crate) found: Found,
    /// An address inside the home that gateway.yaml opens: a printer is not the internet. Times and what the agreement says
    /// of the rest hold; limits do not, and nothing is written down.
    at_home: bool,
    /// Until when times and limits are lifted for this request, and by which grant.
    lifted: Option<(Secs, i64)>,
}

/// What a rule says of a case.
enum Voice {
    /// Nothing; the instant is the next at which time could make it speak.
    Silent(Secs),
    /// This.
    Speaks(Said),
}

/// What a rule that speaks says.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    outcome: Outcome,
    rule: Rule,
    source: Option<SourceId>,
    subject: Subject,
    until: Secs,
    severity: Severity,
}

impl Said {
    fn new(outcome: Outcome, rule: Rule) -> Self {
        let severity = match outcome {
            Outcome::Allow => Severity::Technical,
            Outcome::Ask | Outcome::WithStaff => Severity::Low,
            Outcome::Block => Severity::Medium,
        };
        Self { outcome, rule, source: None, subject: Subject::None, until: NEVER, severity }
    }

    fn of(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    fn from(mut self, source: Option<SourceId>) -> Self {
        self.source = source;
        self
    }

    fn until(mut self, until: Secs) -> Self {
        self.until = until;
        self
    }

    fn severe(mut self, severity: Severity) -> Self {
        if self.outcome != Outcome::Allow {
            self.severity = severity;
        }
        self
    }
}

/// How strict an outcome is: of two words of equal specificity the stricter holds.
pub(crate) fn strictness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Allow => 0,
        Outcome::Ask => 1,
        Outcome::WithStaff => 2,
        Outcome::Block => 3,
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(house: &'a House, moment: &'a Moment, request: &'a Request<'a>) -> Self {
        let rules = house.rules(moment.who());
        let mut found = rules.find(request);
        let at_home = matches!(request.host, Host::Address(address) if house.opens(address));
        if matches!(request.host, Host::Address(_)) && !at_home {
            // An address without a name is a way around every word for names.
            found.tags = found.tags.union(Tags::category(Category::CIRCUMVENTION));
        }
        Self { house, rules, moment, request, found, at_home, lifted: None }.with_grants()
    }

    /// Addresses that no name led to, on the ports on which a shared device's own agreement (that line) opens all of them: it is
    /// the agreement's word for them, and whatever speaks before words speaks before this one.
    pub(crate) fn of_any_address(
        house: &'a House,
        moment: &'a Moment,
        request: &'a Request<'a>,
        line: SourceId,
    ) -> Self {
        let rules = house.rules(moment.who());
        let found = Found { ruling: Some((Outcome::Allow, line)), ..Found::default() };
        Self { house, rules, moment, request, found, at_home: false, lifted: None }.with_grants()
    }

    fn with_grants(mut self) -> Self {
        self.lifted = self.lift();
        self
    }

    /// What refuses the host for being a search engine without safe search, if this is the rule that holds search.
    fn unsafe_search(&self, rule: Rule) -> Option<Said> {
        let (_, source) = self.rules.search.filter(|(holds, _)| *holds == rule)?;
        let Host::Name(name) = self.request.host else { return None };
        let refused = builtin::search_cannot_be_made_safe(name.as_str());
        let said = || Said::new(Outcome::Block, rule).from(source).of(Subject::Search);
        refused.then(|| said().severe(Severity::Low))
    }

    /// Whether the host only carries parts of pages.
    fn carries_pages(&self) -> bool {
        self.found.tags.has(Category::INFRASTRUCTURE)
    }

    /// Whether a grant or restriction on these words means what is asked for.
    fn is_any_meant(&self, words: &[crate::word::Word]) -> bool {
        words.iter().any(|word| is_meant(word, self.request, self.found.tags))
    }

    fn is_about(&self, what: &What) -> bool {
        match what {
            What::Everything => true,
            What::Words(words) => self.is_any_meant(words),
        }
    }

    /// Whether the grant lifts times and limits for this request without opening it: more time for what it matches; and for
    /// hosts that only carry a page, anything that staff opened, since they follow the page's fate.
    fn is_lifted_by(&self, held: &Held) -> bool {
        match &held.grant.kind {
            GrantKind::ExtraTime(crate::meant::LimitKey::Everything) => true,
            GrantKind::ExtraTime(crate::meant::LimitKey::Word(word)) => {
                self.carries_pages() || is_meant(word, self.request, self.found.tags)
            }
            GrantKind::Sites(_) | GrantKind::Supervised(_) => self.carries_pages(),
            GrantKind::Education { .. } => false,
        }
    }

    /// Until when times and limits are lifted.
    fn lift(&self) -> Option<(Secs, i64)> {
        let lifting = self.moment.grants().filter(|(held, on)| *on && self.is_lifted_by(held));
        lifting.map(|(held, _)| (crate::house::moment::end(held.grant.until), held.grant.entry)).max()
    }

    /// The limits of the day that count this request, by place: none for what is protected or only carries a page.
    fn limits(&self) -> u64 {
        let tags = self.found.tags;
        if self.at_home || tags.has(Category::PRIVATE_MAIL) || self.carries_pages() {
            return 0;
        }
        let counted = self.rules.limits.iter().enumerate();
        counted
            .filter(|(_, limit)| limit.everything || limit.tags.intersects(tags))
            .fold(self.found.limits, |all, (place, _)| all | 1 << place)
    }

    /// What an allowed minute counts for. Chatter that nobody caused counts for nothing.
    fn counts(&self) -> Counts {
        let tags = self.found.tags;
        let uncounted = [
            Category::SUPPORT,
            Category::ASSISTIVE,
            Category::PRIVATE_MAIL,
            Category::INFRASTRUCTURE,
            Category::DEVICE_DEFAULT,
            Category::ADVERTISING,
            Category::TRACKING,
            Category::TELEMETRY,
            Category::UPDATES,
        ];
        if self.at_home || self.rules.keys.is_empty() || uncounted.iter().any(|&c| tags.has(c)) {
            return Counts(0);
        }
        let limits = self.limits();
        let matched = self.rules.limits.iter().enumerate().filter(|(place, _)| limits & (1 << place) != 0);
        Counts(matched.fold(1, |bits, (_, limit)| bits | 1 << limit.bit))
    }

    /// What may be written down.
    fn record(&self, said: &Said) -> Record {
        let tags = self.found.tags;
        if said.rule == Rule::Sealed {
            return Record::Episode;
        }
        if self.at_home || tags.has(Category::SUPPORT) {
            return Record::Nothing;
        }
        if tags.has(Category::ASSISTIVE) || tags.has(Category::PRIVATE_MAIL) {
            return Record::Total;
        }
        match said.outcome {
            Outcome::Allow => Record::Nothing,
            Outcome::Ask | Outcome::WithStaff | Outcome::Block if tags.has(Category::DEVICE_DEFAULT) => {
                Record::Total
            }
            Outcome::Ask | Outcome::WithStaff | Outcome::Block if self.is_silent(said) => Record::Nothing,
            Outcome::Ask | Outcome::WithStaff | Outcome::Block => Record::Episode,
        }
    }

    /// Whether the refusal tells staff nothing: what pages and devices load by themselves. A way around the gateway, or a
    /// site or service that the home's files name, is not silent for being an advertiser, too.
    fn is_silent(&self, said: &Said) -> bool {
        let tags = self.found.tags;
        let background = tags.has(Category::ADVERTISING)
            || tags.has(Category::TRACKING)
            || tags.has(Category::TELEMETRY)
            || tags.has(Category::UPDATES);
        match said.subject {
            Subject::Category(category) if category == Category::CIRCUMVENTION => false,
            Subject::Address => false,
            // Whoever types a question into the browser's own search box has done nothing that staff need to know.
            Subject::Search => true,
            Subject::Site | Subject::Service(_) => self.carries_pages(),
            Subject::None | Subject::Category(_) | Subject::Limit(_) | Subject::Entry(_) => {
                background || self.carries_pages()
            }
        }
    }

    /// What was said, as everyone outside has it.
    fn verdict(&self, said: &Said) -> Verdict {
        let refused = said.outcome != Outcome::Allow;
        let by_itself = refused && said.rule != Rule::Sealed && self.found.tags.has(Category::DEVICE_DEFAULT);
        Verdict {
            outcome: said.outcome,
            rule: said.rule,
            source: said.source,
            subject: said.subject,
            until: instant(said.until),
            severity: if by_itself { Severity::Technical } else { said.severity },
            record: self.record(said),
            counts: if refused { Counts(0) } else { self.counts() },
        }
    }
}

impl Rules {
    /// The places that speak for this body, in order.
    fn order(&self) -> impl Iterator<Item = &'static Place> + use<> {
        let body = self.body;
        ORDER.iter().filter(move |place| place.bodies.contains(&body))
    }
}

/// The first that speaks, among the places after a rule (or all of them); `heard` learns of each place that was asked.
fn first(case: &Case<'_>, after: Option<Rule>, mut heard: impl FnMut(&Place, Option<Said>)) -> Said {
    let mut until = NEVER;
    let places = case.rules.order();
    let skip =
        after.map_or(0, |rule| case.rules.order().position(|p| p.words == [rule]).map_or(0, |i| i + 1));
    for place in places.skip(skip) {
        match (place.voice)(case) {
            Voice::Silent(wakes) => {
                until = until.min(wakes);
                heard(place, None);
            }
            Voice::Speaks(said) => {
                heard(place, Some(said));
                return said.until(said.until.min(until));
            }
        }
    }
    // The last place of every body always speaks. Were one ever added that does not, nothing is what it would open.
    Said::new(Outcome::Block, Rule::Otherwise).until(until)
}

/// Decides.
pub(crate) fn decide(case: &Case<'_>) -> Verdict {
    case.verdict(&first(case, None, |_, _| {}))
}

/// Decides, and tells of every place up to the one that speaks.
pub(crate) fn trace(case: &Case<'_>) -> (Verdict, Vec<TraceStep>) {
    let mut steps = Vec::new();
    let said = first(case, None, |place, said| {
        let spoke = said.map(|s| s.rule);
        for &rule in place.words {
            let speaks = spoke == Some(rule);
            steps.push(TraceStep { rule, speaks, verdict: said.filter(|_| speaks).map(|s| s.outcome) });
            if speaks {
                break;
            }
        }
    });
    (case.verdict(&said), steps)
}
