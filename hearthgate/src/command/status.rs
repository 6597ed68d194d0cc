//! `hearthgate status`: how the gateway is; when none runs, what the records know.

use crate::catalogue::Notes;
use crate::clock;
use crate::control;
use crate::desk::Desk;
use crate::failure::{Exit, Failure};
use crate::gateway::board::{self, Board, CatalogueShown};
use crate::home::{HomeArg, Loaded};
use crate::last_good::{self, Kept, Waiting};
use crate::lists::shelf::Shelf;
use crate::state::State;
use crate::terminal::{self, Ink, Paint, counted};
use crate::when;
use agreements::Level;
use blocklists::Catalogue;
use chrono::{DateTime, Utc};
use clap::Args;
use records::Purpose;
use serde_json::Value;
use std::fmt::Write;

/// Shows how the gateway is: listeners, lists, who is online, files that wait, the journal's head, the clock.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate status
  hearthgate status --json | jq .listeners

Exit codes: 0 a gateway runs, 2 cannot read, 3 none runs (what the records know is shown all the same).")]
pub(crate) struct Status {
    #[command(flatten)]
    home: HomeArg,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Asks and shows.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let loaded = self.home.load(clock::now())?;
        // Where nobody can say where this home's gateway keeps things, no other home's is shown in its place.
        let state = loaded.state();
        state.as_ref().map_or(Ok(()), State::may_look)?;
        let (board, exit) = match state.as_ref().and_then(|state| control::ask(&state.socket(), "status")) {
            Some(board) => (board, Exit::Done),
            None => (at_rest(&self.home, &loaded, state.as_ref()), Exit::NotRunning),
        };
        if self.json {
            terminal::say_json(&board);
        } else {
            terminal::say(&text(&board, Paint::for_stdout()));
        }
        Ok(exit)
    }
}

/// What can be known without a gateway.
fn at_rest(home: &HomeArg, loaded: &Loaded, state: Option<&State>) -> Value {
    let now = clock::now();
    let house = &loaded.reading.house;
    let notes = state.and_then(Notes::load).unwrap_or_default();
    let catalogue = state.and_then(|state| Catalogue::open(&state.catalogue()).ok());
    let info = catalogue.map(|c| (c.info().names, c.info().bytes)).unwrap_or_default();
    let shelf = state.map(|state| Shelf::at(state.lists()));
    let mut board = Board {
        version: env!("HEARTHGATE_VERSION"),
        home: house.home().name.clone(),
        now: when::rfc3339(now, house.home().timezone),
        clock: clock::word(records::Clock::state(&records::SystemClock::new())),
        lists: board::lists(house, shelf.as_ref(), &notes, now),
        catalogue: CatalogueShown {
            names: info.0,
            bytes: info.1,
            compiled: notes.compiled.map(|at| when::rfc3339(at, house.home().timezone)),
        },
        waiting: waiting(loaded, state, now),
        warnings: loaded.problems().into_iter().filter(|p| p.level == Level::Warning).collect(),
        ..Board::default()
    };
    if let Ok(desk) = Desk::open(home, Purpose::Read) {
        board.records = desk.ask(desk.records.status()).ok();
    }
    serde_json::to_value(&board).expect("our own values have only string keys")
}

/// Files that would wait if a gateway started now, and what would be in force instead.
fn waiting(loaded: &Loaded, state: Option<&State>, now: DateTime<Utc>) -> Vec<Waiting> {
    let kept = state.map(|state| Kept::load(state, &loaded.dir)).unwrap_or_default();
    last_good::accept(&kept, &loaded.folder, now).waiting
}

fn text(board: &Value, paint: Paint) -> String {
    let mut text = String::new();
    headline(&mut text, board, paint);
    section(&mut text, "listeners", &listeners(board));
    section(&mut text, "lists", &lists(board));
    let catalogue = &board["catalogue"];
    let row = vec![format!(
        "{}, {} KiB",
        names(&catalogue["names"]),
        catalogue["bytes"].as_u64().unwrap_or(0) >> 10
    )];
    section(&mut text, "catalogue", &[row]);
    section(&mut text, "online", &rows(&board["online"], |o| vec![string(&o["person"]), string(&o["last"])]));
    turned_away(&mut text, board);
    files(&mut text, board, paint);
    records(&mut text, &board["records"], paint);
    text
}

fn headline(text: &mut String, board: &Value, paint: Paint) {
    let running = board["running"] == true;
    let how = if running { paint.ink(Ink::Good, "runs") } else { paint.ink(Ink::Bad, "does not run") };
    let _ = writeln!(
        text,
        "{}: the gateway {how} (hearthgate {})",
        string(&board["home"]),
        string(&board["version"])
    );
    let clock = match board["clock"].as_str() {
        Some("right") => paint.ink(Ink::Good, "right"),
        Some("not_yet") => paint.ink(Ink::Bad, "not set yet: the baseline applies to everybody"),
        _ => paint.ink(Ink::Bad, "jumped: the baseline applies to everybody until it is confirmed"),
    };
    let pretended = if board["pretended"] == true { " (pretended)" } else { "" };
    let _ = writeln!(text, "\nclock      {}{pretended}, {clock}", string(&board["now"]));
    if let Some((words, ink)) = upstreams(&board["upstreams"]) {
        let _ = writeln!(text, "upstreams  {}", paint.ink(ink, &words));
    }
    for what in board["needs_restart"].as_array().into_iter().flatten() {
        let _ =
            writeln!(text, "restart    `{}` in gateway.yaml has changed; it takes a restart", string(what));
    }
}

/// How many upstreams answer; of those that were never asked nothing is claimed.
fn upstreams(upstreams: &Value) -> Option<(String, Ink)> {
    let number = |key: &str| upstreams[key].as_u64();
    let (answering, not_asked, of) = (number("answering")?, number("not_asked")?, number("of")?);
    Some(match (answering, of - not_asked) {
        (0, 0) => (format!("{of}, not asked yet"), Ink::Quiet),
        (0, asked) if asked == of => (format!("none of {of} answers"), Ink::Bad),
        (answering, asked) => {
            let ink = if answering == 0 { Ink::Bad } else { Ink::Good };
            let verb = if answering == 1 { "answers" } else { "answer" };
            let rest = if asked < of { format!(", {not_asked} not asked yet") } else { String::new() };
            (format!("{answering} of {asked} {verb}{rest}"), ink)
        }
    })
}

fn section(text: &mut String, title: &str, rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    for (i, line) in terminal::columns(rows).lines().enumerate() {
        let _ = writeln!(text, "{:11}{line}", if i == 0 { title } else { "" });
    }
}

fn rows(list: &Value, row: impl Fn(&Value) -> Vec<String>) -> Vec<Vec<String>> {
    list.as_array().map(|list| list.iter().map(row).collect()).unwrap_or_default()
}

fn string(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn names(count: &Value) -> String {
    counted(count.as_u64().unwrap_or(0), "name")
}

fn listeners(board: &Value) -> Vec<Vec<String>> {
    rows(&board["listeners"], |l| vec![string(&l["kind"]), string(&l["address"])])
}

fn lists(board: &Value) -> Vec<Vec<String>> {
    rows(&board["lists"], |list| {
        let open = (list["floor_open"] == true).then(|| board::FLOOR_OPEN.to_owned());
        let error = list["error"].as_str().map(str::to_owned);
        let error = open.into_iter().chain(error).collect::<Vec<_>>().join("; ");
        vec![
            string(&list["from"]),
            names(&list["names"]),
            board::age_words(list["age_minutes"].as_i64(), list["failures"].as_u64().unwrap_or(0)),
            error,
        ]
    })
}

/// What the router turned away by itself, most first; nothing where it was nothing.
fn turned_away(text: &mut String, board: &Value) {
    let sums = board["turned_away"].as_object().into_iter().flatten();
    let mut sums: Vec<(u64, &String)> = sums.filter_map(|(key, sum)| Some((sum.as_u64()?, key))).collect();
    sums.retain(|(sum, _)| *sum > 0);
    sums.sort_by_key(|(sum, _)| std::cmp::Reverse(*sum));
    if sums.is_empty() {
        return;
    }
    let sums: Vec<String> = sums.iter().map(|(sum, key)| format!("{sum} {key}")).collect();
    let since = string(&board["started"]);
    let _ = writeln!(text, "router     The router turned away by itself since {since}: {}", sums.join(", "));
}

/// So many warnings are told in words.
const MOST_WARNINGS: usize = 8;

fn files(text: &mut String, board: &Value, paint: Paint) {
    let waiting = board["waiting"].as_array();
    if waiting.is_none_or(Vec::is_empty) {
        let _ = writeln!(text, "files      {}", paint.ink(Ink::Good, "all in force"));
    }
    for waits in waiting.into_iter().flatten() {
        let meanwhile = if waits["meanwhile"] == "last_good" { "its last good text" } else { "the baseline" };
        let line = format!("{} waits; meanwhile {meanwhile} is in force", string(&waits["file"]));
        let _ = writeln!(text, "files      {}", paint.ink(Ink::Bad, &line));
        for problem in waits["problems"].as_array().into_iter().flatten() {
            let place = format!("{}:{}:{}", string(&problem["file"]), problem["line"], problem["column"]);
            let _ = writeln!(
                text,
                "             {place} {} {}",
                string(&problem["sentence"]),
                string(&problem["help"])
            );
        }
    }
    let warnings = board["warnings"].as_array().map_or(&[][..], Vec::as_slice);
    for (at, warning) in warnings.iter().take(MOST_WARNINGS).enumerate() {
        let title = if at == 0 { "warnings" } else { "" };
        let _ = writeln!(text, "{title:11}{}: {}", string(&warning["code"]), string(&warning["sentence"]));
    }
    if warnings.len() > MOST_WARNINGS {
        let more = warnings.len() - MOST_WARNINGS;
        let _ = writeln!(text, "           and {more} more (`hearthgate status --json`)");
    }
}

fn records(text: &mut String, records: &Value, paint: Paint) {
    let head = &records["journal"];
    if head.is_null() {
        let _ = writeln!(text, "journal    {}", paint.ink(Ink::Quiet, "no records yet"));
        return;
    }
    if let Some(why) = records["broken"].as_str() {
        let lines = [
            "BROKEN: everybody is on the baseline, and what staff decide cannot be kept.".to_owned(),
            format!("{why}."),
            "What is refused is kept in memory and is gone when the gateway stops. The broken records are left as they are."
                .to_owned(),
        ];
        for (title, line) in ["records", "", ""].iter().zip(lines) {
            let _ = writeln!(text, "{title:11}{}", paint.ink(Ink::Bad, &line));
        }
    }
    let _ = writeln!(text, "journal    {}:{}", head["entries"], string(&head["hash"]));
    if let Some(why) = records["failing"].as_str() {
        let _ = writeln!(text, "           {}", paint.ink(Ink::Bad, &format!("cannot be written: {why}")));
    }
    if let Some(misfit) = records["misfit"].as_str() {
        let line = format!("does not fit at {misfit}; see `hearthgate breaches verify`");
        let _ = writeln!(text, "           {}", paint.ink(Ink::Bad, &line));
    }
    if let Some(shed) = records["shed"].as_u64().filter(|shed| *shed > 0) {
        let _ = writeln!(
            text,
            "           {} shed because too many came at once",
            terminal::counted_as(shed, "refusal was", "refusals were")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_claimed_of_an_upstream_that_was_never_asked() {
        let cases = [
            (0, 2, 2, "2, not asked yet"),
            (1, 1, 2, "1 of 1 answers, 1 not asked yet"),
            (2, 0, 2, "2 of 2 answer"),
            (0, 1, 2, "0 of 1 answer, 1 not asked yet"),
            (0, 0, 2, "none of 2 answers"),
        ];
        for (answering, not_asked, of, words) in cases {
            let board = serde_json::json!({"answering": answering, "not_asked": not_asked, "of": of});
            assert_eq!(upstreams(&board).map(|(words, _)| words).as_deref(), Some(words));
        }
    }

    #[test]
    fn a_board_reads_like_one() {
        let board = serde_json::json!({
            "running": true, "version": "0.1.0", "home": "Oakview House", "now": "2026-11-22T21:30:00+00:00",
            "clock": "right", "pretended": false,
            "listeners": [{"kind": "dns", "address": "127.0.0.1:5533"}],
            "upstreams": {"answering": 1, "not_asked": 0, "of": 2},
            "lists": [{"from": "lists/a.txt", "names": 3, "age_minutes": 5, "error": null}],
            "catalogue": {"names": 100, "bytes": 4096}, "online": [],
            "waiting": [{"file": "agreements/jo.yaml", "meanwhile": "last_good",
                "problems": [{"file": "agreements/jo.yaml", "line": 3, "column": 9, "sentence": "No.", "help": "Yes?"}]}],
            "warnings": [{"code": "nobody-stands-by", "sentence": "Nobody does."}, {"code": "random-mac", "sentence": "It may change."}],
            "needs_restart": [], "started": "2026-11-22T21:00:00+00:00",
            "turned_away": {"dot": 3, "doq": 0, "quic": 12},
            "records": {"journal": {"entries": 4, "hash": "ab"}, "shed": 0, "failing": null,
                "misfit": "entry 3: the entry has been altered or moved"},
        });
        assert_eq!(
            text(&board, Paint::PLAIN),
            "Oakview House: the gateway runs (hearthgate 0.1.0)\n\n\
             clock      2026-11-22T21:30:00+00:00, right\n\
             upstreams  1 of 2 answers\n\
             listeners  dns  127.0.0.1:5533\n\
             lists      lists/a.txt  3 names  5 minutes old\n\
             catalogue  100 names, 4 KiB\n\
             router     The router turned away by itself since 2026-11-22T21:00:00+00:00: 12 quic, 3 dot\n\
             files      agreements/jo.yaml waits; meanwhile its last good text is in force\n             \
             agreements/jo.yaml:3:9 No. Yes?\n\
             warnings   nobody-stands-by: Nobody does.\n           random-mac: It may change.\n\
             journal    4:ab\n           \
             does not fit at entry 3: the entry has been altered or moved; see `hearthgate breaches verify`\n"
        );
    }
}
