//! Calls, errors, rights, streams and feeds.

use super::{Bench, Raw, Way, eventually, within};
use futures_util::StreamExt;
use rpc::{ApiError, ErrorCode, Message, Scope, Scopes};
use std::time::Duration;

pub async fn a_call_answers_or_fails_with_its_reason<W: Way>() {
    let Bench { numbers, cut: _cut, .. } = &Bench::start::<W>(Scopes::all()).await;
    assert_eq!(numbers.double(&21).await.unwrap(), 42);
    assert_eq!(numbers.who(&()).await.unwrap(), "test");
    assert_eq!(numbers.double(&u32::MAX).await.unwrap_err().reason, "too_large");
    let wrong: Result<u32, ApiError> = numbers.0.call("numbers.double", &"text").await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::Invalid);
    let unknown: Result<u32, ApiError> = numbers.0.call("numbers.triple", &1).await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::NotFound);
}

pub async fn every_error_code_arrives_as_it_was<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    for (at, code) in ErrorCode::ALL.into_iter().enumerate() {
        let error = bench.numbers.fail(&(at as u32)).await.unwrap_err();
        assert_eq!((error.code, error.reason.as_str()), (code, "on_purpose"));
        assert_eq!(error.message, format!("It failed: {} „ä“\n.", code.name()));
        assert_eq!(error.params.get("n").map(String::as_str), Some("7"));
    }
}

pub async fn a_caller_without_the_scope_is_refused_before_decoding<W: Way>() {
    let bench = Bench::start::<W>(Scopes::NONE.with(Scope::View)).await;
    let refused: Result<(), ApiError> =
        bench.numbers.0.call("numbers.hang", &"not even the right type").await;
    let error = refused.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Forbidden, "scope"));
    let keyed = bench.numbers.0.with_key("a key of sixteen");
    let refused: Result<u32, ApiError> = keyed.call("numbers.add", &"nor this").await;
    assert_eq!(refused.unwrap_err().reason, "scope");
    assert_eq!(bench.numbers.double(&1).await.unwrap(), 2);
}

/// Unknown members, methods, notifications and records do no harm; what is no frame is answered as such.
pub async fn what_is_not_known_is_tolerated<W: Way>() {
    let mut raw = Raw::start::<W>().await;
    let future = r#"{"jsonrpc":"2.0","id":1,"method":"numbers.add","params":{"ms":0,"later":[1]},"trace":"x","meta":{}}"#;
    raw.say(future).await;
    assert_eq!(raw.hear().await, r#"{"jsonrpc":"2.0","id":1,"result":1}"#);
    raw.link.tx.send(Message::Binary(vec![0; 40].into())).await.unwrap();
    raw.say(r#"{"jsonrpc":"2.0","method":"$/later","params":{}}"#).await;
    assert!(raw.hear().await.contains("unknown_notification"));
    for garbage in ["{", "[]", "7", r#"{"jsonrpc":"1.0","id":1,"method":"numbers.who"}"#] {
        raw.say(garbage).await;
        let answer = raw.hear().await;
        assert!(answer.contains("malformed_frame") && answer.contains(r#""id":null"#), "{garbage}: {answer}");
    }
    // About calls that are not there.
    raw.say(r#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":99}}"#).await;
    raw.say(r#"{"jsonrpc":"2.0","method":"$/credit","params":{"id":99,"n":5}}"#).await;
    raw.say(r#"{"jsonrpc":"2.0","id":99,"result":7}"#).await;
    raw.say(r#"{"jsonrpc":"2.0","id":"a text","method":"numbers.who"}"#).await;
    assert_eq!(raw.hear().await, r#"{"jsonrpc":"2.0","id":"a text","result":"test"}"#);
}

pub async fn calls_at_once_are_answered_each_with_its_own<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let slow = tokio::spawn({
        let numbers = bench.numbers.clone();
        async move { numbers.add(&super::probe::Wait { ms: 300 }).await }
    });
    eventually("the slow call has begun", || {
        bench.probe.begun.load(std::sync::atomic::Ordering::SeqCst) == 1
    })
    .await;
    let calls = (0..200u32).map(|n| {
        let numbers = bench.numbers.clone();
        async move { numbers.double(&n).await.unwrap() }
    });
    let answers = within("200 answers", futures_util::future::join_all(calls)).await;
    assert_eq!(answers, (0..200).map(|n| n * 2).collect::<Vec<_>>());
    assert!(!slow.is_finished(), "calls wait for a slow one");
    assert_eq!(slow.await.unwrap().unwrap(), 1);
}

pub async fn an_id_can_be_used_again_after_its_call_was_canceled<W: Way>() {
    let mut raw = Raw::start::<W>().await;
    raw.call(1, "hang", "null").await;
    eventually("the call hangs", || raw.probe.held() == 1).await;
    raw.call(1, "double", "1").await;
    assert!(raw.hear().await.contains("duplicate_id"));
    raw.say(r#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}}"#).await;
    raw.call(1, "add", r#"{"ms":20}"#).await;
    for part in ["canceled", r#""result":1"#] {
        let answer = raw.hear().await;
        assert!(answer.contains(part), "{answer}");
    }
}

pub async fn a_stream_is_held_back_by_credit_and_stopped_by_dropping<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let mut items = bench.numbers.count(&5).await.unwrap();
    let taken = items.by_ref().take(100).map(Result::unwrap).collect();
    let first: Vec<u32> = within("100 items", taken).await;
    assert_eq!(first, (5..105).collect::<Vec<_>>());
    eventually("the producer is ahead", || bench.probe.produced() > 100).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let ahead = bench.probe.produced();
    assert!(ahead <= 100 + 2 * rpc::serve::INITIAL_CREDIT, "{ahead} items were made for 100 consumed");
    drop(items);
    assert_eq!(bench.numbers.double(&1).await.unwrap(), 2);
    eventually("the stream is let go", || bench.probe.held() == 0).await;
    assert!(bench.probe.produced() <= ahead + 1, "the stream goes on after it was canceled");
}

pub async fn a_feed_goes_as_far_as_was_consumed<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let mut feed = bench.numbers.bytes(&5).await.unwrap();
    let first = within("a record", feed.next()).await.unwrap().unwrap();
    assert_eq!((first.kind, first.offset, first.epoch, &*first.bytes), (0, 0, 1, &[7; 5][..]));
    assert_eq!(within("a record", feed.next()).await.unwrap().unwrap().offset, 5);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(bench.probe.produced(), 2, "nothing more until something is consumed");
    feed.consume(5).await.unwrap();
    assert_eq!(within("a record", feed.next()).await.unwrap().unwrap().offset, 10);
    drop(feed);
    assert_eq!(bench.numbers.double(&21).await.unwrap(), 42, "the link lives on");
    eventually("the feed is let go", || bench.probe.held() == 0).await;
}

pub async fn a_feed_fails_with_a_reason<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let mut feed = bench.numbers.0.feed("numbers.nothing", &1).await.unwrap();
    assert_eq!(within("an end", feed.next()).await.unwrap().unwrap_err().reason, "unknown_method");
    assert!(feed.next().await.is_none());
    let mut raw = Raw::start::<W>().await;
    raw.say(r#"{"jsonrpc":"2.0","id":"a","method":"numbers.bytes","params":5}"#).await;
    let end = raw.hear().await;
    assert!(end.contains("$/end") && end.contains("feed_id"), "{end}");
}
