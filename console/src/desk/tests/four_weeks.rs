//! Four weeks of real records, as their pictures and their table show them.

use super::full::refused;
use super::play::Play;
use super::shifts::happens;
use agreements::Counts;
use records::Recorder;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAYS: usize = 28;

/// Jordan's device is in use for so many minutes.
pub(crate) async fn in_use(play: &Play, minutes: usize) {
    in_use_by(play, "jordan", minutes).await;
}

/// Somebody's is.
pub(super) async fn in_use_by(play: &Play, person: &str, minutes: usize) {
    for _ in 0..minutes {
        let (recorder, task) = Recorder::start(play.records.clone(), play.in_force.clone());
        let current = play.in_force.to_keep();
        let who = current.snapshot.house.person(person).unwrap();
        current.sheet.mark(who, Counts(1));
        recorder.stop();
        task.await.unwrap();
        play.clock.advance(MINUTE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_weeks_are_pictures_with_axes_and_a_table_that_says_the_same() {
    let play = Play::new().await;
    happens(&play, "jordan", "games.example").await;
    play.clock.advance(HOUR * 2);
    for day in 0..DAYS {
        // Half past seven in the evening; on three of the last nights ten past eleven, too.
        in_use(&play, 2).await;
        let late = usize::from((DAYS - 4..DAYS - 1).contains(&day));
        let till_late = HOUR * 3 + MINUTE * 40 - MINUTE * 2;
        play.clock.advance(till_late);
        in_use(&play, late).await;
        if day < DAYS - 1 {
            play.clock.advance(HOUR * 24 - till_late - MINUTE * (2 + u32::try_from(late).unwrap()));
        }
    }
    let page = play.signed_in("k.lane").await.get("/people/jordan/charts").await;
    let words = page.words();
    assert!(words.contains("On 3 of the last 7 nights something was in use after bedtime."), "{words}");
    for said in [
        "Sat 19 December 2 minutes 4 h 21:00 19:31",
        "Fri 18 December 3 minutes 4 h 21:00 23:10",
        "Sun 22 November 2 minutes 4 h 21:00 19:31",
        "1 1",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let pictures: Vec<&str> =
        page.text.split("<svg").skip(1).map(|rest| rest.split("</svg>").next().unwrap()).collect();
    let [minutes, beds, kinds] = pictures[..] else { panic!("three pictures: {}", pictures.len()) };
    assert_eq!(minutes.matches("<rect").count(), DAYS);
    assert_eq!((beds.matches("<circle").count(), beds.matches("circle class=\"high\"").count()), (DAYS, 3));
    assert!(minutes.contains(">2 h</text>") && beds.contains(">22:00</text>") && kinds.contains(">1</text>"));
    assert!(!page.text.contains("games.example") && !page.text.contains("Sam"), "no site, and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_in_what_is_refused_is_one_reason_to_ask_and_names_no_site() {
    let play = Play::new().await;
    let week = HOUR * 24 * 7;
    for _ in 0..3 {
        happens(&play, "jordan", "games.example").await;
        play.clock.advance(week);
    }
    let hints = async || {
        let page = play.signed_in("k.lane").await.get("/people/jordan/charts").await.words();
        assert!(!page.contains(".example") && !page.contains("Sam"), "no site, and nobody else: {page}");
        page.matches("A reason to ask how they are; no breach.").count()
    };
    let people = async || play.signed_in("k.lane").await.get("/people").await;
    happens(&play, "jordan", "games.example").await;
    assert_eq!(hints().await, 0, "as ever");
    assert!(!people().await.text.contains("something changed"), "as ever");
    // At night, to one closed door after the other.
    play.clock.advance(HOUR * 5);
    let asked: Vec<_> = (0..6).map(|n| ("jordan".to_owned(), format!("site{n}.example"))).collect();
    refused(&play, &asked).await;
    let page = play.signed_in("k.lane").await.get("/people/jordan/charts").await.words();
    for said in [
        "7 times something was refused in the last week; about 1 a week in the three weeks before.",
        "New in the last week among what was refused: outside the agreed times.",
        "outside the agreed times 6 6 what the agreement closes 4 1",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert_eq!(hints().await, 2);
    // People says of whom there is something to look at, and not what.
    let page = people().await;
    let link = "<a href=\"/people/jordan/charts\">something changed, look at their four weeks</a>";
    assert_eq!(page.text.matches("something changed").count(), 1, "{}", page.text);
    assert!(page.text.contains(link), "{}", page.text);
    for content in ["refused", "outside the agreed times", "in use after", "a reason to ask"] {
        assert!(!page.words().contains(content), "{content}: {}", page.words());
    }
}
