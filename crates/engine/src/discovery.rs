//! Finding the files of a session.

use crate::error::database;
use crate::roots::ReadError;
use crate::tokens::estimate_from_bytes;
use crate::{Engine, Inner};
use api::SessionId;
use api::discovery::{
    Deepen, Discovery, FindEvent, FindFiles, FindPhase, IncludeFiles, RankReason, RankedFile, Ranking,
};
use api::events::Topic;
use api::jobs::Job;
use api::sessions::GetSession;
use discovery::{DiscoveryError, Options, Progress, Ranked, Task};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ItemStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::files::FileRow;
use store::sessions::SessionRow;
use tokio::sync::mpsc;

/// The most files that either list may have.
const MAX_LIMIT: u32 = 1000;

/// What is ticked at first: the best source files, as long as they are not far behind the first and fit.
const TICKED_FILES: usize = 10;
const TICKED_SHARE_OF_BEST: f64 = 0.3;
const TICKED_TOKENS: u64 = 40_000;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

impl Discovery for Engine {
    async fn find(&self, _: &Caller, request: FindFiles) -> Result<ItemStream<FindEvent>, ApiError> {
        let session = self.inner.session(&request.session).await?;
        let root = self.inner.root(&session.project_id).await?;
        let limit = request.limit.clamp(1, MAX_LIMIT) as usize;
        let (events, receiver) = mpsc::channel(16);
        let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
        let search = Search {
            inner: Arc::clone(&self.inner),
            session: request.session,
            version: session.task_version,
            task: session.task,
            root: root.path().to_owned(),
            limit,
            stop: Arc::clone(&stop.0),
        };
        tokio::spawn(search.run(events));
        let stream = futures_util::stream::unfold((receiver, stop), |(mut receiver, stop)| async move {
            receiver.recv().await.map(|event| (event, (receiver, stop)))
        });
        Ok(stream.boxed())
    }

    async fn files(&self, _: &Caller, request: GetSession) -> Result<Ranking, ApiError> {
        self.inner.ranking(&request.session).await
    }

    async fn include(&self, _: &Caller, request: IncludeFiles) -> Result<Ranking, ApiError> {
        let session = self.inner.session(&request.session).await?;
        let root = self.inner.root(&session.project_id).await?;
        let (id, paths, included) = (request.session.0.clone(), request.paths.clone(), request.included);
        let missing = self
            .inner
            .store
            .write(move |db| {
                let mut missing = Vec::new();
                for path in paths {
                    if !store::files::include(db, &id, &path, included)? {
                        missing.push(path);
                    }
                }
                Ok(missing)
            })
            .await
            .map_err(database)?;
        // What is not in the list is not sent: there is nothing to untick.
        for path in missing.into_iter().filter(|_| included) {
            let text = root.read(&path).map_err(|e| cannot_add(&path, &e))?;
            let row = FileRow {
                test: false,
                rank: u32::MAX,
                score: 0.0,
                bytes: text.len() as u64,
                included,
                by_hand: true,
                reasons: reasons_json(&[RankReason {
                    kind: "added".into(),
                    detail: "added by hand".into(),
                    line: None,
                }])?,
                path,
            };
            let id = request.session.0.clone();
            self.inner.store.write(move |db| store::files::put(db, &id, &row)).await.map_err(database)?;
        }
        self.inner.bus.tell(Topic::Session, &request.session.0, Some(&request.session.0));
        self.inner.ranking(&request.session).await
    }

    async fn deepen(&self, _: &Caller, request: Deepen) -> Result<Job, ApiError> {
        self.start_deepen(request).await
    }
}

fn cannot_add(path: &str, e: &ReadError) -> ApiError {
    ApiError::invalid("file_unreadable", format!("{path} cannot be added: {e}.")).with("path", path)
}

fn reasons_json(reasons: &[RankReason]) -> Result<String, ApiError> {
    serde_json::to_string(reasons).map_err(|e| ApiError::internal(format!("Reasons cannot be written: {e}.")))
}

/// Searches for a session's files and stores the ranking.
pub(crate) async fn search(
    inner: &Arc<Inner>,
    session: &SessionRow,
    limit: usize,
) -> Result<Ranking, ApiError> {
    let root = inner.root(&session.project_id).await?;
    let search = Search {
        inner: Arc::clone(inner),
        session: session.id.clone().into(),
        version: session.task_version,
        task: session.task.clone(),
        root: root.path().to_owned(),
        limit,
        stop: Arc::new(AtomicBool::new(false)),
    };
    search.search(|_| {}).await
}

/// Ends a search when nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Search {
    inner: Arc<Inner>,
    session: SessionId,
    version: u32,
    task: String,
    root: PathBuf,
    limit: usize,
    stop: Arc<AtomicBool>,
}

impl Search {
    async fn run(self, events: mpsc::Sender<Result<FindEvent, ApiError>>) {
        let progress = events.clone();
        // Progress that finds no room is overtaken by the next.
        let outcome = self.search(move |event| drop(progress.try_send(Ok(event)))).await;
        // Whoever asked may have gone.
        drop(events.send(outcome.map(|ranking| FindEvent::Found { ranking })).await);
    }

    /// Searches and stores the ranking.
    async fn search(&self, tell: impl Fn(FindEvent) + Send + Sync + 'static) -> Result<Ranking, ApiError> {
        let (task, root, limit) = (self.task.clone(), self.root.clone(), self.limit);
        let stop = Arc::clone(&self.stop);
        let cache = self.inner.lock.dir().cache.clone();
        let started = Instant::now();
        let searched = tokio::task::spawn_blocking(move || {
            let options = Options { limit, include_tests: true, cache: Some(cache), ..Options::default() };
            let last = std::sync::Mutex::new(started);
            let tell = |at: Progress| {
                if let Ok(mut last) = last.try_lock()
                    && last.elapsed() >= PROGRESS_EVERY
                {
                    *last = Instant::now();
                    tell(progress_event(at));
                }
            };
            discovery::discover(&root, &Task::parse(&task), &options, &tell, &stop)
        });
        let elapsed = |from: Instant| u64::try_from(from.elapsed().as_millis()).unwrap_or(u64::MAX);
        match searched.await {
            Ok(Ok(found)) => self.store(found, elapsed(started)).await,
            Ok(Err(DiscoveryError::Stopped)) => Err(ApiError::canceled()),
            Ok(Err(e)) => Err(ApiError::invalid("cannot_search", crate::error::sentence(&e.to_string()))),
            Err(_) => Err(ApiError::internal("The search met a defect. The files found before are kept.")),
        }
    }

    async fn store(&self, found: discovery::Discovery, elapsed_ms: u64) -> Result<Ranking, ApiError> {
        let mut rows = Vec::with_capacity(found.sources.len() + found.tests.len());
        let best = found.sources.first().map_or(0.0, |file| file.score);
        let mut tokens = 0;
        for file in &found.sources {
            let cost = estimate_from_bytes(file.bytes);
            let included = rows.len() < TICKED_FILES
                && file.score >= best * TICKED_SHARE_OF_BEST
                && tokens + cost <= TICKED_TOKENS;
            tokens += if included { cost } else { 0 };
            rows.push(row(file, included)?);
        }
        for file in &found.tests {
            rows.push(row(file, false)?);
        }
        let (id, version, now) = (self.session.0.clone(), self.version, self.inner.now());
        let counts = (found.scanned as u64, found.skipped.len() as u64, elapsed_ms);
        self.inner
            .store
            .write(move |db| {
                // What the person ticked, unticked or added stays so.
                let chosen: Vec<FileRow> =
                    store::files::list(db, &id)?.into_iter().filter(|old| old.by_hand).collect();
                store::files::replace(db, &id, &rows)?;
                for old in chosen {
                    let row = match rows.iter().find(|new| new.path == old.path) {
                        Some(new) => FileRow { included: old.included, by_hand: true, ..new.clone() },
                        None => FileRow { rank: u32::MAX, ..old },
                    };
                    store::files::put(db, &id, &row)?;
                }
                store::sessions::ranked(db, &id, version, counts, now)
            })
            .await
            .map_err(database)?;
        self.inner.bus.tell(Topic::Session, &self.session.0, Some(&self.session.0));
        self.inner.ranking(&self.session).await
    }
}

fn progress_event(at: Progress) -> FindEvent {
    match at {
        Progress::Walking { files } => {
            FindEvent::Progress { phase: FindPhase::Walking, done: files as u64, total: None }
        }
        Progress::Reading { done, total } => {
            FindEvent::Progress { phase: FindPhase::Reading, done: done as u64, total: Some(total as u64) }
        }
        Progress::Ranking => FindEvent::Progress { phase: FindPhase::Ranking, done: 0, total: None },
    }
}

fn row(file: &Ranked, included: bool) -> Result<FileRow, ApiError> {
    let reasons: Vec<RankReason> = file
        .reasons
        .iter()
        .map(|r| RankReason { kind: r.kind.name().to_owned(), detail: r.detail.clone(), line: r.line })
        .collect();
    Ok(FileRow {
        path: file.path.clone(),
        test: file.test,
        rank: crate::plan_view::count(file.rank),
        score: file.score,
        bytes: file.bytes,
        included,
        by_hand: false,
        reasons: reasons_json(&reasons)?,
    })
}

impl Inner {
    /// The stored ranking of a session.
    pub(crate) async fn ranking(&self, id: &SessionId) -> Result<Ranking, ApiError> {
        let session = self.session(id).await?;
        let key = id.0.clone();
        let rows = self.store.read(move |db| store::files::list(db, &key)).await.map_err(database)?;
        let files: Result<Vec<(bool, RankedFile)>, ApiError> = rows.into_iter().map(view).collect();
        let (tests, sources): (Vec<_>, Vec<_>) = files?.into_iter().partition(|(test, _)| *test);
        Ok(Ranking {
            current: session.ranked_version == Some(session.task_version),
            sources: sources.into_iter().map(|(_, file)| file).collect(),
            tests: tests.into_iter().map(|(_, file)| file).collect(),
            scanned: session.scanned,
            skipped: session.skipped,
            elapsed_ms: session.elapsed_ms,
        })
    }
}

fn view(row: FileRow) -> Result<(bool, RankedFile), ApiError> {
    let reasons = serde_json::from_str(&row.reasons).map_err(|_| crate::error::damaged("ranking"))?;
    let file = RankedFile {
        path: row.path,
        rank: row.rank,
        score: row.score,
        bytes: row.bytes,
        tokens: estimate_from_bytes(row.bytes),
        included: row.included,
        reasons,
    };
    Ok((row.test, file))
}
