//! What crosses the links is shown, and nothing of what it says.

use crate::fixture::{Fixture, KEY, TASK, link};
use api::Empty;
use api::diagnostics::{DiagnosticsClient, FrameKind, FrameSeen, WatchFrames};
use api::sessions::{GetSession, ListSessions, SessionsClient};
use api::system::{Hello, SystemClient};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ErrorCode, Scope, Scopes};

async fn past(f: &Fixture, request: WatchFrames) -> Vec<FrameSeen> {
    let request = WatchFrames { only_past: true, last: 4096, ..request };
    let frames = DiagnosticsClient(f.client.clone()).frames(&request).await.unwrap();
    frames.map(Result::unwrap).collect().await
}

/// A whole plan is made, with secrets in names, tasks, parameters and errors; none of them is in any frame that is shown.
#[tokio::test(flavor = "multi_thread")]
async fn no_text_that_crossed_stands_in_what_is_shown() {
    const CANARY: &str = "canary-in-a-task";
    let f = Fixture::start().await;
    let (job, _, plan) = f.plan(&format!("{TASK} {CANARY}")).await;
    let odd = link(&f.engine, Caller::new("odd", Scopes::NONE.with(Scope::View)));
    let refused: Result<(), ApiError> = odd.call(CANARY, &CANARY).await;
    assert_eq!(refused.unwrap_err().reason, "unknown_method");
    let missing = GetSession { session: CANARY.to_owned().into() };
    let error = SessionsClient(odd).get(&missing).await.unwrap_err();
    assert_eq!(error.params.get("session").map(String::as_str), Some(CANARY));

    let frames = past(&f, WatchFrames::default()).await;
    let shown = serde_json::to_string(&frames).unwrap();
    let texts = [CANARY, "connection is reset", KEY, job.id.0.as_str(), plan.title.as_str(), "src/http.rs"];
    for text in texts {
        assert!(!text.is_empty() && !shown.contains(text), "{text} is shown");
    }
    let of = |method: &str, kind: FrameKind| {
        frames.iter().filter(|f| f.method.as_deref() == Some(method) && f.kind == kind).count()
    };
    assert_eq!((of("plans.start", FrameKind::Call), of("plans.start", FrameKind::Answer)), (1, 1));
    assert!(of("discovery.find", FrameKind::Item) > 0 && of("discovery.find", FrameKind::End) == 1);
    let answers = frames.iter().filter(|f| f.kind == FrameKind::Answer);
    assert!(answers.clone().all(|f| f.ms.is_some() && f.bytes > 0));
    let failed: Vec<_> = answers.filter(|f| f.error.is_some()).collect();
    assert!(
        failed.iter().any(|f| f.method.is_none() && f.error.as_deref() == Some("not_found")),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_followed_live_and_by_link_caller_and_method() {
    let f = Fixture::start().await;
    let client = DiagnosticsClient(f.client.clone());
    let phones = WatchFrames { caller: Some("device:".into()), ..WatchFrames::default() };
    let mut live = client.frames(&phones).await.unwrap();
    // The call above has been taken when the one behind it is answered.
    client.links(&Empty {}).await.unwrap();
    let phone = link(&f.engine, Caller::owner("device:7"));
    let missing = GetSession { session: "nothing".to_owned().into() };
    SessionsClient(phone.clone()).get(&missing).await.unwrap_err();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(live.next().await.unwrap().unwrap());
    }
    let kinds: Vec<_> = seen.iter().map(|f| (f.kind, f.error.as_deref())).collect();
    let expected =
        [(FrameKind::Opened, None), (FrameKind::Call, None), (FrameKind::Answer, Some("not_found"))];
    assert_eq!(kinds, expected);
    assert!(seen.iter().all(|f| f.caller == "device:7" && f.link == seen[0].link));

    let links = client.links(&Empty {}).await.unwrap().links;
    let open = links.iter().find(|open| open.link == seen[0].link).unwrap();
    assert_eq!((open.frames_in, open.frames_out, open.bytes_in), (1, 1, seen[1].bytes));
    drop(phone);
    assert_eq!(live.next().await.unwrap().unwrap().kind, FrameKind::Closed);
    let of_link = WatchFrames { link: Some(seen[0].link), ..WatchFrames::default() };
    assert_eq!(past(&f, of_link).await.len(), 4);
    let of_method = WatchFrames { method: Some("sessions.".into()), ..WatchFrames::default() };
    assert!(past(&f, of_method).await.iter().all(|f| f.method.as_deref() == Some("sessions.get")));
}

/// The engine decides who calls; a client may say what it is called, and is shown with that.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_shown_as_it_calls_itself() {
    let f = Fixture::start().await;
    let odd = link(&f.engine, Caller::new("program", Scopes::NONE));
    let hello = |client: &str| Hello { api: 1, client: client.into() };
    SystemClient(odd.clone()).hello(&hello("an editor 3.1\u{202e}")).await.unwrap();
    let links = DiagnosticsClient(f.client.clone()).links(&Empty {}).await.unwrap().links;
    let names: Vec<_> = links.iter().map(|open| (open.caller.as_str(), open.client.as_deref())).collect();
    assert_eq!(names, [("test", None), ("program", Some("an editor 3.1\u{fffd}"))]);
    // A name gives no right, and none of another caller.
    SystemClient(odd.clone()).hello(&hello("test")).await.unwrap();
    let refused = SessionsClient(odd).list(&ListSessions::default()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Forbidden);
    let of = WatchFrames { caller: Some("an editor".into()), ..WatchFrames::default() };
    let frames = past(&f, of).await;
    assert!(!frames.is_empty() && frames.iter().all(|frame| frame.caller == "program"), "{frames:?}");
}
