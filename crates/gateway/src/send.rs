use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use llm::{ChatResponse, Fold, KeyHeader, StreamEvent, Usage, WireRequest};
use reqwest::Response;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::client::Clients;
use crate::journal::Entry;
use crate::{ChatStream, GatewayConfig, GatewayError, Journal, Outcome, Route, Served, Try};

/// Sends requests. Cheap to clone; all clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(crate) clients: Clients,
    pub(crate) config: GatewayConfig,
}

/// A request and the ways it may go.
#[derive(Debug)]
pub struct Send<'a> {
    /// The canonical request (chat completions), as bytes.
    pub body: Bytes,
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
        Ok(Self { clients: Clients::new(&config)?, config })
    }

    /// Tries the routes in order and returns as soon as one has begun to answer; from then on no other is tried.
    ///
    /// Dropping the returned stream, or this future, or cancelling `cancel`, closes the upstream connection.
    pub async fn stream(
        &self,
        send: Send<'_>,
        cancel: CancellationToken,
    ) -> Result<ChatStream, GatewayError> {
        let mut last = GatewayError::Invalid(llm::LlmError::Malformed("there is no route for it".into()));
        for route in send.routes {
            let attempt = self.attempt(route, &send, cancel.clone());
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(GatewayError::Canceled),
                result = attempt => result,
            };
            match result {
                Ok(stream) => return Ok(stream),
                Err(error) if error.may_work_elsewhere() => {
                    tracing::info!(provider = route.provider, model = route.upstream_model, %error, "a route failed");
                    last = error;
                }
                Err(error) => return Err(error),
            }
        }
        Err(last)
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
        let wire = llm::encode(route.dialect, &send.body, &route.upstream_model, &route.limits)?;
        let mut entry = send.journal.begin(Try {
            provider: route.provider.clone(),
            model: route.upstream_model.clone(),
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
        let started = Instant::now();
        tracing::debug!(provider = route.provider, bytes = send.body.len(), "sending");
        let response = timeout_at(started + self.config.first_byte, request.send())
            .await
            .map_err(|_| too_slow(&route.provider, self.config.first_byte))?
            .map_err(|error| GatewayError::from_transport(&route.provider, error))?;
        let status = response.status().as_u16();
        entry.status(status);
        if response.status().is_success() {
            return Ok((response, started));
        }
        let retry_after = retry_after(response.headers());
        let reading = read_limited(response, ERROR_BODY, &route.provider);
        // Whatever cannot be read in time is described by the status alone.
        let body = timeout(self.config.call, reading).await.ok().and_then(Result::ok).unwrap_or_default();
        let mut error = llm::decode_error(status, &body);
        clean_message(route, &mut error);
        Err(GatewayError::from_upstream(&route.provider, error, retry_after, route.dialect.into()))
    }
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
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    for (name, value) in &wire.headers {
        headers.insert(*name, value_of(name, value)?);
    }
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

/// `retry-after-ms`, or `retry-after` in seconds or as a date; a date is read against the reply's own `date`, so
/// that no clock of ours is involved.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(ms) = text("retry-after-ms").and_then(|value| value.trim().parse::<u64>().ok()) {
        return Some(Duration::from_millis(ms));
    }
    let value = text("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text("date")?).ok()?;
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_every_form() {
        let read = |pairs: &[(&'static str, &'static str)]| {
            retry_after(
                &pairs.iter().map(|(n, v)| ((*n).parse().unwrap(), HeaderValue::from_static(v))).collect(),
            )
        };
        assert_eq!(read(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            read(&[("retry-after-ms", "1500"), ("retry-after", "2")]),
            Some(Duration::from_millis(1500))
        );
        let date =
            [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")];
        assert_eq!(read(&date), Some(Duration::from_secs(30)));
        assert_eq!(read(&[("retry-after", "soon")]), None);
    }
}
