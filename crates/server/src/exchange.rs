//! One request to a model, from the moment it is allowed to the moment it is settled.
//!
//! It runs in a task of its own, so that it is settled whatever becomes of the handler or the connection.

use std::time::Duration;

use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt as _, StreamExt as _};
use gateway::{CancellationToken, ChatStream, GatewayError, Journal, Outcome, Route, Send, Served};
use llm::{ChatChunk, ChatResponse, Fold, StreamEvent, Usage};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at};

use crate::audit::{Entry, Event};
use crate::clients::ClientSocket;
use crate::error::ApiError;
use crate::identity::Principal;
use crate::limits::Permit;
use crate::running::Listed;
use crate::state::State;
use crate::usage::{Bill, cost};

/// A comment goes to the client when there has been nothing to say for so long.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A request that may leave.
pub(crate) struct Exchange {
    pub state: web::Data<State>,
    pub request_id: String,
    pub principal: Principal,
    pub entry: Entry,
    pub body: Bytes,
    pub routes: Vec<Route>,
    pub streamed: bool,
    pub include_usage: bool,
    pub ceiling_microusd: Option<u64>,
    pub cancel: CancellationToken,
    pub started_ms: i64,
    pub permit: Permit,
    /// Keeps the request cancellable until it is settled.
    pub listed: Listed,
}

/// What the handler is told once an upstream has begun to answer, or has failed to.
pub(crate) enum Head {
    /// A stream follows.
    Stream { body: mpsc::Receiver<Bytes> },
    /// The whole answer.
    Whole(Box<ChatResponse>, Usage, Option<u64>),
}

/// How an exchange ended.
struct End {
    event: Event,
    error: Option<ApiError>,
    usage: Option<Usage>,
    served: Option<Served>,
    model: String,
}

impl Exchange {
    /// Runs to the end. `head` is answered once; when its receiver is gone, so is the client.
    pub async fn run(self, client: Option<ClientSocket>, mut head: oneshot::Sender<Result<Head, ApiError>>) {
        let journal = Journal::default();
        let send = Send {
            body: self.body.clone(),
            routes: &self.routes,
            created: u64::try_from(self.started_ms / 1_000).unwrap_or_default(),
            journal: journal.clone(),
        };
        let watcher = self.watch(client);
        let opened = tokio::select! {
            biased;
            () = head.closed() => Err(GatewayError::Canceled),
            opened = self.state.gateway.stream(send, self.cancel.clone()) => opened,
        };
        let end = match opened {
            Err(error) => {
                let end = self.not_opened(error, &journal);
                let error = end.error.clone();
                self.settle(end, &journal).await;
                if let Some(error) = error {
                    // Nobody may be waiting any more; it is recorded all the same.
                    let _ = head.send(Err(error));
                }
                watcher.abort();
                return;
            }
            Ok(stream) if self.streamed => self.stream(stream, head).await,
            Ok(stream) => self.whole(stream, head).await,
        };
        watcher.abort();
        self.settle(end, &journal).await;
    }

    /// Cancels when the client closes its connection.
    fn watch(&self, client: Option<ClientSocket>) -> tokio::task::JoinHandle<()> {
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            match client {
                Some(client) => match client.closed().await {
                    Ok(()) => cancel.cancel(),
                    Err(error) => tracing::warn!(%error, "a connection cannot be watched"),
                },
                None => std::future::pending().await,
            }
        })
    }

    /// No upstream has begun to answer.
    fn not_opened(&self, error: GatewayError, journal: &Journal) -> End {
        let tries = journal.tries();
        // A request that was on its way when it was canceled may have been worked on, and billed.
        let on_its_way = tries.last().is_some_and(|last| last.outcome == Outcome::Canceled);
        let usage = on_its_way.then(|| llm::Tally::new(self.body.len()).usage());
        let event = match &error {
            GatewayError::Canceled => Event::Canceled,
            _ => Event::Failed,
        };
        End { event, error: Some(error.into()), usage, served: None, model: String::new() }
    }

    /// Streams to the client, events that are ready together in one write.
    async fn stream(&self, mut stream: ChatStream, head: oneshot::Sender<Result<Head, ApiError>>) -> End {
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
                    if body.send(Bytes::from_static(b": keep-alive\n\n")).await.is_err() {
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
                next = if result.is_some() { None } else { stream.next().now_or_never() };
            }
            if result.is_some() {
                self.permit.release();
            }
            if !out.is_empty() {
                keep_alive.reset();
                if body.send(out.freeze()).await.is_err() {
                    return self.ended(&stream, model, result.unwrap_or(Err(GatewayError::Canceled)));
                }
            }
            if let Some(result) = result {
                return self.ended(&stream, model, result);
            }
            if self.over_ceiling(&stream, &model) {
                let error = ceiling_reached();
                // The client may be gone; either way this is the end.
                let _ = body.send(event_of(&error.body())).await;
                let event = Event::Cut;
                return End { error: Some(error), event, ..self.ended(&stream, model, Ok(())) };
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

    /// Collects the whole answer; the upstream streams all the same, so that this can be stopped.
    async fn whole(&self, mut stream: ChatStream, mut head: oneshot::Sender<Result<Head, ApiError>>) -> End {
        let mut fold = Fold::default();
        let mut model = String::new();
        let result = loop {
            let event = tokio::select! {
                biased;
                () = head.closed() => break Err(GatewayError::Canceled),
                event = stream.next() => event,
            };
            match event {
                Some(Ok(StreamEvent::Chunk(chunk))) => {
                    if model.is_empty() {
                        model.clone_from(&chunk.model);
                    }
                    fold.push(chunk);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
            if self.over_ceiling(&stream, &model) {
                let error = ceiling_reached();
                let _ = head.send(Err(error.clone()));
                return End { error: Some(error), event: Event::Cut, ..self.ended(&stream, model, Ok(())) };
            }
        };
        let end = self.ended(&stream, model, result);
        let usage = stream.usage();
        let reply = match &end.error {
            None => {
                let cost = self.cost(stream.served(), &end.model, &usage);
                Ok(Head::Whole(Box::new(fold.finish()), usage, cost))
            }
            Some(error) => Err(error.clone()),
        };
        self.permit.release();
        // Nobody may be waiting any more; it is recorded all the same.
        let _ = head.send(reply);
        end
    }

    fn ended(&self, stream: &ChatStream, model: String, result: Result<(), GatewayError>) -> End {
        let event = match &result {
            Ok(()) => Event::Served,
            Err(GatewayError::Canceled) => Event::Canceled,
            Err(_) => Event::Cut,
        };
        End {
            event,
            error: result.err().map(ApiError::from),
            usage: Some(stream.usage()),
            served: Some(stream.served().clone()),
            model,
        }
    }

    fn over_ceiling(&self, stream: &ChatStream, model: &str) -> bool {
        let Some(ceiling) = self.ceiling_microusd else { return false };
        self.cost(stream.served(), model, &stream.usage()).is_some_and(|cost| cost > ceiling)
    }

    fn cost(&self, served: &Served, returned: &str, usage: &Usage) -> Option<u64> {
        cost(self.state.routes.catalogue(), &served.provider, &served.model, returned, usage)
    }

    fn created(&self) -> u64 {
        u64::try_from(self.started_ms / 1_000).unwrap_or_default()
    }

    /// Writes usage and the outcome. Whatever fails here is in the log; the intent is already on record.
    async fn settle(self, end: End, journal: &Journal) {
        let now = self.state.env.now_ms();
        let tries = journal.tries();
        let mut entry = self.entry;
        entry.event = end.event;
        entry.usage = end.usage;
        entry.error = end.error.map(|error| error.code.to_owned());
        entry.latency_ms = Some(now - self.started_ms);
        if let (Some(usage), Some(last)) = (end.usage, tries.last()) {
            let (provider, asked) = match &end.served {
                Some(served) => (served.provider.as_str(), served.model.as_str()),
                None => (last.provider.as_str(), last.model.as_str()),
            };
            let bill = Bill {
                request_id: &self.request_id,
                principal: &self.principal,
                job: entry.job.as_deref(),
                provider,
                asked,
                returned: &end.model,
                usage,
                outcome: end.event.as_str(),
                at_ms: now,
            };
            let catalogue = self.state.routes.catalogue();
            entry.cost_microusd = bill.cost(catalogue);
            if let Err(error) = self.state.store.settle_usage(&bill.row(catalogue)).await {
                tracing::error!(%error, request_id = self.request_id, "usage cannot be stored");
            }
        }
        entry.tries = tries.into_iter().map(Into::into).collect();
        if let Err(error) = self.state.audit.append(&self.request_id, entry).await {
            tracing::error!(%error, request_id = self.request_id, "the outcome cannot be recorded");
        }
        drop(self.listed);
    }
}

fn ceiling_reached() -> ApiError {
    let status = actix_web::http::StatusCode::CONFLICT;
    ApiError::new(status, "ceiling_reached", "the approved cost is used up; the answer was stopped there")
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
