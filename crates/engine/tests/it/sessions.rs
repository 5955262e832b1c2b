use crate::fixture::{Fixture, TASK, link};
use api::events::{EventsClient, Topic, WatchEvents};
use api::sessions::{GetSession, ListSessions, SaveTask, SessionsClient};
use api::tasks::{GetTaskStep, MoveTask, RestoreTask, TaskHistory, TaskOrigin, TasksClient};
use futures_util::StreamExt;
use rpc::{Caller, ErrorCode};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_never_overwritten_unseen() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    let sessions = SessionsClient(f.client.clone());
    let save = |text: &str, base_version| SaveTask {
        session: session.id.clone(),
        text: text.into(),
        base_version,
        base_text: None,
    };
    let saved = sessions.save_task(&save("Second text", 1)).await.unwrap();
    assert_eq!((saved.task_version, saved.title.as_str()), (2, "Second text"));
    let late = sessions.save_task(&save("From another window", 1)).await.unwrap_err();
    assert_eq!((late.code, late.reason.as_str()), (ErrorCode::Conflict, "task_changed"));
    assert_eq!(sessions.get(&GetSession { session: session.id.clone() }).await.unwrap().task, "Second text");
    let long = sessions.save_task(&save(&"x".repeat(2 << 20), 2)).await;
    assert!(long.is_err(), "a task has a limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_two_devices_end_up_in_one_text() {
    let f = Fixture::start().await;
    let base = "Retry `send` when the connection is reset.\nUse a policy.";
    let session = f.session(base).await;
    let sessions = SessionsClient(f.client.clone());
    let phone = SessionsClient(link(&f.engine, Caller::owner("phone")));
    let save = |text: &str| SaveTask {
        session: session.id.clone(),
        text: text.into(),
        base_version: 1,
        base_text: Some(base.into()),
    };
    let first = "Retry `send` twice when the connection is reset.\nUse a policy.";
    let second = "Retry `send` when the connection is reset.\nUse a policy with a limit.";
    // Both at once, so that either may come first.
    let (first, second) = (save(first), save(second));
    let (one, two) = tokio::join!(sessions.save_task(&first), phone.save_task(&second));
    let (one, two) = (one.unwrap(), two.unwrap());
    let both = "Retry `send` twice when the connection is reset.\nUse a policy with a limit.";
    assert_eq!(sessions.get(&GetSession { session: session.id.clone() }).await.unwrap().task, both);
    assert!([&one.task, &two.task].contains(&&both.to_owned()), "who saved last was told the result");
    assert_eq!(one.task_version.max(two.task_version), 3);
    let long = SaveTask { base_text: Some(String::new()), ..save(&"y ".repeat(131_050)) };
    let long = sessions.save_task(&long).await.unwrap_err();
    assert_eq!(long.reason, "task_too_long", "what is put together must fit too");
    assert_eq!(sessions.get(&GetSession { session: session.id.clone() }).await.unwrap().task, both);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_undone_after_a_restart_and_from_another_device() {
    let f = Fixture::start().await;
    let session = f.session("one").await;
    let sessions = SessionsClient(f.client.clone());
    let save = |text: &str, base_version| SaveTask {
        session: session.id.clone(),
        text: text.into(),
        base_version,
        base_text: None,
    };
    sessions.save_task(&save("one two", 1)).await.unwrap();
    drop(sessions);
    let f = f.reopen().await;
    let tasks = TasksClient(link(&f.engine, Caller::owner("phone")));
    let here = |version| MoveTask { session: session.id.clone(), version };
    let history = TaskHistory { session: session.id.clone(), before: None, limit: None };
    let steps = tasks.history(&history).await.unwrap();
    assert_eq!((steps.steps.len(), steps.can_undo, steps.can_redo), (2, true, false));
    assert_eq!((steps.steps[0].origin, steps.steps[0].present), (TaskOrigin::Typed, true));
    assert_eq!((steps.steps[0].made_by.as_str(), steps.steps[1].origin), ("test", TaskOrigin::Written));
    assert_eq!(tasks.undo(&here(1)).await.unwrap_err().reason, "task_changed", "it was seen in another form");
    let undone = tasks.undo(&here(2)).await.unwrap();
    assert_eq!((undone.task.as_str(), undone.title.as_str(), undone.task_version), ("one", "one", 3));
    assert_eq!(tasks.undo(&here(3)).await.unwrap_err().reason, "no_task_step");
    let again = tasks.redo(&here(3)).await.unwrap();
    assert_eq!((again.task.as_str(), again.task_version), ("one two", 4));
    let step = GetTaskStep { session: session.id.clone(), step: 1 };
    assert_eq!(tasks.step(&step).await.unwrap().text, "one");
    let restore = RestoreTask { session: session.id.clone(), version: 4, step: 1 };
    assert_eq!(tasks.restore(&restore).await.unwrap().task, "one");
    let restore = RestoreTask { version: 5, step: 99, ..restore };
    assert_eq!(tasks.restore(&restore).await.unwrap_err().reason, "no_task_step");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_after_they_are_stored() {
    let f = Fixture::start().await;
    let mut changes = EventsClient(f.client.clone()).watch(&WatchEvents::default()).await.unwrap();
    assert_eq!(changes.next().await.unwrap().unwrap().topic, Topic::Ready);
    let session = f.session(TASK).await;
    loop {
        let change = changes.next().await.unwrap().unwrap();
        if change.topic == Topic::Session && change.id == session.id.0 {
            break;
        }
    }
    let listed = SessionsClient(f.client.clone()).list(&ListSessions::default()).await.unwrap();
    assert_eq!(listed.sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_takes_its_plans_and_stops_its_jobs() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    f.find(&session).await;
    let (_, manifest) = f.ask(&session).await;
    let sessions = SessionsClient(f.client.clone());
    let this = GetSession { session: session.id.clone() };
    sessions.delete(&this).await.unwrap();
    assert_eq!(sessions.get(&this).await.unwrap_err().reason, "no_session");
    assert!(f.approve(&manifest).await.is_err());
    assert!(f.simulator.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_live_in_one_process() {
    let (one, two) = (Fixture::start().await, Fixture::start().await);
    one.session(TASK).await;
    let list = |f: &Fixture| {
        let sessions = SessionsClient(f.client.clone());
        async move { sessions.list(&ListSessions::default()).await.unwrap().sessions.len() }
    };
    assert_eq!((list(&one).await, list(&two).await), (1, 0));
}
