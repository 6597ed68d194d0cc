//! Consequences that an agreement names and that have been reached: suggested with the facts. A person decides; the gateway
//! does nothing by itself (seed 003 §4.7h).

use super::wrong::Wrong;
use agreements::{Consequence, House, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use records::{Episode, Records, Which};

/// One that has been reached.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) name: String,
    /// What was counted.
    pub(crate) facts: String,
    pub(crate) suggest: String,
    /// The line of the agreement.
    pub(crate) source: String,
}

/// Everything that has been reached.
pub(crate) async fn of(
    records: &Records,
    house: &House,
    now: DateTime<Utc>,
) -> Result<Vec<Suggestion>, Wrong> {
    let mut reached = Vec::new();
    for (_, person) in house.people() {
        for consequence in &person.consequences {
            let from = now - TimeDelta::days(i64::from(consequence.days));
            let which = Which { from: Some(from), person: Some(person.id.clone()), ..Which::default() };
            let episodes = records.episodes(&which).await?;
            let count = episodes.iter().filter(|e| e.first >= from && counts(consequence, e)).count();
            if count < consequence.count as usize {
                continue;
            }
            let source = house.source(consequence.source);
            reached.push(Suggestion {
                name: person.name.clone(),
                facts: format!(
                    "{count} of “{}” in {} days; {} were agreed",
                    consequence.of.replace('_', " "),
                    consequence.days,
                    consequence.count
                ),
                suggest: consequence.suggest.clone(),
                source: source.map(|s| format!("{} line {}", s.file, s.line)).unwrap_or_default(),
            });
        }
    }
    Ok(reached)
}

/// Whether an episode is of what a consequence counts. What the young person told of themselves is no breach.
fn counts(consequence: &Consequence, episode: &Episode) -> bool {
    let severity = |word: &str| match word {
        "low" => Some(Severity::Low),
        "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    };
    let of = consequence.of.as_str();
    episode.is_breach()
        && match of {
            "breaches" | "breach" => true,
            "circumvention" => episode.circumvention,
            _ => {
                let rule = serde_json::to_value(episode.rule).unwrap_or_default();
                severity(of) == Some(episode.severity) || rule == *of
            }
        }
}
