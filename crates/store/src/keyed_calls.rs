//! Calls that carried a key, with their answers.

use crate::{Db, Result};
use rusqlite::params;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: the call is noted now, and may begin.
    New,
    /// It was used for another call.
    Other,
    /// Its call was begun, and has no answer.
    Begun,
    /// Its call was answered like this.
    Answered(String),
}

/// Notes that a call begins, unless its key is known; what was begun before `forgotten` no longer is.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn begin(db: &Db<'_>, id: &[u8; 32], said: &[u8; 32], now: i64, forgotten: i64) -> Result<Known> {
    db.change("DELETE FROM keyed_calls WHERE begun_at < ?1", [forgotten])?;
    let known: Option<(Vec<u8>, Option<String>)> =
        db.one("SELECT said_hash, answer FROM keyed_calls WHERE id = ?1", [&id[..]], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(match known {
        None => {
            db.change(
                "INSERT INTO keyed_calls (id, said_hash, begun_at) VALUES (?1, ?2, ?3)",
                params![&id[..], &said[..], now],
            )?;
            Known::New
        }
        Some((hash, _)) if hash != said => Known::Other,
        Some((_, None)) => Known::Begun,
        Some((_, Some(answer))) => Known::Answered(answer),
    })
}

/// Forgets the calls that were begun before then.
///
/// # Errors
/// When the database refuses.
pub fn forget_before(db: &Db<'_>, then: i64) -> Result<()> {
    db.change("DELETE FROM keyed_calls WHERE begun_at < ?1", [then])?;
    Ok(())
}

/// Keeps the answer of a call.
///
/// # Errors
/// When the database refuses.
pub fn answer(db: &Db<'_>, id: &[u8; 32], answer: &str) -> Result<()> {
    db.change("UPDATE keyed_calls SET answer = ?2 WHERE id = ?1", params![&id[..], answer])?;
    Ok(())
}

/// Forgets the answers that name a thing: it is gone, and they may hold its text.
///
/// # Errors
/// When the database refuses.
pub fn forget(db: &Db<'_>, thing: &str) -> Result<()> {
    db.change("UPDATE keyed_calls SET answer = NULL WHERE instr(answer, ?1) > 0", [thing])?;
    Ok(())
}
