//! The timetable as a picture: self-contained SVG that a screen reader can read and a printer can print.

use super::{Segment, SegmentKind, Week, WeekDay};
use std::fmt::Write;

const LEFT: u32 = 118;
const TOP: u32 = 64;
const ROW: u32 = 40;
const BAR: u32 = 26;
/// A line of what was agreed.
const LINE: u32 = 22;
/// Half a unit a minute.
const WIDTH: u32 = 720;

impl Week {
    /// The timetable as an SVG picture: no script, no outside font or address; colours that differ in lightness, too.
    pub fn svg(&self) -> String {
        let rows = self.days.len() as u32;
        let below = TOP + rows * ROW + 44;
        let (width, height) = (LEFT + WIDTH + 150, below + self.behaviour.len() as u32 * LINE);
        let name = escape(&self.name);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"t d\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
             <title id=\"t\">{name}'s week</title>\n<desc id=\"d\">{}</desc>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#fbfaf7\"/>\n\
             <text x=\"16\" y=\"28\" font-size=\"18\" font-weight=\"600\" fill=\"#26323a\">{name}'s week</text>\n",
            escape(&self.told())
        );
        svg += &hours(rows);
        for (place, day) in self.days.iter().enumerate() {
            svg += &row(day, TOP + place as u32 * ROW);
        }
        svg += &legend(TOP + rows * ROW + 16);
        for (place, line) in self.behaviour.iter().enumerate() {
            let y = below + place as u32 * LINE;
            let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{y}\" fill=\"#26323a\">{}</text>", escape(line));
        }
        svg + "</svg>\n"
    }

    /// The week in words, for those who do not see the picture.
    fn told(&self) -> String {
        let days = self.days.iter().map(|day| {
            let online = day.spans(SegmentKind::Online);
            let online = if online.is_empty() { "offline".into() } else { format!("online {online}") };
            let school = day.spans(SegmentKind::School);
            let school = if school.is_empty() { school } else { format!(", school hours {school}") };
            format!("{}: {online}{school}.", day.date.format("%A %-d %B"))
        });
        days.collect::<Vec<_>>().join(" ")
    }
}

fn hours(rows: u32) -> String {
    let mut lines = String::new();
    for hour in (0..=24).step_by(3) {
        let x = LEFT + hour * WIDTH / 24;
        let (top, bottom) = (TOP - 6, TOP + rows * ROW - 8);
        let _ = writeln!(
            lines,
            "<line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#d8d4ca\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#5b6670\">{hour:02}</text>",
            TOP - 12
        );
    }
    lines
}

fn row(day: &WeekDay, y: u32) -> String {
    let mut row =
        format!("<text x=\"16\" y=\"{}\" fill=\"#26323a\">{}</text>\n", y + 18, day.date.format("%a %-d %b"));
    for segment in &day.segments {
        row += &bar(segment, y);
    }
    if let Some(bedtime) = &day.bedtime {
        let x = LEFT + WIDTH + 12;
        let _ = writeln!(row, "<text x=\"{x}\" y=\"{}\" fill=\"#5b6670\">bedtime {bedtime}</text>", y + 18);
    }
    row
}

fn bar(segment: &Segment, y: u32) -> String {
    let (from, until) = (minute(&segment.starts), minute(&segment.ends));
    let (x, width) = (LEFT + from * WIDTH / 1440, (until.saturating_sub(from)) * WIDTH / 1440);
    let Segment { kind, starts, ends, reason, .. } = segment;
    format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" rx=\"3\" fill=\"{}\">\
         <title>{starts}–{ends}: {reason}</title></rect>\n",
        fill(*kind)
    )
}

fn fill(kind: SegmentKind) -> &'static str {
    match kind {
        SegmentKind::Offline => "#e9e6df",
        SegmentKind::School => "#8fb3d1",
        SegmentKind::Online => "#4f8a6d",
    }
}

fn legend(y: u32) -> String {
    let keys = [
        (SegmentKind::Online, "online"),
        (SegmentKind::School, "school hours: sites for learning"),
        (SegmentKind::Offline, "offline; what is protected is always open"),
    ];
    let mut legend = String::new();
    for ((kind, says), x) in keys.into_iter().zip([LEFT, LEFT + 110, LEFT + 360]) {
        let _ = writeln!(
            legend,
            "<rect x=\"{x}\" y=\"{y}\" width=\"14\" height=\"14\" rx=\"3\" fill=\"{}\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"#26323a\">{says}</text>",
            fill(kind),
            x + 20,
            y + 12
        );
    }
    legend
}

/// Minutes after midnight of a time as the clock shows it.
fn minute(clock: &str) -> u32 {
    let part = |p: Option<&str>| p.and_then(|p| p.parse::<u32>().ok()).unwrap_or(0);
    let mut parts = clock.split(':');
    part(parts.next()) * 60 + part(parts.next())
}

/// Text that can stand in XML: names are what people typed.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c if c.is_control() => {}
            c => out.push(c),
        }
        out
    })
}
