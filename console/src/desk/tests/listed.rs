//! The desk with a real, small catalogue: categories, a sealed list, what consequences count; who has read an agreement.

use super::play::{HOME, JORDAN, Play, START};
use super::shifts::{happens, sees};
use agreements::{Evidence, Snapshot};
use axum::http::StatusCode;
use blocklists::format::{Format, ListInput};
use blocklists::{Catalogue, Category, Compiler, Tags};
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub(super) fn catalogue() -> Catalogue {
    let mut compiler = Compiler::with_seed(7);
    for (word, name, sealed) in [
        ("gambling", "casino.example", false),
        ("circumvention", "proxy.example", false),
        ("illegal", "sealed.example", true),
    ] {
        let tags = Tags::category(Category::from_word(word).unwrap());
        let input =
            ListInput { format: Some(Format::Plain), sealed, ..ListInput::new(word, tags, name.as_bytes()) };
        compiler.add(input).unwrap();
    }
    compiler.finish(1_790_000_000).unwrap()
}

/// A home with lists, and an agreement that says this besides.
async fn listed(more: &str) -> Play {
    let jordan = format!("{}{more}", JORDAN.replace("[games.example]", "[games.example, gambling]"));
    let play = Play::of(HOME, &[("jordan", &jordan)]).await;
    let files = [("home.yaml", HOME), ("agreements/jordan.yaml", &jordan)];
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let house = agreements::read(&files, START.parse::<DateTime<Utc>>().unwrap().date_naive()).house;
    play.in_force.replace(Arc::new(Snapshot { house, catalogue: Arc::new(catalogue()) }), Arc::default());
    play
}

#[tokio::test]
async fn a_site_of_a_list_is_told_by_its_category_and_a_sealed_one_by_nothing() {
    let play = listed("").await;
    let mut kate = play.signed_in("k.lane").await;
    let casino = kate.get("/lists?host=www.casino.example").await.words();
    assert!(casino.contains("The lists call it gambling") && casino.contains("Jordan : closed."), "{casino}");
    let other = kate.get("/lists?host=other.example").await.words();
    assert!(other.contains("No list here has it"), "{other}");
    let sealed = kate.get("/lists?host=sealed.example").await;
    assert!(sealed.words().contains("nobody here can open it or see why"), "{}", sealed.words());
    assert!(
        !sealed.text.contains("/lists/report\"") && !sealed.words().contains("illegal"),
        "{}",
        sealed.words()
    );
    happens(&play, "jordan", "casino.example").await;
    let shift = kate.get("/shift?at=2026-11-22T17:30:00Z").await.words();
    assert!(
        shift.contains("To talk about: Somebody earns by it.") && shift.contains("gambling and betting"),
        "{shift}"
    );
}

#[tokio::test]
async fn what_is_sealed_is_reported_and_never_searched_for() {
    let play = listed("").await;
    happens(&play, "jordan", "sealed.example").await;
    happens(&play, "jordan", "casino.example").await;
    let at = "at=2026-11-22T17:30:00Z";
    for (account, path, said) in [
        (
            "k.lane",
            format!("/shift?{at}"),
            "Do not search for it and do not look at it. Leave the device as it is",
        ),
        (
            "k.lane",
            format!("/shift/sheet?{at}&names=full"),
            "Do not search for it and do not look at it: the manager reports it.",
        ),
        (
            "r.osei",
            format!("/shift/sheet?{at}"),
            "Do not search for it and do not look at it: the manager reports it.",
        ),
        (
            "visitor",
            format!("/shift?{at}"),
            "tell the manager now; they report it to the police or the Internet Watch Foundation",
        ),
    ] {
        let page = play.signed_in(account).await.get(&path).await;
        assert_eq!(page.words().matches(said).count(), 1, "{account} {path}: {}", page.words());
        assert!(page.words().contains("a site of a sealed list"), "{account} {path}: {}", page.words());
    }
    // What it was stands on no page, for nobody.
    for path in [
        "/",
        "/shift",
        "/people/jordan",
        "/people/jordan/charts",
        "/month",
        "/audit",
        "/sample?from=2026-11-22&to=2026-11-22",
    ] {
        let page = play.signed_in("r.osei").await.get(path).await.text;
        assert!(!page.contains("sealed.example") && !page.contains("illegal"), "{path}: {page}");
    }
}

#[tokio::test]
async fn a_consequence_counts_what_it_says_and_not_what_they_told() {
    let play = listed(
        "consequences:\n  - {after: 1 circumvention in 7 days, suggest: a talk about ways around}\n  \
         - {after: 2 gambling in 7 days, suggest: a talk about betting}\n  - {after: 2 medium in 7 days, suggest: a talk}\n",
    )
    .await;
    let mut kate = play.signed_in("k.lane").await;
    happens(&play, "jordan", "casino.example").await;
    let page = kate.get("/restrictions").await.words();
    assert!(!page.contains("in 7 days"), "one is not two, and it is no way around: {page}");
    sees(&play, "jordan", "proxy.example", (Evidence::Connection, None)).await;
    let page = kate.get("/restrictions").await.words();
    assert!(page.contains("a talk about ways around 1 of “circumvention” in 7 days"), "{page}");
    assert!(!page.contains("betting"), "{page}");
    play.clock.advance(std::time::Duration::from_secs(1200));
    let mut kate = play.signed_in("k.lane").await;
    happens(&play, "jordan", "casino.example").await;
    let page = kate.get("/restrictions").await.words();
    assert!(page.contains("a talk about betting 2 of “gambling” in 7 days"), "{page}");
    // What staff mark as told by the young person is no breach, there and on the shift's page.
    let all = play.records.episodes(&records::Which::default()).await.unwrap();
    let last = all.iter().filter(|episode| episode.site == "casino.example").map(|e| e.entry).max().unwrap();
    kate.post(&format!("/episodes/{last}"), &[("mark", "told"), ("words", "came by themselves")]).await;
    let page = kate.get("/restrictions").await.words();
    assert!(!page.contains("a talk about betting"), "{page}");
    let shift = kate.get("/shift?at=2026-11-22T17:30:00Z").await.words();
    assert!(
        shift.contains("They told us themselves: no breach.") && shift.contains("1 told by themselves"),
        "{shift}"
    );
    assert!(kate.get("/month").await.words().contains("Told by themselves"));
    // By what it was about.
    let about = async |kate: &mut super::play::Browser, kind: &str| {
        kate.get(&format!("/shift?at=2026-11-22T17:30:00Z&kind={kind}")).await.words()
    };
    let around = about(&mut kate, "around").await;
    assert!(around.contains("proxy.example") && !around.contains("casino.example"), "{around}");
    for kind in ["times", "unknown"] {
        let none = about(&mut kate, kind).await;
        assert!(none.contains("None of the 3 episodes of this shift"), "{kind}: {none}");
    }
    // One person's alone.
    let only = kate.get("/shift?at=2026-11-22T17:30:00Z&person=jordan").await;
    assert!(
        only.words().contains("casino.example") && only.text.contains("name=\"person\" value=\"jordan\"")
    );
    let none = kate.get("/shift?at=2026-11-22T17:30:00Z&person=sam").await.words();
    assert!(none.contains("None of the 3 episodes of this shift"), "{none}");
}

#[tokio::test]
async fn staff_read_each_version_of_an_agreement() {
    let play = Play::new().await;
    let mut kate = play.signed_in("k.lane").await;
    let list = kate.get("/people").await.words();
    assert!(list.contains("Jordan young person In force 31 January 2027 0 of 3 not by you"), "{list}");
    let page = kate.get("/people/jordan").await;
    assert!(
        page.words()
            .contains("Nobody of staff has read it as it stands. Not yet by R. Osei, Kate Lane, Mo Ali.")
    );
    let version =
        page.text.split("name=\"version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let done = kate.post("/people/jordan/read", &[("version", version.as_str())]).await;
    assert_eq!(done.location(), "/people/jordan?done=read");
    let page = kate.get("/people/jordan").await;
    assert!(
        page.words().contains("Read as it stands by Kate Lane (17:30). Not yet by R. Osei, Mo Ali."),
        "{}",
        page.words()
    );
    assert!(!page.text.contains("/people/jordan/read"), "once");
    assert!(kate.get("/people").await.words().contains("1 of 3"));
    // The agreement changes: it is read anew, and an old version cannot be said to be read.
    play.running
        .files
        .lock()
        .unwrap()
        .insert("agreements/jordan.yaml".into(), format!("{JORDAN}# another line\n"));
    assert!(kate.get("/people").await.words().contains("0 of 3 not by you"));
    let old = kate.post("/people/jordan/read", &[("version", version.as_str())]).await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", old.words());
    let audit = play.signed_in("r.osei").await.get("/audit").await.words();
    assert!(audit.contains("Kate Lane (k.lane) read the agreement of jordan"), "{audit}");
}
