//! Consequences that an agreement names and that have been reached: suggested with the facts. A person decides; the gateway
//! does nothing by itself (seed 003 §4.7h).

use super::session::SignedIn;
use super::wrong::Wrong;
use agreements::{House, Severity};
use chrono::{DateTime, TimeDelta, Utc};
use records::{Kind, Records};

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

/// Everything that has been reached, by those whose episodes this reader reads.
pub(crate) async fn of(
    records: &Records,
    (house, who): (&House, &SignedIn),
    now: DateTime<Utc>,
) -> Result<Vec<Suggestion>, Wrong> {
    let mut reached = Vec::new();
    for (_, person) in house.people().filter(|(_, person)| who.may_read(person)) {
        for consequence in &person.consequences {
            let from = now - TimeDelta::days(i64::from(consequence.days));
            let count = records.reached(&person.id, from, kind(&consequence.of)).await?;
            if count < u64::from(consequence.count) {
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

/// What a consequence counts. What the young person told of themselves is no breach.
fn kind(of: &str) -> Kind<'_> {
    match of {
        "breaches" => Kind::Breaches,
        "circumvention" => Kind::Circumvention,
        "low" => Kind::Severity(Severity::Low),
        "medium" => Kind::Severity(Severity::Medium),
        "high" => Kind::Severity(Severity::High),
        "critical" => Kind::Severity(Severity::Critical),
        word => Kind::Word(word),
    }
}
