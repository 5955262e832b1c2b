//! `POST /v1/chat/completions`: the canonical request, streamed or not.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use gateway::{CancellationToken, Route};
use llm::approval::{HEADER_AUDIT, HEADER_JOB};
use llm::{ChatRequest, ChatResponse, Usage};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::approval::{self, Approved};
use super::{body, urls};
use crate::audit::{Entry, Event};
use crate::clients::ClientSocket;
use crate::config::SecretPolicy;
use crate::error::ApiError;
use crate::exchange::{Exchange, Head};
use crate::filter;
use crate::identity::Principal;
use crate::policy::{Most, Permit};
use crate::request_id::RequestId;
use crate::routes::within;
use crate::state::{State, address};

/// Longest job name that is recorded.
const LONGEST_JOB: usize = 200;
/// Longest name of a model that is looked up.
const LONGEST_MODEL: usize = 200;

pub(crate) async fn chat(
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let request_id = RequestId::of(&request);
    let mut entry = Entry {
        address: address(&request),
        method: request.method().to_string(),
        path: request.path().to_owned(),
        ..Entry::default()
    };
    let allowed = match admit(&request, &state, body, &mut entry).await {
        Ok(allowed) => allowed,
        Err(error) => return Err(refuse(&state, &request_id, entry, error).await),
    };
    let audit = state.audit.append(&request_id, entry.clone()).await?.header();
    let (head, opened) = oneshot::channel();
    let exchange = exchange(state.clone(), request_id, entry, allowed);
    state.tasks.spawn_on(exchange.run(ClientSocket::of(&request), head), &state.runtime);
    let stopped = || Err(ApiError::unavailable("the server is stopping"));
    match opened.await.unwrap_or_else(|_| stopped()) {
        Ok(Head::Stream { body }) => Ok(streamed(body, &audit)),
        Ok(Head::Whole(response, usage, cost)) => Ok(whole(&response, usage, cost, &audit)),
        Err(error) => Err(error.with_header(HEADER_AUDIT, audit)),
    }
}

/// Everything that has been found out about a request that may leave.
struct Allowed {
    principal: Principal,
    permit: Permit,
    approved: Option<Approved>,
    chat: ChatRequest,
    body: Bytes,
    routes: Vec<Route>,
}

/// Every reason to refuse, cheapest first; the body is not read before it is known whose it is. Fills the record on the
/// way, so that a refusal is recorded with what was known by then.
async fn admit(
    request: &HttpRequest,
    state: &web::Data<State>,
    body: web::Payload,
    entry: &mut Entry,
) -> Result<Allowed, ApiError> {
    let principal = state.principal(request)?;
    entry.org.clone_from(&principal.org_id);
    entry.user.clone_from(&principal.user_id);
    entry.device.clone_from(&principal.device_id);
    if let Some(grant) = &principal.grant {
        entry.token = Some(grant.id.clone());
        entry.tag.clone_from(&grant.tag);
    }
    let mut permit = state.policy.admit(&principal, &entry.address, state.env.now_ms())?;
    if request.headers().contains_key(CONTENT_ENCODING) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "unsupported", "the body must not be compressed"));
    }
    let body = body::read(request, body, &state.settings.limits).await?;
    entry.body_hash = hex::encode(llm::body_hash(&body));
    entry.body_bytes = body.len();
    // The bytes are compared with the approval before anything looks into them.
    let approved = approval::check(request, &body)?;
    entry.files = approval::files(request)?;
    entry.job = approval::text(request, HEADER_JOB)?.map(|job| job.chars().take(LONGEST_JOB).collect());
    if let Some(approved) = &approved {
        entry.approval = Some(approved.fingerprint.clone());
        entry.destinations = approved.destinations.iter().map(ToString::to_string).collect();
    }
    let chat = ChatRequest::parse(&body)?;
    if chat.model.chars().nth(LONGEST_MODEL).is_some() {
        let message = format!("field `model` is longer than {LONGEST_MODEL} characters");
        return Err(ApiError::invalid(message));
    }
    if !state.settings.filter.allow_urls {
        urls::check(&chat)?;
    }
    entry.model_asked.clone_from(&chat.model);
    may_ask(&principal, &chat.model, approved.is_some())?;
    let routes = routes(state, &principal, &chat.model, approved.as_ref())?;
    entry.destinations = routes.iter().map(|route| route.destination().to_string()).collect();
    let body = screen(state, &body, approved.is_some(), entry).await?;
    let most = most(state, &routes, &chat, body.len(), approved.as_ref());
    state.policy.reserve(&mut permit, &principal, &chat.model, most, state.env.now_ms())?;
    Ok(Allowed { principal, permit, approved, chat, body, routes })
}

/// What a token for programs is allowed. A person may ask for everything that is there.
fn may_ask(principal: &Principal, model: &str, approved: bool) -> Result<(), ApiError> {
    let Some(grant) = &principal.grant else { return Ok(()) };
    if !grant.allows(model) {
        let message = format!("this token may not ask for the model `{model}`");
        return Err(ApiError::new(StatusCode::FORBIDDEN, "model_not_allowed", message));
    }
    if grant.needs_approval && !approved {
        let message = "this token may send only what was approved, and the request carries no approval";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "approval_required", message));
    }
    Ok(())
}

/// The most that any of the routes may use; never more than was approved.
fn most(
    state: &State,
    routes: &[Route],
    chat: &ChatRequest,
    body: usize,
    approved: Option<&Approved>,
) -> Most {
    let catalogue = state.routes.catalogue();
    let of = |route: &Route| {
        let prices = catalogue.find(&route.provider, &route.upstream_model).map(|model| model.prices);
        Most::of(body, chat.max_tokens, &route.limits, prices)
    };
    let all: Vec<Most> = routes.iter().map(of).collect();
    let tokens = all.iter().map(|most| most.tokens).max().unwrap_or_default();
    // One route without a price is enough not to know.
    let microusd = all.iter().map(|most| most.microusd).try_fold(0, |most, next| Some(next?.max(most)));
    let ceiling = approved.map(|approved| approved.ceiling_microusd);
    Most { tokens, microusd: microusd.map(|microusd| ceiling.unwrap_or(u64::MAX).min(microusd)).or(ceiling) }
}

fn routes(
    state: &State,
    principal: &Principal,
    model: &str,
    approved: Option<&Approved>,
) -> Result<Vec<Route>, ApiError> {
    let table = state.routes.table();
    let routes = table.find(&principal.org_id, model);
    if routes.is_empty() {
        let message = format!("the model `{model}` does not exist here or you may not use it");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "model_not_found", message));
    }
    let Some(approved) = approved else { return Ok(routes.into_iter().cloned().collect()) };
    within(&routes, &approved.destinations).map_err(|outside| {
        let message =
            format!("{outside} was not approved as a destination, and no approved one serves this model");
        ApiError::new(StatusCode::CONFLICT, "destination_not_approved", message)
    })
}

/// The content filter. An approved body is sent as it is or not at all; only without approval may it be redacted.
async fn screen(
    state: &web::Data<State>,
    body: &Bytes,
    approved: bool,
    entry: &mut Entry,
) -> Result<Bytes, ApiError> {
    let redact = !approved && state.settings.filter.secrets == SecretPolicy::Redact;
    let (guard, bytes) = (Arc::clone(&state.guard), body.clone());
    let scanned = tokio::task::spawn_blocking(move || {
        let found = filter::scan(&guard, &bytes)?;
        let redacted = if redact && found.iter().any(|finding| !finding.allowed) {
            let mut value: Value = serde_json::from_slice(&bytes)?;
            filter::redact_body(&guard, &mut value);
            let redacted = Bytes::from(serde_json::to_vec(&value)?);
            // What cannot be redacted, such as a secret in the name of a field, is blocked after all.
            filter::scan(&guard, &redacted)?.iter().all(|finding| finding.allowed).then_some(redacted)
        } else {
            None
        };
        Ok::<_, serde_json::Error>((found, redacted))
    });
    let scanned = scanned.await.map_err(|_| ApiError::unavailable("the content filter did not run"))?;
    let (found, redacted) = scanned.map_err(|error| ApiError::invalid(error.to_string()))?;
    entry.findings = found;
    if let Some(redacted) = redacted {
        let secret = entry.findings.iter().filter(|finding| !finding.allowed);
        entry.transformations =
            secret.map(|f| format!("redacted {} at {} line {}", f.class, f.place, f.line)).collect();
        return Ok(redacted);
    }
    match entry.findings.iter().find(|finding| !finding.allowed) {
        None => Ok(body.clone()),
        Some(finding) => {
            let (rule, place, line) = (&finding.rule, &finding.place, finding.line);
            let message =
                format!("the request contains what looks like a secret: {rule} in {place}, line {line}");
            Err(ApiError::new(StatusCode::FORBIDDEN, "secret_blocked", message))
        }
    }
}

/// Records a refusal and tells the client where it stands. Anyone can be refused for want of a token, so only some of
/// these are recorded for each address.
async fn refuse(state: &State, request_id: &str, mut entry: Entry, error: ApiError) -> ApiError {
    let nobody = error.status == StatusCode::UNAUTHORIZED;
    if nobody && state.strangers.acquire(&entry.address, state.env.now_ms()).is_err() {
        return error;
    }
    entry.event = Event::Refused;
    entry.error = Some(error.code.to_owned());
    match state.audit.append(request_id, entry).await {
        Ok(position) => error.with_header(HEADER_AUDIT, position.header()),
        Err(unrecorded) => unrecorded,
    }
}

fn exchange(state: web::Data<State>, request_id: String, entry: Entry, allowed: Allowed) -> Exchange {
    let cancel = CancellationToken::new();
    let listed = state.in_flight.list(&request_id, &allowed.principal, entry.job.as_deref(), cancel.clone());
    Exchange {
        started_ms: state.env.now_ms(),
        state,
        request_id,
        entry,
        streamed: allowed.chat.stream,
        include_usage: allowed.chat.include_usage,
        ceiling_microusd: allowed.approved.map(|approved| approved.ceiling_microusd),
        principal: allowed.principal,
        body: allowed.body,
        routes: allowed.routes,
        permit: allowed.permit,
        cancel,
        listed,
    }
}

fn streamed(body: mpsc::Receiver<Bytes>, audit: &str) -> HttpResponse {
    let body = stream::unfold(body, |mut body| async move {
        let bytes = body.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), body))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .insert_header((HeaderName::from_static(HEADER_AUDIT), audit))
        .streaming(body)
}

fn whole(response: &ChatResponse, usage: Usage, cost: Option<u64>, audit: &str) -> HttpResponse {
    let mut body = serde_json::json!(response);
    body["usage"] = usage.to_openai(cost);
    HttpResponse::Ok().insert_header((HeaderName::from_static(HEADER_AUDIT), audit)).json(body)
}
