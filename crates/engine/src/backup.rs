//! Everything that cannot be made again, in one file; and back.
//!
//! A backup is made by the engine that runs. A restore needs an engine that does not: it takes the lock, looks through
//! all of the backup first, keeps what is there under a name of its own, and only then replaces it.

use crate::data_dir::{DataDirError, private_folder};
use crate::{DataDir, DataDirLock, Engine, Inner};
use api::backup::{Backup, BackupContents, BackupEvent, BackupFile, BackupPart};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ErrorCode, ItemStream};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::backup::archive::{self, Contents, Writer};
use tokio::sync::mpsc;

/// The parts of a backup.
const ENGINE: &str = "engine.db";
const TERMINALS: &str = "terminals.db";

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Why a backup cannot be restored. Unless the message says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The directory is in use or cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Terminals run, and their host writes to their log.
    #[error(
        "terminals are still open in {0}; close them (`plantocode terminal list` shows them), then restore again. Nothing was changed"
    )]
    Terminals(String),
    /// The backup is of no use.
    #[error("{path} cannot be restored: {why}. Nothing was changed")]
    Backup {
        /// The backup.
        path: String,
        /// Why.
        why: String,
    },
    /// The disk refused.
    #[error("{what}: {source}")]
    Io {
        /// What failed, and what was kept.
        what: String,
        /// Why.
        source: io::Error,
    },
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made, in milliseconds since 1970.
    pub made_at: i64,
    /// Where the data that was there is kept now; `None` when there was none.
    pub kept: Option<PathBuf>,
}

impl Backup for Engine {
    async fn make(&self, _: &Caller, request: BackupFile) -> Result<ItemStream<BackupEvent>, ApiError> {
        let path = absolute(&request.path)?;
        if path.exists() {
            let message = format!("{} exists and is not overwritten. Choose another name.", path.display());
            return Err(ApiError::new(ErrorCode::Conflict, "file_exists", message));
        }
        let (events, receiver) = mpsc::channel(16);
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            let made = inner.make_backup(path, &events).await;
            drop(events.send(made.map(|contents| BackupEvent::Done { contents })).await);
        });
        let stream = futures_util::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|event| (event, receiver))
        });
        Ok(stream.boxed())
    }

    async fn check(&self, _: &Caller, request: BackupFile) -> Result<BackupContents, ApiError> {
        let path = absolute(&request.path)?;
        let folder = self.inner.backup_folder("check");
        let checked = {
            let path = path.clone();
            blocking(move || {
                let folder = Scratch::make(folder)?;
                let contents = archive::read(&path, Some(&folder.0), &|_| {}).map_err(|e| e.to_string())?;
                examine(&contents, &folder.0).map(|()| contents)
            })
            .await?
        };
        match checked {
            Ok(contents) => Ok(view(&path, contents)),
            Err(why) => {
                let message = format!("{} cannot be restored: {why}.", path.display());
                Err(ApiError::invalid("backup_damaged", message))
            }
        }
    }
}

impl Inner {
    /// A folder for one piece of work, on the disk of the data. Only the user can read it.
    fn backup_folder(&self, what: &str) -> PathBuf {
        self.lock.dir().state.join(format!("{what}-{}", self.new_id()))
    }

    async fn make_backup(
        &self,
        path: PathBuf,
        events: &mpsc::Sender<Result<BackupEvent, ApiError>>,
    ) -> Result<BackupContents, ApiError> {
        let _one = self.backing_up.lock().await;
        let dir = self.lock.dir().clone();
        let sources = [(ENGINE, dir.database()), (TERMINALS, dir.terminal_log())];
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        // Each byte is copied twice: out of the database, and into the one file.
        let total = 2 * sources.iter().map(|(_, path)| size(path)).sum::<u64>();
        let done = Arc::new(AtomicU64::new(0));
        let mut work = {
            let (folder, now, path, done) =
                (self.backup_folder("backup"), self.now(), path.clone(), Arc::clone(&done));
            tokio::task::spawn_blocking(move || write(&path, &sources, folder, now, &done))
        };
        let mut every = tokio::time::interval(PROGRESS_EVERY);
        let made = loop {
            tokio::select! {
                made = &mut work => break made,
                _ = every.tick() => {
                    let done = done.load(Ordering::Relaxed).min(total);
                    // Nobody may look any more; the backup is finished all the same.
                    drop(events.try_send(Ok(BackupEvent::Progress { done, total })));
                }
            }
        };
        match made.map_err(|e| ApiError::internal(e.to_string()))? {
            Ok(contents) => Ok(view(&path, contents)),
            Err(why) => {
                let message =
                    format!("The backup {} was not made: {why}. Nothing was changed.", path.display());
                Err(ApiError::new(ErrorCode::Unavailable, "backup_failed", message))
            }
        }
    }
}

/// Writes a backup: each database as it is at one moment, then all of them into one file, which gets its name last.
fn write(
    path: &Path,
    sources: &[(&str, PathBuf)],
    folder: PathBuf,
    now: i64,
    done: &AtomicU64,
) -> Result<Contents, String> {
    let folder = Scratch::make(folder)?;
    let partial = PathBuf::from(format!("{}.partial", path.display()));
    let count = |bytes: u64| {
        done.fetch_add(bytes, Ordering::Relaxed);
    };
    let write = || -> Result<Contents, String> {
        let mut writer = Writer::create(&partial, now).map_err(|e| e.to_string())?;
        for (name, from) in sources.iter().filter(|(_, from)| from.exists()) {
            let copy = folder.0.join(name);
            let schema = store::backup::snapshot(from, &copy).map_err(|e| e.to_string())?;
            count(std::fs::metadata(&copy).map_or(0, |copied| copied.len()));
            writer.add(name, schema, &copy, &count).map_err(|e| e.to_string())?;
            std::fs::remove_file(&copy).map_err(|e| e.to_string())?;
        }
        let contents = writer.finish().map_err(|e| e.to_string())?;
        place(&partial, path).map_err(|e| e.to_string())?;
        Ok(contents)
    };
    let existed = partial.exists();
    let written = write();
    if written.is_err() && !existed {
        drop(std::fs::remove_file(&partial));
    }
    written
}

/// Gives a file its name, unless there is one of that name.
fn place(partial: &Path, path: &Path) -> io::Result<()> {
    match std::fs::hard_link(partial, path) {
        Ok(()) => std::fs::remove_file(partial),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        // A file system without links, such as that of a USB stick.
        Err(_) if !path.exists() => std::fs::rename(partial, path),
        Err(e) => Err(e),
    }
}

/// Puts a backup in place of the data of a directory whose lock is held. `stamp` goes into the name under which the
/// present data is kept.
///
/// # Errors
/// [`RestoreError`]; the backup is looked through before anything is changed.
pub async fn restore(lock: &DataDirLock, file: &Path, stamp: &str) -> Result<Restored, RestoreError> {
    let dir = lock.dir().clone();
    if terminal::Client::connect(&dir.terminal_host(PathBuf::new())).await.is_ok() {
        return Err(RestoreError::Terminals(dir.data.display().to_string()));
    }
    let (file, stamp) = (file.to_owned(), stamp.to_owned());
    let restored = tokio::task::spawn_blocking(move || replace(&dir, &file, &stamp)).await;
    restored.unwrap_or_else(|e| Err(failed("the restore was broken off", io::Error::other(e))))
}

fn replace(dir: &DataDir, file: &Path, stamp: &str) -> Result<Restored, RestoreError> {
    let refused = |why: String| RestoreError::Backup { path: file.display().to_string(), why };
    // Beside the data, so that a rename is enough to put it in place.
    let fresh = Scratch::make(dir.data.join(format!("restoring-{stamp}"))).map_err(refused)?;
    let contents = archive::read(file, Some(&fresh.0), &|_| {}).map_err(|e| refused(e.to_string()))?;
    examine(&contents, &fresh.0).map_err(refused)?;
    store::backup::bring_up_to_date(&fresh.0.join(ENGINE)).map_err(|e| refused(e.to_string()))?;

    let kept = dir.data.join(format!("before-restore-{stamp}"));
    let mut any = false;
    for (name, target) in [(ENGINE, dir.database()), (TERMINALS, dir.terminal_log())] {
        any |= keep(&target, &kept).map_err(|source| {
            failed("the present data could not be kept aside; it is still in place", source)
        })?;
        let new = fresh.0.join(name);
        let put = if new.exists() { std::fs::rename(&new, &target) } else { remove(&target) };
        let what = format!(
            "{} could not be put in place; what was there is kept in {}. Restore again",
            target.display(),
            kept.display()
        );
        put.map_err(|source| failed(&what, source))?;
    }
    Ok(Restored { made_at: contents.made_at, kept: any.then_some(kept) })
}

/// Keeps a database in a folder, and leaves its one file where it is, to be replaced at once. Whether there was one.
fn keep(database: &Path, folder: &Path) -> io::Result<bool> {
    if !database.exists() {
        return Ok(false);
    }
    private_folder(folder)?;
    // A sound database is one file then; of a damaged one, which is why one restores, all files are kept.
    drop(store::backup::settle(database));
    let name = database.file_name().unwrap_or_default();
    if std::fs::hard_link(database, folder.join(name)).is_err() {
        std::fs::copy(database, folder.join(name))?;
    }
    for ending in ["-wal", "-shm"] {
        let beside = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        match std::fs::rename(beside(database), beside(&folder.join(name))) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(true)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Looks through the databases that came out of an archive.
fn examine(contents: &Contents, folder: &Path) -> Result<(), String> {
    if !contents.parts.iter().any(|part| part.name == ENGINE) {
        return Err(format!("it holds no {ENGINE}"));
    }
    for part in &contents.parts {
        if ![ENGINE, TERMINALS].contains(&part.name.as_str()) {
            return Err(format!("it holds {}, which this version does not know", part.name));
        }
        if part.name == ENGINE && part.schema > store::backup::newest_schema() {
            return Err("it was made by a newer version of PlanToCode; update PlanToCode first".to_owned());
        }
        let path = folder.join(&part.name);
        let found = store::backup::examine(&path).map_err(|e| format!("{}: {e}", part.name))?;
        if let Some(problem) = found.problems.first() {
            return Err(format!("{} is damaged: {problem}", part.name));
        }
    }
    Ok(())
}

fn failed(what: &str, source: io::Error) -> RestoreError {
    RestoreError::Io { what: what.to_owned(), source }
}

/// A folder that is gone when the work is done.
struct Scratch(PathBuf);

impl Scratch {
    fn make(path: PathBuf) -> Result<Scratch, String> {
        private_folder(&path).map_err(|e| format!("the folder {} cannot be made: {e}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn absolute(path: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(path);
    if path.is_absolute() {
        return Ok(path);
    }
    Err(ApiError::invalid("path", "Name the file with its whole path, from the root. Nothing was done."))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<Result<T, String>, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| ApiError::internal(e.to_string()))
}

fn view(path: &Path, contents: Contents) -> BackupContents {
    BackupContents {
        path: path.display().to_string(),
        made_at: contents.made_at.max(0).cast_unsigned(),
        bytes: std::fs::metadata(path).map_or(0, |file| file.len()),
        parts: contents
            .parts
            .into_iter()
            .map(|part| BackupPart { name: part.name, bytes: part.bytes, sha256: part.sha256 })
            .collect(),
    }
}
