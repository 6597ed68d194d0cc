//! The home: `home.yaml`.

use super::accounts;
use super::block::{Block, choice_of, items, short, text, text_of};
use super::days::table;
use super::filled::{self, Filled, Use};
use super::lists;
use super::person::{OTHERWISE, SAFE_SEARCH};
use super::school;
use super::sheet::Sheet;
use super::spelling::{did_you_mean, nearest};
use super::times;
use super::words::{self, Measure};
use crate::lawful;
use crate::meant::*;
use crate::verdict::Outcome;
use crate::word::Word;
use crate::yaml::Node;
use blocklists::Category;
use chrono::NaiveTime;
use chrono_tz::Tz;

const KEYS: &[&str] = &[
    "home",
    "timezone",
    "day_starts",
    "shifts",
    "school",
    "everyone",
    "protected",
    "baseline",
    "unknown_devices",
    "lists",
    "staff",
    "notify",
    "keep",
    "desk",
    "safeguarding",
    "inspect_devices",
];
/// What `unknown_devices` may say.
pub(crate) const UNKNOWN_DEVICES: [(&str, UnknownDevices); 3] = [
    ("sign_in", UnknownDevices::SignIn),
    ("baseline", UnknownDevices::Baseline),
    ("block", UnknownDevices::Block),
];

/// The home that stands in when there is no `home.yaml`, or none that can be read: never open, never dark.
pub(crate) fn built_in() -> Home {
    Home {
        name: "This home".to_owned(),
        timezone: chrono_tz::Europe::London,
        day_starts: NaiveTime::from_hms_opt(4, 0, 0).expect("04:00 is a time"),
        shifts: Vec::new(),
        school: School::default(),
        everyone: Everyone { block: Vec::new(), safe_search: SafeSearch::Strict, safe_search_source: None },
        protected: ProtectedSites::default(),
        baseline: Baseline {
            online: DayTable { entries: Vec::new() },
            words: Vec::new(),
            otherwise: Outcome::Block,
            source: None,
        },
        // Nobody is known then, and must not be in the dark.
        unknown_devices: UnknownDevices::Baseline,
        lists: Vec::new(),
        staff: Vec::new(),
        notify: Vec::new(),
        keep: Keep { breaches: 365, minutes: 90, monitoring: 28 },
        desk_idle: 5,
        safeguarding: Vec::new(),
        inspect_every: None,
        home_network: Vec::new(),
        people: Vec::new(),
    }
}

/// What the built-in home blocks for everyone.
const FLOOR: [Category; 3] = [Category::PORNOGRAPHY, Category::MALWARE, Category::CIRCUMVENTION];

/// The floor and the baseline of the built-in home. Every line of a home needs a source, and these have none of
/// their own: they point at the file that should have said it.
pub(crate) fn stand_in(sheet: &mut Sheet<'_>, home: &mut Home) {
    home.everyone.block = floor(sheet);
    home.everyone.safe_search = SafeSearch::Strict;
    home.everyone.safe_search_source = None;
    home.baseline = baseline_of(sheet);
}

fn floor(sheet: &mut Sheet<'_>) -> Vec<(Word, crate::source::SourceId)> {
    let source = sheet.source(0);
    FLOOR.map(|category| (Word::Category(category), source)).to_vec()
}

fn baseline_of(sheet: &mut Sheet<'_>) -> Baseline {
    let source = sheet.source(0);
    Baseline {
        online: default_times(source),
        words: vec![education(source)],
        otherwise: Outcome::Block,
        source: None,
    }
}

fn default_times(source: crate::source::SourceId) -> DayTable<Vec<Window>> {
    let day = Window { start: 7 * 60, end: 21 * 60 };
    DayTable { entries: vec![(Days::EveryDay, vec![day], source)] }
}

fn education(source: crate::source::SourceId) -> Ruling {
    Ruling { word: Word::Category(Category::EDUCATION), ruled: Outcome::Allow, source }
}

/// Reads `home.yaml`. Parts with errors are as in the built-in home; the caller puts everybody on the baseline then.
pub(crate) fn read(sheet: &mut Sheet<'_>, root: &Node) -> Home {
    let mut home = built_in();
    stand_in(sheet, &mut home);
    let Some(block) = Block::read(sheet, root, "home.yaml", KEYS) else { return home };
    clock(sheet, &block, &mut home);
    if let Some(node) = block.get("school") {
        home.school = school::read(sheet, node);
    }
    if let Some(node) = block.get("protected") {
        home.protected = protected(sheet, node);
    }
    // Lists come before words, which are measured by them.
    let before = sheet.errors();
    home.lists = lists::read(sheet, &block);
    let filled = (sheet.errors() == before).then(|| filled::by(&home.lists));
    match block.get("everyone") {
        Some(node) => home.everyone = everyone(sheet, node, &home.protected, filled),
        None => implied(sheet, block.at, home.everyone.safe_search, filled),
    }
    if let Some(node) = block.get("baseline") {
        home.baseline = baseline(sheet, node, &block, &home, filled);
    }
    home.unknown_devices =
        choice_of(sheet, &block, "unknown_devices", &UNKNOWN_DEVICES, UnknownDevices::SignIn);
    home.staff = accounts::staff(sheet, &block);
    home.notify = accounts::notify(sheet, &block);
    home.keep = accounts::keep(sheet, &block, home.keep);
    home.desk_idle = accounts::desk(sheet, &block, home.desk_idle);
    home.safeguarding = accounts::safeguarding(sheet, &block);
    home.inspect_every = accounts::inspect(sheet, &block);
    home
}

fn clock(sheet: &mut Sheet<'_>, block: &Block<'_>, home: &mut Home) {
    match text_of(sheet, block, "home") {
        Some(name) => home.name = name.to_owned(),
        None if block.get("home").is_none() => {
            sheet.warning(block.at, "no-name", "The home has no name here.", "Add `home: …`.");
        }
        None => {}
    }
    if let Some(node) = block.get("timezone") {
        home.timezone = timezone(sheet, node).unwrap_or(home.timezone);
    }
    if let Some(node) = block.get("day_starts") {
        home.day_starts = times::time(sheet, node, "day_starts").unwrap_or(home.day_starts);
    }
    if let Some(node) = block.get("shifts") {
        home.shifts = shifts(sheet, node);
    }
}

fn timezone(sheet: &mut Sheet<'_>, node: &Node) -> Option<Tz> {
    let typed = text(sheet, node, "timezone")?;
    if let Ok(zone) = typed.parse() {
        return Some(zone);
    }
    let near = nearest(typed, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    let help =
        if near.is_empty() { "In Britain write `Europe/London`.".to_owned() } else { did_you_mean(&near) };
    sheet.error(node.at(), "bad-timezone", &format!("`{}` is no time zone.", short(typed)), &help);
    None
}

/// Handover times, which stand in the order of the day.
fn shifts(sheet: &mut Sheet<'_>, node: &Node) -> Vec<NaiveTime> {
    let mut shifts: Vec<NaiveTime> = Vec::new();
    for item in items(sheet, node, "shifts") {
        let Some(time) = times::time(sheet, item, "shifts") else { continue };
        if shifts.last().is_some_and(|last| *last >= time) {
            let sentence = format!(
                "The shifts are not in the order of the day: {} comes too late.",
                time.format("%H:%M")
            );
            sheet.error(
                item.at(),
                "unsorted-shifts",
                &sentence,
                "Write the handover times from morning to night.",
            );
        }
        shifts.push(time);
    }
    shifts
}

fn protected(sheet: &mut Sheet<'_>, node: &Node) -> ProtectedSites {
    let keys = ["support", "private_mail", "assistive"];
    let Some(block) = Block::read(sheet, node, "`protected`", &keys) else {
        return ProtectedSites::default();
    };
    ProtectedSites {
        support: words::sites(sheet, &block, "support"),
        private_mail: words::sites(sheet, &block, "private_mail"),
        assistive: words::sites(sheet, &block, "assistive"),
    }
}

fn everyone(sheet: &mut Sheet<'_>, node: &Node, sites: &ProtectedSites, filled: Filled) -> Everyone {
    let strict = SafeSearch::Strict;
    let built_in = Everyone { block: floor(sheet), safe_search: strict, safe_search_source: None };
    let Some(block) = Block::read(sheet, node, "`everyone`", &["block", "safe_search"]) else {
        return built_in;
    };
    let safe_search = choice_of(sheet, &block, "safe_search", &SAFE_SEARCH, strict);
    let safe_search_source = block.get("safe_search").map(|_| sheet.source(block.key_at("safe_search")));
    if block.get("block").is_none() {
        implied(sheet, block.at, safe_search, filled);
        return Everyone { safe_search, safe_search_source, ..built_in };
    }
    for (word, node) in words::written(&mut *sheet, &block, "block") {
        floored(sheet, node, &word, sites);
        filled::check(sheet, node.at(), &word, Use::Ruled(Outcome::Block), filled);
    }
    let before = sheet.errors();
    let mut words = quiet(sheet, &block);
    if before > 0 {
        // What could not be read is not opened by it: the built-in floor stays beside what could.
        let missing = built_in.block.into_iter().filter(|(word, _)| !words.iter().any(|(w, _)| w == word));
        words.extend(missing.collect::<Vec<_>>());
    }
    Everyone { block: words, safe_search, safe_search_source }
}

/// Tells which floor holds where the home writes none: nobody should have to know it by heart.
fn implied(sheet: &mut Sheet<'_>, at: usize, safe_search: SafeSearch, filled: Filled) {
    let [first, second, third] = FLOOR.map(Category::word);
    let search = match safe_search {
        SafeSearch::Strict => "strict",
        SafeSearch::Moderate => "moderate",
        SafeSearch::Off => "as each agreement says",
    };
    let mut sentence = format!(
        "No `block` for `everyone` stands here: `{first}`, `{second}` and `{third}` are closed for everyone, and search is \
         {search}."
    );
    let unfilled: Vec<_> = FLOOR.into_iter().filter(|c| filled.is_some_and(|f| !f.has(*c))).collect();
    if !unfilled.is_empty() && unfilled.iter().all(|category| sheet.first_empty(*category)) {
        let words: Vec<_> = unfilled.iter().map(|c| format!("`{}`", c.word())).collect();
        sentence.push_str(&format!(" But no list fills {}.", words.join(" and ")));
    }
    let help = format!(
        "Write down what the home has decided, like `everyone: {{block: [{first}, {second}, {third}]}}`."
    );
    sheet.warning(at, "implied-floor", &sentence, &help);
}

/// The words of the floor, whose problems have been told.
fn quiet(sheet: &mut Sheet<'_>, block: &Block<'_>) -> Vec<(Word, crate::source::SourceId)> {
    let Some(node) = block.get("block") else { return Vec::new() };
    let members = match &node.kind {
        crate::yaml::Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let words = members.iter().filter_map(|item| Some((Word::parse(item.text()?).ok()?, item.at())));
    words.map(|(word, at)| (word, sheet.source(at))).collect()
}

fn floored(sheet: &mut Sheet<'_>, node: &Node, word: &Word, sites: &ProtectedSites) {
    if let Some(set) = lawful::protected(word, sites) {
        let sentence =
            format!("`{word}` is among {}, which nobody may close ({}).", set.words(), set.regulation());
        sheet.error(node.at(), "protected", &sentence, "Take it out.");
    }
    if let Word::Path(site, _) = word {
        let sentence = format!(
            "`{word}` can hold only where the gateway sees paths: on plain http pages, not on https."
        );
        let help = format!("What should the rest of `{site}` be? To block it for everyone, write `{site}`.");
        sheet.warning(node.at(), "path", &sentence, &help);
    }
}

/// What applies to unknown devices and drafts: never open, never dark.
fn baseline(sheet: &mut Sheet<'_>, node: &Node, home: &Block<'_>, so_far: &Home, filled: Filled) -> Baseline {
    let before = sheet.errors();
    let built_in = baseline_of(sheet);
    let keys = ["online", "allow", "ask", "with_staff", "block", "otherwise"];
    let Some(block) = Block::read(sheet, node, "`baseline`", &keys) else { return built_in };
    let line = sheet.source(home.key_at("baseline"));
    let online = match block.get("online") {
        Some(node) => table(sheet, node, "online", |s, n| times::windows(s, n, "online")),
        None => default_times(line),
    };
    let measure = Measure { protected: &so_far.protected, floor: Some(&so_far.everyone), filled };
    let mut words = words::rulings(sheet, &block, &measure);
    if block.get("allow").is_none() {
        words.push(education(line));
    }
    let otherwise = choice_of(sheet, &block, "otherwise", &OTHERWISE, Outcome::Block);
    never_open(sheet, &block, otherwise);
    never_dark(sheet, &block, &online);
    let source = block.get("otherwise").map_or(line, |_| sheet.source(block.key_at("otherwise")));
    if sheet.errors() > before {
        return built_in;
    }
    Baseline { online, words, otherwise, source: Some(source) }
}

fn never_open(sheet: &mut Sheet<'_>, block: &Block<'_>, otherwise: Ruled) {
    if otherwise == Outcome::Allow {
        let sentence = "The baseline holds for devices that nobody knows: it cannot be open.";
        sheet.error(
            block.key_at("otherwise"),
            "open-baseline",
            sentence,
            "Write `otherwise: block`, and what is allowed under `allow:`.",
        );
    }
}

fn never_dark(sheet: &mut Sheet<'_>, block: &Block<'_>, online: &DayTable<Vec<Window>>) {
    if !online.entries.is_empty() && online.entries.iter().all(|(_, windows, _)| windows.is_empty()) {
        let sentence = "The baseline holds for everyone whose agreement is not complete: it cannot be dark at all times.";
        sheet.error(
            block.key_at("online"),
            "dark-baseline",
            sentence,
            "Write at least one window, like `every_day: 07:00-21:00`.",
        );
    }
}
