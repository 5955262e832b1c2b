//! Carries jobs through their steps.

use crate::{JobRow, JobState, Outcome, StepContext, StepError, Workflow};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use store::{Store, jobs};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a runner needs from its host.
pub struct RunnerConfig {
    /// The database.
    pub store: Store,
    /// The workflows it can run.
    pub workflows: Vec<Arc<dyn Workflow>>,
    /// How many jobs run at once. Jobs that wait for a person do not count.
    pub concurrency: usize,
    /// Milliseconds since 1970.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Told after each committed change of a job.
    pub changed: Arc<dyn Fn(&JobRow) + Send + Sync>,
}

/// Runs the jobs of one database. Cheap to clone.
#[derive(Clone)]
pub struct Runner {
    inner: Arc<Inner>,
}

struct Inner {
    config: RunnerConfig,
    running: Mutex<HashMap<String, CancellationToken>>,
    queue: Notify,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Runner {
    /// Takes over the jobs of the database: those that were running when the last process ended go back into
    /// the queue. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn start(config: RunnerConfig) -> store::Result<Runner> {
        let now = (config.clock)();
        let recovered = config
            .store
            .write(move |db| {
                let interrupted = jobs::in_state(db, JobState::Running)?;
                for job in &interrupted {
                    let note = "Goes on after the engine was restarted.";
                    jobs::transition(db, &job.id, &[JobState::Running], JobState::Queued, note, now)?;
                }
                Ok(interrupted.len())
            })
            .await?;
        if recovered > 0 {
            tracing::info!(recovered, "jobs go on after a restart");
        }
        let slots = Arc::new(Semaphore::new(config.concurrency));
        let inner = Arc::new(Inner {
            config,
            running: Mutex::default(),
            queue: Notify::new(),
            slots,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        });
        tokio::spawn(dispatch(Arc::clone(&inner)));
        inner.queue.notify_one();
        Ok(Runner { inner })
    }

    /// Says that jobs were queued: new ones, or waiting ones whose answer was stored.
    pub fn wake(&self) {
        self.inner.queue.notify_one();
    }

    /// Cancels a job. Returns it as it is then; a job that had ended stays as it was.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn cancel(&self, id: &str, note: &str) -> store::Result<Option<JobRow>> {
        let (changed, job) = self.inner.transition(id, &JobState::OPEN, JobState::Canceled, note).await?;
        if let Some(token) = self.inner.running().get(id) {
            token.cancel();
        }
        if changed && let Some(job) = &job {
            self.inner.abandon(job.clone()).await;
        }
        Ok(job)
    }

    /// Whether any job runs now.
    pub fn is_busy(&self) -> bool {
        !self.inner.running().is_empty()
    }

    /// Takes no more jobs and waits for the running ones to reach the end of their present step.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

async fn dispatch(inner: Arc<Inner>) {
    loop {
        tokio::select! {
            () = inner.queue.notified() => {}
            () = inner.closing.cancelled() => return,
        }
        while let Ok(slot) = Arc::clone(&inner.slots).try_acquire_owned() {
            match inner.take().await {
                Ok(Some(job)) => {
                    let inner = Arc::clone(&inner);
                    inner.tasks.clone().spawn(async move {
                        run(&inner, job).await;
                        drop(slot);
                        inner.queue.notify_one();
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "the queue of jobs cannot be read");
                    break;
                }
            }
        }
    }
}

async fn run(inner: &Inner, job: JobRow) {
    let cancel = CancellationToken::new();
    inner.running().insert(job.id.clone(), cancel.clone());
    let result = steps(inner, &job, &cancel).await;
    inner.running().remove(&job.id);
    let (state, note) = match result {
        Ok(Some(wait)) => (JobState::WaitingApproval, wait),
        Ok(None) if inner.closing.is_cancelled() => return,
        Ok(None) => (JobState::Completed, String::new()),
        Err(StepError::Canceled) => (JobState::Canceled, "Canceled.".to_owned()),
        Err(StepError::Failed(note)) => (JobState::Failed, note),
    };
    match inner.transition(&job.id, &[JobState::Running], state, &note).await {
        Ok((true, Some(job))) if matches!(state, JobState::Failed | JobState::Canceled) => {
            inner.abandon(job).await;
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, job = job.id, "the end of a job cannot be stored"),
    }
}

/// Runs the steps that have no output yet; `Some` when one of them waits.
async fn steps(inner: &Inner, job: &JobRow, cancel: &CancellationToken) -> Result<Option<String>, StepError> {
    let workflow = inner
        .workflow(&job.workflow)
        .ok_or_else(|| StepError::Failed(format!("This version knows no workflow “{}”.", job.workflow)))?;
    let store = &inner.config.store;
    let id = job.id.clone();
    let known = store.read(move |db| jobs::steps(db, &id)).await?;
    let mut outputs: BTreeMap<String, String> =
        known.into_iter().filter_map(|step| Some((step.name, step.output?))).collect();
    for &step in workflow.steps() {
        if outputs.contains_key(step) {
            continue;
        }
        if cancel.is_cancelled() {
            return Err(StepError::Canceled);
        }
        if inner.closing.is_cancelled() {
            return Ok(None);
        }
        let (id, now) = (job.id.clone(), inner.now());
        let interrupted = store.write(move |db| jobs::begin_step(db, &id, step, now)).await?;
        let id = job.id.clone();
        let fresh = store.read(move |db| jobs::get(db, &id)).await?;
        let context = StepContext {
            job: fresh.unwrap_or_else(|| job.clone()),
            outputs: outputs.clone(),
            interrupted,
            cancel: cancel.clone(),
        };
        let (id, now) = (job.id.clone(), inner.now());
        match workflow.run(step, context).await? {
            Outcome::Done(output) => {
                let stored = output.clone();
                store.write(move |db| jobs::end_step(db, &id, step, &stored, now)).await?;
                outputs.insert(step.to_owned(), output);
            }
            Outcome::Wait(note) => {
                store.write(move |db| jobs::withdraw_step(db, &id, step)).await?;
                return Ok(Some(note));
            }
        }
    }
    Ok(None)
}

impl Inner {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        (self.config.clock)()
    }

    fn workflow(&self, name: &str) -> Option<Arc<dyn Workflow>> {
        self.config.workflows.iter().find(|w| w.name() == name).cloned()
    }

    /// The oldest queued job, now running.
    async fn take(&self) -> store::Result<Option<JobRow>> {
        let now = self.now();
        let job = self
            .config
            .store
            .write(move |db| {
                let Some(job) = jobs::in_state(db, JobState::Queued)?.into_iter().next() else {
                    return Ok(None);
                };
                jobs::transition(db, &job.id, &[JobState::Queued], JobState::Running, "", now)?;
                jobs::get(db, &job.id)
            })
            .await?;
        job.iter().for_each(|job| (self.config.changed)(job));
        Ok(job)
    }

    async fn transition(
        &self,
        id: &str,
        from: &[JobState],
        to: JobState,
        note: &str,
    ) -> store::Result<(bool, Option<JobRow>)> {
        let (id, from, note, now) = (id.to_owned(), from.to_owned(), note.to_owned(), self.now());
        let (changed, job) = self
            .config
            .store
            .write(move |db| Ok((jobs::transition(db, &id, &from, to, &note, now)?, jobs::get(db, &id)?)))
            .await?;
        if let (true, Some(job)) = (changed, &job) {
            (self.config.changed)(job);
        }
        Ok((changed, job))
    }

    async fn abandon(&self, job: JobRow) {
        if let Some(workflow) = self.workflow(&job.workflow) {
            workflow.abandoned(job).await;
        }
    }
}
