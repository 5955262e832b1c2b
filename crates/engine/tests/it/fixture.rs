//! An engine with a repository and a provider.

use api::approvals::{ApprovalsClient, Approve, GetApproval, Manifest};
use api::discovery::{DiscoveryClient, FindEvent, FindFiles, Ranking};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::models::{ModelsClient, Provider, ProviderDialect};
use api::plans::{GetPlan, Plan, PlanState, PlansClient, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::sessions::{CreateSession, Session, SessionsClient};
use engine::{DataDir, Engine, Env};
use futures_util::StreamExt;
use rpc::{Caller, Client, Link};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Behaviour, Repo, Simulator};

/// The task that most tests give.
pub const TASK: &str = "Retry `send` when the connection is reset\n\nUse a policy with a limit.";

/// The key that must be seen by the provider and nowhere else.
pub const KEY: &str = "canary-key-of-the-engine-tests";

pub struct Fixture {
    pub client: Client,
    pub engine: Engine,
    pub repo: Arc<Repo>,
    pub simulator: Arc<Simulator>,
    home: Arc<tempfile::TempDir>,
}

pub fn repo() -> Repo {
    Repo::new()
        .file("src/http.rs", "use std::io;\n\npub fn send(bytes: &[u8]) -> io::Result<()> {\n    let _ = bytes;\n    Ok(())\n}\n")
        .file("src/lib.rs", "//! A client that sends.\npub mod http;\npub mod policy;\n")
        .file("src/policy.rs", "/// How often to retry.\npub struct Policy {\n    pub limit: u32,\n}\n")
        .file("tests/send.rs", "#[test]\nfn sends() {\n    demo::http::send(b\"x\").unwrap();\n}\n")
        .file("README.md", "# Demo\n")
        .commit("Begin")
}

/// The real world, but only these environment variables.
pub fn env(variables: &'static [(&'static str, &'static str)]) -> Env {
    let lookup = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
    // Terminals are tested with the real program, by the command line's tests.
    Env { variable: Arc::new(lookup), executable: "/bin/false".into(), ..Env::system() }
}

pub async fn open(home: &Path) -> Engine {
    let dir = DataDir::resolve(home.to_str()).unwrap();
    Engine::open(dir.lock().unwrap(), env(&[("TEST_KEY", KEY)])).await.unwrap()
}

pub fn link(engine: &Engine, caller: Caller) -> Client {
    let (here, there) = Link::pair();
    tokio::spawn(rpc::serve(engine.router(), caller, there));
    let (client, read) = rpc::connect(here);
    tokio::spawn(read);
    client
}

impl Fixture {
    pub async fn start() -> Fixture {
        Fixture::with(repo(), Behaviour::default()).await
    }

    pub async fn with(repo: Repo, behaviour: Behaviour) -> Fixture {
        let home = Arc::new(tempfile::tempdir().unwrap());
        let engine = open(home.path()).await;
        let client = link(&engine, Caller::owner("test"));
        let simulator = Arc::new(Simulator::start(behaviour));
        let provider = Provider {
            name: "sim".into(),
            dialect: ProviderDialect::Compatible,
            base_url: simulator.openai_url(),
            key_env: Some("TEST_KEY".into()),
            models: vec!["sim-large".into(), "sim-small".into()],
        };
        ModelsClient(client.clone()).add_provider(&provider).await.unwrap();
        Fixture { client, engine, repo: Arc::new(repo), simulator, home }
    }

    /// The same engine with another repository.
    pub fn beside(&self, repo: Repo) -> Fixture {
        Fixture {
            client: self.client.clone(),
            engine: self.engine.clone(),
            repo: Arc::new(repo),
            simulator: Arc::clone(&self.simulator),
            home: Arc::clone(&self.home),
        }
    }

    /// The same data directory after the engine was gone.
    pub async fn reopen(self) -> Fixture {
        let Fixture { client, engine, repo, simulator, home } = self;
        drop(client);
        drop(engine);
        let dir = DataDir::resolve(home.path().to_str()).unwrap();
        // Calls that were open end in their own time; only then is the lock free.
        for _ in 0..500 {
            if let Ok(lock) = dir.lock() {
                let engine = Engine::open(lock, env(&[("TEST_KEY", KEY)])).await.unwrap();
                let client = link(&engine, Caller::owner("test"));
                return Fixture { client, engine, repo, simulator, home };
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the engine never gave its lock up");
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn approvals(&self) -> ApprovalsClient {
        ApprovalsClient(self.client.clone())
    }

    pub fn plans(&self) -> PlansClient {
        PlansClient(self.client.clone())
    }

    pub async fn session(&self, task: &str) -> Session {
        let path = self.repo.real_path().to_str().unwrap().to_owned();
        let project = ProjectsClient(self.client.clone()).grant(&GrantProject { path }).await.unwrap();
        let create = CreateSession { project: project.id, task: task.into() };
        SessionsClient(self.client.clone()).create(&create).await.unwrap()
    }

    pub async fn find(&self, session: &Session) -> Ranking {
        let find = FindFiles { session: session.id.clone(), limit: 20 };
        let mut events = DiscoveryClient(self.client.clone()).find(&find).await.unwrap();
        while let Some(event) = events.next().await {
            if let FindEvent::Found { ranking } = event.unwrap() {
                return ranking;
            }
        }
        panic!("the search ended without a result");
    }

    /// A job that waits for its approval, and the manifest.
    pub async fn ask(&self, session: &Session) -> (Job, Manifest) {
        let start = StartPlan { session: session.id.clone(), model: Some("sim/sim-large".into()) };
        let job = self.plans().start(&start).await.unwrap();
        let job = self.job_in(&job, JobState::WaitingApproval).await;
        let approval = job.approval.clone().unwrap();
        (job, self.approvals().get(&GetApproval { approval }).await.unwrap())
    }

    pub async fn approve(&self, manifest: &Manifest) -> Result<Manifest, rpc::ApiError> {
        let approve = Approve {
            approval: manifest.id.clone(),
            fingerprint: manifest.fingerprint.clone(),
            remember: None,
        };
        self.approvals().approve(&approve).await
    }

    pub async fn job_in(&self, job: &Job, state: JobState) -> Job {
        let jobs = JobsClient(self.client.clone());
        let mut last = job.clone();
        for _ in 0..1000 {
            last = jobs.get(&GetJob { job: job.id.clone() }).await.unwrap();
            if last.state == state {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the job never became {state:?}: {last:?}");
    }

    /// Finds files, asks, approves, and waits for the end of the plan.
    pub async fn plan(&self, task: &str) -> (Job, Manifest, Plan) {
        let session = self.session(task).await;
        self.find(&session).await;
        let (job, manifest) = self.ask(&session).await;
        self.approve(&manifest).await.unwrap();
        let plan = self.plan_ended(&job).await;
        (job, manifest, plan)
    }

    pub async fn plan_ended(&self, job: &Job) -> Plan {
        let plan = GetPlan { plan: job.plan.clone().unwrap() };
        for _ in 0..1000 {
            match self.plans().get(&plan).await {
                Ok(plan) if plan.state != PlanState::Streaming => return plan,
                Ok(_) => {}
                Err(e) => assert_eq!(e.reason, "no_plan"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the plan never ended");
    }
}
