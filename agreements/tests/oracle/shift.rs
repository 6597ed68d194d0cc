//! What a shift decides at random: grants, restrictions, and what has been used.

use crate::plan::Plan;
use crate::questions::WORDS;
use crate::random::Random;
use agreements::{GrantKind, House, LimitKey, LiveGrant, LiveRestriction, Standing, What, Word};
use chrono::DateTime;

/// What staff decided and what has been used, for a stretch of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shift {
    pub grants: Vec<Grant>,
    pub restrictions: Vec<Restriction>,
    /// Whose, which key, how many minutes.
    pub used: Vec<(&'static str, &'static str, u16)>,
}

/// Everything, or these words.
pub(crate) type About = Option<Vec<&'static str>>;

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Sites(About),
    /// For everything, or for one key.
    Time(Option<&'static str>),
    Supervised(Vec<&'static str>),
    Education(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub entry: i64,
    pub person: &'static str,
    pub kind: Kind,
    pub from: i64,
    pub until: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Restriction {
    pub entry: i64,
    pub person: &'static str,
    pub about: About,
    pub from: i64,
    pub until: i64,
}

/// What a manager could name in a restriction, beside an agreement's words.
const RESTRICTED: &[&str] =
    &["private_mail", "support", "assistive", "infrastructure", "hope.example", "education"];

impl Shift {
    /// A shift between two instants; `much` is the most grants that it makes.
    pub(crate) fn generate(r: &mut Random, plan: &Plan, from: i64, until: i64, much: u64) -> Self {
        let mut shift = Self::default();
        for entry in 1..=r.below(much + 1) as i64 {
            let (from, until) = span(r, from, until);
            let person = r.pick(&["alex", "alex", "alex", "sam", "lap", "lap"]);
            shift.grants.push(Grant { entry, person, kind: kind(r, person), from, until });
        }
        for entry in 101..101 + r.below(3) as i64 {
            let (from, until) = span(r, from, until);
            let about = if r.chance(30) { None } else { Some(words(r, RESTRICTED)) };
            shift.restrictions.push(Restriction {
                entry,
                person: r.pick(&["alex", "sam", "lap"]),
                about,
                from,
                until,
            });
        }
        for person in &plan.people {
            for (key, _) in &person.limits {
                shift.used.push((person.id, key, r.pick(&[0, 0, 14, 15, 45, 60, 89, 90, 240, 1000])));
            }
        }
        shift
    }

    /// Every instant at which something here begins or ends.
    pub(crate) fn turns(&self) -> impl Iterator<Item = i64> {
        let grants = self.grants.iter().flat_map(|g| [g.from, g.until]);
        grants.chain(self.restrictions.iter().flat_map(|r| [r.from, r.until]))
    }

    pub(crate) fn standing(&self, house: &House) -> Standing {
        let grants: Vec<_> = self.grants.iter().map(Grant::live).collect();
        let restrictions: Vec<_> = self.restrictions.iter().map(Restriction::live).collect();
        Standing::new(house, &grants, &restrictions, &|person, key| {
            let word = match key {
                LimitKey::Everything => "everything".to_owned(),
                LimitKey::Word(word) => word.to_string(),
            };
            self.used.iter().find(|(p, k, _)| *p == person && *k == word).map_or(0, |(.., minutes)| *minutes)
        })
    }
}

impl Grant {
    fn live(&self) -> LiveGrant {
        let kind = match &self.kind {
            Kind::Sites(about) => GrantKind::Sites(what(about)),
            Kind::Time(None) => GrantKind::ExtraTime(LimitKey::Everything),
            Kind::Time(Some(key)) => GrantKind::ExtraTime(LimitKey::Word(word(key))),
            Kind::Supervised(words) => GrantKind::Supervised(words.iter().map(|w| word(w)).collect()),
            Kind::Education(who) => GrantKind::Education { young_person: (*who).into() },
        };
        let by = "K. Lane".into();
        let (from, until) = (instant(self.from), instant(self.until));
        LiveGrant { entry: self.entry, person: self.person.into(), kind, from, until, by, supervision: None }
    }
}

impl Restriction {
    fn live(&self) -> LiveRestriction {
        let (from, until) = (instant(self.from), instant(self.until));
        LiveRestriction {
            entry: self.entry,
            person: self.person.into(),
            what: what(&self.about),
            from,
            until,
        }
    }
}

pub(crate) fn instant(at: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(at, 0).unwrap()
}

fn what(about: &About) -> What {
    about.as_ref().map_or(What::Everything, |words| What::Words(words.iter().map(|w| word(w)).collect()))
}

fn word(text: &str) -> Word {
    Word::parse(text).unwrap()
}

fn span(r: &mut Random, from: i64, until: i64) -> (i64, i64) {
    let begins = from + r.below((until - from) as u64) as i64;
    (begins, begins + r.pick(&[1, 600, 1800, 3600, 7200, 6 * 3600, 86_400, 2 * 86_400]))
}

fn kind(r: &mut Random, person: &str) -> Kind {
    if person == "lap" && r.chance(70) {
        return Kind::Education(r.pick(&["sam", "sam", "alex", "stranger"]));
    }
    match r.below(8) {
        0 => Kind::Sites(None),
        1 | 2 => Kind::Sites(Some(words(r, &["infrastructure", "private_mail"]))),
        3 => Kind::Time(None),
        4 => Kind::Time(Some(r.pick(&["games", "video", "tiktok", "maybe.example", "shut.example"]))),
        5 => Kind::Supervised(words(r, &["education"])),
        6 => Kind::Supervised(Vec::new()),
        _ => Kind::Education("sam"),
    }
}

fn words(r: &mut Random, more: &[&'static str]) -> Vec<&'static str> {
    let mut words = r.some(WORDS, 12);
    words.extend(r.some(more, 25));
    if words.is_empty() {
        words.push(r.pick(WORDS));
    }
    words
}
