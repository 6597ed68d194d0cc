//! Draws a CSV file of measurements as an SVG file: lines over axes that are logarithmic where that tells more.
//!
//! Several samples of one point are drawn as their median, with a bar from the least to the most.

// It tells what it wrote, and what was wrong.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod axis;
mod csv;
mod svg;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  plot growth.csv --x count --y cpu_us --by load --only what=people --log-x \\
      --title 'Processor time a question' --x-title people --y-title 'µs' --out people.svg
  plot flood.csv --x second --y resident_mib --title 'Memory in a flood' --out flood.svg";

/// Draws a CSV file of measurements as an SVG file.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
struct Options {
    /// The measurements; the first line names the columns.
    file: PathBuf,
    /// The column along the bottom.
    #[arg(long)]
    x: String,
    /// The column that is drawn.
    #[arg(long)]
    y: String,
    /// The column whose values each get a line of their own.
    #[arg(long)]
    by: Option<String>,
    /// Only rows with this value, as `column=value`.
    #[arg(long)]
    only: Vec<String>,
    /// Powers of ten along the bottom.
    #[arg(long)]
    log_x: bool,
    /// Powers of ten up the side.
    #[arg(long)]
    log_y: bool,
    #[arg(long, default_value = "")]
    title: String,
    #[arg(long, default_value = "")]
    x_title: String,
    #[arg(long, default_value = "")]
    y_title: String,
    /// Where the picture goes.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    match draw(&Options::parse()) {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn draw(options: &Options) -> Result<String, String> {
    let shown = options.file.display();
    let text = std::fs::read_to_string(&options.file).map_err(|e| format!("{shown}: {e}"))?;
    let columns =
        csv::Columns { x: &options.x, y: &options.y, by: options.by.as_deref(), only: &options.only };
    let lines = csv::read(&text, &columns).map_err(|e| format!("{shown}: {e}"))?;
    let points: Vec<csv::Point> = lines.iter().flat_map(|line| line.points.clone()).collect();
    let across = axis::Axis::over(points.iter().map(|point| point.x), options.log_x);
    let up = axis::Axis::over(points.iter().flat_map(|point| [point.least, point.most]), options.log_y);
    let titles = svg::Titles { picture: &options.title, x: &options.x_title, y: &options.y_title };
    let picture = svg::picture(&lines, &across, &up, &titles);
    std::fs::write(&options.out, picture).map_err(|e| format!("{}: {e}", options.out.display()))?;
    Ok(format!("{}: {} lines, {} points", options.out.display(), lines.len(), points.len()))
}
