//! The service that the suite calls.

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt, Shared};
use rpc::{ApiError, Caller, Consumed, ErrorCode, ItemStream, Keyed, Once, Record, RecordStream, Router};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

rpc::api! {
    /// A service for these tests.
    pub service Numbers / NumbersClient = "numbers" {
        /// Doubles.
        unary double [View] (u32) -> u32;
        /// Counts from a number, for ever.
        stream count [View] (u32) -> u32;
        /// Never answers.
        unary hang [Run] (()) -> ();
        /// Panics.
        unary explode [View] (()) -> ();
        /// Takes so many milliseconds, then adds one to what is counted and gives the count.
        unary add [Edit] (Wait) -> u32;
        /// A text of so many characters.
        unary text [View] (u32) -> String;
        /// How long a text is.
        unary length [View] (String) -> u32;
        /// A text of so many characters, again and again.
        stream texts [View] (u32) -> String;
        /// Records of so many bytes, never more than 10 bytes ahead of what was consumed.
        feed bytes [View] (u32) -> Record;
        /// Fails with the code of this place in the list of all.
        unary fail [View] (u32) -> ();
        /// Who calls.
        unary who [View] (()) -> String;
    }
}

/// What [`Numbers::add`] takes.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Wait {
    pub ms: u64,
}

/// The service, and what can be seen of it from outside.
#[derive(Default)]
pub struct Probe {
    /// Items and records that were made.
    pub produced: Arc<AtomicU32>,
    /// Calls and streams that are held.
    pub held: Arc<AtomicU32>,
    /// Calls of `add` that have begun, and what they have added.
    pub begun: AtomicU32,
    pub added: AtomicU32,
}

impl Probe {
    pub fn produced(&self) -> u32 {
        self.produced.load(Ordering::SeqCst)
    }

    pub fn held(&self) -> u32 {
        self.held.load(Ordering::SeqCst)
    }

    fn hold(&self) -> Guard {
        self.held.fetch_add(1, Ordering::SeqCst);
        Guard(Arc::clone(&self.held))
    }
}

struct Guard(Arc<AtomicU32>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Numbers for Probe {
    async fn double(&self, _: &Caller, n: u32) -> Result<u32, ApiError> {
        n.checked_mul(2).ok_or_else(|| ApiError::invalid("too_large", "That number is too large to double."))
    }

    async fn count(&self, _: &Caller, from: u32) -> Result<ItemStream<u32>, ApiError> {
        let (produced, guard) = (Arc::clone(&self.produced), self.hold());
        let items = futures_util::stream::iter(from..).map(move |n| {
            let _held = &guard;
            produced.fetch_add(1, Ordering::SeqCst);
            Ok(n)
        });
        Ok(items.boxed())
    }

    async fn hang(&self, _: &Caller, (): ()) -> Result<(), ApiError> {
        let _guard = self.hold();
        std::future::pending().await
    }

    async fn explode(&self, _: &Caller, (): ()) -> Result<(), ApiError> {
        panic!("a defect")
    }

    async fn add(&self, _: &Caller, wait: Wait) -> Result<u32, ApiError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(wait.ms)).await;
        Ok(self.added.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn text(&self, _: &Caller, n: u32) -> Result<String, ApiError> {
        Ok("x".repeat(n as usize))
    }

    async fn length(&self, _: &Caller, text: String) -> Result<u32, ApiError> {
        Ok(text.len() as u32)
    }

    async fn texts(&self, _: &Caller, n: u32) -> Result<ItemStream<String>, ApiError> {
        let (produced, guard) = (Arc::clone(&self.produced), self.hold());
        let items = futures_util::stream::repeat_with(move || {
            let _held = &guard;
            produced.fetch_add(1, Ordering::SeqCst);
            Ok("x".repeat(n as usize))
        });
        Ok(items.boxed())
    }

    async fn bytes(&self, _: &Caller, each: u32, consumed: Consumed) -> Result<RecordStream, ApiError> {
        let (produced, guard) = (Arc::clone(&self.produced), Arc::new(self.hold()));
        let records = futures_util::stream::unfold((0u64, consumed), move |(offset, mut consumed)| {
            let (produced, guard) = (Arc::clone(&produced), Arc::clone(&guard));
            async move {
                let _held = guard;
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

    async fn fail(&self, _: &Caller, code: u32) -> Result<(), ApiError> {
        let code = ErrorCode::ALL[code as usize];
        Err(ApiError::new(code, "on_purpose", format!("It failed: {} „ä“\n.", code.name())).with("n", 7))
    }

    async fn who(&self, caller: &Caller, (): ()) -> Result<String, ApiError> {
        Ok(caller.name.clone())
    }
}

type Answer = Shared<BoxFuture<'static, Result<Box<RawValue>, ApiError>>>;

/// Keeps keys in memory: a repeat gets the answer of the first, also while that one still runs.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<(String, String), Answer>>);

impl Once for Kept {
    fn once(
        &self,
        call: Keyed,
        work: BoxFuture<'static, Result<Box<RawValue>, ApiError>>,
    ) -> BoxFuture<'static, Result<Box<RawValue>, ApiError>> {
        let mut kept = self.0.lock().unwrap();
        kept.entry((call.caller, call.key)).or_insert_with(|| work.shared()).clone().boxed()
    }
}

/// A router with the probe, for any number of links.
pub fn router(observer: Option<Arc<dyn rpc::Observer>>) -> (Arc<Router>, Arc<Probe>) {
    let probe = Arc::new(Probe::default());
    let mut router = Router::new();
    NumbersClient::mount(&mut router, Arc::clone(&probe));
    router.keep_keys(Arc::new(Kept::default()));
    if let Some(observer) = observer {
        router.observe(observer);
    }
    (Arc::new(router), probe)
}
