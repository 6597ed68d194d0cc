//! One person's rules, made ready: what `House::new` prepares so that a decision only looks things up.

use super::sites::{As, Kinds, Sites};
use crate::calendar::SchoolDays;
use crate::meant::{
    Home, LimitKey, Person, PersonKind, Profile, Ruled, Ruling, SafeSearch, SchoolHours, UnknownDevices,
};
use crate::schedule::{ByDay, Schedule};
use crate::source::SourceId;
use crate::verdict::Rule;
use crate::word::Word;
use blocklists::{Category, Tags};

/// Which rules speak for somebody: one of the three profiles, or the home's baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// An agreement of their own.
    Agreement,
    /// The home's baseline: an unknown device, a draft, no usable agreement.
    Baseline,
    /// Private mail and nothing else.
    EmailOnly,
    /// A device that works only inside an education session.
    EducationSession,
}

/// One person's rules.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) body: Body,
    /// Nobody in particular: an unknown device.
    pub(crate) unknown: bool,
    /// `unknown_devices: block` or `sign_in`: nothing but what is protected.
    pub(crate) closed: bool,
    pub(crate) schedule: Schedule,
    /// What school hours leave open, and the line; none for whom there are no school hours.
    pub(crate) school_hours: Option<(SchoolHours, SourceId)>,
    pub(crate) sites: Sites,
    pub(crate) kinds: Kinds,
    /// The floor's services and categories.
    pub(crate) floor: Kinds,
    /// Services and categories that count as education for this person.
    pub(crate) education: Tags,
    pub(crate) otherwise: Ruled,
    pub(crate) otherwise_source: Option<SourceId>,
    pub(crate) limits: Vec<Counted>,
    /// What minutes are counted for: everything, then the limits' keys.
    pub(crate) keys: Vec<LimitKey>,
    /// Which rule holds search to a safe one, and the line; none where nothing does.
    pub(crate) search: Option<(Rule, Option<SourceId>)>,
    /// The line of the profile or agreement itself.
    pub(crate) source: Option<SourceId>,
}

/// A limit, made ready.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Everything that is counted.
    pub(crate) everything: bool,
    /// The service or category that it counts.
    pub(crate) tags: Tags,
    /// The key's bit in [`crate::Counts`].
    pub(crate) bit: u8,
    pub(crate) minutes: ByDay<u16>,
    pub(crate) source: SourceId,
}

/// What the language promises of a person's table of limits; more are not read.
const MOST_LIMITS: usize = 63;

impl Rules {
    /// The rules of a person: their own, or the baseline's while their agreement is a draft.
    pub(crate) fn of(home: &Home, school: &SchoolDays, person: &Person) -> Self {
        let mut rules = match person.draft {
            Some(_) => Self::baseline(home, school),
            None => Self::agreed(home, school, person),
        };
        rules.unknown = false;
        rules.closed = false;
        if rules.search.is_none() && person.safe_search != SafeSearch::Off {
            rules.search = Some((Rule::Site, Some(person.safe_search_source)));
        }
        rules.count(person);
        rules
    }

    /// The rules of nobody in particular.
    pub(crate) fn baseline(home: &Home, school: &SchoolDays) -> Self {
        let baseline = &home.baseline;
        let mut rules = Self {
            body: Body::Baseline,
            unknown: true,
            closed: home.unknown_devices != UnknownDevices::Baseline,
            schedule: Schedule::new(&baseline.online, None, school),
            school_hours: None,
            sites: Sites::default(),
            kinds: Kinds::default(),
            floor: Kinds::default(),
            education: Tags::NONE,
            otherwise: baseline.otherwise,
            otherwise_source: baseline.source,
            limits: Vec::new(),
            keys: Vec::new(),
            search: None,
            source: baseline.source,
        };
        rules.add_home(home);
        rules.add_words(&baseline.words);
        rules
    }

    fn agreed(home: &Home, school: &SchoolDays, person: &Person) -> Self {
        let school_hours = match (person.kind, person.school_hours) {
            (PersonKind::Staff | PersonKind::Visitor, _) | (_, SchoolHours::AsAgreed) => None,
            (PersonKind::YoungPerson | PersonKind::Device, hours) => {
                Some((hours, person.school_hours_source))
            }
        };
        let mut rules = Self {
            body: Body::of(person.profile),
            unknown: false,
            closed: false,
            schedule: Schedule::new(&person.online, Some(&person.bedtime), school),
            school_hours,
            sites: Sites::default(),
            kinds: Kinds::default(),
            floor: Kinds::default(),
            education: Tags::NONE,
            otherwise: person.otherwise,
            otherwise_source: Some(person.otherwise_source),
            limits: Vec::new(),
            keys: Vec::new(),
            search: None,
            source: Some(person.source),
        };
        rules.add_home(home);
        rules.add_words(&person.words);
        for (word, _) in &person.education_sites {
            rules.education = rules.education.union(tag(word));
            rules.sites.add(word, As::Tagged(Category::EDUCATION));
        }
        rules
    }

    /// What holds for everyone: the floor, and what the home protects.
    fn add_home(&mut self, home: &Home) {
        if home.everyone.safe_search != SafeSearch::Off {
            self.search = Some((Rule::Floor, home.everyone.safe_search_source));
        }
        for (word, source) in &home.everyone.block {
            self.sites.add(word, As::Floor(*source));
            self.floor.add(word, Ruled::Block, *source);
        }
        for (words, category) in protected(home) {
            for (word, _) in words {
                self.sites.add(word, As::Tagged(category));
            }
        }
    }

    fn add_words(&mut self, words: &[Ruling]) {
        for Ruling { word, ruled, source } in words {
            self.sites.add(word, As::Ruling(*ruled, *source));
            self.kinds.add(word, *ruled, *source);
        }
    }

    fn count(&mut self, person: &Person) {
        self.keys.push(LimitKey::Everything);
        for (place, limit) in person.limits.iter().take(MOST_LIMITS).enumerate() {
            let (bit, tags) = match &limit.key {
                LimitKey::Everything => (0, Tags::NONE),
                LimitKey::Word(word) => {
                    self.sites.add(word, As::Limit(place as u8));
                    self.keys.push(limit.key.clone());
                    (self.keys.len() as u8 - 1, tag(word))
                }
            };
            self.limits.push(Counted {
                everything: limit.key == LimitKey::Everything,
                tags,
                bit,
                minutes: ByDay::new(&limit.minutes, |&m| m),
                source: limit.source,
            });
        }
    }

    /// The day's minutes of each limit; none where the day has none.
    pub(crate) fn minutes<'a>(
        &'a self,
        day: crate::calendar::Day,
        school: &'a SchoolDays,
    ) -> impl Iterator<Item = Option<u16>> + 'a {
        self.limits.iter().map(move |limit| limit.minutes.on(day, school).map(|(&m, _)| m))
    }
}

impl Body {
    fn of(profile: Profile) -> Self {
        match profile {
            Profile::Agreement => Self::Agreement,
            Profile::EmailOnly => Self::EmailOnly,
            Profile::EducationSession => Self::EducationSession,
        }
    }
}

/// What a home adds to each protected set.
pub(crate) fn protected(home: &Home) -> [(&[(Word, SourceId)], Category); 3] {
    let crate::meant::ProtectedSites { support, private_mail, assistive } = &home.protected;
    [(support, Category::SUPPORT), (private_mail, Category::PRIVATE_MAIL), (assistive, Category::ASSISTIVE)]
}

/// The tag that a word's names carry; none for sites.
fn tag(word: &Word) -> Tags {
    match word {
        Word::Service(service) => Tags::service(*service),
        Word::Category(category) => Tags::category(*category),
        Word::Site(_) | Word::Host(_) | Word::Path(..) => Tags::NONE,
    }
}

/// An instrument for the walk: everything that a person's rules know of a request.
impl Rules {
    pub(crate) fn find(&self, request: &crate::request::Request<'_>) -> super::sites::Found {
        let mut found = self.sites.find(request);
        if found.tags.intersects(self.education) {
            found.tags = found.tags.union(Tags::category(Category::EDUCATION));
        }
        found
    }
}
