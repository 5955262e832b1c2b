//! Answers that are not plans: appended while they arrive, stored once when they have ended.

use crate::{Db, Result, texts};

/// Begins an answer; whether it is a new one.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn begin(db: &Db<'_>, approval: &str, job: &str) -> Result<bool> {
    let sql = "INSERT OR IGNORE INTO answers (approval_id, job_id) VALUES (?1, ?2)";
    Ok(db.change(sql, [approval, job])? > 0)
}

/// Appends what has arrived.
///
/// # Errors
/// When the database refuses.
pub fn append(db: &Db<'_>, approval: &str, text: &str) -> Result<()> {
    db.change("INSERT INTO answer_chunks (approval_id, text) VALUES (?1, ?2)", [approval, text])?;
    Ok(())
}

/// The answer as far as it has arrived; `None` when it was never begun.
///
/// # Errors
/// When the database refuses.
pub fn text(db: &Db<'_>, approval: &str) -> Result<Option<String>> {
    let sql = "SELECT answer_hash FROM answers WHERE approval_id = ?1";
    match db.one(sql, [approval], |row| row.get::<_, Option<String>>(0))? {
        None => Ok(None),
        Some(Some(hash)) => {
            let stored = texts::get(db, &hash)?.unwrap_or_default();
            Ok(Some(String::from_utf8_lossy(&stored).into_owned()))
        }
        Some(None) => {
            let sql = "SELECT text FROM answer_chunks WHERE approval_id = ?1 ORDER BY id";
            Ok(Some(db.all(sql, [approval], |row| row.get::<_, String>(0))?.concat()))
        }
    }
}

/// Puts the parts of an answer that has ended together.
///
/// # Errors
/// When the database refuses.
pub fn settle(db: &Db<'_>, approval: &str) -> Result<()> {
    let sql = "SELECT 1 FROM answers WHERE approval_id = ?1 AND answer_hash IS NULL";
    if db.one(sql, [approval], |row| row.get::<_, i64>(0))?.is_none() {
        return Ok(());
    }
    let whole = text(db, approval)?.unwrap_or_default();
    let hash = texts::put(db, whole.as_bytes())?;
    db.change("UPDATE answers SET answer_hash = ?2 WHERE approval_id = ?1", [approval, &hash])?;
    db.change("DELETE FROM answer_chunks WHERE approval_id = ?1", [approval])?;
    Ok(())
}

/// Notes what an answer rests on so far.
///
/// # Errors
/// When the database refuses.
pub fn set_web(db: &Db<'_>, approval: &str, web: &str) -> Result<()> {
    db.change("UPDATE answers SET web = ?2 WHERE approval_id = ?1", [approval, web])?;
    Ok(())
}

/// What an answer rests on, if anything was noted.
///
/// # Errors
/// When the database refuses.
pub fn web(db: &Db<'_>, approval: &str) -> Result<Option<String>> {
    let sql = "SELECT web FROM answers WHERE approval_id = ?1";
    Ok(db.one(sql, [approval], |row| row.get(0))?.flatten())
}
