//! Whole discoveries on small trees made by the tests.

// The workspace allows these in test functions; here the helpers beside them are tests too.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod determinism;
mod fuzz;
mod kept;
mod stories;
mod tree;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use discovery::{Discovery, Options, Task};
use tempfile::TempDir;

/// A repository with these files.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        put(folder.path(), path, text.as_bytes());
    }
    folder
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn discover(root: &Path, task: &str, options: &Options) -> Discovery {
    discovery::discover(root, &Task::parse(task), options, &|_| {}, &AtomicBool::new(false)).unwrap()
}

fn paths(discovery: &Discovery) -> Vec<&str> {
    discovery.sources.iter().map(|file| file.path.as_str()).collect()
}

/// Everything of a discovery but the scores, which are not meant to be stable.
fn shown(discovery: &Discovery) -> String {
    let mut out = String::new();
    for (title, list) in [("sources", &discovery.sources), ("tests", &discovery.tests)] {
        if !list.is_empty() {
            writeln!(out, "{title}").unwrap();
        }
        for file in list {
            writeln!(out, "{} {}", file.rank, file.path).unwrap();
            for reason in &file.reasons {
                let line = reason.line.map(|line| format!(" [{line}]")).unwrap_or_default();
                writeln!(out, "    {}: {}{line}", reason.kind.name(), reason.detail).unwrap();
            }
        }
    }
    for skipped in &discovery.skipped {
        writeln!(out, "skipped {}: {}", skipped.path, skipped.why).unwrap();
    }
    out
}
