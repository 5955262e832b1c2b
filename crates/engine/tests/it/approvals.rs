use crate::fixture::{Fixture, TASK, repo};
use api::approvals::{ApprovalState, Approve, GetApproval, GetText, Revise};
use api::jobs::JobState;
use api::models::{ModelsClient, Provider, ProviderDialect};
use api::plans::StartPlan;
use rpc::ErrorCode;
use testkit::{Behaviour, Repo};

/// Something that looks like a key, put together here so that none stands in this repository.
fn secret() -> String {
    format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0".repeat(2).chars().take(36).collect::<String>())
}

fn repo_with_secret() -> Repo {
    repo()
        .file("src/http.rs", &format!("pub fn send() {{\n    let token = \"{}\";\n}}\n", secret()))
        .commit("Leak")
}

fn revise(manifest: &api::approvals::Manifest) -> Revise {
    Revise { approval: manifest.id.clone(), files: None, model: None, redact: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_says_exactly_what_would_be_sent() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (_, manifest) = f.ask(&session).await;
    assert!(
        manifest
            .files
            .iter()
            .any(|file| file.path == "src/http.rs" && file.tokens > 10 && !file.reason.is_empty())
    );
    assert_eq!(manifest.destinations.len(), 1);
    assert_eq!(
        (manifest.destinations[0].provider.as_str(), manifest.model.as_str()),
        ("sim", "sim/sim-large")
    );
    assert!(manifest.input_tokens > manifest.files.iter().map(|f| f.tokens).sum::<u64>());
    assert_eq!(
        (manifest.cost_estimate, manifest.cost_ceiling),
        (Some(0), 0),
        "a model on this machine costs nothing"
    );
    let text = |source: &str| {
        let (approvals, get) =
            (f.approvals(), GetText { approval: manifest.id.clone(), source: source.into() });
        async move { approvals.text(&get).await }
    };
    assert_eq!(text("task").await.unwrap().text.trim_end(), TASK);
    let file = text("src/http.rs").await.unwrap().text;
    assert_eq!(file, std::fs::read_to_string(f.repo.path().join("src/http.rs")).unwrap());
    assert!(text("tree").await.unwrap().text.contains("tests/send.rs"));
    assert_eq!(text("src/none.rs").await.unwrap_err().reason, "no_part");
    assert!(f.simulator.log().is_empty(), "nothing leaves before it is approved");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unticked_file_does_not_leave() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, first) = f.ask(&session).await;
    let kept: Vec<String> =
        first.files.iter().map(|f| f.path.clone()).filter(|p| p != "src/policy.rs").collect();
    assert!(kept.len() < first.files.len());
    let second = f.approvals().revise(&Revise { files: Some(kept), ..revise(&first) }).await.unwrap();
    assert_ne!(first.fingerprint, second.fingerprint);
    assert!(second.left_out.contains(&"src/policy.rs".to_owned()));
    let stale = f.approve(&first).await.unwrap_err();
    assert_eq!((stale.code, stale.reason.as_str()), (ErrorCode::Conflict, "approval_over"));
    f.approve(&second).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    let received = f.simulator.log();
    assert_eq!(received[0].body_sha256, second.body_hash);
    assert!(!received[0].body.contains("How often to retry"), "the unticked file was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_approval_and_a_revision_at_once_only_one_counts() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    for _ in 0..8 {
        let (job, manifest) = f.ask(&session).await;
        let approvals = f.approvals();
        let change = Revise { redact: Some(true), ..revise(&manifest) };
        let (approved, revised) = tokio::join!(f.approve(&manifest), approvals.revise(&change));
        assert!(approved.is_ok() != revised.is_ok(), "{approved:?} {revised:?}");
        match revised {
            Ok(second) => assert!(f.approvals().refuse(&GetApproval { approval: second.id }).await.is_ok()),
            Err(e) => {
                assert_eq!(e.reason, "approval_over");
                f.job_in(&job, JobState::Completed).await;
            }
        }
    }
    let approved = f.simulator.log().len();
    assert!(approved <= 8, "{approved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusing_sends_nothing() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    let refused = f.approvals().refuse(&GetApproval { approval: manifest.id.clone() }).await.unwrap();
    assert_eq!(refused.state, ApprovalState::Refused);
    f.job_in(&job, JobState::Canceled).await;
    assert_eq!(f.approve(&manifest).await.unwrap_err().reason, "approval_over");
    assert!(f.simulator.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_fingerprint_that_was_shown_approves() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (_, manifest) = f.ask(&session).await;
    let other = Approve {
        approval: manifest.id.clone(),
        fingerprint: manifest.fingerprint.replace(['a', 'b'], "0"),
        remember: None,
    };
    assert_eq!(f.approvals().approve(&other).await.unwrap_err().reason, "approval_mismatch");
    assert!(f.simulator.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_changed_after_the_approval_are_not_sent() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    // Someone edits the database between approval and send.
    let store = store::Store::open(&f.engine.dir().database()).unwrap();
    let (hash, id) = (manifest.body_hash.clone(), manifest.id.0.clone());
    let other =
        store.write(|db| store::texts::put(db, b"{\"model\":\"sim-large\",\"messages\":[]}")).await.unwrap();
    drop(store);
    let database = rusqlite::Connection::open(f.engine.dir().database()).unwrap();
    let changed =
        database.execute("UPDATE approvals SET body_hash = ?1 WHERE id = ?2", [&other, &id]).unwrap();
    assert_eq!((changed, hash == other), (1, false));
    f.approve(&manifest).await.unwrap();
    let failed = f.job_in(&job, JobState::Failed).await;
    assert!(failed.note.contains("not what was approved"), "{}", failed.note);
    assert!(f.simulator.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_blocks_until_it_is_redacted_or_left_out() {
    let f = Fixture::with(repo_with_secret(), Behaviour::default()).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    assert_eq!((manifest.secrets[0].source.as_str(), manifest.secrets[0].line), ("src/http.rs", 2));
    let blocked = f.approve(&manifest).await.unwrap_err();
    assert_eq!((blocked.code, blocked.reason.as_str()), (ErrorCode::Forbidden, "secret_found"));
    assert!(!blocked.message.contains(&secret()), "{}", blocked.message);

    let redacted = f.approvals().revise(&Revise { redact: Some(true), ..revise(&manifest) }).await.unwrap();
    assert!(redacted.secrets.is_empty() && redacted.redacted);
    f.approve(&redacted).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    let received = f.simulator.log();
    assert_eq!(received.len(), 1);
    assert!(received[0].body.contains("let token") && !received[0].body.contains(&secret()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_since_is_marked_and_the_approved_text_is_sent() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    f.repo.write("src/http.rs", "pub fn send() { /* edited meanwhile */ }\n");
    let now = f.approvals().get(&GetApproval { approval: manifest.id.clone() }).await.unwrap();
    let changed: Vec<&str> = now.files.iter().filter(|f| f.changed).map(|f| f.path.as_str()).collect();
    assert_eq!(changed, ["src/http.rs"]);
    f.approve(&manifest).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    assert!(!f.simulator.log()[0].body.contains("edited meanwhile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_too_long_for_the_model_cannot_be_approved() {
    static ENV: &[(&str, &str)] = &[("OPENAI_API_KEY", "unused")];
    let home = tempfile::tempdir().unwrap();
    let dir = engine::DataDir::resolve(home.path().to_str()).unwrap();
    let engine = engine::Engine::open(dir.lock().unwrap(), crate::fixture::env(ENV)).await.unwrap();
    let client = crate::fixture::link(&engine, rpc::Caller::owner("test"));
    let big = "word ".repeat(190_000);
    let repo = repo().file("src/big.rs", &format!("// {big}\n")).commit("Big");
    let path = repo.real_path().to_str().unwrap().to_owned();
    let project = api::projects::ProjectsClient(client.clone())
        .grant(&api::projects::GrantProject { path })
        .await
        .unwrap();
    let create = api::sessions::CreateSession { project: project.id, task: "Shorten src/big.rs".into() };
    let session = api::sessions::SessionsClient(client.clone()).create(&create).await.unwrap();
    let include = api::discovery::IncludeFiles {
        session: session.id.clone(),
        paths: vec!["src/big.rs".into()],
        included: true,
    };
    api::discovery::DiscoveryClient(client.clone()).include(&include).await.unwrap();
    let models = api::models::ModelsClient(client.clone()).list(&api::Empty {}).await.unwrap().models;
    let small = models.iter().filter(|m| m.context_window > 0).min_by_key(|m| m.context_window).unwrap();
    assert!(small.context_window < 190_000, "the test needs a model with a small window, not {small:?}");
    let start = api::plans::StartPlan { session: session.id, model: Some(small.id.clone()) };
    let job = api::plans::PlansClient(client.clone()).start(&start).await.unwrap();
    let jobs = api::jobs::JobsClient(client.clone());
    let approval = loop {
        let now = jobs.get(&api::jobs::GetJob { job: job.id.clone() }).await.unwrap();
        match now.state {
            JobState::WaitingApproval => break now.approval.unwrap(),
            JobState::Failed => panic!("{}", now.note),
            _ => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    };
    let approvals = api::approvals::ApprovalsClient(client);
    let manifest = approvals.get(&GetApproval { approval }).await.unwrap();
    assert!(manifest.overflow_tokens > 0 && manifest.cost_ceiling > 0);
    let approve = Approve { approval: manifest.id, fingerprint: manifest.fingerprint, remember: None };
    let refused = approvals.approve(&approve).await.unwrap_err();
    assert_eq!(refused.reason, "too_long");
    // How sure that is stands beside it.
    assert_eq!(refused.message.contains("estimate"), !manifest.tokens_exact, "{}", refused.message);
    assert_eq!(refused.message.contains("is about "), !manifest.tokens_exact, "{}", refused.message);
}

/// What is approved is what each provider gets, in its own form.
#[tokio::test(flavor = "multi_thread")]
async fn every_provider_of_ones_own_is_spoken_to_in_its_form() {
    let f = Fixture::with(repo(), Behaviour::text("No plan, only words.")).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let simulator = &f.simulator;
    for (dialect, base_url, model, path) in [
        (ProviderDialect::Openai, simulator.openai_url(), "gpt-4.1", "/openai/v1/chat/completions"),
        (ProviderDialect::OpenaiResponses, simulator.openai_url(), "gpt-5.1", "/openai/v1/responses"),
        (
            ProviderDialect::Anthropic,
            simulator.anthropic_url(),
            "claude-sonnet-4-5",
            "/anthropic/v1/messages",
        ),
        (
            ProviderDialect::Gemini,
            simulator.gemini_url(),
            "gemini-2.5-pro",
            "/gemini/v1beta/models/gemini-2.5-pro",
        ),
        (ProviderDialect::Xai, simulator.xai_url(), "grok-4.3", "/xai/v1/responses"),
        (ProviderDialect::Openrouter, simulator.openrouter_url(), "vendor/model", "/openrouter/api/v1/chat"),
    ] {
        let name =
            format!("own-{}", path.split('/').nth(1).unwrap()) + model.split(['/', '.']).next().unwrap();
        let provider = Provider {
            name: name.clone(),
            dialect,
            base_url,
            key_env: Some("TEST_KEY".into()),
            models: vec![model.into()],
        };
        ModelsClient(f.client.clone()).add_provider(&provider).await.unwrap();
        let start = StartPlan { session: session.id.clone(), model: Some(format!("{name}/{model}")) };
        let job = f.plans().start(&start).await.unwrap();
        let job = f.job_in(&job, JobState::WaitingApproval).await;
        let approval = job.approval.clone().unwrap();
        let manifest = f.approvals().get(&GetApproval { approval }).await.unwrap();
        // Prices of what the catalogue knows; at OpenRouter only the bill tells.
        let known = dialect != ProviderDialect::Openrouter;
        assert_eq!(manifest.cost_ceiling > 0, known, "{dialect:?}");
        let before = simulator.log().len();
        f.approve(&manifest).await.unwrap();
        for _ in 0..500 {
            if simulator.log().len() > before {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let received = simulator.log()[before].clone();
        assert!(received.path.starts_with(path), "{dialect:?}: {}", received.path);
    }
}
