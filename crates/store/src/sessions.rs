//! Sessions and their tasks.

use crate::{Db, Result, task_steps, texts};
use rusqlite::{Row, params};

/// The longest title, in characters.
const MAX_TITLE: usize = 80;

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
    /// The task's first line, shortened.
    pub title: String,
    /// The step of the task's history that its text is.
    pub task_step: u32,
}

/// What a list shows of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHead {
    /// Its id.
    pub id: String,
    /// The project it works on.
    pub project_id: String,
    /// The task's first line, shortened.
    pub title: String,
    /// Counts the saves of the task.
    pub task_version: u32,
    /// When it began.
    pub created_at: i64,
    /// When anything in it changed.
    pub updated_at: i64,
}

/// The first line that says something, shortened.
pub fn title(task: &str) -> String {
    let line = task.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    if line.chars().count() <= MAX_TITLE {
        return line.to_owned();
    }
    let short: String = line.chars().take(MAX_TITLE - 1).collect();
    format!("{}…", short.trim_end())
}

const COLUMNS: &str = "id, project_id, task, task_version, ranked_version, scanned, skipped, elapsed_ms, created_at, updated_at, title, task_step";

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
        title: row.get(10)?,
        task_step: row.get(11)?,
    })
}

fn read_head(row: &Row<'_>) -> rusqlite::Result<SessionHead> {
    Ok(SessionHead {
        id: row.get(0)?,
        project_id: row.get(1)?,
        title: row.get(2)?,
        task_version: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}

/// Sessions of one project, or of all, the one changed last first; those after `before` (its time of change and id) when
/// that is given.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(
    db: &Db<'_>,
    project: Option<&str>,
    before: Option<(i64, &str)>,
    limit: u32,
) -> Result<Vec<SessionHead>> {
    // Two statements: each goes along its own index.
    let of_project = if project.is_some() { "project_id = ?1" } else { "?1 IS NULL" };
    let sql = format!(
        "SELECT id, project_id, title, task_version, created_at, updated_at FROM sessions
         WHERE {of_project} AND updated_at <= ?2 AND (updated_at < ?2 OR id < ?3)
         ORDER BY updated_at DESC, id DESC LIMIT ?4"
    );
    // No id is above this one.
    let (time, id) = before.unwrap_or((i64::MAX, "\u{10ffff}"));
    db.all(&sql, params![project, time, id, limit], read_head)
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
        "INSERT INTO sessions (id, project_id, task, title, task_version, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5)",
        params![id, project, task, title(task), now],
    )?;
    task_steps::begin(db, id, now)?;
    db.change("UPDATE projects SET used_at = ?2 WHERE id = ?1", params![project, now])?;
    Ok(())
}

/// Sets the task's text as the given step of its history.
pub(crate) fn set_task(db: &Db<'_>, id: &str, text: &str, step: u32, now: i64) -> Result<()> {
    db.change(
        "UPDATE sessions SET task = ?2, title = ?3, task_step = ?4, task_version = task_version + 1, updated_at = ?5
         WHERE id = ?1",
        params![id, text, title(text), step, now],
    )?;
    Ok(())
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
    let texts = texts::of_session(db, id)?;
    let known = db.change("DELETE FROM sessions WHERE id = ?1", [id])? > 0;
    texts::forget(db, &texts)?;
    crate::keyed_calls::forget(db, id)?;
    Ok(known)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_title_is_the_first_line_that_says_something() {
        assert_eq!(super::title("\n  Add a retry  \nmore"), "Add a retry");
        assert_eq!(super::title(""), "");
        let long = super::title(&"ü".repeat(200));
        assert_eq!((long.chars().count(), long.ends_with('…')), (80, true));
    }
}
