//! Sessions and their tasks.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// The project it works on.
    pub project_id: String,
    /// The task.
    pub task: String,
    /// Counts the saves of the task.
    pub task_version: u32,
    /// The version of the task that the stored ranking was made for.
    pub ranked_version: Option<u32>,
    /// Files read by the last search.
    pub scanned: u64,
    /// Files passed over by it.
    pub skipped: u64,
    /// How long it took.
    pub elapsed_ms: u64,
    /// When the session began.
    pub created_at: i64,
    /// When anything in it changed.
    pub updated_at: i64,
}

const COLUMNS: &str = "id, project_id, task, task_version, ranked_version, scanned, skipped, elapsed_ms, created_at, updated_at";

fn read(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: row.get(0)?,
        project_id: row.get(1)?,
        task: row.get(2)?,
        task_version: row.get(3)?,
        ranked_version: row.get(4)?,
        scanned: row.get(5)?,
        skipped: row.get(6)?,
        elapsed_ms: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
    })
}

/// Sessions of one project, or of all, the one changed last first; at most 500.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>, project: Option<&str>) -> Result<Vec<SessionRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sessions WHERE ?1 IS NULL OR project_id = ?1 ORDER BY updated_at DESC, id DESC LIMIT 500"
    );
    db.all(&sql, [project], read)
}

/// One session.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<SessionRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"), [id], read)
}

/// Adds a session.
///
/// # Errors
/// When the database refuses.
pub fn insert(db: &Db<'_>, id: &str, project: &str, task: &str, now: i64) -> Result<()> {
    db.change(
        "INSERT INTO sessions (id, project_id, task, task_version, created_at, updated_at) VALUES (?1, ?2, ?3, 1, ?4, ?4)",
        params![id, project, task, now],
    )?;
    db.change("UPDATE projects SET used_at = ?2 WHERE id = ?1", params![project, now])?;
    Ok(())
}

/// Stores a new text of the task if `base` is still its version; whether it was.
///
/// # Errors
/// When the database refuses.
pub fn save_task(db: &Db<'_>, id: &str, text: &str, base: u32, now: i64) -> Result<bool> {
    let changed = db.change(
        "UPDATE sessions SET task = ?2, task_version = task_version + 1, updated_at = ?4 WHERE id = ?1 AND task_version = ?3",
        params![id, text, base, now],
    )?;
    Ok(changed > 0)
}

/// Notes a search: for which version of the task, and how it went.
///
/// # Errors
/// When the database refuses.
pub fn ranked(db: &Db<'_>, id: &str, version: u32, counts: (u64, u64, u64), now: i64) -> Result<()> {
    let (scanned, skipped, elapsed_ms) = counts;
    db.change(
        "UPDATE sessions SET ranked_version = ?2, scanned = ?3, skipped = ?4, elapsed_ms = ?5, updated_at = ?6 WHERE id = ?1",
        params![id, version, scanned, skipped, elapsed_ms, now],
    )?;
    Ok(())
}

/// Removes a session with everything that belongs to it, the texts of its requests included; whether there was one.
///
/// # Errors
/// When the database refuses.
pub fn delete(db: &Db<'_>, id: &str) -> Result<bool> {
    let known = db.change("DELETE FROM sessions WHERE id = ?1", [id])? > 0;
    crate::texts::forget_unused(db)?;
    Ok(known)
}
