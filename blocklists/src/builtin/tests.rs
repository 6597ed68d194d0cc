//! What must hold of the tables whatever is added to them.

use super::table::TABLES;
use super::*;
use crate::{FourC, Name, Service};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Suffixes below which only schools, colleges, public bodies, health services or police can register, so that a whole
/// one may stand in a table.
const CLOSED_SUFFIXES: &[&str] = &["ac.uk", "gov.uk", "nhs.uk", "police.uk", "gov.scot", "gov.wales"];

/// Categories that may list suffixes of the private section (strangers rent names below them): delivery networks in
/// infrastructure, which only ever follow a page, and tunnels in circumvention, where the strangers are the point.
const RENTED_SUFFIXES: &[&str] = &["infrastructure", "circumvention"];

/// Suffixes of the private section whose every name belongs to the service that lists them, or runs inside it.
const OWN_SUFFIXES: &[&str] =
    &["discordsays.com", "itch.io", "chatgpt.site", "claudeusercontent.com", "ai.studio"];

/// Hosts in two protected tables, with the reason.
const IN_TWO_TABLES: &[(&str, &str)] = &[
    ("999bsl.co.uk", "both a helpline and a communication aid"),
    ("emergencysms.net", "both a helpline and a communication aid"),
];

/// Protected hosts that another table covers, by what, with the reason. Anything else is a slip.
///
/// Each keeps its protection: private mail speaks before limits and before the agreement's words.
const COVERED_ON_PURPOSE: &[(&str, &str, &str)] = &[(
    "accounts.youtube.com",
    "youtube.com",
    "signing in to Gmail passes through it, and nothing can be watched there",
)];

/// The tags that would take a protected host away, or record who asked for it.
fn harmful() -> Vec<Category> {
    let harmless = [
        Category::SUPPORT,
        Category::ASSISTIVE,
        Category::PRIVATE_MAIL,
        Category::EDUCATION,
        Category::INFRASTRUCTURE,
        Category::UPDATES,
    ];
    Category::all().filter(|category| !harmless.contains(category)).collect()
}

/// Whether an entry speaks of a name.
fn covers(entry: &Builtin, name: &str) -> bool {
    if entry.whole_site {
        Name::trusted(name).is_under(Name::trusted(entry.name))
    } else {
        entry.name == name
    }
}

#[test]
fn every_row_has_its_table_s_form() {
    for table in &TABLES {
        for row in row::rows(table.text) {
            assert!((table.tags)(&row).is_some(), "{}: `{}` {:?}", table.file, row.name, row.columns);
        }
    }
}

#[test]
fn every_name_is_a_domain_in_normal_form() {
    for name in entries().map(|e| e.name).chain(safe_search::hosts()) {
        assert_eq!(Domain::parse(name).as_ref().map(Domain::as_str), Ok(name));
        assert!(name.contains('.'), "`{name}` is a whole top-level domain");
    }
}

#[test]
fn no_table_says_anything_twice() {
    for table in &TABLES {
        let (mut sites, mut exact) = (HashSet::new(), HashSet::new());
        for row in row::rows(table.text) {
            let set = if row.whole_site { &mut sites } else { &mut exact };
            assert!(set.insert(row.name), "{}: `{}` stands twice", table.file, row.name);
        }
        for name in &exact {
            assert!(!sites.contains(name), "{}: `={name}` says less than `{name}`", table.file);
        }
    }
    for (service, block) in Service::all().zip(words::service_blocks()) {
        let sites: Vec<_> = row::service_sites(block).collect();
        let distinct: HashSet<_> = sites.iter().map(|(name, _)| name).collect();
        assert_eq!(distinct.len(), sites.len(), "{service:?} lists a host twice");
    }
}

#[test]
fn only_closed_rented_and_own_suffixes_are_public_suffixes() {
    let mut open = BTreeSet::new();
    for entry in entries().filter(|e| Name::trusted(e.name).is_public_suffix()) {
        let service = entry.tags.services().next().is_some();
        let rented = !service && entry.tags.categories().any(|c| RENTED_SUFFIXES.contains(&c.word()));
        let known = if service { OWN_SUFFIXES } else { CLOSED_SUFFIXES };
        if !rented && !known.contains(&entry.name) {
            open.insert(entry.name);
        }
    }
    assert_eq!(open, BTreeSet::new(), "strangers register names below these");
}

#[test]
fn what_is_protected_is_covered_by_nothing_that_takes_it_away() {
    let harmful = harmful();
    let takes = |entry: &Builtin| {
        entry.tags.services().next().is_some() || harmful.iter().any(|c| entry.tags.has(*c))
    };
    let taking: Vec<_> = entries().filter(takes).collect();
    let mut covered = BTreeSet::new();
    let mut checked = 0;
    for category in [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL] {
        for protected in protected_sites(category) {
            let over = taking.iter().filter(|entry| covers(entry, protected.name));
            covered.extend(over.map(|entry| (protected.name, entry.name)));
            checked += 1;
        }
    }
    let expected = COVERED_ON_PURPOSE.iter().map(|&(host, by, _)| (host, by)).collect();
    assert_eq!(covered, expected);
    assert!(checked > 450, "only {checked} protected rows were checked");
}

#[test]
fn a_protected_host_stands_in_one_protected_table_save_on_purpose() {
    let mut homes: BTreeMap<&str, Vec<Category>> = BTreeMap::new();
    for category in [Category::SUPPORT, Category::ASSISTIVE, Category::PRIVATE_MAIL] {
        for site in protected_sites(category) {
            homes.entry(site.name).or_default().push(category);
        }
    }
    let twice: Vec<_> = homes.iter().filter(|(_, in_)| in_.len() > 1).map(|(name, _)| *name).collect();
    let mut expected: Vec<_> = IN_TWO_TABLES.iter().map(|(name, _)| *name).collect();
    expected.sort_unstable();
    assert_eq!(twice, expected);
}

#[test]
fn only_protected_categories_give_protected_sites() {
    assert!(protected_sites(Category::SUPPORT).count() > 200);
    assert_eq!(protected_sites(Category::EDUCATION).count(), 0);
    assert_eq!(protected_sites(Category::PORNOGRAPHY).count(), 0);
}

#[test]
fn every_category_has_somebody_to_learn_from_and_to_talk_to() {
    let support: Vec<_> = protected_sites(Category::SUPPORT).collect();
    let titled: HashSet<_> = super::support().iter().map(|c| c.host).collect();
    for category in Category::all() {
        for host in [category.learn_host(), category.talk_host()] {
            assert!(support.iter().any(|site| covers(site, host)), "{category:?}: `{host}` is not protected");
            assert!(titled.contains(host), "{category:?}: `{host}` has no title to show");
        }
        assert_eq!(category_help(category).is_some(), category.four_c().is_some());
    }
    let gambling = Category::from_word("gambling").unwrap();
    assert_eq!((gambling.four_c(), category_help(gambling)), (Some(FourC::Commerce), Some("bigdeal.org.uk")));
}

#[test]
fn the_filtering_standard_s_categories_are_all_there() {
    // UK Safer Internet Centre, Appropriate Filtering 2025.
    for word in
        "illegal hate drugs extremism gambling malware hacking misinformation piracy pornography self_harm \
                 violence circumvention ai stalkerware intimate_images"
            .split_whitespace()
    {
        assert!(Category::from_word(word).is_some(), "{word}");
    }
}

#[test]
fn words_for_young_people_are_short_and_plain() {
    for category in Category::all() {
        let words = category.for_young_person();
        assert!(words.split(' ').count() <= 12, "{category:?}: {words}");
        let long = words.split(' ').filter(|word| word.len() > 11).collect::<Vec<_>>();
        assert!(long.is_empty(), "{category:?}: {long:?} are hard to read");
        assert!(!words.ends_with('.') && !category.for_staff().ends_with('.'), "{category:?}: a noun phrase");
    }
}

#[test]
fn the_first_contacts_are_those_a_child_needs_tonight() {
    let shown: Vec<_> = super::support().iter().take(7).map(|c| (c.title, c.reach())).collect();
    assert_eq!(
        shown,
        [
            ("Police, ambulance or fire", "999"),
            ("Childline", "0800 1111"),
            ("Samaritans", "116 123"),
            ("Shout", "text SHOUT to 85258"),
            ("NHS 111", "111"),
            ("Help at Hand, the Children's Commissioner", "0800 528 0731"),
            ("Ofsted", "0300 123 1231"),
        ]
    );
    let site_only = super::support().iter().find(|c| c.host == "ceop.police.uk").expect("CEOP is listed");
    assert_eq!(site_only.reach(), "");
}

#[test]
fn every_nation_has_its_own_commissioner_and_inspector() {
    use Nation::{England, NorthernIreland, Scotland, Wales};
    for (nation, commissioner, inspector) in [
        (England, "childrenscommissioner.gov.uk", "ofsted.gov.uk"),
        (Wales, "childcomwales.org.uk", "careinspectorate.wales"),
        (Scotland, "cypcs.org.uk", "careinspectorate.com"),
        (NorthernIreland, "niccy.org", "rqia.org.uk"),
    ] {
        let shown: Vec<_> = support_in(nation).collect();
        let orders: Vec<_> = shown.iter().map(|c| c.order).collect();
        assert!(orders.is_sorted());
        let first_seven: Vec<_> = shown.iter().take(7).map(|c| c.host).collect();
        assert!(
            first_seven.contains(&commissioner) && first_seven.contains(&inspector),
            "{nation:?}: {first_seven:?}"
        );
        assert_eq!(
            &first_seven[..4],
            ["police.uk", "childline.org.uk", "samaritans.org", "giveusashout.org"]
        );
    }
}

#[test]
fn every_contact_can_be_shown() {
    for contact in super::support() {
        assert!(!contact.title.is_empty() && contact.sentence.ends_with('.'), "{}", contact.host);
        assert!(contact.sentence.split(' ').count() <= 16, "{}: {}", contact.host, contact.sentence);
        let digits = contact.phone.chars().all(|c| c.is_ascii_digit() || c == ' ');
        assert!(digits, "{}: `{}`", contact.host, contact.phone);
        assert!(
            [England, Wales, Scotland, NorthernIreland].iter().any(|n| contact.helps_in(*n)),
            "{}",
            contact.host
        );
    }
    use Nation::{England, NorthernIreland, Scotland, Wales};
    let listed = row::rows(table::SUPPORT).filter(|row| row.kind() != "also").count();
    assert_eq!(super::support().len(), listed, "a row of support.txt could not be read");
    for contact in super::support() {
        assert_ne!(contact.order.is_some(), contact.topic.is_some(), "{} stands in one place", contact.host);
    }
    for nation in [England, Wales, Scotland, NorthernIreland] {
        let topics = Topic::ALL.map(|topic| support_about(nation, topic).count());
        assert!(topics.iter().all(|count| *count > 2), "{nation:?}: {topics:?}");
        let all = super::support().iter().filter(|contact| contact.helps_in(nation)).count();
        assert_eq!(topics.iter().sum::<usize>() + support_in(nation).count(), all, "{nation:?}");
    }
}

#[test]
fn services_are_in_categories_and_have_sites() {
    let count = Service::all().count();
    assert!((45..=128).contains(&count), "{count}");
    assert_eq!(words::service_blocks().count(), count);
    for (service, block) in Service::all().zip(words::service_blocks()) {
        assert!(block.starts_with(&format!("{}] {}\n", service.word(), service.title())), "{service:?}");
        assert!(!service.categories().is_empty(), "{service:?} is in no category");
        let line = block.lines().find_map(|l| l.strip_prefix("categories: ")).unwrap_or_default();
        for word in line.split(' ') {
            assert!(Category::from_word(word).is_some(), "{service:?}: `{word}` is no category");
        }
        assert!(block.contains("\n# source: "), "{service:?} says no source");
        assert!(row::service_sites(block).count() > 0, "{service:?} has no sites");
    }
}

#[test]
fn a_service_s_hosts_lead_to_it() {
    for (host, service, category) in [
        ("www.tiktok.com", "tiktok", "social_networks"),
        ("v16.tiktokcdn.com", "tiktok", "video"),
        ("youtubei.googleapis.com", "youtube", "video"),
        ("gateway.discord.gg", "discord", "chat"),
        ("clientsettingscdn.roblox.com", "roblox", "games"),
        ("chatgpt.com", "chatgpt", "ai"),
    ] {
        let tags = entries().filter(|e| covers(e, host)).fold(Tags::NONE, |all, e| all.union(e.tags));
        assert!(tags.has_service(Service::from_word(service).unwrap()), "{host}");
        assert!(tags.has(Category::from_word(category).unwrap()), "{host}");
    }
}

#[test]
fn what_vendors_rely_on_is_answered_as_they_document() {
    for (name, switch) in [
        ("mask.icloud.com", Some(OffSwitch::NoSuchName)),
        ("mask-h2.icloud.com", Some(OffSwitch::NoSuchName)),
        ("use-application-dns.net", Some(OffSwitch::NoSuchName)),
        ("_dns.resolver.arpa", Some(OffSwitch::NoData)),
        ("dns.google", None),
        ("www.icloud.com", None),
    ] {
        assert_eq!(off_switch(name), switch, "{name}");
    }
    let technical = Tags::category(Category::DEVICE_DEFAULT).union(Tags::category(Category::CIRCUMVENTION));
    let of =
        |name: &str| entries().find(|e| e.name == name && e.tags.has(Category::CIRCUMVENTION)).unwrap().tags;
    assert_eq!(of("mask.icloud.com"), technical);
    assert_eq!(of("chrome.cloudflare-dns.com"), technical);
    assert_eq!(of("torproject.org"), Tags::category(Category::CIRCUMVENTION));
}

#[test]
fn safe_search_answers_as_each_engine_documents() {
    let name = |n| Some(Rewrite::Name(n));
    for (host, strict, moderate) in [
        ("www.google.com", name("forcesafesearch.google.com"), name("forcesafesearch.google.com")),
        ("www.google.co.uk", name("forcesafesearch.google.com"), name("forcesafesearch.google.com")),
        ("www.google.com.vn", name("forcesafesearch.google.com"), name("forcesafesearch.google.com")),
        ("www.bing.com", name("strict.bing.com"), name("strict.bing.com")),
        ("duckduckgo.com", name("safe.duckduckgo.com"), name("safe.duckduckgo.com")),
        ("www.youtube.com", name("restrict.youtube.com"), name("restrictmoderate.youtube.com")),
        ("youtubei.googleapis.com", name("restrict.youtube.com"), name("restrictmoderate.youtube.com")),
        ("pixabay.com", name("safesearch.pixabay.com"), name("safesearch.pixabay.com")),
        ("search.brave.com", name("forcesafe.search.brave.com"), name("forcesafe.search.brave.com")),
        ("www.ecosia.org", name("strict-safe-search.ecosia.org"), name("strict-safe-search.ecosia.org")),
        ("mail.google.com", None, None),
        ("www.startpage.com", None, None),
        ("forcesafesearch.google.com", None, None),
    ] {
        assert_eq!(safe_search(host, Level::Strict), strict, "{host}");
        assert_eq!(safe_search(host, Level::Moderate), moderate, "{host}");
    }
    let yandex = Some(Rewrite::Address("213.180.193.56".parse().unwrap()));
    assert_eq!(safe_search("ya.ru", Level::Strict), yandex);
}

#[test]
fn google_s_country_domains_are_all_rewritten() {
    let google = safe_search::hosts().filter(|h| h.starts_with("www.google."));
    let rewritten = google.filter(|h| safe_search(h, Level::Strict).is_some()).count();
    assert_eq!(rewritten, 191);
}

#[test]
fn a_search_engine_is_made_safe_or_refused() {
    assert!(search_cannot_be_made_safe("www.startpage.com"));
    assert!(!search_cannot_be_made_safe("www.google.com"));
    assert!(!search_cannot_be_made_safe("childline.org.uk"));
    for host in safe_search::hosts() {
        let both = safe_search(host, Level::Strict).is_some() == safe_search(host, Level::Moderate).is_some();
        assert!(both, "`{host}` is locked at one level and open at the other");
    }
    let protected: Vec<_> =
        protected_sites(Category::SUPPORT).chain(protected_sites(Category::PRIVATE_MAIL)).collect();
    for host in safe_search::hosts().filter(|host| search_cannot_be_made_safe(host)) {
        assert!(!protected.iter().any(|site| covers(site, host)), "`{host}` is protected and refused");
    }
}

#[test]
fn a_rewrite_leads_to_a_host_that_is_not_rewritten() {
    for host in safe_search::hosts() {
        if let Some(Rewrite::Name(target)) = safe_search(host, Level::Strict) {
            assert_eq!(Domain::parse(target).as_ref().map(Domain::as_str), Ok(target));
            assert_eq!(safe_search(target, Level::Strict), None, "{host} leads to {target}, which leads on");
        }
    }
}
