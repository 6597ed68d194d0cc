//! A home to judge for: the sample home that comes with the program, and one more agreement.

use agreements::{House, PersonId};
use blocklists::{Category, Tags};
use chrono::{DateTime, NaiveDate, Utc};

/// The sample home's files, as they are delivered, and Morgan's.
const FILES: &[(&str, &str)] = &[
    ("home.yaml", include_str!("../../deploy/sample-home/home.yaml")),
    ("agreements/jordan.yaml", include_str!("../../deploy/sample-home/agreements/jordan.yaml")),
    ("agreements/sam.yaml", include_str!("../../deploy/sample-home/agreements/sam.yaml")),
    ("agreements/robin.yaml", include_str!("../../deploy/sample-home/agreements/robin.yaml")),
    ("agreements/kate-staff.yaml", include_str!("../../deploy/sample-home/agreements/kate-staff.yaml")),
    ("agreements/lounge-pc.yaml", include_str!("../../deploy/sample-home/agreements/lounge-pc.yaml")),
    ("agreements/morgan.yaml", MORGAN),
];

/// Mail and nothing else.
const MORGAN: &str = "\
person: Morgan
profile: email_only
agreed:
  risk_assessment: {ref: RA-2026-040, on: 2026-10-30, level: high}
  review_by: 2027-01-31
  young_person: {on: 2026-11-03, view: \"I only want to write to my brother for now.\"}
  social_worker: {name: A. Mensah, authority: Leeds, on: 2026-11-03}
  home_manager: {name: R. Osei, on: 2026-11-03}
devices: [{name: desktop, ip: 127.0.0.16}]
online: {every_day: 09:00-21:00}
";

/// Who is judged: an agreement of every shape.
pub const WHO: [&str; 5] = ["school", "with_staff", "allow_only", "email_only", "baseline"];

/// What is asked: name, host, the word of what the catalogue says, and the instant.
pub const ASKED: [(&str, &str, Option<&str>, &str); 6] = [
    ("unmentioned", "knitting.example", None, EVENING),
    ("category", "bets.example", Some("gambling"), EVENING),
    ("site", "news.bbc.co.uk", None, EVENING),
    ("school_hours", "knitting.example", None, "2026-11-24T10:00:00Z"),
    ("offline", "knitting.example", None, "2026-11-24T02:00:00Z"),
    ("protected", "www.childline.org.uk", Some("support"), EVENING),
];

/// A school day after school.
const EVENING: &str = "2026-11-24T17:00:00Z";

/// The home in force, read from its YAML.
///
/// # Panics
///
/// When a file has an error: then everybody would be on the baseline, and the figures would mean something else.
pub fn house() -> House {
    let files: Vec<_> = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let today = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day of the calendar");
    let reading = agreements::read(&files, today);
    let errors: Vec<_> = reading.problems.iter().filter(|p| p.level == agreements::Level::Error).collect();
    assert!(errors.is_empty(), "the sample home has errors: {errors:?}");
    reading.house
}

/// The person of a shape of [`WHO`].
pub fn person(house: &House, who: &str) -> PersonId {
    let id = match who {
        "school" => "jordan",
        "with_staff" => "sam",
        "allow_only" => "robin",
        "email_only" => "morgan",
        _ => return House::NOBODY,
    };
    house.person(id).expect("everybody of the sample home is there")
}

/// The tags of a word of [`ASKED`].
pub fn tags(word: Option<&str>) -> Tags {
    word.and_then(Category::from_word).map_or(Tags::NONE, Tags::category)
}

/// An instant as [`ASKED`] writes it.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("the table writes instants by RFC 3339")
}
