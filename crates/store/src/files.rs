//! The files ranked for a session.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// One ranked file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// Relative to the root.
    pub path: String,
    /// Whether it is in the list of tests.
    pub test: bool,
    /// Position in its list, from 1.
    pub rank: u32,
    /// Comparable within one ranking.
    pub score: f64,
    /// Its size when it was ranked.
    pub bytes: u64,
    /// Whether the person wants it sent.
    pub included: bool,
    /// Whether the person set the tick, or added the file.
    pub by_hand: bool,
    /// The reasons, as JSON.
    pub reasons: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    Ok(FileRow {
        path: row.get(0)?,
        test: row.get(1)?,
        rank: row.get(2)?,
        score: row.get(3)?,
        bytes: row.get(4)?,
        included: row.get(5)?,
        by_hand: row.get(6)?,
        reasons: row.get(7)?,
    })
}

/// A session's files: sources, then tests, each by rank.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>, session: &str) -> Result<Vec<FileRow>> {
    db.all(
        "SELECT path, test, rank, score, bytes, included, by_hand, reasons FROM session_files WHERE session_id = ?1
         ORDER BY test, rank, path",
        [session],
        read,
    )
}

/// Replaces a session's files.
///
/// # Errors
/// When the database refuses.
pub fn replace(db: &Db<'_>, session: &str, rows: &[FileRow]) -> Result<()> {
    db.change("DELETE FROM session_files WHERE session_id = ?1", [session])?;
    rows.iter().try_for_each(|row| put(db, session, row))
}

/// Adds a file, or replaces the one with the same path.
///
/// # Errors
/// When the database refuses.
pub fn put(db: &Db<'_>, session: &str, row: &FileRow) -> Result<()> {
    db.change(
        "INSERT OR REPLACE INTO session_files (session_id, path, test, rank, score, bytes, included, by_hand, reasons)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            session, row.path, row.test, row.rank, row.score, row.bytes, row.included, row.by_hand, row.reasons
        ],
    )?;
    Ok(())
}

/// The person ticks or unticks a file; whether it is in the list.
///
/// # Errors
/// When the database refuses.
pub fn include(db: &Db<'_>, session: &str, path: &str, included: bool) -> Result<bool> {
    let changed = db.change(
        "UPDATE session_files SET included = ?3, by_hand = 1 WHERE session_id = ?1 AND path = ?2",
        params![session, path, included],
    )?;
    Ok(changed > 0)
}
