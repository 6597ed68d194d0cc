//! By which rule it is open or closed now: on **Now** for staff, with the line of the files that says so, and on the young person's
//! own page.

use super::{JORDANS, Young, staff};
use crate::desk::tests::play::{HOME, JORDAN, Play};
use agreements::lawful::RestrictionDraft;
use agreements::{GrantKind, LimitKey, What};
use chrono::{DateTime, Utc};
use records::NewGrant;

const SCHOOL: &str = "school:\n  hours: {mon-fri: 09:00-15:15}\n  terms: [2026-11-02..2026-12-18]\n";

/// What staff decided, until when.
enum Decided {
    Nothing,
    Restricted(&'static str),
    More(&'static str),
}
use Decided::{More, Nothing, Restricted};

/// What differs in the agreement, when it is, what staff decided; what stands on **Now** and which line says it, and what the
/// young person reads.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, Decided, [&'static str; 3]);

const EDUCATION: &[(&str, &str)] = &[("school_hours: as_agreed", "school_hours: education_only")];
const CASES: [Case; 12] = [
    (
        "open",
        &[],
        "2026-11-23T08:00:00Z",
        Nothing,
        ["Open until 21:00.", "otherwise: allow", "The internet is open for you until 21:00."],
    ),
    (
        "before_school",
        EDUCATION,
        "2026-11-23T08:00:00Z",
        Nothing,
        ["Open until 09:00.", "otherwise: allow", "The internet is open for you until 09:00."],
    ),
    (
        "school",
        EDUCATION,
        "2026-11-23T10:00:00Z",
        Nothing,
        [
            "It is school time: only sites for learning are open for Jordan until 15:15.",
            "school_hours: education_only",
            "It is learning time until 15:15.",
        ],
    ),
    (
        "school_offline",
        &[("school_hours: as_agreed", "school_hours: offline")],
        "2026-11-23T10:00:00Z",
        Nothing,
        [
            "It is school time: the internet is off for Jordan until 15:15.",
            "school_hours: offline",
            "The internet is off for you until 15:15.",
        ],
    ),
    (
        "school_with_staff",
        &[("school_hours: as_agreed", "school_hours: with_staff")],
        "2026-11-23T10:00:00Z",
        Nothing,
        [
            "It is school time until 15:15: Jordan can open sites for learning together with a member of staff, and nothing else.",
            "school_hours: with_staff",
            "It is learning time until 15:15. You can open sites for learning together with staff.",
        ],
    ),
    (
        "after_school",
        EDUCATION,
        "2026-11-23T15:15:00Z",
        Nothing,
        ["Open until 21:00.", "otherwise: allow", "The internet is open for you until 21:00."],
    ),
    (
        "bedtime",
        &[],
        "2026-11-23T21:30:00Z",
        Nothing,
        [
            "The internet is off for Jordan until 07:00 on Tuesday.",
            "bedtime: {every_day: 21:00}",
            "The internet is off for you until 07:00 tomorrow.",
        ],
    ),
    (
        "more_time_at_night",
        &[],
        "2026-11-23T21:30:00Z",
        More("2026-11-23T22:15:00Z"),
        ["Open until 22:15.", "", "The internet is open for you until 22:15."],
    ),
    (
        "more_time_over_bedtime",
        &[],
        "2026-11-23T20:30:00Z",
        More("2026-11-23T22:15:00Z"),
        ["Open until 22:15.", "otherwise: allow", "The internet is open for you until 22:15."],
    ),
    (
        "restricted",
        &[],
        "2026-11-23T18:00:00Z",
        Restricted("2026-11-23T20:00:00Z"),
        ["The manager has closed everything until 20:00.", "", "The internet is paused for you until 20:00."],
    ),
    (
        "agreed_alone",
        &[("otherwise: allow", "otherwise: block")],
        "2026-11-23T18:00:00Z",
        Nothing,
        ["Open for what was agreed until 21:00.", "otherwise: block", "What you agreed is open until 21:00."],
    ),
    (
        "a_draft",
        &[("  home_manager: {name: R. Osei, on: 2026-11-02}\n", "")],
        "2026-11-23T18:00:00Z",
        Nothing,
        [
            "Jordan&#39;s agreement is not finished yet, and until it is only some sites are open.",
            "",
            "Your agreement is not finished yet.",
        ],
    ),
];

async fn decides(play: &Play, decided: &Decided) {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let now = play.clock_now();
    match decided {
        Nothing => {}
        More(until) => {
            let kind = GrantKind::ExtraTime(LimitKey::Everything);
            let (until, reason) = (at(until), "film night".to_owned());
            let new = NewGrant { person: "jordan".into(), kind, until, by: staff(), reason };
            play.records.grant(new).await.unwrap();
        }
        Restricted(until) => {
            let draft = RestrictionDraft {
                people: vec!["jordan".into()],
                what: Some(What::Everything),
                reason: "a stranger asked to meet".into(),
                tried: "talked".into(),
                from: now,
                until: Some(at(until)),
                review_on: Some(now.date_naive()),
                emergency: true,
                told_on: Some(now.date_naive()),
                view: "fair enough".into(),
                ..RestrictionDraft::default()
            };
            let current = play.in_force.to_keep();
            let protected = &current.snapshot.house.home().protected;
            play.records.restrict(draft, protected, staff()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn by_which_rule_and_until_when() {
    for (name, differs, at, decided, [line, source, own]) in CASES {
        let mut jordan = JORDAN.to_owned();
        for (was, is) in differs {
            assert!(jordan.contains(was), "{name}: {was}");
            jordan = jordan.replace(was, is);
        }
        let play = Play::of(&format!("{HOME}{SCHOOL}"), &[("jordan", &jordan)]).await;
        let at: DateTime<Utc> = at.parse().unwrap();
        play.clock.advance((at - play.clock_now()).to_std().unwrap());
        decides(&play, &decided).await;
        play.settle().await;
        let now = play.signed_in("k.lane").await.get("/").await;
        let state = now.text.split("<p class=\"state\">").nth(1).unwrap().split("</p>").next().unwrap();
        assert_eq!(state, line, "{name}");
        let said = now.text.split("Which line says so</summary><code>").nth(1);
        let said = said.map(|rest| rest.split("</code>").next().unwrap()).unwrap_or_default();
        assert!(if source.is_empty() { said.is_empty() } else { said.starts_with(source) }, "{name}: {said}");
        let young = Young::over(play);
        let (_, page) = young.get(JORDANS, "/?lang=en").await;
        assert!(page.contains(own), "{name}: {page}");
    }
}
