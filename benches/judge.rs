//! The decision: `House::judge` whole, and `House::judge_in` with a moment that is kept, as the gateway keeps one.
//!
//! Every shape of agreement is asked about every kind of request; `benches/src/homes.rs` has both tables. What the
//! catalogue says of a name is given: the lookup has a measurement of its own.

// A bench is a program whose figures go to its output.
#![allow(clippy::print_stdout)]

use agreements::{Host, House, Request, Standing};
use benches::homes::{ASKED, WHO, house, instant, person, tags};
use blocklists::Name;
use divan::{Bencher, black_box};
use std::sync::LazyLock;

fn main() {
    // What was decided stands above the figures: a bench of the wrong answer measures nothing.
    for who in WHO {
        let outcomes: Vec<String> = ASKED
            .iter()
            .map(|case| {
                let (request, at) = (asked(case), instant(case.3));
                let verdict = HOME.0.judge(person(&HOME.0, who), at, &request, &HOME.1);
                format!("{} {:?} by {:?}", case.0, verdict.outcome, verdict.rule)
            })
            .collect();
        println!("{who}: {}", outcomes.join(", "));
    }
    divan::main();
}

/// The house, and a standing in which everybody has used half an hour of each limit.
static HOME: LazyLock<(House, Standing)> = LazyLock::new(|| {
    let house = house();
    let standing = Standing::new(&house, &[], &[], &|_, _| 30);
    (house, standing)
});

type Case = (&'static str, &'static str, Option<&'static str>, &'static str);

fn asked(case: &Case) -> Request<'static> {
    Request { host: Host::Name(Name::trusted(case.1)), tags: tags(case.2), path: None }
}

fn case(name: &str) -> &'static Case {
    ASKED.iter().find(|case| case.0 == name).expect("the rows are the table's")
}

fn whole(bencher: Bencher<'_, '_>, who: &str, name: &str) {
    let (house, standing) = &*HOME;
    let (who, request, at) = (person(house, who), asked(case(name)), instant(case(name).3));
    bencher.bench_local(|| house.judge(black_box(who), black_box(at), black_box(&request), standing));
}

fn kept(bencher: Bencher<'_, '_>, who: &str, name: &str) {
    let (house, standing) = &*HOME;
    let (who, request, at) = (person(house, who), asked(case(name)), instant(case(name).3));
    let moment = house.moment(who, at, standing);
    bencher.bench_local(|| house.judge_in(black_box(&moment), black_box(&request)));
}

macro_rules! rows {
    ($($name:ident)*) => {
        $(mod $name {
            use super::*;

            #[divan::bench(args = WHO)]
            fn judge(bencher: Bencher<'_, '_>, who: &str) {
                whole(bencher, who, stringify!($name));
            }

            #[divan::bench(args = WHO)]
            fn judge_in(bencher: Bencher<'_, '_>, who: &str) {
                kept(bencher, who, stringify!($name));
            }
        })*
    };
}

rows! { unmentioned category site school_hours offline protected }
