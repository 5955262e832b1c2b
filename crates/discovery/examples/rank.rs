//! Prints the files that a task concerns: `rank [--why | --signals] [--limit N] --project DIR TASK…` (or the
//! task on standard input).
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use discovery::{Options, Task, discover};

fn main() -> ExitCode {
    let mut project = PathBuf::from(".");
    let mut options = Options::default();
    let (mut why, mut signals) = (false, false);
    let mut words = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--project" => project = arguments.next().unwrap_or_default().into(),
            "--limit" => {
                options.limit = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(options.limit)
            }
            "--threads" => options.threads = arguments.next().and_then(|n| n.parse().ok()),
            "--cache" => options.cache = arguments.next().map(PathBuf::from),
            "--no-history" => options.history = false,
            "--why" => why = true,
            "--signals" => signals = true,
            _ => words.push(argument),
        }
    }
    let mut text = words.join(" ");
    if text.is_empty() && std::io::stdin().read_to_string(&mut text).is_err() {
        eprintln!("the task is not UTF-8");
        return ExitCode::FAILURE;
    }
    let result = discover(&project, &Task::parse(&text), &options, &|_| {}, &AtomicBool::new(false));
    let discovery = match result {
        Ok(discovery) => discovery,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    for file in discovery.sources {
        if signals {
            let s = &file.signals;
            println!(
                "{}\t{:.5}\t{}\t{:.5}\t{:.5}\t{:.5}\t{:.5}\t{:.5}\t{:.5}\t{:.5}\t{:.5}\t{:.5}\t{:.5}",
                file.path,
                file.score,
                file.bytes,
                s.body,
                s.title,
                s.symbol,
                s.named,
                s.chunk,
                s.past,
                s.together,
                s.path,
                s.definition,
                s.tested
            );
            continue;
        }
        println!("{}", file.path);
        for reason in file.reasons.iter().filter(|_| why) {
            let line = reason.line.map(|line| format!(":{line}")).unwrap_or_default();
            println!("    {}{line}  {}", reason.kind.name(), reason.detail);
        }
    }
    eprintln!("{} files, {} bytes, {} skipped", discovery.scanned, discovery.bytes, discovery.skipped.len());
    ExitCode::SUCCESS
}
