//! README's table: each figure beside the best peer's and the kernel's limit.

use crate::Done;
use crate::dns::STEADY;
use crate::peers::{Kind, PEERS};
use crate::record::Record;
use crate::samples::Samples;
use std::fmt::Write;
use std::path::Path;

/// What is told in one line.
struct Row {
    title: &'static str,
    work: &'static str,
    figure: &'static str,
    /// The work of the limit that this is measured against.
    limit: &'static str,
    fewer_is_better: bool,
    digits: usize,
    /// What the samples are divided by.
    unit: f64,
}

const MORE: Row =
    Row { title: "", work: "", figure: "rate", limit: "", fewer_is_better: false, digits: 0, unit: 1.0 };
const LESS: Row = Row { figure: "cpu_us", fewer_is_better: true, digits: 2, ..MORE };

const ROWS: &[Row] = &[
    Row { title: "refused names, Zipf, a second on one core", work: "refused", limit: "mixed", ..MORE },
    Row { title: "— processor, µs each", work: "refused", limit: "mixed", ..LESS },
    Row { title: "refused names, each asked once, a second", work: "refused-once", limit: "mixed", ..MORE },
    Row { title: "— processor, µs each", work: "refused-once", limit: "mixed", ..LESS },
    Row { title: "allowed names, cached, Zipf, a second", work: "allowed", limit: "mixed", ..MORE },
    Row { title: "— processor, µs each", work: "allowed", limit: "mixed", ..LESS },
    Row { title: "30 % refused, most below listed names, a second", work: "mixed", limit: "mixed", ..MORE },
    Row { title: "— processor, µs each", work: "mixed", limit: "mixed", ..LESS },
    Row {
        title: "99 % answered within, at 20,000 a second, µs",
        work: STEADY,
        figure: "p99",
        limit: STEADY,
        digits: 0,
        ..LESS
    },
    Row {
        title: "resident with the list loaded, MiB",
        work: "memory",
        figure: "loaded_kib",
        digits: 0,
        unit: 1024.0,
        ..LESS
    },
    Row {
        title: "resident after the loads, MiB",
        work: "memory",
        figure: "end_kib",
        digits: 0,
        unit: 1024.0,
        ..LESS
    },
    Row { title: "start to first answer, ms", work: "start", figure: "ms", digits: 0, ..LESS },
    Row { title: "1 KiB requests through the proxy, a second", work: "requests", limit: "requests", ..MORE },
    Row { title: "— processor, µs each", work: "requests", limit: "requests", ..LESS },
    Row { title: "CONNECT tunnels to the first answer, a second", work: "tunnels", limit: "tunnels", ..MORE },
    Row { title: "— processor, µs each", work: "tunnels", limit: "tunnels", ..LESS },
    Row { title: "through one tunnel, GiB a second", work: "flow", limit: "flow", digits: 2, ..MORE },
    Row { title: "an idle tunnel, KiB", work: "idle", figure: "kib", limit: "idle", digits: 1, ..LESS },
];

/// The table from the newest record of a folder.
pub(crate) fn newest(folder: &Path) -> Done<String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = paths.filter(|path| path.extension().is_some_and(|e| e == "json")).max();
    let newest =
        newest.ok_or_else(|| format!("{}: no record; `benches/compare` makes one", folder.display()))?;
    let record: Record = serde_json::from_slice(&std::fs::read(&newest)?)?;
    let day = newest.file_stem().unwrap_or_default().to_string_lossy();
    Ok(format!(
        "{}\n{}, {}. [The whole record](benches/record/{day}.md)\n",
        table(&record.measured),
        record.machine.date,
        record.machine.processor
    ))
}

/// The table as Markdown; rows that were not measured are left out.
pub(crate) fn table(measured: &Samples) -> String {
    let mut table = String::from(
        "| work | Hearthgate | best peer | Hearthgate / peer | the kernel's limit | Hearthgate / limit |\n|---|---|---|---|---|---|\n",
    );
    for row in ROWS {
        let Some(ours) = best(measured, row, row.work, Kind::Hearthgate) else { continue };
        let show = |value: f64| format!("{:.*}", row.digits, value / row.unit);
        let beside = |other: Option<(String, f64)>| match other {
            Some((name, value)) => format!("{} ({name}) | {}", show(value), ratio(ours.1, value)),
            None => "– | –".into(),
        };
        let peer = beside(best(measured, row, row.work, Kind::Filter));
        let limit = beside(best(measured, row, row.limit, Kind::Limit));
        let _infallible = writeln!(table, "| {} | {} | {peer} | {limit} |", row.title, show(ours.1));
    }
    table
}

fn ratio(ours: f64, other: f64) -> String {
    if other.abs() < 1e-9 { "–".into() } else { format!("{:.2}", ours / other) }
}

/// The best median among the measured of a kind.
fn best(measured: &Samples, row: &Row, work: &str, kind: Kind) -> Option<(String, f64)> {
    let of_kind = |name: &String| PEERS.iter().any(|peer| peer.name == name && peer.kind == kind);
    let peers = measured.peers(&[work]).into_iter().filter(of_kind);
    let medians = peers.filter_map(|name| {
        let median = measured.spread(&name, work, row.figure)?.median;
        Some((name, median))
    });
    match row.fewer_is_better {
        true => medians.min_by(|a, b| a.1.total_cmp(&b.1)),
        false => medians.max_by(|a, b| a.1.total_cmp(&b.1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Sample;

    #[test]
    fn the_best_peer_is_the_fastest_filter_and_not_the_limit() {
        let samples = [
            ("hearthgate", "refused", 300.0),
            ("dnsdist", "refused", 100.0),
            ("bind9", "refused", 50.0),
            ("echo", "mixed", 600.0),
        ];
        let samples = samples.map(|(peer, work, value)| Sample {
            round: 1,
            peer: peer.into(),
            work: work.into(),
            figure: "rate".into(),
            value,
        });
        let table = table(&Samples { samples: samples.to_vec(), ..Samples::default() });
        let row = "| refused names, Zipf, a second on one core | 300 | 100 (dnsdist) | 3.00 | 600 (echo) | 0.50 |\n";
        assert!(table.ends_with(row), "{table}");
    }

    #[test]
    fn of_processor_time_the_least_is_best() {
        let samples = [("hearthgate", 3.0), ("dnsdist", 6.0), ("bind9", 4.0)];
        let samples = samples.map(|(peer, value)| Sample {
            round: 1,
            peer: peer.into(),
            work: "allowed".into(),
            figure: "cpu_us".into(),
            value,
        });
        let table = table(&Samples { samples: samples.to_vec(), ..Samples::default() });
        assert!(
            table.ends_with("| — processor, µs each | 3.00 | 4.00 (bind9) | 0.75 | – | – |\n"),
            "{table}"
        );
    }
}
