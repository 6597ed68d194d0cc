//! Who agreed, and when: `agreed`.

use super::block::{Block, choice, date_of, text_of};
use super::sheet::Sheet;
use crate::meant::{Agreed, Person, PersonKind, RiskAssessment};
use chrono::NaiveDate;

const KEYS: &[&str] = &["risk_assessment", "review_by", "young_person", "social_worker", "home_manager"];
const LEVELS: [(&str, &str); 3] = [("low", "low"), ("medium", "medium"), ("high", "high")];

/// Reads who agreed, and gives what is missing for the agreement to be in force.
pub(crate) fn read(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    person: &mut Person,
    today: NaiveDate,
) -> Vec<&'static str> {
    let node = block.get("agreed");
    let inner = node.and_then(|node| Block::read(sheet, node, "`agreed`", KEYS));
    if let Some(inner) = &inner {
        person.agreed = signatures(sheet, inner, today);
        review(sheet, inner, &person.agreed, today);
    }
    if person.kind != PersonKind::YoungPerson || (node.is_some() && inner.is_none()) {
        return Vec::new();
    }
    let at = if node.is_some() { block.key_at("agreed") } else { block.at };
    let missing = missing(&person.agreed);
    if !missing.is_empty() {
        let sentence = format!(
            "This agreement is a draft until it has {}: the home's baseline applies.",
            joined(&missing)
        );
        sheet.warning(at, "draft", &sentence, "Add it under `agreed:`.");
    }
    with_the_young_person(sheet, at, &person.agreed);
    missing
}

fn signatures(sheet: &mut Sheet<'_>, block: &Block<'_>, today: NaiveDate) -> Agreed {
    let review_by =
        date_of(sheet, block, "review_by").map(|day| (day, sheet.source(block.key_at("review_by"))));
    let (young_person_on, young_person_view) = young_person(sheet, block, today);
    Agreed {
        risk_assessment: risk_assessment(sheet, block, today),
        review_by,
        young_person_on,
        young_person_view,
        social_worker: social_worker(sheet, block, today),
        home_manager: home_manager(sheet, block, today),
    }
}

fn inner<'n>(sheet: &mut Sheet<'_>, block: &Block<'n>, key: &str, keys: &[&str]) -> Option<Block<'n>> {
    block.get(key).and_then(|node| Block::read(sheet, node, &format!("`{key}`"), keys))
}

fn risk_assessment(sheet: &mut Sheet<'_>, block: &Block<'_>, today: NaiveDate) -> Option<RiskAssessment> {
    let inner = inner(sheet, block, "risk_assessment", &["ref", "on", "level"])?;
    let reference = text_of(sheet, &inner, "ref").map(str::to_owned);
    let on = day(sheet, &inner, today);
    let level = inner.get("level").and_then(|n| choice(sheet, n, "level", &LEVELS)).map(str::to_owned);
    Some(RiskAssessment { reference: reference?, on: on?, level })
}

fn young_person(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    today: NaiveDate,
) -> (Option<NaiveDate>, Option<String>) {
    let Some(inner) = inner(sheet, block, "young_person", &["on", "view"]) else { return (None, None) };
    (day(sheet, &inner, today), text_of(sheet, &inner, "view").map(str::to_owned))
}

fn social_worker(
    sheet: &mut Sheet<'_>,
    block: &Block<'_>,
    today: NaiveDate,
) -> Option<(String, String, NaiveDate)> {
    let inner = inner(sheet, block, "social_worker", &["name", "authority", "on"])?;
    let name = text_of(sheet, &inner, "name").map(str::to_owned);
    let authority = text_of(sheet, &inner, "authority").map(str::to_owned);
    let on = day(sheet, &inner, today);
    Some((name?, authority.unwrap_or_default(), on?))
}

fn home_manager(sheet: &mut Sheet<'_>, block: &Block<'_>, today: NaiveDate) -> Option<(String, NaiveDate)> {
    let inner = inner(sheet, block, "home_manager", &["name", "on"])?;
    let name = text_of(sheet, &inner, "name").map(str::to_owned);
    let on = day(sheet, &inner, today);
    Some((name?, on?))
}

/// The date of a signature. One that is still to come is none: nobody has signed in the future.
fn day(sheet: &mut Sheet<'_>, block: &Block<'_>, today: NaiveDate) -> Option<NaiveDate> {
    let on = date_of(sheet, block, "on")?;
    if on > today {
        let sentence = format!("{on} is still to come, so nobody can have agreed on it.");
        sheet.warning(
            block.key_at("on"),
            "future-date",
            &sentence,
            "Check the date. Until then it counts as not there.",
        );
        return None;
    }
    Some(on)
}

fn missing(agreed: &Agreed) -> Vec<&'static str> {
    let parts = [
        (agreed.risk_assessment.is_none(), "a risk assessment"),
        (agreed.social_worker.is_none(), "the social worker's name and date"),
        (agreed.home_manager.is_none(), "the home manager's name and date"),
    ];
    parts.into_iter().filter(|(missing, _)| *missing).map(|(_, what)| what).collect()
}

fn joined(parts: &[&str]) -> String {
    match parts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What does not keep an agreement from being in force, and still ought to be there.
fn with_the_young_person(sheet: &mut Sheet<'_>, at: usize, agreed: &Agreed) {
    if agreed.young_person_on.is_none() || agreed.young_person_view.is_none() {
        let sentence = "The young person's date or view is missing: an agreement is drawn up with them.";
        let help = "Add `young_person: {on: …, view: \"…\"}` under `agreed:`.";
        sheet.warning(at, "no-view", sentence, help);
    }
    if agreed.review_by.is_none() {
        let sentence = "Nothing says when this agreement is looked at again.";
        sheet.warning(at, "no-review", sentence, "Add `review_by: …` under `agreed:`.");
    }
}

/// Tells of a review that is near or overdue. The agreement stays in force: a child does not lose what was agreed
/// because an adult is late.
fn review(sheet: &mut Sheet<'_>, block: &Block<'_>, agreed: &Agreed, today: NaiveDate) {
    let Some((by, _)) = agreed.review_by else { return };
    let left = by.signed_duration_since(today).num_days();
    let days = |n: i64| if n == 1 { "1 day".to_owned() } else { format!("{n} days") };
    let (code, sentence) = match left {
        15.. => return,
        1.. => ("review-soon", format!("The review of this agreement is due in {}, on {by}.", days(left))),
        0 => ("review-due", "The review of this agreement is due today.".to_owned()),
        _ => ("review-overdue", format!("The review of this agreement is overdue by {}.", days(-left))),
    };
    let help = "Review it together, then write the new date. Until then it stays in force.";
    sheet.warning(block.key_at("review_by"), code, &sentence, help);
}
