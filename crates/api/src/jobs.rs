//! `jobs`: what runs, what waits, what ended and how.

use crate::{ApprovalId, JobId, PlanId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Jobs.
    pub service Jobs / JobsClient = "jobs" {
        /// Jobs, the newest first, page by page.
        unary list [View] (ListJobs) -> JobList;
        /// One job.
        unary get [View] (GetJob) -> Job;
        /// Stops a job; a request that is under way is aborted at the provider. A job that has ended stays
        /// as it is.
        unary cancel [Run] (GetJob) -> Job;
        /// Puts a job aside: at once when it rests, after its present step when it runs.
        unary pause [Run] (GetJob) -> Job;
        /// Takes a paused job up again, or one that waits for the network before its time.
        unary resume [Run] (GetJob) -> Job;
        /// Passes over the stage at which a job rests, where the rest does not need it.
        unary skip [Run] (GetJob) -> Job;
        /// Does a job that has ended once more, from a stage on. What it asked is asked again; what came before that
        /// stage is taken from the first job.
        unary retry [Run] (RetryJob) -> Job;
        /// Changes how soon a job's turn comes.
        unary prioritise [Run] (Prioritise) -> Job;
        /// The steps of a job: which have ended, which were skipped, which comes next.
        unary steps [View] (GetJob) -> JobSteps;
    }
}

/// The state of a job. The last three are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// Works.
    Running,
    /// Waits for a person's approval.
    WaitingApproval,
    /// Waits for the network, and goes on by itself.
    WaitingNetwork,
    /// Put aside by a person.
    Paused,
    /// Done.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended by a person.
    Canceled,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The session it works for.
    pub session: SessionId,
    /// The workflow, for example `plan`.
    pub workflow: String,
    /// Its state.
    pub state: JobState,
    /// What it does now, or why it ended, in words.
    pub note: String,
    /// The approval it waits for or was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub approval: Option<ApprovalId>,
    /// The plan it makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub plan: Option<PlanId>,
    /// The plans that it was asked about: whose step it changes, which it completes, or of which it makes one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<PlanId>>", optional)]
    pub about: Vec<PlanId>,
    /// When it was made.
    pub created_at: TimeMs,
    /// When its state changed last.
    pub updated_at: TimeMs,
    /// Jobs of a higher priority run first; 0 is usual.
    #[serde(default)]
    pub priority: i32,
    /// When a job that waits for the network is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub wake_at: Option<TimeMs>,
    /// The job that this one does once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub retry_of: Option<JobId>,
}

/// Asks for a job to be done once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RetryJob {
    /// A job that has ended.
    pub job: JobId,
    /// The step from whose stage on; the first that did not end when absent, or all of them.
    #[serde(default)]
    #[ts(optional)]
    pub from: Option<String>,
}

/// Changes a job's priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Prioritise {
    /// The job.
    pub job: JobId,
    /// From −100 to 100.
    pub priority: i32,
}

/// The steps of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JobSteps {
    /// In order.
    pub steps: Vec<JobStep>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JobStep {
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: StepState,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub begun_at: Option<TimeMs>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ended_at: Option<TimeMs>,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its turn has not come.
    Ahead,
    /// It has begun and not ended.
    Begun,
    /// It has ended.
    Done,
    /// A person passed over it.
    Skipped,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ListJobs {
    /// Only those of this session.
    #[serde(default)]
    #[ts(optional)]
    pub session: Option<SessionId>,
    /// Only those that have not ended: all of them, whatever the limit.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub open: bool,
    /// Only those made before this one.
    #[serde(default)]
    #[ts(optional)]
    pub before: Option<JobId>,
    /// How many, up to 200; 200 when absent.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// Jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JobList {
    /// The newest first.
    pub jobs: Vec<Job>,
    /// Whether there are older ones.
    #[serde(default)]
    pub more: bool,
}

/// Names a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetJob {
    /// The job.
    pub job: JobId,
}
