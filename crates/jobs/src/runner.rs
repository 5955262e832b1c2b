//! Carries jobs through their steps.

use crate::{JobRow, JobState, Outcome, SKIPPED, StepContext, StepError, Workflow};
use futures_util::FutureExt;
use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Db, Store, jobs};
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
    /// The jobs that run now, each with the number of its run.
    running: Mutex<HashMap<String, (u64, CancellationToken)>>,
    runs: AtomicU64,
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
            runs: AtomicU64::new(0),
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
            (Some((_, token)), _) => token.cancel(),
            (None, Some(job)) if changed => self.inner.abandon(job.clone()).await,
            (None, _) => {}
        }
        Ok(job)
    }

    /// Puts a job aside: at once when it rests, at the end of its present step when it runs. Returns it as it is then.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn pause(&self, id: &str, note: &str) -> store::Result<Option<JobRow>> {
        const FROM: [JobState; 3] = [JobState::Queued, JobState::WaitingApproval, JobState::WaitingNetwork];
        let (id, note, now) = (id.to_owned(), note.to_owned(), self.inner.now());
        let (paused, job) = self
            .inner
            .config
            .store
            .write(move |db| {
                let paused = jobs::transition(db, &id, &FROM, JobState::Paused, &note, now)?;
                if jobs::get(db, &id)?.is_some_and(|job| job.state == JobState::Running) {
                    jobs::want_pause(db, &id, true)?;
                }
                Ok((paused, jobs::get(db, &id)?))
            })
            .await?;
        if let (true, Some(job)) = (paused, &job) {
            (self.inner.config.changed)(job);
        }
        Ok(job)
    }

    /// Takes a paused job up again, or one that waits for the network before its time. Returns it as it is then.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn resume(&self, id: &str) -> store::Result<Option<JobRow>> {
        let key = id.to_owned();
        self.inner.config.store.write(move |db| jobs::want_pause(db, &key, false)).await?;
        const FROM: [JobState; 2] = [JobState::Paused, JobState::WaitingNetwork];
        let (_, job) = self.inner.transition(id, &FROM, JobState::Queued, "Goes on.").await?;
        self.wake();
        Ok(job)
    }

    /// Passes over the stage at which a job rests. `also` is done in the same commit. Whether there was a stage that may
    /// be skipped, and the job as it is then.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn skip(
        &self,
        id: &str,
        also: impl FnOnce(&Db<'_>, &JobRow) -> store::Result<()> + Send + 'static,
    ) -> store::Result<(bool, Option<JobRow>)> {
        let Some(job) = self.inner.read(id).await? else { return Ok((false, None)) };
        let Some(workflow) = self.inner.workflow(&job.workflow) else { return Ok((false, Some(job))) };
        let (key, now) = (job.id.clone(), self.inner.now());
        let (skipped, job) = self
            .inner
            .config
            .store
            .write(move |db| {
                let Some(job) = jobs::get(db, &key)? else { return Ok((false, None)) };
                let done = jobs::steps(db, &key)?;
                let ended = |name: &str| done.iter().any(|step| step.name == name && step.output.is_some());
                let next = workflow.steps().iter().copied().find(|step| !ended(step));
                let passed = next.and_then(|step| workflow.skipped(step));
                let Some(passed) = passed.filter(|_| JobState::RESTING.contains(&job.state)) else {
                    return Ok((false, Some(job)));
                };
                for step in passed {
                    jobs::begin_step(db, &key, step, now)?;
                    jobs::end_step(db, &key, step, SKIPPED, now)?;
                }
                also(db, &job)?;
                jobs::transition(db, &key, &JobState::RESTING, JobState::Queued, "Goes on without it.", now)?;
                Ok((true, jobs::get(db, &key)?))
            })
            .await?;
        if let (true, Some(job)) = (skipped, &job) {
            (self.inner.config.changed)(job);
            self.wake();
        }
        Ok((skipped, job))
    }

    /// The steps of a workflow that come before the stage of `step`; `None` when it has no such step.
    pub fn before(&self, workflow: &str, step: &str) -> Option<Vec<&'static str>> {
        let workflow = self.inner.workflow(workflow)?;
        let step = workflow.steps().iter().copied().find(|s| *s == step)?;
        let stage = workflow.stage_of(step);
        Some(workflow.steps().iter().copied().take_while(|s| *s != stage).collect())
    }

    /// The steps of a workflow, in order; none when it is not known.
    pub fn steps(&self, workflow: &str) -> &'static [&'static str] {
        self.inner.workflow(workflow).map_or(&[], |workflow| workflow.steps())
    }

    /// The step that a job would run next, given the steps it has ended; `None` when it has ended all.
    pub fn next_step(&self, workflow: &str, ended: &[String]) -> Option<&'static str> {
        let workflow = self.inner.workflow(workflow)?;
        workflow.steps().iter().copied().find(|step| !ended.iter().any(|done| done == step))
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
    run: u64,
    token: CancellationToken,
}

impl Running {
    fn enter(inner: &Arc<Inner>, id: &str) -> Running {
        let token = CancellationToken::new();
        let run = inner.runs.fetch_add(1, Ordering::SeqCst);
        inner.running().insert(id.to_owned(), (run, token.clone()));
        Running { inner: Arc::clone(inner), id: id.to_owned(), run, token }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.inner.running();
        // A job that rested and was woken at once may run again already: that run's place stays.
        if running.get(&self.id).is_some_and(|(run, _)| *run == self.run) {
            running.remove(&self.id);
        }
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
        if let Err(error) = inner.wake_due().await {
            tracing::error!(%error, "jobs that wait for the network cannot be woken");
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
    let (state, note, wake) = match result {
        Ok(End::Closing) => return,
        Ok(End::Rest(state, note, wake)) => (state, note, wake),
        Ok(End::All) => (JobState::Completed, String::new(), None),
        Err(StepError::Canceled) => (JobState::Canceled, "Canceled.".to_owned(), None),
        Err(StepError::Failed(note)) => (JobState::Failed, note, None),
    };
    // A disk that is full now may have room later: until its end is stored, the job is not given up.
    while let Err(error) = inner.rest(&job.id, state, &note, wake).await {
        tracing::error!(%error, job = job.id, "the end of a job cannot be stored; it is tried again");
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = inner.closing.cancelled() => return,
        }
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

/// Why no further step is run.
enum End {
    /// All have ended.
    All,
    /// The process is closing; the job stays as it is and goes on in the next.
    Closing,
    /// The job rests in a state, with a note, and perhaps until a time.
    Rest(JobState, String, Option<i64>),
}

/// Runs the steps that have no output yet.
async fn steps(inner: &Inner, job: &JobRow, cancel: &CancellationToken) -> Result<End, StepError> {
    let workflow = inner
        .workflow(&job.workflow)
        .ok_or_else(|| StepError::Failed(format!("This version knows no workflow “{}”.", job.workflow)))?;
    let store = &inner.config.store;
    let id = job.id.clone();
    let known = store.read(move |db| jobs::steps(db, &id)).await?;
    let mut outputs: BTreeMap<String, String> =
        known.into_iter().filter_map(|step| Some((step.name, step.output?))).collect();
    while let Some(&step) = workflow.steps().iter().find(|step| !outputs.contains_key(**step)) {
        if cancel.is_cancelled() {
            return Err(StepError::Canceled);
        }
        if inner.closing.is_cancelled() {
            return Ok(End::Closing);
        }
        // A job that was canceled or deleted meanwhile takes no further step.
        let fresh = inner.read(&job.id).await?.filter(|job| job.state == JobState::Running);
        let Some(fresh) = fresh else { return Err(StepError::Canceled) };
        if fresh.pause_wanted {
            return Ok(End::Rest(JobState::Paused, "Paused.".to_owned(), None));
        }
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
                return Ok(End::Rest(JobState::WaitingApproval, note, None));
            }
            Outcome::Again(first) => {
                let anew: Vec<&'static str> =
                    workflow.steps().iter().copied().skip_while(|s| *s != first).collect();
                outputs.retain(|name, _| !anew.contains(&name.as_str()));
                store.write(move |db| jobs::forget_steps(db, &id, &anew)).await?;
            }
            Outcome::WaitNetwork { note, until } => {
                store.write(move |db| jobs::withdraw_step(db, &id, step)).await?;
                return Ok(End::Rest(JobState::WaitingNetwork, note, Some(until)));
            }
        }
    }
    Ok(End::All)
}

impl Inner {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, (u64, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        (self.config.clock)()
    }

    fn workflow(&self, name: &str) -> Option<Arc<dyn Workflow>> {
        self.config.workflows.iter().find(|w| w.name() == name).cloned()
    }

    /// Queues the jobs whose wait for the network is over.
    async fn wake_due(&self) -> store::Result<()> {
        let now = self.now();
        for job in self.config.store.read(move |db| jobs::due(db, now)).await? {
            self.transition(&job.id, &[JobState::WaitingNetwork], JobState::Queued, "Is tried again.")
                .await?;
        }
        Ok(())
    }

    /// Stores the state in which a job that was running comes to rest, or ends.
    async fn rest(&self, id: &str, state: JobState, note: &str, wake: Option<i64>) -> store::Result<()> {
        let (key, note, now) = (id.to_owned(), note.to_owned(), self.now());
        let (changed, job) = self
            .config
            .store
            .write(move |db| {
                let mut state = state;
                // A wish to pause that came while the last step ran is not lost by what that step waits for.
                let wanted = jobs::get(db, &key)?.is_some_and(|job| job.pause_wanted);
                if wanted && JobState::RESTING.contains(&state) {
                    state = JobState::Paused;
                } else if !wanted && state == JobState::Paused {
                    // Taken back in the last moment.
                    state = JobState::Queued;
                }
                let changed = jobs::transition(db, &key, &[JobState::Running], state, &note, now)?;
                if let (true, Some(at)) = (changed, wake) {
                    jobs::set_wake(db, &key, at)?;
                }
                Ok((changed, jobs::get(db, &key)?))
            })
            .await?;
        if let (true, Some(job)) = (changed, &job) {
            (self.config.changed)(job);
            self.queue.notify_one();
        }
        Ok(())
    }

    /// The oldest queued job of the highest priority, now running, and its place among the running ones.
    async fn take(self: &Arc<Self>) -> store::Result<Option<(JobRow, Running)>> {
        loop {
            let Some(job) = self.config.store.read(jobs::next_queued).await? else { return Ok(None) };
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
