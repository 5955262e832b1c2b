//! Jobs that ask more than once, and what a person can do with them.

use crate::fixture::{Fixture, TASK};
use api::approvals::{GetApproval, Manifest, Revise};
use api::discovery::{Deepen, DiscoveryClient, FindStage, Ranking};
use api::jobs::{GetJob, Job, JobState, JobsClient, Prioritise, RetryJob, StepState};
use api::sessions::{GetSession, SaveTask, Session, SessionsClient};
use api::tasks::{ImproveText, RefineTask, SuggestionState, TasksClient};
use testkit::Behaviour;

const MODEL: &str = "sim/sim-large";

fn jobs(f: &Fixture) -> JobsClient {
    JobsClient(f.client.clone())
}

fn the(job: &Job) -> GetJob {
    GetJob { job: job.id.clone() }
}

async fn deepen(f: &Fixture, session: &Session, stages: &[FindStage]) -> Job {
    let deepen = Deepen { session: session.id.clone(), stages: stages.to_vec(), model: Some(MODEL.into()) };
    DiscoveryClient(f.client.clone()).deepen(&deepen).await.unwrap()
}

/// The manifest of a job that waits, other than `last`.
async fn asked(f: &Fixture, job: &Job, last: Option<&Manifest>) -> Manifest {
    for _ in 0..1000 {
        let now = jobs(f).get(&the(job)).await.unwrap();
        assert!(!matches!(now.state, JobState::Failed | JobState::Canceled | JobState::Completed), "{now:?}");
        if now.state == JobState::WaitingApproval {
            let approval = now.approval.unwrap();
            if last.is_none_or(|last| last.id != approval) {
                return f.approvals().get(&GetApproval { approval }).await.unwrap();
            }
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the job never asked");
}

async fn ranking(f: &Fixture, session: &Session) -> Ranking {
    DiscoveryClient(f.client.clone()).files(&GetSession { session: session.id.clone() }).await.unwrap()
}

async fn steps(f: &Fixture, job: &Job) -> Vec<(String, StepState)> {
    let steps = jobs(f).steps(&the(job)).await.unwrap().steps;
    steps.into_iter().map(|step| (step.name, step.state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_judges_and_completes_the_ranking_stage_by_stage() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.simulator.set(Behaviour::text(
        "```json\n[{\"path\":\"src/policy.rs\",\"score\":95,\"why\":\"holds the limit\"},{\"path\":\"src/http.rs\",\"score\":10,\"why\":\"not needed\"},\
         {\"path\":\"src/ghost.rs\",\"score\":99,\"why\":\"made up\"}]\n```",
    ));
    let job = deepen(&f, &session, &[]).await;
    let relevance = asked(&f, &job, None).await;
    assert_eq!(relevance.purpose, "judging the files");
    assert!(relevance.files.iter().any(|file| file.path == "src/http.rs"));
    f.approve(&relevance).await.unwrap();
    let extend = asked(&f, &job, Some(&relevance)).await;
    assert_eq!((extend.purpose.as_str(), extend.files.len()), ("finding files that were missed", 0));
    let judged = ranking(&f, &session).await;
    assert_eq!((judged.sources[0].path.as_str(), judged.sources[0].included), ("src/policy.rs", true));
    assert_eq!(judged.sources[0].reasons[0].detail, "95 of 100: holds the limit");
    assert!(judged.sources.iter().all(|file| file.path != "src/ghost.rs"), "a file that does not exist");
    assert!(judged.sources.iter().any(|file| file.path == "src/http.rs" && !file.included));
    f.simulator.set(Behaviour::text(
        r#"[{"path":"README.md","score":80,"why":"documents it"},{"path":"../../etc/passwd","score":99},{"path":"/etc/passwd","score":99}]"#,
    ));
    f.approve(&extend).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    let extended = ranking(&f, &session).await;
    let readme = extended.sources.iter().find(|file| file.path == "README.md").unwrap();
    assert!(readme.included && readme.reasons[0].detail == "documents it");
    assert!(extended.sources.iter().chain(&extended.tests).all(|file| !file.path.contains("passwd")));
    let hashes: Vec<String> = f.simulator.log().into_iter().map(|request| request.body_sha256).collect();
    assert_eq!(hashes, [relevance.body_hash, extend.body_hash], "each stage sent what was approved for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_four_stages_run_and_any_can_be_skipped() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    let all = [FindStage::Extend, FindStage::Relevance, FindStage::Patterns, FindStage::Roots];
    let job = deepen(&f, &session, &all).await;
    f.simulator.set(Behaviour::text(r#"[{"path":"src","why":"code"},{"path":"nowhere"}]"#));
    let roots = asked(&f, &job, None).await;
    assert!(roots.files.is_empty(), "the first stage sends names of folders only");
    f.approve(&roots).await.unwrap();
    let patterns = asked(&f, &job, Some(&roots)).await;
    f.simulator.set(Behaviour::text(r#"[{"pattern":"src/pol*.rs","why":"policies"},{"pattern":"**/*"}]"#));
    f.approve(&patterns).await.unwrap();
    let relevance = asked(&f, &job, Some(&patterns)).await;
    assert!(
        relevance.files.iter().all(|file| file.path.starts_with("src/")),
        "only what the first stage chose"
    );
    let policy =
        ranking(&f, &session).await.sources.into_iter().find(|file| file.path == "src/policy.rs").unwrap();
    assert_eq!(policy.reasons[0].kind, "pattern");
    jobs(&f).skip(&the(&job)).await.unwrap();
    let extend = asked(&f, &job, Some(&relevance)).await;
    let late = f.approve(&relevance).await.unwrap_err();
    assert_eq!(late.reason, "approval_over", "what was skipped can no longer be approved");
    jobs(&f).skip(&the(&job)).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    assert_eq!(f.simulator.log().len(), 2);
    // What was asked was prepared; the rest of the stage was passed over.
    let skipped = |steps: &[(String, StepState)], stage: &str| {
        let of = steps.iter().filter(|(name, _)| name.starts_with(stage)).map(|(_, state)| *state);
        of.collect::<Vec<_>>()
            == [StepState::Done, StepState::Skipped, StepState::Skipped, StepState::Skipped]
    };
    let steps = steps(&f, &job).await;
    assert!(
        skipped(&steps, "relevance") && skipped(&steps, "extend") && !skipped(&steps, "roots"),
        "{steps:?}"
    );
    drop(extend);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_read_is_not_no_files_and_the_stage_can_be_done_again() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let before = ranking(&f, &session).await;
    f.simulator.set(Behaviour::text("I am sorry, I cannot help with that."));
    let job = deepen(&f, &session, &[FindStage::Relevance]).await;
    let first = asked(&f, &job, None).await;
    f.approve(&first).await.unwrap();
    let failed = f.job_in(&job, JobState::Failed).await;
    assert!(
        failed.note.contains("not a list that can be read") && failed.note.contains("as it was"),
        "{}",
        failed.note
    );
    assert_eq!(ranking(&f, &session).await.sources, before.sources);
    let retried = jobs(&f).retry(&RetryJob { job: job.id.clone(), from: None }).await.unwrap();
    assert_eq!(retried.retry_of, Some(job.id.clone()));
    // It asks again: what is sent once more is approved once more.
    f.simulator.set(Behaviour::text(r#"[{"path":"src/http.rs","score":100,"why":"sends"}]"#));
    let second = asked(&f, &retried, None).await;
    assert_eq!(f.simulator.log().len(), 1);
    f.approve(&second).await.unwrap();
    f.job_in(&retried, JobState::Completed).await;
    assert_eq!(ranking(&f, &session).await.sources[0].reasons[0].detail, "100 of 100: sends");
    assert_eq!(jobs(&f).get(&the(&job)).await.unwrap().state, JobState::Failed, "a final state stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_job_can_be_put_aside_and_taken_up_after_a_restart() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (job, manifest) = f.ask(&session).await;
    let paused = jobs(&f).pause(&the(&job)).await.unwrap();
    assert_eq!((paused.state, paused.note.as_str()), (JobState::Paused, "Paused from test."));
    assert_eq!(f.approve(&manifest).await.unwrap_err().reason, "approval_over");
    let f = f.reopen().await;
    assert_eq!(jobs(&f).get(&the(&job)).await.unwrap().state, JobState::Paused);
    jobs(&f).resume(&the(&job)).await.unwrap();
    f.job_in(&job, JobState::WaitingApproval).await;
    f.approve(&manifest).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    assert_eq!(f.simulator.log().len(), 1);
    let conflict = jobs(&f).skip(&the(&job)).await.unwrap_err();
    assert_eq!(conflict.reason, "cannot_skip");
    let too_high = Prioritise { job: job.id.clone(), priority: 1000 };
    assert_eq!(jobs(&f).prioritise(&too_high).await.unwrap_err().reason, "priority");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_put_precisely_unless_it_was_changed_meanwhile() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let tasks = TasksClient(f.client.clone());
    let sessions = SessionsClient(f.client.clone());
    let get = GetSession { session: session.id.clone() };
    f.simulator.set(Behaviour::text("<text>Retry `send` in src/http.rs up to `Policy::limit` times.</text>"));
    let refine = RefineTask { session: session.id.clone(), model: Some(MODEL.into()) };
    let job = tasks.refine(&refine).await.unwrap();
    let manifest = asked(&f, &job, None).await;
    assert_eq!(manifest.purpose, "the task put precisely");
    f.approve(&manifest).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    let suggestion = tasks.suggestion(&the(&job)).await.unwrap();
    assert_eq!((suggestion.state, suggestion.before), (SuggestionState::Applied, session.task.clone()));
    assert_eq!(sessions.get(&get).await.unwrap().task, suggestion.text);
    // The person writes on while the model thinks.
    let job = tasks.refine(&refine).await.unwrap();
    let manifest = asked(&f, &job, None).await;
    let now = sessions.get(&get).await.unwrap();
    let save = SaveTask {
        session: session.id.clone(),
        text: "Something else".into(),
        base_version: now.task_version,
        base_text: None,
    };
    sessions.save_task(&save).await.unwrap();
    f.approve(&manifest).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    let suggestion = tasks.suggestion(&the(&job)).await.unwrap();
    assert_eq!(suggestion.state, SuggestionState::Dropped);
    assert!(suggestion.text.starts_with("Retry `send`"), "it is kept");
    assert_eq!(sessions.get(&get).await.unwrap().task, "Something else");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_is_improved_in_its_place() {
    let f = Fixture::start().await;
    let session = f.session("Make it gooder. And fast.").await;
    f.find(&session).await;
    let tasks = TasksClient(f.client.clone());
    f.simulator.set(Behaviour::text("<text>Make it better.</text>"));
    let improve = ImproveText {
        session: session.id.clone(),
        version: session.task_version,
        start: 0,
        end: 15,
        wish: Some("correct English".into()),
        model: Some(MODEL.into()),
    };
    let job = tasks.improve(&improve).await.unwrap();
    let manifest = asked(&f, &job, None).await;
    assert_eq!(
        manifest.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["instructions", "text", "passage", "wish"]
    );
    // It is about words alone: no file can come in.
    assert!(manifest.left_out.is_empty());
    let added = Revise {
        approval: manifest.id.clone(),
        files: Some(vec!["src/http.rs".into()]),
        model: None,
        redact: None,
    };
    assert_eq!(f.approvals().revise(&added).await.unwrap_err().reason, "no_files");
    f.approve(&manifest).await.unwrap();
    f.job_in(&job, JobState::Completed).await;
    let after =
        SessionsClient(f.client.clone()).get(&GetSession { session: session.id.clone() }).await.unwrap();
    assert_eq!(after.task, "Make it better. And fast.");
    let stale = tasks.improve(&improve).await.unwrap_err();
    assert_eq!(stale.reason, "task_changed");
    let outside = ImproveText { version: after.task_version, start: 5, end: 900, ..improve };
    assert_eq!(tasks.improve(&outside).await.unwrap_err().reason, "passage");
}
