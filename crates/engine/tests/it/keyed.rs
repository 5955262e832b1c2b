//! Calls with a key take effect once: repeated at once, while the first runs, after a restart, and after a kill.

use crate::fixture::{Fixture, TASK, link};
use api::Empty;
use api::jobs::{JobState, JobsClient, ListJobs, RetryJob};
use api::plans::{PlansClient, StartPlan};
use api::projects::ProjectsClient;
use api::sessions::{CreateSession, GetSession, ListSessions, SaveTask, SessionsClient};
use rpc::{Caller, ErrorCode};

const KEY: &str = "0f6c-drawn-at-random";

async fn create(f: &Fixture) -> CreateSession {
    f.session("another").await;
    let projects = ProjectsClient(f.client.clone()).list(&Empty {}).await.unwrap().projects;
    CreateSession { project: projects[0].id.clone(), task: TASK.into() }
}

async fn sessions(f: &Fixture) -> usize {
    SessionsClient(f.client.clone()).list(&ListSessions::default()).await.unwrap().sessions.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_created_with_a_key_is_created_once_also_after_a_restart() {
    let f = Fixture::start().await;
    let create = create(&f).await;
    let keyed = SessionsClient(f.client.with_key(KEY));
    let first = keyed.create(&create).await.unwrap();
    assert_eq!(keyed.create(&create).await.unwrap(), first);
    assert_eq!(sessions(&f).await, 2);
    // The key belongs to these parameters and to this method.
    let other = CreateSession { task: "something else".into(), ..create.clone() };
    let refused = keyed.create(&other).await.unwrap_err();
    assert_eq!((refused.code, refused.reason.as_str()), (ErrorCode::Conflict, "key_reused"));
    let start = StartPlan { session: first.id.clone(), model: Some("sim/sim-large".into()) };
    assert_eq!(PlansClient(f.client.with_key(KEY)).start(&start).await.unwrap_err().reason, "key_reused");
    // A job is started once, and repeated once.
    let jobs = PlansClient(f.client.with_key("a-plan-of-sixteen"));
    let job = jobs.start(&start).await.unwrap();
    assert_eq!(jobs.start(&start).await.unwrap().id, job.id);
    JobsClient(f.client.clone()).cancel(&api::jobs::GetJob { job: job.id.clone() }).await.unwrap();
    let again = JobsClient(f.client.with_key("a-retry-of-sixteen"));
    let retry = RetryJob { job: job.id.clone(), from: None };
    let retried = again.retry(&retry).await.unwrap();
    assert_eq!(again.retry(&retry).await.unwrap().id, retried.id);
    let all = JobsClient(f.client.clone()).list(&ListJobs::default()).await.unwrap();
    assert_eq!(all.jobs.len(), 2);

    // Every client holds the engine.
    drop((keyed, jobs, again));
    let f = f.reopen().await;
    let keyed = SessionsClient(f.client.with_key(KEY));
    assert_eq!(keyed.create(&create).await.unwrap(), first);
    assert_eq!(sessions(&f).await, 2);
    // Another caller's key is another key.
    let phone = link(&f.engine, Caller::owner("device:1"));
    assert_ne!(SessionsClient(phone.with_key(KEY)).create(&create).await.unwrap().id, first.id);
    assert_eq!(sessions(&f).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_waits_for_the_first_and_an_error_is_an_answer_too() {
    let f = Fixture::start().await;
    let create = create(&f).await;
    let repeats = (0..20).map(|_| {
        let (client, create) = (link(&f.engine, Caller::owner("test")).with_key(KEY), create.clone());
        async move { SessionsClient(client).create(&create).await.unwrap().id }
    });
    let ids = futures_util::future::join_all(repeats).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(sessions(&f).await, 2);
    let keyed = SessionsClient(f.client.with_key("an-error-of-sixteen"));
    let long = CreateSession { task: "x".repeat(300 << 10), ..create };
    let refused = keyed.create(&long).await.unwrap_err();
    assert_eq!(refused.reason, "task_too_long");
    assert_eq!(keyed.create(&long).await.unwrap_err(), refused);
}

/// Whoever deletes a session deletes its text from the answers as well; the key still has no second effect.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_leaves_no_answer_behind() {
    const CANARY: &str = "canary-text-of-a-deleted-task";
    let f = Fixture::start().await;
    let create = CreateSession { task: CANARY.into(), ..create(&f).await };
    let keyed = SessionsClient(f.client.with_key(KEY));
    let session = keyed.create(&create).await.unwrap().id;
    keyed_rows(&f, |answer| answer.is_some_and(|text| text.contains(CANARY)));
    SessionsClient(f.client.clone()).delete(&GetSession { session }).await.unwrap();
    keyed_rows(&f, |answer| answer.is_none());
    let unknown = keyed.create(&create).await.unwrap_err();
    assert_eq!((unknown.code, unknown.reason.as_str()), (ErrorCode::Conflict, "outcome_unknown"));
    assert_eq!(sessions(&f).await, 1);
}

/// A call that was begun and has no answer, as a kill leaves it, is not done again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_left_open_is_said_and_not_repeated() {
    let f = Fixture::start().await;
    let create = create(&f).await;
    let keyed = SessionsClient(f.client.with_key(KEY));
    keyed.create(&create).await.unwrap();
    drop(keyed);
    database(&f).execute("UPDATE keyed_calls SET answer = NULL", []).unwrap();
    let f = f.reopen().await;
    let unknown = SessionsClient(f.client.with_key(KEY)).create(&create).await.unwrap_err();
    assert_eq!(unknown.reason, "outcome_unknown");
    assert!(unknown.message.contains("Look whether it took effect"), "{unknown}");
    assert_eq!(sessions(&f).await, 2);
    // After a day nothing is known of it.
    let long_ago = "UPDATE keyed_calls SET begun_at = begun_at - 86400001";
    database(&f).execute(long_ago, []).unwrap();
    SessionsClient(f.client.with_key(KEY)).create(&create).await.unwrap();
    assert_eq!(sessions(&f).await, 3);
}

/// A merged task of signs that take six bytes each on a link: it can be stored and not be sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_no_link_carries_is_not_kept_and_its_call_not_repeated() {
    let f = Fixture::start().await;
    let session = f.session("x").await;
    let save = |sign: &str, client: rpc::Client| {
        let save = SaveTask {
            session: session.id.clone(),
            text: format!("x{}", sign.repeat(90_000)),
            base_version: session.task_version,
            base_text: Some("x".into()),
        };
        async move { SessionsClient(client).save_task(&save).await }
    };
    save("\u{1}", f.client.clone()).await.unwrap();
    let keyed = || save("\u{2}", f.client.with_key(KEY));
    assert_eq!(keyed().await.unwrap_err().reason, "too_large");
    keyed_rows(&f, |answer| answer == Some(String::new()));
    let repeated = keyed().await.unwrap_err();
    assert_eq!((repeated.code, repeated.reason.as_str()), (ErrorCode::Conflict, "answer_not_kept"));
    assert!(repeated.message.contains("was answered") && repeated.message.contains("Look what it changed"));
    let listed = SessionsClient(f.client.clone()).list(&ListSessions::default()).await.unwrap().sessions;
    assert_eq!(listed[0].task_version, session.task_version + 2, "once each");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answers_that_are_kept_are_bounded_and_the_newest_of_them() {
    const CALLS: usize = 150;
    let f = Fixture::start().await;
    let create = CreateSession { task: "x".repeat(250_000), ..create(&f).await };
    let keyed = |n: usize| SessionsClient(f.client.with_key(&format!("a-key-of-sixteen-{n}")));
    let first = keyed(0).create(&create).await.unwrap();
    assert_eq!(keyed(0).create(&create).await.unwrap().id, first.id);
    for n in 1..CALLS {
        keyed(n).create(&create).await.unwrap();
    }
    let held = "SELECT SUM(octet_length(answer)) FROM keyed_calls";
    let held: u64 = database(&f).query_row(held, [], |row| row.get(0)).unwrap();
    assert!((30 << 20..34 << 20).contains(&held), "{held}");
    assert_eq!(keyed(0).create(&create).await.unwrap_err().reason, "answer_not_kept");
    keyed(CALLS - 1).create(&create).await.unwrap();
    assert_eq!(sessions(&f).await, CALLS + 1, "nothing was created twice");
}

/// The key itself stands nowhere, nor does a hash that could be tried out without it.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_not_stored() {
    let f = Fixture::start().await;
    let create = create(&f).await;
    SessionsClient(f.client.with_key(KEY)).create(&create).await.unwrap();
    let file = std::fs::read(f.engine.dir().database()).unwrap();
    let wal = std::fs::read(f.engine.dir().database().with_extension("db-wal")).unwrap_or_default();
    for bytes in [file, wal] {
        assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
    }
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, _) = f.ask(&session).await;
    assert_eq!(f.job_in(&job, JobState::WaitingApproval).await.id, job.id);
}

fn database(f: &Fixture) -> rusqlite::Connection {
    rusqlite::Connection::open(f.engine.dir().database()).unwrap()
}

#[track_caller]
fn keyed_rows(f: &Fixture, holds: impl Fn(Option<String>) -> bool) {
    let db = database(f);
    let mut statement = db.prepare("SELECT answer FROM keyed_calls").unwrap();
    let rows: Vec<Option<String>> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(!rows.is_empty() && rows.into_iter().all(holds));
}
