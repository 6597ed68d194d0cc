//! What somebody asks, or tells staff, on a page of theirs.

use agreements::{House, PersonKind};
use console::{Heard, Told};
use records::{By, ByRole, NotDone, Records};

/// What stands in the journal where somebody wrote no words of their own.
const SAW: &str = "I saw something that upset me.";

/// Keeps what somebody told.
pub(super) async fn keep(records: &Records, house: &House, told: Told) -> Heard {
    let kept = match told {
        Told::Ask(ask) if ask.host.is_empty() => records.ask_time(&ask.person, &ask.words).await,
        Told::Ask(ask) => records.ask(&ask.person, &ask.host, &ask.words).await,
        Told::Saw(saw) => {
            let words = if saw.words.is_empty() { SAW } else { &saw.words };
            let mut by = by(house, &saw.person);
            if let Some(device) = saw.device {
                by.id = device.to_string();
            }
            records.report(&saw.person, by, words, saw.adult.as_deref()).await
        }
    };
    match kept {
        Ok(_) => Heard::Kept,
        Err(NotDone::TooManyReports | NotDone::TooManyAsks) => Heard::Often,
        Err(why) => {
            tracing::warn!(%why, "what somebody told was not kept");
            Heard::NotKept
        }
    }
}

/// Who tells something on somebody's device: staff may do so as well as young people.
fn by(house: &House, person: &str) -> By {
    let of = house.person(person).and_then(|of| house.agreement(of));
    let is_staff = of.is_some_and(|of| of.kind == PersonKind::Staff);
    let role = if is_staff { ByRole::Staff } else { ByRole::YoungPerson };
    By { role, id: person.to_owned(), name: person.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn who_tells_something_is_a_young_person_or_staff() {
        let person = |name: &str, kind: &str| {
            (
                format!("agreements/{}.yaml", name.to_lowercase()),
                format!("person: {name}\nfor: {kind}\notherwise: allow\nonline: all_day\n"),
            )
        };
        let home = ("home.yaml".to_owned(), "home: Oakview House\ntimezone: Europe/London\n".to_owned());
        let files = [home, person("Kate", "staff"), person("Tablet", "device")];
        let house = agreements::read(&files, "2026-11-22".parse().expect("a date")).house;
        for (id, role) in
            [("kate", ByRole::Staff), ("tablet", ByRole::YoungPerson), ("gone", ByRole::YoungPerson)]
        {
            assert_eq!(by(&house, id).role, role, "{id}");
        }
    }
}
