//! Brings a database up to date. Migrations are appended, never edited: the checksum of each one that was
//! applied is stored, and a database made by another form of one is refused.

use crate::{Result, StoreError};
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};
use sha2::{Digest, Sha256};

/// Every migration, in order.
const ALL: &[&str] = &[
    include_str!("../migrations/0001_begin.sql"),
    include_str!("../migrations/0002_devices.sql"),
    include_str!("../migrations/0003_plan_versions.sql"),
    include_str!("../migrations/0004_jobs.sql"),
    include_str!("../migrations/0005_history.sql"),
    include_str!("../migrations/0006_tasks.sql"),
    include_str!("../migrations/0007_keyed_calls.sql"),
    include_str!("../migrations/0008_research.sql"),
    include_str!("../migrations/0009_permissions.sql"),
];

/// How many there are.
pub(crate) fn newest() -> u32 {
    u32::try_from(ALL.len()).unwrap_or(u32::MAX)
}

pub(crate) fn apply(connection: &mut Connection) -> Result<()> {
    let version: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > ALL.len() {
        return Err(StoreError::Newer);
    }
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
    )?;
    for (number, checksum) in applied(connection)? {
        if ALL.get(number - 1).map(|sql| checksum_of(sql)) != Some(checksum) {
            return Err(StoreError::Edited(number));
        }
    }
    Migrations::new(ALL.iter().map(|sql| M::up(sql)).collect()).to_latest(connection)?;
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

    fn schema(connection: &Connection) -> Vec<String> {
        let sql =
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'migrations' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        // An added column stands behind a comma of its own.
        let words = |sql: String| {
            sql.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",").replace(" )", ")")
        };
        rows.map(|sql| words(sql.unwrap())).collect()
    }

    #[test]
    fn the_consolidated_schema_is_what_the_migrations_make() {
        let mut migrated = Connection::open_in_memory().unwrap();
        apply(&mut migrated).unwrap();
        let consolidated = Connection::open_in_memory().unwrap();
        consolidated.execute_batch(include_str!("../consolidated_schema.sql")).unwrap();
        assert_eq!(schema(&migrated), schema(&consolidated));
    }

    #[test]
    fn a_newer_or_edited_database_is_refused_untouched() {
        let mut newer = Connection::open_in_memory().unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(apply(&mut newer), Err(StoreError::Newer)));
        assert!(schema(&newer).is_empty());

        let mut edited = Connection::open_in_memory().unwrap();
        apply(&mut edited).unwrap();
        apply(&mut edited).unwrap();
        edited.execute("UPDATE migrations SET checksum = 'x'", []).unwrap();
        assert!(matches!(apply(&mut edited), Err(StoreError::Edited(1))));
    }

    #[test]
    fn permissions_stay_what_they_are_under_their_new_name() {
        let mut old = Connection::open_in_memory().unwrap();
        Migrations::new(ALL[..8].iter().map(|sql| M::up(sql)).collect()).to_latest(&mut old).unwrap();
        old.execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO scopes VALUES ('p1', 's', 'direct', '[]', '', 5, 2, 1, 'test', 9, NULL, NULL, 1);
             INSERT INTO holds VALUES ('a', 's', 'p1', 3, 1);
             INSERT INTO approvals (id, job_id, session_id, state, fingerprint, body_hash, canonical_hash, manifest, created_at,
               answered_by)
             VALUES ('a', 'j', 's', 'approved', '', '', '', '{}', 1, 'scope p1'), ('b', 'j', 's', 'approved', '', '', '', '{}', 1, 'cli');",
        )
        .unwrap();
        apply(&mut old).unwrap();
        let joined =
            "SELECT p.spent || p.web || h.amount FROM permissions p JOIN holds h ON h.permission_id = p.id";
        assert_eq!(old.query_row(joined, [], |row| row.get::<_, String>(0)).unwrap(), "213");
        let by = "SELECT group_concat(answered_by) FROM (SELECT answered_by FROM approvals ORDER BY id)";
        assert_eq!(old.query_row(by, [], |row| row.get::<_, String>(0)).unwrap(), "permission p1,cli");
    }
}
