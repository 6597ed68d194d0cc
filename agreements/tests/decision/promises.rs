//! What must hold of every decision: protected sites, what may be recorded, severities, counted minutes, and `until`.

use crate::build::{at, judge, oakview, person, standing, with_request};
use agreements::*;
use blocklists::Category;
use chrono::Duration;
use proptest::prelude::*;

const EVERYBODY: [&str; 8] = ["jordan", "sam", "alex", "mo", "kate", "laptop", "dee", "nobody"];

/// Standings under which a shift could be tempted to close everything.
const STANDINGS: [&str; 4] = [
    "-",
    "restrict everything 00:00-00:00",
    "used everything 240; used games 150; used youtube.com 45",
    "restrict support,assistive,oakviewhouse.example 00:00-00:00",
];

#[test]
fn support_and_assistive_sites_are_open_to_everybody_at_every_hour_of_a_week() {
    let house = oakview();
    let mut checked = 0;
    for who in EVERYBODY {
        for hour in 0..7 * 24 {
            let when = at("2026-11-23T00:30") + Duration::hours(hour);
            for given in STANDINGS {
                let standing = standing(house, who, &when.format("%Y-%m-%d").to_string(), given);
                for (host, record) in [
                    ("help.example #support", Record::Nothing),
                    ("help.example #support #malware #circumvention #private_mail", Record::Nothing),
                    ("www.oakviewhouse.example", Record::Nothing),
                    ("text.example #assistive", Record::Total),
                    ("relay.example", Record::Total),
                ] {
                    let (verdict, _) = judge(house, who, when, host, &standing);
                    let told = (verdict.outcome, verdict.rule, verdict.record, verdict.counts, verdict.until);
                    assert_eq!(
                        told,
                        (Outcome::Allow, Rule::Protected, record, Counts(0), None),
                        "{who} {when} {host}"
                    );
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 8 * 168 * 4 * 5);
}

/// Who, host, standing; severity of an opened page, of a lookup; what may be written down.
#[test]
fn refusals_tell_staff_what_the_table_of_severities_says() {
    use Record::{Episode, Nothing, Total};
    use Severity::{Critical, High, Low, Medium, Technical};
    let house = oakview();
    for (who, when, host, given, page, lookup, record) in [
        ("jordan", "2026-11-28T16:00", "x.example #illegal", "-", Critical, Critical, Episode),
        ("jordan", "2026-11-28T16:00", "x.example #illegal #advertising", "-", Critical, Critical, Episode),
        ("jordan", "2026-11-28T16:00", "x.example #pornography", "-", High, Low, Episode),
        ("jordan", "2026-11-28T16:00", "x.example #circumvention", "-", High, High, Episode),
        ("jordan", "2026-11-28T16:00", "x.example #circumvention #tracking", "-", High, High, Episode),
        ("jordan", "2026-11-28T16:00", "192.0.2.1", "-", High, High, Episode),
        ("alex", "2026-11-28T16:00", "192.0.2.1", "-", High, High, Episode),
        ("alex", "2026-11-28T16:00", "192.168.4.10", "-", Medium, Low, Nothing),
        ("jordan", "2026-11-28T23:00", "192.168.4.10", "-", Low, Low, Nothing),
        (
            "jordan",
            "2026-11-28T16:00",
            "mask.example #circumvention #device_default",
            "-",
            Technical,
            Technical,
            Total,
        ),
        ("jordan", "2026-11-28T23:00", "mask.example #device_default", "-", Technical, Technical, Total),
        ("jordan", "2026-11-28T23:00", "bbc.example", "-", Low, Low, Episode),
        ("jordan", "2026-11-28T23:00", "ads.example #advertising", "-", Low, Low, Nothing),
        ("jordan", "2026-11-28T23:00", "t.example #tracking", "-", Low, Low, Nothing),
        ("jordan", "2026-11-28T23:00", "t.example #telemetry", "-", Low, Low, Nothing),
        ("jordan", "2026-11-28T23:00", "u.example #updates", "-", Low, Low, Nothing),
        ("jordan", "2026-11-28T23:00", "cdn.example #infrastructure", "-", Low, Low, Nothing),
        ("jordan", "2026-11-28T16:00", "ads.example #advertising #gambling", "-", Medium, Low, Nothing),
        ("jordan", "2026-11-28T16:00", "facebook.example #tracking", "-", Low, Low, Episode),
        ("jordan", "2026-11-28T23:00", "mail.example #private_mail", "-", Low, Low, Total),
        ("jordan", "2026-11-28T16:00", "bets.example #gambling", "-", Medium, Low, Episode),
        ("jordan", "2026-11-28T16:00", "discord.com", "-", Low, Low, Episode),
        ("jordan", "2026-11-28T16:00", "youtube.com", "used youtube.com 45", Low, Low, Episode),
        (
            "jordan",
            "2026-11-28T16:00",
            "bbc.example",
            "restrict bbc.example 15:00-18:00",
            Medium,
            Low,
            Episode,
        ),
        ("mia", "2026-11-28T16:00", "search.yahoo.com", "-", Low, Low, Nothing),
        ("sam", "2026-11-23T10:00", "bbc.example", "-", Low, Low, Episode),
        ("sam", "2026-11-23T10:00", "school.example #education", "-", Low, Low, Episode),
        ("alex", "2026-11-28T16:00", "else.example", "-", Medium, Low, Episode),
        ("mo", "2026-11-28T16:00", "else.example", "-", Medium, Low, Episode),
        ("nobody", "2026-11-28T16:00", "else.example", "-", High, Low, Episode),
        ("dee", "2026-11-28T16:00", "else.example", "-", Medium, Low, Episode),
        ("dee", "2026-11-28T23:00", "else.example", "-", Low, Low, Episode),
        ("laptop", "2026-11-28T16:00", "school.example #education", "-", High, High, Episode),
        ("laptop", "2026-11-28T16:00", "else.example", "education jordan 15:00-17:00", Medium, Low, Episode),
    ] {
        let standing = standing(house, who, &when[..10], given);
        let (verdict, _) = judge(house, who, at(when), host, &standing);
        let told = (verdict.severity, verdict.severity_seen(Evidence::Lookup), verdict.record);
        assert!(!verdict.allows(), "{who} {host}");
        assert_eq!(told, (page, lookup, record), "{who} {when} {host}");
        assert_eq!(verdict.severity_seen(Evidence::Navigation), page, "{who} {when} {host}");
        assert_eq!(verdict.counts, Counts(0), "a refusal uses no minute");
    }
}

#[test]
fn allowed_traffic_leaves_no_record() {
    let house = oakview();
    for (who, host, record) in [
        ("jordan", "bbc.example", Record::Nothing),
        ("jordan", "else.example #news", Record::Nothing),
        ("jordan", "mail.example #private_mail", Record::Total),
        ("kate", "else.example", Record::Nothing),
    ] {
        let (verdict, _) = judge(house, who, at("2026-11-28T16:00"), host, &Standing::default());
        assert_eq!((verdict.outcome, verdict.record), (Outcome::Allow, record), "{who} {host}");
    }
}

/// Bits of the counted keys: everything, then the limits' keys in order.
#[test]
fn an_allowed_minute_counts_for_every_key_that_matches() {
    let house = oakview();
    let jordan = person(house, "jordan");
    let keys: Vec<_> = house.counted_keys(jordan).iter().map(|k| format!("{k:?}")).collect();
    assert_eq!(keys, ["Everything", "Word(Category(games))", "Word(Site(`youtube.com`))"]);
    assert!(house.counted_keys(House::NOBODY).is_empty());
    for (host, counts) in [
        ("else.example", 0b001),
        ("roblox.com #games #roblox", 0b011),
        ("www.youtube.com", 0b101),
        ("youtube.com #games #roblox", 0b111),
        ("youtube.com #infrastructure", 0),
        ("mail.example #private_mail", 0),
        ("help.example #support", 0),
        ("ads.example #advertising", 0),
        ("updates.example #updates", 0),
    ] {
        let (verdict, _) = judge(house, "jordan", at("2026-11-28T16:00"), host, &Standing::default());
        assert!(verdict.allows(), "{host}");
        assert_eq!(verdict.counts, Counts(counts), "{host}");
    }
}

#[test]
fn search_is_never_looser_than_the_homes() {
    use SafeSearch::{Moderate, Off, Strict};
    for (home, own, held) in [
        (Off, Off, Off),
        (Off, Strict, Strict),
        (Moderate, Off, Moderate),
        (Moderate, Strict, Strict),
        (Strict, Off, Strict),
    ] {
        let mut build = crate::build::Build::new();
        build.home.everyone.safe_search = home;
        build.person("jordan").with(|p| p.safe_search = own);
        let house = build.house();
        assert_eq!(house.safe_search(person(&house, "jordan")), held);
        assert_eq!(house.safe_search(House::NOBODY), home);
    }
}

#[test]
fn where_the_home_holds_search_an_engine_without_it_is_closed_to_everybody() {
    let mut build = crate::build::Build::new();
    let line = build.line("home.yaml", "safe_search: moderate");
    (build.home.everyone.safe_search, build.home.everyone.safe_search_source) =
        (SafeSearch::Moderate, Some(line));
    build.person("jordan").online("every_day", "all_day");
    let house = build.house();
    let given = standing(&house, "jordan", "2026-11-28", "sites everything 15:00-18:00");
    for (who, host, closed) in [
        ("jordan", "search.yahoo.com", true),
        ("nobody", "www.startpage.com", true),
        ("jordan", "duckduckgo.com", false),
        ("jordan", "yahoo.com", false),
    ] {
        let (verdict, sentence) = judge(&house, who, at("2026-11-28T16:00"), host, &given);
        assert_eq!(verdict.rule == Rule::Floor, closed, "{who} {host}: {verdict:?}");
        if closed {
            assert_eq!((verdict.subject, verdict.source), (Subject::Search, Some(line)), "{who} {host}");
            assert_eq!((verdict.severity, verdict.record), (Severity::Low, Record::Nothing));
            assert_eq!(sentence, "This search engine has no safe search, so it is off here.");
        }
    }
}

/// Nothing but the times (and for a laptop its session) stands in front of private mail.
#[test]
fn private_mail_follows_the_times_and_nothing_else() {
    let house = oakview();
    let standings =
        ["-", "restrict everything 00:00-00:00", "restrict private_mail,big.example,bad.example 00:00-00:00"];
    let mut checked = 0;
    for who in EVERYBODY {
        for hour in 0..7 * 24 {
            let when = at("2026-11-23T00:30") + Duration::hours(hour);
            let open = house.moment(person(house, who), when, &Standing::default()).online().0;
            for given in standings {
                let standing = standing(house, who, &when.format("%Y-%m-%d").to_string(), given);
                for host in ["mail.big.example #private_mail", "mail.bad.example #private_mail #malware"] {
                    let (verdict, _) = judge(house, who, when, host, &standing);
                    let open = open && who != "laptop";
                    assert_eq!(verdict.allows(), open, "{who} {when} {host} {given}: {verdict:?}");
                    assert_eq!(verdict.record, Record::Total);
                    checked += 1;
                }
            }
        }
    }
    assert_eq!(checked, 8 * 168 * 3 * 2);
}

/// A console whose agreement names ports on which it may reach any address: when it may, and which rule says so.
#[test]
fn any_address_is_open_to_a_shared_device_within_all_else_that_its_agreement_says() {
    let home = "home: Oakview\nschool:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-11-02..2026-12-18]\n\
        everyone: {block: [circumvention]}\nunknown_devices: block\n";
    let console = "person: Lounge console\nfor: device\ndevices: [{name: box, mac: \"3c:06:30:11:22:33\"}]\n\
        online: {every_day: 08:00-21:00}\nlimits: {everything: 2h}\notherwise: block\nany_address_on: [games]\n";
    let television = console.replace("any_address_on: [games]\n", "").replace("22:33", "22:44");
    let files =
        [("home.yaml", home), ("agreements/console.yaml", console), ("agreements/tv.yaml", &television)]
            .map(|(path, text)| (path.to_owned(), text.to_owned()));
    let house = read(&files, at("2026-11-23T12:00").date_naive()).house;
    for (when, given, expected) in [
        ("2026-11-28T16:00", "-", Some((Outcome::Allow, Rule::Site))),
        ("2026-11-28T22:00", "-", Some((Outcome::Block, Rule::Online))),
        ("2026-11-28T07:59", "-", Some((Outcome::Block, Rule::Online))),
        ("2026-11-23T10:00", "-", Some((Outcome::Block, Rule::SchoolHours))),
        ("2026-11-28T16:00", "used everything 120", Some((Outcome::Block, Rule::Limit))),
        ("2026-11-28T16:00", "used everything 119", Some((Outcome::Allow, Rule::Site))),
        ("2026-11-28T16:00", "restrict everything 15:00-18:00", Some((Outcome::Block, Rule::Restriction))),
        ("2026-11-28T22:00", "time everything 21:30-22:30", Some((Outcome::Allow, Rule::Grant))),
    ] {
        let (who, then) = (person(&house, "console"), at(when));
        let standing = standing(&house, "console", &when[..10], given);
        let moment = house.moment(who, then, &standing);
        let judged = house.judge_any_address(&moment);
        assert_eq!(judged.map(|(verdict, _)| (verdict.outcome, verdict.rule)), expected, "{when} {given}");
        let (verdict, except) = judged.expect("the console's");
        assert_eq!(except.written, ["games"]);
        assert!(!verdict.allows() || verdict.counts.0 & 1 == 1, "its minutes count: {when} {given}");
        assert!(!verdict.allows() || verdict.until.is_some(), "and it ends: {when} {given}");
        // An address by itself stays what it is: the router asks with the port.
        let (address, _) = judge(&house, "console", then, "192.0.2.1", &standing);
        assert!(!address.allows());
    }
    for who in [person(&house, "tv"), House::NOBODY, House::LOST, House::NO_CLOCK, PersonId(999)] {
        let moment = house.moment(who, at("2026-11-28T16:00"), &Standing::default());
        assert!(house.judge_any_address(&moment).is_none(), "{who:?}");
    }
    let without = house.without_records();
    let moment = without.moment(person(&without, "console"), at("2026-11-28T16:00"), &Standing::default());
    assert!(without.judge_any_address(&moment).is_none(), "on the baseline there is none");
}

#[test]
fn a_person_of_another_house_is_nobody() {
    let house = oakview();
    let verdict = with_request("bbc.example", |request| {
        house.judge(PersonId(999), at("2026-11-28T16:00"), request, &Standing::default())
    });
    assert_eq!(verdict.rule, Rule::Baseline);
}

fn hosts() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "bbc.example",
        "games.bbc.example #games",
        "bbc.example/sounds",
        "discord.com #discord #social_networks",
        "facebook.example",
        "youtube.com #video",
        "roblox.com #games #roblox",
        "mail.example #private_mail",
        "help.example #support",
        "school.example #education",
        "mymaths.example",
        "cdn.example #infrastructure",
        "x.example #pornography",
        "x.example #illegal",
        "bets.example #gambling",
        "meet.example #dating",
        "else.example",
        "192.0.2.1",
    ])
}

fn givens() -> impl Strategy<Value = String> {
    let time = || (0..24_u32, 0..60_u32).prop_map(|(h, m)| format!("{h:02}:{m:02}"));
    let what =
        prop::sample::select(vec!["everything", "games", "bbc.example", "youtube.com", "mymaths.example"]);
    let kind = prop::sample::select(vec!["sites", "time", "restrict", "supervised", "education"]);
    let one = (kind, what, time(), time()).prop_map(|(kind, what, a, b)| match kind {
        "supervised" => format!("supervised {} {a}-{b}", if what == "everything" { "-" } else { what }),
        "education" => format!("education {} {a}-{b}", if what == "games" { "sam" } else { "jordan" }),
        _ => format!("{kind} {what} {a}-{b}"),
    });
    let used = (0..260_u16, 0..160_u16)
        .prop_map(|(all, games)| format!("used everything {all}; used games {games}"));
    (prop::collection::vec(one, 0..4), prop::option::of(used)).prop_map(|(mut all, used)| {
        all.extend(used);
        all.join("; ")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Between the instant and its `until`, the same judge gives the same outcome and rule.
    #[test]
    fn nothing_changes_before_until(
        who in prop::sample::select(EVERYBODY.to_vec()),
        host in hosts(),
        given in givens(),
        // Days around school days, a clock change each way, and the year's end.
        day in prop::sample::select(vec!["2026-11-23", "2026-11-27", "2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25", "2026-12-24"]),
        second in 0..86_400_i64,
        share in 0.0..1.0_f64,
    ) {
        let house = oakview();
        let standing = standing(house, who, day, &given);
        let from = at(&format!("{day}T00:00")) + Duration::seconds(second);
        let (first, _) = judge(house, who, from, host, &standing);
        let until = first.until.unwrap_or(from + Duration::days(3));
        prop_assert!(until > from, "until lies ahead: {first:?}");
        let last = until - Duration::seconds(1);
        for then in [from + Duration::seconds(((last - from).num_seconds() as f64 * share) as i64), last] {
            let (later, _) = judge(house, who, then, host, &standing);
            prop_assert_eq!((first.outcome, first.rule), (later.outcome, later.rule), "at {} of {} to {}", then, from, until);
        }
    }

    /// A moment answers as `judge` does, for as long as it holds.
    #[test]
    fn a_moment_that_holds_answers_as_judge_does(
        who in prop::sample::select(EVERYBODY.to_vec()),
        host in hosts(),
        given in givens(),
        second in 0..86_400_i64,
        later in 0..7200_i64,
    ) {
        let house = oakview();
        let standing = standing(house, who, "2026-11-23", &given);
        let from = at("2026-11-23T00:00") + Duration::seconds(second);
        let moment = house.moment(person(house, who), from, &standing);
        prop_assert!(moment.holds(from));
        let then = from + Duration::seconds(later);
        if moment.holds(then) {
            let cached = with_request(host, |r| house.judge_in(&moment, r));
            let (fresh, _) = judge(house, who, then, host, &standing);
            prop_assert_eq!((cached.outcome, cached.rule, cached.source), (fresh.outcome, fresh.rule, fresh.source));
        }
    }

    /// The trace, the verdict and the explanation are one decision.
    #[test]
    fn trace_and_judge_agree(
        who in prop::sample::select(EVERYBODY.to_vec()),
        host in hosts(),
        given in givens(),
        second in 0..86_400_i64,
    ) {
        let house = oakview();
        let standing = standing(house, who, "2026-11-23", &given);
        let when = at("2026-11-23T00:00") + Duration::seconds(second);
        let (verdict, _) = judge(house, who, when, host, &standing);
        let (traced, explained) = with_request(host, |r| {
            let who = person(house, who);
            (house.trace(who, when, r, &standing), house.explain(who, when, r, &standing))
        });
        prop_assert_eq!(verdict, traced.0);
        prop_assert_eq!((explained.verdict, explained.rule), (verdict.outcome, verdict.rule));
        prop_assert_eq!(explained.trace, traced.1);
        prop_assert!(explained.sentence.ends_with('.') && !explained.sentence.contains("  "));
    }
}

#[test]
fn a_sealed_sites_sentence_says_nothing_of_its_address() {
    let house = oakview();
    for who in EVERYBODY {
        let (verdict, sentence) =
            judge(house, who, at("2026-11-28T16:00"), "secret.example #illegal", &Standing::default());
        assert_eq!(verdict.subject, Subject::Category(Category::ILLEGAL));
        assert!(!sentence.contains("secret"), "{sentence}");
    }
}
