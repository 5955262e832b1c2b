//! Plans through a real server over a network that is cut, while its provider misbehaves: nothing is sent that nobody
//! approved, nothing twice, and a job that waits for the network goes on when there is one.

use crate::sign_in;
use api::approvals::{ApprovalsClient, Approve, GetApproval};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{PlansClient, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::sessions::{CreateSession, SessionsClient};
use engine::{DataDir, Engine, Env};
use rpc::{Caller, Client, Link};
use server::admin::NewKey;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Behaviour, Cut, Cutter, Mutator, Repo, Simulator, Style};

/// How many plans are asked for.
const ROUNDS: usize = 100;

/// How many at once.
const AT_ONCE: usize = 4;

/// In which every job must rest or have ended.
const LIMIT: Duration = Duration::from_secs(30);

fn fault(chance: &mut Mutator) -> Cut {
    match chance.below(8) {
        0 => Cut::AtOnce,
        1 => Cut::Up(chance.below(6_000)),
        2 => Cut::Down(chance.below(300)),
        3 => Cut::Down(chance.below(8_000)),
        4 => Cut::Stalled(chance.below(30) as u64),
        _ => Cut::Never,
    }
}

fn behaviour(chance: &mut Mutator) -> Behaviour {
    match chance.below(8) {
        0 => Behaviour::fail([429, 500, 503][chance.below(3)]),
        1 => Behaviour { cut_after_bytes: Some(chance.below(4_000)), ..Behaviour::default() },
        2 => Behaviour { error_after_events: Some(chance.below(8)), ..Behaviour::default() },
        3 => Behaviour { first_delay_ms: chance.below(60) as u64, ..Behaviour::default() },
        4 => Behaviour::style(Style::Cut),
        _ => Behaviour::default(),
    }
}

struct World {
    client: Client,
    project: api::ProjectId,
    cutter: Cutter,
    simulator: Simulator,
}

impl World {
    async fn rests(&self, job: &Job) -> Job {
        let (jobs, get) = (JobsClient(self.client.clone()), GetJob { job: job.id.clone() });
        let waiting = async {
            loop {
                let now = jobs.get(&get).await.unwrap();
                if !matches!(now.state, JobState::Queued | JobState::Running) {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{} never rests", job.id))
    }

    /// The job as it is when it does not wait for the network any more.
    async fn through(&self, job: &Job) -> Job {
        let jobs = JobsClient(self.client.clone());
        for _ in 0..20 {
            let now = self.rests(job).await;
            if now.state != JobState::WaitingNetwork {
                return now;
            }
            assert!(now.note.contains("nothing was sent") && now.wake_at.is_some(), "{now:?}");
            self.cutter.set(Cut::Never);
            jobs.resume(&GetJob { job: now.id.clone() }).await.unwrap();
        }
        panic!("{} waits for a network that is there", job.id);
    }

    /// One plan; whether it was approved, and how it ended.
    async fn round(&self, number: usize, mut chance: Mutator) -> (bool, Job) {
        let create =
            CreateSession { project: self.project.clone(), task: format!("Round-{number}. Retry `send`") };
        let session = SessionsClient(self.client.clone()).create(&create).await.unwrap();
        self.simulator.set(behaviour(&mut chance));
        self.cutter.set(fault(&mut chance));
        let start = StartPlan { session: session.id, model: None };
        // Which models there are is asked of the server; while it is away, nothing is known of any.
        let mut started = PlansClient(self.client.clone()).start(&start).await;
        while let Err(error) = started {
            assert!(error.message.len() > 20, "{error:?}");
            self.cutter.set(Cut::Never);
            started = PlansClient(self.client.clone()).start(&start).await;
        }
        let job = self.through(&started.unwrap()).await;
        if job.state == JobState::Failed {
            assert!(job.note.len() > 20, "{job:?}");
            return (false, job);
        }
        assert_eq!(job.state, JobState::WaitingApproval, "{job:?}");
        let approvals = ApprovalsClient(self.client.clone());
        let get = GetApproval { approval: job.approval.clone().unwrap() };
        let manifest = approvals.get(&get).await.unwrap();
        if chance.below(6) == 0 {
            approvals.refuse(&get).await.unwrap();
            return (false, self.rests(&job).await);
        }
        self.cutter.set(fault(&mut chance));
        let approve = Approve { approval: manifest.id, fingerprint: manifest.fingerprint, remember: None };
        approvals.approve(&approve).await.unwrap();
        (true, self.through(&job).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_cut_network_a_server_gets_what_was_approved_and_each_of_it_once() {
    let seed: u64 =
        std::env::var("PLANTOCODE_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(30);
    println!("PLANTOCODE_CHAOS_SEED={seed}");
    let simulator = Simulator::start(Behaviour::default());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cutter = Cutter::start(&format!("http://{free}"));
    let key = NewKey {
        provider: "openai".into(),
        dialect: "openai".into(),
        base_url: simulator.openai_url(),
        models: vec!["gpt-4.1-mini".into()],
        key: "canary-of-the-vault".to_owned().into(),
    };
    let public = cutter.url();
    let place = sign_in::Place::with(Some(key), move |config| {
        config.settings.listen = free;
        config.settings.public_url = public;
        config.settings.limits.requests_per_minute = 0;
        // Else the provider would rest for most of the rounds.
        config.settings.upstream.rest_after_failures = 0;
    })
    .await;
    place.sign_in().await;

    let dir = DataDir::resolve(place.home().to_str()).unwrap();
    let env = Env { variable: Arc::new(|_| None), executable: "/bin/false".into(), ..Env::system() };
    let engine = Engine::open(dir.lock().unwrap(), env).await.unwrap();
    let (here, there) = Link::pair();
    tokio::spawn(rpc::serve(engine.router(), Caller::owner("test"), there));
    let (client, read) = rpc::connect(here);
    tokio::spawn(read);
    let repo = Repo::new().file("src/http.rs", "pub fn send() {}\n").commit("Begin");
    let path = repo.real_path().to_str().unwrap().to_owned();
    let project = ProjectsClient(client.clone()).grant(&GrantProject { path }).await.unwrap().id;

    let world = Arc::new(World { client, project, cutter, simulator });
    let workers = (0..AT_ONCE).map(|worker| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut ends = Vec::new();
            for number in (worker..ROUNDS).step_by(AT_ONCE) {
                ends.push((number, world.round(number, Mutator::new(seed << 20 | number as u64)).await));
            }
            ends
        })
    });
    let mut ends = Vec::new();
    for worker in futures_util::future::join_all(workers).await {
        ends.extend(worker.unwrap());
    }
    let log = world.simulator.log();
    let (mut complete, mut failed, mut named) = (0, 0, 0);
    for (number, (approved, job)) in &ends {
        let sent = log.iter().filter(|request| request.body.contains(&format!("Round-{number}."))).count();
        assert!(sent <= usize::from(*approved), "round {number} was sent {sent} times, approved: {approved}");
        match job.state {
            JobState::Completed => complete += 1,
            JobState::Failed => failed += 1,
            JobState::Canceled => assert!(!approved, "{job:?}"),
            _ => panic!("{job:?}"),
        }
        assert!(job.state == JobState::Completed || !job.note.is_empty(), "{job:?}");
        assert!(!job.note.contains("canary"), "{job:?}");
        // What the server says of the provider is not said again of the server.
        assert!(job.note.to_lowercase().matches("openai").count() <= 1, "{job:?}");
        named += usize::from(job.note.starts_with("OpenAI "));
    }
    println!("{} sent, {} cut, {complete} complete, {failed} failed", log.len(), world.cutter.cuts());
    assert_eq!(ends.len(), ROUNDS);
    assert!(named > 0, "no provider failed");
    assert!(complete >= 10 && world.cutter.cuts() >= 10, "too tame");
    // Both records are whole.
    let verdict = api::usage::UsageClient(world.client.clone()).verify_record(&api::Empty {}).await.unwrap();
    assert_eq!(verdict.broken_at, None);
    // And the server sent what was approved.
    assert!(verdict.compared >= complete && verdict.alarms == 0, "{verdict:?}");
    engine.close().await;
    place.end().await;
}
