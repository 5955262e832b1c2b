use server_store::{AuditRow, Store};
use tokio::sync::{mpsc, oneshot};

use super::chain::{GENESIS, link};
use super::wire::{Entry, Record};
use crate::env::Env;
use crate::error::ApiError;
use crate::metrics::Metrics;

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

/// Appends records. One task owns the chain; records that arrive together are committed together.
#[derive(Clone)]
pub(crate) struct Audit {
    queue: mpsc::Sender<Job>,
    metrics: Metrics,
}

struct Job {
    request_id: String,
    entry: Entry,
    done: oneshot::Sender<Option<Position>>,
}

/// Records in one commit at most.
const BATCH: usize = 1_000;
/// Records that may wait; beyond it requests wait, nothing is dropped.
const QUEUE: usize = 4_096;

impl Audit {
    /// Starts a new chain named `node`.
    pub fn start(store: Store, node: String, env: Env, metrics: Metrics) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let chain = Chain { store, node, seq: 0, head: GENESIS.into(), uncertain: false, env };
        tokio::spawn(chain.run(jobs));
        Self { queue, metrics }
    }

    /// Appends a record and returns once it is committed. Without it, nothing may leave.
    pub async fn append(&self, request_id: &str, entry: Entry) -> Result<Position, ApiError> {
        let failed = || {
            self.metrics.unrecorded();
            ApiError::unavailable("the audit record cannot be written, so nothing is sent")
        };
        self.metrics.observe(&entry);
        let (done, committed) = oneshot::channel();
        let job = Job { request_id: request_id.into(), entry, done };
        self.queue.send(job).await.map_err(|_| failed())?;
        committed.await.ok().flatten().ok_or_else(failed)
    }
}

struct Chain {
    store: Store,
    node: String,
    seq: i64,
    head: String,
    /// A commit failed and it is not known whether it took place.
    uncertain: bool,
    env: Env,
}

impl Chain {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.recv().await {
            // Whatever came while the last commit was running shares the next one; a lone record waits for nobody.
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
            self.commit(batch).await;
        }
    }

    /// Commits a batch. When that fails the requests learn of it, and the chain goes on from what is stored.
    async fn commit(&mut self, batch: Vec<Job>) {
        if self.uncertain && !self.catch_up().await {
            return;
        }
        let (mut seq, mut head) = (self.seq, self.head.clone());
        let mut rows = Vec::with_capacity(batch.len());
        for job in &batch {
            seq += 1;
            match self.row(seq, &head, job) {
                Ok(row) => {
                    head.clone_from(&row.hash);
                    rows.push(row);
                }
                Err(error) => {
                    tracing::error!(%error, "an audit record cannot be encoded");
                    return;
                }
            }
        }
        match self.store.append_audit(&rows).await {
            Ok(()) => (self.seq, self.head) = (seq, head),
            Err(error) => {
                tracing::error!(%error, "audit records cannot be written");
                // The connection may have broken after the commit and before its answer.
                self.uncertain = true;
                if !self.catch_up().await || self.head != head {
                    return;
                }
            }
        }
        for (job, row) in batch.into_iter().zip(rows) {
            // Whoever does not wait any more has its record all the same.
            let _ = job.done.send(Some(Position { node: row.node, seq: row.seq, hash: row.hash }));
        }
    }

    /// Goes on from what is stored, which is at most one batch more than is known here; whether it could be read.
    async fn catch_up(&mut self) -> bool {
        match self.store.audit_chain(&self.node, self.seq, BATCH as i64).await {
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

    fn row(&self, seq: i64, previous: &str, job: &Job) -> Result<AuditRow, serde_json::Error> {
        let at_ms = self.env.now_ms();
        let record = serde_json::to_vec(&Record {
            v: 1,
            node: self.node.clone(),
            seq,
            previous: previous.into(),
            at_ms,
            request_id: job.request_id.clone(),
            entry: &job.entry,
        })?;
        Ok(AuditRow {
            node: self.node.clone(),
            seq,
            request_id: job.request_id.clone(),
            org_id: job.entry.org.clone(),
            at_ms,
            hash: link(previous, &record),
            record,
        })
    }
}
