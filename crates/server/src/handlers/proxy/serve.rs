//! One request to a model, at any door: let in, exchanged, answered.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::http::header::{ContentType, HeaderName};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use bytes::Bytes;
use futures_util::stream;
use gateway::{Gateway, Journal};
use llm::approval::HEADER_AUDIT;
use llm::inbound::Door;
use llm::upstream::HEADER_UPSTREAM;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

use super::admission::{self, Allowed};
use crate::audit::Entry;
use crate::clients::ClientSocket;
use crate::error::ApiError;
use crate::exchange::{Exchange, Head, Held};
use crate::request_id::RequestId;
use crate::state::{State, address};
use crate::telemetry::{Trace, Traced};

/// What Anthropic's clients call the id of a request.
pub(super) const HEADER_REQUEST: &str = "request-id";

/// Serves a request; every error is in the dialect of the door.
pub(super) async fn serve(
    door: Door,
    request: HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let request_id = RequestId::of(&request);
    let served = exchanged(door, &request, state, body, &request_id).await;
    served.map_err(|error| error.at(door, &request_id))
}

async fn exchanged(
    door: Door,
    request: &HttpRequest,
    state: web::Data<State>,
    body: web::Payload,
    request_id: &str,
) -> Result<HttpResponse, ApiError> {
    let trace = state.telemetry.trace(request.headers());
    let mut entry = Entry {
        trace_id: trace.as_ref().map(Trace::id),
        address: address(request),
        method: request.method().to_string(),
        path: request.path().to_owned(),
        ..Entry::default()
    };
    let upstream_headers = state.telemetry.upstream_headers(trace.as_ref());
    let started_ms = state.env.now_ms();
    entry.traced = trace.map(|trace| Box::new(Traced { trace, started_ms, returned: String::new() }));
    let allowed = match admission::admit(door, request, &state, body, &mut entry).await {
        Ok(mut allowed) => {
            allowed
                .routes
                .iter_mut()
                .for_each(|route| route.extra_headers.extend_from_slice(&upstream_headers));
            allowed
        }
        Err(error) => return Err(admission::refuse(&state, request_id, entry, error).await),
    };
    let entry = Arc::new(entry);
    let audit = state.audit.append(request_id, Arc::clone(&entry)).await?.header();
    // Nobody else has it any more.
    let entry = Arc::unwrap_or_clone(entry);
    let (head, opened) = oneshot::channel();
    // On this very thread, as are the connections of its gateway.
    let gateway = request.app_data::<Gateway>().unwrap_or(&state.gateway).clone();
    let exchange = exchange(state.clone(), gateway, request_id.to_owned(), entry, allowed);
    state.tasks.spawn(exchange.run(ClientSocket::of(request), head).in_current_span());
    let stopped = || Err(ApiError::unavailable("the server is stopping"));
    let mut reply = HttpResponse::Ok();
    reply.insert_header((HeaderName::from_static(HEADER_AUDIT), audit.as_str()));
    if door == Door::Messages {
        reply.insert_header((HeaderName::from_static(HEADER_REQUEST), request_id));
    }
    let told = |reply: &mut HttpResponseBuilder, upstream: Option<String>| {
        if let Some(upstream) = upstream {
            reply.insert_header((HeaderName::from_static(HEADER_UPSTREAM), upstream));
        }
    };
    match opened.await.unwrap_or_else(|_| stopped()) {
        Ok(Head::Stream { body, upstream }) => {
            told(&mut reply, upstream);
            Ok(streamed(reply, body))
        }
        Ok(Head::Whole { answer, upstream }) => {
            told(&mut reply, upstream);
            Ok(reply.content_type(ContentType::json()).body(answer))
        }
        Err(error) => Err(error.with_header(HEADER_AUDIT, audit)),
    }
}

fn exchange(
    state: web::Data<State>,
    gateway: Gateway,
    request_id: String,
    entry: Entry,
    allowed: Allowed,
) -> Box<Exchange> {
    let cancel = state.stopping.child_token();
    let started_ms = state.env.now_ms();
    let job = entry.job.as_deref();
    let listed = state.in_flight.list(&request_id, &allowed.principal, job, started_ms, cancel.clone());
    Box::new(Exchange {
        started_ms,
        state,
        gateway,
        request_id,
        entry,
        ceiling_microusd: allowed.approved.map(|approved| approved.ceiling_microusd),
        principal: allowed.principal,
        inbound: allowed.inbound,
        routes: allowed.routes,
        journal: Journal::default(),
        held: Some(Held { permit: allowed.permit, listed }),
        cancel,
    })
}

/// A reply of events that come when they come.
pub(super) fn streamed(mut reply: HttpResponseBuilder, mut body: mpsc::Receiver<Bytes>) -> HttpResponse {
    let body = stream::poll_fn(move |cx| body.poll_recv(cx).map(|bytes| bytes.map(Ok::<_, Infallible>)));
    reply
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-cache"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(body)
}
