//! The home in force, and the decision.

pub(crate) mod left;
pub(crate) mod moment;
pub(crate) mod rules;
mod sentence;
pub(crate) mod sites;

use crate::calendar::{Day, SchoolDays};
use crate::explain::{Explanation, TraceStep};
use crate::meant::{
    AnyAddressOn, DeviceMatch, Draft, Home, LimitKey, Person, PersonKind, Profile, SafeSearch, UnknownDevices,
};
use crate::network::holds;
use crate::request::Request;
use crate::rule::{self, Case};
use crate::schedule::{Local, instant};
use crate::source::{Source, SourceId};
use crate::standing::Standing;
use crate::verdict::Verdict;
use blocklists::{Catalogue, Tags};
use chrono::{DateTime, NaiveDate, Utc};
use moment::Moment;
use rules::Rules;
pub(crate) use sentence::key_in_words;
use sites::{As, Sites};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A person of a house, by place. It is good for the house that gave it and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub u16);

/// A device of a house and whose it is.
#[derive(Clone, Debug)]
pub struct Device {
    /// How it is known.
    pub known: DeviceMatch,
    /// Whose it is.
    pub person: PersonId,
}

/// The home in force: immutable, and all that the decision needs.
#[derive(Debug)]
pub struct House {
    home: Home,
    sources: Vec<Source>,
    devices: Vec<Device>,
    school: SchoolDays,
    /// The rules of nobody in particular, then everybody's.
    rules: Vec<Rules>,
    /// The rules of whoever holds a lost device.
    lost: Rules,
    /// The rules of everybody whom the home knows while the clock cannot be believed.
    without_clock: Rules,
    /// What the home protects.
    protected: Sites,
}

/// A house and a catalogue. Another house may share it: files change more often than lists.
#[derive(Debug)]
pub struct Snapshot {
    /// The people and their rules.
    pub house: House,
    /// What names are.
    pub catalogue: Arc<Catalogue>,
}

impl House {
    /// Nobody in particular: an unknown device. The baseline applies.
    pub const NOBODY: PersonId = PersonId(0);

    /// Everybody whom the home knows while the clock cannot be believed: the baseline as within its times, since nobody can tell
    /// whether it is night; never dark, never open, whatever unknown devices have. The instant of a judgement is not looked at.
    pub const NO_CLOCK: PersonId = PersonId(u16::MAX);

    /// Whoever holds a device that is lost: what is protected, and nothing else.
    pub const LOST: PersonId = PersonId(u16::MAX - 1);

    /// An unknown device while the clock cannot be believed: what unknown devices have (`unknown_devices`), as within its times.
    /// A home that is closed to strangers is not open to them because of a power cut.
    pub const NOBODY_NO_CLOCK: PersonId = PersonId(u16::MAX - 2);

    /// Prepares a home for deciding. Person `i` of `home.people` becomes `PersonId(i + 1)`.
    pub fn new(home: Home, sources: Vec<Source>) -> Self {
        // The built-in table is read here, and not by the first question that asks it.
        let _read = blocklists::builtin::search_cannot_be_made_safe("");
        let school = SchoolDays::new(&home.school);
        let lost = Rules { closed: true, ..Rules::baseline(&home, &school) };
        let without_clock = Rules { closed: false, unknown: false, ..Rules::baseline(&home, &school) };
        let mut rules = vec![Rules::baseline(&home, &school)];
        rules.extend(home.people.iter().map(|person| Rules::of(&home, &school, person)));
        let mut protected = Sites::default();
        for (words, category) in rules::protected(&home) {
            for (word, _) in words {
                protected.add(word, As::Tagged(category));
            }
        }
        let devices = home.people.iter().zip(1..).flat_map(|(person, place)| {
            person.devices.iter().map(move |known| Device { known: known.clone(), person: PersonId(place) })
        });
        Self { devices: devices.collect(), school, rules, lost, without_clock, protected, home, sources }
    }

    /// The same home with everybody on its baseline, while the gateway cannot read its records: nobody knows then what the
    /// manager has closed, and how many minutes have been used. Never open, never dark.
    #[must_use]
    pub fn without_records(self) -> Self {
        let Self { mut home, sources, .. } = self;
        for person in &mut home.people {
            person.draft = Some(Draft::NoRecords);
        }
        Self::new(home, sources)
    }

    /// The same home with nothing but what is protected, for whoever asks: while nobody decides. No list of it is read.
    #[must_use]
    pub fn protected_only(self) -> Self {
        let Self { home, sources, .. } = self;
        let unknown_devices = UnknownDevices::Block;
        Self::new(Home { people: Vec::new(), lists: Vec::new(), unknown_devices, ..home }, sources)
    }

    /// Whether gateway.yaml opens this address inside the home.
    pub(crate) fn opens(&self, address: IpAddr) -> bool {
        let networks = &self.home.home_network;
        networks
            .iter()
            .any(|&(network, length)| holds(network.to_canonical(), length, address.to_canonical()))
    }

    /// The home as meant.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Everybody with an agreement.
    pub fn people(&self) -> impl ExactSizeIterator<Item = (PersonId, &Person)> {
        self.home.people.iter().enumerate().map(|(i, p)| (PersonId(i as u16 + 1), p))
    }

    /// The person with that id (the name of the agreement's file).
    pub fn person(&self, id: &str) -> Option<PersonId> {
        self.people().find(|(_, p)| p.id == id).map(|(i, _)| i)
    }

    /// The agreement of a person; none for [`House::NOBODY`].
    pub fn agreement(&self, who: PersonId) -> Option<&Person> {
        usize::from(who.0).checked_sub(1).and_then(|i| self.home.people.get(i))
    }

    /// Whether that is an unknown device, whatever the clock.
    pub fn is_unknown(who: PersonId) -> bool {
        matches!(who, Self::NOBODY | Self::NOBODY_NO_CLOCK)
    }

    /// Whose rules hold for somebody while the clock cannot be believed. What is closed whatever the time stays closed: a lost
    /// device, and unknown ones where the home says so.
    pub fn without_clock(who: PersonId) -> PersonId {
        match who {
            Self::LOST => Self::LOST,
            Self::NOBODY | Self::NOBODY_NO_CLOCK => Self::NOBODY_NO_CLOCK,
            _ => Self::NO_CLOCK,
        }
    }

    /// Whether a device that is taken for this person's is nobody's own, so that whoever signs in on it has it: an unknown
    /// device, or one that several share.
    pub fn is_for_whoever_signs_in(&self, who: PersonId) -> bool {
        match self.agreement(who) {
            None => who == Self::NOBODY,
            Some(person) => person.kind == PersonKind::Device && person.profile == Profile::Agreement,
        }
    }

    /// Every device that the files name.
    pub fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// Every device once, by its first place in [`House::devices`] and all the ways in which it is known.
    pub fn each_device(&self) -> impl Iterator<Item = (u16, &[Device])> {
        let same = |a: &Device, b: &Device| a.person == b.person && a.known.name == b.known.name;
        self.devices.chunk_by(same).scan(0, |next, ways| {
            let place = *next;
            *next += ways.len() as u16;
            Some((place, ways))
        })
    }

    /// The device of somebody that their agreement calls so, by its places in [`House::devices`]: one for each way in which it
    /// is known.
    pub fn devices_called<'h>(&'h self, whose: PersonId, name: &'h str) -> impl Iterator<Item = u16> + 'h {
        let all = self.devices.iter().zip(0_u16..);
        all.filter(move |(device, _)| device.person == whose && device.known.name == name)
            .map(|(_, place)| place)
    }

    /// The line that a verdict points at.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// Decides. The same person, instant, request and standing always give the same verdict.
    ///
    /// Somebody whom this house does not know is nobody: the baseline applies.
    pub fn judge(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        standing: &Standing,
    ) -> Verdict {
        self.judge_in(&self.moment(who, at, standing), request)
    }

    /// All of the decision that depends on person, instant and standing. It is good for many requests, as long as
    /// [`Moment::holds`] and neither this house nor the standing has been replaced.
    pub fn moment(&self, who: PersonId, at: DateTime<Utc>, standing: &Standing) -> Moment {
        if matches!(who, Self::NO_CLOCK | Self::NOBODY_NO_CLOCK) {
            return Moment::without_clock(who);
        }
        Moment::new(self, who, at, standing)
    }

    /// Decides within a moment: no arithmetic of time, no allocation. [`House::judge`] is this and [`House::moment`].
    pub fn judge_in(&self, moment: &Moment, request: &Request<'_>) -> Verdict {
        rule::decide(&Case::new(self, moment, request))
    }

    /// Decides about addresses that no name led to, for a device that people share and whose own agreement opens them on some
    /// ports (`any_address_on`): which those are, and whether they are open in this moment. None for everybody else: whoever
    /// has signed in on such a device has an agreement of their own, and a draft opens nothing.
    pub fn judge_any_address(&self, moment: &Moment) -> Option<(Verdict, &AnyAddressOn)> {
        let agreement = self.agreement(moment.who()).filter(|agreement| agreement.draft.is_none())?;
        let except = agreement.any_address_on.as_ref()?;
        let request = Request {
            host: crate::Host::Address(Ipv4Addr::UNSPECIFIED.into()),
            tags: Tags::NONE,
            path: None,
        };
        let verdict = rule::decide(&Case::of_any_address(self, moment, &request, except.source));
        Some((verdict, except))
    }

    /// Whether [`House::judge_in`] goes by the tags alone: in this moment it says the same of every such name that has
    /// these tags and no others.
    ///
    /// It does for nearly every name: for those that no file of the home mentions, while staff have opened and closed nothing.
    pub fn goes_by_tags(&self, moment: &Moment, request: &Request<'_>) -> bool {
        let crate::Host::Name(name) = request.host else { return false };
        let rules = self.rules(moment.who());
        rules.body != rules::Body::EducationSession
            && request.path.is_none()
            && !moment.is_about_sites()
            && !rules.sites.may_mention(name)
            && (rules.search.is_none() || !blocklists::builtin::search_cannot_be_made_safe(name.as_str()))
    }

    /// Decides, and tells of every rule in order whether it spoke.
    pub fn trace(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        standing: &Standing,
    ) -> (Verdict, Vec<TraceStep>) {
        rule::trace(&Case::new(self, &self.moment(who, at, standing), request))
    }

    /// Decides, and says it all in the shape of `explain --json`.
    pub fn explain(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        request: &Request<'_>,
        standing: &Standing,
    ) -> Explanation {
        let (verdict, trace) = self.trace(who, at, request, standing);
        let tags = self.rules(self.known(who)).find(request).tags;
        Explanation {
            person: self.agreement(who).map_or("baseline", |p| &p.id).to_owned(),
            at: self.local(at),
            host: match request.host {
                crate::Host::Name(name) => name.as_str().to_owned(),
                crate::Host::Address(address) => address.to_string(),
            },
            verdict: verdict.outcome,
            rule: verdict.rule,
            severity: (!verdict.allows()).then_some(verdict.severity),
            categories: tags.categories().map(|c| c.word()).collect(),
            service: tags.services().next().map(|s| s.word()),
            sentence: self.sentence(who, at, request, &verdict),
            to_you: self.sentence_to_you(who, at, request, &verdict),
            source: verdict.source.and_then(|id| self.source(id)).cloned(),
            until: verdict.until.map(|t| self.local(t)),
            trace,
        }
    }

    /// An instant in the home's zone, as RFC 3339 with its offset, to the second.
    fn local(&self, at: DateTime<Utc>) -> String {
        self.on_the_wall(at).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
    }

    /// An instant on the home's clock. Beyond the years that RFC 3339 can write, the last of them.
    pub(crate) fn on_the_wall(&self, at: DateTime<Utc>) -> DateTime<chrono_tz::Tz> {
        /// 0001-01-03 and 9999-12-29: a day and more from the edge, for any offset.
        const WRITABLE: (i64, i64) = (-62_135_424_000, 253_402_041_600);
        let secs = at.timestamp().clamp(WRITABLE.0, WRITABLE.1);
        let at = if secs == at.timestamp() { at } else { DateTime::from_timestamp(secs, 0).unwrap_or(at) };
        at.with_timezone(&self.home.timezone)
    }

    /// How strictly search is held for a person: never looser than the home's.
    pub fn safe_search(&self, who: PersonId) -> SafeSearch {
        let own = self.agreement(who).map_or(SafeSearch::Off, |p| p.safe_search);
        own.max(self.home.everyone.safe_search)
    }

    /// The keys that minutes are counted for, in the order of [`crate::Counts`] bits: everything first, then the limits'.
    /// Nothing is counted for [`House::NOBODY`].
    pub fn counted_keys(&self, who: PersonId) -> &[LimitKey] {
        &self.rules(self.known(who)).keys
    }

    /// The home's day that an instant belongs to: days start at `day_starts`, wall-clock time.
    pub fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self.home_day(at.timestamp(), &self.local_at(at)).0.date()
    }

    /// When the home's day that holds `at` ends.
    pub fn day_ends(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        instant(self.home_day(at.timestamp(), &self.local_at(at)).1).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Whether a day has school in it.
    pub fn has_school(&self, day: NaiveDate) -> bool {
        self.school.has_school(Day::of(day))
    }

    /// What is known of a name in this home beyond the catalogue: what the home protects.
    ///
    /// The decision adds it to what the catalogue says by itself; this is for whoever checks lists against it.
    pub fn home_tags(&self, name: blocklists::Name<'_>) -> Tags {
        self.protected.find(&Request { host: crate::Host::Name(name), tags: Tags::NONE, path: None }).tags
    }

    /// What the decision knows of a request for a person: the catalogue's tags, the home's, and their own education sites.
    pub fn tags_of(&self, who: PersonId, request: &Request<'_>) -> Tags {
        self.rules(self.known(who)).find(request).tags
    }

    /// The wall clock around an instant.
    pub(crate) fn local_at(&self, at: DateTime<Utc>) -> Local {
        Local::at(self.home.timezone, at.timestamp())
    }

    /// The person, or nobody if this house does not know them.
    pub(crate) fn known(&self, who: PersonId) -> PersonId {
        let is_somebody = matches!(who, Self::LOST | Self::NO_CLOCK | Self::NOBODY_NO_CLOCK);
        if is_somebody || usize::from(who.0) < self.rules.len() { who } else { Self::NOBODY }
    }

    pub(crate) fn rules(&self, who: PersonId) -> &Rules {
        match who {
            Self::LOST => &self.lost,
            Self::NO_CLOCK => &self.without_clock,
            _ => self.rules.get(usize::from(who.0)).unwrap_or(&self.rules[0]),
        }
    }

    pub(crate) fn school(&self) -> &SchoolDays {
        &self.school
    }
}

impl Snapshot {
    /// Looks the name up and decides.
    pub fn judge(
        &self,
        who: PersonId,
        at: DateTime<Utc>,
        host: crate::Host<'_>,
        path: Option<&str>,
        standing: &Standing,
    ) -> Verdict {
        self.judge_in(&self.house.moment(who, at, standing), host, path)
    }

    /// Decides about a way around the gateway at a host, whatever else the host is: a VPN's first words were heard there. What
    /// is protected stays open.
    pub fn judge_around(&self, moment: &Moment, host: crate::Host<'_>) -> Verdict {
        let tags = self.tags(host).union(Tags::category(blocklists::Category::CIRCUMVENTION));
        self.house.judge_in(moment, &Request { host, tags, path: None })
    }

    /// What the catalogue knows of a host.
    pub fn tags(&self, host: crate::Host<'_>) -> Tags {
        match host {
            crate::Host::Name(name) => self.catalogue.lookup(name),
            crate::Host::Address(address) => self.catalogue.lookup_address(address),
        }
    }

    /// Looks the name up and decides within a moment of the house: see [`House::judge_in`].
    pub fn judge_in(&self, moment: &Moment, host: crate::Host<'_>, path: Option<&str>) -> Verdict {
        self.house.judge_in(moment, &Request { host, tags: self.tags(host), path })
    }
}
