//! Recordings: the same routes, keys and health as for chats; the answer comes back as the provider wrote it.

use bytes::Bytes;
use futures_util::stream;
use llm::inbound::transcription::{self, Transcription};
use reqwest::Response;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::health::Leave;
use crate::journal::Entry;
use crate::send::{all_rest, key_headers};
use crate::{Gateway, GatewayError, Journal, Outcome, Route, Served, Try};

/// A transcript on its way.
#[derive(Debug)]
pub struct TranscriptStream {
    /// The type that the provider gives it.
    pub content_type: Option<String>,
    /// Who answers.
    pub served: Served,
    body: Option<Response>,
    entry: Entry,
    leave: Option<Leave>,
    cancel: CancellationToken,
    idle: std::time::Duration,
    total: Instant,
    received: usize,
    most: usize,
}

impl Gateway {
    /// Tries the routes in order and returns as soon as one has begun to answer; from then on no other is tried. Routes that
    /// rest are passed over.
    pub async fn transcribe(
        &self,
        request: &Transcription,
        routes: &[Route],
        journal: &Journal,
        cancel: CancellationToken,
    ) -> Result<TranscriptStream, GatewayError> {
        let (mut last, mut rests) = (None, Vec::new());
        let mut failed: Vec<&Route> = Vec::new();
        for route in routes {
            if failed.iter().any(|other| other.shares_upstream(route)) {
                continue;
            }
            let mut leave = match self.leave(route) {
                Ok(leave) => leave,
                Err((why, wait)) => {
                    rests.push((route, why, wait));
                    continue;
                }
            };
            let result = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(GatewayError::Canceled),
                result = self.transcribe_at(route, request, journal) => result,
            };
            match result {
                Ok((response, entry, started)) => {
                    leave.began();
                    return Ok(self.transcript(response, entry, leave, (route, cancel, started)));
                }
                Err(error) => {
                    leave.failed(&error, Instant::now());
                    if !error.may_work_elsewhere() {
                        return Err(error);
                    }
                    tracing::info!(provider = route.provider, model = route.upstream_model, %error, "a route failed");
                    if matches!(error, GatewayError::Unavailable { .. }) {
                        failed.push(route);
                    }
                    last = Some(error);
                }
            }
        }
        Err(last.or_else(|| all_rest(&rests)).unwrap_or_else(|| {
            GatewayError::Invalid(llm::LlmError::Malformed("there is no route for it".into()))
        }))
    }

    async fn transcribe_at(
        &self,
        route: &Route,
        request: &Transcription,
        journal: &Journal,
    ) -> Result<(Response, Entry, Instant), GatewayError> {
        let pieces = request.encode(&route.upstream_model)?;
        let mut entry = journal.begin(Try {
            provider: route.provider.clone(),
            model: route.upstream_model.clone(),
            key_id: route.key_id.clone(),
            dialect: route.dialect,
            limits: route.limits.clone(),
            upstream_hash: hex::encode(transcription::pieces_hash(&pieces)),
            transformations: Vec::new(),
            outcome: Outcome::Pending,
            status: None,
        });
        let result = self.begin_transcript(route, request, pieces, &entry).await;
        match result {
            Ok((response, started)) => Ok((response, entry, started)),
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

    async fn begin_transcript(
        &self,
        route: &Route,
        request: &Transcription,
        pieces: Vec<Bytes>,
        entry: &Entry,
    ) -> Result<(Response, Instant), GatewayError> {
        let url = route.url(transcription::PATH);
        let length: usize = pieces.iter().map(Bytes::len).sum();
        // In pieces, so that the recording stands in memory once.
        let body = reqwest::Body::wrap_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)));
        let sending = self
            .clients
            .for_url(&url)
            .post(url.clone())
            .headers(key_headers(route)?)
            .header(CONTENT_TYPE, &request.content_type)
            .header(CONTENT_LENGTH, length)
            .body(body);
        self.answered(route, sending, entry).await
    }

    fn transcript(
        &self,
        response: Response,
        entry: Entry,
        leave: Leave,
        (route, cancel, started): (&Route, CancellationToken, Instant),
    ) -> TranscriptStream {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        TranscriptStream {
            content_type: content_type.map(str::to_owned),
            served: Served {
                provider: route.provider.clone(),
                model: route.upstream_model.clone(),
                status: response.status().as_u16(),
                headers: Vec::new(),
            },
            body: Some(response),
            entry,
            leave: Some(leave),
            cancel,
            idle: self.config.idle,
            total: started + self.config.total,
            received: 0,
            most: self.config.max_answer,
        }
    }
}

impl TranscriptStream {
    /// The next bytes; `None` at the end. Nothing follows an error.
    pub async fn next(&mut self) -> Option<Result<Bytes, GatewayError>> {
        let provider = self.served.provider.clone();
        let cut = |message: String| GatewayError::Cut { provider: provider.clone(), message };
        let body = self.body.as_mut()?;
        let until = self.total.min(Instant::now() + self.idle);
        let read = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(GatewayError::Canceled),
            read = timeout_at(until, body.chunk()) => match read {
                Err(_) => Err(cut("it has fallen silent, or takes too long".into())),
                Ok(Err(error)) => Err(cut(GatewayError::from_transport(&provider, error).to_string())),
                Ok(Ok(piece)) => Ok(piece),
            },
        };
        match read {
            Ok(Some(piece)) => {
                self.received += piece.len();
                if self.received > self.most {
                    return Some(Err(self.ended(cut("its answer is larger than allowed here".into()))));
                }
                Some(Ok(piece))
            }
            Ok(None) => {
                self.body = None;
                self.entry.close(Outcome::Served);
                if let Some(leave) = self.leave.take() {
                    leave.worked();
                }
                None
            }
            Err(error) => Some(Err(self.ended(error))),
        }
    }

    fn ended(&mut self, error: GatewayError) -> GatewayError {
        self.body = None;
        let canceled = matches!(error, GatewayError::Canceled);
        self.entry.close(if canceled { Outcome::Canceled } else { Outcome::Cut });
        if let Some(leave) = self.leave.take() {
            leave.failed(&error, Instant::now());
        }
        error
    }
}
