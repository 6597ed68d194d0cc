//! The page of an inspector's export that is printed: what was recorded and decided in these days, and which file says it.

use super::evidence::{File, Stamp, sha256};
use super::handover::shifts_of;
use super::left::left;
use super::nights;
use super::now::person_name;
use super::page::name_for;
use super::redact::Redactor;
use super::restrictions::{self, consent, reviewed_on};
use super::shift::summary as summed;
use super::wrong::Wrong;
use agreements::{House, Role};
use askama::Template;
use chrono::{DateTime, Utc};
use records::{Records, Which, is_signed};

#[derive(Template)]
#[template(path = "desk/export.html")]
struct SummaryPage<'a> {
    home: &'a str,
    from: String,
    to: String,
    recipient: &'a str,
    purpose: &'a str,
    by: &'a str,
    at: String,
    entries: i64,
    head: &'a str,
    initials: bool,
    people: Vec<(String, String)>,
    restrictions: Vec<String>,
    nights: Vec<(String, String)>,
    open: usize,
    closed: usize,
    signed: usize,
    shifts: usize,
    files: Vec<Listed>,
}

/// A file of the export.
struct Listed {
    name: &'static str,
    about: &'static str,
    regulations: String,
    sha256: String,
}

/// The page, as a file of the export. Initials stand on it, unless names are exported.
pub(super) async fn summary(
    records: &Records,
    house: &House,
    ((from, to), full): ((DateTime<Utc>, DateTime<Utc>), bool),
    files: &[File],
    stamp: &Stamp<'_>,
) -> Result<File, Wrong> {
    let reads = if full { Role::Manager } else { Role::Visitor };
    let whose = |id: &str| match id {
        "nobody" => "An unknown device".to_owned(),
        id => name_for(reads, &person_name(house, id)),
    };
    let zone = house.home().timezone;
    let day = |at: DateTime<Utc>| at.with_timezone(&zone).format("%-d %B %Y").to_string();
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%-d %B %Y %H:%M").to_string();
    let which = Which { from: Some(from), to: Some(to), ..Which::default() };
    let shares = records.shares(&which).await?;
    let placed = records.restrictions().await?;
    let placed = placed.into_iter().filter(|one| one.said.from < to && one.said.until > from);
    let hidden = Redactor::all(house, &left(records, house).await?);
    let restrictions = placed.map(|one| {
        let what = one.said.closes.as_ref().map_or_else(|| "everything".to_owned(), |words| words.join(", "));
        let what = if full { what } else { hidden.text(&what) };
        let ended = match one.ended {
            Some(_) => format!(", ended before its time (planned until {})", time(one.said.until)),
            None => String::new(),
        };
        let said = &one.said;
        let hide = |text: String| if full { text } else { hidden.text(&text) };
        let mut line =
            format!("{}: {what}, {} to {}{ended}.", whose(&said.person), time(said.from), time(one.ends()));
        let reviews = one.reviewed().map(|(due, review)| reviewed_on(house, due, review));
        for more in std::iter::once(consent(house, &one))
            .chain(reviews)
            .chain(full.then(|| format!("Why: {}", said.reason)))
        {
            line.push_str(&format!(" {}.", hide(more).trim_end_matches('.')));
        }
        if let Some(late) = one.authority_due().filter(|due| *due < stamp.now) {
            line.push_str(&format!(" Full details were due to the placing authority by {}.", time(late)));
        }
        let today = stamp.now.with_timezone(&zone).date_naive();
        if let Some(on) = one.review_due(today, stamp.now).filter(|on| *on < today) {
            line.push_str(&format!(" A review was due on {} and is late.", restrictions::day(on)));
        }
        line
    });
    let nights = nights::everybodys(records, house, (from, to), stamp.now).await?;
    let nights = nights.iter().map(|(id, nights)| (whose(id), nights::summary(nights)));
    let concerns = records.concerns(false).await?;
    let concerns: Vec<_> = concerns.iter().filter(|raised| raised.at >= from && raised.at < to).collect();
    let reviews = records.reviews_between(from, to).await?;
    let shifts = shifts_of(house, from, to.min(stamp.now));
    let page = SummaryPage {
        home: &house.home().name,
        from: day(from),
        to: day(to - chrono::TimeDelta::seconds(1)),
        recipient: stamp.recipient,
        purpose: stamp.purpose,
        by: &stamp.who.name,
        at: time(stamp.now),
        entries: stamp.head.entries,
        head: &stamp.head.hash,
        initials: !full,
        people: shares.iter().map(|(id, counted)| (whose(id), summed(counted))).collect(),
        restrictions: restrictions.collect(),
        nights: nights.collect(),
        open: concerns.iter().filter(|raised| raised.closed.is_none()).count(),
        closed: concerns.iter().filter(|raised| raised.closed.is_some()).count(),
        signed: shifts.iter().filter(|shift| is_signed(&reviews, **shift)).count(),
        shifts: shifts.len(),
        files: files.iter().map(listed).collect(),
    };
    Ok(File {
        name: "summary.html",
        about: "A page to print: what was recorded and decided, and which file says it.",
        regulations: &["reg 44(4)", "reg 45(2)"],
        // Rendering writes into a string, which cannot fail.
        content: page.render().unwrap_or_default().into_bytes(),
    })
}

fn listed(file: &File) -> Listed {
    let regulations = file.regulations.join(", ");
    Listed { name: file.name, about: file.about, regulations, sha256: sha256(&file.content) }
}
