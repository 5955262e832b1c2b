//! What was found on the web.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// A question for the web and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebFindingRow {
    /// Its id.
    pub id: String,
    /// Its session.
    pub session_id: String,
    /// The job that answers it.
    pub job_id: String,
    /// The job that proposed it, if a model did.
    pub proposed_by: Option<String>,
    /// Its place among the questions that were asked together.
    pub place: u32,
    /// The question.
    pub question: String,
    /// Why it was asked; empty where nobody said.
    pub why: String,
    /// `asked`, `answered` or `cut`.
    pub state: String,
    /// What is wrong with the answer.
    pub trouble: Option<String>,
    /// The answer; empty while there is none.
    pub answer: String,
    /// Sources and searches, as JSON.
    pub web: String,
    /// What it used, as JSON.
    pub usage: Option<String>,
    /// Who answered.
    pub model: Option<String>,
    /// Whether it goes with the next question for a plan.
    pub attached: bool,
    /// When it was asked.
    pub created_at: i64,
    /// When it was answered.
    pub answered_at: Option<i64>,
}

const COLUMNS: &str = "id, session_id, job_id, proposed_by, place, question, why, state, trouble, answer, web, usage, model, attached,
     created_at, answered_at";

fn read(row: &Row<'_>) -> rusqlite::Result<WebFindingRow> {
    Ok(WebFindingRow {
        id: row.get(0)?,
        session_id: row.get(1)?,
        job_id: row.get(2)?,
        proposed_by: row.get(3)?,
        place: row.get(4)?,
        question: row.get(5)?,
        why: row.get(6)?,
        state: row.get(7)?,
        trouble: row.get(8)?,
        answer: row.get(9)?,
        web: row.get(10)?,
        usage: row.get(11)?,
        model: row.get(12)?,
        attached: row.get(13)?,
        created_at: row.get(14)?,
        answered_at: row.get(15)?,
    })
}

/// Adds a question, unless it is there already.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn insert(db: &Db<'_>, row: &WebFindingRow) -> Result<()> {
    db.change(
        &format!(
            "INSERT OR IGNORE INTO web_findings ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        ),
        params![
            row.id,
            row.session_id,
            row.job_id,
            row.proposed_by,
            row.place,
            row.question,
            row.why,
            row.state,
            row.trouble,
            row.answer,
            row.web,
            row.usage,
            row.model,
            row.attached,
            row.created_at,
            row.answered_at
        ],
    )?;
    Ok(())
}

/// One finding.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<WebFindingRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM web_findings WHERE id = ?1"), [id], read)
}

/// The findings of a session, in the order in which they were asked.
///
/// # Errors
/// When the database refuses.
pub fn list(db: &Db<'_>, session: &str) -> Result<Vec<WebFindingRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM web_findings WHERE session_id = ?1 ORDER BY created_at, place, id");
    db.all(&sql, [session], read)
}

/// Those that go with the next question for a plan.
///
/// # Errors
/// When the database refuses.
pub fn attached(db: &Db<'_>, session: &str) -> Result<Vec<WebFindingRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM web_findings WHERE session_id = ?1 AND attached <> 0 ORDER BY created_at, place, id"
    );
    db.all(&sql, [session], read)
}

/// Whether a job has proposed questions already.
///
/// # Errors
/// When the database refuses.
pub fn proposed(db: &Db<'_>, job: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM web_findings WHERE proposed_by = ?1 LIMIT 1";
    Ok(db.one(sql, [job], |row| row.get::<_, i64>(0))?.is_some())
}

/// Notes which job answers a question that has no answer yet.
///
/// # Errors
/// When the database refuses.
pub fn set_job(db: &Db<'_>, id: &str, job: &str) -> Result<()> {
    db.change("UPDATE web_findings SET job_id = ?2 WHERE id = ?1 AND state <> 'answered'", [id, job])?;
    Ok(())
}

/// Stores an answer.
///
/// # Errors
/// When the database refuses.
pub fn answer(db: &Db<'_>, row: &WebFindingRow) -> Result<()> {
    db.change(
        "UPDATE web_findings SET job_id = ?2, state = ?3, trouble = ?4, answer = ?5, web = ?6, usage = ?7, model = ?8,
           answered_at = ?9 WHERE id = ?1",
        params![
            row.id,
            row.job_id,
            row.state,
            row.trouble,
            row.answer,
            row.web,
            row.usage,
            row.model,
            row.answered_at
        ],
    )?;
    Ok(())
}

/// Attaches a finding or takes it off.
///
/// # Errors
/// When the database refuses.
pub fn attach(db: &Db<'_>, id: &str, attached: bool) -> Result<()> {
    db.change("UPDATE web_findings SET attached = ?2 WHERE id = ?1", params![id, attached])?;
    Ok(())
}
