//! A project's own templates, and which files of it are trusted to be some.

use crate::{Db, Result};
use rusqlite::params;

/// What is kept of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRow {
    /// Its name.
    pub name: String,
    /// The text that a person gave it for this project.
    pub text: Option<String>,
    /// SHA-256 of the project's file that a person trusts.
    pub trusted_hash: Option<String>,
}

/// The templates of a project.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>, project: &str) -> Result<Vec<TemplateRow>> {
    let sql = "SELECT name, text, trusted_hash FROM templates WHERE project_id = ?1 ORDER BY name";
    db.all(sql, [project], |row| {
        Ok(TemplateRow { name: row.get(0)?, text: row.get(1)?, trusted_hash: row.get(2)? })
    })
}

/// Keeps what is known of a template, in place of what was known.
///
/// # Errors
/// When the database refuses.
pub fn put(db: &Db<'_>, project: &str, row: &TemplateRow) -> Result<()> {
    if row.text.is_none() && row.trusted_hash.is_none() {
        db.change("DELETE FROM templates WHERE project_id = ?1 AND name = ?2", [project, &row.name])?;
        return Ok(());
    }
    db.change(
        "INSERT OR REPLACE INTO templates (project_id, name, text, trusted_hash) VALUES (?1, ?2, ?3, ?4)",
        params![project, row.name, row.text, row.trusted_hash],
    )?;
    Ok(())
}
