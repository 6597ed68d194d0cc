//! What the law lets nobody do to a young person's access, checked before it is done.
//!
//! The rules are Regulations 19 (behaviour management and discipline) and 22 (contact and access to communications) of
//! the Children's Homes (England) Regulations 2015. Agreements are checked when they are read; restrictions are checked
//! here when a manager drafts one. The guard knows what it is told and what its tables name: it helps a manager, and
//! takes nobody's duty from them.

mod wording;

pub use wording::consequence;

use crate::meant::{PersonKind, ProtectedSites};
use crate::source::SourceId;
use crate::standing::What;
use crate::word::Word;
use blocklists::{Category, Name, builtin};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use std::collections::HashMap;
use std::sync::LazyLock;
use wording::punishes;

/// The longest that an emergency restriction stands without the placing authority's consent (Reg 22: full details
/// within 24 hours).
pub const EMERGENCY: Duration = Duration::hours(24);

/// What is protected, and from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protected {
    /// Helplines, advocacy, emergency services.
    Support,
    /// What a disabled young person needs to communicate.
    Assistive,
    /// Sending and receiving mail in private.
    PrivateMail,
}

impl Protected {
    /// What it is, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Support => "helplines, advocacy and emergency services",
            Self::Assistive => "communication aids of a disabled young person",
            Self::PrivateMail => "private mail",
        }
    }

    /// The regulation that protects it.
    pub const fn regulation(self) -> &'static str {
        match self {
            Self::Support => "Reg 19(2)(c)",
            Self::Assistive => "Reg 19(2)(h) and Reg 22",
            Self::PrivateMail => "Reg 22",
        }
    }

    const fn category(self) -> Category {
        match self {
            Self::Support => Category::SUPPORT,
            Self::Assistive => Category::ASSISTIVE,
            Self::PrivateMail => Category::PRIVATE_MAIL,
        }
    }

    const ALL: [Self; 3] = [Self::Support, Self::Assistive, Self::PrivateMail];
}

/// Something that the law forbids, or that is missing for it to be lawful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlawful {
    /// A short, stable word for scripts.
    pub code: &'static str,
    /// The regulation (`Reg 22`), of the Children's Homes (England) Regulations 2015.
    pub regulation: &'static str,
    /// A sentence that a manager understands.
    pub sentence: String,
}

/// The protected set that a word belongs to: by its category, or because a protected site, built in or the home's,
/// covers it.
///
/// A site that is broader than a protected one is not in the set: the protected part stays reachable whatever is said of
/// the rest, since protection is decided first.
pub fn protected(word: &Word, sites: &ProtectedSites) -> Option<Protected> {
    match word {
        Word::Category(category) => Protected::ALL.into_iter().find(|set| set.category() == *category),
        Word::Service(service) => {
            Protected::ALL.into_iter().find(|set| service.categories().has(set.category()))
        }
        Word::Site(name) | Word::Host(name) | Word::Path(name, _) => {
            let name = name.name();
            built_in(name)
                .or_else(|| Protected::ALL.into_iter().find(|set| covers(listed(*set, sites), name)))
        }
    }
}

/// The built-in protected sites: what each is, and whether all below it is meant too.
static BUILT_IN: LazyLock<HashMap<&'static str, (Protected, bool)>> = LazyLock::new(|| {
    // A name may be in two sets; the first of `ALL` holds, as in the order of decisions.
    let rows = Protected::ALL.into_iter().rev().flat_map(|set| {
        builtin::protected_sites(set.category()).map(move |site| (site.name, (set, site.whole_site)))
    });
    rows.collect()
});

/// The built-in set that a name is in.
pub(crate) fn built_in(name: Name<'_>) -> Option<Protected> {
    let found = |suffix: Name<'_>| {
        BUILT_IN.get(suffix.as_str()).filter(|(_, whole)| *whole || suffix == name).map(|(set, _)| *set)
    };
    name.suffixes().find_map(found)
}

fn listed(set: Protected, sites: &ProtectedSites) -> &[(Word, SourceId)] {
    match set {
        Protected::Support => &sites.support,
        Protected::Assistive => &sites.assistive,
        Protected::PrivateMail => &sites.private_mail,
    }
}

fn covers(list: &[(Word, SourceId)], name: Name<'_>) -> bool {
    list.iter().any(|(word, _)| match word {
        Word::Site(site) => name.is_under(site.name()),
        Word::Host(host) => host.name() == name,
        Word::Path(..) | Word::Service(_) | Word::Category(_) => false,
    })
}

/// A restriction as a manager drafts it (Reg 22, seed 003 §5.1.3).
#[derive(Clone, Debug, Default)]
pub struct RestrictionDraft {
    /// The ids of those whom it restricts.
    pub people: Vec<String>,
    /// What the person is ([`crate::Person::kind`]): a restriction is of a young person.
    pub kind: PersonKind,
    /// What it closes; none while nothing was chosen.
    pub what: Option<What>,
    /// Why it is necessary to safeguard or promote the welfare of the child.
    pub reason: String,
    /// What was tried or considered that restricts less.
    pub tried: String,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: Option<DateTime<Utc>>,
    /// When it is reviewed.
    pub review_on: Option<NaiveDate>,
    /// Who consented for the placing authority, and on what date.
    pub consent: Option<(String, NaiveDate)>,
    /// It is an emergency: the placing authority gets full details within 24 hours.
    pub emergency: bool,
    /// When the young person was told.
    pub told_on: Option<NaiveDate>,
    /// What they said about it.
    pub view: String,
}

/// Everything that keeps a restriction from being lawful; empty when it may be placed. `sites` are the home's protected
/// sites ([`crate::Home::protected`]).
pub fn restriction(draft: &RestrictionDraft, sites: &ProtectedSites) -> Vec<Unlawful> {
    let mut found = Vec::new();
    for_whom(draft, &mut found);
    of_what(draft, sites, &mut found);
    why(draft, &mut found);
    how_long(draft, &mut found);
    with_whose_consent(draft, &mut found);
    with_the_young_person(draft, &mut found);
    found
}

fn add(found: &mut Vec<Unlawful>, code: &'static str, regulation: &'static str, sentence: impl Into<String>) {
    found.push(Unlawful { code, regulation, sentence: sentence.into() });
}

fn for_whom(draft: &RestrictionDraft, found: &mut Vec<Unlawful>) {
    match draft.people.len() {
        0 => add(found, "nobody", "Reg 22", "Say whom the restriction is for."),
        1 => {}
        _ => add(
            found,
            "group",
            "Reg 19(2)(j)",
            "A restriction is for one young person: a group is never restricted for what one of them did.",
        ),
    }
    if draft.kind != PersonKind::YoungPerson {
        let sentence = "A restriction is of a young person: what staff, visitors and shared devices may do is changed in \
                        their agreement.";
        add(found, "no-young-person", "Reg 22", sentence);
    }
}

fn of_what(draft: &RestrictionDraft, sites: &ProtectedSites, found: &mut Vec<Unlawful>) {
    let words = match &draft.what {
        None => return add(found, "nothing", "Reg 22", "Say what the restriction closes."),
        Some(What::Everything) => return,
        Some(What::Words(words)) => words,
    };
    if words.is_empty() {
        add(found, "nothing", "Reg 22", "Say what the restriction closes.");
    }
    for word in words {
        if let Some(set) = protected(word, sites) {
            let sentence = format!("`{word}` is among {}: no restriction may close it.", set.words());
            add(found, "protected", set.regulation(), sentence);
        }
    }
}

fn why(draft: &RestrictionDraft, found: &mut Vec<Unlawful>) {
    if draft.reason.trim().is_empty() {
        let sentence = "Write why it is necessary for the young person's safety or welfare.";
        add(found, "no-reason", "Reg 22", sentence);
    }
    if punishes(&draft.reason) {
        let sentence = "The reason reads as a punishment. A restriction keeps a young person safe and is no measure of \
                        discipline: write what it protects them from.";
        add(found, "punishment", "Reg 19", sentence);
    }
    if draft.tried.trim().is_empty() {
        let sentence = "Write what was tried or considered that restricts less.";
        add(found, "nothing-tried", "Reg 22", sentence);
    }
}

/// No restriction stands longer: what is still needed then is placed anew, and asked of the placing authority anew. The
/// Regulations name no number; an end that nobody lives to see is none.
const LONGEST: Duration = Duration::days(92);
/// Each review comes within so many days: the visitor of Reg 44 comes every month and is to find one.
const REVIEWED_WITHIN: Duration = Duration::days(31);

/// The day of an instant in England, where the Regulations hold.
fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&chrono_tz::Europe::London).date_naive()
}

fn how_long(draft: &RestrictionDraft, found: &mut Vec<Unlawful>) {
    let Some(until) = draft.until else {
        return add(found, "no-end", "Reg 22", "Say when it ends: a restriction never stands open-ended.");
    };
    if until <= draft.from {
        add(found, "ends-before-it-begins", "Reg 22", "The restriction ends before it begins.");
    }
    if until - draft.from > LONGEST {
        let sentence = "It stands for 92 days at most. If it is needed for longer it is placed anew then, with the placing \
                        authority's consent.";
        add(found, "too-long", "Reg 22", sentence);
    }
    match draft.review_on {
        None => add(found, "no-review", "Reg 22", "Say on which day it is reviewed."),
        Some(day) if day < day_of(draft.from) => {
            add(found, "early-review", "Reg 22", "The review comes before the restriction begins.");
        }
        Some(day) if day > day_of(until) => {
            add(
                found,
                "late-review",
                "Reg 22",
                "The review comes after the restriction has ended: bring it forward.",
            );
        }
        Some(day) if day - day_of(draft.from) > REVIEWED_WITHIN => {
            add(
                found,
                "late-first-review",
                "Reg 22",
                "It is reviewed within 31 days: bring the review forward.",
            );
        }
        Some(_) => {}
    }
}

/// A review of a restriction that stays in force, as a manager writes it down (seed 003 §5.1.3).
#[derive(Clone, Debug, Default)]
pub struct ReviewDraft {
    /// When it is reviewed.
    pub at: DateTime<Utc>,
    /// When the restriction ends.
    pub until: DateTime<Utc>,
    /// Why it is still necessary.
    pub reason: String,
    /// What the young person said about it now.
    pub view: String,
    /// When it is reviewed again; none where it ends before.
    pub next: Option<NaiveDate>,
}

/// Everything that a review lacks; empty when it may be written down.
pub fn review(draft: &ReviewDraft) -> Vec<Unlawful> {
    let mut found = Vec::new();
    if draft.reason.trim().is_empty() {
        add(&mut found, "no-reason", "Reg 22", "Write why it is still necessary, or end it.");
    }
    if punishes(&draft.reason) {
        let sentence = "The reason reads as a punishment. A restriction keeps a young person safe and is no measure of \
                        discipline: write what it protects them from, or end it.";
        add(&mut found, "punishment", "Reg 19", sentence);
    }
    if draft.view.trim().is_empty() {
        let sentence =
            "Write what the young person says about it now, or that they chose not to say anything.";
        add(&mut found, "no-view", "Reg 7", sentence);
    }
    let (today, ends) = (day_of(draft.at), day_of(draft.until));
    match draft.next {
        None if ends - today > REVIEWED_WITHIN => {
            add(&mut found, "no-review", "Reg 22", "Say on which day it is reviewed again, within 31 days.");
        }
        Some(day) if day <= today => {
            add(&mut found, "early-review", "Reg 22", "The next review is on a day to come.");
        }
        Some(day) if day - today > REVIEWED_WITHIN => {
            add(
                &mut found,
                "late-review",
                "Reg 22",
                "It is reviewed within 31 days: bring the review forward.",
            );
        }
        Some(day) if day > ends => {
            let sentence =
                "The review comes after the restriction has ended: bring it forward, or leave it out.";
            add(&mut found, "late-review", "Reg 22", sentence);
        }
        Some(_) | None => {}
    }
    found
}

/// Whether an emergency restriction may follow one of the same young person that began at `before` and ended, or will end,
/// at `ended`, without the placing authority's consent so far: not when the two make one of more than 24 hours.
pub fn emergency_after(
    draft: &RestrictionDraft,
    before: DateTime<Utc>,
    ended: DateTime<Utc>,
) -> Option<Unlawful> {
    let has_consent = draft.consent.as_ref().is_some_and(|(name, _)| !name.trim().is_empty());
    let until = draft.until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let goes_on = draft.from < ended.checked_add_signed(EMERGENCY).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let chains = !has_consent && goes_on && until - before > EMERGENCY;
    chains.then(|| Unlawful {
        code: "emergency-again",
        regulation: "Reg 22",
        sentence: "The last emergency restriction had no consent of the placing authority, and this one would carry it beyond \
                   24 hours: get the consent, and write it here."
            .to_owned(),
    })
}

fn with_whose_consent(draft: &RestrictionDraft, found: &mut Vec<Unlawful>) {
    if let Some((_, on)) = draft.consent.as_ref().filter(|(name, _)| !name.trim().is_empty()) {
        if *on > day_of(draft.from) {
            let sentence = "The placing authority's consent is dated after the restriction begins: wait for it, or mark \
                            an emergency.";
            add(found, "consent-to-come", "Reg 22", sentence);
        }
        return;
    }
    if !draft.emergency {
        let sentence =
            "The placing authority's consent is missing: give the name and the date, or mark an emergency.";
        return add(found, "no-consent", "Reg 22", sentence);
    }
    if draft.until.is_none_or(|until| until - draft.from > EMERGENCY) {
        let sentence =
            "In an emergency it stands for 24 hours at most, until the placing authority has consented.";
        add(found, "emergency-too-long", "Reg 22", sentence);
    }
}

fn with_the_young_person(draft: &RestrictionDraft, found: &mut Vec<Unlawful>) {
    match draft.told_on {
        None => add(found, "not-told", "Reg 22", "Say when the young person was told."),
        Some(on) if on > day_of(draft.from) => {
            let sentence = "The young person is told only after the restriction has begun: tell them first.";
            add(found, "told-later", "Reg 22", sentence);
        }
        Some(_) => {}
    }
    if draft.view.trim().is_empty() {
        let sentence = "Write what the young person said about it, or that they chose not to say anything.";
        add(found, "no-view", "Reg 7", sentence);
    }
}
#[cfg(test)]
mod tests;
