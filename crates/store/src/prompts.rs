//! A project's own prompts, and which files of it are trusted to be some.

use crate::{Db, Result};
use rusqlite::params;

/// What is kept of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptRow {
    /// Its name.
    pub name: String,
    /// The text that a person gave it for this project.
    pub text: Option<String>,
    /// The version of the default that the text was made from.
    pub made_from: Option<u32>,
    /// SHA-256 of the project's file that a person trusts.
    pub trusted_hash: Option<String>,
}

/// The prompts of a project.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>, project: &str) -> Result<Vec<PromptRow>> {
    let sql = "SELECT name, text, made_from, trusted_hash FROM prompts WHERE project_id = ?1 ORDER BY name";
    db.all(sql, [project], |row| {
        Ok(PromptRow {
            name: row.get(0)?,
            text: row.get(1)?,
            made_from: row.get(2)?,
            trusted_hash: row.get(3)?,
        })
    })
}

/// Keeps what is known of a prompt, in place of what was known.
///
/// # Errors
/// When the database refuses.
pub fn put(db: &Db<'_>, project: &str, row: &PromptRow) -> Result<()> {
    if row.text.is_none() && row.trusted_hash.is_none() {
        db.change("DELETE FROM prompts WHERE project_id = ?1 AND name = ?2", [project, &row.name])?;
        return Ok(());
    }
    db.change(
        "INSERT OR REPLACE INTO prompts (project_id, name, text, made_from, trusted_hash) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![project, row.name, row.text, row.made_from, row.trusted_hash],
    )?;
    Ok(())
}
