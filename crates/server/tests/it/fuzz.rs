//! The fuzz targets' functions over their corpus and over changed copies of it: the same ones each time.

use std::fs;
use std::path::Path;

use server::fuzzing;
use testkit::Mutator;

/// Changed copies that each function is run on.
const MUTATIONS: usize = 2_000;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn run(target: &str, holds: fn(&[u8])) {
    let seeds = seeds(target);
    assert!(seeds.len() >= 2, "{target} has no corpus");
    seeds.iter().for_each(|seed| holds(seed));
    let mut mutator = Mutator::new(1);
    for _ in 0..MUTATIONS {
        holds(&mutator.next(&seeds));
    }
}

#[test]
fn no_token_is_accepted_but_the_one_that_was_signed() {
    let issued = fuzzing::issued_token().as_bytes();
    assert!(
        seeds("access_token").iter().any(|seed| seed == issued),
        "the corpus has {}",
        fuzzing::issued_token()
    );
    run("access_token", fuzzing::access_token);
    // Every byte of it changed in every bit.
    for at in 0..issued.len() {
        for bit in 0..8 {
            let mut changed = issued.to_vec();
            changed[at] ^= 1 << bit;
            fuzzing::access_token(&changed);
        }
    }
}

#[test]
fn a_traceparent_is_one_or_none() {
    run("traceparent", fuzzing::traceparent);
}
