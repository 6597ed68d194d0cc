//! An agreement: `agreements/ID.yaml`.

use super::agreed;
use super::block::{Block, choice_of, text, text_of, texts};
use super::coverage;
use super::days::table;
use super::devices;
use super::filled::Filled;
use super::limits;
use super::network;
use super::pledges;
use super::sheet::Sheet;
use super::times;
use super::words::{self, Measure};
use crate::meant::*;
use crate::verdict::Outcome;
use crate::yaml::Node;
use chrono::NaiveDate;

const KEYS: &[&str] = &[
    "person",
    "for",
    "profile",
    "agreed",
    "education",
    "devices",
    "any_address_on",
    "online",
    "bedtime",
    "limits",
    "allow",
    "ask",
    "with_staff",
    "block",
    "otherwise",
    "school_hours",
    "education_sites",
    "safe_search",
    "monitoring",
    "behaviour",
    "tell_someone",
    "consequences",
];
/// What `for` may say.
pub(crate) const KINDS: [(&str, PersonKind); 4] = [
    ("young person", PersonKind::YoungPerson),
    ("staff", PersonKind::Staff),
    ("visitor", PersonKind::Visitor),
    ("device", PersonKind::Device),
];
/// What `profile` may say.
pub(crate) const PROFILES: [(&str, Profile); 3] = [
    ("agreement", Profile::Agreement),
    ("email_only", Profile::EmailOnly),
    ("education_session", Profile::EducationSession),
];
/// What `education` may say.
pub(crate) const EDUCATION: [(&str, Education); 3] =
    [("school", Education::School), ("home", Education::Home), ("none", Education::None)];
/// What `school_hours` may say.
pub(crate) const SCHOOL_HOURS: [(&str, SchoolHours); 4] = [
    ("education_only", SchoolHours::EducationOnly),
    ("with_staff", SchoolHours::WithStaff),
    ("as_agreed", SchoolHours::AsAgreed),
    ("offline", SchoolHours::Offline),
];
/// What `otherwise` may say.
pub(crate) const OTHERWISE: [(&str, Ruled); 3] =
    [("allow", Outcome::Allow), ("ask", Outcome::Ask), ("block", Outcome::Block)];
/// What `safe_search` may say.
pub(crate) const SAFE_SEARCH: [(&str, SafeSearch); 3] =
    [("strict", SafeSearch::Strict), ("moderate", SafeSearch::Moderate), ("off", SafeSearch::Off)];

/// A person of whom nothing could be read: their devices, if any are known later, get the baseline.
pub(crate) fn unusable(sheet: &mut Sheet<'_>, id: &str) -> Person {
    let source = sheet.source(0);
    Person {
        id: id.to_owned(),
        name: id.to_owned(),
        kind: PersonKind::default(),
        profile: Profile::default(),
        source,
        draft: Some(Draft::Unusable),
        agreed: Agreed::default(),
        education: Education::default(),
        devices: Vec::new(),
        any_address_on: None,
        online: DayTable { entries: Vec::new() },
        bedtime: DayTable { entries: Vec::new() },
        limits: Vec::new(),
        words: Vec::new(),
        otherwise: Outcome::Block,
        otherwise_source: source,
        school_hours: SchoolHours::EducationOnly,
        school_hours_source: source,
        education_sites: Vec::new(),
        safe_search: SafeSearch::Strict,
        safe_search_source: source,
        monitoring: Monitoring::default(),
        behaviour: Vec::new(),
        tell_someone: None,
        consequences: Vec::new(),
    }
}

/// Reads an agreement. With errors it is unusable; what could be read of its devices is kept all the same.
pub(crate) fn read(
    sheet: &mut Sheet<'_>,
    root: &Node,
    id: &str,
    home: &Home,
    filled: Filled,
    known: &mut devices::Known,
    today: NaiveDate,
) -> Person {
    let mut person = unusable(sheet, id);
    let Some(block) = Block::read(sheet, root, "an agreement", KEYS) else { return person };
    who(sheet, &block, &mut person);
    person.devices = devices::read(sheet, &block, id, known);
    person.any_address_on = any_address_on(sheet, &block, &person);
    when(sheet, &block, &mut person, home);
    let measure = Measure { protected: &home.protected, floor: Some(&home.everyone), filled };
    person.limits = limits::read(sheet, &block, &measure);
    what(sheet, &block, &mut person, &measure);
    school(sheet, &block, &mut person);
    person.safe_search = safe_search(sheet, &block, home);
    if block.get("safe_search").is_some() {
        person.safe_search_source = sheet.source(block.key_at("safe_search"));
    }
    person.monitoring = pledges::monitoring(sheet, &block, today);
    person.behaviour = texts(sheet, &block, "behaviour");
    person.tell_someone = text_of(sheet, &block, "tell_someone").map(str::to_owned);
    person.consequences = pledges::consequences(sheet, &block);
    let missing = agreed::read(sheet, &block, &mut person, today);
    if missing.is_empty() {
        pledges::told_first(sheet, &block, &person.monitoring, today);
    }
    if sheet.errors() == 0 {
        person.draft = (!missing.is_empty()).then_some(Draft::Missing(missing));
    }
    person
}

fn who(sheet: &mut Sheet<'_>, block: &Block<'_>, person: &mut Person) {
    if let Some(node) = block.need(sheet, "person", "the name that staff and they see")
        && let Some(name) = text(sheet, node, "person")
    {
        person.name = name.to_owned();
    }
    person.source = sheet.source(block.key_at("person"));
    person.otherwise_source = person.source;
    person.school_hours_source = person.source;
    person.safe_search_source = person.source;
    person.kind = choice_of(sheet, block, "for", &KINDS, PersonKind::default());
    person.profile = choice_of(sheet, block, "profile", &PROFILES, Profile::default());
    if person.profile == Profile::EducationSession && person.kind != PersonKind::Device {
        let sentence = "`education_session` is a profile of a device, which staff open for a young person.";
        sheet.error(block.key_at("profile"), "profile", sentence, "Write `for: device` as well.");
    }
}

/// The exception of a device that people share. One's own agreement has none: an address without a name can be anything, a way
/// around too.
fn any_address_on(sheet: &mut Sheet<'_>, block: &Block<'_>, person: &Person) -> Option<AnyAddressOn> {
    const KEY: &str = "any_address_on";
    let node = block.get(KEY)?;
    let (ports, written) = network::ports(sheet, block, KEY)?;
    if person.kind != PersonKind::Device || person.profile != Profile::Agreement {
        let sentence = "Only a device that people share, with an agreement of its own, may reach addresses that no name led to.";
        let help =
            "Take it out, or write `for: device` in an agreement for the console or the television itself.";
        sheet.error(block.key_at(KEY), "any-address", sentence, help);
        return None;
    }
    let is_told = |device: &DeviceMatch| matches!(device.by, DeviceBy::Mac(_) | DeviceBy::Ip(_));
    if !person.devices.iter().any(is_told) {
        let sentence = "The router tells a device by its `mac` or its `ip`, and none of these has one.";
        sheet.warning(node.at(), "no-effect", sentence, "Add the device's `mac` under `devices`.");
    }
    let source = sheet.source(block.key_at(KEY));
    (!written.is_empty()).then_some(AnyAddressOn { ports, written, source })
}

fn when(sheet: &mut Sheet<'_>, block: &Block<'_>, person: &mut Person, home: &Home) {
    if let Some(node) = block.get("online") {
        person.online = table(sheet, node, "online", |s, n| times::windows(s, n, "online"));
    } else if always_online(person) {
        let all_day = vec![Window { start: 0, end: times::DAY }];
        person.online.entries.push((Days::EveryDay, all_day, person.source));
    }
    never_online(sheet, block, person);
    if let Some(node) = block.get("bedtime") {
        person.bedtime = table(sheet, node, "bedtime", times::bedtime);
    }
    if sheet.errors() == 0 && person.profile != Profile::EducationSession {
        let places = coverage::Places { online: block.key_at("online"), bedtime: block.get("bedtime") };
        coverage::warn(sheet, &places, &person.online, &person.bedtime, &home.school);
    }
}

/// A young person who is never online has no private mail at any reasonable time. Only a restriction may close that much: it
/// has a reason, consent and an end.
fn never_online(sheet: &mut Sheet<'_>, block: &Block<'_>, person: &Person) {
    let windows = &person.online.entries;
    let never = !windows.is_empty() && windows.iter().all(|(_, windows, _)| windows.is_empty());
    if person.kind == PersonKind::YoungPerson && never {
        let sentence = "No day has a window, so that this closes their private mail, too, without reason, consent or end (Reg 22).";
        let help = "Write at least one window, like `every_day: 16:00-17:00`; to close more for a while, place a restriction.";
        sheet.error(block.key_at("online"), "never-online", sentence, help);
    }
}

/// Adults' agreements that name no times have none; a session's device works in the session's times.
fn always_online(person: &Person) -> bool {
    matches!(person.kind, PersonKind::Staff | PersonKind::Visitor)
        || person.profile == Profile::EducationSession
}

fn what(sheet: &mut Sheet<'_>, block: &Block<'_>, person: &mut Person, measure: &Measure<'_>) {
    person.words = words::rulings(sheet, block, measure);
    person.education_sites = words::listed(sheet, block, "education_sites");
    person.otherwise = choice_of(sheet, block, "otherwise", &OTHERWISE, Outcome::Allow);
    if block.get("otherwise").is_some() {
        person.otherwise_source = sheet.source(block.key_at("otherwise"));
    } else if person.profile == Profile::Agreement {
        let sentence =
            "Nothing says what holds for a site that the agreement does not mention: it is allowed.";
        let help = "Write `otherwise: allow`, `otherwise: ask` or `otherwise: block`.";
        sheet.warning(block.at, "no-otherwise", sentence, help);
    }
    without_effect(sheet, block, person.profile);
}

/// The other two profiles decide by themselves what is open.
fn without_effect(sheet: &mut Sheet<'_>, block: &Block<'_>, profile: Profile) {
    let words = ["allow", "ask", "otherwise", "limits"];
    let (name, more): (_, &[&str]) = match profile {
        Profile::Agreement => return,
        // `with_staff` words open in a supervised session, whatever the profile.
        Profile::EmailOnly => ("email_only", &[]),
        // A session is open from when staff start it until they end it, for learning, by the learner's own agreement.
        Profile::EducationSession => (
            "education_session",
            &["with_staff", "block", "online", "bedtime", "school_hours", "education_sites"],
        ),
    };
    for key in words.iter().chain(more).copied() {
        if block.get(key).is_some() {
            let sentence = format!("`{key}` changes nothing under `profile: {name}`.");
            sheet.warning(block.key_at(key), "no-effect", &sentence, "Take it out, or take the profile out.");
        }
    }
}

fn school(sheet: &mut Sheet<'_>, block: &Block<'_>, person: &mut Person) {
    person.education = choice_of(sheet, block, "education", &EDUCATION, Education::default());
    person.school_hours = choice_of(sheet, block, "school_hours", &SCHOOL_HOURS, SchoolHours::EducationOnly);
    if block.get("school_hours").is_some() {
        person.school_hours_source = sheet.source(block.key_at("school_hours"));
        if matches!(person.kind, PersonKind::Staff | PersonKind::Visitor) {
            let sentence = "Staff and visitors have no school hours: this changes nothing.";
            sheet.warning(block.key_at("school_hours"), "no-effect", sentence, "Take it out.");
        }
    }
}

fn safe_search(sheet: &mut Sheet<'_>, block: &Block<'_>, home: &Home) -> SafeSearch {
    let least = home.everyone.safe_search;
    let own = choice_of(sheet, block, "safe_search", &SAFE_SEARCH, least);
    if own < least {
        let word = SAFE_SEARCH.iter().find(|(_, s)| *s == least).map_or("", |(w, _)| w);
        let sentence = format!("The home holds search to `{word}` for everyone, so that holds here too.");
        sheet.warning(
            block.key_at("safe_search"),
            "looser-than-home",
            &sentence,
            &format!("Write `safe_search: {word}`."),
        );
    }
    own.max(least)
}
