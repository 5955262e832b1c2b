//! Copies of databases that are in use, and their examination. One file holds all of them: [`archive`].

pub mod archive;

use crate::{Result, connect, migrations};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// What a database file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// How many migrations have made it.
    pub schema: u32,
    /// What SQLite finds wrong with it; nothing in a sound one.
    pub problems: Vec<String>,
}

/// How many migrations this version knows: a database with more was made by a newer one.
pub fn newest_schema() -> u32 {
    migrations::newest()
}

/// Writes the database at `from` as it is at one moment to `to`, which must be missing or empty. Others may read and
/// write it meanwhile; what they write later is not in the copy. Returns its schema.
///
/// # Errors
/// When the database cannot be read, or the disk is full. `to` is then of no use.
pub fn snapshot(from: &Path, to: &Path) -> Result<u32> {
    let connection = existing(from)?;
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    schema(&connection)
}

/// Looks through a database file. Takes as long as reading all of it.
///
/// # Errors
/// When it is no database, or cannot be read at all.
pub fn examine(path: &Path) -> Result<Examined> {
    let connection = existing(path)?;
    let schema = schema(&connection)?;
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let problems = found.filter(|line| line.as_ref().map_or(true, |line| line != "ok"));
    Ok(Examined { schema, problems: problems.collect::<rusqlite::Result<_>>()? })
}

/// Brings the database at `path` up to date and writes everything into its one file.
///
/// # Errors
/// [`crate::StoreError::Newer`] and the like, with the file as it was.
pub fn bring_up_to_date(path: &Path) -> Result<()> {
    let mut connection = connect(path)?;
    migrations::apply(&mut connection)?;
    into_one_file(&connection)
}

/// Writes what stands beside a database in its log into its one file. Nobody else may have it open.
///
/// # Errors
/// When it cannot be read or written.
pub fn settle(path: &Path) -> Result<()> {
    into_one_file(&existing(path)?)
}

fn into_one_file(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

fn schema(connection: &Connection) -> Result<u32> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Opens a file that is there. One that is only read would need its log to be there too.
fn existing(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}
