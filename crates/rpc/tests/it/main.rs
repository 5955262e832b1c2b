//! Calls, streams, credit, cancellation and denial over an in-memory link.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends by panicking")]

use futures_util::StreamExt;
use rpc::{
    ApiError, Caller, Client, Consumed, ErrorCode, ItemStream, Link, Message, Record, RecordStream, Router,
    Scope, Scopes,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

rpc::api! {
    /// A service for these tests.
    pub service Numbers / NumbersClient = "numbers" {
        /// Doubles.
        unary double [View] (u32) -> u32;
        /// Counts from zero, for ever.
        stream count [View] (u32) -> u32;
        /// Never answers.
        unary hang [Run] (()) -> ();
        /// Panics.
        unary explode [View] (()) -> ();
        /// Takes 100 ms, then notes that it has ended.
        unary slow [Edit] (()) -> ();
        /// A text of so many characters.
        unary text [View] (u32) -> String;
        /// How long a text is.
        unary length [View] (String) -> u32;
        /// A text of so many characters, again and again.
        stream texts [View] (u32) -> String;
        /// Records of so many bytes, never more than 10 bytes ahead of what was consumed.
        feed bytes [View] (u32) -> Record;
    }
}

#[derive(Default)]
struct Impl {
    produced: Arc<AtomicU32>,
    hanging: Arc<AtomicU32>,
    slow_ended: AtomicU32,
}

struct Guard(Arc<AtomicU32>);
impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Numbers for Impl {
    async fn double(&self, _: &Caller, n: u32) -> Result<u32, ApiError> {
        n.checked_mul(2).ok_or_else(|| ApiError::invalid("too_large", "That number is too large to double."))
    }
    async fn bytes(&self, _: &Caller, each: u32, consumed: Consumed) -> Result<RecordStream, ApiError> {
        let produced = Arc::clone(&self.produced);
        let records = futures_util::stream::unfold((0u64, consumed), move |(offset, mut consumed)| {
            let produced = Arc::clone(&produced);
            async move {
                while offset + u64::from(each) > consumed.total() + 10 {
                    consumed.grown().await?;
                }
                produced.fetch_add(1, Ordering::SeqCst);
                let bytes = vec![7; each as usize].into();
                Some((Ok(Record { kind: 0, epoch: 1, offset, bytes }), (offset + u64::from(each), consumed)))
            }
        });
        Ok(records.boxed())
    }
    async fn count(&self, _: &Caller, from: u32) -> Result<ItemStream<u32>, ApiError> {
        let produced = Arc::clone(&self.produced);
        Ok(futures_util::stream::iter(from..)
            .map(move |n| {
                produced.fetch_add(1, Ordering::SeqCst);
                Ok(n)
            })
            .boxed())
    }
    async fn hang(&self, _: &Caller, (): ()) -> Result<(), ApiError> {
        self.hanging.fetch_add(1, Ordering::SeqCst);
        let _guard = Guard(Arc::clone(&self.hanging));
        std::future::pending().await
    }
    async fn explode(&self, _: &Caller, (): ()) -> Result<(), ApiError> {
        panic!("a defect")
    }
    async fn slow(&self, _: &Caller, (): ()) -> Result<(), ApiError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.slow_ended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
    async fn text(&self, _: &Caller, n: u32) -> Result<String, ApiError> {
        Ok("x".repeat(n as usize))
    }
    async fn length(&self, _: &Caller, text: String) -> Result<u32, ApiError> {
        Ok(text.len() as u32)
    }
    async fn texts(&self, _: &Caller, n: u32) -> Result<ItemStream<String>, ApiError> {
        self.hanging.fetch_add(1, Ordering::SeqCst);
        let guard = Guard(Arc::clone(&self.hanging));
        Ok(futures_util::stream::repeat_with(move || {
            let _held = &guard;
            Ok("x".repeat(n as usize))
        })
        .boxed())
    }
}

fn start(scopes: Scopes) -> (NumbersClient, Arc<Impl>) {
    let service = Arc::new(Impl::default());
    let mut router = Router::new();
    NumbersClient::mount(&mut router, Arc::clone(&service));
    let (here, there) = Link::pair();
    tokio::spawn(rpc::serve(Arc::new(router), Caller { name: "test".into(), scopes }, there));
    let (client, read) = rpc::connect(here);
    tokio::spawn(read);
    (NumbersClient(client), service)
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn a_call_answers_or_fails_with_its_reason() {
    let (numbers, _) = start(Scopes::all());
    assert_eq!(numbers.double(&21).await.unwrap(), 42);
    assert_eq!(numbers.double(&u32::MAX).await.unwrap_err().reason, "too_large");
    let wrong: Result<u32, ApiError> = numbers.0.call("numbers.double", &"text").await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::Invalid);
    let unknown: Result<u32, ApiError> = numbers.0.call("numbers.triple", &1).await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_caller_without_the_scope_is_refused_before_decoding() {
    let (numbers, _) = start(Scopes::NONE.with(Scope::View));
    let refused: Result<(), ApiError> = numbers.0.call("numbers.hang", &"not even the right type").await;
    let error = refused.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Forbidden, "scope"));
}

#[tokio::test]
async fn a_stream_is_held_back_by_credit_and_stopped_by_dropping() {
    let (numbers, service) = start(Scopes::all());
    let mut items = numbers.count(&5).await.unwrap();
    let first: Vec<u32> = items.by_ref().take(100).map(Result::unwrap).collect().await;
    assert_eq!(first, (5..105).collect::<Vec<_>>());
    eventually("the producer is ahead", || service.produced.load(Ordering::SeqCst) > 100).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ahead = service.produced.load(Ordering::SeqCst);
    assert!(ahead <= 100 + 2 * rpc::serve::INITIAL_CREDIT, "{ahead} items were made for 100 consumed");
    drop(items);
    assert_eq!(numbers.double(&1).await.unwrap(), 2);
    assert!(service.produced.load(Ordering::SeqCst) <= ahead + 1, "the stream goes on after it was canceled");
}

#[tokio::test]
async fn cancel_drops_the_handler() {
    let service = Arc::new(Impl::default());
    let mut router = Router::new();
    NumbersClient::mount(&mut router, Arc::clone(&service));
    let (mut here, there) = Link::pair();
    tokio::spawn(rpc::serve(Arc::new(router), Caller::owner("test"), there));
    let call = r#"{"jsonrpc":"2.0","id":"h","method":"numbers.hang","params":null}"#;
    here.tx.send(Message::Text(call.into())).await.unwrap();
    eventually("the call hangs", || service.hanging.load(Ordering::SeqCst) == 1).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":"h"}}"#;
    here.tx.send(Message::Text(cancel.into())).await.unwrap();
    let Some(Message::Text(answer)) = here.rx.recv().await else { panic!("no answer") };
    assert!(answer.contains(r#""id":"h""#) && answer.contains("canceled"), "{answer}");
    eventually("the handler is dropped", || service.hanging.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_panic_ends_one_call_and_nothing_else() {
    let (numbers, _) = start(Scopes::all());
    assert_eq!(numbers.explode(&()).await.unwrap_err().code, ErrorCode::Internal);
    assert_eq!(numbers.double(&2).await.unwrap(), 4);
}

#[tokio::test]
async fn a_lost_link_fails_open_and_later_calls() {
    let (here, there) = Link::pair();
    let (client, read): (Client, _) = rpc::connect(here);
    tokio::spawn(read);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.call::<_, u32>("numbers.double", &1).await }
    });
    tokio::task::yield_now().await;
    drop(there);
    assert!(waiting.await.unwrap().unwrap_err().is_link_closed());
    assert!(client.call::<_, u32>("numbers.double", &1).await.unwrap_err().is_link_closed());
}

/// The raw end of a link whose other end is served.
fn raw() -> (Link, Arc<Impl>, tokio::task::JoinHandle<()>) {
    let service = Arc::new(Impl::default());
    let mut router = Router::new();
    NumbersClient::mount(&mut router, Arc::clone(&service));
    let (here, there) = Link::pair();
    let serving = tokio::spawn(rpc::serve(Arc::new(router), Caller::owner("test"), there));
    (here, service, serving)
}

async fn request(link: &Link, id: u32, method: &str, params: &str) {
    let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"numbers.{method}","params":{params}}}"#);
    link.tx.send(Message::Text(text)).await.unwrap();
}

#[tokio::test]
async fn a_unary_call_that_has_begun_runs_to_its_end_when_the_link_goes() {
    let (link, service, serving) = raw();
    request(&link, 1, "slow", "null").await;
    request(&link, 2, "texts", "3").await;
    drop(link);
    tokio::time::timeout(Duration::from_secs(10), serving).await.unwrap().unwrap();
    assert_eq!(service.slow_ended.load(Ordering::SeqCst), 1, "the call was dropped in the middle");
    assert_eq!(service.hanging.load(Ordering::SeqCst), 0, "the stream is still held");
}

#[tokio::test]
async fn a_call_has_exactly_one_end_however_often_it_is_canceled() {
    let (mut link, service, _serving) = raw();
    let mut ends = std::collections::BTreeMap::<String, u32>::new();
    for round in 0..12 {
        let calls = [("hang", "null"), ("count", "1"), ("double", "1"), ("slow", "null")];
        for (at, (method, params)) in calls.into_iter().enumerate() {
            let id = round * 10 + at as u32;
            request(&link, id, method, params).await;
            for _ in 0..3 {
                let cancel = format!(r#"{{"jsonrpc":"2.0","method":"$/cancel","params":{{"id":{id}}}}}"#);
                link.tx.send(Message::Text(cancel)).await.unwrap();
            }
        }
        // A last call that is answered after everything before it.
        let id = round * 10 + 9;
        request(&link, id, "slow", "null").await;
        loop {
            let Some(Message::Text(frame)) = link.rx.recv().await else { panic!("the link has ended") };
            if frame.contains("$/item") {
                continue;
            }
            let frame: serde_json::Value = serde_json::from_str(&frame).unwrap();
            let ended = frame.get("id").unwrap_or_else(|| &frame["params"]["id"]).to_string();
            *ends.entry(ended.clone()).or_default() += 1;
            if ended == id.to_string() {
                break;
            }
        }
    }
    assert_eq!(ends.len(), 60);
    assert!(ends.values().all(|n| *n == 1), "{ends:?}");
    assert_eq!(service.hanging.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_id_can_be_used_again_after_its_call_was_canceled() {
    let (mut link, service, _serving) = raw();
    request(&link, 1, "hang", "null").await;
    eventually("the call hangs", || service.hanging.load(Ordering::SeqCst) == 1).await;
    let cancel = r#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":1}}"#;
    link.tx.send(Message::Text(cancel.into())).await.unwrap();
    request(&link, 1, "slow", "null").await;
    for part in ["canceled", r#""result":null"#] {
        let Some(Message::Text(answer)) = link.rx.recv().await else { panic!("no answer") };
        assert!(answer.contains(part), "{answer}");
    }
}

#[tokio::test]
async fn what_is_too_large_fails_alone_and_the_link_goes_on() {
    let (numbers, _) = start(Scopes::all());
    let limit = rpc::link::MAX_MESSAGE_BYTES as u32;
    let check = |error: ApiError| {
        assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Invalid, "too_large"));
        assert!(error.message.contains(&limit.to_string()) && error.params.contains_key("bytes"), "{error}");
    };
    check(numbers.text(&(limit + 1)).await.unwrap_err());
    check(numbers.length(&"x".repeat(limit as usize)).await.unwrap_err());
    let mut texts = numbers.texts(&limit).await.unwrap();
    check(texts.next().await.unwrap().unwrap_err());
    assert!(texts.next().await.is_none(), "the stream goes on after its error");
    assert_eq!(numbers.text(&(limit - 100)).await.unwrap().len() as u32, limit - 100);
    assert_eq!(numbers.double(&1).await.unwrap(), 2);
}

#[tokio::test]
async fn a_feed_goes_as_far_as_was_consumed() {
    let (numbers, produced) = feeding();
    let mut feed = numbers.bytes(&5).await.unwrap();
    let first = feed.next().await.unwrap().unwrap();
    assert_eq!((first.offset, first.epoch, first.bytes.len()), (0, 1, 5));
    assert_eq!(feed.next().await.unwrap().unwrap().offset, 5);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(produced.load(Ordering::SeqCst), 2, "nothing more until something is consumed");
    feed.consume(5).await.unwrap();
    assert_eq!(feed.next().await.unwrap().unwrap().offset, 10);
    drop(feed);
    assert_eq!(numbers.double(&21).await.unwrap(), 42, "the link lives on");
}

#[tokio::test]
async fn a_feed_fails_with_a_reason() {
    let (numbers, _) = feeding();
    let mut feed = numbers.0.feed("numbers.nothing", &1).await.unwrap();
    assert_eq!(feed.next().await.unwrap().unwrap_err().reason, "unknown_method");
    assert!(feed.next().await.is_none());

    let (here, there) = Link::pair();
    let mut router = Router::new();
    NumbersClient::mount(&mut router, Arc::new(Impl::default()));
    tokio::spawn(rpc::serve(Arc::new(router), Caller::owner("test"), there));
    let Link { tx, mut rx } = here;
    let call = r#"{"jsonrpc":"2.0","id":"a","method":"numbers.bytes","params":5}"#;
    tx.send(Message::Text(call.into())).await.unwrap();
    let Some(Message::Text(end)) = rx.recv().await else { panic!("an end is text") };
    assert!(end.contains("$/end") && end.contains("feed_id"), "{end}");
}

fn feeding() -> (NumbersClient, Arc<AtomicU32>) {
    let (here, there) = Link::pair();
    let mut router = Router::new();
    let numbers = Impl::default();
    let produced = Arc::clone(&numbers.produced);
    NumbersClient::mount(&mut router, Arc::new(numbers));
    tokio::spawn(rpc::serve(Arc::new(router), Caller::owner("test"), there));
    let (client, read) = rpc::connect(here);
    tokio::spawn(read);
    (NumbersClient(client), produced)
}
