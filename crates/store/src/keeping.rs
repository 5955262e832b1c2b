//! What the database takes, what is kept no longer, and whether it is whole.

use crate::{Db, Result, texts};
use rusqlite::params;

/// What the database takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// The stored texts, compressed, and how many.
    pub texts: u64,
    /// How many texts there are.
    pub text_count: u64,
    /// All pages, free ones included.
    pub pages: u64,
    /// Free pages.
    pub unused: u64,
}

/// What the database takes. Reads where each text stands, not the texts.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn sizes(db: &Db<'_>) -> Result<Sizes> {
    let number = |name: &str| db.0.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let page = number("page_size")?;
    let (texts, text_count) = db
        .one("SELECT COALESCE(SUM(length(data)), 0), COUNT(*) FROM texts", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .unwrap_or_default();
    Ok(Sizes {
        texts,
        text_count,
        pages: page * number("page_count")?,
        unused: page * number("freelist_count")?,
    })
}

/// Forgets the texts of requests, and of answers that are no plans, whose job ended before `before`; at most `limit`
/// requests at a time. Returns how many there were. What was asked, where it went and what it cost stays on record.
///
/// # Errors
/// When the database refuses.
pub fn forget_requests(db: &Db<'_>, before: i64, limit: u32) -> Result<u64> {
    let sql = "SELECT a.id, a.body_hash, a.canonical_hash, (SELECT answer_hash FROM answers WHERE approval_id = a.id)
         FROM approvals a JOIN jobs j ON j.id = a.job_id
         WHERE a.created_at < ?1 AND a.body_hash <> '' AND j.updated_at < ?1
           AND j.state IN ('completed', 'failed', 'canceled') LIMIT ?2";
    type Old = (String, String, String, Option<String>);
    let old: Vec<Old> =
        db.all(sql, params![before, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    for (id, body, canonical, answer) in &old {
        db.change("UPDATE approvals SET body_hash = '', canonical_hash = '' WHERE id = ?1", [id])?;
        db.change("DELETE FROM answers WHERE approval_id = ?1", [id])?;
        let mut hashes = vec![body.clone(), canonical.clone()];
        hashes.extend(answer.clone());
        texts::forget(db, &hashes)?;
    }
    Ok(old.len() as u64)
}

/// Gives up to `pages` free pages back to the disk; how many it were.
///
/// # Errors
/// When the database refuses.
pub fn give_back(db: &Db<'_>, pages: u32) -> Result<u64> {
    let free = || db.0.pragma_query_value(None, "freelist_count", |row| row.get::<_, u64>(0));
    let before = free()?;
    let mut statement = db.0.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    // Each row is a page that was given back.
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(before.saturating_sub(free()?))
}

/// The size of a page, in bytes.
///
/// # Errors
/// When the database refuses.
pub fn page_size(db: &Db<'_>) -> Result<u64> {
    Ok(db.0.pragma_query_value(None, "page_size", |row| row.get(0))?)
}

/// What is wrong with the database; empty when nothing is. `whole` also compares every index with its table.
///
/// # Errors
/// When the database refuses.
pub fn faults(db: &Db<'_>, whole: bool) -> Result<Vec<String>> {
    let pragma = if whole { "PRAGMA integrity_check(20)" } else { "PRAGMA quick_check(20)" };
    let mut statement = db.0.prepare(pragma)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut faults: Vec<String> = found.collect::<rusqlite::Result<_>>()?;
    faults.retain(|fault| fault != "ok");
    if whole {
        let mut statement = db.0.prepare("PRAGMA foreign_key_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            faults.push(format!("a row of {} belongs to nothing", row.get::<_, String>(0)?));
        }
    }
    Ok(faults)
}
