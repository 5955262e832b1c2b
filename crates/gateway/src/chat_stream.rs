use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use llm::inbound::{Original, Verbatim};
use llm::{LlmError, StreamDecoder, StreamEvent, Tally, Usage};
use reqwest::Response;
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::error::describe;
use crate::health::Leave;
use crate::journal::Entry;
use crate::send::{clean_message, read_limited, too_slow};
use crate::{GatewayConfig, GatewayError, Outcome, Route, Send, Served, Try};

type Body = Pin<Box<dyn Stream<Item = Result<Bytes, reqwest::Error>> + core::marker::Send>>;

/// An answer under way.
///
/// Items end with `Done` or with an error, never with neither. Directly before either, the final
/// [`StreamEvent::Usage`] has been given (estimated and marked if the provider was silent). Usage is also readable at
/// any moment by [`ChatStream::usage`]. Dropping the stream closes the upstream connection.
pub struct ChatStream {
    body: Option<Body>,
    decoder: StreamDecoder,
    verbatim: Option<Box<PassedThrough>>,
    ready: VecDeque<Result<StreamEvent, GatewayError>>,
    tally: Tally,
    entry: Entry,
    /// Told how it went, once.
    leave: Option<Leave>,
    served: Served,
    route: Route,
    cancel: CancellationToken,
    canceled: Pin<Box<WaitForCancellationFutureOwned>>,
    idle_limit: Duration,
    /// When it said something last; `None` before the first time.
    heard: Option<Instant>,
    /// Set anew only when it is over: nearly every event would move it, and none needs it.
    idle: Pin<Box<Sleep>>,
    total: Pin<Box<Sleep>>,
}

/// The provider's own events, for a caller that speaks its dialect.
struct PassedThrough {
    splitter: Verbatim,
    ready: Vec<Original>,
}

impl std::fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatStream")
            .field("served", &self.served)
            .field("usage", &self.usage())
            .finish_non_exhaustive()
    }
}

impl ChatStream {
    /// What has been used so far; an estimate, marked as such, where the provider has not said.
    pub fn usage(&self) -> Usage {
        self.tally.usage()
    }

    /// Who answers.
    pub fn served(&self) -> &Served {
        &self.served
    }

    /// Whether the answer is in the dialect of the request, so that [`ChatStream::take_original`] has all of it.
    pub fn passes_through(&self) -> bool {
        self.verbatim.is_some()
    }

    /// The provider's own events that belong to what has been taken from the stream, and perhaps a few more.
    pub fn take_original(&mut self) -> Vec<Original> {
        self.verbatim.as_mut().map(|verbatim| std::mem::take(&mut verbatim.ready)).unwrap_or_default()
    }

    /// Every attempt, in order, this one last.
    pub fn tries(&self) -> Vec<Try> {
        self.entry.journal().tries()
    }

    /// The health of the route is told how the answer ends.
    pub(crate) fn watched(mut self, mut leave: Leave) -> Self {
        leave.began();
        match self.body {
            // It is over already.
            None => leave.worked(),
            Some(_) => self.leave = Some(leave),
        }
        self
    }

    /// Takes over a successful reply and watches it until it has said something, so that an early failure can still
    /// go to another route.
    pub(crate) async fn begin(
        (response, started): (Response, Instant),
        route: &Route,
        send: &Send<'_>,
        entry: Entry,
        cancel: CancellationToken,
        config: &GatewayConfig,
    ) -> Result<Self, GatewayError> {
        let first_byte = started + config.first_byte;
        let served = Served::of(&response, route);
        let is_stream = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("text/event-stream"));
        let mut stream = Self {
            body: None,
            verbatim: None,
            // Each turn of a conversation has another body, and so other ids.
            decoder: StreamDecoder::new(route.dialect, send.created).seeded(|| llm::body_hash(&send.body)),
            ready: VecDeque::new(),
            tally: Tally::new(llm::counted_bytes(&send.body)),
            entry,
            leave: None,
            served,
            route: route.clone(),
            canceled: Box::pin(cancel.clone().cancelled_owned()),
            cancel,
            idle_limit: config.idle,
            heard: None,
            idle: Box::pin(sleep_until(first_byte)),
            total: Box::pin(sleep_until(started + config.total)),
        };
        if is_stream {
            if send.inbound.is_some_and(|inbound| inbound.passes_through(route.dialect)) {
                let splitter = Verbatim::default();
                stream.verbatim = Some(Box::new(PassedThrough { splitter, ready: Vec::new() }));
            }
            stream.body = Some(Box::pin(response.bytes_stream()));
            stream.peek(first_byte, config).await?;
        } else {
            let reading = read_limited(response, config.max_answer, route.who());
            let whole = timeout_at(started + config.total, reading).await;
            let whole = whole.map_err(|_| too_slow(route.who(), config.total)).flatten();
            if let Err(error) = whole.and_then(|body| stream.take_whole(send.created, &body)) {
                stream.entry.close(Outcome::Failed);
                return Err(error);
            }
        }
        Ok(stream)
    }

    /// Reads until there is content, an end, or `config.peek` has passed since the first event.
    async fn peek(&mut self, first_byte: Instant, config: &GatewayConfig) -> Result<(), GatewayError> {
        let mut held = VecDeque::new();
        let mut until = first_byte;
        loop {
            let waiting_for_first = held.is_empty();
            let event = match timeout_at(until, self.next()).await {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(_) if waiting_for_first => {
                    self.entry.close(Outcome::Failed);
                    return Err(too_slow(self.route.who(), config.first_byte));
                }
                Err(_) => break,
            };
            match event {
                Err(error) => return Err(early(error)),
                Ok(event) => {
                    let content = matches!(&event, StreamEvent::Chunk(chunk) if chunk.is_content());
                    held.push_back(Ok(event));
                    if content {
                        break;
                    }
                }
            }
            if waiting_for_first {
                until = until.min(Instant::now() + config.peek);
            }
        }
        held.append(&mut self.ready);
        self.ready = held;
        Ok(())
    }

    /// A reply that is not a stream, as the events a stream would have had.
    fn take_whole(&mut self, created: u64, body: &[u8]) -> Result<(), GatewayError> {
        let (response, usage) = match llm::decode_response(self.route.dialect, created, body) {
            Err(llm::LlmError::Failed(mut error)) => {
                clean_message(&self.route, &mut error);
                let whose = self.route.dialect.into();
                return Err(GatewayError::from_upstream(self.route.who(), error, None, whose));
            }
            answer => answer?,
        };
        let finish = response.choices.iter().find_map(|choice| choice.finish_reason);
        let mut events = vec![StreamEvent::Chunk(response.into_chunk())];
        events.extend(usage.map(StreamEvent::Usage));
        events.push(StreamEvent::Done(finish.unwrap_or(llm::FinishReason::Other)));
        self.accept(events);
        Ok(())
    }

    /// Queues events; at the end settles usage and the journal.
    fn accept(&mut self, events: Vec<StreamEvent>) {
        for event in events {
            self.tally.observe(&event);
            match event {
                StreamEvent::Done(_) => {
                    self.settle(Outcome::Served);
                    self.ready.push_back(Ok(event));
                }
                StreamEvent::Error(mut error) => {
                    clean_message(&self.route, &mut error);
                    let whose = self.route.dialect.into();
                    let error = GatewayError::from_stream(self.route.who(), error, whose);
                    self.fail(error);
                }
                event => self.ready.push_back(Ok(event)),
            }
        }
    }

    fn fail(&mut self, error: GatewayError) {
        if let Some(leave) = self.leave.take() {
            leave.failed(&error, Instant::now());
        }
        self.settle(match &error {
            GatewayError::Canceled => Outcome::Canceled,
            _ => Outcome::Cut,
        });
        self.ready.push_back(Err(error));
    }

    /// The end, whatever it is: an estimate stands in for usage that was not reported, the connection is closed.
    fn settle(&mut self, outcome: Outcome) {
        let usage = self.tally.usage();
        if usage.estimated {
            self.ready.push_back(Ok(StreamEvent::Usage(usage)));
        }
        self.entry.close(outcome);
        if outcome == Outcome::Served
            && let Some(leave) = self.leave.take()
        {
            leave.worked();
        }
        match self.body.take() {
            // The reply is ended by its framing, after the last event; only then can the connection be used again.
            Some(body) if outcome == Outcome::Served => drop(tokio::spawn(drain(body))),
            _ => {}
        }
    }

    fn cut(&self, message: String) -> GatewayError {
        GatewayError::Cut { provider: self.route.who().to_owned(), message }
    }

    /// The events that the next bytes complete; without bytes, those that the end of the connection does.
    fn decode(&mut self, bytes: Option<&Bytes>) -> Result<Vec<StreamEvent>, LlmError> {
        let events = match bytes {
            Some(bytes) => self.decoder.push(bytes)?,
            None => self.decoder.finish()?,
        };
        if let Some(verbatim) = &mut self.verbatim {
            verbatim.ready.extend(match bytes {
                Some(bytes) => verbatim.splitter.push(bytes)?,
                None => verbatim.splitter.finish()?,
            });
        }
        Ok(events)
    }

    /// Whether it has said nothing for as long as it may.
    fn poll_silent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.idle.as_mut().poll(cx).is_ready() {
            let until = self.heard.map(|heard| heard + self.idle_limit);
            match until.filter(|until| *until > self.idle.deadline()) {
                Some(until) => self.idle.as_mut().reset(until),
                None => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }

    /// Reads from the upstream until something is ready.
    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.ready.is_empty() {
            let Some(body) = self.body.as_mut() else { return Poll::Ready(()) };
            if self.cancel.is_cancelled() {
                self.fail(GatewayError::Canceled);
                break;
            }
            let decoded = match body.as_mut().poll_next(cx) {
                Poll::Pending => {
                    if self.canceled.as_mut().poll(cx).is_ready() {
                        self.fail(GatewayError::Canceled);
                    } else if self.poll_silent(cx).is_ready() {
                        self.fail(self.cut("it has been silent for too long".into()));
                    } else if self.total.as_mut().poll(cx).is_ready() {
                        self.fail(self.cut("the answer takes too long".into()));
                    } else {
                        return Poll::Pending;
                    }
                    continue;
                }
                Poll::Ready(Some(Ok(bytes))) => {
                    let now = Instant::now();
                    if self.heard.replace(now).is_none() {
                        // Until now it was the time for the first one.
                        self.idle.as_mut().reset(now + self.idle_limit);
                    }
                    self.decode(Some(&bytes))
                }
                Poll::Ready(Some(Err(error))) => {
                    self.fail(self.cut(describe(error)));
                    continue;
                }
                Poll::Ready(None) => {
                    self.body = None;
                    self.decode(None)
                }
            };
            match decoded {
                Ok(events) => self.accept(events),
                Err(error) => self.fail(self.cut(error.to_string())),
            }
        }
        Poll::Ready(())
    }
}

impl Stream for ChatStream {
    type Item = Result<StreamEvent, GatewayError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.poll_upstream(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(this.ready.pop_front())
    }
}

/// A stream that breaks before it has said anything was simply not available.
fn early(error: GatewayError) -> GatewayError {
    match error {
        GatewayError::Cut { provider, message } => {
            GatewayError::Unavailable { provider, status: None, message }
        }
        error => error,
    }
}

/// Reads the little that may follow the last event.
async fn drain(mut body: Body) {
    const PATIENCE: Duration = Duration::from_secs(1);
    const MOST: usize = 16 * 1024;
    let rest = async {
        let mut read = 0;
        while let Some(Ok(bytes)) = body.next().await {
            read += bytes.len();
            if read > MOST {
                break;
            }
        }
    };
    // An upstream that has more to say after the end is not listened to; its connection is closed.
    let _ = timeout(PATIENCE, rest).await;
}
