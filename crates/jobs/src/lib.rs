//! Durable jobs: a queue in the database and a runner that carries workflows through their steps.
//!
//! What it is for: a job can be killed between any two steps and goes on from there; each step's output is
//! stored before the next begins; a final state never changes.
//!
//! What it does not know: what the steps do. Plans, models and approvals are the workflows' business.
//!
//! Start reading at [`Workflow`], then [`Runner`].

mod runner;

pub use runner::{Runner, RunnerConfig};
pub use store::jobs::{JobRow, JobState};

use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// A named sequence of steps.
pub trait Workflow: Send + Sync + 'static {
    /// The name that a job carries.
    fn name(&self) -> &'static str;

    /// The steps, in order.
    fn steps(&self) -> &'static [&'static str];

    /// Runs one step. It is run again when it said [`Outcome::Wait`] and the job was woken, and when the
    /// process ended in the middle of it; then [`StepContext::interrupted`] is set, and a step that spends
    /// money must not spend it twice.
    fn run(&self, step: &'static str, context: StepContext) -> BoxFuture<'_, Result<Outcome, StepError>>;

    /// Told once after a job has reached a final state other than by completing, so that what it left half
    /// done can be closed. May be told again after a crash.
    fn abandoned(&self, job: JobRow) -> BoxFuture<'_, ()>;

    /// Where one begins again when `step` is to be repeated: the step itself, or the beginning of the stage that it
    /// belongs to.
    fn stage_of(&self, step: &'static str) -> &'static str {
        step
    }

    /// The steps that are passed over when a person skips the stage of `step`; `None` when the rest needs it.
    fn skipped(&self, step: &'static str) -> Option<&'static [&'static str]> {
        let _ = step;
        None
    }
}

/// The output of a step that a person chose to skip.
pub const SKIPPED: &str = "skipped";

/// What a step gets.
#[derive(Clone, Debug)]
pub struct StepContext {
    /// The job.
    pub job: JobRow,
    /// The outputs of the steps before, by name.
    pub outputs: BTreeMap<String, String>,
    /// Whether this step had begun in a process that ended before the step did.
    pub interrupted: bool,
    /// Canceled when the job is.
    pub cancel: CancellationToken,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done; this is its output.
    Done(String),
    /// It needs a person. The job rests with this note until it is woken.
    Wait(String),
    /// What was done before does not hold any more: the job goes on at this earlier step, anew.
    Again(&'static str),
    /// What it needs cannot be reached. The job rests with this note and is run again by itself at a time.
    WaitNetwork {
        /// For the person.
        note: String,
        /// When, in milliseconds since 1970.
        until: i64,
    },
}

/// Why a step did not go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// It failed; the text is for the person.
    #[error("{0}")]
    Failed(String),
    /// The job was canceled.
    #[error("canceled")]
    Canceled,
}

/// What a person is told when nothing more can be stored.
pub const DISK_FULL: &str = "The disk is full, so this could not be stored. What was stored before is kept. Make room on the disk \
                             where PlanToCode keeps its data, then try again.";

impl From<store::StoreError> for StepError {
    fn from(e: store::StoreError) -> StepError {
        if matches!(e, store::StoreError::Full) {
            return StepError::Failed(DISK_FULL.to_owned());
        }
        StepError::Failed(format!("The local database failed: {e}. What was stored before is kept."))
    }
}
