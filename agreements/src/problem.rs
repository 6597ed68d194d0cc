//! What is wrong with a file, said so that a manager can mend it.

use serde::Serialize;

/// Whether a problem refuses the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file is accepted; the manager should look.
    Warning,
    /// The file is refused; what was in force stays in force.
    Error,
}

/// A place in a file. Lines and columns count from 1; columns count characters, not bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file's path inside the home's folder (`agreements/jordan.yaml`).
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// One problem: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether it refuses the file.
    pub level: Level,
    /// The file's path inside the home's folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// A short, stable word for scripts (`bad-time`).
    pub code: &'static str,
    /// One sentence that a manager understands.
    pub sentence: String,
    /// The nearest right spelling, or what to write instead; empty when there is none.
    pub help: String,
    /// The line itself, as it stands in the file.
    #[serde(skip)]
    pub text: String,
    /// Another place that the sentence speaks of (the other of two equal-rank days).
    #[serde(skip)]
    pub other: Option<Place>,
}
