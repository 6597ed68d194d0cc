//! **A sample**: some episodes drawn at random, to see whether shifts are read well and agreements fit (seed 004 §16.1). How many
//! there are is shown first, without a name; then the manager says what for, and only then are a few drawn. The journal has
//! the purpose and the seed, and whoever types the same seed draws the same episodes again. It reads what is in the breach log
//! anyway: nothing more is recorded for it, and what was allowed leaves no record to draw from.

use super::Place;
use super::evidence::days_of;
use super::page::{Frame, html};
use super::secret::{self, Secret};
use super::session::SignedIn;
use super::shift::summary;
use super::words;
use super::wrong::Wrong;
use agreements::House;
use askama::Template;
use axum::extract::{Extension, Form, Query, State};
use axum::response::Response;
use chrono::{DateTime, Days, SecondsFormat, Utc};
use records::{Counted, Episode, Records, Which};
use serde::Deserialize;

/// What a sample is drawn for. One has to be chosen.
const PURPOSES: [(&str, &str); 5] = [
    ("reading", "Are shifts read, marked and talked about well?"),
    ("fit", "Do agreements and lists fit: is too much closed, or too little?"),
    ("times", "Are the agreed times kept the same for everybody?"),
    ("dignity", "Is anybody bullied, harassed or pressed?"),
    ("security", "Is the network safe, and are ways around it seen?"),
];
/// So many are drawn at most: what somebody reads with care.
const MOST: usize = 20;
const USUAL: usize = 5;

#[derive(Template)]
#[template(path = "desk/sweep.html")]
struct SweepPage {
    frame: Frame,
    from: String,
    to: String,
    /// How many episodes there are, in words, and of how many people: no name.
    all: String,
    people: usize,
    purposes: &'static [(&'static str, &'static str)],
    most: usize,
    usual: usize,
    drawn: Option<Drawn>,
}

/// A sample that was drawn.
struct Drawn {
    purpose: &'static str,
    seed: String,
    of: usize,
    episodes: Vec<Line>,
}

/// An episode of it.
struct Line {
    entry: i64,
    on: String,
    said: String,
    severity: &'static str,
    class: &'static str,
    marks: Vec<String>,
    /// What leads to it on its shift's page.
    at: String,
}

/// Of which days, what for, how many, and with which seed.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(super) from: String,
    pub(super) to: String,
    purpose: String,
    count: String,
    seed: String,
}

/// `GET /sample`: how many there are.
pub(crate) async fn form(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Query(asked): Query<Asked>,
) -> Result<Response, Wrong> {
    page(&place, &who, asked, None).await
}

/// `POST /sample`: draws some, and writes down that it did.
pub(crate) async fn draw(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(asked): Form<Asked>,
) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let purpose = PURPOSES.iter().find(|(key, _)| *key == asked.purpose);
    let Some((key, purpose)) = purpose else {
        return Err(Wrong::Typed("Please say what the sample is for: it stands in the journal.".to_owned()));
    };
    let count = asked.count.parse::<usize>().ok().filter(|count| (1..=MOST).contains(count));
    let count = count.ok_or_else(|| Wrong::Typed(format!("Choose between 1 and {MOST} episodes.")))?;
    let seed = seed(&asked.seed).map_err(|wrong| wrong.with(&[&asked.seed]))?;
    let (from, to) = days_of(house, (&asked.from, &asked.to), now)?;
    let which = Which { from: Some(from), to: Some(to), ..Which::default() };
    let (episodes, of) = sample(&desk.records, which, &seed, count).await?;
    let entries: Vec<String> = episodes.iter().map(|episode| episode.entry.to_string()).collect();
    let mut whose: Vec<&str> = episodes.iter().map(|episode| episode.person.as_str()).collect();
    whose.sort_unstable();
    whose.dedup();
    let what = format!(
        "drew {} of {of} episodes of {} to {} at random, with the seed {seed}: entries {} (of {})",
        episodes.len(),
        asked.from,
        asked.to,
        entries.join(", "),
        whose.join(", "),
    );
    desk.records.staff_action(who.by(), &what, &format!("{key}: {purpose}")).await?;
    let episodes = episodes.iter().map(|episode| line(house, episode)).collect();
    page(&place, &who, asked, Some(Drawn { purpose, seed, of, episodes })).await
}

async fn page(place: &Place, who: &SignedIn, asked: Asked, drawn: Option<Drawn>) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let today = now.with_timezone(&house.home().timezone).date_naive();
    let or =
        |typed: String, other: chrono::NaiveDate| if typed.is_empty() { other.to_string() } else { typed };
    let (from, to) = (or(asked.from, today - Days::new(28)), or(asked.to, today));
    let span = days_of(house, (&from, &to), now)?;
    let which = Which { from: Some(span.0), to: Some(span.1), ..Which::default() };
    let shares = desk.records.shares(&which).await?;
    let mut all = Counted::default();
    shares.iter().for_each(|(_, counted)| all += *counted);
    Ok(html(&SweepPage {
        frame: Frame::of("A sample", "/evidence", house, who),
        all: if all.all() == 0 { "none".to_owned() } else { format!("{}: {}", all.all(), summary(&all)) },
        people: shares.len(),
        from,
        to,
        purposes: &PURPOSES,
        most: MOST,
        usual: USUAL,
        drawn,
    }))
}

/// The seed that somebody types to draw the same again; a fresh one where they type none.
fn seed(typed: &str) -> Result<String, Wrong> {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        let fresh = Secret::fresh().ok_or(Wrong::Records)?;
        return Ok(fresh.shown().chars().take(12).collect());
    }
    let fits = typed.len() <= 64 && typed.bytes().all(|b| b.is_ascii_alphanumeric());
    if fits { Ok(typed) } else { Err(Wrong::Typed("A seed is letters and figures, 64 at most.".to_owned())) }
}

/// Draws episodes, and says of how many. Which are drawn follows from the seed and their numbers alone.
async fn sample(
    records: &Records,
    mut which: Which,
    seed: &str,
    count: usize,
) -> Result<(Vec<Episode>, usize), Wrong> {
    let (mut drawn, mut of): (Vec<(String, Episode)>, usize) = (Vec::new(), 0);
    loop {
        let page = records.episodes_page(&which).await?;
        of += page.episodes.len();
        drawn.extend(page.episodes.into_iter().map(|episode| (rank(seed, episode.entry), episode)));
        drawn.sort_by(|(a, _), (b, _)| a.cmp(b));
        drawn.truncate(count);
        match page.next {
            Some(next) => which.after = next,
            None => break,
        }
    }
    let mut episodes: Vec<Episode> = drawn.into_iter().map(|(_, episode)| episode).collect();
    episodes.sort_by_key(|episode| episode.entry);
    Ok((episodes, of))
}

/// Where an episode stands in the order of a seed: anybody repeats it with `printf '%s\n%s' SEED ENTRY | sha256sum`.
fn rank(seed: &str, entry: i64) -> String {
    secret::hash(&format!("{seed}\n{entry}"))
}

fn line(house: &House, episode: &Episode) -> Line {
    let (severity, class) = words::severity(episode.severity);
    let marks = episode.marks.iter().map(|mark| format!("{} ({})", words::mark(mark.mark), mark.by.name));
    let on = |at: DateTime<Utc>| at.with_timezone(&house.home().timezone).format("%a %-d %B").to_string();
    Line {
        entry: episode.entry,
        on: on(episode.first),
        said: words::sentence(episode, &episode.name, house, true),
        severity,
        class,
        marks: marks.collect(),
        at: episode.first.to_rfc3339_opts(SecondsFormat::Secs, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_order_which_every_reader_can_repeat() {
        // printf '%s\n%s' teapot 7 | sha256sum
        assert!(rank("teapot", 7).starts_with(RANK), "{}", rank("teapot", 7));
        let order = |seed: &str| {
            let mut entries: Vec<i64> = (1..=50).collect();
            entries.sort_by_key(|entry| rank(seed, *entry));
            entries
        };
        assert_eq!(order("a"), order("a"));
        assert_ne!(order("a"), order("b"));
        assert!(seed("no spaces").is_err() && seed(&"x".repeat(65)).is_err());
        let (one, two) = (seed("").unwrap(), seed("").unwrap());
        assert!(one != two && one.len() == 12, "{one} {two}");
        assert_eq!(seed(" TeaPot ").unwrap(), "teapot");
    }

    const RANK: &str = "e6458b0a213672ed";
}
