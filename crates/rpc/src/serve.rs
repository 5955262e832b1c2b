//! Answers the calls of one link.

use crate::caller::Caller;
use crate::error::ApiError;
use crate::frame::{Frame, RequestId};
use crate::link::{Link, Message};
use crate::router::{Handler, Router};
use futures_util::future::{AbortHandle, Abortable, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Items of a stream that may be sent before the caller grants more.
pub const INITIAL_CREDIT: u32 = 64;

/// Calls that one link may have open at once.
pub const MAX_OPEN_CALLS: usize = 256;

struct OpenCall {
    abort: AbortHandle,
    credit: Arc<Semaphore>,
    streams: bool,
}

/// Serves `link` with the methods of `router` until the other end goes; open calls end with it.
///
/// All calls run inside this one future: the host decides where it is driven. A call that panics answers
/// `internal` and harms no other.
pub async fn serve(router: Arc<Router>, caller: Caller, link: Link) {
    let Link { tx, mut rx } = link;
    let mut open: HashMap<RequestId, OpenCall> = HashMap::new();
    let mut running = FuturesUnordered::new();
    loop {
        let message = tokio::select! {
            message = rx.recv() => message,
            Some(id) = running.next(), if !running.is_empty() => {
                open.remove(&id);
                continue;
            }
        };
        let text = match message {
            None => return,
            Some(Message::Text(text)) => text,
            // Binary frames belong to terminal streams, which no method of this API version opens.
            Some(Message::Binary(_)) => continue,
        };
        match Frame::parse(&text) {
            Ok(Frame::Request { id, method, params }) => {
                let refused = if open.contains_key(&id) {
                    Some(ApiError::invalid("duplicate_id", "A call with this id is still open."))
                } else if open.len() >= MAX_OPEN_CALLS {
                    Some(ApiError::invalid("too_many_calls", "Too many calls are open on this connection."))
                } else {
                    None
                };
                let handler = refused.map_or_else(|| router.allow(&caller, &method), Err);
                match handler {
                    Err(error) => {
                        if send(&tx, &Frame::Response { id: Some(id), result: Err(error) }).await.is_err() {
                            return;
                        }
                    }
                    Ok(handler) => {
                        let credit = Arc::new(Semaphore::new(INITIAL_CREDIT as usize));
                        let streams = matches!(handler, Handler::Stream(_));
                        let call = answer(
                            handler,
                            caller.clone(),
                            id.clone(),
                            params,
                            tx.clone(),
                            Arc::clone(&credit),
                        );
                        let (abort, registration) = AbortHandle::new_pair();
                        open.insert(id.clone(), OpenCall { abort, credit, streams });
                        running.push(async move {
                            // Aborted means canceled; the answer to that is sent where the cancel arrived.
                            let _aborted = Abortable::new(call, registration).await;
                            id
                        });
                    }
                }
            }
            Ok(Frame::Cancel { id }) => {
                if let Some(call) = open.get(&id) {
                    call.abort.abort();
                    let frame = canceled(id, call.streams);
                    if send(&tx, &frame).await.is_err() {
                        return;
                    }
                }
            }
            Ok(Frame::Credit { id, n }) => {
                if let Some(call) = open.get(&id) {
                    // A caller that grants beyond the semaphore's range has granted everything already.
                    let room = Semaphore::MAX_PERMITS - call.credit.available_permits();
                    call.credit.add_permits((n as usize).min(room));
                }
            }
            Ok(Frame::Response { .. } | Frame::Item { .. } | Frame::End { .. }) => {}
            Err(error) => {
                if send(&tx, &Frame::Response { id: None, result: Err(error) }).await.is_err() {
                    return;
                }
            }
        }
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

async fn answer(
    handler: Handler,
    caller: Caller,
    id: RequestId,
    params: Box<RawValue>,
    tx: mpsc::Sender<Message>,
    credit: Arc<Semaphore>,
) {
    let last = match handler {
        Handler::Unary(handle) => {
            let outcome = AssertUnwindSafe(handle(caller, params)).catch_unwind().await;
            Frame::Response { id: Some(id), result: outcome.unwrap_or_else(|_| Err(defect())) }
        }
        Handler::Stream(handle) => {
            let streaming = AssertUnwindSafe(stream(handle(caller, params), &id, &tx, &credit));
            let ended = streaming.catch_unwind().await.unwrap_or_else(|_| Err(defect()));
            Frame::End { id, error: ended.err() }
        }
    };
    // The other end being gone is not an error of this call: nobody is left to be told.
    let _gone = send(&tx, &last).await;
}

async fn stream<F, S>(
    start: F,
    id: &RequestId,
    tx: &mpsc::Sender<Message>,
    credit: &Semaphore,
) -> Result<(), ApiError>
where
    F: Future<Output = Result<S, ApiError>>,
    S: futures_util::Stream<Item = Result<Box<RawValue>, ApiError>> + Unpin,
{
    let mut items = start.await?;
    let mut seq = 0;
    while let Some(value) = items.next().await {
        let value = value?;
        credit.acquire().await.map_err(|_| ApiError::canceled())?.forget();
        send(tx, &Frame::Item { id: id.clone(), seq, value }).await?;
        seq += 1;
    }
    Ok(())
}

async fn send(tx: &mpsc::Sender<Message>, frame: &Frame) -> Result<(), ApiError> {
    tx.send(Message::Text(frame.to_text()?)).await.map_err(|_| ApiError::link_closed())
}
