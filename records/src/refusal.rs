//! What one refusal becomes: nothing, a total, or a place in an episode.

use crate::entry::{BreachOpened, Line, stamp};
use crate::episode::{Key, KeyRef, OF_MANY, Seen};
use crate::refused::{Face, Identified, Refused};
use agreements::{
    Detector, Evidence, Host, House, Person, PersonKind, Record, Request, Rule, Severity, Subject, Verdict,
    Word,
};
use blocklists::{Category, Name, Tags};
use std::borrow::Cow;

/// The id and name of an unknown device's user.
pub(crate) const NOBODY: (&str, &str) = ("nobody", "An unknown device");
/// What stands for the sites that a lost device asks for: that it is in use is what staff need to know.
const LOST: &str = "a lost device";
/// What stands for the sites that an education device asks for outside its sessions: that it is on is what staff need to know.
const OUTSIDE: &str = "outside a session";
/// What stands for the host of a sealed list: nobody is shown which it was.
const SEALED: &str = "sealed";

/// What may be kept as a total only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Total {
    /// Communication aids.
    Assistive,
    /// Private mail.
    PrivateMail,
    /// What devices did by themselves.
    Technical,
}

impl Total {
    pub(crate) const ALL: [Self; 3] = [Self::Assistive, Self::PrivateMail, Self::Technical];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Assistive => "assistive",
            Self::PrivateMail => "private_mail",
            Self::Technical => "technical",
        }
    }
}

/// What a refusal may become, by its verdict alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Becomes {
    Nothing,
    Total(Total),
    Breach,
}

/// The rule of what may be written down, once more and on this side: whatever the caller meant to record.
pub(crate) fn becomes(verdict: &Verdict) -> Becomes {
    match (verdict.record, verdict.severity) {
        (Record::Nothing, _) => Becomes::Nothing,
        (Record::Total, _) => total(verdict).map_or(Becomes::Nothing, Becomes::Total),
        (Record::Episode, _) if verdict.allows() => Becomes::Nothing,
        (Record::Episode, Severity::Technical) => Becomes::Total(Total::Technical),
        (Record::Episode, _) => Becomes::Breach,
    }
}

/// Whether a refusal tells staff so much that no flood of others may take its room.
pub(crate) fn is_urgent(refused: &Refused<'_>) -> bool {
    let verdict = &refused.verdict;
    verdict.severity_seen(refused.evidence) >= Severity::High || verdict.is_circumvention()
}

/// Which total a verdict adds to, if any. Communication aids are decided by their own rule; private mail by whichever
/// rule lets it through or finds it outside the agreed times.
pub(crate) fn total(verdict: &Verdict) -> Option<Total> {
    match (verdict.record, verdict.rule, verdict.severity) {
        (Record::Nothing | Record::Episode, _, _) => None,
        (Record::Total, Rule::Protected, _) => Some(Total::Assistive),
        (Record::Total, _, Severity::Technical) if !verdict.allows() => Some(Total::Technical),
        (Record::Total, _, _) => Some(Total::PrivateMail),
    }
}

/// The person of a refusal; none for an unknown device.
fn person<'a>(refused: &Refused<'a>) -> Option<&'a Person> {
    refused.current.snapshot.house.agreement(refused.who)
}

/// Whose episode it is.
pub(crate) fn key<'a>(refused: &Refused<'a>) -> KeyRef<'a> {
    let person = person(refused).map_or(NOBODY.0, |p| &p.id);
    let rule = if stranger(refused).is_some() { Rule::Baseline } else { refused.verdict.rule };
    KeyRef { person, rule, site: site(refused) }
}

/// The site of an episode: the rule's, where it names a service or site; else the registrable domain, which is all that
/// staff need and less than the gateway saw; an address as it stands.
fn site<'a>(refused: &Refused<'a>) -> Cow<'a, str> {
    if let Some(face) = stranger(refused) {
        return face.to_string().into();
    }
    if refused.who == House::LOST && refused.verdict.rule == Rule::Baseline {
        return LOST.into();
    }
    if refused.verdict.is_out_of_session() {
        return OUTSIDE.into();
    }
    match (refused.verdict.rule, refused.verdict.subject, refused.host) {
        (Rule::Sealed, _, _) => SEALED.into(),
        (_, Subject::Service(service), _) => service.word().into(),
        (_, _, Host::Address(address)) => address.to_string().into(),
        (_, Subject::Site, Host::Name(name)) => {
            rules_site(refused, name).unwrap_or_else(|| name.registrable().as_str()).into()
        }
        (_, _, Host::Name(name)) => name.registrable().as_str().into(),
    }
}

/// The device that is the episode itself: one that nobody knows is told of once, whatever and however often it asks, by name or
/// by number. That it is there is what staff need to know; what its programs do by themselves wakes nobody. What the floor, a
/// sealed list or a way around that somebody chose refuses it is told as of everybody.
fn stranger(refused: &Refused<'_>) -> Option<Face> {
    let face = refused.stranger.filter(|_| House::is_unknown(refused.who))?;
    let is_a_number =
        refused.verdict.subject == Subject::Address && detector(refused) == Some(Detector::DirectAddress);
    (refused.verdict.rule == Rule::Baseline || is_a_number).then_some(face)
}

/// Whether that a device is about is told, and not where it went.
fn is_a_device(refused: &Refused<'_>) -> bool {
    stranger(refused).is_some() || refused.who == House::LOST || refused.verdict.is_out_of_session()
}

/// The longest site of the rule's line that the name is under.
fn rules_site<'a>(refused: &Refused<'a>, name: Name<'_>) -> Option<&'a str> {
    let source = refused.verdict.source?;
    let words = person(refused)?.words.iter().filter(|r| r.source == source).map(|r| &r.word);
    let sites = words.filter_map(|word| match word {
        Word::Site(site) | Word::Host(site) | Word::Path(site, _) => Some(site),
        Word::Service(_) | Word::Category(_) => None,
    });
    sites.filter(|s| name.is_under(s.name())).map(|s| s.as_str()).max_by_key(|s| s.len())
}

/// Which way around the gateway it was; none where it was none, or of a kind that nobody can tell.
fn detector(refused: &Refused<'_>) -> Option<Detector> {
    let by_host = || match refused.host {
        Host::Name(name) => Detector::of_name(name),
        Host::Address(address) => {
            let listed =
                refused.current.snapshot.catalogue.lookup_address(address).has(Category::CIRCUMVENTION);
            // One of a subscribed list is a way around of no kind that anybody can tell.
            Some(Detector::of_address(address)).filter(|known| !listed || *known != Detector::DirectAddress)
        }
    };
    refused.verdict.is_circumvention().then(|| refused.detected.or_else(by_host)).flatten()
}

/// What folding needs of it.
pub(crate) fn seen(refused: &Refused<'_>) -> Seen {
    let (at, evidence) = (stamp(refused.at), refused.evidence);
    // That it is there is certain, whatever it did.
    let evidence = if is_a_device(refused) { evidence.max(Evidence::Connection) } else { evidence };
    let detected = detector(refused).filter(|_| stranger(refused).is_none());
    let most = detected.map_or(Severity::Critical, |detector| detector.row().weight);
    let by_address = matches!(refused.host, Host::Address(_));
    Seen { at, evidence, severity: refused.verdict.severity_seen(evidence).min(most), by_address }
}

/// What the journal says of an episode that begins with this refusal; nothing where the name is a helpline's after all.
pub(crate) fn opening(refused: &Refused<'_>, key: &Key, seen: Seen) -> Option<BreachOpened> {
    let (house, verdict) = (&refused.current.snapshot.house, &refused.verdict);
    let (sealed, others) = (verdict.rule == Rule::Sealed, OF_MANY.contains(&key.site.as_str()));
    let asked = refused.host;
    let tags = tags(refused, asked);
    if tags.has(Category::SUPPORT) && !sealed {
        return None;
    }
    // The sentence is made with the site, so that no part of the host that is not kept stands in it.
    let said = match asked {
        Host::Name(name) => Host::Name(name.registrable()),
        Host::Address(address) => Host::Address(address),
    };
    let request = Request { host: said, tags, path: None };
    let device = refused.device.and_then(|i| house.devices().get(usize::from(i)));
    Some(BreachOpened {
        person: key.person.clone(),
        name: person(refused).map_or(NOBODY.1, |p| &p.name).to_owned(),
        device: device.map(|d| d.known.name.clone()),
        identified: refused.identified,
        rule: key.rule,
        outcome: verdict.outcome,
        site: key.site.clone(),
        categories: if sealed || others || is_a_device(refused) {
            Vec::new()
        } else {
            tags.categories().map(|c| c.word().to_owned()).collect()
        },
        severity: seen.severity,
        evidence: seen.evidence,
        // What a program may do by itself is no way around that somebody took.
        circumvention: verdict.is_circumvention()
            && seen.severity > Severity::Low
            && stranger(refused).is_none(),
        first: seen.at,
        sentence: match (sealed, others) {
            _ if refused.who == House::LOST => "A device that is marked as lost was in use.".to_owned(),
            _ if stranger(refused).is_some() => {
                "A device that nobody knows is on the home's network.".to_owned()
            }
            _ if verdict.is_out_of_session() => "An education device was on outside its sessions.".to_owned(),
            (true, _) => "A site on a sealed list was refused.".to_owned(),
            (false, true) => {
                "So much was refused within the hour that the rest is counted together.".to_owned()
            }
            (false, false) => {
                let sentence = house.sentence(refused.who, refused.at, &request, verdict);
                let around =
                    detector(refused).map_or(String::new(), |one| format!(" {}", one.row().sentence));
                sentence + &around
            }
        },
        source: verdict.source.filter(|_| !sealed).and_then(|s| house.source(s)).map(Line::from),
        detector: (stranger(refused).is_none() && !others)
            .then(|| detector(refused).map(|one| one.row().key.to_owned()))
            .flatten(),
        of_staff: person(refused).map(|person| person.kind == PersonKind::Staff),
    })
}

fn tags(refused: &Refused<'_>, host: Host<'_>) -> Tags {
    match host {
        Host::Name(name) => {
            let snapshot = &refused.current.snapshot;
            snapshot.catalogue.lookup(name).union(snapshot.house.home_tags(name))
        }
        Host::Address(address) => refused.current.snapshot.catalogue.lookup_address(address),
    }
}

/// Why the gateway says what it says: how it knew the person, and what it saw. It never says guilt.
pub(crate) fn why(name: &str, device: Option<&str>, identified: Identified, evidence: Evidence) -> String {
    let what = match device {
        Some(device) => format!("{name}'s {device}"),
        None if name == NOBODY.1 => "An unknown device".to_owned(),
        None => format!("A device of {name}"),
    };
    let did = match evidence {
        Evidence::Lookup => "looked the name up; an app may have done so by itself",
        Evidence::Connection => "tried to connect; a program may have done so by itself",
        Evidence::Navigation => "tried to open a page",
        Evidence::Repeated => "tried to open the page again after it was refused",
    };
    let known = match identified {
        Identified::Token => "It showed its own token",
        Identified::Mac => "It was known by its hardware address, which another device can imitate",
        Identified::Ip => "It was known by its address, which another device can be given",
        Identified::SignIn => "Somebody had signed in on it, or staff had let it in",
        Identified::Network => "It was known only by the network it is on, which others may use too",
        Identified::Unknown => "The gateway does not know whose it is",
    };
    format!("{what} {did}. {known}. Who held it, the gateway cannot see.")
}
