//! The answer as a stream: what the client gets for each event, until the last.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _};
use gateway::{CancellationToken, ChatStream, GatewayError};
use llm::StreamEvent;
use llm::inbound::Writer;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::{End, Exchange, Head, ceiling_reached};
use crate::audit::Event;
use crate::error::ApiError;

/// A sign of life goes to the client when there has been nothing to say for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that follow a write so soon are a burst: it pays to see whether there are more.
const BURST: Duration = Duration::from_millis(1);

/// Events that go out in one write at most: each may have waited for a turn of the thread.
const MOST_GATHERED: usize = 64;

/// Room that an event has without growing; most take less.
const USUAL_WRITE: usize = 512;

/// Events that are ready are no longer added to a write of this size: what waits for a slow client stays bounded.
const LARGEST_WRITE: usize = 16 * 1024;

impl Exchange {
    /// Streams to the client, events that are ready together in one write.
    pub(super) async fn stream(
        &mut self,
        mut stream: ChatStream,
        head: oneshot::Sender<Result<Head, ApiError>>,
    ) -> End {
        let (body, receiver) = mpsc::channel(32);
        let mut model = String::new();
        let upstream = self.upstream(&stream);
        if head.send(Ok(Head::Stream { body: receiver, upstream })).is_err() {
            return self.ended(&stream, model, Err(GatewayError::Canceled));
        }
        let mut writer = Writer::new(&self.inbound, self.opening(&stream.usage()));
        let mut written = Instant::now();
        let (mut closed, mut keep_alive) = (pin!(body.closed()), pin!(sleep_until(written + KEEP_ALIVE)));
        loop {
            let mut out = BytesMut::with_capacity(USUAL_WRITE);
            let first = tokio::select! {
                biased;
                () = &mut closed => return self.ended(&stream, model, Err(GatewayError::Canceled)),
                event = stream.next() => event,
                () = &mut keep_alive => {
                    // Set anew only when it is over, not with each event.
                    let silent = written + KEEP_ALIVE <= keep_alive.deadline();
                    if silent {
                        writer.keep_alive(&mut out);
                        if self.deliver(&body, out.freeze()).await.is_err() {
                            return self.ended(&stream, model, Err(GatewayError::Canceled));
                        }
                        written = Instant::now();
                    }
                    keep_alive.as_mut().reset(written + KEEP_ALIVE);
                    continue;
                }
            };
            let is_burst = written.elapsed() < BURST;
            let (mut next, mut result, mut gathered) = (Some(first), None, 0);
            while let Some(event) = next {
                result = self.write_event(event, &mut stream, &mut model, (&mut writer, &mut out));
                gathered += 1;
                let full = result.is_some() || out.len() >= LARGEST_WRITE || gathered >= MOST_GATHERED;
                next = match (full, is_burst) {
                    (true, _) => None,
                    (false, true) => soon(stream.next()).await,
                    (false, false) => stream.next().now_or_never(),
                };
            }
            if result.is_some() {
                self.over(&stream, &model);
            }
            if !out.is_empty() {
                written = Instant::now();
                if self.deliver(&body, out.freeze()).await.is_err() {
                    return self.ended(&stream, model, result.unwrap_or(Err(GatewayError::Canceled)));
                }
            }
            if let Some(result) = result {
                return self.ended(&stream, model, result);
            }
            if self.over_ceiling(&stream, &model) {
                let error = ceiling_reached();
                let mut out = BytesMut::new();
                writer.failed(&error.failure(&self.request_id), &mut out);
                // The client may be gone; either way this is the end.
                let _ = self.deliver(&body, out.freeze()).await;
                let event = Event::Cut;
                return End { error: Some(error), event, ..self.ended(&stream, model, Ok(())) };
            }
        }
    }

    async fn deliver(&self, body: &mpsc::Sender<Bytes>, bytes: Bytes) -> Result<(), GatewayError> {
        let idle = Duration::from_secs(self.state.settings.upstream.idle_s);
        deliver(body, bytes, (&self.cancel, idle), &self.request_id).await
    }

    /// Appends what the client gets for an event; a result when it was the last one. Where the provider speaks the client's
    /// dialect, the client gets the provider's own words, and ours only for an error.
    fn write_event(
        &self,
        event: Option<Result<StreamEvent, GatewayError>>,
        stream: &mut ChatStream,
        model: &mut String,
        (writer, out): (&mut Writer, &mut BytesMut),
    ) -> Option<Result<(), GatewayError>> {
        let passes_through = stream.passes_through();
        stream.take_original().iter().for_each(|original| writer.original(original, out));
        match event {
            Some(Ok(StreamEvent::Done(_))) => {
                if !passes_through {
                    let usage = stream.usage();
                    writer.done(usage, self.cost(stream.served(), model, &usage), out);
                }
                Some(Ok(()))
            }
            Some(Ok(event)) => {
                if let StreamEvent::Chunk(chunk) = &event
                    && model.is_empty()
                {
                    model.clone_from(&chunk.model);
                }
                if !passes_through {
                    writer.event(event, out);
                }
                None
            }
            Some(Err(GatewayError::Canceled)) => Some(Err(GatewayError::Canceled)),
            Some(Err(error)) => {
                let text = error.to_string();
                let error = ApiError::from(error);
                writer.failed(&error.failure(&self.request_id), out);
                // Its words name who failed already.
                Some(Err(GatewayError::Cut { provider: String::new(), message: text }))
            }
            // The gateway ends every stream with `Done` or an error.
            None => Some(Ok(())),
        }
    }
}

/// What is ready, or is as soon as everything else that wants to run on this thread has run. The task that reads the
/// provider's connection hands over one piece at a time and goes on only when that is taken: without giving it its turn, a
/// burst of events would become as many writes.
async fn soon<F: Future>(next: F) -> Option<F::Output> {
    let mut next = pin!(next);
    let mut waited = false;
    poll_fn(|cx| match next.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if waited => Poll::Ready(None),
        Poll::Pending => {
            waited = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Hands bytes to the connection. While a client that does not read keeps them waiting nobody polls the upstream, so that
/// canceling and the limit of silence are watched here.
pub(super) async fn deliver(
    body: &mpsc::Sender<Bytes>,
    bytes: Bytes,
    (cancel, idle): (&CancellationToken, Duration),
    request_id: &str,
) -> Result<(), GatewayError> {
    let bytes = match body.try_send(bytes) {
        Ok(()) => return Ok(()),
        Err(TrySendError::Closed(_)) => return Err(GatewayError::Canceled),
        Err(TrySendError::Full(bytes)) => bytes,
    };
    tokio::select! {
        biased;
        sent = body.send(bytes) => sent.map_err(|_| GatewayError::Canceled),
        () = cancel.cancelled() => Err(GatewayError::Canceled),
        () = tokio::time::sleep(idle) => {
            tracing::warn!(request_id, ?idle, "the client has stopped reading; its request is canceled");
            Err(GatewayError::Canceled)
        }
    }
}
