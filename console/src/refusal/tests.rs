//! What each form of a refusal says of asking and of until when.

use super::*;
use blocklists::{Catalogue, Compiler, Name, Tags};
use records::InForce;
use std::sync::Arc;

const AGREED: &str = "agreed:\n  risk_assessment: {ref: R, on: 2026-10-01}\n  review_by: 2027-06-01\n  young_person: {on: 2026-10-01, view: ok}\n  social_worker: {name: A, authority: B, on: 2026-10-01}\n  home_manager: {name: C, on: 2026-10-01}\n";

/// Jordan's agreement, Sam's that nobody has signed, and a file that is none.
fn files() -> Vec<(String, String)> {
    let home = "home: Oakview\nbaseline: {online: {every_day: 07:00-21:00}, allow: [learn.example], otherwise: block}\nunknown_devices: baseline\n";
    let words = "ask: [chat.example]\nwith_staff: [social.example]\nblock: [bets.example]\notherwise: allow\nschool_hours: as_agreed\n";
    let jordan = format!("person: Jordan\n{AGREED}online: {{every_day: 07:00-21:00}}\n{words}");
    [
        ("home.yaml", home.to_owned()),
        ("agreements/jordan.yaml", jordan),
        ("agreements/sam.yaml", "person: Sam\nonline: 07:00-21:00\notherwise: allow\n".to_owned()),
        ("agreements/alex.yaml", "person: Alex\nonlin: 07:00-21:00\n".to_owned()),
    ]
    .map(|(path, text)| (path.to_owned(), text))
    .to_vec()
}

fn catalogue() -> Catalogue {
    let mut compiler = Compiler::new();
    let sealed = Tags::category(Category::ILLEGAL);
    compiler.add(blocklists::format::ListInput::new("sealed", sealed, b"sealed.example")).expect("a list");
    let around = Tags::category(Category::CIRCUMVENTION);
    let names = b"www.nordvpn.com\ndns.nextdns.io\nlisted.example\n";
    compiler.add(blocklists::format::ListInput::new("around", around, names)).expect("a list");
    compiler.finish(0).expect("a catalogue")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn in_force() -> Arc<Current> {
    let house = agreements::read(&files(), at("2026-11-22T12:00:00Z").date_naive()).house;
    let snapshot = Arc::new(agreements::Snapshot { house, catalogue: Arc::new(catalogue()) });
    InForce::new(snapshot, Arc::new(Standing::default())).to_keep()
}

/// A refusal in its three forms.
fn forms(current: &Current, who: &str, host: &str, when: DateTime<Utc>) -> [String; 3] {
    forms_for(None, current, (who, host), when)
}

/// The same for a reader of these languages.
fn forms_for(
    languages: Option<&'static str>,
    current: &Current,
    (who, host): (&str, &str),
    when: DateTime<Utc>,
) -> [String; 3] {
    let house = &current.snapshot.house;
    let who = house.person(who).unwrap_or(House::NOBODY);
    let name = Name::new(host).expect("a host");
    let request = agreements::Request {
        host: agreements::Host::Name(name),
        tags: current.snapshot.catalogue.lookup(name),
        path: None,
    };
    let explanation = house.explain(who, when, &request, &current.standing);
    let refusals = Refusals::new(AskKey::fresh().expect("a key"), "http://hearthgate.home.arpa:8080");
    let languages = languages.map(HeaderValue::from_static);
    [Form::Html, Form::Json, Form::Text]
        .map(|form| refusals.render(current, who, &explanation, (form, languages.as_ref()), when))
}

const NOON: &str = "2026-11-21T12:00:00Z";
const NIGHT: &str = "2026-11-21T23:00:00Z";

/// Who, host, when; whether staff can be asked; until when, in words.
#[test]
fn every_form_offers_to_ask_alike_and_says_until_when() {
    let current = in_force();
    for (who, host, when, may_ask, until) in [
        ("jordan", "bets.example", NOON, true, "This is the same at any time"),
        ("jordan", "chat.example", NOON, true, "Until staff say yes, or the agreement changes."),
        ("jordan", "social.example", NOON, true, "Until a member of staff opens it together with you."),
        ("jordan", "news.example", NIGHT, true, "Until 07:00 on Sunday."),
        ("jordan", "news.example", NOON, false, "Load the page again in a few seconds."),
        ("jordan", "sealed.example", NOON, false, ""),
        ("sam", "news.example", NOON, true, "Until the agreement is finished."),
        ("sam", "news.example", NIGHT, true, "Until 07:00 on Sunday."),
        ("alex", "news.example", NOON, true, "Until staff have put that right."),
        ("nobody", "news.example", NOON, false, "Until staff make this device known here."),
        ("nobody", "news.example", NIGHT, false, "Until 07:00 on Sunday."),
    ] {
        let [html, json, text] = forms(&current, who, host, at(when));
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let offers = [html.contains("/hearthgate/ask"), !json["ask"].is_null(), text.contains("Ask staff")];
        assert_eq!(offers, [may_ask; 3], "{who} {host} {when}\n{html}\n{json}\n{text}");
        assert!(html.contains(until) && text.contains(until), "{who} {host} {when}: {until}\n{text}");
        let same = html.contains("same at any time");
        assert_eq!(same, until.starts_with("This is the same"), "{who} {host} {when}\n{html}");
    }
}

#[test]
fn a_way_around_is_told_in_its_own_words_in_both_languages() {
    let current = in_force();
    for (host, detector) in [
        ("www.nordvpn.com", Some(agreements::Detector::VpnApp)),
        ("dns.nextdns.io", Some(agreements::Detector::Doh)),
        ("listed.example", None),
        ("bets.example", None),
    ] {
        let [html, ..] = forms(&current, "jordan", host, at(NOON));
        for row in agreements::DETECTORS {
            let told = [row.to_you, row.to_you_in_welsh].map(|words| html.contains(words));
            assert_eq!(told, [Some(row.detector) == detector; 2], "{host}: {}\n{html}", row.key);
        }
    }
    let [night, ..] = forms(&current, "jordan", "www.nordvpn.com", at(NIGHT));
    assert!(night.contains(agreements::Detector::VpnApp.row().to_you), "the floor speaks before the times");
}

#[test]
fn what_is_wrong_with_a_file_is_no_unfinished_agreement() {
    let current = in_force();
    let [_, _, alex] = forms(&current, "alex", "news.example", at(NOON));
    assert!(alex.contains("cannot be read just now") && !alex.contains("not finished"), "{alex}");
    let [_, _, sam] = forms(&current, "sam", "news.example", at(NOON));
    assert!(sam.contains("not finished yet"), "{sam}");
}

#[test]
fn a_refusal_names_nobody() {
    let current = in_force();
    for (who, host) in [
        ("jordan", "bets.example"),
        ("jordan", "chat.example"),
        ("sam", "news.example"),
        ("alex", "news.example"),
    ] {
        for shown in forms(&current, who, host, at(NOON)) {
            let told = shown.to_lowercase();
            for name in ["jordan", "sam'", "alex'", "\"sam\"", "\"alex\"", "oakview"] {
                assert!(!told.contains(name), "{name} is named to {who} at {host}: {shown}");
            }
            assert!(
                !told.contains("token") && told.contains("your agreement") || host == "news.example",
                "{shown}"
            );
        }
    }
}

/// The part of a page that speaks one language.
fn voice<'p>(html: &'p str, lang: &str) -> &'p str {
    let from = html.find(&format!("lang=\"{lang}\" dir=\"ltr\">\n<h1>")).expect("a part in that language");
    html[from..].split("\n</div>").next().unwrap()
}

#[test]
fn a_page_speaks_the_readers_language_first_and_has_the_other_beside_it() {
    let current = in_force();
    for (languages, first, second) in [
        (None, "en-GB", "cy"),
        (Some("cy,en;q=0.7"), "cy", "en-GB"),
        (Some("pl, cy-GB;q=0.6, en;q=0.5"), "cy", "en-GB"),
        (Some("ar"), "en-GB", "cy"),
    ] {
        let [html, json, text] = forms_for(languages, &current, ("jordan", "chat.example"), at(NOON));
        assert!(html.starts_with(&format!("<!doctype html>\n<html lang=\"{first}\" dir=\"ltr\">")), "{html}");
        let (one, other) =
            (html.find(&format!("lang=\"{first}\" dir")), html.rfind(&format!("lang=\"{second}\" dir")));
        assert!(one < other && other.is_some(), "{languages:?}");
        assert_eq!(html.matches(" checked>").count(), 1, "one of them is shown");
        let id = if first == "cy" { "cy" } else { "en" };
        assert!(html.contains(&format!(
            "id=\"{id}\" aria-label=\"{}\" checked>",
            if id == "cy" { "Cymraeg" } else { "English" }
        )));
        // What a program reads is as it was.
        assert!(json.contains("Talk to whoever is on shift") && text.contains("Ask first"));
    }
}

#[test]
fn in_welsh_nothing_is_english_but_what_was_agreed() {
    let current = in_force();
    for (who, host, when, heading, until) in [
        ("jordan", "bets.example", NOON, "Ddim ar agor yma", "Mae hyn yr un fath bob amser"),
        ("jordan", "chat.example", NOON, "Gofyn yn gyntaf", "Nes bod staff yn dweud iawn"),
        ("jordan", "social.example", NOON, "Gyda staff", "Nes bod aelod o staff"),
        ("jordan", "news.example", NIGHT, "Ddim ar hyn o bryd", "Tan 07:00 yfory."),
        ("jordan", "news.example", NOON, "Mae hwn ar agor nawr", "Llwytha’r dudalen"),
        ("jordan", "sealed.example", NOON, "Ddim ar agor yma", "Ni chaiff neb"),
        ("sam", "news.example", NOON, "Ddim ar agor yma", "Nes bod y cytundeb wedi’i orffen."),
        ("alex", "news.example", NOON, "Ddim ar agor yma", "Nes bod staff wedi cywiro hynny."),
        ("nobody", "news.example", NOON, "Ddim ar agor yma", "Nes bod staff yn gwneud"),
    ] {
        let [html, ..] = forms_for(Some("cy"), &current, (who, host), at(when));
        let welsh = voice(&html, "cy");
        assert!(
            welsh.contains(&format!("<h1>{heading}</h1>")) && welsh.contains(until),
            "{who} {host}: {welsh}"
        );
        for english in ["Until", "Your agreement", "Tell staff", "Ask staff", "People you can"] {
            assert!(!welsh.contains(english), "{who} {host}: {english} in {welsh}");
        }
        // Whoever goes on from the words that the browser did not ask for goes on in them.
        let english = voice(&html, "en-GB");
        assert!(
            welsh.contains("/hearthgate/saw\"") && english.contains("/hearthgate/saw?lang=en\""),
            "{html}"
        );
        assert!(!english.contains("/hearthgate/ask") || english.contains("&#38;lang=en\""), "{english}");
        assert!(!html.contains("Jordan") && !html.contains("Oakview") && !html.contains("<form"), "{html}");
    }
}

#[test]
fn easy_read_says_the_same_in_fewer_words() {
    let [html, ..] = forms(&in_force(), "jordan", "bets.example", at(NOON));
    let english = voice(&html, "en-GB");
    assert!(english.contains("<p class=\"why short\">Your agreement says no to this.</p>"), "{english}");
    assert!(english.contains("<p class=\"why whole\">"), "{english}");
    for switch in ["<label for=\"cy\" lang=\"cy\">Cymraeg", "<label for=\"easy\">", "<label for=\"strong\">"]
    {
        assert!(english.contains(switch), "{switch}: {english}");
    }
}

#[test]
fn everybody_with_a_place_on_every_refusal_stands_there_and_the_way_to_the_others() {
    let mut files = files();
    files[0].1 += "protected: {support: [one.example, two.example, three.example, four.example]}\n";
    let house = agreements::read(&files, at(NOON).date_naive()).house;
    let snapshot = Arc::new(agreements::Snapshot { house, catalogue: Arc::new(catalogue()) });
    let current = InForce::new(snapshot, Arc::new(Standing::default())).to_keep();
    let [html, json, text] = forms(&current, "jordan", "bets.example", at(NOON));
    for contact in builtin::support_in(builtin::Nation::England) {
        for form in [voice(&html, "en-GB"), voice(&html, "cy"), &json, &text] {
            assert!(
                form.contains(contact.host) && form.contains(contact.reach()),
                "{}: {form}",
                contact.host
            );
        }
    }
    for (own, stands) in
        [("one.example", true), ("two.example", true), ("three.example", true), ("four.example", false)]
    {
        assert_eq!([&html, &json, &text].map(|form| form.contains(own)), [stands; 3], "{own}");
    }
    for (lang, way) in [("en-GB", ":8080/talk\">More people"), ("cy", ":8080/talk?lang=cy\">Mwy o bobl")] {
        assert!(voice(&html, lang).contains(way), "{lang}: {html}");
    }
}

/// A language that is written from the right needs its words alone: nothing of the looks says left or right.
#[test]
fn the_looks_say_neither_left_nor_right() {
    for (name, style) in [
        ("page.css", include_str!("../../templates/page.css")),
        ("refusal.css", include_str!("../../templates/refusal.css")),
        ("young.css", include_str!("../../templates/young/young.css")),
    ] {
        for side in ["left", "right"] {
            assert!(!style.contains(side), "{name} says {side}");
        }
    }
}

/// Every category that an agreement can close and that is a risk tells where to learn more about it, in both languages (seed 003
/// §4.12). That each such place is always open is tested with the categories.
#[test]
fn each_kind_of_site_says_where_to_learn_more() {
    let current = in_force();
    let house = &current.snapshot.house;
    let who = house.person("jordan").expect("Jordan");
    let refusals = Refusals::new(AskKey::fresh().expect("a key"), "http://hearthgate.home.arpa:8080");
    let refused = Name::new("bets.example").expect("a host");
    let mut linked = 0;
    for category in Category::all() {
        let request = agreements::Request {
            host: agreements::Host::Name(refused),
            tags: Tags::category(category),
            path: None,
        };
        let said = house.explain(who, at(NOON), &request, &current.standing);
        if said.verdict == Outcome::Allow {
            continue;
        }
        let page = refusals.render(&current, who, &said, (Form::Html, None), at(NOON));
        let links: Vec<&str> = page
            .split("<p class=\"small whole\"><a href=\"https://")
            .skip(1)
            .filter_map(|rest| rest.split('/').next())
            .collect();
        if said.rule == Rule::Sealed {
            assert!(links.is_empty(), "{}: nothing is told of what is sealed: {links:?}", category.word());
            continue;
        }
        let Some(help) = builtin::category_help(category) else {
            assert!(links.is_empty(), "{} is no risk to learn about: {links:?}", category.word());
            continue;
        };
        assert_eq!(links, [help; 2], "{}, in each language", category.word());
        linked += 1;
    }
    assert!(linked >= 30, "{linked} kinds of sites were refused");
}

/// Jordan's agreement with a limit that is used up, in a home with school.
fn used_up(online: &str, school_hours: &str, restrictions: &[agreements::LiveRestriction]) -> Arc<Current> {
    let home = "home: Oakview\nschool:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-11-02..2026-12-18]\n";
    let jordan = format!(
        "person: Jordan\n{AGREED}online: {online}\nlimits: {{everything: 2h}}\notherwise: allow\nschool_hours: {school_hours}\n"
    );
    let files = [("home.yaml", home.to_owned()), ("agreements/jordan.yaml", jordan)]
        .map(|(path, text)| (path.to_owned(), text));
    let house = agreements::read(&files, at(NOON).date_naive()).house;
    let standing = Standing::new(&house, &[], restrictions, &|_, _| 120);
    let snapshot = Arc::new(agreements::Snapshot { house, catalogue: Arc::new(catalogue()) });
    InForce::new(snapshot, Arc::new(standing)).to_keep()
}

#[test]
fn used_up_minutes_come_again_when_the_internet_is_open() {
    // Saturday noon, and Sunday noon: the day after has school.
    for (name, online, school, when, english, welsh) in [
        (
            "bedtime",
            "{every_day: 07:00-21:00}",
            "as_agreed",
            NOON,
            "Until 07:00 on Sunday.",
            "Tan 07:00 yfory.",
        ),
        ("all_day", "all_day", "as_agreed", NOON, "Until 04:00 on Sunday.", "Tan 04:00 yfory."),
        (
            "school",
            "{every_day: 09:00-21:00}",
            "offline",
            "2026-11-22T12:00:00Z",
            "Until 15:15 on Monday.",
            "Tan 15:15 yfory.",
        ),
        ("no_day_soon", "{sat: 07:00-21:00}", "as_agreed", NOON, "", ""),
    ] {
        let current = used_up(online, school, &[]);
        let [html, _, text] = forms(&current, "jordan", "news.example", at(when));
        assert!(html.contains("Time is used up for today"), "{name}: {html}");
        for said in [english, welsh] {
            assert!(html.contains(said), "{name}: {said}: {html}");
        }
        assert!(text.contains(english), "{name}: {text}");
        assert!(name == "all_day" || !html.contains("Until 04:00"), "{name}: {html}");
    }
}

#[test]
fn who_is_restricted_reads_that_they_may_say_what_they_think_and_complain() {
    let restriction = agreements::LiveRestriction {
        entry: 1,
        person: "jordan".to_owned(),
        what: agreements::What::Everything,
        from: at("2026-11-21T10:00:00Z"),
        until: at("2026-11-21T20:00:00Z"),
    };
    let current = used_up("all_day", "as_agreed", &[restriction]);
    let said = [
        "You may say what you think of it",
        "you can complain to the people in the list",
        "Gelli di gwyno wrth",
    ];
    let [html, _, text] = forms(&current, "jordan", "news.example", at(NOON));
    assert!(said.iter().all(|said| html.contains(said)) && text.contains(said[1]), "{html}\n{text}");
    let [other, _, text] = forms(&in_force(), "jordan", "bets.example", at(NOON));
    assert!(said.iter().all(|said| !other.contains(said) && !text.contains(said)), "{other}");
}
