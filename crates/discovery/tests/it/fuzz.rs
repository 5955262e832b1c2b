//! The fuzz targets' functions over their corpus and over changed copies of it: the same ones each time.

use std::fs;
use std::path::Path;

use discovery::fuzzing;
use testkit::Mutator;

/// Changed copies that each function is run on.
const MUTATIONS: usize = 1_000;

fn run(target: &str, holds: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds: Vec<_> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 2, "{target} has no corpus");
    seeds.iter().for_each(|seed| holds(seed));
    let mut mutator = Mutator::new(1);
    for number in 0..MUTATIONS {
        let bytes = mutator.next(&seeds);
        // The bytes are told only when the function panics: the panic's own message says which rule was broken.
        let told = Told { target, number, bytes: &bytes };
        holds(&bytes);
        std::mem::forget(told);
    }
}

struct Told<'b> {
    target: &'b str,
    number: usize,
    bytes: &'b [u8],
}

#[allow(clippy::print_stderr, reason = "a failed test tells what it failed on")]
impl Drop for Told<'_> {
    fn drop(&mut self) {
        let shown = self.bytes.escape_ascii();
        eprintln!("{} breaks a rule with mutation {}: b\"{shown}\"", self.target, self.number);
    }
}

#[test]
fn a_task_names_only_what_stands_in_it() {
    run("task", fuzzing::task);
}

#[test]
fn tokens_terms_and_definitions_are_pieces_of_the_text() {
    run("words", fuzzing::words);
}

#[test]
fn symbols_and_imports_have_lines_of_the_file() {
    run("outline", fuzzing::outline);
}

#[test]
fn a_segment_gives_right_lists_or_none() {
    run("segment", fuzzing::segment);
}

#[test]
fn a_manifest_can_be_used_or_is_none() {
    run("manifest", fuzzing::manifest);
}

#[test]
fn a_past_of_any_bytes_stays_within_its_bounds() {
    run("history", fuzzing::history);
}
