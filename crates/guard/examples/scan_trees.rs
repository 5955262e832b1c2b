//! How fast the built-in rules scan files and what they find there: the figures of `docs/guard.md`.
//!
//! `cargo run --release -p guard --example scan_trees -- [--list] PATHS…` reads every UTF-8 file under the paths,
//! up to 10 MB each, scans them on one thread, and prints findings by rule and megabytes per second.
//! `--list` also prints `path:line rule start end` of each finding, never the secret.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use guard::{Finding, Guard, Scan};

const LARGEST: u64 = 10 << 20;

/// Bytes that are scanned between two looks at the clock, which ticks every few milliseconds.
const BATCH: usize = 64 << 20;

/// Of all files so far.
#[derive(Default)]
struct Total {
    bytes: usize,
    read: usize,
    hit: usize,
    tries: usize,
    spent: Duration,
    /// Findings, and files with findings.
    by_rule: BTreeMap<String, (usize, usize)>,
}

impl Total {
    fn scan(
        &mut self,
        guard: &Guard,
        batch: &[(&Path, String)],
        list: bool,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let start = cpu_time()?;
        let scans: Vec<Scan> = batch.iter().map(|(_, text)| guard.scan_counting(text)).collect();
        self.spent += cpu_time()? - start;
        for ((path, text), scan) in batch.iter().zip(scans) {
            self.bytes += text.len();
            self.read += 1;
            self.tries += scan.tries;
            self.hit += usize::from(!scan.findings.is_empty());
            let mut rules = BTreeSet::new();
            for finding in scan.findings {
                if list {
                    let Finding { line, rule, start, end, .. } = &finding;
                    println!("{}:{line} {rule} {start} {end}", path.display());
                }
                let (findings, in_files) = self.by_rule.entry(finding.rule.clone()).or_default();
                *findings += 1;
                *in_files += usize::from(rules.insert(finding.rule));
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let list = paths.first().is_some_and(|first| first == "--list");
    if list {
        paths.remove(0);
    }
    let start = Instant::now();
    let guard = Guard::builtin()?;
    let built = start.elapsed();
    let mut files = Vec::new();
    for path in &paths {
        collect(Path::new(path), &mut files)?;
    }
    files.sort();

    let mut total = Total::default();
    let mut batch: Vec<(&Path, String)> = Vec::new();
    let mut held = 0;
    for path in &files {
        // What is not text does not leave as text.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        held += text.len();
        batch.push((path, text));
        if held > BATCH {
            total.scan(&guard, &batch, list)?;
            batch.clear();
            held = 0;
        }
    }
    total.scan(&guard, &batch, list)?;
    let Total { bytes, read, hit, tries, spent, by_rule } = total;
    let megabytes = bytes as f64 / 1e6;
    println!("{} rules, compiled in {built:.1?}", guard.rules());
    for (rule, (findings, in_files)) in &by_rule {
        println!("{rule}: {findings} findings in {in_files} files");
    }
    println!(
        "{read} files, {megabytes:.1} MB, {spent:.2?} of CPU, {:.0} MB/s, {tries} tries",
        megabytes / spent.as_secs_f64()
    );
    println!("{hit} files with findings: {:.3} %", 100.0 * hit as f64 / read.max(1) as f64);
    Ok(())
}

/// The time for which this thread had a processor: other programs on the machine do not count. Only Linux tells.
fn cpu_time() -> Result<Duration, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().ok_or("schedstat is empty")?.parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let kind = path.symlink_metadata()?;
    if kind.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else if kind.is_file() && kind.len() <= LARGEST {
        files.push(path.to_owned());
    }
    Ok(())
}
