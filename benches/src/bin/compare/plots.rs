//! The pictures, drawn from the newest measurements of each kind.

use crate::options::Options;
use crate::world::run;
use crate::{Done, say};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A picture: its name, the end of its CSV file's name, and what `plot` is told.
struct Picture {
    name: &'static str,
    from: &'static str,
    how: &'static [&'static str],
    title: &'static str,
    x: &'static str,
    y: &'static str,
}

const PICTURES: &[Picture] = &[
    Picture {
        name: "lookup",
        from: "-lookup.csv",
        how: &["--x", "names", "--y", "value", "--by", "way", "--only", "measure=ns", "--log-x"],
        title: "A lookup, as the catalogue grows",
        x: "names",
        y: "ns a question",
    },
    Picture {
        name: "lookup-bytes",
        from: "-lookup.csv",
        how: &["--x", "names", "--y", "value", "--only", "measure=bytes", "--log-x"],
        title: "Memory of a catalogue, as it grows",
        x: "names",
        y: "bytes a name, all included",
    },
    Picture {
        name: "people",
        from: "-growth.csv",
        how: &["--x", "count", "--y", "cpu_us", "--by", "load", "--only", "what=people", "--log-x"],
        title: "Processor time a question, as the home grows",
        x: "people with an agreement each",
        y: "µs a question",
    },
    Picture {
        name: "workers",
        from: "-growth.csv",
        how: &["--x", "count", "--y", "cpu_us", "--by", "load", "--only", "what=workers"],
        title: "Processor time a question, by workers",
        x: "workers",
        y: "µs a question",
    },
    Picture {
        name: "flood-memory",
        from: "-flood.csv",
        how: &["--x", "second", "--y", "resident_mib"],
        title: "Resident memory while refusals flood",
        x: "seconds",
        y: "MiB",
    },
    Picture {
        name: "flood-journal",
        from: "-flood.csv",
        how: &["--x", "second", "--y", "journal_mib"],
        title: "The journal's size while refusals flood",
        x: "seconds",
        y: "MiB",
    },
];

/// Draws all whose measurements are there, beside them.
pub(crate) fn draw(options: &Options) -> Done {
    for picture in PICTURES {
        let Some(csv) = newest(&options.record, picture.from) else {
            say(format!("{}: there is no {} yet", picture.name, picture.from.trim_start_matches('-')));
            continue;
        };
        let mut plot = Command::new(options.built.join("plot"));
        plot.arg(&csv).args(picture.how).args(["--title", picture.title, "--x-title", picture.x]);
        plot.args(["--y-title", picture.y])
            .arg("--out")
            .arg(options.record.join(format!("{}.svg", picture.name)));
        match run(&mut plot) {
            Ok(told) => say(told),
            // Workers are measured only when it is known how to set their number.
            Err(error) => say(format!("{}: not drawn: {error}", picture.name)),
        }
    }
    Ok(())
}

/// Days sort like words.
fn newest(folder: &Path, end: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.to_string_lossy().ends_with(end)).max()
}
