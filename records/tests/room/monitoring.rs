//! Monitoring beyond breaches: only whom, only what and only until when the agreement says.

use crate::play::{
    CANARY, Gateway, HOME, JORDAN, Play, at, on_disk, snapshot, snapshot_of, snapshot_read_on, until,
};
use agreements::{Counts, Host, Keep, Snapshot};
use blocklists::{Catalogue, Category, Compiler, Name, Tags};
use chrono::{NaiveDate, TimeDelta};
use records::monitoring::{MOST_SITES, MonitoredKind, OTHER_SITES, UNCATEGORISED};
use records::{Clock, ClockState, Entry, OpenError, Purpose, Verified};
use std::sync::Arc;
use std::time::Duration;

/// What the lists of these tests say: a category's word, a site.
const LISTS: [(&str, &str); 8] = [
    ("education", "lessons.example"),
    ("infrastructure", "carrier.example"),
    ("updates", "upkeep.example"),
    ("advertising", "adverts.example"),
    ("tracking", "beacons.example"),
    ("telemetry", "reports.example"),
    ("device_default", "relays.example"),
    ("illegal", "sealed.example"),
];

/// What lists can say of sites that tell of somebody's health, sex life or who they are.
const SENSITIVE: [(&str, &str); 3] = [
    ("self_harm", "hurting.example"),
    ("sex_education", "growing-up.example"),
    ("lifestyle", "who-i-am.example"),
];

fn catalogue() -> Catalogue {
    let mut compiler = Compiler::new();
    for (word, site) in LISTS.into_iter().chain(SENSITIVE) {
        let tags = Tags::category(Category::from_word(word).unwrap());
        compiler.add(blocklists::format::ListInput::new(word, tags, site.as_bytes())).unwrap();
    }
    compiler.finish(0).unwrap()
}

/// Jordan's home with what the agreement says of monitoring.
fn monitored(level: &str, last_day: &str) -> Arc<Snapshot> {
    monitored_in("Europe/London", level, last_day)
}

fn monitored_in(zone: &str, level: &str, last_day: &str) -> Arc<Snapshot> {
    let why = "reason: agreed at the strategy meeting, authorised_by: R. Osei, told_on: 2026-11-20";
    let jordan = format!("{JORDAN}monitoring: {{level: {level}, until: {last_day}, {why}}}\n");
    snapshot_of(&HOME.replace("Europe/London", zone), &jordan, catalogue())
}

/// A gateway whose first look is over: it begins with a harvest, and the entry that it started is committed after it.
async fn begun(play: &Play, home: Arc<Snapshot>) -> Gateway {
    let gateway = play.gateway_of(home).await;
    let entries = async || gateway.records.entries(1).await.unwrap();
    until("its start", async || {
        let kinds: Vec<_> = entries().await.into_iter().map(|e| e.kind).collect();
        let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
        count("started") == count("stopped") + 1
    })
    .await;
    gateway
}

fn today() -> NaiveDate {
    at(crate::play::START).date_naive()
}

impl Gateway {
    /// One connection of Jordan's, known by all these hosts, passes traffic.
    fn uses(&self, hosts: &[&str]) {
        let current = self.in_force.to_keep();
        let who = current.snapshot.house.person("jordan").unwrap();
        let hosts = hosts.iter().map(|host| match host.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(Name::new(host).unwrap()),
        });
        // Whatever the decision counts, the room itself leaves out what is never kept.
        current.in_use(who, Counts(1), self.clock.now(), hosts);
    }

    fn looks_up(&self, host: &str) {
        let current = self.in_force.to_keep();
        let who = current.snapshot.house.person("jordan").unwrap();
        current.looked_up(who, Counts(1), self.clock.now(), Host::Name(Name::new(host).unwrap()));
    }

    /// Lets time pass, until everything that was marked before is on the disk. Nothing is harvested after that until
    /// time passes again.
    async fn time_passes(&self, by: Duration) {
        self.mark_the_minute();
        self.clock.advance(by);
        let (house, now) = (self.house(), self.clock.now());
        let day = house.house.day_of(now);
        // No clocks change on these days.
        let begun = house.house.day_ends(now) - TimeDelta::days(1);
        let running = u16::try_from((now - begun).num_minutes()).unwrap();
        until("the minute is kept", async || {
            let charts = self.records.minutes_of(day, "jordan").await.unwrap();
            charts.iter().any(|chart| chart.minutes().any(|minute| minute == running))
        })
        .await;
    }

    async fn minute_passes(&self) {
        self.time_passes(Duration::from_secs(60)).await;
    }

    /// A minute that counts for the limits and tells nothing of what it was.
    fn mark_the_minute(&self) {
        let current = self.in_force.to_keep();
        let who = current.snapshot.house.person("jordan").unwrap();
        current.sheet.mark(who, Counts(1));
    }

    async fn kept(&self) -> Vec<(String, MonitoredKind, u16, u16)> {
        let kept = self.records.monitored(today(), "jordan").await.unwrap();
        kept.into_iter().map(|k| (k.key, k.kind, k.minutes, k.estimated)).collect()
    }

    async fn turns(&self) -> Vec<Entry> {
        let entries = self.records.entries(1).await.unwrap().into_iter().filter_map(|e| e.says);
        entries.filter(|e| e.kind().starts_with("monitoring")).collect()
    }
}

fn category(word: &str, minutes: u16, estimated: u16) -> (String, MonitoredKind, u16, u16) {
    (word.to_owned(), MonitoredKind::Category, minutes, estimated)
}

fn site(name: &str, minutes: u16, estimated: u16) -> (String, MonitoredKind, u16, u16) {
    (name.to_owned(), MonitoredKind::Site, minutes, estimated)
}

pub async fn who_is_not_monitored_leaves_nothing(play: Play) {
    for said in ["", "monitoring: breaches\n", "monitoring: {level: breaches}\n"] {
        let gateway = begun(&play, snapshot_of(HOME, &format!("{JORDAN}{said}"), catalogue())).await;
        gateway.uses(&[&format!("www.{CANARY}.example"), "lessons.example"]);
        gateway.looks_up(&format!("www.{CANARY}.example"));
        gateway.minute_passes().await;
        assert_eq!(gateway.kept().await, [], "{said}");
        assert_eq!(gateway.turns().await, [], "{said}");
        gateway.stops().await;
    }
    if play.is_sqlite() {
        assert!(on_disk(play.home.path(), "everything"), "the minutes themselves are there");
        for word in [CANARY, "education", UNCATEGORISED] {
            assert!(!on_disk(play.home.path(), word), "`{word}` is on the disk");
        }
    }
}

/// Files may have been read by a clock that was ahead: what they say begins on its day all the same.
pub async fn nothing_is_kept_before_the_day_on_which_the_young_person_was_told(play: Play) {
    let why = "reason: agreed, until: 2026-12-01, authorised_by: R. Osei, told_on: 2026-11-23";
    let jordan = format!("{JORDAN}monitoring: {{level: categories, {why}}}\n");
    let gateway = begun(&play, snapshot_read_on("2026-11-23T12:00:00Z", HOME, &jordan, catalogue())).await;
    gateway.uses(&["lessons.example"]);
    gateway.minute_passes().await;
    assert_eq!(
        (gateway.kept().await, gateway.turns().await),
        (vec![], vec![]),
        "they know nothing of it yet"
    );
    // Past midnight, which is still the home's same day: it starts at 04:00.
    gateway.time_passes(Duration::from_secs(6 * 3600 + 40 * 60)).await;
    gateway.uses(&["lessons.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, [category("education", 1, 0)]);
    let kinds: Vec<_> = gateway.turns().await.iter().map(Entry::kind).collect();
    assert_eq!(kinds, ["monitoring_began"]);
    gateway.stops().await;
}

pub async fn categories_are_kept_without_their_sites(play: Play) {
    let gateway = begun(&play, monitored("categories", "2026-12-01")).await;
    gateway.uses(&["maths.lessons.example"]);
    gateway.uses(&[&format!("www.{CANARY}.example")]);
    gateway.minute_passes().await;
    gateway.uses(&["lessons.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, [category("education", 2, 0), category(UNCATEGORISED, 1, 0)]);
    gateway.stops().await;
    if play.is_sqlite() {
        for word in [CANARY, "lessons", "maths"] {
            assert!(!on_disk(play.home.path(), word), "`{word}` is on the disk");
        }
    }
}

pub async fn sites_are_kept_without_their_hosts(play: Play) {
    let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
    // Two devices in one minute, a lookup before its traffic, and one that stayed a lookup.
    gateway.looks_up("maths.lessons.example");
    gateway.uses(&["maths.lessons.example"]);
    gateway.uses(&[&format!("{CANARY}.lessons.example")]);
    gateway.looks_up(&format!("{CANARY}.films.example"));
    gateway.uses(&["192.0.2.7"]);
    gateway.minute_passes().await;
    gateway.looks_up("www.films.example");
    gateway.minute_passes().await;
    assert_eq!(
        gateway.kept().await,
        [
            category(UNCATEGORISED, 2, 1),
            category("education", 1, 0),
            site("films.example", 2, 2),
            site("lessons.example", 1, 0),
            site(OTHER_SITES, 1, 0),
        ]
    );
    gateway.stops().await;
    if play.is_sqlite() {
        assert!(on_disk(play.home.path(), "lessons.example"));
        for word in [CANARY, "maths", "192.0.2.7"] {
            assert!(!on_disk(play.home.path(), word), "`{word}` is on the disk");
        }
    }
}

pub async fn protected_and_background_hosts_are_never_kept(play: Play) {
    let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
    for host in ["oakviewhouse.example", "relay.example"].into_iter().chain(LISTS.iter().skip(1).map(|l| l.1))
    {
        gateway.uses(&[host]);
        gateway.uses(&[&format!("{CANARY}.{host}")]);
        gateway.looks_up(host);
    }
    // Where help has a part in a connection, nothing of it is kept.
    gateway.uses(&["shared.example", "www.oakviewhouse.example"]);
    // A site is kept beside the host that only carries it.
    gateway.uses(&["edge.carrier.example", "www.plain.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, [category(UNCATEGORISED, 1, 0), site("plain.example", 1, 0)]);
    gateway.stops().await;
    if play.is_sqlite() {
        let sites = LISTS.iter().skip(1).map(|l| l.1);
        for word in sites.chain([CANARY, "oakviewhouse", "relay.example", "shared.example"]) {
            assert!(!on_disk(play.home.path(), word), "`{word}` is on the disk");
        }
    }
}

pub async fn sensitive_sites_are_kept_under_no_word(play: Play) {
    for level in ["categories", "sites"] {
        let gateway = begun(&play, monitored(level, "2026-12-01")).await;
        for (_, site) in SENSITIVE {
            gateway.uses(&[site]);
            gateway.uses(&["plain.example", &format!("{CANARY}.{site}")]);
            gateway.looks_up(&format!("www.{site}"));
        }
        gateway.minute_passes().await;
        assert_eq!(gateway.kept().await, [], "{level}");
        gateway.stops().await;
    }
    if play.is_sqlite() {
        let words = SENSITIVE.into_iter().flat_map(|(word, site)| [word, site]);
        for word in words.chain([CANARY, "plain.example", UNCATEGORISED, OTHER_SITES]) {
            assert!(!on_disk(play.home.path(), word), "`{word}` is on the disk");
        }
    }
}

pub async fn a_restart_does_not_count_its_minute_twice(play: Play) {
    for _ in 0..3 {
        let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
        gateway.mark_the_minute();
        gateway.uses(&["again.example"]);
        gateway.stops().await;
    }
    let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
    assert_eq!(gateway.kept().await, [category(UNCATEGORISED, 1, 0), site("again.example", 1, 0)]);
    gateway.uses(&["again.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, [category(UNCATEGORISED, 2, 0), site("again.example", 2, 0)]);
    gateway.stops().await;
}

pub async fn monitoring_ends_by_itself_at_the_homes_midnight(play: Play) {
    // In Paris the 22nd ends at 23:00 UTC.
    let gateway = begun(&play, monitored_in("Europe/Paris", "sites", "2026-11-22")).await;
    until("its beginning", async || gateway.turns().await.len() == 1).await;
    gateway.time_passes(Duration::from_secs(5 * 3600 + 29 * 60 + 59)).await;
    assert_eq!(play.clock.now(), at("2026-11-22T22:59:59Z"));
    gateway.uses(&["last.example"]);
    play.clock.advance(Duration::from_secs(1));
    gateway.uses(&["late.example"]);
    gateway.looks_up("late.example");
    gateway.minute_passes().await;
    let expected = [category(UNCATEGORISED, 1, 0), site("last.example", 1, 0)];
    assert_eq!(gateway.kept().await, expected);
    until("its end", async || gateway.turns().await.len() == 2).await;
    let turns = gateway.turns().await;
    assert!(
        matches!(&turns[1], Entry::MonitoringEnded(e) if e.person == "jordan" && e.reason == "its last day is over"),
        "{turns:?}"
    );
    gateway.stops().await;
}

pub async fn a_clock_that_is_not_right_monitors_nobody(play: Play) {
    let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
    until("its beginning", async || gateway.turns().await.len() == 1).await;
    play.clock.set(at("2026-11-22T18:30:00Z"));
    until("the jump is seen", async || play.clock.state() == ClockState::Jumped).await;
    gateway.uses(&["jumped.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, []);
    gateway.time_passes(Duration::from_secs(120)).await;
    assert_eq!(play.clock.state(), ClockState::Right);
    gateway.uses(&["later.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, [category(UNCATEGORISED, 1, 0), site("later.example", 1, 0)]);
    assert_eq!(gateway.turns().await.len(), 1, "a jump neither ends nor begins it");
    gateway.stops().await;
}

pub async fn a_person_has_so_many_sites_a_day(play: Play) {
    let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
    for i in 0..MOST_SITES + 5 {
        gateway.uses(&[&format!("www.site{i}.example")]);
    }
    gateway.minute_passes().await;
    let sites = async |gateway: &Gateway| {
        let kept = gateway.kept().await.into_iter().filter(|k| k.1 == MonitoredKind::Site);
        kept.map(|k| (k.0, k.2)).collect::<Vec<_>>()
    };
    assert_eq!(sites(&gateway).await.len(), MOST_SITES + 1);
    gateway.stops().await;
    play.clock.advance(Duration::from_secs(60));
    let again = begun(&play, monitored("sites", "2026-12-01")).await;
    again.uses(&["www.site0.example"]);
    again.uses(&["one-more.example"]);
    again.minute_passes().await;
    let kept = sites(&again).await;
    assert_eq!(kept.len(), MOST_SITES + 1, "the bound is the day's, not the gateway's run's");
    for (name, minutes) in [("site0.example", 2), (OTHER_SITES, 2), ("site1.example", 1)] {
        assert!(kept.contains(&(name.to_owned(), minutes)), "{name} {minutes}");
    }
    again.stops().await;
}

pub async fn monitored_minutes_are_purged_in_their_time(play: Play) {
    let keep = Keep { breaches: 365, minutes: 90, monitoring: 28 };
    let gateway = begun(&play, monitored("sites", "2027-01-31")).await;
    gateway.uses(&["purged.example"]);
    gateway.minute_passes().await;
    let purge = async |on: &str| gateway.records.purge(&keep, on.parse().unwrap()).await.unwrap();
    for (on, gone) in [("2026-11-22", 0), ("2026-12-20", 0), ("2026-12-21", 2), ("2026-12-22", 0)] {
        assert_eq!(purge(on).await, gone, "{on}");
    }
    assert_eq!(gateway.kept().await, []);
    assert_ne!(gateway.records.minutes_of(today(), "jordan").await.unwrap(), [], "minutes stay longer");
    assert_eq!(gateway.turns().await.len(), 1, "that it was raised stays");
    gateway.uses(&["ahead.example"]);
    gateway.minute_passes().await;
    assert_eq!(purge("2026-11-01").await, 2, "what a wrong clock dated ahead");
    gateway.stops().await;
    if play.is_sqlite() {
        assert!(!on_disk(play.home.path(), "purged.example"));
    }
}

pub async fn raising_and_ending_it_are_entries(play: Play) {
    let gateway = begun(&play, monitored("categories", "2026-12-01")).await;
    until("its beginning", async || gateway.turns().await.len() == 1).await;
    let Entry::MonitoringBegan(began) = gateway.turns().await.remove(0) else { panic!("no beginning") };
    assert_eq!(
        (began.person.as_str(), began.level.as_str(), began.authorised_by.as_str(), began.reason.as_str()),
        ("jordan", "categories", "R. Osei", "agreed at the strategy meeting")
    );
    assert_eq!((began.until, began.told_on), (day("2026-12-01"), day("2026-11-20")));
    gateway.stops().await;
    let gateway = begun(&play, monitored("categories", "2026-12-01")).await;
    let replace = |with: Arc<Snapshot>| {
        let standing = gateway.in_force.to_keep().standing.clone();
        gateway.in_force.replace(with, standing)
    };
    replace(monitored("categories", "2026-12-01"));
    gateway.minute_passes().await;
    assert_eq!(gateway.turns().await.len(), 1, "neither a restart nor another file begins it anew");
    replace(monitored("sites", "2026-12-01"));
    until("other terms", async || gateway.turns().await.len() == 3).await;
    replace(snapshot());
    until("its end", async || gateway.turns().await.len() == 4).await;
    let turns = gateway.turns().await;
    assert!(matches!(&turns[1], Entry::MonitoringEnded(e) if e.reason.contains("agreement")), "{turns:?}");
    assert!(matches!(&turns[2], Entry::MonitoringBegan(b) if b.level == "sites"), "{turns:?}");
    assert!(matches!(&turns[3], Entry::MonitoringEnded(e) if e.person == "jordan"), "{turns:?}");
    assert!(matches!(gateway.records.verify(None).await.unwrap(), Verified::Whole { .. }));
    gateway.stops().await;
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub async fn a_store_of_the_first_version_is_upgraded_whole(play: Play) {
    let gateway = begun(&play, snapshot()).await;
    gateway.asks_for("jordan", "games.example", agreements::Evidence::Navigation);
    gateway.minute_passes().await;
    gateway.records.staff_action(crate::play::staff(), "kept", "").await.unwrap();
    let before = gateway.records.entries(1).await.unwrap();
    let minutes = gateway.records.minutes_of(today(), "jordan").await.unwrap();
    gateway.stops().await;
    // What the first version made: the same tables but the one that came later.
    play.tamper("DROP TABLE monitored; DROP TABLE desk_account; DROP TABLE desk_session; DROP TABLE desk_link; DROP TABLE notice; DROP INDEX episode_first; DROP INDEX episode_person; DELETE FROM hearthgate_schema WHERE version > 1").await;
    for purpose in [Purpose::Beside, Purpose::Read] {
        let older = play.open_for(purpose).await;
        assert!(matches!(older, Err(OpenError::Older(1))), "{older:?}");
    }
    let gateway = begun(&play, monitored("sites", "2026-12-01")).await;
    gateway.uses(&["new.example"]);
    gateway.minute_passes().await;
    assert_eq!(gateway.kept().await, [category(UNCATEGORISED, 1, 0), site("new.example", 1, 0)]);
    let after = gateway.records.entries(1).await.unwrap();
    let said = |entries: &[records::Logged]| {
        entries.iter().map(|e| (e.at.clone(), e.says.clone())).collect::<Vec<_>>()
    };
    assert_eq!(said(&after[..before.len()]), said(&before));
    let now = gateway.records.minutes_of(today(), "jordan").await.unwrap();
    assert_eq!((minutes[0].counted, now[0].counted > 1), (1, true), "minutes go on from where they were");
    assert!(matches!(gateway.records.verify(None).await.unwrap(), Verified::Whole { purged: 0, .. }));
    gateway.stops().await;
    play.records().await.close().await;
}
