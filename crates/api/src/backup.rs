//! `backup`: everything that cannot be made again, in one file.

use crate::TimeMs;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Backups. Restoring needs an engine that does not run, so it is no method: `plantocode restore`.
    pub service Backup / BackupClient = "backup" {
        /// Writes the database and the logs of terminals as they are at one moment to a new file; work goes on
        /// meanwhile. Holds no key and no sign-in.
        stream make [Account] (BackupFile) -> BackupEvent;
        /// Reads a backup, compares it with its checksums, and looks through the databases in it.
        unary check [Account] (BackupFile) -> BackupContents;
    }
}

/// Names a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BackupFile {
    /// The file, absolute, on the machine of the engine. An existing one is never overwritten.
    pub path: String,
}

/// How a backup goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BackupEvent {
    /// It goes on.
    Progress {
        /// Bytes done.
        done: u64,
        /// Bytes that it will be about.
        total: u64,
    },
    /// It is on the disk. The last event.
    Done {
        /// What it holds.
        contents: BackupContents,
    },
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BackupContents {
    /// The file.
    pub path: String,
    /// When it was made.
    pub made_at: TimeMs,
    /// Its size.
    pub bytes: u64,
    /// The databases in it.
    pub parts: Vec<BackupPart>,
}

/// A database in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BackupPart {
    /// `engine.db` or `terminals.db`.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}
