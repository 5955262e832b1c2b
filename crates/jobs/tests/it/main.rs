//! Jobs over a real database, stopped at every step.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::future::BoxFuture;
use jobs::{JobRow, JobState, Outcome, Runner, RunnerConfig, StepContext, StepError, Workflow};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Store, jobs as rows, sessions};

/// What a test decides about each run of a step.
type Script = Box<dyn Fn(&str, &StepContext) -> Result<Option<Outcome>, StepError> + Send + Sync>;

struct Scripted {
    script: Script,
    log: Mutex<Vec<String>>,
}

impl Workflow for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }
    fn steps(&self) -> &'static [&'static str] {
        &["a", "b", "c"]
    }
    fn run(&self, step: &'static str, context: StepContext) -> BoxFuture<'_, Result<Outcome, StepError>> {
        Box::pin(async move {
            let mark = if context.interrupted { "!" } else { "" };
            self.log.lock().unwrap().push(format!("{step}{mark}"));
            match (self.script)(step, &context)? {
                Some(outcome) => Ok(outcome),
                None => {
                    context.cancel.cancelled().await;
                    Err(StepError::Canceled)
                }
            }
        })
    }
    fn stage_of(&self, step: &'static str) -> &'static str {
        if step == "c" { "b" } else { step }
    }
    fn skipped(&self, step: &'static str) -> Option<&'static [&'static str]> {
        (step == "b").then_some(&["b"])
    }
    fn abandoned(&self, job: JobRow) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.log.lock().unwrap().push(format!("abandoned {:?}", job.state)) })
    }
}

struct Fixture {
    store: Store,
    runner: Runner,
    workflow: Arc<Scripted>,
}

async fn start(
    path: &Path,
    script: impl Fn(&str, &StepContext) -> Result<Option<Outcome>, StepError> + Send + Sync + 'static,
) -> Fixture {
    let ticks = AtomicI64::new(1);
    start_at(path, Arc::new(move || ticks.fetch_add(1, Ordering::SeqCst)), script).await
}

async fn start_at(
    path: &Path,
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    script: impl Fn(&str, &StepContext) -> Result<Option<Outcome>, StepError> + Send + Sync + 'static,
) -> Fixture {
    let store = Store::open(path).unwrap();
    let workflow = Arc::new(Scripted { script: Box::new(script), log: Mutex::default() });
    let config = RunnerConfig {
        store: store.clone(),
        workflows: vec![workflow.clone()],
        concurrency: 2,
        clock,
        changed: Arc::new(|_| {}),
    };
    let runner = Runner::start(config).await.unwrap();
    Fixture { store, runner, workflow }
}

impl Fixture {
    async fn submit(&self, id: &str) {
        self.insert(id).await;
        self.runner.wake();
    }

    /// Queues a job without saying so.
    async fn insert(&self, id: &str) {
        let id = id.to_owned();
        self.store
            .write(move |db| {
                if sessions::get(db, "s")?.is_none() {
                    sessions::insert(db, "s", "p", "task", 1)?;
                }
                rows::insert(db, &JobRow::queued(id, "s".into(), "scripted", "{}".into(), 1))
            })
            .await
            .unwrap();
    }

    async fn reaches(&self, id: &'static str, state: JobState) -> JobRow {
        for _ in 0..500 {
            let job = self.store.read(move |db| rows::get(db, id)).await.unwrap().unwrap();
            if job.state == state {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} never became {state:?}");
    }

    fn log(&self) -> Vec<String> {
        self.workflow.log.lock().unwrap().clone()
    }
}

fn done(step: &str) -> Result<Option<Outcome>, StepError> {
    Ok(Some(Outcome::Done(step.to_owned())))
}

#[tokio::test]
async fn steps_run_in_order_and_see_what_came_before() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |step, context| {
        assert_eq!(
            context.outputs.keys().map(String::as_str).collect::<String>(),
            "abc".split(step).next().unwrap()
        );
        done(step)
    })
    .await;
    f.submit("j").await;
    f.reaches("j", JobState::Completed).await;
    assert_eq!(f.log(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_job_that_waits_goes_on_at_the_same_step_when_it_is_woken() {
    let dir = tempfile::tempdir().unwrap();
    let answered = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&answered);
    let f = start(&dir.path().join("db"), move |step, _| {
        if step == "b" && !seen.load(Ordering::SeqCst) {
            Ok(Some(Outcome::Wait("asks".into())))
        } else {
            done(step)
        }
    })
    .await;
    f.submit("j").await;
    assert_eq!(f.reaches("j", JobState::WaitingApproval).await.note, "asks");
    answered.store(true, Ordering::SeqCst);
    f.store
        .write(|db| rows::transition(db, "j", &[JobState::WaitingApproval], JobState::Queued, "", 9))
        .await
        .unwrap();
    f.runner.wake();
    f.reaches("j", JobState::Completed).await;
    assert_eq!(f.log(), ["a", "b", "b", "c"], "waiting is not an interruption");
}

#[tokio::test]
async fn a_failure_ends_the_job_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |step, _| {
        if step == "b" { Err(StepError::Failed("no disk".into())) } else { done(step) }
    })
    .await;
    f.submit("j").await;
    assert_eq!(f.reaches("j", JobState::Failed).await.note, "no disk");
    assert_eq!(f.log(), ["a", "b", "abandoned Failed"]);
}

#[tokio::test]
async fn a_canceled_job_stops_and_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |step, _| if step == "b" { Ok(None) } else { done(step) }).await;
    f.submit("j").await;
    f.reaches("j", JobState::Running).await;
    while f.log() != ["a", "b"] {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let job = f.runner.cancel("j", "by me").await.unwrap().unwrap();
    assert_eq!((job.state, job.note.as_str()), (JobState::Canceled, "by me"));
    f.runner.close().await;
    assert_eq!(f.reaches("j", JobState::Canceled).await.note, "by me");
    assert_eq!(f.log(), ["a", "b", "abandoned Canceled"]);
    assert_eq!(f.runner.cancel("j", "again").await.unwrap().unwrap().note, "by me");
}

#[tokio::test]
async fn after_a_kill_the_job_goes_on_where_it_was() {
    // Killed in the middle of each step in turn: the process's threads vanish, the file stays.
    for killed_in in ["a", "b", "c"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let in_runtime = path.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let f =
                    start(&in_runtime, move |step, _| if step == killed_in { Ok(None) } else { done(step) })
                        .await;
                f.submit("j").await;
                while f.log().last().map(String::as_str) != Some(killed_in) {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            runtime.shutdown_background();
        })
        .join()
        .unwrap();
        let f = start(&path, |step, _| done(step)).await;
        f.reaches("j", JobState::Completed).await;
        let expected: Vec<String> = ["a", "b", "c"]
            .into_iter()
            .filter(|step| *step >= killed_in)
            .map(|step| if step == killed_in { format!("{step}!") } else { step.to_owned() })
            .collect();
        assert_eq!(f.log(), expected, "killed in {killed_in}");
    }
}

#[tokio::test]
async fn no_more_run_at_once_than_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |_, _| Ok(None)).await;
    for id in ["1", "2", "3", "4"] {
        f.submit(id).await;
    }
    f.reaches("2", JobState::Running).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(f.log().len(), 2);
    f.runner.cancel("1", "").await.unwrap();
    f.reaches("3", JobState::Running).await;
}

#[tokio::test]
async fn a_job_canceled_before_its_first_step_takes_none() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        let f = start(&dir.path().join("db"), |step, _| done(step)).await;
        let id = format!("{:?}", std::time::Instant::now());
        f.submit(&id).await;
        let job = f.runner.cancel(&id, "at once").await.unwrap().unwrap();
        // Whichever came first: a completed job took every step, a canceled one is abandoned after its last.
        let last = if job.state == JobState::Completed { "c" } else { "abandoned Canceled" };
        for _ in 0..500 {
            if f.log().last().map(String::as_str) == Some(last) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(f.log().last().map(String::as_str), Some(last), "{:?}", f.log());
        // One runner at a time: this one would take the next job of the database too.
        f.runner.close().await;
    }
}

#[tokio::test]
async fn a_step_that_panics_fails_its_job_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |step, context| {
        assert!(!(context.job.id == "bad" && step == "b"), "a defect");
        done(step)
    })
    .await;
    f.submit("bad").await;
    assert!(f.reaches("bad", JobState::Failed).await.note.contains("defect"));
    f.submit("good").await;
    f.reaches("good", JobState::Completed).await;
    assert!(!f.runner.is_busy());
}

#[tokio::test]
async fn a_queued_job_that_nobody_spoke_of_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |step, _| done(step)).await;
    f.insert("j").await;
    f.reaches("j", JobState::Completed).await;
}

#[tokio::test]
async fn a_job_without_network_is_tried_again_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let tries = AtomicI64::new(0);
    let f = start(&dir.path().join("db"), move |step, context| {
        if step == "b" && tries.fetch_add(1, Ordering::SeqCst) < 2 {
            assert!(!context.interrupted, "waiting is not an interruption");
            // The clock of these tests advances with each look at it.
            return Ok(Some(Outcome::WaitNetwork { note: "no server".into(), until: 0 }));
        }
        done(step)
    })
    .await;
    f.submit("j").await;
    f.reaches("j", JobState::Completed).await;
    assert_eq!(f.log(), ["a", "b", "b", "b", "c"]);
}

#[tokio::test]
async fn a_job_whose_time_has_not_come_goes_on_when_a_person_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let tries = AtomicI64::new(0);
    let f = start(&dir.path().join("db"), move |step, _| {
        if step == "b" && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(Some(Outcome::WaitNetwork { note: "no server".into(), until: i64::MAX }));
        }
        done(step)
    })
    .await;
    f.submit("j").await;
    let job = f.reaches("j", JobState::WaitingNetwork).await;
    assert_eq!((job.note.as_str(), job.wake_at), ("no server", Some(i64::MAX)));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(f.log(), ["a", "b"]);
    f.runner.resume("j").await.unwrap();
    f.reaches("j", JobState::Completed).await;
}

#[tokio::test]
async fn a_job_does_not_wait_for_years_because_the_clock_was_set_back() {
    const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;
    let dir = tempfile::tempdir().unwrap();
    let (clock, tries) = (Arc::new(AtomicI64::new(50 * YEAR)), AtomicI64::new(0));
    let read = Arc::clone(&clock);
    let f =
        start_at(&dir.path().join("db"), Arc::new(move || read.load(Ordering::SeqCst)), move |step, _| {
            if step == "b" && tries.fetch_add(1, Ordering::SeqCst) == 0 {
                let until = 50 * YEAR + 60_000;
                return Ok(Some(Outcome::WaitNetwork { note: "no server".into(), until }));
            }
            done(step)
        })
        .await;
    f.submit("j").await;
    f.reaches("j", JobState::WaitingNetwork).await;
    f.runner.wake();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(f.log(), ["a", "b"], "its minute is not over");
    clock.store(45 * YEAR, Ordering::SeqCst);
    f.runner.wake();
    f.reaches("j", JobState::Completed).await;
}

#[tokio::test]
async fn a_running_job_pauses_after_its_step_and_goes_on_at_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let open = Arc::clone(&gate);
    let f = start(&dir.path().join("db"), move |step, _| {
        while step == "b" && !open.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        done(step)
    })
    .await;
    // The step blocks its thread; the wish to pause comes from another.
    let runner = f.runner.clone();
    f.insert("j").await;
    let release = Arc::clone(&gate);
    let store = f.store.clone();
    let asked = std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async move {
            while !store.read(|db| rows::steps(db, "j")).await.unwrap().iter().any(|s| s.name == "b") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let job = runner.pause("j", "Paused.").await.unwrap().unwrap();
            assert!(job.state == JobState::Running && job.pause_wanted);
            release.store(true, Ordering::SeqCst);
        });
    });
    f.runner.wake();
    f.reaches("j", JobState::Paused).await;
    asked.join().unwrap();
    assert_eq!(f.log(), ["a", "b"]);
    let resumed = f.runner.resume("j").await.unwrap().unwrap();
    assert_eq!(resumed.state, JobState::Queued);
    f.reaches("j", JobState::Completed).await;
    assert_eq!(f.log(), ["a", "b", "c"]);
    assert_eq!(f.runner.pause("j", "").await.unwrap().unwrap().state, JobState::Completed);
}

#[tokio::test]
async fn a_stage_that_may_be_skipped_is_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let f = start(&dir.path().join("db"), |step, context| {
        if step == "b" || (step == "c" && context.outputs["b"] != jobs::SKIPPED) {
            return Ok(Some(Outcome::Wait("asks".into())));
        }
        done(step)
    })
    .await;
    f.submit("j").await;
    f.reaches("j", JobState::WaitingApproval).await;
    let (skipped, _) = f.runner.skip("j", |_, _| Ok(())).await.unwrap();
    assert!(skipped);
    f.reaches("j", JobState::Completed).await;
    assert_eq!(f.log(), ["a", "b", "c"]);
    let (again, job) = f.runner.skip("j", |_, _| Ok(())).await.unwrap();
    assert!(!again && job.unwrap().state == JobState::Completed, "an ended job has nothing to skip");
    assert_eq!(f.runner.before("scripted", "c"), Some(vec!["a"]), "c belongs to the stage that b begins");
}

#[tokio::test]
async fn a_step_can_send_the_job_back() {
    let dir = tempfile::tempdir().unwrap();
    let tries = AtomicI64::new(0);
    let f = start(&dir.path().join("db"), move |step, _| {
        if step == "c" && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return Ok(Some(Outcome::Again("b")));
        }
        done(step)
    })
    .await;
    f.submit("j").await;
    f.reaches("j", JobState::Completed).await;
    assert_eq!(f.log(), ["a", "b", "c", "b", "c"]);
}

#[tokio::test]
async fn a_higher_priority_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let f = start(&dir.path().join("db"), move |step, context| {
        if step == "a" {
            seen.lock().unwrap().push(context.job.id.clone());
        }
        // The first two hold both places until they are canceled.
        if context.job.id.as_str() < "3" { Ok(None) } else { done(step) }
    })
    .await;
    f.submit("1").await;
    f.submit("2").await;
    f.reaches("2", JobState::Running).await;
    for id in ["3", "4", "5"] {
        f.insert(id).await;
    }
    f.store.write(|db| rows::set_priority(db, "5", 10)).await.unwrap();
    f.runner.cancel("1", "").await.unwrap();
    f.reaches("4", JobState::Completed).await;
    assert_eq!(order.lock().unwrap()[2..], ["5", "3", "4"]);
}
