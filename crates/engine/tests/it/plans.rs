use crate::fixture::{Fixture, KEY, TASK, repo};
use api::events::{EventsClient, Topic, WatchEvents};
use api::jobs::{GetJob, JobState, JobsClient};
use api::plans::{ExportPlan, GetPlan, OperationKind, PlanEvent, PlanFormat, PlanState, Severity};
use api::usage::{RecordVerdict, UsageClient, UsageSince};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use std::time::Duration;
use testkit::{Behaviour, Fail, Style};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_becomes_a_checked_plan() {
    let f = Fixture::start().await;
    let (job, manifest, plan) = f.plan(TASK).await;
    assert_eq!((plan.state, plan.trouble.as_deref()), (PlanState::Complete, None));
    assert_eq!(f.job_in(&job, JobState::Completed).await.state, JobState::Completed);
    let touched: Vec<&str> = plan
        .steps
        .iter()
        .flat_map(|s| &s.operations)
        .filter(|o| o.kind == OperationKind::Modify)
        .map(|o| o.path.as_str())
        .collect();
    for path in &touched {
        assert!(
            manifest.files.iter().any(|file| file.path == *path),
            "{path} was planned without having been sent"
        );
    }
    assert!(touched.contains(&"src/http.rs"), "{touched:?}");
    assert_eq!(plan.errors, 0, "{:#?}", plan.steps);
    assert!(plan.steps.iter().all(|step| step.complete));
    assert_eq!(plan.served.unwrap().provider, "sim");

    let usage = plan.usage.unwrap();
    assert!(usage.input_tokens > 0 && usage.output_tokens > 0 && !usage.estimated);
    let sum = UsageClient(f.client.clone()).since(&UsageSince { since: 0 }).await.unwrap();
    assert_eq!((sum.models.len(), sum.models[0].output_tokens), (1, usage.output_tokens));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_got_is_what_was_approved_and_recorded() {
    let f = Fixture::start().await;
    let (job, manifest, _) = f.plan(TASK).await;
    f.job_in(&job, JobState::Completed).await;
    let received = f.simulator.log();
    assert_eq!(received.len(), 1, "one approval is one request");
    assert_eq!(
        received[0].body_sha256, manifest.body_hash,
        "the provider got other bytes than were approved"
    );
    assert_eq!(received[0].key_sha256.as_deref(), Some(hex(KEY.as_bytes()).as_str()));

    let store = store::Store::open(&f.engine.dir().database()).unwrap();
    let id = job.id.0.clone();
    let records = store.read(move |db| store::audit::of_job(db, &id)).await.unwrap();
    let kinds: Vec<&str> = records.iter().map(|r| r.kind.as_str()).collect();
    assert_eq!(kinds, ["intent", "outcome"]);
    let outcome = String::from_utf8(records[1].record.clone()).unwrap();
    assert!(outcome.contains(&received[0].body_sha256), "the record names the bytes that left: {outcome}");
    let verify = || async { UsageClient(f.client.clone()).verify_record(&api::Empty {}).await.unwrap() };
    assert_eq!(verify().await, RecordVerdict { records: 2, ..RecordVerdict::default() });
    let edit = "UPDATE audit SET record = CAST(replace(record, 'served', 'failed') AS BLOB) WHERE seq = 2";
    rusqlite::Connection::open(f.engine.dir().database()).unwrap().execute(edit, []).unwrap();
    assert_eq!(verify().await, RecordVerdict { records: 1, broken_at: Some(2), ..RecordVerdict::default() });
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_in_no_file_and_no_answer() {
    let f = Fixture::with(repo(), Behaviour::fail(401)).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    f.approve(&manifest).await.unwrap();
    let failed = f.job_in(&job, JobState::Failed).await;
    assert!(!failed.note.contains(KEY), "{}", failed.note);
    for file in files_below(f.home()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|w| w == KEY.as_bytes()), "{}", file.display());
    }
}

fn files_below(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        // A socket or lock is no file that holds anything.
        match entry.file_type().unwrap() {
            t if t.is_dir() => files.extend(files_below(&entry.path())),
            t if t.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_seen_while_they_arrive() {
    let f = Fixture::with(repo(), Behaviour { delay_ms: 15, ..Behaviour::default() }).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    f.approve(&manifest).await.unwrap();
    let plan = GetPlan { plan: job.plan.clone().unwrap() };
    while f.plans().get(&plan).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut events = f.plans().watch(&plan).await.unwrap();
    let (mut grown, mut last) = (0, None);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            PlanEvent::Step { step } => grown += u32::from(!step.complete || step.number > 0),
            PlanEvent::Plan { plan } => last = Some(plan),
            PlanEvent::Progress { .. } => {}
        }
    }
    let last = last.unwrap();
    assert_eq!(last.state, PlanState::Complete);
    assert!(grown > last.step_count, "steps came {grown} times for {} steps", last.step_count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_answer_is_shown_as_cut_and_kept() {
    for behaviour in
        [Behaviour::style(Style::Cut), Behaviour { cut_after_bytes: Some(1500), ..Behaviour::default() }]
    {
        let f = Fixture::with(repo(), behaviour).await;
        let (_, _, plan) = f.plan(TASK).await;
        assert_eq!(plan.state, PlanState::Cut);
        assert!(plan.trouble.is_some_and(|t| !t.is_empty()));
        let raw = f.plans().export(&ExportPlan::whole(plan.id, PlanFormat::Raw)).await.unwrap();
        assert!(raw.text.contains("<plan"), "what arrived is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_plan_is_kept_and_said_to_be_none() {
    let f = Fixture::with(repo(), Behaviour::text("I would rather talk about the weather.")).await;
    let (_, _, plan) = f.plan(TASK).await;
    assert_eq!((plan.state, plan.step_count), (PlanState::Unreadable, 0));
    let raw = f.plans().export(&ExportPlan::whole(plan.id, PlanFormat::Raw)).await.unwrap();
    assert_eq!(raw.text, "I would rather talk about the weather.");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_paths_are_found_with_what_was_meant() {
    let plan = "<plan title='t'><step title='s'><operation kind='modify' path='src/net/http.rs'><change>x</change>\
                </operation><operation kind='delete' path='../../etc/passwd'/></step></plan>";
    let f = Fixture::with(repo(), Behaviour::text(plan)).await;
    let (_, _, plan) = f.plan(TASK).await;
    let codes: Vec<(&str, Option<&str>)> =
        plan.steps[0].findings.iter().map(|f| (f.code.as_str(), f.suggestion.as_deref())).collect();
    assert_eq!(codes, [("path_missing", Some("src/http.rs")), ("path_refused", None)]);
    assert!(plan.steps[0].findings.iter().all(|f| f.severity == Severity::Error));
    assert_eq!(plan.errors, 2);

    f.repo.write("src/net/http.rs", "fn x() {}\n");
    let again = f.plans().verify(&GetPlan { plan: plan.id }).await.unwrap();
    assert_eq!(again.errors, 1, "the check sees the repository as it is now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_named_and_nothing_is_lost() {
    let f = Fixture::with(
        repo(),
        Behaviour {
            fail: Some(Fail { status: 503, body: None, retry_after: None, times: None }),
            ..Behaviour::default()
        },
    )
    .await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    f.approve(&manifest).await.unwrap();
    let failed = f.job_in(&job, JobState::Failed).await;
    assert!(failed.note.contains("im is not available"), "{}", failed.note);
    f.simulator.set(Behaviour::default());
    let (job, manifest) = f.ask(&session).await;
    f.approve(&manifest).await.unwrap();
    assert_eq!(
        f.plan_ended(&job).await.state,
        PlanState::Complete,
        "a new try needs a new approval and works"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_reaches_the_provider_and_what_arrived_is_kept() {
    let f = Fixture::with(repo(), Behaviour { delay_ms: 100, ..Behaviour::default() }).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    f.approve(&manifest).await.unwrap();
    let simulator = f.simulator.clone();
    let begun = tokio::task::spawn_blocking(move || {
        simulator.wait_for(Duration::from_secs(10), |log| log.iter().any(|r| r.status.is_some()))
    });
    begun.await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let canceled = JobsClient(f.client.clone()).cancel(&GetJob { job: job.id.clone() }).await.unwrap();
    assert_eq!(canceled.state, JobState::Canceled);
    let simulator = f.simulator.clone();
    let gone = tokio::task::spawn_blocking(move || {
        simulator.wait_for(Duration::from_secs(2), |log| log.iter().all(|r| r.disconnected_at_ms.is_some()))
    });
    assert!(gone.await.unwrap().iter().all(|r| r.disconnected_at_ms.is_some()), "the provider went on");
    let plan = f.plan_ended(&job).await;
    assert_eq!(plan.state, PlanState::Cut);
    let raw = f.plans().export(&ExportPlan::whole(plan.id, PlanFormat::Raw)).await.unwrap();
    assert!(raw.text.starts_with("<plan"), "what had arrived is kept: {:?}", raw.text);
    let sum = UsageClient(f.client.clone()).since(&UsageSince { since: 0 }).await.unwrap();
    assert_eq!(sum.models.len(), 1, "what was used until the stop is counted");
    assert_eq!(records(&f, &job).await, ["intent", "outcome"]);
    assert_eq!(f.job_in(&job, JobState::Canceled).await.state, JobState::Canceled);
}

/// The kinds of a job's audit records, in order.
async fn records(f: &Fixture, job: &api::jobs::Job) -> Vec<String> {
    let store = store::Store::open(&f.engine.dir().database()).unwrap();
    let id = job.id.0.clone();
    for _ in 0..500 {
        let id = id.clone();
        let records = store.read(move |db| store::audit::of_job(db, &id)).await.unwrap();
        if records.last().is_some_and(|r| r.kind == "outcome") {
            return records.into_iter().map(|r| r.kind).collect();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no outcome was recorded")
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_session_in_mid_answer_keeps_record_and_usage() {
    let f = Fixture::with(repo(), Behaviour { delay_ms: 60, ..Behaviour::default() }).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    f.approve(&manifest).await.unwrap();
    while f.simulator.log().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sessions = api::sessions::SessionsClient(f.client.clone());
    sessions.delete(&api::sessions::GetSession { session: session.id }).await.unwrap();
    assert_eq!(records(&f, &job).await, ["intent", "outcome"]);
    let sum = UsageClient(f.client.clone()).since(&UsageSince { since: 0 }).await.unwrap();
    assert_eq!(sum.models.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_at_any_moment_leaves_no_plan_open_and_no_answer_empty() {
    let f = Fixture::with(repo(), Behaviour { delay_ms: 3, ..Behaviour::default() }).await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    for pause in [0, 1, 5, 20, 40, 80, 120, 200, 300] {
        let (job, manifest) = f.ask(&session).await;
        f.approve(&manifest).await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let sent_before = f.simulator.log().len();
        JobsClient(f.client.clone()).cancel(&GetJob { job: job.id.clone() }).await.unwrap();
        let get = GetPlan { plan: job.plan.clone().unwrap() };
        for _ in 0..500 {
            match f.plans().get(&get).await {
                Err(e) if e.reason == "no_plan" && sent_before == f.simulator.log().len() => break,
                Ok(plan) if plan.state != PlanState::Streaming => {
                    let raw = f.plans().export(&ExportPlan::whole(plan.id, PlanFormat::Raw)).await.unwrap();
                    assert!(
                        plan.step_count == 0 || !raw.text.is_empty(),
                        "{pause} ms: steps without an answer"
                    );
                    break;
                }
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        // A plan that begins in the moment of the stop is closed directly after.
        let mut open = true;
        for _ in 0..500 {
            let last = f.plans().get(&get).await;
            open = last.is_ok_and(|plan| plan.state == PlanState::Streaming);
            if !open {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!open, "{pause} ms: the plan stays open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_exported_in_every_form() {
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let export = |format| {
        let (plans, plan) = (f.plans(), plan.id.clone());
        async move { plans.export(&ExportPlan::whole(plan, format)).await.unwrap().text }
    };
    assert!(export(PlanFormat::Markdown).await.starts_with("# "));
    assert!(export(PlanFormat::Xml).await.starts_with("<plan"));
    let json: serde_json::Value = serde_json::from_str(&export(PlanFormat::Json).await).unwrap();
    assert_eq!(json["steps"].as_array().unwrap().len(), plan.step_count as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_somebody_looks_at_is_checked_when_its_files_change() {
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let get = GetPlan { plan: plan.id.clone() };
    let shown = f.plans().get(&get).await.unwrap();
    let stale = |plan: &api::plans::Plan| {
        plan.steps.iter().flat_map(|step| &step.findings).any(|finding| finding.code == "stale")
    };
    assert!(!stale(&shown), "{shown:?}");
    let path = shown.steps[0].operations[0].path.clone();
    // The first look remembers what the files are like.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let mut changes = EventsClient(f.client.clone()).watch(&WatchEvents::default()).await.unwrap();
    std::fs::write(f.repo.path().join(&path), "// somebody else was here\n").unwrap();
    loop {
        let change = changes.next().await.unwrap().unwrap();
        if change.topic == Topic::Plan && change.id == plan.id.0 {
            break;
        }
    }
    assert!(stale(&f.plans().get(&get).await.unwrap()));
}
