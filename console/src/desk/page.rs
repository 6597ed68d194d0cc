//! What every page of the desk has around it, and how pages are answered.

use super::session::SignedIn;
use agreements::{House, Role};
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What the last form did, in a page's address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct After {
    pub(crate) done: String,
}

/// A page's surroundings: the home, where one is, who is signed in.
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) home: String,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) user: Option<User>,
    /// What the last form did.
    pub(crate) done: Option<&'static str>,
    /// Whether the page follows what happens.
    pub(crate) live: bool,
    /// After so many seconds in which nobody does anything the page closes.
    pub(crate) idle: u32,
}

/// A page of the desk, as the navigation has it.
pub(crate) struct Tab {
    pub(crate) href: &'static str,
    pub(crate) label: &'static str,
    pub(crate) here: bool,
}

/// Who is signed in.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) role: &'static str,
}

/// The navigation: each page, and who finds it there.
const TABS: &[(&str, &str, &[Role])] = &[
    ("/", "Now", &[Role::Manager, Role::Staff, Role::Visitor, Role::It]),
    ("/shift", "Shift", &[Role::Manager, Role::Staff, Role::Visitor]),
    ("/asks", "Asks", &[Role::Manager, Role::Staff]),
    ("/restrictions", "Restrictions", &[Role::Manager, Role::Staff, Role::Visitor]),
    ("/people", "People", &[Role::Manager, Role::Staff]),
    ("/devices", "Devices", &[Role::Manager, Role::Staff, Role::Visitor, Role::It]),
    ("/lists", "Lists", &[Role::Manager, Role::Staff, Role::Visitor, Role::It]),
    ("/evidence", "Evidence", &[Role::Manager]),
    ("/accounts", "Accounts", &[Role::Manager]),
];

/// A role as people say it.
pub(crate) const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Manager => "manager",
        Role::Staff => "staff",
        Role::Visitor => "visitor, read only",
        Role::It => "IT",
    }
}

impl Frame {
    /// The frame of a page for nobody in particular.
    pub(crate) fn bare(title: impl Into<String>) -> Self {
        let (home, tabs) = (String::new(), Vec::new());
        Self { title: title.into(), home, tabs, user: None, done: None, live: false, idle: 0 }
    }

    /// The frame of a page for somebody. `here` is the address of its tab.
    pub(crate) fn of(title: impl Into<String>, here: &str, house: &House, who: &SignedIn) -> Self {
        let tabs = TABS.iter().filter(|(_, _, roles)| roles.contains(&who.role));
        Self {
            home: house.home().name.clone(),
            tabs: tabs.map(|(href, label, _)| Tab { href, label, here: *href == here }).collect(),
            idle: u32::from(house.home().desk_idle) * 60,
            user: Some(User { name: who.name.clone(), role: role_word(who.role) }),
            ..Self::bare(title)
        }
    }

    /// The same, following what happens.
    pub(crate) fn following(self) -> Self {
        Self { live: true, ..self }
    }

    /// The same, telling what a form did.
    pub(crate) fn after(self, done: Option<&'static str>) -> Self {
        Self { done, ..self }
    }
}

/// A rendered page.
pub(crate) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let mut response = text.into_response();
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            response
        }
        // Rendering writes into a string, which cannot fail.
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The initials of a name: for walls, print-outs and visitors (seed 000 §5.1: not displayed).
pub(crate) fn initials(name: &str) -> String {
    let letters = name.split([' ', '-', '.']).filter_map(|part| part.chars().next());
    letters.flat_map(char::to_uppercase).map(|letter| format!("{letter}.")).collect()
}

/// A name as somebody may see it.
pub(crate) fn name_for(role: Role, name: &str) -> String {
    match role {
        Role::Manager | Role::Staff => name.to_owned(),
        Role::Visitor | Role::It => initials(name),
    }
}

/// A wall-clock time on its day: `21:30`, `Mon 21:30`, `Mon 23 November 21:30`.
pub(crate) fn clock(house: &House, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let zone = house.home().timezone;
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let days = (at.date_naive() - now.date_naive()).num_days().abs();
    let form = match days {
        0 => "%H:%M",
        1..7 => "%a %H:%M",
        _ => "%a %-d %B %H:%M",
    };
    at.format(form).to_string()
}

/// A length of time in words: `4 minutes`, `2 h 5 min`, `3 days`.
pub(crate) fn length(minutes: i64) -> String {
    match minutes {
        ..1 => "less than a minute".to_owned(),
        1 => "a minute".to_owned(),
        2..60 => format!("{minutes} minutes"),
        60..2880 if minutes % 60 == 0 => format!("{} h", minutes / 60),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_walls() {
        for (name, short) in
            [("Jordan", "J."), ("Kim Lee", "K.L."), ("Anne-Marie", "A.M."), ("émile", "É."), ("", "")]
        {
            assert_eq!(initials(name), short, "{name}");
        }
        assert_eq!(name_for(Role::Staff, "Jordan"), "Jordan");
        assert_eq!(name_for(Role::Visitor, "Jordan"), "J.");
    }

    #[test]
    fn lengths_in_words() {
        for (minutes, words) in [
            (0, "less than a minute"),
            (1, "a minute"),
            (59, "59 minutes"),
            (60, "1 h"),
            (125, "2 h 5 min"),
            (4320, "3 days"),
        ] {
            assert_eq!(length(minutes), words);
        }
    }
}
