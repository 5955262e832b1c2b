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

/// Removes every text that nothing refers to any more: requests that were superseded, and what deleted sessions
/// leave behind. A request may hold a secret that was found in it, so it must not outlive its use.
///
/// # Errors
/// When the database refuses.
pub fn forget_unused(db: &Db<'_>) -> Result<()> {
    db.change(
        "DELETE FROM texts WHERE hash NOT IN (
           SELECT body_hash FROM approvals WHERE state <> 'superseded'
           UNION SELECT canonical_hash FROM approvals WHERE state <> 'superseded'
           UNION SELECT document_hash FROM plan_versions
           UNION SELECT base_hash FROM plan_bases
           UNION SELECT answer_hash FROM plans WHERE answer_hash IS NOT NULL
           UNION SELECT answer_hash FROM answers WHERE answer_hash IS NOT NULL)",
        [],
    )?;
    Ok(())
}
