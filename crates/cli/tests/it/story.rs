//! The whole way as one person walks it, through a real server, on a real source tree: a task, its files, an approval, a plan
//! that streams, its check, an edit, the hand-over, and what was carried out of it.

use crate::sign_in;
use api::SessionId;
use api::approvals::{ApprovalsClient, Approve, GetApproval};
use api::discovery::{DiscoveryClient, FindEvent, FindFiles};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::plans::{GetPlan, OperationKind, Plan, PlanEvent, PlanState, PlansClient, Severity, StartPlan};
use api::projects::{GrantProject, ProjectsClient};
use api::review::{DecideSteps, Decision, EditStep, GetPlanStatus, Progress, StepContent};
use api::sessions::{CreateSession, SessionsClient};
use api::templates::{RenderTemplate, TemplatesClient};
use engine::{DataDir, Engine, Env};
use futures_util::StreamExt;
use rpc::{Caller, Client, Link};
use server::admin::NewKey;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Behaviour, Repo, Simulator};

const TASK: &str = "Forget the texts that nothing refers to any more when a session is deleted";

/// A crate of this project as a repository of its own: real sources, always there.
fn real_tree() -> Repo {
    fn below(repo: Repo, root: &Path, folder: &Path) -> Repo {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        entries.into_iter().fold(repo, |repo, path| {
            if path.is_dir() {
                return below(repo, root, &path);
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            match std::fs::read_to_string(&path) {
                Ok(text) => repo.file(&name, &text),
                Err(_) => repo,
            }
        })
    }
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store");
    below(Repo::new(), &store, &store).commit("Begin")
}

async fn until(jobs: &JobsClient, job: &Job, state: JobState) -> Job {
    for _ in 0..1_000 {
        let now = jobs.get(&GetJob { job: job.id.clone() }).await.unwrap();
        if now.state == state {
            return now;
        }
        assert!(now.state != JobState::Failed, "{now:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never {state:?}");
}

/// Changes the project as an agent would that carries one step out.
fn carry_out(repo: &Repo, plan: &Plan, number: usize) {
    for operation in &plan.steps[number].operations {
        let path = repo.path().join(&operation.path);
        match operation.kind {
            OperationKind::Create => repo.write(&operation.path, "// made by an agent\n"),
            OperationKind::Modify => {
                let text = std::fs::read_to_string(&path).unwrap();
                let change = operation.change.lines().map(|line| format!("// {line}\n")).collect::<String>();
                let at = operation.lines.map_or(0, |(first, _)| first.saturating_sub(1) as usize);
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                lines.insert(at.min(lines.len()), &change);
                std::fs::write(&path, lines.concat()).unwrap();
            }
            OperationKind::Delete => std::fs::remove_file(&path).unwrap(),
            OperationKind::Move => {
                std::fs::rename(&path, repo.path().join(operation.to.as_ref().unwrap())).unwrap()
            }
        }
    }
}

/// A session for the task, and the first files that were found for it.
async fn found(client: &Client, repo: &Repo) -> (SessionId, Vec<String>) {
    let path = repo.real_path().to_str().unwrap().to_owned();
    let project = ProjectsClient(client.clone()).grant(&GrantProject { path }).await.unwrap().id;
    let create = CreateSession { project, task: TASK.into() };
    let session = SessionsClient(client.clone()).create(&create).await.unwrap();
    let find = FindFiles { session: session.id.clone(), limit: 10 };
    let mut found = DiscoveryClient(client.clone()).find(&find).await.unwrap();
    let mut ranking = None;
    while let Some(event) = found.next().await {
        if let FindEvent::Found { ranking: whole } = event.unwrap() {
            ranking = Some(whole);
        }
    }
    let top: Vec<String> = ranking.unwrap().sources.into_iter().take(3).map(|file| file.path).collect();
    assert!(
        top.contains(&"src/texts.rs".to_owned()) || top.contains(&"src/sessions.rs".to_owned()),
        "{top:?}"
    );
    (session.id, top)
}

/// What would be sent; a yes; a plan that streams.
async fn planned(client: &Client, session: SessionId, top: &[String], simulator: &Simulator) -> GetPlan {
    let (jobs, plans) = (JobsClient(client.clone()), PlansClient(client.clone()));
    let start = StartPlan { session, model: None };
    let job = until(&jobs, &plans.start(&start).await.unwrap(), JobState::WaitingApproval).await;
    let approvals = ApprovalsClient(client.clone());
    let manifest = approvals.get(&GetApproval { approval: job.approval.clone().unwrap() }).await.unwrap();
    assert!(manifest.files.iter().any(|file| top.contains(&file.path)) && simulator.log().is_empty());
    let plan = GetPlan { plan: job.plan.clone().unwrap() };
    let yes = Approve { approval: manifest.id, fingerprint: manifest.fingerprint, remember: None };
    approvals.approve(&yes).await.unwrap();
    let mut events = 0;
    'streams: loop {
        let mut watched = plans.watch(&plan).await.unwrap();
        while let Some(event) = watched.next().await {
            match event {
                Ok(PlanEvent::Plan { plan }) if plan.state != PlanState::Streaming => break 'streams,
                Ok(_) => events += 1,
                // There is nothing to watch before the first word.
                Err(error) => assert_eq!(error.reason, "no_plan"),
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(events > 3, "it did not stream");
    until(&jobs, &job, JobState::Completed).await;
    assert_eq!(simulator.log().len(), 1);
    plan
}

/// The plan's check, an edit by hand, what was decided, and the hand-over of that alone; the plan after it.
async fn reviewed(client: &Client, plan: &GetPlan) -> Plan {
    let plans = PlansClient(client.clone());
    let checked = plans.verify(plan).await.unwrap();
    let errors =
        checked.steps.iter().flat_map(|step| &step.findings).filter(|f| f.severity == Severity::Error);
    assert_eq!(errors.count(), 0, "{checked:#?}");
    let first = checked.steps[0].clone();
    let edit = EditStep {
        plan: plan.plan.clone(),
        version: checked.version,
        step: Some(first.id.clone()),
        content: Some(StepContent {
            title: "Said better by a person".into(),
            why: first.why.clone(),
            confidence: first.confidence.clone(),
            depends: first.depends.clone(),
            operations: first.operations.clone(),
            commands: first.commands.clone(),
            checks: first.checks.clone(),
        }),
        position: None,
    };
    let edited = plans.edit_step(&edit).await.unwrap();
    let render = RenderTemplate {
        template: "task-and-plan".into(),
        plan: plan.plan.clone(),
        version: None,
        step: None,
        all: false,
    };
    let templates = TemplatesClient(client.clone());
    assert!(templates.render(&render).await.is_err(), "nothing was accepted yet");
    let accept = DecideSteps {
        plan: plan.plan.clone(),
        version: edited.version,
        steps: vec![first.id.clone(), edited.steps[1].id.clone()],
        decision: Decision::Accepted,
        override_errors: false,
    };
    plans.decide(&accept).await.unwrap();
    let text = templates.render(&render).await.unwrap().text;
    assert!(text.contains(TASK) && text.contains("Said better by a person"), "{text}");
    assert!(!text.contains(&edited.steps[2].title), "what nobody accepted is not handed over");
    edited
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_task_to_what_was_carried_out_of_its_plan() {
    let simulator = Simulator::start(Behaviour { delay_ms: 1, ..Behaviour::default() });
    let key = NewKey {
        provider: "openai".into(),
        dialect: "openai".into(),
        base_url: simulator.openai_url(),
        models: vec!["gpt-4.1-mini".into()],
        key: "canary-of-the-vault".to_owned().into(),
    };
    let place = sign_in::Place::with(Some(key), |_| {}).await;
    place.sign_in().await;
    let dir = DataDir::resolve(place.home().to_str()).unwrap();
    let env = Env { variable: Arc::new(|_| None), executable: "/bin/false".into(), ..Env::system() };
    let engine = Engine::open(dir.lock().unwrap(), env).await.unwrap();
    let (here, there) = Link::pair();
    tokio::spawn(rpc::serve(engine.router(), Caller::owner("test"), there));
    let (client, read) = rpc::connect(here);
    tokio::spawn(read);

    let repo = real_tree();
    let (session, top) = found(&client, &repo).await;
    let plan = planned(&client, session, &top, &simulator).await;
    let edited = reviewed(&client, &plan).await;

    // An agent carries one step out, and does something that nobody planned.
    let plans = PlansClient(client.clone());
    let status = GetPlanStatus { plan: plan.plan.clone(), base: None };
    let before = plans.status(&status).await.unwrap();
    assert!(before.steps.iter().all(|step| step.progress == Progress::Untouched), "{before:#?}");
    carry_out(&repo, &edited, 0);
    repo.write("src/unplanned.rs", "fn unplanned() {}\n");
    let after = plans.status(&status).await.unwrap();
    assert!(matches!(after.steps[0].progress, Progress::Done | Progress::Partly), "{after:#?}");
    assert_eq!(after.unplanned, ["src/unplanned.rs"]);

    // The record is whole, and the server sent what was approved.
    let verdict = api::usage::UsageClient(client.clone()).verify_record(&api::Empty {}).await.unwrap();
    assert_eq!((verdict.broken_at, verdict.compared, verdict.alarms), (None, 1, 0));
    engine.close().await;
    place.end().await;
}
