//! What staff and a young person look at together, and what staff write down by hand.

use super::{By, Line};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Staff asked a young person to show them what they are doing (seed 003 §4.7c). They look together; nothing of it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowAsked {
    /// Whom, by id.
    pub person: String,
    /// Who asked.
    pub by: By,
    /// Why; may be empty.
    pub words: String,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Showing {
    /// They showed it.
    Shown,
    /// They would rather not. It is no breach.
    Declined,
    /// Later.
    Later,
}

/// The young person answered, or staff wrote down what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowAnswered {
    /// What was asked.
    pub entry: i64,
    /// Who says so.
    pub by: By,
    /// What became of it.
    pub outcome: Showing,
    /// What they say of it; may be empty.
    pub words: String,
}

/// What no gateway can see, written down by staff: bullying in a chat, a picture that was passed on (seed 003 §4.7d).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The id of whom it is about.
    pub person: String,
    /// When it was, as far as anybody knows.
    pub at: DateTime<Utc>,
    /// Who wrote it down.
    pub by: By,
    /// The line of the agreement that it is about; none where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Line>,
    /// What happened, in their words.
    pub words: String,
}
