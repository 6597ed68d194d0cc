//! `hearthgate explain`: what would happen, and which line says so. It asks the very decision that the gateway asks.

use crate::asked::Asked;
use crate::clock;
use crate::desk;
use crate::failure::{Exit, Failure};
use crate::home::HomeArg;
use crate::judge::Bench;
use crate::terminal::{self, Ink, Paint};
use crate::when;
use agreements::{Explanation, Outcome, Rule, TraceStep, Word};
use blocklists::{Tags, builtin};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

/// A line of a batch is at most this long.
const MAX_LINE: u64 = 16 * 1024;

/// Tells what would happen when somebody asks for a site, and which line says so.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  hearthgate explain --person jordan www.tiktok.com
  hearthgate explain --person jordan --at 2026-11-22T21:30 https://www.tiktok.com/
  hearthgate explain --person jordan --device tablet facebook.com
  hearthgate explain --person jordan --at 21:30 --json bbc.co.uk/bitesize
  hearthgate explain --batch questions.jsonl     {\"person\":\"jordan\",\"at\":\"2026-11-22T21:30\",\"host\":\"bbc.co.uk\"} a line

A time without a zone is the home's wall clock. `--person baseline` is an unknown device.
Grants, restrictions and used minutes count where the gateway's records can be read.

Exit codes: 0 answered (whatever the answer), 1 a line of the batch was no question, 2 cannot read.")]
pub(crate) struct Explain {
    #[command(flatten)]
    home: HomeArg,
    /// Who asks: the name of their agreement's file, or `baseline` for an unknown device.
    #[arg(long, value_name = "ID", required_unless_present = "batch", conflicts_with = "batch")]
    person: Option<String>,
    /// From which of their devices: a session that staff opened on one device counts there alone, and a lost one reaches only
    /// what is protected.
    #[arg(long, value_name = "DEVICE", conflicts_with = "batch")]
    device: Option<String>,
    /// When [default: now].
    #[arg(long, value_name = "TIME", conflicts_with = "batch")]
    at: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
    /// Questions, one JSON object a line, from a file or `-` for stdin; the answers come out in the same order.
    #[arg(long, value_name = "FILE", conflicts_with = "host")]
    batch: Option<PathBuf>,
    /// The host, address or URL.
    #[arg(value_name = "HOST_OR_URL", required_unless_present = "batch")]
    host: Option<String>,
}

/// A question; a line of a batch has it as JSON.
#[derive(Deserialize)]
struct Question {
    person: String,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    at: Option<String>,
    host: String,
}

/// The answer to a line that was no question.
#[derive(Serialize)]
struct NoQuestion {
    line: u64,
    error: String,
}

impl Explain {
    /// Answers one question or a batch.
    pub(crate) fn act(&self) -> Result<Exit, Failure> {
        let loaded = self.home.load(clock::now())?;
        // The running gateway's time, where it pretends another.
        let now = loaded.state().map_or_else(clock::now, |state| desk::clock_beside(&state).now());
        let bench = Bench::of(loaded, now)?;
        match (&self.batch, &self.person, &self.host) {
            (Some(file), ..) => batch(&bench, open(file)?, now),
            (None, Some(person), Some(host)) => {
                let (device, at) = (self.device.clone(), self.at.clone());
                self.one(&bench, &Question { person: person.clone(), device, at, host: host.clone() }, now)
            }
            _ => Err(Failure::cannot_read("a question needs `--person` and a host")),
        }
    }

    fn one(&self, bench: &Bench, question: &Question, now: DateTime<Utc>) -> Result<Exit, Failure> {
        let (at, explanation) = answer(bench, question, now)?;
        if self.json {
            terminal::say_json(&explanation);
        } else {
            terminal::say(&text(&explanation, at, bench.zone(), Paint::for_stdout()));
        }
        Ok(Exit::Done)
    }
}

fn answer(
    bench: &Bench,
    Question { person, device, at, host }: &Question,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, Explanation), Failure> {
    let who = bench.person(person)?;
    let device = device.as_deref().map(|name| bench.device(who, name)).transpose()?;
    let at = at.as_deref().map_or(Ok(now), |text| when::instant(text, bench.zone(), now));
    let at = at.map_err(Failure::cannot_read)?;
    let asked = Asked::parse(host).map_err(Failure::cannot_read)?;
    no_word_of_the_language(host)?;
    Ok((at, bench.explain(who, device, at, &asked)))
}

/// Refuses what is a word for many hosts and no host of its own: `tiktok` would be judged as a name that nobody has.
fn no_word_of_the_language(typed: &str) -> Result<(), Failure> {
    let (word, tags) = match Word::parse(typed) {
        Ok(Word::Service(service)) => ("service", Tags::service(service)),
        Ok(Word::Category(category)) => ("category", Tags::category(category)),
        Ok(Word::Site(_) | Word::Host(_) | Word::Path(..)) | Err(_) => return Ok(()),
    };
    let of_it = || builtin::entries().filter(|entry| entry.tags.intersects(tags)).map(|entry| entry.name);
    let namesake = of_it().find(|name| name.split('.').next() == Some(typed));
    let example = namesake.or_else(|| of_it().next()).unwrap_or("www.example.org");
    let sentence = format!("`{typed}` is a {word}, and what is asked about is a host");
    Err(Failure::cannot_read(sentence).help(format!("ask about one of its hosts, like `{example}`")))
}

fn open(file: &PathBuf) -> Result<Box<dyn BufRead>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = File::open(file);
    let file =
        opened.map_err(|e| Failure::cannot_read(format!("`{}` cannot be read: {e}", file.display())))?;
    Ok(Box::new(BufReader::new(file)))
}

fn batch(bench: &Bench, mut lines: Box<dyn BufRead>, now: DateTime<Utc>) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut number = 0;
    while let Some(line) = next_line(&mut lines)? {
        number += 1;
        if line.trim().is_empty() {
            continue;
        }
        let answered = serde_json::from_str::<Question>(&line).map_err(|_| no_question());
        match answered.and_then(|question| answer(bench, &question, now)) {
            Ok((_, explanation)) => terminal::say_line(&json_line(&explanation)),
            Err(failure) => {
                exit = Exit::No;
                let error = failure.in_one_line();
                terminal::say_line(&json_line(&NoQuestion { line: number, error }));
            }
        }
    }
    Ok(exit)
}

/// What a line of a batch has to look like.
fn no_question() -> Failure {
    Failure::no("this line is no question")
        .help("write one JSON object a line: {\"person\":\"jordan\",\"at\":\"2026-11-22T21:30\",\"host\":\"bbc.co.uk\"} (`at` may be left out)")
}

fn json_line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own values have only string keys")
}

/// The next line, cut at [`MAX_LINE`] bytes so that a file without line ends fills no memory.
fn next_line(lines: &mut dyn BufRead) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let read = (&mut *lines).take(MAX_LINE).read_until(b'\n', &mut bytes);
    let read = read.map_err(|e| Failure::cannot_read(format!("the batch cannot be read: {e}")))?;
    if read as u64 == MAX_LINE && bytes.last() != Some(&b'\n') {
        return Err(Failure::cannot_read(format!("a line of the batch is longer than {MAX_LINE} bytes")));
    }
    Ok((read > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// A verdict's word and ink.
pub(crate) const fn shown(outcome: Outcome) -> (&'static str, Ink) {
    match outcome {
        Outcome::Allow => ("ALLOW", Ink::Good),
        Outcome::Ask => ("ASK", Ink::Careful),
        Outcome::WithStaff => ("WITH STAFF", Ink::Careful),
        Outcome::Block => ("BLOCK", Ink::Bad),
    }
}

/// What a rule is, for people.
const fn told(rule: Rule) -> &'static str {
    match rule {
        Rule::Sealed => "sealed lists",
        Rule::Protected => "always reachable",
        Rule::Restriction => "a restriction in force",
        Rule::Floor => "blocked for everyone in the home",
        Rule::Grant => "granted by staff",
        Rule::Online => "the agreed times",
        Rule::PrivateMail => "private mail",
        Rule::SchoolHours => "school hours",
        Rule::Limit => "today's limit",
        Rule::Site => "the agreement's word for the site",
        Rule::Service => "the agreement's word for the service",
        Rule::Category => "the agreement's word for the category",
        Rule::Otherwise => "what the agreement does not mention",
        Rule::Baseline => "the home's baseline",
        Rule::EducationSession => "an education session",
        Rule::EmailOnly => "mail and nothing else",
    }
}

fn text(explanation: &Explanation, at: DateTime<Utc>, zone: Tz, paint: Paint) -> String {
    let (word, ink) = shown(explanation.verdict);
    let mut rows = vec![vec!["rule".to_owned(), told(explanation.rule).to_owned()]];
    if let Some(source) = &explanation.source {
        let place = format!("{}:{}", source.file, source.line);
        rows.push(vec!["line".to_owned(), format!("{place}  {}", source.text)]);
    }
    if let Some(until) = &explanation.until {
        let at = DateTime::parse_from_rfc3339(until).map(|at| when::words(at.with_timezone(&Utc), zone));
        rows.push(vec!["until".to_owned(), at.unwrap_or_else(|_| until.clone())]);
    }
    let known: Vec<&str> = explanation.categories.iter().copied().chain(explanation.service).collect();
    if !known.is_empty() {
        rows.push(vec!["known as".to_owned(), known.join(", ")]);
    }
    rows.push(vec!["asked".to_owned(), explanation.trace.iter().map(step).collect::<Vec<_>>().join(" > ")]);
    let indented: String = terminal::columns(&rows).lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "{}  {}, {}, {}\n\n{}\n\n{indented}",
        paint.ink(ink, word),
        explanation.person,
        when::words(at, zone),
        explanation.host,
        paint.ink(Ink::Strong, &explanation.sentence),
    )
}

fn step(step: &TraceStep) -> String {
    let rule = serde_json::to_value(step.rule).ok();
    let rule = rule.as_ref().and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    match step.verdict {
        Some(verdict) if step.speaks => format!("{rule}: {}", shown(verdict).0),
        _ => rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agreements::Source;

    fn explanation() -> Explanation {
        Explanation {
            person: "jordan".to_owned(),
            at: "2026-11-22T21:30:00+00:00".to_owned(),
            host: "www.tiktok.com".to_owned(),
            verdict: Outcome::Block,
            rule: Rule::Online,
            severity: Some(agreements::Severity::Low),
            categories: vec!["social_networks"],
            service: Some("tiktok"),
            sentence: "The internet is off for Jordan until 07:00 on Monday.".to_owned(),
            to_you: "The internet is off for you until 07:00 on Monday.".to_owned(),
            source: Some(Source {
                file: "agreements/jordan.yaml".to_owned(),
                line: 26,
                text: "school_nights: 21:00".to_owned(),
            }),
            until: Some("2026-11-23T07:00:00+00:00".to_owned()),
            trace: vec![
                TraceStep { rule: Rule::Sealed, speaks: false, verdict: None },
                TraceStep { rule: Rule::Online, speaks: true, verdict: Some(Outcome::Block) },
            ],
        }
    }

    #[test]
    fn an_explanation_reads_like_one() {
        let at = "2026-11-22T21:30:00Z".parse().expect("a time");
        assert_eq!(
            text(&explanation(), at, chrono_tz::Europe::London, Paint::PLAIN),
            "BLOCK  jordan, Sun 22 Nov 21:30, www.tiktok.com\n\n\
             The internet is off for Jordan until 07:00 on Monday.\n\n  \
             rule      the agreed times\n  \
             line      agreements/jordan.yaml:26  school_nights: 21:00\n  \
             until     Mon 23 Nov 07:00\n  \
             known as  social_networks, tiktok\n  \
             asked     sealed > online: BLOCK\n"
        );
    }

    #[test]
    fn a_batch_without_line_ends_is_refused_early() {
        let mut endless: Box<dyn BufRead> = Box::new(BufReader::new(std::io::repeat(b'{')));
        assert!(next_line(&mut *endless).is_err());
    }

    #[test]
    fn the_last_line_needs_no_line_end() {
        let mut lines: &[u8] = b"a\nb";
        assert_eq!(next_line(&mut lines).expect("read").as_deref(), Some("a\n"));
        assert_eq!(next_line(&mut lines).expect("read").as_deref(), Some("b"));
        assert_eq!(next_line(&mut lines).expect("read"), None);
    }
}
