//! What was decided, and why.

use crate::source::SourceId;
use blocklists::{Category, Service};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It goes through.
    Allow,
    /// It is refused, with a way out: ask staff.
    Ask,
    /// It is refused, with a way out: together with a member of staff.
    WithStaff,
    /// It is refused.
    Block,
}

/// Which rule spoke. The words are those of `explain --json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 1: sealed lists.
    Sealed,
    /// 2: support and assistive sites.
    Protected,
    /// 3: a restriction in force (Reg 22).
    Restriction,
    /// 4: what the home blocks for everyone.
    Floor,
    /// 5: a grant by staff.
    Grant,
    /// 6: outside the agreed times.
    Online,
    /// 7: private mail.
    PrivateMail,
    /// 8: school hours on a school day.
    SchoolHours,
    /// 9: a limit that is used up.
    Limit,
    /// 10: the agreement's word for a site.
    Site,
    /// 10: the agreement's word for a service.
    Service,
    /// 10: the agreement's word for a category.
    Category,
    /// 11: what nobody mentioned.
    Otherwise,
    /// The home's baseline: unknown device, draft, no usable agreement, clock unknown.
    Baseline,
    /// A `profile: education_session` device.
    EducationSession,
    /// A `profile: email_only` agreement.
    EmailOnly,
}

/// How much a refusal tells staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// What a device does by itself (Private Relay, automatic DoH, MAC randomisation). Never a breach.
    Technical,
    /// Outside times, a limit, ask-first.
    Low,
    /// A blocked category or site.
    Medium,
    /// Circumvention, the floor, an unknown device.
    High,
    /// A sealed list.
    Critical,
}

/// What the gateway saw, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A DNS question alone: an app may have done so by itself.
    Lookup,
    /// CONNECT or a TLS server name: a program tried to connect.
    Connection,
    /// A request for a document, or a refusal page that was shown: someone opened a page.
    Navigation,
    /// Navigation again after a refusal page: someone kept trying.
    Repeated,
}

/// What may be written down of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Nothing at all, not even a count: allowed traffic, support, silent refusals.
    Nothing,
    /// A total only, never by name: assistive, private mail.
    Total,
    /// A breach episode.
    Episode,
}

/// What the rule that spoke matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The time, or nothing in particular.
    None,
    /// A category.
    Category(Category),
    /// A service.
    Service(Service),
    /// A site that the home's files name; its text stands at the verdict's source.
    Site,
    /// An address without a name.
    Address,
    /// A search engine that has no safe search, while search is held to one.
    Search,
    /// A limit, by its place in the person's table of limits.
    Limit(u8),
    /// A grant or restriction, by its number in the journal.
    Entry(i64),
}

/// Which of a person's counted keys a minute of this traffic counts for: bit `i` is the person's key `i`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub u64);

/// A decision: what, why, and until when at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What happens.
    pub outcome: Outcome,
    /// Which rule spoke.
    pub rule: Rule,
    /// The line that says so; none for what is built in.
    pub source: Option<SourceId>,
    /// What the rule matched.
    pub subject: Subject,
    /// The next instant at which the verdict could differ by time alone; none when time cannot change it.
    pub until: Option<DateTime<Utc>>,
    /// How much a refusal tells staff when someone opened a page; see [`Verdict::severity_seen`].
    pub severity: Severity,
    /// What may be written down.
    pub record: Record,
    /// What an allowed minute counts for.
    pub counts: Counts,
}

impl Verdict {
    /// Whether the request goes through.
    pub const fn allows(&self) -> bool {
        matches!(self.outcome, Outcome::Allow)
    }

    /// Whether it refuses a way around the gateway: a name of the category, or an address without a name.
    pub fn is_circumvention(&self) -> bool {
        let around = match self.subject {
            Subject::Category(category) => category == Category::CIRCUMVENTION,
            Subject::Address => true,
            Subject::None
            | Subject::Service(_)
            | Subject::Site
            | Subject::Search
            | Subject::Limit(_)
            | Subject::Entry(_) => false,
        };
        around && !self.allows() && self.severity != Severity::Technical
    }

    /// Whether an education-session device was seen outside a session: within one, the subject is the session.
    pub fn is_out_of_session(&self) -> bool {
        self.rule == Rule::EducationSession && self.subject == Subject::None && !self.allows()
    }

    /// How much the refusal tells staff, given what the gateway saw. A lookup alone is never above low, save sealed lists,
    /// circumvention, and a device outside its education session: there a question is already the attempt, or tells that the
    /// device is about.
    pub fn severity_seen(&self, evidence: Evidence) -> Severity {
        let certain = self.is_circumvention() || self.is_out_of_session();
        if certain { self.severity } else { self.severity.seen_as(evidence) }
    }
}

impl Severity {
    /// How much a refusal tells staff, given what the gateway saw where a question alone is nothing certain: a lookup is
    /// never above low, save for sealed lists.
    #[must_use]
    fn seen_as(self, evidence: Evidence) -> Self {
        match (evidence, self) {
            (Evidence::Lookup, Self::Medium | Self::High) => Self::Low,
            (Evidence::Lookup, Self::Technical | Self::Low | Self::Critical)
            | (Evidence::Connection | Evidence::Navigation | Evidence::Repeated, _) => self,
        }
    }
}

impl Outcome {
    /// The word of `explain --json` and of the agreement language.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::WithStaff => "with_staff",
            Self::Block => "block",
        }
    }
}
