//! Times as people type them: `--at`, `--for`, `--until`, `--from`.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};
use serde_json::Value;

/// Reads an instant: RFC 3339 with a zone, or the home's wall clock (`2026-11-22T21:30`, `2026-11-22 21:30`, `21:30` for
/// today, a date alone for its first minute).
///
/// A wall-clock time that the clocks skip is the moment they skip to. One that comes twice is the first, as a window's end is.
pub(crate) fn instant(text: &str, zone: Tz, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return Ok(at.with_timezone(&Utc));
    }
    let today = now.with_timezone(&zone).date_naive();
    wall(text, today).map(|wall| on_the_clock(wall, zone)).ok_or_else(|| {
        format!(
            "`{text}` is no time. Write `2026-11-22T21:30` for the home's clock, `21:30` for today, \
             or `2026-11-22T21:30:00Z` with a zone."
        )
    })
}

fn wall(text: &str, today: NaiveDate) -> Option<NaiveDateTime> {
    const WITH_DATE: [&str; 4] =
        ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"];
    let dated = WITH_DATE.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let timed = || ["%H:%M", "%H:%M:%S"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok());
    let day = || date(text).ok().map(|d| d.and_time(NaiveTime::MIN));
    dated.or_else(|| timed().map(|t| today.and_time(t))).or_else(day)
}

/// Reads a date (`2026-11-22`).
pub(crate) fn date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .map_err(|_| format!("`{text}` is no date. Write it as `2026-11-22`."))
}

/// The instant of a wall-clock time.
pub(crate) fn on_the_clock(wall: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
        LocalResult::None => {
            let end = GapInfo::new(&wall, &zone).and_then(|gap| gap.end);
            end.map_or_else(|| wall.and_utc(), |at| at.with_timezone(&Utc))
        }
    }
}

/// Reads a length of time: `20m`, `1h`, `2h30m`, `3d`, `1w`. At most a year.
pub(crate) fn length(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time. Write `20m`, `1h30m` or `2d`.");
    let mut rest = text.trim();
    let mut minutes: i64 = 0;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
        let each = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 24 * 60,
            'w' => 7 * 24 * 60,
            _ => return Err(wrong()),
        };
        minutes = number.checked_mul(each).and_then(|n| n.checked_add(minutes)).ok_or_else(wrong)?;
        rest = &rest[digits + 1..];
    }
    let most = 366 * 24 * 60;
    if (1..=most).contains(&minutes) { Ok(Duration::minutes(minutes)) } else { Err(wrong()) }
}

/// A time in words for people at home: `Mon 23 Nov 07:00`.
pub(crate) fn words(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b %H:%M").to_string()
}

/// A time for scripts: RFC 3339 with the home's offset.
pub(crate) fn rfc3339(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

/// The keys under which the records' own shapes have an instant.
const INSTANTS: [&str; 7] = ["at", "first", "last", "from", "until", "to", "compiled"];

/// A value as JSON for scripts: what is an instant in UTC becomes [`rfc3339`], at any depth.
pub(crate) fn at_home(value: &impl serde::Serialize, zone: Tz) -> Value {
    let mut json = serde_json::to_value(value).expect("our own values have only string keys");
    bring_home(&mut json, zone);
    json
}

fn bring_home(json: &mut Value, zone: Tz) {
    match json {
        Value::Object(fields) => {
            for (key, field) in fields {
                let instant = field.as_str().filter(|_| INSTANTS.contains(&key.as_str()));
                match instant.and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
                    Some(at) => *field = rfc3339(at.with_timezone(&Utc), zone).into(),
                    None => bring_home(field, zone),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| bring_home(item, zone)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How long ago something was, in one unit: `12 minutes`.
pub(crate) fn span(length: Duration) -> String {
    let minutes = length.num_minutes().max(0);
    let (number, unit) = match minutes {
        0 => return "less than a minute".to_owned(),
        1..120 => (minutes, "minute"),
        120..2880 => (minutes / 60, "hour"),
        _ => (minutes / 1440, "day"),
    };
    crate::terminal::counted(number.unsigned_abs(), unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::London;

    fn at(text: &str) -> String {
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        instant(text, London, now).map_or_else(|e| e, |t| rfc3339(t, London))
    }

    #[test]
    fn times_as_typed() {
        let cases = [
            ("the home's wall clock in winter", "2026-11-22T21:30", "2026-11-22T21:30:00+00:00"),
            ("a space for the T", "2026-11-22 21:30", "2026-11-22T21:30:00+00:00"),
            ("wall clock in summer", "2026-07-01T21:30", "2026-07-01T21:30:00+01:00"),
            ("with seconds", "2026-07-01T21:30:15", "2026-07-01T21:30:15+01:00"),
            ("a zone of its own", "2026-07-01T21:30:00Z", "2026-07-01T22:30:00+01:00"),
            ("today", "07:05", "2026-11-22T07:05:00+00:00"),
            ("a date is its first minute", "2026-11-23", "2026-11-23T00:00:00+00:00"),
            ("now", "now", "2026-11-22T12:00:00+00:00"),
            ("skipped by the clocks", "2027-03-28T01:30", "2027-03-28T02:00:00+01:00"),
            ("twice: the first", "2027-10-31T01:30", "2027-10-31T01:30:00+01:00"),
        ];
        for (name, typed, meant) in cases {
            assert_eq!(at(typed), meant, "{name}");
        }
        for wrong in ["", "25:00", "2026-13-01", "2026-11-22T21", "tomorrow", "2026-02-30T10:00"] {
            assert!(at(wrong).contains("is no time"), "{wrong}");
        }
    }

    #[test]
    fn instants_in_json_are_the_homes() {
        let records = serde_json::json!([{"at": "2026-07-18T15:00:00.250Z", "from": "lists/a.txt",
            "words": "2026-07-18T15:00:00Z", "answered": {"until": "2026-11-22T15:00:00Z"}}]);
        let told = serde_json::json!([{"at": "2026-07-18T16:00:00+01:00", "from": "lists/a.txt",
            "words": "2026-07-18T15:00:00Z", "answered": {"until": "2026-11-22T15:00:00+00:00"}}]);
        assert_eq!(at_home(&records, London), told, "what people wrote stays as it is");
    }

    #[test]
    fn lengths_as_typed() {
        let cases = [("20m", 20), ("1h", 60), ("2h30m", 150), ("3d", 4320), ("1w", 10080)];
        for (typed, minutes) in cases {
            assert_eq!(length(typed), Ok(Duration::minutes(minutes)), "{typed}");
        }
        for wrong in ["", "0m", "20", "m", "-5m", "5x", "99999999999999999999m", "367d", "1h-5m", "5µ"] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_in_one_unit() {
        let cases = [
            (0, "less than a minute"),
            (1, "1 minute"),
            (119, "119 minutes"),
            (120, "2 hours"),
            (3000, "2 days"),
        ];
        for (minutes, words) in cases {
            assert_eq!(span(Duration::minutes(minutes)), words);
        }
    }
}
