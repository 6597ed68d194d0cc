//! The picture. It reads on a white and on a dark page: it brings its own background.

use crate::axis::{Axis, shown};
use crate::csv::Line;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Room for numbers and titles: left, top, right, bottom.
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const RIGHT: f64 = 130.0;
const BOTTOM: f64 = 60.0;
/// Colours that people tell apart who do not see all of them (Okabe and Ito, 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/// What stands beside the lines.
pub(crate) struct Titles<'a> {
    pub(crate) picture: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// Draws it.
pub(crate) fn picture(lines: &[Line], across: &Axis, up: &Axis, titles: &Titles<'_>) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n\
         <title>{}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n",
        escaped(titles.picture)
    );
    words(&mut svg, (LEFT, 28.0), "start", "font-size=\"16\" font-weight=\"bold\"", titles.picture);
    grid(&mut svg, across, up);
    words(&mut svg, ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14.0), "middle", "", titles.x);
    let side = (TOP + HEIGHT - BOTTOM) / 2.0;
    words(&mut svg, (18.0, side), "middle", &format!("transform=\"rotate(-90 18 {side})\""), titles.y);
    let mut labels: Vec<(f64, usize)> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        draw(&mut svg, line, COLOURS[place % COLOURS.len()], across, up);
        labels.extend(line.points.last().map(|point| (y(up, point.y), place)));
    }
    // Names stand at the ends of their lines, none upon another.
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut above = f64::NEG_INFINITY;
    for (at, place) in labels {
        above = at.max(above + 16.0);
        let colour = format!("fill=\"{}\"", COLOURS[place % COLOURS.len()]);
        words(&mut svg, (WIDTH - RIGHT + 10.0, above + 4.0), "start", &colour, &lines[place].name);
    }
    svg + "</svg>\n"
}

fn x(axis: &Axis, value: f64) -> f64 {
    LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)
}

fn y(axis: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)
}

fn grid(svg: &mut String, across: &Axis, up: &Axis) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for mark in &up.marks {
        let at = y(up, *mark);
        let _infallible = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>");
        words(svg, (LEFT - 8.0, at + 4.0), "end", "fill=\"#555\"", &shown(*mark));
    }
    for mark in &across.marks {
        let at = x(across, *mark);
        let _infallible = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#eee\"/>");
        words(svg, (at, bottom + 20.0), "middle", "fill=\"#555\"", &shown(*mark));
    }
    let _infallible =
        writeln!(svg, "<path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#555\"/>");
}

fn draw(svg: &mut String, line: &Line, colour: &str, across: &Axis, up: &Axis) {
    let corners: Vec<String> =
        line.points.iter().map(|point| format!("{:.1},{:.1}", x(across, point.x), y(up, point.y))).collect();
    let _infallible = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
        corners.join(" ")
    );
    // A mark at each point, unless they are so many that they would hide the line.
    for point in line.points.iter().filter(|_| line.points.len() <= 20) {
        let (at, low, high) = (x(across, point.x), y(up, point.least), y(up, point.most));
        let _infallible = writeln!(svg, "<path d=\"M{at:.1} {low:.1}V{high:.1}\" stroke=\"{colour}\"/>");
        let _infallible =
            writeln!(svg, "<circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", y(up, point.y));
    }
}

fn words(svg: &mut String, (x, y): (f64, f64), anchor: &str, more: &str, text: &str) {
    if !text.is_empty() {
        let text = escaped(text);
        let _infallible =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {more}>{text}</text>");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
