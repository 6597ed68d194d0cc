//! The school calendar that `home.yaml` names by its address: its last good copy is one of the home's texts.

use crate::folder::Folder;
use crate::last_good;
use crate::lists::is_fetched;
use crate::lists::shelf::Shelf;
use agreements::House;
use chrono::{DateTime, Utc};

/// A calendar with years of events fits into this many bytes.
const LARGEST: u64 = 4 << 20;

/// The address of the home's calendar, if it is fetched.
pub(crate) fn address(house: &House) -> Option<String> {
    house.home().school.calendar.clone().filter(|calendar| is_fetched(calendar))
}

/// Adds the calendar's copy to the home's texts, under its address.
pub(crate) fn add(folder: &mut Folder, shelf: &Shelf, now: DateTime<Utc>) {
    // Most homes name no address: the file is not read twice for them.
    if !folder.texts.get("home.yaml").is_some_and(|text| text.contains("calendar")) {
        return;
    }
    if let Some(url) = address(&last_good::reading(&folder.texts, now).house) {
        let copy = shelf.copy(&url).and_then(|(body, _)| std::fs::read_to_string(body).ok());
        folder.texts.extend(copy.map(|text| (url, text)));
    }
}

/// Whether a fetched body is a calendar.
pub(crate) fn is_one(body: &str) -> bool {
    body.len() as u64 <= LARGEST && body.contains("BEGIN:VCALENDAR")
}
