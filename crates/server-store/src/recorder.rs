//! A connection of its own to an SQLite file, for what is stored for every request.
//!
//! Over the pool each statement, with a copy of every value, is handed to another thread and its result back: for the few
//! rows of a request that was twice what SQLite itself takes. Here a whole [`Recording`] is handed over once. It shares the
//! file with the pool as another process would: SQLite lets one of them write at a time and the other wait.

use std::fmt;
use std::str::FromStr as _;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rusqlite::Connection;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::oneshot;

use crate::record::record;
use crate::{Recording, StoreError};

/// How long it waits for another writer.
const BUSY: Duration = Duration::from_secs(10);
/// Pages that the log may have before it is written back, four times the usual: the pages of indexes are in it again and again,
/// and are then written once.
const LOG_PAGES: i64 = 4_000;

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
    /// Opens the file of a URL whose schema is up to date; `None` for a database in memory, which no second connection can see.
    pub fn start(url: &str) -> Result<Option<Self>, StoreError> {
        let options = SqliteConnectOptions::from_str(url)?;
        let path = options.get_filename();
        if path.as_os_str().is_empty() || path.to_string_lossy().contains(":memory:") {
            return Ok(None);
        }
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        let (queue, messages) = mpsc::channel();
        let thread = std::thread::Builder::new().name("recorder".into());
        thread
            .spawn(move || run(connection, &messages))
            .map_err(|error| StoreError::from(sqlx::Error::from(error)))?;
        Ok(Some(Self { queue }))
    }

    /// Stores it, all or nothing.
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

fn run(mut connection: Connection, messages: &mpsc::Receiver<Message>) {
    while let Ok(message) = messages.recv() {
        match message {
            Message::Record { recording, done } => {
                // Whoever asked may have stopped waiting; it is stored all the same.
                let _ = done.send(record(&mut connection, &recording));
            }
            Message::Close(done) => {
                drop(connection);
                let _ = done.send(());
                return;
            }
        }
    }
}
