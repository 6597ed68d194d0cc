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
    [Form::Html, Form::Json, Form::Text].map(|form| refusals.render(current, who, &explanation, form, when))
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
