//! **Edit**: an agreement, or the home's own rules, as text. Problems stand under their lines, the change is weighed before
//! it is kept, and what is kept is what was typed: comments and layout are nobody's but the manager's.

use super::Place;
use super::given::{Effect, effects};
use super::owning::{Begun, Proposed};
use super::page::{Frame, html};
use super::people::{Answer, WhatIf, answer_of};
use super::running::{Kept, NotKept, Weighed};
use super::secret;
use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{Level, Problem, Standing};
use askama::Template;
use axum::extract::{Extension, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use records::Current;
use serde::Deserialize;

/// The longest text that is edited here: many times what a manager writes, and what an old tablet can show.
pub(super) const LONGEST: usize = 64 * 1024;
/// The largest form: such a text as a browser may encode it, and room.
pub(super) const LARGEST: usize = 240 * 1024;
/// Problems that are shown: who mends these has few left.
const SHOWN: usize = 40;

#[derive(Template)]
#[template(path = "desk/edit.html")]
struct EditPage {
    frame: Frame,
    file: String,
    back: String,
    is_new: bool,
    text: String,
    was: String,
    why: String,
    troubles: Vec<Trouble>,
    /// What the change gives and takes; none while it was not weighed, or has errors.
    effects: Option<Vec<Effect>>,
    /// Whether it can be saved as it stands.
    good: bool,
    what_if: WhatIf,
    person: Option<String>,
    /// Whom "what if" can be asked of, where the text is nobody's own.
    people: Vec<(String, String)>,
    answer: Option<Answer>,
    /// What stands in the file now, where somebody else changed it meanwhile.
    meanwhile: Option<String>,
    notice: Option<String>,
}

#[derive(Template)]
#[template(path = "desk/troubles.html")]
struct TroublesPart {
    troubles: Vec<Trouble>,
}

/// A problem under its line.
pub(crate) struct Trouble {
    error: bool,
    line: u32,
    /// The line as it stands.
    text: String,
    /// So many spaces before the caret.
    caret: String,
    sentence: String,
    help: String,
}

/// What the form sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    text: String,
    /// The print of the text that was opened.
    was: String,
    why: String,
    step: String,
    #[serde(flatten)]
    what_if: WhatIf,
}

/// A file that is edited here.
struct File {
    path: String,
    /// The person's id; none for the home's own rules.
    id: Option<String>,
}

impl File {
    /// By its path inside the folder. Nothing else is reached from here.
    fn read(path: &str) -> Result<Self, Wrong> {
        if path == "home.yaml" {
            return Ok(Self { path: path.to_owned(), id: None });
        }
        let id = path.strip_prefix("agreements/").and_then(|name| name.strip_suffix(".yaml"));
        let id = id.filter(|id| is_id(id)).ok_or(Wrong::Missing)?;
        Ok(Self { path: path.to_owned(), id: Some(id.to_owned()) })
    }

    fn back(&self, current: &Current) -> String {
        let known = self.id.as_ref().filter(|id| current.snapshot.house.person(id).is_some());
        known.map_or_else(|| "/people".to_owned(), |id| format!("/people/{id}"))
    }

    /// What whoever opens it has looked at.
    fn whose(&self) -> String {
        self.id.as_ref().map_or("the home’s rules".to_owned(), |id| format!("the agreement of {id}"))
    }

    fn title(&self) -> String {
        match &self.id {
            Some(id) => format!("The agreement {id}"),
            None => "The home’s rules".to_owned(),
        }
    }

    /// What stands in a file that is not there yet.
    fn blank(&self) -> String {
        self.id.as_ref().map_or_else(String::new, |id| {
            let name: String =
                id.chars().take(1).flat_map(char::to_uppercase).chain(id.chars().skip(1)).collect();
            include_str!("../../templates/desk/blank.yaml").replace("NAME", &name)
        })
    }
}

/// Whether this can be somebody's id: the letters that a file of the folder may have.
pub(crate) fn is_id(id: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let (first, last) = (id.starts_with(|c: char| c.is_ascii_alphanumeric()), id.ends_with('.'));
    (1..=64).contains(&id.len()) && id.chars().all(good) && first && !last
}

/// Whose agreement is begun.
#[derive(Deserialize)]
pub(crate) struct New {
    #[serde(default)]
    id: String,
}

/// `GET /edit`: leads to the agreement of somebody new.
pub(crate) async fn new(Query(new): Query<New>) -> Result<Response, Wrong> {
    let id = new.id.trim().to_lowercase().replace(' ', "-");
    if !is_id(&id) {
        return Err(Wrong::Typed(
            "The id is the file’s name: small letters, digits and `-`, and nothing else. A first name will do.".to_owned(),
        ));
    }
    Ok(Redirect::to(&format!("/edit/agreements/{id}.yaml")).into_response())
}

/// `GET /edit/{file}`.
pub(crate) async fn form(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(path): Path<String>,
    Query(begun): Query<Begun>,
) -> Result<Response, Wrong> {
    let file = File::read(&path)?;
    place.desk.looks(&who, file.whose()).await?;
    let on_disk = place.desk.running.text(&file.path).await;
    let (text, was) = match &on_disk {
        Some(text) => (text.clone(), secret::hash(text)),
        None => (file.blank(), String::new()),
    };
    if text.len() > LONGEST {
        return Err(Wrong::Typed(format!("`{path}` is too long to be edited here. Edit it on the gateway.")));
    }
    if let Some(proposed) = begun.of(&text).filter(|_| file.id.is_some() && on_disk.is_some()) {
        return begin(&place, &who, &file, (proposed, was)).await;
    }
    let weighed = place.desk.running.weigh(&file.path, &text).await;
    let typed = Typed { text, was, ..Typed::default() };
    // A file that is opened as it stands changes nothing, so that there is nothing to weigh yet.
    Ok(html(&page(&place, &who, &file, typed, &weighed)))
}

/// A text that begins with a change that another page proposed: what it does stands beside it, and nothing is kept yet.
async fn begin(
    place: &Place,
    who: &SignedIn,
    file: &File,
    (proposed, was): (Proposed, String),
) -> Result<Response, Wrong> {
    let Proposed { text, notice } = proposed;
    let weighed = place.desk.running.weigh(&file.path, &text).await;
    let typed = Typed { text, was, ..Typed::default() };
    let mut page = page(place, who, file, typed, &weighed);
    page.notice = Some(notice);
    if weighed.is_good() {
        weigh(place, file, &mut page, weighed).await?;
    }
    Ok(html(&page))
}

/// `POST /edit/{file}`: looks at a change, or keeps it.
pub(crate) async fn act(
    State(place): State<Place>,
    Extension(who): Extension<SignedIn>,
    Path(path): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, Wrong> {
    let file = File::read(&path)?;
    // Browsers send lines as the standard has them (HTML: form data set); files have their own ends, which are put back.
    typed.text = typed.text.replace("\r\n", "\n");
    if typed.text.len() > LONGEST {
        let long = Wrong::Typed("This is longer than the desk edits. Edit it on the gateway.".to_owned());
        return Err(long.with(&[&typed.text, &typed.why]));
    }
    let weighed = place.desk.running.weigh(&file.path, &typed.text).await;
    match typed.step.as_str() {
        "check" => Ok(html(&TroublesPart { troubles: troubles(&weighed.problems) })),
        "keep" => keep(&place, &who, &file, typed, weighed).await,
        _ => look(&place, &who, &file, typed, weighed).await,
    }
}

fn page(place: &Place, who: &SignedIn, file: &File, typed: Typed, weighed: &Weighed) -> EditPage {
    let current = place.desk.in_force.to_keep();
    let Typed { text, was, why, step: _, what_if } = typed;
    EditPage {
        frame: Frame::of(file.title(), "/people", &current.snapshot.house, who),
        back: file.back(&current),
        file: file.path.clone(),
        is_new: was.is_empty(),
        text,
        was,
        why,
        troubles: troubles(&weighed.problems),
        effects: None,
        good: false,
        what_if,
        people: if file.id.is_none() { names(&current) } else { Vec::new() },
        person: file.id.clone(),
        answer: None,
        meanwhile: None,
        notice: None,
    }
}

fn names(current: &Current) -> Vec<(String, String)> {
    let people = current.snapshot.house.people();
    people.map(|(_, person)| (person.id.clone(), person.name.clone())).collect()
}

async fn look(
    place: &Place,
    who: &SignedIn,
    file: &File,
    typed: Typed,
    weighed: Weighed,
) -> Result<Response, Wrong> {
    let mut page = page(place, who, file, typed, &weighed);
    if weighed.is_good() {
        weigh(place, file, &mut page, weighed).await?;
    }
    let mut response = html(&page);
    if !page.good {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// What a change that can be kept gives and takes, and what it would say of a site.
async fn weigh(place: &Place, file: &File, page: &mut EditPage, weighed: Weighed) -> Result<(), Wrong> {
    let (current, now) = (place.desk.in_force.to_keep(), place.desk.now());
    let what_if = page.what_if.clone();
    let id = file.id.clone().or_else(|| Some(what_if.person.clone()));
    // A year of everybody's days is compared: long enough that others should not wait for it.
    let done = tokio::task::spawn_blocking(move || {
        let today = now.with_timezone(&weighed.house.home().timezone).date_naive();
        let difference = agreements::diff(&current.snapshot.house, &weighed.house, today);
        let asked = id.filter(|_| !what_if.is_empty()).and_then(|id| weighed.house.person(&id));
        let answer = asked.map(|who| {
            let catalogue = &current.snapshot.catalogue;
            answer_of(&weighed.house, catalogue, &Standing::default(), who, &what_if, now)
        });
        (effects(&difference), answer)
    });
    let (effects, answer) = done.await.map_err(|_| Wrong::Records)?;
    (page.effects, page.answer, page.good) = (Some(effects), answer, true);
    Ok(())
}

async fn keep(
    place: &Place,
    who: &SignedIn,
    file: &File,
    typed: Typed,
    weighed: Weighed,
) -> Result<Response, Wrong> {
    if !weighed.is_good() {
        return look(place, who, file, typed, weighed).await;
    }
    let why = typed.why.trim().to_owned();
    let notice = if why.is_empty() {
        "Please say why, in a few words: it stands in the journal."
    } else {
        let by = who.by();
        let records = &place.desk.records;
        // The journal has it before the file does: what cannot be written down is not done.
        let what = format!("changed {} at the desk", file.path);
        let first = Box::pin(async { records.staff_action(by.clone(), &what, &why).await.is_ok() });
        let kept = place.desk.running.keep(&file.path, &typed.text, &typed.was, (&by, &why), first).await;
        match kept {
            Ok(kept) => return Ok(kept_page(place, file, kept)),
            Err(NotKept::Meanwhile(text)) => {
                // It is shown to them as if they had opened it.
                place.desk.looks(who, file.whose()).await?;
                return Ok(clash(place, who, file, typed, (&weighed, text)));
            }
            Err(NotKept::Journal) => return Err(Wrong::Records.with(&[&typed.text, &why])),
            Err(NotKept::Disk) => {
                let what = format!("could not save {}: it is as it was", file.path);
                records.staff_action(by.clone(), &what, &why).await?;
                "The gateway may not write into the home’s folder, so nothing was saved. Copy the text, and save it on the gateway; or see “Editing at the desk” in the documentation."
            }
        }
    };
    let mut page = page(place, who, file, typed, &weighed);
    weigh(place, file, &mut page, weighed).await?;
    page.notice = Some(notice.to_owned());
    let mut response = html(&page);
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

fn clash(
    place: &Place,
    who: &SignedIn,
    file: &File,
    typed: Typed,
    (weighed, text): (&Weighed, String),
) -> Response {
    let mut page = page(place, who, file, typed, weighed);
    page.notice = Some(
        "Somebody changed this file since you opened it, so nothing was saved. What stands there now is below; bring the two together, and look again.".to_owned(),
    );
    // Whoever looks again has seen it.
    // A file that is gone, or holds nothing, has no print.
    page.was = if text.is_empty() { String::new() } else { secret::hash(&text) };
    page.meanwhile = Some(text);
    let mut response = html(&page);
    *response.status_mut() = StatusCode::CONFLICT;
    response
}

fn kept_page(place: &Place, file: &File, kept: Kept) -> Response {
    let done = match kept {
        Kept::Alone => "saved",
        Kept::Committed => "committed",
        Kept::NotCommitted => "not-committed",
    };
    let back = match &file.id {
        // Somebody new is known a moment later, when the gateway has read the file.
        Some(id) if place.desk.in_force.current().snapshot.house.person(id).is_some() => {
            format!("/people/{id}")
        }
        Some(_) | None => "/people".to_owned(),
    };
    Redirect::to(&format!("{back}?done={done}")).into_response()
}

/// What a page says after a change was kept.
pub(crate) fn done_words(done: &str) -> Option<&'static str> {
    match done {
        "read" => Some("Written down. When it changes you are asked again."),
        "written" => Some("It is in the journal. It stands in the shift’s review, too."),
        "pin" => Some("They can sign in with it on a shared device now. Tell it to nobody else."),
        "saved" => Some("Saved. It is in force within a second."),
        "committed" => Some("Saved, and committed to Git. It is in force within a second."),
        "not-committed" => Some(
            "Saved, and in force within a second. Git did not take it: whoever looks after the folder finds why in the gateway’s log.",
        ),
        _ => None,
    }
}

/// Problems as they stand under their lines: what refuses the file first.
fn troubles(problems: &[Problem]) -> Vec<Trouble> {
    let mut told: Vec<&Problem> = problems.iter().collect();
    told.sort_by_key(|problem| (std::cmp::Reverse(problem.level), problem.line));
    let trouble = |problem: &&Problem| Trouble {
        error: problem.level == Level::Error,
        line: problem.line,
        caret: caret(&problem.text, problem.column),
        text: problem.text.clone(),
        sentence: problem.sentence.clone(),
        help: problem.help.clone(),
    };
    told.iter().take(SHOWN).map(trouble).collect()
}

/// What stands before a column, as spaces: tabs stay, so that the caret stands where the text does.
fn caret(text: &str, column: u32) -> String {
    let before = text.chars().take(column.saturating_sub(1) as usize);
    before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

impl Weighed {
    /// Whether nothing in it refuses the file.
    fn is_good(&self) -> bool {
        self.problems.iter().all(|problem| problem.level != Level::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_homes_own_texts_are_reached() {
        for (path, reached) in [
            ("home.yaml", true),
            ("agreements/jordan.yaml", true),
            ("agreements/living-room_tv.yaml", true),
            ("gateway.yaml", false),
            ("agreements/../gateway.yaml", false),
            ("agreements/a/b.yaml", false),
            ("agreements/.hidden.yaml", false),
            ("agreements/-x.yaml", false),
            ("agreements/JORDAN.yaml", false),
            ("agreements/.yaml", false),
            ("/etc/passwd", false),
            ("", false),
        ] {
            assert_eq!(File::read(path).is_ok(), reached, "{path}");
        }
    }

    #[test]
    fn the_caret_stands_where_the_text_does() {
        assert_eq!(caret("bedtime: 25:00", 10), "         ");
        assert_eq!(caret("\tx", 2), "\t");
        assert_eq!(caret("x", 0), "");
    }
}
