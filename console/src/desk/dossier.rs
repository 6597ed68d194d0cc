//! Everything that the journal says about one young person, and nothing about anybody else.

use super::redact::Redactor;
use super::wrong::Wrong;
use chrono::{DateTime, Utc};
use records::{Entry, Granting, Logged, Looked, Placed, Raised, Records};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::ops::Range;

/// Whose entries are looked for, and which were found so far: what speaks of one of them is theirs, too.
struct About<'a> {
    id: &'a str,
    found: HashSet<i64>,
}

impl About<'_> {
    /// Whether an entry is about them.
    fn is(&mut self, logged: &Logged) -> bool {
        let is = logged.says.as_ref().is_some_and(|says| self.says(says));
        if is {
            self.found.insert(logged.entry);
        }
        is
    }

    fn says(&self, says: &Entry) -> bool {
        let (own, of) = (|person: &str| person == self.id, |entry: i64| self.found.contains(&entry));
        match says {
            Entry::BreachOpened(opened) => own(&opened.person),
            Entry::BreachesGrew(grew) => grew.episodes.iter().any(|grown| of(grown.entry)),
            Entry::BreachEnded(ended) => of(ended.entry),
            Entry::Note(note) => of(note.entry),
            Entry::Mark(mark) => of(mark.entry),
            Entry::Concern(concern) => own(&concern.person),
            Entry::ConcernClosed(closed) => of(closed.entry),
            Entry::Report(report) => own(&report.person),
            Entry::ReportOpened(opened) => of(opened.entry),
            Entry::ReportHeard(heard) => of(heard.entry),
            Entry::AgreementRead(read) => own(&read.person),
            Entry::Grant(grant) => {
                own(&grant.person) || matches!(&grant.opens, Granting::Education(learner) if own(learner))
            }
            Entry::GrantRevoked(ended) | Entry::RestrictionEnded(ended) => of(ended.entry),
            Entry::Restriction(placed) => own(&placed.person),
            Entry::AuthorityTold(told) => of(told.entry),
            Entry::RestrictionReviewed(review) => of(review.entry),
            Entry::Ask(ask) => own(&ask.person),
            Entry::AskAnswered(answered) => of(answered.entry),
            Entry::ShowAsked(show) => own(&show.person),
            Entry::ShowAnswered(answered) => of(answered.entry),
            Entry::Incident(incident) => own(&incident.person),
            Entry::Device(booked) => own(&booked.person),
            Entry::MonitoringBegan(began) => own(&began.person),
            Entry::MonitoringEnded(ended) => own(&ended.person),
            Entry::StaffAction(action) => {
                own(&action.by.id) || names(&action.what, self.id) || names(&action.why, self.id)
            }
            Entry::Started(_)
            | Entry::Stopped(_)
            | Entry::Review(_)
            | Entry::SignInFailed(_)
            | Entry::Shed(_)
            | Entry::Clock(_)
            | Entry::Files(_)
            | Entry::ListMissing(_)
            | Entry::WrongList(_)
            | Entry::WrongListAnswered(_)
            | Entry::BackedUp(_)
            | Entry::Misfit(_)
            | Entry::Purged(_) => false,
        }
    }
}

/// Whether a text names an id, as a word of its own.
fn names(text: &str, id: &str) -> bool {
    let within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(id).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(within) && !after.is_some_and(within)
    })
}

/// Every entry that is wanted, through the whole journal.
async fn scan(records: &Records, mut wanted: impl FnMut(&Logged) -> bool) -> Result<Vec<Logged>, Wrong> {
    let (mut found, mut from) = (Vec::new(), 1);
    loop {
        let page = records.entries(from).await?;
        let Some(last) = page.last() else { return Ok(found) };
        from = last.entry + 1;
        found.extend(page.into_iter().filter(&mut wanted));
    }
}

/// Everything about one young person, in the order of the journal.
pub(crate) async fn of(records: &Records, id: &str) -> Result<Vec<Logged>, Wrong> {
    let mut about = About { id, found: HashSet::new() };
    scan(records, |logged| about.is(logged)).await
}

/// An entry as an export has it, without the names of others and without what it says of others' episodes.
pub(crate) fn told(others: &Redactor, entries: &[Logged]) -> Value {
    let own: HashSet<i64> = entries.iter().map(|logged| logged.entry).collect();
    let one = |logged: &Logged| {
        let mut says = logged.says.clone();
        if let Some(Entry::BreachesGrew(grew)) = &mut says {
            grew.episodes.retain(|grown| own.contains(&grown.entry));
        }
        let mut says = says.and_then(|says| body(&says)).unwrap_or_default();
        without(others, &mut says);
        json!({"entry": logged.entry, "at": logged.at, "kind": logged.kind, "says": says})
    };
    entries.iter().map(one).collect()
}

/// What an entry says, without its kind.
fn body(says: &Entry) -> Option<Value> {
    match serde_json::to_value(says).ok()? {
        Value::Object(map) => map.into_iter().next().map(|(_, body)| body),
        _ => None,
    }
}

/// Takes names out of every text of a value.
pub(crate) fn without(redactor: &Redactor, value: &mut Value) {
    match value {
        Value::String(text) => *text = redactor.text(text),
        Value::Array(all) => all.iter_mut().for_each(|one| without(redactor, one)),
        Value::Object(fields) => fields.values_mut().for_each(|field| without(redactor, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Asks and their answers, of entries that were found.
pub(crate) fn asks(entries: &[Logged]) -> Value {
    let answer = |entry: i64| {
        entries.iter().find_map(|logged| match &logged.says {
            Some(Entry::AskAnswered(answered)) if answered.entry == entry => Some((&logged.at, answered)),
            _ => None,
        })
    };
    let ask = |logged: &Logged| {
        let Some(Entry::Ask(asked)) = &logged.says else { return None };
        let answered = answer(logged.entry);
        Some(json!({
            "entry": logged.entry, "at": logged.at, "person": asked.person, "host": asked.host, "words": asked.words,
            "answered": answered.map(|(_, answered)| answered), "answered_at": answered.map(|(at, _)| at),
        }))
    };
    entries.iter().filter_map(ask).collect()
}

/// The register of restrictions, of entries that were found; all of them where it is about everybody.
pub(crate) fn restrictions(entries: &[Logged]) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::new();
    for logged in entries {
        match &logged.says {
            Some(Entry::Restriction(said)) => {
                placed.push(Placed::new(logged.entry, said.clone()));
            }
            Some(Entry::RestrictionEnded(ended)) => {
                placed
                    .iter_mut()
                    .filter(|p| p.entry == ended.entry)
                    .for_each(|p| (p.ended, p.ended_at) = (Some(ended.clone()), logged.at.parse().ok()));
            }
            Some(Entry::AuthorityTold(told)) => {
                let of = placed.iter_mut().find(|p| p.entry == told.entry);
                of.into_iter().for_each(|p| _ = p.told.get_or_insert(told.clone()));
            }
            Some(Entry::RestrictionReviewed(review)) => {
                let at = logged.at.parse().unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
                let of = placed.iter_mut().find(|p| p.entry == review.entry);
                of.into_iter().for_each(|p| p.reviews.push(Looked { at, said: review.clone() }));
            }
            _ => {}
        }
    }
    placed
}

/// Safeguarding concerns, of entries that were found.
pub(crate) fn concerns(entries: &[Logged]) -> Vec<Raised> {
    let mut raised: Vec<Raised> = Vec::new();
    for logged in entries {
        match &logged.says {
            Some(Entry::Concern(concern)) => {
                let at = logged.at.parse().unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
                raised.push(Raised {
                    entry: logged.entry,
                    at,
                    concern: concern.clone(),
                    closed: None,
                    closed_at: None,
                });
            }
            Some(Entry::ConcernClosed(closed)) => {
                raised
                    .iter_mut()
                    .filter(|r| r.entry == closed.entry)
                    .for_each(|r| (r.closed, r.closed_at) = (Some(closed.clone()), logged.at.parse().ok()));
            }
            _ => {}
        }
    }
    raised
}

/// What young people told within a stretch of time, and who heard it, of entries that were found.
pub(crate) fn reports(entries: &[Logged], within: Range<DateTime<Utc>>) -> Value {
    let heard = |entry: i64| {
        entries.iter().find_map(|logged| match &logged.says {
            Some(Entry::ReportHeard(heard)) if heard.entry == entry => Some((&logged.at, heard)),
            _ => None,
        })
    };
    // Who opened what was told for somebody else.
    let opened = |entry: i64| -> Value {
        let opened = entries.iter().filter_map(|logged| match &logged.says {
            Some(Entry::ReportOpened(opened)) if opened.entry == entry => {
                Some(json!({"at": logged.at, "by": opened.by}))
            }
            _ => None,
        });
        opened.collect()
    };
    let report = |logged: &Logged| {
        let Some(Entry::Report(report)) = &logged.says else { return None };
        let at: DateTime<Utc> = logged.at.parse().ok()?;
        let heard = heard(logged.entry);
        within.contains(&at).then(|| {
            json!({
                "entry": logged.entry, "at": logged.at, "person": report.person, "words": report.words,
                "heard": heard.map(|(_, heard)| heard), "heard_at": heard.map(|(at, _)| at),
                "opened": opened(logged.entry),
            })
        })
    };
    entries.iter().filter_map(report).collect()
}

/// What staff wrote down by hand within a stretch of time, and what they asked to be shown, of entries that were found.
pub(crate) fn by_hand(entries: &[Logged], within: Range<DateTime<Utc>>) -> Value {
    let answer = |entry: i64| {
        entries.iter().find_map(|logged| match &logged.says {
            Some(Entry::ShowAnswered(answered)) if answered.entry == entry => Some((&logged.at, answered)),
            _ => None,
        })
    };
    let one = |logged: &Logged| {
        let at: DateTime<Utc> = logged.at.parse().ok().filter(|at| within.contains(at))?;
        match &logged.says {
            Some(Entry::Incident(said)) => Some(json!({
                "entry": logged.entry, "kind": "incident", "written_at": at, "person": said.person, "at": said.at,
                "about": said.about, "by": said.by, "words": said.words, "regulations": ["reg 12"],
            })),
            Some(Entry::ShowAsked(said)) => {
                let answered = answer(logged.entry);
                Some(json!({
                    "entry": logged.entry, "kind": "asked_to_show", "at": at, "person": said.person, "by": said.by,
                    "words": said.words, "answered": answered.map(|(_, answered)| answered),
                    "answered_at": answered.map(|(at, _)| at), "regulations": ["reg 7", "reg 12"],
                }))
            }
            _ => None,
        }
    };
    entries.iter().filter_map(one).collect()
}

/// The whole register: restrictions, concerns, what young people told and what staff wrote down by hand, of everybody.
pub(crate) async fn register(records: &Records) -> Result<Vec<Logged>, Wrong> {
    let kinds = [
        "restriction",
        "restriction_ended",
        "authority_told",
        "restriction_reviewed",
        "concern",
        "concern_closed",
        "report",
        "report_opened",
        "report_heard",
        "show_asked",
        "show_answered",
        "incident",
    ];
    scan(records, |logged| kinds.contains(&logged.kind.as_str())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_word_of_its_own() {
        for (text, id, named) in [
            ("looked at the agreement of jordan", "jordan", true),
            ("changed agreements/jordan.yaml at the desk", "jordan", true),
            ("looked at the agreement of jordan-b", "jordan", false),
            ("looked at the agreement of jo", "jordan", false),
            ("jordans", "jordan", false),
            ("", "jordan", false),
        ] {
            assert_eq!(names(text, id), named, "{text}");
        }
    }
}
