//! `jobs`: what runs, what waits, what ended and how.

use crate::{ApprovalId, Empty, JobId, PlanId, SessionId, TimeMs};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

service! {
    /// Jobs.
    pub service Jobs / JobsClient = "jobs" {
        /// The newest jobs, at most 200.
        unary list [View] (Empty) -> JobList;
        /// One job.
        unary get [View] (GetJob) -> Job;
        /// Stops a job; a request that is under way is aborted at the provider. A job that has ended stays
        /// as it is.
        unary cancel [Run] (GetJob) -> Job;
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
    /// When it was made.
    pub created_at: TimeMs,
    /// When its state changed last.
    pub updated_at: TimeMs,
}

/// Jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JobList {
    /// The newest first.
    pub jobs: Vec<Job>,
}

/// Names a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GetJob {
    /// The job.
    pub job: JobId,
}
