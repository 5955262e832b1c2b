//! What a server sent otherwise than it was approved is told with whatever becomes of the answer, also where nothing does.

use crate::questions::workflow;
use crate::wire::{Ending, LookUpInput, RefineInput, ResearchInput, Sent, Suggested};
use crate::{DataDir, Engine, Env, find, research, task_text};
use ::jobs::{Outcome, StepContext, StepError};
use std::collections::BTreeMap;
use store::approvals::ApprovalRow;
use store::jobs::JobRow;
use store::web_findings::WebFindingRow;

const ALARM: &str = "The server says that it changed the request before it sent it: model.";
const TASK: &str = "Add a retry";

/// What a job with this input finds when it is to use an answer: it is stored, and how it ended is the output of a step.
async fn sent(
    engine: &Engine,
    workflow: &'static str,
    input: String,
    stage: &str,
    answer: &str,
) -> StepContext {
    let (id, text) = (engine.inner.new_id(), answer.to_owned());
    let row = JobRow::queued(id.clone(), "s".into(), workflow, input, 1);
    let approval = ApprovalRow {
        id: id.clone(),
        job_id: id.clone(),
        session_id: "s".into(),
        state: "waiting".into(),
        fingerprint: "f".into(),
        body_hash: String::new(),
        canonical_hash: String::new(),
        manifest: "{}".into(),
        created_at: 1,
        by: None,
    };
    let fill = move |db: &store::Db<'_>| {
        store::jobs::insert(db, &row)?;
        store::approvals::ask(db, &approval, None)?;
        store::answers::begin(db, &approval.id, &approval.job_id)?;
        store::answers::append(db, &approval.id, &text)?;
        Ok(JobRow { approval_id: Some(approval.id), ..row })
    };
    let job = engine.inner.store.write(fill).await.unwrap();
    let how = Sent { ending: Ending::Finished, trouble: None, alarm: Some(ALARM.into()) };
    let step = if stage.is_empty() { "send".to_owned() } else { format!("{stage}.send") };
    let outputs = BTreeMap::from([(step, serde_json::to_string(&how).unwrap())]);
    StepContext { job, outputs, interrupted: false, cancel: Default::default() }
}

fn failed(outcome: Result<Outcome, StepError>) {
    match outcome {
        Err(StepError::Failed(why)) => assert!(why.contains(ALARM), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_told_whatever_becomes_of_the_answer() {
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::resolve(home.path().to_str()).unwrap();
    let engine = Engine::open(dir.lock().unwrap(), Env::system()).await.unwrap();
    let inner = &engine.inner;
    let finding = WebFindingRow { id: "f".into(), session_id: "s".into(), ..WebFindingRow::default() };
    let fill = move |db: &store::Db<'_>| {
        store::sessions::insert(db, "s", "p", TASK, 1)?;
        store::web_findings::insert(db, &finding)
    };
    inner.store.write(fill).await.unwrap();

    let refine = serde_json::to_string(&RefineInput { model: None, version: 0, text: TASK.into() }).unwrap();
    let better = sent(&engine, workflow::REFINE, refine.clone(), "", "<text>New words.</text>").await;
    let Outcome::Done(made) = task_text::apply(inner, &better).await.unwrap() else { panic!("it is done") };
    let made: Suggested = serde_json::from_str(&made).unwrap();
    assert_eq!((made.text.as_str(), made.alarm.as_deref()), ("New words.", Some(ALARM)));
    failed(task_text::apply(inner, &sent(&engine, workflow::REFINE, refine, "", "<text>").await).await);

    let web = llm::WebSearch { max_uses: 3, allowed_domains: Vec::new() };
    let propose = serde_json::to_string(&ResearchInput { model: None, web: web.clone() }).unwrap();
    let proposed = sent(&engine, workflow::RESEARCH, propose, "", "No list.").await;
    failed(research::apply_proposal(inner, &proposed).await);
    let look_up = LookUpInput { model: None, finding: "f".into(), question: "Which limit?".into(), web };
    let look_up = serde_json::to_string(&look_up).unwrap();
    let nothing = sent(&engine, workflow::LOOK_UP, look_up.clone(), "", " ").await;
    failed(research::apply_answer(inner, &nothing).await);
    let answered = sent(&engine, workflow::LOOK_UP, look_up, "", "Three.").await;
    research::apply_answer(inner, &answered).await.unwrap();
    let kept = inner.store.read(|db| store::web_findings::get(db, "f")).await.unwrap().unwrap();
    assert!(kept.answer == "Three." && kept.trouble.as_deref().unwrap().starts_with(ALARM), "{kept:?}");

    let judged = sent(&engine, workflow::FIND, "{}".into(), "relevance", "No list.").await;
    failed(find::apply(inner, &judged, "relevance").await);
}
