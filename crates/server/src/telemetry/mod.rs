//! Traces, for operators who have a collector: spans made from the records of the audit, so that the two cannot disagree.
//!
//! Off by default. Nothing of a request's content, and nobody's name, is in a span. A collector that is slow or away costs
//! spans and nothing else: they are handed over without waiting, and dropped when too many wait.

mod log;
mod otlp;
mod spans;
mod trace;

use std::time::Duration;

use bytes::Bytes;
use gateway::Delivery;
use prost::Message as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::ServerError;
use crate::audit::{Entry, Event};
use crate::config::Telemetry as Settings;
use crate::env::Env;
use crate::metrics::Metrics;
pub(crate) use log::log_span;
pub(crate) use trace::{Trace, parse as parse_traceparent};

/// Spans that wait to be sent; more are dropped.
const WAITING: usize = 4_096;
/// Spans in one message.
const BATCH: usize = 512;
/// How long a span waits for company.
const GATHER: Duration = Duration::from_secs(2);

/// Where spans go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Telemetry {
    exporter: Option<mpsc::Sender<Message>>,
    propagate: bool,
    env: Env,
    metrics: Metrics,
}

enum Message {
    Spans(Vec<otlp::Span>),
    /// Send what there is, then say so.
    Flush(oneshot::Sender<()>),
}

/// What a record needs to become spans; `None` in it where nobody wants any.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    pub trace: Trace,
    pub started_ms: i64,
    /// The model that answered, as it names itself.
    pub returned: String,
}

impl Telemetry {
    /// Starts the task that sends spans, if there is somewhere to send them.
    pub fn start(
        settings: &Settings,
        deliver: impl FnOnce() -> Result<Delivery, ServerError>,
        env: Env,
        metrics: Metrics,
    ) -> Result<Self, ServerError> {
        let propagate = settings.propagate;
        if settings.otlp_endpoint.is_empty() {
            return Ok(Self { exporter: None, propagate, env, metrics });
        }
        let url = format!("{}/v1/traces", settings.otlp_endpoint.trim_end_matches('/'));
        let url: Url = url
            .parse()
            .map_err(|error| ServerError::Config(format!("[telemetry] otlp_endpoint: {error}")))?;
        let (exporter, messages) = mpsc::channel(WAITING);
        let headers = settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let service = settings.service_name.clone();
        let export =
            Export { url, headers, service, delivery: deliver()?, metrics: metrics.clone(), failing: false };
        tokio::spawn(export.run(messages));
        Ok(Self { exporter: Some(exporter), propagate, env, metrics })
    }

    /// The place of a request in a trace: its caller's, or one of its own if somebody wants spans.
    pub fn trace(&self, headers: &actix_web::http::header::HeaderMap) -> Option<Trace> {
        Trace::of(headers, &self.env, self.exporter.is_some()).inspect(log::note)
    }

    /// What a provider is told of a trace: nothing, unless the operator says so.
    pub fn upstream_headers(&self, trace: Option<&Trace>) -> Vec<(String, String)> {
        trace.filter(|_| self.propagate).map(Trace::headers).unwrap_or_default()
    }

    /// Makes spans of a record. An intent is no end, and becomes spans when it has one.
    pub fn observe(&self, request_id: &str, entry: &Entry) {
        let (Some(exporter), Some(traced)) = (&self.exporter, &entry.traced) else { return };
        if entry.event == Event::Intent || !traced.trace.sampled {
            return;
        }
        let spans = spans::of(request_id, entry, traced, self.env.now_ms());
        let count = spans.len();
        if exporter.try_send(Message::Spans(spans)).is_err() {
            self.metrics.spans_lost(count);
        }
    }

    /// Sends what waits, at the end.
    pub async fn flush(&self) {
        let Some(exporter) = &self.exporter else { return };
        let (done, flushed) = oneshot::channel();
        if exporter.try_send(Message::Flush(done)).is_ok() {
            // A collector that is away is not waited for longer than for one message.
            let _ = flushed.await;
        }
    }
}

struct Export {
    url: Url,
    headers: Vec<(String, String)>,
    service: String,
    delivery: Delivery,
    metrics: Metrics,
    failing: bool,
}

impl Export {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        while let Some(first) = messages.recv().await {
            let mut spans = Vec::new();
            let mut waiting = Vec::new();
            let until = Instant::now() + GATHER;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Spans(more) => spans.extend(more),
                    Message::Flush(done) => waiting.push(done),
                }
                if spans.len() < BATCH && waiting.is_empty() {
                    next = timeout_at(until, messages.recv()).await.ok().flatten();
                }
            }
            self.send(spans).await;
            for done in waiting {
                // Whoever does not wait any more need not know.
                let _ = done.send(());
            }
        }
    }

    /// One message. What a collector does not take is dropped: it is kept in the audit, and memory is for requests.
    async fn send(&mut self, spans: Vec<otlp::Span>) {
        if spans.is_empty() {
            return;
        }
        let count = spans.len();
        let body = Bytes::from(spans::message(&self.service, spans).encode_to_vec());
        let sent = self.delivery.post(&self.url, "application/x-protobuf", &self.headers, body).await;
        let problem = match sent {
            Ok(status) if (200..300).contains(&status) => None,
            Ok(status) => Some(format!("it answers with status {status}")),
            Err(error) => Some(error.to_string()),
        };
        if problem.is_some() {
            self.metrics.spans_lost(count);
        }
        // Said when it begins and when it ends, not with each message.
        match (&problem, self.failing) {
            (Some(problem), false) => tracing::warn!(problem, "the collector of traces takes no spans"),
            (None, true) => tracing::info!("the collector of traces takes spans again"),
            _ => {}
        }
        self.failing = problem.is_some();
    }
}
