//! What persons were asked to let out.

use crate::jobs::{self, JobState};
use crate::{Db, Result, texts};
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
    /// The hash of the canonical request, which is in `texts` too.
    pub canonical_hash: String,
    /// The manifest, as JSON.
    pub manifest: String,
    /// When it was asked.
    pub created_at: i64,
    /// Who answered it.
    pub by: Option<String>,
}

const COLUMNS: &str = "id, job_id, session_id, state, fingerprint, body_hash, canonical_hash, manifest, created_at, answered_by";

fn read(row: &Row<'_>) -> rusqlite::Result<ApprovalRow> {
    Ok(ApprovalRow {
        id: row.get(0)?,
        job_id: row.get(1)?,
        session_id: row.get(2)?,
        state: row.get(3)?,
        fingerprint: row.get(4)?,
        body_hash: row.get(5)?,
        canonical_hash: row.get(6)?,
        manifest: row.get(7)?,
        created_at: row.get(8)?,
        by: row.get(9)?,
    })
}

/// Adds an approval in state `waiting` and makes it the one its job waits for. `replaces` is superseded by it, and
/// must still wait, as must the job; otherwise nothing is changed. Whether it was added.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn ask(db: &Db<'_>, row: &ApprovalRow, replaces: Option<&str>) -> Result<bool> {
    let Some(job) = jobs::get(db, &row.job_id)? else { return Ok(false) };
    if let Some(old) = replaces {
        let rests = job.state == JobState::WaitingApproval && job.approval_id.as_deref() == Some(old);
        if !rests || !answer(db, old, "superseded", "engine", row.created_at)? {
            return Ok(false);
        }
    }
    // What the job asked before, in a run that ended before it could say so, is asked no more; money that was set aside for
    // it and not spent is free again.
    db.change(
        "UPDATE approvals SET state = 'superseded', answered_by = 'engine', answered_at = ?2
         WHERE job_id = ?1 AND state = 'waiting'",
        params![row.job_id, row.created_at],
    )?;
    db.change(
        "DELETE FROM holds WHERE approval_id IN (SELECT id FROM approvals WHERE job_id = ?1)
           AND approval_id NOT IN (SELECT approval_id FROM audit WHERE kind = 'intent' AND approval_id IS NOT NULL)",
        [&row.job_id],
    )?;
    db.change(
        "INSERT INTO approvals (id, job_id, session_id, state, fingerprint, body_hash, canonical_hash, manifest, created_at)
         VALUES (?1, ?2, ?3, 'waiting', ?4, ?5, ?6, ?7, ?8)",
        params![
            row.id, row.job_id, row.session_id, row.fingerprint, row.body_hash, row.canonical_hash, row.manifest,
            row.created_at
        ],
    )?;
    jobs::set_approval(db, &row.job_id, &row.id)?;
    let superseded = "SELECT body_hash FROM approvals WHERE job_id = ?1 AND state = 'superseded'
         UNION SELECT canonical_hash FROM approvals WHERE job_id = ?1 AND state = 'superseded'";
    texts::forget(db, &db.all(superseded, [&row.job_id], |row| row.get(0))?)?;
    Ok(true)
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
