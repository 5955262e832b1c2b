//! Jobs, as clients see them.

use crate::error::{database, no_session};
use crate::questions::Outputs;
use crate::workflow::{PREPARE, split};
use crate::{Engine, Inner};
use ::jobs::SKIPPED;
use api::JobId;
use api::events::Topic;
use api::jobs::{
    GetJob, Job, JobList, JobState, JobStep, JobSteps, Jobs, ListJobs, Prioritise, RetryJob, StepState,
};
use rpc::{ApiError, Caller, ErrorCode};
use store::jobs::JobRow;

/// The most jobs of one page.
const PAGE: u32 = 200;

pub(crate) fn view(row: JobRow) -> Job {
    // An input that cannot be read ends the job where it is needed, with a reason; it is no reason to hide the job.
    let about = crate::questions::about(&row).unwrap_or_default();
    Job {
        about,
        id: JobId(row.id),
        session: row.session_id.into(),
        workflow: row.workflow,
        state: match row.state {
            store::jobs::JobState::Queued => JobState::Queued,
            store::jobs::JobState::Running => JobState::Running,
            store::jobs::JobState::WaitingApproval => JobState::WaitingApproval,
            store::jobs::JobState::WaitingNetwork => JobState::WaitingNetwork,
            store::jobs::JobState::Paused => JobState::Paused,
            store::jobs::JobState::Completed => JobState::Completed,
            store::jobs::JobState::Failed => JobState::Failed,
            store::jobs::JobState::Canceled => JobState::Canceled,
        },
        note: row.note,
        approval: row.approval_id.map(Into::into),
        plan: row.plan_id.map(Into::into),
        created_at: row.created_at.max(0).cast_unsigned(),
        updated_at: row.updated_at.max(0).cast_unsigned(),
        priority: row.priority,
        wake_at: row.wake_at.map(|at| at.max(0).cast_unsigned()),
        retry_of: row.retry_of.map(Into::into),
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

    /// The stage at which a job rests, and the outputs of the steps that have ended.
    pub(crate) async fn present_stage(&self, job: &JobRow) -> Result<(String, Outputs), ApiError> {
        let key = job.id.clone();
        let steps = self.store.read(move |db| store::jobs::steps(db, &key)).await.map_err(database)?;
        let outputs: Outputs = steps.into_iter().filter_map(|step| Some((step.name, step.output?))).collect();
        let ended: Vec<String> = outputs.keys().cloned().collect();
        let next = self.runner().and_then(|runner| runner.next_step(&job.workflow, &ended));
        Ok((next.map(|step| split(step).0).unwrap_or_default().to_owned(), outputs))
    }

    /// Stores a new job and says so, unless its session is gone.
    pub(crate) async fn enqueue(&self, row: JobRow) -> Result<Job, ApiError> {
        let stored = row.clone();
        let known = self
            .store
            .write(move |db| {
                if store::sessions::get(db, &stored.session_id)?.is_none() {
                    return Ok(false);
                }
                store::jobs::insert(db, &stored)?;
                Ok(true)
            })
            .await
            .map_err(database)?;
        if !known {
            return Err(no_session(&row.session_id.into()));
        }
        self.told(&row);
        Ok(view(row))
    }

    /// Says that a job was queued.
    pub(crate) fn told(&self, row: &JobRow) {
        self.bus.tell(Topic::Job, &row.id, Some(&row.session_id));
        if let Some(runner) = self.runner() {
            runner.wake();
        }
    }

    /// The ids of a session's jobs that have not ended.
    pub(crate) async fn open_jobs(&self, session: &str) -> Result<Vec<String>, ApiError> {
        let rows = self.store.read(store::jobs::open).await.map_err(database)?;
        Ok(rows.into_iter().filter(|job| job.session_id == session).map(|job| job.id).collect())
    }
}

impl Jobs for Engine {
    async fn list(&self, _: &Caller, request: ListJobs) -> Result<JobList, ApiError> {
        let ListJobs { session, open, before, limit } = request;
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
        let mut rows = self
            .inner
            .store
            .read(move |db| {
                if open {
                    let mut rows = store::jobs::open(db)?;
                    rows.retain(|job| session.as_ref().is_none_or(|session| session.0 == job.session_id));
                    return Ok(rows);
                }
                let (session, before) = (session.as_ref().map(|id| &*id.0), before.as_ref().map(|id| &*id.0));
                store::jobs::list(db, session, before, limit + 1)
            })
            .await
            .map_err(database)?;
        let more = !open && rows.len() > limit as usize;
        if more {
            rows.truncate(limit as usize);
        }
        Ok(JobList { jobs: rows.into_iter().map(view).collect(), more })
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

    async fn pause(&self, caller: &Caller, request: GetJob) -> Result<Job, ApiError> {
        let note = format!("Paused from {}.", caller.name);
        let row = match self.inner.runner() {
            Some(runner) => runner.pause(&request.job.0, &note).await.map_err(database)?,
            None => None,
        };
        row.map(view).ok_or_else(|| no_job(&request.job))
    }

    async fn resume(&self, _: &Caller, request: GetJob) -> Result<Job, ApiError> {
        let row = match self.inner.runner() {
            Some(runner) => runner.resume(&request.job.0).await.map_err(database)?,
            None => None,
        };
        row.map(view).ok_or_else(|| no_job(&request.job))
    }

    async fn skip(&self, _: &Caller, request: GetJob) -> Result<Job, ApiError> {
        let Some(runner) = self.inner.runner() else { return Err(no_job(&request.job)) };
        let now = self.inner.now();
        let resting = self.inner.job(&request.job).await?;
        if let Some(approval) =
            resting.approval_id.filter(|_| store::jobs::JobState::RESTING.contains(&resting.state))
            && self.inner.is_unsettled(&approval).await.map_err(database)?
        {
            // It left in a run that ended: what it may have cost counts, whether its answer is wanted or not.
            let settled = crate::settle::unknown(&self.inner, &resting.id, &approval).await;
            settled.map_err(|e| ApiError::internal(e.to_string()))?;
        }
        let skipped = runner.skip(&request.job.0, move |db, job| {
            // What the stage asked can no longer be approved, and costs nothing.
            let Some(approval) = &job.approval_id else { return Ok(()) };
            store::permissions::release(db, approval, 0)?;
            store::approvals::answer(db, approval, "superseded", "engine", now)?;
            Ok(())
        });
        let (skipped, row) = skipped.await.map_err(database)?;
        let row = row.ok_or_else(|| no_job(&request.job))?;
        if !skipped {
            let message =
                "Nothing can be skipped here: the job does not rest, or the rest of it needs this stage.";
            return Err(ApiError::new(ErrorCode::Conflict, "cannot_skip", message));
        }
        if let Some(approval) = &row.approval_id {
            self.inner.bus.tell(Topic::Approval, approval, Some(&row.session_id));
        }
        Ok(view(row))
    }

    async fn retry(&self, _: &Caller, request: RetryJob) -> Result<Job, ApiError> {
        let old = self.inner.job(&request.job).await?;
        if !old.state.is_final() {
            let message = "This job has not ended. Stop it first, or resume it.";
            return Err(ApiError::new(ErrorCode::Conflict, "job_open", message));
        }
        let Some(runner) = self.inner.runner() else { return Err(no_job(&request.job)) };
        if runner.steps(&old.workflow).is_empty() {
            let message = "This job only says where a plan came from; there is nothing to do once more.";
            return Err(ApiError::new(ErrorCode::Conflict, "no_workflow", message));
        }
        let (_, outputs) = self.inner.present_stage(&old).await?;
        let ended: Vec<String> = outputs.keys().cloned().collect();
        let next = runner.next_step(&old.workflow, &ended).map(str::to_owned);
        let from = request.from.or(next);
        let mut kept = match &from {
            Some(step) => runner.before(&old.workflow, step).ok_or_else(|| {
                let message = format!("The workflow {} has no step {step}.", old.workflow);
                ApiError::invalid("no_step", message).with("step", step)
            })?,
            None => Vec::new(),
        };
        // Stages that were passed over stay so, but for the one that is asked for.
        let stage = from.as_deref().map(|step| split(step).0);
        let steps = runner.steps(&old.workflow);
        let passed = |name: &&&str| outputs.get(**name).is_some_and(|output| output == SKIPPED);
        let whole = |stage: &str| {
            // A stage whose preparation was made was passed over by its approval.
            steps
                .iter()
                .filter(|name| split(name).0 == stage && !name.ends_with(PREPARE))
                .all(|name| passed(&name))
        };
        for name in steps.iter().filter(|name| Some(split(name).0) != stage && !split(name).0.is_empty()) {
            if whole(split(name).0) && outputs.contains_key(*name) && !kept.contains(name) {
                kept.push(name);
            }
        }
        let row = JobRow {
            note: "Does it once more.".to_owned(),
            plan_id: old.plan_id.as_ref().map(|_| self.inner.new_id()),
            retry_of: Some(old.id.clone()),
            priority: old.priority,
            ..JobRow::queued(
                self.inner.new_id(),
                old.session_id.clone(),
                &old.workflow,
                old.input.clone(),
                self.inner.now(),
            )
        };
        let stored = row.clone();
        self.inner
            .store
            .write(move |db| {
                store::jobs::insert(db, &stored)?;
                store::jobs::copy_steps(db, &old.id, &stored.id, &kept)
            })
            .await
            .map_err(database)?;
        self.inner.told(&row);
        Ok(view(row))
    }

    async fn prioritise(&self, _: &Caller, request: Prioritise) -> Result<Job, ApiError> {
        if !(-100..=100).contains(&request.priority) {
            return Err(ApiError::invalid("priority", "A priority is a number from −100 to 100."));
        }
        let (id, priority) = (request.job.0.clone(), request.priority);
        self.inner
            .store
            .write(move |db| store::jobs::set_priority(db, &id, priority))
            .await
            .map_err(database)?;
        let row = self.inner.job(&request.job).await?;
        self.inner.told(&row);
        Ok(view(row))
    }

    async fn steps(&self, _: &Caller, request: GetJob) -> Result<JobSteps, ApiError> {
        let job = self.inner.job(&request.job).await?;
        let known =
            self.inner.store.read(move |db| store::jobs::steps(db, &job.id)).await.map_err(database)?;
        let names = self.inner.runner().map(|runner| runner.steps(&job.workflow)).unwrap_or_default();
        let steps = names.iter().map(|name| {
            let row = known.iter().find(|step| step.name == *name);
            let time = |at: i64| at.max(0).cast_unsigned();
            JobStep {
                name: (*name).to_owned(),
                state: match row.map(|row| row.output.as_deref()) {
                    None => StepState::Ahead,
                    Some(None) => StepState::Begun,
                    Some(Some(SKIPPED)) => StepState::Skipped,
                    Some(Some(_)) => StepState::Done,
                },
                begun_at: row.map(|row| time(row.begun_at)),
                ended_at: row.and_then(|row| row.ended_at).map(time),
            }
        });
        Ok(JobSteps { steps: steps.collect() })
    }
}
