//! The packet path's side: what one monitored person has in use, until the next harvest.

use super::{MOST_SITES, OTHER_SITES, Terms, UNCATEGORISED};
use crate::in_force::Current;
use crate::minutes::Known;
use agreements::{Counts, Host, House, MonitoringLevel, Person, PersonId, Request};
use blocklists::{Category, Tags};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// What is never looked at: help, communication aids and private mail. Where one of these has a part in a connection,
/// nothing of that connection is kept.
const PRIVATE: [Category; 3] = [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL];

/// What would tell of somebody's health, sex life or who they are (UK GDPR art 9): nothing of such a connection is kept
/// either, not even under another word, for a young person who looks for an answer to it must not be found out by it.
/// What the agreement or the floor closes of it is a breach as ever.
const SENSITIVE: [&str; 3] = ["self_harm", "sex_education", "lifestyle"];

/// Whatever is never looked at.
static NEVER: LazyLock<Vec<Category>> =
    LazyLock::new(|| SENSITIVE.into_iter().filter_map(Category::from_word).chain(PRIVATE).collect());

/// What nobody chose to visit, and sealed lists, whose hosts are shown to nobody.
const UNSEEN: [Category; 7] = [
    Category::INFRASTRUCTURE,
    Category::DEVICE_DEFAULT,
    Category::ADVERTISING,
    Category::TRACKING,
    Category::TELEMETRY,
    Category::UPDATES,
    Category::ILLEGAL,
];

/// One monitored person's marks.
pub(crate) struct Watch {
    sites: bool,
    starts: DateTime<Utc>,
    ends: DateTime<Utc>,
    /// Held for the length of one insertion, or of taking all out.
    marks: Mutex<Marks>,
}

/// What was in use since the last harvest, and how that is known.
#[derive(Default)]
pub(crate) struct Marks {
    pub(super) categories: HashMap<&'static str, Known>,
    pub(super) sites: HashMap<Box<str>, Known>,
}

/// Sites never reach a log.
impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("sites", &self.sites).field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl Watch {
    /// None for who is not monitored beyond breaches.
    pub(crate) fn new(house: &House, person: &Person) -> Option<Self> {
        let terms = Terms::of(house, person)?;
        let sites = terms.said.level == MonitoringLevel::Sites;
        Some(Self { sites, starts: terms.starts, ends: terms.ends, marks: Mutex::default() })
    }

    /// Takes the marks, if there are any.
    pub(super) fn take(&self) -> Option<Marks> {
        let mut marks = self.marks();
        (!marks.categories.is_empty()).then(|| std::mem::take(&mut *marks))
    }

    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, host: Host<'_>, tags: Tags, known: Known) {
        let mut marks = self.marks();
        let words = tags.categories().map(Category::word);
        let none = tags.categories().next().is_none().then_some(UNCATEGORISED);
        for word in words.chain(none) {
            know(marks.categories.entry(word).or_insert(known), known);
        }
        if self.sites {
            marks.site(site(host), known);
        }
    }
}

impl Marks {
    fn site(&mut self, site: &str, known: Known) {
        if let Some(before) = self.sites.get_mut(site) {
            return know(before, known);
        }
        let site = if self.sites.len() < MOST_SITES { site } else { OTHER_SITES };
        know(self.sites.entry(site.into()).or_insert(known), known);
    }
}

/// What was seen to pass is more than what was looked up.
fn know(before: &mut Known, now: Known) {
    if now == Known::Counted {
        *before = now;
    }
}

/// The registrable domain, which is all of a host that is kept.
fn site(host: Host<'_>) -> &str {
    match host {
        Host::Name(name) => name.registrable().as_str(),
        Host::Address(_) => OTHER_SITES,
    }
}

fn has_any(tags: Tags, of: &[Category]) -> bool {
    of.iter().any(|&category| tags.has(category))
}

impl Current {
    /// Traffic that the person caused passed: the running minute counts for these keys, and where the person is
    /// monitored beyond breaches at that instant, for what their agreement says of these hosts.
    ///
    /// `hosts` are all that one connection is known by.
    pub fn in_use<'h>(
        &self,
        who: PersonId,
        counts: Counts,
        at: DateTime<Utc>,
        hosts: impl Iterator<Item = Host<'h>> + Clone,
    ) {
        self.sheet.mark(who, counts);
        self.monitor(who, counts, at, hosts, Known::Counted);
    }

    /// Only a name was looked up, and it reads like use: as [`Current::in_use`], estimated.
    pub fn looked_up(&self, who: PersonId, counts: Counts, at: DateTime<Utc>, host: Host<'_>) {
        self.sheet.estimate(who, counts);
        self.monitor(who, counts, at, std::iter::once(host), Known::Estimated);
    }

    fn monitor<'h>(
        &self,
        who: PersonId,
        counts: Counts,
        at: DateTime<Utc>,
        hosts: impl Iterator<Item = Host<'h>> + Clone,
        known: Known,
    ) {
        let Some(watch) = self.sheet.watch(who).filter(|w| counts.0 != 0 && w.starts <= at && at < w.ends)
        else {
            return;
        };
        if hosts.clone().any(|host| has_any(self.tags(who, host), &NEVER)) {
            return;
        }
        for host in hosts {
            let tags = self.tags(who, host);
            if !has_any(tags, &UNSEEN) {
                watch.mark(host, tags, known);
            }
        }
    }

    /// What the decision knows of a host.
    fn tags(&self, who: PersonId, host: Host<'_>) -> Tags {
        let tags = self.snapshot.tags(host);
        self.snapshot.house.tags_of(who, &Request { host, tags, path: None })
    }
}
