//! What is kept, for how long, what it takes; sessions that travel.

use crate::fixture::{Fixture, TASK, link, repo};
use api::Empty;
use api::approvals::{ApprovalsClient, GetText};
use api::jobs::JobState;
use api::plans::{PlanState, PlansClient};
use api::projects::{GrantProject, ProjectsClient};
use api::review::{CommentStep, DecideSteps, Decision};
use api::sessions::{ExportSession, GetSession, ImportSession, SessionsClient};
use api::settings::{Settings, SettingsClient};
use api::system::{CheckLevel, CheckSystem, SizeKind, SystemClient};
use engine::{DataDir, Engine, Env};
use rpc::Caller;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const DAY: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn the_texts_of_old_requests_are_forgotten_and_nothing_else() {
    let f = Fixture::start().await;
    let (job, manifest, plan) = f.plan(TASK).await;
    f.job_in(&job, JobState::Completed).await;
    let session = GetSession { session: plan.session.clone() };
    let text = GetText { approval: manifest.id.clone(), source: manifest.files[0].path.clone() };
    let sent = f.approvals().text(&text).await.unwrap();
    assert!(!sent.text.is_empty());
    // The same data, some months later.
    let f = f.reopen().await;
    let later = Arc::new(AtomicI64::new(0));
    let dir = DataDir::resolve(f.home().to_str()).unwrap();
    let client = &f.client;
    let count = |client: &rpc::Client| {
        let system = SystemClient(client.clone());
        async move {
            let sizes = system.sizes(&Empty {}).await.unwrap();
            assert!(sizes.free.unwrap() > 0);
            let texts = sizes.parts.iter().find(|part| part.kind == SizeKind::Texts).unwrap();
            (texts.count.unwrap(), texts.bytes)
        }
    };
    let before = count(client).await;
    assert_eq!(SystemClient(client.clone()).clean(&Empty {}).await.unwrap().requests, 0, "it is new");
    assert_eq!(count(client).await, before);
    let (home, repo) = (f.home().to_owned(), Arc::clone(&f.repo));
    let Fixture { client, engine, simulator, .. } = f;
    drop((client, simulator));
    engine.close().await;
    drop(engine);
    let lock = loop {
        match dir.lock() {
            Ok(lock) => break lock,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    };
    later.store(91 * DAY, Ordering::Relaxed);
    let real = Env::system();
    let (clock, ahead) = (Arc::clone(&real.clock), Arc::clone(&later));
    let env = Env { clock: Arc::new(move || clock() + ahead.load(Ordering::Relaxed)), ..real };
    let engine = Engine::open(lock, env).await.unwrap();
    let client = link(&engine, Caller::owner("test"));
    let settings = SettingsClient(client.clone());
    let forever = Settings { keep_requests_days: Some(0), ..Settings::default() };
    assert_eq!(settings.set(&forever).await.unwrap(), forever);
    assert_eq!(SystemClient(client.clone()).clean(&Empty {}).await.unwrap().requests, 0);
    settings.set(&Settings::default()).await.unwrap();
    assert_eq!(SystemClient(client.clone()).clean(&Empty {}).await.unwrap().requests, 1);
    let after = count(&client).await;
    assert_eq!(after.0, before.0 - 2, "the body and the canonical form");
    assert_eq!(ApprovalsClient(client.clone()).text(&text).await.unwrap_err().reason, "request_gone");
    // The manifest, the plan and the record are as they were.
    let kept = ApprovalsClient(client.clone())
        .get(&api::approvals::GetApproval { approval: manifest.id.clone() })
        .await
        .unwrap();
    assert_eq!((kept.fingerprint, kept.parts.len()), (manifest.fingerprint, manifest.parts.len()));
    let plans = PlansClient(client.clone()).list(&session).await.unwrap().plans;
    assert_eq!((plans[0].state, plans[0].step_count), (plan.state, plan.step_count));
    let health = SystemClient(client.clone()).check(&CheckSystem { whole: true }).await.unwrap();
    let bad: Vec<_> = health.checks.iter().filter(|check| check.level >= CheckLevel::Warning).collect();
    assert!(bad.is_empty() && health.checks.len() >= 8, "{bad:?}");
    drop((home, repo));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_told() {
    let f = Fixture::start().await;
    f.plan(TASK).await;
    let dir = DataDir::resolve(f.home().to_str()).unwrap();
    let db = rusqlite::Connection::open(dir.database()).unwrap();
    db.execute("UPDATE audit SET record = x'7b7d' WHERE seq = 1", []).unwrap();
    let health = SystemClient(f.client.clone()).check(&CheckSystem::default()).await.unwrap();
    let record = health.checks.iter().find(|check| check.name == "record of what left").unwrap();
    assert_eq!(record.level, CheckLevel::Error);
    assert!(record.text.contains("Entry 1") && !record.help.is_empty(), "{record:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_made_again_elsewhere_and_nothing_in_it_counts_as_decided() {
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let step = plan.steps[0].id.clone();
    let decide = DecideSteps {
        plan: plan.id.clone(),
        version: plan.version,
        steps: vec![step.clone()],
        decision: Decision::Accepted,
        override_errors: false,
    };
    f.plans().decide(&decide).await.unwrap();
    let say = CommentStep { plan: plan.id.clone(), step: step.clone(), text: "First this".into() };
    f.plans().comment(&say).await.unwrap();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("session").display().to_string();
    let sessions = SessionsClient(f.client.clone());
    let export = ExportSession { session: plan.session.clone(), folder: folder.clone() };
    let made = sessions.export(&export).await.unwrap();
    assert!(made.files.contains(&"task.md".to_owned()) && made.files.len() == 3, "{made:?}");
    let read = |name: &str| std::fs::read_to_string(out.path().join("session").join(name)).unwrap();
    assert_eq!(read("task.md"), TASK);
    assert!(read(&made.files[1]).contains(&plan.steps[0].title));
    assert!(!read("session.json").contains(crate::fixture::KEY));
    assert_eq!(sessions.export(&export).await.unwrap_err().reason, "file_exists");

    // On another machine, where the project is another one.
    let there =
        Fixture::with(repo().file("src/http.rs", "pub fn send() {}\n"), testkit::Behaviour::default()).await;
    let path = there.repo.real_path().to_str().unwrap().to_owned();
    let project = ProjectsClient(there.client.clone()).grant(&GrantProject { path }).await.unwrap().id;
    let others = SessionsClient(there.client.clone());
    let import = ImportSession { project: project.clone(), folder };
    let session = others.import(&import).await.unwrap();
    assert_eq!(session.task, TASK);
    let plans = there.plans().list(&GetSession { session: session.id.clone() }).await.unwrap().plans;
    assert_eq!(plans.len(), 1);
    let get = api::plans::GetPlan { plan: plans[0].id.clone() };
    let copy = there.plans().get(&get).await.unwrap();
    assert_ne!(copy.id, plan.id);
    assert_eq!(
        (copy.state, &copy.title, copy.steps.len()),
        (PlanState::Complete, &plan.title, plan.steps.len())
    );
    assert_eq!(copy.steps[0].decision, Decision::Open);
    assert_eq!(copy.steps[0].comments[0].text, "First this");
    let findings = copy.steps.iter().map(|step| step.findings.len()).sum::<usize>();
    assert!(findings > 0, "it was checked against the project that is there: its lines are not");

    // What is no session changes nothing.
    let broken = out.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    let whole = read("session.json");
    for text in [
        "",
        "{}",
        &whole[..whole.len() / 2],
        &whole.replace("\"plantocode_session\": 1", "\"plantocode_session\": 2"),
        &whole.replace("\"path\": \"src/http.rs\"", "\"path\": \"../outside\""),
        &whole.replace("\"state\": \"complete\"", "\"state\": \"streaming\""),
    ] {
        std::fs::write(broken.join("session.json"), text).unwrap();
        let import = ImportSession { project: project.clone(), folder: broken.display().to_string() };
        let refused = others.import(&import).await.unwrap_err();
        assert_eq!(refused.reason, "session_file", "{text}");
    }
    assert_eq!(others.list(&api::sessions::ListSessions::default()).await.unwrap().sessions.len(), 1);
}
