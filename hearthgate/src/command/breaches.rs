//! `hearthgate breaches`: the breach log, shift by shift.

use crate::desk::{self, Desk};
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::people;
use crate::terminal::{self, Ink, Paint, counted};
use crate::when;
use agreements::{Role, Severity};
use chrono::NaiveTime;
use clap::{Args, Subcommand, ValueEnum};
use records::export::{Format, Manifest};
use records::{Episode, Head, LaterPurge, Purpose, Verified, Which, shift};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Shows the breach log, exports it, and verifies that nobody changed it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate breaches list --shift last                  at handover: the shift that is over
  hearthgate breaches list --shift 2026-11-22/21:30      the shift of that moment
  hearthgate breaches list --person jordan --since 2026-11-16
  hearthgate breaches export --format csv --out november.csv --by r.osei \\
      --for \"Ofsted, A. Byrne\" --purpose \"Reg 45 review\"
  hearthgate breaches verify")]
pub(crate) struct Breaches {
    #[command(flatten)]
    home: HomeArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Shows episodes, oldest first [default: the last seven days].
    List(List),
    /// Writes episodes out for a report, with a manifest that proves what was written.
    Export(Export),
    /// Reads the whole journal and finds the first entry that does not fit. Exit code 1 if one does not.
    Verify(Verify),
}

/// Which episodes.
#[derive(Args, Debug)]
struct Chosen {
    /// A shift: `last`, or a moment in it (`2026-11-22/21:30`).
    #[arg(long, value_name = "SHIFT", conflicts_with = "since")]
    shift: Option<String>,
    /// One person's: the name of the agreement's file; `nobody` for unknown devices.
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// Since then: `2026-11-16`, `21:30`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

#[derive(Args, Debug)]
struct List {
    #[command(flatten)]
    chosen: Chosen,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// In what form episodes are written out.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// For a spreadsheet (RFC 4180).
    Csv,
    /// A JSON array.
    Json,
}

#[derive(Args, Debug)]
struct Export {
    #[command(flatten)]
    chosen: Chosen,
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Csv)]
    format: Form,
    /// The file to write; the manifest is written beside it. Stdout when left out.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// To whom it goes. Needed, and recorded.
    #[arg(long = "for", value_name = "WHOM")]
    recipient: Option<String>,
    /// What they need it for. Needed, and recorded.
    #[arg(long, value_name = "WORDS")]
    purpose: Option<String>,
    /// Who exports: an account of home.yaml [default: whoever is signed in to the machine]. Every export is itself recorded.
    #[arg(long, value_name = "STAFF_ID")]
    by: Option<String>,
}

#[derive(Args, Debug)]
struct Verify {
    /// A head that was kept elsewhere (`ENTRIES:HASH`, as `status` shows it): finds a journal that was rewritten whole.
    #[arg(long, value_name = "HEAD")]
    head: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

impl Breaches {
    /// Shows, exports or verifies.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        match &self.what {
            What::List(list) => list.act(&self.home),
            What::Export(export) => export.act(&self.home),
            What::Verify(verify) => verify.act(&self.home),
        }
    }
}

impl Chosen {
    fn which(&self, desk: &Desk, ago: Option<chrono::Duration>) -> Result<Which, Failure> {
        let (now, zone) = (desk.now(), desk.zone());
        let shifts = &desk.house().home().shifts;
        let mut which = match (self.shift.as_deref(), &self.since) {
            (Some("last"), _) => Which::from(shift::last(shifts, zone, now)),
            (Some(text), _) => {
                let (date, time) = moment(text)?;
                Which::from(shift::on(shifts, zone, date, time))
            }
            (None, Some(since)) => {
                let from = when::instant(since, zone, now).map_err(Failure::cannot_read)?;
                Which { from: Some(from), ..Which::default() }
            }
            (None, None) => Which { from: ago.map(|ago| now - ago), ..Which::default() },
        };
        which.person = self.person.as_deref().map(|id| whose(desk, id)).transpose()?;
        Ok(which)
    }
}

/// Whose episodes: somebody's of the home, unknown devices', or somebody's who has left and of whom the log still tells.
fn whose(desk: &Desk, id: &str) -> Result<String, Failure> {
    let left = || -> Result<bool, Failure> {
        let which = Which { person: Some(id.to_owned()), ..Which::default() };
        Ok(!desk.ask(desk.records.episodes_page(&which))?.episodes.is_empty())
    };
    if id == people::NOBODY || desk.house().person(id).is_some() || left()? {
        return Ok(id.to_owned());
    }
    Err(people::unknown(desk.house(), id, &[people::NOBODY]))
}

/// `2026-11-22/21:30`.
fn moment(text: &str) -> Result<(chrono::NaiveDate, NaiveTime), Failure> {
    let wrong = || {
        Failure::cannot_read(format!("`{text}` is no shift"))
            .help("write `last`, or a moment in it: `2026-11-22/21:30`")
    };
    let (date, time) = text.split_once('/').ok_or_else(wrong)?;
    let date = when::date(date).map_err(|_| wrong())?;
    let time = NaiveTime::parse_from_str(time, "%H:%M").map_err(|_| wrong())?;
    Ok((date, time))
}

impl List {
    fn act(&self, home: &HomeArg) -> Result<Exit, Failure> {
        let desk = Desk::open(home, Purpose::Read)?;
        let which = self.chosen.which(&desk, Some(chrono::Duration::days(7)))?;
        let (episodes, unreadable) = all(&desk, which)?;
        if self.json {
            terminal::say_json(&when::at_home(&episodes, desk.zone()));
        } else {
            terminal::say(&text(&episodes, desk.zone(), Paint::for_stdout()));
        }
        if let Some(warning) = unreadable_words(&unreadable) {
            terminal::tell(&warning);
        }
        Ok(Exit::Done)
    }
}

/// Every episode, page after page, and the lines of the list that cannot be read: nothing is left out without a word.
fn all(desk: &Desk, mut which: Which) -> Result<(Vec<Episode>, Vec<i64>), Failure> {
    let (mut episodes, mut unreadable) = (Vec::new(), Vec::new());
    loop {
        let page = desk.ask(desk.records.episodes_page(&which))?;
        episodes.extend(page.episodes);
        unreadable.extend(page.unreadable);
        match page.next {
            Some(next) => which.after = next,
            None => return Ok((episodes, unreadable)),
        }
    }
}

fn unreadable_words(unreadable: &[i64]) -> Option<String> {
    let first = unreadable.first()?;
    let count = unreadable.len();
    Some(format!(
        "Warning: {count} of the list cannot be read, entry {first} first: somebody may have changed the records. \
         `hearthgate breaches verify` says more."
    ))
}

/// How many of each severity, the gravest first.
fn heading(episodes: &[Episode]) -> String {
    let gravest_first =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Technical];
    let by_severity =
        gravest_first.map(|of| (episodes.iter().filter(|e| e.severity == of).count(), severity(of).0));
    let counts: Vec<_> = by_severity
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("{}: {}", counted(episodes.len() as u64, "episode"), counts.join(", "))
}

fn text(episodes: &[Episode], zone: chrono_tz::Tz, paint: Paint) -> String {
    if episodes.is_empty() {
        return "No breaches.\n".to_owned();
    }
    let one = |e: &Episode| {
        let (word, ink) = severity(e.severity);
        let count = if e.count > 1 { format!(" ({} times)", e.count) } else { String::new() };
        let reported = match (e.reported, e.is_breach()) {
            (false, _) => "",
            (true, false) => "  reported by the young person: no breach",
            (true, true) => "  reported by the young person",
        };
        let device = e.device.as_ref().map(|d| format!("'s {d}")).unwrap_or_default();
        let mut text = format!(
            "{:>5}  {}  {}{device}  {}{count}  {}{reported}\n       {}\n       {}\n",
            e.entry,
            when::words(e.first, zone),
            paint.ink(Ink::Strong, &e.name),
            e.site,
            paint.ink(ink, word),
            e.sentence,
            paint.ink(Ink::Quiet, &e.why),
        );
        for note in &e.notes {
            text.push_str(&format!("       note by {}: {}\n", note.by.name, note.words));
        }
        text
    };
    let told = episodes.iter().map(one).collect::<Vec<_>>().join("\n");
    format!("{}\n\n{told}", paint.ink(Ink::Strong, &heading(episodes)))
}

const fn severity(severity: Severity) -> (&'static str, Ink) {
    match severity {
        Severity::Technical => ("technical", Ink::Quiet),
        Severity::Low => ("low", Ink::Quiet),
        Severity::Medium => ("medium", Ink::Careful),
        Severity::High => ("high", Ink::Bad),
        Severity::Critical => ("critical", Ink::Bad),
    }
}

impl Export {
    fn act(&self, home: &HomeArg) -> Result<Exit, Failure> {
        let (recipient, purpose) = self.whither()?;
        let desk = Desk::open(home, Purpose::Beside)?;
        let by = match &self.by {
            Some(id) => desk.by(id, &[Role::Manager, Role::Staff, Role::Visitor])?,
            None => desk::machine_user(),
        };
        let which = self.chosen.which(&desk, None)?;
        let format = match self.format {
            Form::Csv => Format::Csv,
            Form::Json => Format::Json,
        };
        let mut bytes = Vec::new();
        let manifest = desk
            .wait(desk.records.export(&which, format, desk.zone(), &mut bytes))
            .map_err(|e| Failure::cannot_read(format!("the export failed: {e}")))?;
        // It stands in the journal before anybody has it: what could not be recorded is not given out.
        let count = counted(manifest.count, "episode");
        let what = format!("exported {count} for {recipient}; the file’s SHA-256 is {}", manifest.sha256);
        desk.write(desk.records.staff_action(by, &what, purpose))?;
        self.give(&bytes, &manifest)?;
        Ok(Exit::Done)
    }

    /// To whom and what for: without both nothing goes out, here as at the desk.
    fn whither(&self) -> Result<(&str, &str), Failure> {
        let said = [&self.recipient, &self.purpose].map(|words| words.as_deref().unwrap_or_default().trim());
        match said {
            ["", _] | [_, ""] => {
                let both = "an export says to whom it goes and what for: both stand in the journal";
                let example = "for example `--for \"Ofsted, A. Byrne\" --purpose \"Reg 45 review\"`";
                Err(Failure::cannot_read(both).help(example))
            }
            [recipient, purpose] => Ok((recipient, purpose)),
        }
    }

    fn give(&self, bytes: &[u8], manifest: &Manifest) -> Result<(), Failure> {
        let kept = serde_json::to_string_pretty(manifest).expect("our own values have only string keys");
        let Some(out) = &self.out else {
            terminal::say_bytes(bytes);
            terminal::tell(&kept);
            return Ok(());
        };
        let beside = out.with_extension(format!("{}.manifest.json", extension(self.format)));
        private(out, bytes).map_err(|e| cannot_write(out, &e))?;
        private(&beside, (kept + "\n").as_bytes()).map_err(|e| cannot_write(&beside, &e))?;
        let count = counted(manifest.count, "episode");
        terminal::tell(&format!("{count}; the manifest is {}", beside.display()));
        Ok(())
    }
}

/// Writes a file about young people: a new one is for whoever exports alone.
fn private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    file.write_all(bytes)
}

const fn extension(form: Form) -> &'static str {
    match form {
        Form::Csv => "csv",
        Form::Json => "json",
    }
}

fn cannot_write(file: &Path, error: &std::io::Error) -> Failure {
    Failure::cannot_read(format!("`{}` cannot be written: {error}", file.display()))
}

impl Verify {
    fn act(&self, home: &HomeArg) -> Result<Exit, Failure> {
        let kept = self.head.as_deref().map(head).transpose()?;
        let desk = Desk::open(home, Purpose::Read)?;
        let bar = terminal::spinner("reading the journal");
        let verified = desk.ask(desk.records.verify(kept.as_ref()));
        bar.finish_and_clear();
        let verified = verified?;
        if self.json {
            terminal::say_json(&verified);
        } else {
            terminal::say_line(&told(&verified, kept.is_some(), desk.zone(), Paint::for_stdout()));
        }
        Ok(match verified {
            Verified::Whole { .. } => Exit::Done,
            Verified::Broken { .. } => Exit::No,
        })
    }
}

fn head(text: &str) -> Result<Head, Failure> {
    let parsed = text
        .split_once(':')
        .and_then(|(n, hash)| Some(Head { entries: n.parse().ok()?, hash: hash.to_owned() }));
    parsed.ok_or_else(|| {
        Failure::cannot_read(format!("`{text}` is no head"))
            .help("write it as `status` shows it: `412:9f2c…`")
    })
}

fn told(verified: &Verified, kept: bool, zone: chrono_tz::Tz, paint: Paint) -> String {
    match verified {
        Verified::Whole { head, purged, purges, open } => {
            let whole = paint.ink(Ink::Good, "The journal is whole, and the lists say what it says.");
            let tail = if kept {
                "It passes through the head that you gave."
            } else {
                "A journal whose end was cut off, or that was written anew, shows only against a head that was kept \
                 elsewhere: give it with --head."
            };
            let mut text = format!(
                "{whole} {}, {purged} of them purged; head {}:{}\n{tail}",
                terminal::counted_as(head.entries.unsigned_abs(), "entry", "entries"),
                head.entries,
                head.hash
            );
            for purge in purges {
                let _ = write!(text, "\n{}", purge_words(purge, zone));
            }
            if *open > 0 {
                let _ = write!(
                    text,
                    "\n{} still open: how often is proved when an episode ends.",
                    terminal::counted_as(*open, "episode is", "episodes are")
                );
            }
            text
        }
        Verified::Broken { entry, misfit } => {
            let broken = paint.ink(Ink::Bad, &format!("The journal does not fit at entry {entry}:"));
            format!("{broken} {misfit}.")
        }
    }
}

/// A purge since the head that was kept: whoever kept it knows how long the home keeps breaches, and judges.
fn purge_words(purge: &LaterPurge, zone: chrono_tz::Tz) -> String {
    let LaterPurge { entry, at, before, count } = purge;
    let day = |at: &chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%-d %B %Y").to_string();
    let entries = terminal::counted_as(*count, "entry", "entries");
    format!(
        "Since then, on {}, what {entries} older than {} said was purged (entry {entry}).",
        day(at),
        day(before)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_as_typed() {
        assert!(moment("2026-11-22/21:30").is_ok());
        for wrong in ["yesterday", "2026-11-22", "2026-11-22/25:00", "2026-13-22/21:30"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    fn episode(severity: Severity) -> Episode {
        Episode {
            entry: 1,
            person: "jordan".into(),
            name: "Jordan".into(),
            device: None,
            identified: records::Identified::Mac,
            first: chrono::DateTime::UNIX_EPOCH,
            last: chrono::DateTime::UNIX_EPOCH,
            count: 1,
            site: "games.example".into(),
            categories: Vec::new(),
            outcome: agreements::Outcome::Block,
            rule: agreements::Rule::Site,
            severity,
            evidence: agreements::Evidence::Navigation,
            circumvention: false,
            reported: false,
            open: false,
            sentence: String::new(),
            why: String::new(),
            regulations: Vec::new(),
            source: None,
            marks: Vec::new(),
            notes: Vec::new(),
            detector: None,
            of_staff: None,
        }
    }

    #[test]
    fn the_heading_counts_the_gravest_first() {
        let episodes = [Severity::Low, Severity::High, Severity::Low, Severity::Medium].map(episode);
        assert_eq!(heading(&episodes), "4 episodes: 1 high, 1 medium, 2 low");
        assert_eq!(heading(&episodes[..1]), "1 episode: 1 low");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        assert_eq!(unreadable_words(&[]), None);
        assert!(
            unreadable_words(&[1, 7]).is_some_and(|w| w.contains("2 of the list") && w.contains("entry 1 "))
        );
    }

    #[test]
    fn a_whole_journal_without_a_kept_head_says_what_it_cannot_show() {
        let zone = chrono_tz::Europe::London;
        let of = |purges, open| Verified::Whole {
            head: Head { entries: 3, hash: "ab".into() },
            purged: 0,
            purges,
            open,
        };
        let whole = of(Vec::new(), 0);
        assert!(told(&whole, false, zone, Paint::PLAIN).contains("--head"));
        assert!(!told(&whole, true, zone, Paint::PLAIN).contains("--head"));
        assert_eq!(told(&whole, true, zone, Paint::PLAIN).lines().count(), 2);
        let at = |text: &str| text.parse().expect("a time");
        let (at, before) = (at("2026-11-22T12:00:00Z"), at("2025-11-22T12:00:00Z"));
        let purges = vec![records::LaterPurge { entry: 3, at, before, count: 1 }];
        let told = told(&of(purges, 2), true, zone, Paint::PLAIN);
        assert_eq!(
            told.lines().skip(2).collect::<Vec<_>>(),
            [
                "Since then, on 22 November 2026, what 1 entry older than 22 November 2025 said was purged (entry 3).",
                "2 episodes are still open: how often is proved when an episode ends."
            ]
        );
    }

    #[test]
    fn a_head_reads_back() {
        let read = head("412:9f2c").expect("a head");
        assert_eq!(read, Head { entries: 412, hash: "9f2c".to_owned() });
        assert!(head("nonsense").is_err());
    }
}
