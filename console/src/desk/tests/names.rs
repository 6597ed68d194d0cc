//! Whoever may not know the young people finds none of their names, on any page, whatever a name is part of.

use super::access::MATRIX;
use super::play::{HOME, JORDAN, Play};
use super::shifts::happens;
use crate::desk::{Trouble, Waiting};
use agreements::GrantKind;
use chrono::TimeDelta;
use records::{Booking, By, ByRole, Clock, Mark, NewGrant, Side, Which, shift};
use std::time::Duration;

/// What tells who somebody is, in small letters.
const TELLING: [&str; 5] = ["jordan", "ashby", "tellingname", "kimberley", "mean message"];

fn by() -> By {
    By { role: ByRole::Staff, id: "k.lane".into(), name: "Kate Lane".into() }
}

/// A home in which names are part of everything.
async fn play() -> Play {
    let jordan = JORDAN
        .replace("person: Jordan", "person: Jordan Ashby")
        .replace("name: phone", "name: Jordans-iPhone")
        .replace("games.example", "jordan-fans.example");
    let sam = JORDAN.replace("person: Jordan", "person: Kimberley").replace("11:22:33", "11:22:44");
    let laptop = "person: Laptop\nfor: device\nprofile: education_session\ndevices:\n  - {name: Ashbys laptop, ip: 192.0.2.3}\n";
    let people = [("jordan-ashby", jordan.as_str()), ("kimberley", &sam), ("laptop", laptop)];
    let play = Play::of(HOME, &people).await;
    happens(&play, "jordan-ashby", "jordan-fans.example").await;
    let records = &play.records;
    let entry = records.episodes(&Which::default()).await.unwrap()[0].entry;
    let words = "Jordan got a mean message from tellingname";
    records.ask("jordan-ashby", "chat.example", words).await.unwrap();
    records.note(entry, by(), words).await.unwrap();
    records.mark(entry, by(), Mark::SpokeWithThem, words).await.unwrap();
    records.concern(entry, "jordan-ashby", by(), words).await.unwrap();
    records.report("jordan-ashby", by(), words, None).await.unwrap();
    records.book("jordan-ashby", "Jordans-iPhone", Booking::Lost, by(), words).await.unwrap();
    let until = play.clock.now() + TimeDelta::hours(8);
    let kind = GrantKind::Education { young_person: "jordan-ashby".into() };
    let new = NewGrant { person: "laptop".into(), kind, until, by: by(), reason: words.into() };
    records.grant(new).await.unwrap();
    let trouble = || Trouble {
        file: "agreements/jordan-ashby.yaml".into(),
        line: 3,
        sentence: "`Jordan's phone` belongs to Kimberley, too.".into(),
        help: "Write KIMBERLEY once.".into(),
    };
    {
        let mut state = play.running.state.lock().unwrap();
        let waiting = Waiting {
            file: "agreements/jordan-ashby.yaml".into(),
            meanwhile: String::new(),
            troubles: vec![trouble()],
        };
        state.waiting.push(waiting);
        state.warnings.push(trouble());
    }
    play.settle().await;
    play.in_force.to_keep().device_in_use(Some(0), play.clock.now());
    play
}

#[tokio::test]
async fn no_page_for_a_visitor_or_it_names_a_young_person() {
    let play = play().await;
    play.clock.advance(Duration::from_secs(4 * 3600 + 600));
    let home = play.in_force.to_keep();
    let home = home.snapshot.house.home();
    let last = shift::last(&home.shifts, home.timezone, play.clock.now());
    let seen = play.records.tally(last.from, last.to).await.unwrap();
    play.records
        .sign_shift(last, Some(Side::Outgoing), by(), "Jordan and tellingname fell out", seen)
        .await
        .unwrap();
    let more = [
        "/shift?person=jordan-ashby",
        "/shift/sheet?names=full",
        "/lists?host=jordan-fans.example",
        "/?done=x",
    ];
    let (mut pages, mut named) = (0, 0);
    for account in ["r.osei", "k.lane", "visitor", "it"] {
        let knows = matches!(account, "r.osei" | "k.lane");
        let mut browser = play.signed_in(account).await;
        let routes = MATRIX.iter().filter(|(method, path, _)| *method == "GET" && *path != "/live");
        let paths = routes.map(|(_, path, _)| {
            path.replace("{token}", "none")
                .replace("{entry}", "1")
                .replace("{person}", "jordan-ashby")
                .replace("{*file}", "agreements/jordan-ashby.yaml")
        });
        for path in paths.chain(more.map(str::to_owned)) {
            let page = browser.get(&path).await;
            if !page.status.is_success() {
                continue;
            }
            pages += 1;
            // What they asked for themselves is no news to them.
            let text = page.text.to_lowercase().replace("jordan-fans.example", "");
            for telling in TELLING {
                let stands = text.contains(telling);
                named += usize::from(knows && stands);
                assert!(knows || !stands, "{account} {path}: {telling} in {}", page.text);
            }
        }
    }
    assert!(pages > 60 && named > 40, "the corpus stands on {pages} pages {named} times");
}

#[tokio::test]
async fn a_visitor_cannot_ask_whose_initials_they_are_and_it_sees_no_owner() {
    let play = play().await;
    play.clock.advance(Duration::from_secs(4 * 3600 + 600));
    let mut visitor = play.signed_in("visitor").await;
    let all = visitor.get("/shift").await.words();
    assert_eq!(visitor.get("/shift?person=kimberley").await.words(), all, "the same for everybody's id");
    assert!(all.contains("J.A.") && !all.contains("iPhone"), "{all}");
    let it = play.signed_in("it").await.get("/devices").await.words();
    assert!(it.contains("A young person: device 1") && !it.contains("J.A."), "{it}");
    let sheet = play.signed_in("k.lane").await.get("/shift/sheet").await;
    for telling in TELLING {
        assert!(
            !sheet.text.to_lowercase().replace("jordan-fans.example", "").contains(telling),
            "{telling}: {}",
            sheet.text
        );
    }
}

#[tokio::test]
async fn whoever_looks_at_one_young_persons_records_stands_in_the_journal() {
    let play = play().await;
    let mut manager = play.signed_in("r.osei").await;
    for path in [
        "/people/jordan-ashby",
        "/people/jordan-ashby/charts",
        "/give/jordan-ashby",
        "/shift?person=jordan-ashby",
        "/edit/agreements/jordan-ashby.yaml",
        "/restrictions",
        "/shift",
        "/asks",
        "/audit",
    ] {
        let before = play.records.head().await.unwrap().entries;
        assert!(manager.get(path).await.status.is_success(), "{path}");
        let said = format!("{:?}", play.records.entries(before + 1).await.unwrap());
        assert!(said.contains("looked at") || path == "/edit/agreements/jordan-ashby.yaml", "{path}: {said}");
        let after = play.records.head().await.unwrap().entries;
        manager.get(path).await;
        assert_eq!(play.records.head().await.unwrap().entries, after, "{path}: once a session");
    }
    let mut other = play.signed_in("r.osei").await;
    let before = play.records.head().await.unwrap().entries;
    other.get("/edit/agreements/jordan-ashby.yaml").await;
    let said = format!("{:?}", play.records.entries(before + 1).await.unwrap());
    assert!(said.contains("looked at the agreement of jordan-ashby"), "{said}");
}

/// People whose names and ids are words of everyday English too, or have two letters.
const LIKE_WORDS: [(&str, &str); 6] = [
    ("jack", "Jack"),
    ("grace", "Grace"),
    ("rose", "Rose"),
    ("summer", "Summer"),
    ("jo", "Jo Smith"),
    ("ohara", "Bo O’Hara"),
];

#[tokio::test]
async fn a_name_that_is_a_word_is_hidden_where_it_is_a_name() {
    let texts: Vec<(String, String)> = (10..)
        .zip(LIKE_WORDS)
        .map(|(n, (id, name))| {
            let text = JORDAN.replace("Jordan", name).replace("11:22:33", &format!("11:22:{n}"));
            (id.to_owned(), text.replace("games.example", &format!("{id}.example")))
        })
        .collect();
    let people: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let play = Play::of(HOME, &people).await;
    for (id, name) in LIKE_WORDS {
        happens(&play, id, &format!("{id}.example")).await;
        let about =
            records::Line { file: format!("agreements/{id}.yaml"), line: 3, text: format!("person: {name}") };
        play.records.write_down(id, (play.clock.now(), Some(about)), by(), "a picture").await.unwrap();
        play.running.state.lock().unwrap().waiting.push(Waiting {
            file: format!("agreements/{id}.yaml"),
            meanwhile: format!("The baseline applies to {name}."),
            troubles: vec![Trouble {
                file: format!("agreements/{id}.yaml"),
                line: 3,
                sentence: format!("`{id}` has no device."),
                help: format!("{} may need one: see {id}.yaml.", name.split(' ').next().unwrap()),
            }],
        });
    }
    let telling = |text: &str| {
        let words: Vec<String> = text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase).collect();
        ["jack", "grace", "rose", "summer", "jo", "smith", "bo", "hara", "ohara"]
            .into_iter()
            .find(|name| words.iter().any(|word| word == name))
    };
    let mut pages = 0;
    for (account, path) in [
        ("visitor", "/"),
        ("visitor", "/shift"),
        ("visitor", "/shift/sheet"),
        ("it", "/"),
        ("it", "/devices"),
        ("it", "/lists"),
    ] {
        let page = play.signed_in(account).await.get(path).await;
        assert!(page.status.is_success(), "{account} {path}");
        assert_eq!(telling(&page.text), None, "{account} {path}: {}", page.text);
        pages += usize::from(page.text.contains("agreements/J..yaml") || path != "/");
    }
    assert_eq!(pages, 6, "the files stand on Now with initials");
    let days =
        [("from", "2026-11-01"), ("to", "2026-11-22"), ("recipient", "the visitor"), ("purpose", "reg 44")];
    let (_, bytes) = super::exporting::export(&play, &days).await;
    let Some(files) = super::exporting::unpacked(&bytes) else { return super::missing("python3") };
    for (name, text) in files.iter().filter(|(name, _)| name != "README.txt") {
        assert_eq!(telling(text), None, "{name}: {text}");
    }
    let by_hand = &files.iter().find(|(name, _)| name == "by-hand.json").unwrap().1;
    assert!(by_hand.contains("agreements/G..yaml"), "{by_hand}");
}
