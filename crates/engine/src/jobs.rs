//! Jobs, as clients see them.

use crate::error::database;
use crate::{Engine, Inner};
use api::jobs::{GetJob, Job, JobList, JobState, Jobs};
use api::{Empty, JobId};
use rpc::{ApiError, Caller};
use store::jobs::JobRow;

/// How many jobs a list shows.
const LISTED: u32 = 200;

pub(crate) fn view(row: JobRow) -> Job {
    Job {
        id: JobId(row.id),
        session: row.session_id.into(),
        workflow: row.workflow,
        state: match row.state {
            store::jobs::JobState::Queued => JobState::Queued,
            store::jobs::JobState::Running => JobState::Running,
            store::jobs::JobState::WaitingApproval => JobState::WaitingApproval,
            store::jobs::JobState::Completed => JobState::Completed,
            store::jobs::JobState::Failed => JobState::Failed,
            store::jobs::JobState::Canceled => JobState::Canceled,
        },
        note: row.note,
        approval: row.approval_id.map(Into::into),
        plan: row.plan_id.map(Into::into),
        created_at: row.created_at.max(0).cast_unsigned(),
        updated_at: row.updated_at.max(0).cast_unsigned(),
    }
}

fn no_job(id: &JobId) -> ApiError {
    ApiError::not_found("no_job", "This job does not exist, or its session was deleted.").with("job", id)
}

impl Inner {
    /// One job.
    pub(crate) async fn job(&self, id: &JobId) -> Result<JobRow, ApiError> {
        let key = id.0.clone();
        let row = self.store.read(move |db| store::jobs::get(db, &key)).await.map_err(database)?;
        row.ok_or_else(|| no_job(id))
    }

    /// The ids of a session's jobs that have not ended.
    pub(crate) async fn open_jobs(&self, session: &str) -> Result<Vec<String>, ApiError> {
        let session = session.to_owned();
        let rows = self
            .store
            .read(move |db| {
                let mut open = Vec::new();
                for state in store::jobs::JobState::OPEN {
                    open.extend(store::jobs::in_state(db, state)?);
                }
                Ok(open)
            })
            .await
            .map_err(database)?;
        Ok(rows.into_iter().filter(|job| job.session_id == session).map(|job| job.id).collect())
    }
}

impl Jobs for Engine {
    async fn list(&self, _: &Caller, _: Empty) -> Result<JobList, ApiError> {
        let rows = self.inner.store.read(|db| store::jobs::list(db, LISTED)).await.map_err(database)?;
        Ok(JobList { jobs: rows.into_iter().map(view).collect() })
    }

    async fn get(&self, _: &Caller, request: GetJob) -> Result<Job, ApiError> {
        self.inner.job(&request.job).await.map(view)
    }

    async fn cancel(&self, caller: &Caller, request: GetJob) -> Result<Job, ApiError> {
        let note = format!("Stopped from {}.", caller.name);
        let row = match self.inner.runner() {
            Some(runner) => runner.cancel(&request.job.0, &note).await.map_err(database)?,
            None => None,
        };
        row.map(view).ok_or_else(|| no_job(&request.job))
    }
}
