//! The log's writer thread: what it is asked, and when it commits.

mod scribe;

use super::Mark;
use crate::wire::{Attention, Info, Size, State};
use crate::{Quota, Result, TerminalError};
use bytes::Bytes;
use rusqlite::Connection;
use scribe::Scribe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// How long output may wait for its commit.
const PAUSE: Duration = Duration::from_millis(50);
/// Output beyond this is committed at once.
const BATCH: usize = 64 * 1024;
/// Output that may wait for the disk, of all terminals together, before their programs are paused.
const BUDGET: usize = 4 * 1024 * 1024;
/// After a refusal of the disk.
const RETRY: Duration = Duration::from_secs(1);

/// Where a terminal's log stands; shared between its writer and its readers.
#[derive(Default)]
pub(crate) struct Place {
    /// Everything before this offset is in the database.
    pub(crate) committed: AtomicU64,
    /// The first offset that is kept.
    pub(crate) log_start: AtomicU64,
}

/// Output to be stored. The permit gives its bytes back to the budget when they are committed.
pub(crate) struct Output {
    pub(crate) number: i64,
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
    pub(crate) place: Arc<Place>,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What changes about a terminal while it lives.
pub(crate) struct Summary {
    pub(crate) number: i64,
    pub(crate) size: Size,
    pub(crate) state: State,
    pub(crate) ended_at: Option<i64>,
    pub(crate) last_output_at: Option<i64>,
    pub(crate) program_title: Option<String>,
    pub(crate) attention: Attention,
}

type Reply<T> = oneshot::Sender<Result<T>>;

/// What the writer is asked to do. What carries a reply is committed before it is answered.
pub(crate) enum Op {
    Begin {
        info: Box<Info>,
        scrollback: u32,
        reply: Reply<i64>,
    },
    Output(Output),
    Mark(i64, Mark),
    Summary(Box<Summary>),
    Forget {
        id: String,
        reply: Reply<()>,
    },
    /// Before the end: brings the write-ahead log into the file.
    Settle {
        reply: Reply<()>,
    },
    /// Answers when everything before it is committed.
    Flush {
        reply: Reply<()>,
    },
}

/// The writer's queue. The thread ends when the last clone is dropped and the queue is empty.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: Sender<Op>,
    budget: Arc<Semaphore>,
}

impl Writer {
    pub(super) fn start(connection: Connection, quota: Quota) -> Result<Writer> {
        let (queue, ops) = channel();
        let mut scribe = Scribe::new(connection, quota)?;
        std::thread::Builder::new()
            .name("terminal-log".to_owned())
            .spawn(move || scribe.serve(&ops))
            .map_err(|e| TerminalError::failed("no thread for the terminals' log", e))?;
        Ok(Writer { queue, budget: Arc::new(Semaphore::new(BUDGET)) })
    }

    /// Waits until the disk has room for `length` more bytes.
    pub(crate) async fn permit(&self, length: usize) -> Result<OwnedSemaphorePermit> {
        let length = u32::try_from(length.min(BUDGET)).unwrap_or(u32::MAX);
        Arc::clone(&self.budget).acquire_many_owned(length).await.map_err(|_| TerminalError::Gone)
    }

    /// Queues an operation without waiting. A writer that ended takes nothing; its host is ending too.
    pub(crate) fn put(&self, op: Op) {
        drop(self.queue.send(op));
    }

    /// Queues an operation and waits until it is committed.
    pub(crate) async fn ask<T>(&self, op: impl FnOnce(Reply<T>) -> Op) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.put(op(reply));
        answer.await.map_err(|_| TerminalError::Gone)?
    }
}

/// What is committed together.
#[derive(Default)]
struct Batch {
    outputs: Vec<Output>,
    marks: Vec<(i64, Mark)>,
    summaries: Vec<Summary>,
    /// Ends the batch: someone waits for it.
    awaited: Option<Op>,
    bytes: usize,
}

impl Batch {
    fn take(&mut self, op: Op) {
        match op {
            Op::Output(output) => {
                self.bytes += output.bytes.len();
                self.outputs.push(output);
            }
            Op::Mark(number, mark) => self.marks.push((number, mark)),
            Op::Summary(summary) => self.summaries.push(*summary),
            awaited => self.awaited = Some(awaited),
        }
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH || self.awaited.is_some()
    }
}

impl Scribe {
    /// Works until nobody can ask any more.
    fn serve(&mut self, ops: &Receiver<Op>) {
        while let Ok(first) = ops.recv() {
            let began = Instant::now();
            let mut batch = Batch::default();
            batch.take(first);
            while !batch.is_full() {
                match ops.recv_timeout(PAUSE.saturating_sub(began.elapsed())) {
                    Ok(op) => batch.take(op),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
            self.finish(batch);
        }
    }

    /// Commits a batch, however long the disk refuses: what waits meanwhile is bounded by the budget.
    fn finish(&mut self, batch: Batch) {
        for output in &batch.outputs {
            self.ingest(output.number, output.start, &output.bytes, &output.place);
        }
        while let Err(error) = self.commit(&batch.marks, &batch.summaries) {
            tracing::error!(%error, "the terminals' log cannot be written; trying again");
            std::thread::sleep(RETRY);
        }
        for Output { start, bytes, place, permit, .. } in batch.outputs {
            place.committed.store(start + bytes.len() as u64, Ordering::Release);
            // Gives its bytes back to the budget.
            drop(permit);
        }
        if let Err(error) = self.prune() {
            tracing::warn!(%error, "old output could not be removed from the terminals' log");
        }
        // Whoever asked may have gone away; the work is done all the same.
        match batch.awaited {
            Some(Op::Begin { info, scrollback, reply }) => drop(reply.send(self.begin(&info, scrollback))),
            Some(Op::Forget { id, reply }) => drop(reply.send(self.forget(&id))),
            Some(Op::Settle { reply }) => drop(reply.send(self.settle())),
            Some(Op::Flush { reply }) => drop(reply.send(Ok(()))),
            _ => {}
        }
    }
}
