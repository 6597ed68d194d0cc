//! The timetable for a terminal.

use super::{SegmentKind, Week, WeekDay, duration};
use std::fmt::Write;

/// A cell is half an hour.
const CELLS: usize = 48;

impl Week {
    /// The timetable as text: one row a day, half an hour a character, exact times beside it. Colours are ANSI.
    pub fn render(&self, colour: bool) -> String {
        let mut text = format!("{}'s week · {}\n\n", self.name, self.home);
        text += "            ";
        for hour in (0..24).step_by(3) {
            let _ = write!(text, "{hour:02}    ");
        }
        text += "24\n";
        for day in &self.days {
            let _ = writeln!(text, "{}", row(day, colour));
        }
        let _ = writeln!(text, "\n            {}", legend(colour));
        for line in limits(&self.days) {
            let _ = writeln!(text, "            {line}");
        }
        if !self.behaviour.is_empty() {
            text += "\n            What we agreed:\n";
        }
        for line in &self.behaviour {
            let _ = writeln!(text, "            - {line}");
        }
        text
    }
}

fn row(day: &WeekDay, colour: bool) -> String {
    let mut line = format!("{:<10}  ", day.date.format("%a %-d %b"));
    let cells = cells(day);
    for run in cells.chunk_by(|a, b| a == b) {
        line += &paint(run[0], run.len(), colour);
    }
    let online = day.spans(SegmentKind::Online);
    line += "  ";
    line += if online.is_empty() { "offline" } else { &online };
    let school = day.spans(SegmentKind::School);
    if !school.is_empty() {
        let _ = write!(line, " · school {school}");
    }
    if let Some(bedtime) = &day.bedtime {
        let _ = write!(line, " · bedtime {bedtime}");
    }
    line
}

/// What holds in most of each half hour of the clock.
fn cells(day: &WeekDay) -> [SegmentKind; CELLS] {
    std::array::from_fn(|cell| {
        let middle = cell * 30 + 15;
        let middle = format!("{:02}:{:02}", middle / 60, middle % 60);
        // On the day of a clock change an hour is missing or shown twice: the last segment that shows the time is drawn.
        let shown = day.segments.iter().rfind(|s| s.starts <= middle && middle < s.ends);
        shown.map_or(SegmentKind::Offline, |s| s.kind)
    })
}

fn paint(kind: SegmentKind, count: usize, colour: bool) -> String {
    let (letter, ansi) = match kind {
        SegmentKind::Offline => ("·", "2"),
        SegmentKind::School => ("▒", "34"),
        SegmentKind::Online => ("█", "32"),
    };
    let run = letter.repeat(count);
    if colour { format!("\u{1b}[{ansi}m{run}\u{1b}[0m") } else { run }
}

fn legend(colour: bool) -> String {
    let key = |kind, says| format!("{} {says}", paint(kind, 2, colour));
    [
        key(SegmentKind::Online, "online"),
        key(SegmentKind::School, "school hours"),
        key(SegmentKind::Offline, "offline (what is protected is always open)"),
    ]
    .join("   ")
}

/// `games: 1 h on Mon, Tue; 2 h 30 min on Sat`.
fn limits(days: &[WeekDay]) -> Vec<String> {
    let mut keys: Vec<&str> = Vec::new();
    for limit in days.iter().flat_map(|d| &d.limits) {
        if !keys.contains(&limit.of.as_str()) {
            keys.push(&limit.of);
        }
    }
    keys.into_iter().map(|key| format!("{key}: {}", by_minutes(days, key))).collect()
}

fn by_minutes(days: &[WeekDay], key: &str) -> String {
    let mut told: Vec<(u16, Vec<String>)> = Vec::new();
    for day in days {
        let Some(limit) = day.limits.iter().find(|l| l.of == key) else { continue };
        let name = day.date.format("%a").to_string();
        match told.iter_mut().find(|(minutes, _)| *minutes == limit.minutes) {
            Some((_, names)) => names.push(name),
            None => told.push((limit.minutes, vec![name])),
        }
    }
    let told = told.into_iter().map(|(minutes, names)| match names.len() {
        7 => format!("{} a day", duration(minutes.into())),
        _ => format!("{} on {}", duration(minutes.into()), names.join(", ")),
    });
    told.collect::<Vec<_>>().join("; ")
}
