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
    /// Its call was answered, and the answer is kept no longer.
    Dropped,
    /// Its call was answered like this.
    Answered(String),
}

/// What stands for an answer that is not kept. No frame is empty.
const DROPPED: &str = "";

/// Notes that a call begins, unless its key is known; what was begun more than `kept` milliseconds ago no longer is.
///
/// # Errors
/// When the database refuses, as for every function here.
pub fn begin(db: &Db<'_>, id: &[u8; 32], said: &[u8; 32], now: i64, kept: i64) -> Result<Known> {
    forget_old(db, now, kept)?;
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
        Some((_, Some(answer))) if answer == DROPPED => Known::Dropped,
        Some((_, Some(answer))) => Known::Answered(answer),
    })
}

/// Forgets the calls that were begun more than `kept` milliseconds ago, and those that were begun as long after `now`: the clock
/// was wrong then, and otherwise they would count as the newest until it has come there.
///
/// # Errors
/// When the database refuses.
pub fn forget_old(db: &Db<'_>, now: i64, kept: i64) -> Result<()> {
    let (from, to) = (now.saturating_sub(kept), now.saturating_add(kept));
    db.change("DELETE FROM keyed_calls WHERE begun_at < ?1 OR begun_at > ?2", [from, to])?;
    Ok(())
}

/// Keeps the answer of a call; `None`: that it was answered, and not how.
///
/// # Errors
/// When the database refuses.
pub fn answer(db: &Db<'_>, id: &[u8; 32], answer: Option<&str>) -> Result<()> {
    let answer = answer.unwrap_or(DROPPED);
    db.change("UPDATE keyed_calls SET answer = ?2 WHERE id = ?1", params![&id[..], answer])?;
    Ok(())
}

/// Drops the answers of the calls that were begun first until those that stay have at most `bytes` together. That the calls
/// were answered stays.
///
/// # Errors
/// When the database refuses.
pub fn keep_within(db: &Db<'_>, bytes: u64) -> Result<()> {
    let sql = "UPDATE keyed_calls SET answer = ?2 WHERE id IN (SELECT id FROM (
             SELECT id, SUM(octet_length(answer)) OVER (ORDER BY begun_at DESC, id) AS held FROM keyed_calls
             WHERE answer <> ?2) WHERE held > ?1)";
    db.change(sql, params![bytes, DROPPED])?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    const DAY: i64 = 86_400_000;

    #[tokio::test]
    async fn what_a_wrong_clock_dated_ahead_counts_neither_as_known_nor_as_newest() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("engine.db")).unwrap();
        let call = |id: u8, now: i64| {
            store.write(move |db| {
                let known = begin(db, &[id; 32], &[0; 32], now, DAY)?;
                answer(db, &[id; 32], Some("0123456789"))?;
                keep_within(db, 10)?;
                Ok(known)
            })
        };
        // The clock is half a year ahead, and then it is put right.
        assert_eq!(call(1, 200 * DAY).await.unwrap(), Known::New);
        assert_eq!(call(2, 20 * DAY).await.unwrap(), Known::New);
        // Its answer is kept, not that of the call from half a year ahead.
        assert_eq!(call(2, 20 * DAY + 1).await.unwrap(), Known::Answered("0123456789".into()));
        assert_eq!(call(1, 20 * DAY + 2).await.unwrap(), Known::New);
        // Less than a day ahead it may be the clock that is a little late now.
        assert_eq!(call(1, 19 * DAY + 3).await.unwrap(), Known::Answered("0123456789".into()));
    }
}
