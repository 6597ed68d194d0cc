//! Every list of the data folder compiles. The folder is not part of the repository: it is looked for in
//! `HEARTHGATE_DATA`, else in `../shared/data` beside the repository, and the test says so when it is absent.

#![allow(clippy::disallowed_methods, reason = "the lists are files, and the time is told")]
// The figures of the run are what this test is also for.
#![allow(clippy::print_stdout)]
// A test that unwraps says by failing what went wrong.
#![allow(clippy::unwrap_used)]

use blocklists::format::{Format, ListInput, recognise};
use blocklists::{Catalogue, Category, Compiler, ListReport, Name, Service, Tags};
use flate2::read::GzDecoder;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Instant;

/// Straight to the terminal: what a passing test prints is swallowed, and a test that could not run must not look as if it
/// had.
fn say_skipped() {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "skipped {name}: no data folder (set HEARTHGATE_DATA)");
}

fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("HEARTHGATE_DATA").map_or_else(|| beside.into(), PathBuf::from);
    folder.join("ut1-blacklists.tar.gz").exists().then_some(folder)
}

fn tags(word: &str) -> Tags {
    let category = Category::from_word(word).map(Tags::category);
    category
        .or_else(|| Service::from_word(word).map(Tags::service))
        .unwrap_or_else(|| panic!("no word `{word}`"))
}

/// Files of an archive, and what they list. `Top_Level` is left out: it has endings only, which are no sites.
const SHADOWWHISPERER: &[(&str, &str)] = &[
    ("AI", "ai"),
    ("Ads", "advertising"),
    ("Adult", "pornography"),
    ("Apple", "telemetry"),
    ("Chat", "chat"),
    ("Cryptocurrency", "cryptocurrency"),
    ("DNS", "circumvention"),
    ("Dating", "dating"),
    ("Dynamic", "dynamic_dns"),
    ("Fonts", "infrastructure"),
    ("Free", "dynamic_dns"),
    ("Gambling", "gambling"),
    ("Junk", "scams"),
    ("Malware", "malware"),
    ("Marketing", "advertising"),
    ("Microsoft", "telemetry"),
    ("Remote", "remote_access"),
    ("Risk", "malware"),
    ("Scam", "scams"),
    ("Shock", "violence"),
    ("Tracking", "tracking"),
    ("Tunnels", "circumvention"),
    ("Typo", "parked"),
    ("UrlShortener", "url_shorteners"),
    ("Wild_Ads", "advertising"),
    ("Wild_Apple", "telemetry"),
    ("Wild_Chat", "chat"),
    ("Wild_Fonts", "infrastructure"),
    ("Wild_Microsoft", "telemetry"),
    ("Wild_Tracking", "tracking"),
    ("Wild_Tunnel", "circumvention"),
];

const BLOCKLISTPROJECT: &[(&str, &str)] = &[
    ("drugs", "drugs"),
    ("facebook", "social_networks"),
    ("fortnite", "games"),
    ("phishing", "malware"),
    ("piracy", "piracy"),
    ("redirect", "malware"),
    ("scam", "scams"),
    ("tiktok", "tiktok"),
    ("torrent", "piracy"),
    ("twitter", "social_networks"),
    ("vaping", "smoking"),
    ("whatsapp", "chat"),
];

/// UT1's folders by their French or English names; both must work, since one links to the other.
const UT1: &[(&str, &str)] = &[
    ("adult", "pornography"),
    ("ads", "advertising"),
    ("aggressive", "violence"),
    ("ai", "ai"),
    ("audio-video", "video"),
    ("bank", "finance"),
    ("bitcoin", "cryptocurrency"),
    ("blog", "forums"),
    ("celebrity", "lifestyle"),
    ("chat", "chat"),
    ("cryptojacking", "malware"),
    ("dangerous_material", "weapons"),
    ("dating", "dating"),
    ("ddos", "hacking"),
    ("doh", "circumvention"),
    ("drugs", "drugs"),
    ("dynamic-dns", "dynamic_dns"),
    ("educational_games", "education"),
    ("fakenews", "misinformation"),
    ("filehosting", "file_sharing"),
    ("financial", "finance"),
    ("forums", "forums"),
    ("gambling", "gambling"),
    ("games", "games"),
    ("hacking", "hacking"),
    ("lingerie", "nudity"),
    ("malware", "malware"),
    ("manga", "images"),
    ("phishing", "malware"),
    ("press", "news"),
    ("proxy", "circumvention"),
    ("radio", "music"),
    ("redirector", "circumvention"),
    ("remote-control", "remote_access"),
    ("sexual_education", "sex_education"),
    ("shopping", "shopping"),
    ("shortener", "url_shorteners"),
    ("social_networks", "social_networks"),
    ("sports", "sport"),
    ("stalkerware", "malware"),
    ("update", "updates"),
    ("violence", "violence"),
    ("vpn", "circumvention"),
    ("warez", "piracy"),
    ("webmail", "webmail"),
];

const V2FLY: &[(&str, &str)] = &[
    ("tiktok", "tiktok"),
    ("discord", "discord"),
    ("youtube", "youtube"),
    ("roblox", "roblox"),
    ("category-ads-all", "advertising"),
    ("category-porn", "pornography"),
    ("category-games", "games"),
    ("category-social-media-!cn", "social_networks"),
    ("category-vpnservices", "circumvention"),
    ("google", "search_engines"),
];

struct Run {
    compiler: Compiler,
    reports: Vec<ListReport>,
}

impl Run {
    fn add(&mut self, input: ListInput<'_>) {
        let id = input.id.to_owned();
        let report = self.compiler.add(input).unwrap_or_else(|why| panic!("{id}: {why}"));
        assert!(report.names > 0, "{id} has no names: {report:?}");
        self.reports.push(report);
    }

    /// Adds the members of an archive whose path the mapping knows, each as a list of its own.
    fn add_members(&mut self, body: &[u8], expected: impl Fn(&str) -> Option<(Tags, Format)>) {
        let mut archive = tar::Archive::new(GzDecoder::new(body));
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let Some((tags, format)) = expected(&path) else { continue };
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            self.add(ListInput::new(&path, tags, &text));
            assert_eq!(self.reports.last().unwrap().format, format, "{path}");
        }
    }
}

fn word_of(table: &[(&str, &str)], key: &str) -> Option<Tags> {
    table.iter().find(|row| row.0 == key).map(|row| tags(row.1))
}

fn owned(table: &[(&str, &str)]) -> Vec<(String, Tags)> {
    table.iter().map(|(key, word)| ((*key).to_owned(), tags(word))).collect()
}

#[test]
fn every_list_of_the_data_folder_compiles() {
    let Some(folder) = data() else {
        say_skipped();
        return;
    };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (ut1, v2fly) = (read("ut1-blacklists.tar.gz"), read("v2fly-domain-list.tar.gz"));
    assert_eq!((recognise(&ut1).unwrap(), recognise(&v2fly).unwrap()), (Format::Ut1, Format::V2fly));

    let begun = Instant::now();
    let mut run = Run { compiler: Compiler::new(), reports: Vec::new() };
    run.add(ListInput { categories: &owned(UT1), ..ListInput::new("ut1", Tags::NONE, &ut1) });
    run.add(ListInput { categories: &owned(V2FLY), ..ListInput::new("v2fly", Tags::NONE, &v2fly) });
    run.add_members(&read("shadowwhisperer-lists.tar.gz"), |path| {
        word_of(SHADOWWHISPERER, path.strip_prefix("Lists/")?).map(|tags| (tags, Format::Plain))
    });
    run.add_members(&read("blocklistproject-lists.tar.gz"), |path| {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let (format, end) = match folder {
            "" => (Format::Hosts, ".txt"),
            "adguard" => (Format::Adblock, "-ags.txt"),
            "alt-version" => (Format::Plain, "-nl.txt"),
            "dnsmasq-version" => (Format::Dnsmasq, "-dnsmasq.txt"),
            _ => return None,
        };
        word_of(BLOCKLISTPROJECT, file.strip_suffix(end)?).map(|tags| (tags, format))
    });
    run.add_members(&read("doh-servers.tar.gz"), |path| {
        let format = if path == "doh-domains.txt" { Format::Plain } else { Format::Addresses };
        ["doh-domains.txt", "doh-ipv4.txt", "doh-ipv6.txt"]
            .contains(&path)
            .then(|| (tags("circumvention"), format))
    });
    let parsed = begun.elapsed();
    let catalogue = run.compiler.finish(0).unwrap();
    print_figures(&catalogue, &run.reports, parsed.as_secs_f64(), begun.elapsed().as_secs_f64());
    assert!(
        catalogue.info().names > 700_000,
        "the data folder has more names than {}",
        catalogue.info().names
    );
    spot_checks(&catalogue);
}

/// Addresses of resolvers are known, and those that thousands of other sites share are left out, which the report says.
#[test]
fn addresses_of_resolvers_are_a_list_that_can_be_subscribed_to() {
    let Some(folder) = data() else {
        say_skipped();
        return;
    };
    let archive = std::fs::read(folder.join("doh-servers.tar.gz")).unwrap();
    let mut run = Run { compiler: Compiler::new(), reports: Vec::new() };
    // As a home subscribes to it: the archive as it is, and nobody says which format it is.
    run.add(ListInput::new("doh-servers.tar.gz", tags("circumvention"), &archive));
    let (names, shared): (u64, u64) = run.reports.iter().fold((0, 0), |(names, shared), report| {
        (names + report.names, shared + report.skips.count(blocklists::format::Reason::Shared))
    });
    println!("{names} entries, {shared} left out for being a carrier's");
    assert!(names > 2_500 && shared > 100, "names and addresses: {names} {shared}");
    let catalogue = run.compiler.finish(0).unwrap();
    assert!(catalogue.knows_addresses());
    assert!(
        catalogue.lookup(Name::trusted("dns.nextdns.io")).has(Category::CIRCUMVENTION),
        "its names are read too"
    );
    for (address, around) in [
        ("1.1.1.1", true),
        ("9.9.9.9", true),
        ("2620:fe::fe", true),
        ("203.0.113.7", false),
        ("192.168.4.1", false),
        ("2001:db8::1", false),
    ] {
        let found = catalogue.lookup_address(address.parse().unwrap());
        assert_eq!(found.has(Category::CIRCUMVENTION), around, "{address}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalogue");
    catalogue.write_to(&file).unwrap();
    let again = Catalogue::open(&file).unwrap();
    assert!(
        again.lookup_address("9.9.9.9".parse().unwrap()).has(Category::CIRCUMVENTION),
        "and from its file"
    );
}

fn print_figures(catalogue: &Catalogue, reports: &[ListReport], parsed: f64, whole: f64) {
    let entries: u64 = reports.iter().map(|r| r.names).sum();
    let skipped: u64 = reports.iter().map(|r| r.skips.total()).sum();
    println!(
        "{} lists, {entries} entries, {} names, {:.1} bytes a name, {skipped} lines skipped, {parsed:.2} s to read and {whole:.2} s in all",
        reports.len(),
        catalogue.info().names,
        catalogue.info().bytes_per_name()
    );
    let mut reasons = std::collections::BTreeMap::new();
    for (reason, count, samples) in reports.iter().flat_map(|r| r.skips.iter()) {
        let row = reasons.entry(reason).or_insert((0u64, samples[0].text.clone()));
        row.0 += count;
    }
    for (reason, (count, sample)) in reasons {
        println!("  {count:>7} {reason}, for example `{sample}`");
    }
}

fn spot_checks(catalogue: &Catalogue) {
    let ask = |name| catalogue.lookup(Name::new(name).unwrap());
    for (name, word) in [
        ("www.tiktok.com", "tiktok"),
        ("cdn.discordapp.com", "discord"),
        ("i.ytimg.com", "youtube"),
        ("doubleclick.net", "advertising"),
        ("www.pornhub.com", "pornography"),
        ("dns.quad9.net", "circumvention"),
        ("www.bet365.com", "gambling"),
    ] {
        assert!(ask(name).intersects(tags(word)), "{name} should be `{word}` and is {:?}", ask(name));
    }
    for name in ["www.bbc.co.uk", "com", "uk", "example.invalid"] {
        assert!(!ask(name).has(Category::PORNOGRAPHY), "{name}");
    }
}
