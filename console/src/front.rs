//! The gateway's own front page: whose device this is, what is kept about them, and what they agreed to.

use crate::pages::Visit;
use agreements::{MonitoringLevel, Person};
use askama::Template;
use chrono::NaiveDate;

#[derive(Template)]
#[template(path = "front.html")]
struct FrontPage<'a> {
    style: &'static str,
    home: &'a str,
    whose: String,
    kept: Vec<String>,
    behaviour: &'a [String],
}

/// The page for whoever's device it is.
pub(crate) fn page(visit: &Visit) -> String {
    let house = &visit.current.snapshot.house;
    let person = house.agreement(visit.who);
    let today = visit.at.with_timezone(&house.home().timezone).date_naive();
    let page = FrontPage {
        style: crate::refusal::STYLE,
        home: &house.home().name,
        whose: whose(person),
        kept: person.map_or(Vec::new(), |person| kept(person, today)),
        behaviour: person.map_or(&[], |person| &person.behaviour),
    };
    // Rendering writes into a string, which cannot fail.
    page.render().unwrap_or_default()
}

fn whose(person: Option<&Person>) -> String {
    match person {
        Some(person) => format!("This device is known here as {}’s.", person.name),
        None => "This device is not known here yet. Staff can put that right.".to_owned(),
    }
}

/// What is kept beyond refusals, why, until when, and who decided it. A young person who is looked at more closely can see
/// so for as long as it lasts.
fn kept(person: &Person, today: NaiveDate) -> Vec<String> {
    let Some(kept) = person.monitored().filter(|kept| kept.holds_on(today)) else { return Vec::new() };
    let what = match kept.level {
        MonitoringLevel::Breaches => return Vec::new(),
        MonitoringLevel::Categories => "each kind of site",
        MonitoringLevel::Sites => "each kind of site and each site, never the pages in it",
    };
    let day = |date: NaiveDate| date.format("%-d %B %Y").to_string();
    vec![
        format!(
            "Until the end of {}, staff can also see for how many minutes a day {} used {what}. It ends by itself.",
            day(kept.until),
            person.name
        ),
        format!("The reason: {}", ended(kept.reason)),
        format!(
            "{} decided it, and {} was told on {}. You can always ask about it.",
            kept.authorised_by,
            person.name,
            day(kept.told_on)
        ),
    ]
}

/// Words with a full stop at their end.
fn ended(words: &str) -> String {
    let words = words.trim();
    if words.ends_with(['.', '!', '?']) { words.to_owned() } else { format!("{words}.") }
}

/// Whether a path is the front page's. The gateway has few pages, and says so of all that it has not.
pub(crate) fn is_here(path: &str) -> bool {
    matches!(path, "" | "/")
}
