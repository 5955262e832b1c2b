use crate::fixture::{Fixture, TASK};
use api::events::{EventsClient, Topic, WatchEvents};
use api::sessions::{GetSession, ListSessions, SaveTask, SessionsClient};
use futures_util::StreamExt;
use rpc::ErrorCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_never_overwritten_unseen() {
    let f = Fixture::start().await;
    let session = f.session(TASK).await;
    let sessions = SessionsClient(f.client.clone());
    let save =
        |text: &str, base_version| SaveTask { session: session.id.clone(), text: text.into(), base_version };
    let saved = sessions.save_task(&save("Second text", 1)).await.unwrap();
    assert_eq!((saved.task_version, saved.title.as_str()), (2, "Second text"));
    let late = sessions.save_task(&save("From another window", 1)).await.unwrap_err();
    assert_eq!((late.code, late.reason.as_str()), (ErrorCode::Conflict, "task_changed"));
    assert_eq!(sessions.get(&GetSession { session: session.id.clone() }).await.unwrap().task, "Second text");
    let long = sessions.save_task(&save(&"x".repeat(2 << 20), 2)).await;
    assert!(long.is_err(), "a task has a limit");
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
