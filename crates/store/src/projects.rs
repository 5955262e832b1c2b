//! Granted roots.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// A granted root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its id.
    pub id: String,
    /// Absolute, without symbolic links.
    pub path: String,
    /// When it was granted.
    pub granted_at: i64,
    /// When it was used last.
    pub used_at: i64,
}

const COLUMNS: &str = "id, path, granted_at, used_at";

fn read(row: &Row<'_>) -> rusqlite::Result<ProjectRow> {
    Ok(ProjectRow { id: row.get(0)?, path: row.get(1)?, granted_at: row.get(2)?, used_at: row.get(3)? })
}

/// Every root, the one used last first.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>) -> Result<Vec<ProjectRow>> {
    db.all(&format!("SELECT {COLUMNS} FROM projects ORDER BY used_at DESC, id"), [], read)
}

/// One root.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<ProjectRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM projects WHERE id = ?1"), [id], read)
}

/// Adds a root, or returns the one with the same path.
///
/// # Errors
/// When the database refuses.
pub fn grant(db: &Db<'_>, row: &ProjectRow) -> Result<ProjectRow> {
    db.change(
        "INSERT INTO projects (id, path, granted_at, used_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (path) DO UPDATE SET used_at = excluded.used_at",
        params![row.id, row.path, row.granted_at, row.used_at],
    )?;
    let found = db.one(&format!("SELECT {COLUMNS} FROM projects WHERE path = ?1"), [&row.path], read)?;
    Ok(found.unwrap_or_else(|| row.clone()))
}

/// Removes a root; whether there was one.
///
/// # Errors
/// When the database refuses.
pub fn withdraw(db: &Db<'_>, id: &str) -> Result<bool> {
    Ok(db.change("DELETE FROM projects WHERE id = ?1", [id])? > 0)
}
