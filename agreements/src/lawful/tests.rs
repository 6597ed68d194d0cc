//! The guard's tables.

use super::*;

fn words(word: &str) -> What {
    What::Words(vec![Word::parse(word).expect("a word")])
}

fn lawful() -> RestrictionDraft {
    let from = DateTime::from_timestamp(1_795_000_000, 0).expect("a time");
    RestrictionDraft {
        people: vec!["jordan".to_owned()],
        kind: PersonKind::YoungPerson,
        what: Some(words("chat")),
        reason: "Threats from a stranger in a chat room.".to_owned(),
        tried: "Talking it through; blocking the one account.".to_owned(),
        from,
        until: Some(from + Duration::days(7)),
        review_on: Some((from + Duration::days(3)).date_naive()),
        consent: Some(("A. Mensah".to_owned(), from.date_naive())),
        emergency: false,
        told_on: Some(from.date_naive()),
        view: "Fine, if it is only a week.".to_owned(),
    }
}

/// A case: what it shows, how the draft differs from a lawful one, and the codes it gets.
type Case = (&'static str, fn(&mut RestrictionDraft), &'static [&'static str]);

#[test]
fn a_restriction_needs_all_that_regulation_22_asks() {
    let cases: &[Case] = &[
        ("complete", |_| {}, &[]),
        ("of two people", |d| d.people.push("sam".to_owned()), &["group"]),
        ("of nobody", |d| d.people.clear(), &["nobody"]),
        ("of staff", |d| d.kind = PersonKind::Staff, &["no-young-person"]),
        ("of a visitor", |d| d.kind = PersonKind::Visitor, &["no-young-person"]),
        ("of a shared device", |d| d.kind = PersonKind::Device, &["no-young-person"]),
        ("of nothing", |d| d.what = None, &["nothing"]),
        ("of an empty list", |d| d.what = Some(What::Words(vec![])), &["nothing"]),
        ("of everything", |d| d.what = Some(What::Everything), &[]),
        ("of private mail", |d| d.what = Some(words("private_mail")), &["protected"]),
        ("of support", |d| d.what = Some(words("support")), &["protected"]),
        ("of aids", |d| d.what = Some(words("assistive")), &["protected"]),
        ("of a home's helpline", |d| d.what = Some(words("www.help.example")), &["protected"]),
        ("without a reason", |d| d.reason = "  ".to_owned(), &["no-reason"]),
        ("for swearing", |d| d.reason = "No gaming for swearing at staff.".to_owned(), &["punishment"]),
        ("for breaking the rules", |d| d.reason = "He broke the rules.".to_owned(), &["punishment"]),
        ("as a punishment", |d| d.reason = "As a punishment for the fight".to_owned(), &["punishment"]),
        (
            "that is said not to punish",
            |d| d.reason = "Threats in a chat room; not meant as a punishment.".to_owned(),
            &[],
        ),
        ("with nothing tried", |d| d.tried.clear(), &["nothing-tried"]),
        ("without an end", |d| d.until = None, &["no-end"]),
        ("that ends before it begins", |d| d.until = Some(d.from), &["ends-before-it-begins", "late-review"]),
        ("without a review", |d| d.review_on = None, &["no-review"]),
        (
            "with a late review",
            |d| d.review_on = Some(d.from.date_naive() + Duration::days(8)),
            &["late-review"],
        ),
        (
            "with a review before it begins",
            |d| d.review_on = Some(d.from.date_naive() - Duration::days(1)),
            &["early-review"],
        ),
        (
            "for longer than a quarter of a year",
            |d| {
                d.until = Some(d.from + Duration::days(93));
                d.review_on = Some(d.from.date_naive() + Duration::days(31));
            },
            &["too-long"],
        ),
        (
            "with a first review after more than a month",
            |d| {
                d.until = Some(d.from + Duration::days(92));
                d.review_on = Some(d.from.date_naive() + Duration::days(32));
            },
            &["late-first-review"],
        ),
        ("with a review on its first day", |d| d.review_on = Some(d.from.date_naive()), &[]),
        (
            "with consent to come",
            |d| d.consent = Some(("A. Mensah".to_owned(), d.from.date_naive() + Duration::days(1))),
            &["consent-to-come"],
        ),
        (
            "told of after it has begun",
            |d| d.told_on = Some(d.from.date_naive() + Duration::days(1)),
            &["told-later"],
        ),
        (
            "in the first hour of a summer's day",
            |d| {
                // Half past midnight in London on 2 July is still 1 July in UTC.
                d.from = DateTime::from_timestamp(1_782_948_600, 0).expect("a time");
                d.until = Some(d.from + Duration::days(7));
                let today = chrono::NaiveDate::from_ymd_opt(2026, 7, 2);
                (d.review_on, d.told_on) = (today, today);
                d.consent = today.map(|on| ("A. Mensah".to_owned(), on));
            },
            &[],
        ),
        ("without consent", |d| d.consent = None, &["no-consent"]),
        (
            "with a nameless consent",
            |d| d.consent = Some((String::new(), d.from.date_naive())),
            &["no-consent"],
        ),
        ("in a long emergency", |d| (d.consent, d.emergency) = (None, true), &["emergency-too-long"]),
        (
            "in an emergency of a day",
            |d| {
                (d.consent, d.emergency, d.until) = (None, true, Some(d.from + Duration::hours(24)));
                d.review_on = Some(d.from.date_naive());
            },
            &[],
        ),
        ("without telling", |d| d.told_on = None, &["not-told"]),
        ("without a view", |d| d.view.clear(), &["no-view"]),
    ];
    let help = (Word::parse("help.example").expect("a word"), crate::source::SourceId(0));
    let sites = ProtectedSites { support: vec![help], ..ProtectedSites::default() };
    for (what, change, codes) in cases {
        let mut draft = lawful();
        change(&mut draft);
        let found: Vec<&str> = restriction(&draft, &sites).iter().map(|u| u.code).collect();
        assert_eq!(&found, codes, "a restriction {what}");
    }
}

#[test]
fn an_empty_draft_is_told_everything_at_once() {
    let found: Vec<&str> = restriction(&RestrictionDraft::default(), &ProtectedSites::default())
        .iter()
        .map(|u| u.code)
        .collect();
    let all =
        ["nobody", "nothing", "no-reason", "nothing-tried", "no-end", "no-consent", "not-told", "no-view"];
    assert_eq!(found, all);
}

#[test]
fn consequences_cannot_take_what_is_protected() {
    for (suggested, regulations) in [
        ("key-worker conversation", &[][..]),
        ("review the agreement with the social worker", &[]),
        ("no gaming for one evening", &[]),
        ("no gaming, but private mail stays on", &[]),
        ("stop games and write an e-mail to the social worker", &[]),
        ("an hour less on Saturday, contact mum to tell her", &[]),
        ("no phone at dinner", &[]),
        ("talk about e-mail safety", &[]),
        ("no e-mail for a week", &["Reg 22"]),
        ("take away private email", &["Reg 22"]),
        ("e-mail off until Monday", &["Reg 22"]),
        ("block Childline", &["Reg 19(2)(c)"]),
        ("hearing aids confiscated", &["Reg 19(2)(h)"]),
        ("lose contact with family", &["Reg 19(2)(c)"]),
        ("no visits this month", &["Reg 19(2)(c)"]),
        ("no food after eight", &["Reg 19(2)(b)"]),
        ("no pudding", &["Reg 19(2)(b)"]),
        ("early bed and no supper", &["Reg 19(2)(b)"]),
        ("no sleep-over", &[]),
        ("a fine of 5 pounds", &["Reg 19(2)(f)"]),
        ("no pocket money this week", &["Reg 19(2)(f)"]),
        ("pay something towards the broken screen", &[]),
        ("it is fine to try again tomorrow", &[]),
        ("Gmail off for a week", &["Reg 22"]),
        ("miss the visit on Sunday", &["Reg 19(2)(c)"]),
        ("everyone in the house loses wifi", &["Reg 19(2)(j)"]),
        ("talk with everyone, then no gaming for one evening", &[]),
        ("no gaming until the visit is over", &[]),
        ("internet off for everyone", &["Reg 19(2)(j)"]),
        ("The whole house goes offline; no e-mail either", &["Reg 19(2)(j)", "Reg 22"]),
    ] {
        let found: Vec<&str> = consequence(suggested).iter().map(|u| u.regulation).collect();
        assert_eq!(found, regulations, "{suggested}");
    }
}

#[test]
fn a_review_says_why_what_they_think_and_when_again() {
    let day = |text: &str| Some(text.parse().expect("a date"));
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
    let draft = ReviewDraft {
        at: at("2026-11-27T17:00:00Z"),
        until: at("2027-01-29T20:00:00Z"),
        reason: "the stranger still writes".to_owned(),
        view: "fair enough".to_owned(),
        next: day("2026-12-28"),
    };
    let ends = |until| ReviewDraft { until: at(until), ..draft.clone() };
    let cases: &[(&str, ReviewDraft, &[&str])] = &[
        ("that has everything", draft.clone(), &[]),
        ("a day too far off", ReviewDraft { next: day("2026-12-29"), ..draft.clone() }, &["late-review"]),
        ("today again", ReviewDraft { next: day("2026-11-27"), ..draft.clone() }, &["early-review"]),
        ("never again", ReviewDraft { next: None, ..draft.clone() }, &["no-review"]),
        ("of one that ends before", ReviewDraft { next: None, ..ends("2026-12-28T20:00:00Z") }, &[]),
        ("after the end", ends("2026-12-27T20:00:00Z"), &["late-review"]),
        ("without a view", ReviewDraft { view: " ".to_owned(), ..draft.clone() }, &["no-view"]),
        ("without a reason", ReviewDraft { reason: String::new(), ..draft.clone() }, &["no-reason"]),
        ("as a punishment", ReviewDraft { reason: "as a punishment".to_owned(), ..draft }, &["punishment"]),
    ];
    for (what, draft, codes) in cases {
        let found: Vec<&str> = review(draft).iter().map(|u| u.code).collect();
        assert_eq!(&found, codes, "a review {what}");
    }
}
