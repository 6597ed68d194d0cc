//! What every query pays for allocates nothing: the lookup, and the decision.

mod counting;

use agreements::{Host, Request, Standing};
use benches::homes::{ASKED, WHO, house, instant, person, tags};
use benches::names::{listed, questions};
use blocklists::format::ListInput;
use blocklists::{Catalogue, Compiler, Name, Tags};
use counting::allocations;
use std::hint::black_box;

fn catalogue(names: &[String]) -> Catalogue {
    let text = names.join("\n");
    let mut compiler = Compiler::with_seed(7);
    let tags = tags(Some("gambling"));
    compiler.add(ListInput::new("bench", tags, text.as_bytes())).expect("names are a list");
    compiler.finish(0).expect("a few thousand names fit")
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| drop(black_box(vec![0u8; 100]))), 1);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn a_lookup_allocates_nothing() {
    let names = listed(&[], 20_000);
    let catalogue = catalogue(&names);
    let questions = questions(&[], &names, 5_000);
    let asked: Vec<Name<'_>> = questions.iter().map(|name| Name::trusted(name)).collect();
    let (gambling, mut hits) = (tags(Some("gambling")), 0);
    let count = allocations(|| {
        hits = asked.iter().filter(|name| catalogue.lookup(**name).intersects(gambling)).count();
    });
    assert_eq!((hits, count), (1_500, 0));
}

#[test]
fn a_batch_of_lookups_allocates_nothing() {
    let names = listed(&[], 20_000);
    let catalogue = catalogue(&names);
    let questions = questions(&[], &names, 5_000);
    let asked: Vec<Name<'_>> = questions.iter().map(|name| Name::trusted(name)).collect();
    let gambling = tags(Some("gambling"));
    // A whole batch, one that is longer than the catalogue works at a time, and one that is not full.
    for size in [1, 31, 32, 100, 5_000] {
        let (mut tags, mut hits) = (vec![Tags::NONE; size], 0);
        let count = allocations(|| {
            for names in asked.chunks(size) {
                catalogue.lookup_many(names, &mut tags);
                hits += tags[..names.len()].iter().filter(|t| t.intersects(gambling)).count();
            }
        });
        assert_eq!((hits, count), (1_500, 0), "in batches of {size}");
    }
}

#[test]
fn a_decision_allocates_nothing() {
    let house = house();
    let standing = Standing::new(&house, &[], &[], &|_, _| 30);
    let mut checked = 0;
    for who in WHO {
        let person = person(&house, who);
        for (name, host, word, at) in ASKED {
            let request = Request { host: Host::Name(Name::trusted(host)), tags: tags(word), path: None };
            let at = instant(at);
            let whole = allocations(|| _ = black_box(house.judge(person, at, &request, &standing)));
            let moment = house.moment(person, at, &standing);
            let kept = allocations(|| _ = black_box(house.judge_in(&moment, &request)));
            assert_eq!((whole, kept), (0, 0), "{who}, {name}: allocations of `judge` and `judge_in`");
            checked += 1;
        }
    }
    assert_eq!(checked, 30);
}
