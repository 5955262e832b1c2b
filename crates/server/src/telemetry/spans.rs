//! A record as spans, with the attributes that OpenTelemetry's conventions name for HTTP and for generative models.

use super::Traced;
use super::otlp::{
    ExportTraceServiceRequest, KIND_CLIENT, KIND_SERVER, KeyValue, Resource, ResourceSpans, STATUS_ERROR,
    Scope, ScopeSpans, Span, Status,
};
use crate::audit::{Entry, Event};

/// One span for the request as it came, and one for the exchange with a model, if there was one.
pub(super) fn of(request_id: &str, entry: &Entry, traced: &Traced, now_ms: i64) -> Vec<Span> {
    let trace = &traced.trace;
    let failed = entry.event != Event::Served;
    let span = |kind: i32, id: [u8; 8], parent: &[u8], name: String, attributes: Vec<KeyValue>| Span {
        trace_id: trace.trace_id.to_vec(),
        span_id: id.to_vec(),
        trace_state: trace.state.clone().unwrap_or_default(),
        parent_span_id: parent.to_vec(),
        name,
        kind,
        start_time_unix_nano: nanos(traced.started_ms),
        end_time_unix_nano: nanos(now_ms.max(traced.started_ms)),
        attributes,
        status: failed.then_some(Status { code: STATUS_ERROR }),
    };
    let mut attributes = vec![
        KeyValue::text("http.request.method", &entry.method),
        KeyValue::text("http.route", &entry.path),
        KeyValue::text("plantocode.request_id", request_id),
        KeyValue::text("plantocode.outcome", entry.event.as_str()),
    ];
    attributes.extend(entry.error.iter().map(|code| KeyValue::text("error.type", code)));
    let parent = trace.parent.map(|parent| parent.to_vec()).unwrap_or_default();
    let name = format!("{} {}", entry.method, entry.path);
    let mut spans = vec![span(KIND_SERVER, trace.span_id, &parent, name, attributes)];
    if let Some(last) = entry.tries.last() {
        let operation = operation(&entry.path);
        let name = format!("{operation} {}", last.model);
        let attributes = exchange(operation, entry, traced);
        spans.push(span(KIND_CLIENT, trace.upstream_id, &trace.span_id, name, attributes));
    }
    spans
}

/// What is said of an exchange with a model. Never what was said in it.
fn exchange(operation: &str, entry: &Entry, traced: &Traced) -> Vec<KeyValue> {
    let Some(last) = entry.tries.last() else { return Vec::new() };
    let mut attributes = vec![
        KeyValue::text("gen_ai.operation.name", operation),
        KeyValue::text("gen_ai.provider.name", provider(&last.provider)),
        KeyValue::text("gen_ai.request.model", &last.model),
        KeyValue::int("plantocode.tries", entry.tries.len() as u64),
    ];
    if !traced.returned.is_empty() {
        attributes.push(KeyValue::text("gen_ai.response.model", &traced.returned));
    }
    attributes.extend(last.status.map(|status| KeyValue::int("http.response.status_code", status.into())));
    attributes.extend(entry.error.iter().map(|code| KeyValue::text("error.type", code)));
    if let Some(usage) = entry.usage {
        attributes.push(KeyValue::int("gen_ai.usage.input_tokens", usage.input_tokens));
        attributes.push(KeyValue::int("gen_ai.usage.output_tokens", usage.output_tokens));
        attributes.push(KeyValue::int("gen_ai.usage.cache_read.input_tokens", usage.cache_read_tokens));
        attributes.push(KeyValue::int("gen_ai.usage.cache_creation.input_tokens", usage.cache_write_tokens));
        attributes.push(KeyValue::truth("plantocode.usage.estimated", usage.estimated));
    }
    attributes.extend(entry.cost_microusd.map(|cost| KeyValue::int("plantocode.cost_microusd", cost)));
    attributes
}

/// A batch as it is sent.
pub(super) fn message(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let version = env!("CARGO_PKG_VERSION");
    let attributes =
        vec![KeyValue::text("service.name", service), KeyValue::text("service.version", version)];
    let scope = Scope { name: "plantocode-server".into(), version: version.into() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
        }],
    }
}

fn operation(path: &str) -> &'static str {
    if path.contains("/audio/") { "transcription" } else { "chat" }
}

/// The name that the conventions have for a provider; its own where they have none.
fn provider(name: &str) -> &str {
    match name {
        "gemini" | "google" => "gcp.gemini",
        "xai" => "x_ai",
        other => other,
    }
}

fn nanos(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or_default().saturating_mul(1_000_000)
}
