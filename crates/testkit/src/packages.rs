//! Foreign packages that a test brings along as names and versions: installed once, and kept in the build directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs a program to its end; panics, with everything it printed, when it fails.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// Makes the folder `name` in `kept_in` once for what is pinned, and keeps it. Tests that want it at the same time wait for
/// the first.
pub fn kept(kept_in: &Path, name: &str, pinned: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let directory = kept_in.join(name);
    let lock = std::fs::File::create(directory.with_extension("lock")).expect("the build directory is ours");
    lock.lock().expect("a file can be locked");
    let marker = directory.join("installed");
    if !std::fs::read_to_string(&marker).is_ok_and(|text| text == pinned) {
        make(&directory);
        std::fs::write(&marker, pinned).expect("the folder was made");
    }
    directory
}

/// A folder with the packages of a lock file and the scripts that use them, made anew when any of these changes.
pub fn from_npm(kept_in: &Path, name: &str, scripts: &Path) -> PathBuf {
    let entries = std::fs::read_dir(scripts).unwrap_or_else(|error| panic!("{}: {error}", scripts.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json" || ending == "mjs"));
    files.sort();
    let texts: Vec<String> =
        files.iter().map(|file| std::fs::read_to_string(file).expect("scripts are text")).collect();
    kept(kept_in, name, &texts.concat(), |directory| {
        std::fs::create_dir_all(directory).expect("directories can be made");
        for file in &files {
            let name = file.file_name().expect("a file has a name");
            std::fs::copy(file, directory.join(name)).expect("files can be copied");
        }
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(directory));
    })
}
