//! Sizes and words of source files.

use super::Offence;
use std::path::{Path, PathBuf};

/// No source file is longer, without a reason in [`LONG`].
const MAX_LINES: usize = 600;

/// Files that may be longer, and why.
const LONG: &[(&str, &str)] = &[];

/// Folders that are not ours to check.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", ".git", "output"];

/// The endings that are checked.
const CHECKED: &[&str] = &["rs", "ts", "tsx", "css", "md", "toml", "sql", "html", "mjs", "json"];

/// Words that say nothing about what a thing is, at the end of a type's name.
const EMPTY_WORDS: &[&str] = &["Manager", "Helper", "Util", "Utils", "Processor", "Service"];

/// Modules in which types may derive `Serialize`: what stands there is meant to cross a wire or to be written down.
const SERIALIZING_CRATES: &[&str] = &["api", "rpc", "llm", "relay", "testkit", "cli"];
const SERIALIZING_MODULES: &[&str] = &["wire", "config", "export"];

pub fn check(root: &Path) -> anyhow::Result<Vec<Offence>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let own = own_places(root);
    let mut offences = Vec::new();
    for file in files {
        let path = file.strip_prefix(root).unwrap_or(&file).to_owned();
        // What cannot be read as text is not a source file.
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        offences.extend(file_offences(&path, &text, &own));
    }
    Ok(offences)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !SKIPPED.contains(&name.as_ref()) {
                collect(&entry.path(), files)?;
            }
        } else if name.rsplit_once('.').is_some_and(|(_, ending)| CHECKED.contains(&ending)) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn file_offences(path: &Path, text: &str, own: &[String]) -> Vec<Offence> {
    let name = path.to_string_lossy().replace('\\', "/");
    let generated = name.ends_with(".gen.ts") || name.ends_with("package-lock.json");
    let mut offences = Vec::new();
    let mut add = |what: String| offences.push(Offence::new(path, what));
    if let Some(place) = own.iter().find(|place| names(text, place)) {
        add(format!("it names a machine's own path ({place}…); the project speaks of itself alone"));
    }
    if name.ends_with("package-lock.json") && text.contains("\"resolved\": \"http") {
        add("it names a registry's host; install with omit-lockfile-registry-resolved".to_owned());
    }
    let code = ["rs", "ts", "tsx"].iter().any(|e| name.ends_with(&format!(".{e}")));
    if code && !generated {
        let lines = text.lines().count();
        if lines > MAX_LINES && !LONG.iter().any(|(long, _)| *long == name) {
            add(format!("{lines} lines; split it ({MAX_LINES} is the most)"));
        }
    }
    if name.ends_with(".rs") {
        for word in empty_names(text) {
            add(format!("“{word}” does not say what it is; name the thing after what it holds or does"));
        }
        if !may_serialize(&name) && derives_serialize(text) {
            let modules = SERIALIZING_MODULES.join(", ");
            add(format!(
                "it derives Serialize; what crosses a wire or is written down lives in modules named {modules}"
            ));
        }
    }
    if name == "ARCHITECTURE.md" && text.lines().count() > 250 {
        add("ARCHITECTURE.md has at most 250 lines; what is longer is not read".to_owned());
    }
    offences
}

/// Where this machine keeps the project and its user's files: paths that mean nothing anywhere else.
fn own_places(root: &Path) -> Vec<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let places = [Some(root.to_owned()), home].into_iter().flatten();
    places.map(|place| format!("{}/", place.display())).filter(|place| place.len() > 2).collect()
}

/// Whether a text names a place. Inside a longer path or URL it is somebody's example, not this machine.
fn names(text: &str, place: &str) -> bool {
    text.match_indices(place).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '~' | '}' | '>'))
    })
}

fn empty_names(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| {
            let line = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let rest =
                ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| line.strip_prefix(kind))?;
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            EMPTY_WORDS.iter().any(|word| name.ends_with(word)).then_some(name)
        })
        .collect()
}

fn may_serialize(name: &str) -> bool {
    let in_crate = SERIALIZING_CRATES.iter().any(|c| name.starts_with(&format!("crates/{c}/")));
    let in_module = SERIALIZING_MODULES
        .iter()
        .any(|m| name.ends_with(&format!("/{m}.rs")) || name.contains(&format!("/{m}/")));
    in_crate || in_module || name.starts_with("xtask/") || name.contains("/tests/")
}

fn derives_serialize(text: &str) -> bool {
    text.lines()
        .filter(|line| line.trim_start().starts_with("#[derive("))
        .any(|line| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Serialize"))
}
