//! The lookup: nanoseconds a question, alone and in batches of 32, bytes a name, compiling and opening, with 1 and 5 million
//! names.
//!
//! Before divan's table, which measures the wall clock, stand nanoseconds on the processor: they hold better on a busy machine. A
//! map of the standard library (which is hashbrown) with foldhash, asked for each suffix, takes turns with the catalogue in the
//! same process, as an anchor between machines and days.
//!
//! `HEARTHGATE_CSV=file` writes the figures for 10 thousand to 10 million names into a file and does nothing else.

// A bench is a program whose figures go to its output.
#![allow(clippy::print_stdout)]

use benches::names::{listed, questions, real, zipf};
use blocklists::format::{Format, ListInput};
use blocklists::{Catalogue, Category, Compiler, Name, Tags};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::collections::HashMap;
use std::fmt;
use std::io::Write;
use std::sync::LazyLock;
use std::time::Instant;

/// Distinct questions, and how many are asked in a pass.
const QUESTIONS: usize = 2_000_000;
/// Passes of each kind; the kinds take turns.
const ROUNDS: usize = 7;

fn main() {
    if let Some(path) = std::env::var_os("HEARTHGATE_CSV") {
        let mut file = std::fs::File::create(path).expect("the file for the figures can be made");
        writeln!(file, "{}", Measured::COLUMNS).expect("figures can be written");
        for count in [10_000, 100_000, 1_000_000, 5_000_000, 10_000_000] {
            let world = World::new(count);
            println!("{}", world.figures);
            file.write_all(world.measure().rows(&world).as_bytes()).expect("figures can be written");
        }
        return;
    }
    for world in [&*MILLION, &*FIVE_MILLION] {
        println!("{}\n{}", world.figures, world.measure());
    }
    divan::main();
}

static REAL: LazyLock<Vec<String>> = LazyLock::new(real);
static MILLION: LazyLock<World> = LazyLock::new(|| World::new(1_000_000));
static FIVE_MILLION: LazyLock<World> = LazyLock::new(|| World::new(5_000_000));

/// Texts laid end to end in the order of asking, as packets come in.
struct Asked {
    text: String,
    ends: Vec<usize>,
}

impl Asked {
    fn new<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for name in names {
            text.push_str(name);
            ends.push(text.len());
        }
        Self { text, ends }
    }

    fn names(&self) -> Vec<Name<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| Name::trusted(&self.text[start..*end])).collect()
    }
}

struct World {
    catalogue: Catalogue,
    /// The same names in a map.
    map: HashMap<String, u64, foldhash::fast::FixedState>,
    /// Each question once, in random order.
    uniform: Asked,
    /// Drawn by Zipf's law.
    zipf: Asked,
    figures: String,
    compile: Compiling,
    open: Open,
}

impl World {
    fn new(count: usize) -> Self {
        let names = listed(&REAL, count);
        let questions = questions(&REAL, &names, QUESTIONS);
        let (catalogue, compile) = compile(&names);
        let uniform = Asked::new(questions.iter());
        let zipf = Asked::new(zipf(QUESTIONS, QUESTIONS).into_iter().map(|rank| &questions[rank]));
        let hits = uniform.names().iter().filter(|name| !catalogue.lookup(**name).is_empty()).count();
        let (info, open) = (catalogue.info(), open_seconds(&catalogue));
        let figures = format!(
            "{} names, {} of them real: {:.2} bytes a name; compiled in {:.2} s ({:.2} s on the processors), {} MiB at most, {:.1} \
             times the catalogue; opened in {:.1} ms, right after it was written in {:.1}; {:.1} % hits",
            info.names,
            REAL.len().min(count),
            info.bytes_per_name(),
            compile.wall,
            compile.processors,
            compile.peak >> 20,
            compile.peak as f64 / info.bytes as f64,
            open.again * 1e3,
            open.first * 1e3,
            hits as f64 * 100.0 / QUESTIONS as f64,
        );
        let map = names.into_iter().map(|name| (name, 1)).collect();
        Self { catalogue, map, uniform, zipf, figures, compile, open }
    }

    fn measure(&self) -> Measured {
        let mut measured = Measured::default();
        for _ in 0..ROUNDS {
            for (order, asked) in [&self.zipf, &self.uniform].into_iter().enumerate() {
                let names = asked.names();
                measured.0[order][0].push(processor_ns(|| {
                    for name in &names {
                        black_box(self.catalogue.lookup(*name));
                    }
                }));
                let mut tags = [Tags::NONE; 32];
                measured.0[order][1].push(processor_ns(|| {
                    for names in names.chunks(32) {
                        self.catalogue.lookup_many(names, &mut tags);
                        black_box(&tags);
                    }
                }));
                measured.0[order][2].push(processor_ns(|| {
                    for name in &names {
                        let of = |suffix: Name<'_>| self.map.get(suffix.as_str()).copied().unwrap_or(0);
                        black_box(name.suffixes().fold(0, |all, suffix| all | of(suffix)));
                    }
                }));
            }
        }
        measured.0.iter_mut().flatten().for_each(|passes| passes.sort_by(f64::total_cmp));
        measured
    }
}

/// Nanoseconds of each pass, in order of size: by order of asking (Zipf, uniform), then alone, in batches, in the map.
#[derive(Default)]
struct Measured([[Vec<f64>; 3]; 2]);

impl Measured {
    const COLUMNS: &str = "names,measure,way,value";

    /// The rows of one size: every pass's nanoseconds, then what the catalogue is and cost.
    fn rows(&self, world: &World) -> String {
        let (info, compile) = (world.catalogue.info(), &world.compile);
        let ways = ORDERS.iter().flat_map(|order| KINDS.iter().map(move |kind| format!("{kind} ({order})")));
        let mut rows = String::new();
        for (way, passes) in ways.zip(self.0.iter().flatten()) {
            for ns in passes {
                rows += &format!("{},ns,{way},{ns:.1}\n", info.names);
            }
        }
        for (measure, value) in [
            ("bytes", info.bytes_per_name()),
            ("compile_s", compile.wall),
            ("compile_mib", (compile.peak >> 20) as f64),
            ("open_ms", world.open.again * 1e3),
            ("open_first_ms", world.open.first * 1e3),
        ] {
            rows += &format!("{},{measure},catalogue,{value:.3}\n", info.names);
        }
        rows
    }
}

/// How questions are drawn, and how they are looked up: the rows and columns of [`Measured`].
const ORDERS: [&str; 2] = ["Zipf", "uniform"];
const KINDS: [&str; 3] = ["alone", "in batches of 32", "in a map with foldhash"];

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (order, kinds) in ORDERS.into_iter().zip(&self.0) {
            write!(f, "  {order}:")?;
            for (kind, passes) in KINDS.into_iter().zip(kinds) {
                let (least, most) = (passes[0], passes[ROUNDS - 1]);
                write!(f, " {:.0} ns {kind} ({least:.0} to {most:.0})", passes[ROUNDS / 2])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Nanoseconds on the processor for each question of a pass.
fn processor_ns(pass: impl FnOnce()) -> f64 {
    let (wall, before) = (Instant::now(), on_processor());
    pass();
    let spent = on_processor().zip(before).map(|(after, before)| (after - before) as f64);
    spent.unwrap_or_else(|| wall.elapsed().as_nanos() as f64) / QUESTIONS as f64
}

/// What the kernel has counted of this thread, in nanoseconds (Linux, proc(5)); elsewhere the wall clock must do.
fn on_processor() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// What compiling cost.
struct Compiling {
    /// Seconds by the clock on the wall, and on all processors.
    wall: f64,
    processors: f64,
    /// Bytes of memory at most, beyond what was there before (the lists' text); 0 where the kernel does not say.
    peak: u64,
}

/// Compiles names under four categories, so that there are sets to tell apart.
fn compile(names: &[String]) -> (Catalogue, Compiling) {
    let words = ["gambling", "advertising", "malware", "pornography"];
    let texts: Vec<String> = (0..words.len())
        .map(|part| names.iter().skip(part).step_by(words.len()).map(|name| format!("{name}\n")).collect())
        .collect();
    // Makes the kernel forget the highest mark so far (proc(5)).
    let _not_everywhere = std::fs::write("/proc/self/clear_refs", "5");
    let (begun, before, processors) = (Instant::now(), status("VmRSS:"), processor_seconds());
    let mut compiler = Compiler::with_seed(7);
    for (word, text) in words.iter().zip(&texts) {
        let tags = Category::from_word(word).map_or(Tags::NONE, Tags::category);
        let list = ListInput { format: Some(Format::Plain), ..ListInput::new(word, tags, text.as_bytes()) };
        compiler.add(list).expect("names are a list");
    }
    let catalogue = compiler.finish(0).expect("a few million names fit");
    let wall = begun.elapsed().as_secs_f64();
    let (processors, peak) = (processor_seconds() - processors, status("VmHWM:").saturating_sub(before));
    (catalogue, Compiling { wall, processors, peak })
}

/// A row of this process's status, in bytes; 0 where the kernel has none.
fn status(row: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        text.lines().find_map(|line| line.strip_prefix(row)?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

/// Seconds that all threads of this process, also those that have ended, were on a processor (proc(5): utime and stime in hundredths).
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let cells = text.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    cells.skip(11).take(2).filter_map(|cell| cell.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Seconds that opening takes, all sections checked.
struct Open {
    /// Right after the file was written.
    first: f64,
    /// The median of seven times after that, as at every start but the first.
    again: f64,
}

fn open_seconds(catalogue: &Catalogue) -> Open {
    let path = std::env::temp_dir().join(format!("hearthgate-bench-{}.catalogue", std::process::id()));
    catalogue.write_to(&path).expect("a temporary file can be written");
    let open = || {
        let begun = Instant::now();
        let opened = Catalogue::open(&path).expect("what was written can be opened");
        let seconds = begun.elapsed().as_secs_f64();
        drop(opened);
        seconds
    };
    let (first, mut times) = (open(), [(); 7].map(|()| open()));
    times.sort_unstable_by(f64::total_cmp);
    std::fs::remove_file(&path).expect("the temporary file is there");
    Open { first, again: times[times.len() / 2] }
}

fn alone(bencher: Bencher<'_, '_>, world: &World, asked: &Asked) {
    let names = asked.names();
    bencher.counter(ItemsCount::new(QUESTIONS)).bench_local(|| {
        for name in &names {
            black_box(world.catalogue.lookup(*name));
        }
    });
}

fn in_batches(bencher: Bencher<'_, '_>, world: &World, asked: &Asked) {
    let names = asked.names();
    let mut tags = [Tags::NONE; 32];
    bencher.counter(ItemsCount::new(QUESTIONS)).bench_local(|| {
        for names in names.chunks(32) {
            world.catalogue.lookup_many(names, &mut tags);
            black_box(&tags);
        }
    });
}

macro_rules! rows {
    ($($module:ident, $world:ident;)*) => {
        $(mod $module {
            use super::*;

            #[divan::bench(sample_count = 11, sample_size = 1)]
            fn zipf_alone(bencher: Bencher<'_, '_>) {
                alone(bencher, &$world, &$world.zipf);
            }

            #[divan::bench(sample_count = 11, sample_size = 1)]
            fn zipf_batches_of_32(bencher: Bencher<'_, '_>) {
                in_batches(bencher, &$world, &$world.zipf);
            }

            #[divan::bench(sample_count = 11, sample_size = 1)]
            fn uniform_alone(bencher: Bencher<'_, '_>) {
                alone(bencher, &$world, &$world.uniform);
            }

            #[divan::bench(sample_count = 11, sample_size = 1)]
            fn uniform_batches_of_32(bencher: Bencher<'_, '_>) {
                in_batches(bencher, &$world, &$world.uniform);
            }
        })*
    };
}

rows! {
    million, MILLION;
    five_million, FIVE_MILLION;
}
