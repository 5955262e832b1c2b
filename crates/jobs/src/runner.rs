//! Carries jobs through their steps.

use crate::{JobRow, JobState, Outcome, StepContext, StepError, Workflow};
use futures_util::FutureExt;
use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Store, jobs};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the queue is looked at without being told.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

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
        // Asked for after the commit. A task that is still there sees the final state when it ends and abandons the
        // job itself: never while one of its steps is still writing.
        let running = self.inner.running().get(id).cloned();
        match (running, &job) {
            (Some(token), _) => token.cancel(),
            (None, Some(job)) if changed => self.inner.abandon(job.clone()).await,
            (None, _) => {}
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

/// A job's place among the running ones; given up when dropped, however the task ends.
struct Running {
    inner: Arc<Inner>,
    id: String,
    token: CancellationToken,
}

impl Running {
    fn enter(inner: &Arc<Inner>, id: &str) -> Running {
        let token = CancellationToken::new();
        inner.running().insert(id.to_owned(), token.clone());
        Running { inner: Arc::clone(inner), id: id.to_owned(), token }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.inner.running().remove(&self.id);
    }
}

async fn dispatch(inner: Arc<Inner>) {
    loop {
        tokio::select! {
            () = inner.queue.notified() => {}
            // Whoever queued a job may have died before saying so.
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = inner.closing.cancelled() => return,
        }
        while let Ok(slot) = Arc::clone(&inner.slots).try_acquire_owned() {
            match inner.take().await {
                Ok(Some((job, entry))) => {
                    let inner = Arc::clone(&inner);
                    inner.tasks.clone().spawn(async move {
                        run(&inner, &job, entry).await;
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

async fn run(inner: &Arc<Inner>, job: &JobRow, entry: Running) {
    // A panic is a defect of a step; it must end this job and nothing else.
    let ended = AssertUnwindSafe(steps(inner, job, &entry.token)).catch_unwind().await;
    let result = ended.unwrap_or_else(|_| {
        Err(StepError::Failed(
            "A step met a defect of this program. What was stored before is kept.".to_owned(),
        ))
    });
    let (state, note) = match result {
        Ok(Some(wait)) => (JobState::WaitingApproval, wait),
        Ok(None) if inner.closing.is_cancelled() => return,
        Ok(None) => (JobState::Completed, String::new()),
        Err(StepError::Canceled) => (JobState::Canceled, "Canceled.".to_owned()),
        Err(StepError::Failed(note)) => (JobState::Failed, note),
    };
    if let Err(error) = inner.transition(&job.id, &[JobState::Running], state, &note).await {
        tracing::error!(%error, job = job.id, "the end of a job cannot be stored");
    }
    // From here on a cancel finds no task and abandons by itself; one that came before is seen below.
    drop(entry);
    match inner.read(&job.id).await {
        Ok(Some(job)) if matches!(job.state, JobState::Failed | JobState::Canceled) => {
            inner.abandon(job).await
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, job = job.id, "the end of a job cannot be read"),
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
        // A job that was canceled or deleted meanwhile takes no further step.
        let fresh = inner.read(&job.id).await?.filter(|job| job.state == JobState::Running);
        let Some(fresh) = fresh else { return Err(StepError::Canceled) };
        let (id, now) = (job.id.clone(), inner.now());
        let interrupted = store.write(move |db| jobs::begin_step(db, &id, step, now)).await?;
        let context =
            StepContext { job: fresh, outputs: outputs.clone(), interrupted, cancel: cancel.clone() };
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

    /// The oldest queued job, now running, and its place among the running ones.
    async fn take(self: &Arc<Self>) -> store::Result<Option<(JobRow, Running)>> {
        loop {
            let queued = self.config.store.read(|db| jobs::in_state(db, JobState::Queued)).await?;
            let Some(job) = queued.into_iter().next() else { return Ok(None) };
            // Before the commit: from the moment the job is running, a cancel finds its token.
            let entry = Running::enter(self, &job.id);
            let (taken, fresh) = self.transition(&job.id, &[JobState::Queued], JobState::Running, "").await?;
            match (taken, fresh) {
                (true, Some(fresh)) => return Ok(Some((fresh, entry))),
                // Canceled in between: that cancel found our entry and left the rest to us.
                (false, Some(fresh)) if fresh.state.is_final() => {
                    drop(entry);
                    self.abandon(fresh).await;
                }
                _ => {}
            }
        }
    }

    async fn read(&self, id: &str) -> store::Result<Option<JobRow>> {
        let id = id.to_owned();
        self.config.store.read(move |db| jobs::get(db, &id)).await
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
