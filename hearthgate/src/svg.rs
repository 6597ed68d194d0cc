//! A week as a picture: SVG with words in it, fit to print and to be read aloud.

use crate::command::week::{DayRow, Timetable};
use crate::timetable::{self, Like};
use std::fmt::Write;

const LEFT: i64 = 120;
const CELL: i64 = 14;
const ROW: i64 = 34;
const TOP: i64 = 70;
const WIDTH: i64 = LEFT + 48 * CELL + 110;

/// The picture.
pub(crate) fn timetable(week: &Timetable) -> String {
    let height = TOP + 7 * ROW + 60 + 20 * week.limits.len() as i64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"t d\" font-family=\"sans-serif\" font-size=\"14\">\n\
         <title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"28\" font-size=\"19\" font-weight=\"bold\">{}</text>\n",
        escaped(&week.title),
        escaped(&described(week)),
        escaped(&week.title),
    );
    hours(&mut svg);
    for (i, day) in week.days.iter().enumerate() {
        row(&mut svg, day, TOP + i as i64 * ROW);
    }
    legend(&mut svg, week, TOP + 7 * ROW + 26);
    for (i, limit) in week.limits.iter().enumerate() {
        let y = TOP + 7 * ROW + 54 + i as i64 * 20;
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{y}\">Limit: {}</text>", escaped(limit));
    }
    svg.push_str("</svg>\n");
    svg
}

fn hours(svg: &mut String) {
    for hour in (0..=24).step_by(3) {
        let x = LEFT + hour * 2 * CELL;
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444444\">{hour:02}</text>\n\
             <line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\" stroke=\"#cccccc\"/>",
            TOP - 10,
            TOP - 4,
            TOP + 7 * ROW,
        );
    }
}

fn row(svg: &mut String, day: &DayRow, y: i64) {
    let _ = writeln!(svg, "<text x=\"16\" y=\"{}\">{}</text>", y + 20, day.date.format("%a %-d %b"));
    let mut x = LEFT;
    for run in day.cells.chunk_by(|a, b| a == b) {
        let width = run.len() as i64 * CELL;
        let (fill, _) = look(run[0]);
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\" fill=\"{fill}\" stroke=\"#ffffff\"/>",
            y + 4,
            ROW - 10,
        );
        x += width;
    }
    let total = timetable::said(day.minutes);
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{total}</text>", x + 10, y + 20);
}

/// Colours that differ in lightness too, so that a black-and-white print still tells them apart.
const fn look(like: Like) -> (&'static str, &'static str) {
    match like {
        Like::Off => ("#eeeeee", "only what is always reachable"),
        Like::Learning => ("#8fb3d9", "sites for learning"),
        Like::LearningWithStaff => ("#5f8fc4", "sites for learning, with staff"),
        Like::Mail => ("#d9c38f", "private mail"),
        Like::Baseline => ("#bfa5d6", "the home's baseline"),
        Like::Session => ("#a0a0a0", "in a session with staff"),
        Like::Online => ("#1f7a4d", "online, by the agreement"),
    }
}

fn legend(svg: &mut String, week: &Timetable, y: i64) {
    let mut x = LEFT;
    for like in Like::ALL.into_iter().filter(|l| week.days.iter().any(|d| d.cells.contains(l))) {
        let (fill, words) = look(like);
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"14\" height=\"14\" fill=\"{fill}\"/>\n<text x=\"{}\" y=\"{y}\">{words}</text>",
            y - 12,
            x + 20,
        );
        x += 40 + words.len() as i64 * 8;
    }
}

/// Every day in words, for whoever cannot see the picture.
fn described(week: &Timetable) -> String {
    let one = |day: &DayRow| format!("{}: {}.", day.date.format("%A"), day.words);
    week.days.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_text() {
        let week =
            Timetable { title: "<b>&\"Jo\"".to_owned(), days: Vec::new(), limits: Vec::new(), remark: None };
        let svg = timetable(&week);
        assert!(svg.contains("&lt;b&gt;&amp;&quot;Jo&quot;"));
        assert!(!svg.contains("<b>"));
        assert_eq!(svg.matches("<svg").count(), 1);
    }
}
