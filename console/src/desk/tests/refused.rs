//! What was typed into a form that is refused is given back: nobody writes it twice. The forms are taken from the matrix of routes.

use super::access::MATRIX;
use super::play::{JORDAN, Play};
use crate::desk::print_of;
use axum::http::StatusCode;
use std::collections::BTreeSet;

/// What is typed in each, and is told again.
const TYPED: &str = "<words> that nobody\nwants to write twice";

/// A form's route, where it goes, and how it is sent so that it is refused.
type Sent = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// `WORDS` is what is told again; with `LONG` behind it, it is more than is taken.
const FORMS: &[Sent] = &[
    ("/shift/sign", "/shift/sign", &[("at", ""), ("side", "outgoing"), ("words", "WORDS")]),
    ("/episodes/{entry}", "/episodes/999", &[("mark", "note"), ("words", "WORDS")]),
    ("/concerns/{entry}", "/concerns/999", &[("with", "somebody"), ("words", "WORDS")]),
    ("/concerns/{entry}", "/concerns/999", &[("with", "WORDS"), ("words", "x")]),
    ("/reports/{entry}", "/reports/999", &[("words", "WORDS")]),
    ("/asks/{entry}/yes", "/asks/999/yes", &[("for", "30m"), ("why", "WORDS")]),
    ("/asks/{entry}/no", "/asks/999/no", &[("kind", "0"), ("why", "WORDS")]),
    (
        "/give/{person}",
        "/give/jordan",
        &[("what", "sites"), ("words", "no site at all"), ("for", "30m"), ("why", "WORDS")],
    ),
    (
        "/give/{person}",
        "/give/jordan",
        &[("what", "sites"), ("words", "WORDS"), ("for", "30m"), ("why", "x")],
    ),
    ("/give/{person}", "/give/jordan", &[("what", "supervised"), ("for", "30m"), ("why", "WORDS")]),
    ("/give/{person}", "/give/nobody-here", &[("what", "time"), ("for", "30m"), ("why", "WORDS")]),
    ("/grants/{entry}/end", "/grants/999/end", &[("why", "WORDS")]),
    ("/restrictions/place", "/restrictions/place", &[("person", "jordan"), ("reason", "WORDS")]),
    ("/restrictions/{entry}/end", "/restrictions/999/end", &[("words", "WORDS")]),
    ("/restrictions/{entry}/told", "/restrictions/999/told", &[("words", "WORDS")]),
    ("/restrictions/{entry}/reviewed", "/restrictions/999/reviewed", &[("words", "x"), ("view", "WORDS")]),
    ("/people/{person}/show", "/people/jordan/show", &[("words", "WORDSLONG")]),
    ("/people/{person}/incident", "/people/jordan/incident", &[("words", "WORDS"), ("at", "yesterday")]),
    ("/shows/{entry}", "/shows/999", &[("outcome", "shown"), ("words", "WORDS")]),
    ("/edit/{*file}", "/edit/agreements/jordan.yaml", &[("step", "look"), ("text", "WORDS")]),
    ("/edit/{*file}", "/edit/agreements/jordan.yaml", &[("step", "keep"), ("text", "x"), ("why", "WORDS")]),
    (
        "/devices/book",
        "/devices/book",
        &[("person", "jordan"), ("device", "x"), ("what", "in"), ("words", "WORDS")],
    ),
    ("/lists/report", "/lists/report", &[("host", "no site"), ("why", "WORDS")]),
    ("/lists/report", "/lists/report", &[("host", "WORDS"), ("why", "x")]),
    ("/lists/reports/{entry}", "/lists/reports/999", &[("words", "WORDS")]),
    ("/sample", "/sample", &[("purpose", "fit"), ("count", "5"), ("seed", "WORDS")]),
    ("/evidence", "/evidence", &[("recipient", "WORDS"), ("purpose", "x"), ("from", "x"), ("to", "x")]),
    ("/evidence", "/evidence", &[("recipient", ""), ("purpose", "WORDS"), ("from", "x"), ("to", "x")]),
];

/// Forms in which nobody types words, or types what is nobody's to read.
const WITHOUT_WORDS: [&str; 12] = [
    "/sign-in",
    "/first/{token}",
    "/here",
    "/me",
    "/sign-out",
    "/reports/{entry}/open",
    "/people/{person}/read",
    "/people/{person}/pin",
    "/devices/let-in",
    "/devices/let-out",
    "/accounts/link",
    "/accounts/end",
];

#[tokio::test]
async fn a_form_that_is_refused_gives_back_what_was_typed() {
    let play = Play::new().await;
    let mut manager = play.signed_in("r.osei").await;
    let told = "&#60;words&#62; that nobody\nwants to write twice";
    for (_, path, form) in FORMS {
        let long = format!("{TYPED} {}", "x".repeat(records::MOST_WORDS));
        let said = |(name, value): &(&'static str, &'static str)| match *value {
            "WORDS" => (*name, TYPED.to_owned()),
            "WORDSLONG" => (*name, long.clone()),
            value => (*name, value.to_owned()),
        };
        let form: Vec<(&str, String)> = form.iter().map(said).collect();
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = manager.post(path, &form).await;
        assert!(page.status.is_client_error(), "{path} {form:?}: {}", page.status);
        assert!(page.text.contains(told), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn a_change_that_the_journal_does_not_take_is_given_back() {
    let play = Play::new().await;
    let (text, was) = (format!("{JORDAN}# <words> of nobody else\n"), print_of(JORDAN));
    let why = "why ".repeat(records::MOST_WORDS);
    let form = [("step", "keep"), ("text", text.as_str()), ("was", &was), ("why", &why)];
    let page = play.signed_in("r.osei").await.post("/edit/agreements/jordan.yaml", &form).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{}", page.words());
    assert!(
        page.text.contains("\n# &#60;words&#62; of nobody else") && page.text.contains("why why"),
        "{}",
        page.text
    );
    assert_eq!(play.running.files.lock().unwrap()["agreements/jordan.yaml"], JORDAN, "nothing was saved");
}

#[test]
fn every_form_is_among_them() {
    let forms = MATRIX.iter().filter(|(method, _, _)| *method == "POST").map(|(_, path, _)| *path);
    let known = FORMS.iter().map(|(route, _, _)| *route).chain(WITHOUT_WORDS);
    assert_eq!(forms.collect::<BTreeSet<_>>(), known.collect::<BTreeSet<_>>());
}
