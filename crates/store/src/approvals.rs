//! What persons were asked to let out.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// An approval. `state` is `waiting`, `approved`, `refused` or `superseded`; all but the first are final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRow {
    /// Its id.
    pub id: String,
    /// The job that waits.
    pub job_id: String,
    /// Its session.
    pub session_id: String,
    /// Its state.
    pub state: String,
    /// What is approved, in one hash.
    pub fingerprint: String,
    /// The hash of the body; the body itself is in `texts`.
    pub body_hash: String,
    /// The manifest, as JSON.
    pub manifest: String,
    /// When it was asked.
    pub created_at: i64,
}

const COLUMNS: &str = "id, job_id, session_id, state, fingerprint, body_hash, manifest, created_at";

fn read(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    Ok(ApprovalRow {
        id: row.get(0)?,
        job_id: row.get(1)?,
        session_id: row.get(2)?,
        state: row.get(3)?,
        fingerprint: row.get(4)?,
        body_hash: row.get(5)?,
        manifest: row.get(6)?,
        created_at: row.get(7)?,
    })
}

/// Adds an approval in state `waiting`; whatever the job waited for before is superseded.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn ask(db: &Db<'_>, row: &ApprovalRow) -> Result<()> {
    db.change(
        "UPDATE approvals SET state = 'superseded', answered_at = ?2 WHERE job_id = ?1 AND state = 'waiting'",
        params![row.job_id, row.created_at],
    )?;
    db.change(
        "INSERT INTO approvals (id, job_id, session_id, state, fingerprint, body_hash, manifest, created_at)
         VALUES (?1, ?2, ?3, 'waiting', ?4, ?5, ?6, ?7)",
        params![
            row.id,
            row.job_id,
            row.session_id,
            row.fingerprint,
            row.body_hash,
            row.manifest,
            row.created_at
        ],
    )?;
    crate::jobs::set_approval(db, &row.job_id, &row.id)
}

/// One approval.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<ApprovalRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM approvals WHERE id = ?1"), [id], read)
}

/// Answers an approval that waits; whether it did.
///
/// # Errors
/// When the database refuses.
pub fn answer(db: &Db<'_>, id: &str, state: &str, by: &str, now: i64) -> Result<bool> {
    let changed = db.change(
        "UPDATE approvals SET state = ?2, answered_by = ?3, answered_at = ?4 WHERE id = ?1 AND state = 'waiting'",
        params![id, state, by, now],
    )?;
    Ok(changed > 0)
}
