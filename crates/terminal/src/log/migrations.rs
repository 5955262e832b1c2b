//! Brings the log's database up to date. Migrations are appended, never edited: the checksum of each one that was
//! applied is stored, and a database made by another form of one is refused.

use crate::{Result, TerminalError};
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};
use sha2::{Digest, Sha256};

/// Every migration, in order.
const ALL: &[&str] = &[include_str!("../../migrations/0001_begin.sql")];

pub(super) fn apply(connection: &mut Connection) -> Result<()> {
    let refused = |why: &str| TerminalError::Invalid(format!("{why}; nothing was changed"));
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > ALL.len() {
        return Err(refused("the terminals' log was written by a newer version of this program"));
    }
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
    )?;
    for (number, checksum) in applied(connection)? {
        if ALL.get(number - 1).map(|sql| checksum_of(sql)) != Some(checksum) {
            return Err(refused("the terminals' log was made by another form of a migration"));
        }
    }
    Migrations::new(ALL.iter().map(|sql| M::up(sql)).collect())
        .to_latest(connection)
        .map_err(|e| TerminalError::failed("the terminals' log could not be brought up to date", e))?;
    for (index, sql) in ALL.iter().enumerate() {
        connection.execute(
            "INSERT OR IGNORE INTO migrations (number, checksum) VALUES (?1, ?2)",
            (index + 1, checksum_of(sql)),
        )?;
    }
    Ok(())
}

fn applied(connection: &Connection) -> Result<Vec<(usize, String)>> {
    let mut statement = connection.prepare("SELECT number, checksum FROM migrations ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn checksum_of(sql: &str) -> String {
    hex::encode(Sha256::digest(sql.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_or_edited_database_is_refused_untouched() {
        let mut newer = Connection::open_in_memory().unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(apply(&mut newer), Err(TerminalError::Invalid(_))));

        let mut edited = Connection::open_in_memory().unwrap();
        apply(&mut edited).unwrap();
        apply(&mut edited).unwrap();
        edited.execute("UPDATE migrations SET checksum = 'x'", []).unwrap();
        assert!(matches!(apply(&mut edited), Err(TerminalError::Invalid(_))));
    }
}
