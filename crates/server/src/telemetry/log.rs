//! What the lines of the log say about the request that they belong to.

use actix_web::http::header::HeaderMap;
use tracing::Span;
use tracing::field::Empty;

use super::trace::{Trace, parent};

/// The span of a request: its lines carry `request_id` and, where there is a trace, `trace_id`. Of the level of errors, so that
/// a line which is written at all has them.
pub(crate) fn log_span(request_id: &str, headers: &HeaderMap) -> Span {
    let span = tracing::error_span!("request", request_id, trace_id = Empty);
    if let Some(parent) = parent(headers) {
        span.record("trace_id", hex::encode(parent.trace_id).as_str());
    }
    span
}

/// The trace that has begun here, if none came with the request.
pub(super) fn note(trace: &Trace) {
    if trace.parent.is_none() {
        Span::current().record("trace_id", trace.id().as_str());
    }
}
