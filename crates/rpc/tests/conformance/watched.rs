//! What an observer sees.

use super::probe::{self, Wait};
use super::{Bench, Way, eventually, within};
use futures_util::StreamExt;
use rpc::{ApiError, Caller, Crossed, ErrorCode, Observer, Scope, Scopes, Seen};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Notes everything, on a clock that goes one millisecond each time it is looked at.
#[derive(Default)]
struct Notes {
    clock: AtomicU64,
    links: Mutex<Vec<String>>,
    seen: Mutex<Vec<Seen>>,
    closed: Mutex<Vec<u64>>,
}

impl Observer for Notes {
    fn now_ms(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn opened(&self, caller: &Caller) -> u64 {
        let mut links = self.links.lock().unwrap();
        links.push(caller.name.clone());
        links.len() as u64
    }

    fn crossed(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
    }

    fn closed(&self, link: u64) {
        self.closed.lock().unwrap().push(link);
    }
}

impl Notes {
    fn of(&self, method: &str) -> Vec<Seen> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.method == Some(method)).copied().collect()
    }
}

pub async fn each_message_is_seen_and_nothing_of_what_it_says<W: Way>() {
    const SECRET: &str = "canary-of-a-caller";
    let notes = Arc::new(Notes::default());
    let observer: Arc<dyn Observer> = notes.clone();
    let (router, probe) = probe::router(Some(observer));
    let caller = Caller::new("phone", Scopes::NONE.with(Scope::View));
    let bench = Bench::on::<W>(router, probe, caller).await;
    let numbers = bench.numbers.clone();
    assert_eq!(numbers.length(&SECRET.to_owned()).await.unwrap(), 18);
    numbers.add(&Wait { ms: 0 }).await.unwrap_err();
    numbers.fail(&3).await.unwrap_err();
    let unknown: Result<(), ApiError> = numbers.0.call(SECRET, &SECRET).await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::NotFound);
    let mut items = numbers.count(&1).await.unwrap();
    for _ in 0..40 {
        within("an item", items.next()).await.unwrap().unwrap();
    }
    drop(items);
    let mut feed = numbers.bytes(&5).await.unwrap();
    within("a record", feed.next()).await.unwrap().unwrap();
    eventually("the cancel is seen", || {
        notes.of("numbers.count").iter().any(|seen| seen.what == Crossed::End)
    })
    .await;

    let [call, answer] = notes.of("numbers.length")[..] else { panic!() };
    assert_eq!((call.what, call.after_ms, call.error, call.link), (Crossed::Call, None, None, 1));
    assert_eq!((answer.what, answer.error), (Crossed::Answer, None));
    assert!(call.bytes > SECRET.len() && answer.bytes > 20 && answer.after_ms.is_some_and(|ms| ms > 0));
    assert_eq!(notes.of("numbers.add")[1].error, Some(ErrorCode::Forbidden));
    assert_eq!(notes.of("numbers.fail")[1].error, Some(ErrorCode::NotFound));
    let stream = notes.of("numbers.count");
    let of = |what| stream.iter().filter(|seen| seen.what == what).count();
    assert!(of(Crossed::Item) >= 40 && of(Crossed::Credit) == 1 && of(Crossed::Cancel) == 1, "{stream:?}");
    assert_eq!(stream.last().unwrap().error, Some(ErrorCode::Canceled));
    assert!(notes.of("numbers.bytes").iter().any(|seen| seen.what == Crossed::Record && seen.bytes == 26));
    // A caller's text is not passed on, not even as the name of a method.
    assert!(!format!("{:?}", notes.seen.lock().unwrap()).contains(SECRET));
    assert_eq!(*notes.links.lock().unwrap(), ["phone"]);
    (bench.cut)();
    eventually("the end of the link is told", || *notes.closed.lock().unwrap() == [1]).await;
}
