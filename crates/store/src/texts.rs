//! Large texts, each stored once, compressed.

use crate::{Db, Result};
use rusqlite::params;
use sha2::{Digest, Sha256};

/// Compression level: more costs time and saves little on source text.
const LEVEL: i32 = 3;

/// Stores `plain` if it is not there yet; returns its SHA-256 in hexadecimal, by which it is found again.
///
/// # Errors
/// When the database refuses.
pub fn put(db: &Db<'_>, plain: &[u8]) -> Result<String> {
    let hash = hex::encode(Sha256::digest(plain));
    let known = db.one("SELECT 1 FROM texts WHERE hash = ?1", [&hash], |row| row.get::<_, i64>(0))?;
    if known.is_none() {
        let data = zstd::bulk::compress(plain, LEVEL)?;
        db.change(
            "INSERT INTO texts (hash, plain_bytes, data) VALUES (?1, ?2, ?3)",
            params![hash, plain.len(), data],
        )?;
    }
    Ok(hash)
}

/// The text with this hash.
///
/// # Errors
/// When the database refuses, or the stored bytes are damaged.
pub fn get(db: &Db<'_>, hash: &str) -> Result<Option<Vec<u8>>> {
    let found = db.one("SELECT plain_bytes, data FROM texts WHERE hash = ?1", [hash], |row| {
        Ok((row.get::<_, usize>(0)?, row.get::<_, Vec<u8>>(1)?))
    })?;
    found.map(|(length, data)| Ok(zstd::bulk::decompress(&data, length)?)).transpose()
}

/// How many texts are kept.
///
/// # Errors
/// When the database refuses.
pub fn count(db: &Db<'_>) -> Result<i64> {
    Ok(db.one("SELECT count(*) FROM texts", [], |row| row.get(0))?.unwrap_or(0))
}

/// What may refer to a text, for SQL that looks at one hash `?1`. An approval that was superseded keeps nothing.
const HELD: &str = "
    EXISTS (SELECT 1 FROM approvals WHERE body_hash = ?1 AND state <> 'superseded')
    OR EXISTS (SELECT 1 FROM approvals WHERE canonical_hash = ?1 AND state <> 'superseded')
    OR EXISTS (SELECT 1 FROM plan_versions WHERE document_hash = ?1)
    OR EXISTS (SELECT 1 FROM plan_bases WHERE base_hash = ?1)
    OR EXISTS (SELECT 1 FROM plans WHERE answer_hash = ?1)
    OR EXISTS (SELECT 1 FROM answers WHERE answer_hash = ?1)
    OR EXISTS (SELECT 1 FROM task_steps WHERE text_hash = ?1)";

/// Removes those of these texts that nothing refers to any more: requests that were superseded, and what deleted sessions
/// leave behind. A request may hold a secret that was found in it, so it must not outlive its use.
///
/// # Errors
/// When the database refuses.
pub fn forget(db: &Db<'_>, hashes: &[String]) -> Result<()> {
    for hash in hashes {
        db.change(&format!("DELETE FROM texts WHERE hash = ?1 AND NOT ({HELD})"), [hash])?;
    }
    Ok(())
}

/// The texts that belong to a session.
///
/// # Errors
/// When the database refuses.
pub(crate) fn of_session(db: &Db<'_>, session: &str) -> Result<Vec<String>> {
    let sql = "SELECT body_hash FROM approvals WHERE session_id = ?1
         UNION SELECT canonical_hash FROM approvals WHERE session_id = ?1
         UNION SELECT document_hash FROM plan_versions WHERE plan_id IN (SELECT id FROM plans WHERE session_id = ?1)
         UNION SELECT base_hash FROM plan_bases WHERE plan_id IN (SELECT id FROM plans WHERE session_id = ?1)
         UNION SELECT answer_hash FROM plans WHERE session_id = ?1 AND answer_hash IS NOT NULL
         UNION SELECT answer_hash FROM answers WHERE answer_hash IS NOT NULL
                 AND approval_id IN (SELECT id FROM approvals WHERE session_id = ?1)
         UNION SELECT text_hash FROM task_steps WHERE session_id = ?1 AND text_hash IS NOT NULL";
    db.all(sql, [session], |row| row.get(0))
}
