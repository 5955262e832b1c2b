//! What is kept, for how long, and what it takes.

use crate::fixture::{Fixture, TASK, link};
use api::Empty;
use api::approvals::{ApprovalsClient, GetText};
use api::jobs::JobState;
use api::plans::PlansClient;
use api::sessions::GetSession;
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
