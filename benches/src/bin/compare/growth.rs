//! What a question costs as the home grows, and as it gets more workers.

use crate::dns::{number, processor, rate};
use crate::machine::Machine;
use crate::peers::{HEARTHGATE, PEERS};
use crate::world::World;
use crate::{Done, home, say};
use benches::people::People;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// The fewest addresses that a load comes from.
const ADDRESSES: u32 = 4096;
/// Homes.
const PEOPLE: [u32; 5] = [1, 10, 100, 1_000, 10_000];
/// The loads: each is a curve.
const LOADS: [&str; 3] = ["refused", "allowed", "mixed"];

/// Measures both and writes them as CSV.
pub(crate) fn run(world: &World<'_>) -> Done {
    let mut csv = "what,count,load,cpu_us,rate\n".to_owned();
    for people in PEOPLE {
        // Every person has as many devices as it takes to come from as many addresses as the others.
        let people = People { people, devices: ADDRESSES.div_ceil(people).next_power_of_two() };
        csv += &or_tell(one(world, people, "", "people", people.people), people.people, "people");
    }
    if world.options.workers.is_empty() {
        say("workers are left out: `--workers` says which line of gateway.yaml sets their number");
    } else {
        for workers in 1..=8 {
            let line = world.options.workers.replace("@N@", &workers.to_string());
            csv += &or_tell(one(world, world.options.people, &line, "workers", workers), workers, "workers");
        }
    }
    let report = report(world, &csv);
    print!("{report}");
    if !world.options.quick {
        let day = Machine::look(&[]).date;
        let day = day.split(' ').next().unwrap_or("undated");
        fs::create_dir_all(&world.options.record)?;
        fs::write(world.options.record.join(format!("{day}-growth.csv")), csv)?;
        fs::write(world.options.record.join(format!("{day}-growth.md")), report)?;
    }
    Ok(())
}

/// What was measured where, and the median of each size's rounds.
fn report(world: &World<'_>, csv: &str) -> String {
    let machine = Machine::look(&[]);
    let workers = match world.options.workers.as_str() {
        "" => String::new(),
        line => format!(" --workers '{line}'"),
    };
    let mut text = format!(
        "# As the home grows, {}\n\n    benches/compare --growth{workers} --rounds {} --seconds {}\n\n{}; commit {}. {}.\n\n\
         Processor time a question, µs: the median of the rounds, and from the least to the most.\n\n\
         | | refused | allowed | mixed |\n|---|---|---|---|\n",
        machine.date,
        world.options.rounds(),
        world.options.seconds(),
        machine.processor,
        machine.commit,
        world.names,
    );
    let mut sizes: BTreeMap<(&str, u32), BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for row in csv.lines() {
        let fields: Vec<&str> = row.split(',').collect();
        let [what, count, load, cost, _] = fields[..] else { continue };
        let (Ok(count), Ok(cost)) = (count.parse(), cost.parse()) else { continue };
        sizes.entry((what, count)).or_default().entry(load).or_default().push(cost);
    }
    for ((what, count), loads) in &mut sizes {
        let _infallible = write!(text, "| {count} {what} |");
        for load in LOADS {
            let costs = loads.entry(load).or_default();
            costs.sort_unstable_by(f64::total_cmp);
            let _infallible = match costs[..] {
                [] => write!(text, " – |"),
                [one] => write!(text, " {one:.2} |"),
                [least, .., most] => {
                    write!(text, " {:.2} ({least:.2}–{most:.2}) |", costs[costs.len() / 2])
                }
            };
        }
        text += "\n";
    }
    text
}

/// One size that cannot be measured leaves the others' figures standing.
fn or_tell(measured: Done<String>, count: u32, what: &str) -> String {
    measured.unwrap_or_else(|error| {
        say(format!("{count} {what} NOT MEASURED: {error}"));
        String::new()
    })
}

fn one(world: &World<'_>, people: People, gateway: &str, what: &str, count: u32) -> Done<String> {
    let home = home::Home::build(world, people, gateway)?;
    let peer = PEERS.iter().find(|peer| peer.name == HEARTHGATE).ok_or("the subject has a row")?;
    let mut text = String::new();
    for round in 1..=world.options.rounds() {
        let mut subject = home.start(world, peer, round)?;
        subject.running.settle();
        let who = format!("--people {} --devices {}", people.people, people.devices);
        let file = |file: &str| {
            format!("dns-load load {} {} {who}", subject.address, world.lists.join(file).display())
        };
        let warm = format!("{} --once --window 30 --seconds 20", file("warm"));
        let loads = LOADS.map(|load| format!("{} --seconds {}", file(load), world.options.seconds()));
        world.load(&warm)?;
        for (load, command) in LOADS.iter().zip(loads) {
            let came = world.measure(&mut subject, load, &command)?;
            let (cost, rate) = (processor(&came), rate(&came));
            say(format!(
                "{count} {what}, {load}: {cost:.2} µs, {rate:.0} a second, {} lost",
                number(&came, "lost")
            ));
            let _infallible = writeln!(text, "{what},{count},{load},{cost:.3},{rate:.0}");
        }
    }
    Ok(text)
}
