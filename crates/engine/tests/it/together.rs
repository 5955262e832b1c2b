//! Two clients edit one task, and one plan, at once: nobody's text is lost, and who was too late is told.

use crate::fixture::{Fixture, TASK, link};
use api::SessionId;
use api::plans::PlansClient;
use api::review::{EditStep, StepContent};
use api::sessions::{CreateSession, GetSession, SaveTask, SessionsClient};
use rpc::{Caller, ErrorCode};
use std::time::Duration;

/// How often each of them writes.
const EDITS: usize = 40;

/// Two writers, each of which adds lines; how many conflicts there were, and the text in the end.
async fn both_write(f: &Fixture, with_base: bool) -> (usize, String) {
    let session = f.session(TASK).await;
    let writers = ["desktop", "phone"].map(|name| {
        let (client, session) = (link(&f.engine, Caller::owner(name)), session.id.clone());
        tokio::spawn(write(SessionsClient(client), session, name, with_base))
    });
    let mut conflicts = 0;
    for writer in writers {
        conflicts += writer.await.unwrap();
    }
    let sessions = SessionsClient(f.client.clone());
    let now = sessions.get(&GetSession { session: session.id.clone() }).await.unwrap();
    for name in ["desktop", "phone"] {
        for n in 0..EDITS {
            let line = format!("{name} {n}.");
            assert_eq!(now.task.lines().filter(|l| **l == *line).count(), 1, "{line} in {}", now.task);
        }
    }
    assert!(now.task.starts_with(TASK), "{}", now.task);
    // One that comes with an old version for certain, and does not say what it was made from.
    let late = SaveTask {
        session: session.id,
        text: "late".into(),
        base_version: session.task_version,
        base_text: None,
    };
    assert!(sessions.save_task(&late).await.is_err_and(|e| e.reason == "task_changed"));
    (conflicts, now.task)
}

async fn write(sessions: SessionsClient, session: SessionId, name: &'static str, with_base: bool) -> usize {
    let mut conflicts = 0;
    for n in 0..EDITS {
        loop {
            let now = sessions.get(&GetSession { session: session.clone() }).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            let save = SaveTask {
                session: session.clone(),
                text: format!("{}\n{name} {n}.", now.task),
                base_version: now.task_version,
                base_text: with_base.then(|| now.task.clone()),
            };
            match sessions.save_task(&save).await {
                Ok(saved) => {
                    assert!(saved.task.contains(&format!("{name} {n}.")), "{}", saved.task);
                    break;
                }
                Err(e) => {
                    assert_eq!((e.code, e.reason.as_str()), (ErrorCode::Conflict, "task_changed"));
                    conflicts += 1;
                }
            }
        }
    }
    conflicts
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_edit_one_task_lose_nothing() {
    let f = Fixture::start().await;
    let (conflicts, text) = both_write(&f, false).await;
    assert_eq!(text.lines().count(), TASK.lines().count() + 2 * EDITS);
    assert!(conflicts > 0, "they never met");
    // Who says what an edit was made from is never sent away.
    let (conflicts, _) = both_write(&f, true).await;
    assert_eq!(conflicts, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_edit_one_plan_do_not_overwrite_each_other() {
    let f = Fixture::start().await;
    let (_, _, plan) = f.plan(TASK).await;
    let (one, two) = (link(&f.engine, Caller::owner("desktop")), link(&f.engine, Caller::owner("phone")));
    let step = plan.steps[0].clone();
    let edit = |client: rpc::Client, title: &'static str| {
        let content = StepContent {
            title: title.into(),
            why: step.why.clone(),
            confidence: step.confidence.clone(),
            depends: step.depends.clone(),
            operations: step.operations.clone(),
            commands: step.commands.clone(),
            checks: step.checks.clone(),
        };
        let request = EditStep {
            plan: plan.id.clone(),
            version: plan.version,
            step: Some(step.id.clone()),
            content: Some(content),
            position: None,
        };
        async move { PlansClient(client).edit_step(&request).await }
    };
    let (first, second) = tokio::join!(edit(one, "From the desktop"), edit(two, "From the phone"));
    let (won, lost) = match (first, second) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        both => panic!("{both:?}"),
    };
    assert_eq!(lost.code, ErrorCode::Conflict, "{lost}");
    let now = f.plans().get(&api::plans::GetPlan { plan: plan.id.clone() }).await.unwrap();
    assert_eq!((now.version, &now.steps[0].title), (won.version, &won.steps[0].title));
    assert_eq!(now.version, plan.version + 1);
}

/// Two texts that have hardly a word in common with a third take a while to be put together. Whoever stores something else
/// does not wait for that: the only thread for such work is held here, and everything else goes on.
#[test]
fn what_takes_long_to_put_together_holds_nobody_up() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).max_blocking_threads(1).enable_all().build().unwrap().block_on(async {
        let f = Fixture::start().await;
        let words = |mark: &str| (0..3_900).map(|n| format!("{mark}{} ", n * 7 % 3_911)).collect::<String>();
        let (base, mine, theirs) = (words("a"), words("b"), words("c"));
        let session = f.session(&base).await;
        let sessions = SessionsClient(f.client.clone());
        let save = |text: &str| SaveTask {
            session: session.id.clone(),
            text: text.to_owned(),
            base_version: session.task_version,
            base_text: Some(base.clone()),
        };
        sessions.save_task(&save(&theirs)).await.unwrap();
        let (open, opened) = std::sync::mpsc::channel::<()>();
        let (holds, held) = tokio::sync::oneshot::channel();
        let gate = tokio::task::spawn_blocking(move || holds.send(()).is_ok() && opened.recv().is_ok());
        held.await.unwrap();
        let late = save(&mine);
        let merging = {
            let sessions = SessionsClient(link(&f.engine, Caller::owner("phone")));
            tokio::spawn(async move { sessions.save_task(&late).await })
        };
        let create = CreateSession { project: session.project.clone(), task: TASK.into() };
        for n in 0..50 {
            // More than enough time for it to come to where it waits.
            tokio::time::sleep(Duration::from_millis(2)).await;
            sessions.create(&create).await.unwrap();
            assert!(!merging.is_finished(), "it was put together elsewhere, after {n}");
        }
        open.send(()).unwrap();
        assert!(gate.await.unwrap());
        let merged = merging.await.unwrap().unwrap().task;
        assert!(merged.contains("b17 ") && merged.contains("c17 ") && !merged.contains("a17 "));
    });
}
