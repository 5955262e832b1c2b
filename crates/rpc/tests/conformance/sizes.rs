//! Large frames and slow readers.

use super::probe;
use super::{Bench, Joined, Way, eventually, within};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, ErrorCode, Message, Scopes};
use std::sync::Arc;

pub async fn what_is_large_arrives_and_what_is_too_large_fails_alone<W: Way>() {
    let bench = Bench::start::<W>(Scopes::all()).await;
    let numbers = &bench.numbers;
    let limit = W::LARGEST as u32;
    let check = |error: ApiError| {
        assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Invalid, "too_large"), "{error}");
        assert!(error.message.contains(&limit.to_string()) && error.params.contains_key("bytes"), "{error}");
    };
    assert_eq!(numbers.text(&(limit - 100)).await.unwrap().len() as u32, limit - 100);
    assert_eq!(numbers.length(&"x".repeat(W::LARGEST - 100)).await.unwrap(), limit - 100);
    check(within("an answer", numbers.text(&(limit + 1))).await.unwrap_err());
    let mut texts = numbers.texts(&limit).await.unwrap();
    check(within("an end", texts.next()).await.unwrap().unwrap_err());
    assert!(texts.next().await.is_none(), "the stream goes on after its error");
    eventually("the stream is let go", || bench.probe.held() == 0).await;
    let large = "x".repeat(rpc::link::MAX_MESSAGE_BYTES);
    assert_eq!(numbers.length(&large).await.unwrap_err().reason, "too_large");
    assert_eq!(numbers.double(&1).await.unwrap(), 2, "the link goes on");
}

/// A client that does not take what it asked for slows neither its other calls nor those of another link.
pub async fn who_does_not_read_holds_nobody_up<W: Way>() {
    let (router, probe) = probe::router(None);
    let caller = || Caller::owner("test");
    let idle = Bench::on::<W>(Arc::clone(&router), Arc::clone(&probe), caller()).await;
    let mut unread = idle.numbers.texts(&2000).await.unwrap();
    eventually("the stream goes as far as it may", || probe.produced() >= rpc::serve::INITIAL_CREDIT).await;
    for n in 0..50 {
        assert_eq!(within("an answer", idle.numbers.double(&n)).await.unwrap(), n * 2);
    }
    assert!(probe.produced() <= rpc::serve::INITIAL_CREDIT + 1, "{} without credit", probe.produced());
    // One that takes nothing at all from its link, and grants without end.
    let Joined { link, held: _held, cut: _cut } = W::open(Arc::clone(&router), caller()).await;
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"method":"numbers.texts","params":2000}"#,
        r#"{"jsonrpc":"2.0","method":"$/credit","params":{"id":1,"n":1000000}}"#,
    ] {
        link.tx.send(Message::Text(text.into())).await.unwrap();
    }
    let before = probe.produced();
    eventually("it is written to", || probe.produced() > before).await;
    for n in 0..50 {
        assert_eq!(within("an answer", idle.numbers.double(&n)).await.unwrap(), n * 2);
    }
    // What was not read is still there, whole.
    for _ in 0..200 {
        assert_eq!(within("an item", unread.next()).await.unwrap().unwrap().len(), 2000);
    }
    drop(link);
}
