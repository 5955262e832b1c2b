//! The rates and budgets of all nodes together, in Redis: what `rates.rs` and `budgets.rs` count for one node, with the same words.
//!
//! A request is one step in Redis (`rates.lua`): all of its limits are looked at and taken, or none. What it has taken is held
//! under a lease, which its node renews while it runs and gives back when it ends; when the node is killed, the lease ends
//! by itself. Everything is sent by one task over one connection and in order (`worker.rs`), so that what a request leaves is
//! there before the next one of this node asks.

mod money;
mod script;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Scope;
use super::budgets::Purse;
use super::rates::{Over, What};
use crate::ServerError;
use crate::config::{OnFailure, Rate, Redis};
use crate::metrics::Metrics;
pub(crate) use money::{Limit, Money};
use worker::{Operation, Worker};

/// Before every name, so that others may use the same Redis. The braces keep all keys on one node of a cluster.
const PREFIX: &str = "{plantocode}";

/// The shared rates. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SharedRates {
    worker: mpsc::UnboundedSender<Operation>,
    /// Whether Redis answered when it was asked last.
    up: Arc<AtomicBool>,
    /// Begins the name of every lease of this node.
    node: Arc<str>,
    next: Arc<AtomicU64>,
    on_failure: OnFailure,
    metrics: Metrics,
}

/// One thing that is limited, and its names in Redis.
#[derive(Clone, Debug)]
struct Limited {
    scope: Scope,
    rate: Rate,
    bucket: String,
    running: String,
}

/// What a request takes.
#[derive(Debug)]
struct Taken {
    lease: String,
    things: Vec<Limited>,
    tokens: u64,
    money: Money,
}

/// Why there is no lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no room.
    Over(Over),
    /// There is a budget with less in it.
    Spent { purse: Purse, left_microusd: i64 },
    /// Redis does not answer.
    Down,
}

/// Leave to run, on all nodes. Dropped without a word, it has used nothing.
#[derive(Debug)]
pub(crate) struct Lease {
    taken: Arc<Taken>,
    worker: mpsc::UnboundedSender<Operation>,
    released: AtomicBool,
}

impl SharedRates {
    /// Starts the task that speaks with Redis; `None` where none is configured. Redis need not answer yet.
    pub fn start(settings: &Redis, node: String, metrics: Metrics) -> Result<Option<Self>, ServerError> {
        if settings.url.is_empty() {
            return Ok(None);
        }
        // The library asks the process for it; another part of the process may have said so already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = |error: redis::RedisError| {
            // The library's words hold no part of the URL, in which a password may stand.
            ServerError::Config(format!("[redis] url: {}", error.category()))
        };
        let client = redis::Client::open(settings.url.as_str()).map_err(wrong)?;
        let up = Arc::new(AtomicBool::new(false));
        let (worker, operations) = mpsc::unbounded_channel();
        let lease = Duration::from_secs(settings.lease_s.max(1));
        tokio::spawn(Worker::new(client, lease, Arc::clone(&up)).run(operations));
        let on_failure = settings.on_failure;
        Ok(Some(Self { worker, up, node: node.into(), next: Arc::default(), on_failure, metrics }))
    }

    /// What happens to requests while Redis does not answer.
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    /// A request was admitted by this node alone.
    pub fn count_unshared(&self) {
        self.metrics.unshared();
    }

    /// Whether Redis answered when it was asked last. It is asked every few seconds, and by every request.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Whether Redis answers now, and has done everything that this node has asked of it.
    pub async fn answers(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        self.worker.send(Operation::Ask { answer }).is_ok() && answered.await.unwrap_or(false)
    }

    /// The same, for one who has just begun to ask.
    pub async fn answers_within(&self, limit: Duration) -> bool {
        let until = async {
            while !self.answers().await {
                tokio::time::sleep(limit / 50).await;
            }
        };
        tokio::time::timeout(limit, until).await.is_ok()
    }

    /// Takes one request and these tokens of all things, and this money, or nothing of any; things without a limit are left out.
    /// `None` when nothing is limited, and Redis is not asked.
    pub async fn take(
        &self,
        things: impl Iterator<Item = (Scope, &str, Rate)>,
        tokens: u64,
        money: Money,
    ) -> Result<Option<Lease>, Refused> {
        let things = limited(things);
        if things.is_empty() && money.purses.is_empty() {
            return Ok(None);
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let lease = format!("{}/{number}", self.node);
        let taken = Arc::new(Taken { lease, things, tokens, money });
        // Made before it is known whether it is good, so that whatever happens to the answer it is given back.
        let lease = Lease { taken, worker: self.worker.clone(), released: AtomicBool::new(false) };
        let (answer, answered) = oneshot::channel();
        self.worker.send(Operation::Take { lease, answer }).map_err(|_| Refused::Down)?;
        answered.await.map_err(|_| Refused::Down)?.map(Some)
    }

    /// Counts a request of these things that ended before anything could be taken.
    pub fn charge<'k>(&self, things: impl Iterator<Item = (Scope, &'k str, Rate)>) {
        let things = limited(things);
        if !things.is_empty() {
            // Without the task nobody counts, and nobody is admitted either.
            let _ = self.worker.send(Operation::Charge { things });
        }
    }
}

fn limited<'k>(things: impl Iterator<Item = (Scope, &'k str, Rate)>) -> Vec<Limited> {
    things
        .filter(|(_, name, rate)| !name.is_empty() && *rate != Rate::default())
        .map(|(scope, name, rate)| {
            let kind = scope.word();
            let (bucket, running) =
                (format!("{PREFIX}:rate:{kind}:{name}"), format!("{PREFIX}:running:{kind}:{name}"));
            Limited { scope, rate, bucket, running }
        })
        .collect()
}

impl Lease {
    /// The request is over, has used so many tokens and spent so many micro-dollars. Only the first word counts.
    pub fn release(&self, used: u64, spent: u64) {
        if !self.released.swap(true, Ordering::Relaxed) {
            let taken = Arc::clone(&self.taken);
            // Without the task the lease ends by itself.
            let _ = self.worker.send(Operation::Release { taken, used, spent });
        }
    }

    /// It was never taken, so there is nothing to give back.
    fn forget(self) {
        self.released.store(true, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release(0, 0);
    }
}
