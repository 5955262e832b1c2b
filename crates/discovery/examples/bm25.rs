//! The baseline of the benchmark: plain BM25 over path and content, words split at everything that is neither letter nor
//! digit nor underscore. `bm25 --project DIR [--limit N]`, the task on standard input.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement is read by a person")]

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::atomic::AtomicBool;

const K1: f64 = 1.2;
const B: f64 = 0.75;

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| w.len() > 1).map(str::to_lowercase)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after =
        |name: &str| arguments.iter().position(|word| word == name).map(|at| arguments[at + 1].clone());
    let project = std::path::PathBuf::from(after("--project").unwrap_or_else(|| ".".into()));
    let limit = after("--limit").map_or(200, |n| n.parse().unwrap());
    let mut task = String::new();
    std::io::stdin().read_to_string(&mut task).unwrap();
    let mut query: HashMap<String, f64> = HashMap::new();
    words(&task).for_each(|word| *query.entry(word).or_default() += 1.0);

    let mut documents: Vec<(String, f64, HashMap<String, f64>)> = Vec::new();
    for entry in discovery::tree(&project, &AtomicBool::new(false)).unwrap() {
        let bytes = std::fs::read(project.join(&entry.path)).unwrap_or_default();
        if entry.bytes > 1 << 20 || bytes.iter().take(8192).any(|byte| *byte == 0) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let (mut length, mut counts) = (0.0, HashMap::new());
        for word in words(&entry.path).chain(words(&text)) {
            length += 1.0;
            if query.contains_key(&word) {
                *counts.entry(word).or_insert(0.0) += 1.0;
            }
        }
        documents.push((entry.path, length, counts));
    }
    let total = documents.len() as f64;
    let average = documents.iter().map(|(_, length, _)| length).sum::<f64>() / total.max(1.0);
    let mut frequency: HashMap<&str, f64> = HashMap::new();
    for (_, _, counts) in &documents {
        counts.keys().for_each(|word| *frequency.entry(word).or_default() += 1.0);
    }
    let mut scored: Vec<(f64, &str)> = documents
        .iter()
        .map(|(path, length, counts)| {
            let term = |(word, count): (&String, &f64)| {
                let df = frequency[word.as_str()];
                let idf = (1.0 + (total - df + 0.5) / (df + 0.5)).ln();
                query[word] * idf * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length / average))
            };
            (counts.iter().map(term).sum(), path.as_str())
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.iter().take(limit).for_each(|(_, path)| println!("{path}"));
}
