//! Exact names: files, modules and symbols that the task spells out.

use foldhash::HashMap;

use crate::index::{Document, Index};
use crate::language::{extension, file_name};
use crate::{Task, words};

/// A name with more definitions than this names no place.
const MAX_DEFINITIONS: usize = 50;
/// An identifier that merely occurs in the text, against one that was set apart.
const WEAK_NAME: f64 = 0.5;
/// A file of the same name in another folder than the task says.
const OTHER_FOLDER: f64 = 0.2;
/// A stack passes through many files; the fault is in one of them.
const FRAME: f64 = 0.5;
/// A module of a dotted name, found by one part only (`client` of `self.client.get`).
const ONE_PART: f64 = 0.25;
/// A module found by two parts or more.
const MORE_PARTS: f64 = 0.8;

/// For each document, how many and how rare the symbols are that the task names and it defines.
pub(crate) fn symbols(index: &Index, task: &Task) -> Vec<f64> {
    let mut scores = vec![0.0; index.documents.len()];
    for name in &task.names {
        let term = words::exact(&name.text);
        let definitions = index.document_frequency(&term);
        if definitions == 0 || definitions > MAX_DEFINITIONS {
            continue;
        }
        let strength = if name.strong { 1.0 } else { WEAK_NAME };
        for posting in index.postings(&term) {
            scores[posting.document as usize] += strength / (definitions as f64).sqrt();
        }
    }
    // Many names from one log must not outweigh one name in a sentence.
    scores.iter_mut().for_each(|score| *score = f64::sqrt(*score));
    scores
}

/// For each document, from 0 to 1, how well the task names it as a file or as a module.
pub(crate) fn paths(documents: &[Document], task: &Task) -> Vec<f64> {
    let mut scores = vec![0.0_f64; documents.len()];
    let mut raise = |document: usize, to: f64| scores[document] = scores[document].max(to);
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::default();
    // Most tasks name no file, and large trees have many.
    let named = if task.paths.is_empty() { &[][..] } else { documents };
    for (place, document) in named.iter().enumerate() {
        by_name.entry(file_name(&document.path)).or_default().push(place);
    }
    let frames = task.paths.iter().filter(|named| named.line.is_some()).count();
    for named in &task.paths {
        let path = named.path.trim_matches('/');
        let strength = if named.line.is_some() && frames > 2 { FRAME } else { 1.0 };
        let same = by_name.get(file_name(path)).map(Vec::as_slice).unwrap_or_default();
        let full: Vec<usize> =
            same.iter().copied().filter(|&place| agrees(&documents[place].path, path)).collect();
        if full.is_empty() {
            same.iter().for_each(|&place| raise(place, strength * OTHER_FOLDER / (same.len() as f64).sqrt()));
        }
        for &place in &full {
            raise(place, strength / (full.len() as f64).sqrt());
        }
        if same.is_empty() && extension(path).is_empty() {
            folder_or_module(documents, path, &mut raise);
        }
    }
    for dotted in &task.dotted {
        module(documents, dotted, &mut raise);
    }
    scores
}

/// Whether one path ends with all of the other: what a task says is seldom from the same root.
pub(crate) fn agrees(path: &str, named: &str) -> bool {
    let (path, named) = (path.trim_start_matches('/'), named.trim_start_matches('/'));
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|head| head.is_empty() || head.ends_with('/'))
    };
    // A short repository path such as `setup.py` must not agree with every path that ends so.
    ends(path, named) || (path.contains('/') && ends(named, path))
}

/// `src/retry/client` without an extension: the file of that stem, or the folder.
fn folder_or_module(documents: &[Document], named: &str, raise: &mut dyn FnMut(usize, f64)) {
    for (place, document) in documents.iter().enumerate() {
        let path = document.path.as_str();
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        if agrees(stem, named) {
            raise(place, 1.0);
        } else if path.strip_prefix(named).is_some_and(|rest| rest.starts_with('/')) {
            raise(place, OTHER_FOLDER);
        }
    }
}

/// `django.db.models.query.QuerySet`: the files whose module path ends with the longest run of it.
fn module(documents: &[Document], dotted: &str, raise: &mut dyn FnMut(usize, f64)) {
    let parts: Vec<&str> = dotted.split('.').collect();
    let mut best = 1;
    let mut found: Vec<usize> = Vec::new();
    for (place, document) in documents.iter().enumerate() {
        let run = run(&document.path, &parts);
        if run > best {
            found.clear();
            best = run;
        }
        if run == best {
            found.push(place);
        }
    }
    let strength = if best > 1 { MORE_PARTS } else { ONE_PART };
    for &place in &found {
        raise(place, strength / (found.len() as f64).sqrt());
    }
}

/// How many parts of a dotted name, next to each other, the end of a module path is made of.
fn run(path: &str, parts: &[&str]) -> usize {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let module =
        ["/__init__", "/mod", "/lib", "/index"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    let mut best = 0;
    for end in 1..=parts.len() {
        let same = parts[..end]
            .iter()
            .rev()
            .zip(module.rsplit('/'))
            .take_while(|(part, folder)| *part == folder)
            .count();
        best = best.max(same);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_agree_by_their_ends() {
        for (path, named, expected) in [
            ("src/retry/client.rs", "retry/client.rs", true),
            ("src/retry/client.rs", "client.rs", true),
            ("django/db/q.py", "home/u/site-packages/django/db/q.py", true),
            ("src/myclient.rs", "client.rs", false),
            ("setup.py", "other/setup.py", false),
            ("a/b.rs", "c/b.rs", false),
        ] {
            assert_eq!(agrees(path, named), expected, "{path} {named}");
        }
    }

    #[test]
    fn dotted_names_find_modules() {
        let parts = ["django", "db", "models", "query", "QuerySet"];
        for (path, expected) in [
            ("django/db/models/query.py", 4),
            ("django/db/models/__init__.py", 3),
            ("django/db/models/sql/query.py", 1),
            ("django/forms/models.py", 1),
            ("docs/index.rst", 0),
        ] {
            assert_eq!(run(path, &parts), expected, "{path}");
        }
    }
}
