//! Standing permissions, and money that is set aside for requests under way.
//!
//! Everything that asks "is there room" and "take it" is one call inside one transaction, so two jobs can never both
//! find the last cent.

use crate::{Db, Result};
use rusqlite::{Row, params};

/// A standing permission: a person's yes for later requests of one session, within bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionRow {
    /// Its id.
    pub id: String,
    /// The session it is for.
    pub session_id: String,
    /// The door.
    pub door: String,
    /// The destinations that requests may go to, as JSON.
    pub destinations: String,
    /// The folder that every file must lie under; empty for the whole project.
    pub under: String,
    /// The most that may be spent, in millionths of a dollar.
    pub cap: u64,
    /// What was spent.
    pub spent: u64,
    /// When it was given.
    pub created_at: i64,
    /// By whom.
    pub created_by: String,
    /// When it ends.
    pub expires_at: i64,
    /// When it was ended before that.
    pub ended_at: Option<i64>,
    /// Why.
    pub ended_why: Option<String>,
    /// Whether it covers requests that let the provider search the web.
    pub web: bool,
}

const COLUMNS: &str =
    "id, session_id, door, destinations, under, cap, spent, created_at, created_by, expires_at,
     ended_at, ended_why, web";

fn read(row: &Row<'_>) -> rusqlite::Result<PermissionRow> {
    Ok(PermissionRow {
        id: row.get(0)?,
        session_id: row.get(1)?,
        door: row.get(2)?,
        destinations: row.get(3)?,
        under: row.get(4)?,
        cap: row.get(5)?,
        spent: row.get(6)?,
        created_at: row.get(7)?,
        created_by: row.get(8)?,
        expires_at: row.get(9)?,
        ended_at: row.get(10)?,
        ended_why: row.get(11)?,
        web: row.get(12)?,
    })
}

/// Adds a permission.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn insert(db: &Db<'_>, row: &PermissionRow) -> Result<()> {
    db.change(
        &format!(
            "INSERT INTO permissions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        ),
        params![
            row.id,
            row.session_id,
            row.door,
            row.destinations,
            row.under,
            row.cap,
            row.spent,
            row.created_at,
            row.created_by,
            row.expires_at,
            row.ended_at,
            row.ended_why,
            row.web
        ],
    )?;
    Ok(())
}

/// One permission.
///
/// # Errors
/// When the database refuses.
pub fn get(db: &Db<'_>, id: &str) -> Result<Option<PermissionRow>> {
    db.one(&format!("SELECT {COLUMNS} FROM permissions WHERE id = ?1"), [id], read)
}

/// The permissions of a session, or of all of them, the newest first.
///
/// # Errors
/// When the database refuses.
pub fn list(db: &Db<'_>, session: Option<&str>) -> Result<Vec<PermissionRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM permissions WHERE ?1 IS NULL OR session_id = ?1 ORDER BY id DESC");
    db.all(&sql, params![session], read)
}

/// How far the clock may have been set back since a permission was given, in milliseconds. What was given in a time that
/// is further ahead does not hold: it could hold for years.
const SET_BACK: i64 = 5 * 60 * 1000;

impl PermissionRow {
    /// Whether it holds at a time.
    pub fn holds_at(&self, now: i64) -> bool {
        self.ended_at.is_none() && self.expires_at > now && self.created_at <= now.saturating_add(SET_BACK)
    }
}

/// The permissions of a session that hold now. One whose time is over ends for good: it does not hold again when the clock
/// is set back.
///
/// # Errors
/// When the database refuses.
pub fn holding(db: &Db<'_>, session: &str, now: i64) -> Result<Vec<PermissionRow>> {
    db.change(
        "UPDATE permissions SET ended_at = ?2, ended_why = 'Its time is over.'
         WHERE session_id = ?1 AND ended_at IS NULL AND expires_at <= ?2",
        params![session, now],
    )?;
    let sql =
        format!("SELECT {COLUMNS} FROM permissions WHERE session_id = ?1 AND ended_at IS NULL ORDER BY id");
    let rows = db.all(&sql, params![session], read)?;
    Ok(rows.into_iter().filter(|row| row.holds_at(now)).collect())
}

/// Ends a permission; whether it held.
///
/// # Errors
/// When the database refuses.
pub fn end(db: &Db<'_>, id: &str, why: &str, now: i64) -> Result<bool> {
    let sql = "UPDATE permissions SET ended_at = ?2, ended_why = ?3 WHERE id = ?1 AND ended_at IS NULL";
    Ok(db.change(sql, params![id, now, why])? > 0)
}

/// What is set aside under a permission.
///
/// # Errors
/// When the database refuses.
pub fn held_by_permission(db: &Db<'_>, permission: &str) -> Result<u64> {
    let sql = "SELECT COALESCE(SUM(amount), 0) FROM holds WHERE permission_id = ?1";
    Ok(db.one(sql, [permission], |row| row.get(0))?.unwrap_or(0))
}

/// What is set aside in a session, or in all of them.
///
/// # Errors
/// When the database refuses.
pub fn held(db: &Db<'_>, session: Option<&str>) -> Result<u64> {
    let sql = "SELECT COALESCE(SUM(amount), 0) FROM holds WHERE ?1 IS NULL OR session_id = ?1";
    Ok(db.one(sql, params![session], |row| row.get(0))?.unwrap_or(0))
}

/// Sets money aside for an approval.
///
/// # Errors
/// When the database refuses.
pub fn hold(
    db: &Db<'_>,
    approval: &str,
    session: &str,
    permission: Option<&str>,
    amount: u64,
    now: i64,
) -> Result<()> {
    db.change(
        "INSERT OR REPLACE INTO holds (approval_id, session_id, permission_id, amount, held_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![approval, session, permission, amount, now],
    )?;
    Ok(())
}

/// Gives back what was set aside for an approval. What was spent of it counts for its permission.
///
/// # Errors
/// When the database refuses.
pub fn release(db: &Db<'_>, approval: &str, spent: u64) -> Result<()> {
    db.change(
        "UPDATE permissions SET spent = spent + ?2
         WHERE id = (SELECT permission_id FROM holds WHERE approval_id = ?1)",
        params![approval, spent],
    )?;
    db.change("DELETE FROM holds WHERE approval_id = ?1", [approval])?;
    Ok(())
}

/// Gives back what jobs that have ended left set aside: nobody will settle it any more.
///
/// # Errors
/// When the database refuses.
pub fn release_ended(db: &Db<'_>) -> Result<usize> {
    db.change(
        "DELETE FROM holds WHERE approval_id NOT IN (
           SELECT a.id FROM approvals a JOIN jobs j ON j.id = a.job_id
           WHERE j.state NOT IN ('completed', 'failed', 'canceled'))",
        [],
    )
}
