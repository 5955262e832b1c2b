//! The rules of the house that a compiler does not know: arrows between crates, owners of libraries, sizes, words.
//!
//! A rule is changed only with an ADR (`docs/adr/`).

mod arrows;
mod sources;

use anyhow::bail;
use std::path::{Path, PathBuf};

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    /// The file, relative to the root.
    pub path: PathBuf,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Offence {
    fn new(path: &Path, what: impl Into<String>) -> Offence {
        Offence { path: path.to_owned(), what: what.into() }
    }
}

pub fn tidy(root: &Path) -> anyhow::Result<()> {
    let offences = offences(root)?;
    for offence in &offences {
        eprintln!("{}: {}", offence.path.display(), offence.what);
    }
    if !offences.is_empty() {
        bail!("tidy: {} offences", offences.len());
    }
    println!("tidy: nothing to say");
    Ok(())
}

/// Everything that breaks a rule below `root`.
fn offences(root: &Path) -> anyhow::Result<Vec<Offence>> {
    let mut offences = arrows::check(root)?;
    offences.extend(sources::check(root)?);
    Ok(offences)
}

#[cfg(test)]
mod tests;
