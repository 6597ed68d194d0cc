//! Why a command could not do what it was asked, and the exit code that says so to scripts.

use std::fmt;

/// The exit codes of every command, as `--help` and the program's reference list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked, and there is nothing to say about it.
    Done = 0,
    /// It looked, and the answer is no: the home has errors, the chain is broken, an entry was refused.
    No = 1,
    /// It could not look: a folder, file or store that cannot be read, or a command line that makes no sense.
    CannotRead = 2,
    /// No gateway runs for this home (`status` alone).
    NotRunning = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A sentence for whoever typed the command, what would help, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// One plain sentence.
    pub(crate) sentence: String,
    /// What to do about it; empty when there is nothing to add.
    pub(crate) help: String,
}

impl Failure {
    /// It could not look.
    pub(crate) fn cannot_read(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::CannotRead, sentence: sentence.into(), help: String::new() }
    }

    /// It looked, and the answer is no.
    pub(crate) fn no(sentence: impl Into<String>) -> Self {
        Self { exit: Exit::No, sentence: sentence.into(), help: String::new() }
    }

    /// Adds what would help: a sentence of its own, with a capital and a full stop however it was put together.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        let help = help.into();
        let mut letters = help.trim().chars();
        self.help =
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
        if self.help.ends_with(|last: char| last.is_alphanumeric() || last == '`') {
            self.help.push('.');
        }
        self
    }

    /// All of it in one line, for a line of JSON.
    pub(crate) fn in_one_line(&self) -> String {
        if self.help.is_empty() { self.sentence.clone() } else { format!("{}. {}", self.sentence, self.help) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_a_sentence() {
        for (help, told) in [
            ("say `--for 30m`", "Say `--for 30m`."),
            ("Did you mean `jo`?", "Did you mean `jo`?"),
            ("`hearthgate check` shows them all", "`hearthgate check` shows them all."),
            ("", ""),
        ] {
            assert_eq!(Failure::no("no").help(help).help, told);
        }
    }
}
