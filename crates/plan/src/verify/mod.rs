//! Checks each step against the repository as it is now.
//!
//! The steps are played through in order on a picture of the repository, so that a file created by step 1 exists
//! for step 2. Nothing is read but what the caller's [`Repository`] gives.

mod finding;
mod operation;
mod order;
mod packages;
mod step;

pub use finding::{Finding, Repair, Severity};
pub use packages::{Language, declared};

use crate::document::Document;
use std::collections::{BTreeMap, BTreeSet};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file, with its number of lines.
    File {
        /// How many lines it has.
        lines: u32,
    },
    /// A folder.
    Folder,
    /// Nothing.
    Missing,
    /// Something that may not be read, such as a symbolic link that leaves the project.
    Refused,
}

/// A definition in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its first line, from 1.
    pub first: u32,
    /// Its last line.
    pub last: u32,
}

/// The repository as the check sees it. Paths have passed [`crate::path::check`].
pub trait Repository {
    /// What stands at `path`.
    fn entry(&self, path: &str) -> Entry;
    /// What the file at `path` defines; `None` when its language is not understood.
    fn symbols(&self, path: &str) -> Option<Vec<Symbol>>;
    /// The existing file that `path` probably means.
    fn nearest(&self, path: &str) -> Option<String>;
    /// Another file that defines `symbol`, if one is known.
    fn defines(&self, symbol: &str) -> Option<String>;
    /// SHA-256 of the file's content in hexadecimal; `None` when it cannot be read.
    fn hash(&self, path: &str) -> Option<String>;
    /// An existing path that differs from `path` in case only.
    fn other_case(&self, path: &str) -> Option<String>;
    /// The packages that the project's manifests name for a language, with its own; `None` without such a manifest.
    fn packages(&self, language: Language) -> Option<BTreeSet<String>>;
    /// Whether a file or folder of the project is a module of this name.
    fn is_module(&self, name: &str) -> bool;
}

/// The files as they were when a plan was made: SHA-256 in hexadecimal by path.
pub type Noted = BTreeMap<String, String>;

/// Findings for every step, in the order of the steps.
pub fn verify(document: &Document, repository: &dyn Repository) -> Vec<Vec<Finding>> {
    verify_since(document, repository, &Noted::new())
}

/// As [`verify`], and says which files are not as they were noted when the plan was made.
pub fn verify_since(document: &Document, repository: &dyn Repository, noted: &Noted) -> Vec<Vec<Finding>> {
    let mut picture = operation::Picture::of(document, repository, noted);
    let cycles = step::in_cycles(document);
    document
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let mut findings = step::findings(index, step, document.steps.len(), cycles.contains(&index));
            for (at, operation) in step.operations.iter().enumerate() {
                let found = picture.check(index, operation);
                findings.extend(found.into_iter().map(|f| Finding { operation: Some(at), ..f }));
            }
            findings
        })
        .collect()
}
