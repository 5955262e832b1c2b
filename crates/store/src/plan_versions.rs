//! Versions of plans, what was decided and said about their steps, and what the project was when they were made.

use crate::{Db, Result, texts};
use rusqlite::{Row, params};

/// A version of a plan after the model's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    /// The plan.
    pub plan_id: String,
    /// From 2; the answer is version 1.
    pub number: u32,
    /// How it came about.
    pub origin: String,
    /// What was done, in words.
    pub note: String,
    /// The document, in `texts`.
    pub document_hash: String,
    /// The steps' ids and sources, as JSON.
    pub steps: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub created_at: i64,
}

/// A decision about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRow {
    /// The step.
    pub step_id: String,
    /// `accepted`, `rejected` or `open`.
    pub decision: String,
    /// Whether errors do not count.
    pub overridden: bool,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: i64,
}

/// A remark about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentRow {
    /// The step.
    pub step_id: String,
    /// What was said.
    pub text: String,
    /// Who said it.
    pub written_by: String,
    /// When.
    pub created_at: i64,
}

const COLUMNS: &str = "plan_id, number, origin, note, document_hash, steps, made_by, created_at";

fn read(row: &Row<'_>) -> rusqlite::Result<VersionRow> {
    Ok(VersionRow {
        plan_id: row.get(0)?,
        number: row.get(1)?,
        origin: row.get(2)?,
        note: row.get(3)?,
        document_hash: row.get(4)?,
        steps: row.get(5)?,
        made_by: row.get(6)?,
        created_at: row.get(7)?,
    })
}

/// The versions of a plan after its answer, the oldest first.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn list(db: &Db<'_>, plan: &str) -> Result<Vec<VersionRow>> {
    db.all(&format!("SELECT {COLUMNS} FROM plan_versions WHERE plan_id = ?1 ORDER BY number"), [plan], read)
}

/// The newest version after the answer.
///
/// # Errors
/// When the database refuses.
pub fn latest(db: &Db<'_>, plan: &str) -> Result<Option<VersionRow>> {
    let sql = format!("SELECT {COLUMNS} FROM plan_versions WHERE plan_id = ?1 ORDER BY number DESC LIMIT 1");
    db.one(&sql, [plan], read)
}

/// The document of a version.
///
/// # Errors
/// When the database refuses, or the stored bytes are damaged.
pub fn document(db: &Db<'_>, version: &VersionRow) -> Result<String> {
    let bytes = texts::get(db, &version.document_hash)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Adds a version with its document; its `document_hash` is set here.
///
/// # Errors
/// When the database refuses, or the number is taken.
pub fn insert(db: &Db<'_>, version: &VersionRow, document: &str) -> Result<()> {
    let hash = texts::put(db, document.as_bytes())?;
    db.change(
        &format!("INSERT INTO plan_versions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
        params![
            version.plan_id,
            version.number,
            version.origin,
            version.note,
            hash,
            version.steps,
            version.made_by,
            version.created_at
        ],
    )?;
    Ok(())
}

/// What was decided about a plan's steps.
///
/// # Errors
/// When the database refuses.
pub fn decisions(db: &Db<'_>, plan: &str) -> Result<Vec<DecisionRow>> {
    let sql =
        "SELECT step_id, decision, overridden, decided_by, decided_at FROM plan_decisions WHERE plan_id = ?1";
    db.all(sql, [plan], |row| {
        Ok(DecisionRow {
            step_id: row.get(0)?,
            decision: row.get(1)?,
            overridden: row.get(2)?,
            decided_by: row.get(3)?,
            decided_at: row.get(4)?,
        })
    })
}

/// Keeps a decision in place of an earlier one.
///
/// # Errors
/// When the database refuses.
pub fn decide(db: &Db<'_>, plan: &str, row: &DecisionRow) -> Result<()> {
    db.change(
        "INSERT INTO plan_decisions (plan_id, step_id, decision, overridden, decided_by, decided_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (plan_id, step_id) DO UPDATE SET decision = excluded.decision, overridden = excluded.overridden,
           decided_by = excluded.decided_by, decided_at = excluded.decided_at",
        params![plan, row.step_id, row.decision, row.overridden, row.decided_by, row.decided_at],
    )?;
    Ok(())
}

/// Forgets what was decided about a step: it is another one now.
///
/// # Errors
/// When the database refuses.
pub fn undecide(db: &Db<'_>, plan: &str, step: &str) -> Result<()> {
    db.change("DELETE FROM plan_decisions WHERE plan_id = ?1 AND step_id = ?2", [plan, step])?;
    Ok(())
}

/// What was said about a plan's steps, the oldest first.
///
/// # Errors
/// When the database refuses.
pub fn comments(db: &Db<'_>, plan: &str) -> Result<Vec<CommentRow>> {
    let sql =
        "SELECT step_id, text, written_by, created_at FROM plan_comments WHERE plan_id = ?1 ORDER BY id";
    db.all(sql, [plan], |row| {
        Ok(CommentRow {
            step_id: row.get(0)?,
            text: row.get(1)?,
            written_by: row.get(2)?,
            created_at: row.get(3)?,
        })
    })
}

/// Adds a remark.
///
/// # Errors
/// When the database refuses.
pub fn comment(db: &Db<'_>, plan: &str, row: &CommentRow) -> Result<()> {
    db.change(
        "INSERT INTO plan_comments (plan_id, step_id, text, written_by, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![plan, row.step_id, row.text, row.written_by, row.created_at],
    )?;
    Ok(())
}

/// Keeps what the project was when the plan was made.
///
/// # Errors
/// When the database refuses.
pub fn put_base(db: &Db<'_>, plan: &str, base: &str) -> Result<()> {
    let hash = texts::put(db, base.as_bytes())?;
    db.change("INSERT OR REPLACE INTO plan_bases (plan_id, base_hash) VALUES (?1, ?2)", [plan, &hash])?;
    Ok(())
}

/// What the project was when the plan was made.
///
/// # Errors
/// When the database refuses, or the stored bytes are damaged.
pub fn base(db: &Db<'_>, plan: &str) -> Result<Option<String>> {
    let sql = "SELECT base_hash FROM plan_bases WHERE plan_id = ?1";
    let Some(hash) = db.one(sql, [plan], |row| row.get::<_, String>(0))? else { return Ok(None) };
    Ok(texts::get(db, &hash)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
