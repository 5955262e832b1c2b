//! Answers the calls of one link.

use crate::caller::Caller;
use crate::error::ApiError;
use crate::frame::{Frame, RequestId};
use crate::link::{Link, MAX_MESSAGE_BYTES, Message};
use crate::observe::{Crossed, Opened, Tap};
use crate::once::{self, Keyed, Once};
use crate::out::Out;
use crate::record::{Consumed, MAX_RECORD_BYTES, RecordStream};
use crate::router::{Handler, MethodSpec, Router};
use futures_util::future::{AbortHandle, Abortable, BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Semaphore, watch};

/// Items of a stream that may be sent before the caller grants more.
pub const INITIAL_CREDIT: u32 = 64;

/// Calls that one link may have open at once.
pub const MAX_OPEN_CALLS: usize = 256;

/// Serves `link` with the methods of `router` until the other end goes.
///
/// All calls run inside this one future: the host decides where it is driven. A call that panics answers
/// `internal` and harms no other. When the other end goes, open streams end with it; unary calls that have begun
/// run to their end, and their answers are discarded: what a call has begun to store is also told. So this future
/// ends only when they have. Only `$/cancel` drops a unary call in the middle.
pub async fn serve(router: Arc<Router>, caller: Caller, link: Link) {
    serve_within(router, caller, link, MAX_MESSAGE_BYTES).await;
}

/// Like [`serve`], over a link that carries texts of at most `largest` bytes, which is less than others do: what is longer
/// fails by itself.
pub async fn serve_within(router: Arc<Router>, caller: Caller, link: Link, largest: usize) {
    let Link { tx, mut rx } = link;
    let opened = Opened(Tap::open(&router, &caller));
    let caller = Caller { link: opened.0.link(), ..caller };
    let out = Out { tx, largest, tap: opened.0.clone(), method: None, begun: None };
    let mut calls = Calls { router, caller, out, open: HashMap::new(), running: FuturesUnordered::new() };
    loop {
        tokio::select! {
            message = rx.recv() => match message {
                None => break,
                Some(Message::Text(text)) => {
                    if calls.take(&text).await.is_err() {
                        break;
                    }
                }
                // Records go from the engine to its callers, never the other way.
                Some(Message::Binary(bytes)) => calls.out.came(Crossed::Other, bytes.len()),
            },
            Some((id, answered)) = calls.running.next(), if !calls.running.is_empty() => {
                calls.forget(&id, &answered);
            }
        }
    }
    drop(rx);
    drop(opened);
    calls.finish().await;
}

/// Set by whoever gives the call its one end: the call itself, or the cancellation. Also tells two calls apart
/// that used the same id one after the other.
type Answered = Arc<AtomicBool>;

struct OpenCall {
    /// Drops the handler.
    stop: AbortHandle,
    /// Keeps the last frame from being sent.
    silence: AbortHandle,
    answered: Answered,
    credit: Credit,
    out: Out,
}

/// What a caller's `$/credit` means to a call.
#[derive(Clone)]
enum Credit {
    /// Nothing: it answers once.
    Unary,
    /// Items that may be sent.
    Items(Arc<Semaphore>),
    /// Bytes that were consumed; the method sees their sum.
    Bytes(watch::Sender<u64>),
}

impl Credit {
    fn of(handler: &Handler) -> Credit {
        match handler {
            Handler::Unary(_) => Credit::Unary,
            Handler::Stream(_) => Credit::Items(Arc::new(Semaphore::new(INITIAL_CREDIT as usize))),
            Handler::Feed(_) => Credit::Bytes(watch::Sender::new(0)),
        }
    }

    fn grant(&self, n: u32) {
        match self {
            Credit::Unary => {}
            Credit::Items(items) => {
                // A caller that grants beyond the semaphore's range has granted everything already.
                let room = Semaphore::MAX_PERMITS - items.available_permits();
                items.add_permits((n as usize).min(room));
            }
            Credit::Bytes(total) => total.send_modify(|total| *total = total.saturating_add(u64::from(n))),
        }
    }

    /// Whether the call ends with an `$/end` instead of a response.
    fn streams(&self) -> bool {
        !matches!(self, Credit::Unary)
    }
}

/// The calls of one link.
struct Calls {
    router: Arc<Router>,
    caller: Caller,
    out: Out,
    open: HashMap<RequestId, OpenCall>,
    running: FuturesUnordered<BoxFuture<'static, (RequestId, Answered)>>,
}

impl Calls {
    /// Does what a frame asks for. Fails when the other end is gone.
    async fn take(&mut self, text: &str) -> Result<(), ApiError> {
        let bytes = text.len();
        match Frame::parse(text) {
            Ok(Frame::Request { id, method, params, key }) => {
                let known = self.router.spec(&method).map(|spec| spec.name);
                let out = Out { method: known, begun: Some(self.out.tap.now_ms()), ..self.out.clone() };
                out.came(Crossed::Call, bytes);
                if let Err(error) = self.start(&id, &method, params, key, &out) {
                    return out.send_last(Frame::Response { id: Some(id), result: Err(error) }).await;
                }
            }
            Ok(Frame::Cancel { id }) => {
                let call = self.open.remove(&id);
                call.as_ref().map_or(&self.out, |call| &call.out).came(Crossed::Cancel, bytes);
                if let Some(call) = call {
                    call.stop.abort();
                    if !call.answered.swap(true, Ordering::SeqCst) {
                        return call.out.send_last(canceled(id, call.credit.streams())).await;
                    }
                }
            }
            Ok(Frame::Credit { id, n }) => {
                let call = self.open.get(&id);
                call.map_or(&self.out, |call| &call.out).came(Crossed::Credit, bytes);
                if let Some(call) = call {
                    call.credit.grant(n);
                }
            }
            Ok(Frame::Response { .. } | Frame::Item { .. } | Frame::End { .. }) => {
                self.out.came(Crossed::Other, bytes);
            }
            Err(error) => {
                self.out.came(Crossed::Other, bytes);
                return self.out.send_last(Frame::Response { id: None, result: Err(error) }).await;
            }
        }
        Ok(())
    }

    /// Begins a call, or says why not.
    fn start(
        &mut self,
        id: &RequestId,
        method: &str,
        params: Box<RawValue>,
        key: Option<String>,
        out: &Out,
    ) -> Result<(), ApiError> {
        if self.open.contains_key(id) {
            return Err(ApiError::invalid("duplicate_id", "A call with this id is still open."));
        }
        if self.open.len() >= MAX_OPEN_CALLS {
            return Err(ApiError::invalid("too_many_calls", "Too many calls are open on this connection."));
        }
        let (spec, handler) = self.router.allow(&self.caller, method)?;
        let once = key.map(|key| self.keyed(&spec, &handler, key)).transpose()?.flatten();
        let (stop, stopping) = AbortHandle::new_pair();
        let (silence, silencing) = AbortHandle::new_pair();
        let answered = Answered::default();
        let credit = Credit::of(&handler);
        let call = OpenCall {
            stop,
            silence,
            answered: Arc::clone(&answered),
            credit: credit.clone(),
            out: out.clone(),
        };
        let (caller, out) = (self.caller.clone(), out.clone());
        self.open.insert(id.clone(), call);
        let id = id.clone();
        self.running.push(Box::pin(async move {
            let asked = Params { caller, id: id.clone(), params, once };
            let work = answer(handler, asked, &out, credit);
            // Stopped means canceled; the answer to that is sent where the cancel arrived.
            if let Ok(last) = Abortable::new(work, stopping).await
                && !answered.swap(true, Ordering::SeqCst)
            {
                // The other end being gone is not an error of this call: nobody is left to be told.
                let _gone = Abortable::new(out.send_last(last), silencing).await;
            }
            (id, answered)
        }));
        Ok(())
    }

    /// Who keeps the key of a call; `None` for a method that only looks.
    fn keyed(&self, spec: &MethodSpec, handler: &Handler, key: String) -> Result<Option<Kept>, ApiError> {
        once::check(&key)?;
        if !matches!(handler, Handler::Unary(_)) {
            return Err(once::refused("Only calls with one answer can carry a key."));
        }
        if spec.scope.only_looks() {
            return Ok(None);
        }
        let keeper = self.router.once().ok_or_else(|| once::refused("Keys are not kept here."))?;
        let caller = self.caller.name.clone();
        Ok(Some((keeper, Keyed { caller, method: spec.name, key, params: String::new() })))
    }

    /// Takes a call that has run to its end out of the open ones, unless its id already names another.
    fn forget(&mut self, id: &RequestId, answered: &Answered) {
        if self.open.get(id).is_some_and(|call| Arc::ptr_eq(&call.answered, answered)) {
            self.open.remove(id);
        }
    }

    /// Lets the unary calls run to their end after the other end has gone.
    async fn finish(mut self) {
        for call in self.open.values() {
            call.silence.abort();
            if call.credit.streams() {
                call.stop.abort();
            }
        }
        while self.running.next().await.is_some() {}
    }
}

fn defect() -> ApiError {
    ApiError::internal("The engine met a defect while answering; it goes on running.")
}

fn canceled(id: RequestId, streams: bool) -> Frame {
    let error = ApiError::canceled();
    if streams {
        Frame::End { id, error: Some(error) }
    } else {
        Frame::Response { id: Some(id), result: Err(error) }
    }
}

/// A call with a key, and who keeps it.
type Kept = (Arc<dyn Once>, Keyed);

/// What a call asks for.
struct Params {
    caller: Caller,
    id: RequestId,
    params: Box<RawValue>,
    once: Option<Kept>,
}

/// Runs a call; a stream's items are sent on the way. The result is the call's last frame.
async fn answer(handler: Handler, asked: Params, out: &Out, credit: Credit) -> Frame {
    let Params { caller, id, params, once } = asked;
    match (handler, credit) {
        (Handler::Unary(handle), _) => {
            let work = match once {
                None => handle(caller, params),
                Some((keeper, call)) => {
                    let call = Keyed { params: params.get().to_owned(), ..call };
                    keeper.once(call, handle(caller, params))
                }
            };
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            Frame::Response { id: Some(id), result: outcome.unwrap_or_else(|_| Err(defect())) }
        }
        (Handler::Stream(handle), Credit::Items(credit)) => {
            let streaming = AssertUnwindSafe(stream(handle(caller, params), &id, out, &credit));
            let ended = streaming.catch_unwind().await.unwrap_or_else(|_| Err(defect()));
            Frame::End { id, error: ended.err() }
        }
        (Handler::Feed(handle), Credit::Bytes(total)) => {
            let start = |consumed| handle(caller, params, consumed);
            let feeding = AssertUnwindSafe(feed(start, total, &id, out));
            let ended = feeding.catch_unwind().await.unwrap_or_else(|_| Err(defect()));
            Frame::End { id, error: ended.err() }
        }
        // `Credit::of` made the credit from this handler.
        (Handler::Stream(_) | Handler::Feed(_), _) => Frame::End { id, error: Some(defect()) },
    }
}

async fn feed<F>(
    start: impl FnOnce(Consumed) -> F,
    total: watch::Sender<u64>,
    id: &RequestId,
    out: &Out,
) -> Result<(), ApiError>
where
    F: Future<Output = Result<RecordStream, ApiError>>,
{
    let call = match id {
        RequestId::Number(id) => u32::try_from(*id).ok(),
        RequestId::Text(_) => None,
    };
    let Some(call) = call else {
        return Err(ApiError::invalid("feed_id", "A feed's call needs a number below 2^32 as its id."));
    };
    let mut records = start(Consumed(total.subscribe())).await?;
    while let Some(record) = records.next().await {
        let record = record?;
        if record.bytes.len() > MAX_RECORD_BYTES {
            return Err(ApiError::too_large(record.bytes.len(), MAX_RECORD_BYTES));
        }
        out.send(Crossed::Record, Message::Binary(record.to_message(call)), None).await?;
    }
    Ok(())
}

async fn stream<F, S>(start: F, id: &RequestId, out: &Out, credit: &Semaphore) -> Result<(), ApiError>
where
    F: Future<Output = Result<S, ApiError>>,
    S: futures_util::Stream<Item = Result<Box<RawValue>, ApiError>> + Unpin,
{
    let mut items = start.await?;
    let mut seq = 0;
    while let Some(value) = items.next().await {
        let value = value?;
        credit.acquire().await.map_err(|_| ApiError::canceled())?.forget();
        let item = Frame::Item { id: id.clone(), seq, value }.to_message_within(out.largest)?;
        out.send(Crossed::Item, item, None).await?;
        seq += 1;
    }
    Ok(())
}
