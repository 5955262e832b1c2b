//! Plans and the answers they are read from.

use crate::{Db, Result, search, texts};
use rusqlite::{Row, params};

/// A plan. `state` is `streaming`, `complete`, `cut` or `unreadable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Its id.
    pub id: String,
    /// Its session.
    pub session_id: String,
    /// The job that makes it.
    pub job_id: String,
    /// Its state.
    pub state: String,
    /// Why it is cut or unreadable.
    pub trouble: Option<String>,
    /// Its title.
    pub title: String,
    /// How many steps it has.
    pub step_count: u32,
    /// How many findings are errors.
    pub errors: u32,
    /// How many are warnings.
    pub warnings: u32,
    /// How the answer ended, once it has.
    pub ending: Option<String>,
    /// The answer, in `texts`, once it has ended.
    pub answer_hash: Option<String>,
    /// The findings, as JSON.
    pub findings: String,
    /// Who answered.
    pub provider: Option<String>,
    /// Which model.
    pub model: Option<String>,
    /// What it used, as JSON.
    pub usage: Option<String>,
    /// When it was begun.
    pub created_at: i64,
}

const COLUMNS: &str = "id, session_id, job_id, state, trouble, title, step_count, errors, warnings, ending, answer_hash, findings, provider, model, usage, created_at";

fn read(row: &Row<'_>) -> rusqlite::Result<PlanRow> {
    Ok(PlanRow {
        id: row.get(0)?,
        session_id: row.get(1)?,
        job_id: row.get(2)?,
        state: row.get(3)?,
        trouble: row.get(4)?,
        title: row.get(5)?,
        step_count: row.get(6)?,
        errors: row.get(7)?,
        warnings: row.get(8)?,
        ending: row.get(9)?,
        answer_hash: row.get(10)?,
        findings: row.get(11)?,
        provider: row.get(12)?,
        model: row.get(13)?,
        usage: row.get(14)?,
        created_at: row.get(15)?,
    })
}

/// Adds a plan, or replaces the one with the same id.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn put(db: &Db<'_>, row: &PlanRow) -> Result<()> {
    db.change(
        &format!(
            "INSERT INTO plans ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, trouble = excluded.trouble, title = excluded.title,
               step_count = excluded.step_count, errors = excluded.errors, warnings = excluded.warnings,
               ending = excluded.ending, answer_hash = excluded.answer_hash, findings = excluded.findings,
               provider = excluded.provider, model = excluded.model, usage = excluded.usage"
        ),
        params![
            row.id, row.session_id, row.job_id, row.state, row.trouble, row.title, row.step_count, row.errors,
            row.warnings, row.ending, row.answer_hash, row.findings, row.provider, row.model, row.usage, row.created_at
        ],
    )?;
    // What still arrives changes twice a second; it is searched for once it has ended.
    if row.answer_hash.is_some() {
        search::put_plan(db, &row.id, &row.session_id, &row.title, &answer(db, row)?)?;
    }
    Ok(())
}

/// One plan.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<PlanRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM plans WHERE id = ?1"), [id], read)
}

/// The plans of a session, the newest first.
///
/// # Errors
/// When the database refuses.
pub fn list(db: &Db<'_>, session: &str) -> Result<Vec<PlanRow>> {
    db.all(&format!("SELECT {COLUMNS} FROM plans WHERE session_id = ?1 ORDER BY id DESC"), [session], read)
}

/// Appends what has arrived of an answer.
///
/// # Errors
/// When the database refuses.
pub fn append_answer(db: &Db<'_>, plan: &str, text: &str) -> Result<()> {
    db.change("INSERT INTO answer_parts (plan_id, text) VALUES (?1, ?2)", [plan, text])?;
    Ok(())
}

/// The answer as far as it is stored.
///
/// # Errors
/// When the database refuses, or the stored bytes are damaged.
pub fn answer(db: &Db<'_>, plan: &PlanRow) -> Result<String> {
    if let Some(hash) = &plan.answer_hash {
        let bytes = texts::get(db, hash)?.unwrap_or_default();
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    let sql = "SELECT text FROM answer_parts WHERE plan_id = ?1 ORDER BY id";
    Ok(db.all(sql, [&plan.id], |row| row.get::<_, String>(0))?.concat())
}

/// Moves the collected answer into `texts`; returns its hash. An answer that was settled stays as it is.
///
/// # Errors
/// When the database refuses.
pub fn settle_answer(db: &Db<'_>, plan: &PlanRow) -> Result<String> {
    if let Some(hash) = &plan.answer_hash {
        return Ok(hash.clone());
    }
    let hash = texts::put(db, answer(db, plan)?.as_bytes())?;
    db.change("DELETE FROM answer_parts WHERE plan_id = ?1", [&plan.id])?;
    Ok(hash)
}

/// Plans that are still being written although their job has ended, each with what became of the job.
///
/// # Errors
/// When the database refuses.
pub fn orphans(db: &Db<'_>) -> Result<Vec<(String, String)>> {
    let sql = "SELECT p.id, j.note FROM plans p JOIN jobs j ON j.id = p.job_id
         WHERE p.state = 'streaming' AND j.state IN ('completed', 'failed', 'canceled') ORDER BY p.id";
    db.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
}
