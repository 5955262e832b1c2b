//! The durable log: every byte of output, compressed, at its offset.
//!
//! One thread writes (commit every 50 ms or 64 KiB); reading has a connection of its own. A reader of the pseudo-
//! terminal hands over bytes with a permit of a bounded budget, so that a disk that lags, and nothing else, pauses it.

mod migrations;
mod read;
mod write;

pub(crate) use read::{Mark, MarkKind, Reader, Stored};
pub(crate) use write::{Op, Output, Place, Summary, Writer};

use crate::{Quota, Result};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;

/// The most raw bytes in one row.
const SEGMENT: usize = 64 * 1024;

/// The log of all terminals. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) writer: Writer,
    pub(crate) reader: Arc<Reader>,
}

impl Log {
    /// Opens the database, marks what was running when the last host died as lost, and starts the writer.
    pub(crate) fn open(path: &Path, quota: Quota) -> Result<Log> {
        let mut connection = connect(path)?;
        migrations::apply(&mut connection)?;
        connection.execute(
            "UPDATE terminals SET state = 'lost', ended_at = coalesce(last_output_at, started_at) \
             WHERE state = 'running'",
            [],
        )?;
        let reader = Arc::new(Reader::new(connect(path)?));
        Ok(Log { writer: Writer::start(connection, quota)?, reader })
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    // Before anything else: it counts only while the file is empty. Freed pages are overwritten, because output may
    // have held a secret.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}
