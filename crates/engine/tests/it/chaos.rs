//! Two hundred plans over a network that is cut and from providers that misbehave in every way: nothing is sent that nobody
//! approved, nothing twice, and every job ends or waits with a reason.

use crate::fixture::{Fixture, TASK, repo};
use api::approvals::GetApproval;
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::models::{ModelsClient, Provider, ProviderDialect};
use api::plans::{GetPlan, PlanState, StartPlan};
use api::sessions::Session;
use api::usage::UsageClient;
use rpc::ApiError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::{Behaviour, Cut, Cutter, Fail, Mutator, Style};

/// How many plans are asked for.
const ROUNDS: usize = 200;

/// How many at once.
const AT_ONCE: usize = 4;

/// What every job must have reached, whatever happened to it.
const LIMIT: Duration = Duration::from_secs(30);

fn fault(chance: &mut Mutator) -> Cut {
    match chance.below(10) {
        0 => Cut::AtOnce,
        1 => Cut::Up(chance.below(6_000)),
        2 => Cut::Down(chance.below(300)),
        3 => Cut::Down(chance.below(8_000)),
        4 => Cut::Stalled(chance.below(30) as u64),
        _ => Cut::Never,
    }
}

fn behaviour(chance: &mut Mutator) -> Behaviour {
    let styles = [Style::Clean, Style::Fenced, Style::Chatty, Style::Cut, Style::Text, Style::Tools];
    let statuses = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529];
    let mut odd = |one_in: usize| chance.below(one_in) == 0;
    let mut behaviour =
        Behaviour { crlf: odd(3), tight: odd(3), chatter: odd(3), no_usage: odd(3), ..Behaviour::default() };
    let [cut, error, fail, slow, pieces] = [odd(6), odd(6), odd(4), odd(4), odd(3)];
    behaviour.style = styles[chance.below(styles.len())];
    behaviour.cut_after_bytes = cut.then(|| chance.below(6_000));
    behaviour.error_after_events = error.then(|| chance.below(12));
    behaviour.first_delay_ms = if slow { chance.below(40) as u64 } else { 0 };
    behaviour.chunk = pieces.then(|| 1 + chance.below(40));
    behaviour.fail = fail.then(|| Fail {
        status: statuses[chance.below(statuses.len())],
        body: (chance.below(3) == 0).then(|| "<html>not what was expected, {{key}}".to_owned()),
        retry_after: (chance.below(3) == 0).then(|| "7".to_owned()),
        times: None,
    });
    behaviour
}

struct Chaos {
    f: Fixture,
    cutter: Cutter,
    models: Vec<String>,
    /// The hashes of the bodies that were approved, and of those that were not.
    approved: Mutex<BTreeSet<String>>,
    kept_back: Mutex<BTreeSet<String>>,
    ends: Mutex<BTreeMap<String, usize>>,
}

impl Chaos {
    async fn new() -> Chaos {
        let f = Fixture::with(repo(), Behaviour::default()).await;
        let cutter = Cutter::start(&f.simulator.url());
        let mut models = Vec::new();
        for (name, dialect, path) in [
            ("one", ProviderDialect::Compatible, "/openai/v1"),
            ("two", ProviderDialect::OpenaiResponses, "/openai/v1"),
            ("three", ProviderDialect::Anthropic, "/anthropic"),
            ("four", ProviderDialect::Gemini, "/gemini"),
        ] {
            let provider = Provider {
                name: name.into(),
                dialect,
                base_url: format!("{}{path}", cutter.url()),
                key_env: Some("TEST_KEY".into()),
                models: vec!["m".into()],
            };
            ModelsClient(f.client.clone()).add_provider(&provider).await.unwrap();
            models.push(format!("{name}/m"));
        }
        let (approved, kept_back, ends) = Default::default();
        Chaos { f, cutter, models, approved, kept_back, ends }
    }

    async fn rests(&self, job: &Job) -> Job {
        let jobs = JobsClient(self.f.client.clone());
        let waiting = async {
            loop {
                let now = jobs.get(&GetJob { job: job.id.clone() }).await.unwrap();
                if !matches!(now.state, JobState::Queued | JobState::Running) {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{} never ends", job.id))
    }

    async fn round(&self, session: &Session, mut chance: Mutator) {
        // Now and then all is well. What one round sets counts for those beside it as well.
        let (behaviour, cut) = match chance.below(4) {
            0 => (Behaviour::default(), Cut::Never),
            _ => (behaviour(&mut chance), fault(&mut chance)),
        };
        self.f.simulator.set(behaviour);
        self.cutter.set(cut);
        let model = self.models[chance.below(self.models.len())].clone();
        let start = StartPlan { session: session.id.clone(), model: Some(model) };
        let job = self.rests(&self.f.plans().start(&start).await.unwrap()).await;
        assert_eq!(job.state, JobState::WaitingApproval, "{job:?}");
        let get = GetApproval { approval: job.approval.clone().unwrap() };
        let manifest = self.f.approvals().get(&get).await.unwrap();
        let (jobs, this) = (JobsClient(self.f.client.clone()), GetJob { job: job.id.clone() });
        let what = chance.below(10);
        if what < 2 {
            self.kept_back.lock().unwrap().insert(manifest.body_hash.clone());
            match what {
                0 => drop(self.f.approvals().refuse(&get).await.unwrap()),
                _ => drop(jobs.cancel(&this).await.unwrap()),
            }
        } else {
            self.approved.lock().unwrap().insert(manifest.body_hash.clone());
            self.f.approve(&manifest).await.unwrap();
            if what == 2 {
                tokio::time::sleep(Duration::from_millis(chance.below(40) as u64)).await;
                jobs.cancel(&this).await.unwrap();
            }
        }
        self.ended(&self.rests(&job).await).await;
    }

    /// Every end says why.
    async fn ended(&self, job: &Job) {
        let plan = match &job.plan {
            Some(plan) => self.f.plans().get(&GetPlan { plan: plan.clone() }).await,
            None => panic!("a job without a plan: {job:?}"),
        };
        let end = match (job.state, &plan) {
            (JobState::Completed, Ok(plan)) if plan.state == PlanState::Complete => "complete".to_owned(),
            (JobState::Completed, Ok(plan)) => {
                assert!(plan.trouble.as_ref().is_some_and(|why| why.len() > 10), "{plan:?}");
                format!("{:?}", plan.state)
            }
            (JobState::Failed | JobState::WaitingNetwork | JobState::Canceled, _) => {
                assert!(job.note.len() > 5 && !job.note.contains(crate::fixture::KEY), "{job:?}");
                format!("{:?}", job.state)
            }
            _ => panic!("{job:?} {plan:?}"),
        };
        assert!(
            plan.is_ok_and(|plan| plan.state != PlanState::Streaming) || job.state != JobState::Completed
        );
        *self.ends.lock().unwrap().entry(end).or_default() += 1;
    }
}

fn seed() -> u64 {
    // Another number tries other accidents.
    std::env::var("PLANTOCODE_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cut_and_no_fault_sends_what_was_not_approved_or_anything_twice() {
    let seed = seed();
    println!("PLANTOCODE_CHAOS_SEED={seed}");
    let chaos = Arc::new(Chaos::new().await);
    let workers = (0..AT_ONCE).map(|worker| {
        let chaos = Arc::clone(&chaos);
        tokio::spawn(async move {
            let session = chaos.f.session(TASK).await;
            chaos.f.find(&session).await;
            for round in 0..ROUNDS / AT_ONCE {
                chaos.round(&session, Mutator::new(seed << 20 | (worker << 10 | round) as u64)).await;
            }
        })
    });
    for worker in futures_util::future::join_all(workers).await {
        worker.unwrap();
    }
    let (log, approved) = (chaos.f.simulator.log(), chaos.approved.lock().unwrap().clone());
    let sent: Vec<&String> = log.iter().filter(|r| r.method == "POST").map(|r| &r.body_sha256).collect();
    let whole: BTreeSet<&String> = sent.iter().copied().collect();
    assert_eq!(whole.len(), sent.len(), "a request was sent twice");
    assert!(whole.iter().all(|hash| approved.contains(*hash)), "something was sent that nobody approved");
    assert!(chaos.kept_back.lock().unwrap().iter().all(|hash| !whole.contains(hash)));
    // Of everything that left, it was noted before that it would.
    let db = rusqlite::Connection::open(chaos.f.engine.dir().database()).unwrap();
    let mut intents = db.prepare("SELECT record FROM audit WHERE kind = 'intent'").unwrap();
    let records: Vec<Vec<u8>> =
        intents.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let records: Vec<String> = records.into_iter().map(|r| String::from_utf8(r).unwrap()).collect();
    for hash in &whole {
        assert_eq!(records.iter().filter(|record| record.contains(hash.as_str())).count(), 1);
    }
    let verdict: Result<_, ApiError> =
        UsageClient(chaos.f.client.clone()).verify_record(&api::Empty {}).await;
    assert_eq!(verdict.unwrap().broken_at, None);
    let held: u32 = db.query_row("SELECT COUNT(*) FROM holds", [], |row| row.get(0)).unwrap();
    assert_eq!(held, 0, "money is still set aside");
    let ends = chaos.ends.lock().unwrap().clone();
    assert_eq!(ends.values().sum::<usize>(), ROUNDS);
    assert!(ends.len() >= 4 && ends["complete"] >= 5 && chaos.cutter.cuts() > 20, "too tame: {ends:?}");
    println!("{} sent, {} connections cut, {ends:?}", sent.len(), chaos.cutter.cuts());
    // After all of it a plan is made as ever.
    chaos.f.simulator.set(Behaviour::default());
    chaos.cutter.set(Cut::Never);
    let (_, _, plan) = chaos.f.plan(TASK).await;
    assert_eq!(plan.state, PlanState::Complete);
}
