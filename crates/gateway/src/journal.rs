use llm::{Dialect, ModelLimits};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One attempt at one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// The provider that was asked.
    pub provider: String,
    /// The model that was asked there.
    pub model: String,
    /// Which key was used.
    pub key_id: String,
    /// The wire form in which it was asked.
    pub dialect: Dialect,
    /// What the translation knew of the model.
    pub limits: ModelLimits,
    /// Lower-case hex of SHA-256 over the exact body it received.
    pub upstream_hash: String,
    /// How that body differs from the canonical one, in words.
    pub transformations: Vec<String>,
    /// How it went.
    pub outcome: Outcome,
    /// HTTP status, once there was one.
    pub status: Option<u16>,
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Still under way; in a final record: the process ended before it was known.
    Pending,
    /// Answered to the end.
    Served,
    /// Refused by the upstream.
    Refused,
    /// Unreachable, too slow, or failing.
    Failed,
    /// Broke off after it had begun.
    Cut,
    /// Cancelled, or nobody listened any more.
    Canceled,
}

impl Outcome {
    /// The word for records.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Pending => "pending",
            Outcome::Served => "served",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Cut => "cut",
            Outcome::Canceled => "canceled",
        }
    }
}

/// What has been tried for one request. Shared, so that it can be read on every way out, also when the future that
/// was sending has been dropped.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Try>>>);

impl Journal {
    /// The attempts so far, in order.
    pub fn tries(&self) -> Vec<Try> {
        self.lock().clone()
    }

    /// The attempts so far, taken out: for whoever reads them last.
    pub fn take(&self) -> Vec<Try> {
        std::mem::take(&mut self.lock())
    }

    /// Notes the beginning of an attempt. It counts as canceled until it ends: a dropped future reports nothing.
    pub(crate) fn begin(&self, attempt: Try) -> Entry {
        let mut tries = self.lock();
        tries.push(attempt);
        Entry { journal: self.clone(), at: tries.len() - 1, closed: false }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Try>> {
        // A panic elsewhere leaves the list whole: entries are pushed and set in one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt under way. Dropped without an outcome, it was canceled.
#[derive(Debug)]
pub(crate) struct Entry {
    journal: Journal,
    at: usize,
    closed: bool,
}

impl Entry {
    pub(crate) fn status(&self, status: u16) {
        self.change(|attempt| attempt.status = Some(status));
    }

    pub(crate) fn close(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.closed, true) {
            self.change(|attempt| attempt.outcome = outcome);
        }
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    fn change(&self, change: impl FnOnce(&mut Try)) {
        if let Some(attempt) = self.journal.lock().get_mut(self.at) {
            change(attempt);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.close(Outcome::Canceled);
    }
}
