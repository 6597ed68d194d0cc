//! Where a rule was written, so that every verdict can point at its line.

use serde::Serialize;

/// A line that a rule came from, by its place in the house's table of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A line of a home's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The file's path inside the home's folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The line's text without the white space around it and without its comment: a refusal page quotes it, and comments
    /// are written for whoever keeps the file.
    pub text: String,
}
