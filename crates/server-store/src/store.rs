use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{ErrorCode, ffi};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, ConnectOptions as _, Executor as _, Row as _, Transaction};

use crate::recorder::Recorder;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this key exists already.
    #[error("it exists already")]
    Conflict,
    /// The database cannot be reached or refuses the statement.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
    /// The same, said by the connection that records over SQLite alone.
    #[error("the database failed: {0}")]
    Recorder(#[source] rusqlite::Error),
    /// A fault of ours while it was being stored.
    #[error("storing it broke off, and nothing of it is kept")]
    BrokenOff,
    /// The thread that records has ended.
    #[error("the database is closed")]
    Closed,
    /// The database was written by a newer version; this one must not touch it.
    #[error("the database has schema version {found}, this server knows {known}")]
    Newer {
        /// Version found.
        found: i64,
        /// Newest version this build knows.
        known: i64,
    },
    /// An applied migration is not the one this build has: one of the two was edited.
    #[error("migration {version} was changed after it was applied")]
    Edited {
        /// The migration.
        version: i64,
    },
    /// A row holds something that this version cannot read.
    #[error("column {column} holds an unknown value: {value}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What it holds.
        value: String,
    },
}

impl StoreError {
    /// Whether it is the row that was refused, and would be again, rather than the database that fails.
    pub fn is_about_the_row(&self) -> bool {
        match self {
            StoreError::Conflict => true,
            // Classes 22 and 23 of SQLSTATE: data that cannot be, and constraints.
            StoreError::Database(sqlx::Error::Database(error)) => error
                .code()
                .is_some_and(|code| code.len() == 5 && (code.starts_with("22") || code.starts_with("23"))),
            StoreError::Recorder(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
            ),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => StoreError::Conflict,
            _ => StoreError::Database(error),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let unique = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
        match &error {
            rusqlite::Error::SqliteFailure(inner, _) if unique.contains(&inner.extended_code) => {
                StoreError::Conflict
            }
            _ => StoreError::Recorder(error),
        }
    }
}

/// What every connection to SQLite has.
///
/// The log is written back after four times the usual number of pages: those of indexes are in it again and again, and are then
/// written once. What a long reader made it grow to beyond that is given back, in bytes.
pub(crate) const PRAGMAS: [(&str, &str); 5] = [
    ("journal_mode", "WAL"),
    ("synchronous", "NORMAL"),
    ("foreign_keys", "ON"),
    ("wal_autocheckpoint", "4000"),
    ("journal_size_limit", "67108864"),
];

/// How long a stop waits for what is being recorded. Nothing is lost when it does not come to an end: the log is whole.
const CLOSE: Duration = Duration::from_secs(3);

/// The database. Cheap to clone; clones share one pool.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) is_postgres: bool,
    /// What is stored for every request goes this way on SQLite.
    pub(crate) recorder: Option<Recorder>,
}

impl Store {
    /// Connects to `sqlite://PATH?mode=rwc` or `postgres://…` and brings the schema up to date.
    pub async fn open(url: &str, now_ms: i64) -> Result<Self, StoreError> {
        let store = Self::connect(url).await?;
        store.migrate(now_ms).await?;
        let recorder = match store.is_postgres {
            true => None,
            false => store.file().await?.map(Recorder::start).transpose()?,
        };
        Ok(Self { recorder, ..store })
    }

    /// Connects, and leaves the schema as it is.
    pub(crate) async fn connect(url: &str) -> Result<Self, StoreError> {
        // Registers the drivers; repeating it is harmless.
        sqlx::any::install_default_drivers();
        let is_postgres = url.starts_with("postgres");
        let options: AnyConnectOptions = url.parse().map_err(StoreError::Database)?;
        let options = options.disable_statement_logging();
        let pool = AnyPoolOptions::new()
            // SQLite has one writer. One connection makes that a queue in order instead of a race for a lock.
            .max_connections(if is_postgres { 16 } else { 1 })
            .acquire_timeout(Duration::from_secs(10))
            // A file does not go away between two uses, and asking costs a hand-over to the connection's thread each time.
            .test_before_acquire(is_postgres)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if !is_postgres {
                        for (name, value) in PRAGMAS {
                            let pragma = format!("PRAGMA {name} = {value}");
                            connection.execute(sqlx::AssertSqlSafe(pragma)).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        Ok(Self { pool, is_postgres, recorder: None })
    }

    /// The file that the pool has open, wherever its URL led; `None` for a database in memory, which no second connection sees.
    async fn file(&self) -> Result<Option<PathBuf>, StoreError> {
        let row =
            sqlx::query("SELECT COALESCE(file, '') AS file FROM pragma_database_list WHERE name = 'main'");
        let file: String = row.fetch_one(&self.pool).await?.try_get("file")?;
        Ok((!file.is_empty()).then(|| file.into()))
    }

    /// Begins a transaction that may write. On SQLite it asks for that at once: one that has read already, and then asks when
    /// somebody else has written, fails instead of waiting.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.is_postgres {
            true => self.pool.begin().await?,
            false => self.pool.begin_with("BEGIN IMMEDIATE").await?,
        })
    }

    /// Whether the database answers, on every connection that there is.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        match &self.recorder {
            Some(recorder) => recorder.record(&Arc::default()).await,
            None => Ok(()),
        }
    }

    /// Closes all connections in order.
    pub async fn close(&self) {
        if let Some(recorder) = &self.recorder {
            // Whether or not it has: the pool is closed next.
            let _ = tokio::time::timeout(CLOSE, recorder.close()).await;
        }
        self.pool.close().await;
    }
}
