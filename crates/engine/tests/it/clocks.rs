//! A clock that is set forth and back by years: work goes on, and no permission holds longer than it was given for.

use crate::fixture::{self, KEY, TASK, link};
use api::approvals::{ApprovalsClient, Approve, GetApproval, ListPermissions, Manifest, Remember};
use api::discovery::{DiscoveryClient, FindFiles};
use api::events::{EventsClient, Topic, WatchEvents};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::models::{ModelsClient, Provider, ProviderDialect};
use api::plans::{PlansClient, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::sessions::{CreateSession, SaveTask, Session, SessionsClient};
use api::settings::{Settings, SettingsClient};
use engine::{DataDir, Engine, Env};
use futures_util::StreamExt;
use rpc::{Caller, Client};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use testkit::{Behaviour, Repo, Simulator};

const MINUTE: i64 = 60_000;
const YEAR: i64 = 365 * 24 * 60 * MINUTE;

struct World {
    clock: Arc<AtomicI64>,
    client: Client,
    session: Session,
    simulator: Simulator,
    _engine: Engine,
    _repo: Repo,
    _home: tempfile::TempDir,
}

impl World {
    async fn new() -> World {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
        let read = Arc::clone(&clock);
        let env = Env {
            clock: Arc::new(move || read.load(Ordering::SeqCst)),
            ..fixture::env(&[("TEST_KEY", KEY)])
        };
        let dir = DataDir::resolve(home.path().to_str()).unwrap();
        let engine = Engine::open(dir.lock().unwrap(), env).await.unwrap();
        let client = link(&engine, Caller::owner("test"));
        let simulator = Simulator::start(Behaviour::default());
        let provider = Provider {
            name: "priced".into(),
            dialect: ProviderDialect::Openai,
            base_url: simulator.openai_url(),
            key_env: Some("TEST_KEY".into()),
            models: vec!["gpt-4.1".into()],
        };
        ModelsClient(client.clone()).add_provider(&provider).await.unwrap();
        let repo = fixture::repo();
        let path = repo.real_path().to_str().unwrap().to_owned();
        let project = ProjectsClient(client.clone()).grant(&GrantProject { path }).await.unwrap();
        let create = CreateSession { project: project.id, task: TASK.into() };
        let session = SessionsClient(client.clone()).create(&create).await.unwrap();
        let find = FindFiles { session: session.id.clone(), limit: 20 };
        let found = DiscoveryClient(client.clone()).find(&find).await.unwrap();
        assert!(found.collect::<Vec<_>>().await.iter().all(Result::is_ok));
        World { clock, client, session, simulator, _engine: engine, _repo: repo, _home: home }
    }

    fn set(&self, by: i64) {
        self.clock.fetch_add(by, Ordering::SeqCst);
    }

    async fn start(&self) -> Job {
        let start = StartPlan { session: self.session.id.clone(), model: Some("priced/gpt-4.1".into()) };
        PlansClient(self.client.clone()).start(&start).await.unwrap()
    }

    /// The job once it rests or has ended.
    async fn rests(&self, job: &Job) -> Job {
        let jobs = JobsClient(self.client.clone());
        for _ in 0..1000 {
            let now = jobs.get(&GetJob { job: job.id.clone() }).await.unwrap();
            if !matches!(now.state, JobState::Queued | JobState::Running) {
                return now;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the job never rests");
    }

    async fn manifest(&self, job: &Job) -> Manifest {
        let get = GetApproval { approval: job.approval.clone().unwrap() };
        ApprovalsClient(self.client.clone()).get(&get).await.unwrap()
    }

    async fn approve(&self, job: &Job, remember: Option<Remember>) {
        let manifest = self.manifest(job).await;
        let approve = Approve { approval: manifest.id, fingerprint: manifest.fingerprint, remember };
        ApprovalsClient(self.client.clone()).approve(&approve).await.unwrap();
    }

    /// A plan that nobody was asked for: a permission covered it.
    async fn is_covered(&self) -> bool {
        let job = self.rests(&self.start().await).await;
        match job.state {
            JobState::Completed => true,
            JobState::WaitingApproval => {
                JobsClient(self.client.clone()).cancel(&GetJob { job: job.id.clone() }).await.unwrap();
                false
            }
            _ => panic!("{job:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_answered_whatever_the_clock_says() {
    let world = World::new().await;
    let mut changes = EventsClient(world.client.clone()).watch(&WatchEvents::default()).await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap().topic, Topic::Ready);
    for jump in [-30 * YEAR, 60 * YEAR, -25 * YEAR, -100 * YEAR, 100 * YEAR] {
        let asked = world.rests(&world.start().await).await;
        assert_eq!(asked.state, JobState::WaitingApproval, "{asked:?}");
        world.set(jump);
        world.approve(&asked, None).await;
        let done = world.rests(&asked).await;
        assert_eq!(done.state, JobState::Completed, "{done:?}");
        let sessions = SessionsClient(world.client.clone());
        let get = api::sessions::GetSession { session: world.session.id.clone() };
        let now = sessions.get(&get).await.unwrap();
        let save = SaveTask {
            session: world.session.id.clone(),
            text: format!("{TASK} {jump}"),
            base_version: now.task_version,
            base_text: None,
        };
        assert_eq!(sessions.save_task(&save).await.unwrap().task_version, now.task_version + 1);
    }
    assert_eq!(world.simulator.log().len(), 5);
    // Changes are told in the order in which they were made, not in that of the clock.
    let last = EventsClient(world.client.clone()).watch(&WatchEvents::default()).await.unwrap();
    let number = |cursor: &str| cursor.rsplit_once('.').unwrap().1.parse::<u64>().unwrap();
    let until = number(&last.into_future().await.0.unwrap().unwrap().cursor);
    let mut before = 0;
    while before < until {
        let change = changes.next().await.unwrap().unwrap();
        assert!(
            change.topic != Topic::Gap && number(&change.cursor) == before + 1 || before == 0,
            "{change:?}"
        );
        before = number(&change.cursor);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_holds_no_longer_than_it_was_given_for() {
    let world = World::new().await;
    let asked = world.rests(&world.start().await).await;
    let cap = 20 * world.manifest(&asked).await.cost_ceiling;
    world.approve(&asked, Some(Remember { cap, minutes: 60, under: None, web: None })).await;
    assert_eq!(world.rests(&asked).await.state, JobState::Completed);
    assert!(world.is_covered().await);
    // A clock that is corrected by a little changes nothing; one that is set back by a year does not give a year.
    world.set(-MINUTE);
    assert!(world.is_covered().await);
    world.set(-YEAR);
    assert!(!world.is_covered().await);
    world.set(YEAR + 2 * MINUTE);
    assert!(world.is_covered().await);
    // Over is over, also when the clock is set back into its time.
    world.set(60 * MINUTE);
    assert!(!world.is_covered().await);
    world.set(-60 * MINUTE);
    assert!(!world.is_covered().await);
    let permissions = ApprovalsClient(world.client.clone())
        .permissions(&ListPermissions::default())
        .await
        .unwrap()
        .permissions;
    assert!(
        !permissions[0].holds && permissions[0].ended.as_deref() == Some("Its time is over."),
        "{permissions:?}"
    );
    assert_eq!(world.simulator.log().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_gives_no_new_budget() {
    let world = World::new().await;
    let asked = world.rests(&world.start().await).await;
    let ceiling = world.manifest(&asked).await.cost_ceiling;
    let budget = Settings { day_budget: Some(ceiling), ..Settings::default() };
    SettingsClient(world.client.clone()).set(&budget).await.unwrap();
    world.approve(&asked, None).await;
    assert_eq!(world.rests(&asked).await.state, JobState::Completed);
    for jump in [-MINUTE, -3 * YEAR] {
        world.set(jump);
        let again = world.rests(&world.start().await).await;
        let manifest = world.manifest(&again).await;
        let approve = Approve { approval: manifest.id, fingerprint: manifest.fingerprint, remember: None };
        let refused = ApprovalsClient(world.client.clone()).approve(&approve).await.unwrap_err();
        assert_eq!(refused.reason, "budget_exceeded", "after {jump} ms");
    }
    assert_eq!(world.simulator.log().len(), 1);
}
