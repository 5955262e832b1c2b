//! The engine's SQLite database.
//!
//! What it is for: one file per table with its queries, behind one writer thread and a few readers.
//! What it does not know: what a plan or an approval means; rows are plain columns, documents are JSON text
//! that others wrote.
//!
//! Start reading at `consolidated_schema.sql`, then [`Store`].

pub mod answers;
pub mod approvals;
pub mod audit;
pub mod backup;
pub mod devices;
pub mod files;
pub mod jobs;
pub mod keeping;
pub mod keyed_calls;
mod migrations;
pub mod permissions;
pub mod plan_versions;
pub mod plans;
pub mod projects;
pub mod prompts;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod task_steps;
pub mod templates;
pub mod texts;
mod threads;
pub mod usage;
pub mod web_findings;

use rusqlite::Connection;
use std::path::Path;
use threads::Pool;

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room for what was to be written, or for the files that an open database needs beside it.
    #[error("the disk is full")]
    Full,
    /// SQLite refused: a damaged file, a broken rule of the schema.
    #[error("the database refused: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The file was written by a newer version of this program.
    #[error("the database was written by a newer version of this program; nothing was changed")]
    Newer,
    /// A migration that was applied here once has been edited since.
    #[error("the database was made by another form of migration {0}; nothing was changed")]
    Edited(usize),
    /// A migration failed; the file is as it was.
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[source] rusqlite_migration::Error),
    /// A stored text could not be compressed or decompressed.
    #[error("a stored text cannot be read: {0}")]
    Text(#[from] std::io::Error),
    /// The database's threads have ended.
    #[error("the database is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> StoreError {
        if is_full(&e) { StoreError::Full } else { StoreError::Sqlite(e) }
    }
}

impl From<rusqlite_migration::Error> for StoreError {
    fn from(e: rusqlite_migration::Error) -> StoreError {
        match &e {
            rusqlite_migration::Error::RusqliteError { err, .. } if is_full(err) => StoreError::Full,
            _ => StoreError::Migration(e),
        }
    }
}

/// Whether the disk had no room. Beside the code for just that there is the one for the index of the log, which is made
/// when the database is opened.
fn is_full(e: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    e.sqlite_error()
        .is_some_and(|e| e.code == ffi::ErrorCode::DiskFull || e.extended_code == ffi::SQLITE_IOERR_SHMSIZE)
}

/// The result of a database operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The database inside [`Store::read`] or [`Store::write`]; what the table modules' functions take.
pub struct Db<'a>(&'a Connection);

/// How many queries may read at once.
const READERS: usize = 2;

/// An open database. Cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct Store {
    writer: Pool,
    readers: Pool,
}

impl Store {
    /// Opens the database at `path`, making or migrating it.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a file of a later version, [`StoreError::Sqlite`] for one that cannot be used.
    pub fn open(path: &Path) -> Result<Store> {
        let mut connection = connect(path)?;
        migrations::apply(&mut connection)?;
        let readers = (0..READERS).map(|_| reader(path)).collect::<Result<Vec<_>>>()?;
        Ok(Store {
            writer: Pool::start("store-writer", vec![connection]),
            readers: Pool::start("store-reader", readers),
        })
    }

    /// Runs `query` on a reader, in a transaction that only reads: whatever it looks at, in however many statements, is of
    /// one moment.
    ///
    /// # Errors
    /// What the query returned.
    pub async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T> + Send + 'static,
    {
        self.readers
            .run(move |connection| {
                let transaction = connection.transaction()?;
                query(&Db(&transaction))
            })
            .await
    }

    /// Runs `change` in a transaction on the writer. When this returns `Ok`, the change is committed; when it
    /// returns an error, nothing was changed.
    ///
    /// # Errors
    /// What the change returned, or why the commit failed.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Db<'_>) -> Result<T> + Send + 'static,
    {
        self.writer
            .run(move |connection| {
                let transaction =
                    connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                let value = change(&Db(&transaction))?;
                transaction.commit()?;
                Ok(value)
            })
            .await
    }
}

/// A connection whose transactions are never committed, and which refuses to change anything rather than to lose it.
fn reader(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    // Before anything else: it counts only while the file is empty. Freed pages are overwritten, because a deleted
    // request may have held a secret.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    // WAL with NORMAL loses no consistency in a crash; a power cut may lose the last commits, which then were
    // never told to anyone who survives it.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

impl Db<'_> {
    /// At most one row.
    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        use rusqlite::OptionalExtension;
        Ok(self.0.prepare_cached(sql)?.query_row(params, row).optional()?)
    }

    /// Every row, in the query's order.
    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let rows = statement.query_map(params, row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Changes rows; returns how many.
    fn change(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }
}
