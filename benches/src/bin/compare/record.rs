//! The whole comparison, and where it is kept.

use crate::machine::Machine;
use crate::options::Only;
use crate::samples::Samples;
use crate::world::World;
use crate::{Done, dns, http, peers, report, say};
use serde::{Deserialize, Serialize};
use std::fs;

/// A run, as its JSON file holds it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) machine: Machine,
    pub(crate) command: String,
    pub(crate) names: String,
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
    pub(crate) addresses: u32,
    pub(crate) measured: Samples,
}

/// Measures everybody and writes the record.
pub(crate) fn run(world: &World<'_>) -> Done {
    let options = world.options;
    let machine = Machine::look(&peers::packages(options));
    for round in 1..=options.rounds() {
        if options.wants(Only::Dns) {
            dns::round(world, round);
        }
        if options.wants(Only::Http) {
            http::round(world, round);
        }
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let record = Record {
        machine,
        command: shown(&arguments),
        names: world.names.clone(),
        rounds: options.rounds(),
        seconds: options.seconds(),
        addresses: options.people.people * options.people.devices,
        measured: world.measured.take(),
    };
    let report = report::whole(&record);
    print!("{report}");
    let folder = if options.quick { &options.work } else { &options.record };
    fs::create_dir_all(folder)?;
    let day = record.machine.date.split(' ').next().unwrap_or("undated");
    let (text, json) = (folder.join(format!("{day}.md")), folder.join(format!("{day}.json")));
    fs::write(&text, report)?;
    fs::write(&json, serde_json::to_string(&record)? + "\n")?;
    if !options.quick {
        say(format!("written: {} and {}", text.display(), json.display()));
    }
    match record.measured.failures.len() {
        0 => Ok(()),
        count => Err(format!("{count} measurements failed; the report names them").into()),
    }
}

/// The command without the folders of this machine.
fn shown(arguments: &[String]) -> String {
    let mut shown = vec!["benches/compare"];
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--work" | "--built" | "--data" => drop(arguments.next()),
            _ => shown.push(argument),
        }
    }
    shown.join(" ")
}
