//! The fuzz target's function over its corpus and over changed copies of it: the same ones each time.

use plan::fuzzing;
use std::path::Path;
use testkit::Mutator;

const MUTATIONS: usize = 3_000;

#[test]
fn any_answer_reads_in_pieces_as_in_one() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/answer");
    let mut files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut seeds: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(seeds.len() >= 4);
    let answers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    let mut more: Vec<_> = std::fs::read_dir(answers).unwrap().map(|entry| entry.unwrap().path()).collect();
    more.retain(|path| path.extension().is_some_and(|e| e == "txt"));
    more.sort();
    seeds.extend(more.iter().map(|path| [vec![5], std::fs::read(path).unwrap()].concat()));
    seeds.iter().for_each(|seed| fuzzing::answer(seed));
    let mut mutator = Mutator::new(1);
    for _ in 0..MUTATIONS {
        fuzzing::answer(&mutator.next(&seeds));
    }
}
