//! Standing permissions and budgets.

use crate::fixture::{Fixture, TASK};
use api::Empty;
use api::approvals::{
    ApprovalState, Approve, EndPermission, GetApproval, ListPermissions, Manifest, Permission, Remember,
};
use api::jobs::{GetJob, Job, JobState, JobsClient};
use api::models::{ModelsClient, Provider, ProviderDialect};
use api::plans::{PlansClient, StartPlan};
use api::sessions::Session;
use api::settings::{Settings, SettingsClient};
use rpc::{ApiError, ErrorCode};
use testkit::Behaviour;

/// A model whose price is known.
const PRICED: &str = "priced/gpt-4.1";

async fn with_prices() -> Fixture {
    answering(Behaviour::default()).await
}

/// The same, with a provider that behaves like this.
async fn answering(behaviour: Behaviour) -> Fixture {
    let f = Fixture::with(crate::fixture::repo(), behaviour).await;
    let provider = Provider {
        name: "priced".into(),
        dialect: ProviderDialect::Openai,
        base_url: f.simulator.openai_url(),
        key_env: None,
        models: vec!["gpt-4.1".into()],
    };
    ModelsClient(f.client.clone()).add_provider(&provider).await.unwrap();
    f
}

async fn start(f: &Fixture, session: &Session) -> Job {
    let start = StartPlan { session: session.id.clone(), model: Some(PRICED.into()) };
    PlansClient(f.client.clone()).start(&start).await.unwrap()
}

async fn manifest(f: &Fixture, job: &Job) -> Manifest {
    let job = JobsClient(f.client.clone()).get(&GetJob { job: job.id.clone() }).await.unwrap();
    f.approvals().get(&GetApproval { approval: job.approval.unwrap() }).await.unwrap()
}

async fn remember(f: &Fixture, manifest: &Manifest, remember: Remember) -> Result<Manifest, ApiError> {
    let approve = Approve {
        approval: manifest.id.clone(),
        fingerprint: manifest.fingerprint.clone(),
        remember: Some(remember),
    };
    f.approvals().approve(&approve).await
}

async fn only_permission(f: &Fixture) -> Permission {
    let list = f.approvals().permissions(&ListPermissions::default()).await.unwrap();
    assert_eq!(list.permissions.len(), 1);
    list.permissions.into_iter().next().unwrap()
}

fn bounds(cap: u64) -> Remember {
    Remember { cap, minutes: 60, under: None, web: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_yes_covers_what_lies_within_its_bounds_and_says_so() {
    let f = with_prices().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let first = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &first).await;
    remember(&f, &asked, bounds(2 * asked.cost_ceiling)).await.unwrap();
    f.plan_ended(&first).await;
    // The second one is not asked for, and its record says why.
    let second = start(&f, &session).await;
    f.job_in(&second, JobState::Completed).await;
    let sent = manifest(&f, &second).await;
    let permission = only_permission(&f).await;
    assert_eq!(
        (sent.state, sent.by),
        (ApprovalState::Approved, Some(format!("permission {}", permission.id)))
    );
    assert!(permission.holds && permission.spent > 0 && permission.held == 0, "{permission:?}");
    assert_eq!(f.simulator.log().len(), 2);
    assert_eq!(f.simulator.log()[1].body_sha256, sent.body_hash);
    // Withdrawn, it covers nothing more.
    let ended = f.approvals().end_permission(&EndPermission { permission: permission.id }).await.unwrap();
    assert!(
        !ended.permissions[0].holds && ended.permissions[0].ended.as_deref() == Some("Withdrawn from test.")
    );
    let third = start(&f, &session).await;
    f.job_in(&third, JobState::WaitingApproval).await;
    assert_eq!(f.simulator.log().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_outside_of_the_bounds_is_asked_for() {
    let f = with_prices().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let first = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &first).await;
    // A cap that the next request could exceed.
    remember(&f, &asked, bounds(asked.cost_ceiling / 2)).await.unwrap();
    f.plan_ended(&first).await;
    let second = start(&f, &session).await;
    f.job_in(&second, JobState::WaitingApproval).await;
    // Another session.
    let other = f.session(TASK).await;
    f.find(&other).await;
    f.job_in(&start(&f, &other).await, JobState::WaitingApproval).await;
    assert_eq!(f.simulator.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_at_once_do_not_both_take_the_last_of_a_cap() {
    let f = answering(Behaviour { first_delay_ms: 400, ..Behaviour::default() }).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let first = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &first).await;
    remember(&f, &asked, bounds(asked.cost_ceiling + asked.cost_ceiling / 2)).await.unwrap();
    f.job_in(&first, JobState::Completed).await;
    let (one, two) = tokio::join!(start(&f, &session), start(&f, &session));
    // One is covered and sends for a while; the other finds no room and asks.
    let mut waiting = 0;
    for job in [&one, &two] {
        for _ in 0..1000 {
            let now = JobsClient(f.client.clone()).get(&GetJob { job: job.id.clone() }).await.unwrap();
            if now.state == JobState::WaitingApproval || now.state == JobState::Completed {
                waiting += usize::from(now.state == JobState::WaitingApproval);
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    assert_eq!((waiting, f.simulator.log().len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_ends_every_permission_of_its_session() {
    let f = with_prices().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let first = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &first).await;
    remember(&f, &asked, bounds(10 * asked.cost_ceiling)).await.unwrap();
    f.plan_ended(&first).await;
    let key = format!("pub const KEY: &str = \"AKIA{}\";\n", "Z7VRSQ5TJN2XMPLQ");
    std::fs::write(f.repo.path().join("src/policy.rs"), key).unwrap();
    let second = start(&f, &session).await;
    f.job_in(&second, JobState::WaitingApproval).await;
    let permission = only_permission(&f).await;
    assert!(!permission.holds && permission.ended.unwrap().contains("A secret was found in src/policy.rs"));
    assert_eq!(f.simulator.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_that_make_no_sense_are_refused_and_nothing_is_sent() {
    let f = with_prices().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let job = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &job).await;
    for (bad, reason) in [
        (Remember { minutes: 0, ..bounds(1) }, "permission_minutes"),
        (Remember { minutes: 100_000, ..bounds(1) }, "permission_minutes"),
        (Remember { under: Some("../elsewhere".into()), ..bounds(1) }, "permission_folder"),
        (Remember { under: Some("docs".into()), ..bounds(1) }, "permission_folder"),
    ] {
        assert_eq!(remember(&f, &asked, bad).await.unwrap_err().reason, reason);
    }
    assert!(f.approvals().permissions(&ListPermissions::default()).await.unwrap().permissions.is_empty());
    assert!(f.simulator.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_stops_before_the_request_and_not_after() {
    let f = with_prices().await;
    let settings = SettingsClient(f.client.clone());
    let session = f.session(TASK).await;
    f.find(&session).await;
    let job = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &job).await;
    for budgets in [
        Settings { day_budget: Some(asked.cost_ceiling - 1), session_budget: None, ..Settings::default() },
        Settings { day_budget: None, session_budget: Some(asked.cost_ceiling - 1), ..Settings::default() },
    ] {
        assert_eq!(settings.set(&budgets).await.unwrap(), budgets);
        let refused = f.approve(&asked).await.unwrap_err();
        assert_eq!((refused.code, refused.reason.as_str()), (ErrorCode::Quota, "budget_exceeded"));
        assert!(refused.message.contains("Nothing was sent"), "{}", refused.message);
    }
    assert!(f.simulator.log().is_empty());
    // The question is still open, and a budget with room lets it through.
    settings
        .set(&Settings { day_budget: Some(asked.cost_ceiling), session_budget: None, ..Settings::default() })
        .await
        .unwrap();
    f.approve(&asked).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    // What was spent counts: the same once more does not fit.
    let again = f.job_in(&start(&f, &session).await, JobState::WaitingApproval).await;
    let asked = manifest(&f, &again).await;
    assert_eq!(f.approve(&asked).await.unwrap_err().reason, "budget_exceeded");
    assert_eq!(settings.get(&Empty {}).await.unwrap().session_budget, None);
    assert_eq!(f.simulator.log().len(), 1);
}
