//! A connection of its own to an SQLite file, for what is stored for every request.
//!
//! Over the pool each statement, with a copy of every value, is handed to another thread and its result back: for the few
//! rows of a request that was twice what SQLite itself takes. Here a whole [`Recording`] is handed over once. It shares the
//! file with the pool as another process would: SQLite lets one of them write at a time and the other wait.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use crate::record::record;
use crate::store::PRAGMAS;
use crate::{Recording, StoreError};

/// How long it waits for another writer.
const BUSY: Duration = Duration::from_secs(10);

/// Hands recordings to the thread that writes them. Cheap to clone; the thread ends with the last clone, or when it is told to.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Record { recording: Arc<Recording>, done: oneshot::Sender<Result<(), StoreError>> },
    Close(oneshot::Sender<()>),
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Opens a file that is there and whose schema is up to date.
    pub fn start(path: PathBuf) -> Result<Self, StoreError> {
        let connection = open(&path)?;
        let (queue, messages) = mpsc::channel();
        let thread = std::thread::Builder::new().name("recorder".into());
        let started = thread.spawn(move || run(&path, connection, &messages));
        started.map_err(|error| StoreError::from(sqlx::Error::from(error)))?;
        Ok(Self { queue })
    }

    /// Stores it, all or nothing. One without anything in it says whether the database answers.
    pub async fn record(&self, recording: &Arc<Recording>) -> Result<(), StoreError> {
        let (done, stored) = oneshot::channel();
        let message = Message::Record { recording: Arc::clone(recording), done };
        self.queue.send(message).map_err(|_| StoreError::Closed)?;
        stored.await.map_err(|_| StoreError::Closed)?
    }

    /// Ends the thread after what it has been given, and closes the file.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        // One that has ended is closed.
        if self.queue.send(Message::Close(done)).is_ok() {
            let _ = closed.await;
        }
    }
}

fn open(path: &Path) -> Result<Connection, StoreError> {
    // It never makes a file: one that is gone was taken away.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    for (name, value) in PRAGMAS {
        connection.pragma_update(None, name, value)?;
    }
    Ok(connection)
}

fn run(path: &Path, connection: Connection, messages: &mpsc::Receiver<Message>) {
    let mut connection = Some(connection);
    while let Ok(message) = messages.recv() {
        match message {
            Message::Record { recording, done } => {
                let stored = stored(path, &mut connection, &recording);
                // Whoever asked may have stopped waiting; it is stored all the same.
                let _ = done.send(stored);
            }
            Message::Close(done) => {
                drop(connection);
                let _ = done.send(());
                return;
            }
        }
    }
}

/// Stores it. A connection on which something went wrong that it does not recover from by itself is replaced by the next time.
fn stored(path: &Path, connection: &mut Option<Connection>, recording: &Recording) -> Result<(), StoreError> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => open(path)?,
    };
    let stored = catch_unwind(AssertUnwindSafe(|| record(&mut open, recording)));
    match stored {
        Ok(stored) => {
            if open.is_autocommit() {
                *connection = Some(open);
            }
            stored
        }
        // The panic itself was reported where it happened; the transaction went back with it.
        Err(_) => Err(StoreError::BrokenOff),
    }
}
