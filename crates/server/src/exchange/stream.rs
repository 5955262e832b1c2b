//! The answer as a stream: what the client gets for each event, until the last.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _};
use gateway::{ChatStream, GatewayError};
use llm::{ChatChunk, StreamEvent};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at};

use super::{End, Exchange, Head, ceiling_reached};
use crate::audit::Event;
use crate::error::ApiError;

/// A comment goes to the client when there has been nothing to say for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

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
        if head.send(Ok(Head::Stream { body: receiver })).is_err() {
            return self.ended(&stream, model, Err(GatewayError::Canceled));
        }
        let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        loop {
            let first = tokio::select! {
                biased;
                () = body.closed() => return self.ended(&stream, model, Err(GatewayError::Canceled)),
                event = stream.next() => event,
                _ = keep_alive.tick() => {
                    if self.deliver(&body, Bytes::from_static(b": keep-alive\n\n")).await.is_err() {
                        return self.ended(&stream, model, Err(GatewayError::Canceled));
                    }
                    continue;
                }
            };
            let mut out = BytesMut::new();
            let mut next = Some(first);
            let mut result = None;
            while let Some(event) = next {
                result = self.write_event(event, &stream, &mut model, &mut out);
                let full = result.is_some() || out.len() >= LARGEST_WRITE;
                next = if full { None } else { stream.next().now_or_never() };
            }
            if result.is_some() {
                self.over(&stream, &model);
            }
            if !out.is_empty() {
                keep_alive.reset();
                if self.deliver(&body, out.freeze()).await.is_err() {
                    return self.ended(&stream, model, result.unwrap_or(Err(GatewayError::Canceled)));
                }
            }
            if let Some(result) = result {
                return self.ended(&stream, model, result);
            }
            if self.over_ceiling(&stream, &model) {
                let error = ceiling_reached();
                // The client may be gone; either way this is the end.
                let _ = self.deliver(&body, event_of(&error.body())).await;
                let event = Event::Cut;
                return End { error: Some(error), event, ..self.ended(&stream, model, Ok(())) };
            }
        }
    }

    /// Hands bytes to the connection. While a client that does not read keeps them waiting nobody polls the upstream, so
    /// that canceling and the limit of silence are watched here.
    async fn deliver(&self, body: &mpsc::Sender<Bytes>, bytes: Bytes) -> Result<(), GatewayError> {
        let limit = Duration::from_secs(self.state.settings.upstream.idle_s);
        tokio::select! {
            biased;
            sent = body.send(bytes) => sent.map_err(|_| GatewayError::Canceled),
            () = self.cancel.cancelled() => Err(GatewayError::Canceled),
            () = tokio::time::sleep(limit) => {
                let request_id = &self.request_id;
                tracing::warn!(request_id, ?limit, "the client has stopped reading; its request is canceled");
                Err(GatewayError::Canceled)
            }
        }
    }

    /// Appends what the client gets for an event; a result when it was the last one.
    fn write_event(
        &self,
        event: Option<Result<StreamEvent, GatewayError>>,
        stream: &ChatStream,
        model: &mut String,
        out: &mut BytesMut,
    ) -> Option<Result<(), GatewayError>> {
        match event {
            Some(Ok(StreamEvent::Chunk(mut chunk))) => {
                if model.is_empty() {
                    model.clone_from(&chunk.model);
                }
                if self.include_usage {
                    chunk.extra.insert("usage".into(), Value::Null);
                }
                write_chunk(&chunk, out);
                None
            }
            Some(Ok(StreamEvent::Done(_))) => {
                if self.include_usage {
                    let usage = stream.usage();
                    let price = self.cost(stream.served(), model, &usage);
                    let mut chunk = ChatChunk::new(&self.request_id, self.created(), model);
                    chunk.extra.insert("usage".into(), usage.to_openai(price));
                    write_chunk(&chunk, out);
                }
                out.extend_from_slice(b"data: [DONE]\n\n");
                Some(Ok(()))
            }
            Some(Ok(StreamEvent::KeepAlive)) => {
                out.extend_from_slice(b": keep-alive\n\n");
                None
            }
            // Usage is read from the stream at the end.
            Some(Ok(StreamEvent::Usage(_) | StreamEvent::Error(_))) => None,
            Some(Err(GatewayError::Canceled)) => Some(Err(GatewayError::Canceled)),
            Some(Err(error)) => {
                let text = error.to_string();
                out.extend_from_slice(&event_of(&ApiError::from(error).body()));
                let provider = stream.served().provider.clone();
                Some(Err(GatewayError::Cut { provider, message: text }))
            }
            // The gateway ends every stream with `Done` or an error.
            None => Some(Ok(())),
        }
    }
}

fn write_chunk(chunk: &ChatChunk, out: &mut BytesMut) {
    match serde_json::to_vec(chunk) {
        Ok(json) => {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(&json);
            out.extend_from_slice(b"\n\n");
        }
        Err(error) => tracing::error!(%error, "a chunk cannot be encoded"),
    }
}

/// An event with this JSON.
fn event_of(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}
