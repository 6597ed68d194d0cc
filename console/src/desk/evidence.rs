//! **Evidence**: what stands in the records, for one young person (subject access) or for an inspector (Reg 44 and 45), with
//! a manifest that anybody verifies without this program. Each export says to whom and why, and is itself in the journal.

use super::edit::is_id;
use super::left::{Left, left};
use super::page::{Frame, html, initials};
use super::redact::Redactor;
use super::secret;
use super::session::SignedIn;
use super::wrong::Wrong;
use super::zip::Zip;
use super::{Place, dossier, nights, own_copy, printed};
use agreements::{House, Person, PersonId, PersonKind};
use askama::Template;
use axum::body::Body;
use axum::extract::{Extension, Form, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use records::export::{self, Format, NotExported};
use records::{Head, Records, Which};
use ring::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// An inspector's stretch is no longer than this.
const LONGEST: i64 = 400;
/// Of no more days than these are minutes looked for: ten years.
const MOST_DAYS: u32 = 3660;

#[derive(Template)]
#[template(path = "desk/evidence.html")]
struct EvidencePage {
    frame: Frame,
    people: Vec<(String, String)>,
    from: String,
    to: String,
}

/// What is asked for.
#[derive(Deserialize)]
pub(crate) struct Asked {
    /// A person's id; empty for everybody's.
    #[serde(default)]
    person: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    /// `full` shows names to an inspector.
    #[serde(default)]
    names: String,
    recipient: String,
    purpose: String,
}

/// A file of an export.
pub(super) struct File {
    pub(super) name: &'static str,
    /// What stands in it.
    pub(super) about: &'static str,
    /// What in the law it is about: the Children's Homes (England) Regulations 2015, where nothing else is said.
    pub(super) regulations: &'static [&'static str],
    pub(super) content: Vec<u8>,
}

const EPISODES: &[&str] = &["reg 12", "reg 44(4)", "reg 45(2)"];
const RESTRICTIONS: &[&str] = &["reg 22", "reg 35", "reg 44(4)", "reg 45(2)"];
const CONCERNS: &[&str] = &["reg 12", "reg 34"];
const TOLD: &[&str] = &["reg 7", "reg 12"];
const BY_HAND: &[&str] = &["reg 7", "reg 12"];
const SHIFTS: &[&str] = &["reg 13"];
const JOURNAL: &[&str] = &["reg 36", "reg 37"];
const SUBJECT: &[&str] = &["UK GDPR art 15"];

/// About whom an export is.
pub(super) struct Subject<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// None of whoever has left.
    pub(super) agreement: Option<(PersonId, &'a Person)>,
}

impl<'a> Subject<'a> {
    /// Somebody of the home, or of whom the records still speak.
    fn of(house: &'a House, left: &'a [Left], id: &str) -> Option<Self> {
        let here = house.person(id).and_then(|who| Some((who, house.agreement(who)?)));
        here.map(|(who, person)| Self { id: &person.id, name: &person.name, agreement: Some((who, person)) })
            .or_else(|| {
                let one = left.iter().find(|one| one.id == id)?;
                Some(Self { id: &one.id, name: &one.name, agreement: None })
            })
    }
}

/// Who lets it out, to whom, why, when, and how far the journal had come.
pub(super) struct Stamp<'a> {
    pub(super) who: &'a SignedIn,
    pub(super) recipient: &'a str,
    pub(super) purpose: &'a str,
    pub(super) head: &'a Head,
    pub(super) now: DateTime<Utc>,
}

impl From<NotExported> for Wrong {
    fn from(error: NotExported) -> Self {
        tracing::error!(%error, "an export could not be made");
        Self::Records
    }
}

/// `GET /evidence`.
pub(crate) async fn form(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, Wrong> {
    let (current, now) = (place.desk.in_force.to_keep(), place.desk.now());
    let house = &current.snapshot.house;
    let today = now.with_timezone(&house.home().timezone).date_naive();
    let people = house.people().filter(|(_, person)| person.kind == PersonKind::YoungPerson);
    let people = people.map(|(_, person)| (person.id.clone(), person.name.clone()));
    let left = left(&place.desk.records, house).await?.into_iter();
    let left = left.map(|one| (one.id, format!("{} (no agreement any more)", one.name)));
    Ok(html(&EvidencePage {
        frame: Frame::of("Evidence", "/evidence", house, &who),
        people: people.chain(left).collect(),
        from: (today - Days::new(31)).to_string(),
        to: today.to_string(),
    }))
}

/// `POST /evidence`: makes an export.
pub(crate) async fn export(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Form(asked): Form<Asked>,
) -> Result<Response, Wrong> {
    exports(&place, &who, &asked).await.map_err(|wrong| wrong.with(&[&asked.recipient, &asked.purpose]))
}

async fn exports(place: &Place, who: &SignedIn, asked: &Asked) -> Result<Response, Wrong> {
    let desk = &place.desk;
    let (recipient, purpose) = (asked.recipient.trim(), asked.purpose.trim());
    if recipient.is_empty() || purpose.is_empty() {
        return Err(Wrong::Typed(
            "Please say to whom it goes, and why: both stand in the journal.".to_owned(),
        ));
    }
    let (current, now) = (desk.in_force.to_keep(), desk.now());
    let house = &current.snapshot.house;
    let head = desk.records.head().await?;
    let stamp = Stamp { who, recipient, purpose, head: &head, now };
    let (name, whose, files) = if asked.person.is_empty() {
        let span = days_of(house, (&asked.from, &asked.to), now)?;
        let full = asked.names == "full";
        let whose = format!(
            "everybody’s records from {} to {}{}",
            asked.from,
            asked.to,
            if full { ", with names" } else { "" }
        );
        let mut files = for_inspector(&desk.records, house, span, (full, now)).await?;
        files.push(printed::summary(&desk.records, house, (span, full), &files, &stamp).await?);
        ("inspection".to_owned(), whose, files)
    } else {
        let left = left(&desk.records, house).await?;
        let subject = Subject::of(house, &left, &asked.person).ok_or(Wrong::Missing)?;
        let agreement = match subject.agreement {
            Some(_) => desk.running.text(&format!("agreements/{}.yaml", subject.id)).await,
            None => None,
        };
        let others = Redactor::others(house, &left, subject.id);
        let files = for_person(&desk.records, house, (&subject, &others), agreement, &stamp).await?;
        (subject.id.to_owned(), format!("the records of {}", subject.id), files)
    };
    let manifest = manifest(house, &files, &stamp);
    let what =
        format!("exported {whose} for {recipient}; the manifest’s SHA-256 is {}", secret::hash(&manifest));
    desk.records.staff_action(who.by(), &what, purpose).await?;
    Ok(download(&format!("hearthgate-{name}-{}.zip", now.format("%Y-%m-%d")), archive(&files, &manifest)))
}

/// The days that are asked for, by the home's clock: both included.
pub(super) fn days_of(
    house: &House,
    (from, to): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, DateTime<Utc>), Wrong> {
    let day = |text: &str| {
        text.parse::<NaiveDate>()
            .map_err(|_| Wrong::Typed(format!("`{text}` is no date: write it as 2026-11-29.")))
    };
    let (from, to) = (day(from)?, day(to)?);
    if from > to || (to - from).num_days() > LONGEST || (from - now.date_naive()).num_days() > 1 {
        return Err(Wrong::Typed(format!("The days have to be in order, and no more than {LONGEST}.")));
    }
    let begins =
        |date| records::shift::on(&[NaiveTime::MIN], house.home().timezone, date, NaiveTime::MIN).from;
    Ok((begins(from), begins(to.checked_add_days(Days::new(1)).unwrap_or(to))))
}

async fn for_person(
    records: &Records,
    house: &House,
    (subject, others): (&Subject<'_>, &Redactor),
    agreement: Option<String>,
    stamp: &Stamp<'_>,
) -> Result<Vec<File>, Wrong> {
    let now = stamp.now;
    let id = subject.id;
    let which = Which { person: Some(id.to_owned()), ..Which::default() };
    let mut files = for_reader(others, episodes(records, house, &which).await?);
    let entries = dossier::of(records, id).await?;
    let mut tell = |name, about, regulations, mut content: Value| {
        dossier::without(others, &mut content);
        files.push(file(name, (about, regulations), &content));
    };
    tell("asks.json", "What they asked staff for, and the answers.", SUBJECT, dossier::asks(&entries));
    let register = restrictions(dossier::restrictions(&entries).into_iter());
    tell("restrictions.json", "Restrictions.", RESTRICTIONS, register);
    tell("concerns.json", "Safeguarding concerns.", CONCERNS, concerns(&dossier::concerns(&entries)));
    let by_hand = dossier::by_hand(&entries, DateTime::UNIX_EPOCH..DateTime::<Utc>::MAX_UTC);
    tell(
        "by-hand.json",
        "Incidents that staff wrote down by hand, and what they asked to be shown.",
        BY_HAND,
        by_hand,
    );
    let span = (now - TimeDelta::days(house.home().keep.minutes.into()), now);
    let nights = nights::everybodys(records, house, span, now).await?;
    let nights: Value =
        nights.iter().filter(|(whose, _)| *whose == id).map(|(id, n)| nights::told(id, n)).collect();
    tell("nights.json", "Bedtimes as agreed and as they were.", nights::REGULATIONS, nights);
    let whole = "Everything that the journal says about them, entry by entry: episodes, notes, marks, concerns, reports, grants, devices, what staff did and looked at.";
    tell("journal.json", whole, SUBJECT, dossier::told(others, &entries));
    let csv =
        |name, about, text: String| File { name, about, regulations: SUBJECT, content: text.into_bytes() };
    let minutes = minutes(records, house, id, now).await?;
    files.push(csv("minutes.csv", "Minutes used, day by day.", minutes));
    let monitored = monitored(records, house, id, now).await?;
    files.push(csv("monitored.csv", "What monitoring beyond breaches kept, day by day.", monitored));
    let agreement = agreement.map(|text| csv("agreement.yaml", "The agreement in force.", text));
    files.extend(agreement);
    let pages = own_copy::pages((records, house), (subject, others), &entries, &files, stamp).await?;
    files.extend(pages);
    Ok(files)
}

/// Files for one young person: nobody else's name stands in what staff wrote.
fn for_reader(others: &Redactor, files: Vec<File>) -> Vec<File> {
    let without = |file: File| {
        let content = others.text(&String::from_utf8_lossy(&file.content)).into_bytes();
        File { content, ..file }
    };
    files.into_iter().map(without).collect()
}

async fn episodes(records: &Records, house: &House, which: &Which) -> Result<Vec<File>, Wrong> {
    let zone = house.home().timezone;
    let (mut csv, mut json) = (Vec::new(), Vec::new());
    records.export(which, Format::Csv, zone, &mut csv).await?;
    records.export(which, Format::Json, zone, &mut json).await?;
    Ok(both_shapes("Episodes of the breach log.", csv, json))
}

fn both_shapes(about: &'static str, csv: Vec<u8>, json: Vec<u8>) -> Vec<File> {
    vec![
        File { name: "episodes.csv", about, regulations: EPISODES, content: csv },
        File { name: "episodes.json", about, regulations: EPISODES, content: json },
    ]
}

fn restrictions(placed: impl Iterator<Item = records::Placed>) -> Value {
    let one = |placed: records::Placed| json!({"entry": placed.entry, "restriction": placed.said, "ended": placed.ended, "ended_at": placed.ended_at, "authority_told": placed.told, "authority_late": placed.told_late().is_some(), "reviews": placed.reviews});
    placed.map(one).collect()
}

fn concerns(raised: &[records::Raised]) -> Value {
    let one = |raised: &records::Raised| json!({"entry": raised.entry, "at": raised.at, "concern": raised.concern, "closed": raised.closed, "closed_at": raised.closed_at});
    raised.iter().map(one).collect()
}

/// The home's days of which something is kept for so long, the oldest first.
fn days(house: &House, kept: u32, now: DateTime<Utc>) -> impl Iterator<Item = NaiveDate> {
    let today = house.day_of(now);
    (0..u64::from(kept.min(MOST_DAYS))).rev().filter_map(move |back| today.checked_sub_days(Days::new(back)))
}

/// The minutes of as many days as the home keeps.
async fn minutes(
    records: &Records,
    house: &House,
    person: &str,
    now: DateTime<Utc>,
) -> Result<String, Wrong> {
    let mut csv = "day,key,counted,estimated\r\n".to_owned();
    for day in days(house, house.home().keep.minutes, now) {
        for used in records.minutes_of(day, person).await? {
            // Keys are words of the language: no comma, no quote.
            let _ = write!(csv, "{day},{},{},{}\r\n", used.key, used.counted, used.estimated);
        }
    }
    Ok(csv)
}

/// What monitoring beyond breaches kept, of as many days as the home keeps it.
async fn monitored(
    records: &Records,
    house: &House,
    person: &str,
    now: DateTime<Utc>,
) -> Result<String, Wrong> {
    let mut csv = "day,kind,key,minutes,estimated\r\n".to_owned();
    for day in days(house, house.home().keep.monitoring, now) {
        for kept in records.monitored(day, person).await? {
            let kind = json!(kept.kind);
            let kind = kind.as_str().unwrap_or_default();
            let _ = write!(csv, "{day},{kind},{},{},{}\r\n", kept.key, kept.minutes, kept.estimated);
        }
    }
    Ok(csv)
}

async fn for_inspector(
    records: &Records,
    house: &House,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    (full, now): (bool, DateTime<Utc>),
) -> Result<Vec<File>, Wrong> {
    let which = Which { from: Some(from), to: Some(to), ..Which::default() };
    let mut files =
        if full { episodes(records, house, &which).await? } else { redacted(records, house, &which).await? };
    let entries = dossier::register(records).await?;
    let placed = dossier::restrictions(&entries).into_iter();
    let mut register = restrictions(placed.filter(|p| p.said.from < to && p.said.until > from));
    let raised = dossier::concerns(&entries).into_iter();
    let raised: Vec<_> = raised.filter(|raised| raised.at >= from && raised.at < to).collect();
    let mut concerns = concerns(&raised);
    let mut told = dossier::reports(&entries, from..to);
    let mut by_hand = dossier::by_hand(&entries, from..to);
    let nights = nights::everybodys(records, house, (from, to), now).await?;
    let mut nights: Value = nights.iter().map(|(id, nights)| nights::told(id, nights)).collect();
    let mut reviews = json!(records.reviews_between(from, to).await?);
    if !full {
        let names = Redactor::all(house, &left(records, house).await?);
        for value in [&mut register, &mut concerns, &mut told, &mut by_hand, &mut reviews, &mut nights] {
            hide(house, value);
            dossier::without(&names, value);
        }
    }
    for (name, about, regulations, content) in [
        ("restrictions.json", "The register of restrictions.", RESTRICTIONS, &register),
        ("concerns.json", "Safeguarding concerns and where they went.", CONCERNS, &concerns),
        ("reports.json", "What young people told staff, and who heard it.", TOLD, &told),
        (
            "by-hand.json",
            "Incidents that staff wrote down by hand, and what they asked to be shown.",
            BY_HAND,
            &by_hand,
        ),
        (
            "nights.json",
            "Bedtimes as agreed and as they were, and who gave more and why.",
            nights::REGULATIONS,
            &nights,
        ),
        ("shifts.json", "Which shifts were read, by whom.", SHIFTS, &reviews),
    ] {
        files.push(file(name, (about, regulations), content));
    }
    if full {
        let mut journal = Vec::new();
        records.export_journal(&mut journal).await?;
        let about = "The whole journal, a line an entry: its chain of hashes can be repeated.";
        files.push(File { name: "journal.jsonl", about, regulations: JOURNAL, content: journal });
    }
    Ok(files)
}

/// Episodes without names: initials, and no words that somebody wrote about a young person.
async fn redacted(records: &Records, house: &House, which: &Which) -> Result<Vec<File>, Wrong> {
    let names = Redactor::all(house, &left(records, house).await?);
    let mut all = Vec::new();
    let mut which = which.clone();
    loop {
        let page = records.episodes_page(&which).await?;
        for mut episode in page.episodes {
            let short = initials(&episode.name);
            for text in [&mut episode.sentence, &mut episode.why] {
                *text = names.text(&text.replace(&episode.name, &short));
            }
            (episode.person, episode.name, episode.device, episode.source) =
                (short.clone(), short, None, None);
            episode.site = names.text(&episode.site);
            episode.notes.clear();
            episode.marks.iter_mut().for_each(|mark| mark.words.clear());
            all.push(episode);
        }
        match page.next {
            Some(next) => which.after = next,
            None => break,
        }
    }
    let mut csv = Vec::new();
    export::csv(&all, house.home().timezone, &mut csv).map_err(NotExported::File)?;
    let json = serde_json::to_vec_pretty(&all).unwrap_or_default();
    Ok(both_shapes("Episodes of the breach log, with initials.", csv, json))
}

/// Takes out of a register whom it is about, and what was written about them.
fn hide(house: &House, value: &mut Value) {
    let name =
        |id: &str| house.person(id).and_then(|who| house.agreement(who)).map(|person| initials(&person.name));
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| hide(house, one)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match key.as_str() {
                    "person" => {
                        *field = json!(field.as_str().and_then(name).unwrap_or_else(|| "?".to_owned()));
                    }
                    "words" | "reason" | "tried" | "view" | "with" | "whom" => *field = json!(""),
                    _ => hide(house, field),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn file(
    name: &'static str,
    (about, regulations): (&'static str, &'static [&'static str]),
    content: &Value,
) -> File {
    // What serialised to a value serialises to text.
    let text = serde_json::to_string_pretty(content).unwrap_or_default();
    File { name, about, regulations, content: text.into_bytes() }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the export holds: to whom, why, how far the journal had come, and each file's hash.
fn manifest(house: &House, files: &[File], stamp: &Stamp<'_>) -> String {
    let Stamp { who, recipient, purpose, head, now } = stamp;
    let at = now.with_timezone(&house.home().timezone).to_rfc3339_opts(SecondsFormat::Secs, false);
    let listed: Vec<Value> = files
        .iter()
        .map(|f| json!({"name": f.name, "about": f.about, "regulations": f.regulations, "bytes": f.content.len(), "sha256": sha256(&f.content)}))
        .collect();
    let whole = json!({
        "home": house.home().name, "at": at, "by": who.id, "recipient": recipient, "purpose": purpose,
        "journal": {"entries": head.entries, "hash": head.hash}, "files": listed,
    });
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}

fn archive(files: &[File], manifest: &str) -> Vec<u8> {
    let mut zip = Zip::default();
    let mut sums = String::new();
    for file in files {
        zip.add(file.name, &file.content);
        let _ = writeln!(sums, "{}  {}", sha256(&file.content), file.name);
    }
    zip.add("manifest.json", manifest.as_bytes());
    let _ = writeln!(sums, "{}  manifest.json", sha256(manifest.as_bytes()));
    zip.add("SHA256SUMS", sums.as_bytes());
    zip.add("README.txt", include_bytes!("../../templates/desk/export.txt"));
    zip.end()
}

fn download(name: &str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    // The name is made of an id and a date: letters that a header may have.
    debug_assert!(is_id(name.trim_end_matches(".zip")));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
