use crate::fixture::{Fixture, TASK, repo};
use api::jobs::JobState;
use api::plans::PlanState;
use std::time::Duration;
use testkit::Behaviour;

#[tokio::test(flavor = "multi_thread")]
async fn a_question_survives_a_restart() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    let f = f.reopen().await;
    let waiting = f.job_in(&job, JobState::WaitingApproval).await;
    assert_eq!(waiting.approval.as_ref(), Some(&manifest.id));
    f.approve(&manifest).await.unwrap();
    assert_eq!(f.plan_ended(&job).await.state, PlanState::Complete);
    assert_eq!(f.simulator.log()[0].body_sha256, manifest.body_hash);
}

/// The process is killed in the middle of an answer. What had left is never sent again.
#[test]
fn an_answer_under_way_is_not_asked_for_twice() {
    let home = tempfile::tempdir().unwrap();
    let repo = repo();
    let simulator = testkit::Simulator::start(Behaviour { delay_ms: 150, ..Behaviour::default() });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = engine::DataDir::resolve(home.path().to_str()).unwrap();
    let provider = api::models::Provider {
        name: "sim".into(),
        dialect: api::models::ProviderDialect::Compatible,
        base_url: simulator.openai_url(),
        key_env: None,
        models: vec!["m".into()],
    };
    let job = runtime.block_on(async {
        let engine = crate::fixture::open(home.path()).await;
        let client = crate::fixture::link(&engine, rpc::Caller::owner("test"));
        api::models::ModelsClient(client.clone()).add_provider(&provider).await.unwrap();
        let path = repo.real_path().to_str().unwrap().to_owned();
        let project = api::projects::ProjectsClient(client.clone())
            .grant(&api::projects::GrantProject { path })
            .await
            .unwrap();
        let create = api::sessions::CreateSession { project: project.id, task: TASK.into() };
        let session = api::sessions::SessionsClient(client.clone()).create(&create).await.unwrap();
        let start = api::plans::StartPlan { session: session.id, model: None };
        let job = api::plans::PlansClient(client.clone()).start(&start).await.unwrap();
        let jobs = api::jobs::JobsClient(client.clone());
        let approval = loop {
            let now = jobs.get(&api::jobs::GetJob { job: job.id.clone() }).await.unwrap();
            match now.approval {
                Some(approval) if now.state == JobState::WaitingApproval => break approval,
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let approvals = api::approvals::ApprovalsClient(client);
        let manifest = approvals.get(&api::approvals::GetApproval { approval }).await.unwrap();
        let approve = api::approvals::Approve {
            approval: manifest.id,
            fingerprint: manifest.fingerprint,
            remember: None,
        };
        approvals.approve(&approve).await.unwrap();
        // Long enough for something to have arrived and been stored.
        while simulator.log().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
        job
    });
    // Every task vanishes between two polls, as in a kill.
    runtime.shutdown_timeout(Duration::from_secs(5));
    let sent = simulator.log().len();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let lock = dir.lock().unwrap();
        let engine = engine::Engine::open(lock, crate::fixture::env(&[])).await.unwrap();
        let client = crate::fixture::link(&engine, rpc::Caller::owner("test"));
        let plans = api::plans::PlansClient(client.clone());
        let get = api::plans::GetPlan { plan: job.plan.clone().unwrap() };
        let plan = loop {
            let plan = plans.get(&get).await.unwrap();
            if plan.state != PlanState::Streaming {
                break plan;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(plan.state, PlanState::Cut, "{plan:?}");
        assert!(plan.trouble.unwrap().contains("nothing was sent again"));
        let jobs = api::jobs::JobsClient(client);
        let ended = loop {
            let now = jobs.get(&api::jobs::GetJob { job: job.id.clone() }).await.unwrap();
            if now.state != JobState::Running && now.state != JobState::Queued {
                break now;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(ended.state, JobState::Completed);
    });
    assert_eq!(simulator.log().len(), sent, "the request was sent again");
}
