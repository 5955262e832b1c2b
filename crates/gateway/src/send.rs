use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use llm::inbound::Inbound;
use llm::{ChatResponse, Fold, KeyHeader, StreamEvent, Usage, WireRequest};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::client::Clients;
use crate::health::{Health, Leave, Resting, RouteHealth};
use crate::journal::Entry;
use crate::retry::retry_after;
use crate::{ChatStream, GatewayConfig, GatewayError, Journal, Outcome, Route, Served, Try};

/// Sends requests. Cheap to clone; all clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(crate) clients: Clients,
    pub(crate) config: GatewayConfig,
    health: Option<Health>,
}

/// A request and the ways it may go.
#[derive(Debug)]
pub struct Send<'a> {
    /// The canonical request (chat completions), as bytes.
    pub body: Bytes,
    /// The request as it came, where it came in another dialect: routes get what it makes of itself.
    pub inbound: Option<&'a Inbound>,
    /// Routes in order of preference.
    pub routes: &'a [Route],
    /// Unix seconds, stamped on answers whose dialect carries no time.
    pub created: u64,
    /// Filled while sending. Keep a clone to read it after a drop.
    pub journal: Journal,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The answer.
    pub response: ChatResponse,
    /// What it used.
    pub usage: Usage,
    /// Who answered.
    pub served: Served,
    /// Every attempt, in order.
    pub tries: Vec<Try>,
}

/// Largest error body that is read.
const ERROR_BODY: usize = 64 * 1024;

impl Gateway {
    /// A gateway with its own connection pool.
    pub fn new(config: GatewayConfig) -> Result<Self, GatewayError> {
        Ok(Self { clients: Clients::new(&config)?, health: config.health.map(Health::new), config })
    }

    /// The same gateway with a connection pool of its own. A connection is driven by the runtime it was opened on, so that
    /// each thread that has one should have a pool too. What is known about the health of routes stays shared.
    pub fn with_own_connections(&self) -> Result<Self, GatewayError> {
        Ok(Self { clients: self.clients.renewed(&self.config)?, ..self.clone() })
    }

    /// Which of these routes rest, and how much longer. All are in use where [`GatewayConfig::health`] is off.
    pub fn health(&self, routes: &[&Route]) -> Vec<RouteHealth> {
        let health = self.health.clone().unwrap_or_else(|| Health::new(Default::default()));
        health.all(routes, Instant::now())
    }

    /// Tries the routes in order and returns as soon as one has begun to answer; from then on no other is tried.
    ///
    /// Routes that rest are passed over. Where an upstream failed, its other keys are passed over too: they lead to the
    /// same place. When every route rests, the error says how long the first of them still does.
    ///
    /// Dropping the returned stream, or this future, or cancelling `cancel`, closes the upstream connection.
    pub async fn stream(
        &self,
        send: Send<'_>,
        cancel: CancellationToken,
    ) -> Result<ChatStream, GatewayError> {
        let mut last = None;
        let mut rests: Vec<(&Route, Resting, Duration)> = Vec::new();
        let mut failed: Vec<&Route> = Vec::new();
        for route in send.routes {
            if failed.iter().any(|other| other.shares_upstream(route)) {
                continue;
            }
            let leave = match self.leave(route) {
                Ok(leave) => leave,
                Err((why, wait)) => {
                    rests.push((route, why, wait));
                    continue;
                }
            };
            let attempt = self.attempt(route, &send, cancel.clone());
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(GatewayError::Canceled),
                result = attempt => result,
            };
            match result {
                Ok(stream) => return Ok(stream.watched(leave)),
                Err(error) => {
                    leave.failed(&error, Instant::now());
                    if !error.may_work_elsewhere() {
                        return Err(error);
                    }
                    tracing::info!(provider = route.provider, model = route.upstream_model, %error, "a route failed");
                    if matches!(error, GatewayError::Unavailable { .. } | GatewayError::Cut { .. }) {
                        failed.push(route);
                    }
                    last = Some(error);
                }
            }
        }
        // What was tried says more than what rests.
        Err(last.or_else(|| all_rest(&rests)).unwrap_or_else(|| {
            GatewayError::Invalid(llm::LlmError::Malformed("there is no route for it".into()))
        }))
    }

    /// Leave to use a route, or why and how long it rests.
    pub(crate) fn leave(&self, route: &Route) -> Result<Leave, (Resting, Duration)> {
        match &self.health {
            None => Ok(Leave::unwatched(route)),
            Some(health) => health.ask(route, Instant::now()),
        }
    }

    /// Like [`Gateway::stream`], but waits for the whole answer. A cut answer is an error.
    pub async fn complete(
        &self,
        send: Send<'_>,
        cancel: CancellationToken,
    ) -> Result<Completed, GatewayError> {
        let mut stream = self.stream(send, cancel).await?;
        let mut fold = Fold::default();
        while let Some(event) = stream.next().await {
            if let StreamEvent::Chunk(chunk) = event? {
                fold.push(chunk);
            }
        }
        Ok(Completed {
            response: fold.finish(),
            usage: stream.usage(),
            served: stream.served().clone(),
            tries: stream.tries(),
        })
    }

    async fn attempt(
        &self,
        route: &Route,
        send: &Send<'_>,
        cancel: CancellationToken,
    ) -> Result<ChatStream, GatewayError> {
        let wire = match send.inbound {
            Some(inbound) => inbound.encode(route.dialect, &route.upstream_model, &route.limits),
            None => llm::encode(route.dialect, &send.body, &route.upstream_model, &route.limits),
        }?;
        let mut entry = send.journal.begin(Try {
            provider: route.provider.clone(),
            model: route.upstream_model.clone(),
            key_id: route.key_id.clone(),
            dialect: route.dialect,
            limits: route.limits.clone(),
            upstream_hash: hex::encode(llm::body_hash(&wire.body)),
            transformations: wire.transformations.clone(),
            outcome: Outcome::Pending,
            status: None,
        });
        let result = self.begin(route, send, wire, &mut entry).await;
        match result {
            Ok(response) => ChatStream::begin(response, route, send, entry, cancel, &self.config).await,
            Err(error) => {
                entry.close(match &error {
                    GatewayError::Canceled => Outcome::Canceled,
                    GatewayError::Rejected { .. } | GatewayError::Unauthorized { .. } => Outcome::Refused,
                    _ => Outcome::Failed,
                });
                Err(error)
            }
        }
    }

    /// Sends the request and waits for a status; everything but success is an error.
    async fn begin(
        &self,
        route: &Route,
        send: &Send<'_>,
        wire: WireRequest,
        entry: &mut Entry,
    ) -> Result<(Response, Instant), GatewayError> {
        let url = route.url(&wire.path);
        let request =
            self.clients.for_url(&url).post(url.clone()).headers(headers(route, &wire)?).body(wire.body);
        tracing::debug!(provider = route.provider, bytes = send.body.len(), "sending");
        self.answered(route, request, entry).await
    }

    /// Sends a request and waits for a status, with the moment it was sent; everything but success is an error.
    pub(crate) async fn answered(
        &self,
        route: &Route,
        request: RequestBuilder,
        entry: &Entry,
    ) -> Result<(Response, Instant), GatewayError> {
        let started = Instant::now();
        let response = timeout_at(started + self.config.first_byte, request.send())
            .await
            .map_err(|_| too_slow(route.who(), self.config.first_byte))?
            .map_err(|error| GatewayError::from_transport(route.who(), error))?;
        let status = response.status().as_u16();
        entry.status(status);
        if response.status().is_success() {
            return Ok((response, started));
        }
        let retry_after = retry_after(response.headers());
        let reading = read_limited(response, ERROR_BODY, route.who());
        // Whatever cannot be read in time is described by the status alone.
        let body = timeout(self.config.call, reading).await.ok().and_then(Result::ok).unwrap_or_default();
        let mut error = llm::decode_error(status, &body);
        clean_message(route, &mut error);
        Err(GatewayError::from_upstream(route.who(), error, retry_after, route.dialect.into()))
    }
}

/// Nothing was tried. Waiting helps if any of the routes is merely limited.
pub(crate) fn all_rest(rests: &[(&Route, Resting, Duration)]) -> Option<GatewayError> {
    let limited =
        rests.iter().filter(|(_, why, _)| *why == Resting::Limited).min_by_key(|(_, _, wait)| *wait);
    if let Some((route, _, wait)) = limited {
        return Some(GatewayError::RateLimited {
            provider: route.who().to_owned(),
            retry_after: Some(*wait),
            message: "its limit was reached a moment ago".into(),
        });
    }
    let (route, why, wait) = rests.iter().min_by_key(|(_, _, wait)| *wait)?;
    let (provider, seconds) = (route.who().to_owned(), wait.as_secs().max(1));
    Some(match why {
        Resting::Refused => {
            let message = format!("it refused the key a moment ago, and is asked again in {seconds} s");
            GatewayError::Unauthorized { provider, status: 401, code: None, message }
        }
        Resting::Exhausted => {
            let message = format!("it said so a moment ago, and is asked again in {seconds} s");
            GatewayError::Exhausted { provider, retry_after: Some(*wait), message }
        }
        _ => {
            let message = format!("it failed several times in a row and is tried again in {seconds} s");
            GatewayError::Unavailable { provider, status: None, message }
        }
    })
}

pub(crate) fn too_slow(provider: &str, limit: Duration) -> GatewayError {
    let message = format!("no answer within {} s", limit.as_secs_f32());
    GatewayError::Unavailable { provider: provider.to_owned(), status: None, message }
}

/// Providers repeat parts of a refused key in their message; only our own server is known not to.
pub(crate) fn clean_message(route: &Route, error: &mut llm::UpstreamError) {
    if route.dialect != llm::Dialect::Relayed && matches!(error.status, 401 | 403) {
        error.message = format!("the provider answered with status {}", error.status);
    }
    if let Some(key) = &route.key
        && !key.expose_secret().is_empty()
    {
        error.message = error.message.replace(key.expose_secret(), "[key]");
    }
}

fn headers(route: &Route, wire: &WireRequest) -> Result<HeaderMap, GatewayError> {
    let mut headers = key_headers(route)?;
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    for (name, value) in &wire.headers {
        headers.insert(*name, value_of(name, value)?);
    }
    Ok(headers)
}

/// The headers of every request over a route: its key, and what is to go along.
pub(crate) fn key_headers(route: &Route) -> Result<HeaderMap, GatewayError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &route.extra_headers {
        let parsed = reqwest::header::HeaderName::try_from(name.as_str())
            .map_err(|_| GatewayError::Setup(format!("`{name}` is not a header name")))?;
        headers.insert(parsed, value_of(name, value)?);
    }
    if let Some(key) = &route.key {
        let (name, value) = match route.dialect.key_header() {
            KeyHeader::Bearer => ("authorization", format!("Bearer {}", key.expose_secret())),
            KeyHeader::Named(name) => (name, key.expose_secret().to_owned()),
        };
        let mut value = value_of(name, &value)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn value_of(name: &str, value: &str) -> Result<HeaderValue, GatewayError> {
    HeaderValue::try_from(value)
        .map_err(|_| GatewayError::Setup(format!("header `{name}` has a forbidden character")))
}

/// Reads a body up to a limit; beyond it the upstream counts as broken.
pub(crate) async fn read_limited(
    response: Response,
    limit: usize,
    provider: &str,
) -> Result<Bytes, GatewayError> {
    let mut body = BytesMut::new();
    let mut stream = response.bytes_stream();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| GatewayError::from_transport(provider, error))?;
        if body.len() + part.len() > limit {
            return Err(GatewayError::Invalid(llm::LlmError::TooLarge { limit }));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}
