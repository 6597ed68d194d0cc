//! Whatever an agreement says stands on the young person's page of it, and on the desk's: a changed line changes both.

use super::{JORDANS, Young};
use crate::desk::tests::play::{HOME, JORDAN, Play, START, words};
use agreements::{House, Snapshot};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An agreement that says everything that one for a young person can say.
fn whole() -> String {
    JORDAN
        .replace("young_person: {on: 2026-11-02}", "young_person: {on: 2026-11-02, view: fair enough}")
        .replace("bedtime: {every_day: 21:00}", "bedtime: {school_nights: 21:00, every_day: 22:00}")
        .replace("school_hours: as_agreed", "school_hours: education_only")
        + "education: home\neducation_sites: [learn.example]\nwith_staff: [forum.example]\nsafe_search: strict\n\
           monitoring: {level: categories, until: 2026-11-30, reason: agreed together, authorised_by: R. Osei, told_on: 2026-11-20}\n\
           behaviour: [I will be kind.]\ntell_someone: Ring for whoever is on shift.\n\
           consequences:\n  - {after: 3 breaches in 7 days, suggest: a talk at key-work}\n"
}

/// A key, what it says, what it says instead.
const CHANGES: [(&str, &str, &str); 32] = [
    ("agreed young_person", "young_person: {on: 2026-11-02", "young_person: {on: 2026-11-01"),
    ("agreed view", "view: fair enough", "view: not fair"),
    ("agreed social_worker", "name: A. Mensah", "name: B. Mensah"),
    (
        "agreed home_manager",
        "home_manager: {name: R. Osei, on: 2026-11-02}",
        "home_manager: {name: R. Osei, on: 2026-11-01}",
    ),
    ("agreed review_by", "review_by: 2027-01-31", "review_by: 2027-01-30"),
    ("education", "education: home", "education: none"),
    ("devices", "name: phone", "name: laptop"),
    ("online", "07:00-22:30", "07:00-22:15"),
    ("online days", "online: {every_day:", "online: {weekends: 08:00-20:00, weekdays:"),
    ("bedtime", "school_nights: 21:00", "school_nights: 20:30"),
    ("bedtime other", "every_day: 22:00", "every_day: 22:10"),
    ("limits everything", "everything: 4h", "everything: 3h"),
    ("limits word", "video.example: 45m", "video.example: 50m"),
    ("limits days", "everything: 4h", "everything: {holidays: 5h, fri: 3h, every_day: 4h}"),
    ("allow", "[bbc.example]", "[news.example]"),
    ("ask", "[chat.example]", "[talk.example]"),
    ("with_staff", "[forum.example]", "[board.example]"),
    ("block", "[games.example]", "[bets.example]"),
    ("otherwise", "otherwise: allow", "otherwise: ask"),
    ("school_hours", "school_hours: education_only", "school_hours: offline"),
    ("education_sites", "[learn.example]", "[maths.example]"),
    ("safe_search", "safe_search: strict", "safe_search: moderate"),
    ("monitoring level", "level: categories", "level: sites"),
    ("monitoring until", "until: 2026-11-30", "until: 2026-11-29"),
    ("monitoring reason", "reason: agreed together", "reason: it was asked for"),
    ("monitoring authorised_by", "authorised_by: R. Osei", "authorised_by: K. Lane"),
    ("monitoring told_on", "told_on: 2026-11-20", "told_on: 2026-11-19"),
    ("behaviour", "I will be kind.", "I will be fair."),
    ("tell_someone", "Ring for whoever", "Knock for whoever"),
    ("consequences after", "after: 3 breaches in 7 days", "after: 4 breaches in 7 days"),
    ("consequences of", "after: 3 breaches in 7 days", "after: 3 circumvention in 6 days"),
    ("consequences suggest", "a talk at key-work", "a talk at tea"),
];

/// The page of the agreement on their own device, in a voice, and the desk's.
async fn pages(jordan: &str, voice: &str) -> [String; 2] {
    // The home holds nobody's search, so that the agreement's own word for it is the one that counts.
    let home = HOME.replace("everyone:\n", "everyone:\n  safe_search: off\n");
    let young = Young::over(Play::of(&home, &[("jordan", jordan)]).await);
    let (_, own) = young.get(JORDANS, &format!("/agreement?{voice}")).await;
    let main = own.split("<main").nth(1).expect("a page").to_owned();
    assert!(!main.contains("not finished"), "the agreement is in force: {main}");
    let desk = young.play.signed_in("k.lane").await.get("/people/jordan").await.words();
    [main, desk]
}

#[tokio::test]
async fn whatever_an_agreement_says_stands_on_its_pages() {
    let whole = whole();
    let before = pages(&whole, "lang=en").await;
    let mut missing = Vec::new();
    for (key, says, instead) in CHANGES {
        assert_eq!(whole.matches(says).count(), 1, "{key}: `{says}` stands once");
        let after = pages(&whole.replace(says, instead), "lang=en").await;
        for (page, (before, after)) in ["their own", "the desk"].iter().zip(before.iter().zip(&after)) {
            if before == after {
                missing.push(format!("{key} on {page}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}: {before:#?}");
}

#[tokio::test]
async fn it_says_so_in_plain_words() {
    let whole = whole();
    for (voice, said) in [
        (
            "lang=en",
            [
                "<li>Days before a school day: 21:00</li>",
                "<li>All other days: 22:00</li>",
                "<li>Every day: 07:00–22:30</li>",
                "Minutes a day: All together",
                "Anything refused, whatever the reason: 3 within 7 days. Staff may then suggest: a talk at key-work",
                "You learn at home.",
                "Social worker: A. Mensah, Leeds, 2 November 2026",
            ],
        ),
        (
            "lang=cy",
            [
                "<li>Diwrnodau cyn diwrnod ysgol: 21:00</li>",
                "<li>Pob diwrnod arall: 22:00</li>",
                "<li>Bob dydd: 07:00–22:30</li>",
                "Munudau y dydd: Popeth gyda’i gilydd",
                "<span lang=\"en-GB\">a talk at key-work</span>",
                "Rwyt ti’n dysgu gartref.",
                "Gweithiwr cymdeithasol: A. Mensah, Leeds, 2 Tachwedd 2026",
            ],
        ),
    ] {
        let [page, _] = pages(&whole, voice).await;
        for words in said {
            assert!(page.contains(words), "{voice}: {words}: {page}");
        }
    }
}

/// What stands in Jordan's agreement in place of a line, what the pages then say, in their order, and what they do not say.
const SAYS: &[(&str, &str, &[&str], &[&str])] = &[
    // The order in the file is not the order of precedence.
    (
        "bedtime: {every_day: 21:00}",
        "bedtime: {every_day: 22:00, fri: 22:30, school_nights: 21:00}",
        &[
            "Bedtime",
            "Days before a school day: 21:00",
            "Friday: 22:30",
            "All other days: 22:00",
            "Where two lines are for the same day, the upper one holds.",
        ],
        &["Every day: 22:00"],
    ),
    (
        "online: {every_day: 07:00-22:30}",
        "online: {weekends: \"08:00-12:00, 20:00-01:30\", weekdays: 16:00-24:00}",
        &["Saturday and Sunday: 08:00–12:00, 20:00–01:30", "Monday to Friday: 16:00–24:00"],
        &["Where two lines"],
    ),
    // A day that nothing is said of is offline, and has no bedtime and no limit.
    (
        "online: {every_day: 07:00-22:30}",
        "online: {mon-wed: 16:00-20:00, 2026-12-25: 08:00-22:00}",
        &[
            "25 December 2026: 08:00–22:00",
            "Monday, Tuesday, Wednesday: 16:00–20:00",
            "All other days: offline",
        ],
        &["no limit"],
    ),
    (
        "bedtime: {every_day: 21:00}",
        "bedtime: {school_nights: 00:30}",
        &["Days before a school day: 00:30", "All other days: no bedtime"],
        &["All other days: offline"],
    ),
    (
        "  everything: 4h\n",
        "  everything: {school_days: 2h, holidays: 0m}\n",
        &[
            "Minutes a day: All together",
            "School days: 2 h",
            "Monday to Friday without school: 0 min",
            "All other days: no limit",
        ],
        &["less than a minute"],
    ),
    ("online: {every_day: 07:00-22:30}\n", "", &["Online", "Every day: offline"], &["07:00"]),
    // What a social worker's line leaves out leaves no gap.
    ("authority: Leeds, ", "", &["A. Mensah, 2 November 2026"], &[", ,", "Leeds"]),
    // What e-mail alone leaves of an agreement: learning time and limits change nothing, nor do words but those for a session
    // with staff.
    (
        "otherwise: allow\nschool_hours: as_agreed\n",
        "profile: email_only\neducation: none\nschool_hours: offline\nwith_staff: [forum.example]\neducation_sites: [learn.example]\n",
        &["Every day: 07:00–22:30", "Bedtime", "Together with staff: forum.example"],
        &[
            "Minutes a day",
            "learning time the internet",
            "school hours the internet",
            "Open:",
            "Ask first:",
            "Closed:",
            "Also for learning",
        ],
    ),
    (
        "school_hours: as_agreed\n",
        "consequences: [{after: 2 gambling in 7 days, suggest: a}, {after: 2 school_hours in 7 days, suggest: b}, {after: 2 category in 7 days, suggest: c}, {after: 2 high breaches in 2 weeks, suggest: d}]\n",
        &[
            "Tried: betting sites: 2 within 7 days. Staff may then suggest: a",
            "Tried in learning time: 2 within 7 days. Staff may then suggest: b",
            "Tried a kind of site the agreement names: 2 within 7 days. Staff may then suggest: c",
            "Tries that count as high: 2 within 14 days. Staff may then suggest: d",
        ],
        &["Tried outside"],
    ),
];

#[tokio::test]
async fn the_pages_tell_what_holds() {
    for (instead_of, written, says, not) in SAYS {
        assert!(JORDAN.contains(instead_of), "{instead_of}");
        let [own, desk] = pages(&JORDAN.replace(instead_of, written), "lang=en").await;
        for page in [words(&own), desk] {
            let mut rest = page.as_str();
            for said in *says {
                rest = rest.split_once(said).unwrap_or_else(|| panic!("{written}: `{said}` comes: {page}")).1;
            }
            for said in *not {
                assert!(!page.contains(said), "{written}: `{said}` is not so: {page}");
            }
        }
    }
}

#[tokio::test]
async fn by_e_mail_alone_all_else_is_told_to_be_closed() {
    let jordan = JORDAN.replace("otherwise: allow", "profile: email_only");
    for (voice, said) in [
        ("lang=en", "Your e-mail is open. Everything else is closed for now. You can ask."),
        ("lang=en&easy=yes", "Your e-mail is open. All else is closed for now. You can ask."),
        ("lang=cy", "Mae dy e-bost ar agor. Mae popeth arall ar gau am nawr. Gelli di ofyn."),
    ] {
        let [own, desk] = pages(&jordan, voice).await;
        assert!(own.contains(said), "{voice}: {own}");
        assert!(!own.contains("bbc.example") && !own.contains("chat.example"), "{voice}: {own}");
        assert!(desk.contains("Private mail is open, and nothing else."), "{desk}");
    }
}

/// A home as its files are, with errors or without.
fn read(home: &str, jordan: &str) -> House {
    let files = [("home.yaml", home), ("agreements/jordan.yaml", jordan)];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    agreements::read(&files, START.parse::<DateTime<Utc>>().unwrap().date_naive()).house
}

/// All that a consequence may count, and anything of which is ever refused.
const COUNTED: [&str; 20] = [
    "breaches",
    "circumvention",
    "low",
    "medium",
    "high",
    "critical",
    "sealed",
    "restriction",
    "floor",
    "online",
    "school_hours",
    "limit",
    "site",
    "service",
    "category",
    "otherwise",
    "baseline",
    "education_session",
    "email_only",
    "gambling",
];

#[tokio::test]
async fn no_two_things_that_are_counted_read_alike() {
    let mut all = "consequences:\n".to_owned();
    for (n, of) in COUNTED.iter().enumerate() {
        all += &format!("  - {{after: 2 {of} in 7 days, suggest: step {n}}}\n");
    }
    let young = Young::over(Play::of(HOME, &[("jordan", &(JORDAN.to_owned() + &all))]).await);
    for voice in ["lang=en", "lang=en&easy=yes", "lang=cy", "lang=cy&easy=yes"] {
        let (_, page) = young.get(JORDANS, &format!("/agreement?{voice}")).await;
        let after = page.split("id=\"after\"").nth(1).and_then(|rest| rest.split("</ul>").next()).unwrap();
        let said: BTreeSet<&str> =
            after.split("<li>").skip(1).map(|line| line.split(": 2 ").next().unwrap()).collect();
        assert_eq!(said.len(), COUNTED.len(), "{voice}: {said:#?}");
    }
}

#[tokio::test]
async fn of_an_agreement_that_cannot_be_used_nothing_is_made_up() {
    let young = Young::over(Play::of(HOME, &[("jordan", JORDAN)]).await);
    let wrong = read(HOME, &JORDAN.replace("otherwise: allow", "otherwise: perhaps"));
    let homeless = read(&HOME.replace("timezone: Europe/London", "timezone: here"), JORDAN);
    let forgets = read(HOME, JORDAN).without_records();
    for house in [wrong, homeless, forgets] {
        let draft = house.person("jordan").and_then(|who| house.agreement(who)).unwrap().draft.clone();
        assert!(draft.is_some());
        let current = young.play.in_force.to_keep();
        let snapshot = Snapshot { house, catalogue: current.snapshot.catalogue.clone() };
        young.play.in_force.replace(Arc::new(snapshot), current.standing.clone());
        for (voice, lead, kept, help) in [
            ("lang=en", "Your agreement cannot be used just now.", "Never a page", "helplines"),
            (
                "lang=en&easy=yes",
                "Your agreement does not work now.",
                "closed site",
                "You can always get help.",
            ),
            (
                "lang=cy",
                "Nid oes modd defnyddio dy gytundeb ar hyn o bryd.",
                "Byth tudalen",
                "llinellau cymorth",
            ),
        ] {
            let (_, page) = young.get(JORDANS, &format!("/agreement?{voice}")).await;
            let main = page.split("<main").nth(1).expect("a page");
            for said in [lead, kept, help, "/talk"] {
                assert!(main.contains(said), "{draft:?} {voice}: `{said}`: {main}");
            }
            for part in ["times", "sites", "promises", "after", "said", "by"] {
                assert!(!main.contains(&format!("id=\"{part}\"")), "{draft:?} {voice}: {part}: {main}");
            }
            for made_up in ["go to school", "mynd i’r ysgol", "class=\"sign\""] {
                assert!(!main.contains(made_up), "{draft:?} {voice}: {made_up}: {main}");
            }
            let (_, week) = young.get(JORDANS, &format!("/week?{voice}")).await;
            assert!(week.contains(lead), "{draft:?} {voice}: {week}");
        }
    }
}

#[tokio::test]
async fn the_desk_says_where_a_shared_device_may_go() {
    let lounge = "person: Lounge\nfor: device\ndevices:\n  - {name: box, ip: 192.0.2.3}\nonline: all_day\notherwise: allow\nany_address_on: [games]\n";
    let mut said = Vec::new();
    for text in [lounge.to_owned(), lounge.replace("[games]", "[games, udp 9000]")] {
        let play = Play::of(HOME, &[("jordan", JORDAN), ("lounge", &text)]).await;
        said.push(play.signed_in("k.lane").await.get("/people/lounge").await.words());
    }
    assert!(said[0].contains("on these ports: games") && said[1].contains("games, udp 9000"), "{said:?}");
}
