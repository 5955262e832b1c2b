//! The page about traps says what the code says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The last number of the list of traps (wire forms of providers).
const TRAPS: u32 = 42;
/// And of the list of complaints behind it.
const COMPLAINTS: u32 = 15;

fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// Names of all test functions of the crates that have to do with providers.
fn tests() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for name in ["llm", "gateway", "server"] {
        sources(&crates.join(name).join("src"), &mut files);
        sources(&crates.join(name).join("tests"), &mut files);
    }
    let name = |line: &str| {
        let (_, rest) = line.split_once("fn ")?;
        Some(rest.split_once("()")?.0.to_owned())
    };
    let mut all = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for pair in
            lines.windows(2).filter(|pair| pair[0].trim().starts_with("#[") && pair[0].contains("test"))
        {
            all.extend(name(pair[1]));
        }
    }
    all
}

#[test]
fn every_trap_has_a_test_that_exists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers.md");
    let page = fs::read_to_string(page).unwrap();
    let tests = tests();
    let (mut numbers, mut named) = (BTreeSet::new(), BTreeSet::new());
    for row in page.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let number = cells[0].to_owned();
        if !number.ends_with(|sign: char| sign.is_ascii_digit()) {
            continue;
        }
        assert!(numbers.insert(number.clone()), "{number} stands there twice");
        let of_row: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!of_row.is_empty(), "trap {number} names no test");
        for test in of_row {
            assert!(tests.contains(test), "trap {number}: there is no test `{test}`");
            named.insert(test.to_owned());
        }
    }
    let traps = (1..=TRAPS).map(|number| number.to_string());
    let complaints = (1..=COMPLAINTS).map(|number| format!("C{number}"));
    assert_eq!(numbers, traps.chain(complaints).collect(), "each trap and each complaint has a row");
    let about_traps = tests.iter().filter(|test| test.starts_with("trap_")).cloned();
    let missing: Vec<String> = about_traps.filter(|test| !named.contains(test)).collect();
    assert_eq!(missing, Vec::<String>::new(), "tests that the page does not name");
}
