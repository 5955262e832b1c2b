//! A recording on its way to a provider, and the transcript back.

use std::time::Duration;

use actix_web::web;
use bytes::{Bytes, BytesMut};
use gateway::{CancellationToken, Gateway, GatewayError, Journal, Outcome, Route, TranscriptStream};
use llm::inbound::Door;
use llm::inbound::transcription::{Counted, Transcription, counted};
use llm::sse::{SseDecoder, SseEvent};
use tokio::sync::{mpsc, oneshot};

use super::settle::{Over, settle};
use super::stream::deliver;
use super::{End, Held, watched};
use crate::audit::{Entry, Event};
use crate::clients::ClientSocket;
use crate::error::ApiError;
use crate::identity::Principal;
use crate::state::State;

/// Largest event of a stream that is looked into for what was used.
const LARGEST_EVENT: usize = 1024 * 1024;

/// A request for a transcript that may leave.
pub(crate) struct Transcribing {
    pub state: web::Data<State>,
    /// With connections of this thread.
    pub gateway: Gateway,
    pub request_id: String,
    pub principal: Principal,
    pub entry: Entry,
    pub request: Transcription,
    pub routes: Vec<Route>,
    pub cancel: CancellationToken,
    pub started_ms: i64,
    pub journal: Journal,
    /// What is given back when it is settled; gone when it is.
    pub held: Option<Held>,
}

/// What the handler is told once a provider has answered, or has failed to.
pub(crate) struct Head {
    /// As the provider says.
    pub content_type: Option<String>,
    pub body: Answer,
}

pub(crate) enum Answer {
    /// A stream follows.
    Stream(mpsc::Receiver<Bytes>),
    /// All of it.
    Whole(Bytes),
}

type Waiting = oneshot::Sender<Result<Head, ApiError>>;

impl Transcribing {
    /// Runs to the end. `head` is answered once; when its receiver is gone, so is the client.
    pub async fn run(mut self, client: Option<ClientSocket>, head: Waiting) {
        let cancel = self.cancel.clone();
        watched(Box::pin(self.exchanged(head)), client, &cancel).await;
    }

    async fn exchanged(&mut self, mut head: Waiting) {
        let opened = tokio::select! {
            biased;
            () = head.closed() => Err(GatewayError::Canceled),
            opened = self.gateway.transcribe(&self.request, &self.routes, &self.journal, self.cancel.clone()) => opened,
        };
        match opened {
            Err(error) => {
                let event =
                    if matches!(error, GatewayError::Canceled) { Event::Canceled } else { Event::Failed };
                let (error, usage) = (ApiError::from(error), self.on_its_way());
                self.settle(End {
                    event,
                    error: Some(error.clone()),
                    usage,
                    served: None,
                    model: String::new(),
                });
                // Nobody may be waiting any more; it is recorded all the same.
                let _ = head.send(Err(error));
            }
            Ok(stream) if self.request.stream => self.stream(stream, head).await,
            Ok(stream) => self.whole(stream, head).await,
        }
    }

    async fn whole(&mut self, mut stream: TranscriptStream, mut head: Waiting) {
        let mut answer = BytesMut::new();
        let result = loop {
            let piece = tokio::select! {
                biased;
                () = head.closed() => break Err(GatewayError::Canceled),
                piece = stream.next() => piece,
            };
            match piece {
                Some(Ok(piece)) => answer.extend_from_slice(&piece),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        let answer = answer.freeze();
        let error = self.ended(&stream, counted(&answer), result);
        let content_type = stream.content_type.clone();
        let reply = error.map_or(Ok(Head { content_type, body: Answer::Whole(answer) }), Err);
        // Nobody may be waiting any more; it is recorded all the same.
        let _ = head.send(reply);
    }

    /// Passes events on as they come.
    async fn stream(&mut self, mut stream: TranscriptStream, head: Waiting) {
        let (body, receiver) = mpsc::channel(32);
        let content_type = stream.content_type.clone();
        let mut said = Counted::default();
        if head.send(Ok(Head { content_type, body: Answer::Stream(receiver) })).is_err() {
            self.ended(&stream, said, Err(GatewayError::Canceled));
            return;
        }
        let mut events = SseDecoder::with_limit(LARGEST_EVENT);
        let result = loop {
            let piece = tokio::select! {
                biased;
                () = body.closed() => break Err(GatewayError::Canceled),
                piece = stream.next() => piece,
            };
            match piece {
                Some(Ok(piece)) => {
                    // What cannot be read is passed on all the same, and estimated.
                    let read = events.push(&piece).unwrap_or_default();
                    read.iter().for_each(|event| note(event, &mut said));
                    if let Err(error) = self.deliver(&body, piece).await {
                        break Err(error);
                    }
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        events.finish().unwrap_or_default().iter().for_each(|event| note(event, &mut said));
        if let Some(error) = self.ended(&stream, said, result) {
            let text = Door::Chat.error(&error.failure(&self.request_id));
            // The client may be gone; either way this is the end.
            let _ = self.deliver(&body, Bytes::from(format!("data: {text}\n\n"))).await;
        }
    }

    async fn deliver(&self, body: &mpsc::Sender<Bytes>, bytes: Bytes) -> Result<(), GatewayError> {
        let idle = Duration::from_secs(self.state.settings.upstream.idle_s);
        deliver(body, bytes, (&self.cancel, idle), &self.request_id).await
    }

    /// Settles an answer that had begun; the error it ended with.
    fn ended(
        &mut self,
        stream: &TranscriptStream,
        said: Counted,
        result: Result<(), GatewayError>,
    ) -> Option<ApiError> {
        let event = match &result {
            Ok(()) => Event::Served,
            Err(GatewayError::Canceled) => Event::Canceled,
            Err(_) => Event::Cut,
        };
        let error = result.err().map(ApiError::from);
        self.entry.audio_ms = said.seconds.map(|seconds| (seconds * 1e3) as u64);
        let usage = Some(self.request.used(&said));
        let (served, error_told) = (Some(stream.served.clone()), error.clone());
        self.settle(End { event, error, usage, served, model: String::new() });
        error_told
    }

    /// An estimate for a request that was on its way when it was canceled: it may have been worked on, and billed.
    fn on_its_way(&self) -> Option<llm::Usage> {
        let tries = self.journal.tries();
        let last = tries.last()?;
        matches!(last.outcome, Outcome::Canceled | Outcome::Pending).then(|| self.request.estimate())
    }

    fn settle(&mut self, end: End) {
        let Some(held) = self.held.take() else { return };
        settle(
            Over {
                state: &self.state,
                request_id: &self.request_id,
                principal: &self.principal,
                entry: std::mem::take(&mut self.entry),
                tries: self.journal.take(),
                started_ms: self.started_ms,
                held,
            },
            end,
        );
    }
}

/// What an event says of what was used.
fn note(event: &SseEvent, said: &mut Counted) {
    if let SseEvent::Message { data, .. } = event {
        let counted = counted(data.as_bytes());
        said.usage = counted.usage.or(said.usage);
        said.seconds = counted.seconds.or(said.seconds);
    }
}

impl Drop for Transcribing {
    /// The thread it ran on has ended, or it panicked: it is settled as canceled.
    fn drop(&mut self) {
        if self.held.is_some() {
            let usage = self.on_its_way();
            self.settle(End {
                event: Event::Canceled,
                error: None,
                usage,
                served: None,
                model: String::new(),
            });
        }
    }
}
