//! Jobs and their steps.

use crate::{Db, Result};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, params};

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Works.
    Running,
    /// Waits for a person.
    WaitingApproval,
    /// Waits for the network: what it needs cannot be reached, and it goes on by itself.
    WaitingNetwork,
    /// Put aside by a person.
    Paused,
    /// Done. Final.
    Completed,
    /// Ended by an error. Final.
    Failed,
    /// Ended by a person. Final.
    Canceled,
}

impl JobState {
    /// The states that can still change.
    pub const OPEN: [JobState; 5] = [
        JobState::Queued,
        JobState::Running,
        JobState::WaitingApproval,
        JobState::WaitingNetwork,
        JobState::Paused,
    ];

    /// The states in which a job rests until somebody or something wakes it.
    pub const RESTING: [JobState; 3] =
        [JobState::WaitingApproval, JobState::WaitingNetwork, JobState::Paused];

    const NAMES: [(JobState, &'static str); 8] = [
        (JobState::Queued, "queued"),
        (JobState::Running, "running"),
        (JobState::WaitingApproval, "waiting_approval"),
        (JobState::WaitingNetwork, "waiting_network"),
        (JobState::Paused, "paused"),
        (JobState::Completed, "completed"),
        (JobState::Failed, "failed"),
        (JobState::Canceled, "canceled"),
    ];

    /// Whether a job in this state never changes again.
    pub fn is_final(self) -> bool {
        !JobState::OPEN.contains(&self)
    }

    fn name(self) -> &'static str {
        JobState::NAMES.iter().find(|(state, _)| *state == self).map_or("failed", |(_, name)| name)
    }
}

impl ToSql for JobState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for JobState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<JobState> {
        let text = value.as_str()?;
        JobState::NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(state, _)| *state)
            .ok_or(FromSqlError::InvalidType)
    }
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// The session it works for.
    pub session_id: String,
    /// The name of its workflow.
    pub workflow: String,
    /// Its state.
    pub state: JobState,
    /// What it does, or why it ended.
    pub note: String,
    /// The workflow's input, as JSON.
    pub input: String,
    /// The approval it waits for or was given.
    pub approval_id: Option<String>,
    /// The plan it makes.
    pub plan_id: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it changed last.
    pub updated_at: i64,
    /// Jobs of a higher priority run first; 0 is usual.
    pub priority: i32,
    /// When a job that waits for the network is tried again.
    pub wake_at: Option<i64>,
    /// Whether a person wants it to pause at the end of its present step.
    pub pause_wanted: bool,
    /// The job that this one takes up again.
    pub retry_of: Option<String>,
}

impl JobRow {
    /// A job that waits for its turn.
    pub fn queued(id: String, session_id: String, workflow: &str, input: String, now: i64) -> JobRow {
        JobRow {
            id,
            session_id,
            workflow: workflow.to_owned(),
            state: JobState::Queued,
            note: String::new(),
            input,
            approval_id: None,
            plan_id: None,
            created_at: now,
            updated_at: now,
            priority: 0,
            wake_at: None,
            pause_wanted: false,
            retry_of: None,
        }
    }
}

/// A step of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Its name within the workflow.
    pub name: String,
    /// When it began first.
    pub begun_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Its output, once it has ended.
    pub output: Option<String>,
}

const COLUMNS: &str =
    "id, session_id, workflow, state, note, input, approval_id, plan_id, created_at, updated_at,
     priority, wake_at, pause_wanted, retry_of";

fn read(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        id: row.get(0)?,
        session_id: row.get(1)?,
        workflow: row.get(2)?,
        state: row.get(3)?,
        note: row.get(4)?,
        input: row.get(5)?,
        approval_id: row.get(6)?,
        plan_id: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
        priority: row.get(10)?,
        wake_at: row.get(11)?,
        pause_wanted: row.get(12)?,
        retry_of: row.get(13)?,
    })
}

/// Adds a job.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn insert(db: &Db<'_>, job: &JobRow) -> Result<()> {
    db.change(
        &format!(
            "INSERT INTO jobs ({COLUMNS})
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        ),
        params![
            job.id,
            job.session_id,
            job.workflow,
            job.state,
            job.note,
            job.input,
            job.approval_id,
            job.plan_id,
            job.created_at,
            job.updated_at,
            job.priority,
            job.wake_at,
            job.pause_wanted,
            job.retry_of
        ],
    )?;
    Ok(())
}

/// One job.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<JobRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"), [id], read)
}

/// The newest jobs, of one session or of all; those older than the job `before` when that is given. Ids are in the order
/// in which jobs were made.
///
/// # Errors
/// When the database refuses.
pub fn list(db: &Db<'_>, session: Option<&str>, before: Option<&str>, limit: u32) -> Result<Vec<JobRow>> {
    // Two statements: each goes along its own index.
    let of_session = if session.is_some() { "session_id = ?1" } else { "?1 IS NULL" };
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE {of_session} AND id < ?2 ORDER BY id DESC LIMIT ?3");
    // No id is above this one.
    db.all(&sql, params![session, before.unwrap_or("\u{10ffff}"), limit], read)
}

/// The jobs that can still change: the newest first.
///
/// # Errors
/// When the database refuses.
pub fn open(db: &Db<'_>) -> Result<Vec<JobRow>> {
    let mut found = Vec::new();
    for state in JobState::OPEN {
        found.extend(in_state(db, state)?);
    }
    found.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(found)
}

/// The jobs in one state: by priority, then the oldest first.
///
/// # Errors
/// When the database refuses.
pub fn in_state(db: &Db<'_>, state: JobState) -> Result<Vec<JobRow>> {
    db.all(&format!("SELECT {COLUMNS} FROM jobs WHERE state = ?1 ORDER BY priority DESC, id"), [state], read)
}

/// The queued job whose turn it is.
///
/// # Errors
/// When the database refuses.
pub fn next_queued(db: &Db<'_>) -> Result<Option<JobRow>> {
    db.one(
        &format!("SELECT {COLUMNS} FROM jobs WHERE state = ?1 ORDER BY priority DESC, id LIMIT 1"),
        [JobState::Queued],
        read,
    )
}

/// The jobs that wait for the network and are to be tried again by now. Also those that rest since a time that is still to
/// come: the clock was set back, and what it said of their waking means nothing any more.
///
/// # Errors
/// When the database refuses.
pub fn due(db: &Db<'_>, now: i64) -> Result<Vec<JobRow>> {
    db.all(
        &format!("SELECT {COLUMNS} FROM jobs WHERE state = ?1 AND (COALESCE(wake_at, 0) <= ?2 OR updated_at > ?2) ORDER BY id"),
        params![JobState::WaitingNetwork, now],
        read,
    )
}

/// Moves a job to state `to` if it is in one of the states `from`; whether it was. A final state is left by no
/// call: it is ignored among `from`.
///
/// # Errors
/// When the database refuses.
pub fn transition(
    db: &Db<'_>,
    id: &str,
    from: &[JobState],
    to: JobState,
    note: &str,
    now: i64,
) -> Result<bool> {
    let Some(job) = get(db, id)? else { return Ok(false) };
    if job.state.is_final() || !from.contains(&job.state) {
        return Ok(false);
    }
    // A wish to pause ends with whatever became of it, and a time to wake with the waiting.
    db.change(
        "UPDATE jobs SET state = ?2, note = ?3, updated_at = ?4, wake_at = NULL,
           pause_wanted = CASE WHEN ?2 IN ('queued', 'running') THEN pause_wanted ELSE 0 END WHERE id = ?1",
        params![id, to, note, now],
    )?;
    Ok(true)
}

/// Notes when a job that waits for the network is tried again.
///
/// # Errors
/// When the database refuses.
pub fn set_wake(db: &Db<'_>, id: &str, at: i64) -> Result<()> {
    db.change(
        "UPDATE jobs SET wake_at = ?2 WHERE id = ?1 AND state = ?3",
        params![id, at, JobState::WaitingNetwork],
    )?;
    Ok(())
}

/// Notes that a running job is to pause, or no longer is.
///
/// # Errors
/// When the database refuses.
pub fn want_pause(db: &Db<'_>, id: &str, wanted: bool) -> Result<()> {
    db.change("UPDATE jobs SET pause_wanted = ?2 WHERE id = ?1", params![id, wanted])?;
    Ok(())
}

/// Changes how soon a job's turn comes.
///
/// # Errors
/// When the database refuses.
pub fn set_priority(db: &Db<'_>, id: &str, priority: i32) -> Result<()> {
    db.change("UPDATE jobs SET priority = ?2 WHERE id = ?1", params![id, priority])?;
    Ok(())
}

/// Notes the approval a job waits for.
///
/// # Errors
/// When the database refuses.
pub fn set_approval(db: &Db<'_>, id: &str, approval: &str) -> Result<()> {
    db.change("UPDATE jobs SET approval_id = ?2 WHERE id = ?1", [id, approval])?;
    Ok(())
}

/// Notes what a running job does.
///
/// # Errors
/// When the database refuses.
pub fn set_note(db: &Db<'_>, id: &str, note: &str, now: i64) -> Result<()> {
    let open = JobState::Running;
    db.change(
        "UPDATE jobs SET note = ?2, updated_at = ?3 WHERE id = ?1 AND state = ?4",
        params![id, note, now, open],
    )?;
    Ok(())
}

/// The steps of a job that have begun.
///
/// # Errors
/// When the database refuses.
pub fn steps(db: &Db<'_>, job: &str) -> Result<Vec<StepRow>> {
    let sql = "SELECT name, begun_at, ended_at, output FROM job_steps WHERE job_id = ?1 ORDER BY begun_at";
    db.all(sql, [job], |row| {
        Ok(StepRow { name: row.get(0)?, begun_at: row.get(1)?, ended_at: row.get(2)?, output: row.get(3)? })
    })
}

/// Gives a job the outputs that another one's steps of these names had.
///
/// # Errors
/// When the database refuses.
pub fn copy_steps(db: &Db<'_>, from: &str, to: &str, names: &[&str]) -> Result<()> {
    for name in names {
        db.change(
            "INSERT OR IGNORE INTO job_steps (job_id, name, begun_at, ended_at, output)
             SELECT ?2, name, begun_at, ended_at, output FROM job_steps
             WHERE job_id = ?1 AND name = ?3 AND output IS NOT NULL",
            params![from, to, name],
        )?;
    }
    Ok(())
}

/// Notes that a step begins; whether it had begun before, in a run that did not end.
///
/// # Errors
/// When the database refuses.
pub fn begin_step(db: &Db<'_>, job: &str, name: &str, now: i64) -> Result<bool> {
    let added = db.change(
        "INSERT OR IGNORE INTO job_steps (job_id, name, begun_at) VALUES (?1, ?2, ?3)",
        params![job, name, now],
    )?;
    Ok(added == 0)
}

/// Forgets that a step began: it waits for something and will begin anew.
///
/// # Errors
/// When the database refuses.
pub fn withdraw_step(db: &Db<'_>, job: &str, name: &str) -> Result<()> {
    db.change("DELETE FROM job_steps WHERE job_id = ?1 AND name = ?2 AND output IS NULL", [job, name])?;
    Ok(())
}

/// Forgets steps and their outputs: they are run anew.
///
/// # Errors
/// When the database refuses.
pub fn forget_steps(db: &Db<'_>, job: &str, names: &[&str]) -> Result<()> {
    for name in names {
        db.change("DELETE FROM job_steps WHERE job_id = ?1 AND name = ?2", [job, name])?;
    }
    Ok(())
}

/// Stores a step's output. The first output stays.
///
/// # Errors
/// When the database refuses.
pub fn end_step(db: &Db<'_>, job: &str, name: &str, output: &str, now: i64) -> Result<()> {
    db.change(
        "UPDATE job_steps SET output = ?3, ended_at = ?4 WHERE job_id = ?1 AND name = ?2 AND output IS NULL",
        params![job, name, output, now],
    )?;
    Ok(())
}
