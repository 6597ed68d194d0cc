//! The lookup: nanoseconds a question, alone and in batches of 32, and bytes a name, with 1 and 5 million names.
//!
//! Before divan's table, which measures the wall clock, stand nanoseconds on the processor: they hold on a busy machine.
//! The standard library's map, asked for each suffix, is measured beside it as an anchor between machines and days.
//!
//! One sample asks a million questions, so that divan's milliseconds are nanoseconds a question.

// A bench is a program whose figures go to its output.
#![allow(clippy::print_stdout)]

use benches::names::{listed, questions, real, zipf};
use blocklists::format::{Format, ListInput};
use blocklists::{Catalogue, Category, Compiler, Name, Tags};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Instant;

const QUESTIONS: usize = 1_000_000;

fn main() {
    for world in [&*MILLION, &*FIVE_MILLION] {
        println!("{}", world.figures);
        world.print_processor_time();
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
    /// The same names in the standard library's map.
    map: HashMap<String, u64>,
    /// Each question once, in random order.
    uniform: Asked,
    /// Drawn by Zipf's law.
    zipf: Asked,
    figures: String,
}

impl World {
    fn new(count: usize) -> Self {
        let names = listed(&REAL, count);
        let questions = questions(&REAL, &names, QUESTIONS);
        let (catalogue, seconds) = compile(&names);
        let uniform = Asked::new(questions.iter());
        let zipf = Asked::new(zipf(QUESTIONS, QUESTIONS).into_iter().map(|rank| &questions[rank]));
        let hits = uniform.names().iter().filter(|name| !catalogue.lookup(**name).is_empty()).count();
        let (info, open) = (catalogue.info(), open_seconds(&catalogue));
        let figures = format!(
            "{} names, {} of them real: {:.2} bytes a name, {seconds:.2} s to compile, {:.1} ms to open, {:.1} % hits",
            info.names,
            REAL.len().min(count),
            info.bytes_per_name(),
            open * 1e3,
            hits as f64 * 100.0 / QUESTIONS as f64,
        );
        let map = names.into_iter().map(|name| (name, 1)).collect();
        Self { catalogue, map, uniform, zipf, figures }
    }

    fn print_processor_time(&self) {
        for (order, asked) in [("Zipf", &self.zipf), ("uniform", &self.uniform)] {
            let names = asked.names();
            let alone = processor_ns(|| {
                for name in &names {
                    black_box(self.catalogue.lookup(*name));
                }
            });
            let mut tags = [Tags::NONE; 32];
            let batches = processor_ns(|| {
                for names in names.chunks(32) {
                    self.catalogue.lookup_many(names, &mut tags);
                    black_box(&tags);
                }
            });
            let map = processor_ns(|| {
                for name in &names {
                    black_box(
                        name.suffixes()
                            .fold(0, |all, s| all | self.map.get(s.as_str()).copied().unwrap_or(0)),
                    );
                }
            });
            println!(
                "  {order}: {alone:.0} ns alone, {batches:.0} ns in batches of 32, {map:.0} ns in a std HashMap"
            );
        }
    }
}

/// Nanoseconds on the processor for each question of a pass, the median of seven passes.
fn processor_ns(mut pass: impl FnMut()) -> f64 {
    let mut passes: Vec<f64> = (0..7)
        .map(|_| {
            let (wall, before) = (Instant::now(), on_processor());
            pass();
            let spent = on_processor().zip(before).map(|(after, before)| (after - before) as f64);
            spent.unwrap_or_else(|| wall.elapsed().as_nanos() as f64) / QUESTIONS as f64
        })
        .collect();
    passes.sort_by(f64::total_cmp);
    passes[passes.len() / 2]
}

/// What the kernel has counted of this thread, in nanoseconds (Linux, proc(5)); elsewhere the wall clock must do.
fn on_processor() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Compiles names under four categories, so that there are sets to tell apart.
fn compile(names: &[String]) -> (Catalogue, f64) {
    let words = ["gambling", "advertising", "malware", "pornography"];
    let texts: Vec<String> = (0..words.len())
        .map(|part| names.iter().skip(part).step_by(words.len()).map(|name| format!("{name}\n")).collect())
        .collect();
    let begun = Instant::now();
    let mut compiler = Compiler::with_seed(7);
    for (word, text) in words.iter().zip(&texts) {
        let tags = Category::from_word(word).map_or(Tags::NONE, Tags::category);
        let list = ListInput { format: Some(Format::Plain), ..ListInput::new(word, tags, text.as_bytes()) };
        compiler.add(list).expect("names are a list");
    }
    let catalogue = compiler.finish(0).expect("a few million names fit");
    (catalogue, begun.elapsed().as_secs_f64())
}

fn open_seconds(catalogue: &Catalogue) -> f64 {
    let path = std::env::temp_dir().join(format!("hearthgate-bench-{}.catalogue", std::process::id()));
    catalogue.write_to(&path).expect("a temporary file can be written");
    let begun = Instant::now();
    let opened = Catalogue::open(&path).expect("what was written can be opened");
    let seconds = begun.elapsed().as_secs_f64();
    drop(opened);
    std::fs::remove_file(&path).expect("the temporary file is there");
    seconds
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
