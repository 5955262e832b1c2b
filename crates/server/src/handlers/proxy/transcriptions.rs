//! `POST /v1/audio/transcriptions`: speech to text, in OpenAI's form, at providers that speak it.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use gateway::{Gateway, Journal, Route};
use llm::approval::{HEADER_AUDIT, HEADER_JOB};
use llm::inbound::Door;
use llm::inbound::transcription::Transcription;
use llm::{Dialect, LONGEST_TRANSCRIPT, LlmError};
use serde_json::Value;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::admission::{LONGEST_JOB, LONGEST_MODEL, ended_by, let_in, may_ask, refuse, routes};
use super::serve::streamed;
use super::{approval, body, screen};
use crate::audit::Entry;
use crate::clients::ClientSocket;
use crate::config::Limits;
use crate::error::ApiError;
use crate::exchange::Held;
use crate::exchange::transcript::{Answer, Head, Transcribing};
use crate::identity::Principal;
use crate::policy::{Most, Permit};
use crate::request_id::RequestId;
use crate::state::{State, address};
use crate::telemetry::Traced;

pub(crate) async fn transcriptions(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let request_id = RequestId::of(&request);
    let served = transcribed(&request, state, body, &request_id).await;
    served.map_err(|error| error.at(Door::Chat, &request_id))
}

/// Everything that has been found out about a recording that may leave.
struct Allowed {
    principal: Principal,
    permit: Permit,
    request: Transcription,
    routes: Vec<Route>,
}

async fn transcribed(
    request: &HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
    request_id: &str,
) -> Result<HttpResponse, ApiError> {
    let trace = state.telemetry.trace(request.headers());
    let started_ms = state.env.now_ms();
    let mut entry = Entry {
        trace_id: trace.as_ref().map(crate::telemetry::Trace::id),
        address: address(request),
        method: request.method().to_string(),
        path: request.path().to_owned(),
        ..Entry::default()
    };
    let upstream_headers = state.telemetry.upstream_headers(trace.as_ref());
    entry.traced = trace.map(|trace| Box::new(Traced { trace, started_ms, returned: String::new() }));
    let mut allowed = match admit(request, &state, body, &mut entry).await {
        Ok(allowed) => allowed,
        Err(error) => return Err(refuse(&state, request_id, entry, error).await),
    };
    allowed.routes.iter_mut().for_each(|route| route.extra_headers.extend_from_slice(&upstream_headers));
    let entry = Arc::new(entry);
    let audit = state.audit.append(request_id, Arc::clone(&entry)).await?.header();
    // Nobody else has it any more.
    let entry = Arc::unwrap_or_clone(entry);
    let (head, opened) = oneshot::channel();
    let cancel = state.stopping.child_token();
    let job = entry.job.as_deref();
    let listed = state.in_flight.list(request_id, &allowed.principal, job, started_ms, cancel.clone());
    let transcribing = Transcribing {
        gateway: request.app_data::<Gateway>().unwrap_or(&state.gateway).clone(),
        request_id: request_id.to_owned(),
        principal: allowed.principal,
        entry,
        request: allowed.request,
        routes: allowed.routes,
        cancel,
        started_ms,
        journal: Journal::default(),
        held: Some(Held { permit: allowed.permit, listed }),
        state: state.clone(),
    };
    state.tasks.spawn(transcribing.run(ClientSocket::of(request), head).in_current_span());
    let stopped = || Err(ApiError::unavailable("the server is stopping"));
    match opened.await.unwrap_or_else(|_| stopped()) {
        Ok(head) => Ok(reply(head, &audit)),
        Err(error) => Err(error.with_header(HEADER_AUDIT, audit)),
    }
}

fn reply(Head { content_type, body }: Head, audit: &str) -> HttpResponse {
    let mut reply = HttpResponse::Ok();
    reply.insert_header((HeaderName::from_static(HEADER_AUDIT), audit));
    match body {
        Answer::Whole(bytes) => {
            reply.content_type(content_type.unwrap_or_else(|| "application/json".into())).body(bytes)
        }
        Answer::Stream(body) => streamed(reply, body),
    }
}

/// Checks a recording, cheapest first; fills the record on the way.
async fn admit(
    request: &HttpRequest,
    state: &web::Data<State>,
    payload: web::Payload,
    entry: &mut Entry,
) -> Result<Allowed, ApiError> {
    let principal = state.principal(request)?;
    let mut permit = let_in(request, state, &principal, entry)?;
    let content_type = approval::text(request, CONTENT_TYPE.as_str())?.unwrap_or_default();
    let limits = Limits { body_mib: state.settings.limits.audio_mib, ..state.settings.limits };
    let body = body::read(request, payload, &limits).await?;
    entry.body_hash = hex::encode(llm::body_hash(&body));
    entry.body_bytes = body.len();
    entry.files = approval::files(request)?;
    entry.job = approval::text(request, HEADER_JOB)?.map(|job| job.chars().take(LONGEST_JOB).collect());
    if approval::check(request, &body)?.is_some() {
        let message = "an approval covers a request to chat completions, not a recording";
        return Err(ApiError::new(StatusCode::CONFLICT, "approval_mismatch", message));
    }
    let transcription = Transcription::parse(content_type, body)?;
    let model = transcription.model.as_str();
    if model.chars().nth(LONGEST_MODEL).is_some() {
        return Err(ApiError::invalid(format!("field `model` is longer than {LONGEST_MODEL} characters")));
    }
    entry.model_asked = model.to_owned();
    may_ask(&principal, model, false)?;
    state.denials.check(model, &entry.files)?;
    let routes = with_ears(routes(state, &principal, model, None)?)?;
    entry.destinations = routes.iter().map(|route| route.destination().to_string()).collect();
    // A recording cannot be looked into; what is written beside it can. It is blocked or sent as it came.
    let texts = Bytes::from(Value::from(transcription.texts.clone()).to_string());
    if let Err(error) = screen::screen(state, &texts, &routes, true, entry).await {
        return Err(ended_by(error, state, &principal).await);
    }
    let most = most(state, &routes, &transcription);
    let model = routes.first().map(|route| route.destination().to_string()).unwrap_or_default();
    state.policy.reserve(&mut permit, &principal, &model, most, state.env.now_ms()).await?;
    Ok(Allowed { principal, permit, request: transcription, routes })
}

/// The routes whose provider has this endpoint.
fn with_ears(mut routes: Vec<Route>) -> Result<Vec<Route>, ApiError> {
    routes.retain(|route| {
        matches!(route.dialect, Dialect::OpenAi | Dialect::OpenAiResponses | Dialect::Compatible)
    });
    match routes.is_empty() {
        false => Ok(routes),
        true => {
            let what = "speech to text; ask for a model at OpenAI, or behind a compatible URL".into();
            Err(LlmError::Unsupported { provider: "this model's provider", what }.into())
        }
    }
}

/// The most that any of the routes may use, as far as the head of a recording tells, or its size.
fn most(state: &State, routes: &[Route], request: &Transcription) -> Most {
    let catalogue = state.routes.catalogue();
    let beside: usize = request.texts.values().filter_map(Value::as_str).map(str::len).sum();
    let usage = llm::Usage { output_tokens: LONGEST_TRANSCRIPT, ..request.estimate() };
    let mut most = Most { tokens: usage.input_tokens + LONGEST_TRANSCRIPT, microusd: Some(0) };
    for route in routes {
        let (provider, model) = (&route.provider, &route.upstream_model);
        let speech = catalogue.speech(provider, model);
        let by_tokens = || catalogue.find(provider, model).map(|model| model.prices.cost_microusd(&usage));
        // One route without a price is enough not to know.
        let cost = match speech {
            Some(prices) => Some(prices.most_microusd(request.longest_ms(), beside as u64)),
            None => by_tokens(),
        };
        most.microusd = most.microusd.zip(cost).map(|(most, cost)| most.max(cost));
    }
    most
}
