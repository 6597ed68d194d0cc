//! A verdict in words, in the shape that every surface builds on (`explain --json`).

use crate::source::Source;
use crate::verdict::{Outcome, Rule, Severity};
use serde::Serialize;

/// One rule of the order, and whether it spoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceStep {
    /// The rule.
    pub rule: Rule,
    /// Whether it spoke.
    pub speaks: bool,
    /// What it said, if it spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Outcome>,
}

/// The whole answer of `explain --json`, in the order of its fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The person's id; `baseline` for nobody in particular.
    pub person: String,
    /// The instant, in the home's zone (RFC 3339 with offset).
    pub at: String,
    /// The host or address asked for.
    pub host: String,
    /// What happens.
    pub verdict: Outcome,
    /// The rule that spoke.
    pub rule: Rule,
    /// How much a refusal would tell staff; none when allowed.
    pub severity: Option<Severity>,
    /// The name's categories.
    pub categories: Vec<&'static str>,
    /// The name's service, if it belongs to one.
    pub service: Option<&'static str>,
    /// One plain sentence.
    pub sentence: String,
    /// The same to the person themself, without a name: for pages, which others may read along. It is no part of the JSON.
    #[serde(skip)]
    pub to_you: String,
    /// The line that says so; none for what is built in.
    pub source: Option<Source>,
    /// The next instant at which it could differ, in the home's zone.
    pub until: Option<String>,
    /// Every rule up to the one that spoke.
    pub trace: Vec<TraceStep>,
}
