//! The post: what the control socket answers from.

use crate::catalogue::Notes;
use crate::clock::{Pretend, word};
use crate::control::{Answering, STANDING_BY};
use crate::gateway::board::{self, Board, CatalogueShown, Listener, Upstreams};
use crate::gateway::editor::Editor;
use crate::gateway::{crowd, hints};
use crate::last_good::{Meanwhile, Waiting};
use crate::lists::shelf::Shelf;
use crate::signing::Signing;
use crate::state::State;
use crate::when;
use agreements::{Covered, Gateway, Problem, Running};
use chrono::{DateTime, TimeDelta, Utc};
use console::{Doing, Kept, NoPin, NotKept, Weighed};
use proxy::identify::{Lease, Neighbours};
use proxy::router::TurnedAway;
use records::{By, Clock, Face, InForce, Records};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What is known of the running gateway, for whoever asks.
pub(crate) struct Post {
    pub(crate) in_force: Arc<InForce>,
    pub(crate) records: Arc<Records>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The same clock, where it was started elsewhere (`--pretend-now`): it can be moved on.
    pub(crate) pretend: Option<Arc<Pretend>>,
    pub(crate) started: DateTime<Utc>,
    pub(crate) state: State,
    /// Who stands behind which address.
    pub(crate) neighbours: Neighbours,
    /// What changes the home's files.
    pub(crate) editor: Editor,
    /// Rung when somebody changed the lists.
    pub(crate) lists: Arc<Notify>,
    /// Who signs in on devices that are nobody's own.
    pub(crate) signing: Arc<Signing>,
    /// When whoever would stand in for the gateway asked last whether it runs; at first, when it began.
    pub(crate) stood_by: Mutex<Instant>,
    /// What changes while it runs.
    pub(crate) shown: Mutex<Shown>,
}

/// What changes while the gateway runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) listeners: Vec<Listener>,
    /// gateway.yaml as it is listened by.
    pub(crate) gateway: Gateway,
    pub(crate) upstreams: Option<Upstreams>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) needs_restart: Vec<&'static str>,
    /// The one client that everybody looks like.
    pub(crate) everybody: Option<IpAddr>,
    /// What keeps the router from holding what it is meant to, and the same as people are told of it.
    pub(crate) running: Running,
    pub(crate) router: Vec<Problem>,
    /// What the rules turned away by themselves.
    pub(crate) turned_away: TurnedAway,
    /// What staff may want to know of the network.
    pub(crate) hints: Vec<Problem>,
}

/// Whoever stands by asks several times a second; without a question for so long nobody does.
const STANDS_BY: Duration = Duration::from_secs(10);

impl Post {
    /// Whether somebody stands by for when the gateway does not run.
    pub(crate) fn is_stood_by(&self) -> bool {
        self.stood_by.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < STANDS_BY
    }

    /// Changes what is shown.
    pub(crate) fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn board(&self) -> Board {
        let (current, now) = (self.in_force.to_keep(), self.clock.now());
        let (house, info) = (&current.snapshot.house, current.snapshot.catalogue.info());
        let zone = house.home().timezone;
        let notes = Notes::load(&self.state).unwrap_or_default();
        let Shown {
            listeners,
            upstreams,
            waiting,
            mut warnings,
            needs_restart,
            everybody,
            router,
            hints,
            turned_away,
            ..
        } = self.shown();
        warnings.extend(everybody.and_then(|address| crowd::problem(house, address)));
        warnings.extend(router);
        warnings.extend(hints);
        Board {
            running: true,
            version: env!("HEARTHGATE_VERSION"),
            home: house.home().name.clone(),
            pid: Some(std::process::id()),
            started: Some(when::rfc3339(self.started, zone)),
            now: when::rfc3339(now, zone),
            clock: word(self.clock.state()),
            pretended: self.pretend.is_some(),
            listeners,
            upstreams,
            lists: board::lists(house, Some(&Shelf::at(self.state.lists())), &notes, crate::clock::now()),
            catalogue: CatalogueShown {
                names: info.names,
                bytes: info.bytes,
                compiled: notes.compiled.map(|at| when::rfc3339(at, zone)),
            },
            online: board::online(&self.records, house, now).await,
            waiting,
            warnings,
            needs_restart,
            turned_away: Some(turned_away.sums().map(|(detector, sum)| (detector.row().key, sum)).collect()),
            records: self.records.status().await.ok(),
        }
    }

    /// The board as the desk shows it.
    async fn desk_state(&self) -> console::State {
        let (current, now) = (self.in_force.to_keep(), crate::clock::now());
        let (house, names) = (&current.snapshot.house, current.snapshot.catalogue.info().names);
        let state = self.state.clone();
        let Shown { upstreams, waiting, mut warnings, needs_restart, everybody, router, hints, .. } =
            self.shown();
        warnings.extend(everybody.and_then(|address| crowd::problem(house, address)));
        warnings.extend(router);
        warnings.extend(hints);
        // The shelf and the notes are files: few and small, and read where nobody waits for a packet.
        let lists = tokio::task::block_in_place(|| {
            let notes = Notes::load(&state).unwrap_or_default();
            board::lists(house, Some(&Shelf::at(state.lists())), &notes, now)
        });
        console::State {
            version: env!("HEARTHGATE_VERSION").to_owned(),
            pretended: self.pretend.is_some(),
            upstreams: upstreams.filter(|u| u.of > u.not_asked).map(|u| (u.answering, u.of)),
            names,
            lists: lists.iter().map(list_on_the_desk).collect(),
            waiting: waiting.iter().map(waiting_on_the_desk).collect(),
            warnings: warnings.iter().map(trouble).collect(),
            needs_restart,
        }
    }

    /// What this set-up holds as it runs now.
    fn covered(&self) -> Vec<Covered> {
        let (current, Shown { gateway, running, .. }) = (self.in_force.to_keep(), self.shown());
        agreements::coverage(&gateway, &current.snapshot.house, &running)
    }

    async fn answer(&self, question: &str) -> Option<Value> {
        match question {
            "status" => serde_json::to_value(self.board().await).ok(),
            "clock" => {
                let pretended = self.pretend.is_some();
                Some(json!({"now": self.clock.now().to_rfc3339(), "pretended": pretended}))
            }
            STANDING_BY => {
                *self.stood_by.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                Some(json!({"heard": true}))
            }
            "coverage" => serde_json::to_value(self.covered()).ok(),
            "lists-changed" => {
                self.lists.notify_one();
                Some(json!({"heard": true}))
            }
            _ => match question.strip_prefix("pass ") {
                Some(seconds) => self.pass(seconds),
                None => self.signing(&question.split(' ').collect::<Vec<_>>()),
            },
        }
    }

    /// Lets so many seconds pass at once, where the clock is pretended; a real one goes by itself.
    fn pass(&self, seconds: &str) -> Option<Value> {
        self.pretend.as_ref()?.pass(seconds.parse().ok()?);
        Some(json!({"now": self.clock.now().to_rfc3339()}))
    }

    /// What staff decide about who is signed in.
    fn signing(&self, words: &[&str]) -> Option<Value> {
        let done = match words {
            ["sign-in", face, person, minutes] => {
                let (face, minutes) = (face.parse().ok()?, minutes.parse().ok()?);
                let known = self.in_force.to_keep().snapshot.house.person(person).is_some();
                known && self.signing.begin(face, person, TimeDelta::minutes(minutes))
            }
            ["sign-out", face] => self.signing.end(face.parse().ok()?),
            ["sign-out-everywhere", person] => self.signing.end_all_of(person),
            ["pin-changed", person] => {
                self.signing.pin_changed(person);
                true
            }
            ["signed-in"] => return Some(self.signed_in()),
            _ => return None,
        };
        Some(json!({"done": done}))
    }

    fn signed_in(&self) -> Value {
        let all = self.signing.signed_in.all();
        let steady = self.clock.steady();
        let one = |(face, one): &(records::Face, Arc<proxy::identify::SignIn>)| json!({"device": face.to_string(), "person": one.person, "minutes": minutes_left(one, steady)});
        Value::Array(all.iter().map(one).collect())
    }
}

/// What devices call themselves, by what each is known by.
fn names(leases: impl Iterator<Item = Lease>) -> BTreeMap<Face, String> {
    let faces = |lease: Lease| {
        let known = [lease.mac.map(Face::Mac), Some(Face::Address(lease.address.to_canonical()))];
        known.into_iter().flatten().filter_map(move |face| Some((face, lease.name.clone()?)))
    };
    leases.flat_map(faces).collect()
}

/// So many minutes until a sign-in lapses.
fn minutes_left(one: &proxy::identify::SignIn, steady: Duration) -> u64 {
    one.lapses().saturating_sub(steady).as_secs().div_ceil(60)
}

impl console::Running for Post {
    fn state(&self) -> Doing<'_, console::State> {
        Box::pin(self.desk_state())
    }

    fn face(&self, address: IpAddr) -> Doing<'_, Face> {
        Box::pin(async move {
            self.neighbours.meet(address).await;
            self.neighbours.mac(address).map_or(Face::Address(address.to_canonical()), Face::Mac)
        })
    }

    fn signed_in(&self) -> Doing<'_, Vec<(Face, String, u64)>> {
        let steady = self.clock.steady();
        let all = self.signing.signed_in.all().into_iter();
        let all = all.map(|(face, one)| (face, one.person.to_string(), minutes_left(&one, steady))).collect();
        Box::pin(async move { all })
    }

    fn names(&self) -> Doing<'_, BTreeMap<Face, String>> {
        let (files, now) = (self.shown().gateway.leases, self.clock.now());
        Box::pin(async move {
            tokio::task::block_in_place(|| names(hints::leases(&files, self.editor.home(), now)))
        })
    }

    fn let_in<'a>(&'a self, face: Face, person: &'a str, minutes: u16) -> Doing<'a, bool> {
        let known = self.in_force.to_keep().snapshot.house.person(person).is_some();
        let begun = known && self.signing.begin(face, person, TimeDelta::minutes(minutes.into()));
        Box::pin(async move { begun })
    }

    fn let_out(&self, face: Face) -> Doing<'_, bool> {
        let ended = self.signing.end(face);
        Box::pin(async move { ended })
    }

    fn coverage(&self) -> Doing<'_, Vec<Covered>> {
        Box::pin(async move { self.covered() })
    }

    fn text<'a>(&'a self, file: &'a str) -> Doing<'a, Option<String>> {
        Box::pin(async move { tokio::task::block_in_place(|| self.editor.text(file)) })
    }

    fn weigh<'a>(&'a self, file: &'a str, text: &'a str) -> Doing<'a, Weighed> {
        let now = self.clock.now();
        Box::pin(async move { tokio::task::block_in_place(|| self.editor.weigh(file, text, now)) })
    }

    fn keep<'a>(
        &'a self,
        file: &'a str,
        text: &'a str,
        was: &'a str,
        by: (&'a By, &'a str),
        first: Doing<'a, bool>,
    ) -> Doing<'a, Result<Kept, NotKept>> {
        Box::pin(self.editor.keep(file, text, was, by, first))
    }

    fn give_pin<'a>(&'a self, person: &'a str, pin: &'a str) -> Doing<'a, Result<(), NoPin>> {
        Box::pin(self.signing.give(person, pin))
    }
}

/// A list by its category, or by where it comes from; never with its whole address, which may hold a licence key.
fn list_on_the_desk(list: &board::ListShown) -> console::List {
    let host = list.from.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let from =
        host.map_or_else(|| list.from.clone(), |host| host.rsplit('@').next().unwrap_or(host).to_owned());
    let name = match list.category {
        Some(category) => format!("{} ({from})", category.replace('_', " ")),
        None => from,
    };
    let protected = list.touches_protected;
    let touches =
        (protected > 0).then(|| format!("{protected} of its entries touch protected sites; they stay open."));
    let failing = list.error.as_ref().map(|_| match list.failures {
        0 => "It could not be read.".to_owned(),
        1 => "The last attempt to renew it failed.".to_owned(),
        n => format!("The last {n} attempts to renew it failed."),
    });
    console::List {
        name,
        age: board::age_words(list.age_minutes, list.failures.into()),
        names: list.names,
        trouble: failing.or(touches),
    }
}

fn waiting_on_the_desk(waits: &Waiting) -> console::Waiting {
    let meanwhile = match waits.meanwhile {
        Meanwhile::LastGood => "Meanwhile its last good text is in force.",
        Meanwhile::Baseline => "It was never good, so the baseline applies.",
    };
    console::Waiting {
        file: waits.file.clone(),
        meanwhile: meanwhile.to_owned(),
        troubles: waits.problems.iter().map(trouble).collect(),
    }
}

fn trouble(problem: &Problem) -> console::Trouble {
    let (file, line) = (problem.file.clone(), problem.line);
    console::Trouble { file, line, sentence: problem.sentence.clone(), help: problem.help.clone() }
}

/// The answers for the control socket.
pub(crate) fn answering(post: Arc<Post>) -> Answering {
    Arc::new(move |question: &str| {
        let (post, question) = (post.clone(), question.to_owned());
        Box::pin(async move { post.answer(&question).await })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_calls_itself_stands_in_its_lease_while_it_has_one() {
        let home = tempfile::tempdir().unwrap();
        let text = "2000 02:00:00:00:00:11 192.0.2.11 sams-phone *\n\
                    900 02:00:00:00:00:12 192.0.2.12 gone *\n\
                    0 02:00:00:00:00:13 192.0.2.13 * *\n";
        std::fs::write(home.path().join("dhcp.leases"), text).unwrap();
        let files = ["nowhere.leases", "dhcp.leases"].map(str::to_owned);
        let now = DateTime::from_timestamp(1000, 0).unwrap();
        let names = names(hints::leases(&files, home.path(), now)).into_iter();
        let names: Vec<String> = names.map(|(face, name)| format!("{face} {name}")).collect();
        assert_eq!(names, ["02:00:00:00:00:11 sams-phone", "192.0.2.11 sams-phone"]);
    }
}
