use std::sync::Arc;
use std::time::Duration;

use server_store::{AuditRow, Recording, Settlement, Store, StoreError, SubjectRow};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::sleep;

use super::chain::{GENESIS, link};
use super::subjects::Subjects;
use super::wire::{Entry, Event, Record};
use crate::env::Env;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::telemetry::Telemetry;

/// Where a record stands: what a reply carries, so that the caller can later prove that it was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub node: String,
    pub seq: i64,
    pub hash: String,
}

impl Position {
    /// Value of the reply header.
    pub fn header(&self) -> String {
        format!("{}/{}/{}", self.node, self.seq, self.hash)
    }
}

/// Appends records. One task owns the chain; what arrives together is committed together, records with the usage that
/// belongs to them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Audit {
    node: Arc<str>,
    queue: mpsc::UnboundedSender<Message>,
    /// Room for records that somebody waits for. Those of requests that are over need none: each was let in by one of these.
    room: Arc<Semaphore>,
    metrics: Metrics,
    telemetry: Telemetry,
}

/// How a request ended, to be stored whatever it takes.
pub(crate) struct Ending {
    pub entry: Entry,
    /// What was used, if anything was.
    pub settlement: Option<Settlement>,
    /// Called once it is stored.
    pub stored: Box<dyn FnOnce() + Send>,
}

struct Job {
    request_id: String,
    entry: Arc<Entry>,
    settlement: Option<Arc<Settlement>>,
    then: Then,
}

enum Then {
    /// Somebody waits, and does nothing without it.
    Tell { position: oneshot::Sender<Option<Position>>, _room: OwnedSemaphorePermit },
    /// The request is over; nobody could do anything about a failure but try again.
    Call(Box<dyn FnOnce() + Send>),
}

#[allow(clippy::large_enum_variant, reason = "all but a few at the end are the large one")]
enum Message {
    Job(Job),
    /// Everything before this one has been committed, or could not be.
    /// Answered with whether all of it is stored.
    Flush(oneshot::Sender<bool>),
}

/// Records in one commit at most.
const BATCH: usize = 1_000;
/// Records that may be waited for; beyond it requests wait, nothing is dropped.
const QUEUE: usize = 4_096;
/// Batches of this size say that more is coming, so that it pays to wait for it.
const BUSY: usize = 4;
/// How long a commit waits for company then: each dirties the same pages of indexes, whatever it stores. A provider takes a hundred
/// times as long to answer.
const GATHER: Duration = Duration::from_millis(4);
/// Bytes that most records fit into.
const USUAL: usize = 2_048;
/// Between two tries to store how requests ended.
const RETRY: Duration = Duration::from_millis(500);

impl Audit {
    /// Starts a new chain named `node`.
    pub async fn start(
        store: Store,
        node: String,
        env: Env,
        metrics: Metrics,
        telemetry: Telemetry,
    ) -> Result<Self, StoreError> {
        store.add_node(&node, env.now_ms()).await?;
        let name = node.as_str().into();
        let (queue, jobs) = mpsc::unbounded_channel();
        let chain = Chain {
            store,
            node,
            seq: 0,
            head: GENESIS.into(),
            uncertain: false,
            unstored: Vec::new(),
            subjects: Subjects::default(),
            env,
            metrics: metrics.clone(),
        };
        tokio::spawn(chain.run(jobs));
        Ok(Self { node: name, queue, room: Arc::new(Semaphore::new(QUEUE)), metrics, telemetry })
    }

    /// The name of the chain.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Appends a record and returns once it is committed. Without it, nothing may leave.
    pub async fn append(&self, request_id: &str, entry: impl Into<Arc<Entry>>) -> Result<Position, ApiError> {
        let entry = entry.into();
        let failed = || ApiError::unavailable("the audit record cannot be written, so nothing is sent");
        self.metrics.observe(&entry);
        self.telemetry.observe(request_id, &entry);
        let (position, committed) = oneshot::channel();
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(|_| failed())?;
        let then = Then::Tell { position, _room: room };
        let job = Job { request_id: request_id.into(), entry, settlement: None, then };
        self.queue.send(Message::Job(job)).map_err(|_| failed())?;
        committed.await.ok().flatten().ok_or_else(failed)
    }

    /// Stores how a request ended, soon. While the database fails it is kept and tried again; no new request leaves
    /// meanwhile, because its own record could not be written.
    pub fn end(&self, request_id: &str, ending: Ending) {
        let Ending { entry, settlement, stored } = ending;
        self.metrics.observe(&entry);
        self.telemetry.observe(request_id, &entry);
        let (entry, settlement) = (Arc::new(entry), settlement.map(Arc::new));
        let job = Job { request_id: request_id.into(), entry, settlement, then: Then::Call(stored) };
        if self.queue.send(Message::Job(job)).is_err() {
            tracing::error!(request_id, "the server has stopped; how this request ended is not recorded");
        }
    }

    /// Waits until everything so far is stored. While the database fails it goes on trying: give it a time limit.
    pub async fn flush(&self) {
        loop {
            let (done, flushed) = oneshot::channel();
            // Where the task has ended there is nothing to wait for.
            if self.queue.send(Message::Flush(done)).is_err() || flushed.await.unwrap_or(true) {
                return;
            }
            sleep(RETRY).await;
        }
    }
}

struct Chain {
    store: Store,
    node: String,
    seq: i64,
    head: String,
    /// A commit failed and it is not known whether it took place.
    uncertain: bool,
    /// How requests ended that could not be stored yet.
    unstored: Vec<Job>,
    subjects: Subjects,
    env: Env,
    metrics: Metrics,
}

impl Chain {
    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        let mut busy = false;
        loop {
            let first = tokio::select! {
                first = messages.recv() => match first {
                    Some(first) => Some(first),
                    None => return,
                },
                () = sleep(RETRY), if !self.unstored.is_empty() => None,
            };
            if busy && first.is_some() {
                sleep(GATHER).await;
            }
            // Whatever came while the last commit was running shares the next one; a lone record waits for nobody.
            let mut batch = std::mem::take(&mut self.unstored);
            let mut flushed = Vec::new();
            let mut next = first;
            while let Some(message) = next {
                match message {
                    Message::Job(job) => batch.push(job),
                    Message::Flush(done) => flushed.push(done),
                }
                next = if batch.len() < BATCH { messages.try_recv().ok() } else { None };
            }
            busy = batch.len() >= BUSY;
            self.commit(batch).await;
            // Whoever asked may have stopped waiting.
            for done in flushed {
                let _ = done.send(self.unstored.is_empty());
            }
        }
    }

    /// Commits a batch. When that fails, those who wait learn of it, the chain goes on from what is stored, and what ended is
    /// kept for the next time.
    async fn commit(&mut self, batch: Vec<Job>) {
        if batch.is_empty() {
            return;
        }
        if self.uncertain && !self.catch_up().await {
            return self.keep(batch);
        }
        let (records, subjects) = match self.rows(&batch) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!(%error, "an audit record cannot be encoded");
                return self.keep(batch);
            }
        };
        let settlements = batch.iter().filter_map(|job| job.settlement.clone()).collect();
        let recording = Arc::new(Recording { records, subjects, settlements });
        let end = recording.records.last().map(|row| (row.seq, row.hash.clone()));
        if let Err(error) = self.store.record(&recording).await {
            tracing::error!(%error, "audit records and usage cannot be written");
            // The connection may have broken after the commit and before its answer.
            self.uncertain = true;
            if !self.catch_up().await {
                return self.keep(batch);
            }
            if end.as_ref().is_none_or(|(_, hash)| self.head != *hash) {
                return match error {
                    error if error.is_about_the_row() => Box::pin(self.commit_each(batch)).await,
                    _ => self.keep(batch),
                };
            }
        } else if let Some(end) = end {
            (self.seq, self.head) = end;
        }
        self.subjects.keep(&recording.subjects);
        for (job, row) in batch.into_iter().zip(&recording.records) {
            match job.then {
                Then::Tell { position, .. } => {
                    let place = Position { node: row.node.clone(), seq: row.seq, hash: row.hash.clone() };
                    if position.send(Some(place)).is_err() && job.entry.event == Event::Intent {
                        // Whoever asked is gone, so that nothing was sent and nobody else would say how it ended.
                        let entry = Entry { event: Event::Canceled, ..Arc::unwrap_or_clone(job.entry) };
                        let entry = Arc::new(entry);
                        let then = Then::Call(Box::new(|| ()));
                        self.unstored.push(Job { entry, then, settlement: None, request_id: job.request_id });
                    }
                }
                Then::Call(stored) => stored(),
            }
        }
    }

    /// Something in the batch is refused, which can only be usage: another node settled it when it took this one for dead, or
    /// it holds what the database cannot. All others are stored without it, and it is recorded without its usage.
    async fn commit_each(&mut self, batch: Vec<Job>) {
        if let [_] = batch.as_slice() {
            let mut batch = batch;
            if batch.iter_mut().filter_map(|job| job.settlement.take()).next().is_some() {
                tracing::error!(
                    "the usage of a request was settled before or cannot be stored; it stands in its record alone"
                );
                return self.commit(batch).await;
            }
            return self.keep(batch);
        }
        for job in batch {
            self.commit(vec![job]).await;
        }
    }

    /// Tells those who wait that it failed, and keeps the rest.
    fn keep(&mut self, batch: Vec<Job>) {
        for job in batch {
            match job.then {
                Then::Tell { position, .. } => {
                    self.metrics.unrecorded();
                    // Dropped or told: either way there is no position.
                    let _ = position.send(None);
                }
                then @ Then::Call(_) => self.unstored.push(Job { then, ..job }),
            }
        }
    }

    /// Goes on from what is stored, which is at most one batch more than is known here; whether it could be read.
    async fn catch_up(&mut self) -> bool {
        match self.store.audit_chain(&self.node, self.seq, i64::MAX).await {
            Ok(stored) => {
                if let Some(last) = stored.last() {
                    (self.seq, self.head) = (last.seq, last.hash.clone());
                }
                self.uncertain = false;
                true
            }
            Err(error) => {
                tracing::error!(%error, "the audit chain cannot be read");
                false
            }
        }
    }

    /// The records that the batch adds to the chain, and the subjects that are new in them.
    fn rows(&self, batch: &[Job]) -> Result<(Vec<AuditRow>, Vec<SubjectRow>), serde_json::Error> {
        let (mut seq, mut previous) = (self.seq, self.head.clone());
        let at_ms = self.env.now_ms();
        let mut rows = Vec::with_capacity(batch.len());
        let mut drawn = self.subjects.draw();
        for job in batch {
            seq += 1;
            let mut record = Vec::with_capacity(USUAL);
            let written = Record {
                v: 2,
                node: self.node.as_str().into(),
                seq,
                previous: previous.as_str().into(),
                at_ms,
                request_id: job.request_id.as_str().into(),
                from: drawn.pseudonym(&job.entry, &self.env).into(),
                entry: &*job.entry,
            };
            serde_json::to_writer(&mut record, &written)?;
            let hash = link(&previous, &record);
            previous.clone_from(&hash);
            rows.push(AuditRow {
                node: self.node.clone(),
                seq,
                request_id: job.request_id.clone(),
                org_id: job.entry.org.clone(),
                at_ms,
                hash,
                record,
            });
        }
        Ok((rows, drawn.rows(at_ms)))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn an_intent_that_nobody_waited_for_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", directory.path().join("a.db").display());
        let store = Store::open(&url, 1).await.unwrap();
        let env = Env::system();
        let metrics = Metrics::new();
        let nowhere = || Err(crate::ServerError::NotFound("spans go nowhere here".into()));
        let telemetry = Telemetry::start(&Default::default(), nowhere, env.clone(), metrics.clone()).unwrap();
        let audit = Audit::start(store.clone(), "n".into(), env, metrics, telemetry).await.unwrap();
        // The handler is dropped while its record is on its way.
        assert!(audit.append("r1", Entry::default()).now_or_never().is_none());
        audit.append("r2", Entry::default()).await.unwrap();
        audit.flush().await;
        let rows = store.audit_chain("n", 0, 10).await.unwrap();
        let mut told: Vec<_> = rows.iter().map(|row| (row.request_id.as_str(), event(row))).collect();
        told.sort();
        assert_eq!(told, [("r1", "canceled".to_owned()), ("r1", "intent".into()), ("r2", "intent".into())]);
        assert_eq!(store.lone_records("n", 0, 10).await.unwrap().len(), 1, "r2 goes on");
    }

    fn event(row: &AuditRow) -> String {
        let record: serde_json::Value = serde_json::from_slice(&row.record).unwrap();
        record["event"].as_str().unwrap().to_owned()
    }
}
