//! What is said to people: colour only on a terminal, answers on stdout, a bar on stderr for anything long.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// What a piece of text means; the colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// An error, a refusal.
    Bad,
    /// A warning, a refusal with a way out.
    Careful,
    /// All is well, an allowance.
    Good,
    /// Where something is, and other quiet words.
    Quiet,
    /// What the eye should find first.
    Strong,
}

impl Ink {
    const fn code(self) -> &'static str {
        match self {
            Self::Bad => "1;31",
            Self::Careful => "33",
            Self::Good => "32",
            Self::Quiet => "2",
            Self::Strong => "1",
        }
    }
}

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    /// Plain text.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false };

    /// Colour when stdout is a terminal, unless `NO_COLOR` (no-color.org) or a dumb terminal says otherwise.
    pub(crate) fn for_stdout() -> Self {
        Self { colour: wants_colour(std::io::stdout().is_terminal()) }
    }

    /// The same for stderr.
    pub(crate) fn for_stderr() -> Self {
        Self { colour: wants_colour(std::io::stderr().is_terminal()) }
    }

    /// The text in its ink.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()) } else { text.to_owned() }
    }

    /// Whether there is any colour.
    pub(crate) const fn colours(self) -> bool {
        self.colour
    }
}

fn wants_colour(terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
    terminal && !refused && !dumb
}

/// Writes an answer to stdout. A reader that went away (`| head`) is no failure.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes an answer that is no text of ours.
pub(crate) fn say_bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// How many of something, in words: `1 name`, `2 names`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    counted_as(count, one, &format!("{one}s"))
}

/// The same, where the plural has a form of its own: `1 entry`, `2 entries`.
pub(crate) fn counted_as(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Writes an answer and ends the line.
pub(crate) fn say_line(text: &str) {
    say(&format!("{text}\n"));
}

/// Writes a word about the work itself to stderr.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes a value as JSON, with a line end.
pub(crate) fn say_json(value: &impl serde::Serialize) {
    say_line(&serde_json::to_string_pretty(value).expect("our own values have only string keys"));
}

/// A spinner on stderr that appears when the work takes longer than a moment, and only on a terminal.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar on stderr over a known number of steps.
pub(crate) fn bar(steps: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_message(what.to_owned());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// Lays rows out in columns, two spaces between them; the last column is not padded.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    rows.iter().map(|row| laid_out(row, &widths)).collect()
}

fn laid_out(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (i, cell) in row.iter().enumerate() {
        line.push_str(cell);
        if i + 1 < row.len() {
            line.extend(std::iter::repeat_n(' ', widths[i] - cell.chars().count() + 2));
        }
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_in_characters() {
        let rows = vec![vec!["müller".to_owned(), "1".to_owned()], vec!["a".to_owned(), "22".to_owned()]];
        assert_eq!(columns(&rows), "müller  1\na       22\n");
    }

    #[test]
    fn one_is_one_and_the_rest_are_many() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "name")), ["0 names", "1 name", "2 names"]);
        assert_eq!(counted_as(1, "entry", "entries"), "1 entry");
        assert_eq!(counted_as(21, "entry", "entries"), "21 entries");
    }

    #[test]
    fn plain_paint_adds_nothing() {
        assert_eq!(Paint::PLAIN.ink(Ink::Bad, "no"), "no");
        assert!(!Paint::PLAIN.colours());
    }
}
