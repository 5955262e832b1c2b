//! How calls end: canceled, by a panic, with the link; and what a key is good for then.

use super::probe::{self, Wait};
use super::{Bench, Joined, Raw, Way, eventually, within};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ErrorCode, Scopes};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub async fn cancel_drops_the_handler<W: Way>() {
    let mut raw = Raw::start::<W>().await;
    raw.say(r#"{"jsonrpc":"2.0","id":"h","method":"numbers.hang","params":null}"#).await;
    eventually("the call hangs", || raw.probe.held() == 1).await;
    raw.say(r#"{"jsonrpc":"2.0","method":"$/cancel","params":{"id":"h"}}"#).await;
    let answer = raw.hear().await;
    assert!(answer.contains(r#""id":"h""#) && answer.contains("canceled"), "{answer}");
    eventually("the handler is dropped", || raw.probe.held() == 0).await;
}

pub async fn a_call_has_exactly_one_end_however_often_it_is_canceled<W: Way>() {
    let mut raw = Raw::start::<W>().await;
    let mut ends = BTreeMap::<String, u32>::new();
    for round in 0..6 {
        let calls = [("hang", "null"), ("count", "1"), ("double", "1"), ("add", r#"{"ms":20}"#)];
        for (at, (method, params)) in calls.into_iter().enumerate() {
            let id = round * 10 + at as u32;
            raw.call(id, method, params).await;
            for _ in 0..3 {
                raw.say(&format!(r#"{{"jsonrpc":"2.0","method":"$/cancel","params":{{"id":{id}}}}}"#)).await;
            }
        }
        // A last call that is answered after everything before it.
        let id = round * 10 + 9;
        raw.call(id, "add", r#"{"ms":40}"#).await;
        loop {
            let frame = raw.hear().await;
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
    assert_eq!(ends.len(), 30);
    assert!(ends.values().all(|n| *n == 1), "{ends:?}");
    eventually("all is let go", || raw.probe.held() == 0).await;
}

pub async fn a_panic_ends_one_call_and_nothing_else<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    assert_eq!(bench.numbers.explode(&()).await.unwrap_err().code, ErrorCode::Internal);
    assert_eq!(bench.numbers.double(&2).await.unwrap(), 4);
}

/// Cut in the middle of a stream, of a feed and of a call.
pub async fn a_lost_link_fails_open_and_later_calls<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let numbers = bench.numbers.clone();
    let waiting = tokio::spawn({
        let numbers = numbers.clone();
        async move { numbers.hang(&()).await }
    });
    let mut items = numbers.count(&0).await.unwrap();
    let mut feed = numbers.bytes(&5).await.unwrap();
    for n in 0..70 {
        assert_eq!(within("an item", items.next()).await.unwrap().unwrap(), n);
    }
    within("a record", feed.next()).await.unwrap().unwrap();
    eventually("the call hangs", || bench.probe.held() == 3).await;
    (bench.cut)();
    let lost = within("the end of the call", waiting).await.unwrap().unwrap_err();
    assert!(lost.is_link_closed(), "{lost:?}");
    let ended = |error: Option<Result<(), ApiError>>| {
        assert!(error.is_some_and(|last| last.is_err_and(|e| e.is_link_closed())));
    };
    let mut last = None;
    while let Some(item) = within("the end of the stream", items.next()).await {
        last = Some(item.map(drop));
    }
    ended(last);
    let mut last = None;
    while let Some(record) = within("the end of the feed", feed.next()).await {
        last = Some(record.map(drop));
    }
    ended(last);
    assert!(numbers.double(&1).await.unwrap_err().is_link_closed());
}

pub async fn a_unary_call_that_has_begun_runs_to_its_end_when_the_link_goes<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let numbers = bench.numbers.clone();
    let call = tokio::spawn(async move { numbers.add(&Wait { ms: 150 }).await });
    let _items = bench.numbers.texts(&3).await.unwrap();
    eventually("both have begun", || {
        bench.probe.begun.load(Ordering::SeqCst) == 1 && bench.probe.held() == 1
    })
    .await;
    (bench.cut)();
    assert!(within("an end", call).await.unwrap().unwrap_err().is_link_closed());
    eventually("the call has ended", || bench.probe.added.load(Ordering::SeqCst) == 1).await;
    eventually("the stream is let go", || bench.probe.held() == 0).await;
}

/// An answer is lost with its link; the same call on another link gets it, and nothing is done twice.
pub async fn a_call_with_a_key_takes_effect_once_also_on_another_link<W: Way>() {
    const KEY: &str = "3f0c-drawn-at-random";
    let (router, probe) = probe::router(None);
    let open = |name: &'static str| {
        let (router, probe) = (Arc::clone(&router), Arc::clone(&probe));
        async move { Bench::on::<W>(router, probe, Caller::owner(name)).await }
    };
    let first = open("phone").await;
    let numbers = probe::NumbersClient(first.numbers.0.with_key(KEY));
    let call = tokio::spawn(async move { numbers.add(&Wait { ms: 100 }).await });
    eventually("the call has begun", || probe.begun.load(Ordering::SeqCst) == 1).await;
    (first.cut)();
    assert!(within("an end", call).await.unwrap().unwrap_err().is_link_closed());
    let again = open("phone").await;
    let numbers = probe::NumbersClient(again.numbers.0.with_key(KEY));
    assert_eq!(within("the answer", numbers.add(&Wait { ms: 100 })).await.unwrap(), 1);
    assert_eq!(numbers.add(&Wait { ms: 100 }).await.unwrap(), 1);
    // Another key, no key, or another caller's: another call.
    let other = probe::NumbersClient(again.numbers.0.with_key("another-of-sixteen"));
    assert_eq!(other.add(&Wait { ms: 0 }).await.unwrap(), 2);
    assert_eq!(again.numbers.add(&Wait { ms: 0 }).await.unwrap(), 3);
    let stranger = open("browser").await;
    let numbers = probe::NumbersClient(stranger.numbers.0.with_key(KEY));
    assert_eq!(numbers.add(&Wait { ms: 100 }).await.unwrap(), 4);
}

pub async fn a_key_that_means_nothing_is_refused<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    for bad in ["", "short", &"long ".repeat(60)] {
        let refused = probe::NumbersClient(bench.numbers.0.with_key(bad)).add(&Wait { ms: 0 }).await;
        assert_eq!(refused.unwrap_err().reason, "key", "{bad}");
    }
    let keyed = probe::NumbersClient(bench.numbers.0.with_key("a key of sixteen"));
    let mut stream = keyed.count(&1).await.unwrap();
    assert_eq!(within("an end", stream.next()).await.unwrap().unwrap_err().reason, "key");
    // What only looks may be asked again anyway.
    assert_eq!((keyed.double(&1).await.unwrap(), keyed.double(&2).await.unwrap()), (2, 4));
    assert_eq!(bench.probe.added.load(Ordering::SeqCst), 0);
    // A router that keeps no keys does not pretend to.
    let (mut bare, service) = (rpc::Router::new(), Arc::new(probe::Probe::default()));
    probe::NumbersClient::mount(&mut bare, Arc::clone(&service));
    let Joined { link, held: _held, cut: _cut } = W::open(Arc::new(bare), Caller::owner("test")).await;
    let (client, read) = rpc::connect(link);
    tokio::spawn(read);
    let refused = probe::NumbersClient(client.with_key("a key of sixteen")).add(&Wait { ms: 0 }).await;
    assert_eq!(refused.unwrap_err().reason, "key");
    assert_eq!(service.added.load(Ordering::SeqCst), 0);
}
